"""All that grades one part, a folder each: its checks, its known mistakes, its own models.

A folder is found by being here; its name is the part's id with `_` for `-`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from ..assignment import Assignment
from ..checking.catalogue import Mistake
from ..checking.registry import Check, registered


def all_checks(assignment: Assignment) -> list[Check]:
    """Every check of the assignment's parts, questions in the order of assignment.toml."""
    list(_each("checks"))
    return registered(assignment)


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """Every mistake of every part, in the order of the folders."""
    return tuple(mistake for module in _each("mistakes") for mistake in module.MISTAKES)


def _each(name: str) -> Iterator[ModuleType]:
    """The module of this name of every part that has one."""
    for folder in pkgutil.iter_modules(__path__):
        files = [module.name for module in pkgutil.iter_modules([f"{__path__[0]}/{folder.name}"])]
        if name in files:
            yield importlib.import_module(f"{__name__}.{folder.name}.{name}")
