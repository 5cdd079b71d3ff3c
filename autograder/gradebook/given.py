"""What people gave in formgrader: marks, comments, and what still waits for them.

Read from gradebook.db without nbgrader, which takes seconds to start and might change it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.assignment import question_of
from autograder.gradebook.course import CONFIG, Course, GradebookError

_GRADES = """
SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score,
       grade.extra_credit, grade.needs_manual_grade,
       COALESCE(grade_cells.max_score, task_cells.max_score)
FROM grade
JOIN base_cell ON grade.cell_id = base_cell.id
LEFT JOIN grade_cells ON grade_cells.id = base_cell.id
LEFT JOIN task_cells ON task_cells.id = base_cell.id
JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN assignment ON submitted_assignment.assignment_id = assignment.id
WHERE assignment.name = ? ORDER BY base_cell.name
"""

_COMMENTS = """
SELECT submitted_assignment.student_id, base_cell.name, comment.manual_comment
FROM comment
JOIN base_cell ON comment.cell_id = base_cell.id
JOIN submitted_notebook ON comment.notebook_id = submitted_notebook.id
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN assignment ON submitted_assignment.assignment_id = assignment.id
WHERE assignment.name = ? AND comment.manual_comment IS NOT NULL ORDER BY base_cell.name
"""

_LATE = """
SELECT submitted_assignment.student_id, SUM(submitted_notebook.late_submission_penalty)
FROM submitted_notebook
JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
JOIN assignment ON submitted_assignment.assignment_id = assignment.id
WHERE assignment.name = ? GROUP BY submitted_assignment.student_id
"""


_MOST = """
SELECT base_cell.name, COALESCE(grade_cells.max_score, task_cells.max_score)
FROM base_cell
LEFT JOIN grade_cells ON grade_cells.id = base_cell.id
LEFT JOIN task_cells ON task_cells.id = base_cell.id
JOIN notebook ON base_cell.notebook_id = notebook.id
JOIN assignment ON notebook.assignment_id = assignment.id
WHERE assignment.name = ? AND base_cell.type IN ('GradeCell', 'TaskCell')
"""


CLOSE = 0.005
"""Points below which two marks are one: tables round to hundredths."""


@dataclass(frozen=True)
class Given:
    """What the gradebook has of one question of one student.

    `points` of `most` are None while they wait for a person; `by_hand`: a person gave them, and not
    the judge or an untouched answer; `comments` are people's alone.
    """

    points: float | None = None
    most: float = 0.0
    by_hand: bool = False
    comments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Student:
    """What the gradebook has of one student: question -> what is given, and the late penalty of the
    course's own plugin. What our rule took there follows from the rule, and is not read back."""

    questions: dict[str, Given] = field(default_factory=dict)
    penalty: float = 0.0


def given(course: Course) -> dict[str, Student]:
    """What people gave, by nbgrader's name of the student. Raises GradebookError."""
    grades, comments, taken = _rows(course, _GRADES, _COMMENTS, _LATE)
    late = {} if _by_our_rule(course) else dict(taken)
    found: dict[str, dict[str, Given]] = defaultdict(dict)
    for student, cell, auto, manual, extra, waits, most in grades:
        points = None if waits else manual if manual is not None else auto
        one = Given(None if points is None else points + (extra or 0.0), most or 0.0)
        one = replace(one, by_hand=manual is not None or bool(extra))
        before = found[student].get(question_of(cell))
        found[student][question_of(cell)] = _sum(before, one) if before else one
    for student, cell, text in comments:
        question = question_of(cell) or cell
        one = found[student].get(question, Given())
        found[student][question] = replace(one, comments=(*one.comments, text.strip()))
    return {id: Student(questions, late.get(id) or 0.0) for id, questions in found.items()}


def most(course: Course) -> dict[str, float]:
    """What each question is worth in the gradebook. Raises GradebookError."""
    found: dict[str, float] = defaultdict(float)
    (cells,) = _rows(course, _MOST)
    for cell, points in cells:
        found[question_of(cell)] += points or 0.0
    return found


def _rows(course: Course, *queries: str) -> list[list[tuple[Any, ...]]]:
    """What the gradebook answers, query by query; it is opened once. Raises GradebookError."""
    try:
        with closing(sqlite3.connect(f"{course.database.as_uri()}?mode=ro", uri=True)) as file:
            return [file.execute(one, [course.assignment]).fetchall() for one in queries]
    except sqlite3.Error as error:
        raise GradebookError(f"{course.database} cannot be read: {error}.") from None


def _by_our_rule(course: Course) -> bool:
    return "late_penalty.LatePenalty" in (course.folder / CONFIG).read_text(encoding="utf-8")


def _sum(one: Given, other: Given) -> Given:
    """Two cells of one question; while one of them waits, so does the question."""
    waits = one.points is None or other.points is None
    points = None if waits else (one.points or 0.0) + (other.points or 0.0)
    return Given(points, one.most + other.most, one.by_hand or other.by_hand)
