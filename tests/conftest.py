"""Settings of all tests, and what several of them share."""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import torch

# The networks are small, and there are as many tests at a time as cores: more threads would wait
# for one another, here and in whatever a test starts.
torch.set_num_threads(1)
os.environ.setdefault("OMP_NUM_THREADS", "1")


FORTNIGHT = 14
"""Days within which all that takes turns is tried."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--share", action="store_true", help="of tests marked `daily`, take those whose turn it is"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest begin first: at the end one would run alone. Of the cases of a long table, and
    of dear tests that share a name, some run each day.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if not config.getoption("--share"):
        return
    turns = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if marker := item.get_closest_marker("daily"):
            turns[" ".join(marker.args) or item.nodeid.partition("[")[0]].append(item)
    today, waiting = date.today().toordinal(), set[pytest.Item]()
    for members in turns.values():
        days = min(FORTNIGHT, len(members))
        waiting.update(item for turn, item in enumerate(members) if (today - turn) % days)
    config.hook.pytest_deselected(items=[item for item in items if item in waiting])
    items[:] = [item for item in items if item not in waiting]


@pytest.fixture(scope="session", autouse=True)
def cache_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is graded in tests is tried in tests, and leaves nothing in the kit's folder."""
    os.environ["HW5_CACHE"] = str(tmp_path_factory.mktemp("cache") / "checks.sqlite")


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Makes a folder that all workers of pytest share and none writes to."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], None]) -> Path:
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = shared / name / "done"
            if not done.exists():
                make(shared / name)
                done.touch()
        return shared / name

    return made


@pytest.fixture(scope="session")
def released(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A folder with what students get of all parts: nothing is written, run or answered."""

    def make(folder: Path) -> None:
        from autograder.assignment import read_assignment
        from autograder.checking.modules import ROOT
        from autograder.release import package

        assignment = read_assignment()
        made = package.make(package.read_source(ROOT, assignment), assignment, [], "")
        folder.mkdir()
        for name, data in made.students.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)

    return once("released", make)
