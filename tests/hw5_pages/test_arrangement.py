"""What stands where: each page is read, and the page map held against it."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from hw5_notebook import parse_notebook
from hw5_pages import arrangement
from hw5_pages.sheet import Sheet
from tests.hw5_pages.looking import CODE, inside, pages, printed, with_code
from tests.notebooks_awkward.cells import code, markdown, notebook, stream
from tests.notebooks_awkward.coursework import article, coursework, graded


def test_the_first_page_shows_whose_it_is_in_large_letters(small):
    sizes: dict[str, float] = {}

    def look(text, _matrix, place, _font, size):
        if text.strip():
            sizes[text.strip()] = max(size * abs(place[3] or 1), sizes.get(text.strip(), 0))

    PdfReader(io.BytesIO(small.pdf)).pages[0].extract_text(visitor_text=look)
    assert sizes["ada1"] > 30
    assert all(size < 30 for text, size in sizes.items() if text != "ada1")
    first = pages(small.pdf)[0]
    for words in ("A small VAE", "DEEP GENERATIVE MODELS", "bob2", "A book"):
        assert words in first


def test_the_list_of_questions_says_their_pages(small):
    first = pages(small.pdf)[0]
    for question in small.map["questions"]:
        page = question["boxes"][0]["page"]
        assert re.search(rf"{question['title']}[ .]*{question['worth']} {page}\b", first)


def test_every_question_starts_a_page_and_the_map_says_where_it_is(small):
    sheets = pages(small.pdf)
    assert [q["key"] for q in small.map["questions"]] == [
        "fc-vae.loss",
        "fc-vae.figures",
        "fc-vae.why",
    ]
    assert small.map["pages"] == len(sheets)
    for question in small.map["questions"]:
        (place,) = question["boxes"]
        text = inside(small.pdf, place["page"], place["box"])
        assert question["title"] in text
        others = [q["title"] for q in small.map["questions"] if q is not question]
        assert not any(title in sheets[place["page"] - 1] for title in others)
    answer = small.map["questions"][2]["boxes"][0]
    assert "would otherwise ignore" in inside(small.pdf, answer["page"], answer["box"])


def test_the_cells_of_a_question_stand_together_and_what_is_between_them_flows_after_it():
    content = coursework()
    more = code("again(samples)", id="fc-vae--figures--again", count=9)
    between = markdown("## See the space\n\nMove the sliders.", "fc-vae--space")
    content["cells"][8:8] = [between, more]
    result = printed(content)
    (place,) = next(q for q in result.map["questions"] if q["key"] == "fc-vae.figures")["boxes"]
    text = inside(result.pdf, place["page"], place["box"])
    assert "draw(samples)" in text and "again(samples)" in text and "sliders" not in text
    assert "Move the sliders." in pages(result.pdf)[place["page"] - 1]


def test_imports_greetings_and_advice_of_checks_are_left_out():
    content = coursework()
    greeting = "Hello from hw5_vae.py!\nhw5_vae.py last edited on Sun Nov 29 10:58:43 2026\n"
    said = "fc-vae.loss: hw5_vae.py\n\n  loss  passed\n        marked unseen: random images\n\n"
    said += "1 of 1 pass. Most mistakes show here, but not all: this promises no full "
    said += "marks.\nThey come from others.\n"
    names = "from a_module import (\n    one,\n    two,\n)\n"
    checked = code("check('fc-vae.loss')", stream(said), id="fc-vae--loss--check", count=5)
    checked["metadata"] = {"nbgrader": {"locked": True}}
    content["cells"][3:3] = [
        code(f"{names}hello_vae()", stream(greeting), id="fc-vae--import", count=3),
        code(f"{names}print(two)", stream(f"{greeting}2 of them\n"), id="fc-vae--use", count=4),
    ]
    content["cells"].insert(8, checked)
    text = " ".join(pages(printed(content).pdf))
    assert "from a_module import … print(two) 2 of them" in text
    assert "loss passed 1 of 1 pass." in text
    for words in ("Hello", "last edited", "hello_vae", "marked unseen", "simplest", "come from"):
        assert words not in text
    plain = printed(notebook(code(f"{names}print(two)"))).pdf
    assert "one, two, )" in pages(plain)[0]


def test_a_question_of_several_pages_has_a_box_on_each():
    long = " ".join(f"word{i}" for i in range(2000))
    result = printed(coursework(answer=long))
    boxes = next(q for q in result.map["questions"] if q["key"] == "fc-vae.why")["boxes"]
    assert len(boxes) >= 3
    assert [box["page"] for box in boxes] == list(range(boxes[0]["page"], result.map["pages"] + 1))
    said = " ".join(inside(result.pdf, box["page"], box["box"]) for box in boxes)
    assert all(f"word{i} " in f"{said} " for i in range(0, 2000, 97))


def test_hints_and_cells_that_nobody_marks_are_left_out(small):
    text = " ".join(pages(small.pdf))
    for words in ("hidden hint", "NETID =", "report()", "import sys", "<Figure>"):
        assert words not in text
    for words in ("print(loss_function(x, y))", "tensor(8.5079)", "torch 2.13.0", "10 of 20 words"):
        assert words in text


def test_what_is_missing_stands_on_the_first_page_and_at_its_place():
    content = coursework(answer="YOUR ANSWER HERE")
    content["cells"][7]["outputs"] = []
    sheets = pages(printed(content).pdf)
    assert "not answered" in sheets[0]
    assert "figure missing" in sheets[0]
    assert any("Not answered." in sheet for sheet in sheets[1:])


def test_several_notebooks_come_in_order_under_one_list():
    other = coursework(part="fc-gan", title="A small GAN", figure="teal")
    result = printed(coursework(), other)
    keys = [question["key"] for question in result.map["questions"]]
    assert keys[0].startswith("fc-vae.") and keys[-1].startswith("fc-gan.")
    starts = [question["boxes"][0]["page"] for question in result.map["questions"]]
    assert starts == sorted(starts)
    first = pages(result.pdf)[0]
    assert first.index("A small VAE") < first.index("A small GAN")


def test_code_stands_behind_the_questions_one_after_the_other(small, appended):
    sheets = pages(appended.pdf)
    before = [one.replace("/ 5", "/ 6") for one in pages(small.pdf)]
    assert [one.replace("code on page 6 ", "") for one in sheets[1:5]] == before[1:]
    assert "code on page 6" in sheets[2]
    loss = sheets[-1]
    assert "Appendix: the code" in loss and "Not written: fc-vae.figures." in loss
    assert "fc-vae.loss" in loss and "hw5_vae.py, lines 7 to 8" in loss
    for words in ("def loss_function(", "x_hat, # (N, 1, 28, 28)", "return kept", "#panic(1)"):
        assert words in loss
    assert "BEGIN" not in loss and "What is asked for" not in loss and "draw" not in loss
    assert re.search(r"Appendix: the code[ .]*6\b", sheets[0])
    assert "Appendix · the code" in loss
    assert not any("Appendix · the code" in one for one in sheets[:-1])


def test_a_file_that_is_no_python_is_said_and_shown():
    broken = with_code(CODE.replace("return kept", "return kept("))
    assert "hw5_vae.py, line 8, is not valid Python" in pages(broken.pdf)[-1]
    assert "return kept(" in pages(broken.pdf)[-1]
    unmarked = "\n".join(line for line in CODE.split("\n") if "###" not in line) + "def f(:\n"
    result = with_code(unmarked)
    assert "is not valid Python" in pages(result.pdf)[-1]
    assert "What is asked for" in pages(result.pdf)[-1] and "def f(:" in pages(result.pdf)[-1]


def test_code_that_fills_a_book_or_holds_what_no_page_can_show_is_cut():
    long = "".join(f"    x{i} = {i}\n" for i in range(600))
    text = CODE.replace("    return kept\n", f"{long}    y = '{'é' * 9000}\x07\ue000'\n")
    result = with_code(text)
    assert result.map["pages"] < 20
    assert "lines left out" in " ".join(pages(result.pdf))
    assert "characters left out" in " ".join(pages(result.pdf))


def test_the_report_is_set_continuously_and_its_cover_does_not_count():
    result = printed(article(), is_article=True)
    sheets = pages(result.pdf)
    assert len(sheets) == 2
    assert "ada1" in sheets[0]
    for words in ("Introduction", "my methodology", "Discussion and conclusion", "Author 3."):
        assert words in sheets[1]
    assert "Instructions" not in " ".join(sheets)
    assert [q["key"] for q in result.map["questions"]] == [
        f"report.{name}" for name in ("introduction", "methodology", "results", "discussion")
    ]
    for question in result.map["questions"]:
        (place,) = question["boxes"]
        name = question["key"].partition(".")[2]
        assert f"What I say in my {name}." in inside(result.pdf, place["page"], place["box"])
    long = printed(article(words="word " * 900), is_article=True)
    assert long.map["pages"] > 5
    assert "too-many-pages" in [finding.kind for finding in long.findings]


def test_a_title_is_printed_once_and_in_plain_words():
    mount = code("# Mount the drive first\nfrom google.colab import drive")
    result = printed(notebook(mount, markdown("# My *answers* to `hw5`")))
    (text,) = pages(result.pdf)
    assert text.count("My answers to hw5") == 1
    assert PdfReader(io.BytesIO(result.pdf)).metadata.title == "My answers to hw5"


def test_answers_in_a_foreign_notebook_of_nbgrader_are_kept():
    cell = markdown("My own words.", metadata=graded("q1", 3))
    assert "My own words." in pages(printed(notebook(markdown("# Homework"), cell)).pdf)[0]


def test_of_a_cell_that_would_fill_a_book_the_first_and_the_last_lines_are_printed():
    book = parse_notebook(notebook(code("first\n" + "x = 1\n" * 9000 + "last")), "book")
    sheet = Sheet(notebook=book)
    arrangement._set_cell(sheet, book.cells[0], None)
    (line,) = sheet.lines
    assert line.startswith('#code("first\\n') and line.endswith('last", "python")')
    assert "… 5,702 lines left out …" in line and line.count("x = 1") == 3298


def test_a_notebook_that_would_fill_a_book_ends_where_that_is_full_and_says_so():
    cells = [code(f"x = {n}\n" * 500) for n in range(100)]
    sheet = _arranged(*cells)
    ends = [n for n, line in enumerate(sheet.lines) if "What follows is left out" in line]
    assert ends == [len(sheet.lines) - 1] and 8 <= len(sheet.lines) < 12
    (finding,) = sheet.findings
    assert "The pages end at cell 9 of book.ipynb: the rest would fill a book." in finding.sentence


def test_outputs_of_one_cell_alone_cannot_fill_a_book():
    wide = {"output_type": "display_data", "data": {"text/plain": ("y" * 1400 + "\n") * 30}}
    sheet = _arranged(code("f()", outputs=[wide] * 45), code("g()"))
    assert len(sheet.lines) < 20 and "What follows is left out" in sheet.lines[-1]


def test_code_with_lines_without_end_is_cut_in_them_too():
    sheet = _arranged(code(f"x = '{'a' * 90_000}'\n" * 300))
    assert len(sheet.lines[-1]) < 100_000 and "characters left out" in sheet.lines[-1]


def _arranged(*cells):
    book = parse_notebook(notebook(*cells), "book")
    sheet = Sheet(notebook=book)
    for cell in book.cells:
        sheet.cell = cell
        arrangement._set_cell(sheet, cell, None)
    return sheet
