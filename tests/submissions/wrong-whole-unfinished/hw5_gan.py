"""Homework 5, the GANs. NOT FINISHED, sorry."""

from __future__ import annotations

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn, optim

from hw5_utils import Gallery, batches, default_device, fused, hello, load_mnist, progress, resumable

NOISE_DIM = 96


def hello_gan():
    hello(__file__)


def answer_3e():
    raise NotImplementedError


# ---- conv-gan ----------------------------------------------------------------------------------


class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, stride=1, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(2, 4, 3, stride=1, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(4, 8, 3, stride=1, padding=0)
        self.relu3 = nn.ReLU()
        self.linear = nn.Linear(200, 1)
        self._weight_init()

    def _weight_init(self):
        for child in self.children():
            if hasattr(child, "weight"):
                nn.init.kaiming_uniform_(child.weight)
                nn.init.constant_(child.bias, 0)

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.relu3(self.conv3(x))
        return self.linear(x.view(x.shape[0], -1))


class GNet(nn.Module):
    def __init__(self, zdim):
        super().__init__()
        self.linear = nn.Linear(zdim, 1568)
        self.act = nn.LeakyReLU(0.2)
        self.upsample = nn.Upsample(scale_factor=2)
        self.conv1 = nn.Conv2d(32, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 8, 3, padding=1)
        self.conv3 = nn.Conv2d(8, 1, 3, padding=1)
        self.sigmoid = nn.Sigmoid()
        self._weight_init()

    def _weight_init(self):
        for child in self.children():
            if hasattr(child, "weight"):
                nn.init.kaiming_uniform_(child.weight)
                nn.init.constant_(child.bias, 0)

    def forward(self, z):
        raise NotImplementedError


class GAN:
    def __init__(self, zdim=64, device=None):
        torch.manual_seed(2)
        self._dev = torch.device(device or default_device())
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)
        self.samples = Gallery()

    def _get_loss_d(self, batch_size, batch_data, z):
        raise NotImplementedError

    def _get_loss_g(self, batch_size, z):
        criterion = nn.BCEWithLogitsLoss()
        return criterion(self.disc(self.gen(z)), torch.ones(batch_size, 1, device=self._dev))

    def train(self, iter_d=1, iter_g=1, n_epochs=100, batch_size=256, lr=0.0002):
        loader = batches(load_mnist()[0], batch_size=batch_size, drop_last=True, device=self._dev)
        opt_d = optim.Adam(self.disc.parameters(), lr)
        opt_g = optim.Adam(self.gen.parameters(), lr)
        for epoch in range(n_epochs):
            for data in progress(loader, f"Epoch {epoch}"):
                z = 2 * torch.rand(len(data), self._zdim, device=self._dev) - 1
                for _ in range(iter_d):
                    opt_d.zero_grad()
                    self._get_loss_d(len(data), data, z).backward()
                    opt_d.step()
                for _ in range(iter_g):
                    opt_g.zero_grad()
                    self._get_loss_g(len(data), z).backward()
                    opt_g.step()


# ---- fc-gan ------------------------------------------------------------------------------------


def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return (torch.rand(batch_size, noise_dim, dtype=dtype, device=device) - 0.5) * 2


def discriminator():
    return nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(0.01), nn.Linear(256, 256), nn.LeakyReLU(0.01), nn.Linear(256, 1)
    )


def generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 784), nn.Tanh()
    )


def discriminator_loss(logits_real, logits_fake):
    real = F.binary_cross_entropy_with_logits(logits_real, torch.ones_like(logits_real))
    fake = F.binary_cross_entropy_with_logits(logits_fake, torch.zeros_like(logits_fake))
    return real + fake


def generator_loss(logits_fake):
    raise NotImplementedError


def get_optimizer(model):
    return optim.Adam(model.parameters(), lr=0.001, betas=(0.5, 0.999))


def build_dc_classifier():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 5), nn.LeakyReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.LeakyReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 1024), nn.LeakyReLU(), nn.Linear(1024, 1),
    )


def build_dc_generator(noise_dim=NOISE_DIM):
    raise NotImplementedError


def ls_discriminator_loss(scores_real, scores_fake):
    raise NotImplementedError


def ls_generator_loss(scores_fake):
    raise NotImplementedError


# ---- cifar-dcgan -------------------------------------------------------------------------------


class CIFARGenerator(nn.Module):
    def __init__(self, starting_shape=64):
        super().__init__()
        self.fc = nn.Linear(starting_shape, 4 * 4 * 128)
        self.upsample_and_generate = nn.Sequential(
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 3, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, z):
        return self.upsample_and_generate(self.fc(z).view(-1, 128, 4, 4))


class CIFARDiscriminator(nn.Module):
    def __init__(self, spectral=False):
        super().__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1),
            nn.LeakyReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
        )
        self.fc = nn.Linear(4 * 4 * 128, 1)
        if spectral:
            for index in (0, 2, 5):
                nn.utils.parametrizations.spectral_norm(self.downsample[index])

    def forward(self, x):
        return self.fc(self.downsample(x).flatten(1))


class DCGAN(nn.Module):
    num_epoch = 25
    batch_size = 128
    log_step = 100
    visualize_step = 2
    code_size = 64
    learning_rate = 2e-4
    vis_learning_rate = 1e-2
    vis_steps = 500

    def __init__(self, spectral=False):
        super().__init__()
        self.register_buffer("tracked_noise", torch.randn(64, self.code_size))
        self.samples = Gallery()
        self._generator = CIFARGenerator(self.code_size)
        self._discriminator = CIFARDiscriminator(spectral)
        betas = (0.5, 0.999)
        self.optimizerG = optim.Adam(self._generator.parameters(), lr=self.learning_rate, betas=betas)
        self.optimizerD = optim.Adam(self._discriminator.parameters(), lr=self.learning_rate, betas=betas)
        self._weight_INITIALIZATION()

    def _weight_INITIALIZATION(self):
        raise NotImplementedError

    def _classification_loss(self, logits, labels):
        return F.binary_cross_entropy_with_logits(logits, labels)

    def fit(self, train_samples, out=None):
        device = self.tracked_noise.device
        images = torch.as_tensor(train_samples, dtype=torch.float32)
        loader = batches(images, batch_size=self.batch_size, drop_last=True, device=device)
        real_label = torch.ones(self.batch_size, 1, device=device)
        fake_label = torch.zeros(self.batch_size, 1, device=device)
        dis_losses, gen_losses = [], []
        state = {"model": self, "dis_losses": dis_losses, "gen_losses": gen_losses}
        state |= {name: fused(getattr(self, name)) for name in ("optimizerD", "optimizerG")}
        for epoch in resumable(self.num_epoch, samples=self.samples, **state):
            self.train()
            for batch_samples in progress(loader, f"Epoch {epoch}"):
                # --- discriminator: real images with label 1, fakes with label 0
                codes = torch.randn(self.batch_size, self.code_size, device=device)
                fakes = self._generator(codes)
                loss_real = self._classification_loss(self._discriminator(batch_samples), real_label)
                loss_fake = self._classification_loss(self._discriminator(fakes.detach()), fake_label)
                dis_loss = loss_real + loss_fake
                self.optimizerD.zero_grad()
                dis_loss.backward()
                self.optimizerD.step()
                # --- generator: fresh fakes, label 1
                codes = torch.randn(self.batch_size, self.code_size, device=device)
                gen_loss = self._classification_loss(self._discriminator(self._generator(codes)), real_label)
                self.optimizerG.zero_grad()
                gen_loss.backward()
                self.optimizerG.step()
                dis_losses.append(dis_loss.item())
                gen_losses.append(gen_loss.item())
            if epoch % self.visualize_step == 0:
                self.samples[epoch] = self.generate(self.tracked_noise)
        return dis_losses, gen_losses

    @torch.no_grad()
    def generate(self, code):
        self._generator.eval()
        return self._generator(code).cpu()

    def _reconstruction_loss(self, reconstruction, x):
        raise NotImplementedError

    def reconstruct(self, samples):
        device = self.tracked_noise.device
        x = torch.as_tensor(samples, dtype=torch.float32).to(device)
        recon_code = torch.zeros(len(x), self.code_size, device=device, requires_grad=True)
        self.eval()
        solver = optim.Adam([recon_code], lr=self.vis_learning_rate)
        for step in range(self.vis_steps):
            recon_samples = self._generator(recon_code)
            recon_loss = self._reconstruction_loss(recon_samples, x)
            solver.zero_grad()
            recon_loss.backward()
            solver.step()
        return recon_loss.detach(), recon_samples.detach().cpu()


# ---- ae-gan ------------------------------------------------------------------------------------


def _perceptron(hidden_layers, input_size, hidden_size, output_size, activation):
    sizes = [input_size] + [hidden_size] * hidden_layers + [output_size]
    net = nn.Sequential(nn.Linear(sizes[0], sizes[1]))
    for i in range(1, len(sizes) - 1):
        net.append(copy.deepcopy(activation)).append(nn.Linear(sizes[i], sizes[i + 1]))
    return net


class MLPEncoder(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, latent_size, activation):
        super().__init__()
        self.net = _perceptron(number_of_hidden_layers, input_size, hidden_size, latent_size, activation)

    def forward(self, x):
        return self.net(x)


class MLPGenerator(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, output_size, activation):
        super().__init__()
        self.net = _perceptron(number_of_hidden_layers, input_size, hidden_size, output_size, activation)
        self.net.append(nn.Sigmoid())

    def forward(self, x):
        return self.net(x)


class MLPDiscriminator(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, activation):
        super().__init__()
        self.net = _perceptron(number_of_hidden_layers, input_size, hidden_size, 1, activation)
        self.net.append(nn.Sigmoid())

    def forward(self, x):
        return self.net(x)


class AutoEncoderGAN(nn.Module):
    def __init__(
        self,
        number_of_hidden_layers=2,
        latent_size=64,
        hidden_size=256,
        output_size=784,
        activation_generator=None,
        activation_discriminator=None,
    ):
        super().__init__()
        self.latent_size = latent_size
        relu = activation_generator or nn.ReLU()
        leaky = activation_discriminator or nn.LeakyReLU(0.2)
        layers = number_of_hidden_layers
        self.encoder = MLPEncoder(layers, output_size, hidden_size, latent_size, relu)
        self.generator = MLPGenerator(layers, latent_size, hidden_size, output_size, relu)
        self.discriminator = MLPDiscriminator(layers, output_size, hidden_size, leaky)


def ae_gan_optimizers(model, lr=2e-4):
    return (
        optim.Adam(model.encoder.parameters(), lr=lr),
        optim.Adam(model.generator.parameters(), lr=lr),
        optim.Adam(model.discriminator.parameters(), lr=lr),
    )


def train_ae_gan(model, loader, optimizers, epochs):
    raise NotImplementedError


if __name__ == "__main__":
    GAN().train(n_epochs=30)
