"""The marking guide: every question that a person marks, with model answer and mark scheme.

For staff alone. Coded questions stand in it with their solution, so that a question a student
asks can be answered without the source.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from ..assignment import Part, Question, grade_id
from .notebooks import Notebook, in_words, secrets
from .strip import SOLUTION, regions

HEAD = """\
# Marking guide

For staff: it holds every model answer, mark scheme and solution of the release it was made with.
Written answers and figures are marked by hand, in nbgrader's formgrader; the judge marks the rest
(`python -m autograder grade`).
"""


def marking_guide(
    title: str, parts: Sequence[Part], modules: Mapping[str, str], notebooks: Sequence[Notebook]
) -> str:
    """The guide as Markdown. modules (name -> text) and notebooks are those with solutions."""
    solutions: dict[str, list[str]] = {}
    for name, text in modules.items():
        for region in regions(text, f"{name}.py", SOLUTION):
            solutions.setdefault(region.tag, []).append(textwrap.dedent("\n".join(region.body)))
    kept = {
        cell.id: (notebook.name, text.strip())
        for notebook in notebooks
        for cell, text in secrets(notebook)
    }
    lines = [HEAD.replace("# Marking guide", f"# Marking guide: {title}")]
    for part in parts:
        lines.append(f"## {part.title} (`{part.id}`, {part.points:g} points)\n")
        for question in part.questions:
            if question.kind != "info":
                full_id = f"{part.id}.{question.id}"
                lines += _entry(question, solutions.get(full_id, []), kept.get(grade_id(full_id)))
    return "\n".join(lines)


def _entry(
    question: Question, solutions: Sequence[str], scheme: tuple[str, str] | None
) -> list[str]:
    how = "by hand" if question.kind == "manual" else "by the judge"
    bonus = " as a bonus" if question.kind == "bonus" else ""
    lines = [f"### {question.title} · {in_words(question.points)}{bonus}, {how}\n"]
    if scheme:
        lines.append(f"Cell in `{scheme[0]}.ipynb`.\n\n{scheme[1]}\n")
    lines += [f"```python\n{solution}\n```\n" for solution in solutions]
    return lines
