"""The visible checks: they say at once what is wrong, where, and what to do about it.

    part           checks
    vae-theory     check_1b  check_1g  check_1h  check_1j
    bernoulli-vae  check_decoder  check_sample_diagonal_gaussian  check_sample_Bernoulli
                   check_logpdf_diagonal_gaussian  check_logpdf_bernoulli  check_elbo_loss
    autoencoder    check_architecture  check_loader  check_loop  check_sample_prior  check_beta_vae
                   check_beta_vae_loop  check_tuned_beta  check_interpolate  check_conditional
                   check_conditional_loop  check_sample_digits
    fc-vae         check_networks  check_reparametrize  check_forward  check_loss  check_cvae
    gan-theory     check_3e
    conv-gan       check_DNet  check_GNet  check_weight_init  check_loss_d  check_loss_g
    fc-gan         check_sample_noise  check_discriminator  check_generator  check_get_optimizer
                   check_discriminator_loss  check_generator_loss  check_build_dc_classifier
                   check_build_dc_generator  check_least_squares
    cifar-dcgan    check_dcgan_init  check_dcgan_weight_init  check_classification_loss  check_fit
                   check_spectral_norm  check_reconstruction_loss  check_reconstruct
    ae-gan         check_optimizers  check_loss_discriminator  check_loss_generator
                   check_loss_autoencoder

Each takes what you wrote, as in check_reparametrize(reparametrize), and stops with a sentence when
something is off. check(part) reads your file afresh from disk, runs all checks of the part in a
process of their own and prints a table. Everything compared with here is public. Marks come from
other checks, which are not shown: the table says what they look at.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import math
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import hw5_process
from hw5_utils import batches, count_params, one_hot, rel_error, unwritten

MODULES = {
    "vae-theory": "hw5_vae",
    "bernoulli-vae": "hw5_vae",
    "autoencoder": "hw5_vae",
    "fc-vae": "hw5_vae",
    "gan-theory": "hw5_gan",
    "conv-gan": "hw5_gan",
    "fc-gan": "hw5_gan",
    "cifar-dcgan": "hw5_gan",
    "ae-gan": "hw5_gan",
}
BY_HAND = {
    "vae-theory": ("1a", "1c", "1d", "1e", "1f", "1i"),
    "bernoulli-vae": ("training", "data_space", "latent_space", "interpolation"),
    "autoencoder": (
        *("samples", "extremes", "extremes_why", "well_tuned", "tuned"),
        *("interpolations", "digits"),
    ),
    "fc-vae": ("figures",),
    "gan-theory": ("3a", "3b", "3c", "3d"),
    "conv-gan": ("images",),
    "fc-gan": ("pictures",),
    "cifar-dcgan": ("batch_norm", "spectral", "actmax", "reconstructions"),
    "ae-gan": ("approach", "results", "mode_collapse", "conflicts", "conditioning"),
}
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
BONUS = ("fc-gan.least_squares",)

LOGITS_REAL = torch.tensor(
    [
        [0.93487311, -1.01698916, -0.57304769, -0.88162704, -1.40129389],
        [-1.45395693, -1.54239755, -0.57273325, 0.98584429, 0.13312152],
    ]
).flatten()
LOGITS_FAKE = torch.tensor(
    [
        [-1.80865868, 0.09030055, -0.4428902, -0.07879368, -0.37655044],
        [0.32084742, -0.28590837, 1.01376281, 0.99241439, 0.39394346],
    ]
).flatten()


class NotYet(AssertionError):
    """A check is not satisfied; a notebook shows the sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet. {self}"]


@dataclass(frozen=True)
class Question:
    """A check, the names it takes from the student's file, and what is marked unseen."""

    id: str
    names: tuple[str, ...]
    run: Callable[..., None]
    unseen: str


QUESTIONS: dict[str, Question] = {}


def question(id: str, *names: str, unseen: str):
    """Register a check. It runs on a random stream of its own and speaks in sentences only."""

    def register(body: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(*written) -> None:
            try:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    body(*written)
            except Exception as error:
                sentence = explain(error)
            else:
                print(f"{id}: passed")
                return
            raise NotYet(sentence)

        QUESTIONS[id] = Question(id, names, run, unseen)
        return run

    return register


def explain(error: BaseException) -> str:
    """One sentence for any error: a check's own words, or what stopped and in which line."""
    if isinstance(error, NotYet) or unwritten(error):
        return str(error)
    what = _what(error)
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or 'the file').name}, line {error.lineno}: {what}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).name in hw5_process.WRITTEN]
    if not own:
        return f"Your code was called as the docstring says and stopped with {what}"
    return f"{hw5_process.at_line(own[-1].filename, own[-1].lineno, own[-1].line)}: {what}"


def _what(error: BaseException) -> str:
    """The kind of an error and its words, if it has any and can say them."""
    kind = type(error).__name__
    try:
        what = textwrap.shorten(f"{kind}: {error}".removesuffix(": ")[:1000], 300)
    except Exception:
        return kind
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in what:
        most = f"{hw5_process.MEMORY / 2**30:g} GB"
        return f"there is not enough memory for this (a check may take {most}). {what}"
    return what


def need(condition: bool, sentence: str) -> None:
    """Stop with `sentence` unless the condition holds."""
    if not condition:
        raise NotYet(sentence)


def need_shape(got, shape: tuple[int, ...], what: str) -> None:
    """Stop unless `got` is a tensor of this shape."""
    need(isinstance(got, torch.Tensor), f"{what} must be a tensor, not {type(got).__name__}.")
    need(tuple(got.shape) == shape, f"{what} has shape {tuple(got.shape)} instead of {shape}.")


def need_value(got, right: float, what: str, wrong: dict[float, str], tolerance: float = 1e-5):
    """Stop unless `got` is `right`; say which known mistake gives the value that came out."""
    need(isinstance(got, torch.Tensor), f"{what} must return a tensor, not {type(got).__name__}.")
    need(got.numel() == 1, f"{what} must return one number; its shape is {tuple(got.shape)}.")
    value = got.item()
    if abs(value - right) <= tolerance * max(1.0, abs(right)):
        return
    hints = [why for known, why in wrong.items() if abs(value - known) <= 2e-4 * max(1, abs(known))]
    hint = hints[0] if hints else "Compare term by term with the docstring."
    raise NotYet(f"{what} gives {value:.4g} where {right:.4g} is right. {hint}")


def need_count(model: nn.Module, right: int, what: str, hint: str = "") -> None:
    """Stop unless the model has exactly so many parameters."""
    count = count_params(model)
    sizes = ", ".join("x".join(map(str, p.shape)) for p in model.parameters() if p.dim() > 1)
    need(
        count == right,
        f"{what} has {count:,} parameters instead of {right:,}. Yours has weights of sizes "
        f"{sizes or 'none'}. {hint or 'Compare layer by layer with the docstring; keep biases.'}",
    )


class Constant(nn.Module):
    """A discriminator that gives each image the same logit."""

    def __init__(self, logit: float):
        super().__init__()
        self.logit = logit

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1).sum(1, keepdim=True) * 0 + self.logit


class Brightness(nn.Module):
    """A discriminator with logit 10 for a white image and -10 for a black one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 20 * x.flatten(1).mean(1, keepdim=True) - 10


def _need_number(got, what: str, low: float = -math.inf) -> None:
    """Stop unless `got` is a real number of at least `low`; infinity is one."""
    real = isinstance(got, (int, float, torch.Tensor)) and not isinstance(got, bool)
    need(real, f"{what} must return a number, not {type(got).__name__}.")
    need(float(got) >= low, f"{what} gives {float(got):g}: it cannot be less than {low:g}.")


@question("vae-theory.1b", "answer_1b", unseen="the value, for several dimensions")
def check_1b(answer_1b) -> None:
    """A whole number of outputs."""
    _need_number(answer_1b(2), "answer_1b(2)", 1)
    need(float(answer_1b(2)).is_integer(), "answer_1b(2) counts numbers: it must be whole.")


@question("vae-theory.1g", "answer_1g", unseen="the value, at random points")
def check_1g(answer_1g) -> None:
    """A number that a KL-divergence can be."""
    _need_number(answer_1g(1.0, 2.0), "answer_1g(1, 2)", 0)


@question("vae-theory.1h", "answer_1h", unseen="the value, at random points")
def check_1h(answer_1h) -> None:
    """A number that a KL-divergence can be."""
    for mu_phi, mu_p, sigma in ((0.0, 1.0, 1.0), (3.0, -2.0, 0.5), (-1.0, 1.5, 2.0)):
        got = answer_1h(mu_phi, mu_p, sigma)
        _need_number(got, f"answer_1h({mu_phi:g}, {mu_p:g}, {sigma:g})", 0)


@question("vae-theory.1j", "answer_1j", unseen="which of the four it is")
def check_1j(answer_1j) -> None:
    """One of the four."""
    need(answer_1j() in (1, 2, 3, 4), "answer_1j must return 1, 2, 3 or 4.")


@question("bernoulli-vae.decoder", "Decoder", unseen="each probability, other sizes")
def check_decoder(Decoder) -> None:
    """fc1, tanh, fc2, sigmoid: 394,284 parameters."""
    net = Decoder(2, 500, 784)
    need_count(net, 394_284, "Decoder(2, 500, 784)", "One hidden layer of 500 units, two Linear.")
    for part in ("fc1", "fc2"):
        need(hasattr(net, part), f"Decoder has no attribute `{part}`; define it in __init__.")
    need_shape(net(torch.randn(3, 2)), (3, 784), "Decoder's output")
    tiny = Decoder(1, 1, 1)
    for weight in tiny.parameters():
        nn.init.zeros_(weight)
    known = {0.0: "The sigmoid is missing.", 0.6225: "There are two sigmoids."}
    need_value(tiny(torch.ones(1, 1)), 0.5, "Decoder with all weights 0", known)
    nn.init.ones_(tiny.fc1.weight)
    nn.init.ones_(tiny.fc2.weight)
    known = {
        0.7311: "The tanh after fc1 is missing (or it is a ReLU).",
        0.6750: "fc1 is followed by a sigmoid instead of tanh.",
        0.6421: "There is a second tanh after fc2.",
    }
    need_value(tiny(torch.ones(1, 1)), 0.681699, "Decoder with both weights 1, for z = 1", known)


@question(
    "bernoulli-vae.sample_diagonal_gaussian", "BernoulliVAE", unseen="other means, each gradient"
)
def check_sample_diagonal_gaussian(BernoulliVAE) -> None:
    """z has mean mu and variance sigma_square, and passes gradients on."""
    what, sample = "sample_diagonal_gaussian", BernoulliVAE.sample_diagonal_gaussian
    mu = torch.full((20_000, 5), 3.0, requires_grad=True)
    sigma_square = torch.full((20_000, 5), 4.0, requires_grad=True)
    z = sample(mu, sigma_square)
    need_shape(z, (20_000, 5), f"{what}'s z")
    need(z.std(0).min() > 0.01, f"{what}: every row gets the same noise.")
    need(z.std(1).min() > 0.001, f"{what}: a row's entries all get the same noise.")
    mean, std = z.mean().item(), z.std().item()
    need(abs(mean - 3) < 0.05, f"{what}: z has mean {mean:.3f} where mu is 3.")
    known = {4.0: "The root is missing: sigma_square is a variance.", 1.0: "It is ignored."}
    known |= {7.389: "sigma_square is no logarithm."}
    hint = "".join(why for value, why in known.items() if abs(std - value) < 0.05)
    sentence = f"{what}: z has standard deviation {std:.3f} where sigma_square is 4. {hint}"
    need(abs(std - 2) < 0.05, sentence)
    need(z.requires_grad, f"{what}: z has no gradient. Draw eps, then use mu + sigma * eps.")
    z.sum().backward()
    reach = mu.grad is not None and sigma_square.grad is not None
    need(reach, f"{what}: gradients must reach both mu and sigma_square.")


@question("bernoulli-vae.sample_Bernoulli", "BernoulliVAE", unseen="the whole distribution")
def check_sample_Bernoulli(BernoulliVAE) -> None:
    """Zeros and ones in float32, one with probability p, each pixel on its own."""
    p = torch.full((2000, 50), 0.3)
    x = BernoulliVAE.sample_Bernoulli(p)
    need_shape(x, (2000, 50), "sample_Bernoulli's x")
    need(x.dtype == torch.float32, f"sample_Bernoulli must give float32, not {x.dtype}.")
    need(bool(((x == 0) | (x == 1)).all()), "sample_Bernoulli must give zeros and ones only.")
    mean = x.mean().item()
    hint = "The comparison is the wrong way round." if abs(mean - 0.7) < 0.02 else ""
    need(abs(mean - 0.3) < 0.02, f"sample_Bernoulli: {mean:.3f} are ones where p = 0.3. {hint}")
    spread = min(x.std(0).min().item(), x.std(1).min().item())
    need(spread > 0.01, "sample_Bernoulli: pixels share one random number; each needs its own.")
    ends = torch.tensor([0.0, 1.0]).repeat(500, 1)
    need(torch.equal(BernoulliVAE.sample_Bernoulli(ends), ends), "sample_Bernoulli: p = 0 or 1.")


@question(
    "bernoulli-vae.logpdf_diagonal_gaussian", "BernoulliVAE", unseen="random z, mu, variances"
)
def check_logpdf_diagonal_gaussian(BernoulliVAE) -> None:
    """-1.8379 for N(0; 0, I) in two dimensions; one number for each z."""
    what, logpdf = "logpdf_diagonal_gaussian", BernoulliVAE.logpdf_diagonal_gaussian
    zero, one = torch.zeros(1, 2), torch.ones(1, 2)
    known = {
        0.0: "The constant log(2 pi) is missing.",
        -0.918939: "It is a mean over the dimensions; it must be their sum.",
        1.837877: "The sign is flipped.",
        0.159155: "This is the density; its logarithm is wanted.",
    }
    need_value(logpdf(zero, zero, one), -1.837877, f"{what} at the mean, variance 1", known)
    known = {
        -4.610466: "sigma_square is taken for a standard deviation.",
        -1.837877: "The variance is missing under the first logarithm.",
    }
    need_value(logpdf(zero, zero, 4 * one), -3.224171, f"{what} at the mean, variance 4", known)
    z = torch.randn(5, 2)
    rows = logpdf(z, torch.zeros(5, 2), torch.ones(5, 2))
    need_shape(rows, (5,), f"{what} of five codes")
    shared = logpdf(z, torch.zeros(2), torch.ones(2))
    need_shape(shared, (5,), f"{what} of five codes with one prior, mu (2,),")
    need(torch.allclose(rows, shared), f"{what}: a prior of shape (2,) must give the same.")


@question("bernoulli-vae.logpdf_bernoulli", "BernoulliVAE", unseen="random pixels, gradients")
def check_logpdf_bernoulli(BernoulliVAE) -> None:
    """-543.4273 for coin flips; finite where p is 0 or 1."""
    logpdf = BernoulliVAE.logpdf_bernoulli
    x, half = (torch.rand(1, 784) < 0.5).float(), torch.full((1, 784), 0.5)
    known = {
        543.4273: "The sign is flipped.",
        -0.693147: "It is a mean over the pixels; it must be their sum.",
    }
    need_value(logpdf(x, half), -543.427368, "logpdf_bernoulli with p = 0.5", known)
    need_shape(logpdf(x.expand(5, 784), half.expand(5, 784)), (5,), "logpdf_bernoulli of 5 images")
    sure = logpdf(x, x)
    need(not sure.isnan().any(), "logpdf_bernoulli is NaN where p is 0 or 1: 0 * log 0 must be 0.")
    need(bool(sure.abs() < 0.01), f"logpdf_bernoulli is {sure.item():g} where p = x; 0 is right.")
    finite = torch.isfinite(logpdf(x, 1 - x)).all()
    need(
        bool(finite), "logpdf_bernoulli is infinite where p is 0 and x is 1: keep p off both ends."
    )


@question("bernoulli-vae.elbo_loss", "BernoulliVAE", unseen="random inputs, gradients")
def check_elbo_loss(BernoulliVAE) -> None:
    """The mean of log p(x|z) + log p(z) - log q(z|x)."""
    vae = BernoulliVAE(2, 3, 784)
    z, mu, x = torch.randn(5, 2), torch.randn(5, 2), torch.zeros(5, 784)

    def gaussian(z, mean, variance):
        return torch.full((5,), 1.0 if mean is mu else 10.0)

    vae.logpdf_diagonal_gaussian = gaussian
    vae.logpdf_bernoulli = lambda x, p: torch.full((5,), 100.0)
    known = {
        -109.0: "The sign is flipped: larger must be better.",
        111.0: "log q(z|x) must be subtracted.",
        91.0: "The two Gaussians are exchanged: log q is subtracted, log p(z) added.",
        89.0: "log p(z) must be added.",
        110.0: "log q(z|x) is missing.",
        99.0: "log p(z) is missing.",
        9.0: "log p(x|z) is missing.",
        545.0: "It is summed over the batch; it must be the mean.",
    }
    got = vae.elbo_loss(z, mu, torch.ones(5, 2), x, x)
    what = "elbo_loss with log p(x|z) = 100, log p(z) = 10, log q(z|x) = 1"
    need_value(got, 109.0, what, known)


@question(
    "autoencoder.architecture",
    "AEEncoder",
    "AEDecoder",
    "AutoEncoder",
    unseen="layers and activations in order, other sizes",
)
def check_architecture(AEEncoder, AEDecoder, AutoEncoder) -> None:
    """439,728 parameters; codes (N, nz) and images (N, 1, 784) in [0, 1]."""
    encoder, decoder = AEEncoder(nz=32, input_size=784), AEDecoder(nz=32, output_size=784)
    need_count(encoder, 219_488, "AEEncoder(nz=32, input_size=784)")
    need_count(decoder, 220_240, "AEDecoder(nz=32, output_size=784)")
    need_shape(encoder(torch.rand(5, 784)), (5, 32), "AEEncoder's output for (5, 784)")
    need(bool((encoder(torch.randn(50, 784)) < 0).any()), "AEEncoder must end in a Linear layer.")
    x_hat = decoder(50 * torch.randn(5, 32))
    need_shape(x_hat, (5, 1, 784), "AEDecoder's output for (5, 32)")
    inside = bool((x_hat >= 0).all() and (x_hat <= 1).all())
    need(inside, "AEDecoder's output leaves [0, 1]: it must end in a sigmoid.")
    model = AutoEncoder(32)
    need_count(model, 439_728, "AutoEncoder(32)")
    x = torch.rand(5, 1, 28, 28)
    need_shape(model(x), (5, 1, 784), "AutoEncoder's output for (5, 1, 28, 28)")
    same = torch.allclose(model(x), model.decoder(model.encoder(x)))
    need(same, "AutoEncoder must give decoder(encoder(x)).")


@question("autoencoder.loader", "make_loader", unseen="several passes over other sizes")
def check_loader(make_loader) -> None:
    """Full batches only, in a fresh order on each pass, every image with its label."""
    labels = torch.arange(50)
    images = labels.view(50, 1, 1, 1).expand(50, 1, 28, 28) / 50
    loader = make_loader(images, labels, 8)
    passes = [[(x, y) for x, y in loader] for _ in range(2)]
    sizes = [len(x) for x, _ in passes[0]]
    need(sizes == [8] * 6, f"make_loader of 50 images gives batches of {sizes}; full ones: 6 of 8.")
    first, second = (torch.cat([y for _, y in batch]) for batch in passes)
    need(len(first.unique()) == 48, "make_loader gives an image twice in one pass.")
    shuffled = not torch.equal(first, first.sort().values)
    need(shuffled and not torch.equal(first, second), "make_loader must shuffle on every pass.")
    paired = all(torch.allclose(x[:, 0, 0, 0] * 50, y.float()) for x, y in passes[0])
    need(paired, "make_loader gives images labels that are not theirs.")


class Pixels(nn.Module):
    """A model that gives each image the same probabilities, 0.5 at first; notes its inputs."""

    def __init__(self, conditional: bool = False):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(784))
        self.beta, self.conditional, self.seen = 0.5, conditional, []

    def forward(self, x, *c):
        self.seen.append(c)
        rec = torch.sigmoid(self.logits).expand(len(x), 1, 784)
        return {"rec": rec, "c": c} if self.beta is not None else rec

    def loss(self, x, outputs):
        error = (outputs["rec"] - x.reshape(-1, 1, 784)) ** 2
        terms = {"rec_loss": error.mean(), "kl_loss": self.logits.pow(2).sum() + 3}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


def _need_training(train, model: nn.Module, what: str):
    """Run a training of two epochs in silence; returns its result and the labels it was fed."""
    images, labels = torch.zeros(40, 1, 28, 28), torch.arange(40) % 10
    loader = batches(images, labels, batch_size=10)
    with contextlib.redirect_stdout(io.StringIO()):
        result = train(model, loader, 2, 1e-2)
    steps = len(model.seen)
    need(steps == 8, f"{what}: 2 epochs of 4 batches must be 8 steps, not {steps}.")
    moved = bool(model.logits.detach().abs().max() > 0)
    need(moved, f"{what}: the weights did not move. Does the optimizer step?")
    return result


def _need_losses(losses, what: str) -> list[float]:
    """Stop unless these are eight numbers."""
    right = isinstance(losses, (list, tuple, torch.Tensor)) and len(losses) == 8
    need(right, f"{what} must hold one loss for each of the 8 steps.")
    return [float(loss) for loss in losses]


@question("autoencoder.loop", "train_autoencoder", unseen="each step, gradients cleared, Adam")
def check_loop(train_autoencoder) -> None:
    """Binary cross-entropy, a mean over pixels: 0.6931 at first, then less."""
    model = Pixels()
    model.beta = None
    losses = _need_losses(_need_training(train_autoencoder, model, "train_autoencoder"), "losses")
    known = {
        543.4274: "The loss is summed over the pixels; it must be their mean.",
        5434.274: "The loss is summed; it must be a mean over pixels and images.",
        0.25: "This is the squared error; binary cross-entropy is wanted.",
    }
    need_value(torch.tensor(losses[0]), 0.693147, "train_autoencoder's first loss", known)
    need(losses[-1] < losses[0], "train_autoencoder: the loss grows. Is its sign right?")


class Fixed(nn.Module):
    """A model with nz = 4 whose decoder notes its inputs and gives grey images."""

    def __init__(self):
        super().__init__()
        self.nz, self.seen = 4, []
        self.weight = nn.Parameter(torch.zeros(1))
        self.conditional, self.num_labels = True, 10

    def decoder(self, z, *c, **kwargs):
        self.seen.append((z, *c, *kwargs.values()))
        return z.mean(1).view(-1, 1, 1).expand(-1, 1, 784)

    def encoder(self, x):
        x = x.reshape(-1, 784)
        return torch.cat((x[:, :4], 9 + 0 * x[:, :4]), dim=1)


def _need_normal(z: torch.Tensor, what: str) -> None:
    """Stop unless the codes look like draws from N(0, I)."""
    mean, std = z.mean().item(), z.std().item()
    ok = abs(mean) < 0.1 and abs(std - 1) < 0.1
    hint = "Is it torch.rand?" if abs(std - 0.289) < 0.05 else ""
    need(ok, f"{what}: codes have mean {mean:.2f} and spread {std:.2f}, not 0 and 1. {hint}")
    need(z.std(0).min() > 0.1 and z.std(1).min() > 0.001, f"{what}: codes share their noise.")


@question("autoencoder.sample_prior", "sample_prior", unseen="other models, the distribution")
def check_sample_prior(sample_prior) -> None:
    """Codes from N(0, I), decoded: images (n, 1, 28, 28)."""
    model = Fixed()
    images = sample_prior(model, 1000)
    need_shape(images, (1000, 1, 28, 28), "sample_prior(model, 1000)")
    z = torch.cat([seen[0] for seen in model.seen])
    need_shape(z, (1000, 4), "sample_prior: the codes")
    _need_normal(z, "sample_prior")


@question("autoencoder.beta_vae", "BetaVAE", unseen="random images, codes and betas; gradients")
def check_beta_vae(BetaVAE) -> None:
    """441,808 parameters; forward samples, reconstruct does not; beta enters linearly."""
    model, x = BetaVAE(32, beta=0.5), torch.rand(3, 1, 784)
    need_count(model, 441_808, "BetaVAE(32)", "The encoder gives 2 * nz numbers.")
    outputs = model(x)
    ok = isinstance(outputs, dict) and {"q", "rec"} <= outputs.keys()
    need(ok, "BetaVAE.forward must return a dict with q and rec.")
    need_shape(outputs["q"], (3, 64), "BetaVAE.forward's q")
    need_shape(outputs["rec"], (3, 1, 784), "BetaVAE.forward's rec")
    fresh = not torch.equal(outputs["rec"], model(x)["rec"])
    need(fresh, "BetaVAE.forward draws no fresh noise for z.")
    q = torch.cat((torch.ones(3, 32), torch.zeros(3, 32)), dim=1)
    total, terms = model.loss(x, {"q": q, "rec": torch.full((3, 1, 784), 0.5)})
    known = {543.4274: "It is summed over pixels; it must be their mean.", 0.25: "Squared error?"}
    need_value(terms["rec_loss"], 0.693147, "BetaVAE.loss: rec_loss of grey images", known)
    known = {
        16.0: "It is summed over the latent dimensions; it must be their mean.",
        48.0: "It is a sum; it must be a mean over all entries.",
        -0.5: "Its sign is flipped.",
        0.25: "beta must multiply it in the total only.",
        0.859141: "mu and log_sigma are exchanged: mu comes first.",
    }
    need_value(terms["kl_loss"], 0.5, "BetaVAE.loss: kl_loss of mu = 1, sigma = 1", known)
    known = {1.193147: "beta is missing.", 0.443147: "The KL term must be added.",
             0.818147: "beta must enter once, not squared."}  # fmt: skip
    need_value(total, 0.943147, "BetaVAE.loss: the total with beta = 0.5", known)
    q = torch.cat((torch.zeros(3, 32), torch.ones(3, 32)), dim=1)
    _, terms = model.loss(x, {"q": q, "rec": torch.full((3, 1, 784), 0.5)})
    known = {
        0.359141: "log_sigma is taken for the logarithm of the variance.",
        0.567668: "The two Gaussians stand the wrong way round: q comes first.",
    }
    need_value(terms["kl_loss"], 2.194528, "BetaVAE.loss: kl_loss of mu = 0, log_sigma = 1", known)
    again = model.reconstruct(x)
    need_shape(again, (3, 28, 28), "BetaVAE.reconstruct's output")
    need(
        torch.equal(again, model.reconstruct(x)), "BetaVAE.reconstruct must use the mean, no noise."
    )
    mean = model.decoder(model.encoder(x)[..., :32]).reshape(3, 28, 28)
    need(torch.allclose(again, mean, atol=1e-5), "BetaVAE.reconstruct must decode the mean of q.")


@question(
    "autoencoder.beta_vae_loop", "train_beta_vae", unseen="each step, gradients cleared, Adam"
)
def check_beta_vae_loop(train_beta_vae) -> None:
    """One step a batch on the total loss; both terms come back, step by step."""
    result = _need_training(train_beta_vae, Pixels(), "train_beta_vae")
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    need(pair, "train_beta_vae must return two lists, (rec, kl).")
    rec, kl = (
        _need_losses(losses, f"train_beta_vae's {n}")
        for losses, n in zip(result, ("rec", "kl"), strict=True)
    )
    known = {3.0: "rec and kl are exchanged.", 1.75: "This is the total."}
    need_value(torch.tensor(rec[0]), 0.25, "train_beta_vae's first rec", known)
    known = {1.5: "It must not be multiplied by beta yet."}
    need_value(torch.tensor(kl[0]), 3.0, "train_beta_vae's first kl", known)
    need(rec[-1] < rec[0], "train_beta_vae: the loss grows. Is its sign right?")


@question("autoencoder.tuned_beta", "TUNED_BETA", unseen="a short training with it")
def check_tuned_beta(TUNED_BETA) -> None:
    """A positive number below the beta that collapses."""
    need(TUNED_BETA is not None, "autoencoder.tuned_beta: write this")
    _need_number(TUNED_BETA, "TUNED_BETA", 0)
    sentence = "TUNED_BETA = {} {}: see the docstring of BetaVAE."
    need(TUNED_BETA > 0, sentence.format(TUNED_BETA, "switches the KL term off"))
    need(TUNED_BETA < 1, sentence.format(TUNED_BETA, "makes the code say nothing"))


@question("autoencoder.interpolate", "interpolate_embeddings", unseen="other models and steps")
def check_interpolate(interpolate_embeddings) -> None:
    """Equal steps from the mean of one image to that of the other, both ends included."""
    model = Fixed()
    start, end = torch.zeros(1, 28, 28), torch.ones(1, 28, 28)
    images = interpolate_embeddings(model, start, end, 5)
    need_shape(images, (5, 1, 28, 28), "interpolate_embeddings of 5 steps")
    z = torch.cat([seen[0] for seen in model.seen])
    need_shape(z, (5, 4), "interpolate_embeddings: the codes (means only, nz numbers),")
    got = [round(value, 4) for value in z[:, 0].tolist()]
    hint = ""
    if got == [0, 0.2, 0.4, 0.6, 0.8]:
        hint = "The last step never reaches the end: divide by steps - 1."
    if got == [1, 0.75, 0.5, 0.25, 0]:
        hint = "It runs from end to start."
    right = "0, 0.25, 0.5, 0.75, 1"
    sentence = f"interpolate_embeddings from code 0 to 1 gives {got} instead of {right}. {hint}"
    need(got == [0, 0.25, 0.5, 0.75, 1], sentence)


@question(
    "autoencoder.conditional",
    "ConditionalAEEncoder",
    "ConditionalAEDecoder",
    "ConditionalBetaVAE",
    unseen="each entry against a reference, other sizes and betas",
)
def check_conditional(ConditionalAEEncoder, ConditionalAEDecoder, ConditionalBetaVAE) -> None:
    """Encoder and decoder are told the class; reconstruct uses the mean and the class."""
    encoder = ConditionalAEEncoder(64, 784, True, 10)
    decoder = ConditionalAEDecoder(32, 784, True, 10)
    need_count(encoder, 224_128, "ConditionalAEEncoder(64, 784, True, 10)")
    need_count(decoder, 220_880, "ConditionalAEDecoder(32, 784, True, 10)")
    model = ConditionalBetaVAE(32, beta=0.5, conditional=True, num_labels=10)
    x, c, other = torch.rand(3, 1, 28, 28), torch.tensor([3, 0, 7]), torch.tensor([4, 0, 7])
    outputs = model(x, c)
    need_shape(outputs["q"], (3, 64), "ConditionalBetaVAE.forward's q")
    need_shape(outputs["rec"], (3, 1, 784), "ConditionalBetaVAE.forward's rec")
    changed = (model.encoder(x, c) != model.encoder(x, other)).any(-1).flatten().tolist()
    need(changed == [True, False, False], "ConditionalAEEncoder must read its image's own class.")
    z = torch.randn(3, 32)
    changed = (model.decoder(z, c) != model.decoder(z, other)).any(-1).flatten().tolist()
    need(changed == [True, False, False], "ConditionalAEDecoder must read its code's own class.")
    again = model.reconstruct(x, c)
    need_shape(again, (3, 28, 28), "ConditionalBetaVAE.reconstruct's output")
    same = torch.equal(again, model.reconstruct(x, c))
    need(same, "ConditionalBetaVAE.reconstruct must use the mean, no noise.")
    mean = model.decoder(model.encoder(x, c)[..., :32], c).reshape(3, 28, 28)
    sentence = "ConditionalBetaVAE.reconstruct must decode the mean with the class c."
    need(torch.allclose(again, mean, atol=1e-5), sentence)
    plain = ConditionalBetaVAE(32)
    need_count(plain, 441_808, "ConditionalBetaVAE(32), which is not conditional,")
    need_shape(plain(x)["rec"], (3, 1, 784), "ConditionalBetaVAE(32), without labels: rec")


@question("autoencoder.conditional_loop", "train_beta_vae", unseen="each label beside its image")
def check_conditional_loop(train_beta_vae) -> None:
    """A conditional model is given the labels, another one is not."""
    model = Pixels(conditional=True)
    _need_training(train_beta_vae, model, "train_beta_vae")
    fed = all(len(c) == 1 and len(c[0]) == 10 for c in model.seen)
    need(fed, "train_beta_vae must call model(x, labels) where model.conditional is true.")


@question("autoencoder.sample_digits", "sample_digits", unseen="other labels, the distribution")
def check_sample_digits(sample_digits) -> None:
    """A code from N(0, I) of its own for each label, and the labels in their order."""
    model, labels = Fixed(), torch.arange(1000) % 10
    images = sample_digits(model, labels)
    need_shape(images, (1000, 1, 28, 28), "sample_digits of 1000 labels")
    need(all(len(seen) == 2 for seen in model.seen), "sample_digits: the decoder gets no labels.")
    z, c = (torch.cat(parts) for parts in zip(*model.seen, strict=True))
    need_shape(z, (1000, 4), "sample_digits: the codes")
    need(torch.equal(c.flatten(), labels), "sample_digits must keep the labels in their order.")
    _need_normal(z, "sample_digits")


def _need_vae_layers(model: nn.Module, inputs: torch.Tensor, classes: int, name: str) -> None:
    """What VAE and CVAE share: four networks, their sizes, their ranges."""
    for part in ("encoder", "mu_layer", "logvar_layer", "decoder"):
        need(hasattr(model, part), f"{name} has no attribute `{part}`; define it in __init__.")
    latent = model.latent_size
    hidden = model.encoder(inputs)
    need_shape(hidden, (2, hidden.shape[-1]), f"{name}.encoder's output")
    need(bool((hidden >= 0).all()), f"{name}.encoder must end in a ReLU; its output is negative.")
    need_shape(model.mu_layer(hidden), (2, latent), f"{name}.mu_layer's output")
    need_shape(model.logvar_layer(hidden), (2, latent), f"{name}.logvar_layer's output")
    x_hat = model.decoder(8 * torch.randn(2, latent + classes))
    need_shape(x_hat, (2, 1, 28, 28), f"{name}.decoder's output")
    inside = bool((x_hat >= 0).all() and (x_hat <= 1).all())
    need(inside, f"{name}.decoder's output leaves [0, 1]; it must pass a sigmoid.")
    d, h = model.input_size, hidden.shape[1]
    layers = [(d + classes, h), (h, h), (h, h), (h, latent), (h, latent)]
    layers += [(latent + classes, h), (h, h), (h, h), (h, d)]
    need_count(model, sum(a * b + b for a, b in layers), f"{name} (with H = {h})")


def _watch(model: nn.Module) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """A dict that will hold the last input and output of each of the model's four networks."""
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    for name in ("encoder", "mu_layer", "logvar_layer", "decoder"):

        def keep(_, inputs, output, name=name):
            seen[name] = (inputs[0], output)

        getattr(model, name).register_forward_hook(keep)
    return seen


def _need_vae_forward(model: nn.Module, name: str, *c: torch.Tensor) -> None:
    """What the forward passes of VAE and CVAE share, with one-hot classes c: (3, 10) or without."""
    x = torch.rand(3, 1, 28, 28)
    seen = _watch(model)
    outputs = model(x, *c)
    triple = isinstance(outputs, tuple) and len(outputs) == 3
    need(triple, f"{name}.forward must return three things: x_hat, mu, logvar.")
    x_hat, mu, logvar = outputs
    need_shape(x_hat, (3, 1, 28, 28), f"{name}.forward's x_hat")
    need_shape(mu, (3, 15), f"{name}.forward's mu")
    need_shape(logvar, (3, 15), f"{name}.forward's logvar")
    for part in ("mu_layer", "logvar_layer", "decoder"):
        need(part in seen, f"{name}.forward never calls self.{part}.")
    swapped = torch.equal(mu, seen["logvar_layer"][1])
    need(not swapped, f"{name}.forward returns logvar where mu belongs.")
    need(torch.equal(mu, seen["mu_layer"][1]), f"{name}.forward: mu is not what mu_layer gives.")
    same = torch.equal(logvar, seen["logvar_layer"][1])
    need(same, f"{name}.forward: logvar is not what logvar_layer gives.")
    need(torch.equal(x_hat, seen["decoder"][1]), f"{name}.forward: x_hat is not the decoder's.")
    need(not torch.equal(x_hat, model(x, *c)[0]), f"{name}.forward draws no fresh noise for z.")
    for part, width, first in (("encoder", 784, "x"), ("decoder", 15, "z")) if c else ():
        read = seen[part][0]
        need_shape(read, (3, width + 10), f"{name}.forward: what self.{part} reads")
        ok = torch.equal(read[:, width:], c[0])
        need(ok, f"{name}.forward: self.{part} must read [{first}, c], in this order.")
    x_hat.sum().backward()
    learns = any(p.grad is not None and p.grad.any() for p in model.encoder.parameters())
    need(learns, f"{name}.forward: no gradient of x_hat reaches the encoder. Is z detached?")
    nn.init.zeros_(model.logvar_layer.weight)
    nn.init.constant_(model.logvar_layer.bias, -100.0)  # no spread: z = mu
    mu = model(x, *c)[1]
    ok = torch.allclose(seen["decoder"][0][:, :15], mu, atol=1e-5)
    need(ok, f"{name}.forward: with hardly any spread, the decoder must read z = mu.")


@question("fc-vae.networks", "VAE", unseen="every layer's size and order, other latent sizes")
def check_networks(VAE) -> None:
    """The four networks have the right shapes, ranges and numbers of parameters."""
    for latent in (15, 7):
        model = VAE(784, latent_size=latent)
        _need_vae_layers(model, torch.rand(2, 1, 28, 28), 0, "VAE")


@question("fc-vae.reparametrize", "reparametrize", unseen="other means and spreads, gradients")
def check_reparametrize(reparametrize) -> None:
    """z has mean mu and standard deviation exp(logvar / 2), and passes gradients on."""
    z = reparametrize(torch.zeros(1, 15), torch.ones(1, 15))
    need_shape(z, (1, 15), "reparametrize's z")
    mean_error = rel_error(z.mean(-1), torch.tensor([-0.4363]))
    std_error = rel_error(z.std(-1), torch.tensor([1.6860]))
    mu = torch.full((20_000, 5), 3.0, requires_grad=True)
    logvar = torch.full((20_000, 5), 1.3863, requires_grad=True)  # variance 4
    draws = reparametrize(mu, logvar)
    need_shape(draws, (20_000, 5), "reparametrize's z")
    mean, std = draws.mean().item(), draws.std().item()
    need(draws.std(0).min() > 0.01, "reparametrize: every row gets the same noise.")
    need(draws.std(1).min() > 0.001, "reparametrize: a row's entries all get the same noise.")
    need(abs(mean - 3) < 0.05, f"reparametrize: z has mean {mean:.3f} where mu is 3.")
    known = {4.0: "This is exp(logvar), the variance.", 1.386: "This is logvar itself."}
    known |= {1.0: "The spread is ignored.", 1.177: "This is the root of logvar."}
    hint = [why for value, why in known.items() if abs(std - value) < 0.05]
    sentence = f"reparametrize: z has standard deviation {std:.3f} where variance is 4, so 2. "
    need(abs(std - 2) < 0.05, sentence + "".join(hint))
    need(
        draws.requires_grad,
        "reparametrize: z has no gradient. Draw eps, then use mu + sigma * eps.",
    )
    draws.sum().backward()
    need(
        mu.grad is not None and logvar.grad is not None and bool(logvar.grad.any()),
        "reparametrize: gradients must reach both mu and logvar.",
    )
    print(f"Mean Error {mean_error}\nStd Error {std_error}")
    if max(mean_error, std_error) > 1e-4:
        print("(A single torch.randn draw gives errors below 1e-4; your noise is right as well.)")


@question("fc-vae.forward", "VAE", unseen="other batches and sizes, each entry of the outputs")
def check_forward(VAE) -> None:
    """forward encodes, draws a code and decodes."""
    _need_vae_forward(VAE(784), "VAE")


@question("fc-vae.loss", "loss_function", unseen="random images, codes and batches; gradients")
def check_loss(loss_function) -> None:
    """The loss is 8.5079 on two given images and a mean over the batch."""
    x_hat = torch.sigmoid(torch.tensor([[[[2.0, 5.0], [6.0, 7.0]]]]))
    x = torch.sigmoid(torch.tensor([[[[1.0, 10.0], [9.0, 3.0]]]]))
    mu, logvar = torch.ones(1, 15), torch.zeros(1, 15)
    out = loss_function(x_hat, x, mu, logvar)
    known = {
        8.0731: "The two images are swapped: binary_cross_entropy takes the prediction first.",
        7.7520: "The reconstruction term is a mean over pixels; it must be their sum.",
        7.5: "This is the KL term alone; the reconstruction term is missing.",
        1.0079: "This is the reconstruction term alone; the KL term is missing.",
        -6.4921: "The KL term has its sign flipped.",
        16.0079: "The factor 1/2 of the KL term is missing.",
        1.5079: "The KL term is a mean over the latent dimensions; it must be their sum.",
        0.7520: "Both terms are means over an image; both must be sums.",
        6.3950: "mu and logvar are swapped.",
        -8.5079: "The sign is flipped: this is the bound itself; the loss is its negative.",
    }
    need_value(out, 8.50792, "loss_function", known)
    three = loss_function(*(t.expand(3, *t.shape[1:]) for t in (x_hat, x, mu, logvar)))
    known = {25.52377: "It is summed over the batch; it must be the mean."}
    need_value(three, 8.50792, "loss_function of three equal images", known)
    half, zero, wide = torch.full((1, 1, 2, 2), 0.5), torch.zeros(1, 2), torch.full((1, 2), 1.3863)
    sentence = "loss_function with variance 4 (is logvar taken for sigma or its square?)"
    need_value(loss_function(half, half, zero, wide), 4.386294, sentence, {}, 1e-4)
    print(f"Loss error {rel_error(torch.tensor(8.5079), out)}")


@question("fc-vae.cvae", "CVAE", unseen="every layer's size, other classes, each entry")
def check_cvae(CVAE) -> None:
    """The conditional model reads [x, c] and [z, c]."""
    model = CVAE(784, num_classes=10, latent_size=15)
    _need_vae_layers(model, torch.rand(2, 794), 10, "CVAE")
    _need_vae_forward(model, "CVAE", one_hot(torch.tensor([3, 0, 7])))


def _need_tables(net: nn.Module, shapes: list[tuple[int, ...]], count: int, what: str) -> None:
    need_count(net, count, what)
    order = [tuple(p.shape) for p in net.parameters() if p.dim() > 1]
    need(order == shapes, f"{what} must define its layers in the order of the table: {shapes}.")


@question("conv-gan.DNet", "DNet", unseen="each logit against the table's network")
def check_DNet(DNet) -> None:
    """The layers of table 1 in order; a black image has logit 0."""
    net = DNet()
    _need_tables(net, [(2, 1, 3, 3), (4, 2, 3, 3), (8, 4, 3, 3), (1, 200)], 593, "DNet")
    need_shape(net(torch.rand(5, 1, 28, 28)), (5, 1), "DNet's output")
    known = {0.5: "It ends in a sigmoid; logits are wanted, so leave it out."}
    black = net(torch.zeros(1, 1, 28, 28))
    need_value(black, 0.0, "DNet on a black image (are all biases 0?)", known, 1e-7)


@question("conv-gan.GNet", "GNet", unseen="each pixel against the table's network, other zdim")
def check_GNet(GNet) -> None:
    """The layers of table 2 in order; the code 0 gives grey, 0.5 everywhere."""
    net = GNet(64)
    shapes = [(1568, 64), (16, 32, 3, 3), (8, 16, 3, 3), (1, 8, 3, 3)]
    _need_tables(net, shapes, 107_777, "GNet")
    need_shape(net(torch.randn(5, 64)), (5, 1, 28, 28), "GNet's output")
    grey = net(torch.zeros(1, 64))
    known = {0.0: "Does it end in tanh? The table ends in a sigmoid."}
    need_value(grey.mean(), 0.5, "GNet's mean pixel for the code 0 (biases 0?)", known, 1e-6)
    need(bool((grey - 0.5).abs().max() < 1e-6), "GNet: the code 0 must give 0.5 in every pixel.")


@question("conv-gan.weight_init", "DNet", "GNet", unseen="the distribution of every layer")
def check_weight_init(DNet, GNet) -> None:
    """Weights are Kaiming-uniform: at most sqrt(6 / fan_in) in size; biases are zero."""
    for net in (DNet(), GNet(64)):
        for name, layer in net.named_modules():
            if not isinstance(layer, (nn.Linear, nn.Conv2d)):
                continue
            what, weight = f"{type(net).__name__}.{name}", layer.weight.detach()
            need(layer.bias is not None and not layer.bias.any(), f"{what}: the bias must be 0.")
            fan_in = weight[0].numel()
            bound, spread = (6 / fan_in) ** 0.5, weight.std().item() * (fan_in / 2) ** 0.5
            hint = "That is torch's default: is _weight_init reached for this layer?"
            sentence = f"{what}: the spread is {spread:.2f} of what kaiming_uniform_ gives. "
            ok = weight.numel() < 200 or 0.8 < spread < 1.2
            need(ok, sentence + (hint if 0.35 < spread < 0.47 else ""))
            high = weight.abs().max().item()
            need(
                high <= bound, f"{what}: |weight| {high:.3f} exceeds {bound:.3f}. Was it _normal_?"
            )


@question("conv-gan.loss_d", "GAN", unseen="random logits, sizes of batches, every gradient")
def check_loss_d(GAN) -> None:
    """One mean over the 2N logits: 0.6931 at zero logits; the generator is left alone."""
    gan = GAN()
    data = torch.rand(4, 1, 28, 28, device=gan._dev)
    z = torch.randn(4, gan._zdim, device=gan._dev)
    gan._get_loss_d(4, data, z).backward()
    touched = any(p.grad is not None and p.grad.any() for p in gan.gen.parameters())
    need(not touched, "_get_loss_d sends gradients into the generator: detach the fakes.")
    taught = any(p.grad is not None and p.grad.any() for p in gan.disc.parameters())
    need(taught, "_get_loss_d sends no gradient into the discriminator.")
    gan.disc = Constant(0.0)
    known = {1.3863: "This is the sum of the two halves; this part asks for their mean."}
    need_value(gan._get_loss_d(4, data, z), 0.693147, "_get_loss_d at zero logits", known)
    gan.disc, gan.gen = Brightness(), lambda z: torch.zeros(len(z), 1, 28, 28, device=z.device)
    known = {10.00005: "Real images have target 1, fakes 0: yours are exchanged."}
    loss = gan._get_loss_d(4, torch.ones_like(data), z)
    need_value(loss, 4.54e-5, "_get_loss_d of a discriminator that is right", known, 1e-6)


@question("conv-gan.loss_g", "GAN", unseen="random logits, sizes of batches, every gradient")
def check_loss_g(GAN) -> None:
    """The non-saturating loss: 0.6931 at zero logits, small when the discriminator is fooled."""
    gan = GAN()
    z = torch.randn(4, gan._zdim, device=gan._dev)
    gan._get_loss_g(4, z).backward()
    taught = any(p.grad is not None and p.grad.any() for p in gan.gen.parameters())
    need(taught, "_get_loss_g sends no gradient into the generator: here nothing is detached.")
    saturating = "This is the saturating form, log(1 - sigma(D)); use -log sigma(D)."
    for logit, right, known in (
        (0.0, 0.693147, {-0.6931: saturating}),
        (10.0, 4.54e-5, {10.00005: "The targets of the fakes must be 1 here.", -10.0: saturating}),
        (-10.0, 10.0000454, {4.54e-5: "The targets of the fakes must be 1 here."}),
    ):
        gan.disc = Constant(logit)
        need_value(gan._get_loss_g(4, z), right, f"_get_loss_g at logits {logit:g}", known)


@question("fc-gan.sample_noise", "sample_noise", unseen="the whole distribution, dtype, device")
def check_sample_noise(sample_noise) -> None:
    """Uniform in (-1, 1), of the shape and dtype asked for."""
    z = sample_noise(3, 4)
    need_shape(z, (3, 4), "sample_noise(3, 4)")
    z = sample_noise(1000, 100, dtype=torch.float64)
    need(z.dtype == torch.float64, "sample_noise ignores its argument dtype.")
    need(bool(z.abs().max() <= 1), "sample_noise leaves (-1, 1). Is it normal noise?")
    need(bool((z < 0).any()), "sample_noise is never negative: stretch (0, 1) to (-1, 1).")
    mean, std = z.mean().item(), z.std().item()
    ok = abs(mean) < 0.02 and abs(std - 0.577) < 0.01
    need(ok, f"sample_noise is not uniform: mean {mean:.3f}, std {std:.3f}, not 0 and 0.577.")
    fresh = not torch.equal(sample_noise(3, 4), sample_noise(3, 4))
    need(fresh, "sample_noise repeats itself.")


def _need_logits(net: nn.Module, what: str) -> None:
    need_shape(net(torch.randn(5, 784)), (5, 1), f"{what}'s output for (5, 784)")
    logits = net(100 * torch.randn(200, 784))
    ok = bool((logits < 0).any() or (logits > 1).any())
    need(ok, f"{what}'s output stays in [0, 1]: leave out the sigmoid, logits are wanted.")
    slopes = [m.negative_slope for m in net.modules() if isinstance(m, nn.LeakyReLU)]
    need(all(s == 0.01 for s in slopes), f"{what}: LeakyReLU has slope 0.01 here, not {slopes}.")


def _need_images(net: nn.Module, what: str) -> None:
    images = net(20 * torch.randn(16, 4))
    need_shape(images, (16, 784), f"{what}'s output for (16, 4)")
    need(bool(images.abs().max() <= 1), f"{what}'s pixels leave [-1, 1]: it must end in tanh.")
    need(bool((images < 0).any()), f"{what}'s pixels are never negative: end in tanh.")


@question("fc-gan.discriminator", "discriminator", unseen="layers and activations in order")
def check_discriminator(discriminator) -> None:
    """267,009 parameters, logits out."""
    need_count(discriminator(), 267_009, "discriminator()")
    _need_logits(discriminator(), "discriminator()")


@question("fc-gan.generator", "generator", unseen="layers and activations in order, noise_dim")
def check_generator(generator) -> None:
    """1,858,320 parameters for four noise dimensions, pixels in [-1, 1]."""
    need_count(generator(4), 1_858_320, "generator(4)")
    _need_images(generator(4), "generator(4)")


@question("fc-gan.discriminator_loss", "discriminator_loss", unseen="random logits, gradients")
def check_discriminator_loss(discriminator_loss) -> None:
    """The sum of two means: 1.8424 on ten given logits each."""
    known = {
        0.921199: "This is the mean of the two halves; this part asks for their sum.",
        18.423984: "These are sums over the batch; means are wanted.",
        1.3217: "Real and fake are exchanged: real logits have target 1.",
        1.0893: "The term of the fakes is missing.",
        0.7531: "The term of the real images is missing.",
        1.5029: "A sigmoid is applied twice: the loss takes logits.",
        -1.8424: "The sign is flipped.",
    }
    loss = discriminator_loss(LOGITS_REAL, LOGITS_FAKE)
    need_value(loss, 1.8423983904, "discriminator_loss", known, 1e-6)


@question("fc-gan.generator_loss", "generator_loss", unseen="random logits, gradients")
def check_generator_loss(generator_loss) -> None:
    """The non-saturating loss: 0.7713 on ten given logits."""
    known = {
        -0.7531: "This is the saturating form, log(1 - sigma(D)); use -log sigma(D).",
        0.7531: "The targets of the fakes must be 1 here: G wants them taken for real.",
        7.712862: "This is a sum over the batch; the mean is wanted.",
        0.4770: "A sigmoid is applied twice: the loss takes logits.",
        -0.7713: "The sign is flipped.",
    }
    need_value(generator_loss(LOGITS_FAKE), 0.7712861962, "generator_loss", known, 1e-6)


@question("fc-gan.get_optimizer", "get_optimizer", unseen="every setting, every parameter")
def check_get_optimizer(get_optimizer) -> None:
    """Adam with rate 1e-3 and betas (0.5, 0.999) over all parameters."""
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    solver = get_optimizer(model)
    kind = type(solver).__name__
    need(type(solver) is torch.optim.Adam, f"get_optimizer must return Adam, not {kind}.")
    held = sum(p.numel() for group in solver.param_groups for p in group["params"])
    need(held == count_params(model), "get_optimizer must be given model.parameters(), all.")
    for group in solver.param_groups:
        lr, betas = group["lr"], tuple(group["betas"])
        need(abs(lr - 1e-3) < 1e-9, f"get_optimizer: the learning rate is {lr}, not 1e-3.")
        need(betas == (0.5, 0.999), f"get_optimizer: betas are {betas}, not (0.5, 0.999).")


@question("fc-gan.build_dc_classifier", "build_dc_classifier", unseen="layers in order")
def check_build_dc_classifier(build_dc_classifier) -> None:
    """1,102,721 parameters, flat images in, logits out."""
    need_count(build_dc_classifier(), 1_102_721, "build_dc_classifier()")
    _need_logits(build_dc_classifier(), "build_dc_classifier()")


@question("fc-gan.build_dc_generator", "build_dc_generator", unseen="layers in order, noise_dim")
def check_build_dc_generator(build_dc_generator) -> None:
    """6,580,801 parameters for four noise dimensions, flat pixels in [-1, 1]."""
    need_count(build_dc_generator(4), 6_580_801, "build_dc_generator(4)")
    _need_images(build_dc_generator(4), "build_dc_generator(4)")


@question(
    "fc-gan.least_squares",
    "ls_discriminator_loss",
    "ls_generator_loss",
    unseen="random scores, gradients",
)
def check_least_squares(ls_discriminator_loss, ls_generator_loss) -> None:
    """1.8770 and 0.8170 on ten given scores each."""
    known = {
        3.754059: "The factors 1/2 are missing.",
        0.938515: "There is one factor 1/2 too many.",
        1.3564: "Real and fake are exchanged: real scores have target 1.",
    }
    loss = ls_discriminator_loss(LOGITS_REAL, LOGITS_FAKE)
    need_value(loss, 1.8770293614, "ls_discriminator_loss", known, 1e-6)
    known = {1.633910: "The factor 1/2 is missing.", 0.2988: "The target of the fakes is 1."}
    need_value(ls_generator_loss(LOGITS_FAKE), 0.816954787, "ls_generator_loss", known, 1e-6)


@question("gan-theory.3e", "answer_3e", unseen="the four numbers")
def check_3e(answer_3e) -> None:
    """Four numbers that can be distances at all."""
    numbers = answer_3e()
    need(
        isinstance(numbers, (tuple, list)) and len(numbers) == 4,
        "answer_3e must return four numbers: KL(P1, P2), KL(P1, P3), W1(P1, P2), W1(P1, P3).",
    )
    for name, number in zip(("KL_12", "KL_13", "W_12", "W_13"), map(float, numbers), strict=True):
        need(number >= 0, f"answer_3e: {name} is {number}, but no distance is negative or NaN.")
    need(
        numbers[2] < numbers[3] < float("inf"),
        "answer_3e: all mass must travel further from P1 to P3 than from P1 to P2, but not "
        "infinitely far.",
    )


@question("cifar-dcgan.init", "DCGAN", unseen="spectral=True reaches the discriminator")
def check_dcgan_init(DCGAN) -> None:
    """Both networks, and an Adam with rate 2e-4 and betas (0.5, 0.999) for each."""
    dcgan = DCGAN()
    for name, count, solver in (
        ("_generator", 299_043, "optimizerG"),
        ("_discriminator", 168_033, "optimizerD"),
    ):
        for wanted in (name, solver):
            need(hasattr(dcgan, wanted), f"DCGAN has no attribute `{wanted}`; set it in __init__.")
        need_count(getattr(dcgan, name), count, f"DCGAN.{name}")
        adam = getattr(dcgan, solver)
        need(isinstance(adam, torch.optim.Adam), f"{solver} must be Adam, not {type(adam)}.")
        held = {id(p) for group in adam.param_groups for p in group["params"]}
        ok = held == {id(p) for p in getattr(dcgan, name).parameters()}
        need(ok, f"{solver} must be given the parameters of {name}, all of them and no others.")
        for group in adam.param_groups:
            lr, betas = group["lr"], tuple(group["betas"])
            need(abs(lr - 2e-4) < 1e-9, f"{solver}: its rate is {lr}, not learning_rate = 2e-4.")
            need(betas == (0.5, 0.999), f"{solver}: betas are {betas}, not (0.5, 0.999).")


def _need_dcgan_weights(dcgan: nn.Module, what: str) -> None:
    for name, part in dcgan.named_modules():
        if isinstance(part, CONVOLUTIONS):
            (weight,) = (p for p in part.parameters() if p.dim() == 4)
            mean, std = weight.mean().item(), weight.std().item()
            ok = abs(mean) < 0.003 and abs(std / 0.02 - 1) < 0.1
            need(
                ok, f"{what}: {name} has weights of mean {mean:.3f}, spread {std:.3f}, not 0, 0.02."
            )
        elif isinstance(part, nn.BatchNorm2d):
            mean, std = part.weight.mean().item(), part.weight.std().item()
            ok = abs(mean - 1) < 0.03 and 0.01 < std < 0.03
            need(
                ok, f"{what}: {name} has weights of mean {mean:.3f}, spread {std:.3f}, not 1, 0.02."
            )
            need(not part.bias.any(), f"{what}: {name} must have biases 0.")
        elif isinstance(part, nn.Linear):
            std = part.weight.std().item() * (3 * part.in_features) ** 0.5
            need(0.9 < std < 1.1, f"{what}: {name} is linear; leave its weights as they are.")


@question("cifar-dcgan.weight_init", "DCGAN", unseen="the distribution of every layer")
def check_dcgan_weight_init(DCGAN) -> None:
    """Convolutions N(0, 0.02^2), batch norms N(1, 0.02^2), with spectral norm and without."""
    _need_dcgan_weights(DCGAN(), "weight_init")
    try:
        wrapped = DCGAN(spectral=True)
    except NotImplementedError as error:
        if not unwritten(error):
            raise
        print("(With spectral norm it is checked as soon as that is written.)")
    else:
        _need_dcgan_weights(wrapped, "weight_init under spectral norm")


@question("cifar-dcgan.classification_loss", "DCGAN", unseen="random logits and labels, gradients")
def check_classification_loss(DCGAN) -> None:
    """0.7713 on ten given logits labelled 1, 0.6931 at zero logits."""
    loss, logits = DCGAN()._classification_loss, LOGITS_FAKE.view(10, 1)
    known = {
        7.712862: "This is a sum over the batch; the mean is wanted.",
        0.7531: "The labels are exchanged or not used: 1 is real, 0 is fake.",
        0.4770: "A sigmoid is applied twice: the loss takes logits.",
        -0.7713: "The sign is flipped.",
    }
    real, fake = torch.ones(10, 1), torch.zeros(10, 1)
    need_value(loss(logits, real), 0.7712861962, "_classification_loss, label 1", known, 1e-6)
    known = {0.7713: "The labels are exchanged or not used: 1 is real, 0 is fake."}
    need_value(loss(logits, fake), 0.7531329262, "_classification_loss, label 0", known, 1e-6)


def _fit_a_little(DCGAN, rate_d: float, rate_g: float, blind: bool = False):
    """A DCGAN before and after two steps on batches of eight, and what passed through it."""
    dcgan = DCGAN()
    dcgan.num_epoch, dcgan.batch_size = 1, 8
    for solver, rate in ((dcgan.optimizerD, rate_d), (dcgan.optimizerG, rate_g)):
        for group in solver.param_groups:
            group["lr"] = rate
    if blind:
        nn.init.zeros_(dcgan._discriminator.fc.weight)
        nn.init.zeros_(dcgan._discriminator.fc.bias)
    before = {name: p.detach().clone() for name, p in dcgan.named_parameters()}
    codes, sizes = [], []
    dcgan._generator.register_forward_pre_hook(
        lambda net, inputs: codes.append(inputs[0].detach()) if net.training else None
    )
    dcgan._discriminator.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    losses = dcgan.fit(torch.rand(20, 3, 32, 32))
    moved = {n.split(".")[0] for n, p in dcgan.named_parameters() if not torch.equal(p, before[n])}
    return losses, moved, codes, sizes


@question("cifar-dcgan.fit", "DCGAN", unseen="every gradient, fresh codes, batch statistics")
def check_fit(DCGAN) -> None:
    """Two steps: both networks move, each by its own optimizer, on separate batches."""
    losses, _, codes, sizes = _fit_a_little(DCGAN, 0.0, 0.0, blind=True)
    need(len(losses[0]) == 2, "fit: twenty images make two steps of eight.")
    known = {
        0.693147: "This is the mean of the two halves; their sum is wanted.",
        0.0: "Is dis_loss filled at all?",
    }
    d_loss, g_loss = (torch.tensor(values[0]) for values in losses)
    need_value(d_loss, 1.386294, "fit's dis_loss at zero logits", known)
    known = {-0.6931: "This is the saturating form, log(1 - sigma(D)); label the fakes 1."}
    need_value(g_loss, 0.693147, "fit's gen_loss at zero logits", known)
    need(max(sizes) == 8, "fit: real images and fakes must go through D in two batches, not one.")
    need(len(codes) >= 4, "fit: D's step and G's step each need fakes of fresh codes.")
    fresh = not any(torch.equal(a, b) for i, a in enumerate(codes) for b in codes[:i])
    need(fresh, "fit: the same codes are used twice; draw them afresh for each step.")
    need_shape(codes[0], (8, 64), "fit: a batch of codes")
    std = torch.cat(codes).std().item()
    need(0.9 < std < 1.1, f"fit: codes have spread {std:.2f}, but N(0, I) has 1. Is it uniform?")
    for name, other, rates in (
        ("_discriminator", "_generator", (1e-3, 0.0)),
        ("_generator", "_discriminator", (0.0, 1e-3)),
    ):
        moved = _fit_a_little(DCGAN, *rates)[1]
        need(name in moved, f"fit: {name} does not move. Are backward and step called for it?")
        need(other not in moved, f"fit: the optimizer of {name} moves {other} too.")


@question("cifar-dcgan.spectral_norm", "CIFARDiscriminator", unseen="each weight, gradients")
def check_spectral_norm(CIFARDiscriminator) -> None:
    """The largest singular value of every convolution is 1, and only with spectral=True."""
    for spectral in (True, False):
        net = CIFARDiscriminator(spectral=spectral)
        need_count(net, 168_033, f"CIFARDiscriminator(spectral={spectral})")
        convolutions = [layer for layer in net.downsample if isinstance(layer, nn.Conv2d)]
        need(len(convolutions) == 3, "CIFARDiscriminator.downsample must keep its convolutions.")
        with torch.no_grad():
            for layer in convolutions:
                next(p for p in layer.parameters() if p.dim() == 4).mul_(3)
        for _ in range(30 if spectral else 1):  # the norm is found little by little
            logits = net(torch.rand(2, 3, 32, 32))
        need_shape(logits, (2, 1), "CIFARDiscriminator's output")
        for i, layer in enumerate(convolutions, 1):
            norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
            one = abs(norm - 1) < 0.05
            if spectral:
                need(one, f"convolution {i} has spectral norm {norm:.2f} instead of 1: wrap it.")
            need(spectral or not one, f"convolution {i} is wrapped with spectral=False too.")


@question("cifar-dcgan.reconstruction_loss", "DCGAN", unseen="random images, gradients")
def check_reconstruction_loss(DCGAN) -> None:
    """0.25 when every value is off by one half."""
    grey, black = torch.full((2, 3, 32, 32), 0.5), torch.zeros(2, 3, 32, 32)
    known = {
        1536.0: "This is a sum over everything; the mean is wanted.",
        768.0: "This is a sum over each image; the mean over all values is wanted.",
        0.5: "This is the distance, or its root; its square is wanted.",
        -0.25: "The sign is flipped.",
    }
    need_value(DCGAN()._reconstruction_loss(black, grey), 0.25, "_reconstruction_loss", known)


@question("cifar-dcgan.reconstruct", "DCGAN", unseen="each code's path, weights, other images")
def check_reconstruct(DCGAN) -> None:
    """The codes move towards the images, from zero; the weights stay."""
    dcgan = DCGAN()
    dcgan.vis_steps = 100
    for layer in dcgan.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.1)  # images that differ
    x = dcgan.generate(0.7 * torch.randn(4, dcgan.code_size))
    start = (dcgan.generate(torch.zeros(4, dcgan.code_size)) - x).square().mean().item()
    before = {name: p.detach().clone() for name, p in dcgan.named_parameters()}
    loss, images = dcgan.reconstruct(x)
    need_shape(images, (4, 3, 32, 32), "reconstruct's images")
    still = all(torch.equal(p, before[name]) for name, p in dcgan.named_parameters())
    need(still, "reconstruct moves the weights; give its optimizer [recon_code] alone.")
    value = float(loss)
    ok = value < 0.99 * start
    need(ok, "reconstruct: the codes do not move. Does the gradient reach recon_code, and step?")
    ok = value < 0.4 * start
    share = f"{value / start:.0%} of the loss at the start is left"
    need(ok, f"reconstruct: after 100 steps {share}. Are old gradients cleared, is the rate 0.01?")
    ok = (images - x).square().mean().item() < 2 * value + 1e-3
    need(ok, "reconstruct: recon_loss is not the loss of recon_samples.")
    need(torch.equal(dcgan.reconstruct(x)[1], images), "reconstruct must start at zero each time.")


def _listed(optimizers) -> list:
    optimizers = optimizers.values() if isinstance(optimizers, dict) else optimizers
    return list(optimizers) if not hasattr(optimizers, "step") else [optimizers]


@question("ae-gan.optimizers", "AutoEncoderGAN", "ae_gan_optimizers", unseen="their rates")
def check_optimizers(AutoEncoderGAN, ae_gan_optimizers) -> None:
    """One to three optimizers that hold every parameter of the three networks."""
    model = AutoEncoderGAN(1, 3, 5, 16)
    optimizers = _listed(ae_gan_optimizers(model, 0.01))
    need(1 <= len(optimizers) <= 3, f"{len(optimizers)} optimizers; one to three are wanted.")
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    held = {id(p) for group in groups for p in group["params"]}
    for name, network in model.named_children():
        ok = all(id(p) in held for p in network.parameters())
        need(ok, f"ae_gan_optimizers: no optimizer holds all parameters of model.{name}.")
    need(any(group["lr"] == 0.01 for group in groups), "ae_gan_optimizers ignores lr.")


def _train_ae_gan_a_little(AutoEncoderGAN, ae_gan_optimizers, train_ae_gan, rate: float):
    """Losses of black images under a blind D and a grey G, and which networks moved."""
    model = AutoEncoderGAN(1, 3, 5, 16)
    if rate == 0:
        for network in (model.generator, model.discriminator):
            last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    loader = list((0 * torch.rand(12, 1, 4, 4) if rate == 0 else torch.rand(12, 16)).split(4))
    losses = train_ae_gan(model, loader, ae_gan_optimizers(model, rate), 1)
    moved = {n.split(".")[0] for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    ok = len(losses) == 3 and all(len(values) == 1 for values in losses)
    need(ok, "train_ae_gan must return three lists with one loss an epoch.")
    return [torch.tensor(float(values[0])) for values in losses], moved


AE_GAN = ("AutoEncoderGAN", "ae_gan_optimizers", "train_ae_gan")


@question("ae-gan.loss_discriminator", *AE_GAN, unseen="random networks, every gradient")
def check_loss_discriminator(*names) -> None:
    """1.3863 when every probability is one half; the discriminator moves."""
    known = {0.693147: "Is one half missing, or is it their mean? The sum is wanted."}
    loss = _train_ae_gan_a_little(*names, 0.0)[0][0]
    need_value(loss, 1.386294, "train_ae_gan: loss_d of a blind D", known)
    moved = _train_ae_gan_a_little(*names, 0.01)[1]
    need("discriminator" in moved, "train_ae_gan: the discriminator does not move.")


@question("ae-gan.loss_generator", *AE_GAN, unseen="random networks, every gradient")
def check_loss_generator(*names) -> None:
    """A share of 0.6931 for a blind D, and 0.25 for grey images of black ones."""
    loss = _train_ae_gan_a_little(*names, 0.0)[0][1].item()
    weight = (loss - 0.25) / 0.693147
    need(weight > -0.3, "train_ae_gan: loss_g counts the wrong way: label the fakes as real.")
    need(weight > 1e-3, f"train_ae_gan: loss_g is {loss:.4f}; is one of its two terms missing?")
    moved = _train_ae_gan_a_little(*names, 0.01)[1]
    need("generator" in moved, "train_ae_gan: the generator does not move.")


@question("ae-gan.loss_autoencoder", *AE_GAN, unseen="random networks, every gradient")
def check_loss_autoencoder(*names) -> None:
    """0.25 for grey images of black ones; the encoder moves."""
    known = {4.0: "This is a sum over each image; MSELoss takes the mean."}
    loss = _train_ae_gan_a_little(*names, 0.0)[0][2]
    need_value(loss, 0.25, "train_ae_gan: loss_ae of grey images of black ones", known)
    moved = _train_ae_gan_a_little(*names, 0.01)[1]
    need("encoder" in moved, "train_ae_gan: the encoder does not move.")


def findings(module: str, questions: Sequence[str]) -> Iterator[str | None]:
    """What is wrong with importing `module`, then with each question: a sentence, or None.

    All of it runs in this very process. A session asks `hw5_process.findings` for the same.
    """
    try:
        written = _import_afresh(module)
    except BaseException as error:
        yield explain(error)
        return
    yield None
    for id in questions:
        yield _try(QUESTIONS[id], written)


def _import_afresh(name: str):
    """The student's module as its file is now: cached bytecode may be a second old."""
    importlib.invalidate_caches()
    sys.modules.pop(name, None)
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin:
        raise ModuleNotFoundError(f"there is no file {name}.py here")
    code = compile(Path(spec.origin).read_bytes(), spec.origin, "exec", dont_inherit=True)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _try(entry: Question, module) -> str | None:
    """None when the check passes, else its sentence."""
    missing = [name for name in entry.names if not hasattr(module, name)]
    if missing:
        return f"{Path(module.__file__).name} has no {' and no '.join(missing)}."
    try:
        entry.run(*(getattr(module, name) for name in entry.names))
    except BaseException as error:
        return explain(error)
    return None


def check(part: str) -> bool:
    """Check a part, or one question, "part.question"; print a table; True if all pass.

    It works on the file as it is on disk, in a process of its own: this session, and what it has
    imported, stay as they are.
    """
    chosen = [q for q in QUESTIONS.values() if part in (q.id, q.id.partition(".")[0])]
    if not chosen:
        print(_no_such(part))
        return False
    try:
        return _table(part, chosen)
    except hw5_process.Ended as end:
        print(end)
    except KeyboardInterrupt:
        print("\nStopped by you. Nothing has changed; check again whenever you like.")
    return False


def _no_such(part) -> str:
    """What to say of a name that names nothing to check."""
    known, _, question = str(part).partition(".")
    if question in BY_HAND.get(known, ()):
        return f"{part} is marked by hand: there is nothing to check."
    if known in MODULES:
        ids = ", ".join(q for q in QUESTIONS if q.startswith(f"{known}."))
        return f"There is no question {part!r}. There are {ids}."
    return f"There is no part {part!r}. There are {', '.join(MODULES)}."


def _table(part: str, chosen: Sequence[Question]) -> bool:
    """Print what is found, question by question; True if all pass."""
    name = MODULES[part.partition(".")[0]]
    found = hw5_process.findings(name, [q.id for q in chosen])
    if wrong := next(found):
        print(f"{name}.py cannot be imported. {wrong}")
        return False
    print(f"{part}: {name}.py\n")
    width = max(len(q.id.partition(".")[2]) for q in chosen)
    passed, wanted = 0, 0
    for sentence, entry in zip(found, chosen, strict=True):
        bonus = entry.id in BONUS and part != entry.id
        passed, wanted = passed + (not sentence and not bonus), wanted + (not bonus)
        verdict = ("bonus: " if bonus else "") + (f"NOT YET  {sentence}" if sentence else "passed")
        _row(entry.id.partition(".")[2], verdict, width)
        _row("", f"marked unseen: {entry.unseen}", width)
    for label in BY_HAND.get(part, ()):
        _row(label, "marked by hand", width)
    print(
        f"\n{passed} of {wanted} pass. These are the simplest cases. All marks for code come from "
        "checks that are\nnot shown, on fresh random inputs: a pass here is needed, not enough."
    )
    return passed == wanted


def _row(label: str, text: str, width: int) -> None:
    """One line of the table, folded under itself."""
    indent = " " * (width + 4)
    print(textwrap.fill(f"  {label:<{width}}  {text}", 100, subsequent_indent=indent))
