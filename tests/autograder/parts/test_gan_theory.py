"""The checks of gan-theory: numbers that are partly right, and objects that are no answer."""

from __future__ import annotations

import pytest

from autograder.parts.gan_theory.styles import IMPORTS

from .answers import NO_NUMBERS, shares_lost, with_code

PART = "gan-theory"


def lost_by(answer: str) -> dict[str, float]:
    """The share lost by this as what answer_3e returns."""
    return shares_lost(
        PART, with_code(PART, f"{IMPORTS}VALUE = {answer}\ndef answer_3e(): return VALUE")
    )


@pytest.mark.parametrize(
    ("answers", "share"),
    [
        ("math.inf, math.inf, 0.5, 0.9", 0.25),
        ("0.5 * math.log(2), math.inf, 0.25, 1.0", 0.5),
        ("math.inf, 3.0, 0.25, 0.75", 0.75),
        ("1.0, 2.0, 3.0, 4.0", 1.0),
        ("math.inf, math.inf, 0.5", 1.0),
    ],
)
def test_each_number_of_3e_counts_on_its_own(answers: str, share: float) -> None:
    assert lost_by(answers) == {"gan-theory.3e": share}


@pytest.mark.daily
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    assert lost_by(value) == {"gan-theory.3e": 1.0}
