"""The ssl module: sockets and TLS objects that end apart, by the way that is named.

    unwrap   TLS is ended in order and its object freed; the socket stays open
    detach   the socket is closed by its number; the TLS object stays
"""
import os
import socket
import ssl
import sys

how, ca, name, host, *ports = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)


def fetch(port):
    s = context.wrap_socket(socket.create_connection((host, port)), server_hostname=name)
    s.sendall(f"GET /ready HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    response = b""
    while not response.endswith(b"READY\n"):
        response += s.recv(65536)
    return s


def split(s):
    if how == "unwrap":
        return s.unwrap()
    os.close(s.detach())
    return s


kept = [split(fetch(port)) for port in ports]
print("READY", flush=True)
sys.stdin.readline()
for s in kept:
    s.close()
kept = s = None
print("CLOSED", flush=True)
sys.stdin.readline()
