"""Brings a class's submissions and marks into the course folder in which nbgrader works.

The folder is what `python -m autograder release` makes: nbgrader_config.py, source, release and
gradebook.db. Here the submissions are laid out as nbgrader expects them, the marks are laid beside
them, and nbgrader's own Autograde enters both into its gradebook.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timezone
from pathlib import Path

from autograder.assignment import Assignment, Part, question_of
from autograder.export.shared import file_name, write_text
from autograder.intake.platforms import safe_id
from autograder.intake.submissions import PLACEHOLDER, Handin
from autograder.results import SubmissionResult, to_json
from autograder.roster import Roster

CONFIG = "nbgrader_config.py"

_STAMP = "%Y-%m-%d %H:%M:%S.%f UTC"


class GradebookError(ValueError):
    """The gradebook cannot be written as asked; the sentence says why and what to do."""


@dataclass(frozen=True)
class Course:
    """A course folder; `notebooks` are the names, without ending, that the gradebook knows."""

    folder: Path
    database: Path
    assignment: str
    notebooks: tuple[str, ...]

    @property
    def submitted(self) -> Path:
        """Where nbgrader looks for what was handed in."""
        return self.folder / "submitted"

    @property
    def marks(self) -> Path:
        """Where JudgeScores looks for the judge's marks."""
        return self.folder / "marks"

    @property
    def log(self) -> Path:
        """What nbgrader said in the last run."""
        return self.marks / "nbgrader.log"


def open_course(path: Path, assignment: Assignment) -> Course:
    """The course at `path`, its folder or the gradebook in it. Raises GradebookError."""
    folder = path if path.is_dir() else path.parent
    database = path / "gradebook.db" if path.is_dir() else path
    if not (folder / CONFIG).is_file() or "JudgeScores" not in (folder / CONFIG).read_text():
        raise GradebookError(
            f"{folder} holds no {CONFIG} of ours. Give the course folder that `python -m "
            "autograder release` made."
        )
    notebooks = tuple(sorted(_notebooks(database, assignment.id)))
    if not notebooks:
        raise GradebookError(
            f"{database} knows no assignment {assignment.id}. Run `nbgrader generate_assignment "
            f"{assignment.id}` in {folder} first."
        )
    return Course(folder.resolve(), database.resolve(), assignment.id, notebooks)


def refuse_another_release(course: Course, assignment: Assignment, parts: Sequence[Part]) -> None:
    """Raises GradebookError where the course was made by a release that asks something else: it has
    a question that is asked no more, or none of a part that is graded."""
    known = {name for part in (*assignment.parts, *assignment.off) for name in part.full_ids()}
    there = _questions(course)
    parts_there = {name.partition(".")[0] for name in there}
    if gone := sorted(there - known):
        raise GradebookError(
            f"{course.database} is of another release: it asks {', '.join(gone)}, which is not in "
            "assignment.toml. Give the course folder of the release that these students got."
        )
    if other := [part.id for part in parts if part.id not in parts_there]:
        graded = " ".join(f"--part {one.id}" for one in assignment.parts if one.id in parts_there)
        raise GradebookError(
            f"{course.database} is of another release: it does not ask {', '.join(other)}. Give "
            f"the course folder of the release that these students got, or grade what it asks: "
            f"{graded}."
        )


def enter(
    handins: Sequence[Handin],
    results: Sequence[SubmissionResult],
    course: Course,
    submissions: Path,
) -> list[str]:
    """Enter a class into the gradebook; brings the ids of its students.

    `submissions` is where the hand-ins were read from: what nbgrader itself has collected is not
    laid out once more. Raises GradebookError when nbgrader fails.
    """
    by_id = {result.id: result for result in results}
    collected = submissions.resolve() == course.submitted
    # nbgrader calls a student as the folder is called; ours are safe as file names.
    folders = (
        {safe_id(one.name): one.name for one in course.submitted.iterdir()} if collected else {}
    )
    students = {folders.get(one, one): handin for one, handin in by_student(handins).items()}
    for student, handin in students.items():
        home = course.submitted / student / course.assignment
        if not collected:
            _lay_out(student, handin, home, course)
        _complete(handin, home, course)
        path = course.marks / "results" / f"{file_name(student)}.json"
        write_text(path, to_json(by_id[handin.id]))
    _autograde(course)
    return [*students]


def name_students(course: Course, roster: Roster) -> None:
    """Tell nbgrader how its students are called, for formgrader and its exports.

    Ids stay; what the roster does not know stays as it is.
    """
    with closing(sqlite3.connect(course.database, timeout=30)) as file, file:
        ids = [id for (id,) in file.execute("SELECT id FROM student")]
        rows = [
            (*person.first_and_last, person.email or None, id)
            for id in ids
            if (person := roster.find(id)) and person.name
        ]
        file.executemany(
            "UPDATE student SET first_name = ?, last_name = ?, email = COALESCE(?, email) "
            "WHERE id = ?",
            rows,
        )


def by_student(handins: Sequence[Handin]) -> dict[str, Handin]:
    """Whose hand-in is whose: each member of a group has it.

    Where several hand-ins claim one student, each stands under its own id, for a person to decide.
    """
    claims = Counter(member for handin in handins for member in handin.members)
    return {
        member if claims[member] == 1 else handin.id: handin
        for handin in handins
        for member in handin.members
    }


def repairs(course: Course) -> list[str]:
    """What was repaired in the last run, a sentence each: `ada, 3_fc_vae: ...`."""
    log = course.log.read_text(encoding="utf-8", errors="replace")
    return re.findall(r"\| WARNING\] (\S+, \S+: .+)$", log, re.MULTILINE)


def _notebooks(database: Path, assignment: str) -> list[str]:
    """Read without nbgrader, which would make a gradebook where there is none."""
    query = (
        "SELECT notebook.name FROM notebook JOIN assignment "
        "ON notebook.assignment_id = assignment.id WHERE assignment.name = ?"
    )
    return _names(database, query, assignment)


def _questions(course: Course) -> set[str]:
    """Every question that the gradebook has a mark for."""
    query = (
        "SELECT base_cell.name FROM base_cell JOIN notebook ON base_cell.notebook_id = notebook.id "
        "JOIN assignment ON notebook.assignment_id = assignment.id "
        "WHERE assignment.name = ? AND base_cell.type IN ('GradeCell', 'TaskCell')"
    )
    return {question_of(name) for name in _names(course.database, query, course.assignment)}


def _names(database: Path, query: str, assignment: str) -> list[str]:
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as file:
            return [name for (name,) in file.execute(query, [assignment])]
    except sqlite3.Error:
        return []


def _lay_out(student: str, handin: Handin, home: Path, course: Course) -> None:
    """Lay out one hand-in as submitted/STUDENT/ASSIGNMENT, in place of one before it."""
    changed = [
        name
        for name in course.notebooks
        if (old := home / f"{name}.ipynb").exists()
        and old.read_bytes() != handin.files.get(old.name)
    ]
    if changed:
        _ask_again(student, changed, course)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name, data in handin.files.items():
        (home / name).write_bytes(data)
    if handin.submitted:
        stamp = handin.submitted.astimezone(timezone.utc).strftime(_STAMP)
        (home / "timestamp.txt").write_text(stamp, encoding="utf-8")


def _complete(handin: Handin, home: Path, course: Course) -> None:
    """Lay each notebook that is not there by its name: the one that was found under another name,
    or one that stands in for it.

    nbgrader gives the questions of a missing notebook no points, and a student without any no row;
    but their code was handed in and marked.
    """
    for name in course.notebooks:
        if not (path := home / f"{name}.ipynb").exists():
            path.write_bytes(handin.files.get(path.name, PLACEHOLDER))


def _ask_again(student: str, notebooks: Sequence[str], course: Course) -> None:
    """Have a person look again at what they marked in notebooks that are handed in anew."""
    update = (
        "UPDATE grade SET needs_manual_grade = 1 WHERE manual_score IS NOT NULL AND notebook_id IN "
        "(SELECT submitted_notebook.id FROM submitted_notebook "
        "JOIN notebook ON submitted_notebook.notebook_id = notebook.id "
        "JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id "
        "JOIN assignment ON submitted_assignment.assignment_id = assignment.id "
        "WHERE student_id = ? AND assignment.name = ? AND notebook.name = ?)"
    )
    with closing(sqlite3.connect(course.database, timeout=30)) as file, file:
        file.executemany(update, [(student, course.assignment, name) for name in notebooks])


def _autograde(course: Course) -> None:
    """Run nbgrader's Autograde with the course's own settings; its log stays beside the marks."""
    database = f"--CourseDirectory.db_url=sqlite:///{course.database}"
    command = ["autograde", course.assignment, "--force", database]
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    with course.log.open("w", encoding="utf-8") as file:
        ended = subprocess.run(
            [sys.executable, "-m", "nbgrader", *command],
            cwd=course.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        raise GradebookError(
            f"nbgrader did not enter everything into {course.database}; {course.log} says why. The "
            "marks are written; the same command tries again."
        )
