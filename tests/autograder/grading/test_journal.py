"""The journal loses at most the line that was being written, and belongs to one run at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.grading.journal import (
    DAMAGED,
    JOURNAL,
    Journal,
    JournalError,
    journaled_seed,
    require,
)
from autograder.results import PASS, QuestionResult, SubmissionResult

RECORD = {"seed": 7}


def result(name: str, points: float = 8.0) -> SubmissionResult:
    question = QuestionResult("conv-gan.DNet", "Discriminator", "code", PASS, points, 8.0)
    return SubmissionResult(name, (name,), points, 8.0, (question,), seed=7)


def begun(out: Path, *names: str) -> Path:
    """A journal that holds the results of these."""
    with Journal(out, 7) as journal:
        for name in names:
            journal.add(result(name), "files", "plan", RECORD)
    return out / JOURNAL


@pytest.mark.parametrize("cut", [1, 2, 40, -1])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int):
    path = begun(tmp_path, "ada")
    whole = path.read_bytes()
    begun(tmp_path, "bob")
    torn = path.read_bytes()[: len(whole) + cut] if cut > 0 else path.read_bytes()[:cut]
    path.write_bytes(torn)
    with Journal(tmp_path, 7) as journal:
        assert list(journal.entries) == ["ada"]
        assert journal.entries["ada"][0].result == result("ada")
        assert path.read_bytes() == whole


def test_a_journal_torn_in_its_first_line_begins_anew(tmp_path: Path):
    path = begun(tmp_path, "ada")
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first[:10])
    with Journal(tmp_path, 7) as journal:
        assert journal.entries == {}
    assert path.read_bytes() == first


def test_its_seed_is_that_with_which_it_was_begun(tmp_path: Path):
    assert journaled_seed(tmp_path) is None
    begun(tmp_path)
    with Journal(tmp_path, 8):
        pass
    assert journaled_seed(tmp_path) == 7


def test_two_runs_at_once_on_one_folder_are_refused(tmp_path: Path):
    with Journal(tmp_path, 1), pytest.raises(JournalError, match="another run is grading"):
        Journal(tmp_path, 1)
    Journal(tmp_path, 1).__exit__()


def test_every_attempt_is_counted_and_the_last_one_counts(tmp_path: Path):
    with Journal(tmp_path, 7) as journal:
        for files, points in (("a", 1.0), ("b", 2.0), ("b", 3.0), ("a", 4.0)):
            journal.add(result("ada", points), files, "plan", RECORD)
    with Journal(tmp_path, 7) as journal:
        last = journal.last("ada")
        assert last is not None and (last.files, last.result.points) == ("a", 4.0)
        assert journal.attempts("ada") == 3
        assert journal.attempts("bob") == 0 and journal.last("bob") is None


def test_reading_alone_makes_no_folder_and_changes_nothing(tmp_path: Path):
    with Journal(tmp_path / "new", 7, write=False) as journal:
        assert journal.entries == {}
    assert not (tmp_path / "new").exists()
    path = begun(tmp_path, "ada")
    path.write_bytes(path.read_bytes() + b"torn")
    with Journal(tmp_path, 7, write=False) as journal:
        assert list(journal.entries) == ["ada"]
    assert path.read_bytes().endswith(b"torn")


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe\x00 not text\n",
        b"[1, 2]\n",
        b"{}\n",
        b"not JSON\n",
        b'{"format": 1, "seed": 1}\n',
    ],
    ids=["bytes", "list", "empty", "words", "older"],
)
@pytest.mark.parametrize(("line", "left"), [(0, ["ada", "bob"]), (1, []), (2, ["bob"])])
def test_a_line_that_is_damaged_costs_no_other(
    tmp_path: Path, damage: bytes, line: int, left: list[str]
):
    path = begun(tmp_path, "ada", "bob")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = damage
    path.write_bytes(b"".join(lines))
    if b"format" in damage and not line:
        with pytest.raises(JournalError, match="another version of the kit"):
            Journal(tmp_path, 7)
        assert path.read_bytes() == b"".join(lines), "it may hold marks"
        return
    assert journaled_seed(tmp_path) == 7, "each result has it, too"
    with Journal(tmp_path, 7) as journal:
        assert list(journal.entries) == left
        assert f"{path} cannot be read in line {line + 1}" in journal.damage
    assert (tmp_path / DAMAGED).read_bytes() == b"".join(lines)
    with Journal(tmp_path, 7) as journal:
        assert list(journal.entries) == left and not journal.damage


def test_a_journal_of_which_nothing_can_be_read_stays_as_it_is(tmp_path: Path):
    path = begun(tmp_path, "ada")
    path.write_bytes(b"my diary\n")
    for opened in (lambda: journaled_seed(tmp_path), lambda: Journal(tmp_path, 7)):
        with pytest.raises(JournalError, match="new --out"):
            opened()
    assert path.read_bytes() == b"my diary\n"


def test_what_cannot_be_gone_on_with_is_said_before_anything_is_started(tmp_path: Path):
    require(tmp_path / "new")
    path = begun(tmp_path, "ada")
    require(tmp_path)
    with Journal(tmp_path, 7), pytest.raises(JournalError, match="another run"):
        require(tmp_path)
    path.write_bytes(b"?")
    with pytest.raises(JournalError, match="nothing of it can be read"):
        require(tmp_path)
