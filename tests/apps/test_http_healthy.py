"""The opposite of the verdicts: programs in good health, of which nothing may be said.

Adding one is a line in healthy_matrix.py. All of them run at the same time, once.
"""
import subprocess

import pytest

import healthy_run
import healthy_servers
from conftest import running
from healthy_matrix import MATRIX, RESTING
from matrix import CLIENTS

every_case = pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def patient(certificates):
    yield from running(healthy_servers.Patient(certificates))


@pytest.fixture(scope="module")
def http2(certificates, patient):
    yield from running(healthy_servers.Http2(certificates, patient))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("healthy")


@pytest.fixture(scope="module")
def known(place, certificates, bindir):
    """What the command lines of all cases may name."""
    classes, truststore = place / "classes", place / "truststore"
    subprocess.run(["javac", "-d", classes, *CLIENTS.glob("Healthy*.java")], check=True)
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "ca", "-storepass", "changeit",
                    "-keystore", truststore, "-file", certificates.ca], check=True,
                   capture_output=True)
    return dict(bin=bindir, classes=classes, truststore=truststore, ca=certificates.ca,
                certificates=certificates)


@pytest.fixture(scope="module")
def outcomes(request, place, known):
    """Of the cases that were chosen, which ran together; those that will be at work start last."""
    chosen = [item.callspec.params["case"] for item in request.session.items
              if "case" in getattr(item, "callspec", NO_PARAMETERS).params and
              item.fspath == request.fspath]

    def start():
        for case in sorted(chosen, key=lambda case: case.leak_after != RESTING):
            server = request.getfixturevalue(case.server)
            kind = healthy_run.RunningProxy if case.proxy else healthy_run.Running
            yield kind(case, place / case.name, {**known, **vars(server)})

    return healthy_run.run(start())


class NO_PARAMETERS:
    params = {}


def wrong(found, allowed):
    return [f"{g.kind} {g.cls}" for g in found.groups
            if g.kind == "LEAK" or (g.kind in ("RISK", "WASTE") and g.cls not in allowed)]


def assert_healthy(found, allowed):
    assert not wrong(found, allowed), f"{wrong(found, allowed)}\n{found.text}"
    assert found.leaked == found.leaked_objects == 0 and "RETRACTED" not in found.text, found.text


@every_case
def test_of_a_healthy_program_nothing_is_said(case, outcomes):
    outcome = outcomes[case.name]
    assert not outcome.failure, outcome.failure
    for told in outcome.told:
        assert_healthy(told.report, case.allow)
    for found in outcome.json:
        assert not [g for g in found["groups"] if g["kind"] == "leak"], found
    for found in outcome.at_exit:
        assert_healthy(found, (*case.allow, "open-at-exit"))
    assert outcome.told[-1].rested >= healthy_run.RESTS * healthy_run.seconds(case.leak_after)
    assert max(told.report.open for told in outcome.told) >= case.open, "it did what it should"
    assert outcome.stderr == ""
