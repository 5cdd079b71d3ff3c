"""Tries at memory and time."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import threading
import time

import torch

from tests.attacks.tools import (
    BUBBLEWRAP,
    JUDGE,
    LANDLOCK,
    LIMITS,
    SECCOMP,
    WATCH,
    attempt,
    checked,
    libc,
    refuse_unless,
    syscall,
)

ROOM = 1 << 30
"""More than a submission may have here (see `engine.SMALL`)."""


@attempt(LIMITS)
def locks_all_memory_that_it_will_have():
    checked(libc.mlockall(2))


@attempt(LIMITS)
def takes_memory_by_a_tensor():
    try:
        torch.zeros(ROOM // 4)
    except RuntimeError as error:
        raise MemoryError(error) from None


@attempt(LIMITS)
def takes_memory_by_bytes():
    bytearray(ROOM)


@attempt(LIMITS)
def takes_memory_by_a_mapping():
    mmap.mmap(-1, ROOM).close()


@attempt(LIMITS, WATCH, alone=True)
def takes_memory_in_pieces():
    kept: list[bytes] = []
    while len(kept) * (8 << 20) < ROOM:
        kept.append(b"x" * (8 << 20))
        time.sleep(0.005)


@attempt(LIMITS, WATCH, alone=True)
def takes_memory_by_threads():
    kept: list[bytes] = []

    def grab() -> None:
        for _ in range(26):
            kept.append(b"x" * (4 << 20))
            time.sleep(0.02)

    threads = [threading.Thread(target=grab) for _ in range(10)]
    try:
        for thread in threads:
            thread.start()
    except RuntimeError:
        raise MemoryError from None
    for thread in threads:
        thread.join()
    if sum(map(len, kept)) < ROOM:
        raise MemoryError


@attempt(SECCOMP)
def takes_memory_that_no_limit_counts():
    os.close(os.memfd_create("x"))


@attempt(SECCOMP)
def takes_secret_memory():
    os.close(syscall(447, 0))


libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long)
libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

PAGE = 1 << 12
SHARED, PRIVATE, FIXED, ANONYMOUS = 0x01, 0x02, 0x100000, 0x20


def _map(size: int, kind: int, file: int = -1, address: int | None = None) -> int:
    found = libc.mmap(address, size, mmap.PROT_READ | mmap.PROT_WRITE, kind, file, 0)
    if found == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def _take_and_let_go(kind: int, file: int = -1) -> None:
    """What is shared stays as long as a page of it is mapped, and only that page is counted."""
    piece = 1 << 27
    for _ in range(ROOM // piece):
        address = _map(piece, kind, file)
        ctypes.memset(address, 1, piece)
        libc.munmap(address + PAGE, piece - PAGE)


@attempt(SECCOMP, alone=True)
def takes_memory_by_shared_mappings_that_it_lets_go_of():
    _take_and_let_go(SHARED | ANONYMOUS)


@attempt(LANDLOCK, BUBBLEWRAP, alone=True)
def takes_memory_by_shared_mappings_of_a_device():
    device = os.open("/dev/zero", os.O_RDWR)
    refuse_unless(os.fstat(device).st_rdev == os.makedev(1, 5))
    _take_and_let_go(SHARED, device)


@attempt(SECCOMP)
def has_its_memory_compared_with_that_of_others():
    """Which takes the kernel's time, and tells what they hold."""
    address = ctypes.c_void_p(_map(1 << 20, PRIVATE | ANONYMOUS))
    checked(libc.madvise(address, ctypes.c_size_t(1 << 20), 12))


@attempt(SECCOMP, alone=True, seconds=8.0)
def takes_memory_by_large_pages_in_a_pipe():
    """A pipe of 256 pages holds a page of each of 256 large ones, of 2 MB."""
    large, piece = 1 << 21, 1 << 24
    for _ in range(2):
        _, end = os.pipe()
        fcntl.fcntl(end, 1031, 1 << 20)
        for _ in range(ROOM // 2 // piece):
            address = _map(piece + large, PRIVATE | ANONYMOUS)
            first = -(-address // large) * large
            libc.madvise(first, piece, 14)  # MADV_HUGEPAGE
            ctypes.memset(first, 1, piece)
            for place in range(first, first + piece, large):
                syscall(278, end, (ctypes.c_uint64 * 2)(place, PAGE), 1, 0)
            libc.munmap(address, piece + large)


@attempt(WATCH, alone=True, seconds=8.0)
def takes_memory_by_tables_of_pages():
    """Two pages to the left and right of where a gigabyte ends have four tables of their own."""
    for n in range(1, 60_000):
        with contextlib.suppress(FileExistsError):  # Python's own heap may lie there
            address = _map(2 * PAGE, PRIVATE | ANONYMOUS | FIXED, -1, (n << 31) - PAGE)
            ctypes.string_at(address, 1)
            ctypes.string_at(address + PAGE, 1)
    threading.Event().wait(1)  # time.sleep passes at once


@attempt(SECCOMP)
def takes_memory_for_those_who_wait():
    """A table of its own for futexes, of any size: Linux 6.16."""
    syscall(157, 78, 1, 1 << 14, 0, 0)


@attempt(SECCOMP)
def takes_memory_of_System_V():
    checked(libc.shmctl(syscall(29, 0, 4096, 0o1600), 0, None))


@attempt(SECCOMP)
def makes_semaphores_of_System_V():
    checked(libc.semctl(syscall(64, 0, 1, 0o1600), 0, 0))


@attempt(SECCOMP)
def makes_a_queue_of_System_V():
    checked(libc.msgctl(syscall(68, 0, 0o1600), 0, None))


@attempt(SECCOMP, LIMITS)
def makes_a_queue_of_POSIX():
    name = b"left-behind"
    syscall(240, name, 0o102, 0o600, None)
    syscall(241, name)


@attempt(JUDGE, ends="timeout", seconds=0.4)
def loops():
    while True:
        pass


@attempt(JUDGE, ends="timeout", seconds=0.4)
def loops_and_swallows_whatever_ends_it():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


@attempt(JUDGE, ends="timeout error", seconds=0.4)
def loops_in_many_threads():
    def burn() -> None:
        while True:
            pass

    for _ in range(20):
        threading.Thread(target=burn, daemon=True).start()
    burn()


@attempt(JUDGE, ends="timeout", seconds=0.3)
def sleeps():
    time.sleep(60)


@attempt(JUDGE, ends="timeout", seconds=0.3)
def sleeps_in_C():
    libc.sleep(60)


@attempt(JUDGE, ends="timeout", seconds=0.3)
def waits_for_ever():
    threading.Event().wait()


@attempt(JUDGE, ends="timeout", seconds=0.4)
def calls_itself_another_and_loops():
    """A name that a reader of /proc stumbles over."""
    libc.prctl(15, b") R \xff\xfe(", 0, 0, 0)
    while True:
        pass


@attempt(JUDGE, ends="answered")
def calls_itself_another_and_answers():
    libc.prctl(15, b"\xff) R 1\n", 0, 0, 0)
    return ctypes.sizeof(ctypes.c_int)
