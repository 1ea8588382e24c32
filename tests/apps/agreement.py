"""What both reports and the kernel must agree on: which connections are open."""
import truth
from process import until


def compare(guard, pid):
    """Both reports, and the truth that held before and after they were made."""
    def settled():
        before = truth.connections(pid)
        reports = guard.both(pid)
        return (reports, before) if truth.connections(pid) == before else None

    return until(settled, f"the connections of {pid} stay the same for two reports")


def places(connections):
    return sorted((c.local, c.remote, sorted(c.fds), c.state) for c in connections)


def assert_same(report, kernel, how):
    assert places(report.connections) == places(kernel), f"by {how}:\n{report.text}"
    assert report.open == len(kernel), f"the header's count, by {how}:\n{report.text}"
    inbound = sum(group.count for group in report.of("INBOUND"))  # in no row of the table
    assert sum(int(row["open"]) for row in report.hosts.values()) == len(kernel) - inbound, \
        report.text
