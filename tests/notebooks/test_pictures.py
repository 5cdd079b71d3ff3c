"""The pictures that notebooks show are there, are small, and each is shown somewhere."""

from __future__ import annotations

import importlib
import re

import pytest
from PIL import Image

from autograder.parts import all_mistakes
from tests.notebooks.running import NOTEBOOKS, ROOT, code, read

FILES = sorted((ROOT / "notebooks" / "pictures").glob("*"))
SHOWN = {
    cell.id: name
    for path in NOTEBOOKS
    for cell in code(read(path))
    for name in re.findall(r"^picture\(\s*\"([^\"]+)\"", cell.source, re.MULTILINE)
}


def test_every_picture_that_a_notebook_names_is_there_and_every_file_is_named():
    assert {f"{name}.png" for name in SHOWN.values()} == {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_picture_is_small_and_no_wider_than_a_notebook(file):
    assert file.stat().st_size < 60_000
    with Image.open(file) as picture:
        assert picture.format == "PNG" and picture.width <= 1800 and not picture.text


def test_all_together_they_are_small():
    assert sum(file.stat().st_size for file in FILES) < 2_500_000


def test_a_picture_belongs_to_the_part_of_the_cell_that_shows_it():
    for cell, name in SHOWN.items():
        assert name.split("--")[0] == cell.split("--")[0], cell


def test_every_question_about_a_figure_shows_what_right_and_wrong_look_like():
    asked = {
        "--".join(cell.id.split("--")[:2])
        for path in NOTEBOOKS
        for cell in read(path).cells
        if cell.metadata.get("hw5", {}).get("figure")
    } - {"report--results"}  # the figures of the report are the student's choice
    assert {f"{question}--picture" for question in asked} <= set(SHOWN)


def test_given_pictures_and_tries_are_no_part_of_what_is_handed_in():
    for path in NOTEBOOKS:
        for cell in read(path).cells:
            if cell.id.endswith(("--picture", "--overfit", "--clinic")):
                assert cell.metadata.hw5.aside, cell.id


def test_the_letters_of_a_clinic_are_runs_that_can_be_made_again(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    wards = importlib.import_module("clinic").WARDS
    known = {f"{mistake.question}/{mistake.id}" for mistake in all_mistakes()}
    cells = {cell.id: cell.source for path in NOTEBOOKS for cell in read(path).cells}
    sheets = {part: ward for part, ward in wards.items() if len(ward.runs) > 1}
    assert set(sheets) == {"conv-gan", "fc-gan", "cifar-dcgan", "ae-gan"}
    for part, ward in sheets.items():
        letters = re.findall(r"^\| ([A-Z]) \|", cells[f"{part}--clinic"], re.MULTILINE)
        assert letters == [*ward.runs], part
        assert set(ward.runs.values()) <= {*known, ""}, part
