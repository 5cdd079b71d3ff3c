"""Übung 5, GANs. Abgabe von Jürgen Größe."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

from hw5_utils import *

NOISE_DIM = 96  # Länge des Rauschens, 5 µs pro Bild
ÜBERSCHRIFT = 'Gefälschte Ziffern'


def hello_gan():
    print("Hello from hw5_gan.py!")


# ---------------------------------------------------------------- conv-gan

class DNet(nn.Module):
    def __init__(self):
        super(DNet, self).__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
            nn.Conv2d(2, 4, kernel_size=3, stride=1, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
            nn.Conv2d(4, 8, kernel_size=3, stride=1, padding=0),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(200, 1),
        )
        self._weight_init()

    def _weight_init(self):
        # children() only gives the Sequential, so go through its layers
        for m in self.layers.children():
            if isinstance(m, nn.Conv2d) or isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight)
                m.bias.data.fill_(0)

    def forward(self, x):
        return self.layers(x)


class GNet(nn.Module):
    def __init__(self, zdim):
        super(GNet, self).__init__()
        self.zdim = zdim
        self.layers = nn.Sequential(
            nn.Linear(zdim, 1568),
            nn.LeakyReLU(0.2),
            nn.Unflatten(1, (32, 7, 7)),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(32, 16, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(16, 8, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 3, padding=1),
            nn.Sigmoid(),
        )
        self._weight_init()

    def _weight_init(self):
        for m in self.layers.children():
            if isinstance(m, nn.Conv2d) or isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight)
                m.bias.data.fill_(0)

    def forward(self, z):
        return self.layers(z)


class GAN:
    def __init__(self, zdim=64, device=None):
        torch.manual_seed(2)
        self._dev = torch.device(device or ('cuda' if torch.cuda.is_available() else 'cpu'))
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(zdim).to(self._dev)

    def _get_loss_d(self, batch_size, batch_data, z):
        fake = self.gen(z).detach()
        logits = self.disc(torch.cat([batch_data, fake], 0))
        labels = torch.cat([torch.ones(batch_size, 1), torch.zeros(batch_size, 1)], 0)
        return nn.BCEWithLogitsLoss()(logits, labels.to(self._dev))

    def _get_loss_g(self, batch_size, z):
        logits = self.disc(self.gen(z))
        return nn.BCEWithLogitsLoss()(logits, torch.ones(batch_size, 1).to(self._dev))


# ---------------------------------------------------------------- fc-gan

def sample_noise(batch_size, noise_dim, dtype=torch.float, device='cpu'):
    return torch.rand(batch_size, noise_dim, dtype=dtype, device=device) * 2 - 1


def discriminator():
    model = nn.Sequential(
        nn.Linear(784, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 1),
    )
    return model


def generator(noise_dim=NOISE_DIM):
    model = nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.Linear(1024, 1024),
        nn.ReLU(),
        nn.Linear(1024, 784),
        nn.Tanh(),
    )
    return model


def discriminator_loss(logits_real, logits_fake):
    real_loss = F.binary_cross_entropy_with_logits(logits_real, torch.ones_like(logits_real))
    fake_loss = F.binary_cross_entropy_with_logits(logits_fake, torch.zeros_like(logits_fake))
    return real_loss + fake_loss


def generator_loss(logits_fake):
    return F.binary_cross_entropy_with_logits(logits_fake, torch.ones_like(logits_fake))


def get_optimizer(model):
    return optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))


def ls_discriminator_loss(scores_real, scores_fake):
    return 0.5 * torch.mean((scores_real - 1) ** 2) + 0.5 * torch.mean(scores_fake ** 2)


def ls_generator_loss(scores_fake):
    return 0.5 * torch.mean((scores_fake - 1) ** 2)


def build_dc_classifier():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 5, stride=1),
        nn.LeakyReLU(0.01),
        nn.MaxPool2d(2, 2),
        nn.Conv2d(32, 64, 5, stride=1),
        nn.LeakyReLU(0.01),
        nn.MaxPool2d(2, 2),
        nn.Flatten(),
        nn.Linear(4 * 4 * 64, 4 * 4 * 64),
        nn.LeakyReLU(0.01),
        nn.Linear(4 * 4 * 64, 1),
    )


def build_dc_generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.BatchNorm1d(1024),
        nn.Linear(1024, 7 * 7 * 128),
        nn.ReLU(),
        nn.BatchNorm1d(7 * 7 * 128),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1),
        nn.Tanh(),
        nn.Flatten(),
    )
