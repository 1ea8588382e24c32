"""HTTP clients and the faults that they can have: what a report must say of each.

A client is a program of clients/ that is given a URL and the name of a fault: it does that, says
STILL, and ends on a line. The pages that it asks for are those of fault_server.py. Which verdict a
fault gets depends on what the client does on the wire, not on what the program makes of it: that is
why one fault has several verdicts below. Unless something else is said, a fault of the kind that
leaks is done 5 times, with 50 ms between, and one of the kind that wastes 24 times.

    unread, half      a large response, of which nothing or some was read. The bytes that wait tell
    undrained         some of it was read, and then it was closed; -chunks: one in chunks
    undelimited       the same where the end of the connection is the end of the response
    error             a small response of status 500, which the program does not close. A client's
                      first read takes all of it: nothing is left to be read. If the connection is
                      kept alive it is a leak once the same place has opened another (never-closed:
                      not the last one); if the client has asked for its end, the server has closed
    error-page        an error of 12 KB, and the server closes. What reads no more than a head, or
                      8 KB, leaves some in the kernel: unread, and not just closed by its peer
    hangup, idle      the server closes, at once or after 500 ms, what it has not said to close:
                      only the latter lay idle
    bye               it says so before
    stall, slow       no response, or the first part of one, and then nothing
    churn             a connection for each request; -close: the request says close; -bye: the
                      response does
    kept              a client for each request, and none of them closed
    small-pool        4 requests at once, 10 times, and room for one idle connection: 3 of 4 are
                      closed each time, 27 of those that are opened could have been spared
    retry, again      one connection after the other, each of which the server has closed when the
                      client wants to use it again: at once, which is no matter of idle limits, or
                      after 500 ms. Clients notice by a read, by poll() alone, or when the request
                      is lost; the connections are the same
    refused           nobody listens, and the socket stays
    healthy           24 requests on one connection
"""
from dataclasses import dataclass, field

from matrix import CLIENTS, JAVA, JVM_FRAMES, NODE_FRAMES, PYTHON, PY_FRAMES, RUBY_FRAMES

LEAKS, MANY, TOGETHER = 5, 24, 4


@dataclass(frozen=True)
class Finding:
    """One class of a report. A range of counts stands for what a client's own threads decide."""
    kind: str
    cls: str
    count: object
    reasons: frozenset = None  # of churn: why they ended

    def fits(self, kind, cls, count, reasons):
        counts = self.count if isinstance(self.count, range) else [self.count]
        return ((kind, cls) == (self.kind, self.cls) and count in counts and
                (self.reasons is None or reasons == self.reasons))


@dataclass
class HttpClient:
    name: str
    argv: list  # {bin} is filled in; a name with a dot is a file of clients/
    frames: list  # "function@module" globs: each matches a frame of what opened a connection
    closer: str  # one that matches a frame of what closed one
    faults: dict  # fault -> [Finding]
    tls: dict = field(default_factory=dict)  # the same over TLS
    signal: str = "USR1"
    needs: str = ""  # a module of Python that Debian may not have

    def command(self, url, fault, bindir, ca):
        words = [str(CLIENTS / word) if (CLIENTS / word).is_file() else word for word in self.argv]
        return [*(word.format(bin=bindir) for word in words), url, fault, *([ca] if ca else [])]


def leak(cls, count=LEAKS):
    return [Finding("leak", cls, count)]


def churn(*reasons, count=MANY - 1):
    return [Finding("waste", "churn", count, frozenset(reasons) or None)]


def mismatch(count):
    return [Finding("risk", "server-idle-mismatch", count)]


NOTHING = []
UNREAD = leak("body-unread")
UNDRAINED = [Finding("waste", "closed-undrained", LEAKS)]
CLOSED_BY_PEER = leak("peer-closed")
PASSED_OVER = leak("never-closed", LEAKS - 1)
REFUSED = leak("connect-failed")
BLOCKED = [Finding("risk", "no-timeout", 1)]
# What lies in a pool and was closed by the server: a leak for each, and a mismatch of the place.
LEFT_IDLE = CLOSED_BY_PEER + mismatch(LEAKS)
POOL_LEFT_IDLE = leak("peer-closed", TOGETHER) + mismatch(TOGETHER)
RETRIED = churn("server-closed")
AGAIN = mismatch(TOGETHER)
KEPT = leak("never-closed", MANY - 1) + churn("kept")
SMALL_POOL = churn("unused", count=9 * (TOGETHER - 1))
# The same by threads: what one opens and another closes at that moment has no order.
SMALL_POOL_OF_THREADS = churn("unused", count=range(MANY - 4, 9 * (TOGETHER - 1) + 1))
# Code that is made at run time, and callbacks of several kinds: one place has several stacks, and
# one of them most of node's 60 to 120 connections.
NODE = range(20, 120)
READ_IN_PARTS = {"unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED,
                 "undrained-chunks": UNDRAINED}
# Those that wait in poll(), select() or epoll_wait() have a timeout, or another thing to do.
POLLS = {"stall": NOTHING, "slow": NOTHING}
BLOCKS = {"stall": BLOCKED, "slow": BLOCKED}


def python(name, program, faults, **how):
    return HttpClient(name, [PYTHON, program], PY_FRAMES, "*@*/python3*", faults, **how)


MATRIX = [
    python("urllib", "http_urllib.py", {
        **READ_IN_PARTS, **BLOCKS,
        "dropped": UNDRAINED,  # by the garbage collector, which closes, too
        "undelimited": NOTHING,
        "error": CLOSED_BY_PEER,
        "error-page": UNREAD,
        "bye": CLOSED_BY_PEER,
        "churn": churn("request-close"),
    }, tls={
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED, **BLOCKS,
        "error": CLOSED_BY_PEER,  # the close_notify that waits is no response
        "error-page": UNREAD,  # in the TLS object, not in the kernel
        "churn": churn("request-close"),
    }),
    python("http.client", "http_client.py", {
        **READ_IN_PARTS, **BLOCKS,
        "record": UNREAD,
        # A response that ends with its connection takes that over: closing it by hand does nothing.
        "undelimited": UNREAD,
        "error": PASSED_OVER,
        "error-page": UNREAD,
        "bye": CLOSED_BY_PEER,
        "hangup": CLOSED_BY_PEER,
        "idle": LEFT_IDLE,
        "refused": REFUSED,
        "patient": NOTHING,
        "churn": churn("unused"),
        "churn-bye": churn("response-close"),
        "retry": churn(count=MANY - 1),  # each request is lost at first
        "again": AGAIN,
        "healthy": NOTHING,
    }, tls={
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED, **BLOCKS,
        "record": UNREAD,  # its record is in the TLS object, and the kernel has nothing
        "error": PASSED_OVER,
        "idle": LEFT_IDLE,
        "again": AGAIN,
        "patient": NOTHING,
        "churn": churn("unused"),
    }),
    python("requests", "http_requests.py", {
        **READ_IN_PARTS, **BLOCKS,
        "undelimited": NOTHING,
        "error": PASSED_OVER,
        "error-page": UNREAD,
        "fetch": churn("unused"),
        "churn-bye": churn("response-close"),
    }),
    python("requests-session", "http_session.py", {
        **READ_IN_PARTS, "stall": BLOCKED,
        "error": PASSED_OVER,
        "bye": CLOSED_BY_PEER,
        "small-pool": SMALL_POOL_OF_THREADS,
        "churn-bye": churn("response-close"),
        "idle": POOL_LEFT_IDLE,
        "retry": RETRIED,
        "again": AGAIN,
        "kept": KEPT,
        "healthy": NOTHING,
    }),
    python("urllib3", "http_urllib3.py", {
        **READ_IN_PARTS, "stall": BLOCKED,
        "released": UNREAD,  # given back to its pool with its body unread
        "error": PASSED_OVER,
        "small-pool": SMALL_POOL_OF_THREADS,
        "idle": POOL_LEFT_IDLE,
    }),
    python("httpx", "http_httpx.py", {
        **READ_IN_PARTS, **BLOCKS,
        "error": PASSED_OVER,
        "error-page": CLOSED_BY_PEER,  # it reads up to 64 KiB at once: all of it
        "patient": NOTHING,
        "fetch": churn("unused"),
        "small-pool": SMALL_POOL_OF_THREADS,
        "idle": POOL_LEFT_IDLE,
    }, needs="httpx"),
    python("aiohttp", "http_aiohttp.py", {
        **READ_IN_PARTS, **POLLS,
        "error": NOTHING,  # read by the event loop, and the connection is free again
        "churn": churn("unused"),
        "churn-bye": churn("response-close"),
        "kept": churn("kept"),  # no leak: the event loop watches them
        "idle": mismatch(TOGETHER),  # closed when it sees the end
        "healthy": NOTHING,
    }),
    HttpClient("php-streams", ["php", "http_streams.php"],
               ["php_network_connect_socket@*/php*", "execute_ex@*/php*"], "*@*/php*", {
        **READ_IN_PARTS, **POLLS,
        "error": CLOSED_BY_PEER,
        "error-page": UNREAD,
        "bye": CLOSED_BY_PEER,
        "churn": churn("request-close"),
    }),
    HttpClient("php-curl", ["php", "http_curl.php"],
               ["*@*/libcurl.so*", "*@*/curl.so", "execute_ex@*/php*"], "*@*/libcurl.so*", {
        **READ_IN_PARTS, **POLLS,
        "error": PASSED_OVER,
        "error-page": NOTHING,  # read to its end, and closed
        "idle": LEFT_IDLE,
        "churn": churn("unused"),
        "churn-fresh": churn("unused"),
        "churn-close": churn("request-close"),
        "churn-bye": churn("response-close"),
        "kept": KEPT,
        "retry": RETRIED,
        "again": AGAIN,
    }, tls={
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED, **POLLS,
        "error": PASSED_OVER,
        "idle": LEFT_IDLE,
        "again": AGAIN,
        "churn": churn("unused"),
        "churn-bye": churn("response-close"),
    }),
    HttpClient("ruby", ["ruby", "http_net_http.rb"], RUBY_FRAMES, "*@*/libruby*", {
        **READ_IN_PARTS, **POLLS,
        "endless": NOTHING,  # it polls, for ever
        "error": PASSED_OVER,
        "bye": NOTHING,
        "hangup": CLOSED_BY_PEER,
        "idle": LEFT_IDLE,
        "churn": churn("unused"),
        "churn-close": churn("request-close"),
        "retry": churn("server-closed", count=MANY - 2),  # the first is opened elsewhere
        "again": mismatch(TOGETHER - 1),
        "healthy": NOTHING,
    }, tls={
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED, "stall": NOTHING,
        "error": PASSED_OVER,
        "idle": LEFT_IDLE,
        "again": mismatch(TOGETHER - 1),
        "churn": churn("unused"),
        "churn-close": churn("request-close"),
    }, signal="PWR"),
    HttpClient("perl-lwp", ["perl", "http_lwp.pl"], ["Perl_pp_*@*/perl", "main@*/perl"],
               "*@*/perl", {
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED,
        "callback": leak("body-unread", 1),  # which does not come back
        "error": PASSED_OVER,
        "bye": NOTHING,
        "idle": LEFT_IDLE,
        "stall": NOTHING,
        "transport": NOTHING,  # Net::HTTP alone waits in select(), too, without end
        "churn": churn("request-close"),
        "churn-agents": churn("unused"),
        "retry": RETRIED,
        "again": AGAIN,
    }),
    HttpClient("perl-http-tiny", ["perl", "http_tiny.pl"], ["Perl_pp_*@*/perl", "main@*/perl"],
               "*@*/perl", {
        "half": leak("body-unread", 1), "undrained": UNDRAINED, "undrained-chunks": UNDRAINED,
        **POLLS,
        "error": PASSED_OVER,
        "idle": LEFT_IDLE,
        "churn": churn("unused"),
        "churn-bye": churn("response-close"),
        "retry": RETRIED,
        "again": AGAIN,
        "healthy": NOTHING,
    }),
    HttpClient("java-http-url", [*JAVA, "-cp", "{bin}", "HttpUrl"], JVM_FRAMES,
               "*@*/libnio.so|*@*/libnet.so", {
        **READ_IN_PARTS, **BLOCKS,
        "error": PASSED_OVER,
        "error-page": UNREAD,
        "bye": CLOSED_BY_PEER,
        "patient": NOTHING,
        "churn": churn("unused"),
        "churn-close": churn("request-close"),
        "churn-bye": churn("response-close"),
        "retry": churn(count=MANY),  # lost requests, as http.client's
        "again": AGAIN,
        "healthy": NOTHING,
    }),
    HttpClient("java-http-client", [*JAVA, "-cp", "{bin}", "HttpPool"], JVM_FRAMES,
               "*@*/libnio.so|*@*/libnet.so", {
        "unread": UNREAD, "half": UNREAD, "undrained": UNDRAINED, **POLLS,
        "error": NOTHING,  # as aiohttp
        "error-page": NOTHING,
        # Closed by a thread of its own, sometimes after the next one was opened.
        "churn-bye": churn("response-close", count=range(MANY - 4, MANY)),
        "kept": churn("kept"),
        "idle": mismatch(TOGETHER),
        "healthy": NOTHING,
    }),
    HttpClient("node", ["node", "http_node.js"], NODE_FRAMES, "*@*/*node*|*@*/libuv.so.1*", {
        **READ_IN_PARTS, **POLLS,
        "error": NOTHING,  # watched by the event loop
        "error-many": churn("kept", count=NODE),
        "churn": churn("request-close", count=NODE),
        "churn-bye": churn("response-close", count=NODE),
        "small-pool": churn("unused", count=NODE),
        "idle": mismatch(TOGETHER),
        "healthy": NOTHING,
    }, signal="USR2"),
    HttpClient("curl-multi", ["{bin}/http_multi"],
               ["curl_multi_perform@*/libcurl.so*", "main@*/http_multi"], "main@*/http_multi", {
        **READ_IN_PARTS, **POLLS,
        "removed": UNDRAINED,  # a transfer that is given up
        "refused": REFUSED,
        "error": PASSED_OVER,
        "idle": POOL_LEFT_IDLE,
        "churn": churn("unused"),
        "kept": KEPT,
        "small-pool": SMALL_POOL,
        "healthy": NOTHING,
    }),
]


@dataclass
class Cell:
    client: HttpClient
    fault: str
    over_tls: bool
    expected: list

    @property
    def name(self):
        return f"{self.client.name}{'-tls' * self.over_tls}-{self.fault}"


CELLS = [Cell(client, fault, over_tls, expected) for client in MATRIX
         for over_tls, faults in ((False, client.faults), (True, client.tls))
         for fault, expected in faults.items()]
