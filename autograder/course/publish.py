"""One result a student: the judge's marks, people's, what was decided, and what came too late.

`join` only reads; what was published is remembered by `memory`, and how it looks is feedback's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from autograder import lateness
from autograder.assignment import Assignment
from autograder.course.marks import CourseError
from autograder.course.overrides import LATE, TOTAL, WITHHELD, Override, is_called
from autograder.export.feedback import FLAGS, Final, Marks, hiding
from autograder.export.shared import (
    mark,
    names,
    points_text,
)
from autograder.gradebook.given import Given, Student
from autograder.intake.platforms import safe_id
from autograder.results import (
    FAIL,
    MANUAL,
    UNGRADABLE,
    VANISHED,
    WITHHOLDING_FLAGS,
    QuestionResult,
    SubmissionResult,
    is_withheld,
)
from autograder.roster import Roster

FINAL, HELD, MISSING = "final", "held back", "missing"


@dataclass(frozen=True)
class Row:
    """What one student gets.

    `result` has all marks in it, whoever gave them; `late` is 0 or less, and `why_late` the rule
    that says so; `total` is None while something in `held` (what is still to be done, by name)
    holds it back. `people` and `notices` are what a person said, for the page.
    """

    id: str
    name: str
    section: str
    result: SubmissionResult
    late: float
    total: float | None
    held: tuple[str, ...]
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    why_late: str = ""

    @property
    def most(self) -> float:
        """What can be had, without a bonus."""
        return sum(q.max_points for q in self.result.questions if q.kind in ("code", MANUAL))

    @property
    def state(self) -> str:
        return FINAL if self.total is not None else HELD

    @property
    def final(self) -> Final:
        """What the page says beside the judge."""
        rest = f"of {points_text(self.most)} points"
        if self.total is None:
            still = "; ".join(self.held)
            marks = Marks("Held back", rest, remark=f"Before there is a total: {still}.")
        else:
            percent = round(100 * min(self.total / self.most, 1)) if self.most else None
            remark = lateness.taken_off(-self.late, self.why_late) if self.late else ""
            marks = Marks(points_text(self.total), rest, percent, remark=remark)
        return Final(marks, self.people, self.notices)


def join(
    results: Sequence[SubmissionResult],
    roster: Roster,
    given: Mapping[str, Student],
    overrides: Sequence[Override],
    assignment: Assignment,
) -> tuple[list[Row], list[str]]:
    """A row for each student, sorted by id; and the submissions that are set aside, in sentences.

    What is late is judged anew, by the rule and the extensions of today. Work that is not there any
    more counts only for whom there is no other. Raises CourseError when two submissions would count
    for one student.
    """
    given = {safe_id(id): student for id, student in given.items()}
    verdicts = {one.id: lateness.judge_again(one, assignment, roster) for one in results}
    results = [_on_time_or_not(one, verdicts[one.id]) for one in results]
    counting = [one for one in results if _counts(one, overrides, roster)]
    there = [one for one in counting if VANISHED not in one.flags]
    counting = [one for one in counting if one in there or not _is_one_of(one, there)]
    owners = Counter(member for one in counting for member in _members(one))
    for member, count in owners.items():
        if count > 1:
            both = ", ".join(one.id for one in counting if member in _members(one))
            raise CourseError(
                f"{member} has {count} submissions that count: {both}. Let one of them count, by "
                f"its own id: python -m autograder override MARKS ID {WITHHELD} --reason ..."
            )
    students = {member: one for one in counting for member in _members(one)}
    claims = Counter(member for one in results for member in _members(one))
    aside = []
    for one in results:
        if one not in counting and _is_one_of(one, counting):
            aside.append(f"{one.id} is set aside: another submission counts for its student.")
        elif one not in counting:
            # It waits under its student's id, but for one that several submissions would have.
            own = _members(one)
            students[own[0] if len(own) == 1 and claims[own[0]] == 1 else one.id] = one
    everybody = {name for one in results for name in (one.id, *one.members)}
    everybody |= {key for person in roster.of(sorted(everybody)) for key in person.keys}
    prices = {id: partial(lateness.price, assignment, one.by) for id, one in verdicts.items()}
    prices = prices if assignment.penalty else {}
    rows = [
        _row(id, one, roster, _of(given, id, one), overrides, everybody, prices.get(one.id))
        for id, one in sorted(students.items())
    ]
    return rows, aside


def _on_time_or_not(result: SubmissionResult, verdict: lateness.Verdict) -> SubmissionResult:
    """The result with what is said of its time today."""
    rest = [one for one in result.flags if one not in (lateness.LATE, lateness.REFUSED)]
    notes = lateness.without_verdict(result.notes)
    return replace(
        result,
        flags=(*rest, *filter(None, [verdict.flag])),
        notes=(*notes, *filter(None, [verdict.sentence])),
    )


def _members(result: SubmissionResult) -> tuple[str, ...]:
    return result.members or (result.id,)


def _is_one_of(result: SubmissionResult, others: Iterable[SubmissionResult]) -> bool:
    """Does it have a student, or a name, that one of these has?"""
    names = {name.lower() for one in others for name in _members(one)}
    return any(name.lower() in names for name in (result.id, *_members(result)))


def _counts(result: SubmissionResult, overrides: Iterable[Override], roster: Roster) -> bool:
    """Nothing withholds it, or somebody decided that it counts all the same."""
    decided = (o for o in overrides if o.question in (WITHHELD, TOTAL))
    return not is_withheld(result) or any(is_called(o.student, result, roster) for o in decided)


def _of(given: Mapping[str, Student], id: str, result: SubmissionResult) -> Student:
    """What the gradebook has of a student, under whichever name it was entered."""
    return next((given[name] for name in (id, result.id) if name in given), Student())


def _row(
    id: str,
    result: SubmissionResult,
    roster: Roster,
    given: Student,
    overrides: Sequence[Override],
    everybody: set[str],
    price: Callable[[float], tuple[float, str]] | None,
) -> Row:
    """`price`: what the rule for late work takes off points, and why; None where there is none."""
    person = roster.find(id)
    own = {
        o.question: o
        for o in overrides
        if o.student.lower() in (id.lower(), result.id.lower())
        or (person is not None and roster.find(o.student) is person)
    }
    people: dict[str, list[str]] = {}
    questions = []
    for question in result.questions:
        one, said = _merged(
            question, given.questions.get(question.question), own.get(question.question)
        )
        questions.append(one)
        people |= {question.question: said} if said else {}
    own_names = {key for one in roster.of(_members(result)) for key in one.keys}
    hide = hiding(everybody - {id, result.id, *result.members} - own_names)
    notices = [f"Decided by the course staff: {o.reason}" for o in (own.get(WITHHELD),) if o]
    flags = set(result.flags)
    if WITHHELD in own or TOTAL in own:
        flags -= {*WITHHOLDING_FLAGS}
    marks = [q.points for q in questions if q.points is not None]
    # Where the course has no rule of ours, what nbgrader's own takes counts.
    taken, why = price(sum(marks)) if price else (given.penalty, "")
    late = -taken
    if LATE in own:
        late, why = own[LATE].points or 0.0, ""
        notices.append(f"Decided about being late: {own[LATE].reason}")
    merged = replace(
        result,
        id=id,
        questions=tuple(questions),
        flags=tuple(flag for flag in result.flags if flag in flags),
        # A note may quote what others wrote into their netid files.
        notes=tuple(hide(note) for note in result.notes) if WITHHELD not in own else (),
    )
    held = tuple(_held(merged))
    total: float | None = None if held else round(max(0.0, sum(marks) + late), 4)
    if TOTAL in own:
        total, held, late, why = own[TOTAL].points, (), 0.0, ""
        notices.append(f"The total was set by the course staff: {own[TOTAL].reason}")
    shown = "; ".join(names(replace(result, members=(id,)), roster))
    section = person.section if person else ""
    return Row(id, shown, section, merged, late, total, held, people, tuple(notices), why)


def _merged(
    question: QuestionResult, given: Given | None, override: Override | None
) -> tuple[QuestionResult, list[str]]:
    """A question with the mark that counts, and what people say of it."""
    points, judged, said = mark(question), mark(question), []
    if given and (question.kind == MANUAL or given.by_hand):
        points = _scaled(given, question.max_points)
        if override and points == override.points:
            points = judged  # it is this decision, which `fill` has taken back to nbgrader
        elif question.kind != MANUAL and points is not None and points != judged:
            said.append(f"Marked by a person, instead of {points_text(judged) or 'no mark'}.")
    if override:
        instead = f", instead of {points_text(points)}" if points is not None else ""
        said.append(f"Set to {points_text(override.points)}{instead}: {override.reason}")
        points = override.points
    said += given.comments if given else ()
    # Where a person gave the mark, it does not matter that we could not.
    state = FAIL if question.state == UNGRADABLE and points is not None else question.state
    return replace(question, points=points, state=state), said


def _scaled(given: Given, most: float) -> float | None:
    """The gradebook's points in those of assignment.toml: a release may have scaled them."""
    if given.points is None or not given.most:
        return given.points
    return round(given.points * most / given.most, 4)


def _held(result: SubmissionResult) -> Iterator[str]:
    """What is still to be done before there is a total."""
    if is_withheld(result):
        yield from (FLAGS[f].rstrip(".") for f in result.flags if f in WITHHOLDING_FLAGS)
        return
    for one in result.questions:
        if mark(one) is None and one.max_points:
            how = "to be graded again" if one.state == UNGRADABLE else "to be marked by a person"
            yield f"{one.title} ({one.question}) is {how}"
