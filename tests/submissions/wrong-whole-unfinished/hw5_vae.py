"""Homework 5, the VAEs. NOT FINISHED, sorry."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from hw5_figures import canvas_figure, latent_scatter
from hw5_utils import adam, array_to_image, batch_indices, batches, concat_images, hello
from hw5_utils import idx2onehot, progress, resumable, show_losses


def hello_vae():
    hello(__file__)


# ---- Problem 1 -------------------------------------------------------------------------------


def answer_1b(latent_dimension=2):
    # only the mean is learned, one number per dimension
    return int(latent_dimension)


def answer_1g(mu_phi, sigma_phi):
    raise NotImplementedError


def answer_1h(mu_phi, mu_p, sigma):
    raise NotImplementedError


def answer_1j():
    POSTERIOR = 3
    return POSTERIOR


# ---- Problem 2: black and white digits ---------------------------------------------------------


class Encoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.fc1 = nn.Linear(data_dimension, hidden_units)
        self.fc2_mu = nn.Linear(hidden_units, latent_dimension)
        self.fc2_sigma = nn.Linear(hidden_units, latent_dimension)

    def forward(self, x):
        hidden = torch.tanh(self.fc1(x))
        return self.fc2_mu(hidden), torch.exp(self.fc2_sigma(hidden))


class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super().__init__()
        self.fc1 = nn.Linear(latent_dimension, hidden_units)
        self.fc2 = nn.Linear(hidden_units, data_dimension)

    def forward(self, z):
        h = self.fc1(z).tanh()
        return self.fc2(h).sigmoid()


class BernoulliVAE(nn.Module):
    def __init__(self, latent_dimension=2, hidden_units=500, data_dimension=784):
        super().__init__()
        self.latent_dimension = latent_dimension
        self.hidden_units = hidden_units
        self.data_dimension = data_dimension
        self.encoder = Encoder(latent_dimension, hidden_units, data_dimension)
        self.decoder = Decoder(latent_dimension, hidden_units, data_dimension)
        self.out = Path(".")

    @staticmethod
    def sample_diagonal_gaussian(mu, sigma_square):
        sigma = sigma_square**0.5
        eps = torch.randn(mu.shape, device=mu.device)
        return eps * sigma + mu

    @staticmethod
    def sample_Bernoulli(p):
        raise NotImplementedError

    @staticmethod
    def logpdf_diagonal_gaussian(z, mu, sigma_square):
        log_det = torch.log(sigma_square).sum(-1)
        mahalanobis = ((z - mu) ** 2 / sigma_square).sum(-1)
        D = z.shape[-1]
        return -0.5 * (D * math.log(2 * math.pi) + log_det + mahalanobis)

    @staticmethod
    def logpdf_bernoulli(x, p):
        raise NotImplementedError

    def sample_z(self, mu, sigma_square):
        return self.sample_diagonal_gaussian(mu, sigma_square)

    def elbo_loss(self, sampled_z, mu, sigma_square, x, p):
        raise NotImplementedError

    def fit(self, images, num_epoches=200, batch_size=100, lr=1e-3):
        optimizer = adam([*self.encoder.parameters(), *self.decoder.parameters()], lr)
        num_batches = math.ceil(len(images) / batch_size)
        elbos = []
        for epoch in resumable(num_epoches, model=self, optimizer=optimizer, elbos=elbos):
            bar = progress(range(num_batches), f"Epoch {epoch}")
            for step in bar:
                x = images[batch_indices(epoch * num_batches + step, num_batches, batch_size)]
                mu, sigma_square = self.encoder(x)
                z = self.sample_z(mu, sigma_square)
                elbo = self.elbo_loss(z, mu, sigma_square, x, self.decoder(z))
                optimizer.zero_grad()
                (-elbo).backward()
                optimizer.step()
                elbos.append(elbo.detach())
                show_losses(bar, ELBO=elbo)
        return [float(elbo) for elbo in elbos]

    @torch.no_grad()
    def visualize_data_space(self):
        zeros = torch.zeros(10, self.latent_dimension)
        z = self.sample_diagonal_gaussian(zeros, zeros + 1)
        p = self.decoder(z)
        x = self.sample_Bernoulli(p)
        pictures = [array_to_image(one) for one in [*p, *x]]
        canvas = concat_images(pictures, 10, 2)
        canvas_figure(canvas, ["p(x|z)", "x"], file=self.out / "vis_data_space.pdf")
        return canvas

    @torch.no_grad()
    def visualize_latent_space(self, images, labels):
        means = self.encoder(images)[0]
        classes = labels.argmax(1) if labels.dim() == 2 else labels
        latent_scatter(means, classes, file=self.out / "vis_latent_space.pdf")
        return means

    @staticmethod
    def interpolate_mu(mua, mub, alpha=0.5):
        return alpha * mua + (1 - alpha) * mub


# ---- Autoencoder, beta-VAE, conditional beta-VAE -----------------------------------------------


class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.net = nn.Sequential(
            nn.Linear(input_size, 256), nn.ReLU(True), nn.Linear(256, 64), nn.ReLU(True), nn.Linear(64, nz)
        )

    def forward(self, x):
        return self.net(x.reshape(-1, self.input_size))


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.net = nn.Sequential(
            nn.Linear(nz, 64), nn.ReLU(True), nn.Linear(64, 256), nn.ReLU(True), nn.Linear(256, output_size), nn.Sigmoid()
        )

    def forward(self, z):
        return self.net(z).reshape(-1, 1, self.output_size)


class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.nz = nz
        self.encoder = AEEncoder(nz, 28 * 28)
        self.decoder = AEDecoder(nz, 28 * 28)

    def forward(self, x):
        code = self.encoder(x)
        return self.decoder(code)

    def reconstruct(self, x):
        return self.forward(x).reshape(-1, 28, 28)


def make_loader(images, labels, batch_size):
    raise NotImplementedError


def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.BCELoss()
    losses = []
    for epoch in resumable(epochs, model=model, optimizer=optimizer, losses=losses):
        print(f"Run Epoch {epoch}")
        for it, (x, _) in enumerate(loader):
            optimizer.zero_grad()
            x_hat = model(x)
            loss = criterion(x_hat.flatten(), x.flatten())
            loss.backward()
            optimizer.step()
            if it % 100 == 0:
                print(f"It {it}: Reconstruction Loss: {loss.item()}")
            losses.append(loss.item())
    print("Done!")
    return losses


@torch.no_grad()
def sample_prior(model, n):
    raise NotImplementedError


def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    ratio = torch.exp(2 * (log_sigma1 - log_sigma2))
    distance = (mu1 - mu2) ** 2 * torch.exp(-2 * log_sigma2)
    return (log_sigma2 - log_sigma1) + (ratio + distance) / 2 - 0.5


class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz = nz
        self.beta = beta
        self.encoder = AEEncoder(nz * 2, 784)
        self.decoder = AEDecoder(nz, 784)

    def forward(self, x):
        q = self.encoder(x)
        mu, log_sigma = q[:, : self.nz], q[:, self.nz :]
        eps = torch.randn_like(log_sigma)
        z = mu + eps * log_sigma.exp()
        return {"q": q, "rec": self.decoder(z)}

    def loss(self, x, outputs):
        raise NotImplementedError

    def reconstruct(self, x):
        mu = self.encoder(x)[:, : self.nz]
        return self.decoder(mu).reshape(-1, 28, 28)


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    raise NotImplementedError


TUNED_BETA = None


@torch.no_grad()
def interpolate_embeddings(model, start, end, steps=5):
    raise NotImplementedError


class ConditionalAEEncoder(nn.Module):
    def __init__(self, nz, input_size, conditional, num_labels):
        super().__init__()
        self.image_size = input_size
        self.input_size = input_size + num_labels if conditional else input_size
        self.conditional = conditional
        self.num_labels = num_labels
        self.net = nn.Sequential(
            nn.Linear(self.input_size, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, nz)
        )

    def forward(self, x, c=None):
        x = x.reshape(-1, self.image_size)
        if self.conditional:
            x = torch.cat([x, idx2onehot(c, self.num_labels)], dim=-1)
        return self.net(x)


class ConditionalAEDecoder(nn.Module):
    def __init__(self, nz, output_size, conditional, num_labels):
        super().__init__()
        self.output_size = output_size
        self.conditional = conditional
        self.num_labels = num_labels
        inputs = nz + num_labels if conditional else nz
        self.net = nn.Sequential(
            nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, output_size), nn.Sigmoid()
        )

    def forward(self, z, c=None):
        if self.conditional:
            z = torch.cat([z, idx2onehot(c, self.num_labels)], dim=-1)
        return self.net(z).reshape(-1, 1, self.output_size)


class ConditionalBetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0, conditional=False, num_labels=0):
        super().__init__()
        if conditional and num_labels < 1:
            raise ValueError("A conditional model needs num_labels, the number of classes.")
        self.nz = nz
        self.beta = beta
        self.conditional = conditional
        self.num_labels = num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)

    def forward(self, x, c=None):
        raise NotImplementedError

    loss = BetaVAE.loss  # the same two terms

    def reconstruct(self, x, c=None):
        raise NotImplementedError


@torch.no_grad()
def sample_digits(model, labels):
    raise NotImplementedError


# ---- Fully connected VAE -----------------------------------------------------------------------


class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.hidden_dim = 256
        H, Z = self.hidden_dim, latent_size
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(input_size, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU()
        )
        self.mu_layer = nn.Linear(H, Z)
        self.logvar_layer = nn.Linear(H, Z)
        self.decoder = nn.Sequential(
            nn.Linear(Z, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(),
            nn.Linear(H, input_size), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, x):
        raise NotImplementedError


def reparametrize(mu, logvar):
    return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)


def loss_function(x_hat, x, mu, logvar):
    N = x.shape[0]
    bce = F.binary_cross_entropy(x_hat, x, reduction="none").reshape(N, -1).sum(1)
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)
    return (bce + kl).mean()


class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        self.input_size = input_size
        self.num_classes = num_classes
        self.latent_size = latent_size
        self.hidden_dim = 256
        H, Z, C = self.hidden_dim, latent_size, num_classes
        self.encoder = nn.Sequential(
            nn.Linear(input_size + C, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU()
        )
        self.mu_layer = nn.Linear(H, Z)
        self.logvar_layer = nn.Linear(H, Z)
        self.decoder = nn.Sequential(
            nn.Linear(Z + C, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(), nn.Linear(H, H), nn.ReLU(),
            nn.Linear(H, input_size), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, x, c):
        raise NotImplementedError


@torch.no_grad()
def draw_samples(vae, n=10):
    return vae.decoder(torch.randn(n, vae.latent_size))


@torch.no_grad()
def draw_interpolation(vae, rows=12, steps=12):
    pictures = []
    for _ in range(rows):
        a, b = torch.randn(2, vae.latent_size)
        pictures += [vae.decoder(torch.lerp(a, b, t)[None]) for t in np.linspace(0, 1, steps)]
    return torch.cat(pictures)


@torch.no_grad()
def draw_digits(cvae):
    c = torch.eye(cvae.num_classes)
    return cvae.decoder(torch.cat([torch.randn(cvae.num_classes, cvae.latent_size), c], dim=1))


if __name__ == "__main__":
    from hw5_utils import load_mnist

    images, labels = load_mnist()
    train_autoencoder(AutoEncoder(32), make_loader(images, labels, 64))
