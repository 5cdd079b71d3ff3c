"""Given to students: what of the coursework is there before it is handed in, and what is not.

A question asks for work of up to three kinds: words (written), pictures (figures) and code. What is
there is said in a table, a line a part; what earns nothing or less, in a list below it. Figures of
another run than is asked for, or of other code than is there, count little: they are marked by
hand, and whoever marks them looks for that.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hw5_notebook import (
    Cell,
    Notebook,
    Question,
    is_blank,
    is_picture,
    printed_by,
    questions,
    to_run,
    warnings_of,
)
from hw5_written import Asked, Module, progress

KINDS = ("written", "figures", "code")
CHECK = "--check"  # ends the id of a cell that calls the visible checks
STATEMENT = "--statement"  # and of one that asks for an answer in the cell below
WIDTH = 100


@dataclass(frozen=True)
class State:
    """How one question stands: for each kind of work it asks for, what is missing, or "".

    `unwritten` names the places of its code that are empty, where others are not; `weak` says why
    its figures count little, or is "".
    """

    question: Question
    missing: Mapping[str, str]
    unwritten: tuple[str, ...] = ()
    weak: str = ""

    @property
    def lost(self) -> bool:
        """It earns nothing as it is. The points of a written answer stand on its cell: one that
        nobody touched earns nothing, whatever figures are beside it."""
        return bool(self.missing.get("written")) or all(self.missing.values())

    @property
    def little(self) -> bool:
        """It has figures, asks for nothing else, and they count little."""
        return not self.lost and bool(self.weak) and set(self.missing) == {"figures"}

    @property
    def words(self) -> str:
        """What is missing."""
        said = [words for words in (*self.missing.values(), self.weak) if words]
        said += [f"{name} is not written" for name in self.unwritten]
        return ", ".join(dict.fromkeys(said))


def states(
    notebooks: Sequence[Notebook], modules: Mapping[str, Module], asked: Mapping[str, Asked]
) -> list[State]:
    """How every question of these notebooks stands. One that is there twice is taken once."""
    found: dict[str, State] = {}
    for notebook in notebooks:
        away = {key.partition(".")[0] for key in outdated(notebook, modules, asked)}
        for key, question in questions(notebook).items():
            cells = [cell for cell in notebook.cells if cell.question == key]
            code = _code(key, modules, asked)
            by_hand = any(one.startswith(f"{question.part}.") for one in asked)
            missing = _missing(cells, key in asked, code.missing, by_hand)
            before = found.get(key)
            if missing and (before is None or before.lost):
                drawn = missing.get("figures") == ""
                weak = _weak(notebook, question.part, question.part in away) if drawn else ""
                found[key] = State(question, missing, code.unwritten, weak)
    return list(found.values())


def _weak(notebook: Notebook, part: str, outdated: bool) -> str:
    """Why figures of this part count little."""
    if outdated:
        return "figure of other code than is handed in"
    said, _ = _runs(part, [notebook])
    why = {"quick": "figure of a quick run", "stand-in": "figure of stand-in data"}
    return next((words for kind, words in why.items() if kind in said), "")


def outdated(
    notebook: Notebook, modules: Mapping[str, Module], asked: Mapping[str, Asked]
) -> list[str]:
    """Questions whose code was there when the notebook was run, and is not there now.

    So says a visible check that passed then. Where no check of a part was run, its figures say so:
    they cannot be drawn without any of its code.
    """
    found = []
    for part in notebook.parts:
        cells = [cell for cell in notebook.cells if cell.question.partition(".")[0] == part]
        mine = [key for key in asked if key.startswith(f"{part}.")]
        empty = [key for key in mine if _code(key, modules, asked).empty]
        checks = {cell.question: cell for cell in cells if cell.id.endswith(CHECK)}
        drawn = any(is_picture(o) for c in cells if c.hw5.get("figure") for o in c.outputs)
        if any(cell.outputs for cell in checks.values()):
            found += [key for key in empty if key in checks and _passed(checks[key], key)]
        elif drawn and empty == mine:
            found += empty
    return found


def _passed(cell: Cell, key: str) -> bool:
    name = re.escape(key.partition(".")[2])
    return bool(re.search(rf"^\s*{name}\s+passed\b", printed_by(cell), re.M))


def _missing(cells: Sequence[Cell], judged: bool, code: str, by_hand: bool) -> dict[str, str]:
    """Kind of work -> what is missing of it; no entry for work that a question does not ask for.

    code: what is wrong with its code; by_hand: a person marks it, so that where nothing else is
    asked for it must be a figure.
    """
    missing: dict[str, str] = {}
    answers = [cell for cell in cells if cell.answer]
    figures = [cell for cell in cells if cell.hw5.get("figure")]
    if answers or any(cell.id.endswith(STATEMENT) for cell in cells):
        written = any(not is_blank(cell) for cell in answers)
        missing["written"] = "" if written else "not answered"
    if judged or any(cell.id.endswith(CHECK) for cell in cells):
        missing["code"] = code
    if figures or (by_hand and not missing):
        drawn = any(is_picture(output) for cell in figures for output in cell.outputs)
        missing["figures"] = "" if drawn else code or "figure missing"
    return missing


@dataclass(frozen=True)
class _Code:
    """The code of a question: why it earns nothing, or "", and its places that are empty.

    `empty`: nothing of it is written in a file that could hold it.
    """

    missing: str = ""
    unwritten: tuple[str, ...] = ()
    empty: bool = False


def _code(key: str, modules: Mapping[str, Module], asked: Mapping[str, Asked]) -> _Code:
    known = asked.get(key, Asked("", ()))
    file = known.file or next((n for n, one in modules.items() if key in one.regions), "")
    if not file:
        return _Code()  # it asks for none
    if file not in modules:
        return _Code(f"{file} is missing")
    if modules[file].problem:
        return _Code(f"{file} is not valid Python")
    far = progress(modules[file], key, known.names)
    if far.lacking:
        return _Code(f"{file} has no {' and no '.join(far.lacking)}")
    if far.unwritten and not far.begun:
        return _Code(f"not written in {file}", empty=True)
    return _Code("", far.unwritten)


# --- in words


def table(found: Sequence[State], notebooks: Sequence[Notebook]) -> list[str]:
    """A line for each part, and one for all of them."""
    rows: list[tuple[str, ...]] = [("part", *KINDS, "full run", "can earn")]
    parts = list(dict.fromkeys(state.question.part for state in found))
    for part in parts:
        mine = [state for state in found if state.question.part == part]
        rows.append((part, *_counts(mine), full_run(part, notebooks), _points(mine)))
    if len(parts) > 1:
        rows.append(("all", *_counts(found), "", _points(found)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [f"  {line}" for line in lines]


def _counts(found: Sequence[State]) -> list[str]:
    """For each kind of work how many questions have it, of how many that ask for it."""
    said = []
    for kind in KINDS:
        asking = [state.missing[kind] for state in found if kind in state.missing]
        said.append(f"{asking.count('')} of {len(asking)}" if asking else "-")
    return said


def _points(found: Sequence[State]) -> str:
    counted = [state for state in found if not state.question.bonus]
    whole = sum(state.question.points for state in counted)
    left = sum(s.question.points for s in counted if not s.lost and not s.little)
    bonus = sum(s.question.points for s in found if s.question.bonus and not s.lost)
    return f"{left:g} of {whole:g}" + (f" + {bonus:g} bonus" if bonus else "")


def full_run(part: str, notebooks: Sequence[Notebook]) -> str:
    """Whether all cells of a part were run, to their end, with its real settings and data."""
    said, counts = _runs(part, notebooks)
    if not counts:
        return "-"
    if counts.count(None) == len(counts):
        return "not run"
    words = [kind for kind in ("quick", "stand-in", "stopped") if kind in said]
    return ", ".join([*words, "in part"] if None in counts else words) or "yes"


def _runs(part: str, notebooks: Sequence[Notebook]) -> tuple[set[str], list[int | None]]:
    """What the cells of a part warn of, and the numbers under which they were run."""
    said: set[str] = set()
    counts: list[int | None] = []
    for notebook in (one for one in notebooks if part in one.parts):
        for cell in to_run(notebook):
            if cell.question.partition(".")[0] in ("", part):
                said |= {kind for kind, _ in warnings_of(cell)}
            if cell.question.startswith(f"{part}."):
                counts.append(cell.count)
    return said, counts


def losses(found: Sequence[State]) -> list[str]:
    """What earns nothing as it is, question by question, and what earns less."""
    lines = _by_words("Earns nothing as it is", [state for state in found if state.lost])
    lines += _by_words("Earns little or nothing as it is", [s for s in found if s.little])
    half = [state for state in found if not state.lost and not state.little and state.words]
    if half:
        lines.append("Earns less:")
        lines += [_folded(f"{s.question.part}: {s.question.id}: {s.words}") for s in half]
    return lines


def _by_words(title: str, found: Sequence[State]) -> list[str]:
    """These questions with their points, those of a part together that lack the same."""
    if not found:
        return []
    points = sum(state.question.points for state in found if not state.question.bonus)
    groups: dict[tuple[str, str], list[Question]] = {}
    for state in found:
        groups.setdefault((state.question.part, state.words), []).append(state.question)
    lines = [f"{title} ({points:g} points):"]
    for (part, words), asked in groups.items():
        names = ", ".join(q.id + (" (bonus)" if q.bonus else "") for q in asked)
        lines.append(_folded(f"{part}: {words}: {names}"))
    return lines


def _folded(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
