"""Connections that processes share: healthy_forks.py WHAT HOST PORT, then at rest."""
import os
import socket
import sys
import time

from healthy import PAUSE, rest
from healthy_http import connect, read, request, use


def child(work):
    """Forked; does its work for ever, and ends with us."""
    up, told = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(up)
        work()
        os.write(told, b"x")
        while os.getppid() == parent:
            work()
            time.sleep(0.05)
        os._exit(0)
    os.close(told)
    assert os.read(up, 1) == b"x"


def prefork():
    """The parent opens, the child uses."""
    connection = connect()
    child(lambda: use(connection))
    return connection


def prefork_used():
    """The parent has used it, too, and opens one of its own later."""
    connection = connect()
    use(connection)
    child(lambda: use(connection))
    time.sleep(PAUSE)
    own = connect()
    use(own)
    return connection, own


def read_by_the_child():
    """The parent asks and the child reads the answer, which is long."""
    connection = connect()
    connection.sendall(request("/drip/500"))
    child(lambda: read(connection, 1024))
    return connection


def prefork_own():
    """Each has one that both use, and the child one of its own."""
    connection, own = connect(), []

    def work():
        if not own:
            own.append(connect())
        use(connection)
        use(own[0])

    child(work)
    return connection


def prefork_three():
    """Three are opened before the children are forked, one for each."""
    connections = [connect() for _ in range(3)]
    for connection in connections:
        child(lambda: use(connection))
    return connections


def handed_on():
    """Sent to a child in a message, which uses it, while the parent keeps it."""
    ours, theirs = socket.socketpair()
    got = []

    def work():
        if not got:
            got.extend(socket.recv_fds(theirs, 1, 1)[1])
            got.append(socket.socket(fileno=got[0]))
        use(got[1])

    connection = connect()
    use(connection)
    socket.send_fds(ours, [b"x"], [connection.fileno()])
    child(work)
    return connection


WHAT = {"prefork": prefork, "prefork-used": prefork_used, "prefork-own": prefork_own,
        "prefork-three": prefork_three, "read-by-the-child": read_by_the_child,
        "handed-on": handed_on}

kept = WHAT[sys.argv[1]]()
rest()
