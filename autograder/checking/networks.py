"""Networks that a table of layers describes: filled alike, compared, named when they are wrong.

The live reference decides what is right. The tables here say which mistake an answer looks like,
and let a network with one known slip keep the marks for what it does well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, product, takewhile
from typing import Any

import torch
import torch.nn.functional as F

from ..inside.session import recipe
from .expect import Fail, Partial, expect, matches, tensor
from .proxy import Gradients, Remote, StudentError, fill, gradients, load_weights, zero

KINKS = 0.02
"""Tolerance of gradients through a whole network: rounding may flip one ReLU in a hundred thousand,
and a gradient that does not flow is off by everything."""


@dataclass(frozen=True)
class Layer:
    """`apply(h, *parameters)` and the shapes of its parameters, weight first.

    `name`: what it is called in a sentence; `channels`: how many leave it, where it decides that.
    """

    apply: Callable[..., torch.Tensor]
    shapes: tuple[tuple[int, ...], ...] = ()
    name: str = ""
    channels: int = 0


LINEAR = "linear layer"
Table = tuple[Layer, ...]
Edit = Callable[[Table], Table]


def linear(inputs: int, outputs: int) -> Layer:
    return Layer(F.linear, ((outputs, inputs), (outputs,)), LINEAR, outputs)


def conv(inputs: int, outputs: int, size: int, padding: int = 0) -> Layer:
    shapes = ((outputs, inputs, size, size), (outputs,))
    return Layer(partial(F.conv2d, padding=padding), shapes, "convolution", outputs)


def upconv(inputs: int, outputs: int) -> Layer:
    """A transposed convolution of 4x4 that doubles height and width."""
    shapes = ((inputs, outputs, 4, 4), (outputs,))
    apply = partial(F.conv_transpose2d, stride=2, padding=1)
    return Layer(apply, shapes, "transposed convolution", outputs)


def batch_norm(channels: int, affine: bool = True, eps: float = 1e-5) -> Layer:
    def apply(h: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        scale, shift = parameters or (None, None)
        return F.batch_norm(h, None, None, scale, shift, training=True, eps=eps)

    return Layer(apply, ((channels,), (channels,)) if affine else (), "batch norm", channels)


def view(*shape: int) -> Layer:
    return Layer(lambda h: h.reshape(len(h), *shape), (), "view", shape[0])


def leaky(slope: float) -> Layer:
    return Layer(lambda h: F.leaky_relu(h, slope), (), f"LeakyReLU({slope})")


def max_pool() -> Layer:
    return Layer(lambda h: F.max_pool2d(h, 2), (), "max pool")


def upsample(mode: str) -> Layer:
    return Layer(lambda h: F.interpolate(h, scale_factor=2, mode=mode), (), f"{mode} upsampling")


RELU = Layer(torch.relu, (), "ReLU")
AVERAGES = Layer(lambda h: F.avg_pool2d(h, 2), (), "average pool")
TANH = Layer(torch.tanh, (), "tanh")
SIGMOID = Layer(torch.sigmoid, (), "sigmoid")
ELU = Layer(F.elu, (), "ELU")
RELU6 = Layer(F.relu6, (), "ReLU6")
NOTHING = Layer(lambda h: h)

SLOPES = (0.2, 0.01, 0.1, 0.3, 0.02, 0.05, 0.001, 0.25, 0.5)
BENDS = (RELU, *map(leaky, SLOPES), ELU, TANH, SIGMOID, RELU6)
"""Activations that stand in the place of the right one in somebody's network."""
FAR = 30.0
"""How much larger than usual the inputs are at which activations show that they stop somewhere."""
TRACED = 8
"""Networks of which all variants are kept: tens of megabytes each."""
EPSILONS = (0.8, 0.9, 0.1, 1e-2, 1e-3)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True)
class Slip:
    """A known mistake: what to say, what it does to the table, which fraction it still earns.

    `wider`: the same in all places that it fits, which may answer alike.
    """

    says: str
    edit: Edit
    fraction: float = 0.5
    wider: Edit | None = None


def then(layer: Layer) -> Edit:
    """One layer more at the end."""
    return lambda table: (*table, layer)


def after(layer: Layer, place: int) -> Edit:
    """One layer more behind this place."""
    return lambda table: (*table[: place + 1], layer, *table[place + 1 :])


def put(layer: Layer, *places: int) -> Edit:
    """Other layers in these places; NOTHING leaves one out."""
    return lambda table: tuple(layer if i in places else one for i, one in enumerate(table))


def instead(old: Layer, new: Layer) -> Edit:
    """`new` wherever a layer of the kind of `old` stands."""
    return lambda table: tuple(new if one.name == old.name else one for one in table)


def swap(*pairs: tuple[int, int]) -> Edit:
    """Layers change places."""

    def edit(table: Table) -> Table:
        layers = list(table)
        for a, b in pairs:
            layers[a], layers[b] = layers[b], layers[a]
        return tuple(layers)

    return edit


def no_bias(table: Table) -> Table:
    """Weights without their biases (batch norm keeps both)."""
    return tuple(
        replace(one, shapes=one.shapes[:1]) if one.shapes and len(one.shapes[0]) > 1 else one
        for one in table
    )


def parameters(table: Table, seed: int) -> list[torch.Tensor]:
    """What `fill(model, seed)` puts into a model made by the table."""
    shapes = [shape for layer in table for shape in layer.shapes]
    return [recipe(seed, index, shape) for index, shape in enumerate(shapes)]


def run(table: Table, values: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The output of the table's network with these parameters."""
    *_, output = steps(table, values, x)
    return output


def steps(table: Table, values: Sequence[torch.Tensor], x: torch.Tensor) -> Iterator[torch.Tensor]:
    """The input of each layer, and the output of the last."""
    left = iter(values)
    yield x
    for layer in table:
        x = layer.apply(x, *(next(left) for _ in layer.shapes))
        yield x


def one_step_aside(table: Table) -> list[Slip]:
    """The networks that differ from this one in one place, or alike wherever a layer stands: such a
    network keeps half of its marks, whichever layer it is that differs.
    """
    found = [slip for i in range(len(table)) for slip in _other_layers(table, i)]
    if table[-1].shapes:
        says = "follows the last layer, where nothing is asked for."
        found += [Slip(f"{one.name} {says}", then(one)) for one in BENDS]
    if any(one.name == "batch norm" for one in table):
        says = "the second argument of BatchNorm is eps."
        for eps in EPSILONS:
            found.append(Slip(f"its batch norms have eps = {eps}: {says}", partial(_with_eps, eps)))
    return found


def _other_layers(table: Table, i: int) -> Iterator[Slip]:
    """What may stand in place i, or behind it, instead of what is asked for there."""
    layer, place = table[i], _place(table, i)
    if layer.name == "max pool":
        yield Slip(f"it pools by averages {place}, where maxima are asked for.", put(AVERAGES, i))
        yield Slip("it pools by averages; the table has maxima.", instead(layer, AVERAGES))
    elif layer.name == "nearest upsampling":
        for other in map(upsample, ("bilinear", "bicubic")):
            yield Slip(f"{other.name} stands {place}; nearest is asked for.", put(other, i))
    elif layer.name == "batch norm":
        yield from _other_norms(table, i, f"the batch norm {place}")
    elif _bends(layer):
        yield from _other_bends(table, i, place)
    if layer.name not in ("", "batch norm", "view") and i + 1 < len(table):
        extra = batch_norm(next(one.channels for one in table[i::-1] if one.channels))
        behind = "" if layer.shapes else f", behind its {layer.name}"
        says = f"a batch norm that is not asked for stands {place}{behind}."
        yield Slip(says, after(extra, i))


def _other_norms(table: Table, i: int, norm: str) -> Iterator[Slip]:
    channels = table[i].channels
    yield Slip(f"{norm} is missing.", put(NOTHING, i))
    yield Slip(f"{norm} has no parameters of its own.", put(batch_norm(channels, False), i))
    yield Slip(f"{norm} stands before its {_kind(table[i - 1])}, not after.", swap((i - 1, i)))
    for eps in EPSILONS:
        yield Slip(f"{norm} has eps = {eps}.", put(batch_norm(channels, eps=eps), i))


def _other_bends(table: Table, i: int, place: str) -> Iterator[Slip]:
    bend, before = table[i], table[i - 1]
    yield Slip(f"the {_kind(bend)} {place} is missing.", put(NOTHING, i))
    asked = f"{bend.name} is asked for."
    for one in BENDS:
        if one.name != bend.name:
            everywhere = instead(bend, one)
            several = sum(other.name == bend.name for other in table) > 1
            says = f"{one.name} stands {place}, where {asked}"
            yield Slip(says, put(one, i), wider=everywhere if several else None)
            if bend.name not in (other.name for other in table[:i]):
                yield Slip(f"{one.name} stands wherever {asked}", everywhere)
    if before.shapes:
        number = ORDINALS[sum(map(_bends, table[:i]))]
        says = f"the {number} {_kind(bend)} stands before its {before.name}."
        yield Slip(says, swap((i - 1, i)))


def _with_eps(eps: float, table: Table) -> Table:
    norms = ((one, one.name == "batch norm") for one in table)
    return tuple(batch_norm(one.channels, eps=eps) if norm else one for one, norm in norms)


def _bends(layer: Layer) -> bool:
    return _kind(layer) in ("ReLU", "LeakyReLU", "ELU", "tanh", "sigmoid", "ReLU6")


def _kind(layer: Layer) -> str:
    return layer.name.partition("(")[0]


def _place(table: Table, i: int) -> str:
    """`after the second convolution`: the last layer with weights up to place i."""
    layers = [one.name for one in table[: i + 1] if one.shapes and one.name != "batch norm"]
    if not layers:
        return "at the beginning"
    return f"after the {ORDINALS[layers.count(layers[-1]) - 1]} {layers[-1]}"


@dataclass(frozen=True)
class Spec:
    """A network as the assignment gives it, and the mistakes we know by name.

    `what` names it to the student. `small`: a network of few channels, whose parameters must be
    drawn with care (see `_lively`), and where two slips at once are looked for too.
    """

    what: str
    table: Table
    slips: tuple[Slip, ...]
    small: bool = False
    right_too: tuple[Edit, ...] = ()
    """Other readings of the text that are as right as the reference's."""

    def candidates(self) -> list[Slip]:
        """The table's variants, most harmless first."""
        right = [Slip("", edit, 1.0) for edit in self.right_too]
        twice = [_both(a, b) for a, b in combinations(self.slips, 2)] if self.small else []
        return [*right, *self.slips, *one_step_aside(self.table), *twice]


def _both(a: Slip, b: Slip) -> Slip:
    return Slip(
        f"{a.says} And: {b.says}", lambda table: b.edit(a.edit(table)), a.fraction * b.fraction
    )


@dataclass(frozen=True)
class Seen:
    """How a network answered: as which variant of the table, its parameters taken in which order.

    `seed` filled it, `counted` says whether it has exactly as many parameters as the table, `shape`
    and `dtype` are those of its first output; `says` and `fraction` are the variant's slip ("" and
    1 when right).
    """

    table: Table
    seed: int
    order: str
    counted: bool
    shape: tuple[int, ...]
    dtype: torch.dtype
    says: str = ""
    fraction: float = 1.0


DROPOUT = "it draws anew in every call while it trains, as a dropout does; none is asked for."
EVALUATION = "after eval() it gives something else than in training."


def far_apart(x: torch.Tensor) -> torch.Tensor:
    """The inputs, half of them so large that an activation that stops at some number, as ReLU6
    does, is seen.
    """
    return torch.cat((x[: len(x) // 2], FAR * x[len(x) // 2 :]))


def built(model: Any, what: str) -> Remote:
    """The model that a class or function brought. Fails when it is plain data."""
    if not isinstance(model, Remote):
        kind = "None" if model is None else f"a {type(model).__name__}"
        raise Fail(f"{what} gives {kind}; it should give a model.")
    return model


def examine(
    spec: Spec, model: Remote, twin: Remote, inputs: Sequence[torch.Tensor], seed: int
) -> Seen:
    """Find the variant of the table that `model` computes. Fails when there is none.

    The parameters are filled as defined and as executed, in the student's model and in `twin`,
    the reference's; outputs decide, on every one of `inputs`, and where no batch norm makes a
    difference on the last of them in evaluation, too.
    """
    seed = _lively(spec, seed, inputs) if spec.small else seed
    fill(twin, seed)
    expected = [twin(x) for x in inputs]
    answers: dict[str, list[torch.Tensor]] = {}
    shapes: list[list[int]] = []
    for says, fraction in (("", 1.0), (DROPOUT, 0.5)):
        for order in ("definition", "execution"):
            shapes = _fill(model, seed, order, inputs[0])
            raw = [model(x) for x in inputs]
            outputs = [floats(one, f"The output of {spec.what}") for one in raw]
            shape, dtype, counted = tuple(raw[0].shape), raw[0].dtype, _counted(shapes, spec.table)
            if _agree(outputs, expected):
                if not says and not _is_the_same_in_evaluation(spec, model, inputs[-1], raw[-1]):
                    says, fraction = EVALUATION, 0.5
                return Seen(spec.table, seed, order, counted, shape, dtype, says, fraction)
            answers.setdefault(order, outputs)
        model.train(bool(says))  # what was too random in training may be right in evaluation
    traced = _traced(spec, seed, inputs[0])
    for number, slip in enumerate(spec.candidates()):
        # The first batch decides nearly always: the others are computed when it agrees.
        first = traced.kept(number, slip.edit)
        alike = [o for o, outputs in answers.items() if _agree(outputs[:1], [first])]
        if not alike or not _varies(first):
            continue
        table = slip.edit(spec.table)
        rest = _outputs(table, seed, inputs[1:])
        for order in alike:
            if all(map(_varies, rest)) and _agree(answers[order][1:], rest):
                says = slip.says
                wider = _outputs(slip.wider(spec.table), seed, inputs) if slip.wider else []
                if wider and _agree(wider, [first, *rest]):
                    says = f"{says.rstrip('.')}; or it stands in all such places."
                return Seen(table, seed, order, counted, shape, dtype, says, slip.fraction)
    for order, outputs in answers.items():
        for slip in _other_slopes(traced, outputs[0]):
            table = slip.edit(spec.table)
            if _agree(outputs, _outputs(table, seed, inputs)):
                return Seen(table, seed, order, counted, shape, dtype, slip.says, slip.fraction)
        for slip in _ends(outputs, expected):
            return Seen(slip.edit(spec.table), seed, order, counted, shape, dtype, slip.says, 0.5)
    wrong = _unlike(spec, shapes, shape, tuple(expected[0].shape))
    raise wrong or _unlike_somewhere(spec, model, seed, inputs[0])


def _ends(outputs: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> Iterator[Slip]:
    """What is right but for numbers beyond some end, where that end stands. A quarter of the
    numbers must lie between the ends, or anything constant would be cut off.
    """
    if [one.shape for one in outputs] != [one.shape for one in expected]:
        return
    found, right = (
        torch.cat([one.flatten() for one in several]) for several in (outputs, expected)
    )
    low, high = float(found.min()), float(found.max())
    between = (found > low) & (found < high)
    if 4 * int(between.sum()) > len(found) and matches(found, right.clamp(low, high)):
        cut = [one for one, is_end in ((low, right < low), (high, right > high)) if is_end.any()]
        says = f"its output is cut off at {' and '.join(f'{one:.4g}' for one in cut)}."
        yield Slip(says, then(Layer(lambda h: h.clamp(low, high))))


def _other_slopes(traced: _Traced, y: torch.Tensor) -> Iterator[Slip]:
    """Networks of a slope that nobody has listed: the one that comes closest to y, bend by bend."""
    table = traced.table
    bends = [i for i, one in enumerate(table) if _kind(one) in ("ReLU", "LeakyReLU")]
    ways: list[tuple[str, tuple[int, ...]]] = [(_place(table, i), (i,)) for i in bends]
    if len(bends) > 1:
        ways.append(("in every place", tuple(bends)))
    for place, places in ways:
        slope = _closest_slope(traced, places, y)
        says = f"LeakyReLU({slope:.3g}) stands {place}; {table[places[0]].name} is asked for."
        yield Slip(says, put(leaky(slope), *places))


def _closest_slope(traced: _Traced, places: tuple[int, ...], y: torch.Tensor) -> float:
    """By secants: outputs are nearly straight lines of a slope, in short steps."""
    before, slope, last = 0.1, 0.3, torch.zeros(0)
    for step in range(6):
        at = leaky(slope if step else before)
        output = traced.output(put(at, *places))
        if step:
            way = output - last
            size = float((way**2).sum())
            if not 0 < size < math.inf or output.numel() != y.numel():
                break
            share = float(((y.reshape(output.shape) - output) * way).sum()) / size
            before, slope = slope, min(max(slope + share * (slope - before), -2.0), 2.0)
        last = output
    return slope


def _outputs(table: Table, seed: int, inputs: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    return [run(table, parameters(table, seed), x) for x in inputs]


def _is_the_same_in_evaluation(spec: Spec, model: Remote, x: torch.Tensor, y: Any) -> bool:
    if any(one.name == "batch norm" for one in spec.table):
        return True  # `keeps_statistics` asks for it
    model.eval()
    again = model(x)
    model.train()
    return isinstance(again, torch.Tensor) and _agree([again], [y])


def has_shape(spec: Spec, seen: Seen, wanted: tuple[int, ...]) -> None:
    """Fail unless the output had exactly this shape, and numbers that the next network takes."""
    expect(
        seen.shape == wanted,
        f"The output of {spec.what} has shape {seen.shape} for {wanted[0]} rows of input; it "
        f"should be {wanted}.",
    )
    expect(
        seen.dtype == torch.float32,
        f"The output of {spec.what} is of {seen.dtype}; the next layer wants torch.float32.",
    )


@dataclass(frozen=True)
class _Traced:
    """The table's network, layer by layer, at one input: what its variants have in common with it
    is not computed again, and what they give is kept, since a batch asks the same of everybody.
    """

    table: Table
    seed: int
    values: Sequence[torch.Tensor]
    steps: Sequence[torch.Tensor]
    """The input of each layer, and the output."""
    outputs: dict[int, torch.Tensor]

    def kept(self, number: int, edit: Edit) -> torch.Tensor:
        """What the variant of this number gives."""
        if number not in self.outputs:
            self.outputs[number] = self.output(edit)
        return self.outputs[number]

    def output(self, edit: Edit) -> torch.Tensor:
        table = edit(self.table)
        pairs = zip(table, self.table, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        shapes = [shape for layer in table for shape in layer.shapes]
        first = sum(len(layer.shapes) for layer in table[:shared])
        values = [self._value(i, shapes[i]) for i in range(first, len(shapes))]
        return run(table[shared:], values, self.steps[shared])

    def _value(self, index: int, shape: tuple[int, ...]) -> torch.Tensor:
        same = index < len(self.values) and self.values[index].shape == shape
        return self.values[index] if same else recipe(self.seed, index, shape)


_networks: dict[Any, _Traced] = {}


def _traced(spec: Spec, seed: int, x: torch.Tensor) -> _Traced:
    key = (spec.what, tuple(layer.shapes for layer in spec.table), seed, x.numpy().tobytes())
    if key not in _networks:
        while len(_networks) >= TRACED:
            del _networks[next(iter(_networks))]
        values = parameters(spec.table, seed)
        _networks[key] = _Traced(spec.table, seed, values, [*steps(spec.table, values, x)], {})
    return _networks[key]


_seeds: dict[tuple[str, int, int], int] = {}


def _lively(spec: Spec, seed: int, inputs: Sequence[torch.Tensor]) -> int:
    """A seed, found once a batch, whose parameters leave no doubt which variant was computed.

    Where layers have two channels, chance may kill them all, and every variant gives one constant.
    """
    key = (spec.what, seed, len(inputs))
    if key not in _seeds:
        tries = (seed + step for step in range(400))
        _seeds[key] = next((one for one in tries if _tells_apart(spec, one, inputs)), seed)
    return _seeds[key]


def _tells_apart(spec: Spec, seed: int, inputs: Sequence[torch.Tensor]) -> bool:
    for x in inputs:
        outputs = [run(spec.table, parameters(spec.table, seed), x)]
        for slip in spec.slips:
            table = slip.edit(spec.table)
            outputs.append(run(table, parameters(table, seed), x))
            if matches(outputs[-1], outputs[0], 0.002):
                return False
        if not all(map(_varies, outputs)):
            return False
    return True


def _varies(output: torch.Tensor) -> bool:
    """Does it depend on the input?"""
    return float(output.std(0).max()) > 0.002 * float(output.abs().max())


def computes(
    spec: Spec, model: Remote, twin: Remote, inputs: Sequence[torch.Tensor], seed: int
) -> None:
    """Fail, or grant a part, unless `model` computes the layers of the table."""
    seen = examine(spec, model, twin, inputs, seed)
    if seen.says:
        raise Partial(seen.fraction, f"{spec.what} is not quite the network asked for: {seen.says}")
    if seen.table is spec.table and spec.table[-1].name == LINEAR:
        # Of inputs as large as these, logits are some hundred.
        loud = [floats(one(FAR * inputs[0]), spec.what) for one in (model, twin)]
        says = f"{spec.what} cuts large numbers off somewhere; a logit has no ends."
        if not _agree(loud[:1], loud[1:]):
            raise Partial(0.75, says)


def stands_alone(
    what: str, make: Callable[[], Remote], x: torch.Tensor, made: Remote | None = None
) -> None:
    """Grant half where two networks that `make` brings have weights in common; `made`: one that
    it brought before. For the end of a check, when nothing else is wrong.
    """
    with suppress(StudentError, Fail):  # lazy layers have no weights yet; what fails has cost marks
        one, other = made or make(), make()
        outputs = (floats(one(x), f"The output of {what}") for _ in range(3))
        before = next(outputs)
        zero(other)
        after = next(outputs)
        # One that draws anew in every call is no reason to think so.
        if not matches(after, before) and matches(next(outputs), after):
            raise Partial(
                0.5,
                f"Two networks that {what} makes share weights: what trains one changes the other.",
                "Make new layers in each call.",
            )


def passes_gradients(
    spec: Spec,
    model: Remote,
    twin: Remote,
    seen: Seen,
    x: torch.Tensor,
    of_parameters: bool = False,
) -> None:
    """Fail unless the gradient of the summed output reaches the input (and the parameters)."""
    if seen.table is not spec.table:
        _fill(model, seen.seed, seen.order, x)  # another filling was tried after the one that fits
    theirs = gradients(model, x, wrt=(0,), of=(model,) if of_parameters else ())
    if seen.table is spec.table:
        right = gradients(twin, x, wrt=(0,), of=(twin,) if of_parameters else ())
    else:
        right = _gradients(seen.table, x, seen.seed, of_parameters)
    hint = "Do not detach, convert to numpy or use .data or .item() inside a network."
    reached, wanted = theirs.inputs[0], right.inputs[0]
    expect(isinstance(reached, torch.Tensor), f"No gradient flows back through {spec.what}.", hint)
    assert reached is not None and wanted is not None
    expect(
        matches(reached, wanted, KINKS),
        f"The gradient that flows back through {spec.what} is not that of its output.",
        hint,
    )
    if of_parameters:
        expect(
            matches(_norms(theirs.objects[0]), _norms(right.objects[0]), KINKS),
            f"The gradients of the parameters of {spec.what} are not those of its output.",
            hint,
        )


def keeps_statistics(
    spec: Spec, models: Sequence[Remote], seen: Seen, x: torch.Tensor, other: torch.Tensor
) -> None:
    """Grant half unless, once trained on x, the batch norms know in evaluation what torch's would.

    `models`: a new one of the student's, and one of the reference. The order of execution is found
    in a pass of its own, in which all weights are zero: both have seen the same.
    """
    normed = any(one.name == "batch norm" for one in spec.table)
    if not normed or seen.table is not spec.table or seen.says:
        return
    answers = []
    for model in models:
        try:
            zero(model)
        except StudentError:
            return  # lazy layers, which draw weights of their own in a first pass
        fill(model, seen.seed, seen.order, [x])
        model(x)
        model.eval()
        answers.append(floats(model(other), f"The output of {spec.what}"))
    if not _agree(answers[:1], answers[1:]):
        raise Partial(
            0.5,
            f"In evaluation, the batch norms of {spec.what} use something else of what they saw in "
            "training than torch's own do.",
            "Leave momentum and the other settings of a batch norm as they are.",
        )


def _gradients(table: Table, x: torch.Tensor, seed: int, of_parameters: bool) -> Gradients:
    """What `gradients` would bring from the table's network."""
    inputs, values = x.clone().requires_grad_(True), parameters(table, seed)
    for one in values:
        one.requires_grad_(of_parameters)
    run(table, values, inputs).sum().backward()  # type: ignore[no-untyped-call]
    return Gradients(None, [inputs.grad], [[one.grad for one in values]])


def _norms(grads: Sequence[torch.Tensor | None]) -> torch.Tensor:
    # Sorted, so that the order of definition does not matter; unused parameters have none.
    norms = [float(grad.norm()) for grad in grads if isinstance(grad, torch.Tensor)]
    return torch.tensor(sorted(norms))


def _fill(model: Remote, seed: int, order: str, example: torch.Tensor) -> list[list[int]]:
    try:
        return fill(model, seed, order, [example])
    except StudentError:
        model(example)  # lazy layers learn their sizes from a first batch
        return fill(model, seed, order, [example])


def floats(value: Any, what: str) -> torch.Tensor:
    """A network's output as float32, whatever its shape. Fails when it is something else."""
    if not isinstance(value, torch.Tensor):
        return tensor(value, [], what)
    expect(
        value.is_floating_point(),
        f"{what} is of {value.dtype}; it should be a floating-point tensor.",
    )
    return value.to(torch.float32)


def _agree(outputs: Sequence[torch.Tensor], expected: Sequence[torch.Tensor]) -> bool:
    return all(
        out.numel() == want.numel() and matches(out.reshape(want.shape), want)
        for out, want in zip(outputs, expected, strict=True)
    )


def _sizes(shapes: Sequence[Sequence[int]]) -> list[int]:
    return [math.prod(shape) for shape in shapes]


def _counted(shapes: Sequence[Sequence[int]], table: Table) -> bool:
    return sum(_sizes(shapes)) == sum(_sizes([s for layer in table for s in layer.shapes]))


def _unlike(
    spec: Spec, shapes: Sequence[Sequence[int]], shape: tuple[int, ...], wanted: tuple[int, ...]
) -> Fail | None:
    """What to say of a network that is none we know, if it has other sizes."""
    table = [shape for layer in spec.table for shape in layer.shapes]
    mine, given = sum(_sizes(shapes)), sum(_sizes(table))
    if math.prod(shape) != math.prod(wanted):
        return Fail(
            f"The output of {spec.what} has shape {shape} for {wanted[0]} rows of input; it should "
            f"be {wanted}.",
            "Follow the shape of one batch through the layers: padding, strides, pooling.",
        )
    if mine != given:
        return Fail(
            f"{spec.what} has {mine} parameters; the layers asked for have {given}.",
            "Compare the sizes of each layer with the list: channels, kernel sizes, biases.",
        )
    return None


def _unlike_somewhere(spec: Spec, model: Remote, seed: int, x: torch.Tensor) -> Fail:
    """What to say of one of the right sizes: the last layer from which on it differs.

    With the weights of a layer at zero, what comes before it counts for nothing; what comes after
    it meets the same numbers everywhere, and shows with four fillings.
    """
    hint = "Compare activations, pooling, padding and the order of the layers with the list."
    says = f"{spec.what} has as many parameters as asked for but"
    table = spec.table
    firsts = [sum(len(one.shapes) for one in table[:i]) for i in range(len(table))]
    layers = [i for i, one in enumerate(table) if one.shapes and len(one.shapes[0]) > 1]
    wanted = [list(shape) for one in table for shape in one.shapes]
    with suppress(StudentError, Fail):
        if [list(one) for one in _fill(model, seed, "execution", x)] != wanted:
            return Fail(f"{says} computes something else.", hint)
        for i, number in product(reversed(layers), range(4)):
            values = parameters(table, seed + number)
            values[firsts[i]].zero_()
            load_weights(model, values, "execution", [x])
            if not _agree([floats(model(x), spec.what)], [run(table, values, x)]):
                here = _place(table, i).removeprefix("after ")
                return Fail(f"{says} differs from the list from {here} on.", hint)
        return Fail(
            f"{says} differs from the list where an image, or a batch, is not the same everywhere.",
            "Compare pooling, upsampling, sums and orders, and what is done to the input.",
        )
    return Fail(f"{says} computes something else.", hint)
