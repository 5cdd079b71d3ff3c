"""Pictures come out as they are, from allowed places alone, and do no harm."""

from __future__ import annotations

import base64
import io
import os

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from hw5_notebook import read_notebook
from hw5_pages import pictures, print_pdf
from hw5_pages.sheet import Sheet
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


def drawing(colours: list[str], gap: int = 20) -> str:
    """Bars below one another, 400 x 360 dots each with the white gap below it."""
    image = Image.new("RGB", (400, 360 * len(colours)), "white")
    for number, colour in enumerate(colours):
        image.paste(colour, (30, 360 * number, 370, 360 * (number + 1) - gap))
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def test_a_picture_that_is_taller_than_a_page_is_cut_where_nothing_is_drawn_and_stays_readable():
    colours = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255), "teal": (0, 128, 128)}
    result = printed(notebook(code("x", shown({"image/png": drawing([*colours])}))))
    found = [drawn(result.pdf, page) for page in range(1, result.map["pages"] + 1)]
    for name, colour in colours.items():
        (size,) = (size for dots in found if max(size := of_colour(dots, colour)))
        assert abs(size[0] - 163) < 4 and abs(size[1] - 163) < 4, name
    assert pictures.strips(Sheet(), picture(400, 1300), None) == []  # no taller than a page
    assert pictures.strips(Sheet(), picture(40, 1400, None), None) == []  # without a gap
    assert pictures.strips(Sheet(), picture(1, 60_000), None) == []  # a line, and too many strips
    assert pictures.strips(Sheet(), "no picture", None) == []


def test_a_tiny_picture_is_enlarged_where_it_is_data_and_nowhere_else():
    digit = picture(28, 28, "teal")
    about, out = PngInfo(), io.BytesIO()
    about.add_text("Software", "Matplotlib version 3.11")
    Image.new("RGB", (28, 28), "teal").save(out, "PNG", pnginfo=about)
    drawn_one = base64.b64encode(out.getvalue()).decode()

    def width(content: str, **how: bool) -> str:
        return pictures.picture_file(Sheet(), "image/png", content, None, **how).split(", ")[1]

    assert width(digit, output=True) == "50.4pt"
    assert width(digit) == width(drawn_one, output=True) == "16.8pt"


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"width": "30"}, (30, None)),
        ({"style": "max-width: 100%; height: 2em"}, (None, 32)),
        ({"style": "width:50%", "height": "9px"}, (pictures.WIDTH / 1.2, 9)),
        ({"style": "width: auto", "height": "1e5"}, (None, None)),
        ({"width": ".", "height": "50%"}, (None, None)),
    ],
)
def test_a_picture_is_as_large_as_html_asks(asked, size):
    assert pictures.size_asked(["", [], list(asked.items())]) == pytest.approx(size)
