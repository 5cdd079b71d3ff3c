"""Attacks the sandbox from inside a confined child: a protection counts only when it holds.

Every function returns True when its attack succeeded. None does harm when it does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from .scratch import empty

FULL = 64
"""Files in a folder of a flood."""

COUNTED_WITHIN = 0.5
"""Seconds after which files are not being counted."""


def attack(targets: dict[str, Any]) -> dict[str, bool]:
    """Try everything on `targets`.

    answers, secrets: paths to read; folders: to write in; unix, tcp, udp: to connect to; tasks: how
    many processes to start; room and disk: how many bytes of memory and of scratch space to take.
    """
    attempts: dict[str, Callable[[], bool]] = {
        "reads answers": lambda: any(_reads(path) for path in targets["answers"]),
        "reads files": lambda: any(_reads(path) for path in targets["secrets"]),
        "writes files": lambda: any(_writes(folder) for folder in targets["folders"]),
        "reaches the network": lambda: _connects(targets["unix"], targets["tcp"], targets["udp"]),
        "starts processes": lambda: _forks(targets["tasks"]) >= targets["tasks"],
        "takes memory": lambda: _takes(targets["room"]),
        "fills the disk": lambda: _fills(targets["disk"]),
        "reaches the zygote": lambda: _reaches(os.getppid()),
    }
    return {name: _succeeds(attempt) for name, attempt in attempts.items()}


def flood(files: int) -> bool:
    """Make so many empty files and folders, at once: they take no room on the disk, and much in the
    kernel's memory. Where they are counted instead of refused, this ends here.
    """
    made = 0
    try:
        while made < files:
            if made % FULL == 0:
                os.makedirs(folder := f"flood/{made}")
            os.close(os.open(f"{folder}/{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
        time.sleep(COUNTED_WITHIN)
        return True
    except OSError:
        return False
    finally:
        empty("flood")
        with contextlib.suppress(OSError):
            os.rmdir("flood")


def _succeeds(attempt: Callable[[], bool]) -> bool:
    try:
        return attempt()
    except (OSError, MemoryError, ValueError):
        return False


def _reads(path: str) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return bool(file.read(1))
    return False


def _writes(folder: str) -> bool:
    path = os.path.join(folder, f"probe-{os.getpid()}")
    with contextlib.suppress(OSError):
        with open(path, "x"):
            pass
        os.unlink(path)
        return True
    return False


def _connects(unix: str, tcp: int, udp: int) -> bool:
    """A Unix socket, TCP, and UDP, which Landlock does not know (the judge sees it arrive); and
    whatever reaches the host of a virtual machine, from which no namespace keeps us.
    """
    with contextlib.suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("127.0.0.1", udp))
    for family, address in ((socket.AF_INET, ("127.0.0.1", tcp)), (socket.AF_UNIX, unix)):
        with contextlib.suppress(OSError), socket.socket(family) as one:
            one.connect(address)
            return True
    with contextlib.suppress(OSError), socket.socket(getattr(socket, "AF_VSOCK", -1)):
        return True
    return False


def _forks(tasks: int) -> int:
    """How many children can live at once, up to `tasks`; they end before this returns."""
    children = []
    try:
        for _ in range(tasks):
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            children.append(pid)
    except OSError:
        pass
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children)


def _takes(size: int) -> bool:
    """Map, without touching, so many bytes."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    number = ctypes.c_int
    libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, number, number, number, ctypes.c_long)
    address = libc.mmap(None, size, 3, 0x22, -1, 0)
    if address in (None, ctypes.c_void_p(-1).value):
        return False
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))
    return True


def _fills(size: int) -> bool:
    """Write so many bytes into the scratch folder, over several files. Each is removed before it is
    filled: what counts only what lies in the folder does not see it.
    """
    with contextlib.ExitStack() as stack:
        for n in range(8):
            file = stack.enter_context(open(f"fill-{n}", "wb"))
            os.unlink(file.name)
            os.posix_fallocate(file.fileno(), 0, size // 8)
    return True


def _reaches(zygote: int) -> bool:
    """Signal the worker, read its memory, or change its limits."""
    with contextlib.suppress(OSError):
        os.kill(zygote, 0)
        return True
    with contextlib.suppress(OSError), open(f"/proc/{zygote}/mem", "rb"):
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
    if libc.process_vm_readv(zygote, vector, 1, vector, 1, 0) > 0:
        return True
    limits = (ctypes.c_ulong * 2)()
    return bool(libc.prlimit(zygote, 7, None, limits) == 0)
