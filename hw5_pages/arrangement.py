"""What stands where: the cover, a page for each question, the report, the code behind them."""

from __future__ import annotations

import ast
import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hw5_notebook import (
    ARTICLE,
    About,
    Cell,
    Finding,
    Notebook,
    Question,
    article_cells,
    count_words,
    heading_of,
    is_blank,
    is_picture,
    mapping,
    text_of,
    without_markers,
)
from hw5_written import Appendix, Excerpt

from .outputs import is_check, set_outputs, set_shown
from .sheet import BOOK, WIDE, Sheet, array, boolean, string, trimmed
from .texts import FRAGMENT, set_markdown

COURSE = "Deep generative models"
ANONYMOUS = "Anonymous"  # the author of a PDF without names
CODE = (400, 40)  # of a longer piece of code the first and the last lines are printed
CELL = (3000, 300)  # the same of a cell
APPENDIX = "Appendix: the code"
CODE_OF = "code:"  # begins the key of a question's code among the marks
MAGICS = {"bash": "bash", "sh": "bash", "html": "html", "javascript": "js", "latex": "latex"}


def set_cover(
    sheet: Sheet,
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
        f"#cover(course: {string(COURSE)}, title: {string(title)}, "
        f"netids: {array([anonymous] if who.anonymous else who.netids)}, "
        f"discussed: {array(() if who.anonymous else who.discussed)}, "
        f"sources: {array(who.sources)}, date: {string(_day(who.date))}, "
        f"anonymous: {boolean(who.anonymous)})"
    )
    if article:
        return
    for notebook in notebooks:
        listed = [q for q in asked.values() if q.notebook == notebook.name]
        if len(notebooks) > 1 and listed:
            sheet.add(f"#chapter-entry({string(notebook.title)})")
        for q in listed:
            flag = words.get(open_ones.get(q.key, ""), "")
            sheet.add(
                f"#entry({string(q.key)}, {string(q.title)}, {string(q.worth)}, {string(flag)})"
            )


def _day(date: datetime.date | None) -> str:
    months = "January February March April May June July August September October November December"
    return f"{date.day} {months.split()[date.month - 1]} {date.year}" if date else ""


def set_questions(sheet: Sheet, notebook: Notebook, asked: dict[str, Question]) -> None:
    """A notebook of the kit: every question starts a page, and all of its cells stand there; what
    is outside flows after the question before it."""
    sheet.add(f"#chapter({string(notebook.title)})")
    question = ""
    for cell in _by_question(notebook.cells):
        if cell.place in ("about", "hand-in") or _only_imports(cell):
            continue
        sheet.cell = cell
        if cell.question != question:
            if question in asked:
                sheet.add(f"#done({string(question)})")
            if cell.question in asked:
                q = asked[cell.question]
                sheet.add(f"#question({string(q.key)}, {string(q.title)}, {string(q.worth)})")
            elif question in asked:
                sheet.add("#outside")
            question = cell.question
        if cell.place == "title":
            sheet.cell = replace(cell, source=re.sub(r"\A\s*#\s[^\n]*", "", cell.source))
        _set_cell(sheet, sheet.cell, asked.get(cell.question))
    if question in asked:
        sheet.add(f"#done({string(question)})")


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
    if len(cell.source) > FRAGMENT:
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
        body = ast.parse(source).body if len(source) <= FRAGMENT else []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = source.split("\n")
    for one in reversed([line for line in body if isinstance(line, ast.ImportFrom)]):
        first, last = one.lineno - 1, one.end_lineno or one.lineno
        if last - first > 1:
            lines[first:last] = [f"from {'.' * one.level}{one.module or ''} import …"]
    return "\n".join(lines)


def set_article(sheet: Sheet, notebook: Notebook, asked: dict[str, Question]) -> None:
    """The report: the student's text and pictures, on and on."""
    sheet.add("#article()")
    mine, question = article_cells(notebook), ""
    for cell in notebook.cells:
        sheet.cell = cell
        if cell.question != question:
            if question in asked:
                sheet.add(f"#done({string(question)})")
            if cell.question in asked:
                sheet.add(f"#begin({string(cell.question)}, {string(asked[cell.question].title)})")
            question = cell.question
        if sheet.is_full():
            continue
        if cell in mine and not is_blank(cell):
            set_markdown(sheet, cell, without_markers(cell.source))
        for output in () if cell.place else cell.outputs:
            if is_picture(output) or "text/html" in mapping(output.get("data")):
                set_shown(sheet, mapping(output.get("data")), mapping(output.get("metadata")))
    if question in asked:
        sheet.add(f"#done({string(question)})")


def set_code(
    sheet: Sheet, code: Appendix, asked: Mapping[str, Question], strike: Callable[[str], str]
) -> None:
    """The appendix: what the student wrote in the modules, question by question."""
    sheet.add(f"#appendix({string(APPENDIX)}, {array(map(strike, code.notes))})")
    sheet.add("#columns(2, gutter: 10mm)[")
    for name in (*(one.question for one in code.shown), *(one.name for one in code.whole)):
        sheet.add(f"#entry({string(CODE_OF + name)}, {string(name)}, {string('')}, {string('')})")
    sheet.add("]")
    for one in code.shown:
        question = asked[one.question]
        key = CODE_OF + one.question
        sheet.add(f"#code-head({string(key)}, {string(question.key)}, {string(question.title)})")
        for piece in one.excerpts:
            sheet.add(f"#source({string(f'{one.file}, {_lines(piece)}')})")
            sheet.add(f"#code({string(strike(_with_head(piece)))}, {string('python')})")
        sheet.add(f"#done({string(key)})")
    for module in code.whole:
        sheet.add(
            f"#code-head({string(CODE_OF + module.name)}, {string(module.name)}, {string('')})"
        )
        text = text_of(trimmed("\n".join(module.lines), CODE))
        sheet.add(f"#code({string(strike(text))}, {string('python')})")
        sheet.add(f"#done({string(CODE_OF + module.name)})")


def _lines(piece: Excerpt) -> str:
    many = piece.last > piece.first
    return f"lines {piece.first} to {piece.last}" if many else f"line {piece.first}"


def _with_head(piece: Excerpt) -> str:
    """A piece of code below the definition that it stands in."""
    room = len(piece.text) - len(piece.text.lstrip())
    above = f"{piece.head}\n{' ' * room}…\n" if piece.head else ""
    return text_of(trimmed(above + piece.text, CODE))


def set_plainly(sheet: Sheet, notebook: Notebook, who: About) -> None:
    """Any other notebook: its title, then cell by cell."""
    names = () if who.anonymous else who.netids
    title = "" if notebook.heading else notebook.title
    sheet.add(f"#opening({string(title)}, {array(names)}, {string(_day(who.date))})")
    for cell in notebook.cells:
        sheet.cell = cell
        _set_cell(sheet, cell, None)


def _set_cell(sheet: Sheet, cell: Cell, question: Question | None) -> None:
    if sheet.is_full():
        return
    source = cell.source.strip("\n")
    if cell.kind == "markdown":
        source = without_markers(source)
        if question and (heading := heading_of(source)):
            source = source.lstrip()[heading.end() :]  # it stands above the page already
        if cell.nbgrader.get("locked"):
            source = re.sub(r"<details>.*?</details>", "", source, flags=re.S)  # hints
        if cell.answer:
            limit = cell.hw5.get("words")
            words = f"{count_words(cell.source)} of {limit} words" if isinstance(limit, int) else ""
            sheet.add(f"#answer({string(words)})[")
            if is_blank(cell):
                sheet.add("#unanswered")
            else:
                set_markdown(sheet, cell, source)
            sheet.add("]")
        elif cell.nbgrader.get("locked"):
            sheet.add("#statement[")
            set_markdown(sheet, cell, source)
            sheet.add("]")
        else:
            set_markdown(sheet, cell, source)
    elif cell.kind == "code":
        language = sheet.notebook.language if sheet.notebook else "python"
        magic = re.match(r"%%(\w+)", source)
        if magic:
            language = MAGICS.get(magic[1], language)
        if source.strip() and cell.place != "setup" and not is_check(cell):
            kit = sheet.notebook is not None and sheet.notebook.kit
            room = max(BOOK - sheet.filled, CODE[0])
            shown = _shown(_folded(source) if kit else source, room)
            sheet.add(f"#code({string(shown)}, {string(language)})")
        set_outputs(sheet, cell)
    elif source.strip():
        sheet.add(f"#plain({string(trimmed(source))})")


def _shown(source: str, room: int) -> str:
    """The code of a cell: whole, unless it would fill a book, in which there is so much room."""
    first, last = CELL
    shown = trimmed(source, (min(first, room), last), FRAGMENT)
    return shown if len(shown) <= 2 * FRAGMENT else trimmed(source, CODE, 2 * WIDE)


def head_of(notebooks: Sequence[Notebook], who: About, sources: Mapping[str, str]) -> str:
    """What the template and the PDF itself need to know, in Typst's source.

    sources: names of notebooks and modules with their SHA-256, by which a PDF is known again.
    """
    kit = any(one.kit for one in notebooks)
    article = kit and ARTICLE in notebooks[0].parts
    names = ANONYMOUS if who.anonymous else ", ".join(who.netids)
    hashes = [f"{name}:{sha}" for name, sha in sources.items()]
    title = notebooks[0].title if len(notebooks) == 1 else COURSE
    date = "none"
    if who.date:
        date = f"datetime(year: {who.date.year}, month: {who.date.month}, day: {who.date.day})"
    return (
        f"#set document(title: {string(title)}, author: {array([names] if names else [])}, "
        f"keywords: {array(hashes)}, date: {date})\n"
        f"#let is-plain = {boolean(not kit)}\n#let is-article = {boolean(article)}\n"
        f"#let names-head = {string(names or _short(notebooks[0].title))}\n"
    )


def _short(text: str) -> str:
    """As much of a text as a running head has room for."""
    return text if len(text) <= 80 else f"{text[:78].rstrip()} …"
