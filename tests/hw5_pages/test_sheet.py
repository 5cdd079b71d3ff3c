"""What a notebook says is data in Typst's source."""

from __future__ import annotations

from hw5_pages.sheet import BOOK, WIDE, as_typed, string


def test_every_string_of_a_notebook_stays_a_string(tmp_path):
    hostile = '\\" + panic("out") + "\n#panic()\\\\" //\r\x00\u2028"'
    source = f"#let said = {string(hostile)}\n#said.len()"
    import typst

    assert typst.compile(source.encode()).startswith(b"%PDF")


def test_a_text_that_is_printed_as_it_was_typed_fills_no_book():
    said = as_typed("\n".join(["x" * 99_000] * 300))
    assert said.count("\n") == 299 and len(said) <= BOOK * WIDE // 2
    short = "\n".join(["x" * 200] * 300)
    assert as_typed(short) == short
