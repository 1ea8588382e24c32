"""Many threads with many TLS objects, which lie where others have lain: in the end there is none."""
import select

import pytest

import truth
from look import boxes, end, ready
from process import until
from sampler import Sampler

SECONDS = 1.5


@pytest.mark.parametrize("way", ["own", "given"])
def test_threads_that_begin_and_end_tls_leave_nothing_behind(guard, start, way, request):
    seconds = max(SECONDS, request.config.loop_seconds)
    app = start("tls_threads", way, 16, leak_after="1h", env={"TORTURE_LOOP": seconds})
    sampler = Sampler(guard, app.pid)
    until(lambda: app.pid in boxes(guard), "the state file", pause=0.05)
    while not select.select([app.popen.stdout], [], [], 0.1)[0]:
        for report in sampler.look(), guard.by_signal(app.pid):
            assert not report.of("LEAK") and not report.of("RISK"), report.text
    [opened] = ready(app)
    assert sampler.compared > 0 or way == "own"  # those live for less than a look
    assert truth.connections(app.pid) == []
    for report in guard.both(app.pid).values():
        assert report.open == report.leaked == report.leaked_objects == 0, report.text
        assert not report.groups and not report.notes, report.text
        assert sum(int(row["opened"]) for row in report.hosts.values()) == int(opened), report.text
    end(app)


def test_children_of_a_process_with_such_threads_go_on(guard, start):
    app = start("tls_threads", "fork", 8, leak_after="1h", env={"TORTURE_LOOP": SECONDS})
    [opened] = ready(app)
    for report in guard.both(app.pid).values():
        assert report.open == report.leaked_objects == 0 and not report.groups, report.text
        assert sum(int(row["opened"]) for row in report.hosts.values()) == int(opened), report.text
    end(app)


@pytest.mark.long
@pytest.mark.parametrize("leak_after", ["1ms", "20ms"])
def test_healthy_threads_get_no_verdict_of_tls(guard, start, leak_after):
    """However short it is: an object is freed right before or after its socket is closed."""
    app = start("tls_threads", "own", 16, leak_after=leak_after, env={"TORTURE_LOOP": SECONDS})
    ready(app)
    for report in guard.both(app.pid).values():
        assert not report.of("LEAK") and report.leaked_objects == 0, report.text
    end(app)
