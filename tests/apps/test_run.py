"""`poolguard run`: the program is itself, and watched; where it can not be, a line says why."""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from process import DEADLINE, Program, clean_env

PYTHON = "/usr/bin/python3"
ROOT = os.getuid() == 0


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def run(guard):
    """poolguard run ARGS; `env` is added to a clean environment."""
    def start(*args, env=None, **more):
        return subprocess.run([guard.command, "run", *args], capture_output=True, text=True,
                              env=clean_env(guard.home, POOLGUARD_STATE_DIR=guard.state,
                                            **(env or {})), timeout=DEADLINE, **more)
    return start


@pytest.fixture(scope="module")
def built():
    """Compiles a C text with these flags; returns the file."""
    with tempfile.TemporaryDirectory(prefix="poolguard-built-") as tmp:
        os.chmod(tmp, 0o755)

        def build(name, *flags, text="int main(void) { return 0; }"):
            out = Path(tmp) / name
            done = subprocess.run(["gcc", "-x", "c", "-", "-o", out, *flags], input=text,
                                  text=True, capture_output=True)
            if done.returncode:
                pytest.skip(f"gcc {' '.join(flags)}: {done.stderr.splitlines()[0]}")
            return out
        yield build


def refused(done, status, *words):
    """It did not run: nothing on stdout, one line that holds the words."""
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert done.stderr.startswith("poolguard: ") and done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert str(word) in done.stderr


# --- the program is itself ------------------------------------------------------------------------

def test_a_program_runs_and_nothing_is_said(run):
    done = run("/bin/true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("status", [1, 2, 24, 127, 255])
def test_the_exit_status_is_the_programs(run, status):
    assert run("sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_death_by_a_signal_is_the_programs(run, sig):
    assert run("sh", "-c", f"ulimit -c 0; kill -{int(sig)} $$").returncode == -sig


def test_pid_arguments_and_input_are_the_programs(guard):
    argv = [guard.command, "run", "--", "sh", "-c", 'echo $$ "$0" "$@"; cat', "-x", "a b", "--"]
    with Program(argv, clean_env(guard.home), guard.home / "stderr") as app:
        assert app.hear() == f"{app.pid} -x a b --"
        app.say("through")
        assert app.hear() == "through"
        assert app.finish() == 0
    assert app.stderr == ""


def test_its_connections_are_reported(guard, holds):
    client = Path(__file__).parent / "clients" / "scripted.py"
    argv = [guard.command, "run", "--leak-after", "1m", PYTHON, client]
    env = clean_env(guard.home, POOLGUARD_STATE_DIR=guard.state)
    with Program(argv, env, guard.home / "stderr") as app:
        app.ask(f"open {holds.host} {holds.port}")
        assert guard.by_command(app.pid).open == 1


def test_the_program_is_found_along_path(run, guard):
    (guard.home / "bin").mkdir()
    (guard.home / "bin" / "tool").write_text("not executable")
    (guard.home / "more").mkdir()
    script(guard.home / "more" / "tool", "#!/bin/sh\necho found\n")
    path = f"{guard.home}/nowhere:{guard.home}/bin:{guard.home}/more:/bin"
    assert run("tool", env={"PATH": path}).stdout == "found\n"


# --- what it is given -----------------------------------------------------------------------------

def variables(done):
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def test_flags_become_variables_and_win_over_the_environment(run, guard):
    (guard.home / "pg.conf").write_text("grace = 1s\n")
    seen = variables(run("--leak-after=90s", "--signal", "USR2", "--report_at_exit=never",
                         "--config", "pg.conf", "/usr/bin/env", cwd=guard.home,
                         env={"POOLGUARD_LEAK_AFTER": "1h", "POOLGUARD_GRACE": "2s"}))
    assert seen["POOLGUARD_LEAK_AFTER"] == "90s"
    assert seen["POOLGUARD_SIGNAL"] == "USR2"
    assert seen["POOLGUARD_REPORT_AT_EXIT"] == "never"
    assert seen["POOLGUARD_GRACE"] == "2s"
    assert seen["POOLGUARD_CONFIG"] == str((guard.home / "pg.conf").resolve())


def test_the_library_comes_before_other_preloads(run, guard, built):
    other = built("libother.so", "-shared", "-fPIC", text="int nothing;")
    seen = variables(run("/usr/bin/env", env={"LD_PRELOAD": other}))
    assert seen["LD_PRELOAD"] == f"{guard.lib.resolve()}:{other}"


def test_the_library_is_preloaded_once(run, guard):
    seen = variables(run(guard.command, "run", "/usr/bin/env"))
    assert seen["LD_PRELOAD"] == str(guard.lib.resolve())


def asan_runtime():
    path = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True,
                          text=True).stdout.strip()
    return os.path.realpath(path) if os.path.isabs(path) else None


@pytest.mark.skipif(not asan_runtime(), reason="no libasan")
def test_the_library_comes_behind_the_runtime_of_asan(run, guard, built):
    other = built("libother.so", "-shared", "-fPIC", text="int nothing;")
    seen = variables(run("/usr/bin/env", env={"LD_PRELOAD": f"{asan_runtime()} {other}",
                                              "ASAN_OPTIONS": "detect_leaks=0"}))
    assert seen["LD_PRELOAD"] == f"{asan_runtime()}:{guard.lib.resolve()}:{other}"


def test_a_program_built_with_asan_starts(run, built):
    done = run(built("asan", "-fsanitize=address"))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_library_can_be_named(run, guard):
    copy = shutil.copy(guard.lib, guard.home / "libpoolguard.so")
    seen = variables(run("--library", "libpoolguard.so", "/usr/bin/env", cwd=guard.home))
    assert seen["LD_PRELOAD"] == str(copy)


def test_the_library_is_found_where_it_is_installed(guard):
    for part in ("bin", "lib/poolguard"):
        (guard.home / part).mkdir(parents=True)
    command = shutil.copy(guard.command, guard.home / "bin")
    library = shutil.copy(guard.lib, guard.home / "lib" / "poolguard")
    done = subprocess.run([command, "run", "/usr/bin/env"], capture_output=True, text=True,
                          env=clean_env(guard.home))
    assert variables(done)["LD_PRELOAD"] == str(library)


@pytest.mark.parametrize("name, make", [
    ("nothing.so", lambda path, library: None),
    ("text.so", lambda path, library: path.write_text("no library")),
    ("with blank.so", lambda path, library: shutil.copy(library, path)),
])
def test_a_library_that_the_loader_would_pass_over_is_refused(run, guard, name, make):
    make(guard.home / name, guard.lib)
    refused(run("--library", guard.home / name, "/bin/true"), 24, name)


# --- wrong flags ----------------------------------------------------------------------------------

@pytest.mark.parametrize("args, words", [
    (["--leek-after=1s"], ["--leek-after", "did you mean --leak-after?"]),
    (["--libary", "x"], ["--libary", "did you mean --library?"]),
    (["--quuxquux"], ["--quuxquux", "no such flag"]),
    (["-q"], ["-q", "no such flag"]),
    (["--leak-after=soon"], ["--leak-after=soon", "not a duration"]),
    (["--leak-after", "5"], ["--leak-after=5", "needs a unit"]),
    (["--unwinder=magic"], ["auto, libunwind, glibc"]),
    (["--exitcode=256"], ["--exitcode=256", "0 to 255"]),
    (["--signal=KILL"], ["--signal=KILL"]),
    (["--leak-after", "--"], ["--leak-after", "needs a value"]),
    (["--help=me"], ["--help"]),
    (["--config=/nowhere/pg.conf"], ["/nowhere/pg.conf", "no such file"]),
    (["--" + "x" * 5000], ["no such flag"]),
])
def test_a_wrong_flag_is_one_line_and_nothing_runs(run, args, words):
    refused(run(*args, "echo", "ran"), 2, *words)


@pytest.mark.parametrize("args", [[], ["--"], ["--leak-after=1s"]])
def test_no_command_is_one_line_with_the_usage(run, args):
    refused(run(*args), 2, "poolguard run [options]")


# --- programs that can not be seen ----------------------------------------------------------------

def test_a_command_that_is_not_there_is_127(run):
    refused(run("no-such-command"), 127, "no-such-command", "not found")
    refused(run("/no/such/command"), 127, "/no/such/command")
    refused(run(""), 127)


def test_a_file_that_is_not_executable_is_126(run, guard):
    (guard.home / "data").write_text("x")
    refused(run(guard.home / "data"), 126, guard.home / "data")
    refused(run(guard.home), 126, guard.home)


@pytest.mark.parametrize("flag", ["-static", "-static-pie"])
def test_a_static_program_is_refused(run, built, flag):
    path = built("prog" + flag, flag)
    refused(run(path), 24, path, "statically linked")


GO_NOTE = r'''
__asm__(".section .note.go.buildid,\"a\",@note\n.balign 4\n.long 4, 4, 4\n.ascii \"Go\\0\\0abcd\"\n");
int main(void) { return 0; }'''
GO_SECTION = r'''
__asm__(".section .go.buildinfo,\"a\"\n.ascii \"\\377 Go buildinf:\"\n");
int main(void) { return 0; }'''


@pytest.mark.parametrize("text", [GO_NOTE, GO_SECTION], ids=["note", "section"])
@pytest.mark.parametrize("flags", [[], ["-static", "-s"]], ids=["dynamic", "static"])
def test_a_go_program_is_refused(run, built, text, flags):
    path = built("go-program", *flags, text=text)
    refused(run(path), 24, path, "makes raw system calls that a preloaded library does not see")


def test_a_program_for_another_word_size_is_refused(run, guard):
    data = bytearray(Path("/bin/true").read_bytes())
    data[4] = 1  # EI_CLASS: ELFCLASS32
    (guard.home / "small").write_bytes(data)
    (guard.home / "small").chmod(0o755)
    refused(run(guard.home / "small"), 24, "another machine or word size")


def test_a_program_for_another_libc_is_refused(run, built):
    path = built("musl", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1")
    refused(run(path), 24, path, "another C library")


def test_a_program_whose_loader_is_missing_is_127(run, built):
    path = built("lost", "-Wl,--dynamic-linker=/nowhere/ld-linux.so.2")
    refused(run(path), 127, path, "loader")


@pytest.mark.skipif(not ROOT, reason="needs root to give a file away")
@pytest.mark.parametrize("owner, mode", [((65534, -1), 0o4755), ((-1, 65534), 0o2755)])
def test_a_program_that_changes_the_user_or_group_is_refused(run, guard, owner, mode):
    copy = Path(shutil.copy("/bin/true", guard.home / "su"))
    os.chown(copy, *owner)
    copy.chmod(mode)
    refused(run(copy), 24, copy, "the loader ignores LD_PRELOAD")


def test_the_setuid_bit_on_a_file_of_ones_own_changes_nothing(run, guard):
    copy = Path(shutil.copy("/bin/true", guard.home / "su"))
    copy.chmod(0o6755)
    assert run(copy).returncode == 0


@pytest.mark.skipif(not ROOT or not shutil.which("setcap"), reason="needs root and setcap")
def test_a_program_with_capabilities_is_refused_to_others_than_root(run, guard, built):
    path = built("capable")
    if subprocess.run(["setcap", "cap_net_raw+ep", path], capture_output=True).returncode:
        pytest.skip("the file system keeps no capabilities")
    assert run(path).returncode == 0
    for file in (guard.command, guard.lib):
        shutil.copy(file, path.parent)
    done = subprocess.run([path.parent / "poolguard", "run", path], capture_output=True, text=True,
                          user=65534, group=65534, env=clean_env("/"))
    refused(done, 24, path, "file capabilities")


@pytest.mark.skipif(ROOT, reason="root can read every file")
def test_a_program_that_may_be_run_but_not_read_runs(run, guard):
    copy = Path(shutil.copy("/bin/true", guard.home / "secret"))
    copy.chmod(0o111)
    assert run(copy).returncode == 0


# --- scripts --------------------------------------------------------------------------------------

@pytest.mark.parametrize("line", [
    "#!/usr/bin/python3", "#! /usr/bin/python3 -u", "#!/usr/bin/env python3",
    "#!/usr/bin/env -S python3 -u", "#!/usr/bin/env -S -u HOME X=1 python3"])
def test_a_script_runs(run, guard, line):
    path = script(guard.home / "hello", f"{line}\nprint('hello')\n")
    done = run(path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_a_script_without_a_first_line_runs_in_the_shell(run, guard):
    path = script(guard.home / "plain", "echo hello\n")
    assert run(path).stdout == "hello\n"


@pytest.mark.parametrize("line", ["#!{}", "#! {} -x", "#!/usr/bin/env {}", "#!/usr/bin/env -S {} a"])
def test_a_script_is_refused_for_its_interpreter(run, guard, built, line):
    static = built("interpreter", "-static")
    path = script(guard.home / "s", line.format(static) + "\n")
    refused(run(path), 24, f"{path} runs {static}, which is statically linked")


def test_a_script_run_by_a_script_is_followed(run, guard, built):
    last = built("interpreter", "-static")
    for level in range(3):
        last = script(guard.home / f"s{level}", f"#!{last}\n")
    refused(run(last), 24, f"{last} runs {built('interpreter', '-static')}")


def test_scripts_without_end_are_refused(run, guard):
    path = guard.home / "self"
    script(path, f"#!{path}\n")
    refused(run(path), 126, path)


def test_a_script_whose_interpreter_is_missing_is_127(run, guard):
    path = script(guard.home / "s", "#!/nowhere/python9\n")
    refused(run(path), 127, f"{path} runs /nowhere/python9, which was not found")


@pytest.mark.parametrize("words", ["-i python3", "-u LD_PRELOAD python3", "- python3",
                                   "LD_PRELOAD=/x python3"])
def test_a_script_that_takes_the_preload_away_is_refused(run, guard, words):
    path = script(guard.home / "s", f"#!/usr/bin/env -S {words}\n")
    refused(run(path), 24, path, "LD_PRELOAD")
