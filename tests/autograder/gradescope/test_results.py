"""results.json: valid as Gradescope reads it, kind to students, and never a zero by our fault."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import Assignment, Penalty
from autograder.gradescope import results as gradescope
from autograder.gradescope.results import NoResults
from autograder.results import UNGRADABLE, SubmissionResult
from tests.autograder.gradescope.results_format import faults

Ended = Callable[..., SubmissionResult]


def written(result: SubmissionResult, assignment: Assignment, path: Path) -> dict[str, Any]:
    """What stands in the file; it must be valid."""
    gradescope.write(result, assignment, path, 12.34)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert faults(content) == []
    return content


def test_full_marks_are_the_sum_of_the_tests_bonus_included(
    full: SubmissionResult, assignment: Assignment, tmp_path: Path
):
    content = written(full, assignment, tmp_path / "results.json")
    assert content["score"] == 17 == sum(test["score"] for test in content["tests"])
    assert {test["number"]: test["status"] for test in content["tests"]} == {
        "1.1": "passed",
        "1.2": "passed",
        "1.3": "passed",
        "2.1": "passed",
        "2.2": "passed",
    }
    assert content["extra_data"]["seed"] == 2024 and "2024" in content["output"]


def test_marks_given_by_hand_are_named_and_not_counted(
    full: SubmissionResult, assignment: Assignment, tmp_path: Path
):
    content = written(full, assignment, tmp_path / "results.json")
    assert not any("figures" in test["name"] for test in content["tests"])
    assert "4 points are given by hand" in content["output"]
    assert sum(test["max_score"] for test in content["tests"]) == 17


def test_a_failed_check_speaks_in_sentences_and_not_by_its_name(
    ended_as: Ended, assignment: Assignment, tmp_path: Path
):
    result = ended_as("fail", message="The KL term has its sign flipped.", hint="Look at it.")
    content = written(result, assignment, tmp_path / "results.json")
    (test,) = [test for test in content["tests"] if test["status"] == "failed"]
    assert test["score"] == 0 and test["max_score"] == 2
    assert "The KL term has its sign flipped." in test["output"] and "Look at it." in test["output"]
    checks = [check for question in result.questions for check in question.checks]
    hidden = replace(checks[2], check="fc-vae.loss.hidden_name_of_a_function")
    questions = tuple(
        replace(q, checks=(hidden,)) if q.question == "fc-vae.loss" else q for q in result.questions
    )
    again = written(replace(result, questions=questions), assignment, tmp_path / "results.json")
    assert "hidden_name" not in json.dumps(again)


@pytest.mark.parametrize("where", ["fc-vae.loss", "fc-vae.import"])
def test_our_failure_leaves_no_results(
    full: SubmissionResult, ended_as: Ended, assignment: Assignment, tmp_path: Path, where: str
):
    broken = ended_as(UNGRADABLE, message="the reference raised KeyError: 'mu'")
    if where == "fc-vae.import":
        questions = tuple(
            replace(q, state=UNGRADABLE) if q.question == where else q for q in full.questions
        )
        broken = replace(full, questions=questions)
    with pytest.raises(NoResults, match="held back"):
        gradescope.write(broken, assignment, tmp_path / "results.json", 1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_submission_in_conflict_waits_for_a_person(
    full: SubmissionResult, assignment: Assignment, tmp_path: Path
):
    with pytest.raises(NoResults, match="conflict"):
        gradescope.write(replace(full, flags=("conflict",)), assignment, tmp_path / "r.json", 1.0)


def test_a_refused_submission_gets_nothing_and_is_told_so(
    full: SubmissionResult, assignment: Assignment, tmp_path: Path
):
    note = "It was handed in at noon and is not accepted; the deadline was 11."
    refused = replace(full, flags=("refused",), notes=(note,))
    content = written(refused, assignment, tmp_path / "results.json")
    assert content["score"] == 0 and content["tests"] == [] and note in content["output"]


def test_what_is_late_costs_what_the_rule_says_and_the_reason_is_given(
    full: SubmissionResult, assignment: Assignment, tmp_path: Path
):
    due = datetime.fromisoformat("2027-04-13T12:00:00-05:00")
    rule = replace(assignment, due=due, penalty=Penalty(10, True, "day"))
    late = replace(full, submitted=(due + timedelta(hours=25)).isoformat(), flags=("late",))
    content = written(late, rule, tmp_path / "results.json")
    assert content["score"] == pytest.approx(13.6)
    assert sum(test["score"] for test in content["tests"]) == 17
    assert "3.4 points are taken off for being late: 10 percent of your 17" in content["output"]


def test_nothing_is_hidden_so_that_students_see_their_total(
    class_of: list[SubmissionResult], assignment: Assignment, tmp_path: Path
):
    graded = [r for r in class_of if r.id not in ("cleo", "dan")]
    assert len(graded) >= 4
    for result in graded:
        content = written(result, assignment, tmp_path / "results.json")
        assert {test["visibility"] for test in content["tests"]} <= {"visible"}
        assert content["stdout_visibility"] == "hidden"


def test_hostile_texts_stay_text(
    hostile: list[SubmissionResult], assignment: Assignment, tmp_path: Path
):
    for result in hostile:
        content = written(result, assignment, tmp_path / "results.json")
        text = json.dumps(content, ensure_ascii=False)
        assert not set(text) & set("\x00\x07\x1b\u202e\u2066\ud800")
        assert len(text) < 60_000
        assert {content["output_format"], content["test_output_format"]} == {"text"}


@pytest.mark.parametrize(
    "damage",
    [
        {"score": "17"},
        {"score": math.inf},
        {"visibility": "shown"},
        {"tests": {}},
        {"tests": [{"name": "x"}], "score": None},
        {"output_format": "rst"},
        {"verdict": 1},
    ],
)
def test_the_rules_of_the_format_find_what_breaks_them(
    full: SubmissionResult, assignment: Assignment, damage: dict[str, Any]
):
    content = gradescope.results(full, assignment, 1.0)
    assert faults(content) == []
    broken = {k: v for k, v in {**content, **damage}.items() if v is not None}
    assert faults(broken) != []
