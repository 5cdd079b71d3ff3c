"""How a worker is started: as an interpreter alone, inside bubblewrap, or forked from ourselves."""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import torch

from ..checking.modules import ROOT
from ..inside import worker

INSIDE = Path(worker.__file__).parent
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
"""What a submission may have at once."""


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
    program += f"from inside import {module}; sys.path.pop(0); {module}.main()"
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
        torch.set_num_threads(1)
        worker.warm_up()
        gc.collect()
        gc.freeze()
        self.pid = os.fork()
        self._code: int | None = None
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
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code

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
