"""Given to students: finds the notebooks and the names in the folder that is handed in.

In Colab the notebook that is open is asked for as it is on the screen. Elsewhere files are read as
they were saved, and what has run in this kernel since is told.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hw5_notebook import (
    About,
    Finding,
    Notebook,
    ReportError,
    mapping,
    parse_notebook,
    read_notebook,
    said_about,
)
from hw5_written import MODULES

COARSE = 2.0  # seconds: a file's time of writing may be as rough as that
NO_NOTEBOOK = "There is no notebook of this coursework in this folder."
NOT_RUN = "No notebook here has been run and saved."


@dataclass(frozen=True)
class Gathered:
    """The notebooks to hand in, those that nobody has worked on yet, and what to say about both."""

    notebooks: tuple[Notebook, ...]
    untouched: tuple[Notebook, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def around(self) -> tuple[Notebook, ...]:
        """All of them."""
        return self.notebooks + self.untouched

    @property
    def nothing(self) -> str:
        """Why there is nothing to print, in a sentence; "" where there is."""
        if self.notebooks:
            return ""
        return NOT_RUN if self.untouched else NO_NOTEBOOK


def gather(
    notebooks: Iterable[str | Path] | None, parts: tuple[str, ...] | None = None
) -> Gathered:
    """The notebooks of these paths; without paths all of this coursework's that are around here.

    parts: only the questions of these. Raises ReportError for a path that cannot be read and for a
    part that is nowhere.
    """
    if notebooks is None:
        found, findings = _around()
    else:
        found, findings = [read_notebook(Path(path)) for path in notebooks], []
    given = notebooks is not None
    for one in found:
        if not given and not one.touched:
            sentence = f"{one.name}.ipynb has not been run and saved; it is left out."
            findings.append(Finding("left-out", sentence, one.name))
    chosen = [one for one in found if given or one.touched]
    if parts is not None:
        known = {part for one in chosen for part in one.parts}
        if unknown := [part for part in parts if part not in known]:
            listed = ", ".join(sorted(known)) or "none"
            raise ReportError(f"There is no part {unknown[0]!r} here; the parts are: {listed}.")
        chosen = [_only(one, parts) for one in chosen if set(parts) & set(one.parts)]
    untouched = [one for one in found if not given and not one.touched]
    return Gathered(tuple(chosen), tuple(untouched), tuple(findings))


def _only(notebook: Notebook, parts: tuple[str, ...]) -> Notebook:
    """The notebook without questions of other parts."""
    cells = [c for c in notebook.cells if not c.question or c.question.split(".")[0] in parts]
    return replace(notebook, cells=tuple(cells))


def home() -> Path:
    """The folder of the student's modules."""
    here = Path.cwd()
    folders = (here, here.parent, Path(__file__).resolve().parent)
    found = (folder for folder in folders if any((folder / name).exists() for name in MODULES))
    return next(found, here)


def _around() -> tuple[list[Notebook], list[Finding]]:
    """The coursework's notebooks here, numbered ones in order; in Colab also the open one."""
    live = _colab()
    here = Path.cwd()
    found: list[Notebook] = []
    broken: list[Finding] = []
    for folder in dict.fromkeys((here, here / "notebooks", home() / "notebooks", home())):
        for path in sorted(folder.glob("*.ipynb"), key=in_order):
            try:
                found.append(read_notebook(path))
            except ReportError as error:
                broken.append(Finding("unreadable", f"{error} It is left out.", path.stem))
        found = [one for one in found if one.kit]
        if found:
            break
    if live is not None:
        # A copy on the disk of Colab's machine is what was fetched, not what is on the screen.
        found = [one for one in found if one.parts != live.parts and one.name != live.name]
        found = sorted([*found, live], key=lambda one: in_order(Path(one.name)))
    return found, broken


def in_order(path: Path) -> tuple[int, str]:
    number = re.match(r"\d+", path.name)
    return (int(number[0]) if number else sys.maxsize, path.name)


def in_colab() -> bool:
    return "google.colab" in sys.modules


def _colab() -> Notebook | None:
    """The notebook that is open in Colab, as it is on the screen; None elsewhere."""
    if not in_colab():
        return None
    from google.colab import _message  # type: ignore[import-not-found]

    answer = _message.blocking_request("get_ipynb", request="", timeout_sec=60)
    raw = mapping(mapping(answer).get("ipynb"))
    if not raw:
        raise ReportError(
            "Colab did not hand over this notebook. Run this cell once more. If that does not "
            "help, download the notebook (File > Download > .ipynb), put it here with the panel on "
            'the left, and name it: bundle(["NAME.ipynb"]).'
        )
    colab = mapping(mapping(raw.get("metadata")).get("colab"))
    return parse_notebook(raw, Path(str(colab.get("name") or "notebook.ipynb")).stem)


# --- what has run since the notebook was saved


def note_the_time(result: Any) -> None:
    """Called by IPython after each cell: when did the last one end that changes the notebook?

    A cell that hands in prints only what is made of the notebook; it may run as often as it likes.
    """
    source = str(getattr(getattr(result, "info", None), "raw_cell", ""))
    shell = _shell()
    if shell is not None and not re.search(r"\b(?:report|bundle)\(", source):
        shell.hw5_last_cell_ended = time.time()


def watch(shell: Any) -> None:
    """Note from now on when cells of this notebook end."""
    heard = shell.events.callbacks["post_run_cell"]
    for one in [one for one in heard if getattr(one, "__name__", "") == note_the_time.__name__]:
        shell.events.unregister("post_run_cell", one)  # of this module before it was loaded anew
    shell.events.register("post_run_cell", note_the_time)


def unsaved(notebooks: Sequence[Notebook]) -> list[Finding]:
    """What has run in this kernel after its notebook was saved.

    Whether a file is up to date is told by its time and by nothing in it: numbers of cells begin
    anew with each kernel, and a cell that was run may have been deleted since.
    """
    shell = _shell()
    ended: float = getattr(shell, "hw5_last_cell_ended", 0.0)
    one = _of_this_kernel(shell, notebooks) if ended and not in_colab() else None
    if one is None or one.saved is None or one.saved + COARSE >= ended:
        return []
    sentence = (
        f"{one.name}.ipynb was not saved after its last cells were run, so the PDF shows what was "
        "there before. Save it (Ctrl+S) and run this cell once more."
    )
    return [Finding("unsaved", sentence, one.name)]


def _shell() -> Any:
    """The shell of the notebook that this runs in, None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None


def open_notebook(shell: Any) -> Notebook | None:
    """The notebook that runs in this kernel; None where that cannot be told."""
    return _colab() or _of_this_kernel(shell, _around()[0])


def _of_this_kernel(shell: Any, notebooks: Sequence[Notebook]) -> Notebook | None:
    """The notebook that runs here: Jupyter and VS Code say its name, elsewhere its cells tell."""
    said = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    named = [one for one in notebooks if Path(str(said)).name == f"{one.name}.ipynb"]
    if named:
        return named[0]
    run = {text.strip() for text in shell.user_ns.get("In", [])[1:-1] if text.strip()}

    def shared(one: Notebook) -> int:
        return len(run & {cell.source.strip() for cell in one.cells if cell.kind == "code"})

    most = max(map(shared, notebooks), default=0)
    likely = [one for one in notebooks if shared(one) == most]
    return likely[0] if len(likely) == 1 and most * 2 > len(run) else None


# --- whose it is


def about(notebooks: Sequence[Notebook], anonymous: bool = False) -> About:
    """NetIDs, people and sources from the notebooks' `about` cells and the file `netid`.

    The cells are read, never run. The date is that of the last edit, so that it stays the same.
    """
    netids = [name for one in notebooks for name in _netids_in(one)]
    discussed = [name for one in notebooks for name in _said(one, "DISCUSSED_WITH")]
    sources = [source for one in notebooks for source in _said(one, "SOURCES")]
    dates = [one.edited for one in notebooks if one.edited]
    return About(
        netids=_once(netids) or _netid_file(),
        discussed=_once(discussed),
        sources=tuple(dict.fromkeys(sources)),
        date=max(dates) if dates else None,
        anonymous=anonymous,
    )


def at_odds(notebooks: Sequence[Notebook]) -> list[Finding]:
    """Where notebooks name other NetIDs than one another, the file `netid`, or this kernel."""
    said = {f"{one.name}.ipynb": _once(_netids_in(one)) for one in notebooks}
    said = {name: netids for name, netids in said.items() if netids}
    in_file = _netid_file()
    groups: dict[frozenset[str], list[str]] = {}
    for name, netids in said.items():
        groups.setdefault(frozenset(map(str.lower, netids)), []).append(name)
    found = []
    typed = _typed_here()
    if typed and not said:
        sentence = f"NETID is “{typed}” here, and in no notebook that was saved: save this one "
        found.append(Finding("unsaved", f"{sentence}(Ctrl+S), and run this cell once more."))
    if len(groups) > 1:
        words = [f"{' and '.join(names)}: {', '.join(said[names[0]])}" for names in groups.values()]
        sentence = (
            f"The notebooks name different NetIDs ({'; '.join(words)}). All of them are taken."
        )
        found.append(Finding("netids-differ", sentence))
    if said and in_file and any(set(map(str.lower, in_file)) != netids for netids in groups):
        taken = ", ".join(_once(netid for netids in said.values() for netid in netids))
        sentence = (
            f"The file netid says {', '.join(in_file)}, and {' and '.join(said)} {taken}. What a "
            "notebook says is taken. Correct the one that is wrong, or delete the file."
        )
        found.append(Finding("netids-differ", sentence))
    return found


def _typed_here() -> str:
    """The NetID that this kernel knows, whether the notebook was saved or not."""
    shell = None if in_colab() else _shell()
    typed = shell.user_ns.get("NETID", "") if shell is not None else ""
    return typed.strip() if isinstance(typed, str) else ""


def _said(notebook: Notebook, name: str) -> Iterator[str]:
    """What a notebook's `about` cells say under one of their names."""
    for cell in (cell for cell in notebook.cells if cell.place == "about"):
        for known, value, _ in said_about(cell):
            if known == name and value is not None:
                values = value if isinstance(value, (list, tuple, set)) else [value]
                yield from (str(v).strip() for v in values if str(v).strip())


def _netids_in(notebook: Notebook) -> list[str]:
    texts = _said(notebook, "NETID")
    return [name for text in texts for name in re.split(r"[\s,;]+", text) if name]


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """Each of them once, however it is capitalised."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return tuple(first.values())


def _netid_file() -> tuple[str, ...]:
    for folder in dict.fromkeys((Path.cwd(), home())):
        path = folder / "netid"
        if path.is_file():
            data = path.read_bytes()[:4096]
            wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # PowerShell's
            text = data.decode("utf-16" if wide else "utf-8-sig", "replace")
            return _once(name for name in re.split(r"[\s,;]+", text) if name)
    return ()
