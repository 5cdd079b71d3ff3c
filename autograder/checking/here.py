"""Runs our own code (the reference and known changes of it) in this process.

Only for code that we wrote: a student's code runs in the sandbox and nowhere else.
"""

from __future__ import annotations

import linecache
import types
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..inside.session import Session, set_to, settings, settings_kept
from .modules import GIVEN, ROOT
from .proxy import Send
from .reference import executed, in_pieces, load_modules


class LocalCode:
    """Code whose modules are sources executed here."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._session = Session(self._load)
        self._settings = settings()

    def _load(self, name: str) -> types.ModuleType:
        source = self._files[f"{name}.py"].decode()
        file = f"/submission/{name}.py"
        # As the loader of students' modules does: their lines can be read.
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        return executed(name, source, _given(), file, in_pieces)

    def send(self, seconds: float) -> Send:
        """A way to ask it. The seconds do not count: this code ends."""
        return self._answer

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """As in a process of its own: what the code sets in torch holds for it alone."""
        with settings_kept():
            set_to(self._settings)
            answer = self._session.answer(request)
            self._settings = settings()
        return answer

    def close(self) -> None:
        """Nothing to end."""


@cache
def _given() -> dict[str, types.ModuleType]:
    return {name: module for name, module in load_modules(ROOT).items() if name in GIVEN}
