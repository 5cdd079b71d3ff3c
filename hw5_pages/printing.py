"""Notebooks become a PDF and its page map; names are struck out where there should be none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from hw5_notebook import (
    ARTICLE,
    ARTICLE_PAGES,
    About,
    Finding,
    Notebook,
    Question,
    check_people,
    find_names,
    names_in,
    preflight,
    questions,
)
from hw5_written import Appendix, Asked, Module, appendix

from .arrangement import (
    APPENDIX,
    CODE_OF,
    COURSE,
    head_of,
    set_article,
    set_code,
    set_cover,
    set_plainly,
    set_questions,
)
from .mathematics import number_equations
from .sheet import Sheet, string
from .typesetting import compile_pages, need_tools


@dataclass(frozen=True)
class Printed:
    """A PDF, where its questions are, and what was found on the way."""

    pdf: bytes
    map: dict[str, Any]
    findings: tuple[Finding, ...]


def print_pdf(
    notebooks: Sequence[Notebook],
    who: About,
    article: bool = False,
    modules: Mapping[str, Module] | None = None,
    judged: Mapping[str, Asked] | None = None,
) -> Printed:
    """Set notebooks one after the other. `article`: only the student's text, continuously.

    modules: the student's files, whose code is printed behind the questions; judged: what each
    question takes from them. Raises ReportError when pandoc, Typst or Pillow is missing or cannot
    work at all.
    """
    need_tools()
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
    sheet = Sheet()
    if kit:
        found = check_people(who) + found
        set_cover(sheet, notebooks, who, asked, found, article)
    if code.there:
        sheet.add(f"#entry({string(APPENDIX)}, {string(APPENDIX)}, {string('')}, {string('')})")
    for notebook in notebooks:
        sheet.notebook = notebook
        sheet.macros = {}
        sheet.filled, sheet.ended = 0, False
        sheet.numbers = number_equations(notebook)
        if article:
            set_article(sheet, notebook, asked)
        elif notebook.kit:
            set_questions(sheet, notebook, asked)
        else:
            set_plainly(sheet, notebook, who)
    sheet.notebook = sheet.cell = None
    if code.there:
        set_code(sheet, code, asked, strike)
    pdf, marks = compile_pages(sheet, head_of(notebooks, who, sources), who.date)
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
