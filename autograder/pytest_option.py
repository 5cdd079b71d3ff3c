"""The options of `pytest autograder --submission FOLDER`, known to pytest before it looks around.

Were they declared in conftest.py, pytest would take FOLDER for a place to collect tests from, and
run the conftest.py of a submission. This module is registered as a plugin when the kit is
installed.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare both options."""
    group = parser.getgroup("autograder", "hidden checks of the coursework")
    group.addoption("--submission", metavar="FOLDER", help="folder or zip of one submission")
    group.addoption("--check-seed", type=int, metavar="S", help="seed of the random inputs")
