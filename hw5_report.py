"""Given to students: turns the notebooks into the PDF to hand in, and packs the hand-in.

    report()   hw5.pdf, every question on a page of its own, and hw5.json, which says where each
               one is and what somebody should look at before it is handed in
    bundle()   hw5_<netid>.zip: modules, notebooks, PDFs and pictures; while something is missing it
               says so and writes nothing

    python hw5_report.py report [NOTEBOOK ...] [--part fc-vae] [--anonymous] [--out hw5.pdf]
    python hw5_report.py bundle [NOTEBOOK ...]
    jupyter nbconvert --to hw5-pdf NOTEBOOK      (where the kit is installed)

A notebook becomes cells, pandoc reads their text, tables and formulas, and Typst sets the pages:
everything comes from pip, without TeX, a browser or the network. What a notebook says is data. In
the page's source it only ever stands inside string literals, pandoc reads it without access to
files, and pictures come from inside the notebook alone.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hw5_notebook import (
    ARTICLE,
    About,
    Finding,
    Notebook,
    ReportError,
    check_people,
    constants,
    entries,
    find_names,
    mapping,
    parse_notebook,
    read_notebook,
)
from hw5_pages import print_pdf

MODULES = ("hw5_vae.py", "hw5_gan.py")
PICTURES = ("vae_generation.jpg", "fc_gan_results.jpg", "dc_gan_results.jpg", "vis_*.pdf")
EPOCHS = "test_*.png"  # of these the first, the middle and the last


# --- what students call


def report(
    notebooks: Iterable[str | os.PathLike] | None = None,
    out: str | os.PathLike = "hw5.pdf",
    parts: Iterable[str] | None = None,
    anonymous: bool = False,
) -> Path | None:
    """Write the PDF and its page map (`out` with the ending .json); returns the PDF's path.

    notebooks: paths, in the order in which they are printed; None: all of this coursework's that
        have been worked on, and in Colab the one that is open.
    parts: only questions of these parts ("fc-vae"); None: all.
    anonymous: without names, and with NetIDs struck out wherever they stand.

    The report of four pages becomes a PDF of its own, `hw5_report.pdf`, unless it is all there is.
    Prints in sentences what should be looked at, and where nothing can be written, why; the result
    is then None.
    """
    try:
        paths = write_report(notebooks, Path(out), parts, anonymous, print)
    except ReportError as error:
        print(f"No report yet. {error}")
        return None
    return paths[0]


def bundle(
    notebooks: Iterable[str | os.PathLike] | None = None,
    out: str | os.PathLike | None = None,
    pdf: str | os.PathLike = "hw5.pdf",
) -> Path | None:
    """Write `hw5_<netid>.zip`, all that is handed in; returns its path.

    notebooks: as in `report`; out: another file, or a folder; pdf: what `report` wrote.

    While something is missing it prints what, in sentences, writes nothing, and returns None.
    """
    try:
        return write_bundle(notebooks, out, Path(pdf), print)
    except ReportError as error:
        print(f"Nothing to hand in yet.\n{error}")
        return None


def write_report(
    notebooks: Iterable[str | os.PathLike] | None,
    out: Path,
    parts: Iterable[str] | None,
    anonymous: bool,
    say: Callable[[str], None],
) -> list[Path]:
    """`report`, but raises ReportError; returns every PDF, the main one first."""
    found, left_out = _gather(notebooks, None if parts is None else tuple(parts))
    chapters = [one for one in found if ARTICLE not in one.parts]
    articles = [one for one in found if ARTICLE in one.parts]
    jobs = [(chapters, out)] if chapters else []
    if articles:
        aside = out.with_name(f"{out.stem}_report{out.suffix}") if chapters else out
        jobs.append((articles, aside))
    for books, path in jobs:
        printed = print_pdf(books, about(found, anonymous), article=books is articles)
        findings = (*left_out, *_unsaved(books), *printed.findings)
        _write(path, printed.pdf)
        described = {"pdf": path.name, **printed.map, "findings": [asdict(f) for f in findings]}
        _write(path.with_suffix(".json"), (json.dumps(described, indent=1) + "\n").encode())
        say(f"{path}: {printed.map['pages']} pages, {len(printed.map['questions'])} questions.")
        for finding in findings:
            where = f"{finding.notebook}: " if finding.notebook and len(books) > 1 else ""
            say(f"  - {where}{finding.sentence}")
    return [path for _, path in jobs]


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        hint = " Is it open in another program?" if isinstance(error, PermissionError) else ""
        raise ReportError(f"{path} cannot be written: {error.strerror}.{hint}") from None


# --- which notebooks, and what they say of their author


def _gather(
    notebooks: Iterable[str | os.PathLike] | None, parts: tuple[str, ...] | None
) -> tuple[list[Notebook], list[Finding]]:
    """The notebooks to print, in order, and a finding for each that is left out."""
    left_out: list[Finding] = []
    if notebooks is None:
        found = _around()
        touched = [one for one in found if one.touched]
        if not touched:
            raise ReportError(
                "No notebook here has been run and saved. Run its cells, save it (Ctrl+S), and "
                "run this again."
                if found
                else "There is no notebook of this coursework in this folder. Give its name, as in "
                'report(["3_fc_vae.ipynb"]).'
            )
        for one in found:
            if not one.touched:
                sentence = f"{one.name}.ipynb has not been run and saved; it is left out."
                left_out.append(Finding("left-out", sentence, one.name))
        found = touched
    else:
        found = [read_notebook(Path(path)) for path in notebooks]
    if parts is not None:
        known = {part for one in found for part in one.parts}
        if unknown := [part for part in parts if part not in known]:
            listed = ", ".join(sorted(known)) or "none"
            raise ReportError(f"There is no part {unknown[0]!r} here; the parts are: {listed}.")
        found = [_only(one, parts) for one in found if set(parts) & set(one.parts)]
    return found, left_out


def _only(notebook: Notebook, parts: tuple[str, ...]) -> Notebook:
    """The notebook without questions of other parts."""
    cells = [c for c in notebook.cells if not c.question or c.question.split(".")[0] in parts]
    return replace(notebook, cells=tuple(cells))


def _home() -> Path:
    """The folder of the student's modules."""
    here = Path.cwd()
    folders = (here, here.parent, Path(__file__).resolve().parent)
    found = (folder for folder in folders if any((folder / name).exists() for name in MODULES))
    return next(found, here)


def _around() -> list[Notebook]:
    """The coursework's notebooks here, numbered ones in order; in Colab also the open one."""
    live = _colab()
    here, home = Path.cwd(), _home()
    found: list[Notebook] = []
    for folder in dict.fromkeys((here, here / "notebooks", home / "notebooks", home)):
        paths = sorted(folder.glob("*.ipynb"), key=in_order)
        found = [one for one in map(_readable, paths) if one is not None and one.kit]
        if found:
            break
    if live is not None:
        # A copy on the disk of Colab's machine is what was fetched, not what is on the screen.
        found = [one for one in found if one.parts != live.parts and one.name != live.name]
        found = sorted([*found, live], key=lambda one: in_order(Path(one.name)))
    return found


def in_order(path: Path) -> tuple[int, str]:
    number = re.match(r"\d+", path.name)
    return (int(number[0]) if number else sys.maxsize, path.name)


def _readable(path: Path) -> Notebook | None:
    try:
        return read_notebook(path)
    except ReportError:
        return None


def _colab() -> Notebook | None:
    """The notebook that is open in Colab, as it is on the screen; None elsewhere."""
    if "google.colab" not in sys.modules:
        return None
    from google.colab import _message  # type: ignore[import-not-found]

    answer = _message.blocking_request("get_ipynb", request="", timeout_sec=60)
    raw = mapping(mapping(answer).get("ipynb"))
    if not raw:
        raise ReportError("Colab did not hand over this notebook. Run this cell once more.")
    colab = mapping(mapping(raw.get("metadata")).get("colab"))
    return parse_notebook(raw, Path(str(colab.get("name") or "notebook.ipynb")).stem)


def _unsaved(notebooks: Sequence[Notebook]) -> list[Finding]:
    """What runs in this kernel but is not in the file yet."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or "google.colab" in sys.modules or not hasattr(shell, "kernel"):
        return []
    run = {text.strip() for text in shell.user_ns.get("In", [])[1:-1] if text.strip()}
    for one in notebooks:
        code = [cell for cell in one.cells if cell.kind == "code" and cell.place != "hand-in"]
        mine = len(run & {cell.source.strip() for cell in code}) * 2 > len(run)
        last = max((cell.count or 0 for cell in code), default=0)
        if run and mine and last < shell.execution_count - 1:
            sentence = (
                f"{one.name}.ipynb was not saved after its last cells were run, so the PDF shows "
                "what was there before. Save it (Ctrl+S) and run this cell once more."
            )
            return [Finding("unsaved", sentence, one.name)]
    return []


def about(notebooks: Sequence[Notebook], anonymous: bool = False) -> About:
    """NetIDs, people and sources from the notebooks' `about` cells and the file `netid`.

    The cells are read, never run. The date is that of the last edit, so that it stays the same.
    """
    said: dict[str, list[str]] = {"NETID": [], "DISCUSSED_WITH": [], "SOURCES": []}
    for cell in (c for one in notebooks for c in one.cells if c.place == "about"):
        for name, value in constants(cell.source):
            if name in said:
                values = value if isinstance(value, (list, tuple, set)) else [value]
                said[name] += [str(v).strip() for v in values if str(v).strip()]
    netids = [name for text in said["NETID"] for name in re.split(r"[\s,;]+", text)]
    dates = [one.edited for one in notebooks if one.edited]
    return About(
        netids=tuple(dict.fromkeys(netids)) or _netid_file(),
        discussed=tuple(dict.fromkeys(said["DISCUSSED_WITH"])),
        sources=tuple(dict.fromkeys(said["SOURCES"])),
        date=max(dates) if dates else None,
        anonymous=anonymous,
    )


def _netid_file() -> tuple[str, ...]:
    for folder in dict.fromkeys((Path.cwd(), _home())):
        path = folder / "netid"
        if path.is_file():
            text = path.read_bytes()[:4096].decode("utf-8-sig", "replace")
            return tuple(dict.fromkeys(name for name in re.split(r"[\s,;\0]+", text) if name))
    return ()


# --- the bundle


def write_bundle(
    notebooks: Iterable[str | os.PathLike] | None,
    out: str | os.PathLike | None,
    pdf: Path,
    say: Callable[[str], None],
) -> Path:
    """`bundle`, but raises ReportError with all that is missing, a sentence a line."""
    found, left_out = _gather(notebooks, None)
    who = about(found)
    missing = [f.sentence for f in check_people(who) if f.kind == "netid"]
    missing += [f.sentence for f in _unsaved(found)]
    home = _home()
    modules = {n: (home / n).read_bytes() for n in MODULES if (home / n).is_file()}
    problems, unfinished = _check_modules(modules, found, home)
    missing += problems
    printed = {
        p.name: p.read_bytes()
        for p in (pdf, pdf.with_name(f"{pdf.stem}_report.pdf"))
        if p.is_file()
    }
    missing += _check_pdfs(printed, found, pdf)
    if missing:
        raise ReportError("\n".join(f"  - {sentence}" for sentence in missing))
    files = {"netid": ("\n".join(who.netids) + "\n").encode(), **modules}
    for one in found:
        files[f"{one.name}.ipynb"] = json.dumps(without_people(one.raw), indent=1).encode()
    files |= printed
    pictures, notes = _pictures(home)
    files |= pictures
    target = Path(out) if out else Path(f"hw5_{'--'.join(who.netids)}.zip".lower())
    if target.is_dir():
        target /= f"hw5_{'--'.join(who.netids)}.zip".lower()
    _write(target, _zipped(files))
    say(f"{target}: {', '.join(files)}.")
    warnings = [f.sentence for f in left_out] + unfinished + notes
    for one in found:
        if one.hw5.get("anonymous"):
            warnings += [f"{one.name}: {f.sentence}" for f in find_names([one], who)]
    for sentence in warnings:
        say(f"  - {sentence}")
    if "google.colab" in sys.modules:
        say("Download it from the panel on the left (the folder): this machine forgets its files.")
    return target


def _zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _check_modules(
    modules: dict[str, bytes], notebooks: Sequence[Notebook], home: Path
) -> tuple[list[str], list[str]]:
    """What is wrong with the modules, and what is only unfinished, in sentences."""
    problems = [] if modules else [f"Neither {' nor '.join(MODULES)} is in {home}."]
    defined: dict[str, ast.AST] = {}
    for name, content in modules.items():
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            where = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            problems.append(f"{name}{where} is not valid Python: {error.args[0]}.")
            continue
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                defined[node.name] = node
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                defined |= {t.id: node for t in targets if isinstance(t, ast.Name)}
            elif isinstance(node, ast.ImportFrom):
                defined |= {alias.asname or alias.name: node for alias in node.names}
    if problems:
        return problems, []
    parts = {part for one in notebooks for part in one.parts}
    unfinished = []
    for question, names in _asked_names(home).items():
        for name in names if question.partition(".")[0] in parts else ():
            if name not in defined:
                problems.append(f"{' and '.join(modules)} lack {name} (question {question}).")
            elif _is_stub(defined[name], question):
                unfinished.append(f"Question {question}: {name} is not written yet.")
    return list(dict.fromkeys(problems)), list(dict.fromkeys(unfinished))


def _asked_names(home: Path) -> dict[str, list[str]]:
    """Questions and the names they take from the modules, as hw5_checks.py lists them."""
    for folder in (home, Path(__file__).resolve().parent):
        if (folder / "hw5_checks.py").is_file():
            tree = ast.parse((folder / "hw5_checks.py").read_bytes())
            calls = [
                call
                for node in tree.body
                if isinstance(node, ast.FunctionDef)
                for call in node.decorator_list
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "question"
            ]
            said = [[a.value for a in call.args if isinstance(a, ast.Constant)] for call in calls]
            return {words[0]: words[1:] for words in said if words}
    return {}


def _is_stub(node: ast.AST, question: str) -> bool:
    """Does it still raise NotImplementedError for this very question?"""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call):
            said = [a.value for a in inner.exc.args if isinstance(a, ast.Constant)]
            if getattr(inner.exc.func, "id", "") == "NotImplementedError" and any(
                str(word).startswith(question) for word in said
            ):
                return True
    return False


def _check_pdfs(pdfs: dict[str, bytes], notebooks: Sequence[Notebook], asked: Path) -> list[str]:
    """Every notebook must stand in a PDF just as it is now."""
    if not pdfs:
        return [f"{asked} is missing: run report() first."]
    carried = {sha for content in pdfs.values() for _, sha in carried_notebooks(content)}
    stale = [one.name for one in notebooks if one.sha256 not in carried]
    if not stale:
        return []
    names = " and ".join(f"{name}.ipynb" for name in stale)
    return [f"{' and '.join(pdfs)} was made from another state of {names}: run report() again."]


def carried_notebooks(pdf: bytes) -> list[tuple[str, str]]:
    """Names and SHA-256 of the notebooks that a PDF says it was made from."""
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        words = str((PdfReader(io.BytesIO(pdf)).metadata or {}).get("/Keywords", ""))
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [(name.strip(), sha) for name, sha in re.findall(r"([^,:]+):([0-9a-f]{64})", words)]


def without_people(raw: dict[str, Any]) -> dict[str, Any]:
    """A notebook's JSON without what Colab keeps of its users."""
    metadata = {
        k: v for k, v in mapping(raw.get("metadata")).items() if k not in ("colab", "authors")
    }
    cells = []
    for cell in entries(raw.get("cells")):
        if isinstance(cell, dict):
            kept = mapping(cell.get("metadata")).items()
            gone = ("executionInfo", "outputId", "colab", "user", "user_tz")
            cell = {**cell, "metadata": {k: v for k, v in kept if k not in gone}}
        cells.append(cell)
    return {**raw, "metadata": metadata, "cells": cells}


def _pictures(home: Path) -> tuple[dict[str, bytes], list[str]]:
    """The pictures under the names that are asked for; of many epochs three."""
    folders = dict.fromkeys((Path.cwd(), home, home / "notebooks", home / "pictures"))
    found: dict[str, Path] = {}
    for folder in folders:
        for pattern in PICTURES:
            for path in sorted(folder.glob(pattern)):
                found.setdefault(path.name, path)
    notes: list[str] = []
    for folder in folders:
        epochs = [p for p in folder.glob(EPOCHS) if re.fullmatch(r"test_\d+", p.stem)]
        epochs = sorted(epochs, key=lambda path: int(path.stem.partition("_")[2]))
        if epochs:
            chosen = sorted({0, len(epochs) // 2, len(epochs) - 1})
            found |= {epochs[i].name: epochs[i] for i in chosen}
            if len(epochs) > 3:
                names = ", ".join(epochs[i].name for i in chosen)
                notes.append(f"Of {len(epochs)} pictures {EPOCHS}, these three go in: {names}.")
            break
    return {name: path.read_bytes() for name, path in found.items()}, notes


# --- nbconvert and the shell


def __getattr__(name: str) -> Any:
    """`HW5PDFExporter`, made when it is first asked for: importing nbconvert takes a second."""
    if name == "HW5PDFExporter":
        globals()[name] = _exporter()
        return globals()[name]
    raise AttributeError(f"module 'hw5_report' has no attribute {name!r}")


def _exporter() -> type:
    from nbconvert.exporters import Exporter
    from traitlets import Bool

    class HW5PDFExporter(Exporter):
        """`jupyter nbconvert --to hw5-pdf`: the PDF of this module, for any notebook.

        The page map is written beside the PDF, as NAME.json.
        """

        export_from_notebook = "PDF (Typst)"
        output_mimetype = "application/pdf"
        anonymous = Bool(False, help="leave out names and strike out NetIDs").tag(config=True)

        def _file_extension_default(self) -> str:
            return ".pdf"

        def from_notebook_node(
            self, nb: Any, resources: Any = None, **kw: Any
        ) -> tuple[bytes, Any]:
            nb, resources = super().from_notebook_node(nb, resources, **kw)
            named = mapping(resources.get("metadata"))
            name = str(named.get("name") or "notebook")
            path = Path(str(named.get("path") or "."), f"{name}.ipynb")
            edited = datetime.date.fromtimestamp(path.stat().st_mtime) if path.is_file() else None
            notebook = parse_notebook(json.loads(json.dumps(nb)), name, edited)
            article = ARTICLE in notebook.parts
            printed = print_pdf([notebook], about([notebook], self.anonymous), article)
            for finding in printed.findings:
                self.log.warning(finding.sentence)
            described = {**printed.map, "findings": [asdict(f) for f in printed.findings]}
            outputs = dict(resources.get("outputs") or {})
            outputs[f"{name}.json"] = (json.dumps(described, indent=1) + "\n").encode()
            resources["outputs"] = outputs
            return printed.pdf, resources

    return HW5PDFExporter


def main(argv: Sequence[str] | None = None) -> int:
    """The commands `report` and `bundle`. 0: written; 1: something is missing, in a sentence."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    one = commands.add_parser("report", help="write the PDF of the notebooks")
    one.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="(default: all)")
    one.add_argument("--out", type=Path, default=Path("hw5.pdf"), help="the PDF (%(default)s)")
    one.add_argument("--part", action="append", help="only this part (repeatable)")
    one.add_argument("--anonymous", action="store_true", help="without names")
    one = commands.add_parser("bundle", help="write the zip to hand in")
    one.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="(default: all)")
    one.add_argument("--out", type=Path, help="the zip, or its folder (hw5_<netid>.zip)")
    one.add_argument("--pdf", type=Path, default=Path("hw5.pdf"), help="the report (%(default)s)")
    said = parser.parse_args(argv)
    if said.command == "report":
        written = report(said.notebooks or None, said.out, said.part, said.anonymous)
    else:
        written = bundle(said.notebooks or None, said.out, said.pdf)
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
