"""Takes off in nbgrader's gradebook what assignment.toml says for being late."""

from __future__ import annotations

from datetime import timedelta

from nbgrader.plugins import BasePlugin

from autograder import lateness
from autograder.assignment import read_assignment


class LatePenalty(BasePlugin):
    """nbgrader's plugin for late submissions; `AssignLatePenalties.plugin_class` names it."""

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """What one notebook loses: its part of what the whole submission does."""
        rule, by = read_assignment(), timedelta(seconds=total_seconds_late)
        if lateness.refuses(rule, by):
            return score
        whole = self._whole(student_id, score)
        taken, _ = lateness.price(rule, by, whole)
        return taken * score / whole if taken else None

    def _whole(self, student_id: str, score: float) -> float:
        """The points of all notebooks. nbgrader asks for one at a time, its gradebook open."""
        asking = self.parent
        if not hasattr(asking, "gradebook"):
            return score
        submission = asking.gradebook.find_submission(asking.assignment_id, student_id)
        return float(submission.score)
