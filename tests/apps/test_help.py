"""What the command says of itself: help, versions, misspelt words, the manual."""
import re
import shutil
import subprocess

import pytest

from process import DEADLINE, clean_env


@pytest.fixture
def poolguard(guard):
    def run(*args):
        return subprocess.run([guard.command, *args], env=clean_env(guard.home),
                              capture_output=True, text=True, timeout=DEADLINE)
    return run


def option_names():
    from guard import BUILD
    out = subprocess.run([BUILD / "poolguard", "man-options"], capture_output=True, text=True,
                         check=True).stdout
    return re.findall(r"^\.It Fl Fl (\S+) .* Ev POOLGUARD_(\S+)$", out, re.M)


def test_every_option_has_a_flag_and_a_variable():
    names = option_names()
    assert len(names) > 5
    for flag, env in names:
        assert flag.replace("-", "_").upper() == env


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"]])
def test_help_lists_the_subcommands(poolguard, args):
    done = poolguard(*args)
    assert done.returncode == 0 and done.stderr == ""
    for word in ("run", "report", "version"):
        assert re.search(rf"^  {word} ", done.stdout, re.M), done.stdout
    assert "man-options" not in done.stdout


@pytest.mark.parametrize("args", [["run", "--help"], ["help", "run"], ["run", "-h"],
                                  ["run", "--leak-after=1s", "--help", "true"]])
def test_help_of_run_names_every_flag(poolguard, args):
    done = poolguard(*args)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: poolguard run ")
    for flag in [name for name, _ in option_names()] + ["library", "config"]:
        assert f"  --{flag}=" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 84


def test_help_behind_the_command_is_the_commands_own(poolguard):
    done = poolguard("run", "ls", "--help")
    assert done.returncode == 0 and done.stdout.startswith("Usage: ls")


@pytest.mark.parametrize("word", ["report", "version"])
def test_each_subcommand_has_help(poolguard, word):
    done = poolguard("help", word)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: poolguard {word}")


def test_no_word_at_all_prints_the_usage_as_an_error(poolguard):
    done = poolguard()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: poolguard ")


@pytest.mark.parametrize("args, meant", [
    (["rnu"], "run"), (["reprot", "1"], "report"), (["help", "versoin"], "version"),
    (["hlep"], "help"), (["quux"], None)])
def test_an_unknown_subcommand_is_one_line_with_the_nearest_name(poolguard, args, meant):
    done = poolguard(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"poolguard: \S+: no such command; .*\n", done.stderr), done.stderr
    assert (f"did you mean {meant}?" in done.stderr) == (meant is not None)


@pytest.mark.parametrize("word", ["version", "--version"])
def test_version_names_the_state_files_and_the_library(poolguard, guard, word):
    done = poolguard(word)
    assert done.returncode == 0 and done.stderr == ""
    assert re.fullmatch(rf"poolguard \d+\.\d+\.\d+\nstate file version \d+\n"
                        rf"library {re.escape(str(guard.lib.resolve()))}\n", done.stdout)


def test_version_without_a_library_says_so(guard):
    shutil.copy(guard.command, guard.home / "poolguard")
    done = subprocess.run([guard.home / "poolguard", "version"], capture_output=True, text=True,
                          timeout=DEADLINE)
    assert done.returncode == 0
    assert "library libpoolguard.so: is neither beside this command nor in " in done.stdout


def test_help_that_can_not_be_written_is_an_error(guard):
    with open("/dev/full", "w") as full:
        assert subprocess.run([guard.command, "--help"], stdout=full).returncode != 0


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("page", ["poolguard.1", "libpoolguard.7"])
def test_the_manual_is_clean_and_has_every_option(guard, page):
    path = guard.command.parent / "man" / page
    if not path.exists():
        pytest.skip(f"{path} was not built")
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True,
                          text=True)
    assert lint.stdout == ""
    text = path.read_text()
    assert not re.search(r"@[A-Z]+@", text)
    for _, env in option_names():
        assert f"POOLGUARD_{env}" in text
