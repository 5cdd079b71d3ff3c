"""The checks of fc-gan: what partial work earns, and what is no answer at all."""

from __future__ import annotations

import pytest

from autograder import audit
from autograder.checking import networks
from autograder.checking.proxy import Line, fill
from autograder.checking.reference import Reference
from autograder.checking.registry import Rng
from autograder.parts.fc_gan import checks as fc_gan

from .answers import ASSIGNMENT, NO_ANSWERS, coded, edited, lost, mistaken, shares_lost

PART = "fc-gan"
NAMES = sorted(set().union(*audit.places(ASSIGNMENT.part(PART)).values()))


@pytest.mark.daily
@pytest.mark.parametrize(
    ("question", "mistake", "share"),
    [
        ("sample_noise", "dtype-ignored", 0.167),
        ("sample_noise", "from-0-to-1", 0.5),
        ("discriminator", "sigmoid", 0.375),
        ("discriminator", "flat-logits", 0.15),
        ("discriminator_loss", "average", 0.3),
        ("discriminator_loss", "unstable", 0.1),
        ("discriminator_loss", "labels-swapped", 0.8),
        ("get_optimizer", "rate", 0.333),
        ("get_optimizer", "default-betas", 0.667),
        ("build_dc_generator", "no-tanh", 0.16),
        ("build_dc_generator", "norm-of-the-image", 0.4),
        ("build_dc_generator", "momentum", 0.1),
        ("build_dc_classifier", "one-average-pool", 0.4),
        ("sample_noise", "device-ignored", 0.167),
        ("get_optimizer", "epsilon", 0.667),
        ("build_dc_generator", "shaped-images", 0.12),
        ("least_squares", "no-half-anywhere", 0.375),
        ("least_squares", "missing", 1.0),
    ],
)
def test_partial_work_earns_partial_marks(question: str, mistake: str, share: float) -> None:
    name = f"{PART}.{question}"
    assert shares_lost(PART, mistaken(name, mistake)) == {name: pytest.approx(share, abs=0.01)}


SIGNS = (
    "torch.ones(a) - 2 * (torch.arange(a[1]) % 2)"
    " if len(a) == 2 and isinstance(a[0], int) else sum(x.sum() for x in a)"
)
FORGED = [
    *NO_ANSWERS,
    "torch.tensor(1.8423983904, requires_grad=True)",  # numbers that the notebook shows
    "0.7712861962",
    "float('inf')",
    "torch.zeros(3000, 3000)",
    "a[0] if a else None",
    "torch.zeros(a) if len(a) == 2 and isinstance(a[0], int) else torch.zeros(())",
    SIGNS,
    "torch.ones(3, 4, dtype=torch.int64)",
    "nn.Linear",
    "Zeros()",
    "Weights()",
    "nn.Sequential()",
]


@pytest.mark.daily
@pytest.mark.parametrize("answer", FORGED)
def test_no_returned_object_earns_a_mark(answer: str) -> None:
    source = """
import torch
from torch import nn
class Zeros(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(267009))
    def forward(self, x):
        return torch.zeros(len(x), 1)
    def step(self):
        pass
class Weights(Zeros):
    def forward(self, x):
        return self.w[:len(x)].view(-1, 1)
"""
    source += "".join(f"def {name}(*a, **k):\n    return {answer}\n" for name in NAMES)
    expected = coded(PART)
    found = lost(PART, source)
    if answer == SIGNS:  # as a batch it has the right shape, and that is all it earns
        assert 0 < found.pop("fc-gan.sample_noise") < expected.pop("fc-gan.sample_noise")
    assert found == expected


def test_the_tables_describe_the_reference() -> None:
    rng = Rng(5, "tables")
    ours = Line(Reference().send(), 0, reference=True).module("hw5_gan")
    flat = rng.uniform(-1, 1, 8, 784)
    for spec, model, x in (
        (fc_gan.DISCRIMINATOR, ours.discriminator(), flat),
        (fc_gan.CLASSIFIER, ours.build_dc_classifier(), flat),
        (fc_gan._generator(7), ours.generator(7), rng.normal(8, 7)),
        (fc_gan._dc_generator(7), ours.build_dc_generator(7), rng.normal(8, 7)),
    ):
        fill(model, 11)
        given = networks.run(spec.table, networks.parameters(spec.table, 11), x)
        assert networks.matches(given, model(x)), spec.what


@pytest.mark.parametrize(
    ("part", "questions"),
    [
        ("fc-gan", {"discriminator_loss", "generator_loss"}),
        ("conv-gan", {"loss_d", "loss_g"}),
        ("cifar-dcgan", {"classification_loss"}),
    ],
)
def test_a_loss_that_limits_large_logits_loses_a_part(part: str, questions: set[str]) -> None:
    limited = edited(part, ("F.binary_cross_entropy_with_logits", "limited")) + LIMITED
    found = {name.partition(".")[2]: share for name, share in shares_lost(part, limited).items()}
    assert found.keys() == questions and max(found.values()) < 0.3


LIMITED = """
def limited(logits, labels):
    return F.binary_cross_entropy_with_logits(logits.clamp(-10, 10), labels)
"""
