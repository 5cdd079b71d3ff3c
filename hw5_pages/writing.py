"""Writes what pandoc has read, with its lists, tables, links and pictures, in Typst's source."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from hw5_notebook import Cell, mapping

from .colours import stated
from .pictures import beside, picture_file, size_asked
from .sheet import Sheet, boolean, is_long, string

ROWS = (40, 10)  # of a longer table the first and the last are printed
NESTED = 30  # levels of lists and quotes

_ALIGNED = {"AlignLeft": "left", "AlignRight": "right", "AlignCenter": "center"}
_NUMBER = re.compile(
    r"[-−+]?[$€£]?(?:\d[\d,.]*|\.\d+)(?:e[-+]?\d+)?\s*%?|[-−+]?inf|nan|none|na|<na>|[-–—]?", re.I
)
_BOXES = {  # the classes of Bootstrap, of GitHub and of docutils
    "info": "alert-info note important seealso",
    "success": "alert-success tip hint",
    "warning": "alert-warning warning attention",
    "danger": "alert-danger danger error caution",
    "": "alert admonition",
}
_TASKS = ("☐", "☒")
_TURNS = ("Para", "Plain", "Header", "BulletList", "OrderedList", "BlockQuote", "Table")


class Writer:
    """Writes pandoc's tree as Typst code; every word of the notebook in a string literal."""

    def __init__(self, sheet: Sheet, cell: Cell | None) -> None:
        self.sheet, self.cell, self.depth, self.turned = sheet, cell, 0, False

    def blocks(self, blocks: Sequence[dict[str, Any]]) -> str:
        self.depth += 1
        if self.depth > NESTED:  # no page has room for more, and Typst refuses much more
            raise RecursionError
        written = self._joined(blocks, beside=self.depth > 1)
        self.depth -= 1
        return written

    def _joined(self, blocks: Sequence[dict[str, Any]], beside: bool) -> str:
        """Blocks one below the other. beside: the first words stand beside the mark of a list, or
        in a table; all others make a paragraph."""
        written = []
        for number, block in enumerate(blocks):
            alone = block["t"] == "Plain" and not (beside and number == 0)
            written.append(self.block({**block, "t": "Para"} if alone else block))
        return "\n".join(filter(None, written))

    def block(self, block: dict[str, Any]) -> str:
        kind, content = block["t"], block.get("c")
        write = getattr(self, f"_{kind.lower()}", None)
        if not write:
            return ""
        turned = not self.turned and kind in _TURNS and _right_to_left(self._first(content))
        self.turned |= turned
        written = write(content)
        self.turned &= not turned
        return f"turned({{\n{written}\n}})" if turned else written

    def _first(self, tree: Any) -> str:
        """The first word below a node."""
        if isinstance(tree, dict):
            return tree["c"] if tree.get("t") == "Str" else self._first(tree.get("c"))
        found = map(self._first, tree) if isinstance(tree, list) else iter(())
        return next(filter(None, found), "")

    def inlines(self, inlines: Sequence[dict[str, Any]]) -> str:
        """A block of code whose pieces join: strings, calls and formulas, one a line."""
        pieces: list[str] = []
        text = ""
        for inline in inlines:
            kind: str = inline["t"]
            content: Any = inline.get("c")
            if kind == "Str":
                text += content
            elif kind in ("Space", "SoftBreak"):
                text += " "
            elif kind == "Quoted":
                marks = "‘’" if content[0]["t"] == "SingleQuote" else "“”"
                pieces += [*self._string(text + marks[0]), self.inlines(content[1])]
                text = marks[1]
            elif write := getattr(self, f"_i_{kind.lower()}", None):
                pieces += [*self._string(text), write(content)]
                text = ""
        pieces += self._string(text)
        return "{\n" + "\n".join(piece for piece in pieces if piece) + "\n}"

    def _string(self, text: str) -> list[str]:
        """Text, and the formulas that stand in it."""
        written: list[str] = []
        displayed = False
        for i, piece in enumerate(re.split("\ue000(\\d+)\ue001", text)):
            if i % 2:
                written.append(self.maths(int(piece)))
                displayed = written[-1].startswith("display(")
            elif said := piece.lstrip() if displayed else piece:  # which begins a line then
                written.append(f"any-word({string(said)})" if is_long(said) else string(said))
        return written

    def maths(self, number: int) -> str:
        if number >= len(self.sheet.formulas):
            return ""
        tag = self.sheet.tags.get(number, "")
        how = (
            f"display({number}, {string(tag)}, "
            if self.sheet.formulas[number][2]
            else (f"inline({number}, ")
        )
        return f"{how}\ue003{number}\ue001)"

    def restored(self, text: str) -> str:
        """Text in which formulas are as they were written."""
        formulas = self.sheet.formulas
        return re.sub(
            "\ue000(\\d+)\ue001",
            lambda m: formulas[int(m[1])][0] if int(m[1]) < len(formulas) else "",
            text,
        )

    def _para(self, content: list[Any]) -> str:
        image = content[0] if len(content) == 1 and content[0]["t"] == "Image" else None
        if image:
            return self._picture(image["c"], alone=True)
        kinds = [one["t"] for one in content]
        if kinds[:2] == ["Image", "SoftBreak"] and "Image" not in kinds[1:]:  # its caption below
            picture = self._picture(content[0]["c"], alone=True)
            return f"{picture}\n{self._para(content[2:])}"
        how = "announcement" if words(content).rstrip().endswith((":", "：")) else "paragraph"
        return f"{how}({self.inlines(content)})"

    def _plain(self, content: list[Any]) -> str:
        return (
            self._para(content)
            if content and content[0]["t"] == "Image"
            else (self.inlines(content))
        )

    def _header(self, content: list[Any]) -> str:
        mark = self._mark(content[1][0]) or self._mark(words(content[2]))
        said = _painted(content[1], _after(mark, self.inlines(content[2])))
        return _aligned(content[1], f"title({content[0]}, {said})")

    def _codeblock(self, content: list[Any]) -> str:
        classes = [name for name in content[0][1] if name != "sourceCode"]
        return f"code({string(self.restored(content[1]))}, {string(classes[0] if classes else '')})"

    def _lineblock(self, content: list[Any]) -> str:
        lines = "\nlinebreak()\n".join(map(self.inlines, content))
        return f"paragraph({{\n{lines}\n}})"

    def _rawblock(self, content: list[Any]) -> str:
        return ""

    def _blockquote(self, content: list[Any]) -> str:
        return f"quotation({{\n{self.blocks(content)}\n}})"

    def _items(self, items: list[Any]) -> str:
        return "".join(f"{{\n{self.blocks(item)}\n}},\n" for item in items)

    def _mark(self, name: str) -> str:
        """A place that links of this notebook lead to; "" where none does."""
        number = self._target(name)
        if number is None or number in self.sheet.reached:
            return ""
        self.sheet.reached.add(number)
        return f"here-is({number})\n"

    def _target(self, name: str) -> int | None:
        book = self.sheet.notebook.name if self.sheet.notebook else ""
        return self.sheet.targets.get((book, _key(name)))

    def _bulletlist(self, content: list[Any]) -> str:
        if all(self._first(item[:1]) in _TASKS for item in content):
            return f"tasks(tight: {self._tight(content)},\n{self._items(content)})"
        return f"list(tight: {self._tight(content)},\n{self._items(content)})"

    def _orderedlist(self, content: list[Any]) -> str:
        start, style = content[0][0], content[0][1]["t"]
        shape = {"LowerAlpha": "a", "UpperAlpha": "A", "LowerRoman": "i", "UpperRoman": "I"}
        shown = string(shape.get(style, "1") + ".")
        tight = self._tight(content[1])
        start = min(max(start, 0), 10**9)
        return (
            f"enum(start: {start}, numbering: {shown}, tight: {tight},\n{self._items(content[1])})"
        )

    def _tight(self, items: list[Any]) -> str:
        return boolean(all(not item or item[0]["t"] == "Plain" for item in items))

    def _definitionlist(self, content: list[Any]) -> str:
        rows = [
            f"terms.item({self.inlines(term)}, {{\n"
            + "\n".join(
                self._joined(definition, beside=number == 0)
                for number, definition in enumerate(definitions)
            )
            + "\n}),\n"
            for term, definitions in content
        ]
        return f"terms({''.join(rows)})"

    def _horizontalrule(self, content: None) -> str:
        return "rule"

    def _div(self, content: list[Any]) -> str:
        (_, classes, attributes), blocks = content
        if "title" in classes or "admonition-title" in classes:
            return "\n".join(f"paragraph(strong({self.inlines(one['c'])}))" for one in blocks)
        boxes = [box for box, names in _BOXES.items() if {*names.split()} & {*classes}]
        mark = self._mark(content[0][0])
        if boxes or re.search(r"\b(?:background|border)\b", dict(attributes).get("style", "")):
            letters, ground = stated(dict(attributes))
            if not words(blocks).strip() and "picture(" not in (inside := self.blocks(blocks)):
                return mark + (_bar(ground, dict(attributes).get("style", "")) or inside)
            about = f", ground: rgb({string(ground)})" if ground else ""
            about += f", letters: rgb({string(letters)})" if ground and letters else ""
            about += ", whole: true" if _is_short(blocks) else ""
            kind = string(boxes[0] if boxes else "")
            return f"{mark}boxed({kind}{about}, {{\n{self.blocks(blocks)}\n}})"
        written = _aligned(content[0], _painted(content[0], self._joined(blocks, beside=False)))
        return mark + written

    def _figure(self, content: list[Any]) -> str:
        caption = self.blocks(content[1][1])
        return self.blocks(content[2]) + (f"\ncaption({{\n{caption}\n}})" if caption else "")

    def _table(self, content: list[Any]) -> str:
        _, caption, columns, head, bodies, foot = content
        width = len(columns)
        if not 0 < width <= 80:
            return f"plain({string(words(content))})"
        rows = [row for body in bodies for row in (*body[2], *body[3])] + foot[1]
        cut = ""
        if len(rows) > sum(ROWS) + 1:
            cut = f"{len(rows) - sum(ROWS):,} rows left out"
            rows = _shortened(rows, width)
        numbers = self._numbers([row for row in rows if row], width)
        usual = ["right" if one else "start" for one in numbers]
        shape = "".join(
            f"{_ALIGNED.get(column[0]['t'], other)}, "
            for column, other in zip(columns, usual, strict=True)
        )
        cells = "".join(self._row(row, width) for row in rows)
        top = "".join(self._row(row, width) for row in head[1])
        written = f"grid-of({width}, ({shape}), ({top}), ({cells}), {string(cut)})"
        said = self.blocks(caption[1])
        return written + (f"\ncaption({{\n{said}\n}})" if said else "")

    def _numbers(self, rows: list[Any], width: int) -> list[bool]:
        """Which columns hold numbers alone; cells that span several count for none."""
        held: list[list[str]] = [[] for _ in range(width)]
        for column, cell in (one for row in _in_columns(rows, width) for one in row):
            if cell[3] == 1 and column < width:
                held[column].append(words(cell[4]).strip())
        return [any(said) and all(map(_NUMBER.fullmatch, said)) for said in held]

    def _row(self, row: list[Any] | None, width: int) -> str:
        if row is None:  # here some are left out
            return "none,\n"
        written, used = "", 0
        for attributes, align, down, across, blocks in row[1]:
            across = min(across, width - used)
            if across < 1:
                break
            used += across
            usual = "auto" if across == 1 else "center"
            about = f"down: {max(down, 1)}, align: {_ALIGNED.get(align['t'], usual)}"
            letters, ground = stated(dict(attributes[2]))
            about += f", fill: rgb({string(ground)})" if ground else ""
            body = _in_colour(letters, f"{{\n{self.blocks(blocks)}\n}}")
            written += f"({about}, body: {body}),\n"
            written += "auto,\n" * (across - 1)  # columns that it spans
        return f"(\n{written}),\n"

    def _i_emph(self, content: list[Any]) -> str:
        return f"emph({self.inlines(content)})"

    def _i_strong(self, content: list[Any]) -> str:
        return f"strong({self.inlines(content)})"

    def _i_underline(self, content: list[Any]) -> str:
        return f"underline({self.inlines(content)})"

    def _i_strikeout(self, content: list[Any]) -> str:
        return f"strike({self.inlines(content)})"

    def _i_superscript(self, content: list[Any]) -> str:
        return f"super({self.inlines(content)})"

    def _i_subscript(self, content: list[Any]) -> str:
        return f"sub({self.inlines(content)})"

    def _i_smallcaps(self, content: list[Any]) -> str:
        return f"smallcaps({self.inlines(content)})"

    def _i_cite(self, content: list[Any]) -> str:
        return self.inlines(content[1])

    def _i_code(self, content: list[Any]) -> str:
        source = self.restored(content[1])
        return f"{'any-code' if is_long(source) else 'raw'}({string(source)})"

    def _i_math(self, content: list[Any]) -> str:
        return f"raw({string(content[1])})"

    def _i_linebreak(self, content: None) -> str:
        return "linebreak()"

    def _i_span(self, content: list[Any]) -> str:
        letters, ground = stated(dict(content[0][2]))
        ground = ground or ("ffff00" if "mark" in content[0][1] else "")
        written = _in_colour(letters, self.inlines(content[1]))
        written = f"key({written})" if "kbd" in content[0][1] else written
        written = f"highlight(fill: rgb({string(ground)}), {written})" if ground else written
        return _after(self._mark(content[0][0]), written)

    def _i_note(self, content: list[Any]) -> str:
        first = [{**one, "t": "Plain"} if one["t"] == "Para" else one for one in content[:1]]
        return f"footnote({{\n{self.blocks([*first, *content[1:]])}\n}})"

    def _i_link(self, content: list[Any]) -> str:
        address, text = self.restored(content[2][0]), self.inlines(content[1])
        if re.match(r"(?:https?://|mailto:)[^\s]{1,2000}$", address):
            return f"link({string(address)}, {text})"
        number = self._target(address[1:]) if address[:1] == "#" else None
        return text if number is None else f"jump({number}, {text})"

    def _i_image(self, content: list[Any]) -> str:
        return self._picture(content, alone=False)

    def _picture(self, content: list[Any], alone: bool) -> str:
        """A picture in the notebook or beside it; of one from elsewhere its address is printed."""
        attributes, label, (address, _) = content
        cell, sheet = self.cell, self.sheet
        where = cell.name if cell else "this notebook"
        name = ""
        if address.startswith("attachment:"):
            import urllib.parse

            wanted = address.removeprefix("attachment:")
            held = mapping(cell.attachments if cell else None)
            found = mapping(held.get(wanted) or held.get(urllib.parse.unquote(wanted)))
            kinds = [(k, v) for k, v in found.items() if str(k).startswith("image/")]
            if kinds:
                name = picture_file(sheet, *kinds[0], *size_asked(attributes))
            else:
                sheet.note("picture", f"The picture {wanted} is missing from {where}.")
        elif address in sheet.pictures:
            kind, data = json.loads(sheet.pictures[address])
            name = picture_file(sheet, kind, data, *size_asked(attributes))
        elif there := beside(sheet.notebook, address):
            name = picture_file(sheet, *there, *size_asked(attributes))
        else:
            sentence = (
                f"The picture {address[:80]} in {where} is not there, and the PDF shows only "
                "what is inside the notebook or in its folder: drag the file into the cell instead."
            )
            sheet.note("picture", sentence)
        if not name and re.match(r"https?://[^\s]{1,2000}$", address):
            return f"elsewhere({string(self.restored(words(label)))}, {string(address)})"
        if not name:
            said = words(label) or address[:80]
            return f"missing({string('picture not in the notebook: ' + self.restored(said))})"
        written = f"picture({name})" if alone else f"small-picture({name})"
        caption = words(label).strip()
        told = len(caption.split()) > 2
        return f"{written}\ncaption({self.inlines(label)})" if alone and told else written


def _is_short(blocks: Sequence[dict[str, Any]]) -> bool:
    """A few paragraphs of words, for which there is always room on a page."""
    said = words(blocks)
    plain = {"Para", "Plain"}
    shallow = all(
        one["t"] in plain or (one["t"] == "Div" and all(p["t"] in plain for p in one["c"][1]))
        for one in blocks
    )
    large = "\ue000" in said or any(kind in str(blocks) for kind in ("'Image'", "'LineBreak'"))
    return len(blocks) <= 4 and len(said) < 600 and shallow and not large


def _in_columns(rows: Sequence[Any], width: int) -> Iterator[list[tuple[int, list[Any]]]]:
    """The cells of each row, as pandoc has them, with the columns in which they begin."""
    below = [0] * width  # rows that a cell above still fills
    for row in rows:
        placed, at = [], 0
        for cell in row[1]:
            _, _, down, across, _ = cell
            while at < width and below[at]:
                below[at] -= 1
                at += 1
            placed.append((at, cell))
            for column in range(at, min(at + across, width)):
                below[column] = down - 1
            at += across
        below[at:] = [max(rest - 1, 0) for rest in below[at:]]
        yield placed


def _shortened(rows: Sequence[Any], width: int) -> list[Any]:
    """The first and the last rows of a long table, None for those between. A cell that goes on over
    what is left out ends there, and stands once more in the last rows."""
    first, last = ROWS
    then = len(rows) - last

    def spanning(cell: list[Any], down: int) -> list[Any]:
        return [*cell[:2], down, *cell[3:]]

    upper = [
        [row[0], [spanning(cell, min(cell[2], first - at)) for cell in row[1]]]
        for at, row in enumerate(rows[:first])
    ]
    placed = list(_in_columns(rows, width))
    open_ones = [
        (column, spanning(cell, at + cell[2] - then))
        for at, row in enumerate(placed[:then])
        for column, cell in row
        if at + cell[2] > then
    ]
    begun = sorted([*open_ones, *placed[then]], key=lambda one: one[0])
    return [*upper, None, [rows[then][0], [cell for _, cell in begun]], *rows[then + 1 :]]


def words(tree: Any) -> str:
    """All words below a node."""
    if isinstance(tree, dict):
        if tree.get("t") in ("Str", "Space", "SoftBreak", "LineBreak"):
            return tree.get("c") or " "
        if tree.get("t") in ("Code", "CodeBlock", "Math", "RawInline", "RawBlock"):
            return str(tree["c"][-1])
        return words(tree.get("c", ""))
    # Not by recursion alone: a tree may be deeper than Python's stack.
    if isinstance(tree, list):
        return "".join(words(one) for one in tree)
    return ""


def linked(tree: Any) -> set[str]:
    """The places in a text, as pandoc has read it, that its own links may lead to and that are
    there, each with a `#` before it where it is a link."""
    found: set[str] = set()
    left = [tree]
    while left:  # not by recursion: a tree may be deeper than Python's stack
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            kind: str = node.get("t", "")
            content: Any = node.get("c")
            left.append(content)
            if kind in ("Header", "Span", "Div"):
                found.add(_key(content[kind == "Header"][0]))
            if kind == "Header":
                found.add(_key(words(content[2])))
            if kind == "Link" and content[2][0][:1] == "#":
                found.add("#" + _key(content[2][0][1:]))
    return found


def _key(name: str) -> str:
    """What a place is known by, however its link writes the words of a heading."""
    import urllib.parse

    return "-".join(re.findall(r"\w+", urllib.parse.unquote(name).lower()))


def _after(mark: str, written: str) -> str:
    return f"{{\n{mark}{written}\n}}" if mark else written


def _in_colour(colour: str, written: str) -> str:
    return f"text(rgb({string(colour)}), {written})" if colour else written


def _painted(attributes: list[Any], written: str) -> str:
    """Blocks in the colour that HTML asks for; their ground stays white."""
    letters, ground = stated(dict(attributes[2]))
    return _in_colour("" if ground else letters, f"{{\n{written}\n}}") if letters else written


def _bar(colour: str, style: str) -> str:
    """A coloured box without words, as in a table that draws its numbers; "" without a size."""
    width, height = (
        re.search(rf"(?:^|[;\s]){side}:\s*(\d{{1,4}}(?:\.\d{{1,9}})?)px", style)
        for side in ("width", "height")
    )
    if not (colour and width and height):
        return ""
    return f"bar({width[1]}, {height[1]}, rgb({string(colour)}))"


_SIDE = re.compile(r"(?:^|text-align:\s*|\btext-)(center|right)\b")


def _aligned(attributes: list[Any], written: str) -> str:
    """What HTML centres, or sets at the right, stands there."""
    _, classes, named = attributes
    said = [dict(named).get("align", ""), dict(named).get("style", ""), *classes]
    side = next(filter(None, map(_SIDE.search, said)), None)
    return f"align({side[1]}, {{\n{written}\n}})" if side and written else written


def _right_to_left(word: str) -> bool:
    strong = (unicodedata.bidirectional(letter) for letter in word)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)
