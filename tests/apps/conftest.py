"""Fixtures: servers for the whole run, faults and temp dirs for each test."""
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

pytest.register_assert_rewrite("scene")

import faults
import servers
import tls_servers
from guard import Guard
from matrix import CLIENTS, PYTHON
from process import Program
from scene import make_certificate


def running(server):
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nginx():
    yield from running(servers.Nginx())


@pytest.fixture(scope="session")
def nginx6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    yield from running(servers.Nginx("::1"))


@pytest.fixture(scope="session")
def redis():
    yield from running(servers.Redis())


@pytest.fixture(scope="session")
def postgres():
    yield from running(servers.Postgres())


@pytest.fixture(scope="session")
def certificates():
    with tempfile.TemporaryDirectory(prefix="poolguard-ca-") as tmp:
        yield tls_servers.Certificates(Path(tmp))


@pytest.fixture(scope="session")
def tls_nginx(certificates):
    yield from running(tls_servers.TlsNginx(certificates))


@pytest.fixture(scope="session")
def tls_haproxy(certificates, tls_nginx):
    yield from running(tls_servers.TlsHaproxy(certificates, tls_nginx))


@pytest.fixture(scope="session")
def tls_redis(certificates):
    yield from running(tls_servers.TlsRedis(certificates))


@pytest.fixture(scope="session")
def tls_postgres(certificates):
    yield from running(tls_servers.TlsPostgres(certificates))


@pytest.fixture
def stalls():
    yield from running(faults.Stalls())


@pytest.fixture
def holds():
    yield from running(faults.Holds())


@pytest.fixture
def answers():
    yield from running(faults.Answers())


@pytest.fixture
def deaf():
    yield from running(faults.Deaf())


@pytest.fixture
def closes_first():
    yield from running(faults.ClosesFirst())


@pytest.fixture
def refused():
    """The address of a port on which nobody listens."""
    with faults.refused_port() as s:
        yield s.getsockname()


@pytest.fixture(scope="session")
def bindir():
    """The C clients, compiled."""
    with tempfile.TemporaryDirectory(prefix="poolguard-bin-") as tmp:
        for source in CLIENTS.glob("*.c"):
            compile_client(source, Path(tmp) / source.stem, "-lcurl", "-lssl", "-lcrypto", "-lgnutls")
        # Debian's other libcurl has the same interface, and its headers conflict with the first's.
        compile_client(CLIENTS / "tls_curl_easy.c", Path(tmp) / "tls_curl_easy-gnutls",
                       "-l:libcurl-gnutls.so.4")
        yield tmp


def compile_client(source, binary, *libraries):
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", "-o", binary, source,
                    "-Wl,--as-needed", *libraries], check=True)


@pytest.fixture(scope="session")
def certificate():
    """(certificate, key), of a server that is called api.test."""
    with tempfile.TemporaryDirectory(prefix="poolguard-cert-") as tmp:
        yield make_certificate(Path(tmp))


@pytest.fixture
def home():
    """A temp dir of the test's own."""
    with tempfile.TemporaryDirectory(prefix="poolguard-test-") as tmp:
        yield Path(tmp)


@pytest.fixture
def guard(home):
    return Guard(home)


@pytest.fixture
def scripted(guard, home):
    """Starts clients/scripted.py under the guard with these options; ended with the test."""
    started = []

    def start(*, wrapper=(), env=None, **options):
        app = Program([*wrapper, PYTHON, CLIENTS / "scripted.py"], env or guard.env(**options),
                      home / "stderr")
        started.append(app)
        return app

    yield start
    for app in started:
        app.__exit__()
