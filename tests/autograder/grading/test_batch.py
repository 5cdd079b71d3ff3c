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
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder import __main__ as command_line
from autograder.assignment import Assignment, read_assignment
from autograder.checking.proxy import Lost
from autograder.checking.reference import Reference
from autograder.checking.registry import Check
from autograder.grading import batch
from autograder.grading.batch import BatchError, Bench, Journal, Plan
from autograder.grading.judge import graded_parts, judge
from autograder.inside.wire import Handle
from autograder.intake.submissions import Handin
from autograder.parts import all_checks
from autograder.results import (
    CRASHED,
    PASS,
    TIMEOUT,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
    from_json,
)
from autograder.sandbox.zygote import PROTECTIONS, Doctor
from tests.processes import adopt_orphans, left_running

SAMPLES = Path(__file__).resolve().parents[2] / "submissions"
RIGHT = ("right-by-hand", "right-functional", "right-sequential")
OTHERS = ("broken-missing-file", "hostile-exit", "wrong-unfinished")
PART, SEED = "conv-gan", 7
ASSIGNMENT = read_assignment()
PARTS = graded_parts(ASSIGNMENT, [PART])
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
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(submissions: Path, out: Path, jobs: int = 2, seed: int = SEED) -> bytes:
    """Grade to the end; brings marks.csv."""
    ran = subprocess.run(
        command(submissions, out, jobs, seed),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return (out / "marks.csv").read_bytes()


def graded_so_far(out: Path) -> int:
    """Whole lines of the journal, its header left out."""
    journal = out / batch.JOURNAL
    return max(journal.read_bytes().count(b"\n") - 1, 0) if journal.exists() else 0


def wait_for(lines: int, out: Path, running: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 120
    while graded_so_far(out) < lines and running.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)


def rows(marks: bytes) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in csv.DictReader(marks.decode().splitlines())}


@pytest.fixture(scope="module")
def undisturbed(submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "marks"
    run(submissions, out, jobs=1)
    return out


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
    marks, journal = (undisturbed / "marks.csv").read_bytes(), (undisturbed / batch.JOURNAL)
    lines = journal.read_bytes()
    (undisturbed / "marks.csv").unlink()
    monkeypatch.setattr(batch, "Zygote", NoZygote)
    assert command_line.main(command(submissions, undisturbed)[3:]) == 0
    assert (undisturbed / "marks.csv").read_bytes() == marks
    assert journal.read_bytes() == lines


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_pool_process_killed_in_mid_run_loses_nothing(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    out = tmp_path / "marks"
    running = start(submissions, out)
    wait_for(1, out, running)
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


def test_two_seeds_give_right_submissions_the_same_marks(
    submissions: Path, undisturbed: Path, tmp_path: Path
):
    mine = rows((undisturbed / "marks.csv").read_bytes())
    other = rows(run(submissions, tmp_path / "marks", jobs=1, seed=SEED + 1))
    for name in RIGHT:
        assert mine[name] == other[name]
        assert mine[name]["points"] == "30"


def test_marks_csv_holds_no_time_no_process_and_no_layer(undisturbed: Path):
    marks = (undisturbed / "marks.csv").read_bytes()
    questions = [f"{PART}.{q.id}" for q in PARTS[0].questions if q.kind == "code"]
    before, after = ["id", "members", "flags"], ["points", "max_points", "status"]
    assert list(next(iter(rows(marks).values()))) == [*before, *questions, *after]
    for name, row in rows(marks).items():
        numbers = [row[column] for column in (*questions, "points", "max_points")]
        assert all(math.isfinite(float(number)) for number in numbers), name
        assert row["status"] == "ok"
        assert row["id"] == row["members"] == name
        assert row["flags"] == ""


def test_results_record_layers_seed_and_versions(undisturbed: Path):
    for path in (undisturbed / "results").iterdir():
        result = from_json(path.read_text(encoding="utf-8"))
        assert result.seed == SEED
        assert set(result.layers) <= set(PROTECTIONS) and result.layers
        assert result.versions == batch.versions()
        assert result.versions["torch"] == torch.__version__


# --- the journal


def plan(assignment: Assignment = ASSIGNMENT, seed: int = SEED) -> Plan:
    return Plan(assignment, graded_parts(assignment, [PART]), seed)


def handin(name: str, files: dict[str, bytes] | None = None, **more: Any) -> Handin:
    return Handin(id=name, members=(name,), files=files or {"hw5_gan.py": GAN}, **more)


def result(name: str, state: str = PASS) -> SubmissionResult:
    check = CheckResult(f"{PART}.DNet.works", f"{PART}.DNet", state, 1.0, 1.0, "It works.")
    question = QuestionResult(f"{PART}.DNet", "Discriminator", "code", state, 8.0, 8.0, (check,))
    return SubmissionResult(name, (name,), 8.0, 8.0, (question,), seed=SEED)


CLASS = [handin("ada"), handin("bob")]


def begun(out: Path) -> Path:
    """A journal that holds ada's result."""
    with Journal(out, batch.header(CLASS, plan())) as journal:
        journal.add(result("ada"))
    return out / batch.JOURNAL


@pytest.mark.parametrize("cut", [1, 2, 40, -1])
def test_a_torn_last_line_is_dropped_and_graded_again(tmp_path: Path, cut: int):
    path = begun(tmp_path)
    whole = path.read_bytes()
    with Journal(tmp_path, batch.header(CLASS, plan())) as journal:
        journal.add(result("bob"))
    torn = path.read_bytes()[: len(whole) + cut] if cut > 0 else path.read_bytes()[:cut]
    path.write_bytes(torn)
    with Journal(tmp_path, batch.header(CLASS, plan())) as journal:
        assert journal.results == {"ada": result("ada")}
        assert path.read_bytes() == whole


def test_a_journal_torn_in_its_header_begins_anew(tmp_path: Path):
    path = begun(tmp_path)
    header = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(header[:50])
    with Journal(tmp_path, batch.header(CLASS, plan())) as journal:
        assert journal.results == {}
    assert path.read_bytes() == header


def test_two_runs_at_once_on_one_folder_are_refused(tmp_path: Path):
    with Journal(tmp_path, {"seed": 1}), pytest.raises(BatchError, match="another run is grading"):
        Journal(tmp_path, {"seed": 1})
    Journal(tmp_path, {"seed": 1}).__exit__()


def test_a_line_is_on_the_disk_before_the_next_submission_begins(tmp_path: Path):
    seen = []

    class Watching(FakeBench):
        def grade(self, handin: Handin) -> SubmissionResult:
            seen.append(graded_so_far(tmp_path))
            return super().grade(handin)

    run_fake(CLASS, tmp_path, Watching())
    assert seen == [0, 1]


OTHER_ASSIGNMENT = b"# another\n"
DIFFERENT: dict[str, Callable[[pytest.MonkeyPatch], dict[str, Any]]] = {
    "seed": lambda _: batch.header(CLASS, plan(seed=8)),
    "files": lambda _: batch.header([handin("ada", {"hw5_gan.py": b"#"}), CLASS[1]], plan()),
    "parts": lambda _: batch.header(CLASS, replace(plan(), parts=ASSIGNMENT.parts)),
    "assignment": lambda patch: (
        patch.setattr(batch, "DEFAULT_PATH", Path(__file__)) or batch.header(CLASS, plan())
    ),
    "checks": lambda patch: (
        patch.setattr(batch, "_sources", lambda: [Path(__file__)]) or batch.header(CLASS, plan())
    ),
    "versions": lambda patch: (
        patch.setattr(torch, "__version__", "0.4.1") or batch.header(CLASS, plan())
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_resume_refuses_when_something_differs_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
):
    path = begun(tmp_path)
    before = path.read_bytes()
    with pytest.raises(BatchError) as caught:
        Journal(tmp_path, DIFFERENT[what](monkeypatch))
    sentence = str(caught.value)
    assert str(path) in sentence and f"another {what}" in sentence and "--out" in sentence
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [batch.JOURNAL]


def test_a_submission_more_or_fewer_is_another_batch(tmp_path: Path):
    begun(tmp_path)
    with pytest.raises(BatchError, match="another files"):
        Journal(tmp_path, batch.header([*CLASS, handin("eve")], plan()))


@pytest.mark.parametrize("argument", ["--seed", "files"])
def test_the_command_line_refuses_to_go_on_with_something_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argument: str,
):
    monkeypatch.setattr(command_line, "Bench", lambda plan: FakeBench())
    folder, out = tmp_path / "class", tmp_path / "marks"
    for name in ("ada", "bob"):
        (folder / name).mkdir(parents=True)
        (folder / name / "hw5_gan.py").write_bytes(GAN)
    asked = command(folder, out, jobs=1)[3:]
    assert command_line.main(asked) == 0
    kept = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    if argument == "files":
        (folder / "ada" / "hw5_gan.py").write_bytes(GAN + b"# once more\n")
    else:
        asked[-1] = "8"
    assert command_line.main(asked) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("autograder: ")
    assert "another" in said
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == kept


def test_without_a_seed_a_resumed_run_takes_the_journals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(command_line, "Bench", lambda plan: FakeBench())
    folder, out = tmp_path / "class", tmp_path / "marks"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "hw5_gan.py").write_bytes(GAN)
    asked = ["grade", str(folder), "--out", str(out), "--jobs", "1"]
    assert command_line.main(asked) == 0
    seed = batch.journaled_seed(out)
    assert command_line.main(asked) == 0
    assert batch.journaled_seed(out) == seed


@pytest.mark.parametrize(
    "damage",
    [b"\xff\xfe\x00 not text\n", b"[1, 2]\n", b"{}\n", b"not JSON\n"],
    ids=["bytes", "list", "empty", "words"],
)
@pytest.mark.parametrize("line", [0, 1])
def test_a_damaged_journal_is_a_sentence_not_a_traceback(tmp_path: Path, damage: bytes, line: int):
    path = begun(tmp_path)
    with Journal(tmp_path, batch.header(CLASS, plan())) as journal:
        journal.add(result("bob"))
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = damage
    path.write_bytes(b"".join(lines))
    with pytest.raises(BatchError) as caught:
        Journal(tmp_path, batch.header(CLASS, plan()))
    assert str(path) in str(caught.value) and "--out" in str(caught.value)
    assert path.read_bytes() == b"".join(lines), "it may hold marks: it stays as it is"


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

    def __init__(self, states: dict[str, list[str]] | None = None) -> None:
        self.zygote = NoZygote()
        self.tried: list[str] = []
        self._states = states or {}

    def grade(self, handin: Handin) -> SubmissionResult:
        self.tried.append(handin.id)
        left = self._states.get(handin.id) or [PASS]
        return result(handin.id, left.pop(0))

    def close(self) -> None:
        pass


def run_fake(handins: list[Handin], out: Path, bench: FakeBench) -> list[SubmissionResult]:
    return batch.grade(handins, out, plan(), 1, bench, lambda one: None)  # type: ignore[arg-type]


def test_what_ran_out_of_time_is_tried_once_more_after_all_others(tmp_path: Path):
    bench = FakeBench({"ada": [TIMEOUT, PASS], "cyd": [TIMEOUT, TIMEOUT, PASS]})
    found = run_fake([handin(name) for name in ("ada", "bob", "cyd", "dee")], tmp_path, bench)
    assert bench.tried == ["ada", "bob", "cyd", "dee", "ada", "cyd"]
    assert [one.questions[0].state for one in found] == [PASS, PASS, TIMEOUT, PASS]


def test_a_first_timeout_is_not_journaled(tmp_path: Path):
    run_fake(CLASS, tmp_path, FakeBench({"ada": [TIMEOUT, PASS]}))
    lines = (tmp_path / batch.JOURNAL).read_text().splitlines()[1:]
    assert sorted(from_json(line).id for line in lines) == ["ada", "bob"]
    assert all(from_json(line).questions[0].state == PASS for line in lines)


def test_progress_is_told_once_for_each_submission(tmp_path: Path):
    told: list[str] = []
    bench: Any = FakeBench({"ada": [TIMEOUT, PASS]})
    batch.grade(CLASS, tmp_path, plan(), 1, bench, told.append)
    assert sorted(told) == ["ada", "bob"]
    told.clear()
    batch.grade(CLASS, tmp_path, plan(), 1, bench, told.append)
    assert sorted(told) == ["ada", "bob"], "what the journal holds counts as done"


@pytest.fixture
def bench_without_worker(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(batch, "Zygote", NoZygote)
    return Bench(plan())


def test_a_refused_submission_is_not_run_gets_zero_and_the_note(bench_without_worker: Bench):
    late = handin("ada", flags=("refused",), notes=("It was handed in too late.",))
    found = bench_without_worker.grade(late)
    assert found.notes == ("It was handed in too late.",)
    assert found.flags == ("refused",)
    assert found.points == 0.0
    for question in found.questions:
        assert question.checks == ()
        assert question.points == (None if question.kind == "manual" else 0.0)


def test_a_submission_that_always_ends_the_grader_gets_zero_and_a_note_and_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def broken(todo: list[Handin], plan: Plan, jobs: int) -> Iterator[SubmissionResult]:
        for one in todo:
            if one.id == "bob":
                raise batch.BrokenProcessPool
            yield result(one.id)

    monkeypatch.setattr(batch, "_pooled", broken)
    three = [handin(name) for name in ("ada", "bob", "cyd")]
    bench: Any = FakeBench()
    found = batch.grade(three, tmp_path, plan(), 2, bench, lambda one: None)
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
    folder, out = tmp_path / "class", tmp_path / "marks"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "hw5_gan.py").write_bytes(GAN)
    assert command_line.main(command(folder, out, jobs=1)[3:]) == 1
    row = rows((out / "marks.csv").read_bytes())["ada"]
    assert (row[f"{PART}.DNet"], row["points"], row["status"]) == ("", "", "ungradable")
    said = capsys.readouterr().err
    assert "by our fault" in said and "ada" in said and "Traceback" not in said
    found = json.loads((out / "results" / "ada.json").read_text())
    assert found["points"] is None


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


@pytest.mark.parametrize("answer", GARBAGE)
def test_nothing_a_submission_answers_makes_a_question_ungradable(
    reference: Reference, answer: str
):
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
