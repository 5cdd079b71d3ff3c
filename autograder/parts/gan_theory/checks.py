"""Hidden checks of the part gan-theory: the closed forms of 3e."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...checking.expect import Fail, Partial, expect, number
from ...checking.proxy import Remote
from ...checking.registry import Rng, check

NAMES = ("KL(P1, P2)", "KL(P1, P3)", "W1(P1, P2)", "W1(P1, P3)")
RIGHT = (math.inf, math.inf, 0.5, 1.0)
HINT = "Draw the three densities. Where is P1 positive and the other one 0? How far must mass go?"

SLIPS: dict[str, tuple[float, float, float, float]] = {
    "where P1 has mass and the other distribution has none, log(p / q) is infinite.": (
        (0.0, 0.0, 0.5, 1.0)
    ),
    "the integral goes over all of P1, also where the other density is 0.": (
        (0.0, math.inf, 0.5, 1.0)
    ),
    "log 2 is the Jensen-Shannon divergence of distributions that do not overlap; this is KL.": (
        (math.log(2), math.log(2), 0.5, 1.0)
    ),
    "the divergences and the distances have changed places.": (0.5, 1.0, math.inf, math.inf),
    "P2 and P3 have changed places in the distances.": (math.inf, math.inf, 1.0, 0.5),
    "all mass of P1 moves, also the half that overlaps P2, and the distance is not squared.": (
        (math.inf, math.inf, 0.25, 1.0)
    ),
    "a Wasserstein distance stays finite where distributions do not overlap.": (
        (math.inf, math.inf, 0.5, math.inf)
    ),
}


@check("gan-theory.3e")
def compares_uniform_distributions(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """answer_3e gives KL(P1, P2), KL(P1, P3), W1(P1, P2) and W1(P1, P3), in this order; each is a
    quarter of the marks.
    """
    answers = [
        number(one, name) for one, name in zip(_four(hw5_gan.answer_3e()), NAMES, strict=True)
    ]
    # Four times the same is no answer to four questions, though some of them would be right.
    expect(len(set(answers)) > 1, "answer_3e gives the same number four times.", HINT)
    wrong = [
        name
        for name, answer, right in zip(NAMES, answers, RIGHT, strict=True)
        if answer != right and not abs(answer - right) < 1e-4
    ]
    if not wrong:
        return
    told = [
        sentence
        for sentence, slip in SLIPS.items()
        if all(a == b or abs(a - b) < 1e-4 for a, b in zip(answers, slip, strict=True))
    ]
    message = f"{' and '.join(wrong)} {'is' if len(wrong) == 1 else 'are'} wrong"
    raise Partial(1 - len(wrong) / 4, ": ".join([message, *told[:1]]), HINT)


def _four(result: Any) -> list[Any]:
    """The four numbers of a tuple, a list, a dict in its order, or an array."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, torch.Tensor) and result.dim() == 1:
        result = list(result)
    if not isinstance(result, (tuple, list)) or len(result) != 4:
        raise Fail("answer_3e should return four numbers.", HINT)
    return list(result)
