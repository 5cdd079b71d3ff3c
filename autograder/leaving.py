"""Ends a process without taking torch down, which is some tenths of a second of computing."""

from __future__ import annotations

import atexit
import os
import sys

_codes: list[int] = []


def prepare() -> None:
    """Call it before others say what they do at the end: that is then done all the same."""
    atexit.register(_leave)


def ended(code: int) -> int:
    """The exit code with which all is done; a process that does not come to this ends as ever."""
    _codes.append(code)
    return code


def _leave() -> None:
    if _codes:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_codes[0])
