"""A student's page as a PDF, set by Typst: no link, nothing from elsewhere, the same everywhere.

What anybody wrote is data in a file beside the template, and never becomes Typst's source.
"""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

import typst

from autograder.export.shared import harmless, shown
from autograder.tables import JOINERS

PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk")
"""Noto: letters of every script."""

_TEMPLATE = Path(__file__).with_name("page.typ")
_KANA, _HANGUL = re.compile("[\u3040-\u30ff]"), re.compile("[\uac00-\ud7af]")


def pdf(content: Mapping[str, Any]) -> bytes:
    """The page of which feedback's `content` says what is on it."""
    result = content["result"]
    # Names have been made harmless already, with the joiners that some scripts need.
    name = ", ".join(content["names"]) or harmless(result.id)
    east = "JP" if _KANA.search(name) else "KR" if _HANGUL.search(name) else "SC"
    said = {
        "title": f"{content['assignment'].title}: feedback for {shown(result.id)}",
        "course": content["assignment"].title,
        "id": result.id,
        "submitted": result.submitted,
        "withheld": content["withheld"],
        "total": asdict(content["total"]),
        "notices": [*content["flags"], *result.notes, *content["notices"]],
        "parts": [asdict(part) for part in content["parts"]],
    }
    page = {
        **_harmless(said),
        "name": harmless(name, keep=JOINERS),
        "fonts": ["Libertinus Serif", "Noto Sans", f"Noto Sans CJK {east}", "Noto Emoji"],
        "mono": ["DejaVu Sans Mono", "Noto Sans", f"Noto Sans CJK {east}"],
    }
    with tempfile.TemporaryDirectory(prefix="hw5-") as folder:
        Path(folder, "page.json").write_text(json.dumps(page), encoding="utf-8")
        main = Path(folder, "page.typ")
        main.write_bytes(_TEMPLATE.read_bytes())
        compiler = typst.Compiler(
            str(main),
            root=folder,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            package_path=folder,
            package_cache_path=folder,
        )
        # With one date for all, equal pages are equal bytes.
        made = compiler.compile(format="pdf", timestamp=datetime(2000, 1, 1, tzinfo=timezone.utc))
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> typst.Fonts:
    found = [importlib.util.find_spec(name) for name in PACKAGES]
    folders = [f for spec in found if spec for f in spec.submodule_search_locations or []]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def _harmless(value: Any) -> Any:
    """The same with every text as a student may read it."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {key: _harmless(item) for key, item in value.items()}
    return [_harmless(item) for item in value] if isinstance(value, (list, tuple)) else value
