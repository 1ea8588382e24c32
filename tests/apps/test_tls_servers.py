"""Servers of TLS: what a report says of the connections that they accepted, against their logs."""
import socket
import ssl

import pytest

import truth
from agreement import assert_same, compare
from guard import Guard
from process import until
from servers import HOST
from tls_agreement import assert_all_closed, logged, told
from tls_servers import NAME, TlsHaproxy, TlsNginx, TlsRedis

LEAK_AFTER = 0.1  # seconds
GET = (f"GET /ready HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode(), b"READY\n")
PING = (b"PING\r\n", b"+PONG\r\n")
MAKE = {
    "nginx": lambda certificates, _, env: TlsNginx(certificates, env),
    "haproxy": TlsHaproxy,
    "redis": lambda certificates, _, env: TlsRedis(certificates, env),
}


@pytest.fixture
def guard(home):
    return Guard(home, "PWR")  # some use USR1


@pytest.fixture
def server(kind, guard, certificates, tls_nginx):
    server = MAKE[kind](certificates, tls_nginx, guard.env(leak_after=f"{LEAK_AFTER}s"))
    yield server
    server.stop()


def ask(context, port, request, end):
    s = context.wrap_socket(socket.create_connection((HOST, port)), server_hostname=NAME)
    s.sendall(request)
    answer = b""
    while not answer.endswith(end):
        answer += s.recv(65536)
    return s


def swapped(data):
    """Bytes in and out as the other side has them."""
    return data and (data[1], data[0])


def assert_inbound(found, endpoints, data, how):
    at = {f"{endpoint.host}:{endpoint.port}": endpoint for endpoint in endpoints}
    inbound = [c for group in found.of("INBOUND") for c in group.connections]
    assert len(inbound) == len(endpoints), found.text
    for connection in inbound:
        facts = at[connection.local].facts(connection.remote)
        assert connection.tls, f"no TLS of {connection.remote}, by {how}:\n{found.text}"
        assert told(connection.tls, False) == logged(facts, False, NAME, data or
                                                     swapped(facts.data)), found.text


@pytest.mark.parametrize("kind, question, data", [
    ("nginx", GET, None), ("haproxy", GET, None), ("redis", PING, (len(PING[0]), len(PING[1])))])
def test_accepted_connections_are_told_as_the_servers_own_log_says(server, question, data, guard,
                                                                   certificates):
    endpoints = list(server.endpoints.values())
    context = ssl.create_default_context(cafile=certificates.ca)
    clients = [ask(context, endpoint.port, *question) for endpoint in endpoints]
    reports, kernel = compare(guard, server.pid)
    for client in clients:
        client.close()
    until(lambda: not truth.connections(server.pid), "the server to close what was closed")
    for how, found in reports.items():
        assert_same(found, kernel, how)
        assert_inbound(found, endpoints, data, how)
    assert_all_closed(guard, server.pid, 3 * LEAK_AFTER)
