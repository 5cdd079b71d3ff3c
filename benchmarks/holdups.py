"""What submissions that never end cost the class that they are in.

    python benchmarks/holdups.py --submissions 200 --holdups 10 [--kind "loops in forward"]

Grades a class of synthetic students, and then the same class in which some of them loop, sleep,
wait, drip bytes or claim wide layers, by the `grade` command with an empty cache. Prints what both
took, and whether the marks of all others are the same to the byte.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.classes import marks, write_class  # noqa: E402
from benchmarks.graders import Cost, measured  # noqa: E402

HOW = {
    "loops": "while True: pass",
    "swallows": """while True:
        try:
            while True: pass
        except BaseException: pass""",
    "sleeps": "while True: time.sleep(1)",
    "waits": "threading.Event().wait()",
    "drips": """os.write(3, b"HW5W" + (1 << 20).to_bytes(4, "little") + bytes(8))
    while True:
        os.write(3, b" ")
        select.select([], [], [], 0.2)""",
}
"""Ways to hold a grader up."""

WHERE = {
    "while it loads": "hold()",
    "in constructors": "[setattr(one, '__init__', hold) for one in networks]",
    "in forward": "[setattr(one, 'forward', hold) for one in networks]",
    "in functions": "globals().update({one.__name__: hold for one in functions})",
}

CODE = """
import inspect, os, select, threading, time
import torch
own = [one for one in globals().values() if getattr(one, "__module__", "") == __name__]
networks = [one for one in own if isinstance(one, type) and issubclass(one, torch.nn.Module)]
functions = [one for one in own if inspect.isfunction(one) and one.__name__[0] != "_"]
def hold(*args, **kwargs):
    {how}
held = {where}
"""

WIDE = """
import torch
class Wide(torch.nn.Module):
    def __init__(self, *args, **kwargs):
        super().__init__()
        deep = [torch.nn.Linear(2048, 2048) for _ in range(6)]
        self.deep = torch.nn.Sequential(torch.nn.Linear(784, 2048), *deep)
        self.out = torch.nn.Linear(2048, 784)
    def forward(self, x, c=None):
        h = self.deep(x.reshape(len(x), -1))
        return torch.sigmoid(self.out(h)).reshape(x.shape), h[:, :15], h[:, 15:30]
VAE = CVAE = Wide
"""

KINDS = {
    f"{how} {where}": CODE.format(how=body, where=place)
    for where, place in WHERE.items()
    for how, body in HOW.items()
} | {"claims wide layers": WIDE}


def main() -> int:
    """Grade both classes, and print the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--holdups", type=int, default=10)
    parser.add_argument("--kind", choices=list(KINDS), action="append", help="default: all in turn")
    parser.add_argument("--part", action="append", help="default: fc-vae and conv-gan")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    n, kinds = arguments.submissions, arguments.kind or list(KINDS)
    # Kinds far apart in the table, first.
    chosen = [kinds[(i * 8) % len(kinds)] for i in range(arguments.holdups)]
    held = {(2 * i + 1) * n // (2 * len(chosen)): kind for i, kind in enumerate(chosen)}
    with tempfile.TemporaryDirectory(prefix="holdups-") as folder:
        place = Path(folder)
        write_class(place / "without", n)
        write_class(place / "with", n, more={i: KINDS[kind] for i, kind in held.items()})
        without = graded(place / "without", arguments)
        print(f"without: {without.wall:.0f} s on the clock, {without.cpu:.0f} s of CPU", flush=True)
        cost = graded(place / "with", arguments)
        print(f"with {len(held)}: {cost.wall:.0f} s on the clock, {cost.cpu:.0f} s of CPU")
        print(
            f"ratio: {cost.wall / without.wall:.2f} of clock, {cost.cpu / without.cpu:.2f} of CPU"
        )
        before, after = marks(place / "without-marks"), marks(place / "with-marks")
        for i, kind in held.items():
            row = after.pop(f"s{i:05}")
            was = before.pop(row["id"])
            print(f"  {kind}: {row['points']} points, {was['points']} without it")
        print(f"marks of the other {len(after)} are the same: {before == after}")
    return 0


def graded(folder: Path, arguments: argparse.Namespace) -> Cost:
    """What it costs to grade this class; marks lie beside it."""
    os.environ["HW5_CACHE"] = str(folder.with_suffix(".sqlite"))
    out = folder.with_name(f"{folder.name}-marks")
    command = [sys.executable, "-m", "autograder", "grade", str(folder), "--out", str(out)]
    command += ["--jobs", str(arguments.jobs), "--seed", "7"]
    for part in arguments.part or ("fc-vae", "conv-gan"):
        command += ["--part", part]
    return measured(command, ROOT, every=1.0)


if __name__ == "__main__":
    sys.exit(main())
