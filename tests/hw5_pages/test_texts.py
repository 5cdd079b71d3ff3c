"""Texts are made ready for pandoc: what stays in them, and what is kept beside them."""

from __future__ import annotations

import pytest

from hw5_notebook import parse_notebook
from hw5_pages.sheet import Sheet
from hw5_pages.texts import set_markdown
from tests.notebooks_awkward.cells import markdown, notebook


def kept(source: str) -> Sheet:
    """What a cell with this text becomes, before pandoc has read it."""
    cell = parse_notebook(notebook(markdown(source)), "a").cells[0]
    sheet = Sheet(cell=cell)
    set_markdown(sheet, cell, source)
    return sheet


def test_formulas_are_taken_out_of_the_text_and_code_stays():
    sheet = kept("One $a^2$, `$code$` and\n\n$$b$$")
    assert [(tex, alone) for _, tex, alone in sheet.formulas] == [("a^2", False), ("b", True)]
    (text,) = [fragment["text"] for fragment in sheet.fragments]
    assert text == "One \ue0000\ue001, `$code$` and\n\n\ue0001\ue001\n"


def test_brackets_that_are_only_escaped_stay_words():
    words = r"\[find `eigh`, of a Hermitian x_1\] and \(so on\)"
    assert kept(words).formulas == []
    assert [tex for _, tex, _ in kept(r"\[x_1\]").formulas] == ["x_1"]


def test_a_macro_holds_for_what_follows():
    sheet = kept("$\\newcommand{\\E}{\\mathbb{E}}$ and $\\E x$")
    assert [tex for _, tex, _ in sheet.formulas] == ["{\\mathbb{E}} x"]


def test_a_picture_in_the_text_is_kept_once_and_named_there():
    address = "data:image/png;base64,AAAA"
    sheet = kept(f"![]({address}) and ![]({address})")
    (name,) = sheet.pictures
    assert sheet.fragments[0]["text"] == f"![]({name}) and ![]({name})\n"


def test_a_text_that_is_too_long_is_printed_as_it_was_typed_and_told():
    sheet = kept("word " * 30_000)
    assert sheet.fragments == [] and str(sheet.lines[0]).startswith('#plain("word word')
    assert [finding.kind for finding in sheet.findings] == ["too-long-text"]


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("So:\n| a | b |\n|---|:-:|\n| 1 | 2 |", "So:\n\n| a | b |\n|---|:-:|\n| 1 | 2 |"),
        ("- so\n  a | b\n  --|--", "- so\n\n  a | b\n  --|--"),
        ("> so\n> | a |\n> |---|", "> so\n>\n> | a |\n> |---|"),
        *(
            (same, same)
            for same in (
                "```\nSo:\n| a | b |\n|---|---|\n```",  # code
                "So:\na | b\n---",  # a heading
                "So:\n`a|b` | c\n--|--|--",  # of other columns
                "So:\n\n| a | b |\n|---|---|",
            )
        ),
    ],
)
def test_a_table_right_below_a_text_is_set_apart_from_it(said, given):
    assert kept(said).fragments[0]["text"] == f"{given}\n"
