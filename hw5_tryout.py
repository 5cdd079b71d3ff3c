"""Given to students: does a training learn at all? It must be able to learn a few images by heart.

    bernoulli-vae  overfit_bernoulli_vae
    autoencoder    overfit_autoencoder  overfit_beta_vae
    fc-vae         overfit_vae  overfit_cvae
    conv-gan       overfit_conv_gan
    fc-gan         overfit_fc_gan  overfit_dc_gan
    cifar-dcgan    overfit_dcgan
    ae-gan         overfit_ae_gan

A mistake that costs minutes in a training shows in seconds when the same images come again and
again. A loss must then fall, and fall below what the mean of these images costs: one picture for
all is what a decoder finds without reading its code. The players of a GAN are tried one at a time
against another that stands still, since the losses of a game need not fall.

Each function takes the images of a training, works through your own functions on models of its
own, and says in sentences what came out. It leaves the random streams where they were, so the
training below comes out as if it had not been run. Nothing here needs an edit.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from hw5_basics import (
    adam,
    default_device,
    descend,
    initialize_weights,
    one_hot,
    reset_seed,
)
from hw5_checkpoint import random_streams

FEW = 16  # images that a loss is to learn by heart
STEPS = 300  # on them


@contextlib.contextmanager
def _aside() -> Iterator[None]:
    """What is printed in this block is not seen, and what it draws at random was not drawn."""
    streams = random_streams()
    reset_seed(0)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        random_streams(streams)


def _few(images: torch.Tensor, count: int = FEW) -> torch.Tensor:
    """The first images, or labels, where a training has them."""
    return images[:count].to(default_device())


def _mean_for_all(x: torch.Tensor) -> torch.Tensor:
    """The mean of images (N, ...) in the place of each: (N, ...)."""
    return x.mean(0, keepdim=True).expand_as(x)


def _say_of_loss(
    losses: Sequence[float], mean_costs: float, look: str, name: str = "loss", sign: int = 1
) -> None:
    """Whether a loss has learnt its few images by heart.

    mean_costs: the loss of decoding each as the mean of all; look: where a mistake may be; name and
    sign: what the loss is called, and -1 where the student knows it with its sign turned.
    """
    first, last = losses[0], losses[-1]
    verb = "fell" if sign > 0 else "rose"
    way = f"from {sign * first:.3g} to {sign * last:.3g} in {len(losses)} steps"
    mean = f"one picture for all, their mean, has {sign * mean_costs:.3g}"
    start, advice = f"The {name} of {FEW} images", "Before you train for minutes, look at"
    if first <= 0 or last <= 0:
        print(f"{start} went {way}: it is on the wrong side of 0. {advice} its sign.")
    elif not mean_costs < first < 20 * mean_costs:  # an untrained model costs 3 to 9 times as much
        print(
            f"{start} begins at {sign * first:.3g}, and {mean}: it is on another scale. {advice} "
            "what is summed and what is averaged."
        )
    elif not last < 0.9 * first:  # a nan as well
        print(f"{start} went {way}: nothing is learnt. {advice} {look}.")
    elif last >= mean_costs:
        print(
            f"{start} {verb} {way}, but {mean}: the images are not told apart. {advice} the way "
            f"of the code to the decoder, and {look}."
        )
    else:
        print(f"{start} {verb} {way}, and {mean}: it learns.")


def overfit_bernoulli_vae(images: torch.Tensor) -> None:
    """BernoulliVAE, by its `fit`. images: (N, 784), 0 or 1."""
    from hw5_vae import BernoulliVAE

    with _aside():
        x = _few(images)
        elbos = BernoulliVAE().to(x.device).fit(x, num_epoches=STEPS, batch_size=len(x))
        mean_costs = 784 * F.binary_cross_entropy(_mean_for_all(x), x).item()
    look = "elbo_loss, its logarithms, and whether gradients reach the weights"
    _say_of_loss([-elbo for elbo in elbos], mean_costs, look, "ELBO", sign=-1)


STEP = "the step: loss, old gradients, backward pass, and which weights the optimizer holds"


def overfit_autoencoder(images: torch.Tensor) -> None:
    """AutoEncoder, by train_autoencoder. images: (N, 1, 28, 28), in [0, 1]."""
    from hw5_vae import AutoEncoder, train_autoencoder

    with _aside():
        x = _few(images)
        same = [(x, torch.zeros(len(x), dtype=torch.long))] * STEPS
        losses = train_autoencoder(AutoEncoder(32).to(x.device), same, 1, 1e-3)
        mean_costs = F.binary_cross_entropy(_mean_for_all(x), x).item()
    _say_of_loss(losses, mean_costs, STEP)


def overfit_beta_vae(images: torch.Tensor) -> None:
    """BetaVAE with the beta of the bound, by train_beta_vae. images: (N, 1, 28, 28), in [0, 1]."""
    from hw5_vae import BetaVAE, train_beta_vae

    with _aside():
        x = _few(images)
        same = [(x, torch.zeros(len(x), dtype=torch.long))] * STEPS
        rec, _ = train_beta_vae(BetaVAE(32, beta=32 / 784).to(x.device), same, 1, 1e-3)
        mean_costs = F.binary_cross_entropy(_mean_for_all(x), x).item()
    _say_of_loss(rec, mean_costs, STEP, "reconstruction loss")


NATS = "loss_function, its two terms and what is summed, and the way from x to x_hat"


def overfit_vae(images: torch.Tensor) -> None:
    """VAE, on loss_function. images: (N, 1, 28, 28), in [0, 1]."""
    from hw5_vae import VAE

    _overfit_on_nats(lambda: VAE(784), images)


def overfit_cvae(images: torch.Tensor, labels: torch.Tensor) -> None:
    """CVAE, on loss_function. images: (N, 1, 28, 28), in [0, 1]; labels: (N,)."""
    from hw5_vae import CVAE

    _overfit_on_nats(lambda: CVAE(784), images, labels)


def _overfit_on_nats(make: Callable[[], nn.Module], images: torch.Tensor, *labels) -> None:
    """A model of part fc-vae. It learns by steps such as those of train_vae."""
    from hw5_vae import loss_function

    with _aside():
        x, c = _few(images), [one_hot(_few(k)) for k in labels]
        model, losses = make().to(x.device).train(), []
        optimizer = adam(model.parameters(), lr=1e-3)
        for _ in range(STEPS):
            x_hat, mu, logvar = model(x, *c)
            loss = loss_function(x_hat, x, mu, logvar)
            descend(loss, optimizer)
            losses.append(loss.item())
        mean_costs = 784 * F.binary_cross_entropy(_mean_for_all(x), x).item()
    _say_of_loss(losses, mean_costs, NATS)


def _say_of_players(
    move_d: Callable[[], object],
    move_g: Callable[[], object],
    believed: Callable[[], tuple[float, float]],
) -> None:
    """Let D learn against a G that stands still, then G against this D, and say whether they did.

    believed: the mean probabilities of being real that D gives to the images and to the fakes.
    """
    with _aside():
        move_d()
        real, fake = believed()
    against = f"it takes the real images for real with probability {real:.2f}, the fakes {fake:.2f}"
    if not (real > 0.8 and fake < 0.2):
        print(
            f"D does not learn: against a G that stands still, {against}. Before you train for "
            "minutes, look at the loss of D, the target of each half, and what its step moves."
        )
        return
    print(f"D learns: against a G that stands still, {against}.")
    with _aside():
        move_g()
        fooled = believed()[1]
    against = f"against this D, standing still, its fakes went from {fake:.2f} to {fooled:.2f}"
    if fooled > 0.8:
        print(f"G learns: {against}.")
    else:
        print(
            f"G does not learn: {against}. Before you train for minutes, look at the loss of G, "
            "the target of its fakes, and whether a gradient comes through D into G."
        )


def _take_steps(count: int, loss: Callable[[], torch.Tensor], optimizer) -> None:
    for _ in range(count):
        descend(loss(), optimizer)


@torch.no_grad()
def _probability(logits: torch.Tensor) -> float:
    return torch.sigmoid(logits).mean().item()


def overfit_conv_gan(images: torch.Tensor) -> None:
    """DNet and GNet, on the losses of GAN. images: (N, 1, 28, 28), in [0, 1]."""
    from hw5_gan import GAN

    with _aside():
        gan, x = GAN(), _few(images, 64)
        z = torch.empty(len(x), 64, device=x.device).uniform_(-1, 1)
        d_solver, g_solver = (adam(net.parameters(), lr=5e-3) for net in (gan.disc, gan.gen))
    _say_of_players(
        lambda: _take_steps(30, lambda: gan._get_loss_d(len(x), x, z), d_solver),
        lambda: _take_steps(30, lambda: gan._get_loss_g(len(x), z), g_solver),
        lambda: (_probability(gan.disc(x)), _probability(gan.disc(gan.gen(z)))),
    )


def overfit_fc_gan(images: torch.Tensor) -> None:
    """The fully connected networks, on their losses. images: (N, 1, 28, 28), in [0, 1]."""
    from hw5_gan import discriminator, generator

    _overfit_flat(discriminator, generator, images, steps=30)


def overfit_dc_gan(images: torch.Tensor) -> None:
    """The deep convolutional networks, on the same losses. images: as in overfit_fc_gan."""
    from hw5_gan import build_dc_classifier, build_dc_generator

    _overfit_flat(build_dc_classifier, build_dc_generator, images, steps=15)


def _overfit_flat(make_d, make_g, images: torch.Tensor, steps: int) -> None:
    """Two networks of part fc-gan, moved by the optimizers of get_optimizer."""
    from hw5_gan import discriminator_loss, generator_loss, get_optimizer, sample_noise

    with _aside():
        x = 2 * _few(images, 32).flatten(1) - 1  # (N, 784), in [-1, 1]
        d, g = make_d().to(x.device), make_g().to(x.device)
        d.apply(initialize_weights)
        g.apply(initialize_weights)
        d_solver, g_solver = get_optimizer(d), get_optimizer(g)
        z = sample_noise(len(x), 96, device=x.device)
    _say_of_players(
        lambda: _take_steps(steps, lambda: discriminator_loss(d(x), d(g(z))), d_solver),
        lambda: _take_steps(steps, lambda: generator_loss(d(g(z))), g_solver),
        lambda: (_probability(d(x)), _probability(d(g(z)))),
    )


def overfit_dcgan(images: torch.Tensor) -> None:
    """DCGAN, by its `fit`: a player stands still when its rate is 0. images: (N, 3, 32, 32)."""
    from hw5_gan import DCGAN

    with _aside():
        x = _few(images, 32)
        dcgan = DCGAN().to(x.device)
        dcgan.num_epoch, dcgan.batch_size = 1, len(x)
        z = torch.randn(len(x), dcgan.code_size, device=x.device)

    def move(rate_d: float, rate_g: float) -> None:
        for solver, rate in ((dcgan.optimizerD, rate_d), (dcgan.optimizerG, rate_g)):
            for group in solver.param_groups:
                group["lr"] = rate
        dcgan.fit(x.repeat(20, 1, 1, 1))  # 20 steps on the same images

    @torch.no_grad()
    def believed() -> tuple[float, float]:
        dcgan.train()
        fakes = dcgan._generator(z)
        return _probability(dcgan._discriminator(x)), _probability(dcgan._discriminator(fakes))

    _say_of_players(lambda: move(1e-3, 0.0), lambda: move(0.0, 1e-3), believed)


class _Blind(nn.Module):
    """A discriminator that gives every image the same probability, and so teaches nothing."""

    def __init__(self):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: (N, D). Returns (N, 1)."""
        return torch.sigmoid(self.bias + 0 * x[:, :1])


def overfit_ae_gan(images: torch.Tensor) -> None:
    """AutoEncoderGAN, by train_ae_gan: D against the fakes, then E and G without a D that judges.

    images: (N, 1, 28, 28), in [0, 1].
    """
    from hw5_gan import AutoEncoderGAN, ae_gan_optimizers, train_ae_gan

    with _aside():
        x = _few(images).flatten(1)  # (N, 784)
        model = AutoEncoderGAN().to(x.device)
        train_ae_gan(model, [x] * 60, ae_gan_optimizers(model, lr=1e-3), epochs=1)
        z = torch.randn(len(x), model.latent_size, device=x.device)
        with torch.no_grad():
            real = model.discriminator(x).mean().item()
            fake = model.discriminator(model.generator(z)).mean().item()
        model = AutoEncoderGAN().to(x.device)
        model.discriminator = _Blind().to(x.device)
        losses = train_ae_gan(model, [x], ae_gan_optimizers(model, lr=1e-3), epochs=200)[2]
        lowest = losses.index(min(losses)) or len(losses)  # E and G take turns, and overshoot
        mean_costs = F.mse_loss(_mean_for_all(x), x).item()
    against = f"it takes the real images for real with probability {real:.2f}, the fakes {fake:.2f}"
    if real > 0.8 and fake < 0.2:
        print(f"D learns: {against}.")
    else:
        print(
            f"D does not learn: {against}. Before you train for minutes, look at step 1: the "
            "targets, what is cleared, and which weights move."
        )
    look = "steps 2 and 3: the reconstruction in both losses, and which weights move"
    _say_of_loss(losses[: lowest + 1], mean_costs, look, "autoencoder loss")
