"""What a wrong option does: one line that names it, and the program runs on."""
import pytest

WRONG = [
    ({"leak_after": "banana"}, ["POOLGUARD_LEAK_AFTER", "banana"]),
    ({"leek_after": "1s"}, ["POOLGUARD_LEEK_AFTER", "LEAK_AFTER"]),
    ({"exitcode": "4711"}, ["POOLGUARD_EXITCODE", "4711"]),
    ({"report_at_exit": "perhaps"}, ["POOLGUARD_REPORT_AT_EXIT", "perhaps"]),
    ({"signal": "SIGNAL"}, ["POOLGUARD_SIGNAL", "SIGNAL"]),
    ({"stack_depth": "-1"}, ["POOLGUARD_STACK_DEPTH", "-1"]),
    ({"config": "/nowhere/pg.conf"}, ["/nowhere/pg.conf"]),
    ({"suppressions": "/nowhere/supp"}, ["/nowhere/supp"]),
]


@pytest.mark.parametrize("options, named", WRONG, ids=lambda value: "".join(value))
def test_a_wrong_option_is_one_line_and_the_program_runs_on(guard, scripted, holds, options, named):
    app = scripted(env=guard.quiet_env(**options))
    app.ask(f"open {holds.host} {holds.port}")
    assert guard.by_command(app.pid).open == 1
    app.say("exit 5")
    assert app.finish() == 5
    lines = app.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("poolguard: "), app.stderr
    for word in named:
        assert word in lines[0], app.stderr


def test_right_options_say_nothing(guard, scripted, home, holds):
    (home / "pg.conf").write_text("leak_after = 2m\n[host \"10.0.0.0/8\"]\nleak_after = 1h\n")
    (home / "supp").write_text("")
    app = scripted(env=guard.quiet_env(config=home / "pg.conf", suppressions=home / "supp",
                                       exitcode=7, grace="0s", stack_depth=8, unwinder="glibc"))
    app.ask(f"open {holds.host} {holds.port}")
    app.say("exit 0")
    assert app.finish() == 0
    assert app.stderr == ""
