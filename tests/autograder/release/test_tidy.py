"""Notebooks as JupyterLab saves them are put right, or an author is told what to decide."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from autograder import __main__ as command_line
from autograder import parts
from autograder.assignment import Assignment, Question
from autograder.checking.modules import ROOT
from autograder.release.notebooks import CRITERION, read
from autograder.release.tidy import Tidied, tidy
from tests.autograder.release.conftest import ASSIGNMENT, EVERY

SOURCE = sorted((ROOT / "notebooks").glob("*.ipynb"))
FC_VAE, THEORY = ROOT / "notebooks/3_fc_vae.ipynb", ROOT / "notebooks/1_bernoulli_vae.ipynb"
every = pytest.mark.parametrize("path", SOURCE, ids=lambda path: path.stem)


def kept(path: Path) -> str:
    """A notebook of the kit as `tidy` leaves it. Its points are those of assignment.toml, which may
    have been changed since the notebook was written."""
    return tidy(path.stem, path.read_text(encoding="utf-8"), ASSIGNMENT).text


def opened(path: Path) -> Any:
    return nbformat.reads(kept(path), as_version=4)


def by_id(text: str) -> dict[str, Any]:
    return {cell["id"]: cell for cell in json.loads(text)["cells"]}


def at(notebook: Any, id: str) -> int:
    """Where a cell stands."""
    return next(i for i, cell in enumerate(notebook.cells) if cell.id == id)


def saved(notebook: Any) -> str:
    """The file that Lab writes: sources and outputs as lists of lines."""
    return str(nbformat.writes(notebook)) + "\n"


def new(kind: Callable[..., Any], source: str, **metadata: Any) -> Any:
    return kind(source, id=str(uuid4()), metadata=metadata)


def copied(cell: Any) -> Any:
    """A cell as Lab pastes it: with the metadata of the other, and an id of its own."""
    return nbformat.from_dict({**cell, "id": str(uuid4())})


def tidied(path: Path, notebook: Any, assignment: Assignment = ASSIGNMENT) -> Tidied:
    return tidy(path.stem, saved(notebook), assignment)


def right(path: Path, notebook: Any, assignment: Assignment = ASSIGNMENT) -> dict[str, Any]:
    """The cells of a notebook that could be put right: once, and every word is there."""
    found = tidied(path, notebook, assignment)
    assert found.left == ()
    assert tidy(path.stem, found.text, assignment) == Tidied(found.text)
    after = [cell["source"] for cell in json.loads(found.text)["cells"]]
    assert after == [cell.source for cell in notebook.cells]
    return by_id(found.text)


def left(path: Path, notebook: Any, assignment: Assignment = ASSIGNMENT) -> str:
    """What is said of a notebook that could not, which stays as it is."""
    found = tidied(path, notebook, assignment)
    assert found.text == saved(notebook) and found.left and found.done == ()
    return "\n".join(found.left)


def without_points(source: str) -> str:
    """The words of a mark scheme, whatever they are worth."""
    return re.sub(r"\b\d+(\.\d+)?( points?\b|(?=\*\*))", "", source)


def with_question(part: str, question: Question) -> Assignment:
    parts = [
        replace(one, questions=(*one.questions, question)) if one.id == part else one
        for one in ASSIGNMENT.parts
    ]
    return replace(ASSIGNMENT, parts=tuple(parts))


# --- what is put right


@every
def test_a_run_in_lab_leaves_no_trace(path):
    notebook = opened(path)
    for count, cell in enumerate(notebook.cells):
        cell.metadata |= {"editable": True, "slideshow": {"slide_type": ""}, "tags": []}
        if cell.cell_type == "code":
            cell.execution_count = count
            cell.outputs = [new_output("stream", text="42\n43\n")]
            cell.metadata |= {"collapsed": True, "scrolled": True, "trusted": True}
            cell.metadata |= {"execution": {"iopub.status.busy": "2026-11-29T12:00:00Z"}}
            cell.metadata |= {"jupyter": {"outputs_hidden": True, "source_hidden": False}}
    notebook.metadata.kernelspec = {"display_name": "mine", "language": "python", "name": "mine"}
    notebook.metadata.language_info = {"name": "python", "version": "3.11.9", "mimetype": "x"}
    notebook.metadata["widgets"] = {"state": {}}
    notebook.cells.append(new(new_code_cell, ""))  # Shift+Enter in the last cell
    found = tidied(path, notebook)
    assert found.text == kept(path)
    assert "outputs and counts of" in found.done[0] and "scrolled" in found.done[1]
    assert "(empty) is taken out" in found.done[2]


def test_a_new_cell_is_named_after_the_question_that_it_stands_in():
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--loss--check") + 1
    notebook.cells[here:here] = [new(new_code_cell, f"loss({i})") for i in range(2)]
    after = at(notebook, "fc-vae--intro")
    notebook.cells.insert(after, new(new_markdown_cell, "Read this before."))
    after = at(notebook, "hand-in--text")
    notebook.cells.insert(after, new(new_markdown_cell, "## More to read\n\nBooks."))
    notebook.cells.insert(after + 1, new(new_code_cell, "books"))
    cells = right(FC_VAE, notebook)
    assert cells["fc-vae--loss--2"]["source"] == "loss(1)"
    assert cells["fc-vae--intro--1"]["source"] == "Read this before."
    assert cells["fc-vae--section-1"]["source"].startswith("## More")
    assert cells["fc-vae--section-1--1"]["metadata"] == {}


def test_tags_say_what_is_a_figure_and_what_an_aside():
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--figures--digits")
    notebook.cells.insert(here, new(new_code_cell, "draw()", tags=["figure"]))
    notebook.cells.insert(here, new(new_code_cell, "look()", tags=["aside"]))
    cells = right(FC_VAE, notebook)  # they stand in a section that interrupts the question
    assert cells["fc-vae--figures--1"]["metadata"] == {"hw5": {"figure": True}}
    assert cells["fc-vae--space--1"]["metadata"] == {"hw5": {"aside": True}}


@pytest.mark.parametrize("name_stays_with", [0, 1])
def test_of_a_task_that_was_split_the_piece_with_the_heading_is_graded(name_stays_with):
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--loss")
    whole = notebook.cells[here]
    pieces = [copied(whole), copied(whole)]
    pieces[0].source, _, pieces[1].source = whole.source.partition("\n\n")
    pieces[name_stays_with].id = whole.id
    notebook.cells[here : here + 1] = pieces
    cells = right(FC_VAE, notebook)
    assert cells["fc-vae--loss"]["source"].startswith("### Negative")
    assert cells["fc-vae--loss"]["metadata"]["nbgrader"] == whole.metadata.nbgrader
    assert cells["fc-vae--loss--1"]["metadata"] == {}


def test_a_question_copied_for_another_becomes_that_one():
    question = Question("1k", "1(k) Another bound", 3, "manual")
    notebook = opened(THEORY)
    statement, answer = (
        copied(notebook.cells[at(notebook, f"vae-theory--1a{end}")]) for end in ("--statement", "")
    )
    statement.source = "### 1(k) Another bound · 1 point · 5 minutes\n\nWhy?\n\n*At most 75 words.*"
    here = at(notebook, "vae-theory--all")
    notebook.cells[here:here] = [statement, answer]
    found = tidied(THEORY, notebook, with_question("vae-theory", question))
    cells = by_id(found.text)
    assert found.left == ()
    assert "· 3 points ·" in cells["vae-theory--1k--statement"]["source"]
    assert cells["vae-theory--1k--statement"]["metadata"]["nbgrader"]["locked"]
    source = cells["vae-theory--1k"]["source"]
    assert without_points(source) == without_points(answer.source)
    scheme = source[source.index("**Mark scheme**") :]
    assert sum(float(points) for _, points, _ in CRITERION.findall(scheme)) == 3
    assert cells["vae-theory--1k"]["metadata"] == {
        "hw5": {"words": 75},
        "nbgrader": {
            "grade": True,
            "grade_id": "vae-theory--1k",
            "locked": False,
            "points": 3,
            "schema_version": 3,
            "solution": True,
            "task": False,
        },
    }


@pytest.mark.parametrize("panel", [True, False], ids=["create-assignment", "plain"])
def test_a_new_question_is_known_by_its_title(panel):
    question = Question("prior", "Samples of the prior", 2, "code")
    grading = {"grade": False, "solution": False, "locked": True, "task": True, "points": 7}
    grading |= {"grade_id": "cell-1a2b3c4d5e6f", "schema_version": 3}
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--figures")
    notebook.cells[here:here] = [
        new(
            new_markdown_cell,
            "### Samples of the prior · 2 points · 5 minutes\n\nWrite `prior`.",
            **({"nbgrader": grading} if panel else {}),
        ),
        new(new_code_cell, "prior(3)"),
        new(new_code_cell, 'check("fc-vae.prior");'),
    ]
    cells = right(FC_VAE, notebook, with_question("fc-vae", question))
    task = cells["fc-vae--prior"]["metadata"]["nbgrader"]
    assert task == {**grading, "grade_id": "fc-vae--prior", "points": 2}
    assert cells["fc-vae--prior--1"]["source"] == "prior(3)"
    assert cells["fc-vae--prior--check"]["metadata"]["nbgrader"]["locked"]


def test_points_and_grade_ids_follow_the_assignment():
    notebook = opened(FC_VAE)
    cell = notebook.cells[at(notebook, "fc-vae--loss")]
    cell.id = str(uuid4())  # cut and pasted: the grade_id stays
    cell.metadata.nbgrader |= {"points": 3, "task": False, "grade": True, "locked": False}
    check = notebook.cells[at(notebook, "fc-vae--loss--check")]
    check.metadata.nbgrader |= {"grade_id": "cell-1a2b3c", "grade": True, "points": 1}
    assert tidied(FC_VAE, notebook).text == kept(FC_VAE)


def test_titles_follow_the_assignment_and_it_is_said():
    notebook = opened(FC_VAE)
    cell = notebook.cells[at(notebook, "fc-vae--loss")]
    cell.source = cell.source.replace("Negative evidence lower bound ·", "The bound ·", 1)
    found = tidied(FC_VAE, notebook)
    assert found.text == kept(FC_VAE)
    (said,) = found.done
    assert "(### The bound · " in said
    assert said.endswith("has the title that assignment.toml says: Negative evidence lower bound.")


# --- what an author must decide


def test_a_cell_between_two_parts_is_moved_by_its_author():
    notebook = opened(THEORY)
    number = at(notebook, "bernoulli-vae--intro") + 1
    notebook.cells.insert(number - 1, new(new_markdown_cell, "Between the parts"))
    said = left(THEORY, notebook)
    assert said.startswith(
        f"1_bernoulli_vae.ipynb, cell {number} (Between the parts) stands between the parts "
        "vae-theory and bernoulli-vae. Move it one cell up, or one down"
    )


def test_all_that_is_to_be_decided_is_said_at_once():
    notebook = opened(FC_VAE)
    notebook.cells.append(new(new_markdown_cell, "Good bye"))
    notebook.cells.insert(1, new(new_code_cell, "import this"))
    said = left(FC_VAE, notebook)
    assert "cell 2 (import this) stands among the cells that all notebooks have" in said
    assert "(Good bye) stands among the cells" in said


def test_two_cells_that_ask_the_same_are_named():
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--loss")
    notebook.cells.insert(here + 1, copied(notebook.cells[here]))
    said = left(FC_VAE, notebook)
    assert f"cell {here + 1} (### Negative" in said and f"cell {here + 2} (###" in said
    assert "are both fc-vae--loss. If one was split, merge" in said
    notebook.cells[here + 1].metadata = {}
    assert f"asks fc-vae.loss, as cell {here + 1} (###" in left(FC_VAE, notebook)


def test_an_answer_that_was_split_is_merged_by_its_author():
    notebook = opened(THEORY)
    here = at(notebook, "vae-theory--1a")
    piece = copied(notebook.cells[here])
    head, _, piece.source = notebook.cells[here].source.partition("\n\n")
    notebook.cells[here].source = head
    notebook.cells.insert(here + 1, piece)
    assert "are both vae-theory--1a. If one was split, merge" in left(THEORY, notebook)


def test_a_question_that_no_assignment_knows_is_refused():
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--figures")
    notebook.cells.insert(here, new(new_markdown_cell, "### Owls · 3 points · 5 minutes"))
    said = left(FC_VAE, notebook)
    assert f"cell {here + 1} (### Owls · 3 points · 5 minutes): assignment.toml has no" in said
    grading = {"grade": True, "solution": False, "locked": True, "task": False, "points": 7}
    grading |= {"grade_id": "cell-1a2b3c4d5e6f", "schema_version": 3}
    notebook.cells[here] = new(new_code_cell, "assert owls()", nbgrader=grading)
    assert "(assert owls()) carries points, and is the cell of no question" in left(
        FC_VAE, notebook
    )


def test_a_cell_that_checks_what_nobody_asks_is_named() -> None:
    notebook = opened(FC_VAE)
    notebook.cells[at(notebook, "fc-vae--loss--check")].source = 'check("fc-vae.lost");'
    said = left(FC_VAE, notebook)
    assert 'checks "fc-vae.lost", which assignment.toml does not ask' in said
    assert "fc-vae.loss" in said


def test_a_question_that_lacks_a_cell_is_named_with_what_to_write():
    for path, gone, words in (
        (FC_VAE, "fc-vae--loss", "is asked nowhere. Add a Markdown cell whose first line is '###"),
        (FC_VAE, "fc-vae--loss--check", 'has no check. Below it, add a code cell check("fc-vae'),
        (THEORY, "vae-theory--1a", "has a statement and no answer. Below it, add a Markdown"),
        (THEORY, "vae-theory--1a--statement", "an answer needs a statement"),
    ):
        notebook = opened(path)
        del notebook.cells[at(notebook, gone)]
        assert words in left(path, notebook)


def test_a_coded_question_that_is_now_marked_by_hand_needs_a_mark_scheme_instead_of_its_check():
    by_hand = replace(ASSIGNMENT.question("fc-vae.loss"), kind="manual")
    part = ASSIGNMENT.part("fc-vae")
    questions = tuple(by_hand if one.id == by_hand.id else one for one in part.questions)
    parts = (replace(part, questions=questions) if one == part else one for one in ASSIGNMENT.parts)
    changed, notebook = replace(ASSIGNMENT, parts=tuple(parts)), opened(FC_VAE)
    assert 'take its cell check("fc-vae.loss"); away' in left(FC_VAE, notebook, changed)
    del notebook.cells[at(notebook, "fc-vae--loss--check")]
    assert "has no mark scheme. Write one into its cell" in left(FC_VAE, notebook, changed)
    scheme = (
        "=== BEGIN MARK SCHEME ===\n\n**Mark scheme**\n\n- **1** all\n\n=== END MARK SCHEME ==="
    )
    notebook.cells[at(notebook, "fc-vae--loss")].source += f"\n\n{scheme}"
    assert tidied(FC_VAE, notebook, changed).left == ()


def test_a_marker_out_of_place_is_found_in_its_cell():
    notebook = opened(FC_VAE)
    here = at(notebook, "fc-vae--loss--check") + 1
    notebook.cells.insert(here, new(new_code_cell, "x = 1\n### END SOLUTION"))
    said = left(FC_VAE, notebook)
    assert f"cell {here + 1} (x = 1 ### END SOLUTION), fc-vae--loss--1, line 2" in said


def test_what_is_no_notebook_is_said():
    for text in ("{", "[]", '{"nbformat": 3, "worksheets": []}', '{"cells": [{}]}'):
        (sentence,) = tidy("1_owls", text, ASSIGNMENT).left
        assert sentence.startswith("1_owls.ipynb is no valid notebook: ")
    notebook = opened(FC_VAE)
    notebook.metadata.hw5.parts = ["owls"]
    assert "must name its parts" in left(FC_VAE, notebook)


# --- the command


def test_the_command_writes_what_the_release_reads(tmp_path, capsys):
    file = tmp_path / FC_VAE.name
    notebook = opened(FC_VAE)
    notebook.cells.insert(at(notebook, "fc-vae--loss"), new(new_code_cell, "6 * 7"))
    before = saved(notebook)
    file.write_text(before, encoding="utf-8")
    assert command_line.main(["tidy", "--check", str(file)]) == 1
    assert "3_fc_vae.ipynb is not as the repository keeps it" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == before
    assert command_line.main(["tidy", str(file)]) == 0
    assert "(6 * 7) is now called fc-vae--forward--1." in capsys.readouterr().out
    assert "fc-vae--forward--1" in {cell.id for cell in read(file, EVERY).cells}
    assert command_line.main(["tidy", "--check", str(file)]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_command_leaves_a_notebook_alone_that_is_not_right(tmp_path, capsys):
    file = tmp_path / FC_VAE.name
    notebook = opened(FC_VAE)
    notebook.cells.append(new(new_markdown_cell, "Good bye"))
    file.write_text(saved(notebook), encoding="utf-8")
    assert command_line.main(["tidy", str(file)]) == 1
    assert "(Good bye) stands among" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == saved(notebook)


def test_the_command_misses_a_notebook_that_was_taken_away(tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    (tmp_path / "notebooks" / FC_VAE.name).unlink()
    for module in (command_line, parts):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    assert command_line.main(["tidy", "--check"]) != 0
    assert "no notebook asks the part 'fc-vae': bring back" in capsys.readouterr().err


def test_the_release_takes_a_kernel_of_the_author_and_says_what_puts_the_rest_right(reading):
    data = json.loads(saved(opened(FC_VAE)))
    data["metadata"]["kernelspec"] = {"name": "mine", "display_name": "mine"}
    assert reading(data).node.metadata.kernelspec.name == "python3"
    data["cells"][3]["metadata"]["scrolled"] = True
    with pytest.raises(Exception, match="`python -m autograder tidy` puts right"):
        reading(data)
