"""The live reference: our solutions, loaded by absolute path, asked through a session.

Its answers are remembered: the same inputs go to every submission of a batch, so the reference
computes each answer once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import traceback
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..assignment import AssignmentError
from ..inside import wire
from ..inside.compiler import without_compiler
from ..inside.session import Session
from .modules import GIVEN, ROOT, SOLUTIONS
from .proxy import Send

MEMORY = 1 << 28  # bytes of answers that are remembered
VARIANTS = 1024  # changed modules that are


class Reference:
    """The solution modules and the answers they have given so far."""

    def __init__(self, root: Path = ROOT) -> None:
        """Load the modules that lie in `root`. Raises FileNotFoundError naming the file."""
        without_compiler()
        self._modules = load_modules(root)
        self._sources = {name: one.__dict__["__source__"] for name, one in self._modules.items()}
        self._variants: OrderedDict[bytes, ModuleType] = OrderedDict()
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        self._held = 0
        self._sessions: list[Session] = []

    def send(self) -> Send:
        """A fresh talk with the reference, as a check begins one."""
        return self._talk(self._modules, b"")

    def variant(self, name: str, edit: Callable[[str], str]) -> Send:
        """A talk with the reference after `edit` has changed the source of module `name`."""
        source = edit(self._sources[name])
        key = _named(name, source)
        if key not in self._variants:
            self._variants[key] = executed(name, source, self._modules, compiled=in_pieces)
            if len(self._variants) > VARIANTS:
                self._variants.popitem(last=False)
        self._variants.move_to_end(key)
        return self._talk({**self._modules, name: self._variants[key]}, key)

    def _talk(self, modules: Mapping[str, ModuleType], salt: bytes) -> Send:
        session = self._session(modules)
        waiting: list[dict[str, Any]] = []
        chain = salt

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            nonlocal chain
            chain = hashlib.blake2b(chain + wire.pack(request), digest_size=16).digest()
            waiting.append(request)
            if chain not in self._answers:
                # An answer depends on the objects that earlier requests made: catch up first.
                while waiting:
                    answer = _silently(session, waiting.pop(0))
                self._remember(chain, bytes(wire.pack(answer)))
            return self._recall(chain)

        return ask

    def _session(self, modules: Mapping[str, ModuleType]) -> Session:
        """A new session over the modules, without what earlier ones have set on them."""
        for earlier in reversed(self._sessions):
            earlier.undo()
        # Two talks may go on at once, when the reference stands for a student too.
        self._sessions = [*self._sessions[-1:], Session(modules.__getitem__)]
        return self._sessions[-1]

    def _remember(self, chain: bytes, frame: bytes) -> None:
        self._answers[chain] = frame
        self._held += len(frame)
        while self._held > MEMORY and len(self._answers) > 1:
            self._held -= len(self._answers.popitem(last=False)[1])

    def _recall(self, chain: bytes) -> dict[str, Any]:
        self._answers.move_to_end(chain)
        frame = self._answers[chain]
        head, _ = wire.lengths(frame[: wire.PREFIX.size])
        start = wire.PREFIX.size + head
        answer: dict[str, Any] = wire.unpack(
            frame[wire.PREFIX.size : start], bytearray(frame[start:])
        )
        return answer


@lru_cache(maxsize=VARIANTS)
def _named(name: str, source: str) -> bytes:
    """Stands for a module of this source."""
    return hashlib.blake2b(f"{name} {source}".encode(), digest_size=16).digest()


def _silently(session: Session, request: dict[str, Any]) -> dict[str, Any]:
    """The answer of a session; what our training loops print, and what torch remarks of them, is
    not the judge's to say.
    """
    with (
        open(os.devnull, "w") as nothing,
        contextlib.redirect_stdout(nothing),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        return session.answer(request)


def load_modules(root: Path) -> dict[str, ModuleType]:
    """Execute the given and solution modules of `root`, never anything from sys.path.

    Raises AssignmentError where one of them cannot be loaded.
    """
    modules: dict[str, ModuleType] = {}
    for name in (*GIVEN, *SOLUTIONS):
        path = root / f"{name}.py"
        if not path.is_file():
            raise FileNotFoundError(f"{path}: the reference module is missing")
        try:
            modules[name] = executed(name, path.read_text(encoding="utf-8"), modules, str(path))
        except Exception as error:
            raise AssignmentError(f"{stopped_at(error, path)}. Mend it first.") from error
    return modules


def stopped_at(error: Exception, file: Path) -> str:
    """The line of this file, of ours, in which an error arose while it was loaded, and what it
    says: `hw5_gan.py, line 12: ...`.
    """
    if isinstance(error, SyntaxError):
        file, line, says = Path(error.filename or file), error.lineno, error.msg
    else:
        steps = traceback.extract_tb(error.__traceback__)
        own = [step.lineno for step in steps if Path(step.filename) == file]
        line, says = own[-1] if own else None, str(error)
    where = f"{file.name}, line {line}" if line else file.name
    return f"{where}: {type(error).__name__}: {says.rstrip('.')}"


def _whole(source: str, file: str) -> list[CodeType]:
    return [compile(source, file, "exec")]


def in_pieces(source: str, file: str) -> list[CodeType]:
    """The code of each definition by itself: variants have most of them in common. Lines are
    numbered as in the whole.
    """
    try:
        codes, above = [], 0
        for text in source.split("\n\n\n"):
            codes.append(_piece("\n" * above + text, file))
            above += text.count("\n") + 3
        return codes
    except SyntaxError:  # it is cut within a text, or wrong as a whole
        return _whole(source, file)


@lru_cache(maxsize=4096)
def _piece(text: str, file: str) -> CodeType:
    return compile(text, file, "exec")  # as this file, with annotations that nobody evaluates


def executed(
    name: str,
    source: str,
    beside: Mapping[str, ModuleType],
    file: str = "",
    compiled: Callable[[str, str], list[CodeType]] = _whole,
) -> ModuleType:
    """A module made from source. The modules import one another by their flat names, which are
    bound while one executes and given back afterwards.
    """
    module = ModuleType(name)
    module.__file__ = file or f"{name}.py"
    module.__dict__["__source__"] = source  # which may be another one than that file holds
    names = {*beside, name}
    before = {one: sys.modules.get(one) for one in names}
    sys.modules.update({**beside, name: module})
    try:
        for code in compiled(source, module.__file__):
            exec(code, module.__dict__)
    finally:
        for one, module_before in before.items():
            if module_before is None:
                sys.modules.pop(one, None)
            else:
                sys.modules[one] = module_before
    return module
