# -*- coding: utf-8 -*-
# Homework 5 - GANs
# Layers are attributes, activations are functions.

import torch
from torch import nn
from torch.nn import functional as F

NOISE_DIM = 96


class DNet(nn.Module):
    """28x28 image -> logit"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, 1, 1)
        self.conv2 = nn.Conv2d(2, 4, 3, 1, 1)
        self.conv3 = nn.Conv2d(4, 8, 3, 1, 0)
        self.linear = nn.Linear(5 * 5 * 8, 1)
        self._weight_init()

    def _weight_init(self):
        # pytorch already does kaiming init for conv and linear
        pass

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        return self.linear(torch.flatten(x, 1))


class GNet(nn.Module):
    """code -> 28x28 image"""

    def __init__(self, zdim):
        super().__init__()
        self.linear = nn.Linear(zdim, 32 * 7 * 7)
        self.conv1 = nn.Conv2d(32, 16, 3, 1, 1)
        self.conv2 = nn.Conv2d(16, 8, 3, 1, 1)
        self.conv3 = nn.Conv2d(8, 1, 3, 1, 1)
        self._weight_init()

    def _weight_init(self):
        # pytorch already does kaiming init for conv and linear
        pass

    def forward(self, z):
        x = F.leaky_relu(self.linear(z), negative_slope=0.2)
        x = x.view(x.size(0), 32, 7, 7)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.leaky_relu(self.conv1(x), negative_slope=0.2)
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.leaky_relu(self.conv2(x), negative_slope=0.2)
        return torch.sigmoid(self.conv3(x))


class GAN:
    def __init__(self, zdim=64):
        torch.manual_seed(2)
        self._dev = "cuda:0" if torch.cuda.is_available() else "cpu"
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)

    def _get_loss_d(self, batch_size, batch_data, z):
        with torch.no_grad():
            fakes = self.gen(z)
        scores = torch.cat([self.disc(batch_data), self.disc(fakes)])
        targets = torch.zeros_like(scores)
        targets[:batch_size] = 1
        return F.binary_cross_entropy_with_logits(scores, targets)

    def _get_loss_g(self, batch_size, z):
        scores = self.disc(self.gen(z))
        return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))


def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return torch.empty(batch_size, noise_dim, dtype=dtype, device=device).uniform_(-1, 1)


def discriminator():
    sizes = [784, 256, 256]
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), nn.LeakyReLU()]
    return nn.Sequential(*layers, nn.Linear(256, 1))


def generator(noise_dim=NOISE_DIM):
    net = nn.Sequential()
    net.add_module("fc1", nn.Linear(noise_dim, 1024))
    net.add_module("relu1", nn.ReLU(inplace=True))
    net.add_module("fc2", nn.Linear(1024, 1024))
    net.add_module("relu2", nn.ReLU(inplace=True))
    net.add_module("fc3", nn.Linear(1024, 784))
    net.add_module("tanh", nn.Tanh())
    return net


def discriminator_loss(logits_real, logits_fake):
    bce = nn.BCEWithLogitsLoss()
    return bce(logits_real, torch.ones_like(logits_real)) + bce(
        logits_fake, torch.zeros_like(logits_fake)
    )


def generator_loss(logits_fake):
    return nn.BCEWithLogitsLoss()(logits_fake, torch.ones_like(logits_fake))


def ls_discriminator_loss(scores_real, scores_fake):
    return 0.5 * (
        F.mse_loss(scores_real, torch.ones_like(scores_real))
        + F.mse_loss(scores_fake, torch.zeros_like(scores_fake))
    )


def ls_generator_loss(scores_fake):
    return F.mse_loss(scores_fake, torch.ones_like(scores_fake)) / 2


def get_optimizer(model):
    return torch.optim.Adam(model.parameters(), 0.001, (0.5, 0.999))


class _Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.conv2 = nn.Conv2d(32, 64, 5)
        self.fc1 = nn.Linear(1024, 1024)
        self.fc2 = nn.Linear(1024, 1)

    def forward(self, x):
        x = x.view(-1, 1, 28, 28)
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.01), 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.01), 2)
        x = F.leaky_relu(self.fc1(x.flatten(1)), 0.01)
        return self.fc2(x)


class _Generator(nn.Module):
    def __init__(self, noise_dim):
        super().__init__()
        self.fc1 = nn.Linear(noise_dim, 1024)
        self.bn1 = nn.BatchNorm1d(1024)
        self.fc2 = nn.Linear(1024, 128 * 7 * 7)
        self.bn2 = nn.BatchNorm1d(128 * 7 * 7)
        self.up1 = nn.ConvTranspose2d(128, 64, 4, 2, 1)
        self.bn3 = nn.BatchNorm2d(64)
        self.up2 = nn.ConvTranspose2d(64, 1, 4, 2, 1)

    def forward(self, z):
        h = self.bn1(F.relu(self.fc1(z)))
        h = self.bn2(F.relu(self.fc2(h))).view(-1, 128, 7, 7)
        h = self.bn3(F.relu(self.up1(h)))
        return torch.tanh(self.up2(h)).flatten(1)


def build_dc_classifier():
    return _Classifier()


def build_dc_generator(noise_dim=NOISE_DIM):
    return _Generator(noise_dim)
