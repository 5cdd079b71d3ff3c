"""Given to students: seeds, devices, optimizers and other small helpers.

    seeds and numbers   reset_seed  rel_error  count_params  initialize_weights  one_hot
                        idx2onehot
    devices             default_device  in_channels_last  in_bf16
    steps               adam  fused  descend
    what is shown       hello  progress  show_losses  array_to_image  concat_images  save_images
                        show_images  unwritten

Letters: N images in a batch, C classes, H x W = 28 x 28 pixels. Nothing here needs an edit.
matplotlib is imported only where it is used.
"""

from __future__ import annotations

import copy
import functools
import io
import math
import os
import random
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._pytree import tree_map

from hw5_checkpoint import checkpoint


def reset_seed(number: int) -> None:
    """Start the random streams of Python, NumPy and torch at `number`."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def rel_error(x: torch.Tensor, y: torch.Tensor, eps: float = 1e-10) -> float:
    """max |x - y| / max(|x| + |y|): the largest difference as a share of the largest size."""
    return ((x - y).abs().max() / (x.abs() + y.abs()).max().clamp(min=eps)).item()


def count_params(model: nn.Module) -> int:
    """How many numbers the model learns."""
    return sum(p.numel() for p in model.parameters())


def initialize_weights(m: nn.Module) -> None:
    """Xavier weights for Linear and ConvTranspose2d layers; use as `model.apply(...)`."""
    if isinstance(m, (nn.Linear, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(m.weight)


def one_hot(labels: torch.Tensor, class_size: int = 10) -> torch.Tensor:
    """Labels (N,) of whole numbers in 0..C-1 -> (N, C) float32, a single one in each row."""
    labels = torch.as_tensor(labels)
    if labels.dim() != 1 or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(
            "one_hot takes class numbers, a tensor of whole numbers of shape (N,); got "
            f"{labels.dtype} of shape {tuple(labels.shape)}. Are these one-hot already, or images?"
        )
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < class_size:
        raise ValueError(
            f"one_hot: labels run from {int(labels.min())} to {int(labels.max())}, but with "
            f"class_size={class_size} they must lie in 0..{class_size - 1}."
        )
    return F.one_hot(labels.long(), class_size).float()


idx2onehot = one_hot


def hello(file: str) -> None:
    """Say that `file` can be imported, and when it was last edited."""
    name = Path(file).name
    print(f"Hello from {name}!")
    print(f"{name} last edited on {time.ctime(os.path.getmtime(file))}")


def unwritten(error: BaseException) -> bool:
    """Is this a stub speaking, "part.question: write ..."? torch has such errors of its own."""
    is_stub = isinstance(error, NotImplementedError)
    return is_stub and re.match(r"[\w-]+\.\w+: ", str(error)) is not None


def default_device() -> str:
    """What HW5_DEVICE says, else the GPU where there is one that works, `cuda` or a Mac's `mps`."""
    asked = os.environ.get("HW5_DEVICE", "")
    if asked and _is_there(asked):
        return asked
    if asked:
        print(f"HW5_DEVICE={asked}: torch has no such device here, so it is left out of account.")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return next((device for device in there if there[device] and _trains_on(device)), "cpu")


def _is_there(device: str) -> bool:
    """Whether torch can put a tensor on it."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        return False
    return True


@functools.cache
def _trains_on(device: str) -> bool:
    """Whether a training step of the layers that the parts use works there as on the CPU.

    A GPU may be too old for this torch, and kernels may be missing or wrong. The random streams
    of the coursework do not move.
    """
    with torch.random.fork_rng(devices=[]):
        net = nn.Sequential(
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 4, 3, padding=1)),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.2),
            nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1),
            nn.Upsample(scale_factor=2),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(3 * 8 * 8, 1),
        )
    x, gradients = torch.linspace(-1, 1, 64).view(2, 2, 4, 4), []
    try:
        for model, images in ((copy.deepcopy(net), x), (net.to(device), x.to(device))):
            loss = F.mse_loss(model(images), images[:, 0, :1, 0])
            descend(loss, adam(model.parameters(), lr=0.001))
            gradients.append(torch.cat([w.grad.flatten().cpu() for w in model.parameters()]))
        noise = torch.randn(9, device=device, generator=torch.Generator(device).manual_seed(0))
        finite = bool(noise.isfinite().all()) and bool(model(images).isfinite().all())
        return finite and torch.allclose(*gradients, rtol=0.05, atol=0.001)
    except (RuntimeError, NotImplementedError, AssertionError):
        return False


def _named(device: str) -> str:
    """A device as a sentence names it."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"cpu": "the CPU", "mps": "the GPU of this Mac (mps)"}.get(device, device)


def adam(parameters, lr: float) -> torch.optim.Adam:
    """Adam with its usual settings, as one fused kernel where this torch and device have it."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, lr=lr, fused=True)
    except RuntimeError:
        return torch.optim.Adam(parameters, lr=lr)


def fused(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The same optimizer; a fresh Adam works as one fused kernel from here on, where it can."""
    if type(optimizer) is torch.optim.Adam and not optimizer.state:
        weights = [p for group in optimizer.param_groups for p in group["params"]]
        if adam(weights, 1e-3).defaults.get("fused"):
            for group in optimizer.param_groups:
                group.update(fused=True, foreach=False)
    return optimizer


def descend(loss: torch.Tensor, optimizer: torch.optim.Optimizer) -> None:
    """Let the optimizer take one step down the loss: its own weights alone get gradients and move,
    whatever other networks the loss has passed through."""
    weights = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    for weight in weights:
        weight.grad = None
    loss.backward(inputs=weights)
    optimizer.step()


def in_channels_last(*nets: nn.Module) -> None:
    """Let convolutions keep the channels of a pixel side by side in memory: shapes and values stay.

    They run faster so. An Upsample hands on the layout it is given, so it is given the right one
    while its images are small. On a Mac's GPU nothing is done: there, gradients take thirty times
    as long in this layout (pytorch issue 193349).
    """
    for net in nets:
        if any(weight.device.type == "mps" for weight in net.parameters()):
            continue
        net.to(memory_format=torch.channels_last)
        for layer in net.modules():
            hooks = layer._forward_pre_hooks.values()
            if isinstance(layer, nn.Upsample) and _side_by_side not in hooks:
                layer.register_forward_pre_hook(_side_by_side)


def _side_by_side(layer: nn.Module, inputs: tuple) -> tuple:
    (x,) = inputs
    return (x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x,)


def in_bf16(*nets: nn.Module) -> None:
    """Let networks work in bfloat16 from here on; weights, inputs and outputs stay float32.

    About twice as fast on processors that have it, and rounder: an option, never the default.
    """

    def wrap(forward, device: str):
        @functools.wraps(forward)
        def run(*inputs):
            with torch.autocast(device, torch.bfloat16):
                outputs = forward(*inputs)
            return tree_map(lambda x: x.float() if isinstance(x, torch.Tensor) else x, outputs)

        return run

    for net in nets:
        net.forward = wrap(net.forward, next(net.parameters()).device.type)


def _notebook():
    """The shell of the notebook that this runs in, None elsewhere."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython import get_ipython

    shell = get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _quick() -> bool:
    """Whether quick settings are asked for: by HW5_QUICK=1, or by a notebook in its first cell."""
    shell = _notebook()
    asked = bool(shell and shell.user_ns.get("QUICK"))
    return asked or os.environ.get("HW5_QUICK", "") not in ("", "0")


def progress(iterable, label: str):
    """A progress bar in a terminal or notebook; silent where the output goes to a file.

    Inside a block `with training(...)` of hw5_live.py it is part of the bar of the whole training.
    """
    from tqdm import tqdm

    counted = checkpoint.active and checkpoint.active.watched(iterable)
    if counted:
        return counted
    shell = _notebook()
    if shell and not isinstance(sys.stdout, io.StringIO):  # a check keeps what is printed to itself
        line = _line_of_cell(shell.execution_count)
        return tqdm(iterable, desc=label, leave=False, file=line, ncols=100)
    return tqdm(iterable, desc=label, leave=False, disable=not sys.stdout.isatty(), file=sys.stdout)


class _Line(io.TextIOBase):
    """One line in the output of a cell that is written over, and empty when nothing is left.

    A widget for every bar would stay in the saved notebook, one for each epoch.
    """

    def __init__(self):
        from IPython.display import display

        self._line = display({"text/plain": ""}, raw=True, display_id=True)

    def write(self, text: str) -> int:
        if "\n" not in text:
            self._line.update({"text/plain": text.strip("\r ")}, raw=True)
        return len(text)


@functools.lru_cache(maxsize=1)
def _line_of_cell(count: int) -> _Line:
    """The line that all bars of one cell share: the cell that runs as number `count`."""
    return _Line()


def show_losses(bar, **losses) -> None:
    """Write losses behind a progress bar, twice a second at most: reading a tensor waits for it."""
    if checkpoint.active:
        checkpoint.active.heard(losses)
    now = time.monotonic()
    if not bar.disable and now >= getattr(bar, "next_look", 0.0):
        bar.next_look = now + 0.5
        numbers = {k: x.detach() if isinstance(x, torch.Tensor) else x for k, x in losses.items()}
        bar.set_postfix({name: f"{float(loss):.3f}" for name, loss in numbers.items()})


def array_to_image(array) -> np.ndarray:
    """784 pixels in a row -> (28, 28)."""
    return np.asarray(array).reshape(28, 28)


def concat_images(images, row: int, col: int, padding: int = 3) -> np.ndarray:
    """One canvas of row x col images with black gaps; cell (i, j) holds images[i + j * row]."""
    height, width = np.shape(images[0])
    canvas = np.zeros((row * (height + padding) - padding, col * (width + padding) - padding))
    for k in range(min(row * col, len(images))):
        top, left = k % row * (height + padding), k // row * (width + padding)
        canvas[top : top + height, left : left + width] = images[k]
    return canvas


def save_images(images: torch.Tensor, file, columns: int | None = None, format=None) -> None:
    """Draw N square grey images, (N, 784) or (N, 1, 28, 28), row by row into a file.

    Black is the smallest value of all of them and white the largest, so [0, 1] and [-1, 1] both
    do. columns: images in a row, the square root of N unless told.
    """
    from matplotlib.figure import Figure

    flat = images.detach().float().cpu().flatten(1)  # (N, D)
    flat = (flat - flat.min()) / (flat.max() - flat.min()).clamp(min=1e-8)
    side = math.isqrt(flat.shape[1])
    columns = columns or math.ceil(math.sqrt(len(flat)))
    rows = math.ceil(len(flat) / columns)
    cells = torch.zeros(rows * columns, side, side)
    cells[: len(flat)] = flat.view(-1, side, side)
    by_column = cells.view(rows, columns, side, side).transpose(0, 1).flatten(0, 1).numpy()
    figure = Figure(figsize=(columns * 0.8, rows * 0.8), dpi=120)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.imshow(concat_images(by_column, rows, columns), cmap="gray", vmin=0, vmax=1)
    figure.savefig(file, format=format)


def show_images(images: torch.Tensor, columns: int | None = None) -> None:
    """Show N grey images in the notebook; outside a notebook this does nothing."""
    if _notebook():
        from IPython.display import Image, display

        picture = io.BytesIO()
        save_images(images, picture, columns, format="png")
        display(Image(picture.getvalue()))
