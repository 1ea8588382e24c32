"""Perl's own tests of sockets, handles, processes and signals, from Debian's source package.

The package is fetched by apt with a private configuration: the machine's own sources, asked for
source packages, kept below the build directory. The tests run against the perl that is installed;
those of t/ load their modules from ../lib, which therefore becomes a tree of links to it.
"""
import re
import shutil
import subprocess
from pathlib import Path

from place import ended

PERL = "/usr/bin/perl"
TIMEOUT = 120
LIBRARIES = ("/usr/share/perl/5.36", "/usr/lib/x86_64-linux-gnu/perl/5.36",
             "/usr/lib/x86_64-linux-gnu/perl-base")
LINE = re.compile(r"^(not )?ok\b(?: (\d+))?[^#]*(?:# *(skip|todo))?", re.I)
SKIPPED = re.compile(r"^1\.\.0\b", re.M)

name = "Perl"
parts = ("dist/IO", "cpan/IO-Socket-IP", "cpan/Socket", "cpan/HTTP-Tiny", "cpan/libnet",
         "ext/IPC-Open3", "t/io", "t/op")
CORE = {
    "t/io": ("socket", "socketpair", "pipe", "dup", "eintr", "eintr_print", "errno", "errnosig",
             "closepid", "openpid", "perlio_leaks", "iofile", "print", "say", "open"),
    "t/op": ("fork", "exec", "alarm", "kill0", "sigdispatch", "sigsystem", "sselect", "select",
             "sysio", "waitpid", "die_exit"),
}
tree = None


class Missing(Exception):
    """The sources can not be had; says why."""


def apt(kept, *command):
    """Runs an apt tool that knows the machine's sources as source packages."""
    options = {"Dir::Etc::SourceList": kept / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
               "Dir::State::Lists": kept / "lists", "Dir::Cache": kept / "cache",
               "APT::Sandbox::User": "root"}
    tool, *rest = command
    argv = [tool, "-q", *(f"-o{key}={value}" for key, value in options.items()), *rest]
    run = subprocess.run(argv, cwd=kept, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Missing(f"{tool} {rest[0]}: {run.stderr.strip().splitlines()[-1:]}")
    return run.stdout


def list_sources(kept):
    """The machine's Debian archives, as places of source packages."""
    run = subprocess.run(["apt-get", "indextargets", "--format",
                          "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
                         capture_output=True, text=True, check=True)
    lines = {line.removeprefix("Debian ") for line in run.stdout.splitlines()
             if line.startswith("Debian ") and line.endswith(" main")}
    (kept / "sources.list").write_text("".join(f"deb-src {line}\n" for line in sorted(lines)))
    for directory in ("lists/partial", "cache/archives/partial"):
        (kept / directory).mkdir(parents=True, exist_ok=True)


def fetch(kept):
    """The newest version of which the archive still has the files; returns its unpacked tree."""
    list_sources(kept)
    apt(kept, "apt-get", "update")
    versions = re.findall(r"^Version: (\S+)", apt(kept, "apt-cache", "showsrc", "perl"), re.M)
    for version in versions:
        try:
            apt(kept, "apt-get", "source", "--download-only", f"perl={version}")
        except Missing:
            if version == versions[-1]:
                raise
            continue
        dsc = kept / f"perl_{version.split(':')[-1]}.dsc"
        subprocess.run(["dpkg-source", "--no-check", "-x", dsc, kept / "tree"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (kept / "version").write_text(version)
        return
    raise Missing("apt knows no source of perl")


def prepare(build):
    """The version of what is run."""
    global tree
    kept = Path(build).resolve() / "compat/perl"
    tree = kept / "tree"
    if not (kept / "version").exists():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        fetch(kept)
    return f"perl {(kept / 'version').read_text()}"


def scripts(part):
    if part in CORE:
        return [f"{name}.t" for name in CORE[part]]
    return sorted(f"t/{path.name}" for path in (tree / part / "t").glob("*.t"))


def lay_out(side, part):
    """A copy of the part, where it expects to be; for t/, with the installed modules as ../lib."""
    root = side.fresh()
    if part not in CORE:
        shutil.copytree(tree / part, root / part)
        (root / "t").mkdir()
        for place in (root / "t", root / part / "t"):  # the core's place, the module's own
            shutil.copy(tree / "t/test.pl", place)
    else:
        shutil.copytree(tree / "t", root / "t")
        for library in LIBRARIES:
            subprocess.run(["cp", "-rs", "--remove-destination", f"{library}/.", root / "lib"],
                           check=True)
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            side.give(path)
    return root


def read_tap(text, script):
    """{script and number of the test: outcome}"""
    found, number = {}, 0
    for line in text.splitlines():
        if m := LINE.match(line):
            number = int(m.group(2) or number + 1)
            skipped = "skipped" if m.group(3) else None
            found[f"{script} {number}"] = skipped or ("failed" if m.group(1) else "passed")
    return found


def switches(path):
    """Those of the script's first line."""
    with open(path, encoding="utf-8", errors="replace") as script:
        first = script.readline()
    return [word for word in first.split()[1:] if first.startswith("#!") and re.match("-\\w", word)]


def run_script(side, root, part, script):
    """One script's tests; the script itself has an outcome as well."""
    cwd = root / ("t" if part in CORE else part)
    log = root / "log"
    log.unlink(missing_ok=True)
    path = f"{part.removeprefix('t/')}/{script}" if part in CORE else script
    argv = [PERL, *switches(cwd / path), *([] if part in CORE else ["-I."]), path]
    status = ended(side.start(argv, cwd, log), TIMEOUT)
    said = log.read_text(errors="replace")
    found = read_tap(said, f"{part}/{script}")
    found[f"{part}/{script}"] = (
        f"failed: status {status}: {said.strip()[-200:]}" if status != 0 else
        "skipped" if SKIPPED.search(said) else "passed")
    return found


def play(side, part, only=None):
    root, found = lay_out(side, part), {}
    for script in scripts(part):
        if not only or any(test.split(" ")[0] == f"{part}/{script}" for test in only):
            found.update(run_script(side, root, part, script))
    shutil.rmtree(root, ignore_errors=True)
    return found
