"""What is known of a question: mistakes, and right answers written otherwise.

Both are small changes of the reference: edits of its text, code that comes after it and wins.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

Edits = tuple[tuple[str, str], ...]
Row = tuple[str, str, str, str]
"""A mistake of one edit: its name, what is said of it, old, new."""


class EditError(ValueError):
    """An edit finds nothing to replace, or replaces nothing."""


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong on one question.

    `id` names it, `sentence` tells the student ("your KL term has its sign flipped."). `edits`
    are pairs (old, new) made in the reference's source, in the definition whose first line
    contains `within` (the whole file when empty); `code` comes after the source, so that its
    definitions win. A mistake whose `sentence` is empty proves that the checks catch it, and is
    never said; `says` are words that the checks themselves must then say. An `unseen` one passes
    the visible check of its question, which tells students in these words what is left to others;
    every other stops it.
    """

    id: str
    question: str
    sentence: str
    within: str = ""
    edits: Edits = ()
    code: str = ""
    says: str = ""
    unseen: str = ""

    def source(self, reference: str) -> str:
        """The reference with the mistake made. Raises EditError naming what was not found."""
        label = f"{self.question}: {self.id}"
        return _changed(reference, self.within, _pairs(self.edits, label), self.code, label)


def told_one(
    part: str, question: str, within: str, name: str, sentence: str, *edits: tuple[str, str]
) -> Mistake:
    """A mistake whose sentence the student reads where an answer looks like it."""
    return Mistake(name, f"{part}.{question}", sentence, within, edits)


def told(part: str, question: str, within: str, *rows: Row) -> tuple[Mistake, ...]:
    """Such mistakes of one edit each: name, sentence, old, new."""
    return tuple(
        told_one(part, question, within, name, sentence, (old, new))
        for name, sentence, old, new in rows
    )


def caught_one(
    part: str,
    question: str,
    within: str,
    name: str,
    says: str,
    *edits: tuple[str, str],
    code: str = "",
) -> Mistake:
    """A mistake of which the checks themselves say what is wrong, in words that hold `says`."""
    return Mistake(name, f"{part}.{question}", "", within, edits, code, says)


def caught(part: str, question: str, within: str, *rows: Row) -> tuple[Mistake, ...]:
    """Such mistakes of one edit each: name, what the checks say, old, new."""
    return tuple(
        caught_one(part, question, within, name, says, (old, new)) for name, says, old, new in rows
    )


def unseen(words: str, *mistakes: Mistake) -> tuple[Mistake, ...]:
    """These, as ones that pass the visible check of their question, which says so in `words`."""
    return tuple(replace(one, unseen=words) for one in mistakes)


@dataclass(frozen=True)
class Style:
    """A right answer as somebody else writes it; what changes is as in a Mistake.

    `refused`: questions whose visible check stops it all the same, since torch does not run what
    its functions, each right by itself, are together.
    """

    id: str
    code: str = ""
    edits: Edits = ()
    within: str = ""
    refused: tuple[str, ...] = ()

    def source(self, reference: str) -> str:
        """The reference written otherwise. Raises EditError naming what was not found."""
        edits = _pairs(self.edits, self.id)
        return _changed(reference, self.within, edits, self.code, self.id)


def _pairs(edits: Edits, label: str) -> Edits:
    """The edits, each of which is a pair: where a comma is forgotten, it is not."""
    for edit in edits:
        if isinstance(edit, str) or [type(text) for text in edit] != [str, str]:
            raise EditError(f"{label}: {edit!r} is no pair of texts; edits are ((old, new), ...)")
    return tuple((old, new) for old, new in edits)


@lru_cache(maxsize=1024)  # the same mistakes are made for every submission
def _changed(reference: str, within: str, edits: Edits, code: str, label: str) -> str:
    if within != within.lstrip():
        raise EditError(
            f"{label}: {within!r} begins with blanks, so that it would not end where the "
            "definition does, whose indentation is counted up to it; begin with its first word"
        )
    start = reference.index(within) if within in reference else -1
    if start < 0:
        raise EditError(f"{label}: the reference has no {within!r}")
    end = _end(reference, start) if within else len(reference)
    body = reference[start:end]
    for old, new in edits:
        if old not in body:
            raise EditError(f"{label}: {within or 'the reference'} has no {old!r}")
        body = body.replace(old, new)
    source = reference[:start] + body + reference[end:]
    if source == reference and not code:
        raise EditError(f"{label}: it changes nothing of the reference")
    return f"{source}\n\n{code}\n" if code else source


def _end(source: str, start: int) -> int:
    """Where the definition that begins at `start` ends: at the next line as little indented."""
    indent = start - (source.rfind("\n", 0, start) + 1)
    place = source.index("\n", start) + 1
    opened = source[start:place].count("(") - source[start:place].count(")")
    while place < len(source):
        stop = source.find("\n", place)
        line = source[place : stop if stop >= 0 else len(source)]
        text = line.lstrip()
        if text and opened <= 0 and len(line) - len(text) <= indent and not text.startswith(")"):
            return place
        opened += line.count("(") - line.count(")")
        place += len(line) + 1
    return len(source)
