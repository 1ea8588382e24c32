"""The clients under test, one a line, and how to drive them.

`frames` are "function@module" globs; each must match some frame of every connection's opening
stack. A client of the ordinary kind answers READY, closes everything on a line, answers CLOSED,
and ends on another. One with `closes=False` holds its connections until it ends.
"""
from dataclasses import dataclass, field
from pathlib import Path

from process import Program

CLIENTS = Path(__file__).parent / "clients"
PYTHON = "/usr/bin/python3"
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


@dataclass
class Client:
    name: str
    argv: list  # {host} {port} {bin} are filled in; a name with a dot is a file of clients/
    server: str  # a fixture of conftest.py
    frames: list
    count: int = 5
    signal: str = "USR1"  # ruby would die of USR1, node open its inspector
    handles_usr1: bool = False  # by itself: the default signal is then not taken, and it is said
    closes: bool = True
    first: list = field(default_factory=list)  # lines said before READY is expected
    ready: str = "READY"
    end: list = field(default_factory=list)  # what a client with closes=False is told to end
    needs_release: bool = False  # ends when its server lets go

    def command(self, server, bindir):
        return [self._word(word).format(host=server.host, port=server.port, bin=bindir)
                for word in self.argv]

    @staticmethod
    def _word(word):
        return str(CLIENTS / word) if (CLIENTS / word).is_file() else word

    def start(self, server, bindir, env, stderr):
        return Program(self.command(server, bindir), env, stderr)

    def get_ready(self, app):
        for line in self.first:
            app.say(line)
        app.expect(self.ready)

    def close(self, app):
        app.ask("close", "CLOSED")

    def finish(self, app, server):
        """Lets it come to its end and returns its exit status."""
        for line in self.end if not self.closes else ["end"]:
            app.say(line)
        if self.needs_release:
            server.release()
        return app.finish()


def script(*argv):
    return [*argv, "{host}", "{port}"]


PY_FRAMES = ["_PyEval_EvalFrameDefault@*/python3*"]
RUBY_FRAMES = ["rsock_connect@*/socket.so", "rb_*@*/libruby*"]
# Debian's node has libuv and itself in libraries, and the former without symbols.
NODE_FRAMES = ["uv_*tcp_connect@*/node|*@*/libuv.so.1*", "*TCPWrap*Connect*@*/*node*"]
JVM_FRAMES = ["Java_sun_nio_ch_Net_connect0@*/libnio.so"]
URL = "http://{host}:{port}/"

MATRIX = [
    Client("python-requests", script(PYTHON, "python_requests.py"), "nginx", PY_FRAMES),
    Client("python-http-client", script(PYTHON, "python_http_client.py"), "nginx", PY_FRAMES),
    Client("python-http-client-ipv6", script(PYTHON, "python_http_client.py"), "nginx6", PY_FRAMES),
    Client("python-asyncio", script(PYTHON, "python_asyncio.py"), "nginx", PY_FRAMES),
    Client("python-psycopg2", script(PYTHON, "python_psycopg2.py"), "postgres",
           ["PQconnectPoll@*/libpq.so*", *PY_FRAMES]),
    Client("redis-cli", ["redis-cli", "-h", "{host}", "-p", "{port}"], "redis",
           ["redisConnect@*/redis-cli", "main@*/redis-cli"],
           count=1, closes=False, first=["PING"], ready="PONG"),
    Client("libcurl-easy", script("{bin}/curl_easy"), "nginx",
           ["curl_easy_perform@*/libcurl.so*", "fetch@*/curl_easy", "main@*/curl_easy"]),
    Client("ruby-net-http", script("ruby", "ruby_net_http.rb"), "nginx", RUBY_FRAMES, signal="PWR",
           handles_usr1=True),
    Client("ruby-tcp-socket", script("ruby", "ruby_tcp_socket.rb"), "nginx", RUBY_FRAMES,
           signal="PWR", handles_usr1=True),
    Client("php-streams", script("php", "php_streams.php"), "nginx",
           ["php_network_connect_socket@*/php*", "execute_ex@*/php*"], handles_usr1=True),
    Client("php-curl", script("php", "php_curl.php"), "nginx",
           ["curl_easy_perform@*/libcurl.so*", "*@*/curl.so", "execute_ex@*/php*"],
           handles_usr1=True),
    Client("perl-io-socket", script("perl", "perl_io_socket.pl"), "nginx",
           ["Perl_pp_*@*/perl", "main@*/perl"]),
    Client("java-http-url", script(*JAVA, "JavaHttpUrl.java"), "nginx", JVM_FRAMES),
    Client("java-nio", script(*JAVA, "JavaNio.java"), "nginx", JVM_FRAMES),
    Client("node-http", script("node", "node_http.js"), "nginx", NODE_FRAMES, signal="USR2",
           handles_usr1=True),
    Client("node-net", script("node", "node_net.js"), "nginx", NODE_FRAMES, signal="USR2",
           handles_usr1=True),
    Client("bash-dev-tcp", script("bash", "bash_dev_tcp.sh"), "nginx",
           ["netopen@*/bash", "main@*/bash"], count=3),
    Client("curl-stalled", ["curl", "-sN", URL], "stalls",
           ["curl_easy_perform@*/libcurl.so*", "*@*/curl"], count=1, closes=False,
           needs_release=True),
    Client("wget-stalled", ["wget", "-q", "-t1", "-O", "-", URL], "stalls", ["*@*/wget"], count=1,
           closes=False, needs_release=True, handles_usr1=True),
]
