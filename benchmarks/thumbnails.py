"""Draws, for each question about a figure, what right looks like beside what a mistake looks like.

    python benchmarks/thumbnails.py --out RUNS --data DIR            all, into notebooks/pictures
    python benchmarks/thumbnails.py --out RUNS --data DIR fc-vae     those of one part

RUNS is the folder that benchmarks/training.py filled (the runs that a thumbnail needs, with seed
0; fewer epochs do). Where a mistake has to be trained, it is, shortly, and kept in RUNS/mistakes;
those of GANs are the runs of benchmarks/clinic.py, kept in --clinic. The captions stand in the
notebooks' cells: they say what to compare, and answer no question.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from clinic import HEALTHY, LINES, Losses, decades, module_with, trained  # noqa: E402
from drawing import EDGE, PICTURES, Drawing  # noqa: E402
from matplotlib import colormaps  # noqa: E402

import hw5_gan  # noqa: E402
import hw5_vae  # noqa: E402
from hw5_checkpoint import load_weights  # noqa: E402
from hw5_utils import (  # noqa: E402
    batches,
    load_binary_mnist,
    load_cifar10,
    load_mnist,
    reset_seed,
)

LEFT, TOP = 16, 34  # where a half begins


@dataclass(frozen=True)
class Sources:
    """Where trained models and data lie."""

    runs: Path
    clinic: Path
    data: str | None

    def weights(self, run: str, file: str, model: torch.nn.Module, name: str = "model"):
        return load_weights(self.runs / run / f"{file}.safetensors", model, name).eval()

    def digits(self) -> tuple[torch.Tensor, torch.Tensor]:
        return load_mnist("test", data=self.data)

    def patient(self, part: str, mistake: str = HEALTHY) -> tuple[np.ndarray, Losses]:
        """Samples and losses of a run of the clinic."""
        return trained(part, mistake, self.clinic, self.data)

    def kept(self, name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        """What a mistake leaves behind, trained once."""
        file = self.runs / "mistakes" / f"{name}.npz"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            with contextlib.redirect_stdout(io.StringIO()):
                made = make()
            np.savez_compressed(file, **made)
        with np.load(file) as kept:
            return dict(kept)


def sheet(height: int, half: int = 414) -> tuple[Drawing, int]:
    """Two halves of this width, and where the second one begins: right is at the left."""
    d, right = Drawing(2 * half + 3 * LEFT + 16, height), half + 2 * LEFT + 16
    d.text(LEFT, 15, "like this", size=14, color=EDGE["G"], ha="left", weight="bold")
    d.text(right, 15, "not like this", size=14, color=EDGE["loss"], ha="left", weight="bold")
    d.rule(right - LEFT - 0.5, 8, height - 8)
    return d, right


def pictures(images) -> np.ndarray:
    """Images in any form -> (N, 28, 28), numpy."""
    images = torch.as_tensor(images).detach().float()
    return images.reshape(-1, 28, 28).numpy()


# --- bernoulli-vae


def bernoulli(s: Sources) -> hw5_vae.BernoulliVAE:
    vae = hw5_vae.BernoulliVAE()
    s.weights("bernoulli-vae-1234", "e_params", vae.encoder)
    s.weights("bernoulli-vae-1234", "d_params", vae.decoder)
    return vae.eval()


def bernoulli_training(s: Sources) -> Drawing:
    kept = json.loads((s.runs / "bernoulli-vae-1234" / "metrics.json").read_text())
    right = [epoch["elbos"] for epoch in kept["bernoulli-vae"]["epochs"]][:20]

    def clamped() -> dict[str, np.ndarray]:
        reset_seed(1234)
        hw5 = module_with("bernoulli-vae.logpdf_bernoulli/clamped-far", "hw5_vae")
        elbos = hw5.BernoulliVAE().fit(load_binary_mnist(s.data)[0], num_epoches=20)
        return {"elbos": np.array(elbos).reshape(20, -1).mean(1)}

    wrong = s.kept("bernoulli-vae-clamped-far", clamped)["elbos"]
    d, middle = sheet(222, half=330)
    for left, elbos in ((LEFT, right), (middle, wrong)):
        axes = d.inset(left + 52, TOP + 4, 262, 134)
        axes.plot(range(1, len(elbos) + 1), elbos, color="black", lw=1.2)
        axes.set(ylim=(-260, -145), xticks=(1, 5, 10, 15, 20))
        axes.set_xlabel("epoch", fontsize=8)
        axes.set_ylabel("ELBO (nats per image)", fontsize=8)
    return d


@torch.no_grad()
def bernoulli_data_space(s: Sources) -> Drawing:
    reset_seed(3)
    vae = bernoulli(s)
    p = vae.decoder(torch.randn(10, 2))
    x = (torch.rand_like(p) < p).float()
    both = torch.cat((p, x))  # the list that fills the canvas
    by_row, rounded = both.view(10, 2, -1), torch.stack((p, p.round()), 1)
    d, right = sheet(346, half=160)
    d.mosaic(LEFT + 40, TOP, 1 - pictures(torch.stack((p, x), 1)), 2, scale=1)
    d.mosaic(right, TOP, 1 - pictures(by_row), 2, scale=1)
    d.mosaic(right + 92, TOP, 1 - pictures(rounded), 2, scale=1)
    return d


@torch.no_grad()
def bernoulli_latent_space(s: Sources) -> Drawing:
    images, labels, _, _ = load_binary_mnist(s.data)
    images, classes = images[:900], labels[:900].argmax(1).numpy()
    reset_seed(0)
    d, right = sheet(276, half=310)
    for left, vae in ((LEFT, bernoulli(s)), (right, hw5_vae.BernoulliVAE())):
        axes = d.inset(left + 34, TOP, 270, 214)
        colours = colormaps["tab10"](classes)
        axes.scatter(*vae.encoder(images)[0].numpy().T, s=4, c=colours, linewidths=0)
    return d


@torch.no_grad()
def bernoulli_interpolation(s: Sources) -> Drawing:
    images, labels, _, _ = load_binary_mnist(s.data)
    classes, vae = labels.argmax(1), bernoulli(s)
    a = torch.stack([images[classes == k][4] for k in (7, 3, 1)])
    b = torch.stack([images[classes == k][4] for k in (0, 6, 8)])
    alphas = [k / 10 for k in range(11)]
    mua, mub = vae.encoder(a)[0], vae.encoder(b)[0]
    right = torch.stack([vae.decoder(t * mua + (1 - t) * mub) for t in alphas], 1)  # (3, 11, D)
    wrong = torch.stack([t * a + (1 - t) * b for t in alphas], 1)
    d, middle = sheet(TOP + 128, half=408)
    d.mosaic(LEFT, TOP, 1 - pictures(right), 11, scale=1.25)
    d.mosaic(middle, TOP, 1 - pictures(wrong), 11, scale=1.25)
    return d


# --- autoencoder


def autoencoder(s: Sources) -> hw5_vae.AutoEncoder:
    return s.weights("ae-0", "autoencoder-ae", hw5_vae.AutoEncoder(32))


def beta_vae(s: Sources, beta: str) -> hw5_vae.BetaVAE:
    model = hw5_vae.BetaVAE(32, float(beta))
    return s.weights(f"beta-vae-{beta}-0", f"autoencoder-beta-vae-{beta}", model)


def autoencoder_samples(s: Sources) -> Drawing:
    reset_seed(0)
    model = autoencoder(s)
    d, right = sheet(TOP + 96, half=364)
    with torch.no_grad():
        d.mosaic(LEFT, TOP, pictures(hw5_vae.sample_prior(model, 16)), 8)
        d.mosaic(right, TOP, pictures(model.decoder(torch.rand(16, 32))), 8)
    return d


@torch.no_grad()
def rows_of(d: Drawing, left: float, models: dict, x: torch.Tensor, top: float = TOP) -> None:
    """Two rows for each model: images again, and as many samples."""
    for name, model in models.items():
        d.text(left, top + 44, name, size=12, rotation=90, ha="left")
        both = torch.cat((model.reconstruct(x), hw5_vae.sample_prior(model, len(x)).squeeze(1)))
        d.mosaic(left + 22, top, pictures(both), len(x))
        top += 104


def autoencoder_extremes(s: Sources) -> Drawing:
    reset_seed(0)
    zero, ten = beta_vae(s, "0"), beta_vae(s, "10")
    d, right = sheet(TOP + 208, half=384)
    x = s.digits()[0][:8]
    rows_of(d, LEFT, {"beta 0": zero, "beta 10": ten}, x)
    rows_of(d, right, {"beta 0": ten, "beta 10": ten}, x)
    return d


def autoencoder_tuned(s: Sources) -> Drawing:
    reset_seed(0)
    x = s.digits()[0][:8]
    d, right = sheet(TOP + 104, half=384)
    rows_of(d, LEFT, {"your beta": beta_vae(s, "0.105")}, x)
    rows_of(d, right, {"a bad beta": beta_vae(s, "0")}, x)
    return d


@torch.no_grad()
def autoencoder_interpolations(s: Sources) -> Drawing:
    images, labels = s.digits()
    vae = beta_vae(s, "0.105")
    right, wrong = [], []
    for a, b in ((2, 8), (3, 7)):
        start, end = (images[labels == k][0] for k in (a, b))
        between = hw5_vae.interpolate_embeddings(vae, start, end, 5)
        right += [start[None], between, end[None]]
        wrong += [start[None], between.flip(0), end[None]]
    d, middle = sheet(TOP + 100, half=318)
    d.mosaic(LEFT, TOP, pictures(torch.cat(right)), 7)
    d.mosaic(middle, TOP, pictures(torch.cat(wrong)), 7)
    return d


def labelled_digits(d: Drawing, left: float, top: float, images, scale=1.25) -> None:
    """Ten images under the digits that were asked for."""
    for k in range(10):
        d.text(left + (k * 30 + 14) * scale, top + 8, str(k), size=12)
    d.mosaic(left, top + 18, pictures(images), 10, scale=scale)


def autoencoder_digits(s: Sources) -> Drawing:
    reset_seed(1)
    model = hw5_vae.ConditionalBetaVAE(32, conditional=True, num_labels=10)
    s.weights("conditional-0.105-0", "autoencoder-conditional-0.105", model)

    def not_told() -> dict[str, np.ndarray]:
        reset_seed(0)
        hw5 = module_with("autoencoder.conditional/decoder-not-told", "hw5_vae")
        images, labels = load_mnist(data=s.data)
        other = hw5.ConditionalBetaVAE(32, 0.105, conditional=True, num_labels=10)
        hw5.train_beta_vae(other, batches(images, labels, 64, drop_last=True), epochs=3)
        return {"images": hw5.sample_digits(other.eval(), torch.arange(10)).numpy()}

    wrong = s.kept("autoencoder-decoder-not-told", not_told)["images"]
    d, right = sheet(TOP + 64, half=376)
    labelled_digits(d, LEFT, TOP - 2, hw5_vae.sample_digits(model, torch.arange(10)))
    labelled_digits(d, right, TOP - 2, wrong)
    return d


# --- fc-vae


@torch.no_grad()
def fc_vae_figures(s: Sources) -> Drawing:
    reset_seed(4)
    vae = s.weights("fc-vae-0", "fc-vae", hw5_vae.VAE(784))
    cvae = s.weights("fc-cvae-0", "fc-cvae", hw5_vae.CVAE(784))
    walks = hw5_vae.draw_interpolation(vae, rows=3, steps=12)
    same = vae.decoder(torch.randn(1, 15)).expand(10, -1, -1, -1)
    turned = cvae.decoder(torch.cat((torch.eye(10), torch.randn(10, 15)), 1))
    halves = ((LEFT, hw5_vae.draw_samples(vae), walks, hw5_vae.draw_digits(cvae)),)
    d, right = sheet(TOP + 204, half=380)
    halves += ((right, same, walks[:12].repeat(3, 1, 1, 1), turned),)
    for left, samples, rows, digits in halves:
        for y, name in ((14, "strip"), (88, "walks"), (176, "digits")):
            d.text(left + 6, TOP + y, name, size=12, rotation=90)
        d.mosaic(left + 20, TOP, pictures(samples), 10, scale=1)
        d.mosaic(left + 20, TOP + 44, pictures(rows), 12, scale=1)
        labelled_digits(d, left + 20, TOP + 146, digits, scale=1)
    return d


# --- GANs


def conv_gan_images(s: Sources) -> Drawing:
    d, right = sheet(TOP + 142, half=414)
    for left, mistake in ((LEFT, HEALTHY), (right, "conv-gan.loss_g/detached")):
        images = s.patient("conv-gan", mistake)[0]  # of three epochs
        for k, name in enumerate(("early", "later", "last")):
            d.text(left, TOP + 45 * k + 22, name, size=12, ha="left")
            d.mosaic(left + 46, TOP + 46 * k, pictures(images[8 * k : 8 * k + 8]), 8)
    return d


@torch.no_grad()
def fc_gan_pictures(s: Sources) -> Drawing:
    reset_seed(0)
    z = hw5_gan.sample_noise(16, 96)
    fc = s.weights("fc-gan-0", "fc-gan", hw5_gan.generator(), "G")(z)
    dc = s.weights("fc-gan-dc-0", "fc-gan-dc", hw5_gan.build_dc_generator(), "G").train()(z)
    wrong = s.patient("fc-gan", "fc-gan.generator/sigmoid")[0]
    same = s.patient("fc-gan", "fc-gan.generator_loss/saturating")[0]
    d, right = sheet(TOP + 110, half=408)
    halves = ((LEFT, (fc, dc)), (right, (2 * wrong - 1, 2 * same - 1)))  # all in [-1, 1]
    for left, rows in halves:
        for k, (name, images) in enumerate(zip(("first", "second"), rows, strict=True)):
            d.text(left, TOP + 22 + 54 * k, name, size=12, ha="left")
            d.mosaic(left + 51, TOP + 54 * k, (pictures(images[:8]) + 1) / 2, 8)
    return d


def photographs(images) -> np.ndarray:
    """(N, 3, 32, 32) -> (N, 32, 32, 3), numpy."""
    return torch.as_tensor(images).detach().float().permute(0, 2, 3, 1).numpy()


def dcgan(s: Sources) -> hw5_gan.DCGAN:
    model = hw5_gan.DCGAN(spectral=True)
    return s.weights("cifar-dcgan-spectral-0", "cifar-dcgan-spectral", model)


def cifar_spectral(s: Sources) -> Drawing:
    plain, bad = s.patient("cifar-dcgan")[0], s.patient("cifar-dcgan", COLLAPSED)[0]
    reset_seed(0)
    model = dcgan(s)
    spectral = model.generate(torch.randn(8, 64))
    d, right = sheet(TOP + 108, half=404)
    for left, rows in ((LEFT, (plain, spectral)), (right, (plain, bad))):
        for k, (name, images) in enumerate(zip(("before", "after"), rows, strict=True)):
            d.text(left, TOP + 24 + 54 * k, name, size=12, ha="left")
            d.mosaic(left + 50, TOP + 54 * k, photographs(images), 8, scale=1.3)
    return d


def cifar_actmax(s: Sources) -> Drawing:
    reset_seed(241)
    codes = torch.randn(8, 64)
    d, right = sheet(TOP + 108, half=416)
    for left, model in ((LEFT, dcgan(s)), (right, hw5_gan.DCGAN().eval())):
        model.vis_steps = 200
        for k, (name, images) in enumerate(
            (("random", model.generate(codes)), ("maximised", model.actmax(codes)))
        ):
            d.text(left, TOP + 24 + 54 * k, name, size=12, ha="left")
            d.mosaic(left + 72, TOP + 54 * k, photographs(images), 8, scale=1.25)
    return d


def cifar_reconstructions(s: Sources) -> Drawing:
    reset_seed(0)
    model, x = dcgan(s), load_cifar10("test", limit=8, data=s.data)
    right = model.reconstruct(x)[1]
    model.vis_learning_rate = model.learning_rate  # cifar-dcgan.reconstruct/rate-of-training
    wrong = model.reconstruct(x)[1]
    d, middle = sheet(TOP + 108, half=414)
    for left, again in ((LEFT, right), (middle, wrong)):
        for k, (name, images) in enumerate((("test", x), ("again", again))):
            d.text(left, TOP + 24 + 54 * k, name, size=12, ha="left")
            d.mosaic(left + 50, TOP + 54 * k, photographs(images), 8, scale=1.3)
    return d


def ae_gan_results(s: Sources) -> Drawing:
    test = s.digits()[0][:4]
    d, right = sheet(TOP + 154, half=410)
    for left, mistake in ((LEFT, HEALTHY), (right, "ae-gan.loss_generator/labels-zero")):
        images, losses = s.patient("ae-gan", mistake)
        rows = {"made up": images[:4], "test": test, "again": images[4:]}
        for k, (name, row) in enumerate(rows.items()):
            top = TOP + (0, 54, 100)[k]
            d.text(left, top + 21, name, size=12, ha="left")
            d.mosaic(left + 60, top, pictures(row), 4)
        axes = d.inset(left + 272, TOP + 14, 134, 98)
        for name, values in losses.items():
            color, style = LINES[name]
            axes.plot(range(1, len(values) + 1), values, color=color, ls=style, lw=1.3)
        decades(axes)
        axes.set_xlim(1)
        axes.set_xlabel("epoch", fontsize=8)
        for k, name in enumerate(losses):
            color, style = LINES[name]
            x = left + 290 + 42 * k
            d.axes.plot((x, x + 16), (TOP + 4, TOP + 4), color=color, ls=style, lw=1.3)
            d.text(x + 19, TOP + 4, name, size=10, ha="left")
    return d


COLLAPSED = "cifar-dcgan.fit/generator-labels-zero"

THUMBNAILS: dict[str, Callable[[Sources], Drawing]] = {
    "bernoulli-vae--training": bernoulli_training,
    "bernoulli-vae--data_space": bernoulli_data_space,
    "bernoulli-vae--latent_space": bernoulli_latent_space,
    "bernoulli-vae--interpolation": bernoulli_interpolation,
    "autoencoder--samples": autoencoder_samples,
    "autoencoder--extremes": autoencoder_extremes,
    "autoencoder--tuned": autoencoder_tuned,
    "autoencoder--interpolations": autoencoder_interpolations,
    "autoencoder--digits": autoencoder_digits,
    "fc-vae--figures": fc_vae_figures,
    "conv-gan--images": conv_gan_images,
    "fc-gan--pictures": fc_gan_pictures,
    "cifar-dcgan--spectral": cifar_spectral,
    "cifar-dcgan--actmax": cifar_actmax,
    "cifar-dcgan--reconstructions": cifar_reconstructions,
    "ae-gan--results": ae_gan_results,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Draw what is asked for and say how large it became."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="parts, or thumbnails (default: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "training")
    parser.add_argument("--clinic", type=Path, default=ROOT / "build" / "clinic")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: data/)")
    arguments = parser.parse_args(argv)
    sources = Sources(arguments.out, arguments.clinic, arguments.data)
    for name, draw in THUMBNAILS.items():
        if not arguments.names or name.startswith(tuple(arguments.names)):
            file = PICTURES / f"{name}.png"
            draw(sources).save(file, colours=200 if "cifar" in name else 96)
            print(f"{file.name}: {file.stat().st_size / 1024:.0f} KB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
