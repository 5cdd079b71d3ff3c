"""MARKS/overrides.csv: what a person decided about a mark, and why. No regrade touches it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.course.marks import CourseError
from autograder.export.marks_csv import cell
from autograder.export.shared import points_text, write_text
from autograder.results import SubmissionResult
from autograder.roster import Roster
from autograder.tables import read_table

OVERRIDES = "overrides.csv"
COLUMNS = ("student", "question", "points", "reason")

WITHHELD, LATE, TOTAL = "withheld", "late", "total"
"""What may stand under `question` beside a question: let withheld marks count (without points);
points for being late (0 or less); the total itself."""


@dataclass(frozen=True)
class Override:
    """One row. `points` is None for `withheld` alone."""

    student: str
    question: str
    points: float | None
    reason: str


def read_overrides(
    marks: Path, results: Iterable[SubmissionResult], roster: Roster
) -> list[Override]:
    """Every row of MARKS/overrides.csv, each checked. Raises CourseError naming the row."""
    path = marks / OVERRIDES
    if not path.exists():
        return []
    found: list[Override] = []
    results = [*results]
    for number, row in enumerate(read_table(path), 2):
        where = f"{path}, row {number}"
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise CourseError(f"{where} has no {missing[0]}. The columns are {', '.join(COLUMNS)}.")
        one = checked(where, row, results, roster)
        if any(is_same(one, old, roster) for old in found):
            raise CourseError(f"{where}: {one.student}, {one.question} is there twice. Leave one.")
        found.append(one)
    return found


def write_overrides(marks: Path, overrides: Iterable[Override]) -> None:
    """Write them all."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in overrides:
        row = (one.student, one.question, points_text(one.points), one.reason)
        writer.writerow([cell(text) for text in row])
    write_text(marks / OVERRIDES, buffer.getvalue())


def checked(
    where: str, row: Mapping[str, str], results: Iterable[SubmissionResult], roster: Roster
) -> Override:
    """A row as it is meant. Raises CourseError: what it names must be there."""
    student, question, points, reason = (row[name] for name in COLUMNS)
    own = [one for one in results if is_called(student, one, roster)]
    if not own:
        raise CourseError(f"{where}: no submission is by {student!r}.")
    if not reason:
        raise CourseError(f"{where}: {student}, {question} has no reason. The student reads it.")
    if question == WITHHELD:
        if points:
            raise CourseError(f"{where}: `{WITHHELD}` lets marks count, and takes no points.")
        return Override(student, question, None, reason)
    number = _number(where, points)
    most = {q.question: q.max_points for one in own for q in one.questions}
    if question == LATE:
        low, high = -math.inf, 0.0
    elif question == TOTAL:
        low, high = 0.0, math.inf
    elif question in most:
        low, high = 0.0, most[question]
    else:
        raise CourseError(
            f"{where}: {student} was not graded on {question!r}. Give a question such as "
            f"{next(iter(most), 'fc-vae.loss')}, or {WITHHELD}, {LATE}, {TOTAL}."
        )
    if not low <= number <= high:
        bound = f"many: {high:g} at the most" if number > high else f"few: {low:g} at the least"
        raise CourseError(f"{where}: {points} points are too {bound}.")
    return Override(student, question, number, reason)


def is_called(name: str, result: SubmissionResult, roster: Roster) -> bool:
    """Is this submission, or one of its members, called so?"""
    person = roster.find(name)
    names = {one.lower() for one in (result.id, *result.members)}
    return name.lower() in names or (person is not None and person in roster.of(result.members))


def is_same(one: Override, other: Override, roster: Roster) -> bool:
    """Do both decide about the same mark, by whichever name of the student?"""
    known = [roster.find(o.student) or o.student.lower() for o in (one, other)]
    return one.question == other.question and known[0] == known[1]


def _number(where: str, text: str) -> float:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CourseError(f"{where}: {text!r} is no number of points.")
    return number
