"""The outside half of the sandbox: starts the warm worker, talks to its children, ends them.

A protection is a promise ("no network"), not a mechanism: it counts as active when an attack on
it from inside has just failed. What takes part in keeping the promises (bubblewrap, a user of its
own, Landlock, seccomp, resource limits) is tried in turn and left out where this machine lacks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..checking.modules import ROOT, SOLUTIONS
from ..checking.proxy import Lost, WorkerDied
from ..inside.confine import Limits
from ..inside.scratch import crowded, empty
from ..inside.wire import WireError, as_bytes, as_tensors
from ..results import CRASHED
from . import launch
from .child import CROWDED, WALL, Child
from .codes import Codes, Recent
from .users import tasks_of_user

PROTECTIONS = {
    "answers hidden": ("reads answers",),
    "files hidden": ("reads files", "writes files"),
    "no network": ("reaches the network",),
    "processes bounded": ("starts processes",),
    "memory bounded": ("takes memory",),
    "disk bounded": ("fills the disk",),
    "files bounded": ("makes files",),
    "zygote unreachable": ("reaches the zygote",),
    "killed whole": ("outlives its end",),
}
"""What is promised, and the attacks that must fail for the promise to hold."""

RESIDENT = 1 << 29
"""Bytes that a child has resident before it asks for any of its own, and some more."""

TOO_MUCH = "Your submission has more Python files, or larger ones, than one process can be given."

START_SECONDS = 120.0
HELLO_SECONDS = 20.0


class SandboxError(RuntimeError):
    """No worker can be started here; the sentence says why and what to do."""


@dataclass(frozen=True)
class Doctor:
    """What holds on this machine.

    `active`: the promises of PROTECTIONS whose attacks failed; `mechanisms`: what takes part;
    `advice`: for what is missing, a sentence each.
    """

    active: tuple[str, ...]
    missing: tuple[str, ...]
    mechanisms: tuple[str, ...]
    advice: tuple[str, ...]


class Zygote:
    """A warm worker and, at most, one living child of it. Start it from a long-lived thread.

    `codes`: where it keeps what files were compiled to.
    """

    def __init__(
        self,
        limits: Limits = launch.LIMITS,
        bubblewrap: bool = True,
        fork: bool = True,
        wall: float = WALL,
        here: bool = False,
    ) -> None:
        """Start and warm up a worker; bubblewrap is used where it works.

        `fork=False` starts a fresh process for every submission, as macOS needs. `wall`: seconds on
        the clock allowed for each CPU second. `here=True` forks the worker from this process, whose
        memory it shares (see launch.Forked), and does without bubblewrap.
        """
        if sys.platform == "win32":
            raise SandboxError(
                "Grading needs Linux or macOS. On Windows, run it in WSL (wsl --install)."
            )
        self.limits = limits
        self.codes: Codes = Recent()
        self.advice: list[str] = []
        self.cpu = 0.0  # seconds that worker and children have used, as of the last one's end
        self._spent = False
        self._layers = 0
        self._scratch = ""
        self._fork = fork and sys.platform.startswith("linux")
        self._wall = wall
        bubblewrap = bubblewrap and self._fork and not here
        there = bubblewrap and shutil.which("bwrap") is not None
        if bubblewrap and not there:
            self.advice.append("bubblewrap is not installed: apt-get install bubblewrap.")
        self._how = launch.How(limits, there, self._fork, here)
        self._start()
        self._tasks = limits.processes + tasks_of_user()
        self.doctor = self._examine()

    @property
    def alive(self) -> bool:
        """Can it still fork?"""
        return self._process.poll() is None

    def open(self, files: Mapping[str, bytes]) -> Child:
        """Fork a child that holds these files. Raises Lost when it does not come up."""
        child = self._child()
        try:
            sources = {name: data for name, data in files.items() if name.endswith(".py")}
            known = {
                name: code
                for name, data in sources.items()
                if (code := self.codes.find(name, data))
            }
            asked = {"files": as_tensors(sources), "codes": as_tensors(known)}
            # What cannot be compiled says so when it is imported.
            made = child.send(HELLO_SECONDS)({"op": "files", **asked}).get("value", {})
            for name, code in as_bytes(made).items():
                if name in sources:  # one that is no text travels under another
                    self.codes.keep(name, sources[name], code)
        except WireError:
            child.close()
            raise Lost(CRASHED, TOO_MUCH) from None
        except BaseException:
            child.close()
            raise
        return child

    def close(self) -> None:
        """End the worker and everything below it, and remove its scratch folder."""
        with contextlib.suppress(OSError):
            self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        launch.end(self._process)
        self._errors.close()
        self._forget_scratch()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _forget_scratch(self) -> None:
        if self._scratch and os.path.isdir(self._scratch):
            empty(self._scratch)
            with contextlib.suppress(OSError):
                os.rmdir(self._scratch)
        self._scratch = ""

    def _start(self) -> None:
        """Start the process; without bubblewrap when bubblewrap cannot start."""
        try:
            self._launch()
        except SandboxError as error:
            if not self._how.bubblewrap:
                raise
            self.advice.append(f"bubblewrap does not start: {launch.advice(str(error))}")
            self._how = replace(self._how, bubblewrap=False)
            self._launch()

    def _launch(self) -> None:
        self._forget_scratch()
        worker = launch.started(self._how)
        # Once only: before a second one is needed, this process has loaded the answers.
        self._how = replace(self._how, here=False)
        self._process, self._errors, self._scratch = worker.process, worker.errors, worker.scratch
        self._control = worker.control
        self._control.settimeout(START_SECONDS)
        self._buffer = b""
        try:
            self.ready = self._hear()
        except (OSError, ValueError) as error:
            self._kill()
            self._errors.seek(0)
            said = self._errors.read()[-2000:].decode(errors="replace").strip()
            last = said.splitlines()[-1] if said else str(error)
            self._errors.close()
            self._forget_scratch()
            raise SandboxError(f"The worker did not start: {last}") from None

    def _kill(self) -> None:
        """End the worker's process at once. What it had forked asked to die with it."""
        self._control.close()
        launch.end(self._process)

    def _tell(self, command: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        text = json.dumps(command).encode() + b"\n"
        if descriptors:
            socket.send_fds(self._control, [text], descriptors)
        else:
            self._control.sendall(text)

    def _hear(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            part = self._control.recv(1 << 16)
            if not part:
                raise OSError("the worker ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _child(self) -> Child:
        """A fresh confined child. A worker that is dead, or fails at it, is replaced once."""
        for _ in range(2):
            if not self.alive or self._spent:
                self._restart()
            self._spent = not self._fork
            ours, theirs = socket.socketpair()
            if sys.platform.startswith("linux"):
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            try:
                with theirs:
                    self._tell({"do": "fork", "tasks": self._tasks}, [theirs.fileno()])
                    if self._fork:
                        self._hear()
                pid, layers = _hello(ours)
                self._layers = self._layers or layers
                if layers != self._layers:
                    raise OSError("a layer of the sandbox is missing")
                memory = self.limits.memory + RESIDENT
                pid = pid or self._process.pid
                return Child(ours, pid, memory, self.reap, self._wall, self._crowded)
            except (OSError, ValueError):
                ours.close()
                self._kill()
        # No student code was in it yet: nobody may lose a mark by this.
        raise SandboxError("No process for a submission can be started here. Is memory short?")

    def _crowded(self, stopped: contextlib.AbstractContextManager[None]) -> bool:
        """Has the child made more files than it may, or too large ones? A disk of its own bounds
        them by itself."""
        if not self._scratch or not os.listdir(self._scratch):
            return False
        with stopped:
            return crowded(self._scratch, launch.DISK.files, launch.DISK.bytes)

    def _restart(self) -> None:
        self._kill()
        self._errors.close()
        self._launch()

    def reap(self, grace: float = 0.0) -> int | None:
        """Kill the child and all it started; brings its wait status.

        None when it was alive after `grace` seconds. Raises WorkerDied when the worker is dead.
        """
        if not self._fork:
            return self._reap_alone(grace)
        try:
            self._control.settimeout(HELLO_SECONDS)
            self._tell({"do": "reap", "grace": grace})
            answer = self._hear()
            self.cpu = float(answer["cpu"])
            # What cannot be removed must not meet the next student.
            self._spent = not answer["clean"]
            status: int | None = answer["status"]
            return status
        except (OSError, ValueError, KeyError):
            self._kill()
            raise WorkerDied(CRASHED, "The process for your code was ended from outside.") from None

    def _reap_alone(self, grace: float) -> int | None:
        try:
            code = self._process.wait(grace)
        except subprocess.TimeoutExpired:
            code = None
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what it has left behind
        self._kill()
        return None if code is None else -code if code < 0 else code << 8

    def _examine(self) -> Doctor:
        """Attack ourselves from inside, and see what came through."""
        with targets(self.limits, launch.DISK) as (aims, arrived):
            child = self._child()
            try:
                found = child.send(HELLO_SECONDS)({"op": "probe", **aims})["value"]
                # Last: where files are counted, the child does not live to tell.
                found["makes files"] = _floods(child, aims["files"])
            finally:
                child.close()
            found["reaches the network"] = arrived() or found["reaches the network"]
        found["outlives its end"] = Path(f"/proc/{child.pid}").exists()
        active = held(found)
        return Doctor(
            active,
            tuple(name for name in PROTECTIONS if name not in active),
            self._mechanisms(found),
            tuple(self.advice + _advice(found)),
        )

    def _mechanisms(self, found: dict[str, Any]) -> tuple[str, ...]:
        names = {
            "bubblewrap": self._how.bubblewrap,
            "a user of its own": found.get("user"),
            f"Landlock {found.get('landlock')}": found.get("landlock"),
            "seccomp": found.get("seccomp"),
            "resource limits": True,
        }
        return tuple(name for name, there in names.items() if there)


def _floods(child: Child, files: int) -> bool:
    """Is there no end of the files that it can make?"""
    try:
        return bool(child.send(HELLO_SECONDS)({"op": "flood", "files": files})["value"])
    except Lost as lost:
        return lost.message != CROWDED


def held(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The promises of PROTECTIONS of which every attack was tried, and failed."""
    return tuple(
        name
        for name, attacks in PROTECTIONS.items()
        if not any(found.get(attack, True) for attack in attacks)
    )


@contextlib.contextmanager
def targets(
    limits: Limits, disk: launch.Disk
) -> Iterator[tuple[dict[str, Any], Callable[[], bool]]]:
    """What the probe is to attack, and whether anything has come through the network."""
    with tempfile.TemporaryDirectory(prefix="hw5-probe-") as folder:
        os.chmod(folder, 0o777)
        secret = Path(folder, "secret")
        secret.write_text("secret")
        secret.chmod(0o644)
        with _listeners(folder) as (address, tcp, udp):
            aims = {
                "answers": [__file__, *(f"{ROOT}/{name}.py" for name in SOLUTIONS)],
                "secrets": [str(secret)],
                "folders": [folder, "/tmp", "/dev/shm", "/var/tmp"],
                "unix": address,
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "tasks": limits.processes + 18,
                "room": limits.memory + (1 << 28),
                "disk": disk.bytes * 3 // 2,
                "files": disk.files * 3 // 2,
            }
            yield aims, lambda: bool(select.select([tcp, udp], [], [], 0)[0])


@contextlib.contextmanager
def _listeners(folder: str) -> Iterator[tuple[str, socket.socket, socket.socket]]:
    """Somebody to reach: a Unix socket in `folder`, and TCP and UDP on the loopback."""
    address = str(Path(folder, "socket"))
    with (
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket() as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        unix.bind(address)
        os.chmod(address, 0o777)
        unix.listen()
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        yield address, tcp, udp


def _hello(channel: socket.socket) -> tuple[int, int]:
    """Wait for the child's first byte; brings its process id as we know it (0 where unknown),
    and the byte, which says what layers it has taken on.
    """
    channel.settimeout(HELLO_SECONDS)
    if not sys.platform.startswith("linux"):
        data, extra = channel.recv(1), list[Any]()
    else:
        data, extra, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(12))
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    if not data:
        raise OSError("the child did not come up")
    for level, kind, payload in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(struct.unpack("3i", payload[:12])[0]), data[0]
    return 0, data[0]


def _advice(found: Mapping[str, Any]) -> list[str]:
    """What would bring back a missing mechanism."""
    advice = []
    if not found.get("seccomp"):
        advice.append("seccomp is missing: install libseccomp2 and `pip install pyseccomp`.")
    if not found.get("landlock"):
        advice.append("Landlock is missing: it needs Linux 5.13 or newer with it switched on.")
    return advice
