"""Two ends of TLS connections that do what a test says (clients/peer.h), played twice: bare, and
with one end guarded. What both ends answer must be the same, and what the guard says must be true.

    @scenario(side="server", leak_after="300ms")
    def test_this(t): ...      t is a Scene; what asks the guard does nothing in the bare run
"""
import inspect
import re
import subprocess
import time
from pathlib import Path

from guard import Guard
from process import Program, clean_env, until

SLOT = re.compile(r"fd (\d+)")


def make_certificate(home, name="api.test"):
    """A self-signed one, of RSA: its signatures are all of one length."""
    paths = home / "certificate.pem", home / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True,
                   env=clean_env(home))
    return paths


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


class Peer(Program):
    """One end; `fd` is the descriptor of each slot."""

    def __init__(self, argv, env, stderr):
        super().__init__(argv, env, stderr)
        self.port, self.fd = int(self.hear()), {}
        self.transcript.clear()

    def do(self, line, wanted=None):
        """Answers of TLS calls begin with their result; `wanted` may be the beginning alone."""
        self.say(line)
        return self.did(line, wanted)

    def did(self, line, wanted=None):
        got = self.hear()
        assert got is not None, f"it ended ({self.popen.wait(10)}) at {line!r}\n{self.stderr}"
        self.transcript[-1] = f"{' '.join(line.split()[:2])}: {got}"  # no ports: those differ
        if slot := SLOT.fullmatch(got):
            self.fd[int(line.split()[2 if line.startswith("twin") else 1])] = int(slot.group(1))
        if wanted is not None:
            assert got == wanted or got.startswith(f"{wanted} "), "\n".join(self.transcript)
        return got


class Scene:
    """`done`: what a handshake gives, `bye`: the call that says close_notify and does not wait."""

    def __init__(self, client, server, stack, guarded=None, guard=None):
        self.client, self.server, self.guarded, self.guard = client, server, guarded, guard
        self.done, self.bye = {"openssl": ("1", "shutdown"), "gnutls": ("0", "half")}[stack]

    # --- what both ends do

    def both(self, client, server, wanted=None):
        """Each waits for the other."""
        wanted = self.done if wanted is None else wanted
        self.server.say(server)
        self.client.say(client)
        return self.client.did(client, wanted), self.server.did(server, wanted)

    def ctx(self, words="1.3", client="", server=""):
        self.client.do(f"ctx {words} {client}", "OK")
        self.server.do(f"ctx {words} {server}", "OK")

    def dial(self, slot=1):
        self.client.do(f"dial {slot} {self.server.port}")
        self.server.do(f"take {slot}")

    def new(self, slot=1, way="fd", name="api.test"):
        """Objects for the connection of the slot, which are about to shake hands."""
        self.client.do(f"new {slot} client", "OK")
        self.server.do(f"new {slot} server", "OK")
        if name:
            self.client.do(f"name {slot} {name}")
        self.client.do(f"use {slot} {way}")
        self.server.do(f"use {slot} fd")

    def shake(self, slot=1):
        self.both(f"connect {slot}", f"accept {slot}")

    def open(self, slot=1, **how):
        self.dial(slot)
        self.new(slot, **how)
        self.shake(slot)

    def talk(self, slot=1, out=100, back=50):
        self.client.do(f"write {slot} {out}", f"{out}")
        self.server.do(f"drain {slot} {out}", f"{out}")
        self.server.do(f"write {slot} {back}", f"{back}")
        self.client.do(f"drain {slot} {back}", f"{back}")

    # --- what the guard says

    def reports(self, pid=None):
        return self.guard.both(pid or self.guarded.pid).values() if self.guard else []

    def connection(self, report, slot, fd=None):
        fd = self.guarded.fd[slot] if fd is None else fd
        found = [c for c in report.connections if fd in c.fds]
        assert len(found) == 1, f"fd {fd}:\n{report.text}"
        return found[0]

    def says(self, slot=1, pid=None, **fields):
        """Of the TLS of the slot's connection, by each way to ask."""
        for report in self.reports(pid):
            tls = self.connection(report, slot).tls
            assert tls, f"no TLS in slot {slot}\n{report.text}"
            found = {name: getattr(tls, name) for name in fields}
            assert found == fields, f"{found}, not {fields}\n{report.text}"

    def says_no_tls(self, slot=1, fd=None):
        for report in self.reports():
            assert self.connection(report, slot, fd).tls is None, report.text

    def says_nothing_wrong(self):
        for report in self.reports():
            assert not report.of("LEAK") and not report.of("RISK"), report.text
            assert report.leaked == report.leaked_objects == 0, report.text

    def rest(self, milliseconds):
        """A clock, not an event: for what must not be said after some time."""
        if self.guard:
            time.sleep(milliseconds / 1000)

    def stays_healthy(self):
        """For longer than leak_after, which is 300 ms then."""
        for _ in range(2):
            self.rest(200)
            self.says_nothing_wrong()

    def told(self, kind, cls, *, count=0, objects=0):
        """Waits for the verdict; returns the groups of it, by each way to ask."""
        if not self.guard:
            return []

        def reached():
            found = self.guard.by_command(self.guarded.pid).of(kind, cls)
            return sum(g.count for g in found) >= count and sum(g.objects for g in found) >= objects

        until(reached, f"{kind} {cls}", deadline=10, pause=0.05)
        groups = []
        for report in self.reports():
            found = report.of(kind, cls)
            assert sum(g.count for g in found) == count, report.text
            assert sum(g.objects for g in found) == objects, report.text
            assert {(g.kind, g.cls) for g in report.groups
                    if g.kind in ("LEAK", "RISK")} == {(kind, cls)}, report.text
            groups += found
        return groups

    def end(self):
        for peer in (self.client, self.server):
            assert (peer.finish(), peer.stderr) == (0, ""), peer.transcript


def play(bindir, home, certificate, function, stack="openssl", side="client", **options):
    """Runs the scenario bare and guarded; all that the ends answer must be the same."""
    said = {}
    for how in ("bare", "guarded"):
        place = home / how
        place.mkdir()
        guard = Guard(place) if how == "guarded" else None
        env = {which: guard.env(**options) if guard and which == side else clean_env(place)
               for which in ("client", "server")}
        argv = [Path(bindir) / f"{stack}_peer", *certificate]
        with Peer(argv, env["client"], place / "client") as client, \
             Peer(argv, env["server"], place / "server") as server:
            guarded = {"client": client, "server": server}[side]
            t = Scene(client, server, stack, guarded, guard)
            function(t)
            t.end()
            said[how] = client.transcript, server.transcript
    for bare, guarded in zip(said["bare"], said["guarded"]):
        changed = [f"{b} | guarded: {g}" for b, g in zip(bare, guarded) if b != g]
        assert guarded == bare, "\n".join(changed)


def scenario(**how):
    """Makes a test of a function of a Scene; its further parameters are those of the test, and
    `stack` and `side` are those of the scene, too."""
    def decorate(function):
        def test(bindir, home, certificate, **arguments):
            chosen = {name: arguments[name] for name in ("stack", "side") if name in arguments}
            play(bindir, home, certificate, lambda t: function(t, **arguments), **how, **chosen)

        first, *others = inspect.signature(function).parameters.values()
        fixtures = [first.replace(name=name) for name in ("bindir", "home", "certificate")]
        test.__signature__ = inspect.Signature([*fixtures, *others])
        test.__name__, test.__doc__ = function.__name__, function.__doc__
        return test
    return decorate
