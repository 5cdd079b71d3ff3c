"""Generative adversarial networks: the models, and the losses that train them.

    part         what is in it
    gan-theory   answer_3e
    conv-gan     DNet  GNet  GAN
    fc-gan       NOISE_DIM  sample_noise  discriminator  generator  discriminator_loss
                 generator_loss  get_optimizer  build_dc_classifier  build_dc_generator
                 ls_discriminator_loss  ls_generator_loss
    cifar-dcgan  CIFARGenerator  CIFARDiscriminator  DCGAN
    ae-gan       MLPEncoder  MLPGenerator  MLPDiscriminator  AutoEncoderGAN
                 ae_gan_optimizers  train_ae_gan

A generator G turns noise z into an image; a discriminator D gives an image a logit, a real number
that is large for images it takes for real. With sigma the logistic function, they play
=== UNLESS gan-theory.3a ===

    min over G, max over D:    E_x[ log sigma(D(x)) ]  +  E_z[ log(1 - sigma(D(G(z)))) ]

=== OTHERWISE ===
the game of 3(a) in notebook 4.
=== END ===
In practice G maximises E_z[ log sigma(D(G(z))) ] instead (the non-saturating form), which has a
gradient even when D is sure. The two have different gradients: they are not the same problem.
Discriminators here end in a logit, unless they say that they end in a sigmoid and give a
probability.

Letters: N images in a batch, Z dimensions of the noise.

    part         images                        noise, or code
    conv-gan     (N, 1, 28, 28), in [0, 1]     uniform in (-1, 1), Z = 64
    fc-gan       (N, 784), flat, in [-1, 1]    uniform in (-1, 1), Z = 96
    cifar-dcgan  (N, 3, 32, 32), in [0, 1]     normal, N(0, I), Z = 64
    ae-gan       (N, 784), flat, in [0, 1]     normal, N(0, I), Z = 64

Where the lines say BEGIN and END you write; the rest of the file needs no edit. A training
can be stopped, and goes on with --resume.

    python hw5_gan.py conv-gan --epochs 30
    python hw5_gan.py fc-gan --dc --epochs 5
    python hw5_gan.py cifar-dcgan --spectral
    python hw5_gan.py ae-gan
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn, optim

from hw5_basics import (
    adam,
    default_device,
    descend,
    fused,
    hello,
    in_bf16,
    in_channels_last,
    initialize_weights,
    progress,
    save_images,
    show_losses,
)
from hw5_checkpoint import NO_EPOCH, Gallery, NotThereYet, resumable
from hw5_data import batches, load_cifar10, load_mnist
from hw5_figures import image_grid, labelled_rows, loss_curves, reconstruction_pairs
from hw5_live import training
from hw5_train import run_a_gan, run_options, run_part

NOISE_DIM = 96  # Z of part fc-gan


def hello_gan() -> None:
    """Say that this file can be imported, and when it was last edited."""
    hello(__file__)


def answer_3e() -> tuple[float, float, float, float]:
    """KL(P1, P2), KL(P1, P3), W1(P1, P2) and W1(P1, P3), in this order; math.inf is an answer.

        P1 = U[0, 1]        P2 = U[0.5, 1.5]        P3 = U[1, 2]

    KL(P, Q) = integral of p log(p / q), in nats; W1 is the Wasserstein-1 (earth mover's) distance.
    Part gan-theory, question `3e`. Source: UIUC CS446 homework 5, problem 3(e).
    """
    ### BEGIN SOLUTION gan-theory.3e
    kl_12 = kl_13 = math.inf  # P1 has mass where P2 and P3 have none
    w1_12, w1_13 = 0.5, 1.0  # the best plan shifts all mass by so much
    return kl_12, kl_13, w1_12, w1_13
    ### END SOLUTION


class DNet(nn.Module):
    """Convolutional discriminator: an image (N, 1, 28, 28) in [0, 1] to a logit (N, 1).

    Part conv-gan, questions `DNet` and `weight_init`. Source: UIUC CS446 homework 5, problem 4,
    table 1. Define the layers in __init__ in the order of the table, each one with its bias.

        conv 3x3, 1 -> 2, stride 1, padding 1    ReLU    max pool 2x2, stride 2
        conv 3x3, 2 -> 4, stride 1, padding 1    ReLU    max pool 2x2, stride 2
        conv 3x3, 4 -> 8, stride 1, padding 0    ReLU    flatten    linear -> 1
    """

    def __init__(self):
        super().__init__()
        ### BEGIN SOLUTION conv-gan.DNet
        self.conv1 = nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1)
        self.pool1 = nn.MaxPool2d(2, stride=2)
        self.conv2 = nn.Conv2d(2, 4, kernel_size=3, stride=1, padding=1)
        self.pool2 = nn.MaxPool2d(2, stride=2)
        self.conv3 = nn.Conv2d(4, 8, kernel_size=3, stride=1, padding=0)
        self.fc = nn.Linear(8 * 5 * 5, 1)
        ### END SOLUTION
        self._weight_init()

    def _weight_init(self):
        """Kaiming-uniform weights and zero biases for every layer that has them.

        Hint: self.children() lists the layers; torch.nn.init.kaiming_uniform_ as it comes.
        """
        ### BEGIN SOLUTION conv-gan.weight_init
        for layer in self.children():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 1, 28, 28), in [0, 1]. Returns logits: (N, 1), any real number."""
        ### BEGIN SOLUTION conv-gan.DNet
        h = self.pool1(F.relu(self.conv1(x)))  # (N, 2, 14, 14)
        h = self.pool2(F.relu(self.conv2(h)))  # (N, 4, 7, 7)
        h = F.relu(self.conv3(h))  # (N, 8, 5, 5)
        return self.fc(h.flatten(1))
        ### END SOLUTION


class GNet(nn.Module):
    """Convolutional generator: a code (N, Z) to an image (N, 1, 28, 28) in [0, 1].

    Part conv-gan, questions `GNet` and `weight_init`. Source: UIUC CS446 homework 5, problem 4,
    table 2. Define the layers in __init__ in the order of the table, each one with its bias.

        linear Z -> 1568    LeakyReLU 0.2    view as (32, 7, 7)
        upsample x2    conv 3x3, 32 -> 16, stride 1, padding 1    LeakyReLU 0.2
        upsample x2    conv 3x3, 16 -> 8, stride 1, padding 1    LeakyReLU 0.2
        conv 3x3, 8 -> 1, stride 1, padding 1    sigmoid
    """

    def __init__(self, zdim: int):
        """zdim: Z, the length of a code."""
        super().__init__()
        ### BEGIN SOLUTION conv-gan.GNet
        self.fc = nn.Linear(zdim, 32 * 7 * 7)
        self.up1 = nn.Upsample(scale_factor=2)
        self.conv1 = nn.Conv2d(32, 16, kernel_size=3, stride=1, padding=1)
        self.up2 = nn.Upsample(scale_factor=2)
        self.conv2 = nn.Conv2d(16, 8, kernel_size=3, stride=1, padding=1)
        self.conv3 = nn.Conv2d(8, 1, kernel_size=3, stride=1, padding=1)
        ### END SOLUTION
        self._weight_init()

    def _weight_init(self):
        """Kaiming-uniform weights and zero biases for every layer that has them."""
        ### BEGIN SOLUTION conv-gan.weight_init
        for layer in self.children():
            if isinstance(layer, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z: (N, Z). Returns images: (N, 1, 28, 28), in [0, 1]."""
        ### BEGIN SOLUTION conv-gan.GNet
        h = F.leaky_relu(self.fc(z), 0.2).view(-1, 32, 7, 7)
        h = F.leaky_relu(self.conv1(self.up1(h)), 0.2)  # (N, 16, 14, 14)
        h = F.leaky_relu(self.conv2(self.up2(h)), 0.2)  # (N, 8, 28, 28)
        return torch.sigmoid(self.conv3(h))
        ### END SOLUTION


class GAN:
    """DNet and GNet, their two losses and the loop that trains them.

    Part conv-gan, questions `loss_d` and `loss_g`. Source: Goodfellow et al., Generative
    Adversarial Nets, 2014; UIUC CS446 homework 5, problem 4. `disc` and `gen` are modules; GAN is
    a plain object.
    """

    def __init__(self, zdim: int = 64, device: str | None = None):
        torch.manual_seed(2)
        self._dev = torch.device(device or default_device())
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)
        self.samples = Gallery()  # {epoch: 64 images}, filled by train

    def _get_loss_d(self, batch_size: int, batch_data: torch.Tensor, z: torch.Tensor):
        """The loss of the discriminator: smaller is better. In nats, ONE mean over the 2N logits
        of N real images (target 1) and N fakes (target 0): 0.6931 = log 2 when all logits are 0.

        === UNLESS gan-theory.3a ===
            loss = -1/(2N) [ sum_n log sigma(D(x_n)) + sum_n log(1 - sigma(D(G(z_n)))) ]

        === OTHERWISE ===
        A logit costs minus the logarithm of the probability that it gives to its target.

        === END ===
        Its gradient must not reach the generator. Hint: torch.nn.BCEWithLogitsLoss.

        batch_size: N; batch_data: (N, 1, 28, 28), in [0, 1]; z: (N, Z). Returns a scalar.
        """
        ### BEGIN SOLUTION conv-gan.loss_d
        fakes = self.gen(z).detach()  # (N, 1, 28, 28)
        logits = self.disc(torch.cat((batch_data, fakes)))  # (2N, 1)
        targets = torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))
        return F.binary_cross_entropy_with_logits(logits, targets.to(self._dev))
        ### END SOLUTION

    def _get_loss_g(self, batch_size: int, z: torch.Tensor):
        """The loss of the generator in its non-saturating form: smaller is better. In nats, mean
        over the N fakes: 0.6931 = log 2 when all logits are 0.

            loss = -1/N sum_n log sigma(D(G(z_n)))

        batch_size: N; z: (N, Z). Returns a scalar.
        """
        ### BEGIN SOLUTION conv-gan.loss_g
        logits = self.disc(self.gen(z))  # (N, 1)
        targets = torch.ones(batch_size, 1).to(self._dev)
        return F.binary_cross_entropy_with_logits(logits, targets)
        ### END SOLUTION

    def train(
        self, iter_d=1, iter_g=1, n_epochs=100, batch_size=256, lr=0.0002, loader=None, out="."
    ):
        """Train with two Adams: iter_d steps of D, then iter_g of G, on the same codes z.

        Codes are uniform in (-1, 1). Prints the mean losses of each epoch. Saves a real image once
        (goal.pdf) and 64 samples at the start of every tenth epoch (test_{epoch}.png) in `out`.
        loader: the 60,000 training images in batches of batch_size unless told. Returns two lists:
        the loss of D and of G in every step.
        """
        if loader is None:
            images = load_mnist()[0]
            loader = batches(images, batch_size=batch_size, drop_last=True, device=self._dev)
        in_channels_last(self.disc, self.gen)
        d_solver, g_solver = adam(self.disc.parameters(), lr), adam(self.gen.parameters(), lr)
        d_losses: list[float] = []
        g_losses: list[float] = []
        for epoch in resumable(
            n_epochs,
            disc=self.disc,
            gen=self.gen,
            d_solver=d_solver,
            g_solver=g_solver,
            d_losses=d_losses,
            g_losses=g_losses,
            samples=self.samples,
        ):
            losses = []
            bar = progress(loader, f"Epoch {epoch}")
            for batch in bar:
                data = (batch[0] if isinstance(batch, (tuple, list)) else batch).to(self._dev)
                z = torch.empty(len(data), self._zdim, device=self._dev).uniform_(-1, 1)
                if not losses:
                    self._save_pictures(epoch, data, z, Path(out))
                for _ in range(iter_d):
                    loss_d = self._get_loss_d(len(data), data, z)
                    descend(loss_d, d_solver)
                for _ in range(iter_g):
                    loss_g = self._get_loss_g(len(data), z)
                    descend(loss_g, g_solver)
                losses.append(torch.stack((loss_d.detach(), loss_g.detach())))
                show_losses(bar, D=loss_d, G=loss_g)
            if not losses:
                raise ValueError(f"GAN.train: no batch held batch_size={batch_size} images.")
            means = torch.stack(losses).mean(0).tolist()
            print(f"E: {epoch}; DLoss: {means[0]}; GLoss: {means[1]}")
            for kept, values in zip((d_losses, g_losses), torch.stack(losses).T, strict=True):
                kept += values.tolist()
        return d_losses, g_losses

    @torch.no_grad()
    def _save_pictures(self, epoch: int, data: torch.Tensor, z: torch.Tensor, out: Path) -> None:
        """A real image before the first epoch, and 64 samples before every tenth."""
        if epoch == 0:
            save_images(data[:1], out / "goal.pdf")
        if epoch % 10 == 0:
            self.samples[epoch] = self.gen(z[:64]).cpu()
            save_images(self.samples[epoch], out / f"test_{epoch}.png", columns=8)


def sample_noise(
    batch_size: int, noise_dim: int, dtype: torch.dtype = torch.float, device="cpu"
) -> torch.Tensor:
    """Noise for the generator, uniform in (-1, 1).

    Part fc-gan, question `sample_noise`. Source: Swansea CSCM77, section 2.2.1. Hint: torch.rand.

    Returns (batch_size, noise_dim), of the dtype and on the device asked for.
    """
    ### BEGIN SOLUTION fc-gan.sample_noise
    return 2 * torch.rand(batch_size, noise_dim, dtype=dtype, device=device) - 1
    ### END SOLUTION


def discriminator() -> nn.Sequential:
    """Fully connected discriminator: a flat image (N, 784) in [-1, 1] to a logit (N, 1).

    Part fc-gan, question `discriminator`. Source: Swansea CSCM77, section 2.2.1.

        linear 784 -> 256    LeakyReLU 0.01
        linear 256 -> 256    LeakyReLU 0.01
        linear 256 -> 1
    """
    ### BEGIN SOLUTION fc-gan.discriminator
    return nn.Sequential(
        nn.Linear(784, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 1),
    )
    ### END SOLUTION


def generator(noise_dim: int = NOISE_DIM) -> nn.Sequential:
    """Fully connected generator: noise (N, Z) to a flat image (N, 784) in [-1, 1].

    Part fc-gan, question `generator`. Source: Swansea CSCM77, section 2.2.1. noise_dim: Z.

        linear Z -> 1024    ReLU    linear 1024 -> 1024    ReLU    linear 1024 -> 784    tanh
    """
    ### BEGIN SOLUTION fc-gan.generator
    return nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.Linear(1024, 1024),
        nn.ReLU(),
        nn.Linear(1024, 784),
        nn.Tanh(),
    )
    ### END SOLUTION


def discriminator_loss(logits_real: torch.Tensor, logits_fake: torch.Tensor) -> torch.Tensor:
    """The loss of the discriminator: smaller is better. In nats, the SUM of two means, one over
    the real images (target 1), one over the fakes (target 0): 1.3863 = 2 log 2 at zero logits.
    (Others take one mean over both halves instead, which is half of this.)

    === UNLESS gan-theory.3a ===
        loss = -mean_n log sigma(logits_real_n) - mean_n log(1 - sigma(logits_fake_n))

    === OTHERWISE ===
    A logit costs minus the logarithm of the probability that it gives to its target.

    === END ===
    Part fc-gan, question `discriminator_loss`. Source: Swansea CSCM77, section 2.2.2. Hint:
    torch.nn.functional.binary_cross_entropy_with_logits.

    logits_real, logits_fake: (N, 1) or (N,), before the sigmoid. Returns a scalar.
    """
    ### BEGIN SOLUTION fc-gan.discriminator_loss
    bce = F.binary_cross_entropy_with_logits
    real = bce(logits_real, torch.ones_like(logits_real))
    fake = bce(logits_fake, torch.zeros_like(logits_fake))
    return real + fake
    ### END SOLUTION


def generator_loss(logits_fake: torch.Tensor) -> torch.Tensor:
    """The loss of the generator in its non-saturating form: smaller is better. In nats, mean over
    the fakes: 0.6931 = log 2 at zero logits.

        loss = -mean_n log sigma(logits_fake_n)

    Part fc-gan, question `generator_loss`. Source: Swansea CSCM77, section 2.2.2.

    logits_fake: (N, 1) or (N,), before the sigmoid. Returns a scalar.
    """
    ### BEGIN SOLUTION fc-gan.generator_loss
    return F.binary_cross_entropy_with_logits(logits_fake, torch.ones_like(logits_fake))
    ### END SOLUTION


def get_optimizer(model: nn.Module) -> optim.Adam:
    """Adam for the parameters of `model`: learning rate 1e-3, beta1 = 0.5, beta2 = 0.999.

    Part fc-gan, question `get_optimizer`. Source: Swansea CSCM77, section 2.2.2.
    """
    ### BEGIN SOLUTION fc-gan.get_optimizer
    return optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))
    ### END SOLUTION


def build_dc_classifier() -> nn.Sequential:
    """Convolutional discriminator: a flat image (N, 784) in [-1, 1] to a logit (N, 1).

    Part fc-gan, question `build_dc_classifier`. Source: Radford, Metz and Chintala, DCGAN, 2016;
    Swansea CSCM77, section 2.2.4.

        unflatten to (1, 28, 28)
        conv 5x5, 1 -> 32, stride 1    LeakyReLU 0.01    max pool 2x2, stride 2
        conv 5x5, 32 -> 64, stride 1    LeakyReLU 0.01    max pool 2x2, stride 2
        flatten    linear 1024 -> 1024    LeakyReLU 0.01    linear 1024 -> 1
    """
    ### BEGIN SOLUTION fc-gan.build_dc_classifier
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 32, kernel_size=5),  # (N, 32, 24, 24)
        nn.LeakyReLU(0.01),
        nn.MaxPool2d(2, stride=2),
        nn.Conv2d(32, 64, kernel_size=5),  # (N, 64, 8, 8)
        nn.LeakyReLU(0.01),
        nn.MaxPool2d(2, stride=2),
        nn.Flatten(),
        nn.Linear(4 * 4 * 64, 4 * 4 * 64),
        nn.LeakyReLU(0.01),
        nn.Linear(4 * 4 * 64, 1),
    )
    ### END SOLUTION


def build_dc_generator(noise_dim: int = NOISE_DIM) -> nn.Sequential:
    """Convolutional generator: noise (N, Z) to a flat image (N, 784) in [-1, 1].

    Part fc-gan, question `build_dc_generator`. Source: Chen et al., InfoGAN, 2016, appendix C.1;
    Swansea CSCM77, section 2.2.4. noise_dim: Z. Each batch norm stands after its ReLU.

        linear Z -> 1024    ReLU    batch norm
        linear 1024 -> 7 * 7 * 128    ReLU    batch norm    unflatten to (128, 7, 7)
        transposed conv 4x4, 128 -> 64, stride 2, padding 1    ReLU    batch norm
        transposed conv 4x4, 64 -> 1, stride 2, padding 1    tanh    flatten
    """
    ### BEGIN SOLUTION fc-gan.build_dc_generator
    return nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.BatchNorm1d(1024),
        nn.Linear(1024, 7 * 7 * 128),
        nn.ReLU(),
        nn.BatchNorm1d(7 * 7 * 128),
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1),  # (N, 64, 14, 14)
        nn.ReLU(),
        nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2, padding=1),  # (N, 1, 28, 28)
        nn.Tanh(),
        nn.Flatten(),
    )
    ### END SOLUTION


def ls_discriminator_loss(scores_real: torch.Tensor, scores_fake: torch.Tensor) -> torch.Tensor:
    """Least squares in place of cross-entropy: smaller is better. The sum of two half means.

        loss = 1/2 mean_n (scores_real_n - 1)^2 + 1/2 mean_n scores_fake_n^2

    Part fc-gan, bonus question `least_squares`. Source: Mao et al., Least Squares GAN, 2017.

    scores_real, scores_fake: (N, 1) or (N,), straight from the discriminator. Returns a scalar.
    """
    ### BEGIN SOLUTION fc-gan.least_squares
    return 0.5 * ((scores_real - 1) ** 2).mean() + 0.5 * (scores_fake**2).mean()
    ### END SOLUTION


def ls_generator_loss(scores_fake: torch.Tensor) -> torch.Tensor:
    """Least squares for the generator: smaller is better. Half a mean over the fakes.

        loss = 1/2 mean_n (scores_fake_n - 1)^2

    Part fc-gan, bonus question `least_squares`. Source: Mao et al., Least Squares GAN, 2017.

    scores_fake: (N, 1) or (N,), straight from the discriminator. Returns a scalar.
    """
    ### BEGIN SOLUTION fc-gan.least_squares
    return 0.5 * ((scores_fake - 1) ** 2).mean()
    ### END SOLUTION


class CIFARGenerator(nn.Module):
    """Convolutional generator: a code (N, Z) to an image (N, 3, 32, 32) in [0, 1]. Given.

    Part cifar-dcgan. Source: Radford, Metz and Chintala, DCGAN, 2016; USC CSCI566 assignment 2,
    problem 2.

        linear Z -> 2048    view as (128, 4, 4)
        batch norm    LeakyReLU 0.01    transposed conv 4x4, 128 -> 64, stride 2, padding 1
        batch norm    LeakyReLU 0.01    transposed conv 4x4, 64 -> 32, stride 2, padding 1
        batch norm    LeakyReLU 0.01    transposed conv 4x4, 32 -> 3, stride 2, padding 1    sigmoid
    """

    def __init__(self, starting_shape: int = 64):
        """starting_shape: Z, the length of a code."""
        super().__init__()
        self.fc = nn.Linear(starting_shape, 4 * 4 * 128)
        self.upsample_and_generate = nn.Sequential(
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1),  # (N, 64, 8, 8)
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1),  # (N, 32, 16, 16)
            nn.BatchNorm2d(32),
            nn.LeakyReLU(),
            nn.ConvTranspose2d(32, 3, 4, stride=2, padding=1),  # (N, 3, 32, 32)
            nn.Sigmoid(),
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z: (N, Z). Returns images: (N, 3, 32, 32), in [0, 1]."""
        return self.upsample_and_generate(self.fc(z).view(-1, 128, 4, 4))


class CIFARDiscriminator(nn.Module):
    """Convolutional discriminator: an image (N, 3, 32, 32) in [0, 1] to a logit (N, 1).

    Part cifar-dcgan; the layers are given, question `spectral_norm` is yours. Source: Radford,
    Metz and Chintala 2016; USC CSCI566 assignment 2, problem 2; Miyato et al., Spectral
    Normalization for GANs, 2018.

        conv 4x4, 3 -> 32, stride 2, padding 1    LeakyReLU 0.01
        conv 4x4, 32 -> 64, stride 2, padding 1    batch norm    LeakyReLU 0.01
        conv 4x4, 64 -> 128, stride 2, padding 1    batch norm    LeakyReLU 0.01
        flatten    linear 2048 -> 1
    """

    def __init__(self, spectral: bool = False):
        """spectral: keep the spectral norm of every convolution at 1.

        Question `spectral_norm`: with spectral=True wrap the three convolutions in `downsample`;
        the linear layer may be wrapped too. Hint: torch.nn.utils.parametrizations.spectral_norm,
        or the older torch.nn.utils.spectral_norm; both change the layer they are given.
        """
        super().__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1),  # (N, 32, 16, 16)
            nn.LeakyReLU(),
            nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1),  # (N, 64, 8, 8)
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1),  # (N, 128, 4, 4)
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
        )
        self.fc = nn.Linear(4 * 4 * 128, 1)
        if spectral:
            ### BEGIN SOLUTION cifar-dcgan.spectral_norm
            for layer in self.downsample:
                if isinstance(layer, nn.Conv2d):
                    nn.utils.parametrizations.spectral_norm(layer)
            ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, 3, 32, 32), in [0, 1]. Returns logits: (N, 1), any real number."""
        return self.fc(self.downsample(x).flatten(1))


class DCGAN(nn.Module):
    """CIFARGenerator and CIFARDiscriminator, their loss, their training, and two ways to search.

    Part cifar-dcgan, questions `init`, `weight_init`, `classification_loss`, `fit`,
    `reconstruction_loss` and `reconstruct`. Source: Radford, Metz and Chintala 2016; USC CSCI566
    assignment 2, problem 2. The training method is `fit`, since `train` of a module means its mode.
    """

    num_epoch = 25
    batch_size = 128
    log_step = 100  # steps between two printed lines
    visualize_step = 2  # epochs between two pictures
    code_size = 64  # Z
    learning_rate = 2e-4
    vis_learning_rate = 1e-2  # of actmax and reconstruct
    vis_steps = 500

    def __init__(self, spectral: bool = False):
        """Make the networks and their optimizers; the weights are then drawn anew.

        Question `init`. The names are fixed: self._generator, a CIFARGenerator for codes of length
        code_size; self._discriminator, a CIFARDiscriminator told about `spectral`; self.optimizerG
        and self.optimizerD, Adam with rate learning_rate, beta1 = 0.5 and beta2 = 0.999.
        """
        super().__init__()
        self.register_buffer("tracked_noise", torch.randn(64, self.code_size))
        self.samples = Gallery()  # {epoch: the 64 images of tracked_noise}, filled by fit
        ### BEGIN SOLUTION cifar-dcgan.init
        self._generator = CIFARGenerator(self.code_size)
        self._discriminator = CIFARDiscriminator(spectral)
        settings = {"lr": self.learning_rate, "betas": (0.5, 0.999)}
        self.optimizerG = optim.Adam(self._generator.parameters(), **settings)
        self.optimizerD = optim.Adam(self._discriminator.parameters(), **settings)
        ### END SOLUTION
        self._weight_INITIALIZATION()

    def _weight_INITIALIZATION(self):
        """Draw the weights of both networks anew, in place, as DCGAN does.

            convolutions, transposed or not    weights N(0, 0.02^2), biases as they are
            batch norms                        weights N(1, 0.02^2), biases 0
            linear layers                      as they are

        Question `weight_init`. It must hold with spectral norm too. A layer's `weight` is then
        computed from a parameter of another name, `parametrizations.weight.original` (or
        `weight_orig`); what is written into the computed one is lost without a word.
        """
        ### BEGIN SOLUTION cifar-dcgan.weight_init
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                weight = next(p for p in layer.parameters() if p.dim() == 4)
                nn.init.normal_(weight, 0.0, 0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)
                nn.init.zeros_(layer.bias)
        ### END SOLUTION

    def _classification_loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Binary cross-entropy of logits: smaller is better. In nats, mean over the batch:
        0.6931 = log 2 when all logits are 0.

        === UNLESS gan-theory.3a ===
            loss = -1/N sum_n [ y_n log sigma(l_n) + (1 - y_n) log(1 - sigma(l_n)) ]

        === OTHERWISE ===
        A logit costs minus the logarithm of the probability that it gives to its label.

        === END ===
        Question `classification_loss`. logits l: (N, 1), before the sigmoid; labels y: (N, 1), 1
        for real and 0 for fake. Returns a scalar.
        """
        ### BEGIN SOLUTION cifar-dcgan.classification_loss
        return F.binary_cross_entropy_with_logits(logits, labels)
        ### END SOLUTION

    def fit(self, train_samples, out: str | Path | None = None) -> tuple[list, list]:
        """Train for num_epoch epochs: in every step D once, then G once, each on fresh codes.

        Question `fit`, the body of the loop. It must leave two scalars behind:

            dis_loss = classification loss of the real images, labelled 1
                     + classification loss of fakes, labelled 0           (the SUM of two means)
            gen_loss = classification loss of other fakes, labelled 1     (non-saturating)

        Codes are normal, N(0, I). Feed real images and fakes to D in two batches: batch norm takes
        its statistics from the batch, and in the step of G it will see fakes alone. The fakes of
        the first step must not send gradients into G. Each step clears the gradients of its own
        network, computes them afresh and moves that network alone.

        train_samples: (M, 3, 32, 32) in [0, 1], a tensor or an array; a last batch that is short
        is left out. out: a folder for pictures of every second epoch, or None. Returns two lists:
        dis_loss and gen_loss of every step.
        """
        device = self.tracked_noise.device
        images = torch.as_tensor(train_samples, dtype=torch.float32)
        loader = batches(images, batch_size=self.batch_size, drop_last=True, device=device)
        if not len(loader):
            raise ValueError(f"fit: {len(images)} images fill no batch of {self.batch_size}.")
        max_steps = self.num_epoch * len(loader)
        real_label = torch.ones(self.batch_size, 1, device=device)
        fake_label = torch.zeros(self.batch_size, 1, device=device)
        dis_losses: list[float] = []
        gen_losses: list[float] = []
        state = {"model": self, "dis_losses": dis_losses, "gen_losses": gen_losses}
        state |= {name: fused(getattr(self, name)) for name in ("optimizerD", "optimizerG")}
        in_channels_last(self)
        print("Start training ...")
        for epoch in resumable(self.num_epoch, samples=self.samples, **state):
            self.train()
            step, losses = len(dis_losses), []
            bar = progress(loader, f"Epoch {epoch}")
            for batch_samples in bar:
                ### BEGIN SOLUTION cifar-dcgan.fit
                self.optimizerD.zero_grad()
                real_logits = self._discriminator(batch_samples)  # (N, 1)
                real_dis_loss = self._classification_loss(real_logits, real_label)
                codes = torch.randn(self.batch_size, self.code_size, device=device)  # (N, Z)
                fake_logits = self._discriminator(self._generator(codes).detach())
                fake_dis_loss = self._classification_loss(fake_logits, fake_label)
                dis_loss = real_dis_loss + fake_dis_loss
                dis_loss.backward()
                self.optimizerD.step()

                self.optimizerG.zero_grad()
                codes = torch.randn(self.batch_size, self.code_size, device=device)
                logits = self._discriminator(self._generator(codes))
                gen_loss = self._classification_loss(logits, real_label)
                gen_loss.backward(inputs=list(self._generator.parameters()))  # D is left alone
                self.optimizerG.step()
                ### END SOLUTION
                losses.append(torch.stack((dis_loss.detach(), gen_loss.detach())))
                show_losses(bar, D=dis_loss, G=gen_loss)
                step += 1
                if step % self.log_step == 0:
                    d, g = losses[-1].tolist()
                    bar.write(
                        f"Iteration {step}/{max_steps}: dis loss = {d:.4f}, gen loss = {g:.4f}"
                    )
            for kept, values in zip((dis_losses, gen_losses), torch.stack(losses).T, strict=True):
                kept += values.tolist()
            if epoch % self.visualize_step == 0:
                self.samples[epoch] = self.generate(self.tracked_noise)
                if out is not None:
                    picture = Path(out) / f"cifar_dcgan_{epoch}.png"
                    image_grid(self.samples[epoch], title=f"epoch {epoch}", file=picture)
        print("... Done!")
        return dis_losses, gen_losses

    @torch.no_grad()
    def generate(self, code: torch.Tensor) -> torch.Tensor:
        """Images (N, 3, 32, 32) of codes (N, Z), on the CPU; batch norm uses what it learned."""
        self._generator.eval()
        return self._generator(code).cpu()

    def _reconstruction_loss(self, reconstruction: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """Mean of the squared differences over all pixels, channels and images: smaller is better.

        Question `reconstruction_loss`. reconstruction, x: (N, 3, 32, 32). Returns a scalar.
        """
        ### BEGIN SOLUTION cifar-dcgan.reconstruction_loss
        return F.mse_loss(reconstruction, x)
        ### END SOLUTION

    def reconstruct(self, samples) -> tuple[torch.Tensor, torch.Tensor]:
        """Search the codes whose images come closest to `samples`: vis_steps steps of Adam.

            min over z:    1/D |G(z) - x|^2,        D = 3 * 32 * 32

        Question `reconstruct`. The codes start at zero and move with rate vis_learning_rate; the
        weights of G stay where they are. Leave behind recon_loss, the loss of the last step, and
        recon_samples, the images it was computed from. A grey image scores 0.064 on CIFAR-10; a
        trained generator and a right search come below 0.03. Compare `actmax`.

        samples: (N, 3, 32, 32) in [0, 1], a tensor or an array. Returns the loss, a scalar, and
        the reconstructions, (N, 3, 32, 32) on the CPU.
        """
        device = self.tracked_noise.device
        x = torch.as_tensor(samples, dtype=torch.float32).to(device)
        recon_code = torch.zeros(len(x), self.code_size, device=device, requires_grad=True)
        self.eval()  # batch norm uses what it learned: no image depends on its neighbours
        ### BEGIN SOLUTION cifar-dcgan.reconstruct
        optimizer = optim.Adam([recon_code], lr=self.vis_learning_rate)
        for _ in range(self.vis_steps):
            optimizer.zero_grad()
            recon_samples = self._generator(recon_code)  # (N, 3, 32, 32)
            recon_loss = self._reconstruction_loss(recon_samples, x)
            recon_loss.backward(inputs=[recon_code])
            optimizer.step()
        ### END SOLUTION
        return recon_loss.detach(), recon_samples.detach().cpu()

    def actmax(self, actmax_code) -> torch.Tensor:
        """Activation maximisation: move codes until D takes their images for real. Given.

            min over z:    -log sigma(D(G(z)))

        The function to minimise is that of G in training; here the weights stay and the codes
        move. actmax_code: (N, Z), where to start. Returns images: (N, 3, 32, 32), on the CPU.
        """
        device = self.tracked_noise.device
        z = torch.as_tensor(actmax_code, dtype=torch.float32).to(device).clone().requires_grad_()
        mover = optim.Adam([z], lr=self.vis_learning_rate)
        real = torch.ones(len(z), 1, device=device)
        self.eval()
        for _step in progress(range(self.vis_steps), "Activation maximisation"):
            images = self._generator(z)
            loss = self._classification_loss(self._discriminator(images), real)
            (z.grad,) = torch.autograd.grad(loss, z)
            mover.step()
        return images.detach().cpu()


class MLPEncoder(nn.Module):
    """An image (N, input_size) to a code (N, latent_size), any real numbers. Given.

    Part ae-gan. Source: Northwestern CS449 homework 2. Linear layers with an activation after each
    but the last; every layer has an activation of its own.
    """

    def __init__(
        self,
        number_of_hidden_layers: int,
        input_size: int,
        hidden_size: int,
        latent_size: int,
        activation: nn.Module,
    ):
        super().__init__()
        self.net = _perceptron(
            number_of_hidden_layers, input_size, hidden_size, latent_size, activation
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


class MLPGenerator(nn.Module):
    """A code (N, input_size) to an image (N, output_size) in [0, 1]: it ends in a sigmoid. Given.

    Part ae-gan. Source: Northwestern CS449 homework 2.
    """

    def __init__(
        self,
        number_of_hidden_layers: int,
        input_size: int,
        hidden_size: int,
        output_size: int,
        activation: nn.Module,
    ):
        super().__init__()
        self.net = _perceptron(
            number_of_hidden_layers, input_size, hidden_size, output_size, activation
        ).append(nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


class MLPDiscriminator(nn.Module):
    """An image (N, input_size) to the PROBABILITY (N, 1) that it is real, not to a logit. Given.

    Part ae-gan. Source: Northwestern CS449 homework 2. It ends in a sigmoid and goes with
    torch.nn.BCELoss, which takes probabilities (and counts a logarithm below -100 as -100).
    """

    def __init__(
        self,
        number_of_hidden_layers: int,
        input_size: int,
        hidden_size: int,
        activation: nn.Module,
    ):
        super().__init__()
        self.net = _perceptron(
            number_of_hidden_layers, input_size, hidden_size, 1, activation
        ).append(nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def _perceptron(
    hidden_layers: int, input_size: int, hidden_size: int, output_size: int, activation: nn.Module
) -> nn.Sequential:
    """Linear layers with a copy of the activation between each and the next."""
    if hidden_layers < 0:
        raise ValueError(f"number_of_hidden_layers must be at least 0, not {hidden_layers}.")
    sizes = [input_size] + [hidden_size] * hidden_layers + [output_size]
    net = nn.Sequential(nn.Linear(sizes[0], sizes[1]))
    for i in range(1, len(sizes) - 1):
        net.append(copy.deepcopy(activation)).append(nn.Linear(sizes[i], sizes[i + 1]))
    return net


class AutoEncoderGAN(nn.Module):
    """An autoencoder and a GAN with one generator: it decodes codes, and it makes up images. Given.

        x -> encoder -> code -> generator -> reconstruction            z -> generator -> fake
                                x or fake -> discriminator -> probability of being real

    Part ae-gan. Source: Northwestern CS449 homework 2. The activations are ReLU in the encoder and
    the generator and LeakyReLU 0.2 in the discriminator unless told.
    """

    def __init__(
        self,
        number_of_hidden_layers: int = 2,
        latent_size: int = 64,
        hidden_size: int = 256,
        output_size: int = 784,
        activation_generator: nn.Module | None = None,
        activation_discriminator: nn.Module | None = None,
    ):
        super().__init__()
        self.latent_size = latent_size
        relu = activation_generator or nn.ReLU()
        leaky = activation_discriminator or nn.LeakyReLU(0.2)
        layers = number_of_hidden_layers
        self.encoder = MLPEncoder(layers, output_size, hidden_size, latent_size, relu)
        self.generator = MLPGenerator(layers, latent_size, hidden_size, output_size, relu)
        self.discriminator = MLPDiscriminator(layers, output_size, hidden_size, leaky)


def ae_gan_optimizers(model: AutoEncoderGAN, lr: float = 2e-4):
    """The optimizers that will update the encoder, the generator and the discriminator of `model`.

    Part ae-gan, question `optimizers`. One, two or three: the choice is yours, and your steps in
    train_ae_gan must fit it. Hint: torch.optim.Adam with rate lr.

    Returns them in a tuple, a list or a dict; train_ae_gan gets what you return here.
    """
    ### BEGIN SOLUTION ae-gan.optimizers
    networks = (model.encoder, model.generator, model.discriminator)
    return tuple(optim.Adam(network.parameters(), lr=lr) for network in networks)
    ### END SOLUTION


def train_ae_gan(
    model: AutoEncoderGAN, loader, optimizers, epochs: int
) -> tuple[list[float], list[float], list[float]]:
    """Train the discriminator, the generator and the encoder, a step each on every batch.

    Part ae-gan, questions `loss_discriminator`, `loss_generator` and `loss_autoencoder`. Source:
    Northwestern CS449 homework 2. Smaller is better in each; all are means over the batch.

        loss_discriminator = BCE(D(x), 1) + BCE(D(G(z)), 0)                moves D alone
        loss_generator     = w BCE(D(G(z)), 1) + MSE(G(E(x)), x)           moves G alone
        loss_autoencoder   = MSE(G(E(x)), x)                               moves E

    z is normal, N(0, I), and fresh in both steps; the weight w is yours (0.9 does well). Clear the
    gradients before each backward pass: several of these losses send theirs through networks that
    the step must not move. Do not wait for all three losses to fall: while those of the
    autoencoder and of G do, that of D rises, towards 2 log 2 = 1.3863.

    loader: batches of images in [0, 1], alone or with labels; optimizers: what ae_gan_optimizers
    returned. Prints the means of ten epochs. Returns three lists with the mean loss per image of
    each epoch: of D, of G and of the autoencoder.
    """
    listed = optimizers if isinstance(optimizers, (tuple, list, dict)) else (optimizers,)
    listed = listed.values() if isinstance(listed, dict) else listed
    solvers = {f"optimizer_{i}": fused(optimizer) for i, optimizer in enumerate(listed)}
    device = next(model.parameters()).device
    bce, mse = nn.BCELoss(), nn.MSELoss()
    loss_d: list[float] = []
    loss_g: list[float] = []
    loss_ae: list[float] = []
    kept = {"loss_d": loss_d, "loss_g": loss_g, "loss_ae": loss_ae}
    for epoch in resumable(epochs, model=model, **solvers, **kept):
        model.train()
        total, count = torch.zeros(3, device=device), 0
        bar = progress(loader, f"Epoch {epoch + 1}")
        for batch in bar:
            x = batch[0] if isinstance(batch, (tuple, list)) else batch
            x = x.to(device).flatten(1)  # (N, 784)
            real = torch.ones(len(x), 1, device=device)
            fake = torch.zeros(len(x), 1, device=device)

            # Step 1: the discriminator learns to tell real images from fakes.
            ### BEGIN SOLUTION ae-gan.loss_discriminator
            _, _, opt_discriminator = optimizers
            z = torch.randn(len(x), model.latent_size, device=device)
            fakes = model.generator(z).detach()  # G is left alone
            loss_discriminator = bce(model.discriminator(x), real)
            loss_discriminator = loss_discriminator + bce(model.discriminator(fakes), fake)
            opt_discriminator.zero_grad()
            loss_discriminator.backward()
            opt_discriminator.step()
            ### END SOLUTION

            # Step 2: the generator learns to fool it, and to decode.
            ### BEGIN SOLUTION ae-gan.loss_generator
            _, opt_generator, _ = optimizers
            code = model.encoder(x)  # (N, Z)
            z = torch.randn(len(x), model.latent_size, device=device)
            fooled = bce(model.discriminator(model.generator(z)), real)
            loss_generator = 0.9 * fooled + mse(model.generator(code.detach()), x)
            opt_generator.zero_grad()
            loss_generator.backward(inputs=list(model.generator.parameters()))
            opt_generator.step()
            ### END SOLUTION

            # Step 3: the encoder learns to code.
            ### BEGIN SOLUTION ae-gan.loss_autoencoder
            opt_encoder, _, _ = optimizers
            loss_autoencoder = mse(model.generator(model.encoder(x)), x)
            opt_encoder.zero_grad()
            loss_autoencoder.backward(inputs=list(model.encoder.parameters()))
            opt_encoder.step()
            ### END SOLUTION

            losses = torch.stack((loss_discriminator, loss_generator, loss_autoencoder)).detach()
            total += losses * len(x)
            count += len(x)
            show_losses(bar, D=losses[0], G=losses[1], AE=losses[2])
        if not count:
            raise ValueError("train_ae_gan: the loader holds no batch.")
        d, g, ae = (total / count).tolist()
        for values, mean in zip(kept.values(), (d, g, ae), strict=True):
            values.append(mean)
        if epoch == 0 or (epoch + 1) % max(1, epochs // 10) == 0:
            print(
                f"Epoch: {epoch + 1:4d} AE Loss: {ae:0.4f} Gen Loss: {g:0.4f} "
                f"Dis Loss: {d:0.4f} Total: {ae + g + d:0.4f}"
            )
    return loss_d, loss_g, loss_ae


@torch.no_grad()
def draw_ae_gan_samples(model: AutoEncoderGAN, file: str | Path | None = None):
    """A Figure of 3 x 3 images that the generator makes up. Given."""
    model.eval()
    z = torch.randn(9, model.latent_size, device=next(model.parameters()).device)
    return image_grid(model.generator(z), 3, file=file)


@torch.no_grad()
def draw_ae_gan_reconstructions(
    model: AutoEncoderGAN, images: torch.Tensor, file: str | Path | None = None
):
    """A Figure of three of the images, drawn at random, above their reconstructions. Given."""
    model.eval()
    x = images[torch.randperm(len(images))[:3]].to(next(model.parameters()).device).flatten(1)
    reconstructions = model.generator(model.encoder(x))
    return labelled_rows({"original": x, "reconstructed": reconstructions}, file=file)


def samples_by_epoch(
    samples: dict[int, torch.Tensor],
    epochs: list[int] | None = None,
    columns: int = 8,
    low: float = 0.0,
    file: str | Path | None = None,
):
    """A Figure with a row of samples for each epoch: of those you name, or of all there are.

    samples: {epoch: images}, as a training leaves them; low: what is drawn black.
    """
    if not samples:
        raise NotThereYet(f"There are no samples yet: {NO_EPOCH}.")
    missing = sorted(set(epochs or ()) - set(samples))
    if missing:
        raise NotThereYet(f"There are samples of the epochs {sorted(samples)}, not of {missing}.")
    chosen = epochs or sorted(samples)
    rows = {f"epoch {epoch}": samples[epoch][:columns] for epoch in chosen}
    return labelled_rows(rows, low=low, file=file)


def _curves(d: list[float], g: list[float], file: Path, step: str = "iteration"):
    """The figure of both losses, smoothed when there is one loss a step."""
    factor = 0.95 if step == "iteration" else 0.0
    losses = {"discriminator loss": d, "generator loss": g}
    return loss_curves(losses, factor=factor, step=step, file=file)


def run_conv_gan(args: argparse.Namespace) -> None:
    """Train DNet and GNet on the 60,000 digits; save goal.pdf, test_{epoch}.png and figures."""
    images = load_mnist(data=args.data)[0]
    gan = GAN(device=args.device)
    torch.manual_seed(args.seed)
    loader = batches(images, batch_size=256, drop_last=True, device=args.device)
    if args.bf16:
        in_bf16(gan.disc, gan.gen)

    def draw(count: int = 64) -> torch.Tensor:
        return gan.gen(torch.empty(count, gan._zdim, device=args.device).uniform_(-1, 1))

    with training("conv-gan", gan.gen, draw, **vars(args)) as run:
        losses = gan.train(n_epochs=args.epochs, loader=loader, out=args.out)
    with torch.no_grad():
        fakes = draw(1000).cpu()
    run.note(ink=fakes.mean(), ink_of_digits=images.mean())
    gan.samples[args.epochs] = fakes[:64]  # after the last epoch
    samples_by_epoch(gan.samples, file=args.out / "conv_gan_epochs.png")
    _curves(*losses, args.out / "conv_gan_losses.png")


def run_fc_gan(args: argparse.Namespace) -> None:
    """Train the fully connected GAN, or the convolutional one with --dc; save its samples."""
    images = load_mnist(validation=5000, data=args.data)[0]
    loader = batches(images, batch_size=128, device=args.device)
    if args.dc:
        d, g, name = build_dc_classifier(), build_dc_generator(), "dc_gan"
        d.apply(initialize_weights)
        g.apply(initialize_weights)
    else:
        d, g, name = discriminator(), generator(), "fc_gan"
    d, g = d.to(args.device), g.to(args.device)
    if args.bf16:
        in_bf16(d, g)
    objectives = (
        (ls_discriminator_loss, ls_generator_loss)
        if args.least_squares
        else (discriminator_loss, generator_loss)
    )
    losses, samples = {"D": [], "G": []}, Gallery()

    def draw() -> torch.Tensor:
        return (g(sample_noise(64, NOISE_DIM, device=args.device)) + 1) / 2

    with training("fc-gan-dc" if args.dc else "fc-gan", g, draw, **vars(args)) as run:
        run_a_gan(
            d,
            g,
            get_optimizer(d),
            get_optimizer(g),
            *objectives,
            args.out / f"{name}_results.jpg",
            num_epochs=args.epochs,
            loader=loader,
            sample_noise=sample_noise,
            losses=losses,
            samples=samples,
        )
    ink = (samples[max(samples)].mean() + 1) / 2
    run.note(ink=ink, ink_of_digits=images.mean())
    samples_by_epoch(samples, low=-1.0, file=args.out / f"{name}_epochs.png")
    _curves(losses["D"], losses["G"], args.out / f"{name}_losses.png")


def run_cifar_dcgan(args: argparse.Namespace) -> None:
    """Train the DCGAN on CIFAR-10; save samples, losses, maximised images, reconstructions."""
    name = "cifar-dcgan-spectral" if args.spectral else "cifar-dcgan"
    test = load_cifar10("test", limit=64, data=args.data)
    dcgan = DCGAN(args.spectral).to(args.device)
    dcgan.num_epoch = args.epochs
    if args.bf16:
        in_bf16(dcgan._generator, dcgan._discriminator)
    out, stem = args.out, name.replace("-", "_")

    def draw() -> torch.Tensor:
        return dcgan.generate(dcgan.tracked_noise)

    with training(name, dcgan, draw, **vars(args)) as run:
        losses = dcgan.fit(load_cifar10(data=args.data))
    _curves(*losses, out / f"{stem}_losses.png")
    samples_by_epoch(dcgan.samples, file=out / f"{stem}_epochs.png")
    image_grid(draw(), file=out / f"{stem}_samples.png")
    image_grid(dcgan.actmax(torch.randn(64, 64)), file=out / f"{stem}_actmax.png")
    with training(f"{name}-search", None, None, epochs=1, batches=dcgan.vis_steps, out=out):
        loss, reconstructions = dcgan.reconstruct(test)
    print(f"average reconstruction loss = {loss:.4f}")
    reconstruction_pairs(test[:10], reconstructions[:10], file=out / f"{stem}_pairs.png")
    run.note(reconstruction=loss)


def run_ae_gan(args: argparse.Namespace) -> None:
    """Train the autoencoder and the GAN that share a generator; save the three figures."""
    images, labels = load_mnist(data=args.data)
    test = load_mnist("test", data=args.data)[0]
    model = AutoEncoderGAN().to(args.device)
    optimizers = ae_gan_optimizers(model, lr=2e-4)
    loader = batches(images, labels, batch_size=64, device=args.device)

    def draw() -> torch.Tensor:
        return model.generator(torch.randn(64, model.latent_size, device=args.device))

    with training("ae-gan", model, draw, **vars(args)) as run:
        d, g, ae = train_ae_gan(model, loader, optimizers, args.epochs)
    with torch.no_grad():
        x = test.to(args.device).flatten(1)
        run.note(test_ae=F.mse_loss(model.generator(model.encoder(x)), x))
    draw_ae_gan_samples(model, args.out / "ae_gan_samples.png")
    draw_ae_gan_reconstructions(model, test, args.out / "ae_gan_reconstructions.png")
    losses = {"discriminator loss": d, "generator loss": g, "autoencoder loss": ae}
    loss_curves(losses, factor=0, step="epoch", file=args.out / "ae_gan_losses.png")


BF16 = "networks work in bfloat16: faster on processors that have it, and rounder"


def conv_gan_command(parts) -> None:
    """The subcommand of part conv-gan and its options."""
    parser = parts.add_parser(
        "conv-gan",
        parents=[run_options(epochs=30)],
        help="a small convolutional GAN",
        description="Train DNet and GNet. Saves a real digit (goal.pdf) and 64 samples every tenth "
        "epoch (test_0.png, test_10.png, ...). Strokes appear after about 15 epochs, ragged "
        "digits after 30; both losses stay near 0.69 throughout.",
    )
    parser.add_argument("--bf16", action="store_true", help=BF16)
    parser.set_defaults(run=run_conv_gan)


def fc_gan_command(parts) -> None:
    """The subcommand of part fc-gan and its options."""
    parser = parts.add_parser(
        "fc-gan",
        parents=[run_options(epochs=10)],
        help="a fully connected GAN, or a deep convolutional one with --dc",
        description="Train the fully connected GAN (fc_gan_results.jpg), or with --dc the deep "
        "convolutional one (dc_gan_results.jpg; 5 epochs are enough). About half of the digits "
        "are clear by iteration 3000.",
    )
    parser.add_argument("--dc", action="store_true", help="the deep convolutional networks")
    parser.add_argument("--least-squares", action="store_true", help="the losses of the bonus")
    parser.add_argument("--bf16", action="store_true", help=BF16)
    parser.set_defaults(run=run_fc_gan)


def cifar_dcgan_command(parts) -> None:
    """The subcommand of part cifar-dcgan and its options."""
    parser = parts.add_parser(
        "cifar-dcgan",
        parents=[run_options(epochs=25)],
        help="a DCGAN on CIFAR-10, with activation maximisation and reconstruction",
        description="Train the DCGAN. Saves samples by epoch, both losses, 64 images that the "
        "discriminator likes best, and test images beside their reconstructions. The losses go "
        "wild; what counts are varied samples and a reconstruction loss below 0.03.",
    )
    parser.add_argument("--spectral", action="store_true", help="spectral norm in D")
    parser.add_argument("--bf16", action="store_true", help=BF16)
    parser.set_defaults(run=run_cifar_dcgan)


def ae_gan_command(parts) -> None:
    """The subcommand of part ae-gan and its options."""
    parser = parts.add_parser(
        "ae-gan",
        parents=[run_options(epochs=80)],
        help="an autoencoder and a GAN that share their generator",
        description="Train encoder, generator and discriminator. The autoencoder loss falls below "
        "0.035 in 40 epochs and to about 0.017 in 80; that of the discriminator rises towards "
        "2 log 2 = 1.386. Saves nine samples, three reconstructions and the losses.",
    )
    parser.set_defaults(run=run_ae_gan)


COMMANDS = {
    "conv-gan": conv_gan_command,
    "fc-gan": fc_gan_command,
    "cifar-dcgan": cifar_dcgan_command,
    "ae-gan": ae_gan_command,
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line; without arguments, parse_args([]), the defaults of the first part."""
    first = next(iter(COMMANDS))
    parser = argparse.ArgumentParser(
        prog="hw5_gan.py",
        description="Train the models of this file, one part at a time.",
        epilog=f"Example: python hw5_gan.py {first} --epochs 2 --data digits",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    for command in COMMANDS.values():
        command(parts)
    argv = sys.argv[1:] if argv is None else argv
    return parser.parse_args(argv or [first])


def main(argv: list[str] | None = None) -> int:
    """Run one part; returns the exit code."""
    return run_part(parse_args(argv), __file__)


if __name__ == "__main__":
    raise SystemExit(main())
