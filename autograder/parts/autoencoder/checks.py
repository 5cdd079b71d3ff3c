"""Hidden checks of the part autoencoder, first half: all but the beta-VAEs.

The autoencoder, its loader and its loop, samples and interpolation; the rest is in beta_vae.py.

Each mistake costs once: networks are filled and compared on their own, and everything else works
with given ones. Training loops are judged by where they take the weights of a given model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import torch

from ...checking.expect import Fail, Partial, close, expect, first_possible, matches
from ...checking.networks import stands_alone
from ...checking.proxy import Remote, StudentError, assign, fill, items, stub, value, weights
from ...checking.registry import Rng, check
from ...checking.routes import CUT
from ..fc_vae.models import (
    IMAGE,
    LATENT,
    PIXELS,
    expect_unlikely_pixels,
    linears,
    run_network,
)
from . import beta_vae as beta_vae  # the second half, so that all of the part is here
from .models import (
    CODES,
    DECODER,
    DRAWS,
    ENCODER,
    HIDDEN,
    ROWS,
    WIDE,
    Networks,
    any_shape,
    batches_of,
    expect_anew,
    expect_far,
    expect_float32,
    expect_moved,
    expect_owned,
    expect_resumes,
    expect_shape,
    expect_size,
    expect_standard,
    expect_trains_again,
    expect_unclipped,
    expect_usual_adam,
    far_apart,
    flat_images,
    for_other_sizes,
    layered,
    learns,
    model_of,
    movement,
    new_model,
    own_code,
    series,
    steep,
    telling,
    toy,
)

Batch = tuple[torch.Tensor, torch.Tensor]
Train = Callable[..., tuple[torch.Tensor, Any]]

EVERY_PASS = "torch.utils.data.DataLoader has arguments for it: batch_size, shuffle, drop_last."
ENDS = (
    "With w from 0 to 1 in `steps` equal steps, both included, the codes are "
    "(1 - w) * first + w * last; each is decoded."
)


@check("autoencoder.architecture", share=5)
def encodes_in_three_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """AEEncoder turns an image into nz numbers: Linear to 256, ReLU, Linear to 64, ReLU, Linear
    to nz.
    """
    what = "What AEEncoder gives"
    x, small = far_apart(rng.uniform(0, 1, 4, PIXELS)), rng.uniform(0, 1, 3, 50)
    encoder = hw5_vae.AEEncoder(nz=LATENT, input_size=PIXELS)
    layered(encoder, (x,), x, ENCODER, HIDDEN, rng.seed, what)
    expect_size(encoder(x), (4, LATENT), f"What AEEncoder(nz={LATENT}) gives")
    any_shape(encoder, x, what=what)
    for_other_sizes(lambda: hw5_vae.AEEncoder(nz=3, input_size=50), (small,), (3, 3), "AEEncoder")


@check("autoencoder.architecture", share=5)
def decodes_in_three_layers(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """AEDecoder turns nz numbers into an image: Linear to 64, ReLU, Linear to 256, ReLU, Linear
    to output_size, Sigmoid.
    """
    what = "What AEDecoder gives"
    z, small = far_apart(rng.normal(4, LATENT)), rng.normal(3, 5)
    decoder = hw5_vae.AEDecoder(nz=LATENT, output_size=PIXELS)
    layered(decoder, (z,), z, DECODER, HIDDEN[::-1], rng.seed, what)
    for_other_sizes(lambda: hw5_vae.AEDecoder(nz=5, output_size=50), (small,), (3, 50), "AEDecoder")


@check("autoencoder.architecture", share=2)
def joins_encoder_and_decoder(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """AutoEncoder encodes the images and decodes the codes."""
    x, other = rng.uniform(0, 1, 2, 4, *IMAGE)
    given = Networks.draw(rng, LATENT, squash=True)
    what = "What AutoEncoder gives"

    def lets_gradients_through(model: Remote, of: Sequence[Remote]) -> None:
        if not learns(model, (x,), of):
            raise Partial(
                0.5,
                "No gradient passes through AutoEncoder to its encoder and its decoder, so they "
                "would never learn.",
                CUT,
            )

    def with_given_networks() -> None:
        model = new_model(hw5_vae, lambda: hw5_vae.AutoEncoder(LATENT))
        for name in ("encoder", "decoder"):
            value(getattr(model, name))  # raises where they are called otherwise
        given.install(model)
        for result, asked in [(model(one), one) for one in (x, other)]:
            images, _ = flat_images(result, len(x), what)
            close(images, given.decode(given.q(asked)), what, right="decoder(encoder(x))")
            expect_float32(result, what)
        lets_gradients_through(model, (model.encoder, model.decoder))

    def with_networks_of_other_names() -> None:
        model = hw5_vae.AutoEncoder(LATENT)
        layers = linears(rng.seed, fill(model, rng.seed, "execution", (x,)))
        expect(len(layers) == 6, f"{what} passes {len(layers)} Linear layers; it should be six.")
        expected = run_network(x.flatten(1), layers, [*ENCODER, *DECODER])
        made = flat_images(model(x), len(x), what)[0]
        close(
            made, expected, what, right="what its layers make of x, in the order of the statement"
        )
        lets_gradients_through(model, (model,))
        raise Partial(0.5, "AutoEncoder has no `encoder` and `decoder`, which others call.")

    def sizes() -> None:
        model = new_model(hw5_vae, lambda: hw5_vae.AutoEncoder(LATENT))
        expect_size(model.encoder(x), (len(x), LATENT), "The code of AutoEncoder")
        flat_images(model.decoder(rng.normal(len(x), LATENT)), len(x), "The image of AutoEncoder")

    _as_it_is(lambda: hw5_vae.AutoEncoder(LATENT), x, rng.seed, what)
    first_possible(with_given_networks, with_networks_of_other_names)
    sizes()
    # What its values say has been heard: now, whether an optimizer gets hold of its networks.
    with suppress(StudentError):  # networks that raise have cost their marks
        networks = ("encoder", (x,)), ("decoder", (torch.ones(1, LATENT),))
        expect_owned(hw5_vae.AutoEncoder(LATENT), networks, rng.seed, "AutoEncoder")
        model = new_model(hw5_vae, lambda: hw5_vae.AutoEncoder(LATENT))
        lets_gradients_through(model, (model,))
    stands_alone("AutoEncoder", lambda: hw5_vae.AutoEncoder(LATENT), x)


def _as_it_is(make: Callable[[], Remote], x: torch.Tensor, seed: int, what: str) -> None:
    """With the student's own networks, forward gives what these give. Networks that raise have
    cost their marks.
    """
    try:
        model = make().eval()
        fill(model, seed)
        expected = model.decoder(own_code(model.encoder, x, size=LATENT))
    except (StudentError, Fail):
        return
    for images in (x, x.flatten(1)):
        with suppress(StudentError):
            model.encoder(images)  # an encoder of one shape has cost its marks as well
            found, right = (flat_images(one, len(x), what)[0] for one in (model(images), expected))
            expect(matches(found, right), f"{what} is not decoder(encoder(x)).")


@check("autoencoder.loader")
def gives_full_batches(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """make_loader gives batches of batch_size images and labels, full ones only, on every pass."""
    for n, size in ((53, 8), (24, 6)):
        for seen in _Pass.of(hw5_vae, rng, n, size, 3):
            expect(
                seen.sizes == [size] * (n // size),
                f"The batches of {n} images have the sizes {_few(seen.sizes)}; full batches of "
                f"{size} are {n // size}.",
                EVERY_PASS,
            )


@check("autoencoder.loader")
def shuffles_every_pass(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every pass over the loader goes through the images in a fresh random order, each at most
    once.

    Two orders of 48 images are equal with a probability below 1e-60, leave out the same 5 of 53
    with one of 3.5e-7, and have a batch of the same images with one of 4e-8. Two images come one
    after the other in both 0.8 times on average, and 14 times with a probability of 1e-12. Where an
    image comes has a correlation with where it lies that three passes bring to 0.5 with one of
    3e-9; where both halves are shuffled for themselves it is 0.75.
    """
    first, second, third = (seen.order for seen in _Pass.of(hw5_vae, rng, 53, 8, 3))
    for order in (first, second):
        expect(len(set(order)) == len(order), "An image comes twice in one pass.", EVERY_PASS)
        expect(order != sorted(order), "The images come in the order of the data.", EVERY_PASS)
    expect(first != second, "Every pass has the same order.", EVERY_PASS)
    expect(third not in (first, second), "An order of the images comes back.", EVERY_PASS)
    early = sum(map(_by_place, (first, second, third))) / 3
    expect(
        abs(early) < 0.5,
        f"Images that lie early in the data come early in every pass. {EVERY_PASS}",
    )
    left = [set(range(53)) - set(order) for order in (first, second)]
    expect(left[0] != left[1], "Every pass leaves out the same images.", EVERY_PASS)
    # Of 53 images at random, a dozen beside the one before it comes with a probability of 1e-9.
    beside = max(sum(abs(a - b) == 1 for a, b in pairwise(order)) for order in (first, second))
    expect(beside < 14, "Images that are neighbours in the data come one after another.")
    groups = [
        {frozenset(order[k : k + 8]) for k in range(0, len(order), 8)} for order in (first, second)
    ]
    same = f"The batches are shuffled, but each holds the same images on every pass. {EVERY_PASS}"
    expect(not groups[0] & groups[1], same)
    moved = {*pairwise(first)} & ({*pairwise(second)} | {*pairwise(second[::-1])})
    expect(len(moved) < 14, f"Every pass has the same order, begun elsewhere. {EVERY_PASS}")


def _by_place(order: list[int]) -> float:
    """The correlation of where images come and where they lie in the data."""
    return float(torch.corrcoef(torch.tensor([order, [*range(len(order))]]).double())[0, 1])


@check("autoencoder.loader")
def keeps_labels_beside_images(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every image comes with its own label."""
    for seen in _Pass.of(hw5_vae, rng, 53, 8):
        wrong = sum(a != b for a, b in zip(seen.labels, seen.own, strict=True))
        expect(
            not wrong,
            f"{wrong} of {len(seen.labels)} images come with the label of another.",
            "One random order picks both: images[index], labels[index].",
        )


class _Pass:
    """One pass over a loader: sizes of its batches, which image came when, and the labels."""

    def __init__(self, batches: list[Any], images: torch.Tensor, labels: torch.Tensor) -> None:
        what = "The loader should give pairs (images, labels)"
        expect(len(batches) > 0, "The loader gives nothing.")
        self.sizes: list[int] = []
        self.order: list[int] = []
        self.labels: list[int] = []
        for batch in batches:
            expect(isinstance(batch, (tuple, list)) and len(batch) == 2, f"{what}.")
            x, y = batch
            expect(isinstance(x, torch.Tensor) and isinstance(y, torch.Tensor), f"{what}.")
            expect(x.shape[1:] == IMAGE, f"{what}, images (N, 1, 28, 28).")
            expect(y.shape == (len(x),), f"{what}, one label for each image.")
            known = x.flatten(1)[:, None, 0] == images.flatten(1)[None, :, 0]
            expect(bool((known.sum(1) == 1).all()), "The loader gives images that are not there.")
            index = known.float().argmax(1)
            expect(bool((x == images[index]).all()), "The loader has changed the images.")
            types = x.dtype == images.dtype and y.dtype == labels.dtype
            expect(types, f"The loader gives {x.dtype} and {y.dtype}; leave the types as they are.")
            self.sizes.append(len(x))
            self.order += index.tolist()
            self.labels += y.tolist()
        self.own = labels[self.order].tolist()

    @classmethod
    def of(cls, hw5_vae: Remote, rng: Rng, n: int, size: int, count: int = 1) -> list[_Pass]:
        """Passes over a loader of n random images."""
        images, labels = rng.uniform(0, 1, n, *IMAGE), rng.labels(n)
        # What tells them apart must not be equal by chance.
        images[:, 0, 0, 0] = rng.uniform(0, 1, n).argsort() / n
        loader = hw5_vae.make_loader(images, labels, size)
        if isinstance(loader, Remote):
            passes = [items(loader, n + 1) for _ in range(count)]
        else:
            expect(isinstance(loader, (list, tuple)), "make_loader should return an iterable.")
            passes = [list(loader)] * count
        once = "The loader serves one pass only; every epoch makes another."
        expect(not passes[0] or bool(passes[-1]), once)
        return [cls(batches, images, labels) for batches in passes]


def _few(sizes: list[int]) -> str:
    return str(sizes) if len(sizes) < 12 else f"[{sizes[0]}, {sizes[1]}, ..., {sizes[-1]}]"


@check("autoencoder.loop", share=2)
def takes_steps_of_adam(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """For every batch, train_autoencoder takes one step of Adam with the learning rate lr, down
    the gradient of the binary cross-entropy.
    """
    _compare_training(hw5_vae, ref, _start(rng), batches_of(rng, 3), 1, 0.02)
    loader, (*start, _) = telling(rng)
    usual = partial(expect_usual_adam, start=start)
    _compare_training(hw5_vae, ref, start, loader, 1, 0.02, usual)
    loader, start = steep(rng)
    _compare_training(hw5_vae, ref, start, loader, 1, 0.001, expect_unclipped, squash=False)


@check("autoencoder.loop", share=1)
def trains_every_epoch(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Training goes through the loader as often as epochs says, and anew each time; over resumable,
    one that was stopped goes on where it was.
    """
    start, loader, other = _start(rng), batches_of(rng, 2), batches_of(rng, 2)
    _compare_training(hw5_vae, ref, start, loader, 3, 0.005)

    def goes_on(train: Train) -> None:
        twice = partial(train, epochs=2, lr=0.005, start=start)
        expect_anew(hw5_vae, ref, twice, loader, other)
        expect_trains_again(partial(train, hw5_vae, loader, 1, 0.005, start))
        expect_resumes(hw5_vae, partial(train, hw5_vae, loader, 3, 0.005, start))

    first_possible(partial(goes_on, _train), partial(goes_on, _train_apart))


def _start(rng: Rng) -> list[torch.Tensor]:
    """A factor and a shift for each pixel; some pixels come near 0 and 1."""
    return [rng.normal(PIXELS, std=0.5), rng.normal(PIXELS, std=2.0)]


def _compare_training(
    hw5_vae: Remote,
    ref: Remote,
    start: list[torch.Tensor],
    loader: list[Batch],
    epochs: int,
    lr: float,
    goes_right: Callable[[torch.Tensor, torch.Tensor], None] = expect_moved,
    squash: bool = True,
) -> None:
    """`goes_right`: of where the parameters are and should be; `squash`: see `_train`."""

    def compare(train: Train) -> None:
        goal, _ = train(ref, loader, epochs, lr, start, squash)
        moved, _ = train(hw5_vae, loader, epochs, lr, start, squash)
        goes_right(moved, goal)

    first_possible(partial(compare, _train), partial(compare, _train_apart))


def _train(
    near: Remote,
    loader: Any,
    epochs: int,
    lr: float,
    start: list[torch.Tensor],
    squash: bool = True,
    apart: bool = False,
    times: int = 1,
) -> tuple[torch.Tensor, Any]:
    """Where a given model gets to, a factor and a shift for each pixel, in so many trainings one
    after another, and what the last one returns.
    `squash`: whether it ends in a sigmoid, which keeps gradients small; `apart`: for loops that
    call model.encoder and model.decoder, it is the decoder.
    """
    given = partial(stub, near, start[0], start[1], (1, PIXELS), squash, modal=True)
    if apart:
        model = model_of(near.AutoEncoder, lambda: near.AutoEncoder(LATENT))
        assign(model.encoder, stub(near, torch.ones(PIXELS), torch.zeros(PIXELS)))
        assign(model.decoder, given())
    else:
        model = given()
    for _ in range(times):
        losses = near.train_autoencoder(model, loader, epochs, lr)
    return movement(start, weights(model.decoder if apart else model)), losses


_train_apart = partial(_train, apart=True)


MEAN = "the binary cross-entropy of each step, a mean over all pixels of all images"


@check("autoencoder.loop", share=1)
def returns_every_loss(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """train_autoencoder returns the loss of every step: the binary cross-entropy, a mean over all
    pixels.
    """
    loader, epochs, lr = batches_of(rng, 2), 2, 0.01
    start = _start(rng)

    def compare(train: Train) -> None:
        moved, losses = train(hw5_vae, loader, epochs, lr, start)
        found = series(losses, epochs * len(loader), "What train_autoencoder returns")
        goal, right = train(ref, loader, epochs, lr, start)
        expected = torch.tensor(right)
        if matches(moved, goal, 2e-3):
            close(found, expected, "What train_autoencoder returns", right=MEAN)
            expect_unlikely_pixels(partial(_nats, train, hw5_vae), 3, PIXELS)
            return
        # Steps that went elsewhere cost above; the first loss was before all steps.
        close(found[:1], expected[:1], "The first loss", right=MEAN)
        varied = bool(moved.any()) and len(set(found.tolist())) == len(found)
        expect(varied, "The losses of all steps are the same.")

    first_possible(partial(compare, _train), partial(compare, _train_apart))


def _nats(train: Train, near: Remote, p: torch.Tensor, x: torch.Tensor) -> float:
    """The first loss, of all pixels together, of a model that gives p[0] for every image."""
    loader = [(x.reshape(-1, *IMAGE), torch.zeros(len(x), dtype=torch.long))]
    _, losses = train(near, loader, 1, 0.01, [torch.zeros(PIXELS), p[0].logit()])
    return float(series(losses, 1, "What train_autoencoder returns")) * x.numel()


@check("autoencoder.sample_prior")
def samples_from_the_prior(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """sample_prior draws n codes from N(0, I) and decodes them: images (n, 1, 28, 28).

    The codes are read off the images, 600 draws of 40 numbers (see `expect_standard`); a right
    answer fails with a probability below 1e-6.
    """
    given = Networks.draw(rng, WIDE, latent=WIDE)

    def compare(model: Remote) -> None:
        result, *small = (hw5_vae.sample_prior(model, n) for n in (DRAWS, 5, 5))
        images, right = flat_images(result, DRAWS, "What sample_prior gives", IMAGE)
        z = given.codes(images)
        if z is None:
            raise Fail("The images are not what model.decoder makes of codes.", CODES)
        expect_standard(z, "The codes are not drawn from N(0, I).", CODES)
        few = [flat_images(one, 5, "What sample_prior gives")[0] for one in small]
        expect(not matches(few[0], few[1]), "Two calls draw the same codes.")
        expect_far(hw5_vae, lambda model: hw5_vae.sample_prior(model, ROWS))
        expect_shape(right, "What sample_prior gives", "(n, 1, 28, 28)")

    def with_a_toy() -> None:
        d = given.decoder
        decoder = stub(hw5_vae, d.weight, d.bias, (1, PIXELS))
        compare(toy(hw5_vae, decoder=decoder, nz=WIDE))

    def with_an_autoencoder() -> None:
        compare(_own_model(hw5_vae, "AutoEncoder", given))

    first_possible(with_a_toy, with_an_autoencoder)


@check("autoencoder.interpolate")
def goes_from_start_to_end(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """interpolate_embeddings decodes `steps` codes in equal steps from the code of start to that
    of end, both included; the code of a VAE is the mean.
    """
    for outputs, name in ((LATENT, "AutoEncoder"), (2 * LATENT, "BetaVAE")):
        given = Networks.draw(rng, outputs, squash=True)
        given = replace(given, bent=name == "BetaVAE")  # or codes of mixed images would do
        asked = [(rng.uniform(0, 1, 2, *IMAGE), ()), (rng.uniform(0, 1, 2, PIXELS), (4,))]
        makes = partial(_given_toy, hw5_vae, given), partial(_own_model, hw5_vae, name, given)
        first_possible(*(partial(_interpolate, hw5_vae, make, given, asked) for make in makes))


def _given_toy(hw5_vae: Remote, given: Networks) -> Remote:
    return given.install(toy(hw5_vae, nz=given.latent))


def _own_model(hw5_vae: Remote, name: str, given: Networks) -> Remote:
    """The student's own model, of given networks: for code that asks which class it is."""
    kind, nz = getattr(hw5_vae, name), given.latent
    return given.install(model_of(kind, lambda: new_model(hw5_vae, lambda: kind(nz)), nz=nz))


def _interpolate(
    hw5_vae: Remote,
    make: Callable[[], Remote],
    given: Networks,
    asked: Sequence[tuple[torch.Tensor, tuple[int, ...]]],
) -> None:
    """`asked`: both ends, and how many steps, five where nothing is said."""
    what = "What interpolate_embeddings gives"
    model = make()
    results = [hw5_vae.interpolate_embeddings(model, *ends, *steps) for ends, steps in asked]
    for result, (ends, steps) in zip(results, asked, strict=True):
        n = steps[0] if steps else 5
        first, last = given.q(ends.flatten(1))[:, : given.latent]
        w = torch.linspace(0, 1, n).view(-1, 1)
        images, shaped = flat_images(result, n, what, IMAGE)
        between = given.decode((1 - w) * first + w * last)
        right = "what the decoder makes of codes at even steps between the two means"
        close(images, between, what, right=right, hint=ENDS)
        expect_shape(shaped, what, "(steps, 1, 28, 28)")
