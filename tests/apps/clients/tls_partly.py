"""The ssl module: 10 bytes of a response read, the rest of its record left to the library."""
import socket
import ssl
import sys

ca, name, host, *ports = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)


def fetch(port):
    s = context.wrap_socket(socket.create_connection((host, port)), server_hostname=name)
    s.sendall(f"GET /ready HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    assert len(s.recv(10)) == 10 and s.pending() > 0
    return s


sockets = [fetch(port) for port in ports]
print("10 B read")
for s in sockets:
    print(s.pending(), flush=True)
sys.stdin.readline()
