"""Real servers that speak TLS, each pinned to one version, and what they say of a connection.

The clients call them by NAME, which only the server's certificate and their own options know.
"""
import re
import shutil
import subprocess
from dataclasses import dataclass

from faults import Stalls
from process import clean_env, until
from servers import (HOST, LARGE, NGINX, NGINX_WORKER, Postgres, Redis, Server, free_port,
                     nginx_user)

NAME = "api.test"
PAGE = 100_000  # bytes: several records
VERSIONS = ["TLSv1.2", "TLSv1.3"]


class Certificates:
    """ca.pem, and server.pem with its key for NAME, localhost and 127.0.0.1."""

    def __init__(self, directory):
        self.dir, self.ca = directory, directory / "ca.pem"
        self._make("ca", "/CN=poolguard test CA")
        self._make("server", f"/CN={NAME}", "-CA", self.ca, "-CAkey", directory / "ca.key",
                   "-addext", f"subjectAltName=DNS:{NAME},DNS:localhost,IP:{HOST}",
                   "-addext", "basicConstraints=critical,CA:FALSE")
        self.pem, self.key = directory / "server.pem", directory / "server.key"
        self.both = directory / "both.pem"
        self.both.write_text(self.pem.read_text() + self.key.read_text())

    def _make(self, name, subject, *options):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", subject,
                        "-keyout", self.dir / f"{name}.key", "-out", self.dir / f"{name}.pem",
                        *options], check=True, capture_output=True, env=clean_env(self.dir))


@dataclass
class Facts:
    """One connection as its server saw it; None is what this server does not tell."""
    version: str
    cipher: str
    server_name: str = None
    alpn: str = None
    resumed: bool = False
    data: tuple = None  # the application's bytes: sent, received


@dataclass
class Endpoint:
    """An address of a server that speaks one version."""
    name: str
    server: Server
    version: str
    port: int
    host: str = HOST

    def facts(self, client):
        """Of the connection that came from this address; once the server has logged it."""
        found = until(lambda: self.server.facts(client),
                      f"the log of {self.name} to name {client}", deadline=5)
        assert found.version == self.version, "the server is pinned"
        return found


class Pinned:
    """A server with a port for each version; `facts` is the server's own."""

    def make_endpoints(self, name):
        self.endpoints = {version: Endpoint(f"{name} {version}", self, version, free_port())
                          for version in VERSIONS}


NGINX_CONF = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    keepalive_timeout 10m; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp; access_log off; root www;
    ssl_certificate {certificates.pem}; ssl_certificate_key {certificates.key};
    log_format tls '$remote_addr:$remote_port $connection $ssl_protocol $ssl_cipher '
        '$ssl_session_reused $bytes_sent $request_length $ssl_alpn_protocol $ssl_server_name';
    server {{ listen {host}:{plain}; {stalled} }}
    {servers}
}}
"""
NGINX_SERVER = """
    server {{
        listen {e.host}:{e.port} ssl; ssl_protocols {e.version}; access_log access.log tls;
        {stalled}
    }}
"""
NGINX_STALLED = """location /stalled {{
            proxy_pass http://{stalls.host}:{stalls.port}; proxy_buffering off;
            proxy_read_timeout 10m;
        }}"""


class TlsNginx(Server, Pinned):
    """/page; /ready, a line; /repo.git, for git; /large; /stalled, of which half comes."""

    worker = NGINX_WORKER

    def __init__(self, certificates, env=None):
        super().__init__("nginx-tls", env)
        self.make_endpoints("nginx")
        self.stalls = Stalls()
        stalled = NGINX_STALLED.format(stalls=self.stalls)
        (self.dir / "tmp").mkdir()
        self._fill(self.dir / "www")
        (self.dir / "nginx.conf").write_text(NGINX_CONF.format(
            user=nginx_user(), certificates=certificates, host=self.host, plain=self.port,
            stalled=stalled, servers="".join(NGINX_SERVER.format(e=e, stalled=stalled)
                                             for e in self.endpoints.values())))
        self.start([*NGINX, "-p", self.dir], "start worker process ")

    @staticmethod
    def _fill(www):
        (www / "repo.git/info").mkdir(parents=True)
        (www / "repo.git/info/refs").write_text(f"{'1' * 40}\trefs/heads/main\n")
        (www / "repo.git/HEAD").write_text("ref: refs/heads/main\n")
        (www / "page").write_bytes(b"x" * PAGE)
        with open(www / "large", "wb") as f:
            f.truncate(LARGE)
        (www / "ready").write_text("READY\n")

    def facts(self, client):
        """The sum of the requests of the last connection from this address."""
        lines = [line.split() for line in (self.dir / "access.log").read_text().splitlines()]
        lines = [words for words in lines if words[0] == client]
        lines = [words for words in lines if words[1] == lines[-1][1]]
        if not lines:
            return None
        _, _, version, cipher, reused, _, _, alpn, name = lines[0]
        return Facts(version, cipher, said(name), said(alpn), reused == "r",
                     tuple(sum(int(words[i]) for words in lines) for i in (5, 6)))

    def stop(self):
        super().stop()
        self.stalls.stop()


def said(text):
    """A field of a log: "-" or nothing is None."""
    return text if text not in ("", "-") else None


HAPROXY_CONF = """
global
    log stdout format raw local0
    nbthread 1  # of two that log at once, one may lose its line
defaults
    mode tcp
    timeout connect 1m
    timeout client 10m
    timeout server 10m
    log global
    log-format "tls %ci:%cp %sslv %sslc %[ssl_fc_is_resumed] %B %U %[ssl_fc_alpn] %[ssl_fc_sni]"
    default_backend pages
backend pages
    server nginx {plain.host}:{plain.port}
"""
HAPROXY_FRONTEND = """
frontend {e.version}
    bind {e.host}:{e.port} ssl crt {certificates.both} alpn http/1.1 {versions}
"""
HAPROXY_WORKER = r"New worker \((\d+)\)"
HAPROXY = ["/usr/sbin/haproxy", "-W", "-db", "-f"]


class TlsHaproxy(Server, Pinned):
    """Ends TLS in front of another server, and hands the bytes on."""

    worker = HAPROXY_WORKER

    def __init__(self, certificates, plain, env=None):
        super().__init__("haproxy-tls", env)
        self.make_endpoints("haproxy")
        (self.dir / "haproxy.cfg").write_text(HAPROXY_CONF.format(plain=plain) + "".join(
            HAPROXY_FRONTEND.format(
                e=e, certificates=certificates,
                versions=f"ssl-min-ver {e.version} ssl-max-ver {e.version}")
            for e in self.endpoints.values()))
        self.start([*HAPROXY, self.dir / "haproxy.cfg"], "Loading success")

    def facts(self, client):
        """It logs a connection when that has ended."""
        for line in reversed(self.daemon.log):
            if line.startswith(f"tls {client} "):
                _, _, version, cipher, resumed, sent, received, alpn, name = line.split()
                return Facts(version, cipher, said(name), said(alpn), resumed == "1",
                             (int(sent), int(received)))
        return None


class TlsPostgres(Postgres):
    """Takes connections with TLS and without, each version when the client asks for it."""

    AUTHORIZED = re.compile(r"(\S+)\((\d+)\) .*connection authorized: .*"
                            r"SSL enabled \(protocol=([^,]+), cipher=([^,]+),")

    def __init__(self, certificates):
        self.certificates = certificates
        super().__init__()
        self.endpoints = {version: Endpoint(f"postgres {version}", self, version, self.port)
                          for version in VERSIONS}

    def options(self):
        """With a key that is its own: it takes no other."""
        key = shutil.copy(self.certificates.key, self.dir / "server.key")
        pem = shutil.copy(self.certificates.pem, self.dir / "server.pem")
        self.own(key)
        self.own(pem)
        key.chmod(0o600)
        settings = ["ssl=on", f"ssl_cert_file={pem}", f"ssl_key_file={key}", "log_connections=on",
                    "log_line_prefix=%r "]
        return [word for setting in settings for word in ("-c", setting)]

    def facts(self, client):
        for found in map(self.AUTHORIZED.search, reversed(self.daemon.log)):
            if found and f"{found.group(1)}:{found.group(2)}" == client:
                return Facts(found.group(3), found.group(4))
        return None


class TlsRedis(Redis):
    """Tells nothing of its connections; but it speaks one version and one cipher."""

    CIPHER = "TLS_AES_128_GCM_SHA256"

    def __init__(self, certificates, env=None):
        self.certificates = certificates
        super().__init__(env)
        self.endpoints = {"TLSv1.3": Endpoint("redis TLSv1.3", self, "TLSv1.3", self.port)}

    def options(self):
        pinned = {"port": 0, "tls-port": self.port, "tls-cert-file": self.certificates.pem,
                  "tls-key-file": self.certificates.key, "tls-auth-clients": "no",
                  "tls-protocols": "TLSv1.3", "tls-ciphersuites": self.CIPHER}
        return [word for name, value in pinned.items() for word in ("--" + name, value)]

    def facts(self, _client):
        return Facts("TLSv1.3", self.CIPHER)
