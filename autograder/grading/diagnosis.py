"""Says which known mistakes a wrong answer looks like.

What a check asked the student's code is asked again of the reference with each known mistake of
the question made in it. The mistake that answers as the student's code did, on several answers, has
the sentence that the student needs to hear. Where several answer alike all are named, as what it
may be; where none does, two mistakes at once are tried.

The reference takes the sizes of the student's layers, and names that the student does not use are
passed over: what counts are the numbers that come out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations, islice
from typing import Any

import torch

from ..checking.catalogue import EditError, Mistake
from ..checking.expect import NAMED, identical, matches
from ..checking.proxy import Send
from ..checking.reference import Reference
from ..inside.wire import Handle
from ..parts import all_mistakes

Talk = list[tuple[dict[str, Any], dict[str, Any]]]
"""Requests and the answers they got, in order."""

Sizes = tuple[tuple[int, int], ...]
"""The sizes of our layers, and what stands for each in the student's."""

ROUNDING = 5e-6
"""The same mistake gives the same numbers but for rounding; another small step is another one."""

ANSWERS = 2000  # that are asked for in a search for pairs: a longer one is given up
LEAST = 2  # numbers that must agree: a single one may do so by chance
PAIRS = 200  # of mistakes, that are tried for one talk
SMALLEST, WIDEST = 16, 2048  # sizes of layers that a reference is given, from what a student claims
HEAVIEST = 1 << 23  # parameters of such a reference

OF_OBJECTS = ("call", "fill", "grad", "load", "weights", "zero")
"""Requests that change nothing but the objects that they name, if any."""

APART: Any = object()
"""Stands for an answer that says nothing: another name, or layers defined in another order."""


class _TooLong(Exception):
    """The search has asked for too much. It is counted, not timed: a busy machine says the same."""


def recorded(send: Send, talk: Talk) -> Send:
    """The same way to ask, writing down what is said."""

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        answer = send(request)
        talk.append((request, answer))
        return answer

    return ask


def diagnose(
    talk: Talk,
    question: str,
    module: str,
    reference: Reference,
    mistakes: Sequence[Mistake] = (),
    said: str = "",
) -> str:
    """What to say of the known mistakes of `question` that explain the talk, beyond what the check
    has `said`; or nothing.
    """
    known = [one for one in mistakes or all_mistakes() if one.question == question]
    searches = (_Search(one, module, reference) for one in _talks(talk))
    whole = next(searches)
    found = whole.alone(known)
    for part in () if found else searches:
        found = found or part.alone(known)
    with suppress(_TooLong):
        found = found or whole.together(known)
    return _in_words(found, said)


def _talks(talk: Talk) -> Iterable[Talk]:
    """What is said of the whole code, and then of the code without one part or another: a mistake
    beside one that is left out is told as if it were alone.
    """
    families = _families(talk)
    asked = zip(families, talk, strict=True)
    without = {family: str(ask["instead"]) for family, (ask, _) in asked if ask.get("instead")}
    parts: dict[str, Talk] = {"": []}
    for family, said in zip(families, talk, strict=True):
        parts.setdefault(without.get(family, ""), []).append(said)
    return parts.values()


def _families(talk: Talk) -> list[int]:
    """For each request, which objects it has to do with, as a number: an object is of the family of
    what it was made from, or met in a request. -1 where there are none.
    """
    head: dict[int, int] = {}

    def of(one: int) -> int:
        while head.setdefault(one, one) != one:
            one = head[one]
        return one

    met = [[*_handles(request), *_handles(answer.get("value"))] for request, answer in talk]
    for first, *others in filter(None, met):
        for one in others:
            head[of(one)] = of(first)
    return [of(together[0]) if together else -1 for together in met]


def _in_words(found: Sequence[tuple[Mistake, ...]], said: str) -> str:
    """One explanation is named; of several, what they share, or what it may be."""
    if not found:
        return ""
    shared = [one for one in found[0] if all(one in others for others in found)]
    if shared:
        new = [one.sentence for one in shared if one.sentence and one.sentence not in said]
        return f"It looks like this: {' And: '.join(new)}" if new else ""
    texts = list(dict.fromkeys(one.sentence for others in found for one in others))
    known = any(text and text in said for one in found for text in (one[0].sentence, one[0].says))
    if known or not all(texts) or len(texts) > NAMED or any(len(one) > 1 for one in found):
        return ""
    lead = "It looks like this:" if len(texts) == 1 else "It looks like one of these:"
    return f"{lead} {' Or: '.join(texts)}"


@dataclass(frozen=True)
class Variant:
    """The reference with mistakes made in it, and with other sizes of its layers."""

    mistakes: tuple[Mistake, ...] = ()
    sizes: Sizes = ()

    def source(self, reference: str) -> str:
        """Raises EditError where a mistake finds nothing to change."""
        for mistake in self.mistakes:
            reference = mistake.source(reference)
        for ours, theirs in self.sizes:
            # Sizes that others become are no sizes of ours: see `_resized`.
            reference = re.sub(rf"(?<![\w.]){ours}(?![\w.])", str(theirs), reference)
        return reference


class _Search:
    """One talk, and the variants of the reference that it is tried on."""

    def __init__(self, talk: Talk, module: str, reference: Reference) -> None:
        self._talk, self._module, self._reference = talk, module, reference
        self._theirs = [answer for _, answer in talk]
        self._families = _families(talk)
        self._left = math.inf
        self._right = list(self._retold(Variant()))
        theirs = zip(self._theirs, self._right, strict=True)
        self._good = [_alike(their, right) for their, right in theirs]

    def alone(self, known: Sequence[Mistake]) -> list[tuple[Mistake, ...]]:
        """The known mistakes each of which explains the talk."""
        return [(one,) for one in known if self._explains((one,))]

    def together(self, known: Sequence[Mistake]) -> list[tuple[Mistake, ...]]:
        """The pairs of them that explain it."""
        self._left = ANSWERS
        return [*filter(self._explains, islice(self._pairs(known), PAIRS))]

    def _explains(self, mistakes: tuple[Mistake, ...]) -> bool:
        """Does it answer as the student's code did, and not always as the reference does?"""
        telling, measured = False, 0
        answers = zip(self._theirs, self._right, self._retold(Variant(mistakes)), strict=True)
        try:
            for theirs, right, wrong in answers:
                if not _alike(theirs, wrong):
                    return False
                telling = telling or (wrong is not APART and not _alike(right, wrong))
                measured += 0 if wrong is APART else _numbers(theirs)
        except (EditError, SyntaxError):  # the two change the same line
            return False
        return telling and measured >= LEAST

    def _pairs(self, known: Sequence[Mistake]) -> Iterator[tuple[Mistake, ...]]:
        """The pairs of which each explains what the other leaves open."""
        bad = {i for i, good in enumerate(self._good) if not good}
        if not bad:
            return
        # The first wrong answer comes from one of them, or from both together.
        first = {one: found for one in known if (found := self._changes(one, min(bad) + 1))}
        others = known if any(all(found.values()) for found in first.values()) else list(first)
        changed = {one: found for one in others if (found := self._changes(one, None))}
        for pair in combinations(changed, 2):
            one, other = (changed[mistake] for mistake in pair)
            told = all((one | other)[i] for i in one.keys() ^ other.keys())
            if told and bad == one.keys() | other.keys():
                yield pair

    def _changes(self, mistake: Mistake, end: int | None) -> dict[int, bool]:
        """Which answers before `end` are other with the mistake than without it, and whether each
        is then the student's. None of them when it spoils one that the student has right.
        """
        found = {}
        for i, wrong in enumerate(islice(self._retold(Variant((mistake,))), end)):
            if not _alike(self._right[i], wrong):
                if self._good[i]:
                    return {}
                found[i] = _alike(self._theirs[i], wrong)
        return found

    def _retold(self, variant: Variant) -> Iterator[Any]:
        """What a variant answers, asked for one by one: who has seen enough asks no further.

        When it shows that the student's layers have other sizes, it goes on with theirs.
        """
        ask = self._reference.variant(self._module, variant.source)
        ours: dict[int, Handle] = {}  # by the number that the student's object has
        apart: set[int] = set()  # objects that are filled in another order than ours
        other: set[int] = set()  # those of them whose parameters are others: they stay apart
        waiting: list[int] = []  # the numbers of requests, for an answer that may depend on them
        later = set[int]()  # those of which an order that all share says more
        for request, _ in self._talk:
            if request.get("order") == "execution":
                later |= set(_handles(request))
        for i, (request, theirs) in enumerate(self._talk):
            self._left -= 1
            if self._left < 0:
                raise _TooLong
            names = set(_handles(request))
            if not names <= ours.keys():
                yield APART
                continue
            value, op = theirs.get("value"), request["op"]
            unsaying = names & (other if op == "fill" else apart)
            if unsaying and op in OF_OBJECTS and not any(_handles(value)):
                waiting.append(i)
                yield APART
                continue
            due = [n for n in waiting if op == "set" or self._families[n] == self._families[i]]
            waiting = [n for n in waiting if n not in due]
            for n in due:
                ask(_renamed(self._talk[n][0], ours))
            answer = ask(_renamed(request, ours))
            _pair(value, answer.get("value"), ours)
            if op == "fill":
                sizes = _resized(value, answer.get("value"))
                if sizes and not variant.sizes:
                    yield from islice(self._retold(replace(variant, sizes=sizes)), i, None)
                    return
                as_defined = request["order"] != "execution" and names <= later
                same = _alike(theirs, answer) and not as_defined
                apart = apart - names if same else apart | names
                if _others(value, answer.get("value")):
                    other |= names
                yield answer if same else APART
            else:
                silent = op == "layers" or theirs.get("error", {}).get("kind") == "missing"
                yield APART if silent or names & apart else answer


def _others(theirs: Any, ours: Any) -> bool:
    """Are these shapes others, in whatever order?"""
    try:
        return sorted(map(tuple, theirs)) != sorted(map(tuple, ours))
    except TypeError:  # one of the two could not be filled
        return False


def _handles(value: Any) -> Iterator[int]:
    """The numbers of the objects that a request names."""
    if isinstance(value, Handle):
        yield value.id
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _handles(item)


def _renamed(value: Any, ours: dict[int, Handle]) -> Any:
    """The request with our objects in the place of the student's."""
    if isinstance(value, Handle):
        return ours[value.id]
    if isinstance(value, dict):
        return {key: _renamed(item, ours) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_renamed(item, ours) for item in value)
    return value


def _pair(theirs: Any, answer: Any, ours: dict[int, Handle]) -> None:
    """Note which objects of ours stand for the student's."""
    if isinstance(theirs, Handle) and isinstance(answer, Handle):
        ours[theirs.id] = answer
    elif isinstance(theirs, dict) and isinstance(answer, dict):
        for key in theirs.keys() & answer.keys():
            _pair(theirs[key], answer[key], ours)
    elif isinstance(theirs, (list, tuple)) and isinstance(answer, (list, tuple)):
        for one, other in zip(theirs, answer, strict=False):
            _pair(one, other, ours)


def _resized(theirs: Any, ours: Any) -> Sizes:
    """The sizes that our layers must take to have the student's shapes; () when none do.

    The student's shapes are a claim: what is made by it must stay small.
    """
    try:
        pairs = {
            (a, b)
            for one, other in zip(ours, theirs, strict=True)
            for a, b in zip(one, other, strict=True)
        }
        if not all(type(b) is int and 0 < b <= WIDEST for _, b in pairs):
            return ()
        heavy = sum(math.prod(shape) for shape in theirs) > HEAVIEST
    except (TypeError, ValueError):
        return ()
    changed = {a: b for a, b in pairs if a != b}
    kept = {a for a, b in pairs if a == b}
    unclear = len(changed) < sum(a != b for a, b in pairs) or kept & changed.keys()
    chained = set(changed.values()) & changed.keys()
    if heavy or unclear or chained or any(a < SMALLEST for a in changed):
        return ()
    return tuple(sorted(changed.items()))


def _alike(a: Any, b: Any) -> bool:
    """Equal up to rounding; objects that stay over there are alike, errors by their type."""
    if a is APART or b is APART:
        return True
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        comparable = a.shape == b.shape and a.layout == b.layout
        return comparable and (identical(a, b) or matches(a.double(), b.double(), ROUNDING))
    if isinstance(a, Handle) and isinstance(b, Handle):
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        if "error" in a:
            return "error" in b and a["error"].get("type") == b["error"].get("type")
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, float):
        return matches(torch.tensor(a), torch.tensor(b))
    return bool(a == b)


def _numbers(value: Any) -> int:
    """How many numbers there are in it that are no mere counts."""
    if isinstance(value, dict):
        return sum(map(_numbers, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_numbers, value))
    return value.numel() if isinstance(value, torch.Tensor) else isinstance(value, float)
