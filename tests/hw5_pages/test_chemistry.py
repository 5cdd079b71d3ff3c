"""Reactions and units become formulas; what is not understood stays words."""

from __future__ import annotations

import pytest

from hw5_pages import mathematics, pandoc
from hw5_pages.chemistry import reaction, unit

REACTIONS = {
    "H2O": r"\mathrm{H}_{2}\mathrm{O}",
    "SO4^2-": r"\mathrm{SO}_{4}^{2-}",
    "Na+": r"\mathrm{Na}^{+}",
    "^{227}_{90}Th+": r"{}^{227}_{90}\mathrm{Th}^{+}",
    "2 H2 + O2 -> 2H2O": r"2\, \mathrm{H}_{2}  +  \mathrm{O}_{2}  \rightarrow  "
    r"2\,\mathrm{H}_{2}\mathrm{O}",
    "A <=>[heat][Pt] B": r"\mathrm{A}  \overset{\text{heat}}{\underset{\mathrm{Pt}}"
    r"{\rightleftharpoons}}  \mathrm{B}",
    "[Fe(CN)6]^{4-}": r"[\mathrm{Fe}(\mathrm{CN})_{6}]^{4-}",
    "CuSO4*5H2O": r"\mathrm{CuSO}_{4}\cdot 5\,\mathrm{H}_{2}\mathrm{O}",
    "BaSO4 v": r"\mathrm{BaSO}_{4} \downarrow ",
    "1/2 O2": r"\frac{1}{2}\, \mathrm{O}_{2}",
    "CH2=CH2": r"\mathrm{CH}_{2}=\mathrm{CH}_{2}",
    "\x00": "",
}


@pytest.mark.parametrize("said", REACTIONS)
def test_a_reaction_is_a_formula(said):
    assert reaction(said) == REACTIONS[said]


def test_a_unit_is_upright():
    assert unit("123 kJ mol^-1") == r"123\,\mathrm{kJ}\,\mathrm{mol}^{-1}"
    assert unit("{}") == ""


def test_what_is_no_reaction_stays_words():
    tex = [mathematics.tidy(one)[0] for one in (r"\ce{A ? B} + 1", r"\ce{A} \ce{", r"\ce{\ce{A}}")]
    _, written = pandoc.read([], tex)
    assert written[0] == 'upright("A ? B") + 1' and all("A" in one for one in written)
