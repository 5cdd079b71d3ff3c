"""similar.html: pairs of submissions side by side, one page that loads nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.assignment import Assignment
from autograder.course.similar import (
    FALSE_ALARMS,
    LEAST,
    LEAST_SHARE,
    LENGTH,
    MOST_BY_CHANCE,
    Pair,
    Work,
)
from autograder.export.shared import harmless
from autograder.export.template import template
from autograder.roster import NOBODY, Roster
from autograder.tables import JOINERS


def page(
    pairs: Sequence[Pair],
    works: Sequence[Work],
    held: int,
    assignment: Assignment,
    roster: Roster = NOBODY,
) -> str:
    """The page as HTML: no script, nothing loaded, every text escaped.

    `held`: how many pairs were held against each other, of which `pairs` are shown.
    """
    return template("similar.html", Path(__file__).parent).render(
        title=assignment.title,
        pairs=pairs,
        works=works,
        earlier=sum(bool(one.origin) for one in works),
        held=held,
        alarms=FALSE_ALARMS,
        chance=MOST_BY_CHANCE,
        least=LEAST,
        least_share=LEAST_SHARE,
        length=LENGTH,
        percent=lambda share: f"{100 * share:.0f} %",
        called=lambda work: _called(work, roster),
    )


def _called(work: Work, roster: Roster) -> str:
    """The id as in marks.csv, with the names that the roster knows."""
    names = [person.shown for person in roster.of(work.members) if person.name]
    called = f"{work.id} ({', '.join(names)})" if names else work.id
    return harmless(called + (f", of {work.origin}" if work.origin else ""), keep=JOINERS)
