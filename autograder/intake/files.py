"""The files of a submission, of which large ones are read anew whenever they are asked for.

A class hands in gigabytes of notebooks and reports, and each of them is looked at once or twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from autograder.intake.archive import Node, Refused, read

HELD = 2**16
"""Bytes of a file that stays in memory."""


class IntakeError(ValueError):
    """SUBMISSIONS cannot be read at all; the message is a sentence."""


class Files(Mapping[str, bytes]):
    """Files by their names. Raises IntakeError where one cannot be read any more."""

    def __init__(self) -> None:
        self._files: dict[str, Callable[[], bytes]] = {}

    def put(self, name: str, data: bytes, node: Node) -> None:
        """Take a file, `data`, that was read from there."""
        if len(data) > HELD:
            self._files[name] = partial(_again, node, len(data), hashlib.sha256(data).digest())
        else:
            self._files[name] = lambda: data

    def ordered(self) -> Files:
        """The same, by name."""
        files = Files()
        files._files = dict(sorted(self._files.items()))
        return files

    def __getitem__(self, name: str) -> bytes:
        return self._files[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __repr__(self) -> str:
        return f"Files({', '.join(self._files)})"


def _again(node: Node, size: int, known: bytes) -> bytes:
    """The file, which must be what it was: where nothing keeps a submission from the files of its
    grader, it could change another's.
    """
    try:
        data, how = read(node, size), "holds something else"
    except Refused as error:
        data, how = b"", str(error)
    if hashlib.sha256(data).digest() != known:
        raise IntakeError(
            f"{node.name}, which was handed in, has changed since it was first read: it {how}. "
            "Leave the submissions as they are while they are worked on, and give the same "
            "command again."
        )
    return data
