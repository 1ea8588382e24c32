"""What a script of a load finds to be so: each fact is a test with an outcome."""
import subprocess


class Facts:
    def __init__(self):
        self.outcomes = {}

    def check(self, what, got, expected=True):
        self.outcomes[what] = "passed" if got == expected else f"failed: {got!r}, not {expected!r}"


def collect(script, *arguments):
    """The outcomes of script(facts, ...), which may end early: that is a fact as well."""
    facts = Facts()
    try:
        script(facts, *arguments)
        facts.check("the script came to its end", True)
    except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
        facts.check("the script came to its end", f"{type(error).__name__}: {error}")
    return facts.outcomes


def package_version(package):
    run = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package],
                         capture_output=True, text=True, check=True)
    return run.stdout
