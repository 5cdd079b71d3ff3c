"""Part fc-gan: noise, fully connected and convolutional networks, losses, optimizer."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ...checking.expect import (
    FAR_LOGIT,
    Fail,
    Partial,
    close,
    either,
    expect,
    matches,
    parallel,
    tensor,
    unlimited,
)
from ...checking.networks import (
    NOTHING,
    RELU,
    SIGMOID,
    TANH,
    Layer,
    Seen,
    Slip,
    Spec,
    batch_norm,
    built,
    computes,
    conv,
    examine,
    far_apart,
    has_shape,
    instead,
    keeps_statistics,
    leaky,
    linear,
    max_pool,
    no_bias,
    passes_gradients,
    put,
    stands_alone,
    swap,
    then,
    upconv,
    view,
)
from ...checking.noise import is_as_drawn, is_independent, normal_from_uniform
from ...checking.proxy import Remote, StudentError, gradients, set_grads, stub, weights
from ...checking.registry import Rng, check

NOISE_DIM = 96
SLOPE = leaky(0.01)

LOGITS = Slip("it ends in a sigmoid; it should return logits, any real number.", then(SIGMOID))
FLAT = Slip("no LeakyReLU follows the layers.", instead(SLOPE, NOTHING), 0.25)
BIASES = Slip("the layers have no biases.", no_bias)

# Seed 003 gives the slope as 0.01 in its list and as 0.001 in the sentence below it, so that both
# are right in this network; further down its text has 0.01 alone.
DISCRIMINATOR = Spec(
    "discriminator()",
    (linear(784, 256), SLOPE, linear(256, 256), SLOPE, linear(256, 1)),
    (LOGITS, FLAT, BIASES),
    right_too=(instead(SLOPE, leaky(0.001)),),
)


def _generator(noise_dim: int) -> Spec:
    return Spec(
        "generator()",
        (
            linear(noise_dim, 1024),
            RELU,
            linear(1024, 1024),
            RELU,
            linear(1024, 784),
            TANH,
        ),
        (
            Slip("the tanh at the end is missing.", put(NOTHING, 5)),
            Slip("it ends in a sigmoid; images lie in [-1, 1], so it is a tanh.", put(SIGMOID, 5)),
            Slip("no ReLU follows the layers.", instead(RELU, NOTHING), 0.25),
            BIASES,
        ),
    )


CLASSIFIER = Spec(
    "build_dc_classifier()",
    (
        view(1, 28, 28),
        conv(1, 32, 5),
        SLOPE,
        max_pool(),
        conv(32, 64, 5),
        SLOPE,
        max_pool(),
        view(1024),
        linear(1024, 1024),
        SLOPE,
        linear(1024, 1),
    ),
    (
        LOGITS,
        Slip("LeakyReLU has slope 0.001; the list says 0.01.", instead(SLOPE, leaky(0.001)), 0.9),
        FLAT,
        BIASES,
    ),
)


def _dc_generator(noise_dim: int) -> Spec:
    return Spec(
        "build_dc_generator()",
        (
            linear(noise_dim, 1024),
            RELU,
            batch_norm(1024),
            linear(1024, 7 * 7 * 128),
            RELU,
            batch_norm(7 * 7 * 128),
            view(128, 7, 7),
            upconv(128, 64),
            RELU,
            batch_norm(64),
            upconv(64, 1),
            TANH,
            view(784),
        ),
        (
            # Seed 003's own list has lost this line; the kit's has it, and images need it.
            Slip("the tanh at the end is missing; images lie in [-1, 1].", put(NOTHING, 11), 0.8),
            Slip("it ends in a sigmoid; images lie in [-1, 1], so it is a tanh.", put(SIGMOID, 11)),
            Slip(
                "batch norm stands before ReLU; the list has it after.",
                swap((1, 2), (4, 5), (8, 9)),
            ),
            Slip("the batch norms are missing.", put(NOTHING, 2, 5, 9), 0.25),
            Slip("the batch norms of the linear layers are missing.", put(NOTHING, 2, 5)),
            Slip("no ReLU follows the layers.", instead(RELU, NOTHING), 0.25),
            BIASES,
        ),
        # "7 x 7 x 128", taken as height, width, channels.
        right_too=(put(Layer(lambda h: h.reshape(len(h), 7, 7, 128).permute(0, 3, 1, 2)), 6),),
    )


@check("fc-gan.sample_noise", share=1)
def draws_a_batch(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """sample_noise(batch_size, noise_dim) has that shape, and numbers from -1 to 1."""
    for shape in ((1, 20), (rng.integer(20, 40), rng.integer(50, 90))):
        noise = _noise(hw5_gan.sample_noise(*shape), shape)
        expect(
            bool((noise.abs() <= 1).all()),
            "sample_noise draws numbers beyond -1 and 1.",
            "Uniform noise, not normal: stretch and shift what torch.rand draws.",
        )
        _not_all_alike(noise)


@check("fc-gan.sample_noise", share=1.5)
def draws_uniformly(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The numbers are uniform between -1 and 1, each drawn on its own, and fresh at each call.

    20,000 numbers; the largest distance between their distribution function and the uniform one
    exceeds 2.85 / sqrt(20,000) with a chance of 2 exp(-2 * 2.85^2) < 2e-7. None beyond 0.998, or
    none below -0.998: 2 * 0.999^20,000 < 1e-8; the means of 300 rows and columns stay within 6.2
    standard errors with a chance of 1 - 2e-7, and true draws are as independent as they should be,
    and not evened out, with one of 1 - 2e-7: together, a right answer fails once in 1.5 million.
    """
    shape = (200, 100)
    first, second = (_noise(hw5_gan.sample_noise(*shape), shape).flatten() for _ in range(2))
    expect(
        not torch.equal(first.sort().values, second.sort().values),
        "sample_noise draws the same numbers at each call.",
        "Do not set a seed inside it.",
    )
    _not_all_alike(first)
    expect(
        int((first.sort().values.diff() > 0).sum()) > 19_000,
        "sample_noise draws too few different numbers: each entry should be drawn on its own.",
    )
    together = [first.reshape(shape).mean(d) * math.sqrt(3 * shape[d]) for d in (0, 1)]
    means = torch.cat(together)
    says = {
        "it runs from 0 to 1; stretch and shift it to run from -1 to 1.": (0.0, 1.0),
        "it runs from -1 to 0.": (-1.0, 0.0),
        "it runs from -0.5 to 0.5; it should run from -1 to 1.": (-0.5, 0.5),
        "it runs from 0 to 2: shift it by -1.": (0.0, 2.0),
        "it runs from -1 to 3.": (-1.0, 3.0),
    }
    if not _uniform(first, -1, 1):
        wrong = [text for text, ends in says.items() if _uniform(first, *ends)]
        text = wrong[0] if wrong else "its numbers are not uniform from -1 to 1."
        raise Fail(f"sample_noise is wrong: {text}", "torch.rand draws from 0 to 1.")
    expect(
        float(first.min()) < -0.998 and float(first.max()) > 0.998,
        "sample_noise keeps away from -1 and 1: numbers near them are as likely as others.",
    )
    normal = normal_from_uniform((first + 1) / 2).reshape(shape)
    expect(
        float(means.abs().max()) < 6.2 and is_independent(normal) and is_as_drawn(normal),
        "sample_noise draws numbers that hang together, over a row or a column.",
        "Each entry is drawn on its own.",
    )


@check("fc-gan.sample_noise", share=0.5, seconds=10.0)
def honours_dtype_and_device(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """sample_noise gives the dtype that is asked for, on the device that is asked for.

    "meta" is a device that keeps no numbers: a tensor that was made there is not sent here.
    """
    for dtype in (torch.float64, torch.float32):
        noise = hw5_gan.sample_noise(30, 40, dtype=dtype, device="cpu")
        values = _noise(noise, (30, 40))
        expect(
            noise.dtype == dtype,
            f"sample_noise(..., dtype={dtype}) gives {noise.dtype}.",
            "torch.rand takes dtype=dtype and device=device.",
        )
        expect(float(values.std()) > 0.2, "sample_noise draws numbers that hardly differ.")
    usual = hw5_gan.sample_noise(30, 40)
    _noise(usual, (30, 40))
    expect(usual.dtype == torch.float32, f"sample_noise gives {usual.dtype} where nothing is said.")
    with contextlib.suppress(StudentError):
        elsewhere = hw5_gan.sample_noise(30, 40, device="meta")
        stayed = not isinstance(elsewhere, torch.Tensor)
        expect(stayed, "sample_noise ignores its argument device.", "torch.rand takes device=.")


def _noise(noise: Any, shape: tuple[int, int]) -> torch.Tensor:
    values = tensor(noise, [shape], f"sample_noise{shape}")
    expect(bool(torch.isfinite(values).all()), "sample_noise draws NaN or infinity.")
    return values


def _not_all_alike(noise: torch.Tensor) -> None:
    expect(
        bool((noise != noise.flatten()[0]).any()), "sample_noise gives one number again and again."
    )


def _uniform(sample: torch.Tensor, low: float, high: float) -> bool:
    """Kolmogorov's test of a uniform distribution."""
    place = (sample.double().sort().values - low) / (high - low)
    if float(place[0]) < 0 or float(place[-1]) > 1:
        return False
    steps = torch.arange(len(place), dtype=torch.float64) / len(place)
    distance = torch.maximum((place - steps).abs(), (place - steps - 1 / len(place)).abs())
    return float(distance.max()) < 2.85 / math.sqrt(len(place))


@check("fc-gan.discriminator", share=3)
def discriminates(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """discriminator() computes the layers of the list: from flat images to logits.

    Both networks get the same parameters; two batches are compared with the live reference.
    """
    model = built(hw5_gan.discriminator(), "discriminator()")
    computes(DISCRIMINATOR, model, ref.discriminator(), _flat_images(rng, 2), rng.seed)


@check("fc-gan.discriminator", share=1)
def returns_trainable_logits(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Its logits have shape (N, 1) and lead gradients back to the images."""
    model = built(hw5_gan.discriminator(), "discriminator()")
    (x,) = _flat_images(rng, 1)
    _returns(DISCRIMINATOR, model, ref.discriminator(), x, rng.seed, 1)
    stands_alone("discriminator()", hw5_gan.discriminator, x, model)


@check("fc-gan.generator", share=3)
def generates(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """generator(96) computes the layers of the list: from noise to flat images in [-1, 1].

    Both networks get the same parameters; two batches are compared with the live reference.
    """
    model = built(hw5_gan.generator(NOISE_DIM), "generator(96)")
    noise = [far_apart(rng.uniform(-1, 1, 8, NOISE_DIM)) for _ in range(2)]
    computes(_generator(NOISE_DIM), model, ref.generator(NOISE_DIM), noise, rng.seed)


@check("fc-gan.generator", share=1)
def generates_from_any_noise(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """generator(noise_dim) takes noise of that length; images are (N, 784), gradients flow."""
    _from_any_noise(_generator, hw5_gan.generator, ref.generator, rng)


@check("fc-gan.build_dc_classifier", share=4)
def classifies_by_convolutions(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """build_dc_classifier() computes the layers of the list: from flat images to logits.

    Both networks get the same parameters; two batches are compared with the live reference.
    """
    model = built(hw5_gan.build_dc_classifier(), "build_dc_classifier()")
    computes(CLASSIFIER, model, ref.build_dc_classifier(), _flat_images(rng, 2), rng.seed)


@check("fc-gan.build_dc_classifier", share=1)
def returns_trainable_logits_too(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Its logits have shape (N, 1) and lead gradients back to the images."""
    model = built(hw5_gan.build_dc_classifier(), "build_dc_classifier()")
    (x,) = _flat_images(rng, 1)
    _returns(CLASSIFIER, model, ref.build_dc_classifier(), x, rng.seed, 1)
    stands_alone("build_dc_classifier()", hw5_gan.build_dc_classifier, x, model)


@check("fc-gan.build_dc_generator", share=4)
def generates_by_convolutions(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """build_dc_generator(96) computes the layers of the list: from noise to images in [-1, 1].

    Both networks get the same parameters and train; two batches are compared with the live
    reference.
    """
    model = built(hw5_gan.build_dc_generator(NOISE_DIM), "build_dc_generator(96)")
    noise = [far_apart(rng.uniform(-1, 1, 10, NOISE_DIM)) for _ in range(2)]
    computes(_dc_generator(NOISE_DIM), model, ref.build_dc_generator(NOISE_DIM), noise, rng.seed)


@check("fc-gan.build_dc_generator", share=1, seconds=10.0)
def generates_by_convolutions_from_any_noise(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """build_dc_generator(noise_dim) takes noise of that length; images are (N, 784), gradients
    flow, and its batch norms learn what to do in evaluation.
    """
    _from_any_noise(_dc_generator, hw5_gan.build_dc_generator, ref.build_dc_generator, rng)


def _flat_images(rng: Rng, batches: int) -> list[torch.Tensor]:
    return [far_apart(rng.uniform(-1, 1, 9, 784)) for _ in range(batches)]


def _returns(
    spec: Spec, model: Remote, twin: Remote, x: torch.Tensor, seed: int, width: int
) -> Seen:
    """The output is (N, width), and its gradient reaches the input and the parameters."""
    seen = examine(spec, model, twin, [x], seed)
    passes_gradients(spec, model, twin, seen, x, of_parameters=True)
    try:
        has_shape(spec, seen, (len(x), width))
    except Fail as fail:
        raise Partial(0.4, fail.message, "Flatten or unflatten at the end.") from None
    return seen


def _from_any_noise(
    make_spec: Callable[[int], Spec], make: Remote, make_twin: Remote, rng: Rng
) -> None:
    noise_dim = rng.integer(3, 12)
    what = f"{make._path}({noise_dim})"
    try:
        model, twin, spec = built(make(noise_dim), what), make_twin(noise_dim), make_spec(noise_dim)
        noise, other = (far_apart(rng.uniform(-1, 1, 9, noise_dim)) for _ in range(2))
        other = far_apart(other)  # batch norms take most of it away again
        seen = _returns(spec, model, twin, noise, rng.seed, 784)
        new = built(make(noise_dim), what)
        keeps_statistics(spec, (new, make_twin(noise_dim)), seen, noise, other)
        stands_alone(what, lambda: new, noise, model)
    except StudentError as error:
        if error.kind != "error":
            raise
        raise Fail(
            f"{what} does not work on noise of length {noise_dim} ({error.type}: {error.message})"[
                :300
            ],
            "Is a length written somewhere where noise_dim should stand?",
        ) from None


AVERAGE = (
    "it is the average of the two means, as in part conv-gan; this part asks for their sum, twice "
    "of it."
)
HALVES = "the factors 1/2 are missing."


@check("fc-gan.discriminator_loss", share=3)
def sums_two_means(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """discriminator_loss is the sum of two mean cross-entropies: real images 1, fakes 0."""
    _has_value(hw5_gan.discriminator_loss, ref.discriminator_loss, 2, rng, {AVERAGE: 0.5})


@check("fc-gan.discriminator_loss", share=0.5)
def discriminator_loss_takes_both_shapes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """discriminator_loss takes logits of shape (N, 1) and of shape (N,)."""
    _takes_both_shapes(hw5_gan.discriminator_loss, 2, rng)


@check("fc-gan.discriminator_loss", share=1)
def discriminator_loss_has_gradients(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of discriminator_loss raises logits of real images and lowers those of fakes."""
    _has_gradients(hw5_gan.discriminator_loss, ref.discriminator_loss, 2, rng)


@check("fc-gan.discriminator_loss", share=0.5)
def discriminator_loss_is_stable(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """discriminator_loss and its gradient stay finite for logits of 100 and -100."""
    _is_stable(hw5_gan.discriminator_loss, 2, rng)


@check("fc-gan.generator_loss", share=2.5)
def does_not_saturate(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """generator_loss is the mean of -log D(G(z)), the non-saturating form."""
    _has_value(hw5_gan.generator_loss, ref.generator_loss, 1, rng)


@check("fc-gan.generator_loss", share=0.5)
def generator_loss_takes_both_shapes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """generator_loss takes logits of shape (N, 1) and of shape (N,)."""
    _takes_both_shapes(hw5_gan.generator_loss, 1, rng)


@check("fc-gan.generator_loss", share=0.5)
def generator_loss_has_gradients(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of generator_loss raises the logits of fakes, most where they are lowest."""
    _has_gradients(hw5_gan.generator_loss, ref.generator_loss, 1, rng)


@check("fc-gan.generator_loss", share=0.5)
def generator_loss_is_stable(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """generator_loss and its gradient stay finite for logits of 100 and -100."""
    _is_stable(hw5_gan.generator_loss, 1, rng)


Batch = tuple[torch.Tensor, ...]


def _batches(rng: Rng, arity: int) -> list[Batch]:
    """Logits (N, 1) of three batches, two of them equally large."""
    return [tuple(_logits(rng, n) for _ in range(arity)) for n in (7, 7, 12)]


def _logits(rng: Rng, count: int) -> torch.Tensor:
    """Two of them are near 7 and -7, where a loss that limits its logits is wrong."""
    logits = rng.normal(count, 1, std=2.0)
    logits[:2] = torch.tensor([[7.0], [-7.0]]) + rng.uniform(-0.3, 0.3, 2, 1)
    return logits


def _rows(batch: Batch) -> Batch:
    return tuple(one[:, 0] for one in batch)


def _scalars(values: Sequence[Any], what: str) -> torch.Tensor:
    return torch.stack([tensor(one, [(), (1,), (1, 1)], what) for one in values])


def _values(function: Remote, batches: Sequence[Batch]) -> torch.Tensor:
    return _scalars([function(*batch) for batch in batches], function._path)


MEANS = {
    "discriminator_loss": "the mean cross-entropy of real images, label 1, plus that of fakes, 0",
    "generator_loss": "the mean cross-entropy of the fakes with label 1",
    "ls_discriminator_loss": "half the mean of (s_real - 1)^2 plus half the mean of s_fake^2",
    "ls_generator_loss": "half the mean of (s_fake - 1)^2",
}


def _has_value(
    theirs: Remote,
    ours: Remote,
    arity: int,
    rng: Rng,
    halves: Mapping[str, float] | None = None,
    size: float = FAR_LOGIT,
) -> None:
    """Fail unless the loss is right on (N, 1), or at least on (N,). `halves`: what is said of one
    that is off by a factor, and keeps half; `size`: of logits that it must not limit.
    """
    batches = _batches(rng, arity)
    expected = _values(ours, batches)

    def compare(inputs: Sequence[Batch]) -> None:
        found = _values(theirs, inputs)
        for says, factor in (halves or {}).items():
            if matches(found, factor * expected):
                raise Partial(0.5, f"{theirs._path} is wrong: {says}")
        close(found, expected, theirs._path, right=MEANS[theirs._path])
        far = torch.tensor([size, -size]).reshape(2, *inputs[0][0].shape[1:])
        unlimited(theirs(*arity * [far]), _values(ours, [arity * (far[:, None],)]), theirs._path)

    either(lambda: compare(batches), lambda: compare([_rows(batch) for batch in batches]))


def _expect_a_loss(theirs: Remote, batch: Batch) -> torch.Tensor:
    """What it gives, right or wrong, which another check has taken marks for. Fails where it is no
    function of the logits, or one that grows in proportion with them.
    """
    twice = tuple(2 * one for one in batch)
    found, other = _values(theirs, [batch]), _values(theirs, [twice])
    expect(
        not matches(other, found) and not matches(other, 2 * found),
        f"{theirs._path} is no loss of the logits, so nothing more is tried.",
    )
    return found


def _takes_both_shapes(theirs: Remote, arity: int, rng: Rng) -> None:
    for batch in _batches(rng, arity)[1:]:
        values = []
        for inputs in (batch, _rows(batch)):
            shape = tuple(inputs[0].shape)
            try:
                values.append(_expect_a_loss(theirs, inputs))
            except StudentError as error:
                if error.kind != "error":
                    raise
                raise Fail(
                    f"{theirs._path} fails on logits of shape {shape} "
                    f"({error.type}: {error.message})"[:300],
                    "Give the labels the shape of the logits: torch.ones_like(logits).",
                ) from None
        expect(
            matches(values[0], values[1]),
            f"{theirs._path} gives different values for the same logits, {tuple(batch[0].shape)} "
            f"and ({len(batch[0])},).",
            "A mean is over all logits, whatever their shape: .mean().",
        )


def _has_gradients(theirs: Remote, ours: Remote, arity: int, rng: Rng) -> None:
    batch, wrt = _batches(rng, arity)[0], tuple(range(arity))
    right = gradients(ours, *batch, wrt=wrt).inputs

    def compare(inputs: Batch) -> None:
        found = gradients(theirs, *inputs, wrt=wrt).inputs
        expect(
            any(grad is not None for grad in found),
            f"No gradient flows back from {theirs._path}.",
            "Return a tensor, with no .item() and no detach().",
        )
        columns = [
            grad.reshape(7, 1) if grad is not None and grad.numel() == 7 else None for grad in found
        ]
        expect(
            parallel(columns, right),
            f"The gradient of {theirs._path} does not lead the logits where it should.",
        )

    either(lambda: compare(batch), lambda: compare(_rows(batch)))


def _is_stable(theirs: Remote, arity: int, rng: Rng) -> None:
    batch, wrt = _batches(rng, arity)[0], tuple(range(arity))

    def compare(shape: Callable[[Batch], Batch]) -> None:
        _expect_a_loss(theirs, shape(batch))
        sure = tuple(torch.tensor([[100.0], [-100.0], [30.0], [-30.0]]) for _ in range(arity))
        found = gradients(theirs, *shape(sure), wrt=wrt)
        loss = tensor(found.value, [(), (1,), (1, 1)], theirs._path)
        grads = [grad for grad in found.inputs if grad is not None]
        expect(
            bool(torch.isfinite(loss)) and all(bool(grad.isfinite().all()) for grad in grads),
            f"{theirs._path} or its gradient is not finite for logits of 100 and -100.",
            "log(sigmoid(s)) breaks when the sigmoid rounds to 0 or 1: work on the logits with "
            "F.binary_cross_entropy_with_logits or F.logsigmoid.",
        )

    either(lambda: compare(lambda batch: batch), lambda: compare(_rows))


@check("fc-gan.get_optimizer", share=1)
def steps_by_a_thousandth(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """get_optimizer(model) is an Adam for all parameters, with a learning rate of 1e-3.

    Adam's first step is the learning rate times the sign of the gradient, but for the small ones.
    """
    given, hint = _Model.draw(rng), ADAM
    step, right = given.steps(hw5_gan)[0, SMALL:], given.steps(ref)[0, SMALL:]
    expect(bool(torch.isfinite(step).all()), "A step makes parameters NaN or infinite.", hint)
    expect(bool(step.any()), "optimizer.step() does not move the parameters.", hint)
    expect(bool((step != 0).all()), "optimizer.step() does not move all of the parameters.", hint)
    size = torch.full_like(step, float(step.abs().median()))
    expect(matches(step.abs(), size, 0.03), "optimizer.step() does not step as Adam does.", hint)
    down = matches(step.sign(), right.sign())
    expect(down, "The steps go the wrong way: an optimizer minimises.", hint)
    expect(matches(step, right, 0.03), "The learning rate is not 1e-3.", hint)
    later = given.steps(hw5_gan, given.plan()[:1])[0, SMALL:]
    expect(matches(later, step), "The next optimizer steps otherwise than the first one.", hint)
    if not given.keeps_gradients(hw5_gan):
        raise Partial(
            0.5,
            "After get_optimizer(model), the gradients of the model are others than before.",
            "It makes an optimizer, and leaves the model as it is.",
        )


@check("fc-gan.get_optimizer", share=2)
def keeps_momentum(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Its momentum is beta1 = 0.5, its memory of squares beta2 = 0.999, with no weight decay.

    Eight steps with given gradients, in units of the first; then a rest without any, in which
    Adam forgets squares (amsgrad=True does not), and a small one.
    """
    given = _Model.draw(rng)
    close(
        _relative(given.steps(hw5_gan)),
        _relative(given.steps(ref)),
        "The way of the optimizer's steps",
        tolerance=0.002,
        hint=ADAM,
    )


ADAM = "optim.Adam(model.parameters(), lr=..., betas=(..., ...))"
REST = 150
"""Steps without a gradient."""
Plan = list[tuple[list[torch.Tensor], int]]
SMALL = 4
"""Entries, the first ones, whose gradients are as small as Adam's epsilon."""


@dataclass(frozen=True)
class _Model:
    """A given model of two parameters, and the gradients that it meets step by step.

    The gradients differ widely between entries, so that a small weight decay shows, and between
    steps, so that beta2 does; the first of them are so small that Adam's epsilon does.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    grads: list[list[torch.Tensor]]
    last: list[torch.Tensor]
    """The gradient after a rest, smaller than those before it."""

    @staticmethod
    def draw(rng: Rng) -> _Model:
        sizes = [10 ** rng.uniform(-2, 0, *shape) for shape in ((7, 4), (4,))]
        sizes[0].view(-1)[:SMALL] = 1e-7
        return _Model(
            rng.uniform(-1.5, 1.5, 7, 4),
            rng.uniform(-1.5, 1.5, 4),
            [[_gradient(rng, size) for size in sizes] for _ in range(8)],
            [0.3 * size for size in sizes],
        )

    def steps(self, module: Remote, plan: Plan | None = None) -> torch.Tensor:
        """How far each step moves the parameters, one row a step, and one for all of the rest."""
        model = stub(module, self.weight, self.bias)
        optimizer = built(module.get_optimizer(model), "get_optimizer(model)")
        rows = [_flat([self.weight, self.bias])]
        for grads, times in plan or self.plan():
            set_grads(model, grads)
            for _ in range(times):
                optimizer.step()
            rows.append(_flat(weights(model)))
        return torch.stack(rows).diff(dim=0)

    def keeps_gradients(self, module: Remote) -> bool:
        """Are large gradients of a model that has an optimizer what they are without?"""
        model, x = stub(module, self.weight, self.bias), 1e3 * torch.ones(2, len(self.weight))
        module.get_optimizer(model)
        found = gradients(model, x, of=[model]).objects[0]
        right = [torch.full_like(self.weight, 2e3), torch.full_like(self.bias, 2.0)]
        return all(
            isinstance(theirs, torch.Tensor) and matches(theirs, ours)
            for theirs, ours in zip(found, right, strict=True)
        )

    def plan(self) -> Plan:
        """Gradients, and for how many steps they stay."""
        nothing = [torch.zeros_like(one) for one in self.last]
        return [*((grads, 1) for grads in self.grads), (nothing, REST), (self.last, 1)]


def _gradient(rng: Rng, size: torch.Tensor) -> torch.Tensor:
    return rng.normal(*size.shape).sign() * 10 ** rng.uniform(-1, 0.5, *size.shape) * size


def _flat(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([one.detach().flatten() for one in values])


def _relative(steps: torch.Tensor) -> torch.Tensor:
    """In units of the first step: the learning rate is another check's."""
    return steps / steps[0].abs().median().clamp(min=1e-12)


@check("fc-gan.least_squares", share=1.5)
def sums_two_half_means_of_squares(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """ls_discriminator_loss is the sum of two half means of squares: real images 1, fakes 0."""
    losses = hw5_gan.ls_discriminator_loss, ref.ls_discriminator_loss
    _has_value(*losses, 2, rng, {HALVES: 2.0}, size=FAR_SCORE)


@check("fc-gan.least_squares", share=0.25)
def ls_discriminator_loss_takes_both_shapes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """ls_discriminator_loss takes scores of shape (N, 1) and of shape (N,)."""
    _takes_both_shapes(hw5_gan.ls_discriminator_loss, 2, rng)


@check("fc-gan.least_squares", share=0.25)
def ls_discriminator_loss_has_gradients(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of ls_discriminator_loss draws scores of real images to 1, of fakes to 0."""
    _has_gradients(hw5_gan.ls_discriminator_loss, ref.ls_discriminator_loss, 2, rng)


@check("fc-gan.least_squares", share=1.5)
def takes_half_a_mean_of_squares(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """ls_generator_loss is half the mean of squares around 1."""
    halves = {"the factor 1/2 is missing.": 2.0}
    losses = hw5_gan.ls_generator_loss, ref.ls_generator_loss
    _has_value(*losses, 1, rng, halves, size=FAR_SCORE)


FAR_SCORE = 1e3  # squares have no end where scores are large


@check("fc-gan.least_squares", share=0.25)
def ls_generator_loss_takes_both_shapes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """ls_generator_loss takes scores of shape (N, 1) and of shape (N,)."""
    _takes_both_shapes(hw5_gan.ls_generator_loss, 1, rng)


@check("fc-gan.least_squares", share=0.25)
def ls_generator_loss_has_gradients(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of ls_generator_loss draws scores of fakes to 1."""
    _has_gradients(hw5_gan.ls_generator_loss, ref.ls_generator_loss, 1, rng)
