"""The checks of fc-vae: what one question lacks costs nothing elsewhere, tolerances, and objects
made to deceive.
"""

from __future__ import annotations

import pytest

from autograder import audit
from autograder.checking.catalogue import Style
from autograder.parts.fc_vae.styles import IMPORTS

from . import answers
from .answers import NO_ANSWERS, liar, worth

PART = "fc-vae"
CODED = {name.partition(".")[2]: points for name, points in answers.coded(PART).items()}


def with_code(code: str) -> str:
    return answers.with_code(PART, code)


def edited(*edits: tuple[str, str]) -> str:
    """The reference with these texts replaced wherever they stand."""
    return Style("edited", edits=edits).source(with_code(""))


def lost(source: str) -> dict[str, float]:
    """Question -> points lost, without the name of the part."""
    return {name.partition(".")[2]: lost for name, lost in answers.lost(PART, source).items()}


def shares_lost(source: str) -> dict[str, float]:
    """Question -> the share of its points that is lost."""
    found = answers.shares_lost(PART, source)
    return {name.partition(".")[2]: share for name, share in found.items()}


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


# What one question lacks costs nothing elsewhere


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
    others = dict.fromkeys(CODED.keys() - {"networks"}, 1.0)
    assert lost(source) == worth(CODED, **{**others, "cvae": 5 / 7})


@pytest.mark.parametrize(
    "edits",
    [
        [("nn.ReLU()", "nn.LeakyReLU(0.2)")],
        [("            nn.Sigmoid(),\n", "")],
        [("            nn.Unflatten(1, (1, 28, 28)),\n", "")],
    ],
)
def test_a_mistake_copied_to_the_cvae_costs_little_there(edits: list[tuple[str, str]]) -> None:
    found = shares_lost(edited(*edits))
    assert found.keys() == {"networks", "cvae"}
    assert found["cvae"] < 0.15


def test_a_missing_decoder_keeps_most_marks() -> None:
    """The notebook calls it; apart from that, the model is right."""
    source = edited(("self.decoder", "self.generator"))
    found = shares_lost(source)
    assert found.keys() == {"networks", "cvae"}
    assert found["networks"] < 0.125 and found["cvae"] < 0.15
    assert "decoder" in audit.messages(answers.marks(PART, source))


# Tolerances


@pytest.mark.daily
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
    assert shares_lost(source).get("forward", 0) >= 0.5


@pytest.mark.daily
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
    assert shares_lost(source).get("networks", 0) >= 0.25


@pytest.mark.parametrize("spread", ["0.9", "1.1"])
def test_a_spread_off_by_a_tenth_fails(spread: str) -> None:
    source = with_code(
        "def reparametrize(mu, logvar):\n"
        f"    return mu + {spread} * torch.exp(logvar / 2) * torch.randn_like(mu)\n"
    )
    assert lost(source) == worth(CODED, reparametrize=0.6)


# Objects made to deceive: no mark, and no blank either

LIAR = liar("[4, 7]")
VALUES = [
    *NO_ANSWERS,
    "0.0",
    "'x_hat'",
    "'x' * 10**6",
    "(1, 2, 3)",
    "[[[[[[[[[1]]]]]]]]]",
    "b'bytes'",
    "torch.zeros(())",
    "torch.full((4, 7), float('inf'))",
    "torch.zeros(4, 7, dtype=torch.int64)",
    "torch.zeros(4, 7, dtype=torch.complex64)",
    "torch.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)",
    "torch.zeros(4, 7).to_sparse()",
    "torch.zeros(4, 7).as_subclass(Liar)",
    "(torch.zeros(4, 1, 28, 28), torch.zeros(4, 7), torch.zeros(4, 7))",
    "(torch.zeros(4, 7).as_subclass(Liar),) * 3",
    "(None, None, None)",
]


@pytest.mark.daily
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


@pytest.mark.daily
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


def test_clamps_that_only_extreme_numbers_show_cost_their_questions() -> None:
    source = edited(
        ("torch.randn_like(sigma)", "torch.randn_like(sigma).clamp(-4, 4)"),
        ("binary_cross_entropy(x_hat,", "binary_cross_entropy(x_hat.clamp(1e-4, 1 - 1e-4),"),
        ("logvar = self.logvar_layer(hidden)", "logvar = self.logvar_layer(hidden).clamp(-10, 10)"),
    )
    shares = {"reparametrize": 0.6, "loss": 1 / 14, "forward": 0.5, "cvae": 2 / 7}
    assert lost(source) == worth(CODED, **shares)


def test_a_network_that_the_class_keeps_costs_half_of_its_check() -> None:
    assert lost(with_code(KEPT)) == worth(CODED, networks=1.5 / 8)


KEPT = """
class VAE(VAE):
    kept = None

    def __init__(self, *sizes, **named):
        super().__init__(*sizes, **named)
        VAE.kept = self.encoder = VAE.kept or self.encoder
"""
