"""Runs the visible checks in a process of their own, so that nothing there can harm the session.

    the session, here                        a helper: hw5_helper.py, run as a script
    `findings(module, questions)`            imports torch and waits
        the module, the questions    ->      imports the student's file, tries the questions
        a sentence or None for each  <-      says what it finds, as soon as it has found it

A loop without an end, a crash or 20 GB of numbers is the end of a helper, and a sentence; the next
question gets another one. Importing torch takes seconds: a spare helper has done that before it is
asked. A helper that has answered waits a minute for more questions about the same files, as when
all cells of a notebook run. What a check is, `hw5_checks` knows; nothing here does.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.machinery
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 60  # for the import, and for each question
MEMORY = 3 * 2**30  # bytes for the student's code, beside what torch takes
START = 600  # seconds in which a helper must be there: the first import of torch may take long
TICK = 0.1  # seconds between two looks at a helper's memory

HELPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hw5_helper.py")
IMPORT = "import"
WRITTEN = ("hw5_vae.py", "hw5_gan.py")  # what students write: a line of theirs is in one of these


class Ended(Exception):
    """A helper ended before it answered; says why in a sentence."""


@dataclass(eq=False)
class Helper:
    """A process that tries the student's code."""

    process: subprocess.Popen
    heard: queue.SimpleQueue  # the lines it has said, None at its end
    pid: int = 0  # as it says: on Windows, a virtual environment's Python starts another one
    seen: tuple | None = None  # the scene and the files of its last task; None for a spare


@dataclass(frozen=True)
class Scene:
    """Where the session stands: a helper works as if it stood there itself."""

    folder: str
    path: list[str]
    environ: dict[str, str]


# --- the session's side

_waiting: list[Helper] = []  # one that has done a task, perhaps, and a spare


def findings(module: str, questions: Sequence[str]) -> Iterator[str | None]:
    """What is wrong with importing `module`, then with each question: a sentence, or None.

    As `hw5_checks.findings`, in another process. Raises Ended if no helper can be had.
    """
    found = _round(module, questions)
    wrong = next(found)
    yield wrong
    left = [] if wrong else list(questions)
    while left:
        for finding in found:
            del left[0]
            yield finding
        if left:  # the helper ended: another one goes on
            found = _round(module, tuple(left))
            if wrong := next(found):
                yield from [wrong] * len(left)
                return


def _round(module: str, questions: Sequence[str]) -> Iterator[str | None]:
    """The findings of one helper: at least one, and the last may be that it ended."""
    scene, home = _scene(), _home_of(module)
    files = _read(home)
    task = {"module": module, "questions": list(questions), "seconds": SECONDS, "memory": MEMORY}
    helper = _begin(scene, files, task)
    most = _memory(helper) + MEMORY
    left = [IMPORT, *questions]
    try:
        while left:
            finding = _hear(helper, home, SECONDS + 5, most)
            left = left[1:] if left[0] != IMPORT or finding is None else []
            yield finding
    except Ended as end:
        yield f"{end}{_AT_IMPORT if left[0] == IMPORT else ''}"
    finally:
        if left:
            _end(helper)
        else:
            helper.seen = scene, files
            _waiting.insert(0, helper)
        if all(one.seen for one in _waiting) and (spare := _start(scene)):
            _waiting.append(spare)


def _scene() -> Scene:
    # Pictures are drawn nowhere: no window opens, and no notebook is there to show them.
    return Scene(os.getcwd(), [str(p) for p in sys.path], {**os.environ, "MPLBACKEND": "agg"})


def _home_of(module: str) -> Path | None:
    """The folder that `module` would be imported from now, whatever was imported before."""
    importlib.invalidate_caches()
    spec = importlib.machinery.PathFinder.find_spec(module)
    return Path(spec.origin).resolve().parent if spec and spec.origin else None


def _read(home: Path | None) -> dict[Path, bytes]:
    """Every Python file of a folder as it is now."""
    found = {}
    for file in home.glob("*.py") if home else ():
        with contextlib.suppress(OSError):
            found[file] = file.read_bytes()
    return found


def _begin(scene: Scene, files: dict[Path, bytes], task: dict) -> Helper:
    """Give the task to the helper that can begin soonest."""
    wrong: str | None = "no process can be started."
    for helper in _candidates(scene, files):
        wrong = "it does not answer."
        try:
            _tell(helper, {"scene": vars(scene), "task": task})
            with contextlib.suppress(Ended):  # it had just ended: the next one will do
                wrong = _hear(helper, None, START)
            if not wrong:
                return helper
        finally:
            if wrong:
                _end(helper)
    raise Ended(
        f"The checks cannot run here in a process of their own: {wrong} Call one in this session "
        "instead, as in: from hw5_checks import check_reparametrize; "
        "check_reparametrize(reparametrize)"
    )


def _candidates(scene: Scene, files: dict[Path, bytes]) -> Iterator[Helper]:
    """The helper that has done a task, if nothing has changed since; the spare; a new one."""
    while _waiting:
        helper = _waiting.pop(0)
        if helper.seen in (None, (scene, files)):
            yield helper
        else:
            _end(helper)
    if helper := _start(scene):
        yield helper


def _start(scene: Scene) -> Helper | None:
    """A new helper, which warms up by itself; None where no process can be started."""
    try:
        process = subprocess.Popen(
            [sys.executable or "python", HELPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scene.folder,
            env=scene.environ,
            start_new_session=True,  # out of reach of an interrupt that is meant for the session
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
    helper = Helper(process, queue.SimpleQueue())
    threading.Thread(target=_listen, args=(process.stdout, helper.heard), daemon=True).start()
    _tell(helper, {"scene": vars(scene)})
    return helper


def _tell(helper: Helper, message: dict) -> None:
    with contextlib.suppress(OSError):  # that it has ended is heard soon enough
        helper.process.stdin.write(json.dumps(message).encode() + b"\n")
        helper.process.stdin.flush()


def _listen(stream, heard: queue.SimpleQueue) -> None:
    """Put the lines of a stream into a queue, and None at its end."""
    with stream:
        for line in stream:
            heard.put(line)
    heard.put(None)


def _hear(
    helper: Helper, home: Path | None, seconds: float, most: float = float("inf")
) -> str | None:
    """What a helper finds next. Raises Ended when it ends, or takes too long or too much."""
    until, why, trace = time.monotonic() + seconds, "", []
    while True:
        with contextlib.suppress(queue.Empty):
            line = helper.heard.get(timeout=TICK)
            if line is None:
                break
            if line.startswith(b"{"):
                answer = json.loads(line)
                helper.pid = answer["pid"]
                return answer["found"]
            trace.append(line.decode(errors="replace"))
            continue
        if not why and _memory(helper) > most:
            why = f"takes more than {MEMORY / 2**30:g} GB of memory, so it was stopped."
            _hang_up(helper)
            until = time.monotonic() + 1  # in which it may say where it is
        if time.monotonic() > until:
            why = why or _too_long()
            break
    _end(helper)
    raise Ended(f"{_place(trace, home)}: {why or _why(trace, helper.process.returncode)}")


def _memory(helper: Helper) -> int:
    """How many bytes of memory a helper holds; 0 where that cannot be known."""
    try:
        import psutil

        return psutil.Process(helper.pid).memory_info().rss if helper.pid else 0
    except Exception:  # no psutil, or no process any more
        return 0


def _hang_up(helper: Helper) -> None:
    with contextlib.suppress(OSError):
        helper.process.stdin.close()


def _end(helper: Helper) -> None:
    """End a helper, and what it has started where there are groups of processes."""
    if helper.process.returncode is None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(helper.process.pid, signal.SIGKILL)
            else:
                helper.process.kill()
        helper.process.wait()
    _hang_up(helper)


@atexit.register
def _end_all() -> None:
    while _waiting:
        _end(_waiting.pop())


# --- why a helper ended

_AT_IMPORT = ' What trains, draws or tries things out belongs under `if __name__ == "__main__":`.'


def at_line(file: str | Path, number: int, text: str) -> str:
    """A line of the student's, as all sentences name it."""
    return f"{Path(file).name}, line {number} (`{text.strip()}`)"


def _place(trace: list[str], home: Path | None) -> str:
    """The student's innermost line in what faulthandler wrote."""
    for line in trace:
        match = re.search(r'File ".*?([^\\/"]+)", line (\d+)', line)
        if home and match and match[1] in WRITTEN:
            file, number = home / match[1], int(match[2])
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            return at_line(file, number, "".join(lines[number - 1 : number]))
    return "Your code"


def _why(trace: list[str], code: int) -> str:
    """Why a helper ended by itself, from faulthandler's first words and its exit code."""
    said = "".join(trace)
    if "Timeout (" in said:
        return _too_long()
    if fatal := re.search(r"(?:Fatal Python error|Windows fatal exception): (.*)", said):
        return f"Python itself crashed here ({fatal[1].strip()})."
    if code == -9:
        return "the system ended it, perhaps because memory ran out."
    ended = signal.strsignal(-code) if code < 0 else f"exit code {code}"
    return f"ended Python itself ({ended}), so that nothing after it could run."


def _too_long() -> str:
    return f"still running after {SECONDS:g} seconds, so it was stopped. Does a loop never end?"
