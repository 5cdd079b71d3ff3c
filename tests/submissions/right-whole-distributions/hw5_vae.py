import math
from collections import OrderedDict

import torch
from torch import nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence as torch_kl
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


# ------------------------------------------------------------------ closed forms
def answer_1b(latent_dimension: int = 2):
    return torch.zeros(latent_dimension).numel()


def answer_1g(mu_phi, sigma_phi):
    q = Normal(float(mu_phi), float(sigma_phi))
    return torch_kl(q, q).item()


def answer_1h(mu_phi, mu_p, sigma):
    p = Normal(torch.tensor(mu_p, dtype=torch.double), torch.tensor(sigma, dtype=torch.double))
    q = Normal(torch.tensor(mu_phi, dtype=torch.double), torch.tensor(sigma, dtype=torch.double))
    return torch_kl(q, p).item()


answer_1j = lambda: 3


# ------------------------------------------------------------------ bernoulli-vae
class Encoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.fc1 = nn.Linear(data_dimension, hidden_units)
        self.fc2_mu = nn.Linear(hidden_units, latent_dimension)
        self.fc2_sigma = nn.Linear(hidden_units, latent_dimension)

    def forward(self, x):
        hidden = torch.tanh(self.fc1(x))
        return self.fc2_mu(hidden), torch.exp(self.fc2_sigma(hidden))


class Decoder(nn.Sequential):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__(
            nn.Linear(latent_dimension, hidden_units), nn.Tanh(),
            nn.Linear(hidden_units, data_dimension), nn.Sigmoid(),
        )


class BernoulliVAE(nn.Module):
    def __init__(self, latent_dimension=2, hidden_units=500, data_dimension=784):
        super().__init__()
        self.latent_dimension = latent_dimension
        self.encoder = Encoder(latent_dimension, hidden_units, data_dimension)
        self.decoder = Decoder(latent_dimension, hidden_units, data_dimension)

    @staticmethod
    def sample_diagonal_gaussian(mu, sigma_square):
        return Normal(mu, sigma_square.sqrt()).rsample()

    @staticmethod
    def sample_Bernoulli(p):
        return Bernoulli(p).sample()

    @staticmethod
    def logpdf_diagonal_gaussian(z, mu, sigma_square):
        return Independent(Normal(mu, sigma_square.sqrt()), 1).log_prob(z)

    @staticmethod
    def logpdf_bernoulli(x, p):
        # binary_cross_entropy keeps its logarithms above -100, so p = 0 and p = 1 are fine
        return -F.binary_cross_entropy(p, x, reduction="none").sum(-1)

    def sample_z(self, mu, sigma_square):
        return self.sample_diagonal_gaussian(mu, sigma_square)

    def elbo_loss(self, sampled_z, mu, sigma_square, x, p):
        prior_mu = torch.zeros(sampled_z.shape[-1])
        log_q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square)
        log_p_z = self.logpdf_diagonal_gaussian(sampled_z, prior_mu, torch.ones_like(prior_mu))
        log_p = self.logpdf_bernoulli(x, p)
        return torch.stack([log_p, log_p_z, -log_q]).sum(0).mean()


# ------------------------------------------------------------------ autoencoder
def mlp(*sizes, end=()):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *end)


class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.net = mlp(input_size, 256, 64, nz)

    def forward(self, x):
        return self.net(x.reshape(-1, self.input_size))


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.net = mlp(nz, 64, 256, output_size, end=[nn.Sigmoid()])

    def forward(self, z):
        return self.net(z).reshape(-1, 1, self.output_size)


class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.nz = nz
        self.encoder, self.decoder = AEEncoder(nz, 784), AEDecoder(nz, 784)

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def reconstruct(self, x):
        return self(x).reshape(-1, 28, 28)


def make_loader(images, labels, batch_size):
    return DataLoader(TensorDataset(images, labels), batch_size, shuffle=True, drop_last=True)


def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    return torch_kl(Normal(mu1, log_sigma1.exp()), Normal(mu2, log_sigma2.exp()))


class BetaVAE(nn.Module):
    conditional = False

    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz, self.beta = nz, beta
        self.encoder, self.decoder = AEEncoder(2 * nz, 784), AEDecoder(nz, 784)

    def posterior(self, q):
        mu, log_sigma = torch.split(q, self.nz, dim=-1)
        return Normal(mu, torch.exp(log_sigma))

    def forward(self, x, *c):
        q = self.encoder(x, *c)
        rec = self.decoder(self.posterior(q).rsample(), *c)
        return OrderedDict(q=q, rec=rec, c=c[0] if c else None)

    def loss(self, x, outputs):
        rec = outputs["rec"]
        rec_loss = nn.BCELoss()(rec, x.reshape(rec.shape))
        kl_loss = torch_kl(self.posterior(outputs["q"]), Normal(0.0, 1.0)).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}

    def reconstruct(self, x, *c):
        return self.decoder(self.posterior(self.encoder(x, *c)).mean, *c).reshape(-1, 28, 28)


def _epochs(model, loader, epochs, lr, objective):
    """The loop of both trainings: `objective` gives the loss of a batch, and what to note."""
    optimizer = torch.optim.Adam(model.parameters(), lr)
    notes = []
    for epoch in range(epochs):
        print(f"Run Epoch {epoch}")
        for it, (x, y) in enumerate(loader):
            loss, note = objective(x, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            notes.append(note)
            if it % 100 == 0:
                print(f"It {it}: {note}")
    print("Done!")
    return notes


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    def objective(x, _):
        rec = model(x)
        loss = F.binary_cross_entropy(rec, x.reshape(rec.shape))
        return loss, loss.item()

    return _epochs(model, loader, epochs, lr, objective)


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    def objective(x, y):
        outputs = model(x, y) if getattr(model, "conditional", False) else model(x)
        total, terms = model.loss(x, outputs)
        return total, (terms["rec_loss"].item(), terms["kl_loss"].item())

    rec, kl = zip(*_epochs(model, loader, epochs, lr, objective))
    return list(rec), list(kl)


def sample_prior(model, n):
    with torch.no_grad():
        return model.decoder(Normal(0.0, 1.0).sample((n, model.nz))).reshape(n, 1, 28, 28)


# 32 / 784 is the evidence lower bound itself; a little more makes better samples
TUNED_BETA = 0.06


def interpolate_embeddings(model, start, end, steps=5):
    def code(x):
        return model.encoder(x.reshape(1, -1))[..., : model.nz]

    with torch.no_grad():
        t = torch.linspace(0, 1, steps)[:, None]
        return model.decoder(code(start) + t * (code(end) - code(start))).reshape(-1, 1, 28, 28)


class ConditionalAEEncoder(AEEncoder):
    def __init__(self, nz, input_size, conditional, num_labels):
        super().__init__(nz, input_size)
        self.conditional, self.num_labels = conditional, num_labels
        if conditional:
            self.net[0] = nn.Linear(input_size + num_labels, 256)

    def forward(self, x, c=None):
        x = x.reshape(-1, self.input_size)
        return self.net(torch.cat((x, F.one_hot(c, self.num_labels)), 1) if self.conditional else x)


class ConditionalAEDecoder(AEDecoder):
    def __init__(self, nz, output_size, conditional, num_labels):
        super().__init__(nz, output_size)
        self.conditional, self.num_labels = conditional, num_labels
        if conditional:
            self.net[0] = nn.Linear(nz + num_labels, 64)

    def forward(self, z, c=None):
        return super().forward(torch.cat((z, F.one_hot(c, self.num_labels)), 1) if self.conditional else z)


class ConditionalBetaVAE(BetaVAE):
    def __init__(self, nz, beta=1.0, conditional=False, num_labels=0):
        super().__init__(nz, beta)
        self.conditional, self.num_labels = conditional, num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)


def sample_digits(model, labels):
    with torch.no_grad():
        z = Normal(0.0, 1.0).sample((len(labels), model.nz))
        return model.decoder(z, labels).reshape(-1, 1, 28, 28)


# ------------------------------------------------------------------ fc-vae
class VAE(nn.Module):
    extra = 0

    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.input_size, self.latent_size, self.hidden_dim = input_size, latent_size, 300
        H = self.hidden_dim
        self.encoder = nn.Sequential(nn.Flatten(), mlp(input_size + self.extra, H, H, H), nn.ReLU())
        self.mu_layer = nn.Linear(H, latent_size)
        self.logvar_layer = nn.Linear(H, latent_size)
        self.decoder = nn.Sequential(
            mlp(latent_size + self.extra, H, H, H, input_size), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
        )

    def forward(self, x, *c):
        h = self.encoder(torch.cat((x.flatten(1), *c), 1))
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        return self.decoder(torch.cat((reparametrize(mu, logvar), *c), 1)), mu, logvar


class CVAE(VAE):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        self.extra = self.num_classes = num_classes
        super().__init__(input_size, latent_size)


def reparametrize(mu, logvar):
    return Normal(mu, (logvar / 2).exp()).rsample()


def loss_function(x_hat, x, mu, logvar):
    bce = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = torch_kl(Normal(mu, (logvar / 2).exp()), Normal(0.0, 1.0)).sum()
    return (bce + kl) / mu.shape[0]


if __name__ == "__main__":
    from hw5_utils import load_mnist

    train_beta_vae(BetaVAE(32, TUNED_BETA), make_loader(*load_mnist(), 64))
