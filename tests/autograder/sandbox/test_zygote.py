"""The outside half: what it promises, what it starts, and that nothing of it stays behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autograder.checking.modules import ROOT
from autograder.checking.proxy import Lost, StudentError, WorkerDied
from autograder.inside.confine import Limits
from autograder.sandbox import child, launch
from autograder.sandbox.zygote import PROTECTIONS, SandboxError, Zygote
from tests.autograder.attacks import Talk, busy_core, end, lacking, require

LINUX = sys.platform.startswith("linux")


def descendants(pid: int) -> set[int]:
    """Living processes below `pid`."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            if fields[0] != b"Z":
                parents[int(name)] = int(fields[1])
    found: set[int] = set()
    below = [pid]
    while below:
        here = below.pop()
        children = {child for child, parent in parents.items() if parent == here}
        found |= children
        below += children
    return found


def gone(pids: set[int], seconds: float = 2.0) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if not any(_lives(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def scratches() -> set[Path]:
    import tempfile

    return set(Path(tempfile.gettempdir()).glob("hw5-scratch-*"))


def test_every_promise_holds_with_every_layer(layered: Zygote) -> None:
    require(layered, "bubblewrap", "Landlock", "seccomp")
    assert layered.doctor.missing == () and set(layered.doctor.active) == set(PROTECTIONS)


def test_without_bubblewrap_only_the_bytes_on_the_disk_are_unbounded(zygote: Zygote) -> None:
    require(zygote, "Landlock", "seccomp")
    bubblewrap = "bubblewrap" in zygote.doctor.mechanisms
    assert zygote.doctor.missing == (() if bubblewrap else ("disk bounded",))


@pytest.mark.daily("worker")
def test_a_worker_without_forks_grades_alike() -> None:
    """As macOS does it: a fresh process for every submission."""
    before = scratches()
    with Zygote(fork=False) as zygote:
        for expected in (1, 2):
            source = f"import os\ndef f(): return {expected}, os.listdir('.')"
            with Talk(zygote, f"{source}\nopen('left', 'w').close() if 0 else None") as talk:
                assert talk.call("f") == (expected, [])
        assert end(zygote, "import ctypes\ndef f(): ctypes.string_at(0)") == "crashed"
    assert scratches() <= before


@pytest.mark.daily("worker")
def test_a_worker_killed_from_outside_is_replaced(zygote: Zygote) -> None:
    with Talk(zygote, "def f(): return 1") as talk:
        worker = _parent(talk.child.pid)
        os.kill(worker, signal.SIGKILL)
        assert gone({talk.child.pid, worker}), "a child dies with its worker"
        with pytest.raises(WorkerDied):
            talk.call("f")
    assert end(zygote, "def f(): return 1") == "value"
    assert not _lives(worker)


@pytest.mark.daily("worker")
def test_a_worker_killed_between_two_submissions_is_replaced(zygote: Zygote) -> None:
    with Talk(zygote, "x = 1") as talk:
        worker = _parent(talk.child.pid)
    os.kill(worker, signal.SIGKILL)
    assert gone({worker})
    assert end(zygote, "def f(): return 1") == "value"


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])


JUDGE = """
import sys, time
sys.path.insert(0, {root!r})
from autograder.sandbox.zygote import Zygote
zygote = Zygote(bubblewrap={bubblewrap})
source = b"import os\\nopen('left', 'w').close() if 0 else 0\\ndef f():\\n    while True: pass"
child = zygote.open({{"hw5_vae.py": source}})
print("ready", flush=True)
child.send(30)({{"op": "call", "target": "hw5_vae", "path": "f", "args": []}})
"""


@pytest.mark.daily("worker")
@pytest.mark.parametrize("bubblewrap", [True, False])
def test_nothing_is_left_two_seconds_after_the_judge_was_killed(bubblewrap: bool) -> None:
    if not LINUX:
        lacking("only Linux ends a child with its parent")
    before = scratches()
    program = textwrap.dedent(JUDGE).format(root=str(ROOT), bubblewrap=bubblewrap)
    with subprocess.Popen(
        [sys.executable, "-B", "-c", program], stdout=subprocess.PIPE, text=True
    ) as judge:
        assert judge.stdout is not None and judge.stdout.readline() == "ready\n"
        below = descendants(judge.pid)
        assert len(below) >= 2
        judge.kill()
    assert gone(below)
    ends = time.monotonic() + 2
    while scratches() - before and time.monotonic() < ends:
        time.sleep(0.05)
    assert scratches() <= before


@pytest.mark.daily("worker")
def test_no_process_or_folder_stays_after_a_worker_is_closed() -> None:
    before = scratches(), descendants(os.getpid())
    for bubblewrap in (True, False):
        with Zygote(bubblewrap=bubblewrap) as zygote:
            end(zygote, "import os\ndef f():\n    os.makedirs('a/b'); os.mkdir('c', 0)")
            with Talk(zygote, "x = 1"):
                below = descendants(os.getpid()) - before[1]
                assert below or not LINUX
        assert gone(below, 1)
    assert scratches() <= before[0]


def test_descriptors_do_not_pile_up(zygote: Zygote) -> None:
    def held() -> int:
        return len(os.listdir("/proc/self/fd" if LINUX else "/dev/fd"))

    end(zygote, "def f(): return 1")
    before = held()
    for source in ("def f(): return 1", "import os\ndef f(): os._exit(3)", "def f(:"):
        for _ in range(3):
            end(zygote, source)
    assert held() <= before


@pytest.mark.daily("worker")
def test_a_child_that_lacks_a_layer_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first child shows what this machine can do; no later one may do less."""
    with Zygote() as zygote:
        zygote._layers ^= 1 << 1
        with pytest.raises(SandboxError, match="No process for a submission"):
            zygote.open({"hw5_vae.py": b"x = 1"})


@pytest.mark.daily("worker")
def test_limits_are_those_that_were_asked_for() -> None:
    if not LINUX:
        lacking("address space is limited on Linux only")
    small = Limits(memory=1 << 28, cpu=1, file=1 << 20, processes=4)
    with Zygote(limits=small) as zygote:
        source = """
            import resource
            def f():
                names = ("CPU", "FSIZE", "NOFILE", "CORE", "MSGQUEUE")
                return [resource.getrlimit(getattr(resource, "RLIMIT_" + n))[1] for n in names]
            def g(): return len(bytearray(600 << 20))
            """
        with Talk(zygote, source) as talk:
            assert talk.call("f") == [3, 1 << 20, 64, 0, 0]
            with pytest.raises(StudentError) as caught:
                talk.call("g")
            assert caught.value.kind == "memory"
        forever = Talk(zygote, "def f():\n    while True: pass", 30)
        with forever as talk, pytest.raises(Lost, match="computing time"):
            talk.call("f")


WAYS = ("time.sleep(30)", "threading.Event().wait()", "select.select([], [], [], 30)")


@pytest.mark.skipif(not LINUX, reason="only Linux says what a process does")
@pytest.mark.parametrize("way", WAYS)
def test_what_waits_and_computes_nothing_is_soon_stopped(layered: Zygote, way: str) -> None:
    source = f"import select, threading, time\ndef f(): {way}"
    with Talk(layered, source, seconds=1.0) as talk, pytest.raises(Lost, match="waited"):
        began = time.monotonic()
        talk.call("f")
    assert child.IDLE <= time.monotonic() - began < 1.0


def test_sleep_passes_at_once(layered: Zygote) -> None:
    source = "import time\ndef f(): return [time.sleep(2) for _ in range(9)]"
    began = time.monotonic()
    assert end(layered, source, seconds=0.5) == "value"
    assert time.monotonic() - began < 2.0


def test_where_nothing_is_known_of_a_process_the_clock_decides() -> None:
    ours, theirs = socket.socketpair()
    nobody = child.Child(ours, 2**22 + 1, 1 << 30, lambda grace: 0)
    with theirs, pytest.raises(Lost, match="too long"):
        nobody.send(0.05)({"op": "import"})


def test_waiting_for_a_core_is_not_the_students_time(zygote: Zygote) -> None:
    source = """
        import time
        def f():
            ends = time.process_time() + 0.5
            while time.process_time() < ends: pass
        """
    with Talk(zygote, source, seconds=1.0) as talk, busy_core(talk.child.pid):
        began = time.monotonic()
        talk.call("f")
        assert time.monotonic() - began > child.WALL, "the core was not busy"


def test_nothing_of_theirs_runs_while_the_judge_thinks(zygote: Zygote) -> None:
    source = """
        import threading, time
        ran = 0
        def run():
            global ran
            while True:
                ran += 1
                time.sleep(0.001)
        def f(): threading.Thread(target=run, daemon=True).start()
        """
    with Talk(zygote, source) as talk:
        talk.call("f")
        before = talk.get("ran")
        time.sleep(0.5)
        assert talk.get("ran") < before + 100


def test_bubblewrap_shows_nothing_of_the_kit() -> None:
    command = launch.bubblewrap(launch.readable())
    shown = {command[i + 1] for i, word in enumerate(command) if word.startswith("--ro-bind")}
    assert str(ROOT) not in shown
    assert not any(path.startswith(str(ROOT / "autograder") + "/checks") for path in shown)
    assert str(launch.INSIDE) in shown


def test_a_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scratches()
    monkeypatch.setattr(
        launch,
        "python",
        lambda *_, **__: [sys.executable, "-c", "raise OSError('no such luck')"],
    )
    with pytest.raises(SandboxError, match="no such luck"):
        Zygote(bubblewrap=False)
    assert scratches() <= before


def test_files_that_cannot_be_sent_are_said_in_a_sentence_and_harm_nobody(zygote: Zygote) -> None:
    with pytest.raises(Lost, match="more Python files"):
        zygote.open({f"m{n}.py": b"x = 1" for n in range(600)})
    zygote.open({"\udcff.py": b"x = 1", "hw5_vae.py": b"x = 1"}).close()
    with Talk(zygote, "def f(): return 1") as talk:
        assert talk.call("f") == 1


def test_windows_is_told_about_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SandboxError, match="WSL"):
        Zygote()
