"""What it costs to grade a class again after one check changed, beside grading it all.

    python benchmarks/regrading.py --submissions 500 [--untrained]

In a copy of the kit it grades a class of synthetic students, changes the code of one check, and
gives the same command again; in between it gives it once with nothing changed. What it costs to
start is seen in a class of one whose results are known; with it, the ratio for other sizes of the
class follows. A check is changed in two ways, one after the other: it judges otherwise, and asks
what it has asked; it asks something else, so that all must run it.

Checks cost between a millisecond and a training, so several are changed, each alone: every n-th
in the order of the checks, and their mean stands for a check.

Two of the nine samples train a network while they are loaded, which every try of a check pays for.
Students' modules seldom do: with --untrained, nobody hands in these two.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from autograder.assignment import read_assignment  # noqa: E402
from autograder.grading.batch import Plan  # noqa: E402
from autograder.grading.judge import graded_parts  # noqa: E402
from benchmarks.classes import TRAINING, marks, write_class  # noqa: E402
from benchmarks.graders import Cost, measured  # noqa: E402

PARTS = ("fc-vae", "conv-gan", "bernoulli-vae")
WAYS = {"judges otherwise": "rng = rng", "asks something else": "rng.uniform(0, 1, 1)"}
"""A line at the beginning of the check: marks come out the same."""
LEFT_OUT = (".git", ".venv", ".cache", "build", "__pycache__", "tests")


def main() -> int:
    """Grade, change, grade again; print what each took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=500)
    parser.add_argument("--part", action="append", help="default: three with 50 checks")
    parser.add_argument("--checks", type=int, default=5, help="how many are changed, one by one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--untrained", action="store_true", help="no sample trains as it is loaded")
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # compiled modules are kept by most
    n, parts = arguments.submissions, arguments.part or [*PARTS]
    assignment = read_assignment()
    checks = {one.id: one for one in Plan(assignment, graded_parts(assignment, parts), 7).checks()}
    changed = [*checks.values()][:: -(-len(checks) // arguments.checks)]
    print(f"{n} submissions, {len(checks)} checks, of which {len(changed)} change", flush=True)
    with tempfile.TemporaryDirectory(prefix="regrading-") as folder:
        place = Path(folder)
        kit = place / "kit"
        shutil.copytree(ROOT, kit, ignore=shutil.ignore_patterns(*LEFT_OUT))
        os.environ["HW5_CACHE"] = str(place / "cache.sqlite")
        without = TRAINING if arguments.untrained else ()
        write_class(place / "class", n, without=without)
        write_class(place / "one", 1, without=without)
        options = ["--jobs", str(arguments.jobs), "--yes", "--seed", "7"]
        options += [word for part in parts for word in ("--part", part)]

        def graded(what: str, students: str = "class") -> Cost:
            command = [sys.executable, "-m", "autograder", "grade", str(place / students)]
            command += ["--out", str(place / f"marks of {students}"), *options]
            cost = measured(command, kit, every=0.3)
            assert len(marks(place / f"marks of {students}")) == (n if students == "class" else 1)
            print(f"{what}: {cost.wall:.1f} s on the clock, {cost.cpu:.1f} s of CPU", flush=True)
            return cost

        whole = graded("all of it")
        start = graded("a class of one that is known", "one")
        graded("nothing changed")
        again: dict[str, list[Cost]] = {way: [] for way in WAYS}
        for one in changed:
            path = kit / Path(one.function.__code__.co_filename).relative_to(ROOT)
            for way, line in WAYS.items():
                _change(path, one.id, line)
                again[way].append(graded(f"{one.id} {way}"))
    for way, costs in again.items():
        for name in ("wall", "cpu"):
            first, base = getattr(whole, name), getattr(start, name)
            then = statistics.mean(getattr(cost, name) for cost in costs)
            at_500 = [base + (cost - base) * 500 / n for cost in (first, then)]
            each = [1000 * (cost - base) / n for cost in (first, then)]
            print(
                f"{way}, {name}: 1/{first / then:.1f} of all; {each[1]:.0f} ms a submission "
                f"instead of {each[0]:.0f}, so in a class of 500 1/{at_500[0] / at_500[1]:.1f}"
            )
    return 0


def _change(path: Path, check: str, line: str) -> None:
    """Begin the code of a check with this line."""
    text = path.read_text(encoding="utf-8")
    name = check.rpartition(".")[2]
    (node,) = (
        one for one in ast.parse(text).body if isinstance(one, ast.FunctionDef) and one.name == name
    )
    lines = text.splitlines(keepends=True)
    lines.insert(node.body[1].lineno - 1, f"    {line}\n")
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
