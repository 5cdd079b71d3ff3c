"""A course folder and a class of twenty in it, each made once by nbgrader's own commands."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.autograder.gradebook.a_class import hand_in
from tests.autograder.gradebook.small_course import lay_source, nbgrader


@pytest.fixture(scope="session")
def template(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    """A course folder in which `nbgrader generate_assignment` has run; not to be written to."""

    def make(course: Path) -> None:
        lay_source(course)
        nbgrader(course, "generate_assignment", "hw5")

    return once("course", make)


@pytest.fixture(scope="session")
def classroom(once: Callable[[str, Callable[[Path], None]], Path], template: Path) -> Path:
    """The course after a class of twenty was graded: every command of nbgrader has run in it."""

    def make(course: Path) -> None:
        shutil.copytree(template, course)
        hand_in(course)
        nbgrader(course, "generate_feedback", "hw5")
        nbgrader(course, "export")

    return once("classroom", make)


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    """A course folder of the test's own, in which nobody has handed in anything."""
    return Path(shutil.copytree(template, tmp_path / "course"))
