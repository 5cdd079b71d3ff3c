"""Given to students: tries their code for the visible checks, in a process of its own.

A script that hw5_process.py starts, and that nobody imports. It imports torch and waits for tasks
on its standard input: a module, and questions. It imports the student's file, tries the questions
by `hw5_checks.findings`, and says what it finds on its standard output, as soon as it has found it.
It ends when it is told nothing more, and at once when the session hangs up.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import queue
import sys
import threading
from pathlib import Path

LINGER = 60  # seconds that a helper waits for more questions about the same files


def serve() -> None:
    """Be a helper: import torch, then do the tasks that come in, until none does."""
    tasks, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)  # the student's code has nothing to read and prints to nobody
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    faulthandler.enable(answers)
    told: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_obey, args=(tasks, told, answers), daemon=True).start()
    _stand_in(told.get()["scene"])
    with contextlib.suppress(Exception):
        _warm_up(told)
    message = told.get()
    while True:
        _stand_in(message["scene"])
        _do(message["task"], answers)
        try:
            message = told.get(timeout=LINGER)
        except queue.Empty:
            os._exit(0)  # whatever the student's code has left running


def _warm_up(told: queue.SimpleQueue) -> None:
    """Import what takes seconds; the second half only while nobody waits."""
    import torch

    torch.set_num_threads(1)  # checks are small, and several threads would wait for busy cores
    torch.cuda.is_available()  # asks the driver, once
    if told.empty():
        torch.optim.Adam([torch.zeros(1)])  # the first optimizer imports as much again


def _obey(tasks: int, told: queue.SimpleQueue, answers: int) -> None:
    """Take in messages; end at once, with a word on where, when the session hangs up or ends."""
    with open(tasks, "rb") as stream:
        for line in stream:
            told.put(json.loads(line))
    faulthandler.dump_traceback(answers)
    os._exit(1)


def _stand_in(scene: dict) -> None:
    os.chdir(scene["folder"])
    sys.path[:] = scene["path"]
    os.environ.clear()
    os.environ.update(scene["environ"])


def _do(task: dict, answers: int) -> None:
    """Do one task. First it is said whether it can be begun at all."""

    def say(found: str | None) -> None:
        if found:  # half a letter, as of a file's odd name, could not be printed
            found = found.encode(errors="backslashreplace").decode()
        answer = {"found": found, "pid": os.getpid()}
        os.write(answers, json.dumps(answer).encode() + b"\n")

    def start_clock() -> None:
        faulthandler.dump_traceback_later(task["seconds"], exit=True, file=answers)

    try:
        import hw5_checks
    except Exception as error:
        say(f"{type(error).__name__}: {error}.")
        return
    hw5_checks.check = lambda part: True  # a file that checks itself is not checked again
    _bound_memory(task["memory"])
    say(None)
    start_clock()
    for finding in hw5_checks.findings(task["module"], task["questions"]):
        say(finding)
        start_clock()
    faulthandler.cancel_dump_traceback_later()


def _bound_memory(size: int) -> None:
    """Let an allocation that asks for too much fail in its own line, where the system can do so.

    Elsewhere, and with a GPU, whose driver reserves more than it uses, the session looks on.
    """
    import torch

    if sys.platform == "linux" and not torch.cuda.is_available():
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        size += pages * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        with contextlib.suppress(ValueError):  # a lower limit holds already
            resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


if __name__ == "__main__":
    serve()
