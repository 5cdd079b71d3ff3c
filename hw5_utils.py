"""Given to students: data, figures, seeds and training loops. Nothing here needs an edit.

    seeds and helpers   reset_seed  rel_error  count_params  initialize_weights  one_hot
                        idx2onehot  hello  default_device  adam  fused  descend
                        in_channels_last  in_bf16  progress  show_losses  run_options  run_part
                        begin  check  unwritten
    data                load_mnist  load_binary_mnist  load_cifar10  mnist  download  batches
                        batch_indices  GANDataset  BASE_URL
    figures             array_to_image  concat_images  save_images  show_images
    training loops      train_vae (part fc-vae)  run_a_gan (part fc-gan)
    from hw5_checkpoint checkpoint  resumable  Gallery

Letters: N images in a batch, C classes, H x W = 28 x 28 pixels. Images are float32 in [0, 1] and
labels int64 in 0..9. MNIST is kept under `data/` beside this file, or in the folder that the
environment variable HW5_DATA names; HW5_DATA=digits asks for scikit-learn's small set instead.
torchvision, scikit-learn, matplotlib and safetensors are imported only where they are used.
"""

from __future__ import annotations

import argparse
import copy
import functools
import gzip
import importlib.util
import io
import math
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._pytree import tree_map
from torch.utils.data import Dataset

from hw5_checkpoint import CheckpointError, Gallery, checkpoint, resumable

BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
FETCH_TIMEOUT = 5.0  # seconds of silence after which a server counts as out of reach


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


def begin(quick: bool = False) -> bool:
    """Say what a notebook finds here; whether it shall use quick settings, asked for here or by
    HW5_QUICK=1.

    What a notebook to be handed in must not say begins with "WARNING:", here and in every loader
    of data that has to use a stand-in.
    """
    here = Path(__file__).resolve().parent
    where = _named(default_device())
    print(f"Python {sys.version.split()[0]}, torch {torch.__version__}, on {where}")
    for name in ("hw5_vae.py", "hw5_gan.py"):
        if (here / name).exists():
            print(f"{name} last edited on {time.ctime((here / name).stat().st_mtime)}")
    folder = _data_folder()
    if folder == "digits":
        print("WARNING: stand-ins are used for the data sets (HW5_DATA=digits).")
    else:
        kept = {"MNIST": "MNIST", "CIFAR-10": "cifar-10-batches-py"}
        found = [name for name, entry in kept.items() if (Path(folder) / entry).is_dir()]
        print(f"Data in {folder}: {' and '.join(found) or 'none yet, it is fetched once'}")
    quick = quick or os.environ.get("HW5_QUICK", "") not in ("", "0")
    if quick:
        print("WARNING: quick settings (HW5_QUICK=1): few images and few steps, for a try only.")
    shell = _notebook()
    if shell:
        import hw5_edits
        import hw5_errors
        import hw5_folder

        hw5_folder.watch(shell)  # so that bundle() knows whether the notebook was saved since
        hw5_edits.follow(shell)
        hw5_errors.attend(shell)
        # The first optimizer imports for a second, and an import that is interrupted stays broken:
        # so it is not left to the first training.
        torch.optim.Adam([torch.zeros(1)])
    return quick


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


def check(part: str = "") -> bool:
    """Run the visible checks of a part, or of one question, "part.question"; print a table."""
    import hw5_checks

    return hw5_checks.check(part)


def report(
    notebooks=None, out="hw5.pdf", parts=None, anonymous: bool = False, code: bool = True
) -> Path | None:
    """Write the PDF of the notebooks; see hw5_report.report."""
    import hw5_report

    return hw5_report.report(notebooks, out, parts, anonymous, code)


def bundle(notebooks=None, out=None, pdf="hw5.pdf", anyway: bool = False) -> Path | None:
    """Say what is there, and write the zip to hand in; see hw5_report.bundle."""
    import hw5_report

    return hw5_report.bundle(notebooks, out, pdf, anyway)


_LIBRARIES: list = []  # operators live only as long as the Library that declared them


@functools.cache
def _torchvision():
    """The torchvision package, imported at the first use.

    A torchvision built for CUDA beside a CPU-only torch stops at "operator torchvision::nms does
    not exist". Two operators are missing; nothing here calls them, so declaring them is enough.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        library = torch.library.Library("torchvision", "DEF")
        _LIBRARIES.append(library)
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [m for m in sys.modules if m.partition(".")[0] == "torchvision"]:
            del sys.modules[name]  # what the broken import left behind
        import torchvision
    return torchvision


def _data_folder(data: str | os.PathLike | None = None) -> str:
    """Where data lies: the argument, else HW5_DATA, else `data/` beside this file."""
    return str(data or os.environ.get("HW5_DATA") or Path(__file__).resolve().parent / "data")


def download(url: str, filename: str) -> Path:
    """Fetch `url` into the data folder as `filename`, unless it is there; returns the path.

    The file appears under its name only when complete, so an interruption leaves nothing behind.
    """
    target = Path(_data_folder()) / filename
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            part = Path(folder) / "part"
            with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT) as source, part.open("wb") as f:
                shutil.copyfileobj(source, f)
            os.replace(part, target)
    return target


def _fetch(name: str, folder: str) -> dict:
    """Both splits of a data set of torchvision's; a silent server is given up after a while."""
    dataset = getattr(_torchvision().datasets, name)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(FETCH_TIMEOUT)
    try:
        return {s: dataset(folder, s == "train", download=True) for s in ("train", "test")}
    finally:
        socket.setdefaulttimeout(before)


def _mnist_files(folder: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """MNIST by torchvision: it tries several mirrors, verifies checksums and keeps the files."""
    sets = _fetch("MNIST", folder)
    return {split: (d.data, d.targets) for split, d in sets.items()}


def _digits() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """scikit-learn's 1,797 real digits, 8 x 8 scaled to 20 x 20 in a 28 x 28 frame like MNIST's.

    They are read from its file: importing the whole package takes a second and 90 MB.
    """
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the digits are scikit-learn's: pip install scikit-learn")
    file = Path(package.submodule_search_locations[0], "datasets", "data", "digits.csv.gz")
    table = np.loadtxt(file, delimiter=",")
    pixels, labels = table[:, :-1], table[:, -1]
    small = torch.from_numpy(pixels).float().view(-1, 1, 8, 8) * (255 / 16)
    large = F.interpolate(small, size=20, mode="bilinear", align_corners=False)
    images = F.pad(large, (4, 4, 4, 4)).round().to(torch.uint8).squeeze(1)  # (1797, 28, 28)
    targets = torch.from_numpy(labels).long()
    return {"train": (images[:1500], targets[:1500]), "test": (images[1500:], targets[1500:])}


@functools.lru_cache(maxsize=2)
def _read(where: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Both splits as uint8 images (N, 28, 28) and labels (N,); the digits when MNIST fails."""
    reason = "as asked"
    if where != "digits":
        try:
            return _mnist_files(where)
        except (OSError, RuntimeError, ImportError) as error:
            reason = f"which could not be fetched: {str(error).splitlines()[0].rstrip(':')}"
    print("WARNING: 1,797 digits of scikit-learn, scaled to 28x28, stand in for MNIST,", reason)
    return _digits()


def load_mnist(
    split: str = "train",
    binarize: bool = False,
    limit: int | None = None,
    validation: int = 0,
    data: str | os.PathLike | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Handwritten digits: images (N, 1, 28, 28) float32 in [0, 1], labels (N,) int64.

    split: "train", "validation" or "test"; binarize: round every pixel to 0 or 1; limit: keep the
    first so many; validation: how many of the 60,000 training images are set aside, at their
    end; data: a folder, or "digits". The small stand-in sets aside the same share.
    """
    if split not in ("train", "validation", "test"):
        raise ValueError(f'load_mnist: split is "train", "validation" or "test", not {split!r}.')
    images, labels = _read(_data_folder(data))["test" if split == "test" else "train"]
    if split != "test":
        kept = len(images) - validation * len(images) // 60_000
        part = slice(kept) if split == "train" else slice(kept, None)
        images, labels = images[part], labels[part]
    pixels = images[:limit].unsqueeze(1).float() / 255
    return (pixels.round() if binarize else pixels), labels[:limit].clone()


def load_binary_mnist(
    data: str | os.PathLike | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The set of part bernoulli-vae: the first 10,000 of each split, rounded to 0 or 1.

    Returns train_images, train_labels, test_images, test_labels: images (N, 784) and one-hot
    labels (N, 10), all float32.
    """
    train, train_labels = load_mnist("train", binarize=True, limit=10_000, data=data)
    test, test_labels = load_mnist("test", binarize=True, limit=10_000, data=data)
    return train.flatten(1), one_hot(train_labels), test.flatten(1), one_hot(test_labels)


def mnist() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """train_images, train_labels, test_images, test_labels as uint8; images are (N, 28, 28)."""
    (train, train_labels), (test, test_labels) = _read(_data_folder()).values()
    return tuple(t.numpy().astype(np.uint8) for t in (train, train_labels, test, test_labels))


def _photographs() -> dict[str, torch.Tensor]:
    """Crops of scikit-learn's two photographs, 32 x 32, from halves and quarters of their size.

    The right quarter of each photograph is kept for the test split.
    """
    from sklearn.datasets import load_sample_images

    crops: dict[str, list[torch.Tensor]] = {"train": [], "test": []}
    for photograph in load_sample_images().images:
        whole = torch.from_numpy(photograph.copy()).permute(2, 0, 1).float()[None]  # (1, 3, H, W)
        for size, step in ((2, 8), (4, 4)):
            small = F.avg_pool2d(whole, size)[0]
            edge = small.shape[2] * 3 // 4
            for split, side in (("train", small[:, :, :edge]), ("test", small[:, :, edge:])):
                windows = side.unfold(1, 32, step).unfold(2, 32, step)  # (3, rows, columns, 32, 32)
                crops[split].append(windows.flatten(1, 2).transpose(0, 1))
    return {split: torch.cat(parts).round().to(torch.uint8) for split, parts in crops.items()}


@functools.lru_cache(maxsize=2)
def _read_cifar10(where: str) -> dict[str, torch.Tensor]:
    """Both splits as uint8 images (N, 3, 32, 32); crops of photographs when CIFAR-10 fails."""
    reason = "as asked"
    if where != "digits":
        try:
            sets = _fetch("CIFAR10", where)
            return {s: torch.from_numpy(d.data).permute(0, 3, 1, 2) for s, d in sets.items()}
        except (OSError, RuntimeError, ImportError) as error:
            reason = f"which could not be fetched: {str(error).splitlines()[0].rstrip(':')}"
    photographs = _photographs()
    count = sum(len(crops) for crops in photographs.values())
    print(f"WARNING: {count:,} crops of two photographs stand in for CIFAR-10,", reason)
    return photographs


def load_cifar10(
    split: str = "train", limit: int | None = None, data: str | os.PathLike | None = None
) -> torch.Tensor:
    """Small colour photographs of ten kinds of things: (N, 3, 32, 32) float32 in [0, 1].

    split: "train" (50,000) or "test" (10,000); limit: keep the first so many; data: a folder, or
    "digits" for the stand-in that needs no network.
    """
    if split not in ("train", "test"):
        raise ValueError(f'load_cifar10: split is "train" or "test", not {split!r}.')
    return _read_cifar10(_data_folder(data))[split][:limit].float().contiguous() / 255


class batches:
    """Batches of a data set that is one tensor: each pass slices a fresh permutation of indices.

    Yields x (B, ...), or (x, y) with labels given; `len` is the number of batches. The tensors
    move to `device` once, which is why this beats a DataLoader on data that fits in memory.
    """

    def __init__(
        self, images, labels=None, batch_size=128, shuffle=True, drop_last=False, device=None
    ):
        if labels is not None and len(labels) != len(images):
            raise ValueError(f"batches: {len(images)} images but {len(labels)} labels.")
        if batch_size < 1:
            raise ValueError(f"batches: batch_size must be at least 1, not {batch_size}.")
        self.tensors = [t.to(device) for t in (images, labels) if t is not None]
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last

    def __len__(self):
        whole, rest = divmod(len(self.tensors[0]), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def __iter__(self):
        count, device = len(self.tensors[0]), self.tensors[0].device
        order = (torch.randperm if self.shuffle else torch.arange)(count, device=device)
        for index in order.split(self.batch_size)[: len(self)]:
            chosen = tuple(t[index] for t in self.tensors)
            yield chosen if len(chosen) > 1 else chosen[0]


def batch_indices(iter: int, num_batches: int, batch_size: int) -> slice:
    """The slice of batch number `iter`, counting on from the first after the last."""
    start = iter % num_batches * batch_size
    return slice(start, start + batch_size)


class GANDataset(Dataset):
    """The images of one gzipped idx file as `self.d`, (N, 1, H, W) float32 on `dev`.

    transform: an optional function of the whole tensor. An item is one image (1, H, W), 0..255
    unless the transform scales it.
    """

    def __init__(self, data_f, dev, transform=None):
        self.transform = transform
        self.d = self._load_data(data_f, dev)

    def _load_data(self, data_f, dev):
        with gzip.open(data_f, "rb") as f:
            _, count, height, width = np.frombuffer(f.read(16), ">i4").tolist()
            pixels = np.frombuffer(f.read(), np.uint8).reshape(count, 1, height, width)
        d = torch.from_numpy(pixels.astype(np.float32)).to(dev)
        return d if self.transform is None else self.transform(d)

    def __len__(self):
        return len(self.d)

    def __getitem__(self, idx):
        return self.d[idx]


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


def _split_batch(batch) -> tuple[torch.Tensor, torch.Tensor | None]:
    """(images, labels) of what a loader yields: x, (x,), or (x, y)."""
    return (*batch, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)


def _guard_images(x: torch.Tensor) -> None:
    """Refuse pixels outside [0, 1] and say what they may be."""
    low, high = x.min().item(), x.max().item()
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"The images run from {low:.4g} to {high:.4g}, but pixels must lie in [0, 1]. "
            "Were they divided by 255? Were they normalised to [-1, 1] or to mean 0?"
        )


_ADAMS: WeakKeyDictionary = WeakKeyDictionary()  # model -> the Adam that has trained it so far


def train_vae(
    epoch, model, train_loader, cond=False, *, loss_function=None, optimizer=None
) -> float:
    """Train for one epoch, print and return the mean loss per image.

    One Adam (rate 1e-3) accompanies a model from its epoch 0 on: it must remember its averages
    from one epoch to the next. model(x) gives (x_hat, mu, logvar), or model(x, c) with cond=True;
    loss_function(x_hat, x, mu, logvar) is the one in hw5_vae.py unless another is given.
    """
    if loss_function is None:
        from hw5_vae import loss_function
    if optimizer is None:
        if epoch == 0 or model not in _ADAMS:
            _ADAMS[model] = adam(model.parameters(), lr=1e-3)
        optimizer = _ADAMS[model]
    device = next(model.parameters()).device
    total, count = torch.zeros((), device=device), 0
    model.train()
    bar = progress(train_loader, f"Epoch {epoch}")
    for batch in bar:
        x, labels = _split_batch(batch)
        x = x.to(device).view(len(x), 1, 28, 28)
        if count == 0:
            _guard_images(x)
        if cond and labels is None:
            raise ValueError("cond=True needs labels: use batches(images, labels).")
        c = (one_hot(labels, getattr(model, "num_classes", 10)).to(device),) if cond else ()
        x_hat, mu, logvar = model(x, *c)
        if mu.shape != logvar.shape or x_hat.numel() != x.numel():
            raise ValueError(
                f"The model must give (x_hat, mu, logvar); got shapes {tuple(x_hat.shape)}, "
                f"{tuple(mu.shape)}, {tuple(logvar.shape)}. Is the order right?"
            )
        if epoch == count == 0 and logvar.min() >= 0 and logvar.numel() > 500:
            print("Note: every logvar is positive. Is it a standard deviation or a variance?")
        loss = loss_function(x_hat, x, mu, logvar)
        descend(loss, optimizer)
        show_losses(bar, nats=loss)
        total += loss.detach() * len(x)
        count += len(x)
    mean = total.item() / max(count, 1)
    print(f"Train Epoch: {epoch} \tLoss: {mean:.6f}")
    return mean


def run_a_gan(
    D,
    G,
    D_solver,
    G_solver,
    discriminator_loss,
    generator_loss,
    save_filename,
    show_every=250,
    batch_size=128,
    noise_size=96,
    num_epochs=10,
    *,
    loader=None,
    sample_noise=None,
    losses=None,
    samples=None,
) -> torch.Tensor:
    """Train a GAN on flat images in [-1, 1]: one step of D, then one of G, each on fresh noise.

    D, G: networks (N, 784) -> (N, 1) and (N, noise_size) -> (N, 784); D_solver, G_solver: their
    optimizers; the losses take logits. Every show_every iterations 16 samples are shown and
    written to save_filename. loader: the 55,000 training images unless told; sample_noise: the
    one in hw5_gan.py unless told; losses: {"D": [], "G": []}, to be filled step by step; samples:
    a Gallery, to be filled epoch by epoch. A last batch that is short is skipped. Returns 16
    samples.
    """
    if sample_noise is None:
        from hw5_gan import sample_noise
    device = next(D.parameters()).device
    in_channels_last(D, G)
    if loader is None:
        images = load_mnist(validation=5000)[0]
        loader = batches(images, batch_size=batch_size, device=device)
    d_solver, g_solver = fused(D_solver), fused(G_solver)
    losses = {"D": [], "G": []} if losses is None else losses
    samples = Gallery() if samples is None else samples
    state = {"D": D, "G": G, "D_solver": d_solver, "G_solver": g_solver, "samples": samples}
    state |= {f"{name}_losses": values for name, values in losses.items()}
    fakes = None
    for epoch in resumable(num_epochs, **state):
        iteration, steps = len(losses["D"]), []
        bar = progress(loader, f"Epoch {epoch}")
        for batch in bar:
            x = _split_batch(batch)[0].to(device)
            if len(x) != batch_size:
                continue
            if iteration == 0:
                _guard_images(x)
            real = 2 * (x.view(-1, 784) - 0.5)  # (N, 784), in [-1, 1]

            noise = sample_noise(batch_size, noise_size, dtype=real.dtype, device=device)
            d_error = discriminator_loss(D(real), D(G(noise)))
            descend(d_error, d_solver)

            noise = sample_noise(batch_size, noise_size, dtype=real.dtype, device=device)
            fakes = G(noise)
            g_error = generator_loss(D(fakes))
            descend(g_error, g_solver)

            steps.append(torch.stack((d_error.detach(), g_error.detach())))
            show_losses(bar, D=d_error, G=g_error)
            if iteration % show_every == 0:
                bar.write(f"Iter: {iteration}, D: {d_error.item():.4}, G:{g_error.item():.4}")
                if checkpoint.active is None:  # `training` has a picture of its own
                    show_images(fakes[:16])
                save_images(fakes[:16], save_filename)
            iteration += 1
        if not steps:
            raise ValueError(f"run_a_gan: no batch held batch_size={batch_size} images.")
        for name, values in zip("DG", torch.stack(steps).T.tolist(), strict=True):
            losses[name] += values
        samples[epoch] = fakes[:16].detach().cpu()
    if fakes is None:  # resumed after the last epoch
        fakes = samples[max(samples)]
    if checkpoint.active is None:
        show_images(fakes[:16])
    save_images(fakes[:16], save_filename)
    return fakes[:16].detach()


def run_part(args: argparse.Namespace, file: str) -> int:
    """Run the part that the command line asks for, `args.run(args)`; returns the exit code."""
    reset_seed(args.seed)
    try:
        args.run(args)
    except (NotImplementedError, OSError, CheckpointError) as error:
        if isinstance(error, NotImplementedError) and not unwritten(error):
            raise
        print(f"{Path(file).name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'Stopped.'}")
        return 130
    return 0


def _folder(text: str) -> Path:
    """A folder that can be written to, made if need be."""
    try:
        Path(text).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=text).close()
    except OSError as error:
        why = f"cannot write into the folder {text!r}: {error.strerror}"
        raise argparse.ArgumentTypeError(why) from None
    return Path(text)


def _device(text: str) -> str:
    """A device that torch can use here."""
    if not _is_there(text):
        raise argparse.ArgumentTypeError(f"torch has no device {text!r} here; try cpu")
    return text


def _data(text: str) -> str:
    """The word digits, or a folder that is there (read-only will do) or can be made."""
    return text if text == "digits" or Path(text).is_dir() else str(_folder(text))


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def run_options(
    epochs: int, seed: int = 0, aliases: dict[str, str] | None = None
) -> argparse.ArgumentParser:
    """The options that every subcommand has; aliases: a second name for --epochs or --resume."""
    options, aliases = argparse.ArgumentParser(add_help=False), aliases or {}
    options.add_argument(
        *("--epochs", aliases.get("--epochs", "--epochs")),
        type=positive,
        default=epochs,
        dest="epochs",
        help="passes over the images (%(default)s)",
    )
    options.add_argument(
        "--device",
        type=_device,
        default=default_device(),
        help="cpu, cuda, cuda:1 or mps (%(default)s)",
    )
    options.add_argument(
        "--data",
        type=_data,
        help="folder of MNIST, fetched into it if missing (`data` beside this file), or the word "
        "digits for 1,797 small ones",
    )
    options.add_argument(
        "--seed", type=int, default=seed, help="start of the random stream (%(default)s)"
    )
    options.add_argument(
        "--out",
        type=_folder,
        default=".",
        help="folder for figures, metrics.json and checkpoints (%(default)s)",
    )
    options.add_argument(
        *("--resume", aliases.get("--resume", "--resume")),
        action="store_true",
        dest="resume",
        help="go on after the last epoch kept in --out",
    )
    return options


if __name__ == "__main__":
    import hw5_report

    sys.exit(hw5_report.main())
