"""What goes wrong with a file is said with its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever OSError is raised here names a file: this one, unless it names another. On a disk
    that is full, Python names none.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:  # or it is no file that the system speaks of
            error.filename = error.filename or str(path)
        raise
