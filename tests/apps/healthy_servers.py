"""Servers for the healthy: one that takes its time, one that speaks HTTP/2, and proxies."""
from pathlib import Path
from types import SimpleNamespace

import tls_proxies
from matrix import PYTHON
from servers import HOST, NGINX, Server, free_port, nginx_user
from tls_servers import PAGE


class Patient(Server):
    """patient_server.py; also as a proxy that is guarded itself."""

    def __init__(self, certificates, env=None):
        super().__init__("patient", env)
        self.tls_port = free_port()
        self.url, self.https = (f"{scheme}://{self.host}:{port}" for scheme, port in
                                (("http", self.port), ("https", self.tls_port)))
        program = Path(__file__).with_name("patient_server.py")
        self.start([PYTHON, program, self.host, self.port, self.tls_port, certificates.pem,
                    certificates.key], "serving")


NGINX_CONF = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; root www; keepalive_timeout 10m; client_body_temp_path tmp;
    proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
    ssl_certificate {certificates.pem}; ssl_certificate_key {certificates.key};
    proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 10m;
    server {{
        listen {host}:{port} http2; listen {host}:{tls_port} ssl http2;
        location /events {{ proxy_pass {patient.url}; }}
        location /wait {{ proxy_pass {patient.url}; }}
    }}
    server {{ listen {host}:{brief}; keepalive_timeout 1s; }}
}}
"""


class Http2(Server):
    """nginx, in plain by prior knowledge and over TLS by ALPN, in front of the patient one; `brief`
    is HTTP/1.1 that closes what is idle for a second."""

    def __init__(self, certificates, patient):
        super().__init__("nginx-h2")
        self.tls_port, brief = free_port(), free_port()
        self.url, self.https, self.brief = (
            f"{scheme}://{self.host}:{port}" for scheme, port in
            (("http", self.port), ("https", self.tls_port), ("http", brief)))
        for name in ("www", "tmp"):
            (self.dir / name).mkdir()
        (self.dir / "www/small").write_text("small")
        (self.dir / "www/page").write_bytes(b"x" * PAGE)
        (self.dir / "nginx.conf").write_text(NGINX_CONF.format(
            user=nginx_user(), certificates=certificates, host=HOST, port=self.port,
            tls_port=self.tls_port, brief=brief, patient=patient))
        self.start([*NGINX, "-p", self.dir], "start worker process ")


class PlainHaproxy(tls_proxies.Haproxy):
    part = """
frontend front-{front}
    bind {host}:{front}
    default_backend back-{front}
backend back-{front}
    http-reuse always
    server plain {e.host}:{e.port} {keep}
"""


class PlainNginx(tls_proxies.Nginx):
    part = """
    upstream back-{front} {{ server {e.host}:{e.port}; {keep} }}
    server {{
        listen {host}:{front};
        location / {{
            proxy_pass http://back-{front}; proxy_http_version 1.1; proxy_set_header Connection "";
        }}
    }}
"""

    def keep(self, kept):
        return "keepalive 16;" if kept else ""


def plain(kind):
    """Makes such a proxy in front of the server that is known by `host` and `port`."""
    def make(env, known, port="port"):
        behind = SimpleNamespace(host=known["host"], port=known[port])
        return kind(env, [behind], known["certificates"], kept=True)

    return make


def tls(kind):
    return lambda env, known: plain(kind)(env, known, "tls_port")


def forward(env, known):
    """The patient server, asked for tunnels."""
    made = Patient(known["certificates"], env)
    made.fronts = [made.port]
    return made
