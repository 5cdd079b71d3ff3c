"""A class of twenty: half of them hand in notebooks that nbgrader alone would stop at."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from autograder.gradebook.course import enter, open_course
from autograder.intake.submissions import read_submissions
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    PNG,
    WRITTEN,
    Notebook,
    cell,
    drawn,
    filled_in,
    graded,
    packed,
)

SCRIPT = "<script>document.title = 'hacked'</script>"
ANSWER = "The logarithm is concave, so $a<b$."

Notebooks = dict[str, Notebook]
Files = dict[str, bytes]


def hand_in(course: Path) -> None:
    """Let the class hand in, and enter it into the gradebook."""
    submissions = course / "handed-in"
    for student, make in STUDENTS.items():
        (submissions / student).mkdir(parents=True)
        for name, data in make(filled_in(course), course).items():
            (submissions / student / name).write_bytes(data)
    handins = read_submissions(submissions, ASSIGNMENT, ASSIGNMENT.parts)
    results = [graded(handin.id) for handin in handins]
    results = [replace(result, **JUDGED.get(result.id, {})) for result in results]
    results = [graded("tom", loss=None) if result.id == "tom" else result for result in results]
    handins = [
        replace(handin, submitted=datetime(2027, 4, 1, 12, tzinfo=timezone.utc))
        for handin in handins
    ]
    enter(handins, results, open_course(course, ASSIGNMENT), submissions)


JUDGED = {"sue": {"flags": ("conflict",)}}


def ada(notebooks: Notebooks, course: Path) -> Files:
    """Nothing is wrong."""
    return packed(notebooks)


def ben(notebooks: Notebooks, course: Path) -> Files:
    """Tries to act on the page of whoever marks."""
    answer = f"{ANSWER}\n\n{SCRIPT}\n\n[proof](javascript:document.title='hacked')"
    cell(notebooks[WRITTEN], ANSWERS[0])["source"] = answer
    cell(notebooks[CODE], "title")["source"] = SCRIPT
    cell(notebooks[CODE], "setup")["source"] = f"# {SCRIPT}"
    cell(notebooks[CODE], "setup")["metadata"] = {"tags": [f'"{SCRIPT}']}
    notebooks[CODE]["metadata"]["title"] = f"</title>{SCRIPT}"
    notebooks[CODE]["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": SCRIPT}
    notebooks[CODE]["cells"].append(
        {"cell_type": "raw", "id": "r", "metadata": {"raw_mimetype": "text/html"}, "source": SCRIPT}
    )
    drawn(
        notebooks[CODE],
        {"image/png": PNG, "text/plain": SCRIPT},
        {"text/html": SCRIPT, "text/plain": "a table"},
        {"application/javascript": "document.title = 'hacked'"},
        {"text/markdown": SCRIPT},
        {"text/latex": SCRIPT},
        {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>"},
        {"image/png": f'">{SCRIPT}'},
    )
    return packed(notebooks)


def cleo(notebooks: Notebooks, course: Path) -> Files:
    """Deleted the statements of a coded question and of the figures, and an answer."""
    gone = (CODED[1], FIGURES, ANSWERS[1])
    for notebook in notebooks.values():
        notebook["cells"] = [one for one in notebook["cells"] if one["id"] not in gone]
    return packed(notebooks)


def dan(notebooks: Notebooks, course: Path) -> Files:
    """Copied cells; the second answer stands in a copy."""
    copy = deepcopy(cell(notebooks[WRITTEN], ANSWERS[1]))
    notebooks[WRITTEN]["cells"].append({**copy, "id": "f00", "source": ANSWER})
    notebooks[CODE]["cells"] *= 2
    return packed(notebooks)


def eve(notebooks: Notebooks, course: Path) -> Files:
    """Turned everything around."""
    for notebook in notebooks.values():
        notebook["cells"].reverse()
    return packed(notebooks)


def fay(notebooks: Notebooks, course: Path) -> Files:
    """Tagged cells as others and gave herself points."""
    for notebook in notebooks.values():
        tags = [one["metadata"]["nbgrader"] for one in notebook["cells"] if one["metadata"]]
        names = [tag["grade_id"] for tag in tags]
        for tag, name in zip(tags, reversed(names), strict=True):
            tag.update(grade_id=name, points=100, grade=True, locked=False, task=False)
    return packed(notebooks)


def gus(notebooks: Notebooks, course: Path) -> Files:
    """Worked in Colab, which keeps no ids."""
    for notebook in notebooks.values():
        notebook["nbformat_minor"] = 0
        for one in notebook["cells"]:
            one["metadata"]["id"] = one.pop("id")
    return packed(notebooks)


def hal(notebooks: Notebooks, course: Path) -> Files:
    """The file was cut on the way."""
    files = packed(notebooks)
    return {**files, f"{CODE}.ipynb": files[f"{CODE}.ipynb"][:-200]}


def ida(notebooks: Notebooks, course: Path) -> Files:
    """No points, no checksums, another schema."""
    for notebook in notebooks.values():
        for one in notebook["cells"]:
            if tag := one["metadata"].get("nbgrader"):
                tag.pop("points", None)
                tag.update(schema_version=99, checksum="forged", extra=[1])
    return packed(notebooks)


def jon(notebooks: Notebooks, course: Path) -> Files:
    """Code, and no notebook."""
    return {"hw5_vae.py": b"LATENT = 15\n"}


def kim(notebooks: Notebooks, course: Path) -> Files:
    """Only the written answers."""
    files = packed(notebooks)
    return {name: data for name, data in files.items() if name != f"{CODE}.ipynb"}


def lea(notebooks: Notebooks, course: Path) -> Files:
    """Saved in notebook format 3."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ANSWER}]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    return {**packed(notebooks), f"{WRITTEN}.ipynb": json.dumps(old).encode()}


def max_(notebooks: Notebooks, course: Path) -> Files:
    """JSON that is no notebook, and a notebook of nothing."""
    return {
        **packed(notebooks),
        f"{CODE}.ipynb": b"[1, 2, 3]",
        f"{WRITTEN}.ipynb": b'{"cells": []}',
    }


def nia(notebooks: Notebooks, course: Path) -> Files:
    """A tool took every id and all metadata."""
    for notebook in notebooks.values():
        notebook["metadata"] = {}
        for number, one in enumerate(notebook["cells"]):
            one.update(id=f"random{number}", metadata={})
    return packed(notebooks)


def oli(notebooks: Notebooks, course: Path) -> Files:
    """Answers in a code cell; a statement became raw text."""
    answer = cell(notebooks[WRITTEN], ANSWERS[0])
    answer.update(cell_type="code", outputs=[], execution_count=None)
    cell(notebooks[CODE], CODED[0])["cell_type"] = "raw"
    return packed(notebooks)


def pia(notebooks: Notebooks, course: Path) -> Files:
    """Writes a file when her notebook runs, and shows outputs as if all were right."""
    for notebook in notebooks.values():
        for one in notebook["cells"]:
            if one["cell_type"] == "code":
                one["source"] = trace(course)
                one["outputs"] = [
                    {
                        "output_type": "execute_result",
                        "execution_count": 1,
                        "metadata": {},
                        "data": {"text/plain": "100"},
                    }
                ]
    return packed(notebooks)


def trace(course: Path) -> str:
    """What pia's cells do: leave a file behind."""
    return f"open({str(course / 'it-ran')!r}, 'w').close()"


def quo(notebooks: Notebooks, course: Path) -> Files:
    """Cells that are hardly cells."""
    notebooks[CODE]["cells"] += [
        None,
        {},
        {"cell_type": "code", "execution_count": "one", "outputs": {"a": 1}, "source": 3},
        {"cell_type": "code", "outputs": [{"output_type": "stream", "text": "x" * 1_000_000}]},
        {"cell_type": "markdown", "source": "half \ud800", "metadata": "none", "id": "not an id!"},
        {"cell_type": "markdown", "source": "![](attachment:missing.png)", "id": FIGURES},
    ]
    cell(notebooks[CODE], "setup")["outputs"] = [{"output_type": "display_data", "data": 7}]
    return packed(notebooks)


def ron(notebooks: Notebooks, course: Path) -> Files:
    """Wrote the answer into the statement, and downloaded the other notebook twice."""
    statement = cell(notebooks[WRITTEN], "vae-theory--1f--statement")
    statement["source"] = [*statement["source"], f"\n\nMy answer: {ANSWER} That is all of it."]
    files = packed(notebooks)
    return {**files, f"{CODE} (1).ipynb": files.pop(f"{CODE}.ipynb")}


def sue(notebooks: Notebooks, course: Path) -> Files:
    """Her marks are withheld."""
    return {**packed(notebooks), f"{CODE}.ipynb": json.dumps(notebooks[CODE]).encode("utf-16")}


def tom(notebooks: Notebooks, course: Path) -> Files:
    """One of his questions is ungradable, by our fault."""
    return packed(notebooks)


MAKERS: list[Callable[[Notebooks, Path], Files]] = [
    *(ada, ben, cleo, dan, eve, fay, gus, hal, ida, jon),
    *(kim, lea, max_, nia, oli, pia, quo, ron, sue, tom),
]
STUDENTS = {make.__name__.strip("_"): make for make in MAKERS}
