"""The awkward notebooks, each with the words that its PDF must and must not show."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cells import code, failed, markdown, notebook, picture, shown, stream


@dataclass(frozen=True)
class Awkward:
    """A notebook (its JSON, or the bytes of its file) and what must come out of it.

    shows, hides: words that the text of the PDF must, or must not, have; pages: at most so many;
    pictures: at least so many; finding: a kind of finding that must be among them.
    """

    name: str
    content: dict[str, Any] | bytes
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    pages: int = 3
    pictures: int = 0
    finding: str = ""


MAKERS: dict[str, Callable[[], Awkward]] = {}


def awkward(maker: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    """Register a maker under its own name."""
    MAKERS[maker.__name__] = lambda: Awkward(maker.__name__, **maker())
    return maker


@awkward
def empty():
    return {"content": notebook()}


@awkward
def only_empty_cells():
    return {"content": notebook(markdown(""), code(""), markdown("  \n\n "))}


@awkward
def two_hundred_pages_of_output():
    text = "".join(f"step {i}: loss {1000 / (i + 1):.4f}\n" for i in range(12_000))
    return {
        "content": notebook(code("train()", stream(text))),
        "shows": ("step 0:", "step 11999:", "11,968 lines left out"),
        "hides": ("step 6000:",),
    }


@awkward
def one_line_of_a_megabyte():
    text = "x" * 1_000_000
    return {"content": notebook(code("print(x)", stream(text))), "shows": ("left out",)}


@awkward
def thousand_outputs():
    outputs = [shown({"text/plain": f"value {i}"}) for i in range(1000)]
    return {
        "content": notebook(code("for v in values: display(v)", *outputs)),
        "shows": ("value 0", "value 999", "955 outputs left out"),
        "hides": ("value 500",),
    }


@awkward
def picture_of_twenty_megabytes():
    image = picture(2700, 2500, colour=None)
    return {
        "content": notebook(code("imshow(noise)", shown({"image/png": image}))),
        "pictures": 1,
    }


@awkward
def picture_with_too_many_dots():
    bomb = picture(12_000, 6_000, "white")
    return {
        "content": notebook(markdown("Before."), code("bomb", shown({"image/png": bomb}))),
        "shows": ("Before.",),
        "finding": "picture",
    }


@awkward
def damaged_pictures():
    good = base64.b64decode(picture(60, 60))
    cut = base64.b64encode(good[: len(good) // 2]).decode()
    return {
        "content": notebook(
            code("a", shown({"image/png": "this is no base64!"})),
            code("b", shown({"image/png": cut})),
            code("c", shown({"image/svg+xml": "<svg><unclosed"})),
            code("d", shown({"image/jpeg": ""})),
            markdown("After them."),
        ),
        "shows": ("After them.", "damaged"),
        "finding": "picture",
    }


@awkward
def every_kind_of_picture():
    svg = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'><rect width='90' "
    svg += "height='60' fill='teal'/></svg>"
    attached = {"plot.png": {"image/png": picture(80, 40, "orange")}}
    uri = f"data:image/png;base64,{picture(50, 50, 'green')}"
    return {
        "content": notebook(
            code("png", shown({"image/png": picture(300, 200), "text/plain": "<Figure>"})),
            code("jpg", shown({"image/jpeg": picture(300, 200, "red", "JPEG")})),
            code("gif", shown({"image/gif": picture(40, 40, "blue", "GIF")})),
            code("svg", shown({"image/svg+xml": svg})),
            code("tiny", shown({"image/png": picture(28, 28, "black")})),
            markdown("![an attachment](attachment:plot.png) in a line", attachments=attached),
            markdown(f'<img src="{uri}" width="200"/>'),
        ),
        "hides": ("<Figure>",),
        "pictures": 6,
    }


@awkward
def broken_latex():
    return {
        "content": notebook(
            markdown(r"Good $a^2$, bad $\frac{a}{b$, good $c_1$."),
            markdown(r"$$\unknowncommand{x} + \left( y$$"),
            markdown(r"\begin{align} a &= b \\ \end{alig}"),
            markdown("The end."),
        ),
        "shows": ("Good", "unknowncommand", "The end."),
        "finding": "formula",
    }


@awkward
def a_thousand_broken_formulas():
    lines = "\n\n".join(rf"Number {i}: $\brokencommand_{{{i}}}$" for i in range(1000))
    return {"content": notebook(markdown(lines)), "shows": ("Number 999",), "pages": 40}


@awkward
def bare_environments():
    return {
        "content": notebook(
            markdown("\\begin{align}\nalpha &= 12345 \\\\\nbeta &= 67890\n\\end{align}"),
            markdown(
                "Text before\n\\begin{equation*}\nq = 24680 \\tag{7}\n\\end{equation*}\nafter."
            ),
            markdown("$$f = \\begin{cases} 1357 & x > 0 \\\\ 0 & \\text{otherwise} \\end{cases}$$"),
            markdown("$$\\begin{bmatrix} 11 & 12 \\\\ 21 & 22 \\end{bmatrix}$$"),
        ),
        "shows": ("12345", "67890", "24680", "(7)", "1357", "otherwise", "21", "after."),
    }


@awkward
def macros():
    return {
        "content": notebook(
            markdown("$\\newcommand{\\E}{\\mathbb{E}}\\newcommand{\\twice}[1]{#1 + #1}$"),
            markdown("\\newcommand{\\KL}[2]{D(#1\\,\\|\\,#2)}\n\nThen $\\E[\\twice{777}]$."),
            markdown("$$\\KL{31}{41} + \\argmax_x x, \\operatorname*{arg\\,min}_y y$$"),
            markdown(r"$\def\loop{\loop}\loop$ and $\def\a{\a\a}\a$ end."),
        ),
        "shows": ("777 + 777", "31", "41", "arg max", "arg min", "end."),
        "hides": ("twice", "newcommand"),
    }


@awkward
def dollars_that_are_money():
    return {
        "content": notebook(
            markdown("It costs $5 and that one $6. `$not math$` and \\$7."),
            markdown("```\nprice = $x$\n```\nand $ x + 4321 $ with blanks."),
        ),
        "shows": ("$5 and that one $6", "$not math$", "$7", "price = $x$", "4321"),
    }


@awkward
def other_scripts():
    return {
        "content": notebook(
            markdown(
                "# 变分自编码器\n\n中文, 日本語のかな, 한국어, Ελληνικά, кириллица, हिन्दी, ไทย"
            ),
            markdown("עברית מימין לשמאל עם English באמצע.\n\nالعربية من اليمين إلى اليسار."),
            code("print('你好 🎉 мир')", stream("你好 🎉 мир ✓ ∑∫≤ℝ\n")),
            markdown("Emoji 🎉 🚀 ✅ 👩‍💻"),
        ),
        "shows": ("变分自编码器", "日本語", "한국어", "кириллица", "你好"),
    }


@awkward
def combining_and_control_characters():
    return {
        "content": notebook(
            markdown("Z̷̢a̸l̶g̵o̴ e\u0301 \u200bzero\u200bwidth \x00\x01\x02 bell\x07 end\ud800."),
            code("print()", stream("a\x0bb\x0cc\x08\x08d \ue000 0 \ue001 done\n")),
        ),
        "shows": ("end", "done"),
    }


@awkward
def nested_lists_and_code():
    text = "- one\n  1. two\n     - three\n\n       ```python\n       x = 'in a list'\n       ```\n"
    text += (
        "     - four\n\n       > quoted\n       >\n       > - five\n\n- [ ] open\n- [x] closed\n"
    )
    return {"content": notebook(markdown(text)), "shows": ("three", "in a list", "five", "closed")}


@awkward
def nested_too_deep():
    quote, items = "> " * 1500 + "deep", "".join("  " * i + f"- item {i}\n" for i in range(400))
    return {
        "content": notebook(markdown(quote), markdown(items), markdown("After.")),
        "shows": ("After.", "item 5"),
        "pages": 30,
    }


@awkward
def slow_to_parse():
    return {
        "content": notebook(
            markdown("[" * 500),
            markdown("*a **b " * 300),
            markdown("`" * 3001 + " x"),
            markdown("<div>" * 400),
            markdown("$" * 999),
            markdown("\\begin{align}" * 1000),
            markdown("![" * 300),
            markdown("After."),
        ),
        "shows": ("After.",),
        "pages": 60,
    }


@awkward
def html_tables():
    rows = "".join(f"<tr><th>{i}</th><td>{i * i}</td><td>x{i}</td></tr>" for i in range(200))
    frame = "<div><style scoped>.dataframe td {vertical-align: top;}</style><table border='1' "
    frame += "class='dataframe'><thead><tr><th></th><th>square</th><th>name</th></tr></thead>"
    frame += f"<tbody>{rows}</tbody></table><p>200 rows × 2 columns</p></div>"
    spans = "<table><tr><td rowspan=2 colspan=2>big</td><td>a</td></tr><tr><td>b</td></tr></table>"
    return {
        "content": notebook(
            code("df", shown({"text/html": frame, "text/plain": "plain frame"})),
            markdown(f"{spans}\n\n<table><tr><td>ragged</td></tr><tr><td>1<td>2<td>3</table>"),
        ),
        "shows": ("square", "39601", "150 rows left out", "200 rows", "big", "ragged"),
        "hides": ("vertical-align", "plain frame", "x100"),
        "pages": 4,
    }


@awkward
def wide_table():
    head = "".join(f"<th>column_number_{i}</th>" for i in range(30))
    row = "".join(f"<td>{i}.123456</td>" for i in range(30))
    html = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
    return {"content": notebook(code("df", shown({"text/html": html}))), "shows": ("29.12",)}


@awkward
def long_lines_of_code():
    line = "result = some_function(" + ", ".join(f"argument_{i}={i}" for i in range(60)) + ")"
    word = "TOKEN = '" + "0123456789" * 40 + "'"
    return {
        "content": notebook(code(f"{line}\n{word}\nlast_line = 1")),
        "shows": ("argument_59=59", "last_line"),
    }


@awkward
def thousands_of_lines_of_code():
    source = "\n".join(f"value_{i} = {i}  # a comment" for i in range(2000))
    return {"content": notebook(code(source)), "shows": ("value_0", "value_1999"), "pages": 40}


@awkward
def raw_typst_and_shell():
    secret = '#read("/etc/passwd")'
    return {
        "content": notebook(
            markdown(f'{secret} `{secret}` #eval("1+1") #import "@preview/cetz:0.3.0"'),
            markdown(f"```{{=typst}}\n{secret}\n```\n\n`{secret}`{{=typst}}"),
            markdown('::: {typst:text:fill="read(1)"}\nA div.\n:::\n\n[span]{typst:fill=red}'),
            markdown(f"# Heading {secret} {{#read typst:x=y}}\n\n- item {secret}\n\n> {secret}"),
            code("!cat /etc/passwd\n%%bash\nrm -rf /", stream(f"{secret}\n")),
            markdown('"); #panic("broken out"); (" \\"); panic() //  /* $ ] ] } } ) )'),
            markdown(f"[link]({secret}) ![{secret}](x) | a | {secret} |"),
        ),
        "shows": ("#read", "A div.", "span", "panic"),
        "hides": ("root:", "/bin/bash"),
        "finding": "picture",
    }


@awkward
def code_in_formulas():
    attacks = (
        r'#read("/etc/passwd")',
        r'\text{") #read("/etc/passwd") ("}',
        r"\label{x>#read(1)<y}",
        r'\mathrm{#read("x")}',
        r'\operatorname{") #panic() ("}',
        r"a // b",
        r"a /* b",
        r"\#read(1)",
        r'\boxed{\text{$] #read("/etc/passwd") [$}}',
        r'\text{\\") #read("/etc/passwd")}',
        r'\left#\read("/etc/passwd")\right)',
        r"\href{#read(1)}{x}",
        r"\textcolor{#f00}{y}",
        r'\bigl#\read("x")',
        r'\tag{") #panic() ("} x',
        r'\begin{array}{#read("x")} 1 \end{array}',
    )
    cells = [markdown(f"Attack {i}: $${attack}$$ done.") for i, attack in enumerate(attacks)]
    return {
        "content": notebook(*cells),
        "shows": ("Attack 15", "done."),
        "hides": ("root:", "/bin/bash"),
        "pages": 6,
    }


@awkward
def files_and_addresses():
    return {
        "content": notebook(
            markdown("![](/etc/passwd) ![](../hw5_vae.py) ![](file:///etc/passwd)"),
            markdown(
                "<img src='/etc/hostname'> <iframe src='/etc/passwd'></iframe> <embed src='x'>"
            ),
            markdown("\\input{/etc/passwd} \\includegraphics{/etc/passwd} \\write18{ls}"),
            markdown(
                "![](http://localhost:1/x.png) <link rel=stylesheet href='http://localhost:1'>"
            ),
            markdown(
                "![](attachment:../../etc/passwd)",
                attachments={"../../etc/passwd.png": {"image/png": picture(9, 9)}},
            ),
            code(
                "x",
                shown(
                    {
                        "text/html": "<table><tr><td><object data='/etc/passwd'></object>"
                        "<img src='/etc/passwd'>seen</td></tr></table>"
                    }
                ),
            ),
            code(
                "x",
                shown(
                    {
                        "text/latex": "\\begin{tabular}{l}\\input{/etc/passwd}"
                        "\\lstinputlisting{/etc/passwd}x\\end{tabular}"
                    }
                ),
            ),
            code(
                "x",
                shown(
                    {
                        "image/svg+xml": "<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"
                        "<svg xmlns='http://www.w3.org/2000/svg' width='20' "
                        "height='20'><image href='/etc/passwd' width='9' "
                        "height='9'/><rect width='9' height='9'/></svg>"
                    }
                ),
            ),
            markdown("The end."),
        ),
        "shows": ("seen", "The end."),
        "hides": ("root:", "/bin/bash"),
        "finding": "picture",
    }


@awkward
def scripts_and_widgets():
    widget = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
        "text/plain": "HBox(children=(FloatProgress(value=0.0)))",
    }
    plotly = {"text/html": "<div id='x'></div><script>" + "var data = 1;" * 9000 + "</script>"}
    return {
        "content": notebook(
            code("tqdm(x)", shown(widget)),
            code("px.line(x)", shown(plotly)),
            code(
                "HTML(video)",
                shown(
                    {
                        "text/html": "<video controls src='data:video/mp4;base64,AA'>"
                        "</video>" + " " * 300,
                        "text/plain": "<IPython.core.display.HTML object>",
                    }
                ),
            ),
            markdown("<script>alert('no')</script><style>p {color: red}</style>Kept <b>bold</b>."),
        ),
        "shows": ("interactive output", "Kept bold"),
        "hides": ("HBox", "var data", "alert", "IPython.core"),
    }


@awkward
def progress_bars():
    bars = "".join(
        f"\r{i}%|{'█' * (i // 10):10}| {i}/100 [00:0{i % 10}<00:01, 9.9it/s]" for i in range(101)
    )
    down = "".join(f"\r{i}.0%" for i in range(100)) + "\n"
    keras = "".join(f"\b\b\b\b{i:4d}" for i in range(50)) + " finished\n"
    return {
        "content": notebook(
            code(
                "train()",
                stream(bars + "\n", "stderr"),
                stream("epoch 1 loss 0.5\n"),
                stream(down),
                stream(keras),
                stream("a\rb\rvisible\n"),
            ),
        ),
        "shows": ("epoch 1 loss 0.5", "visible", "49 finished"),
        "hides": ("it/s", "99.0%"),
    }


@awkward
def traceback_in_colours():
    lines = [
        "\x1b[0;31m-----------\x1b[0m",
        "\x1b[1;32m<ipython>\x1b[0m in \x1b[36m<module>\x1b[0m",
        "\x1b[0;31mValueError\x1b[0m: it \x1b]8;;http://x\x07went\x1b]8;;\x07 wrong",
    ]
    deep = ["RecursionError: maximum recursion depth"] * 3000
    return {
        "content": notebook(
            code("f()", failed("ValueError", "it went wrong", lines)),
            code("g()", failed("RecursionError", "x", deep)),
            code("h()", {"output_type": "error"}),
        ),
        "shows": ("ValueError: it went wrong", "lines left out"),
        "hides": ("[0;31m",),
        "pages": 4,
    }


@awkward
def links_and_footnotes():
    return {
        "content": notebook(
            markdown(
                "A [link](https://example.org/a?b=c&d=é#f) and <https://example.org>, "
                "[bad](javascript:alert(1)), [local](file:///etc/passwd).[^1]\n\n"
                "[^1]: The *footnote* with $x^{2468}$.\n\n[ref][r]\n\n[r]: https://example.com"
            ),
            markdown("Term with <sup>sup</sup>[^n] in <b>HTML</b>.\n\n[^n]: Another note."),
        ),
        "shows": ("link", "footnote", "2468", "Another note"),
    }


@awkward
def old_format_three():
    cells = [
        {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["An old notebook"]},
        {
            "cell_type": "code",
            "input": ["print 1"],
            "language": "python",
            "metadata": {},
            "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["1\n"]}],
            "collapsed": False,
            "prompt_number": 1,
        },
    ]
    worksheets = [{"cells": cells, "metadata": {}}]
    content = {
        "metadata": {"name": "old"},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": worksheets,
    }
    return {"content": content, "shows": ("An old notebook", "print 1")}


@awkward
def wrong_types_everywhere():
    return {
        "content": {
            "nbformat": 4,
            "metadata": [],
            "cells": [
                None,
                7,
                "cell",
                {},
                {"cell_type": "code"},
                {"cell_type": 3, "source": 5},
                {
                    "cell_type": "markdown",
                    "source": ["kept ", "text"],
                    "metadata": None,
                    "attachments": [],
                },
                {"cell_type": "code", "source": None, "outputs": "no", "execution_count": "x"},
                {
                    "cell_type": "code",
                    "source": "y = 1",
                    "outputs": [
                        None,
                        {},
                        {"output_type": "stream"},
                        {"output_type": "display_data", "data": 3},
                        {
                            "output_type": "display_data",
                            "data": {"image/png": None, "text/plain": 3},
                        },
                        {"output_type": "error", "traceback": 5},
                    ],
                },
                {"cell_type": "raw", "source": "raw text", "metadata": {"nbgrader": []}},
            ],
        },
        "shows": ("kept text", "y = 1", "raw text"),
    }


@awkward
def other_language():
    kernel = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
    return {
        "content": notebook(code("x <- c(1, 2, 3)\nmean(x)", stream("[1] 2\n")), **kernel),
        "shows": ("x <- c(1, 2, 3)", "[1] 2"),
    }


@awkward
def saved_with_a_byte_order_mark():
    raw = json.dumps(notebook(markdown("With a mark: é.")), ensure_ascii=False)
    return {"content": b"\xef\xbb\xbf" + raw.encode(), "shows": ("With a mark: é.",)}


@awkward
def saved_as_latin_1():
    raw = json.dumps(notebook(markdown("Café, naïve.")), ensure_ascii=False)
    return {"content": raw.encode("latin-1"), "shows": ("Café, naïve.",)}


@awkward
def html_that_is_never_closed():
    return {
        "content": notebook(
            markdown("<div><b>never closed <i>at all"),
            markdown("```python\nnever = 'closed'"),
            markdown("<!-- a comment without end"),
            markdown("A cell of its own."),
        ),
        "shows": ("never closed", "never = 'closed'", "A cell of its own."),
    }


@awkward
def written_by_sympy_and_pandas():
    return {
        "content": notebook(
            code(
                "expr",
                shown(
                    {
                        "text/latex": r"$\displaystyle \frac{x^{5}}{97531}$",
                        "image/png": picture(9, 9),
                        "text/plain": "x**5/97531",
                    }
                ),
            ),
            code(
                "df.style",
                shown(
                    {
                        "text/latex": "\\begin{tabular}{lr}\\toprule a & b \\\\ "
                        "\\midrule 1 & 86420 \\\\ \\end{tabular}"
                    }
                ),
            ),
            code("md", shown({"text/markdown": "*Shown* **Markdown** $y_{1}$"})),
        ),
        "shows": ("97531", "86420", "Shown Markdown"),
        "hides": ("x**5",),
    }


@awkward
def details_and_hidden_things():
    return {
        "content": notebook(
            markdown("<details><summary>A hint</summary>\n\nThe **hidden** words.\n\n</details>"),
            markdown("<!-- a secret remark -->Seen."),
        ),
        "shows": ("A hint", "hidden", "Seen."),
        "hides": ("secret remark",),
    }


@awkward
def a_page_of_colab():
    cell = code("1 + 1", shown({"text/plain": "2"}))
    cell["metadata"] = {
        "id": "AbC123",
        "colab": {"base_uri": "https://localhost"},
        "executionInfo": {"user": {"displayName": "Ada Lovelace", "userId": "7"}},
    }
    del cell["id"]
    return {
        "content": notebook(cell, colab={"name": "x.ipynb", "provenance": []}),
        "shows": ("1 + 1",),
        "hides": ("Lovelace",),
    }
