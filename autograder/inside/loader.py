"""Loads a submission's modules by the import rule.

What runs of a file (see source.py) is no training at its bottom, which would hang or fail. A
statement that fails is noted and left out; the rest is graded.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from types import FrameType, ModuleType
from typing import Any

from .cpu import GPU_NOTE, OnCPU
from .source import Compiled, Statement, compiled, decode, packed, unpacked

STATEMENT_SECONDS = 3.0
PATIENCE = 6.0
"""Seconds for all statements of a file that run longer than they should, together. Seconds here are
those of the processor."""

SLEEP = 20.0
"""Seconds that a check may sleep without anybody waiting for it."""

MAX_NOTES = 5
MAGIC_NOTE = "Lines that only a notebook understands (% and !) were left out."

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

    def __init__(
        self, files: Mapping[str, bytes], folder: str, codes: Mapping[str, bytes] | None = None
    ) -> None:
        """`files`: file name -> bytes; `folder`: where `__file__` says they lie; `codes`: what
        `compile_all` has brought of some of them before.
        """
        self._folder = folder
        self._on_cpu = False
        self._sources = {
            name.removesuffix(".py"): decode(data)
            for name, data in files.items()
            if name.endswith(".py")
        }
        self._compiled: dict[str, Compiled] = {}
        for name, data in (codes or {}).items():
            known = unpacked(data, self._sources[name.removesuffix(".py")])
            if known:
                self._compiled[name.removesuffix(".py")] = known

    def compile_all(self) -> dict[str, bytes]:
        """Compile what is not yet; brings code to keep, by file name. Nothing of a file runs."""
        made = {}
        for name in self._sources.keys() - self._compiled.keys():
            # One that cannot be compiled says so when it is imported.
            with suppress(Exception):
                if code := packed(self._file(name)):
                    made[f"{name}.py"] = code
        return made

    def _file(self, name: str) -> Compiled:
        if name not in self._compiled:
            self._compiled[name] = compiled(self._sources[name], self._path(name))
        return self._compiled[name]

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}.py"

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
        spec = importlib.machinery.ModuleSpec(name, self, origin=self._path(name), is_package=False)
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        notes: list[str] = []
        failed: dict[str, BaseException] = {}
        module.__dict__.update(__notes__=notes, __failed__=failed)
        file, filename = self._file(name), self._path(name)
        # Not splitlines(), which knows more ends of lines than Python does.
        lines = [f"{line}\n" for line in file.text.split("\n")]
        linecache.cache[filename] = (len(file.text), None, lines, filename)
        if file.magics:
            notes.append(MAGIC_NOTE)
        if file.gpu:
            notes.append(GPU_NOTE)
            if not self._on_cpu:
                self._on_cpu = True
                _modes.enter_context(OnCPU())
        patience = PATIENCE
        for statement in file.statements:
            began = _spent()
            limit = max(0.05, min(STATEMENT_SECONDS, patience / 2))
            note = _run(statement, module.__dict__, limit, failed)
            patience -= _spent() - began
            if note and len(notes) < MAX_NOTES:
                notes.append(note)


def _run(
    statement: Statement,
    namespace: dict[str, Any],
    seconds: float,
    failed: dict[str, BaseException],
) -> str:
    """Run one top-level statement; the answer is a note when it failed and was left out.

    A definition that fails is kept in `failed`: whoever asks for its name gets its exception.
    """
    try:
        with nullcontext() if statement.imports else _at_most(seconds):
            # A package may take its time to import; the submission's own files are limited.
            exec(statement.code, namespace)
    except _TooLong:
        return f"Line {statement.line} takes too long while the file loads and was left out."
    except (Exception, SystemExit) as error:
        if statement.imports:
            return _import_what_is_there(statement, namespace, error)
        if statement.defines:
            if isinstance(error, SystemExit):
                raise
            failed[statement.defines] = error
        said = " ".join(_text(error).split())[:100]
        return f"Line {statement.line} was left out ({type(error).__name__}: {said})."
    return ""


def _import_what_is_there(
    statement: Statement, namespace: dict[str, Any], error: BaseException
) -> str:
    """Bind what a failed import could bring, and an Absent for each name it could not."""
    failed = []
    reason = " ".join(_text(error).split())[:100]
    for one in statement.imports:
        try:
            exec(compile(one.alone, "import", "exec", dont_inherit=True), namespace)
        except Exception:
            failed.append(one.name)
            if one.bound != "*" and not hasattr(builtins, one.bound):
                namespace.setdefault(one.bound, Absent(one.bound, reason))
    return f"Line {statement.line}: {', '.join(failed)} could not be imported ({reason})."


def _text(error: BaseException) -> str:
    try:
        return str(error)[:1000]
    except Exception:
        return ""


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
