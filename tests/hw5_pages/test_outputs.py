"""Outputs are shown as well as a page can, or named."""

from __future__ import annotations

import io
import re
import time

import numpy as np
import pytest
from pypdf import PdfReader

from hw5_pages import outputs, texts
from tests.hw5_pages.looking import drawn, of_colour, pages, printed
from tests.notebooks_awkward.cells import code, html, markdown, notebook, picture, shown, stream


def interactive(kind: str, plain: str = "") -> dict:
    return code("x", shown({f"application/vnd.{kind}+json": {}, "text/plain": plain}))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (interactive("plotly.v1"), "an interactive figure (plotly)"),
        (html("<div></div><script>Plotly.newPlot('p', [])</script>"), "figure (plotly)"),
        (interactive("vegalite.v5", "<VegaLite 5 object>"), "an interactive figure (Vega)"),
        (interactive("jupyter.widget-view", "interactive(children=())"), "a widget"),
        (interactive("jupyter.widget-view", "HBox(children=(IntSlider(value=0),))"), "a widget"),
        (html("<video controls src='data:video/mp4;base64,AAAA'></video>"), "a video"),
        (html("<audio><source src='data:audio/wav;base64,AA'></audio>", "Audio()"), "a sound"),
        (html("<iframe src='https://example.org/e'>"), "another page: https://example.org/e"),
        (html("<script>" + "x = 1;" * 50 + "</script>"), "an interactive output"),
        (markdown("See <video src='https://example.org/a.mp4'></video>"), "a video: https://exam"),
    ],
)
def test_what_a_page_cannot_show_is_named_in_its_place_and_told(cell, words):
    result = printed(notebook(cell))
    assert words in pages(result.pdf)[0]
    (finding,) = result.findings
    assert finding.kind == "interactive" and "a page cannot show" in finding.sentence


def test_of_what_moves_a_picture_is_printed():
    def frame(number: int, colour: str) -> str:
        lines = "\\\n".join(re.findall(".{1,76}", picture(200, 100, colour)))
        return f'frames[{number}] = "data:image/png;base64,{lines}\\\n"\n'

    frames = frame(0, "red") + frame(1, "lime")
    player = f"<img id='a'><form><label>Once</label></form><script>{frames}</script>"
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'>"
    drawing += "<rect width='90' height='60' fill='teal'/></svg>"
    figure = {"application/vnd.plotly.v1+json": {}, "image/png": picture(120, 80, "navy")}
    result = printed(notebook(html(player), code("x", shown(figure)), html(f"<p>{drawing}</p>")))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    assert "the last of 2 pictures of an animation" in text and "Once" not in text
    dots = drawn(result.pdf, 1)
    assert of_colour(dots, (255, 0, 0)) == (0, 0)
    for colour in ((0, 255, 0), (0, 0, 128), (0, 128, 128)):
        assert min(of_colour(dots, colour)) > 20


def test_a_large_picture_within_html_is_shown_and_outputs_without_one_stand_below_one_another():
    large = picture(250, 250, None)
    assert len(large) > texts.FRAGMENT
    loaders = [shown({"text/html": "<script>" + "x = 1;" * 50 + "</script>"})] * 2
    figure = html(f'<img src="data:image/png;base64,{large}" width="250">')
    result = printed(notebook(figure, code("x", *loaders)))
    assert (np.ptp(drawn(result.pdf, 1).astype(int), axis=-1) > 60).sum() > 5000
    text = PdfReader(io.BytesIO(result.pdf)).pages[0].extract_text()
    assert text.splitlines().count("… an interactive output, which a page cannot show …") == 2


def test_of_what_a_browser_folds_away_and_is_long_the_summary_alone_is_printed():
    def fold(said: str, how: str = "") -> str:
        return f"<details {how}><summary>Of {said[:6]}</summary>{said}</details>"

    inner = fold("inner_" * 300) * 2
    shapes = (f"{fold(inner)} between {fold('short_')}", fold("opened" * 600, "open"))
    text = " ".join(pages(printed(notebook(*map(html, shapes))).pdf))
    assert "characters are folded away … between" in text and "inner_inner_" not in text
    assert "short_" in text.partition("between")[2] and "openedopened" in text
    unended = "<details>" * 9 + "x" * 9000
    assert outputs._folded(unended) == unended


def test_progress_bars_and_loaders_leave_no_trace():
    bar = interactive("jupyter.widget-view", "  0%|          | 0/10 [00:00<?, ?it/s]")
    result = printed(notebook(bar, html("<script>window.PlotlyConfig = {}</script>")))
    assert result.findings == ()
    assert "cannot show" not in pages(result.pdf)[0]


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        ("Epoch 3: 100%|███| 9/9 [00:01<00:00, 9.9it/s, loss=0.5, v=1]", "Epoch 3: loss=0.5, v=1"),
        ("100%|███| 9/9 [00:01<00:00, 9.9it/s, loss=0.5]", "loss=0.5"),
        ("9/9 ━━━━━━━━━━━━━━━━━━━━ 1s 2ms/step - loss: 0.5", "9/9 1s 2ms/step - loss: 0.5"),
        ("1501it [00:16, 92.09it/s, nc: 1 | logz: -8.9 +/- 0.1]", "nc: 1 | logz: -8.9 +/- 0.1"),
        ("Fit: 1501it [00:16, 92.09it/s]", ""),
        ("100%|███| 9/9 [00:01<00:00, 9.9it/s]", ""),
        ("  0%|   | 0/9 [00:00<?, ?it/s]", ""),
        ("     |█████▉                          | 20 kB 21.5 MB/s eta 0:00:01", ""),
        ("━━━━━━━━━━━━━━━━━━━━ 12.3/12.3 MB 9.9 MB/s eta 0:00:00", ""),
    ],
)
def test_of_a_progress_bar_what_was_measured_stays(bar, said):
    assert outputs._terminal(f"  1%|  | 1/9 [00:00<00:01, 9it/s, loss=9]\r{bar}\n") == said


@pytest.mark.parametrize(
    "line", ["            Linear-1      314,000", "98.5%", "━━━━━━━━━━━━━━", "a\tb".expandtabs()]
)
def test_a_line_that_only_looks_like_a_progress_bar_is_printed(line):
    assert outputs._terminal(f"before\n{line}\nafter") == f"before\n{line}\nafter"


def test_of_several_forms_of_an_output_the_one_that_says_most_is_printed():
    folded = "<div>Pipeline, in a browser<pre class='sk-text-repr-fallback'>Pipe</pre></div>"
    source = {"text/latex": r"\begin{Verbatim}x\end{Verbatim}", "text/html": "<pre>f(x)</pre>"}
    words = {"text/latex": r"\begin{equation} a = b \end{equation} and words with $x_2$ between"}
    tree = {"application/json": {"deep": ["ß"]}, "text/plain": "<IPython.core.display.JSON object>"}
    shapes = map(shown, (source, words, tree))
    result = printed(notebook(html(folded, "Pipeline()"), code("x", *shapes, stream("a\tb"))))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    for said in ("Pipeline()", "f(x)", "and words with 𝑥2 between", '"deep": [ "ß" ]'):
        assert said in text
    assert not any(word in text for word in ("browser", "Verbatim", "equation", "object"))


def test_html_is_taken_before_latex_and_markdown_that_are_no_mathematics():
    inline = "<style>li {}</style>\n<ol class=list-inline><li>1.5</li><li>2.5</li></ol>\n"
    vector = {"text/html": inline, "text/latex": r"\begin{enumerate*}\item 1.5\end{enumerate*}"}
    listed = {"text/html": "<dl><dt>$a</dt><dd>7</dd></dl>", "text/markdown": "$a\n:   7\n$b\n: 8"}
    word = {"text/html": "'a word'", "text/latex": "'a word'", "text/markdown": "'a word'"}
    table = {"text/html": "<p>2x1</p><table><tr><td>9</td></tr></table>"}
    table["text/latex"] = r"\begin{tabular}{r}9\\\end{tabular}"
    formula = {"text/html": "f in words", "text/latex": r"$\displaystyle \frac{x}{y}$"}
    result = printed(notebook(code("x", *map(shown, (vector, listed, word, table, formula)))))
    (text,) = pages(result.pdf)
    assert result.findings == ()
    for said in ("1.5 · 2.5", "$a 7", "'a word'", "2x1 9", "𝑥"):
        assert said in text
    assert "item" not in text and "words" not in text


def test_what_a_terminal_prints_in_colours_has_them_and_every_letter_of_it():
    said = "\x1b[1;31m██ ERROR\x1b[0m  bad\n\n    \x1b[38;5;21m██ deep\nstill "
    said += "\x1b[38;2;0;128;0m██ green\x1b[39m not\n"
    bar = "\x1b[32m 50%|██  | 1/2 [00:01<00:01]\x1b[0m\r\x1b[32m100%|███| 2/2 [00:01<00:00]\x1b[0m"
    odd = f"\n\x1b[38;5mx\x1b[38mx\x1b[;;mx\x1b[{'9' * 30}mx\x1b[{'9' * 9000}mx \x1b[97mpale\x1b[0m"
    result = printed(notebook(code("x", stream(said + bar + odd))))
    text = PdfReader(io.BytesIO(result.pdf)).pages[0].extract_text()
    for line in ("ERROR  bad\n", "    ██ deep\nstill ██ green not\n", "xxxxx pale"):
        assert line in text
    assert "%" not in text
    dots = drawn(result.pdf, 1, scale=2)
    for colour in ((178, 43, 49), (0, 0, 255), (0, 128, 0)):
        assert min(of_colour(dots, colour)) > 5


@pytest.mark.parametrize("many", [9_000, 100_000])
def test_a_line_that_changes_its_colour_at_every_letter_is_soon_set(many):
    before = time.process_time()
    printed(notebook(code("x", stream("\x1b[31mx\x1b[32my" * many + "\n" * 40))))
    assert time.process_time() - before < 2


@pytest.mark.parametrize("line", ["a\x08", "1%||1", "━", "0it [1"], ids=repr)
def test_a_long_line_is_soon_read_whatever_is_in_it(line):
    began = time.process_time()
    outputs._terminal(line[0] * 50_000 + "\n" + line + line[-1] * 100_000)
    assert time.process_time() - began < 2


def test_a_picture_or_a_figure_in_a_form_that_is_not_usual_is_shown_or_named():
    kinds = ({"image/bmp": picture(99, 99, "teal", "BMP")}, {"application/pdf": "JVBERi0="})
    result = printed(notebook(code("x", *map(shown, kinds))))
    assert [finding.kind for finding in result.findings] == ["interactive"]
    assert "a figure in PDF, which a page cannot show" in pages(result.pdf)[0]
    assert min(of_colour(drawn(result.pdf, 1), (0, 128, 128))) > 20
