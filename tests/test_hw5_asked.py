"""What is asked: the same here, where it is read from assignment.toml, and in a release."""

from __future__ import annotations

import hw5_asked
from autograder.assignment import as_data, asked, read_assignment
from autograder.checking.modules import ROOT

PARTS = read_assignment().parts


def test_it_says_what_the_assignment_says() -> None:
    assert asked(PARTS) == hw5_asked.PARTS


def test_a_release_holds_the_same_as_plain_data_of_its_own_parts() -> None:
    text = as_data((ROOT / "hw5_asked.py").read_text(encoding="utf-8"), PARTS[:2])
    released: dict[str, object] = {}
    exec(text, released)
    assert "import sys" not in text and "autograder" not in text
    assert released["PARTS"] == asked(PARTS[:2])
    assert released["__doc__"] == hw5_asked.__doc__
