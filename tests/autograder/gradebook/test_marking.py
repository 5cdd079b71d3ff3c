"""Does whoever marks see the mark scheme, and no student?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from autograder.gradebook import marking
from autograder.gradebook.marking import Marking
from autograder.roster import Person, Roster, write_roster
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    WRITTEN,
    Notebook,
    cell,
    text,
)


def marked(course: Path, student: str, name: str, **more: Any) -> tuple[Any, dict[str, Any]]:
    """A notebook as formgrader's page has it, and what the page says around it."""
    path = course / "autograded" / student / "hw5" / f"{name}.ipynb"
    resources = {
        "metadata": {"path": str(path.parent), "name": name},
        "assignment_id": "hw5",
        "notebook_id": name,
        "submission_id": "1",
        "student": student,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "index": 4,
        "notebook_path": str(path),
        **more,
    }
    return Marking().preprocess(nbformat.read(path, 4), resources)


def of(notebook: Notebook, name: str) -> Any:
    return cell(notebook, name)["metadata"]["marking"]


def test_the_model_answer_and_its_mark_scheme_stand_beside_the_answer(classroom):
    notebook, _ = marked(classroom, "ada", WRITTEN)
    assert of(notebook, ANSWERS[0])["scheme"].startswith("The secret model answer.")
    assert "one point each" in of(notebook, ANSWERS[0])["scheme"]
    assert "secret" not in text(cell(notebook, ANSWERS[0]))


def test_a_figures_cell_shows_its_mark_scheme_without_a_raw_marker(classroom):
    notebook, _ = marked(classroom, "ada", CODE)
    assert of(notebook, FIGURES)["scheme"] == "The secret criteria of the figures."
    assert "MARK SCHEME" not in text(cell(notebook, FIGURES))
    assert of(notebook, CODED[0])["scheme"] == ""


def test_a_course_without_its_source_has_no_mark_schemes_and_still_a_page(classroom, tmp_path):
    home = tmp_path / "autograded" / "ada" / "hw5"
    home.mkdir(parents=True)
    (home / f"{WRITTEN}.ipynb").write_bytes(
        (classroom / "autograded" / "ada" / "hw5" / f"{WRITTEN}.ipynb").read_bytes()
    )
    notebook, _ = marked(tmp_path, "ada", WRITTEN)
    assert of(notebook, ANSWERS[0]) == {"scheme": "", "equal": 0, "others": []}


def test_feedback_holds_no_mark_scheme(classroom):
    pages = [*classroom.glob("feedback/*/hw5/*.html")]
    assert len(pages) > 20
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert "secret" not in html
        assert "MARK SCHEME" not in html


def test_what_nobody_has_to_read_is_folded(classroom):
    notebook, _ = marked(classroom, "ada", CODE)
    folded = [one["id"] for one in notebook["cells"] if "folded" in one["metadata"]]
    assert folded == ["fc-vae--networks--check", "fc-vae--loss--check"]


def test_every_notebook_begins_with_a_set_up_cell_that_is_folded():
    from autograder.checking.modules import ROOT

    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = [one for one in nbformat.read(path, 4).cells if one.cell_type == "code"]
        assert cells[0].source.startswith(tuple(marking.FOLDED)), path.name


def test_an_anonymous_part_shows_no_name(classroom, monkeypatch):
    _, resources = marked(classroom, "ada", WRITTEN)
    assert (resources["student"], resources["last_name"]) == ("ada", "Lovelace")
    monkeypatch.setattr(marking, "anonymous_parts", lambda: {"vae-theory"})
    notebook, resources = marked(classroom, "ada", WRITTEN, first_name="logarithm")
    assert (resources["student"], resources["last_name"]) == ("Submission #5", None)
    assert "ada" not in resources["notebook_path"]
    assert text(cell(notebook, ANSWERS[0])) == "The [name] is concave, so $a< b$."


def test_an_anonymous_part_shows_no_name_of_the_roster_and_no_netid_that_was_written_down(
    classroom, tmp_path, monkeypatch
):
    monkeypatch.setattr(marking, "anonymous_parts", lambda: {"vae-theory"})
    home = tmp_path / "autograded" / "4711" / "hw5"
    home.mkdir(parents=True)
    notebook = nbformat.read(classroom / "autograded" / "ada" / "hw5" / f"{WRITTEN}.ipynb", 4)
    notebook.cells.append(nbformat.v4.new_code_cell('NETID = "al123, gh7"  # yours'))
    notebook.cells.append(nbformat.v4.new_markdown_cell("I am al123 (lovelace@x.edu), with gh7."))
    nbformat.write(notebook, home / f"{WRITTEN}.ipynb")
    (tmp_path / "marks").mkdir()
    write_roster(
        Roster((Person("4711", "ada_l", "Lovelace, Ada", "lovelace@x.edu"),)),
        tmp_path / "marks" / "roster.csv",
    )
    found, _ = marked(tmp_path, "4711", WRITTEN, first_name=None, last_name=None)
    assert found.cells[-2].source == 'NETID = "[name], [name]"  # yours'
    assert found.cells[-1].source == "I am [name] ([name]), with [name]."


def test_the_parts_without_names_are_those_of_the_assignment():
    assert marking.anonymous_parts() == {p.id for p in ASSIGNMENT.parts if p.anonymous}
    assert marking.anonymous_parts()
