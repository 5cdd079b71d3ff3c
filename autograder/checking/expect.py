"""What a check says: Fail and Partial, and the comparisons that raise them.

Tolerances are relative to the largest magnitude of the expected answer: 1e-4 for values, 1e-3 for
gradients. Kernels, thread counts and CPUs differ by less than 5e-6, wrong formulas by far more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from .proxy import Remote, StudentError

VALUE = 1e-4
GRADIENT = 1e-3

FAR_LOGIT = 13.0  # a logit at which float32 still tells a sigmoid from 1
NAMED = 3  # mistakes that are named where any of them may be the one

Lookalikes = Mapping[str, torch.Tensor] | Callable[[], Mapping[str, torch.Tensor]] | None


class Fail(Exception):
    """The check fails: `message` says what is wrong, `hint` how to think about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Untried(Fail):
    """This way of looking says nothing about the code, right or wrong: look another way."""


class Partial(Exception):
    """The check grants `fraction` (0 to 1) of its share, and says what is missing."""

    def __init__(self, fraction: float, message: str, hint: str = "") -> None:
        super().__init__(message)
        if not 0 <= fraction <= 1:
            raise ValueError(f"a fraction of {fraction} is not between 0 and 1")
        self.fraction, self.message, self.hint = fraction, message, hint


def expect(condition: bool, message: str, hint: str = "") -> None:
    """Fail with the message unless the condition holds."""
    if not condition:
        raise Fail(message, hint)


def either(*ways: Callable[[], None]) -> None:
    """Pass when one of `ways` passes: a right answer may be written in several styles.

    Where none passes, the way that grants most speaks, the earliest of equals; a sentence of ours
    goes before an exception of theirs.
    """
    failures: list[Fail | Partial] = []
    errors: list[StudentError] = []
    for way in ways:
        try:
            return way()
        except (Fail, Partial) as failure:
            failures.append(failure)
        except StudentError as error:
            errors.append(error)
    if failures:
        raise max(failures, key=lambda failure: getattr(failure, "fraction", 0.0))
    # A name that is missing is no news where another way got further.
    raise min(reversed(errors), key=lambda error: error.kind == "missing")


def first_possible(*ways: Callable[[], None]) -> None:
    """Look in the first of `ways` that can be tried; what it says is final.

    A way cannot be tried when the code raises under it (it has no such name, or does not take what
    is given there) or the way itself says so, with `Untried`. When none can, the way that
    got further than a missing name speaks.
    """
    errors: list[StudentError | Untried] = []
    for way in ways:
        try:
            return way()
        except (StudentError, Untried) as error:
            errors.append(error)
    raise min(errors, key=lambda error: getattr(error, "kind", "") == "missing")


def tensor(
    value: Any, shapes: Sequence[tuple[int, ...]], what: str, hint: str = ""
) -> torch.Tensor:
    """`value` as a float32 tensor of the first of `shapes`.

    It must be a floating-point tensor of one of the shapes; a Python number is good for shape ().
    Fails with a sentence about `what` otherwise.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and () in shapes:
        value = torch.tensor(float(value))
    if not isinstance(value, torch.Tensor):
        raise Fail(f"{what} should be a tensor, not {_a(value)}.", hint)
    if tuple(value.shape) not in shapes:
        wanted = " or ".join(str(shape) for shape in shapes)
        raise Fail(f"{what} has shape {tuple(value.shape)}; it should be {wanted}.", hint)
    if not value.is_floating_point():
        raise Fail(f"{what} is of {value.dtype}; it should be a floating-point tensor.", hint)
    return value.to(torch.float32).reshape(shapes[0])


def number(value: Any, what: str) -> float:
    """`value` as a number: Python's, or a tensor or an array that holds one. Fails otherwise."""
    if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_complex():
        value = value.item()
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Fail(f"{what} should be a number, not {_a(value)}.")
    # An integer of Python's may be too large for a float.
    return float(value) if abs(value) < 1e300 or isinstance(value, float) else math.inf


def identical(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal to the last bit, which costs little to see."""
    alike = a.shape == b.shape and a.dtype == b.dtype and a.layout == b.layout == torch.strided
    return alike and torch.equal(a, b)


def matches(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = VALUE) -> bool:
    """Equal within `tolerance` times the largest finite magnitude expected.

    Shapes must agree exactly, and NaN and infinities stand only where they are expected.
    """
    if actual.shape != expected.shape:
        return False
    if identical(actual, expected) or not expected.numel():
        return True
    a, e = actual.double(), expected.double()
    scale, apart = float(e.abs().max()), float((a - e).abs().max())
    if math.isfinite(scale):  # then all is finite, and what is not in `actual` shows in `apart`
        return apart <= tolerance * max(scale, 1e-12)
    finite = torch.isfinite(e)
    if not torch.equal(finite, torch.isfinite(a)):
        return False
    same_ends = torch.equal(
        torch.nan_to_num(a[~finite], nan=0.5), torch.nan_to_num(e[~finite], nan=0.5)
    )
    if not same_ends or not finite.any():
        return same_ends
    return matches(a[finite], e[finite], tolerance)


def parallel(
    actual: Sequence[torch.Tensor | None], expected: Sequence[torch.Tensor | None]
) -> bool:
    """Do gradients point where the expected ones point, whatever their length? None is zero.

    A loss that is off by a factor then costs its value, not its gradient as well.
    """
    if len(actual) != len(expected):
        return False
    flat_a, flat_e = [], []
    for a, e in zip(actual, expected, strict=True):
        if e is None or (a is not None and a.shape != e.shape):
            return False
        flat_a.append((torch.zeros_like(e) if a is None else a).double().flatten())
        flat_e.append(e.double().flatten())
    a, e = torch.cat(flat_a), torch.cat(flat_e)
    if not torch.isfinite(a).all() or not a.any() or not e.any():
        return False
    return float((a / a.norm() - e / e.norm()).norm()) <= GRADIENT


def close(
    value: Any,
    expected: torch.Tensor,
    what: str,
    *,
    right: str = "what the definition gives",
    tolerance: float = VALUE,
    shapes: Sequence[tuple[int, ...]] | None = None,
    lookalikes: Lookalikes = None,
    hint: str = "",
) -> torch.Tensor:
    """Fail unless `value` equals `expected`; brings it back as a float32 tensor.

    `right`: what `value` should be, in the statement's words, "the mean over all pixels".
    `shapes`: further shapes to accept beside the expected one (same number of elements).
    `lookalikes`: sentence -> what that mistake would give, or a function that makes these; a
    match says its sentence, two or three say that it is one of them.
    """
    expected = expected.to(torch.float32)
    actual = tensor(value, [tuple(expected.shape), *(shapes or [])], what, hint)
    if matches(actual, expected, tolerance):
        return actual
    if not torch.isfinite(actual).all() and torch.isfinite(expected).all():
        raise Fail(f"{what} contains NaN or infinity.", hint)
    wrongs = lookalikes() if callable(lookalikes) else lookalikes or {}
    likely = [
        sentence
        for sentence, wrong in wrongs.items()
        if not matches(wrong.to(torch.float32).reshape(expected.shape), expected, tolerance)
        and matches(actual, wrong.to(torch.float32).reshape(expected.shape), tolerance)
    ]
    if len(likely) == 1:
        raise Fail(f"{what} is wrong: {likely[0]}", hint)
    if likely and len(likely) <= NAMED:
        raise Fail(f"{what} is wrong, for one of these reasons: {' Or: '.join(likely)}", hint)
    holds = _relation(actual.flatten(), expected.flatten(), tolerance)
    told = f": {holds}" if holds else f" ({_distance(actual, expected)})."
    raise Fail(f"{what} is not {right}{told}", hint)


def unlimited(value: Any, expected: torch.Tensor, what: str) -> None:
    """Grant three quarters of a loss that is right, but not where logits are FAR_LOGIT. Logarithms
    of sigmoids are off by 1 % there, and a loss for which a logit is 11 at most by 15 %.
    """
    if not matches(tensor(value, [(), (1,), (1, 1)], what), expected.reshape(()), 0.05):
        raise Partial(
            0.75,
            f"{what} is right for small logits, and limits large ones.",
            "A logit may be any number, and its gradient stays.",
        )


def _relation(actual: torch.Tensor, expected: torch.Tensor, tolerance: float) -> str:
    """What holds between two lists of numbers, whatever the mistake is; "" where nothing simple."""
    a, e = actual.double(), expected.double()
    if not e.any() or not torch.isfinite(torch.cat((a, e))).all():
        return ""
    factor, size = float(a @ e / (e @ e)), float(e.abs().max())
    varied = float((e - e.mean()).abs().max()) > 100 * tolerance * size  # or any factor would fit
    if matches(a, -e, tolerance):
        return "its sign is flipped."
    if a.any() and matches(factor * e, a, tolerance) and (varied or _is_simple(factor)):
        digits = 3 if abs(factor - 1) > 0.005 else 6  # 0.9995 is not 1
        return f"it is {factor:.{digits}g} times as large as it should be."
    if varied and matches(a, a.mean().expand_as(a), tolerance):
        return "it is the same number everywhere."
    if varied and len(a) > 2 and matches(a - (a - e).mean(), e, tolerance):
        return "it is off by one number everywhere, so that a constant is wrong or missing."
    if varied and matches(a.sort().values, e.sort().values, tolerance):
        return "its numbers are right, but stand in another order."
    right = int(((a - e).abs() <= tolerance * size).sum())
    many = 4 * right > len(a)  # a few are right by chance
    return f"{right} of its {len(a)} numbers are right, the others are not." if many else ""


def _is_simple(factor: float) -> bool:
    """Is it 2, 3, ..., or one over one? Of a single number any factor would fit."""
    large = max(abs(factor), 1 / abs(factor))
    return 1.5 < large < 20 and abs(large - round(large)) < 1e-3


def _distance(actual: torch.Tensor, expected: torch.Tensor) -> str:
    scale = max(float(expected.abs().max()), 1e-12)
    ratio = float((actual.double() - expected.double()).abs().max()) / scale
    return "more than ten times too far" if ratio > 10 else f"off by up to {ratio:.2g} times"


def _a(value: Any) -> str:
    if isinstance(value, Remote):
        return f"a {getattr(value._target, 'kind', 'module') or 'module'}"
    return {type(None): "None", tuple: "a tuple", list: "a list", dict: "a dict"}.get(
        type(value), f"a {type(value).__name__}"
    )
