"""Reads assignment.toml: the parts, questions, points and rules of one coursework."""

from __future__ import annotations

import ast
import difflib
import fnmatch
import math
import pprint
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KINDS = ("code", "bonus", "info", "manual")
KEYS = {
    "assignment.toml": ("assignment", "part"),
    "[assignment]": (
        *("id", "title", "due", "late", "penalty", "grace", "cut_off"),
        *("total", "max_group", "anonymous", "files"),
    ),
    "[[part]]": (
        *("id", "title", "module", "points", "question", "off", "max_group", "anonymous"),
    ),
    "question": ("id", "title", "points", "kind"),
}
"""What may stand in assignment.toml, level by level."""
LATE_RULES = ("refuse", "accept", "flag")
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_NUMBER = r"(\d{1,6}(?:\.\d{1,6})?)"
_PENALTY = re.compile(rf"{_NUMBER} ?(%|percent|points?) per (hour|day)")
_SPAN = re.compile(rf"{_NUMBER} ?(minute|hour|day)s?")
DEFAULT_PATH = Path(__file__).with_name("assignment.toml")


class AssignmentError(ValueError):
    """assignment.toml says something that cannot be meant; the message names the place."""


@dataclass(frozen=True)
class Question:
    """One question of a part: what it is called, how it is marked, what it is worth."""

    id: str
    title: str
    points: float
    kind: str


@dataclass(frozen=True)
class Part:
    """One part of the coursework; `module` is the student's file without `.py`, None for a part
    that is marked by hand alone.

    `max_group` and `anonymous` are the assignment's unless the part says otherwise.
    """

    id: str
    title: str
    module: str | None
    points: float
    questions: tuple[Question, ...]
    max_group: int = 1
    anonymous: bool = False

    def full_ids(self) -> list[str]:
        """`part.question` for every question, in the order of the file."""
        return [f"{self.id}.{question.id}" for question in self.questions]


@dataclass(frozen=True)
class Penalty:
    """What each `unit` (hour or day) of being late costs: points, or percent of what was earned."""

    amount: float
    percent: bool
    unit: str


@dataclass(frozen=True)
class Assignment:
    """The whole of assignment.toml, without the parts that are off.

    `due` is time-zone aware, or None when only a platform says what is late; `late`, `penalty`,
    `grace` and `cut_off` are the rule for that, which `lateness` applies; `total` is what the
    parts of a release are scaled to, or None where each keeps its points; `off` are the parts that
    are off.
    """

    id: str
    title: str
    due: datetime | None
    late: str
    max_group: int
    anonymous: bool
    files: tuple[str, ...]
    parts: tuple[Part, ...]
    total: float | None = None
    off: tuple[Part, ...] = ()
    penalty: Penalty | None = None
    grace: timedelta = timedelta(0)
    cut_off: timedelta | None = None

    def wants(self, name: str) -> bool:
        """True when a file of this name is taken from a submission."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.files)

    def part(self, part_id: str) -> Part:
        """The part of that id. Raises AssignmentError naming the parts there are."""
        for part in self.parts:
            if part.id == part_id:
                return part
        if part_id in [part.id for part in self.off]:
            raise AssignmentError(f"the part {part_id!r} is off: it has off = true")
        known = [part.id for part in self.parts]
        raise AssignmentError(f"there is no part {part_id!r}; {meant(part_id, known)}")

    def question(self, full_id: str) -> Question:
        """The question behind `part.question`. Raises AssignmentError when there is none."""
        part_id, _, question_id = full_id.partition(".")
        for question in self.part(part_id).questions:
            if question.id == question_id:
                return question
        known = [question.id for question in self.part(part_id).questions]
        raise AssignmentError(
            f"part {part_id!r} has no question {question_id!r}; {meant(question_id, known)}"
        )

    def scaled(self, part_ids: Collection[str] = ()) -> Assignment:
        """The same with these parts (all, when none is named) scaled to add up to `total`.

        Points are rounded to hundredths such that the sum is exact; a bonus counts on top.
        """
        chosen = [part for part in self.parts if not part_ids or part.id in part_ids]
        if self.total is None or not chosen:
            return self
        factor = self.total / sum(part.points for part in chosen)
        counted = [(p.id, q) for p in chosen for q in p.questions if q.kind in ("code", "manual")]
        exact = {(part, q.id): 100 * factor * q.points for part, q in counted}
        cents = {key: math.floor(value) for key, value in exact.items()}
        by_rest = sorted(exact, key=lambda key: cents[key] - exact[key])
        for key in by_rest[: round(100 * self.total) - sum(cents.values())]:
            cents[key] += 1
        if not all(cents.values()):
            raise AssignmentError(f"total = {self.total:g} leaves a question without any points")
        parts = tuple(
            part if part not in chosen else _with_cents(part, cents, factor) for part in self.parts
        )
        return replace(self, parts=parts)


def _with_cents(part: Part, cents: dict[tuple[str, str], int], factor: float) -> Part:
    """The part with these hundredths of points; questions that are not among them are scaled."""
    questions = tuple(
        replace(q, points=cents.get((part.id, q.id), round(100 * factor * q.points)) / 100)
        for q in part.questions
    )
    points = sum(cents[part.id, q.id] for q in questions if (part.id, q.id) in cents) / 100
    return replace(part, points=points, questions=questions)


def grade_id(full_id: str) -> str:
    """What a notebook cell calls the question `part.question`: `part--question`.

    nbgrader allows letters, digits, `_` and `-` in the name of a cell, but no dot.
    """
    return full_id.replace(".", "--", 1)


def question_of(cell_id: str) -> str:
    """The `part.question` that a cell called `part--question`, or below it, belongs to.

    `fc-vae--loss--check` is a cell of `fc-vae.loss`. Empty where a cell belongs to no question.
    """
    part, _, rest = cell_id.partition("--")
    question = rest.partition("--")[0]
    return f"{part}.{question}" if part and question else ""


def read_assignment(path: Path = DEFAULT_PATH) -> Assignment:
    """Read and check assignment.toml. Raises AssignmentError with a sentence."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssignmentError(f"{path}: there is no such file") from None
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(
            f"{path}: not valid TOML: {error}. Look there and one line above: a number is written "
            "with a point (2.5), a text in quotes, and a comma stands between entries of a list."
        ) from None
    try:
        return _assignment(data)
    except KeyError as error:
        raise AssignmentError(f"{path}: the key {error} is missing") from None
    except AssignmentError as error:
        raise AssignmentError(f"{path}: {error}") from None


def asked(parts: Iterable[Part]) -> dict[str, Any]:
    """What students' modules know of the parts, as plain data: hw5_asked.py says what is in it."""
    return {
        part.id: {
            "module": part.module,
            "questions": {
                one.id: {"points": one.points, "kind": one.kind} for one in part.questions
            },
        }
        for part in parts
    }


def as_data(module: str, parts: Iterable[Part]) -> str:
    """The text of hw5_asked.py with plain data of these parts where it reads assignment.toml."""
    docstring = ast.get_docstring(ast.parse(module), clean=False)
    data = pprint.pformat(asked(parts), width=96, sort_dicts=False)
    return f'"""{docstring}"""\n\nPARTS = {data}\n'


def _assignment(data: dict[str, Any]) -> Assignment:
    _refuse_unknown(data, "assignment.toml", "at the top level")
    head = data["assignment"]
    _refuse_unknown(head, "[assignment]", "in [assignment]")
    _need(head, ["id", "title", "late", "files"], "[assignment]")
    due = head.get("due")
    if due is not None and (not isinstance(due, datetime) or due.tzinfo is None):
        raise AssignmentError(f"due = {due} must be a date and time with a time zone")
    if head["late"] not in LATE_RULES:
        raise AssignmentError(f"late = {head['late']!r} must be one of {', '.join(LATE_RULES)}")
    _refuse_idle_rules(head)
    max_group, anonymous = _group(head, 1), _flag(head, "anonymous")
    parts = tuple(_part(entry, max_group, anonymous) for entry in data["part"])
    _refuse_repeats([part.id for part in parts], "part")
    off = {entry["id"] for entry in data["part"] if _flag(entry, "off")}
    total = head.get("total")
    if total is not None and (type(total) not in (int, float) or not 0 < total < math.inf):
        raise AssignmentError(f"total = {total!r} must be a number of points")
    return Assignment(
        id=head["id"],
        title=head["title"],
        due=due,
        late=head["late"],
        max_group=max_group,
        anonymous=anonymous,
        files=tuple(head["files"]),
        parts=tuple(part for part in parts if part.id not in off),
        total=total,
        off=tuple(part for part in parts if part.id in off),
        penalty=_penalty(head),
        grace=_span(head, "grace") or timedelta(0),
        cut_off=_span(head, "cut_off"),
    )


def _penalty(head: dict[str, Any]) -> Penalty | None:
    """What being late costs, where anything does."""
    said = head.get("penalty")
    if said is None:
        return None
    match = _PENALTY.fullmatch(said) if isinstance(said, str) else None
    if match is None or not float(match[1]):
        raise AssignmentError(
            f"penalty = {said!r} must read like '10 percent per day' or '2 points per hour'"
        )
    return Penalty(float(match[1]), not match[2].startswith("point"), match[3])


def _span(head: dict[str, Any], key: str) -> timedelta | None:
    """A length of time in words."""
    said = head.get(key)
    if said is None:
        return None
    match = _SPAN.fullmatch(said) if isinstance(said, str) else None
    if match is None or not float(match[1]):
        raise AssignmentError(f"{key} = {said!r} must read like '15 minutes', '1 hour' or '3 days'")
    return float(match[1]) * UNITS[match[2]]


def _refuse_idle_rules(head: dict[str, Any]) -> None:
    """A rule that could never apply is a misunderstanding."""
    for key in ("penalty", "grace", "cut_off"):
        if key in head and head["late"] == "accept":
            raise AssignmentError(f'{key} says nothing beside late = "accept": leave one of them')
        if key in head and "due" not in head:
            raise AssignmentError(f"{key} says nothing without due: write when it is due")
    for key in ("penalty", "cut_off"):
        if key in head and head["late"] == "refuse":
            raise AssignmentError(
                f'{key} says nothing beside late = "refuse", which takes nothing that is late: '
                'write late = "flag", or leave it out'
            )


def _flag(entry: dict[str, Any], key: str, default: bool = False) -> bool:
    said = entry.get(key, default)
    if not isinstance(said, bool):
        raise AssignmentError(f"{key} = {said!r} must be true or false, without quotes")
    return said


def _need(entry: dict[str, Any], keys: Iterable[str], where: str) -> None:
    for key in keys:
        if key not in entry:
            raise AssignmentError(f"{where} has no {key!r}")


def need_part_id(text: object) -> None:
    """Raises AssignmentError where no part can be called so."""
    of = "small letters, digits and hyphens, a letter first"
    _need_id(text, r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "a part", of)


def need_question_id(text: object) -> None:
    """Raises AssignmentError where no question can be called so."""
    _need_id(text, r"[A-Za-z0-9][A-Za-z0-9_]*", "a question", "letters, digits and underscores")


def _need_id(text: object, pattern: str, what: str, of: str) -> None:
    if not isinstance(text, str) or not re.fullmatch(pattern, text):
        raise AssignmentError(f"{text!r} cannot be the id of {what}: it is made of {of}.")


def _group(entry: dict[str, Any], default: int) -> int:
    size = entry.get("max_group", default)
    if type(size) is not int or size < 1:
        raise AssignmentError(f"max_group = {size!r} must be a whole number of at least 1")
    return size


def _part(entry: dict[str, Any], max_group: int, anonymous: bool) -> Part:
    _need(entry, ["id"], f"a part ({str(entry)[:60]})")
    need_part_id(entry["id"])
    _refuse_unknown(entry, "[[part]]", f"in the part {entry['id']!r}")
    _need(entry, ["title", "points", "question"], f"the part {entry['id']!r}")
    questions = tuple(_question(entry["id"], question) for question in entry["question"])
    _refuse_repeats([question.id for question in questions], f"question of {entry['id']}")
    said = _number(entry["points"], f"the part {entry['id']!r}")
    total = sum(q.points for q in questions if q.kind in ("code", "manual"))
    if not math.isclose(total, said):
        raise AssignmentError(
            f"the questions of {entry['id']} add up to {total:g} points, not {said:g}; "
            "correct `points` of the part, or of a question"
        )
    module = entry.get("module")
    if module is None and any(q.kind != "manual" for q in questions):
        raise AssignmentError(f"{entry['id']} needs a module: the judge marks some of it")
    return Part(
        id=entry["id"],
        title=need_title(entry["title"], f"the part {entry['id']!r}"),
        module=module,
        points=said,
        questions=questions,
        max_group=_group(entry, max_group),
        anonymous=_flag(entry, "anonymous", anonymous),
    )


def _question(part_id: str, entry: dict[str, Any]) -> Question:
    _need(entry, ["id"], f"a question of {part_id} ({str(entry)[:60]})")
    kind = entry.get("kind", "code")
    points = entry.get("points", 0)
    where = f"{part_id}.{entry['id']}"
    need_question_id(entry["id"])
    _refuse_unknown(entry, "question", f"in {where}")
    _need(entry, ["title"], where)
    title = need_title(entry["title"], where)
    if kind not in KINDS:
        raise AssignmentError(f"{where}: kind = {kind!r} must be one of {', '.join(KINDS)}")
    if kind == "info":
        if points:
            raise AssignmentError(f"{where}: an info question carries no points")
        return Question(entry["id"], title, 0.0, kind)
    _need(entry, ["points"], where)
    if not (math.isfinite(_number(points, where)) and points > 0):
        raise AssignmentError(f"{where}: points = {points:g} must be larger than zero")
    return Question(entry["id"], title, float(points), kind)


def _number(said: object, where: str) -> float:
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        raise AssignmentError(f"{where}: points = {said!r} must be a number, without quotes")
    return float(said)


def need_title(said: object, where: str) -> str:
    """The title of a part or question. Raises AssignmentError where there is nothing to read."""
    if not isinstance(said, str) or not said.strip():
        raise AssignmentError(f"{where}: title = {said!r} must be a text that students can read")
    return said


def _refuse_unknown(entry: dict[str, Any], level: str, where: str) -> None:
    for key in entry:
        if key not in KEYS[level]:
            instead = meant(key, KEYS[level])
            raise AssignmentError(f"{where} stands {key!r}, which nothing reads; {instead}")


def meant(name: str, known: Sequence[str]) -> str:
    """What somebody may have meant by a name that is not known: the end of a sentence."""
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}."


def _refuse_repeats(ids: list[str], what: str) -> None:
    for one in ids:
        if ids.count(one) > 1:
            raise AssignmentError(
                f"the {what} {one!r} is there twice: take one of them away, or give it another id"
            )
