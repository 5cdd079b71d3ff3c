"""Leaves alone the pages that would come out as they are: nearly all, where little has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from autograder.export.shared import write_text

LISTS = ".made"
"""Beside the folders of pages: what each page was made from. It may be deleted at any time."""

HERE = Path(__file__).parent

Write = Callable[[str, object, Callable[[], str]], None]
"""Name of a page, all that it is made from (as JSON takes it), and what makes it."""


@contextmanager
def made(folder: Path) -> Iterator[Write]:
    """A way to write pages into `folder`. One that was made from the same by the same code, and was
    not touched since, is not made again.

    While pages are written there is no list: what a run that was killed has left is made again.
    """
    list_ = folder.parent / LISTS / f"{folder.name}.json"
    before, now = _read(list_), dict[str, list[object]]()

    def write(name: str, source: object, make: Callable[[], str]) -> None:
        path, key = folder / name, _key(source)
        if before.get(name) != [key, *_state(path)]:
            if before:
                list_.unlink(missing_ok=True)
            write_text(path, make())
        now[name] = [key, *_state(path)]

    yield write
    if now != before:
        write_text(list_, json.dumps(now))


def _read(list_: Path) -> dict[str, list[object]]:
    with suppress(OSError, ValueError, TypeError):
        return dict(json.loads(list_.read_text(encoding="utf-8")))
    return {}


def _key(source: object) -> str:
    said = json.dumps([_code(), source], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _state(path: Path) -> list[object]:
    """Whoever writes into a file changes this. Nothing where there is none."""
    with suppress(OSError):
        found = path.stat()
        return [found.st_size, found.st_mtime_ns]
    return []


@cache
def _code() -> str:
    """The code that makes pages, and what it reads of assignments and rosters."""
    files = [*HERE.iterdir(), *HERE.parent.glob("*.py")]
    whole = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
