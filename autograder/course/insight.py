"""What a class's results say to its teacher: figures, no page and no names.

Everything is read from the results that `grade` wrote; nothing of a student runs here, and their
code is read line by line for an example, never parsed.
"""

from __future__ import annotations

import ast
import math
import re
import statistics
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.assignment import Assignment, Part
from autograder.checking.modules import ROOT
from autograder.export.feedback import hiding
from autograder.export.shared import file_name, flags, is_marked, mark, total
from autograder.parts import all_mistakes
from autograder.results import (
    ABNORMAL,
    PASS,
    SKIPPED,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
)
from hw5_written import Module

NOT_GRADED = ("empty", "refused")
"""Flags of a submission that is in no figure: nothing was in it, or it came too late to count."""

UNWRITTEN = re.compile(r"This is not implemented yet\.|\S+\.py was not handed in\.")
"""What the judge says of code that is not there."""

LOOKS_LIKE = "It looks like this: "

FEW = 5
"""With fewer submissions nothing is said of a check, or of how questions tell them apart."""

SURE = 3.0
"""Standard errors before a difference counts."""

MOST_MISTAKES, MOST_ON_MONDAY, MOST_LINES = 15, 4, 30

SHOWN, NOT_SHOWN, NOT_KNOWN = "shown", "not shown", "not known"
"""Would the visible check of the question have told of a mistake?"""


@dataclass(frozen=True)
class Suspect:
    """A check that looks broken: why, what it says, and whom to look at (ids, for the staff)."""

    check: str
    title: str
    why: str
    said: str
    ids: tuple[str, ...]


@dataclass(frozen=True)
class QuestionFigures:
    """One question in numbers: how many earned everything, something, nothing, wrote nothing.

    `ease` is the mean share of its points, `tells` the correlation with the points of all other
    questions (None where it cannot be told).
    """

    question: str
    title: str
    kind: str
    points: float
    full: int
    partly: int
    nothing: int
    unwritten: int
    ease: float
    tells: float | None

    @property
    def count(self) -> int:
        """How many were graded on it."""
        return self.full + self.partly + self.nothing + self.unwritten


@dataclass(frozen=True)
class PartFigures:
    """One part: the shares of its points that submissions earned, and its questions."""

    id: str
    title: str
    points: float
    shares: tuple[float, ...]
    questions: tuple[QuestionFigures, ...]

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """A quarter, half and three quarters of the class are below."""
        return _quartiles(self.shares)


@dataclass(frozen=True)
class MistakeFigures:
    """One mistake: `count` of `tried` submissions made it; `text` says it as the student reads it.

    `known`: it is one of the catalogue's; then `visible` says whether a visible check shows it to
    whoever runs it, and `unseen` what that check leaves to the hidden ones. `check`, `said` and
    `code` are an example, without names.
    """

    question: str
    title: str
    check: str
    text: str
    known: bool
    count: int
    tried: int
    said: str
    code: str
    visible: str
    unseen: str


@dataclass(frozen=True)
class Monday:
    """A question to teach again: how many of those who wrote it lost points, and by what."""

    question: QuestionFigures
    lost: int
    wrote: int
    mistakes: tuple[MistakeFigures, ...]


@dataclass(frozen=True)
class Insight:
    """The whole class.

    Known mistakes were made `known` times in all, `shown` of them such that a visible check shows.
    """

    submissions: int
    graded: int
    shares: tuple[float, ...]
    points: tuple[float, ...]
    most: float
    suspects: tuple[Suspect, ...]
    parts: tuple[PartFigures, ...]
    mistakes: tuple[MistakeFigures, ...]
    known: int
    shown: int
    monday: tuple[Monday, ...]
    flags: tuple[tuple[str, int], ...]
    attempts: tuple[tuple[int, int], ...]
    stopped: tuple[tuple[str, str, str, int], ...]

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Of the points."""
        return _quartiles(self.points)


def look(
    results: Sequence[SubmissionResult], assignment: Assignment, marks: Path | None = None
) -> Insight:
    """All that can be said of a class. With its folder of MARKS, examples have code."""
    graded = [one for one in results if not set(one.flags) & {*NOT_GRADED}]
    totals = [(one, points) for one in graded if (points := total(one)) is not None]
    questions = _questions(graded, assignment)
    suspects = tuple(_suspects(graded))
    broken = {one.check for one in suspects}
    mistakes = [one for one in _mistakes(graded, marks) if one.known or one.check not in broken]
    return Insight(
        submissions=len(results),
        graded=len(graded),
        shares=tuple(points / one.max_points for one, points in totals if one.max_points),
        points=tuple(points for _, points in totals),
        most=max((one.max_points for one in graded), default=0.0),
        suspects=suspects,
        parts=tuple(
            PartFigures(
                part.id,
                part.title,
                sum(one.points for one in own if one.kind == "code"),
                tuple(_part_shares(part, graded)),
                own,
            )
            for part in assignment.parts
            if (own := tuple(q for q in questions if q.question in part.full_ids()))
        ),
        mistakes=tuple(mistakes[:MOST_MISTAKES]),
        known=sum(one.count for one in mistakes if one.visible != NOT_KNOWN),
        shown=sum(one.count for one in mistakes if one.visible == SHOWN),
        monday=tuple(_monday(questions, mistakes, suspects)),
        flags=tuple(Counter(flag for one in results for flag in flags(one)).most_common()),
        attempts=tuple(sorted(Counter(one.attempts for one in results).items())),
        stopped=tuple(_stopped(graded)),
    )


# --- questions and parts


def _share(question: QuestionResult) -> float | None:
    points = mark(question)
    if points is None or not is_marked(question) or not question.max_points:
        return None
    return points / question.max_points


def _is_unwritten(question: QuestionResult) -> bool:
    """Nothing earned, because the code is not there: nobody can be mistaken in it."""
    said = [c for c in question.checks if c.state not in (PASS, SKIPPED)]
    waiting = bool(question.checks) and all(c.state == SKIPPED for c in question.checks)
    return not question.points and (waiting or any(UNWRITTEN.search(c.message) for c in said))


def _rest(result: SubmissionResult, without: str) -> float | None:
    """The share of its points that a submission earned in all other questions."""
    others = [
        (points, q.max_points)
        for q in result.questions
        if q.kind == "code" and q.question != without and (points := mark(q)) is not None
    ]
    most = sum(most for _, most in others)
    return sum(points for points, _ in others) / most if most else None


def _questions(graded: Sequence[SubmissionResult], assignment: Assignment) -> list[QuestionFigures]:
    found = []
    for full_id in (full_id for part in assignment.parts for full_id in part.full_ids()):
        answers = [(r, q, s) for r, q in _answers(graded, full_id) if (s := _share(q)) is not None]
        if not answers:
            continue
        unwritten = sum(_is_unwritten(q) for _, q, _ in answers)
        full = sum(share >= 1 for _, _, share in answers)
        partly = sum(0 < share < 1 for _, _, share in answers)
        pairs = [(s, rest) for r, _, s in answers if (rest := _rest(r, full_id)) is not None]
        found.append(
            QuestionFigures(
                full_id,
                answers[0][1].title,
                answers[0][1].kind,
                answers[0][1].max_points,
                full,
                partly,
                len(answers) - full - partly - unwritten,
                unwritten,
                statistics.fmean(share for _, _, share in answers),
                _correlation(pairs),
            )
        )
    return found


def _answers(
    graded: Iterable[SubmissionResult], full_id: str
) -> Iterable[tuple[SubmissionResult, QuestionResult]]:
    return ((r, q) for r in graded for q in r.questions if q.question == full_id)


def _of_part(result: SubmissionResult, part: Part) -> list[QuestionResult]:
    ids = set(part.full_ids())
    return [q for q in result.questions if q.question in ids and is_marked(q)]


def _part_shares(part: Part, graded: Iterable[SubmissionResult]) -> Iterable[float]:
    """Bonus questions count neither here nor there."""
    for result in graded:
        own = [q for q in _of_part(result, part) if q.kind == "code"]
        marks = [points for q in own if (points := mark(q)) is not None]
        most = sum(q.max_points for q in own)
        if most and len(marks) == len(own):
            yield sum(marks) / most


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's, None where it says nothing."""
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    if len(pairs) < 2 * FEW or len(set(xs)) < 2 or len(set(ys)) < 2:
        return None
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    both = sum((x - mx) * (y - my) for x, y in pairs)
    return both / math.sqrt(sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys))


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) < 2:
        return (values[0],) * 3 if values else (0.0,) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


# --- checks that look broken


def _suspects(graded: Sequence[SubmissionResult]) -> Iterable[Suspect]:
    """Checks that we should look at before anybody believes them, the surest first."""
    tried: dict[str, list[tuple[SubmissionResult, CheckResult]]] = defaultdict(list)
    ours: dict[str, list[tuple[SubmissionResult, CheckResult]]] = defaultdict(list)
    for result in graded:
        for question in result.questions:
            for one in question.checks:
                if one.state == UNGRADABLE:
                    ours[one.check].append((result, one))
                elif one.state != SKIPPED and not UNWRITTEN.search(one.message):
                    tried[one.check].append((result, one))
    for check, ends in ours.items():
        why = f"It failed on our side for {len(ends)} submissions, whose marks are held back."
        yield _suspect(check, why, ends)
    everybody, good = [], []
    for check, ends in tried.items():
        failed = [end for end in ends if end[1].fraction < 1]
        if len(ends) >= FEW and len(failed) == len(ends):
            everybody.append(
                _suspect(check, f"Nobody passes: all {len(ends)} who wrote it fail.", failed)
            )
        elif why := _fails_the_good(ends):
            good.append(_suspect(check, why, failed))
    yield from everybody
    yield from good


def _fails_the_good(ends: Sequence[tuple[SubmissionResult, CheckResult]]) -> str:
    """Why a check looks as if it failed good work; "" where it does not.

    The better half, or the best quarter, is held against the rest. Of checks that say nothing of
    how good a submission is, about one in 300 is named; of those that do, none.
    """
    ranked = [(rest, e) for r, e in ends if (rest := _rest(r, e.question)) is not None]
    ranked.sort(key=lambda pair: -pair[0])
    passes = [end.fraction == 1 for _, end in ranked]
    share = sum(passes) / len(passes) if passes else 0.0
    for name, size in (("better half", len(ranked) // 2), ("best quarter", len(ranked) // 4)):
        best, others = passes[:size], passes[size:]
        if size >= FEW and 0 < share < 1:
            error = math.sqrt(share * (1 - share) * (1 / size + 1 / len(others)))
            if sum(others) / len(others) - sum(best) / size > SURE * error:
                return (
                    f"Good students fail: {sum(best)} of the {name} ({size}) pass it, and "
                    f"{sum(others)} of the other {len(others)}."
                )
    return ""


def _suspect(
    check: str, why: str, failed: Sequence[tuple[SubmissionResult, CheckResult]]
) -> Suspect:
    """With what it says most often, and the best of those to whom it says so."""
    said = Counter(blurred(one.message) for _, one in failed).most_common(1)[0][0]
    alike = [(r, one) for r, one in failed if blurred(one.message) == said]
    alike.sort(key=lambda pair: -(_rest(pair[0], pair[1].question) or 0.0))
    best, one = alike[0]
    ids = tuple(result.id for result, _ in alike[:3])
    return Suspect(check, one.title, why, _nameless(best)(one.message), ids)


# --- mistakes


def blurred(message: str) -> str:
    """The message without its numbers: two students who make one mistake read other ones."""
    return re.sub(r"-?\d[\d.,]*", "…", message.strip())


def _mistakes(graded: Sequence[SubmissionResult], marks: Path | None) -> list[MistakeFigures]:
    """Who was told what, known mistakes and what the checks say by themselves, most made first."""
    known: dict[str, list[str]] = defaultdict(list)
    for mistake in all_mistakes():
        known[mistake.question] += [mistake.sentence] if mistake.sentence else []
    made: dict[tuple[str, str], list[tuple[SubmissionResult, CheckResult]]] = defaultdict(list)
    wrote: Counter[str] = Counter()
    named = set()
    for result in graded:
        for question in result.questions:
            if not is_marked(question) or _is_unwritten(question):
                continue
            wrote[question.question] += 1
            told = _told(question, known[question.question])
            named |= {(question.question, text) for text, (_, sure) in told.items() if sure}
            for text, (check, _) in told.items():
                made[question.question, text].append((result, check))
    figures = []
    for (full_id, text), by in made.items():
        result, check = min(by, key=lambda pair: _plainness(pair[0], full_id))
        hide = _nameless(result)
        figures.append(
            MistakeFigures(
                full_id,
                result.question(full_id).title,
                check.check,
                text if (full_id, text) in named else hide(check.message),
                (full_id, text) in named,
                len(by),
                wrote[full_id],
                hide(check.message),
                hide(_code(result, full_id, marks)),
                _visible(full_id, text) if (full_id, text) in named else NOT_KNOWN,
                _visible_checks().get(full_id, ""),
            )
        )
    return sorted(figures, key=lambda one: (-one.count, one.question, one.text))


@cache
def _visible_checks() -> dict[str, str]:
    """part.question -> what its visible check calls unseen. Read, not imported: that needs torch,
    and the kit's folder on the path."""
    tree = ast.parse((ROOT / "hw5_checks.py").read_text(encoding="utf-8"))
    calls = [
        call
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "question"
    ]
    return {
        ast.literal_eval(call.args[0]): ast.literal_eval(word.value)
        for call in calls
        for word in call.keywords
        if word.arg == "unseen"
    }


def _visible(full_id: str, sentence: str) -> str:
    """Whether a visible check shows the mistake, as it is known of our solution with it in.

    Nothing of a student is tried. Of mistakes that share a sentence, some may be shown and others
    not; then it is not known.
    """
    if full_id not in _visible_checks():
        return NOT_SHOWN
    shown = {
        SHOWN if not one.unseen else NOT_SHOWN
        for one in all_mistakes()
        if (one.question, one.sentence) == (full_id, sentence)
    }
    return shown.pop() if len(shown) == 1 else NOT_KNOWN


def _told(
    question: QuestionResult, sentences: Sequence[str]
) -> dict[str, tuple[CheckResult, bool]]:
    """What is said of a question: text -> the check that says it, and whether it is well known.

    Where a known mistake is named, what else is said there follows from it.
    """
    sure: dict[str, tuple[CheckResult, bool]] = {}
    other: dict[str, tuple[CheckResult, bool]] = {}
    for check in question.checks:
        if check.state in (SKIPPED, UNGRADABLE) or not check.message or check.fraction == 1:
            continue
        head, _, named = check.message.partition(LOOKS_LIKE)
        texts = named.split(" And: ") if named else []
        texts += [s for s in sentences if s in head and "looks like one of these" not in head]
        # A sentence that is part of another one that is said is not said.
        texts = [t for t in texts if not any(t != other and t in other for other in texts)]
        for text in texts:
            sure.setdefault(text, (check, True))
        if not texts:
            other.setdefault(blurred(check.message), (check, False))
    return sure or other


def _plainness(result: SubmissionResult, full_id: str) -> tuple[int, float, str]:
    """The plainest example has little else wrong."""
    wrong = sum(check.fraction < 1 for check in result.question(full_id).checks)
    return wrong, -(_rest(result, full_id) or 0.0), result.id


def _code(result: SubmissionResult, full_id: str, marks: Path | None) -> str:
    """What somebody wrote for a question, without its comments, where names may stand."""
    if marks is None:
        return ""
    home = marks / "attempts" / file_name(result.id) / str(result.attempts)
    for path in sorted(home.glob("*.py")):
        module = Module(path.name, path.read_bytes())
        pieces = [module.lines[a + 1 : b] for a, b in module.regions.get(full_id, ())]
        pieces = [[_uncommented(line) for line in piece] for piece in pieces]
        text = "\n\n".join(textwrap.dedent("\n".join(filter(str.strip, p))) for p in pieces)
        lines = text.splitlines()
        more = [f"… {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
        if lines:
            return "\n".join([*lines[:MOST_LINES], *more])
    return ""


def _uncommented(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).rstrip()


def _nameless(result: SubmissionResult) -> Callable[[str], str]:
    return hiding([result.id, *result.members])


# --- what to do about it


def _monday(
    questions: Sequence[QuestionFigures],
    mistakes: Sequence[MistakeFigures],
    suspects: Sequence[Suspect],
) -> list[Monday]:
    """The questions that cost most students points: a fifth or more of those who wrote something.

    What a broken check says is not taught.
    """
    broken = {one.check.rpartition(".")[0] for one in suspects}
    found = []
    for one in questions:
        wrote = one.count - one.unwritten
        lost = wrote - one.full
        if lost and 5 * lost >= wrote and one.question not in broken:
            own = tuple(m for m in mistakes if m.question == one.question)[:3]
            found.append(Monday(one, lost, wrote, own))
    found.sort(key=lambda one: (-one.lost, -one.question.points))
    return found[:MOST_ON_MONDAY]


def _stopped(graded: Iterable[SubmissionResult]) -> list[tuple[str, str, str, int]]:
    """(check, title, how, submissions) for what ran out of time or memory, or ended Python."""
    ends = Counter(
        (check.check, check.title, check.state)
        for result in graded
        for question in result.questions
        for check in question.checks
        if check.state in ABNORMAL
    )
    return [(*what, count) for what, count in ends.most_common(10)]
