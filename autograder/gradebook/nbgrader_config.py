"""Settings of nbgrader for this course: it keeps marks and shows what people mark; it runs nothing.

Made by `python -m autograder release`. Every command of nbgrader and formgrader read this file
when they are started in the folder where it lies.
"""

import os
import sys
from pathlib import Path

import nbgrader.server_extensions.formgrader as formgrader
from nbgrader.server_extensions.formgrader import base

try:
    import autograder.gradebook
    from autograder.assignment import read_assignment
    from autograder.gradebook.nameless import Nameless
except ModuleNotFoundError:
    raise ImportError(
        f"{sys.executable} has no `autograder`. Install the kit where Jupyter and nbgrader run: "
        "pip install --no-deps --editable FOLDER_OF_THE_KIT"
    ) from None

assignment = read_assignment()
c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = assignment.id

# A new gradebook calls the program `alembic`, which lies beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")

# A student's notebook is read so that nothing in it can stop the class, ...
c.Autograde.exporter_class = "autograder.gradebook.reading.SubmissionExporter"

# ... gets its cells back as the gradebook knows them, its outputs kept to be marked, ...
c.Autograde.sanitize_preprocessors = [
    "autograder.gradebook.repair_cells.RepairCells",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# ... and is never executed: the marks of its code are the judge's.
c.Autograde.autograde_preprocessors = [
    "autograder.gradebook.judge_scores.JudgeScores",
    "nbgrader.preprocessors.AssignLatePenalties",
    "autograder.gradebook.sanitize.Sanitize",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.JudgeScores.marks = "marks"

# What is late costs what assignment.toml says, here as in `python -m autograder publish`.
c.AssignLatePenalties.plugin_class = "autograder.gradebook.late_penalty.LatePenalty"

# Whoever marks finds the student's own modules beside the notebook, not the released ones.
modules = sorted({f"{part.module}.py" for part in assignment.parts if part.module})
c.Autograde.exclude_overwriting = {assignment.id: modules}

# Formgrader's page has the mark scheme beside an answer, and sets formulas without the network.
theirs = str(Path(formgrader.__file__).with_name("templates"))
c.HTMLExporter.extra_template_basedirs = [
    str(Path(autograder.gradebook.__file__).with_name("templates")),
    theirs,
]
c.HTMLExporter.extra_template_paths = [theirs]
c.HTMLExporter.preprocessors = ["autograder.gradebook.marking.Marking"]

# The list of submissions before it has no names where a part is anonymous.
base.NbGraderAPI = Nameless

# Pictures of outputs are shown as pictures, in which nothing runs.
c.HTMLExporter.skip_svg_encoding = False
