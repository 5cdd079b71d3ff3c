"""Colours that HTML and TeX name, and whether letters of them can be read on paper."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping

_PALE, _APART = 190.0, 80.0  # of 255: too light on white; the least that letters and ground differ
_STATED = re.compile(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*([^;]+)", re.I)


def hexadecimal(said: str) -> str:
    """A colour as CSS writes it in six hexadecimal digits; "" for what is none.

    PIL knows the names (https://www.w3.org/TR/css-color-3), and `#f00`, `rgb()` and `hsl()`.
    """
    from PIL import ImageColor

    said = re.sub(r"\s*!important\s*$", "", said.strip())
    if parts := re.fullmatch(r"rgba\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*([\d.]+)\s*\)", said):
        if float(parts[4].strip(".") or 0) == 0:
            return ""
        said = f"rgb({parts[1]},{parts[2]},{parts[3]})"
    with contextlib.suppress(ValueError):
        red, green, blue = ImageColor.getrgb(said)[:3]
        return of_parts(red, green, blue)
    return ""


def of_parts(red: float, green: float, blue: float) -> str:
    """A colour whose parts go from 0 to 255, in six hexadecimal digits."""
    return "".join(f"{min(max(round(part), 0), 255):02x}" for part in (red, green, blue))


def stated(attributes: Mapping[str, str]) -> tuple[str, str]:
    """The colours of letters and ground that an element of HTML asks for; "" where it asks for
    none, or for letters that could not be read."""
    found = {
        key.lower(): hexadecimal(said) for key, said in _STATED.findall(attributes.get("style", ""))
    }
    letters = found.get("color", "") or hexadecimal(attributes.get("color", ""))
    ground = found.get("background-color", "") or found.get("background", "")
    return readable(letters, ground), "" if ground == "ffffff" else ground


def readable(letters: str, ground: str = "") -> str:
    """The colour in which letters can be read on this ground, or on white; "" for black."""
    if not ground:
        return letters if letters.strip("0") and _light(letters) < _PALE else ""
    if letters and abs(_light(letters) - _light(ground)) > _APART:
        return letters
    return "ffffff" if _light(ground) < 255 / 2 else ""


def _light(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (0, 2, 4))
    return 0.3 * red + 0.59 * green + 0.11 * blue
