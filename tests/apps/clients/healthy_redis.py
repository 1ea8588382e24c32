"""redis by hand: healthy_redis.py WHAT HOST PORT, then at rest."""
import queue
import select
import socket
import sys
import time

from healthy import PAUSE, all_at_once, background, rest, steadily

to = sys.argv[2], int(sys.argv[3])


class Connection:
    def __init__(self):
        self.socket = socket.create_connection(to)
        self.file = self.socket.makefile("rb")

    def ask(self, *words):
        parts = [b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words]
        self.socket.sendall(b"*%d\r\n%s" % (len(words), b"".join(parts)))
        return self.file.readline()

    def subscribe(self, channel):
        """Until redis has said that it is the first one."""
        line = self.ask("subscribe", channel)
        while line != b":1\r\n":
            line = self.file.readline()


class Pool:
    def __init__(self):
        self.idle = queue.LifoQueue()

    def ask(self, *words):
        try:
            connection = self.idle.get_nowait()
        except queue.Empty:
            connection = Connection()
        answer = connection.ask(*words)
        self.idle.put(connection)
        return answer


def pool():
    """Eight at once; then one is enough."""
    kept = Pool()
    all_at_once(8, lambda: kept.ask("blpop", "nothing", "0.3"))
    steadily(lambda: kept.ask("ping"))
    return kept


def pool_at_rest():
    kept = Pool()
    all_at_once(8, lambda: kept.ask("blpop", "nothing", "0.3"))
    return kept


def blocked():
    """Waits for work, a second and a half each time."""
    connection = Connection()
    return steadily(lambda: connection.ask("blpop", "nothing", "1.5"))


def subscribe(count):
    """One thread waits for all of them."""
    def what():
        kept = []
        for i in range(count):
            kept.append(Connection())
            kept[-1].subscribe(f"channel{i}")
            time.sleep(PAUSE)

        def wait():
            while True:
                for ready in select.select([c.socket for c in kept], [], [])[0]:
                    assert ready.recv(4096)

        background(wait)
        return kept

    return what


def subscribe_and_work():
    """A subscription that a thread waits for in poll(); and commands on another connection."""
    subscription = Connection()
    subscription.subscribe("news")
    poll = select.poll()
    poll.register(subscription.socket, select.POLLIN)
    background(poll.poll)
    time.sleep(PAUSE)
    commands = Connection()
    steadily(lambda: commands.ask("ping"))
    return subscription, commands


WHAT = {"pool": pool, "pool-at-rest": pool_at_rest, "blocked": blocked, "subscribe": subscribe(1),
        "three-subscriptions": subscribe(3), "subscribe-and-work": subscribe_and_work}

kept = WHAT[sys.argv[1]]()
rest()
