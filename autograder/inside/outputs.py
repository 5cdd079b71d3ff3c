"""Reads the outputs of a notebook's cell: what it prints, and its pictures."""

from __future__ import annotations

from typing import Any

MAX_PICTURES = 20


def printed(outputs: Any) -> str:
    """What outputs print, without warnings and progress (stderr) and the words beside pictures."""
    texts = []
    for output in outputs:
        data = output.get("data", {})
        if output.get("output_type") == "stream" and output.get("name") == "stdout":
            texts.append(joined(output.get("text", "")))
        elif "text/plain" in data and "image/png" not in data:
            texts.append(joined(data["text/plain"]) + "\n")
    return "".join(texts)


def pictures(outputs: Any) -> list[str]:
    """The PNG pictures among outputs, as base64."""
    found = [output.get("data", {}).get("image/png") for output in outputs]
    return [joined(picture) for picture in found if picture][:MAX_PICTURES]


def joined(text: Any) -> str:
    """A multi-line text of a notebook, which may come as a list of lines."""
    return "".join(text) if isinstance(text, list) else str(text)
