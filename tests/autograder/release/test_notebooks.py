"""Notebooks: which cells are released, with which points, and what is taken out of them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from nbgrader.utils import compute_checksum

from autograder.assignment import grade_id, read_assignment
from autograder.checking.modules import ROOT
from autograder.release import ReleaseError
from autograder.release.notebooks import (
    code_by_part,
    graded,
    keep_parts,
    loads,
    read,
    secrets,
    strip_notebook,
    write_address,
    write_points,
    write_rules,
)
from autograder.release.strip import ANSWER_STUB
from tests.autograder.release.conftest import ASSIGNMENT, EVERY, cell, notebook_of

SOURCE = sorted((ROOT / "notebooks").glob("*.ipynb"))


def by_id(notebook):
    return {cell.id: cell for cell in notebook.cells}


def find(data, id):
    return next(cell for cell in data["cells"] if cell["id"] == id)


def test_points_come_from_the_assignment(reading):
    notebook = write_points(reading(notebook_of("fc-gan")), ASSIGNMENT)
    cells = by_id(notebook)
    for question in ASSIGNMENT.part("fc-gan").questions:
        if question.kind != "info":
            graded_cell = cells[f"fc-gan--{question.id}"]
            assert graded_cell.metadata.nbgrader.points == question.points
            statement = cells.get(f"fc-gan--{question.id}--statement", graded_cell).source
            bonus = "bonus " if question.kind == "bonus" else ""
            unit = f"{bonus}point{'' if question.points == 1 else 's'}"
            assert f" · {question.points:g} {unit} · 5 minutes\n" in statement


@pytest.mark.parametrize(("points", "words"), [(1.0, "1 point"), (2.5, "2.5 points")])
def test_a_heading_has_the_title_of_the_assignment_and_counts_as_people_do(reading, points, words):
    part = ASSIGNMENT.part("gan-theory")
    questions = tuple(replace(q, points=points, title=f"Of {q.id}") for q in part.questions)
    assignment = replace(ASSIGNMENT, parts=(replace(part, questions=questions),))
    cells = by_id(write_points(reading(notebook_of("gan-theory")), assignment))
    assert cells["gan-theory--3e"].source.startswith(f"### Of 3e · {words} · 5 minutes\n")


@pytest.mark.parametrize("points", [1.0, 2.5, 7.0])
@pytest.mark.parametrize("criteria", [(1.0,), (1.0, 1.0, 1.0), (0.5, 0.25, 2.25)])
def test_a_mark_scheme_adds_up_to_whatever_the_question_is_worth(reading, points, criteria):
    part = ASSIGNMENT.part("gan-theory")
    asked = tuple(replace(q, points=points) if q.id == "3a" else q for q in part.questions)
    data = notebook_of("gan-theory")
    rows = "\n".join(f"- **{one:g}** what earns it" for one in criteria)
    earned = f"{sum(criteria):g} point{'' if sum(criteria) == 1 else 's'}"
    scheme = f"**Mark scheme**\n\n{rows}\n\n**Right.** All 9 of them. ({earned})"
    find(data, "gan-theory--3a")["source"] = f"- **9** no criterion\n\n{scheme}"
    assignment = replace(ASSIGNMENT, parts=(replace(part, questions=asked),))
    source = by_id(write_points(reading(data), assignment))["gan-theory--3a"].source
    first, *found = [float(found) for found in re.findall(r"^- \*\*(.+)\*\*", source, re.M)]
    assert first == 9
    assert sum(found) == pytest.approx(points)
    assert found == pytest.approx([one * points / sum(criteria) for one in criteria], abs=0.02)
    earned = f"{points:g} point{'' if points == 1 else 's'}"
    assert source.endswith(f"All 9 of them. ({earned})")


def test_the_table_of_a_title_says_the_same_points(reading):
    data = notebook_of("fc-gan")
    find(data, "title")["source"] += (
        "\n| `sample_noise` | noise | 9 |"
        "\n| `discriminator`, `generator` | networks | 9 + 9 |"
        "\n| `least_squares` | another game | 9, a bonus |"
        "\n| `unknown` | 9 layers | 9 |\n| 9 | x | 9 |"
    )
    part = ASSIGNMENT.part("fc-gan")
    worth = {"sample_noise": 3.0, "discriminator": 4.0, "generator": 4.5, "least_squares": 2.0}
    asked = tuple(replace(q, points=worth.get(q.id, q.points)) for q in part.questions)
    assignment = replace(ASSIGNMENT, parts=(replace(part, questions=asked),))
    table = by_id(write_points(reading(data), assignment))["title"].source
    assert table.endswith(
        "\n| `sample_noise` | noise | 3 |"
        "\n| `discriminator`, `generator` | networks | 4 + 4.5 |"
        "\n| `least_squares` | another game | 2, a bonus |"
        "\n| `unknown` | 9 layers | 9 |\n| 9 | x | 9 |"
    )


def test_what_the_bundle_must_know_of_the_parts_is_written_into_it(reading):
    both = write_rules(reading(notebook_of("ae-gan")), ASSIGNMENT).node.metadata.hw5
    assert both["groups"] == {"ae-gan": 2} and both["anonymous"] == ["ae-gan"]
    neither = write_rules(reading(notebook_of("fc-vae")), ASSIGNMENT).node.metadata.hw5
    assert set(neither) == {"title", "parts"}


def test_cells_of_other_parts_are_left_out(reading):
    notebook = reading(notebook_of("vae-theory", "gan-theory"))
    kept = keep_parts(notebook, ["gan-theory"])
    assert {c.id.partition("--")[0] for c in kept.cells} == {
        "title",
        "setup",
        "gan-theory",
        "hand-in",
    }
    assert kept.parts == ("gan-theory",) == tuple(kept.node.metadata.hw5.parts)
    assert keep_parts(notebook, ["fc-vae"]) is None


def test_code_of_no_part_counts_for_all_of_the_notebook(reading):
    code = list(code_by_part(reading(notebook_of("vae-theory", "gan-theory"))))
    assert {part for part, source in code if "RELEASE" in source} == {"vae-theory", "gan-theory"}
    assert {part for part, source in code if "gan-theory.3e" in source} == {"gan-theory"}


def test_students_get_neither_answers_nor_mark_schemes(reading):
    notebook = reading(notebook_of("vae-theory", "fc-vae", "conv-gan"))
    hidden = [text for _, text in secrets(notebook)]
    stripped = strip_notebook(notebook)
    assert len(hidden) == 10 and "owl" in " ".join(hidden) and "owl" not in stripped.text()
    assert by_id(stripped)["vae-theory--1a"].source == ANSWER_STUB
    assert by_id(stripped)["fc-vae--figures"].source.endswith("\n\nDraw.")


def test_locks_and_checksums_are_those_of_nbgrader(reading):
    cells = by_id(strip_notebook(reading(notebook_of("vae-theory", "fc-vae"))))
    answer, task = cells["vae-theory--1a"].metadata, cells["vae-theory--1b"].metadata
    assert answer.deletable is False and "editable" not in answer
    assert task.deletable is False and task.editable is False
    assert "deletable" not in cells["fc-vae--figures--figure"].metadata
    for one in cells.values():
        if "nbgrader" in one.metadata:
            assert one.metadata.nbgrader.checksum == compute_checksum(one)
            assert one.metadata.nbgrader.cell_type == one.cell_type


def test_the_address_is_written_into_the_first_code_cell(reading):
    notebook = write_address(reading(notebook_of("fc-vae")), "https://example.edu/hw5.zip")
    assert by_id(notebook)["setup"].source.startswith(
        'RELEASE = "https://example.edu/hw5.zip"  # where from'
    )
    data = notebook_of("fc-vae")
    find(data, "setup")["source"] = "import os"
    with pytest.raises(ReleaseError, match=r"cell setup: --address is written into a line RELEASE"):
        write_address(reading(data), "https://example.edu")


def test_a_stripped_notebook_is_read_back(reading):
    stripped = strip_notebook(reading(notebook_of("fc-vae")))
    assert loads("1_owls.ipynb", stripped.text().encode()).node == stripped.node


# --- what is refused


def broken(change):
    data = notebook_of("vae-theory", "fc-vae")
    change(data)
    return data


def test_a_cell_must_say_whose_it_is(reading):
    for id in ("fc-gan--x", "intro", "fc-vae-loss", "7c0ffee7"):
        with pytest.raises(
            ReleaseError, match=f"1_owls.ipynb, cell {id}: an id begins with the part"
        ):
            reading(broken(lambda d, id=id: d["cells"].append(cell("markdown", id, "Hello."))))
    with pytest.raises(ReleaseError, match="cell title is there twice"):
        reading(broken(lambda d: d["cells"].append(cell("markdown", "title", "Hello."))))


def test_a_notebook_must_say_its_parts(reading):
    for parts in ([], ["fc-vea"], ["fc-vae", "x"]):
        with pytest.raises(ReleaseError, match="its metadata must name its parts"):
            reading(broken(lambda d, parts=parts: d["metadata"]["hw5"].update(parts=parts)))


def test_outputs_are_refused(reading):
    output = {"output_type": "stream", "name": "stdout", "text": "42"}
    with pytest.raises(ReleaseError, match="cell setup holds an output"):
        reading(broken(lambda d: find(d, "setup")["outputs"].append(output)))
    with pytest.raises(ReleaseError, match="cell setup holds an output"):
        reading(broken(lambda d: find(d, "setup").update(execution_count=1)))


def test_metadata_that_nobody_reads_are_refused(reading):
    with pytest.raises(ReleaseError, match="cell title: the metadata solution would be released"):
        reading(broken(lambda d: find(d, "title")["metadata"].update(solution="x")))
    with pytest.raises(ReleaseError, match=r"1_owls.ipynb: the metadata colab would be released"):
        reading(broken(lambda d: d["metadata"].update(colab={})))


def test_a_cell_may_be_folded_and_nothing_else_comes_with_that(reading):
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}
    notebook = reading(broken(lambda d: find(d, "setup")["metadata"].update(folded)))
    assert by_id(strip_notebook(notebook))["setup"].metadata == folded
    for key, value in (("cellView", "code"), ("jupyter", {"source_hidden": True, "solution": 1})):
        with pytest.raises(ReleaseError, match="cell setup: the metadata of a folded cell are"):
            reading(broken(lambda d, k=key, v=value: find(d, "setup")["metadata"].update({k: v})))


def test_no_valid_notebook_is_a_sentence(reading, tmp_path):
    with pytest.raises(ReleaseError, match=r"1_owls.ipynb is no valid notebook"):
        reading({"cells": 3})
    (tmp_path / "2.ipynb").write_text("{")
    with pytest.raises(ReleaseError, match=r"2.ipynb is no valid notebook"):
        read(tmp_path / "2.ipynb", EVERY)


def refused_points(reading, change, words):
    with pytest.raises(ReleaseError, match=words):
        write_points(reading(broken(change)), ASSIGNMENT)


def test_points_stand_where_nothing_of_a_student_is_run(reading):
    def test_cell(data):
        find(data, "fc-vae--loss--check")["metadata"]["nbgrader"].update(grade=True, points=7)

    refused_points(reading, test_cell, "fc-vae--loss--check: a cell that carries points is called")

    def as_answer(data):
        one = find(data, "fc-vae--loss")
        one["metadata"]["nbgrader"].update(task=False, grade=True, solution=True, locked=False)

    refused_points(reading, as_answer, "fc-vae--loss: the judge marks this question")

    def run_by_nbgrader(data):
        one = find(data, "vae-theory--1a")
        one.update(cell_type="code", outputs=[], execution_count=None)

    refused_points(reading, run_by_nbgrader, "nbgrader would mark this cell by running it")


def test_a_graded_cell_must_name_a_question(reading):
    def renamed(data):
        one = find(data, "fc-vae--loss")
        one["id"] = one["metadata"]["nbgrader"]["grade_id"] = "fc-vae--los"

    refused_points(reading, renamed, r"cell fc-vae--los: part 'fc-vae' has no question 'los'")

    def imported(data):
        one = find(data, "fc-vae--loss")
        one["id"] = one["metadata"]["nbgrader"]["grade_id"] = "fc-vae--import"

    refused_points(reading, imported, r"fc-vae.import carries no points")
    with pytest.raises(ReleaseError, match="its grade_id 'x' must be its id"):
        reading(
            broken(lambda d: find(d, "fc-vae--loss")["metadata"]["nbgrader"].update(grade_id="x"))
        )


def test_a_statement_must_say_its_points(reading):
    def silent(data):
        find(data, "fc-vae--loss")["source"] = "### The loss"

    refused_points(
        reading, silent, r"cell fc-vae--loss: its first line must be a heading that says"
    )

    def without(data):
        data["cells"].remove(find(data, "vae-theory--1a--statement"))

    refused_points(reading, without, "an answer needs a statement")


def test_markers_in_other_cells_are_refused(reading):
    for id, text in (
        ("title", "### BEGIN SOLUTION\nx\n### END SOLUTION"),
        ("setup", "# END SOLUTION"),
    ):
        data = broken(lambda d, id=id, text=text: find(d, id).update(source=text))
        with pytest.raises(ReleaseError, match=f"cell {id}, line 1: .* looks like a marker"):
            strip_notebook(reading(data))


def test_an_attachment_that_only_the_answer_shows_is_refused(reading):
    image = {"owl.png": {"image/png": "iVBORw0KGgo="}}

    def attached(data):
        one = find(data, "vae-theory--1a")
        one["source"] = one["source"].replace("Because.", "![](attachment:owl.png)")
        one["attachments"] = image

    with pytest.raises(
        ReleaseError, match=r"vae-theory--1a: nothing that is released shows .*owl.png"
    ):
        strip_notebook(reading(broken(attached)))

    def shown(data):
        find(data, "title").update(source="# Owl ![](attachment:owl.png)", attachments=image)

    assert "iVBORw0KGgo=" in strip_notebook(reading(broken(shown))).text()


# --- the notebooks of the kit


@pytest.mark.parametrize("path", SOURCE, ids=lambda p: p.stem)
def test_the_notebooks_say_the_points_of_the_assignment_and_can_be_stripped(path):
    notebook = keep_parts(read(path, EVERY), [part.id for part in ASSIGNMENT.parts])
    written = write_points(notebook, ASSIGNMENT)
    assert write_points(written, ASSIGNMENT).node == written.node
    stripped = strip_notebook(written)
    assert "SOLUTION" not in stripped.text() and "MARK SCHEME" not in stripped.text()
    assert by_id(notebook)["setup"].source.count('\nRELEASE = ""') == 1


def test_every_question_is_asked_once_in_the_notebooks_of_the_kit():
    asked = [cell.id for path in SOURCE for cell in graded(read(path, EVERY))]
    wanted = [
        grade_id(f"{part.id}.{q.id}")
        for part in read_assignment().parts
        for q in part.questions
        if q.kind != "info"
    ]
    assert sorted(one for one in asked if not one.startswith("demonstration")) == sorted(wanted)
