"""Late is a rule: from when something came and was due follow a flag, a sentence and a price.

It is applied here and nowhere else: by the intake, by `publish`, for nbgrader and on Gradescope.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from autograder.assignment import UNITS, Assignment
from autograder.results import SubmissionResult
from autograder.roster import NOBODY, Roster

LATE, REFUSED = "late", "refused"
"""Flags of a submission that is late, and of one that is not accepted for it."""

_BEGINS = "It was handed in "
_WITHIN = "It came within your extension, "


@dataclass(frozen=True)
class Verdict:
    """What follows for one submission: a flag (or none) and a sentence for the student (or none).

    `by` is how late it came: None where nobody knows.
    """

    flag: str = ""
    sentence: str = ""
    by: timedelta | None = timedelta(0)


def judge(
    rule: Assignment,
    submitted: datetime | None,
    extension: datetime | None = None,
    marked_late: bool | None = None,
) -> Verdict:
    """How a submission stands that came at `submitted`.

    `extension` takes the place of the due date. Where no time is known, `marked_late` decides, the
    platform's own word.
    """
    due = extension or rule.due
    if submitted is None or due is None:
        # A word cannot be weighed against an extension: where there is one, a person looks.
        refused = rule.late == "refuse" and extension is None
        said = f"{_BEGINS}late, as the platform says{_end(refused)}."
        return _verdict(rule, refused, said, None) if marked_late else Verdict()
    by, last = submitted - due, _said(due)
    if by <= rule.grace:
        late_but_for = extension and rule.due and submitted > rule.due + rule.grace
        return Verdict("", f"{_WITHIN}until {last}." if late_but_for else "")
    cut = _is_cut_off(rule, by)
    what = "your extension ended at" if extension else "the deadline was"
    refused = refuses(rule, by)
    said = f"{_BEGINS}at {_said(submitted.astimezone(due.tzinfo))}{_end(refused)}; "
    said += f"{what} {last}{f', and {_nothing_counts(rule)}' if cut else ''}."
    return _verdict(rule, refused, said, by)


def judge_again(result: SubmissionResult, rule: Assignment, roster: Roster = NOBODY) -> Verdict:
    """How a graded submission stands by the rule and the roster of today, whatever was said of it
    before."""
    members = result.members or (result.id,)
    submitted = came(result, roster)
    by_word = submitted is None and bool({LATE, REFUSED} & {*result.flags})
    return judge(rule, submitted, roster.extension(members), by_word)


def came(result: SubmissionResult, roster: Roster) -> datetime | None:
    """When it came, as the platform said with it or in the table that the roster was made of."""
    try:
        return datetime.fromisoformat(result.submitted)
    except ValueError:
        return roster.submitted(result.members or (result.id,))


def refuses(rule: Assignment, by: timedelta) -> bool:
    """Does nothing count of what is late by so much?"""
    return by > rule.grace and (rule.late == "refuse" or _is_cut_off(rule, by))


def price(rule: Assignment, by: timedelta | None, points: float) -> tuple[float, str]:
    """What is taken off so many points for being late `by` so much, and why, for the student."""
    penalty = rule.penalty
    if penalty is None or by is None or by <= rule.grace:
        return 0.0, ""
    begun = math.ceil(by / UNITS[penalty.unit])
    each = _counted(penalty.amount, "percent" if penalty.percent else "point")
    of = f" of your {_counted(points, 'point')}" if penalty.percent else ""
    taken = begun * penalty.amount * (points / 100 if penalty.percent else 1)
    why = f"{each}{of} for each {penalty.unit} that had begun, {begun} of them"
    # As exact as it is shown: marks less what is taken off are the total, on every page and table.
    return round(max(0.0, min(taken, points)), 2), why


def taken_off(points: float, why: str = "") -> str:
    """What was taken off, as the student reads it."""
    verb = "is" if points == 1 else "are"
    return f"{_counted(points, 'point')} {verb} taken off for being late{why and f': {why}'}."


def in_words(rule: Assignment) -> Iterator[str]:
    """The rule as students read it before they hand in, a sentence each."""
    if rule.late == "refuse":
        yield "What is late is not marked."
    if rule.penalty:
        what = "percent of your points" if rule.penalty.percent else "point"
        one = _counted(rule.penalty.amount, what)
        taken = "is" if rule.penalty.amount == 1 and not rule.penalty.percent else "are"
        yield f"For each {rule.penalty.unit} late that has begun, {one} {taken} taken off."
    if rule.grace:
        yield f"Up to {_span(rule.grace)} late is not late."
    if rule.cut_off:
        nothing = _nothing_counts(rule)
        yield f"{nothing[0].upper()}{nothing[1:]}."


def without_verdict(notes: Iterable[str]) -> tuple[str, ...]:
    """The notes without what was once said of the time, which may be said otherwise now."""
    return tuple(note for note in notes if not note.startswith((_BEGINS, _WITHIN)))


def _verdict(rule: Assignment, refused: bool, said: str, by: timedelta | None) -> Verdict:
    if rule.late == "accept":
        return Verdict(by=by)
    return Verdict(REFUSED if refused else LATE, said, by)


def _is_cut_off(rule: Assignment, by: timedelta) -> bool:
    return rule.cut_off is not None and by > rule.cut_off


def _end(refused: bool) -> str:
    return " and is not accepted" if refused else ""


def _nothing_counts(rule: Assignment) -> str:
    assert rule.cut_off is not None
    return f"nothing counts that comes more than {_span(rule.cut_off)} late"


def _said(moment: datetime) -> str:
    return moment.isoformat(" ", "seconds")


def _span(span: timedelta) -> str:
    """A length of time in the largest unit of which it is a whole number."""
    whole = [name for name, unit in UNITS.items() if not span % unit]
    name = whole[-1] if whole else "minute"
    return _counted(span / UNITS[name], name)


def _counted(number: float, what: str) -> str:
    plural = number != 1 and not what.startswith("percent")
    return f"{round(number, 2):g} {what}{'s' if plural else ''}"
