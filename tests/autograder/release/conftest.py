"""Small notebooks with every kind of cell, and the kit's own modules."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from autograder.assignment import Part, Question, read_assignment
from autograder.checking.modules import ROOT, packaged
from autograder.release import notebooks, package

ASSIGNMENT = read_assignment()
EVERY = [part.id for part in (*ASSIGNMENT.parts, *ASSIGNMENT.off)]
SETUP = 'RELEASE = ""  # where from\n%matplotlib inline\nQUICK = True'


def cell(kind: str, id: str, source: str, nbgrader: dict[str, Any] | None = None, **hw5: Any):
    """A cell in its JSON form."""
    metadata: dict[str, Any] = {"hw5": hw5} if hw5 else {}
    if nbgrader is not None:
        flags = {"grade": False, "solution": False, "locked": False, "task": False}
        metadata["nbgrader"] = flags | {"grade_id": id, "schema_version": 3} | nbgrader
    made = {"cell_type": kind, "id": id, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def cells_of(part: Part, question: Question) -> list[dict[str, Any]]:
    """A question as the notebooks ask it: a task cell, or a statement and a written answer."""
    id = f"{part.id}--{question.id}"
    bonus = "bonus " if question.kind == "bonus" else ""
    heading = f"### {question.title} · 99 {bonus}points · 5 minutes\n\nWhat is {question.id}?"
    secret = f"The owl of {question.id} in {part.id} flies at dusk and never once before noon."
    points = {"points": 99}
    if question.kind != "manual":
        task = cell("markdown", id, heading, {"locked": True, "task": True} | points)
        check = f'from hw5_utils import check\n\ncheck("{part.id}.{question.id}");'
        return [task, cell("code", f"{id}--check", check, {"locked": True})]
    scheme = f"**Mark scheme**\n\n- **1** {secret}"
    if len(question.id) % 2:
        scheme = (
            f"{heading}\n\n=== BEGIN MARK SCHEME ===\n{scheme}\n=== END MARK SCHEME ===\n\nDraw."
        )
        task = cell("markdown", id, scheme, {"locked": True, "task": True} | points)
        return [task, cell("code", f"{id}--figure", "print(QUICK)", figure=True)]
    answer = f"### BEGIN SOLUTION\nBecause.\n\n{scheme}\n### END SOLUTION"
    return [
        cell("markdown", f"{id}--statement", heading, {"locked": True}),
        cell("markdown", id, answer, {"grade": True, "solution": True} | points, words=50),
    ]


def notebook_of(*part_ids: str) -> dict[str, Any]:
    """A notebook of these parts in its JSON form."""
    cells = [
        cell("markdown", "title", "# Owls\n\n| question | points |\n| --- | --- |"),
        cell("code", "setup", SETUP),
    ]
    for part in map(ASSIGNMENT.part, part_ids):
        for question in part.questions:
            if question.kind != "info":
                cells += cells_of(part, question)
    cells.append(cell("code", "hand-in", "print(QUICK)"))
    metadata = {
        "hw5": {"title": f"Of {' and '.join(part_ids)}", "parts": list(part_ids)},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def picture(note: str = "") -> bytes:
    """A small PNG file with this note packed into it."""
    info, out = PngInfo(), io.BytesIO()
    info.add_text("Comment", note, zip=True)
    Image.new("L", (2, 2)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


Write = Callable[[dict[str, Any]], notebooks.Notebook]


@pytest.fixture
def reading(tmp_path: Path) -> Write:
    """Write a notebook's JSON and read it as the release does."""

    def read(data: dict[str, Any]) -> notebooks.Notebook:
        path = tmp_path / "1_owls.ipynb"
        path.write_text(json.dumps(data), encoding="utf-8")
        return notebooks.read(path, EVERY)

    return read


@pytest.fixture(scope="session")
def theory(tmp_path_factory: pytest.TempPathFactory) -> package.Source:
    """The kit's modules with two small notebooks, of the two parts that need no training."""
    folder = tmp_path_factory.mktemp("source")
    found = []
    for number, parts in enumerate((("vae-theory",), ("gan-theory",)), 1):
        path = folder / f"{number}_owls.ipynb"
        path.write_text(json.dumps(notebook_of(*parts)), encoding="utf-8")
        found.append(notebooks.read(path, EVERY))
    modules = {p.stem: p.read_text(encoding="utf-8") for p in sorted(ROOT.glob("hw5_*.py"))}
    return package.Source(ROOT, modules, tuple(found), package=packaged())
