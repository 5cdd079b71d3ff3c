"""Looks for a text that tells what another question asks.

tells.toml says by which patterns the answer of a question is recognised, however its letters are
called. A text that must tell it is worded otherwise while the question is asked: see wording.py.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import ReleaseError, leaks
from .wording import END, OTHERWISE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PATTERNS = Path(__file__).with_name("tells.toml")


@dataclass(frozen=True)
class Tell:
    """How an answer is recognised: a pattern for formulas, or one for prose."""

    question: str
    pattern: re.Pattern[str]
    of_formulas: bool


def read_tells(path: Path = PATTERNS) -> dict[str, list[Tell]]:
    """Question -> its patterns, as tells.toml has them; none where an answer has no one form.

    Raises ReleaseError where it does not say which of the two holds.
    """
    with path.open("rb") as file:
        data = tomllib.load(file)
    tells = {
        question: [
            *(Tell(question, re.compile(p), True) for p in entry.get("formulas", ())),
            *(Tell(question, re.compile(p), False) for p in entry.get("words", ())),
        ]
        for question, entry in data.items()
    }
    for question, found in tells.items():
        if bool(found) == bool(data[question].get("open")):
            raise ReleaseError(
                f"{path.name}: {question} must have patterns, or say in `open` why it has none."
            )
    return tells


def told(files: Mapping[str, bytes], tells: Iterable[Tell]) -> Iterator[str]:
    """A sentence for every text in these files, but for a question's own cells, that tells its
    answer."""
    tells = list(tells)
    for name, data in files.items():
        for place in leaks.texts_of(name, data):
            formulas, words = _formula_form(place.text), _word_form(place.text)
            for tell in tells:
                found = tell.pattern.search(formulas if tell.of_formulas else words)
                if found and place.question != tell.question:
                    yield (
                        f"{place.where} tells the answer of {tell.question}, which is asked too: "
                        f"{found.group()!r}. Word it otherwise between '=== UNLESS "
                        f"{tell.question} ===', '{OTHERWISE}' and '{END}'."
                    )


def _formula_form(text: str) -> str:
    """Mathematics without spaces and the signs that only set it: LaTeX as in plain text."""
    return leaks.squeezed_formula(text).replace("\\", "")


def _word_form(text: str) -> str:
    """Prose in small letters, in one line, without stars and quotation marks around code."""
    return " ".join(re.sub(r"[*`]", "", text.lower()).split())
