"""How a page looks: nothing is cut, and every word can be read and copied."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pytest
import typst
from pypdf import PdfReader

from hw5_pages.typesetting import TEMPLATE
from tests.hw5_pages.looking import drawn, pages, printed
from tests.notebooks_awkward.cells import code, html, markdown, notebook, picture, shown, stream
from tests.notebooks_awkward.coursework import ANSWER


def test_a_designer_can_open_the_template_by_itself(tmp_path):
    typst.compile(TEMPLATE, output=tmp_path / "look.pdf")
    said = "".join(pages((tmp_path / "look.pdf").read_bytes()))
    for words in ("ada1", "A small model", "ANSWER", "Not answered.", "8 rows left out", "why"):
        assert words in said


def test_every_page_but_the_first_has_a_head_with_name_and_question_and_a_number(small):
    sheets = pages(small.pdf)
    for number, text in enumerate(sheets, 1):
        assert f"{number} / {len(sheets)}" in text
    for question in small.map["questions"]:
        text = sheets[question["boxes"][0]["page"] - 1]
        assert text.index("ada1") < text.index(question["title"])
        assert text.count(question["title"]) == 2


def test_a_page_of_the_coursework_looks_as_it_did(small):
    """An answer is set off by a bar at its left, over its whole height and nothing else's."""
    place = small.map["questions"][2]["boxes"][0]
    dots = drawn(small.pdf, place["page"], scale=2)
    accent = (abs(dots[..., ::-1].astype(int) - (29, 79, 124)) < 12).all(-1)
    column = accent[:, int(2 * 56.7) : (2 * 60)].any(1)
    rows = np.nonzero(column)[0]
    box = place["box"]
    assert rows.min() > 2 * box[1]
    assert abs(rows.max() - 2 * box[3]) < 60
    lone = printed(notebook(markdown(ANSWER)))
    accent = (abs(drawn(lone.pdf, 1)[..., ::-1].astype(int) - (29, 79, 124)) < 12).all(-1)
    assert not accent.any()


def test_after_a_picture_that_fills_its_page_there_is_no_empty_one():
    figure = code("", shown({"image/png": picture(480, 480)}))
    result = printed(notebook(markdown("A line.\n\n" * 20), figure))
    assert len(pages(result.pdf)) == 1


@pytest.mark.parametrize(
    "formula",
    ["a + " * 200 + r"\omega", r"\begin{pmatrix}" + "abcd & " * 60 + r"\omega\end{pmatrix}"],
)
def test_a_wide_formula_goes_on_in_other_lines_or_shrinks_and_is_never_cut(formula):
    result = printed(notebook(markdown(f"$$\\tag{{7}} {formula}$$")))
    text = pages(result.pdf)[0]
    assert text.count("𝑎") == formula.count("a ") + formula.count("abcd") and "𝜔" in text
    dots = drawn(result.pdf, 1)
    margin = int(50 * dots.shape[1] / 595)
    assert (dots[:, :margin] > 250).all() and (dots[:, -margin:] > 250).all()


def test_a_formula_that_brackets_hold_together_goes_on_behind_its_commas_or_is_shown_as_typed():
    numbers = ", ".join(map(str, range(1000, 1400)))
    matrix = " & ".join(map(str, range(2000, 2300)))
    shapes = (rf"\left[ {numbers}\right]", rf"\left[\begin{{matrix}}{matrix}\end{{matrix}}\right]")
    result = printed(notebook(*(code("x", shown({"text/latex": f"${one}$"})) for one in shapes)))
    text = " ".join(pages(result.pdf))
    assert all(str(number) in text for number in (*range(1000, 1400), *range(2000, 2300)))
    assert r"\begin" in text.partition("1399")[2] and "\\left" not in text.partition("1399")[0]
    assert min(sizes_of(result.pdf, "1399|2299")) > 7


def test_code_is_wrapped_and_never_cut():
    line = "value = " + " + ".join(f"term_{i}" for i in range(80))
    content = notebook(code(f"{line}\nnext_line = '{'x' * 500}'\n# {'─' * 200}"))
    result = printed(content)
    text = pages(result.pdf)[0]
    assert all(f"term_{i}" in text for i in range(80))
    assert text.replace(" ", "").count("x") >= 500
    dots = drawn(result.pdf, 1)
    margin = int(50 * dots.shape[1] / 595)
    assert (dots[:, :margin] > 250).all()
    assert (dots[:, -margin:] > 250).all()


def test_code_is_highlighted_in_colours():
    dots = drawn(printed(notebook(code("def f(x):\n    return 'text'  # why"))).pdf, 1, scale=2)
    spread = dots.max(-1).astype(int) - dots.min(-1)
    assert (spread > 80).sum() > 50


def test_a_line_of_pages_keeps_every_character_and_does_without_colours():
    line = "x = " + "+".join(f"w{i}" for i in range(9000))
    before = time.process_time()
    result = printed(notebook(code(f"{line}\ny = 'text'  # why")))
    assert time.process_time() - before < 5  # colours alone would take twice that
    words = re.findall(r"w(\d+)[+y]", "".join("".join(pages(result.pdf)).split()))
    assert [int(word) for word in words] == [*range(9000)]
    dots = drawn(result.pdf, result.map["pages"], scale=2)
    assert np.ptp(dots.astype(int), axis=-1).max() < 60


def test_code_is_coloured_in_the_appendix(appended):
    dots = drawn(appended.pdf, 6, scale=2)
    assert (np.ptp(dots.astype(int), axis=-1) > 60).sum() > 500


def test_words_that_no_line_can_hold_are_broken_and_copied_as_they_are():
    address = "https://example.org/" + "abc-DEF_123/" * 6 + "x" * 150
    chain = "model.encoder.layers[0].weight" * 6
    text = f"See {address} and **`{chain}`** and {'word' * 60}.\n\n|a|b|\n|-|-|\n|1|{'y' * 150}|"
    content = notebook(
        markdown(f"# Of `{'q' * 90}`"),
        code(f"url = '{address}'\n{chain}", stream("-" * 300)),
        markdown(f"{text}\n\n## `{chain}`"),
    )
    result = printed(content)
    said = "".join(page.extract_text() for page in PdfReader(io.BytesIO(result.pdf)).pages)
    assert not re.search(r"[\u00ad\u200b-\u200d\u2060\ufeff]", said)
    said = re.sub(r"\s", "", said)
    assert [said.count(word) for word in (address, chain, "word" * 60)] == [2, 3, 1]
    assert "-" * 300 in said and "y" * 150 in said
    for number in range(1, result.map["pages"] + 1):
        assert (drawn(result.pdf, number)[:, -50:] > 250).all()


def frame(columns: int, group: int = 1) -> dict:
    """A table as pandas shows it; its columns in groups of so many."""
    names = "".join(f"<th>column_number_{i}</th>" for i in range(columns))
    above = "".join(f"<th colspan='{group}'>over_{i}</th>" for i in range(columns // group))
    above = f"<tr><th></th>{above}</tr>" if group > 1 else ""
    row = "<th>row_0</th>" + "".join(f"<td>{i}.123456</td>" for i in range(columns))
    head = f"<thead>{above}<tr><th></th>{names}</tr></thead>"
    return html(f"<table>{head}<tbody><tr>{row}</tr></tbody></table>")


def sizes_of(pdf: bytes, pattern: str) -> list[float]:
    """How large, in points, the letters of the words that match are, turned or not."""
    found: list[float] = []

    def look(text, matrix, place, _font, size):
        if re.search(pattern, text):
            a, b, c, d = (float(x) for x in place[:4])
            scale = max(abs(a), abs(b), abs(c), abs(d)) * max(map(abs, map(float, matrix[:4])))
            found.append(size * scale)

    for page in PdfReader(io.BytesIO(pdf)).pages:
        page.extract_text(visitor_text=look)
    return found


@pytest.mark.parametrize(
    ("columns", "group", "first_column"), [(5, 1, 1), (12, 1, 2), (30, 1, 5), (12, 3, 2)]
)
def test_wide_tables_stay_readable(columns, group, first_column):
    result = printed(notebook(frame(columns, group)))
    text = " ".join(pages(result.pdf))
    for i in range(columns):
        assert len(re.findall(rf"column_number_{i}(?!\d)", text)) == 1
        assert f"{i}.123456" in text
    assert text.count("row_0") == first_column  # once in every piece
    assert min(sizes_of(result.pdf, r"\d\.123456")) > 5.5


def test_a_short_cell_a_short_box_and_what_announces_them_are_not_parted_by_a_page():
    cells = []
    for number in range(12):
        box = f"<div class='alert alert-info'>\n\n**Note{number}**\n\nBoxed{number}.\n\n</div>"
        first, last = f"first_{number}()\n", "y()\n" * 5 + f"last_{number}()"
        cells += [markdown(f"Announced{number}:"), code(first + last), markdown(box)]
        cells += [code("x\n" * (number % 7 + 9))]
    texts = pages(printed(notebook(*cells)).pdf)
    assert len(texts) > 3
    for number in range(12):
        (one,) = (text for text in texts if f"Announced{number}:" in text)
        assert f"first_{number}()" in one and f"last_{number}()" in one
        (one,) = (text for text in texts if f"Note{number} " in text)
        assert f"Boxed{number}." in one
