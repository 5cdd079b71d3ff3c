"""The few words that tests which attack a worker speak.

Hostile code runs inside a worker and nowhere else; each attack is written so that it does no harm
where it succeeds.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from autograder.checking.proxy import Line, Lost, Send, StudentError
from autograder.sandbox.zygote import Zygote


def lacking(reason: str) -> None:
    """Skip a test for want of a layer; where all layers are promised, fail instead."""
    if os.environ.get("HW5_ALL_LAYERS") == "1":
        pytest.fail(f"HW5_ALL_LAYERS=1, but {reason}")
    pytest.skip(reason)


def require(zygote: Zygote, *mechanisms: str) -> None:
    for name in mechanisms:
        if not any(there.startswith(name) for there in zygote.doctor.mechanisms):
            lacking(f"{name} is missing here")


@contextlib.contextmanager
def busy_core(pid: int) -> Iterator[None]:
    """A neighbour keeps a core busy, and the process has no other."""
    core = min(os.sched_getaffinity(0))
    burn = [sys.executable, "-S", "-c", "while True: pass"]
    # Linux may share the machine between sessions: a burner each.
    burners = [subprocess.Popen(burn, start_new_session=True) for _ in range(8)]
    try:
        for one in (pid, *(burner.pid for burner in burners)):
            os.sched_setaffinity(one, {core})
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


class Talk:
    """One submission in a worker: its modules imported, its functions called."""

    def __init__(
        self, zygote: Zygote, source: str | bytes, seconds: float = 20.0, **others: bytes
    ) -> None:
        files = {f"{name}.py": data for name, data in others.items()}
        data = textwrap.dedent(source).encode() if isinstance(source, str) else source
        files["hw5_vae.py"] = data
        self.child = zygote.open(files)
        self.ask: Send = self.child.send(seconds)

    def notes(self, module: str = "hw5_vae") -> list[str]:
        notes: list[str] = Line(self.ask, 0).ask("import", module=module)
        return notes

    def call(self, path: str, *args: Any) -> Any:
        return Line(self.ask, 0).ask(
            "call", target="hw5_vae", path=path, args=list(args), kwargs={}
        )

    def get(self, path: str) -> Any:
        return Line(self.ask, 0).ask("get", target="hw5_vae", path=path)

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close()


def end(zygote: Zygote, source: str, path: str = "f", seconds: float = 1.0) -> str:
    """How calling a function ends: `value`, the state of a lost child, or the kind of error."""
    with Talk(zygote, source, seconds) as talk:
        try:
            talk.call(path)
        except Lost as lost:
            return lost.state
        except StudentError as error:
            return error.kind
        return "value"


FORGER = """
import json, os, struct, sys
import torch
def respond(request, tensors):
    # Plausible answers to everything: shapes of the inputs, values near what is normal.
    op = request.get("op")
    if op in ("fill", "shapes"):
        return [[400, 784], [400], [20, 400], [20]]
    if op in ("layers",):
        return ["Linear(in_features=784, out_features=400, bias=True)", "ReLU()"]
    if op in ("weights",):
        return [torch.zeros(400, 784)]
    if op == "grad":
        given = [t for t in tensors if t.is_floating_point()]
        return {{"value": torch.tensor(1.0), "inputs": [torch.ones_like(t) for t in given[:2]],
                "objects": [[]]}}
    if op == "get":
        return 400
    if op in ("call",):
        given = [t for t in tensors if t.is_floating_point()]
        if not given:
            return wire.Handle(0, "VAE")
        return {answer}
    return None
def serve():
    global wire
    wire = sys.modules["inside.wire"]
    worker = sys.modules["inside.worker"]
    for message in worker._frames(3):
        found = []
        def walk(value):
            if isinstance(value, torch.Tensor): found.append(value)
            elif isinstance(value, dict): [walk(v) for v in value.values()]
            elif isinstance(value, (list, tuple)): [walk(v) for v in value]
        walk(message["request"])
        value = respond(message["request"], found)
        value = [] if message["request"].get("op") == "import" else value
        frame = wire.pack({{"id": message["id"], "answer": {{"value": value}}}})
        while frame:
            frame = frame[os.write(3, frame):]
class Now:
    # While the file loads: answer this request, and all that follow.
    frame = sys._getframe()
    while "message" not in frame.f_locals: frame = frame.f_back
    wire = sys.modules["inside.wire"]
    os.write(3, wire.pack({{"id": frame.f_locals["message"]["id"], "answer": {{"value": []}}}}))
    serve()
"""
"""A module that answers every request itself, in the words of the protocol. `answer`: what it says
of a call, an expression of `given`, the tensors that it was called with.
"""
