"""How long it takes until the first submission of a batch is asked something.

    python benchmarks/start.py --rounds 5

`grade` runs to the moment in which it opens the first submission: judge and worker have imported
torch by then, and the worker has been attacked. Beside it runs what no judge can do without,
`import torch`. On a machine that is busy, look at the CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.classes import write_class  # noqa: E402

GRADE = """
import sys, time
sys.path.insert(0, sys.argv.pop())
from autograder.sandbox.launch import start_ahead
start_ahead()  # as `python -m autograder` does before anything else
from autograder import __main__ as command_line
from autograder.sandbox.zygote import Zygote

def opened(worker, files):
    print(time.monotonic(), time.process_time(), worker.cpu, flush=True)
    sys.exit()

Zygote.open = opened
command_line.main()
"""
TORCH = "import time, torch; print(time.monotonic(), time.process_time(), 0)"


def main() -> int:
    """Start both in turn, and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", default="conv-gan")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled modules are kept by most
    ours, torch = [], []
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        os.environ["HW5_CACHE"] = f"{folder}/cache.sqlite"
        write_class(Path(folder, "class"), 1)
        command = ["grade", f"{folder}/class", "--jobs", "1", "--part", arguments.part]
        for turn in range(arguments.rounds):
            torch.append(_took(TORCH))
            ours.append(_took(GRADE, *command, "--out", f"{folder}/{turn}", str(ROOT)))
    for what, runs in (("import torch", torch), ("until the first submission is asked", ours)):
        wall, judge, worker = (statistics.median(one) for one in zip(*runs, strict=True))
        print(f"{what}: {wall:.2f} s on the clock; {judge:.2f} and {worker:.2f} s of CPU")
    ratios = [a[0] / b[0] for a, b in zip(ours, torch, strict=True)]
    print(f"{statistics.median(ratios):.2f} times import torch")
    return 0


def _took(program: str, *arguments: str) -> list[float]:
    """Seconds on the clock until it prints the time; of CPU, its own and the worker's."""
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    try:
        ends, *used = map(float, ran.stdout.split())
    except ValueError:
        raise SystemExit(f"it did not start:\n{ran.stdout}{ran.stderr}") from None
    return [ends - began, *used]


if __name__ == "__main__":
    sys.exit(main())
