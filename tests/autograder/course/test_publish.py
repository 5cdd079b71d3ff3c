"""Does one result hold everything that counts, and nothing of anybody else?"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from autograder.__main__ import main
from autograder.assignment import Penalty, read_assignment
from autograder.course import publish
from autograder.course.marks import CourseError
from autograder.course.memory import differences
from autograder.course.overrides import Override, read_overrides, write_overrides
from autograder.export import feedback, results_json
from autograder.gradebook.given import Given, Student
from autograder.results import MANUAL, UNGRADABLE, VANISHED
from autograder.roster import NOBODY, Person, Roster, write_roster
from tests.autograder.export.test_feedback import Page, assert_inert
from tests.autograder.small_class import check, question, submission


def student(name, figures=None, loss=2.0, **more):
    """Everything right but what is said; the figures wait for a person unless marked."""
    return submission(
        name,
        question("fc-vae.networks", 8, 8, check("encoder", "fc-vae.networks")),
        question("fc-vae.loss", loss, 2, check("bound", "fc-vae.loss")),
        question("fc-vae.figures", figures, 4, kind=MANUAL, state=MANUAL),
        **more,
    )


NO_RULE = read_assignment()


def rows(*results, roster=NOBODY, given=None, overrides=(), rule=NO_RULE):
    return {row.id: row for row in publish.join(results, roster, given or {}, overrides, rule)[0]}


def of_figures(points, *comments, **more):
    return {"ada": Student({"fc-vae.figures": Given(points, 4.0, True, comments)}, **more)}


def page_of(row, assignment, roster=NOBODY):
    page = Page(feedback.page(row.result, assignment, roster, row.final))
    assert_inert(page)
    return page.text


def test_marks_of_a_person_are_added_with_their_comments(assignment):
    row = rows(student("ada"), given=of_figures(3.0, "Axes?"))["ada"]
    assert (row.total, row.most, row.held) == (13.0, 14.0, ())
    text = page_of(row, assignment)
    assert "13 of 14 points" in text and "From the course staff Axes?" in text


def test_what_nobody_has_marked_holds_the_total_back_by_name(assignment):
    row = rows(student("ada"), given=of_figures(None))["ada"]
    assert row.total is None and row.state == "held back"
    text = page_of(row, assignment)
    assert "Held back of 14 points Before there is a total: Title of fc-vae.figures" in text
    assert "8 of 8" in text, "what is marked is shown all the same"


def test_a_question_that_we_could_not_grade_holds_back_until_somebody_decides(assignment):
    broken = replace(student("ada", 4.0), points=None)
    broken = replace(
        broken,
        questions=tuple(
            replace(q, state=UNGRADABLE, points=None) if q.question == "fc-vae.loss" else q
            for q in broken.questions
        ),
    )
    given = of_figures(4.0)
    assert "graded again" in rows(broken, given=given)["ada"].held[0]
    decided = [Override("ada", "fc-vae.loss", 2.0, "Ours.")]
    row = rows(broken, given=given, overrides=decided)["ada"]
    assert row.total == 14.0
    assert "2 of 2" in page_of(row, assignment)


def test_a_decision_that_was_taken_back_to_nbgrader_is_said_once(assignment):
    decided = [Override("ada", "fc-vae.loss", 1.5, "Read by a person.")]
    there = Student({"fc-vae.loss": Given(1.5, 2.0, True), "fc-vae.figures": Given(4.0, 4.0)})
    row = rows(student("ada", loss=0.0), given={"ada": there}, overrides=decided)["ada"]
    assert row.people["fc-vae.loss"] == ["Set to 1.5, instead of 0: Read by a person."]


def test_an_override_counts_and_is_shown_with_what_was_before(assignment):
    decided = [Override("ada", "fc-vae.loss", 1.5, "Read by a person.")]
    row = rows(student("ada", loss=0.0), given=of_figures(4.0), overrides=decided)["ada"]
    assert row.total == 13.5
    assert "Set to 1.5, instead of 0: Read by a person." in page_of(row, assignment)


def test_a_mark_of_the_judge_that_a_person_changed_in_formgrader_counts():
    changed = Student({"fc-vae.loss": Given(1.0, 2.0, True), "fc-vae.figures": Given(4.0, 4.0)})
    assert rows(student("ada"), given={"ada": changed})["ada"].total == 13.0


def test_a_release_that_scaled_its_points_is_scaled_back():
    half = {"ada": Student({"fc-vae.figures": Given(1.5, 2.0, True)})}
    assert rows(student("ada"), given=half)["ada"].total == 13.0


def test_late_costs_what_nbgrader_took_unless_somebody_decides(assignment):
    given = of_figures(4.0, penalty=3.0)
    row = rows(student("ada", flags=("late",)), given=given, rule=NO_RULE)["ada"]
    assert (row.late, row.total) == (-3.0, 11.0)
    assert "3 points are taken off for being late." in page_of(row, assignment)
    waived = [Override("ada", "late", 0.0, "Ill.")]
    row = rows(student("ada"), given=given, overrides=waived)["ada"]
    assert (row.late, row.total) == (0.0, 14.0)


NOON = "2027-04-14T12:00:00-05:00"
DAILY = replace(
    NO_RULE, due=datetime.fromisoformat(NOON), late="flag", penalty=Penalty(10, True, "day")
)


def late_by(hours, name="ada", flags=("late",)):
    came = datetime.fromisoformat(NOON) + timedelta(hours=hours)
    return student(name, 4.0, flags=flags, submitted=came.isoformat())


def test_the_rule_takes_points_off_the_total_and_the_page_says_why(assignment):
    row = rows(late_by(25), rule=DAILY)["ada"]
    assert (row.late, row.total) == (pytest.approx(-2.8), pytest.approx(11.2))
    assert (
        "11.2 of 14 points 2.8 points are taken off for being late: 10 percent of your 14 points "
        "for each day that had begun, 2 of them." in page_of(row, assignment)
    )


def test_what_nbgrader_took_by_the_same_rule_is_not_taken_twice():
    row = rows(late_by(25), given=of_figures(4.0, penalty=2.8), rule=DAILY)["ada"]
    assert row.total == pytest.approx(11.2)


def test_a_decision_about_being_late_wins_over_the_rule(assignment):
    decided = [Override("ada", "late", -1.0, "The bus.")]
    row = rows(late_by(25), overrides=decided, rule=DAILY)["ada"]
    assert (row.late, row.total) == (-1.0, 13.0)
    text = page_of(row, assignment)
    assert "1 point is taken off for being late. " in text
    assert "Decided about being late: The bus." in text


def test_a_total_that_was_set_has_nothing_taken_off(assignment):
    decided = [Override("ada", "total", 12.0, "As agreed.")]
    row = rows(late_by(25), overrides=decided, rule=DAILY)["ada"]
    assert (row.late, row.total) == (0.0, 12.0)
    assert "taken off" not in page_of(row, assignment)


def test_an_extension_counts_from_its_own_end_and_what_was_said_before_is_gone(assignment):
    was = "It was handed in at 2027-04-15 13:00:00-05:00; the deadline was long ago."
    late = replace(late_by(25), notes=(was,))
    ada = Person("ada", name="Lovelace, Ada", extension="2027-04-15T20:00:00+00:00")
    row = rows(late, roster=Roster((ada,)), rule=DAILY)["ada"]
    assert (row.result.flags, row.late, row.total) == ((), 0.0, 14.0)
    text = page_of(row, assignment)
    assert "within your extension, until 2027-04-15 20:00:00" in text and "long ago" not in text
    missed = replace(ada, extension="2027-04-15T17:59:00Z")
    row = rows(late, roster=Roster((missed,)), rule=DAILY)["ada"]
    assert (row.result.flags, row.total) == (("late",), pytest.approx(12.6))
    assert "your extension ended at 2027-04-15 17:59:00" in page_of(row, assignment)


def test_a_date_that_moves_changes_totals_and_nothing_is_graded_again():
    late = late_by(25)
    later = replace(DAILY, due=DAILY.due + timedelta(hours=2))
    assert rows(late, rule=later)["ada"].total == pytest.approx(12.6)
    assert rows(late, rule=replace(DAILY, grace=timedelta(days=2)))["ada"].total == 14.0
    cut = rows(late, rule=replace(DAILY, cut_off=timedelta(days=1)))["ada"]
    assert cut.total is None and "not accepted" in cut.held[0]
    refused = late_by(25, flags=("refused",))
    assert rows(refused, rule=later)["ada"].total == pytest.approx(12.6)
    assert rows(refused, rule=NO_RULE)["ada"].total == 14.0


def test_what_was_refused_counts_when_somebody_says_so():
    decided = [Override("ada", "withheld", None, "Ill.")]
    row = rows(late_by(25), overrides=decided, rule=replace(DAILY, late="refuse", penalty=None))
    assert row["ada"].total == 14.0


def test_what_canvas_calls_late_without_a_time_costs_nothing_by_itself():
    row = rows(student("ada", 4.0, flags=("late",)), rule=DAILY)["ada"]
    assert (row.result.flags, row.total) == (("late",), 14.0)


def test_withheld_marks_wait_and_count_when_somebody_says_so(assignment):
    held = student("ada", flags=("conflict",))
    row = rows(held, given=of_figures(4.0))["ada"]
    assert row.total is None and "8 of 8" not in page_of(row, assignment)
    decided = [Override("ada", "withheld", None, "We talked.")]
    row = rows(held, given=of_figures(4.0), overrides=decided)["ada"]
    assert row.total == 14.0
    assert "Decided by the course staff: We talked." in page_of(row, assignment)


def test_of_two_submissions_of_one_student_the_one_that_counts_is_named():
    one = student("submission_1", 4.0, flags=("conflict",), members=("ada",))
    two = student("submission_2", 0.0, flags=("conflict",), members=("ada",))
    assert set(rows(one, two)) == {"submission_1", "submission_2"}
    decided = [Override("submission_1", "withheld", None, "Hers.")]
    found, aside = publish.join([one, two], NOBODY, {}, decided, NO_RULE)
    assert [row.id for row in found] == ["ada"]
    assert aside == ["submission_2 is set aside: another submission counts for its student."]
    both = [Override("ada", "withheld", None, "Hers.")]
    with pytest.raises(CourseError, match="submission_1, submission_2"):
        publish.join([one, two], NOBODY, {}, both, NO_RULE)


def test_a_withheld_submission_waits_under_the_id_and_name_of_its_student():
    held = student("ada_4711", flags=("conflict",), members=("4711",))
    row = rows(held, roster=Roster((Person("4711", name="Lovelace, Ada"),)))["4711"]
    assert (row.name, row.total) == ("Ada Lovelace", None)


def test_each_of_a_group_has_a_row_and_one_decision_is_for_one():
    pair = student("pair", members=("ada", "gus"))
    given = {name: Student({"fc-vae.figures": Given(4.0, 4.0, True)}) for name in ("ada", "gus")}
    decided = [Override("gus", "total", 7.0, "Half of the work.")]
    found = rows(pair, given=given, overrides=decided)
    assert (found["ada"].total, found["gus"].total) == (14.0, 7.0)


def test_no_page_names_another_student(assignment):
    note = "The netid file says ben, but this was handed in by ada, for whom it counts."
    found = rows(student("ada", notes=(note,)), student("ben"))
    assert "says [name], but this was handed in by ada" in page_of(found["ada"], assignment)
    called = Roster((Person("4711", "ada"), Person("4712", "ben")))
    two = [student("4711", notes=(note,)), student("4712")]
    text = page_of(rows(*two, roster=called)["4711"], assignment)
    assert "says [name], but this was handed in by ada" in text, "nor by a NetID of the roster"


@pytest.mark.parametrize(
    "row, said",
    [
        ("ben,fc-vae.loss,1,x", "no submission is by 'ben'"),
        ("ada,fc-vae.los,1,x", "not graded on 'fc-vae.los'"),
        ("ada,fc-vae.loss,3,x", "too many"),
        ("ada,fc-vae.loss,-1,x", "too few"),
        ("ada,fc-vae.loss,nan,x", "no number"),
        ("ada,fc-vae.loss,,x", "no number"),
        ("ada,fc-vae.loss,1,", "has no reason"),
        ("ada,late,2,x", "too many"),
        ("ada,withheld,2,x", "takes no points"),
        ("ada,total,5,x\nada,total,6,x", "there twice"),
    ],
)
def test_an_override_that_cannot_be_meant_is_refused_with_its_row(tmp_path, row, said):
    (tmp_path / "overrides.csv").write_text(f"student,question,points,reason\n{row}\n")
    with pytest.raises(CourseError, match=rf"row \d.*{said}"):
        read_overrides(tmp_path, [student("ada")], NOBODY)


@pytest.fixture
def decided_by_command(marks):
    def decide(*rest):
        return main(["override", str(marks), *rest])

    def written():
        lines = csv.reader((marks / "overrides.csv").open(encoding="utf-8"))
        return [line[:3] for line in lines][1:]

    return decide, written


def test_a_second_decision_takes_the_place_of_the_first_by_whatever_name(decided_by_command):
    decide, written = decided_by_command
    assert decide("ada", "total", "5", "--reason", "First.") == 0
    assert decide("ADA@example.edu", "total", "6", "--reason", "Second.") == 0
    assert written() == [["ADA@example.edu", "total", "6"]]


def test_a_reason_of_spaces_is_none_and_nothing_is_written(decided_by_command, marks, capsys):
    assert decided_by_command[0]("ada", "total", "5", "--reason", "  ") == 2
    assert "has no reason" in capsys.readouterr().err
    assert not (marks / "overrides.csv").exists()


def test_overrides_come_back_as_they_were_written(tmp_path):
    ada = Person("ada", "al1", "Ada", "ada@example.edu")
    written = [
        Override("al1", "fc-vae.loss", 1.25, '=1+1, "quoted"'),
        Override("ada", "late", -2.0, "As agreed."),
        Override("ada@example.edu", "withheld", None, "So."),
    ]
    write_overrides(tmp_path, written)
    assert read_overrides(tmp_path, [student("ada")], Roster((ada,))) == written


def test_a_difference_is_what_was_told_before_and_is_told_now():
    before = {"ada": {"q": "1", "total": "1"}, "ben": {"q": "1", "total": "1"}}
    now = {"ada": {"q": "2", "total": "2"}, "ben": {"q": "1", "total": "1"}, "new": {"total": "5"}}
    found = [(d.student, d.what, d.before, d.now) for d in differences(before, now, "today")]
    assert found == [("ada", "q", "1", "2"), ("ada", "total", "1", "2"), ("new", "total", "", "5")]


@pytest.fixture
def marks(tmp_path):
    """A folder of marks with two students, one of them withheld, and a roster of three."""
    folder = tmp_path / "marks"
    results_json.write([student("ada"), student("ben", flags=("conflict",))], folder)
    people = (
        Person("ada", "", "Lovelace, Ada", "ada@example.edu"),
        Person("ben"),
        Person("王", name="王小明"),
    )
    write_roster(Roster(people), folder / "roster.csv")
    return folder


def test_the_commands_decide_publish_and_say_what_changed(marks, tmp_path, capsys):
    out = tmp_path / "published"
    again = ["publish", str(marks), "--out", str(out)]
    assert main(again) == 0
    assert "Handed nothing in: 王小明 (王)." in capsys.readouterr().out
    assert main(again) == 0
    assert "Nothing has changed" in capsys.readouterr().out
    decide = ["override", str(marks), "ada", "fc-vae.figures"]
    assert main([*decide, "1", "--reason", "A first look."]) == 0
    assert main([*decide, "4", "--reason", "=A second look."]) == 0
    capsys.readouterr()
    assert main(again) == 0
    assert "Changed for Ada Lovelace (ada): fc-vae.figures - -> 4, total held back -> 14" in (
        capsys.readouterr().out
    )
    table = list(csv.DictReader((out / "results.csv").open(encoding="utf-8-sig")))
    assert [(row["id"], row["total"], row["state"]) for row in table] == [
        ("ada", "14", "final"),
        ("ben", "", "held back"),
        ("王", "", "missing"),
    ]
    assert "Set to 4: =A second look." in (out / "pages" / "ada.html").read_text(encoding="utf-8")
    changes = list(csv.DictReader((out / "changes.csv").open(encoding="utf-8")))
    assert [(row["student"], row["what"], row["now"]) for row in changes] == [
        ("ada", "fc-vae.figures", "4"),
        ("ada", "total", "14"),
    ]


def test_points_that_are_taken_off_are_numbers_in_the_table_of_changes(marks, tmp_path):
    again = ["publish", str(marks), "--out", str(tmp_path / "out")]
    assert main(again) == 0
    decide = ["override", str(marks), "ada", "late", "-0.5", "--reason", "=The bus."]
    assert main(decide) == main(again) == 0
    (late,) = csv.DictReader((tmp_path / "out" / "changes.csv").open(encoding="utf-8"))
    assert (late["what"], late["before"], late["now"]) == ("late", "0", "-0.5")


def test_what_came_late_by_the_roster_alone_is_late_by_the_rule(assignment):
    ada = Person("ada", submitted="2027-04-15T13:00:00-05:00")
    row = rows(student("ada", 4.0), roster=Roster((ada,)), rule=DAILY)["ada"]
    assert (row.result.flags, row.total) == (("late",), pytest.approx(11.2))
    assert "handed in at 2027-04-15 13:00:00" in page_of(row, assignment)


def test_the_page_of_a_submission_that_is_set_aside_goes(tmp_path):
    both = [student(f"submission_{n}", 4.0, flags=("conflict",), members=("a.b",)) for n in (1, 2)]
    results_json.write(both, tmp_path / "marks")
    again = ["publish", str(tmp_path / "marks"), "--out", str(tmp_path / "out")]
    pages = tmp_path / "out" / "pages"
    assert main(again) == 0
    assert {page.name for page in pages.glob("*.html")} == {
        "submission_1.html",
        "submission_2.html",
    }
    decide = ["override", str(tmp_path / "marks"), "submission_2", "withheld"]
    assert main([*decide, "--reason", "Hers."]) == 0
    assert main(again) == 0
    assert {page.name for page in pages.iterdir()} == {"a.b.html", "a.b.pdf"}


def test_a_memory_that_is_damaged_is_not_taken_for_a_first_time(marks, tmp_path, capsys):
    out = tmp_path / "published"
    assert main(["publish", str(marks), "--out", str(out)]) == 0
    (out / "published.json").write_text("{}")
    assert main(["publish", str(marks), "--out", str(out)]) == 2
    assert "is not what was written there" in capsys.readouterr().err


def test_work_that_is_gone_counts_only_for_whom_there_is_no_other():
    gone = replace(student("S17", members=("S17",), loss=0.0), flags=(VANISHED,))
    found, aside = publish.join([gone, student("s17", members=("s17",))], NOBODY, {}, [], NO_RULE)
    assert [row.id for row in found] == ["s17"] and aside[0].startswith("S17 is set aside")
    assert rows(gone).keys() == {"S17"}
