"""What the tests of single parts share: marks of an answer of ours, and objects that are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from autograder import audit
from autograder.assignment import read_assignment
from autograder.parts import all_mistakes
from autograder.results import QuestionResult

ASSIGNMENT = read_assignment()


def coded(part: str) -> dict[str, float]:
    """part.question -> points, of the questions that the judge marks."""
    return audit.coded(ASSIGNMENT.part(part))


def with_code(part: str, code: str) -> str:
    """The reference with definitions that come later and win."""
    return f"{audit.reference_source(ASSIGNMENT.part(part))}\n\n{code}\n"


def edited(part: str, *edits: tuple[str, str]) -> str:
    """The reference with these texts replaced wherever they stand."""
    source = with_code(part, "")
    for old, new in edits:
        assert old in source, f"the reference no longer has {old!r}"
        source = source.replace(old, new)
    return source


def marks(part: str, source: str, told: bool = True) -> dict[str, QuestionResult]:
    """part.question -> its result. Nothing may be left without a mark."""
    found = audit.marks(part, source, told=told)
    assert all(one.points is not None for one in found.values()), audit.messages(found)
    return found


def lost(part: str, source: str) -> dict[str, float]:
    """part.question -> points lost, where any are. Which mistake it looks like is not looked for:
    that takes most of the time and changes no mark.
    """
    return audit.lost_in(marks(part, source, told=False))


def shares_lost(part: str, source: str) -> dict[str, float]:
    """part.question -> the share of its points that is lost, where any is."""
    points = coded(part)
    return {name: round(gone / points[name], 4) for name, gone in lost(part, source).items()}


def worth(points: Mapping[str, float], **shares: float) -> Any:
    """So much of what questions are worth in assignment.toml, whatever that is."""
    # The judge rounds to four digits.
    return pytest.approx({name: share * points[name] for name, share in shares.items()}, abs=1e-4)


def mistaken(question: str, id: str) -> str:
    """The reference with this known mistake."""
    (one,) = (one for one in all_mistakes() if (one.question, one.id) == (question, id))
    return one.source(with_code(question.partition(".")[0], ""))


NO_ANSWERS = [
    "None",
    "True",
    "float('nan')",
    "'x'",
    "object()",
    "[]",
    "{}",
    "lambda *a: 0",
    "torch.zeros(0)",
    "torch.tensor(float('nan'))",
    "torch.zeros(4, dtype=torch.complex64)",
    "torch.zeros(4).to_sparse()",
    "torch.zeros(1).expand(2**40)",
    "nn.Linear(2, 2)",
]
"""Expressions of Python. Whatever a question asks for, none of these is it."""

NO_NUMBERS = [
    *NO_ANSWERS,
    "-1",
    "7.25",
    "10**400",
    "-math.inf",
    "'0'",
    "(None,) * 4",
    "(0.0,) * 4",
    "(math.inf,) * 4",
    "(math.nan,) * 4",
    "('inf', 'inf', '0.5', '1')",
    "{1: 2}",
    "torch.zeros(2, 2)",
    "torch.zeros(1, dtype=torch.complex64)",
]
"""None of these is a number that a theory question asks for, or its four numbers."""


def liar(shape: str) -> str:
    """A class of tensors that say yes to everything, and that they have this shape."""
    return f"""
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True
    def __eq__(self, other):
        return True
    shape = property(lambda self: torch.Size({shape}))
    def __float__(self):
        return 0.0
"""
