"""The visible checks: they say at once what is wrong, where, and what to do about it.

    part      checks
    fc-vae    check_networks  check_reparametrize  check_forward  check_loss  check_cvae
    conv-gan  check_DNet  check_GNet  check_weight_init  check_loss_d  check_loss_g
    fc-gan    check_sample_noise  check_discriminator  check_generator  check_discriminator_loss
              check_generator_loss  check_get_optimizer  check_build_dc_classifier
              check_build_dc_generator  check_least_squares

Each takes what you wrote, as in check_reparametrize(reparametrize), and stops with a sentence when
something is off. check("fc-vae") reads your file afresh from disk, runs all checks of the part
and prints a table. Everything compared with here is public. Marks come from other checks, which
are not shown: the table says what they look at.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import sys
import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from hw5_utils import count_params, one_hot, rel_error

MODULES = {"fc-vae": "hw5_vae", "conv-gan": "hw5_gan", "fc-gan": "hw5_gan"}
BY_HAND = {"fc-vae": ("figures",), "conv-gan": ("images",), "fc-gan": ("pictures",)}
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
    z = reparametrize(mu, logvar)
    need_shape(z, (20_000, 5), "reparametrize's z")
    mean, std = z.mean().item(), z.std().item()
    need(z.std(0).min() > 0.01, "reparametrize: every row gets the same noise.")
    need(z.std(1).min() > 0.001, "reparametrize: a row's entries all get the same noise.")
    need(abs(mean - 3) < 0.05, f"reparametrize: z has mean {mean:.3f} where mu is 3.")
    known = {4.0: "This is exp(logvar), the variance.", 1.386: "This is logvar itself."}
    known |= {1.0: "The spread is ignored.", 1.177: "This is the root of logvar."}
    hint = [why for value, why in known.items() if abs(std - value) < 0.05]
    sentence = f"reparametrize: z has standard deviation {std:.3f} where variance is 4, so 2. "
    need(abs(std - 2) < 0.05, sentence + "".join(hint))
    need(z.requires_grad, "reparametrize: z has no gradient. Draw eps, then use mu + sigma * eps.")
    z.sum().backward()
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
    """Check a part ("fc-vae") or one question ("fc-vae.loss"); print a table; True if all pass."""
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
