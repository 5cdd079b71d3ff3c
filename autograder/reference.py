"""The live reference: our solutions, loaded by absolute path, asked through a session.

Its answers are remembered: the same inputs go to every submission of a batch, so the reference
computes each answer once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

from .inside import wire
from .inside.session import Session
from .submission import Send

ROOT = Path(__file__).resolve().parent.parent
GIVEN = ("hw5_utils", "hw5_figures")
SOLUTIONS = ("hw5_vae", "hw5_gan")
MEMORY = 1 << 28


class Reference:
    """The solution modules and the answers they have given so far."""

    def __init__(self, root: Path = ROOT) -> None:
        """Load the modules that lie in `root`. Raises FileNotFoundError naming the file."""
        self._modules = load_modules(root)
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        self._held = 0

    def send(self) -> Send:
        """A fresh talk with the reference, as a check begins one."""
        session = Session(self._modules.__getitem__)
        waiting: list[dict[str, Any]] = []
        chain = b""

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            nonlocal chain
            chain = hashlib.blake2b(chain + wire.pack(request), digest_size=16).digest()
            waiting.append(request)
            if chain not in self._answers:
                # An answer depends on the objects that earlier requests made: catch up first.
                while waiting:
                    answer = session.answer(waiting.pop(0))
                self._remember(chain, bytes(wire.pack(answer)))
            return self._recall(chain)

        return ask

    def _remember(self, chain: bytes, frame: bytes) -> None:
        self._answers[chain] = frame
        self._held += len(frame)
        while self._held > MEMORY and len(self._answers) > 1:
            self._held -= len(self._answers.popitem(last=False)[1])

    def _recall(self, chain: bytes) -> dict[str, Any]:
        self._answers.move_to_end(chain)
        frame = self._answers[chain]
        head, _ = wire.lengths(frame[: wire.PREFIX.size])
        start = wire.PREFIX.size + head
        answer: dict[str, Any] = wire.unpack(
            frame[wire.PREFIX.size : start], bytearray(frame[start:])
        )
        return answer


def load_modules(root: Path) -> dict[str, ModuleType]:
    """Execute the given and solution modules of `root`, never anything from sys.path.

    They import one another by their flat names, which are therefore bound while they load and
    given back afterwards.
    """
    modules: dict[str, ModuleType] = {}
    before = {name: sys.modules.get(name) for name in (*GIVEN, *SOLUTIONS)}
    try:
        for name in (*GIVEN, *SOLUTIONS):
            path = root / f"{name}.py"
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                raise FileNotFoundError(f"{path}: the reference module is missing")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = modules[name] = module
            spec.loader.exec_module(module)
    finally:
        for name, module_before in before.items():
            if module_before is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module_before
    return modules
