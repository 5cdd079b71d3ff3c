"""Hidden checks of the part bernoulli-vae: Decoder, the static methods of BernoulliVAE, elbo_loss.

A static method is asked of the class or, where it was written with `self`, of a model. The
evidence lower bound is asked with given functions in the places of the log-densities, so that
what is wrong in one of them costs once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import (
    GRADIENT,
    Fail,
    Partial,
    close,
    either,
    expect,
    matches,
    parallel,
    tensor,
)
from ...checking.networks import stands_alone
from ...checking.noise import (
    MANY,
    SIGMAS,
    has_normal_tails,
    is_as_drawn,
    is_centred,
    is_drawn_singly,
    is_independent,
    is_standard,
    reaches_far,
)
from ...checking.proxy import (
    Gradients,
    Remote,
    StudentError,
    assign,
    fill,
    gradients,
    leaves_alone,
    load_weights,
    mix,
    value,
    without_grad,
)
from ...checking.registry import Rng, check
from ...inside.session import recipe
from ..fc_vae.models import Linear, evaluating, expect_unlikely_pixels, linears, run_network

Act = Callable[[torch.Tensor], torch.Tensor]
Density = Callable[..., torch.Tensor]

LATENT, HIDDEN, PIXELS = 2, 500, 784
TANH_SIGMOID: list[Act] = [torch.tanh, torch.sigmoid]

TWO_LAYERS = (
    "there are two Linear layers in all, fc1 and fc2: one hidden layer, then the output. The "
    "statement that speaks of two hidden layers counts the output among them."
)
LAYERS = "z -> fc1 -> tanh -> fc2 -> sigmoid."
SAMPLING = (
    "Draw eps from N(0, 1), one number for each entry, and compute z = mu + sigma * eps. "
    "sigma_square is the variance: what is sigma?"
)
PER_ROW = "One number for each row: sum over the last dimension, and over nothing else."
COMPARE = "Draw one uniform number for each entry; how often does it lie below p?"
NO_GRADIENT = "detach(), .data, .item() and torch.no_grad() cut the way that training takes."
EQ_2 = "Eq. 2, with one code per image: the mean over the batch of log p(x|z) + log p(z) - log q."


# Decoder


@check("bernoulli-vae.decoder", share=3)
def gives_the_probability_of_each_pixel(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder passes codes through a Linear layer, tanh, a second Linear layer and a sigmoid:
    500 hidden units, 784 probabilities.
    """
    _compare_decoder(hw5_vae, rng, LATENT, HIDDEN, PIXELS)


@check("bernoulli-vae.decoder", share=1)
def has_the_sizes_asked_for(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder takes its three sizes from latent_dimension, hidden_units and data_dimension.

    A slip in the layers has lost its marks in the other check.
    """
    with suppress(Partial):
        _compare_decoder(hw5_vae, rng, 3, 17, 29)


@check("bernoulli-vae.decoder", share=1)
def decoder_can_be_trained(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients pass through the decoder to its weights and to the codes.

    A slip in the layers has lost its marks in the first check.
    """
    decoder = _new_decoder(hw5_vae, LATENT, HIDDEN, PIXELS)
    z, weight = rng.normal(4, LATENT), rng.normal(4, PIXELS)
    layers = _layers(rng.seed, fill(decoder, rng.seed, "execution", [z]))
    found = gradients(decoder, z, wrt=(0,), of=[decoder], cotangent=weight)
    p = tensor(found.value, [(4, PIXELS)], "What the decoder gives", LAYERS)
    expect(
        found.value.dtype == torch.float32,
        f"What the decoder gives is of {found.value.dtype}; pixels are float32.",
    )
    reached = [isinstance(one, torch.Tensor) and bool(one.any()) for one in found.objects[0]]
    expect(
        any(reached) and isinstance(found.inputs[0], torch.Tensor),
        "No gradient passes from the probabilities back to the weights and the codes.",
        NO_GRADIENT,
    )
    for _, run, acts in _decoders(layers):
        if _gives(p, z, run, acts):
            asked = z.clone().requires_grad_(True)
            total = (run_network(asked, run, acts) * weight).sum()
            count = len(run) * (1 if isinstance(run[0], Unbiased) else 2)
            expect(
                sum(reached) >= count, "Not all of the decoder's layers are trained.", NO_GRADIENT
            )
            if parallel(found.inputs, torch.autograd.grad(total, asked)):
                break
    else:
        raise Fail("The gradient of the codes is not that of the decoder's layers.", LAYERS)
    stands_alone("Decoder", partial(_new_decoder, hw5_vae, LATENT, HIDDEN, PIXELS), z)


def _new_decoder(hw5_vae: Remote, *sizes: int) -> Remote:
    decoder = hw5_vae.Decoder(*sizes)
    if not isinstance(decoder, Remote):
        raise Fail("Decoder(...) does not make a network.")
    return decoder


def _compare_decoder(hw5_vae: Remote, rng: Rng, latent: int, hidden: int, data: int) -> None:
    """Fail unless Decoder(latent, hidden, data) is the network of the statement. A network with one
    known slip keeps half.
    """
    decoder = _new_decoder(hw5_vae, latent, hidden, data)
    both = [rng.normal(4, latent, std=std) for std in (1.0, 4.0)]
    layers = _layers(rng.seed, fill(decoder, rng.seed, "execution", both[:1]))
    what = "What the decoder gives"
    p = torch.cat([tensor(decoder(z), [(4, data)], what, LAYERS) for z in both])
    z = torch.cat(both)
    named = [says for says, run, acts in _decoders(layers) if _gives(p, z, run, acts)]
    if not named:
        expect(len(layers) >= 2, f"The decoder is wrong: {TWO_LAYERS}", LAYERS)
        expect(_fit(z, layers[:2]), "The decoder's Linear layers do not fit one another.", LAYERS)
        made = run_network(z, layers[:2], TANH_SIGMOID)
        close(
            p,
            made,
            what,
            right="what both layers make of z, with a tanh and a sigmoid",
            hint=LAYERS,
        )
    if named[0]:
        raise Partial(0.5, f"The decoder is wrong: {named[0]}", LAYERS)
    alone = decoder(z[:1])
    if not isinstance(alone, torch.Tensor) or not matches(alone, p[:1]):
        raise Partial(0.5, "A single code gives something else than among others.", LAYERS)
    expect(
        layers[0].outputs == hidden,
        f"With hidden_units={hidden}, the hidden layer has {layers[0].outputs} units.",
    )
    _expect_sure_pixels(decoder, layers[:2], z)


def _expect_sure_pixels(decoder: Remote, layers: Sequence[Linear], z: torch.Tensor) -> None:
    """Weights are so large that pixels come near 0 and 1: there, too, they are what is asked."""
    loud = [[8 * one for one in layer.parameters()] for layer in layers]
    with suppress(StudentError):  # a decoder that has more layers than it uses
        load_weights(decoder, [one for pair in loud for one in pair], "execution", [z])
        p = run_network(z, [partial(_linear, *pair) for pair in loud], TANH_SIGMOID)
        if not matches(decoder(z), p):
            raise Partial(0.5, "The decoder keeps its pixels away from 0 and 1.", LAYERS)


def _linear(weight: torch.Tensor, bias: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, weight, bias)


class Unbiased(Linear):
    """A Linear layer that was made with bias=False."""

    def parameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        weight = recipe(self.seed, self.index, (self.outputs, self.inputs))
        return weight, torch.zeros(self.outputs)


def _layers(seed: int, shapes: Any) -> list[Linear]:
    """The layers behind a filled decoder's shapes, with biases or all without."""
    if isinstance(shapes, list) and len(shapes) > 1:
        biased = [[shape, shape[:1]] for shape in shapes[:3] if isinstance(shape, list)]
        if all(len(shape) == 2 for shape, _ in biased):
            solid = linears(seed, [shape for pair in biased for shape in pair])
            return [
                Unbiased(seed, index, layer.inputs, layer.outputs)
                for index, layer in enumerate(solid)
            ]
    return linears(seed, shapes)


def _fit(z: torch.Tensor, layers: Sequence[Linear]) -> bool:
    sizes = [z.shape[1], *(layer.outputs for layer in layers)]
    return [layer.inputs for layer in layers] == sizes[:-1]


def _gives(p: torch.Tensor, z: torch.Tensor, layers: Sequence[Linear], acts: list[Act]) -> bool:
    """Is p what these layers and activations make of z?"""
    if not _fit(z, layers) or layers[-1].outputs != p.shape[1]:
        return False
    return matches(p, run_network(z, layers, acts))


def _same(x: torch.Tensor) -> torch.Tensor:
    return x


def _softmax(x: torch.Tensor) -> torch.Tensor:
    return F.softmax(x, dim=1)


def _decoders(layers: Sequence[Linear]) -> Iterator[tuple[str, Sequence[Linear], list[Act]]]:
    """What a decoder may do with its layers: first the right thing, then one slip at a time, with
    the sentence that names it. Layers beyond those that are used do no harm.
    """
    two, three = layers[:2], layers[:3]
    tanh, sigmoid = torch.tanh, torch.sigmoid
    if len(two) == 2:
        no_bias = "its layers have no bias." if isinstance(two[0], Unbiased) else ""
        yield no_bias, two, TANH_SIGMOID
        for name, act in {
            "ReLU": torch.relu,
            "LeakyReLU": F.leaky_relu,
            "a sigmoid": sigmoid,
            "no activation": _same,
        }.items():
            yield (
                f"{name} follows its first layer; the question asks for tanh.",
                two,
                [act, sigmoid],
            )
        ends: dict[str, Act] = {
            "the sigmoid at its end is missing.": _same,
            "its end is a sigmoid twice over; once is right.": lambda x: sigmoid(sigmoid(x)),
            "its end is tanh; probabilities lie between 0 and 1, which takes a sigmoid.": tanh,
            "its end is ReLU; probabilities lie between 0 and 1, which takes a sigmoid.": F.relu,
            "its end is a softmax; the pixels are independent of one another.": _softmax,
        }
        for sentence, end in ends.items():
            yield sentence, two, [tanh, end]
        yield "tanh and sigmoid have changed places.", two, [sigmoid, tanh]
    if len(three) == 3:
        inside: tuple[Act, ...] = (tanh, sigmoid, torch.relu, _same)
        for one, other in product(inside, inside):
            yield TWO_LAYERS, three, [one, other, sigmoid]


# The static methods


def _model(hw5_vae: Remote, *sizes: int) -> Remote:
    """A BernoulliVAE. Where its decoder cannot be built, which has cost its marks, the encoder,
    which is given, stands in for it.
    """
    try:
        model = hw5_vae.BernoulliVAE(*sizes)
    except StudentError:
        assign(hw5_vae.Decoder, value(hw5_vae.Encoder))
        model = hw5_vae.BernoulliVAE(*sizes)
    if not isinstance(model, Remote):
        raise Fail("BernoulliVAE(...) does not make a model.")
    return model


def _static(hw5_vae: Remote, name: str, *example: torch.Tensor) -> Remote:
    """A method that can be asked: of the class or, where it was written with `self`, of a model."""
    of_class: Remote = getattr(hw5_vae.BernoulliVAE, name)
    try:
        of_class(*example)
    except StudentError as error:
        if error.type != "TypeError":
            raise
        of_model: Remote = getattr(_model(hw5_vae, LATENT, 5, 9), name)
        return of_model
    return of_class


def _gaussian_sampler(hw5_vae: Remote) -> Remote:
    return _static(hw5_vae, "sample_diagonal_gaussian", torch.zeros(1, 2), torch.ones(1, 2))


@check("bernoulli-vae.sample_diagonal_gaussian")
def has_mean_and_variance(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """sample_diagonal_gaussian draws z with mean mu and variance sigma_square.

    Two calls, five columns of 4000 draws in each, with another mean and variance half way: mean,
    spread and the share within one sigma are compared within six standard errors, as is what lies
    beyond two and three, and nothing is evened out. A right answer fails with a probability below
    9e-7. Means up to 9, variances from 0.00002 to 400 and, of many more draws, noise beyond 4
    occur, so that one that is cut off before is always seen, and so is one to which 0.001 is added.
    """
    sample = _gaussian_sampler(hw5_vae)
    far, scale = torch.tensor([6.0, -6.0, 0, 0, 0]), torch.tensor([1.0, 1.0, 1.0, 60.0, 1e-5])
    inputs = [
        (_halves(rng.uniform(1, 3, 2, 5) + far), _halves(scale * rng.uniform(2.0, 6.0, 2, 5)))
        for _ in range(2)
    ]
    draws = [tensor(sample(*one), [tuple(one[0].shape)], "z", SAMPLING) for one in inputs]
    many = tensor(sample(torch.zeros(MANY, 1), torch.ones(MANY, 1)), [(MANY, 1)], "z", SAMPLING)
    for z, (mu, variance) in zip(draws, inputs, strict=True):
        noise = (z - mu) / variance.sqrt()
        expect(is_centred(noise), "The mean of z over many draws is not mu.", SAMPLING)
        expect(
            is_standard(noise),
            "The spread of z around each image's own mu is not that of its own sigma_square.",
            SAMPLING,
        )
        expect(
            has_normal_tails(noise) and reaches_far(many),
            "z never lies far from mu, or too often: eps is not N(0, 1).",
            "randn draws from N(0, 1); leave its numbers as they are.",
        )
        expect(
            is_independent(noise) and is_as_drawn(noise),
            "The draws of a batch depend on one another: their means or spreads are too even.",
            "randn draws from N(0, 1); leave its numbers as they are.",
        )
    _expect_left_alone(sample, "sample_diagonal_gaussian", *(one[:4] for one in inputs[0]))


def _expect_left_alone(function: Remote, name: str, *inputs: torch.Tensor) -> None:
    """A function that spoils what others need after it keeps half."""
    if not leaves_alone(function, *inputs):
        raise Partial(
            0.5,
            f"{name} changes its inputs in place, and others go on with them.",
            "x + y makes a new tensor; x += y, x.add_(y) and other names that end in _ do not.",
        )


def _halves(rows: torch.Tensor) -> torch.Tensor:
    """Two rows (2, Z), each 2000 times."""
    return rows.repeat_interleave(2000, dim=0)


@check("bernoulli-vae.sample_diagonal_gaussian")
def draws_noise_for_every_entry(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every entry of z gets noise of its own, and every call draws anew.

    The spread within each row and column of 64 draws is compared with half of what it should be;
    a right answer fails with a probability below 6e-8.
    """
    sample = _gaussian_sampler(hw5_vae)
    draws = [
        tensor(sample(torch.zeros(64, 64), torch.ones(64, 64)), [(64, 64)], "z", SAMPLING)
        for _ in range(2)
    ]
    _expect_fresh(draws, 0.5, SAMPLING)
    expect(is_drawn_singly(draws[0]), "Its noise is rounded.", "Leave it as randn draws it.")
    alone = without_grad(sample)(torch.zeros(1, 64), torch.ones(1, 64))
    _expect_noise_alone(tensor(alone, [(1, 64)], "z of a single image", SAMPLING), 0.5, SAMPLING)


def _expect_noise_alone(row: torch.Tensor, least: float, hint: str) -> None:
    says = "For a single image, or where no gradients are asked for, nothing is drawn."
    expect(float(row.std()) > least, says, hint)


def _expect_fresh(draws: Sequence[torch.Tensor], least: float, hint: str) -> None:
    """Fail where the noise of two square draws is shared by rows, by columns, or by both calls."""
    down, across = (float(draws[0].std(dim).nan_to_num(0.0).min()) for dim in (0, 1))
    expect(
        max(down, across) > least,
        "There is no noise in it, or one random number serves all entries.",
        hint,
    )
    expect(down > least, "Every image of the batch gets the same noise.", hint)
    expect(across > least, "All entries of an image get the same noise.", hint)
    expect(
        not matches(draws[1], draws[0]),
        "Two calls draw the same noise.",
        "Seeds are set once, outside of the function.",
    )


@check("bernoulli-vae.sample_diagonal_gaussian")
def lets_gradients_reach_mu_and_sigma(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients reach mu and sigma_square through z = mu + sigma * eps.

    Noise is read off z itself. The spread may be a wrong function of sigma_square here: that costs
    the first check.
    """
    shape = (8, 3)
    mu, variance = rng.normal(*shape), rng.uniform(1.5, 4.0, *shape)
    weight = rng.uniform(0.5, 1.5, *shape)
    sample = _gaussian_sampler(hw5_vae)
    found = gradients(sample, mu, variance, wrt=(0, 1), cotangent=weight)
    z = tensor(found.value, [shape], "z", SAMPLING)
    expect(
        found.value.dtype == mu.dtype,
        f"z is of {found.value.dtype} for mu of {mu.dtype}: the decoder raises an error.",
        "numpy draws float64; torch.randn_like(mu) has the type of mu.",
    )
    hint = (
        "torch.normal(mu, sigma), sample(), detach() and .data let no gradient through: draw eps "
        "first, then compute with mu and sigma_square."
    )
    for name, grad in zip(("mu", "sigma_square"), found.inputs, strict=True):
        reached = isinstance(grad, torch.Tensor) and bool(grad.count_nonzero() > 0)
        expect(reached, f"No gradient reaches {name}.", hint)
    what = "The gradient with respect to"
    by_mu = tensor(found.inputs[0], [shape], f"{what} mu", hint)
    expect(matches(by_mu, weight, GRADIENT), f"{what} mu is not that of mu + sigma * eps.", hint)
    noise = weight * (z - mu)
    slopes = (noise / (2 * variance), noise / variance, noise / 2, noise, 2 * noise / variance)
    by_variance = tensor(found.inputs[1], [shape], f"{what} sigma_square", hint)
    expect(
        any(matches(by_variance, slope, GRADIENT) for slope in slopes),
        f"{what} sigma_square is not that of mu + sigma * eps.",
        hint,
    )


def _pixel_sampler(hw5_vae: Remote) -> Remote:
    return _static(hw5_vae, "sample_Bernoulli", torch.full((1, 2), 0.5))


def _pixels(x: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """What sample_Bernoulli gave, as float32, whatever kind of number it holds."""
    if isinstance(x, torch.Tensor) and not (x.is_floating_point() or x.is_complex()):
        x = x.float()
    return tensor(x, [shape], "x", COMPARE)


ENDS = torch.tensor([0.0205, 0.9795])


@check("bernoulli-vae.sample_Bernoulli")
def is_one_with_probability_p(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """sample_Bernoulli draws 1 with probability p.

    Two calls, eight columns of 10,000 draws in each, their means compared within six standard
    errors; a right answer fails with a probability below 1e-6. In the last two it shows when p is
    compared with fiftieths.
    """
    n, width = 10_000, 8
    sample = _pixel_sampler(hw5_vae)
    for _ in range(2):
        p = torch.cat((rng.uniform(0.1, 0.4, 3), rng.uniform(0.6, 0.9, 3), ENDS))
        x = _pixels(sample(p.expand(n, width)), (n, width))
        error = 1.2 * SIGMAS * (p * (1 - p) / n).sqrt()  # 1.2: binomial tails are a bit wider
        seen = x.mean(0)
        if bool(((seen - p).abs() < error).all()):
            expect(bool(((x == 0) | (x == 1)).all()), "x should hold zeros and ones only.", COMPARE)
            continue
        expect(
            not bool(((seen - 1 + p).abs() < error).all()),
            "x is wrong: it is 1 with probability 1 - p; the comparison points the other way.",
            COMPARE,
        )
        expect(
            not matches(x, (p > 0.5).float().expand(n, width)),
            "x is wrong: it is p rounded, which is no draw.",
            COMPARE,
        )
        raise Fail("The share of ones over many draws is not p.", COMPARE)
    _expect_left_alone(sample, "sample_Bernoulli", rng.uniform(0.1, 0.9, 3, 4))


@check("bernoulli-vae.sample_Bernoulli")
def draws_every_pixel_on_its_own(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every entry of x is drawn on its own, and every call draws anew.

    The spread within each row and column of 128 draws, 0.5 where p = 0.5, is compared with 0.35:
    a right answer fails with a probability below 1e-12.
    """
    p = torch.full((128, 128), 0.5)
    sample = _pixel_sampler(hw5_vae)
    _expect_fresh([_pixels(sample(p), (128, 128)) for _ in range(2)], 0.35, COMPARE)
    _expect_noise_alone(_pixels(without_grad(sample)(p[:1]), (1, 128)), 0.35, COMPARE)


@check("bernoulli-vae.sample_Bernoulli")
def holds_float_zeros_and_ones(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """x has the shape of p and holds float32 zeros and ones: 0 where p is 0, and 1 where p is 1."""
    sample = _pixel_sampler(hw5_vae)
    for shape in ((4, 30), (50,), (3, 1, 6, 7)):
        p = (rng.uniform(0, 1, *shape) < 0.5).float()
        drawn = sample(p)
        x = _pixels(drawn, shape)
        expect(bool(((x == 0) | (x == 1)).all()), "x should hold zeros and ones only.", COMPARE)
        if not matches(x, p) and not matches(x, 1 - p):
            # Turned round it has lost its marks in the first check.
            raise Fail("Where p is 0 or 1 there is nothing to draw: x should be p.", COMPARE)
        if drawn.dtype != torch.float32:
            raise Partial(
                0.5, f"x is of {drawn.dtype}; the model goes on with float32: add .float()."
            )


# The log-densities


def _gaussian(z: torch.Tensor, mu: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    squares = (z - mu) ** 2 / variance
    return -0.5 * (torch.log(2 * math.pi * variance) + squares).sum(-1)


def _bernoulli(x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1)


RIGHT = {
    "logpdf_diagonal_gaussian": "the sum over j of log(2 pi sigma_j^2) + (z_j - mu_j)^2 / "
    "sigma_j^2, times -1/2",
    "logpdf_bernoulli": "the logarithm of your formula in 1(a), summed over the pixels of a row",
}


def _compare_density(
    answers: Sequence[Any], inputs: Sequence[Sequence[torch.Tensor]], right: Density, name: str
) -> None:
    """Fail unless each answer, for inputs of one shape, is the density: one number a row."""
    expected = torch.cat([right(*one) for one in inputs])
    n = len(expected) // len(inputs)
    for answer in answers:
        if isinstance(answer, torch.Tensor) and answer.shape == ():
            raise Fail(
                f"{name} is wrong: the rows of the batch are reduced to one number.", PER_ROW
            )
    rows = [tensor(answer, [(n,), (n, 1)], name, PER_ROW) for answer in answers]
    close(torch.cat(rows), expected, name, right=RIGHT[name], hint=PER_ROW)
    if any(tuple(answer.shape) != (n,) for answer in answers):
        raise Partial(0.5, f"{name} has shape {(n, 1)}; it should be {(n,)}.", PER_ROW)


def _expect_gradients(
    method: Remote, inputs: Sequence[torch.Tensor], wrt: Sequence[int], rng: Rng, name: str
) -> None:
    """Fail unless the gradients at `wrt` are those of what is computed, right or wrong: a formula
    that is wrong has lost its marks. Small steps along each gradient tell.
    """
    # Asked without weights: a wrong shape, which has been paid for, trains as well.
    found = gradients(method, *inputs, wrt=wrt)
    reached = [one for one in found.inputs if isinstance(one, torch.Tensor) and one.any()]
    expect(len(reached) == len(wrt), f"No gradient passes through {name}.", NO_GRADIENT)
    for place, grad in zip(wrt, reached, strict=True):
        way = grad.sign() * rng.uniform(0.5, 1.5, *grad.shape)
        ends = []
        for step in (STEP, -STEP):
            moved = [one + step * way if k == place else one for k, one in enumerate(inputs)]
            value = method(*moved)
            expect(isinstance(value, torch.Tensor), f"{name} should be a tensor.", PER_ROW)
            ends.append(float(value.double().sum()))
        rise, wanted = (ends[0] - ends[1]) / (2 * STEP), float((grad * way).sum())
        expect(
            abs(rise - wanted) < 0.02 * abs(wanted),
            f"The gradients of {name} are not those of what it computes.",
            NO_GRADIENT,
        )


STEP = 2e-3
"""So small that no logarithm bends over it, and so large that rounding does not count: both are
below a thousandth of what a sum of gradients makes of it.
"""


def _log_gaussian(hw5_vae: Remote) -> Remote:
    example = (torch.ones(1, 2), torch.zeros(1, 2), torch.ones(1, 2))
    return _static(hw5_vae, "logpdf_diagonal_gaussian", *example)


def _codes(rng: Rng, n: int, latent: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z, mu and variances; every term of the density counts, and no density is very small."""
    mu, variance = rng.normal(n, latent), rng.uniform(0.3, 2.5, n, latent)
    return mu + rng.uniform(-2, 2, n, latent) * variance.sqrt(), mu, variance


def _scaled_codes(rng: Rng, n: int, latent: int, times: float = 0.05) -> tuple[torch.Tensor, ...]:
    """The same with standard deviations so many times as large: with variances as small as training
    makes them, what is added to them shows.
    """
    z, mu, variance = _codes(rng, n, latent)
    return mu + times * (z - mu), mu, times**2 * variance


def _far_codes(rng: Rng, n: int, latent: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z so far from mu that the density rounds to 0, in 64 bits as well; its logarithm does not."""
    mu, variance = rng.normal(n, latent), rng.uniform(0.3, 2.5, n, latent)
    return mu + rng.uniform(40, 60, n, latent) * variance.sqrt(), mu, variance


def _expect_one_row(logpdf: Remote, inputs: Sequence[torch.Tensor], name: str) -> None:
    """A batch of one image is a batch: its answer has one row."""
    answer = logpdf(*(one[:1] for one in inputs))
    if not isinstance(answer, torch.Tensor) or answer.shape not in ((1,), (1, 1)):
        raise Partial(0.75, f"{name} does not give one number a row for a single row.", PER_ROW)


@check("bernoulli-vae.logpdf_diagonal_gaussian", share=4)
def is_the_log_density(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """logpdf_diagonal_gaussian gives the logarithm of the density of z, one number for each row,
    also where z is far from mu, and where variances are about 2e-5 or 9e4.
    """
    logpdf, name = _log_gaussian(hw5_vae), "logpdf_diagonal_gaussian"
    for latent in (2, 5):
        inputs = [_codes(rng, 6, latent), _scaled_codes(rng, 6, latent)]
        answers = [logpdf(*one) for one in inputs]
        _compare_density(answers, inputs, _gaussian, name)
        _expect_one_row(logpdf, inputs[0], name)
    _expect_left_alone(logpdf, name, *inputs[0])
    far = _far_codes(rng, 4, 2)
    if not matches(tensor(logpdf(*far), [(4,), (4, 1)], name, PER_ROW), _gaussian(*far)):
        raise Partial(
            0.75,
            f"{name} is right near mu, and wrong far from it: there the density underflows, it "
            "rounds to 0.",
            "Take no logarithm of a product of densities; sum their logarithms, without exp.",
        )
    for times in (0.004, 300.0):
        ends = _scaled_codes(rng, 4, 2, times)
        if not matches(tensor(logpdf(*ends), [(4,), (4, 1)], name, PER_ROW), _gaussian(*ends)):
            raise Partial(
                0.75,
                f"{name} is right for usual variances, and wrong for very small or very large "
                "ones.",
                "A variance is any positive number; nothing may cut it off or be added to it.",
            )


@check("bernoulli-vae.logpdf_diagonal_gaussian", share=1)
def takes_one_prior_for_all_rows(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """A mean and a variance of shape (Z,) hold for every row, as those of a prior do."""
    logpdf = _log_gaussian(hw5_vae)
    for latent in (2, 5):
        z, mu, variance = _codes(rng, 6, latent)
        shared = (z, mu[0], variance[0])
        whole = (z, mu[0].expand(6, latent), variance[0].expand(6, latent))
        answers = [
            tensor(logpdf(*one), [(6,), (6, 1)], "The result", PER_ROW) for one in (shared, whole)
        ]
        expect(
            matches(answers[0], answers[1]),
            "A prior of shape (Z,) gives other numbers than the same prior repeated for each row.",
            "Sum over the last dimension, and let torch broadcast.",
        )
        expect(
            float(answers[0].std()) > 1e-3 * float(answers[0].abs().max()),
            "With a prior of shape (Z,), the result is the same for all rows.",
            PER_ROW,
        )


@check("bernoulli-vae.logpdf_diagonal_gaussian", share=1)
def gaussian_passes_gradients(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients of the log-density reach z, mu and sigma_square."""
    logpdf = _log_gaussian(hw5_vae)
    inputs = _codes(rng, 6, 3)
    _expect_gradients(logpdf, inputs, (0, 1, 2), rng, "logpdf_diagonal_gaussian")


def _log_bernoulli(hw5_vae: Remote) -> Remote:
    return _static(hw5_vae, "logpdf_bernoulli", torch.ones(1, 2), torch.full((1, 2), 0.5))


def _images(rng: Rng, n: int, pixels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """x of zeros and ones; p away from 0 and 1, where right formulas differ in their rounding."""
    return (rng.uniform(0, 1, n, pixels) < 0.4).float(), rng.uniform(0.01, 0.99, n, pixels)


@check("bernoulli-vae.logpdf_bernoulli", share=4)
def is_the_log_probability(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """logpdf_bernoulli gives the logarithm of the probability of each image, summed over its
    pixels.
    """
    logpdf = _log_bernoulli(hw5_vae)
    for pixels in (PIXELS, 9):
        inputs = [_images(rng, 5, pixels) for _ in range(2)]
        answers = [logpdf(*one) for one in inputs]
        _compare_density(answers, inputs, _bernoulli, "logpdf_bernoulli")
        _expect_one_row(logpdf, inputs[0], "logpdf_bernoulli")


@check("bernoulli-vae.logpdf_bernoulli", share=1)
def stays_finite_at_both_ends(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Where p is exactly 0 or 1, the logarithm stays finite: 0 where x agrees with p, far below 0
    where it does not.
    """
    logpdf = _log_bernoulli(hw5_vae)
    x = (rng.uniform(0, 1, 3, 50) < 0.5).float()
    p = torch.stack((x[0], torch.full((50,), 0.5), torch.cat((1 - x[2, :1], x[2, 1:]))))
    hint = "Keep p a tiny step away from both ends: torch.clamp."
    answer = logpdf(x, p)
    if isinstance(answer, torch.Tensor) and answer.shape == (3, 50):
        answer = answer.sum(1)  # the shape has been paid for
    agrees, even, differs = tensor(answer, [(3,), (3, 1)], "logpdf_bernoulli", PER_ROW).tolist()
    expect(
        math.isfinite(even) and abs(even) > 0.1, "It is wrong where p is 1/2 in every pixel.", hint
    )
    expect(
        not math.isnan(agrees) and not math.isnan(differs),
        "it is NaN where p is 0 or 1, because 0 * log(0) is; a trained decoder gives such p.",
        hint,
    )
    expect(
        abs(agrees) < 0.1, "It is not 0 where p is 0 or 1 and x agrees: x is certain there.", hint
    )
    if not math.isfinite(differs):
        raise Partial(
            0.5,
            "it is infinite where p is 0 or 1 and x differs: one pixel ends the training.",
            hint,
        )
    expect(abs(differs) > 3, "It should be far from 0 where p is 0 and x is 1.", hint)
    expect_unlikely_pixels(lambda p, x: abs(float(logpdf(x, p).sum())), 1, 10)


@check("bernoulli-vae.logpdf_bernoulli", share=1)
def bernoulli_passes_gradients(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients of the log-probability reach p."""
    logpdf = _log_bernoulli(hw5_vae)
    x, p = _images(rng, 5, 40)
    _expect_gradients(logpdf, (x, 0.1 + 0.8 * p), (1,), rng, "logpdf_bernoulli")


# The evidence lower bound

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""sampled_z, mu, sigma_square, x, p: the arguments of elbo_loss."""

GIVEN_GAUSSIAN = {"z": 1.3, "mu": -0.7, "sigma_square": 0.9}
GIVEN_BERNOULLI = {"x": 1.7, "p": -2.3}


def _batch(rng: Rng, n: int, latent: int, pixels: int) -> Batch:
    return (*_codes(rng, n, latent), *_images(rng, n, pixels))


def _with_given_densities(hw5_vae: Remote, sizes: tuple[int, int], rows: bool) -> Remote:
    """A model of latent and pixel sizes whose log-densities are known linear functions, however
    elbo_loss calls them; with `rows` they give one number for each image.

    Until the check ends, the model stands for its class too, for an elbo_loss that asks the class.
    """
    latent, pixels = sizes
    model = _model(hw5_vae, latent, 5, pixels)
    assign(model.logpdf_diagonal_gaussian, mix(hw5_vae, rows, **GIVEN_GAUSSIAN))
    assign(model.logpdf_bernoulli, mix(hw5_vae, rows, **GIVEN_BERNOULLI))
    assign(hw5_vae.BernoulliVAE, model)
    return model


def _given_gaussian(z: torch.Tensor, mu: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    a, b, c = GIVEN_GAUSSIAN.values()
    return (a * z + b * mu + c * variance).sum(-1)


def _given_bernoulli(x: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    a, b = GIVEN_BERNOULLI.values()
    return (a * x + b * p).sum(-1)


def _densities() -> Iterator[tuple[Density, Density, Density]]:
    """Of q, of the prior and of the pixels: the given ones, or what a bound computes itself."""
    gaussians, bernoullis = (_given_gaussian, _gaussian), (_given_bernoulli, _bernoulli)
    return product(gaussians, gaussians, bernoullis)


Terms = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _terms(batch: Sequence[torch.Tensor], q: Density, prior: Density, bernoulli: Density) -> Terms:
    """log p(x|z), log p(z), log q(z|x), each (N,), by these densities."""
    z, mu, variance, x, p = batch
    return (
        bernoulli(x, p),
        prior(z, torch.zeros_like(z), torch.ones_like(z)),
        q(z, mu, variance),
    )


def _right(log_p: torch.Tensor, log_prior: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    return (log_p + log_prior - log_q).mean()


def _scalar(bound: Any) -> torch.Tensor:
    return tensor(bound, [(), (1,)], "elbo_loss", "It is one number for the batch.")


@check("bernoulli-vae.elbo_loss", share=3)
def is_the_evidence_lower_bound(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """elbo_loss is the bound of Eq. 2: log p(x|z) + log p(z) - log q(z|x), averaged over the
    images. Larger is better.

    The log-densities are given ones where elbo_loss calls them, so that a mistake in one of them
    costs once. What it computes on its own is compared with the definition.
    """
    own = value(hw5_vae.BernoulliVAE)
    batches = [_batch(rng, n, 3, 7) for n in (5, 5, 1)]
    narrow = [_batch(rng, n, 1, 1) for n in (5, 5, 3)]

    def way(on: Sequence[Batch], rows: bool) -> None:
        assign(hw5_vae.BernoulliVAE, own)
        latent, pixels = on[0][0].shape[1], on[0][3].shape[1]
        model = _with_given_densities(hw5_vae, (latent, pixels), rows)
        bounds = torch.stack([_scalar(model.elbo_loss(*batch)) for batch in on])
        with evaluating(model):
            again = _scalar(model.elbo_loss(*on[0]))
        expect(matches(again, bounds[0]), "After model.eval() elbo_loss gives something else.")
        for given in _densities():
            terms = [_terms(batch, *given) for batch in on]
            if matches(bounds, torch.stack([_right(*one) for one in terms])):
                return
        given = (_given_gaussian, _given_gaussian, _given_bernoulli)
        expected = torch.stack([_right(*_terms(batch, *given)) for batch in on])
        right = "the mean over the images of log p(x|z) + log p(z) - log q(z|x)"
        close(bounds, expected, "elbo_loss", right=right, hint=EQ_2)

    # A wrong shape of their log-densities has cost its marks: a bound may make up for
    # a sum that is left out, and where it cannot take one number a row, for (N, 1).
    try:
        way(batches, True)
    except StudentError:
        either(partial(way, batches, False), partial(way, narrow, False))
    except Fail as fail:
        try:
            way(batches, False)
        except (Fail, StudentError):
            raise fail from None


@check("bernoulli-vae.elbo_loss", share=1)
def can_be_maximised(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients of elbo_loss reach the codes, mu, sigma_square and p as those of Eq. 2 do.

    A bound with a wrong value has lost its marks in the other check; here its gradients must exist.
    """
    batch, wrt, own = _batch(rng, 5, 1, 1), (0, 1, 2, 4), value(hw5_vae.BernoulliVAE)

    def asked_of(rows: bool) -> Gradients:
        assign(hw5_vae.BernoulliVAE, own)
        model = _with_given_densities(hw5_vae, (1, 1), rows)
        return gradients(model.elbo_loss, *batch, wrt=wrt)

    try:
        found = asked_of(rows=False)
    except StudentError:  # it wants one number a row, as the definition has it
        found = asked_of(rows=True)
    bound = _scalar(found.value)
    reached = [isinstance(one, torch.Tensor) and bool(one.any()) for one in found.inputs[1:]]
    expect(any(reached), "No gradient passes through elbo_loss.", NO_GRADIENT)
    if not all(reached):
        raise Partial(
            0.5, "Gradients of elbo_loss reach only some of mu, sigma_square and p.", NO_GRADIENT
        )
    asked = tuple(one.clone().requires_grad_(place in wrt) for place, one in enumerate(batch))
    for given in _densities():
        right = _right(*_terms(asked, *given))
        if matches(bound, right.detach()):
            grads = torch.autograd.grad(right, [asked[place] for place in wrt])
            if not parallel(found.inputs, grads):
                raise Partial(0.5, "A term of elbo_loss does not train the codes.", NO_GRADIENT)
