"""Reads whatever calls itself a notebook, so that no hand-in can stop a class.

nbgrader ends a student's grading at the first file that is not JSON, or not quite a notebook.
Here a notebook is built anew from what can be told of the one that was handed in: its cells in
order, their names, texts, pictures and harmless outputs, and nothing else.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from itertools import count
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode, from_dict

from autograder.gradebook import harmless

MAX_BYTES = 20 * 2**20
MAX_CELLS = 1000

PLACEHOLDER = {"hw5": {"placeholder": True}}
"""Metadata of the notebook that stands where a student handed in none."""

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}

_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Unreadable(ValueError):
    """A file is no notebook; the message continues a sentence that began with its name."""


class SubmissionExporter(NotebookExporter):
    """nbgrader's reader and writer of submitted notebooks; reading never fails.

    What could not be read is said in `resources["nbgrader"]["unreadable"]`.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Convert the notebook in `filename`, or an empty one where that cannot be read."""
        path = Path(filename)
        resources = {**(resources or {}), "metadata": {"name": path.stem, "path": str(path.parent)}}
        try:
            notebook = read_notebook(_bytes(path))
        except Unreadable as error:
            notebook = new_notebook([])
            resources["nbgrader"]["unreadable"] = f"{path.name} {error}"
        converted: tuple[Any, dict[str, Any]] = self.from_notebook_node(notebook, resources, **kw)
        return converted


def read_notebook(data: bytes) -> NotebookNode:
    """The notebook in these bytes, in format 4.5. Raises Unreadable.

    Cells keep `id` and nbgrader's metadata where they had any; raw cells become Markdown.
    """
    try:
        found = json.loads(_decoded(data))
        if isinstance(found, dict) and "worksheets" in found:  # notebook format 3
            found = nbformat.reads(json.dumps(found), as_version=4)
        cells, metadata = found["cells"], found.get("metadata")
        if not isinstance(cells, list):
            raise TypeError
    except RecursionError:
        raise Unreadable("is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not valid JSON (line {error.lineno}: {error.msg})") from None
    except Exception:  # nbformat raises anything on an old notebook that is not quite one
        raise Unreadable("is JSON, but not a notebook") from None
    notebook = new_notebook([_cell(cell) for cell in cells[:MAX_CELLS] if isinstance(cell, dict)])
    name_cells(notebook.cells)
    if isinstance(metadata, dict) and metadata.get("hw5") == PLACEHOLDER["hw5"]:
        notebook.metadata.update(PLACEHOLDER)
    return notebook


def new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of these cells whose metadata holds nothing but the kernel."""
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata}
    return NotebookNode({**from_dict(content), "cells": cells})


def new_cell(cell_type: str, cell_id: str, source: str) -> NotebookNode:
    """A cell without metadata."""
    cell = NotebookNode(cell_type=cell_type, id=cell_id, metadata=NotebookNode(), source=source)
    if cell_type == "code":
        cell.update(execution_count=None, outputs=[])
    return cell


def name_cells(cells: list[NotebookNode]) -> None:
    """Give a cell a new id where its own is missing, not allowed, or another's before it."""
    given = {cell.id for cell in cells}
    fresh = (name for number in count() if (name := f"cell-{number}") not in given)
    taken: set[str] = set()
    for cell in cells:
        if not _CELL_ID.fullmatch(cell.id) or cell.id in taken:
            cell.id = next(fresh)
        taken.add(cell.id)


def _bytes(path: Path) -> bytes:
    """The bytes of a plain file. A link is not followed: it may lead out of the submission."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise Unreadable("is not a file")
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened ({error.strerror})") from None
    if len(data) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES // 2**20} MB")
    return data


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _cell(raw: dict[str, Any]) -> NotebookNode:
    code = raw.get("cell_type") == "code"
    source = harmless.text(raw.get("source")).replace("\r\n", "\n")
    cell = new_cell("code" if code else "markdown", harmless.text(raw.get("id")), source)
    metadata = raw.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(nbgrader, dict) and isinstance(nbgrader.get("grade_id"), str):
        cell.metadata["nbgrader"] = from_dict(nbgrader)
    if code:
        number = raw.get("execution_count")
        cell.execution_count = number if type(number) is int else None
        cell.outputs = from_dict(harmless.outputs(raw.get("outputs")))
    elif pictures := harmless.attachments(raw.get("attachments")):
        cell.attachments = from_dict(pictures)
    return cell
