"""Runs submitted notebooks from scratch, on demand, and says what came of each cell.

Quickly, it tells which cells fail. In full, with the submitted settings and seeds, it also tells
where a rerun does not reproduce what was handed in: printed numbers by a tolerance, figures by
their distance. It is a report for a person; no mark follows from it.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..checking.modules import ROOT
from ..inside.outputs import joined, pictures, printed
from ..intake.submissions import Handin
from ..sandbox import kernel

TOLERANCE = 0.02
"""Share of its size by which a printed number may differ; other machines round otherwise."""

SMALLEST = 1e-3
"""Numbers that differ by less are equal: many are printed with three digits."""

DISTANCE = 0.08
"""Distance (see inside/pictures.py) up to which two figures show the same."""

NOT_COMPARED = ("setup", "about", "hand-in")
"""Cells that say where and when they ran."""

DATA = ROOT / "data"
MAX_CELLS = 500

# Neither goes twice through a long run of digits: a student prints as many as they like.
_TIME = re.compile(
    r"(?<![\d.])[\d.]{1,30} ?(?:m?s|sec|seconds?|min|minutes?|h|it/s|s/it|%)(?!\w)"
    r"|(?<!\d)\d{1,9}(?::\d\d)+"
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class CellReport:
    """What came of one code cell.

    `place` counts code cells from 1, `id` and `begins` (its first line) say which it is. `state`:
    ok, error, timeout or "not run"; `message`: the exception; `differs`: what a full rerun did not
    reproduce, in sentences.
    """

    place: int
    id: str
    begins: str
    state: str
    seconds: float = 0.0
    message: str = ""
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotebookReport:
    """What came of one notebook; `stopped` says why cells were not run, or it was not read."""

    name: str
    cells: tuple[CellReport, ...] = ()
    stopped: str = ""

    @property
    def failed(self) -> tuple[CellReport, ...]:
        """Cells that did not end well."""
        return tuple(cell for cell in self.cells if cell.state != "ok")

    @property
    def different(self) -> tuple[CellReport, ...]:
        """Cells whose output was not reproduced."""
        return tuple(cell for cell in self.cells if cell.differs)


@dataclass(frozen=True)
class ExecutionReport:
    """What came of one submission's notebooks. `settings` says how they ran, in a sentence."""

    id: str
    full: bool
    settings: str
    notebooks: tuple[NotebookReport, ...]
    layers: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Keys sorted, two spaces."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class _Cell:
    """One code cell as it was handed in."""

    id: str
    source: str
    text: str
    pictures: tuple[bytes, ...]


def execute(
    handin: Handin, full: bool = False, allowance: kernel.Allowance | None = None
) -> ExecutionReport:
    """Run every notebook of a submission in a sandbox of its own. Raises SandboxError where the
    machine has no namespaces, and nothing that a submission can cause.
    """
    kernel.require()
    allowance = allowance or (kernel.FULL if full else kernel.QUICK)
    data = full and any(DATA.glob("MNIST*"))
    settings = "With the submitted settings." if full else "With quick settings (HW5_QUICK=1)."
    if not data:
        settings += " On 1,797 small digits in place of the data sets (HW5_DATA=digits)."
    environment = {"HW5_DATA": "/data" if data else "digits"} | ({} if full else {"HW5_QUICK": "1"})
    files = {**_files(handin.files), **kernel.given_modules()}
    reports: list[NotebookReport] = []
    layers: tuple[str, ...] = ()
    for name in sorted(handin.files):
        if not name.endswith(".ipynb"):
            continue
        cells = _read(handin.files[name])
        if cells is None:
            reports.append(NotebookReport(name, stopped="It is no notebook, or a damaged one."))
            continue
        ran = kernel.run(
            [cell.source for cell in cells],
            files,
            allowance,
            environment,
            {"/data": str(DATA)} if data else None,
        )
        layers = ran.layers
        reports.append(NotebookReport(name, tuple(_reported(cells, ran, full)), ran.stopped))
    return ExecutionReport(handin.id, full, settings, tuple(reports), layers)


def _files(handed_in: Mapping[str, bytes]) -> dict[str, bytes]:
    """What lies beside a notebook when it runs; the PDF is made from it, not for it."""
    return {name: data for name, data in handed_in.items() if not name.endswith(".pdf")}


def _read(data: bytes) -> list[_Cell] | None:
    """The code cells of a notebook, whatever else is wrong with it; None when it is none."""
    try:
        cells = json.loads(data)["cells"]
        code = [cell for cell in cells if cell.get("cell_type") == "code"]
        return [_cell(cell) for cell in code[:MAX_CELLS]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _cell(cell: Mapping[str, Any]) -> _Cell:
    outputs = [output for output in cell.get("outputs") or [] if isinstance(output, dict)]
    found = tuple(_bytes(picture) for picture in pictures(outputs))
    text = printed(outputs)[: kernel.MAX_TEXT]
    return _Cell(str(cell.get("id", "")), joined(cell.get("source", "")), text, found)


def _bytes(picture: str) -> bytes:
    try:
        return base64.b64decode(picture)
    except ValueError:
        return b""


def _reported(cells: list[_Cell], ran: kernel.Run, full: bool) -> Iterator[CellReport]:
    for place, cell in enumerate(cells, 1):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        report = CellReport(place, cell.id[:64], lines[0][:80] if lines else "", "not run")
        if place <= len(ran.cells):
            one = ran.cells[place - 1]
            report = replace(report, state=one.state, seconds=one.seconds, message=one.error)
            if full and one.state == "ok" and cell.id not in NOT_COMPARED:
                report = replace(report, differs=tuple(differences(cell, one)))
        yield report


def differences(handed_in: _Cell, rerun: kernel.Ran) -> Iterator[str]:
    """What of a cell's output a rerun did not reproduce, in sentences."""
    if said := number_difference(handed_in.text, rerun.text):
        yield said
    before, after = handed_in.pictures, rerun.pictures
    if len(before) != len(after):
        yield f"{len(before)} figures were handed in, the rerun draws {len(after)}."
    else:
        pairs = list(zip(before, after, strict=True))
        for number, distance in enumerate(kernel.distances(pairs), 1):
            if distance is None:
                yield f"Figure {number} cannot be read."
            elif not distance <= DISTANCE:
                yield f"Figure {number} is another one: its distance is {distance:.2f}."


def number_difference(before: str, after: str) -> str:
    """A sentence when the numbers that two texts print differ, times and progress left out."""
    first, second = numbers(before), numbers(after)
    if len(first) != len(second):
        return f"{len(first)} numbers were handed in, the rerun prints {len(second)}."
    apart = [(a, b) for a, b in zip(first, second, strict=True) if not close(a, b)]
    if not apart:
        return ""
    a, b = max(apart, key=lambda pair: abs(pair[0] - pair[1]) / max(map(abs, pair)))
    return (
        f"{len(apart)} of {len(first)} printed numbers are others, such as {a:g}, "
        f"which the rerun prints as {b:g}."
    )


def numbers(text: str) -> list[float]:
    """The numbers in a text that are no times and no progress."""
    return [float(found) for found in _NUMBER.findall(_TIME.sub(" ", text))]


def close(one: float, other: float) -> bool:
    """Equal within TOLERANCE of the larger, or within SMALLEST."""
    if not (math.isfinite(one) and math.isfinite(other)):
        return one == other
    return abs(one - other) <= max(TOLERANCE * max(abs(one), abs(other)), SMALLEST)
