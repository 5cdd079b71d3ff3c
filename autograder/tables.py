"""Reads tables that people and platforms made, whatever spreadsheet saved them."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path

JOINERS = "\u200c\u200d"
"""Without these two, names in Persian or Sinhala are misspelt; they move and hide nothing."""

_FORMULA = re.compile(r"\s*[=+\-@\t\r]")
_NUMBER = re.compile(r"\s*[+-]?\d[\d.,]*\s*|-")
"""How a cell begins that a spreadsheet would run, and what begins so and is only a number."""


class TableError(ValueError):
    """A table cannot be read; the sentence says why and what to do."""


def _text(path: Path) -> str:
    """The text of a table, whoever saved it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error.strerror}).") from None
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))  # Excel's "Unicode text"
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise TableError(
            f"{path} is not UTF-8, so names would be misspelt. Export it again, in Excel as "
            "CSV UTF-8."
        ) from None


def read_lines(path: Path) -> tuple[list[list[str]], str]:
    """The cells of a table as they are, and what stands between them. Raises TableError."""
    text = _text(path)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)), delimiter
    except csv.Error as error:
        raise TableError(f"{path} is no table: {error}.") from None


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV by the names of its columns in small letters. Raises TableError."""
    lines, _ = read_lines(path)
    header = [plain(name).lower() for name in lines[0]] if lines else []
    return [dict(zip(header, map(plain, line), strict=False)) for line in lines[1:] if any(line)]


def inert(cell: str) -> str:
    """A cell as it is; one that a spreadsheet would run gets an apostrophe before it."""
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def plain(cell: str) -> str:
    """A cell without what makes formulas harmless, hides or reorders; letters in one spelling."""
    cell = cell[1:] if cell[:1] == "'" and _FORMULA.match(cell[1:]) else cell
    cell = unicodedata.normalize("NFC", cell)
    return "".join(c for c in cell if c.isprintable() or c in JOINERS).strip()
