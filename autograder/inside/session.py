"""Runs requests on loaded modules: call this, build that, fill these weights, give gradients.

A session is told inputs, never expectations, and returns values, never verdicts. The worker runs
one over the student's modules, the judge another over the reference: both are asked alike.

A request is a dict with an `op`; the answer is `{"value": ...}`, or
`{"error": {"kind", "type", "message", "where"}}` when the code that was called raised. With `fresh`
a new check begins: what earlier ones made and set is forgotten.
"""

from __future__ import annotations

import copy
import linecache
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from opcode import opmap
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .patience import NoRegion, patient
from .wire import MAX_DEPTH, MAX_TEXT, Handle

MAX_OBJECTS = 4096
RECIPE_BLOCK = 65_521
ABSENT = object()
LAYERS: dict[str, Callable[..., nn.Module]] = {
    "Conv2d": nn.Conv2d,
    "Linear": nn.Linear,
    "MaxPool2d": nn.MaxPool2d,
}
NAME: Any = type.__dict__["__name__"]
"""A class's own name, whatever its metaclass says."""


class Missing(Exception):
    """The module or object has no attribute of the name that was asked for."""


class Stub(nn.Module):
    """A given network, so that one mistake costs once: x (N, ...) -> x W + b, reshaped.

    weight: (D, K), or (D,) for one number a row, or (D,) with a bias (D,) for a factor of each
    entry; bias: (K,); shape: what the K numbers of one
    row become; squash: whether they go through a sigmoid; table (C, K): a row is added for each
    label, given as numbers (N,) or one-hot (N, C); modal: whether it gives something else in
    evaluation than in training, as networks with a dropout or a batch norm do.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        shape: Iterable[int],
        squash: bool,
        table: torch.Tensor | None = None,
        modal: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(bias)
        self.shape = tuple(shape)
        self.squash = squash
        self.modal = modal
        self.table = None if table is None else nn.Parameter(table)

    def forward(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        x = x.reshape(1 if x.dim() == 1 else len(x), -1)
        entries = self.weight.shape == self.bias.shape
        if entries and x.shape[1] != len(self.bias):  # one number would be spread over all entries
            shapes = f"({len(x)}x{x.shape[1]} and {len(self.bias)}x{len(self.bias)})"
            raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied {shapes}")
        y = (x * self.weight if entries else x @ self.weight) + self.bias
        if self.table is None and c is not None:
            raise TypeError("this network takes one thing alone, as in network(x)")
        if self.table is not None:
            y = y + self._of_class(c)
        if self.modal and not self.training:
            y = y / 2
        y = y.reshape(len(x), *self.shape)
        return torch.sigmoid(y) if self.squash else y

    def _of_class(self, c: torch.Tensor | None) -> torch.Tensor:
        if c is None:
            raise ValueError("This network needs the labels too, as in network(x, c).")
        assert self.table is not None
        return c.to(self.table.dtype) @ self.table if c.dim() == 2 else self.table[c.long()]


class Trainee(Stub):
    """A given model with a loss of its own, for training loops: rec = w x + b, and half of it in
    evaluation, loss the squared error plus beta times the mean square of w.

    With a table it adds the row of each image's class: of the label that it is given when
    `conditional`, or else of the class that the image's first pixel carries, in tenths. `heard`:
    the images of each call, and what was given beside them or None; a model that is not conditional
    makes nothing of that.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        beta: float,
        table: torch.Tensor | None,
        conditional: bool,
    ) -> None:
        super().__init__(weight, bias, (1, len(bias)), False, table, modal=True)
        self.beta = beta
        self.given = conditional
        self.heard: list[tuple[Any, Any]] = []
        if conditional:
            self.conditional, self.num_labels = True, 0 if table is None else len(table)

    def forward(self, x: torch.Tensor, *c: Any, **named: Any) -> Any:
        labels = [*c, *named.values()] or [None]
        if len(labels) > 1 or (self.given and labels[0] is None):
            raise TypeError("a conditional model takes images and labels, another one images alone")
        self.heard.append((x.detach().reshape(len(x), -1).clone(), copy.copy(labels[0])))
        if not self.given:
            carried = (10 * x.detach().reshape(len(x), -1)[:, 0]).round()
            labels = [] if self.table is None else [carried]
        rec = super().forward(x, *labels)
        return {"rec": rec, "c": labels[0] if self.given else None}

    def loss(self, x: torch.Tensor, outputs: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
        error = (outputs["rec"] - x.reshape(outputs["rec"].shape)) ** 2
        terms = {"rec_loss": error.mean(), "kl_loss": (self.weight**2).mean()}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


class Sized:
    """Stands for a class of networks: called with sizes, it makes a given one of these sizes.

    `names`: the names of its arguments, outputs first; what comes after two of them is ignored.
    """

    def __init__(self, seed: int, names: list[str], turned: bool) -> None:
        self.seed, self.names, self.turned = seed, names, turned

    def __call__(self, *args: Any, **kwargs: Any) -> Stub:
        sizes = dict(zip(self.names, args, strict=False)) | kwargs
        outputs, inputs = (sizes[name] for name in self.names[:2])
        if self.turned:
            outputs, inputs = inputs, outputs
        weight = recipe(self.seed, 0, (inputs, outputs))
        return Stub(weight, recipe(self.seed, 1, (outputs,)), (outputs,), False)


class Mix:
    """A given function of named arguments: their weighted sum, as plain as a stub can be.

    square: the mean of its squares instead, a given loss; rows: its sum over the last dimension;
    anew: each call adds another number, 0, 1, 3, 7 and so on, as each draw has noise of its own.
    """

    def __init__(
        self,
        weights: dict[str, float],
        square: bool = False,
        rows: bool = False,
        anew: bool = False,
    ) -> None:
        self.weights = weights
        self.square = square
        self.rows = rows
        self.anew = anew
        self.added = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(self.weights, args, strict=False)) | kwargs
        total: Any = sum(weight * given[name] for name, weight in self.weights.items())
        if self.anew:
            total = total + self.added
            self.added = 2 * self.added + 1
        if self.rows:
            return total.sum(-1)
        return (total**2).mean() if self.square else total


class Interrupted:
    """Stands for `resumable` of hw5_checkpoint: the first loop over it is stopped after an epoch,
    and the next one goes on there with what the first has named. Where it names what cannot be
    brought back, both are loops like any other.
    """

    def __init__(self) -> None:
        self.kept: dict[str, Any] | None = None

    def __call__(self, epochs: int, **state: Any) -> Iterator[int]:
        if not all(isinstance(one, list) or hasattr(one, "state_dict") for one in state.values()):
            yield from range(epochs)
        elif self.kept is None:
            yield from range(epochs)[:1]
            states = {name: _state(one) for name, one in state.items()}
            self.kept = copy.deepcopy(states)
        else:
            for name, one in state.items():
                if isinstance(one, list):
                    one[:] = self.kept[name]
                else:
                    one.load_state_dict(self.kept[name])
            yield from range(epochs)[1:]


class Passes:
    """A loader whose passes differ, as those of one that shuffles do: the first brings the first of
    `passes`, and so on; after the last one they begin anew.
    """

    def __init__(self, passes: Sequence[Sequence[Any]]) -> None:
        self.passes, self.begun = passes, 0

    def __iter__(self) -> Iterator[Any]:
        self.begun += 1
        return iter(self.passes[(self.begun - 1) % len(self.passes)])

    def __len__(self) -> int:
        return len(self.passes[0])


def _state(one: Any) -> Any:
    return one if isinstance(one, list) else one.state_dict()


def recipe(seed: int, index: int, shape: tuple[int, ...]) -> torch.Tensor:
    """The values of parameter number `index` of a filled model: the same on both sides.

    Matrices and kernels get variance 1 / fan_in, so that signals keep their size; vectors
    (biases, batch-norm scales) get variance 1/4. A large parameter repeats a block of prime
    length, which costs a fifth and still gives no two rows the same weights.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + index) % (1 << 62))
    count = math.prod(shape)
    block = torch.randn(min(count, RECIPE_BLOCK), generator=generator, dtype=torch.float32)
    block /= math.sqrt(math.prod(shape[1:]) if len(shape) > 1 else 4)
    return block.repeat(-(-count // RECIPE_BLOCK) if count else 0)[:count].reshape(shape)


class Descent(torch.optim.SGD):
    """Plain descent. A gradient that is not finite moves nothing: a loss that is wrong spoils no
    network for the losses that are looked at beside it.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for one in group["params"]:
                if one.grad is not None and not one.grad.isfinite().all():
                    one.grad = None
                elif one.grad is not None:
                    one.add_(one.grad, alpha=-group["lr"])
        return loss

    def rates(self) -> list[float]:
        """How fast it goes by now: whom it was given to may have changed that."""
        return [float(group["lr"]) for group in self.param_groups]


Settings = tuple[bool, torch.dtype]


def settings() -> Settings:
    """Whether torch takes gradients, and of which type it makes numbers."""
    return torch.is_grad_enabled(), torch.get_default_dtype()


def set_to(settings: Settings) -> None:
    torch.set_grad_enabled(settings[0])
    torch.set_default_dtype(settings[1])


@contextmanager
def settings_kept() -> Iterator[None]:
    """What is set meanwhile does not outlast this."""
    before = settings()
    try:
        yield
    finally:
        set_to(before)


class Session:
    """Modules, the objects made from them so far, and the requests they answer."""

    def __init__(self, load: Callable[[str], ModuleType]) -> None:
        """`load(name)` imports one of the submission's modules by name."""
        self._load = load
        self._modules: dict[str, ModuleType] = {}
        self._objects: list[Any] = []
        self._replaced: list[tuple[ModuleType | type, str, Any]] = []
        self._settings = settings()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run one request. Whatever the called code raises becomes an `error`."""
        try:
            if request.get("fresh"):
                self._objects.clear()
                self.undo()
                set_to(self._settings)  # what one question's code leaves costs no other
            return {"value": getattr(self, "_op_" + request["op"])(request)}
        except Exception as error:
            return {"error": describe(error, self._files())}

    def _files(self) -> dict[str, str]:
        return {getattr(m, "__file__", "") or "": name for name, m in self._modules.items()}

    def _op_import(self, request: dict[str, Any]) -> Any:
        """Import a module; the answer is what was noted on the way (a list of sentences)."""
        name = request["module"]
        self._modules[name] = self._load(name)
        self._settings = settings()
        return list(getattr(self._modules[name], "__notes__", ()))

    def undo(self) -> None:
        """Undo what was set on modules and classes."""
        while self._replaced:
            owner, name, before = self._replaced[-1]
            if before is not ABSENT:
                setattr(owner, name, before)
            elif name in vars(owner):
                delattr(owner, name)
            # Only now: who stops us here, as the judge's clock does, must not keep it replaced.
            self._replaced.pop()

    def _op_call(self, request: dict[str, Any]) -> Any:
        _seed(request.get("seed"))
        return self._outward(self._function(request)(*self._args(request), **self._kwargs(request)))

    def _op_left(self, request: dict[str, Any]) -> list[Any]:
        """What a call leaves of its arguments."""
        args = self._args(request)
        _seed(request.get("seed"))
        self._function(request)(*args)
        return [self._outward(one) for one in args]

    def _op_get(self, request: dict[str, Any]) -> Any:
        return self._outward(self._function(request))

    def _op_set(self, request: dict[str, Any]) -> None:
        *path, last = request["path"].split(".")
        owner = self._walk(request["target"], path)
        if isinstance(owner, (ModuleType, type)):
            self._replaced.append((owner, last, vars(owner).get(last, ABSENT)))
        setattr(owner, last, self._inward(request["value"]))

    def _op_bare(self, request: dict[str, Any]) -> Any:
        """A network of a class whose constructor is not called: it has what is set on it."""
        kind = self._function(request)
        made = kind.__new__(kind)
        nn.Module.__init__(made)
        return self._outward(made)

    def _op_always(self, request: dict[str, Any]) -> Any:
        """A function that gives this answer, whatever it is called with."""
        answer = self._inward(request["answer"])
        return self._outward(lambda *_, **__: answer)

    def _op_without_grad(self, request: dict[str, Any]) -> Any:
        function = self._function(request)
        return self._outward(lambda *args, **named: _without_grad(function, args, named))

    def _op_interrupted(self, request: dict[str, Any]) -> Any:
        return self._outward(Interrupted())

    def _op_passes(self, request: dict[str, Any]) -> Any:
        return self._outward(Passes(request["passes"]))

    def _op_patient(self, request: dict[str, Any]) -> Any:
        instead, only = request.get("instead", {}), request.get("only")
        try:
            made = patient(
                self._function(request),
                self._inward(request["items"]),
                tuple(instead.items()),
                request.get("within", False),
                None if only is None else tuple(only),
            )
        except NoRegion as error:
            raise Missing(str(error)) from None
        return self._outward(made)

    def _op_layer(self, request: dict[str, Any]) -> Any:
        return self._outward(LAYERS[request["kind"]](*request["sizes"]))

    def _op_stub(self, request: dict[str, Any]) -> Any:
        # Cloned: an optimizer may step them, and in the judge they are the check's own tensors.
        weight, bias = request["weight"].clone(), request["bias"].clone()
        table = request.get("table")
        table = None if table is None else table.clone()
        if "beta" in request:
            made: Stub = Trainee(weight, bias, request["beta"], table, request["conditional"])
        else:
            options = {name: request.get(name, False) for name in ("squash", "modal")}
            made = Stub(weight, bias, request["shape"], table=table, **options)
        return self._outward(made)

    def _op_sized(self, request: dict[str, Any]) -> Any:
        return self._outward(Sized(request["seed"], request["names"], request["turned"]))

    def _op_items(self, request: dict[str, Any]) -> list[Any]:
        """The first `count` things that an object yields."""
        _seed(request.get("seed"))
        found = islice(iter(self._function(request)), request["count"])
        return [self._outward(item) for item in found]

    def _op_mix(self, request: dict[str, Any]) -> Any:
        options = {name: request.get(name, False) for name in ("square", "rows", "anew")}
        return self._outward(Mix(request["weights"], **options))

    def _op_descent(self, request: dict[str, Any]) -> Any:
        models = [self._inward(handle) for handle in request["objects"]]
        parameters = [one for model in models for one in model.parameters()]
        return self._outward(Descent(parameters, lr=request["rate"]))

    def _op_grad(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call, then backpropagate `sum(output * cotangent)`.

        `inputs`: positions of the arguments to differentiate, [position, key] inside a dict;
        `objects`: models whose parameter gradients are wanted; `pick`: which item of a tuple or
        dict is the output. A gradient that was never filled is None.
        """
        args = self._args(request)
        leaves: list[torch.Tensor] = []
        for place in request["inputs"]:
            *path, last = place if isinstance(place, list) else [place]
            holder = args[path[0]] if path else args
            leaves.append(holder[last].detach().clone().requires_grad_(True))
            with torch.enable_grad():
                # No leaf, so that code may work in place on it, as on what a network gives it.
                holder[last] = leaves[-1].clone()
        models = [self._inward(handle) for handle in request["objects"]]
        for model in models:
            for parameter in model.parameters():
                parameter.grad = None
        _seed(request.get("seed"))
        with torch.enable_grad():
            result = self._function(request)(*args, **self._kwargs(request))
            output = result if request["pick"] is None else result[request["pick"]]
            if isinstance(output, torch.Tensor) and output.requires_grad:
                weight = request["cotangent"]
                (output.sum() if weight is None else (output * weight).sum()).backward()
        return {
            "value": self._outward(output),
            "inputs": [leaf.grad for leaf in leaves],
            "objects": [[p.grad for p in model.parameters()] for model in models],
        }

    def _op_fill(self, request: dict[str, Any]) -> list[list[int]]:
        """Fill every parameter by `recipe`; the answer is their shapes in the order filled."""
        model = self._inward(request["target"])
        parameters = self._ordered(model, request)
        with torch.no_grad():
            for index, parameter in enumerate(parameters):
                parameter.copy_(recipe(request["seed"], index, tuple(parameter.shape)))
        return [list(parameter.shape) for parameter in parameters]

    def _op_zero(self, request: dict[str, Any]) -> None:
        with torch.no_grad():
            for parameter in self._inward(request["target"]).parameters():
                parameter.zero_()

    def _op_load(self, request: dict[str, Any]) -> None:
        parameters = self._ordered(self._inward(request["target"]), request)
        with torch.no_grad():
            for parameter, value in zip(parameters, request["values"], strict=True):
                parameter.copy_(value)

    def _op_weights(self, request: dict[str, Any]) -> list[torch.Tensor]:
        model = self._inward(request["target"])
        return [p.detach().clone() for p in self._ordered(model, request)]

    def _op_shapes(self, request: dict[str, Any]) -> list[list[int]]:
        return [list(p.shape) for p in self._inward(request["target"]).parameters()]

    def _op_set_grads(self, request: dict[str, Any]) -> None:
        parameters = list(self._inward(request["target"]).parameters())
        for parameter, value in zip(parameters, request["values"], strict=True):
            parameter.grad = value.clone()

    def _op_layers(self, request: dict[str, Any]) -> list[str]:
        """`repr` of every leaf layer in the order in which a forward pass uses it."""
        model = self._inward(request["target"])
        return [repr(layer)[:200] for layer in _executed(model, self._args(request))]

    def _ordered(self, model: nn.Module, request: dict[str, Any]) -> list[nn.Parameter]:
        """Parameters as defined, or (`order="execution"`) as a forward pass on `args` meets them:
        layer by layer as these are called, or, where some are used without their layer, as they are
        used. Those that nothing meets come last, as defined.
        """
        defined = list(model.parameters())
        if request.get("order") != "execution":
            return defined
        with _Uses() as uses:
            called = _executed(model, self._args(request))
        met = _own(called)
        if len(met) < len(defined):
            owners = {key: one for one in model.modules() if _is_leaf(one) for key in _own([one])}
            met, known = {}, {id(one) for one in defined}
            for parameter in (one for one in uses.parameters if id(one) in known):
                owner = owners.get(id(parameter))
                met |= _own([owner]) if owner else {id(parameter): parameter}
        for parameter in defined:
            met.setdefault(id(parameter), parameter)
        return list(met.values())

    def _function(self, request: dict[str, Any]) -> Any:
        path = request["path"].split(".") if request["path"] else []
        return self._walk(request["target"], path)

    def _walk(self, target: Any, path: list[str]) -> Any:
        """Follow attribute names from a module's name or a handle; a number indexes."""
        if isinstance(target, str):
            if target not in self._modules:
                self._op_import({"module": target})
            place, here = f"{target}.py", self._modules[target]
        else:
            here = self._inward(target)
            place = type(here).__name__
        for name in path:
            failed = getattr(here, "__failed__", None) if isinstance(here, ModuleType) else None
            if failed and name in failed:
                raise failed[name]
            try:
                here = _step(here, name)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                # A failed property raises AttributeError too: that is the student's own error.
                if not name.isdigit() and name in dir(type(here)):
                    raise
                raise Missing(f"{place} has no `{name}`") from error
            place = name
        return here

    def _args(self, request: dict[str, Any]) -> list[Any]:
        return [self._inward(value) for value in request.get("args", [])]

    def _kwargs(self, request: dict[str, Any]) -> dict[str, Any]:
        return {name: self._inward(value) for name, value in request.get("kwargs", {}).items()}

    def _inward(self, value: Any) -> Any:
        """Handles become the objects they name; lists, tuples and dicts are walked."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, Handle):
            return self._objects[value.id]
        if isinstance(value, list):
            return [self._inward(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._inward(item) for item in value)
        if isinstance(value, dict):
            return {key: self._inward(item) for key, item in value.items()}
        if isinstance(value, torch.Tensor):
            # Fresh memory per call: nothing a call does to its input outlives the call.
            return value.clone()
        return value

    def _outward(self, value: Any, depth: int = MAX_DEPTH) -> Any:
        """Data goes out as it is; every other object stays here and a Handle goes out."""
        if value is None or isinstance(value, (bool, int, float, str, torch.dtype)):
            return value[:MAX_TEXT] if isinstance(value, str) else value
        numbers = isinstance(value, torch.Tensor) and not value.is_meta
        if numbers and type(value) in (torch.Tensor, nn.Parameter):
            return value.detach()
        if numbers:
            return value.detach().as_subclass(torch.Tensor)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return torch.from_numpy(np.ascontiguousarray(value))
        if depth and isinstance(value, list):
            return [self._outward(item, depth - 1) for item in value]
        if depth and isinstance(value, tuple):
            return tuple(self._outward(item, depth - 1) for item in value)
        if depth and isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {key: self._outward(value[key], depth - 1) for key in value}
        if len(self._objects) >= MAX_OBJECTS:
            raise MemoryError("too many objects are alive")
        self._objects.append(value)
        return Handle(len(self._objects) - 1, type(value).__name__)


def _without_grad(function: Any, args: Any, named: Any) -> Any:
    with torch.no_grad():
        return function(*args, **named)


def _step(here: Any, name: str) -> Any:
    return here[int(name)] if name.isdigit() else getattr(here, name)


def _seed(seed: int | None) -> None:
    if seed is not None:
        # torch.manual_seed also queues seeds for devices that nobody has here: milliseconds a call.
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % (1 << 32))
        random.seed(seed)


def _executed(model: nn.Module, args: list[Any]) -> list[nn.Module]:
    """The leaf layers of `model`, in the order in which a forward pass on `args` calls them, as
    layer(x) or as layer.forward(x).
    """
    order: list[nn.Module] = []
    leaves = [layer for layer in model.modules() if _is_leaf(layer)]
    before = [vars(layer).get("forward", ABSENT) for layer in leaves]
    # A hook would not see layer.forward(x), which computes what layer(x) does.
    for layer in leaves:
        vars(layer)["forward"] = _noting(layer, order)
    try:
        with torch.no_grad():
            model(*args)
    finally:
        for layer, own in zip(leaves, before, strict=True):
            if own is ABSENT:
                vars(layer).pop("forward", None)
            else:
                vars(layer)["forward"] = own
    return order


class _Uses(TorchFunctionMode):
    """Notes which parameters the functions of torch are given, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.parameters: list[nn.Parameter] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):  # and not its shape, or where it lies
            self._note([*args, *(kwargs or {}).values()])
        return made

    def _note(self, given: Iterable[Any]) -> None:
        for one in given:
            if isinstance(one, nn.Parameter):
                self.parameters.append(one)
            elif isinstance(one, (list, tuple)):
                self._note(one)


def _is_leaf(layer: nn.Module) -> bool:
    return not list(layer.children())


def _own(layers: Iterable[nn.Module]) -> dict[int, nn.Parameter]:
    """The parameters of these layers themselves, by their ids."""
    return {id(one): one for layer in layers for one in layer.parameters(recurse=False)}


def _noting(layer: nn.Module, order: list[nn.Module]) -> Callable[..., Any]:
    """The layer's forward, which writes down that it is called."""
    forward = layer.forward

    def noted(*args: Any, **kwargs: Any) -> Any:
        order.append(layer)
        return forward(*args, **kwargs)

    return noted


def describe(error: BaseException, files: dict[str, str]) -> dict[str, str]:
    """An exception in words: its type, its message, and where in the student's own lines.

    `files` maps file names to module names. Message and place are cut to 300 characters together.
    """
    text = _text(error)
    where, raised = "", False
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        name = files.get(code.co_filename)
        if name:
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            where = f"{name}.py, line {trace.tb_lineno}: {line}"
        raised = bool(name) and code.co_code[trace.tb_lasti] == opmap["RAISE_VARARGS"]
        trace = trace.tb_next
    kind = "error"
    if isinstance(error, Missing):
        kind = "missing"
    elif isinstance(error, NotImplementedError) and raised:
        kind = "todo"  # by a `raise` in the student's file: torch has such errors of its own
    elif isinstance(error, MemoryError) or "allocate memory" in text:
        kind = "memory"
    if isinstance(error, SyntaxError) and isinstance(error.lineno, int):
        where = f"line {error.lineno}: {str(error.text or '')[:1000].strip()}"
        text = str(error.msg)[:1000]
    return {
        "kind": kind,
        "type": NAME.__get__(type(error))[:60],
        "message": " ".join(text.split())[:200],
        "where": where[:100],
    }


def _text(error: BaseException) -> str:
    """What an exception says: its class may raise when asked, or say too much."""
    try:
        return str(error)[:1000]
    except BaseException:
        return ""
