"""A batch: it resumes to the byte, loses nothing, blames nobody for our faults, forgets nothing."""

from __future__ import annotations

import csv
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder import __main__ as command_line
from autograder.assignment import Assignment, read_assignment
from autograder.checking.expect import Fail
from autograder.checking.proxy import Lost
from autograder.checking.reference import Reference
from autograder.checking.registry import Check
from autograder.grading import batch, diagnosis
from autograder.grading.batch import Graded, Plan
from autograder.grading.changes import Change
from autograder.grading.journal import JOURNAL, Journal, journaled_seed
from autograder.grading.judge import FINAL, graded_parts, judge
from autograder.inside.wire import Handle
from autograder.intake.submissions import Handin
from autograder.parts import all_checks
from autograder.results import (
    CRASHED,
    MEMORY,
    PASS,
    TIMEOUT,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
    from_json,
)
from autograder.sandbox.child import ENDED
from autograder.sandbox.zygote import PROTECTIONS, Doctor
from tests.processes import adopt_orphans, left_running

SAMPLES = Path(__file__).resolve().parents[2] / "submissions"
RIGHT = ("right-by-hand", "right-functional", "right-sequential")
OTHERS = ("broken-missing-file", "hostile-exit", "wrong-unfinished")
PART, SEED = "conv-gan", 7
ASSIGNMENT = read_assignment()
PARTS = graded_parts(ASSIGNMENT, [PART])
MOST = sum(one.points for one in PARTS[0].questions if one.kind == "code")
GAN = b"import torch\n"


# --- a class of six, graded by the real command in real processes


TOO_LONG = re.compile(r" Line \d+ takes too long while the file loads and was left out\.")


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for name in (*RIGHT, *OTHERS):
        shutil.copytree(SAMPLES / name, folder / name)
    return folder


def command(submissions: Path, out: Path, jobs: int = 2, seed: int = SEED) -> list[str]:
    grade = ["grade", str(submissions), "--out", str(out), "--part", PART]
    numbers = ["--jobs", str(jobs), "--seed", str(seed)]
    return [sys.executable, "-m", "autograder", *grade, *numbers]


def start(submissions: Path, out: Path, jobs: int = 2) -> subprocess.Popen[str]:
    """The grader, leader of a process group of its own."""
    return subprocess.Popen(
        command(submissions, out, jobs),
        env=with_cache_of(out),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def with_cache_of(out: Path) -> dict[str, str]:
    """Nothing is remembered from another folder of marks."""
    return {**os.environ, "HW5_CACHE": str(out.with_suffix(".sqlite"))}


def run(submissions: Path, out: Path, jobs: int = 2, seed: int = SEED) -> bytes:
    """Grade to the end; brings marks.csv."""
    ran = subprocess.run(
        command(submissions, out, jobs, seed),
        env=with_cache_of(out),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return (out / "marks.csv").read_bytes()


def graded_so_far(out: Path) -> int:
    """Submissions in the whole lines of the journal."""
    journal = out / JOURNAL
    return journal.read_bytes().count(b'"result": ') if journal.exists() else 0


def wait_for(lines: int, out: Path, running: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 120
    while graded_so_far(out) < lines and running.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)


def rows(marks: bytes) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in csv.DictReader(marks.decode().splitlines())}


@pytest.fixture(scope="module")
def undisturbed(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graded in this process: those of the other runs, in processes of their own, must agree."""
    out = tmp_path_factory.mktemp("undisturbed") / "marks"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HW5_CACHE", with_cache_of(out)["HW5_CACHE"])
        assert command_line.main(command(submissions, out, jobs=1)[3:]) == 0
    return out


@pytest.mark.daily("batch")
def test_a_run_killed_at_random_moments_ends_with_the_same_marks_to_the_byte(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    out = tmp_path / "marks"
    before, not_ours = 0, set(left_running(0))
    adopt_orphans()
    for lines, jobs in ((0, 1), (3, 2)):
        running = start(submissions, out, jobs)
        wait_for(lines, out, running)
        time.sleep(random.uniform(0.0, 0.5))
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        assert graded_so_far(out) >= before, "a finished submission was lost"
        before = graded_so_far(out)
        assert set(left_running()) <= not_ours
    assert run(submissions, out, jobs=1) == (undisturbed / "marks.csv").read_bytes()


def test_a_finished_run_is_only_written_out_again(
    submissions: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
):
    marks, journal = (undisturbed / "marks.csv").read_bytes(), (undisturbed / JOURNAL)
    lines = journal.read_bytes()
    (undisturbed / "marks.csv").unlink()
    monkeypatch.setattr(batch, "Zygote", NoZygote)
    assert command_line.main(command(submissions, undisturbed)[3:]) == 0
    assert (undisturbed / "marks.csv").read_bytes() == marks
    assert journal.read_bytes() == lines


@pytest.mark.daily("batch")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_pool_process_killed_in_mid_run_loses_nothing(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    out = tmp_path / "marks"
    running = start(submissions, out)
    wait_for(2, out, running)  # a missing file is graded before any process starts
    pool = [pid for pid in children_of(running.pid) if "spawn_main" in said_by(pid)]
    assert pool, "the pool was not found"
    os.kill(pool[0], signal.SIGKILL)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 0, stderr
    assert (out / "marks.csv").read_bytes() == (undisturbed / "marks.csv").read_bytes()


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in found for child in path.read_text().split()]


def said_by(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


@pytest.mark.daily("batch")
def test_one_process_and_two_give_the_same_bytes(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    alone = undisturbed
    both = tmp_path / "marks"
    assert run(submissions, both, jobs=2) == (alone / "marks.csv").read_bytes()
    # The results differ by nothing either, not even by a layer.
    names = sorted(path.name for path in (both / "results").iterdir())
    assert names == sorted(path.name for path in (alone / "results").iterdir())
    for name in names:
        one, two = ((folder / "results" / name).read_text() for folder in (alone, both))
        # How long a line takes is the machine's affair, and this one may be busy.
        assert TOO_LONG.sub("", one) == TOO_LONG.sub("", two), name


@pytest.mark.daily("batch")
def test_two_seeds_give_right_submissions_the_same_marks(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    mine = rows((undisturbed / "marks.csv").read_bytes())
    other = rows(run(submissions, tmp_path / "marks", jobs=1, seed=SEED + 1))
    for name in RIGHT:
        assert mine[name] == other[name]
        assert mine[name]["points"] == f"{MOST:g}"


def test_marks_csv_holds_no_time_no_process_and_no_layer(undisturbed: Path):
    marks = (undisturbed / "marks.csv").read_bytes()
    questions = [f"{PART}.{q.id}" for q in PARTS[0].questions if q.kind == "code"]
    before, after = ["id", "members", "flags"], ["points", "max_points", "status", "attempts"]
    assert list(next(iter(rows(marks).values()))) == [*before, *questions, *after]
    for name, row in rows(marks).items():
        numbers = [row[column] for column in (*questions, "points", "max_points")]
        assert all(math.isfinite(float(number)) for number in numbers), name
        assert row["status"] == "ok"
        assert row["id"] == row["members"] == name
        assert row["flags"] == ("missing" if name == "broken-missing-file" else "")


def test_results_record_layers_seed_and_versions(undisturbed: Path):
    for path in (undisturbed / "results").iterdir():
        result = from_json(path.read_text(encoding="utf-8"))
        assert result.seed == SEED
        assert set(result.layers) <= set(PROTECTIONS) and result.layers
        assert result.versions == batch.versions()
        assert result.versions["torch"] == torch.__version__


# --- going on


ONE = ASSIGNMENT.part(PART)
EIGHTS = replace(
    ASSIGNMENT,
    parts=(replace(ONE, questions=tuple(replace(q, points=8.0) for q in ONE.questions)),),
)
"""This part alone, with 8 points for each of its questions, as `result` says."""


def plan(assignment: Assignment = EIGHTS, seed: int = SEED) -> Plan:
    return Plan(assignment, graded_parts(assignment, [PART]), seed)


BASES = cache(lambda: plan().bases())


def handin(name: str, files: dict[str, bytes] | None = None, **more: Any) -> Handin:
    return Handin(id=name, members=(name,), files=files or {"hw5_gan.py": GAN}, **more)


def result(name: str, state: str = PASS, points: float = 8.0) -> SubmissionResult:
    check = CheckResult(f"{PART}.DNet.works", f"{PART}.DNet", state, 1.0, 1.0, "It works.")
    question = QuestionResult(f"{PART}.DNet", "Discriminator", "code", state, points, 8.0, (check,))
    return SubmissionResult(name, (name,), points, 8.0, (question,), seed=SEED)


CLASS = [handin("ada"), handin("bob")]


def test_a_line_is_on_the_disk_before_the_next_submission_begins(tmp_path: Path):
    seen = []

    class Watching(FakeBench):
        def grade(self, handin: Handin, *first: Any) -> SubmissionResult:
            seen.append(graded_so_far(tmp_path))
            return super().grade(handin, *first)

    run_fake(CLASS, tmp_path, Watching())
    assert seen == [0, 1]


def test_what_stands_is_not_tried_again(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    bench = FakeBench()
    graded = run_fake([*CLASS, handin("eve")], tmp_path, bench)
    assert bench.tried == ["eve"]
    assert [one.id for one in graded.results] == ["ada", "bob", "eve"]
    assert graded.changed == [] and graded.agreed


def test_a_second_attempt_replaces_the_first_and_the_code_of_both_is_kept(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    again = handin("ada", {"hw5_gan.py": b"# once more\n", "netid": b"ada\n", "1.ipynb": b"{}"})
    bench = FakeBench(points={"ada": 3.0})
    graded = run_fake([again, CLASS[1]], tmp_path, bench)
    assert bench.tried == ["ada"]
    ada, bob = graded.results
    assert (ada.points, ada.attempts) == (3.0, 2) and (bob.points, bob.attempts) == (8.0, 1)
    assert graded.changed == [Change("ada", f"{PART}.DNet", "8 of 8", "3 of 8", "handed in again")]
    attempts = tmp_path / "attempts" / "ada"
    assert (attempts / "1" / "hw5_gan.py").read_bytes() == GAN
    assert (attempts / "2" / "hw5_gan.py").read_bytes() == b"# once more\n"
    assert sorted(path.name for path in (attempts / "2").iterdir()) == ["hw5_gan.py", "netid"]


def test_a_submission_that_vanished_is_said_and_keeps_its_marks(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    graded = run_fake(CLASS[:1], tmp_path, FakeBench())
    assert graded.vanished == ["bob"]
    assert [(one.id, one.points, one.flags) for one in graded.results] == [
        ("ada", 8.0, ()),
        ("bob", 8.0, ("vanished",)),
    ]
    back = run_fake(CLASS, tmp_path, FakeBench())
    assert back.vanished == [] and [one.flags for one in back.results] == [(), ()]


def test_the_history_says_who_is_gone_and_who_came_back(tmp_path: Path):
    for there in (CLASS, CLASS[:1], CLASS[:1], CLASS):
        graded = run_fake(there, tmp_path, FakeBench())
    assert [change for _, change in graded.history if change.question != "total"] == [
        Change("bob", "submission", "there", "gone", "not among the submissions any more"),
        Change("bob", "submission", "gone", "there", "among the submissions again"),
    ]


def test_the_history_says_who_handed_in_again_for_the_same_marks(tmp_path: Path):
    run_fake(CLASS[:1], tmp_path, FakeBench())
    graded = run_fake([handin("ada", {"hw5_gan.py": b"#"})], tmp_path, FakeBench())
    assert graded.history[-1][1] == Change("ada", "total", "8 of 8", "8 of 8", "handed in again")


def test_who_is_gone_has_the_points_of_today(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    part = plan().parts[0]
    worth = tuple(replace(one, points=2 * one.points) for one in part.questions)
    other = replace(plan(), parts=(replace(part, questions=worth),))
    graded = run_fake(CLASS[:1], tmp_path, FakeBench(), other)
    bob = next(one for one in graded.results if one.id == "bob")
    assert (bob.points, bob.max_points, bob.flags) == (16.0, 16.0, ("vanished",))
    (change,) = (one for one in graded.changed if one.id == "bob")
    assert change.reason == "worth 16 instead of 8"
    assert run_fake(CLASS[:1], tmp_path, FakeBench(), other).changed == []
    back = FakeBench()
    run_fake(CLASS, tmp_path, back, other)
    assert back.tried == []


def test_marks_of_the_same_files_change_only_when_somebody_agrees(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    asked: list[list[Change]] = []

    def refuse(changed: list[Change]) -> bool:
        asked.append(changed)
        return False

    other, bench = plan(seed=8), FakeBench(points={"bob": 2.0})
    graded = run_fake(CLASS, tmp_path, bench, other, refuse)
    change = Change("bob", f"{PART}.DNet", "8 of 8", "2 of 8", "the seed is 8 instead of 7")
    assert asked == [[change]] and graded.changed == [change] and not graded.agreed
    assert [one.points for one in graded.results] == [8.0, 8.0]
    graded = run_fake(CLASS, tmp_path, FakeBench(points={"bob": 2.0}), other)
    assert graded.agreed and [one.points for one in graded.results] == [8.0, 2.0]


def test_a_dry_run_writes_nothing_at_all(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench())
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    new = [handin("ada", {"hw5_gan.py": b"#"}), CLASS[1], handin("eve")]
    graded = run_fake(new, tmp_path, FakeBench(points={"ada": 1.0}), write=False)
    assert [one.id for one in graded.changed] == ["ada"]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_the_history_says_who_had_what_and_why(tmp_path: Path):
    run_fake(CLASS[:1], tmp_path, FakeBench())
    again = handin("ada", {"hw5_gan.py": b"#"})
    graded = run_fake([again], tmp_path, FakeBench(points={"ada": 3.0}))
    assert [change for _, change in graded.history] == [
        Change("ada", "total", "", "8 of 8", "graded for the first time"),
        Change("ada", f"{PART}.DNet", "8 of 8", "3 of 8", "handed in again"),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", when) for when, _ in graded.history)


def test_a_clock_that_was_wrong_does_not_tell_the_history_backwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run_fake(CLASS[:1], tmp_path, FakeBench())
    path = tmp_path / "journal.jsonl"
    path.write_text(re.sub(r'"when": "\d{4}', '"when": "2999', path.read_text()))
    graded = run_fake([handin("ada", {"hw5_gan.py": b"#"})], tmp_path, FakeBench(points={"ada": 3}))
    assert [change.reason for _, change in graded.history] == [
        "graded for the first time",
        "handed in again",
    ]


def test_what_an_attempt_owes_to_a_change_of_ours_is_said(tmp_path: Path):
    run_fake(CLASS[:1], tmp_path, FakeBench())
    again = [handin("ada", {"hw5_gan.py": b"#"})]
    graded = run_fake(again, tmp_path, FakeBench(points={"ada": 3.0}), plan(seed=8))
    (change,) = graded.changed
    assert change.reason == "handed in again; the seed is 8 instead of 7"


def test_the_code_of_an_attempt_is_never_written_over(tmp_path: Path):
    run_fake(CLASS[:1], tmp_path, FakeBench())
    (tmp_path / "journal.jsonl").unlink()
    run_fake([handin("ada", {"hw5_gan.py": b"#"})], tmp_path, FakeBench())
    attempts = tmp_path / "attempts" / "ada"
    assert (attempts / "1" / "hw5_gan.py").read_bytes() == GAN
    assert (attempts / "2" / "hw5_gan.py").read_bytes() == b"#"


def test_without_a_seed_a_resumed_run_takes_the_journals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(command_line, "Bench", lambda plan, bases: FakeBench())
    folder, out = tmp_path / "class", tmp_path / "marks"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "hw5_gan.py").write_bytes(GAN)
    asked = ["grade", str(folder), "--out", str(out), "--jobs", "1"]
    assert command_line.main(asked) == 0
    seed = journaled_seed(out)
    assert command_line.main(asked) == 0
    assert journaled_seed(out) == seed


def test_the_command_line_asks_before_marks_of_the_same_files_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    points = {"ada": 8.0}
    monkeypatch.setattr(command_line, "Bench", lambda plan, bases: FakeBench(points=points))
    folder, out = tmp_path / "class", tmp_path / "marks"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "hw5_gan.py").write_bytes(GAN)
    asked = command(folder, out, jobs=1)[3:]
    assert command_line.main(asked) == 0
    kept, points["ada"] = (out / "marks.csv").read_bytes(), 1.0
    monkeypatch.setattr(batch.basis, "tools", lambda: "others")
    (folder / "bob").mkdir()
    (folder / "bob" / "hw5_gan.py").write_bytes(GAN + b"#")
    capsys.readouterr()
    assert command_line.main([*asked, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "the judge or the sandbox changed" in said
    assert "Submissions: 1 new (bob), 1 looked at again, since something changed." in said
    assert command_line.main(asked) == 2
    said = capsys.readouterr()
    assert "8 of 8" in said.out and "1 of 8" in said.out and "--yes" in said.err
    assert "The 1 that are new or came again got marks by what holds today" in said.err
    ada = kept.splitlines()[1]
    assert ada in (out / "marks.csv").read_bytes().splitlines()
    assert command_line.main([*asked, "--yes"]) == 0
    assert rows((out / "marks.csv").read_bytes())["ada"]["points"] == "1"
    history = (out / "history.csv").read_text().splitlines()
    assert len(history) == 4
    assert history[3].endswith("8 of 8,1 of 8,the judge or the sandbox changed")


def class_of_ada(tmp_path: Path) -> tuple[Path, Path]:
    """The folder of a class of one, and one for its marks."""
    folder = tmp_path / "class"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "hw5_gan.py").write_bytes(GAN)
    return folder, tmp_path / "marks"


def test_a_class_keeps_its_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command_line, "Bench", lambda plan, bases: FakeBench())
    folder, out = class_of_ada(tmp_path)
    asked = command(folder, out, jobs=1)[3:]
    assert command_line.main(asked) == 0 and command_line.main(asked) == 0
    assert command_line.main([*asked[:-1], "8"]) == 2
    assert "begun with the seed 7, and a class keeps its seed" in capsys.readouterr().err


def test_a_dry_run_of_a_class_that_has_no_marks_grades_nobody_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command_line, "Bench", None)
    folder, out = class_of_ada(tmp_path)
    assert command_line.main([*command(folder, out, jobs=1)[3:], "--dry-run"]) == 0
    assert "1 would be graded for the first time" in capsys.readouterr().out
    assert not out.exists()


def test_marks_whose_journal_is_gone_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(command_line, "Bench", lambda plan, bases: FakeBench())
    folder, out = class_of_ada(tmp_path)
    asked = command(folder, out, jobs=1)[3:]
    assert command_line.main(asked) == 0
    journal = (out / "journal.jsonl").rename(tmp_path / "journal.jsonl")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert command_line.main(asked) == 2
    assert "journal.jsonl, which says who had them and why, is gone" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    journal.rename(out / "journal.jsonl")
    assert command_line.main(asked) == 0


# --- one submission after another, with a bench that only plays


class NoZygote:
    """Stands where the worker would be; starts nothing."""

    doctor = Doctor(tuple(PROTECTIONS), (), (), ())

    def open(self, files: object) -> object:
        raise AssertionError("no code of anybody was to run")

    def close(self) -> None:
        pass


class FakeBench:
    """Ends every submission in the states it is told, one a try."""

    forgets = ""

    def __init__(
        self, states: dict[str, list[str]] | None = None, points: dict[str, float] | None = None
    ) -> None:
        self.zygote = NoZygote()
        self.tried: list[str] = []
        self._states = states or {}
        self._points = points or {}

    def recall(self, handin: Handin) -> None:
        """Nothing is known."""

    def grade(self, handin: Handin, first: SubmissionResult | None = None) -> SubmissionResult:
        self.tried.append(handin.id)
        left = self._states.get(handin.id) or [PASS]
        return result(handin.id, left.pop(0), self._points.get(handin.id, 8.0))

    def close(self) -> None:
        pass


def run_fake(
    handins: list[Handin],
    out: Path,
    bench: FakeBench,
    of: Plan | None = None,
    agree: Callable[[list[Change]], bool] = lambda changed: True,
    write: bool = True,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda one: None,
) -> Graded:
    any_bench: Any = bench
    of = of or plan()
    return batch.grade(handins, out, of, jobs, any_bench, progress, agree, BASES(), write)


def test_what_ran_out_of_time_is_tried_once_more_after_all_others(tmp_path: Path):
    bench = FakeBench({"ada": [TIMEOUT, PASS], "cyd": [TIMEOUT, TIMEOUT, PASS]})
    class_ = [handin(name) for name in ("ada", "bob", "cyd", "dee")]
    found = run_fake(class_, tmp_path, bench).results
    assert bench.tried == ["ada", "bob", "cyd", "dee", "ada", "cyd"]
    assert [one.questions[0].state for one in found] == [PASS, PASS, TIMEOUT, PASS]


@pytest.mark.parametrize("how", FINAL)
def test_what_ran_out_of_time_by_its_own_doing_is_not_tried_again(how: str):
    spent = result("ada", TIMEOUT)
    (question,) = spent.questions
    checks = tuple(replace(check, message=how) for check in question.checks)
    assert batch.unsettled(spent)
    assert not batch.unsettled(replace(spent, questions=(replace(question, checks=checks),)))


def test_what_the_system_ended_is_tried_once_more_since_a_neighbour_may_have_taken_the_memory():
    ended = result("ada", MEMORY)
    (question,) = ended.questions
    checks = tuple(replace(check, message=ENDED) for check in question.checks)
    assert batch.unsettled(replace(ended, questions=(replace(question, checks=checks),)))
    assert not batch.unsettled(ended)  # it asked for more than it may


def test_a_first_timeout_is_not_journaled(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench({"ada": [TIMEOUT, PASS]}))
    with Journal(tmp_path, SEED) as journal:
        entries = [one for all_ in journal.entries.values() for one in all_]
    assert sorted(one.result.id for one in entries) == ["ada", "bob"]
    assert all(one.result.questions[0].state == PASS for one in entries)


def test_progress_is_told_once_for_each_submission(tmp_path: Path):
    told: list[str] = []
    bench = FakeBench({"ada": [TIMEOUT, PASS]})
    run_fake(CLASS, tmp_path, bench, progress=told.append)
    assert sorted(told) == ["ada", "bob"]
    told.clear()
    run_fake(CLASS, tmp_path, bench, progress=told.append)
    assert sorted(told) == ["ada", "bob"], "what the journal holds counts as done"


def test_a_submission_that_always_ends_the_grader_gets_zero_and_a_note_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def broken(todo: list[Handin], *_: object) -> Iterator[SubmissionResult]:
        for one in todo:
            if one.id == "bob":
                raise batch.BrokenProcessPool
            yield result(one.id)

    monkeypatch.setattr(batch, "_pooled", broken)
    three = [handin(name) for name in ("ada", "bob", "cyd")]
    found = run_fake(three, tmp_path, FakeBench(), jobs=2).results
    assert [one.id for one in found] == ["ada", "bob", "cyd"]
    assert [one.questions[0].state for one in found] == [PASS, CRASHED, PASS]
    assert "even alone" in found[1].notes[-1]
    assert found[1].points == 0.0


# --- ungradable: our fault alone


def broken_check(hw5_gan: object, ref: object, rng: object) -> None:
    """DNet works."""
    raise ZeroDivisionError("our mistake")


class Answers:
    """Code that answers every request alike, whatever it is asked."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def send(self, seconds: float) -> Callable[[dict[str, Any]], Any]:
        def ask(request: dict[str, Any]) -> Any:
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return ask

    def close(self) -> None:
        pass


class Answering(NoZygote):
    """A worker whose code answers None."""

    def open(self, files: object) -> Answers:
        return Answers({"value": None})


def test_a_broken_check_leaves_a_blank_and_exit_code_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    broken = Check(f"{PART}.DNet.works", f"{PART}.DNet", "hw5_gan", broken_check, 1.0, (), 10.0)
    monkeypatch.setattr(batch, "all_checks", lambda assignment: [broken])
    monkeypatch.setattr(batch, "Zygote", Answering)
    folder, out = class_of_ada(tmp_path)
    assert command_line.main(command(folder, out, jobs=1)[3:]) == 1
    row = rows((out / "marks.csv").read_bytes())["ada"]
    assert (row[f"{PART}.DNet"], row["points"], row["status"]) == ("", "", "ungradable")
    said = capsys.readouterr().err
    assert "by our fault" in said and "ada" in said and "Traceback" not in said
    assert broken.id in said
    found = json.loads((out / "results" / "ada.json").read_text())
    assert found["points"] is None


def test_a_check_that_our_own_solution_fails_costs_nobody_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuses(hw5_gan: Any, ref: Any, rng: Any) -> None:
        raise Fail("Wrong.")

    broken = Check(f"{PART}.DNet.works", f"{PART}.DNet", "hw5_gan", refuses, 1.0, (), 10.0)
    monkeypatch.setattr(batch, "all_checks", lambda assignment: [broken])
    monkeypatch.setattr(batch, "Zygote", Answering)
    bench = batch.Bench(plan(), bases=plan().bases())
    graded = bench.grade(handin("ada"))
    assert not bench.holds(broken) and graded.points is None
    with pytest.raises(batch.BatchError, match="our own solution does not pass"):
        bench.rehearse()


GARBAGE: dict[str, Any] = {
    "None": {"value": None},
    "True": {"value": True},
    "a word": {"value": "pass"},
    "a huge number": {"value": 10**400},
    "NaN": {"value": math.nan},
    "a list": {"value": [None, [], {}]},
    "a dict": {"value": {"value": 1.0, "inputs": [], "objects": []}},
    "half a gradient": {"value": {"value": None, "inputs": [None], "objects": [[]]}},
    "an empty tensor": {"value": torch.empty(0)},
    "a scalar": {"value": torch.tensor(0.0)},
    "whole numbers": {"value": torch.ones(3, 4, dtype=torch.int64)},
    "truths": {"value": torch.ones(5, 1, dtype=torch.bool)},
    "NaNs": {"value": torch.full((4, 784), math.nan)},
    "eight dimensions": {"value": torch.ones(1, 1, 1, 1, 1, 1, 1, 1)},
    "a handle": {"value": Handle(0, "VAE")},
    "a handle that is none": {"value": Handle(-5, "\x1b[31m")},
    "three of a kind": {"value": (torch.ones(2), torch.ones(2), torch.ones(2))},
    "no value": {},
    "no answer": None,
    "an odd error": {"error": {"kind": None, "type": 5, "message": ["x"]}},
    "an error in words": {"error": "pass"},
    "a lost process": Lost(CRASHED, "It is gone."),
}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


@pytest.mark.daily
@pytest.mark.parametrize("answer", GARBAGE)
def test_nothing_a_submission_answers_makes_a_question_ungradable(
    reference: Reference, answer: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(diagnosis, "PAIRS", 3)  # one more pair of mistakes is tried like another
    files = {"hw5_vae.py": b"", "hw5_gan.py": b""}
    questions = judge(
        files,
        ASSIGNMENT.parts,
        all_checks(ASSIGNMENT),
        reference,
        lambda files: Answers(GARBAGE[answer]),
        SEED,
    )
    assert [q.question for q in questions if q.state == UNGRADABLE] == []
    # The divergence of a distribution from itself is zero, whatever is asked.
    right = {"vae-theory.1g"} if answer == "a scalar" else set()
    earned = {q.question: q.points for q in questions if q.points and q.question not in right}
    assert earned == {}, "an answer that is the same whatever is asked earns nothing"
