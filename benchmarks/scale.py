"""A class of thousands on a Dask cluster: is time linear, memory flat, the time left true?

    python benchmarks/scale.py --submissions 500 1000 2000 [--workers 1] [--part vae-theory]

Starts a scheduler and workers on this machine, writes a class of synthetic students and grades it
as `grade --scheduler` does. Each student hands in one of the sample submissions (those that end by
themselves) with the student's id in a comment, so that no two are alike and every one is really
run. With --alike the files stay as they are: then all but a few come from the cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograder.assignment import read_assignment  # noqa: E402
from autograder.grading import batch, cluster  # noqa: E402
from autograder.grading.batch import Bench, Plan  # noqa: E402
from autograder.grading.cluster import Place  # noqa: E402
from autograder.grading.judge import graded_parts  # noqa: E402
from autograder.intake.submissions import read_submissions  # noqa: E402
from benchmarks.classes import write_class  # noqa: E402


@dataclass
class Moment:
    """When it was, what CPU time this process and the workers had used, what this process held,
    and how long it would take by its bar."""

    seconds: float
    head: float
    workers: float
    resident: float
    left: float | None


def main() -> int:
    """Grade classes of growing size, and print what each took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--part", default="vae-theory")
    parser.add_argument("--alike", action="store_true")
    arguments = parser.parse_args()
    print(
        "| submissions | reading, s | grading, s | ms each | workers, CPU ms each "
        "| head, CPU ms each | head, MiB at 25 %, 50 %, 75 %, 100 % "
        "| time left, said over true, at 25 %, 50 %, 75 % |"
    )
    print(f"|{' --- |' * 8}")
    for n in arguments.submissions:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            print(row(n, Path(folder), arguments), flush=True)
    return 0


def row(n: int, folder: Path, arguments: argparse.Namespace) -> str:
    """Grade a class of n, and say what it took."""
    os.environ["HW5_CACHE"] = str(folder / "cache.sqlite")
    assignment = read_assignment()
    plan = Plan(assignment, graded_parts(assignment, [arguments.part]), 7)
    write_class(folder / "class", n, alike=arguments.alike)
    began = time.monotonic()
    handins = read_submissions(folder / "class", assignment, plan.parts)
    reading = time.monotonic() - began
    bases = plan.bases()
    bench = Bench(plan, bases=bases)
    moments: list[Moment] = []
    with _cluster(arguments.workers) as (address, workers), Progress(disable=True) as bar:
        task = bar.add_task("", total=n)
        there = cluster.grader(Place(address), plan, bases, bench, False, _say)
        ends = [0, *(int(n * share) - 1 for share in (0.25, 0.5, 0.75, 1.0))]
        done = 0

        def progress(_: str) -> None:
            nonlocal done
            bar.update(task, advance=1)
            if done in ends:
                left = bar.tasks[0].time_remaining
                used = time.process_time(), sum(map(_used, workers))
                moments.append(Moment(time.monotonic(), *used, _resident(), left))
            done += 1

        batch.grade(handins, folder / "out", plan, 1, bench, progress, bool, bases, elsewhere=there)
    bench.close()
    first, *at, last = moments
    memory = ", ".join(f"{one.resident:.0f}" for one in [*at, last])
    ratios = ", ".join(
        f"{(one.left or 0.0) / max(last.seconds - one.seconds, 1e-9):.2f}" for one in at
    )
    graded, each = last.seconds - first.seconds, 1000 / (n - 1)
    return (
        f"| {n} | {reading:.1f} | {graded:.1f} | {each * graded:.1f} | "
        f"{each * (last.workers - first.workers):.1f} | {each * (last.head - first.head):.1f} | "
        f"{memory} | {ratios} |"
    )


@contextmanager
def _cluster(workers: int) -> Iterator[tuple[str, list[int]]]:
    """The address of a scheduler with so many workers, and their process ids."""
    dask = [sys.executable, "-m", "dask"]
    local = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    scheduler = subprocess.Popen([*dask, "scheduler", *local], stderr=subprocess.PIPE, text=True)
    assert scheduler.stderr
    address = next(line for line in scheduler.stderr if "Scheduler at:" in line).split()[-1]
    one = [*dask, "worker", address, "--nthreads", "1", "--no-dashboard"]
    running = [
        scheduler,
        *(subprocess.Popen(one, stderr=subprocess.DEVNULL) for _ in range(workers)),
    ]
    try:
        yield address, [process.pid for process in running[1:]]
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
        shutil.rmtree("dask-scratch-space", ignore_errors=True)


def _used(pid: int) -> float:
    """CPU seconds of a process and all below it, those that have ended among them."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        below = [child for path in tasks for child in path.read_text().split()]
    except OSError:
        return 0.0
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return own + sum(_used(int(child)) for child in below)


def _resident() -> float:
    """MiB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
