"""nginx as a proxy under a scripted load: reload, crashing workers, log reopening, upgrade, quit.

The signals are nginx's own (nginx(8)), SIGUSR1 among them: its handler must win over the guard's.
"""
import hashlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

from facts import collect, package_version
from nginx_server import WORKERS, Backend, Nginx, adopt_daemons, children
from process import DEADLINE, until

name = "nginx"
parts = ("proxy", "reload", "crash", "reopen", "upgrade")
LOAD = 200  # requests before and after something is done
GUARD_SAYS = "poolguard: nginx handles SIGUSR1 itself"


def prepare(_build):
    adopt_daemons()
    return package_version("nginx-light")


def many(nginx, requests, threads=8):
    """How many of so many requests, each on a connection of its own, are answered well."""
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda i: nginx.get(f"/{i}"), range(requests)))


def kept(nginx, requests):
    """The same over one connection that is kept."""
    client, good = nginx.connect(), 0
    for i in range(requests):
        client.request("GET", f"/{i}")
        good += client.getresponse().read() == f"/{i}".encode()
    client.close()
    return good


def post(nginx, body):
    client = nginx.connect()
    client.request("POST", "/", body)
    answer = client.getresponse().read()
    client.close()
    return answer == hashlib.sha256(body).hexdigest().encode()


def finish(facts, nginx, complaints=()):
    """Quits gracefully; the log must hold these complaints and no others."""
    nginx.signal(signal.SIGQUIT)
    facts.check("status after SIGQUIT", nginx.end(), 0)
    facts.check("complaints in the log", nginx.alerts(), sorted(complaints))
    said = [line for line in nginx.log("out").splitlines() if GUARD_SAYS not in line]
    facts.check("nothing on stderr", said, [])


def proxy(facts, nginx, backend):
    facts.check("requests on one connection", kept(nginx, 1000), 1000)
    facts.check("the backend's connections are kept", backend.connections <= WORKERS)
    facts.check("requests at once", many(nginx, 5000), 5000)
    facts.check("a posted body", post(nginx, os.urandom(3 << 20)))
    until(lambda: nginx.served() >= 6001, "all requests are logged")
    facts.check("requests in the log", nginx.served(), 6001)
    finish(facts, nginx)


def under_load(nginx, action):
    """Does the action while requests are under way; returns the counts (well, ill)."""
    over, counts = threading.Event(), [0, 0]

    def load():
        while not over.is_set():
            counts[0 if nginx.get() else 1] += 1

    thread = threading.Thread(target=load)
    thread.start()
    try:
        until(lambda: counts[0] > LOAD, "requests are answered")
        action()
        before = counts[0]
        until(lambda: counts[0] > before + LOAD, "requests are answered again")
    finally:
        over.set()
        thread.join()
    return counts


def reload(facts, nginx, backend):
    slow = ThreadPoolExecutor(1)
    answer = slow.submit(nginx.get, "/slow")
    backend.reached.wait(DEADLINE)
    old = children(nginx.master)

    def new_workers():
        nginx.signal(signal.SIGHUP)
        until(lambda: len(children(nginx.master) - old) == WORKERS, "new workers")

    _, ill = under_load(nginx, new_workers)
    facts.check("requests lost by reloading", ill, 0)
    until(lambda: len(children(nginx.master) & old) == 1, "idle old workers have gone")
    facts.check("a busy old worker stays", nginx.workers(), WORKERS + 1)
    backend.let_go.set()
    facts.check("its request is answered", answer.result(DEADLINE))
    until(lambda: nginx.workers() == WORKERS, "the last old worker has gone")
    for _ in range(5):
        old = children(nginx.master)
        new_workers()
        until(lambda: not children(nginx.master) & old, "old workers have gone")
    facts.check("requests after six reloads", many(nginx, 1500), 1500)
    finish(facts, nginx)


def crash(facts, nginx, _backend):
    for sig in (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT):
        kept(nginx, 200)
        victim = min(children(nginx.master))
        os.kill(victim, sig)
        until(lambda: victim not in children(nginx.master) and nginx.workers() == WORKERS,
              "another worker")
        facts.check(f"requests after a worker's {sig.name}", many(nginx, 1500), 1500)
    ends = [f"N#N: worker process N exited on signal N{core}" for core in (" (core dumped)", "")]
    facts.check("the log tells of the crashes", nginx.log().count("exited on signal"), 3)
    finish(facts, nginx, [end for end in ends if end in nginx.alerts()])


def reopen(facts, nginx, _backend):
    facts.check("requests before", many(nginx, 1000), 1000)
    old = children(nginx.master)
    for name in ("access.log", "error.log"):
        (nginx.home / name).rename(nginx.home / (name + ".1"))
    nginx.signal(signal.SIGUSR1)
    until(lambda: (nginx.home / "access.log").exists(), "the log is opened again")
    until(lambda: nginx.get() and nginx.log("access.log"), "requests are logged there")
    lines = nginx.log("access.log.1").count("\n")
    facts.check("requests after", many(nginx, 1000), 1000)
    facts.check("the old log stays as it is", nginx.log("access.log.1").count("\n"), lines)
    facts.check("the workers are the same", children(nginx.master) == old)
    for worker in old:
        os.kill(worker, signal.SIGUSR1)
    facts.check("requests after the workers' signal", many(nginx, 1000), 1000)
    facts.check("the workers are still the same", children(nginx.master) == old)
    facts.check("no report is written",
                any(nginx.side.has_reported(pid) for pid in {nginx.master, *old}), False)
    finish(facts, nginx)


def start_another(nginx):
    """A second master beside the first: the binary's upgrade (nginx(8)). Returns its pid."""
    old = children(nginx.master)
    nginx.signal(signal.SIGUSR2)
    until(lambda: children(nginx.master) - old, "a new master")
    master, = children(nginx.master) - old
    until(lambda: len(children(master)) == WORKERS, "its workers")
    return master


def old_workers_go(nginx, master):
    nginx.signal(signal.SIGWINCH)
    until(lambda: children(nginx.master) == {master}, "the old workers have gone")


def upgrade(facts, nginx, _backend):
    master = start_another(nginx)
    facts.check("requests with two masters", many(nginx, 1500), 1500)
    _, ill = under_load(nginx, lambda: old_workers_go(nginx, master))
    facts.check("requests lost by upgrading", ill, 0)
    os.kill(master, signal.SIGQUIT)
    until(lambda: master not in children(nginx.master) and nginx.workers() == WORKERS,
          "the old master has workers again")
    facts.check("requests after going back", many(nginx, 1500), 1500)
    master = start_another(nginx)
    old_workers_go(nginx, master)
    nginx.signal(signal.SIGQUIT)
    facts.check("status of the old master", nginx.end(), 0)
    nginx.master = master
    facts.check("requests with the new master", many(nginx, 1500), 1500)
    finish(facts, nginx)


def script(facts, side, part):
    with Backend() as backend, Nginx(side, backend) as nginx:
        globals()[part](facts, nginx, backend)


def play(side, part, only=None):
    del only  # a script is run as a whole
    return collect(script, side, part)
