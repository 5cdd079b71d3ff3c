"""The checks of ae-gan: what is unwritten costs where it is, and what is no training at all."""

from __future__ import annotations

import pytest

from .answers import NO_ANSWERS, coded, edited, lost, with_code

PART = "ae-gan"
OPTIMIZERS = "ae-gan.optimizers"
TRAINING = {name: points for name, points in coded(PART).items() if name != OPTIMIZERS}

FORGED = [
    *NO_ANSWERS,
    "([1.3863], [0.9], [0.02])",  # the number in the text
    "([0.0], [0.0], [0.0])",
    "([float('nan')],) * 3",
    "(torch.zeros(3000),) * 3",
    "(model, model, model)",
    "(['1'], ['2'], ['3'])",
]


@pytest.mark.daily
@pytest.mark.parametrize("answer", FORGED)
def test_no_returned_object_earns_a_mark(answer: str) -> None:
    code = f"""
def ae_gan_optimizers(model, lr=2e-4):
    return None
def train_ae_gan(model, loader, optimizers, epochs):
    return {answer}
"""
    assert lost(PART, with_code(PART, code)) == coded(PART)


@pytest.mark.parametrize("noise", ["p.add_(torch.randn_like(p))", "p.zero_()", "p.sub_(1e-4)"])
def test_weights_that_move_for_no_reason_earn_nothing(noise: str) -> None:
    code = f"""
def train_ae_gan(model, loader, optimizers, epochs):
    with torch.no_grad():
        for p in model.parameters():
            {noise}
    return [0.5], [0.5], [0.5]
"""
    assert lost(PART, with_code(PART, code)) == TRAINING


@pytest.mark.parametrize(
    "code",
    ["ae_gan_optimizers = train_ae_gan = AutoEncoderGAN = None", "ae_gan_optimizers = int"],
)
def test_no_other_object_earns_a_mark(code: str) -> None:
    assert lost(PART, f"import torch\nfrom torch import nn\n{code}\n") == coded(PART)


def test_an_unwritten_loop_costs_its_own_questions() -> None:
    code = "def train_ae_gan(model, *a, **k):\n    raise NotImplementedError"
    assert lost(PART, with_code(PART, code)) == TRAINING


@pytest.mark.parametrize(
    "step, behind",
    [
        ("loss_discriminator", "            opt_discriminator.zero_grad()\n"),
        ("loss_generator", "            opt_generator.step()\n"),
        ("loss_autoencoder", "            opt_encoder.step()\n"),
        ("loss_discriminator", "            count += len(x)\n"),  # of no step: the first answers
    ],
)
def test_a_line_that_raises_costs_its_own_step_though_all_that_is_computed_is_right(
    step: str, behind: str
) -> None:
    crash = f"{behind}            None.wrong\n"
    assert lost(PART, edited(PART, (behind, crash))).keys() == {f"{PART}.{step}"}
