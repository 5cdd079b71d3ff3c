"""Formgrader in a browser: a written answer is marked, and the total is in page and gradebook."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook import course as courses
from autograder.gradebook import harmless
from autograder.gradebook.course import enter, open_course
from autograder.intake.submissions import Handin
from tests.autograder.gradebook.a_class import ANSWER, ben
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    PNG,
    WRITTEN,
    filled_in,
    graded,
    grades,
)
from tests.jupyter import asked, browsing, serving


@pytest.fixture
def server(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Jupyter server in a course where ben, who tries to act on the page, has handed in."""
    monkeypatch.setattr(courses, "_autograde", lambda course: None)  # formgrader does it below
    handin = Handin("ben", ("ben",), ben(filled_in(course), course))
    enter([handin], [graded("ben")], open_course(course, ASSIGNMENT), Path("elsewhere"))
    with serving("jupyter_server", [], course, tmp_path, PATH=os.defpath) as address:
        yield address


def test_an_answer_is_marked_in_formgrader(course, server):
    # The server finds our preprocessors, and enters the judge's marks when asked to autograde.
    done = json.loads(asked(f"{server}/formgrader/api/submission/hw5/ben/autograde", "POST"))
    assert done["success"], done
    assert grades(course, "ben")[CODED[1]] == (3.5, None, False)
    assert grades(course, "ben")[ANSWERS[0]] == (None, None, True)

    with browsing() as page:
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.route("https://**", lambda route: route.abort())  # mathematics is not looked at

        page.goto(f"{server}/formgrader/gradebook/hw5/{CODE}")
        page.get_by_role("link", name="Submission #1").click()
        page.wait_for_function("window.formgrader?.grade_uis?.length > 2")
        assert page.locator(f"#{CODED[1]}").get_attribute("placeholder") == "3.5"
        said = page.locator(f"#{CODED[1]}-comment").get_attribute("placeholder")
        assert "divide by its size" in str(said)
        assert page.locator(f"#{FIGURES}").get_attribute("class").count("needs_manual_grade") == 1
        assert page.locator(f"img[src='data:image/png;base64,{PNG}']").count() == 1
        assert page.title() == CODE

        page.goto(f"{server}/formgrader/gradebook/hw5/{WRITTEN}")
        page.get_by_role("link", name="Submission #1").click()
        page.wait_for_function("window.formgrader?.grade_uis?.length > 1")
        assert page.get_by_text(harmless.markdown(ANSWER, {})).count() == 1
        with page.expect_response(lambda answer: answer.request.method == "PUT") as put:
            page.locator(f"#{ANSWERS[0]}").fill("1.5")
            page.locator(f"#{ANSWERS[0]}").press("Tab")
        assert put.value.ok
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.locator(f"#{ANSWERS[0]}-comment").fill("Well argued.")
            page.locator(f"#{ANSWERS[0]}-comment").press("Tab")
        page.get_by_text("proof").click()  # was a link to JavaScript
        assert page.title() == WRITTEN

        page.goto(f"{server}/formgrader/manage_students/ben")
        total = page.locator("tr", has=page.get_by_role("link", name="hw5")).inner_text()
        assert "13 / 23" in " ".join(total.split())

    assert dialogs == []
    assert grades(course, "ben")[ANSWERS[0]] == (None, 1.5, False)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission("hw5", "ben").score == 8 + 3.5 + 1.5
        marked = gradebook.find_comment(ANSWERS[0], WRITTEN, "hw5", "ben")
        assert marked.comment == "Well argued."
