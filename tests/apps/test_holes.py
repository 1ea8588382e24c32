"""What can not be seen is said."""
from pathlib import Path

import pytest

from process import Program

NOTES = {"uring": "it has an io_uring", "namespace": "a namespace of their own (dlmopen)",
         "nothing": None}


@pytest.mark.parametrize("hole", NOTES)
def test_a_program_with_a_hole_has_it_in_its_report(guard, bindir, home, hole):
    with Program([Path(bindir) / "holes", hole], guard.env(), home / "stderr") as app:
        answer = app.hear()
        if answer == "REFUSED":
            pytest.skip(f"this kernel or container allows no {hole}")
        for how, found in guard.both(app.pid).items():
            said = [note for note in found.notes if any(n and n in note for n in NOTES.values())]
            wanted = [NOTES[hole]] if NOTES[hole] else []
            assert len(said) == len(wanted) and all(w in said[0] for w in wanted), (how, found.text)
