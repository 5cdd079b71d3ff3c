"""Attacks on the worker: every hostile child ends as it should, and leaves the worker as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from autograder.checking.proxy import Lost, StudentError
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, require


def worker_pid(child: int) -> int:
    with open(f"/proc/{child}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def test_an_extra_answer_ends_the_submission(zygote: Zygote) -> None:
    source = """
        import os, threading, time
        def f():
            threading.Timer(0.2, os.write, (3, b"HW5W" + bytes(12))).start()
            return 1
        def wait():
            time.sleep(1)
        """
    with Talk(zygote, source, 5) as talk:
        assert talk.call("f") == 1
        with pytest.raises(Lost) as caught:
            talk.call("wait")
        assert caught.value.state == "crashed" and "broke the protocol" in caught.value.message


def test_an_end_between_two_requests_is_told_as_what_it_is(zygote: Zygote) -> None:
    source = """
        import ctypes, threading, time
        def f():
            threading.Timer(0.2, ctypes.string_at, (0,)).start()
            return 1
        def wait():
            time.sleep(1)
        """
    with Talk(zygote, source, 5) as talk:
        assert talk.call("f") == 1
        with pytest.raises(Lost, match="SIGSEGV"):
            talk.call("wait")


def test_an_answer_may_be_replayed_only_in_vain(zygote: Zygote) -> None:
    """The whole frame of an earlier answer, sent again for a later request."""
    source = """
        import os
        sent = []
        write = os.write
        def spy(descriptor, data):
            sent.append(bytes(data))
            return write(descriptor, data)
        def f():
            if sent:
                return write(3, sent[0])
            os.write = spy
            return 1
        """
    with Talk(zygote, source, 5) as talk:
        assert talk.call("f") == 1
        with pytest.raises(Lost) as caught:
            talk.call("f")
        assert caught.value.state == "crashed"


def test_no_thread_or_process_outlives_its_submission(zygote: Zygote) -> None:
    """A double fork into a new session, where a layer lets it; threads in any case."""
    source = """
        import os, threading, time
        def f():
            try:
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        time.sleep(5)
                    os._exit(0)
            except OSError:
                pass
            threading.Thread(target=time.sleep, args=(5,)).start()
            return 1
        """
    with Talk(zygote, source, 5) as talk:
        talk.call("f")
        pid, worker = talk.child.pid, worker_pid(talk.child.pid)
    assert not alive(pid)
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    assert children == []


def test_the_worker_shares_nothing_and_holds_nothing(zygote: Zygote) -> None:
    """Its memory map, descriptors and threads, as root sees them, and its child's descriptors. It
    alone holds the rules of Landlock, that every child is bound to and none can undo.
    """
    if os.geteuid() != 0:
        pytest.skip("only root may look into a process that is not dumpable")
    with Talk(zygote, "x = 1") as talk:
        worker = worker_pid(talk.child.pid)
        maps = Path(f"/proc/{worker}/maps").read_text().splitlines()
        links = {os.readlink(f"/proc/{worker}/fd/{n}") for n in os.listdir(f"/proc/{worker}/fd")}
        kept = {os.readlink(path) for path in Path(f"/proc/{talk.child.pid}/fd").iterdir()}
        threads = os.listdir(f"/proc/{worker}/task")
        environ = Path(f"/proc/{worker}/environ").read_bytes()
        owner = os.stat(f"/proc/{worker}/mem").st_uid
    assert [line for line in maps if line.split()[1] == "rw-s"] == []
    for held in (links - {"anon_inode:[landlock-ruleset]"}, kept):
        (other,) = held - {"/dev/null"}
        assert other.startswith("socket:")
    assert threads == [str(worker)]
    assert b"SECRET" not in environ
    assert owner == 0


def test_the_worker_is_not_dumpable(zygote: Zygote) -> None:
    if os.geteuid() == 0:
        pytest.skip("to root everything is open")
    if "bubblewrap" in zygote.doctor.mechanisms:
        pytest.skip("the owner of a user namespace may look into it; its children are tested")
    with Talk(zygote, "x = 1") as talk:
        worker = worker_pid(talk.child.pid)
        for name in ("maps", "mem", "environ"):
            with pytest.raises(PermissionError):
                open(f"/proc/{worker}/{name}", "rb").close()


def test_judge_and_child_compute_with_the_same_kernels(zygote: Zygote) -> None:
    source = "import torch\ndef f(): return torch.backends.cpu.get_cpu_capability()"
    with Talk(zygote, source) as talk:
        assert talk.call("f") == torch.backends.cpu.get_cpu_capability()


def test_what_a_child_can_find_holds_no_expectation(zygote: Zygote) -> None:
    """Every object and every frame it can reach: no check, no solution, no judge."""
    source = """
        import gc, sys
        def f():
            frame, seen = sys._getframe(), []
            while frame:
                seen.append(repr(sorted(frame.f_locals)) + frame.f_code.co_filename)
                frame = frame.f_back
            texts = [o for o in gc.get_objects() if type(o) is dict]
            words = ("autograder.grading.judge", "tolerance", "expected")
            words += ("BEGIN SOLUTION", "points")
            found = set()
            for mapping in texts:
                if any(w in mapping for w in ("autograder.parts", "autograder.grading.judge")):
                    found.add("a module of ours")
            for name, module in list(sys.modules.items()):
                if name.startswith(("autograder", "hw5_checks")):
                    found.add(name)
                if name == "hw5_gan":
                    found.add(name)
            return sorted(found)
        """
    with Talk(zygote, source) as talk:
        assert talk.call("f") == []


def test_random_numbers_differ_between_two_children(zygote: Zygote) -> None:
    source = "import random, os\ndef f(): return random.random()"
    seen = []
    for _ in range(2):
        with Talk(zygote, f"{source}\nvalue = random.random()") as talk:
            seen.append(talk.get("value"))
    assert seen[0] != seen[1]


def test_a_clearing_of_the_death_signal_is_refused(zygote: Zygote) -> None:
    require(zygote, "seccomp")
    source = "import ctypes\ndef f(): return ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)"
    with Talk(zygote, source) as talk:
        assert talk.call("f") == -1


def test_the_sum_of_all_answers_is_bounded(zygote: Zygote) -> None:
    """The judge may keep every answer of a check; 128 MB each must not add up."""
    source = "import torch\ndef f(): return torch.zeros(2**24)"
    with Talk(zygote, source, 30) as talk, pytest.raises(Lost, match="too large"):
        for _ in range(6):
            talk.call("f")


def test_an_error_of_a_hostile_child_is_one_line_of_plain_text(zygote: Zygote) -> None:
    source = "def f(): raise ValueError('a\\n\\x1b[2J\\x00b' + chr(0xd800) + 'c' * 5000)"
    with Talk(zygote, source) as talk, pytest.raises(StudentError) as caught:
        talk.call("f")
    assert caught.value.message.isprintable() and len(caught.value.message) <= 300
    caught.value.message.encode("utf-8")


def test_a_submission_has_its_garbage_collected(zygote: Zygote) -> None:
    """While the worker warms up, none is looked for."""
    with Talk(zygote, "import gc\ndef f(): return gc.isenabled()") as talk:
        assert talk.call("f") is True


def test_each_submission_draws_numbers_of_its_own(zygote: Zygote) -> None:
    source = "import random, numpy\ndrawn = [random.random(), float(numpy.random.rand())]\n"
    drawn = []
    for _ in range(2):
        with Talk(zygote, source) as talk:
            talk.notes()
            drawn += talk.get("drawn")
    assert len(set(drawn)) == 4


def test_threads_locks_and_logging_work_in_a_child(zygote: Zygote) -> None:
    """It is forked without what Python then does about them."""
    source = """
    import logging, threading
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    def f():
        log = logging.getLogger("f")
        log.addHandler(Kept())
        threads = [threading.Thread(target=log.error, args=(f"{n}",)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(lines), threading.active_count(), threading.current_thread().name
    """
    with Talk(zygote, source) as talk:
        assert talk.call("f") == (["0", "1", "2"], 1, "MainThread")
