"""Exchanges of Python's requests that take long: healthy_streams.py WHAT URL [CA], until told to
end. The times in the URL are the server's (patient_server.py)."""
import sys
import threading
import time

import requests

from healthy import PAUSE, background, rest

TIMEOUT, PIECE = 600, b"p" * 100


class Stream:
    """`started`: its first bytes have come."""

    def __init__(self, session, url):
        self.session, self.url, self.started = session, url, threading.Event()

    def poll(self):
        """Again and again a request whose answer takes long."""
        while True:
            self.started.set()
            assert self.session.get(self.url, timeout=TIMEOUT).content == b"waited"

    def lines(self):
        with self.session.get(self.url, stream=True, timeout=TIMEOUT) as answer:
            for line in answer.iter_lines():
                assert line in (b"data: tick", b"data: once", b""), line
                self.started.set()

    def content(self):
        with self.session.get(self.url, stream=True, timeout=TIMEOUT) as answer:
            for _ in answer.iter_content(1024):
                self.started.set()

    def paused(self):
        """As much as fits into the buffers waits meanwhile."""
        with self.session.get(self.url, stream=True, timeout=TIMEOUT) as answer:
            for _ in answer.iter_content(65536):
                self.started.set()
                time.sleep(0.4)

    def reopened(self):
        """A stream without end, left between two events, again and again."""
        while True:
            with self.session.get(self.url, stream=True, timeout=TIMEOUT) as answer:
                lines = answer.iter_lines(chunk_size=1)
                for _ in range(4):
                    next(lines)
                self.started.set()

    def upload(self):
        """A body without end; what the server says meanwhile waits for its end."""
        def pieces():
            while True:
                yield PIECE
                self.started.set()
                time.sleep(0.15)

        self.session.post(self.url, data=pieces(), timeout=TIMEOUT)


def in_threads(count):
    """Streams of events, each read by a thread of its own, opened one after another."""
    def start(session, url):
        for _ in range(count):
            stream = Stream(session, url)
            background(stream.lines)
            stream.started.wait()
            time.sleep(PAUSE)

    return start


def one(name):
    def start(session, url):
        stream = Stream(session, url)
        background(getattr(stream, name))
        stream.started.wait()

    return start


WHAT = {"poll": one("poll"), "lines": one("lines"), "content": one("content"),
        "paused": one("paused"), "reopened": one("reopened"), "upload": one("upload"),
        "three": in_threads(3)}


def main(what, url, ca=None):
    session = requests.Session()
    session.verify = ca
    WHAT[what](session, url)
    rest()


main(*sys.argv[1:])
