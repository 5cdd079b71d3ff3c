"""Hidden checks of the part fc-vae: VAE, reparametrize, loss_function, CVAE.

Networks are asked by the names of the statement first (encoder, mu_layer, logvar_layer, decoder)
and, where these do not answer, through `forward`: names decide how to look, outputs decide marks.

Each mistake costs once. The forward pass is checked with given networks and a given, noiseless
`reparametrize`; the terms of the loss are separated by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
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
    first_possible,
    matches,
    tensor,
)
from ...checking.networks import stands_alone
from ...checking.noise import (
    MANY,
    has_normal_tails,
    is_as_drawn,
    is_centred,
    is_drawn_singly,
    is_independent,
    is_standard,
    reaches_far,
)
from ...checking.proxy import (
    Remote,
    StudentError,
    fill,
    gradients,
    leaves_alone,
    without_grad,
)
from ...checking.registry import Rng, check
from .models import (
    CLASSES,
    DECODER,
    ENCODER,
    FAR,
    IMAGE,
    LATENT,
    OTHER_ACTS,
    PIXELS,
    SAMPLING,
    Act,
    Linear,
    Whole,
    as_triple,
    bright,
    compare_images,
    compare_network,
    expect_chain,
    expect_images,
    expect_learning,
    expect_one_width,
    expect_unlikely_pixels,
    fill_and_run,
    has_parts,
    linears,
    look,
    run_network,
    same,
    sample_without_noise,
    slips,
    triple,
)

MOVES = "z of an image does not move with its own mu, one to one, as in z = mu + sigma * eps."
FLAT = "nn.Flatten() can be the first layer of the Sequential."
ENCODED, DECODED = "What the encoder gives", "What the decoder gives"
DECODER_NAME = (
    "The model decodes well inside forward, but not by itself: the notebook calls "
    "`decoder` with codes and expects images with values between 0 and 1."
)


@check("fc-vae.networks", share=3)
def encodes_in_three_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder passes the flattened images through three Linear layers, with a ReLU after
    each.
    """
    x = bright(rng, 4)
    vae = hw5_vae.VAE(PIXELS, latent_size=LATENT)

    def by_name(example: torch.Tensor) -> None:
        layers, h = fill_and_run(vae.encoder, rng.seed, example)
        compare_network(h, x.flatten(1), layers, ENCODER, ENCODED)
        expect_one_width(layers)

    def in_forward() -> None:
        whole = Whole(hw5_vae, vae, rng.seed, x)
        whole.compare_encoder(x.flatten(1), ENCODED)
        expect_one_width(whole.encoder)

    def of_flat_images() -> None:
        by_name(x.flatten(1))
        raise Partial(0.5, "The encoder takes flat rows and is given images (N, 1, 28, 28).", FLAT)

    either(lambda: by_name(x), in_forward, of_flat_images)
    if has_parts(vae):
        expect_learning(vae.encoder, rng.seed, [x, x.flatten(1)], ENCODER, ENCODED)
        stands_alone("VAE", lambda: hw5_vae.VAE(PIXELS, latent_size=LATENT).encoder, x)


@check("fc-vae.networks", share=2)
def splits_into_mu_and_logvar(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Two separate Linear layers turn the encoder's hidden values into mu and logvar, with
    latent_size numbers each.
    """
    x = bright(rng, 4)
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
        h = torch.cat((rng.normal(2, mu.inputs), rng.normal(2, mu.inputs, std=FAR)))
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
    if has_parts(vae):
        for name, part in (("mu", vae.mu_layer), ("logvar", vae.logvar_layer)):
            h = rng.normal(4, linears(rng.seed, fill(part, rng.seed))[0].inputs)
            expect_learning(part, rng.seed, [h], [same], name)


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
        right="what its one Linear layer makes of the hidden values",
        lookalikes={
            "mu_layer and logvar_layer are one and the same layer.": other,
            "an exponential follows its layer; logvar itself is a logarithm.": expected.exp(),
            **{
                f"{name} follows its layer; it may be any number.": act(expected)
                for name, act in {"ReLU": torch.relu, **OTHER_ACTS}.items()
            },
        },
    )


@check("fc-vae.networks", share=3)
def decodes_in_four_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder turns codes into images: three Linear layers with a ReLU after each, a fourth
    to the pixels, Sigmoid, Unflatten.
    """
    x = bright(rng, 4)
    z = _codes_of_all_sizes(rng)
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
        try:
            by_name(rng.normal(4, 15))
        except StudentError:
            by_name()  # the size asked for says more
        raise Partial(
            0.5,
            f"The decoder does not take codes of {LATENT} numbers, with latent_size={LATENT}.",
            "Z in Linear(Z, H) is the argument latent_size, whatever its value.",
        )

    either(by_name, in_forward, with_default_size)
    if has_parts(vae):
        expect_learning(vae.decoder, rng.seed, [z], DECODER, DECODED)
        stands_alone("VAE", lambda: hw5_vae.VAE(PIXELS, latent_size=LATENT).decoder, z)
    if not _is_image(vae, z) and not _returns_images(hw5_vae, vae, x):
        raise Partial(
            0.75,
            f"The decoder gives flat rows of {PIXELS} pixels; the question asks for images "
            "(N, 1, 28, 28).",
            "nn.Unflatten(1, (1, 28, 28)) can be the last layer of the Sequential.",
        )


def _codes_of_all_sizes(rng: Rng) -> torch.Tensor:
    """Four codes, two of them so large that an activation that stops somewhere is seen."""
    return torch.cat((rng.normal(2, LATENT), rng.normal(2, LATENT, std=15.0)))


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

    Four columns of 10,000 draws, each with a mean and a logvar of its own, which change their signs
    half way and between two calls; mean, spread and the share within one sigma are all within six
    standard errors, as is what lies beyond two and three, and nothing is evened out: a right answer
    fails with a probability below 8e-7. Codes go up to 9, logarithms of a variance to 15 and noise,
    of which there are many more draws, beyond 4, so that one that is cut off before is always seen.
    """
    rows, columns = 5_000, 4
    sign = torch.ones(rows, 1)
    sign[rows // 2 :] = -1
    far = torch.tensor([1.0, 1.0, 0.0, 0.0])
    mu = sign * (rng.uniform(1.0, 3.0, columns) + 6 * far)
    turned = torch.tensor([1.0, -1.0, 1.0, -1.0])
    logvar = sign * turned * (rng.uniform(0.5, 1.5, columns) + 13.5 * far.flip(0))
    calls = [
        tensor(hw5_vae.reparametrize(*pair), [(rows, columns)], "z", SAMPLING)
        for pair in ((mu, logvar), (-mu, -logvar))
    ]
    z, mu, logvar = torch.cat(calls), torch.cat((mu, -mu)), torch.cat((logvar, -logvar))
    expect(
        bool(torch.isfinite(z).all()),
        "z contains NaN or infinity: logvar may be negative, and neither a root nor a logarithm "
        "of it makes sense.",
        SAMPLING,
    )
    noise = (z - mu) / torch.exp(logvar / 2)
    expect(is_centred(noise), "The mean of z over many draws is not mu.", SAMPLING)
    expect(
        is_standard(noise),
        "The spread of z around each image's own mu is not that of its own exp(logvar).",
        SAMPLING,
    )
    many = tensor(hw5_vae.reparametrize(*2 * [torch.zeros(MANY, 1)]), [(MANY, 1)], "z", SAMPLING)
    expect(
        has_normal_tails(noise) and reaches_far(many),
        "z never lies far from mu, or too often: eps is not N(0, 1).",
        "randn draws from N(0, 1); leave its numbers as they are.",
    )
    for each in noise.chunk(2):
        expect(
            is_independent(each) and is_as_drawn(each),
            "The draws of a batch depend on one another: their means or spreads are too even.",
            "randn draws from N(0, 1); leave its numbers as they are.",
        )
    if not leaves_alone(hw5_vae.reparametrize, mu[:4], logvar[:4]):
        raise Partial(
            0.5,
            "reparametrize changes mu or logvar in place: what forward returns of them is spoilt.",
            "mu + ... makes a new tensor, mu += ... or mu.add_(...) does not.",
        )


@check("fc-vae.reparametrize", share=1)
def draws_fresh_noise(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every entry of z gets noise of its own, and every call draws anew.

    The spread within each row and column of 64 draws is compared with half of what it should be;
    a right answer fails with a probability below 6e-8.
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
    expect(is_drawn_singly(first), "The noise in z is rounded.", "Leave it as randn draws it.")
    alone = without_grad(hw5_vae.reparametrize)(zeros[:1], zeros[:1])
    expect(
        float(tensor(alone, [(1, 64)], "z of a single image", SAMPLING).std()) > 0.5,
        "For a single image, or where no gradients are asked for, z has no noise.",
        SAMPLING,
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
    expect(
        found.value.dtype == mu.dtype,
        f"z is of {found.value.dtype} for mu of {mu.dtype}: the decoder raises an error.",
        "numpy draws float64; torch.randn_like(mu) has the type of mu.",
    )
    hint = (
        "torch.normal(mu, sigma), sample(), detach() and .data let no gradient through: draw eps "
        "first, then compute with mu and logvar."
    )
    for name, grad in zip(("mu", "logvar"), found.inputs, strict=True):
        reached = isinstance(grad, torch.Tensor) and bool(grad.count_nonzero() > 0)
        expect(reached, f"No gradient reaches {name}.", hint)
    by_mu = tensor(found.inputs[0], [(8, LATENT)], "The gradient with respect to mu")
    expect(matches(by_mu, weight, GRADIENT), MOVES, hint)
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
    """forward encodes the images and returns x_hat, mu and logvar, in this order; gradients go
    from mu and logvar to the layers that make them.
    """
    x = rng.uniform(0, 1, 4, *IMAGE)
    flat, no_class = x.flatten(1), torch.empty(4, 0)
    look(hw5_vae, hw5_vae.VAE, rng, (x,), lambda view: view.expect_code(flat, no_class))


@check("fc-vae.forward", share=2)
def decodes_a_sample(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """x_hat is decoded from a code that reparametrize draws from mu and logvar, in evaluation as in
    training, and gradients pass all the way back.

    Noise that forward draws without calling reparametrize is read off x_hat, in 500 dark and 500
    bright images: 28 columns within six standard errors each, and nothing is evened out; a right
    answer fails with a probability below 1e-6.
    """
    x, many = rng.uniform(0, 1, 4, *IMAGE), _dark_and_bright(rng)
    look(hw5_vae, hw5_vae.VAE, rng, (x,), lambda view: view.expect_sample((many,)))


def _dark_and_bright(rng: Rng) -> torch.Tensor:
    """Images whose codes are far apart, so that a code of another image is seen."""
    return torch.cat((rng.uniform(0, 0.2, 500, *IMAGE), rng.uniform(0.8, 1, 500, *IMAGE)))


def _bce(x_hat: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy(x_hat, x, reduction="sum")


def _kl(mu: torch.Tensor, logvar: torch.Tensor) -> torch.Tensor:
    return -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())


def _loss(x_hat: torch.Tensor, x: torch.Tensor, *code: torch.Tensor) -> torch.Tensor:
    return (_bce(x_hat, x) + _kl(*code)) / len(x)


def _scalar(loss: Any) -> torch.Tensor:
    return tensor(loss, [(), (1,)], "The loss", "It is one number for the batch.")


EDGE, NEARER = 5e-3, 9e-4
"""How near pixels are to 0 and 1: at the second, where only values are compared, a step of 1e-6
away from both ends is no mistake, and one of 1e-3 is.
"""


def _images(rng: Rng, n: int, *size: int, edge: float = EDGE) -> tuple[torch.Tensor, torch.Tensor]:
    """x_hat and x, both away from 0 and 1, where correct formulas differ in their rounding; some
    pixels of x_hat are so near that a loss which keeps it off both ends shows.
    """
    x_hat, x = rng.uniform(0.05, 0.95, n, *size), rng.uniform(0.05, 0.95, n, *size)
    rows = x_hat.view(n, -1)
    rows[:, ::64], rows[:, 32::64] = edge, 1 - edge
    return x_hat, x


def _codes(rng: Rng, n: int, latent: int = 15) -> tuple[torch.Tensor, torch.Tensor]:
    """mu and logvar; logvar is positive, so that the logarithm in a wrong formula exists."""
    return rng.normal(n, latent, std=1.5), rng.uniform(0.3, 1.6, n, latent)


@check("fc-vae.loss", share=2)
def measures_reconstruction(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss contains the binary cross entropy between x and x_hat, summed over an image's
    pixels.

    Two pairs of images with the same mu and logvar: the divergence cancels in the difference.
    """
    code = _codes(rng, 1)

    def compare(*size: int) -> None:
        far = _images(rng, 1, *size, edge=NEARER)
        near = (0.1 + 0.8 * far[1], far[1])
        found = [_scalar(hw5_vae.loss_function(*pair, *code)) for pair in (far, near)]
        close(
            found[0] - found[1],
            _bce(*far) - _bce(*near),
            "The reconstruction term",
            right="-x log(x_hat) - (1 - x) log(1 - x_hat), summed over the pixels of an image",
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
    expect_unlikely_pixels(lambda *pair: float(_scalar(hw5_vae.loss_function(*pair, *code))), 1, 9)


@check("fc-vae.loss", share=2)
def measures_divergence(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss contains the KL divergence between N(mu, exp(logvar)) and N(0, I), summed over the
    latent dimensions.

    Pairs of mu and logvar with the same images: the reconstruction cancels in the difference. The
    last ones are far out, on either side, and nearly the prior: what is cut off there shows.
    """
    pair = _images(rng, 1, *IMAGE)
    plain = [[_codes(rng, 1, latent) for _ in range(2)] for latent in (15, 4)]
    plain = [[(mu + 2 * mu.sign(), logvar + 0.5), near] for (mu, logvar), near in plain]
    turned = torch.tensor([1.0, -1.0]).repeat(4)
    (mu, logvar), (other, small) = _codes(rng, 1, 8), _codes(rng, 1, 8)
    extreme = [(mu + FAR * mu.sign(), turned * (logvar + 5)), (0.1 * other, 0.1 * turned * small)]
    ends = [((mu, way * (logvar + 13)), (mu, logvar)) for way in (1, -1)]
    for far, near in (*plain, extreme, *ends):
        found = [_scalar(hw5_vae.loss_function(*pair, *code)) for code in (far, near)]
        close(
            found[0] - found[1],
            _kl(*far) - _kl(*near),
            "The divergence term",
            right="-1/2 (1 + logvar - mu^2 - exp(logvar)), summed over the latent dimensions",
        )


@check("fc-vae.loss", share=2)
def averages_the_sum(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss is the sum of both terms, averaged over the images of the batch."""
    batches = [(*_images(rng, n, *IMAGE), *_codes(rng, n)) for n in (5, 3)]
    found = [_scalar(hw5_vae.loss_function(*batch)) for batch in batches]
    hint = "Sum inside an image, average over the images: doubling the batch changes nothing."
    for loss, batch in zip(found, batches, strict=True):
        right = "the mean over its images of both terms, each a sum inside an image"
        close(loss, _loss(*batch), "The loss of a batch", right=right, hint=hint)


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
            what = f"The gradient with respect to {name}"
            close(grad, one, what, right="that of the sum of both terms", tolerance=GRADIENT)


@check("fc-vae.cvae", share=2)
def encodes_image_and_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder of CVAE reads the flat image and the one-hot class side by side: [x, c]; what it
    gives is returned as in VAE.
    """
    x, c = rng.uniform(0, 1, 4, *IMAGE), _one_hot(rng, 4, CLASSES)
    flat = torch.cat((x.flatten(1), c), dim=1)
    look(hw5_vae, hw5_vae.CVAE, rng, (x, c), lambda view: view.expect_code(flat, c))


@check("fc-vae.cvae", share=2)
def decodes_code_and_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The decoder of CVAE reads the drawn code and the one-hot class side by side: [z, c], and
    gradients pass all the way back.

    Noise is read off as in forward.decodes_a_sample, with the same probability of a false alarm.
    """
    x, c = rng.uniform(0, 1, 4, *IMAGE), _one_hot(rng, 4, CLASSES)
    many = _dark_and_bright(rng), _one_hot(rng, 1000, CLASSES)
    look(hw5_vae, hw5_vae.CVAE, rng, (x, c), lambda view: view.expect_sample(many))


@check("fc-vae.cvae", share=2)
def keeps_the_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Apart from the first layers' sizes, CVAE has the layers of VAE.

    Whether and in which order the class comes in is the business of the other checks.
    """
    x, c, z = bright(rng, 4), _one_hot(rng, 4, CLASSES), _codes_of_all_sizes(rng)
    flat = x.flatten(1)
    of_encoder = [torch.cat((flat, c), dim=1), torch.cat((c, flat), dim=1), flat]
    of_decoder = [torch.cat((z, c), dim=1), z]
    cvae = hw5_vae.CVAE(PIXELS, latent_size=LATENT)

    def by_name(part: Remote, acts: list[Act], what: str, examples: Sequence[torch.Tensor]) -> None:
        def compare(rows: torch.Tensor) -> None:
            layers, made = fill_and_run(part, rng.seed, rows)
            compare_network(made, rows, layers, acts, what, shapes=[(len(rows), *IMAGE)])

        first_possible(*(partial(compare, rows) for rows in examples))

    def encoder_in_forward() -> None:
        whole = Whole(hw5_vae, cvae, rng.seed, x, c)
        either(*(partial(whole.compare_encoder, rows, ENCODED) for rows in of_encoder))

    def decoder_in_forward() -> None:
        whole = Whole(hw5_vae, cvae, rng.seed, x, c)
        either(
            lambda: whole.compare_decoder(lambda z: torch.cat((z, c), dim=1)),
            lambda: whole.compare_decoder(lambda z: torch.cat((c, z), dim=1)),
            whole.compare_decoder,
        )

    def encoder() -> None:
        either(partial(by_name, cvae.encoder, ENCODER, ENCODED, of_encoder), encoder_in_forward)
        if has_parts(cvae):
            expect_learning(cvae.encoder, rng.seed, of_encoder, ENCODER, ENCODED)

    def decoder() -> None:
        either(partial(by_name, cvae.decoder, DECODER, DECODED, of_decoder), decoder_in_forward)
        if has_parts(cvae):
            expect_learning(cvae.decoder, rng.seed, of_decoder, DECODER, DECODED)

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
    """Each image of another class than its neighbours, so that a class of another one is seen."""
    labels = (rng.integer(0, classes - 1) + torch.arange(n)) % classes
    return F.one_hot(labels, classes).float()
