"""How a worker is started: as an interpreter alone, inside bubblewrap, or forked from ourselves.

Nothing slow is imported here, so that a worker can import torch while its judge does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from .. import inside
from ..checking.modules import GIVEN, ROOT
from ..inside.confine import Limits
from .users import user_of_children

INSIDE = Path(inside.__file__).parent
SCRATCH = "/scratch"
"""Where the scratch disk of a worker in bubblewrap is."""

_KIT = __name__.partition(".")[0]
SECRET = tuple(
    f"{_KIT}.{name}"
    for name in ("parts", "checking.registry", "checking.catalogue", "grading.judge")
)
"""Modules, by the beginning of their names, that hold what no worker may see."""


@dataclass(frozen=True)
class Disk:
    """What fits on a scratch disk: bytes, and files and folders, whatever their size."""

    bytes: int
    files: int


DISK = Disk(bytes=1 << 26, files=1 << 11)
LIMITS = Limits(memory=1 << 30, cpu=150, file=1 << 24, processes=32)
"""What a submission may have at once."""

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


@dataclass(frozen=True)
class How:
    """Within which limits a worker's children run, and how it is started: inside bubblewrap; as one
    that forks them; forked from this process (see Forked), which takes no bubblewrap.
    """

    limits: Limits = LIMITS
    bubblewrap: bool = True
    fork: bool = True
    here: bool = False


@dataclass
class Started:
    """A worker that has been started and told what it needs; it will say that it is ready.

    `control`: its socket; `errors`: what it says until then; `scratch`: its folder on the disk,
    none where it has a disk of its own.
    """

    how: How
    process: subprocess.Popen[bytes] | Forked
    control: socket.socket
    errors: BinaryIO
    scratch: str


def start(how: How) -> Started:
    """Start a worker's process. Raises OSError."""
    scratch, folder = "", str(INSIDE.parent)
    if how.bubblewrap:
        folder = "/kit"
    else:
        scratch = tempfile.mkdtemp(prefix="hw5-scratch-")
        os.chmod(scratch, 0o1777)
    paths = readable()
    settings = {
        "given": {name: (ROOT / f"{name}.py").read_text(encoding="utf-8") for name in GIVEN},
        "scratch": scratch or SCRATCH,
        "read": [*paths, "/etc/ld.so.cache", "/etc/localtime", os.devnull, "/dev/urandom"],
        "uid": user_of_children(),
        "limits": asdict(how.limits),
        "fork": how.fork,
    }
    homes = dict.fromkeys(("HOME", "TMPDIR", "MPLCONFIGDIR"), scratch or SCRATCH)
    environment = {**ENVIRONMENT, **homes}
    errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
    ours, theirs = socket.socketpair()
    process: subprocess.Popen[bytes] | Forked
    if how.here:
        process = Forked(theirs, errors, environment, paths)
    else:
        process = subprocess.Popen(
            [
                *(bubblewrap(paths) if how.bubblewrap else []),
                *python(folder, paths, disk=DISK if how.bubblewrap else None),
            ],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    theirs.close()
    with contextlib.suppress(OSError):  # it has ended; whoever waits for it will hear
        ours.sendall(json.dumps(settings).encode() + b"\n")
    return Started(how, process, ours, errors, scratch)


_ahead: list[Started] = []


def start_ahead() -> None:
    """Start the worker that this process will need, before it imports what that takes, too. What it
    imports is no garbage: `batch.Bench` has it looked for again.
    """
    gc.disable()
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # who needs one tries again, and says why not
            _ahead.append(start(How(bubblewrap=shutil.which("bwrap") is not None)))


def started(how: How) -> Started:
    """The worker that was started ahead, where it is one of this kind; or else a new one."""
    return _ahead.pop() if _ahead and _ahead[0].how == how else start(how)


def end(process: subprocess.Popen[bytes] | Forked) -> None:
    """End at once what was started here, and what is right below it.

    A process in bubblewrap asks to die with it only once all is set up. Until then it waits for
    bubblewrap, and would for ever if that were killed alone.
    """
    if process.returncode is None:  # nobody else can have its number
        os.kill(process.pid, signal.SIGSTOP)
        with contextlib.suppress(OSError):
            below = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            for child in map(int, below):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)  # with what began before it stopped
    process.kill()
    process.wait()


def readable() -> list[str]:
    """Folders a worker needs to read: interpreter, environment, system libraries, packages."""
    packages = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    wanted = [sys.base_prefix, sys.prefix, *packages, "/usr", "/lib", "/lib64", "/bin", "/sbin"]
    there = dict.fromkeys(str(path) for path in wanted if os.path.isdir(path))
    return [path for path in there if path != "/"]


def python(
    folder: str, paths: Sequence[str], module: str = "worker", disk: Disk | None = None
) -> list[str]:
    """The command line of a module of `inside`: isolated, no bytecode, our folder on the path for
    its import. `disk`: what it mounts first, in bubblewrap.
    """
    packages = [p for p in paths if Path(p).name in ("site-packages", "dist-packages")]
    program = (
        f"import sys; sys.path[:] = [p for p in sys.path if p.startswith(tuple({list(paths)!r}))];"
        f"sys.path += [p for p in {packages!r} if p not in sys.path];"
        f"sys.path.insert(0, {folder!r}); "
    )
    if disk:
        # Before torch is imported, which may start threads: each has rights of its own.
        arguments = f"{SCRATCH!r}, {disk.bytes}, {disk.files}"
        program += f"from inside import confine; confine.mount_scratch({arguments}); "
    # Nothing that is imported is garbage, and to look for some takes a tenth of the time.
    program += f"import gc; gc.disable(); from inside import {module}; "
    program += f"gc.enable(); sys.path.pop(0); {module}.main()"
    return [sys.executable, "-I", "-B", "-c", program]


def bubblewrap(paths: Sequence[str], shown: Mapping[str, str] | None = None) -> list[str]:
    """The command that starts, in namespaces of its own, what `python` says; it has to mount its
    scratch disk, and keeps the right to for that long.

    `shown`: more folders that can be read in there, by the name they get.
    """
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid"]
    command += ["--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    command += ["--cap-add", "CAP_SYS_ADMIN"]
    if os.geteuid() == 0:
        # A user namespace would leave root's uid outside, and with it the limits unenforced.
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL"):
            command += ["--cap-add", capability]
    else:
        command += ["--unshare-user"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    # Mapped and shared, it is memory that no limit counts.
    command += ["--dev-bind", os.devnull, "/dev/zero"]
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
    for name, path in (shown or {}).items():
        command += ["--dir", name, "--ro-bind", path, name]
    command += ["--dir", SCRATCH]
    # Only the scratch folder can be written, whoever we are in here.
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--"]


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


def advice(said: str) -> str:
    if "uid map" in said or "namespace" in said or "Permission" in said:
        return (
            f"{said} User namespaces are switched off; on Ubuntu 24.04, allow them for bwrap with "
            "an AppArmor profile, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return said


class Forked:
    """A worker forked from this process, with what a Zygote needs of subprocess.Popen.

    The two share the pages of torch and of all that the warm-up has loaded: where memory is short,
    there is room for both. The worker gets whatever is in this process, so this process must not
    have loaded anything that a student may not see. Raises RuntimeError when it has.
    """

    def __init__(
        self,
        control: socket.socket,
        errors: BinaryIO,
        environment: Mapping[str, str],
        paths: Sequence[str],
    ) -> None:
        """`control` and `errors` become its descriptors 0 and 2; `paths`: as for `python`."""
        if any(name.startswith(SECRET) for name in sys.modules):
            raise RuntimeError("a worker cannot be forked from a process that holds the checks")
        import torch

        from ..inside import worker

        torch.set_num_threads(1)
        worker.warm_up()
        gc.collect()
        gc.freeze()
        self.pid = os.fork()
        self.returncode: int | None = None
        if self.pid == 0:
            try:
                os.dup2(control.fileno(), 0)
                os.dup2(errors.fileno(), 2)
                os.closerange(3, 4096)
                os.setsid()
                os.chdir("/")
                os.environ.clear()
                os.environ.update(environment)
                sys.path[:] = [path for path in sys.path if path.startswith(tuple(paths))]
                worker.main()
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(1)

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        """Its exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        ends = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > ends:
                raise subprocess.TimeoutExpired("worker", timeout)
            time.sleep(0.01)
        return code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
