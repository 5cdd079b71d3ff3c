"""Pictures come out as they are, from allowed places alone, and do no harm."""

from __future__ import annotations

import base64
import os

import pytest

from hw5_notebook import read_notebook
from hw5_pages import print_pdf
from tests.hw5_pages.looking import ADA, drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import code, markdown, notebook, picture, shown
from tests.notebooks_awkward.coursework import save


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
    "a picture of too many dots": "<image width='9' height='9' href='data:image/png;base64,HUGE'/>",
    "a tag that is never closed": "<rect width='9'",
}


@pytest.mark.parametrize("inside", HARMFUL.values(), ids=HARMFUL)
def test_a_drawing_that_does_harm_ends_no_report(inside):
    if "HUGE" in inside:  # made here, where it is needed: that takes a second
        inside = inside.replace("HUGE", picture(9000, 9000))
    head = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'>"
    drawing = f"{head}<rect y='30' width='90' height='30' fill='teal'/>{inside}</svg>"
    result = printed(notebook(code("x", shown({"image/svg+xml": drawing})), markdown("After.")))
    assert "After." in pages(result.pdf)[0]
    assert result.findings or min(of_colour(drawn(result.pdf, 1), (0, 128, 128))) > 20


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
