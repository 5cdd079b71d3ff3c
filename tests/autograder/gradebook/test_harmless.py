"""What formgrader shows of a student's notebook: text and pictures, and nothing that acts."""

from __future__ import annotations

import base64
import json
import re

import pytest
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.gradebook import harmless
from tests.autograder.gradebook.small_course import PNG

HTML = (
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)> text",
    "<svg/onload=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    "<?php ?><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>x</details>",
    "</textarea></div><form action=//evil.example><button>Full credit</button>",
    "```mermaid\n</pre><script>alert(1)</script>\n```",
    "- list\n\n  <script>alert(1)</script>",
    "> <script>alert(1)</script>",
    "| a | b |\n| --- | --- |\n| <script>alert(1)</script> | b |",
    "$$\n</div><script>alert(1)</script>\n$$",
    "\\begin{a}<script>alert(1)</script>\\end{a}",
    "**<script\n>alert(1)</script>**",
    "# <script>alert(1)</script>",
    "[<script>alert(1)</script>](https://example.org)",
    "`` <script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
)

LINKS = (
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click]( javascript:alert(1))",
    "[click](\n<javascript:alert(1)>)",
    "[click](java&#115;cript:alert(1))",
    "[click](javascript&colon;alert(1))",
    "[click](javascript&#58alert(1))",
    "[click](javascript\\:alert(1))",
    "[click](&#x01;javascript:alert(1))",
    "[click](vbscript:x)",
    "[click](data:text/html,<script>alert(1)</script>)",
    "![picture](javascript:alert(1))",
    '[click](javascript:alert(1) "title")',
    "[click][1]\n\n[1]: javascript:alert(1)",
    "[click][1]\n\n[1]:\n  <javascript:alert(1)>",
    "[1]\n\n[1]: java&Tab;script:alert(1)",
    "<javascript:alert(1)>",
    "[a]([click](javascript:alert(1)))",
    '[click](https://example.org"onmouseover="alert(1))',
    '![x](y "\\" onerror=\\"alert(1)")',
    '![x" onerror="alert(1)](y)',
)


PLAIN_TAGS = re.compile(
    "p|h[1-6]|em|strong|del|a|img|[uo]l|li|blockquote|pre|code|span|div|table|thead|tbody|t[rhd]|"
    "hr|br|d[ltd]|input"
)
PLAIN_ATTRIBUTES = {"href", "src", "alt", "title", "class", "id", "type", "disabled", "checked"}
SCHEME = re.compile(r"\W*(?!https?:)[a-z][\w+.-]*:", re.IGNORECASE)


def rendered(source: str, pictures: dict[str, dict[str, str]] | None = None) -> BeautifulSoup:
    """What formgrader puts on its page."""
    renderer = IPythonRenderer(escape=False, attachments=pictures or {})
    page = MarkdownWithMath(renderer=renderer).render(source)
    return BeautifulSoup(page, "html.parser")


def acts(page: BeautifulSoup) -> bool:
    """True when anything on the page could run, or lead to something that does."""
    for tag in page.find_all(True):
        targets = [str(tag.attrs.get(name, "")) for name in ("href", "src")]
        wrong = [target for target in targets if SCHEME.match(target)]
        if not PLAIN_TAGS.fullmatch(tag.name) or set(tag.attrs) - PLAIN_ATTRIBUTES or wrong:
            return True
    return False


def test_what_stays_unescaped_would_act():
    assert all(acts(rendered(source)) for source in (HTML[0], HTML[1], HTML[7], LINKS[0], LINKS[5]))


@pytest.mark.parametrize("source", [*HTML, *LINKS])
def test_nothing_in_markdown_acts(source):
    assert not acts(rendered(harmless.markdown(source, {})))


@pytest.mark.parametrize("source", HTML)
def test_the_text_of_html_is_still_read(source):
    if "alert" in source:
        assert "alert(1)" in rendered(harmless.markdown(source, {})).get_text()


@pytest.mark.parametrize(
    "source",
    [
        "**bold**, `x < y`, $a < b \\le c$ and a list:\n\n- one\n- two",
        "[a link](https://example.org/a?b=c#d), [another](#part) and ![figure](figure.png)",
        "| a | b |\n| --- | --- |\n| 1 | 2 |",
        "$$\n\\begin{aligned} x[i](t) &< 3 \\end{aligned}\n$$",
        "x < 3 and y<3 and 3 < x and ü<ä",
        "See [1] and [2]: both.\n\n[1]: https://example.org",
    ],
)
def test_plain_markdown_stays_as_it_is(source):
    assert harmless.markdown(source, {}) == source


def test_mathematics_keeps_its_meaning():
    said = harmless.markdown("$p(x|z)<q(z)$ and $x<y>z$", {})
    assert rendered(said).get_text().replace("< ", "<").strip() == "$p(x|z)<q(z)$ and $x<y>z$"


def test_what_cannot_be_rendered_is_shown_as_it_was_typed():
    page = rendered(harmless.markdown("Look: ![figure](attachment:missing.png)", {}))
    assert page.pre and "attachment:missing.png" in page.pre.get_text()


def test_an_attached_picture_is_shown():
    pictures = harmless.attachments({"a.png": {"image/png": PNG}})
    page = rendered(harmless.markdown("![figure](attachment:a.png)", pictures), pictures)
    assert page.img and page.img["src"] == f"data:image/png;base64,{PNG}"


def test_only_pictures_are_attached():
    raw = {
        "a.png": {"image/png": '"><script>alert(1)</script>'},
        "b.svg": {"image/svg+xml": "<svg onload=alert(1)>"},
        "c.html": {"text/html": "x"},
        "d": "no bundle",
        "e.png": {"image/png": [PNG[:8] + "\n", PNG[8:]]},
    }
    assert harmless.attachments(raw) == {"e.png": {"image/png": PNG}}
    assert harmless.attachments([1]) == {}


def output(**data: object) -> dict[str, object]:
    return {"output_type": "display_data", "metadata": {"a": 1}, "data": data}


def test_text_and_pictures_of_outputs_are_kept():
    (one,) = harmless.outputs([output(**{"image/png": PNG + "\n", "text/plain": ["<Fig", "ure>"]})])
    assert one["data"] == {"image/png": PNG, "text/plain": "<Figure>"}
    assert one["metadata"] == {}
    (one,) = harmless.outputs([output(**{"image/svg+xml": "<svg></svg>"})])
    assert one["data"] == {"image/svg+xml": "<svg></svg>"}
    (one,) = harmless.outputs([{"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}])
    assert one["text"] == "a\nb"


@pytest.mark.parametrize(
    "kind",
    ["text/html", "application/javascript", "application/vnd.jupyter.widget-view+json", "x/y"],
)
def test_other_outputs_are_left_out_and_their_text_stays(kind):
    (one,) = harmless.outputs([output(**{kind: "<script>alert(1)</script>", "text/plain": "said"})])
    assert one["data"] == {"text/plain": "said"}
    (one,) = harmless.outputs([output(**{kind: "<script>alert(1)</script>"})])
    assert one["data"] == {"text/plain": harmless.LEFT_OUT}


def test_markdown_and_latex_outputs_are_shown_as_text():
    (one,) = harmless.outputs([output(**{"text/markdown": "**a** <b>", "text/plain": "<object>"})])
    assert one["data"] == {"text/plain": "**a** <b>"}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        "text",
        {"a": 1},
        [None, 3, "x"],
        [{}],
        [{"output_type": "stream", "text": 3, "name": ["x"]}],
        [{"output_type": "error", "traceback": "x", "ename": None}],
        [{"output_type": "error", "traceback": [1, "a"], "ename": "a", "evalue": "b"}],
        [{"output_type": "execute_result", "data": {"text/plain": {"a": "b"}}}],
        [{"output_type": "display_data", "data": [1]}],
        [{"output_type": 7}],
    ],
)
def test_outputs_of_any_shape_become_outputs_that_nbformat_accepts(raw):
    import nbformat

    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "", "execution_count": None}
    cell["outputs"] = harmless.outputs(raw)
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    nbformat.validate(json.loads(json.dumps(notebook)))


def test_a_picture_that_is_none_is_left_out():
    bad = '"><script>alert(1)</script>'
    (one,) = harmless.outputs([output(**{"image/png": bad, "text/plain": "x"})])
    assert one["data"] == {"text/plain": "x"}
    fine = base64.b64encode(b"picture").decode()
    (one,) = harmless.outputs([output(**{"image/jpeg": fine})])
    assert one["data"] == {"image/jpeg": fine}


def test_long_texts_are_cut_and_say_so():
    said = harmless.shortened("x" * 100_000)
    assert len(said) < 31_000
    assert said.endswith("and 70,000 more characters")
    assert len(harmless.outputs([{"output_type": "stream", "text": "a"}] * 1000)) == 200


def test_half_characters_become_question_marks():
    assert harmless.text(["a\ud800", "b"]) == "a?b"
    assert harmless.text(3) == harmless.text([1]) == ""
