"""Errors that torch raises, and what students read of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from autograder.grading.crashes import in_words

ONES = torch.ones(4)
WEIGHTS = torch.ones(4, requires_grad=True)


def unset() -> None:
    total += ONES  # type: ignore[name-defined]  # noqa: F821, F841


def nothing() -> Any:
    return None


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (lambda: nn.Linear(5, 2)(torch.ones(3, 7)), "takes 5 numbers a row, and 7 come"),
        (lambda: nn.Conv2d(2, 4, 3)(torch.ones(1, 3, 8, 8)), "takes 2 channels, and 3 come"),
        (lambda: nn.BatchNorm2d(3)(torch.ones(2, 5, 4, 4)), "of 3 channels gets 5"),
        (lambda: ONES.view(-1, 3), "4 numbers do not fill the shape [-1, 3]"),
        (lambda: nn.Unflatten(0, (1, 3))(ONES), "4 numbers do not fill the shape [1, 3]"),
        (
            lambda: torch.cat((torch.ones(2, 3), torch.ones(2, 5))),
            "dimension 0 has 3 and 5 numbers",
        ),
        (lambda: ONES + torch.ones(3), "lengths 4 and 3 along dimension 0"),
        (lambda: F.binary_cross_entropy(3 * ONES, ONES), "first the probability"),
        (lambda: F.binary_cross_entropy(ONES, 3 * ONES), "first the probability"),
        (lambda: ONES.sum().backward(), "nothing that can learn leads to this loss"),
        (lambda: WEIGHTS.exp().backward(), "its mean or its sum"),
        (
            lambda: F.binary_cross_entropy_with_logits(ONES, torch.ones(4, 1)),
            "labels of shape [4, 1] meet predictions of shape [4]",
        ),
        (
            lambda: F.binary_cross_entropy(ONES, torch.ones(4, 1)),
            "labels of shape [4, 1] meet predictions of shape [4]",
        ),
        (lambda: nn.Linear(4, 2)(ONES.double()), "two kinds meet, Double and Float"),
        (lambda: F.binary_cross_entropy(ONES, ONES.double()), "two kinds meet"),
        (unset, "total is used before a line of this function has given it a value"),
        (lambda: ONES + nothing(), "returned nothing"),
        (lambda: nothing() * ONES, "returned nothing"),
        (lambda: nothing().backward(), "returned nothing"),
        (lambda: F.relu(nothing()), "returned nothing"),
        (lambda: 0.5 * {"rec": ONES}, "take out the one that is meant"),
        (lambda: ([ONES]).backward, "take out the one that is meant"),
    ],
)
def test_what_torch_says_is_said_in_words(code: Callable[[], object], meaning: str) -> None:
    with pytest.raises(Exception) as error:
        code()
    assert meaning in in_words(str(error.value))


def test_of_other_errors_nothing_is_said() -> None:
    assert in_words("invalid literal for int()") == ""


def test_a_message_of_any_length_takes_no_time() -> None:
    began = time.process_time()
    assert in_words("weight of size [" + "], expected input" * 100_000) == ""
    assert time.process_time() - began < 1.0
