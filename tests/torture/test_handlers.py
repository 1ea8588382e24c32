"""Signal handlers that connect, whatever they interrupt and however they leave."""
import subprocess
import time

import pytest

from look import assert_right, end, ready

UNWINDERS = ["auto", "libunwind", "glibc"]


@pytest.mark.parametrize("unwinder", UNWINDERS)
@pytest.mark.parametrize("main", ["connect", "dlopen"])
def test_a_handler_may_connect_while_main_is_at_it(guard, start, bindir, loop, main, unwinder):
    app = start("handlers", main, bindir / "lib_plugin.so", unwinder=unwinder)
    ready(app)
    assert_right(guard, app.pid, 5)
    end(app)


@pytest.mark.parametrize("unwinder", UNWINDERS)
def test_a_handler_that_jumps_out_of_a_call_makes_no_other_stall(guard, start, loop, unwinder):
    app = start("handlers", "jump", unwinder=unwinder)
    ready(app)
    assert_right(guard, app.pid, 5)
    end(app)


@pytest.mark.parametrize("count", [0, 63])
def test_a_handler_that_jumps_out_of_a_first_capture_leaves_others_free(guard, bindir, port, loop,
                                                                        count):
    until, turn = time.monotonic() + loop, 0
    while turn < 20 or time.monotonic() < until:
        delay, turn = turn * 37 % (1500 if count else 100), turn + 1
        done = subprocess.run([bindir / "first_capture", str(port), str(delay), str(count)],
                              env=guard.env(), capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, ""), f"after {delay} us"
