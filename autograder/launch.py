"""The command lines that start a worker: the interpreter alone, or inside bubblewrap."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .reference import ROOT

INSIDE = Path(__file__).with_name("inside")
SCRATCH_BYTES = 1 << 26


def readable() -> list[str]:
    """Folders a worker needs to read: interpreter, environment, system libraries, packages."""
    packages = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    wanted = [sys.base_prefix, sys.prefix, *packages, "/usr", "/lib", "/lib64", "/bin", "/sbin"]
    there = dict.fromkeys(str(path) for path in wanted if os.path.isdir(path))
    return [path for path in there if path != "/"]


def python(folder: str, paths: Sequence[str]) -> list[str]:
    """The worker's command line: isolated, no bytecode, our folder on the path for its import."""
    packages = [p for p in paths if Path(p).name in ("site-packages", "dist-packages")]
    program = (
        f"import sys; sys.path[:] = [p for p in sys.path if p.startswith(tuple({list(paths)!r}))];"
        f"sys.path += [p for p in {packages!r} if p not in sys.path];"
        f"sys.path.insert(0, {folder!r}); from inside import worker; sys.path.pop(0); worker.main()"
    )
    return [sys.executable, "-I", "-B", "-c", program]


def bubblewrap(paths: Sequence[str]) -> list[str]:
    """The command that starts a program in namespaces of its own."""
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid"]
    command += ["--unshare-net", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    if os.geteuid() == 0:
        # A user namespace would leave root's uid outside, and with it the limits unenforced.
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_KILL"):
            command += ["--cap-add", capability]
    else:
        command += ["--unshare-user"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    parents = [*map(Path, paths), Path("/kit/inside"), Path("/etc/x")]
    # bubblewrap makes missing parents for root alone.
    made = dict.fromkeys(str(up) for path in parents for up in reversed(path.parents))
    for folder in made:
        if folder not in ("/", *paths) and not os.path.islink(folder):
            command += ["--dir", folder]
    for path in paths:
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind", path, path]
    command += _masks(paths)
    for file in ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives"):
        command += ["--ro-bind-try", file, file]
    command += ["--ro-bind", str(INSIDE), "/kit/inside"]
    command += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", "/scratch"]
    # Only the scratch folder can be written, whoever we are in here.
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--"]


def _masks(paths: Sequence[str]) -> list[str]:
    """Hide the kit where it lies inside a folder that is shown, the environment excepted."""
    root = str(ROOT)
    if not any(root == path or root.startswith(path + "/") for path in paths):
        return []
    inside = [path for path in paths if path.startswith(root + "/")]
    command = ["--tmpfs", root]
    for path in inside:
        command += ["--ro-bind", path, path]
    return command


def advice(said: str) -> str:
    if "uid map" in said or "namespace" in said or "Permission" in said:
        return (
            f"{said} User namespaces are switched off; on Ubuntu 24.04, allow them for bwrap with "
            "an AppArmor profile, or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    return said
