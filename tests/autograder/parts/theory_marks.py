"""Marks of the parts bernoulli-vae, vae-theory and gan-theory, of sources written in these tests.

They run in this process: no student's code comes here.
"""

from __future__ import annotations

import contextlib
import io
import re
from functools import lru_cache

from autograder.assignment import read_assignment
from autograder.checking.here import LocalCode
from autograder.checking.reference import ROOT, Reference
from autograder.grading.judge import judge
from autograder.parts import all_checks
from autograder.results import QuestionResult

ASSIGNMENT = read_assignment()
CHECKS = all_checks(ASSIGNMENT)
SOURCES = {name: (ROOT / f"{name}.py").read_text() for name in ("hw5_vae", "hw5_gan")}


@lru_cache(None)
def reference() -> Reference:
    return Reference()


def coded(*parts: str) -> dict[str, float]:
    """Full question id -> points, of the questions that the judge marks."""
    return {
        f"{part}.{question.id}": question.points
        for part in parts
        for question in ASSIGNMENT.part(part).questions
        if question.kind not in ("info", "manual")
    }


def results(source: str, *parts: str, seed: int = 1) -> dict[str, QuestionResult]:
    """Full question id -> result of the parts, all of one module, whose source this is."""
    chosen = [ASSIGNMENT.part(part) for part in parts]
    files = {f"{chosen[0].module}.py": source.encode()}
    with contextlib.redirect_stdout(io.StringIO()):
        questions = judge(files, chosen, CHECKS, reference(), LocalCode, seed)
    return {one.question: one for one in questions if one.kind not in ("info", "manual")}


def lost(found: dict[str, QuestionResult]) -> dict[str, float]:
    """Question id -> points lost, where any are. Nothing may be ungradable."""
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


def with_code(code: str, module: str = "hw5_vae") -> str:
    """The reference with definitions that come later and win."""
    return f"{SOURCES[module]}\n\n{code}\n"


def release(module: str) -> str:
    """The reference with its solutions taken out."""
    return re.sub(
        r"^( *)### BEGIN SOLUTION.*?### END SOLUTION",
        lambda found: found[1] + ("raise NotImplementedError" if found[1] else "pass"),
        SOURCES[module],
        flags=re.DOTALL | re.MULTILINE,
    )
