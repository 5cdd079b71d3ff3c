"""Tries at memory and time."""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
import time

import torch

from tests.attacks.tools import (
    JUDGE,
    LIMITS,
    SECCOMP,
    WATCH,
    attempt,
    checked,
    libc,
    syscall,
)

ROOM = 1 << 30
"""More than a submission may have here (see `engine.SMALL`)."""


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
