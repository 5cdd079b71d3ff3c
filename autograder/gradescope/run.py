"""Grades the one submission that Gradescope lays before its autograder, inside its container.

It runs as root with half a core, 768 MB and ten minutes, and can make no namespaces. The student's
code runs as a user of its own, to whom nothing of ours is readable; grading is refused where that
does not hold. The judge runs the reference before it asks a student's code, and never while it
computes.

Our own failure is nobody's zero: it leaves no results.json and exits with 1, which Gradescope
reports as a failed autograder. Running out of Gradescope's ten minutes would be a zero there, so
that we give up first.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from ..inside.confine import Limits
from ..sandbox.zygote import SandboxError, Zygote

if TYPE_CHECKING:
    from ..assignment import Assignment

HOME = Path("/autograder")
RESULTS = HOME / "results" / "results.json"
METADATA = HOME / "submission_metadata.json"

LIMITS = Limits(memory=256 << 20, cpu=150, file=1 << 24, processes=32)
"""What is left of 768 MB beside the judge and the worker, which share what they can."""

WALL = 6.0
"""Seconds on the clock for each CPU second: we have half a core, and neighbours."""

PATIENCE = 300.0
AGAIN_WITHIN = 90.0
"""Seconds after which work that ran out of time is not tried a second time."""

GIVE_UP = 570
"""Seconds after which we end ourselves, without results."""

REQUIRED = ("answers hidden", "zygote unreachable")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write results.json. 0: done; 1: our own failure, and no results."""
    began = time.monotonic()
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(GIVE_UP)
    parser = argparse.ArgumentParser(prog="run_autograder")
    parser.add_argument("--part", action="append", default=[])
    parts = parser.parse_args(arguments).part
    try:
        RESULTS.unlink(missing_ok=True)
        # Forked before anything is loaded that a student may not see.
        zygote = Zygote(LIMITS, wall=WALL, here=True)
        missing = [name for name in REQUIRED if name not in zygote.doctor.active]
        if missing:
            raise SandboxError(f"not kept here: {', '.join(missing)}. {zygote.doctor.advice}")
        _grade(zygote, parts, began)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"autograder: no marks were given, by our fault. {type(error).__name__}: {error}")
        print(f"({place.filename}, line {place.lineno})", flush=True)
        return 1
    return 0


def _grade(zygote: Zygote, part_ids: Sequence[str], began: float) -> None:
    from ..assignment import read_assignment
    from ..grading import batch
    from ..grading.judge import graded_parts
    from ..intake.submissions import read_submission
    from . import results as gradescope

    assignment = with_deadline(read_assignment().scaled(part_ids), METADATA)
    plan = batch.Plan(assignment, graded_parts(assignment, part_ids), batch.new_seed())
    handin = read_submission(HOME / "submission", assignment, plan.parts)
    bench = batch.Bench(plan, zygote, PATIENCE)
    try:
        bench.rehearse()
        result = bench.grade(handin)
        if batch.unsettled(result) and time.monotonic() - began < AGAIN_WITHIN:
            result = bench.grade(handin, result)
    finally:
        bench.close()
    gradescope.write(result, assignment, RESULTS, time.monotonic() - began)
    print(f"{result.id}: {result.points:g} of {result.max_points:g} points.")


def with_deadline(assignment: Assignment, metadata: Path) -> Assignment:
    """The assignment with Gradescope's due date, where it has one, instead of its own.

    What is refused for being late is refused after Gradescope's late due date, where it has one.
    Raises ValueError, KeyError, TypeError, OSError for metadata that is not Gradescope's.
    """
    from ..times import parse_time

    dates = json.loads(metadata.read_text(encoding="utf-8"))["assignment"]
    late_due = dates.get("late_due_date") if assignment.late == "refuse" else None
    said = late_due or dates.get("due_date")
    if said is None:
        return assignment
    due = parse_time(said)
    if due is None:
        raise ValueError(f"{metadata}: {said!r} is no time")
    return replace(assignment, due=due)


def _give_up(signum: int, frame: FrameType | None) -> None:
    print("autograder: no marks were given, by our fault: there was not enough time.", flush=True)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
