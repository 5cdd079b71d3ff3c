"""What pandoc has read stands on the page: links, and pictures from elsewhere."""

from __future__ import annotations

import io

from pypdf import PdfReader

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
