"""Threads that are cancelled end, and what their cleanup handlers close is closed."""
import pytest

from look import assert_right, end, ready

PLACES = [("deferred", "read"), ("deferred", "connect"), ("deferred", "accept"),
          ("async", "read"), ("async", "connect"), ("async", "accept"), ("deferred", "any")]


@pytest.mark.parametrize("kind, where", PLACES)
def test_cancelled_threads_end_and_leak_nothing(guard, start, loop, kind, where):
    app = start("cancel", kind, where, leak_after="1ms")
    ready(app)
    assert_right(guard, app.pid, 0)
    end(app)
