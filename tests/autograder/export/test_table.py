"""Does the table at the end of `grade` read in 80 columns and in a file?"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from autograder.export import table
from autograder.results import UNGRADABLE


@pytest.fixture
def shown(assignment):
    """Prints the table into a file, 80 columns wide."""

    def lines(results) -> list[str]:
        file = io.StringIO()
        table.show(results, assignment, Console(file=file, width=80, force_terminal=False))
        return [line.rstrip() for line in file.getvalue().splitlines()]

    return lines


def test_a_class_is_a_row_a_submission_with_parts_total_and_remarks(shown, class_of):
    """Is the whole class there at a glance?"""
    assert shown(reversed(class_of)) == [
        "            fc-    fc-",
        "            vae    gan  total",
        "id        of 10   of 3  of 13  remarks",
        "─" * 51,
        "ada          10      7     17",
        "ben           8      7     15",
        "cleo         10      7         conflict",
        "dan                  7         ungradable",
        "eve                         0  empty",
        "fay           8      7     15  late, group, timeout",
        "",
        "6 submissions, 1 ungradable, 1 withheld; total: mean 11.75, median 15",
        "ungradable: dan fc-vae.loss: the reference raised KeyError: 'mu'",
    ]


def test_a_piped_table_has_no_colours_and_no_wide_line(shown, class_of, hostile):
    """Can it be kept in a log?"""
    for line in shown([*class_of, *hostile]):
        assert len(line) <= 80
        assert line.isprintable()


def test_seven_parts_leave_room_for_ids_and_remarks(assignment, full):
    """Is a flag readable when the whole coursework is graded?"""
    one = assignment.parts[0]
    parts = [replace(one, id=f"conditional-part-{n}") for n in range(7)]
    questions = [
        replace(q, question=q.question.replace("fc-vae", part.id), points=12.25, max_points=37.5)
        for part in parts
        for q in full.questions
        if q.question == "fc-vae.loss"
    ]
    result = replace(
        full, questions=tuple(questions), points=85.75, max_points=262.5, flags=("conflict",)
    )
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=False)
    table.show([result], replace(assignment, parts=tuple(parts)), console)
    row = next(line for line in file.getvalue().splitlines() if line.startswith("ada"))
    assert row.split() == ["ada", *["12.25"] * 7, "conflict"]


def test_what_looks_like_markup_in_an_id_is_shown(shown, full):
    """Can an id not colour or hide its row?"""
    assert any("[red]ada[/]" in line for line in shown([replace(full, id="[red]ada[/]")]))


def test_several_ends_of_one_kind_are_counted(shown, full):
    """Does a hanging submission stand out?"""
    ended = [
        replace(q, checks=tuple(replace(c, state="timeout") for c in q.checks))
        for q in full.questions
    ]
    assert "6 timeout" in "\n".join(shown([replace(full, questions=tuple(ended))]))


def test_a_class_without_totals_has_no_mean(shown, ended_as):
    """Is a mean of nothing not printed?"""
    lines = shown([ended_as(UNGRADABLE)])
    assert "1 submission, none with a total, 1 ungradable" in lines
    assert lines[-1] == "ungradable: ben fc-vae.loss: no reason was recorded"


def test_no_submissions_are_said_to_be_none(shown):
    """Does an empty class not crash the end of a run?"""
    assert shown([])[-1] == "0 submissions, none with a total"
