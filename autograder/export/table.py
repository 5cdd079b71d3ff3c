"""The table at the end of `grade`: the class at a glance, in 80 columns."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.assignment import Assignment, Part
from autograder.export.shared import (
    OK,
    flags,
    harmless,
    in_order,
    is_marked,
    mark,
    points_text,
    status,
    total,
)
from autograder.results import ABNORMAL, MANUAL, PASS, UNGRADABLE, QuestionResult, SubmissionResult

LONGEST_ID = 64
"""Characters of an id that are printed."""

LONGEST_REASON = 200
"""Characters of one reason that are printed; results.json has it in full."""


def show(results: Iterable[SubmissionResult], assignment: Assignment, console: Console) -> None:
    """Print a row a submission, sorted by id; then mean and median, then why marks are open.

    Points per part and in all include bonus. An open mark is a blank. The layout depends on the
    console's width alone, so a piped table has no colours and is the same on every run.
    Raises ValueError when two results carry one id.
    """
    ordered = in_order(results)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("id", overflow="fold", min_width=8, vertical="bottom")
    columns = []
    for part in assignment.parts:
        if most := _most(part, ordered):
            columns.append([points_text(_part_points(part, result)) for result in ordered])
            _add_points_column(table, part.id.replace("-", "-\n"), most, columns[-1])
    columns.append([points_text(total(result)) for result in ordered])
    _add_points_column(table, "total", _most_in_all(ordered), columns[-1])
    table.add_column("remarks", overflow="fold", min_width=10, vertical="bottom")
    for result, *marks in zip(ordered, *columns, strict=True):
        row = [harmless(result.id[:LONGEST_ID]), *marks, _remarks(result)]
        # Text, not str: what looks like markup in an id is shown, not obeyed.
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    console.print()
    console.print(Text(_summary(ordered)))
    for reason in _reasons(ordered):
        console.print(Text(reason))


def _add_points_column(table: Table, name: str, most: float, cells: list[str]) -> None:
    """A column no wider than its marks, so that seven parts leave room for the remarks."""
    width = max(5, *(len(cell) for cell in [points_text(most), *cells]))
    heading = Text(f"{name}\nof {points_text(most)}", overflow="fold")
    table.add_column(heading, justify="right", width=width, vertical="bottom")


def _most(part: Part, results: list[SubmissionResult]) -> float:
    """Points that the judge can give for a part, bonus aside; 0 when it was not graded."""
    ids = set(part.full_ids())
    sums = [
        sum(q.max_points for q in result.questions if q.question in ids and q.kind == "code")
        for result in results
    ]
    return max(sums, default=0.0)


def _most_in_all(results: list[SubmissionResult]) -> float:
    return max((result.max_points for result in results), default=0.0)


def _part_points(part: Part, result: SubmissionResult) -> float | None:
    ids = set(part.full_ids())
    marks = [mark(q) for q in result.questions if q.question in ids and is_marked(q)]
    known = [points for points in marks if points is not None]
    return sum(known) if marks and len(known) == len(marks) else None


def _remarks(result: SubmissionResult) -> str:
    """Flags, then how often which check ended abnormally: `late, timeout, 2 crashed`."""
    ends = Counter(check.state for question in result.questions for check in question.checks)
    counted = [(ends[state], state) for state in ABNORMAL if ends[state]]
    remarks = [*flags(result), *(state if n == 1 else f"{n} {state}" for n, state in counted)]
    if status(result) == UNGRADABLE:
        remarks.append(UNGRADABLE)
    return harmless(", ".join(remarks))


def _summary(results: list[SubmissionResult]) -> str:
    totals = [points for result in results if (points := total(result)) is not None]
    count = f"{len(results)} submission{'' if len(results) == 1 else 's'}"
    others = Counter(status(result) for result in results)
    without = "".join(f", {n} {name}" for name, n in sorted(others.items()) if name != OK)
    if not totals:
        return f"{count}, none with a total{without}"
    mean, median = statistics.fmean(totals), statistics.median(totals)
    return f"{count}{without}; total: mean {points_text(mean)}, median {points_text(median)}"


def _reasons(results: list[SubmissionResult]) -> list[str]:
    """A line for every question that we could not grade, for whoever has to repair it."""
    lines = []
    for result in results:
        for question in result.questions:
            if question.state == UNGRADABLE:
                messages = [c.message for c in question.checks if c.state == UNGRADABLE]
                reason = " ".join(" ".join(messages).split()) or "no reason was recorded"
                if len(reason) > LONGEST_REASON:
                    reason = f"{reason[:LONGEST_REASON]} ..."
                where = f"{result.id[:LONGEST_ID]} {question.question}"
                lines.append(harmless(f"ungradable: {where}: {reason}"))
    return lines


def show_one(result: SubmissionResult, assignment: Assignment, console: Console) -> None:
    """Print every question of one submission with its checks, as `check` does."""
    for part in assignment.parts:
        questions = [q for q in result.questions if q.question in part.full_ids()]
        if questions:
            console.print(Text(f"\n{part.title} ({part.id})", style="bold"))
        for question in questions:
            _show_question(question, console)
    console.print()
    for note in result.notes:
        console.print(Text(harmless(note)))
    if marked := flags(result):
        console.print(Text(f"flags: {', '.join(marked)}"))
    if result.ignored:
        console.print(Text(f"not taken: {harmless(', '.join(result.ignored))}"))
    points = total(result)
    earned = "held back" if points is None else points_text(points)
    console.print(Text(f"{result.id}: {earned} of {points_text(result.max_points)}", style="bold"))
    console.print(Text(f"seed {result.seed}; protected by: {', '.join(result.layers)}"))


def _show_question(question: QuestionResult, console: Console) -> None:
    points = mark(question)
    if question.state == MANUAL:
        earned = f"by hand, of {points_text(question.max_points)}"
    elif not question.max_points:
        earned = question.state
    else:
        known = "held back" if points is None else points_text(points)
        earned = f"{known} of {points_text(question.max_points)}"
    console.print(Text(f"  {question.question}: {earned}  {question.title}"))
    for check in question.checks:
        style = "green" if check.state == PASS else "red"
        console.print(Text(f"    {check.state:8} {check.title}", style=style))
        waits = f"It waits for: {check.waits_for}" if check.waits_for else ""
        for line in (check.message, waits, check.hint):
            if line:
                console.print(Text(f"             {harmless(line)}"))
