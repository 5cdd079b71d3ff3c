"""Marks of one hw5_vae.py in the part autoencoder, run in this process."""

from __future__ import annotations

import contextlib
import io

from autograder.checking.here import LocalCode
from autograder.grading.judge import judge
from autograder.parts import all_checks
from autograder.results import QuestionResult

from .vae_marks import ASSIGNMENT, reference

PART = ASSIGNMENT.part("autoencoder")
CHECKS = [one for one in all_checks(ASSIGNMENT) if one.question in PART.full_ids()]
CODED = {one.id: one.points for one in PART.questions if one.kind not in ("info", "manual")}


def results(source: str, seed: int = 1) -> dict[str, QuestionResult]:
    """Question id -> result, of the questions that the judge marks."""
    files = {"hw5_vae.py": source.encode()}
    with contextlib.redirect_stdout(io.StringIO()):
        questions = judge(files, [PART], CHECKS, reference(), LocalCode, seed)
    return {one.question.split(".")[1]: one for one in questions if one.question[12:] in CODED}
