"""Small generic changes of our solutions: what no check notices may be a hole in the checks.

A mutant changes one expression, or leaves out one statement, in the region of one question. Some
are as right as the solution (a commuted sum, a smaller bound); a person decides.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .release.strip import SOLUTION, regions

OTHER: dict[type[ast.AST], type[Any]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


@dataclass(frozen=True)
class Mutant:
    """A changed module; `question` is the one in whose region the change is."""

    question: str
    line: int
    source: str

    def diff(self, reference: str) -> str:
        """What is changed, as a diff without its head."""
        pair = reference.splitlines(), self.source.splitlines()
        lines = list(difflib.unified_diff(*pair, lineterm="", n=0))[3:]
        return "\n".join(lines)


def mutants(source: str, file: str) -> Iterator[Mutant]:
    """Every mutant of a module, from its top to its end."""
    tree = ast.parse(source)
    lines = source.split("\n")
    for region in regions(source, file, SOLUTION):
        for node in ast.walk(tree):
            line = getattr(node, "lineno", 0)
            end = getattr(node, "end_lineno", 0)
            if region.first + 1 < line and end <= region.last:
                for text in _changes(node):
                    yield Mutant(region.tag, line, _spliced(lines, node, text))


def _changes(node: ast.AST) -> Iterator[str]:
    """What may stand in the place of this piece of code."""
    if isinstance(node, ast.BinOp) and type(node.op) in OTHER:
        yield f"({ast.unparse(ast.BinOp(node.left, OTHER[type(node.op)](), node.right))})"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        ops = [OTHER[type(node.ops[0])](), *node.ops[1:]]
        yield f"({ast.unparse(ast.Compare(node.left, ops, node.comparators))})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Constant):
        yield from _other_constants(node.value)
    elif isinstance(node, ast.Call):
        for left in range(len(node.keywords)):
            kept = node.keywords[:left] + node.keywords[left + 1 :]
            yield ast.unparse(ast.Call(node.func, node.args, kept))
        if len(node.args) > 1:
            turned = [node.args[1], node.args[0], *node.args[2:]]
            yield ast.unparse(ast.Call(node.func, turned, node.keywords))
        for place, name in enumerate(node.args):
            if isinstance(name, ast.Name):
                for other in (f"{name.id}.detach()", f"1.1 * {name.id}"):
                    args = [*node.args[:place], ast.Name(other), *node.args[place + 1 :]]
                    yield ast.unparse(ast.Call(node.func, args, node.keywords))
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        if all(isinstance(one, ast.Name) for one in node.elts[:2]):
            turned = [node.elts[1], node.elts[0], *node.elts[2:]]
            yield f"({ast.unparse(ast.Tuple(turned, ast.Load())).strip('()')})"
    elif isinstance(node, ast.Dict):
        for left in range(len(node.keys)):
            keys, values = list(node.keys), list(node.values)
            del keys[left], values[left]
            yield ast.unparse(ast.Dict(keys, values))
    elif isinstance(node, (ast.Expr, ast.AugAssign)) and not _is_text(node):
        yield "pass"


def _other_constants(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield repr(not value)
    elif isinstance(value, int):
        yield repr(value + 1)
    elif isinstance(value, float):
        yield repr(2 * value if value else 1.0)
        if value:
            yield f"({-value!r})"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _spliced(lines: list[str], node: ast.AST, text: str) -> str:
    """The source with other text in the place of a node; columns count bytes."""
    first, last = node.lineno - 1, node.end_lineno - 1  # type: ignore[attr-defined]
    start, stop = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
    head = lines[first].encode()[:start].decode()
    tail = lines[last].encode()[stop:].decode()
    return "\n".join([*lines[:first], head + text + tail, *lines[last + 1 :]])
