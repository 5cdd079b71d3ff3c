"""The last of nbgrader's autograding steps: nothing of a student's acts on a page that shows it."""

from __future__ import annotations

from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from autograder.gradebook import harmless


class Sanitize(NbGraderPreprocessor):
    """Takes HTML and links that act out of a student's Markdown, and keeps outputs to be marked.

    Locked cells hold our own text by now, whose HTML, such as a folded hint, is shown.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Make all cells harmless, in place."""
        left = harmless.MOST_SOURCE
        for cell in nb.cells:
            if is_locked(cell):
                continue
            cell.source = harmless.shortened(cell.source, min(left, harmless.MOST_TEXT))
            left = max(0, left - len(cell.source))
        super().preprocess(nb, resources)
        return nb, resources

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Make one cell harmless, in place."""
        if cell.cell_type == "code":
            cell.outputs = from_dict(harmless.outputs(cell.outputs))
        elif not is_locked(cell):
            cell.source = harmless.markdown(cell.source, cell.get("attachments", {}))
        return cell, resources
