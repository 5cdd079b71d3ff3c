"""What the exporters share: order, status, numbers, harmless text, atomic files."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from pathlib import Path

from autograder.files import named
from autograder.results import (
    ABNORMAL,
    ERROR,
    UNGRADABLE,
    QuestionResult,
    SubmissionResult,
    is_withheld,
)
from autograder.roster import Roster
from autograder.tables import JOINERS

MARKED_KINDS = ("code", "bonus")
"""The kinds of question that the judge gives points for."""

OK = "ok"
WITHHELD = "withheld"

LONGEST_TEXT = 2000
"""Characters of one text that are shown; no honest message comes near it."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def in_order(results: Iterable[SubmissionResult]) -> list[SubmissionResult]:
    """The results sorted by id. Raises ValueError when two of them carry one id."""
    ordered = sorted(results, key=lambda result: result.id)
    for one, other in pairwise(ordered):
        if one.id == other.id:
            raise ValueError(f"two results carry the id {one.id!r}; one would overwrite the other")
    return ordered


def is_marked(question: QuestionResult) -> bool:
    """True for a question the judge gives points for."""
    return question.kind in MARKED_KINDS


def flags(result: SubmissionResult) -> tuple[str, ...]:
    """What a person must look at, a word each: what the intake found, and `unloadable` where a
    module is there but cannot be loaded, which costs everything in it."""
    states = [one.state for one in result.questions if one.question.endswith(".import")]
    broken = any(state == ERROR or state in ABNORMAL for state in states)
    return (*result.flags, *(("unloadable",) if broken else ()))


def mark(question: QuestionResult) -> float | None:
    """The points of a question, None while they are open. An ungradable one never has any."""
    return None if question.state == UNGRADABLE else question.points


def status(result: SubmissionResult) -> str:
    """`ok`, `withheld` or `ungradable`; only `ok` has a total.

    `ungradable` goes before `withheld`: it is ours to repair, and a withheld submission can be
    told from its flags as well.
    """
    if any(question.state == UNGRADABLE for question in result.questions):
        return UNGRADABLE
    if is_withheld(result):
        return WITHHELD
    return UNGRADABLE if result.points is None else OK


def total(result: SubmissionResult) -> float | None:
    """The points of a submission, None unless its status is `ok`."""
    return result.points if status(result) == OK else None


def points_text(points: float | None) -> str:
    """Points as text: two decimals at most, half to even, no trailing zeros; None is blank.

    Raises ValueError for a number that is no mark (NaN, infinity).
    """
    if points is None:
        return ""
    if not math.isfinite(points):
        raise ValueError(f"{points} is not a mark")
    # Nine decimals first: 2.675 is stored as 2.67499999999999982, and must still be a half.
    exact = Decimal(f"{points:.9f}").quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    text = f"{exact:f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def harmless(text: str, keep: str = "") -> str:
    """The text with control characters, bidi overrides and lone surrogates spelt out.

    They come out as in Python source (`\\x00`, `\\u202e`), so that they are seen and nothing
    obeys them. Characters in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in keep
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def shown(text: str) -> str:
    """The text as a student reads it: never more than a screenful, nothing that acts."""
    text = text.replace("\r\n", "\n")
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]} … ({len(text) - LONGEST_TEXT} more characters)"
    return harmless(text, keep="\n\t")


def names(result: SubmissionResult, roster: Roster) -> list[str]:
    """How the roster calls the people of a submission, letters of every script as they are."""
    return [harmless(person.shown, keep=JOINERS) for person in roster.of(result.members)]


def file_name(submission_id: str) -> str:
    """The id where it is a plain name, else a hash of it: no id leads out of the folder."""
    if PLAIN_NAME.fullmatch(submission_id):
        return submission_id
    return hashlib.sha256(submission_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with LF line ends, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old one or the new, never half.

    The temporary name is fixed: what a killed run leaves is overwritten by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    with named(path):
        temporary.write_bytes(data)
    os.replace(temporary, path)
