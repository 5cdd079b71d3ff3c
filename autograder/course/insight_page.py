"""class.html: the class as its teacher sees it, one page that loads nothing and names nobody."""

from __future__ import annotations

import statistics
from pathlib import Path

from autograder.assignment import Assignment
from autograder.course.insight import Insight
from autograder.export.shared import points_text
from autograder.export.template import template

BINS = 10

FLAGS = {
    "late": "handed in after the due date",
    "empty": "nothing in it that was asked for; they got no points and are in no figure above",
    "refused": "not accepted under the rules; in no figure above",
    "conflict": "claimed by two; withheld until somebody decides",
    "netid": "the netid file names somebody else than the account",
    "group": "a group that does not fit the rules",
    "damaged": "could not be read in full",
    "missing": "without a module that was asked for, whose questions earn nothing",
    "unopened": "holds an archive that could not be opened",
    "unmerged": "holds the lines with which git marks two versions",
    "unloadable": "a module that cannot be loaded",
    "renamed": "a file under another name, which was found",
    "versions": "several versions of a file; the one with the most work counts",
    "vanished": "handed in before, and not there any more",
}
"""What a flag means to the staff; marks.csv says whose they are."""


def page(insight: Insight, assignment: Assignment, missing: int = 0, listed: int = 0) -> str:
    """The page as HTML: no script, nothing loaded, every text escaped.

    `missing` of the `listed` people of the roster have handed nothing in.
    """
    bins = [0] * BINS
    for share in insight.shares:
        bins[max(0, min(int(share * BINS), BINS - 1))] += 1
    return template("insight.html", Path(__file__).parent).render(
        title=assignment.title,
        # `class` in a template is a name like any other.
        **{"class": insight},
        mean=statistics.fmean(insight.points) if insight.points else 0.0,
        missing=missing,
        listed=listed,
        bins=bins,
        highest=max(*bins, 1),
        flags=[(count, FLAGS.get(flag, flag)) for flag, count in insight.flags],
        number=lambda value: points_text(round(value, 1)),
        percent=lambda share: f"{100 * share:.0f}",
    )
