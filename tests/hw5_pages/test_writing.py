"""What pandoc has read stands on the page: links, and pictures from elsewhere."""

from __future__ import annotations

import io

from pypdf import PdfReader

from hw5_pages.sheet import Sheet
from hw5_pages.writing import Writer
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import markdown, notebook


def test_a_picture_from_elsewhere_is_a_quiet_box_with_its_address():
    address = "https://example.org/" + "long-path/" * 20 + "vae.png"
    result = printed(notebook(markdown(f"![The model]({address})")))
    assert [finding.kind for finding in result.findings] == ["picture"]
    text = pages(result.pdf)[0]
    assert "The model:" in text and address in text.replace(" ", "")
    links = PdfReader(io.BytesIO(result.pdf)).pages[0]["/Annots"]  # one for each line
    assert {link.get_object()["/A"]["/URI"] for link in links} == {address}
    assert of_colour(drawn(result.pdf, 1), (163, 37, 28)) == (0, 0)


def test_what_follows_a_displayed_formula_begins_its_line_without_a_blank():
    sheet = Sheet(formulas=[("$$x$$", "x", True), ("$y$", "y", False)])
    text = "so \ue0000\ue001 where \ue0001\ue001 is"
    lines = Writer(sheet, None).inlines([{"t": "Str", "c": text}]).splitlines()
    assert [line for line in lines if line.startswith('"')] == ['"so "', '"where "', '" is"']


def test_a_text_that_is_nested_too_deep_for_a_page_keeps_every_line():
    items = "".join("  " * i + f"- item{i}\n" for i in range(60))
    result = printed(notebook(markdown(items), markdown("- " * 1500 + "innermost")))
    assert [finding.sentence[:32] for finding in result.findings] == [
        "Cell 1 is printed as it was type",
        "Cell 2 is printed as it was type",
    ]
    text = " ".join(pages(result.pdf))
    assert all(f"- item{i} " in text for i in range(60)) and "innermost" in text
