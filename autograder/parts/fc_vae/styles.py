"""Right answers to the part fc-vae, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

IMPORTS = """
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal
"""

# fc1 ... fc8 and helpers; only what the notebooks call by name keeps its name.
ATTRIBUTES = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15, hidden_dim=256):
        super(VAE, self).__init__()
        self.input_size, self.latent_size, self.hidden_dim = input_size, latent_size, hidden_dim
        # defined in an order other than that of the forward pass
        self.fc5 = nn.Linear(latent_size, hidden_dim)
        self.fc6 = nn.Linear(hidden_dim, hidden_dim)
        self.fc7 = nn.Linear(hidden_dim, hidden_dim)
        self.fc8 = nn.Linear(hidden_dim, input_size)
        self.fc1 = nn.Linear(input_size, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, hidden_dim)
        self.fc3 = nn.Linear(hidden_dim, hidden_dim)
        self.fc42 = nn.Linear(hidden_dim, latent_size)
        self.fc41 = nn.Linear(hidden_dim, latent_size)

    def encode(self, x):
        h = F.relu(self.fc1(x.view(x.size(0), -1)))
        h = F.relu(self.fc2(h))
        h = F.relu(self.fc3(h))
        logvar = self.fc42(h)
        return self.fc41(h), logvar

    def decoder(self, z):
        h = F.relu(self.fc5(z))
        h = F.relu(self.fc6(h))
        h = F.relu(self.fc7(h))
        return torch.sigmoid(self.fc8(h)).view(-1, 1, 28, 28)

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = reparametrize(mu, logvar)
        return self.decoder(z), mu, logvar


class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        H = 200
        self.e1 = nn.Linear(input_size + num_classes, H)
        self.e2 = nn.Linear(H, H)
        self.e3 = nn.Linear(H, H)
        self.mean, self.spread = nn.Linear(H, latent_size), nn.Linear(H, latent_size)
        self.d1 = nn.Linear(latent_size + num_classes, H)
        self.d2 = nn.Linear(H, H)
        self.d3 = nn.Linear(H, H)
        self.d4 = nn.Linear(H, input_size)
        self.act = nn.ReLU(inplace=True)
        self.decoder = nn.Sequential(self.d1, self.act, self.d2, self.act, self.d3, self.act,
                                     self.d4, nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x, c):
        h = torch.cat([x.reshape(len(x), -1), c.to(x.dtype)], -1)
        for layer in (self.e1, self.e2, self.e3):
            h = self.act(layer(h))
        mu, logvar = self.mean(h), self.spread(h)
        z = torch.cat([reparametrize(mu, logvar), c], -1)
        return self.decoder(z), mu, logvar
"""

# Own sampler as a method, nothing of the module's functions is called.
METHODS = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.latent_size = latent_size
        h = self.hidden_dim = 128
        self.enc = nn.ModuleList([nn.Linear(input_size, h), nn.Linear(h, h), nn.Linear(h, h)])
        self.fc_mu, self.fc_logvar = nn.Linear(h, latent_size), nn.Linear(h, latent_size)
        self.dec = nn.ModuleList([nn.Linear(latent_size, h), nn.Linear(h, h), nn.Linear(h, h)])
        self.out = nn.Linear(h, input_size)

    def decoder(self, z):
        for layer in self.dec:
            z = torch.relu(layer(z))
        return torch.sigmoid(self.out(z)).reshape(-1, 1, 28, 28)

    def sample(self, mu, logvar):
        return mu + torch.randn_like(mu) * torch.sqrt(torch.exp(logvar))

    def forward(self, x):
        h = torch.flatten(x, 1)
        for layer in self.enc:
            h = torch.relu(layer(h))
        logvar, mu = self.fc_logvar(h), self.fc_mu(h)
        return [self.decoder(self.sample(mu, logvar)), mu, logvar]


class CVAE(VAE):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__(input_size, latent_size)
        h = self.hidden_dim
        self.enc[0] = nn.Linear(input_size + num_classes, h)
        self.dec[0] = nn.Linear(latent_size + num_classes, h)

    def forward(self, x, c):
        h = torch.cat((torch.flatten(x, 1), c), dim=1)
        for layer in self.enc:
            h = torch.relu(layer(h))
        mu, logvar = self.fc_mu(h), self.fc_logvar(h)
        return self.decoder(torch.cat((self.sample(mu, logvar), c), dim=1)), mu, logvar
"""

# No Flatten in the encoder, no Unflatten in the decoder: forward does both.
SHAPES_IN_FORWARD = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.input_size, self.latent_size, self.hidden_dim = input_size, latent_size, 512
        H = self.hidden_dim
        self.encoder = nn.Sequential(nn.Linear(input_size, H), nn.ReLU(), nn.Linear(H, H),
                                     nn.ReLU(), nn.Linear(H, H), nn.ReLU())
        self.mu_layer, self.logvar_layer = nn.Linear(H, latent_size), nn.Linear(H, latent_size)
        self.decoder = nn.Sequential(nn.Linear(latent_size, H), nn.ReLU(), nn.Linear(H, H),
                                     nn.ReLU(), nn.Linear(H, H), nn.ReLU(),
                                     nn.Linear(H, input_size), nn.Sigmoid())

    def forward(self, x):
        print("x", x.shape)
        N, C, height, width = x.shape
        hidden = self.encoder(x.view(N, -1))
        mu, logvar = self.mu_layer(hidden), self.logvar_layer(hidden)
        return self.decoder(reparametrize(mu, logvar)).view(N, C, height, width), mu, logvar
"""

# The last activation of each network stands in forward; heads under names of their own.
ACTIVATIONS_IN_FORWARD = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.latent_size, self.hidden_dim = latent_size, 300
        H = self.hidden_dim
        self.flatten = nn.Flatten()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(input_size, H), nn.ReLU(),
                                     nn.Linear(H, H), nn.ReLU(), nn.Linear(H, H))
        self.fc_mu, self.fc_var = nn.Linear(H, latent_size), nn.Linear(H, latent_size)
        self.decoder = nn.Sequential(nn.Linear(latent_size, H), nn.ReLU(True), nn.Linear(H, H),
                                     nn.ReLU(True), nn.Linear(H, H), nn.ReLU(True),
                                     nn.Linear(H, input_size), nn.Sigmoid(),
                                     nn.Unflatten(dim=-1, unflattened_size=(1, 28, 28)))

    def forward(self, x):
        h = torch.relu(self.encoder(x))
        mu = self.fc_mu(h)
        logvar = self.fc_var(h)
        z = reparametrize(logvar=logvar, mu=mu)
        x_hat = self.decoder(z)
        return x_hat, mu, logvar
"""

# Flatten inside the CVAE's encoder, layers shared through a helper, inheritance.
FLATTEN_IN_CVAE = """
def body(*sizes):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return layers


class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        self.num_classes, self.latent_size, self.hidden_dim = num_classes, latent_size, 400
        H = self.hidden_dim
        self.encoder = nn.Sequential(nn.Flatten(), *body(input_size + num_classes, H, H, H))
        self.mu_layer, self.logvar_layer = nn.Linear(H, latent_size), nn.Linear(H, latent_size)
        self.decoder = nn.Sequential(*body(latent_size + num_classes, H, H, H),
                                     nn.Linear(H, input_size), nn.Sigmoid(),
                                     nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x, c):
        x = nn.Flatten()(x)
        hidden = self.encoder(torch.hstack((x, c)))
        mu, logvar = self.mu_layer(hidden), self.logvar_layer(hidden)
        z = reparametrize(mu, logvar)
        return self.decoder(torch.hstack((z, c))), mu, logvar
"""

# Modules of their own; the encoder gives mu and logvar itself, the decoder's rows are flat.
CLASSES = """
class Encoder(nn.Module):
    def __init__(self, inputs, hidden, latent):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.fc3, self.relu = nn.Linear(hidden, hidden), nn.ReLU()
        self.mu, self.logvar = nn.Linear(hidden, latent), nn.Linear(hidden, latent)

    def forward(self, x):
        x = self.relu(self.fc3(self.relu(self.fc2(self.relu(self.fc1(x))))))
        return self.mu(x), self.logvar(x)


class Decoder(nn.Module):
    def __init__(self, latent, hidden, outputs):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(latent, hidden), nn.Linear(hidden, hidden)
        self.fc3, self.fc4 = nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)

    def forward(self, z):
        for layer in (self.fc1, self.fc2, self.fc3):
            z = F.relu(layer(z))
        return torch.sigmoid(self.fc4(z))


class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.encoder = Encoder(input_size, 256, latent_size)
        self.decoder = Decoder(latent_size, 256, input_size)

    def forward(self, x):
        mu, logvar = self.encoder(x.flatten(start_dim=1))
        return self.decoder(reparametrize(mu, logvar)).view(x.shape), mu, logvar


class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        self.encoder = Encoder(input_size + num_classes, 256, latent_size)
        self.decoder = Decoder(latent_size + num_classes, 256, input_size)

    def forward(self, x, c):
        mu, logvar = self.encoder(torch.cat((x.flatten(start_dim=1), c), 1))
        z = reparametrize(mu, logvar)
        return self.decoder(torch.cat((z, c), 1)).view(x.shape), mu, logvar
"""

# No layers at all.
BARE = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        H, Z = 100, latent_size
        sizes = [(input_size, H), (H, H), (H, H), (H, Z), (H, Z), (Z, H), (H, H), (H, H),
                 (H, input_size)]
        for i, (a, b) in enumerate(sizes):
            setattr(self, f"W{i}", nn.Parameter(torch.randn(b, a) / a**0.5))
            setattr(self, f"b{i}", nn.Parameter(torch.zeros(b)))

    def linear(self, i, x):
        return F.linear(x, getattr(self, f"W{i}"), getattr(self, f"b{i}"))

    def decoder(self, z):
        for i in (5, 6, 7):
            z = F.relu(self.linear(i, z))
        return torch.sigmoid(self.linear(8, z)).reshape(-1, 1, 28, 28)

    def forward(self, x):
        h = x.flatten(1)
        for i in (0, 1, 2):
            h = F.relu(self.linear(i, h))
        mu, logvar = self.linear(3, h), self.linear(4, h)
        return self.decoder(reparametrize(mu, logvar)), mu, logvar
"""


# Defined in an order that no forward pass has, and each layer's forward called by name.
OUT_OF_ORDER = """
class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        H = 128
        self.out = nn.Linear(H, input_size)
        self.down = nn.ModuleList([nn.Linear(latent_size, H), nn.Linear(H, H), nn.Linear(H, H)])
        self.heads = nn.ModuleDict({k: nn.Linear(H, latent_size) for k in ("logvar", "mu")})
        self.up = nn.ModuleList([nn.Linear(input_size, H), nn.Linear(H, H), nn.Linear(H, H)])

    def decoder(self, z):
        for layer in self.down:
            z = F.relu(layer.forward(z))
        return torch.sigmoid(self.out.forward(z)).unflatten(1, (1, 28, 28))

    def forward(self, x):
        h = x.flatten(1)
        for layer in self.up:
            h = F.relu(layer.forward(h))
        mu, logvar = self.heads["mu"].forward(h), self.heads["logvar"].forward(h)
        return self.decoder(reparametrize(mu, logvar)), mu, logvar
"""


def _code(id: str, code: str) -> Style:
    return Style(id, IMPORTS + code)


def _edited(id: str, *edits: tuple[str, str]) -> Style:
    return Style(id, edits=edits)


def _sampler(id: str, body: str, head: str = "mu, logvar") -> Style:
    return _code(id, f"\ndef reparametrize({head}):\n    {body}\n")


def _loss(id: str, body: str, head: str = "x_hat, x, mu, logvar") -> Style:
    return _code(id, f"\ndef loss_function({head}):\n    {body}\n")


STYLES: tuple[Style, ...] = (
    _edited("a-narrow-one", ("self.hidden_dim = 400", "self.hidden_dim = 200")),
    _edited(
        "lazy-layers", ("nn.Linear(input_size, self.hidden_dim)", "nn.LazyLinear(self.hidden_dim)")
    ),
    _edited("a-wide-one", ("self.hidden_dim = 400", "self.hidden_dim = 1024")),
    _edited(
        "a-hidden-width-below-the-latent-size", ("self.hidden_dim = 400", "self.hidden_dim = 12")
    ),
    _code("attributes-functional-relu", ATTRIBUTES),
    _code("methods-and-a-sampler-of-its-own", METHODS),
    _code("shapes-in-forward", SHAPES_IN_FORWARD),
    _code("activations-in-forward", ACTIVATIONS_IN_FORWARD),
    _code("flatten-in-the-cvae", FLATTEN_IN_CVAE),
    _code("classes-of-their-own", CLASSES),
    _code("bare-parameters", BARE),
    Style(
        "both-heads-at-once",
        edits=(
            (
                "        mu = self.mu_layer(hidden)  # (N, Z)\n"
                "        logvar = self.logvar_layer(hidden)  # (N, Z)\n",
                "        heads = self.mu_layer, self.logvar_layer\n"
                "        weight, bias = (\n"
                "            torch.cat([getattr(head, name) for head in heads])\n"
                '            for name in ("weight", "bias")\n'
                "        )\n"
                "        mu, logvar = F.linear(hidden, weight, bias).chunk(2, dim=1)\n",
            ),
        ),
        within="class VAE(",
    ),
    _edited(
        "logvar-first",
        (
            "        mu = self.mu_layer(hidden)  # (N, Z)\n"
            "        logvar = self.logvar_layer(hidden)  # (N, Z)\n",
            "        logvar = self.logvar_layer(hidden)\n        mu = self.mu_layer(hidden)\n",
        ),
    ),
    _edited(
        "noise-drawn-inside-forward",
        ("z = reparametrize(mu, logvar)", "z = mu + (0.5 * logvar).exp() * torch.randn(mu.shape)"),
    ),
    _edited(
        "one-relu-reused-in-place",
        ("nn.ReLU()", "RELU"),
        ("def hello_vae", "RELU = nn.ReLU(inplace=True)\n\n\ndef hello_vae"),
    ),
    _edited(
        "forward-called-by-name",
        ("self.mu_layer(hidden)", "self.mu_layer.forward(hidden)"),
        ("self.logvar_layer(hidden)", "self.logvar_layer.forward(hidden)"),
    ),
    _edited(
        "flattened-in-forward",
        ("            nn.Flatten(),\n", ""),
        ("hidden = self.encoder(x)", "hidden = self.encoder(x.flatten(1))"),
    ),
    _edited("images-viewed", ("self.decoder(z), mu", "self.decoder(z).view_as(x), mu")),
    _edited(
        "a-device-asked-for",
        (
            "hidden = self.encoder(x)",
            "mps = torch.backends.mps.is_available()\n        "
            'hidden = self.encoder(x.to("mps" if mps else "cpu"))',
        ),
    ),
    _edited(
        "a-generator-of-its-own",
        ("z = reparametrize(mu, logvar)", "z = mu + (logvar / 2).exp() * DRAW(mu.shape)"),
        (
            "def hello_vae",
            "def DRAW(shape, generator=torch.Generator()):\n"
            "    return torch.randn(shape, generator=generator)\n\n\ndef hello_vae",
        ),
    ),
    _code("layers-out-of-order", OUT_OF_ORDER),
    _sampler("randn", "return mu + torch.exp(0.5 * logvar) * torch.randn(mu.size())"),
    _sampler("normal", "return torch.normal(0, 1, logvar.shape) * logvar.exp() ** 0.5 + mu"),
    _sampler(
        "normal-of-zeros-and-ones",
        "e = torch.normal(torch.zeros_like(mu), torch.ones_like(mu)); "
        "return torch.add(mu, torch.mul(e, torch.exp(logvar / 2)))",
    ),
    _sampler("rsample", "return Normal(mu, logvar.mul(0.5).exp()).rsample()"),
    _sampler(
        "data-new",
        "std = logvar.mul(0.5).exp_(); return std.data.new(std.size()).normal_() * std + mu",
    ),
    _sampler(
        "numpy-noise",
        "return mu + torch.sqrt(torch.exp(logvar)) * torch.from_numpy("
        "np.random.randn(*mu.shape)).to(mu)",
    ),
    _sampler(
        "defaults-and-prints",
        "print(mu.shape); z = None; eps = torch.randn_like(logvar); "
        "z = mu + eps * torch.exp(logvar) ** 0.5; return z",
        "mu, logvar, eps=None, verbose=False",
    ),
    _loss(
        "bce-per-image-then-mean",
        "b = F.binary_cross_entropy(x_hat, x, reduction='none').flatten(1).sum(1); "
        "k = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(dim=1); return (b + k).mean()",
    ),
    _loss(
        "in-place",
        "b = F.binary_cross_entropy(x_hat, x, reduction='sum'); k = -0.5 * torch.sum("
        "1 + logvar - mu.pow(2) - logvar.exp_()); return (b + k) / len(x)",
    ),
    _loss(
        "double-precision-inside",
        "b = F.binary_cross_entropy(x_hat.double(), x.double(), reduction='sum'); k = 0.5 * ("
        "mu**2 + logvar.exp() - logvar - 1).double().sum(); return (b + k) / len(x)",
    ),
    _loss(
        "bceloss",
        "return (nn.BCELoss(reduction='sum')(x_hat, x) + 0.5 * torch.sum(mu.pow(2) + logvar.exp() "
        "- 1 - logvar)) / mu.shape[0]",
    ),
    _loss(
        "size-average",
        "return (F.binary_cross_entropy(x_hat, x, size_average=False) - 0.5 * torch.sum("
        "1 + logvar - mu * mu - torch.exp(logvar))) / x.size(0)",
    ),
    _loss(
        "manual-logarithms",
        "e = 1e-8; b = -(x * torch.log(x_hat + e) + (1 - x) * torch.log(1 - x_hat + e)).sum(); "
        "k = 0.5 * torch.sum(torch.exp(logvar) + mu ** 2 - 1.0 - logvar); return (b + k) / len(x)",
    ),
    _loss(
        "clamped-logarithms",
        "p = x_hat.clamp(1e-7, 1 - 1e-7); b = torch.sum(-x * p.log() - (1 - x) * (1 - p).log(), "
        "dim=list(range(1, x.dim()))); k = torch.sum(1 + logvar - mu.square() - logvar.exp(), "
        "dim=-1); return torch.mean(b - k / 2)",
    ),
    _loss(
        "mean-times-pixels",
        "n, d = x.shape[0], x[0].numel(); return F.binary_cross_entropy(x_hat, x) * d - 0.5 * "
        "torch.mean(torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1))",
    ),
    _loss(
        "flattened-first",
        "n = x.shape[0]; b = F.binary_cross_entropy(x_hat.view(n, -1), x.view(n, -1), "
        "reduction='sum'); return b / n + (-0.5 * torch.sum(1 + logvar - mu.pow(2) - "
        "logvar.exp())) / n",
    ),
    _loss(
        "torchs-own-divergence",
        "q = Normal(mu, torch.exp(logvar / 2)); p = Normal(torch.zeros_like(mu), torch.ones_like("
        "mu)); k = torch.distributions.kl_divergence(q, p).sum(); "
        "return (F.binary_cross_entropy(x_hat, x, reduction='sum') + k) / mu.size(0)",
    ),
    _loss(
        "a-loss-of-shape-1",
        "b = F.binary_cross_entropy(x_hat, x, reduction='sum'); k = -0.5 * torch.sum("
        "1 + logvar - mu ** 2 - logvar.exp()); return ((b + k) / len(x)).reshape(1)",
    ),
    _loss(
        "loops",
        "total = 0\n    for i in range(len(x)):\n"
        "        total = total + F.binary_cross_entropy(x_hat[i], x[i], reduction='sum')\n"
        "        for j in range(mu.shape[1]):\n"
        "            total = total - 0.5 * (1 + logvar[i, j] - mu[i, j] ** 2 "
        "- logvar[i, j].exp())\n"
        "    return total / len(x)",
    ),
    _loss(
        "beta-with-a-default",
        "b = nn.functional.binary_cross_entropy(x_hat, x, reduction='sum'); k = -0.5 * torch.sum("
        "1 + logvar - mu ** 2 - logvar.exp()); return (b + beta * k) / x.shape[0]",
        "x_hat, x, mu, logvar, beta=1.0",
    ),
)
