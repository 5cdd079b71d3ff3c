"""Which answers to a question say the same, so that people can mark them together.

Two answers are equal when they differ in nothing but spaces, emphasis, letters that are large or
small, and the stops between sentences; anything more is for a person to judge.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nbgrader.utils import is_grade, is_solution

from autograder.gradebook.judge_scores import untouched
from autograder.gradebook.reading import Unreadable, read_notebook

_GRADES = """
SELECT submitted_assignment.student_id, base_cell.name, grade.id, comment.id,
       grade.needs_manual_grade AND grade.manual_score IS NULL
FROM grade
JOIN base_cell ON grade.cell_id = base_cell.id
JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
JOIN notebook ON submitted_notebook.notebook_id = notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN assignment ON submitted_assignment.assignment_id = assignment.id
JOIN base_cell AS said ON said.name = base_cell.name AND said.notebook_id = base_cell.notebook_id
JOIN comment ON comment.cell_id = said.id AND comment.notebook_id = submitted_notebook.id
WHERE assignment.name = ? AND notebook.name = ? ORDER BY submitted_assignment.student_id
"""

_CAPITALS = re.compile(r"(?<![\\\w])(?:[^\W\d_]{3,}|[A-Z][a-z])(?![^\W\d_])")
"""Words that say the same in capitals. Symbols do not: n and N, XY, \\Sigma."""


@dataclass(frozen=True)
class Equal:
    """How many other answers are equal, and of those that nobody has marked the ids of grade and
    comment in the gradebook."""

    count: int
    waiting: tuple[tuple[str, str], ...]


def plain(text: str) -> str:
    """What an answer says without its trivial differences."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub(r"\*\*|__|[$`]", "", text)
    text = re.sub(r"(?<![.,;:?])[.,;:?]+(?=\s|$)", "", text)
    text = _CAPITALS.sub(lambda word: word[0].casefold(), text)
    text = " ".join(text.split())  # before: to go through runs of blanks twice takes for ever
    return re.sub(r" ?([^\w\s]) ?", r"\1", text)


def equal_answers(course: Path, assignment: str, notebook: str, student: str) -> dict[str, Equal]:
    """For each answer of this student that others have given, too: by the name of its cell."""
    grades = _grades(course / "gradebook.db", assignment, notebook)
    said: dict[str, dict[str, str]] = {}
    for other in {one for one, *_ in grades}:
        path = course / "autograded" / other / assignment / f"{notebook}.ipynb"
        if path.is_file():
            said[other] = _answers(path, path.stat().st_mtime_ns)
    found = {}
    for name, own in said.get(student, {}).items():
        alike = [row for row in grades if row[1] == name and said.get(row[0], {}).get(name) == own]
        others = [row for row in alike if row[0] != student]
        if others:
            waiting = tuple((grade, comment) for _, _, grade, comment, waits in others if waits)
            found[name] = Equal(len(others), waiting)
    return found


Row = tuple[str, str, str, str, int]


def _grades(database: Path, assignment: str, notebook: str) -> list[Row]:
    """Read without nbgrader, and without changing anything."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as file:
            return file.execute(_GRADES, [assignment, notebook]).fetchall()
    except sqlite3.Error:
        return []


@lru_cache(maxsize=4096)
def _answers(path: Path, changed: int) -> dict[str, str]:
    """What the answers in a notebook say; one that nobody wrote is nobody's, and a picture is a
    part of it. `changed` is when the file was last written: it is read once as long as it stays."""
    try:
        cells = read_notebook(path.read_bytes()).cells
    except (OSError, Unreadable):
        return {}
    return {
        cell.metadata["nbgrader"]["grade_id"]: said
        for cell in cells
        if is_grade(cell) and is_solution(cell) and not untouched(cell)
        if (said := plain(cell.source) + json.dumps(cell.get("attachments", {}), sort_keys=True))
    }
