"""The checks of the part autoencoder: right answers in many styles score full, mistakes cost where
they are, forged answers earn nothing.
"""

from __future__ import annotations

import re

import pytest

from autograder.checking.catalogue import Mistake
from autograder.grading.judge import SHAPELESS
from autograder.parts.autoencoder.mistakes import MISTAKES

from .autoencoder_marks import CHECKS, CODED, results
from .autoencoder_styles import RIGHT
from .vae_marks import SOURCE, lost_in, messages, with_code
from .vae_styles import IMPORTS


def test_every_coded_question_has_checks_and_mistakes() -> None:
    assert {check.question.split(".")[1] for check in CHECKS} == set(CODED)
    for question in CODED:
        assert sum(one.question == f"autoencoder.{question}" for one in MISTAKES) >= 4


@pytest.mark.parametrize("seed", range(20))
def test_the_reference_scores_full(seed: int) -> None:
    found = results(SOURCE, seed)
    assert lost_in(found) == {}, messages(found)


@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_scores_full(name: str, seed: int) -> None:
    found = results(RIGHT[name], seed)
    assert lost_in(found) == {}, messages(found)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.question}-{one.id}")
def test_a_mistake_costs_on_its_question_alone(mistake: Mistake) -> None:
    found = results(mistake.source(SOURCE))
    said = messages(found)
    assert lost_in(found).keys() == {mistake.question.split(".")[1]}, said
    assert mistake.sentence in said
    assert SHAPELESS not in said


def release() -> str:
    source = SOURCE.replace("TUNED_BETA = 0.105", "TUNED_BETA = None")
    return re.sub(
        r"( +)### BEGIN SOLUTION.*?### END SOLUTION",
        r"\1raise NotImplementedError",
        source,
        flags=re.DOTALL,
    )


def test_the_release_scores_nothing() -> None:
    found = results(release())
    assert lost_in(found) == CODED
    assert "not implemented" in messages(found)


def test_an_empty_file_scores_nothing() -> None:
    assert lost_in(results("import torch\n")) == CODED


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
    found = results(with_code(f"del {', '.join(names.split())}"))
    assert lost_in(found).keys() == questions, messages(found)


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
    found = results(with_code(f"_Right = BetaVAE\n{code}"))
    assert lost_in(found) == {"beta_vae": 1.0}, messages(found)


# Forged answers

VALUES = [
    "None",
    "0.0",
    "float('nan')",
    "'x'",
    "[]",
    "{}",
    "[0.0] * 6",
    "([0.0] * 4, [0.0] * 4)",
    "object()",
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
    "nn.Linear(2, 2)",
]


@pytest.mark.parametrize("value", VALUES)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    source = with_code(
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
    found = results(source)
    assert lost_in(found) == CODED, messages(found)


@pytest.mark.parametrize(
    "value", ["math.nan", "-math.inf", "10**400", "True", "1e-300", "1j", "[0.1]"]
)
def test_no_odd_beta_earns_a_mark(value: str) -> None:
    found = results(with_code(f"TUNED_BETA = {value}"))
    assert lost_in(found) == {"tuned_beta": 2.0}, messages(found)
