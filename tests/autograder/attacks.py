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
