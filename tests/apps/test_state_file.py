"""What lies between library and command: state files, right and wrong ones; config files; and no
place for a state file at all. Whatever is wrong is said in one line, and everything else works."""
import os
import random
import shutil
import signal
import struct
import subprocess
from pathlib import Path

import pytest

import faults
import report
import truth
from guard import Guard
from matrix import PYTHON
from process import DEADLINE, Program, clean_env, until

ROOT = os.getuid() == 0
SIZE = 4096  # of the page that the header stands in

# shim/state/layout.h: offset and format of what the tests change
VERSION, HEADER_SIZE, FILE_SIZE, PID = (8, "<I"), (12, "<I"), (16, "<Q"), (24, "<i")
SUPPRESSIONS, SUPPRESSIONS_SIZE = 360, 256
ALL_REGIONS = {name: 656 + 24 * i
               for i, name in enumerate(["modules", "names", "hosts", "stacks", "sites", "conns",
                                         "tls", "http", "uses", "double closes"])}
HEADER_END = 656 + 24 * len(ALL_REGIONS)
# Those that hold something here.
REGIONS = {name: ALL_REGIONS[name] for name in ["modules", "hosts", "stacks", "sites", "conns",
                                                      "http", "uses"]}


def in_region(name, field):
    at, kind = {"offset": (0, "<Q"), "record_size": (8, "<I"), "capacity": (12, "<I"),
                "count": (16, "<I"), "dropped": (20, "<I")}[field]
    return REGIONS[name] + at, kind


@pytest.fixture
def reporting(guard):
    """poolguard report ARGS."""
    def run(*args, **more):
        env = clean_env(guard.home, POOLGUARD_STATE_DIR=guard.state)
        return subprocess.run([guard.command, "report", *map(str, args)], env=env, text=True,
                              errors="replace", timeout=DEADLINE,
                              **{"capture_output": True, **more})
    return run


def one_line(text, *words):
    assert text.startswith("poolguard: ") and text.count("\n") == 1 and text[-1] == "\n", text
    for word in words:
        assert str(word) in text, text


def refused(done, *words, status=24):
    """Nothing on stdout, one line that holds the words."""
    assert (done.returncode, done.stdout) == (status, ""), (done.returncode, done.stderr)
    one_line(done.stderr, *words)


# --- state files of the dead ----------------------------------------------------------------------

def open_now(pid):
    """The kernel's table of a moment with much traffic may have a row twice."""
    return sorted(set(truth.connections(pid)))


def box_of(guard, pid):
    [path] = guard.state.glob(f"{pid}-*.box")
    return path


class Dead:
    """A process that was killed with three connections open."""

    def __init__(self, home, server):
        guard = Guard(home)
        with Program([PYTHON, Path(__file__).parent / "clients/scripted.py"],
                     guard.env(leak_after="1h"), home / "stderr") as app:
            for _ in range(3):
                app.ask(f"open {server.host} {server.port}")
            app.ask("get /path")
            self.pid, self.kernel = app.pid, open_now(app.pid)
            self.box = box_of(guard, app.pid)
            app.popen.send_signal(signal.SIGKILL)
            assert app.popen.wait(DEADLINE) == -signal.SIGKILL


@pytest.fixture(scope="module")
def dead(tmp_path_factory):
    server = faults.Holds()
    yield Dead(tmp_path_factory.mktemp("dead"), server)
    server.stop()


@pytest.fixture
def copy(dead, home):
    """A copy of the good file, for the test to spoil."""
    subprocess.run(["cp", "--sparse=always", dead.box, home / "copy.box"], check=True)
    return home / "copy.box"


def put(path, place, value):
    offset, kind = place
    with open(path, "r+b") as f:
        f.seek(offset)
        f.write(struct.pack(kind, value))


def get(path, place):
    offset, kind = place
    with open(path, "rb") as f:
        f.seek(offset)
        return struct.unpack(kind, f.read(struct.calcsize(kind)))[0]


def all_connections(found):
    """Of the dead the local addresses are not known: Report.connections would take them for one."""
    return [c for g in found.groups for c in g.connections]


def assert_reports_the_dead(done, dead):
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 connections open when the process ended, 0 leaked" in done.stdout
    found = report.parse(done.stdout)
    assert found.pid == dead.pid
    assert sorted((c.remote, c.fds, c.state) for c in all_connections(found)) == \
        sorted((k.remote, k.fds, "established") for k in dead.kernel), done.stdout
    assert any(f.matches("_PyEval_EvalFrameDefault@*/python3*")
               for g in found.groups for f in g.frames), done.stdout


def test_these_tests_know_the_header(dead):
    assert get(dead.box, HEADER_SIZE) == HEADER_END and get(dead.box, PID) == dead.pid
    assert get(dead.box, FILE_SIZE) == dead.box.stat().st_size


def test_the_file_of_a_killed_process_is_reported(reporting, dead):
    assert_reports_the_dead(reporting(dead.box), dead)


def test_what_waited_once_and_was_read_is_not_called_unread(reporting, guard):
    """A look at the process saw bytes wait; then it read them, and waited for more."""
    stalls, holds = faults.Stalls(), faults.Holds()
    with Program([PYTHON, Path(__file__).parent / "clients/scripted.py"],
                 guard.env(leak_after="200ms"), guard.home / "stderr") as app:
        app.ask(f"open {stalls.host} {stalls.port}")
        app.ask("get /path")
        until(lambda: "  unread " in guard.printed(app.pid), "its answer")
        guard.by_signal(app.pid)
        app.ask("read")
        app.ask("wait 500")  # longer than leak_after
        app.ask(f"open {holds.host} {holds.port}")
        box = box_of(guard, app.pid)
        app.popen.send_signal(signal.SIGKILL)
        assert app.popen.wait(DEADLINE) == -signal.SIGKILL
    done = reporting(box)
    assert "HTTP: GET /path -> 200, response-body, 6 B read" in done.stdout, done.stdout
    assert not report.parse(done.stdout).of("LEAK"), done.stdout
    stalls.stop()
    holds.stop()


def test_a_killed_process_is_reported_by_its_pid(reporting, dead):
    assert_reports_the_dead(reporting("--state-dir", dead.box.parent, dead.pid), dead)


def test_a_file_is_reported_wherever_it_lies(reporting, dead, copy):
    assert_reports_the_dead(reporting(copy), dead)


def test_the_file_of_a_running_process_is_not_called_ended(reporting, guard, scripted, holds):
    app = scripted()
    app.ask(f"open {holds.host} {holds.port}")
    done = reporting(box_of(guard, app.pid))
    assert done.returncode == 0 and "process ended" not in done.stdout, done.stdout


# --- spoilt files ---------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 7, 8, 100, HEADER_END - 1, HEADER_END, SIZE - 1, SIZE,
                                  SIZE + 1, 1 << 20, -SIZE, -1])
def test_a_truncated_file_is_one_line(reporting, copy, size):
    os.truncate(copy, size if size >= 0 else copy.stat().st_size + size)
    refused(reporting(copy), copy)


def test_a_file_that_has_grown_is_one_line(reporting, copy):
    os.truncate(copy, copy.stat().st_size + 1)
    refused(reporting(copy), copy)


@pytest.mark.parametrize("size", [1, 64, SIZE, 1 << 20])
def test_random_bytes_are_one_line(reporting, home, size):
    (home / "noise").write_bytes(random.Random(size).randbytes(size))
    refused(reporting(home / "noise"), home / "noise")


def test_random_bytes_behind_the_right_magic_are_one_line(reporting, home):
    (home / "noise").write_bytes(b"PGBOX\r\n\x1a" + random.Random(1).randbytes(1 << 20))
    refused(reporting(home / "noise"), home / "noise")


def test_what_is_no_file_is_one_line(reporting, home):
    os.mkfifo(home / "fifo")
    (home / "loop").symlink_to(home / "loop")
    for path in (home, home / "nowhere", home / "fifo", home / "loop", "/dev/null", "/dev/zero",
                 "/dev/tty", "/etc/passwd/x", "/proc/self/mem"):
        refused(reporting(path), path)


@pytest.mark.parametrize("version", [0, 1, 0xffffffff])
def test_another_version_is_said_to_be_one(reporting, copy, version):
    put(copy, VERSION, version)
    refused(reporting(copy), copy, "another version")


CONTRADICTIONS = [
    ((0, "<B"), 0), (HEADER_SIZE, 0), (HEADER_SIZE, HEADER_END + 8), (FILE_SIZE, 0),
    (FILE_SIZE, 1 << 63), (PID, 0), (PID, -1),
    *((in_region(region, field), value) for region in REGIONS for field, value in [
        ("record_size", 0), ("record_size", 0xffffffff), ("count", 0xffffffff),
        ("capacity", 0xffffffff), ("capacity", 0), ("offset", (1 << 64) - 1),
        ("offset", 1 << 62)]),
]


@pytest.mark.parametrize("place, value", CONTRADICTIONS)
def test_a_header_that_contradicts_itself_is_one_line(reporting, copy, place, value):
    put(copy, place, value)
    refused(reporting(copy), copy)


def used_parts(box):
    """(start, end) of the header and of each region's records."""
    parts = [(0, HEADER_END)]
    for name in REGIONS:
        start = get(box, in_region(name, "offset"))
        size = get(box, in_region(name, "count")) * get(box, in_region(name, "record_size"))
        parts.append((start, start + size))
    return parts


def assert_judged_or_refused(done, spoilt):
    """A mutation may be one that nobody can see; but then there is a whole report."""
    if done.returncode != 0:
        refused(done)
        return
    assert report.parse(done.stdout) or "SUMMARY: poolguard:" in done.stdout, spoilt
    lines = done.stderr.splitlines()
    assert all(line.startswith("poolguard: ") for line in lines), (spoilt, done.stderr)


@pytest.mark.parametrize("seed", range(60))
def test_mutated_files_are_reported_or_refused(reporting, dead, copy, seed):
    chance = random.Random(seed)
    parts = used_parts(dead.box)
    spoilt = []
    with open(copy, "r+b") as f:
        for _ in range(chance.choice([1, 4, 64])):
            start, end = chance.choice(parts)
            at, byte = chance.randrange(start, end), chance.choice([0, 1, 0x7f, 0x80, 0xff])
            f.seek(at)
            f.write(bytes([byte]))
            spoilt.append((at, byte))
    assert_judged_or_refused(reporting(copy), spoilt)


@pytest.mark.parametrize("seed", range(12))
def test_records_of_random_bytes_are_reported_or_refused(reporting, dead, copy, seed):
    """The header is right, and nothing else is."""
    chance = random.Random(seed)
    with open(copy, "r+b") as f:
        for start, end in used_parts(dead.box)[1:]:
            f.seek(start)
            f.write(chance.randbytes(end - start))
    assert_judged_or_refused(reporting(copy), seed)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_said_to_be_full_is_reported(reporting, copy, region):
    """A million records that were never written."""
    put(copy, in_region(region, "count"), get(copy, in_region(region, "capacity")))
    done = reporting(copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert report.parse(done.stdout).open == 3


@pytest.mark.parametrize("named", [b"/dev/zero", b"/nowhere", b"x" * SUPPRESSIONS_SIZE, b"fifo"])
def test_a_file_that_names_bad_suppressions_is_reported(reporting, copy, home, named):
    os.mkfifo(home / "fifo")
    with open(copy, "r+b") as f:
        f.seek(SUPPRESSIONS)
        f.write(named.ljust(SUPPRESSIONS_SIZE, b"\0"))
    done = reporting(copy, cwd=home)
    assert done.returncode == 0 and report.parse(done.stdout).open == 3
    one_line(done.stderr)


# --- which process --------------------------------------------------------------------------------

def test_a_pid_that_does_not_exist_is_one_line(reporting, guard):
    gone = subprocess.Popen(["true"])
    gone.wait()
    refused(reporting(gone.pid), f"no process {gone.pid}", guard.state)
    refused(reporting(2 ** 31 - 1), f"no process {2 ** 31 - 1}")


def test_pid_1_is_one_line(reporting):
    refused(reporting(1), "process 1")


def test_an_unguarded_process_is_said_to_be_one(reporting):
    with subprocess.Popen(["sleep", "60"]) as sleep:
        refused(reporting(sleep.pid), f"process {sleep.pid} is not guarded", "poolguard run")
        sleep.kill()


def test_a_guarded_process_without_connections_is_said_to_be_one(reporting, scripted):
    app = scripted()
    app.ask("wait 0")
    refused(reporting(app.pid), f"process {app.pid} is guarded", "no connection")


def test_a_process_without_state_file_on_purpose_is_said_to_be_one(reporting, guard, scripted,
                                                                    holds):
    app = scripted(env={**guard.env(), "POOLGUARD_STATE_DIR": "off"})
    app.ask(f"open {holds.host} {holds.port}")
    refused(reporting(app.pid), f"process {app.pid}", "state_dir=off")
    assert guard.by_signal(app.pid).open == 1 and app.stderr == ""


FORKS = """
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
sys.stdin.readline()
os.kill(child, 9)
"""


def test_a_forked_child_without_events_is_said_to_be_one(reporting, guard, home, holds):
    with Program([PYTHON, "-c", FORKS, holds.host, holds.port], guard.env(),
                 home / "stderr") as app:
        child = int(app.hear())
        refused(reporting(child), f"process {child}", "forked")
        assert guard.by_command(app.pid).open == 1
        app.say("end")
        assert app.finish() == 0


def test_a_zombie_is_reported_as_it_was(reporting, guard, home, holds):
    app = Program([PYTHON, Path(__file__).parent / "clients/scripted.py"], guard.env(),
                  home / "stderr")
    with app:
        app.ask(f"open {holds.host} {holds.port}")
        os.kill(app.pid, signal.SIGKILL)
        os.waitid(os.P_PID, app.pid, os.WEXITED | os.WNOWAIT)
        done = reporting(app.pid)
        assert "1 connection open when the process ended" in done.stdout, done.stderr


@pytest.mark.parametrize("args, words", [
    ([], ["which process?"]), (["1", "2"], ["one process at a time"]),
    (["--state-dir"], ["--state-dir"]), (["-1"], ["-1"]), (["--quux", "1"], ["--quux"])])
def test_wrong_words_are_one_line_and_status_2(reporting, args, words):
    refused(reporting(*args), *words, status=2)


@pytest.mark.parametrize("name", ["", "0", "00", "99999999999999999999"])
def test_a_number_that_is_no_pid_is_one_line(reporting, name):
    refused(reporting(name), f'"{name}"')


def test_a_report_that_can_not_be_written_is_one_line(reporting, dead):
    with open("/dev/full", "w") as full:
        done = reporting(dead.box, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 24
    one_line(done.stderr)


@pytest.mark.skipif(not ROOT, reason="needs two users")
def test_another_users_process_and_file_are_one_line(guard, scripted, holds):
    app = scripted()
    app.ask(f"open {holds.host} {holds.port}")
    guard.home.chmod(0o755)
    command = shutil.copy(guard.command, guard.home)
    for name in (app.pid, box_of(guard, app.pid)):
        done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", command, "report",
                               str(name)], env=clean_env("/"), capture_output=True, text=True)
        refused(done, name)
    assert guard.by_command(app.pid).open == 1


# --- config files ---------------------------------------------------------------------------------

def session(app, server):
    """A program's little life: what can be seen of it."""
    app.ask(f"open {server.host} {server.port}")
    app.say("exit 5")
    status = app.finish()
    return status, app.transcript


def complaints(app):
    lines = app.stderr.splitlines()
    assert all(line.startswith("poolguard: ") for line in lines), app.stderr
    return lines


def noise(seed, size, without=b""):
    return bytes(b for b in random.Random(seed).randbytes(size) if b not in without)


CONFIGS = {  # name: (bytes, the number of lines that it is told in)
    "empty": (b"", 0),
    "crlf": (b"\xef\xbb\xbf# a comment\r\nleak_after = 1m\r\n", 0),
    "random": (noise(1, 4096), 1),
    "core": (b"\x7fELF" + bytes(4096), 1),
    "large": (b"# " + b"x" * (1 << 21), 1),
    "sentence": (b"please be lenient\n", 1),
    "misspelt": (b"leek_after = 1s\n", 1),
    "value": (b"leak_after = banana\n", 1),
    "section": (b"[hosts]\nleak_after = 1s\n", 1),
    "unclosed": (b"[host \"10.0.0.0/8]\nleak_after = 1s\n", 1),
    "pattern": (b"[host \"10.0.0.0/99\"]\nleak_after = 1s\n", 1),
    "process-option-for-a-host": (b"[host \"10.0.0.1\"]\nsignal = USR2\n", 1),
    "control": (b"\x1b[2J\x07\n", 1),
    "no-name": (b"= 7\n", 1),
    "twenty": (b"nonsense\n" * 20, 9),  # the first eight, and how many more
    "line-noise": (noise(2, 2048, without=b"\n\0"), 1),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_file_is_told_in_few_lines_and_the_program_runs_on(guard, scripted, home, holds,
                                                                    name):
    (home / "pg.conf").write_bytes(CONFIGS[name][0])
    app = scripted(env=guard.quiet_env(config=home / "pg.conf"))
    assert session(app, holds) == (5, ["OK"])
    told = complaints(app)
    assert len(told) == CONFIGS[name][1], app.stderr
    assert all(str(home / "pg.conf") in line and line.isprintable() and len(line) < 500
               for line in told), app.stderr


@pytest.mark.parametrize("name", ["nowhere/pg.conf", "directory", "fifo", "/dev/zero", "loop"])
def test_a_config_file_that_is_none_is_one_line(guard, scripted, home, holds, name):
    (home / "directory").mkdir()
    (home / "loop").symlink_to(home / "loop")
    os.mkfifo(home / "fifo")
    app = scripted(env=guard.quiet_env(config=home / name))
    assert session(app, holds) == (5, ["OK"])
    one_line(app.stderr, home / name)


def test_right_lines_count_among_wrong_ones(guard, scripted, home, closes_first):
    (home / "pg.conf").write_text("nonsense\nleak_after = 300ms\n[what]\nleak_after = 1h\n")
    app = scripted(config=home / "pg.conf")
    app.ask(f"open {closes_first.host} {closes_first.port}")
    app.ask("read")
    guard.verdict(app.pid, "LEAK", "peer-closed", 1)
    assert [line.split(": ")[1] for line in complaints(app)] == \
        [f"{home}/pg.conf:1", f"{home}/pg.conf:3"]


def test_the_environment_wins_over_the_file(guard, scripted, home, closes_first):
    (home / "pg.conf").write_text("leak_after = 1h\n")
    app = scripted(config=home / "pg.conf", leak_after="300ms")
    app.ask(f"open {closes_first.host} {closes_first.port}")
    app.ask("read")
    guard.verdict(app.pid, "LEAK", "peer-closed", 1)
    assert app.stderr == ""


@pytest.fixture
def second():
    """As closes_first, at another address."""
    server = faults.ClosesFirst("127.0.0.2")
    yield server
    server.stop()


@pytest.mark.parametrize("pattern", ["127.0.0.2", "127.0.0.2:{port}", "127.0.0.2/32", "127.0.0.2:*",
                                     "*.2"])
def test_a_host_section_makes_one_host_leak_earlier(guard, scripted, home, closes_first, second,
                                                    pattern):
    pattern = pattern.format(port=second.port)
    (home / "pg.conf").write_text(f'leak_after = 1h\n[host "{pattern}"]\nleak_after = 300ms\n')
    app = scripted(config=home / "pg.conf")
    for server in (closes_first, second):
        app.ask(f"open {server.host} {server.port}")
    app.ask("read")
    guard.verdict(app.pid, "LEAK", "peer-closed", 1)
    for found in guard.both(app.pid).values():
        assert [g.host for g in found.of("LEAK")] == [f"{second.host}:{second.port}"], found.text
        assert (found.open, found.leaked) == (2, 1), found.text
    assert app.stderr == ""


def test_the_first_section_that_matches_counts(guard, scripted, home, closes_first, second):
    (home / "pg.conf").write_text('leak_after = 300ms\n[host "127.0.0.2"]\nleak_after = 1h\n'
                                  '[host "127.0.0.0/8"]\nleak_after = 200ms\n')
    app = scripted(config=home / "pg.conf")
    for server in (closes_first, second):
        app.ask(f"open {server.host} {server.port}")
    app.ask("read")
    found = guard.verdict(app.pid, "LEAK", "peer-closed", 1)
    assert [g.host for g in found.of("LEAK")] == [f"{closes_first.host}:{closes_first.port}"]


# --- no place for a state file --------------------------------------------------------------------

def assert_reports_by_signal_alone(guard, reporting, app, server, count=3):
    for _ in range(count):
        app.ask(f"open {server.host} {server.port}")
    found = guard.by_signal(app.pid)
    kernel = open_now(app.pid)
    assert [(c.local, c.remote, c.fds) for c in found.connections] == \
        [(k.local, k.remote, k.fds) for k in kernel] and len(kernel) == count, found.text
    assert all(g.frames for g in found.groups)
    refused(reporting(app.pid), f"process {app.pid}")
    app.say("exit 5")
    assert app.finish() == 5


def no_places(home):
    (home / "file").write_text("")
    (home / "dangling").symlink_to(home / "nowhere")
    return {"file": home / "file", "below-a-file": home / "file" / "below",
            "dangling": home / "dangling", "two-deep": home / "nowhere" / "below",
            "device": "/dev/full", "proc": "/proc/poolguard", "sys": "/sys/poolguard",
            "long": "/tmp/" + "x" * 400}


@pytest.mark.parametrize("kind", ["file", "below-a-file", "dangling", "two-deep", "device", "proc",
                                  "sys", "long"])
def test_a_state_dir_that_can_not_be_is_one_line(guard, reporting, scripted, home, holds, kind):
    place = no_places(home)[kind]
    app = scripted(env={**guard.env(), "POOLGUARD_STATE_DIR": str(place)})
    assert_reports_by_signal_alone(guard, reporting, app, holds)
    one_line(app.stderr, "no state file", str(place)[:200])


@pytest.fixture
def mounted(guard, scripted):
    """Starts scripted.py where this shell text was run in a mount namespace of its own; without
    state_dir where its default is meant."""
    if not ROOT or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        pytest.skip("needs a mount namespace")

    def start(text, default=True):
        env = {**guard.env(), "GUARD": str(guard.lib)}
        del env["LD_PRELOAD"]
        if default:
            del env["POOLGUARD_STATE_DIR"]
        return scripted(env=env, wrapper=[
            "unshare", "-m", "sh", "-c",
            f'set -e; {text}; LD_PRELOAD="$GUARD" exec "$@"', "sh"])
    return start


@pytest.mark.parametrize("where", ["state_dir", "/dev/shm"])
@pytest.mark.parametrize("how", ["ro", "size=4k,nr_inodes=1"])
def test_a_place_that_takes_no_file_is_one_line(guard, reporting, mounted, holds, where, how):
    place = guard.state if where == "state_dir" else where
    app = mounted(f"mount -t tmpfs -o {how} none {place}", default=where != "state_dir")
    assert_reports_by_signal_alone(guard, reporting, app, holds)
    one_line(app.stderr, "no state file", place)


@pytest.mark.parametrize("text", [
    "mkdir -m 777 /dev/shm/poolguard-0", "ln -s /tmp /dev/shm/poolguard-0",
    "mkdir -m 700 /dev/shm/poolguard-0; chown 65534 /dev/shm/poolguard-0",
    "touch /dev/shm/poolguard-0"])
def test_a_default_directory_that_is_not_ours_alone_is_not_used(guard, reporting, mounted, holds,
                                                                text):
    app = mounted(f"mount -t tmpfs none /dev/shm; {text}")
    assert_reports_by_signal_alone(guard, reporting, app, holds)
    one_line(app.stderr, "no state file", "/dev/shm/poolguard-0")


def test_without_dev_shm_it_is_one_line(guard, reporting, mounted, holds):
    app = mounted("mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3")
    assert_reports_by_signal_alone(guard, reporting, app, holds)
    one_line(app.stderr, "no state file", "/dev/shm/poolguard-0")


def test_a_file_system_that_fills_up_leaves_the_signal_report_whole(guard, reporting, mounted,
                                                                    holds):
    app = mounted(f"mount -t tmpfs -o size=100k none {guard.state}", default=False)
    for _ in range(200):
        app.ask(f"open {holds.host} {holds.port}")
    found = guard.by_signal(app.pid)
    assert (found.open, len(found.connections)) == (200, 200), found.text
    done = reporting(app.pid)
    assert done.returncode == 0 and "incomplete" in done.stdout, done.stdout + done.stderr
    assert app.stderr == ""
    app.say("exit 5")
    assert app.finish() == 5


def test_a_state_file_that_was_removed_leaves_the_signal_report_whole(guard, reporting, scripted,
                                                                      holds):
    app = scripted()
    app.ask(f"open {holds.host} {holds.port}")
    box_of(guard, app.pid).unlink()
    assert guard.by_signal(app.pid).open == 1
    refused(reporting(app.pid), f"process {app.pid}", "removed")
    assert app.stderr == ""
