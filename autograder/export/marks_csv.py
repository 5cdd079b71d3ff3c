"""marks.csv: one row a submission, one column a question that the judge marks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from autograder.assignment import Assignment
from autograder.export.shared import (
    MARKED_KINDS,
    flags,
    harmless,
    in_order,
    mark,
    names,
    points_text,
    status,
    total,
    write_text,
)
from autograder.results import SubmissionResult
from autograder.roster import NOBODY, Roster
from autograder.tables import JOINERS, inert


def write(
    results: Iterable[SubmissionResult],
    assignment: Assignment,
    path: Path,
    roster: Roster = NOBODY,
) -> None:
    """Write the marks, in points, sorted by id: equal results are equal bytes.

    With a roster there are two more columns, the names and sections of the members.

    An open mark is a blank, never a zero, and so is the total beside it; a withheld submission
    keeps the marks of its questions. Parts that nobody was graded on have no columns.
    Raises ValueError when two results carry one id, OSError when `path` cannot be written.
    """
    ordered = in_order(results)
    questions = _questions(ordered, assignment)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    named = ["name", "section"] if roster.people else []
    header = ["id", "members", *named, "flags", *questions]
    header += ["points", "max_points", "status", "attempts"]
    writer.writerow([cell(name) for name in header])
    for result in ordered:
        writer.writerow([cell(text) for text in _row(result, questions, roster)])
    # Names need the mark without which Excel takes UTF-8 for Latin-1.
    write_text(path, ("\ufeff" if roster.people else "") + buffer.getvalue())


def _questions(results: list[SubmissionResult], assignment: Assignment) -> list[str]:
    """Full ids of the columns, in the order of assignment.toml; then those of questions that are
    not asked any more and still count for somebody."""
    marked = [one for result in results for one in result.questions if one.kind in MARKED_KINDS]
    graded = {question.question for result in results for question in result.questions}
    asked = [
        f"{part.id}.{question.id}"
        for part in assignment.parts
        if not graded or graded.intersection(part.full_ids())
        for question in part.questions
        if question.kind in MARKED_KINDS
    ]
    return [*dict.fromkeys([*asked, *(one.question for one in marked)])]


def _row(result: SubmissionResult, questions: list[str], roster: Roster) -> list[str]:
    sections = dict.fromkeys(person.section for person in roster.of(result.members))
    named = ["; ".join(names(result, roster)), "; ".join(filter(None, sections))]
    marks = {question.question: mark(question) for question in result.questions}
    return [
        result.id,
        " ".join(result.members),
        *(named if roster.people else ()),
        " ".join(flags(result)),
        *(points_text(marks.get(question)) for question in questions),
        points_text(total(result)),
        points_text(result.max_points),
        status(result),
        str(result.attempts),
    ]


def cell(text: str) -> str:
    """The text as a spreadsheet shows it; a formula gets an apostrophe before it."""
    return inert(harmless(text, keep=JOINERS))
