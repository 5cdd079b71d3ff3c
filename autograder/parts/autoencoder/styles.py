"""Right answers to the part autoencoder, written otherwise."""

from __future__ import annotations

from dataclasses import replace

from ...checking.catalogue import Style

IMPORTS = """
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal
"""

# Layers as attributes in another order, activations as functions, labels made one-hot by hand.
ATTRIBUTES = """
class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super(AEEncoder, self).__init__()
        self.input_size = input_size
        self.fc3 = nn.Linear(64, nz)
        self.fc1 = nn.Linear(input_size, 256)
        self.fc2 = nn.Linear(256, 64)

    def forward(self, x):
        x = x.view(-1, self.input_size)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.layers = nn.ModuleList([nn.Linear(nz, 64), nn.Linear(64, 256)])
        self.out = nn.Linear(256, output_size)

    def forward(self, z):
        for layer in self.layers:
            z = torch.relu(layer(z))
        return torch.sigmoid(self.out(z)).view(-1, 1, self.output_size)


class ConditionalAEEncoder(nn.Module):
    def __init__(self, nz, input_size, conditional, num_labels):
        super().__init__()
        self.n, self.k, self.conditional = input_size, num_labels, conditional
        self.fc1 = nn.Linear(input_size + (num_labels if conditional else 0), 256)
        self.fc2 = nn.Linear(256, 64)
        self.fc3 = nn.Linear(64, nz)

    def forward(self, x, c=None):
        x = x.reshape(-1, self.n)
        if self.conditional:
            x = torch.hstack([x, torch.eye(self.k)[c]])
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
"""

# The VAE with a method of its own for sampling, torch.distributions, and the formula by hand.
DISTRIBUTIONS = """
class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz, self.beta = nz, beta
        self.encoder = AEEncoder(2 * nz, 784)
        self.decoder = AEDecoder(nz, 784)
        self.criterion = nn.BCELoss()

    def posterior(self, x):
        q = self.encoder(x)
        return q, Normal(q[:, : self.nz], q[:, self.nz :].exp())

    def forward(self, x):
        q, normal = self.posterior(x)
        z = normal.rsample()
        return {"q": q, "rec": self.decoder(z), "z": z}

    def loss(self, x, outputs):
        mu, log_sigma = outputs["q"].split(self.nz, dim=1)
        rec_loss = self.criterion(outputs["rec"].flatten(1), x.flatten(1))
        kl_loss = -0.5 * torch.mean(1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp())
        total = rec_loss + self.beta * kl_loss
        return total, dict(rec_loss=rec_loss.detach(), kl_loss=kl_loss.item())

    def reconstruct(self, x):
        return self.decoder(self.posterior(x)[1].mean).view(-1, 28, 28)
"""

# forward hands mu and log_sigma on to loss.
MORE_OUTPUTS = """
class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz = nz
        self.beta = beta
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(),
                                     nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2 * nz))
        self.decoder = nn.Sequential(nn.Linear(nz, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(),
                                     nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x):
        q = self.encoder(x)
        mu, log_sigma = torch.chunk(q, 2, dim=-1)
        eps = torch.empty_like(mu).normal_()
        rec = self.decoder(mu + eps * log_sigma.exp())
        return {"q": q, "mu": mu, "log_sigma": log_sigma, "rec": rec}

    def loss(self, x, outputs):
        mu, log_sigma = outputs["mu"], outputs["log_sigma"]
        rec_loss = F.binary_cross_entropy(outputs["rec"].reshape(len(x), -1), x.reshape(len(x), -1))
        zeros = torch.zeros_like(mu)
        kl_loss = kl_divergence(mu, log_sigma, zeros, zeros).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}

    def reconstruct(self, x):
        return self.decoder(self.encoder(x)[..., : self.nz]).reshape(-1, 28, 28)
"""

# Plain loops without the helpers; batch counters, clearing after the step, tensors returned.
LOOPS = """
def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    device = next(model.parameters()).device
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.BCELoss()
    history = []
    for epoch in range(epochs):
        for i, batch in enumerate(loader):
            x = batch[0].to(device).view(len(batch[0]), 1, -1)
            loss = criterion(model(x).view(x.shape), x)
            loss.backward()
            opt.step()
            opt.zero_grad()
            history.append(loss.detach())
            if i % 100 == 0:
                print(f"Epoch {epoch} {i}/{len(loader)}: {loss.item():.4f}")
    return torch.stack(history)


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    opt = torch.optim.Adam(model.parameters(), lr)
    rec, kl = [], []
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad(set_to_none=False)
            x = x.reshape(x.shape[0], 784)
            if hasattr(model, "conditional") and model.conditional:
                out = model(x, F.one_hot(y, model.num_labels).float())
            else:
                out = model(x)
            total, parts = model.loss(x, out)
            total.backward()
            opt.step()
            rec.append(parts["rec_loss"].item())
            kl.append(parts["kl_loss"].item())
    return [rec, kl]
"""

# The loop takes the autoencoder apart; a loader of torch; sampling through its layers.
APART = """
def make_loader(images, labels, batch_size):
    data = torch.utils.data.TensorDataset(images, labels)
    return torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True)

def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer, losses = torch.optim.Adam(list(model.encoder.parameters())
                                         + list(model.decoder.parameters()), lr=lr), []
    for _ in range(epochs):
        for x, _ in loader:
            x_hat = model.decoder(model.encoder(x.flatten(1)))
            loss = -(x.flatten(1) * x_hat.flatten(1).log()
                     + (1 - x.flatten(1)) * (1 - x_hat.flatten(1)).log()).mean()
            model.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()]
    return losses

def sample_prior(model, n):
    with torch.no_grad():
        z = torch.distributions.Normal(0.0, 1.0).sample((n, model.nz))
        return model.decoder(z).view(n, 1, 28, 28)

def interpolate_embeddings(model, start, end, steps=5):
    def code(x):
        q = model.encoder(x.reshape(1, 784))
        return q.chunk(2, dim=-1)[0] if isinstance(model, BetaVAE) else q
    with torch.no_grad():
        a, b = code(start), code(end)
        return torch.cat([model.decoder(a + k / (steps - 1) * (b - a)).reshape(1, 1, 28, 28)
                          for k in range(steps)])

def sample_digits(model, labels):
    images = []
    for c in labels:
        z = torch.randn(1, model.nz)
        images.append(model.decoder(z, c.view(1)).view(1, 28, 28))
    return torch.stack(images).detach()
"""

# A loader of one's own; numpy draws the noise.
NUMPY = """
class Loader:
    def __init__(self, images, labels, batch_size):
        self.x, self.y, self.b = images, labels, batch_size
    def __len__(self):
        return len(self.x) // self.b
    def __iter__(self):
        order = np.random.permutation(len(self.x))
        for k in range(len(self)):
            index = torch.from_numpy(order[k * self.b : (k + 1) * self.b])
            yield [self.x[index], self.y[index]]

def make_loader(images, labels, batch_size):
    return Loader(images, labels, batch_size)

def sample_prior(model, n):
    z = torch.from_numpy(np.random.standard_normal((n, model.nz)).astype(np.float32))
    return model.decoder(z).detach().reshape(n, 1, 28, 28)

def sample_digits(model, labels):
    z = torch.zeros(len(labels), model.nz).normal_()
    return model.decoder(z, c=F.one_hot(labels, model.num_labels).float()).reshape(-1, 1, 28, 28)
"""

# The conditional model stands on the shoulders of the other.
INHERITED = """
class ConditionalBetaVAE(BetaVAE):
    def __init__(self, nz, beta=1.0, conditional=False, num_labels=0):
        super().__init__(nz, beta)
        self.conditional, self.num_labels = conditional, num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)

    def forward(self, x, c=None):
        q = self.encoder(x, c)
        mu, log_sigma = q[:, : self.nz], q[:, self.nz :]
        z = mu + log_sigma.exp() * torch.randn(mu.shape)
        return {"q": q, "rec": self.decoder(z, c), "c": c}

    def reconstruct(self, x, c=None):
        return self.decoder(self.encoder(x, c)[:, : self.nz], c).reshape(-1, 28, 28)
"""

COLLECTIONS = """
from collections import OrderedDict

class BetaVAE(BetaVAE):
    def forward(self, x):
        return OrderedDict(super().forward(x))
"""


# Layers made by a function; the loaders, loops and samples of somebody who writes functions.
FUNCTIONS = """
def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return layers[:-1]


class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.net = nn.Sequential(*mlp(input_size, 256, 64, nz))

    def forward(self, x):
        return self.net(x.reshape(-1, self.input_size))


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.net = nn.Sequential(*mlp(nz, 64, 256, output_size), nn.Sigmoid())

    def forward(self, z):
        return self.net(z).reshape(-1, 1, self.output_size)


def make_loader(images, labels, batch_size):
    pairs = list(zip(images, labels))
    return torch.utils.data.DataLoader(pairs, batch_size, shuffle=True, drop_last=True)


def descend(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    def cost(x):
        pixels = model(x).flatten()
        return F.binary_cross_entropy(pixels, x.flatten(), reduction="sum") / x.numel()

    optimizer, history = torch.optim.Adam(model.parameters(), lr=lr), []
    for _ in range(epochs):
        for x, _ in loader:
            history.append(cost(x))
            descend(optimizer, history[-1])
    return tuple(loss.item() for loss in history)


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    def terms(x, *labels):
        total, parts = model.loss(x, model(x, *labels))
        descend(optimizer, total)
        return parts["rec_loss"].item(), parts["kl_loss"].item()

    told = getattr(model, "conditional", False)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = [terms(*(batch if told else batch[:1])) for _ in range(epochs) for batch in loader]
    rec, kl = zip(*steps)
    return rec, kl


def sample_prior(model, n):
    prior = torch.distributions.MultivariateNormal(torch.zeros(model.nz), torch.eye(model.nz))
    with torch.no_grad():
        return model.decoder(prior.sample((n,))).view(-1, 1, 28, 28)


def interpolate_embeddings(model, start, end, steps=5):
    def mean(image):
        return model.encoder(image.view(1, -1))[0, : model.nz]

    codes = [torch.lerp(mean(start), mean(end), k / (steps - 1)) for k in range(steps)]
    return model.decoder(torch.stack(codes)).detach().view(steps, 1, 28, 28)


def sample_digits(model, labels):
    prior = torch.distributions.Normal(torch.zeros(model.nz), torch.ones(model.nz))
    with torch.no_grad():
        return model.decoder(prior.sample((len(labels),)), labels).view(-1, 1, 28, 28)
"""

# Layers with names, one ReLU in place for all; samplers of torch; steps with a closure.
TORCH = """
from collections import OrderedDict
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

RELU = nn.ReLU(inplace=True)


class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.net = nn.Sequential(OrderedDict([
            ("flatten", nn.Flatten()), ("fc1", nn.Linear(input_size, 256)), ("relu1", RELU),
            ("fc2", nn.Linear(256, 64)), ("relu2", RELU), ("code", nn.Linear(64, nz)),
        ]))

    def forward(self, x):
        return self.net(x)


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.net = nn.Sequential(OrderedDict([
            ("fc1", nn.Linear(nz, 64)), ("relu1", RELU), ("fc2", nn.Linear(64, 256)),
            ("relu2", RELU), ("fc3", nn.Linear(256, output_size)), ("sigmoid", nn.Sigmoid()),
            ("rows", nn.Unflatten(1, (1, output_size))),
        ]))

    def forward(self, z):
        return self.net(z)


def make_loader(images, labels, batch_size):
    data = TensorDataset(images, labels)
    sampler = BatchSampler(RandomSampler(data), batch_size=batch_size, drop_last=True)
    return DataLoader(data, batch_sampler=sampler)


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam([{"params": model.parameters()}], lr=lr)
    criterion = nn.BCELoss(reduction="mean")
    losses = torch.empty(0)
    for epoch in range(1, epochs + 1):
        model.train()
        for x, _ in loader:
            def closure():
                optimizer.zero_grad()
                loss = criterion(model(x).flatten(1), x.flatten(1))
                loss.backward()
                return loss
            losses = torch.cat([losses, optimizer.step(closure).detach().view(1)])
    return losses.tolist()


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam([{"params": model.parameters()}], lr=lr)
    history = {"rec_loss": [], "kl_loss": []}
    for epoch in range(1, epochs + 1):
        for x, labels in loader:
            def closure():
                optimizer.zero_grad()
                try:
                    told = model.conditional
                except AttributeError:
                    told = False
                total, terms = model.loss(x, model(x, c=labels) if told else model(x))
                total.backward()
                for name in history:
                    history[name].append(terms[name].detach())
                return total
            optimizer.step(closure)
    return torch.stack(history["rec_loss"]), torch.stack(history["kl_loss"])


@torch.inference_mode()
def sample_prior(model, n):
    z = torch.normal(mean=0.0, std=1.0, size=(n, model.nz))
    return torch.unflatten(model.decoder(z).flatten(1), 1, (1, 28, 28))


@torch.inference_mode()
def interpolate_embeddings(model, start, end, steps=5):
    q = model.encoder(torch.cat([start.reshape(1, 784), end.reshape(1, 784)]))
    a, b = torch.narrow(q, 1, 0, model.nz)
    z = torch.outer(torch.arange(steps) / (steps - 1), b - a) + a
    return torch.unflatten(model.decoder(z).flatten(1), 1, (1, 28, 28))


@torch.inference_mode()
def sample_digits(model, labels):
    z = torch.normal(torch.zeros(labels.shape[0], model.nz), 1.0)
    return torch.unflatten(model.decoder(z, labels).flatten(1), 1, (1, 28, 28))
"""

# The autoencoder in one piece; the VAE is an autoencoder with another encoder.
ONE_PIECE = """
class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.nz = nz
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(),
                                     nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, nz))
        self.decoder = nn.Sequential(nn.Linear(nz, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(),
                                     nn.Linear(256, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 784)))

    def forward(self, x):
        z = self.encoder(x)
        x_hat = self.decoder(z)
        return x_hat

    def reconstruct(self, x):
        return self(x).reshape(-1, 28, 28)


class BetaVAE(AutoEncoder):
    def __init__(self, nz, beta=1.0):
        super().__init__(nz)
        self.beta = beta
        self.encoder[-1] = nn.Linear(64, 2 * nz)

    def forward(self, x):
        q = self.encoder(x)
        mu, sigma = q[:, : self.nz], torch.exp(q[:, self.nz :])
        return {"q": q, "rec": self.decoder(torch.addcmul(mu, sigma, torch.randn(sigma.shape)))}

    def loss(self, x, outputs):
        mu, log_sigma = torch.tensor_split(outputs["q"], 2, dim=-1)
        prior, posterior = Normal(0.0, 1.0), Normal(mu, log_sigma.exp())
        pixels = F.binary_cross_entropy(outputs["rec"].flatten(), x.flatten(), reduction="none")
        terms = {"rec_loss": pixels.mean(),
                 "kl_loss": torch.distributions.kl_divergence(posterior, prior).mean()}
        return terms["rec_loss"] + terms["kl_loss"] * self.beta, terms

    def reconstruct(self, x):
        with torch.no_grad():
            return self.decoder(self.encoder(x)[:, : self.nz]).view(len(x), 28, 28)
"""

# Batches by hand; one branch for each kind of model; digits and steps one after another.
ONE_BY_ONE = """
class Batches:
    def __init__(self, images, labels, batch_size):
        self.images, self.labels, self.batch_size = images, labels, batch_size

    def __iter__(self):
        for index in torch.randperm(len(self.images)).split(self.batch_size):
            if len(index) == self.batch_size:
                yield self.images[index], self.labels[index]

    def __len__(self):
        return len(self.images) // self.batch_size


def make_loader(images, labels, batch_size):
    return Batches(images, labels, batch_size)


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    losses, done = [], 0
    while done < epochs:
        for batch in loader:
            images = batch[0]
            targets = images.view(images.size(0), 1, 784)
            model.zero_grad(set_to_none=True)
            loss = nn.functional.binary_cross_entropy(model(targets).view_as(targets), targets)
            loss.backward()
            optimizer.step()
            losses = losses + [loss.item()]
        done += 1
    return losses


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.999))
    rec_losses, kl_losses = [], []
    for epoch in range(epochs):
        for x, labels in loader:
            if getattr(model, "conditional", None):
                outputs = model.forward(x, labels)
                loss, terms = model.loss(x, outputs)
            else:
                outputs = model.forward(x)
                loss, terms = model.loss(x, outputs)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rec_losses.append(terms["rec_loss"].item())
            kl_losses.append(terms["kl_loss"].item())
    return rec_losses, kl_losses


def sample_prior(model, n):
    model.eval()
    images = torch.zeros(n, 1, 28, 28)
    for i in range(n):
        images[i] = model.decoder(torch.randn(1, model.nz)).detach().reshape(1, 28, 28)
    return images


def interpolate_embeddings(model, start, end, steps=5):
    z_start = model.encoder(start.reshape(1, 1, 784))[:, : model.nz]
    z_end = model.encoder(end.reshape(1, 1, 784))[:, : model.nz]
    images = []
    for weight in np.linspace(0.0, 1.0, steps):
        z = float(1 - weight) * z_start + float(weight) * z_end
        images.append(model.decoder(z).reshape(1, 28, 28).detach())
    return torch.stack(images)


def sample_digits(model, labels):
    z = torch.stack([torch.randn(model.nz) for _ in labels])
    rows = [model.decoder(z[i : i + 1], labels[i : i + 1]) for i in range(len(labels))]
    return torch.cat(rows).detach().reshape(-1, 1, 28, 28)
"""


# Layers defined in another order than they run, called by their forward.
OUT_OF_ORDER = """
class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.last = nn.Linear(64, nz)
        self.middle = nn.Linear(256, 64)
        self.first = nn.Linear(input_size, 256)

    def forward(self, x):
        h = F.relu(self.first.forward(x.view(-1, self.input_size)))
        return self.last.forward(F.relu(self.middle.forward(h)))
"""

# Adam as in the paper.
ADAM = """
class PlainAdam:
    def __init__(self, parameters, lr):
        self.parameters, self.lr, self.t = list(parameters), lr, 0
        self.m, self.v = ([torch.zeros_like(p) for p in self.parameters] for _ in range(2))

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for p, m, v in zip(self.parameters, self.m, self.v):
            if p.grad is not None:
                m.copy_(0.9 * m + 0.1 * p.grad)
                v.copy_(0.999 * v + 0.001 * p.grad**2)
                spread = (v / (1 - 0.999**self.t)).sqrt() + 1e-8
                p -= self.lr * m / (1 - 0.9**self.t) / spread
"""


PEEKS = """
import dataclasses


@dataclasses.dataclass
class Loader:
    images: torch.Tensor
    labels: torch.Tensor
    size: int

    def __len__(self):
        return len(self.images) // self.size

    def __iter__(self):
        for part in torch.randperm(len(self.images)).split(self.size):
            if len(part) == self.size:
                yield self.images[part], self.labels[part]


def make_loader(images, labels, batch_size):
    return Loader(images, labels, batch_size)


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=lr), []
    print("Images are", tuple(next(iter(loader))[0].shape))
    for epoch in range(epochs):
        print(f"Run Epoch {epoch}")
        for x, _ in loader:
            x_hat, x = model(x).flatten(1), x.flatten(1)
            loss = -(x * x_hat.log() + (1 - x) * (1 - x_hat).log()).mean()
            model.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    print("Done!")
    return losses
"""


def _code(id: str, code: str) -> Style:
    return Style(id, IMPORTS + code)


# Two layers lend their weights to other functions, and one is called.
LENT = """
class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.last = nn.Linear(64, nz)
        self.second = nn.Linear(256, 64)
        self.first = nn.Linear(input_size, 256)

    def forward(self, x):
        h = x.reshape(-1, self.input_size)
        h = (torch.einsum("nd,hd->nh", h, self.first.weight) + self.first.bias).clamp(min=0)
        return self.last(F.linear(h, self.second.weight, self.second.bias).clamp(min=0))
"""


def _edited(id: str, *edits: tuple[str, str]) -> Style:
    return Style(id, edits=edits)


STYLES: tuple[Style, ...] = (
    _code("layers-as-attributes", ATTRIBUTES),
    _code("distributions", DISTRIBUTIONS),
    _code("more-outputs-networks-of-its-own", MORE_OUTPUTS),
    _code("plain-loops", LOOPS),
    _code("a-loop-that-takes-the-model-apart", APART),
    _code("numpy-and-a-loader-of-ones-own", NUMPY),
    _code("an-inherited-conditional-model", INHERITED),
    _code("functions", FUNCTIONS),
    _code("torch-samplers-and-closures", TORCH),
    _code("an-autoencoder-in-one-piece", ONE_PIECE),
    _code("one-by-one", ONE_BY_ONE),
    _code("a-look-at-the-first-batch", PEEKS),
    _edited(
        "flat-outputs",
        ("return self.net(z).reshape(-1, 1, self.output_size)", "return self.net(z)"),
    ),
    _edited(
        "images-as-outputs",
        (
            "return self.net(z).reshape(-1, 1, self.output_size)",
            "return self.net(z).reshape(len(z), 1, -1) if self.output_size != 784 "
            "else self.net(z).reshape(-1, 1, 28, 28)",
        ),
    ),
    _edited("another-beta", ("TUNED_BETA = 0.105", "TUNED_BETA = torch.tensor(32 / 784)")),
    _edited("a-small-beta", ("TUNED_BETA = 0.105", "TUNED_BETA = 0.01")),
    _edited("a-beta-with-a-type", ("TUNED_BETA = 0.105", "TUNED_BETA: float = 4.1e-2")),
    _edited("a-large-beta", ("TUNED_BETA = 0.105", "TUNED_BETA = 0.3")),
    _edited("a-trained-model-evaluates", ('    print("Done!")\n', "    model.eval()\n")),
    _code("an-ordered-dict", COLLECTIONS),
    _code("layers-out-of-order", OUT_OF_ORDER),
    _code("weights-without-their-layers", LENT),
    Style(
        "adam-by-hand",
        ADAM,
        (("adam(model.parameters(), lr)", "PlainAdam(model.parameters(), lr)"),),
    ),
    _edited(
        "forward-for-calls",
        ("self.decoder(self.encoder(x))", "self.decoder.forward(self.encoder.forward(x))"),
        ("q = self.encoder(x)  #", "q = self.encoder.forward(x)  #"),
        ("model.decoder(z)", "model.decoder.forward(z)"),
        ("model.decoder(z, labels)", "model.decoder.forward(z, labels)"),
        ("model.encoder(ends)", "model.encoder.forward(ends)"),
        ("x_hat = model(x)", "x_hat = model.forward(x)"),
    ),
    replace(
        _edited(
            "a-loss-in-place",
            (
                'q, rec = outputs["q"], outputs["rec"]',
                'q, rec = outputs["q"], outputs["rec"].clamp_(1e-7, 1 - 1e-7)',
            ),
        ),
        refused=("autoencoder.beta_vae", "autoencoder.conditional"),
    ),
)
