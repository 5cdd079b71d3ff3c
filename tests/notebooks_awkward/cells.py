"""Small makers of cells and notebooks, as the notebook format (4.5) has them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def markdown(source: str, id: str = "", **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "markdown", "id": id or "m", "metadata": {}, "source": source}
    return {**cell, **more}


def code(source: str, *outputs: dict, id: str = "", count: int | None = 1, **more: Any) -> dict:
    cell = {"cell_type": "code", "id": id or "c", "metadata": {}, "source": source}
    return {**cell, "execution_count": count, "outputs": list(outputs), **more}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def html(source: str, plain: str = "<IPython.core.display.HTML object>") -> dict[str, Any]:
    return code("x", shown({"text/html": source, "text/plain": plain}))


def failed(name: str, value: str, traceback: list[str]) -> dict[str, Any]:
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": traceback}


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def picture(width: int, height: int, colour: str | None = "steelblue", kind: str = "PNG") -> str:
    """A picture in base64; without a colour it is noise, which no format makes smaller."""
    if colour:
        image = Image.new("RGB", (width, height), colour)
    else:
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(noise)
    out = io.BytesIO()
    image.save(out, kind)
    return base64.b64encode(out.getvalue()).decode()
