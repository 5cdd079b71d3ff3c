"""Trains GANs with known mistakes, and draws the contact sheets of the notebooks' clinics.

    python benchmarks/clinic.py --data DIR                  train and draw all (two hours or so)
    python benchmarks/clinic.py --only fc-gan               one part
    python benchmarks/clinic.py --only fc-gan --try fc-gan.get_optimizer/sgd
                                                            a mistake beside the healthy run

A sheet stands at `notebooks/pictures/PART--clinic.png`: a row for each run, with its letter, eight
samples and its losses. The runs are the `WARDS` below, each one mistake of the catalogue in
`mistakes.py` of its part, trained as the notebook trains but for fewer epochs; what a run left
is kept in --out and not trained again; the sheet of --try lies there, too. The letters are
explained in the notebooks' clinic cells: a letter that changes here changes there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drawing import EDGE, PICTURES, Drawing  # noqa: E402

from autograder.parts import all_mistakes  # noqa: E402
from hw5_figures import smooth  # noqa: E402
from hw5_utils import (  # noqa: E402
    batches,
    in_bf16,
    load_cifar10,
    load_mnist,
    reset_seed,
    run_a_gan,
)

SAMPLES = 8  # in a row
Losses = dict[str, list[float]]
HEALTHY = ""


@dataclass(frozen=True)
class Ward:
    """The runs of one part: letter -> the mistake, as question/id, or HEALTHY.

    epochs: how long the healthy run goes, and how long the others.
    images: what is left of a run; where it is of several kinds, of each as many.
    """

    train: Callable[[types.ModuleType, int, str | None], tuple[torch.Tensor, Losses]]
    epochs: tuple[int, int]
    runs: dict[str, str]
    images: tuple[str, ...] = ("samples",)


def module_with(mistake: str, file: str = "hw5_gan") -> types.ModuleType:
    """The reference with one known mistake made, as a module that nothing else imports."""
    source = (ROOT / f"{file}.py").read_text(encoding="utf-8")
    if mistake:
        question, _, name = mistake.partition("/")
        (found,) = (m for m in all_mistakes() if (m.question, m.id) == (question, name))
        source = found.source(source)
    module = types.ModuleType(f"{file}_with_mistake")
    module.__file__ = str(ROOT / f"{file}.py")
    exec(compile(source, f"{file} {mistake}", "exec"), module.__dict__)
    return module


# --- how each part trains, as its notebook does


def train_conv_gan(hw5, epochs: int, data: str | None) -> tuple[torch.Tensor, Losses]:
    """A third of the digits, in small batches and at a larger rate than the notebook's."""
    gan = hw5.GAN(device="cpu")
    in_bf16(gan.disc, gan.gen)
    reset_seed(0)
    loader = batches(load_mnist(limit=20_000, data=data)[0], batch_size=64, drop_last=True)
    z, kept = torch.empty(SAMPLES, 64).uniform_(-1, 1), []

    @torch.no_grad()
    def keep(epoch: int, *_) -> None:
        if epoch in (1, epochs // 2):
            kept.append(gan.gen(z))

    gan._save_pictures = keep
    d, g = gan.train(n_epochs=epochs, loader=loader, lr=1e-3)
    keep(1)
    return torch.cat(kept), {"D": d, "G": g}


def train_fc_gan(hw5, epochs: int, data: str | None) -> tuple[torch.Tensor, Losses]:
    reset_seed(0)
    loader = batches(load_mnist(validation=5000, data=data)[0], batch_size=128)
    losses: Losses = {"D": [], "G": []}
    d, g = hw5.discriminator(), hw5.generator()
    in_bf16(d, g)
    solvers = hw5.get_optimizer(d), hw5.get_optimizer(g)
    images = run_a_gan(
        d,
        g,
        *solvers,
        hw5.discriminator_loss,
        hw5.generator_loss,
        io.BytesIO(),
        show_every=10**9,
        num_epochs=epochs,
        loader=loader,
        sample_noise=hw5.sample_noise,
        losses=losses,
    )
    return (images[:SAMPLES] + 1) / 2, losses


def train_cifar_dcgan(hw5, epochs: int, data: str | None) -> tuple[torch.Tensor, Losses]:
    reset_seed(42)
    dcgan = hw5.DCGAN()
    in_bf16(dcgan._generator, dcgan._discriminator)
    dcgan.num_epoch, dcgan.visualize_step, dcgan.batch_size = epochs, 10**9, 32
    d, g = dcgan.fit(load_cifar10(limit=20_000, data=data))
    return dcgan.generate(dcgan.tracked_noise)[:SAMPLES], {"D": d, "G": g}


def train_ae_gan(hw5, epochs: int, data: str | None) -> tuple[torch.Tensor, Losses]:
    """Half of the digits in batches of half the size: as many steps in an epoch."""
    reset_seed(0)
    images = load_mnist(limit=30_000, data=data)[0]
    model = hw5.AutoEncoderGAN()
    optimizers = hw5.ae_gan_optimizers(model, lr=2e-4)
    d, g, ae = hw5.train_ae_gan(model, batches(images, batch_size=32), optimizers, epochs)
    reset_seed(0)
    x = load_mnist("test", limit=4, data=data)[0].flatten(1)
    with torch.no_grad():
        made = model.generator(torch.randn(4, model.latent_size))
        again = model.generator(model.encoder(x))
    return torch.cat((made, again)), {"D": d, "G": g, "AE": ae}


WARDS = {
    "conv-gan": Ward(
        train_conv_gan,
        (8, 8),
        {
            "H": HEALTHY,
            "A": "conv-gan.loss_d/labels-swapped",
            "B": "conv-gan.loss_g/detached",
            "C": "conv-gan.DNet/relu-at-the-end",
            "D": "conv-gan.loss_g/saturating",
            "E": "conv-gan.GNet/tanh",
        },
    ),
    "fc-gan": Ward(
        train_fc_gan,
        (3, 3),
        {
            "H": HEALTHY,
            "A": "fc-gan.generator/sigmoid",
            "B": "fc-gan.generator_loss/labels-zero",
            "C": "fc-gan.generator_loss/saturating",
            "D": "fc-gan.get_optimizer/sgd",
            "E": "fc-gan.get_optimizer/swapped-betas",
        },
    ),
    "cifar-dcgan": Ward(
        train_cifar_dcgan,
        (2, 2),
        {
            "H": HEALTHY,
            "A": "cifar-dcgan.fit/generator-labels-zero",
            "B": "cifar-dcgan.fit/generator-detached",
            "C": "cifar-dcgan.fit/saturating",
            "D": "cifar-dcgan.weight_init/variance",
        },
    ),
    "ae-gan": Ward(
        train_ae_gan,
        (28, 8),
        {
            "H": HEALTHY,
            "A": "ae-gan.loss_generator/labels-zero",
            "B": "ae-gan.optimizers/no-discriminator",
            "C": "ae-gan.loss_generator/no-reconstruction",
            "D": "ae-gan.loss_generator/never-steps",
        },
        ("samples", "test images again"),
    ),
}
"""The letters of each part's clinic; H is the healthy run."""


def trained(part: str, mistake: str, out: Path, data: str | None) -> tuple[np.ndarray, Losses]:
    """Samples and losses of one run, from --out when it is kept there."""
    ward = WARDS[part]
    file = out / f"{part}-{mistake.partition('.')[2].replace('/', '-') or 'healthy'}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with contextlib.redirect_stdout(io.StringIO()):
            images, losses = ward.train(module_with(mistake), ward.epochs[bool(mistake)], data)
        lists = {f"loss {name}": np.array(values) for name, values in losses.items()}
        np.savez_compressed(file, images=images.detach().numpy(), **lists)
        print(f"{file.stem}: {time.monotonic() - started:.0f} s", flush=True)
    with np.load(file) as kept:
        lists = {k[5:]: kept[k].tolist() for k in kept.files if k.startswith("loss ")}
        return kept["images"], lists


ROW, LEFT, CURVES, GAP = 68, 44, 484, 15
# The height of a row, where its images and its curves begin, and the space between two kinds.
LINES = {"D": (EDGE["D"], "-"), "G": (EDGE["G"], "--"), "AE": (EDGE["E"], ":")}


def draw(
    runs: dict[str, tuple[np.ndarray, Losses]], kinds: Sequence[str] = ("samples",)
) -> Drawing:
    """A row for each run: its letter, its last images of each kind and its losses."""
    d = Drawing(820, 30 + ROW * len(runs))
    names = list(next(iter(runs.values()))[1])
    each = SAMPLES // len(kinds)
    for k, name in enumerate(names):
        color, style = LINES[name]
        x = CURVES + 110 * k
        d.axes.plot((x, x + 24), (14, 14), color=color, ls=style, lw=1.4)
        d.text(x + 30, 14, f"loss of {name}", size=12, ha="left")
    for k, (letter, (images, losses)) in enumerate(runs.items()):
        top = 30 + ROW * k
        d.text(22, top + 24, letter, size=18, weight="bold")
        images = images[-SAMPLES:].reshape(SAMPLES, -1, *SIDES[images.shape[-1] in (784, 28)])
        right = LEFT
        for share, kind in enumerate(kinds):
            shown = images[share * each : (share + 1) * each].transpose(0, 2, 3, 1).squeeze()
            if top == 30:
                d.text(right, 14, kind, size=12, ha="left")
            right = d.mosaic(right, top, shown, each)[0] + GAP
        axes = d.inset(CURVES, top + 2, 318, 42)
        for name, values in losses.items():
            color, style = LINES[name]
            curve = smooth(values, 0.97 if len(values) > 200 else 0)
            axes.plot(np.linspace(0, 1, len(curve)), curve, color=color, ls=style, lw=1.3)
        axes.set(xlim=(0, 1), xticks=[])
        if "AE" in losses:
            decades(axes)
        else:
            low, high = axes.get_ylim()
            axes.set(ylim=(min(low, 0), max(high, 1)))
            axes.locator_params(axis="y", nbins=3)
            axes.yaxis.get_offset_text().set_fontsize(7)
    return d


def decades(axes) -> None:
    """A logarithmic scale, on which losses of 8 and of 0.02 can both be seen; the rest is cut."""
    axes.set(yscale="log", ylim=(0.002, 20))
    axes.set_yticks((0.01, 1), ("0.01", "1"))
    axes.minorticks_off()
    for line in axes.lines:
        line.set_ydata(np.clip(line.get_ydata(), 0.0025, 18))


SIDES = {True: (28, 28), False: (32, 32)}


def main(argv: Sequence[str] | None = None) -> int:
    """Train what is not kept, draw, and say how large each sheet became."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=WARDS, default=[*WARDS], metavar="PART")
    parser.add_argument("--try", nargs="+", dest="tried", metavar="MISTAKE", help="not the wards")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "clinic")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: data/)")
    arguments = parser.parse_args(argv)
    for part in arguments.only:
        ward, file = WARDS[part].runs, PICTURES / f"{part}--clinic.png"
        if arguments.tried:
            ward = dict(zip(ascii_uppercase, (HEALTHY, *arguments.tried), strict=False))
            file = arguments.out / f"{part}--try.png"
        runs = {
            letter: trained(part, mistake, arguments.out, arguments.data)
            for letter, mistake in ward.items()
        }
        draw(runs, WARDS[part].images).save(file, colours=40 if "cifar" in part else 96)
        print(f"{file.name}: {file.stat().st_size / 1024:.0f} KB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
