"""Every part is tried alike: what is right scores full, what is known to be wrong costs there.

`python -m autograder audit` tries the same, at more seeds.
"""

from __future__ import annotations

import pytest

from autograder import audit
from autograder.assignment import Part, read_assignment

ASSIGNMENT = read_assignment()
PARTS = [part for part in ASSIGNMENT.parts if part.module]
EVERY = audit.trials(ASSIGNMENT, [part.id for part in PARTS])
QUESTIONS = [(part, question) for part in PARTS for question in audit.coded(part)]


@pytest.mark.daily
@pytest.mark.filterwarnings("ignore:size_average")
@pytest.mark.parametrize("trial", EVERY, ids=str)
def test_the_marks_of(trial: audit.Trial) -> None:
    outcome = audit.run(trial, seed=1)
    assert outcome.wrong == "", outcome.said


@pytest.mark.daily
@pytest.mark.parametrize("seed", range(2, 20))
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_the_reference_scores_full_whatever_the_seed(part: Part, seed: int) -> None:
    solution = audit.Trial(part.id, audit.REFERENCE, "solution", audit.reference_source(part))
    outcome = audit.run(solution, seed, told=False)
    assert outcome.wrong == "", outcome.said


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_an_empty_file_scores_nothing(part: Part) -> None:
    assert audit.lost_in(audit.marks(part.id, "import torch\n")) == audit.coded(part)


@pytest.mark.parametrize(("part", "question"), QUESTIONS, ids=[q for _, q in QUESTIONS])
def test_enough_is_known_of(part: Part, question: str) -> None:
    """Four ways to be wrong and four to be right, at least."""
    known = [trial for trial in EVERY if trial.part == part.id]
    mistakes = [one for one in known if one.kind == audit.MISTAKE and question in one.costs]
    styles = [
        one
        for one in known
        if one.kind == audit.STYLE and question in audit.written_otherwise(part, one.source)
    ]
    assert len(mistakes) >= audit.LEAST
    assert len(styles) >= audit.LEAST
