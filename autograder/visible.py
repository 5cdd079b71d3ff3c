"""What the visible check of a question says of a module that we wrote."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import torch

from .assignment import Assignment, AssignmentError
from .checking.modules import ROOT
from .checking.reference import in_pieces, stopped_at
from .inside.session import settings_kept


@cache
def _checks() -> Any:
    """Only when it is asked: it reads assignment.toml, which must have been found right. By its
    name, since students' modules have no types.
    """
    try:
        return importlib.import_module("hw5_checks")
    except Exception as error:
        place = stopped_at(error, ROOT / "hw5_checks.py")
        raise AssignmentError(f"{place}. Mend it first.") from error


def questions() -> Mapping[str, Any]:
    """part.question -> its visible check."""
    found: Mapping[str, Any] = _checks().QUESTIONS
    return found


def need_all(assignment: Assignment) -> None:
    """Every question that is marked by checks has a visible one, and no other has. Raises
    AssignmentError.
    """
    coded = [
        f"{part.id}.{question.id}"
        for part in assignment.parts
        for question in part.questions
        if question.kind in ("code", "bonus")
    ]
    known = {name for part in (*assignment.parts, *assignment.off) for name in part.full_ids()}
    for name in coded:
        if name not in questions():
            raise AssignmentError(
                f'hw5_checks.py has no visible check of {name}. Write one there (@question("{name}"'
                ', ...)), or say kind = "manual" in assignment.toml.'
            )
    for name in questions():
        if name not in known:
            raise AssignmentError(
                f"hw5_checks.py has a visible check of {name!r}, which assignment.toml does not "
                "ask. Take it away, or add the question."
            )


def loaded(name: str, source: str) -> ModuleType:
    """A module of this source. It stands in the table of modules only while it is loaded, as its
    dataclasses need it to, so that no other sees it.
    """
    module = ModuleType(name)
    module.__file__ = f"{name}.py"
    other = sys.modules.get(name)
    sys.modules[name] = module
    try:
        for code in in_pieces(source, module.__file__):
            exec(code, module.__dict__)
    finally:
        del sys.modules[name]
        if other is not None:
            sys.modules[name] = other
    return module


def sentence(question: str, module: ModuleType, seed: int = 0) -> str:
    """What the visible check says of a module's answer: nothing when it passes."""
    entry = questions()[question]
    missing = [name for name in entry.names if not hasattr(module, name)]
    if missing:
        return f"there is no {' and no '.join(missing)}."
    body = inspect.unwrap(entry.run)
    quiet = contextlib.redirect_stdout(io.StringIO())
    with torch.random.fork_rng(devices=[]), settings_kept(), quiet:
        torch.manual_seed(seed)
        try:
            body(*(getattr(module, name) for name in entry.names))
        except Exception as error:
            return str(_checks().explain(error))
    return ""
