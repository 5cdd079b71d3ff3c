"""Reads back the folder of marks that `grade` wrote."""

from __future__ import annotations

from pathlib import Path

from autograder.export.shared import in_order
from autograder.results import SubmissionResult, from_json


class CourseError(ValueError):
    """What was asked for the class cannot be done; the sentence says why and what to do."""


def read_marks(marks: Path) -> list[SubmissionResult]:
    """Every result in MARKS, sorted by id. Raises CourseError."""
    files = sorted((marks / "results").glob("*.json"))
    if not files:
        raise CourseError(
            f"{marks} holds no results. Give the folder that "
            "`python -m autograder grade SUBMISSIONS --out MARKS` wrote."
        )
    results = []
    for path in files:
        try:
            results.append(from_json(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise CourseError(f"{path}: {error}. Grade again into {marks}.") from None
    try:
        return in_order(results)
    except ValueError as error:
        raise CourseError(f"{marks}: {error}.") from None
