"""What a text refers to, its reader can find by that name."""

from __future__ import annotations

import json

import pytest

from autograder.release.references import lead_nowhere
from tests.autograder.release.conftest import cell

MODULE = '''"""Owls. See 3(a) of notebook 4, Eq. 2 below and problem 2(b) of the book, section 2.4.

    log p(x) >= L        (Eq. 2)

Part fc-vae, questions `loss` and `forward`.
"""
'''
ASKED = ["fc-vae.loss", "fc-vae.forward", "gan-theory.3a"]


def files(*sources: str, name: str = "4_owls.ipynb", module: str = MODULE) -> dict[str, bytes]:
    cells = [cell("markdown", f"fc-gan--x{i}", source) for i, source in enumerate(sources)]
    made = {
        "cells": cells,
        "metadata": {"hw5": {"parts": ["fc-gan"], "title": "Owls"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return {name: json.dumps(made).encode(), "hw5_owls.py": module.encode()}


GOOD = (
    "### 3(a) The owl · 3 points\n\n$$x \\tag{1}$$",
    "## 2 Flight\n\nBy 3(a) and Eq. 1, see section 2 and notebook 4; sections 1.2 are of a paper.",
)


def test_what_is_there_is_found():
    assert list(lead_nowhere(files(*GOOD), ASKED)) == []


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("as in 3(b)", "3(b)"),
        ("**Eq. 2** says", "Eq. 2"),
        ("section 3 says why", "section 3"),
        ("of notebooks 4 and 5", "notebooks 4 and 5"),
    ],
)
def test_what_is_not_there_is_named_with_its_cell(text, lost):
    (said,) = lead_nowhere(files(*GOOD, text), ASKED)
    assert said.startswith(f"4_owls.ipynb, cell fc-gan--x2, refers to {lost!r}")


def test_docstrings_are_read_too():
    module = MODULE.replace("notebook 4", "notebook 5").replace("`loss`", "`owl`")
    said = list(lead_nowhere(files(*GOOD, module=module), ASKED))
    assert any("hw5_owls.py refers to 'notebook 5'" in one for one in said)
    assert any("hw5_owls.py refers to the question owl" in one for one in said)
    assert len(said) == 2


def test_a_number_of_another_notebook_counts_and_its_equation_does_not():
    other = files("By 3(a). Eq. 1.", name="5_more.ipynb")
    (said,) = lead_nowhere(files(*GOOD) | other, ASKED)
    assert "5_more.ipynb" in said and "Eq. 1" in said
