"""The checks of fc-vae: right answers in many styles score full, mistakes cost where they are."""

from __future__ import annotations

import re

import pytest

from autograder.checking.catalogue import Mistake
from autograder.grading.judge import SHAPELESS
from autograder.parts.fc_vae.mistakes import MISTAKES

from .vae_marks import CHECKS, PART, SOURCE, edited, lost, lost_in, messages, results, with_code
from .vae_styles import IMPORTS, RIGHT

CODED = {
    question.id: question.points
    for question in PART.questions
    if question.kind not in ("info", "manual")
}


def test_every_coded_question_has_checks_and_mistakes() -> None:
    assert {check.question.split(".")[1] for check in CHECKS} == set(CODED)
    for question in CODED:
        assert sum(mistake.question == f"fc-vae.{question}" for mistake in MISTAKES) >= 4
    assert all(check.title.endswith(".") for check in CHECKS)


@pytest.mark.parametrize("seed", range(20))
def test_the_reference_scores_full(seed: int) -> None:
    assert lost(SOURCE, seed) == {}


@pytest.mark.filterwarnings("ignore:size_average")
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_scores_full(name: str) -> None:
    found = results(RIGHT[name])
    assert lost_in(found) == {}, messages(found)


@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.question}-{one.id}")
def test_a_mistake_costs_on_its_question_alone(mistake: Mistake, seed: int) -> None:
    found = results(mistake.source(SOURCE), seed)
    said = messages(found)
    assert {f"fc-vae.{name}" for name in lost_in(found)} == {mistake.question}, said
    assert mistake.sentence in said
    assert SHAPELESS not in said


ODDITIES = {
    "weights that two layers share": (
        "networks",
        "_init = VAE.__init__\ndef _shared(self, *args, **kwargs):\n"
        "    _init(self, *args, **kwargs)\n    self.encoder[5] = self.encoder[3]\n"
        "VAE.__init__ = _shared",
        "2 Linear layers",
    ),
    "a sample of two things": (
        "reparametrize",
        "def reparametrize(mu, logvar): return mu, logvar",
        "should be a tensor, not a tuple",
    ),
    "a sampler without return": ("reparametrize", "def reparametrize(mu, logvar): pass", "None"),
    "a forward pass without return": (
        "forward",
        "def _nothing(self, x): pass\nVAE.forward = _nothing",
        "returns one thing",
    ),
    "a loss of zero": (
        "loss",
        "_loss = loss_function\ndef loss_function(*args): return 0 * _loss(*args)",
        "",
    ),
    "a class without layers": ("cvae", "class CVAE(nn.Module): pass", ""),
}


@pytest.mark.parametrize("name", ODDITIES)
def test_what_is_no_edit_of_the_reference_costs_on_its_question_too(name: str) -> None:
    question, code, says = ODDITIES[name]
    found = results(with_code(code))
    said = messages(found)
    assert lost_in(found).keys() == {question}, said
    assert says in said
    assert SHAPELESS not in said


def test_the_release_scores_nothing() -> None:
    stub = re.sub(
        r"### BEGIN SOLUTION.*?### END SOLUTION",
        "raise NotImplementedError",
        SOURCE,
        flags=re.DOTALL,
    )
    # At module level a stub is None, so that the file still loads.
    found = results(re.sub(r"^raise NotImplementedError", "TUNED_BETA = None", stub, flags=re.M))
    assert lost_in(found) == CODED
    assert "not implemented" in messages(found)


def test_an_empty_file_scores_nothing() -> None:
    assert lost("import torch\n") == CODED


STARTER = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.hidden_dim = self.encoder = self.mu_layer = self.logvar_layer = self.decoder = None

    def forward(self, x):
        x_hat = mu = logvar = None
        return x_hat, mu, logvar


class CVAE(VAE):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__(input_size, latent_size)

    def forward(self, x, c):
        x_hat = mu = logvar = None
        return x_hat, mu, logvar


def reparametrize(mu, logvar):
    z = None
    return z


def loss_function(x_hat, x, mu, logvar):
    loss = None
    return loss
"""


def test_a_starter_full_of_none_scores_nothing() -> None:
    assert lost(with_code(IMPORTS + STARTER)) == CODED


# What one part lacks costs nothing elsewhere


def test_forward_needs_no_reparametrize() -> None:
    source = with_code("del reparametrize")
    assert lost(source).keys() == {"reparametrize"}


def test_forward_alone_keeps_its_marks() -> None:
    """Networks that were never written do not cost the forward pass again."""
    bare = with_code(
        "def _bare(self, input_size, latent_size=15):\n"
        "    nn.Module.__init__(self)\n"
        "    self.encoder = self.mu_layer = self.logvar_layer = self.decoder = None\n"
        "VAE.__init__ = _bare"
    )
    assert lost(bare) == {"networks": CODED["networks"]}


def test_networks_alone_keep_their_marks() -> None:
    source = with_code("del VAE.forward\ndel CVAE.forward\ndel reparametrize\ndel loss_function")
    assert lost(source) == {
        name: CODED[name] for name in CODED if name not in ("networks", "cvae")
    } | {"cvae": 7.0}


@pytest.mark.parametrize(
    "edits",
    [
        [("nn.ReLU()", "nn.LeakyReLU(0.2)")],
        [("            nn.Sigmoid(),\n", "")],
        [("            nn.Unflatten(1, (1, 28, 28)),\n", "")],
    ],
)
def test_a_mistake_copied_to_the_cvae_costs_little_there(edits: list[tuple[str, str]]) -> None:
    found = lost(edited(*edits))
    assert found.keys() == {"networks", "cvae"}
    assert found["cvae"] <= 1


def test_a_missing_decoder_keeps_most_marks() -> None:
    """The notebook calls it; apart from that, the model is right."""
    marked = results(edited(("self.decoder", "self.generator")))
    found = lost_in(marked)
    assert found.keys() == {"networks", "cvae"}
    assert found["networks"] < 1 and found["cvae"] <= 1
    assert "decoder" in messages(marked)


# Tolerances


@pytest.mark.parametrize(
    "body",
    [
        "return tuple(torch.zeros_like(one) for one in _right(self, x))",
        "x_hat, mu, logvar = _right(self, x); return x, mu, logvar",
        "return tuple(one.mean() + 0 * one for one in _right(self, x))",
        "return tuple(one.mean(0, keepdim=True) + 0 * one for one in _right(self, x))",
        "self.kept = getattr(self, 'kept', None) or _right(self, torch.rand(4, 1, 28, 28)); "
        "return self.kept",
        "return tuple(one * 1.001 for one in _right(self, x))",
        "return tuple(one + 1e-3 for one in _right(self, x))",
        "return tuple(one.flip(0) for one in _right(self, x))",
    ],
)
def test_near_misses_of_the_forward_pass_fail(body: str) -> None:
    source = with_code(
        f"_right = VAE.forward\ndef _forward(self, x):\n    {body}\nVAE.forward = _forward"
    )
    assert lost(source).get("forward", 0) >= 2


@pytest.mark.parametrize("part", ["encoder", "mu_layer", "decoder"])
@pytest.mark.parametrize(
    "body",
    [
        "torch.zeros_like(out)",
        "out.mean() + 0 * out",
        "out.mean(0, keepdim=True) + 0 * out",
        "out * 1.001",
        "out.flip(0)",
        "torch.full_like(out, math.nan)",
        "out.sign() * math.inf",
    ],
)
def test_near_misses_of_the_networks_fail(part: str, body: str) -> None:
    source = with_code(
        f"{IMPORTS}\n_init = VAE.__init__\ndef _new(self, *args, **kwargs):\n"
        f"    _init(self, *args, **kwargs)\n"
        f"    self.{part}.register_forward_hook(lambda layer, x, out: {body})\n"
        "VAE.__init__ = _new"
    )
    assert lost(source).get("networks", 0) >= 2


@pytest.mark.parametrize("factor", ["0.999", "1.001"])
@pytest.mark.parametrize("term", ["b", "kl"])
def test_near_misses_of_the_loss_fail(term: str, factor: str) -> None:
    source = with_code(
        "def loss_function(x_hat, x, mu, logvar):\n"
        "    b = F.binary_cross_entropy(x_hat, x, reduction='sum') / len(x)\n"
        "    kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp()) / len(x)\n"
        f"    {term} = {factor} * {term}\n"
        "    return b + kl\n"
    )
    assert lost(source).keys() == {"loss"}


@pytest.mark.parametrize("spread", ["0.9", "1.1"])
def test_a_spread_off_by_a_tenth_fails(spread: str) -> None:
    source = with_code(
        "def reparametrize(mu, logvar):\n"
        f"    return mu + {spread} * torch.exp(logvar / 2) * torch.randn_like(mu)\n"
    )
    assert lost(source) == {"reparametrize": 3.0}


# Objects made to deceive: no mark, and no blank either

LIAR = """
class Liar(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True
    def __eq__(self, other):
        return True
    shape = property(lambda self: torch.Size([4, 7]))
    def __float__(self):
        return 0.0
"""
VALUES = [
    "None",
    "True",
    "0.0",
    "float('nan')",
    "'x_hat'",
    "'x' * 10**6",
    "object()",
    "[]",
    "{}",
    "(1, 2, 3)",
    "[[[[[[[[[1]]]]]]]]]",
    "b'bytes'",
    "lambda *a: 0",
    "torch.zeros(())",
    "torch.zeros(0)",
    "torch.tensor(float('nan'))",
    "torch.full((4, 7), float('inf'))",
    "torch.zeros(4, 7, dtype=torch.int64)",
    "torch.zeros(4, 7, dtype=torch.complex64)",
    "torch.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)",
    "torch.zeros(4, 7).to_sparse()",
    "torch.zeros(1).expand(2**40)",
    "torch.zeros(4, 7).as_subclass(Liar)",
    "(torch.zeros(4, 1, 28, 28), torch.zeros(4, 7), torch.zeros(4, 7))",
    "(torch.zeros(4, 7).as_subclass(Liar),) * 3",
    "(None, None, None)",
    "nn.Linear(2, 2)",
]


@pytest.mark.parametrize("value", VALUES)
def test_no_returned_object_earns_a_mark(value: str) -> None:
    source = with_code(
        f"{IMPORTS}{LIAR}\nVALUE = {value}\n"
        "def reparametrize(*args): return VALUE\n"
        "def loss_function(*args): return VALUE\n"
        "class VAE(nn.Module):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__()\n"
        "    def __call__(self, *args): return VALUE\n"
        "    encoder = mu_layer = logvar_layer = decoder = lambda self, *args: VALUE\n"
        "CVAE = VAE\n"
    )
    assert lost(source) == CODED


CLAIMS = [
    "[]",
    "None",
    "1 / 0",
    "[None]",
    "['weight']",
    "[torch.zeros(4, 4)]",
    "[torch.zeros(())] * 18",
    "[torch.zeros(0, 10**12), torch.zeros(0)]",
    "[torch.zeros(1).expand(4096, 4096), torch.zeros(1).expand(4096)] * 9",
    "[torch.zeros(1).expand(7, 784), torch.zeros(1).expand(7)] * 1000",
    "[torch.zeros(1)] * 5000",
]


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_claim_about_parameters_earns_a_mark(claim: str) -> None:
    source = with_code(
        f"{IMPORTS}\nclass VAE(nn.Module):\n"
        "    def __init__(self, *args, **kwargs):\n"
        "        super().__init__()\n"
        "        self.encoder = self.mu_layer = self.logvar_layer = self.decoder = Liar()\n"
        f"    def parameters(self, recurse=True): return iter({claim})\n"
        "    def forward(self, x, *c):\n"
        "        code = torch.zeros(len(x), 7)\n"
        "        return torch.zeros(len(x), 1, 28, 28), code, code + 1\n"
        "class Liar(nn.Module):\n"
        f"    def parameters(self, recurse=True): return iter({claim})\n"
        "    def forward(self, x): return torch.zeros(len(x), 400)\n"
        "CVAE = VAE\n"
    )
    found = lost(source)
    assert {name: found[name] for name in ("networks", "cvae")} == {
        name: CODED[name] for name in ("networks", "cvae")
    }


def test_a_model_that_ignores_what_is_set_earns_nothing_by_it() -> None:
    source = with_code(
        "def _deaf(self, name, value):\n"
        "    if name not in self._modules: nn.Module.__setattr__(self, name, value)\n"
        "VAE.__setattr__ = _deaf"
    )
    assert lost(source) == {}
