"""Right answers to the part vae-theory, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

IMPORTS = "import math\nimport numpy as np\n"


def _answer(question: str, id: str, arguments: str, *body: str) -> Style:
    """answer_<question> with these lines as its body, or the one expression that it returns."""
    lines = body if len(body) > 1 else (f"return {body[0]}",)
    code = "".join(f"    {line}\n" for line in lines)
    return Style(f"{question}-{id}", f"{IMPORTS}def answer_{question}({arguments}):\n{code}")


STYLES = (
    _answer("1b", "float", "latent_dimension=2", "float(latent_dimension)"),
    _answer("1b", "numpy", "d=2", "np.int64(d)"),
    _answer("1b", "tensor", "d=2", "torch.zeros(d).numel() + torch.tensor(0)"),
    _answer("1b", "shape", "d", "mu = torch.zeros(d)", "return mu.shape[0]"),
    _answer("1b", "difference", "d=2", "(d + d**2) - d**2  # the covariance matrix is known"),
    _answer("1g", "integer", "mu_phi, sigma_phi", "0"),
    _answer("1g", "tensor", "mu_phi, sigma_phi", "torch.tensor(0)"),
    _answer("1g", "formula", "m, s", "math.log(s / s) + (s**2 + (m - m)**2) / (2 * s**2) - 0.5"),
    _answer(
        "1g",
        "torch-distributions",
        "m, s",
        "q = torch.distributions.Normal(m, s)",
        "return torch.distributions.kl_divergence(q, q)",
    ),
    _answer(
        "1g", "tensors-only", "m, s", "torch.log(s) - torch.log(s) + (s**2) / (2 * s**2) - 0.5"
    ),
    _answer("1h", "numpy", "a, b, s", "np.square(a - b) / (2 * np.square(s))"),
    _answer("1h", "array", "a, b, s", "np.array([(a - b) ** 2 / (2 * s * s)])"),
    _answer("1h", "tensor", "a, b, s", "torch.tensor((b - a) ** 2 / (2 * s**2))"),
    _answer(
        "1h",
        "whole-formula",
        "a, b, s",
        "math.log(s / s) + (s**2 + (a - b)**2) / (2 * s**2) - 1 / 2",
    ),
    _answer(
        "1h",
        "torch-distributions",
        "a, b, s",
        "from torch.distributions import Normal, kl_divergence",
        "return kl_divergence(Normal(a, s), Normal(b, s))",
    ),
    _answer("1h", "tensors-only", "a, b, s", "torch.square(a - b) / torch.square(s) / 2"),
    _answer("1j", "float", "", "3.0"),
    _answer("1j", "array", "", "np.array(3)"),
    _answer("1j", "tensor", "", "torch.tensor([3])"),
    _answer(
        "1j",
        "looked-up",
        "",
        "terms = ('p(z)', 'p(x|z)', 'p(z|x)', 'p(x, z)')",
        "return 1 + terms.index('p(z|x)')",
    ),
)
