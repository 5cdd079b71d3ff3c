"""What a check says, and tolerances that reject what they must."""

from __future__ import annotations

import math

import pytest
import torch

from autograder.checking.expect import Fail, Partial, close, expect, matches, tensor


@pytest.fixture
def expected():
    return torch.linspace(-2, 3, 12).reshape(3, 4)


def test_equal_within_rounding_passes(expected):
    close(expected * (1 + 1e-6), expected, "x")


@pytest.mark.parametrize(
    "forge",
    [
        torch.zeros_like,
        torch.ones_like,
        lambda x: x.mean().expand(x.shape),
        lambda x: x.flip(0),
        lambda x: -x,
        lambda x: x * 1.001,
        lambda x: torch.full_like(x, math.nan),
        lambda x: torch.full_like(x, math.inf),
    ],
    ids=["zeros", "ones", "mean", "rows turned", "sign", "a thousandth", "nan", "inf"],
)
def test_what_is_not_the_answer_fails(expected, forge):
    with pytest.raises(Fail):
        close(forge(expected), expected, "x")


@pytest.mark.parametrize("value", [None, "1.0", [1.0], (1.0,), {"a": 1.0}, True, object()])
def test_what_is_no_tensor_fails_with_a_sentence(value):
    with pytest.raises(Fail, match="should be a tensor"):
        close(value, torch.tensor(1.0), "The loss")


def test_shapes_are_compared_exactly_and_never_broadcast(expected):
    with pytest.raises(Fail, match=r"shape \(1, 4\); it should be \(3, 4\)"):
        close(expected[:1], expected, "x")
    assert not matches(torch.zeros(3, 1), torch.zeros(3))


def test_a_further_shape_is_accepted_where_it_is_allowed(expected):
    close(expected.reshape(12), expected, "x", shapes=[(12,)])


def test_a_python_number_is_good_for_a_scalar():
    close(1.5, torch.tensor(1.5), "The loss")


def test_integers_are_not_probabilities():
    with pytest.raises(Fail, match="floating-point"):
        tensor(torch.zeros(3, dtype=torch.int64), [(3,)], "x")


def test_infinity_is_an_answer_and_nan_is_no_wildcard():
    ends = torch.tensor([math.inf, -math.inf, math.nan, 1.0])
    assert matches(ends.clone(), ends)
    assert not matches(torch.tensor([-math.inf, -math.inf, math.nan, 1.0]), ends)
    assert not matches(torch.tensor([math.inf, -math.inf, 1.0, 1.0]), ends)
    assert not matches(torch.full((4,), math.nan), ends)


def test_a_unique_lookalike_says_its_sentence(expected):
    with pytest.raises(Fail, match="you forgot to halve it"):
        close(
            2 * expected,
            expected,
            "x",
            lookalikes={"you forgot to halve it.": 2 * expected, "you negated it.": -expected},
        )


def test_of_two_lookalikes_it_may_be_either_and_of_many_none_is_named(expected):
    with pytest.raises(Fail, match=r"x is wrong, for one of these reasons: a\. Or: b\."):
        close(2 * expected, expected, "x", lookalikes={"a.": 2 * expected, "b.": 2 * expected})
    with pytest.raises(Fail, match="definition"):
        close(2 * expected, expected, "x", lookalikes={name: 2 * expected for name in "abcd"})


def test_a_message_never_holds_the_expected_number():
    with pytest.raises(Fail) as fail:
        close(torch.tensor(1.0), torch.tensor(0.73519), "x")
    assert "0.735" not in fail.value.message


def test_a_fraction_outside_zero_and_one_is_a_mistake_of_the_check():
    with pytest.raises(ValueError):
        Partial(1.5, "too good")


def test_expect_fails_with_its_hint():
    expect(True, "no")
    with pytest.raises(Fail) as fail:
        expect(False, "This is wrong.", "Think again.")
    assert fail.value.hint == "Think again."


@pytest.mark.parametrize(
    ("wrong", "holds"),
    [
        (lambda e: -e, "x is not the sum: its sign is flipped."),
        (lambda e: e / 3, "it is 0.333 times as large as it should be"),
        (lambda e: 1.0004 * e, "it is 1.0004 times as large as it should be"),
        (lambda e: e + 1, "it is off by one number everywhere"),
        (lambda e: e.flip(0), "its numbers are right, but stand in another order"),
        (lambda e: e[:1].expand(5), "it is the same number everywhere"),
        (lambda e: torch.cat((e[:3], 2 * e[3:])), "3 of its 5 numbers are right"),
        (lambda e: e**2, "x is not the sum (off by up to"),
    ],
)
def test_of_a_wrong_answer_it_is_said_what_it_should_be_and_what_holds(wrong, holds):
    expected = torch.tensor([1.0, -2.0, 4.0, 0.7, 5.0])
    with pytest.raises(Fail) as failed:
        close(wrong(expected), expected, "x", right="the sum")
    assert holds in failed.value.message


@pytest.mark.parametrize(("factor", "said"), [(2.0, "it is 2 times"), (1.37, "off by up to 0.37")])
def test_of_equal_numbers_a_factor_is_said_where_it_is_a_simple_one(factor, said):
    for expected in (torch.tensor(3.0), torch.tensor([3.0, 3.001, 3.0])):
        with pytest.raises(Fail) as failed:
            close(expected * factor, expected, "x")
        assert said in failed.value.message
