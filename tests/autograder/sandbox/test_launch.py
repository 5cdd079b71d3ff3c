"""A worker may be started before its judge has imported anything slow."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from autograder.checking.modules import ROOT
from autograder.inside.confine import Limits
from autograder.sandbox import launch
from autograder.sandbox.launch import How
from tests.autograder.attacks import lacking

LINUX = sys.platform.startswith("linux")


def said(program: str) -> str:
    """What a fresh Python prints that has the kit on its path."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_nothing_slow_is_imported_to_start_one() -> None:
    imported = "from autograder.sandbox import launch; print(*sys.modules)"
    assert not {"torch", "numpy", "rich", "jinja2"} & set(said(imported).split())


@pytest.mark.skipif(not LINUX, reason="only Linux starts one ahead")
@pytest.mark.parametrize(
    ("arguments", "ahead"),
    [(["grade", "class"], True), (["grade", "--help"], False), (["--help"], False)],
)
def test_the_commands_that_need_one_start_it_first_of_all(
    arguments: list[str], ahead: bool
) -> None:
    program = "import runpy; from autograder.sandbox import launch; "
    program += "launch.start_ahead = lambda: sys.exit(print('first', 'torch' in sys.modules)); "
    program += f"sys.argv = ['', *{arguments}]; "
    program += "runpy.run_module('autograder', run_name='__main__', alter_sys=True)"
    assert (said(program) == "first False") is ahead


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[How]]:
    """How workers are started; none is."""
    asked: list[How] = []

    def start(how: How) -> SimpleNamespace:
        asked.append(how)
        return SimpleNamespace(how=how)

    monkeypatch.setattr(launch, "start", start)
    monkeypatch.setattr(launch, "_ahead", [])
    monkeypatch.setattr(launch.gc, "disable", lambda: None)
    yield asked


@pytest.mark.skipif(not LINUX, reason="only Linux starts one ahead")
def test_the_one_that_was_started_ahead_is_taken_once(started: list[How]) -> None:
    launch.start_ahead()
    (how,) = started
    one, other = launch.started(how), launch.started(how)
    assert one is not other and started == [how, how]


@pytest.mark.skipif(not LINUX, reason="only Linux starts one ahead")
def test_who_asks_for_other_limits_or_another_way_gets_a_new_one(started: list[How]) -> None:
    launch.start_ahead()
    small = How(Limits(memory=1 << 28, cpu=1, file=1 << 20, processes=4), started[0].bubblewrap)
    assert launch.started(small).how == small
    assert launch.started(How(fork=False, bubblewrap=False)).how.fork is False
    assert len(started) == 3 and len(launch._ahead) == 1


def test_whoever_is_ended_while_bubblewrap_begins_leaves_nobody_behind() -> None:
    if shutil.which("bwrap") is None:
        lacking("there is no bubblewrap here")
    program = [sys.executable, "-c", "import time; time.sleep(60)"]
    for milliseconds in range(30):
        process = subprocess.Popen(
            launch.bubblewrap(launch.readable()) + program,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert process.stdout
        time.sleep(milliseconds / 1000)
        launch.end(process)
        with process.stdout as held_by_all:
            assert select.select([held_by_all], [], [], 1)[0] and not held_by_all.read(1)
