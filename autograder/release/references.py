"""Looks for references that lead nowhere: what a text names, its reader must find by that name.

1(a)         a heading of a question, in any notebook of the release
Eq. 2        an equation with this number, in the same notebook or module
section 3    a heading with this number, in the same notebook
notebook 4   a notebook whose name begins with the number
question x   in a module: a question of a part that is released
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from . import notebooks

NUMBERED = re.compile(r"(?<![\w.])(?<!problem )(\d\([a-j]\))")
EQUATION = re.compile(r"\bEqs?\.\s(\d+)")
SECTION = re.compile(r"\b[Ss]ections? (\d+)(?![.\d])")
NOTEBOOK = re.compile(r"\b[Nn]otebooks? (\d+)(?:(?:,| and| or| to) (\d+))?")
QUESTION = re.compile(r"\b[Qq]uestions?((?:[\s,]+(?:and )?`\w+`)+)")


def lead_nowhere(files: Mapping[str, bytes], asked: Collection[str]) -> Iterator[str]:
    """A sentence for each reference in these files to something that is not there; `asked` are
    the questions of the release, as `part.question`."""
    texts = {name: data.decode() for name, data in files.items() if name.endswith(".py")}
    cells = {}
    for name, data in files.items():
        if name.endswith(".ipynb"):
            cells[name] = [(c.id, c.source) for c in notebooks.loads(name, data).cells]
            texts[name] = "\n".join(source for _, source in cells[name])
    numbers = set(re.findall(r"(?m)^#+ (\d\([a-j]\)) ", "\n".join(texts.values())))
    names = {name.partition("_")[0] for name in cells}
    ids = {name.partition(".")[2] for name in asked}

    for name, found in cells.items():
        sections = set(re.findall(r"(?m)^#+ (\d+) ", texts[name]))
        equations = set(re.findall(r"\\tag\{(\d+)\}", texts[name]))
        for cell, source in found:
            where = f"{name}, cell {cell},"
            yield from _lost(where, NUMBERED, source, numbers)
            yield from _lost(where, EQUATION, source, equations)
            yield from _lost(where, SECTION, source, sections)
            yield from _lost(where, NOTEBOOK, source, names)
    for name, text in texts.items():
        if name not in cells:
            yield from _lost(name, NUMBERED, text, numbers)
            yield from _lost(name, EQUATION, text, set(re.findall(r"\(Eq\. (\d+)\)", text)))
            yield from _lost(name, NOTEBOOK, text, names)
            for match in QUESTION.finditer(text):
                for id in re.findall(r"`(\w+)`", match[1]):
                    if id not in ids:
                        yield f"{name} refers to the question {id}, which is not asked."


def _lost(where: str, pattern: re.Pattern[str], text: str, there: Collection[str]) -> Iterator[str]:
    """What the pattern finds in a text and its reader does not find."""
    for match in pattern.finditer(text):
        for one in match.groups():
            if one and one not in there:
                yield f"{where} refers to {match[0]!r}, which a reader of this release cannot find."
