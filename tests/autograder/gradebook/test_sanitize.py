"""What a student wrote is bounded before nbgrader makes pages of it."""

from __future__ import annotations

from autograder.gradebook import harmless
from autograder.gradebook.reading import new_cell, new_notebook
from autograder.gradebook.sanitize import Sanitize


def test_the_cells_of_a_notebook_are_cut_where_they_are_too_much_in_all():
    cells = [new_cell("code", f"c{n}", "(" * 40_000) for n in range(30)]
    notebook, _ = Sanitize().preprocess(new_notebook(cells), {})
    assert notebook.cells[0].source.endswith("\n... and 10,000 more characters")
    assert notebook.cells[-1].source == "\n... and 40,000 more characters"
    assert sum(len(cell.source) for cell in notebook.cells) < harmless.MOST_SOURCE + 30 * 40


def test_our_own_cells_stay_as_they_are():
    ours, theirs = new_cell("markdown", "ours", "x" * 40_000), new_cell("markdown", "a", "a <b>")
    ours.metadata["nbgrader"] = {"grade_id": "ours", "locked": True, "solution": False}
    notebook, _ = Sanitize().preprocess(new_notebook([ours, theirs]), {})
    assert [cell.source for cell in notebook.cells] == ["x" * 40_000, "a < b>"]
