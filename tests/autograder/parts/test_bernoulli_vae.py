"""The checks of bernoulli-vae: what one question lacks costs nothing elsewhere, tolerances, and
forged answers.
"""

from __future__ import annotations

import pytest

from autograder.parts.bernoulli_vae.styles import IMPORTS, OF_CLASS, elbo

from . import answers
from .answers import NO_ANSWERS, liar, shares_lost, worth

PART = "bernoulli-vae"
CODED = answers.coded(PART)


def with_code(code: str) -> str:
    return answers.with_code(PART, code)


def lost(source: str) -> dict[str, float]:
    return answers.lost(PART, source)


# What one question lacks costs nothing elsewhere


@pytest.mark.parametrize(
    "name",
    [
        "sample_diagonal_gaussian",
        "sample_Bernoulli",
        "logpdf_diagonal_gaussian",
        "logpdf_bernoulli",
        "elbo_loss",
    ],
)
def test_a_missing_method_costs_once(name: str) -> None:
    question = f"{PART}.{name}"
    assert lost(with_code(f"del BernoulliVAE.{name}")) == {question: CODED[question]}


def test_a_missing_decoder_costs_once() -> None:
    assert lost(with_code("del Decoder")) == worth(CODED, **{f"{PART}.decoder": 1.0})


@pytest.mark.parametrize("bound", ["", elbo("of-the-class", OF_CLASS).code])
def test_wrong_densities_do_not_cost_the_bound(bound: str) -> None:
    source = with_code(
        f"{bound}\n"
        "BernoulliVAE.logpdf_diagonal_gaussian = staticmethod(lambda z, mu, s: 0 * z.sum(1))\n"
        "BernoulliVAE.logpdf_bernoulli = staticmethod(lambda x, p: (x * p).sum(1))\n"
    )
    found = lost(source)
    assert found.keys() == {f"{PART}.logpdf_diagonal_gaussian", f"{PART}.logpdf_bernoulli"}
    assert min(found.values()) >= 2.5  # what is left is for a gradient that reaches p


@pytest.mark.parametrize(
    ("densities", "row"),
    [
        ("", ".sum(1)"),
        (".sum(1, keepdim=True)", ".squeeze(1)"),
        (".sum(1, keepdim=True)", "[:, 0]"),
    ],
)
def test_a_bound_that_makes_up_for_the_shape_of_its_densities_costs_nothing(
    densities: str, row: str
) -> None:
    source = with_code(
        "def q(z, mu, s):\n"
        f"    return (-0.5 * (torch.log(2 * math.pi * s) + (z - mu) ** 2 / s)){densities}\n"
        f"def b(x, p): return -F.binary_cross_entropy(p, x, reduction='none'){densities}\n"
        "def bound(self, z, mu, s, x, p):\n"
        "    log_q, log_p = self.logpdf_diagonal_gaussian, self.logpdf_bernoulli\n"
        f"    prior = log_q(z, 0 * mu, 0 * mu + 1){row}\n"
        f"    return (log_p(x, p){row} + prior - log_q(z, mu, s){row}).mean()\n"
        "BernoulliVAE.logpdf_diagonal_gaussian = staticmethod(q)\n"
        "BernoulliVAE.logpdf_bernoulli = staticmethod(b)\n"
        "BernoulliVAE.elbo_loss = bound\n"
    )
    assert f"{PART}.elbo_loss" not in lost(source)


def test_a_density_that_underflows_keeps_most() -> None:
    source = with_code(
        "def q(z, mu, s): return torch.exp(\n"
        "    -0.5 * (torch.log(2 * math.pi * s) + (z - mu) ** 2 / s)).prod(-1).log()\n"
        "BernoulliVAE.logpdf_diagonal_gaussian = staticmethod(q)\n"
    )
    assert lost(source) == worth(CODED, **{f"{PART}.logpdf_diagonal_gaussian": 1 / 6})


def test_the_naive_logarithm_costs_little() -> None:
    """The formula that the course itself prints is NaN only where p is 0 or 1."""
    source = with_code(
        "def naive(x, p): return torch.sum(x * torch.log(p) + (1 - x) * torch.log(1 - p), -1)\n"
        "BernoulliVAE.logpdf_bernoulli = staticmethod(naive)"
    )
    assert lost(source) == worth(CODED, **{f"{PART}.logpdf_bernoulli": 1 / 6})


def test_terms_of_its_own_are_summed_over_pixels() -> None:
    bound = elbo(
        "means",
        "q = Normal(mu, sigma_square.sqrt()).log_prob(sampled_z).mean(1); "
        "r = Normal(0.0, 1.0).log_prob(sampled_z).mean(1); "
        "b = (x * p.log() + (1 - x) * (1 - p).log()).mean(1); return (b + r - q).mean()",
    )
    assert lost(with_code(bound.code)) == worth(CODED, **{f"{PART}.elbo_loss": 0.75})


def test_a_bound_of_nothing_earns_nothing_by_its_densities() -> None:
    bound = elbo("nothing", OF_CLASS.replace("return ", "return 0 * "))
    source = with_code(
        f"{bound.code}\n"
        "BernoulliVAE.logpdf_bernoulli = staticmethod(lambda x, p: 0 * p.sum(1))\n"
        "BernoulliVAE.logpdf_diagonal_gaussian = staticmethod(lambda z, m, v: 0 * z.sum(1))\n"
    )
    assert lost(source)[f"{PART}.elbo_loss"] == CODED[f"{PART}.elbo_loss"]


# Tolerances


@pytest.mark.parametrize("name", ["logpdf_bernoulli", "logpdf_diagonal_gaussian"])
@pytest.mark.parametrize("change", ["* 1.001", "* 0.999", "+ 0.5", "+ x.mean()"])
def test_near_misses_of_the_densities_fail(name: str, change: str) -> None:
    source = with_code(
        f"right = BernoulliVAE.{name}\n"
        f"def near(x, *rest): return right(x, *rest) {change}\n"
        f"BernoulliVAE.{name} = staticmethod(near)\n"
    )
    assert shares_lost(PART, source)[f"{PART}.{name}"] > 0.6


@pytest.mark.parametrize("spread", ["0.85", "1.15"])
def test_a_spread_off_by_a_seventh_fails(spread: str) -> None:
    source = with_code(
        "def near(mu, s): return mu + "
        f"{spread} * s.sqrt() * torch.randn_like(mu)\n"
        "BernoulliVAE.sample_diagonal_gaussian = staticmethod(near)"
    )
    assert shares_lost(PART, source)[f"{PART}.sample_diagonal_gaussian"] > 0.3


@pytest.mark.parametrize("p", ["p * 0.8", "(p + 0.5) / 2", "p.mean() + 0 * p", "p**2"])
def test_another_probability_fails(p: str) -> None:
    source = with_code(
        f"def near(p): return (torch.rand_like(p) < {p}).float()\n"
        "BernoulliVAE.sample_Bernoulli = staticmethod(near)"
    )
    assert shares_lost(PART, source)[f"{PART}.sample_Bernoulli"] > 0.3


# Objects made to deceive: no mark, and no blank either

LIAR = liar("[6]")
VALUES = [
    *NO_ANSWERS,
    "0.0",
    "-543.4273",
    "-1.8379",
    "(1, 2, 3)",
    "torch.zeros(())",
    "torch.tensor(-543.4273)",
    "torch.full((6,), -1.8379)",
    "torch.full((5,), float('nan'))",
    "torch.full((5,), float('inf'))",
    "torch.zeros(5, dtype=torch.int64)",
    "torch.zeros(5, dtype=torch.complex64)",
    "torch.full((4, 784), 0.5)",
    "torch.full((64, 64), 0.5)",
    "torch.zeros(6).to_sparse()",
    "torch.zeros(6).as_subclass(Liar)",
]


@pytest.mark.daily
@pytest.mark.parametrize("value", VALUES)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    source = with_code(
        f"{IMPORTS}{LIAR}\nVALUE = {value}\n"
        "class Decoder(nn.Module):\n"
        "    def __init__(self, *args):\n"
        "        super().__init__()\n"
        "        self.fc1, self.fc2 = nn.Linear(args[0], args[1]), nn.Linear(args[1], args[2])\n"
        "    def forward(self, z): return VALUE\n"
        "class BernoulliVAE(nn.Module):\n"
        "    def __init__(self, *args): super().__init__()\n"
        "    sample_diagonal_gaussian = sample_Bernoulli = logpdf_diagonal_gaussian = "
        "staticmethod(lambda *a: VALUE)\n"
        "    logpdf_bernoulli = staticmethod(lambda *a: VALUE)\n"
        "    def elbo_loss(self, *args): return VALUE\n"
    )
    assert lost(source) == CODED


@pytest.mark.daily
@pytest.mark.parametrize("value", VALUES)
def test_no_object_in_the_place_of_a_class_earns_a_mark(value: str) -> None:
    source = with_code(
        f"{IMPORTS}{LIAR}\nVALUE = {value}\n"
        "Decoder = BernoulliVAE = lambda *args: VALUE\n"
        "for _name in ('sample_diagonal_gaussian', 'sample_Bernoulli', 'logpdf_bernoulli',\n"
        "              'logpdf_diagonal_gaussian'):\n"
        "    setattr(BernoulliVAE, _name, BernoulliVAE)\n"
    )
    assert lost(source) == CODED


@pytest.mark.parametrize(
    "claim",
    [
        "[]",
        "None",
        "1 / 0",
        "[None]",
        "[torch.zeros(4, 4)]",
        "[torch.zeros(())] * 4",
        "[torch.zeros(1).expand(500, 2), torch.zeros(1).expand(500)] * 2",
        "[torch.zeros(1)] * 5000",
    ],
)
def test_no_claim_about_parameters_earns_a_mark(claim: str) -> None:
    source = with_code(
        "class Decoder(nn.Module):\n"
        "    def __init__(self, *sizes):\n"
        "        super().__init__()\n"
        "        self.data = sizes[-1]\n"
        f"    def parameters(self, recurse=True): return iter({claim})\n"
        "    def forward(self, z): return torch.full((len(z), self.data), 0.5)\n"
    )
    assert lost(source) == worth(CODED, **{f"{PART}.decoder": 1.0})


def test_clamps_that_only_extreme_numbers_show_cost_their_questions() -> None:
    source = answers.edited(
        PART,
        (
            "* torch.randn_like(mu)\n        ### END",
            "* torch.randn_like(mu).clamp(-4, 4)\n        ### END",
        ),
        ("binary_cross_entropy(p,", "binary_cross_entropy(p.clamp(1e-4, 1 - 1e-4),"),
        ("torch.tanh(self.fc1(z))))", "torch.tanh(self.fc1(z)))).clamp(1e-3, 1 - 1e-3)"),
    )
    questions = {"sample_diagonal_gaussian", "logpdf_bernoulli", "decoder"}
    assert lost(source).keys() == {f"{PART}.{name}" for name in questions}
