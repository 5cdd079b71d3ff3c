"""Formulas are set, numbered and looked through for code."""

from __future__ import annotations

import io
import time

import pytest
from pypdf import PdfReader

from hw5_notebook import parse_notebook
from hw5_pages import mathematics, pandoc
from tests.hw5_pages.looking import pages, printed
from tests.notebooks_awkward.cells import markdown, notebook


def test_mathematics_is_set_and_not_typed():
    tex = r"$$\mathbb{E}_q\left[\log\frac{p(x)}{q(z)}\right] = \begin{pmatrix}1\\2\end{pmatrix}$$"
    result = printed(
        notebook(markdown(f"Before {tex} after, $\\operatorname{{KL}}(q\\|p)\\geq 0$."))
    )
    text = pages(result.pdf)[0]
    assert result.findings == ()
    for words in ("𝔼", "log", "KL", "≥", "Before", "after,"):
        assert words in text
    assert "\\" not in text and "$" not in text


@pytest.mark.parametrize(
    "tex",
    [
        r"a \odot b \otimes c \oplus d \ominus e \cap f",
        r"\begin{vmatrix} a & b \\ c & d \end{vmatrix} \begin{Vmatrix} a \end{Vmatrix}",
        r"\tfrac12 + \dfrac{1}{2} + \dbinom{n}{k} + \mathbbm{1}_{x} + \mathds{R}",
        r"{\bf x}^{\rm T} \color{red}{y} \textcolor{blue}{z} \phantom{w} \smash{v}",
        r"\sum\limits_{i} \displaystyle x \tag{3} \label{eq:x} \nonumber",
        r"a &= b \\ c &= d",
        r"x &lt; y \quad \text{if } z > 0 % a comment",
        r"\left. \frac{df}{dx} \right|_{x=0} \bigg\| \Big[ \big(",
        r"\underbrace{a + b}_{\text{both}} \overset{!}{=} \stackrel{d}{\to} \xrightarrow{n}",
        r"\degree + \AA \ce{H2O} \hskip 1em \mathrlap{x} \style{color:red}{z} \Bbb R \rm d",
        r"\begin{split}[t] a&=b\end{split} \begin{bmatrix*}[r] -1 \end{bmatrix*} \& {\bf a_{i}}",
        r"\text{R:}\\ \begin{array}{lr} q & 0 \\ p & 1 \end{array} + 1 \\& b",
        r"\displaylines{a\\b} x\bigm| y",
        r"\newcommand{\n}[1]{\left\lVert#1\right\rVert} \n{w}^2 \xleftrightarrow{a}",
        r"\begin{dcases} 1 & x \\ 0 & y \end{dcases} \not= \mathop{\mathrm{argmin}}_x",
    ],
)
def test_tex_that_pandoc_alone_would_refuse_is_set(tex):
    assert printed(notebook(markdown(f"$${tex}$$"))).findings == ()


def test_bars_around_something_are_told_from_bars_between():
    assert mathematics.tidy(r"\|f(x)\|_2")[0] == r"\lVert f(x)\rVert _2"
    for tex in (r"(q\|p) + (r\|s)", r"\left\|x\right\|"):
        assert mathematics.tidy(tex)[0] == tex


WRITTEN = {
    r"{\bf x_{i}} + {\rm d}x": "upright(bold(x_i)) + upright(d) x",
    r"a\!b": "a #h(-0.17em) b",  # pandoc takes it for six times as much
    r"a\;b \enspace c": "a thick b thick c",  # and these for nothing
    r"\left\lVert x\right\rVert_2": "lr(bar.v.double x bar.v.double)_2",
    r"c \& d": 'c upright("&") d',
    r"\left.x\right|_0 \Bigl[": r"x stretch(size: #240%, \|)_0 stretch(size: #180%, \[)",
    r"\mathop{\mathrm{softmax}}_i": 'op("softmax", limits: #true)_i',
    r"a \xrightarrow[b]{c} d \xleftarrow{f} e": "a stretch(arrow.r)_b^c d stretch(arrow.l)^f e",
    r"M_\odot + x^\otimes": "M_dot.o + x^times.o",  # renamed in Typst
    r"\S \square": 'upright("§") square.stroked',
    r"\enclose{updiagonalstrike}{x} \enclose{top,bottom}{y}": "cancel(x) underline(overline(y))",
    r"\enclose{longdiv}[mathcolor='red']{12} \enclose{other}{z}": r"\)overline(12) z",
}


def test_what_pandoc_would_change_is_written_as_it_is():
    asked = [mathematics.tidy(tex)[0] for tex in WRITTEN]
    assert pandoc.read([], asked) == ([], list(WRITTEN.values()))


ROWS = {
    r"x = \begin{array}{c|c} a & b\\ \hline c & d\end{array} + 1": "a, b; c, d) + 1",
    r"\sum_{\substack{i<j\\k_{2}}} x": "sum_(mat(delim: #none, i < j; k_2)) x",
    r"\sum_{i \atop j} x": "#none, i; j",
    r"\begin{array}{|c|c|} \hline a & b \\ c & d\end{array}": "mat(delim: #none, augment: ",
    r"\left(\begin{smallmatrix} a \\ c \end{smallmatrix}\right)": "vec(a, c)",
    r"\left\langle\begin{matrix}a\\b\end{matrix}\right\rangle": "⟨mat(delim: #none, a; b)⟩",
    r"\begin{cases}x + y = 1 \\ x = 2\end{cases}": "x + y = 1 & , x = 2 &",
    r"\left\{\begin{array}{l} x \\ z\end{array}\right.": "cases(",
    r"\left\{\begin{aligned} x &= y \\ z &= w\end{aligned}\right.": "x & = y, z & = w",
}


def test_rows_within_a_formula_stay_together():
    _, written = pandoc.read([], [mathematics.tidy(tex)[0] for tex in ROWS])
    for said, formula in zip(ROWS.values(), written, strict=True):
        assert said in formula and "\n" not in formula and mathematics.harmless(formula)


@pytest.mark.parametrize(
    ("formula", "harmless"),
    [
        (r"a + b", True),
        (r'upright("#read(1)") x', True),
        (r'upright("\") #read(1)")', True),
        (r"lr(size: #120%, \() x", True),
        (r"#h(2em) \# \$", True),
        (r"#box(stroke: black, inset: 3pt, [$ a = b $])", True),
        ("#read(1)", False),
        (r'upright("a") #panic()', False),
        (r'"unclosed #read(1)', False),
        (r"#scale(x: 120%, y: 120%)[x]", False),
        (r"\\#read(1)", False),
        ("$] #read(1) [$", False),
    ],
)
def test_only_formulas_without_code_are_handed_to_typst(formula, harmless):
    assert mathematics.harmless(formula) is harmless


def test_of_a_formula_with_a_command_that_nobody_knows_only_this_command_is_a_word():
    refused = r"$$\begin{nosuch} a \end{nosuch}$$"
    text = r"So $\KL{q} + \frac{1}{2}$ and" + f"\n{refused}\n{refused}"
    result = printed(notebook(markdown(text)))
    said, other = (finding.sentence for finding in result.findings)
    assert r"uses \KL, which nothing here defines" in said and "as it was typed" in other
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(result.pdf)).pages)
    assert r"\KL 𝑞 +" in text and r"\frac" not in text
    assert text.splitlines().count(refused) == 2  # each on lines of its own


def test_a_line_that_breaks_within_a_group_is_no_row_with_a_number():
    text = r"""By \eqref{b}: \begin{align}
    a &= \sum_{\substack{i \\ j}} 1 \label{a} \\ c &= \underbrace{x}_{\text{d \\ e}} \label{b}
    \end{align}"""
    numbers = mathematics.number_equations(parse_notebook(notebook(markdown(text)), "book"))
    assert numbers.labels == {"a": "1", "b": "2"}


NUMBERED = r"""By \eqref{last}, \eqref{a}, $\eqref{s}$ and (\ref{own}), not `\eqref{a}`.

\begin{equation}
a = 1 \label{a}
\end{equation}

\begin{align}
p &= 2 \\ r &= \begin{pmatrix} 3 \\ 4 \end{pmatrix} \nonumber \\ s &= 5 \label{s} \\
\end{align}

$$y = 6 \tag{T} \label{own}$$

$$z = 7$$

\begin{gather} u = 8 \\ v = 9 \notag \\ t = 10 \end{gather}
"""


def test_equations_that_are_referred_to_have_their_numbers():
    last = r"$$\begin{equation} w = 8 \text{ by \eqref{a}} \label{last} \end{equation}$$"
    result = printed(notebook(markdown(NUMBERED), markdown(last)))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    assert r"By (6), (1), (3) and (T), not \eqref{a}." in text
    for number in ("𝑝 = 2 (2)", "𝑠 = 5 (3)", "𝑢 = 8 (4)", "𝑡 = 10 (5)", "(1)", "(T)", "(6)"):
        assert number in text.partition("not")[2]
    alone = printed(notebook(markdown(r"$$\begin{equation} a = 1 \label{a} \end{equation}$$")))
    assert "(1)" not in pages(alone.pdf)[0]


@pytest.mark.parametrize(
    ("formula", "numbers", "made"),
    [
        ("a & = b\\\n & = c\\", ["", "2"], 'a & = b\\\n & = c & rownumber("2")'),
        (
            "x\\\ny & = cases(1 & x)",
            ["1", "T"],
            'x & & rownumber("1")\\\ny & = cases(1 & x) & rownumber("T")',
        ),
        ("a = b\\\nc = d", ["1", ""], 'a = b rownumber("1")\\\nc = d'),  # not aligned
        ("a & = b", ["1", "2"], "a & = b"),  # other rows
        ("a & = b\\\n & = c", ["1", '"+x'], "a & = b\\\n & = c"),
    ],
)
def test_rows_have_numbers_of_their_own(formula, numbers, made):
    assert mathematics.numbered(formula, numbers) == made


def test_equations_side_by_side_stand_apart():
    beside = r"\begin{align} a &= b & c &= d(e, f) \\ g &= h & i &= j \end{align}"
    signs = r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}"
    _, (apart, alone) = pandoc.read([], [mathematics.tidy(tex)[0] for tex in (beside, signs)])
    assert apart.startswith("a & = b & quad  c & = d") and "h & quad  i" in apart
    assert "quad" not in alone


@pytest.mark.parametrize(
    "one",
    [r"\ce{", r"\cancelto{", r"\color{", r"\color{red}", r"\textcolor{red}{", r"\bf ", "{"],
)
def test_a_formula_of_one_sign_over_and_over_is_soon_read(one):
    before = time.process_time()
    mathematics.tidy(one * (50_000 // len(one)))
    assert time.process_time() - before < 3
