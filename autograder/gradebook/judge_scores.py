"""Enters the judge's marks into nbgrader's gradebook, where nbgrader would run a notebook.

The marks are those that `python -m autograder grade` has written: a question's points become the
auto score of the cell of its name, and its sentences the comment. Nothing is run, and no mark
comes from the notebook itself.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import api, utils
from nbgrader.preprocessors import SaveAutoGrades
from sqlalchemy.orm import undefer
from traitlets import Unicode

from autograder.assignment import question_of, read_assignment
from autograder.export.shared import file_name, mark
from autograder.gradebook.comments import comment_on, why_withheld
from autograder.gradebook.reading import PLACEHOLDER
from autograder.gradebook.repair_cells import NOTE
from autograder.intake.platforms import safe_id
from autograder.lateness import came
from autograder.results import MANUAL, QuestionResult, SubmissionResult, from_json, is_withheld
from autograder.roster import Roster, kept_roster

NO_ANSWER = "No response."


class JudgeScores(SaveAutoGrades):
    """Takes the place of nbgrader's Execute and SaveAutoGrades."""

    marks = Unicode(
        "marks", help="Folder whose `results` hold the judge's marks, seen from the course."
    ).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Enter a student's marks; what a person has to mark in this notebook is left open.

        The judge's marks come from a file and not from notebooks, so they are entered for
        notebooks and cells that were never handed in, too.
        """
        where = resources["nbgrader"]
        result = self._result(where["student"])
        judged = {q.question: q for q in result.questions} if result else {}
        answers = {cell.metadata["nbgrader"]["grade_id"]: cell for cell in _answers(nb)}
        absent = nb.metadata.get("hw5") == PLACEHOLDER["hw5"]
        # Where something had to be repaired, an answer may stand elsewhere: a person looks.
        sure = not any(cell.id == NOTE for cell in nb.cells)
        held = bool(result and is_withheld(result))
        with api.Gradebook(where["db_url"]) as gradebook:
            submission = gradebook.find_submission(where["assignment"], where["student"])
            if result:
                _set_times(submission, result, kept_roster(Path(self.marks)))
            comments = {
                (notebook.id, name): comment
                for comment, name, notebook, _ in rows(gradebook, api.Comment, submission)
            }
            for grade, name, notebook, notebook_name in rows(gradebook, api.Grade, submission):
                question = judged.get(question_of(name))
                comment = comments.get((notebook.id, name))
                by_hand = name in answers or (question is not None and question.kind == MANUAL)
                if question and result and not by_hand:
                    _set(grade, None if held else _scaled(question, grade.max_score))
                    _say(comment, why_withheld(result) if held else comment_on(question))
                elif by_hand and notebook_name == where["notebook"]:
                    empty = absent or (sure and untouched(answers.get(name)))
                    _set(grade, 0.0 if empty else None)
                    _say(comment, NO_ANSWER if empty else None)
                notebook.flagged = notebook.flagged or held
            gradebook.db.commit()
        return nb, resources

    def _result(self, student: str) -> SubmissionResult | None:
        """What the judge has written for a student; None, and a warning, where there is nothing."""
        path = Path(self.marks, "results", f"{file_name(student)}.json")
        try:
            result = from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            problem = "does not exist"
        except ValueError as error:
            problem = f"cannot be used: {error}"
        else:
            if safe_id(student) in (result.id, *result.members):
                return result
            problem = f"is about {result.id}"
        self.log.warning(
            "%s: no marks are entered, for %s %s. `python -m autograder grade` writes it.",
            student,
            path,
            problem,
        )
        return None


def rows(gradebook: api.Gradebook, kind: Any, submission: api.SubmittedAssignment) -> list[Any]:
    """Every grade, or comment, of a submission with its cell's name, its notebook, and its name.

    One query: nbgrader would ask for each of them alone, which takes most of a second a student.
    """
    query = (
        gradebook.db.query(kind, api.BaseCell.name, api.SubmittedNotebook, api.Notebook.name)
        .join(api.BaseCell, kind.cell_id == api.BaseCell.id)
        .join(api.SubmittedNotebook, kind.notebook_id == api.SubmittedNotebook.id)
        .join(api.Notebook, api.SubmittedNotebook.notebook_id == api.Notebook.id)
        .filter(api.SubmittedNotebook.assignment_id == submission.id)
    )
    if kind is api.Grade:
        query = query.options(undefer(api.Grade.max_score))
    return list(query.all())


def _set_times(
    submission: api.SubmittedAssignment, result: SubmissionResult, roster: Roster
) -> None:
    """When it was due and came, as the judge reads it: nbgrader knows few zones, and no roster."""
    if submitted := came(result, roster):
        submission.timestamp = _utc(submitted)
    due = read_assignment().due
    if due:
        extension = roster.extension(result.members)
        submission.assignment.duedate = _utc(due)
        submission.extension = extension - due if extension else None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _scaled(question: QuestionResult, most: float) -> float | None:
    """A question's mark where `most` is its maximum: a release may scale the points."""
    points = mark(question)
    if points is None or not question.max_points:
        return points
    return round(points * most / question.max_points, 4)


def _set(grade: api.Grade, points: float | None) -> None:
    """Set the auto score. A person's mark stays, and is asked for again when this changes."""
    changed = grade.auto_score != points
    grade.auto_score = points
    if grade.manual_score is None:
        grade.needs_manual_grade = points is None
    elif changed:
        grade.needs_manual_grade = True


def _say(comment: api.Comment | None, said: str | None) -> None:
    if comment is not None:
        comment.auto_comment = said


def _answers(nb: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in nb.cells if utils.is_grade(cell) and utils.is_solution(cell)]


def untouched(answer: NotebookNode | None) -> bool:
    """True for an answer that is blank, or as it was released."""
    if answer is None:
        return False
    released = answer.metadata["nbgrader"].get("checksum")
    return not answer.source.strip() or released == utils.compute_checksum(answer)
