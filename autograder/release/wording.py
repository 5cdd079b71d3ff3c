"""Chooses the words of a text by what is released with it.

A passage that answers what another part asks, or refers to it, stands between markers, in whole
lines of a notebook's Markdown or of a module's docstring:

    === UNLESS gan-theory.3a ===        the lines below stand only while 3(a) is not asked
    === OTHERWISE ===                   (not needed) what stands in their place
    === END ===

IF in place of UNLESS is the other way round. Either names a question, a part, or several joined by
`+`, which must all be asked. What is asked is what is released.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ..assignment import Assignment, meant
from . import ReleaseError

BEGIN = re.compile(r"=== (?P<word>IF|UNLESS) (?P<name>\S+) ===")
OTHERWISE, END = "=== OTHERWISE ===", "=== END ==="
LOOKS_LIKE_ONE = re.compile(r"=+ *(IF|UNLESS|OTHERWISE|END(?! MARK))\b.*")


def worded(text: str, where: str, assignment: Assignment, parts: Collection[str]) -> str:
    """The text as it reads where these parts are released. Raises ReleaseError for markers that
    are not in order, and for one that names no part and no question."""
    if "===" not in text:
        return text
    lines: list[str] = []
    begun, stands, turned = 0, True, False
    for number, line in enumerate(text.split("\n"), 1):
        mark = line.strip()
        begins = BEGIN.fullmatch(mark)
        if not begins and mark not in (OTHERWISE, END):
            if LOOKS_LIKE_ONE.fullmatch(mark):
                raise ReleaseError(
                    f"{where}, line {number}: {mark!r} looks like a marker, but it is none. They "
                    f"are '=== UNLESS QUESTION ===', '=== IF QUESTION ===', '{OTHERWISE}' and "
                    f"'{END}'."
                )
            if stands:
                lines.append(line)
        elif begins and begun:
            raise ReleaseError(
                f"{where}, line {number}: a passage begins inside the one that began in line "
                f"{begun}. Close that one first."
            )
        elif begins:
            released = _is_asked(begins["name"], f"{where}, line {number}", assignment, parts)
            begun, stands, turned = number, released == (begins["word"] == "IF"), False
        elif not begun or (mark == OTHERWISE and turned):
            raise ReleaseError(f"{where}, line {number}: no passage has begun that {mark!r} fits.")
        elif mark == OTHERWISE:
            stands, turned = not stands, True
        else:
            begun, stands = 0, True
    if begun:
        raise ReleaseError(f"{where}, line {begun}: the passage that begins here never ends.")
    return "\n".join(lines)


def _is_asked(names: str, where: str, assignment: Assignment, parts: Collection[str]) -> bool:
    """Whether these parts, or questions of them, are all released."""
    known = {one.id: one for one in (*assignment.parts, *assignment.off)}
    asked = True
    for name in names.split("+"):
        part = name.partition(".")[0]
        if part not in known or name not in (part, *known[part].full_ids()):
            every = [one for each in known.values() for one in (each.id, *each.full_ids())]
            raise ReleaseError(f"{where}: {name} is no part and no question; {meant(name, every)}")
        asked &= part in parts
    return asked
