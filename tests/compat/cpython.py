"""CPython's own tests of sockets, processes, signals and threads (Debian's testsuite package)."""
import re
import subprocess
import xml.etree.ElementTree as xml

from outcomes import head
from place import ended

PYTHON = "/usr/bin/python3.11"
PACKAGE = "libpython3.11-testsuite"
TIMEOUT = 400
RESOURCES = {"test_socketserver": "network"}  # of which it needs the loopback interface alone
RESULT = re.compile(r"^Tests result: (.*)", re.M)
WORST = ("passed", "skipped", "failed", "error")

name = "CPython"
parts = ("test_socket", "test_ssl", "test_asyncio", "test_selectors", "test_select",
         "test_subprocess", "test_httplib", "test_urllib2_localnet", "test_ftplib", "test_smtplib",
         "test_socketserver", "test_threading", "test_signal", "test_fork1", "test_os",
         "test_posix", "test_faulthandler", "test_multiprocessing_fork",
         "test_multiprocessing_spawn")


def prepare(_build):
    """The version of what is run."""
    run = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", PACKAGE], capture_output=True,
                         text=True, check=True)
    return f"{PACKAGE} {run.stdout}"


def outcome(case):
    for tag in ("error", "failure", "skipped"):
        if (said := case.find(tag)) is not None:
            last = (said.text or "").strip().rsplit("\n", 1)[-1]
            return f"{'failed' if tag == 'failure' else tag}: {last}"
    return "passed"


def badness(came):
    return WORST.index(head(came))


def read_cases(path):
    """{test: outcome}; of a test's several entries (subtests) the worst counts."""
    found = {}
    for case in xml.parse(path).iter("testcase"):
        test, came = case.get("name").removeprefix("test."), outcome(case)
        found[test] = max(found.get(test, "passed"), came, key=badness)
    return found


def play(side, module, only=None):
    """Runs a module's tests; the module itself has an outcome: how it came to an end."""
    cwd = side.fresh()
    junit, log = cwd / "junit.xml", cwd / "log"
    argv = [PYTHON, "-m", "test", "-v", "--junit-xml", junit,
            *(["-u", RESOURCES[module]] if module in RESOURCES else [])]
    whole = f"{module} (module)"
    if only and whole not in only:
        argv += [word for test in only for word in ("-m", "test." + test)]
    status = ended(side.start([*argv, module], cwd, log), TIMEOUT)
    said = RESULT.search(log.read_text(errors="replace"))
    try:
        cases = read_cases(junit)
    except (OSError, xml.ParseError):
        return {whole: f"failed: no results, status {status}"}
    tidy = said and said.group(1) in ("SUCCESS", "FAILURE")
    cases[whole] = "passed" if tidy else f"failed: {said.group(1) if said else status}"
    return cases
