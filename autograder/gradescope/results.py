"""results.json for Gradescope: a test for each question that the judge marks.

A student reads there what the feedback page says, as plain text: the sentences of the checks and
what went wrong, never a check's name or its inputs. Marks given by hand are Gradescope's own
rubric's and not counted here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder import lateness
from autograder.assignment import Assignment
from autograder.export.feedback import (
    FLAGS,
    MOST_FILES,
    CheckView,
    QuestionView,
    is_anonymous,
    part_views,
    without_names,
)
from autograder.export.shared import OK, mark, points_text, shown, status, write_text
from autograder.results import MANUAL, PASS, QuestionResult, SubmissionResult

VISIBLE = "visible"
"""A test of any other visibility would hide the total from students."""


class NoResults(ValueError):
    """A mark is open, and this format knows no blank: there is nothing to hand to Gradescope."""


def write(result: SubmissionResult, assignment: Assignment, path: Path, seconds: float) -> None:
    """Write results.json, whole or not at all. Raises NoResults, OSError."""
    content = results(result, assignment, seconds)
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def results(result: SubmissionResult, assignment: Assignment, seconds: float) -> dict[str, Any]:
    """What results.json says of a submission that took so many seconds.

    Raises NoResults while a mark is held back. A test without its score would count as a zero;
    without any results Gradescope reports that the autograder has failed, and nobody is marked.
    A submission that the rules refuse gets no points, and a sentence that says so; what is taken
    off for being late is taken off the score, and no test's.
    """
    refused = "refused" in result.flags
    if status(result) != OK and not refused:
        raise NoResults(f"marks are held back: {_reasons(result)}")
    if is_anonymous(result, assignment):
        result = without_names(result)
    tests = [] if refused else list(_tests(result, assignment))
    earned = sum(test["score"] for test in tests)
    by = lateness.judge_again(result, assignment).by
    taken, why = lateness.price(assignment, by, earned)
    return {
        "score": round(earned - taken, 4),
        "execution_time": round(seconds, 1),
        "output": _summary(result, refused, lateness.taken_off(taken, why) if taken else ""),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": VISIBLE,
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "seed": result.seed,
            "flags": [shown(flag) for flag in result.flags],
            "layers": list(result.layers),
            "versions": result.versions,
        },
    }


def _reasons(result: SubmissionResult) -> str:
    """Which checks failed on our side, and why, for the staff."""
    broken = [
        f"{check.check} ({check.message})"
        for question in result.questions
        for check in question.checks
        if check.state == status(result)
    ]
    return "; ".join(broken) or ", ".join(result.flags) or "a question has no check"


def _tests(result: SubmissionResult, assignment: Assignment) -> Iterator[dict[str, Any]]:
    views = {view.id: view for part in part_views(result, assignment) for view in part.questions}
    for number, part in enumerate(assignment.parts, 1):
        for place, full_id in enumerate(part.full_ids(), 1):
            if full_id in views and result.question(full_id).kind != MANUAL:
                question = result.question(full_id)
                yield {
                    "name": shown(f"{full_id}: {_title(question)}"),
                    "number": f"{number}.{place}",
                    "score": mark(question) or 0.0,
                    "max_score": question.max_points,
                    "status": "passed" if question.state == PASS else "failed",
                    "output": _output(views[full_id]),
                    "tags": [part.id],
                    "visibility": VISIBLE,
                }


def _title(question: QuestionResult) -> str:
    return f"{question.title} (bonus)" if question.kind == "bonus" else question.title


def _output(view: QuestionView) -> str:
    """Every check of a question in words, what went wrong first."""
    blocks = [_check(check) for check in view.checks]
    return "\n\n".join([*blocks, *(f"{check.sign} {shown(check.title)}" for check in view.passed)])


def _check(check: CheckView) -> str:
    worth = f", {check.worth}" if check.worth else ""
    lines = [f"{check.sign} {check.word}{worth}: {shown(check.title)}"]
    lines += [shown(text) for text in (check.explanation, check.message) if text]
    return "\n".join([*lines, *([f"Hint: {shown(check.hint)}"] if check.hint else [])])


def _summary(result: SubmissionResult, refused: bool, taken: str) -> str:
    flags = [FLAGS.get(flag, f"The course staff will look at it: {flag}.") for flag in result.flags]
    lines = [shown(sentence) for sentence in (*flags, *result.notes, *filter(None, [taken]))]
    if result.ignored:
        named = ", ".join(shown(name) for name in result.ignored[:MOST_FILES])
        more = len(result.ignored) - MOST_FILES
        lines.append(f"Not asked for, and not looked at: {named}{f', {more} more' * (more > 0)}.")
    by_hand = sum(q.max_points for q in result.questions if q.kind == MANUAL)
    if by_hand and not refused:
        lines.append(f"Another {points_text(by_hand)} points are given by hand, and not here.")
    lines.append(f"Seed {result.seed}: graded again with it, this work gets the same marks.")
    return "\n".join(lines)
