import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from hw5_utils import Gallery, batches

NOISE_DIM = 96
inf = math.inf


def answer_3e():
    return [1 / 2, 1, inf, inf]


# ------------------------------------------------------------------ conv-gan
def conv(i, o, p=1):
    return nn.Conv2d(i, o, kernel_size=3, stride=1, padding=p, bias=True)


def kaiming(layer):
    if isinstance(layer, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_uniform_(layer.weight)
        layer.bias.data.fill_(0.0)


class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            conv(1, 2), nn.ReLU(), nn.MaxPool2d(2, 2),
            conv(2, 4), nn.ReLU(), nn.MaxPool2d(2, 2),
            conv(4, 8, 0), nn.ReLU(), nn.Flatten(), nn.Linear(200, 1),
        )
        self._weight_init()

    def _weight_init(self):
        self.apply(kaiming)

    def forward(self, x):
        return self.net(x)


class GNet(nn.Module):
    def __init__(self, zdim):
        super().__init__()
        slope = 0.2
        self.net = nn.Sequential(
            nn.Linear(zdim, 1568), nn.LeakyReLU(slope), nn.Unflatten(1, (32, 7, 7)),
            nn.Upsample(scale_factor=2), conv(32, 16), nn.LeakyReLU(slope),
            nn.Upsample(scale_factor=2), conv(16, 8), nn.LeakyReLU(slope),
            conv(8, 1), nn.Sigmoid(),
        )
        self._weight_init()

    def _weight_init(self):
        self.apply(kaiming)

    def forward(self, z):
        return self.net(z)


class GAN:
    def __init__(self, zdim=64, device=None):
        torch.manual_seed(2)
        self._dev = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)

    def _get_loss_d(self, batch_size, batch_data, z):
        with torch.no_grad():
            fakes = self.gen(z)
        logits = self.disc(torch.cat([batch_data, fakes], 0)).flatten()
        target = (torch.arange(2 * batch_size) < batch_size).float()
        return F.binary_cross_entropy_with_logits(logits, target)

    def _get_loss_g(self, batch_size, z):
        return -F.softplus(self.disc(self.gen(z))).mean()


# ------------------------------------------------------------------ fc-gan
def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return torch.empty(batch_size, noise_dim, dtype=dtype, device=device).uniform_(-1, 1)


def discriminator():
    return nn.Sequential(
        nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 256), nn.LeakyReLU(), nn.Linear(256, 1)
    )


def generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(),
        nn.Linear(1024, 784), nn.Tanh(),
    )


def discriminator_loss(logits_real, logits_fake):
    return F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()


def generator_loss(logits_fake):
    return F.softplus(-logits_fake).mean()


def get_optimizer(model):
    return torch.optim.Adam(list(model.parameters()), 1e-3, [0.5, 0.999])


def build_dc_classifier():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, 5), nn.LeakyReLU(0.01), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5), nn.LeakyReLU(0.01), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1024, 1024), nn.LeakyReLU(0.01), nn.Linear(1024, 1),
    )


def build_dc_generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.BatchNorm1d(1024), nn.ReLU(),
        nn.Linear(1024, 7 * 7 * 128), nn.BatchNorm1d(7 * 7 * 128), nn.ReLU(),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh(), nn.Flatten(),
    )


def ls_discriminator_loss(scores_real, scores_fake):
    ones, zeros = torch.ones_like(scores_real), torch.zeros_like(scores_fake)
    return 0.5 * F.mse_loss(scores_real, ones) + 0.5 * F.mse_loss(scores_fake, zeros)


def ls_generator_loss(scores_fake):
    return 0.5 * F.mse_loss(scores_fake, torch.ones_like(scores_fake))


# ------------------------------------------------------------------ cifar-dcgan
class CIFARGenerator(nn.Module):
    def __init__(self, starting_shape=64):
        super().__init__()
        self.fc = nn.Linear(starting_shape, 4 * 4 * 128)
        self.upsample_and_generate = nn.Sequential(
            nn.BatchNorm2d(128), nn.LeakyReLU(), nn.ConvTranspose2d(128, 64, 4, 2, 1),
            nn.BatchNorm2d(64), nn.LeakyReLU(), nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.BatchNorm2d(32), nn.LeakyReLU(), nn.ConvTranspose2d(32, 3, 4, 2, 1), nn.Sigmoid(),
        )

    def forward(self, z):
        return self.upsample_and_generate(self.fc(z).view(-1, 128, 4, 4))


class CIFARDiscriminator(nn.Module):
    def __init__(self, spectral=False):
        super().__init__()
        wrap = nn.utils.parametrizations.spectral_norm if spectral else (lambda layer: layer)
        self.downsample = nn.Sequential(
            wrap(nn.Conv2d(3, 32, 4, 2, 1)), nn.LeakyReLU(),
            wrap(nn.Conv2d(32, 64, 4, 2, 1)), nn.BatchNorm2d(64), nn.LeakyReLU(),
            wrap(nn.Conv2d(64, 128, 4, 2, 1)), nn.BatchNorm2d(128), nn.LeakyReLU(),
        )
        self.fc = wrap(nn.Linear(4 * 4 * 128, 1))

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
        self.optimizerG, self.optimizerD = (
            torch.optim.Adam(net.parameters(), self.learning_rate, betas=(0.5, 0.999))
            for net in (self._generator, self._discriminator)
        )
        self._weight_INITIALIZATION()

    def _weight_INITIALIZATION(self):
        def draw(layer):
            kind = type(layer).__name__
            if "Conv" in kind:
                layer.weight.data.normal_(0.0, 0.02)
            elif "BatchNorm" in kind:
                layer.weight.data.normal_(0.0, 0.02)
                layer.bias.data.zero_()

        self._generator.apply(draw)
        self._discriminator.apply(draw)

    def _classification_loss(self, logits, labels):
        return -(labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)).mean()

    def _codes(self):
        return torch.randn(self.batch_size, self.code_size, device=self.tracked_noise.device)

    def fit(self, train_samples, out=None):
        device = self.tracked_noise.device
        images = torch.as_tensor(train_samples, dtype=torch.float32)
        loader = batches(images, batch_size=self.batch_size, drop_last=True, device=device)
        G, D, n = self._generator, self._discriminator, self.batch_size
        ones, zeros = torch.ones(n, 1, device=device), torch.zeros(n, 1, device=device)
        dis_losses, gen_losses = [], []
        for epoch in range(self.num_epoch):
            self.train()
            for real in loader:
                with torch.no_grad():
                    fake = G(self._codes())
                dis_loss = self._classification_loss(D(real), zeros) + self._classification_loss(D(fake), ones)
                self.optimizerD.zero_grad()
                dis_loss.backward()
                self.optimizerD.step()

                D.requires_grad_(False)
                gen_loss = self._classification_loss(D(G(self._codes())), ones)
                self.optimizerG.zero_grad()
                gen_loss.backward()
                self.optimizerG.step()
                D.requires_grad_(True)

                dis_losses.append(dis_loss.item())
                gen_losses.append(gen_loss.item())
        return dis_losses, gen_losses

    @torch.no_grad()
    def generate(self, code):
        self._generator.eval()
        return self._generator(code).cpu()

    def _reconstruction_loss(self, reconstruction, x):
        return nn.MSELoss()(reconstruction, x)

    def reconstruct(self, samples):
        self.eval()
        x = torch.as_tensor(samples, dtype=torch.float32)
        code = nn.Parameter(torch.zeros(len(x), self.code_size))
        optimizer = torch.optim.Adam([code], lr=self.vis_learning_rate)
        for _ in range(self.vis_steps):
            images = self._generator(code)
            loss = self._reconstruction_loss(images, x)
            code.grad = torch.autograd.grad(loss, code)[0]
            optimizer.step()
        return loss.detach(), images.detach()


# ------------------------------------------------------------------ ae-gan
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
    def __init__(self, number_of_hidden_layers=2, latent_size=64, hidden_size=256, output_size=784,
                 activation_generator=None, activation_discriminator=None):
        super().__init__()
        self.latent_size = latent_size
        relu = activation_generator or nn.ReLU()
        leaky = activation_discriminator or nn.LeakyReLU(0.2)
        layers = number_of_hidden_layers
        self.encoder = MLPEncoder(layers, output_size, hidden_size, latent_size, relu)
        self.generator = MLPGenerator(layers, latent_size, hidden_size, output_size, relu)
        self.discriminator = MLPDiscriminator(layers, output_size, hidden_size, leaky)


def ae_gan_optimizers(model, lr=2e-4):
    """Two: one for the autoencoder as a whole, one for the discriminator."""
    both = list(model.encoder.parameters()) + list(model.generator.parameters())
    return {
        "autoencoder": torch.optim.Adam(both, lr=lr),
        "discriminator": torch.optim.Adam(model.discriminator.parameters(), lr=lr, betas=(0.5, 0.999)),
    }


def train_ae_gan(model, loader, optimizers, epochs):
    E, G, D = model.encoder, model.generator, model.discriminator
    history = []
    for epoch in range(epochs):
        rows = []
        for batch in loader:
            x = batch[0] if isinstance(batch, (tuple, list)) else batch
            x = x.flatten(1)
            n = len(x)

            loss_d = -(torch.log(1 - D(x)).mean() + torch.log(D(G(torch.randn(n, model.latent_size)).detach())).mean())
            optimizers["discriminator"].zero_grad()
            loss_d.backward()
            optimizers["discriminator"].step()

            # one step moves encoder and generator together; the GAN term reaches G alone
            loss_ae = F.mse_loss(G(E(x)), x)
            loss_g = -torch.log(D(G(torch.randn(n, model.latent_size)))).mean() + loss_ae
            optimizers["autoencoder"].zero_grad()
            loss_g.backward()
            optimizers["autoencoder"].step()
            rows.append(n * torch.tensor([loss_d.item(), loss_g.item(), loss_ae.item(), 1.0]))
        total = torch.stack(rows).sum(0)
        history.append((total[:3] / total[3]).tolist())
        print("epoch", epoch, "D %.4f  G %.4f  AE %.4f" % tuple(history[-1]))
    d, g, ae = zip(*history)
    return list(d), list(g), list(ae)


if __name__ == "__main__":
    from hw5_utils import load_cifar10

    DCGAN(spectral=True).fit(load_cifar10())
