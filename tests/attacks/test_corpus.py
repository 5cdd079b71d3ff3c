"""Every try of the corpus is stopped, and leaves nothing; one run of all, many in one process."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.checking.modules import ROOT
from tests.attacks import engine
from tests.attacks.engine import MODES, Ended
from tests.attacks.tools import JUDGE, LAYERS, TRIES
from tests.autograder.attacks import lacking

STRICTEST = MODES["all layers"]


@pytest.fixture(scope="module")
def ended() -> dict[str, Ended]:
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        lacking("the layers of the sandbox are Linux's, with bubblewrap")
    if platform.machine() != "x86_64":
        pytest.skip("the system call numbers in these tries are those of x86-64")
    return engine.run(STRICTEST)


def test_there_are_tries_enough_and_each_says_what_stops_it() -> None:
    assert len(TRIES) >= 100
    assert all(one.stopped_by for one in TRIES.values())
    for layer in (*LAYERS, JUDGE):
        assert any(layer in one.stopped_by for one in TRIES.values()), layer


@pytest.mark.parametrize("name", TRIES)
def test_it_is_stopped(ended: dict[str, Ended], name: str) -> None:
    assert not engine.wrong(TRIES[name], ended[name], STRICTEST), ended[name]


def test_nothing_is_left_behind(ended: dict[str, Ended]) -> None:
    assert engine.ALL not in ended, ended[engine.ALL].left


def test_files_and_computing_are_bounded_where_the_worker_is_forked_from_the_judge(
    ended: dict[str, Ended], tmp_path: Path
) -> None:
    """In a process of its own: this one has the answers in its memory, which a worker must not."""
    mode, shown = "worker forked from the judge", tmp_path / "ended.json"
    asked = ["--like", "without end$", "--into", str(shown), mode]
    subprocess.run([sys.executable, "-m", "tests.attacks", *asked], cwd=ROOT, check=True)
    found = json.loads(shown.read_text())
    assert {"makes folders without end", engine.CLAIMS} <= found.keys()
    for name, (how, left) in found.items():
        assert not engine.wrong(TRIES[name], Ended(how, tuple(left)), MODES[mode]), (name, how)
