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
something is off. check(part) reads your file afresh from disk, runs all checks of the part and
prints a table. Everything compared with here is public. Marks come from other checks, which
are not shown: the table says what they look at.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import math
import sys
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from hw5_utils import batches, count_params, one_hot, rel_error

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
    if isinstance(error, (NotYet, NotImplementedError)):
        return str(error) or "This is not written yet."
    what = textwrap.shorten(f"{type(error).__name__}: {error}", 300)
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or 'the file').name}, line {error.lineno}: {what}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).name in ("hw5_vae.py", "hw5_gan.py")]
    if not own:
        return f"Your code was called as the docstring says and stopped with {what}"
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno} (`{own[-1].line}`): {what}"


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


def _numbers(*shape: int) -> torch.Tensor:
    """Numbers in (-1, 1) as if drawn by chance, the same everywhere: cubes modulo a prime."""
    place = (torch.arange(math.prod(shape)) + 3000) % 10007
    return (place**3 % 10007 / 5003 - 1).reshape(shape)


def _patterns(count: int) -> torch.Tensor:
    """Images, coarse and fine at once and of either sign: no unit is always silent."""
    coarse = _numbers(count, 1, 4, 4).repeat_interleave(7, 2).repeat_interleave(7, 3)
    return 2 * coarse + _numbers(count, 1, 28, 28)


@dataclass(frozen=True)
class Table:
    """What a table of layers promises, in public numbers.

    `sizes` of the weights, layer by layer; `slope`, by which activations multiply numbers below 0;
    `end`, what the last layer ends in; `shape` of what comes out for the input `x`. `right`: what
    that is, an output as one number, when all weights are `_numbers`; there is a row for each
    reading of the text. `look` finds other mistakes by name.
    """

    what: str
    count: int
    sizes: tuple[int, ...]
    slope: float
    end: str
    x: torch.Tensor
    shape: tuple[int, ...]
    right: tuple[tuple[float, ...], ...]
    look: Callable[[Table, nn.Module], None] = lambda table, net: None


def _fill(net: nn.Module) -> None:
    """Make all weights numbers that their size alone decides: names and order are free."""
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(_numbers(*p.shape) * ((3 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1))


def _as_numbers(out: torch.Tensor) -> torch.Tensor:
    """Each output as one number, to which all that it holds contributes."""
    flat = out.detach().flatten(1)
    return (flat @ _numbers(flat.shape[1], 1)).flatten() / flat.shape[1] ** 0.5


def _need_table(net, table: Table, in_order: bool = False) -> None:
    """Stop unless the network computes what its table says, in whatever way it is written.

    Its weights become public numbers, and so does what comes out. Where that is wrong, simpler
    weights show which mistake it is.
    """
    what, x = table.what, table.x.clone().requires_grad_()
    need(isinstance(net, nn.Module), f"{what} must be a network, not {type(net).__name__}.")
    if any(map(is_lazy, net.parameters())):
        net(x)  # lazy layers learn their sizes
    need_count(net, table.count, what)
    sizes = [p.numel() for p in net.parameters() if p.dim() > 1]
    order = list if in_order else sorted
    ok = order(sizes) == order(table.sizes)
    need(ok, f"{what} must define the table's layers in its order; yours have {sizes} weights.")
    need_shape(net(x), table.shape, f"{what}'s output")
    _fill(net)
    before = net(x)
    net(x.detach().flip(0))  # what came before must not matter
    out = net(x)
    same = torch.allclose(out, before, rtol=1e-4, atol=1e-5)
    need(same, f"{what} gives other numbers each time: is there a dropout, or a memory?")
    seen = _as_numbers(out)
    far = [(seen - torch.tensor(one)).abs().max() for one in table.right]
    if not min(far) < 3e-4 * seen.abs().max():
        _name_mistake(table, net)
    stop = f"{what} lets no gradient through: use no .detach(), .data or .item() in it."
    need(out.requires_grad, stop)
    out.square().sum().backward()
    need(x.grad is not None and bool(x.grad.any()), stop)
    need(all(p.grad is not None for p in net.parameters()), stop)


def _hand_on(table: Table, net: nn.Module, *turned: int) -> None:
    """Every layer now hands on the mean of its inputs; the layers in `turned` its negative."""
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
            if p.numel() in table.sizes and p.dim() > 1:
                sign = -1 if table.sizes.index(p.numel()) in turned else 1
                side = p.shape[-1] if p.dim() == 4 else 1
                inputs = p.shape[0 if side == 4 else 1]  # a transposed convolution has them first
                middle = slice((side - 1) // 2, side // 2 + 1)
                (p[..., middle, middle] if p.dim() == 4 else p).fill_(sign / inputs)
    for layer in net.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.reset_parameters()


ENDS = {"": "no activation", "sigmoid": "a sigmoid", "tanh": "a tanh"}
SLOPES = {
    0.0: "a ReLU",
    0.01: "a LeakyReLU of slope 0.01",
    0.2: "a LeakyReLU of slope 0.2",
    1.0: "no activation",
}


def _name_mistake(table: Table, net: nn.Module) -> None:
    """Stop with the name of the mistake, where simple weights can show it.

    When all layers hand on means, 1 stays 1 up to the end. With two layers in a row turned, what
    lies between them is below 0, and nothing else: what comes out shows what became of it there.
    """
    what, last, one = table.what, len(table.sizes) - 1, torch.ones(())
    at_one = {"": one, "sigmoid": one.sigmoid(), "tanh": one.tanh()}
    undo = {"": torch.clone, "sigmoid": torch.logit, "tanh": torch.atanh}[table.end]
    net.eval()  # batch norm hands on what it gets

    def result(*turned: int) -> torch.Tensor:
        _hand_on(table, net, *turned)
        return net(torch.ones_like(table.x)).detach().flatten()[0]

    got, right = result(), at_one[table.end]
    hints = [
        f"It ends in {ENDS[end]}; it must end in {ENDS[table.end]}."
        for end, value in at_one.items()
        if abs(got - value) < 1e-3
    ]
    hint = hints[0] if hints else "Which activation or pooling changes numbers above 0?"
    sentence = f"{what}: where each layer hands on the mean of its inputs, 1 becomes {got:.4f}"
    need(abs(got - right) < 1e-3, f"{sentence}, not {right:.4f}. {hint}")
    for layer, name in zip(range(last), ("first", "second", "third"), strict=False):
        slope = undo(result(layer, layer + 1)).item()
        kinds = [kind for known, kind in SLOPES.items() if abs(slope - known) < 1e-3]
        kind = kinds[0] if kinds else f"what multiplies numbers below 0 by {slope:.3g}"
        ok = kind == SLOPES[table.slope]
        where = f"{what}: behind the {name} layer with weights stands {kind}"
        need(ok, f"{where}; it must be {SLOPES[table.slope]}.")
    slope = undo(result(last)).item()
    ok = abs(slope + 1) < 1e-3
    need(ok, f"{what}: an activation behind the last layer makes {slope:.3g} of -1; leave it out.")
    table.look(table, net)
    raise NotYet(
        f"{what} has the right layers and activations, but computes something else. Compare "
        "strides, padding, pooling, upsampling, and what stands before what, with the table."
    )


def _look_at_pooling(table: Table, net: nn.Module) -> None:
    """Of one white pixel in each square of sixteen, the largest is 1 and the mean is less."""
    _hand_on(table, net)
    dots = torch.zeros(1, 1, 28, 28)
    dots[..., ::4, ::4] = 1
    left = net(dots.view(1, *table.x.shape[1:])).item()
    sentence = f"{table.what}: pooling leaves {left:.3g} of 1 where one pixel in sixteen is white; "
    need(abs(left - 1) < 1e-3, sentence + "it must keep the largest of four, not their mean.")


def _look_at_upsampling(table: Table, net: nn.Module) -> None:
    """The first layer paints a ramp of 7 x 7 greys; an image then has 49 squares of 4 x 4."""
    _hand_on(table, net)
    ramp = torch.arange(49.0).view(7, 7) / 49
    with torch.no_grad():
        next(p for p in net.parameters() if p.shape == (1568,)).copy_(ramp.flatten().repeat(32))
        squares = net(torch.zeros(1, 64)).logit().view(7, 4, 7, 4)
    ok = (squares - squares[:, :1, :, :1]).abs().max() < 1e-3
    need(ok, "GNet: an Upsample blurs; it must repeat the nearest pixel, as it comes.")
    ok = (squares[:, 0, :, 0] - ramp).abs().max() < 1e-3
    need(ok, "GNet: the 1568 numbers are viewed in another order than (32, 7, 7).")


def _look_at_norms(table: Table, net: nn.Module) -> None:
    """Batch norm centres what it gets: behind the last ReLU, half of it must be below 0 again."""
    _hand_on(table, net)
    net.train()
    signs = torch.tensor([[1.0], [-1.0]]).expand(2, 4)
    ok = net(signs).min() < -0.5
    need(ok, f"{table.what}: each batch norm must stand behind its ReLU, so that it centres again.")


DNET = Table(
    "DNet",
    593,
    (18, 72, 288, 200),
    0.0,
    "",
    8 * _patterns(5),
    (5, 1),
    ((-0.056559, -0.355998, 1.176825, 0.629364, 1.414044),),
    _look_at_pooling,
)
GNET = Table(
    "GNet",
    107_777,
    (100_352, 4608, 1152, 72),
    0.2,
    "sigmoid",
    2 * _numbers(5, 64),
    (5, 1, 28, 28),
    ((-0.216014, -0.332181, -0.208713, -0.325535, -0.278497),),
    _look_at_upsampling,
)


@question("conv-gan.DNet", "DNet", unseen="other weights and images")
def check_DNet(DNet) -> None:
    """The network of table 1, its layers defined in order; logits out."""
    _need_table(DNet(), DNET, in_order=True)


@question("conv-gan.GNet", "GNet", unseen="other weights and codes")
def check_GNet(GNet) -> None:
    """The network of table 2, its layers defined in order, for codes of any length."""
    _need_table(GNet(64), GNET, in_order=True)
    need_count(GNet(7), 18_401, "GNet(7)", "Is 64 written where zdim should stand?")
    need_shape(GNet(7)(_numbers(5, 7)), (5, 1, 28, 28), "GNet(7)'s output")


@question("conv-gan.weight_init", "DNet", "GNet", unseen="other draws")
def check_weight_init(DNet, GNet) -> None:
    """Weights are Kaiming-uniform: up to sqrt(6 / fan_in) in size, evenly; biases are zero."""
    for make, times in ((DNet, 40), (lambda: GNet(64), 20)):
        nets = [dict(make().named_parameters()) for _ in range(times)]
        for name in nets[0]:
            what = f"{type(make()).__name__}.{name}"
            drawn = torch.stack([net[name].detach() for net in nets])
            if drawn.dim() == 2:
                need(not drawn.any(), f"{what}: the bias must be 0.")
                continue
            need(drawn.std(0).min() > 0, f"{what}: every new network starts with the same weights.")
            scaled = drawn.flatten() * (drawn[0, 0].numel() / 6) ** 0.5
            _need_uniform(scaled, what)


def _need_uniform(scaled: torch.Tensor, what: str) -> None:
    """Stop unless weights, in units of their bound, are uniform in (-1, 1) or nearly.

    720 weights or more: less than one in 10^9 right answers is refused. The gain of LeakyReLU
    (0.2), two percent less, is right too.
    """
    high, mean = scaled.abs().max().item(), scaled.mean().item()
    spread = scaled.std().item() * 3**0.5
    hint = ""
    if abs(spread - 6**-0.5) < 0.05:
        hint = "That is torch's default: is _weight_init reached for this layer?"
    elif abs(spread - 2**-0.5) < 0.05:
        hint = "Call kaiming_uniform_ as it comes, with the gain of ReLU and with fan_in."
    ok = high < 1.001
    need(ok, f"{what}: a weight is {high:.2f} times sqrt(6 / fan_in), the bound. Is it _normal_?")
    ok = high > 0.95 and abs(spread - 1) < 0.13
    need(ok, f"{what}: the spread is {spread:.2f} of what kaiming_uniform_ gives. {hint}")
    need(abs(mean) < 0.14, f"{what}: the weights have mean {mean:.2f} of their bound, not 0.")


# What the cross-entropies of LOGITS_REAL and LOGITS_FAKE come to when a loss is written otherwise.
WRONG_D = {
    1.321731: "Real and fake are exchanged: real images have target 1, fakes 0.",
    1.089266: "The term of the fakes is missing.",
    0.753133: "The term of the real images is missing.",
    1.860552: "The fakes have target 1 here too; D wants 0 for them.",
    1.303578: "The real images have target 0 here; D wants 1 for them.",
    0.336133: "The term of the fakes is subtracted; add it.",
    1.788516: "The real images have target 0.9; the docstring says 1.",
    1.502878: "A sigmoid is applied twice: the loss takes logits.",
    18.423984: "These are sums over the batch; means are wanted.",
    3.754059: "These are squares; cross-entropies are wanted.",
    0.520667: "These are the logits themselves; their cross-entropies are wanted.",
    -1.842398: "The sign is flipped.",
}
WRONG_G = {
    0.753133: "The targets of the fakes must be 1 here: G wants them taken for real.",
    -0.753133: "This is the saturating form, log(1 - sigma(D)); use -log sigma(D).",
    7.712862: "This is a sum over the batch; the mean is wanted.",
    0.385643: "This is half of the mean.",
    0.769471: "The fakes have target 0.9; the docstring says 1.",
    0.476956: "A sigmoid is applied twice: the loss takes logits.",
    1.633910: "These are squares; cross-entropies are wanted.",
    0.018153: "These are the logits themselves; their cross-entropies are wanted.",
    -0.771286: "The sign is flipped.",
}


class Given(nn.Module):
    """A network put in the place of the student's. Its one parameter, `shift`, starts at 0.

    What it gives grows by a thousand times `shift`: gradients are large, so that a clipped one
    shows. `codes` are those that it was given, `moves` counts the steps of a `Descent`.
    """

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))
        self.shift.moves, self.codes = 0, []

    def shifted(self, level: torch.Tensor) -> torch.Tensor:
        return level + 1000 * self.shift


class MeanLogit(Given):
    """A discriminator: the logit of an image is its mean."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shifted(x.flatten(1).mean(1, keepdim=True))


class OneGrey(Given):
    """A generator for conv-gan: all pixels of an image are the first number of its code."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        self.codes.append(z.detach().clone())
        return self.shifted(z[:, 0]).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


def _need_gradient(loss, given: Given, right: float, what: str, of: str) -> None:
    """Stop unless the loss changes by `right` for each 1 that the logits grow by."""
    need(loss.requires_grad, f"{what} has no gradient: return a tensor, with no .item() or detach.")
    loss.backward()
    got = 0.0 if given.shift.grad is None else given.shift.grad.item() / 1000
    need(got != 0, f"{what} sends no gradient into {of}: is something detached?")
    ok = abs(got - right) < 1e-4
    need(ok, f"{what}: its gradient leads {of} elsewhere. Is a part of it detached?")


def _given_game(GAN, count: int):
    """A GAN whose networks are simple, with images and codes that give the first given logits."""
    gan = GAN()
    gan.disc, gan.gen = MeanLogit().to(gan._dev), OneGrey().to(gan._dev)
    data = LOGITS_REAL[:count].view(-1, 1, 1, 1).repeat(1, 1, 28, 28)
    z = torch.zeros(count, gan._zdim)
    z[:, 0] = LOGITS_FAKE[:count]
    return gan, data.to(gan._dev), z.to(gan._dev)


def _need_codes(gan, z: torch.Tensor, what: str) -> None:
    used = bool(gan.gen.codes) and all(torch.equal(one, z) for one in gan.gen.codes)
    need(used, f"{what} must make its fakes from the codes z that it is given.")


@question("conv-gan.loss_d", "GAN", unseen="other logits and networks")
def check_loss_d(GAN) -> None:
    """One mean over the 2N logits: 0.9212 at ten given ones each; the generator is left alone."""
    gan, data, z = _given_game(GAN, 10)
    loss = gan._get_loss_d(10, data, z)
    _need_codes(gan, z, "_get_loss_d")
    known = {value / 2: sentence for value, sentence in WRONG_D.items()} | {
        1.842398: "This is the sum of the two halves; this part asks for their mean.",
        1.089266: "The term of the fakes is missing.",
        0.753133: "The term of the real images is missing.",
        18.423984: "This is a sum over the 2N logits; their mean is wanted.",
        9.211992: "This is a sum over the batch; the mean over the 2N logits is wanted.",
    }
    need_value(loss, 0.921199, "_get_loss_d at ten given logits each", known, 5e-5)
    _need_gradient(loss, gan.disc, -0.058344, "_get_loss_d", "the discriminator")
    reached = gan.gen.shift.grad is not None and gan.gen.shift.grad.any()
    need(not reached, "_get_loss_d sends gradients into the generator: detach the fakes.")
    gan, data, z = _given_game(GAN, 4)
    need_value(gan._get_loss_d(4, data, z), 0.743353, "_get_loss_d of four images", {}, 5e-5)


@question("conv-gan.loss_g", "GAN", unseen="other logits and networks")
def check_loss_g(GAN) -> None:
    """The non-saturating loss: 0.7713 at ten given logits, with a gradient into the generator."""
    gan, _, z = _given_game(GAN, 10)
    loss = gan._get_loss_g(10, z)
    _need_codes(gan, z, "_get_loss_g")
    need_value(loss, 0.771286, "_get_loss_g at ten given logits", WRONG_G, 5e-5)
    _need_gradient(loss, gan.gen, -0.498923, "_get_loss_g", "the generator")
    gan, _, z = _given_game(GAN, 4)
    need_value(gan._get_loss_g(4, z), 1.070415, "_get_loss_g of four codes", {}, 5e-5)


def _distance(sample: torch.Tensor, law: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """How far a sample's distribution function is from `law`, times the root of its size.

    Kolmogorov: above 3 comes once in 30 million right samples.
    """
    place = law(sample.double().flatten().sort().values)
    steps = torch.arange(len(place) + 1, dtype=torch.float64) / len(place)
    return torch.maximum(place - steps[:-1], steps[1:] - place).max().item() * len(place) ** 0.5


@question("fc-gan.sample_noise", "sample_noise", unseen="other sizes and draws")
def check_sample_noise(sample_noise) -> None:
    """Uniform in (-1, 1), of the shape and dtype and on the device asked for."""
    z = sample_noise(3, 4)
    need_shape(z, (3, 4), "sample_noise(3, 4)")
    need(z.dtype == torch.float32, f"sample_noise gives {z.dtype} where nothing is said.")
    need(not torch.equal(z, sample_noise(3, 4)), "sample_noise repeats itself.")
    z = sample_noise(1000, 100, dtype=torch.float64)
    need_shape(z, (1000, 100), "sample_noise(1000, 100)")
    need(z.dtype == torch.float64, "sample_noise ignores its argument dtype.")
    with contextlib.suppress(RuntimeError):  # "meta" is a device that keeps no numbers
        where = sample_noise(3, 4, device="meta").device.type
        need(where == "meta", "sample_noise ignores its argument device.")
    need(bool(z.abs().max() <= 1), "sample_noise leaves (-1, 1). Is it normal noise?")
    need(bool((z < 0).any()), "sample_noise is never negative: stretch (0, 1) to (-1, 1).")
    mean, std = z.mean().item(), z.std().item()
    ok = _distance(z, lambda numbers: (numbers + 1) / 2) < 3
    need(ok, f"sample_noise is not uniform: mean {mean:.3f}, std {std:.3f}, not 0 and 0.577.")
    alone = z.unique().numel() > 99_000
    need(alone, "sample_noise: each number must be drawn on its own; many come twice.")


DISCRIMINATOR = Table(
    "discriminator()",
    267_009,
    (200_704, 65_536, 256),
    0.01,
    "",
    2 * _numbers(5, 784),
    (5, 1),
    (
        (-0.224765, 0.675621, -0.143509, 0.043479, 0.156669),
        (
            -0.225186,
            0.672331,
            -0.135146,
            0.039905,
            0.159711,
        ),  # slope 0.001, as its source says elsewhere
    ),
)
GENERATOR = Table(
    "generator(4)",
    1_858_320,
    (4096, 1_048_576, 802_816),
    0.0,
    "tanh",
    2 * _numbers(5, 4),
    (5, 784),
    ((0.902679, 0.748999, 0.834129, 1.11181, 0.953791),),
)


@question("fc-gan.discriminator", "discriminator", unseen="other weights and images")
def check_discriminator(discriminator) -> None:
    """267,009 parameters, layer by layer as listed, logits out."""
    _need_table(discriminator(), DISCRIMINATOR)


@question("fc-gan.generator", "generator", unseen="other weights, other noise_dim")
def check_generator(generator) -> None:
    """1,858,320 parameters for four noise dimensions, layer by layer as listed."""
    _need_table(generator(4), GENERATOR)


def _need_loss(
    loss, given, right: dict[int, float], slopes, what: str, known, shapes=((-1, 1), (-1,))
) -> None:
    """Stop unless a loss of given logits, the first 10 or 4, has its value and its gradient."""
    for shape in shapes:
        for count, value in right.items():
            logits = [one[:count].clone().view(shape).requires_grad_() for one in given]
            got = loss(*logits)
            which = f"{what} of {count} logits, shape {tuple(logits[0].shape)},"
            need_value(got, value, which, known if count == 10 else {}, 5e-5)
            need(got.requires_grad, f"{what} has no gradient: use no .item() and no detach().")
            got.backward()
            for one, slope in zip(logits, slopes, strict=True):
                ok = one.grad is not None
                ok = ok and (count != 10 or abs(one.grad.sum() - slope) < 1e-4)
                need(ok, f"{what}: its gradient leads the logits elsewhere.")
    sure = [torch.tensor([[100.0], [-100.0]], requires_grad=True) for _ in given]
    got = loss(*sure)
    got.backward()
    ok = all(bool(one.isfinite().all()) for one in (got, *(one.grad for one in sure)))
    need(ok, f"{what} or its gradient is not finite at logits of 100: there a sigmoid rounds to 1.")


@question("fc-gan.discriminator_loss", "discriminator_loss", unseen="other logits")
def check_discriminator_loss(discriminator_loss) -> None:
    """The sum of two means: 1.8424 on ten given logits each; finite at logits of 100."""
    known = WRONG_D | {0.921199: "This is the mean of the two halves; their sum is wanted."}
    given, slopes = (LOGITS_REAL, LOGITS_FAKE), (-0.617765, 0.501077)
    right = {10: 1.842398, 4: 1.486706}
    _need_loss(discriminator_loss, given, right, slopes, "discriminator_loss", known)


@question("fc-gan.generator_loss", "generator_loss", unseen="other logits")
def check_generator_loss(generator_loss) -> None:
    """The non-saturating loss: 0.7713 on ten given logits; finite at logits of 100."""
    right = {10: 0.771286, 4: 1.070415}
    _need_loss(generator_loss, (LOGITS_FAKE,), right, (-0.498923,), "generator_loss", WRONG_G)


def _need_adam(solver, network: nn.Module, rate: float, what: str, whose: str) -> None:
    """Stop unless this is Adam with the rate and betas (0.5, 0.999), for all of the network.

    Three steps by gradients of 1, -1 and 0.1 thousandths move every weight by known shares of
    the rate.
    """
    kind = type(solver).__name__
    need(hasattr(solver, "param_groups"), f"{what} must be Adam, not {kind}.")
    held = [id(p) for group in solver.param_groups for p in group["params"]]
    ok = sorted(held) == sorted(id(p) for p in network.parameters())
    need(ok, f"{what} must be given the parameters of {whose}, all of them and no others.")
    wanted = {"lr": rate, "betas": (0.5, 0.999), "amsgrad": False, "maximize": False}
    for group in solver.param_groups:
        decay = group.get("weight_decay", 0)
        need(not decay, f"{what} must be Adam without weight decay, not {kind} with {decay:g}.")
        for name, right in wanted.items():
            got = tuple(group[name]) if name == "betas" in group else group.get(name, right)
            need(got == right, f"{what} has {name} {got}, not {right}.")
    steps = []
    for gradient in (0.001, -0.001, 0.0001):
        before = [p.detach().clone() for p in network.parameters()]
        for p in network.parameters():
            p.grad = torch.full_like(p, gradient)
        solver.step()
        moved = [p.detach() - old for p, old in zip(network.parameters(), before, strict=True)]
        steps.append(torch.cat([one.flatten() for one in moved]) / rate)
    right = torch.tensor([[-1.0], [0.333333], [0.104722]])
    ok = (torch.stack(steps) - right).abs().max() < 0.01
    need(ok, f"{what}, {kind}, does not step as Adam does. Leave eps and the rest as they come.")


@question("fc-gan.get_optimizer", "get_optimizer", unseen="other models and gradients")
def check_get_optimizer(get_optimizer) -> None:
    """Adam with rate 1e-3 and betas (0.5, 0.999) over all parameters."""
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    _need_adam(get_optimizer(model), model, 1e-3, "get_optimizer's optimizer", "model")


CLASSIFIER = Table(
    "build_dc_classifier()",
    1_102_721,
    (800, 51_200, 1_048_576, 1024),
    0.01,
    "",
    _patterns(5).flatten(1),
    (5, 1),
    ((-0.124, -0.12683, -0.156777, -0.241603, -0.204517),),
    _look_at_pooling,
)
DC_GENERATOR = Table(
    "build_dc_generator(4)",
    6_580_801,
    (4096, 6_422_528, 131_072, 1024),
    0.0,
    "tanh",
    2 * _numbers(5, 4),
    (5, 784),
    (
        (-0.071998, -0.094729, -0.086253, -0.080205, -0.011499),
        (0.161679, 0.063961, 0.227627, -0.015566, 0.235178),  # 7 x 7 x 128 with the channels last
    ),
    _look_at_norms,
)


@question("fc-gan.build_dc_classifier", "build_dc_classifier", unseen="other weights and images")
def check_build_dc_classifier(build_dc_classifier) -> None:
    """1,102,721 parameters, layer by layer as listed, flat images in, logits out."""
    _need_table(build_dc_classifier(), CLASSIFIER)


@question("fc-gan.build_dc_generator", "build_dc_generator", unseen="other weights, noise_dim")
def check_build_dc_generator(build_dc_generator) -> None:
    """6,580,801 parameters for four noise dimensions, layer by layer as listed."""
    _need_table(build_dc_generator(4), DC_GENERATOR)


@question(
    "fc-gan.least_squares", "ls_discriminator_loss", "ls_generator_loss", unseen="other scores"
)
def check_least_squares(ls_discriminator_loss, ls_generator_loss) -> None:
    """1.8770 and 0.8170 on ten given scores each."""
    known = {
        3.754059: "The factors 1/2 are missing.",
        0.938515: "There is one factor 1/2 too many.",
        1.356362: "Real and fake are exchanged: real scores have target 1.",
        1.578228: "The term of the fakes is missing.",
        0.298802: "The term of the real images is missing.",
        0.838209: "The real images have target 0 here; D wants 1 for them.",
        2.175831: "The term of the fakes lacks its 1/2.",
        3.455257: "The term of the real images lacks its 1/2.",
        18.770294: "These are sums over the batch; means are wanted.",
        1.842398: "These are cross-entropies; squares are wanted.",
        -1.877029: "The sign is flipped.",
    }
    given, slopes = (LOGITS_REAL, LOGITS_FAKE), (-1.538821, -0.018153)
    right = {10: 1.877029, 4: 1.696156}
    _need_loss(ls_discriminator_loss, given, right, slopes, "ls_discriminator_loss", known)
    known = {
        1.633910: "The factor 1/2 is missing.",
        0.298802: "The target of the fakes is 1.",
        8.169548: "This is a sum over the batch; the mean is wanted.",
        0.771286: "This is a cross-entropy; a square is wanted.",
        -0.816955: "The sign is flipped.",
    }
    right = {10: 0.816955, 4: 1.495231}
    _need_loss(ls_generator_loss, (LOGITS_FAKE,), right, (-1.018153,), "ls_generator_loss", known)


@question("gan-theory.3e", "answer_3e", unseen="the four numbers")
def check_3e(answer_3e) -> None:
    """Four numbers that can be divergences and distances at all."""
    numbers = answer_3e()
    numbers = list(numbers.values()) if isinstance(numbers, dict) else numbers
    need(
        hasattr(numbers, "__len__")
        and len(numbers) == 4
        and all(hasattr(number, "__float__") for number in numbers),
        "answer_3e must return four numbers: KL(P1, P2), KL(P1, P3), W1(P1, P2), W1(P1, P3).",
    )
    numbers = [float(number) for number in numbers]
    for name, number in zip(("KL_12", "KL_13", "W_12", "W_13"), numbers, strict=True):
        need(number >= 0, f"answer_3e: {name} is {number}, but no distance is negative or NaN.")
        need(number > 0, f"answer_3e: {name} is 0, but it is 0 for equal distributions alone.")
    near, far = numbers[2:]
    need(
        near < far < float("inf"),
        "answer_3e: all mass must travel further from P1 to P3 than from P1 to P2, but not "
        "infinitely far.",
    )
    need(
        far < 2 * near + 1e-6,
        "answer_3e: W1 is a distance, so the way from P1 to P3 is no longer than that by P2; and "
        "from P2 to P3 it is as far as from P1 to P2. Is something squared?",
    )


def _ignores_scale(net: nn.Module) -> bool:
    """Do logits stay as they are when all kernels grow by three? Under spectral norm they do."""
    net.eval()
    x = torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        before = net(x)
        for p in net.parameters():
            p.mul_(3 if p.dim() == 4 else 1)
        return torch.allclose(net(x), before, rtol=1e-3, atol=1e-5)


@question("cifar-dcgan.init", "DCGAN", unseen="other gradients")
def check_dcgan_init(DCGAN) -> None:
    """Both networks, and an Adam with rate 2e-4 and betas (0.5, 0.999) for each."""
    dcgan = DCGAN()
    for name, made, count, solver, size, shape in (
        ("_generator", "CIFARGenerator", 299_043, "optimizerG", (2, 64), (2, 3, 32, 32)),
        ("_discriminator", "CIFARDiscriminator", 168_033, "optimizerD", (2, 3, 32, 32), (2, 1)),
    ):
        for wanted in (name, solver):
            need(hasattr(dcgan, wanted), f"DCGAN has no attribute `{wanted}`; set it in __init__.")
        network = getattr(dcgan, name)
        need_count(network, count, f"DCGAN.{name}")
        need_shape(network(torch.rand(size)), shape, f"what DCGAN.{name} gives")
        ok = made in [kind.__name__ for kind in type(network).__mro__]
        need(ok, f"DCGAN.{name} must be a {made} and nothing around it.")
        _need_adam(getattr(dcgan, solver), network, 2e-4, solver, name)
    for spectral in (False, True):
        try:
            asked = type(dcgan._discriminator)(spectral=spectral)
        except NotImplementedError:
            print("(That spectral is passed on is checked as soon as spectral norm is written.)")
            return
        same = _ignores_scale(DCGAN(spectral=spectral)._discriminator) == _ignores_scale(asked)
        need(same, "DCGAN must make its CIFARDiscriminator with the spectral that it is told.")


def _weight_of(layer: nn.Module) -> torch.Tensor:
    """The parameter that a layer's weight is, or is computed from under spectral norm."""
    return max(layer.parameters(), key=torch.Tensor.dim).detach()


def _need_dcgan_weights(dcgan: nn.Module, what: str) -> None:
    norms = []
    for name, part in dcgan.named_modules():
        if isinstance(part, CONVOLUTIONS):
            weight = _weight_of(part)
            mean, std = weight.mean().item(), weight.std().item()
            ok = abs(mean) < 0.003 and abs(std / 0.02 - 1) < 0.1
            got = f"{what}: {name} has weights of mean {mean:.3f}, spread {std:.3f}"
            need(ok, f"{got}, not 0, 0.02.")
            ok = weight.abs().max() > 2.2 * std
            need(ok, f"{what}: the weights of {name} are not normal. Are they drawn anew?")
        elif isinstance(part, nn.BatchNorm2d):
            norms.append(part.weight.detach())
            mean = norms[-1].mean().item()
            ok = abs(mean - 1) < 0.03
            need(ok, f"{what}: {name} has weights of mean {mean:.3f}, not 1, 0.02 around it.")
            need(not part.bias.any(), f"{what}: {name} must have biases 0.")
        elif isinstance(part, nn.Linear):
            std = _weight_of(part).std().item() * (3 * part.in_features) ** 0.5
            need(0.9 < std < 1.1, f"{what}: {name} is linear; leave its weights as they are.")
    std = torch.cat(norms).std().item()
    ok = abs(std / 0.02 - 1) < 0.22
    need(ok, f"{what}: the weights of batch norms have spread {std:.3f}, not 0.02.")


@question("cifar-dcgan.weight_init", "DCGAN", unseen="other draws")
def check_dcgan_weight_init(DCGAN) -> None:
    """Convolutions N(0, 0.02^2), batch norms N(1, 0.02^2), with spectral norm and without."""
    _need_dcgan_weights(DCGAN(), "weight_init")
    try:
        wrapped = DCGAN(spectral=True)
    except NotImplementedError:
        print("(With spectral norm it is checked as soon as that is written.)")
    else:
        _need_dcgan_weights(wrapped, "weight_init under spectral norm")


@question("cifar-dcgan.classification_loss", "DCGAN", unseen="other logits and labels")
def check_classification_loss(DCGAN) -> None:
    """0.7713 and 0.7531 on ten given logits, labelled 1 and 0; finite at logits of 100."""
    loss, what = DCGAN()._classification_loss, "_classification_loss"
    ignored = "The labels are exchanged or not used: 1 is real, 0 is fake."
    for label, right, slope, known in (
        (1.0, {10: 0.771286, 4: 1.070415}, -0.498923, WRONG_G | {0.753133: ignored}),
        (0.0, {10: 0.753133, 4: 0.510405}, 0.501077, {0.771286: ignored}),
    ):

        def labelled(logits: torch.Tensor, label: float = label) -> torch.Tensor:
            return loss(logits, torch.full_like(logits, label))

        name = f"{what} with labels {label:g}"
        _need_loss(labelled, (LOGITS_FAKE,), right, (slope,), name, known, ((-1, 1),))
    both = torch.cat((LOGITS_REAL, LOGITS_FAKE))[:, None]
    labels = torch.cat((torch.ones(10, 1), torch.zeros(10, 1)))
    need_value(loss(both, labels), 0.921199, f"{what} with labels of both kinds", {}, 5e-5)


class _Watched(MeanLogit):
    """D in fit: it sees ten images at a time, and batch norm would learn."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        need(len(x) <= 10, "fit: real images and fakes must go through D in two batches, not one.")
        need(self.training, "fit: D must stay in training mode.")
        return super().forward(x)


class _Fakes(Given):
    """G in fit: images whose means are LOGITS_FAKE, whatever the codes."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        if self.training or len(z) == 10:  # else it is for a picture in between
            need(self.training, "fit: G must stay in training mode.")
            need_shape(z, (10, 64), "fit: a batch of codes")
            self.codes.append(z.detach().clone())
        level = LOGITS_FAKE.repeat(1 + len(z) // 10)[: len(z)]
        return self.shifted(level).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)


class Descent(torch.optim.SGD):
    """Plain descent: where a network comes to shows the gradients that it got, and how often."""

    def __init__(self, parameters):
        super().__init__(parameters, 1e-11)

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.moves += p.grad is not None and bool(p.grad)
        return super().step(closure)


def _need_normal_codes(codes: list[torch.Tensor], steps: int, what: str) -> None:
    """Stop unless codes are drawn from N(0, I), and afresh for each of the batches at least."""
    fresh = [a for i, a in enumerate(codes) if not (i and torch.equal(a, codes[i - 1]))]
    again = any(torch.equal(a, b) for i, a in enumerate(fresh) for b in fresh[:i])
    need(
        len(fresh) >= steps and not again,
        f"{what}: the same codes are used twice; draw them afresh in each step of the loop.",
    )
    if len(fresh) < 2 * steps:
        print(f"({what}: the docstring asks for other codes in G's step than in D's.)")
    drawn = torch.cat(fresh)
    alone = drawn.unique().numel() > 0.9 * drawn.numel()
    need(alone, f"{what}: each number of each code must be drawn on its own.")
    mean, std = drawn.mean().item(), drawn.std().item()
    ok = _distance(drawn, lambda z: (1 + torch.erf(z / 2**0.5)) / 2) < 3
    need(ok, f"{what}: codes have mean {mean:.2f} and spread {std:.2f}, not N(0, I)'s 0 and 1.")


def _need_moved(given: Given, steps: int, what: str, of: str, *gradients: float, most=1) -> None:
    """Stop unless plain descent moved a network as far as one of these gradients says."""
    moved = given.shift.item() / (-1e-8 * steps)  # on average, in units of the rate
    right = min(gradients, key=lambda gradient: abs(moved - gradient))
    share = moved / right
    need(share != 0, f"{what}: {of} does not move. Are backward and step called for it?")
    hint = "Is a loss left out or halved, or something detached?"
    if share > 1.1:
        hint = "Are its gradients cleared before each backward pass? Does another step move it too?"
    ok = abs(share - 1) < 0.02
    need(ok, f"{what}: {of} moves {share:.2f} times as far as its loss asks. {hint}")
    ok = given.shift.moves <= most * steps
    need(ok, f"{what}: {of} is moved {given.shift.moves} times in {steps} steps of the loop.")


@question("cifar-dcgan.fit", "DCGAN", unseen="how the networks of many layers move")
def check_fit(DCGAN) -> None:
    """Three steps of given networks: both losses, how far each is moved, fresh normal codes."""
    dcgan, steps = DCGAN(), 3
    disc, gen = _Watched(), _Fakes()
    dcgan._discriminator, dcgan._generator = disc, gen
    dcgan.optimizerD, dcgan.optimizerG = Descent(disc.parameters()), Descent(gen.parameters())
    dcgan.num_epoch, dcgan.batch_size = steps, 10
    losses = dcgan.fit(LOGITS_REAL.view(10, 1, 1, 1).repeat(1, 3, 32, 32))
    need(all(len(one) == steps for one in losses), "fit must leave one loss of each kind a step.")
    known = WRONG_D | {0.921199: "This is the mean of the two halves; their sum is wanted."}
    d_loss, g_loss = (torch.tensor(one[0]) for one in losses)
    need_value(d_loss, 1.842398, "fit's dis_loss at ten given logits each", known, 5e-5)
    need_value(g_loss, 0.771286, "fit's gen_loss at ten given logits", WRONG_G, 5e-5)
    _need_moved(disc, steps, "fit", "_discriminator", -0.116688)
    _need_moved(gen, steps, "fit", "_generator", -0.498923)
    _need_normal_codes(gen.codes, steps, "fit")


@question("cifar-dcgan.spectral_norm", "CIFARDiscriminator", unseen="other weights")
def check_spectral_norm(CIFARDiscriminator) -> None:
    """The largest singular value of every convolution is 1, and only with spectral=True."""
    for spectral in (True, False):
        net = CIFARDiscriminator(spectral=spectral)
        need_count(net, 168_033, f"CIFARDiscriminator(spectral={spectral})")
        convolutions = [layer for layer in net.downsample if isinstance(layer, nn.Conv2d)]
        need(len(convolutions) == 3, "CIFARDiscriminator.downsample must keep its convolutions.")
        for weight in map(_weight_of, convolutions):  # one singular value far above the others
            weight.copy_(0.1 + 0.05 * _numbers(*weight.shape))
        for _ in range(10 if spectral else 1):  # the norm is found little by little
            logits = net(torch.rand(2, 3, 32, 32))
        need_shape(logits, (2, 1), "CIFARDiscriminator's output")
        for i, layer in enumerate(convolutions, 1):
            norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
            one = abs(norm - 1) < 0.05
            if spectral:
                need(one, f"convolution {i} has spectral norm {norm:.2f} instead of 1: wrap it.")
            need(spectral or not one, f"convolution {i} is wrapped with spectral=False too.")
        same = _ignores_scale(net)
        need(same == spectral, "CIFARDiscriminator must compute with the weights that it shows.")


@question("cifar-dcgan.reconstruction_loss", "DCGAN", unseen="other images")
def check_reconstruction_loss(DCGAN) -> None:
    """0.25 when every value is off by one half, and the gradient of a mean of squares."""
    loss = DCGAN()._reconstruction_loss
    x = torch.full((2, 3, 32, 32), 0.5)
    off = torch.tensor([0.5, -0.5]).repeat(1536).view(1, 3, 32, 32)
    off = torch.cat((off, -off))
    found = (x + off).requires_grad_()
    known = {
        1536.0: "This is a sum over everything; the mean is wanted.",
        768.0: "This is a sum over each image; the mean over all values is wanted.",
        0.5: "This is the distance, or its root; its square is wanted.",
        0.125: "This is half of the mean.",
        0.0: "The differences are averaged before they are squared; square them first.",
        39.191836: "This is the norm of all differences; the mean of their squares is wanted.",
        -0.25: "The sign is flipped.",
    }
    got = loss(found, x)
    need_value(got, 0.25, "_reconstruction_loss", known)
    need(got.requires_grad, "_reconstruction_loss has no gradient: use no .item() and no detach().")
    got.backward()
    ok = found.grad is not None and torch.allclose(found.grad * 3072, off)
    need(ok, "_reconstruction_loss: its gradient does not lead the reconstruction to the image.")
    need_value(loss(x[:1] + off[:1] / 2, x[:1]), 0.0625, "_reconstruction_loss of one image", {})


class _Slide(Given):
    """G in reconstruct: all pixels of an image are the first number of its code."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        need(not self.training, "reconstruct: G must stay in eval mode.")
        need_shape(z, (len(z), 64), "reconstruct: its codes")
        return self.shifted(z[:, 0]).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)


def _search(dcgan: nn.Module, targets: list[float], steps: int) -> torch.Tensor:
    """How far, in so many steps, reconstruct moves codes towards images of these greys."""
    gen = dcgan._generator = _Slide()
    dcgan.vis_steps = steps
    images = torch.tensor(targets).view(-1, 1, 1, 1).repeat(1, 3, 32, 32)
    loss, found = dcgan.reconstruct(images)
    need_shape(found, tuple(images.shape), "reconstruct's images")
    need(gen.shift == 0, "reconstruct moves weights; give its optimizer [recon_code] alone.")
    own = float(dcgan._reconstruction_loss(found, images))
    ok = abs(float(loss) - own) <= 1e-4 * abs(own)
    need(ok, "reconstruct: recon_loss is not the loss of recon_samples.")
    return found.detach().flatten(1)[:, 0]


@question("cifar-dcgan.reconstruct", "DCGAN", unseen="the search with a generator of many layers")
def check_reconstruct(DCGAN) -> None:
    """Codes move from zero, towards far images by the rate in each step; weights stay."""
    dcgan = DCGAN()
    for steps in (4, 1, 12, 12):
        moved = _search(dcgan, [1000.0, -1000.0, 2000.0], steps) * torch.tensor([1.0, -1.0, 1.0])
        got, right = moved.mean().item(), 0.01 * (steps - 1)  # images come before the last step
        hints = {
            0.0: "Codes do not move. Does the gradient reach recon_code, and step?",
            0.01 * (steps - 2): "One step is missing.",
            0.01 * steps: "These are codes after one step more than wanted.",
            4.99: "vis_steps is not used.",
            2e-4 * (steps - 1): "That is the rate of training; vis_learning_rate is wanted.",
        }
        hint = [hint for value, hint in hints.items() if abs(got - value) < 1e-4]
        hint += ["Are gradients cleared, is it Adam of rate vis_learning_rate, from codes of zero?"]
        ok = (moved - right).abs().max() < 1e-5 + 0.002 * right
        need(ok, f"reconstruct: {steps} steps lead to {got:.4f} and not {right:.4f}. {hint[0]}")
    near = _search(dcgan, [0.03, -0.02, 0.05], 10)
    right = torch.tensor([[0.04163, -0.019765, 0.068795], [0.029641, -0.019479, 0.05206]])
    ok = (near - right).abs().amax(1).min() < 2e-4
    need(ok, "reconstruct: near their images, codes do not move as by one Adam for all steps.")


def _listed(optimizers) -> list:
    optimizers = optimizers.values() if isinstance(optimizers, dict) else optimizers
    return list(optimizers) if not hasattr(optimizers, "step") else [optimizers]


@question("ae-gan.optimizers", "AutoEncoderGAN", "ae_gan_optimizers", unseen="other gradients")
def check_optimizers(AutoEncoderGAN, ae_gan_optimizers) -> None:
    """One to three optimizers that move every parameter, against its gradient, in steps like lr."""
    size: dict[str, float] = {}
    for lr in (0.001, 0.01):
        model = AutoEncoderGAN(1, 3, 5, 16)
        optimizers = _listed(ae_gan_optimizers(model, lr))
        need(1 <= len(optimizers) <= 3, f"{len(optimizers)} optimizers; one to three are wanted.")
        for name, network in model.named_children():
            before = [p.detach().clone() for p in network.parameters()]
            for p in model.parameters():
                p.grad = None
            for p in network.parameters():
                p.grad = torch.ones_like(p)
            for optimizer in optimizers:
                optimizer.step()
            pairs = zip(network.parameters(), before, strict=True)
            moved = torch.cat([(p.detach() - old).flatten() for p, old in pairs])
            ok = bool(moved.all())
            need(ok, f"ae_gan_optimizers: no optimizer holds all parameters of model.{name}.")
            ok = bool((moved < 0).all())
            need(ok, f"ae_gan_optimizers: model.{name} goes up its loss; an optimizer goes down.")
            growth = moved.mean().item() / size.setdefault(name, moved.mean().item())
            ok = lr == 0.001 or abs(growth - 10) < 0.5
            need(ok, f"ae_gan_optimizers ignores lr: 0.01 moves model.{name} as 0.001 does.")


class _Probability(MeanLogit):
    """D in ae-gan: the probability of an image's mean as a logit."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).sigmoid()


class _Encodes(Given):
    """E in ae-gan: 20 + 1.5 times an image's mean, in all places of its code."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shifted(20 + 1.5 * x.mean(1, keepdim=True)).expand(-1, 12)


class _Decodes(Given):
    """G in ae-gan: a code of E less 20 is an image's one grey; noise, smaller, brings `fakes`."""

    def __init__(self, fakes: torch.Tensor):
        super().__init__()
        self.fakes = fakes

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        noise = z[:, 0] < 15
        if noise.any() and self.training:  # and not for a picture in between
            need_shape(z[noise], (10, 12), "train_ae_gan: a batch of noise")
            self.codes.append(z[noise].detach().clone())
        level = torch.where(noise, self.fakes.repeat(1 + len(z) // 10)[: len(z)], z[:, 0] - 20)
        return self.shifted(level)[:, None].expand(-1, 16)


AE_GAN = ("AutoEncoderGAN", "ae_gan_optimizers", "train_ae_gan")


def _train_given_ae_gan(AutoEncoderGAN, ae_gan_optimizers, train_ae_gan, more: float = 0.0):
    """The model and its three losses after four batches of ten images, at plain descent.

    Its networks are given; `more` is added to the logits of fakes. Plain descent takes the places
    of the optimizers: how far a network goes then shows the gradients it got.
    """
    model = AutoEncoderGAN(1, 12, 5, 16)
    model.encoder, model.generator = _Encodes(), _Decodes(LOGITS_FAKE + more)
    model.discriminator = _Probability()
    own = ae_gan_optimizers(model, 1e-4)
    plain = [
        Descent([p for group in one.param_groups for p in group["params"]]) for one in _listed(own)
    ]
    if isinstance(own, dict):
        solvers = dict(zip(own, plain, strict=True))
    else:
        solvers = plain[0] if hasattr(own, "step") else type(own)(plain)
    loader = [LOGITS_REAL.view(10, 1, 1, 1).repeat(1, 1, 4, 4) for _ in range(4)]
    losses = train_ae_gan(model, loader, solvers, 1)
    ok = len(losses) == 3 and all(len(values) == 1 for values in losses)
    need(ok, "train_ae_gan must return three lists with one loss an epoch.")
    return model, [torch.tensor(float(values[0])) for values in losses]


@question("ae-gan.loss_discriminator", *AE_GAN, unseen="other networks, your own optimizers")
def check_loss_discriminator(*names) -> None:
    """1.8424 at ten given logits each; D moves by its gradient alone; noise is N(0, I)."""
    model, (loss, _, _) = _train_given_ae_gan(*names)
    known = WRONG_D | {
        0.921199: "This is the mean of the two halves; their sum is wanted.",
        1.502878: "A sigmoid is applied twice: D gives probabilities, which BCELoss takes.",
    }
    need_value(loss, 1.842398, "train_ae_gan: loss_d at ten given logits each", known, 5e-5)
    _need_moved(model.discriminator, 4, "train_ae_gan", "the discriminator", -0.116688)
    _need_normal_codes(model.generator.codes, 4, "train_ae_gan")


@question("ae-gan.loss_generator", *AE_GAN, unseen="other networks, your own optimizers")
def check_loss_generator(*names) -> None:
    """A weight times 0.7713 at ten given logits, and 0.2697 for the images; G moves by both."""
    model, (_, loss, _) = _train_given_ae_gan(*names)
    other = _train_given_ae_gan(*names, 1.0)[1][1]  # where the first term is 0.3794
    weight = ((loss - other) / (0.771286 - 0.379392)).item()
    rest = loss.item() - weight * 0.771286
    known = {0.0: "is MSE(G(E(x)), x) missing?", -0.269704: "is MSE(G(E(x)), x) subtracted?"}
    hints = [hint for value, hint in known.items() if abs(rest - value) < 2e-3]
    hints += ["is it the saturating form? Label the fakes as real.", "is it MSE(G(E(x)), x)?"]
    need(weight > -1e-3, "train_ae_gan: loss_g counts the wrong way: label the fakes as real.")
    need(weight > 1e-3, "train_ae_gan: loss_g misses one of its two terms, BCE(D(G(z)), 1).")
    hint = hints[0] if rest < 0.2 else hints[-1]
    sentence = f"train_ae_gan: beside {weight:.3g} BCE(D(G(z)), 1), loss_g has {rest:.4f}"
    need(abs(rest - 0.269704) < 2e-3, f"{sentence} and not 0.2697: {hint}")
    once = -weight * 0.498923 - 0.538821
    twice = once - 0.538821  # where the step of the autoencoder moves G as well
    _need_moved(model.generator, 4, "train_ae_gan", "the generator", once, twice, most=2)
    _need_normal_codes(model.generator.codes, 4, "train_ae_gan")


@question("ae-gan.loss_autoencoder", *AE_GAN, unseen="other networks, your own optimizers")
def check_loss_autoencoder(*names) -> None:
    """0.2697 for given images and reconstructions; E moves by the gradient of that."""
    known = {
        43.152576: "This is a sum; MSELoss takes the mean.",
        4.315258: "This is a sum over each image; MSELoss takes the mean.",
        0.519330: "This is the root of the mean square; leave the root out.",
        1.777838: "Images are compared with what noise gives; decode their own codes.",
        0.134852: "This is half of the mean.",
        0.474794: "These are absolute values; squares are wanted.",
    }
    model, (_, _, loss) = _train_given_ae_gan(*names)
    need_value(loss, 0.269704, "train_ae_gan: loss_ae of given images", known, 1e-3)
    once, twice = -0.538821, -2 * 0.538821  # where the step of G reaches E as well
    _need_moved(model.encoder, 4, "train_ae_gan", "the encoder", once, twice)


def _import_afresh(name: str):
    """The student's module as it is on disk now, whatever was imported before."""
    importlib.invalidate_caches()
    before = sys.modules.pop(name, None)
    try:
        return importlib.import_module(name)
    except BaseException:
        if before is not None:
            sys.modules[name] = before
        raise


def _try(entry: Question, module) -> str | None:
    """None when the check passes, else its sentence."""
    missing = [name for name in entry.names if not hasattr(module, name)]
    if missing:
        return f"{Path(module.__file__).name} has no {' and no '.join(missing)}."
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            entry.run(*(getattr(module, name) for name in entry.names))
    except (NotYet, SystemExit) as error:
        return explain(error)
    return None


def check(part: str) -> bool:
    """Check a part, or one question, "part.question"; print a table; True if all pass."""
    chosen = [q for q in QUESTIONS.values() if part in (q.id, q.id.partition(".")[0])]
    if not chosen:
        print(f"There is no part {part!r}. There are {', '.join(MODULES)}.")
        return False
    name = MODULES[part.partition(".")[0]]
    try:
        module = _import_afresh(name)
    except (Exception, SystemExit) as error:
        print(f"{name}.py cannot be imported. {explain(error)}")
        return False
    print(f"{part}: {name}.py\n")
    width = max(len(q.id.partition(".")[2]) for q in chosen)
    passed, wanted = 0, 0
    for entry in chosen:
        sentence = _try(entry, module)
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
