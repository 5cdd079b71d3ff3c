"""Submissions and marks are brought into the course folder, and out of it again unchanged."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder import __main__ as command_line
from autograder.gradebook import course as courses
from autograder.gradebook.course import (
    GradebookError,
    by_student,
    enter,
    name_students,
    open_course,
    refuse_another_release,
)
from autograder.intake.submissions import Handin, digest, read_submissions
from autograder.results import from_json
from autograder.roster import Person, Roster
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    CONFIG,
    FIGURES,
    FULL,
    HALF,
    NOTEBOOKS,
    WRITTEN,
    filled_in,
    graded,
    grades,
    mark_by_hand,
    packed,
)

KIT = Path(__file__).resolve().parents[3]
ELSEWHERE = Path("elsewhere")


@pytest.fixture
def no_nbgrader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but nbgrader itself, which takes seconds to start."""
    monkeypatch.setattr(courses, "_autograde", lambda course: None)


def home(course: Path, student: str) -> Path:
    return course / "submitted" / student / "hw5"


class TestOpening:
    def test_the_folder_and_the_gradebook_in_it_are_the_same_course(self, template):
        one = open_course(template, ASSIGNMENT)
        assert one == open_course(template / "gradebook.db", ASSIGNMENT)
        assert one.notebooks == NOTEBOOKS

    def test_a_folder_that_is_no_course_is_refused(self, tmp_path):
        with pytest.raises(GradebookError, match=r"holds no nbgrader_config.py of ours"):
            open_course(tmp_path, ASSIGNMENT)
        (tmp_path / CONFIG.name).write_text("c = get_config()")
        with pytest.raises(GradebookError, match=r"holds no nbgrader_config.py of ours"):
            open_course(tmp_path, ASSIGNMENT)

    def test_a_course_without_a_gradebook_is_refused_and_none_is_made(self, tmp_path):
        shutil.copy(CONFIG, tmp_path)
        with pytest.raises(GradebookError, match="Run `nbgrader generate_assignment hw5`"):
            open_course(tmp_path, ASSIGNMENT)
        assert not (tmp_path / "gradebook.db").exists()

    def test_the_command_line_says_so_before_it_grades(self, tmp_path, capsys):
        command = ["grade", str(tmp_path), "--out", str(tmp_path / "m"), "--gradebook"]
        assert command_line.main([*command, str(tmp_path)]) == 2
        assert "holds no nbgrader_config.py of ours" in capsys.readouterr().err

    def test_a_course_of_another_release_is_refused(self, template):
        opened = open_course(template, ASSIGNMENT)
        both = [ASSIGNMENT.part("vae-theory"), ASSIGNMENT.part("fc-vae")]
        refuse_another_release(opened, ASSIGNMENT, both)
        refuse_another_release(opened, ASSIGNMENT, both[1:])
        with pytest.raises(GradebookError, match=r"not ask conv-gan.*: --part vae-theory --pa"):
            refuse_another_release(opened, ASSIGNMENT, [*both, ASSIGNMENT.part("conv-gan")])
        asked = tuple(one for one in both[1].questions if one.id != "loss")
        fewer = replace(ASSIGNMENT, parts=(both[0], replace(both[1], questions=asked)))
        with pytest.raises(GradebookError, match=r"it asks fc-vae.loss, which is not in"):
            refuse_another_release(opened, fewer, fewer.parts)

    def test_a_course_of_another_release_is_refused_before_anything_is_graded(
        self, template, tmp_path, capsys
    ):
        command = ["grade", str(tmp_path), "--out", str(tmp_path / "m"), "--part", "conv-gan"]
        assert command_line.main([*command, "--gradebook", str(template)]) == 2
        assert "is of another release: it does not ask conv-gan" in capsys.readouterr().err
        assert not (tmp_path / "m").exists()


class TestWhoIsWho:
    def test_every_member_of_a_group_has_the_hand_in(self):
        pair = Handin("pair", ("ada", "ben"), {})
        alone = Handin("cleo", ("cleo",), {})
        assert by_student([pair, alone]) == {"ada": pair, "ben": pair, "cleo": alone}

    def test_two_that_claim_one_student_stand_under_their_own_ids(self):
        first = Handin("submission_1", ("ada",), {})
        second = Handin("submission_2", ("ada", "ben"), {})
        named = by_student([first, second])
        assert named == {"submission_1": first, "submission_2": second, "ben": second}


def test_nbgrader_calls_students_as_the_roster_does(course):
    people = Person("4711", name="Nguyễn, Minh"), Person("x", "al123", "王小明", "w@example.edu")
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        for student in ("4711", "al123", "stranger"):
            gradebook.update_or_create_student(student)
        name_students(open_course(course, ASSIGNMENT), Roster(people))
        named = {one.id: (one.last_name, one.first_name, one.email) for one in gradebook.students}
    assert named == {
        "4711": ("Nguyễn", "Minh", None),
        "al123": ("王小明", "", "w@example.edu"),
        "stranger": (None, None, None),
    }


@pytest.mark.usefixtures("no_nbgrader")
class TestLayingOut:
    def lay(self, course: Path, *handins: Handin, source: Path = ELSEWHERE) -> list[str]:
        opened = open_course(course, ASSIGNMENT)
        return enter(handins, [graded(one.id) for one in handins], opened, source)

    def test_files_time_and_marks_lie_where_nbgrader_looks(self, course):
        when = datetime(2027, 4, 1, 14, 30, 1, 5, tzinfo=timezone.utc)
        self.lay(course, Handin("ada", ("ada",), packed(filled_in(course)), submitted=when))
        assert (home(course, "ada") / "timestamp.txt").read_text().startswith("2027-04-01 14:30:01")
        text = (course / "marks" / "results" / "ada.json").read_text()
        assert from_json(text).id == "ada"

    def test_what_was_laid_out_is_read_back_as_it_was_handed_in(self, course):
        when = datetime(2027, 4, 1, 14, 30, 1, 5, tzinfo=timezone.utc)
        handin = Handin("ada", ("ada",), {"hw5_vae.py": b"x = 1\n"}, submitted=when)
        self.lay(course, handin)
        (again,) = read_submissions(course / "submitted", ASSIGNMENT, ASSIGNMENT.parts)
        assert digest(again) == digest(handin)

    def test_placeholders_stand_for_notebooks_and_are_nobodys_work(self, course):
        self.lay(course, Handin("ada", ("ada",), {}, flags=("empty",)))
        assert {path.name for path in home(course, "ada").iterdir()} == {
            f"{name}.ipynb" for name in NOTEBOOKS
        }
        (again,) = read_submissions(course / "submitted", ASSIGNMENT, ASSIGNMENT.parts)
        assert again.files == {} and "empty" in again.flags

    def test_what_nbgrader_collected_is_not_touched(self, course):
        folder = home(course, "ada@uni.edu")
        folder.mkdir(parents=True)
        (folder / f"{CODE}.ipynb").write_bytes(b"as it came")
        (folder / "notes.txt").write_text("kept")
        submitted = course / "submitted"
        handins = read_submissions(submitted, ASSIGNMENT, ASSIGNMENT.parts)
        assert self.lay(course, *handins, source=submitted) == ["ada@uni.edu"]
        assert (folder / f"{CODE}.ipynb").read_bytes() == b"as it came"
        assert (folder / "notes.txt").exists() and (folder / f"{WRITTEN}.ipynb").exists()
        assert [path.name for path in submitted.iterdir()] == ["ada@uni.edu"]

    def test_a_collected_notebook_under_another_name_is_laid_beside_it(self, course):
        folder = home(course, "ada")
        folder.mkdir(parents=True)
        (folder / f"{CODE} (1).ipynb").write_bytes(b"as it came")
        handins = read_submissions(course / "submitted", ASSIGNMENT, ASSIGNMENT.parts)
        self.lay(course, *handins, source=course / "submitted")
        assert (folder / f"{CODE}.ipynb").read_bytes() == b"as it came"
        assert (folder / f"{CODE} (1).ipynb").exists()

    def test_a_later_hand_in_takes_the_place_of_an_earlier_one(self, course):
        self.lay(course, Handin("ada", ("ada",), {**packed(filled_in(course)), "a.pdf": b"1"}))
        self.lay(course, Handin("ada", ("ada",), packed(filled_in(course))))
        assert not (home(course, "ada") / "a.pdf").exists()


@pytest.mark.daily("gradebook")
def test_a_class_is_graded_regraded_and_marked_by_hand(course, tmp_path, capsys):
    """From the command line with the judge itself, on what nbgrader has collected."""
    right, wrong = home(course, "ada"), home(course, "ben")
    sample = KIT / "tests" / "submissions"
    for folder, name in ((right, "right-sequential"), (wrong, "wrong-spread-and-kl")):
        folder.mkdir(parents=True)
        shutil.copy(sample / name / "hw5_vae.py", folder)
    for name, data in packed(filled_in(course)).items():
        if name.endswith(".ipynb"):
            (right / name).write_bytes(data)

    def run(out: str) -> str:
        submitted, marks = str(course / "submitted"), str(tmp_path / out)
        command = ["grade", submitted, "--out", marks, "--part", "fc-vae", "--jobs", "1"]
        assert command_line.main([*command, "--gradebook", str(course / "gradebook.db")]) == 0
        return capsys.readouterr().out

    assert "2 students are in the gradebook; 2 repairs of notebooks are listed" in run("marks")
    first, loss = grades(course, "ada"), 2 * HALF
    assert first[CODED[0]] == (FULL, None, False)
    assert first[CODED[1]] == (loss, None, False)
    assert first[FIGURES] == first[ANSWERS[0]] == (None, None, True)
    lost = grades(course, "ben")[CODED[1]][0]
    assert lost is not None and lost < loss

    mark_by_hand(course, "ada", FIGURES, 3.0)
    mark_by_hand(course, "ada", CODED[1], 6.5)
    mark_by_hand(course, "ben", CODED[1], loss)
    shutil.copy(sample / "right-sequential" / "hw5_vae.py", wrong)
    run("again")
    assert grades(course, "ada")[FIGURES] == (None, 3.0, False)
    assert grades(course, "ada")[CODED[1]] == (loss, 6.5, False)
    assert grades(course, "ben")[CODED[1]] == (loss, loss, True)


@pytest.mark.daily("gradebook")
def test_marks_of_a_notebook_that_is_handed_in_anew_are_asked_for_again(course):
    opened = open_course(course, ASSIGNMENT)

    def hand_in(notebooks: dict[str, dict[str, object]]) -> None:
        enter([Handin("ada", ("ada",), packed(notebooks))], [graded("ada")], opened, ELSEWHERE)

    notebooks = filled_in(course)
    hand_in(notebooks)
    mark_by_hand(course, "ada", ANSWERS[0], 2.0)
    mark_by_hand(course, "ada", FIGURES, 4.0)
    notebooks[WRITTEN]["cells"][2]["source"] = "Another answer."
    hand_in(notebooks)
    assert grades(course, "ada")[ANSWERS[0]] == (None, 2.0, True)
    assert grades(course, "ada")[FIGURES] == (None, 4.0, False)


def test_when_nbgrader_fails_the_sentence_says_where_to_look(course):
    opened = open_course(course, ASSIGNMENT)
    (course / CONFIG.name).write_text("raise SystemExit('JudgeScores')")
    handin = Handin("ada", ("ada",), {})
    with pytest.raises(GradebookError, match=r"nbgrader.log says why"):
        enter([handin], [graded("ada")], opened, ELSEWHERE)
