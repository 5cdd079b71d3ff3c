"""Which checks a change of our solution cannot reach: none of what they run is changed.

A known mistake changes one function or two; most checks of its part run neither, and end as they
do for the solution. What runs is noted while the solution is checked, for each seed anew.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any

from .results import PASS, CheckResult

Spans = dict[str, list[tuple[int, int]]]
"""Name of a function, as Class.name in a class -> the first and last line of its definitions."""


@dataclass(frozen=True)
class Untouched:
    """A judge's memory of the solution: the checks that a change does not reach, which pass."""

    checks: frozenset[str]

    def find(self, module: str, id: str) -> tuple[str, float, str, str] | None:
        return (PASS, 1.0, "", "") if id in self.checks else None

    def keep(self, module: str, result: CheckResult) -> None:
        """Nothing is kept: a trial is not run twice."""


@contextlib.contextmanager
def noting(file: str) -> Iterator[set[int]]:
    """The first lines of all functions of this file that run within."""
    lines: set[int] = set()

    def note(frame: FrameType, event: str, value: Any) -> None:
        if event == "call" and frame.f_code.co_filename == file:
            lines.add(frame.f_code.co_firstlineno)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield lines
    finally:
        sys.setprofile(before)


def names(lines: set[int], spans: Spans) -> frozenset[str]:
    """The functions to which these lines belong; what stands in none has run while loading."""
    return frozenset(
        name
        for name, places in spans.items()
        if any(first <= line <= last for line in lines for first, last in places)
    )


def spans(body: Sequence[ast.stmt], above: str = "") -> Spans:
    """Where each function of a module is defined."""
    found: Spans = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            inner = spans(node.body, f"{node.name}.")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            inner = {above + node.name: [(first, node.end_lineno or node.lineno)]}
        elif isinstance(node, (ast.For, ast.If, ast.With)):
            inner = spans(node.body, above)
        else:
            continue
        for name, places in inner.items():
            found.setdefault(name, []).extend(places)
    return found


@lru_cache(maxsize=8192)
def dumped(node: ast.AST) -> str:
    """`ast.dump` without docstrings and annotations, once for each node: the sources of one part
    share most of theirs.
    """
    node = copy.deepcopy(node)
    for one in ast.walk(node):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            documented = ast.get_docstring(one, clean=False) is not None
            one.body = (one.body[1:] or [ast.Pass()]) if documented else one.body
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            one.returns = None
        if isinstance(one, ast.arg):
            one.annotation = None
    return ast.dump(node)


def frame(body: Sequence[ast.stmt]) -> list[Any]:
    """All of a module but what its functions do: two sources with one frame define the same names
    in the same way."""
    found: list[Any] = []
    for node in body:
        if isinstance(node, ast.ClassDef):
            heads = [*node.decorator_list, *node.bases, *node.keywords]
            found.append([node.name, *map(dumped, heads), frame(node.body)])
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.append([node.name, *map(dumped, [node.args, *node.decorator_list])])
        elif isinstance(node, (ast.For, ast.If, ast.With)):
            found.append([ast.dump(_head(node)), frame(node.body)])
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            found.append(dumped(node))
    return found


def _head(node: ast.For | ast.If | ast.With) -> ast.AST:
    """The statement without what stands below it, but with its `else`."""
    fields = {name: value for name, value in ast.iter_fields(node) if name != "body"}
    return type(node)(**{**fields, "body": []})
