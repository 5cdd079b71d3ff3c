"""PUBLISHED/results.csv: one row a student, everything that counts, and what holds a total back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder.assignment import Assignment
from autograder.course.publish import MISSING, Row
from autograder.export.marks_csv import cell
from autograder.export.shared import harmless, points_text, write_text
from autograder.roster import Person
from autograder.tables import JOINERS


def write(
    rows: Sequence[Row], missing: Iterable[Person], assignment: Assignment, path: Path
) -> None:
    """Write it, sorted by id; those of the roster who handed nothing in stand below."""
    graded = {q.question for row in rows for q in row.result.questions if q.max_points}
    questions = [name for part in assignment.parts for name in part.full_ids() if name in graded]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    head = ("id", "name", "section", *questions, "late", "total", "max_points", "state")
    writer.writerow([*head, "held back by", "decided"])
    for row in rows:
        points = {q.question: q.points for q in row.result.questions}
        text = (cell(row.id), cell(row.name), cell(row.section))
        marks = (*(points.get(name) for name in questions), row.late, row.total, row.most)
        decided = " ".join(row.notices + tuple(t for said in row.people.values() for t in said))
        last = (row.state, cell("; ".join(row.held)), cell(decided))
        writer.writerow([*text, *map(points_text, marks), *last])
    for person in missing:
        name = cell(harmless(person.shown, keep=JOINERS))
        blank = [""] * (len(questions) + 3)
        writer.writerow([cell(person.id), name, cell(person.section), *blank, MISSING, "", ""])
    # With the mark without which Excel takes UTF-8 for Latin-1.
    write_text(path, "\ufeff" + buffer.getvalue())
