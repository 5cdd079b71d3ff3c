"""Does the file that a platform gave go back with totals in it, and otherwise as it came?"""

from __future__ import annotations

import csv
import io

import pytest

from autograder.__main__ import main
from autograder.course.marks import CourseError
from autograder.course.way_back import fill
from autograder.roster import NOBODY, Person, Roster

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW4 (70),HW5 (77),Final Score
    Points Possible,,,,,10.00,35.00,(read only)
"Lovelace, Ada",4711,900,al123,"A, B",7,,50
"王小明",4712,901,wxm9,"=1+1",8,3,
"Gone, Away",4713,902,ga1,A,8,,
"""
MOODLE = """\
Identifier,Full name,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments
Participant 4711,Ada "Q" Lovelace,No submission,-,35.00,-,"a
b"
Participant 4712,王小明,No submission,3.00,35.00,"Tuesday, 1 June",
"""


@pytest.fixture
def published(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    table = "id,total,state\nal123,29.5,final\n4712,,held back\nstranger,3,final\n"
    (folder / "results.csv").write_text("\ufeff" + table, encoding="utf-8")
    return folder


ROSTER = Roster((Person("4711", "al123", "Lovelace, Ada"), Person("4712", "wxm9", "王小明")))


def rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_canvas_takes_its_own_columns_with_one_filled(published, tmp_path):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8-sig")
    made = fill(published, tmp_path / "canvas.csv", "HW5", ROSTER)
    assert rows(made.text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW5 (77)"],
        ["    Points Possible", "", "", "", "", "35.00"],
        ["Lovelace, Ada", "4711", "900", "al123", "A, B", "29.5"],
        ["王小明", "4712", "901", "wxm9", "'=1+1", "3"],
        ["Gone, Away", "4713", "902", "ga1", "A", ""],
    ]
    assert (made.filled, made.without, made.unknown) == (1, ("4712", "4713"), ("stranger",))


def test_moodles_worksheet_comes_back_as_it_was_but_for_the_grade(published, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE, encoding="utf-8")
    made = fill(published, tmp_path / "moodle.csv", "", ROSTER)
    was, now = rows(MOODLE), rows(made.text)
    assert now[1][3] == "29.5" and was[1][3] == "-"
    now[1][3] = "-"
    assert now == was


def test_a_file_from_a_spreadsheet_with_semicolons_goes_back_with_them(published, tmp_path):
    (tmp_path / "moodle.csv").write_text("Identifier;Grade\nParticipant 4711;-\n", "utf-16")
    assert fill(published, tmp_path / "moodle.csv", "", ROSTER).text == (
        "Identifier;Grade\r\nParticipant 4711;29.5\r\n"
    )


def test_without_a_roster_the_platforms_ids_are_those_of_the_marks(published, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE.replace("4711", "al123"), encoding="utf-8")
    assert fill(published, tmp_path / "moodle.csv", "", NOBODY).filled == 1


def test_an_assignment_that_is_not_there_is_named_with_those_that_are(published, tmp_path):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    with pytest.raises(CourseError, match=r"no columns 'HW6'.* HW4 \(70\), HW5 \(77\)"):
        fill(published, tmp_path / "canvas.csv", "HW6", ROSTER)


def test_the_command_writes_the_file_and_says_who_has_no_total(published, tmp_path, capsys):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    command = ["fill", str(published), str(tmp_path / "canvas.csv"), "--column", "HW5"]
    assert main([*command, "--out", str(tmp_path / "upload.csv")]) == 0
    said = capsys.readouterr().out
    assert "without a total: 4711, 4712, 4713" in said, "al123 is nobody without a roster"
    assert "not in it: al123, stranger" in said
    assert (tmp_path / "upload.csv").exists()
