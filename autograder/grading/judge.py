"""Runs the checks of one submission and decides. The only writer of verdicts.

The judge never imports, unpickles or evaluates anything a student wrote: it asks through
proxies, compares plain tensors with the live reference, and fails closed.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any, Protocol, TypeVar

from ..assignment import Assignment, Part, Question
from ..checking.expect import Fail, Partial
from ..checking.proxy import Line, Lost, Send, StudentError, WorkerDied, words
from ..checking.reference import Reference
from ..checking.registry import Check, Rng
from ..results import (
    ABNORMAL,
    CRASHED,
    ERROR,
    FAIL,
    MANUAL,
    MEMORY,
    PASS,
    SKIPPED,
    TIMEOUT,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
)
from ..sandbox.child import TOO_LONG, USED_UP, WAITED
from ..sandbox.zygote import SandboxError
from . import basis
from .crashes import in_words
from .diagnosis import Talk, diagnose, recorded
from .said import Said, Unheard, answering

SUBMISSION_SECONDS = 180.0
"""Wall seconds of waiting for a submission, and CPU seconds of computing on what it answers, after
which its remaining checks end as `timeout`.
"""

JUDGING_SECONDS = 20.0
"""CPU seconds that one check may have us compute."""

EXPLAINING_SECONDS = 60.0
"""CPU seconds for finding out what its mistakes look like; after these, less is said of them."""

IMPORT_SECONDS = 20.0

HURRIED = (1.0, 0.2, 0.1)
"""What a check of a submission may take, as a share of its own time, once so many have run out of
it. Right answers take a hundredth in the mean, and less than a twentieth.
"""

AS_WELL = "Once a check has run out of time, the others get a fifth of theirs, and then a tenth."
HEAVY = "What your code answers takes too long to check."
FINAL = (USED_UP, WAITED, HEAVY)
"""Ends that no machine is to blame for: with these, time runs out in every try."""

SORRY = "This check failed on our side. Your marks for the question wait until we have mended it."
SHAPELESS = "What your code returned has a form that this question does not allow."


T = TypeVar("T")


class Code(Protocol):
    """A submission's code, running somewhere."""

    def send(self, seconds: float) -> Send:
        """A way to ask it, with so many CPU seconds for everything asked. It raises Lost."""

    def close(self) -> None:
        """End it."""


class Memory(Protocol):
    """What is known of a submission from earlier runs: state, fraction, message and hint of each
    check, the one that a module can be loaded among them; and what it `said` then (see said.py).
    """

    def find(self, module: str, id: str) -> tuple[str, float, str, str] | None: ...

    def said(self, module: str, id: str) -> bytes: ...

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None: ...


SEVERITY = (PASS, SKIPPED, FAIL, ERROR, MEMORY, TIMEOUT, CRASHED, UNGRADABLE)
"""A question's state is the gravest of its checks'."""

Open = Callable[[Mapping[str, bytes]], Code]
"""Starts the code of a submission's files."""


class _TooLong(BaseException):
    """The judge has computed for too long. No Exception: it must not pass for anybody's answer."""


class Patience:
    """What one submission may cost us."""

    def __init__(
        self, seconds: float = SUBMISSION_SECONDS, explaining: float = EXPLAINING_SECONDS
    ) -> None:
        self.left = seconds
        self.explained = True  # all that was to be: nothing where there is no time from the start
        self._explaining = explaining
        self._silent = explaining <= 0
        self._ran_out = ""  # how, the first time
        self._times = 0

    def allowed(self, seconds: float) -> float:
        """What is left of the seconds that a check would get."""
        return seconds * HURRIED[min(self._times, len(HURRIED) - 1)]

    def lost(self, lost: Lost) -> Lost:
        """Note that time ran out; the sentence for that, where less of it was left than usual.

        Where a machine may have been to blame for the first time, it may be for all others.
        """
        if lost.state != TIMEOUT:
            return lost
        said = lost.message
        if self._ran_out:
            said = f"{self._ran_out if said in FINAL else said} {AS_WELL}"
        self._ran_out = self._ran_out or lost.message
        self._times += 1
        return Lost(TIMEOUT, said)

    def check(self, work: Callable[[], T]) -> T:
        """What the work brings. Its CPU seconds are charged; raises Lost when they are too many."""
        began = time.process_time()
        seconds = min(self.left, JUDGING_SECONDS)
        try:
            with _at_most(seconds):
                return work()
        except _TooLong:
            if seconds == self.left:
                self.left = 0.0  # the system's timer is no exact clock
            raise self.lost(Lost(TIMEOUT, HEAVY)) from None
        finally:
            self.left -= time.process_time() - began

    def explain(self, work: Callable[[], str]) -> str:
        """What the work says, or nothing where it would take too long."""
        if self._explaining <= 0:
            self.explained = self._silent
            return ""
        began = time.process_time()
        try:
            with _at_most(self._explaining):
                return work()
        except _TooLong:
            self.explained = False
            return ""
        finally:
            self._explaining -= time.process_time() - began


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Raise _TooLong in what runs, once this process has computed for so many seconds. Elsewhere
    than in the main thread, which alone gets signals, there is no bound.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    # And every second: what is raised in a destructor is lost.
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.01), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


class Run:
    """One submission under judgement: its code, reopened whenever a check has killed it.

    Each module is judged in a process of its own, with the files that it can reach. What one does
    to another that never asked for it would be remembered of that other's file, and be the mark of
    everybody who hands in the same: a module that students left as they got it, for one.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        open_code: Open,
        patience: float = SUBMISSION_SECONDS,
        explaining: float = EXPLAINING_SECONDS,
    ) -> None:
        """`patience`: seconds for which the judge waits for the code and computes, in all;
        `explaining`: CPU seconds for which it looks for mistakes that explain wrong answers.
        """
        self.files = files
        self._module = ""
        self._reached = files
        self._open = open_code
        self._code: Code | None = None
        self.patience = Patience(patience, explaining)
        self.endless: dict[str, str] = {}  # module -> how time ran out while it was loaded

    def turn_to(self, module: str) -> None:
        """From now on it is about this module."""
        if module != self._module:
            self.close()
            self._module = module
            self._reached = {name: self.files[name] for name in basis.reached(module, self.files)}

    def send(self, seconds: float, hurried: bool = True) -> Send:
        """A way to ask it, where so many CPU seconds are for one check; unless `hurried` none of
        them goes because others ran out of time.
        """
        if self.patience.left <= 0:
            raise Lost(TIMEOUT, "The submission as a whole took too long.")
        if self._code is None:
            with self._charged():
                self._code = self._open(self._reached)
        ask = self._code.send(self.patience.allowed(seconds) if hurried else seconds)

        def asked(request: dict[str, Any]) -> dict[str, Any]:
            with self._charged():
                return ask(request)

        return asked

    @contextlib.contextmanager
    def _charged(self) -> Iterator[None]:
        """The submission pays for the seconds in which we wait for it, and says how it is lost."""
        began = time.monotonic()
        try:
            yield
        except WorkerDied:
            self.close()
            raise
        except Lost as lost:
            self.close()
            raise self.patience.lost(lost) from None
        finally:
            self.patience.left -= time.monotonic() - began

    def close(self) -> None:
        if self._code is not None:
            self._code.close()
        self._code = None


def judge(
    files: Mapping[str, bytes],
    parts: Sequence[Part],
    checks: Sequence[Check],
    reference: Reference,
    open_code: Open,
    seed: int,
    patience: float = SUBMISSION_SECONDS,
    memory: Memory | None = None,
    explaining: float = EXPLAINING_SECONDS,
) -> tuple[QuestionResult, ...]:
    """Run every check of `parts` on one submission, but those whose end `memory` knows. Raises
    nothing a submission can cause.
    """
    run = Run(files, open_code, patience, explaining)
    ended: dict[str, CheckResult] = {}
    try:
        for part in parts:
            if part.module is not None:  # or else it is marked by hand alone
                asked = {*part.full_ids()}
                own = [check for check in checks if check.question in asked]
                _judge_part(part, own, ended, run, reference, seed, memory)
    finally:
        run.close()
    return tuple(added_up(part, question, ended) for part in parts for question in part.questions)


def _judge_part(
    part: Part,
    checks: Sequence[Check],
    ended: dict[str, CheckResult],
    run: Run,
    reference: Reference,
    seed: int,
    memory: Memory | None,
) -> None:
    """Add to `ended` how each check of a part ends. What is known needs no code to be loaded."""
    assert part.module is not None
    blank = _import_ended(part, PASS)
    importing = _known(memory, part.module, blank)
    loaded = importing is None
    importing = importing or import_module(part, run)
    if memory and loaded:
        memory.keep(part.module, importing)
    ended[importing.question] = importing
    for check in checks:
        blocker = _blocker(check, ended, importing)
        result = (
            _skipped(check, blocker) if blocker else _known(memory, check.module, _passed(check))
        )
        if result is None and memory:
            result = _heard_again(check, memory, reference, seed, run.patience)
        if result is None and not loaded:
            loaded, importing = True, import_module(part, run)
            ended[importing.question] = importing
            blocker = _blocker(check, ended, importing)
            result = _skipped(check, blocker) if blocker else None
        if result is None:
            notes = Said(check.seconds) if memory else None
            result = run_check(check, run.send, reference, seed, run.patience, notes)
            # Where this submission used up the time for explaining, others are told more.
            if memory and notes and run.patience.explained:
                memory.keep(check.module, result, notes.kept())
        if result.state in ABNORMAL:
            run.close()
            loaded = False
        ended[check.id] = result


def _known(memory: Memory | None, module: str, blank: CheckResult) -> CheckResult | None:
    """The result that `blank` was in an earlier run; its share and title are today's."""
    found = memory.find(module, blank.check) if memory else None
    if found is None:
        return None
    state, fraction, message, hint = found
    return replace(blank, state=state, fraction=fraction, message=message, hint=hint)


def _passed(check: Check) -> CheckResult:
    return CheckResult(check.id, check.question, PASS, 1.0, check.share, check.title)


def _heard_again(
    check: Check, memory: Memory, reference: Reference, seed: int, patience: Patience
) -> CheckResult | None:
    """How the check ends by what was answered before; None where it asks something else."""
    kept = memory.said(check.module, check.id)
    if not kept:
        return None
    try:
        result = run_check(
            check, lambda seconds: answering(kept, seconds), reference, seed, patience
        )
    except Unheard:
        return None
    if patience.explained:
        memory.keep(check.module, result)
    return result


def run_check(
    check: Check,
    send: Callable[[float], Send],
    reference: Reference,
    seed: int,
    patience: Patience | None = None,
    notes: Said | None = None,
) -> CheckResult:
    """One check on one submission: how it ended, and the sentence that says so. What is
    said meanwhile goes into `notes`.
    """
    bounds = patience or Patience()

    def ended(state: str, fraction: float, message: str = "", hint: str = "") -> CheckResult:
        whole = _passed(check)
        return replace(whole, state=state, fraction=fraction, message=message, hint=hint)

    talk: Talk = []

    def tried() -> None:
        talk.clear()
        line = send(check.seconds)
        ask = recorded(fresh(notes.noting(line) if notes else line), talk)
        bounds.check(lambda: call(check, ask, reference, seed))

    try:
        _steadily(tried)
    except (Fail, Partial) as fail:
        fraction = fail.fraction if isinstance(fail, Partial) else 0.0
        said = fail.message
        known = bounds.explain(
            lambda: diagnose(talk, check.question, check.module, reference, said=said)
        )
        return ended(FAIL, fraction, f"{fail.message} {known}".rstrip(), fail.hint)
    except Lost as lost:
        return ended(lost.state, 0.0, lost.message)
    except StudentError as error:
        return ended(*_student_error(error))
    except SandboxError:
        # This machine cannot run anybody's code: no mark follows from that.
        raise
    except Exception as error:
        if reference_passes(check, reference, seed):
            return ended(FAIL, 0.0, SHAPELESS)
        return ended(UNGRADABLE, 0.0, f"{SORRY} ({type(error).__name__}: {error})"[:300])
    return ended(PASS, 1.0)


def _steadily(attempt: Callable[[], T]) -> T:
    """What an attempt brings; begun anew, once, when our own worker died under it."""
    try:
        return attempt()
    except WorkerDied:
        return attempt()


def fresh(send: Send) -> Send:
    """The same way to ask; the first request tells the code to forget what others were about."""
    begun = False

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal begun
        begun, first = True, not begun
        return send({**request, "fresh": True} if first else request)

    return ask


def call(check: Check, ask: Send, reference: Reference, seed: int) -> None:
    """Call a check's function with its proxies; what it raises is its outcome."""
    rng = Rng(seed, check.id)
    theirs = Line(ask, rng.seed).module(check.module)
    ours = Line(reference.send(), rng.seed, reference=True).module(check.module)
    check.function(theirs, ours, rng)


def reference_passes(check: Check, reference: Reference, seed: int) -> bool:
    """Does the check work at all? Then what broke it came from the student's side."""
    try:
        call(check, reference.send(), reference, seed)
    except Exception:
        return False
    return True


def _student_error(error: StudentError) -> tuple[str, float, str]:
    if error.kind == "missing":
        return FAIL, 0.0, f"{error.message}. Keep the names that the assignment gives."
    if error.kind == "todo":
        return FAIL, 0.0, "This is not implemented yet."
    if error.kind == "memory":
        return MEMORY, 0.0, "Your code asked for more memory than a submission may use."
    where = f" ({error.where})" if error.where else ""
    said = f"Your code raised {error.type}: {error.message}{where}"[:300]
    return ERROR, 0.0, f"{said} {in_words(error.message)}".rstrip()


def import_module(part: Part, run: Run) -> CheckResult:
    """Load the part's module; every check of the part waits for it."""
    name = f"{part.module}.py"
    if name not in run.files:
        return _import_ended(part, FAIL, f"{name} was not handed in.")
    if name in run.endless:
        return _import_ended(part, TIMEOUT, run.endless[name])
    run.turn_to(name.removesuffix(".py"))
    try:
        # Not hurried: what was loaded once is loaded again after a loop was stopped.
        notes = _steadily(
            lambda: Line(run.send(IMPORT_SECONDS, False), 0).ask("import", module=part.module)
        )
    except Lost as lost:
        run.close()
        # It may have been the disk that it waited for, with a package on it.
        said = lost.message.replace(WAITED, TOO_LONG)
        if lost.state == TIMEOUT:
            run.endless[name] = said
        return _import_ended(part, lost.state, said)
    except StudentError as error:
        state, _, message = _student_error(error)
        return _import_ended(part, state, message)
    texts = [words(note) for note in notes] if isinstance(notes, list) else []
    return _import_ended(part, PASS, " ".join(texts)[:1000])


def import_id(part: Part) -> str:
    """The check that the part's module can be loaded."""
    return f"{part.id}.import.loads"


def _import_ended(part: Part, state: str, message: str = "") -> CheckResult:
    question, title = f"{part.id}.import", f"{part.module}.py can be loaded."
    fraction = float(state == PASS)
    return CheckResult(import_id(part), question, state, fraction, 1.0, title, message)


def _blocker(
    check: Check, ended: Mapping[str, CheckResult], importing: CheckResult
) -> CheckResult | None:
    """The result this check waits for in vain, if any."""
    if importing.state != PASS:
        return importing
    for name in check.after:
        if name in ended and ended[name].state != PASS:
            return ended[name]
    for other in ended.values():
        if other.question == check.question and other.state in ABNORMAL:
            return other
    return None


def _skipped(check: Check, blocker: CheckResult) -> CheckResult:
    # What blocks a blocked check is the first cause, not the chain of consequences.
    waits_for = blocker.waits_for or blocker.title
    return CheckResult(
        check.id,
        check.question,
        SKIPPED if blocker.state != UNGRADABLE else UNGRADABLE,
        0.0,
        check.share,
        check.title,
        "Not tried: it needs the other check to pass first.",
        waits_for=waits_for,
    )


def added_up(part: Part, question: Question, ended: Mapping[str, CheckResult]) -> QuestionResult:
    """Add up one question. Nothing checked means ungradable, never full marks."""
    full_id = f"{part.id}.{question.id}"
    checks = tuple(result for result in ended.values() if result.question == full_id)
    if question.kind == "manual":
        state, points = MANUAL, None
    elif not checks or any(result.state == UNGRADABLE for result in checks):
        state, points = UNGRADABLE, None
    else:
        earned = sum(result.share * result.fraction for result in checks)
        points = round(question.points * earned / sum(result.share for result in checks), 4)
        state = max((result.state for result in checks), key=SEVERITY.index)
    return QuestionResult(
        full_id, question.title, question.kind, state, points, question.points, checks
    )


def graded_parts(assignment: Assignment, wanted: Sequence[str]) -> tuple[Part, ...]:
    """The parts to grade: all of them when none is named. Raises AssignmentError."""
    return tuple(assignment.part(name) for name in wanted) if wanted else assignment.parts
