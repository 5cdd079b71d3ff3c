"""Says which known mistake a wrong answer looks like.

What a check asked the student's code is asked again of the reference with each known mistake of
the question made in it. When exactly one of them answers as the student's code did, on several
answers, its sentence is what the student needs to hear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ..checking.catalogue import Mistake
from ..checking.expect import identical, matches
from ..checking.proxy import Send
from ..checking.reference import Reference
from ..inside.wire import Handle
from ..parts import all_mistakes

Talk = list[tuple[dict[str, Any], dict[str, Any]]]
"""Requests and the answers they got, in order."""

LONGEST = 192
"""Requests of one check that are replayed; a longer talk is not diagnosed."""


ROUNDING = 5e-6
"""The same mistake gives the same numbers but for rounding; another small step is another one."""


def recorded(send: Send, talk: Talk) -> Send:
    """The same way to ask, writing down what is said."""

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        answer = send(request)
        talk.append((request, answer))
        return answer

    return ask


def diagnose(
    talk: Talk, question: str, module: str, reference: Reference, mistakes: Sequence[Mistake] = ()
) -> str:
    """The sentence of the one mistake of `question` that explains the talk, or nothing."""
    if len(talk) > LONGEST:
        return ""
    right = list(_replay(talk, reference.send()))
    alike = [
        mistake
        for mistake in mistakes or all_mistakes()
        if mistake.question == question
        and mistake.sentence
        and _explains(mistake, talk, right, module, reference)
    ]
    return alike[0].sentence if len(alike) == 1 else ""


def _explains(
    mistake: Mistake, talk: Talk, right: Sequence[Any], module: str, reference: Reference
) -> bool:
    """Does the mistake answer as the student did, and not always as the reference does?"""
    send = reference.variant(module, mistake.source)
    telling = False
    for (_, answer), wrong, expected in zip(talk, _replay(talk, send), right, strict=True):
        if not _alike(answer, wrong):
            return False
        telling = telling or not _alike(expected, wrong)
    return telling and sum(_measures(answer) for _, answer in talk) >= 2


def _replay(talk: Talk, send: Send) -> Iterator[Any]:
    """The answers, asked for one by one: the first that differs ends the comparison."""
    return (send(request) for request, _ in talk)


def _alike(a: Any, b: Any) -> bool:
    """Equal up to rounding; objects that stay over there are alike, errors by their type."""
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        comparable = a.shape == b.shape and a.layout == b.layout
        return comparable and (identical(a, b) or matches(a.double(), b.double(), ROUNDING))
    if isinstance(a, Handle) and isinstance(b, Handle):
        return a.id == b.id
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


def _measures(value: Any) -> bool:
    """Are there tensors in it, or numbers that are no mere counts?"""
    if isinstance(value, dict):
        return any(map(_measures, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_measures, value))
    return isinstance(value, (torch.Tensor, float))
