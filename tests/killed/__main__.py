"""Kills graders at random moments, and looks whether anything was lost or doubled.

    python -m tests.killed                                    # 200 moments, 50 submissions
    python -m tests.killed --moments 20 --submissions 6

What is killed is the grader with all that it started, the grader alone, or one of its processes:
the worker, or what runs a submission. Then the same command is given again. When all is graded and
written, marks and results must be those of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

from autograder.grading.journal import JOURNAL
from tests.processes import adopt_orphans, left_running

SAMPLES = Path(__file__).resolve().parents[1] / "submissions"
KINDS = ("right-by-hand", "right-functional", "wrong-details", "hostile-exit", "wrong-unfinished")
PART = "conv-gan"
SEED = 7
LONGEST = 600.0
AT_THE_END = 4
"""Moments that are kept for the time in which all is graded, and being written."""

TOO_LONG = re.compile(r" Line \d+ takes too long while the file loads and was left out\.")
"""How long a line takes is the machine's affair, and this one may be busy."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.killed", description=__doc__)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--submissions", type=int, default=50)
    parser.add_argument("--chance", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    chance, killed, ended = random.Random(asked.chance), Counter[str](), 0
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="hw5-killed-") as name:
        folder = Path(name)
        submissions = _class(folder / "class", asked.submissions)
        first = _undisturbed(submissions, folder / "undisturbed")
        print(f"chance {asked.chance}; the first is graded after {first:.0f} s", flush=True)
        while sum(killed.values()) < asked.moments:
            out = folder / f"marks-{ended}"
            left = asked.moments - sum(killed.values())
            killed += _disturbed(submissions, out, left, first, asked.submissions, chance)
            faults = _differences(folder / "undisturbed", out)
            if faults:
                kept = shutil.move(folder, f"{folder}-differs")
                folder.mkdir()
                print(f"after {sum(killed.values())} moments: {'; '.join(faults)} (see {kept})")
                return 1
            ended += 1
            print(f"{sum(killed.values())} moments, {ended} runs alike", flush=True)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(killed.items()))
        print(f"nothing lost, nothing doubled, the same bytes. Killed: {kinds}")
    return 0


def _class(folder: Path, size: int) -> Path:
    """Submissions of which no two hold the same file."""
    for number, kind in zip(range(size), cycle(KINDS), strict=False):
        student = folder / f"{kind}-{number:02}"
        shutil.copytree(SAMPLES / kind, student)
        for path in student.glob("*.py"):
            path.write_bytes(path.read_bytes() + f"\nNUMBER_{number} = {number}\n".encode())
    return folder


def _start(submissions: Path, out: Path) -> subprocess.Popen[bytes]:
    grade = ["grade", str(submissions), "--out", str(out), "--part", PART]
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", *grade, "--jobs", "1", "--seed", str(SEED)],
        env={**os.environ, "HW5_CACHE": str(out.with_suffix(".sqlite"))},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _finish(submissions: Path, out: Path) -> None:
    running = _start(submissions, out)
    _, said = running.communicate(timeout=LONGEST)
    if running.returncode:
        raise RuntimeError(said.decode(errors="replace"))


def _undisturbed(submissions: Path, out: Path) -> float:
    """Grade to the end; brings the seconds after which the first submission was graded."""
    began = time.monotonic()
    running = _start(submissions, out)
    while not _results(out) and running.poll() is None:
        time.sleep(0.05)
    first = time.monotonic() - began
    running.communicate(timeout=LONGEST)
    _finish(submissions, out)
    return first


def _disturbed(
    submissions: Path, out: Path, moments: int, first: float, size: int, chance: random.Random
) -> Counter[str]:
    """Grade into `out`, killed at up to so many moments, from before the first submission is graded
    to some time after; brings what was killed.
    """
    killed, before, late = Counter[str](), 0, 0
    not_ours = set(left_running(0))
    while sum(killed.values()) < moments and late < AT_THE_END:
        late += before == size
        running = _start(submissions, out)
        time.sleep(chance.uniform(0.0, 2.5 * first))
        if running.poll() is not None:
            _, said = running.communicate()
            if running.returncode:
                raise RuntimeError(said.decode(errors="replace"))
            before = _whole_lines(out)
            continue
        kind = chance.choice(["with all", "alone", "one of its"])
        if kind == "one of its":
            kind = _kill_one(running.pid, chance)
            # It goes on, or says that it cannot; then it has another moment to itself.
            time.sleep(chance.uniform(0.0, 3.0))
        if kind == "alone":
            running.kill()
        else:
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        killed[f"the grader {kind}" if kind in ("with all", "alone") else kind] += 1
        # A worker whose judge was killed as it started it ends once it has loaded.
        if left := set(left_running(5 + first)) - not_ours:
            raise RuntimeError(f"left running: {left}")
        _reap()
        now = _whole_lines(out)
        if now < before:
            raise RuntimeError(f"{before - now} of the submissions that were graded are lost")
        before = now
    _finish(submissions, out)
    return killed


def _reap() -> None:
    """Wait for what has ended and became our child when its parent was killed."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _kill_one(pid: int, chance: random.Random) -> str:
    """Kill one process below it, whichever it is."""
    below = _descendants(pid)
    if not below:
        return "with all"
    victim = chance.choice(below)
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return "with all"
    return "worker or submission"


def _descendants(pid: int) -> list[int]:
    try:
        tasks = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    children = [int(child) for text in tasks for child in text.split()]
    return [*children, *(one for child in children for one in _descendants(child))]


def _results(out: Path) -> list[str]:
    """Whose results stand in the whole lines of the journal."""
    journal = out / JOURNAL
    data = journal.read_bytes() if journal.exists() else b""
    lines = data[: data.rfind(b"\n") + 1].splitlines()
    return [one["result"]["id"] for one in map(json.loads, lines) if "result" in one]


def _whole_lines(out: Path) -> int:
    found = _results(out)
    if len(found) != len(set(found)):
        raise RuntimeError("a submission stands twice in the journal")
    return len(found)


def _differences(one: Path, other: Path) -> list[str]:
    """Where two folders of marks say other things."""
    faults = []
    if (one / "marks.csv").read_bytes() != (other / "marks.csv").read_bytes():
        faults.append("marks.csv differs")
    for kind in ("results", "feedback"):
        names = [sorted(path.name for path in (out / kind).iterdir()) for out in (one, other)]
        if names[0] != names[1]:
            faults.append(f"{kind} are of others")
            continue
        for name in names[0]:
            texts = [(out / kind / name).read_text(encoding="utf-8") for out in (one, other)]
            if TOO_LONG.sub("", texts[0]) != TOO_LONG.sub("", texts[1]):
                faults.append(f"{kind}/{name} differs")
    if sorted(_results(one)) != sorted(_results(other)):
        faults.append("the journals name others")
    return faults


if __name__ == "__main__":
    sys.exit(main())
