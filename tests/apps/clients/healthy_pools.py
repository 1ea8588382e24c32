"""Pools of Python's HTTP clients: healthy_pools.py LIBRARY PATTERN URL [CA], then at rest."""
import http.client
import itertools
import queue
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3

from healthy import PAUSE, all_at_once, background, in_threads_that_stay, rest, steadily

SIZE, TIMEOUT = 8, 600


class Requests:
    def __init__(self, base, ca):
        self.base, self.session = base, requests.Session()
        self.session.verify = ca
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=SIZE))

    def ask(self, method, path):
        answer = self.session.request(method, self.base + path, timeout=TIMEOUT,
                                      allow_redirects=True)
        return answer.status_code, answer.content


class Urllib3:
    def __init__(self, base, ca):
        self.base = base
        self.pool = urllib3.PoolManager(maxsize=SIZE, ca_certs=ca, timeout=TIMEOUT)

    def ask(self, method, path):
        answer = self.pool.request(method, self.base + path)
        return answer.status, answer.data


class HttpClient:
    """A pool by hand: connections wait in a queue, the last one used first."""

    def __init__(self, base, ca):
        self.url, self.idle = urlsplit(base), queue.LifoQueue()
        self.context = ssl.create_default_context(cafile=ca) if ca else None

    def open(self):
        if self.context:
            return http.client.HTTPSConnection(self.url.netloc, timeout=TIMEOUT,
                                               context=self.context)
        return http.client.HTTPConnection(self.url.netloc, timeout=TIMEOUT)

    def ask(self, method, path):
        try:
            connection = self.idle.get_nowait()
        except queue.Empty:
            connection = self.open()
        connection.request(method, path)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        self.idle.put(connection)
        return found


LIBRARIES = {"requests": Requests, "urllib3": Urllib3, "http.client": HttpClient}


def get(client, path="/small", expected=b"small"):
    status, body = client.ask("GET", path)
    assert status == 200 and body == expected, (status, body)


def use(client, times=3):
    for _ in range(times):
        get(client)


def sequential(new):
    client = new()
    for _ in range(5):
        get(client)
        time.sleep(PAUSE)
    return client


def burst(new):
    """All connections are open; from now on one of them is enough."""
    client = new()
    for _ in range(2):
        all_at_once(SIZE, lambda: get(client, "/wait/300", b"waited"))
    steadily(lambda: get(client))
    return client


def lull(new):
    """The same, and then nothing."""
    client = new()
    all_at_once(SIZE, lambda: get(client, "/wait/300", b"waited"))
    return client


def busy(new):
    client = new()
    steadily(lambda: get(client, "/page", b"x" * 100_000), pause=0.05)
    return client


def grows(new):
    """Each time more at once, and then one is enough."""
    client = new()
    for count in (2, 4, SIZE):
        all_at_once(count, lambda: get(client, "/wait/300", b"waited"))
        time.sleep(0.4)
    steadily(lambda: get(client))
    return client


def closing(new):
    """The server closes with each answer, and so does the program."""
    client = new()
    for _ in range(5):
        get(client, "/closing", b"closing")
    return client


def two_per_thread(new):
    """As where a library and the program itself have one for each thread."""
    local = threading.local()

    def work():
        local.clients = [new(), new()]
        for client in local.clients:
            use(client)

    in_threads_that_stay(4, work)


def beside_others(new):
    """The first one is kept; all others are closed when they have done their work."""
    kept, ready = [], threading.Event()

    def run():
        kept.append(new())
        use(kept[0])
        for count in itertools.count():
            time.sleep(PAUSE)
            other = new()
            use(other)
            other.session.close()
            if count == 10:
                ready.set()

    background(run)
    ready.wait()
    return kept


def per_thread(new):
    """One client for each thread; all are used again from time to time."""
    local = threading.local()

    def work():
        local.client = new()
        use(local.client)

    in_threads_that_stay(5, work)


def by_threads_that_end(new):
    """A client that all threads share, most of which are gone."""
    client = new()
    for _ in range(3):
        all_at_once(3, lambda: get(client, "/wait/150", b"waited"))
        time.sleep(PAUSE)
    return client


def several(count):
    def pattern(new):
        clients = []
        for _ in range(count):
            clients.append(new())
            use(clients[-1])
            time.sleep(PAUSE)
        return clients

    return pattern


ANSWERS = [("HEAD", "/page", 200, 0), ("GET", "/none", 204, 0), ("GET", "/same", 304, 0),
           ("GET", "/empty", 200, 0), ("GET", "/gone", 404, 4), ("GET", "/chunked", 200, 3072),
           ("GET", "/trailers", 200, 3072), ("GET", "/page", 200, 100_000),
           ("OPTIONS", "/none", 204, 0), ("DELETE", "/empty", 200, 0)]


def last_was(index):
    """All kinds of answers; the last one is this."""
    def pattern(new):
        client = new()
        for method, path, status, size in ANSWERS + [ANSWERS[index]]:
            found, body = client.ask(method, path)
            assert (found, len(body)) == (status, size), (method, path, found, body[:100])
        return client

    return pattern


PATTERNS = {"sequential": sequential, "burst": burst, "lull": lull, "busy": busy,
            "beside-others": beside_others, "grows": grows, "closing": closing,
            "per-thread": per_thread, "two-per-thread": two_per_thread,
            "threads-end": by_threads_that_end, "two": several(2),
            "three": several(3), "five": several(5), "head": last_was(0), "none": last_was(1),
            "same": last_was(2), "empty": last_was(3), "gone": last_was(4),
            "chunked": last_was(5), "trailers": last_was(6)}


def main(library, pattern, base, ca=None):
    kept = PATTERNS[pattern](lambda: LIBRARIES[library](base, ca))
    rest()
    del kept


main(*sys.argv[1:])
