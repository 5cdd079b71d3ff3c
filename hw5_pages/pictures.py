"""Pictures of a notebook or of its folder: made harmless, and no larger than a page can show."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
import json
import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from typing import Any

from hw5_notebook import Notebook, ReportError, text_of

from .sheet import Sheet, boolean, string

PIXELS = 60_000_000  # a picture with more dots is not printed
SIDE, WEIGHT = 2000, 3_000_000  # one with longer sides, or more bytes, is made smaller
WIDTH, HEIGHT = 482.0, 400.0  # points of a page that a picture may fill
DOT = 0.6  # points of a dot
TALL = 620.0  # the same for what would be no more than half as large then
SMALLER, STRIP, STRIPS = 0.8, (140.0, 330.0), 40  # or it is cut: at what size, how tall, how many
GAP = 8  # of 255: how far dots differ at most where nothing is drawn

DATA_URI = re.compile(r"data:\s?(image/[\w.+-]+);\s?base64,\s?([A-Za-z0-9+/=%]+)")


def keep(sheet: Sheet, kind: str, text: str) -> str:
    """Keep a picture that stands in the text itself; brings the name under which it is known."""
    name = f"data:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name not in sheet.pictures:
        sheet.pictures[name] = json.dumps([kind, text]).encode()
    return name


def picture_file(
    sheet: Sheet,
    kind: str,
    data: object,
    width: float | None,
    height: float | None = None,
    output: bool = False,
) -> str:
    """Keep a picture for Typst; brings the arguments of `picture`, or "" with a finding.

    width, height: as they are asked for, in dots. output: a tiny one is data, such as a digit, and
    enlarged.
    """
    try:
        if kind == "image/svg+xml":
            content, size = _svg(data)
            ending, scale = "svg", 0.75
        else:
            content, size, ending = _bitmap(text_of(data))
            scale = DOT
    except ReportError as error:
        where = sheet.cell.name if sheet.cell else "a cell"
        sheet.note("picture", f"A picture of {where} {error}.")
        return ""
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
    sheet.pictures[name] = content
    tiny = output and ending != "svg" and max(size) <= 128 and _DRAWN not in content[:400]
    high = size[1] / max(size[0], 1)
    usual = height / max(high, 1e-3) if height else size[0] * (3 if tiny else 1)
    points = min(scale * (width or usual), WIDTH)
    points = min(points, (TALL if points * high > 2 * HEIGHT else HEIGHT) / max(high, 1e-3))
    return f"{string(name)}, {max(points, 4):.1f}pt, {boolean(not tiny)}"


_DRAWN = (
    b"Software\0Matplotlib"  # in the head of a PNG: a figure, whose letters are read as they are
)


def strips(sheet: Sheet, data: object, width: float | None) -> list[str]:
    """A picture in dots that would be taller than a page, as the arguments of `strip`, one for each
    of its strips; [] for all others, and where there is no gap to cut at.

    A column of plots can be read so, and its page is filled.
    """
    from PIL import Image

    try:
        picture: Image.Image = Image.open(io.BytesIO(_decoded(text_of(data))))
        across, down = picture.size
        points = SMALLER * min(DOT * (width or across), WIDTH) / max(across, 1)  # of a dot
        is_tall = 2 * HEIGHT * SMALLER < down * points < STRIPS * STRIP[0]
        if not is_tall or 3 * across * down > PIXELS:
            return []
        rows, cuts = _changes(picture), [0]
        while (down - cuts[-1]) * points > STRIP[1]:
            first, last = (cuts[-1] + int(side / points) for side in STRIP)
            if min(rows[first:last]) > GAP:
                return []  # a photograph, or one plot
            cuts.append(first + _gap(rows[first:last]))
        cuts.append(down)
        made = []
        for upper, lower in pairwise(cuts):
            out = io.BytesIO()
            picture.crop((0, upper, across, lower)).save(out, "PNG")
            strip = base64.b64encode(out.getvalue()).decode()
            made.append(picture_file(sheet, "image/png", strip, across * points / DOT))
        return made
    except (OSError, ValueError, binascii.Error, SyntaxError, Image.DecompressionBombError):
        return []


def _gap(rows: Sequence[int]) -> int:
    """The middle of the widest gap between what is drawn in these rows."""
    least, gaps, at = min(rows), [], 0
    for change, run in groupby(rows):
        many = len(list(run))
        gaps += [(many, at + many // 2)] if change == least else []
        at += many
    return max(gaps)[1]


def _changes(picture: Any) -> list[int]:
    """How far the dots of each row differ from one another; 0 where nothing is drawn."""
    import numpy as np

    dots = np.asarray(picture.convert("RGBA"))
    return list(map(int, (dots.max(1).astype(int) - dots.min(1)).max(-1)))


def _decoded(text: str) -> bytes:
    return base64.b64decode(re.sub(r"\s+", "", text).replace("%2B", "+"), validate=False)


def _svg(data: object) -> tuple[bytes, tuple[float, float]]:
    """A drawing without what runs, comes from outside or takes for ever; and its size in pixels."""
    import xml.etree.ElementTree as tree

    text = text_of(data).lstrip("\ufeff \t\n")
    try:
        text = text if text.startswith("<") else base64.b64decode(text).decode()
    except (ValueError, UnicodeDecodeError):
        raise ReportError("is not a drawing in SVG") from None
    if len(text) > 5_000_000:
        raise ReportError("is too large to be printed as SVG; use PNG")
    head = re.sub(r"<!DOCTYPE[^<>\[]*(?:\[.*?\])?[^<>]*>", "", text[:20_000], flags=re.S)
    text = head + text[20_000:]
    for name in ("svg", "xlink"):  # so that it is written as it was
        prefix, year = ("", "2000") if name == "svg" else (name, "1999")
        tree.register_namespace(prefix, f"http://www.w3.org/{year}/{name}")
    try:
        root = tree.fromstring(text)
        _without_harm(root)
        content = tree.tostring(root)
    except (tree.ParseError, ValueError, RecursionError):
        raise ReportError("is damaged") from None
    sizes = []
    for side, place in (("width", 2), ("height", 3)):
        said = re.match(r"\s*([\d.]+)\s*(pt|px|in|cm|mm)?\s*$", root.get(side, ""))
        numbers = re.findall(r"[\d.]+", root.get("viewBox", ""))
        unit = {"pt": 4 / 3, "in": 96, "cm": 37.8, "mm": 3.78}
        try:
            sizes.append(
                float(said[1]) * unit.get(said[2] or "px", 1.0) if said else float(numbers[place])
            )
        except (ValueError, IndexError):
            sizes.append(400.0)
    return content, (max(sizes[0], 1.0), max(sizes[1], 1.0))


def _without_harm(drawing: Any) -> None:
    """Take out scripts, addresses, and filters, which can cost hours; embedded pictures stay."""
    for element in drawing.iter():
        for child in list(element):
            if child.tag.rpartition("}")[2] in ("script", "filter"):
                element.remove(child)
        if element.tag.rpartition("}")[2] == "style":
            element.text = _STYLED.sub("", element.text or "")
        for key, value in list(element.attrib.items()):
            name = key.rpartition("}")[2]
            if name == "style":
                element.set(key, _STYLED.sub("", value))
            elif name == "filter":
                del element.attrib[key]
            elif name == "href" and not value.startswith("#"):
                del element.attrib[key]
                with contextlib.suppress(ReportError):
                    content, _, kind = _bitmap(value.partition("base64,")[2])
                    element.set(
                        key, f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
                    )


_STYLED = re.compile(r"@import[^;]*;?|\bfilter\s*:[^;}]*;?", re.I)


def _bitmap(text: str) -> tuple[bytes, tuple[int, int], str]:
    """A picture in dots, made smaller where it is larger than a page can show."""
    from PIL import Image

    endings = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp"}
    try:
        content = _decoded(text)
        picture: Image.Image = Image.open(io.BytesIO(content))
        size, ending = picture.size, endings.get(picture.format or "")
        if size[0] * size[1] > PIXELS:
            raise ReportError(f"has {size[0]} x {size[1]} dots, too many to print")
        if ending is None or max(size) > SIDE * 1.5 or len(content) > WEIGHT:
            picture.thumbnail((SIDE, SIDE))
            if picture.mode not in ("RGB", "L"):
                flat = Image.new("RGB", picture.size, "white")
                picture = picture.convert("RGBA")
                flat.paste(picture, mask=picture)
                picture = flat
            photograph = len(content) > 0.5 * size[0] * size[1]
            out, ending = io.BytesIO(), "jpg" if photograph else "png"
            picture.save(out, "JPEG" if photograph else "PNG", quality=88)
            content = out.getvalue()
    except ReportError:
        raise
    except (OSError, ValueError, binascii.Error, SyntaxError, Image.DecompressionBombError):
        raise ReportError("is damaged") from None
    return content, size, ending


_KINDS = {"jpg": "jpeg", "svg": "svg+xml"} | {name: name for name in ("png", "jpeg", "gif", "webp")}


def beside(notebook: Notebook | None, address: str) -> tuple[str, str] | None:
    """Kind and content of a picture in the notebook's folder, or below it; None for all others."""
    import urllib.parse

    if not notebook or not notebook.folder:
        return None
    folder = notebook.folder.resolve()
    try:
        path = (folder / urllib.parse.unquote(address)).resolve()  # whatever a link points to
        kind = _KINDS.get(path.suffix.lower().removeprefix("."))
        if not kind or not path.is_relative_to(folder) or not path.is_file():
            return None
        if path.stat().st_size > 10 * WEIGHT:
            return None
        return f"image/{kind}", base64.b64encode(path.read_bytes()).decode()
    except (OSError, ValueError, RuntimeError):
        return None


def size_asked(attributes: list[Any]) -> tuple[float | None, float | None]:
    """The width and the height that an `img` element asks for, in pixels; a share of the page's
    width where it says so."""
    said = dict(attributes[2]) if attributes else {}

    def side(name: str, units: dict[str, float]) -> float | None:
        style = re.search(rf"(?<![\w-]){name}:\s*([^;]*)", said.get("style", ""))
        asked = (style[1] if style else said.get(name, "")).strip()
        number = re.fullmatch(r"(\d{1,5}(?:\.\d{1,5})?|\.\d{1,5})(px|em|rem|%|)", asked)
        return float(number[1]) * units[number[2]] if number and number[2] in units else None

    lengths = {"": 1.0, "px": 1.0, "em": 16.0, "rem": 16.0}
    return side("width", {**lengths, "%": WIDTH / 60}), side("height", lengths)
