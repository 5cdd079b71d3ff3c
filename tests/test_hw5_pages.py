"""Pages are looked at: their text, where it stands, what is drawn, and what never gets out."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from pypdf import PdfReader

import hw5_pages
from hw5_notebook import About, parse_notebook, read_notebook
from hw5_pages import print_pdf
from hw5_written import Asked, Module
from tests.notebooks_awkward.cells import code, markdown, notebook, picture, shown, stream
from tests.notebooks_awkward.coursework import ANSWER, article, coursework, graded, save
from tests.notebooks_awkward.make import MAKERS

ROOT = Path(__file__).resolve().parent.parent
ADA = About(netids=("ada1",), discussed=("bob2",), sources=("A book",))


def printed(*contents, who=ADA, is_article=False):
    books = [parse_notebook(content, f"{i}_book") for i, content in enumerate(contents, 1)]
    return print_pdf(books, who, is_article)


def flat(text: str) -> str:
    return re.sub(r"[\s\u200b]+", " ", text)


def pages(pdf: bytes) -> list[str]:
    return [flat(page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]


def inside(pdf: bytes, page: int, box: list[float]) -> str:
    """The text that stands in a box of the page map, given in points from the top left."""
    sheet = pypdfium2.PdfDocument(pdf)[page - 1]
    height = sheet.get_height()
    left, top, right, bottom = box
    text = sheet.get_textpage()
    return flat(text.get_text_bounded(left - 3, height - bottom - 3, right + 3, height - top + 3))


def drawn(pdf: bytes, page: int, scale: float = 1.0) -> np.ndarray:
    """A page as dots, (height, width, 3)."""
    return pypdfium2.PdfDocument(pdf)[page - 1].render(scale=scale).to_numpy()[..., :3]


def of_colour(dots: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """Width and height in dots of what has this colour (red, green, blue)."""
    rows, columns = np.nonzero((abs(dots[..., ::-1].astype(int) - colour) < 12).all(-1))
    return (0, 0) if not len(rows) else (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


@pytest.fixture(scope="module")
def small():
    """A notebook of the coursework, complete."""
    return printed(coursework())


HEAD = "def loss_function(\n    x_hat,  # (N, 1, 28, 28)\n    mu,\n):\n"
DOCSTRING = '    """What is asked for, ada1."""\n'
CODE = f"""{HEAD}{DOCSTRING}    ### BEGIN YOUR CODE fc-vae.loss
    kept = 'ada1 wrote "this" \\\\ #panic(1)'  # bob2 and $x$
    return kept
    ### END YOUR CODE fc-vae.loss


def draw():
    ### BEGIN YOUR CODE fc-vae.figures
    raise NotImplementedError("fc-vae.figures: write draw (Samples).")
    ### END YOUR CODE fc-vae.figures
"""
ASKED = {"fc-vae.loss": Asked("hw5_vae.py", ("loss_function",))}


def with_code(text: str, who=ADA, **changes):
    """A notebook with this module behind it."""
    modules = {"hw5_vae.py": Module("hw5_vae.py", text.encode())}
    book = parse_notebook(coursework(**changes), "3_fc_vae")
    return print_pdf([book], who, modules=modules, judged=ASKED)


@pytest.fixture(scope="module")
def appended():
    return with_code(CODE)


@pytest.mark.daily
@pytest.mark.parametrize("name", MAKERS)
def test_awkward_notebooks_are_printed(name, tmp_path):
    awkward = MAKERS[name]()
    path = tmp_path / f"{name}.ipynb"
    raw = awkward.content
    path.write_bytes(raw if isinstance(raw, bytes) else json.dumps(raw).encode())
    result = print_pdf([read_notebook(path)], About())
    sheets = PdfReader(io.BytesIO(result.pdf)).pages
    text = flat("\n".join(page.extract_text() for page in sheets))
    assert [words for words in awkward.shows if flat(words) not in text] == []
    assert [words for words in awkward.hides if flat(words) in text] == []
    assert len(sheets) <= awkward.pages
    assert sum(len(page.images) for page in sheets) >= awkward.pictures
    if awkward.finding:
        assert awkward.finding in [finding.kind for finding in result.findings]
        assert all(finding.cell for finding in result.findings)


def test_there_are_awkward_notebooks_enough():
    assert len(MAKERS) >= 30


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_every_notebook_of_the_coursework_is_printed_without_loss(path):
    book = read_notebook(path)
    result = print_pdf([book], ADA, article="report" in book.parts)
    lost = {"formula", "picture", "text", "too-long-text", "fonts"}
    assert [finding for finding in result.findings if finding.kind in lost] == []
    text = " ".join(pages(result.pdf))
    for question in result.map["questions"]:
        assert question["boxes"], question
        assert flat(question["title"]) in text
    assert "MARK SCHEME" not in text
    assert "SOLUTION" not in text
    assert not re.search(r"\$\$|\\(?:frac|begin|mathbb|text)\b", text)


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


def test_every_page_but_the_first_has_a_head_with_name_and_question_and_a_number(small):
    sheets = pages(small.pdf)
    for number, text in enumerate(sheets, 1):
        assert f"{number} / {len(sheets)}" in text
    for question in small.map["questions"]:
        text = sheets[question["boxes"][0]["page"] - 1]
        assert text.index("ada1") < text.index(question["title"])
        assert text.count(question["title"]) == 2


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


def test_an_anonymous_pdf_names_nobody():
    said = coursework(answer="As ADA1 and bob2 say.", begin="Data in /home/ada1/data\n")
    result = printed(said, who=About(("ada1",), ("bob2",), ("A book",), None, anonymous=True))
    everything = " ".join(pages(result.pdf)) + str(PdfReader(io.BytesIO(result.pdf)).metadata)
    assert not re.search("ada1|bob2", everything, re.I)
    assert "ada1" not in json.dumps(result.map)
    assert "A book" in everything


def test_what_is_given_to_look_at_is_not_printed(small):
    content = coursework()
    pictured = shown({"image/png": picture(40, 30, "lime"), "text/html": "<b>To explore</b>"})
    aside = code("explore(model)", pictured, id="fc-vae--loss--explore", count=None)
    aside["metadata"] = {"hw5": {"aside": True}}
    content["cells"].insert(5, aside)
    assert printed(content).pdf == small.pdf


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


def test_code_is_coloured_in_the_appendix(appended):
    dots = drawn(appended.pdf, 6, scale=2)
    assert (np.ptp(dots.astype(int), axis=-1) > 60).sum() > 500


def test_the_map_says_where_code_is_and_questions_stay_as_they_are(small, appended):
    for one in (small, appended):
        assert [len(q["boxes"]) for q in one.map["questions"]] == [1, 1, 1]
    assert small.map["code"] == [] and small.map["modules"] == []
    (entry,) = appended.map["code"]
    assert (entry["key"], entry["file"], entry["lines"]) == ("fc-vae.loss", "hw5_vae.py", [[7, 8]])
    (place,) = entry["boxes"]
    assert place["page"] == 6 and "return kept" in inside(appended.pdf, 6, place["box"])
    assert appended.map["modules"][0]["name"] == "hw5_vae.py"


def test_a_pdf_without_names_strikes_them_out_of_code_too():
    who = About(netids=("ada1",), discussed=("bob2",), anonymous=True)
    result = with_code(CODE, who)
    text = " ".join(pages(result.pdf))
    assert "ada1" not in text and "bob2" not in text and "••• wrote" in text
    found = with_code(CODE, anonymous=["fc-vae"]).findings
    names = [one.sentence for one in found if one.kind == "name"]
    assert "hw5_vae.py, line 7, shows a name (ada1); this part is marked without names." in names


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


def test_code_is_wrapped_and_never_cut():
    line = "value = " + " + ".join(f"term_{i}" for i in range(80))
    content = notebook(code(f"{line}\nnext_line = '{'x' * 500}'"))
    result = printed(content)
    text = pages(result.pdf)[0]
    assert all(f"term_{i}" in text for i in range(80))
    assert text.replace(" ", "").count("x") >= 500
    dots = drawn(result.pdf, 1)
    margin = int(50 * dots.shape[1] / 595)
    assert (dots[:, :margin] > 250).all()
    assert (dots[:, -margin:] > 250).all()


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


def test_a_title_is_printed_once_and_in_plain_words():
    mount = code("# Mount the drive first\nfrom google.colab import drive")
    result = printed(notebook(mount, markdown("# My *answers* to `hw5`")))
    (text,) = pages(result.pdf)
    assert text.count("My answers to hw5") == 1
    assert PdfReader(io.BytesIO(result.pdf)).metadata.title == "My answers to hw5"


def test_code_is_highlighted_in_colours():
    dots = drawn(printed(notebook(code("def f(x):\n    return 'text'  # why"))).pdf, 1, scale=2)
    spread = dots.max(-1).astype(int) - dots.min(-1)
    assert (spread > 80).sum() > 50


def test_pictures_come_out_in_their_colours_and_at_a_sensible_size(small):
    page = small.map["questions"][1]["boxes"][0]["page"]
    width, height = of_colour(drawn(small.pdf, page), (255, 99, 71))
    assert (width, height) == pytest.approx((240, 180), abs=3)
    wide = notebook(code("x", shown({"image/png": picture(3000, 300, "navy")})))
    width, height = of_colour(drawn(printed(wide).pdf, 1), (0, 0, 128))
    assert (width, height) == pytest.approx((482, 48), abs=3)
    tall = notebook(code("x", shown({"image/png": picture(300, 3000, "navy")})))
    width, height = of_colour(drawn(printed(tall).pdf, 1), (0, 0, 128))
    assert height < 500
    digit = notebook(code("x", shown({"image/png": picture(28, 28, "navy")})))
    width, height = of_colour(drawn(printed(digit).pdf, 1), (0, 0, 128))
    assert 40 < width == height < 80


@pytest.mark.parametrize(("lines", "pages", "shrunk"), [(8, 1, 0), (22, 1, 1), (40, 2, 0)])
def test_a_picture_is_shrunk_moderately_where_that_keeps_it_on_its_page(lines, pages, shrunk):
    content = coursework()
    cell = next(one for one in content["cells"] if one["id"] == "fc-vae--figures--draw")
    cell["source"] = "\n".join(f"step_{i} = {i}" for i in range(lines))
    tall = shown({"image/png": picture(500, 560, "tomato")})
    cell["outputs"] = [stream("\n".join(map(str, range(20)))), tall]
    result = printed(content)
    boxes = next(q for q in result.map["questions"] if q["key"] == "fc-vae.figures")["boxes"]
    assert len(boxes) == pages
    width, height = of_colour(drawn(result.pdf, boxes[-1]["page"]), (255, 99, 71))
    assert abs(width / height - 500 / 560) < 0.02
    whole = 0.6 * 560
    assert (hw5_pages.SMALLEST - 0.01) * whole < height <= whole + 2
    assert (height < 0.97 * whole) == bool(shrunk)


def test_mathematics_is_set_and_not_typed():
    tex = r"$$\mathbb{E}_q\left[\log\frac{p(x)}{q(z)}\right] = \begin{pmatrix}1\\2\end{pmatrix}$$"
    result = printed(
        notebook(markdown(f"Before {tex} after, $\\operatorname{{KL}}(q\\|p)\\geq 0$."))
    )
    text = pages(result.pdf)[0]
    assert result.findings == ()
    for words in ("𝔼", "log", "KL", "≥", "Before", "after,"):
        assert words in text
    assert "\\" not in text and "$" not in text


@pytest.mark.parametrize(
    "tex",
    [
        r"a \odot b \otimes c \oplus d \ominus e \cap f",
        r"\begin{vmatrix} a & b \\ c & d \end{vmatrix} \begin{Vmatrix} a \end{Vmatrix}",
        r"\tfrac12 + \dfrac{1}{2} + \dbinom{n}{k} + \mathbbm{1}_{x} + \mathds{R}",
        r"{\bf x}^{\rm T} \color{red}{y} \textcolor{blue}{z} \phantom{w} \smash{v}",
        r"\sum\limits_{i} \displaystyle x \tag{3} \label{eq:x} \nonumber",
        r"a &= b \\ c &= d",
        r"x &lt; y \quad \text{if } z > 0 % a comment",
        r"\left. \frac{df}{dx} \right|_{x=0} \bigg\| \Big[ \big(",
        r"\underbrace{a + b}_{\text{both}} \overset{!}{=} \stackrel{d}{\to} \xrightarrow{n}",
        r"\begin{dcases} 1 & x \\ 0 & y \end{dcases} \not= \mathop{\mathrm{argmin}}_x",
    ],
)
def test_tex_that_pandoc_alone_would_refuse_is_set(tex):
    assert printed(notebook(markdown(f"$${tex}$$"))).findings == ()


@pytest.mark.parametrize(
    ("formula", "harmless"),
    [
        (r"a + b", True),
        (r'upright("#read(1)") x', True),
        (r'upright("\") #read(1)")', True),
        (r"lr(size: #120%, \() x", True),
        (r"#h(2em) \# \$", True),
        (r"#box(stroke: black, inset: 3pt, [$ a = b $])", True),
        ("#read(1)", False),
        (r'upright("a") #panic()', False),
        (r'"unclosed #read(1)', False),
        (r"#scale(x: 120%, y: 120%)[x]", False),
        (r"\\#read(1)", False),
        ("$] #read(1) [$", False),
    ],
)
def test_only_formulas_without_code_are_handed_to_typst(formula, harmless):
    assert hw5_pages._harmless(formula) is harmless


def test_every_string_of_a_notebook_stays_a_string(tmp_path):
    hostile = '\\" + panic("out") + "\n#panic()\\\\" //\r\x00\u2028"'
    source = f"#let said = {hw5_pages._str(hostile)}\n#said.len()"
    import typst

    assert typst.compile(source.encode()).startswith(b"%PDF")


def test_a_failure_names_its_cell_and_keeps_everything_else():
    content = notebook(
        markdown("Kept before.", "a"),
        markdown(r"$$\nosuchcommand{x}$$", "fc-vae--loss"),
        code("y", shown({"image/png": "bm9wZQ=="}), id="b"),
        markdown("Kept after.", "c"),
    )
    result = printed(content)
    assert [(f.kind, f.cell) for f in result.findings] == [
        ("picture", "b"),
        ("formula", "fc-vae--loss"),
    ]
    assert "cell 2 (fc-vae--loss)" in result.findings[1].sentence
    text = pages(result.pdf)[0]
    assert "Kept before." in text and "Kept after." in text and "nosuchcommand" in text


def html(source: str, plain: str = "<IPython.core.display.HTML object>") -> dict:
    return code("x", shown({"text/html": source, "text/plain": plain}))


def interactive(kind: str, plain: str = "") -> dict:
    return code("x", shown({f"application/vnd.{kind}+json": {}, "text/plain": plain}))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (interactive("plotly.v1"), "an interactive figure (plotly)"),
        (html("<div></div><script>Plotly.newPlot('p', [])</script>"), "figure (plotly)"),
        (interactive("vegalite.v5", "<VegaLite 5 object>"), "an interactive figure (Vega)"),
        (interactive("jupyter.widget-view", "interactive(children=())"), "a widget"),
        (html("<video controls src='data:video/mp4;base64,AAAA'></video>"), "a video"),
        (html("<audio><source src='data:audio/wav;base64,AA'></audio>", "Audio()"), "a sound"),
        (html("<iframe src='https://example.org/e'>"), "another page: https://example.org/e"),
        (html("<script>" + "x = 1;" * 50 + "</script>"), "an interactive output"),
        (markdown("See <video src='https://example.org/a.mp4'></video>"), "a video: https://exam"),
    ],
)
def test_what_a_page_cannot_show_is_named_in_its_place_and_told(cell, words):
    result = printed(notebook(cell))
    assert words in pages(result.pdf)[0]
    (finding,) = result.findings
    assert finding.kind == "interactive" and "a page cannot show" in finding.sentence


def test_of_what_moves_a_picture_is_printed():
    def frame(number: int, colour: str) -> str:
        lines = "\\\n".join(re.findall(".{1,76}", picture(200, 100, colour)))
        return f'frames[{number}] = "data:image/png;base64,{lines}\\\n"\n'

    frames = frame(0, "red") + frame(1, "lime")
    player = f"<img id='a'><form><label>Once</label></form><script>{frames}</script>"
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'>"
    drawing += "<rect width='90' height='60' fill='teal'/></svg>"
    figure = {"application/vnd.plotly.v1+json": {}, "image/png": picture(120, 80, "navy")}
    result = printed(notebook(html(player), code("x", shown(figure)), html(f"<p>{drawing}</p>")))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    assert "the last of 2 pictures of an animation" in text and "Once" not in text
    dots = drawn(result.pdf, 1)
    assert of_colour(dots, (255, 0, 0)) == (0, 0)
    for colour in ((0, 255, 0), (0, 0, 128), (0, 128, 128)):
        assert min(of_colour(dots, colour)) > 20


def test_progress_bars_and_loaders_leave_no_trace():
    bar = interactive("jupyter.widget-view", "  0%|          | 0/10 [00:00<?, ?it/s]")
    result = printed(notebook(bar, html("<script>window.PlotlyConfig = {}</script>")))
    assert result.findings == ()
    assert "cannot show" not in pages(result.pdf)[0]


COPY = "<g id='g{}'>" + 10 * "<use href='#g{}'/>" + "</g>"
COPIES = "".join(COPY.format(i, *[i - 1] * 10) for i in range(1, 10))
HARMFUL = {
    "a filter that takes hours": "<filter id='f'><feTurbulence numOctaves='1000000000'/></filter>"
    "<rect width='9' height='9' filter='url(#f)'/>",
    "a filter among the styles": "<rect width='9' height='9' style='filter: blur(1e9px)'/>",
    "groups without end": "<g>" * 20_000 + "</g>" * 20_000,
    "itself": "<g id='a'><use href='#a'/></g><use href='#a'/>",
    "a billion copies": f"<defs><g id='g0'><rect/></g>{COPIES}</defs><use href='#g9'/>",
    "a file": "<image href='file:///etc/passwd' width='9' height='9'/><script>alert(1)</script>",
    "a picture of too many dots": "<image width='9' height='9' href='data:image/png;base64,"
    f"{picture(9000, 9000)}'/>",
    "a tag that is never closed": "<rect width='9'",
}


@pytest.mark.parametrize("inside", HARMFUL.values(), ids=HARMFUL)
def test_a_drawing_that_does_harm_ends_no_report(inside):
    head = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'>"
    drawing = f"{head}<rect y='30' width='90' height='30' fill='teal'/>{inside}</svg>"
    result = printed(notebook(code("x", shown({"image/svg+xml": drawing})), markdown("After.")))
    assert "After." in pages(result.pdf)[0]
    assert result.findings or min(of_colour(drawn(result.pdf, 1), (0, 128, 128))) > 20


NUMBERED = r"""By \eqref{last}, \eqref{a}, $\eqref{s}$ and (\ref{own}), not `\eqref{a}`.

\begin{equation}
a = 1 \label{a}
\end{equation}

\begin{align}
p &= 2 \\ r &= \begin{pmatrix} 3 \\ 4 \end{pmatrix} \nonumber \\ s &= 5 \label{s} \\
\end{align}

$$y = 6 \tag{T} \label{own}$$

$$z = 7$$
"""


def test_equations_that_are_referred_to_have_their_numbers():
    last = r"$$\begin{equation} w = 8 \text{ by \eqref{a}} \label{last} \end{equation}$$"
    result = printed(notebook(markdown(NUMBERED), markdown(last)))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    assert r"By (4), (1), (3) and (T), not \eqref{a}." in text
    for number in ("(1)", "(2, 3)", "(T)", "(4)"):
        assert number in text.partition("not")[2]
    alone = printed(notebook(markdown(r"$$\begin{equation} a = 1 \label{a} \end{equation}$$")))
    assert "(1)" not in pages(alone.pdf)[0]


def test_a_picture_from_elsewhere_is_a_quiet_box_with_its_address():
    address = "https://example.org/" + "long-path/" * 20 + "vae.png"
    result = printed(notebook(markdown(f"![The model]({address})")))
    assert [finding.kind for finding in result.findings] == ["picture"]
    text = pages(result.pdf)[0]
    assert "The model:" in text and address in text.replace(" ", "")
    links = PdfReader(io.BytesIO(result.pdf)).pages[0]["/Annots"]  # one for each line
    assert {link.get_object()["/A"]["/URI"] for link in links} == {address}
    assert of_colour(drawn(result.pdf, 1), (163, 37, 28)) == (0, 0)


def test_pictures_in_the_folder_of_the_notebook_are_printed_and_no_other_file(tmp_path):
    folder = tmp_path / "book"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "my a.png").write_bytes(base64.b64decode(picture(200, 100, "navy")))
    (folder / "words.png").write_text("no picture")
    (tmp_path / "outside.png").write_bytes(base64.b64decode(picture(200, 100, "red")))
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    os.mkfifo(folder / "endless.png")
    refused = ("words.png", "link.png", "endless.png", "gone.png", "../outside.png", "n.ipynb")
    refused += (str(tmp_path / "outside.png"), f"file://{folder}/figures/my%20a.png", "a\x00.png")
    text = "![](figures/my%20a.png)\n\n" + " ".join(f"![]({one})" for one in refused)
    path = save(notebook(markdown(text)), folder / "n.ipynb")
    result = print_pdf([read_notebook(path)], ADA)
    dots = drawn(result.pdf, 1)
    assert min(of_colour(dots, (0, 0, 128))) > 50
    assert of_colour(dots, (255, 0, 0)) == (0, 0)
    assert len(result.findings) == len(refused)
    assert {finding.kind for finding in result.findings} == {"picture"}


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


def test_what_cannot_be_set_is_told_of_its_own_notebook_and_cell():
    answer = "Because $\\nonsense{$, see ![](https://example.org/a.png)."
    first, second = coursework(answer=answer), coursework(part="fc-gan")
    found = printed(first, second).findings
    where = {(one.kind, one.notebook, one.cell) for one in found}
    assert where == {(kind, "1_book", "fc-vae--why") for kind in ("formula", "picture")}


def test_what_typst_itself_refuses_is_replaced_and_told(monkeypatch):
    wrong = {r"\wrong": "nosuchvariable + 1"}
    read = hw5_pages._read

    def badly(fragments, formulas, *seconds):
        trees, written = read(fragments, formulas, *seconds)
        pairs = zip(formulas, written, strict=True)
        return trees, [next((v for k, v in wrong.items() if k in tex), old) for tex, old in pairs]

    monkeypatch.setattr(hw5_pages, "_read", badly)
    result = printed(notebook(markdown(r"One $a^2$, two $\wrong$, three $b_{97}$.")))
    assert [finding.kind for finding in result.findings] == ["formula"]
    text = pages(result.pdf)[0]
    assert "wrong" in text and "97" in text


def test_pandoc_dying_on_one_text_costs_that_text_alone(monkeypatch, tmp_path):
    real = hw5_pages._pandoc()
    fake = tmp_path / "pandoc"
    fake.write_text(
        f"#!{sys.executable}\nimport subprocess, sys\ntext = sys.stdin.buffer.read()\n"
        "if b'KILLER' in text: sys.exit(251)\n"
        f"sys.exit(subprocess.run([{real!r}, *sys.argv[1:]], input=text).returncode)\n"
    )
    fake.chmod(0o755)
    monkeypatch.setattr(hw5_pages, "_pandoc", lambda: str(fake))
    cells = [markdown(text) for text in ("First $a$", "KILLER text", "Third **b**", "Fourth $c$")]
    result = printed(notebook(*cells))
    (finding,) = result.findings
    assert finding.kind == "text" and finding.sentence.startswith("Cell 2 ")
    text = pages(result.pdf)[0]
    assert all(words in text for words in ("First", "KILLER text", "Third b", "Fourth"))


def test_without_the_fonts_of_other_scripts_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(hw5_pages, "_FONT_PACKAGES", ("no_such_fonts",))
    plain = printed(notebook(markdown("Plain words, Ελληνικά, $x^2$ ✓.")))
    assert plain.findings == ()
    rare = printed(notebook(markdown("你好 🎉")))
    assert [finding.kind for finding in rare.findings] == ["fonts"]


def test_letters_of_every_script_have_a_font():
    text = "王小明 かな 한국어 Ωж עברית العربية हिन्दी ไทย தமிழ் ქართული 🎉🚀 ∑∫≤ℝ ✓✗→"
    result = printed(notebook(markdown(text), code("x", stream(text))))
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in PdfReader(io.BytesIO(result.pdf)).pages
        for font in page["/Resources"]["/Font"].values()
    }
    for name in ("CJK", "Emoji", "Devanagari", "Thai", "Tamil", "Georgian"):
        assert any(name in font for font in fonts), name


def test_the_same_notebook_gives_the_same_bytes_anywhere(tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; import datetime\n"
        "from hw5_notebook import About, parse_notebook; from hw5_pages import print_pdf\n"
        "import json; raw = json.loads(Path(sys.argv[2]).read_text())\n"
        "who = About(('ada1',), (), (), datetime.date(2027, 4, 13))\n"
        "sys.stdout.buffer.write(print_pdf([parse_notebook(raw, 'n')], who).pdf)\n"
    )
    results = []
    for seed, folder in (("1", "here"), ("2", "over there")):
        (tmp_path / folder).mkdir()
        path = save(coursework(), tmp_path / folder / "n.ipynb")
        done = subprocess.run(
            [sys.executable, "-c", program, str(ROOT), str(path)],
            cwd=path.parent,
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "TMPDIR": str(path.parent)},
        )
        results.append(done.stdout)
    assert results[0] == results[1]
    assert results[0].startswith(b"%PDF")


def test_outlines_and_details_for_readers_of_the_file(small):
    reader = PdfReader(io.BytesIO(small.pdf))
    assert reader.metadata.title == "A small VAE"
    titles = [
        item.title
        for part in reader.outline
        for item in (part if isinstance(part, list) else [part])
    ]
    assert titles == ["A small VAE", "The loss", "Samples", "Why an encoder"]


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


def test_answers_in_a_foreign_notebook_of_nbgrader_are_kept():
    cell = markdown("My own words.", metadata=graded("q1", 3))
    assert "My own words." in pages(printed(notebook(markdown("# Homework"), cell)).pdf)[0]


@pytest.mark.parametrize(("words", "pages"), [(210, 1), (285, 2)])
def test_a_picture_is_halved_where_a_third_of_a_page_would_be_empty(words, pages):
    tall = shown({"image/png": picture(640, 800, "tomato")})
    result = printed(notebook(markdown("Some words. " * words), code("plot()", tall)))
    assert result.map["pages"] == pages
    _, height = of_colour(drawn(result.pdf, pages), (255, 99, 71))
    assert height >= (hw5_pages.LEAST if pages == 1 else 1) * hw5_pages.HEIGHT - 2
