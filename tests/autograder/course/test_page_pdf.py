"""Is the PDF the same page, whatever anybody wrote, and does it lead nowhere?"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from pypdf import PdfReader

from autograder.course import page_pdf
from autograder.export import feedback
from autograder.export.feedback import Final, Marks
from autograder.roster import NOBODY, Person, Roster


def read(result, assignment, roster=NOBODY, final=None):
    made = page_pdf.pdf(feedback.content(result, assignment, roster, final))
    reader = PdfReader(io.BytesIO(made))
    assert not any("/Annots" in page for page in reader.pages), "a link, or a form"
    assert not {"/OpenAction", "/AA", "/Names"} & {*reader.trailer["/Root"]}
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_it_says_what_the_page_says(assignment, full):
    people = {"fc-vae.figures": ["Label the axes, see https://example.edu."]}
    final = Final(Marks("15", "of 17 points", 88), people, ("Within your extension.",))
    text = read(full, assignment, final=final)
    for said in ("Feedback for ada", "15 of 17 points", "Label the axes", "Within your extension"):
        assert said in text


def test_every_state_of_a_check_is_set(assignment, class_of):
    for result in class_of:
        text = read(result, assignment)
        assert result.id in text
        assert ("Withheld" in text) == ("conflict" in result.flags)


def test_no_text_of_a_student_becomes_typst(assignment, hostile, ended_as):
    for result in hostile:
        read(result, assignment)
    code = '#read("/etc/passwd") $x$ *b* #link("//evil")[x] \\ "'
    assert '#read("/etc/passwd") $x$ *b*' in read(ended_as("error", message=code), assignment)


@pytest.mark.parametrize("name", ["王小明", "Нина Ким", "Łukasiewicz, Zoë"])
def test_names_of_other_scripts_are_set_in_letters(assignment, full, name):
    roster = Roster((Person("ada", name=name),))
    assert roster.people[0].shown in read(full, assignment, roster)


def test_equal_pages_are_equal_bytes(assignment, full):
    content = feedback.content(full, assignment)
    assert page_pdf.pdf(content) == page_pdf.pdf(content)
    other = feedback.content(replace(full, id="ben"), assignment)
    assert page_pdf.pdf(other) != page_pdf.pdf(content)
