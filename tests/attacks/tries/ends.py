"""Tries at the judge: ends and answers that are none. It must go on, and the next student too."""

from __future__ import annotations

import atexit
import builtins
import ctypes
import fcntl
import gc
import json
import os
import signal
import struct
import sys
import threading
import time
import weakref

import torch

from tests.attacks.tools import JUDGE, attempt, refuse_unless, syscall

# --- ends


@attempt(JUDGE, ends="error")
def exits():
    sys.exit(0)


@attempt(JUDGE, ends="error")
def raises_SystemExit():
    raise SystemExit


@attempt(JUDGE, ends="error")
def raises_KeyboardInterrupt():
    raise KeyboardInterrupt


@attempt(JUDGE, ends="error")
def raises_GeneratorExit():
    raise GeneratorExit


@attempt(JUDGE, ends="crashed")
def leaves_at_once():
    os._exit(0)


@attempt(JUDGE, ends="crashed")
def aborts():
    os.abort()


@attempt(JUDGE, ends="crashed")
def crashes():
    ctypes.string_at(0)


@attempt(JUDGE, ends="crashed error memory timeout")
def overflows_the_stack():
    sys.setrecursionlimit(10**9)

    def deeper():
        return deeper() + 1

    deeper()


@attempt(JUDGE, ends="error")
def recurses():
    recurses()


@attempt(JUDGE, ends="error memory")
def kills_itself():
    os.kill(os.getpid(), signal.SIGKILL)


@attempt(JUDGE, ends="error timeout")
def stops_itself():
    os.kill(os.getpid(), signal.SIGSTOP)


@attempt(JUDGE, ends="timeout", seconds=0.3)
def has_a_timer_stop_it():
    """By a signal of the kernel's, which no filter sees."""
    event = struct.pack("=QII48x", 0, signal.SIGSTOP, 0)
    timer = ctypes.c_int()
    syscall(222, 1, event, ctypes.byref(timer))
    syscall(223, timer.value, 0, struct.pack("=4Q", 0, 10**6, 0, 10**6), None)
    while True:
        pass


@attempt(JUDGE, ends="crashed", seconds=0.3)
def has_its_channel_wait_for_nobody():
    fcntl.fcntl(3, fcntl.F_SETFL, os.O_NONBLOCK)
    return torch.zeros(1 << 22)


@attempt(JUDGE, ends="crashed timeout", seconds=0.3)
def ends_its_main_thread_alone():
    threading.Thread(target=time.sleep, args=(30,)).start()
    ctypes.CDLL(None).syscall(60, 0)


@attempt(JUDGE, ends="answered", seconds=0.3)
def leaves_threads_running():
    threading.Thread(target=time.sleep, args=(30,)).start()


@attempt(JUDGE, ends="error answered", seconds=0.3)
def leaves_a_grandchild_in_a_session_of_its_own():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(5)
        os._exit(0)


# --- the channel


@attempt(JUDGE, ends="crashed", seconds=0.3)
def closes_its_channel():
    os.close(3)
    while True:
        pass


@attempt(JUDGE, ends="crashed")
def closes_everything():
    os.closerange(0, 64)


def _frame(head: int, body: int) -> bytes:
    return struct.pack("<4sIQ", b"HW5W", head, body)


@attempt(JUDGE, ends="crashed")
def answers_before_it_is_asked():
    os.write(3, _frame(0, 0))


@attempt(JUDGE, ends="crashed")
def answers_noise():
    os.write(3, b"x" * 1000)


@attempt(JUDGE, ends="crashed")
def announces_a_petabyte():
    os.write(3, _frame(9, 1 << 50))


@attempt(JUDGE, ends="timeout", seconds=0.3)
def announces_an_answer_and_stalls():
    os.write(3, _frame(99, 0))
    time.sleep(60)


@attempt(JUDGE, ends="timeout", seconds=0.3)
def answers_drop_by_drop():
    os.write(3, _frame(1 << 20, 0))
    while True:
        os.write(3, b" ")
        time.sleep(0.01)


@attempt(JUDGE, ends="crashed")
def answers_as_another():
    head = json.dumps([{"$dict": [["id", "0" * 16], ["answer", {"$dict": []}]]}, []])
    os.write(3, _frame(len(head), 0) + head.encode())


@attempt(JUDGE, ends="crashed")
def answers_one_tensor_sixty_thousand_times():
    head = json.dumps([[{"$tensor": 0}] * 60_000, [["float32", [1]]]]).encode()
    os.write(3, _frame(len(head), 4) + head + bytes(4))


@attempt(JUDGE, ends="answered")
def prints_a_hundred_megabytes():
    for _ in range(33):
        print("x" * 10**6)
        sys.stderr.write("y" * 10**6)
        os.write(1, b"z" * 10**6)


@attempt(JUDGE, ends="error")
def reads_its_input():
    return sys.stdin.read() + input()


# --- values that cannot travel


@attempt(JUDGE, ends="error")
def answers_a_tensor_without_end():
    return torch.zeros(1).expand(2**40)


@attempt(JUDGE, ends="error")
def answers_a_tensor_without_end_by_strides():
    return torch.zeros(1).as_strided((2**20, 2**20), (0, 0))


@attempt(JUDGE, ends="error")
def answers_an_empty_tensor_of_eight_wide_dimensions():
    return torch.empty(0, *[2**7] * 7)


@attempt(JUDGE, ends="error")
def answers_six_hundred_tensors():
    return [torch.zeros(1)] * 600


@attempt(JUDGE, ends="answered error")
def answers_lists_in_lists():
    nest: list[object] = []
    for _ in range(10000):
        nest = [nest]
    return nest


@attempt(JUDGE, ends="answered error")
def answers_a_list_that_holds_itself():
    own: list[object] = []
    own.append(own)
    return own


@attempt(JUDGE, ends="error timeout")
def answers_a_million_numbers():
    return list(range(10**6))


@attempt(JUDGE, ends="error")
def answers_tensors_of_odd_kinds():
    return [torch.zeros(2) * 1j, torch.eye(2).to_sparse(), torch.zeros(2, device="meta")]


@attempt(JUDGE, ends="error")
def raises_text_that_writes_on_a_terminal():
    raise ValueError("a\n\x1b[2J\x00b" + chr(0xD800) + "c" * 5000)


# --- what is around it


@attempt(JUDGE, ends="answered error crashed timeout", seconds=0.3)
def leaves_hooks_behind():
    class Late:
        def __del__(self):
            while True:
                pass

    atexit.register(lambda: 1 / 0)
    weakref.finalize(Late, print)
    gc.disable()
    sys.meta_path.clear()
    sys.modules.pop("os", None)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(7)
    torch.allclose = torch.equal = lambda *_, **__: True
    builtins.isinstance = lambda *_: True
    del builtins.len


@attempt(JUDGE, ends="crashed error timeout", seconds=0.3)
def breaks_what_answers():
    for name in list(sys.modules):
        if "inside" in name.split("."):
            sys.modules[name].__dict__.clear()


@attempt(JUDGE, ends="crashed error answered", seconds=0.3)
def breaks_what_the_collector_of_garbage_finds():
    for one in gc.get_objects():
        if type(one) is dict and "Session" in one:
            one.clear()


@attempt(JUDGE, ends="error")
def finds_the_checks_among_its_modules():
    secret = ("autograder.parts", "autograder.checking.registry", "autograder.grading", "hw5_gan")
    refuse_unless(any(name.startswith(secret) for name in sys.modules))


@attempt(JUDGE, ends="error", seconds=10.0)
def finds_answers_among_all_that_its_process_holds():
    """In no list, frame, code or text that can be reached from anything."""
    sign = " ".join(["### BEGIN", "SOLUTION"])  # which stands nowhere here
    seen: set[int] = set()
    todo = [*gc.get_objects(), *sys._current_frames().values()]
    found = False
    while todo and not found:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            text = one if isinstance(one, str) else one.decode("latin-1")
            found = text.count(sign) > 1
        else:
            todo += gc.get_referents(one)
    refuse_unless(found)
