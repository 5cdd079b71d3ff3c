"""A student's deleted, copied, moved, retyped or re-tagged cells are found, and it is said how."""

from __future__ import annotations

import json
from copy import deepcopy

import nbformat
import pytest

from autograder.gradebook.reading import read_notebook
from autograder.gradebook.repair_cells import Released, repair
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    CODE,
    CODED,
    FIGURES,
    SOURCE,
    STUB,
    WRITTEN,
    Notebook,
    cell,
    text,
)

ANSWER = "The logarithm is concave."
LONG = "I think that the posterior itself depends on what we differentiate by. " * 3


def released(name: str) -> list[Released]:
    """What the gradebook knows of a notebook."""
    known = []
    for one in SOURCE[name]["cells"]:
        nbgrader = one["metadata"].get("nbgrader")
        if nbgrader:
            source = STUB if nbgrader["solution"] else one["source"].partition("\n\n===")[0]
            metadata = {**nbgrader, "checksum": "0" * 32, "cell_type": one["cell_type"]}
            marking = STUB if nbgrader["solution"] else one["source"]
            locked = not nbgrader["solution"]
            known.append(Released(one["id"], one["cell_type"], locked, source, marking, metadata))
    return known


@pytest.fixture
def written() -> Notebook:
    """The notebook of written questions, the first of them answered."""
    content = handed_out(WRITTEN)
    cell(content, ANSWERS[0])["source"] = ANSWER
    return content


@pytest.fixture
def coded() -> Notebook:
    """The notebook of coded questions and figures, as it was handed out."""
    return handed_out(CODE)


def handed_out(name: str) -> Notebook:
    content = deepcopy(SOURCE[name])
    known = {one.name: one for one in released(name)}
    for one in content["cells"]:
        if one["id"] in known:
            one["source"] = known[one["id"]].source
    return content


def repaired(
    content: Notebook, name: str, ours: frozenset[str] = frozenset()
) -> tuple[Notebook, str]:
    """The notebook after repair, checked to be whole, and what was said."""
    read = read_notebook(json.dumps(content).encode())
    read.cells, notes = repair(read.cells, released(name), ours)
    nbformat.validate(json.loads(nbformat.writes(read)))
    tagged = [one for one in read.cells if "nbgrader" in one.metadata]
    assert sorted(one.id for one in tagged) == sorted(one.name for one in released(name))
    for one in released(name):
        assert cell(read, one.name)["metadata"] == {"nbgrader": one.metadata}
        if one.locked:
            assert cell(read, one.name)["source"] == one.marking
    assert len({one.id for one in read.cells}) == len(read.cells)
    return read, "\n".join(notes)


def untag(content: Notebook, *names: str) -> None:
    for one in content["cells"]:
        if not names or one["id"] in names:
            one["metadata"] = {}


def forget_ids(content: Notebook) -> None:
    for number, one in enumerate(content["cells"]):
        one["id"] = f"random{number}"


def test_an_undamaged_notebook_stays_as_it_is(written, coded):
    for content, name in ((written, WRITTEN), (coded, CODE)):
        read, notes = repaired(content, name)
        assert notes == ""
        assert [one.id for one in read.cells] == [one["id"] for one in content["cells"]]
    assert cell(repaired(written, WRITTEN)[0], ANSWERS[0])["source"] == ANSWER


def test_a_mark_scheme_is_there_for_whoever_marks(coded):
    assert "secret criteria" not in text(cell(coded, FIGURES))
    assert "secret criteria" in cell(repaired(coded, CODE)[0], FIGURES)["source"]


def test_what_a_student_does_to_metadata_changes_nothing(coded):
    for one in coded["cells"]:
        if nbgrader := one["metadata"].get("nbgrader"):
            nbgrader.update(points=1000, locked=False, task=False, grade=True, schema_version=99)
            nbgrader.pop("solution")
    cell(coded, CODED[0])["metadata"]["nbgrader"].pop("points")
    assert repaired(coded, CODE)[1] == ""


def test_a_cell_without_its_tag_is_found_by_its_id(written):
    untag(written)
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[0])["source"] == ANSWER
    assert f"`{ANSWERS[0]}` has another tag, or none; its id was believed." in notes


def test_swapped_tags_are_not_believed(written):
    first, second = (cell(written, name)["metadata"]["nbgrader"] for name in ANSWERS)
    first["grade_id"], second["grade_id"] = ANSWERS[1], ANSWERS[0]
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[0])["source"] == ANSWER
    assert "its id was believed" in notes


def test_colab_keeps_tags_and_no_ids_which_is_nothing_to_speak_of(written):
    for one in written["cells"]:
        one["metadata"]["id"] = one.pop("id")[:3]
    written["nbformat_minor"] = 0
    read, notes = repaired(written, WRITTEN)
    assert notes == ""
    assert cell(read, ANSWERS[0])["source"] == ANSWER


def test_without_ids_and_tags_our_cells_are_found_by_text_and_answers_by_place(written):
    untag(written)
    forget_ids(written)
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[0])["source"] == ANSWER
    assert f"`{ANSWERS[0]}` was found by its place" in notes
    assert f"`{ANSWERS[1]}` was deleted" in notes  # it held nothing that could be found


def test_a_text_of_ours_with_an_edit_is_still_found(coded):
    task = cell(coded, CODED[1])
    task["source"] = task["source"].replace("averaged", "(averaged)")
    untag(coded, CODED[1])
    task["id"] = "random"
    read, notes = repaired(coded, CODE)
    assert f"`{CODED[1]}` was found by its text." in notes
    assert len(read.cells) == len(coded["cells"])


def test_a_deleted_statement_is_put_back_above_its_question(coded):
    coded["cells"] = [one for one in coded["cells"] if one["id"] not in (CODED[1], FIGURES)]
    read, notes = repaired(coded, CODE)
    ids = [one.id for one in read.cells]
    assert ids == [one["id"] for one in SOURCE[CODE]["cells"]]
    assert f"`{CODED[1]}` was deleted, and put back as it was released." in notes


def test_a_deleted_answer_is_put_back_below_its_statement(written):
    written["cells"] = [one for one in written["cells"] if one["id"] != ANSWERS[1]]
    read, _ = repaired(written, WRITTEN)
    assert [one.id for one in read.cells] == [one["id"] for one in SOURCE[WRITTEN]["cells"]]
    assert cell(read, ANSWERS[1])["source"] == STUB


def test_an_answer_in_a_new_cell_below_its_statement_is_found(written):
    place = written["cells"].index(cell(written, ANSWERS[1]))
    written["cells"][place] = {"cell_type": "markdown", "id": "f00", "metadata": {}, "source": LONG}
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[1])["source"] == LONG
    assert "see whether it is the answer" in notes


def test_text_below_an_empty_answer_is_pointed_at_unless_it_is_ours(written):
    place = written["cells"].index(cell(written, ANSWERS[1])) + 1
    below = {"cell_type": "markdown", "id": "f00", "metadata": {}, "source": "About what follows."}
    written["cells"].insert(place, below)
    said = f"`{ANSWERS[1]}` is as it was released, but there is text below it."
    assert said in repaired(deepcopy(written), WRITTEN)[1]
    assert repaired(written, WRITTEN, frozenset({"About what follows."}))[1] == ""


def test_of_two_copies_the_one_with_the_answer_counts(written):
    copy = {**deepcopy(cell(written, ANSWERS[1])), "id": "f00", "source": LONG}
    written["cells"].append(copy)
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[1])["source"] == LONG
    assert "the copy holds the answer" in notes


def test_of_two_answers_both_are_shown(written):
    written["cells"].append({**deepcopy(cell(written, ANSWERS[0])), "id": "f00", "source": LONG})
    read, notes = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[0])["source"] == ANSWER
    assert cell(read, "f00")["source"] == LONG
    assert f"`{ANSWERS[0]}` is there 2 times; look at the copies too." in notes


def test_a_copied_statement_is_one_cell_to_the_gradebook(coded):
    coded["cells"].append({**deepcopy(cell(coded, CODED[0])), "id": "f00"})
    read, _ = repaired(coded, CODE)
    assert cell(read, "f00")["metadata"] == {}


def test_cells_in_another_order_are_left_there_and_it_is_said(coded):
    coded["cells"].reverse()
    read, notes = repaired(coded, CODE)
    assert [one.id for one in read.cells] == [one["id"] for one in coded["cells"]]
    assert notes == "Its cells are not in the order of the release."


def test_what_a_student_wrote_over_our_text_is_kept_below_it(written):
    statement = cell(written, "vae-theory--1f--statement")
    statement["source"] += f"\n\n{LONG}"
    read, notes = repaired(written, WRITTEN)
    ids = [one.id for one in read.cells]
    theirs = read.cells[ids.index("vae-theory--1f--statement") + 1]
    assert LONG in theirs.source and theirs.metadata == {}
    assert "was changed; as handed in, it stands below ours." in notes


def test_a_figure_in_a_cell_that_was_ours_is_kept(coded):
    task = cell(coded, FIGURES)
    outputs = [{"output_type": "stream", "name": "stdout", "text": "drawn"}]
    task.update(cell_type="code", source="show(samples)", outputs=outputs)
    read, _ = repaired(coded, CODE)
    kept = [one for one in read.cells if one.cell_type == "code" and one.outputs]
    assert [one.outputs[0].text for one in kept] == ["drawn"]


def test_an_answer_in_a_code_cell_becomes_text_again(written):
    cell(written, ANSWERS[0]).update(cell_type="code", outputs=[], execution_count=None)
    read, _ = repaired(written, WRITTEN)
    assert cell(read, ANSWERS[0])["cell_type"] == "markdown"
    assert cell(read, ANSWERS[0])["source"] == ANSWER


def test_a_tag_on_a_strangers_cell_gives_it_nothing(coded):
    stranger = {"cell_type": "code", "id": "f00", "source": "print(7)", "outputs": []}
    stranger["metadata"] = deepcopy(cell(coded, CODED[0])["metadata"])
    stranger["execution_count"] = None
    coded["cells"].insert(0, stranger)
    read, _ = repaired(coded, CODE)
    assert cell(read, "f00")["metadata"] == {}
    assert cell(read, "f00")["source"] == "print(7)"


@pytest.mark.parametrize("name", [WRITTEN, CODE])
def test_an_empty_notebook_gets_every_cell_in_order(name):
    read, notes = repaired({"cells": []}, name)
    assert notes == ""
    assert [one.id for one in read.cells] == [one.name for one in released(name)]


def test_a_notebook_of_something_else_keeps_its_cells_and_gets_ours():
    other = {"cells": [{"cell_type": "markdown", "id": "x", "metadata": {}, "source": LONG}]}
    read, notes = repaired(other, CODE)
    assert notes == "None of the released cells was found in it."
    assert cell(read, "x")["source"] == LONG
