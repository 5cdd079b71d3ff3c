"""What a change of the solution does not reach is not tried anew, and what it may reach is."""

from __future__ import annotations

import ast

import pytest

from autograder import audit
from autograder.assignment import read_assignment
from autograder.untouched import frame, names, noting, spans

ASSIGNMENT = read_assignment()
PARTS = [part.id for part in ASSIGNMENT.parts if part.module]
MODULE = '''
"""A module."""
import math

def one(x, by=2):
    return [x * by for _ in range(3)]

class Two:
    size = 3

    def __init__(self):
        self.three = lambda: one(self.size)

    @property
    def four(self):
        return self.three()
'''


@pytest.mark.daily
@pytest.mark.parametrize("part", PARTS)
def test_the_outcome_is_that_of_trying_everything(part, monkeypatch):
    few = audit.trials(ASSIGNMENT, [part])[::25]
    short = [audit.run(trial, seed=2) for trial in few]
    monkeypatch.setattr(audit, "_untouched", lambda *_: frozenset())
    assert short == [audit.run(trial, seed=2) for trial in few]


def test_most_checks_of_a_part_with_many_functions_are_left_out():
    part = ASSIGNMENT.part("autoencoder")
    found = audit.trials(ASSIGNMENT, [part.id])
    (clamped,) = [one for one in found if one.name == "sample_prior/clamped"]
    (reference,) = [one for one in found if one.kind == audit.REFERENCE]
    known = audit._untouched(part, clamped.source, 1)
    every = {check.id for check in audit._checks(part.id)}
    assert known < every and len(every - known) <= 3
    assert all("sample_prior" in check for check in every - known)
    assert audit._untouched(part, reference.source, 1) == frozenset()


def test_functions_that_run_are_noted_by_the_name_of_what_holds_them():
    space: dict = {}
    exec(compile(MODULE, "there.py", "exec"), space)
    places = spans(ast.parse(MODULE).body)
    with noting("there.py") as lines:
        two = space["Two"]()
    assert names(lines, places) == {"Two.__init__"}
    with noting("there.py") as lines:
        assert two.four == [6, 6, 6]
    assert names(lines, places) == {"Two.__init__", "Two.four", "one"}
    with noting("elsewhere.py") as lines:
        assert two.four
    assert names(lines, places) == set()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return self.three()", "return 7"),
        ('"""A module."""', '"""Another text."""'),
        ("self.three =", "self.seven = self.three ="),
    ],
)
def test_what_functions_do_is_not_in_the_frame(before, after):
    changed = MODULE.replace(before, after)
    assert changed != MODULE and frame(ast.parse(changed).body) == frame(ast.parse(MODULE).body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("by=2", "by=3"),
        ("size = 3", "size = 4"),
        ("class Two:", "class Two(dict):"),
        ("    @property\n", ""),
        ("import math", "import cmath"),
        ("def four", "def five"),
        ("class Two", "if True:\n    one = print\n\nclass Two"),
    ],
)
def test_everything_else_is(before, after):
    changed = MODULE.replace(before, after)
    assert changed != MODULE and frame(ast.parse(changed).body) != frame(ast.parse(MODULE).body)
