"""The checks of vae-theory: what is nearly right, and objects that are no answer at all."""

from __future__ import annotations

import pytest

from autograder.parts.vae_theory.styles import IMPORTS

from .answers import NO_NUMBERS, coded, lost, with_code

PART = "vae-theory"


def lost_by(code: str) -> dict[str, float]:
    """Points lost by the reference with this code behind it."""
    return lost(PART, with_code(PART, IMPORTS + code))


@pytest.mark.parametrize("change", ["* 1.001", "* 0.999", "+ 0.01"])
def test_near_misses_of_1h_fail(change: str) -> None:
    code = f"def answer_1h(a, b, s): return (a - b) ** 2 / (2 * s**2) {change}"
    assert lost_by(code) == {"vae-theory.1h": coded(PART)["vae-theory.1h"]}


@pytest.mark.daily
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    names = [question.partition(".")[2] for question in coded(PART)]
    answers = "".join(f"def answer_{name}(*args): return VALUE\n" for name in names)
    assert lost_by(f"VALUE = {value}\n{answers}") == coded(PART)
