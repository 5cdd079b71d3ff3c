"""What a check holds: a proxy for code that lives elsewhere, used as if it were the module.

    vae = hw5_vae.VAE(784, latent_size=15)     # builds it over there; vae stands for it here
    x_hat, mu, logvar = vae(x)                 # tensors travel, the answer is plain tensors
    grads = gradients(hw5_vae.loss_function, x_hat, x, mu, logvar, wrt=(2, 3))

The same proxy stands for the student's code in the worker and for the live reference in the
judge. The proxy only talks; it never opens a worker and never judges.

Calls are seeded: the n-th call of a check runs under the same seed in the student's code and in
the reference, and no two calls of one check share a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..inside.wire import MAX_ELEMENTS, MAX_TENSORS, Handle, room

Send = Callable[[dict[str, Any]], dict[str, Any]]
"""Carries one request to a session and brings its answer (see inside/session.py)."""


class StudentError(Exception):
    """The code that was called raised. `kind`: error, missing, todo or memory.

    `type` and `message` are the exception's, `where` the student's own line; all are hostile text.
    """

    def __init__(self, kind: str, type: str, message: str, where: str) -> None:
        super().__init__(f"{type}: {message}")
        self.kind, self.type, self.message, self.where = kind, type, message, where


class ReferenceFailed(Exception):
    """The reference raised: our fault, unless a student's answer was among its inputs."""


class Lost(Exception):
    """The worker's child is gone: `state` is timeout, memory or crashed."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state, self.message = state, message


class WorkerDied(Lost):
    """The worker itself is gone, through no doing of the code it ran: ask again in a new one."""


class Line:
    """One check's talk with one session: asks, raises what it answers, counts seeds."""

    def __init__(self, send: Send, seed: int, reference: bool = False) -> None:
        self._send = send
        self._seed = seed
        self._reference = reference
        self._calls = 0

    def module(self, name: str) -> Remote:
        """The proxy of a module of that name."""
        return Remote(self, name, "")

    def ask(self, op: str, **request: Any) -> Any:
        """The value a request brings, handles wrapped as `Remote`.

        Raises StudentError (or ReferenceFailed) when the code raised, and Lost when the worker's
        child is gone.
        """
        if op in ("call", "grad", "items", "left"):
            self._calls += 1
            request["seed"] = self._seed + self._calls
        answer = self._send({"op": op, **self._inward(request)})
        if not isinstance(answer, dict) or not isinstance(answer.get("error", {}), dict):
            raise Lost("crashed", "The process that ran your code broke the protocol.")
        if "error" in answer:
            fields = ("kind", "type", "message", "where")
            error = StudentError(*(words(answer["error"].get(name)) for name in fields))
            raise ReferenceFailed(str(error)) if self._reference else error
        return self._outward(answer.get("value"))

    def _inward(self, value: Any) -> Any:
        if isinstance(value, SENDABLE):
            return value
        if isinstance(value, Remote):
            if value._line is not self:
                # Its number names another object here.
                raise TypeError("an object of one session was given to another")
            return value._handle()
        if isinstance(value, torch.device):
            return str(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self._inward(item) for item in value)
        if isinstance(value, dict):
            return {key: self._inward(item) for key, item in value.items()}
        raise TypeError(f"{type(value).__name__} objects cannot be sent; {_instead(value)}")

    def _outward(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return Remote(self, value, "")
        if isinstance(value, (list, tuple)):
            return type(value)(self._outward(item) for item in value)
        if isinstance(value, dict):
            return {key: self._outward(item) for key, item in value.items()}
        return value


SENDABLE = (type(None), bool, int, float, str, torch.dtype, torch.Tensor, Handle)


def _instead(value: Any) -> str:
    """What a check uses for an object that cannot be sent."""
    if isinstance(value, nn.Module):
        return "for a network use stub(near, weight, bias, shape), for one with a loss trainee."
    if isinstance(value, torch.optim.Optimizer):
        return "for an optimizer use descent(rate, model)."
    if isinstance(value, type):
        return "for a class of networks use sized(near, seed, names)."
    if callable(value):
        return "for a function use mix(near, x=1.0), for a loss bowl(near, x=1.0, y=-1.0)."
    if hasattr(value, "__array__"):
        return "send a tensor: torch.as_tensor(...)."
    if hasattr(value, "__iter__"):
        return "send a list: list(...)."
    return "docs/authoring.md lists what can be."


class Remote:
    """Stands for a module, or for an object or attribute over there. Call it, or go further."""

    def __init__(self, line: Line, target: str | Handle, path: str) -> None:
        self._line = line
        self._target = target
        self._path = path

    def __getattr__(self, name: str) -> Remote:
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self._line, self._target, f"{self._path}.{name}".lstrip("."))

    # Its items are asked for by number, without end: a loop over it must fail instead.
    __iter__ = None

    def __getitem__(self, index: int) -> Remote:
        return self.__getattr__(str(index))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._line.ask(
            "call", target=self._target, path=self._path, args=list(args), kwargs=kwargs
        )

    def __repr__(self) -> str:
        return f"<remote {self._target} {self._path}>"

    def _handle(self) -> Any:
        """What stands for this object inside a request."""
        if isinstance(self._target, Handle) and not self._path:
            return self._target
        found = value(self)
        return found._target if isinstance(found, Remote) else found


def words(text: Any) -> str:
    """Text from over there, on one line, without control characters; not text is nothing."""
    line = " ".join(text.split()) if isinstance(text, str) else ""
    return "".join(character for character in line if character.isprintable())


@dataclass(frozen=True)
class Gradients:
    """What `gradients` brings: the output, and the gradients it caused.

    `inputs[i]` belongs to the i-th position of `wrt`; `objects[j]` lists the gradients of the j-th
    model's parameters as defined. A gradient that nothing filled is None.
    """

    value: Any
    inputs: list[torch.Tensor | None]
    objects: list[list[torch.Tensor | None]]


def value(remote: Remote) -> Any:
    """The value of an attribute, `value(vae.latent_size)`; other objects stay a Remote."""
    return remote._line.ask("get", target=remote._target, path=remote._path)


def gradients(
    function: Remote,
    *args: Any,
    wrt: Sequence[int | list[int | str]] = (),
    of: Sequence[Remote] = (),
    cotangent: torch.Tensor | None = None,
    pick: int | str | None = None,
    **kwargs: Any,
) -> Gradients:
    """Call `function` and backpropagate sum(output * cotangent) (cotangent: ones when None).

    `wrt`: positions in `args` (float tensors) to differentiate, [position, key] inside a dict;
    `of`: models whose parameter gradients to bring; `pick`: which item of a returned tuple or dict
    is the output.
    """
    answer = function._line.ask(
        "grad",
        target=function._target,
        path=function._path,
        args=list(args),
        kwargs=kwargs,
        inputs=list(wrt),
        objects=list(of),
        cotangent=cotangent,
        pick=pick,
    )
    return Gradients(answer["value"], answer["inputs"], answer["objects"])


def leaves_alone(function: Remote, *args: Any) -> bool:
    """Are these arguments as they were when a call is over? Who called may need them again.

    Of a dict that is asked of its keys alone: a function may work in place on what a network gave.
    """
    left = function._line.ask("left", target=function._target, path=function._path, args=list(args))
    return all(map(_is_left, args, left))


def _is_left(before: Any, after: Any) -> bool:
    if isinstance(before, dict):
        return isinstance(after, dict) and after.keys() == before.keys()
    return isinstance(after, torch.Tensor) and torch.equal(before, after.to(before.dtype))


def stub(
    near: Remote,
    weight: torch.Tensor,
    bias: torch.Tensor,
    shape: Sequence[int] = (),
    squash: bool = False,
    table: torch.Tensor | None = None,
    modal: bool = False,
) -> Remote:
    """A given network on the side of `near`: x (N, ...) -> flatten(x) W + b, rows reshaped.

    weight: (D, K), or (D,) for a factor of each entry; bias: (K,); `shape` is what a row of K
    numbers becomes, (K,) when empty; `squash`: a sigmoid follows; `table` (C, K): the network takes
    labels too, and adds a row for each; `modal`: half of it comes out in evaluation, so that a loop
    shows in which mode it trains.
    """
    shape = list(shape) or list(bias.shape)
    more: dict[str, Any] = {} if table is None else {"table": table}
    more |= {"modal": True} if modal else {}
    made: Remote = near._line.ask(
        "stub", weight=weight, bias=bias, shape=shape, squash=squash, **more
    )
    return made


def trainee(
    near: Remote,
    weight: torch.Tensor,
    bias: torch.Tensor,
    beta: float,
    table: torch.Tensor | None = None,
    conditional: bool = False,
) -> Remote:
    """A given model for training loops on the side of `near`: its forward gives {"rec": w x + b},
    and half of that in evaluation, its loss is the squared error plus beta times the mean square of
    w, `rec_loss` and `kl_loss`.

    With `table` it adds the row of each image's class: of the label it is given if `conditional`,
    or else of the number that the image's first pixel carries, in tenths.
    """
    made: Remote = near._line.ask(
        "stub", weight=weight, bias=bias, beta=beta, table=table, conditional=conditional
    )
    return made


def sized(near: Remote, seed: int, names: Sequence[str], turned: bool = False) -> Remote:
    """What stands for a class of networks on the side of `near`: called with sizes (outputs, then
    inputs, called `names`; `turned`: inputs, then outputs) it makes a given network of these
    sizes, `recipe(seed, 0, (inputs, outputs))` its weight and `recipe(seed, 1, (outputs,))` its
    bias.
    """
    made: Remote = near._line.ask("sized", seed=seed, names=list(names), turned=turned)
    return made


def bare(network: Remote) -> Remote:
    """A network of this class over there whose constructor was not called: it has what `assign`
    puts there. For methods that can be asked though the constructor is another question's.
    """
    made: Remote = network._line.ask("bare", target=network._target, path=network._path)
    return made


def always(near: Remote, answer: Any = None) -> Remote:
    """A given function on the side of `near` that answers the same, whatever it is called with: in
    the place of a function or a class that another question asks for.
    """
    made: Remote = near._line.ask("always", answer=answer)
    return made


def without_grad(function: Remote) -> Remote:
    """What calls a function or a network over there under torch.no_grad(), as pictures are made."""
    made: Remote = function._line.ask("without_grad", target=function._target, path=function._path)
    return made


def interrupted(near: Remote) -> Remote:
    """What stands for `resumable` on the side of `near`: of two trainings that loop over it, the
    first is stopped after an epoch, and the second goes on there with what the loop has named.
    """
    made: Remote = near._line.ask("interrupted")
    return made


def passes(near: Remote, *batches: Sequence[Any]) -> Remote:
    """A loader on the side of `near` whose first pass brings the first of these lists of batches,
    the second pass the second one, and so on.
    """
    made: Remote = near._line.ask("passes", passes=[list(one) for one in batches])
    return made


def patient(
    function: Remote,
    items: Sequence[Any] = (),
    instead: Mapping[str, str] | None = None,
    within: bool = False,
    only: Sequence[str] | None = None,
) -> Remote:
    """A function over there, made anew so that a statement that raises is passed over: what comes
    after an unfinished step can be tried all the same. A loop over what raises goes over `items`.
    `instead`: part.question -> a line that stands in the place of what is written for it;
    `within`: of a statement that raises runs what can, for who wants to know only what it calls;
    `only`: the questions whose statements are passed over, while all others may raise.
    """
    more: dict[str, Any] = {"instead": dict(instead)} if instead else {}
    more |= {"within": True} if within else {}
    more |= {"only": list(only)} if only is not None else {}
    made: Remote = function._line.ask(
        "patient", target=function._target, path=function._path, items=list(items), **more
    )
    return made


def layer(near: Remote, kind: str, *sizes: int) -> Remote:
    """One of torch's own layers on the side of `near`: `layer(m, "Linear", 3, 4)`; for methods that
    work on the layers of a network that another question asks for.
    """
    made: Remote = near._line.ask("layer", kind=kind, sizes=list(sizes))
    return made


def reseeded(module: Remote, seed: int) -> Remote:
    """The same module in a talk whose calls run under seeds that no batch changes."""
    line = Line(module._line._send, seed, module._line._reference)
    return Remote(line, module._target, module._path)


def items(remote: Remote, count: int) -> list[Any]:
    """The first `count` things that an object over there yields when it is iterated."""
    found: list[Any] = remote._line.ask(
        "items", target=remote._target, path=remote._path, count=count
    )
    return found


def mix(near: Remote, rows: bool = False, **weights: float) -> Remote:
    """A given function on the side of `near`: `mix(m, mu=1.0, logvar=0.5)` stands for
    `lambda mu, logvar: mu + 0.5 * logvar`; with `rows` it sums over the last dimension.
    """
    made: Remote = near._line.ask("mix", weights=weights, rows=rows)
    return made


def sampler(near: Remote, **weights: float) -> Remote:
    """Such a function in the place of one that draws: its first call adds 0, the next ones 1, 3, 7
    and so on, so that several draws are told from one.
    """
    made: Remote = near._line.ask("mix", weights=weights, anew=True)
    return made


def bowl(near: Remote, **weights: float) -> Remote:
    """A given loss on the side of `near`: `bowl(m, x=1.0, y=-0.5)` stands for
    `lambda x, y: ((x - 0.5 * y) ** 2).mean()`.
    """
    made: Remote = near._line.ask("mix", weights=weights, square=True)
    return made


def descent(rate: float, *models: Remote) -> Remote:
    """A given optimizer over there: plain gradient descent on the parameters of the models."""
    made: Remote = models[0]._line.ask("descent", objects=list(models), rate=rate)
    return made


def keeps_rate(solver: Remote, rate: float) -> bool:
    """Does an optimizer that `descent` made still go at this rate?"""
    return all(abs(now - rate) <= 1e-6 * rate for now in solver.rates())


def assign(remote: Remote, new: Any) -> None:
    """Set an attribute over there: `assign(gan.disc, stub(...))`.

    What is set on a module or a class, `assign(hw5_vae.reparametrize, ...)`, lasts until the check
    ends.
    """
    remote._line.ask("set", target=remote._target, path=remote._path, value=new)


def fill(
    model: Remote, seed: int, order: str = "definition", example: Sequence[Any] = ()
) -> list[list[int]]:
    """Fill a model's parameters from the recipe of `seed`; brings their shapes in that order.

    `order="execution"` numbers the parameters as a forward pass on `example` meets them, so that
    models that define their layers in another order can be compared.
    """
    shapes: list[list[int]] = model._line.ask(
        "fill", target=model, seed=seed, order=order, args=list(example)
    )
    return _bounded(shapes)


def zero(model: Remote) -> None:
    """Set every parameter of a model to zero."""
    model._line.ask("zero", target=model)


def weights(
    model: Remote, order: str = "definition", example: Sequence[Any] = ()
) -> list[torch.Tensor]:
    """The model's parameters (a claim until an output under them has been compared)."""
    values: list[torch.Tensor] = model._line.ask(
        "weights", target=model, order=order, args=list(example)
    )
    return values


def shapes(model: Remote) -> list[tuple[int, ...]]:
    """The shapes of the model's parameters, as defined (a claim)."""
    found: list[list[int]] = model._line.ask("shapes", target=model)
    return [tuple(shape) for shape in _bounded(found)]


def _bounded(shapes: list[list[int]]) -> list[list[int]]:
    """The shapes of a model, where it is none that fits into a worker: they are a claim, and checks
    make tensors of these shapes.
    """
    if len(shapes) > MAX_TENSORS or sum(map(room, shapes)) > MAX_ELEMENTS:
        raise StudentError("memory", "MemoryError", "the network is too large", "")
    return shapes


def load_weights(
    model: Remote,
    values: Sequence[torch.Tensor],
    order: str = "definition",
    example: Sequence[Any] = (),
) -> None:
    """Write these values into the model's parameters."""
    model._line.ask("load", target=model, values=list(values), order=order, args=list(example))


def set_grads(model: Remote, values: Sequence[torch.Tensor]) -> None:
    """Set `.grad` of every parameter, as defined: an optimizer's next step is then ours."""
    model._line.ask("set_grads", target=model, values=list(values))


def layers(model: Remote, *example: Any) -> list[str]:
    """`repr` of the layers in the order a forward pass on `example` uses them (a claim)."""
    names: list[str] = model._line.ask("layers", target=model, args=list(example))
    return names
