"""Given to students: what a training is made of, so that a changed one is not taken for the old.

    seed    what the random streams were last started with
    data    images and labels: a sample of their values
    loop    the code of the loop itself, where it stands in a notebook
    code    every function that the loop is given or names, such as a loss: its name and its code

Weights do not count: they are what a training changes. Nothing is drawn from the random streams,
and only a sample of the data is read, so looking takes a few milliseconds.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import re
import types
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType

import numpy as np
import torch
from torch import nn

from hw5_edits import is_written

SAMPLE = 65_536  # values of a tensor that are compared
VALUES = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device)


def ingredients(
    loop: FrameType, block: tuple[FrameType, int] | None, aside: Iterable[object]
) -> dict:
    """What the training is made of that runs in the frame `loop`.

    block: the frame that holds the `with training(...)`, and where in its code that stands.
    aside: what does not count, as the model and the function that draws pictures.
    """
    frames = _between(loop, block[0] if block else None)
    start = {block[0]: block[1]} if block else {}
    ignored = {id(one) for one in aside}
    data: set[str] = set()
    code: dict[str, set[str]] = {}
    for frame in frames:
        for value in [*_passed(frame), *_named(frame, start.get(frame, -1))]:
            if id(value) in ignored:
                continue
            data |= {_sampled(tensor) for tensor in _tensors(value) if id(tensor) not in ignored}
            if _is_function(value):
                code.setdefault(_name(value), set()).add(_code_of(value))
    loops = [_as_text(step) for frame in frames for step in _body(frame)]
    return {
        "seed": str(torch.initial_seed()),
        "data": " ".join(sorted(data)),
        "loop": _hash(loops),
        "code": {name: " ".join(sorted(codes)) for name, codes in sorted(code.items())},
    }


def difference(then: dict, now: dict) -> str:
    """What is not as it was, in words; nothing where all is."""
    if then["seed"] != now["seed"]:
        return f"the seed has changed from {then['seed']} to {now['seed']}"
    if then["data"] != now["data"]:
        return "the data it learns from have changed"
    for name, code in now["code"].items():
        if name not in then["code"]:
            return f"it has come to use `{name}`"
        if code != then["code"][name]:
            return f"`{name}` was edited"
    for name in then["code"]:
        if name not in now["code"]:
            return f"it no longer uses `{name}`"
    return "" if then["loop"] == now["loop"] else "its loop was edited"


# --- where to look


def _between(loop: FrameType, block: FrameType | None) -> list[FrameType]:
    """The loop's frame and those that it was called from, out to the one with the block."""
    frames: list[FrameType] = []
    frame: FrameType | None = loop
    while frame is not None:
        frames.append(frame)
        if frame is block:
            return frames
        frame = frame.f_back
    return frames[:1]


def _passed(frame: FrameType) -> Iterator[object]:
    """The arguments of a function that is running."""
    code, here = frame.f_code, frame.f_locals
    both = code.co_argcount + code.co_kwonlyargcount
    for name in code.co_varnames[:both]:
        yield here.get(name)
    more = iter(code.co_varnames[both:])
    if code.co_flags & 4:  # *args
        yield from here.get(next(more), ())
    if code.co_flags & 8:  # **kwargs
        yield from here.get(next(more), {}).values()


def _named(frame: FrameType, start: int) -> Iterator[object]:
    """What the code names from `start` on to where it is, and in the loop that it is in.

    What that loop gives a name to does not count: it may be left of an interrupted run. Nor does
    what a given module names: it is the same every time.
    """
    if frame.f_globals.get("__name__", "").startswith("hw5_"):
        return
    body = _body(frame)
    steps = [step for step in _steps(frame.f_code) if start < step.offset <= frame.f_lasti]
    made = {name for step in body for name in _names(step, "STORE")}
    found: object = None
    for step in [*steps, *body]:
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and isinstance(found, types.ModuleType):
            found = getattr(found, str(step.argval), None)  # as l1_loss in F.l1_loss
            yield found
            continue
        found = None
        for name in _names(step, "LOAD"):
            if name not in made:
                found = frame.f_locals.get(name, frame.f_globals.get(name))
                yield found


def _body(frame: FrameType) -> list[dis.Instruction]:
    """The body of the `for` that a frame of the students' is in."""
    if frame.f_globals.get("__name__", "").startswith("hw5_"):
        return []
    steps = _steps(frame.f_code)
    at = [step for step in steps if step.offset <= frame.f_lasti][-1]  # 3.12 may stand behind it
    if at.opname != "FOR_ITER":
        return []
    return [step for step in steps if at.offset < step.offset < at.argval]


@functools.lru_cache(maxsize=64)
def _steps(code: CodeType) -> list[dis.Instruction]:
    return list(dis.get_instructions(code))


def _names(step: dis.Instruction, kind: str) -> list[str]:
    """The variables that a step of the code loads, or stores; since Python 3.13 it may do both."""
    if not any(where in step.opname for where in ("FAST", "DEREF", "NAME", "GLOBAL")):
        return []
    many = step.argval if isinstance(step.argval, tuple) else (step.argval,)
    kinds = re.findall("LOAD|STORE|DELETE", step.opname)
    return [name for name, one in zip(many, kinds, strict=False) if one == kind]


# --- data


def _tensors(value: object, depth: int = 3) -> Iterator[torch.Tensor]:
    """The tensors of a tensor, an array, a list of them, a loader or a data set."""
    if isinstance(value, torch.Tensor):
        plain = value.layout == torch.strided and not value.requires_grad
        if plain and value.dim() and value.numel():  # a single number is a loss, or the like
            yield value
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf" and value.ndim and value.size:
            yield torch.as_tensor(np.ascontiguousarray(value))
    elif isinstance(value, (list, tuple)) and depth:
        for one in value[:4]:
            yield from _tensors(one, depth - 1)
    elif _holds_data(value) and depth:
        for one in vars(value).values():
            yield from _tensors(one, depth - 1)


def _holds_data(value: object) -> bool:
    """Whether it can be gone through, as loaders and data sets can."""
    if isinstance(value, (type, types.ModuleType, nn.Module, dict)) or not hasattr(
        value, "__dict__"
    ):
        return False
    return hasattr(type(value), "__iter__") or hasattr(type(value), "__getitem__")


def _sampled(tensor: torch.Tensor) -> str:
    """A short name for a tensor: others have others."""
    count = min(tensor.numel(), SAMPLE)
    places = torch.linspace(0, tensor.numel() - 1, count, dtype=torch.float64).long()
    index = torch.unravel_index(places, tensor.shape)
    values = tensor[tuple(one.to(tensor.device) for one in index)].cpu()  # (count,)
    values = torch.view_as_real(values) if values.is_complex() else values
    raw = values.contiguous().view(torch.uint8).numpy().tobytes()
    return _hash([str(tuple(tensor.shape)), str(tensor.dtype), raw])


# --- functions


def _is_function(value: object) -> bool:
    if isinstance(value, nn.Module):
        return not any(True for _ in value.parameters())  # a loss, as nn.BCELoss()
    return callable(value) and not isinstance(value, type)


def _name(function: object) -> str:
    inner = function.func if isinstance(function, functools.partial) else function
    return getattr(inner, "__qualname__", type(inner).__qualname__).rpartition("<locals>.")[2]


def _code_of(function: object, above: tuple[int, ...] = ()) -> str:
    """A short name for what a function does: its code, its defaults, what it closes over, and the
    functions of the student's that it calls."""
    if id(function) in above:
        return "itself"
    above = (*above, id(function))

    def told(values: Iterable[object]) -> list[str]:
        return [_told(value, above) for value in values]

    if isinstance(function, functools.partial):
        given = [*function.args, *function.keywords, *function.keywords.values()]
        return _hash(["partial", *told([function.func, *given])])
    if isinstance(function, types.MethodType):
        return _code_of(function.__func__, above)
    if isinstance(function, nn.Module):
        return _hash([repr(function), _code_of(type(function).forward, above)])
    if not isinstance(function, types.FunctionType):
        call = getattr(type(function), "__call__", None)  # noqa: B004
        own = isinstance(call, types.FunctionType)
        return _hash([_code_of(call, above), *told(vars(function).values())]) if own else ""
    held = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    calls = [function.__globals__.get(name) for name in _globals(function.__code__)]
    calls = [one for one in calls if isinstance(one, types.FunctionType) and _is_own(one)]
    values = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *held]
    return _hash([_as_text(function.__code__), *told([*values, *calls])])


def _told(value: object, above: tuple[int, ...]) -> str:
    """A value that a function holds, as text that is the same in the next session."""
    if isinstance(value, VALUES):
        return repr(value)
    if isinstance(value, (list, tuple)) and len(value) < 100:
        return repr([_told(one, above) for one in value])
    if isinstance(value, torch.Tensor) and value.dim() == 0:
        return str(value.item())
    if tensors := [*_tensors(value)]:
        return " ".join(_sampled(tensor) for tensor in tensors)
    if isinstance(value, (types.FunctionType, types.MethodType, functools.partial)):
        return _code_of(value, above)
    return type(value).__qualname__


def _is_own(function: Callable) -> bool:
    """Whether a student wrote it: in the notebook, or in a file beside it."""
    return function.__module__ == "__main__" or is_written(function.__code__.co_filename)


def _is_filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _globals(code: CodeType) -> Iterator[str]:
    """The global names in a function's code, in the order in which they stand there."""
    for step in _steps(code):
        if step.opname == "LOAD_GLOBAL":
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals(inner)


def _as_text(part: object) -> str:
    """Code as text that is the same wherever it stands; of a jump it does not say how far."""
    if isinstance(part, dis.Instruction):
        jump = part.opcode in dis.hasjrel or part.opcode in dis.hasjabs
        return part.opname if jump else f"{part.opname} {_as_text(part.argval)}"
    if isinstance(part, CodeType):
        return repr([_as_text(step) for step in _steps(part)])
    if isinstance(part, frozenset):
        return repr(sorted(_as_text(one) for one in part))
    return repr(part)


def _hash(parts: Iterable[str | bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else part.encode())
        found.update(b"\0")
    return found.hexdigest()[:16]
