"""What packages of LaTeX add is set as a formula; a drawing in TeX is shown as it was typed."""

from __future__ import annotations

import time

import pytest

from hw5_pages import mathematics, packages, pandoc
from tests.hw5_pages.looking import pages, printed
from tests.notebooks_awkward.cells import markdown, notebook

UNPACKED = {
    r"\dv{x} \dv[2]{f}{x}": r"\frac{\mathrm{d} }{\mathrm{d} x} "
    r"\frac{\mathrm{d}^{2} f}{\mathrm{d} x^{2}}",
    r"\pdv{f}{x}{y} \pdv*{f}{t}": r"\frac{\partial^{2} f}{\partial x\,\partial y} "
    r"\frac{\partial f}{\partial t}",
    r"\dd{x} \dd[3]{r} \dd t": r"\mathrm{d}x \mathrm{d}^{3}r \dd t",
    r"\qty(\frac{a}{(b)}) \qty{x} \qty|y|": r"\left(\frac{a}{(b)}\right) \left\{x\right\} "
    r"\left|y\right|",
    r"\qty{3}{\meter} \qty": r"\qty{3}{\meter} \qty",  # of siunitx
    r"\braket{a|b} \braket{a}{b}": r"\left\langle a|b\right\rangle  "
    r"\left\langle a\middle|b\right\rangle ",
    r"\expval{A} \ev{A}{s}": r"\left\langle A\right\rangle  "
    r"\left\langle s\middle|A\middle|s\right\rangle ",
    r"\ketbra{a}{b}": r"\left|a\right\rangle\left\langle b\right|",
    r"\mqty(a & b) \bmqty{c}": r"\begin{pmatrix}a & b\end{pmatrix} \begin{bmatrix}c\end{bmatrix}",
    r"x \over {2 \pi}": r"\frac{x}{{2 \pi}}",
    r"c = \left(a \over b\right) + {n \atop k}": r"c = \left(\frac{a}{b}\right) + "
    r"{{\begin{matrix}n\\k\end{matrix}}}",
    r"\begin{array}{cc} a \over b & c \end{array}": r"\begin{array}{cc}\frac{a}{b}& c \end{array}",
    r"{\large x} \root 3 \of y \buildrel a \over =": r"{ x} \sqrt[3] y \overset{ a } =",
    r"\hspace{3.em}\hspace*{-1em}\hspace{10 mm}\hspace{\textwidth}": r"\hspace{3.00em}\!"
    r"\hspace{2.80em}\quad ",
    r"\begin{rcases}a\\b\end{rcases}": r"\left.\begin{matrix}a\\b\end{matrix}\right\}",
    r"\begin{CD} A @>f>> B \\ @VgVV @| \\ C @= D \end{CD}": r"\begin{matrix} A  & "
    r"\overset{f}{\longrightarrow } &  B  \\ {}^{g}\downarrow & & \parallel  \\  C  & = &  D "
    r"\end{matrix}",
    r"\begin{prooftree}\AxiomC{$p$}\AXC{so}\RightLabel{I}\BinaryInfC{q}\end{prooftree}": r"{\;"
    r"\frac{{p}\qquad {\text{so}}}{\text{q}}\;\text{I}}",
    r"\begin{prooftree}\BinaryInfC{q}\end{prooftree}": r"\begin{prooftree}\BinaryInfC{q}"
    r"\end{prooftree}",
}


@pytest.mark.parametrize("tex", UNPACKED)
def test_a_command_of_a_package_is_what_it_stands_for(tex):
    assert packages.unpack(tex) == UNPACKED[tex]


def test_every_command_that_is_defined_here_is_set():
    arguments = {name: "{a}" * count for name, (count, _, _) in mathematics._KNOWN.items()}
    asked = [f"{name}{given} b" for name, given in arguments.items()]
    asked += [tex for tex in UNPACKED if UNPACKED[tex] != tex]
    _, written = pandoc.read([], [mathematics.tidy(tex)[0] for tex in asked])
    assert [tex for tex, formula in zip(asked, written, strict=True) if not formula] == []


def test_a_drawing_is_shown_as_it_was_typed_and_told_and_own_definitions_come_first():
    drawing = "\\begin{tikzcd} A \\arrow[r] & B % why\n\\end{tikzcd}"
    own = r"$\newcommand{\abs}[1]{[#1]} \newcommand{\dv}{d} \abs{x} \dv{y}$"
    result = printed(notebook(markdown(f"{own}\n\n$${drawing}$$\n\n{drawing}")))
    (text,) = pages(result.pdf)
    assert [finding.kind for finding in result.findings] == ["interactive"]
    assert "holds a drawing in TeX (tikzcd), which a page" in result.findings[0].sentence
    assert text.count(r"\begin{tikzcd} A \arrow[r] & B % why \end{tikzcd}") == 2
    assert "[𝑥]𝑑𝑦" in text and "|" not in text


@pytest.mark.parametrize(
    "one", [r"\qty(", r"\over ", r"\dv{", r"\mqty|", "@V", r"\AxiomC{", r"\buildrel ", r"\left("]
)
def test_a_formula_of_one_command_over_and_over_is_soon_read(one):
    before = time.process_time()
    packages.unpack(one * (10_000 // len(one)))
    packages.unpack(rf"\begin{{CD}}{one * (10_000 // len(one))}\end{{CD}}")
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    "one", [r"\hspace{", r"\raise ", r"\above ", r"\verb|", r"\root ", r"\qty("]
)
@pytest.mark.parametrize("filling", ["1", " ", "a", "{", "("])
def test_a_command_with_a_long_argument_that_never_ends_is_soon_read(one, filling):
    before = time.process_time()
    packages.unpack(one + filling * 15_000)
    assert time.process_time() - before < 2
