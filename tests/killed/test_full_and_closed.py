"""A full disk, a closed folder, a clock that jumps: a sentence, and the same marks after."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder import __main__ as command_line
from autograder.export.made import LISTS
from autograder.grading import journal
from autograder.grading.journal import JOURNAL
from tests.autograder.grading.test_batch import GAN, PART, SEED, FakeBench, rows

STUDENTS = ("ada", "bob", "cyd")


@pytest.fixture
def class_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three submissions, graded by a bench that only plays."""
    monkeypatch.setattr(command_line, "Bench", lambda plan, bases: FakeBench())
    for name in STUDENTS:
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "hw5_gan.py").write_bytes(GAN + name.encode())
    return tmp_path / "class"


def graded(class_: Path, out: Path) -> int:
    asked = ["grade", str(class_), "--out", str(out), "--part", PART]
    return command_line.main([*asked, "--jobs", "1", "--seed", str(SEED)])


def written(out: Path) -> dict[str, bytes]:
    """All that stands in a folder of marks and does not tell the time."""
    paths = [path for path in out.rglob("*") if path.is_file() and path.parent.name != LISTS]
    timed = (JOURNAL, "history.csv")
    return {str(p.relative_to(out)): p.read_bytes() for p in paths if p.name not in timed}


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file grows beyond that, as on a disk that is full: writing fails in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_at_any_moment_costs_nothing(
    class_: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graded(class_, tmp_path / "whole") == 0
    whole = written(tmp_path / "whole")
    length = (tmp_path / "whole" / JOURNAL).stat().st_size
    longest = max(map(len, whole.values()))
    capsys.readouterr()
    for size in [*range(0, max(length, longest), max(length, longest) // 6), length - 1]:
        out = tmp_path / f"full-{size}"
        with files_up_to(size):
            assert graded(class_, out) == 2
        said = capsys.readouterr().err
        assert "File too large" in said and str(out) in said and "Traceback" not in said
        assert graded(class_, out) == 0
        assert written(out) == whole
        assert sum(b'"result"' in line for line in (out / JOURNAL).open("rb")) == len(STUDENTS)


@pytest.mark.parametrize("place", ["/proc/marks", "file/marks"])
def test_a_folder_that_is_closed_is_named(
    class_: Path, tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / place
    assert graded(class_, out) == 2
    said = capsys.readouterr().err
    assert str(out.parent) in said and "Traceback" not in said


def test_a_cache_in_a_closed_folder_is_done_without(
    class_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.grading.cache import Cache

    monkeypatch.setenv("HW5_CACHE", "/proc/cache/checks.sqlite")
    cache = Cache()
    assert cache.begins("x") == {}
    cache.close()


def test_a_clock_that_jumps_changes_no_mark(
    class_: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert graded(class_, tmp_path / "steady") == 0
    now = datetime(2027, 1, 1, tzinfo=timezone.utc)

    class Jumping:
        """A year back at every look."""

        @staticmethod
        def now(zone: timezone) -> datetime:
            nonlocal now
            now -= timedelta(days=366)
            return now

    monkeypatch.setattr(journal, "datetime", Jumping)
    out = tmp_path / "jumping"
    assert graded(class_, out) == 0
    assert written(out) == written(tmp_path / "steady")
    (class_ / "ada" / "hw5_gan.py").write_bytes(GAN + b"# again\n")
    assert graded(class_, out) == 0
    history = (out / "history.csv").read_text().splitlines()[1:]
    assert sorted(line.split(",")[1] for line in history) == ["ada", "ada", "bob", "cyd"]
    assert rows((out / "marks.csv").read_bytes())["ada"]["attempts"] == "2"
