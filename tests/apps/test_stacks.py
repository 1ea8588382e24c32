"""The opening stack names the functions that were called, whoever compiled them, and no others."""
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import truth
from matrix import CLIENTS
from process import Program

SOURCE = CLIENTS / "known_functions.c"
CHAIN = ["opener", "middle", "outer", "main"]
COMPILERS = [cc for cc in ("gcc", "clang") if shutil.which(cc)]
FRAME = re.compile(r"#\d+ (\S+?)(?:\+0x([0-9a-f]+))? \((\S+)\+0x([0-9a-f]+)\)")


@dataclass
class Place:
    """A frame with its numbers."""
    function: str  # "" when the report shows the address alone
    offset: int
    module: str
    address: int


def place(line):
    m = FRAME.match(line)
    assert m, f"not a frame: {line!r}"
    name, offset, module, address = m.groups()
    return Place(name if offset else "", int(offset or "0", 16), module, int(address, 16))


def stacks(report):
    """The places of each group of the report, the call itself left out."""
    found = []
    for block in re.split(r"\n(?===\d+== )", report.text):
        lines = [line.strip() for line in block.splitlines()]
        if "connections:" in lines:
            found.append([place(line) for line in lines if re.match(r"#[1-9]", line)])
    assert len(found) == len(report.groups), report.text
    return found


@pytest.fixture(scope="module")
def built():
    """Compiles clients/known_functions.c with these flags; returns the file."""
    with tempfile.TemporaryDirectory(prefix="poolguard-stacks-") as tmp:
        made = {}

        def build(*flags, cc="gcc"):
            if (cc, flags) not in made:
                out = Path(tmp) / f"known{len(made)}"
                subprocess.run([cc, "-std=gnu11", "-o", out, *flags, SOURCE], check=True)
                made[cc, flags] = out
            return made[cc, flags]
        yield build


def plugin(built, directory, name, *flags):
    """A plugin built as `name`, in a file of that name."""
    made = built(f"-DPLUGIN={name}", "-shared", "-fPIC", "-O1", *flags)
    return Path(shutil.copy(made, directory / f"lib{name}.so"))


@pytest.fixture
def known(guard, home, holds):
    """Starts the program, guarded with these options; ended with the test."""
    started = []

    def start(binary, **options):
        app = Program([binary, holds.host, holds.port], guard.env(**options), home / "stderr")
        app.binary = binary
        started.append(app)
        return app

    yield start
    for app in started:
        app.__exit__()


def functions(binary):
    """{name: (address, size)} of its symbol table."""
    table = subprocess.run(["nm", "-S", binary], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in table.splitlines()]
    return {row[3]: (int(row[0], 16), int(row[1], 16))
            for row in rows if len(row) == 4 and row[2] in "tT"}


def owner(table, address):
    return next((name for name, (start, size) in table.items()
                 if start <= address < start + size), "")


def assert_chain(report, binary):
    """One stack: opener, middle, outer, main, each where the linker put it."""
    table = functions(binary)
    [stack] = stacks(report)
    own = [p for p in stack if p.module == str(binary)]
    assert [p.function for p in own][:4] == CHAIN, report.text
    for p in own[:4]:
        start, size = table[p.function]
        assert 0 < p.offset < size and p.address == start + p.offset, (p, report.text)


# --- names ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("flags", ["-O0", "-O1", "-O2", "-O3", "-O2 -no-pie"])
@pytest.mark.parametrize("cc", COMPILERS)
def test_every_function_of_the_chain_is_named_without_frame_pointers(guard, known, built, cc,
                                                                     flags):
    binary = built("-fomit-frame-pointer", *flags.split(), cc=cc)
    app = known(binary)
    app.ask("open 1")
    for report in guard.both(app.pid).values():
        assert_chain(report, binary)


def test_a_stripped_binary_gives_modules_and_offsets(guard, known, built, home):
    whole = built("-O2", "-fomit-frame-pointer")
    bare = home / "stripped"
    subprocess.run(["strip", "-o", bare, whole], check=True)
    app = known(bare)
    app.ask("open 1")
    for report in guard.both(app.pid).values():
        assert {c.local for c in report.connections} == \
            {c.local for c in truth.connections(app.pid)}
        [stack] = stacks(report)
        own = [p for p in stack if p.module == str(bare)][:4]
        assert [p.function for p in own] == [""] * 4, report.text
        table = functions(whole)
        assert [owner(table, p.address) for p in own] == CHAIN, report.text


# --- unwinders and depth --------------------------------------------------------------------------

def test_every_unwinder_gives_the_same_frames_early_and_late(guard, known, built):
    binary = built("-O2", "-fomit-frame-pointer")
    seen = {}
    for unwinder in ("glibc", "libunwind", "auto"):
        app = known(binary, unwinder=unwinder)
        app.ask("open 100")  # libunwind takes a thread over after its first captures
        for how, report in guard.both(app.pid).items():
            assert sum(g.count for g in report.groups) == 100, report.text
            for stack in stacks(report):
                names = tuple(p.function for p in stack if p.function)
                seen.setdefault(names, set()).add((unwinder, how))
        assert app.stderr == ""
    assert len(seen) == 1, seen
    assert list(next(iter(seen)))[:4] == CHAIN


def test_equal_stacks_of_two_unwinders_are_one_group(guard, known, built):
    app = known(built("-O2", "-fomit-frame-pointer"), unwinder="auto")
    app.ask("open 100")
    for report in guard.both(app.pid).values():
        assert [g.count for g in report.groups] == [100], report.text


@pytest.mark.parametrize("unwinder", ["glibc", "libunwind"])
@pytest.mark.parametrize("depth, names", [(1, CHAIN[:1]), (2, CHAIN[:2]), (0, None)])
def test_stack_depth_is_the_number_of_frames(guard, known, built, unwinder, depth, names):
    app = known(built("-O2", "-fomit-frame-pointer"), stack_depth=depth, unwinder=unwinder)
    app.ask("open 2")
    for report in guard.both(app.pid).values():
        [group], [stack] = report.groups, stacks(report)
        assert group.count == len(group.connections) == 2
        assert ("  opened:\n" in report.text) == (names is not None), report.text
        assert [p.function for p in stack] == (names or []), report.text


# --- objects that come and go ---------------------------------------------------------------------

def call(app, symbol):
    """A connection through the plugin's function; its address."""
    app.say(f"call {symbol}")
    answer = app.hear()
    assert answer.startswith("0x"), answer
    return int(answer, 16)


def of_plugins(report, program):
    """For each group the (function, file) of the frames before the program's own."""
    return [[(p.function, Path(p.module).name)
             for p in itertools.takewhile(lambda p: p.module != str(program), stack)]
            for stack in stacks(report)]


def frames_of(name):
    return [(f, f"lib{name}.so") for f in ("opener", f"{name}_dial", f"{name}_open")]


def assert_alpha_or_nothing(frames, how):
    """Its file is gone; what it exports can still be read in the process."""
    assert [module for _, module in frames] == ["libalpha.so"] * 3
    assert {f for f, _ in frames[:2]} == {""}
    assert frames[2][0] == ("alpha_open" if how == "signal" else "")


def test_a_library_replaced_on_disk_gives_no_wrong_name(guard, known, built, home):
    app = known(built("-O1"))
    old, new = plugin(built, home, "alpha"), plugin(built, home, "gamma")
    app.ask(f"load {old}")
    call(app, "alpha_open")
    os.rename(new, old)
    for how, report in guard.both(app.pid).items():
        [frames] = of_plugins(report, app.binary)
        assert_alpha_or_nothing(frames, how)


def test_a_library_deleted_from_disk_gives_no_wrong_name(guard, known, built, home):
    app = known(built("-O1"))
    path = plugin(built, home, "alpha")
    app.ask(f"load {path}")
    call(app, "alpha_open")
    path.unlink()
    for how, report in guard.both(app.pid).items():
        [frames] = of_plugins(report, app.binary)
        assert_alpha_or_nothing(frames, how)


def test_each_plugin_has_its_own_names_at_the_same_addresses(guard, known, built, home):
    names = ("alpha", "gamma", "delta")
    app = known(built("-O1"))
    where = set()
    for name in names:
        app.ask(f"load {plugin(built, home, name)}")
        where.add(call(app, f"{name}_open"))
        app.ask("unload")
    for report in guard.both(app.pid).values():
        assert sorted(of_plugins(report, app.binary)) == sorted(map(frames_of, names)), \
            f"{len(where)} addresses:\n{report.text}"


def same_address(first, second):
    if first != second:
        pytest.skip("the loader chose another place for the second plugin")


def test_a_plugin_gone_from_disk_is_not_named_by_its_successor(guard, known, built, home):
    """The successor lies at the very addresses, and is as long."""
    app = known(built("-O1"))
    alpha, gamma = plugin(built, home, "alpha"), plugin(built, home, "gamma")
    app.ask(f"load {alpha}")
    first = call(app, "alpha_open")
    app.ask("unload")
    alpha.unlink()
    app.ask(f"load {gamma}")
    same_address(first, call(app, "gamma_open"))
    for report in guard.both(app.pid).values():
        found = of_plugins(report, app.binary)
        assert sorted(found) == sorted([[("", "libalpha.so")] * 3, frames_of("gamma")]), report.text


def test_a_plugin_loaded_again_in_another_version_has_its_own_names(guard, known, built, home):
    """A hot reload: the same path, another file, at the same addresses."""
    app = known(built("-O1"))
    path, new = plugin(built, home, "alpha"), plugin(built, home, "gamma")
    app.ask(f"load {path}")
    first = call(app, "alpha_open")
    app.ask("unload")
    os.rename(new, path)
    app.ask(f"load {path}")
    same_address(first, call(app, "gamma_open"))
    for report in guard.both(app.pid).values():
        found = [[f for f, _ in frames] for frames in of_plugins(report, app.binary)]
        assert sorted(found) == [["", "", ""], ["opener", "gamma_dial", "gamma_open"]], report.text
