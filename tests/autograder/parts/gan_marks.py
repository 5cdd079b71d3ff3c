"""Marks of one hw5_gan.py, run in this process: only for sources written in these tests."""

from __future__ import annotations

import contextlib
import io
from functools import lru_cache

import torch

from autograder.assignment import read_assignment
from autograder.checking.here import LocalCode
from autograder.checking.reference import ROOT, Reference
from autograder.grading.judge import judge
from autograder.parts import all_checks
from autograder.results import QuestionResult

SOURCE = (ROOT / "hw5_gan.py").read_text()
torch.set_num_threads(1)
ASSIGNMENT = read_assignment()


@lru_cache(None)
def reference() -> Reference:
    return Reference()


@lru_cache(None)
def results(source: str, part: str, seed: int = 1) -> dict[str, QuestionResult]:
    """Question id -> result, of the questions that the judge marks."""
    with contextlib.redirect_stdout(io.StringIO()):
        questions = judge(
            {"hw5_gan.py": source.encode()},
            [ASSIGNMENT.part(part)],
            all_checks(ASSIGNMENT),
            reference(),
            LocalCode,
            seed,
        )
    return {
        one.question.split(".")[1]: one for one in questions if one.kind not in ("info", "manual")
    }


def lost(source: str, part: str, seed: int = 1) -> dict[str, float]:
    """Question id -> fraction lost, where any is. Nothing may be ungradable."""
    found = results(source, part, seed)
    assert all(one.points is not None for one in found.values()), messages(found)
    return {
        name: round(1 - (one.points or 0) / one.max_points, 3)
        for name, one in found.items()
        if one.points != one.max_points
    }


def messages(found: dict[str, QuestionResult]) -> str:
    """Everything that the student reads about what went wrong."""
    return "\n".join(
        f"{check.check} [{check.state} {check.fraction:.2f}] {check.message}"
        for one in found.values()
        for check in one.checks
        if check.state != "pass"
    )


def edited(*edits: tuple[str, str]) -> str:
    """The reference with these texts replaced, everywhere they stand."""
    source = SOURCE
    for old, new in edits:
        assert old in source, f"the reference no longer has {old!r}"
        source = source.replace(old, new)
    return source


def with_code(code: str) -> str:
    """The reference with definitions that come later and win."""
    return f"{SOURCE}\n\n{code}\n"
