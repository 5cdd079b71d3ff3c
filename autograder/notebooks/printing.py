"""Makes a class's PDFs, and says what the PDFs that were handed in show; never a mark.

hw5_report runs on each submission's notebooks in namespaces of its own: without a network, without
other files, within bounds of memory and time. What comes back is believed by nobody: it is a PDF,
a page map and sentences for a person to read.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..assignment import Part
from ..inside.confine import Limits
from ..intake.archive import printable
from ..intake.submissions import MAX_NETIDS, Handin
from ..sandbox import kernel
from ..tables import inert

SECONDS = 120.0
"""Wall seconds for all PDFs of one submission."""

LONGEST_CELL = 1000
"""Characters of one cell of a table."""

LIMITS = Limits(memory=2 << 30, cpu=240, file=1 << 28, processes=64, files=512)
GIVEN = (
    *("hw5_notebook", "hw5_written", "hw5_folder", "hw5_summary", "hw5_pages", "hw5_report"),
    "hw5_asked",
    "hw5_checks",  # read, never run: it says which names a question takes from a module
)
"""The modules, and the package, that make a PDF."""

APPENDIX = "appendix · the code"
"""Heads every page of the appendix, whose code may speak of questions that are nowhere answered."""

FIGURES = ("vis_*.pdf", "goal.pdf")
"""PDFs that are pictures, as the modules save them: no report is looked for in them."""


@dataclass(frozen=True)
class Printed:
    """The PDFs of one submission by file name, their page maps, and what went wrong, if it did."""

    id: str
    files: Mapping[str, bytes]
    findings: tuple[Mapping[str, str], ...]
    pages: int
    problem: str


@dataclass(frozen=True)
class Shown:
    """What one PDF that was handed in shows: whose it is, and which of the questions it lacks."""

    name: str
    pages: int
    netid: bool
    asked: int
    lacks: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """It shows whose it is, and every question."""
        return self.pages > 0 and self.netid and not self.lacks

    def sentence(self) -> str:
        """One line for whoever grades; it earns and costs nothing."""
        if not self.pages:
            return f"{self.name} cannot be read."
        whose = "shows the NetID" if self.netid else "does not show the NetID"
        found = self.asked - len(self.lacks)
        lacking = f" It lacks: {', '.join(self.lacks)}." if self.lacks else ""
        return (
            f"{self.name}, {self.pages} pages, {whose} on its first page and {found} of "
            f"{self.asked} questions.{lacking}"
        )


def print_class(
    handins: Sequence[Handin],
    out: Path,
    jobs: int,
    parts: Sequence[Part],
    anonymous: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Printed]:
    """Write OUT/ID.pdf and OUT/ID.json for every submission, and OUT/findings.csv for all.

    Only questions of these parts are printed. What is wrong with one submission is said in its
    `problem` and stops no other. Raises SandboxError where this machine cannot confine what is
    needed.
    """
    kernel.require()
    out.mkdir(parents=True, exist_ok=True)
    printed = []
    with ThreadPoolExecutor(jobs) as pool:
        for one in pool.map(lambda handin: print_one(handin, parts, anonymous), handins):
            for name, content in one.files.items():
                (out / name).write_bytes(content)
            printed.append(one)
            progress(one.id)
    (out / "findings.csv").write_text(_table(printed), encoding="utf-8", newline="")
    return printed


def print_one(handin: Handin, parts: Sequence[Part], anonymous: bool = False) -> Printed:
    """The PDFs of one submission. Raises SandboxError."""
    names = ("netid", *(f"{part.module}.py" for part in parts if part.module))
    printed = {
        name: handin.files[name]
        for name in handin.files
        if name.endswith(".ipynb") or name in names
    }
    if not any(name.endswith(".ipynb") for name in printed):
        return Printed(handin.id, {}, (), 0, "No notebook was handed in.")
    files: dict[str, bytes] = {}
    findings: list[Mapping[str, str]] = []
    pages, problem = 0, ""
    ids = [part.id for part in parts]
    for line in _said(printed, anonymous=anonymous, parts=ids, print=True):
        if "pdf" in line:
            made = _made(line)
            if made is None:
                problem = "What came back is no PDF."
                continue
            ending = "_report" if str(line.get("name", "")).endswith("_report") else ""
            content, described, written = made
            files[f"{handin.id}{ending}.pdf"] = content
            files[f"{handin.id}{ending}.json"] = written
            pages += _whole(described.get("pages"))
            listed = described.get("findings")
            for one in listed[:1000] if isinstance(listed, list) else []:
                if isinstance(one, dict):
                    findings.append({str(k): _words(v)[:LONGEST_CELL] for k, v in one.items()})
        elif "unreadable" in line:
            said = _words(line["unreadable"])[:LONGEST_CELL]
            findings.append({"kind": "unreadable", "sentence": said})
        elif "stopped" in line:
            problem = _words(line["stopped"])[:300]
    return Printed(handin.id, files, tuple(findings), pages, problem)


def write_shown(
    handins: Sequence[Handin], parts: Sequence[Part], out: Path, jobs: int
) -> list[Shown]:
    """Look at every PDF of a class and list in OUT/pdfs.csv what each one shows.

    Raises SandboxError where this machine cannot confine what is needed.
    """
    kernel.require()
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("id", "file", "pages", "netid", "questions", "lacks"))
    with ThreadPoolExecutor(jobs) as pool:
        found = list(pool.map(lambda handin: shown(handin, parts), handins))
    for handin, pdfs in zip(handins, found, strict=True):
        for one in pdfs:
            netid = "yes" if one.netid else "no"
            table.writerow(
                (handin.id, inert(one.name), one.pages, netid, one.asked, ", ".join(one.lacks))
            )
    (out / "pdfs.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    return [one for pdfs in found for one in pdfs]


def shown(handin: Handin, parts: Sequence[Part]) -> list[Shown]:
    """What each PDF of a submission shows of its NetID and of these parts' questions."""
    pdfs = {
        name: handin.files[name]
        for name in handin.files
        if name.endswith(".pdf") and not any(fnmatchcase(name, figure) for figure in FIGURES)
    }
    if not pdfs:
        return []
    netid = (
        handin.files.get("netid", b"")[:4096].decode("utf-8-sig", "replace").split()[:MAX_NETIDS]
    )
    names = {name.lower() for name in (*handin.members, *netid)}
    asked = {
        f"{part.id}.{q.id}": q.title for part in parts for q in part.questions if q.kind != "info"
    }
    found = []
    for line in _said(pdfs, print=False):
        if "text" not in line or line.get("name") not in pdfs:
            continue
        sheets = [re.sub(r"\s+", " ", one).lower() for one in str(line["text"]).split("\f")]
        first = sheets[0]
        text = " ".join(one for one in sheets if APPENDIX not in one)
        lacks = tuple(key for key, title in asked.items() if title.lower() not in text)
        whose = any(re.search(rf"\b{re.escape(name)}\b", first) for name in names if name)
        pages = _whole(line.get("pages"))
        found.append(Shown(str(line["name"]), pages, whose, len(asked), lacks))
    return found


def _said(files: Mapping[str, bytes], **settings: Any) -> list[dict[str, Any]]:
    """What the process in the sandbox says, after its protections have been seen to hold; of a
    second one, where the first ended as none should.
    """
    given = {
        name: data.decode()
        for name, data in kernel.given_modules().items()
        if name.partition("/")[0].removesuffix(".py") in GIVEN
    }
    asked = kernel.Asked("pages", {**settings, "given": given}, files, LIMITS, SECONDS)
    lines = _lines(asked)
    # Its process was killed, as where memory is short, or found no room for a thread.
    return _lines(asked) if lines and lines[-1].get("again") is True else lines


def _lines(asked: kernel.Asked) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    with kernel.confined(asked, "No PDF can be made here") as (said, _):
        for line in said:
            if line.get("done"):
                return lines
            lines.append(line)
            if "stopped" in line or len(lines) > 100:
                return lines
    return lines


def _made(line: Mapping[str, Any]) -> tuple[bytes, dict[str, Any], bytes] | None:
    """A PDF and its page map, also as a file; None when they are not what they should look like."""
    described = line.get("map")
    try:
        content = base64.b64decode(_words(line["pdf"]), validate=True)
        written = json.dumps(described, indent=1).encode() + b"\n"
    except (ValueError, RecursionError):  # what is nested deep can be read, and not be written
        return None
    if not content.startswith(b"%PDF-") or not isinstance(described, dict):
        return None
    return content, described, written


def _words(value: object) -> str:
    """A text; nothing else that comes back is one."""
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 100_000 else 0


def _table(printed: Sequence[Printed]) -> str:
    """All findings of a class, a line each; what starts like a formula is made plain text, and what
    is invisible is spelt out."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    keys = ("kind", "notebook", "cell", "question", "sentence")
    table.writerow(("id", *keys))
    for one in printed:
        rows = [tuple(finding.get(key, "") for key in keys) for finding in one.findings]
        if one.problem:
            rows.append(("failed", "", "", "", one.problem))
        rows = [tuple(inert(printable(cell, LONGEST_CELL)) for cell in row) for row in rows]
        table.writerows((one.id, *row) for row in rows)
    return text.getvalue()
