"""Generative adversarial networks: the models, and the losses that train them.

    part      what is in it
    conv-gan  DNet  GNet  GAN
    fc-gan    NOISE_DIM  sample_noise  discriminator  generator  discriminator_loss
              generator_loss  get_optimizer  build_dc_classifier  build_dc_generator
              ls_discriminator_loss  ls_generator_loss

A generator G turns noise z into an image; a discriminator D gives an image a logit, a real number
that is large for images it takes for real. With sigma the logistic function, they play

    min over G, max over D:    E_x[ log sigma(D(x)) ]  +  E_z[ log(1 - sigma(D(G(z)))) ]

In practice G maximises E_z[ log sigma(D(G(z))) ] instead (the non-saturating form), which has a
gradient even when D is sure. Discriminators here end in a logit, never in a sigmoid.

Letters: N images in a batch, Z dimensions of the noise. Images of conv-gan lie in [0, 1] and have
shape (N, 1, 28, 28); images of fc-gan lie in [-1, 1] and are flat, (N, 784).
Where the lines say BEGIN and END you write; the rest of the file needs no edit.

    python hw5_gan.py conv-gan --epochs 30
    python hw5_gan.py fc-gan
    python hw5_gan.py fc-gan --dc --epochs 5
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn, optim

from hw5_utils import (
    adam,
    batches,
    default_device,
    hello,
    initialize_weights,
    load_mnist,
    progress,
    reset_seed,
    run_a_gan,
    run_options,
    save_images,
)

NOISE_DIM = 96  # Z of part fc-gan


def hello_gan() -> None:
    """Say that this file can be imported, and when it was last edited."""
    hello(__file__)


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

    def _get_loss_d(self, batch_size: int, batch_data: torch.Tensor, z: torch.Tensor):
        """The loss of the discriminator: smaller is better. In nats, ONE mean over the 2N logits
        of N real images (target 1) and N fakes (target 0): 0.6931 = log 2 when all logits are 0.

            loss = -1/(2N) [ sum_n log sigma(D(x_n)) + sum_n log(1 - sigma(D(G(z_n)))) ]

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
        loader: the 60,000 training images in batches of batch_size unless told.
        """
        if loader is None:
            images = load_mnist()[0]
            loader = batches(images, batch_size=batch_size, drop_last=True, device=self._dev)
        for net in (self.disc, self.gen):
            net.to(memory_format=torch.channels_last)  # twice as fast on a CPU
        d_solver, g_solver = adam(self.disc.parameters(), lr), adam(self.gen.parameters(), lr)
        for epoch in range(n_epochs):
            losses = []
            for batch in progress(loader, f"Epoch {epoch}"):
                data = (batch[0] if isinstance(batch, (tuple, list)) else batch).to(self._dev)
                z = torch.empty(len(data), self._zdim, device=self._dev).uniform_(-1, 1)
                if not losses:
                    self._save_pictures(epoch, data, z, Path(out))
                for _ in range(iter_d):
                    loss_d = self._get_loss_d(len(data), data, z)
                    d_solver.zero_grad()
                    loss_d.backward()
                    d_solver.step()
                for _ in range(iter_g):
                    loss_g = self._get_loss_g(len(data), z)
                    g_solver.zero_grad()
                    loss_g.backward()
                    g_solver.step()
                losses.append(torch.stack((loss_d.detach(), loss_g.detach())))
            if not losses:
                raise ValueError(f"GAN.train: no batch held batch_size={batch_size} images.")
            d, g = torch.stack(losses).mean(0).tolist()
            print(f"E: {epoch}; DLoss: {d}; GLoss: {g}")

    @torch.no_grad()
    def _save_pictures(self, epoch: int, data: torch.Tensor, z: torch.Tensor, out: Path) -> None:
        """A real image before the first epoch, and 64 samples before every tenth."""
        if epoch == 0:
            save_images(data[:1], out / "goal.pdf")
        if epoch % 10 == 0:
            save_images(self.gen(z[:64]), out / f"test_{epoch}.png", columns=8)


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
    (Part conv-gan takes one mean over both halves instead, half of this.)

        loss = -mean_n log sigma(logits_real_n) - mean_n log(1 - sigma(logits_fake_n))

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


def run_conv_gan(args: argparse.Namespace) -> None:
    """Train DNet and GNet on the 60,000 digits; save goal.pdf and test_{epoch}.png."""
    images = load_mnist(data=args.data)[0]
    gan = GAN(device=args.device)
    torch.manual_seed(args.seed)
    loader = batches(images, batch_size=256, drop_last=True, device=args.device)
    gan.train(n_epochs=args.epochs, loader=loader, out=args.out)


def run_fc_gan(args: argparse.Namespace) -> None:
    """Train the fully connected GAN, or the convolutional one with --dc; save its samples."""
    images = load_mnist(validation=5000, data=args.data)[0]
    loader = batches(images, batch_size=128, device=args.device)
    if args.dc:
        d, g, picture = build_dc_classifier(), build_dc_generator(), "dc_gan_results.jpg"
        d.apply(initialize_weights)
        g.apply(initialize_weights)
    else:
        d, g, picture = discriminator(), generator(), "fc_gan_results.jpg"
    d, g = d.to(args.device), g.to(args.device)
    losses = (
        (ls_discriminator_loss, ls_generator_loss)
        if args.least_squares
        else (discriminator_loss, generator_loss)
    )
    run_a_gan(
        d,
        g,
        get_optimizer(d),
        get_optimizer(g),
        *losses,
        args.out / picture,
        num_epochs=args.epochs,
        loader=loader,
        sample_noise=sample_noise,
    )


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line; in a notebook, parse_args([]) gives the defaults of conv-gan."""
    parser = argparse.ArgumentParser(
        prog="hw5_gan.py",
        description="Train the models of this file, one part at a time.",
        epilog="Example: python hw5_gan.py conv-gan --epochs 2 --data digits",
    )
    parts = parser.add_subparsers(dest="part", metavar="PART", required=True)
    conv_gan = parts.add_parser(
        "conv-gan",
        parents=[run_options(epochs=30)],
        help="a small convolutional GAN",
        description="Train DNet and GNet. Saves a real digit (goal.pdf) and 64 samples every tenth "
        "epoch (test_0.png, test_10.png, ...). Strokes appear after about 15 epochs, ragged "
        "digits after 30; both losses stay near 0.69 throughout.",
    )
    conv_gan.set_defaults(run=run_conv_gan)
    fc_gan = parts.add_parser(
        "fc-gan",
        parents=[run_options(epochs=10)],
        help="a fully connected GAN, or a deep convolutional one with --dc",
        description="Train the fully connected GAN (fc_gan_results.jpg), or with --dc the deep "
        "convolutional one (dc_gan_results.jpg; 5 epochs are enough). About half of the digits "
        "are clear by iteration 3000.",
    )
    fc_gan.add_argument("--dc", action="store_true", help="the deep convolutional networks")
    fc_gan.add_argument("--least-squares", action="store_true", help="the losses of the bonus")
    fc_gan.set_defaults(run=run_fc_gan)
    argv = sys.argv[1:] if argv is None else argv
    return parser.parse_args(argv or ["conv-gan"])


def main(argv: list[str] | None = None) -> int:
    """Run one part; returns the exit code."""
    args = parse_args(argv)
    reset_seed(args.seed)
    try:
        args.run(args)
    except (NotImplementedError, OSError) as error:
        print(f"hw5_gan.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
