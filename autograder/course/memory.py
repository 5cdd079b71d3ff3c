"""PUBLISHED/published.json: what each student was told last, and all that has changed since then.

It is written last. A run that is killed before has published nothing, and the next one says the
same changes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from autograder.course.marks import CourseError
from autograder.course.publish import Row
from autograder.export.marks_csv import cell
from autograder.export.shared import points_text, write_text

PUBLISHED = "published.json"
FORMAT = 1

Told = dict[str, dict[str, str]]
"""student -> what is told (a question's id, late, total) -> as it is told."""


@dataclass(frozen=True)
class Difference:
    """Something that one student is told otherwise than before, and when that was."""

    when: str
    student: str
    what: str
    before: str
    now: str


@dataclass(frozen=True)
class Memory:
    """What was told last, and every difference from the first day on."""

    told: Told
    differences: tuple[Difference, ...]


def remembered(out: Path) -> Memory | None:
    """What was published there before; None when nothing was. Raises CourseError."""
    path = out / PUBLISHED
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(data["format"])
        differences = tuple(Difference(**one) for one in data["differences"])
        return Memory({id: dict(said) for id, said in data["told"].items()}, differences)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(
            f"{path} is not what was written there. Give a new --out, or put it back."
        ) from None


def told(rows: Iterable[Row]) -> Told:
    """What the rows tell each student."""
    return {
        row.id: {
            **{q.question: points_text(q.points) for q in row.result.questions if q.max_points},
            "late": points_text(row.late),
            "total": points_text(row.total) or "held back",
        }
        for row in rows
    }


def differences(before: Told, now: Told, when: str) -> list[Difference]:
    """What is told otherwise, student by student; those who are gone keep what they were told."""
    return [
        Difference(when, id, what, was.get(what, ""), said.get(what, ""))
        for id, said in now.items()
        for was in [before.get(id, {})]
        for what in [*said, *(name for name in was if name not in said)]
        if was.get(what, "") != said.get(what, "") and (was or what == "total")
    ]


def remember(out: Path, memory: Memory) -> None:
    """Write it down, and changes.csv for people."""
    data: Mapping[str, object] = {
        "format": FORMAT,
        "told": memory.told,
        "differences": [vars(one) for one in memory.differences],
    }
    write_text(out / PUBLISHED, json.dumps(data, indent=1, sort_keys=True) + "\n")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([field.name for field in fields(Difference)])
    writer.writerows([cell(text) for text in astuple(one)] for one in memory.differences)
    write_text(out / "changes.csv", buffer.getvalue())
