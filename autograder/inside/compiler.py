"""Leaves torch's compiler out until somebody asks for it.

It is 800 modules and more than a second. torch imports it when the first optimizer is made, to say
that optimizers are not to be compiled; torchvision, to ask whether it may compile. Nobody compiles
here.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

NAMES = ("torch._dynamo", "torch._dynamo.utils")


class _Later(ModuleType):
    """Says what the compiler would say to who does not compile; is the compiler for all others."""

    @staticmethod
    def disable(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        return function

    @staticmethod
    def graph_break(*_: Any, **__: Any) -> None:
        pass

    @staticmethod
    def is_compile_supported(*_: Any) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and (name, self.__name__) != ("__path__", NAMES[0]):
            # Whoever looks at all modules wants none of them; __path__ is asked for submodules.
            raise AttributeError(name)
        for one in NAMES:
            if isinstance(sys.modules.get(one), _Later):
                del sys.modules[one]
        return getattr(importlib.import_module(self.__name__), name)


def without_compiler() -> None:
    """Put it off, in this process, unless it is there already."""
    spec = None if NAMES[0] in sys.modules else importlib.util.find_spec(NAMES[0])
    if spec is None:
        return  # or a torch that has none
    for name in NAMES:
        later = sys.modules[name] = _Later(name)
        later.__file__ = spec.origin
    torch._dynamo = sys.modules[NAMES[0]]
