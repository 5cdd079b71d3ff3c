"""Begins a process that has namespaces of its own: settings come in, lines of JSON go out.

One line of JSON comes in on descriptor 0. The first line that goes out on descriptor 1 says what
attacks on the sandbox succeeded; after it, neither descriptor is anybody's but ours.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import confine, probe

LONGEST_MESSAGE = 300

Say = Callable[[dict[str, Any]], None]


def begin() -> tuple[dict[str, Any], Say]:
    """Read the settings, take on every layer, and say how well it holds; the settings, and a way
    to say more.
    """
    settings = json.loads(sys.stdin.buffer.readline())
    out = os.dup(1)
    os.set_inheritable(out, False)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)

    def say(value: dict[str, Any]) -> None:
        line = memoryview(json.dumps(value).encode() + b"\n")
        while line:
            line = line[os.write(out, line) :]

    layers = _confine(settings)
    os.chdir(settings["scratch"])
    aims = settings["targets"]
    say({**layers, **probe.attack(aims), "makes files": probe.flood(aims["files"])})
    os.chdir("/")
    return settings, say


def _confine(settings: dict[str, Any]) -> dict[str, bool]:
    """Take on all layers but the namespaces, in which we are already."""
    limits = confine.Limits(**settings["limits"])
    room = confine.Limits(**{**settings["limits"], "processes": settings["tasks"]})
    confine.die_first()
    program = confine.compile_filter(confine.KERNEL_NEEDS)
    user = confine.become(settings["uid"])
    confine.limit(limits if user else room)
    # A student's process is the same user as this one, and must not look into it.
    confine.prctl(confine.PR_SET_DUMPABLE, 0)
    return {"user": user, "seccomp": confine.deny_calls(program)}


def lay_out(settings: dict[str, Any]) -> Path:
    """Write the student's files into a new folder of the scratch disk."""
    work = Path(settings["scratch"], "work")
    work.mkdir()
    for name, data in settings["files"].items():
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_bytes(base64.b64decode(data))
    return work


def stopped(error: BaseException) -> dict[str, Any]:
    """The line that says why nothing more will be said."""
    return {"stopped": f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]}
