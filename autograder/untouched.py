"""Which checks a change of our solution cannot reach: none of what they run is changed.

A known mistake, or a style, changes one function or two; most checks of its part run neither, and
end as they do for the solution. What runs is noted while the solution is checked, for each seed
anew. Where it cannot be told what a change reaches, it reaches everything.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import FrameType
from typing import Any

import torch

from .results import PASS, CheckResult

WORD = re.compile(r"\w+")

Spans = dict[str, list[tuple[int, int]]]
"""Name of a function, as Class.name in a class -> the first and last line of its definitions."""


@dataclass(frozen=True)
class Spared:
    """A judge's memory of the solution: the checks that a change does not reach, which pass.

    `lost`: where it is enough that a question loses points, those that have; their other checks
    need not be tried.
    """

    checks: frozenset[str]
    lost: set[str] | None = None

    def find(self, module: str, id: str) -> tuple[str, float, str, str] | None:
        enough = self.lost and id.rpartition(".")[0] in self.lost
        return (PASS, 1.0, "", "") if enough or id in self.checks else None

    def said(self, module: str, id: str) -> bytes:
        """Nothing: what changes answers otherwise."""
        return b""

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
        """Of a trial nothing else is kept: it is not run twice."""
        if self.lost is not None and result.fraction < 1:
            self.lost.add(result.question)


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


DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ANNOTATED = {ast.FunctionDef: "returns", ast.AsyncFunctionDef: "returns", ast.arg: "annotation"}


@lru_cache(maxsize=8192)
def dumped(node: ast.AST) -> str:
    """`ast.dump` without docstrings and annotations, once for each node: the sources of one part
    share most of theirs.
    """
    return _dumped(node)


def _dumped(value: Any) -> str:
    kind = type(value)
    if kind is list:
        return f"[{', '.join(map(_dumped, value))}]"
    if not issubclass(kind, ast.AST):
        return repr(value)
    fields = {name: getattr(value, name, None) for name in kind._fields}
    fields.pop(ANNOTATED.get(kind, ""), None)
    if kind in DOCUMENTED and ast.get_docstring(value, clean=False) is not None:
        fields["body"] = value.body[1:] or [ast.Pass()]
    return f"{kind.__name__}({', '.join(map(_dumped, fields.values()))})"


@dataclass(frozen=True)
class Contents:
    """What a module defines, as it last does: name, or Class.name, -> its code, and an import or
    the bases of a class likewise; and what else it does as it is loaded.
    """

    defined: dict[str, str]
    rest: list[str]


def contents(body: Sequence[ast.stmt]) -> Contents:
    """Of a module's statements."""
    found = Contents({}, [])
    _read(body, "", found)
    return found


def _read(body: Sequence[ast.stmt], above: str, found: Contents) -> None:
    defined, rest = found.defined, found.rest
    for node in body:
        if isinstance(node, ast.ClassDef):
            heads = [*node.decorator_list, *node.bases, *node.keywords]
            if node.name not in map(ast.unparse, node.bases):  # it does not go on with itself
                for name in [one for one in defined if one.startswith(f"{node.name}.")]:
                    del defined[name]
                defined[above + node.name] = " ".join(map(ast.dump, heads))
            elif len(heads) > 1:  # nor with itself alone
                rest.append(" ".join(map(ast.dump, heads)))
            _read(node.body, f"{node.name}.", found)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defined[above + node.name] = dumped(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound, place = alias.asname or alias.name, getattr(node, "module", None)
                whole = f"{place}.{alias.name}" if place else alias.name
                defined[above + bound.partition(".")[0]] = whole if alias.asname or place else bound
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                defined[above + ast.unparse(target)] = dumped(node)
            names_alone = all(isinstance(one, (ast.Name, ast.Attribute)) for one in targets)
            if not names_alone or any(isinstance(one, ast.Call) for one in ast.walk(node)):
                rest.append(dumped(node))  # it may do more than give a name
        elif isinstance(node, (ast.For, ast.If, ast.With)):
            rest.append(ast.dump(_head(node)))
            _read(node.body, above, found)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            rest.append(dumped(node))


def _head(node: ast.For | ast.If | ast.With) -> ast.AST:
    """The statement without what stands below it, but with its `else`."""
    fields = {name: value for name, value in ast.iter_fields(node) if name != "body"}
    return type(node)(**{**fields, "body": []})


@dataclass(frozen=True)
class Trace:
    """What of the solution a check runs: the names of functions; and every word that stands in
    them, or that the check says itself.
    """

    functions: frozenset[str]
    words: frozenset[str]


def changed(before: Contents, after: Contents) -> set[str]:
    """The names that stand for something else, or for something at all, on one side only."""
    names = before.defined.keys() | after.defined.keys()
    return {name for name in names if before.defined.get(name) != after.defined.get(name)}


def untouched(
    before: Contents, after: Contents, functions: Spans, traces: Mapping[str, Trace]
) -> frozenset[str]:
    """The checks, of those with a trace, that end as they do before the change."""
    other = changed(before, after)
    beside = other - functions.keys()  # constants, imports, bases; and whatever is new
    new = {name.rpartition(".")[2] for name in beside}
    shadowing = any(hasattr(one, name) for name in new for one in (builtins, torch.nn.Module))
    if before.rest != after.rest or beside & before.defined.keys() or shadowing:
        return frozenset()
    return frozenset(
        check
        for check, trace in traces.items()
        if not trace.functions & other and not trace.words & new
    )


def words(functions: Iterable[str], source: str, places: Spans) -> frozenset[str]:
    """Every word that stands in these functions of a module, and in their names."""
    lines = source.split("\n")
    texts = [lines[i - 1] for one in functions for a, b in places[one] for i in range(a, b + 1)]
    return frozenset(WORD.findall("\n".join([*functions, *texts])))


def words_in(request: Any) -> Iterator[str]:
    """Every word in a request, at whatever depth."""
    if isinstance(request, str):
        yield from WORD.findall(request)
    elif isinstance(request, (dict, list, tuple)):
        for item in request.values() if isinstance(request, dict) else request:
            yield from words_in(item)
