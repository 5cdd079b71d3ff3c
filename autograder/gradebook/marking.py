"""What formgrader's page shows to whoever marks, and no page of a student's ever does.

The page is made when it is looked at, of the notebook that nbgrader keeps under `autograded`, and
so is the student's feedback. What is for the staff is therefore put on the page and not into the
notebook: the model answer and the mark scheme, which answers of others say the same. It looks as
`templates/formgrade/index.html.j2` says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import Preprocessor
from nbformat.notebooknode import NotebookNode, from_dict
from nbgrader.utils import is_grade, is_solution, is_task

from autograder.assignment import question_of, read_assignment
from autograder.export.feedback import hiding
from autograder.gradebook.equal import equal_answers
from autograder.gradebook.reading import Unreadable, read_notebook
from autograder.gradebook.repair_cells import MARK_SCHEME
from autograder.roster import Roster, kept_roster

_STAFF = re.compile(
    r"^[^\n]*BEGIN (?P<what>SOLUTION|MARK SCHEME)[^\n]*\n(?P<text>.*?)^[^\n]*END (?P=what)",
    re.DOTALL | re.MULTILINE,
)
_NETID = re.compile(r"^NETID\s*=\s*[\"']([^\"'\n]*)", re.MULTILINE)
FOLDED = {
    "# @title": "The set-up cell",
    "check(": "The visible checks, as they ended for the student",
    "from hw5_figures import picture\n": "A picture that the notebook brings",
    "from hw5_utils import bundle": "The cell that hands in",
}
"""How a cell of ours begins that nobody has to read, and what it is called when it is folded."""


class Marking(Preprocessor):
    """Prepares a notebook for formgrader's page; from a student's feedback it takes the mark
    schemes."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Add to the cells' metadata what the template shows."""
        if "submission_id" not in resources:  # only formgrader's pages have one
            for cell in filter(is_task, nb.cells):
                cell.source = MARK_SCHEME.sub("", cell.source)
            return nb, resources
        home = Path(resources["metadata"]["path"]).absolute()
        course = home.parents[2]  # home is COURSE/autograded/STUDENT/ASSIGNMENT
        assignment, notebook = resources["assignment_id"], resources["notebook_id"]
        if _asked(nb) & anonymous_parts():
            _hide(nb, resources, kept_roster(course / "marks"))
        source = course / "source" / assignment / f"{notebook}.ipynb"
        schemes = _schemes(source, source.stat().st_mtime_ns) if source.is_file() else {}
        equal = equal_answers(course, assignment, notebook, home.parent.name)
        for cell in nb.cells:
            if cell.cell_type == "code":
                folded = (said for begin, said in FOLDED.items() if cell.source.startswith(begin))
                if name := next(folded, ""):
                    cell.metadata["folded"] = name
            elif is_task(cell) or (is_grade(cell) and is_solution(cell)):
                name = cell.metadata["nbgrader"]["grade_id"]
                if is_task(cell):  # in an answer the words would be the student's
                    cell.source = MARK_SCHEME.sub("", cell.source)
                same = equal.get(name)
                cell.metadata["marking"] = from_dict(
                    {
                        "scheme": schemes.get(name, ""),
                        "equal": same.count if same else 0,
                        "others": same.waiting if same else (),
                    }
                )
        return nb, resources


@lru_cache
def _schemes(path: Path, changed: int) -> Mapping[str, str]:
    """What the instructor's notebook says to whoever marks, by the name of the cell."""
    try:
        cells = read_notebook(path.read_bytes()).cells
    except (OSError, Unreadable):
        return {}
    return {
        cell.metadata["nbgrader"]["grade_id"]: "\n\n".join(texts)
        for cell in cells
        if "nbgrader" in cell.metadata
        if (texts := [found["text"].strip() for found in _STAFF.finditer(cell.source)])
    }


def anonymous_parts() -> set[str]:
    """The parts that are marked without names."""
    return {part.id for part in read_assignment().parts if part.anonymous}


def _asked(nb: NotebookNode) -> set[str]:
    """The parts that a notebook asks."""
    names = [
        cell.metadata["nbgrader"]["grade_id"]
        for cell in nb.cells
        if is_grade(cell) or is_task(cell)
    ]
    return {question_of(name).partition(".")[0] for name in names}


def _hide(nb: NotebookNode, resources: dict[str, Any], roster: Roster) -> None:
    """Take the student's names off the page, wherever they stand: those of nbgrader, of the roster,
    and what is written into the cell that asks for the NetID."""
    names = [resources["student"], resources["first_name"], resources["last_name"]]
    for person in roster.of([resources["student"]]):
        names += [*person.keys, person.name, person.shown]
    for cell in nb.cells:
        for said in _NETID.findall(cell.source) if cell.cell_type == "code" else ():
            names += re.findall(r"[\w.@-]{2,}", said)
    hide = hiding(name for name in names if name)
    for cell in nb.cells:
        cell.source = hide(cell.source)
        for output in cell.get("outputs", ()):
            if "text" in output:
                output.text = hide(output.text)
            for kind, data in output.get("data", {}).items():
                if kind.startswith("text/"):
                    output.data[kind] = hide(data)
    resources["student"] = f"Submission #{resources['index'] + 1}"
    resources["first_name"] = resources["last_name"] = None
    resources["notebook_path"] = ""
