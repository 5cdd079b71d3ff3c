"""Takes published results back into nbgrader's gradebook, so that it exports the same totals.

Given again, it changes nothing: what it writes follows from what was published alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nbgrader import api

from autograder.assignment import question_of
from autograder.gradebook.course import Course, GradebookError
from autograder.gradebook.given import CLOSE, most
from autograder.gradebook.judge_scores import rows
from autograder.intake.platforms import safe_id


@dataclass(frozen=True)
class Published:
    """What one student was told: question -> (points, of how many), and the total."""

    points: Mapping[str, tuple[float, float]]
    total: float


def give_back(course: Course, published: Mapping[str, Published]) -> tuple[int, list[str]]:
    """Write it; brings how many students were found, and what nbgrader has no place for.

    A mark that is another one there becomes the mark by hand, as if given in formgrader; what the
    total is less than the marks becomes the late penalty, notebook by notebook. Raises
    GradebookError where a question is worth something else there.
    """
    _need_these_points(course, published)
    found, notes = 0, []
    with api.Gradebook(f"sqlite:///{course.database}") as gradebook:
        for submission in gradebook.assignment_submissions(course.assignment):
            student = submission.student.id
            if own := published.get(safe_id(student)):
                found += 1
                notes += [f"{student}: {one}" for one in _enter(gradebook, submission, own)]
        gradebook.db.commit()
    return found, notes


def _need_these_points(course: Course, published: Mapping[str, Published]) -> None:
    """Nothing is rescaled: nbgrader would export another total than was published."""
    there = most(course)
    for own in published.values():
        for name, (_, of) in own.points.items():
            if name in there and abs(there[name] - of) > CLOSE:
                raise GradebookError(
                    f"{name} is worth {there[name]:g} points in {course.database}, and {of:g} in "
                    "what was published: points, `total` or the parts that are graded are others "
                    "than in its release. Put them back, grade and publish again; or give the "
                    "course folder of a release that has these points."
                )


def _enter(
    gradebook: api.Gradebook, submission: api.SubmittedAssignment, own: Published
) -> Iterable[str]:
    cells: dict[str, list[api.Grade]] = defaultdict(list)
    notebooks = {notebook.id: notebook for notebook in submission.notebooks}
    for grade, name, _, _ in rows(gradebook, api.Grade, submission):
        cells[question_of(name)].append(grade)
    earned = dict.fromkeys(notebooks, 0.0)
    for name, (points, of) in own.points.items():
        if not cells[name] and points:
            yield f"there is no cell for {name}, which has {points:g} points."
        for grade in cells[name]:
            mark = points * grade.max_score / of  # of several cells each has its part
            earned[grade.notebook_id] += mark
            if grade.needs_manual_grade or abs((grade.score or 0.0) - mark) > CLOSE:
                grade.manual_score = mark - (grade.extra_credit or 0.0)
                grade.needs_manual_grade = False
    marks = sum(points for points, _ in own.points.values())
    if own.total > marks + CLOSE:
        yield f"the total is {own.total - marks:g} points above the marks: give them to a question."
    lost = max(0.0, 1 - own.total / marks) if marks else 0.0
    for id, notebook in notebooks.items():
        less = round(lost * earned[id], 4)
        notebook.late_submission_penalty = less if less > CLOSE else None
