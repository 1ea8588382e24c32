"""Does what its stdin says, a command a line, and answers each with one line, mostly OK.

    open HOST PORT     connect, and keep the socket
    fail HOST PORT     connect_ex, which fails; keep the socket; answers the error's name
    get PATH           send a request on every socket
    read               receive from every socket until each has said something
    drop N             close the N oldest
    exhaust HOST PORT  connect until there are no descriptors left; answers the error's name
    wait MS            lie idle
    exit STATUS        end with everything still open: Python itself would close its sockets
"""
import errno
import socket
import sys
import time

kept = []


def connect(host, port):
    kept.append(socket.create_connection((host, int(port))))
    return "OK"


def fail(host, port):
    kept.append(socket.socket())
    return errno.errorcode[kept[-1].connect_ex((host, int(port)))]


def get(path):
    for s in kept:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n".encode())
    return "OK"


def read():
    return "OK" if all(s.recv(100) for s in kept) else "END"


def drop(count):
    for s in kept[:int(count)]:
        s.close()
    del kept[:int(count)]
    return "OK"


def exhaust(host, port):
    try:
        while True:
            s = socket.socket()
            kept.append(s)
            s.connect((host, int(port)))
    except OSError as error:
        return errno.errorcode[error.errno]


def wait(milliseconds):
    time.sleep(int(milliseconds) / 1000)
    return "OK"


def leave(status):
    for s in kept:
        s.detach()
    sys.exit(int(status))


COMMANDS = {"open": connect, "fail": fail, "get": get, "read": read, "drop": drop,
            "exhaust": exhaust, "wait": wait, "exit": leave}

for line in iter(sys.stdin.readline, ""):
    command, *arguments = line.split()
    print(COMMANDS[command](*arguments), flush=True)
