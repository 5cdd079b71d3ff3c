"""What pandoc has read stands on the page: as what it is, with links and pictures."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from hw5_pages import pandoc, texts, writing
from hw5_pages.sheet import Sheet
from hw5_pages.writing import Writer
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import html, markdown, notebook, picture


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


def written(text: str, kind: str = "markdown") -> str:
    """Typst's source of a text, as pandoc reads it."""
    (tree,), _ = pandoc.read([{"format": texts._FORMATS[kind], "text": text}], [])
    return " ".join(Writer(Sheet(), None).blocks(tree).split())


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (
            "> [!WARNING]\n> Mind *it*.",
            'boxed("warning", whole: true, { paragraph(strong({ "Warning" }))',
        ),
        (
            "<div class='alert alert-info'>\n\n**Tip** x\n\n</div>",
            'boxed("info", whole: true, { paragraph(',
        ),
        ("<div style='border: 1px solid'>words</div>", 'boxed("", whole: true, { { "words" } })'),
        ("<div>words</div>", 'paragraph({ "words" })'),
        ("Note[^1].\n\n[^1]: First.\n\n    Second.", 'footnote({ { "First." } paragraph({'),
        ("<center>words</center>", 'align(center, { paragraph({ "words" }) })'),
        ("<p class=x align='center'>words</p>", 'align(center, { paragraph({ "words" }) })'),
        ("<h2 style='text-align:center'>words</h2>", 'align(center, { title(2, { "words" }) })'),
        ("<div align='right'>words</div>", 'align(right, { paragraph({ "words" }) })'),
        ("<p style='text-align:right'>words</p>", 'align(right, { paragraph({ "words" }) })'),
        ("<h1><center>words</center></h1>", 'align(center, { title(1, { { "words" } }) })'),
        ("# <div style='color:white; background:navy'>words</div>", 'highlight(fill: rgb("000080"'),
        ("<div style='color:#fff;background:#123456'>w</div>", 'ground: rgb("123456"), letters: '),
        ("<div style='color:#fff;background:url(x)'>w</div>", 'true, { { "w" } })'),
        ("<kbd>C</kbd>", 'key({ "C" })'),
        ("- [x] done\n- [ ] open", 'tasks(tight: true, { { "☒ done" } }, { { "☐ open" } }, )'),
        ("<textarea rows=2>words</textarea>", 'boxed("", whole: true, { { "words" } })'),
        ("![](x.png)\n*Words*", '") paragraph({ emph({ "Words" }) })'),
        ("- שלום\n- x", "turned({ list("),
        ("# مرحبا", "turned({ title(1"),
        ("- word\n- שלום", 'list(tight: true, { { "word" } }, { turned({ { "שלום" } }) }, )'),
    ],
)
def test_a_text_is_set_as_what_it_is(text, source):
    assert source in written(text)


def test_words_of_html_that_stand_in_lines_of_their_own_are_not_run_together():
    quote = written("<blockquote>Words<footer>Who</footer></blockquote>", "html")
    assert quote == 'quotation({ { "Words" } paragraph({ "Who" }) })'
    assert written("a sound", "html") == 'paragraph({ "a sound" })'  # nor two outputs


def test_a_column_of_numbers_alone_is_aligned_at_its_right():
    rows = "<tr><td rowspan=2>a</td><td>1.5</td><td>x</td></tr><tr><td>-20</td><td>3</td></tr>"
    rows += "<tr><td>7</td><td>nan</td><td>4</td></tr><tr><td colspan=2>none</td><td>1</td></tr>"
    source = written(f"<table><tr><th>A</th><th colspan=2>B</th></tr>{rows}</table>", "html")
    assert source.startswith("grid-of(3, (start, right, start, ),")
    assert 'align: center, body: { { "B" } })' in source


@pytest.mark.parametrize("down", ["2", "'2'", "99999999999"])
def test_cells_of_a_head_that_go_on_below_keep_their_places(down):
    table = (
        f"<table><tr><th colspan=2 rowspan={down}></th><th colspan=2>said</th></tr>"
        "<tr><th>cat</th><th>dog</th></tr>"
        "<tr><th rowspan=2>is</th><th>cat</th><td>50</td><td>3</td></tr>"
        "<tr><th>dog</th><td>4</td><td>40</td></tr></table>"
    )
    result = printed(notebook(html(table), markdown("above\n\n" + table)))
    (text,) = pages(result.pdf)
    assert all(text.count(word) == 2 for word in ("said", "50", "40", "is"))
    if "9" not in down:
        (tree,), _ = pandoc.read([{"format": "html", "text": table}], [])
        (block,) = tree
        rows = block["c"][3][1]
        assert [[cell[2:4] for cell in row[1]] for row in rows] == [[[2, 2], [1, 2]], [[1, 1]] * 2]


def test_several_meanings_of_a_term_are_not_run_together():
    terms = "<dl><dt>VAE</dt><dd>one meaning</dd><dd>another</dd></dl>"
    assert "VAE one meaning another" in pages(printed(notebook(markdown(terms))).pdf)[0]


def test_a_picture_is_kept_in_a_text_with_html_in_it():
    here = f"![](data:image/png;base64,{picture(40, 40, 'tomato')})"
    for text in (
        f"<b>h</b> {here}",
        f"<b>h</b>\n\n|a|b|\n|-|-|\n|{here}|x|",
        f"<b>h</b>\n\n{here}",
    ):
        result = printed(notebook(markdown(text)))
        assert min(of_colour(drawn(result.pdf, 1), (255, 99, 71))) > 15, text


def test_the_bar_of_a_quotation_stands_where_its_lines_begin():
    for words, begins in (("quoted", 56), ("اقتباس", 538)):
        dots = drawn(printed(notebook(markdown(f"> {words}"))).pdf, 1)
        bar = (abs(dots[100:, :, ::-1].astype(int) - (211, 217, 224)) < 8).all(-1).any(0)
        assert any(bar[begins - 3 : begins + 4]), words


def test_links_within_a_notebook_lead_to_its_headings_and_anchors():
    links = "[a](#Part-two%21) [b](#part-two) [c](#here) [d](#nowhere) [e](#top)"
    first = markdown(f"# Title <a id='top'></a>\n{links}\n\n" + "word\n\n" * 60)
    result = printed(
        notebook(first, markdown("## Part two!\n\n<a name='here'></a>\n\n## Part two"))
    )
    reader = PdfReader(io.BytesIO(result.pdf))
    seen = [link.get_object()["/Dest"] for link in reader.pages[0]["/Annots"]]
    pages_of = [reader.get_page_number(dest[0].get_object()) for dest in map(_list_of, seen)]
    assert pages_of == [1, 1, 1, 0] and "d e" in pages(result.pdf)[0]
    other = markdown("[a](#top)")  # of another notebook
    assert (
        "/Annots"
        not in PdfReader(io.BytesIO(printed(notebook(first), notebook(other)).pdf)).pages[-1]
    )


def _list_of(dest):
    return dest.get_object() if hasattr(dest, "get_object") else dest


TABLES = (
    "<table><tr><th>a<th>b<tr><td>1<td>2</table>",
    "<table><thead><th>a</th><th>b</th></thead><tbody><td>1<td>2</tbody></table>",
    "<table><tr><font color=red><th>a</font><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
    "<table><thead><tr><th colspan=2>a</tr></thead><tr><th>b</th><th>c</th></tr>"
    "<tbody><tr><td>1</td><td>2</td></tr></tbody></table>",
    "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr>"
    "<tfoot><tr><td colspan=2>3</td></tr></tfoot><tfoot><tr><td>4</td></tr></tfoot></table>",
    "<table><tr><th>a b</th></tr><tr><td><table><tr><td>1<td>2</table></td></tr></table>",
)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_a_browser_shows_is_a_table(table):
    for kind in ("html", "markdown"):
        made = written(f"{table}\n\nafter", kind)
        assert made.startswith("grid-of(") and made.count("grid-of(") == table.count("<table")
        assert (
            all(f'"{word}"' in made.replace(" b", '" "b') for word in "ab12") and '"after"' in made
        )
    (head, *_) = made.partition('"1"')
    assert ("</thead><tr>" in table) <= ('"c"' in head.split("), ), (")[0])


def test_bars_within_a_table_are_drawn_and_empty_boxes_are_not():
    bar = "<div style='height:20px;width:37.5px;background-color:green'></div>"
    made = written(f"<div style='width:75px; background-color: gray'>{bar}</div>", "html")
    assert made == 'bar(37.5, 20, rgb("008000"))'
    result = printed(notebook(html(f"<table><tr><td>x</td><td>{bar}</td></tr></table>")))
    width, height = of_colour(drawn(result.pdf, 1, scale=2), (0, 128, 0))
    assert (width, height) == pytest.approx((45, 24), abs=2)


def grouped(rows: int, group: int) -> dict:
    """A table as pandas shows it, a cell of the first column for so many rows."""
    lines = ""
    for row in range(rows):
        name = f"<th rowspan='{group}'>group{row // group}</th>" if row % group == 0 else ""
        lines += f"<tr>{name}<td>row{row}</td></tr>"
    return html(f"<table><thead><tr><th></th><th>a</th></tr></thead>{lines}</table>")


def test_of_a_long_table_what_spans_the_rows_that_are_left_out_stands_before_and_after(monkeypatch):
    result = printed(notebook(grouped(90, 90), grouped(180, 30)))
    text = " ".join(pages(result.pdf))
    assert result.findings == ()
    first, second = text.split("row89", 1)
    assert first.count("group0") == 2 and "40 rows left out … row80" in first
    assert [second.count(f"group{number}") for number in range(6)] == [1, 1, 0, 0, 0, 1]
    # What Typst cannot lay out, and names no line for, costs itself alone.
    monkeypatch.setattr(writing, "_shortened", lambda rows, _: [*rows[:40], None, *rows[-10:]])
    result = printed(notebook(markdown("Kept before."), grouped(90, 90), markdown("Kept after.")))
    text = " ".join(pages(result.pdf))
    assert [one.sentence[:32] for one in result.findings] == ["Cell 2 is printed as it was type"]
    assert all(words in text for words in ("Kept before.", "row89", "Kept after."))
