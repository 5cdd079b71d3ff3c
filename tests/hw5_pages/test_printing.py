"""Notebooks of every kind become a PDF: without loss, the same each time, and without names."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

import hw5_report
from hw5_notebook import About, ReportError, read_notebook
from hw5_pages import pandoc, print_pdf, typesetting
from tests.hw5_pages.looking import ADA, CODE, flat, inside, pages, printed, with_code
from tests.notebooks_awkward.cells import code, markdown, notebook, picture, shown
from tests.notebooks_awkward.coursework import coursework, save
from tests.notebooks_awkward.make import MAKERS

ROOT = Path(__file__).resolve().parents[2]


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
    if awkward.pictures:  # looking for them takes as long as reading the text
        assert sum(len(page.images) for page in sheets) >= awkward.pictures
    if awkward.finding:
        assert awkward.finding in [finding.kind for finding in result.findings]
        assert all(finding.cell for finding in result.findings)


def test_there_are_awkward_notebooks_enough():
    assert len(MAKERS) >= 30


@pytest.mark.daily
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


def test_an_anonymous_pdf_names_nobody():
    said = coursework(answer="As ADA1 and bob2 say.", begin="Data in /home/ada1/data\n")
    result = printed(said, who=About(("ada1",), ("bob2",), ("A book",), None, anonymous=True))
    everything = " ".join(pages(result.pdf)) + str(PdfReader(io.BytesIO(result.pdf)).metadata)
    assert not re.search("ada1|bob2", everything, re.I)
    assert "ada1" not in json.dumps(result.map)
    assert "A book" in everything


def test_a_pdf_without_names_strikes_them_out_of_code_too():
    who = About(netids=("ada1",), discussed=("bob2",), anonymous=True)
    result = with_code(CODE, who)
    text = " ".join(pages(result.pdf))
    assert "ada1" not in text and "bob2" not in text and "••• wrote" in text
    found = with_code(CODE, anonymous=["fc-vae"]).findings
    names = [one.sentence for one in found if one.kind == "name"]
    assert "hw5_vae.py, line 7, shows a name (ada1); this part is marked without names." in names


def test_what_is_given_to_look_at_is_not_printed(small):
    content = coursework()
    pictured = shown({"image/png": picture(40, 30, "lime"), "text/html": "<b>To explore</b>"})
    aside = code("explore(model)", pictured, id="fc-vae--loss--explore", count=None)
    aside["metadata"] = {"hw5": {"aside": True}}
    content["cells"].insert(5, aside)
    assert printed(content).pdf == small.pdf


def test_the_map_says_where_code_is_and_questions_stay_as_they_are(small, appended):
    for one in (small, appended):
        assert [len(q["boxes"]) for q in one.map["questions"]] == [1, 1, 1]
    assert small.map["code"] == [] and small.map["modules"] == []
    (entry,) = appended.map["code"]
    assert (entry["key"], entry["file"], entry["lines"]) == ("fc-vae.loss", "hw5_vae.py", [[7, 8]])
    (place,) = entry["boxes"]
    assert place["page"] == 6 and "return kept" in inside(appended.pdf, 6, place["box"])
    assert appended.map["modules"][0]["name"] == "hw5_vae.py"


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


@pytest.mark.parametrize("name", ["typst", "PIL", "template.typ", "pandoc", "hw5_pages"])
def test_without_one_of_its_tools_it_says_what_to_do(name, monkeypatch, tmp_path):
    broken = tmp_path / "pandoc"
    broken.write_bytes(b"\x7fELF of another machine")
    broken.chmod(0o755)
    said = {
        "typst": "Typst is missing: pip install typst",
        "PIL": "Pillow is missing: pip install pillow",
        "template.typ": f"{tmp_path.name}/template.typ is missing: take the whole folder out of",
        "pandoc": f"{broken} does not work here: pip install pypandoc_binary",
        "hw5_pages": "The folder hw5_pages is missing beside hw5_report.py: take it out of the zip",
    }
    if name == "template.typ":
        monkeypatch.setattr(typesetting, "TEMPLATE", tmp_path / name)
    elif name == "pandoc":
        monkeypatch.setattr(pandoc, "program", lambda: str(broken))
    else:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises((ReportError, SystemExit), match=re.escape(said[name])):
        if name == "hw5_pages":
            runpy.run_path(hw5_report.__file__)
        printed(notebook(markdown("words")))
