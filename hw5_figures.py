"""Given to students: the figures of all parts. Nothing here needs an edit.

    images    image_grid  canvas_figure  reconstruction_pairs  labelled_rows  one_picture
    points    latent_scatter  code_map
    curves    smooth  loss_curves  training_figure
    classes   train_classifier  recognise  confusion  confusion_figure
    given     picture

Every figure is a function that returns a matplotlib Figure and, told a file, also saves it;
`picture` alone shows one that is there already. They are grey, or told apart by marker and line as
well as by colour, so that they survive printing. Images are tensors (N, 784), (N, 1, H, W) or
(N, 3, H, W), in [0, 1] unless `low` and `high` say otherwise. matplotlib is imported only where it
is used.
"""

from __future__ import annotations

import base64
import io
import math
import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from hw5_basics import _notebook, _quick, adam, descend
from hw5_checkpoint import NO_EPOCH, NotThereYet
from hw5_data import batches

MARKERS = "osD^v<>P*X"  # one for each class
QUICK_NOTE = "quick settings: models have seen little, so blurs and noise are to be expected"


def _figure(width: float, height: float, file: str | os.PathLike | None):
    """An empty figure of so many inches and a function that saves it, if a file is named.

    With quick settings a line under its images says so.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")

    def done():
        if _quick() and any(axes.images for axes in figure.axes):
            figure.set_figheight(figure.get_figheight() + 0.2)
            figure.supxlabel(QUICK_NOTE, fontsize=7, color="0.4")
        if file is not None:
            figure.savefig(file, dpi=150)
        return figure

    return figure, done


def _pictures(images: torch.Tensor) -> np.ndarray:
    """Images in any of the shapes above -> (N, H, W) or (N, H, W, 3), numpy."""
    images = images.detach().float().cpu()
    if images.dim() == 4 and images.shape[1] == 3:
        return images.permute(0, 2, 3, 1).numpy()
    flat = images.flatten(1)  # (N, D)
    side = math.isqrt(flat.shape[1])
    return flat.view(-1, side, side).numpy()


def _show(axes, picture: np.ndarray) -> None:
    """Draw one picture, black at 0 and white at 1, without ticks."""
    axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def image_grid(
    images: torch.Tensor,
    columns: int | None = None,
    *,
    title: str = "",
    over: list[str] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    file: str | os.PathLike | None = None,
):
    """N images row by row: 16 of them stand 4 x 4, unless the number of columns is told.

    over: what is written over each image; low, high: black and white, -1 and 1 after a tanh.
    """
    pictures = np.clip((_pictures(images) - low) / (high - low), 0, 1)
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = pictures.shape[1:3]
    down, right = height + (height // 2 if over else 3), width + 3
    canvas = np.ones((rows * down - 3 * (not over), columns * right - 3, *pictures.shape[3:]))
    figure, done = _figure(0.7 * columns, 0.7 * rows * down / right + 0.3 * bool(title), file)
    axes = figure.add_subplot()
    for k, picture in enumerate(pictures):
        top, left = k // columns * down + (height // 2 if over else 0), k % columns * right
        canvas[top : top + height, left : left + width] = picture
        if over:
            axes.text(left + width / 2, top - 2, over[k], ha="center", va="bottom", fontsize=9)
    _show(axes, canvas)
    figure.suptitle(title, fontsize=10)
    return done()


def labelled_rows(
    rows: dict[str, torch.Tensor],
    *,
    under: list[str] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    file: str | os.PathLike | None = None,
):
    """One row of images for each name, as many in each; the names stand at the left.

    under: what is written under each column.
    """
    columns = max(len(images) for images in rows.values())
    pictures = [np.clip((_pictures(x) - low) / (high - low), 0, 1) for x in rows.values()]
    height, width = pictures[0].shape[1:3]
    down, right = height + 6, width + 3
    canvas = np.ones((len(rows) * down - 6, columns * right - 3, *pictures[0].shape[3:]))
    for i, row in enumerate(pictures):
        for j, picture in enumerate(row):
            top, left = i * down, j * right
            canvas[top : top + height, left : left + width] = picture
    figure, done = _figure(0.75 * columns + 1.2, 0.85 * len(rows) + 0.25 * bool(under), file)
    axes = figure.add_subplot()
    _show(axes, canvas)
    axes.tick_params(length=0, labelsize=9)
    axes.set_yticks([i * down + height / 2 for i in range(len(rows))], list(rows))
    under = under or []
    axes.set_xticks([j * right + width / 2 for j in range(len(under))], under)
    return done()


def reconstruction_pairs(
    images: torch.Tensor, reconstructions: torch.Tensor, file: str | os.PathLike | None = None
):
    """Reconstructions above their originals."""
    return labelled_rows({"reconstruction": reconstructions, "original": images}, file=file)


def canvas_figure(
    canvas: np.ndarray,
    columns: list[str],
    rows: list[str] | None = None,
    *,
    label: str = "",
    file: str | os.PathLike | None = None,
):
    """A canvas of `concat_images`, values in [0, 1], black ink on white as on paper.

    columns: what is written under each column; rows: at the left of each row; label: under all.
    """
    height, width = canvas.shape
    figure, done = _figure(width / 55 + 0.6, height / 55 + 0.5, file)
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap="Greys", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9)
    axes.set_xticks([width * (k + 0.5) / len(columns) for k in range(len(columns))], columns)
    rows = rows or []
    axes.set_yticks([height * (k + 0.5) / len(rows) for k in range(len(rows))], rows)
    axes.set_xlabel(label, fontsize=9)
    return done()


def latent_scatter(
    points: torch.Tensor,
    labels: torch.Tensor,
    *,
    axis: str = "latent dimension",
    file: str | os.PathLike | None = None,
):
    """Points (N, 2) in the plane; every class has its colour, its marker and a legend entry."""
    from matplotlib import colormaps

    points = F.pad(points.detach().cpu(), (0, 1))[:, :2].numpy()  # one dimension lies on a line
    labels = labels.cpu().numpy()
    figure, done = _figure(6.4, 5.6, file)
    axes = figure.add_subplot()
    for k in np.unique(labels):
        x, y = points[labels == k].T
        colour = colormaps["tab10"](int(k) % 10)
        axes.scatter(x, y, s=7, marker=MARKERS[k % 10], color=colour, linewidths=0, label=str(k))
    axes.set_xlabel(f"{axis} 1")
    axes.set_ylabel(f"{axis} 2")
    axes.set_aspect("equal", "datalim")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(title="class", loc="outside right upper", markerscale=2.5, frameon=False)
    return done()


def code_map(images: torch.Tensor, ticks: list[float], *, file: str | os.PathLike | None = None):
    """n x n images edge to edge, row by row from the top: what the codes of a plane decode to.

    ticks: the n coordinates of the columns from left to right, and of the rows from below.
    """
    n, pictures = len(ticks), _pictures(images)
    height, width = pictures.shape[1:3]
    canvas = pictures.reshape(n, n, height, width).swapaxes(1, 2).reshape(n * height, n * width)
    figure, done = _figure(6.6, 6.6, file)
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8)
    some = range(0, n, max(n // 6, 1))
    axes.set_xticks([(k + 0.5) * width for k in some], [f"{ticks[k]:.2g}" for k in some])
    axes.set_yticks([(n - k - 0.5) * height for k in some], [f"{ticks[k]:.2g}" for k in some])
    axes.set_xlabel("z[0]")
    axes.set_ylabel("z[1]")
    return done()


def one_picture(image: torch.Tensor, size: int = 224) -> bytes:
    """One image (1, ...), in [0, 1], as the bytes of a PNG of about `size` pixels, without a frame.

    Every pixel becomes a square, so that none is blurred when it is shown.
    """
    from matplotlib.image import imsave

    (picture,) = np.clip(_pictures(image), 0, 1)
    large = picture.repeat(size // len(picture), 0).repeat(size // len(picture), 1)
    file = io.BytesIO()
    imsave(file, large, format="png", cmap="gray", vmin=0, vmax=1)
    return file.getvalue()


def smooth(values: list[float], factor: float = 0.95) -> list[float]:
    """A running mean that forgets: weights factor^k for the value k steps ago, adding up to 1."""
    total, weight, means = 0.0, 0.0, []
    for value in values:
        total = factor * total + (1 - factor) * float(value)
        weight = factor * weight + (1 - factor)
        means.append(total / weight)
    return means


def loss_curves(
    losses: dict[str, list[float]],
    *,
    factor: float = 0.95,
    together: bool = False,
    step: str = "iteration",
    loss: str = "loss",
    file: str | os.PathLike | None = None,
):
    """One curve for each name, smoothed with `factor` (0: as they are): side by side, or
    `together` in one pair of axes, told apart by line style."""
    if not any(losses.values()):
        raise NotThereYet(f"There are no losses yet: {NO_EPOCH}.")
    panels = 1 if together else len(losses)
    figure, done = _figure(4.2 * panels + (1.0 if together else 0), 3.0, file)
    grid = figure.subplots(1, panels, squeeze=False)[0]
    styles = ["-", "--", ":", "-."]
    for k, (name, values) in enumerate(losses.items()):
        axes = grid[0 if together else k]
        style = {"color": str(0.2 * (k % 3)), "linestyle": styles[k % 4]} if together else {}
        start = 1 if len(values) < 2 or step == "epoch" else 0
        curve = smooth(values, factor)
        axes.plot(
            range(start, start + len(curve)),
            curve,
            **({"color": "black"} | style),
            lw=1.2,
            label=name,
        )
        axes.set_xlabel(step)
        axes.set_ylabel(loss if together else name)
        axes.spines[["top", "right"]].set_visible(False)
    if together:
        grid[0].legend(frameon=False)
    return done()


def training_figure(
    images: torch.Tensor | None,
    losses: dict[str, list[float]],
    batches_an_epoch: int | None,
    title: str,
    file: str | os.PathLike | BinaryIO | None = None,
):
    """A training so far: samples at the left, a panel for each loss at the right.

    images: in [0, 1], or None; losses: one number for each step. A curve has at most 200 points,
    each the mean of so many steps in a row.
    """
    from matplotlib.figure import Figure

    # The places are ours: the layouts of matplotlib would take as long as the drawing.
    figure = Figure(figsize=(8.4, 3.4), dpi=100)
    figure.suptitle(title, x=0.01, y=0.985, ha="left", fontsize=10)
    if images is not None:
        axes = figure.add_axes((0.01, 0.03, 0.38, 0.87))
        _show(axes, _canvas(_pictures(images)))
        axes.set_anchor("W")
    height = 0.74 / max(len(losses), 1)
    for k, (name, values) in enumerate(losses.items()):
        axes = figure.add_axes((0.49, 0.15 + (len(losses) - 1 - k) * height, 0.49, 0.9 * height))
        size = max(1, math.ceil(len(values) / 200))
        means = [float(np.mean(values[i : i + size])) for i in range(0, len(values), size)]
        ends = np.minimum(size * np.arange(1, len(means) + 1), len(values))
        axes.plot(ends / (batches_an_epoch or 1), means, color="black", lw=1)
        later = [mean for mean in means[len(means) // 20 :] if math.isfinite(mean)]
        if later:  # what the curve does counts, not how far off it began
            room = 0.08 * (max(later) - min(later)) or 0.1
            axes.set_ylim(min(later) - room, max(later) + room)
        axes.set_title(name, x=0.99, y=0.99, ha="right", va="top", fontsize=9)
        axes.tick_params(labelsize=8, labelbottom=k == len(losses) - 1)
        axes.spines[["top", "right"]].set_visible(False)
    if losses:
        axes.set_xlabel("epoch" if batches_an_epoch else "step", fontsize=9)
    if file is not None:
        figure.savefig(file)
    return figure


def _canvas(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, 3) row by row on one canvas that is nearly square."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = pictures.shape[1:3]
    down, right = height + 3, width + 3
    canvas = np.ones((rows * down - 3, columns * right - 3, *pictures.shape[3:]))
    for k, picture in enumerate(np.clip(np.nan_to_num(pictures), 0, 1)):
        top, left = k // columns * down, k % columns * right
        canvas[top : top + height, left : left + width] = picture
    return canvas


def train_classifier(images: torch.Tensor, labels: torch.Tensor, epochs: int = 3) -> nn.Module:
    """A small network (N, 1, 28, 28) -> class scores (N, 10), trained in seconds to 97 %.

    It reads what a generative model draws, so that its samples can be counted instead of judged.
    """
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 10))
    model.to(images.device)
    optimizer = adam(model.parameters(), lr=2e-3)
    epochs = max(epochs, 30_000 // max(len(images), 1))  # a small set needs more passes
    for _ in range(epochs):
        for x, y in batches(images, labels, batch_size=128):
            descend(F.cross_entropy(model(x), y), optimizer)
    return model.eval()


@torch.no_grad()
def recognise(classifier: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """The class (N,) that the classifier sees in each image."""
    images = images.to(next(classifier.parameters()).device)
    return classifier(images).argmax(1)


def confusion(asked: torch.Tensor, seen: torch.Tensor, classes: int = 10) -> torch.Tensor:
    """(C, C): in row i and column j, how often class i was asked for and class j was seen."""
    cells = asked.cpu().long() * classes + seen.cpu().long()
    return torch.bincount(cells, minlength=classes**2).view(classes, classes)


def confusion_figure(counts: torch.Tensor, file: str | os.PathLike | None = None):
    """The matrix of `confusion`, as shares of each row in percent; the darker, the more."""
    shares = (100 * counts / counts.sum(1, keepdim=True).clamp(min=1)).numpy()
    figure, done = _figure(4.8, 4.8, file)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=100)
    for (i, j), share in np.ndenumerate(shares):
        if share >= 0.5:
            ink = "white" if share > 55 else "black"
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", color=ink, fontsize=9)
    axes.set_xticks(range(len(shares)))
    axes.set_yticks(range(len(shares)))
    axes.tick_params(length=0)
    axes.set_xlabel("recognised digit")
    axes.set_ylabel("asked digit")
    accuracy = counts.diag().sum().item() / max(counts.sum().item(), 1)
    axes.set_title(f"{accuracy:.1%} as asked; % of each row", fontsize=10)
    return done()


def picture(name: str, caption: str = "") -> None:
    """Show a picture that came with the coursework, pictures/NAME.png, with a caption under it.

    Outside a notebook it says where the file lies; where there is none, it says so.
    """
    here = Path(__file__).resolve().parent
    places = [here / folder / f"{name}.png" for folder in ("pictures", "notebooks/pictures")]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        print(
            f"The picture {name} is not here: {places[0]} is missing. It comes in the zip of the "
            "coursework; nothing depends on it, so go on without."
        )
        return
    if not _notebook():
        print("\n".join(filter(None, [f"See {file}", caption])))
        return
    from IPython.display import display

    png = file.read_bytes()
    width = int.from_bytes(png[16:20], "big") // 2  # drawn twice as fine as it is shown
    shown = {"image/png": base64.b64encode(png).decode(), "text/plain": caption or name}
    display(shown, raw=True, metadata={"image/png": {"width": width, "alt": caption or name}})
    if caption:
        display({"text/markdown": caption, "text/plain": caption}, raw=True)
