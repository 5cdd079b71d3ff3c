"""Does the file that a platform gave go back with totals in it, and otherwise as it came?"""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from autograder.__main__ import main
from autograder.course.marks import CourseError
from autograder.course.way_back import fill
from autograder.gradescope import published as gradescope
from autograder.roster import NOBODY, Person, Roster, write_roster
from tests.autograder.gradescope.results_format import faults

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,HW4 (70),HW5 (77),Final Score
    Points Possible,,,,,10.00,35.00,(read only)
"Lovelace, Ada",4711,900,al123,"A, B",7,,50
"王小明",4712,901,wxm9,"=1+1",8,3,
"Gone, Away",4713,902,ga1,A,8,,
"Student, Test",4799,,,A,,,
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
    table = (
        "id,total,max_points,state\nal123,29.5,35,final\n4712,,35,held back\nstranger,3,35,final\n"
    )
    (folder / "results.csv").write_text("\ufeff" + table, encoding="utf-8")
    return folder


ROSTER = Roster((Person("4711", "al123", "Lovelace, Ada"), Person("4712", "wxm9", "王小明")))


def rows(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def test_canvas_takes_its_own_columns_with_one_filled(published, tmp_path):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8-sig")
    made = fill(published, tmp_path / "canvas.csv", "HW5", ROSTER)
    assert rows(made.data.decode()) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "HW5 (77)"],
        ["    Points Possible", "", "", "", "", "35.00"],
        ["Lovelace, Ada", "4711", "900", "al123", "A, B", "29.5"],
        ["王小明", "4712", "901", "wxm9", "'=1+1", "3"],
        ["Gone, Away", "4713", "902", "ga1", "A", ""],
        ["Student, Test", "4799", "", "", "A", ""],
    ]
    assert (made.filled, made.without, made.unknown) == (1, ("4712", "4713"), ("stranger",))


def test_moodles_worksheet_comes_back_as_it_was_but_for_the_grade(published, tmp_path):
    (tmp_path / "moodle.csv").write_text(MOODLE, encoding="utf-8")
    made = fill(published, tmp_path / "moodle.csv", "", ROSTER)
    was, now = rows(MOODLE), rows(made.data.decode())
    assert now[1][3] == "29.5" and was[1][3] == "-"
    now[1][3] = "-"
    assert now == was


def test_a_file_from_a_spreadsheet_with_semicolons_goes_back_with_them(published, tmp_path):
    (tmp_path / "moodle.csv").write_text("Identifier;Grade\nParticipant 4711;-\n", "utf-16")
    assert fill(published, tmp_path / "moodle.csv", "", ROSTER).data.decode() == (
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
    write_roster(ROSTER, published / "roster.csv")
    command = ["fill", str(published), str(tmp_path / "canvas.csv"), "--column", "HW5"]
    assert main([*command, "--out", str(tmp_path / "upload.csv")]) == 0
    said = capsys.readouterr().out
    assert "without a total: 4712, 4713" in said and "not in it: stranger" in said
    assert (tmp_path / "upload.csv").exists()


@pytest.mark.parametrize(
    ("export", "worth", "other"),
    [
        (CANVAS, "10.00,35.00", "10.00,40.00"),
        (MOODLE, '3.00,35.00,"Tuesday', '3.00,"40,00","Tuesday'),
        (MOODLE.replace("Maximum Grade", "Maximum grade"), "-,35.00,-", "-,40,-"),
    ],
)
def test_another_maximum_is_said_with_what_to_do_and_nothing_is_rescaled(
    published, tmp_path, export, worth, other
):
    path = tmp_path / "export.csv"
    path.write_text(export, encoding="utf-8")
    assert fill(published, path, "HW5", ROSTER).filled == 1
    assert worth in export
    path.write_text(export.replace(worth, other), encoding="utf-8")
    with pytest.raises(CourseError, match=r"worth 40 points there, and 35 in .*`total = 40`"):
        fill(published, path, "HW5", ROSTER)


def test_gradescopes_other_maximum_is_said(published, tmp_path):
    (tmp_path / "grades.csv").write_text(GRADESCOPE.replace("35.0", "77.0"), encoding="utf-8")
    with pytest.raises(CourseError, match="worth 77 points there, and 35 in"):
        fill(published, tmp_path / "grades.csv", "", ROSTER)


def test_what_a_platform_would_skip_without_a_word_is_said(published, tmp_path):
    read_only = CANVAS.replace("35.00,", '"35.00 (read only)",')
    (tmp_path / "canvas.csv").write_text(read_only, encoding="utf-8")
    with pytest.raises(CourseError, match="'HW5' only be read"):
        fill(published, tmp_path / "canvas.csv", "HW5", ROSTER)
    scale = "Identifier,Grade,Scale\nParticipant 4711,-,Good\n"
    (tmp_path / "moodle.csv").write_text(scale, encoding="utf-8")
    with pytest.raises(CourseError, match="by a scale"):
        fill(published, tmp_path / "moodle.csv", "", ROSTER)
    head = "Identifier,Grade,Maximum grade,Grade can be changed\n"
    (tmp_path / "moodle.csv").write_text(f"{head}Participant 4711,-,35,No\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"Nothing is left.*lets nobody change the grade: 4711"):
        fill(published, tmp_path / "moodle.csv", "", ROSTER)
    rows = "Participant 4711,-,35,No\nParticipant p2,-,35,Yes\nParticipant p3,-,35,Yes\n"
    (tmp_path / "moodle.csv").write_text(head + rows, encoding="utf-8")
    more = "p2,36,35,final\np3,35,35,final\n"
    with (published / "results.csv").open("a", encoding="utf-8") as table:
        table.write(more)
    made = fill(published, tmp_path / "moodle.csv", "", ROSTER)
    assert made.filled == 1 and b"Participant 4711,-,35,No\r\nParticipant p2,-,35" in made.data
    assert made.notes == (
        "Left out, since Moodle lets nobody change the grade: 4711.",
        "Left out, since Moodle takes no more than 35 points, which a bonus has passed: p2.",
    )


def test_a_file_in_which_nobody_has_a_total_is_not_written(published, tmp_path, capsys):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8")
    command = ["fill", str(published), str(tmp_path / "canvas.csv"), "--column", "HW5"]
    assert main([*command, "--out", str(tmp_path / "upload.csv")]) == 2
    assert "Nobody in it has a total: 3 are in" in capsys.readouterr().err, "there is no roster"
    assert not (tmp_path / "upload.csv").exists()


# --- Moodle's feedback files


@pytest.fixture
def with_pages(published):
    pages = published / "pages"
    pages.mkdir()
    for name in ("al123.html", "al123.pdf", "4712.html", "4712.pdf"):
        (pages / name).write_bytes(name.encode())
    return published


def by_moodle(path):
    """The participant that Moodle finds in a file's path, and the name that the file gets there:
    its is_valid_filename_for_import, part by part."""
    parts = path.split("/")
    while parts:
        first, *parts = parts
        info = first.split("_", 4)
        if len(info) >= 4 and info[1].isdecimal() and info[2:4] == ["assignsubmission", "file"]:
            return info[1], "/".join([*info[4:], *parts]).lstrip("/")
    return None


@pytest.mark.parametrize("end", ["_/hw5_vae.py", "/hw5_vae.py", "_hw5_vae.py"])
@pytest.mark.parametrize("name", ["Ada Lovelace", "王小明", "O'Brien, =Ada", "Ada_12_B. Lovelace"])
def test_moodle_finds_every_feedback_file_below_the_name_that_it_gave(
    with_pages, tmp_path, name, end
):
    came = f"{name}_4711_assignsubmission_file{end}"
    with zipfile.ZipFile(tmp_path / "moodle.zip", "w") as archive:
        archive.writestr(came, "x")
        archive.writestr(f"Gone_4713_assignsubmission_file{end}", "x")
        archive.writestr(f"Held_4712_assignsubmission_file{end}", "x")
    made = fill(with_pages, tmp_path / "moodle.zip", "", ROSTER)
    assert (made.filled, {*made.without}) == (1, {"4712", "4713"})
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        pages = {by_moodle(path): archive.read(path) for path in archive.namelist()}
        begin = name.replace("_", " ") + came[len(name) : -len("hw5_vae.py")]
        assert all(path.startswith(begin) for path in archive.namelist())
    assert pages == {
        ("4711", "feedback.html"): b"al123.html",
        ("4711", "feedback.pdf"): b"al123.pdf",
    }


def test_a_download_that_was_unpacked_is_the_same(with_pages, tmp_path):
    folder = tmp_path / "download" / "Ada Lovelace_4711_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "hw5_vae.py").write_text("")
    made = fill(with_pages, tmp_path / "download", "", ROSTER)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert archive.namelist() == [f"{folder.name}/feedback.{end}" for end in ("html", "pdf")]
    with pytest.raises(CourseError, match="holds no folders such as"):
        fill(with_pages, folder, "", ROSTER)


# --- Gradescope

GRADESCOPE = """\
First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time
Ada,Lovelace,4711,al123@example.edu,A,3.0,35.0,Graded,901,2027-04-13 12:00:00 -0500
"小明",王,4712,wxm9@example.edu,A,,,Missing,,
Mi,Ng,,stranger@example.edu,A,1.0,35.0,Graded,903,
Pair,One,p1,p1@example.edu,A,1.0,35.0,Graded,904,
Pair,Two,p2,p2@example.edu,A,1.0,35.0,Graded,904,
Pair,Three,p1,p1@example.edu,A,1.0,35.0,Graded,905,
Pair,Four,p4,p4@example.edu,A,1.0,35.0,Graded,905,
"""


def test_gradescopes_submissions_get_what_was_published_and_nothing_runs(published, tmp_path):
    head = "id,fc-vae.DNet,late,total,max_points,state,held back by,decided\n"
    table = "al123,7,-2,29.5,35,final,,Set to 7: '=1+1\nstranger,3,0,3,35,final,,\n"
    table += "p1,3,0,3,35,final,,\np2,4,0,4,35,final,,\n"
    (published / "results.csv").write_text(head + table, encoding="utf-8")
    (tmp_path / "grades.csv").write_text(GRADESCOPE, encoding="utf-8")
    made = fill(published, tmp_path / "grades.csv", "", ROSTER)
    assert (made.filled, made.unknown) == (2, ())
    assert made.without == ("4712", "p4")
    assert made.notes == (
        "Left out is submission 904, whose members have different results.",
        "Left out is submission 905, whose members have not all a total.",
    )
    home = tmp_path / "autograder"
    (home / "results").mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        archive.extractall(home / "source")
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111

    def run(number):
        about = {"id": number, "users": [{"id": 901}]}
        (home / "submission_metadata.json").write_text(json.dumps(about))
        return gradescope.main(home)

    assert run(901) == 0
    content = json.loads((home / "results" / "results.json").read_text(encoding="utf-8"))
    assert faults(content) == [] and content["score"] == 29.5
    assert content["output"] == "29.5 of 35\nfc-vae.DNet: 7\nlate: -2\nSet to 7: '=1+1"
    assert run(904) == run(905) == run(999) == 1


def test_canvas_reads_back_what_it_gave_and_a_second_time_changes_nothing(published, tmp_path):
    (tmp_path / "canvas.csv").write_text(CANVAS, encoding="utf-8-sig")
    once = fill(published, tmp_path / "canvas.csv", "HW5", ROSTER).data
    (tmp_path / "again.csv").write_bytes(once)
    again = fill(published, tmp_path / "again.csv", "HW5", ROSTER).data
    assert again == once


def test_the_file_for_the_platform_is_called_what_it_is(published, tmp_path, capsys):
    (tmp_path / "moodle.csv").write_text(MOODLE, encoding="utf-8")
    write_roster(ROSTER, published / "roster.csv")
    command = ["fill", str(published), str(tmp_path / "moodle.csv")]
    assert main(command) == 2
    assert "There is no --out" in capsys.readouterr().err
    assert main([*command, "--out", str(tmp_path / "upload.zip")]) == 2
    assert "will be a csv" in capsys.readouterr().err
