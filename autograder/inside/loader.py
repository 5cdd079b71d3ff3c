"""Loads a submission's modules by the import rule.

Of a student's file, the imports, definitions and assignments run; bare calls, loops and `with`
blocks at the top level do not, so that a training run at the bottom of the file neither hangs
nor fails. A statement that fails is noted and left out; the rest is graded.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import codecs
import importlib.abc
import importlib.machinery
import importlib.util
import io
import linecache
import re
import signal
import sys
import threading
import time
import tokenize
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from types import CodeType, FrameType, ModuleType
from typing import Any

from .cpu import GPU_NOTE, KINDS, OnCPU, asks_for_gpu

STATEMENT_SECONDS = 3.0
PATIENCE = 6.0
"""Seconds for all statements of a file that run longer than they should, together. Seconds here are
those of the processor."""

SLEEP = 20.0
"""Seconds that a check may sleep without anybody waiting for it."""

MAX_NOTES = 5
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

MAGIC = re.compile(r"([ \t]*)([%!?].*)")
"""A line that only IPython understands."""

MAX_MAGICS = 50
MAGIC_NOTE = "Lines that only a notebook understands (% and !) were left out."

DEFINITION = re.compile(
    r"^((?:@.*\n)*)(?:async +)?(?:def|class) +(\w+).*\n(?:[ \t)#].*\n|\n)*", re.MULTILINE
)
"""A definition at the top level, as most are laid out: the rest of it is indented. Its decorators
and its name are groups."""

MOST_LINES = 10_000
"""Of a file that is read definition by definition."""

_modes = ExitStack()


class _TooLong(BaseException):
    """A top-level statement ran longer than importing a file should."""


class Absent:
    """Stands for a name whose import failed: any use says what is missing."""

    def __init__(self, name: str, reason: str) -> None:
        self.__dict__["_says"] = f"`{name}` could not be imported here: {reason}"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(self.__dict__["_says"])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise ImportError(self.__dict__["_says"])


class Submission(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The Python files of a submission, importable by their names from anywhere in them."""

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        """`files`: file name -> bytes; `folder`: where `__file__` says they lie."""
        self._folder = folder
        self._on_cpu = False
        self._sources = {
            name.removesuffix(".py"): decode(data)
            for name, data in files.items()
            if name.endswith(".py")
        }

    def load(self, name: str) -> ModuleType:
        """Import one of the modules. Raises what its parsing or a definition raises."""
        time.sleep = sleep
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        if name not in sys.modules:
            module = importlib.util.module_from_spec(self._spec(name))
            sys.modules[name] = module
            try:
                self.exec_module(module)
            except BaseException:
                sys.modules.pop(name, None)
                raise
        return sys.modules[name]

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return self._spec(name) if name in self._sources else None

    def _spec(self, name: str) -> importlib.machinery.ModuleSpec:
        spec = importlib.machinery.ModuleSpec(
            name, self, origin=f"{self._folder}/{name}.py", is_package=False
        )
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        source, filename = self._sources[name], f"{self._folder}/{name}.py"
        notes: list[str] = []
        failed: dict[str, BaseException] = {}
        module.__dict__.update(__notes__=notes, __failed__=failed)
        outlined = _outline(source, filename)
        if outlined:
            tree, codes, inner = outlined
        else:
            tree, source = _parse(source, filename, notes)
            codes, inner = {}, []
        # Not splitlines(), which knows more ends of lines than Python does.
        lines = [f"{line}\n" for line in source.split("\n")]
        linecache.cache[filename] = (len(source), None, lines, filename)
        if _names_a_gpu(source) and any(map(asks_for_gpu, [tree, *inner])):
            notes.append(GPU_NOTE)
            if not self._on_cpu:
                self._on_cpu = True
                _modes.enter_context(OnCPU())
        flags = _future(tree.body)
        patience = PATIENCE
        for statement in _kept(tree.body):
            began = _spent()
            limit = max(0.05, min(STATEMENT_SECONDS, patience / 2))
            code = codes.get(statement.lineno) or _compile(statement, filename, flags)
            note = _run(statement, code, module.__dict__, limit, failed)
            patience -= _spent() - began
            if note and len(notes) < MAX_NOTES:
                notes.append(note)


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
    """The text encoding that a coding cookie names, Latin-1 without one."""
    try:
        name = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        "".encode(name)
    except (SyntaxError, LookupError):
        return "latin-1"
    return "latin-1" if name == "utf-8" else name


def _parse(source: str, filename: str, notes: list[str]) -> tuple[ast.Module, str]:
    """Parse a file. Where it breaks at a line that only IPython knows, that line is left out."""
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
            if MAGIC_NOTE not in notes:
                notes.append(MAGIC_NOTE)
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


def _run(
    statement: ast.stmt,
    code: CodeType,
    namespace: dict[str, Any],
    seconds: float,
    failed: dict[str, BaseException],
) -> str:
    """Run one top-level statement; the answer is a note when it failed and was left out.

    A definition that fails is kept in `failed`: whoever asks for its name gets its exception.
    """
    imports = isinstance(statement, (ast.Import, ast.ImportFrom))
    try:
        with nullcontext() if imports else _at_most(seconds):
            # A package may take its time to import; the submission's own files are limited.
            exec(code, namespace)
    except _TooLong:
        return f"Line {statement.lineno} takes too long while the file loads and was left out."
    except (Exception, SystemExit) as error:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            return _import_what_is_there(statement, namespace, error)
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if isinstance(error, SystemExit):
                raise
            failed[statement.name] = error
        said = " ".join(_text(error).split())[:100]
        return f"Line {statement.lineno} was left out ({type(error).__name__}: {said})."
    return ""


def _compile(statement: ast.stmt, filename: str, flags: int = 0) -> CodeType:
    module = ast.Module([statement], [])
    code: CodeType = compile(module, filename, "exec", flags, dont_inherit=True)
    return code


def _import_what_is_there(
    statement: ast.Import | ast.ImportFrom, namespace: dict[str, Any], error: BaseException
) -> str:
    """Bind what a failed import could bring, and an Absent for each name it could not."""
    failed = []
    reason = " ".join(_text(error).split())[:100]
    for alias in statement.names:
        try:
            one = type(statement)(**{**_fields(statement), "names": [alias]})
            exec(_compile(ast.copy_location(one, statement), "import"), namespace)
        except Exception:
            failed.append(alias.name)
            bound = alias.asname or alias.name.split(".")[0]
            if bound != "*" and not hasattr(builtins, bound):
                namespace.setdefault(bound, Absent(bound, reason))
    return f"Line {statement.lineno}: {', '.join(failed)} could not be imported ({reason})."


def _text(error: BaseException) -> str:
    try:
        return str(error)[:1000]
    except Exception:
        return ""


def _fields(node: ast.AST) -> dict[str, Any]:
    return {name: getattr(node, name) for name in node._fields}


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise _TooLong in the running code after that many seconds of computing: a machine that
    others keep busy must not decide. Sleep is charged as if it were work, and not waited for.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class _Sleep:
    """time.sleep: its time passes at once. While a statement of a file is limited it is charged;
    later, a check may sleep for so long, and really sleeps beyond that, or where other threads may
    be at work meanwhile.
    """

    def __init__(self) -> None:
        self.passed = 0.0  # seconds
        self._left = SLEEP
        self._really = time.sleep

    def __call__(self, seconds: Any) -> None:
        if not seconds > 0 or threading.current_thread() is not threading.main_thread():
            return self._really(seconds)
        left, _ = signal.getitimer(signal.ITIMER_PROF)
        if left > 0:
            self.passed += min(seconds, left)
            if seconds >= left:
                raise _TooLong
            signal.setitimer(signal.ITIMER_PROF, left - seconds)
        elif seconds <= self._left and threading.active_count() == 1:
            self._left -= seconds
        else:
            self._really(seconds)

    def rested(self) -> None:
        """A new check begins."""
        self._left = SLEEP


sleep = _Sleep()


def _spent() -> float:
    """Seconds computed, and slept while a file loads."""
    return time.process_time() + sleep.passed
