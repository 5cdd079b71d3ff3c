"""The checks of vae-theory: what is nearly right, and objects that are no answer at all."""

from __future__ import annotations

import pytest

from autograder import audit
from autograder.assignment import read_assignment
from autograder.parts.vae_theory.styles import IMPORTS

PART = read_assignment().part("vae-theory")
SOURCE = audit.reference_source(PART)


def lost(code: str) -> dict[str, float]:
    """Points lost by the reference with this code behind it."""
    return audit.lost_in(audit.marks(PART.id, f"{SOURCE}\n\n{IMPORTS}{code}\n"))


@pytest.mark.parametrize("change", ["* 1.001", "* 0.999", "+ 0.01"])
def test_near_misses_of_1h_fail(change: str) -> None:
    code = f"def answer_1h(a, b, s): return (a - b) ** 2 / (2 * s**2) {change}"
    assert lost(code) == {"vae-theory.1h": 2.0}


VALUES = [
    "None",
    "True",
    "-1",
    "7.25",
    "10**400",
    "float('nan')",
    "-math.inf",
    "'0'",
    "object()",
    "[]",
    "{}",
    "(None,) * 4",
    "(0.0,) * 4",
    "(math.inf,) * 4",
    "(math.nan,) * 4",
    "('inf', 'inf', '0.5', '1')",
    "{1: 2}",
    "lambda *a: 0",
    "torch.zeros(0)",
    "torch.zeros(2, 2)",
    "torch.tensor(float('nan'))",
    "torch.zeros(4, dtype=torch.complex64)",
    "torch.zeros(1, dtype=torch.complex64)",
    "torch.zeros(4).to_sparse()",
    "nn.Linear(2, 2)",
]


@pytest.mark.parametrize("value", VALUES)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    coded = audit.coded(PART)
    names = [question.partition(".")[2] for question in coded]
    answers = "".join(f"def answer_{name}(*args): return VALUE\n" for name in names)
    assert lost(f"VALUE = {value}\n{answers}") == coded
