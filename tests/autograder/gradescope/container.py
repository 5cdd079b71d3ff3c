"""Gradescope's container, as far as a test can make one: its layout, its limits, its rights.

Root without the right to make namespaces, 768 MB and half a core where cgroups can be made, and a
kernel without Landlock, as old hosts have it. Everything runs in namespaces of its own.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.sandbox.launch import readable

MEMORY = 768 << 20
SECONDS = 600

RIGHTS = (
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
    "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
)
"""What root may do in a container by default."""

METADATA: dict[str, Any] = {
    "id": 123456,
    "created_at": "2027-04-10T14:22:32.365935-07:00",
    "assignment": {
        "due_date": "2027-04-12T23:00:00.000000-07:00",
        "late_due_date": None,
        "group_size": None,
        "group_submission": False,
        "id": 25828,
        "course_id": 1234,
        "release_date": "2027-03-01T00:00:00.000000-07:00",
        "title": "Deep generative models",
        "total_points": "310.0",
    },
    "submission_method": "upload",
    "users": [{"email": "ada@example.edu", "id": 1234, "name": "Ada"}],
    "previous_submissions": [],
}


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, what it printed, results.json (None when there is none),
    seconds on the clock, and the most memory it held, in bytes.
    """

    code: int
    said: str
    results: dict[str, Any] | None
    seconds: float
    memory: int


def run(
    root: Path, archive: Path, submission: Mapping[str, bytes], stale: str | None = None
) -> Ended:
    """Lay out the container in `root`, run run_autograder in it as Gradescope does.

    `stale`: what lies in results.json from before.
    """
    home = root / "autograder"
    for name in ("source", "submission", "results"):
        (home / name).mkdir(parents=True)
    root.chmod(0o755)
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(home / "source")
    shutil.copy(home / "source" / "run_autograder", home / "run_autograder")
    (home / "run_autograder").chmod(0o755)
    for name, data in submission.items():
        (home / "submission" / name).write_bytes(data)
    (home / "submission_metadata.json").write_text(json.dumps(METADATA))
    results = home / "results" / "results.json"
    if stale is not None:
        results.write_text(stale)
    with _bounded() as (group, peak), tempfile.TemporaryFile() as rules:
        rules.write(_refused())
        rules.seek(0)
        began = time.monotonic()
        enter = [f"echo $$ > {path}/cgroup.procs" for path in group]
        command = " && ".join([*enter, 'exec "$@"'])
        process = subprocess.Popen(
            ["bash", "-c", command, "bash", *_container(root, rules.fileno())],
            pass_fds=[rules.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        seconds = time.monotonic() - began
        memory = peak()
    content = json.loads(results.read_text()) if results.exists() else None
    return Ended(process.returncode, said.decode(errors="replace"), content, seconds, memory)


def _container(root: Path, rules: int) -> list[str]:
    """bubblewrap as root, without a user namespace, so that root is what it is in a container."""
    command = ["bwrap", "--die-with-parent", "--unshare-pid", "--unshare-ipc", "--unshare-net"]
    command += ["--unshare-uts", "--cap-drop", "ALL"]
    for right in RIGHTS.split():
        command += ["--cap-add", f"CAP_{right}"]
    command += ["--bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"]
    command += ["--perms", "1777", "--tmpfs", "/tmp"]
    for path in readable():
        if path == sys.prefix:
            continue
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
            continue
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        command += ["--ro-bind", path, path]
    for name in ("opt/hw5", "etc", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for up in [*root.rglob("*")]:
        if up.is_dir() and "autograder" not in up.parts[len(root.parts) :]:
            up.chmod(0o755)
    command += ["--ro-bind", sys.prefix, "/opt/hw5"]
    for file in ("/etc/passwd", "/etc/ld.so.cache", "/etc/alternatives"):
        command += ["--ro-bind-try", file, file]
    command += ["--chdir", "/autograder", "--seccomp", str(rules), "--"]
    return [*command, "/autograder/run_autograder"]


def _refused() -> bytes:
    """What a container's own filter refuses: new namespaces and mounts; and here Landlock, too."""
    import pyseccomp as seccomp

    rules = seccomp.SyscallFilter(defaction=seccomp.ALLOW)
    for name in ("unshare", "setns", "mount", "umount2", "pivot_root"):
        rules.add_rule(seccomp.ERRNO(errno.EPERM), name)
    for flag in (0x20000, *(1 << bit for bit in range(25, 31))):
        rules.add_rule(
            seccomp.ERRNO(errno.EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag)
        )
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for number in (444, 445, 446):
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), number)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


@contextlib.contextmanager
def _bounded() -> Iterator[tuple[list[Path], Any]]:
    """cgroups with the limits, where this machine lets us make any, and the most memory held.

    Without them the memory is watched instead, several times a second.
    """
    made = _version_1() or _version_2()
    if made:
        folders, peak = made
        try:
            yield folders, lambda: int(peak.read_text())
        finally:
            for folder in folders:
                for _ in range(50):
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                        break
                    time.sleep(0.1)
    else:
        yield [], lambda: 0


def _version_1() -> tuple[list[Path], Path] | None:
    name = f"hw5-container-{os.getpid()}-{time.monotonic_ns()}"
    where = dict(
        (controller, path)
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        for _, controllers, path in [line.split(":", 2)]
        for controller in controllers.split(",")
    )
    try:
        memory = Path(f"/sys/fs/cgroup/memory{where['memory']}", name)
        cpu = Path(f"/sys/fs/cgroup/cpu{where['cpu']}", name)
        memory.mkdir()
        cpu.mkdir()
        (memory / "memory.limit_in_bytes").write_text(str(MEMORY))
        (cpu / "cpu.cfs_period_us").write_text("100000")
        (cpu / "cpu.cfs_quota_us").write_text("50000")
    except (KeyError, OSError):
        return None
    return [memory, cpu], memory / "memory.max_usage_in_bytes"


def _version_2() -> tuple[list[Path], Path] | None:
    folder = Path("/sys/fs/cgroup", f"hw5-container-{os.getpid()}-{time.monotonic_ns()}")
    try:
        folder.mkdir()
        (folder / "memory.max").write_text(str(MEMORY))
        (folder / "cpu.max").write_text("50000 100000")
        (folder / "memory.peak").read_text()
    except OSError:
        with contextlib.suppress(OSError):
            folder.rmdir()
        return None
    return [folder], folder / "memory.peak"
