"""The kit's own solution, graded as a student's would be."""

from __future__ import annotations

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT, SOLUTIONS
from autograder.checking.reference import Reference
from autograder.grading.judge import judge
from autograder.parts import all_checks
from autograder.sandbox.zygote import Zygote


def test_the_solution_scores_full_in_every_part_through_the_worker():
    assignment = read_assignment()
    files = {f"{name}.py": (ROOT / f"{name}.py").read_bytes() for name in SOLUTIONS}
    with Zygote() as zygote:
        checks = all_checks(assignment)
        questions = judge(files, assignment.parts, checks, Reference(), zygote.open, seed=11)
    lost = {
        question.question: [(check.check, check.message) for check in question.checks]
        for question in questions
        if question.kind in ("code", "bonus") and question.points != question.max_points
    }
    assert lost == {}
