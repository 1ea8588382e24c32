"""psycopg2 in good health: healthy_pg.py WHAT HOST PORT, then at rest."""
import select
import sys
import threading
import time

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from psycopg2.pool import ThreadedConnectionPool

from healthy import PAUSE, all_at_once, background, in_threads_that_stay, rest, steadily

to = dict(host=sys.argv[2], port=sys.argv[3], user="postgres", dbname="postgres")


def connect():
    connection = psycopg2.connect(**to)
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    return connection


def query(connection, text="select 1", times=1):
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute(text)


def per_thread():
    """One for each thread, each used several times."""
    local = threading.local()

    def work():
        local.connection = connect()
        query(local.connection, times=3)

    in_threads_that_stay(5, work)


def pool_grown():
    """A pool that opens a connection when it has none to lend, as SQLAlchemy's: the first borrower
    has committed and computes with what it has read, when the second one comes."""
    first = connect()
    query(first, times=3)
    time.sleep(PAUSE)
    second = connect()
    query(second, times=3)
    steadily(lambda: query(second))
    return first, second


def pool_burst():
    """All of the pool's connections were needed for a moment; from then on one is enough."""
    pool = ThreadedConnectionPool(8, 8, **to)

    def work():
        connection = pool.getconn()
        query(connection, "select pg_sleep(0.3)")
        pool.putconn(connection)

    def once():
        connection = pool.getconn()
        query(connection)
        pool.putconn(connection)

    all_at_once(8, work)
    steadily(once)
    return pool


def kept_for_two_purposes():
    """One to read and, opened when it is first needed, one to write; both used again and again."""
    reader = connect()
    query(reader, times=3)
    time.sleep(PAUSE)
    writer = connect()
    query(writer, "create temp table t (n int)")
    for _ in range(3):
        query(reader)
        query(writer, "insert into t values (1)")
    return reader, writer


def two_phases():
    """One for what is done first and one for what is done then, each used several times."""
    kept = []
    for _ in range(2):
        kept.append(connect())
        query(kept[-1], times=3)
        time.sleep(PAUSE)
    return kept


def listen():
    """Waits for notifications, and for nothing else."""
    connection = connect()
    query(connection, "listen news")

    def wait():
        while True:
            select.select([connection], [], [])
            connection.poll()

    background(wait)
    return connection


def listen_and_work():
    """One thread waits for notifications with a timeout; each time it does some work, on a
    connection that it opens and closes."""
    listening = threading.Event()

    def run():
        connection = connect()
        query(connection, "listen news")
        while True:
            select.select([connection], [], [], 0.1)
            connection.poll()
            own = connect()
            query(own, "select pg_sleep(0.05)")
            own.close()
            listening.set()

    background(run)
    listening.wait()


def slow_query():
    connection = connect()
    return steadily(lambda: query(connection, "select pg_sleep(1.5)"))


def slow_rows():
    """A cursor of the server's, fetched a few rows at a time, in one transaction."""
    connection = psycopg2.connect(**to)
    cursor = connection.cursor("rows")
    cursor.itersize = 10
    cursor.execute("select repeat('x', 1000) from generate_series(1, 100000)")
    return steadily(lambda: cursor.fetchmany(10), pause=0.15)


WHAT = {"per-thread": per_thread, "pool-grown": pool_grown, "pool-burst": pool_burst,
        "two-purposes": kept_for_two_purposes, "two-phases": two_phases, "listen": listen,
        "listen-and-work": listen_and_work, "slow-query": slow_query, "slow-rows": slow_rows}

kept = WHAT[sys.argv[1]]()
rest()
