"""Colours of HTML are found, and what could not be read on paper is black."""

from __future__ import annotations

import pytest

from hw5_pages.colours import hexadecimal, readable, stated
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import html, markdown, notebook


@pytest.mark.parametrize(
    ("said", "colour"),
    [
        ("Red", "ff0000"),
        (" #0f0 ", "00ff00"),
        ("rgb(1, 2, 3)", "010203"),
        ("rgba(255, 0, 0, 0.5)", "ff0000"),
        ("rgba(0,0,0,0)", ""),
        ("hsl(240, 100%, 50%)", "0000ff"),
        ("blue !important", "0000ff"),
        ("transparent", ""),
        ("url(#x)", ""),
        ("rgb(9999,0,0)", "ff0000"),
    ],
)
def test_a_colour_is_found_in_any_of_its_forms(said, colour):
    assert hexadecimal(said) == colour


def test_letters_that_could_not_be_read_are_black_or_white():
    assert readable("ff0000") == "ff0000" and readable("ffffff") == readable("ffff00") == ""
    assert readable("ffffff", "222222") == "ffffff" and readable("", "222222") == "ffffff"
    assert readable("eeeeee", "ffffcc") == ""
    assert stated({"style": "background: #eee; border-color: red"}) == ("", "eeeeee")
    assert stated({"style": "color:white"}) == ("", "")


def test_words_and_cells_have_the_colours_that_html_gives_them():
    table = (
        "<style>#T_1_row0_col0, #x { background-color: #ff6347; }</style>"
        '<table><tr><td id="T_1_row0_col0" class="data row0 col0">tomato</td>'
        '<td style="background: navy">white</td></tr></table>'
    )
    words = (
        "<font color=red>redred</font> <span style='color: #00f'>blueblue</span> "
        "<mark>yellow</mark>\n\n<div style='color: teal'>\n\nteal **teal**\n\n</div>\n\n"
        "<span style='color: white'>pale</span>"
    )
    result = printed(notebook(markdown(words), html(table)))
    dots = drawn(result.pdf, 1, scale=3)
    for colour in ((255, 0, 0), (0, 0, 255), (255, 255, 0), (0, 128, 128), (255, 99, 71)):
        assert min(of_colour(dots, colour)) > 5, colour
    assert min(of_colour(dots, (0, 0, 128))) > 20
    assert "pale" in pages(result.pdf)[0]
