"""Tells how far pictures are from each other, inside the sandbox: decoders read hostile bytes.

One line of JSON comes in on descriptor 0 (pairs of PNG files in base64), one goes out on 1: for
each pair the root of the mean squared difference of its grey values in [0, 1], after both were
shrunk to one small size, or None where one of them cannot be read.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
from typing import Any

import numpy as np
from PIL import Image

from . import confine

SIDE = 96
"""Pixels; smaller than any figure, and large enough to tell digits from noise."""


def main() -> None:
    """Confine ourselves, then compare."""
    settings = json.loads(sys.stdin.buffer.readline())
    program = confine.compile_filter()
    confine.become(settings["uid"])
    confine.limit(confine.Limits(**settings["limits"]))
    confine.deny_calls(program)
    line = json.dumps([_distance(*pair) for pair in settings["pairs"]]).encode() + b"\n"
    os.write(1, line)


def _distance(one: str, other: str) -> float | None:
    try:
        first, second = _small(one), _small(other)
    except Exception:
        # Whatever a decoder raises: it is no picture.
        return None
    return float(np.sqrt(np.mean((first - second) ** 2)))


def _small(text: str) -> Any:
    image = Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"]).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    grey = Image.alpha_composite(white, image).convert("L").resize((SIDE, SIDE))
    return np.asarray(grey, dtype=np.float64) / 255
