"""The guard's word against the kernel's, for a program that stands still."""
import re

import truth
from process import until


def places(connections):
    return sorted((c.local, c.remote, sorted(c.fds)) for c in connections)


def assert_right(guard, pid, count):
    """The guard names the connections that the kernel has, `count` of them; none is unseen."""
    kernel = truth.connections(pid)
    report = guard.by_command(pid)
    assert places(report.connections) == places(kernel), report.text
    assert len(kernel) == report.open == count, report.text
    assert not report.notes, report.text
    return report


def assert_accounted(guard, pid):
    """The guard names what the kernel has, and has counted the rest: of the connections that other
    threads opened and closed while their process forked, the child's memory need not know."""
    kernel = places(truth.connections(pid))
    report = guard.by_command(pid)
    unseen = [int(re.search(r"\d+", note).group()) for note in report.notes]
    assert all(place in kernel for place in places(report.connections)), report.text
    assert report.open + sum(unseen) == len(kernel), report.text
    return report


def ready(app):
    """The lines that the program says before READY."""
    said = []
    while (line := app.hear()) != "READY":
        assert line is not None, f"it ended ({app.popen.wait(10)}) after {said}\n{app.stderr}"
        said.append(line)
    return said


def end(app, status=0):
    """Lets it go on to its end: the status is right, and nobody has said anything on stderr."""
    app.say("")
    assert (app.finish(), app.stderr) == (status, "")


def boxes(guard):
    """The pids of which there are state files."""
    return {int(path.name.split("-")[0]) for path in guard.state.glob("*.box")}


def stays_ended(pid):
    """Waits until a process that is not our child has ended."""
    def ended():
        try:
            with open(f"/proc/{pid}/stat") as f:
                return f.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True
    return until(ended, f"the end of {pid}")
