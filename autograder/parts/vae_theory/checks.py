"""Hidden checks of the part vae-theory: the closed forms of 1b, 1g, 1h and 1j."""

from __future__ import annotations

import math
from typing import Any

import torch

from ...checking.expect import close, expect, first_possible, matches, number
from ...checking.proxy import Remote
from ...checking.registry import Rng, check


@check("vae-theory.1b")
def counts_what_the_encoder_gives(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """answer_1b says how many numbers the encoder gives when z has latent_dimension dimensions."""
    sizes = [2, 3, rng.integer(4, 8), rng.integer(9, 30)]
    answers = [number(hw5_vae.answer_1b(size), "answer_1b") for size in sizes]
    d = torch.tensor(sizes, dtype=torch.float32)
    same = "answer_1b is wrong: it is one number for all latent_dimension; the mean grows with it."
    expect(len(set(answers)) > 1, same)
    close(
        torch.tensor(answers),
        d,
        "answer_1b",
        lookalikes={
            "it counts mean and variance; which of the two is known already?": 2 * d,
            "it counts the mean and a whole covariance matrix, which is known already.": (d + d**2),
            "it counts the covariance matrix, which is known already.": d**2,
            "it counts the mean and a symmetric covariance matrix; which of the two is known "
            "already?": d + d * (d + 1) / 2,
            "it counts one number more than the mean has; the variance is known already.": d + 1,
        },
        hint="Which numbers does N(mu, I) need, and which of them does the encoder not know?",
    )


@check("vae-theory.1g")
def of_a_distribution_with_itself(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """answer_1g is the KL-divergence of N(mu_phi, sigma_phi^2) with itself."""
    points = [
        (float(rng.normal()), float(rng.uniform(*ends))) for ends in ((0.3, 0.8), (1.2, 3.0)) * 2
    ]

    def compare(made: Any) -> None:
        answers = [number(hw5_vae.answer_1g(*map(made, point)), "answer_1g") for point in points]
        _expect_a_divergence(answers, "answer_1g")
        zero = max(answers) < 1e-5
        alike = max(answers) - min(answers) < 1e-5
        says = "depends on mu_phi or sigma_phi" if not alike else "says that q differs from itself"
        expect(zero, f"answer_1g is wrong: it {says}.", "What is log(q / q)?")

    first_possible(lambda: compare(float), lambda: compare(torch.tensor))


def _expect_a_divergence(answers: list[float], what: str) -> None:
    finite = all(map(math.isfinite, answers))
    expect(finite, f"{what} is NaN or infinite; it is a number everywhere.")
    expect(min(answers) > -1e-5, f"{what} is wrong: it is negative, and no divergence is.")


def _is_power(values: torch.Tensor, of: torch.Tensor) -> bool:
    """Is values = a * of^k, for some a and k?"""
    x, y = of.double().log(), values.double().log()
    k = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    rest = (y - k * x).exp()  # a: a logarithm of it may be 0, next to which nothing is small
    return matches(rest, rest.mean().expand(len(y)), 1e-3)


@check("vae-theory.1h")
def of_two_gaussians(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """answer_1h is KL( N(mu_phi, sigma^2) || N(mu_p, sigma^2) ) at random points."""
    points = [
        (
            float(rng.uniform(0.2, 1.0)),
            float(rng.uniform(*ends)) * sign,
            float(rng.uniform(*spread)),
        )
        for ends, sign, spread in (
            ((1.5, 3.0), 1, (0.4, 0.8)),
            ((0.5, 2.0), -1, (1.3, 2.5)),
            ((3.0, 4.0), 1, (1.3, 2.5)),
            ((1.5, 3.0), -1, (0.4, 0.8)),
        )
    ]
    a, b, s = torch.tensor(points).unbind(1)
    right = (a - b) ** 2 / (2 * s**2)

    def compare(made: Any) -> None:
        answers = [number(hw5_vae.answer_1h(*map(made, point)), "answer_1h") for point in points]
        found = torch.tensor(answers)
        if not matches(found, right):
            _expect_a_divergence(answers, "answer_1h")
            expect(len(set(answers)) > 1, "answer_1h is wrong: it is one number for all arguments.")
            power = "answer_1h is wrong: sigma stands in it with another power."
            factor = "answer_1h is wrong: it is off by a factor that is the same everywhere."
            expect(not matches(found / right, (found / right)[:1].expand(4)), factor)
            expect(not _is_power(found / right, s), power)
        hint = "Write both densities down; what is left of the logarithm of their ratio?"
        close(found, right, "answer_1h", hint=hint)

    first_possible(lambda: compare(float), lambda: compare(torch.tensor))


@check("vae-theory.1j")
def names_the_best_encoder(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """answer_1j names what q(z|x) should be equal to, by its number in the list."""
    answer = number(hw5_vae.answer_1j(), "answer_1j")
    why = {
        1: "p(z) knows nothing of x, so every image would get the same code.",
        2: "p(x|z) is a distribution of x; the encoder is one of z.",
        4: "p(x, z), as a function of z, does not sum to 1.",
    }
    expect(
        answer in (1, 2, 3, 4), "answer_1j is the number of one of the four terms: 1, 2, 3 or 4."
    )
    expect(answer == 3, why.get(int(answer), ""), "Where is the bound tight?")
