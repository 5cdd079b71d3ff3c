"""Mistakes in the part vae-theory."""

from __future__ import annotations

from ...checking.catalogue import Mistake

ANSWERS = {
    "1b": "return latent_dimension ",
    "1g": "return 0.0 ",
    "1h": "return (mu_phi - mu_p) ** 2 / (2 * sigma**2)",
    "1j": "return 3 ",
}


UNSEEN = {
    "1b": ("mean-and-variance", "mean-and-covariance", "one-variance"),
    "1g": ("infinite", "one", "term-left-out", "from-the-standard-normal"),
    "1h": ("no-half", "half-left", "two-squared", "half-lost", "zero"),
    "1j": ("prior", "decoder", "joint"),
}
"""Mistakes that no visible check can show without giving the answer away."""
HIDDEN = {"1b": "the value", "1g": "the value", "1h": "the value", "1j": "which of the four"}
"""What their questions call unseen."""


def _mistake(question: str, id: str, expression: str, sentence: str) -> Mistake:
    edit = (ANSWERS[question], f"return {expression} ")
    return Mistake(
        id,
        f"vae-theory.{question}",
        sentence,
        f"def answer_{question}",
        (edit,),
        unseen=HIDDEN[question] if id in UNSEEN[question] else "",
    )


MISTAKES: tuple[Mistake, ...] = (
    _mistake(
        "1b",
        "mean-and-variance",
        "2 * latent_dimension",
        "it counts mean and variance; which of the two is known already?",
    ),
    _mistake(
        "1b",
        "mean-and-covariance",
        "latent_dimension + latent_dimension**2",
        "it counts the mean and a whole covariance matrix, which is known already.",
    ),
    _mistake(
        "1b",
        "two-always",
        "2",
        "it is one number for all latent_dimension; the mean grows with it.",
    ),
    _mistake(
        "1b",
        "one-number",
        "1",
        "it is one number for all latent_dimension; the mean grows with it.",
    ),
    _mistake(
        "1b",
        "one-variance",
        "latent_dimension + 1",
        "it counts one number more than the mean has; the variance is known already.",
    ),
    _mistake(
        "1g",
        "infinite",
        "math.inf",
        "it is infinite; both distributions have mass in the same places.",
    ),
    _mistake(
        "1g",
        "one",
        "1.0",
        "it is 1, the ratio of the densities; the divergence takes its logarithm.",
    ),
    _mistake(
        "1g",
        "term-left-out",
        "0.5",
        "it is 1/2: one of the terms that cancel has been left out.",
    ),
    _mistake(
        "1g",
        "entropy",
        "0.5 * math.log(2 * math.pi * math.e * sigma_phi**2)",
        "it depends on mu_phi or sigma_phi.",
    ),
    _mistake(
        "1g",
        "from-the-standard-normal",
        "0.5 * (mu_phi**2 + sigma_phi**2 - 1) - math.log(sigma_phi)",
        "it depends on mu_phi or sigma_phi.",
    ),
    _mistake("1h", "no-half", "(mu_phi - mu_p) ** 2 / sigma**2", "the factor 1/2 is missing."),
    _mistake(
        "1h",
        "sigma",
        "(mu_phi - mu_p) ** 2 / (2 * sigma)",
        "it is divided by sigma; sigma^2 is right.",
    ),
    _mistake(
        "1h",
        "no-square",
        "(mu_phi - mu_p) / (2 * sigma**2)",
        "the difference of the means is not squared.",
    ),
    _mistake(
        "1h",
        "negative",
        "-((mu_phi - mu_p) ** 2) / (2 * sigma**2)",
        "its sign is flipped; a divergence is never negative.",
    ),
    _mistake(
        "1h",
        "no-variance",
        "(mu_phi - mu_p) ** 2 / 2",
        "it is not divided by the variance.",
    ),
    _mistake(
        "1h",
        "half-left",
        "(mu_phi - mu_p) ** 2 / (2 * sigma**2) + 0.5",
        "half too much: the variances cancel, trace term and -1/2 alike.",
    ),
    _mistake(
        "1h",
        "only-the-numerator",
        "(mu_phi - mu_p) ** 2 * sigma**2 / 2",
        "sigma^2 stands in the numerator.",
    ),
    _mistake(
        "1h", "two-squared", "(mu_phi - mu_p) ** 2 / (2 * sigma) ** 2", "the 2 is squared as well."
    ),
    _mistake(
        "1h",
        "not-squared-but-positive",
        "abs(mu_phi - mu_p) / (2 * sigma**2)",
        "the difference of the means should be squared, not made positive.",
    ),
    _mistake(
        "1h",
        "means-added",
        "(mu_phi + mu_p) ** 2 / (2 * sigma**2)",
        "the means are added; their difference is what counts.",
    ),
    _mistake(
        "1h",
        "half-lost",
        "(mu_phi - mu_p) ** 2 / (2 * sigma**2) - 0.5",
        "a term -1/2 has lost its counterpart; the variances cancel.",
    ),
    _mistake(
        "1h",
        "prior-around-nought",
        "mu_phi**2 / (2 * sigma**2)",
        "it is that of mu_p = 0; the prior has a mean of its own.",
    ),
    _mistake("1h", "zero", "0.0", "it is 0 only if the means are equal."),
    _mistake(
        "1j", "prior", "1", "p(z) knows nothing of x, so every image would get the same code."
    ),
    _mistake("1j", "decoder", "2", "p(x|z) is a distribution of x; the encoder is one of z."),
    _mistake("1j", "joint", "4", "p(x, z), as a function of z, does not sum to 1."),
    _mistake("1j", "counted-from-nought", "0", "the number of one of the four terms"),
    _mistake("1j", "two-of-them", "(3, 4)", "answer_1j should be a number, not a tuple."),
)
