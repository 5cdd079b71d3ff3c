"""What a notebook says is data in Typst's source."""

from __future__ import annotations

from hw5_pages.sheet import string


def test_every_string_of_a_notebook_stays_a_string(tmp_path):
    hostile = '\\" + panic("out") + "\n#panic()\\\\" //\r\x00\u2028"'
    source = f"#let said = {string(hostile)}\n#said.len()"
    import typst

    assert typst.compile(source.encode()).startswith(b"%PDF")
