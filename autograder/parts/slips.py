"""Slips that losses and optimizers of several parts have in common: each is written once.

Rows for `told` where the code to edit is alike, a sentence where it differs from part to part.
"""

from __future__ import annotations

from ..checking.catalogue import Row

SIGN = "its sign is flipped."
SUM = "it is the sum over the batch; ask for the mean."
ABSOLUTE = "it has absolute values where squares should stand."
ROOT = "it is the root of the mean square; leave the root out."

SIGMOIDS = "the sigmoid is applied twice: BCE with logits applies it too."
SQUARES = "it uses squares instead of cross-entropies."
PLAIN = "it uses logits without sigmoid and logarithm."
LIMITED = "logits are cut off; they may be any number."

LABELS_SWAPPED = "the labels are swapped; real images have label 1, fakes 0."
REAL_ALONE = "only the real images count."
FAKES_ALONE = "only the fakes count."
ALL_REAL = "real images and fakes both have label 1."
ALL_FAKE = "real images and fakes both have label 0."
SMOOTH_REAL = "real images have label 0.9; the definition has 1."

UNIFORM_CODES = "the codes are uniform; they should be normal, torch.randn."

NEGATED: Row = ("sign", SIGN, "return F", "return -F")
"""Of a function that returns F.something."""


def not_cleared(network: str) -> str:
    """What is said of an optimizer without zero_grad()."""
    return f"the gradients of the {network} are never cleared, so they add up."


def never_steps(network: str) -> str:
    """What is said of an optimizer without step()."""
    return f"the {network} never moves: backward() of its loss, then a step of its optimizer."


def of_an_optimizer(network: str, optimizer: str) -> tuple[Row, ...]:
    """Of a step of training."""
    return (
        ("not-cleared", not_cleared(network), f"{optimizer}.zero_grad()\n", "\n"),
        ("never-steps", never_steps(network), f"{optimizer}.step()", "pass"),
    )


def of_a_mean(what: str = "mean") -> tuple[Row, ...]:
    """Of a function that returns F.something, which is this mean."""
    return (NEGATED, ("half", f"it is half of the {what}.", "return F", "return 0.5 * F"))


def of_cross_entropies(logits: str = "logits") -> tuple[Row, ...]:
    """Of F.binary_cross_entropy_with_logits of these logits."""
    called = "_with_logits("
    return (
        ("sigmoid-twice", SIGMOIDS, f"{called}{logits}", f"{called}torch.sigmoid({logits})"),
        ("squares", SQUARES, "F.binary_cross_entropy_with_logits", "F.mse_loss"),
    )


def of_a_generator_loss(loss: str, logits: str, ones: str) -> tuple[Row, ...]:
    """Of a function that returns this loss, the mean of cross-entropies with these labels."""
    assert loss.endswith(")")
    return (
        *of_a_mean(),
        *of_cross_entropies(logits),
        ("sum-over-batch", SUM, loss, f'{loss[:-1]}, reduction="sum")'),
        ("limited", LIMITED, loss, loss.replace(f"({logits},", f"({logits}.clamp(-5, 5),")),
        ("wasserstein", PLAIN, f"return {loss}", f"return -{logits}.mean()"),
        (
            "saturating",
            "it is the saturating form, log(1 - D(G(z))); minimise -log D(G(z)) instead.",
            f"return {loss}",
            f"return -F.softplus({logits}).mean()",
        ),
        (
            "labels-zero",
            "the fakes have label 0; the generator wants them taken for real, label 1.",
            ones,
            ones.replace("ones", "zeros"),
        ),
        (
            "smooth-labels",
            "the fakes have label 0.9; the definition has 1.",
            ones,
            f"0.9 * {ones}",
        ),
    )


BETAS: tuple[Row, ...] = (
    ("swapped-betas", "the two betas are swapped.", "(0.5, 0.999)", "(0.999, 0.5)"),
    ("beta2-of-099", "beta2 is 0.99; it should be 0.999.", "(0.5, 0.999)", "(0.5, 0.99)"),
)
"""Of Adam with betas=(0.5, 0.999)."""
