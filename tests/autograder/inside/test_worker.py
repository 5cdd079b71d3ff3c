"""Attacks on the worker: every hostile child ends as it should, and leaves the worker as it was."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from autograder.checking.proxy import Lost, StudentError
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk, end, require

HONEST = """
import torch
from torch import nn
def f(x):
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2704, 5))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(3):
        optimizer.zero_grad(); net(x).pow(2).mean().backward(); optimizer.step()
    return net(x).detach(), torch.get_num_threads(), torch.is_grad_enabled(), torch.rand(3).dtype
"""


def worker_pid(child: int) -> int:
    with open(f"/proc/{child}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def portrait(zygote: Zygote) -> dict[str, Any]:
    """Everything of the worker that a child could have changed, and an honest answer."""
    x = torch.linspace(0, 1, 2 * 784).reshape(2, 1, 28, 28)
    with Talk(zygote, HONEST) as talk:
        answer = talk.call("f", x)
        pid = worker_pid(talk.child.pid)
        limits = Path(f"/proc/{pid}/limits").read_text()
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
    keep = ("Uid", "Gid", "Groups", "SigCgt", "SigIgn", "SigBlk", "Cpus_allowed:", "Threads", "Cap")
    return {
        "pid": pid,
        "answer": answer[0].numpy().tobytes(),
        "torch": answer[1:],
        "limits": limits,
        "status": [line for line in status if line.startswith(keep)],
        "nice": os.getpriority(os.PRIO_PROCESS, pid),
        "cores": sorted(os.sched_getaffinity(pid)),
    }


HOSTILE = {
    "sys.exit": ("import sys\ndef f(): sys.exit(0)", "error"),
    "SystemExit": ("def f(): raise SystemExit", "error"),
    "KeyboardInterrupt": ("def f(): raise KeyboardInterrupt", "error"),
    "GeneratorExit": ("def f(): raise GeneratorExit", "error"),
    "os._exit": ("import os\ndef f(): os._exit(0)", "crashed"),
    "abort": ("import os\ndef f(): os.abort()", "crashed"),
    "segfault": ("import ctypes\ndef f(): ctypes.string_at(0)", "crashed"),
    "stack overflow": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f() + 1",
        "crashed error memory",
    ),
    "recursion": ("def f(): return f()", "error"),
    "loop": ("def f():\n    while True: pass", "timeout"),
    "swallowing loop": (
        "def f():\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        "timeout",
    ),
    "sleep in C": ("import ctypes\ndef f(): ctypes.CDLL(None).sleep(60)", "timeout"),
    "sleep": ("import time\ndef f(): time.sleep(60)", "timeout"),
    "waits in a thread": ("import threading\ndef f(): threading.Event().wait()", "timeout"),
    "kills itself": (
        "import ctypes, os\ndef f():\n    os.kill(os.getpid(), 9)\n    ctypes.string_at(0)",
        "error memory crashed",
    ),
    "stops itself": ("import os\ndef f(): os.kill(os.getpid(), 19)", "error timeout"),
    "closes its channel": ("import os\ndef f():\n    os.close(3)\n    while True: pass", "crashed"),
    "closes everything": ("import os\ndef f(): os.closerange(0, 64)", "crashed"),
    "writes early": ("import os\ndef f(): os.write(3, b'HW5W' + bytes(12))", "crashed"),
    "writes noise": ("import os\ndef f(): os.write(3, b'x' * 1000)", "crashed"),
    "announces gigabytes": (
        "import os, struct\ndef f(): os.write(3, struct.pack('<4sIQ', b'HW5W', 9, 1 << 50))",
        "crashed",
    ),
    "announces and stalls": (
        "import os, struct, time\n"
        "def f():\n    os.write(3, struct.pack('<4sIQ', b'HW5W', 99, 0)); time.sleep(60)",
        "timeout",
    ),
    "answers drop by drop": (
        "import os, struct, time\n"
        "def f():\n"
        "    os.write(3, struct.pack('<4sIQ', b'HW5W', 1 << 20, 0))\n"
        "    while True: os.write(3, b' '); time.sleep(0.01)",
        "timeout",
    ),
    "answers as another": (
        "import os, struct, json\n"
        "def f():\n"
        "    head = json.dumps([{'$dict': [['id', '0' * 16], ['answer', {'$dict': []}]]}, []])\n"
        "    os.write(3, struct.pack('<4sIQ', b'HW5W', len(head), 0) + head.encode())",
        "crashed",
    ),
    "prints 100 MB": (
        "import os, sys\n"
        "def f():\n"
        "    for _ in range(100):\n"
        "        print('x' * 10**6); sys.stderr.write('y' * 10**6); os.write(1, b'z' * 10**6)",
        "value",
    ),
    "reads its input": ("import sys\ndef f(): return sys.stdin.read() + input()", "error"),
    "huge tensor by expand": (
        "import torch\ndef f(): return torch.zeros(1).expand(2**40)",
        "error",
    ),
    "huge tensor by strides": (
        "import torch\ndef f(): return torch.zeros(1).as_strided((2**20, 2**20), (0, 0))",
        "error",
    ),
    "600 tensors": ("import torch\ndef f(): return [torch.zeros(1)] * 600", "error"),
    "lists of lists": (
        "def f():\n    x = []\n    for _ in range(10000): x = [x]\n    return x",
        "value error",
    ),
    "a list that holds itself": (
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "value error",
    ),
    "a million numbers": ("def f(): return list(range(10**6))", "error timeout"),
    "a complex tensor": ("import torch\ndef f(): return torch.zeros(2) * 1j", "error"),
    "a sparse tensor": ("import torch\ndef f(): return torch.eye(2).to_sparse()", "error"),
    "a meta tensor": ("import torch\ndef f(): return torch.zeros(2, device='meta')", "value"),
    "a half tensor": ("import torch\ndef f(): return torch.zeros(2).bfloat16()", "value"),
    "names itself": (
        "import ctypes\ndef f():\n    ctypes.CDLL(None).prctl(15, b') R \\xff\\xfe(', 0, 0, 0)\n"
        "    while True: pass",
        "timeout",
    ),
    "names itself and answers": (
        "import ctypes\ndef f(): ctypes.CDLL(None).prctl(15, b'\\xff) R 1\\n', 0, 0, 0)",
        "value",
    ),
    "ends its main thread": (
        "import ctypes, threading, time\n"
        "def f():\n"
        "    threading.Thread(target=time.sleep, args=(30,)).start()\n"
        "    ctypes.CDLL(None).syscall(60, 0)",
        "crashed timeout",
    ),
    "leaves hooks": (
        "import atexit, weakref, gc, sys, builtins, json, struct, torch\n"
        "class D:\n    def __del__(self):\n        while True: pass\n"
        "def f():\n"
        "    atexit.register(lambda: 1 / 0)\n"
        "    weakref.finalize(D, print); gc.disable()\n"
        "    sys.meta_path.clear(); sys.modules.pop('os', None)\n"
        "    torch.manual_seed(0); torch.set_default_dtype(torch.float64)\n"
        "    torch.set_grad_enabled(False); torch.set_num_threads(7)\n"
        "    torch.allclose = torch.equal = lambda *a, **k: True\n"
        "    builtins.isinstance = lambda *a: True; del builtins.len",
        "value error crashed",
    ),
    "breaks what answers": (
        "import sys\n"
        "def f():\n"
        "    for name in list(sys.modules):\n"
        "        if name.startswith('inside'): sys.modules[name].__dict__.clear()",
        "crashed error timeout",
    ),
    "a gc bomb": (
        "import gc\n"
        "def f():\n"
        "    found = gc.get_objects()\n"
        "    for x in found:\n"
        "        if type(x) is dict and 'Session' in x: x.clear()",
        "crashed error value",
    ),
}


@pytest.fixture(scope="module")
def before(zygote: Zygote) -> dict[str, Any]:
    return portrait(zygote)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_child_ends_as_it_should_and_the_worker_is_as_before(
    zygote: Zygote, before: dict[str, Any], name: str
) -> None:
    source, states = HOSTILE[name]
    began = time.monotonic()
    try:
        ended = end(zygote, source, seconds=0.7)
    except UnicodeDecodeError:
        ended = "the judge choked"
    assert ended in states.split()
    assert time.monotonic() - began < 6
    assert portrait(zygote) == before


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
    """Its memory map, descriptors, threads and dumpable flag, read as root or by its own child."""
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
    for held in (links, kept):
        assert len(held - {"/dev/null"}) == 1
        assert next(iter(held - {"/dev/null"})).startswith("socket:")
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
