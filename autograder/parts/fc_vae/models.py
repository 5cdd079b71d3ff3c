"""How the checks of fc-vae look into a student's models.

    Linear    a Linear layer of a filled model, in plain torch
    Whole     a filled model as its forward pass shows it, under whatever names
    Given     known networks for the places of encoder, mu_layer, logvar_layer and decoder
    Seated    a model with such networks in these places

Whole and Seated answer the same questions about a forward pass. Models are filled with known
numbers, and their outputs compared with those of the same layers in plain torch: the hidden width
stays the student's choice, and what a model says about itself only decides what to compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import (
    Fail,
    Partial,
    Untried,
    close,
    either,
    expect,
    first_possible,
    matches,
    tensor,
)
from ...checking.noise import is_as_drawn, is_independent, is_standard
from ...checking.proxy import (
    Remote,
    StudentError,
    assign,
    bare,
    fill,
    gradients,
    load_weights,
    sampler,
    stub,
    value,
    without_grad,
)
from ...checking.registry import Rng
from ...checking.routes import CUT, expect_routes, expect_rows_apart
from ...inside.session import recipe

PIXELS = 784
CLASSES = 10
IMAGE = (1, 28, 28)
LATENT = 7  # neither the default nor a size that anything else has
WIDEST, DEEPEST = 2048, 16  # claims beyond these are not computed
SILENT = -40.0  # a logvar whose noise no float32 can see beside mu
BRIGHT = 50.0  # how much brighter than any image those are at which activations show their ends
FAR = 8.0  # a number that codes reach
WIDE, CALM = 14.0, 4.0  # logarithms of a variance; under the second, noise can be read off images
UNLIKELY = 2e-5  # a probability at which a step of 1e-5 away from 0 and 1 is no mistake

Act = Callable[[torch.Tensor], torch.Tensor]

ENCODER: list[Act] = [torch.relu, torch.relu, torch.relu]
DECODER: list[Act] = [torch.relu, torch.relu, torch.relu, torch.sigmoid]
OTHER_ACTS: dict[str, Act] = {
    "LeakyReLU": F.leaky_relu,
    **{
        f"LeakyReLU with slope {slope}": partial(F.leaky_relu, negative_slope=slope)
        for slope in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
    },
    "Tanh": torch.tanh,
    "Sigmoid": torch.sigmoid,
    "ELU": F.elu,
    "GELU": F.gelu,
    "SiLU": F.silu,
    "Softplus": F.softplus,
    "SELU": F.selu,
    "ReLU6": F.relu6,
    "Hardtanh": F.hardtanh,
}

RETURNED: dict[int | str, str] = {0: "x_hat", 1: "mu", 2: "logvar"}
MADE_OF = (
    "what the decoder makes of a draw from N(mu, exp(logvar))",
    "what mu_layer makes of what the encoder gives",
    "what logvar_layer makes of what the encoder gives",
)
PARTS = ("encoder", "mu_layer", "logvar_layer", "decoder")
LAYER_BY_LAYER = "Write the list of layers down and go through it with the shapes of each step."
ORDER = "forward returns x_hat, mu, logvar, in this order."
WAY = "x -> encoder -> mu_layer and logvar_layer -> reparametrize -> decoder."
SAMPLING = (
    "Draw eps from N(0, 1), one number for each entry, and compute z = mu + sigma * eps. logvar is "
    "the logarithm of sigma squared: what is sigma?"
)
SWAPPED = "mu and logvar have changed places, in what is returned or on the way to the decoder."
NOT_SAMPLED = "x_hat is not decoded from a draw of N(mu, exp(logvar))."
UNTOLD_ENCODER = "the encoder is not told the class: it reads the image alone."
UNTOLD_DECODER = "The decoder is not told the class: it reads the code alone."
SIDE_BY_SIDE = "torch.cat joins two matrices side by side; the order is [x, c], then [z, c]."


@dataclass(frozen=True)
class Linear:
    """A Linear layer of a model that was filled from `seed`; `index` numbers its weight."""

    seed: int
    index: int
    inputs: int
    outputs: int

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, *self.parameters())

    def parameters(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and bias, as `fill` has written them over there."""
        weight = _recipe(self.seed, self.index, (self.outputs, self.inputs))
        return weight, _recipe(self.seed, self.index + 1, (self.outputs,))


_remembered = lru_cache(maxsize=64)(recipe)


def _recipe(seed: int, index: int, shape: tuple[int, ...]) -> torch.Tensor:
    # The usual widths come back with every submission; giants must not fill the memory.
    return (_remembered if math.prod(shape) <= 1 << 19 else recipe)(seed, index, shape)


def linears(seed: int, shapes: Any) -> list[Linear]:
    """The Linear layers behind a model's parameter shapes. The shapes are a claim: they say what
    to compute, and the outputs are compared afterwards.
    """
    layers: list[Linear] = []
    shapes = shapes if isinstance(shapes, list) else []
    expect(len(shapes) <= 2 * DEEPEST, f"There are more than {DEEPEST} layers here.")
    for index in range(0, len(shapes), 2):
        weight, *bias = shapes[index : index + 2]
        if not _is_size(weight, 2) or bias != [weight[:1]]:
            raise Fail(
                "There are parameters here that do not belong to a Linear layer with weight and "
                f"bias, or a layer wider than {WIDEST}; the question asks for Linear layers only."
            )
        layers.append(Linear(seed, index, weight[1], weight[0]))
    return layers


def _is_size(shape: Any, rank: int) -> bool:
    if not isinstance(shape, list) or len(shape) != rank:
        return False
    return all(type(n) is int and 1 <= n <= WIDEST for n in shape)


def run_network(x: torch.Tensor, layers: Sequence[Act], acts: Sequence[Act]) -> torch.Tensor:
    """x through the layers, each followed by its activation."""
    for layer, act in zip(layers, acts, strict=True):
        x = act(layer(x))
    return x


def same(x: torch.Tensor) -> torch.Tensor:
    return x


def slips(acts: list[Act]) -> Iterator[tuple[str, list[Act]]]:
    """Networks with one mistake in their activations, each with the sentence that names it."""
    relus = [i for i, act in enumerate(acts) if act is torch.relu]
    for i in relus:
        yield (
            f"the ReLU after Linear layer {i + 1} is missing.",
            [*acts[:i], same, *acts[i + 1 :]],
        )
    yield (
        "there is no ReLU between its layers; without them, they are one Linear layer together.",
        [same if act is torch.relu else act for act in acts],
    )
    if len(relus) > 2:
        yield (
            "ReLU stands only after the last Linear layer.",
            [same] * (len(relus) - 1) + acts[len(relus) - 1 :],
        )
    for name, other in OTHER_ACTS.items():
        yield (
            f"{name} stands where the question asks for ReLU.",
            [other if act is torch.relu else act for act in acts],
        )
    if acts[-1] is same:
        for name, end in {"ReLU": torch.relu, **OTHER_ACTS}.items():
            yield f"{name} stands at its end; a code may be any number.", [*acts[:-1], end]
    if acts[-1] is torch.sigmoid:
        ends: dict[str, Act] = {
            "the Sigmoid at its end is missing.": same,
            "its end is a Sigmoid twice over; once is right.": lambda x: x.sigmoid().sigmoid(),
            "its end is Tanh; pixels lie between 0 and 1, which takes a Sigmoid.": torch.tanh,
            "its end is ReLU; pixels lie between 0 and 1, which takes a Sigmoid.": torch.relu,
            "a ReLU stands before its Sigmoid, so no pixel gets below 1/2.": (
                lambda x: x.relu().sigmoid()
            ),
            "its end is a softmax, as if the pixels were classes.": partial(F.softmax, dim=1),
        }
        for sentence, end in ends.items():
            yield sentence, [*acts[:-1], end]


def compare_network(
    actual: Any,
    x: torch.Tensor,
    layers: Sequence[Linear],
    acts: list[Act],
    what: str,
    finish: Act = same,
    shapes: Sequence[tuple[int, ...]] = (),
) -> None:
    """Fail unless `actual` is `finish` of what `layers` and `acts` make of x (N, D). A network with
    one known slip keeps half.
    """
    expect_chain(x.shape[1], layers, what)
    solid: list[Act] = [_solid(layer) for layer in layers]

    def made(acts: Sequence[Act]) -> torch.Tensor:
        return finish(run_network(x, solid, acts))

    if len(layers) != len(acts):
        message = (
            f"{what}: {len(layers)} Linear layers are at work; the question asks for {len(acts)}."
        )
        expect(len(layers) > 1, message)
        acts = [*[torch.relu] * (len(layers) - 1), acts[-1]]
        expect(_is(actual, made(acts), shapes), message)
        raise Partial(0.5, message)
    expected = made(acts)
    if not _is(actual, expected, shapes):
        named = [says for says, slip in slips(acts) if _is(actual, made(slip), shapes)]
        if len(named) == 1:
            raise Partial(0.5, f"{what} is wrong: {named[0]}", LAYER_BY_LAYER)
        right = "what its layers make of the input with the activations asked for"
        close(actual, expected, what, right=right, shapes=shapes, hint=LAYER_BY_LAYER)


def expect_unlikely_pixels(nats: Callable[[torch.Tensor, torch.Tensor], float], *size: int) -> None:
    """Grant three quarters where a cross-entropy, in `nats` of all pixels (p, x), is limited by
    keeping p far away from 0 and 1.
    """
    for x in (torch.zeros(size), torch.ones(size)):
        p = (1 - x - UNLIKELY).abs()
        found = nats(p, x) - nats(torch.full(size, 0.5), x)
        if found < 0.95 * math.log(0.5 / UNLIKELY) * x.numel():
            raise Partial(
                0.75,
                "Probabilities are moved so far away from 0 and 1 that unlikely pixels count too "
                "little.",
                "A step of 1e-6 is enough to keep a logarithm finite.",
            )


def has_parts(model: Remote) -> bool:
    """Does the model have parts of the names that the statement gives?"""
    try:
        for name in PARTS:
            value(getattr(model, name))
    except StudentError:
        return False
    return True


def expect_learning(
    part: Remote, seed: int, examples: Sequence[torch.Tensor], acts: list[Act], what: str
) -> None:
    """Fail unless the gradient of what a part gives reaches its layers as it should. The first of
    the examples that the part takes is used.
    """

    def learn(x: torch.Tensor) -> None:
        layers, _ = fill_and_run(part, seed, x)
        if len(layers) != len(acts):
            return  # the others stand in forward
        values = [[one.clone().requires_grad_() for one in one.parameters()] for one in layers]
        made = run_network(x.flatten(1), [partial(_linear, pair) for pair in values], acts)
        made.sum().backward()  # type: ignore[no-untyped-call]
        found = gradients(part, x, of=[part]).objects[0]
        if _reached(found) != _reached([one.grad for pair in values for one in pair]):
            raise Partial(0.5, f"{what} does not train all of its layers.", CUT)

    first_possible(*(partial(learn, x) for x in examples))


def _reached(grads: Sequence[torch.Tensor | None]) -> int:
    return sum(grad is not None and bool(grad.count_nonzero()) for grad in grads)


def _linear(parameters: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, *parameters)


def _solid(layer: Linear) -> Act:
    """The layer with its numbers at hand, for running it many times."""
    return partial(_linear, layer.parameters())


def expect_one_width(hidden: Sequence[Linear]) -> None:
    """The statement wants one H throughout; a network of several works, and keeps most."""
    if len({layer.outputs for layer in hidden}) > 1:
        raise Partial(
            0.75, "The layers have different widths; the question asks for one H in all of them."
        )


def _is(actual: Any, expected: torch.Tensor, shapes: Sequence[tuple[int, ...]]) -> bool:
    try:
        return matches(tensor(actual, [tuple(expected.shape), *shapes], ""), expected)
    except Fail:
        return False


def expect_chain(inputs: int, layers: Sequence[Linear], what: str) -> None:
    """Fail unless each layer takes what the one before it gives."""
    for number, layer in enumerate(layers, 1):
        expect(
            layer.inputs == inputs,
            f"{what}: Linear layer {number} takes {layer.inputs} numbers where {inputs} arrive.",
        )
        inputs = layer.outputs


class Whole:
    """A filled model, run through `forward` with z = mu + logvar / 2 where it calls
    `reparametrize`. The two Linear layers that lead to Z numbers are mu's and logvar's; what runs
    before them encodes, what runs after them decodes.
    """

    def __init__(
        self, hw5_vae: Remote, model: Remote, seed: int, x: torch.Tensor, *c: torch.Tensor
    ) -> None:
        self._sample_without_noise = partial(sample_without_noise, hw5_vae)
        self._sample_without_noise()
        self._model, self._inputs = model, (x, *c)
        self._layers = linears(seed, fill(model, seed, "execution", self._inputs))
        narrow = [i for i, layer in enumerate(self._layers) if layer.outputs == LATENT]
        if len(narrow) != 2 or narrow[1] != narrow[0] + 1:
            raise Fail(
                f"forward runs through {len(self._layers)} Linear layers, of which {len(narrow)} "
                "give latent_size numbers; one each for mu and for logvar is asked for.",
                "mu and logvar come from two separate layers on top of the same hidden values.",
            )
        first = narrow[0]
        self.encoder = self._layers[:first]
        self.heads = self._layers[first : first + 2]
        self.decoder = self._layers[first + 2 :]
        self.x_hat, mu, logvar = triple(self._run())
        shape = (len(x), LATENT)
        self.mu = tensor(mu, [shape], "mu", ORDER)
        self.logvar = tensor(logvar, [shape], "logvar", ORDER)

    def _run(self, *inputs: torch.Tensor) -> Any:
        """What forward gives, of the images that were given here unless told."""
        self._sample_without_noise()
        return self._model(*(inputs or self._inputs))

    def expect_code(self, flat: torch.Tensor, c: torch.Tensor) -> None:
        """Fail unless mu and logvar follow from `flat`, in this order, and train what they should.

        Which of them is which shows in how z is made of them.
        """
        what = "mu and logvar do not follow from what the encoder should read."
        expect(passes(partial(self.compare_encoder, flat, "What forward returns")), what, ORDER)
        swapped = torch.cat((self.logvar + self.mu / 2, c), dim=1)
        expect(not passes(partial(self.compare_images, self.x_hat, swapped)), SWAPPED, ORDER)
        for output, name in ((1, "mu"), (2, "logvar")):
            self._expect_learning(output, name, len(self.encoder) + 1)

    def expect_sample(self, many: Sequence[torch.Tensor]) -> None:
        """Fail unless x_hat is decoded from a draw of N(mu, exp(logvar)) that training can follow,
        and in evaluation too.

        Noise that forward draws itself is silenced, then read off x_hat for `many` images.
        """
        _, c = with_class(*self._inputs)

        def join(z: torch.Tensor) -> torch.Tensor:
            return torch.cat((z, c), dim=1)

        with evaluating(self._model):
            again = triple(self._run())[0]
            if _same(again, self.x_hat):
                z = self.mu + self.logvar / 2
                ways = [partial(self.compare_images, self.x_hat, join(z + k)) for k in DRAWN]
                expect(any(map(passes, ways)), NOT_SAMPLED, SAMPLING)
                self._sample_without_noise()
                expect_alone(self._model, self._inputs, self.x_hat)
            else:
                silenced = [partial(self._compare_silenced, head, join) for head in self.heads]
                either(*silenced)
                z, mu, logvar = self._sample(self.heads[not passes(silenced[0])], *many)
                expect_drawn((z - mu) / torch.exp(logvar / 2))
                mean = partial(self.compare_images, self.x_hat, join(self.mu))
                expect(not passes(mean), NOT_SAMPLED, SAMPLING)
        expect_images(self.x_hat, self._inputs[0].shape)
        self._expect_learning(0, "x_hat", len(self._layers))

    def _expect_learning(self, output: int, name: str, layers: int) -> None:
        """A unit that is off for all images learns nothing: a model of 20 hidden units or more has
        one in a layer that learns, but for a probability of 1e-6."""
        found = gradients(self._model, *self._inputs, of=[self._model], pick=output).objects[0]
        reached = _reached(found)
        if reached != 2 * layers:
            raise Partial(
                0.5,
                f"{name} is made by {layers} Linear layers, and its gradient reaches the "
                f"parameters of {reached / 2:g}.",
                CUT,
            )

    def compare_encoder(self, flat: torch.Tensor, what: str) -> None:
        """Fail unless mu and logvar, whichever ran first, follow from `flat`."""
        expect_chain(flat.shape[1], [*self.encoder, self.heads[0]], what)

        def compare(*code: torch.Tensor) -> None:
            compare_network(
                torch.cat(code, 1), flat, self.encoder, ENCODER, what, finish=self._both_heads
            )

        either(lambda: compare(self.mu, self.logvar), lambda: compare(self.logvar, self.mu))

    def _both_heads(self, h: torch.Tensor) -> torch.Tensor:
        return torch.cat([head(h) for head in self.heads], dim=1)

    def compare_decoder(self, join: Act = same) -> None:
        """Fail unless x_hat is decoded from `join(z)`, where z comes from what was returned.

        A model that draws its noise without calling `reparametrize` is asked once more with its
        noise silenced.
        """
        either(
            lambda: self.compare_images(self.x_hat, join(self.mu + self.logvar / 2)),
            lambda: self.compare_images(self.x_hat, join(self.logvar + self.mu / 2)),
            *(partial(self._compare_silenced, head, join) for head in self.heads),
        )

    def compare_images(self, images: Any, codes: torch.Tensor) -> None:
        compare_images(images, codes, self.decoder)

    def _compare_silenced(self, logvar_head: Linear, join: Act) -> None:
        def silenced(layer: Linear) -> tuple[torch.Tensor, torch.Tensor]:
            weight, bias = layer.parameters()
            if layer is not logvar_head:
                return weight, bias
            return torch.zeros_like(weight), torch.full_like(bias, SILENT)

        x_hat, mu, _ = self._rerun(silenced, self._inputs)
        self.compare_images(x_hat, join(mu))

    def _sample(
        self, logvar_head: Linear, *inputs: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(z, mu, logvar) of the model's own sampling, read off a decoder that passes z through.

        Images differ in mu by far; in logvar they do not, lest noise is lost in rounding.
        """
        expect(
            len(self.decoder) == len(DECODER) and self.decoder[0].outputs >= 2 * LATENT,
            "The decoder is too small to follow what forward draws.",
        )

        def passing(layer: Linear) -> tuple[torch.Tensor, torch.Tensor]:
            if layer in self.heads:
                weight, bias = layer.parameters()
                return (weight if layer is logvar_head else 6 * weight), bias
            if layer not in self.decoder:
                return layer.parameters()
            weight = torch.zeros(layer.outputs, layer.inputs)
            eye = torch.eye(LATENT)
            if layer is self.decoder[0]:  # ReLU keeps z's positive and negative parts
                weight[: 2 * LATENT, :LATENT] = torch.cat((eye, -eye))
            elif layer is self.decoder[-1]:  # an eighth of z keeps clear of saturation
                weight[:LATENT, : 2 * LATENT] = torch.cat((eye, -eye), dim=1) / 8
            else:
                weight[: 2 * LATENT, : 2 * LATENT] = torch.eye(2 * LATENT)
            return weight, torch.zeros(layer.outputs)

        x_hat, mu, logvar = self._rerun(passing, inputs)
        return 8 * torch.logit(x_hat[:, :LATENT]), mu, logvar

    def _rerun(
        self,
        weights: Callable[[Linear], tuple[torch.Tensor, torch.Tensor]],
        inputs: Sequence[torch.Tensor],
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        def load(weights: Callable[[Linear], tuple[torch.Tensor, torch.Tensor]]) -> None:
            values = [one for layer in self._layers for one in weights(layer)]
            load_weights(self._model, values, "execution", self._inputs)

        load(weights)
        result = as_triple(self._run(*inputs), len(inputs[0]))
        load(Linear.parameters)
        return result


DRAWN = (0, 1, 3)
"""What the first draws add to mu + logvar / 2. One of them is decoded, and no mean of several."""


def sample_without_noise(hw5_vae: Remote) -> None:
    """Until the check ends, reparametrize(mu, logvar) is mu + logvar / 2 over there, and more by
    the next of DRAWN in each further call.
    """
    assign(hw5_vae.reparametrize, sampler(hw5_vae, mu=1.0, logvar=0.5))


@contextmanager
def evaluating(model: Remote) -> Iterator[None]:
    """The model is in evaluation meanwhile. One whose `train` means something else stays as it
    is.
    """
    with suppress(StudentError):
        model.eval()
    yield
    with suppress(StudentError):
        model.train()


def bright(rng: Rng, n: int) -> torch.Tensor:
    """n images (n, 1, 28, 28), the second half far brighter than any: where an activation stops at
    some number, as ReLU6 does, this is seen.
    """
    x = rng.uniform(0, 1, n, *IMAGE)
    x[n // 2 :] *= BRIGHT
    return x


def triple(result: Any) -> tuple[Any, Any, Any]:
    """x_hat, mu and logvar as forward returned them, whatever they are."""
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        count = f"{len(result)} things" if isinstance(result, (tuple, list)) else "one thing"
        raise Fail(f"forward should return three things, and it returns {count}.", ORDER)
    return result[0], result[1], result[2]


def passes(way: Callable[[], None]) -> bool:
    """Does the comparison hold? A question for choosing between answers."""
    try:
        way()
    except (Fail, Partial):
        return False
    return True


def as_triple(result: Any, n: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What forward returned, as tensors of the right shapes; x_hat (N, 784)."""
    x_hat, mu, logvar = triple(result)
    return (
        tensor(x_hat, [(n, PIXELS), (n, *IMAGE)], "x_hat", ORDER),
        tensor(mu, [(n, LATENT)], "mu", ORDER),
        tensor(logvar, [(n, LATENT)], "logvar", ORDER),
    )


def compare_images(images: Any, codes: torch.Tensor, layers: Sequence[Linear]) -> None:
    """Fail unless `images`, flat or not, are what a right decoder of `layers` makes of codes."""
    shape = (len(codes), *IMAGE)
    compare_network(images, codes, layers, DECODER, "What the decoder gives", shapes=[shape])


def fill_and_run(part: Remote, seed: int, x: torch.Tensor) -> tuple[list[Linear], Any]:
    """Fill a part of a model; its layers, and what it makes of x."""
    return linears(seed, fill(part, seed, "execution", [x])), part(x)


@dataclass(frozen=True)
class Affine:
    """A given network: x (N, ...) -> flatten(x) W + b."""

    weight: torch.Tensor
    bias: torch.Tensor

    @classmethod
    def draw(cls, rng: Rng, inputs: int, outputs: int, gain: float = 1.0) -> Affine:
        return cls(rng.normal(inputs, outputs, std=gain / math.sqrt(inputs)), rng.normal(outputs))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight + self.bias

    def first(self, inputs: int) -> Affine:
        """The same network without the inputs beyond the first so many."""
        return Affine(self.weight[:inputs], self.bias)

    def stand_for(self, part: Remote, shape: Sequence[int] = ()) -> None:
        assign(part, stub(part, self.weight, self.bias, shape))


@dataclass(frozen=True)
class Given:
    """Affine networks for the places of encoder, mu_layer, logvar_layer and decoder, and what a
    right forward pass makes of them.
    """

    encoder: Affine
    mu_layer: Affine
    logvar_layer: Affine
    decoder: Affine

    @classmethod
    def draw(cls, rng: Rng, classes: int = 0) -> Given:
        """The encoder's outputs are positive: whether its last ReLU stands in forward or in the
        encoder is the student's choice.
        """
        hidden, lift = 11, 10.0
        encoder = Affine.draw(rng, PIXELS + classes, hidden, gain=2.0)

        def head(*far: float) -> Affine:
            """Its first numbers are of this size."""
            one = Affine.draw(rng, hidden, LATENT)
            bias = one.bias - lift * one.weight.sum(0)
            bias[: len(far)] = bias[: len(far)] + torch.tensor(far)
            return replace(one, bias=bias)

        lifted = replace(encoder, bias=encoder.bias + lift)
        heads = head(FAR, -FAR), head(WIDE, -WIDE)
        return cls(lifted, *heads, Affine.draw(rng, LATENT + classes, PIXELS))

    def blinded(self) -> Iterator[Given]:
        """These networks, then those in which encoder, decoder or both are not told the class."""
        encoder, decoder = self.encoder.first(PIXELS), self.decoder.first(LATENT)
        yield self
        if encoder.weight.shape != self.encoder.weight.shape:
            yield replace(self, encoder=encoder)
            yield replace(self, decoder=decoder)
            yield replace(self, encoder=encoder, decoder=decoder)

    def stand_in(self, model: Remote) -> None:
        self.encoder.stand_for(model.encoder)
        self.mu_layer.stand_for(model.mu_layer)
        self.logvar_layer.stand_for(model.logvar_layer)
        self.decoder.stand_for(model.decoder, IMAGE)

    def code(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.encoder(flat[:, : len(self.encoder.weight)])
        return self.mu_layer(h), self.logvar_layer(h)

    def images(self, z: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return self.decoder(torch.cat((z, c), dim=1)[:, : len(self.decoder.weight)])


class Seated:
    """A student's model with given networks, as its forward pass works with them, and with
    z = mu + logvar / 2 where it calls `reparametrize`.
    """

    def __init__(
        self, hw5_vae: Remote, new: Callable[[], Remote], given: Given, *inputs: torch.Tensor
    ) -> None:
        self._sample_without_noise = partial(sample_without_noise, hw5_vae)
        self._inputs, self._wanted = inputs, given
        errors: list[StudentError] = []
        for networks in given.blinded():
            self._model, self._given = new(), networks
            networks.stand_in(self._model)
            try:
                self._result = self._run(*inputs)
                return
            except StudentError as error:
                errors.append(error)
        raise errors[0]

    def _run(self, *inputs: torch.Tensor) -> Any:
        self._sample_without_noise()
        return self._model(*inputs)

    def expect_code(self, flat: torch.Tensor, c: torch.Tensor) -> None:
        """Fail unless mu and logvar follow from `flat`, and train what leads to them."""
        told = self._given.encoder.weight.shape == self._wanted.encoder.weight.shape
        expect(told, f"mu is wrong: {UNTOLD_ENCODER}", SIDE_BY_SIDE)
        returned = triple(self._result)[1:]
        for number, expected in enumerate(self._given.code(flat)):
            self._close(returned[number], [expected], number + 1, ORDER)
        self._expect_learning(
            {1: ("the encoder", "mu_layer"), 2: ("the encoder", "logvar_layer")},
        )

    def expect_sample(self, many: Sequence[torch.Tensor]) -> None:
        """Fail unless x_hat is decoded from a draw of N(mu, exp(logvar)) that training can follow,
        and in evaluation too.

        The code may be the one returned, in case that something else is returned than should be.
        Noise that forward draws itself is silenced, then read off x_hat for `many` images.
        """
        told = self._given.decoder.weight.shape == self._wanted.decoder.weight.shape
        expect(told, UNTOLD_DECODER, SIDE_BY_SIDE)
        x, c = with_class(*self._inputs)
        x_hat = self._result[0] if isinstance(self._result, (tuple, list)) else self._result
        with evaluating(self._model):
            again = triple(self._run(*self._inputs))[0]
            if _same(again, x_hat):
                codes = [self._given.code(torch.cat((x.flatten(1), c), dim=1))]
                with suppress(Fail):
                    codes.append(as_triple(self._result, len(x))[1:])
                draws = [mu + logvar / 2 + k for mu, logvar in codes for k in DRAWN]
                self._compare(x_hat, c, draws)
                self._sample_without_noise()
                expect_alone(self._model, self._inputs, x_hat)
            else:
                self._expect_own_noise(many)
        expect_images(x_hat, x.shape)
        self._expect_learning({0: ("the encoder", "mu_layer", "logvar_layer", "the decoder")})

    def _compare(self, x_hat: Any, c: torch.Tensor, codes: Sequence[torch.Tensor]) -> None:
        pixels = tensor(x_hat, [(len(c), PIXELS), (len(c), *IMAGE)], "x_hat", ORDER)
        right = [self._given.images(z, c) for z in codes]
        if any(matches(pixels, one.sigmoid()) for one in right):
            raise Untried("A Sigmoid follows the decoder, which ends in one.")
        self._close(pixels, right, 0, WAY)

    def _close(self, actual: Any, right: Sequence[torch.Tensor], output: int, hint: str) -> None:
        """Fail unless what forward returned is one of these."""
        name, expected = RETURNED[output], right[0]
        values = tensor(actual, [tuple(expected.shape)], name, hint)
        if not any(matches(values, one) for one in right):
            expect_rows_apart(self._run, self._inputs, name, output)
            close(values, expected, name, right=MADE_OF[output], hint=hint)

    def _expect_own_noise(self, many: Sequence[torch.Tensor]) -> None:
        logvar_layer, c = self._given.logvar_layer, with_class(*self._inputs)[1]
        silent = Affine(torch.zeros_like(logvar_layer.weight), torch.full((LATENT,), SILENT))
        silent.stand_for(self._model.logvar_layer)
        x_hat, mu, _ = as_triple(self._run(*self._inputs), len(c))
        self._compare(x_hat, c, [mu])
        first, _, _ = as_triple(self._result, len(c))  # in training
        expect(not matches(first, x_hat), NOT_SAMPLED, SAMPLING)
        calm = logvar_layer.bias.clone()
        calm[:2] += torch.tensor([CALM - WIDE, WIDE - CALM])
        replace(logvar_layer, bias=calm).stand_for(self._model.logvar_layer)
        x_hat, mu, logvar = as_triple(self._run(*many), len(many[0]))
        weight = self._given.decoder.weight[:LATENT]
        seen = x_hat - self._given.images(mu, with_class(*many)[1])
        shift = seen @ torch.linalg.pinv(weight)
        expect(matches(shift @ weight, seen, 1e-3), "x_hat is decoded from no code.", WAY)
        expect_drawn(shift / torch.exp(logvar / 2))

    def _expect_learning(self, learns: Mapping[int | str, Sequence[str]]) -> None:
        networks = {
            "the encoder": self._model.encoder,
            "mu_layer": self._model.mu_layer,
            "logvar_layer": self._model.logvar_layer,
            "the decoder": self._model.decoder,
        }
        try:
            expect_routes(self._model, self._inputs, learns, networks=networks, names=RETURNED)
        except Fail as cut:
            raise Partial(0.5, cut.message, cut.hint) from None


def look(
    hw5_vae: Remote,
    model_class: Remote,
    rng: Rng,
    inputs: Sequence[torch.Tensor],
    way: Callable[[Seated | Whole], None],
) -> None:
    """Look at a forward pass: through given networks, also where the constructor is not written,
    or through the model's own where forward cannot work with given ones.
    """
    given = Given.draw(rng, with_class(*inputs)[1].shape[1])

    def new() -> Remote:
        model: Remote = model_class(PIXELS, latent_size=LATENT)
        return model

    def named() -> Remote:
        model = new()
        if not has_parts(model):
            raise Untried("The model's parts have names of their own.")
        return model

    def without_constructor() -> Remote:
        model = bare(model_class)
        sizes = {"input_size": PIXELS, "latent_size": LATENT, "num_classes": CLASSES}
        for name, size in sizes.items():
            assign(getattr(model, name), size)
        return model

    try:
        first_possible(
            lambda: way(Seated(hw5_vae, without_constructor, given, *inputs)),
            lambda: way(Seated(hw5_vae, named, given, *inputs)),
        )
    except (StudentError, Untried) as seated:
        try:
            model = new()
        except StudentError:
            raise seated from None
        way(Whole(hw5_vae, model, rng.seed, *inputs))


def with_class(x: torch.Tensor, *c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and classes, of which there are none for VAE."""
    return x, c[0] if c else torch.empty(len(x), 0)


def _same(again: Any, x_hat: Any) -> bool:
    """Does forward draw no noise of its own, so that the same comes out again?"""
    both = isinstance(again, torch.Tensor) and isinstance(x_hat, torch.Tensor)
    return not both or matches(again, x_hat)


def expect_alone(model: Remote, inputs: Sequence[torch.Tensor], x_hat: Any) -> None:
    """Fail unless the last image by itself, under no_grad(), gives its own row of x_hat."""
    alone = triple(without_grad(model)(*(one[-1:] for one in inputs)))[0]
    expect(
        _same(alone, x_hat[-1:]),
        "For a single image, or where no gradients are asked for, x_hat is made in another way.",
        SAMPLING,
    )


def expect_drawn(noise: torch.Tensor) -> None:
    """Fail unless these (n, Z) are independent draws from N(0, 1), in either half of the images."""
    pairs = (noise - noise.roll(1, dims=1)) / 2**0.5
    drawn = all(is_standard(half) for half in torch.cat((noise, pairs), dim=1).chunk(2))
    expect(drawn and is_as_drawn(noise) and is_independent(noise), NOT_SAMPLED, SAMPLING)


def expect_images(x_hat: Any, shape: tuple[int, ...]) -> None:
    """Flat images are good for the values, not for the loss, which compares them with x."""
    if not isinstance(x_hat, torch.Tensor) or x_hat.shape != shape:
        raise Partial(0.75, f"x_hat should have the shape {tuple(shape)}.")
    if x_hat.dtype != torch.float32:
        raise Partial(0.5, f"x_hat is of {x_hat.dtype}; the loss compares it with float32 images.")
