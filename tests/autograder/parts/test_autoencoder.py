"""The checks of the part autoencoder: what one question lacks costs nothing elsewhere, and forged
answers earn nothing.
"""

from __future__ import annotations

import pytest

from autograder.parts.autoencoder.styles import IMPORTS

from . import answers
from .answers import NO_ANSWERS, worth

PART = "autoencoder"
CODED = answers.coded(PART)


def lost_by(code: str) -> dict[str, float]:
    """Points lost by the reference with this code behind it."""
    return answers.lost(PART, answers.with_code(PART, code))


# What one question lacks costs nothing elsewhere


@pytest.mark.parametrize(
    "names, questions",
    [
        ("AEEncoder AEDecoder AutoEncoder", {"architecture"}),
        ("BetaVAE", {"beta_vae"}),
        ("ConditionalAEEncoder ConditionalAEDecoder", {"conditional"}),
        ("ConditionalBetaVAE", {"conditional"}),
        ("make_loader", {"loader"}),
        ("train_autoencoder", {"loop"}),
        ("train_beta_vae", {"beta_vae_loop", "conditional_loop"}),
        ("sample_prior", {"sample_prior"}),
    ],
)
def test_what_is_missing_costs_its_own_question(names: str, questions: set[str]) -> None:
    found = lost_by(f"del {', '.join(names.split())}")
    assert found.keys() == {f"{PART}.{question}" for question in questions}


def test_a_mistake_of_the_loss_that_is_inherited_costs_once() -> None:
    code = (
        "class BetaVAE(BetaVAE):\n"
        "    def loss(self, x, outputs):\n"
        "        total, terms = super().loss(x, outputs)\n"
        "        terms['kl_loss'] = -terms['kl_loss']\n"
        "        return terms['rec_loss'] + self.beta * terms['kl_loss'], terms\n"
        "ConditionalBetaVAE.loss = BetaVAE.loss\n"
    )
    code = code.replace("super()", "_Right").replace(".loss(x, outputs)", ".loss(self, x, outputs)")
    assert lost_by(f"_Right = BetaVAE\n{code}") == worth(CODED, **{f"{PART}.beta_vae": 1 / 7})


CALL = 'outputs = model(x, labels) if getattr(model, "conditional", False) else model(x)'


@pytest.mark.parametrize(
    "line",
    [
        CALL.replace("= model", "= modl").replace("else model", "else modl"),
        CALL.replace('getattr(model, "conditional", False)', "model.with_labels"),
        CALL.replace("(x", "(x.flaten(1)"),
        CALL.replace("labels)", "labels.to(device))").replace("(x)", "(x.to(device))"),
        f"y = labels.to(device); {CALL.replace('labels', 'y')}",
        f"{CALL}; outputs.wrong",
        "outputs = model(x, labels) if model.wrong else model(x)",
    ],
)
def test_a_crash_where_the_beta_vae_gets_its_labels_costs_its_loop_alone(line: str) -> None:
    found = answers.lost(PART, answers.edited(PART, (CALL, line)))
    assert found == worth(CODED, **{f"{PART}.beta_vae_loop": 1.0})


def test_a_crash_with_labels_alone_costs_what_is_asked_of_labels() -> None:
    found = answers.lost(PART, answers.edited(PART, (CALL, CALL.replace("= model", "= modl"))))
    assert found == worth(CODED, **{f"{PART}.conditional_loop": 1.0})


@pytest.mark.parametrize(
    "line",
    ["outputs = modl(x)", CALL.replace("labels", "labels.flip(0)").replace("= model", "= modl")],
)
def test_a_crash_does_not_hide_that_labels_are_wrong(line: str) -> None:
    crashing = f"{line}; outputs.wrong"
    found = answers.lost(PART, answers.edited(PART, (CALL, crashing)))
    assert found.keys() == {f"{PART}.beta_vae_loop", f"{PART}.conditional_loop"}


@pytest.mark.parametrize(
    "network, question, share",
    [("BetaVAE", "beta_vae", 1 / 7), ("AutoEncoder", "architecture", 1 / 6)],
)
def test_wrong_networks_that_share_weights_earn_no_more_than_wrong_ones(
    network: str, question: str, share: float
) -> None:
    code = (
        "KEPT = nn.Linear(784, 5), nn.Linear(32, 784)\n"
        "def init(self, nz, beta=1.0):\n"
        "    nn.Module.__init__(self)\n"
        "    self.nz, self.beta = nz, beta\n"
        "    self.encoder, self.decoder = KEPT\n"
        f"{network}.__init__ = init\n"
    )
    lost = lost_by(code)
    assert lost == worth(CODED, **{f"{PART}.{question}": share})


# Forged answers

VALUES = [
    *NO_ANSWERS,
    "0.0",
    "[0.0] * 6",
    "([0.0] * 4, [0.0] * 4)",
    "torch.zeros(())",
    "torch.zeros(5, 1, 28, 28)",
    "torch.zeros(600, 1, 28, 28)",
    "torch.full((4, 14), float('nan'))",
    "torch.zeros(4, 14, dtype=torch.int64)",
    "{'q': torch.zeros(600, 14), 'rec': torch.zeros(600, 1, 784)}",
    "{'q': None, 'rec': None}",
    "(torch.tensor(0.7), {'rec_loss': torch.tensor(0.7), 'kl_loss': torch.tensor(0.0)})",
    "[(torch.zeros(8, 1, 28, 28), torch.zeros(8))] * 6",
    "[(None, None)] * 6",
]


@pytest.mark.daily
@pytest.mark.parametrize("value", VALUES)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    found = lost_by(
        f"{IMPORTS}\nVALUE = {value}\nTUNED_BETA = 'x'\n"
        "class Model(nn.Module):\n"
        "    nz = 7\n"
        "    def __init__(self, *args, **kwargs): super().__init__()\n"
        "    def __call__(self, *args): return VALUE\n"
        "    encoder = decoder = loss = reconstruct = lambda self, *args: VALUE\n"
        "AEEncoder = AEDecoder = AutoEncoder = BetaVAE = Model\n"
        "ConditionalAEEncoder = ConditionalAEDecoder = ConditionalBetaVAE = Model\n"
        "make_loader = train_autoencoder = train_beta_vae = lambda *args: VALUE\n"
        "sample_prior = interpolate_embeddings = sample_digits = lambda *args: VALUE\n"
    )
    assert found == CODED


@pytest.mark.daily
@pytest.mark.parametrize(
    "value", ["math.nan", "-math.inf", "10**400", "True", "1e-300", "1j", "[0.1]"]
)
def test_no_odd_beta_earns_a_mark(value: str) -> None:
    assert lost_by(f"TUNED_BETA = {value}") == worth(CODED, **{f"{PART}.tuned_beta": 1.0})
