"""Does formgrader's list of submissions have no names where a part is anonymous?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import base
from traitlets.config import PyFileConfigLoader

from autograder.gradebook import nameless
from autograder.gradebook.nameless import Nameless
from tests.autograder.gradebook.small_course import CODE, CONFIG, WRITTEN


def listed(course: Path, notebook: str) -> list[dict[str, object]]:
    there = CourseDirectory(root=str(course), db_url=f"sqlite:///{course / 'gradebook.db'}")
    return list(Nameless(there).get_notebook_submissions("hw5", notebook))


def test_an_anonymous_notebook_lists_numbers_and_the_others_names(
    classroom: Path, monkeypatch: pytest.MonkeyPatch
):
    named = listed(classroom, WRITTEN)
    assert {"ada", "ben"} <= {str(one["student"]) for one in named}
    monkeypatch.setattr(nameless, "anonymous_parts", lambda: {"vae-theory"})
    nobody = listed(classroom, WRITTEN)
    assert [one["student"] for one in nobody] == [f"Submission #{n + 1}" for n in range(len(named))]
    assert {one["first_name"] for one in nobody} == {one["last_name"] for one in nobody} == {None}
    assert [one["id"] for one in nobody] == [one["id"] for one in named]
    assert "ada" in {one["student"] for one in listed(classroom, CODE)}, "its part is not anonymous"


def test_the_courses_settings_put_it_in_the_place_of_nbgraders(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base, "NbGraderAPI", NbGraderAPI)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    PyFileConfigLoader(CONFIG.name, str(CONFIG.parent)).load_config()
    assert base.NbGraderAPI is Nameless
