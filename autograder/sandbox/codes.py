"""What students' files were compiled to, kept by their content, for these come again.

It was said by a process that had run nothing of theirs yet, and is read by processes alone that
hold the same file.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

MOST = 64
"""Files of which a worker remembers this: some six megabytes."""


class Codes(Protocol):
    """A place for what files were compiled to."""

    def find(self, name: str, source: bytes) -> bytes:
        """What is known of a file of this name and text; nothing where that is nothing."""

    def keep(self, name: str, source: bytes, code: bytes) -> None:
        """Remember it, perhaps."""


class Recent:
    """The latest files, in this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    def find(self, name: str, source: bytes) -> bytes:
        key = _key(name, source)
        code = self._kept.get(key, b"")
        if code:
            self._kept.move_to_end(key)
        return code

    def keep(self, name: str, source: bytes, code: bytes) -> None:
        self._kept[_key(name, source)] = code
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)


def _key(name: str, source: bytes) -> tuple[str, bytes]:
    return name, hashlib.sha256(source).digest()
