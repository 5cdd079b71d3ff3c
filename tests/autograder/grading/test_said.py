"""What was answered is answered again, bit for bit, to the same questions and to no others."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import pytest
import torch

from autograder.checking.proxy import Send
from autograder.grading.said import MOST, Said, Unheard, answering
from autograder.inside.wire import Handle

ANSWERS: list[Any] = [
    {"value": (1, -0.0, math.inf, "text", None, Handle(3, "VAE"), torch.float16)},
    {"value": torch.tensor([math.nan, -0.0, 1e-45, 1 / 3])},
    {"value": {"mu": torch.arange(6).reshape(2, 3), "of": [torch.tensor(True)]}},
    {"error": {"kind": "error", "type": "E", "message": "No.", "where": ""}},
]


def request(number: int) -> dict[str, Any]:
    return {"op": "call", "args": [torch.full((3,), 0.1 * number)], "fresh": number == 0}


def noted(answers: list[Any], seconds: float = 10.0) -> bytes:
    waiting = iter(answers)
    said = Said(seconds)
    ask = said.noting(lambda _: next(waiting))
    for number in range(len(answers)):
        ask(request(number))
    return said.kept()


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        bits = [x.reshape(-1).view(torch.uint8) for x in (one, other)]
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(*bits)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and all(map(same, one, other)) and len(one) == len(other)
    return repr(one) == repr(other)


def test_the_same_questions_get_the_same_answers_bit_for_bit():
    ask = answering(noted(ANSWERS), 10.0)
    for number, answer in enumerate(ANSWERS):
        assert same(ask(request(number)), answer)


def unheard(ask: Send, asked: dict[str, Any]) -> bool:
    try:
        ask(asked)
    except Unheard:
        return True
    return False


def test_any_other_question_is_unheard():
    kept = noted(ANSWERS)
    assert unheard(answering(kept, 10.0), request(1))
    assert unheard(answering(kept, 10.0), {**request(0), "fresh": False})
    almost = {**request(0), "args": [torch.tensor([0.0, 0.0, -0.0])]}
    assert unheard(answering(kept, 10.0), almost)
    assert unheard(answering(kept, 5.0), request(0))  # in less time
    ask = answering(kept, 10.0)
    for number in range(len(ANSWERS)):
        assert not unheard(ask, request(number))
    assert unheard(ask, request(len(ANSWERS)))  # one more


def test_no_check_takes_unheard_for_an_answer():
    ask = answering(noted(ANSWERS), 10.0)
    with pytest.raises(Unheard), contextlib.suppress(Exception):
        ask(request(1))


def test_what_a_check_does_to_an_answer_is_not_kept():
    answer = torch.zeros(4)
    said = Said(1.0)
    said.noting(lambda _: {"value": answer})(request(0))
    answer += 1
    assert answering(said.kept(), 1.0)(request(0))["value"].tolist() == [0.0] * 4


def test_long_answers_are_not_kept_nor_is_a_part_of_them():
    assert noted([{"value": torch.zeros(MOST // 8)}])
    assert not noted([{"value": torch.zeros(MOST // 4)}])
    assert not noted([{"value": torch.zeros(MOST // 8)}] * 2)
    assert not noted([{"value": torch.zeros(MOST)}, {"value": 1}])


def test_a_second_try_begins_anew():
    said = Said(1.0)
    said.noting(lambda _: {"value": torch.zeros(MOST)})(request(5))
    said.noting(lambda _: {"value": 2})(request(0))
    assert answering(said.kept(), 1.0)(request(0)) == {"value": 2}


@pytest.mark.parametrize("cut", [1, 15, 20, 40])
def test_what_is_damaged_is_unheard(cut: int):
    kept = noted(ANSWERS[1:2])
    assert unheard(answering(kept[:cut], 10.0), request(0))
    assert unheard(answering(kept[:-1], 10.0), request(0))
    assert unheard(answering(kept[:16] + b"?" + kept[17:], 10.0), request(0))
