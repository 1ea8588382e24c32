"""close() of a descriptor that was closed already: told with three stacks, and never where none is."""
from pathlib import Path

import pytest

from process import Program


def functions(group, section):
    return [frame.function for frame in group.stacks[section] if frame.function]


@pytest.fixture
def double_close(guard, bindir, home):
    """Runs the client in one of its ways; what was found, by each way to ask."""
    def run(way, **options):
        with Program([Path(bindir) / "double_close", way], guard.env(**options), home / way) as app:
            app.expect("READY")
            return guard.both(app.pid)
    return run


@pytest.mark.parametrize("way, again", [("owner", "cleanup"), ("stream", "by_stream"),
                                        ("raw", "by_raw_call")])
def test_both_closes_and_the_open_are_shown(double_close, way, again):
    for found in double_close(way).values():
        [group] = found.of("RISK")
        assert group.cls == "double-close" and "closed twice; 1 time" in group.title
        assert "dial" in functions(group, "opened")
        assert "finish" in functions(group, "closed")
        assert again in functions(group, "closed again")
        assert group.todo
        assert found.leaked == 0


def test_a_number_that_was_anothers_by_then_is_told_with_its_owner(double_close):
    for found in double_close("stranger").values():
        [group] = found.of("RISK")
        assert "dial" in functions(group, "opened") and "by_stranger" in functions(group, "opened")
        assert functions(group, "closed")[1:3] == ["finish", "culprit"]
        assert "cleanup" in functions(group, "closed again")
        assert "it closed that one twice and hit another" in group.evidence[0]


@pytest.mark.parametrize("way", ["sweep", "sweep-down", "reopened", "swept", "moved", "hole",
                                 "directory", "loop"])
def test_what_means_no_connection_in_particular_is_no_double_close(double_close, way):
    for found in double_close(way).values():
        assert found.of("RISK") == [], found.text


def test_a_handler_that_closes_meanwhile_does_no_harm(double_close):
    for found in double_close("interrupted").values():
        [group] = found.of("RISK")
        assert "cleanup" in functions(group, "closed again")


def test_it_can_be_suppressed_by_a_function_that_closes_again(double_close, home):
    for pattern, shown in (("leak:cleanup", False), ("class:double-close", False),
                           ("host:127.0.0.1", False), ("leak:nothing", True)):
        (home / "suppressions").write_text(pattern + "\n")
        for found in double_close("owner", suppressions=home / "suppressions").values():
            assert bool(found.of("RISK")) == shown, (pattern, found.text)
