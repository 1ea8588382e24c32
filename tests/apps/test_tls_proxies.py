"""Servers as clients of TLS: their connections to what stands behind them."""
import pytest

import truth
from agreement import assert_same, compare
from guard import Guard
from process import until
from tls_agreement import assert_all_closed, assert_tls
from tls_matrix import HTTP
from tls_proxies import PROXIES
from tls_servers import NAME

LEAK_AFTER = 0.1  # seconds

every_proxy = pytest.mark.parametrize("kind", PROXIES, ids=lambda kind: kind.__name__.lower())


@pytest.fixture
def guard(home):
    return Guard(home, "PWR")  # all use USR1


@pytest.fixture
def endpoints(request):
    return [request.getfixturevalue(server).endpoints[version] for server, version in HTTP]


@pytest.fixture
def start(kind, guard, endpoints, certificates):
    started = []

    def start_guarded(kept):
        env = guard.env(leak_after=f"{LEAK_AFTER}s")
        started.append(kind(env, endpoints, certificates, kept))
        return started[-1]

    yield start_guarded
    for proxy in started:
        proxy.stop()


def close(connections):
    for connection in connections:
        connection.close()


@every_proxy
def test_what_a_proxy_keeps_open_is_told_as_the_servers_log_says(endpoints, guard, start):
    proxy = start(kept=True)
    clients = proxy.fetch()
    reports, kernel = compare(guard, proxy.pid)
    close(clients)
    proxy.stop()
    for how, found in reports.items():
        assert_same(found, kernel, how)
        outward = [group.host for group in found.groups if group.kind != "INBOUND"]
        assert sorted(outward) == sorted(f"{NAME}:{e.port}" for e in endpoints), found.text
        assert_tls(found, endpoints, how)
        inward = [c.tls for group in found.of("INBOUND") for c in group.connections]
        assert inward == [None] * len(clients), found.text


@every_proxy
def test_a_proxy_that_keeps_nothing_has_nothing_open_or_leaked(guard, start):
    proxy = start(kept=False)
    for _ in range(2):
        close(proxy.fetch())
    until(lambda: not truth.connections(proxy.pid), "all that the proxy opened to be closed")
    assert_all_closed(guard, proxy.pid, 3 * LEAK_AFTER)
