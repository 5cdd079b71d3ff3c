"""What a known mistake is: a small edit of the reference, with a sentence."""

from __future__ import annotations

from dataclasses import dataclass


class EditError(ValueError):
    """An edit finds nothing to replace: the reference has changed since it was written."""


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong on one question.

    `id` names it, `sentence` tells the student ("your KL term has its sign flipped."). `edits`
    are pairs (old, new) made in the reference's source, in the definition whose first line
    contains `within` (the whole file when empty). A mistake whose `sentence` is empty proves
    that the checks catch it, and is never said.
    """

    id: str
    question: str
    sentence: str
    within: str
    edits: tuple[tuple[str, str], ...]

    def source(self, reference: str) -> str:
        """The reference with the mistake made. Raises EditError naming what was not found."""
        start = reference.index(self.within) if self.within in reference else -1
        if start < 0:
            raise EditError(f"{self.question}: {self.id}: the reference has no {self.within!r}")
        end = _end(reference, start) if self.within else len(reference)
        body = reference[start:end]
        for old, new in self.edits:
            if old not in body:
                raise EditError(f"{self.question}: {self.id}: {self.within} has no {old!r}")
            body = body.replace(old, new)
        return reference[:start] + body + reference[end:]


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
