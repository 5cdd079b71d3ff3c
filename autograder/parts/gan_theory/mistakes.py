"""Mistakes in the part gan-theory."""

from __future__ import annotations

from ...checking.catalogue import Mistake

DIVERGENCES = "kl_12 = kl_13 = math.inf"
DISTANCES = "w1_12, w1_13 = 0.5, 1.0"
NO_OVERLAP = "where P1 has mass and the other distribution has none, log(p / q) is infinite."


UNSEEN = ("jensen-shannon",)
"""Mistakes that no visible check can show without giving the answer away."""


def _mistake(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    unseen = "the four numbers" if id in UNSEEN else ""
    return Mistake(id, "gan-theory.3e", sentence, "def answer_3e", edits, unseen=unseen)


MISTAKES: tuple[Mistake, ...] = (
    _mistake("no-divergence", NO_OVERLAP, (DIVERGENCES, "kl_12 = kl_13 = 0.0")),
    _mistake(
        "overlap-only",
        "the integral goes over all of P1, also where the other density is 0.",
        (DIVERGENCES, "kl_12, kl_13 = 0.0, math.inf"),
    ),
    _mistake(
        "jensen-shannon",
        "log 2 is the Jensen-Shannon divergence of distributions that do not overlap; this is KL.",
        (DIVERGENCES, "kl_12 = kl_13 = math.log(2)"),
    ),
    _mistake(
        "distances-first",
        "the divergences and the distances have changed places.",
        ("return kl_12, kl_13, w1_12, w1_13", "return w1_12, w1_13, kl_12, kl_13"),
    ),
    _mistake(
        "others-order",
        "P2 and P3 have changed places in the distances.",
        (DISTANCES, "w1_12, w1_13 = 1.0, 0.5"),
    ),
    _mistake(
        "squared-or-half-of-the-mass",
        "all mass of P1 moves, also the half that overlaps P2, and the distance is not squared.",
        (DISTANCES, "w1_12, w1_13 = 0.25, 1.0"),
    ),
    _mistake(
        "infinite-distance",
        "a Wasserstein distance stays finite where distributions do not overlap.",
        (DISTANCES, "w1_12, w1_13 = 0.5, math.inf"),
    ),
    _mistake("gap", "W1(P1, P2) and W1(P1, P3) are wrong", (DISTANCES, "w1_12, w1_13 = 0.0, 0.0")),
    _mistake(
        "one-pair", "four numbers", ("return kl_12, kl_13, w1_12, w1_13", "return kl_12, w1_12")
    ),
)
