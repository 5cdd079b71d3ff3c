"""How the checks of the part autoencoder look into a student's models.

    layered        a filled network of Linear layers, compared layer by layer
    learns         does a gradient reach the inputs and every parameter?
    any_shape      images may come as (N, 784), (N, 1, 784) or (N, 1, 28, 28)
    Networks       known networks in the places of encoder and decoder
    new_model      a model whose constructor is given networks, or makes its own
    model_of       the same, or one whose constructor is not needed
    toy            a model that has a decoder and nz, as the sampling functions want it
    batches_of     a list of batches for training loops
    expect_resumes a loop over `resumable` that goes on where it was
    expect_anew    a loop that takes the batches of each epoch from the loader
    expect_owned   a model whose own parameters are those of its networks
    telling        batches and a start that show the settings of Adam

Sampling is seen through affine decoders: the code is read off the images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import Fail, Partial, expect, matches, tensor
from ...checking.noise import (
    has_a_twin,
    has_normal_tails,
    is_as_drawn,
    is_independent,
    is_standard,
    reaches_far,
)
from ...checking.proxy import (
    Remote,
    StudentError,
    assign,
    bare,
    fill,
    gradients,
    interrupted,
    passes,
    sized,
    stub,
    value,
)
from ...checking.registry import Rng
from ...checking.routes import CUT
from ..fc_vae.models import (
    BRIGHT,
    FAR,
    IMAGE,
    LATENT,
    PIXELS,
    Act,
    Affine,
    compare_network,
    linears,
    same,
    slips,
)

ENCODER: list[Act] = [torch.relu, torch.relu, same]
DECODER: list[Act] = [torch.relu, torch.relu, torch.sigmoid]
HIDDEN = (256, 64)
CLASSES = 10
DRAWS, WIDE = 600, 40  # 600 codes of 40 numbers: the tails of 24,000 numbers can be told
WIDER = 3.5  # a log_sigma that training reaches

SAMPLING = (
    "Draw eps from N(0, 1), one number for each entry, and compute z = mu + exp(log_sigma) * eps."
)
CODES = "torch.randn draws from N(0, I); one code has nz numbers, and model.decoder takes codes."


def layered(
    part: Remote,
    inputs: Sequence[torch.Tensor],
    rows: torch.Tensor,
    acts: list[Act],
    hidden: Sequence[int],
    seed: int,
    what: str,
) -> None:
    """Fail unless `part`, filled, makes of `inputs` what its Linear layers and `acts` make of
    `rows`. Other hidden widths than asked for keep half, and so does what cannot be trained.
    """
    layers = linears(seed, fill(part, seed, "execution", inputs))
    outputs = layers[-1].outputs if layers else 0
    n = len(rows)
    shapes = [(n, 1, outputs), (n, 28, 28), (n, 1, 28, 28)]
    result = part(*inputs)
    compare = partial(compare_network, result, rows, layers, what=what, shapes=shapes)
    try:
        compare(acts)
    except Fail:
        _expect_not_near(compare, acts, what)
        raise
    expect_float32(result, what)
    if not learns(part, inputs, [part]):
        raise Partial(0.5, f"{what} does not let training through to every layer and input.", CUT)
    widths = tuple(layer.outputs for layer in layers[:-1])
    if widths != tuple(hidden):
        raise Partial(
            0.5,
            f"{what}: the hidden layers have {_words(widths)} units; the question asks for "
            f"{_words(hidden)}.",
        )


def _expect_not_near(compare: Callable[[list[Act]], None], acts: list[Act], what: str) -> None:
    """Two slips at once keep a quarter, a LeakyReLU of any usual slope a half."""
    for slope in (0.05, 0.1, 0.3, 0.5):
        bent: list[Act] = [
            partial(F.leaky_relu, negative_slope=slope) if act is torch.relu else act
            for act in acts
        ]
        with suppress(Fail):
            compare(bent)
            raise Partial(
                0.5, f"{what} is wrong: a ReLU of another slope stands where ReLU is asked for."
            )
    for says, slip in slips(acts):
        try:
            compare(slip)
        except Fail:
            continue
        except Partial as other:
            raise Partial(0.25, f"{other.message} And: {says}", other.hint) from None


def far_apart(rows: torch.Tensor) -> torch.Tensor:
    """The rows with a first one so large that activations that stop somewhere show, and pixels
    become as black and white as can be.
    """
    return torch.cat((BRIGHT * rows[:1], rows[1:]))


def _words(widths: Sequence[int]) -> str:
    return " and ".join(map(str, widths))


def expect_float32(result: Any, what: str) -> None:
    """Double precision meets float32 weights or images next, and torch raises."""
    if isinstance(result, torch.Tensor) and result.dtype != torch.float32:
        raise Partial(
            0.5,
            f"{what} is of {result.dtype}; what comes next is of float32, and raises.",
            "Leave the type as it is: no .double(), and .float() for what comes from numpy.",
        )


def learns(
    function: Remote, inputs: Sequence[Any], of: Sequence[Remote], pick: str | None = None
) -> bool:
    """Does a gradient of the output reach the first input and every parameter of `of`?"""
    found = gradients(function, *inputs, wrt=(0,), of=of, pick=pick)
    reached = [*found.inputs, *(one for grads in found.objects for one in grads)]
    return all(isinstance(one, torch.Tensor) and bool(one.any()) for one in reached)


def any_shape(
    function: Callable[..., Any], images: torch.Tensor, *c: torch.Tensor, what: str
) -> None:
    """A network that takes images in one shape alone keeps half."""
    flat = function(images.flatten(1), *c)
    for shape in ((1, PIXELS), IMAGE):
        try:
            result = function(images.reshape(-1, *shape), *c)
            alike = isinstance(result, torch.Tensor) and isinstance(flat, torch.Tensor)
            expect(alike and matches(result.reshape(flat.shape), flat), "")
        except (StudentError, Fail, RuntimeError):
            raise Partial(
                0.5,
                f"{what} for images (N, {', '.join(map(str, shape))}) is not what it is for the "
                f"same images as (N, {PIXELS}).",
                "Images come as (N, 784), (N, 1, 784) or (N, 1, 28, 28): flatten them first.",
            ) from None


def expect_size(value: Any, shape: tuple[int, int], what: str) -> None:
    n, size = shape
    tensor(value, [shape, (n, 1, size)], what)


def own_code(encoder: Remote, *inputs: torch.Tensor, size: int) -> torch.Tensor:
    """What the student's own encoder gives, fit to be handed on. Fails otherwise."""
    code = encoder(*inputs)
    expect(isinstance(code, torch.Tensor) and code.dtype == torch.float32, "No code.")
    return tensor(code, [(len(inputs[0]), size)], "The code")


def for_other_sizes(
    make: Callable[[], Remote], inputs: Sequence[torch.Tensor], shape: tuple[int, int], name: str
) -> None:
    """A network that is right for one size keeps most when it is wrong for others."""
    try:
        expect_size(make()(*inputs), shape, f"What {name} gives")
    except (Fail, StudentError):
        raise Partial(
            0.75,
            f"{name} is right for one size and not for another.",
            "The first and the last layer follow from the arguments of the constructor.",
        ) from None


def flat_images(
    value: Any, n: int, what: str, wanted: tuple[int, ...] = ()
) -> tuple[torch.Tensor, bool]:
    """Images as (n, 784), and whether they came in the shape that is `wanted` ((n, *wanted))."""
    shapes = [(n, PIXELS), (n, 1, PIXELS), (n, 28, 28), (n, 1, 28, 28)]
    images = tensor(value, shapes, what)
    return images, not wanted or tuple(value.shape) == (n, *wanted)


def expect_shape(right: bool, what: str, wanted: str) -> None:
    """Right numbers in another shape than the docstring says keep most of the marks."""
    if not right:
        raise Partial(0.75, f"{what} should have the shape {wanted}.")


@dataclass(frozen=True)
class Networks:
    """Affine networks in the places of encoder (784 -> Z or 2Z) and decoder (Z -> 784), and, in a
    conditional model, what each class adds to their outputs. `squash`, `bent`: a sigmoid follows
    the decoder, or the encoder, whose code of a mean of images is then no mean of their codes.
    """

    encoder: Affine
    decoder: Affine
    tables: tuple[torch.Tensor, torch.Tensor] | None = None
    squash: bool = False
    bent: bool = False

    @classmethod
    def draw(
        cls,
        rng: Rng,
        outputs: int = 2 * LATENT,
        classes: int = 0,
        squash: bool = False,
        latent: int = LATENT,
    ) -> Networks:
        """The first means are about FAR and -FAR, and the first log_sigmas of a VAE about WIDER and
        -WIDER, whatever the class: where code cuts them off, it shows.
        """
        tables = (rng.normal(classes, outputs), rng.normal(classes, PIXELS)) if classes else None
        encoder = Affine.draw(rng, PIXELS, outputs)
        far = [(0, FAR), (1, -FAR)]
        far += [(latent, WIDER), (latent + 1, -WIDER)] if outputs == 2 * latent else []
        for place, number in far if outputs >= latent else ():
            encoder.bias[place] = number - encoder.weight[:, place].sum() / 2
            if tables and place >= latent:
                tables[0][:, place] = 0
        return cls(encoder, Affine.draw(rng, latent, PIXELS), tables, squash)

    @property
    def latent(self) -> int:
        return len(self.decoder.weight)

    def install(self, model: Remote) -> Remote:
        """Put them into a model; brings the model back."""
        encoder_table, decoder_table = self.tables or (None, None)
        e, d = self.encoder, self.decoder
        assign(model.encoder, stub(model, e.weight, e.bias, (), self.bent, encoder_table))
        made = stub(model, d.weight, d.bias, (1, PIXELS), self.squash, decoder_table)
        assign(model.decoder, made)
        return model

    def q(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        q = self.encoder(x.flatten(1))
        q = q if self.tables is None or c is None else q + self.tables[0][c]
        return q.sigmoid() if self.bent else q

    def decode(self, z: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """Images (N, 784)."""
        y = self.decoder(z)
        y = y if self.tables is None or c is None else y + self.tables[1][c]
        return y.sigmoid() if self.squash else y

    def codes(self, images: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor | None:
        """The codes that the affine decoder has made these images of; None when of no codes."""
        rest = images - self.decode(torch.zeros(len(images), self.latent), c)
        z: torch.Tensor = rest @ torch.linalg.pinv(self.decoder.weight)
        return z if matches(z @ self.decoder.weight, rest, 1e-3) else None


def new_model(
    hw5_vae: Remote,
    make: Callable[[], Remote],
    classes: tuple[str, str] = ("AEEncoder", "AEDecoder"),
    seed: int = 0,
) -> Remote:
    """A model built by `make`: of given networks where its constructor calls `classes`.

    An encoder that was never written then costs nothing here. A constructor that wants more of its
    networks gets its own.
    """
    own: dict[str, Any] = {}
    for name in classes:
        with suppress(StudentError):
            own[name] = value(getattr(hw5_vae, name))
    give_classes(hw5_vae, seed, classes)
    try:
        return make()
    except StudentError:
        for name, one in own.items():
            assign(getattr(hw5_vae, name), one)
        return make()


def model_of(kind: Remote, make: Callable[[], Remote], **attributes: Any) -> Remote:
    """A model built by `make`; where its constructor raises, one of that class that has these
    attributes, so that its other methods can be asked.
    """
    try:
        return make()
    except StudentError:
        model = bare(kind)
        for name, one in attributes.items():
            assign(getattr(model, name), one)
        return model


def give_classes(
    hw5_vae: Remote, seed: int, classes: tuple[str, str] = ("AEEncoder", "AEDecoder")
) -> None:
    """Until the check ends, both classes make given networks of the sizes that they are told."""
    encoder, decoder = (getattr(hw5_vae, name) for name in classes)
    assign(encoder, sized(hw5_vae, seed, ["nz", "input_size"]))
    assign(decoder, sized(hw5_vae, seed, ["nz", "output_size"], turned=True))


def toy(near: Remote, **attributes: Any) -> Remote:
    """A model with these attributes and nothing else."""
    model = stub(near, torch.zeros(1, 1), torch.zeros(1))
    for name, one in attributes.items():
        assign(getattr(model, name), one)
    return model


def q_and_rec(result: Any) -> tuple[Any, Any]:
    """What forward put into its dict under q and rec. Fails when it returns something else."""
    hint = 'forward returns {"q": ..., "rec": ...}.'
    if isinstance(result, Remote):
        # A dict of a class of its own stays over there.
        with suppress(StudentError):
            result = {name: result.get(name) for name in ("q", "rec")}
    if not isinstance(result, dict):
        raise Fail("forward should return a dict with q and rec.", hint)
    for name in ("q", "rec"):
        expect(name in result, f"The dict that forward returns has no `{name}`.", hint)
    return result["q"], result["rec"]


def expect_standard(z: torch.Tensor, what: str, hint: str) -> None:
    """Fail unless (DRAWS, WIDE) looks like draws from N(0, I): each column, all numbers together,
    tails, covariances within 6 or 7 standard errors, no row like another or its opposite, and
    nothing evened out (see `is_as_drawn`). False alarms: 7e-7.

    A spread that is off by 5 %, a mean that is off by 0.1, and numbers that are never larger than 3
    are seen with a probability above 0.9999; codes that are standardised over the batch or scaled
    to one length, and opposite pairs, always.
    """
    right = is_standard(z) and is_standard(z.reshape(-1, 1)) and has_normal_tails(z)
    expect(right and is_independent(z) and not has_a_twin(z) and is_as_drawn(z), what, hint)


ROWS = 320  # images of PIXELS numbers each, which are MANY


def expect_far(near: Remote, sample: Callable[[Remote], Any], table: bool = False) -> None:
    """Fail unless some of the codes that `sample` draws for a model lie beyond 4. Here a pixel is a
    number of its code. False alarms: 1.4e-7.
    """
    labels = torch.zeros(CLASSES, PIXELS) if table else None
    same = stub(near, torch.ones(PIXELS), torch.zeros(PIXELS), (1, PIXELS), table=labels)
    model = toy(near, decoder=same, nz=PIXELS, conditional=table, num_labels=CLASSES)
    with suppress(StudentError):  # what wants a model of its own class is seen there
        codes, _ = flat_images(sample(model), ROWS, "What is drawn")
        says = "No number of a code ever lies beyond 4: they are not drawn from N(0, I)."
        expect(reaches_far(codes), says, CODES)


SPREAD = 7.0  # a log_sigma of which noise can still be told, with spreads of 1,100 and 0.0009


def expect_no_ends(model: Remote, classes: int = 0) -> None:
    """A forward that cuts noise off at 4, or a log_sigma before 7 or -7, keeps three quarters.

    `model`: its code has PIXELS numbers, each of which becomes a pixel. False alarms: 2e-7.
    """
    log_sigma = torch.tensor([0.0, 0.0, SPREAD, -SPREAD]).repeat(PIXELS // 4)
    q, tables = torch.cat((torch.zeros(PIXELS), log_sigma)), {}
    if classes:
        tables = {n: torch.zeros(classes, n * PIXELS) for n in (1, 2)}
    encoder = stub(model, torch.zeros(PIXELS, 2 * PIXELS), q, table=tables.get(2))
    one, zero = torch.ones(PIXELS), torch.zeros(PIXELS)
    assign(model.encoder, encoder)
    assign(model.decoder, stub(model, one, zero, (1, PIXELS), table=tables.get(1)))
    c = (torch.zeros(ROWS, dtype=torch.long),) if classes else ()
    codes, _ = flat_images(q_and_rec(model(torch.zeros(ROWS, *IMAGE), *c))[1], ROWS, "rec")
    noise = (codes / log_sigma.exp()).reshape(-1, 4)
    if not reaches_far(noise):
        says = "No number of the noise of forward ever lies beyond 4: it is not drawn from N(0, 1)."
        raise Partial(0.75, says, SAMPLING)
    if not is_standard(noise):
        says = "Where log_sigma is large or very negative, the spread of z is not exp(log_sigma)."
        raise Partial(0.75, says, SAMPLING)


def batches_of(rng: Rng, count: int, size: int = 6) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of images (N, 1, 28, 28) and labels."""
    return [(rng.uniform(0, 1, size, *IMAGE), rng.labels(size, CLASSES)) for _ in range(count)]


def telling(rng: Rng) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], list[torch.Tensor]]:
    """Batches, and a start of a given model (a factor and a shift for each pixel, a row for each
    class) that show the settings of Adam.

    Some gradients are large, stay away for 9 steps and come back (betas, amsgrad), some are faint
    (eps), and large weights get none (weight_decay). None is near 0 by chance.
    """
    faint, dark = slice(300, 600), slice(600, None)
    w, b = rng.uniform(-1, 1, PIXELS), rng.uniform(-3, -2, PIXELS)
    w[faint], w[dark] = 1e-4, 30.0
    table = rng.uniform(-0.5, 0.5, 3, PIXELS)
    table[0] = 30.0
    loader = []
    for step in range(12):
        lit = step == 0 or step > 9
        x = rng.uniform(0.5, 1, 2, PIXELS) * lit
        x[:, faint], x[:, dark] = x[:, faint] * 1e-4, 0
        labels = torch.full((2,), 1 if lit else 2)
        x[:, 0] = labels / 10
        loader.append((x.reshape(-1, *IMAGE), labels))
    return loader, [w, b, table]


def steep(rng: Rng) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], list[torch.Tensor]]:
    """Batches, and a start of a given model without a sigmoid, of whose pixels some are so far off
    that their first gradient is a hundred times as large as those that follow.
    """
    w, b = torch.zeros(PIXELS), rng.uniform(0.3, 0.5, PIXELS)
    b[:100] = 1e-4
    loader = [(rng.uniform(0.6, 0.9, 2, *IMAGE), rng.labels(2, CLASSES)) for _ in range(5)]
    return loader, [w, b]


def expect_usual_adam(
    actual: torch.Tensor, expected: torch.Tensor, start: Sequence[torch.Tensor]
) -> None:
    """An Adam of other settings keeps half. `actual`, `expected`: see `movement`."""
    sizes = [one.numel() for one in start]
    pairs = zip(torch.split(actual, sizes), torch.split(expected, sizes), strict=True)
    if not all(matches(theirs, ours, 2e-4) for theirs, ours in pairs):
        raise Partial(
            0.5,
            "After a few batches, the weights are not where Adam with torch's usual settings "
            "takes them.",
            "betas, eps, weight_decay and amsgrad stay as they are; nothing but lr is given.",
        )


def expect_unclipped(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Where gradients are large in some steps and not in others, clipped ones show."""
    if not matches(actual, expected, 2e-3):
        raise Partial(
            0.5,
            "Where some gradients are large, the weights are not where Adam takes them.",
            "Nothing clips or scales a gradient between backward and step.",
        )


def movement(before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> torch.Tensor:
    """Where training has taken the parameters, in one row. Fails when these are not the same."""
    shapes = [tuple(one.shape) for one in before]
    right = isinstance(after, list) and [tuple(getattr(a, "shape", ())) for a in after] == shapes
    expect(right, "After training, the model has other parameters than before.")
    return torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)])


def expect_moved(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Fail unless training has taken the parameters where it should. Rounding in Adam's first steps
    costs less than a thousandth of the way.
    """
    expect(bool(actual.abs().max() > 0), "Training leaves the weights where they were.")
    expect(
        matches(actual, expected, 2e-3),
        "Training does not take the weights where it should.",
        "For every batch: forward, loss, zero_grad, backward, step. The optimizer is Adam with the "
        "learning rate `lr`.",
    )


def expect_resumes(near: Remote, train: Callable[[], tuple[torch.Tensor, Any]]) -> None:
    """A loop over `resumable` that does not name all that changes keeps three quarters.

    `train`: the student's training of several epochs, from its beginning: where it takes the
    parameters, and what it returns. What that is, right or wrong, other checks compare.
    """
    whole, losses = train()
    assign(near.resumable, interrupted(near))
    train()
    moved, others = train()
    same = _numbers(others), _numbers(losses)
    if not matches(moved, whole, 2e-3) or not matches(*same, 2e-3):
        raise Partial(
            0.75,
            "A training that is stopped and goes on later does not end as one that runs through: "
            "resumable does not bring back all that the loop changes.",
            "Name all of it: resumable(epochs, model=..., optimizer=..., and each list of losses).",
        )


def expect_trains_again(train: Callable[..., tuple[torch.Tensor, Any]]) -> None:
    """A loop after which its model can be trained no further keeps three quarters: a cell of a
    notebook is run again.

    `train`: the student's trainings, `times` of them on one model: where they take the parameters.
    """
    once, hint = "A model that has been trained once does not train again.", "Leave it as it was."
    try:
        first, both = train(times=1)[0], train(times=2)[0]
    except StudentError as error:
        raise Partial(0.75, f"{once} It raises {error}"[:300], hint) from None
    further = (both != first)[first != 0]
    if float(further.float().mean()) < 0.9:  # a few may come back to where they were
        raise Partial(0.75, once, hint)


def expect_anew(
    near: Remote,
    ref: Remote,
    train: Callable[[Remote, Any], tuple[torch.Tensor, Any]],
    first: Sequence[Any],
    second: Sequence[Any],
) -> None:
    """A loop that keeps the batches of the first epoch for the others loses half: a loader that
    shuffles brings other ones in each epoch.

    `train`: two epochs of a module's training on a loader: where it takes the parameters.
    """
    moved, _ = train(near, passes(near, first, second))
    kept, _ = train(ref, passes(ref, first, first))
    if matches(moved, kept, 2e-3):
        raise Partial(
            0.5,
            "Every epoch is trained on the batches of the first one.",
            "Go through the loader itself in each epoch: it shuffles anew every time.",
        )


def expect_owned(
    model: Remote, networks: Sequence[tuple[str, Sequence[Any]]], seed: int, what: str
) -> None:
    """A model whose parameters are not those of its networks keeps half: an optimizer of
    model.parameters() would leave these as they are. `networks`: their names, and inputs. One that
    hides its parameters itself has cost its marks.
    """
    for name, inputs in networks:
        network, seen = getattr(model, name), []
        for filled in (model, model, network):
            seed += 1
            fill(filled, seed)
            seen.append(network(*inputs))
        first, second, third = seen
        if isinstance(first, torch.Tensor) and matches(first, second) and not matches(first, third):
            raise Partial(
                0.5,
                f"The parameters of {what} are not those of its {name}: training leaves it as it "
                "is.",
                f"self.{name} = ... in __init__ registers a network; lists and functions do not.",
            )


def _numbers(losses: Any) -> torch.Tensor:
    """All numbers of a list, a tensor, or of several of them."""
    if isinstance(losses, (list, tuple)):
        return torch.cat([torch.zeros(0), *map(_numbers, losses)])
    number = isinstance(losses, (int, float, torch.Tensor))
    return torch.as_tensor(losses).float().flatten() if number else torch.zeros(0)


def series(losses: Any, n: int, what: str) -> torch.Tensor:
    """n losses as a tensor (n,): a list of numbers or of scalars, or a tensor."""
    if isinstance(losses, torch.Tensor):
        return tensor(losses, [(n,), (n, 1)], what)
    expect(isinstance(losses, (list, tuple)), f"{what} should be a list of numbers.")
    count = f"{what} holds {len(losses)} numbers after {n} steps; one for each step is asked for."
    expect(len(losses) == n, count)
    scalar = partial(tensor, shapes=[(), (1,)], what=f"A number of {what}")
    return torch.stack([scalar(loss) for loss in losses])
