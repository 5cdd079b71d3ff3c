"""Hidden checks of the part fc-vae: VAE, reparametrize, loss_function, CVAE.

Networks are asked by the names of the statement first (encoder, mu_layer, logvar_layer, decoder)
and, where these do not answer, through `forward`: names decide how to look, outputs decide marks.

Each mistake costs once. The forward pass is checked with given networks and a given, noiseless
`reparametrize`; the terms of the loss are separated by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import GRADIENT, Fail, Partial, close, either, expect, matches, tensor
from ...checking.noise import is_centred, is_standard, normal_from_uniform
from ...checking.proxy import Remote, StudentError, assign, fill, gradients, value
from ...checking.registry import Rng, check
from .models import (
    ENCODER,
    IMAGE,
    LATENT,
    ORDER,
    PIXELS,
    Act,
    Given,
    Linear,
    Whole,
    as_triple,
    compare_images,
    compare_network,
    expect_chain,
    expect_gradient,
    expect_images,
    expect_one_width,
    fill_and_run,
    linears,
    passes,
    run_given,
    run_network,
    sample_without_noise,
    slips,
    triple,
)

CLASSES = 10

DECODER_NAME = (
    "The model decodes well inside forward, but not by itself: the notebook calls "
    "`decoder` with codes and expects images with values between 0 and 1."
)
SAMPLING = (
    "Draw eps from N(0, 1), one number for each entry, and compute z = mu + sigma * eps. logvar is "
    "the logarithm of sigma squared: what is sigma?"
)
SWAPPED = "mu and logvar have changed places, in what is returned or on the way to the decoder."
NOT_SAMPLED = "x_hat is not decoded from a draw of N(mu, exp(logvar))."
UNTOLD_ENCODER = "the encoder is not told the class: it reads the image alone."
UNTOLD_DECODER = "The decoder is not told the class: it reads the code alone."
SIDE_BY_SIDE = "torch.cat joins two matrices side by side; the order is [x, c], then [z, c]."


@check("fc-vae.networks", share=3)
def encodes_in_three_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder passes the flattened images through three Linear layers, with a ReLU after
    each.
    """
    x = rng.uniform(0, 1, 4, *IMAGE)
    what = "What the encoder gives"
    vae = hw5_vae.VAE(PIXELS, latent_size=LATENT)

    def by_name(example: torch.Tensor) -> None:
        layers, h = fill_and_run(vae.encoder, rng.seed, example)
        compare_network(h, x.flatten(1), layers, ENCODER, what)
        expect_one_width(layers)

    def in_forward() -> None:
        whole = Whole(hw5_vae, vae, rng.seed, x)
        whole.compare_encoder(x.flatten(1), what)
        expect_one_width(whole.encoder)

    either(lambda: by_name(x), lambda: by_name(x.flatten(1)), in_forward)


@check("fc-vae.networks", share=2)
def splits_into_mu_and_logvar(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Two separate Linear layers turn the encoder's hidden values into mu and logvar, with
    latent_size numbers each.
    """
    x = rng.uniform(0, 1, 4, *IMAGE)
    vae = hw5_vae.VAE(PIXELS, latent_size=LATENT)

    def by_name() -> None:
        # Both are filled before either is asked: a shared layer then carries the second filling.
        mu, logvar = (
            _head(part, name, rng.seed + number)
            for number, (part, name) in enumerate(
                ((vae.mu_layer, "mu_layer"), (vae.logvar_layer, "logvar_layer"))
            )
        )
        expect(mu.inputs == logvar.inputs, "mu_layer and logvar_layer take different inputs.")
        h = rng.normal(4, mu.inputs)
        _compare_head(vae.mu_layer(h), mu(h), "mu", logvar(h))
        _compare_head(vae.logvar_layer(h), logvar(h), "logvar", mu(h))
        if mu.outputs != LATENT or logvar.outputs != LATENT:
            raise Partial(
                0.5,
                f"With latent_size={LATENT}, mu_layer and logvar_layer give {mu.outputs} and "
                f"{logvar.outputs} numbers.",
                "Z in Linear(H, Z) is the argument latent_size, whatever its value.",
            )

    def in_forward() -> None:
        Whole(hw5_vae, vae, rng.seed, x).compare_encoder(x.flatten(1), "What forward returns")

    either(by_name, in_forward)


def _head(part: Remote, name: str, seed: int) -> Linear:
    layers = linears(seed, fill(part, seed))
    expect(len(layers) == 1, f"{name} holds {len(layers)} Linear layers; one is asked for.")
    return layers[0]


def _compare_head(actual: Any, expected: torch.Tensor, what: str, other: torch.Tensor) -> None:
    expect(other.shape == expected.shape, "mu and logvar have different sizes.")
    close(
        actual,
        expected,
        what,
        lookalikes={
            "mu_layer and logvar_layer are one and the same layer.": other,
            "a ReLU follows its layer; it may be negative.": expected.relu(),
            "a Sigmoid follows its layer; it may be any number.": expected.sigmoid(),
            "a Tanh follows its layer; it may be any number.": expected.tanh(),
            "a Softplus follows its layer; it may be negative.": F.softplus(expected),
            "an exponential follows its layer; logvar itself is a logarithm.": expected.exp(),
        },
    )


@check("fc-vae.networks", share=3)
def decodes_in_four_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder turns codes into images: three Linear layers with a ReLU after each, a fourth
    to the pixels, Sigmoid, Unflatten.
    """
    x, z = rng.uniform(0, 1, 4, *IMAGE), rng.normal(4, LATENT)
    vae = hw5_vae.VAE(PIXELS, latent_size=LATENT)

    def by_name(codes: torch.Tensor = z) -> None:
        layers, images = fill_and_run(vae.decoder, rng.seed, codes)
        compare_images(images, codes, layers)
        expect_one_width(layers[:-1])

    def in_forward() -> None:
        whole = Whole(hw5_vae, vae, rng.seed, x)
        try:
            whole.compare_images(vae.decoder(z), z)
        except (Fail, StudentError):
            whole.compare_decoder()
            raise Partial(0.75, DECODER_NAME) from None
        expect_one_width(whole.decoder[:-1])

    def with_default_size() -> None:
        by_name(rng.normal(4, 15))
        raise Partial(
            0.5,
            f"The decoder does not take codes of {LATENT} numbers, with latent_size={LATENT}.",
            "Z in Linear(Z, H) is the argument latent_size, whatever its value.",
        )

    either(by_name, in_forward, with_default_size)
    if not _is_image(vae, z) and not _returns_images(hw5_vae, vae, x):
        raise Partial(
            0.75,
            f"The decoder gives flat rows of {PIXELS} pixels; the question asks for images "
            "(N, 1, 28, 28).",
            "nn.Unflatten(1, (1, 28, 28)) can be the last layer of the Sequential.",
        )


def _is_image(vae: Remote, z: torch.Tensor) -> bool:
    try:
        images = vae.decoder(z)
    except StudentError:
        return False
    return isinstance(images, torch.Tensor) and tuple(images.shape[1:]) == IMAGE


def _returns_images(hw5_vae: Remote, vae: Remote, x: torch.Tensor) -> bool:
    sample_without_noise(hw5_vae)
    try:
        x_hat, _, _ = triple(vae(x))
    except (Fail, StudentError):
        return False
    return isinstance(x_hat, torch.Tensor) and x_hat.shape == x.shape


@check("fc-vae.reparametrize", share=3)
def moves_mean_and_spread(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """reparametrize draws z with mean mu and standard deviation exp(logvar / 2).

    Four columns of 10,000 draws, each with a mean and a logvar of its own; mean, spread and the
    share within one sigma are all within six standard errors: a right answer fails with a
    probability below 1e-7.
    """
    n, columns = 10_000, 4
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0])
    mu = rng.uniform(1.0, 3.0, columns) * signs.flip(0)
    logvar = rng.uniform(0.5, 1.5, columns) * signs
    z = tensor(
        hw5_vae.reparametrize(mu.repeat(n, 1), logvar.repeat(n, 1)), [(n, columns)], "z", SAMPLING
    )
    expect(
        bool(torch.isfinite(z).all()),
        "z contains NaN or infinity: logvar may be negative, and neither a root nor a logarithm "
        "of it makes sense.",
        SAMPLING,
    )
    spread = torch.exp(logvar / 2)
    if is_standard((z - mu) / spread):
        return
    named = [sentence for sentence, e in _wrong_noise(z, mu, logvar).items() if is_standard(e)]
    if len(named) == 1:
        raise Fail(f"z is wrong: {named[0]}", SAMPLING)
    noise = (z - mu) / spread
    expect(is_centred(noise), "The mean of z over many draws is not mu.", SAMPLING)
    raise Fail("The spread of z over many draws is not that of N(mu, exp(logvar)).", SAMPLING)


def _wrong_noise(
    z: torch.Tensor, mu: torch.Tensor, logvar: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Sentence -> what would be standard normal noise if that mistake had been made."""
    sigma, variance = torch.exp(logvar / 2), torch.exp(logvar)
    return {
        "its spread is exp(logvar), the variance; the standard deviation is its root.": (
            (z - mu) / variance
        ),
        "its spread is logvar itself.": (z - mu) / logvar.abs(),
        "its spread is the root of |logvar|.": (z - mu) / logvar.abs().sqrt(),
        "its spread is exp(2 logvar).": (z - mu) / variance**2,
        "its spread is exp(-logvar / 2): the sign is turned.": (z - mu) * sigma,
        "its spread is exp(logvar / 4): the root is taken twice.": (z - mu) / sigma.sqrt(),
        "its spread is 1, whatever logvar is.": z - mu,
        "mu is not added to the noise.": z / sigma,
        "it is sigma + mu * eps: mean and spread change places.": (z - sigma) / mu.abs(),
        "mu is multiplied by sigma as well.": z / sigma - mu,
        "mu is subtracted.": (z + mu) / sigma,
        "its noise is uniform between 0 and 1 (rand); it should be normal (randn).": (
            normal_from_uniform((z - mu) / sigma)
        ),
    }


@check("fc-vae.reparametrize", share=1)
def draws_fresh_noise(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every entry of z gets noise of its own, and every call draws anew.

    The spread within each row and column of 64 draws is compared with half of what it should be;
    a right answer fails with a probability below 1e-8.
    """
    zeros = torch.zeros(64, 64)
    first, second = (
        tensor(hw5_vae.reparametrize(zeros, zeros), [(64, 64)], "z", SAMPLING) for _ in range(2)
    )
    down, across = (float(first.std(dim).nan_to_num(0.0).min()) for dim in (0, 1))
    expect(
        max(down, across) > 0.5,
        "There is no noise in z, or one random number serves all entries.",
        SAMPLING,
    )
    expect(down > 0.5, "Every image of the batch gets the same noise.", SAMPLING)
    expect(across > 0.5, "All latent dimensions of an image get the same noise.", SAMPLING)
    expect(
        not matches(second, first),
        "Two calls draw the same noise.",
        "Seeds are set once, outside of the function.",
    )


@check("fc-vae.reparametrize", share=1)
def lets_gradients_through(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients reach mu and logvar through z = mu + sigma * eps.

    Noise is read off z itself. The spread may be a wrong function of logvar here: that costs the
    first check.
    """
    mu, logvar = rng.normal(8, LATENT), rng.uniform(0.5, 1.5, 8, LATENT)
    weight = rng.uniform(0.5, 1.5, 8, LATENT)
    found = gradients(hw5_vae.reparametrize, mu, logvar, wrt=(0, 1), cotangent=weight)
    z = tensor(found.value, [(8, LATENT)], "z", SAMPLING)
    hint = (
        "torch.normal(mu, sigma), sample(), detach() and .data let no gradient through: draw eps "
        "first, then compute with mu and logvar."
    )
    for name, grad in zip(("mu", "logvar"), found.inputs, strict=True):
        reached = isinstance(grad, torch.Tensor) and bool(grad.count_nonzero() > 0)
        expect(reached, f"No gradient reaches {name}.", hint)
    close(found.inputs[0], weight, "The gradient with respect to mu", tolerance=GRADIENT, hint=hint)
    noise = weight * (z - mu)
    slopes = (noise / 2, noise, 2 * noise, noise / 4, -noise / 2, noise / logvar)
    by_logvar = tensor(found.inputs[1], [(8, LATENT)], "The gradient with respect to logvar")
    expect(
        any(matches(by_logvar, slope, GRADIENT) for slope in (*slopes, noise / (2 * logvar))),
        "The gradient with respect to logvar is not that of mu + sigma * eps.",
        hint,
    )


@check("fc-vae.forward", share=2)
def returns_mu_and_logvar(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """forward encodes the images and returns x_hat, mu and logvar, in this order."""
    x = rng.uniform(0, 1, 4, *IMAGE)
    given = Given.draw(rng)

    def new() -> Remote:
        return _new(hw5_vae.VAE)

    def with_given_networks() -> None:
        _, _, result = run_given(hw5_vae, new, given, (x,))
        _compare_code(given, result, x.flatten(1))

    def with_its_own() -> None:
        whole = Whole(hw5_vae, new(), rng.seed, x)
        expect(whole.encodes(x.flatten(1)), "mu and logvar do not follow from the images.", ORDER)
        expect(not whole.decodes(whole.logvar + whole.mu / 2), SWAPPED, ORDER)

    either(with_given_networks, with_its_own)


def _new(model_class: Remote) -> Remote:
    model: Remote = model_class(PIXELS, latent_size=LATENT)
    return model


def _compare_code(
    given: Given, result: Any, flat: torch.Tensor, mixed: Mapping[str, torch.Tensor] | None = None
) -> None:
    """Fail unless mu and logvar follow from `flat`. `mixed`: sentence -> another encoder input."""
    mu, logvar = code = given.code(flat)
    other_inputs = {sentence: given.code(other) for sentence, other in (mixed or {}).items()}
    _, *returned = triple(result)
    for number, expected in enumerate(code):
        close(
            returned[number],
            expected,
            ("mu", "logvar")[number],
            lookalikes={
                "the other of mu and logvar stands in its place.": code[1 - number],
                "a ReLU follows its layer; it may be negative.": expected.relu(),
                "an exponential follows its layer; logvar itself is a logarithm.": expected.exp(),
                "it is a standard deviation; logvar is a logarithm.": torch.exp(expected / 2),
                "the drawn code z stands in its place.": mu + logvar / 2,
                **{sentence: other[number] for sentence, other in other_inputs.items()},
            },
            hint=ORDER,
        )


@check("fc-vae.forward", share=2)
def decodes_a_sample(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """x_hat is decoded from a code that reparametrize draws from mu and logvar, and gradients pass
    all the way back.

    Noise that forward draws without calling reparametrize is read off x_hat: seven columns of 600
    draws, within six standard errors each; a right answer fails with a probability below 2e-7.
    """
    x, many = rng.uniform(0, 1, 4, *IMAGE), rng.uniform(0, 1, 600, *IMAGE)
    _decodes_a_sample(hw5_vae, hw5_vae.VAE, rng, (x,), (many,))


def _decodes_a_sample(
    hw5_vae: Remote,
    model_class: Remote,
    rng: Rng,
    inputs: Sequence[torch.Tensor],
    many: Sequence[torch.Tensor],
) -> None:
    """The same for both models, with inputs (x,) and (x, c): four ways to see what is decoded."""
    x, c = _with_class(*inputs)
    given = Given.draw(rng, c.shape[1])
    own = _sampler(hw5_vae)

    def new() -> Remote:
        return _new(model_class)

    def join(z: torch.Tensor) -> torch.Tensor:
        return torch.cat((z, c), dim=1)

    def with_given_networks() -> None:
        model, seen, result = run_given(hw5_vae, new, given, inputs)
        _expect_told(seen.decoder.weight.shape == given.decoder.weight.shape)
        _compare_sample(seen, result, x.flatten(1), c)
        expect_gradient(model, inputs)

    def with_given_networks_and_own_noise() -> None:
        model, seen, _ = run_given(hw5_vae, new, given, inputs)
        _expect_told(seen.decoder.weight.shape == given.decoder.weight.shape)
        assign(hw5_vae.reparametrize, own)
        x_hat, mu, logvar = as_triple(model(*many), len(many[0]))
        noise = seen.noise(x_hat, mu, logvar, _with_class(*many)[1])
        expect(is_standard(noise), NOT_SAMPLED, SAMPLING)
        expect_images(model(*inputs)[0], x.shape)
        expect_gradient(model, inputs)

    def with_its_own_networks() -> None:
        whole = Whole(hw5_vae, new(), rng.seed, *inputs)
        expect(not whole.decodes(join(whole.mu)), NOT_SAMPLED, SAMPLING)
        expect(whole.decodes(join(whole.mu + whole.logvar / 2)), NOT_SAMPLED, SAMPLING)
        whole.expect_images_and_gradient()

    def with_its_own_noise() -> None:
        whole = Whole(hw5_vae, new(), rng.seed, *inputs)
        _expect_told(not c.numel() or passes(lambda: whole.compare_decoder(join)))
        assign(hw5_vae.reparametrize, own)
        z, mu, logvar = whole.sample(*many)
        expect(is_standard((z - mu) / torch.exp(logvar / 2)), NOT_SAMPLED, SAMPLING)
        whole.expect_images_and_gradient()

    either(
        with_given_networks,
        with_given_networks_and_own_noise,
        with_its_own_networks,
        with_its_own_noise,
    )


def _with_class(x: torch.Tensor, *c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x, c[0] if c else torch.empty(len(x), 0)


def _sampler(hw5_vae: Remote) -> Any:
    try:
        return value(hw5_vae.reparametrize)
    except StudentError:
        return None


def _expect_told(told: bool) -> None:
    expect(told, UNTOLD_DECODER, SIDE_BY_SIDE)


def _compare_sample(given: Given, result: Any, flat: torch.Tensor, c: torch.Tensor) -> None:
    """Fail unless x_hat is decoded from z = mu + logvar / 2, with mu and logvar as returned or, in
    case that something else is returned, as the given networks have them.
    """
    shape = (len(flat), *IMAGE)
    x_hat = result[0] if isinstance(result, (tuple, list)) and result else result
    pixels = tensor(x_hat, [(len(flat), PIXELS), shape], "x_hat", ORDER)
    codes = [given.code(torch.cat((flat, c), dim=1)[:, : len(given.encoder.weight)])]
    with suppress(Fail):
        codes.insert(0, as_triple(result, len(flat))[1:])

    def decoded(z: torch.Tensor) -> torch.Tensor:
        return given.decoder(torch.cat((z, c), dim=1))

    if not any(matches(pixels, decoded(mu + logvar / 2)) for mu, logvar in codes):
        mu, logvar = codes[-1]
        z = mu + logvar / 2
        close(
            pixels,
            decoded(z),
            "x_hat",
            lookalikes={
                "it is decoded from mu itself; forward draws a code around mu.": decoded(mu),
                "reparametrize takes mu first, then logvar.": decoded(logvar + mu / 2),
                "reparametrize takes logvar itself, not its exponential.": decoded(
                    mu + logvar.exp() / 2
                ),
                "reparametrize takes logvar itself, not half of it.": decoded(mu + logvar / 4),
                "reparametrize takes logvar itself, not a standard deviation.": decoded(
                    mu + torch.exp(logvar / 2) / 2
                ),
                "the class stands before the code; the order is [z, c].": given.decoder(
                    torch.cat((c, z), dim=1)
                ),
                "a Sigmoid follows the decoder, which ends in one.": decoded(z).sigmoid(),
            },
            hint="x -> encoder -> mu_layer and logvar_layer -> reparametrize -> decoder.",
        )
    expect_images(x_hat, shape)


def _bce(x_hat: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy(x_hat, x, reduction="sum")


def _kl(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    return -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())


def _loss(x_hat: torch.Tensor, x: torch.Tensor, *code: torch.Tensor) -> torch.Tensor:
    return (_bce(x_hat, x) + _kl(*code)) / len(x)


def _scalar(loss: Any) -> torch.Tensor:
    return tensor(loss, [(), (1,)], "The loss", "It is one number for the batch.")


def _images(rng: Rng, n: int, *size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """x_hat and x, both away from 0 and 1, where correct formulas differ in their rounding."""
    return rng.uniform(0.05, 0.95, n, *size), rng.uniform(0.05, 0.95, n, *size)


def _codes(rng: Rng, n: int, latent: int = 15) -> tuple[torch.Tensor, torch.Tensor]:
    """mu and logvar; logvar is positive, so that the logarithm in a wrong formula exists."""
    return rng.normal(n, latent, std=1.5), rng.uniform(0.3, 1.6, n, latent)


WRONG_RECONSTRUCTIONS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "there is none.": lambda x_hat, x: torch.zeros(()),
    "it is averaged over the pixels; sum them.": F.binary_cross_entropy,
    "x_hat and x have changed places.": lambda x_hat, x: _bce(x, x_hat),
    "x_hat and x have changed places, and pixels are averaged.": (
        lambda x_hat, x: F.binary_cross_entropy(x, x_hat)
    ),
    "its sign is flipped.": lambda x_hat, x: -_bce(x_hat, x),
    "it is halved.": lambda x_hat, x: _bce(x_hat, x) / 2,
    "it is the squared error; the pixels are Bernoulli variables.": (
        lambda x_hat, x: F.mse_loss(x_hat, x, reduction="sum")
    ),
    "it is the mean squared error; the pixels are Bernoulli variables.": F.mse_loss,
    "it is half the squared error; the pixels are Bernoulli variables.": (
        lambda x_hat, x: F.mse_loss(x_hat, x, reduction="sum") / 2
    ),
    "it is the absolute error.": lambda x_hat, x: F.l1_loss(x_hat, x, reduction="sum"),
    "it takes x_hat for logits; the decoder's Sigmoid made it probabilities.": (
        lambda x_hat, x: F.binary_cross_entropy_with_logits(x_hat, x, reduction="sum")
    ),
    "it takes x_hat for logits, and averages over the pixels.": F.binary_cross_entropy_with_logits,
    "its second half, (1 - x) log(1 - x_hat), is missing.": (
        lambda x_hat, x: -(x * x_hat.log()).sum()
    ),
}


WRONG_DIVERGENCES: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "there is none.": lambda m, v: torch.zeros(()),
    "its sign is flipped.": lambda m, v: -_kl(m, v),
    "the factor 1/2 is missing.": lambda m, v: 2 * _kl(m, v),
    "the factor -1/2 has lost its half and its sign.": lambda m, v: -2 * _kl(m, v),
    "it is averaged over the latent dimensions; sum them.": lambda m, v: _kl(m, v) / m.shape[1],
    "logvar is taken for the variance; it is its logarithm.": lambda m, v: _kl(m, v.log()),
    "logvar is taken for the standard deviation.": lambda m, v: _kl(m, 2 * v.log()),
    "the exponential is missing: the last term is sigma squared, exp(logvar).": (
        lambda m, v: -0.5 * torch.sum(1 + v - m**2 - v)
    ),
    "its last term is sigma; it should be sigma squared.": (
        lambda m, v: -0.5 * torch.sum(1 + v - m**2 - torch.exp(v / 2))
    ),
    "its last term is exp(logvar) squared; exp(logvar) is sigma squared already.": (
        lambda m, v: -0.5 * torch.sum(1 + v - m**2 - torch.exp(2 * v))
    ),
    "mu is not squared.": lambda m, v: -0.5 * torch.sum(1 + v - m - v.exp()),
    "the sign of mu squared is flipped.": lambda m, v: -0.5 * torch.sum(1 + v + m**2 - v.exp()),
    "the sign of exp(logvar) is flipped.": lambda m, v: -0.5 * torch.sum(1 + v - m**2 + v.exp()),
    "mu and logvar have changed places.": lambda m, v: _kl(v, m),
    "the term mu squared is missing.": lambda m, v: -0.5 * torch.sum(1 + v - v.exp()),
    "the term logvar is missing.": lambda m, v: -0.5 * torch.sum(1 - m**2 - v.exp()),
    "log is taken of logvar; it is a logarithm already.": (
        lambda m, v: -0.5 * torch.sum(1 + v.log() - m**2 - v.exp())
    ),
}


@check("fc-vae.loss", share=2)
def measures_reconstruction(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss contains the binary cross entropy between x and x_hat, summed over an image's
    pixels.

    Two pairs of images with the same mu and logvar: the divergence cancels in the difference.
    """
    code = _codes(rng, 1)

    def compare(*size: int) -> None:
        far = _images(rng, 1, *size)
        near = (0.1 + 0.8 * far[1], far[1])
        found = [_scalar(hw5_vae.loss_function(*pair, *code)) for pair in (far, near)]
        close(
            found[0] - found[1],
            _bce(*far) - _bce(*near),
            "The reconstruction term",
            lookalikes={
                sentence: wrong(*far) - wrong(*near)
                for sentence, wrong in WRONG_RECONSTRUCTIONS.items()
            },
            hint="For one image it is a sum over its pixels of -x log(x_hat) - (1-x) log(1-x_hat).",
        )

    compare(*IMAGE)
    try:
        compare(1, 2, 2)
        compare(1, 5, 3)
    except (Fail, StudentError):
        raise Partial(
            0.75,
            "The loss is right for images of 28 x 28 pixels and for no other size.",
            "x.shape says how many pixels there are.",
        ) from None


@check("fc-vae.loss", share=2)
def measures_divergence(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss contains the KL divergence between N(mu, exp(logvar)) and N(0, I), summed over the
    latent dimensions.

    Two pairs of mu and logvar with the same images: the reconstruction cancels in the difference.
    """
    pair = _images(rng, 1, *IMAGE)
    for latent in (15, 4):
        far, near = _codes(rng, 1, latent), _codes(rng, 1, latent)
        far = (far[0] + 2 * far[0].sign(), far[1] + 0.5)
        found = [_scalar(hw5_vae.loss_function(*pair, *code)) for code in (far, near)]
        close(
            found[0] - found[1],
            _kl(*far) - _kl(*near),
            "The divergence term",
            lookalikes={
                sentence: wrong(*far) - wrong(*near)
                for sentence, wrong in WRONG_DIVERGENCES.items()
            },
            hint="Each latent dimension adds -1/2 (1 + logvar - mu^2 - exp(logvar)): at least 0.",
        )


@check("fc-vae.loss", share=2)
def averages_the_sum(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss is the sum of both terms, averaged over the images of the batch."""
    pair, code = _images(rng, 5, *IMAGE), _codes(rng, 5)
    bce, kl, total = _bce(*pair), _kl(*code), _loss(*pair, *code)
    averaged = "is averaged over pixels or dimensions as well; sum there, and average over images."
    close(
        _scalar(hw5_vae.loss_function(*pair, *code)),
        total,
        "The loss of a batch",
        lookalikes={
            "it is summed over the batch; average over the images.": 5 * total,
            "the divergence is not averaged over the batch.": bce / 5 + kl,
            "the reconstruction is not averaged over the batch.": bce + kl / 5,
            f"the reconstruction {averaged}": bce / (5 * PIXELS) + kl / 5,
            f"the divergence {averaged}": bce / 5 + kl / 75,
            f"each term {averaged}": bce / (5 * PIXELS) + kl / 75,
            "the reconstruction is averaged over all pixels, the divergence summed over all.": (
                bce / (5 * PIXELS) + kl
            ),
            "it is averaged over the batch twice.": total / 5,
            "it is divided by the number of pixels.": total / PIXELS,
            "the 1 is missing in the divergence.": total + 15 / 2,
            "it is the evidence lower bound; the loss is its negative.": -total,
            **{
                f"in the divergence, {sentence}": (bce + wrong(*code)) / 5
                for sentence, wrong in WRONG_DIVERGENCES.items()
            },
            **{
                f"in the reconstruction, {sentence}": wrong(*pair) / 5 + kl / 5
                for sentence, wrong in WRONG_RECONSTRUCTIONS.items()
            },
        },
        hint="Sum inside an image, average over the images: doubling the batch changes nothing.",
    )


@check("fc-vae.loss", share=1)
def can_be_minimised(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients of the loss reach x_hat, mu and logvar.

    A loss with a wrong value has lost its marks elsewhere; here its gradients must exist.
    """
    pair, code = _images(rng, 3, *IMAGE), _codes(rng, 3)
    found = gradients(hw5_vae.loss_function, *pair, *code, wrt=(0, 2, 3))
    asked = [one.clone().requires_grad_(True) for one in (pair[0], *code)]
    expected = _loss(asked[0], pair[1], asked[1], asked[2])
    grads = torch.autograd.grad(expected, asked)
    right = matches(_scalar(found.value), expected.detach())
    for name, one, grad in zip(("x_hat", "mu", "logvar"), grads, found.inputs, strict=True):
        reached = isinstance(grad, torch.Tensor) and bool(grad.count_nonzero() > 0)
        expect(
            reached,
            f"No gradient reaches {name}.",
            "The loss stays a tensor: .item(), .detach(), .data and numpy cut it off.",
        )
        if right:
            close(grad, one, f"The gradient with respect to {name}", tolerance=GRADIENT)


@check("fc-vae.cvae", share=2)
def encodes_image_and_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder of CVAE reads the flat image and the one-hot class side by side: [x, c]."""
    x, c = rng.uniform(0, 1, 4, *IMAGE), _one_hot(rng, 4, CLASSES)
    flat, turned = torch.cat((x.flatten(1), c), dim=1), torch.cat((c, x.flatten(1)), dim=1)
    given = Given.draw(rng, CLASSES)
    before = "the class stands before the image; the order is [x, c]."

    def new() -> Remote:
        return _new(hw5_vae.CVAE)

    def with_given_networks() -> None:
        _, seen, result = run_given(hw5_vae, new, given, (x, c))
        told = seen.encoder.weight.shape == given.encoder.weight.shape
        expect(told, f"mu is wrong: {UNTOLD_ENCODER}", SIDE_BY_SIDE)
        _compare_code(given, result, flat, {before: turned})

    def with_its_own() -> None:
        whole = Whole(hw5_vae, new(), rng.seed, x, c)
        told = not whole.encoder or whole.encoder[0].inputs != PIXELS
        expect(told, f"mu is wrong: {UNTOLD_ENCODER}", SIDE_BY_SIDE)
        expect(not whole.encodes(turned), f"mu is wrong: {before}", SIDE_BY_SIDE)
        expect(whole.encodes(flat), "mu and logvar do not follow from image and class.", ORDER)
        swapped = torch.cat((whole.logvar + whole.mu / 2, c), dim=1)
        expect(not whole.decodes(swapped), SWAPPED, ORDER)

    either(with_given_networks, with_its_own)


@check("fc-vae.cvae", share=2)
def decodes_code_and_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder of CVAE reads the drawn code and the one-hot class side by side: [z, c].

    Noise is read off as in forward.decodes_a_sample, with the same probability of a false alarm.
    """
    inputs, many = ((rng.uniform(0, 1, n, *IMAGE), _one_hot(rng, n, CLASSES)) for n in (4, 600))
    _decodes_a_sample(hw5_vae, hw5_vae.CVAE, rng, inputs, many)


@check("fc-vae.cvae", share=2)
def keeps_the_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Apart from the first layers' sizes, CVAE has the layers of VAE.

    Whether and in which order the class comes in is the business of the other checks.
    """
    x, c = rng.uniform(0, 1, 4, *IMAGE), _one_hot(rng, 4, CLASSES)
    whole = Whole(hw5_vae, _new(hw5_vae.CVAE), rng.seed, x, c)
    flat = x.flatten(1)
    what = "What the encoder gives"

    def encoder() -> None:
        either(
            *(
                partial(whole.compare_encoder, inputs, what)
                for inputs in (torch.cat((flat, c), dim=1), torch.cat((c, flat), dim=1), flat)
            )
        )

    def decoder() -> None:
        either(
            lambda: whole.compare_decoder(lambda z: torch.cat((z, c), dim=1)),
            lambda: whole.compare_decoder(lambda z: torch.cat((c, z), dim=1)),
            whole.compare_decoder,
        )

    halves = [_failure(encoder), _failure(decoder)]
    wrong = [half for half in halves if half]
    if wrong:
        earned = sum(getattr(half, "fraction", 0.0) if half else 1.0 for half in halves)
        raise Partial(earned / 2, wrong[0].message, wrong[0].hint)


def _failure(way: Callable[[], None]) -> Fail | Partial | None:
    try:
        way()
    except (Fail, Partial) as failure:
        return failure
    return None


@check("fc-vae.cvae", share=1)
def follows_the_sizes(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """CVAE works for other numbers of classes and latent sizes, and decoder(cat(z, c)) makes
    images of chosen classes, as the notebook calls it.
    """
    classes, n = 4, 6
    x, c, z = rng.uniform(0, 1, n, *IMAGE), _one_hot(rng, n, classes), rng.normal(n, LATENT)
    codes = torch.cat((z, c), dim=1)
    cvae = hw5_vae.CVAE(PIXELS, num_classes=classes, latent_size=LATENT)
    sample_without_noise(hw5_vae)
    result = cvae(x, c)
    as_triple(result, n)

    def by_name() -> None:
        layers, images = fill_and_run(cvae.decoder, rng.seed, codes)
        _expect_some_network(images, codes, layers)

    def in_forward() -> None:
        whole = Whole(hw5_vae, cvae, rng.seed, x, c)
        _expect_some_network(cvae.decoder(codes), codes, whole.decoder)

    either(by_name, in_forward)
    expect_images(result[0], (n, *IMAGE))


def _expect_some_network(images: Any, codes: torch.Tensor, layers: Sequence[Linear]) -> None:
    """The class and the code matter as they do in a right decoder or in one of the known wrong
    ones, which cost elsewhere.
    """
    shape = (len(codes), PIXELS)
    pixels = tensor(images, [shape, (len(codes), *IMAGE)], "What the decoder gives")
    acts: list[Act] = [*[torch.relu] * (len(layers) - 1), torch.sigmoid]
    expect_chain(codes.shape[1], layers, "The decoder")
    known = [acts, *(wrong for _, wrong in slips(acts))]
    expect(
        any(matches(pixels, run_network(codes, layers, one).reshape(shape)) for one in known),
        "decoder(cat(z, c)) is not what its layers make of the code and the class.",
    )


def _one_hot(rng: Rng, n: int, classes: int) -> torch.Tensor:
    return F.one_hot(rng.labels(n, classes), classes).float()
