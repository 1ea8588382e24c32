"""Real servers on free ports of 127.0.0.1, each in a temp dir of its own, ready when it says so."""
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from process import DEADLINE, clean_env, die_with_parent

LARGE = 64 << 20  # more than any socket buffer: a response of this size stays unread
HOST = "127.0.0.1"


def free_port(host=HOST):
    """A free port below the ephemeral range, where no client's local end can take it meanwhile."""
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
            try:
                s.bind((host, port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Daemon:
    """A server process. `ready` is a piece of the log line that says that it serves."""

    def __init__(self, argv, ready, home, stop=signal.SIGTERM, env=None, **popen):
        self.log, self.ready, self.stop_signal = [], ready, stop
        self.serving = threading.Event()
        self.popen = subprocess.Popen(
            [str(arg) for arg in argv], env=env or clean_env(home), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=die_with_parent(stop), **popen)
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        if not self.serving.wait(DEADLINE) or not self._is_ready():
            self.stop()
            raise RuntimeError(f"{argv[0]} does not serve:\n" + "".join(self.log))

    def _is_ready(self):
        return any(self.ready in line for line in self.log)

    def _read_log(self):
        for line in self.popen.stdout:
            self.log.append(line)
            if self.ready in line:
                self.serving.set()
        self.serving.set()  # ended: nobody shall wait for more

    def stop(self):
        self.popen.send_signal(self.stop_signal)
        try:
            self.popen.wait(10)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.reader.join(10)
        self.popen.stdout.close()


class Server:
    """What a test gets: an address, and a way to end it. It may have an environment of its own."""
    worker = None  # a regular expression for a line with the pid of the process that serves

    def __init__(self, prefix, env=None):
        self.env = env
        self.dir = Path(tempfile.mkdtemp(prefix=f"poolguard-{prefix}-", dir="/tmp"))
        self.host, self.port = HOST, free_port()
        self.daemon = None

    def start(self, argv, ready, **popen):
        try:
            self.daemon = Daemon(argv, ready, self.dir, env=self.env, **popen)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self):
        """Of the process that serves."""
        if not self.worker:
            return self.daemon.popen.pid
        found = map(re.compile(self.worker).search, self.daemon.log)
        return int(next(m.group(1) for m in found if m))

    def stop(self):
        if self.daemon:
            self.daemon.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


NGINX_CONF = """
daemon off; worker_processes 2; pid nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; keepalive_timeout 10m; keepalive_requests 1000; send_timeout 10m;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
    scgi_temp_path tmp;
    server {{ {listen} root www; }}
}}
"""


class Nginx(Server):
    """Static files with keep-alive: /small (5 bytes) and /large."""

    def __init__(self, listen=HOST):
        super().__init__("nginx")
        self.host, self.port = listen, free_port(listen)
        shown = f"[{listen}]" if ":" in listen else listen
        for name in ("www", "tmp"):
            (self.dir / name).mkdir()
        (self.dir / "www/small").write_text("small")
        with open(self.dir / "www/large", "wb") as f:
            f.truncate(LARGE)
        (self.dir / "nginx.conf").write_text(NGINX_CONF.format(
            listen=f"listen {shown}:{self.port};", user=nginx_user()))
        self.start([*NGINX, "-p", self.dir], "start worker process ")


NGINX = ["/usr/sbin/nginx", "-e", "stderr", "-c", "nginx.conf"]
NGINX_WORKER = r"start worker process (\d+)"


def nginx_user():
    """Its workers are to read what we wrote."""
    return "user root;" if os.getuid() == 0 else ""


class Redis(Server):
    def __init__(self, env=None):
        super().__init__("redis", env)
        self.start(["/usr/bin/redis-server", "--bind", HOST, "--port", self.port, "--dir", self.dir,
                    "--save", "", "--appendonly", "no", *self.options()],
                   "Ready to accept connections")

    def options(self):
        return []


class Postgres(Server):
    """A fresh cluster; as root it runs as the user postgres, because postgres refuses root."""

    def __init__(self):
        super().__init__("postgres")
        self.dir.chmod(0o700)
        user = self._unprivileged()
        bindir = self._bindir()
        subprocess.run([bindir / "initdb", "-D", self.dir / "data", "-U", "postgres", "-A", "trust",
                        "-N", "-E", "UTF8", "--locale=C"], check=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, env=clean_env(self.dir), cwd=self.dir, **user)
        self.start([bindir / "postgres", "-D", self.dir / "data", "-p", self.port, "-h", HOST,
                    "-k", self.dir, "-c", "fsync=off", *self.options()],
                   "ready to accept connections", stop=signal.SIGINT, cwd=self.dir, **user)

    def options(self):
        return []

    def own(self, path):
        """Gives the file to the user that postgres runs as."""
        if os.getuid() == 0:
            shutil.chown(path, "postgres", "postgres")

    def _unprivileged(self):
        self.own(self.dir)
        if os.getuid() != 0:
            return {}
        who = pwd.getpwnam("postgres")
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    @staticmethod
    def _bindir():
        return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
