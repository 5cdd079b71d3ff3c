"""Lets code that was written for a GPU run on the CPU, and sees where a file asks for one by name.

Students train on CUDA, on a Mac's `mps` or on Intel's `xpu`; all are graded on the CPU, and a right
answer must not lose marks for the machine it was written on. Where a tensor is sent is changed as
it is sent (`OnCPU`). What sends no tensor (upkeep, timers, generators) is replaced once, in the
worker, before it forks (`without_gpu`).
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch
import torch.utils._device
from torch.overrides import TorchFunctionMode

GPU_NOTE = (
    "Your code asks for a GPU by name. It was graded on the CPU; take the device from the inputs."
)
KINDS = ("cuda", "mps", "xpu")
GUARD = "is_available"
HANDLES = ("Event", "Stream", "StreamContext", "device", "device_of", "device_index")
"""Classes of torch.cuda and its like whose objects hold a part of a GPU."""

_DEVICE = re.compile(rf"(?:{'|'.join(KINDS)})(?::\d*)?")
_TYPE = re.compile(rf"torch\.(?:{'|'.join(KINDS)})\.(\w*)")


class OnCPU(TorchFunctionMode):
    """Sends to the CPU what code that names a GPU wants there."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (torch.Tensor.cuda, torch.Tensor.xpu):
            return args[0]
        named = {key: _on_cpu(value) for key, value in (kwargs or {}).items()}
        return func(*(_on_cpu(value) for value in args), **named)


def _on_cpu(value: Any) -> Any:
    """The CPU's name, device or type for that of a GPU; anything else as it is."""
    if isinstance(value, str):
        if _DEVICE.fullmatch(value):
            return "cpu"
        found = _TYPE.fullmatch(value)
        return f"torch.{found[1]}" if found else value
    if isinstance(value, torch.device) and value.type in KINDS:
        return torch.device("cpu")
    if isinstance(value, dict):
        return {key: _on_cpu(one) for key, one in value.items()}
    return value


def asks_for_gpu(tree: ast.AST) -> bool:
    """Does it name a GPU, other than behind a question such as `if torch.cuda.is_available()`?"""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.If, ast.IfExp)) and GUARD in ast.dump(node.test):
            todo += node.orelse if isinstance(node.orelse, list) else [node.orelse]
        elif _names_gpu(node):
            return True
        else:
            todo += ast.iter_child_nodes(node)
    return False


def _names_gpu(node: ast.AST) -> bool:
    """`x.cuda()`, "mps:0", torch.cuda.FloatTensor."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in ("cuda", "xpu")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(_DEVICE.fullmatch(node.value) or _TYPE.fullmatch(node.value))
    return isinstance(node, ast.Attribute) and (
        node.attr.endswith("Tensor")
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in KINDS
    )


class Nothing(int):
    """Stands for what only a GPU has: no name, no bytes, no seconds; to call it does nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Nothing:
        return super().__new__(cls, 0)

    def __getattr__(self, name: str) -> Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Nothing:
        return self

    def __enter__(self) -> Nothing:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


class Generator(torch.Generator):
    """A generator of random numbers, on the CPU wherever it was asked for."""

    def __new__(cls, device: Any = "cpu") -> Generator:
        made: Generator = super().__new__(cls, _on_cpu(device))  # type: ignore[call-arg]
        return made


def without_gpu() -> None:
    """Make torch do on the CPU what it would refuse to do without a GPU.

    Whether there is one is still answered with no.
    """
    modules = (getattr(torch, name, None) for name in (*KINDS, "accelerator"))
    for module in filter(None, modules):  # older torches lack some of them
        for name in module.__all__:
            there = getattr(module, name, None)
            if isinstance(there, FunctionType):
                setattr(module, name, _or_nothing(there))
            elif name.endswith("Tensor"):
                setattr(module, name, getattr(torch, name, there))
            elif name in HANDLES:
                setattr(module, name, Nothing)
        if hasattr(module, "current_accelerator"):
            module.current_accelerator = lambda *args, **kwargs: torch.device("cpu")
    torch.Tensor.pin_memory = lambda self, *args, **kwargs: self  # type: ignore[method-assign]
    torch.Generator = Generator  # type: ignore[misc]
    for owner, name in (
        (torch, "load"),
        (torch, "set_default_tensor_type"),
        (
            torch.utils._device.DeviceContext,
            "__init__",
        ),  # set_default_device; with torch.device(...)
    ):
        setattr(owner, name, _given_the_cpu(getattr(owner, name)))


def _or_nothing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which does nothing where it would fail for want of a GPU."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (RuntimeError, AssertionError, AttributeError, KeyError):
            return Nothing()

    return run


def _given_the_cpu(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which is told of the CPU wherever a GPU is named to it."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        named = {key: _on_cpu(value) for key, value in kwargs.items()}
        return function(*(_on_cpu(value) for value in args), **named)

    return run
