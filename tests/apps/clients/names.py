"""Finds names and connects: a command a line, each answered with one line.

    resolve HOW NAME       by getaddrinfo, gethostbyname, gethostbyname2 or gethostbyname_r; answers
                           the addresses
    dial ADDRESS PORT      connect, and keep the socket
    send TEXT, recv N      on the last one; \\r, \\n and \\xHH in TEXT
    tls NAME               TLS on the last one, with that server name
    thread WORDS           do that command in a thread
    fork                   go on in a child; answers its pid
    drop                   close all
"""
import ctypes
import os
import socket
import ssl
import sys
import threading

libc = ctypes.CDLL(None)
kept = []


class Hostent(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("aliases", ctypes.POINTER(ctypes.c_char_p)),
                ("family", ctypes.c_int), ("length", ctypes.c_int),
                ("addresses", ctypes.POINTER(ctypes.POINTER(ctypes.c_ubyte * 4)))]


def addresses(entry):
    found, i = [], 0
    while entry and entry.contents.addresses[i]:
        found.append(socket.inet_ntoa(bytes(entry.contents.addresses[i].contents)))
        i += 1
    return found


def gethostbyname(name):
    libc.gethostbyname.restype = ctypes.POINTER(Hostent)
    return addresses(libc.gethostbyname(name.encode()))


def gethostbyname2(name):
    libc.gethostbyname2.restype = ctypes.POINTER(Hostent)
    return addresses(libc.gethostbyname2(name.encode(), socket.AF_INET))


def gethostbyname_r(name):
    entry, result = Hostent(), ctypes.POINTER(Hostent)()
    room, error = ctypes.create_string_buffer(1024), ctypes.c_int()
    libc.gethostbyname_r(name.encode(), ctypes.byref(entry), room, len(room), ctypes.byref(result),
                         ctypes.byref(error))
    return addresses(result)


def getaddrinfo(name):
    try:
        found = socket.getaddrinfo(name, 1, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return [error.strerror]
    return [address[0] for *_, address in found]


def resolve(how, name):
    return " ".join(sorted(globals()[how](name))) or "none"


def dial(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kept.append(socket.socket(family))
    kept[-1].connect((address, int(port)))  # of an address, Python looks nothing up
    return "OK"


def send(*words):
    kept[-1].sendall(" ".join(words).encode().decode("unicode_escape").encode("latin-1"))
    return "OK"


def recv(count):
    return len(kept[-1].recv(int(count)))


def tls(name):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kept[-1] = context.wrap_socket(kept[-1], server_hostname=name)
    return "OK"


def thread(*words):
    said = []
    runner = threading.Thread(target=lambda: said.append(run(words)))
    runner.start()
    runner.join()
    return said[0]


def fork():
    pid = os.fork()
    if pid == 0:
        return os.getpid()
    os.waitpid(pid, 0)
    sys.exit()


def drop():
    while kept:
        kept.pop().close()
    return "OK"


COMMANDS = {"resolve": resolve, "dial": dial, "send": send, "recv": recv, "tls": tls,
            "thread": thread, "fork": fork, "drop": drop}


def run(words):
    return COMMANDS[words[0]](*words[1:])


while line := os.read(0, 4096):  # nothing is read ahead: a child goes on where its parent was
    print(run(line.decode().split()), flush=True)
