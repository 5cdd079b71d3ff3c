"""Is marks.csv complete, safe to open and the same on every run?"""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.export import marks_csv

HEADER = [
    "id",
    "members",
    "flags",
    "fc-vae.networks",
    "fc-vae.loss",
    "fc-gan.noise",
    "fc-gan.least_squares",
    "points",
    "max_points",
    "status",
    "attempts",
]


@pytest.fixture
def read(tmp_path: Path, assignment):
    """Writes results and reads the rows back, the heading first."""

    def rows(results) -> list[list[str]]:
        marks_csv.write(results, assignment, tmp_path / "marks.csv")
        with (tmp_path / "marks.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    return rows


def test_a_class_is_one_row_a_submission_sorted_by_id(read, class_of):
    """Are all states where an instructor looks for them?"""
    assert read(reversed(class_of)) == [
        HEADER,
        ["ada", "ada", "", "8", "2", "3", "4", "17", "13", "ok", "1"],
        ["ben", "ben", "", "8", "0", "3", "4", "15", "13", "ok", "1"],
        ["cleo", "cleo", "conflict", "8", "2", "3", "4", "", "13", "withheld", "1"],
        ["dan", "dan", "", "8", "", "3", "4", "", "13", "ungradable", "1"],
        ["eve", "eve", "empty", "", "", "", "", "0", "13", "ok", "1"],
        ["fay", "fay gus", "late group", "8", "0", "3", "4", "15", "13", "ok", "1"],
    ]


def test_any_order_gives_the_same_bytes(tmp_path, assignment, class_of):
    """Is the file a function of the results alone?"""
    files = set()
    for order in itertools.islice(itertools.permutations(class_of), 0, 720, 71):
        marks_csv.write(order, assignment, tmp_path / "marks.csv")
        files.add((tmp_path / "marks.csv").read_bytes())
    assert len(files) == 1


def test_times_seeds_and_layers_leave_no_trace(tmp_path, assignment, full):
    """Is a resumed run on another machine the same file?"""
    other = replace(
        full, submitted="2027-04-13", seed=7, layers=("bwrap",), versions={"torch": "2.9"}
    )
    marks_csv.write([full], assignment, tmp_path / "one.csv")
    marks_csv.write([other], assignment, tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_lines_end_in_lf_and_the_last_one_ends(tmp_path, assignment, class_of):
    """Is it the same file on Windows?"""
    marks_csv.write(class_of, assignment, tmp_path / "marks.csv")
    text = (tmp_path / "marks.csv").read_bytes()
    assert b"\r" not in text
    assert text.endswith(b"ok,1\n")


def test_a_part_that_nobody_was_graded_on_has_no_columns(read, full):
    """Does `--part` not leave blanks that look ungradable?"""
    vae = tuple(q for q in full.questions if q.question.startswith("fc-vae"))
    assert read([replace(full, questions=vae)])[0] == [
        name for name in HEADER if not name.startswith("fc-gan")
    ]


def test_without_submissions_there_is_the_heading(read):
    """Is an empty class a valid file?"""
    assert read([]) == [HEADER]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "  =", "\n="])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(read, full, start):
    """Does opening the file in a spreadsheet run nothing?"""
    text = f'{start}HYPERLINK("http://evil.example","x")'
    row = read([replace(full, id=text, members=(text,), flags=(text,))])[1]
    for cell in row[:3]:
        assert cell.lstrip()[0] not in "=+-@\t\r\n"
        assert 'HYPERLINK("http://evil.example","x")' in cell


@pytest.mark.parametrize("number", ["-0.5", "+3", "-12,5", "-", " -1"])
def test_a_number_is_a_number_whatever_its_sign(number):
    """Does a spreadsheet count with what is no formula?"""
    assert marks_csv.cell(number) == number


@pytest.mark.parametrize("text", ["-1+1", "-x", "--1", "+A1", "-1 2"])
def test_what_only_begins_as_a_number_is_no_number(text):
    """Is a formula of numbers a formula still?"""
    assert marks_csv.cell(text) == f"'{text}"


def test_hostile_texts_stay_in_their_cells(read, hostile):
    """Does every row keep its columns, and does NUL not end the file?"""
    rows = read(hostile)
    assert len(rows) == len(hostile) + 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert all(cell.isprintable() for row in rows for cell in row)
