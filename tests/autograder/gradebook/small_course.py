"""A course of two notebooks in the grammar of the real ones, and what students make of them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from shutil import copyfile
from typing import Any

from nbgrader.api import Gradebook

import autograder.gradebook
from autograder.assignment import question_of, read_assignment
from autograder.results import (
    FAIL,
    MANUAL,
    PASS,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
)

ASSIGNMENT = read_assignment()
CONFIG = Path(autograder.gradebook.__file__).with_name("nbgrader_config.py")

CODE, WRITTEN = "3_fc_vae", "1_bernoulli_vae"
NOTEBOOKS = (WRITTEN, CODE)

CODED = ("fc-vae--networks", "fc-vae--loss")
FIGURES = "fc-vae--figures"
ANSWERS = ("vae-theory--1c", "vae-theory--1f")
STUB = "YOUR ANSWER HERE"

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA"
    "DUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

Cell = dict[str, Any]
Notebook = dict[str, Any]


def points(name: str) -> float:
    """What a question is worth, from assignment.toml."""
    return ASSIGNMENT.question(question_of(name)).points


FULL, HALF = points(CODED[0]), points(CODED[1]) / 2
"""What the judge gives in this course: all of the first question of code, half of the second."""


def markdown(name: str, source: str, **nbgrader: Any) -> Cell:
    """A Markdown cell; with nbgrader's metadata when any is given."""
    metadata = {"nbgrader": _metadata(name, **nbgrader)} if nbgrader else {}
    return {"cell_type": "markdown", "id": name, "metadata": metadata, "source": source}


def code(name: str, source: str, **nbgrader: Any) -> Cell:
    """A code cell without outputs."""
    cell = markdown(name, source, **nbgrader)
    return {**cell, "cell_type": "code", "execution_count": None, "outputs": []}


def task(name: str, source: str) -> Cell:
    """The statement of a question that carries points and takes no answer in the notebook."""
    return markdown(name, source, locked=True, task=True, points=points(name))


def heading(name: str, title: str, minutes: int) -> str:
    """The first line of a statement."""
    return f"### {title} · {points(name):g} points · {minutes} minutes"


def answer(name: str, model: str) -> Cell:
    """An answer that a person marks; the whole source is a solution."""
    source = f"### BEGIN SOLUTION\n{model}\n### END SOLUTION"
    return markdown(name, source, grade=True, solution=True, points=points(name))


def _metadata(name: str, **said: Any) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": 3, "grade_id": name, **flags, **said}


def notebook(title: str, *cells: Cell) -> Notebook:
    """A notebook in format 4.5, as an instructor commits it."""
    return {
        "cells": [*cells],
        "metadata": {
            "hw5": {"title": title},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


SOURCE = {
    WRITTEN: notebook(
        "Theory",
        markdown("title", "# The evidence lower bound"),
        markdown(
            "vae-theory--1c--statement",
            heading(ANSWERS[0], "A bound by Jensen's inequality", 15) + "\n\nShow that $a<b$ for "
            "all $z$.\n\n<details><summary>Hint</summary>The logarithm is concave.</details>",
            locked=True,
        ),
        answer(ANSWERS[0], "The secret model answer.\n\n**Mark scheme** one point each."),
        markdown(
            "vae-theory--1f--statement",
            f"{heading(ANSWERS[1], 'Why an encoder is necessary', 10)}\n\nIn at most 100 words: "
            "why are gradients with respect to the posterior out of reach?",
            locked=True,
        ),
        answer(ANSWERS[1], "Another secret answer."),
    ),
    CODE: notebook(
        "Fully connected VAE",
        markdown("title", "# A fully connected VAE"),
        code("setup", "from hw5_utils import begin, check\n\nQUICK = begin()"),
        task(
            CODED[0],
            f"{heading(CODED[0], 'Encoder, mu and logvar layers, decoder', 30)}\n\nBuild the "
            "four networks of the table below in `hw5_vae.py`, and nothing else.",
        ),
        code("fc-vae--networks--check", 'check("fc-vae.networks")', locked=True),
        task(
            CODED[1],
            f"{heading(CODED[1], 'Negative evidence lower bound', 25)}\n\nReturn the sum of the "
            "reconstruction term and the KL divergence, averaged over the batch.",
        ),
        code("fc-vae--loss--try", "from hw5_vae import loss_function"),
        code("fc-vae--loss--check", 'check("fc-vae.loss")', locked=True),
        task(
            FIGURES,
            f"{heading(FIGURES, 'Samples, interpolation and ten digits', 20)}\n\nAttach three "
            "figures.\n\n=== BEGIN MARK SCHEME ===\nThe secret criteria of the figures.\n"
            "=== END MARK SCHEME ===",
        ),
        code("fc-vae--figures--samples", "show(samples)"),
    ),
}
"""The instructor's notebooks, by name."""


def lay_source(course: Path) -> None:
    """The instructor's side of a course folder, as the release makes it."""
    source = course / "source" / "hw5"
    source.mkdir(parents=True)
    copyfile(CONFIG, course / CONFIG.name)
    for name, content in SOURCE.items():
        (source / f"{name}.ipynb").write_text(json.dumps(content))
    (source / "hw5_vae.py").write_text("raise NotImplementedError('stripped')\n")


def released(course: Path, name: str) -> Notebook:
    """A notebook as a student gets it, to be filled in."""
    path = course / "release" / "hw5" / f"{name}.ipynb"
    return dict(json.loads(path.read_text()))


def cell(content: Notebook, name: str) -> Cell:
    """The cell of that id."""
    return next(one for one in content["cells"] if one["id"] == name)


def text(one: Cell) -> str:
    """A cell's source, however it is stored."""
    return "".join(one["source"])


def drawn(content: Notebook, *bundles: dict[str, Any]) -> None:
    """Let the figure cell show these outputs."""
    outputs = [{"output_type": "display_data", "metadata": {}, "data": data} for data in bundles]
    cell(content, "fc-vae--figures--samples")["outputs"] = outputs


def filled_in(course: Path) -> dict[str, Notebook]:
    """The notebooks of a student who has answered one of two questions and attached a figure."""
    notebooks = {name: released(course, name) for name in NOTEBOOKS}
    cell(notebooks[WRITTEN], ANSWERS[0])["source"] = "The logarithm is concave, so $a<b$."
    drawn(notebooks[CODE], {"image/png": PNG, "text/plain": "<Figure>"})
    return notebooks


def graded(student: str, loss: float | None = HALF, **more: Any) -> SubmissionResult:
    """What the judge says of a student: the networks are right, the loss half so."""
    half = CheckResult(
        "averages",
        "fc-vae.loss",
        FAIL if loss is not None else UNGRADABLE,
        0.5,
        1.0,
        "loss_function averages over the batch.",
        message="Your loss is the sum over the batch; divide by its size.",
    )
    right = CheckResult("shapes", "fc-vae.networks", PASS, 1.0, 1.0, "The networks fit the table.")
    questions = (
        QuestionResult("fc-vae.networks", "Networks", "code", PASS, FULL, FULL, (right,)),
        QuestionResult("fc-vae.loss", "Loss", "code", half.state, loss, 2 * HALF, (half,)),
        *(
            QuestionResult(question_of(name), name, MANUAL, MANUAL, None, points(name))
            for name in (FIGURES, *ANSWERS)
        ),
    )
    total = None if loss is None else FULL + loss
    return SubmissionResult(student, (student,), total, FULL + 2 * HALF, questions, **more)


def nbgrader(course: Path, *arguments: str) -> str:
    """Run a command of nbgrader in a course folder, as from a shell without the environment's
    programs on its PATH; brings its log."""
    ended = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=course,
        env={**os.environ, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


Row = tuple[float | None, float | None, bool]


def grades(course: Path, student: str) -> dict[str, Row]:
    """Auto score, manual score and whether a person has to look, by cell, from gradebook.db."""
    query = """
        SELECT base_cell.name, auto_score, manual_score, needs_manual_grade FROM grade
        JOIN base_cell ON base_cell.id = grade.cell_id
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        WHERE student_id = ?"""
    with closing(sqlite3.connect(course / "gradebook.db")) as database:
        rows = database.execute(query, [student]).fetchall()
    return {name: (auto, manual, bool(look)) for name, auto, manual, look in rows}


def comment(course: Path, student: str, name: str) -> str | None:
    """What the gradebook says beside a mark of the judge."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        where = CODE if name.startswith("fc-vae") else WRITTEN
        said = gradebook.find_comment(name, where, "hw5", student).auto_comment
        return said if said is None else str(said)


def mark_by_hand(course: Path, student: str, name: str, mark: float) -> None:
    """Give a mark as formgrader does."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        where = CODE if name.startswith("fc-vae") else WRITTEN
        grade = gradebook.find_grade(name, where, "hw5", student)
        grade.manual_score, grade.needs_manual_grade = mark, False
        gradebook.db.commit()


def shown(course: Path, student: str, name: str) -> Notebook:
    """The notebook that formgrader shows."""
    path = course / "autograded" / student / "hw5" / f"{name}.ipynb"
    return dict(json.loads(path.read_text()))


def packed(notebooks: dict[str, Notebook]) -> dict[str, bytes]:
    """The files that a student hands in."""
    files = {f"{name}.ipynb": json.dumps(content).encode() for name, content in notebooks.items()}
    return {**files, "hw5_vae.py": b"LATENT = 15\n"}
