"""Draws ten samples of every trained part into one small picture, the README's.

python benchmarks/pictures.py --out RUNS      the folder that benchmarks/training.py filled
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import hw5_gan  # noqa: E402
import hw5_vae  # noqa: E402
from hw5_checkpoint import load_weights  # noqa: E402

PICTURE = Path(__file__).with_name("samples.png")
DIGITS = torch.arange(10)


def bernoulli_vae(run: Path) -> torch.Tensor:
    decoder = load_weights(run / "d_params.safetensors", hw5_vae.Decoder(2, 500, 784))
    return decoder(torch.randn(10, 2))


def conditional(run: Path) -> torch.Tensor:
    model = hw5_vae.ConditionalBetaVAE(32, conditional=True, num_labels=10)
    load_weights(run / "autoencoder-conditional-0.105.safetensors", model)
    return hw5_vae.sample_digits(model.eval(), DIGITS)


def cvae(run: Path) -> torch.Tensor:
    model = load_weights(run / "fc-cvae.safetensors", hw5_vae.CVAE(784)).eval()
    codes = torch.cat((torch.randn(10, model.latent_size), torch.eye(10)), 1)
    return model.decoder(codes)


def conv_gan(run: Path) -> torch.Tensor:
    net = load_weights(run / "conv-gan.safetensors", hw5_gan.GNet(64), "gen").eval()
    return net(torch.empty(10, 64).uniform_(-1, 1))


def dc_gan(run: Path) -> torch.Tensor:
    net = load_weights(run / "fc-gan-dc.safetensors", hw5_gan.build_dc_generator(), "G")
    return (net(hw5_gan.sample_noise(10, 96)) + 1) / 2


def cifar(file: str, spectral: bool) -> Callable[[Path], torch.Tensor]:
    def sample(run: Path) -> torch.Tensor:
        model = load_weights(run / file, hw5_gan.DCGAN(spectral=spectral))
        return model.generate(torch.randn(10, model.code_size))

    return sample


def ae_gan(run: Path) -> torch.Tensor:
    model = load_weights(run / "ae-gan.safetensors", hw5_gan.AutoEncoderGAN()).eval()
    return model.generator(torch.randn(10, model.latent_size))


ROWS: dict[str, tuple[str, Callable[[Path], torch.Tensor]]] = {
    "bernoulli-vae": ("bernoulli-vae-0", bernoulli_vae),
    "autoencoder": ("conditional-0.105-0", conditional),
    "fc-vae": ("fc-cvae-0", cvae),
    "conv-gan": ("conv-gan-0", conv_gan),
    "fc-gan": ("fc-gan-dc-0", dc_gan),
    "cifar-dcgan": ("cifar-dcgan-0", cifar("cifar-dcgan.safetensors", False)),
    "cifar-dcgan,\nspectral norm": (
        "cifar-dcgan-spectral-0",
        cifar("cifar-dcgan-spectral.safetensors", True),
    ),
    "ae-gan": ("ae-gan-0", ae_gan),
}


@torch.no_grad()
def main(argv: Sequence[str] | None = None) -> int:
    """Draw a row for every part that was trained."""
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "training")
    runs = parser.parse_args(argv).out
    torch.manual_seed(0)
    rows = {
        name: sample(runs / run).reshape(10, -1)
        for name, (run, sample) in ROWS.items()
        if (runs / run / "measured.json").exists()
    }
    figure = Figure(figsize=(6.6, 0.56 * len(rows)), dpi=110)
    cells = figure.subplots(len(rows), 10, squeeze=False)
    for line, (name, images) in zip(cells, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        for cell, image in zip(line, images, strict=True):
            cell.set(xticks=[], yticks=[])
            coloured = image.numel() == 3 * 32 * 32
            picture = image.view(3, 32, 32).permute(1, 2, 0) if coloured else image.view(28, 28)
            cell.imshow(picture.clamp(0, 1), cmap="gray", vmin=0, vmax=1)
    figure.subplots_adjust(left=0.16, right=0.995, top=0.99, bottom=0.01, wspace=0.05, hspace=0.05)
    figure.savefig(PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
