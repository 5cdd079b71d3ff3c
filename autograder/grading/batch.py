"""Grades many submissions in local processes, and only what is new of them.

Every finished submission is a line in the journal before anything else is written. A run that is
killed at any point goes on where it stopped, and ends with the same marks to the byte. What stands
already is changed only when somebody agrees.
"""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from .. import __version__
from ..assignment import Assignment, Part
from ..checking.reference import Reference
from ..checking.registry import Check
from ..files import named
from ..inside import confine
from ..intake.submissions import Handin, digest
from ..parts import all_checks
from ..results import (
    CRASHED,
    MANUAL,
    PASS,
    SKIPPED,
    TIMEOUT,
    UNGRADABLE,
    VANISHED,
    CheckResult,
    QuestionResult,
    SubmissionResult,
)
from ..sandbox.child import ENDED
from ..sandbox.zygote import PROTECTIONS, SandboxError, Zygote
from . import basis
from .cache import Cache, Codes, Memory
from .changes import Change, changes, history
from .journal import Journal
from .judge import FINAL, SORRY, SUBMISSION_SECONDS, Code, Open, added_up, judge, reference_passes
from .judge import Memory as Remembered

OURS = "our solution"
"""In the place of a student's module, in what is remembered."""
ATTEMPTS = "attempts"


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

    def bases(self) -> dict[str, basis.Basis]:
        """What each check depends on, by its id."""
        return basis.of_checks(self.checks())

    def recorded(self, bases: Mapping[str, basis.Basis]) -> dict[str, Any]:
        """What marks depend on beside the submission, for the journal and for saying why."""
        asked = [(f"{part.id}.{one.id}", one) for part in self.parts for one in part.questions]
        return {
            "seed": self.seed,
            "questions": {name: [one.kind, one.points] for name, one in asked},
            "titles": basis.sha([[name, one.title] for name, one in asked]),
            "checks": {
                check.id: {
                    "share": check.share,
                    "after": list(check.after),
                    **vars(bases[check.id]),
                }
                for check in self.checks()
            },
            "tools": basis.tools(),
            "machine": basis.machine(),
        }


@dataclass(frozen=True)
class Graded:
    """A folder of marks after a run.

    `results` by id, those of vanished submissions too; `changed`: what came out otherwise than it
    stood there before; `new`: who is there for the first time; `again`: who was handed in again;
    `looked_at`: of how many others something was asked again, since what it depends on changed;
    `stood`: of how many nothing; `agreed`: whether what changed now counts; `history`: (when, what
    changed), from the first day on; `damage`: what of the journal cannot be read, as a sentence.
    """

    results: list[SubmissionResult]
    changed: list[Change]
    new: list[str]
    again: list[str]
    looked_at: int
    stood: int
    vanished: list[str]
    agreed: bool
    history: list[tuple[str, Change]]
    damage: str = ""


Grader = Callable[[Sequence[Handin]], Iterator[SubmissionResult]]
"""Brings the results of submissions as they come, in any order."""


class _Unknown(SandboxError):
    """Something has to run."""


def _nothing_runs(files: Mapping[str, bytes]) -> Code:
    raise _Unknown


class Bench:
    """A place where submissions are graded: the reference, the checks and one warm worker."""

    def __init__(
        self,
        plan: Plan,
        zygote: Zygote | None = None,
        patience: float = SUBMISSION_SECONDS,
        bases: Mapping[str, basis.Basis] | None = None,
    ) -> None:
        """`zygote`: a worker that runs already; `patience`: see judge.Run; `bases`: what the checks
        depend on, where their results are to be remembered.
        """
        torch.set_num_threads(1)
        self._plan = plan
        self._patience = patience
        self._checks = plan.checks()
        self._reference = Reference()
        self._bases = bases
        self._holds: dict[str, bool] = {}  # by the id of a check
        self._ours: Memory | None = None
        self._cache = Cache() if bases is not None else None
        if bases is not None:
            basis.tools()  # remembered: now there is time, while the worker comes up
        self.zygote = zygote or Zygote()
        if self._cache is not None:
            self.zygote.codes = Codes(self._cache)
        gc.freeze()  # what is there by now stays, and need not be looked through for garbage
        gc.enable()

    @property
    def forgets(self) -> str:
        """Why nothing is remembered from the last run, or for the next, as a sentence."""
        return self._cache.missing if self._cache is not None else ""

    def holds(self, check: Check) -> bool:
        """Does our own solution pass this check? Nobody loses a mark by one that it does not. What
        it answers is then ready for a student; what has held once is not tried again.
        """
        if check.id not in self._holds:
            ours = self._ours = self._ours or self.memory({})
            known = ours is not None and ours.find(OURS, check.id) is not None
            held = known or reference_passes(check, self._reference, self._plan.seed)
            if ours and held and not known:
                passed = CheckResult(check.id, check.question, PASS, 1.0, check.share, check.title)
                ours.keep(OURS, passed)
            self._holds[check.id] = held
        return self._holds[check.id]

    def rehearse(self) -> None:
        """Raise BatchError where our own solution does not pass a check."""
        broken = [check.id for check in self._checks if not self.holds(check)]
        if broken:
            raise BatchError(f"our own solution does not pass {', '.join(broken)}")

    def grade(self, handin: Handin, first: SubmissionResult | None = None) -> SubmissionResult:
        """Judge one submission; one that came too late, too: whether it counts may still change.

        After a `first` try, only what may change: what ran out of time on the clock there or was
        ended by the system, and what waited for it.
        """
        known = self._fair(handin)
        questions = self.judged(handin.files, _Settled(first, known) if first else known)
        return summed_up(handin, questions, self._plan.seed, self.zygote.doctor.active)

    def _fair(self, handin: Handin) -> _Fair:
        return _Fair(self._checks, self.holds, self.memory(handin.files))

    def recall(self, handin: Handin) -> SubmissionResult | None:
        """The result, where nothing of it has to be tried."""
        try:
            questions = self.judged(handin.files, self._fair(handin), _nothing_runs)
        except _Unknown:
            return None
        return summed_up(handin, questions, self._plan.seed, self.zygote.doctor.active)

    def judged(
        self,
        files: Mapping[str, bytes],
        memory: Remembered | None = None,
        open_code: Open | None = None,
    ) -> tuple[QuestionResult, ...]:
        """How these files end, but for what `memory` knows; run by the worker unless told."""
        return judge(
            files,
            self._plan.parts,
            self._checks,
            self._reference,
            open_code or self.zygote.open,
            self._plan.seed,
            self._patience,
            memory,
        )

    def memory(
        self, files: Mapping[str, bytes], layers: Sequence[str] | None = None
    ) -> Memory | None:
        """What is known of these files where `layers` hold, as they do here unless told."""
        if self._cache is None or self._bases is None:
            return None
        if layers is None:
            layers = self.zygote.doctor.active
        return Memory(self._cache, files, self._bases, self._plan.seed, layers)

    def close(self) -> None:
        """End the warm worker."""
        self.zygote.close()
        if self._cache is not None:
            self._cache.close()


def grade(
    handins: Sequence[Handin],
    out: Path,
    plan: Plan,
    jobs: int,
    bench: Bench,
    progress: Callable[[str], None],
    agree: Callable[[list[Change]], bool],
    bases: Mapping[str, basis.Basis],
    write: bool = True,
    elsewhere: Grader | None = None,
) -> Graded:
    """Grade what is new or changed since OUT's journal was written.

    `bench` is the caller's own, where submissions are graded when `jobs` is 1, and where those
    that ran into a time limit are tried once more, alone. `progress` is told each finished id.
    `elsewhere` grades on other machines, in place of `jobs` processes here (see cluster.grader).
    New submissions and new attempts count at once. Where the same files now get other marks, those
    count if `agree` says so to all that has changed. Without `write` nothing does.
    """
    record = plan.recorded(bases)
    key = basis.sha(record)
    digests = {handin.id: digest(handin) for handin in handins}
    changed: list[Change] = []
    again: list[str] = []
    later: list[SubmissionResult] = []
    with Journal(out, plan.seed, write) as journal:
        todo = {one.id: one for one in handins if not _stands(one, journal, digests[one.id], key)}
        new = sorted(id for id in todo if journal.last(id) is None)
        for id in digests.keys() - todo.keys():
            progress(id)
        coded = [_code_only(handin) for handin in todo.values()]
        grader = elsewhere or (lambda todo: _graded(todo, plan, jobs, bench, bases))
        for result in _steadily(coded, bench, grader):
            before = journal.last(result.id)
            if before is not None:
                old = journal.plans[before.plan]
                changed += changes(before, old, result, digests[result.id], record)
                again += [result.id] if before.files != digests[result.id] else []
            if write and (before is None or before.files != digests[result.id]):
                number = journal.attempts(result.id) + 1
                _keep(out / ATTEMPTS / result.id, number, todo[result.id])
                journal.add(result, digests[result.id], key, record)
            else:
                later.append(result)
            progress(result.id)
        by = {id: (files, key, record) for id, files in digests.items()}
        for result, files, worth, here in _gone(journal, digests, plan.parts, record):
            changed += here
            by[result.id] = files, basis.sha(worth), worth
            later.append(result)
        waiting = {result.id for result in later}
        ours = [change for change in changed if change.id in waiting]
        agreed = write and (not ours or agree(ours))
        for result in later if agreed else ():
            journal.add(result, *by[result.id])
        if write:
            journal.see(digests)
        return Graded(
            [_today(id, journal, digests) for id in sorted(journal.entries)],
            sorted(changed, key=lambda one: (one.id, one.question)),
            new,
            sorted(again),
            len(todo) - len(new) - len(again),
            len(digests) - len(todo),
            sorted(journal.entries.keys() - digests.keys()),
            agreed,
            [*history(journal)],
            journal.damage,
        )


def _stands(handin: Handin, journal: Journal, files: str, plan: str) -> bool:
    """Is what the journal says of a submission what would be found again?"""
    last = journal.last(handin.id)
    return (
        last is not None
        and (last.files, last.plan, last.result.flags) == (files, plan, handin.flags)
        and last.result.notes[: len(handin.notes)] == handin.notes
    )


def _gone(
    journal: Journal,
    handed_in: Mapping[str, str],
    parts: Sequence[Part],
    record: Mapping[str, Any],
) -> Iterator[tuple[SubmissionResult, str, dict[str, Any], list[Change]]]:
    """Who is not there any more and has other marks by the points of today: these, the files they
    are for, the plan of then but for the points, and what changes.
    """
    for id in sorted(journal.entries.keys() - handed_in.keys()):
        before = journal.entries[id][-1]
        old = journal.plans[before.plan]
        worth = {**old, **{name: record[name] for name in ("questions", "titles")}}
        result = _worth_today(before.result, parts)
        if here := changes(before, old, result, before.files, worth):
            yield result, before.files, worth, here


def _worth_today(result: SubmissionResult, parts: Sequence[Part]) -> SubmissionResult:
    """What is not there any more, by the points and titles of today: no check is tried for that."""
    before = {one.question: one for one in result.questions}
    questions = []
    for part in parts:
        for question in part.questions:
            one = before.get(f"{part.id}.{question.id}")
            if one and one.checks:
                questions.append(added_up(part, question, {c.check: c for c in one.checks}))
            elif one:
                questions.append(replace(one, title=question.title, max_points=question.points))
    return replace(result, questions=(*questions,), **_totals(questions))


def _today(id: str, journal: Journal, handed_in: Mapping[str, str]) -> SubmissionResult:
    """What counts of a submission, with how often it came, and whether it is still there."""
    entry = journal.entries[id][-1]
    flags = entry.result.flags if id in handed_in else (*entry.result.flags, VANISHED)
    return replace(entry.result, flags=flags, attempts=journal.attempts(id))


def _keep(attempts: Path, number: int, handin: Handin) -> None:
    """The code of each attempt stays, whatever the next one brings: also that of one which the
    journal does not know, of a run that was killed or since a line of it was damaged.
    """
    files = handin.files
    code = {name: files[name] for name in files if name.endswith(".py") or name == "netid"}
    while (folder := attempts / str(number)).exists():
        if {path.name: path.read_bytes() for path in folder.iterdir()} == code:
            return
        number += 1
    beside = folder.with_suffix(".part")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    beside.mkdir(parents=True)
    for name, data in code.items():
        with named(beside / name):
            (beside / name).write_bytes(data)
    beside.rename(folder)  # all of it is there, or none


def known_ids(out: Path) -> set[str]:
    """The submissions that OUT has attempts of."""
    folder = out / ATTEMPTS
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _steadily(todo: Sequence[Handin], bench: Bench, grader: Grader) -> Iterator[SubmissionResult]:
    """The results as they come, first those that need no trial. A busy machine must not cost a
    mark: what ran out of time runs once more, alone."""
    again: dict[str, SubmissionResult] = {}
    unknown = []
    for handin in todo:
        known = bench.recall(handin)
        if known is None:
            unknown.append(handin)
        else:
            yield known
    for result in grader(unknown):
        if unsettled(result):
            again[result.id] = result
        else:
            yield result
    for handin in todo:
        if handin.id in again:
            yield bench.grade(handin, again[handin.id])


def new_seed() -> int:
    """A batch seed from the system's entropy."""
    return secrets.randbits(40)


def versions() -> dict[str, str]:
    """What marks may depend on beside the files."""
    return {"kit": __version__, **basis.machine()}


def missing(bench: Bench) -> tuple[str, ...]:
    """The protections that do not hold on this machine."""
    return tuple(name for name in PROTECTIONS if name not in bench.zygote.doctor.active)


def _code_only(handin: Handin) -> Handin:
    """Without notebooks and reports, which the judge does not read and processes need not pass."""
    files = {name: handin.files[name] for name in handin.files if name.endswith(".py")}
    return replace(handin, files=files)


def _graded(
    todo: Sequence[Handin],
    plan: Plan,
    jobs: int,
    bench: Bench,
    bases: Mapping[str, basis.Basis],
) -> Iterator[SubmissionResult]:
    if jobs == 1 or len(todo) < 2:
        for handin in todo:
            yield bench.grade(handin)
        return
    left = {handin.id: handin for handin in todo}
    for _ in range(2):
        try:
            for result in _pooled([*left.values()], plan, min(jobs, len(left)), bases):
                left.pop(result.id)
                yield result
            return
        except BrokenProcessPool:
            # One of our own processes died. Nobody may lose a mark by it.
            continue
    for handin in left.values():
        yield alone(handin, plan, bases)


def _pooled(
    todo: Sequence[Handin], plan: Plan, jobs: int, bases: Mapping[str, basis.Basis]
) -> Iterator[SubmissionResult]:
    # Spawned, not forked: this process has run torch, and a fork of it could deadlock.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (plan, bases)) as pool:
        futures = [pool.submit(_grade_here, handin) for handin in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except (KeyboardInterrupt, GeneratorExit):
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def alone(handin: Handin, plan: Plan, bases: Mapping[str, basis.Basis]) -> SubmissionResult:
    """The result of a submission under which graders died, in a process that may die, too."""
    try:
        return next(_pooled([handin], plan, 1, bases))
    except BrokenProcessPool:
        sorry = "Grading this submission ends the grader itself, even alone. A person has to look."
        questions = tuple(replace(q, state=CRASHED) for q in _unasked(plan.parts))
        return summed_up(handin, questions, plan.seed, (), note=sorry)


_bench: list[Bench] = []


def _begin(plan: Plan, bases: Mapping[str, basis.Basis]) -> None:
    """Set up a pool process; it ends when the main process does."""
    confine.die_with_parent()
    _bench.append(Bench(plan, bases=bases))


def _grade_here(handin: Handin) -> SubmissionResult:
    return _bench[0].grade(handin)


def summed_up(
    handin: Handin,
    questions: tuple[QuestionResult, ...],
    seed: int,
    layers: Sequence[str],
    note: str = "",
) -> SubmissionResult:
    """The result of a submission whose questions ended so, where these `layers` held."""
    return SubmissionResult(
        id=handin.id,
        members=handin.members,
        **_totals(questions),
        questions=questions,
        flags=handin.flags,
        notes=(*handin.notes, *([note] if note else [])),
        ignored=handin.ignored,
        submitted=handin.submitted.isoformat() if handin.submitted else "",
        seed=seed,
        layers=tuple(layers),
        versions=versions(),
    )


def _totals(questions: Sequence[QuestionResult]) -> dict[str, Any]:
    """`points` and `max_points` of a submission."""
    marked = [q for q in questions if q.kind in ("code", "bonus")]
    held = any(q.state == UNGRADABLE for q in marked)
    return {
        "points": None if held else round(sum(q.points or 0.0 for q in marked), 4),
        "max_points": sum(q.max_points for q in marked if q.kind == "code"),
    }


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


def unsettled(result: SubmissionResult) -> bool:
    """Did it wait too long, or did the system end it? Another try, alone and on a machine less
    busy, may come out otherwise."""
    return any(_may_change(check) for question in result.questions for check in question.checks)


def _may_change(check: CheckResult) -> bool:
    if check.state == TIMEOUT:
        return not check.message.startswith(FINAL)
    # A neighbour may have taken the memory.
    return check.message == ENDED


class _Fair:
    """What is known, and that a check which our own solution does not pass ends nobody's question.
    A `judge.Memory`; it is asked just before a check is tried.
    """

    def __init__(
        self, checks: Sequence[Check], holds: Callable[[Check], bool], memory: Remembered | None
    ) -> None:
        self._checks = {check.id: check for check in checks}
        self._holds, self._memory = holds, memory

    def find(self, module: str, id: str) -> tuple[str, float, str, str] | None:
        """How the check of this id ended."""
        known = self._memory.find(module, id) if self._memory else None
        if known is None and id in self._checks and not self._holds(self._checks[id]):
            return UNGRADABLE, 0.0, SORRY, ""
        return known

    def said(self, module: str, id: str) -> bytes:
        """What it said in the check of this id."""
        return self._memory.said(module, id) if self._memory else b""

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
        """Remember how it ended."""
        if self._memory:
            self._memory.keep(module, result, said)


class _Settled:
    """What a first try has settled, beside what is known already. A `judge.Memory`."""

    def __init__(self, first: SubmissionResult, memory: Remembered) -> None:
        self._memory = memory
        self._ends = {
            check.check: (check.state, check.fraction, check.message, check.hint)
            for question in first.questions
            for check in question.checks
            if check.state not in (SKIPPED, UNGRADABLE) and not _may_change(check)
        }

    def find(self, module: str, id: str) -> tuple[str, float, str, str] | None:
        """How the check of this id ended."""
        return self._ends.get(id) or self._memory.find(module, id)

    def said(self, module: str, id: str) -> bytes:
        """What it said in the check of this id."""
        return self._memory.said(module, id)

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
        """Remember how it ended in the second try."""
        self._memory.keep(module, result, said)


def default_jobs() -> int:
    """As many processes as cores that we may use, at most 8."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity and sys.platform != "darwin" else os.cpu_count() or 1
    return min(cores, 8)
