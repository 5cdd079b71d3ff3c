"""A class of submissions in which every state and every nasty string occurs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from autograder.assignment import Assignment, Part, Question
from autograder.results import (
    MANUAL,
    PASS,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
    SubmissionResult,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><a href=javascript:alert(1) onclick=alert(1)>x</a>",
    "</style></pre><link rel=stylesheet href=//evil.example>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- --><![CDATA[ <svg onload=alert(1)> ]]>",
    '=HYPERLINK("http://evil.example","x")',
    "nul\x00 bell\x07 escape\x1b[31m",
    "left\u202egnp.exe \u2066isolate",
    "lone \ud800 surrogate",
    "x" * 10_000,
)


def check(
    name: str, question: str, state: str = PASS, fraction: float | None = None, **more: object
) -> CheckResult:
    """A check; it earned everything when it passed, nothing otherwise, unless told."""
    if fraction is None:
        fraction = float(state == PASS)
    shown = {"share": 1.0, "title": f"{name} is right.", **more}
    return CheckResult(name, question, state, fraction, **shown)  # type: ignore[arg-type]


def question(
    full_id: str, points: float | None, most: float, *checks: CheckResult, **more: str
) -> QuestionResult:
    """A question; a coded one unless told."""
    state = checks[0].state if checks else PASS
    shown = {"title": f"Title of {full_id}", "kind": "code", "state": state, **more}
    return QuestionResult(full_id, points=points, max_points=most, checks=checks, **shown)


def submission(name: str, *questions: QuestionResult, **more: object) -> SubmissionResult:
    """A submission whose total follows from its questions."""
    marks = [q.points for q in questions if q.kind in ("code", "bonus")]
    points = None if None in marks else sum(mark for mark in marks if mark is not None)
    most = sum(q.max_points for q in questions if q.kind == "code")
    shown = {"members": (name,), "points": points, "max_points": most, **more}
    return SubmissionResult(name, questions=questions, **shown)  # type: ignore[arg-type]


@pytest.fixture
def assignment() -> Assignment:
    """Two parts, with a question of every kind."""
    vae = Part(
        "fc-vae",
        "Fully connected VAE",
        "hw5_vae",
        14,
        (
            Question("import", "hw5_vae.py can be loaded", 0, "info"),
            Question("networks", "Encoder and decoder", 8, "code"),
            Question("loss", "Negative evidence lower bound", 2, "code"),
            Question("figures", "Figures", 4, "manual"),
        ),
    )
    gan = Part(
        "fc-gan",
        "Fully connected GAN",
        "hw5_gan",
        3,
        (
            Question("noise", "Uniform noise", 3, "code"),
            Question("least_squares", "Least-squares losses", 4, "bonus"),
        ),
    )
    return Assignment("hw5", "Generative models", None, "flag", 2, False, ("*.py",), (vae, gan))


@pytest.fixture
def full() -> SubmissionResult:
    """Everything right, bonus included; the figures wait for a person."""
    return submission(
        "ada",
        question("fc-vae.import", 0, 0, check("loads", "fc-vae.import"), kind="info"),
        question(
            "fc-vae.networks",
            8,
            8,
            check("encoder", "fc-vae.networks"),
            check("decoder", "fc-vae.networks"),
        ),
        question("fc-vae.loss", 2, 2, check("bound", "fc-vae.loss")),
        question("fc-vae.figures", None, 4, kind=MANUAL, state=MANUAL),
        question("fc-gan.noise", 3, 3, check("range", "fc-gan.noise")),
        question("fc-gan.least_squares", 4, 4, check("ls", "fc-gan.least_squares"), kind="bonus"),
        seed=2024,
    )


@pytest.fixture
def ended_as(full: SubmissionResult) -> Callable[..., SubmissionResult]:
    """Makes a submission whose `fc-vae.loss` has one check that ended in the given state."""

    def make(state: str, name: str = "ben", **more: object) -> SubmissionResult:
        points = None if state == UNGRADABLE else 2.0 * (state == PASS)
        changed = question(
            "fc-vae.loss", points, 2, check("bound", "fc-vae.loss", state, **more), state=state
        )
        questions = [changed if q.question == "fc-vae.loss" else q for q in full.questions]
        return submission(name, *questions)

    return make


@pytest.fixture
def hostile() -> list[SubmissionResult]:
    """Submissions that carry every nasty string wherever a student's text can get."""
    return [
        submission(
            text,
            question(
                "fc-vae.loss",
                0,
                2,
                check("bound", "fc-vae.loss", "error", message=text, hint=text, title=text),
                check("sign", "fc-vae.loss", "skipped", waits_for=text),
            ),
            members=(text, f"{text}2"),
            flags=(text,),
            notes=(text,),
            ignored=(text,),
            submitted=text,
        )
        for text in HOSTILE
    ]


@pytest.fixture
def class_of(
    full: SubmissionResult, ended_as: Callable[..., SubmissionResult]
) -> list[SubmissionResult]:
    """A small class: full marks, a failure, one withheld, one ungradable, one empty, a group."""
    return [
        full,
        ended_as("fail", "ben", message="The sign of the KL term is flipped."),
        replace(ended_as("pass", "cleo"), flags=("conflict",)),
        ended_as(UNGRADABLE, "dan", message="the reference raised KeyError: 'mu'"),
        submission("eve", flags=("empty",), points=0.0, max_points=13.0),
        replace(ended_as("timeout", "fay"), members=("fay", "gus"), flags=("late", "group")),
    ]
