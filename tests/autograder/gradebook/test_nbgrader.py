"""nbgrader's own commands on a class of twenty, half of whose notebooks are damaged."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from autograder.gradebook import harmless
from autograder.gradebook.course import open_course, repairs
from autograder.gradebook.harmless import LEFT_OUT
from tests.autograder.gradebook.a_class import ANSWER, STUDENTS, trace
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    FULL,
    HALF,
    NOTEBOOKS,
    PNG,
    STUB,
    WRITTEN,
    cell,
    comment,
    grades,
    points,
    released,
    shown,
    text,
)

OPEN = (None, None, True)
NOTHING = (0.0, None, False)


@pytest.fixture(scope="module")
def notes(classroom: Path) -> list[str]:
    return repairs(open_course(classroom, ASSIGNMENT))


class TestGenerateAssignment:
    def test_the_release_holds_no_solution_and_no_mark_scheme(self, template):
        for path in (template / "release").rglob("*.ipynb"):
            assert "secret" not in path.read_text()

    def test_answers_are_stubs_and_statements_are_locked(self, template):
        assert text(cell(released(template, WRITTEN), ANSWERS[0])) == STUB
        task = cell(released(template, CODE), CODED[0])
        assert task["metadata"]["nbgrader"]["points"] == FULL
        assert task["metadata"]["editable"] is False

    def test_the_stripped_module_is_released(self, template):
        module = template / "release" / "hw5" / "hw5_vae.py"
        assert module.read_text() == (template / "source" / "hw5" / "hw5_vae.py").read_text()


class TestMarks:
    @pytest.mark.parametrize("student", [one for one in STUDENTS if one not in ("sue", "tom")])
    def test_the_judges_marks_stand_whatever_the_notebook_is(self, classroom, student):
        given = grades(classroom, student)
        assert given[CODED[0]] == (FULL, None, False)
        assert given[CODED[1]] == (HALF, None, False)

    @pytest.mark.parametrize("student", ["ada", "ben", "eve", "fay", "gus", "ida", "nia", "oli"])
    def test_answers_and_figures_wait_for_a_person(self, classroom, student):
        given = grades(classroom, student)
        assert given[ANSWERS[0]] == given[FIGURES] == OPEN

    def test_an_answer_that_nobody_wrote_gets_nothing(self, classroom):
        for student in ("ada", "ben", "gus", "ida", "oli"):
            assert grades(classroom, student)[ANSWERS[1]] == NOTHING
            assert comment(classroom, student, ANSWERS[1]) == "No response."

    def test_where_something_was_repaired_an_empty_answer_waits_for_a_person(self, classroom):
        # ron wrote it into the statement, lea's notebook lost all that nbgrader knows.
        for student in ("ron", "lea", "nia", "cleo"):
            assert grades(classroom, student)[ANSWERS[1]] == OPEN

    def test_an_answer_in_a_copy_waits_for_a_person(self, classroom):
        assert grades(classroom, "dan")[ANSWERS[1]] == OPEN

    def test_what_was_not_handed_in_gets_nothing_and_waits_for_nobody(self, classroom):
        given = grades(classroom, "jon")
        assert given[ANSWERS[0]] == given[ANSWERS[1]] == given[FIGURES] == NOTHING
        assert grades(classroom, "kim")[FIGURES] == NOTHING
        assert grades(classroom, "kim")[ANSWERS[0]] == OPEN

    def test_figures_of_a_notebook_that_cannot_be_read_wait_for_a_person(self, classroom):
        for student in ("hal", "max"):
            assert grades(classroom, student)[FIGURES] == OPEN

    def test_withheld_marks_are_blanks_that_a_person_fills(self, classroom):
        assert grades(classroom, "sue")[CODED[0]] == OPEN
        assert "More than one submission claims" in str(comment(classroom, "sue", CODED[0]))

    def test_an_ungradable_question_is_a_blank_and_no_zero(self, classroom):
        assert grades(classroom, "tom")[CODED[1]] == OPEN
        assert grades(classroom, "tom")[CODED[0]] == (FULL, None, False)
        assert "our fault" in str(comment(classroom, "tom", CODED[1]))

    def test_comments_carry_our_sentences(self, classroom):
        said = str(comment(classroom, "cleo", CODED[1]))
        assert "loss_function averages over the batch." in said
        assert "Your loss is the sum over the batch; divide by its size." in said
        assert comment(classroom, "cleo", CODED[0]) is None


class TestNothingRuns:
    def test_the_notebook_would_write_a_file(self, tmp_path):
        exec(trace(tmp_path), {})
        assert (tmp_path / "it-ran").exists()

    def test_no_code_of_a_student_has_run(self, classroom):
        there = [text(one) for one in shown(classroom, "pia", CODE)["cells"]]
        assert sum("it-ran" in source for source in there) >= 2
        assert not [*classroom.rglob("it-ran")]

    def test_forged_outputs_are_worth_nothing(self, classroom):
        assert grades(classroom, "pia")[CODED[1]] == (HALF, None, False)


class TestRepairs:
    def test_every_notebook_of_everybody_can_be_marked(self, classroom):
        for student in STUDENTS:
            for name in NOTEBOOKS:
                content = shown(classroom, student, name)
                nbformat.validate(content)
                ids = [one["id"] for one in content["cells"] if one["metadata"].get("nbgrader")]
                assert sorted(ids) == sorted(tagged(classroom, name)), (student, name)

    def test_answers_are_found_wherever_they_went(self, classroom):
        for student in ("ada", "dan", "eve", "fay", "gus", "ida", "nia", "oli"):
            answer = text(cell(shown(classroom, student, WRITTEN), ANSWERS[0]))
            assert answer == harmless.markdown(ANSWER, {}), student

    def test_figures_are_kept_for_marking(self, classroom):
        for student in ("ada", "fay", "nia", "ron"):
            assert PNG in json.dumps(shown(classroom, student, CODE)), student

    def test_a_mark_scheme_is_shown_to_whoever_marks(self, classroom):
        assert "secret criteria" in text(cell(shown(classroom, "cleo", CODE), FIGURES))

    def test_what_was_repaired_is_said_in_the_log_and_in_the_notebook(self, classroom, notes):
        expected = {
            f"cleo, {CODE}": f"`{CODED[1]}` was deleted",
            f"dan, {WRITTEN}": "the copy holds the answer",
            f"eve, {CODE}": "not in the order of the release",
            f"fay, {WRITTEN}": "its id was believed",
            f"hal, {CODE}": f"{CODE}.ipynb is not valid JSON",
            f"jon, {CODE}": f"{CODE}.ipynb was not handed in.",
            f"max, {CODE}": f"{CODE}.ipynb is JSON, but not a notebook",
            f"nia, {WRITTEN}": "was found by its place",
            f"ron, {WRITTEN}": "`vae-theory--1f--statement` was changed",
        }
        for where, sentence in expected.items():
            student, _, name = where.partition(", ")
            assert any(n.startswith(where) and sentence in n for n in notes), (where, notes)
            assert sentence in text(shown(classroom, student, name)["cells"][0])

    def test_nothing_is_said_of_notebooks_that_are_whole(self, notes):
        assert not [note for note in notes if note.startswith(("ada,", "gus,", "ben, 1"))]

    def test_the_students_own_modules_lie_beside_the_notebooks(self, classroom):
        for student in ("ada", "jon"):
            module = classroom / "autograded" / student / "hw5" / "hw5_vae.py"
            assert module.read_text() == "LATENT = 15\n"


def tagged(course: Path, name: str) -> list[str]:
    """The cells of a notebook that nbgrader knows."""
    content = released(course, name)
    return [one["id"] for one in content["cells"] if one["metadata"].get("nbgrader")]


class TestPages:
    def test_scripts_of_a_student_are_text_in_the_notebook(self, classroom):
        content = shown(classroom, "ben", CODE)
        sources = [text(one) for one in content["cells"] if one["cell_type"] == "markdown"]
        assert any("< script>" in source for source in sources)
        assert not any("<script" in source for source in sources)
        assert set(content["metadata"]) == {"kernelspec", "language_info"}

    def test_outputs_of_a_student_are_text_and_pictures(self, classroom):
        outputs = cell(shown(classroom, "ben", CODE), "fc-vae--figures--samples")["outputs"]
        kinds = {kind for output in outputs for kind in output["data"]}
        assert kinds == {"image/png", "text/plain", "image/svg+xml"}
        assert any(LEFT_OUT in text_of(output) for output in outputs)

    def test_feedback_shows_marks_and_comments_and_runs_nothing(self, classroom):
        for student in STUDENTS:
            for name in NOTEBOOKS:
                page = feedback(classroom, student, name)
                own = page.find(id="notebook-container")
                assert not own.find_all("script"), (student, name)
                assert not own.find_all(lambda tag: any(a.startswith("on") for a in tag.attrs))
                links = [str(a.get("href", "")) for a in own.find_all("a")]
                assert not [link for link in links if link.startswith("javascript")]
        page = feedback(classroom, "ben", CODE).get_text()
        assert f"Score: {HALF} / {2 * HALF}" in page
        assert "Your loss is the sum over the batch; divide by its size." in page

    def test_our_own_folded_hints_stay_folded(self, classroom):
        page = feedback(classroom, "ben", WRITTEN)
        assert page.find("details").summary.get_text() == "Hint"

    def test_export_lists_everybody_with_the_sum_of_the_marks(self, classroom):
        with (classroom / "grades.csv").open() as file:
            rows = {row["student_id"]: row for row in csv.DictReader(file)}
        assert set(rows) == set(STUDENTS)
        assert float(rows["ada"]["score"]) == FULL + HALF
        whole = sum(points(name) for name in (*CODED, FIGURES, *ANSWERS))
        assert float(rows["ada"]["max_score"]) == whole
        assert rows["ada"]["timestamp"].startswith("2027-04-01 12:00")


def text_of(output: dict) -> str:
    return "".join(output["data"].get("text/plain", ""))


def feedback(course: Path, student: str, name: str) -> BeautifulSoup:
    page = course / "feedback" / student / "hw5" / f"{name}.html"
    return BeautifulSoup(page.read_text(), "html.parser")


def test_a_submission_lies_as_nbgrader_expects_it(classroom):
    there = {path.name for path in (classroom / "submitted" / "ron" / "hw5").iterdir()}
    assert there == {f"{CODE}.ipynb", f"{WRITTEN}.ipynb", "hw5_vae.py", "timestamp.txt"}
