"""Colours, strokes and ruled rows of formulas, which pandoc forgets.

They are taken out of TeX before it reads them and put into Typst's formula behind it. On their way
through pandoc they are marks in `\\text`, which stay where they are.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

from .colours import hexadecimal, of_parts, readable
from .tex import argument, in_words, option, rest_of_cell

_OPEN, _CLOSE, _END = "\ue005", "\ue006", "\ue007"  # around a mark; behind what it applies to

MOST = 100  # no formula has more of one kind, and each goes through the rest of it

_COLOURED = re.compile(
    r"\\(?P<how>textcolor|color|colorbox|fcolorbox|bbox|definecolor)(?![A-Za-z])"
)


def mark_colours(tex: str) -> str:
    """A formula with marks in the place of its colours; what nobody could read stays black."""
    own: dict[str, str] = {}
    tex = re.sub(f"[{_OPEN}{_CLOSE}{_END}]", "", tex)  # nobody else writes marks
    for _ in range(MOST):
        found = _COLOURED.search(tex)
        if not found:
            break
        how = found["how"]
        model, end = option(tex, found.end())
        if how == "definecolor":
            name, end = argument(tex, end)
            model, end = argument(tex, end)
            said, end = argument(tex, end)
            own[name], made = _colour(said, model, own), ""
        elif how == "bbox":
            body, end = argument(tex, end)
            ground = "".join(_colour(one, "", own) for one in re.split(r"[,\s]+", model))[:6]
            made = _marked("ground", ground, body)
            made = rf"\boxed{{{made}}}" if "border" in model else made
        else:
            said, end = argument(tex, end)
            if how == "fcolorbox":
                said, end = argument(tex, end)
            colour = _colour(said, model, own)
            if how == "color" and not tex[end:].lstrip().startswith("{"):
                last = rest_of_cell(tex, end)
                body, end = tex[end:last], last
            else:
                body, end = argument(tex, end)
            if how in ("color", "textcolor"):
                made = _marked("paint", readable(colour), body)
            else:
                made = _marked("ground", colour, in_words(body))
                made = rf"\boxed{{{made}}}" if how == "fcolorbox" else made
        tex = tex[: found.start()] + made + tex[end:]
    return tex


def _colour(said: str, model: str, own: Mapping[str, str]) -> str:
    """A colour in six hexadecimal digits; "" for what is none."""
    said = said.strip()
    if model not in ("rgb", "RGB", "gray"):
        return own.get(said) or hexadecimal(f"#{said}" if model == "HTML" else said)
    with contextlib.suppress(ValueError):
        parts = [float(one) * (1 if model == "RGB" else 255) for one in said.split(",")]
        red, green, blue = parts * 3 if model == "gray" else parts
        return of_parts(red, green, blue)
    return ""


def _marked(how: str, colour: str, body: str) -> str:
    """TeX between two marks; each cell of several, because no group of Typst's holds an `&`."""
    if not colour:
        return f"{{{body}}}"
    cells = [body] if r"\begin" in body else re.split(r"(\\\\|(?<!\\)&)", body)
    begin, end = rf"\text{{{_OPEN}{how} {colour}{_CLOSE}}}", rf"\text{{{_END}}}"
    cells[::2] = [f"{begin}{cell}{end}" if cell.strip() else cell for cell in cells[::2]]
    return f"{{{''.join(cells)}}}" if len(cells) == 1 else "".join(cells)


def in_red(words: str) -> str:
    """Words of a formula between the marks of a colour."""
    return _marked("paint", "a3251c", rf"\text{{{words}}}")


_STROKES = {"bcancel": "inverted", "xcancel": "cross"}


_ENCLOSED = {  # what MathJax sets around a formula, in the words of pandoc, {} for it
    "box": r"\boxed{{{}}}",
    "updiagonalstrike": r"\cancel{{{}}}",
    "downdiagonalstrike": r"\bcancel{{{}}}",
    "horizontalstrike": r"\cancel{{{}}}",
    "verticalstrike": r"\cancel{{{}}}",
    "top": r"\overline{{{}}}",
    "bottom": r"\underline{{{}}}",
    "longdiv": r"\left)\overline{{{}}}\right.",
    "actuarial": r"\left.\overline{{{}}}\right|",
    "radical": r"\sqrt{{{}}}",
    "left": r"\left|{}\right.",
    "right": r"\left.{}\right|",
}
_ENCLOSED |= {"roundedbox": _ENCLOSED["box"], "circle": _ENCLOSED["box"]}


def enclose(tex: str) -> str:
    """A formula in which what is enclosed is boxed, struck through or has lines at its sides."""
    for _ in range(MOST):
        found = re.search(r"\\enclose(?![A-Za-z])", tex)
        if not found:
            break
        how, end = argument(tex, found.end())
        _, end = option(tex, end)
        body, end = argument(tex, end)
        for one in re.split(r"[,\s]+", how):
            body = _ENCLOSED.get(one, "{}").format(body)
        tex = f"{tex[: found.start()]}{{{body}}}{tex[end:]}"
    return tex


def mark_strokes(tex: str) -> str:
    """A formula in which each stroke is a `\\cancel`, with a mark of its kind."""
    tex = re.sub(
        r"\\(bcancel|xcancel)\s*\{",
        lambda m: rf"\cancel{{\text{{{_OPEN}{_STROKES[m[1]]}{_CLOSE}}}",
        tex,
    )
    for _ in range(MOST):
        found = re.search(r"\\cancelto(?![A-Za-z])", tex)
        if not found:
            break
        to, end = argument(tex, found.end())
        body, end = argument(tex, end)
        tex = rf"{tex[: found.start()]}\cancel{{{body}}}^{{{to}}}{tex[end:]}"
    return tex


RULED = re.compile(
    r"\\begin\{(?P<name>array|[bpvVB]?matrix)\}(?P<spec>\s*\{[lcr|\s]*\})?"
    r"(?P<rows>(?:(?!\\begin|\\end).)*)\\end\{(?P=name)\}",
    re.S,
)
_RULE = re.compile(r"\s*\\(?:hline|hdashline)(?![A-Za-z])")


def mark_rules(found: re.Match[str]) -> str:
    """Rows without their lines, and with a mark that says where these are."""
    spec = re.sub(r"\s", "", found["spec"] or "").strip("{}")
    rows: list[str] = []
    across: list[int] = []
    for number, row in enumerate(re.split(r"\\\\", found["rows"])):
        while rule := _RULE.match(row):
            row = row[rule.end() :]
            across += [number]
        rows.append(row)
    if not across and "|" not in spec:
        return found[0]
    if len(rows) > 1 and not rows[-1].strip():
        rows.pop()
    down = [len(spec[:at].replace("|", "")) for at, sign in enumerate(spec) if sign == "|"]
    lines = ";".join(",".join(map(str, sorted({*some}))) for some in (across, down))
    mark = rf"\text{{{_OPEN}lines {lines}{_CLOSE}}}"
    spec = f"{{{spec.replace('|', '')}}}" if found["spec"] else ""
    joined = r"\\".join(rows)
    return rf"\begin{{{found['name']}}}{spec}{mark}{joined}\end{{{found['name']}}}"


def is_ruled(rows: str) -> bool:
    """Is there such a mark in these rows?"""
    return f"{_OPEN}lines" in rows


_COLOUR_MARK = re.compile(
    rf'upright\("{_OPEN}(paint|ground) ([0-9a-f]{{6}}){_CLOSE}"\)'
    rf'((?:(?!upright\("[{_OPEN}{_END}]).)*?)upright\("{_END}"\)',
    re.S,
)
_STROKE_MARK = re.compile(rf'cancel\(upright\("{_OPEN}(inverted|cross){_CLOSE}"\)')
_LINES_MARK = re.compile(
    rf'mat\((delim: [^,]+, )upright\("{_OPEN}lines ([\d,]*);([\d,]*){_CLOSE}"\)'
)
CODE = (
    r"|(?<=inverted: )#true|(?<=cross: )#true"
    r"|(?<=augment: )#\(hline: \([\d,]*\), vline: \([\d,]*\)\)|(?<=gap: )#[\d.]+em"
)
"""What Typst's formula then holds of code, for the pattern of what is harmless."""


def decorated(formula: str) -> str:
    """Typst's formula with what the marks say; marks that pandoc has torn apart go."""
    many = 1
    while many:
        formula, many = _COLOUR_MARK.subn(r'\1("\2", \3)', formula)
    formula = _STROKE_MARK.sub(r"cancel(\1: #true,", formula)

    def lines(found: re.Match[str]) -> str:
        across, down = (f"({some}{',' if some else ''})" for some in (found[2], found[3]))
        gaps = "row-gap: #0.5em, column-gap: #0.9em"
        return f"mat({found[1]}augment: #(hline: {across}, vline: {down}), {gaps}, "

    formula = _LINES_MARK.sub(lines, formula)
    return re.sub(rf'upright\("[{_OPEN}{_END}][^"]*"\) ?', "", formula)
