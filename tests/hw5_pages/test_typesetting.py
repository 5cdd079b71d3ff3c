"""What Typst refuses costs itself alone; pictures fit; every letter has a font."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from hw5_pages import pandoc, typesetting
from hw5_pages.pictures import HEIGHT
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import code, markdown, notebook, picture, shown, stream
from tests.notebooks_awkward.coursework import coursework


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
    assert (typesetting.SMALLEST - 0.01) * whole < height <= whole + 2
    assert (height < 0.97 * whole) == bool(shrunk)


@pytest.mark.parametrize(("words", "pages"), [(210, 1), (285, 2)])
def test_a_picture_is_halved_where_a_third_of_a_page_would_be_empty(words, pages):
    tall = shown({"image/png": picture(640, 800, "tomato")})
    result = printed(notebook(markdown("Some words. " * words), code("plot()", tall)))
    assert result.map["pages"] == pages
    _, height = of_colour(drawn(result.pdf, pages), (255, 99, 71))
    assert height >= (typesetting.LEAST if pages == 1 else 1) * HEIGHT - 2


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


def test_what_cannot_be_set_is_told_of_its_own_notebook_and_cell():
    answer = "Because $\\nonsense{$, see ![](https://example.org/a.png)."
    first, second = coursework(answer=answer), coursework(part="fc-gan")
    found = printed(first, second).findings
    where = {(one.kind, one.notebook, one.cell) for one in found}
    assert where == {(kind, "1_book", "fc-vae--why") for kind in ("formula", "picture")}


def test_what_typst_itself_refuses_is_replaced_and_told(monkeypatch):
    wrong = {r"\wrong": "nosuchvariable + 1"}
    read = pandoc.read

    def badly(fragments, formulas, *seconds):
        trees, written = read(fragments, formulas, *seconds)
        pairs = zip(formulas, written, strict=True)
        return trees, [next((v for k, v in wrong.items() if k in tex), old) for tex, old in pairs]

    monkeypatch.setattr(pandoc, "read", badly)
    result = printed(notebook(markdown(r"One $a^2$, two $\wrong$, three $b_{97}$.")))
    assert [finding.kind for finding in result.findings] == ["formula"]
    text = pages(result.pdf)[0]
    assert "wrong" in text and "97" in text


def test_without_the_fonts_of_other_scripts_a_sentence_says_so(monkeypatch):
    monkeypatch.setattr(typesetting, "_FONT_PACKAGES", ("no_such_fonts",))
    plain = printed(notebook(markdown("Plain words, Ελληνικά, $x^2$ ✓.")))
    assert plain.findings == ()
    rare = printed(notebook(markdown("你好 🎉")))
    assert [finding.kind for finding in rare.findings] == ["fonts"]


def test_letters_that_no_font_of_the_kit_has_are_told_and_kept():
    result = printed(notebook(markdown("བོད་ཡིག and ᏣᎳᎩ"), code("x", stream("བོད"))))
    (finding,) = result.findings
    assert "letters of Cherokee, Tibetan: they are set in one of this comp" in finding.sentence
    assert "and" in pages(result.pdf)[0]


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
