"""What students install: the packages, their tested versions, and a page for each system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from . import ReleaseError

HERE = Path(__file__).resolve().parent
SECTIONS = ("The coursework itself", "The report")
"""Of requirements.txt: what comes under these headings is what a student needs."""
LAB = "jupyterlab"
"""What the pages install besides."""
SYSTEMS = {"windows": "Windows", "macos": "macOS", "linux": "Linux", "colab": "Google Colab"}


def files(source: Path, zip_name: str, address: str) -> dict[str, str]:
    """The files that tell students what to install and how, by name. Raises ReleaseError.

    source: the kit's folder; address: where Colab fetches the zip from, or nothing.
    """
    templates = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, keep_trailing_newline=True
    )
    pages = {
        f"start-{system}.md": templates.get_template(f"start-{system}.md").render(
            zip=zip_name, address=address
        )
        for system in SYSTEMS
    }
    wanted = requirements(source / "requirements.txt")
    exact = constraints(source / "constraints.txt", wanted)
    return {"requirements.txt": wanted, "constraints.txt": exact, **pages}


def requirements(path: Path) -> str:
    """The sections of requirements.txt that the coursework is."""
    sections = re.split(r"\n(?=# )", path.read_text(encoding="utf-8"))
    wanted = [s.strip() for s in sections if s.startswith(tuple(f"# {t}" for t in SECTIONS))]
    if len(wanted) != len(SECTIONS):
        raise ReleaseError(
            f"{path.name} must have the sections {' and '.join(SECTIONS)}: they are what students "
            "install."
        )
    return "\n\n".join(wanted) + "\n"


def constraints(path: Path, wanted: str) -> str:
    """The lines of constraints.txt for what `wanted` needs, and what that needs in its turn."""
    lines = (line.partition("#")[0].strip() for line in wanted.splitlines())
    names = closure((*filter(None, lines), LAB))
    head, kept = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            head.append(line)
        elif line and canonicalize_name(Requirement(line).name) in names:
            kept.append(line)
    return "\n".join(head + kept) + "\n"


@lru_cache
def closure(wanted: tuple[str, ...]) -> frozenset[str]:
    """Names of the distributions that these requirements bring, as far as they are installed here.

    What only another system needs is in it as well.
    """
    waiting = [Requirement(line) for line in wanted]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key not in seen:
            seen.add(key)
            waiting += _needs(one)
    return frozenset(name for name, _ in seen)


def _needs(wanted: Requirement) -> Iterator[Requirement]:
    """What a distribution requires, with the extras that are asked for."""
    try:
        lines = metadata.requires(wanted.name) or []
    except metadata.PackageNotFoundError:
        return
    for line in lines:
        needed = Requirement(line)
        extras = re.findall(r"""extra == ["']([^"']+)""", str(needed.marker or ""))
        if not extras or wanted.extras.intersection(extras):
            yield needed
