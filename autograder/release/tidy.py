"""Puts right what JupyterLab writes into a notebook of the source, and says what it cannot decide.

A cell keeps the name it has. A new one says by its words what it is (a heading with a question's
title and points, `### BEGIN SOLUTION`, `check("part.question")`), or is named after the cells
around it. Metadata follow from the name and from assignment.toml.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat

from ..assignment import Assignment, Question, grade_id, meant, question_of
from . import ReleaseError, notebooks
from .notebooks import (
    CELL_METADATA,
    COMMON,
    FOLDED,
    HEADING,
    KERNEL,
    NOTEBOOK_METADATA,
    SCHEME_HEAD,
    Cell,
    in_words,
)

TAGS = ("figure", "aside")
"""Tags that an author gives a cell in JupyterLab; they become the cell's hw5 metadata."""

FLAGS = ("grade", "solution", "locked", "task")
ANSWER, TASK, LOCKED = ("grade", "solution"), ("locked", "task"), ("locked",)
BEGIN, END, SCHEME = "### BEGIN SOLUTION", "### END SOLUTION", "=== BEGIN MARK SCHEME ==="
CHECK = re.compile(r'^check\("([^"]+)"\);?\s*\Z', re.MULTILINE)
LIMIT = re.compile(r"At most (\d+) words")
PANEL = "the panel Create Assignment of JupyterLab"


@dataclass(frozen=True)
class Tidied:
    """A notebook as the repository keeps it, and what was done to it, in sentences. Where `left`
    says what an author has to decide, the text is that of before."""

    text: str
    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


class _Undecided(Exception):
    """What an author has to decide: one sentence for each place."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


@dataclass(frozen=True)
class _Draft:
    """A notebook that is being put right, with the questions of its parts by `part.question`."""

    file: str
    parts: tuple[str, ...]
    questions: dict[str, Question]
    cells: list[Cell]

    def where(self, index: int) -> str:
        """How a sentence calls a cell."""
        return f"{self.file}, {self.short(index)}"

    def short(self, index: int) -> str:
        """Its number as people count, and its first words."""
        words = " ".join(self.cells[index].source.split()) or "empty"
        shown = words if len(words) <= 40 else words[:39].rstrip() + "…"
        return f"cell {index + 1} ({shown})"


def tidy(name: str, text: str, assignment: Assignment) -> Tidied:
    """The notebook `name`, without its ending, as the repository keeps it. Loses no words, and
    changes nothing in a notebook that is right."""
    every = replace(assignment, parts=(*assignment.parts, *assignment.off), off=())
    done: list[str] = []
    try:
        node = _parsed(f"{name}.ipynb", text)
        draft = _draft(f"{name}.ipynb", node, every)
        _need_questions(draft, every)
        done += _cleared(draft)
        names = _named(draft)
        done += _renamed(draft, names)
        done += _graded(draft)
        done += _titled(draft)
        node.cells = draft.cells
        return Tidied(_written(draft, node, every), tuple(done))
    except _Undecided as undecided:
        return Tidied(text, left=undecided.sentences)


def tidy_file(path: Path, assignment: Assignment, write: bool) -> Tidied:
    """The same for a file, which is written where it changes; without `write`, that it would
    change is what is left to do."""
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    tidied = tidy(path.stem, text, assignment)
    if tidied.text == text:
        return tidied
    done = tidied.done or (f"{path.name} is written as the repository keeps it.",)
    if write:
        path.write_text(tidied.text, encoding="utf-8", newline="\n")
        return replace(tidied, done=done)
    sentence = (
        f"{path.name} is not as the repository keeps it: `python -m autograder tidy` puts it right."
    )
    return replace(tidied, done=(), left=(sentence, *done))


def _parsed(file: str, text: str) -> Any:
    """The notebook with the ids that stand in the file, twice if they do."""
    try:
        node = nbformat.v4.reads(text)
        if node.nbformat != 4:
            raise ValueError(f"its format is {node.nbformat}, not 4")
        if not all({"cell_type", "metadata", "source"} <= set(cell) for cell in node.cells):
            raise ValueError("a cell has no type, source or metadata")
        for cell in node.cells:
            cell.setdefault("id", "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Undecided(
            f"{file} is no valid notebook: {error}. Open it in JupyterLab and save it, or take "
            "back the version that was committed."
        ) from None
    node.nbformat_minor = 5
    node.metadata = nbformat.from_dict(
        {**{k: v for k, v in node.metadata.items() if k in NOTEBOOK_METADATA}, **KERNEL}
    )
    return node


def _draft(file: str, node: Any, assignment: Assignment) -> _Draft:
    known = [part.id for part in assignment.parts]
    parts = tuple(node.metadata.get("hw5", {}).get("parts", ()))
    if not parts or not set(parts) <= set(known):
        raise _Undecided(
            f"{file}: its metadata must name its parts, and name {', '.join(parts) or 'none'}. "
            f"The parts of assignment.toml are: {', '.join(known)}."
        )
    questions = {
        f"{part}.{question.id}": question
        for part in parts
        for question in assignment.part(part).questions
        if question.kind != "info"
    }
    return _Draft(file, parts, questions, list(node.cells))


def _need_questions(draft: _Draft, assignment: Assignment) -> None:
    """Raises _Undecided for every cell that checks what nobody asks."""
    asked = {part.id for part in assignment.parts}
    asked |= {full_id for part in assignment.parts for full_id in part.full_ids()}
    wrong = [
        f'{draft.where(index)} checks "{name}", which assignment.toml does not ask; of this '
        f"notebook, {meant(name, [*draft.questions])}"
        for index, cell in enumerate(draft.cells)
        if cell.cell_type == "code"
        for name in CHECK.findall(cell.source)
        if name not in asked
    ]
    if wrong:
        raise _Undecided(*wrong)


# --- what a cell holds


def _cleared(draft: _Draft) -> list[str]:
    """Takes outputs, counts and what Lab remembers of a cell's looks out of it."""
    shown, others = 0, set()
    for cell in draft.cells:
        if cell.cell_type == "code":
            shown += bool(cell.get("outputs")) or cell.get("execution_count") is not None
            cell.outputs, cell.execution_count = [], None
        if cell.get("attachments") == {}:
            del cell["attachments"]
        others |= set(cell.metadata) - CELL_METADATA
        kept = {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        for key in FOLDED:
            kept.pop(key, None)
        if cell.cell_type == "code" and cell.source.startswith("# @title"):
            kept |= FOLDED
        tags = kept.pop("tags", [])
        marks = {tag: True for tag in tags if tag in TAGS}
        if hw5 := {**kept.pop("hw5", {}), **marks}:
            kept["hw5"] = hw5
        if tags := [tag for tag in tags if tag not in TAGS]:
            kept["tags"] = tags
        cell.metadata = nbformat.from_dict(kept)
    done = [f"{draft.file}: outputs and counts of {shown} cells are taken out."] if shown else []
    if others:
        done.append(f"{draft.file}: the metadata {', '.join(sorted(others))} are taken out.")
    return done + _without_empty_end(draft)


def _without_empty_end(draft: _Draft) -> list[str]:
    """Running the last cell with Shift+Enter makes an empty one below it, which nobody meant."""
    done = []
    while draft.cells and not draft.cells[-1].source and not _name_of(draft, draft.cells[-1]):
        done.append(f"{draft.where(len(draft.cells) - 1)} is taken out.")
        draft.cells.pop()
    return done


# --- what a cell is called


def _named(draft: _Draft) -> list[str]:
    """The name of every cell. Raises _Undecided for all that have none."""
    names = [_name_of(draft, cell) for cell in draft.cells]
    wrong = [
        sentence
        for name in sorted({name for name in names if name and names.count(name) > 1})
        for sentence in _one_keeps(draft, names, name)
    ]
    for index, name in enumerate(names):
        if not name:
            try:
                names[index] = _new_name(draft, names, index)
            except _Undecided as undecided:
                wrong += undecided.sentences
    if wrong:
        raise _Undecided(*wrong)
    return names


def _name_of(draft: _Draft, cell: Cell) -> str:
    """The name that a cell has already; empty for a new one.

    The grade_id comes first: it is what Create Assignment shows, and lets an author change.
    """
    for name in (cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.id):
        first, dashes, rest = name.partition("--")
        if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) and (
            first in COMMON or (first in draft.parts and dashes and rest)
        ):
            return str(name)
    return ""


def _one_keeps(draft: _Draft, names: list[str], name: str) -> list[str]:
    """A cell that was split or copied is there twice: one keeps the name and its metadata, the
    others are new. A sentence where their words do not tell which one."""
    holders = [i for i, other in enumerate(names) if other == name]
    place, key = name.split("--")[2:], question_of(name)
    if key in draft.questions and place in ([], ["statement"], ["check"]):
        keeping = [i for i in holders if _is(draft, i, name)]
    else:
        by_id = [i for i in holders if draft.cells[i].id == name]
        keeping = (by_id or holders)[:1]
    if len(keeping) != 1:
        cells = " and ".join(draft.short(i) for i in holders)
        return [
            f"{draft.file}: {cells} are both {name}. If one was split, merge the pieces again; if "
            "one was copied, delete it or change its words to those of the other question."
        ]
    for i in set(holders) - set(keeping):
        names[i] = ""
        draft.cells[i].metadata.pop("nbgrader", None)
    return []


def _is(draft: _Draft, index: int, name: str) -> bool:
    """Whether the words of a cell are those of the question's cell of that name."""
    cell, key = draft.cells[index], question_of(name)
    if name.endswith("--check"):
        return _checked(cell) == key
    if name.endswith("--statement") or _title(cell):
        return _title(cell) == draft.questions[key].title
    return cell.source.startswith(BEGIN) and END in cell.source and _above(draft, index) == key


def _title(cell: Cell) -> str:
    """The title in a heading that says points; empty where there is none."""
    match = HEADING.fullmatch(cell.source.partition("\n")[0])
    return match["title"] if match else ""


def _checked(cell: Cell) -> str:
    """What a cell of code checks, such as `fc-vae.loss`."""
    match = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return match[1] if match else ""


def _above(draft: _Draft, index: int) -> str:
    """The question whose heading stands above a cell."""
    title = next((t for c in draft.cells[index::-1] if (t := _title(c))), "")
    return next((key for key, one in draft.questions.items() if one.title == title), "")


def _new_name(draft: _Draft, names: Sequence[str], index: int) -> str:
    """The name of a new cell. Raises _Undecided where it must not stand."""
    cell, before = draft.cells[index], next((n for n in reversed(names[:index]) if n), "")
    part = _part_at(draft, names, index, before)
    name = ""
    if cell.cell_type == "markdown" and _title(cell):
        name = _asking(draft, index, part)
    elif cell.cell_type == "markdown" and cell.source.startswith(BEGIN):
        name = grade_id(question_of(before)) if before.endswith("--statement") else ""
        if not name:
            raise _Undecided(
                f"{draft.where(index)}: an answer needs a statement, a Markdown cell right above "
                "it whose first line is '### Title · points · minutes'."
            )
    elif _checked(cell) in draft.questions:
        name = f"{grade_id(_checked(cell))}--check"
    if not name:
        if cell.metadata.get("hw5", {}).get("figure"):  # belongs to a question, not to a section
            asked = [n for n in names[:index] if question_of(n) in draft.questions]
            before = asked[-1] if asked else before
        return _numbered(cell, names, part, before)
    if name in names:
        twice = draft.short(names.index(name))
        raise _Undecided(
            f"{draft.where(index)} asks {question_of(name)}, as {twice} does. Delete one of them, "
            "or give it the title of another question of assignment.toml."
        )
    return name


def _part_at(draft: _Draft, names: Sequence[str], index: int, before: str) -> str:
    """The part that the cells around a cell belong to."""
    after = next((n for n in names[index + 1 :] if n), "")
    parts = [n.partition("--")[0] for n in (before, after)]
    found = list(dict.fromkeys(part for part in parts if part in draft.parts))
    if len(found) == 1:
        return found[0]
    if found:
        raise _Undecided(
            f"{draft.where(index)} stands between the parts {found[0]} and {found[1]}. Move it one "
            "cell up, or one down, so that cells of one part stand around it."
        )
    raise _Undecided(
        f"{draft.where(index)} stands among the cells that all notebooks have in common. Move it "
        f"to a part ({', '.join(draft.parts)}), or delete it."
    )


def _asking(draft: _Draft, index: int, part: str) -> str:
    """The name of a new cell whose heading asks for points."""
    cell = draft.cells[index]
    for key, question in draft.questions.items():
        if question.title == _title(cell) and key.partition(".")[0] == part:
            scheme = question.kind != "manual" or SCHEME in cell.source
            return grade_id(key) + ("" if scheme else "--statement")
    raise _Undecided(
        f"{draft.where(index)}: assignment.toml has no question of {part} with this title. Write "
        "the question there first, or take the points out of the heading."
    )


def _numbered(cell: Cell, names: Sequence[str], part: str, before: str) -> str:
    """A name after the question that a cell stands in; a heading of its own begins a section."""
    if cell.cell_type == "markdown" and re.match("##? ", cell.source):
        start = f"{part}--section-"
    elif before.partition("--")[0] == part:
        start = f"{grade_id(question_of(before))}--"
    else:
        start = f"{part}--intro--"
    ends = [n.removeprefix(start) for n in names if n.startswith(start)]
    return f"{start}{1 + max((int(end) for end in ends if end.isdecimal()), default=0)}"


def _renamed(draft: _Draft, names: Sequence[str]) -> list[str]:
    done = []
    for index, name in enumerate(names):
        if draft.cells[index].id != name:
            done.append(f"{draft.where(index)} is now called {name}.")
            draft.cells[index].id = name
    return done


# --- how a cell is graded


def _graded(draft: _Draft) -> list[str]:
    """Writes what nbgrader has to know of each cell; says for which ones that is something else
    than before. Raises _Undecided for all cells that cannot be graded as they stand."""
    names = {cell.id for cell in draft.cells}
    wrong, done = _missing(draft, names), []
    for index, cell in enumerate(draft.cells):
        was = cell.metadata.pop("nbgrader", {})
        flags = _flags(draft, cell, was, names)
        if flags is None:
            wrong.append(
                f"{draft.where(index)} carries points, and is the cell of no question of "
                "assignment.toml. Give it a heading with the title of one, or take its points "
                f"from it: {PANEL}, type '-'."
            )
        elif flags:
            now = {flag: flag in flags for flag in FLAGS} | {
                "grade_id": cell.id,
                "schema_version": 3,
            }
            if "task" in flags or "grade" in flags:
                points = draft.questions[question_of(cell.id)].points
                now["points"] = int(points) if points == int(points) else points
            cell.metadata["nbgrader"] = nbformat.from_dict(now)
        if any(bool(was.get(flag)) != (flag in (flags or ())) for flag in FLAGS):
            done.append(f"{draft.where(index)} is now {', '.join(flags or ()) or 'not graded'}.")
    if wrong:
        raise _Undecided(*wrong)
    _limit(draft)
    return done


def _titled(draft: _Draft) -> list[str]:
    """Says which headings are written anew: a title stands in assignment.toml, as points do."""
    return [
        f"{draft.where(index)} has the title that assignment.toml says: {question.title}."
        for index, cell in enumerate(draft.cells)
        if (question := draft.questions.get(question_of(cell.id)))
        and cell.id.split("--")[2:] in ([], ["statement"])
        and _title(cell) not in ("", question.title)
    ]


def _flags(draft: _Draft, cell: Cell, was: Any, names: set[str]) -> tuple[str, ...] | None:
    """What a cell is to nbgrader; None for points that no question has."""
    question, place = draft.questions.get(question_of(cell.id)), cell.id.split("--")[2:]
    if question and not place:
        answers = cell.source.startswith(BEGIN) or f"{cell.id}--statement" in names
        return ANSWER if question.kind == "manual" and answers else TASK
    if question and place in (["statement"], ["check"]):
        return LOCKED
    if was.get("grade") or was.get("task"):
        return None
    return tuple(flag for flag in FLAGS if was.get(flag))


def _missing(draft: _Draft, names: set[str]) -> list[str]:
    """What a question of these parts lacks."""
    found = []
    sources = {cell.id: cell.source for cell in draft.cells}
    for key, question in draft.questions.items():
        name, what = grade_id(key), f"{draft.file}: {key} ({question.title})"
        heading = f"'### {question.title} · {in_words(question.points)} · 10 minutes'"
        if name not in names and f"{name}--statement" in names:
            found.append(
                f"{what} has a statement and no answer. Below it, add a Markdown cell from a line "
                f"'{BEGIN}' to a line '{END}' with model answer and mark scheme; or write a mark "
                f"scheme from '{SCHEME}' to its END into the statement."
            )
        elif name not in names:
            found.append(
                f"{what} is asked nowhere. Add a Markdown cell whose first line is {heading}, or "
                "take the question out of assignment.toml."
            )
        elif question.kind != "manual":
            if f"{name}--check" not in names:
                found.append(f'{what} has no check. Below it, add a code cell check("{key}");')
        elif f"{name}--check" in names:
            found.append(f'{what} is marked by hand: take its cell check("{key}"); away.')
        elif SCHEME_HEAD not in sources[name]:
            found.append(
                f"{what} has no mark scheme. Write one into its cell, below a line {SCHEME_HEAD}: "
                f"within the answer, or from '{SCHEME}' to its END."
            )
    return found


def _limit(draft: _Draft) -> None:
    """Writes the limit that a statement states beside its answer."""
    by_id = {cell.id: cell for cell in draft.cells}
    for name, cell in by_id.items():
        statement = by_id.get(f"{name}--statement")
        limit = LIMIT.search(statement.source) if statement else None
        if limit:
            cell.metadata.setdefault("hw5", nbformat.from_dict({}))["words"] = int(limit[1])


# --- the file


def _written(draft: _Draft, node: Any, assignment: Assignment) -> str:
    """The file, with points in headings and tables, once the release would take it."""
    name = draft.file.removesuffix(".ipynb")
    try:
        notebook = notebooks.Notebook(name, draft.parts, node)
        notebook = notebooks.write_points(notebook, assignment)
        text = as_text(notebook.node)
        parts = [part.id for part in assignment.parts]
        notebooks.strip_notebook(notebooks.parsed(name, text, parts))
    except ReleaseError as error:
        raise _Undecided(_located(draft, str(error))) from None
    return text


def as_text(node: Any) -> str:
    """JSON as the repository keeps it: a cell's source is one string."""
    return json.dumps(node, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _located(draft: _Draft, sentence: str) -> str:
    """The sentence of a release, with the number and first words of the cell that it names."""
    match = re.match(rf"{re.escape(draft.file)}, cell ([\w-]+)", sentence)
    index = next((i for i, c in enumerate(draft.cells) if match and c.id == match[1]), None)
    if match is None or index is None:
        return sentence
    return f"{draft.where(index)}, {match[1]}{sentence[match.end() :]}"
