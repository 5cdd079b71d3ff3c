"""Formgrader in a browser: a written answer is marked, and the total is in page and gradebook."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook import course as courses
from autograder.gradebook.course import enter, name_students, open_course
from autograder.intake.submissions import Handin
from autograder.roster import Person, Roster
from tests.autograder.gradebook.a_class import ANSWER, ada, ben
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    FULL,
    HALF,
    PNG,
    WRITTEN,
    cell,
    filled_in,
    graded,
    grades,
    points,
)
from tests.jupyter import asked, browsing, serving


@pytest.fixture
def server(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Jupyter server in a course where ben, who tries to act on the page, has handed in, and ada,
    who answers one question as he does."""
    monkeypatch.setattr(courses, "_autograde", lambda course: None)  # formgrader does it below
    handins = []
    for make, said in ((ada, ANSWER), (ben, f"{ANSWER.lower()}  \n")):
        notebooks = filled_in(course)
        cell(notebooks[WRITTEN], ANSWERS[1])["source"] = said
        id = make.__name__
        handins.append(Handin(id, (id,), make(notebooks, course)))
    results = [graded(one.id) for one in handins]
    enter(handins, results, open_course(course, ASSIGNMENT), Path("elsewhere"))
    with serving("jupyter_server", [], course, tmp_path, PATH=os.defpath) as address:
        yield address


@pytest.mark.daily("gradebook")
def test_an_answer_is_marked_in_formgrader(course, server):
    # The server finds our preprocessors, and enters the judge's marks when asked to autograde.
    for student in ("ada", "ben"):
        address = f"{server}/formgrader/api/submission/hw5/{student}/autograde"
        done = json.loads(asked(address, "POST"))
        assert done["success"], done
    name_students(open_course(course, ASSIGNMENT), Roster((Person("ben", name="Bin, Ben"),)))
    assert grades(course, "ben")[CODED[1]] == (HALF, None, False)
    assert grades(course, "ben")[ANSWERS[0]] == (None, None, True)

    with browsing() as page:
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        elsewhere: list[str] = []
        page.route("https://**", lambda route: (elsewhere.append(route.request.url), route.abort()))

        def opened(notebook: str, questions: int) -> None:
            page.goto(f"{server}/formgrader/gradebook/hw5/{notebook}")
            page.get_by_role("link", name="Submission #2").wait_for()
            page.locator("#toggle_names").click()
            page.get_by_role("link", name="Bin, Ben").click()
            page.wait_for_function(f"window.formgrader?.grade_uis?.length == {questions}")
            page.wait_for_function("window.MathJax?.loaded")

        opened(CODE, 3)
        assert page.locator(f"#{CODED[1]}").get_attribute("placeholder") == f"{HALF:g}"
        said = page.locator(f"#{CODED[1]}-comment").get_attribute("placeholder")
        assert "divide by its size" in str(said)
        assert page.locator(f"#{FIGURES}").get_attribute("class").count("needs_manual_grade") == 1
        assert page.locator(f"img[src='data:image/png;base64,{PNG}']").count() == 1
        assert page.get_by_text("The secret criteria of the figures.").is_visible()
        assert not page.get_by_text('check("fc-vae.loss")').is_visible()
        assert page.title() == CODE

        opened(WRITTEN, 2)
        answer = page.locator(".marking", has=page.locator(f"#{ANSWERS[0]}"))
        assert answer.get_by_text("The secret model answer.").is_visible()
        assert answer.locator(".MathJax").count() == 1
        assert "document.title" in answer.inner_text()
        with page.expect_response(lambda answer: answer.request.method == "PUT") as put:
            page.locator(f"#{ANSWERS[0]}").fill("1.5")
            page.locator(f"#{ANSWERS[0]}").press("Tab")
        assert put.value.ok
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.locator(f"#{ANSWERS[0]}-comment").fill("Well argued.")
            page.locator(f"#{ANSWERS[0]}-comment").press("Tab")
        page.get_by_text("proof").click()  # was a link to JavaScript
        assert page.title() == WRITTEN

        # ada says the same: she gets the same mark and comment, but only when she has none.
        same = page.locator(".marking", has=page.locator(f"#{ANSWERS[1]}"))
        same.get_by_role("button", name="Give this mark and comment").click()
        assert same.get_by_text("Mark this one first.").is_visible()
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.locator(f"#{ANSWERS[1]}").fill("1")
            page.locator(f"#{ANSWERS[1]}").press("Tab")
        same.get_by_role("button", name="Give this mark and comment").click()
        same.get_by_text("Given to 1.").wait_for()

        # The same question of the next submission, until there is none.
        before = page.url.partition("?")[0]
        same.get_by_role("link", name="of the next submission").click()
        page.wait_for_url(lambda url: not url.startswith(before))

        page.goto(f"{server}/formgrader/manage_students/ben")
        total = page.locator("tr", has=page.get_by_role("link", name="hw5")).inner_text()
        most = sum(points(name) for name in (*CODED, FIGURES, *ANSWERS))
        assert f"{FULL + HALF + 1.5 + 1:g} / {most:g}" in " ".join(total.split())

    assert dialogs == elsewhere == []
    assert grades(course, "ben")[ANSWERS[0]] == (None, 1.5, False)
    assert grades(course, "ada")[ANSWERS[0]] == (None, None, True)
    assert grades(course, "ada")[ANSWERS[1]] == (None, 1.0, False)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission("hw5", "ben").score == FULL + HALF + 1.5 + 1
        marked = gradebook.find_comment(ANSWERS[0], WRITTEN, "hw5", "ben")
        assert marked.comment == "Well argued."
