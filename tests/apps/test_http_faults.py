"""Real HTTP clients that do wrong on purpose: what both ways to ask say of it (http_faults.py)."""
import importlib.util
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import faults
import truth
from fault_server import FaultPages
from formats import one
from guard import Guard
from http_faults import CELLS
from json_report import reports
from matrix import CLIENTS
from process import Program, clean_env, until
from report import Frame, parse
from servers import HOST
from tls_matrix import resolving
from tls_servers import NAME

LEAK_AFTER = 0.3  # seconds
AT_ONCE = 6  # cells: most of the time of each is waiting
PHASES = {"body-unread": ("waiting", "response-head", "response-body"),
          "never-closed": ("complete",), "peer-closed": ("complete",)}
WAITS = ("stall", "slow", "patient", "endless", "transport")  # for a response, standing still


@pytest.fixture(scope="module")
def java_clients(bindir):
    sources = [CLIENTS / f"{name}.java" for name in ("HttpCommon", "HttpUrl", "HttpPool")]
    subprocess.run(["javac", "-d", bindir, *sources], check=True)


@pytest.fixture(scope="module")
def pages():
    server = FaultPages()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tls_pages(certificates):
    server = FaultPages(certificates)
    yield server
    server.stop()


# --- what a report says --------------------------------------------------------------------------

def frames(found, stack):
    stacks = {s["id"]: s["frames"] for s in found["stacks"]}
    return [Frame(f.get("function", ""), f.get("module", "")) for f in stacks[stack]]


def findings(found):
    """{(kind, class): its groups}, of all that is wrong."""
    wrong = {}
    for group in found["groups"]:
        if group["kind"] in ("leak", "waste", "risk"):
            wrong.setdefault((group["kind"], group["class"]), []).append(group)
    return wrong


def summed(found):
    """(kind, class, count, reasons) of each class, whatever groups it has."""
    return sorted((kind, cls, sum(g["count"] for g in groups),
                   frozenset(reason for g in groups for reason in g.get("reasons", {})))
                  for (kind, cls), groups in findings(found).items())


def as_expected(cell, found):
    said = summed(found)
    expected = sorted(cell.expected, key=lambda finding: (finding.kind, finding.cls))
    return len(said) == len(expected) and all(f.fits(*s) for f, s in zip(expected, said))


def assert_places(cell, found, host):
    """Each group names its host, what opened its connections, and of waste what closed them."""
    for (_, cls), groups in findings(found).items():
        for group in groups:
            assert f"{group['host']}:{group['port']}" == host, group
            assert group["evidence"] and group["todo"], group
            opened = frames(found, group["opened"])
            for pattern in cell.client.frames:
                assert any(frame.matches(pattern) for frame in opened), (pattern, opened)
            if cls == "closed-undrained" or set(group.get("reasons", {})) - {"kept"}:
                closed = frames(found, group["closed"])
                assert any(frame.matches(cell.client.closer) for frame in closed), closed


def assert_exchanges(found, run):
    """What each leaked connection was in the middle of, and that somebody used it."""
    listed = {connection["id"]: connection for connection in found["connections"]}
    for (_, cls), groups in findings(found).items():
        for group in (g for g in groups if cls in PHASES):
            assert frames(found, group["last_used"]), group
            for http in (listed[number]["http"] for number in group["connections"]):
                assert http["phase"] in PHASES[cls] and http["path"].startswith(f"/{run}/"), http


def assert_same_findings(found, other):
    def told(report):
        return sorted((g["class"], g["kind"], g["count"], g["fingerprint"],
                       sorted(g.get("reasons", {}).items()))
                      for groups in findings(report).values() for g in groups)
    assert told(found) == told(other)


def assert_text(found, text):
    """The same classes with the same counts."""
    said = {}
    for group in parse(text).groups:
        if group.kind in ("LEAK", "WASTE", "RISK"):
            key = group.kind.lower(), group.cls
            said[key] = said.get(key, 0) + group.count
    assert said == {(kind, cls): count for kind, cls, count, _ in summed(found)}, text


def by_signal(guard, pid):
    """The last one: PHP, which the signal would end, sends it to itself once more."""
    before = len(guard.reports(pid))
    os.kill(pid, guard.signal)
    text = until(lambda: guard.reports(pid)[before:].endswith("}\n") and
                 guard.reports(pid)[before:], f"a report of {pid} by signal")
    return reports(text)[-1]


def states(app):
    return sorted(connection.state for connection in truth.connections(app.pid))


# --- a cell --------------------------------------------------------------------------------------

class Runs:
    """The client of a cell, twice at the same time: bare and guarded."""

    def __init__(self, cell, server, port, bindir, ca, home):
        self.cell, self.server = cell, server
        self.host = f"{NAME if cell.over_tls else HOST}:{port}"
        self.guard = Guard(home, cell.client.signal)
        envs = {"bare": clean_env(home),
                "guarded": self.guard.env(leak_after=f"{LEAK_AFTER}s", format="json",
                                          report_at_exit="never")}
        self.apps = {}
        for how, env in envs.items():
            env = resolving(env, home / how) if cell.over_tls else env
            url = f"{'https' if cell.over_tls else 'http'}://{self.host}/{self.run(how)}"
            command = cell.client.command(url, cell.fault, bindir, cell.over_tls and ca)
            self.apps[how] = Program(command, env, home / how)

    def run(self, how):
        """The word by which the server knows it."""
        return f"{self.cell.name}-{how}"

    def end(self):
        for app in self.apps.values():
            app.__exit__()

    def stand_still(self):
        going = dict(self.apps)
        while going:
            for how, app in list(going.items()):
                line = app.hear()
                assert line is not None, f"{how}: {app.transcript[-5:]}\n{app.stderr}"
                if line == "STILL":
                    del going[how]
                elif line == "AGAIN":
                    until(lambda: states(app) == ["close-wait"], "the server closes")
                    app.say("go")
        if self.cell.fault in WAITS:
            until(lambda: all(self.server.requests(self.run(how)) for how in self.apps), "requests")
        time.sleep(1.5 * LEAK_AFTER)  # a clock, not an event: also for what must not be said

    def judge(self):
        pid, last = self.apps["guarded"].pid, []

        def reached():
            last[:] = [one(self.guard.printed(pid, "json"))]
            return as_expected(self.cell, last[0])

        try:
            until(reached, "the verdicts", deadline=6, pause=0.05)
        except AssertionError:
            raise AssertionError(f"{self.cell.name}: {summed(last[0])}, expected "
                                 f"{self.cell.expected}\n{self.guard.printed(pid)}") from None
        text = self.guard.printed(pid)
        signalled = by_signal(self.guard, pid)
        assert as_expected(self.cell, signalled), summed(signalled)
        assert_same_findings(signalled, last[0])
        assert_places(self.cell, signalled, self.host)
        assert_exchanges(signalled, self.run("guarded"))
        assert_text(signalled, text)

    def compare(self):
        """Neither its connections nor what it says, nor how it ends, is another one's."""
        bare, guarded = self.apps.values()
        until(lambda: states(bare) == states(guarded), "as many connections, in the same states")
        ends = []
        for how, app in self.apps.items():
            self.server.let_go(self.run(how))
            ends.append((app.finish(), app.transcript))
        assert ends[0] == ends[1] and ends[0][0] == 0, self.apps["guarded"].stderr


def play(cell, server, bindir, ca):
    with faults.refused_port() as refused, \
         tempfile.TemporaryDirectory(prefix="poolguard-test-") as home:
        port = refused.getsockname()[1] if cell.fault == "refused" else server.port
        runs = Runs(cell, server, port, bindir, ca, Path(home))
        try:
            runs.stand_still()
            runs.judge()
            runs.compare()
        finally:
            runs.end()


def missing(cell):
    return cell.client.needs and not importlib.util.find_spec(cell.client.needs)


@pytest.fixture(scope="module")
def played(request, bindir, java_clients, pages, tls_pages, certificates):
    """All the cells of this run, some at once: most of the time of each is waiting."""
    wanted = [item.callspec.params["cell"] for item in request.session.items
              if item.module is request.module and "cell" in getattr(item, "callspec").params]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {cell.name: pool.submit(play, cell, tls_pages if cell.over_tls else pages, bindir,
                                      certificates.ca)
               for cell in wanted if not missing(cell)}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_faults_of_http_clients_get_their_verdicts(cell, played):
    if missing(cell):
        pytest.skip(f"Debian's python3-{cell.client.needs} is not installed")
    played[cell.name].result()
