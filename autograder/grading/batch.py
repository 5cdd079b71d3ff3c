"""Grades many submissions: journal, resume, local processes.

Every finished submission is a line in OUT/journal.jsonl before anything else is written. A run
that is killed at any point goes on where it stopped, and ends with the same marks to the byte.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TextIO, TypeVar

import torch

from .. import __version__
from ..assignment import DEFAULT_PATH, Assignment, Part
from ..checking.reference import GIVEN, ROOT, SOLUTIONS, Reference
from ..checking.registry import Check
from ..inside import confine
from ..intake.submissions import Handin, digest
from ..parts import all_checks
from ..results import (
    CRASHED,
    MANUAL,
    TIMEOUT,
    UNGRADABLE,
    QuestionResult,
    SubmissionResult,
    from_json,
    to_json,
)
from ..sandbox.zygote import PROTECTIONS, Zygote
from .judge import SUBMISSION_SECONDS, judge, reference_passes

JOURNAL = "journal.jsonl"
REFUSED = "refused"


class BatchError(ValueError):
    """The batch cannot be graded as asked; the sentence says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What a batch grades with: the same for each of its submissions."""

    assignment: Assignment
    parts: tuple[Part, ...]
    seed: int

    def checks(self) -> list[Check]:
        """The hidden checks of the plan's parts."""
        wanted = {full_id for part in self.parts for full_id in part.full_ids()}
        return [check for check in all_checks(self.assignment) if check.question in wanted]


class Bench:
    """A place where submissions are graded: the reference, the checks and one warm worker."""

    def __init__(
        self, plan: Plan, zygote: Zygote | None = None, patience: float = SUBMISSION_SECONDS
    ) -> None:
        """`zygote`: a worker that runs already; `patience`: see judge.Run."""
        torch.set_num_threads(1)
        self._plan = plan
        self._patience = patience
        self._checks = plan.checks()
        self._reference = Reference()
        self.zygote = zygote or Zygote()

    def rehearse(self) -> None:
        """Run every check on the reference itself, whose answers are then ready for a student.

        Raises BatchError naming the checks that it fails: what they say of others is worth nothing.
        """
        broken = [
            check.id
            for check in self._checks
            if not reference_passes(check, self._reference, self._plan.seed)
        ]
        if broken:
            raise BatchError(f"our own solution does not pass {', '.join(broken)}")

    def grade(self, handin: Handin) -> SubmissionResult:
        """Judge one submission."""
        if REFUSED in handin.flags:
            questions = _unasked(self._plan.parts)
        else:
            questions = judge(
                handin.files,
                self._plan.parts,
                self._checks,
                self._reference,
                self.zygote.open,
                self._plan.seed,
                self._patience,
            )
        return _result(handin, questions, self._plan.seed, self.zygote.doctor.active)

    def close(self) -> None:
        """End the warm worker."""
        self.zygote.close()


def grade(
    handins: Sequence[Handin],
    out: Path,
    plan: Plan,
    jobs: int,
    bench: Bench,
    progress: Callable[[str], None],
) -> list[SubmissionResult]:
    """Grade every submission that OUT's journal does not hold yet; brings all results by id.

    `bench` is the caller's own, where submissions are graded when `jobs` is 1, and where those
    that ran into a time limit are tried once more, alone. `progress` is told each finished id.
    """
    with Journal(out, header(handins, plan)) as journal:
        done = dict(journal.results)
        for one in done:
            progress(one)
        todo = [_code_only(handin) for handin in handins if handin.id not in done]
        again: list[Handin] = []
        for result in _graded(todo, plan, jobs, bench):
            if timed_out(result):
                again += [handin for handin in todo if handin.id == result.id]
                continue
            journal.add(result)
            done[result.id] = result
            progress(result.id)
        for handin in again:
            # A busy machine must not cost a mark: what ran out of time runs once more, alone.
            done[handin.id] = bench.grade(handin)
            journal.add(done[handin.id])
            progress(handin.id)
    return [done[one] for one in sorted(done)]


class Journal:
    """OUT/journal.jsonl: a header, then one line for each finished submission."""

    def __init__(self, out: Path, header: dict[str, Any]) -> None:
        """Open or begin it. Raises BatchError when it belongs to another batch."""
        self._path = out / JOURNAL
        self._header = header
        self.results: dict[str, SubmissionResult] = {}
        out.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(out)
        lines = self._lines()
        if lines:
            self._compare(_parsed(self._path, 1, lines[0], lambda text: dict(json.loads(text))))
            for number, line in enumerate(lines[1:], 2):
                result = _parsed(self._path, number, line, from_json)
                self.results[result.id] = result
        self._file = self._begin(lines)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.close(self._lock)

    def add(self, result: SubmissionResult) -> None:
        """Write one line, and see that it is on the disk."""
        self._file.write(_one_line(to_json(result)))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _lines(self) -> list[bytes]:
        """The whole lines; a line that was being written when the run was killed is dropped."""
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        return data[: data.rfind(b"\n") + 1].splitlines()

    def _begin(self, lines: Sequence[bytes]) -> TextIO:
        """Leave just the whole lines, the header first, and go on behind them."""
        lines = lines or [json.dumps(self._header, sort_keys=True).encode()]
        fresh = self._path.with_suffix(".part")
        with fresh.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        return self._path.open("a", encoding="utf-8")

    def _compare(self, before: dict[str, Any]) -> None:
        for name, now in self._header.items():
            if before.get(name) != now:
                raise BatchError(
                    f"{self._path} was begun with another {name}. To go on, bring back what was "
                    f"there; to grade anew, give a new --out."
                )


def _locked(out: Path) -> int:
    """A descriptor that holds OUT until it is closed or we die. Raises BatchError when another
    run holds it.
    """
    lock = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BatchError(
            f"another run is grading into {out}. Wait for it, or give a new --out."
        ) from None
    return lock


def header(handins: Sequence[Handin], plan: Plan) -> dict[str, Any]:
    """Everything that must stay the same for a run to be continued."""
    return {
        "seed": plan.seed,
        "assignment": _sha(DEFAULT_PATH.read_bytes()),
        "parts": [part.id for part in plan.parts],
        "checks": _sha(*(path.read_bytes() for path in _sources())),
        "versions": versions(),
        "files": {handin.id: digest(handin) for handin in handins},
    }


def journaled_seed(out: Path) -> int | None:
    """The seed with which OUT's journal was begun; None when there is none."""
    path = out / JOURNAL
    try:
        with path.open("rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return None
    return _parsed(path, 1, line, lambda text: int(json.loads(text)["seed"]))


Parsed = TypeVar("Parsed")


def _parsed(path: Path, number: int, line: bytes, parse: Callable[[str], Parsed]) -> Parsed:
    """A line of a journal. Raises BatchError when it is not what was once written there."""
    try:
        return parse(line.decode())
    except (ValueError, LookupError, TypeError):
        raise BatchError(
            f"{path} is damaged in line {number}. Give a new --out, or remove the file to grade "
            "everything anew."
        ) from None


def new_seed() -> int:
    """A batch seed from the system's entropy."""
    return secrets.randbits(40)


def versions() -> dict[str, str]:
    """What marks may depend on beside the files: kit, Python, torch, CPU kernels."""
    return {
        "kit": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cpu": str(torch.backends.cpu.get_cpu_capability()),
    }


def missing(bench: Bench) -> tuple[str, ...]:
    """The protections that do not hold on this machine."""
    return tuple(name for name in PROTECTIONS if name not in bench.zygote.doctor.active)


def _code_only(handin: Handin) -> Handin:
    """Without notebooks and reports, which the judge does not read and processes need not pass."""
    files = {name: data for name, data in handin.files.items() if name.endswith(".py")}
    return replace(handin, files=files)


def _graded(
    todo: Sequence[Handin], plan: Plan, jobs: int, bench: Bench
) -> Iterator[SubmissionResult]:
    if jobs == 1 or len(todo) < 2:
        for handin in todo:
            yield bench.grade(handin)
        return
    left = {handin.id: handin for handin in todo}
    for _ in range(2):
        try:
            for result in _pooled([*left.values()], plan, min(jobs, len(left))):
                left.pop(result.id)
                yield result
            return
        except BrokenProcessPool:
            # One of our own processes died. Nobody may lose a mark by it.
            continue
    for handin in left.values():
        yield _alone(handin, plan)


def _pooled(todo: Sequence[Handin], plan: Plan, jobs: int) -> Iterator[SubmissionResult]:
    # Spawned, not forked: this process has run torch, and a fork of it could deadlock.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (plan,)) as pool:
        futures = [pool.submit(_grade_here, handin) for handin in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _alone(handin: Handin, plan: Plan) -> SubmissionResult:
    try:
        return next(_pooled([handin], plan, 1))
    except BrokenProcessPool:
        sorry = "Grading this submission ends the grader itself, even alone. A person has to look."
        questions = tuple(replace(q, state=CRASHED) for q in _unasked(plan.parts))
        return _result(handin, questions, plan.seed, (), note=sorry)


_bench: list[Bench] = []


def _begin(plan: Plan) -> None:
    """Set up a pool process; it ends when the main process does."""
    confine.die_with_parent()
    _bench.append(Bench(plan))


def _grade_here(handin: Handin) -> SubmissionResult:
    return _bench[0].grade(handin)


def _result(
    handin: Handin,
    questions: tuple[QuestionResult, ...],
    seed: int,
    layers: Sequence[str],
    note: str = "",
) -> SubmissionResult:
    marked = [q for q in questions if q.kind in ("code", "bonus")]
    open_mark = any(q.state == UNGRADABLE for q in marked)
    points = None if open_mark else round(sum(q.points or 0.0 for q in marked), 4)
    return SubmissionResult(
        id=handin.id,
        members=handin.members,
        points=points,
        max_points=sum(q.max_points for q in marked if q.kind == "code"),
        questions=questions,
        flags=handin.flags,
        notes=(*handin.notes, *([note] if note else [])),
        ignored=handin.ignored,
        submitted=handin.submitted.isoformat() if handin.submitted else "",
        seed=seed,
        layers=tuple(layers),
        versions=versions(),
    )


def _unasked(parts: Sequence[Part]) -> tuple[QuestionResult, ...]:
    """Zero for every question of a submission that is not run."""
    return tuple(
        QuestionResult(
            f"{part.id}.{q.id}",
            q.title,
            q.kind,
            MANUAL if q.kind == "manual" else "skipped",
            None if q.kind == "manual" else 0.0,
            q.points,
        )
        for part in parts
        for q in part.questions
    )


def timed_out(result: SubmissionResult) -> bool:
    return any(c.state == TIMEOUT for q in result.questions for c in q.checks)


def _sources() -> list[Path]:
    """The files whose change may change a mark."""
    package = DEFAULT_PATH.parent
    wings = ("checking", "grading", "inside", "intake", "parts", "sandbox")
    files = [*package.glob("*.py"), *(p for wing in wings for p in (package / wing).rglob("*.py"))]
    return sorted(files) + [ROOT / f"{name}.py" for name in (*GIVEN, *SOLUTIONS)]


def _sha(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()


def _one_line(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True) + "\n"


def default_jobs() -> int:
    """As many processes as cores that we may use, at most 8."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity and sys.platform != "darwin" else os.cpu_count() or 1
    return min(cores, 8)
