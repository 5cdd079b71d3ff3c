"""Marks of one hw5_vae.py, run in this process: only for sources written in these tests."""

from __future__ import annotations

import contextlib
import io
from functools import lru_cache

from autograder.assignment import read_assignment
from autograder.checking.here import LocalCode
from autograder.checking.reference import ROOT, Reference
from autograder.grading.judge import judge
from autograder.parts import all_checks
from autograder.results import QuestionResult

SOURCE = (ROOT / "hw5_vae.py").read_text()
ASSIGNMENT = read_assignment()
PART = ASSIGNMENT.part("fc-vae")
CHECKS = [one for one in all_checks(ASSIGNMENT) if one.question in PART.full_ids()]


@lru_cache(None)
def reference() -> Reference:
    return Reference()


def results(source: str, seed: int = 1) -> dict[str, QuestionResult]:
    """Question id -> result, of the questions that the judge marks."""
    files = {"hw5_vae.py": source.encode()}
    with contextlib.redirect_stdout(io.StringIO()):
        questions = judge(files, [PART], CHECKS, reference(), LocalCode, seed)
    return {
        one.question.split(".")[1]: one for one in questions if one.kind not in ("info", "manual")
    }


def lost(source: str, seed: int = 1) -> dict[str, float]:
    """Question id -> points lost, where any are. Nothing may be ungradable."""
    return lost_in(results(source, seed))


def lost_in(found: dict[str, QuestionResult]) -> dict[str, float]:
    """The same of results at hand."""
    assert all(one.points is not None for one in found.values()), messages(found)
    return {
        name: round(one.max_points - (one.points or 0), 4)
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


def edited(*edits: tuple[str, str], within: str = "") -> str:
    """The reference with these texts replaced wherever they stand, or only from the line that
    holds `within` up to the next top-level definition.
    """
    start = SOURCE.index(within)
    ends = [SOURCE.find(f"\n{word} ", start + 1) for word in ("class", "def", "@torch.no_grad")]
    end = min((end for end in ends if end > 0), default=len(SOURCE)) if within else len(SOURCE)
    body = SOURCE[start:end]
    for old, new in edits:
        assert old in body, f"the reference no longer has {old!r}"
        body = body.replace(old, new)
    return SOURCE[:start] + body + SOURCE[end:]


def with_code(code: str) -> str:
    """The reference with definitions that come later and win."""
    return f"{SOURCE}\n\n{code}\n"
