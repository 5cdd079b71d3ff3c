"""The way back: published totals in the file that Canvas or Moodle gave, for its import.

The file that came in goes back with its own columns, names and ids; only totals are new. Who has
none keeps the cell as it came: an import never makes an open mark a zero.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.marks import CourseError
from autograder.roster import Roster
from autograder.tables import FORMULA, read_lines, read_table

_POSSIBLE = "Points Possible"


@dataclass(frozen=True)
class Filled:
    """The file for the platform; how many totals it has; who has none; who is not in the file."""

    text: str
    filled: int
    without: tuple[str, ...]
    unknown: tuple[str, ...]


def fill(published: Path, export: Path, column: str, roster: Roster) -> Filled:
    """Fill the totals of PUBLISHED into `column` of a platform's EXPORT. Raises CourseError.

    `column` is the title of Canvas's assignment; Moodle's worksheet has one column, `Grade`.
    """
    rows, delimiter = read_lines(export)
    if not rows:
        raise CourseError(f"{export} is empty. Export it again.")
    head = [name.strip() for name in rows[0]]
    kept: Sequence[int]
    if {"Identifier", "Grade"} <= {*head}:
        place, id_at, kept = head.index("Grade"), head.index("Identifier"), range(len(head))
    elif {"ID", "Section"} <= {*head}:
        place, id_at = _canvas_column(head, column, export), head.index("ID")
        # Other assignments stay out: their marks may have changed since the export.
        kept = [*range(head.index("Section") + 1), place]
    else:
        raise CourseError(
            f"{export} is neither Canvas's gradebook nor Moodle's grading worksheet, in English."
        )
    totals = _totals(published, roster)
    seen, without, filled = set(), [], 0
    for row in rows[1:]:
        row += [""] * (len(head) - len(row))
        id = re.sub(r"^Participant ", "", row[id_at].strip())
        if not id or _POSSIBLE in row[0]:
            continue
        seen.add(id)
        if total := totals.get(id):
            row[place], filled = total, filled + 1
        else:
            without.append(id)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([_inert(row[at]) if at != place else row[at] for at in kept] for row in rows)
    return Filled(buffer.getvalue(), filled, tuple(without), tuple(sorted(totals.keys() - seen)))


def _canvas_column(head: Sequence[str], column: str, export: Path) -> int:
    """Where the assignment stands: Canvas writes its number behind its title."""
    found = [at for at, name in enumerate(head) if re.sub(r" \(\d+\)$", "", name) == column]
    if len(found) != 1:
        titles = [name for name in head if re.search(r" \(\d+\)$", name)]
        raise CourseError(
            f"{export} has {len(found) or 'no'} columns {column!r}. Give --column with one of: "
            f"{', '.join(titles) or 'none is an assignment'} (without the number)."
        )
    return found[0]


def _totals(published: Path, roster: Roster) -> dict[str, str]:
    """The totals that count, by the platform's id of the student."""
    path = published / "results.csv"
    rows = read_table(path) if path.exists() else []
    if not rows:
        raise CourseError(f"{published} has no results.csv. Give the folder `publish` wrote.")
    found = {}
    for row in rows:
        if row["total"]:
            person = roster.find(row["id"])
            found[person.id if person else row["id"]] = row["total"]
    return found


def _inert(text: str) -> str:
    """A cell as it came; one that a spreadsheet would run gets an apostrophe, but for numbers."""
    return f"'{text}" if FORMULA.match(text) and not re.fullmatch(r"-|-?[\d.,]+", text) else text
