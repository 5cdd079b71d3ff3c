"""Attacks the sandbox in every mode that this machine can make, and prints what held.

    python -m tests.attacks                # every mode, each layer switched off in turn: minutes
    python -m tests.attacks "all layers"   # one of them

Everything runs in processes and a folder for temporary files of its own, within bounds of memory,
processes and time that do not depend on the sandbox. It needs root, bubblewrap, unshare, setpriv.
What is printed are the tables of docs/security.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.checking.modules import ROOT
from tests.attacks import engine
from tests.attacks.engine import EVERY, MODES, Ended
from tests.attacks.tools import TRIES

SECONDS = 600
MEMORY = 3 << 30
TASKS = 300
CONTAINER = "Gradescope's container"

Found = dict[str, dict[str, Ended]]
"""Mode -> try -> how it ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("modes", nargs="*", metavar="MODE", help=f"one of: {', '.join(MODES)}")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # we are in the bounds
    parser.add_argument("--like", default="", help="the tries whose names have this in them")
    asked = parser.parse_args(arguments)
    if asked.into:
        (name,) = asked.modes
        found = engine.run(MODES[name], each=True, like=asked.like)
        asked.into.write_text(json.dumps({one: [e.how, e.left] for one, e in found.items()}))
        return 0
    ended: Found = {}
    for name in asked.modes or MODES:
        run = _in_container if name == CONTAINER else _in_bounds
        ended[name] = run(name, asked.like)
        held = sum(not one.through for one in ended[name].values())
        print(f"{name}: {held} of {len(ended[name])} stopped", file=sys.stderr, flush=True)
    print(tables(ended))
    bad = [
        f"{name}: {one}: {how.how} {', '.join(how.left)}"
        for name, found in ended.items()
        for one, how in found.items()
        if one == engine.ALL or engine.wrong(TRIES[one], how, MODES[name])
    ]
    print(*bad, sep="\n", file=sys.stderr)
    return 1 if bad else 0


def _in_bounds(name: str, like: str) -> dict[str, Ended]:
    """Run one mode in a process of its own that holds nothing up and fills nothing."""
    with _cgroups() as groups, tempfile.TemporaryDirectory(prefix="hw5-attacks-") as folder:
        os.chmod(folder, 0o777)
        shown = Path(folder, "ended.json")
        run = [sys.executable, "-B", "-m", "tests.attacks", "--into", str(shown)]
        run += ["--like", like, name]
        if not MODES[name].root:
            run = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", *run]
        enter = [f"echo $$ > {group}/cgroup.procs" for group in groups]
        lay = [f"mount -t tmpfs -o mode=1777,size=1g none {folder}"]
        lay += [] if MODES[name].root else _opened(folder)
        command = " && ".join([*enter, *lay, f"export TMPDIR={folder}", '"$@"', f"cat {shown}"])
        spaces = ["--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--ipc"]
        done = subprocess.run(
            ["unshare", *spaces, "bash", "-c", command, "bash", *run],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            timeout=SECONDS,
            check=True,
        )
        return _parsed(json.loads(done.stdout))


def _opened(folder: str) -> list[str]:
    """Commands that let an ordinary user go to Python and the kit through folders that are closed
    to others.
    """
    commands = []
    for number, path in enumerate(dict.fromkeys((sys.base_prefix, sys.prefix, str(ROOT)))):
        closed = [up for up in reversed(Path(path).parents) if not up.stat().st_mode & 0o001]
        if closed:
            kept = f"{folder}/{number}"
            commands += [
                f"mkdir {kept} && mount --bind {path} {kept}",
                f"mount -t tmpfs -o mode=755 none {closed[0]}",
                f"mkdir -p {path} && mount --move {kept} {path}",
            ]
    return commands


@contextlib.contextmanager
def _cgroups() -> Iterator[list[Path]]:
    """Folders of cgroups with our bounds, those that this machine lets us make."""
    name = f"hw5-attacks-{os.getpid()}"
    made = []
    for folder, limits in (
        (Path("/sys/fs/cgroup/memory"), {"memory.limit_in_bytes": MEMORY}),
        (Path("/sys/fs/cgroup/pids"), {"pids.max": TASKS}),
        (Path("/sys/fs/cgroup"), {"memory.max": MEMORY, "pids.max": TASKS}),
    ):
        with contextlib.suppress(OSError):
            (folder / name).mkdir()
            made.append(folder / name)
            for file, limit in limits.items():
                (folder / name / file).write_text(str(limit))
    bounded = [path for path in made if (path / "cgroup.procs").exists()]
    if not bounded:
        print("This machine makes no cgroups: the clock alone bounds what runs.", file=sys.stderr)
    try:
        yield bounded
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()


RUN = """#!/usr/bin/env bash
set -eu
exec 2>&1
chmod 700 /autograder/source /autograder/submission /autograder/results
cd /autograder/source
exec env -i PATH=/usr/bin:/bin LANG=C.UTF-8 OMP_NUM_THREADS=1 OMP_THREAD_LIMIT=1 \
    /opt/hw5/bin/python -B -m tests.attacks \
    --into /autograder/results/results.json --like {like} {name}
"""


def _in_container(name: str, like: str) -> dict[str, Ended]:
    """Run the corpus where Gradescope's autograder would run."""
    from tests.autograder.gradescope import container

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        kit = [*ROOT.glob("hw5_*.py"), *ROOT.glob("autograder/**/*")]
        for path in [
            *kit,
            *ROOT.glob("tests/attacks/**/*.py"),
            ROOT / "tests/autograder/attacks.py",
        ]:
            if path.is_file() and path.suffix != ".pyc":
                target.write(path, path.relative_to(ROOT))
        script = RUN.format(like=shlex.quote(like), name=shlex.quote(name))
        target.writestr("run_autograder", script)
    with tempfile.TemporaryDirectory(prefix="hw5-container-") as folder:
        zipped = Path(folder, "autograder.zip")
        zipped.write_bytes(archive.getvalue())
        ended = container.run(Path(folder, "root"), zipped, {})
    if ended.results is None:
        raise RuntimeError(ended.said)
    return _parsed(ended.results)


def _parsed(said: dict[str, list]) -> dict[str, Ended]:
    return {name: Ended(how, tuple(left)) for name, (how, left) in said.items()}


def tables(ended: Found) -> str:
    """Three tables in Markdown: by layer, by mode, and the corpus."""
    return "\n".join([*_by_layer(ended), "", *_by_mode(ended), "", *_corpus(ended)])


def _through(found: dict[str, Ended]) -> list[str]:
    return [name for name, how in found.items() if how.through]


def _by_layer(ended: Found) -> Iterator[str]:
    yield "| switched off, all others on | tries that get through | which |"
    yield "| --- | --- | --- |"
    for name, found in ended.items():
        if MODES[name].root and EVERY - MODES[name].layers and not MODES[name].here:
            through = _through(found)
            (layer,) = EVERY - MODES[name].layers
            yield f"| {layer} | {len(through)} of {len(found)} | {', '.join(through)} |"


def _by_mode(ended: Found) -> Iterator[str]:
    shown = [n for n in ended if not n.startswith("without")]
    failing = dict.fromkeys(one for name in shown for one in _through(ended[name]))
    yield f"| what gets through somewhere | {' | '.join(shown)} |"
    yield f"| --- |{' --- |' * len(shown)}"
    for one in failing:
        cells = ["**through**" if ended[name][one].through else "held" for name in shown]
        yield f"| {one} | {' | '.join(cells)} |"
    yield f"| all others | {' | '.join('held' for _ in shown)} |"


def _corpus(ended: Found) -> Iterator[str]:
    yield "| try | must be stopped by each of | it ended, with all layers | it left behind |"
    yield "| --- | --- | --- | --- |"
    for name, how in next(iter(ended.values())).items():
        stops = ", ".join(TRIES[name].stopped_by)
        yield f"| {name} | {stops} | {how.how} | {', '.join(how.left) or 'nothing'} |"


if __name__ == "__main__":
    sys.exit(main())
