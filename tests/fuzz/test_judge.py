"""Answers that are almost right: every check ends in a verdict, and never as our own fault."""

from __future__ import annotations

import functools
import time
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from autograder.assignment import read_assignment
from autograder.checking.proxy import Lost
from autograder.checking.reference import Reference
from autograder.grading.judge import Patience, run_check
from autograder.inside.wire import Handle
from autograder.parts import all_checks
from autograder.results import CRASHED, UNGRADABLE
from tests.fuzz.examples import PLAIN

CHECKS = all_checks(read_assignment())
SECONDS = 20.0


@functools.cache
def reference() -> Reference:
    torch.set_num_threads(1)
    return Reference()


@functools.cache
def student() -> Reference:
    """Stands for a student, with modules of its own: what is set on them is not set on ours."""
    return Reference()


TENSORS = some.sampled_from(
    [
        lambda t: t.double(),
        lambda t: t.long(),
        lambda t: t > 0,
        lambda t: t.bfloat16(),
        lambda t: t.reshape(-1),
        lambda t: t[None],
        lambda t: t[..., None],
        lambda t: t.flatten()[:1],
        lambda t: torch.empty(0),
        lambda t: torch.empty(0, 2**12, 2**12),
        lambda t: torch.full_like(t.float(), float("nan")),
        lambda t: torch.full_like(t.float(), float("inf")),
        lambda t: torch.full_like(t.float(), 3e38),
        torch.zeros_like,
        lambda t: torch.ones(1).expand(2**8, 2**8),
        lambda t: Handle(0, "Tensor"),
        lambda t: None,
        lambda t: t.tolist(),
        lambda t: "tensor",
    ]
)
CLAIMS = some.sampled_from([[2**12, 2**11], [2**25], [0] * 8, [-1], ["4"], 7, None, [1] * 600])
"""Shapes of layers, as they are claimed."""


def changed(value: Any, draw: Any) -> Any:
    """The value with something in it made otherwise."""
    if isinstance(value, torch.Tensor):
        return draw(TENSORS)(value)
    if isinstance(value, (list, tuple)) and value and draw(some.integers(0, 3)):
        at = draw(some.integers(0, len(value) - 1))
        inner = [*value]
        is_shape = isinstance(value[at], (list, int))
        inner[at] = draw(CLAIMS) if is_shape else changed(value[at], draw)
        return type(value)(inner)
    if isinstance(value, dict) and value:
        key = draw(some.sampled_from(sorted(value)))
        return {**value, key: changed(value[key], draw)}
    return draw(PLAIN)


@settings(max_examples=20)
@given(some.data(), some.sampled_from(CHECKS), some.integers(0, 5))
def test_a_check_ends_in_a_verdict_whatever_is_answered(data: Any, check: Any, first: int) -> None:
    true = student().send()
    asked = 0

    def send(seconds: float) -> Any:
        def ask(request: dict[str, Any]) -> Any:
            nonlocal asked
            asked += 1
            try:
                answer = true(request)
            except Exception:
                raise Lost(CRASHED, "") from None
            if asked <= first or not data.draw(some.booleans()):
                return answer
            return changed(answer, data.draw)

        return ask

    began = time.process_time()
    result = run_check(check, send, reference(), 7, Patience(SECONDS))
    assert result.state != UNGRADABLE, (check.id, result.message)
    assert 0 <= result.fraction <= 1
    assert len(result.message) <= 1000
    assert time.process_time() - began < 2 * SECONDS
