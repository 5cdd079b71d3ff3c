"""Two judges never give their children one user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograder.sandbox import users

CLAIM = """
import os, sys
os.getpid = lambda: int(sys.argv[1])
from autograder.sandbox.users import user_of_children
print(user_of_children(), user_of_children(), flush=True)
sys.stdin.read()
"""


def judge(pid: int) -> tuple[subprocess.Popen[str], list[int]]:
    """A process that takes its user as if it had this pid, and keeps it."""
    started = subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    return started, [int(uid) for uid in started.stdout.readline().split()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has children become another user")
def test_judges_whose_pids_lie_one_round_of_users_apart_have_users_of_their_own():
    pid = os.getpid() + users.USERS // 2
    first, kept = judge(pid)
    second, other = judge(pid + users.USERS)
    try:
        assert kept[0] == kept[1] and other[0] == other[1]
        assert kept[0] != other[0]
        assert all(users.FIRST <= uid < users.FIRST + users.USERS for uid in (*kept, *other))
    finally:
        first.kill()
        first.communicate()
    third, again = judge(pid)
    for process in (second, third):
        process.kill()
        process.communicate()
    assert again == kept
