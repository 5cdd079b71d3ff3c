"""How a function becomes a check."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..assignment import Assignment, AssignmentError

SECONDS = 5.0


@dataclass(frozen=True)
class Check:
    """One check: `function(module, ref, rng)`, where `module` and `ref` are proxies of the same
    name, the student's and the reference's.

    `id` is question.function; `share` its weight among the question's checks; `after` the ids it
    waits for; `seconds` the CPU seconds the student's code may spend in it.
    """

    id: str
    question: str
    module: str
    function: Callable[..., None]
    share: float
    after: tuple[str, ...]
    seconds: float

    @property
    def title(self) -> str:
        """The docstring's first paragraph on one line: what the student reads."""
        return " ".join((self.function.__doc__ or "").strip().split("\n\n")[0].split())


class Rng:
    """Random inputs of one check: the same for every submission of a batch."""

    def __init__(self, batch_seed: int, check_id: str) -> None:
        digest = hashlib.sha256(f"{batch_seed}/{check_id}".encode()).digest()
        self.seed = int.from_bytes(digest[:6], "little")
        self._generator = torch.Generator().manual_seed(self.seed)

    def normal(self, *shape: int, mean: float = 0.0, std: float = 1.0) -> torch.Tensor:
        """float32 tensor of that shape from N(mean, std^2)."""
        return torch.randn(shape, generator=self._generator) * std + mean

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        """float32 tensor of that shape from U(low, high)."""
        return torch.rand(shape, generator=self._generator) * (high - low) + low

    def integer(self, low: int, high: int) -> int:
        """One integer, low <= n <= high."""
        return int(torch.randint(low, high + 1, (), generator=self._generator))

    def labels(self, n: int, classes: int = 10) -> torch.Tensor:
        """int64 tensor (n,) of class numbers."""
        return torch.randint(classes, (n,), generator=self._generator)


_checks: dict[str, Check] = {}


def check(
    question: str,
    *,
    share: float = 1.0,
    after: str | tuple[str, ...] = (),
    seconds: float = SECONDS,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a check of `part.question`.

    The name of its first parameter is the student module it wants. `after` names checks by
    function name (same question) or full id; it also waits for the part's import.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        module = next(iter(inspect.signature(function).parameters))
        names = (after,) if isinstance(after, str) else after
        waits = tuple(name if "." in name else f"{question}.{name}" for name in names)
        one = Check(
            f"{question}.{function.__name__}", question, module, function, share, waits, seconds
        )
        if one.id in _checks:
            raise ValueError(f"two checks are called {one.id}")
        if not share > 0:
            raise ValueError(f"the check {one.id} has share={share:g}; a share is larger than zero")
        if not one.title:
            raise ValueError(f"the check {one.id} needs a docstring: the student reads it")
        _checks[one.id] = one
        return function

    return register


def registered(assignment: Assignment | None = None) -> list[Check]:
    """Every check that is registered; those of an assignment's parts in its order."""
    if assignment is None:
        return list(_checks.values())
    order = [full_id for part in assignment.parts for full_id in part.full_ids()]
    known = [one for one in _checks.values() if one.question in order]
    for one in known:
        for name in one.after:
            if name not in _checks:
                raise AssignmentError(
                    f"{one.id} waits for {name!r}, and there is no such check. Correct its `after`."
                )
    return sorted(known, key=lambda one: order.index(one.question))
