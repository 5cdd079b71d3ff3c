"""A function of a student's made anew, so that what raises is passed over.

One line that raises ends a loop before it comes to what another question asks for; made anew, the
loop goes on behind that line.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import linecache
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache, partial
from types import CodeType
from typing import Any

JUMPS = (ast.Break, ast.Continue, ast.Return, ast.Raise)


class NoRegion(LookupError):
    """The lines BEGIN and END of a question are gone."""


def patient(
    function: Any,
    items: Sequence[Any] = (),
    instead: tuple[tuple[str, str], ...] = (),
    within: bool = False,
    only: tuple[str, ...] | None = None,
) -> Any:
    """The function, in which a statement that raises is passed over, and the next one runs.

    A loop over what cannot be had goes over `items`; where a question of `instead`, (part.question,
    line), begins, its line stands in the place of all up to the question's end. `within`: of a
    statement that raises, as much runs as can (see `_Within`). `only`: the questions whose
    statements are passed over; all others may raise. Raises NoRegion.
    """
    file = function.__code__.co_filename
    source = function.__globals__.get("__source__") or "".join(linecache.getlines(file))
    code = _code(source, function.__code__.co_firstlineno, file, instead, within, only)
    ours = {one.__name__: one for one in (_got, _asked, _called, _holds, _either, _or_else)}
    scope = {**function.__globals__, **ours, "_these_or": partial(_these_or, items)}
    exec(code, scope)
    return scope[function.__name__]


@lru_cache(maxsize=32)  # the same loop is tried many times
def _code(
    source: str,
    line: int,
    file: str,
    instead: tuple[tuple[str, str], ...],
    within: bool,
    only: tuple[str, ...] | None,
) -> CodeType:
    """The code of the function that begins in this line, as `patient` makes it."""
    for question, other in instead:
        source = _with_line(source, question, other)
    lines = None if only is None else {one for name in only for one in _lines(source, name)}

    def forgiven(statement: ast.stmt) -> ast.stmt:
        return _passed_over(statement) if lines is None or statement.lineno in lines else statement

    first = line - 1
    block = "".join(inspect.getblock(source.splitlines(keepends=True)[first:]))
    tree: Any = ast.increment_lineno(ast.parse(block).body[0], first)
    if within:
        tree = _Within(tree).generic_visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.For):
            node.body = [forgiven(one) for one in node.body]
            if lines is None:
                node.iter = _call("_these_or", _later(node.iter))
    tree.body = [forgiven(one) for one in tree.body]
    return compile(ast.fix_missing_locations(ast.Module([tree], [])), file, "exec")


class _Within(ast.NodeTransformer):
    """What runs of a statement though a piece of it raises: of `a if c else b` and `if c:` with a
    condition that raises, both ways; of `x.wrong`, `x.to(wrong)` and `wrong(x)`, x. A name that
    nothing has is taken for the one of the function's own that is spelled most like it.
    """

    def __init__(self, function: ast.FunctionDef) -> None:
        own = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        stored = (one for one in ast.walk(function) if isinstance(one, ast.Name))
        self._own = own | {one.id for one in stored if isinstance(one.ctx, ast.Store)}

    def _is_own(self, node: ast.expr) -> bool:
        return any(isinstance(one, ast.Name) and one.id in self._own for one in ast.walk(node))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = self._own | vars(builtins).keys()
        strange = isinstance(node.ctx, ast.Load) and node.id not in known
        for alike in get_close_matches(node.id, self._own, 1) if strange else []:
            return _call("_or_else", *map(_later, (node, ast.Name(alike, ast.Load()))))
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load):
            return node
        return _call("_got", node.value, ast.Constant(node.attr))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if any(isinstance(one, ast.Starred) for one in node.args):
            return node
        args = [_later(self.visit(one)) for one in node.args]
        named = [ast.keyword(one.arg, _later(self.visit(one.value))) for one in node.keywords]
        named = [one for one in named if one.arg]  # of **named nothing is left
        if isinstance(node.func, ast.Attribute) and self._is_own(node.func.value):
            on, name = self.visit(node.func.value), ast.Constant(node.func.attr)
            return _call("_asked", on, name, *args, keywords=named)
        return _call("_called", _later(self.visit(node.func)), *args, keywords=named)

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        body, orelse = self.visit(node.body), self.visit(node.orelse)
        return _call("_either", *map(_later, (node.test, body, orelse)))

    def visit_If(self, node: ast.If) -> list[ast.stmt]:
        name = f"_if_{node.lineno}_{node.col_offset}"
        made: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], _call("_holds", _later(node.test)))
        ]
        for holds, body in (True, node.body), (False, node.orelse):
            inner = [_passed_over(one) for one in self._all(body)]
            sure = any(isinstance(one, JUMPS) for two in body for one in ast.walk(two))
            open_ = [] if sure else [ast.Constant(None)]
            values = ast.Tuple([ast.Constant(holds), *open_], ast.Load())
            asked = ast.Compare(ast.Name(name, ast.Load()), [ast.In()], [values])
            made += [ast.If(asked, inner, [])] if inner else []
        return made

    def _all(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        """These as they become; one may become several."""
        block = ast.Module(list(statements), [])
        self.generic_visit(block)
        return block.body

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.expr:
        return node  # in a lambda it would name something of the lambda's own


def _passed_over(statement: ast.stmt) -> ast.stmt:
    """The statement where it does not raise, and nothing where it does."""
    error = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
    return ast.Try([statement], [error], [], [])


def _later(expression: ast.expr) -> ast.expr:
    """A function without arguments that gives the expression."""
    function = ast.parse("lambda: 0", mode="eval").body
    function.body = expression  # type: ignore[attr-defined]
    return function


def _call(name: str, *args: ast.expr, keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    """A call of one of the functions below."""
    return ast.Call(ast.Name(name, ast.Load()), list(args), list(keywords))


def _these_or(items: Sequence[Any], make: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """What comes of `make`, or the items where that raises, or gives a text, which is what is left
    of a call that raises.
    """
    try:
        things = make()
        yield from items if isinstance(things, str) else things
    except Exception:
        yield from items


def _got(here: Any, name: str) -> Any:
    return getattr(here, name, here)


def _asked(here: Any, name: str, *args: Callable[[], Any], **named: Callable[[], Any]) -> Any:
    """What a method gives, or whose it is where it or an argument raises."""
    try:
        given = {name: one() for name, one in named.items()}
        return _got(here, name)(*(one() for one in args), **given)
    except Exception:
        return here


def _called(
    function: Callable[[], Any], *args: Callable[[], Any], **named: Callable[[], Any]
) -> Any:
    """What a function gives, or its first argument where it or another one raises."""
    first = [one() for one in args[:1]]
    try:
        given = {name: one() for name, one in named.items()}
        return function()(*first, *(one() for one in args[1:]), **given)
    except Exception:
        return first[0]


def _holds(test: Callable[[], Any]) -> bool | None:
    """Whether it is true; None where that raises."""
    try:
        return bool(test())
    except Exception:
        return None


def _either(test: Callable[[], Any], *ways: Callable[[], Any]) -> Any:
    """What comes of the first way where the test holds, of the second where it does not; where the
    test raises, both are tried.
    """
    holds = _holds(test)
    if holds is not None:
        return ways[not holds]()
    made: list[Any] = []
    for way in ways:
        with contextlib.suppress(Exception):
            made.append(way())
    return made[0]


def _or_else(way: Callable[[], Any], other: Callable[[], Any]) -> Any:
    try:
        return way()
    except Exception:
        return other()


def _region(source: str, question: str) -> re.Match[str]:
    """What a student wrote for the question, from its line BEGIN to its line END."""
    marked = rf"^( *)### BEGIN [A-Z ]+{re.escape(question)}\n(.*?)^ *### END .*?$"
    found = re.search(marked, source, re.MULTILINE | re.DOTALL)
    if not found:
        raise NoRegion(f"the lines BEGIN and END of {question} are gone")
    return found


def _lines(source: str, question: str) -> range:
    """The numbers of the lines in which that stands."""
    found = _region(source, question)
    first = source.count("\n", 0, found.start()) + 1
    return range(first, first + found.group().count("\n") + 1)


def _with_line(source: str, question: str, line: str) -> str:
    """The source with this line in its place, and as many lines as before: they are told in
    errors.
    """
    found = _region(source, question)
    lines = found.group(1) + line + "\n" * found.group().count("\n")
    return source[: found.start()] + lines + source[found.end() :]
