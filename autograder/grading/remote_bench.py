"""A bench on another machine: what a Dask worker runs, and the process below it that judges.

Dask calls a function in a thread, and the judge's limits need a main thread, so the bench is a
process of its own. All that passes through scheduler and worker is bytes: they load this module
and no torch, and keep nothing on a disk.
"""

from __future__ import annotations

import contextlib
import pickle
import platform
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from ..inside import confine
from ..results import CheckResult

IDLE_SECONDS = 600.0
"""After so long without a submission a bench ends by itself: whoever asked for it may be gone."""

MOST_SECONDS = 1800.0
"""What takes longer hangs: all that a judge does for a submission ends far sooner."""

ROOT = Path(__file__).resolve().parents[2]
BEGIN = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    "from autograder.grading import remote_bench; remote_bench.serve(int(sys.argv[1]))"
)

Ended = tuple[str, float, str, str]
"""State, fraction, message and hint of a check, as the cache keeps them."""


class BenchGone(RuntimeError):
    """There is no bench for the plan on this worker, or it died while it judged."""


@dataclass(frozen=True)
class Report:
    """What a bench says of itself before it is given anything: its machine's name, the protections
    that have held there, and what it grades with (`batch.Plan.recorded`).
    """

    host: str
    layers: tuple[str, ...]
    record: Mapping[str, Any]


class Notes:
    """What the head knows of one submission, and what is found out here. A `judge.Memory`."""

    def __init__(self, known: Mapping[tuple[str, str], Ended]) -> None:
        self._known = known
        self.found: list[tuple[str, CheckResult, bytes]] = []

    def find(self, module: str, id: str) -> Ended | None:
        """How the check of this id ended in an earlier run."""
        return self._known.get((module, id))

    def said(self, module: str, id: str) -> bytes:
        """Nothing: the head has looked at that, and what is asked here was not answered before."""
        return b""

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
        """Note it down for the head."""
        self.found.append((module, result, said))


# --- in the Dask worker

_benches: dict[str, _Process] = {}


def prepare(key: str, plan: bytes) -> bytes:
    """Start a bench for a plan, whose key this is; brings its Report, or an exception, pickled."""
    for other, bench in list(_benches.items()):
        if other == key or bench.ended():
            _benches.pop(other).close()
    _benches[key] = _Process()
    return _benches[key].ask(plan)


def judged(key: str, question: bytes) -> bytes:
    """What the bench for that plan answers. Raises BenchGone."""
    bench = _benches.get(key)
    if bench is None:
        raise BenchGone("This worker has no bench for the plan.")
    return bench.ask(question)


class _Process:
    """The process of a bench, seen from the worker. It ends when the worker does."""

    def __init__(self) -> None:
        self._line, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", BEGIN, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._one_at_a_time = threading.Lock()

    def ask(self, question: bytes) -> bytes:
        with self._one_at_a_time:
            # Dead, it neither keeps us from sending nor leaves an answer half said.
            hangs = threading.Timer(MOST_SECONDS, self._process.kill)
            hangs.start()
            try:
                self._line.send_bytes(question)
                return self._line.recv_bytes()
            except (EOFError, OSError):
                raise BenchGone("The bench died, hung, or had nothing to do for long.") from None
            finally:
                hangs.cancel()

    def ended(self) -> bool:
        return self._process.poll() is not None

    def close(self) -> None:
        self._line.close()
        self._process.kill()
        self._process.wait()


# --- in the process of the bench


def serve(descriptor: int) -> None:
    """Prove what holds here, and judge what comes through this descriptor until it is closed."""
    confine.die_with_parent()
    line = Connection(descriptor)
    with contextlib.suppress(EOFError, OSError):
        try:
            for answer in _answers(line):
                line.send_bytes(pickle.dumps(answer))
        except Exception as error:
            line.send_bytes(pickle.dumps(_said(error)))


def _answers(line: Connection) -> Iterable[Any]:
    """First a Report; then for each submission its questions and what was found out."""
    from .batch import Bench  # torch, which the worker above does without

    plan = pickle.loads(line.recv_bytes())
    bench = Bench(plan)
    try:
        layers = bench.zygote.doctor.active
        yield Report(platform.node(), layers, plan.recorded(plan.bases()))
        while line.poll(IDLE_SECONDS):
            files, known = pickle.loads(line.recv_bytes())
            notes = Notes(known)
            yield bench.judged(files, notes), notes.found
    finally:
        bench.close()


def _said(error: Exception) -> Exception:
    """The same where it has a sentence for the head; else all that may help to mend it."""
    from ..sandbox.zygote import SandboxError

    if isinstance(error, SandboxError):
        return error
    return RuntimeError("".join(traceback.format_exception(error)))
