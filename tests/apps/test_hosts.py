"""Which host a connection is said to be to: the name that the program used for it, if it did.

Names are those of a hosts file of the test's own (libnss_wrapper, loaded behind the guard).
"""
import glob

import pytest

from faults import ClosesFirst, Holds, TlsEcho
from matrix import CLIENTS, PYTHON
from process import Program, clean_env, until

HOSTS = """\
127.0.0.1 api.test alias.test mixed.test dotted.test
127.0.0.2 other.test
127.0.0.1 both.test
127.0.0.2 both.test
127.0.0.1 proxy.test
::1 six.test
""" + "".join(f"127.0.1.{i} many.test\n" for i in range(1, 61))
WAYS = ["getaddrinfo", "gethostbyname", "gethostbyname2", "gethostbyname_r"]


@pytest.fixture
def server():
    """On every address of this machine; silent."""
    holds = Holds("0.0.0.0")
    yield holds
    holds.stop()


@pytest.fixture
def echo(certificate):
    server = TlsEcho(certificate, "0.0.0.0")
    yield server
    server.stop()


@pytest.fixture
def start(guard, home):
    """Starts clients/names.py with the names above."""
    wrapper = glob.glob("/usr/lib/*/libnss_wrapper.so")
    if not wrapper:
        pytest.skip("no libnss_wrapper")
    (home / "hosts").write_text(HOSTS)
    started = []

    def run(guarded=True, **options):
        env = guard.env(**options) if guarded else clean_env(home)
        preload = [str(guard.lib)] * guarded + wrapper
        env.update(LD_PRELOAD=" ".join(preload), NSS_WRAPPER_HOSTS=str(home / "hosts"))
        started.append(Program([PYTHON, CLIENTS / "names.py"], env, home / f"stderr{len(started)}"))
        return started[-1]

    yield run
    for app in started:
        app.__exit__()


def do(app, *lines):
    for line in lines:
        app.say(line)
        answer = app.hear()
        assert answer is not None, app.stderr
    return answer


def opened(guard, app, pid=None):
    """{host: how many connections}, by each way to ask the same; the groups say so, too."""
    found = []
    for report in guard.both(pid or app.pid).values():
        rows = {host: int(row["opened"]) for host, row in report.hosts.items()}
        groups = {group.host for group in report.groups if group.host}
        assert groups <= set(rows), report.text
        found.append(rows)
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("way", WAYS)
def test_a_connection_is_to_the_name_that_was_looked_up(guard, start, server, way):
    app = start()
    assert do(app, f"resolve {way} api.test") == "127.0.0.1"
    do(app, f"dial 127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"api.test:{server.port}": 1}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["api.test", "both.test", "nobody.test", "127.0.0.1", "::1"])
def test_what_looking_up_answers_is_the_same_guarded(start, way, name):
    if name == "::1" and way != "getaddrinfo":
        pytest.skip("of IPv4 only")
    bare, guarded = (do(start(guarded), f"resolve {way} {name}") for guarded in (False, True))
    assert guarded == bare


@pytest.mark.parametrize("way", WAYS)
def test_all_addresses_of_a_name_are_one_host(guard, start, server, way):
    app = start()
    assert do(app, f"resolve {way} both.test") == "127.0.0.1 127.0.0.2"
    do(app, f"dial 127.0.0.1 {server.port}", f"dial 127.0.0.2 {server.port}",
       f"dial 127.0.0.2 {server.port}")
    assert opened(guard, app) == {f"both.test:{server.port}": 3}


def test_a_name_may_have_many_addresses(guard, start, server):
    app = start()
    assert len(do(app, "resolve getaddrinfo many.test").split()) == 60
    do(app, *(f"dial 127.0.1.{i} {server.port}" for i in (1, 30, 59, 60)))
    assert opened(guard, app) == {f"many.test:{server.port}": 4}


def test_a_mapped_address_is_the_one_that_was_looked_up(guard, start, server):
    app = start()
    do(app, "resolve getaddrinfo api.test", f"dial ::ffff:127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"api.test:{server.port}": 1}


def test_a_name_may_be_of_ipv6(guard, start):
    try:
        server = Holds("::1")
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    app = start()
    assert do(app, "resolve getaddrinfo six.test") == "::1"
    do(app, f"dial ::1 {server.port}")
    assert opened(guard, app) == {f"six.test:{server.port}": 1}
    server.stop()


def test_the_latest_of_two_names_of_one_address_is_meant(guard, start, server):
    app = start()
    dial = f"dial 127.0.0.1 {server.port}"
    do(app, "resolve getaddrinfo api.test", dial, "resolve getaddrinfo alias.test", dial, dial)
    assert opened(guard, app) == {f"api.test:{server.port}": 1, f"alias.test:{server.port}": 2}


def test_what_another_thread_looked_up_is_known(guard, start, server):
    app = start()
    do(app, "thread resolve getaddrinfo api.test", f"dial 127.0.0.1 {server.port}",
       f"thread dial 127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"api.test:{server.port}": 2}


def test_what_the_thread_itself_looked_up_last_goes_first(guard, start, server):
    app = start()
    dial = f"dial 127.0.0.1 {server.port}"
    do(app, "resolve getaddrinfo api.test", "thread resolve getaddrinfo alias.test", dial)
    assert opened(guard, app) == {f"api.test:{server.port}": 1}
    do(app, "resolve getaddrinfo other.test", dial)  # its own last one was of another address
    assert opened(guard, app) == {f"api.test:{server.port}": 1, f"alias.test:{server.port}": 1}


def test_a_child_knows_what_its_parent_looked_up(guard, start, server):
    app = start()
    child = int(do(app, "resolve getaddrinfo api.test", "fork"))
    do(app, f"dial 127.0.0.1 {server.port}")
    assert opened(guard, app, child) == {f"api.test:{server.port}": 1}


def test_names_are_told_in_lower_case_without_a_last_dot(guard, start, server):
    app = start()
    assert do(app, "resolve getaddrinfo Mixed.Test") == "127.0.0.1"
    do(app, f"dial 127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"mixed.test:{server.port}": 1}
    assert do(app, "resolve getaddrinfo dotted.test.") == "127.0.0.1"
    do(app, f"dial 127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"mixed.test:{server.port}": 1, f"dotted.test:{server.port}": 1}


@pytest.mark.parametrize("looked_up", ["127.0.0.1", "nobody.test", "2130706433", "127.1",
                                       "0x7f000001"])
def test_a_number_and_a_name_that_is_nobodys_are_no_names(guard, start, server, looked_up):
    app = start()
    do(app, f"resolve getaddrinfo {looked_up}", f"dial 127.0.0.1 {server.port}")
    assert opened(guard, app) == {f"127.0.0.1:{server.port}": 1}


def test_an_address_without_a_name_stays_one_beside_another_with_one(guard, start, server):
    app = start()
    do(app, "resolve getaddrinfo other.test", f"dial 127.0.0.1 {server.port}",
       f"dial 127.0.0.2 {server.port}")
    assert opened(guard, app) == {f"127.0.0.1:{server.port}": 1, f"other.test:{server.port}": 1}


# --- server names, tunnels, headers ---------------------------------------------------------------

def test_the_server_name_of_tls_goes_before_the_name_looked_up(guard, start, echo):
    app = start()
    do(app, "resolve getaddrinfo api.test", f"dial 127.0.0.1 {echo.port}", "tls Sni.Test")
    assert opened(guard, app) == {f"sni.test:{echo.port}": 1}
    do(app, f"dial 127.0.0.1 {echo.port}")
    assert opened(guard, app) == {f"sni.test:{echo.port}": 1, f"api.test:{echo.port}": 1}


def test_one_server_name_at_two_addresses_is_one_host(guard, start, echo):
    app = start()
    do(app, f"dial 127.0.0.1 {echo.port}", "tls sni.test", f"dial 127.0.0.2 {echo.port}",
       "tls sni.test")
    assert opened(guard, app) == {f"sni.test:{echo.port}": 2}


def test_a_tunnel_through_a_proxy_is_to_the_proxy(guard, start, echo):
    app = start()
    do(app, "resolve getaddrinfo proxy.test", f"dial 127.0.0.1 {echo.port}",
       "send CONNECT api.test:443 HTTP/1.1\\r\\nHost: api.test:443\\r\\n\\r\\n")
    assert int(do(app, "recv 1000")) > 0
    do(app, "tls api.test")
    assert opened(guard, app) == {f"proxy.test:{echo.port}": 1}
    for report in guard.both(app.pid).values():
        assert [c.tls.server_name for c in report.connections] == ["api.test"], report.text


def test_a_tunnel_through_socks_is_to_the_proxy(guard, start, echo):
    app = start()
    for name in ("api.test", "www.test"):
        do(app, f"dial 127.0.0.1 {echo.port}", "send \\x05\\x01\\x00", "recv 2",
           f"send \\x05\\x01\\x00\\x03\\x08{name}\\x01\\xbb", "recv 10", f"tls {name}")
    assert opened(guard, app) == {f"127.0.0.1:{echo.port}": 2}
    for report in guard.both(app.pid).values():
        assert {c.tls.server_name for c in report.connections} == {"api.test", "www.test"}


def aliases(guard, app):
    return [report.aliases for report in guard.both(app.pid).values()]


def get(name):
    return f"send GET / HTTP/1.1\\r\\nHost: {name}\\r\\n\\r\\n"


def test_a_host_without_a_name_is_shown_with_what_its_requests_say(guard, start, server):
    app = start()
    dial, host = f"dial 127.0.0.1 {server.port}", f"127.0.0.1:{server.port}"
    do(app, dial, get("WWW.Example.com"), dial, get("www.example.com"))
    assert opened(guard, app) == {host: 2}
    assert aliases(guard, app) == [{host: "www.example.com"}] * 2
    do(app, dial, get("img.example.com"))
    assert opened(guard, app) == {host: 3}
    assert aliases(guard, app) == [{}] * 2
    do(app, dial, get("www.example.com"))
    assert aliases(guard, app) == [{}] * 2


def test_a_connection_whose_requests_say_two_names_has_no_alias(guard, start, server):
    app = start()
    do(app, f"dial 127.0.0.1 {server.port}", get("one.example.com"), get("two.example.com"))
    assert aliases(guard, app) == [{}] * 2


def test_what_is_no_request_says_no_name(guard, start, server):
    app = start()
    dial, host = f"dial 127.0.0.1 {server.port}", f"127.0.0.1:{server.port}"
    do(app, dial, "send Host: www.example.com\\r\\n\\r\\n", dial, "send GET",
       dial, "send GET / HTTP/1.1\\r\\nAccept: *\\r\\n\\r\\nHost: www.example.com\\r\\n",
       dial, "send GET / HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
    assert opened(guard, app) == {host: 4}
    assert aliases(guard, app) == [{}] * 2


@pytest.mark.parametrize("name", ["x\x1b[31m", "a\x01b", "x(y)", "y,z", "caf\u00e9"])
def test_what_a_request_says_can_not_spoil_a_report(guard, start, server, name):
    app = start()
    do(app, f"dial 127.0.0.1 {server.port}", get(name))
    for report in guard.both(app.pid).values():
        assert all(c == "\n" or " " <= c <= "~" for c in report.text), report.text
        assert set(report.hosts) == {f"127.0.0.1:{server.port}"}


def test_a_host_with_a_name_has_no_alias(guard, start, server):
    app = start()
    do(app, "resolve getaddrinfo api.test", f"dial 127.0.0.1 {server.port}", get("www.example.com"))
    assert opened(guard, app) == {f"api.test:{server.port}": 1}
    assert aliases(guard, app) == [{}] * 2


# --- what names are for ---------------------------------------------------------------------------

@pytest.mark.parametrize("pattern", ["api.test", "api.test:{port}", "*.test", "127.0.0.1",
                                     "127.0.0.1:{port}"])
def test_suppressions_know_a_host_by_name_and_by_address(guard, start, home, pattern):
    closes_first = ClosesFirst()
    (home / "supp").write_text(f"host:{pattern.format(port=closes_first.port)}\n")
    app = start(leak_after="200ms", suppressions=home / "supp")
    do(app, "resolve getaddrinfo api.test", f"dial 127.0.0.1 {closes_first.port}", "recv 100")
    found = until(lambda: next((r for r in [guard.by_command(app.pid)]
                                if "suppress" in r.text.lower()), None), "the leak", deadline=10)
    assert found.leaked == 0 and not found.of("LEAK"), found.text
    closes_first.stop()


def test_leaks_are_told_by_name(guard, start):
    closes_first = ClosesFirst("0.0.0.0")
    app = start(leak_after="200ms")
    do(app, "resolve getaddrinfo both.test")
    for address in ("127.0.0.1", "127.0.0.2"):
        do(app, f"dial {address} {closes_first.port}", "recv 100")
    found = guard.verdict(app.pid, "LEAK", "peer-closed", 2)
    [group] = found.of("LEAK")
    assert group.host == f"both.test:{closes_first.port}"
    assert int(found.hosts[group.host]["leaked"]) == 2, found.text
    assert {c.remote.split(":")[0] for c in group.connections} == {"127.0.0.1", "127.0.0.2"}
    closes_first.stop()
