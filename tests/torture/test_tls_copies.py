"""Several libssl in one process, as bundles bring them: each caller gets the one that the loader
gives it, and what it does is told whichever that is.
"""
import glob
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import PROGRAMS, compiled
from look import assert_right, end, ready

TLS = ["-lssl", "-lcrypto"]


def patch(path, *how):
    """One change at a time: with several, patchelf mixes up their strings."""
    for flag, *values in how:
        subprocess.run(["patchelf", flag, *values, path], check=True)


def bundle(place, name):
    """Copies of the system's libraries, with names of their own, that find each other."""
    place.mkdir()
    for lib in ("ssl", "crypto"):
        [found] = glob.glob(f"/usr/lib/*/lib{lib}.so.3")
        shutil.copyfile(found, place / f"lib{lib}-{name}.so.3")
        patch(place / f"lib{lib}-{name}.so.3", ("--set-soname", f"lib{lib}-{name}.so.3"),
              ("--set-rpath", "$ORIGIN"))
    patch(place / f"libssl-{name}.so.3",
          ("--replace-needed", "libcrypto.so.3", f"libcrypto-{name}.so.3"))
    return [place / f"libssl-{name}.so.3", place / f"libcrypto-{name}.so.3", f"-Wl,-rpath,{place}"]


@pytest.fixture(scope="module")
def built(bindir, tmp_path_factory):
    """The plugin linked to the system's libssl, to a copy, to another, to none, and with one inside,
    which it exports as its own; a program that is linked to the system's; and that library."""
    if not shutil.which("patchelf"):
        pytest.skip("no patchelf")
    home = tmp_path_factory.mktemp("copies")

    def plugin(name, *libraries):
        return compiled(PROGRAMS / "lib_tls.c", home / f"{name}.so", "-shared", "-fPIC", *libraries)

    program = compiled(PROGRAMS / "tls_copies.c", home / "linked", "-DLINKED",
                       PROGRAMS / "lib_tls.c", *TLS)
    [libssl] = glob.glob("/usr/lib/*/libssl.so.3")
    return SimpleNamespace(
        system=plugin("system", *TLS), one=plugin("one", *bundle(home / "one", "one")),
        two=plugin("two", *bundle(home / "two", "two")),
        inside=plugin("libssl-inside", "-l:libssl.a", "-l:libcrypto.a"), none=bindir / "lib_tls.so",
        libssl=Path(libssl), linked=program, bindir=bindir)


SYSTEM, ONE, TWO = "libssl.so.3", "libssl-one.so.3", "libssl-two.so.3"
INSIDE = "libssl-inside.so"

# name: (program, [step, which libssl is at work], ...); bare and guarded
CASES = {
    "two plugins": ("tls_copies", ("local:{system}", SYSTEM), ("local:{one}", ONE),
                    ("talk:0", SYSTEM), ("talk:1", ONE), ("talk:0", SYSTEM)),
    "two bundles": ("tls_copies", ("local:{one}", ONE), ("local:{two}", TWO), ("talk:0", ONE),
                    ("talk:1", TWO)),
    "one plugin": ("tls_copies", ("local:{system}", SYSTEM), ("talk:0", SYSTEM)),
    "one bundle": ("tls_copies", ("local:{one}", ONE), ("talk:0", ONE)),
    "program, then bundle": ("linked", ("main", SYSTEM), ("local:{one}", SYSTEM), ("main", SYSTEM),
                             ("talk:0", SYSTEM)),
    "for everybody, then bundle": ("tls_copies", ("global:{libssl}", ""), ("local:{one}", SYSTEM),
                                   ("talk:1", SYSTEM)),
    "bundle, then for everybody": ("tls_copies", ("local:{one}", ONE), ("global:{libssl}", ""),
                                   ("talk:0", ONE)),
    "bundle, for everybody, another": (
        "tls_copies", ("local:{one}", ONE), ("global:{libssl}", ""), ("local:{two}", SYSTEM),
        ("talk:0", ONE), ("talk:2", SYSTEM)),
    "for everybody, then one that names none": (
        "tls_copies", ("global:{libssl}", ""), ("local:{none}", SYSTEM)),
    "by default": ("tls_copies", ("local:{one}", ONE), ("default:0", ONE), ("local:{system}", SYSTEM),
                   ("default:1", SYSTEM), ("default:0", ONE)),
    "program, by default": ("linked", ("main", SYSTEM), ("local:{one}", SYSTEM),
                            ("default:0", SYSTEM)),
    "bundle that is bound late, then for everybody": (
        "tls_copies", ("lazy:{one}", ""), ("global:{libssl}", ""), ("talk:0", SYSTEM),
        ("talk:0", SYSTEM)),
    "bundle that is bound late, then another": (
        "tls_copies", ("lazy:{one}", ""), ("local:{two}", TWO), ("talk:0", ONE), ("talk:1", TWO)),
    "one that has its own inside": (
        "tls_copies", ("local:{inside}", INSIDE), ("local:{system}", SYSTEM), ("talk:0", INSIDE),
        ("talk:1", SYSTEM), ("around:0", INSIDE)),
    "one around another": (
        "tls_copies", ("local:{system}", SYSTEM), ("local:{one}", ONE), ("local:{two}", TWO),
        ("around:0", SYSTEM), ("around:1", ONE), ("talk:1", ONE), ("talk:2", TWO)),
    "deep": ("tls_copies", ("deep:{system}", SYSTEM), ("deep:{one}", ONE), ("talk:0", SYSTEM),
             ("talk:1", ONE)),
}
UNLOADED = ("tls_copies", ("local:{system}", SYSTEM), ("talk:0", SYSTEM), ("unload:0", SYSTEM),
            ("local:{one}", ONE), ("unload:1", ONE), ("local:{two}", TWO), ("unload:2", TWO),
            ("local:{system}", SYSTEM), ("local:{one}", ONE), ("talk:3", SYSTEM), ("talk:4", ONE))


def wanted(steps):
    return [f"{step.split(':')[0]}: {name}".strip() for step, name in steps]


def run(start, built, program, steps, **how):
    """Bare and guarded; the former says what the loader gives each of them."""
    argv = [step.format(**vars(built)) for step, _ in steps]
    app = start(getattr(built, program, program), *argv, **how)
    return app, [line.strip() for line in ready(app)]


def assert_told(guard, app, pairs):
    """Of each pair both ends, each of which has passed 100 bytes one way."""
    report = assert_right(guard, app.pid, 2 * pairs)
    told = [c.tls for c in report.connections]
    assert all(tls and tls.version == "TLSv1.3" for tls in told), report.text
    assert sorted((tls.data_in, tls.data_out) for tls in told) == \
        [(0, 100)] * pairs + [(100, 0)] * pairs, report.text


@pytest.mark.parametrize("case", CASES)
def test_each_caller_has_the_libssl_that_it_has_bare(guard, start, built, case):
    program, *steps = CASES[case]
    bare, said = run(start, built, program, steps, guarded=False)
    assert said == wanted(steps), "not what the loader is known to do"
    end(bare)
    app, said = run(start, built, program, steps)
    assert said == wanted(steps)
    assert_told(guard, app, sum(bool(name) + step.startswith("around") for step, name in steps))
    end(app)


def test_plugins_come_and_go_at_the_same_addresses(guard, start, built):
    program, *steps = UNLOADED
    for guarded in (False, True):
        app, said = run(start, built, program, steps, guarded=guarded)
        assert said == wanted(steps)
        if guarded:
            assert_told(guard, app, 4)
        end(app)


def test_a_deep_bundle_beside_a_linked_program_has_one_libssl_for_all_calls(guard, start, built):
    """The flag is ignored, so that it has the program's; only a mixture would do harm."""
    steps = [("main", SYSTEM), ("deep:{one}", SYSTEM), ("talk:0", SYSTEM), ("default:0", SYSTEM)]
    app, said = run(start, built, "linked", steps)
    assert said == wanted(steps)
    assert_told(guard, app, 4)
    end(app)


@pytest.mark.parametrize("first", [True, False], ids=["we first", "it first"])
def test_calls_still_pass_another_library_that_stands_before_libssl(guard, start, built, first):
    steps, between = [("main", SYSTEM), ("between", "4")], built.bindir / "lib_between.so"
    bare, said = run(start, built, "linked", steps, guarded=False, env={"LD_PRELOAD": between})
    assert said == wanted(steps)
    end(bare)
    pair = [str(guard.lib), str(between)]
    app, said = run(start, built, "linked", steps,
                    env={"LD_PRELOAD": " ".join(pair if first else pair[::-1])})
    assert said == wanted(steps)
    assert_told(guard, app, 1)
    end(app)


def test_of_calls_by_pointers_of_dlsym_nothing_false_is_said(guard, start):
    """They pass us by, all but those that libssl makes of its own exports."""
    app = start("tls_dlsym", leak_after="100ms")
    ready(app)
    for _ in range(3):
        time.sleep(0.1)
        for report in guard.both(app.pid).values():
            assert not report.of("LEAK") and not report.of("RISK"), report.text
            assert report.open == 2 and report.leaked_objects == 0, report.text
            for tls in (c.tls for c in report.connections if c.tls):
                shown = {n for n in (tls.data_in, tls.data_out) if n is not None}
                assert shown <= {0, 100} and (tls.data_in, tls.data_out) != (0, 0), report.text
    end(app)
