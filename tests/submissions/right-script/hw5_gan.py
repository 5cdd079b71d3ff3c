#!/usr/bin/env python
# coding: utf-8
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.transforms as transforms
from torchvision.utils import save_image
from torch.utils.data import DataLoader
from tqdm import tqdm
import matplotlib.pyplot as plt
from hw5_utils import *

torch.set_default_device("mps")
dtype = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor
NOISE_DIM = 96
parser = argparse.ArgumentParser()
parser.add_argument('--epochs', type=int, default=90)
args = parser.parse_args()


class DNet(nn.Module):
    """This is discriminator network."""

    def __init__(self):
        super(DNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1, bias=True)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(kernel_size=2, stride=2)
        self.conv2 = nn.Conv2d(2, 4, kernel_size=3, stride=1, padding=1, bias=True)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(kernel_size=2, stride=2)
        self.conv3 = nn.Conv2d(4, 8, kernel_size=3, stride=1, padding=0, bias=True)
        self.relu3 = nn.ReLU()
        self.fc = nn.Linear(200, 1, bias=True)
        self._weight_init()

    def _weight_init(self):
        for module in self.children():
            classname = module.__class__.__name__
            if classname.find('Conv') != -1 or classname.find('Linear') != -1:
                nn.init.kaiming_uniform_(module.weight.data)
                module.bias.data.zero_()

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.relu3(self.conv3(x))
        x = x.view(x.shape[0], -1)
        return self.fc(x)


class GNet(nn.Module):
    """This is generator network."""

    def __init__(self, zdim):
        super(GNet, self).__init__()
        self.fc = nn.Linear(zdim, 1568, bias=True)
        self.lrelu = nn.LeakyReLU(negative_slope=0.2)
        self.up = nn.Upsample(scale_factor=2)
        self.conv1 = nn.Conv2d(32, 16, kernel_size=3, stride=1, padding=1, bias=True)
        self.conv2 = nn.Conv2d(16, 8, kernel_size=3, stride=1, padding=1, bias=True)
        self.conv3 = nn.Conv2d(8, 1, kernel_size=3, stride=1, padding=1, bias=True)
        self.sigmoid = nn.Sigmoid()
        self._weight_init()

    def _weight_init(self):
        for module in self.children():
            classname = module.__class__.__name__
            if classname.find('Conv') != -1 or classname.find('Linear') != -1:
                nn.init.kaiming_uniform_(module.weight.data)
                module.bias.data.zero_()

    def forward(self, z):
        x = self.lrelu(self.fc(z))
        x = x.view(-1, 32, 7, 7)
        x = self.lrelu(self.conv1(self.up(x)))
        x = self.lrelu(self.conv2(self.up(x)))
        return self.sigmoid(self.conv3(x))


class GAN:
    def __init__(self, zdim=64):
        torch.manual_seed(2)
        self._dev = torch.device("mps")
        self._zdim = zdim
        self.disc = DNet().to('mps')
        self.gen = GNet(self._zdim).to('mps')

    def _get_loss_d(self, batch_size, batch_data, z):
        real_logits = self.disc(batch_data.to(self._dev))
        fake_logits = self.disc(self.gen(z.to(self._dev)).detach())
        y_real = torch.ones(batch_size, 1).to('mps')
        y_fake = torch.zeros(batch_size, 1).to('mps')
        criterion = nn.BCEWithLogitsLoss()
        loss_d = 0.5 * (criterion(real_logits, y_real) + criterion(fake_logits, y_fake))
        print("D:", loss_d.item())
        return loss_d

    def _get_loss_g(self, batch_size, z):
        criterion = nn.BCEWithLogitsLoss()
        logits = self.disc(self.gen(z.to(self._dev)))
        loss_g = criterion(logits, torch.ones(batch_size, 1, device='mps'))
        print("G:", loss_g.item())
        return loss_g

    def train(self, iter_d=1, iter_g=1, n_epochs=100, batch_size=256, lr=0.0002):
        optim_d = torch.optim.Adam(self.disc.parameters(), lr=lr)
        optim_g = torch.optim.Adam(self.gen.parameters(), lr=lr)
        images, _ = load_mnist()
        for epoch in range(n_epochs or args.epochs):
            for i in range(0, len(images), batch_size):
                batch = images[i:i + batch_size].to('mps')
                z = 2 * torch.rand(len(batch), self._zdim).to('mps') - 1
                for _ in range(iter_d):
                    optim_d.zero_grad(); loss_d = self._get_loss_d(len(batch), batch, z); loss_d.backward(); optim_d.step()
                for _ in range(iter_g):
                    optim_g.zero_grad(); loss_g = self._get_loss_g(len(batch), z); loss_g.backward(); optim_g.step()
            print("E: {}; DLoss: {}; GLoss: {}".format(epoch, loss_d, loss_g))
            save_image(self.gen(z)[:64], "test_{}.png".format(epoch), nrow=8)


def sample_noise(batch_size, noise_dim, dtype=torch.float, device='cpu'):
    noise = torch.rand((batch_size, noise_dim), dtype=dtype, device=device)
    noise = (noise - 0.5) * 2
    return noise


def discriminator():
    model = None
    model = nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 1))
    return model


def generator(noise_dim=NOISE_DIM):
    model = None
    model = nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(),
        nn.Linear(1024, 1024), nn.ReLU(),
        nn.Linear(1024, 784), nn.Tanh())
    return model


def discriminator_loss(logits_real, logits_fake):
    N = logits_real.size(0)
    true_labels = torch.ones(N).reshape(logits_real.shape).to(logits_real.device)
    fake_labels = torch.zeros(logits_fake.size()).to(logits_fake.device)
    loss = F.binary_cross_entropy_with_logits(logits_real, true_labels)
    loss += F.binary_cross_entropy_with_logits(logits_fake, fake_labels)
    return loss


def generator_loss(logits_fake):
    labels = torch.ones(logits_fake.size()).to(logits_fake.device)
    loss = F.binary_cross_entropy_with_logits(logits_fake, labels)
    return loss


def get_optimizer(model):
    optimizer = None
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))
    return optimizer


def ls_discriminator_loss(scores_real, scores_fake):
    loss = 0.5 * torch.mean((scores_real - 1) ** 2) + 0.5 * torch.mean(scores_fake ** 2)
    return loss


def ls_generator_loss(scores_fake):
    loss = 0.5 * torch.mean((scores_fake - 1) ** 2)
    return loss


def build_dc_classifier():
    model = nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, kernel_size=5, stride=1), nn.LeakyReLU(0.01), nn.MaxPool2d(2, stride=2),
        nn.Conv2d(32, 64, kernel_size=5, stride=1), nn.LeakyReLU(0.01), nn.MaxPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(4 * 4 * 64, 4 * 4 * 64), nn.LeakyReLU(0.01),
        nn.Linear(4 * 4 * 64, 1))
    return model


def build_dc_generator(noise_dim=NOISE_DIM):
    model = nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Linear(1024, 7 * 7 * 128), nn.ReLU(), nn.BatchNorm1d(7 * 7 * 128),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2, padding=1), nn.Tanh(),
        nn.Flatten())
    return model


def main():
    gan = GAN()
    gan.train()
    D = discriminator().type(dtype)
    G = generator().type(dtype)
    images = run_a_gan(D, G, get_optimizer(D), get_optimizer(G), discriminator_loss, generator_loss, 'fc_gan_results.jpg')
    plt.imshow(images[0].reshape(28, 28).cpu())
    plt.show()


main()
gan = GAN()
gan.train()
result = gan.train(n_epochs=30)
