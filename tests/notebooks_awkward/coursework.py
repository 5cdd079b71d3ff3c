"""A notebook of the coursework as a student hands it in: small, run from the top, answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cells import code, markdown, notebook, picture, shown, stream

ANSWER = "Because the *posterior* would otherwise ignore $x$; see Eq. 1."
BEGIN = "Python 3.11.7, torch 2.13.0, on the CPU\nData in data: MNIST\n"


def graded(id: str, points: float, words: int | None = None) -> dict[str, Any]:
    """The metadata of a written answer."""
    flags = {"schema_version": 3, "grade": True, "solution": True, "locked": False, "task": False}
    metadata = {"nbgrader": {**flags, "grade_id": id, "points": points}}
    return {**metadata, "hw5": {"words": words}} if words else metadata


def locked(id: str) -> dict[str, Any]:
    flags = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**flags, "grade_id": id}}


def coursework(
    part: str = "fc-vae",
    title: str = "A small VAE",
    netid: str = "ada1",
    answer: str = ANSWER,
    figure: str = "tomato",
    begin: str = BEGIN,
    discussed: tuple[str, ...] = ("bob2",),
    **hw5: Any,
) -> dict[str, Any]:
    """A question with code, one with a figure and one in words, beside what every notebook has."""
    about = f'NETID = "{netid}"\nDISCUSSED_WITH = {list(discussed)!r}\nSOURCES = ["A book"]'
    loss, figures, why = f"{part}--loss", f"{part}--figures", f"{part}--why"
    hint = "<details><summary>Hint</summary>\n\nThe hidden hint.\n\n</details>"
    drawn = shown({"image/png": picture(400, 300, figure), "text/plain": "<Figure>"})
    counts = iter(range(1, 99))
    cells = [
        markdown(f"# {title}\n\nWhat it is about.", "title"),
        code("import sys\nQUICK = begin()", stream(begin), id="setup", count=next(counts)),
        code(about, id="about", count=next(counts)),
        markdown(f"## Part of {part}\n\nAn introduction.", f"{part}--intro"),
        markdown(
            f"### The loss · 7 points · 25 minutes\n\nWrite $\\mathcal{{L}}$.\n\n{hint}",
            loss,
            metadata=locked(loss),
        ),
        code(
            "print(loss_function(x, y))",
            stream("tensor(8.5079)\n"),
            id=f"{loss}--try",
            count=next(counts),
        ),
        markdown("### Samples · 4 points · 5 minutes\n\nDraw them.", figures),
        code(
            "draw(samples)",
            drawn,
            id=f"{figures}--draw",
            count=next(counts),
            metadata={"hw5": {"figure": True}},
        ),
        markdown(
            "### Why an encoder · 2 points · 5 minutes\n\nSay why.",
            f"{why}--statement",
            metadata=locked(f"{why}--statement"),
        ),
        markdown(answer, why, metadata=graded(why, 2, words=20)),
        code(
            "from hw5_utils import bundle, report\n\nreport()\nbundle()", id="hand-in", count=None
        ),
    ]
    about_it = {"title": title, "parts": [part], **hw5}
    language = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return notebook(*cells, hw5=about_it, kernelspec=language)


def article(words: str = "", references: int = 3, headings: tuple[str, ...] = ()) -> dict[str, Any]:
    """The report of four pages, with its four sections as written answers."""
    said = headings or ("Introduction", "Methodology", "Results", "Discussion and conclusion")
    cells = [
        markdown("# The report", "title"),
        code("QUICK = begin()", stream(BEGIN), id="setup"),
        code('NETID = "ada1"', id="about", count=2),
    ]
    keys = ("introduction", "methodology", "results", "discussion")
    for key, heading in zip(keys, said, strict=True):
        id = f"report--{key}"
        statement = f"### {key.capitalize()} · 3 points · 60 minutes\n\nInstructions for {key}."
        cells.append(markdown(statement, f"{id}--statement", metadata=locked(f"{id}--statement")))
        text = f"## {heading}\n\nWhat I say in my {key}. {words}"
        if key == "discussion":
            listed = "\n".join(f"{i}. Author {i}. Title. 2014." for i in range(1, references + 1))
            text += f"\n\n## References\n\n{listed}"
        cells.append(markdown(text, id, metadata=graded(id, 3)))
    cells.append(code("report()\nbundle()", id="hand-in", count=None))
    return notebook(*cells, hw5={"title": "The report", "parts": ["report", "demonstration"]})


def save(content: dict[str, Any], path: Path) -> Path:
    """Write a notebook as Jupyter does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
