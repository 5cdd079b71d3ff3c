"""Known mistakes of part fc-gan.

A sentence is empty where the check itself says what is wrong.
"""

from __future__ import annotations

from ...checking.catalogue import Mistake

PART = "fc-gan"


def _of(question: str, within: str, *rows: tuple[str, str, str, str]) -> tuple[Mistake, ...]:
    """Mistakes of one edit each: name, sentence, old, new."""
    return tuple(
        Mistake(name, f"{PART}.{question}", sentence, within, ((old, new),))
        for name, sentence, old, new in rows
    )


NOISE = "2 * torch.rand(batch_size, noise_dim, dtype=dtype, device=device) - 1"
D_LOSS = "bce(logits_real, torch.ones_like(logits_real))"
D_FAKE = "bce(logits_fake, torch.zeros_like(logits_fake))"
ADAM = "optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))"
LS_D = "0.5 * ((scores_real - 1) ** 2).mean() + 0.5 * (scores_fake**2).mean()"
LS_G = "0.5 * ((scores_fake - 1) ** 2).mean()"

MISTAKES: tuple[Mistake, ...] = (
    *_of(
        "sample_noise",
        "def sample_noise",
        ("from-0-to-1", "", NOISE, NOISE[4:-4]),
        ("normal", "", "2 * torch.rand(", "torch.randn("),
        ("not-shifted", "", " - 1", ""),
        ("half-the-width", "", NOISE, f"{NOISE[4:-4]} - 0.5"),
        ("dtype-ignored", "", "dtype=dtype, ", ""),
        ("turned", "", NOISE, f"({NOISE}).T"),
        ("seeded", "", "return", "torch.manual_seed(0)\n    return"),
    ),
    *_of(
        "discriminator",
        "def discriminator()",
        ("sigmoid", "", "nn.Linear(256, 1),", "nn.Linear(256, 1),\n        nn.Sigmoid(),"),
        ("relu", "", "nn.LeakyReLU(0.01)", "nn.ReLU()"),
        ("slope", "", "LeakyReLU(0.01)", "LeakyReLU(0.2)"),
        ("narrow", "", "256", "128"),
        ("two-outputs", "", "nn.Linear(256, 1)", "nn.Linear(256, 2)"),
        (
            "activation-missing",
            "",
            "nn.Linear(256, 256),\n        nn.LeakyReLU(0.01),",
            "nn.Linear(256, 256),",
        ),
    ),
    *_of(
        "generator",
        "def generator(",
        ("no-tanh", "", "        nn.Tanh(),\n", ""),
        ("sigmoid", "", "nn.Tanh()", "nn.Sigmoid()"),
        ("leaky-relu", "", "nn.ReLU()", "nn.LeakyReLU()"),
        ("length-ignored", "", "nn.Linear(noise_dim,", "nn.Linear(96,"),
        (
            "shaped-images",
            "",
            "nn.Tanh(),",
            "nn.Tanh(),\n        nn.Unflatten(1, (1, 28, 28)),",
        ),
    ),
    *_of(
        "discriminator_loss",
        "def discriminator_loss",
        ("average", "", "return real + fake", "return (real + fake) / 2"),
        ("real-alone", "", "return real + fake", "return real"),
        ("fakes-alone", "", "return real + fake", "return fake"),
        ("subtracted", "", "return real + fake", "return real - fake"),
        ("fakes-labelled-real", "", "zeros_like", "ones_like"),
        ("sign", "", "return real + fake", "return -real - fake"),
        ("smooth-labels", "", "torch.ones_like(logits_real)", "0.9 * torch.ones_like(logits_real)"),
        (
            "unstable",
            "",
            "bce = F.binary_cross_entropy_with_logits",
            "bce = lambda s, y: -(  # noqa: E731\n        y * torch.log(p := torch.sigmoid(s))"
            " + (1 - y) * torch.log(1 - p)\n    ).mean()",
        ),
    ),
    *_of(
        "generator_loss",
        "def generator_loss",
        ("labels-zero", "", "torch.ones_like", "torch.zeros_like"),
        ("sign", "", "return F", "return -F"),
        ("squares", "", "F.binary_cross_entropy_with_logits", "F.mse_loss"),
        (
            "saturating",
            "",
            "return F",
            "return -F.softplus(logits_fake).mean() + 0 * F",
        ),
        ("detached", "", "return F", "logits_fake = logits_fake.detach()\n    return F"),
    ),
    *_of(
        "get_optimizer",
        "def get_optimizer",
        ("default-betas", "", ", betas=(0.5, 0.999)", ""),
        ("rate", "", "lr=1e-3", "lr=2e-4"),
        ("swapped-betas", "", "(0.5, 0.999)", "(0.999, 0.5)"),
        (
            "decay",
            "the weights decay; the optimizer should have none.",
            "0.999))",
            "0.999), weight_decay=1e-2)",
        ),
        ("first-parameter-alone", "", "model.parameters()", "[next(model.parameters())]"),
        ("sgd", "", ADAM, "optim.SGD(model.parameters(), lr=1e-3, momentum=0.5)"),
    ),
    *_of(
        "build_dc_classifier",
        "def build_dc_classifier",
        ("sigmoid", "", "64, 1),", "64, 1),\n        nn.Sigmoid(),"),
        ("average-pooling", "", "nn.MaxPool2d", "nn.AvgPool2d"),
        ("slope", "", "LeakyReLU(0.01)", "LeakyReLU(0.2)"),
        ("wants-images", "", "        nn.Unflatten(1, (1, 28, 28)),\n", ""),
        (
            "no-hidden-layer",
            "",
            "        nn.Linear(4 * 4 * 64, 4 * 4 * 64),\n        nn.LeakyReLU(0.01),\n",
            "",
        ),
    ),
    *_of(
        "build_dc_generator",
        "def build_dc_generator",
        ("no-tanh", "", "        nn.Tanh(),\n", ""),
        ("sigmoid", "", "nn.Tanh()", "nn.Sigmoid()"),
        ("norm-missing", "", "        nn.BatchNorm2d(64),\n", ""),
        ("shaped-images", "", "nn.Tanh(),\n        nn.Flatten(),", "nn.Tanh(),"),
        ("length-ignored", "", "nn.Linear(noise_dim,", "nn.Linear(96,"),
        ("leaky-relu", "", "nn.ReLU()", "nn.LeakyReLU()"),
    ),
    Mistake(
        "norm-before-relu",
        f"{PART}.build_dc_generator",
        "",
        "def build_dc_generator",
        tuple(
            (f"nn.ReLU(),\n        {norm},", f"{norm},\n        nn.ReLU(),")
            for norm in (
                "nn.BatchNorm1d(1024)",
                "nn.BatchNorm1d(7 * 7 * 128)",
                "nn.BatchNorm2d(64)",
            )
        ),
    ),
    *_of(
        "least_squares",
        "def ls_discriminator_loss",
        ("no-halves", "", LS_D, LS_D.replace("0.5 * ", "")),
        (
            "targets-swapped",
            "",
            LS_D,
            "0.5 * (scores_real**2).mean() + 0.5 * ((scores_fake - 1) ** 2).mean()",
        ),
    ),
    *_of(
        "least_squares",
        "def ls_generator_loss",
        ("sum-over-batch", "", LS_G, LS_G.replace("mean", "sum")),
        ("target-zero", "", LS_G, LS_G.replace(" - 1", "")),
        ("no-half", "", LS_G, LS_G.replace("0.5 * ", "")),
    ),
)
