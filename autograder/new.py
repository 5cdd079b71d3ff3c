"""Lays out a new part or question: every place that it needs, with an example that works.

The example asks for the mean square of each row. `audit` and `release` run on it at once, and name
every text in it that is still to be written.
"""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from string import Template
from typing import Any

from .assignment import (
    AssignmentError,
    Part,
    need_part_id,
    need_question_id,
    need_title,
    read_assignment,
)
from .placeholders import MARK
from .release.notebooks import plain
from .release.parts import bound
from .release.tidy import as_text

COMMON = ("title", "setup", "about--text", "about", "hand-in--text", "hand-in")
WIDTH = 100  # of a line
GRADED = {"locked": True, "schema_version": 3, "grade": False}

FUNCTION = '''

def $name(x: torch.Tensor) -> torch.Tensor:
    """$mark: what it computes, with the formula.

    The example: the mean square of each row.
    Part $part, question `$question`. x: (N, D). Returns (N,).
    """
    ### BEGIN SOLUTION $full
    return (x**2).mean(dim=1)
    ### END SOLUTION
'''

CHECK = '''

@check("$full")
def ${name}_gives_its_values(${module}: Remote, ref: Remote, rng: Rng) -> None:
    """$mark: what holds, in words that the student reads."""
    x = rng.normal(rng.integer(3, 6), rng.integer(5, 9))
    close(
        $module.$name(x),
        ref.$name(x),
        "What $name returns",
        shapes=[(len(x), 1)],
        lookalikes={
            "this is a sum; take the mean.": (x**2).sum(dim=1),
            "the square is missing.": x.mean(dim=1),
        },
    )


@check("$full", share=0.5)
def ${name}_leads_gradients_back(${module}: Remote, ref: Remote, rng: Rng) -> None:
    """$mark: what holds of the gradients."""
    x = rng.normal(4, 6)
    ours, theirs = (gradients(one.$name, x, wrt=[0]) for one in (ref, $module))
    expect(
        parallel(theirs.inputs, ours.inputs),
        "No gradient, or a wrong one, flows back from what $name returns.",
        "Stay with torch, and detach nothing.",
    )
'''

CHECKS = '''"""Part $part: $mark: what is checked."""

from __future__ import annotations

from ...checking.expect import close, expect, parallel
from ...checking.proxy import Remote, gradients
from ...checking.registry import Rng, check
'''

MISTAKE = """
# $mark: known mistakes of $full, four at least.
MISTAKES += (
    Mistake("sum", "$full", "", "def $name(", ((".mean(dim=1)", ".sum(dim=1)"),), says="a sum"),
    Mistake("no-square", "$full", "", "def $name(", (("(x**2)", "x"),), says="square is missing"),
    Mistake("of-columns", "$full", "", "def $name(", (("dim=1", "dim=0"),)),
    Mistake("root", "$full", "", "def $name(", ((".mean(dim=1)", ".mean(dim=1).sqrt()"),)),
    Mistake("detached", "$full", "", "def $name(", (("(x**2)", "(x.detach() ** 2)"),)),
)
"""

MISTAKES = '''"""Known mistakes of the part $part."""

from __future__ import annotations

from ...checking.catalogue import Mistake

MISTAKES: tuple[Mistake, ...] = ()
'''

STYLE = """
# $mark: right answers to $full as others write them, four at least.
STYLES += (
    Style("$question-torch-mean", "def $name(x): return torch.mean(x * x, 1)"),
    Style("$question-sum", "def $name(x): return x.pow(2).sum(dim=-1) / x.shape[1]"),
    Style("$question-loop", "def $name(x): return torch.stack([(row**2).mean() for row in x])"),
    Style("$question-column", "def $name(x): return (x**2).mean(dim=1, keepdim=True)"),
)
"""

STYLES = '''"""Right answers to the part $part, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

STYLES: tuple[Style, ...] = ()
'''

VISIBLE = '''@question("$full", "$name", unseen="$mark: what is left to the hidden checks")
def check_$name($name) -> None:
    """$mark: what this shows. The example: (1 + 4 + 4) / 3 = 3, and a gradient."""
    x = torch.tensor([[1.0, 2.0, 2.0]], requires_grad=True)
    got = $name(x)
    wrong = {9.0: "Is it a sum? Take the mean.", 5 / 3: "Is the square missing?"}
    need_value(got, 3.0, "$name of one row 1, 2, 2", wrong)
    need(got.requires_grad, "$name detaches its result: no gradient can flow back.")
    need_shape($name(torch.ones(2, 3)).flatten(), (2,), "$name of two rows")


'''

STATEMENT = """### $title · $points $unit · 10 minutes

Write `$name` in `$module.py`. The cell below shows what it takes and what it gives.
"""

WRITTEN = """### $title · $points $unit · 5 minutes

$mark: the question, as a student reads it.

*At most 60 words; formulas do not count.*
"""

ANSWER = """### BEGIN SOLUTION
$mark: the model answer.

**Mark scheme**

- **$points** what earns it

**Right.** An example of a right answer: $points $unit.

**Half right.** An example: half of the points.

**Wrong.** An example: 0 points.
### END SOLUTION"""

TITLE = """# $title

All code goes into `$module.py`.
"""


@dataclass(frozen=True)
class Question:
    """What is to be laid out; `name` is the function that a student writes."""

    part: str
    question: str
    title: str
    points: float
    module: str
    name: str
    by_hand: bool = False

    def fill(self, template: str) -> str:
        """A template with everything in its place."""
        return Template(template).substitute(
            mark=MARK,
            part=self.part,
            question=self.question,
            full=f"{self.part}.{self.question}",
            title=self.title,
            points=f"{self.points:g}",
            unit="point" if self.points == 1 else "points",
            module=self.module,
            name=self.name,
        )


def new_part(
    root: Path,
    part: str,
    title: str,
    module: str,
    question: str = "example",
    question_title: str = "An example",
    points: float = 2,
    name: str = "",
) -> list[Path]:
    """Lay out a part with one question; the files that are written or changed.

    Raises AssignmentError when it is there already, or cannot be called so.
    """
    assignment = read_assignment(root / "autograder" / "assignment.toml")
    need_part_id(part)
    need_title(title, f"the part {part!r}")
    need_title(question_title, f"{part}.{question}")
    _refuse_keyword(part, "a part")
    need_question_id(question)
    _refuse_keyword(question, "a question")
    if part in [one.id for one in (*assignment.parts, *assignment.off)]:
        raise AssignmentError(
            f"there is a part {part!r} already. Add a question to it: new question {part}.ID"
        )
    example = f"{part.replace('-', '_')}_example" if question == "example" else question
    example = name or example
    asked = Question(part, question, question_title, points, module, example)
    _need_name(root, asked)
    folder = root / "autograder" / "parts" / part.replace("-", "_")
    written = [
        _edit(root / "autograder" / "assignment.toml", lambda text: text + _block(asked, title)),
        _edit(root / f"{module}.py", lambda text: _with_row(text, part, example)),
        _write(folder / "__init__.py", f'"""{title}: how this part is graded."""\n'),
        _write(folder / "checks.py", asked.fill(CHECKS)),
        _write(folder / "mistakes.py", asked.fill(MISTAKES)),
        _write(folder / "styles.py", asked.fill(STYLES)),
        _new_notebook(root / "notebooks", asked, title),
    ]
    more = new_question(root, f"{part}.{question}", asked.title, asked.points, example, False)
    return _tidy([*written, *more])


def new_question(
    root: Path, full_id: str, title: str, points: float, name: str, by_hand: bool
) -> list[Path]:
    """Lay out one more question of a part; the files that are changed. Raises AssignmentError."""
    assignment = read_assignment(root / "autograder" / "assignment.toml")
    part_id, dot, question = full_id.partition(".")
    if not dot:
        raise AssignmentError(f"{full_id!r} names no question: it is PART.ID, as in fc-vae.loss.")
    part = assignment.part(part_id)
    need_question_id(question)
    need_title(title, full_id)
    _refuse_keyword(question, "a question")
    if question in [one.id for one in part.questions]:
        raise AssignmentError(f"{part_id} asks {question!r} already.")
    if part.module is None and not by_hand:
        raise AssignmentError(f"{part_id} has no module: its questions are marked by hand.")
    asked = Question(part_id, question, title, points, part.module or "", name, by_hand)
    if not by_hand:
        _need_name(root, asked)
    toml = root / "autograder" / "assignment.toml"
    changed = [_edit(toml, lambda text: _with_question(text, part, asked))]
    return _tidy([*changed, *_lay_out(root, asked)])


def _tidy(written: Iterable[Path]) -> list[Path]:
    """Each file once; in the order and width of the others, where ruff is installed."""
    files = [*dict.fromkeys(written)]
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--quiet", "--fix", "--select", "I"], ["format", "--quiet"]):
        python = [str(path) for path in files if path.suffix == ".py"]
        subprocess.run([*ruff, *command, *python], check=False, capture_output=True)
    return files


def _refuse_keyword(text: str, what: str) -> None:
    if keyword.iskeyword(text):
        raise AssignmentError(f"{text!r} cannot be the id of {what}: Python keeps it for itself.")


def _lay_out(root: Path, asked: Question) -> Iterator[Path]:
    """All places of a question but assignment.toml."""
    notebook = _notebook_of(root / "notebooks", asked.part)
    yield _edit(notebook, lambda text: _with_cells(text, asked))
    if asked.by_hand:
        return
    folder = root / "autograder" / "parts" / asked.part.replace("-", "_")
    yield _edit(
        root / f"{asked.module}.py", lambda text: _with_function(_with_name(text, asked), asked)
    )
    yield _edit(folder / "checks.py", lambda text: _with_check(text, asked))
    yield _edit(folder / "mistakes.py", lambda text: text + asked.fill(MISTAKE))
    yield _edit(folder / "styles.py", lambda text: text + asked.fill(STYLE))
    yield _edit(root / "hw5_checks.py", lambda text: _with_visible(text, asked))


def _need_name(root: Path, asked: Question) -> None:
    if not asked.name.isidentifier() or keyword.iskeyword(asked.name):
        raise AssignmentError(f"{asked.name!r} is no name of a function; give another --name.")
    if hasattr(builtins, asked.name):
        raise AssignmentError(f"Python has a {asked.name} of its own; give another --name.")
    for file in (f"{asked.module}.py", "hw5_checks.py"):
        try:
            tree = ast.parse((root / file).read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise AssignmentError(f"{file}, line {error.lineno}: {error.msg}.") from None
        if {asked.name, f"check_{asked.name}"} & set(_bound(tree)):
            raise AssignmentError(f"{file} has a {asked.name} already; give another --name.")


def _bound(tree: ast.Module) -> Iterator[str]:
    """The names at the top level of a module, imported ones too."""
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        else:
            yield from bound(node)


def _edit(path: Path, change: Callable[[str], str]) -> Path:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


# --- assignment.toml


def _block(asked: Question, title: str) -> str:
    return (
        f'\n[[part]]\nid = "{asked.part}"\ntitle = {json.dumps(title, ensure_ascii=False)}\n'
        f'module = "{asked.module}"\npoints = 0\nquestion = [\n'
        f'    {{ id = "import", kind = "info", title = "{asked.module}.py can be loaded" }},\n]\n'
    )


def _with_question(text: str, part: Part, asked: Question) -> str:
    """One more line among the questions of a part, and its points among the part's."""
    start = re.search(rf'^id = "{re.escape(part.id)}"$', text, re.M)
    assert start, "read_assignment has seen it"
    end = text.index("\n]", start.end())
    block = text[start.end() : end]
    after = part.points + asked.points
    block = re.sub(r"(\npoints = )[\d.]+", rf"\g<1>{after:g}", block, count=1)
    kind = ', kind = "manual"' if asked.by_hand else ""
    title = json.dumps(asked.title, ensure_ascii=False)
    line = f'\n    {{ id = "{asked.question}", points = {asked.points:g}{kind}, title = {title} }},'
    return text[: start.end()] + block + line + text[end:]


# --- modules


def _rows(text: str) -> list[re.Match[str]]:
    """The rows of the tables in a module's docstring: the first word, and how wide it is set."""
    docstring = text[: text.index('"""', 3)]
    return list(re.finditer(r"^    ((\S+) +)\S.*\n(?:     +\S.*\n)*", docstring, re.M))


def _with_row(text: str, part: str, name: str) -> str:
    """A row of the table of parts, below its last row."""
    rows = _rows(text)
    first = next(i for i, row in enumerate(rows) if row[2] == "part")
    last = first
    while last + 1 < len(rows) and rows[last + 1].start() == rows[last].end():
        last += 1
    width, at = len(rows[first][1]), rows[last].end()
    return f"{text[:at]}    {part:<{width - 1}} {name}\n{text[at:]}"


def _with_name(text: str, asked: Question) -> str:
    """The function's name in the part's row of that table."""
    row = next((one for one in _rows(text) if one[2] == asked.part), None)
    if row is None or asked.name in row[0].split():
        return text
    *above, last = row[0].removesuffix("\n").split("\n")
    wider = f"{last}  {asked.name}"
    if len(wider) > WIDTH:
        wider = f"{last}\n{' ' * (4 + len(row[1]))}{asked.name}"
    return text[: row.start()] + "\n".join([*above, wider]) + "\n" + text[row.end() :]


def _with_function(text: str, asked: Question) -> str:
    """The function, below the last one in which the part's answers are written; the first of a
    part above the functions that run the parts, so that what belongs to another stays together.
    """
    body = ast.parse(text).body
    answers = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if "### BEGIN SOLUTION" in line and line.split()[-1].partition(".")[0] == asked.part
    ]
    if answers:
        above = [node for node in body if node.lineno <= max(answers)]
    else:
        above = [*takewhile(lambda node: not getattr(node, "name", "").startswith("run_"), body)]
    last = above[-1].end_lineno or 0
    lines = text.split("\n")
    while last < len(lines) and (not lines[last] or lines[last][0].isspace()):
        last += 1  # comments that end a function, its END SOLUTION for one
    head = "\n".join(lines[:last]).rstrip("\n")
    return f"{head}\n{asked.fill(FUNCTION)}\n\n{chr(10).join(lines[last:])}"


def _with_check(text: str, asked: Question) -> str:
    """The checks at the end, and above whatever they use that is not imported yet."""
    wanted = {
        "...checking.expect": ("close", "expect", "parallel"),
        "...checking.proxy": ("Remote", "gradients"),
        "...checking.registry": ("Rng", "check"),
    }
    tree = ast.parse(text)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    there = {alias.name for node in imports for alias in node.names}
    lines = text.split("\n")
    at = max(node.end_lineno or 0 for node in imports)
    missing = [
        f"from {module} import {', '.join(name for name in names if name not in there)}"
        for module, names in wanted.items()
        if not there.issuperset(names)
    ]
    return "\n".join([*lines[:at], *missing, *lines[at:]]).rstrip("\n") + "\n" + asked.fill(CHECK)


def _with_visible(text: str, asked: Question) -> str:
    at = text.index("def findings(")
    return text[:at] + asked.fill(VISIBLE) + text[at:]


# --- notebooks


def _cell(id: str, kind: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if nbgrader:
        metadata["nbgrader"] = dict(sorted({**GRADED, "grade_id": id, **nbgrader}.items()))
    cell: dict[str, Any] = {"cell_type": kind, "id": id, "metadata": metadata}
    if kind == "code":
        cell = {"cell_type": kind, "execution_count": None, "id": id, "metadata": metadata}
        cell["outputs"] = []
    return {**cell, "source": source.rstrip("\n")}


def _cells(asked: Question) -> list[dict[str, Any]]:
    id = f"{asked.part}--{asked.question}"
    read_only = {"solution": False, "task": False}
    if asked.by_hand:
        return [
            _cell(f"{id}--statement", "markdown", asked.fill(WRITTEN), **read_only),
            _cell(
                id,
                "markdown",
                asked.fill(ANSWER),
                **{"grade": True, "locked": False, "solution": True, "task": False},
                points=plain(asked.points),
            ),
        ]
    statement = _cell(
        id,
        "markdown",
        asked.fill(STATEMENT),
        points=plain(asked.points),
        **{"solution": False, "task": True},
    )
    shown = f"from {asked.module} import {asked.name}\n\nhelp({asked.name})"
    checked = f'check("{asked.part}.{asked.question}");'
    return [
        statement,
        _cell(f"{id}--try", "code", shown),
        _cell(f"{id}--check", "code", checked, **read_only),
    ]


def _notebook_of(folder: Path, part: str) -> Path:
    for path in sorted(folder.glob("*.ipynb")):
        if part in json.loads(path.read_text(encoding="utf-8"))["metadata"]["hw5"]["parts"]:
            return path
    raise AssignmentError(f"no notebook has {part!r} among the parts in its metadata.")


def _with_cells(text: str, asked: Question) -> str:
    """The question's cells, below the last ones of its part."""
    notebook = json.loads(text)
    cells = notebook["cells"]
    at = max(i for i, cell in enumerate(cells) if cell["id"].startswith(f"{asked.part}--")) + 1
    cells[at:at] = _cells(asked)
    if asked.by_hand:
        cells[at + 1]["metadata"]["hw5"] = {"words": 60}
    return as_text(notebook)


def _new_notebook(folder: Path, asked: Question, title: str) -> Path:
    """A notebook with the cells that all of them share, and the first one of the part."""
    there = sorted(folder.glob("*.ipynb"))
    model = json.loads(there[0].read_text(encoding="utf-8"))
    kept = {cell["id"]: cell for cell in model["cells"] if cell["id"] in COMMON}
    kept["title"]["source"] = (
        Template(TITLE).substitute(title=title, module=asked.module).rstrip("\n")
    )
    middle = _cell(f"{asked.part}--import", "code", "from hw5_utils import check")
    cells = [cell for id, cell in kept.items() if not id.startswith("hand-in")]
    cells += [middle, kept["hand-in--text"], kept["hand-in"]]
    metadata = {**model["metadata"], "hw5": {"parts": [asked.part], "title": title}}
    number = max(int(path.name.partition("_")[0]) for path in there) + 1
    path = folder / f"{number}_{asked.part.replace('-', '_')}.ipynb"
    return _write(path, as_text({**model, "cells": cells, "metadata": metadata}))
