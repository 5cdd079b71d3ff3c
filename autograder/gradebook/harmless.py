"""Makes what a student's notebook shows harmless: on formgrader's page a script could set marks.

nbconvert puts raw HTML in Markdown, HTML and JavaScript outputs and links to `javascript:` on the
page as they are, even where it is told to sanitise. Text and images of outputs stay, for they
are what is marked.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

MOST_TEXT = 30_000  # characters of one cell or output; some take 2 s to be rendered
MOST_SOURCE = 500_000  # characters of all cells of a notebook; honest ones have a tenth
MOST_OUTPUTS = 200  # of one cell
MOST_ATTACHMENTS = 50

PICTURES = ("image/png", "image/jpeg")
TEXTS = ("text/markdown", "text/latex", "text/plain")
"""Shown as the text they are, the first that is there."""

LEFT_OUT = "[An output that is neither text nor an image was left out.]"

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_TARGET = re.compile(r"\](?=[(:]\s*<?(?P<url>[^\s>)]*))")
_SAFE = re.compile(r"(https?|mailto|attachment):|[^:]*$", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


def text(value: Any) -> str:
    """A notebook's text, which may be a list of lines; empty where it is none.

    Half characters, which no file can hold, become question marks.
    """
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def shortened(value: str, most: int = MOST_TEXT) -> str:
    """The text, cut where it is too long to be read by anybody."""
    if len(value) <= most:
        return value
    return f"{value[:most]}\n... and {len(value) - most:,} more characters"


def markdown(source: str, pictures: Mapping[str, Any]) -> str:
    """Markdown that shows what `source` says and holds no HTML and no link that acts.

    A space after `<` keeps a browser from seeing a tag and changes nothing in mathematics;
    `&lt;` would be shown as such in code. `pictures` are the cell's attachments. What nbconvert
    cannot render is shown as it was typed.
    """
    source = _TARGET.sub(_cut, source)
    source = _TAG.sub("< ", source)
    try:
        renderer = IPythonRenderer(escape=False, attachments=dict(pictures))
        MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # it raises anything, such as for a picture that is not attached
        return "\n".join(f"    {line}" for line in source.splitlines())
    return source


def _cut(match: re.Match[str]) -> str:
    """Part a link from its target, unless that is a plain address."""
    # As a browser would read it: `&#58;` and `\:` are colons too.
    url = html.unescape(match["url"]).replace("\\", "")
    return "]" if _SAFE.match(url) else "] "


def attachments(raw: Any) -> dict[str, dict[str, str]]:
    """The pictures among a cell's attachments."""
    if not isinstance(raw, dict):
        return {}
    found = {text(name): _pictures(bundle) for name, bundle in [*raw.items()][:MOST_ATTACHMENTS]}
    return {name: bundle for name, bundle in found.items() if bundle}


def outputs(raw: Any) -> list[dict[str, Any]]:
    """The text and the images among a code cell's outputs, in notebook format 4.5."""
    if not isinstance(raw, list):
        return []
    return [_output(one) for one in raw[:MOST_OUTPUTS] if isinstance(one, dict)]


def _output(one: dict[str, Any]) -> dict[str, Any]:
    kind = one.get("output_type")
    if kind == "stream":
        name = "stderr" if one.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": shortened(text(one.get("text")))}
    if kind == "error":
        lines = one.get("traceback")
        lines = lines[:MOST_OUTPUTS] if isinstance(lines, list) else []
        return {
            "output_type": kind,
            "ename": shortened(text(one.get("ename"))),
            "evalue": shortened(text(one.get("evalue"))),
            "traceback": [shortened(text(line)) for line in lines],
        }
    return {"output_type": "display_data", "metadata": {}, "data": _data(one.get("data"))}


def _data(bundle: Any) -> dict[str, str]:
    if not isinstance(bundle, dict):
        return {"text/plain": LEFT_OUT}
    shown = _pictures(bundle)
    drawing = text(bundle.get("image/svg+xml"))
    if drawing and not shown:
        # Shown as the source of an <img>, in which a browser runs nothing.
        shown = {"image/svg+xml": drawing}
    said = next((said for kind in TEXTS if (said := text(bundle.get(kind)))), "")
    if said or not shown:
        shown["text/plain"] = shortened(said or LEFT_OUT)
    return shown


def _pictures(bundle: Any) -> dict[str, str]:
    if not isinstance(bundle, dict):
        return {}
    found = {kind: "".join(text(bundle.get(kind)).split()) for kind in PICTURES}
    return {kind: data for kind, data in found.items() if _BASE64.fullmatch(data)}
