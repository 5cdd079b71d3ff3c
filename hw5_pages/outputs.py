"""Outputs of cells: of what was printed and shown, the form that a page can show best."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hw5_notebook import MATH, Cell, mapping, text_of

from .colours import of_parts, readable
from .pictures import DATA_URI, keep, picture_file, strips
from .sheet import Sheet, boolean, string, trimmed
from .texts import EMBEDDED, FRAGMENT, embedded, fragment, keep_formula, set_markdown, tell_unshown
from .writing import Writer

COLOURED = 20_000  # changes of colour in a text that has colours; PAINTED: in one on a page
PAINTED = 2000
OUTPUTS = (40, 5)  # of more outputs of one cell the first and the last are printed

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_BAR = re.compile(  # no two repetitions that could share a long run: that would take for ever
    r"^.{0,80}?\d{1,3}%\|.*\|\s{0,9}[\d.,]{1,20}\w{0,9}/.*$"  # tqdm
    r"|^\s*\d{1,3}(?:\.\d+)?%\s*\[[=> .#-]*\].*$"  # downloads
    r"|^.{0,80}?\d{1,20}it \[[\d:].*\]$"
    r"|^.{0,80}?[━╸╺]{10}[━╸╺ ]*\d.*$"  # pip and rich
    r"|^\s{0,9}\|[█▉▊▋▌▍▎▏ ]{10,80}\| [\d.]+ \wB .*$"  # pip as it was
)
_SHARE = re.compile(r"^\s*\d{1,3}(?:\.\d+)?%\s*$")  # how far something is
_BAR_OBJECT = re.compile(r"^(?:[HV]Box\(.*)?(?:Float|Int)Progress\(|^Output\(\)")
_OBJECT = re.compile(r"^(?:[HV]Box|Output)\(|^<IPython\.(?:core\.|lib\.)?display\.")
_PICTURE_KINDS = ("image/svg+xml", "image/png", "image/jpeg", "image/webp", "image/gif")


def set_outputs(sheet: Sheet, cell: Cell) -> None:
    outputs = list(_merged(cell.outputs))
    first, last = OUTPUTS
    for number, output in enumerate(outputs):
        if sheet.is_full():
            break
        if len(outputs) > first + last and first <= number < len(outputs) - last:
            if number == first:
                said = f"{len(outputs) - first - last:,} outputs left out"
                sheet.add(f"#left-out({string(said)})")
            continue
        kind = output.get("output_type")
        if kind == "stream":
            text = _terminal(_with_colours(text_of(output.get("text"))))
            text = _GREETING.sub("", text).strip("\n")
            if is_check(cell):
                text = _ADVICE.sub("", text).strip()
            if text:
                error = boolean(output.get("name") == "stderr")
                sheet.add(_painted(trimmed(text), error))
        elif kind == "error":
            sheet.add(f"#failed({string(_traceback(output))})")
        else:
            set_shown(sheet, mapping(output.get("data")), mapping(output.get("metadata")))


def _merged(outputs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Outputs, with what one stream printed in pieces put together."""
    before: dict[str, Any] | None = None
    for output in outputs:
        stream = output.get("output_type") == "stream"
        if stream and before and before.get("name") == output.get("name"):
            before["text"] += text_of(output.get("text"))
            continue
        if before:
            yield before
        before = {**output, "text": text_of(output.get("text"))} if stream else None
        if not stream:
            yield output
    if before:
        yield before


_COLOUR = re.compile(r"\x1b\[[\d;]{0,40}m")
_MARK = re.compile("([\U000f0000-\U000f8000])")  # five bits of red, green, blue; the last is black
_BLACK = "\U000f8000"
# As Jupyter has them, but for the one that nobody could read on paper.
_NAMED = ("282c36", "b22b31", "007427", "b27d12", "0065ca", "a03196", "258f8f", "5d6875")


def _with_colours(text: str) -> str:
    """Text of a terminal with a mark where another colour begins, in every line anew."""
    if not 0 < text.count("\x1b[") < COLOURED:
        return text
    now, made = _BLACK, []
    for number, piece in enumerate(re.split(rf"({_COLOUR.pattern}|[\r\n]+)", _MARK.sub("", text))):
        if number % 2 and piece[0] == "\x1b":
            now = _colour(piece[2:-1], now)
            made.append(now)
        else:
            made.append(piece + now if number % 2 and now != _BLACK else piece)
    return "".join(made)


def _colour(said: str, now: str) -> str:
    """The mark of the colour that a terminal changes to, by ECMA-48 and xterm's 256 colours."""
    codes = [int(code or 0) for code in said.split(";")]
    while codes:
        code, *codes = codes
        if code in (0, 39):
            now = _BLACK
        elif 30 <= code <= 37 or 90 <= code <= 97:
            now = _mark_of(_NAMED[code % 10])
        elif code in (38, 48) and codes[:1] in ([5], [2]):
            given, codes = (codes[1:2], codes[2:]) if codes[0] == 5 else (codes[1:4], codes[4:])
            now = _mark_of(_extended(given)) if code == 38 else now
    return now


def _extended(given: list[int]) -> str:
    """A colour of xterm's table or of three parts, in hexadecimal digits."""
    if len(given) == 3:
        return of_parts(*given)
    (code,) = given or [0]
    if code < 16:
        return _NAMED[code % 8]
    if code < 232:
        parts = ((code - 16) // 36, (code - 16) // 6 % 6, (code - 16) % 6)
        return of_parts(*(part and 55 + 40 * part for part in parts))
    return of_parts(*[8 + 10 * (code - 232)] * 3)


def _mark_of(colour: str) -> str:
    if not (colour := readable(colour)):
        return _BLACK
    red, green, blue = (int(colour[at : at + 2], 16) >> 3 for at in (0, 2, 4))
    return chr(ord("\U000f0000") + (red << 10 | green << 5 | blue))


def _painted(text: str, error: str) -> str:
    """A line of Typst that prints a text, in the colours of its marks."""
    many = len(re.findall("[\U000f0000-\U000f7fff]", text))
    if not 0 < many < PAINTED:
        return f"#printed({string(_MARK.sub('', text))}, {error})"
    lines = ""
    for line in text.split("\n"):
        runs, colour = "", ""
        for number, piece in enumerate(_MARK.split(line)):
            if number % 2:
                bits = ord(piece) - ord("\U000f0000")
                parts = (bits >> 10, bits >> 5 & 31, bits & 31)
                colour = "" if piece == _BLACK else of_parts(*(8 * part for part in parts))
            elif piece:
                runs += f"({string(piece)}, {string(colour)}), "
        lines += f"({runs}), "
    return f"#painted(({lines}), {error})"


def _terminal(text: str) -> str:
    """What a terminal would still show: no escape codes, nothing overwritten, no progress bars.

    Marks of colours stay.
    """
    lines = []
    for line in _ESCAPE.sub("", text).split("\n"):
        if "\x08" in line or "\t" in line:  # which count letters
            line = _MARK.sub("", line)
        shown = line.rstrip("\r").rsplit("\r", 1)[-1]
        shown = _overtyped(shown) if "\x08" in shown else shown
        overwritten = "\r" in line.rstrip("\r")
        bare = _MARK.sub("", shown)
        gone = overwritten and (not bare.strip() or _SHARE.match(bare))
        bar = _BAR.match(bare)
        if (bar and (shown := _figures(bare))) or not (bar or gone):
            lines.append(shown.rstrip().expandtabs())
    return "\n".join(lines).strip("\n")


def _figures(bar: str) -> str:
    """What a progress bar says besides how far it is, such as the last loss; "" for nothing.

    Epoch 3: 100%|███| 9/9 [00:01<00:00, 9.9it/s, loss=0.5]    9/9 ━━━ 1s 2ms/step - loss: 0.5
    1501it [00:16, 92.09it/s, logz=-8.9]
    """
    if found := re.match(r"(.{0,80}?)\d{1,20}(?:%\||it \[)", bar):
        name = found[1].rstrip()
        said = ", ".join(bar.rpartition("[")[2].rstrip(" ]").split(", ")[2:])
        return f"{name} {said}".strip() if "=" in said or ":" in said else ""
    return re.sub("[━╸╺]+ *", "", bar) if " - " in bar and ": " in bar else ""


def _overtyped(line: str) -> str:
    """A line in which each backspace has taken back the letter before it."""
    kept: list[str] = []
    for letter in line:
        if letter != "\x08":
            kept.append(letter)
        elif kept:
            kept.pop()
    return "".join(kept)


def _traceback(output: dict[str, Any]) -> str:
    lines = output.get("traceback")
    said = "\n".join(map(text_of, lines)) if isinstance(lines, list) else text_of(lines)
    said = said or f"{text_of(output.get('ename'))}: {text_of(output.get('evalue'))}"
    return trimmed(_ESCAPE.sub("", said).strip("\n"))


def set_shown(sheet: Sheet, data: dict[str, Any], metadata: dict[str, Any]) -> None:
    """The form of an output that a page can show best, or what it was."""
    latex, html = text_of(data.get("text/latex")).strip(), text_of(data.get("text/html"))
    plain = _terminal(text_of(data.get("text/plain")))
    if latex and len(latex) < FRAGMENT and (_MATHEMATICS.match(latex) or not html):
        _latex(sheet, latex)
        return
    for kind in (*_PICTURE_KINDS, *(one for one in data if str(one).startswith("image/"))):
        if kind in data:
            width = _pixels(mapping(metadata.get(kind)).get("width"))
            if pieces := strips(sheet, data[kind], width) if kind != _PICTURE_KINDS[0] else []:
                for one in pieces:
                    sheet.add(f"#strip({one})")
                return
            name = picture_file(sheet, kind, data[kind], width, output=True)
            sheet.add(f"#picture({name})" if name else '#missing("a picture that is damaged")')
            return
    if "text/markdown" in data and sheet.cell and not html:
        set_markdown(sheet, sheet.cell, text_of(data["text/markdown"]))
        return
    if frames := _FRAME.findall(html):
        name = picture_file(sheet, frames[-1][0], frames[-1][1].replace("\\", ""), None)
        sheet.add(f"#picture({name})" if name else '#missing("a picture that is damaged")')
        said = f"the last of {len(frames)} pictures of an animation"
        sheet.add(f"#left-out({string(said)})")
        return
    if interactive := _interactive(data, html, plain):
        _unshown(sheet, interactive)
        return
    if plain and _PLAIN_INSTEAD in html:
        html = ""
    elif "application/json" in data and not html:
        plain = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
    seen = _folded(_UNSEEN.sub(" ", _with_styles(html)))
    seen = _IN_A_LINE.sub(lambda m: " · ".join(_ITEM.findall(m[1])), seen)
    seen = EMBEDDED.sub(lambda found: embedded(sheet, found), seen)
    seen = _INLINE_SVG.sub(lambda m: f'<img src="{keep(sheet, "image/svg+xml", m[0])}">', seen)
    tidied = DATA_URI.sub(lambda m: keep(sheet, m[1], m[2]), _printable(seen))
    if tidied and len(tidied) < FRAGMENT:
        sheet.add(fragment(sheet, "html", tidied))
    elif plain and not _OBJECT.match(plain) and not _BAR_OBJECT.match(plain):
        sheet.add(f"#printed({string(trimmed(plain))}, false)")
    elif len(html) > 200:
        _unshown(sheet, "an interactive output")


# What each kind of output that no page shows is known by, in its formats or in its HTML.
_INTERACTIVE = {
    "an interactive figure (plotly)": r"^application/vnd\.plotly|plotly-graph-div|Plotly\.newPlot",
    "an interactive figure (Vega)": r"^application/vnd\.vega|vegaEmbed\(",
    "an interactive figure (Bokeh)": r"^application/vnd\.bokehjs_exec|\bdata-root-id=",
    "an interactive map": r"Make this Notebook Trusted to load map|^application/geo\+json$",
    "a figure in PDF": r"^application/pdf$",
    "a video": r"^video/",
    "a sound": r"^audio/",
    "a widget": r"^application/vnd\.jupyter\.widget-view",
}
_FRAME = re.compile(r"frames\[\d+\]\s*=\s*[\"']data:(image/[\w.+-]+);base64,([^\"']+)")  # to_jshtml
_MATHEMATICS = re.compile(  # other LaTeX, as of code or of a table, says less than HTML does
    r"\s*(?:\$|\\[\[(]|\\begin\{(?:equation|align|gather|multline|eqnarray|displaymath|math)\b)"
)
_PLAIN_INSTEAD = "text-repr-fallback"  # in HTML that folds most of itself away
_UNSEEN = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.S | re.I)
_IN_A_LINE = re.compile(
    r"<(?:ol|ul)\s+class=[\"']?list-inline\b[^<>]*>(.*?)</(?:ol|ul)>", re.S
)  # R's
_ITEM = re.compile(r"<li>(.*?)</li>", re.S)
_INLINE_SVG = re.compile(r"<svg\b(?=[^<>]*\bxmlns=)[^<>]*>.*?</svg\s*>", re.S | re.I)


_STYLED = re.compile(r"<style\b[^<>]*>(.*?)(?:</style\s*>|\Z)", re.S | re.I)
_STYLER = re.compile(  # what names the cells of a table of pandas
    r"\s(?:id=\"T_\w+\"|class=\"(?:data|row_heading|col_heading|blank|index_name)\b[^\"]*\")"
)


def _with_styles(html: str) -> str:
    """HTML in which elements with an id have the colours that its styles give them, as in a table
    of pandas; and that table without its names."""
    rules: dict[str, list[str]] = {}
    for sheet in _STYLED.findall(html) if len(html) < 10 * FRAGMENT else ():
        for rule in sheet.split("}"):
            elements, _, said = rule.partition("{")
            for name in re.findall(r"#([\w-]+)\s*(?=,|\Z)", elements if "color" in said else ""):
                rules.setdefault(name, []).append(said.replace('"', "'").strip(" \n;"))
    styled = html
    if rules:

        def with_style(found: re.Match[str]) -> str:
            said = rules.get(found[1])
            return f'{found[0]} style="{"; ".join(said)}"' if said else found[0]

        styled = re.sub(r'\bid="([\w-]+)"', with_style, html)
    return _STYLER.sub("", styled)


_FOLD = re.compile(r"<details\b(?P<how>[^<>]*)>|</details\s*>", re.I)
_SUMMARY = re.compile(r"\s*<summary\b[^<>]*>.*?</summary\s*>", re.S | re.I)
FOLDED = 3000  # letters that a browser shows only when asked, and that are printed all the same


def _folded(html: str) -> str:
    """HTML in which of what a browser folds away, where that is long, the summary alone stays."""
    kept, at, depth, begun = "", 0, 0, 0
    for tag in _FOLD.finditer(html):
        if tag["how"] is None:
            depth -= depth > 0
            if depth or not begun:
                continue
            inside = html[begun : tag.start()]
            many = len(re.sub(r"<[^<>]*>", "", inside))
            if many > FOLDED:
                summary = _SUMMARY.match(inside)
                said = f"<p><em>… {many:,} characters are folded away …</em></p>"
                kept += html[at:begun] + (summary[0] if summary else "") + said
                at = tag.start()
            begun = 0
        elif depth or not re.search(r"\bopen\b", tag["how"]):
            depth += 1
            begun = begun or tag.end()
    return kept + html[at:]


def _interactive(data: Mapping[str, Any], html: str, plain: str) -> str:
    """What only a browser with a kernel shows, in words; "" for all else, and for progress bars."""
    known = [*data, html]
    found = (name for name, how in _INTERACTIVE.items() if any(re.search(how, k) for k in known))
    said = next(found, "")
    return "" if said == "a widget" and (not plain or _BAR_OBJECT.match(plain)) else said


def _unshown(sheet: Sheet, what: str) -> None:
    """Say on the page what stands there, and to the student that nobody will see it."""
    tell_unshown(sheet, what)
    sheet.add(f"#paragraph(left-out({string(what + ', which a page cannot show')}))")


def _pixels(value: object) -> float | None:
    """The width that an output asks for; None where it is no such number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e5:
        return float(value)
    return None


def _latex(sheet: Sheet, latex: str) -> None:
    """Mathematics, words with mathematics in them, or a table as pandas writes it."""
    if re.search(r"\\begin\{(?:tabular|table|longtable)", latex):
        sheet.add(fragment(sheet, "latex", latex))
        return
    words = MATH.sub("", latex).strip()
    if words and words != latex and sheet.cell:
        set_markdown(sheet, sheet.cell, latex)
        return
    tex = latex.strip("$").strip()
    tex = tex.removeprefix(r"\displaystyle")
    formula = keep_formula(sheet, latex, tex, alone=True)
    if formula:
        sheet.add(f"#{Writer(sheet, sheet.cell).maths(int(formula[1:-1]))}")


def _printable(html: str) -> str:
    """HTML without what only a browser shows; "" when nothing is left."""
    for tag in (
        "script",
        "style",
        "template",
        "noscript",
        "svg",
        "canvas",
        "video",
        "audio",
        "iframe",
        "object",
        "button",
        "select",
    ):
        html = re.sub(rf"<{tag}\b.*?(?:</{tag}\s*>|\Z)", " ", html, flags=re.S | re.I)
    html = re.sub(r"<!--.*?(?:-->|\Z)", " ", html, flags=re.S)
    words = re.sub(r"<[^<>]*>", "", html).strip()
    return html if words or re.search(r"<img\b|<table\b", html, re.I) else ""


def is_check(cell: Cell) -> bool:
    """A given cell that runs visible checks, and says so itself."""
    return bool(cell.nbgrader.get("locked")) and cell.id.endswith("--check")


# Of what is printed, what is for the student alone: in every cell, and by visible checks.
_GREETING = re.compile(r"^(?:Hello from hw5_\w+\.py!|hw5_\w+\.py last edited on .*)\n?", re.M)
_ADVICE = re.compile(
    r"^ +marked unseen: [^\n]*\n|Most mistakes show here, but not\s+all.*", re.M | re.S
)
