"""Is what people gave in formgrader read as they gave it?"""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.__main__ import main
from autograder.export import results_json
from autograder.gradebook.course import enter, open_course
from autograder.gradebook.given import given
from autograder.intake.submissions import Handin
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODED,
    FIGURES,
    FULL,
    HALF,
    WRITTEN,
    filled_in,
    graded,
    mark_by_hand,
    packed,
    points,
)


def say(course: Path, student: str, name: str, text: str) -> None:
    """Comment on an answer as formgrader does."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        gradebook.find_comment(name, WRITTEN, "hw5", student).manual_comment = text
        gradebook.db.commit()


@pytest.mark.daily("gradebook")
def test_marks_comments_and_what_waits_are_read_and_published(course, tmp_path, capsys):
    opened = open_course(course, ASSIGNMENT)
    handin = Handin("ada", ("ada",), packed(filled_in(course)))
    enter([handin], [graded("ada")], opened, Path("elsewhere"))
    figures, answer, loss = points(FIGURES), points(ANSWERS[0]), HALF + 0.25
    mark_by_hand(course, "ada", FIGURES, figures)
    mark_by_hand(course, "ada", CODED[1], loss)
    say(course, "ada", ANSWERS[0], "Which inequality?")

    ada = given(opened)["ada"].questions
    assert (ada["fc-vae.figures"].points, ada["fc-vae.figures"].by_hand) == (figures, True)
    assert (ada["fc-vae.networks"].points, ada["fc-vae.networks"].by_hand) == (FULL, False)
    assert ada["vae-theory.1c"].points is None
    assert ada["vae-theory.1c"].comments == ("Which inequality?",)
    assert ada["vae-theory.1f"].points == 0.0, "an answer that nobody touched"

    results_json.write([graded("ada")], tmp_path / "marks")
    out = tmp_path / "published"
    command = ["publish", str(tmp_path / "marks"), "--gradebook", str(course), "--out", str(out)]
    assert main(command) == 0
    title = ASSIGNMENT.question("vae-theory.1c").title
    assert f"Holds ada back: {ANSWERS[0]} (vae-theory.1c) is to be marked" in (
        capsys.readouterr().out.replace(title, ANSWERS[0])
    )
    mark_by_hand(course, "ada", ANSWERS[0], answer)
    assert main(command) == 0
    total = FULL + loss + figures + answer
    assert f"vae-theory.1c - -> {answer:g}, total held back -> {total:g}" in capsys.readouterr().out
    page = (out / "pages" / "ada.html").read_text(encoding="utf-8")
    assert "Which inequality?" in page and f"Marked by a person, instead of {HALF:g}." in page
