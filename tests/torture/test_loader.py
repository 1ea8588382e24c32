"""Plugins, and what they bind to."""
import re
import subprocess

import pytest

from conftest import PROGRAMS, compiled
from look import assert_right, end, ready


@pytest.fixture
def plugin(bindir, home):
    """A program whose RUNPATH alone finds its plugin."""
    return compiled(PROGRAMS / "plugin.c", home / "plugin", f"-Wl,-rpath,{bindir}",
                    "-Wl,--enable-new-dtags")


@pytest.mark.parametrize("mode", ["deepbind", "runpath"])
def test_a_plugin_is_found_by_runpath_and_its_connections_are_seen(guard, start, plugin, mode):
    app = start(plugin, mode)
    ready(app)
    assert_right(guard, app.pid, 3)
    end(app)


@pytest.mark.parametrize("unwinder", ["auto", "libunwind", "glibc"])
def test_exceptions_are_thrown_through_our_frames_and_by_the_own_unwinder(guard, bindir, port,
                                                                        home, unwinder):
    env = {**guard.env(unwinder=unwinder, report_at_exit="always"), "LD_DEBUG": "bindings",
           "LD_DEBUG_OUTPUT": home / "bindings"}
    done = subprocess.run([bindir / "throws", str(port), bindir / "lib_throws.so"], env=env,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "100 caught\n", "")
    [said] = [path.read_text() for path in home.glob("bindings.*")]
    bound = re.findall(r"binding file \S*/(\S+) \[0\] to \S*/(\S+) \[0\]: normal symbol"
                       r" `(_Unwind_\w+)'", said)
    by_whom = {whom for who, whom, _ in bound if "libstdc++" in who or "lib_throws" in who}
    assert by_whom == {"libgcc_s.so.1"}, bound


def test_a_constructor_may_wait_for_a_thread_that_connects(guard, bindir, port):
    env = {**guard.env(), "TORTURE_PORT": str(port)}
    done = subprocess.run([bindir / "loads", bindir / "lib_waits.so"], env=env, capture_output=True,
                          text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "READY\n"), done.stderr
