"""A name that another cell makes is told from one that nobody makes."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

import hw5_errors
from hw5_notebook import read_notebook
from tests.notebooks.running import NOTEBOOKS, made_and_needed


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_for_every_name_that_a_cell_needs_the_cell_that_makes_it_is_named(path: Path):
    notebook, there = read_notebook(path), set()
    for cell in (cell for cell in notebook.cells if cell.kind == "code"):
        made, needed = made_and_needed(cell.source)
        for name in (needed & there) - set(dir(builtins)):
            said = hw5_errors._of_a_maker(notebook, name, ["", cell.source.strip()])
            assert said.startswith(f"`{name}` is not there yet. A cell above makes it")
            assert said.endswith("Run that cell first."), f"{cell.id}: {said}"
        there |= made


SOURCE = """
%matplotlib inline
import torch.nn, numpy as np
from hw5_gan import (
    GAN,
)
def inner(argument):
    local = argument
class Kind: pass
with open("x") as file:
    for k, (a, b) in []:
        one, two = [other for other in a], lambda lost: lost
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("torch", "import torch.nn, numpy as np"),
        ("np", "import torch.nn, numpy as np"),
        ("GAN", "from hw5_gan import ("),
        ("inner", "def inner(argument):"),
        ("Kind", "class Kind: pass"),
        ("file", 'with open("x") as file:'),
        ("b", "for k, (a, b) in []:"),
        ("two", "one, two = [other for other in a], lambda lost: lost"),
        *((name, "") for name in ("nn", "argument", "local", "other", "lost", "nobody")),
    ],
)
def test_the_line_is_the_one_that_gives_the_notebook_the_name(name, line):
    assert hw5_errors._line_that_makes(name, SOURCE) == line


def test_a_cell_that_was_run_is_said_to_have_stopped():
    notebook = read_notebook(next(path for path in NOTEBOOKS if "fc_gan" in path.name))
    cells = {cell.id: cell.source.strip() for cell in notebook.cells}
    train, show = cells["fc-gan--training--run"], cells["fc-gan--training--epochs"]
    said = hw5_errors._of_a_maker(notebook, "fc_samples", [train, show])
    assert said == (
        "`fc_samples` is not there yet. A cell above makes it, under the heading “Training the "
        'fully connected GAN”, in the line `fc_losses, fc_samples = {"D": [], "G": []}, Gallery()`.'
        " That cell was run, but it stopped before that: see what it says."
    )
    own = hw5_errors._of_a_maker(notebook, "G_DC", ["G_DC(3)"])
    assert "Training the deep convolutional GAN" in own
    assert not hw5_errors._of_a_maker(notebook, "devise", ["devise + 1"])
