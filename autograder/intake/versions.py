"""Which file of a submission is meant by a name that is asked for, and which version of it counts.

    hw5_vae (1).py, HW5-vae.py.txt     by its name
    solution.py                        by its lines BEGIN YOUR CODE, or the names that it defines
    homework.ipynb                     by the parts that the kit wrote into its metadata

Of several versions the one counts that has the most work in it. All of this is searched for in the
text: nothing that somebody handed in is parsed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from autograder.assignment import Assignment
from autograder.checking.modules import ROOT
from autograder.intake.archive import Node

Left = tuple[bool, int, int]
Rank = tuple[Left, int, int, list[int], tuple[str, ...]]

AS_ASKED, IN_CAPITALS, OTHERWISE = range(3)
"""How close the name of a file is to the one that is asked for."""

_SAVED_AS = re.compile(r"(?:(?<=\.py)|(?<=\.ipynb))\.(txt|json)$")  # by a browser or an editor
_AGAIN = r"(copy)?\d*"  # what browsers and file managers add to a name
_DEFINED = re.compile(rb"^(?:class|def|async def) +(\w+)", re.MULTILINE)
_ASKED = re.compile(rb"^(?:class|def) +(\w+)|^ *### BEGIN SOLUTION", re.MULTILINE)
_MARKER = re.compile(rb"^ *#+ *BEGIN (?:YOUR CODE|SOLUTION) +([\w-]+)\.\w", re.MULTILINE)
_STUB = re.compile(rb"\.\w{1,100}: write \w")
_UNMERGED = re.compile(rb"^(?:<{7}|>{7})(?: .*)?\r?$", re.MULTILINE)
# In JSON a quote inside a text is escaped, so no text of a student looks like this.
_HW5 = re.compile(rb'"hw5"\s*:\s*\{[^{}]*(?:\{[^{}]*\}[^{}]*)?"parts"\s*:\s*\[([^\[\]]*)\]')
_ANSWER = re.compile(rb'"solution"\s*:\s*true')
_UNANSWERED = re.compile(rb'"YOUR ANSWER HERE"')
_RAN = re.compile(rb'"execution_count"\s*:\s*\d')

_FEWEST_NAMES = 3  # that tell a module by what it defines


@dataclass(frozen=True)
class Version:
    """A file that was handed in, and `name`, which it is taken for; `node` is where it lies."""

    path: tuple[str, ...]
    name: str
    data: bytes
    node: Node

    @property
    def likeness(self) -> int:
        """How close its own name is to `name`."""
        same = self.path[-1].lower() == self.name.lower()
        return AS_ASKED if self.path[-1] == self.name else IN_CAPITALS if same else OTHERWISE

    @cached_property
    def left(self) -> Left:
        """How much there is left to do in it; less is better."""
        if self.name.endswith(".py"):
            lacking = _written_by_students(self.name) - set(_DEFINED.findall(self.data))
            return self.unmerged_line > 0, len(lacking) + len(_STUB.findall(self.data)), 0
        if self.name.endswith(".ipynb"):
            whole = self.data.strip()[:1] + self.data.strip()[-1:] == b"{}"
            unanswered = len(_UNANSWERED.findall(self.data))
            answered = len(_ANSWER.findall(self.data)) - unanswered
            return not whole, -answered, -len(_RAN.findall(self.data))
        return False, 0, 0

    @property
    def finished(self) -> bool:
        """Is there nothing left that can be seen?"""
        return self.left == (False, 0, 0)

    @property
    def rank(self) -> Rank:
        """The lowest counts: the most work, the nearest to the root, the name that was asked for,
        the highest number (attempt2, not attempt1), the first by path."""
        numbers = [-int(n) for n in re.findall(r"\d{1,9}", "/".join(self.path))]
        return self.left, len(self.path), self.likeness, numbers, self.path

    @cached_property
    def unmerged_line(self) -> int:
        """The first line with which git marks a conflict; 0 without one."""
        found = _UNMERGED.search(self.data)
        return self.data.count(b"\n", 0, found.start()) + 1 if found else 0


def by_name(name: str, assignment: Assignment) -> str | None:
    """The name that is asked for and that this one is, or nearly is; else None."""
    base = re.split(r"[/\\]", name)[-1]
    for known in (base, base.lower(), _SAVED_AS.sub("", base.lower())):
        if assignment.wants(known):
            return known
    near = [one for one in asked_names(assignment) if _is_near(base.lower(), one)]
    return max(near, key=len, default=None)


def _is_near(name: str, asked: str) -> bool:
    """`hw5_vae_final.py`, `hw5_vae.py.txt` and `netid (1).txt` are near."""
    wanted = _plain(Path(asked).stem)
    if asked.endswith(".py") and re.search(r"\.py\b", name):
        return wanted in _plain(name)
    own = re.fullmatch(r"([^.]*)(\.txt)?", name)
    return own is not None and re.fullmatch(wanted + _AGAIN, _plain(own[1])) is not None


def asked_names(assignment: Assignment) -> list[str]:
    """The files that the assignment names in full."""
    return [name for name in assignment.files if not re.search(r"[*?\[]", name)]


def notebook_name(name: str, data: bytes) -> str:
    """What the kit calls this notebook: by its metadata, else by a name that is nearly one of the
    kit's; else its own name."""
    ours = _notebooks()
    for part in parts_of(data):
        if part in ours:
            return ours[part]
    near = [one for one in ours.values() if _plain(Path(one).stem) in _plain(Path(name).stem)]
    return max(near, key=len, default=name)


def parts_of(notebook: bytes) -> list[str]:
    """The parts that a notebook of the kit says it asks."""
    found = _HW5.search(notebook)
    return re.findall(r"[\w-]+", found[1].decode("ascii", "ignore")) if found else []


def is_module(data: bytes, name: str, assignment: Assignment) -> bool:
    """Is this file, whatever it is called, the module of this name?"""
    own = {part.id.encode() for part in assignment.parts if f"{part.module}.py" == name}
    defined = _written_by_students(name) & set(_DEFINED.findall(data))
    return bool(own & set(_MARKER.findall(data))) or len(defined) >= _FEWEST_NAMES


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())


@cache
def _written_by_students(name: str) -> frozenset[bytes]:
    """What our own module defines with a solution in it."""
    path = ROOT / name
    return frozenset(_with_solutions(path.read_bytes())) if path.is_file() else frozenset()


def _with_solutions(module: bytes) -> Iterator[bytes]:
    inside = b""
    for found in _ASKED.finditer(module):
        if found[1]:
            inside = found[1]
        elif inside:
            yield inside


@cache
def _notebooks() -> dict[str, str]:
    """The kit's notebook that asks a part. On Gradescope there is none."""
    files = sorted((ROOT / "notebooks").glob("*.ipynb"))
    return {part: file.name for file in files for part in parts_of(file.read_bytes())}
