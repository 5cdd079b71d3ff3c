"""Draws the diagrams of models and training steps that the notebooks show.

    python benchmarks/diagrams.py                    all of them, into notebooks/pictures
    python benchmarks/diagrams.py conv-gan--step     these only

A diagram shows what its statement says: shapes, who feeds whom, which way a gradient goes. It shows
nothing that a question asks for, so look at the statement and the stub before adding to one. Solid
arrows are numbers, dashed ones gradients, in the colour of the network that moves.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drawing import EDGE, PALE, PICTURES, Drawing  # noqa: E402

from hw5_utils import load_cifar10, load_mnist  # noqa: E402

# --- variational autoencoders


def digits(data: str | None) -> list[np.ndarray]:
    """One MNIST digit of each class, (28, 28) in [0, 1]."""
    images, labels = load_mnist("test", limit=200, data=data)
    return [images[labels == k][0, 0].numpy() for k in range(10)]


def soft(picture: np.ndarray) -> np.ndarray:
    """The picture as a decoder might draw it: a little blurred."""
    pad = np.pad(picture, [(1, 1), (1, 1), (0, 0)][: picture.ndim], mode="edge")
    height, width = picture.shape[:2]
    return sum(pad[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9


def vae_row(d: Drawing, y, x, x_hat, encoder, decoder, heads, code, cells, names) -> None:
    """Image, encoder, mean and spread, code, decoder, image: at the height y."""
    d.image(60, y, x, names[0])
    d.arrow((95, y), (138, y))
    d.net(203, y, 130, 130, 76, encoder, "E")
    for side, head in zip((-36, 36), heads, strict=True):
        d.arrow((268, y), (290, y + side), (306, y + side))
        d.box(374, y + side, 132, 36, head, "E")
        d.arrow((440, y + side), (468, y + side), (491, y + side / 3.2))
    d.code(500, y, f"z  {code}", cells=cells)
    d.arrow((500, y - 76), (500, y - cells * 6 - 4))
    d.text(500, y - 90, "fresh noise  ε ~ N(0, I)", size=12)
    d.arrow((510, y), (568, y))
    d.net(633, y, 130, 76, 130, decoder, "G")
    d.arrow((698, y), (748, y))
    d.image(784, y, x_hat, names[1])


def bernoulli_vae_row(d: Drawing, y, data: str | None) -> None:
    digit = digits(data)[3]
    vae_row(
        d,
        y,
        digit.round(),
        soft(digit),
        "Encoder\n(given)",
        "Decoder\nfc1, tanh\nfc2, sigmoid",
        ("mu  (N, 2)", "sigma_square  (N, 2)"),
        "(N, 2)",
        2,
        ("x  (N, 784)\n0 or 1", "p  (N, 784)\nprobabilities"),
    )


def bernoulli_vae_model(data: str | None) -> Drawing:
    d = Drawing(860, 215)
    bernoulli_vae_row(d, 112, data)
    return d


def terms_below(d: Drawing, terms, total, under, moves) -> None:
    """The terms of a loss below a row, (x, words, of what) each, their total and its gradient."""
    for x, words, needs in terms:
        d.box(x, 248, 128, 34, words, "loss", size=13)
        d.text(x, 222, needs, size=11, color=PALE)
        d.arrow((x, 265), (x, 286), (545 + (x - 545) * 0.27, 306))
    d.loss(545, 326, total, width=170)
    d.text(545, 360, under, size=11, color=PALE)
    d.arrow((460, 326), (203, 326), (203, 182), kind="E")
    d.arrow((630, 326), (655, 326), (655, 182), kind="G")
    d.text(330, 316, moves, size=11, color=EDGE["E"])


def bernoulli_vae_step(data: str | None) -> Drawing:
    d = Drawing(860, 374)
    bernoulli_vae_row(d, 112, data)
    terms = (
        (374, "log q(z|x)", "of z, mu, sigma_square"),
        (545, "log p(z)", "of z"),
        (740, "log p(x|z)", "of x and p"),
    )
    under = "mean over the N images; larger is better"
    terms_below(d, terms, "elbo_loss", under, "the step moves both networks uphill")
    return d


def layers(d: Drawing, x, y, sizes, kind, between, gap=84, tall=12) -> float:
    """A network of linear layers: a bar for each size and what stands between; where it ends."""
    for k, size in enumerate(sizes):
        height = 14 + tall * np.log2(size)
        d.bar(x, y, height, kind)
        d.text(x, y + height / 2 + 5, str(size), size=12, va="top")
        if k < len(between):
            d.arrow((x + 9, y), (x + gap - 9, y), words=between[k])
            x += gap
    return x


def autoencoder_model(data: str | None) -> Drawing:
    d = Drawing(900, 252)
    digit = digits(data)[2]
    y = 128
    d.text(215, 22, "AEEncoder", size=14, color=EDGE["E"], weight="bold")
    d.text(646, 22, "AEDecoder", size=14, color=EDGE["G"], weight="bold")
    d.image(58, y, digit, "x\n784 pixels")
    d.arrow((92, y), (118, y))
    end = layers(d, 129, y, (784, 256, 64), "E", ("Linear\nReLU", "Linear\nReLU"))
    d.arrow((end + 9, y), (415, y), words="Linear")
    d.code(428, y, "code z\n(N, 32)", cells=6)
    d.arrow((440, y), (550, y), words="Linear\nReLU")
    end = layers(d, 561, y, (64, 256, 784), "G", ("Linear\nReLU", "Linear\nSigmoid"))
    d.arrow((end + 9, y), (794, y))
    d.image(832, y, soft(digit), "x̂  (N, 1, 784)\nin [0, 1]")
    return d


def autoencoder_step(data: str | None) -> Drawing:
    d = Drawing(900, 170)
    steps = (
        ("forward pass\nx̂ = model(x)", "data"),
        ("loss\nx̂ against x", "loss"),
        ("clear the old\ngradients", "data"),
        ("backward pass\nnew gradients", "data"),
        ("one step\nof Adam", "G"),
    )
    d.box(62, 62, 84, 50, "batch x")
    d.arrow((104, 62), (134, 62))
    for k, (words, kind) in enumerate(steps):
        x = 200 + 152 * k
        d.box(x, 62, 124, 50, words, kind)
        if k:
            d.arrow((x - 90, 62), (x - 63, 62))
    d.arrow((808, 88), (808, 130), (62, 130), (62, 89))
    d.text(435, 145, "the next batch, with weights that have moved a little", size=12, color=PALE)
    return d


def beta_vae(data: str | None) -> Drawing:
    d = Drawing(860, 374)
    digit = digits(data)[5]
    vae_row(
        d,
        112,
        digit,
        soft(digit),
        "AEEncoder\n784 → 64",
        "AEDecoder\n32 → 784",
        ("mu  (N, 32)", "log_sigma  (N, 32)"),
        "(N, 32)",
        5,
        ("x  (N, 1, 784)", "rec  (N, 1, 784)\nin [0, 1]"),
    )
    terms = ((374, "kl_loss", "of mu and log_sigma"), (740, "rec_loss", "of x and rec"))
    under = "both are means; smaller is better"
    terms_below(d, terms, "rec + beta · kl", under, "the step moves both networks")
    return d


def told(d: Drawing, x, y, to, seed=2) -> None:
    """The class, one-hot, that comes in beside an input."""
    d.box(x, y, 116, 34, "c, one-hot  (N, 10)", size=11)
    d.arrow((x, y + 17), to)


def conditional(data: str | None) -> Drawing:
    d = Drawing(860, 240)
    digit = digits(data)[7]
    y = 138
    vae_row(
        d,
        y,
        digit,
        soft(digit),
        "Encoder\nreads [x, c]",
        "Decoder\nreads [z, c]",
        ("mu  (N, 32)", "log_sigma  (N, 32)"),
        "(N, 32)",
        5,
        ("x  (N, 784)", "rec  (N, 1, 784)"),
    )
    told(d, 158, 28, (158, y - 64))
    told(d, 648, 28, (648, y - 56))
    return d


def fc_vae(data: str | None) -> Drawing:
    d = Drawing(860, 374)
    digit = digits(data)[4]
    vae_row(
        d,
        112,
        digit,
        soft(digit),
        "encoder\n784 → H",
        "decoder\n15 → 784",
        ("mu_layer  (N, 15)", "logvar_layer  (N, 15)"),
        "(N, 15)",
        5,
        ("x\n(N, 1, 28, 28)", "x̂\n(N, 1, 28, 28)"),
    )
    terms = ((374, "KL-divergence", "of mu and logvar"), (740, "reconstruction", "of x and x̂"))
    under = "nats per image; smaller is better"
    terms_below(d, terms, "loss_function", under, "the step moves both networks")
    return d


def cvae(data: str | None) -> Drawing:
    d = Drawing(860, 250)
    digit = digits(data)[8]
    y = 138
    vae_row(
        d,
        y,
        digit,
        soft(digit),
        "encoder\nreads [x, c]",
        "decoder\nreads [z, c]",
        ("mu_layer  (N, 15)", "logvar_layer  (N, 15)"),
        "(N, 15)",
        5,
        ("x, made flat\n(N, 784)", "x̂\n(N, 1, 28, 28)"),
    )
    told(d, 158, 28, (158, y - 64))
    told(d, 648, 28, (648, y - 56))
    return d


# --- generative adversarial networks


def forged(data: str | None) -> np.ndarray:
    """Something that is not quite a digit."""
    one = digits(data)
    return np.clip(0.6 * soft(one[3]) + 0.55 * soft(np.roll(one[9], 3, 1)) * (one[3] < 0.9), 0, 1)


def step_of_d(d: Drawing, top, real, fake, words: dict[str, str]) -> None:
    """Left half: real images and fakes go into D, and D alone moves."""
    d.title(22, top, words["title"], EDGE["D"])
    d.image(70, top + 62, real, words["real"])
    d.code(40, top + 190, words["z"])
    d.arrow((52, top + 190), (88, top + 190))
    d.net(122, top + 190, 66, 50, 92, "G", "G", size=15)
    d.text(118, top + 132, "G stands still", size=11, color=PALE)
    d.arrow((155, top + 190), (184, top + 190))
    d.image(218, top + 190, fake, words["fake"])
    d.arrow((104, top + 62), (268, top + 62), (296, top + 106))
    d.arrow((251, top + 190), (268, top + 190), (296, top + 144))
    d.net(328, top + 125, 60, 96, 52, "D", "D", size=15)
    d.arrow((359, top + 125), (385, top + 125))
    d.loss(414, top + 125, words["loss"], width=58, height=50)
    d.text(414, top + 158, words["under"], size=11, va="top")
    d.arrow((414, top + 99), (414, top + 50), (328, top + 50), (328, top + 80), kind="D")
    d.text(372, top + 40, "moves D", size=11, color=EDGE["D"])


def step_of_g(d: Drawing, left, top, fake, words: dict[str, str]) -> None:
    """Right half: fakes go through D, the gradient goes back through D into G, and G moves."""
    d.title(left, top, words["title"], EDGE["G"])
    y = top + 125
    d.code(left + 18, y, words["z"])
    d.arrow((left + 30, y), (left + 66, y))
    d.net(left + 100, y, 66, 50, 92, "G", "G", size=15)
    d.arrow((left + 133, y), (left + 162, y))
    d.image(left + 196, y, fake, words["fake"])
    d.arrow((left + 229, y), (left + 262, y))
    d.net(left + 294, y, 60, 96, 52, "D", "D", size=15)
    d.arrow((left + 325, y), (left + 351, y))
    d.loss(left + 380, y, words["loss"], width=58, height=50)
    d.text(left + 380, y + 33, words["under"], size=11, va="top")
    d.arrow(
        (left + 380, y - 26),
        (left + 380, y - 75),
        (left + 100, y - 75),
        (left + 100, y - 42),
        kind="G",
    )
    d.text(left + 240, y - 85, words["way"], size=11, color=EDGE["G"])


def row_of_maps(d: Drawing, x, y, kind, sheets, gap=104) -> float:
    """Feature maps from left to right: (side drawn, channels, label, what comes next)."""
    for k, (side, channels, words, then) in enumerate(sheets):
        d.maps(x, y, side, channels, words, kind)
        if k + 1 < len(sheets):
            right = x + side / 2 + 4 * min(channels - 1, 4) + 4
            left = x + gap - sheets[k + 1][0] / 2 - 4
            d.arrow((right, y), (left, y), words=then)
            x += gap
    return x


def conv_gan_networks(data: str | None) -> Drawing:
    d = Drawing(900, 350)
    digit = digits(data)[6]
    d.title(20, 22, "GNet", EDGE["G"])
    y = 95
    d.code(36, y, "z\n(N, 64)", cells=6)
    d.arrow((46, y), (94, y), words="linear")
    d.bar(105, y, 100, "G")
    d.text(105, y + 55, "1568", size=11, va="top")
    d.arrow((114, y), (160, y), words="view")
    end = row_of_maps(
        d,
        184,
        y,
        "G",
        (
            (28, 32, "32 × 7 × 7", "upsample\nconv"),
            (48, 16, "16 × 14 × 14", "upsample\nconv"),
            (80, 8, "8 × 28 × 28", "conv\nsigmoid"),
        ),
        gap=160,
    )
    d.arrow((end + 64, y), (end + 128, y), words="conv\nsigmoid")
    d.image(end + 176, y, soft(digit), "image  (N, 1, 28, 28)\nin [0, 1]", side=88)
    d.title(20, 196, "DNet", EDGE["D"])
    y = 258
    d.image(66, y, digit, "image\n(N, 1, 28, 28)", side=80)
    d.arrow((110, y), (160, y), words="conv")
    end = row_of_maps(
        d,
        206,
        y,
        "D",
        (
            (80, 2, "2 × 28 × 28", "max\npool"),
            (48, 2, "2 × 14 × 14", "conv"),
            (48, 4, "4 × 14 × 14", "max\npool"),
            (28, 4, "4 × 7 × 7", "conv, no\npadding"),
            (20, 8, "8 × ? × ?", ""),
        ),
        gap=122,
    )
    d.arrow((end + 32, y), (end + 104, y), words="flatten\nlinear")
    d.box(end + 138, y, 62, 34, "logit", "D")
    d.text(end + 138, y + 24, "(N, 1)", size=11, va="top")
    return d


def two_steps(data: str | None, d_words: dict[str, str], g_words: dict[str, str]) -> Drawing:
    d = Drawing(900, 268)
    fake = forged(data)
    step_of_d(d, 20, digits(data)[3], fake, d_words)
    d.rule(462, 20, 248)
    step_of_g(d, 484, 20, fake, g_words)
    return d


def conv_gan_step(data: str | None) -> Drawing:
    return two_steps(
        data,
        {
            "title": "First D …",
            "real": "N real images: 1",
            "fake": "N fakes: 0",
            "z": "z",
            "loss": "loss",
            "under": "one mean\nof 2N",
        },
        {
            "title": "… then G, on the same z",
            "fake": "N fakes: 1",
            "z": "z",
            "loss": "loss",
            "under": "mean of N",
            "way": "through D, which stands still, and moves G",
        },
    )


def fc_gan_step(data: str | None) -> Drawing:
    return two_steps(
        data,
        {
            "title": "First D …",
            "real": "real, in [-1, 1]: 1",
            "fake": "fakes: 0",
            "z": "noise",
            "loss": "loss",
            "under": "sum of\ntwo means",
        },
        {
            "title": "… then G, on fresh noise",
            "fake": "fakes: 1",
            "z": "noise",
            "loss": "loss",
            "under": "one mean",
            "way": "through D, which stands still, and moves G",
        },
    )


def fc_gan_networks(data: str | None) -> Drawing:
    d = Drawing(900, 238)
    y = 116
    d.title(20, 20, "generator", EDGE["G"])
    d.code(34, y, "noise\n(N, 96)", cells=6)
    d.arrow((44, y), (94, y), words="Linear\nReLU")
    end = layers(d, 105, y, (1024, 1024, 784), "G", ("Linear\nReLU", "Linear\ntanh"))
    d.arrow((end + 9, y), (328, y))
    d.image(368, y, forged(data), "fake  (N, 784)\nin [-1, 1]", side=72)
    d.title(508, 20, "discriminator", EDGE["D"])
    d.image(546, y, digits(data)[3], "image  (N, 784)\nin [-1, 1]", side=72)
    d.arrow((585, y), (654, y), words="Linear\nLeakyReLU")
    end = layers(d, 665, y, (256, 256), "D", ("Linear\nLeakyReLU",), gap=92)
    d.arrow((end + 9, y), (812, y), words="Linear")
    d.box(846, y, 64, 34, "logit", "D")
    d.text(846, y + 24, "(N, 1)", size=12, va="top")
    d.rule(462, 20, 218)
    return d


def fc_gan_dc(data: str | None) -> Drawing:
    d = Drawing(900, 366)
    y = 104
    d.title(20, 20, "build_dc_generator", EDGE["G"])
    d.code(36, y, "noise\n(N, 96)", cells=6)
    d.arrow((46, y), (104, y), words="linear")
    end = layers(d, 115, y, (1024, 6272), "G", ("linear",), tall=7)
    d.arrow((end + 9, y), (end + 82, y), words="unflatten")
    end = row_of_maps(
        d,
        end + 104,
        y,
        "G",
        ((28, 128, "128 × 7 × 7", "transposed\nconv"), (48, 64, "64 × 14 × 14", "")),
        gap=164,
    )
    d.arrow((end + 46, y), (end + 142, y), words="transposed\nconv, tanh")
    d.image(end + 190, y, forged(data), "image  (N, 1, 28, 28)\nmade flat: (N, 784)", side=88)
    d.text(end + 242, y, "in [-1, 1]", size=12, ha="left")
    d.title(20, 208, "build_dc_classifier", EDGE["D"])
    y = 278
    d.image(78, y, digits(data)[3], "(N, 784), unflattened\nto (N, 1, 28, 28)", side=80)
    d.arrow((122, y), (180, y), words="conv 5")
    end = row_of_maps(
        d,
        218,
        y,
        "D",
        (
            (66, 32, "32 × 24 × 24", "max\npool"),
            (42, 32, "32 × 12 × 12", "conv 5"),
            (32, 64, "64 × 8 × 8", "max\npool"),
            (22, 64, "64 × 4 × 4", ""),
        ),
        gap=116,
    )
    d.arrow((end + 32, y), (end + 84, y), words="flatten")
    end = layers(d, end + 95, y, (1024, 1024), "D", ("linear",), gap=74, tall=7)
    d.arrow((end + 9, y), (end + 60, y), words="linear")
    d.box(end + 90, y, 58, 34, "logit", "D")
    d.text(end + 90, y + 24, "(N, 1)", size=11, va="top")
    return d


# --- photographs


def photograph(data: str | None, k: int) -> np.ndarray:
    """A test image of CIFAR-10, (32, 32, 3) in [0, 1]."""
    return load_cifar10("test", limit=64, data=data)[k].permute(1, 2, 0).numpy()


HORSE, SHIP = 60, 54  # in the test set


def painted(data: str | None, k: int = HORSE) -> np.ndarray:
    """A photograph as a generator might paint it."""
    return np.clip(soft(soft(soft(photograph(data, k)))) * 0.95, 0, 1)


def cifar_networks(data: str | None) -> Drawing:
    d = Drawing(900, 350)
    y = 95
    d.title(20, 22, "CIFARGenerator", EDGE["G"])
    d.code(36, y, "code\n(N, 64)", cells=6)
    d.arrow((46, y), (128, y), words="linear\nview")
    end = row_of_maps(
        d,
        150,
        y,
        "G",
        (
            (24, 128, "128 × 4 × 4", "transposed\nconv"),
            (40, 64, "64 × 8 × 8", "transposed\nconv"),
            (66, 32, "32 × 16 × 16", ""),
        ),
        gap=166,
    )
    d.arrow((end + 58, y), (end + 146, y), words="transposed\nconv, sigmoid")
    d.image(end + 196, y, painted(data), "image  (N, 3, 32, 32)\nin [0, 1]", side=92)
    d.title(20, 196, "CIFARDiscriminator", EDGE["D"])
    y = 262
    d.image(72, y, photograph(data, HORSE), "image\n(N, 3, 32, 32)", side=92)
    d.arrow((122, y), (206, y), words="conv")
    end = row_of_maps(
        d,
        246,
        y,
        "D",
        (
            (66, 32, "32 × 16 × 16", "conv\nbatch norm"),
            (40, 64, "64 × 8 × 8", "conv\nbatch norm"),
            (24, 128, "128 × 4 × 4", ""),
        ),
        gap=166,
    )
    d.arrow((end + 34, y), (end + 116, y), words="flatten\nlinear")
    d.box(end + 152, y, 66, 34, "logit", "D")
    d.text(end + 152, y + 24, "(N, 1)", size=11, va="top")
    return d


def cifar_step(data: str | None) -> Drawing:
    d = Drawing(900, 268)
    real, fake = photograph(data, SHIP), painted(data)
    step_of_d(
        d,
        20,
        real,
        fake,
        {
            "title": "The discriminator's step",
            "real": "batch_samples: real",
            "fake": "fakes, detached",
            "z": "codes",
            "loss": "sum",
            "under": "dis_loss",
        },
    )
    d.text(198, 72, "two batches, one after the other", size=11, color=PALE)
    d.rule(462, 20, 248)
    step_of_g(
        d,
        484,
        20,
        fake,
        {
            "title": "The generator's step",
            "fake": "fakes: real",
            "z": "fresh\ncodes",
            "loss": "mean",
            "under": "gen_loss",
            "way": "through D, and moves G",
        },
    )
    return d


def cifar_search(data: str | None, real: bool) -> Drawing:
    """Where the weights stay and the code moves: activation maximisation, or reconstruction."""
    d = Drawing(900, 236)
    y = 128
    d.code(80, y, "code z\nmoves", cells=6, kind="E")
    d.arrow((92, y), (162, y))
    d.net(215, y, 106, 60, 110, "G", "G", size=15)
    d.text(215, y + 68, "weights stay", size=12, va="top", color=PALE)
    d.arrow((268, y), (346, y))
    d.image(394, y, painted(data), "G(z)", side=92)
    if real:
        d.text(80, 66, "starts at zero", size=12, color=PALE)
        d.arrow((443, y), (560, y))
        d.loss(640, y, "mean squared\ndifference", width=150, height=60)
        d.arrow((796, y), (718, y))
        d.image(844, y, photograph(data, HORSE), "x, given", side=92)
        d.text(640, y + 42, "500 steps of Adam", size=12, color=PALE, va="top")
        end = 640
    else:
        d.text(80, 66, "starts at a draw\nfrom N(0, I)", size=12, color=PALE)
        d.arrow((443, y), (520, y))
        d.net(573, y, 106, 110, 60, "D", "D", size=15)
        d.text(573, y + 68, "weights stay", size=12, va="top", color=PALE)
        d.arrow((626, y), (706, y), words="logit")
        d.loss(790, y, "is it taken\nfor real?", width=150, height=60)
        d.text(790, y + 42, "500 steps of Adam", size=12, color=PALE, va="top")
        end = 790
    d.arrow((end, y - 32), (end, 26), (134, 26), (134, y - 30), (94, y - 30), kind="E")
    d.text(
        (end + 134) / 2,
        15,
        "the gradient passes through, and moves the code",
        size=12,
        color=EDGE["E"],
    )
    return d


def cifar_actmax(data: str | None) -> Drawing:
    return cifar_search(data, real=False)


def cifar_reconstruct(data: str | None) -> Drawing:
    return cifar_search(data, real=True)


# --- an autoencoder and a GAN with one generator


def ae_gan_model(data: str | None) -> Drawing:
    d = Drawing(900, 288)
    digit = digits(data)[0]
    top, low = 88, 200
    d.image(66, top, digit, "x  (N, 784)")
    d.arrow((101, top), (150, top))
    d.net(200, top, 100, 104, 56, "E", "E", size=16)
    d.text(200, top - 66, "encoder", size=12, color=EDGE["E"])
    d.arrow((250, top), (300, top))
    d.code(312, top, "code  (N, 64)", kind="E")
    d.code(312, low, "z ~ N(0, I)\n(N, 64)", seed=4)
    d.arrow((322, top), (404, 132))
    d.arrow((322, low), (404, 156))
    d.net(456, 144, 100, 76, 132, "G", "G", size=16)
    d.text(456, 62, "generator: one and the same", size=12, color=EDGE["G"])
    d.arrow((506, 132), (592, top))
    d.arrow((506, 156), (592, low))
    d.image(628, top, soft(digit), "G(E(x))")
    d.image(628, low, forged(data), "G(z)")
    d.arrow((662, low), (716, low))
    d.net(762, low, 92, 100, 52, "D", "D", size=16)
    d.text(762, low + 62, "discriminator: x or fake", size=12, color=EDGE["D"])
    d.arrow((808, low), (838, low))
    d.text(866, low, "real?\nin (0, 1)", size=12)
    d.arrow((662, top), (838, top))
    d.text(866, top, "x again?", size=12)
    return d


def ae_gan_step(data: str | None) -> Drawing:
    d = Drawing(900, 270)
    fake, digit = forged(data), digits(data)[0]
    for left in (300, 600):
        d.rule(left, 20, 250)
    y = 142
    d.title(18, 22, "1  moves D alone", EDGE["D"])
    d.image(44, y - 52, digit, "x: 1", side=46)
    d.code(24, y + 56, "z", cells=4, side=10)
    d.arrow((32, y + 56), (50, y + 56))
    d.net(72, y + 56, 44, 34, 60, "G", "G", size=14)
    d.arrow((94, y + 56), (110, y + 56))
    d.image(136, y + 56, fake, "fake: 0", side=46)
    d.arrow((69, y - 52), (150, y - 52), (182, y - 14))
    d.arrow((161, y + 56), (168, y + 48), (182, y + 14))
    d.net(206, y, 44, 72, 40, "D", "D", size=14)
    d.arrow((228, y), (242, y))
    d.loss(268, y, "BCE", width=50, height=40)
    d.arrow((268, y - 21), (268, y - 70), (206, y - 70), (206, y - 34), kind="D")
    d.title(318, 22, "2  moves G alone", EDGE["G"])
    d.code(330, y - 46, "z", cells=4, side=10)
    d.arrow((338, y - 46), (380, y - 46), (411, y - 14))
    d.image(338, y + 52, digit, "x", side=40)
    d.arrow((360, y + 52), (368, y + 52))
    d.net(388, y + 52, 34, 46, 28, "E", "E", size=13)
    d.arrow((405, y + 52), (411, y + 52), (419, y + 29))
    d.net(438, y, 48, 46, 78, "G", "G", size=14)
    d.arrow((462, y - 14), (480, y - 46))
    d.net(502, y - 46, 40, 60, 34, "D", "D", size=14)
    d.arrow((522, y - 46), (536, y - 46))
    d.loss(562, y - 46, "BCE", width=50, height=36)
    d.arrow((462, y + 14), (480, y + 46))
    d.image(504, y + 52, soft(digit), "", side=40)
    d.arrow((526, y + 52), (536, y + 52))
    d.loss(562, y + 52, "MSE", width=50, height=36)
    d.arrow((562, y - 65), (562, y - 88), (438, y - 88), (438, y - 38), kind="G")
    d.arrow((562, y + 71), (562, y + 96), (438, y + 96), (438, y + 38), kind="G")
    d.title(618, 22, "3  moves E", EDGE["E"])
    d.image(642, y, digit, "x", side=46)
    d.arrow((667, y), (680, y))
    d.net(704, y, 46, 72, 42, "E", "E", size=14)
    d.arrow((727, y), (741, y))
    d.net(765, y, 46, 42, 72, "G", "G", size=14)
    d.arrow((788, y), (798, y))
    d.image(822, y, soft(digit), "G(E(x))", side=44)
    d.arrow((845, y), (854, y))
    d.loss(876, y, "MSE", width=44, height=40, size=12)
    d.arrow((876, y - 21), (876, y - 70), (704, y - 70), (704, y - 34), kind="E")
    return d


DIAGRAMS: dict[str, Callable[[str | None], Drawing]] = {
    "bernoulli-vae--model": bernoulli_vae_model,
    "bernoulli-vae--step": bernoulli_vae_step,
    "autoencoder--model": autoencoder_model,
    "autoencoder--step": autoencoder_step,
    "autoencoder--beta_vae": beta_vae,
    "autoencoder--conditional": conditional,
    "fc-vae--model": fc_vae,
    "fc-vae--cvae": cvae,
    "conv-gan--networks": conv_gan_networks,
    "conv-gan--step": conv_gan_step,
    "fc-gan--networks": fc_gan_networks,
    "fc-gan--step": fc_gan_step,
    "fc-gan--dc": fc_gan_dc,
    "cifar-dcgan--networks": cifar_networks,
    "cifar-dcgan--step": cifar_step,
    "cifar-dcgan--search": cifar_actmax,
    "cifar-dcgan--reconstruct": cifar_reconstruct,
    "ae-gan--model": ae_gan_model,
    "ae-gan--step": ae_gan_step,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Draw what is asked for and say how large it became."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="diagrams (default: all)")
    parser.add_argument("--data", help="folder of MNIST and CIFAR-10 (default: data/)")
    arguments = parser.parse_args(argv)
    PICTURES.mkdir(exist_ok=True)
    for name in arguments.names or DIAGRAMS:
        file = PICTURES / f"{name}.png"
        DIAGRAMS[name](arguments.data).save(file)
        print(f"{file.name}: {file.stat().st_size / 1024:.0f} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
