"""What is being set, line by line, and how a word of the notebook stands in Typst's source.

What a notebook says is data: in Typst's source it stands in the string literals that are made here,
and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from hw5_notebook import Cell, Finding, Notebook

from .mathematics import Macros, Numbers

LINES = (24, 8)  # of a longer output the first and the last are printed
LINE = 1500  # characters of one line of output
TYPED = (400, 40)  # the same of a longer text that is printed as it was typed
BOOK = 4000  # lines of one notebook that are set; each takes Typst a millisecond and 50 kB
WIDE, MARKS, CELLS = 60, 6, 4  # characters, marks of Markdown, cells of a table that make a line


@dataclass
class Sheet:
    """What is being set: lines of Typst, with pandoc's share still to be filled in.

    A line is Typst's source, or the number of a fragment that pandoc reads. Formulas and pictures
    may fail in Typst one by one, so each has a line of its own and words that can take its place.
    """

    lines: list[str | int] = field(default_factory=list)
    places: list[tuple[Notebook | None, Cell | None]] = field(default_factory=list)  # of the lines
    fragments: list[dict[str, str]] = field(default_factory=list)
    formulas: list[tuple[str, str, bool]] = field(default_factory=list)  # as written, tidied, alone
    tags: dict[int, str] = field(default_factory=dict)
    rows: dict[int, tuple[str, ...]] = field(default_factory=dict)  # the numbers of a formula's
    unknown: dict[int, tuple[str, ...]] = field(default_factory=dict)  # a formula's commands
    targets: dict[tuple[str, str], int] = field(default_factory=dict)  # of links in a notebook
    reached: set[int] = field(default_factory=set)  # those that stand on a page already
    pictures: dict[str, bytes] = field(default_factory=dict)
    macros: Macros = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    findings: list[Finding] = field(default_factory=list)
    filled: int = 0  # lines of this notebook, about
    ended: bool = False  # it was too long
    notebook: Notebook | None = None
    cell: Cell | None = None

    def add(self, line: str | int) -> None:
        self.lines.append(line)
        self.places.append((self.notebook, self.cell))
        self.filled += self._lines(line)

    def _lines(self, line: str | int) -> int:
        """About how many lines this fills."""
        if isinstance(line, str):
            return 1 + line.count("\\n") + len(line) // WIDE
        said = self.fragments[line]
        text = said["text"]
        if said["format"] == "html":
            return len(text) // (10 * WIDE) + len(re.findall("<t[dh]", text)) // CELLS
        marks = len(re.findall(r"[^\w\s]", text))
        return text.count("\n") + len(text) // WIDE + marks // MARKS

    def is_full(self) -> bool:
        """Has this notebook had the room that there is for one? Then it ends here, and it says so
        on the page and to the student.
        """
        if self.filled > BOOK and not self.ended:
            self.ended = True
            self.add('#left-out("What follows is left out: it would fill a book")')
            at = f"{self.cell.name} of " if self.cell else ""
            name = self.notebook.name if self.notebook else "the notebook"
            sentence = f"The pages end at {at}{name}.ipynb: the rest would fill a book. Print and "
            sentence += "show less, and delete the cells that nobody needs to read."
            self.note("too-long", sentence)
        return self.ended

    def back_to(self, line: int) -> Cell | None:
        """Be again where a line came from, so that what is noted is noted there."""
        self.notebook, self.cell = self.places[line]
        return self.cell

    def note(self, kind: str, sentence: str) -> None:
        """Say what is wrong with the cell at hand, once."""
        name, cell = self.notebook.name if self.notebook else "", self.cell
        where = (cell.id or str(cell.number), cell.question) if cell else ("", "")
        found = Finding(kind, sentence, name, *where)
        if found not in self.findings:
            self.findings.append(found)


def string(text: object) -> str:
    """A string literal of Typst, without what a terminal alone understands."""
    said = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", str(text))
    said = said.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + said.replace("\n", "\\n") + '"'


def array(items: Iterable[str]) -> str:
    return "(" + "".join(f"{string(item)}, " for item in items) + ")"


def is_long(text: str) -> bool:
    """Has it a word that a line may not hold?"""
    return any(len(word) >= 40 for word in text.split())


def boolean(value: bool) -> str:
    return "true" if value else "false"


def as_typed(text: str) -> str:
    """A student's text that cannot be set: whole, unless it would fill a book."""
    shown = trimmed(text, TYPED, 10 * LINE)
    return shown if len(shown) <= BOOK * WIDE // 2 else trimmed(text, TYPED, 2 * WIDE)


def trimmed(text: str, kept: tuple[int, int] = LINES, most: int = LINE) -> str:
    """The first and the last lines of a long text, and how much lies between."""
    lines = [
        line if len(line) <= most else f"{line[:most]} … {len(line) - most:,} characters left out"
        for line in text.split("\n")
    ]
    first, last = kept
    if len(lines) > first + last + 1:
        between = f"… {len(lines) - first - last:,} lines left out …"
        lines = [*lines[:first], between, *lines[-last:]]
    return "\n".join(lines)
