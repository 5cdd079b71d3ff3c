"""Grades submissions on other machines: hands them out to the workers of a Dask cluster.

Dask reaches the machines and says who is there; who gets what is decided here. A submission goes
to one worker, and to another when that one dies, or is slow while nothing else is left to do.
Journal and cache stay on this machine: a worker is told what is known of a submission, and says
what it has found out. Equal files travel once, whoever handed them in.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import pickle
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any

from ..intake.submissions import Handin
from ..results import QuestionResult, SubmissionResult
from ..sandbox.zygote import PROTECTIONS, SandboxError
from . import basis, remote_bench
from .batch import BatchError, Bench, Grader, Plan, alone, summed_up
from .judge import import_id
from .remote_bench import BenchGone, Report

PACKAGES = {"slurm": "dask-jobqueue", "kubernetes": "dask-kubernetes"}
"""The kinds of cluster on which workers are started, and what starts them."""

ANSWER_SECONDS = 30.0
"""How long a scheduler may take to answer for the first time."""
RETURN_SECONDS = 300.0
"""How long one that went away may take to come back."""
SLOW_SECONDS = 60.0
"""What a worker has held for longer is given to an idle one, too; the first answer counts."""
TICK = 1.0
AHEAD = 2
"""Submissions that a worker holds: the one that it judges, and the next."""
STRIKES = 2
"""So many benches may die under a submission; then it is graded here, in a process of its own."""
MEMORY = "4GB"
"""What a Slurm job asks for, unless jobqueue.yaml says otherwise."""

REQUIRED = "no network"
WHY_REQUIRED = "a student's code could talk to the scheduler, which runs whatever it is sent"

Files = Mapping[str, bytes]
Judged = tuple[str, tuple[QuestionResult, ...], tuple[str, ...]]
"""Which files (their key), how their questions ended, and the protections that held there."""


@dataclass(frozen=True)
class Place:
    """Where workers are: at the address of a `scheduler` that runs already, or on a `kind` of
    cluster, where so many `workers` are started for this run alone.
    """

    scheduler: str = ""
    kind: str = ""
    workers: int = 1

    def __str__(self) -> str:
        return self.scheduler or self.kind

    def require(self) -> None:
        """Raises BatchError where a package that this needs is not installed."""
        needed = ["distributed", *([PACKAGES[self.kind]] if self.kind else [])]
        lacking = [one for one in needed if not importlib.util.find_spec(one.replace("-", "_"))]
        if lacking:
            raise BatchError(
                f"to grade on other machines, install {' and '.join(lacking)}, here and there: "
                f"pip install {' '.join(needed)}"
            )

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """What Dask's Client connects to."""
        if not self.kind:
            yield self.scheduler
            return
        with _start(self.kind, self.workers) as cluster:
            cluster.scale(self.workers)
            yield cluster


def _start(kind: str, workers: int) -> Any:
    """A cluster whose workers have one thread each; all else is in Dask's own settings."""
    dask: Any = importlib.import_module("dask")
    if kind == "slurm":
        jobqueue: Any = importlib.import_module("dask_jobqueue")
        memory = dask.config.get("jobqueue.slurm.memory", None) or MEMORY
        return jobqueue.SLURMCluster(cores=1, processes=1, memory=memory)
    kubernetes: Any = importlib.import_module("dask_kubernetes.operator")
    if dask.config.get("kubernetes.image").startswith("ghcr.io/dask/"):
        raise BatchError(
            "--cluster kubernetes needs an image that holds this kit. docs/scale.md says how to "
            "build one; name it in DASK_KUBERNETES__IMAGE."
        )
    command = ["dask", "worker", "--nthreads", "1"]
    return kubernetes.KubeCluster(n_workers=workers, worker_command=command)


def grader(
    place: Place,
    plan: Plan,
    bases: Mapping[str, basis.Basis],
    bench: Bench,
    strict: bool,
    say: Callable[[str], None],
) -> Grader:
    """Grades on the workers of `place`, to the same marks as `bench` would; with `strict`, on those
    that keep every promise. `say` is told what a person should know. Raises BatchError when no
    worker can grade, or the scheduler does not answer.
    """

    def graded(todo: Sequence[Handin]) -> Iterator[SubmissionResult]:
        if not todo:
            return
        if REQUIRED not in bench.zygote.doctor.active:
            raise BatchError(f"this machine lacks the promise {REQUIRED!r}: {WHY_REQUIRED}.")
        alike: dict[str, list[Handin]] = {}
        for handin in todo:
            content = [part for file in sorted(handin.files.items()) for part in file]
            alike.setdefault(basis.sha(*content), []).append(handin)
        desk = Desk(
            {key: one[0].files for key, one in alike.items()},
            _Task(plan, plan.recorded(bases), bench),
            strict,
            say,
        )
        for key, questions, layers in _connected(place, desk, say):
            for handin in alike[key]:
                yield summed_up(handin, questions, plan.seed, layers)
        for key in desk.stubborn:
            yield from (alone(handin, plan, bases) for handin in alike[key])

    return graded


def _connected(place: Place, desk: Desk, say: Callable[[str], None]) -> Iterator[Judged]:
    """What the desk's workers find; after the scheduler went away and came back, the rest of it."""
    distributed: Any = importlib.import_module("distributed")
    # What it logs of a lost connection, with tracebacks, is said in a sentence.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    gone = (OSError, distributed.TimeoutError, CancelledError)
    seconds = ANSWER_SECONDS
    with place.opened() as where:
        while desk.left():
            try:
                client = distributed.Client(where, timeout=seconds, set_as_default=False)
            except gone:
                raise BatchError(
                    f"no scheduler answers at {place} for {seconds:g} seconds. Start it (dask "
                    "scheduler), and give the same command again: it goes on from here."
                ) from None
            try:
                yield from desk.judged(client)
            except gone:
                seconds = RETURN_SECONDS
                say(
                    f"The scheduler at {place} went away. Waiting {seconds / 60:g} minutes for it "
                    "to come back; what is not graded yet is then sent again."
                )
            finally:
                with contextlib.suppress(*gone):
                    client.close(timeout=TICK)


class _Task:
    """What a worker is asked to do, in bytes: Dask and its scheduler need not understand it."""

    def __init__(self, plan: Plan, record: Mapping[str, Any], bench: Bench) -> None:
        self.plan = pickle.dumps(plan)
        self.record = record
        self.key = basis.sha(record)
        self._bench = bench
        imports = [(part.module, import_id(part)) for part in plan.parts if part.module]
        self._asked = [*imports, *((check.module, check.id) for check in plan.checks())]

    def question(self, files: Files, layers: Sequence[str]) -> bytes:
        """The files, and what is known of them."""
        memory = self._bench.memory(files, layers)
        ends = {one: memory.find(*one) for one in self._asked} if memory else {}
        return pickle.dumps((dict(files), {one: end for one, end in ends.items() if end}))

    def learn(self, files: Files, layers: Sequence[str], found: Sequence[Any]) -> None:
        """Remember what a worker has found out."""
        memory = self._bench.memory(files, layers)
        if memory:
            for module, result, said in found:
                memory.keep(module, result, said)


@dataclass
class _Worker:
    """One that may grade: `host` for people, the promises that it keeps, and what it holds, by key
    and since when, what it works on first.
    """

    host: str
    layers: tuple[str, ...]
    holds: dict[str, float] = field(default_factory=dict)


class Desk:
    """Where files are handed out to workers, and what they find is taken in.

    `stubborn` are the keys of those under which one bench after another died.
    """

    def __init__(
        self, files: Mapping[str, Files], task: _Task, strict: bool, say: Callable[[str], None]
    ) -> None:
        self.stubborn: list[str] = []
        self._files = dict(files)
        self._task = task
        self._strict = strict
        self._say = say
        self._strikes = Counter[str]()
        self._welcomed = False

    def left(self) -> bool:
        """Is there anything to be judged?"""
        return bool(self._files)

    def judged(self, client: Any) -> Iterator[Judged]:
        """Hand out all that is left to this client's workers. Raises OSError or CancelledError when
        the scheduler is lost.
        """
        self._client = client
        self._waiting = deque(self._files)
        self._workers: dict[str, _Worker] = {}
        self._refused: dict[str, str] = {}
        self._given: dict[Any, tuple[str, str]] = {}  # future -> address, key (none: prepare)
        self._done: Queue[Any] = Queue()
        self._said_nobody = False
        looked = 0.0
        while self._files:
            if time.monotonic() - looked > TICK:
                self._look_round()
                looked = time.monotonic()
            self._hand_out()
            with contextlib.suppress(Empty):
                yield from self._take(self._done.get(timeout=TICK))

    def _look_round(self) -> None:
        """Who has come, who has gone?"""
        if self._client.status != "running":
            raise _lost()
        threads: dict[str, int] = self._client.nthreads()
        known = {address for address, key in self._given.values() if not key}
        known |= self._workers.keys() | self._refused.keys()
        for address in known - threads.keys():
            self._forget(address, died=True)
            self._refused.pop(address, None)
        for address in [one for one in threads if one not in known]:
            self._submit(address, "", remote_bench.prepare, self._task.plan)
            if threads[address] > 1:
                self._say(
                    f"The worker {address} has {threads[address]} threads and grades one "
                    "submission at a time. Start a worker a core, each with --nthreads 1."
                )
        if not threads and not self._said_nobody:
            self._said_nobody = True
            self._say("No worker is there yet. It goes on as soon as one comes; Ctrl-C stops it.")

    def _hand_out(self) -> None:
        for address, worker in self._workers.items():
            while self._waiting and len(worker.holds) < AHEAD:
                self._give(address, self._waiting.popleft())
            if not worker.holds and (key := self._slow()):
                self._give(address, key)

    def _slow(self) -> str | None:
        """What one worker alone has held for too long, if anything."""
        held = [one for worker in self._workers.values() for one in worker.holds.items()]
        times = Counter(key for key, _ in held)
        late = [(since, key) for key, since in held if times[key] == 1 and key in self._files]
        since, key = min(late, default=(0.0, ""))
        return key if key and time.monotonic() - since > SLOW_SECONDS else None

    def _give(self, address: str, key: str) -> None:
        worker = self._workers[address]
        worker.holds[key] = time.monotonic()
        question = self._task.question(self._files[key], worker.layers)
        self._submit(address, key, remote_bench.judged, question)

    def _submit(self, address: str, key: str, function: Callable[..., bytes], data: bytes) -> None:
        """Have one worker, and no other, call a function with the plan's key and these bytes."""
        future = self._client.submit(function, self._task.key, data, workers=[address], pure=False)
        self._given[future] = (address, key)
        future.add_done_callback(self._done.put)

    def _take(self, future: Any) -> Iterator[Judged]:
        """Take in what a worker has done."""
        if future not in self._given:
            return  # of one that died, or was slower than another
        address, key = self._given[future]
        if future.status in ("cancelled", "lost"):
            raise _lost()
        try:
            answer = _answer(future)
        except TimeoutError:
            future.add_done_callback(self._done.put)  # it died with its answer, or is about to
            return
        del self._given[future]
        if not key:
            self._welcome(address, answer)
        elif isinstance(answer, BenchGone):
            self._forget(address, died=True)
        elif isinstance(answer, SandboxError):
            self._refuse(address, str(answer))
        else:
            yield from self._learn(address, key, *answer)

    def _learn(
        self, address: str, key: str, questions: tuple[QuestionResult, ...], found: Sequence[Any]
    ) -> Iterator[Judged]:
        worker = self._workers[address]
        del worker.holds[key]
        files = self._files.pop(key, None)
        if files is not None:
            self._task.learn(files, worker.layers, found)
            yield key, questions, worker.layers

    def _welcome(self, address: str, report: Any) -> None:
        """Take a worker on that grades as we do, and keeps what we promise; say why not."""
        if isinstance(report, Exception):
            self._refuse(address, str(report).strip().splitlines()[-1])
        elif objections := self._objections(report):
            self._refuse(address, "; ".join(objections), report.host)
        else:
            self._workers[address] = _Worker(report.host, report.layers)
            self._welcomed = True
            missing = [name for name in PROTECTIONS if name not in report.layers]
            if missing:
                self._say(f"{report.host} ({address}) grades without: {', '.join(missing)}.")
        if self._refused and not (self._welcomed or self._given):
            refused = "; ".join(f"{address}: {why}" for address, why in self._refused.items())
            raise BatchError(
                f"no worker can grade. {refused}. Start the workers from this kit as it is here: "
                "docs/scale.md says how."
            )

    def _objections(self, report: Report) -> list[str]:
        """Why this worker may not grade."""
        needed = PROTECTIONS if self._strict else (REQUIRED,)
        missing = [name for name in needed if name not in report.layers]
        if missing:
            rule = "--strict" if self._strict else WHY_REQUIRED
            return [f"it lacks the promises {', '.join(missing)} ({rule})"]
        return list(differences(self._task.record, report.record))

    def _refuse(self, address: str, why: str, host: str = "") -> None:
        self._forget(address, died=False)
        self._refused[address] = why
        self._say(
            f"The worker {address}{f' on {host}' if host else ''} is left out: {why.rstrip('.')}."
        )

    def _forget(self, address: str, died: bool) -> None:
        """What a worker held waits again; if it died, that may be due to what it worked on."""
        for future in [one for one, (where, _) in self._given.items() if where == address]:
            del self._given[future]
            future.cancel()
        worker = self._workers.pop(address, None)
        held = [key for key in worker.holds if key in self._files] if worker else []
        for key in held[:1] if died else ():
            self._strikes[key] += 1
        elsewhere = {key for other in self._workers.values() for key in other.holds}
        for key in held:
            if self._strikes[key] >= STRIKES:
                self.stubborn.append(key)
                del self._files[key]
            elif key not in elsewhere:
                self._waiting.appendleft(key)


def _lost() -> CancelledError:
    return CancelledError("the scheduler forgot what it was given")


def _answer(future: Any) -> Any:
    """What a worker brought: the value, SandboxError where it can run no code, BenchGone where it
    failed otherwise. Raises TimeoutError when it went away with it.
    """
    distributed: Any = importlib.import_module("distributed")
    try:
        answer = pickle.loads(future.result(timeout=ANSWER_SECONDS))
    except distributed.TimeoutError:
        raise TimeoutError from None
    except (OSError, CancelledError):
        raise
    except BenchGone as error:
        return error
    except Exception as error:
        return BenchGone(
            "it cannot run what it is sent. Is this kit installed there, and at the scheduler? "
            f"({type(error).__name__})"
        )
    failed = isinstance(answer, Exception) and not isinstance(answer, SandboxError)
    return BenchGone(str(answer)) if failed else answer


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """In what a worker grades otherwise than we do, as `Plan.recorded` says there and here."""
    for name, value in ours["machine"].items():
        other = theirs["machine"].get(name)
        if other != value:
            yield f"{name} is {other} there and {value} here"
    if ours["tools"] != theirs["tools"]:
        yield "its judge or sandbox is another version"
    checks = ours["checks"].keys() | theirs["checks"].keys()
    changed = sorted(one for one in checks if ours["checks"].get(one) != theirs["checks"].get(one))
    if changed:
        yield f"its checks or solutions are another version ({changed[0]}, {len(changed)} in all)"
