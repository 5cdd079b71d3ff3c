"""Whatever calls itself a notebook is read, or refused in a sentence; nothing raises."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from autograder.gradebook.reading import (
    PLACEHOLDER,
    SubmissionExporter,
    Unreadable,
    new_cell,
    read_notebook,
)
from autograder.intake.submissions import PLACEHOLDER as PLACEHOLDER_FILE
from tests.autograder.gradebook.small_course import CODE, PNG, SOURCE

TEXT = json.dumps(SOURCE[CODE])


def refused(data: bytes) -> str:
    with pytest.raises(Unreadable) as error:
        read_notebook(data)
    return str(error.value)


def test_a_notebook_is_read_with_its_cells_in_order():
    notebook = read_notebook(TEXT.encode())
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells] == [cell["id"] for cell in SOURCE[CODE]["cells"]]
    assert notebook.cells[2].metadata["nbgrader"]["grade_id"] == "fc-vae--networks"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_a_notebook_is_read_in_the_encodings_that_editors_write(encoding):
    text = json.dumps({"cells": [{"cell_type": "markdown", "source": "ü"}]}, ensure_ascii=False)
    assert read_notebook(text.encode(encoding)).cells[0].source == "ü"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        TEXT.encode()[:-100],
        b"<<<<<<< HEAD\n" + TEXT.encode(),
        b"\x00\xff\xfe",
    ],
)
def test_what_is_not_json_is_refused_with_its_line(data):
    assert refused(data).startswith("is not valid JSON (line ")


@pytest.mark.parametrize(
    "text",
    ["[]", "3", '"cells"', "{}", '{"cells": {}}', '{"cells": null}', '{"worksheets": [3]}'],
)
def test_json_that_is_no_notebook_is_refused(text):
    assert refused(text.encode()) == "is JSON, but not a notebook"


def test_json_that_is_nested_too_deeply_is_refused():
    assert refused(b'{"cells": ' + b"[" * 100_000) == "is nested too deeply to be read"


def test_a_notebook_of_format_3_is_read():
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "markdown", "metadata": {}, "source": ["An answer"]},
                    {
                        "cell_type": "code",
                        "metadata": {},
                        "language": "python",
                        "input": ["1 + 1"],
                        "outputs": [],
                        "prompt_number": 1,
                    },
                ],
            }
        ],
    }
    notebook = read_notebook(json.dumps(old).encode())
    assert [cell.source for cell in notebook.cells] == ["An answer", "1 + 1"]


@pytest.mark.parametrize(
    "cell",
    [
        {},
        {"cell_type": "heading", "source": 3},
        {"cell_type": "code", "execution_count": "<script>", "outputs": {"a": 1}},
        {"cell_type": "code", "source": ["a", 1], "outputs": [{"output_type": "x"}]},
        {"cell_type": "markdown", "metadata": [1], "attachments": [1], "source": "a\ud800"},
        {"cell_type": "markdown", "metadata": {"nbgrader": [1]}, "id": "not an id!"},
        {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": 3}}, "id": 7},
        {"cell_type": "raw", "metadata": {"raw_mimetype": "text/html"}, "source": "<script>"},
    ],
)
def test_a_cell_of_any_shape_becomes_one_that_nbformat_accepts(cell):
    notebook = read_notebook(json.dumps({"cells": [cell, "no cell", None]}).encode())
    nbformat.validate(json.loads(nbformat.writes(notebook)))
    assert len(notebook.cells) == 1
    assert notebook.cells[0].cell_type in ("code", "markdown")
    nbformat.writes(notebook).encode()


def test_nothing_of_a_students_metadata_is_kept_but_nbgraders():
    cell = {
        "cell_type": "markdown",
        "source": "",
        "metadata": {"tags": ["<script>"], "nbgrader": {"grade_id": "a"}},
    }
    content = {"cells": [cell], "metadata": {"widgets": {"a": 1}, "title": "<script>"}}
    notebook = read_notebook(json.dumps(content).encode())
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert dict(notebook.cells[0].metadata) == {"nbgrader": {"grade_id": "a"}}


def test_ids_are_distinct_and_the_first_of_two_keeps_its_own():
    cells = [{"id": one} for one in ("a", "a", "cell-0", "", "cell-1")]
    notebook = read_notebook(json.dumps({"cells": cells}).encode())
    ids = [cell.id for cell in notebook.cells]
    assert len({*ids}) == 5
    assert (ids[0], ids[2], ids[4]) == ("a", "cell-0", "cell-1")


def test_attached_pictures_stay_with_their_cell():
    cell = {"cell_type": "markdown", "source": "", "attachments": {"a.png": {"image/png": PNG}}}
    notebook = read_notebook(json.dumps({"cells": [cell]}).encode())
    assert notebook.cells[0].attachments == {"a.png": {"image/png": PNG}}


def test_the_placeholder_is_known_again():
    assert read_notebook(PLACEHOLDER_FILE).metadata["hw5"] == PLACEHOLDER["hw5"]


def test_a_notebook_of_endless_cells_is_cut():
    cells = [{"cell_type": "markdown", "source": "x"}] * 3000
    assert len(read_notebook(json.dumps({"cells": cells}).encode()).cells) == 1000


def unreadable(path: Path) -> str:
    """What the exporter says of a path that is no notebook, which it converts all the same."""
    resources = {"nbgrader": {}}
    text, resources = SubmissionExporter().from_filename(str(path), resources)
    assert json.loads(text)["cells"] == []
    return resources["nbgrader"]["unreadable"]


def test_the_exporter_converts_what_cannot_be_read_into_an_empty_notebook(tmp_path):
    path = tmp_path / "a.ipynb"
    assert "a.ipynb cannot be opened" in unreadable(path)
    path.write_bytes(b"{")
    assert "a.ipynb is not valid JSON" in unreadable(path)
    path.unlink()
    path.mkdir()
    assert unreadable(path) == "a.ipynb is not a file"


def test_a_link_is_not_followed_and_a_fifo_holds_nothing_up(tmp_path):
    secret = tmp_path / "source.ipynb"
    secret.write_text(TEXT)
    link = tmp_path / "a.ipynb"
    link.symlink_to(secret)
    assert unreadable(link) == "a.ipynb is not a file"
    os.mkfifo(tmp_path / "b.ipynb")
    assert unreadable(tmp_path / "b.ipynb") == "b.ipynb is not a file"


def test_new_cells_are_valid():
    for kind in ("code", "markdown"):
        notebook = read_notebook(b'{"cells": []}')
        notebook.cells = [new_cell(kind, "a", "x")]
        nbformat.validate(json.loads(nbformat.writes(notebook)))
