"""Finds the cells that carry marks in a notebook which a student has changed, and mends them.

A cell may have been deleted, copied, moved, retyped or tagged as another. It is looked for by its
id, then by its text, then by its tag and place. What nbgrader must know of it comes from the
gradebook and never from the notebook. Nothing that a student wrote is dropped, everything that
was done is said, and nothing stops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader import api
from nbgrader.preprocessors import NbGraderPreprocessor
from rapidfuzz import fuzz

from autograder.assignment import question_of
from autograder.gradebook.reading import (
    PLACEHOLDER,
    Unreadable,
    name_cells,
    new_cell,
    new_notebook,
    read_notebook,
)

NOTE = "repairs"
"""Id of the cell at the top that says what was repaired."""

ALIKE = 85  # per cent of two texts; statements of different questions have below 60 in common
COMPARED = 2000  # characters of each
ADDED = 40  # characters that a student may add to a text of ours before we keep their version

MARK_SCHEME = re.compile(
    r"^[^\n]*BEGIN MARK SCHEME.*?END MARK SCHEME[^\n]*\n?", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Released:
    """A cell as it was released: what the gradebook knows of it.

    `locked` cells hold our text, the others an answer; `source` is what students found there and
    `marking` what whoever marks sees there: the same, with its mark scheme.
    """

    name: str
    cell_type: str
    locked: bool
    source: str
    marking: str
    metadata: dict[str, Any]

    def __str__(self) -> str:
        return f"`{self.name}`"

    def untouched(self, cell: NotebookNode) -> bool:
        """True when the cell says what was released, or nothing."""
        return _plain(cell.source) in ("", _plain(self.source))

    def alike(self, cell: NotebookNode) -> float:
        """How much of the text the cell has in common with ours, in per cent."""
        return float(fuzz.ratio(self.source[:COMPARED], cell.source[:COMPARED]))


class RepairCells(NbGraderPreprocessor):
    """The first of nbgrader's sanitising steps: a whole notebook, whatever was handed in."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Repair one notebook; what was done stands in the log and in a cell at its top."""
        where = resources["nbgrader"]
        with api.Gradebook(where["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(where["notebook"], where["assignment"])
            released = released_cells(notebook)
        missing = nb.metadata.get("hw5") == PLACEHOLDER["hw5"] and not nb.cells
        ours = _plain_texts(Path("release", where["assignment"], f"{where['notebook']}.ipynb"))
        cells, notes = repair(nb.cells, released, ours)
        if missing:
            notes = [f"{where['notebook']}.ipynb was not handed in."]
        elif unreadable := where.get("unreadable"):
            notes = [f"{unreadable}, so nothing of it is here. Look at the file itself."]
        repaired = new_notebook(cells)
        if missing:
            repaired.metadata.update(PLACEHOLDER)
        if notes:
            repaired.cells.insert(0, _note(notes))
        name_cells(repaired.cells)
        for note in notes:
            self.log.warning("%s, %s: %s", where["student"], where["notebook"], note)
        return repaired, resources


def released_cells(notebook: api.Notebook) -> list[Released]:
    """The cells of a notebook that the gradebook knows, in the order of the release."""
    points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    grades = {cell.name for cell in notebook.grade_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    tasks = {cell.name for cell in notebook.task_cells}
    released = []
    for cell in notebook.source_cells:
        metadata = {
            "schema_version": 3,
            "grade_id": cell.name,
            "grade": cell.name in grades,
            "solution": cell.name in solutions,
            "task": cell.name in tasks,
            "locked": cell.locked,
            "cell_type": cell.cell_type,
            "checksum": cell.checksum,
        }
        if cell.name in points:
            metadata["points"] = points[cell.name]
        marking = cell.source or ""
        source = MARK_SCHEME.sub("", marking)
        released.append(Released(cell.name, cell.cell_type, cell.locked, source, marking, metadata))
    return released


def _plain_texts(path: Path) -> frozenset[str]:
    """The texts of a released notebook that nbgrader does not keep: none of them is an answer."""
    try:
        return frozenset(_plain(cell.source) for cell in read_notebook(path.read_bytes()).cells)
    except (OSError, Unreadable):
        return frozenset()


def repair(
    cells: Sequence[NotebookNode],
    released: Sequence[Released],
    ours: frozenset[str] = frozenset(),
) -> tuple[list[NotebookNode], list[str]]:
    """The cells with every released one among them once, and what was done in sentences.

    `cells` have distinct ids; they are changed in place. `ours` are other texts of the release.
    """
    found, notes = _found(cells, released, ours)
    if not found and cells:
        notes = ["None of the released cells was found in it."]
    by_cell = {id(cell): one for one in released if (cell := found.get(one.name)) is not None}
    known = {one.name for one in released}
    repaired: list[NotebookNode] = []
    for cell in cells:
        one = by_cell.get(id(cell))
        if one is None:
            cell.metadata = from_dict({})
            cell.id = f"{cell.id[:57]}-copy" if cell.id in known or cell.id == NOTE else cell.id
            repaired.append(cell)
            continue
        changed = _students_version(cell, one)
        _become(cell, one)
        repaired.append(cell)
        if changed is not None:
            repaired.append(changed)
            notes.append(f"{one} was changed; as handed in, it stands below ours.")
    for one in released:
        if one.name not in found:
            cell = new_cell(one.cell_type, one.name, one.source)
            _become(cell, one)
            repaired.insert(_place(one, repaired, released), cell)
            if found:
                notes.append(f"{one} was deleted, and put back as it was released.")
    return repaired, notes


Test = Callable[[NotebookNode, Released], bool]


def _found(
    cells: Sequence[NotebookNode], released: Sequence[Released], ours: frozenset[str]
) -> tuple[dict[str, NotebookNode], list[str]]:
    """Which cell is which, the surest signs first, and what had to be guessed."""
    found: dict[str, NotebookNode] = {}
    notes: list[str] = []
    taken: set[int] = set()
    names = {one.name for one in released}
    # Colab keeps no ids. Then a tag is as good a sign as there is, and nothing to speak of.
    nameless = not any(cell.id in names for cell in cells)

    def free(test: Test, one: Released) -> list[NotebookNode]:
        return [cell for cell in cells if id(cell) not in taken and test(cell, one)]

    def take(one: Released, cell: NotebookNode, note: str) -> None:
        taken.discard(id(found.get(one.name)))
        found[one.name] = cell
        taken.add(id(cell))
        if note:
            notes.append(note)

    signs: list[tuple[Test, str]] = [
        (lambda cell, one: cell.id == one.name == _tag(cell), ""),
        (
            lambda cell, one: cell.id == one.name,
            "{} has another tag, or none; its id was believed.",
        ),
        (
            lambda cell, one: one.locked and _plain(cell.source) == _plain(one.source),
            "" if nameless else "{} was found by its text.",
        ),
        (lambda cell, one: _tag(cell) == one.name, "" if nameless else "{} was found by its tag."),
        (lambda cell, one: one.locked and one.alike(cell) > ALIKE, "{} was found by its text."),
    ]
    for test, note in signs:
        for one in released:
            if one.name not in found and (candidates := free(test, one)):
                take(one, max(candidates, key=lambda cell: _worth(cell, one)), note.format(one))
    for one in released:
        if one.locked:
            continue
        copies = free(lambda cell, one: _tag(cell) == one.name, one)
        written = [cell for cell in copies if not one.untouched(cell)]
        if written and one.untouched(found[one.name]):
            take(one, written.pop(0), f"{one} is there twice; the copy holds the answer.")
        if written:
            notes.append(f"{one} is there {len(written) + 1} times; look at the copies too.")
        above = found.get(one.name) or found.get(_before(one, released))
        below = [
            text for text in _texts_below(above, cells, taken, ours) if not one.untouched(text)
        ]
        if one.name not in found and below:
            take(one, below[0], f"{one} was found by its place: see whether it is the answer.")
        elif below and one.untouched(found[one.name]):
            notes.append(f"{one} is as it was released, but there is text below it.")
    places = {id(cell): number for number, cell in enumerate(cells)}
    order = [places[id(found[one.name])] for one in released if one.name in found]
    if order != sorted(order):
        notes.append("Its cells are not in the order of the release.")
    return found, notes


def _texts_below(
    above: NotebookNode | None,
    cells: Sequence[NotebookNode],
    taken: set[int],
    ours: frozenset[str],
) -> list[NotebookNode]:
    """The student's own texts between a cell of ours and the next one."""
    texts: list[NotebookNode] = []
    if above is None:
        return texts
    start = next(number for number, cell in enumerate(cells) if cell is above)
    for cell in cells[start + 1 :]:
        if id(cell) in taken:
            break
        if cell.cell_type == "markdown" and _plain(cell.source) not in ours:
            texts.append(cell)
    return texts


def _before(one: Released, released: Sequence[Released]) -> str:
    """Name of the released cell before, where it belongs to the same question; else empty."""
    names = [other.name for other in released]
    before = names[names.index(one.name) - 1] if one.name != names[0] else ""
    return before if question_of(before) == question_of(one.name) else ""


def _place(one: Released, cells: Sequence[NotebookNode], released: Sequence[Released]) -> int:
    """Where a deleted cell goes back: behind the one before it, or else above its question."""
    ids = [cell.id for cell in cells]
    before = _before(one, released)
    if before in ids:
        return ids.index(before) + 1
    question = question_of(one.name)
    names = [other.name for other in released]
    after = {*names[names.index(one.name) + 1 :]}
    own = (i for i, name in enumerate(ids) if question_of(name) == question or name in after)
    return next(own, len(ids))


def _students_version(cell: NotebookNode, one: Released) -> NotebookNode | None:
    """A copy of a cell that is to become ours, where the student's own would be lost."""
    retyped = cell.cell_type != one.cell_type
    rewritten = one.locked and (
        one.alike(cell) < ALIKE or len(cell.source) > len(one.source) + ADDED
    )
    if not (rewritten and not one.untouched(cell)) and not (retyped and cell.get("outputs")):
        return None
    version = deepcopy(cell)
    version.metadata = from_dict({})
    version.id = f"{cell.id[:57]}-theirs"
    return version


def _become(cell: NotebookNode, one: Released) -> None:
    """Give a cell the id, the type and the metadata it was released with; a locked one its text."""
    if cell.cell_type != one.cell_type:
        fresh = new_cell(one.cell_type, one.name, cell.source)
        cell.clear()
        cell.update(fresh)
    cell.id = one.name
    cell.source = one.marking if one.locked else cell.source
    cell.metadata = from_dict({"nbgrader": one.metadata})


def _note(notes: Sequence[str]) -> NotebookNode:
    lines = "\n".join(f"- {note}" for note in notes)
    return new_cell("markdown", NOTE, f"**Repaired before marking**\n\n{lines}")


def _worth(cell: NotebookNode, one: Released) -> float:
    """Of several cells with one sign: for our text the likest, for an answer one with text."""
    return one.alike(cell) if one.locked else float(not one.untouched(cell))


def _tag(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _plain(source: str) -> str:
    return " ".join(source.split())
