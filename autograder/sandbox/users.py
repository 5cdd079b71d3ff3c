"""Which ordinary user a judge's children become, and how many tasks our own user has."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
from collections.abc import Iterator

FIRST, USERS = 60001, 4000
"""Below 65536, which is all that a container without rights of its own knows."""


def user_of_children() -> int:
    """A user that no other judge of this machine gives to its children as long as we live.

    The kernel counts tasks by user, and lets a user signal its own: two judges with one user would
    let a submission of the one reach a submission of the other. Only root has children become
    another user, and only Linux has names that go with their process.
    """
    if os.geteuid() != 0 or sys.platform != "linux":
        return next(_from(os.getpid()))
    return _claimed(os.getpid())[0]


@functools.cache
def _claimed(judge: int) -> tuple[int, socket.socket]:
    """The user, and the name that holds the claim: it goes when its process does, however."""
    for uid in _from(judge):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0hw5-user-{uid}")
        except OSError:
            claim.close()
            continue
        return uid, claim
    raise OSError(f"all users from {FIRST} to {FIRST + USERS - 1} are taken by other judges")


def _from(judge: int) -> Iterator[int]:
    """Every user once, beginning where judges one after another seldom meet."""
    for step in range(USERS):
        yield FIRST + (judge + step) % USERS


def tasks_of_user() -> int:
    """How many tasks our user has now: a child that stays our user shares the count."""
    count = 0
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == os.geteuid():
                count += len(os.listdir(f"/proc/{name}/task"))
    return count
