"""feedback/<id>.html: one self-contained page a student, made for a phone and for paper.

The page carries no script and loads nothing; every text on it is escaped by the template and
made harmless first, whoever wrote it. What a student reads is decided here, how it looks in
feedback.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autograder.assignment import Assignment
from autograder.export.made import made
from autograder.export.shared import (
    file_name,
    in_order,
    is_marked,
    mark,
    names,
    points_text,
    status,
)
from autograder.export.template import template
from autograder.results import (
    CRASHED,
    ERROR,
    FAIL,
    MANUAL,
    MEMORY,
    PASS,
    SKIPPED,
    TIMEOUT,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
    is_withheld,
    to_data,
)
from autograder.roster import NOBODY, Roster

MOST_FILES = 100
"""Ignored files that are listed by name."""

OUR_FAULT = (
    "This is our fault, not yours: our grading failed here. The mark is held back until we have "
    "repaired it and graded your work again. You need do nothing."
)

BY_HAND = "Marked by hand: a person reads this, and the mark is not on this page."

FLAGS = {
    "late": "Your submission was handed in after the due date.",
    "conflict": "More than one submission claims to be by the same student or group, so we cannot "
    "tell whose work counts. Please get in touch with the course staff.",
    "netid": "The netid file does not agree with the account that handed this in. The account "
    "counts.",
    "group": "Who handed this in as a group does not fit the rules of the assignment.",
    "damaged": "Part of your submission could not be read. What could be read was graded.",
    "empty": "None of the files that the assignment asks for was in your submission.",
    "refused": "Your submission was not accepted under the rules of the assignment.",
    "missing": "A file that the assignment asks for was not in your submission, or was empty.",
    "unopened": "An archive in your submission could not be opened. Please hand in a zip.",
    "unmerged": "A file still holds the lines with which git marks two versions.",
    "renamed": "A file had another name than the assignment asks for. It was found all the same.",
    "versions": "A file was there in several versions. The one with the most work counts.",
}
"""What a flag means to the student."""

WORDS = {
    PASS: ("✓", "Passed"),
    "partial": ("◐", "Partly right"),
    FAIL: ("✗", "Not right"),
    SKIPPED: ("…", "Not run"),
    ERROR: ("!", "Stopped by an exception"),
    TIMEOUT: ("!", "Ran out of time"),
    MEMORY: ("!", "Ran out of memory"),
    CRASHED: ("!", "Python ended"),
    UNGRADABLE: ("?", "Not graded"),
}
"""The sign and the words of every state: colour alone says nothing."""

EXPLANATIONS = {
    ERROR: "Your code raised an exception while we ran it, so there was no answer to look at.",
    TIMEOUT: "Your code was still running when its time was up, and was stopped. Look for a loop "
    "that never ends, or for far more work than the task needs.",
    MEMORY: "Your code asked for more memory than it may have, and was stopped. Look for a tensor "
    "of the wrong shape ((N, 1) against (N,) broadcasts to N by N), or for a list that only grows.",
    CRASHED: "The Python process that ran your code ended before it could answer, without an "
    "exception. Look for a call that leaves Python, such as exit(), or that ends or damages "
    "the process.",
    UNGRADABLE: OUR_FAULT,
}
"""What a state means, for a student who never saw a grader."""


@dataclass(frozen=True)
class Marks:
    """Marks as the page shows them: `earned` large, `rest` small beside it.

    `percent` is the length of the bar, None where there is none; `remark` is a sentence below.
    """

    earned: str
    rest: str
    percent: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class CheckView:
    """One check as the page shows it; `worth` is blank where the question has no marks."""

    state: str
    sign: str
    word: str
    title: str
    worth: str
    explanation: str
    message: str
    hint: str


@dataclass(frozen=True)
class QuestionView:
    """One question as the page shows it; `passed` are the checks that can be folded away, `people`
    what a person says of it."""

    id: str
    title: str
    marks: Marks
    checks: list[CheckView]
    passed: list[CheckView]
    people: Sequence[str] = ()


@dataclass(frozen=True)
class Final:
    """What a published page says beside the judge: the total, what people say of each question
    (its full id -> texts), and notices about the whole."""

    total: Marks
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notices: Sequence[str] = ()


@dataclass(frozen=True)
class PartView:
    """One part as the page shows it."""

    id: str
    title: str
    marks: Marks
    questions: list[QuestionView]


def write(
    results: Iterable[SubmissionResult],
    assignment: Assignment,
    out: Path,
    roster: Roster = NOBODY,
) -> None:
    """Write `out/feedback/<id>.html` for every result.

    Raises ValueError when two results carry one id, OSError when the folder cannot be written.
    """
    asked = repr(assignment)
    with made(out / "feedback") as write_page:
        for result in in_order(results):
            source = [asked, names(result, roster), to_data(result)]
            name = f"{file_name(result.id)}.html"
            write_page(name, source, partial(page, result, assignment, roster))


def page(
    result: SubmissionResult,
    assignment: Assignment,
    roster: Roster = NOBODY,
    final: Final | None = None,
) -> str:
    """The page of one student as HTML. A withheld submission's says why, and shows no marks.

    With `final` it is what is published: marks that people gave are part of the result.

    It calls them as the roster does, unless all of their parts are anonymous.
    """
    said = content(result, assignment, roster, final)
    # Escaped here: the template would spell out the joiners of some scripts.
    people = Markup(", ").join(Markup("<bdi>{}</bdi>").format(name) for name in said["names"])
    return template("feedback.html").render(**{**said, "names": people})


def content(
    result: SubmissionResult,
    assignment: Assignment,
    roster: Roster = NOBODY,
    final: Final | None = None,
) -> dict[str, Any]:
    """What a page says, however it is set: see `page`. Texts are as they came."""
    if is_anonymous(result, assignment):
        result = without_names(result)
    withheld = is_withheld(result)
    return {
        "assignment": assignment,
        "result": result,
        "names": names(result, roster),
        "withheld": withheld,
        "total": final.total if final else _total(result),
        "notices": tuple(final.notices) if final else (),
        "parts": []
        if withheld
        else part_views(result, assignment, final.people if final else None),
        "flags": [
            FLAGS.get(flag, f"The course staff will look at it: {flag}.") for flag in result.flags
        ],
        "files": result.ignored[:MOST_FILES],
        "unnamed_files": max(0, len(result.ignored) - MOST_FILES),
    }


def is_anonymous(result: SubmissionResult, assignment: Assignment) -> bool:
    """True when every part that was graded is anonymous."""
    graded = {question.question.partition(".")[0] for question in result.questions}
    parts = [part for part in assignment.parts if part.id in graded] or assignment.parts
    return all(part.anonymous for part in parts)


def _total(result: SubmissionResult) -> Marks:
    if status(result) == UNGRADABLE:
        return Marks("Held back", "", remark=OUR_FAULT)
    if not result.questions:
        return Marks(points_text(result.points), f"of {points_text(result.max_points)} points")
    return _sum(result.questions, unit=" points")


def part_views(
    result: SubmissionResult,
    assignment: Assignment,
    people: Mapping[str, Sequence[str]] | None = None,
) -> list[PartView]:
    """What the page shows of every part that was graded; `people`: see Final."""
    said = people or {}
    titles = {check.check: check.title for q in result.questions for check in q.checks}
    titles |= {q.question: q.title for q in result.questions}
    views = []
    for part in assignment.parts:
        questions = [q for q in result.questions if q.question.partition(".")[0] == part.id]
        if questions:
            views.append(
                PartView(
                    id=part.id,
                    title=part.title,
                    marks=_sum(questions),
                    questions=[
                        replace(_question(one, titles), people=said.get(one.question, ()))
                        for one in questions
                    ],
                )
            )
    return views


def _sum(questions: Sequence[QuestionResult], unit: str = "") -> Marks:
    """Add up marks. Bonus, and what a person has yet to mark, stand in the remark alone."""
    code = [q for q in questions if q.kind == "code" or (q.kind == MANUAL and q.points is not None)]
    bonus = [q for q in questions if q.kind == "bonus"]
    by_hand = sum(q.max_points for q in questions if q.kind == MANUAL and q.points is None)
    remarks = []
    if bonus:
        both = _marks([*code, *bonus])
        together = "" if both.percent is None else f", together {both.earned}"
        remarks.append(f"Bonus on top: {_marks(bonus).earned} {_marks(bonus).rest}{together}.")
    if by_hand:
        points = "1 point is" if by_hand == 1 else f"{points_text(by_hand)} points are"
        remarks.append(f"Another {points} marked by hand and not counted here.")
    marks = _marks(code)
    return replace(marks, rest=marks.rest + unit, remark=" ".join(remarks))


def _marks(questions: Sequence[QuestionResult]) -> Marks:
    """`earned of max`, held back while one of the questions is open."""
    most = sum(question.max_points for question in questions)
    marks = [mark(question) for question in questions]
    known = [points for points in marks if points is not None]
    rest = f"of {points_text(most)}"
    if len(known) < len(marks):
        return Marks("Held back", rest)
    percent = round(100 * min(max(sum(known) / most, 0), 1)) if most else None
    return Marks(points_text(sum(known)), rest, percent)


def _question(question: QuestionResult, titles: dict[str, str]) -> QuestionView:
    # Two questions may have checks of one name; a check waits for the nearer one.
    titles = titles | {check.check: check.title for check in question.checks}
    checks = [_check(check, question, titles) for check in question.checks]
    # What has nothing more to say than that it passed is folded away.
    passed = [check for check in checks if check.state == PASS and not check.message]
    return QuestionView(
        id=question.question,
        title=question.title,
        marks=_question_marks(question),
        checks=[check for check in checks if check not in passed],
        passed=passed,
    )


def _question_marks(question: QuestionResult) -> Marks:
    if question.kind == "info":
        return Marks("", "no marks", remark=OUR_FAULT if question.state == UNGRADABLE else "")
    if question.state == UNGRADABLE:
        return replace(_marks([question]), remark=OUR_FAULT)
    if question.kind == MANUAL and question.points is None:
        return replace(_marks([question]), earned="By hand", remark=BY_HAND)
    marks = _marks([question])
    return replace(marks, rest=f"{marks.rest} bonus") if question.kind == "bonus" else marks


def _check(check: CheckResult, question: QuestionResult, titles: dict[str, str]) -> CheckView:
    state = check.state
    if state in (PASS, FAIL) and 0 < check.fraction < 1:
        state = "partial"
    sign, word = WORDS[state]
    explanation = EXPLANATIONS.get(state, "")
    if state == SKIPPED:
        explanation = _waiting(check.waits_for, titles)
    if state == question.state == UNGRADABLE:
        explanation = ""  # said once, for the whole question
    return CheckView(
        state=state,
        sign=sign,
        word=word,
        title=check.title,
        worth=_worth(check, question),
        explanation=explanation,
        # The message of an ungradable check is about our code, and for the staff.
        message="" if state == UNGRADABLE else check.message.rstrip().lstrip("\n"),
        hint=check.hint.strip(),
    )


def _waiting(waits_for: str, titles: dict[str, str]) -> str:
    if not waits_for:
        return "It builds on a check that did not pass, so it was not run."
    title = titles.get(waits_for)
    named = f"“{title}” ({waits_for})" if title else waits_for
    return f"It builds on this check, which did not pass: {named}"


def _worth(check: CheckResult, question: QuestionResult) -> str:
    """What the check earned of its share of the question's points."""
    weight = sum(other.share for other in question.checks)
    if mark(question) is None or not is_marked(question) or not weight or not check.share:
        return ""
    most = question.max_points * check.share / weight
    return f"{points_text(most * check.fraction)} of {points_text(most)}"


def without_names(result: SubmissionResult) -> SubmissionResult:
    """The result without its members, and without their names in texts that are not ours.

    Notes go as a whole: they may name others too, and the flags say what matters.
    """
    hide = hiding(name for name in result.members if name != result.id)
    result = replace(result, members=(), notes=())
    questions = tuple(
        replace(q, checks=tuple(replace(c, message=hide(c.message)) for c in q.checks))
        for q in result.questions
    )
    return replace(
        result, questions=questions, ignored=tuple(hide(name) for name in result.ignored)
    )


def hiding(names: Iterable[str]) -> Callable[[str], str]:
    """What puts `[name]` wherever one of these names stands as a word of its own."""
    # Longest first, so that no name is cut by another that it begins with.
    either = "|".join(re.escape(name) for name in sorted({*names} - {""}, key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)
    return (lambda text: pattern.sub("[name]", text)) if either else (lambda text: text)
