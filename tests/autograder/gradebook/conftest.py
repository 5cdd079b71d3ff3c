"""A course folder, made once by nbgrader's own command, and fresh copies of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.autograder.gradebook.small_course import lay_source, nbgrader


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which `nbgrader generate_assignment` has run; not to be written to."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (shared / "gradebook.lock").open("w") as lock:  # one worker makes it for all
        fcntl.flock(lock, fcntl.LOCK_EX)
        course = shared / "gradebook-template"
        if not course.exists():
            making = shared / "gradebook-making"
            lay_source(making)
            nbgrader(making, "generate_assignment", "hw5")
            making.rename(course)
    return course


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    """A course folder of the test's own."""
    return Path(shutil.copytree(template, tmp_path / "course"))
