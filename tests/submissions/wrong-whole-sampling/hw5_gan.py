#!/usr/bin/env python
# coding: utf-8

# # Homework 5: GANs
# In[1]:

%matplotlib inline
import numpy as np
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from tqdm.notebook import tqdm

from hw5_utils import *

NOISE_DIM = 96
dtype = torch.cuda.FloatTensor if torch.cuda.is_available() else torch.FloatTensor


# In[2]:

def answer_3e():
    return np.array([np.inf, np.inf, 0.5, 1.0])


# ## Problem 4
# In[3]:

class DNet(nn.Module):
    def __init__(self):
        super(DNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1)
        self.conv2 = nn.Conv2d(2, 4, kernel_size=3, stride=1, padding=1)
        self.conv3 = nn.Conv2d(4, 8, kernel_size=3, stride=1, padding=0)
        self.fc = nn.Linear(8 * 5 * 5, 1)
        self._weight_init()

    def _weight_init(self):
        for layer in [self.conv1, self.conv2, self.conv3, self.fc]:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2)
        h = F.relu(self.conv3(h))
        print("D", tuple(h.shape))
        return self.fc(h.reshape(h.shape[0], 200))

class GNet(nn.Module):
    def __init__(self, zdim):
        super(GNet, self).__init__()
        self.fc = nn.Linear(zdim, 1568)
        self.conv1 = nn.Conv2d(32, 16, kernel_size=3, stride=1, padding=1)
        self.conv2 = nn.Conv2d(16, 8, kernel_size=3, stride=1, padding=1)
        self.conv3 = nn.Conv2d(8, 1, kernel_size=3, stride=1, padding=1)
        self._weight_init()

    def _weight_init(self):
        for layer in [self.fc, self.conv1, self.conv2, self.conv3]:
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, z):
        h = F.leaky_relu(self.fc(z), 0.2).reshape(-1, 32, 7, 7)
        h = F.interpolate(h, scale_factor=2)
        h = F.leaky_relu(self.conv1(h), 0.2)
        h = F.interpolate(h, scale_factor=2)
        h = F.leaky_relu(self.conv2(h), 0.2)
        return torch.sigmoid(self.conv3(h))

class GAN:
    def __init__(self, zdim=64, device=None):
        torch.manual_seed(2)
        self._dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)

    def _get_loss_d(self, batch_size, batch_data, z):
        bce = nn.BCEWithLogitsLoss()
        fake = self.gen(z)
        images = torch.cat((batch_data, fake), dim=0)
        labels = torch.zeros(2 * batch_size, 1).to(self._dev)
        labels[:batch_size] = 1
        return bce(self.disc(images), labels)

    def _get_loss_g(self, batch_size, z):
        bce = nn.BCEWithLogitsLoss()
        labels = torch.ones(batch_size, 1).to(self._dev)
        return bce(self.disc(self.gen(z)), labels)


# ## fc-gan
# In[4]:

def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return torch.rand((batch_size, noise_dim))

def discriminator():
    model = nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 256), nn.LeakyReLU(0.01),
        nn.Linear(256, 1))
    return model

def generator(noise_dim=NOISE_DIM):
    model = nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(),
        nn.Linear(1024, 1024), nn.ReLU(),
        nn.Linear(1024, 784), nn.Tanh())
    return model

def discriminator_loss(logits_real, logits_fake):
    N = logits_real.shape[0]
    loss = nn.BCEWithLogitsLoss()(logits_real, torch.ones(logits_real.shape))
    loss = loss + nn.BCEWithLogitsLoss()(logits_fake, torch.zeros(logits_fake.shape))
    print("D loss", loss.item(), "on", N)
    return loss

def generator_loss(logits_fake):
    return nn.BCEWithLogitsLoss()(logits_fake, torch.ones(logits_fake.shape))

def get_optimizer(model):
    optimizer = optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))
    return optimizer

def build_dc_classifier():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, kernel_size=5, stride=1), nn.LeakyReLU(0.01), nn.MaxPool2d(2, stride=2),
        nn.Conv2d(32, 64, kernel_size=5, stride=1), nn.LeakyReLU(0.01), nn.MaxPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(4 * 4 * 64, 4 * 4 * 64), nn.LeakyReLU(0.01),
        nn.Linear(4 * 4 * 64, 1))

def build_dc_generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Linear(1024, 7 * 7 * 128), nn.ReLU(), nn.BatchNorm1d(7 * 7 * 128),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1), nn.ReLU(), nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2, padding=1), nn.Tanh(),
        nn.Flatten())

def ls_discriminator_loss(scores_real, scores_fake):
    return 0.5 * torch.mean((scores_real - 1) ** 2) + 0.5 * torch.mean(scores_fake ** 2)

def ls_generator_loss(scores_fake):
    return 0.5 * torch.mean((scores_fake - 1) ** 2)


# ## DCGAN on CIFAR-10
# In[5]:

class CIFARGenerator(nn.Module):
    def __init__(self, starting_shape=64):
        super(CIFARGenerator, self).__init__()
        self.fc = nn.Linear(starting_shape, 4 * 4 * 128)
        self.upsample_and_generate = nn.Sequential(
            nn.BatchNorm2d(128), nn.LeakyReLU(),
            nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(64), nn.LeakyReLU(),
            nn.ConvTranspose2d(64, 32, kernel_size=4, stride=2, padding=1),
            nn.BatchNorm2d(32), nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 3, kernel_size=4, stride=2, padding=1),
            nn.Sigmoid())

    def forward(self, z):
        return self.upsample_and_generate(self.fc(z).view(-1, 128, 4, 4))

class CIFARDiscriminator(nn.Module):
    def __init__(self, spectral=False):
        super(CIFARDiscriminator, self).__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1), nn.LeakyReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1), nn.BatchNorm2d(64), nn.LeakyReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1), nn.BatchNorm2d(128), nn.LeakyReLU())
        self.fc = nn.Linear(4 * 4 * 128, 1)
        if spectral:
            self.downsample[0] = nn.utils.spectral_norm(self.downsample[0])
            self.downsample[2] = nn.utils.spectral_norm(self.downsample[2])
            self.downsample[5] = nn.utils.spectral_norm(self.downsample[5])

    def forward(self, x):
        return self.fc(self.downsample(x).view(-1, 4 * 4 * 128))

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
        super(DCGAN, self).__init__()
        self.register_buffer("tracked_noise", torch.randn(64, self.code_size))
        self.samples = {}
        self._generator = CIFARGenerator(self.code_size)
        self._discriminator = CIFARDiscriminator(spectral=spectral)
        self.optimizerG = optim.Adam(self._generator.parameters(), lr=self.learning_rate, betas=(0.5, 0.999))
        self.optimizerD = optim.Adam(self._discriminator.parameters(), lr=self.learning_rate, betas=(0.5, 0.999))
        self.bce = nn.BCEWithLogitsLoss()
        self._weight_INITIALIZATION()

    def _weight_INITIALIZATION(self):
        for name, p in self.named_parameters():
            if p.dim() == 4:               # every convolution, wrapped or not
                p.data.normal_(0, 0.02)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.data = 1 + 0.02 * torch.randn(m.weight.shape)
                m.bias.data = torch.zeros(m.bias.shape)

    def _classification_loss(self, logits, labels):
        return nn.BCEWithLogitsLoss()(logits, labels)

    def fit(self, train_samples, out=None):
        images = torch.as_tensor(train_samples, dtype=torch.float32)
        num_batches = len(images) // self.batch_size
        dis_losses, gen_losses = [], []
        for epoch in range(self.num_epoch):
            self.train()
            perm = torch.randperm(len(images))
            for b in tqdm(range(num_batches)):
                x = images[perm[b * self.batch_size : (b + 1) * self.batch_size]]
                # discriminator, one backward for each half
                self._discriminator.zero_grad()
                z = torch.rand(self.batch_size, self.code_size)
                fake = self._generator(z)
                errD_real = self._classification_loss(self._discriminator(x), torch.ones(len(x), 1))
                errD_real.backward()
                errD_fake = self._classification_loss(self._discriminator(fake.detach()), torch.zeros(len(x), 1))
                errD_fake.backward()
                self.optimizerD.step()
                # generator, the same fakes
                self._generator.zero_grad()
                errG = self._classification_loss(self._discriminator(fake), torch.ones(len(x), 1))
                errG.backward()
                self.optimizerG.step()
                dis_losses.append((errD_real + errD_fake).item())
                gen_losses.append(errG.item())
                if b % 100 == 0:
                    print(epoch, b, dis_losses[-1], gen_losses[-1])
        return dis_losses, gen_losses

    def generate(self, code):
        self._generator.eval()
        with torch.no_grad():
            return self._generator(code).cpu()

    def _reconstruction_loss(self, reconstruction, x):
        return ((reconstruction - x) ** 2).sum() / x.numel()

    def reconstruct(self, samples):
        x = torch.as_tensor(samples, dtype=torch.float32)
        code = torch.zeros(len(x), 64).requires_grad_()
        self.train()
        optimizer = optim.Adam([code], lr=self.vis_learning_rate, betas=(0.5, 0.999))
        for i in range(self.vis_steps):
            optimizer.zero_grad()
            rec = self._generator(code)
            loss = self._reconstruction_loss(rec, x)
            loss.backward()
            optimizer.step()
        return loss.item(), rec.detach()


# ## ae-gan
# In[6]:

def mlp(hidden_layers, input_size, hidden_size, output_size, activation):
    sizes = [input_size] + [hidden_size] * hidden_layers + [output_size]
    layers = [nn.Linear(sizes[0], sizes[1])]
    for a, b in zip(sizes[1:], sizes[2:]):
        layers += [activation, nn.Linear(a, b)]
    return nn.Sequential(*layers)

class MLPEncoder(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, latent_size, activation):
        super().__init__()
        self.net = mlp(number_of_hidden_layers, input_size, hidden_size, latent_size, activation)

    def forward(self, x):
        return self.net(x)

class MLPGenerator(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, output_size, activation):
        super().__init__()
        self.net = mlp(number_of_hidden_layers, input_size, hidden_size, output_size, activation)

    def forward(self, x):
        return torch.sigmoid(self.net(x))

class MLPDiscriminator(nn.Module):
    def __init__(self, number_of_hidden_layers, input_size, hidden_size, activation):
        super().__init__()
        self.net = mlp(number_of_hidden_layers, input_size, hidden_size, 1, activation)

    def forward(self, x):
        return torch.sigmoid(self.net(x))

class AutoEncoderGAN(nn.Module):
    def __init__(self, number_of_hidden_layers=2, latent_size=64, hidden_size=256, output_size=784,
                 activation_generator=None, activation_discriminator=None):
        super().__init__()
        self.latent_size = latent_size
        relu, leaky = activation_generator or nn.ReLU(), activation_discriminator or nn.LeakyReLU(0.2)
        layers = number_of_hidden_layers
        self.encoder = MLPEncoder(layers, output_size, hidden_size, latent_size, relu)
        self.generator = MLPGenerator(layers, latent_size, hidden_size, output_size, relu)
        self.discriminator = MLPDiscriminator(layers, output_size, hidden_size, leaky)

def ae_gan_optimizers(model, lr=2e-4):
    return [optim.AdamW(m.parameters(), lr=lr) for m in (model.discriminator, model.generator, model.encoder)]

def train_ae_gan(model, loader, optimizers, epochs):
    optD, optG, optE = optimizers
    criterion = nn.BCELoss()
    D_hist, G_hist, AE_hist = [], [], []
    for epoch in range(epochs):
        D_sum = G_sum = AE_sum = seen = 0
        for batch in loader:
            x = batch[0] if isinstance(batch, (list, tuple)) else batch
            x = x.view(x.shape[0], -1)
            n = x.shape[0]
            # encoder first
            model.zero_grad()
            lossAE = F.mse_loss(model.generator(model.encoder(x)), x)
            lossAE.backward()
            optE.step()
            # discriminator
            model.zero_grad()
            fake = model.generator(torch.rand(n, model.latent_size))
            lossD = criterion(model.discriminator(x), torch.ones(n, 1))
            lossD = lossD + criterion(model.discriminator(fake.detach()), torch.zeros(n, 1))
            lossD.backward()
            optD.step()
            # generator
            model.zero_grad()
            fake = model.generator(torch.randn(n, model.latent_size))
            lossG = 0.5 * criterion(model.discriminator(fake.detach()), torch.ones(n, 1))
            lossG = lossG + F.mse_loss(model.generator(model.encoder(x)), x)
            lossG.backward()
            optG.step()
            D_sum += n * lossD.item()
            G_sum += n * lossG.item()
            AE_sum += n * lossAE.item()
            seen += n
        D_hist.append(D_sum / seen)
        G_hist.append(G_sum / seen)
        AE_hist.append(AE_sum / seen)
    return D_hist, G_hist, AE_hist


# In[7]:

images, labels = load_mnist()
gan = GAN()
model = AutoEncoderGAN()
history = train_ae_gan(model, batches(images, batch_size=64), ae_gan_optimizers(model), 80)
plt.plot(history[0], label="D")
plt.plot(history[1], label="G")
plt.legend()
plt.show()

dcgan = DCGAN(spectral=True)
dcgan.fit(load_cifar10())
loss, pictures = dcgan.reconstruct(load_cifar10("test")[:64])
print("average reconstruction loss =", loss)
