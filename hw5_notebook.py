"""Given to students: reads notebooks, and finds what to look at before they are handed in.

A notebook is read as it is: what its format says and what is missing, doubled or of the wrong kind
is taken as well as can be, and nothing in it is ever run.
"""

from __future__ import annotations

import ast
import datetime
import getpass
import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

ARTICLE = "report"  # the part that is set continuously, as a PDF of its own
SECTIONS = ("introduction", "methodology", "results", "discussion and conclusion")
ARTICLE_PAGES, REFERENCES, DISCUSSED = 4, 3, 3  # at most, at least, at most


class ReportError(ValueError):
    """Nothing can be written; the message is a sentence for the student."""


@dataclass(frozen=True)
class Finding:
    """Something to look at before handing in; `sentence` is for the student, the rest for staff."""

    kind: str
    sentence: str
    notebook: str = ""
    cell: str = ""
    question: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell; `number` counts from 1. `question` is `part.question`, or "" outside of them all.

    `place` is title, setup, about or hand-in for the cells that every notebook of the kit has.
    """

    kind: str
    id: str
    number: int
    source: str
    outputs: tuple[dict[str, Any], ...]
    count: int | None
    metadata: dict[str, Any]
    attachments: dict[str, Any]
    question: str = ""
    place: str = ""

    @property
    def nbgrader(self) -> dict[str, Any]:
        return mapping(self.metadata.get("nbgrader"))

    @property
    def hw5(self) -> dict[str, Any]:
        return mapping(self.metadata.get("hw5"))

    @property
    def aside(self) -> bool:
        """Something that is given to look at: no student's work, and never printed."""
        return bool(self.hw5.get("aside"))

    @property
    def statement(self) -> bool:
        """The course's own words, which nobody edits."""
        locked = bool(self.nbgrader.get("locked"))
        return self.kind == "markdown" and (locked or heading_of(self.source) is not None)

    @property
    def answer(self) -> bool:
        """A written answer, marked by hand."""
        written = bool(self.nbgrader.get("grade") and self.nbgrader.get("solution"))
        return self.kind == "markdown" and (written or self.source.strip() == UNANSWERED)

    @property
    def name(self) -> str:
        return f"cell {self.number} ({self.id})" if "--" in self.id else f"cell {self.number}"


@dataclass(frozen=True)
class Question:
    """A question as its heading announces it."""

    key: str
    title: str
    worth: str
    notebook: str

    @property
    def part(self) -> str:
        return self.key.partition(".")[0]

    @property
    def id(self) -> str:
        return self.key.partition(".")[2]

    @property
    def points(self) -> float:
        return float(self.worth.split()[0])

    @property
    def bonus(self) -> bool:
        return "bonus" in self.worth


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was read; `raw` is its JSON. `sha256` is of what its cells say and show.

    `saved` is when its file was written last, in seconds, and `folder` where it lies; both are None
    for one without a file.
    """

    name: str
    cells: tuple[Cell, ...]
    metadata: dict[str, Any]
    raw: dict[str, Any]
    saved: float | None = None
    folder: Path | None = None

    @property
    def edited(self) -> datetime.date | None:
        return None if self.saved is None else datetime.date.fromtimestamp(self.saved)

    @property
    def hw5(self) -> dict[str, Any]:
        return mapping(self.metadata.get("hw5"))

    @cached_property
    def kit(self) -> bool:
        """Is it one of this coursework's?"""
        return bool(self.hw5) or any(cell.place == "about" for cell in self.cells)

    @property
    def parts(self) -> tuple[str, ...]:
        said = self.hw5.get("parts")
        if isinstance(said, list) and said:
            return tuple(str(part) for part in said)
        keys = [cell.question.partition(".")[0] for cell in self.cells if cell.question]
        return tuple(dict.fromkeys(keys))

    @property
    def anonymous(self) -> tuple[str, ...]:
        """The parts that are marked without names."""
        said = self.hw5.get("anonymous")
        return tuple(part for part in self.parts if isinstance(said, list) and part in said)

    def group(self, part: str) -> int:
        """How many may hand in a part together."""
        most = mapping(self.hw5.get("groups")).get(part)
        return most if isinstance(most, int) else 1

    @property
    def title(self) -> str:
        said = self.hw5.get("title")
        return str(said) if said else self.heading or self.name

    @property
    def heading(self) -> str:
        """The title that stands in its first texts, in plain words; "" where there is none."""
        texts = [cell.source[:TITLED] for cell in self.cells if cell.kind == "markdown"][:3]
        found = (one for text in texts for one in _TITLE.finditer(text) if not one["fence"])
        titles = (plain_words(one["title"] or one["over"] or one["html"] or "") for one in found)
        return next(filter(None, titles), "")

    @property
    def language(self) -> str:
        for key in ("language_info", "kernelspec"):
            about = mapping(self.metadata.get(key))
            found = about.get("name" if key == "language_info" else "language")
            if isinstance(found, str):
                return found.lower()
        return "python"

    @property
    def touched(self) -> bool:
        """Has anything in it been run or answered?"""
        run = any(cell.outputs or cell.count for cell in self.cells)
        return run or any(cell.answer and not is_blank(cell) for cell in self.cells)

    @property
    def sha256(self) -> str:
        """Of kinds, sources and outputs; not of the last cell, which prints what is made of it, nor
        of what is given to look at."""
        said = [
            [cell.kind, cell.source, [shown(output) for output in cell.outputs]]
            for cell in self.cells
            if cell.place != "hand-in" and not cell.aside
        ]
        text = json.dumps(said, sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class About:
    """What the first page says of the people: NetIDs, those they talked to, and their sources."""

    netids: tuple[str, ...] = ()
    discussed: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    date: datetime.date | None = None
    anonymous: bool = False


# --- reading a notebook

UNANSWERED = "YOUR ANSWER HERE"
PLACES = ("title", "setup", "about", "hand-in")
HEADING = re.compile(
    r"#{1,6}\s{1,9}(?P<title>\S.*?)\s{1,9}·\s{1,9}(?P<worth>\d+(?:\.\d+)?\s+(?:bonus\s+)?points?)\b[^\n]*"
)
_CONTROL = re.compile(r"[\x00-\x06\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ue000-\ue00f]")


def read_notebook(path: Path) -> Notebook:
    """Read a notebook of any format. Raises ReportError with a sentence."""
    try:
        data = path.read_bytes()
        saved = path.stat().st_mtime
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}.") from None
    return decode_notebook(data, path.name, saved, path.parent)


def decode_notebook(
    data: bytes, file: str, saved: float | None = None, folder: Path | None = None
) -> Notebook:
    """A notebook from the bytes of its file, in whatever letters an editor saved it. Raises
    ReportError with a sentence.
    """
    return parse_notebook(load_notebook(data, file), Path(file).stem, saved, folder)


def load_notebook(data: bytes, file: str) -> dict[str, Any]:
    """The JSON of a notebook. Raises ReportError where it is none, with a sentence."""
    try:
        try:
            raw = json.loads(data, strict=False)  # UTF-8, -16 or -32, with or without its mark
        except UnicodeDecodeError:
            raw = json.loads(data.decode("cp1252", "replace"), strict=False)
    except (ValueError, RecursionError) as error:
        wrong = "it is nested too deep" if isinstance(error, RecursionError) else "it is damaged"
        if isinstance(error, json.JSONDecodeError):
            wrong = f"it is damaged in line {error.lineno}, at character {error.colno}"
        wrong = wrong if data.strip() else "it is empty"
        raise ReportError(
            f"{file} is not a notebook: {wrong}. Take an earlier copy of it (in JupyterLab: "
            "File, Revert Notebook to Checkpoint), or a fresh one out of the zip."
        ) from None
    loaded = mapping(raw)
    if not isinstance(loaded.get("cells", loaded.get("worksheets")), list):
        raise ReportError(f"{file} is not a notebook: it has no cells.")
    return loaded


def parse_notebook(
    raw: dict[str, Any], name: str, saved: float | None = None, folder: Path | None = None
) -> Notebook:
    """A notebook from its JSON; what is not as the format says is taken as well as can be."""
    try:  # halves of letters, which no file can hold, become question marks
        raw = json.loads(json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise ReportError(f"{name}.ipynb is not a notebook: it is nested too deep.") from None
    if "worksheets" in raw or raw.get("nbformat") == 1:
        import nbformat  # old formats are rare, and this import is slow

        try:
            sheets = [{"cells": [], **sheet} for sheet in raw.get("worksheets", ())]
            raw = {"metadata": {}, **raw} | ({"worksheets": sheets} if sheets else {})
            raw = json.loads(nbformat.writes(nbformat.reads(json.dumps(raw), as_version=4)))
        except Exception as error:  # whatever is wrong with a notebook of ten years ago
            raise ReportError(
                f"{name}.ipynb is of an old format, and damaged: take an earlier copy of it."
            ) from error
    listed = raw.get("cells")
    cells = [
        Cell(
            kind=str(cell.get("cell_type")),
            id=_cell_id(cell),
            number=number,
            source=text_of(cell.get("source")),
            outputs=tuple(o for o in entries(cell.get("outputs")) if isinstance(o, dict)),
            count=cell["execution_count"] if type(cell.get("execution_count")) is int else None,
            metadata=mapping(cell.get("metadata")),
            attachments=mapping(cell.get("attachments")),
        )
        for number, cell in enumerate(entries(listed), 1)
        if isinstance(cell, dict)
    ]
    notebook = Notebook(name, tuple(cells), mapping(raw.get("metadata")), raw, saved, folder)
    return replace(notebook, cells=tuple(_placed(cells)))


def _cell_id(cell: dict[str, Any]) -> str:
    """The readable id; Colab keeps it among the metadata, or loses it."""
    metadata = mapping(cell.get("metadata"))
    grade_id = mapping(metadata.get("nbgrader")).get("grade_id")
    known = [str(one) for one in (cell.get("id"), metadata.get("id"), grade_id) if one]
    good = (one for one in known if "--" in one or one in PLACES)
    return next(good, known[0] if known else "")


def _placed(cells: Sequence[Cell]) -> Iterator[Cell]:
    """Give every cell its question. A cell of the student's own belongs to the one before it."""
    question = ""
    for cell in cells:
        fields = cell.id.split("--")
        place = fields[0] if fields[0] in PLACES else ""
        if not place and len(fields) == 1:
            place = _place_by_content(cell)
        heading = heading_of(cell.source) if cell.kind == "markdown" else None
        if place:
            question = ""
        elif len(fields) > 1 and all(fields[:2]):
            question = f"{fields[0]}.{fields[1]}"
        elif heading:
            question = re.sub(r"\W+", "-", heading["title"].lower()).strip("-")
        yield replace(cell, question=question, place=place)


def _place_by_content(cell: Cell) -> str:
    if cell.kind != "code":
        return ""
    if re.search(r"^NETID\s*=", cell.source, re.M):
        return "about"
    if re.search(r"^(?:hw5_report\.)?bundle\(", cell.source, re.M):
        return "hand-in"
    return "setup" if re.search(r"^QUICK = begin\(", cell.source, re.M) else ""


def heading_of(source: str) -> re.Match[str] | None:
    """The first line of a question: its title and what it is worth."""
    return HEADING.match(source.lstrip())


_TITLE = re.compile(  # of the first level; a block of code, in which it would be a remark, is none
    r"^ {0,3}(?P<fence>`{3}|~{3}).*?(?:^ {0,3}(?P=fence)|\Z)"
    r"|^ {0,3}# {1,9}(?P<title>[^\n ][^\n]*?)(?: {1,9}#{1,9})? {0,9}$|^(?P<over>[^\n]+)\n=+ *$"
    r"|<h1\b[^<>]*>(?P<html>(?:(?!<h1\b).)*?)</h1>",
    re.M | re.S | re.I,
)


TITLED = 10_000  # characters of a text in which its title is looked for


def plain_words(markdown: str) -> str:
    """A line of Markdown as it reads: for heads and lists, where nothing is set."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<[^<>]*>", "", markdown[:1000])  # no head has more room
    text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = re.sub(r"\$+(?!\s)([^$]+)(?<!\s)\$+(?!\d)", lambda found: _spoken(found[1]), text)
    for marks in (r"\*\*", r"\*", "~~", "`+", r"\b__", r"\b_"):
        text = re.sub(rf"({marks})(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", html.unescape(text))
    return " ".join(text.split())


def _spoken(tex: str) -> str:
    """A formula in letters: `\\beta` is β, `\\mathcal{L}` is L."""

    def letter(found: re.Match[str]) -> str:
        size = "CAPITAL" if found[1][0].isupper() else "SMALL"
        name = found[1].upper().removeprefix("VAR").replace("LAMBDA", "LAMDA")
        try:
            return unicodedata.lookup(f"GREEK {size} LETTER {name}")
        except KeyError:
            return "" if re.match("math|text|operatorname|left|right", found[1]) else found[1]

    return re.sub(r"[{}\\]", "", re.sub(r"\\([A-Za-z]+)", letter, tex))


def questions(notebook: Notebook) -> dict[str, Question]:
    found: dict[str, Question] = {}
    for cell in notebook.cells:
        heading = heading_of(cell.source) if cell.kind == "markdown" and cell.question else None
        if heading and cell.question not in found:
            title = plain_words(heading["title"])
            found[cell.question] = Question(cell.question, title, heading["worth"], notebook.name)
    return found


def constants(source: str) -> Iterator[tuple[str, Any]]:
    """`name, value` of every top-level assignment of a constant."""
    try:
        body = ast.parse(source).body if len(source) < 20_000 else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        body = []
    for line in body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            try:
                yield line.targets[0].id, ast.literal_eval(line.value)
            except (ValueError, TypeError, RecursionError, MemoryError):
                continue


ABOUT = ("NETID", "DISCUSSED_WITH", "SOURCES")  # what the cell `about` says


def said_about(cell: Cell) -> Iterator[tuple[str, Any, str]]:
    """`name, value, ""` of what the cell `about` says; `name, None, typed` where it cannot be read.

    Each is read by itself, so that one that is mistyped costs none of the others.
    """
    for said in re.split(rf"^(?=(?:{'|'.join(ABOUT)})\s*=)", cell.source, flags=re.M):
        name, _, typed = said.partition("=")
        values = [value for known, value in constants(said) if known == name.strip()]
        if values:
            yield from ((name.strip(), value, "") for value in values)
        elif name.strip() in ABOUT:
            yield name.strip(), None, typed.partition("#")[0].strip()


def unread(notebook: Notebook) -> Iterator[Finding]:
    """What the cell `about` says and nobody can read: most often a quotation mark lacks."""
    for cell in (cell for cell in notebook.cells if cell.place == "about"):
        for name, _, typed in (said for said in said_about(cell) if said[2]):
            words = re.findall(r"[^\s,;\"'‘’“”„«»\[\]()]+", typed)
            rather = f'"{", ".join(words)}"' if name == "NETID" else f'["{" ".join(words)}"]'
            sentence = (
                f"{name} = {typed} in {notebook.name}.ipynb cannot be read, so it counts as empty. "
                f"Write straight quotation marks around it: {name} = {rather}. Then run that cell "
                "and save the notebook (Ctrl+S)."
            )
            yield Finding("unread", sentence, notebook.name, cell.id or str(cell.number))


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def entries(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def text_of(value: object) -> str:
    """Text of a notebook, which may come in lines; what no page can show is taken out."""
    text = "".join(map(str, value)) if isinstance(value, list) else str(value or "")
    text = text.encode("utf-8", "replace").decode()
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def shown(output: dict[str, Any]) -> list[Any]:
    """What an output shows, whatever way its text is split and its metadata read."""
    data = {str(k): _plain(v) for k, v in sorted(mapping(output.get("data")).items())}
    text = [_plain(output.get(key)) for key in ("name", "text", "ename", "evalue", "traceback")]
    return [output.get("output_type"), data, text]


def _plain(value: object) -> object:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value


_ENVIRONMENTS = (
    "equation|align|alignat|flalign|gather|multline|eqnarray|aligned|alignedat|gathered|split|cases"
    "|dcases|rcases|matrix|pmatrix|bmatrix|Bmatrix|vmatrix|Vmatrix|smallmatrix|array|math|displaymath"
    "|subequations|CD|prooftree|tikzcd|tikzpicture"
)
# What begins anew before it has ended is not looked through again and again, to the end each time.
VERBATIM = (
    r"(?P<code>^[ ]{0,3}(?P<fence>`{3,}(?!`)|~{3,}(?!~))[^\n]*\n.*?"
    r"(?:^[ ]{0,3}(?P=fence)[`~]*[ ]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\s*\n).){1,5000}?(?<!`)(?P=ticks)(?!`)"
    r"|<!--(?:(?!<!--).)*?-->)"
)
MATH = re.compile(
    VERBATIM + r"|(?P<display>\$\$(?:\\.|[^\\])+?\$\$"
    rf"|\\begin\{{(?P<env>(?:{_ENVIRONMENTS})\*?)\}}"
    r"(?:(?!\\begin\{(?P=env)\}).)*?\\end\{(?P=env)\}"
    r"|(?:^[ ]*\\|\\\\)\[(?:(?!\n\s*\n).){1,4000}?\\\\?\])"
    r"|(?P<define>^[ \t]*\\(?:re|provide)?(?:newcommand|def|let|DeclareMathOperator)\b[^\n$]*$)"
    r"|(?P<inline>\$(?![\s$]*\$)(?:\\.|[^\\$\n`]|\n(?!\s*\n))+?\$(?!\d)"
    r"|\\\\?\((?:(?!\n\s*\n|\\\().)+?\\\\?\))"
    r"|(?P<escaped>\\[\\$`])",
    re.M | re.S,
)


# --- what to look at before handing in


def preflight(notebook: Notebook, checked: Collection[str] = ()) -> list[Finding]:
    """What a reader of the PDF would miss or stumble over, in the order of the cells.

    checked: the questions that have a visible check.
    """
    found: list[Finding] = []

    def note(kind: str, sentence: str, cell: Cell | None = None) -> None:
        where = (cell.id or str(cell.number), cell.question) if cell else ("", "")
        found.append(Finding(kind, sentence, notebook.name, *where))

    titles = {key: question.title for key, question in questions(notebook).items()}
    for cell in notebook.cells:
        asked = f"“{titles[cell.question]}”" if cell.question in titles else f"In {cell.name}:"
        if cell.answer:
            words, limit = count_words(cell.source), cell.hw5.get("words")
            if is_blank(cell):
                note("unanswered", f"{asked} is not answered ({cell.name}).", cell)
            elif not words and IMAGE.search(cell.source):
                note("only-image", f"{asked} is answered by a picture alone; type it.", cell)
            elif isinstance(limit, int) and words > limit:
                note("too-long", f"{asked} has {words} words; the limit is {limit}.", cell)
        if cell.kind != "code" or cell.place == "hand-in" or cell.aside:
            continue
        for kind, warning in warnings_of(cell):
            note(kind, f"Output of {cell.name} says: {warning}", cell)
        if any(output.get("output_type") == "error" for output in cell.outputs):
            note("error", f"{cell.name.capitalize()} stopped with an error.", cell)
        if cell.hw5.get("figure") and not any(is_picture(output) for output in cell.outputs):
            note("no-figure", f"{asked} lacks the figure that {cell.name} draws.", cell)
    found += _order(notebook)
    found += _gone(notebook, checked)
    if ARTICLE in notebook.parts:
        found += _article(notebook)
    return found


def warnings_of(cell: Cell) -> Iterator[tuple[str, str]]:
    """Kind and words of every line in which a cell's output warns of something; and of the last
    one, where it says that a training was stopped."""
    lines = printed_by(cell).splitlines()
    last = next((line for line in reversed(lines) if line.strip()), "")
    if last.startswith("Stopped in "):
        yield "stopped", last.strip()
    for line in lines:
        if line.startswith("WARNING:"):
            known = {"quick": r"\bquick\b", "stand-in": r"\bstands?[ -]in"}
            kinds = (kind for kind, words in known.items() if re.search(words, line))
            yield next(kinds, "warning"), line[8:].strip()


def to_run(notebook: Notebook) -> list[Cell]:
    """The cells of code that a student runs."""
    code = [c for c in notebook.cells if c.kind == "code" and c.place != "hand-in"]
    return [c for c in code if not c.aside and re.sub(r"#.*", "", c.source).strip()]


def _order(notebook: Notebook) -> list[Finding]:
    """Cells that were not run, or not from top to bottom."""
    code = to_run(notebook)
    missed = [c for c in code if c.count is None]
    found = []
    if missed:
        names = ", ".join(_in_words(cell) for cell in missed[:3])
        names += f" and {len(missed) - 3} more" if len(missed) > 3 else ""
        these = f"Cell {names} was" if len(missed) == 1 else f"Cells {names} were"
        sentence = f"{these} not run."
        if len(missed) == len(code):
            sentence = "None of its cells was run."
        found.append(Finding("not-run", sentence, notebook.name, missed[0].id, missed[0].question))
    counted = [c for c in code if c.count is not None and not _stands_alone(c)]
    for before, after in pairwise(counted):
        if (after.count or 0) <= (before.count or 0):
            sentence = (
                f"Cell {_in_words(after)} was run before cell {_in_words(before)}, which stands "
                "above it. Restart the kernel, run all cells and save, so that the results follow "
                "from the code above them."
            )
            found.append(Finding("order", sentence, notebook.name, after.id, after.question))
            break
    return found


def _stands_alone(cell: Cell) -> bool:
    """Whether no result depends on when it was run: it says who you are, or checks your code."""
    return cell.place == "about" or bool(re.fullmatch(r"check\([^()]*\);?", cell.source.strip()))


def _in_words(cell: Cell) -> str:
    """A cell by its number and its first words: a notebook shows no numbers of this kind."""
    first = cell.source.strip().splitlines()[0].strip()
    return f"{cell.number} (`{first if len(first) <= 45 else first[:40] + ' ...'}`)"


def _gone(notebook: Notebook, checked: Collection[str]) -> Iterator[Finding]:
    """Given cells that were deleted: texts of questions, which say their points, and checks."""
    there = questions(notebook)
    ids = {cell.id for cell in notebook.cells}
    parts = {cell.question.partition(".")[0] for cell in notebook.cells if cell.question}
    asked = [key for key in checked if key.partition(".")[0] in parts]
    written = [cell.question for cell in notebook.cells if cell.answer and cell.question]
    texts = [key for key in dict.fromkeys([*asked, *written]) if key not in there]
    checks = [f"{key.replace('.', '--')}--check" for key in asked if key in there]
    checks = [id for id in checks if id not in ids]
    for what, gone in (("questions, which no list has now,", texts), ("checks", checks)):
        if gone:
            sentence = (
                f"The cells of these {what} were deleted: {', '.join(gone)}. Edit > Undo Delete "
                "Cells brings them back, and so does a copy out of a fresh notebook."
            )
            yield Finding("deleted", sentence, notebook.name)


def _article(notebook: Notebook) -> list[Finding]:
    """The report of four pages: its four headings in order, and its references."""
    cells = [cell for cell in article_cells(notebook) if not is_blank(cell)]
    said = [re.sub(r"[^a-z ]", "", h.lower().replace("&", "and")).strip() for h in _headings(cells)]
    found, start = [], 0
    for section in SECTIONS:
        short = section.split()[0][:10]
        at = next((i for i in range(start, len(said)) if said[i].startswith(short)), None)
        if at is None:
            there = any(one.startswith(short) for one in said)
            how = "comes too early" if there else "is missing"
            sentence = f"The heading “{section.capitalize()}” {how}. The four are: "
            sentence += ", ".join(SECTIONS) + ", in this order."
            found.append(Finding("headings", sentence, notebook.name))
            break
        start = at + 1
    count = _references("\n\n".join(cell.source for cell in cells))
    if count < REFERENCES:
        sentence = f"It lists {count} references; at least {REFERENCES} are asked for."
        found.append(Finding("references", sentence, notebook.name))
    return found


def article_cells(notebook: Notebook) -> list[Cell]:
    """The student's own text of the report, without what it asks for."""
    mine = [cell for cell in notebook.cells if cell.kind == "markdown" and not cell.place]
    return [cell for cell in mine if cell.answer or not cell.statement]


def _headings(cells: Sequence[Cell]) -> list[str]:
    return [m[1] for cell in cells for m in re.finditer(r"^#{1,6}\s+(.+)$", cell.source, re.M)]


def _references(text: str) -> int:
    """Entries under a heading "References": list items, `[1]` or paragraphs; or footnotes."""
    parts = re.split(
        r"^#{1,6}\s*(?:[\d.]+\s*)?(?:references|bibliography|literature)\b.*$",
        text,
        flags=re.M | re.I,
    )
    footnotes = len(re.findall(r"^\[\^[^\]]+\]:", text, re.M))
    if len(parts) < 2:
        return footnotes
    listed = re.split(r"^#{1,6}\s", parts[-1], flags=re.M)[0]
    items = len(re.findall(r"^\s*(?:[-*+]|\d+[.)]|\[\d+\])\s+\S", listed, re.M))
    return max(items or len(re.findall(r"\S[^\n]*(?:\n[^\n]+)*", listed)), footnotes)


def is_blank(cell: Cell) -> bool:
    """Nothing was written: the cell is empty, or as it was released."""
    text = without_markers(cell.source).replace(UNANSWERED, "").strip()
    return not text or cell.nbgrader.get("checksum") == _checksum(cell)


def _checksum(cell: Cell) -> str:
    """nbgrader's sum over a cell as it was released (its format, schema 3)."""
    flags = cell.nbgrader
    said = [cell.source, cell.kind, str(flags.get("grade")), str(flags.get("solution"))]
    said += [str(flags.get("locked")), str(flags.get("grade_id"))]
    if flags.get("grade"):
        try:
            said.append(str(float(flags.get("points") or 0)))
        except (TypeError, ValueError, OverflowError):
            return ""  # nbgrader never released it
    return hashlib.md5("".join(said).encode(), usedforsecurity=False).hexdigest()


IMAGE = re.compile(r"!\[[^\[\]]*\]\([^)]{0,4000}\)|<img\b[^<>]*>", re.I)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’.,/-][^\W_]+)*")


def count_words(source: str) -> int:
    """Words of an answer; a formula counts as one, pictures and code as none."""
    text = re.sub(r"^(```|~~~).*?^\1", " ", without_markers(source), flags=re.M | re.S)
    text = IMAGE.sub(" ", text)
    text = MATH.sub(lambda m: m[0] if m.lastgroup == "code" else " formula ", text)
    return len(_WORD.findall(re.sub(r"<[^<>]+>|https?://\S+", " ", text)))


def without_markers(source: str) -> str:
    """An instructor's cell without mark scheme and markers; a student's has none."""
    if re.search(r"^[ \t]*### BEGIN\sSOLUTION", source, re.M):
        source = re.sub(r"^\*\*Mark scheme\*\*.*", "", source, flags=re.M | re.S)
    source = re.sub(
        r"^=== BEGIN\sMARK SCHEME ===.*?(?:^=== END\sMARK SCHEME ===$|\Z)",
        "",
        source,
        flags=re.M | re.S,
    )
    return re.sub(r"^[ \t]*### (?:BEGIN|END) SOLUTION.*\n?", "", source, flags=re.M)


def printed_by(cell: Cell) -> str:
    """What a cell has printed."""
    streams = (one for one in cell.outputs if one.get("output_type") == "stream")
    return "".join(text_of(one.get("text")) for one in streams)


def is_picture(output: dict[str, Any]) -> bool:
    return any(str(kind).startswith("image/") for kind in mapping(output.get("data")))


NO_NETID = (
    'There is no NetID: write it into the cell NETID = "...", between the quotation marks, and '
    "save the notebook (Ctrl+S): what is not saved is not seen here. Or write it into a file netid."
)


def check_people(who: About) -> list[Finding]:
    found = []
    if not who.netids:
        found.append(Finding("netid", NO_NETID))
    found += [Finding("netid-form", sentence) for sentence in doubts(who.netids)]
    if len(who.discussed) > DISCUSSED:
        sentence = f"{len(who.discussed)} people are named as discussed with; at most {DISCUSSED} "
        found.append(Finding("discussed", sentence + "are allowed."))
    return found


PLACEHOLDERS = ("netid", "yournetid", "mynetid", "student", "name", "none", "todo", "x", "xxx")


def doubts(netids: Sequence[str]) -> Iterator[str]:
    """What does not look like a NetID, in sentences. No form is sure: every university has its own.

    A NetID is what somebody logs in with, such as ada1.
    """
    rest = "A NetID is what you log in with, such as ada1."
    word = r"[^\W\d_]+"
    names = [n for n in netids if re.fullmatch(rf"{word}(?:[-'’.]{word})*", n) and n[0].isupper()]
    names = [n for n in names if n.lower() not in PLACEHOLDERS and n != n.upper()]
    if names:
        yield f"“{' '.join(names)}” was taken for a NetID and looks like a name. {rest}"
    for netid in (n for n in netids if n not in names):
        plain = netid.lower()
        if "@" in netid:
            yield (
                f"“{netid}” was taken for a NetID and is an email address; the NetID is often "
                f"what stands before the @: “{plain.partition('@')[0]}”. {rest}"
            )
        elif re.fullmatch(r"[a-z]?\d{6,}", plain):
            yield f"“{netid}” was taken for a NetID and looks like a student number. {rest}"
        elif re.sub(r"[^a-z]", "", plain) in PLACEHOLDERS or not re.fullmatch(
            r"[a-z0-9][a-z0-9._-]{1,31}", plain
        ):
            yield f"“{netid}” was taken for a NetID and does not look like one. {rest}"


def check_groups(notebooks: Sequence[Notebook], who: About) -> list[Finding]:
    """More NetIDs than may hand in a part together."""
    people = len(who.netids)
    sizes = {part: one.group(part) for one in notebooks for part in one.parts}
    alone = [part for part, most in sizes.items() if most < people]
    if people < 2 or not alone:
        return []
    together = [f"{part} by up to {most}" for part, most in sizes.items() if most > 1]
    also = f" May be handed in together: {', '.join(together)}." if together else ""
    sentence = (
        f"{people} NetIDs are named ({', '.join(who.netids)}), too many for {', '.join(alone)}."
        f'{also} A group hands in its notebook by itself: bundle(["NOTEBOOK.ipynb"]).'
    )
    return [Finding("group", sentence)]


def find_names(notebooks: Sequence[Notebook], who: About) -> list[Finding]:
    """Where a name still stands in a notebook that is marked without names."""
    names = names_in(notebooks, who)
    found = []
    for one in notebooks:
        for cell in one.cells:
            text = json.dumps([cell.source, [shown(output) for output in cell.outputs]])
            looked_at = cell.place not in ("about", "hand-in") and not cell.aside
            if looked_at and (seen := names.search(text)):
                sentence = f"{cell.name.capitalize()} shows a name ({seen[0]}); this part is "
                sentence += "marked without names."
                found.append(Finding("name", sentence, one.name, cell.id, cell.question))
    return found


def names_in(notebooks: Sequence[Notebook], who: About) -> re.Pattern[str]:
    """The names by which these people may be known."""
    known = {*who.netids, *who.discussed, *_colab_names(notebooks), *_own_name()}
    words = sorted(word for word in known if len(word) > 2)
    return re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words) or "(?!)", re.I)


def _own_name() -> set[str]:
    try:
        return {getpass.getuser()} - {"root", "jovyan", "runner", "user", "student", "nobody"}
    except (OSError, KeyError, ImportError):
        return set()


def _colab_names(notebooks: Sequence[Notebook]) -> set[str]:
    users = [
        mapping(mapping(c.metadata.get("executionInfo")).get("user"))
        for one in notebooks
        for c in one.cells
    ]
    return {str(user["displayName"]) for user in users if user.get("displayName")}
