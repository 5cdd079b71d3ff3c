"""What a confined child has and may do; what it may not is tried in tests/attacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.inside import confine
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, require

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the layers of the sandbox are Linux's"
)


def test_the_environment_holds_nothing_of_the_judge(zygote: Zygote) -> None:
    source = "import os\ndef f():\n    return sorted(os.environ)"
    with Talk(zygote, source) as talk:
        names = talk.call("f")
    assert not {"SSH_AUTH_SOCK", "GITHUB_TOKEN", "USER", "OLDPWD", "VIRTUAL_ENV"} & set(names)
    assert {"OMP_THREAD_LIMIT", "CUDA_VISIBLE_DEVICES"} <= set(names)


def test_honest_threads_work(zygote: Zygote) -> None:
    source = """
        import concurrent.futures, torch
        torch.set_num_threads(4)
        def f():
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                big = torch.ones(600, 600)
                return sum(float((big @ big).mean()) for _ in pool.map(torch.zeros, [2] * 4))
        """
    with Talk(zygote, source, 10) as talk:
        assert talk.call("f") == 2400.0


def test_honest_locks_work(layered: Zygote) -> None:
    source = """
        import fcntl, sqlite3
        def f():
            with sqlite3.connect("own.sqlite") as database:
                database.execute("create table runs (loss real)")
                database.execute("insert into runs values (0.5)")
            with open("lock", "w") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                fcntl.lockf(file, fcntl.LOCK_UN)
            return sqlite3.connect("own.sqlite").execute("select loss from runs").fetchall()
        """
    with Talk(layered, source) as talk:
        assert talk.call("f") == [(0.5,)]


def test_an_honest_number_of_files_is_nobodys_business(zygote: Zygote) -> None:
    source = """
        import os, threading
        def f():
            for n in range(500):
                os.makedirs(f"samples/{n}")
                open(f"samples/{n}/epoch.png", "w").close()
            threading.Event().wait(0.3)  # so long that they are counted
            return len(os.listdir("samples"))
        """
    with Talk(zygote, source) as talk:
        assert talk.call("f") == 500


def test_no_process_of_a_worker_may_mount(layered: Zygote) -> None:
    require(layered, "bubblewrap")
    with Talk(layered, "x = 1") as talk:
        worker = Path(f"/proc/{talk.child.pid}/stat").read_text().rpartition(")")[2].split()[1]
        for pid in (str(talk.child.pid), worker):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb")):
                    assert not int(line.split()[1], 16) >> confine.CAP_SYS_ADMIN & 1, line


def test_what_is_not_linux_takes_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert confine.landlock(confine.landlock_rules([], [])) == 0
    assert not confine.die_with_parent()
    assert not confine.deny_calls(b"")
