"""Variational autoencoders: the models, and the losses that train them.

Where the lines say BEGIN and END you write; the rest of the file needs no edit.
"""

from __future__ import annotations

import argparse
import sys

import torch
import torch.nn.functional as F
from torch import nn

from hw5_utils import batches, hello, load_mnist, reset_seed, train_vae


def hello_vae() -> None:
    """Say that this file can be imported, and when it was last edited."""
    hello(__file__)


class VAE(nn.Module):
    """Fully connected variational autoencoder with a Gaussian code and Bernoulli pixels."""

    def __init__(self, input_size: int, latent_size: int = 15):
        """input_size: D, the number of pixels, 784 = 28 * 28; latent_size: Z."""
        super().__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        ### BEGIN SOLUTION
        self.hidden_dim = 200
        h = self.hidden_dim
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(input_size, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(),
        )
        self.mu_layer = nn.Linear(h, latent_size)
        self.logvar_layer = nn.Linear(h, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(), nn.Linear(h, input_size), nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Encode, draw one code per image, decode."""
        ### BEGIN SOLUTION
        raise NotImplementedError("fc-vae.forward")
        ### END SOLUTION


def reparametrize(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    """Draw z from N(mu, diag exp(logvar)) such that gradients reach mu and logvar."""
    ### BEGIN SOLUTION
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    ### END SOLUTION


def loss_function(x_hat, x, mu, logvar):
    """The negative evidence lower bound: smaller is better."""
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-vae.loss")
    ### END SOLUTION


class CVAE(nn.Module):
    """Conditional variational autoencoder."""

    def __init__(self, input_size: int, num_classes: int = 10, latent_size: int = 15):
        super().__init__()
        self.input_size = input_size
        self.num_classes = num_classes
        self.latent_size = latent_size
        ### BEGIN SOLUTION
        raise NotImplementedError("fc-vae.cvae")
        ### END SOLUTION

    def forward(self, x, c):
        ### BEGIN SOLUTION
        raise NotImplementedError("fc-vae.cvae")
        ### END SOLUTION


def main(argv: list[str] | None = None) -> int:
    """Train."""
    images, labels = load_mnist(validation=5000)
    vae = VAE(784)
    for epoch in range(10):
        train_vae(epoch, vae, batches(images, labels), loss_function=loss_function)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
