"""What watching HTTP costs, apart from the rest of the guard.

Three processes in turn: one bare, one guarded that says what is no HTTP, one guarded that says HTTP.
The bytes are the same but for the first letter. The first two show what is left of the observer
where it is switched off, the last two what it takes where it is not.
"""
from pairs import CPUS, Side, Times, compare


class Exchange:
    """`what` and `over` are words of http_exchange.c."""

    def __init__(self, name, title, what, over):
        self.name = name
        self.title = title
        self.command = ("http_exchange", what, "{says}", over)

    def side(self, says, guarded):
        return Side([word.format(says=says) for word in self.command], guarded)

    def measure(self, place, rounds):
        sides = self.side("http", False), self.side("other", True), self.side("http", True)
        bare, other, http = compare(place, sides, rounds, CPUS[-1])
        yield Times(bare, http).row(self.title)
        yield Times(bare, other).row("  the same bytes where they are no HTTP")
        yield Times(other, http).row("  so the observer's share")


class LastUse:
    """The stack of a use after a rest: after any, and after a second, which never comes."""

    name = "last-use"
    title = "last use: a write and a read whose stacks are kept"

    def measure(self, place, rounds):
        command = "write_read", "tcp"
        sides = (Side(command, True),
                 Side(command, True, {"leak_after": "0", "report_at_exit": "never"}))
        yield Times(*compare(place, sides, rounds, CPUS[-1])).row(self.title)


BENCHES = [
    Exchange("http-keepalive", "HTTP request + response, TCP", "exchange", "tcp"),
    Exchange("http-write", "write of an HTTP request, TCP", "write", "tcp"),
    Exchange("http-read", "read of an HTTP response, TCP", "read", "tcp"),
    Exchange("http-body", "read of 16 KiB of an HTTP body, TCP", "body", "tcp"),
    Exchange("http-connect", "connect, HTTP request + response, close", "connect", "tcp"),
    Exchange("http-tls", "HTTP request + response, TLS", "exchange", "tls"),
    Exchange("http-tls-write", "SSL_write of an HTTP request", "write", "tls"),
    Exchange("http-tls-read", "SSL_read of an HTTP response", "read", "tls"),
    Exchange("http-tls-body", "SSL_read of 16 KiB of an HTTP body", "body", "tls"),
    LastUse(),
]
