"""All that grades one part, a folder each: its checks, its known mistakes, its own models.

    checks.py      what the judge asks, and what a student reads of it
    mistakes.py    MISTAKES: known ways to be wrong, which a check must find
    styles.py      STYLES: right answers written otherwise, which no check may refuse

A folder is found by being here; its name is the part's id with `_` for `-`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from ..assignment import Assignment
from ..checking.catalogue import Mistake, Style
from ..checking.registry import Check, registered


def all_checks(assignment: Assignment) -> list[Check]:
    """Every check of the assignment's parts, questions in the order of assignment.toml."""
    for _ in _each("checks"):
        pass
    return registered(assignment)


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """Every mistake of every part, in the order of the folders."""
    return tuple(mistake for _, module in _each("mistakes") for mistake in module.MISTAKES)


@cache
def all_styles() -> dict[str, tuple[Style, ...]]:
    """Right answers written otherwise: id of the part -> its styles."""
    return {folder.replace("_", "-"): module.STYLES for folder, module in _each("styles")}


def _each(name: str) -> Iterator[tuple[str, ModuleType]]:
    """The folder and the module of this name of every part that has one."""
    for folder in pkgutil.iter_modules(__path__):
        files = [module.name for module in pkgutil.iter_modules([f"{__path__[0]}/{folder.name}"])]
        if name in files:
            yield folder.name, importlib.import_module(f"{__name__}.{folder.name}.{name}")
