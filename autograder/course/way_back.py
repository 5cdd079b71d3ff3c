"""The way back: published results as each platform takes them, built from the file that it gave.

    Canvas      the gradebook export, one column filled, for its import
    Moodle      the grading worksheet, filled; feedback files, in folders named as in the download
    Gradescope  nothing takes a table: an autograder that gives each submission what was published
    nbgrader    `gradebook.give_back` writes into gradebook.db itself

What came in goes back with its own columns, names and ids. Who has no total keeps what is there:
an import never makes an open mark a zero. Nothing is rescaled: where the platform gives another
number of points than was published, nothing is filled.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.marks import CourseError
from autograder.export.shared import file_name
from autograder.gradescope import published as gradescope
from autograder.gradescope.package import zipped
from autograder.intake.archive import FOLDER, Refused, children, on_disk, unpacked
from autograder.intake.platforms import MAX_STUDENTS, moodle_feedback
from autograder.roster import Roster
from autograder.tables import inert, plain, read_lines, read_table

_POSSIBLE = "Points Possible"
_GRADESCOPE = {"SID", "Email", "Total Score", "Submission ID"}
_SETUP = "#!/usr/bin/env bash\npython3 --version\n"

Row = Mapping[str, str]
"""A row of a table, by the names of its columns."""


@dataclass(frozen=True)
class Filled:
    """The file for the platform; how many have their result in it; who has none; who is not in what
    the platform gave; and what else is left out, in sentences."""

    data: bytes
    filled: int
    without: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fill(published: Path, export: Path, column: str, roster: Roster) -> Filled:
    """Fill what was PUBLISHED into what a platform gave. Raises CourseError.

    `column` is the title of Canvas's assignment; Moodle's worksheet has one column, `Grade`.
    """
    finals = finals_of(published, roster)
    if export.is_dir() or zipfile.is_zipfile(export):
        return _moodle_feedback(published, export, finals)
    rows, delimiter = read_lines(export)
    if not rows:
        raise CourseError(f"{export} is empty. Export it again.")
    head = [name.strip() for name in rows[0]]
    for row in rows[1:]:
        row += [""] * (len(head) - len(row))
    kept: Sequence[int]
    skipped: Mapping[str, str] = {}
    if {"Identifier", "Grade"} <= {*head}:
        place, id_at, kept = head.index("Grade"), head.index("Identifier"), range(len(head))
        most = _moodle_points(head, rows[1:], export)
        skipped = _moodle_skips(head, rows[1:], most, finals)
    elif {"ID", "Section"} <= {*head}:
        place, id_at = _canvas_column(head, column, export), head.index("ID")
        # Other assignments stay out: their marks may have changed since the export.
        kept = [*range(head.index("Section") + 1), place]
        most = {row[place] for row in rows[1:] if _POSSIBLE in row[0]}
        if any("read only" in said for said in most):
            raise CourseError(f"Canvas lets {column!r} only be read, so its import would skip it.")
    elif {*head} >= _GRADESCOPE:
        return _gradescope(read_table(export), finals, roster)
    else:
        raise CourseError(
            f"{export} is neither Canvas's gradebook, Moodle's grading worksheet nor Gradescope's "
            "grades, in English."
        )
    _need_these_points(most, finals)
    seen, without, filled = set(), [], 0
    for row in rows[1:]:
        id = _participant(row[id_at])
        if not id or _POSSIBLE in row[0] or row[0] == "Student, Test":
            continue
        seen.add(id)
        if id not in finals:
            without.append(id)
        elif id not in skipped:
            row[place], filled = finals[id]["total"], filled + 1
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([inert(row[at]) if at != place else row[at] for at in kept] for row in rows)
    notes = [
        f"Left out, since Moodle {why}: {', '.join(id for id in skipped if skipped[id] == why)}."
        for why in dict.fromkeys(skipped.values())
    ]
    return _filled(buffer.getvalue().encode(), filled, without, finals, seen, notes)


def finals_of(published: Path, roster: Roster) -> dict[str, Row]:
    """Whoever has a total, by the platform's id of the student. Raises CourseError."""
    path = published / "results.csv"
    lines = read_lines(path)[0] if path.exists() else []
    if len(lines) < 2:
        raise CourseError(f"{published} has no results.csv. Give the folder `publish` wrote.")
    found: dict[str, Row] = {}
    for line in lines[1:]:
        row = dict(zip(lines[0], map(plain, line), strict=False))
        if row["total"]:
            person = roster.find(row["id"])
            found[person.id if person else row["id"]] = row
    return found


def _need_these_points(theirs: Iterable[str], finals: Mapping[str, Row]) -> None:
    """Raises CourseError where the platform gives another number of points than was published."""
    ours = {row["max_points"] for row in finals.values()}
    for said in sorted({*theirs}):
        if (most := _number(said)) is not None and (other := {x for x in ours if float(x) != most}):
            raise CourseError(
                f"The assignment is worth {most:g} points there, and {' and '.join(sorted(other))} "
                "in what was published. Make it the same there and export it again; or write "
                f"`total = {most:g}` into assignment.toml, then grade and publish again: it scales "
                "every question, but nothing that overrides.csv decides."
            )


def _number(text: str) -> float | None:
    """A number of points, with a point or a comma; None where there is none."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


def _filled(
    data: bytes,
    filled: int,
    without: Sequence[str],
    finals: Mapping[str, Row],
    seen: set[str],
    notes: Sequence[str] = (),
) -> Filled:
    if not filled and notes:
        raise CourseError(f"Nothing is left to fill. {' '.join(notes)}")
    if not filled:
        raise CourseError(
            f"Nobody in it has a total: {len(seen)} are in what the platform gave, "
            f"{len(finals)} have a published total. Is it this class's, and was the roster made of "
            "the same platform's export?"
        )
    unknown = tuple(sorted(finals.keys() - seen))
    return Filled(data, filled, tuple(without), unknown, tuple(notes))


def _participant(cell: str) -> str:
    return re.sub(r"^Participant ", "", cell.strip())


def _moodle_points(head: Sequence[str], rows: Iterable[Sequence[str]], export: Path) -> set[str]:
    """What the worksheet says it is worth."""
    names = [name.lower() for name in head]  # "Maximum Grade" in some versions
    if "scale" in names:
        raise CourseError(f"{export}: Moodle marks this by a scale. Let it be marked by points.")
    return (
        {row[names.index("maximum grade")] for row in rows} if "maximum grade" in names else set()
    )


def _moodle_skips(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    most: Iterable[str],
    finals: Mapping[str, Row],
) -> dict[str, str]:
    """Participants with a total whose row Moodle's import would skip without a word, and why."""
    bound = max((_number(said) or math.inf for said in most), default=math.inf)
    skipped = {}
    for row in rows:
        cells = dict(zip(head, row, strict=False))
        id = _participant(cells["Identifier"])
        if id in finals and cells.get("Grade can be changed", "").strip() == "No":
            skipped[id] = "lets nobody change the grade"
        elif id in finals and float(finals[id]["total"]) > bound:
            skipped[id] = f"takes no more than {bound:g} points, which a bonus has passed"
    return skipped


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


# --- Moodle's feedback files


def _moodle_feedback(published: Path, download: Path, finals: Mapping[str, Row]) -> Filled:
    """A zip of the students' pages, each where Moodle looks for it: below the name that it gave."""
    files: dict[str, bytes] = {}
    without = []
    begins = _beginnings(download)
    for number, begin in begins.items():
        row = finals.get(number)
        if row is None:
            without.append(number)
            continue
        page = published / "pages" / file_name(row["id"])
        for ending in (".html", ".pdf"):
            files[f"{begin}feedback{ending}"] = page.with_name(page.name + ending).read_bytes()
    return _filled(zipped(files), len(begins) - len(without), without, finals, {*begins})


def _beginnings(download: Path) -> dict[str, str]:
    """Participant's number -> how the path of their files begins."""
    try:
        root = on_disk(download)
        if root.kind == FOLDER:
            nodes = children(root, MAX_STUDENTS)
        else:
            with unpacked(root, 5 * MAX_STUDENTS) as inside:
                nodes = children(inside, 5 * MAX_STUDENTS)
    except Refused as error:
        raise CourseError(f"{download} {error}. Give Moodle's download as it came.") from None
    found: dict[str, str] = {}
    for node in nodes:
        if known := moodle_feedback(node):
            found.setdefault(*known)
    if not found:
        raise CourseError(
            f"{download} holds no folders such as `Ada Lovelace_4711_assignsubmission_file_`. Give "
            "the zip of Moodle's `Download all submissions`, as it came."
        )
    return found


# --- Gradescope


def _gradescope(grades: Sequence[Row], finals: Mapping[str, Row], roster: Roster) -> Filled:
    """An autograder that knows what was published of each submission, by Gradescope's number.

    A submission that counts for several has one result there: it is left out where theirs differ.
    """
    _need_these_points((row.get("max points", "") for row in grades), finals)
    shared: dict[str, list[str]] = {}
    seen: set[str] = set()
    without, notes = [], []
    for row in grades:
        names = (row["sid"], row["email"].partition("@")[0], row["email"])
        known = [person.id for name in names if (person := roster.find(name))]
        id = next((name for name in (*known, *names) if name in finals), "")
        if id:
            seen.add(id)
        else:
            without.append(next(filter(None, names), "somebody without an address"))
        if row["submission id"].isdecimal():
            shared.setdefault(row["submission id"], []).append(_result(finals[id]) if id else "")
    files = {"setup.sh": _SETUP.encode(), "run_autograder": Path(gradescope.__file__).read_bytes()}
    filled = 0
    for number, texts in shared.items():
        if texts[0] and len({*texts}) == 1:
            files[f"published/{number}.json"] = texts[0].encode()
            filled += 1
        elif any(texts):
            what = "different results" if all(texts) else "not all a total"
            notes.append(f"Left out is submission {number}, whose members have {what}.")
    return _filled(zipped(files), filled, without, finals, seen, notes)


def _result(row: Row) -> str:
    """results.json of one student: the total, and every mark beside it."""
    ends = ("id", "name", "section", "total", "max_points", "state", "held back by", "decided")
    lines = [f"{name}: {points}" for name, points in row.items() if points and name not in ends]
    decided = [row["decided"]] if row.get("decided") else []
    return json.dumps(
        {
            "score": float(row["total"]),
            "output": "\n".join([f"{row['total']} of {row['max_points']}", *lines, *decided]),
            "output_format": "text",
            "visibility": "visible",
            "stdout_visibility": "hidden",
            "tests": [],
        },
        ensure_ascii=False,
    )
