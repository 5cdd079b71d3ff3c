"""The checks of cifar-dcgan: what is missing costs where it is, and what is no answer at all."""

from __future__ import annotations

import pytest

from autograder.checking.catalogue import Style
from autograder.parts.cifar_dcgan.styles import INIT, init, methods

from .answers import NO_ANSWERS, coded, edited, shares_lost, with_code

PART = "cifar-dcgan"
EVERYTHING = dict.fromkeys(coded(PART), 1.0)


def test_losses_with_a_mistake_leave_the_loop_and_the_search_alone() -> None:
    code = methods(
        """
def _classification_loss(self, logits, labels):
    return F.mse_loss(torch.sigmoid(logits), labels)
def _reconstruction_loss(self, reconstruction, x):
    return F.l1_loss(reconstruction, x)
"""
    )
    assert shares_lost(PART, with_code(PART, code)) == {
        "cifar-dcgan.classification_loss": 1.0,
        "cifar-dcgan.reconstruction_loss": 1.0,
    }


UNWRITTEN = {
    "init": Style("", edits=init("raise NotImplementedError"), within=INIT).source(
        with_code(PART, "")
    ),
    "spectral_norm": edited(
        PART,
        ("            for layer in self.downsample:\n", "            raise NotImplementedError\n"),
        (
            "                if isinstance(layer, nn.Conv2d):\n                    nn",
            "            nn",
        ),
    ),
    **{
        question: with_code(
            PART, methods(f"def {name}(self, *args):\n    raise NotImplementedError")
        )
        for question, name in (
            ("weight_init", "_weight_INITIALIZATION"),
            ("classification_loss", "_classification_loss"),
        )
    },
}


@pytest.mark.parametrize("question", UNWRITTEN)
def test_what_is_unwritten_costs_its_own_question(question: str) -> None:
    assert shares_lost(PART, UNWRITTEN[question]) == {f"{PART}.{question}": 1.0}


FORGED = [
    *NO_ANSWERS,
    "torch.tensor(0.6931472, requires_grad=True)",  # the number in the text
    "args[0] if args else None",
    "(torch.tensor(0.02), args[0]) if args else None",
    "([1.3863] * 3, [0.6931] * 3)",
    "([1.3, 1.4] * 8, [0.6, 0.7] * 8)",
    "torch.zeros(3000, 3000)",
    "['a', 'b']",
    "self",
]
FORGED_DCGAN = """
class DCGAN(nn.Module):
    def __init__(self, spectral=False):
        super().__init__()
        self._generator = nn.Linear(64, 3072)
        self._discriminator = nn.Linear(3072, 1)
    def forged(self, *args, **kwargs):
        return {answer}
    _weight_INITIALIZATION = _classification_loss = _reconstruction_loss = forged
    fit = reconstruct = forged
class CIFARDiscriminator(CIFARDiscriminator):
    def __init__(self, spectral=False):
        super().__init__(False)
"""


@pytest.mark.daily
@pytest.mark.parametrize("answer", FORGED)
def test_no_returned_object_earns_a_mark(answer: str) -> None:
    code = FORGED_DCGAN.replace("{answer}", answer)
    assert shares_lost(PART, with_code(PART, code)) == EVERYTHING


@pytest.mark.parametrize(
    "code",
    ["DCGAN = CIFARGenerator = CIFARDiscriminator = None", "DCGAN = CIFARDiscriminator = int"],
)
def test_no_other_class_earns_a_mark(code: str) -> None:
    assert shares_lost(PART, f"import torch\nfrom torch import nn\n{code}\n") == EVERYTHING
