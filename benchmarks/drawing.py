"""The sheet on which diagrams, thumbnails and clinics are drawn, in one style.

Positions and sizes are pixels of the picture as a notebook shows it; what is written to disk is
SHARP times as fine, so that it stays sharp on fine screens, and has a palette, so that it is small.
"""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "notebooks" / "pictures"
INCH = 100  # pixels shown
SHARP = 2  # pixels drawn for each pixel shown; `picture` of hw5_figures halves them
INK, PALE, RULE = "#2f3640", "#8a929c", "#d5d9de"
FILL = {"E": "#d7e6f7", "G": "#d9efd9", "D": "#fde3c8", "loss": "#fbdcdf", "data": "#f2f3f5"}
EDGE = {"E": "#3a72b0", "G": "#3c8d4a", "D": "#c9721a", "loss": "#c0475a", "data": "#8a929c"}


class Drawing:
    """A white sheet; (0, 0) is its upper left corner."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / INCH, height / INCH), dpi=INCH * SHARP)
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, width), ylim=(height, 0))
        self.axes.axis("off")

    def text(self, x, y, words, size=10, color=INK, **style) -> None:
        style = {"ha": "center", "va": "center"} | style
        self.axes.text(x, y, words, fontsize=size * 0.72, color=color, linespacing=1.35, **style)

    def title(self, x, y, words, color=INK) -> None:
        self.text(x, y, words, size=15, color=color, ha="left", weight="bold")

    def box(self, x, y, width, height, words, kind="data", size=12) -> None:
        """A rounded box around (x, y)."""
        self.axes.add_patch(
            FancyBboxPatch(
                (x - width / 2, y - height / 2),
                width,
                height,
                boxstyle="round,pad=0,rounding_size=7",
                facecolor=FILL[kind],
                edgecolor=EDGE[kind],
                linewidth=1,
            )
        )
        self.text(x, y, words, size=size)

    def net(self, x, y, width, left, right, words, kind, size=13) -> None:
        """A network around (x, y), as high on each side as its tensors are wide."""
        corners = [(-width, -left), (width, -right), (width, right), (-width, left)]
        self.axes.add_patch(
            Polygon(
                [(x + a / 2, y + b / 2) for a, b in corners],
                facecolor=FILL[kind],
                edgecolor=EDGE[kind],
                linewidth=1.2,
                joinstyle="round",
            )
        )
        self.text(x, y, words, size=size)

    def bar(self, x, y, height, kind) -> None:
        """The numbers of one layer, so many that only the height tells."""
        self.axes.add_patch(
            FancyBboxPatch(
                (x - 7, y - height / 2),
                14,
                height,
                boxstyle="round,pad=0,rounding_size=4",
                facecolor=FILL[kind],
                edgecolor=EDGE[kind],
                linewidth=1.1,
            )
        )

    def rule(self, x, top, bottom) -> None:
        """A thin line between two halves."""
        self.axes.plot((x, x), (top, bottom), color=RULE, lw=1)

    def loss(self, x, y, words, width=130, height=44, size=13) -> None:
        self.axes.add_patch(
            Ellipse(
                (x, y),
                width,
                height,
                facecolor=FILL["loss"],
                edgecolor=EDGE["loss"],
                linewidth=1.2,
            )
        )
        self.text(x, y, words, size=size)

    def image(self, x, y, picture: np.ndarray, words="", side=64) -> None:
        """A picture around (x, y), with words under it."""
        extent = (x - side / 2, x + side / 2, y + side / 2, y - side / 2)
        self.axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=extent, aspect="auto")
        self.axes.add_patch(
            Rectangle((extent[0], extent[3]), side, side, fill=False, edgecolor=INK, linewidth=0.8)
        )
        self.text(x, y + side / 2 + 6, words, size=12, va="top")

    def mosaic(self, left, top, pictures, columns, scale=1.5, gap=2) -> tuple[float, float]:
        """Pictures (N, H, W) or (N, H, W, 3) row by row, so many screen pixels for each of theirs.

        Returns where they end at the right and below.
        """
        height, width = pictures.shape[1:3]
        rows = -(-len(pictures) // columns)
        canvas = np.ones(
            (rows * (height + gap) - gap, columns * (width + gap) - gap, *pictures.shape[3:])
        )
        for k, one in enumerate(pictures):
            y, x = k // columns * (height + gap), k % columns * (width + gap)
            canvas[y : y + height, x : x + width] = one
        right, below = left + canvas.shape[1] * scale, top + canvas.shape[0] * scale
        self.axes.imshow(
            canvas.clip(0, 1),
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(left, right, below, top),
            aspect="auto",
            interpolation="nearest",
        )
        self.axes.set(xlim=(0, self.width), ylim=(self.height, 0))
        return right, below

    def inset(self, left, top, width, height):
        """Axes for curves or points at this place."""
        where = (left, self.height - top - height, width, height)
        by = (self.width, self.height) * 2
        axes = self.figure.add_axes([a / b for a, b in zip(where, by, strict=True)])
        axes.tick_params(labelsize=7, length=2, color=PALE, labelcolor=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(PALE)
        return axes

    def code(self, x, y, words="", cells=5, kind="data", side=12, seed=0) -> None:
        """A code: a column of numbers around (x, y), with words under it."""
        greys = np.random.default_rng(seed).uniform(0.25, 1, cells)
        top = y - cells * side / 2
        for k, alpha in enumerate(greys):
            self.axes.add_patch(
                Rectangle(
                    (x - side / 2, top + k * side),
                    side,
                    side,
                    facecolor=EDGE[kind],
                    alpha=alpha,
                    edgecolor="none",
                )
            )
        self.axes.add_patch(
            Rectangle((x - side / 2, top), side, cells * side, fill=False, edgecolor=INK, lw=0.8)
        )
        self.text(x, y + max(cells * side / 2, 30) + 6, words, size=12, va="top")

    def arrow(self, *points, words="", kind="") -> None:
        """An arrow through the points; with a kind, the gradient of that network."""
        color = EDGE[kind] if kind else INK
        for start, end in pairwise(points[:-1]):
            self.axes.plot(
                *zip(start, end, strict=True),
                color=color,
                lw=1.3,
                ls=(0, (4, 3)) if kind else "-",
                solid_capstyle="round",
            )
        self.axes.add_patch(
            FancyArrowPatch(
                points[-2],
                points[-1],
                arrowstyle="-|>,head_length=4.5,head_width=2.4",
                color=color,
                linewidth=1.3,
                linestyle=(0, (4, 3)) if kind else "-",
                shrinkA=0,
                shrinkB=0,
                mutation_scale=1,
            )
        )
        (x0, y0), (x1, y1) = points[:2]
        self.text((x0 + x1) / 2, (y0 + y1) / 2 - 5, words, size=11, va="bottom")

    def maps(self, x, y, side, channels, words, kind="data") -> None:
        """Feature maps around (x, y): sheets of one side, one behind the other."""
        sheets = min(channels, 5)
        for k in reversed(range(sheets)):
            self.axes.add_patch(
                Rectangle(
                    (x - side / 2 + 4 * k, y - side / 2 - 4 * k),
                    side,
                    side,
                    facecolor=FILL[kind],
                    edgecolor=EDGE[kind],
                    linewidth=0.9,
                )
            )
        self.text(x, y + side / 2 + 6, words, size=11, va="top")

    def save(self, file: Path, colours: int = 96) -> None:
        """A PNG with a palette, as small as its few colours allow."""
        raw = io.BytesIO()
        self.figure.savefig(raw, format="png")
        save_small(Image.open(raw), file, colours)


def save_small(picture: Image.Image, file: Path, colours: int) -> None:
    """Write a PNG with a palette: so many colours of the picture's own, and those of the style."""
    flat = picture.convert("RGB")
    own = flat.quantize(colours, Image.Quantize.MEDIANCUT, dither=0).getpalette()[: 3 * colours]
    own = [255 if level > 249 else level for level in own]  # paper stays white
    style = [INK, PALE, RULE, *EDGE.values(), *FILL.values()]
    palette = Image.new("P", (1, 1))
    palette.putpalette(own + [int(c[k : k + 2], 16) for c in style for k in (1, 3, 5)])
    flat.quantize(palette=palette, dither=0).save(file, optimize=True)
