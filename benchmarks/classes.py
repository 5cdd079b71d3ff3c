"""Classes of synthetic students for the benchmarks, made of the sample submissions."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions"
KINDS = ("right-whole", "wrong-whole")
"""Samples that end by themselves, by the beginning of their names."""
TRAINING = ("right-whole-notebook", "wrong-whole-sampling")
"""Those of them that train a network while they are loaded, as notebooks do that became modules."""


def write_class(
    folder: Path,
    n: int,
    alike: bool = False,
    more: Mapping[int, str] = {},
    without: tuple[str, ...] = (),
) -> None:
    """A folder a student. The files of each carry the student's id in a comment, so that no two are
    alike, unless they are to be `alike`; `more`: code at the end of a student's modules, by number;
    `without`: samples that nobody hands in.
    """
    samples = [path for path in sorted(SAMPLES.iterdir()) if path.name.startswith(KINDS)]
    samples = [path for path in samples if path.name not in without]
    for number in range(n):
        student = folder / f"s{number:05}"
        student.mkdir(parents=True)
        for path in samples[number % len(samples)].glob("*.py"):
            mark = "" if alike else f"\n# {student.name}\n{more.get(number, '')}"
            (student / path.name).write_bytes(path.read_bytes() + mark.encode())


def marks(out: Path) -> dict[str, dict[str, str]]:
    """The rows of marks.csv, by student."""
    with (out / "marks.csv").open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}
