"""HTTP by hand, for programs that are called with WHAT HOST PORT [CA]."""
import socket
import ssl
import sys

host, port = sys.argv[2], int(sys.argv[3])


def connect():
    connection = socket.create_connection((host, port))
    if len(sys.argv) > 4:
        context = ssl.create_default_context(cafile=sys.argv[4])
        connection = context.wrap_socket(connection, server_hostname=host)
    return connection


def request(path, method="GET", *fields):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}:{port}", *fields, "", ""]
    return "\r\n".join(lines).encode()


def read(connection, size):
    """So many bytes, in pieces as they come."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        assert piece, data
        data += piece
    return data


def read_until(connection, end):
    data = b""
    while not data.endswith(end):
        data += read(connection, 1)
    return data


def read_small(connection):
    assert b" 200 OK" in read_until(connection, b"\r\n\r\n")
    assert read(connection, 5) == b"small"


def use(connection, times=3):
    for _ in range(times):
        connection.sendall(request("/small"))
        read_small(connection)
