"""The judge's marks and people's marks side by side: neither overwrites the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from autograder.export import results_json
from autograder.gradebook.judge_scores import JudgeScores
from autograder.gradebook.reading import new_notebook
from autograder.results import SubmissionResult
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    CODE,
    CODED,
    FIGURES,
    HALF,
    WRITTEN,
    comment,
    graded,
    grades,
    mark_by_hand,
)

LOSS = CODED[1]
Enter = Callable[..., dict[str, Any]]


@pytest.fixture
def enter(course: Path) -> Enter:
    """Writes what the judge says of ada and enters it by a notebook of hers; brings her grades."""
    url = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission("hw5", "ada")

    def run(result: SubmissionResult | None, notebook: str = CODE) -> dict[str, Any]:
        if result:
            results_json.write([result], course / "marks")
        where = {"student": "ada", "assignment": "hw5", "notebook": notebook, "db_url": url}
        JudgeScores(marks=str(course / "marks")).preprocess(new_notebook([]), {"nbgrader": where})
        return grades(course, "ada")

    return run


def test_a_mark_is_entered_with_its_sentences(course, enter):
    assert enter(graded("ada"))[LOSS] == (HALF, None, False)
    assert "divide by its size" in str(comment(course, "ada", LOSS))


def test_a_notebook_that_was_never_handed_in_does_not_cost_the_marks_of_its_code(enter):
    assert enter(graded("ada"), WRITTEN)[LOSS] == (HALF, None, False)


def test_a_persons_mark_survives_a_regrade(course, enter):
    enter(graded("ada"))
    mark_by_hand(course, "ada", LOSS, 6.0)
    mark_by_hand(course, "ada", FIGURES, 4.0)
    given = enter(graded("ada"))
    assert given[LOSS] == (HALF, 6.0, False)
    assert given[FIGURES] == (None, 4.0, False)


def test_a_persons_mark_is_asked_for_again_when_the_judges_changes(course, enter):
    enter(graded("ada"))
    mark_by_hand(course, "ada", LOSS, 6.0)
    assert enter(graded("ada", loss=2 * HALF))[LOSS] == (2 * HALF, 6.0, True)
    assert enter(graded("ada", loss=2 * HALF))[LOSS] == (
        2 * HALF,
        6.0,
        True,
    )  # until a person has looked


def test_a_question_that_was_not_graded_keeps_the_mark_it_had(enter):
    enter(graded("ada"))
    later = graded("ada")
    later = replace(later, questions=tuple(q for q in later.questions if "loss" not in q.question))
    assert enter(later)[LOSS] == (HALF, None, False)


def test_a_question_without_a_mark_waits_for_a_person(enter):
    given = enter(None)
    assert given[LOSS] == given[CODED[0]] == given[FIGURES] == (None, None, True)


def test_what_the_judge_said_of_somebody_else_is_not_entered(course, enter):
    results_json.write([graded("ben")], course / "marks")
    (course / "marks/results/ben.json").rename(course / "marks/results/ada.json")
    assert enter(None)[LOSS] == (None, None, True)


def test_a_damaged_result_is_not_entered(course, enter):
    (course / "marks/results").mkdir(parents=True)
    (course / "marks/results/ada.json").write_text("{}")
    assert enter(None)[LOSS] == (None, None, True)


def test_a_member_of_a_group_has_the_marks_of_the_group(course, enter):
    together = replace(graded("ada-and-ben"), members=("ada", "ben"))
    results_json.write([together], course / "marks")
    (course / "marks/results/ada-and-ben.json").rename(course / "marks/results/ada.json")
    assert enter(None)[LOSS] == (HALF, None, False)


def test_points_are_scaled_where_the_release_scaled_them(course, enter):
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.find_task_cell(LOSS, CODE, "hw5").max_score = 4 * HALF
        gradebook.db.commit()
    assert enter(graded("ada"))[LOSS] == (2 * HALF, None, False)


def test_a_withheld_submission_has_blanks_and_is_flagged(course, enter):
    enter(graded("ada"))
    given = enter(graded("ada", flags=("conflict",)))
    assert given[LOSS] == given[CODED[0]] == (None, None, True)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert all(one.flagged for one in gradebook.find_submission("hw5", "ada").notebooks)


def test_answers_of_other_notebooks_are_left_to_their_own_turn(enter):
    assert enter(graded("ada"))[ANSWERS[0]] == (None, None, True)


def test_what_a_student_made_their_exception_say_is_harmless_in_a_comment(course, enter):
    result = graded("ada")
    (half,) = result.question("fc-vae.loss").checks
    nasty = replace(half, message="ValueError: <script>alert(1)</script>\n  [x](javascript:y)")
    question = replace(result.question("fc-vae.loss"), checks=(nasty,))
    rest = [q for q in result.questions if q.question != "fc-vae.loss"]
    enter(replace(result, questions=(*rest, question)))
    said = str(comment(course, "ada", LOSS))
    assert "    ValueError: < script>" in said
    assert "[x] (javascript" in said
