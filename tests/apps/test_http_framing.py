"""The HTTP observer beside h11, a strict parser of HTTP/1.1: on one corpus both see the same messages.

Where both accept a stream, they must agree on every message in it. Where only one of them does,
there must be a reason, and it stands below, with what RFC 9110 or RFC 9112 says to it.
"""
import re
import subprocess
from collections import Counter, namedtuple
from pathlib import Path

import h11
import pytest

from http_corpus import Corpus

ROOT = Path(__file__).resolve().parents[2]
CASES = 8000

# events: as the driver prints them; error: what stopped it, or nothing; rests: between two messages,
# or CUT: the stream has ended before a response had
Seen = namedtuple("Seen", "events error rests")
CUT = "cut"

# --- the observer --------------------------------------------------------------------------------

@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    program = tmp_path_factory.mktemp("http") / "http_observe"
    sources = [ROOT / "tests/apps/http_observe.c", *(ROOT / "shim/http").glob("*.c")]
    subprocess.run(["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-O1",
                    "-I", ROOT / "shim", "-o", program, *sources], check=True)
    return program


def observe(driver, lines):
    """What the observer says of each line."""
    text = "".join(line + "\n" for line in lines)
    out = subprocess.run([driver], input=text, capture_output=True, text=True, check=True,
                         errors="replace").stdout.splitlines()
    assert len(out) == len(lines)
    for line in out:
        *events, end = line.split("\t")
        why, requests_rest, responses_rest, cut = map(int, end.split(" "))
        yield (Seen([e for e in events if e.startswith("request")], why, bool(requests_rest)),
               Seen([e for e in events if not e.startswith("request")], why,
                    CUT if cut else bool(responses_rest)))


# --- h11 -----------------------------------------------------------------------------------------

def path_of(target):
    """As the observer keeps it."""
    if target[:1] not in (b"/", b"*"):
        before_path = re.match(rb"[^/?#]*/[^/?#]*/[^/?#]*", target)
        target = (target[before_path.end():] or b"/") if before_path else b""
        target = b"/" + target if target[:1] in (b"?", b"#") else target
    return re.split(rb"[?#]", target)[0].decode("latin-1")[:95]


def read_message(conn, events):
    """(its first event, the size of its content); interim responses are events; None: not all there."""
    head, size = None, 0
    while True:
        event = conn.next_event()
        if isinstance(event, h11.InformationalResponse):
            events.append(f"interim {event.status_code}")
        elif isinstance(event, (h11.Request, h11.Response)):
            head = event
        elif isinstance(event, h11.Data):
            size += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return head, size
        else:
            return None, None


def h11_requests(stream):
    conn, events = h11.Connection(h11.SERVER, 1 << 20), []
    conn.receive_data(stream)
    try:
        while True:
            head, size = read_message(conn, events)
            if head is None:
                return Seen(events, 0, conn.their_state is h11.IDLE and not conn.trailing_data[0])
            method = head.method.decode() if head.method in KNOWN else "-"
            path = path_of(head.target) if method != "-" or events else ""
            events.append(f"request {method} {size} {path}")
            conn.send(h11.Response(status_code=204, headers=[]))
            conn.send(h11.EndOfMessage())
            if conn.our_state is not h11.DONE:
                return Seen(events, "closed", True)  # looks at nothing behind it
            conn.start_next_cycle()
    except h11.RemoteProtocolError as error:
        return Seen(events, str(error), False)


def fate_of(head, closed):
    """h11 closes after each message of HTTP/1.0, and does not say that the end of a stream is one."""
    names = {name for name, _ in head.headers}
    if head.http_version < b"1.1" or not names & {b"content-length", b"transfer-encoding"}:
        return "?"
    return "closed" if closed else "kept"


def h11_responses(methods, stream, ends):
    conn, events = h11.Connection(h11.CLIENT, 1 << 20), []
    try:
        for number, method in enumerate(methods):
            conn.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
            conn.send(h11.EndOfMessage())
            if number == 0:
                conn.receive_data(stream)
                if ends:
                    conn.receive_data(b"")
            head, size = read_message(conn, events)
            if head is None:
                return Seen(events, 0, conn.their_state is h11.SEND_RESPONSE and
                            not conn.trailing_data[0])
            closed = conn.our_state is not h11.DONE or conn.their_state is not h11.DONE
            events.append(f"response {head.status_code} {size} {fate_of(head, closed)}")
            if closed:
                return Seen(events, "closed", True)
            conn.start_next_cycle()
        if conn.trailing_data[0]:
            return Seen(events, "unasked", False)
        return Seen(events, 0, True)
    except h11.RemoteProtocolError as error:
        if re.search("peer (unexpectedly )?closed connection|event type ConnectionClosed", str(error)):
            return Seen(events, 0, CUT)
        return Seen(events, str(error), False)


# --- where they differ, and why ------------------------------------------------------------------

KNOWN = {b"CONNECT", b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT", b"TRACE"}

# The observer goes on where h11 refuses: h11's words, what the stream must hold, the reason.
LENIENT = [
    ("Missing mandatory Host|multiple Host", rb"", "no matter of framing"),
    ("no (request|response) line received", rb"(^|.)\r?\n", "9112 2.2: empty lines may be skipped"),
    ("Transfer-Encoding", rb"(?i)transfer-encoding", "9112 6.1: a list, and gzip is a coding"),
    ("Content-Length", rb"(?i)content-length:\s*0\d", "9110 8.6: the same decimal value"),
    ("Content-Length", rb"(?i)transfer-encoding:\s*chunked", "9112 6.3, 3: overridden"),
    ("Content-Length", rb"HTTP/1.. (204|304|1..)|^[A-Za-z ]*HEAD", "9112 6.3, 1: there is no content"),
    ("Content-Length", rb"(?i)\n0+\r\n(.+\n)*content-length", "9112 7.1.2: not in trailers"),
    ("unasked", rb"[\r\n]$", "9112 9.2: empty lines may be discarded"),
    ("illegal header line", rb"[\x0b\x0c]", "9110 5.5: may be kept in a safe context"),
    ("illegal request line", rb"\r$", "9112 2.2: it may become an empty line"),
    ("illegal request line", rb"[\x80-\xff]", "9112 3.2: clients do send such targets"),
    ("illegal status line", rb"[\x0b\x0c]", "9112 4: the reason is ignored"),
    ("illegal chunk header", rb"[ \t]+;", "9112 7.1.1: BWS"),
    ("illegal chunk header", rb"\n0{10,}", "9112 7.1: any number of zeroes"),
]

# The observer stops where h11 goes on: its reason, what the stream must hold, why.
STRICT = [
    (2, rb"HTTP/[02-9]\.", "9112 2.3: another major version"),
    (5, rb"\d{19,}", "9112 6.3: a length that nobody can count"),
    (6, rb"HTTP/1\.0", "9112 6.1: Transfer-Encoding in HTTP/1.0 is faulty framing"),
    (7, rb"[0-9a-fA-F]{16,}|;[^\r]*[\0-\x08\x0a-\x1f]", "9112 7.1: too large, or no extension"),
    (1, rb"[!-~]{25,} ", "no method is so long"),
]


def reason_for(table, key, stream):
    for what, holds, why in table:
        if (re.search(what, key) if isinstance(what, str) else what == key) and \
                re.search(holds, stream, re.S):
            return why
    return None


def same(ours, theirs):
    """The same event, except for what h11 can not say."""
    return ours == theirs or (theirs.endswith("?") and ours.split(" ")[:-1] == theirs.split(" ")[:-1])


def judge(stream, ours, theirs, again, asked=b""):
    """None where they agree, a reason where they may differ; fails otherwise."""
    both = min(len(ours.events), len(theirs.events))
    assert all(map(same, ours.events, theirs.events)), (stream, ours, theirs)
    if theirs.error == "closed" and both == len(theirs.events):
        return None  # what is behind the last message h11 does not look at
    if ours.error and theirs.error not in (0, "closed"):
        return None
    if not ours.error and not theirs.error:
        assert (len(ours.events), ours.rests) == (len(theirs.events), theirs.rests), stream
        return None
    if not ours.error:
        why = reason_for(LENIENT, theirs.error, asked + stream)
    else:
        why = reason_for(STRICT, ours.error, stream)
        if not why and again(stream + b"\r\n\r\n").error not in (0, "closed"):
            why = "h11 looks at whole heads only"
    assert why, (stream, ours, theirs)
    return why


# --- the comparisons -----------------------------------------------------------------------------

def test_requests_are_what_h11_makes_of_them(driver):
    corpus, reasons = Corpus("requests"), Counter()
    streams = [corpus.requests() for _ in range(CASES)]
    results = observe(driver, [">" + stream.hex() for stream in streams])
    for stream, (ours, _) in zip(streams, results):
        reasons[judge(stream, ours, h11_requests(stream), h11_requests)] += 1
    print(reasons)
    assert reasons[None] > 0.8 * CASES


def line_of(methods, stream, ends):
    asked = b"".join(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n" for method in methods)
    return f">{asked.hex()} <{stream.hex()}" + " <." * ends


def test_responses_are_what_h11_makes_of_them(driver):
    corpus, reasons = Corpus("responses"), Counter()
    cases = [corpus.responses() for _ in range(CASES)]
    results = observe(driver, [line_of(*case) for case in cases])
    for (methods, stream, ends), (_, ours) in zip(cases, results):
        theirs = h11_responses(methods, stream, ends)
        why = judge(stream, ours, theirs,
                    lambda longer, asked=methods: h11_responses(asked, longer, False),
                    b" ".join(methods) + b"\n")
        reasons[why] += 1
    print(reasons)
    assert reasons[None] > 0.8 * CASES
