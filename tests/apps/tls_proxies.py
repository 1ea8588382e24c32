"""Servers that are clients of TLS servers: what they take in plain, they pass on by TLS.

One `front` port for each endpoint. `kept` says whether a proxy keeps its connections when a request
is through; stunnel's live as long as the client's.
"""
import http.client

from servers import HOST, NGINX, NGINX_WORKER, Server, free_port, nginx_user
from tls_servers import HAPROXY, HAPROXY_WORKER, NAME, PAGE


class Proxy(Server):
    """What is started, `conf`, from `head`, and a `part` for each endpoint."""
    file = ready = head = part = ""

    def __init__(self, env, endpoints, certificates, kept):
        super().__init__(type(self).__name__.lower(), env)
        (self.dir / "tmp").mkdir()
        self.fronts = [free_port() for _ in endpoints]
        parts = [self.part.format(host=HOST, front=front, e=endpoint, name=NAME,
                                  keep=self.keep(kept), ca=certificates.ca)
                 for front, endpoint in zip(self.fronts, endpoints)]
        self.conf = self.dir / self.file
        self.conf.write_text(self.head.format(user=nginx_user(), parts="".join(parts)))
        self.start(self.argv(), self.ready)

    def argv(self):
        raise NotImplementedError

    def keep(self, kept):
        """The piece of the configuration that says so."""
        return ""

    def fetch(self):
        """Through each front; returns the connections, still open."""
        clients = [http.client.HTTPConnection(HOST, front) for front in self.fronts]
        for client in clients:
            client.request("GET", "/page")
            assert len(client.getresponse().read()) == PAGE
        return clients


class Haproxy(Proxy):
    file, ready, worker = "haproxy.cfg", "Loading success", HAPROXY_WORKER
    head = """
global
    log stdout format raw local0
    nbthread 1
defaults
    mode http
    timeout connect 1m
    timeout client 10m
    timeout server 10m
{parts}
"""
    part = """
frontend front-{front}
    bind {host}:{front}
    default_backend back-{front}
backend back-{front}
    http-reuse always
    server tls {e.host}:{e.port} ssl verify required ca-file {ca} sni str({name}) {keep}
"""

    def argv(self):
        return [*HAPROXY, self.conf]

    def keep(self, kept):
        return "pool-purge-delay 10m" if kept else "pool-max-conn 0"


class Nginx(Proxy):
    file, ready, worker = "nginx.conf", "start worker process ", NGINX_WORKER
    head = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr notice; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
    uwsgi_temp_path tmp; scgi_temp_path tmp;
    {parts}
}}
"""
    part = """
    upstream back-{front} {{ server {e.host}:{e.port}; {keep} }}
    server {{
        listen {host}:{front};
        location / {{
            proxy_pass https://back-{front}; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_ssl_protocols TLSv1.2 TLSv1.3; proxy_ssl_name {name}; proxy_ssl_server_name on;
            proxy_ssl_verify on; proxy_ssl_trusted_certificate {ca};
        }}
    }}
"""

    def argv(self):
        return [*NGINX, "-p", self.dir]

    def keep(self, kept):
        return "keepalive 4;" if kept else ""


class Stunnel(Proxy):
    file, ready = "stunnel.conf", "Configuration successful"
    head = """
foreground = yes
pid =
client = yes
{parts}
"""
    part = """
[front-{front}]
accept = {host}:{front}
connect = {e.host}:{e.port}
sni = {name}
checkHost = {name}
verifyChain = yes
CAfile = {ca}
"""

    def argv(self):
        return ["/usr/bin/stunnel4", self.conf]


PROXIES = [Haproxy, Nginx, Stunnel]
