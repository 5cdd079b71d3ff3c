"""Runs the corpus in a worker of one mode, and says how each try ended and what it left behind."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from autograder.checking.modules import ROOT
from autograder.checking.proxy import Lost, StudentError
from autograder.inside.confine import Limits
from autograder.sandbox import launch
from autograder.sandbox.child import Child
from autograder.sandbox.zygote import Zygote
from tests.attacks.tools import (
    BUBBLEWRAP,
    CLOSED,
    JUDGE,
    LANDLOCK,
    LAYERS,
    LIMITS,
    SECCOMP,
    TRIES,
    USER,
    WATCH,
    Try,
)
from tests.attacks.tries import ends, files, memory, processes
from tests.autograder.attacks import FORGER, Talk

PATIENCE = 2.0
CLAIMS = "has the judge compute without end"
TRIES[CLAIMS] = Try(CLAIMS, (JUDGE,), True, ("timeout", "fail"), PATIENCE, lambda: None)

SMALL = Limits(memory=512 << 20, cpu=8, file=1 << 24, processes=32)
LONGEST = 30.0
"""Seconds on the clock that the judge may be kept by any try, on a machine that is busy."""

CORPUS = (processes, files, memory, ends)
MAIN = "import tools\n" + "".join(
    f"import {module.__name__.rpartition('.')[2]}\n" for module in CORPUS
)
MAIN += """
def tried(names, aims):
    return tools.tried(names, aims)

def answer(name, aims):
    tools.aims.update(aims)
    return tools.TRIES[name].run()
"""

OFF = {
    USER: "confine.become = lambda uid: False",
    LIMITS: "confine.limit = lambda limits: None",
    LANDLOCK: "confine.landlock = lambda rules: 0",
    SECCOMP: "confine.compile_filter = lambda *_: b''",
}
"""What switches a layer off, in the worker. Nothing of the kind is in the kit."""


@dataclass(frozen=True)
class Mode:
    """`layers`: those that are on; `here`: the worker is forked from the judge, as on Gradescope;
    `root`: or else an ordinary user starts it.
    """

    layers: frozenset[str]
    here: bool = False
    root: bool = True


EVERY = frozenset(LAYERS)
MODES = {
    "all layers": Mode(EVERY),
    "no bubblewrap": Mode(EVERY - {BUBBLEWRAP}),
    "ordinary user": Mode(EVERY - {USER}, root=False),
    "ordinary user, no bubblewrap": Mode(EVERY - {USER, BUBBLEWRAP}, root=False),
    "worker forked from the judge": Mode(EVERY - {BUBBLEWRAP}, here=True),
    "Gradescope's container": Mode(EVERY - {BUBBLEWRAP, LANDLOCK} | {CLOSED}, here=True),
    **{f"without {layer}": Mode(EVERY - {layer}) for layer in LAYERS if layer != BUBBLEWRAP},
}


@dataclass(frozen=True)
class Ended:
    """`how` begins with "through" where nothing stopped it; `left`: what is not as before."""

    how: str
    left: tuple[str, ...] = ()

    @property
    def through(self) -> bool:
        return self.how.startswith("through")


def wrong(one: Try, ended: Ended, mode: Mode) -> bool:
    """Was it not stopped by what must stop it, and is there something of it left?"""
    if ended.how.startswith("broken") or (one.ends and ended.how not in one.ends):
        return True
    stops = set(one.stopped_by) & (mode.layers | {JUDGE})
    return bool(stops) and (ended.through or bool(ended.left))


def run(mode: Mode, each: bool = False, like: str = "") -> dict[str, Ended]:
    """How every try ends whose name has `like` in it: many in one process, or `each` in its own.

    What is left behind is looked for after all, and then after each that got through.
    """
    tries = [one for one in TRIES.values() if re.search(like, one.name)]
    with targets() as aims, _switched(mode, aims):
        bubblewrap = BUBBLEWRAP in mode.layers
        with Zygote(SMALL, bubblewrap=bubblewrap, here=mode.here) as zygote:
            mechanisms = zygote.doctor.mechanisms
            assert (BUBBLEWRAP in mechanisms) == bubblewrap, zygote.doctor
            for layer, name in ((USER, "a user"), (LANDLOCK, "Landlock"), (SECCOMP, "seccomp")):
                there = any(one.startswith(name) for one in mechanisms)
                assert there == (layer in mode.layers), (layer, mechanisms)
            return _Run(zygote, aims).all(tries, each)


class _Run:
    """One worker, and what it is aimed at."""

    def __init__(self, zygote: Zygote, aims: Aims) -> None:
        self._zygote, self._aims = zygote, aims
        folder = Path(__file__).parent
        sources = {"tools": (folder / "tools.py").read_text()}
        for module in CORPUS:
            name = module.__name__.rpartition(".")[2]
            text = Path(str(module.__file__)).read_text()
            sources[name] = text.replace("from tests.attacks.tools import", "from tools import")
        self._files = {name: text.encode() for name, text in sources.items()}
        self._before = self._portrait()

    def all(self, tries: Sequence[Try], each: bool) -> dict[str, Ended]:
        found: dict[str, Ended] = {}
        if not each:
            found |= self._together([one.name for one in tries if not one.alone])
        for one in tries:
            if one.name not in found:
                found[one.name] = self._alone(one, look=each)
        if left := self._left():
            found[ALL] = Ended("ended", left)
        return found

    def _together(self, names: Sequence[str]) -> dict[str, Ended]:
        """Many in one process; none where it did not come back."""
        with self._talk(20.0) as talk:
            try:
                said = talk.call("tried", list(names), self._aims)
            except Lost:
                return {}
        return {name: Ended(said[name]) for name in names}

    def _alone(self, one: Try, look: bool) -> Ended:
        if one.name == CLAIMS:
            return Ended(_computes(self._zygote))
        began = time.monotonic()
        how = self._answered(one) if JUDGE in one.stopped_by else self._tried(one)
        if time.monotonic() - began > LONGEST:
            how = f"through (it took {time.monotonic() - began:.0f} s)"
        if not look or not how.startswith("through"):
            return Ended(how)
        left = self._left()
        _lay(self._aims)
        return Ended(how, left)

    def _tried(self, one: Try) -> str:
        with self._talk(one.seconds) as talk:
            try:
                return str(talk.call("tried", [one.name], self._aims)[one.name])
            except Lost as lost:
                return lost.state

    def _answered(self, one: Try) -> str:
        """What the judge makes of it; anything but one of its own errors got through."""
        with self._talk(one.seconds) as talk:
            try:
                talk.call("answer", one.name, self._aims)
                talk.call("tried", [], {})
                return "answered"
            except Lost as lost:
                return lost.state
            except StudentError as error:
                return error.kind
            except Exception as error:
                return f"through ({type(error).__name__}: {error})"

    def _talk(self, seconds: float) -> Talk:
        return Talk(self._zygote, MAIN, seconds, **self._files)

    def _left(self) -> tuple[str, ...]:
        after = self._portrait()
        return tuple(name for name, value in self._before.items() if after[name] != value)

    def _portrait(self) -> dict[str, Any]:
        """All that a try could have changed, and how an honest submission now fares."""
        found: dict[str, Any] = {**_outside(self._aims), "a message": self._aims.arrived()}
        x = torch.linspace(0, 1, 2 * 784).reshape(2, 1, 28, 28)
        with Talk(self._zygote, HONEST) as talk:
            numbers, *rest = talk.call("f", x)
            found["another answer to honest work"] = numbers.numpy().tobytes(), rest
            found["a file in the next student's folder"] = talk.call("files")
            pid = _field(talk.child.pid, 1)
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            found["another limit of the worker"] = Path(f"/proc/{pid}/limits").read_text()
            found["a process"] = _below(pid) - {talk.child.pid}
        keep = ("Uid", "Gid", "Groups", "SigCgt", "SigIgn", "SigBlk", "Threads", "Cap", "Cpus_al")
        found["another state of the worker"] = [line for line in status if line.startswith(keep)]
        found["another priority of the worker"] = os.getpriority(os.PRIO_PROCESS, pid)
        return found


def _computes(zygote: Zygote) -> str:
    """Claim the widest layers that are believed, whatever is asked: what the judge makes of them is
    to be charged to the submission.
    """
    # Only now: where the worker is forked from us, it must not have found any answers here.
    from autograder.assignment import read_assignment
    from autograder.checking.reference import Reference
    from autograder.grading import judge as judging
    from autograder.parts import all_checks

    claimed = FORGER.format(answer="given[0]").replace("[400, 784], [400], [20, 400]", WIDE)
    assignment, explaining = read_assignment(), judging.EXPLAINING_SECONDS
    judging.EXPLAINING_SECONDS = PATIENCE
    torch.set_num_threads(1)
    began = time.process_time()
    try:
        results = judging.judge(
            {"hw5_vae.py": claimed.encode()},
            (assignment.part("fc-vae"),),
            all_checks(assignment),
            Reference(),
            zygote.open,
            seed=7,
            patience=PATIENCE,
        )
    finally:
        judging.EXPLAINING_SECONDS = explaining
    spent = time.process_time() - began
    earned = sum(one.points or 0 for one in results)
    states = {one.state for one in results if one.kind == "code"}
    if earned or "ungradable" in states or spent > 4 * PATIENCE + 2:
        return f"through ({earned:g} points, {spent:.1f} s)"
    return "timeout" if "timeout" in states else "fail"


WIDE = "[4096, 4000], [4096, 4000]"

ALL = "all of them"

HONEST = """
import os, torch
from torch import nn
def f(x):
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2704, 5))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(3):
        optimizer.zero_grad(); net(x).pow(2).mean().backward(); optimizer.step()
    return net(x).detach(), torch.get_num_threads(), torch.is_grad_enabled(), torch.rand(3).dtype
def files():
    return os.listdir(".")
"""


def _field(pid: int, number: int) -> int:
    """A field of /proc/PID/stat, counted from the state."""
    data = Path(f"/proc/{pid}/stat").read_bytes()
    return int(data.rpartition(b")")[2].split()[number])


def _below(pid: int) -> set[int]:
    """The children of a process, and theirs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children}.union(*(_below(int(c)) for c in children))


def _outside(aims: dict[str, Any]) -> dict[str, Any]:
    """The files that are attacked, and what the kernel keeps for everybody."""
    found: dict[str, Any] = {}
    for name in ("outside", "environment"):
        paths = [Path(aims[name]), *sorted(Path(aims[name]).rglob("*"))]
        found[f"a change of the {name}"] = [
            (str(path), (s := path.lstat()).st_mode, s.st_size, s.st_nlink, _marks(path))
            + (() if path.is_dir() else (s.st_mtime,))
            for path in paths
        ]
    for what in ("sysvipc/shm", "sysvipc/sem", "sysvipc/msg", "sys/fs/aio-nr"):
        with contextlib.suppress(OSError):
            found[f"an entry of /proc/{what}"] = Path("/proc", what).read_text()
    for folder in ("/dev/shm", tempfile.gettempdir()):
        found[f"a file in {folder}"] = {n for n in os.listdir(folder) if "left-behind" in n}
    return found


def _marks(path: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listxattr(path, follow_symlinks=False)
    return []


@contextlib.contextmanager
def targets() -> Iterator[Aims]:
    """Files and listeners to attack; what is called `environment` can be read in the sandbox, as
    Python's own packages can, and belongs to whoever grades.
    """
    with (
        tempfile.TemporaryDirectory(prefix="hw5-attacked-") as folder,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket() as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        os.chmod(folder, 0o755)
        outside, environment = Path(folder, "outside"), Path(folder, "environment")
        unix.bind(f"{folder}/socket")
        os.chmod(f"{folder}/socket", 0o777)
        # Its name is the machine's, also in a namespace of processes where our number is not.
        name = f"hw5-attacked-{secrets.token_hex(8)}"
        abstract.bind(f"\0{name}".encode())
        for one in (tcp, udp):
            one.bind(("127.0.0.1", 0))
        for one in (unix, abstract, tcp):
            one.listen()
        for one in (unix, abstract, tcp, udp):
            one.setblocking(False)
        answers = ("hw5_vae.py", "hw5_gan.py", "autograder/parts/fc_vae/checks.py")
        aims: dict[str, Any] = {
            "answers": [str(ROOT / name) for name in answers],
            "outside": str(outside),
            "environment": str(environment),
            "file": str(outside / "file"),
            "module": str(environment / "module.py"),
            "unix": f"{folder}/socket",
            "abstract": name,
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
        }
        assert all(Path(path).exists() for path in aims["answers"])
        _lay(aims)
        yield Aims(aims, (unix, abstract, tcp), udp)


class Aims(dict[str, Any]):
    """What is sent into the sandbox; what came out of it through the network stays here."""

    def __init__(
        self, aims: dict[str, Any], streams: Sequence[socket.socket], udp: socket.socket
    ) -> None:
        super().__init__(aims)
        self._streams, self._udp = streams, udp

    def arrived(self) -> list[str]:
        """Who came since this was last asked."""
        found = []
        for one in self._streams:
            with contextlib.suppress(BlockingIOError):
                one.accept()[0].close()
                found.append("a connection")
        with contextlib.suppress(BlockingIOError):
            while self._udp.recv(10):
                found.append("a packet")
        return found


def _lay(aims: dict[str, Any]) -> None:
    """Put in place what is attacked, as it was."""
    for name, mode in (("outside", 0o777), ("environment", 0o755)):
        folder = Path(aims[name])
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        folder.chmod(mode)
    for name, mode in (("file", 0o666), ("module", 0o644)):
        path = Path(aims[name])
        path.write_text("theirs")
        path.chmod(mode)
        os.utime(path, (10**9, 10**9))
    with contextlib.suppress(OSError):
        os.setxattr(aims["module"], "user.mark", b"x")


@contextlib.contextmanager
def _switched(mode: Mode, aims: dict[str, Any]) -> Iterator[None]:
    """While it lasts, workers start without the layers that the mode has not."""
    off = [OFF[layer] for layer in LAYERS if layer in OFF and layer not in mode.layers]
    if not mode.root:
        off = [line for line in off if line != OFF[USER]]  # they have none anyway
    readable, python = launch.readable, launch.python
    used, crowded = Child._used, Zygote._crowded

    def without(*args: Any, **kwargs: Any) -> list[str]:
        command = python(*args, **kwargs)
        imports = "from inside import worker;"
        assert imports in command[-1]
        command[-1] = command[-1].replace(
            imports, f"from inside import confine, worker; {'; '.join([*off, 'pass'])};"
        )
        return command

    launch.readable = lambda: [*readable(), str(aims["environment"])]
    launch.python = without
    if WATCH not in mode.layers:
        Child._used = lambda self: (0.0, 0)  # type: ignore[method-assign]
        Zygote._crowded = lambda self, stopped: False  # type: ignore[method-assign]
    try:
        yield
    finally:
        launch.readable, launch.python = readable, python
        Child._used, Zygote._crowded = used, crowded  # type: ignore[method-assign]
