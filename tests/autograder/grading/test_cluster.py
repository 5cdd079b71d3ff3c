"""Many machines: the same marks to the byte, whoever dies, is slow, comes late or does not fit."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from autograder import __main__ as command_line
from autograder.assignment import read_assignment
from autograder.export import marks_csv, results_json
from autograder.grading import batch, cluster
from autograder.grading.batch import BatchError, Bench, Graded, Plan
from autograder.grading.cluster import Desk, Place, differences
from autograder.grading.judge import graded_parts
from autograder.grading.remote_bench import Report
from autograder.intake.submissions import read_submission
from autograder.results import to_json
from autograder.sandbox.zygote import PROTECTIONS, SandboxError, Zygote

SAMPLES = Path(__file__).resolve().parents[2] / "submissions"
ASSIGNMENT = read_assignment()
PLAN = Plan(ASSIGNMENT, graded_parts(ASSIGNMENT, ["vae-theory"]), 7)


# --- a real scheduler and real workers


def started(*command: str) -> subprocess.Popen[str]:
    """A command of Dask's, as a person gives it."""
    run = [sys.executable, "-m", "dask", *command]
    return subprocess.Popen(run, stderr=subprocess.PIPE, text=True)


def worker(scheduler: str) -> subprocess.Popen[str]:
    return started("worker", scheduler, "--nthreads", "1", "--no-nanny", "--no-dashboard")


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of one that ends after some minutes: a test that waits in vain then fails."""
    monkeypatch.setattr(cluster, "RETURN_SECONDS", 5.0)
    running = started("scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
    timer = threading.Timer(600.0, running.kill)
    timer.start()
    assert running.stderr
    said = next(line for line in running.stderr if "Scheduler at:" in line)
    yield said.split()[-1]
    timer.cancel()
    running.kill()
    running.communicate()


def marks(graded: Graded, out: Path) -> bytes:
    marks_csv.write(graded.results, ASSIGNMENT, out / "marks.csv")
    results_json.write(graded.results, out)
    return (out / "marks.csv").read_bytes()


@pytest.mark.daily("batch")
def test_a_worker_that_is_killed_and_one_that_comes_late_give_the_same_marks_to_the_byte(
    scheduler: str, layered: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    names = ("right-whole-notebook", "wrong-whole-half", "wrong-whole-scales", "hostile-exit")
    handins = [read_submission(SAMPLES / name, ASSIGNMENT, PLAN.parts) for name in names]
    bases = PLAN.bases()

    def run(out: Path, progress: Callable[[str], None], place: Place | None) -> Graded:
        monkeypatch.setenv("HW5_CACHE", str(out.with_suffix(".sqlite")))
        bench = Bench(PLAN, layered, bases=bases)
        there = place and cluster.grader(place, PLAN, bases, bench, True, said.append)
        return batch.grade(
            handins, out, PLAN, 1, bench, progress, lambda _: True, bases, elsewhere=there
        )

    said: list[str] = []
    workers = [worker(scheduler)]

    def kill_the_first(_: str) -> None:
        if len(workers) == 1:
            os.kill(workers[0].pid, signal.SIGKILL)
            workers.append(worker(scheduler))

    try:
        there = run(tmp_path / "there", kill_the_first, Place(scheduler))
    finally:
        for one in workers:
            one.kill()
            one.communicate()
    assert len(workers) == 2
    here = run(tmp_path / "here", lambda _: None, None)
    assert [*map(to_json, there.results)] == [*map(to_json, here.results)]
    assert marks(there, tmp_path / "there") == marks(here, tmp_path / "here")
    # What they found out is known here from now on, and asks nobody.
    monkeypatch.setenv("HW5_CACHE", str(tmp_path / "there.sqlite"))
    bench = Bench(PLAN, layered, bases=bases)
    assert all(bench.recall(handin) for handin in handins if handin.id != "hostile-exit")


# --- who gets what, with workers that only play


class Future:
    """What a worker will have done."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        self.status = "pending" if outcome is None else "finished"

    def add_done_callback(self, told: Callable[[Future], None]) -> None:
        if self.outcome is not None:
            told(self)

    def result(self, timeout: float) -> bytes:
        return pickle.dumps(self.outcome)

    def cancel(self) -> None:
        self.status = "cancelled"


Acts = Callable[[str], Any]
"""What a worker does with files of that key; None: it never answers."""


class Client:
    """A scheduler with these workers; `happens` before each look at who is there."""

    status = "running"

    def __init__(self, workers: dict[str, Acts], reports: dict[str, Any] | None = None) -> None:
        self.workers = workers
        self.tried: list[tuple[str, str]] = []
        self.happens: Callable[[], None] = lambda: None
        self._reports = reports or {}

    def nthreads(self) -> dict[str, int]:
        self.happens()
        return dict.fromkeys(self.workers, 1)

    def submit(
        self, function: Any, key: str, data: bytes, workers: list[str], pure: bool
    ) -> Future:
        (address,) = workers
        if function is cluster.remote_bench.prepare:
            return Future(self._reports.get(address, report()))
        files = pickle.loads(data)
        self.tried.append((address, files))
        return Future(self.workers[address](files))


def report(**more: Any) -> Report:
    return Report(**{"host": "node", "layers": tuple(PROTECTIONS), "record": RECORD, **more})


RECORD: dict[str, Any] = {"machine": {"torch": "2.13"}, "tools": "t", "checks": {"a.b.c": {}}}


class Task:
    """Asks for files by their key."""

    plan, key, record = b"", "plan", RECORD

    def __init__(self) -> None:
        self.learned: list[str] = []

    def question(self, files: Any, layers: Any) -> bytes:
        return pickle.dumps(files["key"].decode())

    def learn(self, files: Any, layers: Any, found: Any) -> None:
        self.learned += found


def right(key: str) -> Any:
    return (key.upper(),), [f"learned {key}"]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(cluster, "TICK", 0.0)
    return []


def desk(said: list[str], keys: str = "abcd", strict: bool = False) -> Desk:
    task: Any = Task()
    return Desk({key: {"key": key.encode()} for key in keys}, task, strict, said.append)


def test_every_submission_is_given_out_once_and_what_is_found_out_is_learned(said: list[str]):
    asked, client = desk(said), Client({"one": right, "two": right})
    found = [key for key, *_ in asked.judged(client)]
    assert sorted(found) == [*"abcd"] and len(client.tried) == 4
    assert {address for address, _ in client.tried} == {"one", "two"}
    assert sorted(asked._task.learned) == [f"learned {key}" for key in "abcd"]
    assert not asked.left() and said == []


def test_a_worker_that_vanishes_leaves_its_submissions_to_another(said: list[str]):
    client = Client({"one": lambda key: None})

    def replaced() -> None:
        if client.tried:
            client.workers = {"two": right}

    client.happens = replaced
    found = [key for key, *_ in desk(said).judged(client)]
    assert sorted(found) == [*"abcd"]
    assert client.tried[:2] == [("one", "a"), ("one", "b")] and len(client.tried) == 6


def test_a_submission_under_which_two_benches_died_is_left_for_this_machine(said: list[str]):
    def dies(key: str) -> Any:
        return cluster.BenchGone("dead") if key == "b" else right(key)

    asked = desk(said)
    found = [key for key, *_ in asked.judged(Client({"one": dies, "two": dies}))]
    assert sorted(found) == [*"acd"] and asked.stubborn == ["b"] and not asked.left()


def test_what_a_slow_worker_holds_is_given_to_an_idle_one_too_and_counts_once(
    said: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cluster, "SLOW_SECONDS", 0.0)
    client = Client({"slow": lambda key: None, "fast": right})
    assert sorted(key for key, *_ in desk(said).judged(client)) == [*"abcd"]
    assert ("slow", "a") in client.tried and ("fast", "a") in client.tried


def test_a_scheduler_that_forgets_is_told_what_is_not_graded_yet(said: list[str]):
    asked = desk(said)
    client = Client({"one": lambda key: right(key) if key == "a" else None})

    def lost() -> None:
        if client.tried:
            client.status = "connecting"

    client.happens = lost
    with pytest.raises(CancelledError):
        list(asked.judged(client))
    again = Client({"two": right})
    assert [key for key, *_ in asked.judged(again)] == [*"bcd"]
    assert [key for _, key in again.tried] == [*"bcd"]


OTHER = {**RECORD, "machine": {"torch": "2.12"}}
UNFIT: dict[str, tuple[Any, str]] = {
    "another torch": (report(record=OTHER), "torch is 2.12 there and 2.13 here"),
    "another kit": (report(record={**RECORD, "tools": "u"}), "judge or sandbox is another version"),
    "other checks": (report(record={**RECORD, "checks": {}}), "(a.b.c, 1 in all)"),
    "a network": (report(layers=()), "talk to the scheduler"),
    "no sandbox": (SandboxError("Grading needs Linux."), "Grading needs Linux."),
}


@pytest.mark.parametrize("why", UNFIT)
def test_a_worker_that_would_grade_otherwise_is_left_out_by_name(said: list[str], why: str):
    answer, sentence = UNFIT[why]
    client = Client({"odd": right, "good": right}, {"odd": answer})
    assert sorted(key for key, *_ in desk(said).judged(client)) == [*"abcd"]
    assert {address for address, _ in client.tried} == {"good"}
    assert "odd" in said[0] and sentence in said[0]
    with pytest.raises(BatchError, match="no worker can grade"):
        list(desk(said).judged(Client({"odd": right}, {"odd": answer})))


def test_strict_holds_there_too(said: list[str]):
    fewer = report(layers=tuple(name for name in PROTECTIONS if name != "disk bounded"))
    client = Client({"bare": right}, {"bare": fewer})
    assert len(list(desk(said).judged(client))) == 4
    assert said == ["node (bare) grades without: disk bounded."]
    with pytest.raises(BatchError, match="disk bounded"):
        list(desk(said, strict=True).judged(client))


def test_the_same_record_differs_in_nothing():
    record = PLAN.recorded(PLAN.bases())
    assert list(differences(record, record)) == []


# --- what a person reads who has not started what it needs


def test_a_package_that_is_missing_is_named_with_the_line_that_installs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    asked = ["grade", str(SAMPLES), "--out", str(tmp_path / "marks"), "--cluster", "slurm"]
    assert command_line.main(asked) == 2
    assert "pip install distributed dask-jobqueue" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.2)
    with pytest.raises(BatchError, match=r"no scheduler .* tcp://127\.0\.0\.1:9 .*Start it"):
        list(cluster._connected(Place("tcp://127.0.0.1:9"), desk([]), print))
