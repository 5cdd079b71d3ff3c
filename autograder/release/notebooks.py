"""Notebooks as instructors have them, as the course keeps them and as students get them.

The source holds every part. What the course keeps (`source` in nbgrader's words) has the cells of
the released parts alone, with the points of assignment.toml; what students get is the same without
solutions, mark schemes and outputs, locked and with checksums, cell by cell as
`nbgrader generate_assignment` makes it.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.nbgraderformat import MetadataValidator, ValidationError

from ..assignment import Assignment, AssignmentError, Question, grade_id, question_of
from . import ReleaseError, wording
from .strip import (
    SCHEME,
    SOLUTION,
    refuse_markers,
    regions,
    strip_answer,
    strip_code_cell,
    strip_task,
)

SCHEME_HEAD = "**Mark scheme**"
CRITERION = re.compile(r"^(- \*\*)(\d+(?:\.\d+)?)(\*\* )", re.MULTILINE)
EXAMPLE_POINTS = re.compile(r"\b(\d+(?:\.\d+)?) points?\b")
COMMON = ("title", "setup", "about", "hand-in")
"""Cells, by the first word of their id, that belong to no part."""

SETUP = re.compile(r'^RELEASE = ".*?"', re.MULTILINE)
HEADING = re.compile(
    r"(?P<level>#+) (?P<title>.+?) · \d+(\.\d+)? (bonus )?points?(?P<rest>( · .*)?)"
)
FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
"""Metadata of a cell whose code is out of sight until asked for, in Colab and in JupyterLab."""
CELL_METADATA = {"nbgrader", "hw5", "tags", *FOLDED}
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""Metadata of every notebook, whatever kernel and version its author ran it with."""
NOTEBOOK_METADATA = {"hw5", *KERNEL}
TIDY = "`python -m autograder tidy` puts right what JupyterLab writes."

Cell = Any
"""A cell of nbformat: a dict whose keys are attributes too."""


@dataclass(frozen=True)
class Notebook:
    """A notebook; `name` has no ending, `parts` are those whose cells it holds."""

    name: str
    parts: tuple[str, ...]
    node: Any

    @property
    def cells(self) -> list[Cell]:
        """Its cells, in order."""
        return list(self.node.cells)

    @property
    def title(self) -> str:
        """What it is about, as its metadata say."""
        return str(self.node.metadata.get("hw5", {}).get("title", self.name))

    def where(self, cell: Cell) -> str:
        """How a message calls a cell."""
        return f"{self.name}.ipynb, cell {cell.id}"

    def text(self) -> str:
        """The file: JSON as Jupyter writes it."""
        return str(nbformat.writes(self.node)) + "\n"


def read(path: Path, every: Collection[str]) -> Notebook:
    """A notebook of the source. Raises ReleaseError when it does not keep to the rules that let
    its cells be told apart: an id that begins with the part, outputs cleared, no other metadata."""
    return parsed(path.stem, path.read_text(encoding="utf-8"), every)


def parsed(name: str, text: str, every: Collection[str]) -> Notebook:
    """The same from the text of a file called `name`, without its ending."""
    file = f"{name}.ipynb"
    try:
        cells = json.loads(text)["cells"]
        node = nbformat.reads(text, as_version=4)
        nbformat.validate(node)
        MetadataValidator().validate_nb(node)
    except (nbformat.ValidationError, ValidationError, ValueError, TypeError, KeyError) as error:
        reason = str(error).split("\n\n")[0]
        raise ReleaseError(f"{file} is no valid notebook: {reason}") from None
    parts = tuple(node.metadata.get("hw5", {}).get("parts", ()))
    notebook = Notebook(name, parts, node)
    if not parts or not set(parts) <= set(every):
        raise ReleaseError(
            f"{file}: its metadata must name its parts, as in "
            '"hw5": {"parts": ["fc-vae"]}; the parts are: ' + ", ".join(every) + "."
        )
    _refuse_keys(node.metadata, NOTEBOOK_METADATA, file)
    ids = [cell.get("id") for cell in cells]  # nbformat gave cells with another's id a new one
    for twice in (one for one in ids if ids.count(one) > 1):
        raise ReleaseError(f"{file}, cell {twice} is there twice. {TIDY}")
    node.metadata.update(nbformat.from_dict(KERNEL))
    for cell in node.cells:
        _need_cell(notebook, cell)
    return notebook


def loads(name: str, data: bytes) -> Notebook:
    """A notebook that students get, from its bytes."""
    node = nbformat.reads(data.decode(), as_version=4)
    return Notebook(name.removesuffix(".ipynb"), tuple(node.metadata.hw5.parts), node)


def has_answers(notebook: Notebook) -> bool:
    """Whether students write words into it."""
    return any(utils.is_solution(cell) for cell in notebook.cells)


def _need_cell(notebook: Notebook, cell: Cell) -> None:
    """Raise ReleaseError for a cell whose part, question or metadata are not as they must be."""
    where, first = notebook.where(cell), cell.id.partition("--")[0]
    if first not in notebook.parts and first not in COMMON:
        raise ReleaseError(
            f"{where}: an id begins with the part that the cell belongs to "
            f"({', '.join(notebook.parts)}), or is one of {', '.join(COMMON)}. {TIDY}"
        )
    _refuse_keys(cell.metadata, CELL_METADATA, where)
    if any(cell.metadata.get(key, value) != value for key, value in FOLDED.items()):
        raise ReleaseError(
            f"{where}: the metadata of a folded cell are {FOLDED}, and no others. {TIDY}"
        )
    if cell.cell_type == "code" and (cell.outputs or cell.execution_count is not None):
        raise ReleaseError(f"{where} holds an output. {TIDY}")
    grading = cell.metadata.get("nbgrader")
    if grading and grading.get("grade_id") != cell.id:
        raise ReleaseError(
            f"{where}: its grade_id {grading.get('grade_id')!r} must be its id. {TIDY}"
        )


def _refuse_keys(metadata: Mapping[str, Any], known: set[str], where: str) -> None:
    others = sorted(set(metadata) - known)
    if others:
        raise ReleaseError(
            f"{where}: the metadata {', '.join(others)} would be released with it. {TIDY}"
        )


def keep_parts(notebook: Notebook, kept: Collection[str]) -> Notebook | None:
    """The notebook with the cells of these parts and those of none; None where nothing is left."""
    parts = tuple(part for part in notebook.parts if part in kept)
    if not parts:
        return None
    node = copy.deepcopy(notebook.node)
    node.cells = [c for c in node.cells if c.id.partition("--")[0] in (*parts, *COMMON)]
    node.metadata.hw5.parts = list(parts)
    return Notebook(notebook.name, parts, node)


def worded(notebook: Notebook, assignment: Assignment, released: Collection[str]) -> Notebook:
    """The notebook with the words that fit the parts released with it."""
    node = copy.deepcopy(notebook.node)
    written = Notebook(notebook.name, notebook.parts, node)
    for cell in node.cells:
        cell.source = wording.worded(cell.source, written.where(cell), assignment, released)
    return written


def retitled(notebook: Notebook, title: str) -> Notebook:
    """The notebook under another title: one that has lost a part is called after the others."""
    node = copy.deepcopy(notebook.node)
    node.metadata.hw5.title = title
    for cell in node.cells:
        if cell.id == "title":
            cell.source = re.sub(r"\A# .*", lambda _: f"# {title}", cell.source)
    return Notebook(notebook.name, notebook.parts, node)


def code_by_part(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """Part and source of every code cell; one that belongs to no part counts for all of them."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            first = cell.id.partition("--")[0]
            for part in [first] if first in notebook.parts else notebook.parts:
                yield part, cell.source


# --- points


def write_points(notebook: Notebook, assignment: Assignment) -> Notebook:
    """The notebook with the points of the assignment in metadata, headings, mark schemes and
    tables, and with its titles in the headings.

    Raises ReleaseError for a graded cell that names no question, or whose kind is not its
    question's, and for a statement without a heading that says its points.
    """
    node = copy.deepcopy(notebook.node)
    written = Notebook(notebook.name, notebook.parts, node)
    by_id = {cell.id: cell for cell in node.cells}
    for cell in graded(written):
        question = _question(written, cell, assignment)
        cell.metadata.nbgrader.points = plain(question.points)
        written_answer = utils.is_solution(cell)
        statement = by_id.get(f"{cell.id}--statement") if written_answer else cell
        if statement is None:
            raise ReleaseError(
                f"{written.where(cell)}: an answer needs a statement, a read-only Markdown cell "
                f"called {cell.id}--statement."
            )
        statement.source = _with_heading(statement.source, question, written.where(statement))
        cell.source = _with_scheme(cell.source, question.points)
    if "title" in by_id:
        by_id["title"].source = _with_table(by_id["title"].source, notebook.parts, assignment)
    return written


def write_rules(notebook: Notebook, assignment: Assignment) -> Notebook:
    """The notebook with what `bundle` has to know of its parts: how many may hand one in together,
    where they are several, and which are marked without names."""
    node = copy.deepcopy(notebook.node)
    parts = [assignment.part(part) for part in notebook.parts]
    if groups := {part.id: part.max_group for part in parts if part.max_group > 1}:
        node.metadata.hw5["groups"] = groups
    if anonymous := [part.id for part in parts if part.anonymous]:
        node.metadata.hw5["anonymous"] = anonymous
    return Notebook(notebook.name, notebook.parts, node)


def graded(notebook: Notebook) -> list[Cell]:
    """The cells that carry points."""
    return [c for c in notebook.cells if utils.is_task(c) or utils.is_grade(c)]


def _question(notebook: Notebook, cell: Cell, assignment: Assignment) -> Question:
    where = notebook.where(cell)
    try:
        question = assignment.question(question_of(cell.id))
    except AssignmentError as error:
        raise ReleaseError(f"{where}: {error}.") from None
    if grade_id(question_of(cell.id)) != cell.id:
        raise ReleaseError(f"{where}: a cell that carries points is called part--question.")
    if question.kind == "info":
        raise ReleaseError(f"{where}: {question_of(cell.id)} carries no points.")
    if question.kind != "manual" and not utils.is_task(cell):
        raise ReleaseError(
            f"{where}: the judge marks this question, so its points stand on a task cell "
            "(grade false, solution false, locked true, task true)."
        )
    if utils.is_grade(cell) and not (utils.is_solution(cell) and cell.cell_type == "markdown"):
        raise ReleaseError(
            f"{where}: nbgrader would mark this cell by running it. Points stand on task cells "
            "and on written answers."
        )
    return question


def plain(points: float) -> float | int:
    """Points as notebooks hold them: a whole number is one."""
    return int(points) if points == int(points) else points


def in_words(points: float, kind: str = "") -> str:
    """Points as people say them: "1 point", "2.5 points"."""
    return f"{points:g} {kind}point{'' if points == 1 else 's'}"


def _with_heading(source: str, question: Question, where: str) -> str:
    first, newline, rest = source.partition("\n")
    match = HEADING.fullmatch(first)
    if match is None:
        raise ReleaseError(
            f"{where}: its first line must be a heading that says the points, such as "
            f"'### {question.title} · {in_words(question.points)} · 20 minutes'."
        )
    points = in_words(question.points, "bonus " if question.kind == "bonus" else "")
    level = match["level"]
    return f"{level} {question.title} · {points}{match['rest']}{newline}{rest}"


def _with_scheme(source: str, points: float) -> str:
    """A mark scheme whose criteria add up to the points, and its examples in the same measure.

    Points are changed in assignment.toml alone: every number of the scheme is scaled alike.
    """
    start = source.find(SCHEME_HEAD)
    criteria = [float(found[2]) for found in CRITERION.finditer(source, max(start, 0))]
    if start < 0 or not sum(criteria) or math.isclose(sum(criteria), points):
        return source
    factor = points / sum(criteria)
    parts = [round(one * factor, 2) for one in criteria]
    parts[-1] = round(points - sum(parts[:-1]), 4)  # whatever rounding leaves
    each = iter(parts)
    scheme = CRITERION.sub(lambda found: f"{found[1]}{next(each):g}{found[3]}", source[start:])
    return source[:start] + EXAMPLE_POINTS.sub(
        lambda found: in_words(round(float(found[1]) * factor, 2)), scheme
    )


def _with_table(source: str, parts: Collection[str], assignment: Assignment) -> str:
    """Rows such as "| `loss`, `cvae` | two losses | 7 + 7 |" with the points of those questions."""
    questions = {q.id: q for part in assignment.parts if part.id in parts for q in part.questions}
    lines = source.split("\n")
    for i, line in enumerate(lines):
        match = re.fullmatch(r"(\|([^|]*)\|.*\|)([^|]*)\|\s*", line)
        names = re.findall(r"`(\w+)`", match[2]) if match else []
        numbers = re.findall(r"\d+(?:\.\d+)?", match[3]) if match else []
        if match and names and len(names) == len(numbers) and set(names) <= set(questions):
            points = iter(f"{questions[name].points:g}" for name in names)
            last = re.sub(r"\d+(?:\.\d+)?", lambda _, p=points: next(p), match[3])
            lines[i] = f"{match[1]}{last}|"
    return "\n".join(lines)


def write_address(notebook: Notebook, address: str) -> Notebook:
    """The notebook whose first code cell fetches the release from this address."""
    node = copy.deepcopy(notebook.node)
    written = Notebook(notebook.name, notebook.parts, node)
    for cell in node.cells:
        if cell.id == "setup":
            if not SETUP.search(cell.source):
                raise ReleaseError(
                    f'{written.where(cell)}: --address is written into a line RELEASE = "", and '
                    "there is none."
                )
            cell.source = SETUP.sub(lambda _: f'RELEASE = "{address}"', cell.source, count=1)
    return written


# --- what students get


def strip_notebook(notebook: Notebook) -> Notebook:
    """The notebook as students get it. Raises ReleaseError for markers that are not in order."""
    node = copy.deepcopy(notebook.node)
    stripped = Notebook(notebook.name, notebook.parts, node)
    for cell in node.cells:
        where = stripped.where(cell)
        cell.source = _stripper(cell)(cell.source, where)
        _refuse_attachments(cell, where)
        _lock(cell)
        if utils.is_grade(cell) or utils.is_solution(cell) or utils.is_locked(cell):
            cell.metadata.nbgrader["checksum"] = utils.compute_checksum(cell)
            cell.metadata.nbgrader["cell_type"] = cell.cell_type
    return stripped


def _stripper(cell: Cell) -> Callable[[str, str], str]:
    if utils.is_task(cell):
        return strip_task
    if utils.is_solution(cell):
        return strip_answer if cell.cell_type == "markdown" else strip_code_cell

    def unchanged(source: str, where: str) -> str:
        refuse_markers(source, where)
        return source

    return unchanged


def _refuse_attachments(cell: Cell, where: str) -> None:
    """An attachment stays when the text that showed it has left: nbgrader would release it."""
    shown = re.findall(r"attachment:([^)\"'\s]+)", cell.source)
    hidden = sorted(set(cell.get("attachments", {})) - set(shown))
    if hidden:
        raise ReleaseError(
            f"{where}: nothing that is released shows the attachment {', '.join(hidden)}, but it "
            "would be released. Draw it with a link to a file of yours, or describe it."
        )


def _lock(cell: Cell) -> None:
    """What nbgrader's LockCells does: answers cannot be deleted, locked cells not edited either."""
    if utils.is_solution(cell):
        cell.metadata["deletable"] = False
    elif utils.is_grade(cell) or utils.is_locked(cell):
        cell.metadata["deletable"] = False
        cell.metadata["editable"] = False


# --- what only staff get


def secrets(notebook: Notebook) -> Iterator[tuple[Cell, str]]:
    """Cell and text of everything that stripping takes out of a notebook."""
    for cell in notebook.cells:
        where = notebook.where(cell)
        if utils.is_task(cell) or utils.is_solution(cell):
            kind = SCHEME if utils.is_task(cell) else SOLUTION
            for region in regions(cell.source, where, kind):
                yield cell, "\n".join(region.body)
