"""Warm workers for the tests that attack them, and a small class of results."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator

import pytest

from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import lacking
from tests.autograder.small_class import (  # noqa: F401  (fixtures)
    assignment,
    class_of,
    ended_as,
    full,
    hostile,
)


@pytest.fixture(scope="session", params=["bubblewrap", "bare"])
def zygote(request: pytest.FixtureRequest) -> Iterator[Zygote]:
    """A worker with every layer, and one without bubblewrap."""
    if not sys.platform.startswith("linux"):
        lacking("the layers of the sandbox are Linux's")
    with Zygote(bubblewrap=request.param == "bubblewrap") as worker:
        yield worker


@pytest.fixture(scope="session")
def layered() -> Iterator[Zygote]:
    """A worker with every layer this machine has."""
    with Zygote() as worker:
        yield worker


@pytest.fixture(scope="session")
def x86() -> None:
    """For attacks that name system calls by number."""
    if platform.machine() != "x86_64":
        pytest.skip("the system call numbers in these attacks are those of x86-64")
