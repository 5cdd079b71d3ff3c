"""Right answers to the part bernoulli-vae, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

IMPORTS = (
    "import numpy as np\nfrom torch.distributions import Bernoulli, Independent, "
    "MultivariateNormal, Normal\n"
)

# As the course itself answers, but for p = 0 and 1.
OFFICIAL = """
class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super(Decoder, self).__init__()
        self.fc1 = nn.Linear(latent_dimension, hidden_units)
        self.fc2 = nn.Linear(hidden_units, data_dimension)

    def forward(self, z):
        hidden = torch.tanh(self.fc1(z))
        y = torch.sigmoid(self.fc2(hidden))
        return y


def logpdf_diagonal_gaussian(z, mu, sigma_square):
    log_det_sigma = torch.sum(torch.log(sigma_square), -1)
    z_mu_diff = z - mu
    sigma_inverse = 1 / sigma_square
    k = z.shape[-1]
    s = z_mu_diff.shape[-1]
    logprob = -0.5 * (log_det_sigma + torch.bmm(z_mu_diff.view(-1, 1, s),
                      (sigma_inverse * z_mu_diff).view(-1, s, 1)).view(-1)
                      + k * np.log(np.pi * 2))
    return logprob


def logpdf_bernoulli(x, p):
    p = torch.clamp(p, 1e-6, 1 - 1e-6)
    return torch.sum(x * torch.log(p) + (1 - x) * torch.log(1 - p), -1)


def sample_diagonal_gaussian(mu, sigma_square):
    return mu + torch.sqrt(sigma_square) * torch.randn(sigma_square.shape)


def sample_Bernoulli(p):
    x = torch.rand(p.shape)
    x = (x < p).float()
    return x


def elbo_loss(self, sampled_z, mu, sigma_square, x, p):
    log_q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square)
    z_mu = torch.FloatTensor([0] * self.latent_dimension)
    z_sigma = torch.FloatTensor([1] * self.latent_dimension)
    log_p_z = self.logpdf_diagonal_gaussian(sampled_z, z_mu, z_sigma)
    log_p = self.logpdf_bernoulli(x, p)
    elbo = torch.mean(-log_q + log_p_z + log_p)
    return elbo


STATICS = (logpdf_diagonal_gaussian, logpdf_bernoulli, sample_diagonal_gaussian, sample_Bernoulli)
for function in STATICS:
    setattr(BernoulliVAE, function.__name__, staticmethod(function))
BernoulliVAE.elbo_loss = elbo_loss
"""

WITH_SELF = """
def sample_diagonal_gaussian(self, mu, sigma_square):
    std = sigma_square ** 0.5
    eps = torch.normal(torch.zeros_like(mu), torch.ones_like(mu))
    return eps.mul(std).add(mu)


def sample_Bernoulli(self, p):
    return torch.bernoulli(p)


def logpdf_diagonal_gaussian(self, z, mu, sigma_square):
    constant = 0.5 * np.log(2 * np.pi)
    return torch.sum(-constant - 0.5 * torch.log(sigma_square)
                     - (z - mu).pow(2) / (2 * sigma_square), dim=1)


def logpdf_bernoulli(self, x, p):
    return -F.binary_cross_entropy(p, x, reduction="none").sum(dim=1)


STATICS = (logpdf_diagonal_gaussian, logpdf_bernoulli, sample_diagonal_gaussian, sample_Bernoulli)
for function in STATICS:
    setattr(BernoulliVAE, function.__name__, function)
"""

DISTRIBUTIONS = """
class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(latent_dimension, hidden_units), nn.Tanh(),
                                 nn.Linear(hidden_units, data_dimension), nn.Sigmoid())

    def forward(self, z):
        return self.net(z)


def sample_diagonal_gaussian(mu, sigma_square):
    return Normal(mu, sigma_square.sqrt()).rsample()


def sample_Bernoulli(p):
    return Bernoulli(probs=p).sample()


def logpdf_diagonal_gaussian(z, mu, sigma_square):
    return Independent(Normal(mu, torch.sqrt(sigma_square)), 1).log_prob(z)


def logpdf_bernoulli(x, p):
    return Bernoulli(probs=p).log_prob(x).sum(-1)


STATICS = (logpdf_diagonal_gaussian, logpdf_bernoulli, sample_diagonal_gaussian, sample_Bernoulli)
for function in STATICS:
    setattr(BernoulliVAE, function.__name__, staticmethod(function))
"""

BARE = """
class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.W = nn.Parameter(torch.randn(hidden_units, latent_dimension))
        self.b = nn.Parameter(torch.zeros(hidden_units))
        self.V = nn.Parameter(torch.randn(data_dimension, hidden_units))
        self.c = nn.Parameter(torch.zeros(data_dimension))

    def forward(self, z):
        hidden = torch.tanh(F.linear(z, self.W, self.b))
        return 1 / (1 + torch.exp(-F.linear(hidden, self.V, self.c)))
"""

LATER_LAYER_FIRST = """
class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.out = nn.Linear(hidden_units, data_dimension)
        self.hidden = nn.Linear(latent_dimension, hidden_units)
        self.tanh, self.sigmoid = nn.Tanh(), nn.Sigmoid()

    def forward(self, z):
        print("z", z.shape)
        return self.sigmoid(self.out(self.tanh(self.hidden(z))))
"""

LOOPS = """
def logpdf_diagonal_gaussian(z, mu, sigma_square):
    mu, sigma_square = mu.expand_as(z), sigma_square.expand_as(z)
    rows = []
    for i in range(len(z)):
        total = 0
        for j in range(z.shape[1]):
            s = sigma_square[i, j]
            total = total - (z[i, j] - mu[i, j]) ** 2 / (2 * s) - 0.5 * torch.log(2 * math.pi * s)
        rows.append(total)
    return torch.stack(rows)


def logpdf_bernoulli(x, p):
    eps = 1e-7
    return torch.stack([(torch.xlogy(a, b + eps) + torch.xlogy(1 - a, 1 - b + eps)).sum()
                        for a, b in zip(x, p)])


BernoulliVAE.logpdf_diagonal_gaussian = staticmethod(logpdf_diagonal_gaussian)
BernoulliVAE.logpdf_bernoulli = staticmethod(logpdf_bernoulli)
"""


def _code(id: str, code: str) -> Style:
    return Style(id, IMPORTS + code)


def _static(name: str, arguments: str, id: str, body: str) -> Style:
    return _code(
        id,
        f"\ndef other({arguments}):\n    {body}\nBernoulliVAE.{name} = staticmethod(other)\n",
    )


def _sample(id: str, body: str) -> Style:
    return _static("sample_diagonal_gaussian", "mu, sigma_square", id, body)


def _pixels(id: str, body: str) -> Style:
    return _static("sample_Bernoulli", "p", id, body)


def _gaussian(id: str, body: str) -> Style:
    return _static("logpdf_diagonal_gaussian", "z, mu, sigma_square", id, body)


def _bernoulli(id: str, body: str) -> Style:
    return _static("logpdf_bernoulli", "x, p", id, body)


def elbo(id: str, body: str) -> Style:
    """elbo_loss with this body."""
    return _code(
        id,
        f"\ndef elbo_loss(self, sampled_z, mu, sigma_square, x, p):\n    {body}\n"
        "BernoulliVAE.elbo_loss = elbo_loss\n",
    )


OF_CLASS = (
    "q = BernoulliVAE.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square); "
    "r = BernoulliVAE.logpdf_diagonal_gaussian(sampled_z, torch.zeros_like(mu), "
    "torch.ones_like(mu)); return torch.mean(BernoulliVAE.logpdf_bernoulli(x, p) + r - q)"
)
OF_TYPE = OF_CLASS.replace("BernoulliVAE", "type(self)")

STYLES: tuple[Style, ...] = (
    _code("the-courses-own", OFFICIAL),
    _code("methods-with-self", WITH_SELF),
    _code("torchs-distributions", DISTRIBUTIONS),
    _code("bare-parameters", BARE),
    _code("the-later-layer-first", LATER_LAYER_FIRST),
    _code("loops", LOOPS),
    _sample(
        "a-covariance-matrix",
        "return MultivariateNormal(mu, torch.diag_embed(sigma_square)).rsample()",
    ),
    _sample(
        "numpy-noise",
        "eps = torch.from_numpy(np.random.randn(*mu.shape)).float(); "
        "return mu + sigma_square.sqrt() * eps",
    ),
    _sample(
        "normal-of-0-and-1",
        "return mu + torch.normal(0, 1, size=mu.size()) * torch.pow(sigma_square, 0.5)",
    ),
    _sample(
        "deviation-by-logarithm",
        "return mu + torch.exp(0.5 * torch.log(sigma_square)) * torch.randn(mu.shape)",
    ),
    _pixels(
        "numpy-pixels",
        "return torch.from_numpy(np.random.binomial(1, p.detach().numpy()).astype('float32'))",
    ),
    _pixels(
        "pixels-by-where",
        "return torch.where(torch.rand(p.size()) <= p, torch.tensor(1.0), torch.tensor(0.0))",
    ),
    _pixels("pixels-from-noise", "return torch.ceil(p - torch.rand_like(p)).clamp(0, 1)"),
    _gaussian(
        "a-determinant",
        "d = z.shape[-1]; det = torch.prod(sigma_square, -1); "
        "return -((z - mu) ** 2 / sigma_square).sum(1) / 2 - torch.log((2 * np.pi) ** d * det) / 2",
    ),
    _bernoulli(
        "logits-of-p",
        "p = p.clamp(1e-6, 1 - 1e-6); return -F.binary_cross_entropy_with_logits("
        "torch.logit(p), x, reduction='none').sum(-1)",
    ),
    _bernoulli(
        "a-choice-by-x", "q = torch.where(x > 0.5, p, 1 - p); return torch.log(q + 1e-8).sum(1)"
    ),
    elbo("the-bound-of-the-class", OF_CLASS),
    elbo("the-bound-of-its-type", OF_TYPE),
    elbo(
        "the-bound-of-rows",
        "q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square); "
        "r = self.logpdf_diagonal_gaussian(sampled_z, 0 * mu, 0 * mu + 1); "
        "return torch.einsum('tn->', torch.stack((self.logpdf_bernoulli(x, p), r, -q))) / len(x)",
    ),
    elbo(
        "the-bound-by-hand",
        "q = Normal(mu, sigma_square.sqrt()).log_prob(sampled_z).sum(1); "
        "r = Normal(0.0, 1.0).log_prob(sampled_z).sum(1); "
        "b = (x * p.log() + (1 - x) * (1 - p).log()).sum(1); return (b + r - q).sum() / len(x)",
    ),
    elbo(
        "the-bound-partly-by-hand",
        "q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square); "
        "r = self.logpdf_diagonal_gaussian(sampled_z, torch.zeros(mu.shape[1]), "
        "torch.ones(mu.shape[1])); "
        "b = -F.binary_cross_entropy(p, x, reduction='sum') / x.size(0); return b + (r - q).mean()",
    ),
    elbo(
        "the-bound-term-by-term",
        "q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square).mean(); "
        "r = self.logpdf_diagonal_gaussian(sampled_z, 0 * mu, 0 * mu + 1).mean(); "
        "return self.logpdf_bernoulli(x, p).mean() - (q - r)",
    ),
)
