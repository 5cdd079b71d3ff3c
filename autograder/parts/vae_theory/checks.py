"""Hidden checks of the part vae-theory: the closed forms of 1b, 1g, 1h and 1j."""

from __future__ import annotations

from typing import Any

import torch

from ...checking.expect import close, either, expect, number
from ...checking.proxy import Remote
from ...checking.registry import Rng, check


@check("vae-theory.1b")
def counts_what_the_encoder_gives(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """answer_1b says how many numbers the encoder gives when z has latent_dimension dimensions."""
    sizes = [2, 3, rng.integer(4, 8), rng.integer(9, 30)]
    answers = [number(hw5_vae.answer_1b(size), "answer_1b") for size in sizes]
    d = torch.tensor(sizes, dtype=torch.float32)
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
            "it is the answer for two dimensions; latent_dimension says how many there are.": (
                torch.full_like(d, 2.0)
            ),
            "it is one number, but the mean has one for each dimension.": torch.ones_like(d),
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
        sentences = {
            float("inf"): "it is infinite; both distributions have mass in the same places.",
            1.0: "it is 1, the ratio of the densities; the divergence takes its logarithm.",
            0.5: "it is 1/2: one of the terms that cancel has been left out.",
        }
        for wrong, sentence in sentences.items():
            expect(answers != [wrong] * len(answers), f"answer_1g is wrong: {sentence}")
        expect(
            all(abs(answer) < 1e-5 for answer in answers),
            "answer_1g is wrong: it depends on mu_phi or sigma_phi, or it is no divergence.",
            "What is log(q / q)?",
        )

    either(lambda: compare(float), lambda: compare(torch.tensor))


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
        close(
            torch.tensor(answers),
            right,
            "answer_1h",
            lookalikes={
                "the factor 1/2 is missing.": 2 * right,
                "it is divided by sigma; sigma^2 is right.": (a - b) ** 2 / (2 * s),
                "it is not divided by the variance.": (a - b) ** 2 / 2,
                "the difference of the means is not squared.": (a - b) / (2 * s**2),
                "the difference of the means should be squared, not made positive.": (
                    (a - b).abs() / (2 * s**2)
                ),
                "its sign is flipped; a divergence is never negative.": -right,
                "the means are added; their difference is what counts.": (a + b) ** 2 / (2 * s**2),
                "sigma^2 stands in the numerator.": (a - b) ** 2 * s**2 / 2,
                "the 2 is squared as well.": right / 2,
                "it is 0 only if the means are equal.": torch.zeros_like(right),
                "half too much: the variances cancel, trace term and -1/2 alike.": right + 0.5,
                "a term -1/2 has lost its counterpart; the variances cancel.": right - 0.5,
                "it is that of mu_p = 0; the prior has a mean of its own.": a**2 / (2 * s**2),
            },
            hint="Write both densities down; what is left of the logarithm of their ratio?",
        )

    either(lambda: compare(float), lambda: compare(torch.tensor))


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
