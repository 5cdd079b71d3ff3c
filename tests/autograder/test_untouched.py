"""What a change of the solution does not reach is not tried anew, and what it may reach is."""

from __future__ import annotations

import ast

import pytest

from autograder import audit
from autograder.assignment import read_assignment
from autograder.untouched import Trace, contents, names, noting, spans, untouched, words, words_in

ASSIGNMENT = read_assignment()
PARTS = [part.id for part in ASSIGNMENT.parts if part.module]
MODULE = '''
"""A module."""
from torch import nn

SIZE = 3

def one(x, by=2):
    return [x * by for _ in range(3)]

class Two:
    size = SIZE

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
    assert audit._untouched(part, reference.source, 1) == every


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


def left_out(changed: str) -> set[str]:
    """Of a check that runs `one` and one that runs `Two`, those that the change does not reach."""
    assert changed != MODULE
    before, after = (contents(ast.parse(source).body) for source in (MODULE, changed))
    places = spans(ast.parse(MODULE).body)
    ran = {"calls one": ["one"], "builds Two": ["Two.__init__", "Two.four"]}
    traces = {
        check: Trace(frozenset(ran[check]), words(ran[check], MODULE, places)) for check in ran
    }
    return set(untouched(before, after, places, traces))


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        ("return self.three()", "return 7", {"builds Two"}),
        ("self.three =", "self.seven = self.three =", {"builds Two"}),
        ("by=2", "by=3", {"calls one"}),
        ("    @property\n", "", {"builds Two"}),
        ('"""A module."""', '"""Another text."""', set()),
        ("from torch import nn", "import torch.nn as nn", set()),
    ],
)
def test_a_changed_function_reaches_the_checks_that_run_it(before, after, reached):
    assert {"calls one", "builds Two"} - left_out(MODULE.replace(before, after)) == reached


@pytest.mark.parametrize(
    ("behind", "reached"),
    [
        ("class Two(Two):\n    @property\n    def four(self):\n        return 7", {"builds Two"}),
        ("def one(x, by=2):\n    return helped(x)\n\ndef helped(x): ...", {"calls one"}),
        ("import numpy as np\n\ndef one(x, by=2):\n    return np.zeros(3)", {"calls one"}),
        ("def another(x):\n    return one(x)", set()),
        ("class Other(Two):\n    extent = 4", set()),
        ("def three():\n    pass", {"builds Two"}),
    ],
)
def test_what_is_defined_behind_the_solution_reaches_what_speaks_of_it(behind, reached):
    assert {"calls one", "builds Two"} - left_out(MODULE + "\n" + behind) == reached


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SIZE = 3", "SIZE = 4"),
        ("size = SIZE", "size = 4"),
        ("class Two:", "class Two(dict):"),
        ("from torch import nn", "import cmath"),
        ("def four", "def forward"),
        ("class Two", "if True:\n    one = print\n\nclass Two"),
        ("class Two", "seven = one(7)\n\nclass Two"),
        ("class Two", "one.called = 0\nprint(one)\n\nclass Two"),
        ("class Two", "class Two(dict, Two):\n    pass\n\nclass Two"),
        ("class Two", "def len(x):\n    return 3\n\nclass Two"),
    ],
)
def test_where_it_cannot_be_told_everything_is_reached(before, after):
    assert left_out(MODULE.replace(before, after)) == set()


def test_the_words_of_a_request_are_found_at_any_depth():
    asked = {"op": "call", "of": [{"name": "loss_fn"}, 3, None], "kw": {"x": ("a.b",)}}
    assert set(words_in(asked)) == {"call", "loss_fn", "a", "b"}


def test_a_question_that_has_lost_points_is_not_asked_for_how_many():
    part = ASSIGNMENT.part("fc-gan")
    (one,) = [t for t in audit.trials(ASSIGNMENT, [part.id]) if t.name == "sample_noise/turned"]
    (question,) = one.costs
    whole, enough = (audit.marks(part.id, one.source, 2, False, is_) for is_ in (False, True))
    missed = [[c.fraction < 1 for c in found[question].checks] for found in (whole, enough)]
    assert sum(missed[0]) > 1 and sum(missed[1]) == 1
    assert all(audit.lost_in(found).keys() == one.costs for found in (whole, enough))
