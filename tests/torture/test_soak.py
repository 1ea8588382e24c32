"""Everything at once for a long time: `make soak`. The short form is part of `make test`."""
import os
import re
import select
from pathlib import Path

import truth
from look import boxes, end, ready
from process import until
from sampler import Sampler

SECONDS = float(os.environ.get("SOAK_SECONDS", 5))
CONNECTIONS = int(os.environ.get("SOAK_CONNECTIONS", 0))
SPARE = 512  # KiB by which memory may grow after the warm-up


def memory(guard, pid):
    """KiB that the process has: in its state file, and of its own."""
    [box] = guard.state.glob(f"{pid}-*.box")
    status = Path(f"/proc/{pid}/status").read_text()
    return box.stat().st_blocks // 2, int(re.search(r"RssAnon:\s+(\d+)", status).group(1))


def says_something(app, seconds):
    return bool(select.select([app.popen.stdout], [], [], seconds)[0])


def assert_flat(samples):
    """From its second quarter on, a run that is long enough to tell has no more than it had."""
    if len(samples) < 40:
        return
    part = len(samples) // 4
    for kind in (0, 1):
        warm = max(sample[kind] for sample in samples[part:2 * part])
        assert max(sample[kind] for sample in samples[2 * part:]) <= warm + SPARE, samples


def test_soak(guard, start):
    app = start("soak", SECONDS, CONNECTIONS, leak_after="1h", env={"TORTURE_LOOP": SECONDS},
                wrapper=["nice"])
    sampler, samples = Sampler(guard, app.pid), []
    until(lambda: app.pid in boxes(guard), "the state file", pause=0.05)
    while not says_something(app, 0.1):
        sampler.look()
        samples.append(memory(guard, app.pid))
    [said] = ready(app)
    opened, failed, children = map(int, said.split())
    print(f"{opened} connections, {failed} of them failed, {children} children,"
          f" {len(samples)} samples, {sampler.compared} connections compared,"
          f" memory {samples[len(samples) // 2]} -> {samples[-1]} KiB")
    assert opened >= CONNECTIONS and sampler.compared > 0

    report = guard.by_command(app.pid)
    assert truth.connections(app.pid) == [] and report.open == report.leaked == 0, report.text
    assert not report.groups and not report.notes, report.text
    for row in report.hosts.values():
        assert row["open"] == row["in use"] == row["idle"] == row["leaked"] == "0", report.text
    total = {name: sum(int(row[name]) for row in report.hosts.values())
             for name in ("opened", "failed")}
    assert total == {"opened": opened, "failed": failed}, report.text

    assert_flat(samples)
    fds = {int(fd) for fd in os.listdir(f"/proc/{app.pid}/fd")}
    assert fds == {0, 1, 2, 3, 4}  # those of the program: a port that refuses, a file to send
    end(app)
