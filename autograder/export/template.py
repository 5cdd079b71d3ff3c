"""Fills in our HTML pages; every text on them is a text, whatever it says."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from autograder.export.shared import shown


def template(name: str) -> Template:
    """A page of this folder."""
    return _PAGES.get_template(name)


def _shown(value: object) -> object:
    """What the template puts on the page."""
    if isinstance(value, Markup):
        return value
    return shown(str(value))


_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_shown,
)
