"""Part conv-gan: DNet and GNet, their initialisation, and the two losses of GAN."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

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
    Slip,
    Spec,
    built,
    computes,
    conv,
    examine,
    far_apart,
    floats,
    has_shape,
    instead,
    leaky,
    linear,
    max_pool,
    no_bias,
    passes_gradients,
    put,
    stands_alone,
    swap,
    then,
    upsample,
    view,
)
from ...checking.noise import is_drawn_singly
from ...checking.proxy import (
    Remote,
    StudentError,
    always,
    assign,
    bare,
    fill,
    gradients,
    items,
    layer,
    load_weights,
    shapes,
    stub,
    value,
    weights,
    zero,
)
from ...checking.registry import Rng, check

ZDIM = 64
LARGEST = 10_000
"""Numbers a row that an output may have before it is looked at more closely."""
LEAKY, NEAREST = leaky(0.2), upsample("nearest")

DNET = Spec(
    "DNet",
    (
        conv(1, 2, 3, padding=1),
        RELU,
        max_pool(),
        conv(2, 4, 3, padding=1),
        RELU,
        max_pool(),
        conv(4, 8, 3),
        RELU,
        view(200),
        linear(200, 1),
    ),
    (
        Slip("it ends in a sigmoid; DNet returns logits.", then(SIGMOID)),
        Slip("the ReLU after the third convolution is missing.", put(NOTHING, 7)),
        Slip("the ReLU after the second convolution is missing.", put(NOTHING, 4)),
        Slip("the ReLU after the first convolution is missing.", put(NOTHING, 1)),
        Slip("no ReLU follows the convolutions.", instead(RELU, NOTHING), 0.25),
        Slip("there is a ReLU after the last layer; a logit may be negative.", then(RELU)),
        Slip("it ends in a tanh; DNet returns logits.", then(TANH)),
        Slip("LeakyReLU(0.2) stands where the table has ReLU.", instead(RELU, LEAKY)),
        Slip("LeakyReLU(0.01) stands where the table has ReLU.", instead(RELU, leaky(0.01))),
        Slip("a sigmoid stands where the table has ReLU.", instead(RELU, SIGMOID), 0.25),
        Slip("a tanh stands where the table has ReLU.", instead(RELU, TANH), 0.25),
        Slip("the layers have no biases.", no_bias),
    ),
    small=True,
)


def gnet(zdim: int) -> Spec:
    """GNet's table for codes of that length."""
    return Spec(
        "GNet",
        (
            linear(zdim, 1568),
            LEAKY,
            view(32, 7, 7),
            NEAREST,
            conv(32, 16, 3, padding=1),
            LEAKY,
            NEAREST,
            conv(16, 8, 3, padding=1),
            LEAKY,
            conv(8, 1, 3, padding=1),
            SIGMOID,
        ),
        (
            Slip("the sigmoid at the end is missing.", put(NOTHING, 10)),
            Slip("it ends in a tanh; the table has a sigmoid.", put(TANH, 10)),
            Slip("it ends in a ReLU; the table has a sigmoid.", put(RELU, 10)),
            Slip(
                "LeakyReLU has torch's default slope 0.01; the table says 0.2.",
                instead(LEAKY, leaky(0.01)),
            ),
            Slip("ReLU stands where the table has LeakyReLU(0.2).", instead(LEAKY, RELU)),
            Slip("LeakyReLU has slope 0.02; the table says 0.2.", instead(LEAKY, leaky(0.02))),
            Slip("the LeakyReLU after the linear layer is missing.", put(NOTHING, 1)),
            Slip("the LeakyReLU after the first convolution is missing.", put(NOTHING, 5)),
            Slip("the LeakyReLU after the second convolution is missing.", put(NOTHING, 8)),
            Slip("no LeakyReLU follows the layers.", instead(LEAKY, NOTHING), 0.25),
            Slip("there is a LeakyReLU before the sigmoid.", put(_leaky_sigmoid(), 10)),
            Slip(
                "it upsamples bilinearly; Upsample(scale=2) repeats the nearest pixel.",
                instead(NEAREST, upsample("bilinear")),
            ),
            Slip(
                "the convolutions stand before their upsampling; the table upsamples first.",
                swap((3, 4), (6, 7)),
            ),
            Slip("the layers have no biases.", no_bias),
        ),
        small=True,
    )


def _leaky_sigmoid() -> Any:
    return type(SIGMOID)(lambda h: torch.sigmoid(F.leaky_relu(h, 0.2)))


def _images(rng: Rng, count: int) -> torch.Tensor:
    return rng.uniform(0, 1, count, 1, 28, 28)


def _patterns(rng: Rng, count: int) -> torch.Tensor:
    """Images for DNet, coarse and fine at once, of either sign: plain noise would give nearly one
    logit for all of them, and nine of ten ReLUs would always be on or always off.
    """
    coarse = F.interpolate(rng.normal(count, 1, 4, 4), scale_factor=7)
    return far_apart(2 * coarse + rng.normal(count, 1, 28, 28))


def _codes(rng: Rng, count: int, zdim: int = ZDIM) -> torch.Tensor:
    return far_apart(rng.uniform(-1, 1, count, zdim))


def _made(hw5_gan: Remote, name: str, *sizes: int) -> Remote:
    """A new network, whose `_weight_init` does nothing: that is another question's."""
    network = getattr(hw5_gan, name)
    assign(network._weight_init, always(hw5_gan))
    return built(network(*sizes), f"{name}({', '.join(map(str, sizes))})")


@check("conv-gan.DNet", share=5)
def discriminates_by_the_table(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """DNet computes the layers of its table: from images to logits.

    Both networks get the same parameters; two batches are compared with the live reference.
    """
    model = _made(hw5_gan, "DNet")
    computes(DNET, model, ref.DNet(), [_patterns(rng, 8), _patterns(rng, 8)], rng.seed)


@check("conv-gan.DNet", share=1)
def defines_the_layers_of_DNet_in_order(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """DNet defines its layers in __init__ in the order of the table, and no others."""
    _in_order(DNET, _made(hw5_gan, "DNet"), ref.DNet(), _patterns(rng, 8), rng.seed)


@check("conv-gan.DNet", share=1)
def returns_one_logit_an_image(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """DNet returns logits of shape (N, 1)."""
    model = _made(hw5_gan, "DNet")
    x = _patterns(rng, 5)
    seen = examine(DNET, model, ref.DNet(), [x], rng.seed)
    has_shape(DNET, seen, (5, 1))
    stands_alone("DNet()", partial(_made, hw5_gan, "DNet"), x, model)


@check("conv-gan.DNet", share=1)
def lets_gradients_through_DNet(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients flow through DNet: to its parameters, and to the image (the generator needs it)."""
    model, twin, x = _made(hw5_gan, "DNet"), ref.DNet(), _patterns(rng, 6)
    seen = examine(DNET, model, twin, [x], rng.seed)
    passes_gradients(DNET, model, twin, seen, x, of_parameters=True)


@check("conv-gan.GNet", share=4)
def generates_by_the_table(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """GNet(64) computes the layers of its table: from codes to images.

    Both networks get the same parameters; two batches are compared with the live reference.
    """
    codes = [_codes(rng, 8) for _ in range(2)]
    model = _made(hw5_gan, "GNet", ZDIM)
    computes(gnet(ZDIM), model, ref.GNet(ZDIM), codes, rng.seed)


@check("conv-gan.GNet", share=1)
def takes_codes_of_any_length(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """GNet(zdim) makes a generator for codes of length zdim, whatever it is."""
    zdim = rng.integer(5, 40)
    try:
        model = _made(hw5_gan, "GNet", zdim)
        examine(gnet(zdim), model, ref.GNet(zdim), [_codes(rng, 6, zdim)], rng.seed)
    except StudentError as error:
        if error.kind != "error":
            raise
        raise Fail(
            f"GNet({zdim}) does not work on codes of length {zdim} ({error.type}: {error.message})"[
                :300
            ],
            "Is the length 64 written somewhere where zdim should stand?",
        ) from None


@check("conv-gan.GNet", share=1)
def defines_the_layers_of_GNet_in_order(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """GNet defines its layers in __init__ in the order of the table, and no others."""
    codes = _codes(rng, 8)
    _in_order(gnet(ZDIM), _made(hw5_gan, "GNet", ZDIM), ref.GNet(ZDIM), codes, rng.seed)


@check("conv-gan.GNet", share=1)
def returns_images(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """GNet returns images of shape (N, 1, 28, 28)."""
    model = _made(hw5_gan, "GNet", ZDIM)
    spec, codes = gnet(ZDIM), _codes(rng, 5)
    seen = examine(spec, model, ref.GNet(ZDIM), [codes], rng.seed)
    has_shape(spec, seen, (5, 1, 28, 28))
    stands_alone(f"GNet({ZDIM})", partial(_made, hw5_gan, "GNet", ZDIM), codes, model)


@check("conv-gan.GNet", share=1)
def lets_gradients_through_GNet(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Gradients flow through GNet to all of its parameters."""
    spec, codes = gnet(ZDIM), _codes(rng, 4)
    model, twin = _made(hw5_gan, "GNet", ZDIM), ref.GNet(ZDIM)
    seen = examine(spec, model, twin, [codes], rng.seed)
    passes_gradients(spec, model, twin, seen, codes, of_parameters=True)


def _in_order(spec: Spec, model: Remote, twin: Remote, x: torch.Tensor, seed: int) -> None:
    """Filled in the order of definition, the model must give what the table gives."""
    seen = examine(spec, model, twin, [x], seed)
    expect(
        seen.counted or seen.says != "",
        f"{spec.what} defines layers that the table does not have.",
        "The table lists all layers; delete those that forward does not need.",
    )
    expect(
        seen.order == "definition" or not seen.counted,  # a layer too many has no place in it
        f"The layers of {spec.what} are defined in another order than the table's.",
        "Write the lines of __init__ in the order of the table.",
    )


@check("conv-gan.weight_init", share=1.5)
def initialises_weights_of_DNet(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """A new DNet has Kaiming-uniform weights in every layer, fresh ones each time.

    Six networks are pooled, so that a layer has at least 108 weights (see `_kaiming`), and all of
    them 3468. With the gain of ReLU, no weight comes within a hundredth of its bound with a chance
    of 0.99^3468 < 1e-15; with that of LeakyReLU(0.2), which is GNet's, none ever does.
    """
    found = _initialises(_Drawn(hw5_gan.DNet, (), ref.DNet()), [_patterns(rng, 8)] * 6, rng.seed)
    if max(float(one.pooled.abs().max()) / one.bound for one in found) < 0.99:
        raise Partial(
            0.5,
            "The weights of a new DNet are too small: it has ReLU, whose gain is sqrt(2).",
            "nn.init.kaiming_uniform_(layer.weight) as it comes.",
        )


@check("conv-gan.weight_init", share=1.5)
def initialises_weights_of_GNet(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """A new GNet has Kaiming-uniform weights in every layer, fresh ones each time.

    Three networks are pooled, so that a layer has at least 216 weights: see `_kaiming`.
    """
    codes = [rng.uniform(-1, 1, 8, ZDIM)] * 3
    _initialises(_Drawn(hw5_gan.GNet, (ZDIM,), ref.GNet(ZDIM)), codes, rng.seed)


@check("conv-gan.weight_init", share=1)
def starts_biases_at_zero(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The biases of a new DNet and a new GNet are zero.

    Read from the network, and proven by its output under them.
    """
    wrong = []
    for drawn, x in (
        (_Drawn(hw5_gan.DNet, (), ref.DNet()), _patterns(rng, 8)),
        (_Drawn(hw5_gan.GNet, (ZDIM,), ref.GNet(ZDIM)), rng.uniform(-1, 1, 8, ZDIM)),
    ):
        name = drawn.network._path
        try:
            biases = [one for one in drawn.parameters(x, rng.seed) if one.dim() == 1]
            if any(one.any() and not bool((one == 1).all()) for one in biases):
                wrong.append(f"{name} starts with biases other than zero.")
        except StudentError as error:
            wrong.append(f"{name} cannot be tried ({error.type}: {error.message}).")
        except Fail as fail:
            wrong.append(fail.message)
    if wrong:
        hint = "For every layer with a bias: nn.init.zeros_(layer.bias), or .data.fill_(0)."
        raise Partial(1 - len(wrong) / 2, " ".join(wrong)[:300], hint)


@dataclass(frozen=True)
class _Drawn:
    """New networks of one class of the student's, and the reference's network of that class."""

    network: Remote
    sizes: tuple[int, ...]
    twin: Remote

    @property
    def what(self) -> str:
        return f"{self.network._path}({', '.join(map(str, self.sizes))})"

    def parameters(self, x: torch.Tensor, seed: int, again: bool = False) -> list[torch.Tensor]:
        """Those of a new network, once more initialised if `again`; or, where the student's class
        cannot be built or run, which is another question's, those of given layers.
        """
        try:
            model = built(self.network(*self.sizes), self.what)
            if again:
                model._weight_init()
            given = model(x)
            if isinstance(given, torch.Tensor) and given.is_floating_point():
                return _proven(model, self.twin, x, seed)
            return self._of_given_layers()
        except StudentError as error:
            try:
                return self._of_given_layers()
            except StudentError:
                raise error from None

    def freezes(self, x: torch.Tensor) -> bool:
        """Do fewer parameters of a new network get a gradient than without its `_weight_init`?"""

        def learning() -> int:
            model = built(self.network(*self.sizes), self.what)
            grads = gradients(model, x, of=[model]).objects[0]
            return sum(isinstance(grad, torch.Tensor) for grad in grads)

        try:
            init, after = value(self.network._weight_init), learning()
            assign(self.network._weight_init, always(self.network))
            try:
                return after < learning()
            finally:
                assign(self.network._weight_init, init)
        except StudentError:
            return False  # it has another name, or the network is another question's

    def _of_given_layers(self) -> list[torch.Tensor]:
        """What `_weight_init` makes of layers of ours, in the places of the student's own."""
        init = value(self.network._weight_init)
        assign(self.network._weight_init, always(self.network))
        try:
            model = built(self.network(*self.sizes), self.what)
            places = _places(model.named_modules())
        except StudentError:
            model, places = bare(self.network), PLACES
        assign(self.network._weight_init, init)
        layers = [(kind, layer(self.network, kind, *GIVEN[kind][0])) for kind in places.values()]
        for path, (_, given) in zip(places, layers, strict=True):
            assign(getattr(model, path), given)
        init(model)
        return [one for kind, given in layers for one in _shown(kind, given)]


def _places(named_modules: Any) -> dict[str, str]:
    """Where a network has layers of which kind. A claim: it says where to put what, and no more."""
    found = items(named_modules, 60) if isinstance(named_modules, Remote) else []
    pairs = [one for one in found if isinstance(one, tuple) and isinstance(one[-1], Remote)]
    kinds = {one[0]: one[-1]._target.kind for one in pairs if str(one[0])[:1].isalpha()}
    return {str(path): kind for path, kind in kinds.items() if kind in GIVEN} or PLACES


Apply = Callable[..., torch.Tensor]
GIVEN: Mapping[str, tuple[tuple[int, ...], tuple[int, ...], Apply]] = {
    "Conv2d": ((8, 16, 3), (2, 8, 5, 5), F.conv2d),
    "Linear": ((40, 30), (2, 40), F.linear),
}
"""Sizes of a given layer of each kind, the shape of an input of it, and what it computes."""
PLACES = {"conv1": "Conv2d", "conv2": "Conv2d", "conv3": "Conv2d", "fc": "Linear"}


def _shown(kind: str, given: Remote) -> list[torch.Tensor]:
    """The weight and the bias of a given layer, which its output has shown to be those it uses."""
    found = [value(given.weight), value(given.bias)]
    expect(
        all(isinstance(one, torch.Tensor) for one in found),
        "_weight_init puts something in the place of a layer's weight or bias.",
        "Fill them in place.",
    )
    _, shape, apply = GIVEN[kind]
    x = torch.linspace(-1, 1, math.prod(shape)).sin().reshape(shape)
    expect(
        matches(floats(given(x), "The output of a layer"), apply(x, *found)),
        "A layer does not compute with the weights that it shows after _weight_init.",
    )
    return found


def _initialises(drawn: _Drawn, inputs: Sequence[torch.Tensor], seed: int) -> list[_Layer]:
    """Fail, or grant the part of the layers that are right; brings the layers."""
    what = drawn.what
    if drawn.freezes(inputs[0]):
        raise Partial(
            0.5,
            f"After _weight_init, not all of {what} can be trained.",
            "Fill the weights in place, and leave requires_grad as it is.",
        )
    found = _pooled([drawn.parameters(x, seed) for x in inputs], what)
    if not any(map(_kaiming, found)) and _all_kaiming_later(drawn, inputs, seed):
        # Written but never called: half of the work is there.
        raise Partial(
            0.5,
            f"A new {what} has torch's default weights, and the right ones after _weight_init.",
            "Call self._weight_init() at the end of __init__, when all layers are there.",
        )
    right = [layer for layer in found if _kaiming(layer)]
    if len(right) < len(found):
        raise Partial(
            len(right) / len(found),
            f"The weights of a new {what} are not Kaiming-uniform. {_suspect(found)}",
            "nn.init.kaiming_uniform_(layer.weight) as it comes. self.children() does not look "
            "inside a Sequential; self.modules() does.",
        )
    if any(layer.has_few for layer in found):
        raise Partial(0.5, f"Many weights of a new {what} are equal: each is drawn on its own.")
    if all(layer.repeats for layer in found):
        raise Partial(0.5, f"Each new {what} starts with the very same weights.")
    return found


def _all_kaiming_later(drawn: _Drawn, inputs: Sequence[torch.Tensor], seed: int) -> bool:
    try:
        later = [drawn.parameters(x, seed, again=True) for x in inputs]
    except StudentError:
        return False
    return all(map(_kaiming, _pooled(later, drawn.what)))


@dataclass(frozen=True)
class _Layer:
    """The weights of one layer of several new networks."""

    shape: tuple[int, ...]
    pooled: torch.Tensor
    repeats: bool

    @property
    def has_few(self) -> bool:
        """Are many numbers of one network copies of others?"""
        return not is_drawn_singly(self.pooled[: math.prod(self.shape)])

    @property
    def fan_in(self) -> int:
        return math.prod(self.shape[1:])

    @property
    def fan_out(self) -> int:
        return self.shape[0] * math.prod(self.shape[2:])

    @property
    def bound(self) -> float:
        """Kaiming's, with the gain of ReLU."""
        return math.sqrt(6 / self.fan_in)


def _pooled(parameters: Sequence[Sequence[torch.Tensor]], what: str) -> list[_Layer]:
    networks = [[one for one in values if one.dim() > 1] for values in parameters]
    layouts = {tuple(tuple(one.shape) for one in network) for network in networks}
    expect(len(layouts) == 1, f"Two networks made by {what} differ in their layers.")
    expect(bool(networks[0]), f"{what} has no weights.")
    return [
        _Layer(
            tuple(same[0].shape),
            torch.stack(same).double().flatten(),
            all(torch.equal(one, same[0]) for one in same[1:]),
        )
        for same in zip(*networks, strict=True)
    ]


def _proven(model: Remote, twin: Remote, x: torch.Tensor, seed: int) -> list[torch.Tensor]:
    """The model's parameters, in order of use, which its output has shown to be those it uses.

    Under them the reference gives the same output; or, where the network is not the table's (which
    is not asked here), they alone bring the model's own output back after it was changed.
    """
    what = "The output of the network"
    model.eval()  # a dropout that is too many would draw anew in every call
    before = floats(model(x), what)
    shape = tuple(before.shape)
    expect(before.numel() <= LARGEST * len(x), f"{what} has shape {shape} for {len(x)} rows.")
    values = weights(model, "execution", [x])
    expect(
        isinstance(values, list) and all(isinstance(one, torch.Tensor) for one in values),
        "The parameters of the network are not tensors.",
    )
    if [tuple(one.shape) for one in values] == shapes(twin):
        load_weights(twin, values)
        if matches(before.flatten(), twin(x).flatten()):
            return values
    # A network that ends in a ReLU may be silent under one filling: try several.
    for step in range(10):
        fill(model, seed + step, "execution", [x])
        if not matches(floats(model(x), what), before):
            break
    else:
        raise Fail("The network's output does not depend on its weights.")
    load_weights(model, values, "execution", [x])
    expect(
        matches(floats(model(x), what), before),
        "The weights that the network shows are not those it computes with.",
    )
    return values


def _kaiming(layer: _Layer) -> bool:
    """Uniform between -b and b, b = sqrt(6 / fan_in), by its extremes, mean and variance.

    The gain for LeakyReLU(0.2), which GNet has, makes b two percent smaller: accepted here, since
    the text says no more than Kaiming-uniform; torch's default b is 2.45 times smaller. That all of
    n weights stay below the share of b asked for, 0.84 in the smallest layer, has a chance of 1e-8
    at most; mean and variance stay within six standard errors.
    """
    return _uniform(layer, layer.bound, slack=0.05)


def _uniform(layer: _Layer, bound: float, slack: float = 0.01) -> bool:
    scaled = layer.pooled / bound
    count = len(scaled)
    near = min(0.9, 10 ** (-8 / count))
    mean, square = float(scaled.mean()), float((scaled**2).mean())
    return (
        near <= float(scaled.abs().max()) <= 1 + 1e-5
        and abs(mean) <= 6 / math.sqrt(3 * count)
        and (1 - slack) / 3 - 1.79 / math.sqrt(count) <= square <= 1 / 3 + 1.79 / math.sqrt(count)
    )


BOUNDS: Mapping[str, Callable[[_Layer], float]] = {
    "they are torch's own default": lambda one: math.sqrt(1 / one.fan_in),
    "they are Xavier-uniform": lambda one: math.sqrt(6 / (one.fan_in + one.fan_out)),
    "they go by fan_out instead of fan_in": lambda one: math.sqrt(6 / one.fan_out),
    "the gain of ReLU, sqrt(2), is missing": lambda one: math.sqrt(3 / one.fan_in),
}


def _suspect(layers: Sequence[_Layer]) -> str:
    """Which known mistake the layers that are wrong have in common."""
    wrong = [layer for layer in layers if not _kaiming(layer)]
    where = " and ".join(
        kind
        for kind, rank in (("linear layers", 2), ("convolutions", 4))
        if any(len(layer.shape) == rank for layer in wrong)
    )
    for says, bound in BOUNDS.items():
        if all(_uniform(layer, bound(layer)) for layer in wrong):
            return f"In the {where}, {says}."
    if all(float(layer.pooled.abs().max()) > layer.bound for layer in wrong):
        return f"In the {where}, some are larger than the bound (is it a normal distribution?)."
    return f"Look at the {where}."


Grads = list[list[torch.Tensor | None]]

TWICE = (
    "it is the sum of the two halves; this part asks for one mean over all 2N logits, half of it "
    "(part fc-gan asks for the sum)."
)


@dataclass(frozen=True)
class _Given:
    """Affine networks that take the places of DNet and GNet, and the inputs of one loss."""

    disc: tuple[torch.Tensor, torch.Tensor]
    gen: tuple[torch.Tensor, torch.Tensor]
    data: torch.Tensor
    codes: torch.Tensor

    @staticmethod
    def draw(rng: Rng, count: int, size: float = 7.0) -> _Given:
        """The first logits of both kinds are so large: a loss that limits its logits shows."""
        given = _Given(
            (rng.normal(784, 1, std=0.15), rng.normal(1)),
            (rng.normal(ZDIM, 784, std=0.05), rng.uniform(0, 1, 784)),
            _images(rng, count),
            rng.uniform(-1, 1, count, ZDIM),
        )
        weight, far = given.disc[0], torch.tensor([[size], [-size]])
        ways = weight, given.gen[0] @ weight
        rows = given.data.flatten(1), given.codes
        for batch, way, logits in zip(rows, ways, given.logits(), strict=True):
            batch[:2] += (far - logits[:2]) @ way.T / (way**2).sum()
        return given

    @property
    def inputs(self) -> tuple[int, torch.Tensor, torch.Tensor]:
        """batch_size, batch_data, z."""
        return len(self.data), self.data, self.codes

    def logits(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of the real images and of the fakes."""
        weight, bias = self.disc
        fakes = self.codes @ self.gen[0] + self.gen[1]
        return self.data.flatten(1) @ weight + bias, fakes @ weight + bias


@dataclass(frozen=True)
class _Style:
    """How a discriminator answers: `flat`, (N,) instead of (N, 1); `squash`, after a sigmoid."""

    flat: bool = False
    squash: bool = False


LOGITS = _Style()


def _styles(hw5_gan: Remote) -> list[_Style]:
    """The styles that the student's losses may rely on, because their DNet answers like that.

    DNet has lost its marks for it; with such a discriminator in place, the losses can be right.
    """
    try:
        disc = _made(hw5_gan, "DNet")
        zero(disc)  # so that every DNet in its style answers alike
        output = disc(torch.ones(5, 1, 28, 28))
    except StudentError:
        return [LOGITS]
    if not isinstance(output, torch.Tensor):
        return [LOGITS]
    flat, squash = tuple(output.shape) == (5,), bool((output > 0).all())
    styles = [_Style(flat), _Style(flat, squash=True)] if squash else [_Style(flat)]
    # Losses that want (N, 1) are right, though their own DNet does not give it.
    return [*styles, LOGITS] if flat else styles


class _Game:
    """A GAN over there whose networks are given, so that what is wrong with DNet and GNet costs
    nothing here.
    """

    def __init__(self, module: Remote, style: _Style = LOGITS) -> None:
        self._style = style
        try:
            self._gan = built(module.GAN(), "GAN()")
        except StudentError as error:
            if error.kind == "missing":
                raise
            # GAN() builds both networks; where it cannot, it gets what stands for them at once.
            nothing = always(module, stub(module, torch.zeros(1, 1), torch.zeros(1)))
            assign(module.DNet, nothing)
            assign(module.GNet, nothing)
            self._gan = built(module.GAN(), "GAN()")

    def seat(self, given: _Given) -> tuple[Remote, Remote]:
        """Put the given networks in their places; brings (disc, gen)."""
        weight, bias = given.disc
        if self._style.flat:
            weight, bias = weight[:, 0], bias[0]
        disc = stub(self._gan, weight, bias, squash=self._style.squash)
        gen = stub(self._gan, *given.gen, shape=(1, 28, 28))
        assign(self._gan.disc, disc)
        assign(self._gan.gen, gen)
        return disc, gen

    def loss_d(self, given: _Given) -> Any:
        self.seat(given)
        return self._gan._get_loss_d(*given.inputs)

    def loss_g(self, given: _Given) -> Any:
        self.seat(given)
        return self._gan._get_loss_g(*given.inputs[::2])

    def still_trains(self, name: str, loss: str, given: _Given) -> None:
        """Fail where the loss has frozen this network and the other loss does not thaw it."""
        network, size = getattr(self._gan, name), len(given.data)
        own = partial(gradients, network, given.codes if name == "gen" else given.data)
        loss_d = partial(gradients, self._gan._get_loss_d, *given.inputs)
        loss_g = partial(gradients, self._gan._get_loss_g, size, given.codes)
        for ask in (own, loss_g if name == "gen" else loss_d):
            with suppress(StudentError):  # the other loss is another question's
                found = ask(of=[value(network)]).objects[0]
                if all(isinstance(one, torch.Tensor) for one in found):
                    return
        raise Fail(
            f"After {loss}, {name} cannot be trained any more: it is frozen for good.",
            "What requires_grad_(False) freezes must learn again: detach the fakes instead.",
        )

    def gradients_d(self, given: _Given) -> Grads:
        """Those of the discriminator's loss, to disc and to gen."""
        of = self.seat(given)
        return gradients(self._gan._get_loss_d, *given.inputs, of=of).objects

    def gradients_g(self, given: _Given) -> Grads:
        """Those of the generator's loss, to gen."""
        of = self.seat(given)[1:]
        return gradients(self._gan._get_loss_g, *given.inputs[::2], of=of).objects


def _scalars(values: Sequence[Any], what: str) -> torch.Tensor:
    return torch.stack([tensor(one, [(), (1,), (1, 1)], what) for one in values])


def _draws(rng: Rng) -> list[_Given]:
    """Batches of different sizes and equal ones, none of them the usual 256."""
    return [_Given.draw(rng, count) for count in (6, 6, 11)]


@check("conv-gan.loss_d", share=3)
def averages_over_all_logits(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_get_loss_d is one mean of binary cross-entropies over all 2N logits: real 1, fake 0."""
    draws, twin, far = _draws(rng), _Game(ref), _Given.draw(rng, 2, FAR_LOGIT)
    right = _scalars([twin.loss_d(one) for one in draws], "_get_loss_d")

    def compare(player: _Game) -> None:
        theirs = _scalars([player.loss_d(one) for one in draws], "_get_loss_d")
        if matches(theirs, 2 * right):
            raise Partial(0.5, f"_get_loss_d is wrong: {TWICE}")
        mean = "the mean of binary cross-entropies over all 2N logits: real images 1, fakes 0"
        close(theirs, right, "_get_loss_d", right=mean, hint="Hint: nn.BCEWithLogitsLoss.")
        unlimited(player.loss_d(far), twin.loss_d(far), "_get_loss_d")

    _in_some_style(hw5_gan, compare)


@check("conv-gan.loss_d", share=1)
def trains_the_discriminator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of _get_loss_d reaches the discriminator and improves it."""
    given = _Given.draw(rng, 7)
    right = _Game(ref).gradients_d(given)[0]

    def compare(player: _Game) -> None:
        theirs = _columns(player.gradients_d(given)[0])
        expect(
            any(isinstance(grad, torch.Tensor) for grad in theirs),
            "No gradient of _get_loss_d reaches the discriminator.",
            "Return the loss as a tensor, with no .item(), no detach() on the logits.",
        )
        expect(
            parallel(theirs, right),
            "The gradient of _get_loss_d does not lead the discriminator where it should.",
            "Real images should get larger logits, fakes smaller ones.",
        )

    _in_some_style(hw5_gan, compare)


@check("conv-gan.loss_d", share=1)
def leaves_the_generator_alone(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of _get_loss_d does not reach the generator, as it does the discriminator.

    A gradient of the discriminator that other images turn shows that backpropagation took place.
    """
    given, others = _Given.draw(rng, 7), _Given.draw(rng, 7)
    others = replace(given, data=others.data, codes=others.codes)

    def compare(player: _Game) -> None:
        to_disc, to_gen = player.gradients_d(given)
        turned = [torch.zeros(1) if one is None else one for one in player.gradients_d(others)[0]]
        expect(
            any(one is not None and bool(one.any()) for one in to_disc)
            and not parallel(to_disc, turned),
            "The discriminator gets no gradient that depends on the images.",
        )
        expect(
            all(grad is None or not grad.any() for grad in to_gen),
            "The gradient of _get_loss_d reaches the generator too.",
            "Detach the fakes, or make them under torch.no_grad(): this step trains only disc.",
        )
        player.still_trains("gen", "_get_loss_d", given)

    _in_some_style(hw5_gan, compare)


@check("conv-gan.loss_g", share=3)
def wants_fakes_taken_for_real(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_get_loss_g is the mean of -log D(G(z)), the non-saturating form."""
    draws, twin, far = _draws(rng), _Game(ref), _Given.draw(rng, 2, FAR_LOGIT)
    right = _scalars([twin.loss_g(one) for one in draws], "_get_loss_g")

    def compare(player: _Game) -> None:
        theirs = _scalars([player.loss_g(one) for one in draws], "_get_loss_g")
        mean = "the mean of binary cross-entropies over the logits of N fakes, with label 1"
        close(theirs, right, "_get_loss_g", right=mean, hint="Hint: nn.BCEWithLogitsLoss.")
        unlimited(player.loss_g(far), twin.loss_g(far), "_get_loss_g")

    _in_some_style(hw5_gan, compare)


@check("conv-gan.loss_g", share=2)
def trains_the_generator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of _get_loss_g reaches the generator through the discriminator."""
    given = _Given.draw(rng, 7)
    right = _Game(ref).gradients_g(given)[0]

    def compare(player: _Game) -> None:
        theirs = player.gradients_g(given)[0]
        expect(
            any(isinstance(grad, torch.Tensor) and bool(grad.any()) for grad in theirs),
            "No gradient of _get_loss_g reaches the generator.",
            "Do not detach the fakes here: this step trains gen, through disc.",
        )
        expect(
            parallel(theirs, right),
            "The gradient of _get_loss_g does not lead the generator where it should.",
            "The generator should raise the logits of its fakes, most where they are lowest.",
        )
        player.still_trains("disc", "_get_loss_g", given)

    _in_some_style(hw5_gan, compare)


def _in_some_style(hw5_gan: Remote, compare: Callable[[_Game], None]) -> None:
    """Pass when `compare` does, in a style of discriminator that the student's DNet has."""
    either(*(partial(compare, _Game(hw5_gan, style)) for style in _styles(hw5_gan)))


def _columns(grads: Sequence[torch.Tensor | None]) -> list[torch.Tensor | None]:
    """Gradients of a given discriminator, in the shapes (784, 1) and (1,)."""
    shapes = ((784, 1), (1,))
    return [
        grad.reshape(shape) if grad is not None and grad.numel() == math.prod(shape) else None
        for grad, shape in zip(grads, shapes, strict=True)
    ]
