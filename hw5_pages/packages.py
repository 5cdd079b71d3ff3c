r"""What packages of LaTeX add to formulas, in TeX that pandoc reads.

physics, braket      \dv{f}{x}   \qty(a + b)   \expval{A}{\psi}   \mqty(a & b \\ c & d)
amscd, bussproofs    diagrams of arrows, and proofs
TeX itself           a \over b   \large x   \root 3 \of x
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .tex import argument, around, in_words, option

DEFINITIONS = r"""
\newcommand{\LaTeX}{\text{LaTeX}} \newcommand{\TeX}{\text{TeX}}
\newcommand{\varlimsup}{\overline{\lim}} \newcommand{\varliminf}{\underline{\lim}}
\newcommand{\varinjlim}{\underrightarrow{\lim}} \newcommand{\varprojlim}{\underleftarrow{\lim}}
\DeclareMathOperator*{\injlim}{inj\,lim} \DeclareMathOperator*{\projlim}{proj\,lim}
\newcommand{\operatornamewithlimits}[1]{\operatorname*{#1}} \newcommand{\bold}[1]{\mathbf{#1}}
\newcommand{\mathnormal}[1]{#1} \newcommand{\textnormal}[1]{\text{#1}}
\newcommand{\textup}[1]{\text{#1}} \newcommand{\textsc}[1]{\text{#1}}
\newcommand{\textsl}[1]{\textit{#1}} \newcommand{\uline}[1]{\underline{#1}}
\newcommand{\raisebox}[2]{\text{#2}} \newcommand{\rule}[2]{\quad} \newcommand{\Rule}[3]{\quad}
\newcommand{\idotsint}{\int\!\cdots\!\int} \newcommand{\intop}{\int} \newcommand{\vcentcolon}{:}
\newcommand{\thinspace}{\,} \newcommand{\thickspace}{\;} \newcommand{\nobreakspace}{~}
\newcommand{\negthinspace}{\!} \newcommand{\negmedspace}{\!} \newcommand{\negthickspace}{\!}
\newcommand{\copyright}{\text{©}} \newcommand{\textregistered}{\text{®}}
\newcommand{\nicefrac}[2]{#1/#2} \newcommand{\sfrac}[2]{#1/#2} \newcommand{\flatfrac}[2]{#1/#2}
\newcommand{\vcenter}[1]{#1} \newcommand{\mathinner}[1]{#1} \newcommand{\mathchoice}[4]{#1}
\newcommand{\prescript}[3]{{}^{#1}_{#2}#3} \newcommand{\texttip}[2]{#1}
\newcommand{\mathtip}[2]{#1} \newcommand{\overunderset}[3]{\underset{#2}{\overset{#1}{#3}}}
\newcommand{\xRightarrow}[2][]{\underset{#1}{\overset{#2}{\Longrightarrow}}}
\newcommand{\xLeftarrow}[2][]{\underset{#1}{\overset{#2}{\Longleftarrow}}}
\newcommand{\xLeftrightarrow}[2][]{\underset{#1}{\overset{#2}{\Longleftrightarrow}}}
\newcommand{\xmapsto}[2][]{\underset{#1}{\overset{#2}{\longmapsto}}}
\newcommand{\xhookrightarrow}[2][]{\underset{#1}{\overset{#2}{\hookrightarrow}}}
\newcommand{\xtwoheadrightarrow}[2][]{\underset{#1}{\overset{#2}{\twoheadrightarrow}}}
\newcommand{\xlongequal}[2][]{\underset{#1}{\overset{#2}{=}}}

\newcommand{\ket}[1]{\left|#1\right\rangle} \newcommand{\bra}[1]{\left\langle #1\right|}
\newcommand{\Ket}[1]{\left|#1\right\rangle} \newcommand{\Bra}[1]{\left\langle #1\right|}
\newcommand{\Braket}[1]{\left\langle #1\right\rangle}
\newcommand{\set}[1]{\left\{#1\right\}} \newcommand{\Set}[1]{\left\{#1\right\}}

\newcommand{\abs}[1]{\left|#1\right|} \newcommand{\absolutevalue}[1]{\left|#1\right|}
\newcommand{\norm}[1]{\left\lVert #1\right\rVert} \newcommand{\eval}[1]{\left.#1\right|}
\newcommand{\pqty}[1]{\left(#1\right)} \newcommand{\bqty}[1]{\left[#1\right]}
\newcommand{\Bqty}[1]{\left\{#1\right\}} \newcommand{\vqty}[1]{\left|#1\right|}
\newcommand{\order}[1]{\mathcal{O}\left(#1\right)}
\newcommand{\comm}[2]{\left[#1, #2\right]} \newcommand{\commutator}[2]{\left[#1, #2\right]}
\newcommand{\acomm}[2]{\left\{#1, #2\right\}} \newcommand{\anticommutator}[2]{\left\{#1, #2\right\}}
\newcommand{\pb}[2]{\left\{#1, #2\right\}} \newcommand{\poissonbracket}[2]{\left\{#1, #2\right\}}
\newcommand{\mel}[3]{\left\langle #1\middle|#2\middle|#3\right\rangle}
\newcommand{\matrixel}[3]{\left\langle #1\middle|#2\middle|#3\right\rangle}
\newcommand{\vb}[1]{\mathbf{#1}} \newcommand{\vectorbold}[1]{\mathbf{#1}}
\newcommand{\va}[1]{\vec{\mathbf{#1}}} \newcommand{\vectorarrow}[1]{\vec{\mathbf{#1}}}
\newcommand{\vu}[1]{\hat{\mathbf{#1}}} \newcommand{\vectorunit}[1]{\hat{\mathbf{#1}}}
\newcommand{\grad}{\nabla} \newcommand{\gradient}{\nabla} \newcommand{\cross}{\times}
\newcommand{\divergence}{\nabla\cdot} \newcommand{\curl}{\nabla\times} \newcommand{\vdot}{\cdot}
\newcommand{\laplacian}{\nabla^2} \newcommand{\variation}[1]{\delta #1}
\newcommand{\differential}[1]{\mathrm{d}#1}
\DeclareMathOperator{\Tr}{Tr} \DeclareMathOperator{\tr}{tr} \DeclareMathOperator{\rank}{rank}
\DeclareMathOperator{\erf}{erf} \DeclareMathOperator{\Res}{Res} \DeclareMathOperator{\sech}{sech}
\DeclareMathOperator{\csch}{csch}
"""
"""Commands that have nothing but arguments in braces, as a notebook would define them."""

_LONGEST = 20_000  # no formula that anybody wrote is longer
_MOST = 100  # nor has more of one kind, and each goes through the rest of it

_REWRITES = tuple(
    (re.compile(pattern, re.S), new)
    for pattern, new in (
        (
            r"\\(?:tiny|scriptsize|footnotesize|small|normalsize|[lL]arge|LARGE|[hH]uge)(?![A-Za-z])",
            "",
        ),
        (r"\\(?:raise|lower|moveleft|moveright)\s*-?[\d.]+\s*[a-z]{2}", ""),
        (r"\\(vb|va|vu|qty|comm|dv|pdv|dd|expval|ev)\*", r"\\\1"),
        (r"\\verb\*?([^A-Za-z\s*])(.{0,200}?)\1", r"\\texttt{\2}"),
        (r"\\root\s{0,9}([^\\{}]{1,20}?|\{[^{}]*\})\s{0,9}\\of(?![A-Za-z])", r"\\sqrt[\1]"),
        (r"\\buildrel((?:(?!\\buildrel).){1,200}?)\\over(?![A-Za-z])", r"\\overset{\1}"),
        (r"\\(?:begin|end)\{subequations\}", ""),
        (
            r"\\begin\{rcases\}((?:(?!\\begin).)*?)\\end\{rcases\}",
            r"\\left.\\begin{matrix}\1\\end{matrix}\\right\\}",
        ),
    )
)
_SPACE = re.compile(
    r"\\hspace\*?\s{0,9}\{\s{0,9}([-+]?)(\d{0,9}\.?\d{0,9})\s{0,9}([a-z]{2})?[^{}]{0,99}\}"
)
_EMS = {"em": 1, "ex": 0.43, "pt": 0.1, "px": 0.08, "mm": 0.28, "cm": 2.8, "in": 7.2, "pc": 1.2}


def _space(found: re.Match[str]) -> str:
    sign, number, unit = found.groups()
    wide = float(number) * _EMS.get(unit, 0) if number.strip(".") else 0.0
    return r"\!" if sign == "-" else rf"\hspace{{{wide:.2f}em}}" if wide else r"\quad "


_OVER = re.compile(r"\\(?:over|(?P<bare>atop)|above\s*[\d.]+\s*[a-z]{2})(?![A-Za-z])")


def unpack(tex: str) -> str:
    """A formula without what packages add to it, but for the commands in `DEFINITIONS`. One that is
    longer than any stays as it is.
    """
    if len(tex) > _LONGEST:
        return tex
    for pattern, new in _REWRITES:
        tex = pattern.sub(new, tex)
    tex = _SPACE.sub(_space, tex)
    tex = _PROOF.sub(lambda found: _proof(found[1]) or found[0], _CD.sub(_arrows, tex))
    for _ in range(_MOST):
        found = _OVER.search(tex)
        if not found:
            break
        start, end = around(tex, found.start())
        above, below = tex[start : found.start()].strip(), tex[found.end() : end].strip()
        rows = rf"{{\begin{{matrix}}{above}\\{below}\end{{matrix}}}}"
        made = rows if found["bare"] else rf"\frac{{{above}}}{{{below}}}"
        tex = tex[:start] + made + tex[end:]
    at = 0
    for _ in range(_MOST):
        found = _COMMAND.search(tex, at)
        if not found:
            break
        at = found.end()
        if understood := _COMMANDS[found[1]](tex, at):
            made, end = understood
            tex, at = tex[: found.start()] + made + tex[end:], found.start()
    return tex


Understood = tuple[str, int] | None
"""What a command and its arguments are in other words, and where they end; None for what is none
of this package's."""


def _arguments(tex: str, at: int, most: int) -> tuple[list[str], int]:
    """So many groups at the most as stand here one behind the other."""
    given: list[str] = []
    while len(given) < most and tex[at : at + 1] == "{":
        one, at = argument(tex, at)
        given.append(one)
    return given, at


def _derivative(sign: str) -> Callable[[str, int], Understood]:
    def understood(tex: str, at: int) -> Understood:
        order, at = option(tex, at)
        given, at = _arguments(tex, at, 3 if "partial" in sign else 2)
        if not given:
            return None
        of, by = (given[0], given[1:]) if len(given) > 1 else ("", given)
        order = order or (str(len(by)) if len(by) > 1 else "")
        power = f"^{{{order}}}" if order else ""
        below = r"\,".join(f"{sign} {one}" for one in by) + (power if len(by) == 1 else "")
        return rf"\frac{{{sign}{power} {of}}}{{{below}}}", at

    return understood


def _differential(tex: str, at: int) -> Understood:
    order, then = option(tex, at)
    given, end = _arguments(tex, then, 1)
    power = f"^{{{order}}}" if order else ""
    return (rf"\mathrm{{d}}{power}{given[0]}", end) if given else None


_SIGN = re.compile(r"\\.|[{}()\[\]|]", re.S)
_FENCED = 4000  # signs, and no bracket holds more
_CLOSING = {"(": ")", "[": "]", "|": "|", "{": "}"}


def _fenced(tex: str, at: int) -> tuple[str, str, int]:
    """A bracket at `at`, what stands in it and where it ends; "" twice where there is none."""
    opening = tex[at : at + 1]
    closing = _CLOSING.get(opening, "")
    if opening == "{":
        return opening, *argument(tex, at)
    depth = braces = 0
    signs = _SIGN.finditer(tex, at, at + _FENCED) if closing else ()
    for sign in signs:
        braces += (sign[0] == "{") - (sign[0] == "}")
        if braces < 0:
            break
        if braces or sign[0] not in (opening, closing):
            continue
        depth += 1 if sign[0] == opening and (opening != closing or not depth) else -1
        if not depth:
            return opening, tex[at + 1 : sign.start()], sign.end()
    return "", "", at


def _quantity(tex: str, at: int) -> Understood:
    opening, said, end = _fenced(tex, at)
    if not opening or (opening == "{" and tex[end : end + 1] == "{"):  # siunitx has two arguments
        return None
    brace = "\\" if opening == "{" else ""
    return rf"\left{brace}{opening}{said}\right{brace}{_CLOSING[opening]}", end


_MATRICES = {"(": "pmatrix", "[": "bmatrix", "|": "vmatrix", "{": "matrix"}


def _matrix(name: str) -> Callable[[str, int], Understood]:
    def understood(tex: str, at: int) -> Understood:
        opening, said, end = _fenced(tex, at)
        shape = name or _MATRICES.get(opening, "")
        return (rf"\begin{{{shape}}}{said}\end{{{shape}}}", end) if opening else None

    return understood


def _product(tex: str, at: int) -> Understood:
    given, at = _arguments(tex, at, 2)
    said = r"\middle|".join(given)
    return (rf"\left\langle {said}\right\rangle ", at) if given else None


def _dyad(tex: str, at: int) -> Understood:
    given, at = _arguments(tex, at, 2)
    if not given:
        return None
    return rf"\left|{given[0]}\right\rangle\left\langle {given[-1]}\right|", at


def _expectation(tex: str, at: int) -> Understood:
    given, at = _arguments(tex, at, 2)
    if not given:
        return None
    of, state = given[0], given[1] if len(given) > 1 else ""
    said = rf"{state}\middle|{of}\middle|{state}" if state else of
    return rf"\left\langle {said}\right\rangle ", at


_COMMANDS: dict[str, Callable[[str, int], Understood]] = {
    **dict.fromkeys(("dv", "derivative"), _derivative(r"\mathrm{d}")),
    **dict.fromkeys(("pdv", "pderivative", "partialderivative"), _derivative(r"\partial")),
    **dict.fromkeys(("fdv", "functionalderivative"), _derivative(r"\delta")),
    "dd": _differential,
    **dict.fromkeys(("qty", "quantity"), _quantity),
    **dict.fromkeys(("mqty", "matrixquantity", "smqty"), _matrix("")),
    **{f"{shape}mqty": _matrix(f"{shape}matrix") for shape in "pbv"},
    **dict.fromkeys(("mdet", "matrixdeterminant"), _matrix("vmatrix")),
    **dict.fromkeys(("braket", "innerproduct", "ip"), _product),
    **dict.fromkeys(("ketbra", "dyad", "outerproduct"), _dyad),
    **dict.fromkeys(("expval", "ev", "expectationvalue"), _expectation),
}
_COMMAND = re.compile(rf"\\({'|'.join(sorted(_COMMANDS, key=len, reverse=True))})(?![A-Za-z])")


_CD = re.compile(r"\\begin\{CD\}((?:(?!\\begin).)*?)\\end\{CD\}", re.S)
_ARROW = re.compile(
    r"@(?:(?P<way>[<>VA])(?P<first>(?:\{[^{}]*\}|(?!(?P=way)).)*)(?P=way)"
    r"(?P<second>(?:\{[^{}]*\}|(?!(?P=way)).)*)(?P=way)|(?P<plain>[=|.]))",
    re.S,
)


def _arrows(found: re.Match[str]) -> str:
    """Things and the arrows between them, as the rows of a matrix."""

    def arrow(found: re.Match[str]) -> str:
        way, first, second = found["way"], found["first"], found["second"]
        if not way:
            return {"=": "=", "|": r"\parallel ", ".": ""}[found["plain"]]
        if way in "VA":
            sign = r"\downarrow" if way == "V" else r"\uparrow"
            return "".join((first and f"{{}}^{{{first}}}", sign, second and f"{{}}^{{{second}}}"))
        sign = r"\longrightarrow " if way == ">" else r"\longleftarrow "
        sign = rf"\overset{{{first}}}{{{sign}}}" if first else sign
        return rf"\underset{{{second}}}{{{sign}}}" if second else sign

    rows = []
    for row in re.split(r"\\\\", found[1]):
        if row.lstrip().startswith("@"):  # a column for each thing, and one for what is between
            rows.append(" & & ".join(map(arrow, _ARROW.finditer(row))))
        else:
            rows.append(_ARROW.sub(lambda one: f" & {arrow(one)} & ", row))
    body = r" \\ ".join(rows)
    return rf"\begin{{matrix}}{body}\end{{matrix}}"


_PROOF = re.compile(r"\\begin\{prooftree\}((?:(?!\\begin).)*?)\\end\{prooftree\}", re.S)
_STEP = re.compile(
    r"\\(?:(?P<many>Axiom|Unary|Binary|Trinary|A(?=XC)|U(?=IC)|B(?=IC)|T(?=IC))(?:InfC|XC|IC|C)"
    r"|(?P<side>Right|Left|R(?=L)|L(?=L))(?:Label|L)|noLine|singleLine|alwaysSingleLine)(?![A-Za-z])"
)
_PREMISES = {"A": 0, "U": 1, "B": 2, "T": 3}


def _proof(said: str) -> str:
    """A proof as fractions, premises over what follows; "" for what is not understood."""
    proved: list[str] = []
    left = right = ""
    for step in _STEP.finditer(said):
        if not (step["many"] or step["side"]):
            continue
        words, _ = argument(said, step.end())
        words = in_words(words)
        if step["side"]:
            left, right = (left, words) if step["side"][0] == "R" else (words, right)
            continue
        many = _PREMISES[step["many"][0]]
        if many > len(proved):
            return ""
        if many:
            premises = r"\qquad ".join(proved[-many:])
            words = rf"{left}\;\frac{{{premises}}}{{{words}}}\;{right}"
            del proved[-many:]
            left = right = ""
        proved.append(f"{{{words}}}")
    return proved[0] if len(proved) == 1 else ""
