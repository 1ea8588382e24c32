"""nginx as a daemon on a side, as a proxy to a backend in this process, over kept connections."""
import hashlib
import http.client
import os
import re
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from place import ended
from process import DEADLINE, libc, until
from servers import HOST, free_port

WORKERS = 2
PR_SET_CHILD_SUBREAPER = 36
CONF = """
daemon on; worker_processes {workers}; pid nginx.pid; error_log error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log access.log; keepalive_timeout 1m; keepalive_requests 10000; proxy_http_version 1.1;
    client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
    scgi_temp_path tmp; client_max_body_size 10m;
    upstream backend {{ server {host}:{backend}; keepalive 8; keepalive_requests 10000; }}
    server {{
        listen {host}:{port};
        location / {{ proxy_pass http://backend; proxy_set_header Connection ""; }}
    }}
}}
"""


def adopt_daemons():
    """Daemons become our children when they are orphans (prctl(2)): their status can be had."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Handler(BaseHTTPRequestHandler):
    """GET answers the path; POST the digest of what came; /slow waits to be let go."""
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one segment

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/slow":
            self.server.reached.set()
            self.server.let_go.wait(DEADLINE)
        self.answer(self.path.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(body).hexdigest().encode())

    def log_message(self, *_):
        pass


class Backend(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__((HOST, 0), Handler)
        self.lock, self.connections = threading.Lock(), 0
        self.reached, self.let_go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __exit__(self, *_):
        self.let_go.set()
        self.shutdown()
        self.server_close()


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return {int(word) for word in f.read().split()}
    except FileNotFoundError:
        return set()


def end_tree(pid):
    for child in children(pid):
        end_tree(child)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Nginx:
    """An nginx on a side, a daemon; ended with the script."""

    def __init__(self, side, backend):
        self.side, self.home, self.port = side, side.fresh(), free_port()
        self.home.joinpath("tmp").mkdir()
        side.give(self.home / "tmp")
        (self.home / "nginx.conf").write_text(CONF.format(
            workers=WORKERS, host=HOST, backend=backend.server_port, port=self.port))
        launcher = side.start(["/usr/sbin/nginx", "-e", "error.log", "-p", self.home, "-c",
                               "nginx.conf"], self.home, self.home / "out")
        assert ended(launcher, DEADLINE) == 0, f"nginx does not start:\n{self.log('out')}"
        self.master = None
        until(self.find_master, "nginx has written its pid")

    def __enter__(self):
        until(lambda: self.workers() == WORKERS, "nginx is up")
        return self

    def __exit__(self, *_):
        end_tree(self.master)

    def find_master(self):
        path = self.home / "nginx.pid"
        self.master = int(path.read_text() or 0) if path.exists() else 0
        return self.master

    def workers(self):
        return len(children(self.master))

    def signal(self, sig):
        os.kill(self.master, sig)

    def end(self):
        """Waits for the master, which comes to us when its launcher has ended: its status."""
        reaped = until(lambda: os.waitpid(self.master, os.WNOHANG)[1:] if self._is_gone() else None,
                       "nginx has ended")
        return os.waitstatus_to_exitcode(reaped[0])

    def _is_gone(self):
        with open(f"/proc/{self.master}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"

    def connect(self):
        return http.client.HTTPConnection(HOST, self.port, timeout=DEADLINE)

    def get(self, path="/x"):
        """One request on a connection of its own: whether the answer is right."""
        client = self.connect()
        try:
            client.request("GET", path, headers={"Connection": "close"})
            return client.getresponse().read() == path.encode()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()

    def log(self, name="error.log"):
        return (self.home / name).read_text(errors="replace")

    def served(self):
        """How many requests its log holds."""
        return self.log("access.log").count("\n")

    def alerts(self):
        """What its log complains of, without numbers."""
        return sorted({re.sub(r"\d+", "N", line.split("]", 1)[1].strip())
                       for line in self.log().splitlines()
                       if re.search(r"\[(error|crit|alert|emerg)\]", line)})
