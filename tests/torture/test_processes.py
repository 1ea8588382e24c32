"""Forks, execs, servers of many processes, and what a process may do to itself."""
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import truth
from look import assert_accounted, assert_right, boxes, end, places, ready
from process import DEADLINE, clean_env, until
from servers import HOST, Server

ROOT = os.getuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root")


# --- fork and exec ------------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["fork", "_Fork", "raw-fork", "raw-clone", "clone"])
def test_children_of_a_busy_process_connect_report_and_end(guard, start, loop, how):
    app = start("forks", how)
    child = int(app.hear())
    named = {c.local for c in assert_accounted(guard, child).connections}
    app.say("")
    ready(app)
    [kept] = assert_right(guard, app.pid, 1).connections
    assert kept.local in named and len(named) >= 2
    end(app)


def test_connections_inherited_through_exec_are_known(guard, start):
    app = start("exec", "exec")
    ready(app)
    assert_right(guard, app.pid, 3)
    app.say("")
    ready(app)
    assert_right(guard, app.pid, 3)
    app.ask("", "READY")
    assert_right(guard, app.pid, 1)
    app.ask("", "READY")
    assert_right(guard, app.pid, 0)
    end(app)


def test_spawned_programs_leave_the_table_right(guard, start, loop):
    app = start("exec", "spawn")
    ready(app)
    assert_right(guard, app.pid, 2)
    end(app)


# --- servers of many processes --------------------------------------------------------------------

def assert_clean(guard, pids):
    """Each process that has had connections is reported rightly; returns how many these are."""
    seen = [pid for pid in pids if pid in boxes(guard)]
    for pid in seen:
        def settled():
            before = truth.connections(pid)
            report = guard.by_command(pid)
            return (before, report) if truth.connections(pid) == before else None
        kernel, report = until(settled, f"{pid} stands still")
        assert places(report.connections) == places(kernel), report.text
        assert report.leaked == 0 and not report.notes, report.text
    return len(seen)


def test_a_prefork_server_has_nine_clean_boxes(guard, start):
    app = start("prefork")
    port, *workers = [int(app.hear()) for _ in range(9)]
    clients = []
    while len(boxes(guard) & set(workers)) < 8 or len(clients) < 100:
        clients.append(socket.create_connection((HOST, port)))
        clients[-1].sendall(b"x")
        assert clients[-1].recv(1) == b"x"
    assert assert_clean(guard, [app.pid, *workers]) == 9
    for client in clients:
        client.close()
    end(app)


NGINX_CONF = """
daemon off; worker_processes 8; pid nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_timeout 10m;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
    scgi_temp_path tmp;
    server {{ listen {host}:{port} reuseport; location / {{ return 200 "ok"; }} }}
}}
"""


class Nginx8(Server):
    """Eight workers, each with a socket of its own to accept on, all guarded."""

    def __init__(self, guard):
        super().__init__("nginx8")
        (self.dir / "tmp").mkdir()
        (self.dir / "nginx.conf").write_text(NGINX_CONF.format(
            host=self.host, port=self.port, user="user root;" if ROOT else ""))
        env = guard.env(signal="PWR", report=guard.home / "r.%p")
        named = [f"{name}={value}" for name, value in env.items()]
        self.start(["env", *named, "/usr/sbin/nginx", "-e", "stderr", "-p", self.dir, "-c",
                    "nginx.conf"], "start worker process ")

    def workers(self):
        pid = self.daemon.popen.pid
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_nginx_with_eight_workers_has_clean_boxes(guard):
    server = Nginx8(guard)
    try:
        workers = until(lambda: len(server.workers()) == 8 and server.workers(), "eight workers")
        clients = []
        while len(boxes(guard) & set(workers)) < 8 or len(clients) < 64:
            clients.append(socket.create_connection((server.host, server.port)))
            clients[-1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in clients[-1].recv(4096)
        assert assert_clean(guard, workers) == 8
        for client in clients:
            client.close()
        assert_clean(guard, [server.daemon.popen.pid, *workers])
    finally:
        server.stop()
    assert server.daemon.popen.returncode == 0
    assert not any("poolguard" in line for line in server.daemon.log), server.daemon.log
    assert list(guard.home.glob("r.*")) == []


# --- what a process may do to itself --------------------------------------------------------------

@needs_root
@pytest.mark.parametrize("mode", ["userns", "setns", "setuid", "capset"])
def test_a_process_may_change_itself_as_it_may_bare(guard, start, mode):
    said = []
    for guarded in (False, True):
        app = start("ids", mode, guarded=guarded)
        said.append(ready(app))
        if guarded:
            assert_right(guard, app.pid, {"setuid": 8}.get(mode, 2))
        end(app)
    assert said[0] == said[1] and said[0]


# --- programs into which nothing is loaded --------------------------------------------------------

@pytest.fixture
def privileged(bindir, guard):
    """A copy of a program, open to all; the guard's files beside it, for another user to find."""
    def copy(name):
        path = Path(shutil.copy(bindir / "threads", bindir / name))
        for file in (guard.lib, guard.command):
            shutil.copy(file, bindir)
        return path
    return copy


def as_nobody(guard, bindir, *argv):
    env = {**clean_env("/"), "LD_PRELOAD": str(bindir / "libpoolguard.so"),
           "POOLGUARD_STATE_DIR": str(guard.state)}
    return subprocess.run([str(a) for a in argv], env=env, input="\n", capture_output=True,
                          text=True, user=65534, group=65534, timeout=DEADLINE)


@needs_root
@pytest.mark.parametrize("kind", ["setuid", "capability"])
def test_a_privileged_program_runs_untouched_and_the_command_says_why(guard, bindir, port,
                                                                      privileged, kind):
    path = privileged(kind)
    if kind == "setuid":
        path.chmod(0o4755)
    elif not shutil.which("setcap") or subprocess.run(
            ["setcap", "cap_net_raw+ep", path], capture_output=True).returncode:
        pytest.skip("no file capabilities here")
    guard.state.chmod(0o777)
    guard.home.chmod(0o755)
    done = as_nobody(guard, bindir, path, port, "plain")
    assert (done.returncode, done.stdout, done.stderr) == (0, "READY\n", "")
    assert boxes(guard) == set()
    done = as_nobody(guard, bindir, bindir / "poolguard", "run", path, port, "plain")
    assert done.returncode == 24 and "LD_PRELOAD" in done.stderr, done.stderr
