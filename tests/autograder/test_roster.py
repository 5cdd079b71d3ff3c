"""Does a platform's export become a class, whatever its people are called?"""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest

from autograder.__main__ import main
from autograder.export import feedback, marks_csv
from autograder.roster import (
    NOBODY,
    Person,
    Roster,
    RosterError,
    read_export,
    read_roster,
    with_extensions,
    write_roster,
)
from autograder.tables import TableError
from tests.autograder.export.test_feedback import Page
from tests.autograder.small_class import question, submission

NAMES = (
    "Lovelace, Ada",
    "王小明",
    "سارا نوری\u200cزاده",  # with the joiner that Persian is spelt with
    "Nguyễn Thị Minh Khai",
    "O'Brien-Łukasiewicz, Zoë",
    "'t Hooft, Gerard",
    "ชัยวัฒน์ ใจดี",
    "King, Martin Luther, Jr.",
    'Quote "Q" d’Été',
)

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW5 (77),Final Score
    Points Possible,,,,,(read only),(read only)
"Lovelace, Ada",4711,900,al123,CS 101-A,,
"王小明",4712,901,wxm9@example.edu,CS 101-B,,
"Student, Test",4799,,,CS 101-A,,
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Last modified (grade)
Participant 1234,Ada Lovelace,al123@example.edu,No submission,-,-
"""
MOODLE_PEOPLE = """\
First name,Last name,Email address,Groups
Ada,Lovelace,al123@example.edu,A
"""
GRADESCOPE = """\
Name,Email,SID,Section,Role
Ada Lovelace,al123@example.edu,900,A,Student
Grace Hopper,gh@example.edu,,A,Instructor
王小明,wxm9@example.edu,,B,Student
"""
NBGRADER = """\
assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score
hw5,,,al123,Lovelace,Ada,al123@example.edu,3
hw6,,,al123,Lovelace,Ada,al123@example.edu,3
"""


ZONE = timezone(timedelta(hours=-5))


@pytest.fixture
def exported(tmp_path):
    """Writes an export and reads the class in it."""

    def read(text: str | bytes) -> list[Person]:
        path = tmp_path / "export.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8-sig"))
        return list(read_export(path, ZONE)[0].people)

    return read


def test_canvas_gradebook(exported):
    assert exported(CANVAS) == [
        Person("4711", "al123", "Lovelace, Ada", "", "CS 101-A"),
        Person("4712", "wxm9", "王小明", "wxm9@example.edu", "CS 101-B"),
    ]


def test_moodle_worksheet_and_participants(exported):
    assert exported(MOODLE) == [Person("1234", "al123", "Ada Lovelace", "al123@example.edu")]
    assert exported(MOODLE_PEOPLE) == [
        Person("al123", "al123", "Lovelace, Ada", "al123@example.edu", "A")
    ]


TIMES = """\
Identifier,Full name,Status,Grade,Last modified (submission),Last modified (grade)
Participant 1,Ada,Submitted for grading - 2 hours late,-,"Tuesday, 13 April 2027, 2:01 PM",-
Participant 2,Bob,"Submitted for grading - \
Extension granted until: Thursday, 15 April 2027, 12:00 PM",-,\
"Wednesday, April 14, 2027, 11:59 PM",-
Participant 3,Cy,No submission,-,-,-
"""


def test_moodles_worksheet_says_when_work_came_and_who_has_an_extension(exported):
    ada, bob, cy = exported(TIMES)
    assert ada.submitted == "2027-04-13T14:01:00-05:00" and ada.extension == ""
    assert bob.submitted == "2027-04-14T23:59:00-05:00"
    assert bob.extension == "2027-04-15T12:00:00-05:00"
    assert cy.submitted == cy.extension == ""


@pytest.mark.parametrize(
    ("zone", "said"),
    [(ZONE, "such as 'Dienstag, 13. April 2027, 14:01': export in English"), (None, "Write `due`")],
)
def test_times_that_cannot_be_read_are_said_once_for_the_class(tmp_path, zone, said):
    path = tmp_path / "moodle.csv"
    path.write_text(
        TIMES.replace("Tuesday, 13 April 2027, 2:01 PM", "Dienstag, 13. April 2027, 14:01")
    )
    found, (note,) = read_export(path, zone)
    assert said in note and note.startswith(f"{1 if zone else 3} times of hand-ins and extensions")
    assert found.people[0].submitted == ""


def test_a_worksheet_of_blind_marking_has_numbers_and_times_and_no_names(exported):
    rows = (
        TIMES.replace("Full name,", "").replace("Ada,", "").replace("Bob,", "").replace("Cy,", "")
    )
    assert [(one.id, one.shown) for one in exported(rows)] == [("1", "1"), ("2", "2"), ("3", "3")]
    assert exported(rows)[0].submitted == "2027-04-13T14:01:00-05:00"


def test_of_those_who_hand_in_together_the_first_time_counts():
    early, late = "2027-04-13T12:00:00-05:00", "2027-04-13T12:00:01-05:00"
    roster = Roster((Person("1", submitted=late), Person("2", submitted=early), Person("3")))
    assert roster.submitted(["1", "2", "3"]) == datetime.fromisoformat(early)
    assert roster.submitted(["3"]) is None


def test_gradescope_roster_without_its_staff(exported):
    assert exported(GRADESCOPE) == [
        Person("900", "al123", "Ada Lovelace", "al123@example.edu", "A"),
        Person("wxm9", "wxm9", "王小明", "wxm9@example.edu", "B"),
    ]


def test_nbgraders_grades_name_everybody_once(exported):
    assert exported(NBGRADER) == [Person("al123", "al123", "Lovelace, Ada", "al123@example.edu")]


def test_nbgraders_gradebook(tmp_path):
    with closing(sqlite3.connect(tmp_path / "gradebook.db")) as file, file:
        file.execute("CREATE TABLE student (id, first_name, last_name, email)")
        file.execute("INSERT INTO student VALUES ('al123', 'Ada', 'Lovelace', NULL)")
    found, _ = read_export(tmp_path / "gradebook.db", None)
    assert found.people == (Person("al123", "al123", "Lovelace, Ada"),)


@pytest.mark.parametrize("coded", ["utf-16", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_a_spreadsheet_saved_is_read(exported, coded, delimiter):
    text = delimiter.join(("id", "first_name", "last_name")) + "\n"
    text += delimiter.join(("u1", "Zoë", "王")) + "\n"
    assert exported(text.encode(coded)) == [Person("u1", "u1", "王, Zoë")]


def test_latin_1_is_refused_rather_than_misspelt(exported):
    with pytest.raises(TableError, match="not UTF-8"):
        exported("id,first_name,last_name\nu1,Zoë,X\n".encode("latin-1"))


def test_a_table_of_something_else_is_refused(exported):
    with pytest.raises(RosterError, match="no export that is known"):
        exported("a,b\n1,2\n")


def test_names_of_every_script_survive_writing_and_reading(tmp_path):
    people = tuple(Person(f"u{n}", f"u{n}", name) for n, name in enumerate(NAMES))
    write_roster(Roster(people), tmp_path / "roster.csv")
    assert read_roster(tmp_path / "roster.csv").people == people


def test_a_formula_is_no_formula_in_the_file_and_a_name_again_when_read(tmp_path):
    roster = Roster((Person("u1", "", '=HYPERLINK("//evil")'),))
    write_roster(roster, tmp_path / "roster.csv")
    cells = list(csv.reader((tmp_path / "roster.csv").open(encoding="utf-8-sig")))
    assert cells[1][2].startswith("'=")
    assert read_roster(tmp_path / "roster.csv") == roster


def test_what_hides_or_reorders_is_no_part_of_a_name(exported):
    (person,) = exported("id,first_name,last_name\nu1,Ada\u202egnp,Love\x00lace\u200b\n")
    assert person.shown == "Adagnp Lovelace"


@pytest.mark.parametrize(
    "name, shown, in_two",
    [
        ("Lovelace, Ada", "Ada Lovelace", ("Ada", "Lovelace")),
        ("Ada Lovelace", "Ada Lovelace", ("Ada", "Lovelace")),
        ("王小明", "王小明", ("", "王小明")),
        ("King, Martin Luther, Jr.", "King, Martin Luther, Jr.", ("Martin Luther Jr.", "King")),
        ("", "u1", ("", "")),
    ],
)
def test_a_name_is_said_and_split(name, shown, in_two):
    person = Person("u1", name=name)
    assert (person.shown, person.first_and_last) == (shown, in_two)


def test_people_are_found_by_each_of_their_names_and_never_by_one_that_two_share():
    ada = Person("4711", "al123", "Ada", "ada@example.edu")
    bob = Person("4712", "bob", "Bob", "ada@other.edu")
    roster = Roster((ada, bob))
    assert roster.find("4711") is roster.find("AL123") is roster.find("ada@example.edu") is ada
    assert roster.find("ada") is None
    assert roster.find("nobody") is None
    assert roster.missing(["al123"]) == [bob]
    assert roster.strangers(["al123", "eve"]) == ["eve"]


@pytest.mark.parametrize(
    "rows, said",
    [
        ("u1,,,,,\nU1,,,,,\n", "twice"),
        ("u1,,,,,2027-04-15T12:00:00\n", "time zone"),
        ("u1,,,,,,yesterday\n", "submitted = 'yesterday'.*time zone"),
        (",,Ada,,,\n", "Ada has no id"),
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused(tmp_path, rows, said):
    path = tmp_path / "roster.csv"
    path.write_text("id,netid,name,email,section,extension,submitted\n" + rows)
    with pytest.raises(RosterError, match=said):
        read_roster(path)


def test_an_export_given_as_a_roster_is_said_to_be_one(tmp_path):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    with pytest.raises(RosterError, match=r"export.*autograder roster .*canvas\.csv --out"):
        read_roster(tmp_path / "canvas.csv")


def test_the_command_keeps_extensions_and_says_who_is_gone(tmp_path, capsys):
    export, out = tmp_path / "canvas.csv", tmp_path / "roster.csv"
    export.write_text(CANVAS)
    assert main(["roster", str(export), "--out", str(out)]) == 0
    late = "2027-04-15T12:00:00-05:00"
    out.write_text(out.read_text().replace("CS 101-A,,", f"CS 101-A,{late},"))
    export.write_text("\n".join(line for line in CANVAS.splitlines() if "王" not in line))
    assert main(["roster", str(export), "--out", str(out)]) == 0
    assert read_roster(out).find("4711").extension == late
    assert "王小明 (4712) is not in it any more" in capsys.readouterr().out


def test_of_an_extension_here_and_one_on_the_platform_the_later_counts():
    here, there = Person("1", extension="2027-04-15T12:00:00-05:00"), Person("1")
    later = Person("1", extension="2027-04-15T17:00:01+00:00")
    for new, extension in ((there, here.extension), (later, later.extension)):
        (one,) = with_extensions(Roster((new,)), Roster((here,))).people
        assert one.extension == extension


@pytest.mark.parametrize("name", NAMES)
def test_feedback_and_marks_call_people_as_the_roster_does(assignment, tmp_path, name):
    roster = Roster((Person("4711", "al123", name, section="A"),))
    one = submission("lovelace_4711", question("fc-gan.noise", 3, 3), members=("4711",))
    shown = roster.people[0].shown
    page = Page(feedback.page(one, assignment, roster))
    assert f"Feedback for {shown} lovelace_4711" in page.text
    marks_csv.write([one], assignment, tmp_path / "marks.csv", roster)
    (row,) = csv.DictReader((tmp_path / "marks.csv").open(encoding="utf-8-sig"))
    assert (row["id"], row["name"], row["section"]) == ("lovelace_4711", shown, "A")


def test_a_name_is_text_on_the_page(assignment, hostile):
    name = "<script>alert(1)</script>"
    roster = Roster((Person("ada", name=name),))
    one = submission("ada", question("fc-gan.noise", 3, 3))
    assert name in Page(feedback.page(one, assignment, roster)).text


def test_without_a_roster_nothing_changes(assignment, tmp_path, full):
    assert feedback.page(full, assignment, NOBODY) == feedback.page(full, assignment)
    marks_csv.write([full], assignment, tmp_path / "marks.csv")
    assert "name" not in (tmp_path / "marks.csv").read_text().splitlines()[0]
