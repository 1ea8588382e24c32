"""redis under a scripted load: clients, saving in a forked child, a replica, killed clients, ends.

Servers, redis-cli and redis-benchmark all run on the side that is tried.
"""
import signal
import socket

from facts import collect, package_version
from place import ended
from process import DEADLINE, until
from servers import HOST, free_port

name = "redis"
parts = ("commands", "saving", "replica", "ends")


def prepare(_build):
    return package_version("redis-server")


class Server:
    """A redis-server on a side; ended with the script."""

    def __init__(self, side, *options):
        self.side, self.home, self.port = side, side.fresh(), free_port()
        self.popen = side.start(
            ["/usr/bin/redis-server", "--bind", HOST, "--port", self.port, "--dir", self.home,
             "--save", "", "--enable-debug-command", "yes", *options], self.home,
            self.home / "log")

    def __enter__(self):
        until(lambda: self("PING") == "PONG", "redis answers")
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait()

    def __call__(self, *words):
        """The answer of redis-cli."""
        return self.side.call(["/usr/bin/redis-cli", "-h", HOST, "-p", self.port, *words],
                              self.home)[1].strip()

    def info(self, field):
        for line in self("INFO").splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1].strip()
        return None

    def is_linked(self):
        return self.info("master_link_status") == "up"

    def log(self):
        return (self.home / "log").read_text(errors="replace")

    def connect(self, command):
        """A client of the script's own, which has sent a command."""
        client = socket.create_connection((HOST, self.port), DEADLINE)
        client.sendall(command.encode() + b"\r\n")
        return client


def end(facts, server, what, status):
    facts.check(f"status after {what}", ended(server.popen, DEADLINE), status)


def benchmark(facts, server, tests, requests, *options):
    status, _ = server.side.call(
        ["/usr/bin/redis-benchmark", "-h", HOST, "-p", server.port, "-q", "-n", requests, "-t",
         tests, *options], server.home)
    facts.check(f"redis-benchmark {tests} {' '.join(options)}".strip(), status, 0)


def commands(facts, side):
    with Server(side) as redis:
        benchmark(facts, redis, "incr", 100000, "-c", "20")
        facts.check("every INCR counted", redis("GET", "counter:__rand_int__"), "100000")
        benchmark(facts, redis, "lpush", 50000, "-c", "50")
        facts.check("every LPUSH counted", redis("LLEN", "mylist"), "50000")
        benchmark(facts, redis, "incr", 5000, "-k", "0", "-c", "10")  # a connection a request
        facts.check("the same, a connection each", redis("GET", "counter:__rand_int__"), "105000")
        benchmark(facts, redis, "set,get,mset", 100000, "-P", "16", "--threads", "2")
        facts.check("EVAL", redis("EVAL", "return redis.call('LLEN', 'mylist') + 1", "0"), "50001")
        facts.check("CONFIG SET", redis("CONFIG", "SET", "timeout", "100"), "OK")
        facts.check("CONFIG GET", redis("CONFIG", "GET", "timeout"), "timeout\n100")
        facts.check("CONFIG SET of nonsense", redis("CONFIG", "SET", "port", "x").split(" ")[0],
                    "ERR")
        kill_client(facts, redis)
        io_threads(facts, side)
        with redis.connect("SUBSCRIBE news") as client:
            until(lambda: b"subscribe" in client.recv(1000), "subscribed")
            facts.check("PUBLISH reaches", redis("PUBLISH", "news", "hello"), "1")
            facts.check("what was published", b"hello" in client.recv(1000))
        until(lambda: redis.info("connected_clients") == "1", "only this client is left")


def kill_client(facts, redis):
    with redis.connect("BLPOP nothing 0") as client:
        until(lambda: redis.info("blocked_clients") == "1", "the client waits")
        who = f"{HOST}:{client.getsockname()[1]}"
        facts.check("CLIENT KILL", redis("CLIENT", "KILL", "ADDR", who), "1")
        facts.check("the killed client's end", client.recv(10), b"")
    facts.check("nobody waits", redis.info("blocked_clients"), "0")


def io_threads(facts, side):
    with Server(side, "--io-threads", "2", "--io-threads-do-reads", "yes") as redis:
        benchmark(facts, redis, "incr", 200000, "-c", "50", "-P", "4")
        facts.check("every INCR counted with I/O threads", redis("GET", "counter:__rand_int__"),
                    "200000")


def saving(facts, side):
    with Server(side) as redis:
        redis("DEBUG", "POPULATE", "20000")
        facts.check("BGSAVE", redis("BGSAVE"), "Background saving started")
        benchmark(facts, redis, "incr", 50000)
        until(lambda: redis.info("rdb_bgsave_in_progress") == "0", "saved")
        facts.check("saved well", redis.info("rdb_last_bgsave_status"), "ok")
        check = ["/usr/bin/redis-check-rdb", redis.home / "dump.rdb"]
        facts.check("redis-check-rdb", side.call(check, redis.home)[0], 0)
        facts.check("appendonly", redis("CONFIG", "SET", "appendonly", "yes"), "OK")
        until(lambda: redis.info("aof_rewrite_in_progress") == "0"
              and redis.info("aof_rewrite_scheduled") == "0", "the log is rewritten")
        facts.check("rewritten well", redis.info("aof_last_bgrewrite_status"), "ok")
        redis("SET", "k", "v")
        facts.check("DEBUG LOADAOF", redis("DEBUG", "LOADAOF"), "OK")
        facts.check("keys after loading", redis("DBSIZE"), "20002")
        facts.check("a key after loading", redis("GET", "k"), "v")


def replica(facts, side):
    with Server(side, "--repl-diskless-sync-delay", "0") as redis:
        redis("SET", "k", "v")
        with Server(side, "--replicaof", f"{HOST} {redis.port}") as copy:
            until(copy.is_linked, "the replica is linked")
            facts.check("the replica's copy", copy("GET", "k"), "v")
            facts.check("the replica refuses to write", copy("SET", "k", "w").split(" ")[0],
                        "READONLY")
            benchmark(facts, redis, "incr", 100000)
            redis("SET", "last", "1")
            until(lambda: copy("GET", "last") == "1", "the replica has followed")
            facts.check("the replica followed", copy("GET", "counter:__rand_int__"), "100000")
            facts.check("the replica is killed", redis("CLIENT", "KILL", "TYPE", "replica"), "1")
            until(lambda: redis.info("sync_partial_ok") == "1" and copy.is_linked(),
                  "it came back")
            facts.check("full syncs", redis.info("sync_full"), "1")
            facts.check("REPLICAOF NO ONE", copy("REPLICAOF", "NO", "ONE"), "OK")
            facts.check("it is a master", copy.info("role"), "master")
            until(lambda: redis.info("connected_slaves") == "0", "the replica has gone")
            copy("SHUTDOWN", "NOSAVE")
            end(facts, copy, "SHUTDOWN NOSAVE", 0)


def ends(facts, side):
    with Server(side) as redis:
        redis("SET", "k", "v")
        redis("SHUTDOWN", "SAVE")
        end(facts, redis, "SHUTDOWN SAVE", 0)
        facts.check("SHUTDOWN SAVE saved", (redis.home / "dump.rdb").exists())
    with Server(side) as redis:
        redis.popen.send_signal(signal.SIGTERM)
        end(facts, redis, "SIGTERM", 0)
        facts.check("says goodbye", "bye bye" in redis.log())
    with Server(side) as redis:
        redis("DEBUG", "SEGFAULT")
        end(facts, redis, "DEBUG SEGFAULT", -signal.SIGSEGV)
        facts.check("its crash report has a stack", "debugCommand" in redis.log())
        facts.check("its crash report is whole", "REDIS BUG REPORT END" in redis.log())
    with Server(side) as redis:
        redis.popen.send_signal(signal.SIGUSR1)
        until(lambda: redis.popen.poll() is not None or side.has_reported(redis.popen.pid),
              "SIGUSR1 is taken")
        facts.check("SIGUSR1 kills", redis.popen.poll(), -signal.SIGUSR1)


def play(side, part, only=None):
    del only  # a script is run as a whole
    return collect(globals()[part], side)
