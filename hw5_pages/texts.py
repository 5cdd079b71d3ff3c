"""Markdown and HTML on their way to pandoc, with their formulas and pictures taken out."""

from __future__ import annotations

import re

from hw5_notebook import MATH, VERBATIM, Cell

from .mathematics import define, expand, tidy, together
from .pictures import DATA_URI, keep
from .sheet import Sheet, as_typed, string

FRAGMENT = 100_000  # characters of HTML that are still set as such
TEXT = 50_000  # and of Markdown, which may be nothing but marks

_FORMATS = {
    "markdown": "commonmark+alerts+pipe_tables+strikeout+footnotes+task_lists+autolink_bare_uris"
    "+raw_html",
    "html": "html",
    "latex": "latex",
}


def set_markdown(sheet: Sheet, cell: Cell, text: str) -> None:
    """Hand a text to pandoc, its formulas and its built-in pictures taken out before."""
    if not text.strip():
        return
    text = DATA_URI.sub(lambda m: keep(sheet, m[1], m[2]), text)
    if len(text) > TEXT:
        sheet.note("too-long-text", f"{cell.name.capitalize()} is too long to be set as Markdown.")
        sheet.add(f"#plain({string(as_typed(text))})")
        return
    text = EMBEDDED.sub(lambda found: embedded(sheet, found), text)
    text = sheet.numbers.refer(MATH.sub(lambda m: _formula_of(sheet, m), text))
    text = TABLE.sub(_apart, text)
    sheet.add(fragment(sheet, "markdown", text + "\n"))  # a table must end with its line


def fragment(sheet: Sheet, kind: str, text: str) -> int:
    """A text for pandoc to read; brings its number, which is a line of the sheet."""
    sheet.fragments.append({"format": _FORMATS[kind], "text": text})
    return len(sheet.fragments) - 1


def _formula_of(sheet: Sheet, found: re.Match[str]) -> str:
    """Put a number where a formula was; code stays, and definitions are kept for what follows."""
    whole = found[0]
    if found["code"] is not None or found["escaped"] is not None:
        return whole
    if found["define"] is not None:
        define(whole, sheet.macros)
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
            maths = "`" not in tex and re.search(r"[\\^_={}+<>]", tex)
            if opening[0] == "\\" and len(tex) > 1 and not maths:
                return whole  # brackets that were only escaped
            break
    return keep_formula(sheet, whole, tex, alone)


def keep_formula(sheet: Sheet, whole: str, tex: str, alone: bool) -> str:
    """Keep a formula for pandoc; brings what stands for it in the text, "" for definitions alone.

    whole: as it was written, tex: without its dollars, alone: on a line of its own.
    """
    tex = sheet.numbers.refer(expand(define(tex, sheet.macros), sheet.macros))
    tidied, tag = tidy(tex)
    if not tidied:
        return ""
    rows = sheet.numbers.rows.get((sheet.cell.number if sheet.cell else 0, whole), ())
    if rows:
        sheet.rows[len(sheet.formulas)] = rows
    if tag := together(rows) or tag:
        sheet.tags[len(sheet.formulas)] = tag
    sheet.formulas.append((whole, tidied, alone))
    return f"\ue000{len(sheet.formulas) - 1}\ue001"


EMBEDDED = re.compile(
    VERBATIM
    + r"|<(?P<tag>video|audio|iframe)\b(?P<said>[^<>]*)>(?P<inside>.*?(?:</(?P=tag)\s*>|\Z))",
    re.M | re.S | re.I,
)


TABLE = re.compile(
    VERBATIM + r"|^[ \t]*\S[^\n]*\n(?P<lead>[ >]*)"
    r"(?=(?P<head>[^\n]*\|[^\n]*)\n[ >]*(?P<rule>[ :|-]*-[ :|-]*)$)",
    re.M | re.S,
)
"""A line of text right above a table, which Jupyter ends there and pandoc goes on with."""


def _apart(found: re.Match[str]) -> str:
    """An empty line between a text and the table below it."""
    if found["code"] is not None or "|" not in found["rule"]:
        return found[0]
    head, rule = (re.sub(r"\\\||`[^`]*`", "", found[row]).strip(" |") for row in ("head", "rule"))
    if head.count("|") != rule.count("|"):
        return found[0]
    text, lead = found[0][: found.start("lead") - found.start()], found["lead"]
    return f"{text}{lead.rstrip()}\n{lead}"


def embedded(sheet: Sheet, found: re.Match[str]) -> str:
    """Words in the place of a video, a sound or another page, with its address."""
    if found["code"] is not None:
        return found[0]
    name = {"video": "a video", "audio": "a sound", "iframe": "another page"}[found["tag"].lower()]
    address = re.search(
        r"""\bsrc\s*=\s*["']?(https?://[^\s"'<>]+)""", found["said"] + found["inside"]
    )
    tell_unshown(sheet, name)
    return f"<em>… {name}{f': {address[1]}' if address else ''} …</em>"


def tell_unshown(sheet: Sheet, what: str) -> None:
    """Say to the student that nobody will see this."""
    where = sheet.cell.name.capitalize() if sheet.cell else "A cell"
    sentence = f"{where} holds {what}, which a page cannot show: if it matters, show a picture too."
    sheet.note("interactive", sentence)
