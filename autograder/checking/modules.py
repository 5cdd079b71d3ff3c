"""The kit's own modules: where they lie, which hold our solutions, and which students are given.

Nothing slow is imported here: a worker is started with this, before anything else (see launch).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOLUTIONS = ("hw5_vae", "hw5_gan")


def _given(*names: str) -> Iterator[str]:
    """Our flat modules that these need when they are loaded, each after those that it needs."""
    for name in names:
        yield from _given(*_imported(name))
        yield name


def _imported(name: str) -> list[str]:
    """The flat modules that one of ours imports when it is loaded."""
    path = ROOT / f"{name}.py"
    # To parse them would take longer than to import all else that a worker is started with.
    return _IMPORT.findall(path.read_text(encoding="utf-8")) if path.is_file() else []


_IMPORT = re.compile(r"^(?:import|from) (hw5_\w+)", re.MULTILINE)

GIVEN = tuple(
    name for name in dict.fromkeys(_given("hw5_utils", *SOLUTIONS)) if name not in SOLUTIONS
)
"""What students' modules may import."""


def packaged(root: Path = ROOT) -> dict[str, bytes]:
    """The students' package hw5_pages, file by file: given as it is, and no check looks into it."""
    there = (path for path in root.glob("hw5_*/*") if path.suffix in (".py", ".typ"))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(there)}
