"""Does nbgrader take off for being late what `publish` does?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from autograder.assignment import Penalty
from autograder.course import publish
from autograder.export import results_json
from autograder.gradebook import judge_scores, late_penalty
from autograder.gradebook.course import open_course
from autograder.gradebook.given import given
from autograder.gradebook.judge_scores import JudgeScores
from autograder.gradebook.late_penalty import LatePenalty
from autograder.gradebook.reading import new_notebook
from autograder.results import SubmissionResult
from autograder.roster import Person, Roster, write_roster
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    FIGURES,
    FULL,
    HALF,
    NOTEBOOKS,
    graded,
    mark_by_hand,
    points,
)

DUE = datetime.fromisoformat("2027-04-13T12:00:00-04:00")
LATE = "2027-04-15T01:00:00+09:00"  # exactly a day after it
PLUGIN = "autograder.gradebook.late_penalty.LatePenalty"
CODE_EARNS = FULL + HALF
Penalties = Callable[..., float]


def near(points: float) -> Any:
    """So many points, as a penalty is rounded: to hundredths."""
    return pytest.approx(points, abs=0.006)


@pytest.fixture
def penalties(course: Path, monkeypatch: pytest.MonkeyPatch) -> Penalties:
    """What nbgrader takes off ada's submission by a rule, through its own preprocessors."""
    url = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission("hw5", "ada")

    def run(result: SubmissionResult, roster: Roster | None = None, **said: object) -> float:
        rule = replace(ASSIGNMENT, due=DUE, late="flag", **said)
        for module in (judge_scores, late_penalty):
            monkeypatch.setattr(module, "read_assignment", lambda: rule)
        results_json.write([result], course / "marks")
        if roster:
            write_roster(roster, course / "marks" / "roster.csv")
        for name in NOTEBOOKS:
            where = {"student": "ada", "assignment": "hw5", "notebook": name, "db_url": url}
            resources, notebook = {"nbgrader": where}, new_notebook([])
            JudgeScores(marks=str(course / "marks")).preprocess(notebook, resources)
            config = Config({"AssignLatePenalties": {"plugin_class": PLUGIN}})
            AssignLatePenalties(config=config).preprocess(notebook, resources)
        there = given(open_course(course, ASSIGNMENT))
        row = publish.join([result], roster or Roster(), there, [], rule)[0][0]
        with Gradebook(url) as gradebook:
            taken = float(gradebook.find_submission("hw5", "ada").late_submission_penalty)
        assert -row.late == pytest.approx(taken, abs=1e-3)
        return taken

    return run


def test_the_penalty_of_all_notebooks_is_that_of_publish(course, penalties):
    late, daily, earned = graded("ada", submitted=LATE), Penalty(10, True, "day"), CODE_EARNS
    assert penalties(late, penalty=daily) == near(earned / 10)
    for name in (FIGURES, *ANSWERS):
        mark_by_hand(course, "ada", name, points(name))
        earned += points(name)
    assert penalties(late, penalty=daily) == near(earned / 10)
    for share, taken in ((0.5, 0.5), (1, 1), (2, 1)):  # of what was earned, by these 24 hours
        hourly = Penalty(share * earned / 24, False, "hour")
        assert penalties(late, penalty=hourly) == near(taken * earned)
    assert penalties(late, penalty=hourly, grace=timedelta(days=1)) == 0
    assert penalties(late) == 0


def test_a_penalty_is_read_from_nbgrader_where_the_course_has_a_rule_of_its_own(course, penalties):
    hourly = Penalty(CODE_EARNS, False, "hour")
    assert penalties(graded("ada", submitted=LATE), penalty=hourly) == near(CODE_EARNS)
    assert given(open_course(course, ASSIGNMENT))["ada"].penalty == 0
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().replace("LatePenalty", "TheirOwn"))
    assert given(open_course(course, ASSIGNMENT))["ada"].penalty == near(CODE_EARNS)


def test_an_extension_of_the_roster_holds_in_nbgrader(course, penalties):
    late = graded("ada", submitted=LATE)
    hourly = Penalty(CODE_EARNS / 4, False, "hour")
    ada = Person("ada", extension="2027-04-14T14:00:00Z")
    assert penalties(late, Roster((ada,)), penalty=hourly) == near(CODE_EARNS / 2)
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        submission = gradebook.find_submission("hw5", "ada")
        assert submission.assignment.duedate == datetime(2027, 4, 13, 16)
        assert submission.timestamp == datetime(2027, 4, 14, 16)
        assert submission.total_seconds_late == 2 * 3600
    later = replace(ada, extension="2027-04-14T16:00:00Z")
    assert penalties(late, Roster((later,)), penalty=hourly) == 0
    none = replace(ada, extension="")
    assert penalties(late, Roster((none,)), penalty=hourly) == near(CODE_EARNS)


def test_of_what_is_refused_nothing_counts(monkeypatch):
    rule = replace(ASSIGNMENT, due=DUE, late="flag", cut_off=timedelta(hours=1))
    monkeypatch.setattr(late_penalty, "read_assignment", lambda: rule)
    plugin = LatePenalty()
    assert plugin.late_submission_penalty("ada", 8.0, 3601) == 8.0
    assert plugin.late_submission_penalty("ada", 8.0, 3600) is None
