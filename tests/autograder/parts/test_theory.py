"""The checks of vae-theory and gan-theory: closed forms, however they are written."""

from __future__ import annotations

import pytest

from autograder.checking.catalogue import Mistake
from autograder.grading.judge import SHAPELESS
from autograder.parts.gan_theory import mistakes as gan_theory
from autograder.parts.vae_theory import mistakes as vae_theory

from .theory_marks import CHECKS, SOURCES, coded, lost, messages, release, results, with_code

MODULE = {"vae-theory": "hw5_vae", "gan-theory": "hw5_gan"}
MISTAKES = (*vae_theory.MISTAKES, *gan_theory.MISTAKES)
CODED = coded(*MODULE)

RIGHT = {
    "1b: a float": "def answer_1b(latent_dimension=2): return float(latent_dimension)",
    "1b: numpy": "def answer_1b(d=2): return np.int64(d)",
    "1b: a tensor": "def answer_1b(d=2): return torch.zeros(d).numel() + torch.tensor(0)",
    "1g: an integer": "def answer_1g(mu_phi, sigma_phi): return 0",
    "1g: a tensor": "def answer_1g(mu_phi, sigma_phi): return torch.tensor(0)",
    "1g: the formula": (
        "def answer_1g(m, s): return math.log(s / s) + (s**2 + (m - m)**2) / (2 * s**2) - 0.5"
    ),
    "1g: torch's own": (
        "def answer_1g(m, s):\n"
        "    q = torch.distributions.Normal(m, s)\n"
        "    return torch.distributions.kl_divergence(q, q)"
    ),
    "1g: logarithms of tensors": (
        "def answer_1g(m, s): return torch.log(s) - torch.log(s) + (s**2) / (2 * s**2) - 0.5"
    ),
    "1h: numpy": "def answer_1h(a, b, s): return np.square(a - b) / (2 * np.square(s))",
    "1h: a numpy array": "def answer_1h(a, b, s): return np.array([(a - b) ** 2 / (2 * s * s)])",
    "1h: a tensor": "def answer_1h(a, b, s): return torch.tensor((b - a) ** 2 / (2 * s**2))",
    "1h: the whole formula": (
        "def answer_1h(a, b, s): return math.log(s / s) + (s**2 + (a - b)**2) / (2 * s**2) - 1 / 2"
    ),
    "1h: torch's own": (
        "def answer_1h(a, b, s):\n"
        "    from torch.distributions import Normal, kl_divergence\n"
        "    return kl_divergence(Normal(a, s), Normal(b, s))"
    ),
    "1h: tensors only": "def answer_1h(a, b, s): return torch.square(a - b) / torch.square(s) / 2",
    "1j: a float": "def answer_1j(): return 3.0",
    "1j: numpy": "def answer_1j(): return np.array(3)",
    "3e: a list": "def answer_3e(): return [float('inf'), np.inf, 1 / 2, 1]",
    "3e: a dict": ("def answer_3e(): return {'a': math.inf, 'b': math.inf, 'c': 0.5, 'd': 1}"),
    "3e: an array": "def answer_3e(): return np.array([np.inf, np.inf, 0.5, 1.0])",
    "3e: a tensor": "def answer_3e(): return torch.tensor([torch.inf, torch.inf, 0.5, 1.0])",
    "3e: tensors": "def answer_3e(): return tuple(map(torch.tensor, (math.inf, math.inf, 0.5, 1)))",
}
IMPORTS = "import math\nimport numpy as np\n"


def part_of(question: str) -> str:
    return "gan-theory" if question.startswith(("3", "gan")) else "vae-theory"


def marked(question: str, code: str, seed: int = 1) -> tuple[dict[str, float], str]:
    """Points lost by the reference with this code behind it, and what is said."""
    part = part_of(question)
    found = results(with_code(IMPORTS + code, MODULE[part]), part, seed=seed)
    return lost(found), messages(found)


def test_every_coded_question_has_checks_and_mistakes() -> None:
    assert {check.question for check in CHECKS} >= set(CODED)
    for question in CODED:
        assert sum(mistake.question == question for mistake in MISTAKES) >= 4


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("part", MODULE)
def test_the_reference_scores_full(part: str, seed: int) -> None:
    found = results(SOURCES[MODULE[part]], part, seed=seed)
    assert lost(found) == {}, messages(found)


@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_scores_full(name: str, seed: int) -> None:
    found, said = marked(name, RIGHT[name], seed)
    assert found == {}, said


@pytest.mark.parametrize("seed", (1, 2, 3))
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.question}-{one.id}")
def test_a_mistake_costs_on_its_question_alone(mistake: Mistake, seed: int) -> None:
    part = part_of(mistake.question)
    found = results(mistake.source(SOURCES[MODULE[part]]), part, seed=seed)
    said = messages(found)
    assert lost(found).keys() == {mistake.question}, said
    assert mistake.sentence in said
    assert SHAPELESS not in said


@pytest.mark.parametrize("part", MODULE)
def test_the_release_scores_nothing(part: str) -> None:
    found = results(release(MODULE[part]), part)
    assert lost(found) == coded(part)
    assert "not implemented" in messages(found)


VALUES = [
    "None",
    "True",
    "-1",
    "7.25",
    "10**400",
    "float('nan')",
    "-math.inf",
    "'0'",
    "object()",
    "[]",
    "{}",
    "(None,) * 4",
    "(0.0,) * 4",
    "(math.inf,) * 4",
    "(math.nan,) * 4",
    "('inf', 'inf', '0.5', '1')",
    "{1: 2}",
    "lambda *a: 0",
    "torch.zeros(0)",
    "torch.zeros(2, 2)",
    "torch.tensor(float('nan'))",
    "torch.zeros(4, dtype=torch.complex64)",
    "torch.zeros(1, dtype=torch.complex64)",
    "torch.zeros(4).to_sparse()",
    "nn.Linear(2, 2)",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("part", MODULE)
def test_no_returned_object_earns_a_mark(part: str, value: str) -> None:
    names = [question.split(".")[1] for question in coded(part)]
    code = f"{IMPORTS}VALUE = {value}\n" + "".join(
        f"def answer_{name}(*args): return VALUE\n" for name in names
    )
    found = results(with_code(code, MODULE[part]), part)
    assert lost(found) == coded(part), messages(found)


def test_the_seeds_own_two_is_no_answer_for_every_dimension() -> None:
    found, said = marked("1b", "def answer_1b(latent_dimension=2): return 2")
    assert found == {"vae-theory.1b": 1.0}
    assert "latent_dimension says how many" in said


@pytest.mark.parametrize("change", ["* 1.001", "* 0.999", "+ 0.01"])
def test_near_misses_of_1h_fail(change: str) -> None:
    found, _ = marked("1h", f"def answer_1h(a, b, s): return (a - b) ** 2 / (2 * s**2) {change}")
    assert found == {"vae-theory.1h": 2.0}


@pytest.mark.parametrize(
    "answers, points",
    [
        ("math.inf, math.inf, 0.5, 0.9", 0.75),
        ("0.5 * math.log(2), math.inf, 0.25, 1.0", 1.5),
        ("math.inf, 3.0, 0.25, 0.75", 2.25),
        ("1.0, 2.0, 3.0, 4.0", 3.0),
        ("math.inf, math.inf, 0.5", 3.0),
    ],
)
def test_each_number_of_3e_counts_on_its_own(answers: str, points: float) -> None:
    found, _ = marked("3e", f"def answer_3e(): return {answers}")
    assert found == {"gan-theory.3e": points}
