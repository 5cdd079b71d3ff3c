"""The catalogue of known mistakes as a whole: none is missing, none has lost its reference."""

from __future__ import annotations

from typing import Any

import pytest

from autograder.assignment import read_assignment
from autograder.checking.catalogue import EditError, Mistake
from autograder.checking.modules import ROOT
from autograder.parts import all_mistakes

ASSIGNMENT = read_assignment()
MODULES = {
    f"{part.id}.{question.id}": part.module
    for part in ASSIGNMENT.parts
    for question in part.questions
    if question.kind in ("code", "bonus")
}


def source(module: str) -> str:
    return (ROOT / f"{module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("question", MODULES)
def test_each_graded_question_has_four_mistakes_or_more(question: str) -> None:
    reference = source(MODULES[question])
    made = [one.source(reference) for one in all_mistakes() if one.question == question]
    assert len({reference, *made}) == len(made) + 1, "two of them are one and the same"
    assert len(made) >= 4
    for one in made:
        compile(one, f"{MODULES[question]}.py", "exec")


def test_no_mistake_is_of_a_question_that_nobody_grades() -> None:
    assert {one.question for one in all_mistakes()} <= set(MODULES)


def test_a_mistake_is_known_by_its_name() -> None:
    names = [(one.question, one.id) for one in all_mistakes()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("within", "old"), [("def nowhere", "x"), ("def answer_1h", "this text is not there")]
)
def test_an_edit_that_has_lost_its_reference_says_which(within: str, old: str) -> None:
    lost = Mistake("lost", "vae-theory.1h", "", within, ((old, "y"),))
    with pytest.raises(EditError, match=r"vae-theory\.1h: lost"):
        lost.source(source("hw5_vae"))


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        (("mean", "sum"), "'mean' is no pair of texts"),
        ((("mean",),), "is no pair of texts"),
        ((("torch", "torch"),), "changes nothing of the reference"),
        ((), "changes nothing of the reference"),
    ],
)
def test_an_edit_that_changes_nothing_is_none(edits: Any, says: str) -> None:
    with pytest.raises(EditError, match=rf"vae-theory\.1h: mine: .*{says}"):
        Mistake("mine", "vae-theory.1h", "", "", edits).source(source("hw5_vae"))


def test_a_definition_named_with_the_blanks_before_it_is_refused_with_the_reason() -> None:
    reference = (
        "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 1\n"
    )
    edits = (("return 1", "return 2"),)
    changed = Mistake("mine", "a.f", "", "def f", edits).source(reference)
    assert changed == reference.replace("1", "2", 1)
    with pytest.raises(EditError, match=r"a\.f: mine: '    def f' begins with blanks"):
        Mistake("mine", "a.f", "", "    def f", edits).source(reference)
