"""Generative adversarial networks: the models, and the losses that train them.

Where the lines say BEGIN and END you write; the rest of the file needs no edit.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn, optim

from hw5_utils import default_device, hello

NOISE_DIM = 96  # Z of part fc-gan


class DNet(nn.Module):
    """Convolutional discriminator: an image (N, 1, 28, 28) in [0, 1] to a logit (N, 1)."""

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(1, 2, 3, padding=1)
        self.conv2 = nn.Conv2d(2, 4, 3, padding=1)
        self.conv3 = nn.Conv2d(4, 8, 3)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(200, 1)
        ### END SOLUTION
        self._weight_init()

    def _weight_init(self):
        """Kaiming-uniform weights and zero biases for every layer that has them."""
        ### BEGIN SOLUTION
        # TODO
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.conv3(x))
        return self.fc(x.flatten(1))
        ### END SOLUTION


class GNet(nn.Module):
    """Convolutional generator: a code (N, Z) to an image (N, 1, 28, 28) in [0, 1]."""

    def __init__(self, zdim: int):
        super().__init__()
        ### BEGIN SOLUTION
        raise NotImplementedError("conv-gan.GNet")
        ### END SOLUTION
        self._weight_init()

    def _weight_init(self):
        ### BEGIN SOLUTION
        raise NotImplementedError("conv-gan.weight_init")
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        raise NotImplementedError("conv-gan.GNet")
        ### END SOLUTION


class GAN:
    """DNet and GNet, their two losses and the loop that trains them."""

    def __init__(self, zdim: int = 64, device: str | None = None):
        torch.manual_seed(2)
        self._dev = torch.device(device or default_device())
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)

    def _get_loss_d(self, batch_size: int, batch_data: torch.Tensor, z: torch.Tensor):
        ### BEGIN SOLUTION
        raise NotImplementedError("conv-gan.loss_d")
        ### END SOLUTION

    def _get_loss_g(self, batch_size: int, z: torch.Tensor):
        ### BEGIN SOLUTION
        raise NotImplementedError("conv-gan.loss_g")
        ### END SOLUTION


def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    """Noise for the generator, uniform in (-1, 1)."""
    ### BEGIN SOLUTION
    return 2 * torch.rand(batch_size, noise_dim, dtype=dtype, device=device) - 1
    ### END SOLUTION


def discriminator() -> nn.Sequential:
    """Fully connected discriminator: a flat image (N, 784) in [-1, 1] to a logit (N, 1)."""
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 1),
    )
    ### END SOLUTION


def generator(noise_dim: int = NOISE_DIM) -> nn.Sequential:
    """Fully connected generator: noise (N, Z) to a flat image (N, 784) in [-1, 1]."""
    ### BEGIN SOLUTION
    model = None
    # TODO: linear, relu, ...
    return model
    ### END SOLUTION


def discriminator_loss(logits_real, logits_fake):
    """The loss of the discriminator: the SUM of two means."""
    ### BEGIN SOLUTION
    bce = F.binary_cross_entropy_with_logits
    return bce(logits_real, torch.ones_like(logits_real)) + bce(
        logits_fake, torch.zeros_like(logits_fake)
    )
    ### END SOLUTION


def generator_loss(logits_fake):
    """The loss of the generator in its non-saturating form."""
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-gan.generator_loss")
    ### END SOLUTION


def get_optimizer(model: nn.Module) -> optim.Adam:
    """Adam for the parameters of `model`."""
    ### BEGIN SOLUTION
    return optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))
    ### END SOLUTION


def build_dc_classifier() -> nn.Sequential:
    """Convolutional discriminator."""
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-gan.build_dc_classifier")
    ### END SOLUTION


def build_dc_generator(noise_dim: int = NOISE_DIM) -> nn.Sequential:
    """Convolutional generator."""
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-gan.build_dc_generator")
    ### END SOLUTION


def ls_discriminator_loss(scores_real, scores_fake):
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-gan.least_squares")
    ### END SOLUTION


def ls_generator_loss(scores_fake):
    ### BEGIN SOLUTION
    raise NotImplementedError("fc-gan.least_squares")
    ### END SOLUTION
