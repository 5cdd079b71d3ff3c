"""Sets the pages with Typst and the template beside it: what Typst refuses becomes its words."""

from __future__ import annotations

import bisect
import contextlib
import datetime
import importlib
import importlib.util
import json
import re
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hw5_notebook import Cell, ReportError

from . import pandoc
from .mathematics import commands, drawing, numbered, show_commands
from .pandoc import Unread
from .sheet import Sheet, as_typed, string
from .texts import tell_unshown
from .writing import Writer, linked

TEMPLATE = Path(__file__).with_name("template.typ")
BOTTOM, SLACK = 779.53, 14.0  # where the text of a page ends; and space around a picture there
SMALLEST, ROUNDS = 0.65, 12  # how far one is shrunk to fit the rest of a page; how often in a row
WIDE = 1000  # characters of a formula
AGAIN = 100  # formulas with unknown commands that are read a second time
HOLE, LEAST = 190.0, 0.5  # and how far where it would leave more points of that page empty

_NEW_PAGE = ("#question(", "#chapter(", "#appendix(", "#article(")
_PICTURE = re.compile(r'^(#?picture\("[^"]+"[^()]*)\)')
_FONT_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")  # Noto: every script, and emoji
_RARE = re.compile(
    "[\u0530-\u1dff\u2e80-\ua63f\ua700-\ufaff\ufe10-\ufe6f\uff00-\uffef\U0001f000-\U0003ffff]"
)
_LACKED = re.compile(  # letters that are in none of these: Syriac, Tibetan, Cherokee and others
    "[\u0700-\u074f\u0780-\u086f\u0f00-\u0fff\u13a0-\u177f\u1800-\u18af\u1900-\u1c7f\u2c00-\u2c5f"
    "\u2c80-\u2cff\u2d30-\u2d7f\ua000-\ua63f\ua6a0-\ua6ff\ua800-\ua8df\ua900-\ua9df\uaa00-\uaaff"
    "\U00010000-\U0001cfff]"
)
_KANA, _HANGUL = re.compile("[\u3040-\u30ff]"), re.compile("[\uac00-\ud7af]")


def need_tools() -> None:
    """Raise ReportError with the remedy where something is missing that makes pages."""
    for name, said in (("typst", "Typst"), ("PIL", "Pillow")):
        try:
            importlib.import_module(name)
        except ImportError:
            package = said.lower()
            raise ReportError(f"{said} is missing: pip install {package}") from None
    pandoc.program()
    if not TEMPLATE.is_file():
        name = f"{TEMPLATE.parent.name}/{TEMPLATE.name}"
        raise ReportError(f"{name} is missing: take the whole folder out of the zip again.")


def compile_pages(
    sheet: Sheet, head: str, date: datetime.date | None
) -> tuple[bytes, dict[str, Any]]:
    """The PDF and its marks. What Typst refuses is replaced by its words, and the rest stays.

    head: Typst's source of what the template needs to know. Raises ReportError.
    """
    import typst

    template = _template()
    trees, formulas = pandoc.read(sheet.fragments, [tex for _, tex, _ in sheet.formulas])
    _read_again(sheet, formulas)
    body, owners = _body(sheet, trees, formulas)
    fonts, names = _fonts("\n".join(body), sheet)
    head = names + head + template
    top = head.count("\n") + 1  # with the line that says which pictures are shrunk
    shrunk: dict[int, float] = {}
    rounds = 0
    isolated = False
    refused: Exception | None = None
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        for name, content in sheet.pictures.items():
            if ":" not in name:
                Path(folder, name).write_bytes(content)
        main = Path(folder, "main.typ")
        for _ in range(200):
            shares = ", ".join(f'"{at}": {share:.3f}' for at, share in shrunk.items())
            source = f"#let shrunk = ({shares or ':'})\n{head}" + "\n".join(body) + "\n#last\n"
            main.write_text(source, encoding="utf-8", newline="\n")
            compiler: Any = typst.Compiler(
                str(main),
                root=folder,
                font_paths=fonts,
                ignore_system_fonts=True,
                package_path=folder,
                package_cache_path=folder,
            )
            try:
                pdf = compiler.compile(format="pdf", timestamp=_noon(date))
                fitting = _fitting(compiler, body, shrunk) if rounds < ROUNDS else {}
                if not fitting:
                    return pdf, _marks(json.loads(compiler.query("<mark>")))
                shrunk, rounds = shrunk | fitting, rounds + 1
                continue
            except typst.TypstError as error:
                refused = error
                said = f"{error.message}\n{error.diagnostic}"
            lines = [int(n) - top - 1 for n in re.findall(r"main\.typ:(\d+):", said)]
            lines = [n for n in lines if 0 <= n < len(body)]
            if not isolated:  # try what may fail by itself
                isolated = True
                _try_each(typst, fonts, folder, sheet, formulas, template)
                body, owners = _body(sheet, trees, formulas)
                continue
            if not lines:  # what fails where it is laid out, Typst does not say
                lines = _unset(typst, fonts, folder, head, sheet, body, owners)
            if not lines:
                break
            _replace(sheet, body, owners, lines[-1])
    raise ReportError(
        "These pages cannot be set, and that is no fault of yours: show the notebook to whoever "
        "gave you this program."
    ) from refused


def _read_again(sheet: Sheet, formulas: list[str]) -> None:
    """Set what pandoc refuses for a command that nobody has defined, with the command as a word."""
    refused = [number for number, formula in enumerate(formulas) if not formula][:AGAIN]
    used = sorted({one for number in refused for one in commands(sheet.formulas[number][1])})
    _, known = pandoc.read([], [f"{one}{{x}}{{x}}{{x}}" for one in used]) if used else ([], [])
    unknown = {one for one, formula in zip(used, known, strict=True) if not formula}
    asked = [number for number in refused if unknown & commands(sheet.formulas[number][1])]
    shown = [show_commands(sheet.formulas[number][1], unknown) for number in asked]
    _, written = pandoc.read([], shown) if shown else ([], [])
    for number, formula in zip(asked, written, strict=True):
        if formula:
            formulas[number] = formula
            sheet.unknown[number] = tuple(sorted(unknown & commands(sheet.formulas[number][1])))


def _template() -> str:
    """How the pages look; of the file without the sample, which stands above and below."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return re.split(r"^// ====.*\n", text, flags=re.M)[1]


def _fonts(source: str, sheet: Sheet) -> tuple[Any, str]:
    """Fonts from packages alone, so that a PDF is the same everywhere; and their order.

    Only where a package is missing and the text has letters of other scripts, or letters that no
    package has, this computer's fonts are used, too.
    """
    import typst

    found = [importlib.util.find_spec(name) for name in _FONT_PACKAGES]
    folders = [f for spec in found if spec for f in spec.submodule_search_locations or []]
    rare = bool(_RARE.search(source))
    lacking = rare and not all(found)
    if lacking:
        sheet.cell, sheet.notebook = None, None
        sentence = "Letters of another script, or emoji, are set in fonts of this computer, if it "
        sentence += "has any; pip install manimgx-fonts manimgx-fonts-cjk brings fonts for all."
        sheet.note("fonts", sentence)
    elif unset := {unicodedata.name(letter, "A").split()[0] for letter in _LACKED.findall(source)}:
        sheet.cell, sheet.notebook, lacking = None, None, True
        sentence = (
            f"No font of this program has letters of {', '.join(sorted(unset)).title()}: they "
        )
        sheet.note(
            "fonts", sentence + "are set in one of this computer's, or as boxes if none has."
        )
    east = "JP" if _KANA.search(source) else "KR" if _HANGUL.search(source) else "SC"
    others = f'"Noto Sans", "Noto Sans CJK {east}", "Noto Emoji"' if rare and all(found) else ""
    fonts = typst.Fonts(
        include_system_fonts=lacking, include_embedded_fonts=True, font_paths=folders
    )
    names = f'#let fonts-text = ("Libertinus Serif", {others})\n'
    return fonts, names + f'#let fonts-mono = ("DejaVu Sans Mono", {others})\n'


def _body(
    sheet: Sheet, trees: Sequence[Any], formulas: Sequence[str]
) -> tuple[list[str], list[int]]:
    """Lines of Typst's source, and for each the number of the sheet's line that it came from."""
    body: list[str] = []
    owners: list[int] = []
    _find_targets(sheet, trees)
    for number, line in enumerate(sheet.lines):
        cell = sheet.back_to(number)
        if isinstance(line, int):
            tree = trees[line]
            try:
                written = (
                    _typed(sheet, line, tree)
                    if isinstance(tree, Unread)
                    else "#{\n" + Writer(sheet, cell).blocks(tree) + "\n}"
                )
            except RecursionError:
                written = _typed(sheet, line, Unread.DEEP)
        else:
            written = line
        for one in written.split("\n"):
            line = _filled(sheet, one, formulas, cell)
            body.append(_PICTURE.sub(rf"\1, at: {len(body)})", line))
            owners.append(number)
    return body, owners


def _find_targets(sheet: Sheet, trees: Sequence[Any]) -> None:
    """Number the places that links lead to, notebook by notebook."""
    names: dict[str, set[str]] = {}
    for line, (notebook, _) in zip(sheet.lines, sheet.places, strict=True):
        if notebook and isinstance(line, int) and not isinstance(trees[line], Unread):
            with contextlib.suppress(RecursionError):  # which is told where it is written
                names.setdefault(notebook.name, set()).update(linked(trees[line]))
    found = [
        (book, name)
        for book, said in names.items()
        for name in sorted(said)
        if name and f"#{name}" in said
    ]
    sheet.targets = {one: number for number, one in enumerate(found)}
    sheet.reached = set()


def _typed(sheet: Sheet, fragment: int, why: Unread) -> str:
    """A text as it was typed, and word of it."""
    cell = sheet.cell
    where = cell.name if cell else "a cell"
    sheet.note("text", f"{where.capitalize()} is printed as it was typed: {why.value}.")
    text = Writer(sheet, cell).restored(sheet.fragments[fragment]["text"])
    return f"#plain({string(as_typed(text))})"


def _filled(sheet: Sheet, line: str, formulas: Sequence[str], cell: Cell | None) -> str:
    """A line with its formula, or with TeX where pandoc or Typst could not take it."""
    picture = re.match(r'#?(?:small-)?picture\("([^"]+)"', line)
    if picture and picture[1] not in sheet.pictures:
        sheet.note("picture", f"A picture of {cell.name if cell else 'a cell'} is damaged.")
        return ("#" if line.startswith("#") else "") + 'missing("a picture that is damaged")'
    found = re.search("\ue003(\\d+)\ue001", line)
    if not found:
        return line
    number = int(found[1])
    if formulas[number]:
        if number in sheet.unknown:
            names, at = ", ".join(sheet.unknown[number]), cell.name if cell else "a cell"
            sentence = f"A formula of {at} uses {names}, which nothing here defines: it stands in "
            sheet.note("formula", sentence + "red. Define it above with \\newcommand.")
        made = numbered(formulas[number], sheet.rows.get(number, ()))
        wide = sheet.formulas[number][2] and len(made) > WIDE  # it may not fit however it is set
        said = f", said: {string(sheet.formulas[number][0])}" if wide else ""
        return line.replace(found[0], string(made) + said)
    whole = sheet.formulas[number][0]
    where = cell.name if cell else "a cell"
    if environment := drawing(whole):
        what = f"a drawing in TeX ({environment})"
        tell_unshown(sheet, what)
        shown = f"drawing({string(what)}, {string(whole.strip().strip('$').strip())})"
        return ("#" if line.startswith("#") else "") + shown
    shown = re.sub(r"\s+", " ", whole)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    sheet.note("formula", f"A formula of {where} is printed as it was typed: {shown}")
    said = f"unread({string(whole)})"
    said = f"block({said})" if sheet.formulas[number][2] else said  # on a line of its own
    return ("#" if line.startswith("#") else "") + said


def _try_each(
    typst: Any, fonts: Any, folder: str, sheet: Sheet, formulas: list[str], template: str
) -> None:
    """Empty every formula, and forget every picture, that Typst cannot set by itself."""
    alone = Path(folder, "alone.typ")
    maths = "".join(re.findall(r"#let maths\(.*?\n\)\)\n", template, re.S))

    def settable(source: str) -> bool:
        alone.write_text(source, encoding="utf-8")
        try:
            typst.compile(str(alone), root=folder, font_paths=fonts, ignore_system_fonts=True)
        except typst.TypstError:
            return False
        return True

    for number, formula in enumerate(formulas):
        if formula and not settable(f"{maths}#math.equation(maths({string(formula)}))\n"):
            formulas[number] = ""
    for name in [name for name in sheet.pictures if ":" not in name]:
        if not settable(f"#image({string(name)})\n"):
            del sheet.pictures[name]


def _unset(
    typst: Any,
    fonts: Any,
    folder: str,
    head: str,
    sheet: Sheet,
    body: Sequence[str],
    owners: Sequence[int],
) -> list[int]:
    """Lines of the source, each the first of something that Typst cannot set by itself."""
    alone = Path(folder, "alone.typ")
    first = {owner: line for line, owner in reversed([*enumerate(owners)])}

    def failing(some: list[int]) -> list[int]:
        lines = [one for one, owner in zip(body, owners, strict=True) if owner in some]
        alone.write_text(f"#let shrunk = (:)\n{head}" + "\n".join(lines), encoding="utf-8")
        try:
            typst.compile(str(alone), root=folder, font_paths=fonts, ignore_system_fonts=True)
        except typst.TypstError:
            half = len(some) // 2
            return failing(some[:half]) + failing(some[half:]) if half else [first[some[0]]]
        return []

    def is_whole(line: str | int) -> bool:
        return isinstance(line, int) or not line.endswith(("[", "]"))

    return failing([number for number in first if is_whole(sheet.lines[number])])


def _replace(sheet: Sheet, body: list[str], owners: list[int], line: int) -> None:
    """Put words in the place of a whole text, or of what else Typst refuses."""
    cell = sheet.back_to(owners[line])
    mine = [n for n, owner in enumerate(owners) if owner == owners[line]]
    said = sheet.lines[owners[line]]
    if isinstance(said, int):
        body[mine[0]] = _typed(sheet, said, Unread.ODD)
    else:
        where = cell.name if cell else "a cell"
        sheet.note("text", f"Something of {where} is left out: it cannot be set.")
        body[mine[0]] = '#missing("something that cannot be set")'
    for number in mine[1:]:
        body[number] = ""


def _fitting(compiler: Any, body: Sequence[str], shrunk: Mapping[int, float]) -> dict[int, float]:
    """Pictures that moved to the next page, and how small they must be to stay on the one before.

    One that stays moves those after it, up to the next page that is begun anyway: so it is the
    first of them alone.
    """
    room, stands = (
        {one["value"]["at"]: one["value"] for one in json.loads(compiler.query(mark))}
        for mark in ("<room>", "<stands>")
    )
    begun = [n for n, line in enumerate(body) if line.startswith(_NEW_PAGE)]
    found: dict[int, float] = {}
    for at, there in stands.items():
        place = bisect.bisect(begun, at)
        if at in shrunk or there["page"] == room[at]["page"] or there["height"] <= 0:
            continue
        left = BOTTOM - room[at]["y"] - SLACK
        share = left / there["height"]
        least = LEAST if left > HOLE else SMALLEST
        if least <= share < 1 and place not in {bisect.bisect(begun, one) for one in found}:
            found[at] = share
    return found


def _marks(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Pages, and for each question the boxes that it fills, in points from the top left."""
    width, height, side, top, bottom = 595.28, 841.89, 56.69, 76.54, BOTTOM
    said = [one["value"] for one in found]
    pages = max((one["page"] for one in said), default=1)
    boxes: dict[str, list[dict[str, Any]]] = {}
    starts = {one["key"]: one for one in said if one["edge"] == "start"}
    for end in (one for one in said if one["edge"] == "end"):
        start = starts.get(end["key"])
        if not start:
            continue
        for page in range(start["page"], end["page"] + 1):
            upper = start["y"] if page == start["page"] else top
            lower = end["y"] if page == end["page"] else bottom
            box = [side, round(upper, 1), round(width - side, 1), round(max(lower, upper), 1)]
            boxes.setdefault(end["key"], []).append({"page": page, "box": box})
    return {"pages": pages, "size": [width, height], "boxes": boxes}


def _noon(date: datetime.date | None) -> int:
    day = date or datetime.date(2000, 1, 1)
    noon = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=datetime.timezone.utc)
    return int(noon.timestamp())
