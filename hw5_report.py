"""Given to students: turns the notebooks into the PDF to hand in, and packs the hand-in.

    report()   hw5.pdf, every question on a page of its own and the code of each behind them, and
               hw5.json, which says where each is and what somebody should look at
    bundle()   hw5_<netid>.zip: modules, notebooks, PDFs and pictures. It says first what is there
               and what earns nothing; where something looks wrong it asks to be told again

    python hw5_report.py report [NOTEBOOK ...] [--part PART] [--anonymous] [--out hw5.pdf]
    python hw5_report.py bundle [NOTEBOOK ...] [--anyway]
    jupyter nbconvert --to hw5-pdf NOTEBOOK      (where the kit is installed)

A notebook becomes cells, pandoc reads their text, tables and formulas, and Typst sets the pages:
everything comes from pip, without TeX, a browser or the network. What a notebook says is data. In
the page's source it only ever stands inside string literals, pandoc reads it without access to
files, and pictures come from inside the notebook or from its folder alone.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hw5_folder import Gathered, about, at_odds, gather, home, in_colab, in_order, unsaved
from hw5_notebook import (
    ARTICLE,
    NO_NETID,
    About,
    Finding,
    Notebook,
    ReportError,
    check_groups,
    decode_notebook,
    doubts,
    entries,
    mapping,
    parse_notebook,
    preflight,
    read_notebook,
    unread,
)
from hw5_summary import losses, outdated, states, table
from hw5_written import MODULES, Asked, Module, progress, questions_asked, read_modules

try:
    from hw5_pages import ANONYMOUS, print_pdf
except ModuleNotFoundError as error:
    if error.name != "hw5_pages":
        raise
    sys.exit("The folder hw5_pages is missing beside hw5_report.py: take it out of the zip again.")

HERE = Path(__file__).resolve().parent
FOLDERS = ("", "figures", "runs", "pictures")  # where notebooks and commands save pictures
PICTURES = (
    *("vis_*.pdf", "*_generation.jpg", "*_interpolation.jpg", "*_confusion.jpg", "*_results.jpg"),
    *("*_epochs.png", "*_samples.png", "*_actmax.png", "*_pairs.png", "*_reconstructions.png"),
)
EPOCHS = "test_*.png"  # of these the first, the middle and the last
IN_THE_LIST = ("unanswered", "no-figure")  # findings that the list of questions says
SAID = (
    "unsaved",
    "unread",
    "netids-differ",
    "left-out",
    "unreadable",
    "netid",
    "netid-form",
    "quick",
    "stand-in",
)  # elsewhere


class Doubtful(ReportError):
    """Something looks wrong, and can be handed in knowingly all the same."""


# --- what students call


def report(
    notebooks: Iterable[str | Path] | None = None,
    out: str | Path = "hw5.pdf",
    parts: Iterable[str] | None = None,
    anonymous: bool = False,
    code: bool = True,
) -> Path | None:
    """Write the PDF and its page map (`out` with the ending .json); returns the PDF's path.

    notebooks: paths, in the order in which they are printed; None: all of this coursework's that
        have been worked on, and in Colab the one that is open.
    parts: names of parts, whose questions alone are printed; None: all.
    anonymous: without names, and with NetIDs struck out wherever they stand.
    code: with an appendix that shows what you wrote in the modules, question by question.

    The report of four pages becomes a PDF of its own, `hw5_report.pdf`, unless it is all there is.
    Prints in sentences what should be looked at, and where nothing can be written, why; the result
    is then None.
    """
    try:
        paths = write_report(notebooks, Path(out), parts, anonymous, print, code)
    except ReportError as error:
        print(f"No report yet. {error}")
        return None
    return paths[0]


def bundle(
    notebooks: Iterable[str | Path] | None = None,
    out: str | Path | None = None,
    pdf: str | Path = "hw5.pdf",
    anyway: bool = False,
) -> Path | None:
    """Write `hw5_<netid>.zip`, all that is handed in, and the PDF where it is not up to date.

    notebooks: as in `report`; out: another file, or a folder; pdf: what `report` wrote or is to
    write. Returns the zip's path.

    It says what is there and what earns nothing: that can be handed in. Where something looks
    wrong it says so, writes no zip and returns None; anyway=True hands in all the same.
    """
    return _bundle(notebooks, out, Path(pdf), anyway, "bundle(anyway=True)", "cell")


def _bundle(
    notebooks: Iterable[str | Path] | None,
    out: str | Path | None,
    pdf: Path,
    anyway: bool,
    way_out: str,
    where: str,
) -> Path | None:
    """`bundle`, from a cell or a command: `where` says which, `way_out` how to say anyway there."""
    try:
        return write_bundle(notebooks, out, pdf, print, anyway, where)
    except ReportError as error:
        print(f"Nothing is handed in yet.\n{error}")
        if isinstance(error, Doubtful):
            print(f"Put it right, or hand in all the same, knowingly: {way_out}")
        return None


# --- the report


@dataclass(frozen=True)
class Made:
    """A PDF that is on the disk, and its page map."""

    path: Path
    described: Mapping[str, Any]

    @property
    def findings(self) -> list[Finding]:
        return [Finding(**one) for one in self.described.get("findings", ())]

    @classmethod
    def read(cls, path: Path) -> Made | None:
        """A PDF that was written before; None without the page map that belongs to it."""
        try:
            made = cls(path, json.loads(_map_of(path).read_bytes()))
            return made if made.findings or made.described["pages"] else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


def write_report(
    notebooks: Iterable[str | Path] | None,
    out: Path,
    parts: Iterable[str] | None,
    anonymous: bool,
    say: Callable[[str], None],
    code: bool = True,
) -> list[Path]:
    """`report`, but raises ReportError; returns every PDF, the main one first."""
    gathered = gather(notebooks, None if parts is None else tuple(parts))
    if gathered.nothing:
        raise ReportError(
            f"{gathered.nothing} Run its cells, save it (Ctrl+S), and run this again; or give its "
            'name, as in report(["3_fc_vae.ipynb"]).'
        )
    made = _print(gathered, out, anonymous, read_modules(home()) if code else {})
    for one in made:
        say(_pages(one))
        for finding in one.findings:
            say(f"  - {_told(finding, gathered)}")
    return [one.path for one in made]


def _print(
    gathered: Gathered, out: Path, anonymous: bool, modules: Mapping[str, Module]
) -> list[Made]:
    """Write the PDFs and their page maps: the questions with the code, and the report of four
    pages."""
    chapters = [one for one in gathered.notebooks if ARTICLE not in one.parts]
    articles = [one for one in gathered.notebooks if ARTICLE in one.parts]
    jobs = [(chapters, out)] if chapters else []
    if articles:
        jobs.append((articles, _article(out) if chapters else out))
    who, asked = about(gathered.notebooks, anonymous), questions_asked(home(), HERE)
    made = []
    for books, path in jobs:
        printed = print_pdf(books, who, books is articles, modules, asked)
        findings = (*gathered.findings, *_of_people(gathered), *printed.findings)
        described = {"pdf": path.name, **printed.map, "findings": [asdict(f) for f in findings]}
        _write(path, printed.pdf)
        _write(_map_of(path), (json.dumps(described, indent=1) + "\n").encode())
        made.append(Made(path, described))
    return made


def _of_people(gathered: Gathered) -> list[Finding]:
    """What was not saved, or is said of the people in a way that cannot be taken as it is."""
    books = gathered.notebooks or gathered.untouched
    mistyped = [finding for one in books for finding in unread(one)]
    return [*unsaved(gathered.around), *mistyped, *at_odds(books)]


def _article(out: Path) -> Path:
    return out.with_name(f"{out.stem}_report{out.suffix}")


def _map_of(pdf: Path) -> Path:
    return pdf.with_suffix(".json")


def _pages(made: Made) -> str:
    if not made.described:
        return f"{made.path}: as it is."
    pages, asked = made.described["pages"], made.described["questions"]
    return f"{made.path}: {pages} pages, {len(asked)} questions."


def _told(finding: Finding, gathered: Gathered) -> str:
    """A finding, with its notebook where there are several."""
    several = len(gathered.notebooks) > 1 and finding.notebook not in finding.sentence
    return (f"{finding.notebook}: " if several and finding.notebook else "") + finding.sentence


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        hint = " Is it open in another program?" if isinstance(error, PermissionError) else ""
        raise ReportError(f"{path} cannot be written: {error.strerror}.{hint}") from None


# --- the bundle


def write_bundle(
    notebooks: Iterable[str | Path] | None,
    out: str | Path | None,
    pdf: Path,
    say: Callable[[str], None],
    anyway: bool = False,
    where: str = "cell",
) -> Path:
    """`bundle`, but raises ReportError, or Doubtful, with all that stands against it, a sentence a
    line."""
    gathered = gather(notebooks)
    modules, asked = read_modules(home()), questions_asked(home(), HERE)
    who = about(gathered.notebooks or gathered.untouched)
    made, in_doubt = _pdfs(gathered, modules, pdf)
    in_doubt += _doubts(gathered, modules, asked, who)
    for line in _summary(gathered, modules, asked, made):
        say(line)
    against = "\n".join(f"  - {sentence}" for sentence in dict.fromkeys(in_doubt))
    if not who.netids:
        raise ReportError("\n".join(filter(None, (against, f"  - {NO_NETID}"))))
    if against and not anyway:
        raise Doubtful(against)
    pictures, notes = _pictures(home())
    files = {
        "netid": ("\n".join(who.netids) + "\n").encode(),
        **{name: module.data for name, module in modules.items()},
        **{f"{one.name}.ipynb": _as_json(one) for one in gathered.notebooks},
        **{one.path.name: one.path.read_bytes() for one in made},
        **pictures,
    }
    target = _target(out, who)
    _write(target, _zipped(files))
    told = "anyway=True" if where == "cell" else "--anyway"
    if against:
        say(f"{told} stood in the {where}, so this is handed in all the same:\n{against}")
    elif anyway:
        say(f"{told} is no longer needed: take it out of the {where}.")
    for note in notes:
        say(note)
    say(f"{target} is ready, for {', '.join(who.netids)}: {', '.join(files)}.")
    if in_colab():
        say("Download it from the panel on the left (the folder), and hand that file in.")
    return target


def _target(out: str | Path | None, who: About) -> Path:
    """Where the zip goes; its name says whose it is."""
    names = "--".join(filter(None, map(_plain, who.netids)))[:80]
    name = f"hw5_{names or 'hand-in'}.zip"
    target = Path(out) if out else Path(name)
    return target / name if target.is_dir() else target


def _plain(netid: str) -> str:
    """A NetID as a part of a file's name; of an email address what stands before the @."""
    letters = unicodedata.normalize("NFKD", netid.partition("@")[0].lower())
    return re.sub(r"[^a-z0-9._-]+", "-", letters.encode("ascii", "ignore").decode()).strip("._-")


def _as_json(notebook: Notebook) -> bytes:
    return json.dumps(without_people(notebook.raw), indent=1).encode()


def _zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# --- what to say before it is written


def _summary(
    gathered: Gathered,
    modules: Mapping[str, Module],
    asked: Mapping[str, Asked],
    made: Sequence[Made],
) -> list[str]:
    """The table, what earns nothing, and all that the report says besides."""
    books = sorted(gathered.around, key=lambda one: in_order(Path(one.name)))
    found = states(books, modules, asked)
    listed = {state.question.key for state in found if state.words}
    told = [finding for one in made for finding in one.findings]
    if not told:
        told = [finding for one in gathered.notebooks for finding in preflight(one, asked)]
    told = [f for f in told if f.kind not in SAID]
    told = [f for f in told if f.kind not in IN_THE_LIST or f.question not in listed]
    lines = [*table(found, books), ""] if found else []
    if any(word in line for line in lines for word in ("quick", "stand-in")):
        lines.append(
            "Figures of a quick run, or of data that stand in, are for a try only: they are marked "
            "by hand,\nand earn little or nothing. Run the notebook with the real settings."
        )
    lines += losses(found)
    if left_out := [f"{one.name}.ipynb" for one in gathered.untouched]:
        lines.append(f"Not run and saved, so left out: {', '.join(left_out)}.")
    lines += ["", *(_pages(one) for one in made)]
    return lines + [f"  - {_told(finding, gathered)}" for finding in told]


def _pdfs(
    gathered: Gathered, modules: Mapping[str, Module], pdf: Path
) -> tuple[list[Made], list[str]]:
    """The PDFs that go in, made anew where they are not of what is there now; and what is doubtful
    about them."""
    if gathered.nothing:
        return [], []
    there = [path for path in (pdf, _article(pdf)) if path.is_file()]
    said = {path: made_from(path.read_bytes()) for path in there}
    if foreign := [path for path in there if not said[path].sources]:
        names = " and ".join(map(str, foreign))
        sentence = (
            f"{names} was not made by report() and would go in as it is. Rename or delete it, and "
            "it is made here."
        )
        return [Made(path, {}) for path in foreign], [sentence]
    carried = {name: sha for one in said.values() for name, sha in one.sources.items()}
    chapters = {one.name for one in gathered.notebooks if ARTICLE not in one.parts}
    without = chapters & carried.keys() and not any(name.endswith(".py") for name in carried)
    with_code = modules if chapters and not without else {}  # one made without code stays so
    now = {one.name: one.sha256 for one in gathered.notebooks}
    now |= {name: module.sha256 for name, module in with_code.items()}
    made = [one for one in map(Made.read, there) if one]
    if carried == now and len(made) == len(there):
        return made, []
    anonymous = any(one.anonymous for one in said.values())
    try:
        return _print(gathered, pdf, anonymous, with_code), []
    except ReportError as error:
        return [], [f"There is no PDF. {error}"]


@dataclass(frozen=True)
class MadeFrom:
    """What a PDF says it was made from: names of notebooks and modules with their SHA-256."""

    sources: Mapping[str, str]
    anonymous: bool = False


def made_from(pdf: bytes) -> MadeFrom:
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        said: Mapping[str, Any] = PdfReader(io.BytesIO(pdf)).metadata or {}
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError, OSError):
        return MadeFrom({})
    found = re.findall(r"([^,:]+):([0-9a-f]{64})", str(said.get("/Keywords", "")))
    sources = {name.strip(): sha for name, sha in found}
    return MadeFrom(sources, str(said.get("/Author", "")) == ANONYMOUS)


def _doubts(
    gathered: Gathered, modules: Mapping[str, Module], asked: Mapping[str, Asked], who: About
) -> list[str]:
    """What looks wrong, in sentences. Each may be right all the same, and locks nobody out."""
    books = gathered.notebooks
    said = [finding.sentence for finding in _of_people(gathered)]
    said += doubts(who.netids)
    said += [finding.sentence for finding in check_groups(books, who)]
    if gathered.nothing:
        said.append(
            f"{gathered.nothing} Nothing written or drawn is handed in, and no PDF. Run the cells "
            "and save it (Ctrl+S)."
        )
    said += [finding.sentence for finding in gathered.findings if finding.kind == "unreadable"]
    parts = [part for one in books for part in one.parts]
    for part in dict.fromkeys(part for part in parts if parts.count(part) > 1):
        names = " and ".join(f"{one.name}.ipynb" for one in books if part in one.parts)
        said.append(f"{part} is in {names}: delete one, or name the others: bundle([...]).")
    said += list(_doubts_of_modules(modules, asked, set(parts)))
    for one in books:
        if away := outdated(one, modules, asked):
            files = " and ".join(dict.fromkeys(asked[key].file for key in away))
            said.append(
                f"{one.name}.ipynb shows what other code has done than is in {files} now: nothing "
                f"is written there for {', '.join(away)}. Put the file back with which it was run, "
                "or write the code and run the notebook anew."
            )
    return said


def _doubts_of_modules(
    modules: Mapping[str, Module], asked: Mapping[str, Asked], parts: set[str]
) -> Iterator[str]:
    """What is wrong with the student's files, for these parts; all when there are none."""
    if not modules:
        yield f"Neither {' nor '.join(MODULES)} is in {home()}: no code is handed in."
    for file in MODULES if modules else ():
        mine = {key: one for key, one in asked.items() if one.file == file}
        wanted = {k: one for k, one in mine.items() if not parts or k.partition(".")[0] in parts}
        module = modules.get(file)
        if module is None and wanted:
            yield f"{file} is not in {home()}: the code of {_parts(wanted)} earns nothing."
        elif module is not None and module.problem:
            yield f"{module.problem} As it is, all of its code earns nothing: {_parts(mine)}."
        elif module is not None:
            far = {key: progress(module, key, one.names) for key, one in wanted.items()}
            names = dict.fromkeys(name for one in far.values() for name in one.lacking)
            if names:
                keys = ", ".join(key for key, one in far.items() if one.lacking)
                yield (
                    f"{file} has no {', '.join(names)}, which {keys} take from it. A name that was "
                    "changed is not found."
                )


def _parts(asked: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(key.partition(".")[0] for key in asked))


# --- what goes in


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


def _pictures(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The pictures that notebooks and commands save; of many epochs three. Those that are given
    have a name with two dashes."""
    roots = dict.fromkeys((Path.cwd(), folder, folder / "notebooks"))
    folders = dict.fromkeys(root / name for root in roots for name in FOLDERS)
    found: dict[str, Path] = {}
    notes: list[str] = []
    for place in folders:
        for path in (path for pattern in PICTURES for path in sorted(place.glob(pattern))):
            if "--" not in path.name:
                found.setdefault(path.name, path)
    for place in folders:
        epochs = [p for p in place.glob(EPOCHS) if re.fullmatch(r"test_\d+", p.stem)]
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
    import nbformat
    from nbconvert.exporters import Exporter
    from traitlets import Bool

    class HW5PDFExporter(Exporter):
        """`jupyter nbconvert --to hw5-pdf`: the PDF of this module, for any notebook.

        The page map is written beside the PDF, as NAME.json. A file or a stream that cannot be
        printed ends the program with a sentence: nbconvert would print every other exception with
        its traceback. A notebook in memory raises ReportError instead.
        """

        export_from_notebook = "PDF (Typst)"
        output_mimetype = "application/pdf"
        anonymous = Bool(False, help="leave out names and strike out NetIDs").tag(config=True)

        def _file_extension_default(self) -> str:
            return ".pdf"

        def from_filename(
            self, filename: str, resources: Any = None, **kw: Any
        ) -> tuple[Any, dict[str, Any]]:
            path = Path(filename)
            try:
                return self._print(read_notebook(path), _named(resources, path))
            except ReportError as error:
                raise SystemExit(str(error)) from None

        def from_file(
            self, file_stream: Any, resources: Any = None, **kw: Any
        ) -> tuple[Any, dict[str, Any]]:
            path = Path(str(mapping(resources).get("unique_key") or "notebook") + ".ipynb")
            try:
                text = file_stream.read()
                data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
                return self._print(decode_notebook(data, path.name), _named(resources, path))
            except UnicodeDecodeError:  # nbconvert has decoded what it was piped
                raise SystemExit(f"{path.name} is not in UTF-8: give the file's name.") from None
            except ReportError as error:
                raise SystemExit(str(error)) from None

        def from_notebook_node(
            self, nb: Any, resources: Any = None, **kw: Any
        ) -> tuple[Any, dict[str, Any]]:
            named = mapping(mapping(resources).get("metadata"))
            name = str(named.get("name") or "notebook")
            path = Path(str(named.get("path") or "."), f"{name}.ipynb")
            saved = path.stat().st_mtime if path.is_file() else None
            folder = None if saved is None else path.parent
            notebook = parse_notebook(nb, name, saved, folder)
            return self._print(notebook, _named(resources, path))

        def _print(self, notebook: Notebook, resources: dict[str, Any]) -> tuple[bytes, Any]:
            try:
                with warnings.catch_warnings():  # of cells with one id, which is no matter here
                    warnings.simplefilter("ignore")
                    _, node = nbformat.validator.normalize(nbformat.from_dict(notebook.raw))
                    nbformat.validate(node, relax_add_props=True)
            except Exception as error:  # whatever is wrong with it, it has pages
                self.log.warning(
                    f"{notebook.name}.ipynb is not as the notebook format asks{_where(error)}: its "
                    "pages are made, but nothing of it is run or filtered before."
                )
                _, resources = super().from_notebook_node(nbformat.v4.new_notebook(), resources)
            else:
                node, resources = super().from_notebook_node(node, resources)
                notebook = parse_notebook(node, notebook.name, notebook.saved, notebook.folder)
            article = ARTICLE in notebook.parts
            printed = print_pdf([notebook], about([notebook], self.anonymous), article)
            for finding in printed.findings:
                self.log.warning(finding.sentence)
            described = {**printed.map, "findings": [asdict(f) for f in printed.findings]}
            outputs = dict(resources.get("outputs") or {})
            # With a folder: nbconvert makes the folder of each of these files, and "" is none.
            outputs[f"./{notebook.name}.json"] = (json.dumps(described, indent=1) + "\n").encode()
            resources["outputs"] = outputs
            return printed.pdf, resources

    return HW5PDFExporter


def _where(error: Exception) -> str:
    """The cell that a notebook's format does not know, where the error names one."""
    match [*getattr(error, "absolute_path", ())]:
        case ["cells", int(at), *_]:
            return f" (cell {at + 1})"
    return ""


def _named(resources: Any, path: Path) -> dict[str, Any]:
    """nbconvert's resources with a notebook's name and folder."""
    metadata = mapping(mapping(resources).get("metadata"))
    named = {**metadata, "name": path.stem, "path": str(path.parent)}
    return {**mapping(resources), "metadata": named}


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
    one.add_argument("--no-code", action="store_true", help="without the appendix of your code")
    one = commands.add_parser("bundle", help="write the zip to hand in")
    one.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="(default: all)")
    one.add_argument("--out", type=Path, help="the zip, or its folder (hw5_<netid>.zip)")
    one.add_argument("--pdf", type=Path, default=Path("hw5.pdf"), help="the report (%(default)s)")
    one.add_argument("--anyway", action="store_true", help="hand in whatever looks wrong")
    said = parser.parse_args(argv)
    if said.command == "report":
        code = not said.no_code
        written = report(said.notebooks or None, said.out, said.part, said.anonymous, code)
    else:
        way_out = "python hw5_report.py bundle --anyway"
        written = _bundle(
            said.notebooks or None, said.out, said.pdf, said.anyway, way_out, "command"
        )
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main())
