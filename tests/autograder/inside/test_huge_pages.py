"""Large pages change where memory lies, and nothing in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.inside import huge_pages


def in_large_pages() -> int:
    """Bytes of this process that the system keeps in large pages."""
    (found,) = re.findall(r"AnonHugePages: +(\d+) kB", Path("/proc/self/smaps_rollup").read_text())
    return int(found) << 10


def test_memory_is_gathered_in_large_pages_and_says_the_same() -> None:
    data = bytes(range(256)) * (16 << 12)  # 16 MiB
    if not huge_pages.gather():
        pytest.skip("this system keeps no memory in large pages on request")
    assert in_large_pages() >= 8 << 20
    assert data == bytes(range(256)) * (16 << 12)


def test_where_the_system_knows_nothing_of_them_nothing_happens(monkeypatch) -> None:
    monkeypatch.setattr(huge_pages, "COLLAPSE", 9999)
    assert huge_pages.gather() == 0
