"""Two PDFs that several tests look at."""

from __future__ import annotations

import pytest

from tests.hw5_pages.looking import CODE, printed, with_code
from tests.notebooks_awkward.coursework import coursework


@pytest.fixture(scope="session")
def small():
    """A notebook of the coursework, complete."""
    return printed(coursework())


@pytest.fixture(scope="session")
def appended():
    return with_code(CODE)
