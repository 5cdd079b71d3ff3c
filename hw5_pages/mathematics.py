"""Formulas: what MathJax takes of TeX, in the words of pandoc; and what pandoc makes of it.

    TeX -> macros expanded -> what pandoc reads -> Typst, looked through for code

Here is text alone: which formula stands where is for texts.py, who runs pandoc for pandoc.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hw5_notebook import MATH, VERBATIM, Notebook

from . import decorations
from .chemistry import reaction, unit
from .packages import DEFINITIONS, unpack
from .tex import argument, in_rows, rest_of_cell

Macros = dict[str, tuple[int, str | None, str]]
"""Name -> how many arguments, the default of the first, the body."""

_DEFINITION = re.compile(
    r"\\(?P<how>(?:re|provide)?newcommand\*?|DeclareMathOperator(?P<star>\*?)|def|let)\s*"
    r"(?:\{\s*(?P<braced>\\[A-Za-z]+|\\.)\s*\}|(?P<bare>\\[A-Za-z]+|\\.))"
)
_LIMITS = "\ue002"  # marks an operator with its limits below it on the way through pandoc
_ROWS = "\ue004"  # and rows that stand side by side with other things, without brackets
_LONG = "\ue008"  # and an arrow that is as long as what stands above it
_STROKE = "\ue009"  # and the first sign of a command, where it is shown


def _run(pattern: str, tex: str, at: int) -> str:
    """As much as stands at `at` of such characters; it may be nothing."""
    found = re.compile(pattern).match(tex, at)
    return found[0] if found else ""


def define(tex: str, macros: Macros) -> str:
    """Take the definitions out of a formula and keep them; returns what is left of it."""
    while found := _DEFINITION.search(tex):
        name, end = found["braced"] or found["bare"], found.end()
        count, default = 0, None
        if found["how"] == "def":
            parameters = _run(r"(?:#\d)*", tex, end)
            count, end = len(parameters) // 2, end + len(parameters)
        elif found["how"] == "let":
            end += len(_run(r"\s*=?", tex, end))
        elif number := re.compile(r"\s*\[(\d)\]").match(tex, end):
            count, end = int(number[1]), number.end()
            if optional := re.compile(r"\s*\[([^\]]*)\]").match(tex, end):
                default, end = optional[1], optional.end()
        body, end = argument(tex, end)
        if found["how"].startswith("Declare"):
            body = rf"\operatorname{found['star']}{{{body}}}"
        macros[name] = (count, default, body)
        tex = tex[: found.start()] + tex[end:]
    return tex


def expand(tex: str, macros: Macros) -> str:
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
            one, end = argument(tex, end)
            given.append(one)
        pieces = re.split(r"#(\d)", body)
        pieces[1::2] = [given[int(n) - 1] if 0 < int(n) <= count else "" for n in pieces[1::2]]
        body = re.sub(r"(\\[A-Za-z]+)\x00(?=[A-Za-z])", r"\1 ", "\x00".join(pieces))
        body = body.replace("\x00", "")
        if body.count(r"\begin") == body.count(r"\end") and _paired(body):
            body = f"{{{body}}}"
        tex, at = tex[: found.start()] + body + tex[end:], found.start()
    return tex


def _paired(tex: str) -> bool:
    """Does every delimiter that grows have its other half here?"""
    return len(re.findall(r"\\left\b", tex)) == len(re.findall(r"\\right\b", tex))


_KNOWN: Macros = {}
"""What packages define; a notebook's own definitions have taken their turn before."""
define(DEFINITIONS, _KNOWN)

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
        (r"\\[hv]?phantom\s*\{[^{}]*\}", r"\\quad "),
        (r"\\smash\s*(?:\[[^\]]*\])?", ""),
        (r"\\href\s*\{[^{}]*\}", ""),
        (r"\\[dtc]frac(?![A-Za-z])", r"\\frac"),
        (r"\\[dt]binom(?![A-Za-z])", r"\\binom"),
        (r"\\(?:mathbbm|mathds|Bbb)(?![A-Za-z])", r"\\mathbb"),
        (r"\\(?:mbox|hbox)\s*(?=\{)", r"\\text"),
        (r"\\(?:class|style|cssId)\s*(?:\{[^{}]*\}|\[[^\]]*\])", ""),
        (r"\\(?:math)?(?:rlap|llap|clap)(?![A-Za-z])|\\shove(?:left|right)(?![A-Za-z])", ""),
        (r"\\(?:hskip|kern|mskip|mkern)\s*-[\d.]+\s*(?:em|ex|mu|pt|cm|mm|in)", ""),
        (r"\\(?:hfill|(?:hskip|kern|mskip|mkern)\s*[\d.]+\s*(?:em|ex|mu|pt|cm|mm|in))", r"\\quad "),
        (r"\\(big|Big|bigg|Bigg)m(?![A-Za-z])", r"\\\1"),
        (r"\\enspace(?![A-Za-z])|\\mspace\s*\{[^{}]*\}", r"\\;"),
        (r"\\degree(?![A-Za-z])", r"{}^\\circ "),
        (r"\\AA(?![A-Za-z])", r"\\text{Å}"),
        (r"\\S(?![A-Za-z])", r"\\text{§}"),
        (r"\\P(?![A-Za-z])", r"\\text{¶}"),
        (r"\\square(?![A-Za-z])", r"\\Box"),  # which is as large as a letter
        (r"\\sideset\s*\{([^{}]*)\}\s*\{([^{}]*)\}\s*(\\[A-Za-z]+)", r"{}\1\3{}\2"),
        (r"(\\x(?:right|left)arrow)(?=\s*[\[{])", rf"\\text{{{_LONG}}}\1"),
        (r"\\xleftrightarrow(?=\s*\{)", r"\\overset\\leftrightarrow"),
        (r"\\intertext\s*(\{[^{}]*\})", r"\\\\ \\text\1\\\\"),
        (r"\\(?:displaylines|eqalign)\s*\{(.*)\}", r"\\begin{aligned}\1\\end{aligned}"),
        (r"\\begin\{(aligned|gathered|alignedat|split)\}\s*\[[tbc]\]", r"\\begin{\1}"),
        (r"\\(begin)\{(\w*matrix)\*\}\s*(?:\[[lcr]\])?|\\(end)\{(\w*matrix)\*\}", r"\\\1\3{\2\4}"),
        (r"\\(begin|end)\{dcases\}", r"\\\1{cases}"),
        (
            r"\\left\s*\\(?:\{|lbrace(?![A-Za-z]))\s*\\begin\{(array|matrix|aligned)\}(?:\s*\{[lcr|]*\})?"
            r"((?:(?!\\begin).)*?)\\end\{\1\}\s*\\right\s*\.",
            r"\\begin{cases}\2\\end{cases}",
        ),
        (r"\\(begin|end)\{(?:math|displaymath|equation)\*?\}", ""),
        (
            r"\\begin\{vmatrix\}((?:(?!\\begin\{v).)*?)\\end\{vmatrix\}",
            r"\\left|\\begin{matrix}\1\\end{matrix}\\right|",
        ),
        (
            r"\\begin\{Vmatrix\}((?:(?!\\begin\{V).)*?)\\end\{Vmatrix\}",
            r"\\left\\|\\begin{matrix}\1\\end{matrix}\\right\\|",
        ),
        (r"\\(?:arg)(max|min)(?![A-Za-z])", r"\\operatorname*{arg\\,\1}"),
        (
            r"\\mathop\s*\{\s*\\(?:mathrm|text|rm)\s{0,9}\{?([^{}\\]*)\}?\s{0,9}\}",
            r"\\operatorname*{\1}",
        ),
        (r"\\operatorname\*\s*\{", rf"\\operatorname{{{_LIMITS}"),
        (r"\\(?:big|Big|bigg|Bigg)[lrm]?(?=\s*\\[^{}])", ""),
        (r"\\left\s*\.((?:(?!\\left).)*?)\\right\s*(\\[}|]|[|\])])", r"\1\\bigg\2"),
        (r"\\newline(?![A-Za-z])", r"\\\\"),
        (
            r"\\substack\s*\{((?:[^{}]|\{[^{}]*\})*)\}",
            r"\\begin{matrix}\1\\end{matrix}",
        ),
    )
)


_SWITCH = re.compile(r"\\(bf|rm|it|sf|tt|cal)(?![A-Za-z])\s*")


def _switched(tex: str) -> str:
    """TeX in which each letter form, such as `\\bf`, has what it applies to as its argument."""
    for _ in range(decorations.MOST):
        found = _SWITCH.search(tex)
        if not found:
            break
        end = rest_of_cell(tex, found.end())
        words = tex[found.end() : end]
        tex = f"{tex[: found.start()]}\\math{found[1]}{{{words}}}{tex[end:]}"
    return tex


def _chemistry(tex: str) -> str:
    """TeX in which reactions and units are formulas like others; those that nobody reads, words."""
    for _ in range(decorations.MOST):
        found = re.search(r"\\(ce|pu)\s*(?=\{)", tex)
        if not found:
            break
        said, end = argument(tex, found.end())
        made = (reaction if found[1] == "ce" else unit)(said) or rf"\text{{{said}}}"
        tex = f"{tex[: found.start()]}{{{made}}}{tex[end:]}"
    return tex


_NORM = re.compile(
    r"(?<!\\)(?<!\\left)(?<!\\right)\\\|(?P<of>(?:(?!\\\||\\\\|[=&]).)+)(?<!\\right)\\\|", re.S
)


def _norm(found: re.Match[str]) -> str:
    """Bars around something stand close to it; two of them in `p \\| q) + (r \\| s` do not."""
    of, depth = found["of"], 0
    for sign in re.sub(r"\\[A-Za-z]+", "", of):
        depth += (sign in "([{") - (sign in ")]}")
        if depth < 0:
            return found[0]
    return found[0] if depth else rf"\lVert {of}\rVert "


_INNER_ROWS = re.compile(
    r"(?P<fence>\\left\s*(?:[(\[|]|\\[{|])\s*)?"
    r"\\begin\{(?P<name>(?:small)?matrix|array|cases)\}"
    r"(?P<rows>(?:(?!\\begin).)*?)\\end\{(?P=name)\}",
    re.S,
)


def _rows(found: re.Match[str]) -> str:
    """Rows within a formula: pandoc takes those without brackets, and cases of one column, for
    lines of the whole formula."""
    rows = found["rows"]
    if found["name"] == "cases":
        if "&" in rows:
            rows = re.sub(r"(?<!\\)&(?!\s*[=<>])", r"&\\quad ", rows)
        else:
            rows = rows.replace("\\\\", "&\\\\") + "&"
        return rf"{found['fence'] or ''}\begin{{cases}}{rows}\end{{cases}}"
    lines = found["name"] == "array" and not re.match(r"\s*\{[c|]*\}", rows)
    lines &= not decorations.is_ruled(rows)
    if found["fence"] or (found[0] == found.string and lines):
        return found[0].replace("{smallmatrix}", "{matrix}")
    rows = re.sub(r"\A\s*\{[lcr|]*\}|\\hline(?![A-Za-z])", "", rows)
    return rf"\begin{{Bmatrix}}{_ROWS}{rows}\end{{Bmatrix}}"


_COMMAND = re.compile(
    r"\\\\|\\(?!(?:begin|end|left|right|middle|[bB]igg?[lrm]?|text\w*|hline|not)(?![A-Za-z]))[A-Za-z]+"
)


def commands(tex: str) -> set[str]:
    """The commands in a formula that stand for something by themselves."""
    return set(_COMMAND.findall(tex)) - {r"\\"}


def show_commands(tex: str, unknown: Collection[str]) -> str:
    """A formula in which commands that nobody knows are words, in red as MathJax shows them."""
    return _COMMAND.sub(
        lambda m: decorations.in_red(_STROKE + m[0][1:]) if m[0] in unknown else m[0], tex
    )


def tidy(tex: str) -> tuple[str, str]:
    """A formula in what pandoc reads of TeX, and its tag."""
    tags: list[str] = []

    def keep(found: re.Match[str]) -> str:
        tags.append(found[1])
        return ""

    tex = re.sub(r"\\tag\*?\s*\{([^{}]*)\}", keep, tex)
    tex = expand(unpack(tex), _KNOWN)
    tex = re.sub(r"\\unicode\s*\{x([0-9a-fA-F]{2,4})\}", lambda m: chr(int(m[1], 16)), tex)
    tex = _chemistry(decorations.mark_strokes(decorations.mark_colours(decorations.enclose(tex))))
    for pattern, new in _REWRITES:
        tex = pattern.sub(new, tex)
    tex = re.sub(r"(\\text\w*\s*\{[^{}]*\})|(?<!\\)\\&", lambda m: m[1] or r"\text{\&}", tex)
    tex = _NORM.sub(_norm, _switched(tex))
    tex = _INNER_ROWS.sub(_rows, decorations.RULED.sub(decorations.mark_rules, tex.strip()))
    if in_rows(tex):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return tex, ", ".join(tags)


_TYPST_CODE = re.compile(
    r"#h\(-?[\d.]+em\)|#none\b|(?<=size: )#\d+%|(?<=limits: )#true"
    r"|#box\(stroke: black, inset: 3pt, \[\$|\$\]\)" + decorations.CODE
)


def harmless(formula: str) -> bool:
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


_DRAWING = re.compile(r"\\begin\{(tikz\w*|circuitikz|prooftree|forest|algorithm\w*)\}")


def drawing(tex: str) -> str:
    """The environment for which this is a drawing or a listing, and no formula; "" for formulas."""
    found = _DRAWING.search(tex)
    return found[1] if found else ""


def converted(text: str) -> str:
    """Typst's formula between its dollar signs, or "" where pandoc gave TeX back."""
    text = text.strip()
    text = re.sub(r"<[\w:.-]*>$", "", text)
    if not (text.startswith("$") and text.endswith("$") and len(text) > 2):
        return ""
    text = re.sub(rf'"{_LIMITS}([^"\\]*)"', r'op("\1", limits: #true)', text[1:-1].strip())
    text = re.sub(rf'delim: "\{{", {_ROWS} ?', "delim: #none, ", text)
    text = re.sub(rf'upright\("{_LONG}"\) (arrow\.[lr])(?![A-Za-z.])', r"stretch(\1)", text)
    text = (
        text.replace(_LIMITS, "")
        .replace(_LONG, "")
        .replace(_STROKE, r"\\")
        .replace(_ROWS, "")
        .replace('delim: "||"', 'delim: "‖"')
    )
    text = decorations.decorated(text)
    text = re.sub(r"#scale\(x: (\d+)%, y: \d+%\)\[\\?(.)\]", r"stretch(size: #\1%, \\\2)", text)
    text = text.replace("#h(-1em)", "#h(-0.17em)")  # it has taken \\! for that much,
    text = text.replace("#h(0em)", "thick")  # and \\; for nothing
    text = re.sub("∥([^∥]*)∥", r"lr(bar.v.double \1 bar.v.double)", text)
    text = re.sub(r"(?<![A-Za-z.])(dot|times|plus|minus|dash)\.circle\b", r"\1.o", text)  # renamed
    text = "\\\n".join(map(_apart, text.split("\\\n")))
    return text if harmless(text) else ""


_REFERENCE = re.compile(VERBATIM + r"|\\(?P<how>eqref|ref)\s*\{(?P<label>[^{}]*)\}", re.M | re.S)
_NUMBERED = re.compile(r"\\begin\{(equation|align|gather|multline|eqnarray|alignat|flalign)\}")
_INNER = re.compile(
    r"\\begin\{(\w*matrix|\w*cases|array|aligned|gathered|split)\}.*?\\end\{\1\}", re.S
)


@dataclass(frozen=True)
class Numbers:
    """Numbers of the equations of a notebook that refers to some of them, as MathJax gives them."""

    rows: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)  # by cell, TeX
    labels: Mapping[str, str] = field(default_factory=dict)

    def refer(self, text: str) -> str:
        """A text with numbers in the place of references."""

        def number(found: re.Match[str]) -> str:
            said = self.labels.get(found["label"] or "")
            if found["code"] is not None or said is None:
                return found[0]
            return f"({said})" if found["how"] == "eqref" else said

        return _REFERENCE.sub(number, text)


def number_equations(notebook: Notebook) -> Numbers:
    """The numbers of a notebook's equations; none where no text refers to one."""
    texts = [cell for cell in notebook.cells if cell.kind == "markdown"]
    if not any(found["how"] for cell in texts for found in _REFERENCE.finditer(cell.source)):
        return Numbers()
    rows: dict[tuple[int, str], tuple[str, ...]] = {}
    labels: dict[str, str] = {}
    count = 0
    for cell, found in ((one, found) for one in texts for found in MATH.finditer(one.source)):
        whole, given = found["display"] or "", []
        for row, numbered in _equations(whole):
            tag = re.search(r"\\tag\*?\s*\{([^{}]*)\}", row)
            label = re.search(r"\\label\s*\{([^{}]*)\}", row)
            if not (tag or label or numbered):
                given.append("")
                continue
            count += not tag
            given.append(tag[1] if tag else str(count))
            if label:
                labels[label[1]] = given[-1]
        if any(given):
            rows[cell.number, whole] = tuple(given)
    return Numbers(rows, labels)


def together(rows: Sequence[str]) -> str:
    """One tag for a formula whose rows have these numbers."""
    given = [number for number in rows if number]
    return f"{given[0]}–{given[-1]}" if len(given) > 2 else ", ".join(given)


def numbered(formula: str, numbers: Sequence[str]) -> str:
    """Typst's formula with a number in each of its rows, which the template sets at the margin; as
    it is where its rows are others.
    """
    rows = re.split(r"\\\n", re.sub(r"\\\s*\Z", "", formula))
    points = [len(_alignments(row)) for row in rows]
    harmless_ones = all(re.fullmatch(r"[\w.,*' -]*", number) for number in numbers)
    if len(rows) != len(numbers) or len(rows) < 2 or not harmless_ones:
        return formula
    column = max(points) + 1 if any(points) else 0
    return "\\\n".join(
        f'{row} {"& " * (column - many)}rownumber("{number}")' if number else row
        for row, many, number in zip(rows, points, numbers, strict=True)
    )


def _alignments(row: str) -> list[int]:
    """Where in a row the points are that stand in line with those of others."""
    found, depth = [], 0
    for token in re.finditer(r'"(?:\\.|[^"\\])*"|\\.|[()&]', row, re.S):
        depth += (token[0] == "(") - (token[0] == ")")
        if token[0] == "&" and depth == 0:
            found.append(token.start())
    return found


def _apart(row: str) -> str:
    """A row in which equations that stand beside one another have room between them."""
    points = _alignments(row)
    for before, point in reversed([*zip(points[::2], points[1::2], strict=False)]):
        if len(row[before + 1 : point].split()) > 1:  # no sign alone, as in an eqnarray
            row = f"{row[: point + 1]} quad {row[point + 1 :]}"
    return row


def _lines(tex: str) -> list[str]:
    """The lines of rows of equations: what breaks within a group, as in `\\substack`, is none."""
    lines, begun, depth = [], 0, 0
    for sign in re.finditer(r"\\.|[{}]", tex, re.S):
        depth += (sign[0] == "{") - (sign[0] == "}")
        if sign[0] == r"\\" and depth <= 0:
            lines.append(tex[begun : sign.start()])
            begun = sign.end()
    return [*lines, tex[begun:]]


def _equations(tex: str) -> Iterator[tuple[str, bool]]:
    """The equations of a displayed formula, and whether each has a number without asking."""
    found = _NUMBERED.search(tex)
    if not found:
        yield tex, False
        return
    whole = found[1] in ("equation", "multline")
    for row in [tex] if whole else _lines(_INNER.sub("x", tex)):
        if re.sub(r"\\(?:begin|end)\{[^}]*\}|[$\s]", "", row):
            yield row, not re.search(r"\\(?:nonumber|notag)(?![A-Za-z])", row)
