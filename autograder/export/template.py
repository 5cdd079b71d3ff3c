"""Fills in our HTML pages; every text on them is a text, whatever it says."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from autograder.export.shared import shown

HERE = Path(__file__).parent


@cache
def template(name: str, folder: Path = HERE) -> Template:
    """A page of this folder, or of the one that is given; what all pages begin with lies here.

    Ask for it where it is filled in: to read one takes longer than to import what asks."""
    return _PAGES.overlay(loader=FileSystemLoader([folder, HERE])).get_template(name)


def _shown(value: object) -> object:
    """What the template puts on the page."""
    if isinstance(value, Markup):
        return value
    return shown(str(value))


_PAGES = Environment(
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    finalize=_shown,
)
