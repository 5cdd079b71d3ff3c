# -*- coding: utf-8 -*-
# Homework 5 - VAE
# Layers are attributes, activations are functions.

from typing import Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MLPEncoder(nn.Module):
    """[D] -> [H], three hidden layers."""

    def __init__(self, n_in: int, n_hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_hidden)

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(x.size(0), -1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return F.relu(self.fc3(x))


class MLPDecoder(nn.Module):
    """[Z] -> image in (0, 1), three hidden layers."""

    def __init__(self, n_latent: int, n_hidden: int, n_out: int):
        super().__init__()
        self.fc1 = nn.Linear(n_latent, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_hidden)
        self.fc3 = nn.Linear(n_hidden, n_hidden)
        self.out = nn.Linear(n_hidden, n_out)

    def forward(self, z: Tensor) -> Tensor:
        h = torch.relu(self.fc1(z))
        h = torch.relu(self.fc2(h))
        h = torch.relu(self.fc3(h))
        return torch.sigmoid(self.out(h)).view(-1, 1, 28, 28)


class VAE(nn.Module):
    def __init__(self, input_size: int, latent_size: int = 15):
        super().__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.hidden_dim = 400
        self.encoder = MLPEncoder(input_size, self.hidden_dim)
        self.mu_layer = nn.Linear(self.hidden_dim, latent_size)
        self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)
        self.decoder = MLPDecoder(latent_size, self.hidden_dim, input_size)

    def encode(self, x: Tensor) -> Tuple[Tensor, Tensor]:
        h = self.encoder(x)
        return self.mu_layer(h), self.logvar_layer(h)

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(x)
        return self.decoder(reparametrize(mu, logvar)), mu, logvar


class CVAE(VAE):
    """The same with a label at both ends; reuses VAE where it can."""

    def __init__(self, input_size: int, num_classes: int = 10, latent_size: int = 15):
        super().__init__(input_size, latent_size)
        self.num_classes = num_classes
        self.encoder = MLPEncoder(input_size + num_classes, self.hidden_dim)
        self.decoder = MLPDecoder(latent_size + num_classes, self.hidden_dim, input_size)

    def forward(self, x: Tensor, c: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(torch.hstack((x.flatten(start_dim=1), c)))
        z = reparametrize(mu, logvar)
        return self.decoder(torch.hstack((z, c))), mu, logvar


def reparametrize(mu: Tensor, logvar: Tensor) -> Tensor:
    std = logvar.mul(0.5).exp()
    noise = torch.empty_like(mu).normal_()
    return torch.addcmul(mu, std, noise)


def loss_function(x_hat: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    n_pixels = x[0].numel()
    bce = F.binary_cross_entropy(x_hat.view(-1, n_pixels), x.view(-1, n_pixels), reduction="none")
    reconstruction = bce.sum(dim=1)                                     # (N,)
    kl = 0.5 * (mu ** 2 + logvar.exp() - 1 - logvar).sum(dim=1)         # (N,)
    return (reconstruction + kl).mean()
