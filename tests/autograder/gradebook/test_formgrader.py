"""Formgrader in a browser: a written answer is marked, and the total is in page and gradebook."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from nbgrader.api import Gradebook

from autograder.gradebook import course as courses
from autograder.gradebook import harmless
from autograder.gradebook.course import enter, open_course
from autograder.intake import Handin
from tests.autograder.attacks import lacking
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

TOKEN = "a-token-of-this-test"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = "window.formgrader && formgrader.grades.loaded && formgrader.comments.loaded"
PATIENCE = 120  # seconds that a busy machine may take for one step


@pytest.fixture
def server(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Jupyter server in a course where ben, who tries to act on the page, has handed in."""
    monkeypatch.setattr(courses, "_autograde", lambda course: None)  # formgrader does it below
    handin = Handin("ben", ("ben",), ben(filled_in(course), course))
    enter([handin], [graded("ben")], open_course(course, ASSIGNMENT), Path("elsewhere"))
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    home = {name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    with (tmp_path / "server.log").open("w") as log:
        running = subprocess.Popen(
            [*command, f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={TOKEN}"],
            cwd=course,
            env={**os.environ, **home, "PATH": os.defpath},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, running)
            yield address
        finally:
            running.terminate()
            running.wait(timeout=PATIENCE)


def _wait(address: str, running: subprocess.Popen[bytes]) -> None:
    for _ in range(2 * PATIENCE):
        assert running.poll() is None, "the server ended"
        try:
            asked(f"{address}/formgrader/api/status")
            return
        except URLError:
            time.sleep(0.5)
    pytest.fail("the server does not answer")


def asked(address: str, method: str = "GET") -> dict[str, object]:
    request = Request(address, method=method, headers={"Authorization": f"token {TOKEN}"})
    with urlopen(request, timeout=PATIENCE) as answer:
        return dict(json.loads(answer.read()))


def test_an_answer_is_marked_in_formgrader(course, server):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    # The server finds our preprocessors, and enters the judge's marks when asked to autograde.
    done = asked(f"{server}/formgrader/api/submission/hw5/ben/autograde", "POST")
    assert done["success"], done
    assert grades(course, "ben")[CODED[1]] == (3.5, None, False)
    assert grades(course, "ben")[ANSWERS[0]] == (None, None, True)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        page = browser.new_page(extra_http_headers={"Authorization": f"token {TOKEN}"})
        page.set_default_timeout(1000 * PATIENCE)
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
        browser.close()

    assert dialogs == []
    assert grades(course, "ben")[ANSWERS[0]] == (None, 1.5, False)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        assert gradebook.find_submission("hw5", "ben").score == 8 + 3.5 + 1.5
        marked = gradebook.find_comment(ANSWERS[0], WRITTEN, "hw5", "ben")
        assert marked.comment == "Well argued."
