"""The ssl module: two sockets for each port, the second with the session of the first."""
import socket
import ssl
import sys

ca, name, host, *ports = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
REQUEST = f"GET /ready HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()


def fetch(port, session=None):
    s = context.wrap_socket(socket.create_connection((host, port)), server_hostname=name,
                            session=session)
    s.sendall(REQUEST)
    response = b""
    while not response.endswith(b"READY\n"):
        response += s.recv(65536)
    return s


sockets = []
for port in ports:
    first = fetch(port)
    sockets += [first, fetch(port, first.session)]
print("READY", flush=True)
sys.stdin.readline()
for s in sockets:
    s.close()
print("CLOSED", flush=True)
sys.stdin.readline()
