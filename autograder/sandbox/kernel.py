"""Starts what runs a notebook again inside namespaces, watches it, and believes nothing it says.

Jupyter kernels need processes and sockets, so that the sandbox of the checks is too tight for them;
namespaces are required instead. What comes back is data for a report and never a mark.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..assignment import as_data, read_assignment
from ..checking.modules import ROOT, SOLUTIONS, packaged
from ..inside.confine import Limits
from ..inside.outputs import MAX_PICTURES
from . import launch
from .users import tasks_of_user, user_of_children
from .zygote import SandboxError, held, targets

REQUIRED = ("answers hidden", "files hidden", "files bounded", "no network")
"""Promises without which no notebook runs."""

DISK = launch.Disk(bytes=1 << 29, files=1 << 14)
MEMORY = 3 << 30
"""Bytes that all processes of a notebook may hold together."""

TICK = 0.2
START_SECONDS = 120.0
END_SECONDS = 5.0
PICTURE_SECONDS = 60.0
LONGEST_LINE = 1 << 26
CELL_OUTPUT = 1 << 22
TOTAL_OUTPUT = 1 << 28
MAX_TEXT = 100_000


@dataclass(frozen=True)
class Allowance:
    """Wall seconds for one cell and for a whole notebook."""

    cell: float
    notebook: float


QUICK = Allowance(cell=120, notebook=600)
FULL = Allowance(cell=4 * 3600, notebook=6 * 3600)


@dataclass(frozen=True)
class Ran:
    """How one cell ended.

    `state`: ok, error or timeout; `error`: the exception; `text` and `pictures` (PNG files) are its
    output; `cut`: there was more than is kept. All of it is what the student's side says.
    """

    state: str
    seconds: float
    error: str
    text: str
    pictures: tuple[bytes, ...]
    cut: bool


@dataclass(frozen=True)
class Run:
    """What running a notebook brought: its first cells, and why the others are missing, if so.

    `layers` are the promises of the sandbox that held.
    """

    cells: tuple[Ran, ...]
    stopped: str
    layers: tuple[str, ...]


def require() -> None:
    """Raises SandboxError, with what to do, where this machine cannot run notebooks."""
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        raise SandboxError(
            "Notebooks run in namespaces only, and bubblewrap is missing here: "
            "apt-get install bubblewrap, on Linux."
        )


def run(
    cells: Sequence[str],
    files: Mapping[str, bytes],
    allowance: Allowance = QUICK,
    environment: Mapping[str, str] | None = None,
    shown: Mapping[str, str] | None = None,
) -> Run:
    """Run the source of code cells in a fresh kernel, beside these files.

    `environment`: variables for the kernel; `shown`: folders that it may read, by their name in
    there. Raises SandboxError where the sandbox does not keep the promises of REQUIRED.
    """
    limits = Limits(
        memory=MEMORY, cpu=round(2 * allowance.notebook), file=1 << 28, processes=64, files=128
    )
    settings = {
        "cells": list(cells),
        "environment": dict(environment or {}),
        "seconds": allowance.cell,
        "room": CELL_OUTPUT,
    }
    asked = Asked("notebook", settings, files, limits, allowance.notebook)
    with confined(asked, "No notebook can run here", shown) as (said, layers):
        return _heard(said, len(cells), layers)


@dataclass(frozen=True)
class Asked:
    """What a module of `inside` is to do with a student's files, and within which bounds."""

    module: str
    settings: Mapping[str, Any]
    files: Mapping[str, bytes]
    limits: Limits
    seconds: float


@contextlib.contextmanager
def confined(
    asked: Asked, otherwise: str, shown: Mapping[str, str] | None = None
) -> Iterator[tuple[Iterator[dict[str, Any]], tuple[str, ...]]]:
    """What is said in the sandbox, line by line, and the promises that it keeps.

    Raises SandboxError, which begins with `otherwise`, where it does not keep those of REQUIRED.
    """
    with targets(asked.limits, DISK) as (aims, arrived):
        encoded = {name: base64.b64encode(data).decode() for name, data in asked.files.items()}
        settings = {**asked.settings, "files": encoded, "targets": aims}
        begin = partial(lines, asked.module, settings, asked.limits, asked.seconds, shown)
        said = begin()
        if (first := next(said)).get("again"):
            said.close()
            said = begin()
            first = next(said)
        with contextlib.closing(said):
            found = {**first, "reaches the network": arrived() or first.get("reaches the network")}
            # One process of ours that ends takes the whole namespace along.
            layers = held({**found, "outlives its end": False})
            missing = [name for name in REQUIRED if name not in layers]
            if missing:
                why = first.get("stopped") or "see `python -m autograder doctor`"
                raise SandboxError(f"{otherwise}, without: {', '.join(missing)} ({why}).")
            yield said, layers


def _heard(said: Iterator[dict[str, Any]], cells: int, layers: tuple[str, ...]) -> Run:
    """The run that these lines tell of."""
    ran: list[Ran] = []
    while len(ran) < cells:
        line = next(said)
        if isinstance(why := line.get("stopped"), str):
            return Run(tuple(ran), why[:300], layers)
        one = _ran(line, len(ran))
        if one is None:
            return Run(tuple(ran), "What the notebook's process said made no sense.", layers)
        ran.append(one)
    return Run(tuple(ran), "", layers)


def _ran(line: Mapping[str, Any], index: int) -> Ran | None:
    """One cell from a line of JSON; None when it is not what such a line looks like."""
    try:
        state, error, text = (str(line[name]) for name in ("state", "error", "text"))
        shown = [str(one) for one in list(line["pictures"])[:MAX_PICTURES]]
        pictures = tuple(base64.b64decode(one) for one in shown)
        seconds, cut = float(line["seconds"]), bool(line["cut"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None
    if line.get("cell") != index or state not in ("ok", "error", "timeout") or seconds != seconds:
        return None
    cut = cut or len(text) > MAX_TEXT
    return Ran(state, seconds, error[:300], text[:MAX_TEXT], pictures, cut)


def distances(pairs: Sequence[tuple[bytes, bytes]]) -> list[float | None]:
    """How far the pictures of each pair are from each other, in [0, 1]; None for no pictures."""
    if not pairs:
        return []
    limits = Limits(memory=1 << 30, cpu=round(PICTURE_SECONDS), file=0, processes=16)
    encoded = [[base64.b64encode(one).decode() for one in pair] for pair in pairs]
    with contextlib.closing(lines("pictures", {"pairs": encoded}, limits, PICTURE_SECONDS)) as said:
        found = next(said).get("list")
    if not isinstance(found, list) or len(found) != len(pairs):
        return [None] * len(pairs)
    return [
        float(one) if isinstance(one, (int, float)) and 0 <= one <= 1 else None for one in found
    ]


def given_modules() -> dict[str, bytes]:
    """The modules that a release gives to students, by file name; none of them holds an answer."""
    there = sorted(ROOT.glob("hw5_*.py"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in there}
    texts["hw5_asked.py"] = as_data(texts["hw5_asked.py"], read_assignment().parts)
    given = {name: text.encode() for name, text in texts.items() if name[:-3] not in SOLUTIONS}
    return given | packaged()


def lines(
    module: str,
    settings: Mapping[str, Any],
    limits: Limits,
    seconds: float,
    shown: Mapping[str, str] | None = None,
) -> Generator[dict[str, Any], None, None]:
    """What a module of `inside` says, line by line, as long as it keeps to its bounds.

    A line that is a list comes as {"list": ...}; an end comes as {"stopped": ...}, with "again"
    where we did not make it: on a machine short of memory it may go well another time.
    """
    paths = launch.readable()
    whole = {
        **settings,
        "scratch": launch.SCRATCH,
        "uid": user_of_children(),
        "limits": asdict(limits),
        "tasks": limits.processes + tasks_of_user(),
    }
    homes = ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as asked:
        asked.write(json.dumps(whole).encode() + b"\n")
        asked.seek(0)
        process = subprocess.Popen(
            [
                *launch.bubblewrap(paths, shown),
                *launch.python("/kit", paths, module, DISK),
            ],
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**launch.ENVIRONMENT, **dict.fromkeys(homes, launch.SCRATCH)},
            cwd="/",
            start_new_session=True,
        )
        try:
            yield from _parsed(process, seconds)
            errors.seek(0)
            last = errors.read()[-2000:].decode(errors="replace").strip().splitlines()
            yield {"stopped": last[-1], "again": True} if last else _end(process)
        finally:
            launch.end(process)
            assert process.stdout is not None
            process.stdout.close()


def _parsed(process: subprocess.Popen[bytes], seconds: float) -> Iterator[dict[str, Any]]:
    """The lines of a process as JSON objects, until it ends or goes beyond a bound."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    ends = time.monotonic() + START_SECONDS + seconds
    weigh_at, heavy = time.monotonic(), False
    buffer, total = bytearray(), 0
    while True:
        ready = select.select([descriptor], [], [], TICK)[0]
        now = time.monotonic()
        if now > ends:
            yield {"stopped": "The notebook as a whole ran out of time."}
            return
        if now >= weigh_at:
            weigh_at = now + TICK
            heavy = _resident(process.pid) > MEMORY
        if heavy:
            yield {"stopped": "The notebook's processes took more memory than they may."}
            return
        if not ready:
            continue
        part = os.read(descriptor, 1 << 20)
        total += len(part)
        buffer += part
        while (end := buffer.find(b"\n")) >= 0:
            try:
                line = json.loads(buffer[:end])
            except (ValueError, RecursionError):
                line = None
            del buffer[: end + 1]
            yield line if isinstance(line, dict) else {"list": line}
        if not part:
            return
        if len(buffer) > LONGEST_LINE or total > TOTAL_OUTPUT:
            yield {"stopped": "The notebook's process said more than there is room for."}
            return


def _end(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """How a process ended that has closed its output, as the last line of what it says."""
    try:
        status = process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        return {"stopped": "The process said nothing more."}
    # bubblewrap tells as a shell does which signal ended what it ran.
    number = -status if status < 0 else status - 128
    if number == signal.SIGXCPU:
        return {"stopped": "The process took more CPU time than it may."}
    if number == signal.SIGKILL:
        said = "The process was killed, as where a machine runs out of memory."
    elif number in list(signal.Signals):
        said = f"The process was ended by {signal.Signals(number).name}."
    else:
        said = f"The process ended (exit status {status})."
    return {"stopped": said, "again": True}


def _resident(pid: int) -> int:
    """Bytes that a process and all below it hold for themselves alone, with the tables that say
    where these are.
    """
    parents: dict[int, int] = {}
    held_by: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            # One that ends meanwhile has no memory any more.
            with contextlib.suppress(OSError, KeyError, ValueError):
                lines = Path("/proc", name, "status").read_bytes().splitlines()
                said = {key: text for key, _, text in (line.partition(b":") for line in lines)}
                parents[int(name)] = int(said[b"PPid"])
                kilobytes = (int(said[key].split()[0]) for key in (b"RssAnon", b"VmPTE"))
                held_by[int(name)] = sum(kilobytes) << 10
    below, total = [pid], 0
    while below:
        here = below.pop()
        total += held_by.get(here, 0)
        below += [child for child, parent in parents.items() if parent == here]
    return total
