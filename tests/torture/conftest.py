"""Fixtures: the programs compiled, a server for them, and `start`, which runs one under the guard.

TORTURE_SECONDS is divided among the tests that loop; without it, each loops for a moment.
"""
import os
import runpy
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from process import Program, clean_env

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
MOMENT = 0.3
LIBRARIES = dict.fromkeys(["tls_dlsym", "tls_names", "tls_threads"],
                          ["-lssl", "-lcrypto"])  # beside libc
LIBRARIES["exchanges"] = ["-I", HERE.parents[1] / "shim"]  # it reads state files

apps = runpy.run_path(str(HERE.parent / "apps" / "conftest.py"))
home, guard, holds, running = (apps[name] for name in ("home", "guard", "holds", "running"))


def pytest_collection_modifyitems(config, items):
    looping = sum("loop" in item.fixturenames for item in items)
    config.loop_seconds = float(os.environ.get("TORTURE_SECONDS", MOMENT * looping)) / max(looping, 1)


@pytest.fixture
def loop(request):
    """For how many seconds the test is to repeat what it does."""
    return request.config.loop_seconds


def compiled(source, target, *flags):
    cc = "g++" if source.suffix == ".cc" else "gcc"
    std = "-std=gnu++17" if source.suffix == ".cc" else "-std=gnu11"
    subprocess.run([cc, std, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g",
                    "-pthread", source, "-o", target, *flags], check=True)
    return target


@pytest.fixture(scope="session")
def bindir():
    """programs/*.c compiled: NAME, and lib_NAME.so for the libraries."""
    with tempfile.TemporaryDirectory(prefix="poolguard-torture-") as tmp:
        os.chmod(tmp, 0o755)

        def build(source):
            if source.stem.startswith("lib_"):
                compiled(source, Path(tmp) / f"{source.stem}.so", "-shared", "-fPIC")
            else:
                compiled(source, Path(tmp) / source.stem, *LIBRARIES.get(source.stem, []))

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(build, sorted(PROGRAMS.glob("*.c*"))))
        yield Path(tmp)


def port_of(bindir, name):
    """Of a server that is not guarded."""
    with tempfile.TemporaryDirectory(prefix="poolguard-torture-") as tmp:
        with Program([bindir / name], clean_env(tmp), Path(tmp) / "stderr") as server:
            yield int(server.hear())


@pytest.fixture(scope="session")
def port(bindir):
    """Of a server that echoes."""
    yield from port_of(bindir, "server")


@pytest.fixture(scope="session")
def http_port(bindir):
    """Of a server that answers requests."""
    yield from port_of(bindir, "http_server")


@pytest.fixture
def start(guard, home, bindir, port, request):
    """Starts a program by its name, with these arguments behind the port; ended with the test."""
    started = []

    def run(name, *args, env=None, wrapper=(), guarded=True, **options):
        env = {**(guard.env(**options) if guarded else clean_env(home)), **(env or {})}
        if "loop" in request.fixturenames:
            env["TORTURE_LOOP"] = str(request.config.loop_seconds)
        argv = [*wrapper, Path(name) if "/" in str(name) else bindir / name, port, *args]
        app = Program(argv, {k: str(v) for k, v in env.items()}, home / f"stderr.{len(started)}")
        started.append(app)
        return app

    yield run
    for app in started:
        app.__exit__()
