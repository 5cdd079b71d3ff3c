"""The outside half of the sandbox: starts the warm worker, talks to its children, ends them.

A protection is a promise ("no network"), not a mechanism: it counts as active when an attack on
it from inside has just failed. What takes part in keeping the promises (bubblewrap, a user of its
own, Landlock, seccomp, resource limits) is tried in turn and left out where this machine lacks it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from .inside import wire
from .inside.confine import Limits
from .reference import GIVEN, ROOT
from .results import CRASHED, MEMORY, TIMEOUT
from .submission import Lost, Send

PROTECTIONS = {
    "files hidden": ("reads files", "writes files"),
    "no network": ("reaches the network",),
    "processes bounded": ("starts processes",),
    "memory bounded": ("takes memory",),
    "disk bounded": ("fills the disk",),
    "zygote unreachable": ("reaches the zygote",),
    "killed whole": ("outlives its end",),
}
"""What is promised, and the attacks that must fail for the promise to hold."""

LIMITS = Limits(memory=1 << 30, cpu=150, file=1 << 24, processes=32)
RESIDENT = LIMITS.memory + (1 << 29)
SCRATCH_BYTES = 1 << 26
WALL = 2.0
"""Wall seconds allowed for each CPU second: a machine may be busy, a student may sleep."""

START_SECONDS = 120.0
HELLO_SECONDS = 20.0
TICK = 0.05
INSIDE = Path(__file__).with_name("inside")
FIRST_UID = 60001

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
}


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
    """A warm worker and, at most, one living child of it. Start it from a long-lived thread."""

    def __init__(self, limits: Limits = LIMITS, bubblewrap: bool = True, fork: bool = True) -> None:
        """Start and warm up a worker; bubblewrap is used where it works.

        `fork=False` starts a fresh process for every submission, as macOS needs.
        """
        if sys.platform == "win32":
            raise SandboxError(
                "Grading needs Linux or macOS. On Windows, run it in WSL (wsl --install)."
            )
        self.limits = limits
        self.advice: list[str] = []
        self.cpu = 0.0  # seconds that worker and children have used, as of the last one's end
        self._fork = fork and sys.platform.startswith("linux")
        self._scratch = ""
        self._bubblewrap = bubblewrap and self._fork and shutil.which("bwrap") is not None
        if bubblewrap and self._fork and not self._bubblewrap:
            self.advice.append("bubblewrap is not installed: apt-get install bubblewrap.")
        self._start()
        self.doctor = self._examine()

    @property
    def alive(self) -> bool:
        """Can it still fork?"""
        return self._process.poll() is None

    def open(self, files: Mapping[str, bytes]) -> Child:
        """Fork a child that holds these files. Raises Lost when it does not come up."""
        child = self._child()
        try:
            sent = {
                name: torch.frombuffer(bytearray(data), dtype=torch.uint8)
                if data
                else torch.empty(0, dtype=torch.uint8)
                for name, data in files.items()
                if name.endswith(".py")
            }
            child.send(HELLO_SECONDS)({"op": "files", "files": sent})
        except Lost:
            child.close()
            raise
        return child

    def close(self) -> None:
        """End the worker and everything below it, and remove its scratch folder."""
        with contextlib.suppress(OSError):
            self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        """Start the process; without bubblewrap when bubblewrap cannot start."""
        try:
            self._launch()
        except SandboxError as error:
            if not self._bubblewrap:
                raise
            self.advice.append(f"bubblewrap does not start: {_bubblewrap_advice(str(error))}")
            self._bubblewrap = False
            self._launch()

    def _launch(self) -> None:
        ours, theirs = socket.socketpair()
        if not self._bubblewrap and not self._scratch:
            self._scratch = tempfile.mkdtemp(prefix="hw5-scratch-")
            os.chmod(self._scratch, 0o1777)
        paths = readable()
        scratch = "/scratch" if self._bubblewrap else self._scratch
        settings = {
            "given": {name: (ROOT / f"{name}.py").read_text(encoding="utf-8") for name in GIVEN},
            "scratch": scratch,
            "read": [*paths, "/etc/ld.so.cache", "/etc/localtime", os.devnull, "/dev/urandom"],
            "uid": FIRST_UID + os.getpid() % 4000,
            "limits": asdict(self.limits),
            "tasks": self.limits.processes + _tasks_of_user(),
            "fork": self._fork,
        }
        folder = "/kit" if self._bubblewrap else str(INSIDE.parent)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        self._process = subprocess.Popen(
            [*(_bubblewrap(paths) if self._bubblewrap else []), *_python(folder, paths)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env={**ENVIRONMENT, "HOME": scratch, "MPLCONFIGDIR": scratch},
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._control = ours
        self._control.settimeout(START_SECONDS)
        self._buffer = b""
        try:
            self._tell(settings)
            self.ready = self._hear()
        except (OSError, ValueError) as error:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read()[-2000:].decode(errors="replace").strip()
            last = said.splitlines()[-1] if said else str(error)
            raise SandboxError(f"The worker did not start: {last}") from None

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
        """A fresh confined child. A dead worker is replaced once."""
        for _ in range(2):
            if not self.alive or not self._fork:
                self._restart()
            ours, theirs = socket.socketpair()
            if sys.platform.startswith("linux"):
                ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            try:
                self._tell({"do": "fork"}, [theirs.fileno()])
                if self._fork:
                    self._hear()
                theirs.close()
                return Child(self, ours, _hello(ours) or self._process.pid)
            except (OSError, ValueError):
                ours.close()
                self._process.kill()
                self._process.wait()
        raise Lost(CRASHED, "The process for your code could not be started.")

    def _restart(self) -> None:
        if getattr(self, "_used", False) or not self.alive:
            self._control.close()
            self._process.kill()
            self._process.wait()
            self._errors.close()
            self._launch()
        self._used = True

    def reap(self) -> int:
        """Kill the child and all it started; brings its wait status. -1: the worker is dead."""
        if not self._fork:
            self._process.kill()
            self._process.wait()
            return 0
        try:
            self._control.settimeout(HELLO_SECONDS)
            self._tell({"do": "reap"})
            answer = self._hear()
            self.cpu = float(answer["cpu"])
            return int(answer["status"])
        except (OSError, ValueError, KeyError):
            self._process.kill()
            self._process.wait()
            return -1

    def _examine(self) -> Doctor:
        """Attack ourselves from inside, and see what came through."""
        with tempfile.TemporaryDirectory(prefix="hw5-probe-") as folder:
            os.chmod(folder, 0o777)
            secret = Path(folder, "secret")
            secret.write_text("secret")
            secret.chmod(0o644)
            with _listeners(folder) as (address, tcp, udp):
                child = self._child()
                try:
                    found = child.send(HELLO_SECONDS)(
                        {
                            "op": "probe",
                            "secrets": [str(secret), str(ROOT / "hw5_vae.py"), __file__],
                            "folders": [folder, "/tmp", "/dev/shm", "/var/tmp"],
                            "unix": address,
                            "tcp": tcp.getsockname()[1],
                            "udp": udp.getsockname()[1],
                            "tasks": 50,
                            "room": self.limits.memory + (1 << 28),
                            "disk": SCRATCH_BYTES * 3 // 2,
                        }
                    )["value"]
                finally:
                    child.close()
                arrived = bool(select.select([tcp, udp], [], [], 0)[0])
        found["reaches the network"] = arrived or found["reaches the network"]
        found["outlives its end"] = Path(f"/proc/{child.pid}").exists()
        active = [
            name
            for name, attacks in PROTECTIONS.items()
            if not any(found.get(attack, True) for attack in attacks)
        ]
        return Doctor(
            tuple(active),
            tuple(name for name in PROTECTIONS if name not in active),
            self._mechanisms(found),
            tuple(self.advice + _advice(found)),
        )

    def _mechanisms(self, found: dict[str, Any]) -> tuple[str, ...]:
        names = {
            "bubblewrap": self._bubblewrap,
            "a user of its own": found.get("user"),
            f"Landlock {found.get('landlock')}": found.get("landlock"),
            "seccomp": found.get("seccomp"),
            "resource limits": True,
        }
        return tuple(name for name, there in names.items() if there)


class Child:
    """One submission's process, and the channel to it. A `Code` for the judge."""

    def __init__(self, zygote: Zygote, channel: socket.socket, pid: int) -> None:
        self.pid = pid
        self._zygote = zygote
        self._channel = channel
        self._channel.setblocking(False)
        self._poll = select.poll()
        self._open = True

    def send(self, seconds: float) -> Send:
        """A way to ask that ends as `timeout` once the code has used so many CPU seconds."""
        cpu_ends = self._used()[0] + seconds
        wall_ends = time.monotonic() + WALL * seconds

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            if not self._open:
                raise Lost(CRASHED, "The process that ran your code has ended.")
            answer: dict[str, Any] = self._exchange(request, cpu_ends, wall_ends)
            return answer

        return ask

    def close(self) -> None:
        """Kill the process and all it left."""
        if self._open:
            self._open = False
            self._channel.close()
            self._zygote.reap()

    def _exchange(self, request: dict[str, Any], cpu_ends: float, wall_ends: float) -> Any:
        token = secrets.token_hex(8)
        frame = memoryview(wire.pack({"id": token, "request": request}))
        if self._wait(select.POLLIN, 0):
            self._broken("it wrote without being asked")
        while frame:
            self._wait_until(select.POLLOUT, cpu_ends, wall_ends)
            try:
                frame = frame[self._channel.send(frame) :]
            except BlockingIOError:
                continue
            except OSError:
                self._ended()
        try:
            prefix = self._receive(wire.PREFIX.size, cpu_ends, wall_ends)
            head, body = wire.lengths(prefix)
            answer = wire.unpack(
                self._receive(head, cpu_ends, wall_ends), self._receive(body, cpu_ends, wall_ends)
            )
        except wire.WireError as error:
            self._broken(str(error))
        if not isinstance(answer, dict) or answer.get("id") != token or "answer" not in answer:
            self._broken("it answered something else")
        return answer["answer"]

    def _receive(self, size: int, cpu_ends: float, wall_ends: float) -> bytearray:
        data = bytearray()
        while len(data) < size:
            self._wait_until(select.POLLIN, cpu_ends, wall_ends)
            try:
                part = self._channel.recv(min(size - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                part = b""
            if not part:
                self._ended()
            data += part
        return data

    def _wait(self, event: int, seconds: float) -> bool:
        self._poll.register(self._channel, event)
        return bool(self._poll.poll(seconds * 1000))

    def _wait_until(self, event: int, cpu_ends: float, wall_ends: float) -> None:
        """Wait for the channel; meanwhile watch the clock, the CPU time and the memory."""
        while not self._wait(event, TICK):
            cpu, resident = self._used()
            if cpu > cpu_ends or time.monotonic() > wall_ends:
                self._lose(TIMEOUT, "Your code took too long. Is there a loop that does not end?")
            if resident > RESIDENT:
                self._lose(MEMORY, "Your code used more memory than a submission may.")

    def _used(self) -> tuple[float, int]:
        """CPU seconds used and bytes resident, (0, 0) where the system does not say."""
        try:
            with open(f"/proc/{self.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return 0.0, 0
        ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        return (int(fields[11]) + int(fields[12])) / ticks, int(fields[21]) * page

    def _lose(self, state: str, message: str) -> None:
        self.close()
        raise Lost(state, message)

    def _broken(self, how: str) -> None:
        self._lose(CRASHED, f"The process that ran your code broke the protocol: {how}.")

    def _ended(self) -> None:
        """The process is gone: say how."""
        self._open = False
        self._channel.close()
        status = self._zygote.reap()
        if status >= 0 and os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU:
                raise Lost(TIMEOUT, "Your code used up all its computing time.")
            if number == signal.SIGKILL:
                raise Lost(MEMORY, "The system ended your code, most likely for its memory.")
            raise Lost(CRASHED, f"Your code crashed Python itself ({_signal_name(number)}).")
        raise Lost(CRASHED, "Your code ended the Python process.")


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


def readable() -> list[str]:
    """Folders a worker needs to read: interpreter, environment, system libraries, packages."""
    packages = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    wanted = [sys.base_prefix, sys.prefix, *packages, "/usr", "/lib", "/lib64", "/bin", "/sbin"]
    there = dict.fromkeys(str(path) for path in wanted if os.path.isdir(path))
    return [path for path in there if path != "/"]


def _python(folder: str, paths: Sequence[str]) -> list[str]:
    """The worker's command line: isolated, no bytecode, our folder on the path for its import."""
    packages = [p for p in paths if Path(p).name in ("site-packages", "dist-packages")]
    program = (
        f"import sys; sys.path[:] = [p for p in sys.path if p.startswith(tuple({list(paths)!r}))];"
        f"sys.path += [p for p in {packages!r} if p not in sys.path];"
        f"sys.path.insert(0, {folder!r}); from inside import worker; sys.path.pop(0); worker.main()"
    )
    return [sys.executable, "-I", "-B", "-c", program]


def _bubblewrap(paths: Sequence[str]) -> list[str]:
    """The command that starts a program in namespaces of its own."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid"]
    command += ["--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        # A user namespace would leave root's uid outside, and with it the limits unenforced.
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL"):
            command += ["--cap-add", capability]
    else:
        command += ["--unshare-user"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    parents = [*map(Path, paths), Path("/kit/inside"), Path("/etc/x")]
    # bubblewrap makes missing parents for root alone.
    made = dict.fromkeys(str(up) for path in parents for up in reversed(path.parents))
    for folder in made:
        if folder not in ("/", *paths) and not os.path.islink(folder):
            command += ["--dir", folder]
    for path in paths:
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind", path, path]
    command += _masks(paths)
    for file in ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"):
        command += ["--ro-bind-try", file, file]
    command += ["--ro-bind", str(INSIDE), "/kit/inside"]
    command += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", "/scratch"]
    return [*command, "--"]


def _masks(paths: Sequence[str]) -> list[str]:
    """Hide the kit where it lies inside a folder that is shown, the environment excepted."""
    root = str(ROOT)
    if not any(root == path or root.startswith(path + "/") for path in paths):
        return []
    inside = [path for path in paths if path.startswith(root + "/")]
    command = ["--tmpfs", root]
    for path in inside:
        command += ["--ro-bind", path, path]
    return command


def _hello(channel: socket.socket) -> int:
    """Wait for the child's first byte; brings its process id as we know it (0 where unknown)."""
    channel.settimeout(HELLO_SECONDS)
    if not sys.platform.startswith("linux"):
        if channel.recv(1) != b"H":
            raise OSError("the child did not come up")
        return 0
    data, extra, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(12))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    if data != b"H":
        raise OSError("the child did not come up")
    for level, kind, payload in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(struct.unpack("3i", payload[:12])[0])
    return 0


def _tasks_of_user() -> int:
    """How many tasks our user has now: a child that stays our user shares the count."""
    count = 0
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == os.geteuid():
                count += len(os.listdir(f"/proc/{name}/task"))
    return count


def _advice(found: Mapping[str, Any]) -> list[str]:
    """What would bring back a missing mechanism."""
    advice = []
    if not found.get("seccomp"):
        advice.append("seccomp is missing: install libseccomp2 and `pip install pyseccomp`.")
    if not found.get("landlock"):
        advice.append("Landlock is missing: it needs Linux 5.13 or newer with it switched on.")
    return advice


def _bubblewrap_advice(said: str) -> str:
    if "uid map" in said or "namespace" in said or "Permission" in said:
        return (
            f"{said} User namespaces are switched off; on Ubuntu 24.04, allow them for bwrap with "
            "an AppArmor profile, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return said


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
