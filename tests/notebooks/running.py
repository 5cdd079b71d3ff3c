"""Reads notebooks and runs them as a student does, from the first cell to the last."""

from __future__ import annotations

import dis
import re
from pathlib import Path
from types import CodeType

import nbformat
from nbclient import NotebookClient

from autograder.assignment import as_data, read_assignment

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def modules() -> dict[str, str]:
    """The students' modules by file name, with solutions; what is asked is data, as for them."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("hw5_*.py")}
    return texts | {"hw5_asked.py": as_data(texts["hw5_asked.py"], read_assignment().parts)}


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def run(notebook: nbformat.NotebookNode, folder: Path, **options) -> nbformat.NotebookNode:
    """The notebook with its outputs, after one kernel ran all of it in this folder."""
    client = NotebookClient(
        notebook, kernel_name="python3", startup_timeout=300, timeout=600, **options
    )
    client.execute(cwd=str(folder))
    return notebook


def code(notebook: nbformat.NotebookNode) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def made_and_needed(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell makes, and those that it needs from cells before it."""
    made: set[str] = set()
    needed: set[str] = set()

    def visit(block: CodeType) -> None:
        for step in dis.get_instructions(block):
            if step.opname == "STORE_NAME":
                made.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in made:
                needed.add(step.argval)
        for constant in block.co_consts:  # bodies of functions, which run later
            if isinstance(constant, CodeType):
                visit(constant)

    visit(compile(re.sub(r"(?m)^\s*[%!].*$", "", source), "cell", "exec"))
    return made, needed


def quicker(source: str) -> str:
    """Fewer images and epochs than the quick settings have: that all runs shows with them, too."""
    source = re.sub(r"\blimit ?= ?\d{4} if QUICK", "limit=400 if QUICK", source)
    return re.sub(r"\b(epochs\w*) = \d+ if QUICK", r"\1 = 3 if QUICK", source)


def said(cell) -> str:
    """Everything that a cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def errors(cell) -> list[str]:
    """The tracebacks that a cell shows."""
    return ["\n".join(o.traceback) for o in cell.outputs if o.output_type == "error"]


def pictures(cell) -> list:
    return [output for output in cell.outputs if "image/png" in output.get("data", {})]
