"""Formgrader's list of submissions without names, where a part is anonymous.

nbgrader has no setting for that, so that `nbgrader_config.py` puts this in the place of its own.
"""

from __future__ import annotations

from typing import Any

from nbgrader.apps.api import NbGraderAPI

from autograder.assignment import question_of
from autograder.gradebook.marking import anonymous_parts


class Nameless(NbGraderAPI):
    """What formgrader asks for its pages; "Show All Names" has none to show in these lists."""

    def get_notebook_submissions(
        self, assignment_id: str, notebook_id: str
    ) -> list[dict[str, Any]]:
        """Everybody's submission of one notebook, by number alone where it is anonymous."""
        found: list[dict[str, Any]] = super().get_notebook_submissions(assignment_id, notebook_id)
        if found and self._parts(assignment_id, notebook_id) & anonymous_parts():
            for one in found:
                one.update(student=f"Submission #{one['index'] + 1}")
                one.update(first_name=None, last_name=None)
        return found

    def _parts(self, assignment_id: str, notebook_id: str) -> set[str]:
        """The parts that a notebook asks."""
        with self.gradebook as gradebook:
            notebook = gradebook.find_notebook(notebook_id, assignment_id)
            names = [cell.name for cell in (*notebook.grade_cells, *notebook.task_cells)]
        return {question_of(name).partition(".")[0] for name in names}
