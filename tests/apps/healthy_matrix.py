"""Programs in good health, one a line: of none of them may a leak be claimed, ever.

Each says READY, and is then at rest or does over and over what its name says, until it gets a line.
What it may be told about waste and risk stands in `allow`, with the reason beside it.
"""
from dataclasses import dataclass

import tls_proxies
from healthy_servers import PlainHaproxy, PlainNginx, forward, plain, tls
from matrix import CLIENTS, JAVA, PYTHON

RESTING = "300ms"
MOVING = "1s"  # no machine is so busy that bytes which are on their way wait for so long
PAUSING = dict(leak_after="2s")  # the program makes pauses on purpose, of up to a second


@dataclass
class Case:
    name: str
    argv: list  # {url} {https} {host} {port} {tls_port} {ca} {bin} ...; names of files of clients/
    server: str = "patient"  # a fixture
    open: int = 1  # connections that are open at rest, at least
    leak_after: str = ""  # RESTING or MOVING
    allow: tuple = ()
    ready: str = "READY"  # None: says nothing; it is ready when its connections are there
    ends: bool = True  # on a line; else it is killed
    forks: bool = False  # children, which are asked as well
    proxy: object = None  # makes one that is guarded, while the program is not
    closely: bool = False  # asked more often: its state changes all the time

    def __post_init__(self):
        self.leak_after = self.leak_after or (MOVING if self.closely else RESTING)

    def command(self, known):
        return [str(CLIENTS / word) if (CLIENTS / word).is_file() else word.format(**known)
                for word in self.argv]


def python(program, *words):
    return [PYTHON, f"healthy_{program}.py", *words]


HERE = ["{host}", "{port}"]
TLS = ["{https}", "{ca}"]
PLAIN = ["{url}"]
JVM = [*JAVA, "-cp", "{classes}", "-Djavax.net.ssl.trustStore={truststore}",
       "-Djavax.net.ssl.trustStorePassword=changeit"]
PATTERNS = {"sequential": 1, "burst": 8, "lull": 8, "busy": 1}  # and the connections of each


def pools(name, argv, patterns=PATTERNS, **how):
    """A line for each pattern; argv are the words before and after the pattern's."""
    before, after = argv
    return [Case(f"{name}-{pattern}", [*before, pattern, *after], open=PATTERNS[pattern],
                 leak_after=MOVING if pattern in ("burst", "busy") else RESTING, **how)
            for pattern in patterns]


POOLS = [
    *pools("requests", (python("pools", "requests"), PLAIN)),
    *pools("requests-tls", (python("pools", "requests"), TLS)),
    *pools("urllib3", (python("pools", "urllib3"), PLAIN)),
    *pools("http-client", (python("pools", "http.client"), PLAIN)),
    *pools("http-client-tls", (python("pools", "http.client"), TLS), ["sequential", "burst"]),
    *pools("aiohttp", (python("aiohttp"), PLAIN), ["sequential", "burst", "busy"]),
    *pools("aiohttp-tls", (python("aiohttp"), TLS), ["burst"]),
    *pools("php-curl", (["php", "healthy_curl.php"], PLAIN), ["sequential", "lull", "busy"]),
    *pools("php-curl-tls", (["php", "healthy_curl.php"], TLS), ["sequential", "lull"]),
    *pools("ruby", (["ruby", "healthy.rb"], PLAIN), ["sequential", "burst", "busy"]),
    *pools("ruby-tls", (["ruby", "healthy.rb"], TLS), ["sequential", "burst"]),
    *pools("lwp", (["perl", "healthy.pl", "lwp"], PLAIN), ["sequential", "busy"]),
    *pools("lwp-tls", (["perl", "healthy.pl", "lwp"], TLS), ["sequential"]),
    *pools("http-tiny", (["perl", "healthy.pl", "tiny"], PLAIN), ["sequential", "busy"]),
    *pools("http-tiny-tls", (["perl", "healthy.pl", "tiny"], TLS), ["sequential"]),
    *pools("java-url", ([*JVM, "HealthyUrl"], PLAIN), ["sequential", "busy"]),
    # its cache keeps five connections to a host
    Case("java-url-burst", [*JVM, "HealthyUrl", "burst", *PLAIN], open=5),
    *pools("java-client", ([*JVM, "HealthyClient"], PLAIN)),
    *pools("java-client-tls", ([*JVM, "HealthyClient"], TLS), ["burst"]),
    *pools("node", (["node", "healthy.js"], PLAIN)),
    *pools("node-tls", (["node", "healthy.js"], TLS), ["sequential", "burst"]),
    *pools("curl-multi", (["{bin}/healthy_multi"], PLAIN)),
    *pools("curl-multi-tls", (["{bin}/healthy_multi"], TLS), ["sequential", "burst", "lull"]),
    Case("php-persistent-socket", ["php", "healthy_curl.php", "persistent", *PLAIN]),
]

# Several clients in one program, whose connections come from one place of the program.
SEVERAL = [
    Case("requests-per-thread", python("pools", "requests", "per-thread", *PLAIN), open=5),
    Case("requests-tls-per-thread", python("pools", "requests", "per-thread", *TLS), open=5),
    Case("http-client-per-thread", python("pools", "http.client", "per-thread", *PLAIN), open=5),
    Case("ruby-per-thread", ["ruby", "healthy.rb", "per-thread", *PLAIN], open=5),
    Case("requests-threads-end", python("pools", "requests", "threads-end", *PLAIN), open=3),
    Case("http-client-threads-end", python("pools", "http.client", "threads-end", *PLAIN), open=3),
    Case("requests-two", python("pools", "requests", "two", *PLAIN), open=2),
    Case("requests-tls-two", python("pools", "requests", "two", *TLS), open=2),
    Case("urllib3-three", python("pools", "urllib3", "three", *PLAIN), open=3),
    Case("requests-five", python("pools", "requests", "five", *PLAIN), open=5),
    Case("requests-two-per-thread", python("pools", "requests", "two-per-thread", *PLAIN), open=8),
    # those that are closed could use the one that is kept
    Case("requests-beside-others", python("pools", "requests", "beside-others", *PLAIN),
         allow=("churn",), closely=True),
    Case("requests-grows", python("pools", "requests", "grows", *PLAIN), open=8,
         leak_after=MOVING),
    Case("http-client-tls-grows", python("pools", "http.client", "grows", *TLS), open=8,
         leak_after=MOVING),
    Case("bash", ["bash", "healthy.sh", *HERE], open=2),
    Case("ruby-two", ["ruby", "healthy.rb", "two", *PLAIN], open=2),
    Case("php-curl-two", ["php", "healthy_curl.php", "two", *PLAIN], open=2),
    Case("stdio", ["{bin}/healthy_stdio", *HERE, "both"], open=2),
    Case("stdio-reads", ["{bin}/healthy_stdio", *HERE, "in"], open=2),
    Case("stdio-writes", ["{bin}/healthy_stdio", *HERE, "out"], open=2),
]

# What an answer ends with: nothing is left to be read, whatever its head says.
ANSWERS = [
    *(Case(f"requests-{last}", python("pools", "requests", last, *PLAIN))
      for last in ("head", "none", "same", "empty", "gone", "chunked", "trailers")),
    Case("http-client-tls-head", python("pools", "http.client", "head", *TLS)),
    Case("http-client-same", python("pools", "http.client", "same", *PLAIN)),
    Case("urllib3-trailers", python("pools", "urllib3", "trailers", *PLAIN)),
    Case("ruby-answers", ["ruby", "healthy.rb", "answers", *PLAIN]),
    Case("ruby-tls-answers", ["ruby", "healthy.rb", "answers", *TLS]),
    Case("pipelined", python("raw", "pipelined", *HERE)),
    Case("pipelined-deeply", python("raw", "deeply-pipelined", *HERE)),
    Case("pipelined-slowly", python("raw", "slowly-pipelined", *HERE), closely=True),
    Case("read-to-the-end", python("raw", "by-the-end", *HERE), open=0),
    Case("surplus", python("raw", "surplus", *HERE)),
    Case("spliced", python("raw", "spliced", *HERE), closely=True),
    Case("discarded", python("raw", "discarded", *HERE), closely=True),
    Case("sent-from-a-file", python("raw", "sent-from-a-file", *HERE), closely=True),
    Case("closing", python("pools", "requests", "closing", *PLAIN), open=0),
    Case("closed-politely", python("raw", "closed-politely", *HERE), open=0),
    Case("peeked", python("raw", "peeked", *HERE)),
    Case("early-hints", python("raw", "interim", *HERE)),
    # its reads wait for a 100 (Continue) and have no timeout
    Case("expecting", python("raw", "expecting", *HERE), allow=("no-timeout",),
         closely=True),
]


def streams(name, argv, path, **how):
    return [Case(f"{name}{tls}", [*argv, base + path, *ca], closely=True, **how)
            for tls, base, ca in (("", "{url}", []), ("-tls", "{https}", ["{ca}"]))]


CURL = ["curl", "-sSN"]
CURL_TLS = [*CURL, "--cacert", "{ca}"]
POLL, EVENTS, ONCE, DRIP = "/wait/5000", "/events/2000", "/once", "/drip/500"

STREAMS = [
    *streams("requests-poll", python("streams", "poll"), POLL),
    *streams("requests-events", python("streams", "lines"), EVENTS),
    *streams("requests-silent-events", python("streams", "lines"), ONCE),
    *streams("requests-drip", python("streams", "content"), DRIP),
    *streams("requests-upload", python("streams", "upload"), "/upload"),
    *streams("requests-early-answer", python("streams", "upload"), "/early"),
    *streams("requests-paused", python("streams", "paused"), "/flow", **PAUSING),
    Case("requests-three-streams", python("streams", "three", "{url}" + EVENTS), open=3,
         closely=True),
    Case("requests-three-silent", python("streams", "three", "{url}" + ONCE), open=3),
    *streams("aiohttp-poll", python("aiohttp", "poll"), POLL),
    *streams("aiohttp-events", python("aiohttp", "content"), EVENTS),
    *streams("aiohttp-silent-events", python("aiohttp", "content"), ONCE),
    *streams("aiohttp-upload", python("aiohttp", "upload"), "/early"),
    *streams("node-poll", ["node", "healthy.js", "poll"], POLL),
    *streams("node-events", ["node", "healthy.js", "stream"], EVENTS),
    Case("node-silent-events", ["node", "healthy.js", "stream", "{url}" + ONCE]),
    Case("node-drip", ["node", "healthy.js", "stream", "{url}" + DRIP], closely=True),
    Case("node-upload", ["node", "healthy.js", "upload", "{url}/early"], closely=True),
    *streams("java-url-poll", [*JVM, "HealthyUrl", "poll"], POLL),
    *streams("java-url-events", [*JVM, "HealthyUrl", "stream"], EVENTS),
    Case("java-url-silent-events", [*JVM, "HealthyUrl", "stream", "{url}" + ONCE]),
    Case("java-client-silent-events", [*JVM, "HealthyClient", "stream", "{https}" + ONCE]),
    Case("java-client-poll", [*JVM, "HealthyClient", "poll", "{url}" + POLL], closely=True),
    Case("java-client-events", [*JVM, "HealthyClient", "stream", "{https}" + EVENTS], closely=True),
    *streams("curl-multi-poll", ["{bin}/healthy_multi", "poll"], POLL),
    *streams("curl-multi-events", ["{bin}/healthy_multi", "stream"], EVENTS),
    Case("ruby-poll", ["ruby", "healthy.rb", "poll", *PLAIN], closely=True),
    Case("lwp-poll", ["perl", "healthy.pl", "lwp", "poll", *PLAIN], closely=True),
    Case("http-tiny-poll", ["perl", "healthy.pl", "tiny", "poll", *PLAIN], closely=True),
    # A session ticket wakes its select(): SSL_read() then waits in a read() without end.
    Case("http-tiny-poll-tls", ["perl", "healthy.pl", "tiny", "poll", *TLS], closely=True,
         allow=("no-timeout",)),
    Case("curl-poll", [*CURL, "{url}/wait/600000"], ready=None, ends=False),
    Case("curl-events", [*CURL_TLS, "{https}" + EVENTS], ready="data: tick", ends=False,
         closely=True),
    Case("curl-silent-events", [*CURL, "{url}" + ONCE], ready="data: once", ends=False),
    Case("curl-drip", [*CURL, "-o", "drip", "{url}" + DRIP], ready=None, ends=False, closely=True),
    Case("wget-slow-reader", ["wget", "-qO", "slow", "--limit-rate=200k", "{url}/flow"],
         ready=None, ends=False, closely=True, **PAUSING),
    # it closes the session when it is told to end
    *streams("aiohttp-paused", python("aiohttp", "paused"), "/flow", **PAUSING,
             allow=("closed-undrained",)),
    *streams("node-paused", ["node", "healthy.js", "paused"], "/flow", **PAUSING),
    Case("sipped", python("raw", "sipped", *HERE), closely=True, **PAUSING),
    Case("sipped-tls", python("raw", "sipped", "{host}", "{tls_port}", "{ca}"), closely=True,
         **PAUSING),
    Case("busy-loop", python("raw", "busy-loop", *HERE), closely=True, **PAUSING),
    Case("half-closed", python("raw", "half-closed", *HERE), closely=True),
    # its stream never ends: it is left, and a new one is opened
    Case("requests-events-reopened", python("streams", "reopened", "{url}/events/100"), open=0,
         closely=True),
    Case("curl-slow-upload", [*CURL_TLS, "-T", "/dev/zero", "--limit-rate", "400k",
                              "{https}/early"], ready=None, ends=False, closely=True, **PAUSING),
    Case("curl-expecting", [*CURL, "-H", "Expect: 100-continue", "--expect100-timeout", "600",
                            "-d", "body", "{url}/echo/600000"], ready=None, ends=False),
    Case("wget-drip", ["wget", "-qO", "drip", "{url}" + DRIP], ready=None, ends=False,
         closely=True),
    Case("early-answer", python("raw", "early", *HERE), closely=True),
    Case("select-three-events", python("raw", "three-events", *HERE), open=3, closely=True),
    Case("select-three-silent", python("raw", "three-silent", *HERE), open=3),
]

UPGRADES = [
    Case("websocket", python("raw", "websocket", *HERE)),
    # its reads have no timeout
    Case("websocket-pings", python("raw", "websocket-pings", *HERE), allow=("no-timeout",)),
    Case("select-three-websockets", python("raw", "three-websockets", *HERE), open=3),
    Case("aiohttp-websocket", python("aiohttp", "websocket", "{url}/ws/0")),
    Case("aiohttp-websocket-pings", python("aiohttp", "websocket", "{https}/ws/200", "{ca}")),
    Case("aiohttp-three-websockets", python("aiohttp", "three-websockets", "{url}/ws/600"), open=3),
    Case("java-websocket", [*JVM, "HealthyClient", "websocket", "ws://{host}:{port}/ws/200"]),
    Case("tunnels", python("raw", "tunnels", *HERE), open=2),
    Case("socks", python("raw", "by-socks", *HERE), open=2),
    Case("socks-curl", [*CURL_TLS, "--socks5", "{host}:{port}", "{https}" + EVENTS],
         ready="data: tick", ends=False, closely=True),
    Case("tunnel-unused", python("tunnel", "unused", *HERE, *PLAIN)),
    Case("tunnel-http-client", python("tunnel", "tunnel", *HERE, *TLS)),
    Case("tunnel-requests", python("tunnel", "session", *HERE, *TLS)),
    Case("proxy-requests", python("tunnel", "session", *HERE, *PLAIN)),
    Case("tunnel-curl", [*CURL_TLS, "-x", "{url}", "{https}" + EVENTS], ready="data: tick",
         ends=False, closely=True),
    Case("tunnel-curl-poll", [*CURL, "-p", "-x", "{url}", "{url}/wait/600000"], ready=None,
         ends=False),
]

H2 = [
    Case("node-h2", ["node", "healthy.js", "h2", *PLAIN], server="http2"),
    Case("node-h2-tls", ["node", "healthy.js", "h2", *TLS], server="http2"),
    Case("node-h2-two", ["node", "healthy.js", "h2two", *TLS], server="http2", open=2),
    Case("java-h2-tls", [*JVM, "HealthyClient", "h2", *TLS], server="http2"),
    Case("java-h2-tls-poll", [*JVM, "HealthyClient", "h2-poll", "{https}" + POLL], server="http2"),
    *pools("curl-multi-h2-tls", (["{bin}/healthy_multi"], TLS), ["sequential", "busy"],
           server="http2"),
    Case("curl-h2-tls-poll", [*CURL_TLS, "--http2", "{https}/wait/600000"], ready=None, ends=False,
         server="http2"),
    Case("curl-h2-tls-events", [*CURL_TLS, "--http2", "{https}" + EVENTS], ready="data: tick",
         ends=False, closely=True, server="http2"),
    Case("curl-h2-plain-events", [*CURL, "--http2-prior-knowledge", "{url}" + EVENTS],
         ready="data: tick", ends=False, closely=True, server="http2"),
    # Idle connections that the server closes after a second: their owners see it and close, too.
    *(Case(f"{name}-brief", argv, server="http2", open=0, allow=("server-idle-mismatch",))
      for name, argv in (("aiohttp", python("aiohttp", "sequential", "{brief}")),
                         ("node", ["node", "healthy.js", "sequential", "{brief}"]),
                         ("java-client", [*JVM, "HealthyClient", "sequential", "{brief}"]))),
]

POSTGRES = dict(server="postgres")
REDIS = dict(server="redis")
DATABASES = [
    Case("pg-pool", [PYTHON, "healthy_pg_pool.py", *HERE], open=5, **POSTGRES),
    Case("pg-pool-burst", python("pg", "pool-burst", *HERE), open=8, **POSTGRES),
    Case("pg-pool-grown", python("pg", "pool-grown", *HERE), open=2, **POSTGRES),
    Case("pg-per-thread", python("pg", "per-thread", *HERE), open=5, **POSTGRES),
    Case("pg-two-phases", python("pg", "two-phases", *HERE), open=2, **POSTGRES),
    Case("pg-two-purposes", python("pg", "two-purposes", *HERE), open=2, **POSTGRES),
    Case("pg-listen", python("pg", "listen", *HERE), **POSTGRES),
    Case("pg-listen-and-work", python("pg", "listen-and-work", *HERE), closely=True, **POSTGRES),
    Case("pg-slow-query", python("pg", "slow-query", *HERE), closely=True, **POSTGRES),
    Case("pg-slow-rows", python("pg", "slow-rows", *HERE), closely=True, **POSTGRES),
    Case("psql-listen", ["psql", "-qAtX", "-h", "{host}", "-p", "{port}", "-U", "postgres",
                         "-c", "listen news", "-c", "select 'READY'", "-c", "select pg_sleep(600)"],
         ends=False, **POSTGRES),
    Case("redis-pool-burst", python("redis", "pool", *HERE), open=8, **REDIS),
    Case("redis-pool", python("redis", "pool-at-rest", *HERE), open=8, **REDIS),
    # its reads have no timeout
    Case("redis-blocked", python("redis", "blocked", *HERE), allow=("no-timeout",), **REDIS),
    Case("redis-subscribe", python("redis", "subscribe", *HERE), **REDIS),
    Case("redis-three-subscriptions", python("redis", "three-subscriptions", *HERE), open=3,
         **REDIS),
    Case("redis-subscribe-and-work", python("redis", "subscribe-and-work", *HERE), open=2, **REDIS),
    *(Case(f"redis-{call}", ["{bin}/healthy_wait", *HERE, call], open=3, **REDIS)
      for call in ("poll", "ppoll", "select", "pselect", "epoll")),
    *(Case(f"redis-{language}", [language, f"healthy_subscribe.{ending}", *HERE], open=3, **REDIS)
      for language, ending in (("php", "php"), ("ruby", "rb"), ("perl", "pl"))),
    Case("redis-cli-subscribe", ["redis-cli", "-h", "{host}", "-p", "{port}", "subscribe", "news"],
         ready="1", ends=False, **REDIS),
]

FORKS = [
    Case("prefork", python("forks", "prefork", *HERE), forks=True),
    Case("prefork-used", python("forks", "prefork-used", *HERE), open=2, forks=True),
    Case("prefork-own", python("forks", "prefork-own", *HERE), forks=True),
    Case("handed-on", python("forks", "handed-on", *HERE), forks=True),
    Case("prefork-three", python("forks", "prefork-three", *HERE), open=3, forks=True),
    Case("read-by-the-child", python("forks", "read-by-the-child", *HERE), forks=True,
         closely=True),
]

# Guarded, with what bare programs made them open.
HAPROXY, NGINX = dict(proxy=plain(PlainHaproxy)), dict(proxy=plain(PlainNginx))
PROXIES = [
    *pools("haproxy", (python("pools", "requests"), PLAIN), ["burst", "lull"], **HAPROXY),
    *pools("haproxy-tls", (python("pools", "requests"), PLAIN), ["burst"],
           proxy=tls(tls_proxies.Haproxy)),
    Case("haproxy-websockets", python("raw", "three-websockets", *HERE), open=3, **HAPROXY),
    Case("haproxy-events", python("streams", "three", "{url}" + EVENTS), open=3, closely=True,
         **HAPROXY),
    Case("haproxy-upload", python("streams", "upload", "{url}/early"), closely=True, **HAPROXY),
    *pools("nginx", (python("pools", "requests"), PLAIN), ["burst", "lull"], **NGINX),
    *pools("nginx-tls", (python("pools", "requests"), PLAIN), ["burst"],
           proxy=tls(tls_proxies.Nginx)),
    Case("nginx-poll", python("streams", "poll", "{url}" + POLL), closely=True, **NGINX),
    *pools("stunnel", (python("pools", "requests"), PLAIN), ["burst"],
           proxy=tls(tls_proxies.Stunnel)),
    Case("forward-proxy-tls", python("tunnel", "tunnel", *HERE, *TLS), proxy=forward),
    Case("forward-proxy", python("raw", "tunnels", *HERE), open=2, proxy=forward),
]

MATRIX = [*POOLS, *SEVERAL, *ANSWERS, *STREAMS, *UPGRADES, *H2, *DATABASES, *FORKS, *PROXIES]
