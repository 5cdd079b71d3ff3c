"""The checks of conv-gan: what partial work earns, and what is no answer at all."""

from __future__ import annotations

import pytest

from autograder import audit
from autograder.checking import networks
from autograder.checking.proxy import Line, fill
from autograder.checking.reference import Reference
from autograder.checking.registry import Rng
from autograder.parts.conv_gan import checks as conv_gan
from autograder.parts.conv_gan.styles import DNET

from .answers import NO_ANSWERS, coded, lost, marks, mistaken, shares_lost, with_code

PART = "conv-gan"


@pytest.mark.daily
@pytest.mark.parametrize(
    ("question", "mistake", "share"),
    [
        ("loss_d", "sum-of-halves", 0.3),
        ("loss_d", "not-detached", 0.2),
        ("loss_d", "labels-swapped", 0.8),
        ("loss_g", "saturating", 1.0),
        ("loss_g", "detached", 0.4),
        ("DNet", "out-of-order", 0.125),
        ("DNet", "last-relu-missing", 0.312),
        ("DNet", "one-average-pool", 0.312),
        ("DNet", "batch-norm", 0.312),
        ("GNet", "steeper-slope", 0.25),
        ("weight_init", "gain-of-leaky-relu", 0.188),
        ("DNet", "other-channels", 1.0),
        ("weight_init", "biases-forgotten", 0.25),
    ],
)
def test_partial_work_earns_partial_marks(question: str, mistake: str, share: float) -> None:
    name = f"{PART}.{question}"
    assert shares_lost(PART, mistaken(name, mistake)) == {name: pytest.approx(share, abs=0.01)}


@pytest.mark.parametrize(
    ("code", "questions"),
    [
        ("del GAN", {"loss_d", "loss_g"}),
        ("del GNet", {"GNet", "weight_init"}),
        (
            "class DNet(nn.Module):\n    def __init__(self):\n        raise NotImplementedError",
            {"DNet", "weight_init"},
        ),
    ],
)
def test_what_is_missing_costs_its_own_questions(code: str, questions: set[str]) -> None:
    assert lost(PART, with_code(PART, code)).keys() == {f"{PART}.{one}" for one in questions}


def test_a_mistake_in_a_loss_is_named_whatever_dnet_is() -> None:
    limited = mistaken(f"{PART}.loss_d", "limited")
    normed = limited.replace("self.conv2(h)", "F.instance_norm(self.conv2(h))")
    assert normed != limited
    said = [one for one in audit.messages(marks(PART, normed)).split("\n") if ".loss_d." in one]
    assert said and all("logits are cut off" in one for one in said)


FORGED = [
    *NO_ANSWERS,
    "torch.tensor(0.6931472, requires_grad=True)",  # the number in the text
    "torch.zeros(3000, 3000)",
    "torch.ones(5, 1, dtype=torch.int64)",
    "[0.1] * 7",
    "torch.zeros(5, 1, dtype=torch.float16)",
    "torch.full((5, 1, 28, 28), 0.5)",
    "self",
    "torch.nn.Linear",
    "self.forged()",  # its parameters alone
]


@pytest.mark.daily
@pytest.mark.parametrize("answer", FORGED)
def test_no_returned_object_earns_a_mark(answer: str) -> None:
    code = f"""
class Forged(nn.Module):
    def __init__(self, zdim=64):
        super().__init__()
        self.w = nn.Parameter(torch.empty(1568, 64).uniform_(-0.3, 0.3))
        self.b = nn.Parameter(torch.zeros(1568))
    def forged(self):
        return self.w.sum() * 0 + torch.zeros(5, 1)
    def forward(self, x):
        return {answer}
class DNet(Forged):
    pass
class GNet(Forged):
    pass
class GAN:
    def __init__(self):
        self.disc, self.gen = DNet(), GNet(64)
    def forged(self):
        return sum(p.sum() for p in self.disc.parameters())
    def _get_loss_d(self, batch_size, batch_data, z):
        return {answer}
    def _get_loss_g(self, batch_size, z):
        return {answer}
"""
    assert lost(PART, with_code(PART, code)) == coded(PART)


@pytest.mark.daily
@pytest.mark.parametrize(
    "code",
    [
        "DNet = GNet = GAN = None",
        "DNet = GNet = GAN = lambda *a: None",
        "DNet = GNet = GAN = lambda *a: torch.zeros(3)",
        "DNet = GNet = GAN = lambda *a: (lambda *x: torch.zeros(len(x[0]), 1))",
        "class DNet(nn.Module):\n    def forward(self, x):\n        return torch.zeros(len(x), 1)\n"
        "GNet = GAN = DNet",
    ],
)
def test_no_constant_earns_a_mark(code: str) -> None:
    assert lost(PART, f"import torch\nfrom torch import nn\n{code}\n") == coded(PART)


@pytest.mark.parametrize("network", ["DNet", "GNet"])
def test_wrong_weights_are_seen_though_the_network_raises(network: str) -> None:
    code = f"""
class {network}({network}):
    def __init__(self, *sizes):
        raise RuntimeError
    def _weight_init(self):
        for layer in self.children():
            nn.init.xavier_uniform_(layer.weight)
"""
    found = marks(PART, with_code(PART, code))
    assert audit.lost_in(found).keys() == {f"{PART}.{network}", f"{PART}.weight_init"}
    assert "Xavier" in audit.messages(found)


def test_weights_that_are_shown_but_not_used_earn_nothing() -> None:
    hidden = DNET.replace("class DNet(nn.Module)", "class Hidden(nn.Module)")
    code = f"""
{hidden.replace("        self._weight_init()", "")}
class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.__dict__["used"] = Hidden()
        self.shown = Hidden()
        self.shown._weight_init()
    def forward(self, x):
        return self.used(x)
"""
    found = marks(PART, with_code(PART, code), told=False)
    assert audit.lost_in(found).keys() == {"conv-gan.DNet", "conv-gan.weight_init"}
    assert "does not depend on its weights" in audit.messages(found)


def test_the_tables_describe_the_reference() -> None:
    rng = Rng(5, "tables")
    ours = Line(Reference().send(), 0, reference=True).module("hw5_gan")
    for spec, model, x in (
        (conv_gan.DNET, ours.DNet(), rng.uniform(0, 1, 8, 1, 28, 28)),
        (conv_gan.gnet(7), ours.GNet(7), rng.normal(8, 7)),
    ):
        fill(model, 11)
        given = networks.run(spec.table, networks.parameters(spec.table, 11), x)
        assert networks.matches(given, model(x))
