"""The clients that speak TLS, one a line, and how to drive them.

Most make connections to all the servers of their list in one run; one with `each` runs once for
each of them. A client answers READY, closes everything on a line, answers CLOSED, and ends on
another; one with `closes=False` holds its connection until it ends, and one that is `endless`
until it is killed.
"""
from dataclasses import dataclass, field
from pathlib import Path

from matrix import CLIENTS, JAVA, PYTHON
from process import Program
from servers import HOST
from tls_servers import NAME, VERSIONS

HTTP = [(server, version) for server in ("tls_nginx", "tls_haproxy") for version in VERSIONS]


@dataclass
class TlsClient:
    name: str
    argv: list  # {ca} {name} {host} {port} {version} {bin}; {ports} is a word for each
    servers: list = field(default_factory=lambda: HTTP)  # a fixture of conftest.py and a version
    each: bool = False
    calls: str = NAME  # the server
    resolves: bool = False  # the name, and is to be told its address
    count: int = 1  # connections to each
    signal: str = "USR1"  # ruby would die of USR1, node open its inspector
    gnutls: bool = False  # which has other names for ciphers
    closes: bool = True
    endless: bool = False
    first: list = field(default_factory=list)  # lines said before READY is expected
    ready: str = "READY"
    end: list = field(default_factory=list)  # lines that end one with closes=False
    data: tuple = None  # bytes in and out, of a server that does not tell them
    counted: bool = True  # by calls that the guard sees

    @property
    def server_name(self):
        return self.calls if self.calls != HOST else None

    def command(self, endpoints, certificates, bindir):
        known = dict(ca=certificates.ca, name=self.calls, host=HOST, port=endpoints[0].port,
                     version=endpoints[0].version, bin=bindir)
        for word in self.argv:
            if word == "{ports}":
                yield from (endpoint.port for endpoint in endpoints)
            else:
                yield (str(CLIENTS / word) if (CLIENTS / word).is_file() else word).format(**known)

    def start(self, endpoints, certificates, bindir, env, stderr):
        return Program(self.command(endpoints, certificates, bindir),
                       resolving(env, stderr) if self.resolves else env, stderr)

    def get_ready(self, app):
        for line in self.first:
            app.say(line)
        while (line := app.hear()) != self.ready:
            assert line is not None, f"it ended after {app.transcript}: {app.stderr}"

    def finish(self, app):
        """Lets it come to its end and returns its exit status; None when it was killed."""
        if self.endless:
            return app.__exit__()
        for line in ["end"] if self.closes else self.end:
            app.say(line)
        return app.finish()


def resolving(env, stderr):
    """The environment in which NAME has an address, by a file beside stderr."""
    hosts = Path(stderr).parent / "hosts"
    hosts.write_text(f"{HOST} {NAME}\n")
    preloaded = [env["LD_PRELOAD"]] if "LD_PRELOAD" in env else []
    return {**env, "NSS_WRAPPER_HOSTS": str(hosts),
            "LD_PRELOAD": ":".join([*preloaded, "libnss_wrapper.so"])}


def script(*argv):
    return [*argv, "{ca}", "{name}", "{host}", "{ports}"]


def gnutls(name, argv, **how):
    return TlsClient(name, argv, gnutls=True, **how)


URL = "https://{name}:{port}"
CURL = ["curl", "-sSN", "--cacert", "{ca}", "--resolve", "{name}:{port}:{host}"]
WGET = ["wget", "-q", "-t1", "--ca-certificate={ca}", "-O", "-"]
GIT = ["env", "GIT_SSL_CAINFO={ca}"]
PSQL = ["psql", "-qAt", "host={name} hostaddr={host} port={port} user=postgres dbname=postgres "
        "sslmode=require ssl_min_protocol_version={version} ssl_max_protocol_version={version}"]
REDIS = ["redis-cli", "--tls", "--cacert", "{ca}", "--sni", "{name}", "-h", "{host}",
         "-p", "{port}"]
POSTGRES = dict(servers=[("tls_postgres", version) for version in VERSIONS], each=True)
REDIS_SERVER = [("tls_redis", "TLSv1.3")]

MATRIX = [
    TlsClient("python-urllib", script(PYTHON, "tls_urllib.py"), resolves=True),
    TlsClient("python-requests", script(PYTHON, "tls_requests.py"), resolves=True),
    TlsClient("python-http-client", script(PYTHON, "tls_http_client.py"), resolves=True),
    TlsClient("python-ssl", script(PYTHON, "tls_ssl.py"), count=2),
    TlsClient("python-ssl-unnamed", script(PYTHON, "tls_ssl.py"), count=2, calls=HOST),
    TlsClient("openssl-bio", script("{bin}/tls_bio"), counted=False),
    TlsClient("libcurl-easy", script("{bin}/tls_curl_easy")),
    TlsClient("php-curl", script("php", "tls_curl.php")),
    TlsClient("php-https", script("php", "tls_https.php"), resolves=True),
    TlsClient("php-ssl-stream", script("php", "tls_stream.php")),
    TlsClient("ruby-net-http", script("ruby", "tls_net_http.rb"), signal="PWR"),
    TlsClient("ruby-ssl-socket", script("ruby", "tls_socket.rb"), signal="PWR"),
    TlsClient("perl-http-tiny", script("perl", "tls_http_tiny.pl"), resolves=True),
    TlsClient("perl-io-socket-ssl", script("perl", "tls_socket.pl")),
    TlsClient("curl-stalled", [*CURL, f"{URL}/stalled"], each=True, closes=False, endless=True),
    TlsClient("psycopg2", [PYTHON, "tls_psycopg2.py", "{name}", "{host}", "{port}", "{version}",
                           "require"], **POSTGRES),
    TlsClient("psql", PSQL, closes=False, first=["select 1;", r"\echo READY"], **POSTGRES),
    TlsClient("redis-cli-subscribed", [*REDIS, "subscribe", "here"], servers=REDIS_SERVER,
              each=True, closes=False, endless=True, ready="1",
              data=(len("*3\r\n$9\r\nsubscribe\r\n$4\r\nhere\r\n:1\r\n"),
                    len("*2\r\n$9\r\nsubscribe\r\n$4\r\nhere\r\n"))),
    gnutls("libcurl-gnutls-easy", script("{bin}/tls_curl_easy-gnutls")),
    gnutls("wget-stalled", [*WGET, f"{URL}/stalled"], each=True, closes=False, endless=True,
           resolves=True),
    gnutls("git-remote-https", [*GIT, "/usr/lib/git-core/git-remote-https", "origin",
                                f"{URL}/repo.git"], each=True, resolves=True, closes=False,
           first=["list"], ready="", end=[""]),
    gnutls("gnutls-cli", ["gnutls-cli", "--x509cafile={ca}", "--sni-hostname={name}",
                          "-p", "{port}", "{host}"], each=True, closes=False,
           first=["GET /ready HTTP/1.1", f"Host: {NAME}", ""]),
]

# Commands that do all they do in one go.
COMMANDS = [
    TlsClient("curl", [*CURL, f"{URL}/ready"], each=True),
    TlsClient("psql", [*PSQL, "-c", "select 'READY'"], **POSTGRES),
    TlsClient("redis-cli", [*REDIS, "echo", "READY"], servers=REDIS_SERVER, each=True),
    gnutls("wget", [*WGET, f"{URL}/ready"], each=True, resolves=True),
    gnutls("git", [*GIT, "git", "ls-remote", f"{URL}/repo.git"], each=True, resolves=True),
]

# TLS in memory, or none of the libraries' that we know: there is nothing to tell but the TCP.
BY_MEMORY = [
    TlsClient("python-asyncio", script(PYTHON, "tls_asyncio.py")),
    TlsClient("python-aiohttp", script(PYTHON, "tls_aiohttp.py")),
    TlsClient("node-https", script("node", "tls_https.js"), signal="USR2"),
    TlsClient("java-https", script(*JAVA, "TlsHttps.java")),
]
