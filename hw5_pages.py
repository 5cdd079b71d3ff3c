"""Given to students: sets notebooks as the pages of a PDF, through pandoc and Typst.

    notebook -> cells -> pandoc (texts, formulas, tables) -> Typst -> PDF

Everything comes from pip, without TeX, a browser or the network. What a notebook says is data. In
Typst's source it only ever stands inside string literals, formulas are looked through for code,
pandoc reads without access to files, and pictures come from inside the notebook or from its folder
alone.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bisect
import contextlib
import datetime
import hashlib
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hw5_notebook import (
    ARTICLE,
    ARTICLE_PAGES,
    MATH,
    VERBATIM,
    About,
    Cell,
    Finding,
    Notebook,
    Question,
    ReportError,
    article_cells,
    check_people,
    count_words,
    find_names,
    heading_of,
    is_blank,
    is_picture,
    mapping,
    names_in,
    preflight,
    questions,
    text_of,
    without_markers,
)
from hw5_written import Appendix, Asked, Excerpt, Module, appendix

COURSE = "Deep generative models"
ANONYMOUS = "Anonymous"  # the author of a PDF without names
LINES = (24, 8)  # of a longer output the first and the last are printed
CODE = (400, 40)  # and of the code of a question, or of a file
OUTPUTS = (40, 5)  # the same for the outputs of one cell
ROWS = (40, 10)  # and for the rows of a table that a cell shows
LINE = 1500  # characters of one line of output
FRAGMENT = 100_000  # characters of Markdown or HTML that are still set as such
PIXELS = 60_000_000  # a picture with more dots is not printed
SIDE, WEIGHT = 2000, 3_000_000  # one with longer sides, or more bytes, is made smaller
BOTTOM, SLACK = 779.53, 14.0  # where the text of a page ends; and space around a picture there
WIDTH, HEIGHT = 482.0, 400.0  # points of a page that a picture may fill
SMALLEST, ROUNDS = 0.65, 12  # how far one is shrunk to fit the rest of a page; how often in a row
HOLE, LEAST = 190.0, 0.5  # and how far where it would leave more points of that page empty
PANDOC_SECONDS = 20.0  # of CPU time, for all texts together
MAGICS = {"bash": "bash", "sh": "bash", "html": "html", "javascript": "js", "latex": "latex"}
NESTED = 30  # levels of lists and quotes


@dataclass(frozen=True)
class Printed:
    """A PDF, where its questions are, and what was found on the way."""

    pdf: bytes
    map: dict[str, Any]
    findings: tuple[Finding, ...]


# --- formulas: what MathJax takes, in the words of pandoc's reader

_DEFINITION = re.compile(
    r"\\(?P<how>(?:re|provide)?newcommand\*?|DeclareMathOperator(?P<star>\*?)|def|let)\s*"
    r"(?:\{\s*(?P<braced>\\[A-Za-z]+|\\.)\s*\}|(?P<bare>\\[A-Za-z]+|\\.))"
)
_LIMITS = "\ue002"  # marks an operator with its limits below it on the way through pandoc


def _argument(tex: str, at: int) -> tuple[str, int]:
    """The group, command or letter at `at`, and where it ends."""
    while at < len(tex) and tex[at].isspace():
        at += 1
    if at >= len(tex):
        return "", at
    if tex[at] == "{":
        depth = 0
        for end in range(at, len(tex)):
            escaped = tex[end - 1] == "\\" and tex[end - 2 : end - 1] != "\\"
            depth += 0 if escaped else (tex[end] == "{") - (tex[end] == "}")
            if not depth:
                return tex[at + 1 : end], end + 1
        return tex[at + 1 :], len(tex)
    command = re.compile(r"\\(?:[A-Za-z]+|.)", re.S).match(tex, at)
    return (command[0], command.end()) if command else (tex[at], at + 1)


def _define(tex: str, macros: dict[str, tuple[int, str | None, str]]) -> str:
    """Take the definitions out of a formula and keep them; returns what is left of it."""
    while found := _DEFINITION.search(tex):
        name, end = found["braced"] or found["bare"], found.end()
        count, default = 0, None
        if found["how"] == "def":
            parameters = re.compile(r"(?:#\d)*").match(tex, end)
            count, end = len(parameters[0]) // 2, parameters.end()
        elif found["how"] == "let":
            end = re.compile(r"\s*=?").match(tex, end).end()
        elif number := re.compile(r"\s*\[(\d)\]").match(tex, end):
            count, end = int(number[1]), number.end()
            if optional := re.compile(r"\s*\[([^\]]*)\]").match(tex, end):
                default, end = optional[1], optional.end()
        body, end = _argument(tex, end)
        if found["how"].startswith("Declare"):
            body = rf"\operatorname{found['star']}{{{body}}}"
        macros[name] = (count, default, body)
        tex = tex[: found.start()] + tex[end:]
    return tex


def _expand(tex: str, macros: dict[str, tuple[int, str | None, str]]) -> str:
    """A formula with its macros replaced; one that never ends, or grows too far, stays."""
    if not macros:
        return tex
    names = "|".join(re.escape(name) for name in sorted(macros, key=len, reverse=True))
    known = re.compile(rf"(?:{names})(?![A-Za-z])|\\\\")
    at, steps = 0, 0
    while steps < 500 and len(tex) < 20_000 and (found := known.search(tex, at)):
        if found[0] not in macros:
            at = found.end()
            continue
        count, default, body = macros[found[0]]
        end, given, steps = found.end(), [], steps + 1
        if count and default is not None:
            optional = re.compile(r"\s*\[([^\]]*)\]").match(tex, end)
            given, end = [optional[1] if optional else default], optional.end() if optional else end
        while len(given) < count:
            one, end = _argument(tex, end)
            given.append(one)
        pieces = re.split(r"#(\d)", body)
        pieces[1::2] = [given[int(n) - 1] if 0 < int(n) <= count else "" for n in pieces[1::2]]
        body = "".join(pieces)
        if body.count(r"\begin") == body.count(r"\end") and _paired(body):
            body = f"{{{body}}}"
        tex, at = tex[: found.start()] + body + tex[end:], found.start()
    return tex


def _paired(tex: str) -> bool:
    """Does every delimiter that grows have its other half here?"""
    return len(re.findall(r"\\left\b", tex)) == len(re.findall(r"\\right\b", tex))


_REWRITES = tuple(
    (re.compile(pattern, re.S), new)
    for pattern, new in (
        (r"(?<!\\)%[^\n]*", ""),
        (r"&lt;", "<"),
        (r"&gt;", ">"),
        (r"&amp;", "&"),
        (r"\\(?:label|require|vspace)\*?\s*\{[^{}]*\}", ""),
        (
            r"\\(?:nonumber|notag|displaystyle|textstyle|scriptstyle|limits|nolimits|allowbreak|strut"
            r"|centering|noindent|left\.(?=\s*\\right\.))(?![A-Za-z])",
            "",
        ),
        (r"\\(?:eqref|ref)\s*\{([^{}]*)\}", r"\\text{(\1)}"),
        (r"\\(?:text)?color(?:box)?\s*\{[^{}]*\}", ""),
        (r"\\[hv]?phantom\s*\{[^{}]*\}", r"\\quad "),
        (r"\\smash\s*(?:\[[^\]]*\])?", ""),
        (r"\\href\s*\{[^{}]*\}", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\[dt]binom(?![A-Za-z])", r"\\binom"),
        (r"\\math(?:bbm|ds)(?![A-Za-z])", r"\\mathbb"),
        (r"\\(begin|end)\{dcases\}", r"\\\1{cases}"),
        (r"\\(begin|end)\{(?:math|displaymath|equation)\*?\}", ""),
        (
            r"\\begin\{vmatrix\}(.*?)\\end\{vmatrix\}",
            r"\\left|\\begin{matrix}\1\\end{matrix}\\right|",
        ),
        (
            r"\\begin\{Vmatrix\}(.*?)\\end\{Vmatrix\}",
            r"\\left\\|\\begin{matrix}\1\\end{matrix}\\right\\|",
        ),
        (r"\{\s*\\(bf|rm|it|sf|tt|cal)(?![A-Za-z])\s*([^{}]*)\}", r"{\\math\1{\2}}"),
        (r"\\(?:arg)(max|min)(?![A-Za-z])", r"\\operatorname*{arg\\,\1}"),
        (r"\\operatorname\*\s*\{", rf"\\operatorname{{{_LIMITS}"),
        (r"\\(?:big|Big|bigg|Bigg)[lrm]?(?=\s*\\[^{}])", ""),
        (r"\\left\s*\.(.*?)\\right\s*(\\[}|]|[|\])])", r"\1\\bigg\2"),
        (r"\\newline(?![A-Za-z])", r"\\\\"),
    )
)


def _tidy(tex: str) -> tuple[str, str]:
    """A formula in what pandoc reads of TeX, and its tag."""
    tags: list[str] = []

    def keep(found: re.Match[str]) -> str:
        tags.append(found[1])
        return ""

    tex = re.sub(r"\\tag\*?\s*\{([^{}]*)\}", keep, tex)
    tex = re.sub(r"\\unicode\s*\{x([0-9a-fA-F]{2,4})\}", lambda m: chr(int(m[1], 16)), tex)
    for pattern, new in _REWRITES:
        tex = pattern.sub(new, tex)
    tex = tex.strip()
    bare = re.sub(r"\\begin\{(\w+\*?)\}.*\\end\{\1\}|\\\\?[&%$#]", "", tex, flags=re.S)
    if "\\begin" not in tex and ("&" in bare or "\\\\" in bare):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex, ", ".join(tags)


_TYPST_CODE = re.compile(
    r"#h\(-?[\d.]+em\)|#none\b|(?<=size: )#\d+%|(?<=limits: )#true"
    r"|#box\(stroke: black, inset: 3pt, \[\$|\$\]\)"
)


def _harmless(formula: str) -> bool:
    """No code in a formula of Typst's: `#` starts it, but in texts and where pandoc writes it."""
    at = 0
    while at < len(formula):
        if formula[at] == "\\":
            at += 2
        elif formula[at] == '"':
            end = re.compile(r'"(?:\\.|[^"\\])*"', re.S).match(formula, at)
            if not end:
                return False
            at = end.end()
        elif formula[at] in "#$":
            known = _TYPST_CODE.match(formula, at)
            if not known:
                return False
            at = known.end()
        else:
            at += 1
    return True


_REFERENCE = re.compile(VERBATIM + r"|\\(?P<how>eqref|ref)\s*\{(?P<label>[^{}]*)\}", re.M | re.S)
_NUMBERED = re.compile(r"\\begin\{(equation|align|gather|multline|eqnarray|alignat|flalign)\}")
_INNER = re.compile(
    r"\\begin\{(\w*matrix|\w*cases|array|aligned|gathered|split)\}.*?\\end\{\1\}", re.S
)


@dataclass(frozen=True)
class _Numbers:
    """Numbers of the equations of a notebook that refers to some of them, as MathJax gives them."""

    tags: Mapping[tuple[int, str], str] = field(default_factory=dict)  # by cell and TeX
    labels: Mapping[str, str] = field(default_factory=dict)

    def refer(self, text: str) -> str:
        """A text with numbers in the place of references."""

        def number(found: re.Match[str]) -> str:
            said = self.labels.get(found["label"] or "")
            if found["code"] is not None or said is None:
                return found[0]
            return f"({said})" if found["how"] == "eqref" else said

        return _REFERENCE.sub(number, text)


def _number_equations(notebook: Notebook) -> _Numbers:
    texts = [cell for cell in notebook.cells if cell.kind == "markdown"]
    if not any(found["how"] for cell in texts for found in _REFERENCE.finditer(cell.source)):
        return _Numbers()
    tags: dict[tuple[int, str], str] = {}
    labels: dict[str, str] = {}
    count = 0
    for cell, found in ((one, found) for one in texts for found in MATH.finditer(one.source)):
        whole, given = found["display"] or "", []
        for row, numbered in _equations(whole):
            tag = re.search(r"\\tag\*?\s*\{([^{}]*)\}", row)
            label = re.search(r"\\label\s*\{([^{}]*)\}", row)
            if not (tag or label or numbered):
                continue
            count += not tag
            given.append(tag[1] if tag else str(count))
            if label:
                labels[label[1]] = given[-1]
        if given:
            several = f"{given[0]}–{given[-1]}" if len(given) > 2 else ", ".join(given)
            tags[cell.number, whole] = several
    return _Numbers(tags, labels)


def _equations(tex: str) -> Iterator[tuple[str, bool]]:
    """The equations of a displayed formula, and whether each has a number without asking."""
    found = _NUMBERED.search(tex)
    if not found:
        yield tex, False
        return
    whole = found[1] in ("equation", "multline")
    for row in [tex] if whole else re.split(r"\\\\", _INNER.sub("x", tex)):
        empty = not re.sub(r"\\(?:begin|end)\{[^}]*\}|[$\s]", "", row)
        yield row, not empty and not re.search(r"\\(?:nonumber|notag)(?![A-Za-z])", row)


# --- setting the pages


@dataclass
class _Sheet:
    """What is being set: lines of Typst, with pandoc's share still to be filled in.

    A line is Typst's source, or the number of a fragment that pandoc reads. Formulas and pictures
    may fail in Typst one by one, so each has a line of its own and words that can take its place.
    """

    lines: list[str | int] = field(default_factory=list)
    places: list[tuple[Notebook | None, Cell | None]] = field(default_factory=list)  # of the lines
    fragments: list[dict[str, str]] = field(default_factory=list)
    formulas: list[tuple[str, str, bool]] = field(default_factory=list)  # as written, tidied, alone
    tags: dict[int, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    macros: dict[str, tuple[int, str | None, str]] = field(default_factory=dict)
    numbers: _Numbers = field(default_factory=_Numbers)
    findings: list[Finding] = field(default_factory=list)
    notebook: Notebook | None = None
    cell: Cell | None = None

    def add(self, line: str | int) -> None:
        self.lines.append(line)
        self.places.append((self.notebook, self.cell))

    def back_to(self, line: int) -> Cell | None:
        """Be again where a line came from, so that what is noted is noted there."""
        self.notebook, self.cell = self.places[line]
        return self.cell

    def note(self, kind: str, sentence: str) -> None:
        """Say what is wrong with the cell at hand, once."""
        name, cell = self.notebook.name if self.notebook else "", self.cell
        where = (cell.id or str(cell.number), cell.question) if cell else ("", "")
        found = Finding(kind, sentence, name, *where)
        if found not in self.findings:
            self.findings.append(found)


def print_pdf(
    notebooks: Sequence[Notebook],
    who: About,
    article: bool = False,
    modules: Mapping[str, Module] | None = None,
    judged: Mapping[str, Asked] | None = None,
) -> Printed:
    """Set notebooks one after the other. `article`: only the student's text, continuously.

    modules: the student's files, whose code is printed behind the questions; judged: what each
    question takes from them. Raises ReportError when pandoc or Typst is missing or cannot work at
    all.
    """
    kit = any(one.kit for one in notebooks)
    modules = modules if modules and kit and not article else {}
    sources = {one.name: one.sha256 for one in notebooks}
    sources |= {name: module.sha256 for name, module in modules.items()}
    notebooks = [replace(n, cells=tuple(c for c in n.cells if not c.aside)) for n in notebooks]
    strike = _striking(who) if who.anonymous else lambda value: value
    notebooks = [_struck_out(one, strike) for one in notebooks]
    asked = {key: question for one in notebooks for key, question in questions(one).items()}
    if article:
        asked = {k: q for k, q in asked.items() if k.startswith(f"{ARTICLE}.")}
    code = appendix(asked, modules, judged or {})
    found = [f for one in notebooks if one.kit for f in preflight(one, judged or {})]
    sheet = _Sheet()
    if kit:
        found = check_people(who) + found
        _cover(sheet, notebooks, who, asked, found, article)
    if code.there:
        sheet.add(f"#entry({_str(APPENDIX)}, {_str(APPENDIX)}, {_str('')}, {_str('')})")
    for notebook in notebooks:
        sheet.notebook = notebook
        sheet.macros = {}
        sheet.numbers = _number_equations(notebook)
        if article:
            _set_article(sheet, notebook, asked)
        elif notebook.kit:
            _set_questions(sheet, notebook, asked)
        else:
            _set_plainly(sheet, notebook, who)
    sheet.notebook = sheet.cell = None
    if code.there:
        _set_code(sheet, code, asked, strike)
    pdf, marks = _compile(sheet, notebooks, who, sources)
    head = {
        "title": COURSE if kit else notebooks[0].title,
        "netid": [] if who.anonymous else list(who.netids),
        "notebooks": [{"name": one.name, "sha256": sources[one.name]} for one in notebooks],
        "modules": [{"name": name, "sha256": sources[name]} for name in modules],
    }
    found += _seen_when_set(notebooks, who, code, marks["pages"] if article else 0)
    return Printed(pdf, head | _page_map(marks, asked, code), (*found, *sheet.findings))


def _page_map(
    marks: Mapping[str, Any], asked: Mapping[str, Question], code: Appendix
) -> dict[str, Any]:
    """Where everything is: each question, and its code in the appendix."""
    boxes = marks["boxes"]
    return {
        "pages": marks["pages"],
        "size": marks["size"],
        "questions": [
            {**asdict(question), "boxes": boxes.get(key, [])} for key, question in asked.items()
        ],
        "code": [
            {
                "key": one.question,
                "file": one.file,
                "lines": [[piece.first, piece.last] for piece in one.excerpts],
                "boxes": boxes.get(CODE_OF + one.question, []),
            }
            for one in code.shown
        ],
    }


def _seen_when_set(
    notebooks: Sequence[Notebook], who: About, code: Appendix, pages: int
) -> Iterator[Finding]:
    """A report of so many pages that is too long, and names where there should be none."""
    if pages - 1 > ARTICLE_PAGES:
        sentence = (
            f"The report has {pages - 1} pages besides its cover; {ARTICLE_PAGES} are allowed."
        )
        yield Finding("too-many-pages", sentence, notebooks[0].name)
    if nameless := [one for one in notebooks if one.anonymous or who.anonymous]:
        yield from find_names(nameless, who)
        if not who.anonymous:  # then they are struck out
            yield from _names_in_code(nameless, who, code)


def _striking(who: About) -> Callable[[Any], Any]:
    """What replaces every NetID, in whatever a notebook holds."""
    words = [word for word in (*who.netids, *who.discussed) if len(word) > 2]
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words) or "(?!)", re.I)

    def strike(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub("•••", value)
        if isinstance(value, list):
            return [strike(one) for one in value]
        if isinstance(value, dict):
            return {k: v if "image/" in str(k) else strike(v) for k, v in value.items()}
        return value

    return strike


def _struck_out(notebook: Notebook, strike: Callable[[Any], Any]) -> Notebook:
    cells = [
        replace(cell, source=strike(cell.source), outputs=tuple(map(strike, cell.outputs)))
        for cell in notebook.cells
    ]
    return replace(notebook, cells=tuple(cells))


def _cover(
    sheet: _Sheet,
    notebooks: Sequence[Notebook],
    who: About,
    asked: dict[str, Question],
    findings: Sequence[Finding],
    article: bool,
) -> None:
    """The first page, and where each question is."""
    open_ones = {f.question: f.kind for f in findings if f.kind in ("unanswered", "no-figure")}
    words = {"unanswered": "not answered", "no-figure": "figure missing"}
    title = notebooks[0].title if len(notebooks) == 1 else "Answers and results"
    anonymous = "Anonymous " + notebooks[0].sha256[:8]
    sheet.add(
        f"#cover(course: {_str(COURSE)}, title: {_str(title)}, "
        f"netids: {_array([anonymous] if who.anonymous else who.netids)}, "
        f"discussed: {_array(() if who.anonymous else who.discussed)}, "
        f"sources: {_array(who.sources)}, date: {_str(_day(who.date))}, "
        f"anonymous: {_bool(who.anonymous)})"
    )
    if article:
        return
    for notebook in notebooks:
        listed = [q for q in asked.values() if q.notebook == notebook.name]
        if len(notebooks) > 1 and listed:
            sheet.add(f"#chapter-entry({_str(notebook.title)})")
        for q in listed:
            flag = words.get(open_ones.get(q.key, ""), "")
            sheet.add(f"#entry({_str(q.key)}, {_str(q.title)}, {_str(q.worth)}, {_str(flag)})")


def _day(date: datetime.date | None) -> str:
    months = "January February March April May June July August September October November December"
    return f"{date.day} {months.split()[date.month - 1]} {date.year}" if date else ""


def _set_questions(sheet: _Sheet, notebook: Notebook, asked: dict[str, Question]) -> None:
    """A notebook of the kit: every question starts a page, and all of its cells stand there; what
    is outside flows after the question before it."""
    sheet.add(f"#chapter({_str(notebook.title)})")
    question = ""
    for cell in _by_question(notebook.cells):
        if cell.place in ("about", "hand-in") or _only_imports(cell):
            continue
        sheet.cell = cell
        if cell.question != question:
            if question in asked:
                sheet.add(f"#done({_str(question)})")
            if cell.question in asked:
                q = asked[cell.question]
                sheet.add(f"#question({_str(q.key)}, {_str(q.title)}, {_str(q.worth)})")
            elif question in asked:
                sheet.add("#outside")
            question = cell.question
        if cell.place == "title":
            sheet.cell = replace(cell, source=re.sub(r"\A\s*#\s[^\n]*", "", cell.source))
        _set_cell(sheet, sheet.cell, asked.get(cell.question))
    if question in asked:
        sheet.add(f"#done({_str(question)})")


def _by_question(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of each question together, where the first of them stands."""
    first: dict[str, int] = {}
    places = [
        first.setdefault(cell.question, n) if cell.question else n for n, cell in enumerate(cells)
    ]
    return [cell for _, cell in sorted(zip(places, cells, strict=True), key=lambda pair: pair[0])]


def _only_imports(cell: Cell) -> bool:
    """A cell that imports names, greets, and does nothing else: there is nothing in it to read."""
    if cell.kind != "code" or any(one.get("output_type") == "error" for one in cell.outputs):
        return False
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    greetings = [line for line in body if re.fullmatch(r"hello_\w+\(\)", ast.unparse(line))]
    imports = [line for line in body if isinstance(line, (ast.Import, ast.ImportFrom))]
    return bool(imports) and len(greetings) + len(imports) == len(body)


def _folded(source: str) -> str:
    """Code whose lists of imported names are folded, a line each."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.split("\n")
    for one in reversed([line for line in body if isinstance(line, ast.ImportFrom)]):
        first, last = one.lineno - 1, one.end_lineno or one.lineno
        if last - first > 1:
            lines[first:last] = [f"from {'.' * one.level}{one.module or ''} import …"]
    return "\n".join(lines)


def _set_article(sheet: _Sheet, notebook: Notebook, asked: dict[str, Question]) -> None:
    """The report: the student's text and pictures, on and on."""
    sheet.add("#article()")
    mine, question = article_cells(notebook), ""
    for cell in notebook.cells:
        sheet.cell = cell
        if cell.question != question:
            if question in asked:
                sheet.add(f"#done({_str(question)})")
            if cell.question in asked:
                sheet.add(f"#begin({_str(cell.question)}, {_str(asked[cell.question].title)})")
            question = cell.question
        if cell in mine and not is_blank(cell):
            _markdown(sheet, cell, without_markers(cell.source))
        for output in () if cell.place else cell.outputs:
            if is_picture(output) or "text/html" in mapping(output.get("data")):
                _rich(sheet, mapping(output.get("data")), mapping(output.get("metadata")))
    if question in asked:
        sheet.add(f"#done({_str(question)})")


APPENDIX = "Appendix: the code"
CODE_OF = "code:"  # begins the key of a question's code among the marks


def _set_code(
    sheet: _Sheet, code: Appendix, asked: Mapping[str, Question], strike: Callable[[str], str]
) -> None:
    """The appendix: what the student wrote in the modules, question by question."""
    sheet.add(f"#appendix({_str(APPENDIX)}, {_array(map(strike, code.notes))})")
    sheet.add("#columns(2, gutter: 10mm)[")
    for name in (*(one.question for one in code.shown), *(one.name for one in code.whole)):
        sheet.add(f"#entry({_str(CODE_OF + name)}, {_str(name)}, {_str('')}, {_str('')})")
    sheet.add("]")
    for one in code.shown:
        question = asked[one.question]
        key = CODE_OF + one.question
        sheet.add(f"#code-head({_str(key)}, {_str(question.key)}, {_str(question.title)})")
        for piece in one.excerpts:
            sheet.add(f"#source({_str(f'{one.file}, {_lines(piece)}')})")
            sheet.add(f"#code({_str(strike(_with_head(piece)))}, {_str('python')})")
        sheet.add(f"#done({_str(key)})")
    for module in code.whole:
        sheet.add(f"#code-head({_str(CODE_OF + module.name)}, {_str(module.name)}, {_str('')})")
        text = text_of(_trimmed("\n".join(module.lines), CODE))
        sheet.add(f"#code({_str(strike(text))}, {_str('python')})")
        sheet.add(f"#done({_str(CODE_OF + module.name)})")


def _names_in_code(notebooks: Sequence[Notebook], who: About, code: Appendix) -> Iterator[Finding]:
    """Where a name stands in the code of a part that is marked without names."""
    names = names_in(notebooks, who)
    parts = {part for one in notebooks for part in one.anonymous}
    for one in (one for one in code.shown if one.question.partition(".")[0] in parts):
        for piece in one.excerpts:
            if seen := names.search(piece.text):
                line = piece.first + piece.text[: seen.start()].count("\n")
                sentence = f"{one.file}, line {line}, shows a name ({seen[0]}); this part is "
                yield Finding("name", sentence + "marked without names.", question=one.question)


def _lines(piece: Excerpt) -> str:
    many = piece.last > piece.first
    return f"lines {piece.first} to {piece.last}" if many else f"line {piece.first}"


def _with_head(piece: Excerpt) -> str:
    """A piece of code below the definition that it stands in."""
    room = len(piece.text) - len(piece.text.lstrip())
    above = f"{piece.head}\n{' ' * room}…\n" if piece.head else ""
    return text_of(_trimmed(above + piece.text, CODE))


def _set_plainly(sheet: _Sheet, notebook: Notebook, who: About) -> None:
    """Any other notebook: its title, then cell by cell."""
    names = () if who.anonymous else who.netids
    title = "" if notebook.heading else notebook.title
    sheet.add(f"#opening({_str(title)}, {_array(names)}, {_str(_day(who.date))})")
    for cell in notebook.cells:
        sheet.cell = cell
        _set_cell(sheet, cell, None)


def _set_cell(sheet: _Sheet, cell: Cell, question: Question | None) -> None:
    source = cell.source.strip("\n")
    if cell.kind == "markdown":
        source = without_markers(source)
        if question and heading_of(source):
            source = source.lstrip()[heading_of(source).end() :]  # it stands above the page already
        if cell.nbgrader.get("locked"):
            source = re.sub(r"<details>.*?</details>", "", source, flags=re.S)  # hints
        if cell.answer:
            limit = cell.hw5.get("words")
            words = f"{count_words(cell.source)} of {limit} words" if isinstance(limit, int) else ""
            sheet.add(f"#answer({_str(words)})[")
            if is_blank(cell):
                sheet.add("#unanswered")
            else:
                _markdown(sheet, cell, source)
            sheet.add("]")
        elif cell.nbgrader.get("locked"):
            sheet.add("#statement[")
            _markdown(sheet, cell, source)
            sheet.add("]")
        else:
            _markdown(sheet, cell, source)
    elif cell.kind == "code":
        language = sheet.notebook.language if sheet.notebook else "python"
        magic = re.match(r"%%(\w+)", source)
        if magic:
            language = MAGICS.get(magic[1], language)
        if source.strip() and cell.place != "setup" and not _is_check(cell):
            kit = sheet.notebook is not None and sheet.notebook.kit
            shown = _folded(source) if kit else source
            sheet.add(f"#code({_str(shown)}, {_str(language)})")
        _outputs(sheet, cell)
    elif source.strip():
        sheet.add(f"#plain({_str(_trimmed(source))})")


def _is_check(cell: Cell) -> bool:
    """A given cell that runs visible checks, and says so itself."""
    return bool(cell.nbgrader.get("locked")) and cell.id.endswith("--check")


# Of what is printed, what is for the student alone: in every cell, and by visible checks.
_GREETING = re.compile(r"^(?:Hello from hw5_\w+\.py!|hw5_\w+\.py last edited on .*)\n?", re.M)
_ADVICE = re.compile(
    r"^ +marked unseen: [^\n]*\n|Most mistakes show here, but not\s+all.*", re.M | re.S
)


# --- Markdown and HTML, read by pandoc

_DATA_URI = re.compile(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=%]+)")
_FORMATS = {
    "markdown": "commonmark+pipe_tables+strikeout+footnotes+task_lists+autolink_bare_uris+raw_html",
    "html": "html",
    "latex": "latex",
}


def _markdown(sheet: _Sheet, cell: Cell, text: str) -> None:
    """Hand a text to pandoc, its formulas and its built-in pictures taken out before."""
    if not text.strip():
        return
    text = _DATA_URI.sub(lambda m: _kept(sheet, m[1], m[2]), text)
    if len(text) > FRAGMENT:
        sheet.note("too-long-text", f"{cell.name.capitalize()} is too long to be set as Markdown.")
        sheet.add(f"#plain({_str(_trimmed(text))})")
        return
    text = _EMBEDDED.sub(lambda found: _embedded(sheet, found), text)
    text = sheet.numbers.refer(MATH.sub(lambda m: _formula_of(sheet, m), text))
    sheet.add(_fragment(sheet, "markdown", text + "\n"))  # a table must end with its line


def _fragment(sheet: _Sheet, kind: str, text: str) -> int:
    sheet.fragments.append({"format": _FORMATS[kind], "text": text})
    return len(sheet.fragments) - 1


def _kept(sheet: _Sheet, kind: str, text: str) -> str:
    """Keep a picture that stands in the text itself; brings the name under which it is known."""
    name = f"data:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name not in sheet.pictures:
        sheet.pictures[name] = json.dumps([kind, text]).encode()
    return name


def _formula_of(sheet: _Sheet, found: re.Match[str]) -> str:
    """Put a number where a formula was; code stays, and definitions are kept for what follows."""
    whole = found[0]
    if found["code"] is not None or found["escaped"] is not None:
        return whole
    if found["define"] is not None:
        _define(whole, sheet.macros)
        return ""
    tex = whole
    alone = found["display"] is not None
    for opening, closing in (
        ("$$", "$$"),
        ("$", "$"),
        (r"\\[", r"\\]"),
        (r"\[", r"\]"),
        (r"\\(", r"\\)"),
        (r"\(", r"\)"),
    ):
        if tex.strip().startswith(opening) and found["env"] is None:
            tex = tex.strip()
            tex = tex[len(opening) : len(tex) - len(closing)]
            if opening[0] == "\\" and len(tex) > 1 and not re.search(r"[\\^_={}+<>]", tex):
                return whole  # brackets that were only escaped
            break
    return _formula(sheet, whole, tex, alone)


def _formula(sheet: _Sheet, whole: str, tex: str, alone: bool) -> str:
    tex = sheet.numbers.refer(_expand(_define(tex, sheet.macros), sheet.macros))
    tidied, tag = _tidy(tex)
    if not tidied:
        return ""
    if tag := sheet.numbers.tags.get((sheet.cell.number if sheet.cell else 0, whole), tag):
        sheet.tags[len(sheet.formulas)] = tag
    sheet.formulas.append((whole, tidied, alone))
    return f"\ue000{len(sheet.formulas) - 1}\ue001"


_LUA = r"""
-- Reads texts and formulas in JSON; writes pandoc's trees and Typst's formulas. `{}` means that
-- the readers work without files. Text with HTML in it is read a second time as HTML.
local asked = pandoc.json.decode(io.read('a'), false)
local trees = {}

local function has_html(doc)
  local found = false
  local function look(raw) found = found or raw.format == 'html' end
  doc:walk {RawInline = look, RawBlock = look}
  return found
end

local function as_html(doc)
  local notes = {}
  doc = doc:walk {Note = function(note)
    notes[#notes + 1] = note
    return pandoc.Span({}, {['data-note'] = tostring(#notes)})
  end}
  doc = pandoc.read(pandoc.write(doc, 'html'), 'html', {}, {})
  return doc:walk {Span = function(span)
    return notes[tonumber(span.attributes.note)]
  end}
end

for i, text in ipairs(asked.fragments) do
  local ok, tree = pcall(function()
    local doc = pandoc.read(text.text, text.format, {}, {})
    if text.format:find('^commonmark') and has_html(doc) then doc = as_html(doc) end
    return pandoc.write(doc, 'json')
  end)
  trees[i] = ok and tree or ''
end

-- One page of formulas: a page each would take pandoc four times as long.
local page = {}
for _, tex in ipairs(asked.formulas) do
  page[#page + 1] = pandoc.Para {pandoc.Math('DisplayMath', tex)}
  page[#page + 1] = pandoc.RawBlock('typst', asked.between)
end
local formulas = pandoc.write(pandoc.Pandoc(page), 'typst')
io.write(pandoc.json.encode {trees = trees, formulas = formulas})
"""


def _pandoc() -> str:
    """Where pandoc is: in the package pypandoc_binary, or on the machine."""
    package = importlib.util.find_spec("pypandoc")
    for folder in (package.submodule_search_locations or []) if package else []:
        for name in ("pandoc", "pandoc.exe"):
            if (Path(folder) / "files" / name).is_file():
                return str(Path(folder) / "files" / name)
    if found := shutil.which("pandoc"):
        return found
    raise ReportError("pandoc is missing: pip install pypandoc_binary")


def _read(
    fragments: Sequence[dict[str, str]], formulas: Sequence[str], seconds: float = PANDOC_SECONDS
) -> tuple[list[Any], list[str]]:
    """Trees of texts and Typst's formulas; None and "" for those that pandoc cannot read.

    One process reads them all. Where it does not end well, each half gets one of its own.
    """
    if not fragments and not formulas:
        return [], []
    given = {"fragments": list(fragments), "formulas": list(formulas)}
    between = hashlib.sha256(json.dumps(given).encode()).hexdigest()  # stands in no formula
    asked = json.dumps({**given, "between": between}).encode()
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        script = Path(folder, "read.lua")
        script.write_text(_LUA, encoding="utf-8")
        try:
            command = [_pandoc(), "+RTS", "-M1g", "-RTS", "lua", str(script)]
            answer = json.loads(_bounded(command, asked, folder, seconds))
            written = answer["formulas"].split(between)[: len(formulas)]
            return list(map(_tree, answer["trees"])), list(map(_converted, written))
        except (subprocess.SubprocessError, ValueError, RecursionError):
            pass
    if len(fragments) + len(formulas) == 1:
        return [None] * len(fragments), [""] * len(formulas)
    half, middle = len(fragments) // 2, len(formulas) // 2
    if len(fragments) == 1:
        half = 1  # the formulas by themselves
        middle = 0
    halves = [
        _read(fragments[:half], formulas[:middle], max(seconds / 2, 2)),
        _read(fragments[half:], formulas[middle:], max(seconds / 2, 2)),
    ]
    return halves[0][0] + halves[1][0], halves[0][1] + halves[1][1]


def _bounded(command: Sequence[str], asked: bytes, folder: str, seconds: float) -> bytes:
    """What a program writes within so many CPU seconds, or ten times as many on the clock."""
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if sys.platform == "linux":  # elsewhere the clock alone, on which a busy machine is slow
            import resource

            with contextlib.suppress(PermissionError):  # in a sandbox, which has bounds of its own
                most = (round(seconds), round(seconds))
                resource.prlimit(process.pid, resource.RLIMIT_CPU, most)
        try:
            said, _ = process.communicate(asked, timeout=10 * seconds)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise subprocess.SubprocessError(f"it ended with {process.returncode}")
    return said


def _tree(text: str) -> list[Any] | None:
    try:
        return json.loads(text)["blocks"]
    except (ValueError, RecursionError, KeyError):
        return None


def _converted(text: str) -> str:
    """Typst's formula between its dollar signs, or "" where pandoc gave TeX back."""
    text = text.strip()
    text = re.sub(r"<[\w:.-]*>$", "", text)
    if not (text.startswith("$") and text.endswith("$") and len(text) > 2):
        return ""
    text = re.sub(rf'"{_LIMITS}([^"\\]*)"', r'op("\1", limits: #true)', text[1:-1].strip())
    text = text.replace(_LIMITS, "").replace('delim: "||"', 'delim: "‖"')
    text = re.sub(r"#scale\(x: (\d+)%, y: \d+%\)\[\\?(.)\]", r"lr(size: #\1%, \\\2)", text)
    text = re.sub(r"\b(dot|times|plus|minus|dash)\.circle\b", r"\1.o", text)  # renamed in Typst
    return text if _harmless(text) else ""


def _str(text: object) -> str:
    """A string literal of Typst, without what a terminal alone understands."""
    said = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", str(text))
    said = said.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + said.replace("\n", "\\n") + '"'


def _array(items: Iterable[str]) -> str:
    return "(" + "".join(f"{_str(item)}, " for item in items) + ")"


def _long(text: str) -> bool:
    """Has it a word that a line may not hold?"""
    return any(len(word) >= 40 for word in text.split())


def _bool(value: bool) -> str:
    return "true" if value else "false"


class _Writer:
    """Writes pandoc's tree as Typst code; every word of the notebook in a string literal."""

    def __init__(self, sheet: _Sheet, cell: Cell | None) -> None:
        self.sheet, self.cell, self.depth = sheet, cell, 0

    def blocks(self, blocks: Sequence[dict[str, Any]]) -> str:
        self.depth += 1
        if self.depth > NESTED:
            written = f"plain({_str(self.words(blocks))})"
        else:
            written = "\n".join(filter(None, map(self.block, blocks)))
        self.depth -= 1
        return written

    def block(self, block: dict[str, Any]) -> str:
        kind, content = block["t"], block.get("c")
        write = getattr(self, f"_{kind.lower()}", None)
        return write(content) if write else ""

    def inlines(self, inlines: Sequence[dict[str, Any]]) -> str:
        """A block of code whose pieces join: strings, calls and formulas, one a line."""
        pieces: list[str] = []
        text = ""
        for inline in inlines:
            kind, content = inline["t"], inline.get("c")
            if kind == "Str":
                text += content
            elif kind in ("Space", "SoftBreak"):
                text += " "
            elif kind == "Quoted":
                marks = "‘’" if content[0]["t"] == "SingleQuote" else "“”"
                pieces += [*self._string(text + marks[0]), self.inlines(content[1])]
                text = marks[1]
            elif write := getattr(self, f"_i_{kind.lower()}", None):
                pieces += [*self._string(text), write(content)]
                text = ""
        pieces += self._string(text)
        return "{\n" + "\n".join(piece for piece in pieces if piece) + "\n}"

    def _string(self, text: str) -> list[str]:
        """Text, and the formulas that stand in it."""
        pieces = re.split("\ue000(\\d+)\ue001", text)
        written = [
            (f"any-word({_str(piece)})" if _long(piece) else _str(piece))
            if i % 2 == 0
            else self._maths(int(piece))
            for i, piece in enumerate(pieces)
            if piece
        ]
        return written

    def _maths(self, number: int) -> str:
        if number >= len(self.sheet.formulas):
            return ""
        tag = self.sheet.tags.get(number, "")
        how = (
            f"display({number}, {_str(tag)}, "
            if self.sheet.formulas[number][2]
            else (f"inline({number}, ")
        )
        return f"{how}\ue003{number}\ue001)"

    def words(self, tree: Any) -> str:
        """All words below a node."""
        if isinstance(tree, dict):
            if tree.get("t") in ("Str", "Space", "SoftBreak", "LineBreak"):
                return tree.get("c") or " "
            if tree.get("t") in ("Code", "CodeBlock", "Math", "RawInline", "RawBlock"):
                return str(tree["c"][-1])
            return self.words(tree.get("c", ""))
        # Not by recursion alone: a tree may be deeper than Python's stack.
        if isinstance(tree, list):
            return "".join(self.words(one) for one in tree)
        return ""

    def restored(self, text: str) -> str:
        """Text in which formulas are as they were written."""
        formulas = self.sheet.formulas
        return re.sub(
            "\ue000(\\d+)\ue001",
            lambda m: formulas[int(m[1])][0] if int(m[1]) < len(formulas) else "",
            text,
        )

    def _para(self, content: list[Any]) -> str:
        image = content[0] if len(content) == 1 and content[0]["t"] == "Image" else None
        if image:
            return self._picture(image["c"], alone=True)
        word = next((one["c"] for one in content if one["t"] == "Str"), "")
        turned = "turned: true, " if _right_to_left(word) else ""
        return f"paragraph({turned}{self.inlines(content)})"

    def _plain(self, content: list[Any]) -> str:
        return (
            self._para(content)
            if content and content[0]["t"] == "Image"
            else (self.inlines(content))
        )

    def _header(self, content: list[Any]) -> str:
        return f"title({content[0]}, {self.inlines(content[2])})"

    def _codeblock(self, content: list[Any]) -> str:
        classes = [name for name in content[0][1] if name != "sourceCode"]
        return f"code({_str(self.restored(content[1]))}, {_str(classes[0] if classes else '')})"

    def _lineblock(self, content: list[Any]) -> str:
        lines = "\nlinebreak()\n".join(map(self.inlines, content))
        return f"paragraph({{\n{lines}\n}})"

    def _rawblock(self, content: list[Any]) -> str:
        return ""

    def _blockquote(self, content: list[Any]) -> str:
        return f"quotation({{\n{self.blocks(content)}\n}})"

    def _items(self, items: list[Any]) -> str:
        return "".join(f"{{\n{self.blocks(item)}\n}},\n" for item in items)

    def _bulletlist(self, content: list[Any]) -> str:
        return f"list(tight: {self._tight(content)},\n{self._items(content)})"

    def _orderedlist(self, content: list[Any]) -> str:
        start, style = content[0][0], content[0][1]["t"]
        shape = {"LowerAlpha": "a", "UpperAlpha": "A", "LowerRoman": "i", "UpperRoman": "I"}
        shown = _str(shape.get(style, "1") + ".")
        tight = self._tight(content[1])
        start = min(max(start, 0), 10**9)
        return (
            f"enum(start: {start}, numbering: {shown}, tight: {tight},\n{self._items(content[1])})"
        )

    def _tight(self, items: list[Any]) -> str:
        return _bool(all(not item or item[0]["t"] == "Plain" for item in items))

    def _definitionlist(self, content: list[Any]) -> str:
        rows = [
            f"terms.item({self.inlines(term)}, {{\n"
            + "\n".join(self.blocks(definition) for definition in definitions)
            + "\n}),\n"
            for term, definitions in content
        ]
        return f"terms({''.join(rows)})"

    def _horizontalrule(self, content: None) -> str:
        return "rule"

    def _div(self, content: list[Any]) -> str:
        return self.blocks(content[1])

    def _figure(self, content: list[Any]) -> str:
        caption = self.blocks(content[1][1])
        return self.blocks(content[2]) + (f"\ncaption({{\n{caption}\n}})" if caption else "")

    def _table(self, content: list[Any]) -> str:
        _, caption, columns, head, bodies, foot = content
        width = len(columns)
        if not 0 < width <= 80:
            return f"plain({_str(self.words(content))})"
        aligned = {"AlignLeft": "left", "AlignRight": "right", "AlignCenter": "center"}
        shape = "".join(f"{aligned.get(column[0]['t'], 'start')}, " for column in columns)
        rows = [row for body in bodies for row in (*body[2], *body[3])] + foot[1]
        first, last = ROWS
        cut = ""
        if len(rows) > first + last + 1:
            cut = f"{len(rows) - first - last:,} rows left out"
            rows = [*rows[:first], None, *rows[-last:]]
        cells = "".join(self._row(row, width) for row in rows)
        top = "".join(self._row(row, width) for row in head[1])
        written = f"grid-of({width}, ({shape}), ({top}), ({cells}), {_str(cut)})"
        said = self.blocks(caption[1])
        return written + (f"\ncaption({{\n{said}\n}})" if said else "")

    def _row(self, row: list[Any] | None, width: int) -> str:
        if row is None:  # here some are left out
            return "none,\n"
        written, used = "", 0
        for _, align, down, across, blocks in row[1]:
            across = min(across, width - used)
            if across < 1:
                break
            used += across
            where = {"AlignLeft": "left", "AlignRight": "right", "AlignCenter": "center"}
            about = f"down: {max(down, 1)}, align: {where.get(align['t'], 'auto')}"
            written += f"({about}, body: {{\n{self.blocks(blocks)}\n}}),\n"
            written += "auto,\n" * (across - 1)  # columns that it spans
        return f"(\n{written}),\n"

    def _i_emph(self, content: list[Any]) -> str:
        return f"emph({self.inlines(content)})"

    def _i_strong(self, content: list[Any]) -> str:
        return f"strong({self.inlines(content)})"

    def _i_underline(self, content: list[Any]) -> str:
        return f"underline({self.inlines(content)})"

    def _i_strikeout(self, content: list[Any]) -> str:
        return f"strike({self.inlines(content)})"

    def _i_superscript(self, content: list[Any]) -> str:
        return f"super({self.inlines(content)})"

    def _i_subscript(self, content: list[Any]) -> str:
        return f"sub({self.inlines(content)})"

    def _i_smallcaps(self, content: list[Any]) -> str:
        return f"smallcaps({self.inlines(content)})"

    def _i_cite(self, content: list[Any]) -> str:
        return self.inlines(content[1])

    def _i_code(self, content: list[Any]) -> str:
        source = self.restored(content[1])
        return f"{'any-code' if _long(source) else 'raw'}({_str(source)})"

    def _i_math(self, content: list[Any]) -> str:
        return f"raw({_str(content[1])})"

    def _i_linebreak(self, content: None) -> str:
        return "linebreak()"

    def _i_span(self, content: list[Any]) -> str:
        return self.inlines(content[1])

    def _i_note(self, content: list[Any]) -> str:
        return f"footnote({{\n{self.blocks(content)}\n}})"

    def _i_link(self, content: list[Any]) -> str:
        address, text = self.restored(content[2][0]), self.inlines(content[1])
        if re.match(r"(?:https?://|mailto:)[^\s]{1,2000}$", address):
            return f"link({_str(address)}, {text})"
        return text

    def _i_image(self, content: list[Any]) -> str:
        return self._picture(content, alone=False)

    def _picture(self, content: list[Any], alone: bool) -> str:
        """A picture in the notebook or beside it; of one from elsewhere its address is printed."""
        attributes, words, (address, _) = content
        cell, sheet = self.cell, self.sheet
        where = cell.name if cell else "this notebook"
        name = ""
        if address.startswith("attachment:"):
            import urllib.parse

            wanted = address.removeprefix("attachment:")
            held = mapping(cell.attachments if cell else None)
            found = mapping(held.get(wanted) or held.get(urllib.parse.unquote(wanted)))
            kinds = [(k, v) for k, v in found.items() if str(k).startswith("image/")]
            if kinds:
                name = _picture_file(sheet, *kinds[0], _width_asked(attributes))
            else:
                sheet.note("picture", f"The picture {wanted} is missing from {where}.")
        elif address in sheet.pictures:
            kind, data = json.loads(sheet.pictures[address])
            name = _picture_file(sheet, kind, data, _width_asked(attributes))
        elif found := _beside(sheet.notebook, address):
            name = _picture_file(sheet, *found, _width_asked(attributes))
        else:
            sentence = (
                f"The picture {address[:80]} in {where} is not there, and the PDF shows only "
                "what is inside the notebook or in its folder: drag the file into the cell instead."
            )
            sheet.note("picture", sentence)
        if not name and re.match(r"https?://[^\s]{1,2000}$", address):
            return f"elsewhere({_str(self.restored(self.words(words)))}, {_str(address)})"
        if not name:
            said = self.words(words) or address[:80]
            return f"missing({_str('picture not in the notebook: ' + self.restored(said))})"
        written = f"picture({name})" if alone else f"small-picture({name})"
        caption = self.words(words).strip()
        told = len(caption.split()) > 2
        return f"{written}\ncaption({self.inlines(words)})" if alone and told else written


_KINDS = {"jpg": "jpeg", "svg": "svg+xml"} | {name: name for name in ("png", "jpeg", "gif", "webp")}


def _beside(notebook: Notebook | None, address: str) -> tuple[str, str] | None:
    """Kind and content of a picture in the notebook's folder, or below it; None for all others."""
    import urllib.parse

    if not notebook or not notebook.folder:
        return None
    folder = notebook.folder.resolve()
    try:
        path = (folder / urllib.parse.unquote(address)).resolve()  # whatever a link points to
        kind = _KINDS.get(path.suffix.lower().removeprefix("."))
        if not kind or not path.is_relative_to(folder) or not path.is_file():
            return None
        if path.stat().st_size > 10 * WEIGHT:
            return None
        return f"image/{kind}", base64.b64encode(path.read_bytes()).decode()
    except (OSError, ValueError, RuntimeError):
        return None


def _right_to_left(word: str) -> bool:
    strong = (unicodedata.bidirectional(letter) for letter in word)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def _width_asked(attributes: list[Any]) -> float | None:
    """The width that an `img` element asks for, in pixels; a share of the page where it says so."""
    said = dict(attributes[2]).get("width", "") if attributes else ""
    style = re.search(r"width:\s*([\d.]+(?:px|%))", dict(attributes[2]).get("style", ""))
    number = re.fullmatch(r"([\d.]{1,6})(px|%)?", style[1] if style else said)
    if not number or number[1].count(".") > 1 or number[1] == ".":
        return None
    return float(number[1]) * (WIDTH / 60 if number[2] == "%" else 1.0)


# --- outputs

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BAR = re.compile(
    r"^.{0,80}?\d{1,3}%\|.*\|\s*[\d.,]+\w*/.*$"  # tqdm
    r"|^\s*\d{1,3}(?:\.\d+)?%\s*(?:\[[=> .#-]*\].*)?$"  # downloads
    r"|^.{0,80}?(?:\d+it|0it) \[[\d:]+.*\]$"
    r"|^\s*[━╸╺ ]{10,}.*$"  # pip and rich
)
_WIDGET = re.compile(
    r"^(?:HBox|VBox|FloatProgress|IntProgress|Output)\(|^<IPython\.(?:core|lib)\.display\."
)
_PICTURE_KINDS = ("image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif")


def _outputs(sheet: _Sheet, cell: Cell) -> None:
    outputs = list(_merged(cell.outputs))
    first, last = OUTPUTS
    for number, output in enumerate(outputs):
        if len(outputs) > first + last and first <= number < len(outputs) - last:
            if number == first:
                sheet.add(f"#left-out({_str(f'{len(outputs) - first - last:,} outputs left out')})")
            continue
        kind = output.get("output_type")
        if kind == "stream":
            text = _terminal(text_of(output.get("text")))
            text = _GREETING.sub("", text).strip("\n")
            if _is_check(cell):
                text = _ADVICE.sub("", text).strip()
            if text:
                sheet.add(
                    f"#printed({_str(_trimmed(text))}, {_bool(output.get('name') == 'stderr')})"
                )
        elif kind == "error":
            sheet.add(f"#failed({_str(_traceback(output))})")
        else:
            _rich(sheet, mapping(output.get("data")), mapping(output.get("metadata")))


def _merged(outputs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Outputs, with what one stream printed in pieces put together."""
    before: dict[str, Any] | None = None
    for output in outputs:
        stream = output.get("output_type") == "stream"
        if stream and before and before.get("name") == output.get("name"):
            before["text"] += text_of(output.get("text"))
            continue
        if before:
            yield before
        before = {**output, "text": text_of(output.get("text"))} if stream else None
        if not stream:
            yield output
    if before:
        yield before


def _terminal(text: str) -> str:
    """What a terminal would still show: no escape codes, nothing overwritten, no progress bars."""
    lines = []
    for line in _ESCAPE.sub("", text).split("\n"):
        shown = line.rstrip("\r").rsplit("\r", 1)[-1]
        while (shorter := re.sub("[^\x08]\x08", "", shown)) != shown:
            shown = shorter
        if not _BAR.match(shown) and (shown.strip() or "\r" not in line):
            lines.append(shown.rstrip())
    return "\n".join(lines).strip("\n")


def _trimmed(text: str, kept: tuple[int, int] = LINES) -> str:
    """The first and the last lines of a long text, and how much lies between."""
    lines = [
        line if len(line) <= LINE else f"{line[:LINE]} … {len(line) - LINE:,} characters left out"
        for line in text.split("\n")
    ]
    first, last = kept
    if len(lines) > first + last + 1:
        between = f"… {len(lines) - first - last:,} lines left out …"
        lines = [*lines[:first], between, *lines[-last:]]
    return "\n".join(lines)


def _traceback(output: dict[str, Any]) -> str:
    lines = output.get("traceback")
    said = "\n".join(map(text_of, lines)) if isinstance(lines, list) else text_of(lines)
    said = said or f"{text_of(output.get('ename'))}: {text_of(output.get('evalue'))}"
    return _trimmed(_ESCAPE.sub("", said).strip("\n"))


def _rich(sheet: _Sheet, data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """The form of an output that a page can show best, or what it was."""
    latex, html = text_of(data.get("text/latex")), text_of(data.get("text/html"))
    plain = _terminal(text_of(data.get("text/plain")))
    if latex.strip() and len(latex) < FRAGMENT:
        _latex(sheet, latex.strip())
        return
    for kind in _PICTURE_KINDS:
        if kind in data:
            size = mapping(metadata.get(kind)).get("width")
            name = _picture_file(sheet, kind, data[kind], float(size) if _number(size) else None)
            sheet.add(f"#picture({name})" if name else '#missing("a picture that is damaged")')
            return
    if "text/markdown" in data and sheet.cell:
        _markdown(sheet, sheet.cell, text_of(data["text/markdown"]))
        return
    if frames := _FRAME.findall(html):
        name = _picture_file(sheet, frames[-1][0], frames[-1][1].replace("\\", ""), None)
        sheet.add(f"#picture({name})" if name else '#missing("a picture that is damaged")')
        said = f"the last of {len(frames)} pictures of an animation"
        sheet.add(f"#left-out({_str(said)})")
        return
    if interactive := _interactive(data, html, plain):
        _unshown(sheet, interactive)
        return
    seen = _EMBEDDED.sub(lambda found: _embedded(sheet, found), _UNSEEN.sub(" ", html))
    seen = _INLINE_SVG.sub(lambda m: f'<img src="{_kept(sheet, "image/svg+xml", m[0])}">', seen)
    if seen and (tidied := _printable(seen)) and len(tidied) < FRAGMENT:
        tidied = _DATA_URI.sub(lambda m: _kept(sheet, m[1], m[2]), tidied)
        sheet.add(_fragment(sheet, "html", tidied))
    elif plain and not _WIDGET.match(plain):
        sheet.add(f"#printed({_str(_trimmed(plain))}, false)")
    elif len(html) > 200:
        _unshown(sheet, "an interactive output")


# What each kind of interactive output is known by, in its formats or in its HTML.
_INTERACTIVE = {
    "an interactive figure (plotly)": r"^application/vnd\.plotly|plotly-graph-div|Plotly\.newPlot",
    "an interactive figure (Vega)": r"^application/vnd\.vega|vegaEmbed\(",
    "an interactive figure (Bokeh)": r"^application/vnd\.bokehjs_exec|\bdata-root-id=",
    "an interactive map": r"Make this Notebook Trusted to load map",
    "a widget": r"^application/vnd\.jupyter\.widget-view",
}
_FRAME = re.compile(r"frames\[\d+\]\s*=\s*[\"']data:(image/[\w.+-]+);base64,([^\"']+)")  # to_jshtml
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
_EMBEDDED = re.compile(
    VERBATIM
    + r"|<(?P<tag>video|audio|iframe)\b(?P<said>[^>]*)>(?P<inside>.*?(?:</(?P=tag)\s*>|\Z))",
    re.M | re.S | re.I,
)
_INLINE_SVG = re.compile(r"<svg\b(?=[^>]*\bxmlns=)[^>]*>.*?</svg\s*>", re.S | re.I)


def _interactive(data: Mapping[str, Any], html: str, plain: str) -> str:
    """What only a browser with a kernel shows, in words; "" for all else, and for progress bars."""
    known = [*data, html]
    found = (name for name, how in _INTERACTIVE.items() if any(re.search(how, k) for k in known))
    said = next(found, "")
    return "" if said == "a widget" and (not plain or _WIDGET.match(plain)) else said


def _embedded(sheet: _Sheet, found: re.Match[str]) -> str:
    """Words in the place of a video, a sound or another page, with its address."""
    if found["code"] is not None:
        return found[0]
    name = {"video": "a video", "audio": "a sound", "iframe": "another page"}[found["tag"].lower()]
    address = re.search(
        r"""\bsrc\s*=\s*["']?(https?://[^\s"'<>]+)""", found["said"] + found["inside"]
    )
    _tell_unshown(sheet, name)
    return f"<em>… {name}{f': {address[1]}' if address else ''} …</em>"


def _unshown(sheet: _Sheet, what: str) -> None:
    """Say on the page what stands there, and to the student that nobody will see it."""
    _tell_unshown(sheet, what)
    sheet.add(f"#left-out({_str(what + ', which a page cannot show')})")


def _tell_unshown(sheet: _Sheet, what: str) -> None:
    where = sheet.cell.name.capitalize() if sheet.cell else "A cell"
    sentence = f"{where} holds {what}, which a page cannot show: if it matters, show a picture too."
    sheet.note("interactive", sentence)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e5


def _latex(sheet: _Sheet, latex: str) -> None:
    """Mathematics, or a table as pandas writes it."""
    if re.search(r"\\begin\{(?:tabular|table|longtable)", latex):
        sheet.add(_fragment(sheet, "latex", latex))
        return
    tex = latex.strip("$").strip()
    tex = tex.removeprefix(r"\displaystyle")
    formula = _formula(sheet, latex, tex, alone=True)
    if formula:
        sheet.add(f"#{_Writer(sheet, sheet.cell)._maths(int(formula[1:-1]))}")


def _printable(html: str) -> str:
    """HTML without what only a browser shows; "" when nothing is left."""
    for tag in (
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "canvas",
        "video",
        "audio",
        "iframe",
        "object",
        "button",
        "select",
    ):
        html = re.sub(rf"<{tag}\b.*?(?:</{tag}\s*>|\Z)", " ", html, flags=re.S | re.I)
    html = re.sub(r"<!--.*?(?:-->|\Z)", " ", html, flags=re.S)
    words = re.sub(r"<[^>]*>", "", html).strip()
    return html if words or re.search(r"<img\b|<table\b", html, re.I) else ""


# --- pictures


def _picture_file(sheet: _Sheet, kind: str, data: object, width: float | None) -> str:
    """Keep a picture for Typst; brings the arguments of `picture`, or "" with a finding."""
    try:
        if kind == "image/svg+xml":
            content, size = _svg(data)
            ending, scale = "svg", 0.75
        else:
            content, size, ending = _bitmap(text_of(data))
            scale = 0.6
    except ReportError as error:
        where = sheet.cell.name if sheet.cell else "a cell"
        sheet.note("picture", f"A picture of {where} {error}.")
        return ""
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
    sheet.pictures[name] = content
    tiny = ending != "svg" and max(size) <= 128
    points = scale * (width or size[0] * (3 if tiny else 1))
    points = min(points, WIDTH, HEIGHT * size[0] / max(size[1], 1))
    return f"{_str(name)}, {max(points, 4):.1f}pt, {_bool(not tiny)}"


def _svg(data: object) -> tuple[bytes, tuple[float, float]]:
    """A drawing without what runs, comes from outside or takes for ever; and its size in pixels."""
    import xml.etree.ElementTree as tree

    text = text_of(data).lstrip("\ufeff \t\n")
    try:
        text = text if text.startswith("<") else base64.b64decode(text).decode()
    except (ValueError, UnicodeDecodeError):
        raise ReportError("is not a drawing in SVG") from None
    if len(text) > 5_000_000:
        raise ReportError("is too large to be printed as SVG; use PNG")
    text = re.sub(r"<!DOCTYPE[^>\[]*(?:\[.*?\])?[^>]*>", "", text, flags=re.S)
    for name in ("svg", "xlink"):  # so that it is written as it was
        prefix, year = ("", "2000") if name == "svg" else (name, "1999")
        tree.register_namespace(prefix, f"http://www.w3.org/{year}/{name}")
    try:
        root = tree.fromstring(text)
        _without_harm(root)
        content = tree.tostring(root)
    except (tree.ParseError, ValueError, RecursionError):
        raise ReportError("is damaged") from None
    sizes = []
    for side, place in (("width", 2), ("height", 3)):
        said = re.match(r"\s*([\d.]+)\s*(pt|px|in|cm|mm)?\s*$", root.get(side, ""))
        numbers = re.findall(r"[\d.]+", root.get("viewBox", ""))
        unit = {"pt": 4 / 3, "in": 96, "cm": 37.8, "mm": 3.78}
        try:
            sizes.append(
                float(said[1]) * unit.get(said[2] or "px", 1.0) if said else float(numbers[place])
            )
        except (ValueError, IndexError):
            sizes.append(400.0)
    return content, (max(sizes[0], 1.0), max(sizes[1], 1.0))


def _without_harm(drawing: Any) -> None:
    """Take out scripts, addresses, and filters, which can cost hours; embedded pictures stay."""
    for element in drawing.iter():
        for child in list(element):
            if child.tag.rpartition("}")[2] in ("script", "filter"):
                element.remove(child)
        if element.tag.rpartition("}")[2] == "style":
            element.text = _STYLED.sub("", element.text or "")
        for key, value in list(element.attrib.items()):
            name = key.rpartition("}")[2]
            if name == "style":
                element.set(key, _STYLED.sub("", value))
            elif name == "filter":
                del element.attrib[key]
            elif name == "href" and not value.startswith("#"):
                del element.attrib[key]
                with contextlib.suppress(ReportError):
                    content, _, kind = _bitmap(value.partition("base64,")[2])
                    element.set(
                        key, f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
                    )


_STYLED = re.compile(r"@import[^;]*;?|\bfilter\s*:[^;}]*;?", re.I)


def _bitmap(text: str) -> tuple[bytes, tuple[int, int], str]:
    """A picture in dots, made smaller where it is larger than a page can show."""
    from PIL import Image

    endings = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}
    try:
        content = base64.b64decode(re.sub(r"\s+", "", text).replace("%2B", "+"), validate=False)
        picture = Image.open(io.BytesIO(content))
        size, ending = picture.size, endings.get(picture.format or "")
        if size[0] * size[1] > PIXELS:
            raise ReportError(f"has {size[0]} x {size[1]} dots, too many to print")
        if ending is None or max(size) > SIDE * 1.5 or len(content) > WEIGHT:
            picture.thumbnail((SIDE, SIDE))
            if picture.mode not in ("RGB", "L"):
                flat = Image.new("RGB", picture.size, "white")
                picture = picture.convert("RGBA")
                flat.paste(picture, mask=picture)
                picture = flat
            photograph = len(content) > 0.5 * size[0] * size[1]
            out, ending = io.BytesIO(), "jpg" if photograph else "png"
            picture.save(out, "JPEG" if photograph else "PNG", quality=88)
            content = out.getvalue()
    except ReportError:
        raise
    except (OSError, ValueError, binascii.Error, SyntaxError, Image.DecompressionBombError):
        raise ReportError("is damaged") from None
    return content, size, ending


# --- the page

_TYPST = r"""
#let ink = rgb("#1c2530")
#let soft = rgb("#5d6875")
#let line-colour = rgb("#d3d9e0")
#let shade = rgb("#f4f6f8")
#let accent = rgb("#1d4f7c")
#let alarm = rgb("#a3251c")

#let mono(size, body) = text(font: fonts-mono, size: size, body)

// A word that no line can hold is broken after a sign, or else anywhere, at empty boxes: other than
// a character without width, they are not copied with it. In a line of code with such a word, also
// between any two of its tokens.
#let long-word = regex("[!-\u{4ff}]{40,}")
#let signs = "\-/._,;:()\[\]{}=&?+"
#let bits = regex("[^\s" + signs + "]{1,24}[" + signs + "]{0,2}|[\s" + signs + "]{1,2}")
#let broken(word, set-bit) = word.matches(bits).map(m => set-bit(m.text)).join(box())
#let any-word(said) = broken(said, text)
#let any-code(source) = broken(source, raw)
#let breakable-line(body) = {
  show regex("\S{25,}"): it => broken(it.text, text)
  body.at("children", default: (body,)).join(box())
}
#let block-of(source, language) = {
  show raw.line: it => if it.text.contains(long-word) { breakable-line(it.body) } else { it.body }
  raw(source, lang: if language == "" { none } else { language }, block: true)
}

#let mark(key, edge) = context [#metadata((
  key: key, edge: edge, page: here().page(), y: here().position().y / 1pt,
)) <mark>]
#let marks(edge) = query(<mark>).filter(m => m.value.edge == edge)

#let chapter-title = state("chapter", "")

// The name and the question that a page belongs to.
#let running-head = context {
  let page = here().page()
  if page == 1 and not is-plain { return }
  let open = marks("start").filter(m => m.location().page() <= page)
  let closed = marks("end").filter(m => m.location().page() < page)
  let question = if open.len() > closed.len() { open.last().value.title }
    else { chapter-title.get() }
  set text(8.5pt, soft)
  grid(columns: (auto, 1fr), align: (left, right), names-head, question)
  v(-7pt)
  line(length: 100%, stroke: .5pt + line-colour)
}
#let running-foot = context {
  set text(8.5pt, soft)
  align(center)[#counter(page).display() / #counter(page).final().first()]
}

#let cover(
  course: "", title: "", netids: (), discussed: (), sources: (), date: "", anonymous: false,
) = {
  v(9mm)
  text(11pt, soft, tracking: .06em, upper(course))
  v(1mm)
  text(23pt, weight: "bold", title)
  v(5mm)
  block(width: 100%, inset: (y: 6mm), stroke: (y: 1.2pt + accent), {
    text(9.5pt, soft)[#if anonymous [Handed in] else [NetID]]
    linebreak()
    if netids.len() == 0 { text(26pt, alarm, weight: "bold")[missing] }
    else { text(if anonymous { 24pt } else { 38pt }, accent, weight: "bold", netids.join(", ")) }
  })
  v(2mm)
  set text(10pt)
  let none-said = text(soft)[nobody]
  grid(
    columns: (34mm, 1fr), row-gutter: 3mm,
    ..if anonymous { () } else {
      (text(soft)[Discussed with],
        if discussed.len() > 0 { discussed.join(", ") } else { none-said })
    },
    text(soft)[Sources],
    if sources.len() > 0 { sources.map(s => block(s)).join() } else { text(soft)[none] },
    ..if date != "" { (text(soft)[Date], date) },
  )
  v(4mm)
}
#let chapter-entry(title) = block(above: 4.5mm, below: 2mm, sticky: true,
  text(10pt, accent, weight: "bold", title))
#let entry(key, title, worth, flag) = block(above: 1.9mm, below: 0mm, context {
  let at = marks("start").filter(m => m.value.key == key)
  let page = if at.len() > 0 { str(at.first().location().page()) } else { "" }
  let row = grid(
    columns: (1fr, 24mm, 9mm), align: (left, right, right),
    {
      title
      if flag != "" { h(2mm); text(8pt, alarm, flag) }
      h(1mm)
      box(width: 1fr, text(line-colour, repeat(gap: 2pt)[.]))
    },
    text(9pt, soft, worth), page,
  )
  if at.len() > 0 { link(at.first().location(), row) } else { row }
})

#let chapter(title) = {
  pagebreak(weak: true)
  chapter-title.update(title)
  heading(level: 1, title)
}
#let article() = { pagebreak(weak: true); counter(page).update(1); chapter-title.update("Report") }
#let opening(title, netids, date) = {
  if title != "" { heading(level: 1, any-word(title)) }
  let said = (..netids, ..if date != "" { (date,) }).join(" · ")
  if said != none { block(below: 5mm, text(9.5pt, soft, said)) }
}
#let code-of(key) = context {
  let at = marks("start").filter(m => m.value.key == "code:" + key).map(m => m.location())
  if at.len() > 0 { link(at.first(), "code on page " + str(at.first().page())) }
}
#let question(key, title, worth) = {
  pagebreak(weak: true)
  block(below: 5mm, width: 100%, {
    context [#metadata((
      key: key, edge: "start", title: title, page: here().page(), y: here().position().y / 1pt,
    )) <mark>]
    grid(columns: (auto, 1fr), align: (left, right), mono(7.5pt, text(soft, key)),
      text(7.5pt, soft, code-of(key)))
    v(-1.5mm)
    grid(columns: (1fr, auto), align: (left + bottom, right + bottom), column-gutter: 4mm,
      heading(level: 2, title), text(10pt, accent, weight: "bold", worth))
    v(-1.5mm)
    line(length: 100%, stroke: 1pt + accent)
  })
}
#let outside = block(above: 2.4em, below: 1.4em, line(length: 100%, stroke: 1pt + line-colour))
#let last = block(height: 0pt, above: 0pt, below: 0pt, mark("", "last"))
#let begin(key, title) = block(height: 0pt, above: 0pt, below: 0pt, context [#metadata((
  key: key, edge: "start", title: title, page: here().page(), y: here().position().y / 1pt,
)) <mark>])
#let done(key) = block(height: 0pt, above: 0pt, below: 0pt, mark(key, "end"))

#let statement(body) = block(width: 100%, inset: (left: 0pt), below: 1.4em, {
  set text(9.5pt, rgb("#3a4653"))
  body
})
#let answer(words, body) = {
  block(above: 1.5em, below: 0pt, width: 100%, sticky: true,
    stroke: (left: 2.5pt + accent), inset: (left: 4mm, top: 1mm, bottom: 2mm),
    grid(columns: (1fr, auto), text(8pt, accent, weight: "bold", tracking: .06em)[ANSWER],
      text(8pt, soft, words)))
  block(width: 100%, above: 0pt, below: 1.5em, stroke: (left: 2.5pt + accent),
    inset: (left: 4mm, bottom: 1.5mm), body)
}
#let unanswered = text(alarm)[Not answered.]

#let paragraph(body, turned: false) = {
  parbreak()
  if turned { text(dir: rtl, body) } else { body }
  parbreak()
}
#let appendix(title, notes) = {
  pagebreak(weak: true)
  chapter-title.update("Appendix · the code")
  begin(title, "Appendix · the code")
  heading(level: 1, title)
  for said in notes { paragraph(text(alarm, said)) }
  done(title)
}
#let code-head(key, name, title) = {
  block(above: 9mm, below: 3mm, width: 100%, sticky: true, {
    begin(key, "Appendix · the code")
    grid(columns: (auto, 1fr), align: (left + bottom, right + bottom), column-gutter: 4mm,
      heading(level: 2, mono(12pt, name)), text(10pt, soft, title))
    v(-1.5mm)
    line(length: 100%, stroke: 1pt + line-colour)
  })
}
#let source(where) = block(above: 1.4em, below: .5em, sticky: true, text(9pt, soft, where))
#let title(level, body) = {
  let sizes = (15pt, 13pt, 11.5pt, 10.5pt, 10pt, 10pt)
  block(above: 1.4em, below: .8em, sticky: true,
    if is-plain or is-article {
      heading(level: calc.min(level, 6), outlined: level < 4, bookmarked: level < 4, body)
    } else { text(sizes.at(calc.min(level, 6) - 1), weight: "bold", body) })
}
#let rule = line(length: 100%, stroke: .5pt + line-colour)
#let quotation(body) = block(width: 100%, stroke: (left: 2pt + line-colour),
  inset: (left: 3mm, y: .5mm), text(soft, body))
#let caption(body) = align(center, block(width: 85%, above: .6em, text(9pt, soft, body)))
#let left-out(said) = text(8pt, soft, style: "italic", "… " + said + " …")
#let missing(said) = box(stroke: (paint: alarm, thickness: .5pt, dash: "dashed"), inset: 3pt,
  text(8pt, alarm, said))
#let elsewhere(said, address) = box(
  stroke: .5pt + line-colour, radius: 2pt, inset: (x: 4pt, y: 3pt),
  text(8pt, soft, (if said == "" [picture] else [#said]) + [: ] + link(address, any-word(address))))
#let unread(tex) = box(fill: rgb("#fbeceb"), inset: (x: 2pt), outset: (y: 2pt),
  raw(tex))

#let maths(formula) = eval(formula, mode: "math", scope: (
  sect: sym.inter,
))
#let inline(number, formula) = math.equation(block: false, maths(formula))
#let display(number, tag, formula) = { let body = maths(formula); context {
  let made = math.equation(block: true, body,
    numbering: if tag == "" { none } else { _ => "(" + tag + ")" })
  let room = page.width - 2 * page.margin.left - if tag == "" { 8pt } else { 40pt }
  let share = room / calc.max(1pt, measure(made).width)
  set text(1em * calc.max(.5, calc.min(1, share)))
  made
} }

#let code(source, language) = block(width: 100%, fill: shade, radius: 2pt, above: 1.1em,
  below: .9em, inset: (x: 2.5mm, y: 2mm), {
    set text(8.2pt)
    set par(leading: .5em, hanging-indent: 1.5em)
    block-of(source, language)
  })
#let output(source, paint, mark-paint) = block(width: 100%, above: .9em, below: .9em,
  stroke: (left: 1.2pt + mark-paint), inset: (left: 2.5mm, y: .6mm), {
    set text(8pt, paint)
    set par(leading: .48em)
    block-of(source, "")
  })
#let plain(source) = output(source, ink, line-colour)
#let printed(source, error) = output(source, if error { soft } else { ink }, line-colour)
#let failed(source) = block(width: 100%, fill: rgb("#fdf3f2"), output(source, alarm, alarm))

// A picture, with marks that say where there was room for it and where it came to stand.
#let picture(name, width, smooth, at: 0) = {
  block(height: 0pt, above: 0pt, below: 0pt, context [#metadata((
    at: at, page: here().page(), y: here().position().y / 1pt,
  )) <room>])
  layout(size => {
    let share = shrunk.at(str(at), default: 1)
    let shown = image(name, width: calc.min(width, size.width) * share,
      scaling: if smooth { auto } else { "pixelated" })
    block(above: .3em, below: 1em, width: 100%, align(center, shown + [#metadata((
      at: at, page: here().page(), height: measure(shown).height / 1pt,
    )) <stands>]))
  })
}
#let small-picture(name, width, smooth) = box(baseline: 20%, image(name,
  width: calc.min(width, 250pt), scaling: if smooth { auto } else { "pixelated" }))

// A table as wide as it likes; else smaller; else in pieces that begin with its first column; else
// with its words wrapped, or turned where that shows many columns.
#let grid-of(columns, aligned, top, rows, cut) = layout(size => {
  // The cells of these columns; `auto` is a column that the cell before it spans.
  let cells(rows, chosen) = for row in rows {
    if row == none { (table.cell(colspan: chosen.len(), left-out(cut)),) } else {
      let owners = if row.len() == columns { chosen } else { range(row.len()) }
      owners = owners.map(i => i - row.slice(0, i + 1).rev().position(one => one != auto))
      owners.dedup().map(i => table.cell(row.at(i).body, align: row.at(i).align,
        colspan: owners.filter(one => one == i).len(), rowspan: row.at(i).down))
    }
  }
  let made(chosen, scale) = {
    set text(9pt * scale)
    set par(justify: false)
    table(columns: chosen.len(), align: chosen.map(i => aligned.at(i)),
      inset: (x: 5pt * scale, y: 3.2pt * scale),
      stroke: (x, y) => (
        bottom: if y < top.len() and y == top.len() - 1 { .8pt + ink } else { .4pt + line-colour },
      ),
      ..if top.len() > 0 { (table.header(..cells(top, chosen)),) },
      ..cells(rows, chosen))
  }
  let set-in(body) = block(above: 1em, below: 1em, width: 100%, align(center, body))
  let every = range(columns)
  let natural = measure(made(every, 1)).width
  let simple = (top + rows).all(row => row == none or (
    row.len() == columns and row.all(one => one == auto or one.down == 1)))
  if natural <= size.width { return set-in(made(every, 1)) }
  if size.width / natural >= .7 { return set-in(made(every, size.width / natural * .985)) }
  let widths = every.map(i => if simple { measure(made((i,), .85)).width } else { 0pt })
  if simple and columns > 4 and widths.all(width => width < size.width * .45) {
    let pieces = ((0,),)
    for i in every.slice(1) {
      let wide = (..pieces.last(), i).map(j => widths.at(j)).sum()
      if wide > size.width and pieces.last().len() > 1 { pieces.push((0, i)) }
      else { pieces.last().push(i) }
    }
    return for piece in pieces { set-in(made(piece, .85)) }
  }
  let turned = measure(made(every, .75))
  if columns > 8 and turned.width < 660pt and turned.height < size.width {
    return set-in(rotate(-90deg, reflow: true, made(every, .75)))
  }
  set-in(made(every, if columns > 8 { .62 } else { .85 }))
})
"""

_STYLE = r"""
#set page(paper: "a4", margin: (top: 27mm, bottom: 22mm, x: 20mm),
  header: running-head, header-ascent: 7mm, footer: running-foot)
#set text(font: fonts-text, size: 10.5pt, fill: ink, lang: "en", hyphenate: false)
#set par(leading: .66em, spacing: 1.05em)
#set list(indent: 1mm, body-indent: 2mm)
#set enum(indent: 1mm, body-indent: 2mm)
#set footnote.entry(separator: line(length: 30mm, stroke: .5pt + line-colour))
#show raw: set text(font: fonts-mono)
#show raw.where(block: false): set text(.86em / .8)
#show link: set text(accent)
#show heading: set text(weight: "bold")
#show heading.where(level: 1): set text(17pt)
#show heading.where(level: 1): set block(below: 1em)
#show heading.where(level: 2): set text(14pt)
#show heading.where(level: 3): set text(12pt)
#show heading.where(level: 4): set text(10.5pt)
#show math.equation: set text(font: "New Computer Modern Math")
"""

_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")  # Noto: every script, and emoji
_RARE = re.compile(
    "[\u0530-\u1dff\u2e80-\ua63f\ua700-\ufaff\ufe10-\ufe6f\uff00-\uffef\U0001f000-\U0003ffff]"
)
_KANA, _HANGUL = re.compile("[\u3040-\u30ff]"), re.compile("[\uac00-\ud7af]")


def _fonts(source: str, sheet: _Sheet) -> tuple[Any, str]:
    """Fonts from packages alone, so that a PDF is the same everywhere; and their order.

    Only where a package is missing and the text has letters of other scripts, this computer's
    fonts are used.
    """
    import typst

    found = [importlib.util.find_spec(name) for name in _FONT_PACKAGES]
    folders = [f for spec in found if spec for f in spec.submodule_search_locations or []]
    rare = bool(_RARE.search(source))
    lacking = rare and not all(found)
    if lacking:
        sheet.cell, sheet.notebook = None, None
        sentence = "Letters of another script, or emoji, are set in fonts of this computer, if it "
        sentence += "has any; pip install manimgx-fonts manimgx-fonts-cjk brings fonts for all."
        sheet.note("fonts", sentence)
    east = "JP" if _KANA.search(source) else "KR" if _HANGUL.search(source) else "SC"
    others = f'"Noto Sans", "Noto Sans CJK {east}", "Noto Emoji"' if rare and all(found) else ""
    fonts = typst.Fonts(
        include_system_fonts=lacking, include_embedded_fonts=True, font_paths=folders
    )
    names = f'#let fonts-text = ("Libertinus Serif", {others})\n'
    return fonts, names + f'#let fonts-mono = ("DejaVu Sans Mono", {others})\n'


def _compile(
    sheet: _Sheet, notebooks: Sequence[Notebook], who: About, sources: Mapping[str, str]
) -> tuple[bytes, dict[str, Any]]:
    """The PDF and its marks. What Typst refuses is replaced by its words, and the rest stays."""
    try:
        import typst
    except ImportError:
        raise ReportError("Typst is missing: pip install typst") from None

    trees, formulas = _read(sheet.fragments, [tex for _, tex, _ in sheet.formulas])
    body, owners = _body(sheet, trees, formulas)
    fonts, names = _fonts("\n".join(body), sheet)
    head = names + _head(notebooks, who, sources) + _TYPST + _STYLE
    top = head.count("\n") + 1  # with the line that says which pictures are shrunk
    shrunk: dict[int, float] = {}
    rounds = 0
    isolated = False
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        for name, content in sheet.pictures.items():
            if ":" not in name:
                Path(folder, name).write_bytes(content)
        main = Path(folder, "main.typ")
        for _ in range(200):
            shares = ", ".join(f'"{at}": {share:.3f}' for at, share in shrunk.items())
            source = f"#let shrunk = ({shares or ':'})\n{head}" + "\n".join(body) + "\n#last\n"
            main.write_text(source, encoding="utf-8", newline="\n")
            compiler = typst.Compiler(
                str(main),
                root=folder,
                font_paths=fonts,
                ignore_system_fonts=True,
                package_path=folder,
                package_cache_path=folder,
            )
            try:
                pdf = compiler.compile(format="pdf", timestamp=_noon(who.date))
                fitting = _fitting(compiler, body, shrunk) if rounds < ROUNDS else {}
                if not fitting:
                    return pdf, _marks(json.loads(compiler.query("<mark>")))
                shrunk, rounds = shrunk | fitting, rounds + 1
                continue
            except typst.TypstError as error:
                said = f"{error.message}\n{error.diagnostic}"
            lines = [int(n) - top - 1 for n in re.findall(r"main\.typ:(\d+):", said)]
            lines = [n for n in lines if 0 <= n < len(body)]
            message = said.splitlines()[0]
            if not isolated:  # try what may fail by itself
                isolated = True
                _try_each(typst, fonts, folder, sheet, formulas)
                body, owners = _body(sheet, trees, formulas)
                continue
            if not lines:
                break
            _replace(sheet, body, owners, lines[-1], message)
    raise ReportError(f"Typst cannot set these pages: {message}.")


def _fitting(compiler: Any, body: Sequence[str], shrunk: Mapping[int, float]) -> dict[int, float]:
    """Pictures that moved to the next page, and how small they must be to stay on the one before.

    One that stays moves those after it, up to the next page that is begun anyway: so it is the
    first of them alone.
    """
    room, stands = (
        {one["value"]["at"]: one["value"] for one in json.loads(compiler.query(mark))}
        for mark in ("<room>", "<stands>")
    )
    begun = [n for n, line in enumerate(body) if line.startswith(_NEW_PAGE)]
    found: dict[int, float] = {}
    for at, there in stands.items():
        place = bisect.bisect(begun, at)
        if at in shrunk or there["page"] == room[at]["page"] or there["height"] <= 0:
            continue
        left = BOTTOM - room[at]["y"] - SLACK
        share = left / there["height"]
        least = LEAST if left > HOLE else SMALLEST
        if least <= share < 1 and place not in {bisect.bisect(begun, one) for one in found}:
            found[at] = share
    return found


_NEW_PAGE = ("#question(", "#chapter(", "#appendix(", "#article(")


def _body(
    sheet: _Sheet, trees: Sequence[Any], formulas: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Lines of Typst's source, and for each the number of the sheet's line that it came from."""
    body: list[str] = []
    owners: list[int] = []
    for number, line in enumerate(sheet.lines):
        cell = sheet.back_to(number)
        if isinstance(line, int):
            tree = trees[line]
            try:
                if tree is None:
                    raise RecursionError
                written = "#{\n" + _Writer(sheet, cell).blocks(tree) + "\n}"
            except RecursionError:
                where = cell.name if cell else "a cell"
                sheet.note("text", f"{where.capitalize()} cannot be read as Markdown or HTML.")
                text = _Writer(sheet, cell).restored(sheet.fragments[line]["text"])
                written = f"#plain({_str(_trimmed(text))})"
        else:
            written = line
        for one in written.split("\n"):
            line = _filled(sheet, one, formulas, cell)
            body.append(_PICTURE.sub(rf"\1, at: {len(body)})", line))
            owners.append(number)
    return body, owners


_PICTURE = re.compile(r'^(#?picture\("[^"]+"[^()]*)\)')


def _filled(sheet: _Sheet, line: str, formulas: Sequence[str], cell: Cell | None) -> str:
    """A line with its formula, or with TeX where pandoc or Typst could not take it."""
    shown = re.match(r'#?(?:small-)?picture\("([^"]+)"', line)
    if shown and shown[1] not in sheet.pictures:
        sheet.note("picture", f"A picture of {cell.name if cell else 'a cell'} is damaged.")
        return ("#" if line.startswith("#") else "") + 'missing("a picture that is damaged")'
    found = re.search("\ue003(\\d+)\ue001", line)
    if not found:
        return line
    number = int(found[1])
    if formulas[number]:
        return line.replace(found[0], _str(formulas[number]))
    whole = sheet.formulas[number][0]
    where = cell.name if cell else "a cell"
    shown = re.sub(r"\s+", " ", whole)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    sheet.note("formula", f"A formula of {where} is printed as it was typed: {shown}")
    return ("#" if line.startswith("#") else "") + f"unread({_str(whole)})"


def _try_each(typst: Any, fonts: Any, folder: str, sheet: _Sheet, formulas: list[str]) -> None:
    """Empty every formula, and forget every picture, that Typst cannot set by itself."""
    alone = Path(folder, "alone.typ")

    def settable(source: str) -> bool:
        alone.write_text(source, encoding="utf-8")
        try:
            typst.compile(str(alone), root=folder, font_paths=fonts, ignore_system_fonts=True)
        except typst.TypstError:
            return False
        return True

    for number, formula in enumerate(formulas):
        if formula and not settable(f"{_MATHS}#math.equation(maths({_str(formula)}))\n"):
            formulas[number] = ""
    for name in [name for name in sheet.pictures if ":" not in name]:
        if not settable(f"#image({_str(name)})\n"):
            del sheet.pictures[name]


_MATHS = "".join(re.findall(r"#let maths\(.*?\n\)\)\n", _TYPST, re.S))


def _replace(sheet: _Sheet, body: list[str], owners: list[int], line: int, message: str) -> None:
    """Put words in the place of a picture, or of a whole text, that Typst refuses."""
    cell = sheet.back_to(owners[line])
    where = cell.name if cell else "a cell"
    sheet.note("text", f"{where.capitalize()} cannot be set as it is ({message}).")
    mine = [n for n, owner in enumerate(owners) if owner == owners[line]]
    said = sheet.lines[owners[line]]
    text = sheet.fragments[said]["text"] if isinstance(said, int) else ""
    text = _Writer(sheet, cell).restored(text)
    body[mine[0]] = f"#plain({_str(_trimmed(text))})"
    for number in mine[1:]:
        body[number] = ""


def _noon(date: datetime.date | None) -> int:
    day = date or datetime.date(2000, 1, 1)
    noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.timezone.utc)
    return int(noon.timestamp())


def _head(notebooks: Sequence[Notebook], who: About, sources: Iterable[tuple[str, str]]) -> str:
    kit = any(one.kit for one in notebooks)
    article = kit and ARTICLE in notebooks[0].parts
    names = ANONYMOUS if who.anonymous else ", ".join(who.netids)
    hashes = [f"{name}:{sha}" for name, sha in sources.items()]
    title = notebooks[0].title if len(notebooks) == 1 else COURSE
    date = "none"
    if who.date:
        date = f"datetime(year: {who.date.year}, month: {who.date.month}, day: {who.date.day})"
    return (
        f"#set document(title: {_str(title)}, author: {_array([names] if names else [])}, "
        f"keywords: {_array(hashes)}, date: {date})\n"
        f"#let is-plain = {_bool(not kit)}\n#let is-article = {_bool(article)}\n"
        f"#let names-head = {_str(names or _short(notebooks[0].title))}\n"
    )


def _short(text: str) -> str:
    """As much of a text as a running head has room for."""
    return text if len(text) <= 80 else f"{text[:78].rstrip()} …"


def _marks(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Pages, and for each question the boxes that it fills, in points from the top left."""
    width, height, side, top, bottom = 595.28, 841.89, 56.69, 76.54, BOTTOM
    said = [one["value"] for one in found]
    pages = max((one["page"] for one in said), default=1)
    boxes: dict[str, list[dict[str, Any]]] = {}
    starts = {one["key"]: one for one in said if one["edge"] == "start"}
    for end in (one for one in said if one["edge"] == "end"):
        start = starts.get(end["key"])
        if not start:
            continue
        for page in range(start["page"], end["page"] + 1):
            upper = start["y"] if page == start["page"] else top
            lower = end["y"] if page == end["page"] else bottom
            box = [side, round(upper, 1), round(width - side, 1), round(max(lower, upper), 1)]
            boxes.setdefault(end["key"], []).append({"page": page, "box": box})
    return {"pages": pages, "size": [width, height], "boxes": boxes}
