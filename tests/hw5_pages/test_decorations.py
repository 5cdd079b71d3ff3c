"""Colours, strokes and ruled rows of formulas come out of pandoc as they went in."""

from __future__ import annotations

import pytest

from hw5_pages import mathematics, pandoc
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import markdown, notebook

WRITTEN = {
    r"\color{red}{x} + y": 'paint("ff0000", x) + y',
    r"\color{red} x + y": 'paint("ff0000", x + y)',
    r"{\color{blue} x} = z": 'paint("0000ff", x) = z',
    r"\textcolor{#f80}{x}^2": 'paint("ff8800", x)^2',
    r"\textcolor[rgb]{1,0,0}{a} \color[HTML]{008000}{b}": 'paint("ff0000", a) paint("008000", b)',
    r"\definecolor{own}{RGB}{1,2,3} \textcolor{own}{x}": 'paint("010203", x)',
    r"\color{red}{a \color{blue}{b}}": 'paint("ff0000", a paint("0000ff", b))',
    r"\color{red}{a, b; c)}": 'paint("ff0000", a \\, b \\; c \\))',
    r"\color{nobody}{x} + \color{white}{y}": "x + y",
    r"\frac{\color{red}a}{b}": 'frac(paint("ff0000", a), b)',
    r"\begin{aligned} \color{red} a &= \color{blue} b \end{aligned}": (
        'paint("ff0000", a) & = paint("0000ff", b)'
    ),
    r"\textcolor{red}{a &= b} + c": 'paint("ff0000", a) & paint("ff0000", = b) + c',
    r"\colorbox{yellow}{so $x$}": 'ground("ffff00", upright("so ") x)',
    r"\bbox[yellow,5px]{x}": 'ground("ffff00", x)',
    r"\bcancel{x} + \xcancel{y}": "cancel(inverted: #true, x) + cancel(cross: #true, y)",
    r"\require{cancel}\cancelto{0}{x}": "cancel(x)^0",
    r"\begin{pmatrix} a & b \\ \hline c & d \end{pmatrix}": "(hline: (1,), vline: ())",
    r"\left[\begin{array}{cc|c} 1 & 2 & 3\end{array}\right]": "(hline: (), vline: (2,))",
    r"\begin{array}{|l|r|} \hline a & b \\ \hline\end{array}": (
        "(hline: (0,1,), vline: (0,1,2,)), row-gap: #0.5em, column-gap: #0.9em, a, b)"
    ),
}


@pytest.fixture(scope="module")
def written():
    asked = [mathematics.tidy(tex)[0] for tex in WRITTEN]
    return dict(zip(WRITTEN, pandoc.read([], asked)[1], strict=True))


@pytest.mark.parametrize("tex", WRITTEN)
def test_what_pandoc_forgets_is_written(tex, written):
    said = " ".join(written[tex].split()).replace("( ", "(").replace(" )", ")")
    assert WRITTEN[tex] in said and mathematics.harmless(said)
    assert not any("\ue000" <= letter <= "\uf8ff" for letter in said)


def test_all_of_it_is_set_in_its_colours():
    result = printed(notebook(markdown("\n\n".join(f"$${tex}$$" for tex in WRITTEN))))
    assert result.findings == ()
    assert min(of_colour(drawn(result.pdf, 1, scale=2), (255, 0, 0))) > 5
    assert min(of_colour(drawn(result.pdf, 1, scale=2), (255, 255, 0))) > 5
    assert "so 𝑥" in pages(result.pdf)[0]


@pytest.mark.parametrize(
    "tex", ["\ue005paint ff0000\ue006 x \ue007", r"\text{\ue007} \color{red}{\ue005}"]
)
def test_marks_that_somebody_types_are_no_code(tex):
    _, (formula,) = pandoc.read([], [mathematics.tidy(tex)[0]])
    assert mathematics.harmless(formula)
    assert printed(notebook(markdown(f"before $${tex}$$ after"))).pdf
