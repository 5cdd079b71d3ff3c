"""Reads a student's file: its text, and the statements of it that the import rule runs, compiled.

Of a file, the imports, definitions and assignments are kept; bare calls, loops and `with` blocks at
the top level are not. Nothing of it runs here, so that what a file was compiled to may be kept.
"""

from __future__ import annotations
import __future__

import ast
import codecs
import io
import marshal
import re
import tokenize
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from .cpu import KINDS, asks_for_gpu

MOST = 1 << 20
"""Bytes of packed code, beyond which it is not worth keeping."""

KEPT = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
)

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

MAGIC = re.compile(r"([ \t]*)([%!?].*)")
"""A line that only IPython understands."""

ALPHABET = re.compile(r"iso|cp|koi|kz|mac|gb|hz|big5|shift|euc|johab|tis|ptcp|hp")
"""Encodings that somebody's editor writes. Others that Python knows may raise whatever is asked of
them (idna, undefined) or take the square of a file's length (punycode); the judge reads files, too.
"""

MAX_MAGICS = 50

DEFINITION = re.compile(
    r"^((?:@.*\n)*)(?:async +)?(?:def|class) +(\w+).*\n(?:[ \t)#].*\n|\n)*|^(?:@.*\n)+",
    re.MULTILINE,
)
"""A definition at the top level, as most are laid out: the rest of it is indented. Its decorators
and its name are groups. Decorators of none are found as well, all at once: each would be looked at
with all that follow it."""

MOST_LINES = 10_000
"""Of a file that is read definition by definition."""


class Import(NamedTuple):
    """One name of an import statement: what it is called there, what it is bound to here, and a
    statement that imports it alone."""

    name: str
    bound: str
    alone: str


class Statement(NamedTuple):
    """A statement at the top level. `defines`: the name of the function or class that it defines;
    `imports`: the names that it imports. Both are empty for others."""

    line: int
    code: CodeType
    defines: str
    imports: tuple[Import, ...]


class Compiled(NamedTuple):
    """A file. `text`: its source, without lines that only a notebook understands; `magics`: whether
    it had such lines; `gpu`: whether it asks for a GPU by name."""

    text: str
    magics: bool
    gpu: bool
    statements: tuple[Statement, ...]


def compiled(source: str, filename: str) -> Compiled:
    """The statements of a file that the import rule runs. Raises what its parsing raises."""
    outlined = _outline(source, filename)
    if outlined:
        text = source
        tree, codes, inner = outlined
    else:
        tree, text = _parse(source, filename)
        codes, inner = {}, []
    # Before anything is filtered.
    gpu = _names_a_gpu(text) and any(map(asks_for_gpu, [tree, *inner]))
    flags = _future(tree.body)
    statements = (
        Statement(
            one.lineno,
            codes.get(one.lineno) or _compile(one, filename, flags),
            one.name if isinstance(one, DEFINITIONS) else "",
            tuple(_imports(one)) if isinstance(one, (ast.Import, ast.ImportFrom)) else (),
        )
        for one in _kept(tree.body)
    )
    return Compiled(text, text != source, gpu, tuple(statements))


def packed(file: Compiled) -> bytes:
    """It as bytes, without its text; nothing where they are too many."""
    plain = [(*one[:3], tuple(map(tuple, one.imports))) for one in file.statements]
    # A text of its own only where it is not the source.
    text = file.text if file.magics else ""
    try:
        data = marshal.dumps((text, file.magics, file.gpu, plain))
    except ValueError:
        return b""
    return data if len(data) <= MOST else b""


def unpacked(data: bytes, source: str) -> Compiled | None:
    """The file that was packed: of this source, under this Python. None where it is damaged."""
    try:
        text, magics, gpu, plain = marshal.loads(data)
        statements = (
            Statement(line, code, name, tuple(Import(*one) for one in imports))
            for line, code, name, imports in plain
        )
        return Compiled(text if magics else source, magics, gpu, tuple(statements))
    except (ValueError, TypeError, EOFError):
        return None


def _imports(statement: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    """The names of an import statement, one by one."""
    origin = ""
    if isinstance(statement, ast.ImportFrom):
        origin = f"from {'.' * statement.level}{statement.module or ''} "
    for alias in statement.names:
        renamed = f" as {alias.asname}" if alias.asname else ""
        bound = alias.asname or alias.name.split(".")[0]
        yield Import(alias.name, bound, f"{origin}import {alias.name}{renamed}")


def decode(data: bytes) -> str:
    """Source text of a file: UTF-8, UTF-16 with its mark, what it declares, or else Latin-1."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        data = data.removeprefix(codecs.BOM_UTF8)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode(_declared(data), "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _declared(data: bytes) -> str:
    """The alphabet that a coding cookie names, Latin-1 without one."""
    try:
        name = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        known = codecs.lookup(name).name
    except (SyntaxError, LookupError, ValueError):
        return "latin-1"
    return known if ALPHABET.match(known) else "latin-1"


def _parse(source: str, filename: str) -> tuple[ast.Module, str]:
    """A file's tree and the text it is of. Where it breaks at a line that only IPython knows, that
    line is left out.
    """
    lines = source.split("\n")
    for _ in range(MAX_MAGICS):
        try:
            return ast.parse("\n".join(lines), filename), "\n".join(lines)
        except SyntaxError as error:
            place = min(error.lineno or 1, len(lines)) - 1
            magic = MAGIC.fullmatch(lines[place])
            if magic is None:
                # Its own mistake, with its own line numbers: these have not moved.
                raise
            lines[place] = f"{magic[1]}pass  # {magic[2]}"
    return ast.parse(source, filename), source


def _names_a_gpu(source: str) -> bool:
    """Does it, at first sight?"""
    return any(kind in source for kind in KINDS)


def _outline(
    source: str, filename: str
) -> tuple[ast.Module, dict[int, CodeType], list[ast.Module]] | None:
    """A file that is not parsed as a whole, which would cost more than to compile it: a tree in
    which definitions stand empty, these by line, each compiled from its own text, and the trees of
    those that name a GPU. None where a file cannot be cut like that.
    """
    if source.count("\n") > MOST_LINES:
        return None
    texts: dict[int, str] = {}
    line, place = 1, 0

    def emptied(found: re.Match[str]) -> str:
        nonlocal line, place
        if not found[2]:
            return found[0]
        line, place = line + source.count("\n", place, found.start()), found.start()
        above = found[1].count("\n")  # its decorators
        texts[line + above] = "\n" * (line - 1) + found[0]
        below = found[0].count("\n") - above
        return "\n" * above + f"def {found[2]}(): pass" + "\n" * below

    try:
        tree = ast.parse(DEFINITION.sub(emptied, source), filename)
        flags = _future(tree.body)
        codes = {
            number: compile(text, filename, "exec", flags, dont_inherit=True)
            for number, text in texts.items()
        }
        inner = [ast.parse(text, filename) for text in texts.values() if _names_a_gpu(text)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    # What the pattern found within a text, or below another's decorators, is no such definition.
    empty = {
        one.lineno
        for one in tree.body
        if isinstance(one, ast.FunctionDef) and not one.decorator_list
    }
    return (tree, codes, inner) if codes.keys() <= empty else None


def _future(body: list[ast.stmt]) -> int:
    """Compiler flags of the file's `from __future__` imports: they hold for the whole file."""
    names = {
        alias.name
        for statement in body
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        for alias in statement.names
    }
    return __future__.annotations.compiler_flag if "annotations" in names else 0


def _kept(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements the import rule runs; `if` and `try` are walked, their branches filtered."""
    for statement in body:
        if isinstance(statement, KEPT) or _is_text(statement):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try)):
            yield _filtered(statement)


def _filtered(statement: ast.If | ast.Try) -> ast.stmt:
    """The same `if` or `try` holding only kept statements."""
    nothing = [ast.copy_location(ast.Pass(), statement)]
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(statement, name, None)
        if inner:
            setattr(statement, name, list(_kept(inner)) or list(nothing))
    for handler in getattr(statement, "handlers", []):
        handler.body = list(_kept(handler.body)) or list(nothing)
    return statement


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _compile(statement: ast.stmt, filename: str, flags: int = 0) -> CodeType:
    module = ast.Module([statement], [])
    code: CodeType = compile(module, filename, "exec", flags, dont_inherit=True)
    return code
