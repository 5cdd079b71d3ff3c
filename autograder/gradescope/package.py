"""autograder.zip: what Gradescope builds its container from."""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.checking.modules import ROOT
from autograder.export.shared import write_bytes
from autograder.sandbox.zygote import ENVIRONMENT

PACKAGE = Path(__file__).resolve().parents[1]
SUFFIXES = (".py", ".toml", ".html")

SPARING = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""Memory that is freed goes back to the system at once."""


def write(out: Path, part_ids: Sequence[str]) -> None:
    """Write the zip; equal kits give equal bytes. No `part_ids` means all parts. Raises OSError."""
    write_bytes(out, zipped(content(part_ids)))


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these: equal files give equal bytes, and Gradescope's two scripts may be run."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3  # Unix, whose permissions follow
            executable = name in ("setup.sh", "run_autograder")
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def content(part_ids: Sequence[str]) -> Mapping[str, bytes]:
    """Every file of the zip by its name: two scripts, the kit, its solutions and its pins."""
    here = Path(__file__).parent
    run = (here / "run.sh").read_text(encoding="utf-8")
    variables = [f"{name}={shlex.quote(v)}" for name, v in {**ENVIRONMENT, **SPARING}.items()]
    run = run.replace("@ENVIRONMENT@", " ".join(variables))
    run = run.replace("@PARTS@", " ".join(f"--part {shlex.quote(part)}" for part in part_ids))
    package = [path for path in PACKAGE.rglob("*") if path.suffix in SUFFIXES]
    files = [ROOT / "constraints.txt", *ROOT.glob("hw5_*.py"), *package]
    return {
        "setup.sh": (here / "setup.sh").read_bytes(),
        "run_autograder": run.encode(),
        **{path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files},
    }
