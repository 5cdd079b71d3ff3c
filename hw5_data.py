"""Given to students: the data sets, and batches of them. Nothing here needs an edit.

    data sets   load_mnist  load_binary_mnist  load_cifar10  mnist  download  BASE_URL
    batches     batches  batch_indices  GANDataset

Images are float32 in [0, 1], N of them (N, 1, 28, 28), and labels int64 in 0..9. MNIST is kept
under `data/` beside this file, or in the folder that the environment variable HW5_DATA names;
HW5_DATA=digits asks for scikit-learn's small set instead. torchvision is imported only where it is
used, and of scikit-learn files alone are read.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import os
import shutil
import socket
import sys
import tempfile
import urllib.request
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import Dataset

from hw5_basics import one_hot

BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"

FETCH_TIMEOUT = 5.0  # seconds of silence after which a server counts as out of reach

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


def _of_sklearn(name: str) -> Path:
    """A file of its data sets: importing the whole package takes two seconds and 90 MB."""
    package = importlib.util.find_spec("sklearn")
    if package is None or not package.submodule_search_locations:
        raise ImportError("the stand-ins are scikit-learn's: pip install scikit-learn")
    return Path(package.submodule_search_locations[0], "datasets", name)


def _digits() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """scikit-learn's 1,797 real digits, 8 x 8 scaled to 20 x 20 in a 28 x 28 frame like MNIST's."""
    table = np.loadtxt(_of_sklearn("data/digits.csv.gz"), delimiter=",")
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
    from PIL import Image

    crops: dict[str, list[torch.Tensor]] = {"train": [], "test": []}
    for name in ("china.jpg", "flower.jpg"):
        photograph = np.array(Image.open(_of_sklearn(f"images/{name}")))
        whole = torch.from_numpy(photograph).permute(2, 0, 1).float()[None]  # (1, 3, H, W)
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
