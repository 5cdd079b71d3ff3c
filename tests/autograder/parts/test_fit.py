"""assignment.toml and the checks fit together, or a sentence says where they do not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.assignment import Assignment, AssignmentError, Part, Question, read_assignment
from autograder.checking import registry
from autograder.parts import all_checks

ASSIGNMENT = read_assignment()


def changed(part_id: str, **changes: object) -> Assignment:
    """The assignment with one part changed."""
    parts = tuple(
        replace(part, **changes) if part.id == part_id else part  # type: ignore[arg-type]
        for part in ASSIGNMENT.parts
    )
    return replace(ASSIGNMENT, parts=parts)


def questions(part_id: str, **changes: Question) -> tuple[Question, ...]:
    return tuple(changes.get(one.id, one) for one in ASSIGNMENT.part(part_id).questions)


def refused(assignment: Assignment) -> str:
    with pytest.raises(AssignmentError) as stop:
        all_checks(assignment)
    return str(stop.value)


def test_they_fit() -> None:
    assert all_checks(ASSIGNMENT)


def test_a_module_that_is_not_there_is_named_with_those_that_are() -> None:
    said = refused(changed("fc-vae", module="hw5_va"))
    assert "'fc-vae'" in said and "'hw5_va'" in said and "hw5_vae or hw5_gan" in said


def test_the_module_of_another_part_is_no_module_of_this_one() -> None:
    assert "looks at hw5_vae" in refused(changed("fc-vae", module="hw5_gan"))


def test_a_question_without_a_check_says_where_to_write_one() -> None:
    more = Question("colour", "Colour", 1.0, "code")
    said = refused(changed("fc-vae", questions=(*questions("fc-vae"), more)))
    assert 'autograder/parts/fc_vae/checks.py (@check("fc-vae.colour"))' in said


def test_a_check_without_a_question_is_named() -> None:
    left = tuple(one for one in questions("fc-vae") if one.id != "loss")
    said = refused(changed("fc-vae", questions=left))
    assert "checks 'fc-vae.loss', which is no question of the part 'fc-vae'" in said


def test_a_question_that_is_marked_by_hand_has_no_check() -> None:
    by_hand = replace(ASSIGNMENT.question("fc-vae.loss"), kind="manual")
    assert "marked by hand" in refused(
        changed("fc-vae", questions=questions("fc-vae", loss=by_hand))
    )


def test_a_part_that_is_off_keeps_its_checks() -> None:
    off = ASSIGNMENT.part("fc-vae")
    left: tuple[Part, ...] = tuple(part for part in ASSIGNMENT.parts if part != off)
    checks = all_checks(replace(ASSIGNMENT, parts=left, off=(off,)))
    assert not [one for one in checks if one.question.startswith("fc-vae.")]


def test_a_part_that_no_notebook_asks_is_named() -> None:
    part = Part("viva", "Viva", None, 1.0, (Question("talk", "Talk", 1.0, "manual"),))
    said = refused(replace(ASSIGNMENT, parts=(*ASSIGNMENT.parts, part)))
    assert "no notebook asks the part 'viva'" in said


def test_a_check_that_is_filed_under_another_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(registry._checks)
    monkeypatch.setattr(registry, "_checks", known)
    one = next(check for check in known.values() if check.question == "fc-vae.loss")
    for question in ("loss", "conv-gan.DNet"):
        known[one.id] = replace(one, question=question)
        said = refused(ASSIGNMENT)
        assert f"checks {question!r}, which is no question of the part 'fc-vae'" in said
