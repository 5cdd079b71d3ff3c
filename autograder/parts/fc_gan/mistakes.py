"""Known mistakes of part fc-gan.

A sentence is empty where the check itself says what is wrong.
"""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, caught, caught_one, told, told_one, unseen
from ..slips import (
    ALL_FAKE,
    ALL_REAL,
    BETAS,
    FAKES_ALONE,
    LABELS_SWAPPED,
    LIMITED,
    PLAIN,
    REAL_ALONE,
    SIGMOIDS,
    SIGN,
    SMOOTH_REAL,
    SQUARES,
    SUM,
    of_a_generator_loss,
)

PART = "fc-gan"

_of, _more = partial(caught, PART), partial(caught_one, PART)
_told, _told_one = partial(told, PART), partial(told_one, PART)

RAND = "torch.rand(batch_size, noise_dim, dtype=dtype, device=device)"
NORMAL = RAND.replace("rand", "randn")
NOISE = f"2 * {RAND} - 1"
D_REAL = "bce(logits_real, torch.ones_like(logits_real))"
D_FAKE = "bce(logits_fake, torch.zeros_like(logits_fake))"
D_SUM = "return real + fake"
BCE = "bce = F.binary_cross_entropy_with_logits"
ADAM = "optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))"
G_LOSS = "F.binary_cross_entropy_with_logits(logits_fake, torch.ones_like(logits_fake))"
LS_D = "0.5 * ((scores_real - 1) ** 2).mean() + 0.5 * (scores_fake**2).mean()"
LS_G = "0.5 * ((scores_fake - 1) ** 2).mean()"
ELSE = "differs from the list"
NORMS = ("nn.BatchNorm1d(1024)", "nn.BatchNorm1d(7 * 7 * 128)", "nn.BatchNorm2d(64)")
CROSS = "it uses cross-entropies instead of squares."
SCORES_CUT = "scores are cut off; they may be any number."
SCORES = "the scores went through a sigmoid; use them as they are."
DECAY = "the weights decay; the optimizer should have none."
CUT_OFF = "hidden values are cut off at some number, as by ReLU6; the list has no upper end."
ENDING = "nn.LeakyReLU(0.01), nn.Hardtanh(-10.0, 10.0)"
DEEP = "the layers asked for have 1102721"

MISTAKES: tuple[Mistake, ...] = (
    *_of(
        "sample_noise",
        "def sample_noise",
        ("from-0-to-1", "from 0 to 1", NOISE, RAND),
        ("normal", "beyond -1 and 1", NOISE, NORMAL),
        ("not-shifted", "beyond -1 and 1", " - 1", ""),
        ("half-the-width", "from -0.5 to 0.5", NOISE, f"{RAND} - 0.5"),
        ("two-values", "too few different", NOISE, f"({RAND} > 0.5).to(dtype) * 2 - 1"),
        (
            "one-number-a-row",
            "too few different",
            NOISE,
            f"(2 * {RAND}[:, :1] - 1).expand(batch_size, noise_dim)",
        ),
        ("squeezed-normal", "not uniform", NOISE, f"torch.tanh({NORMAL})"),
        ("dtype-ignored", "gives torch.float32", "dtype=dtype, ", ""),
        ("turned", "has shape", NOISE, f"({NOISE}).T"),
        ("device-ignored", "argument device", ", device=device)", ")"),
        ("clamped", "keeps away from", NOISE, f"({NOISE}).clamp(-0.99, 0.99)"),
        ("sorted", "hang together", NOISE, f"({NOISE}).sort(1).values"),
        (
            "opposite-pairs",
            "hang together",
            f"return {NOISE}",
            f"half = {NOISE.replace('batch_size', 'batch_size // 2 + 1')}\n"
            "    return torch.cat((half, -half))[:batch_size]",
        ),
        (
            "seeded",
            "the same numbers at each call",
            "return",
            "torch.manual_seed(0)\n    return",
        ),
    ),
    _more(
        "sample_noise",
        "",
        "no-dtype-argument",
        "unexpected keyword argument",
        code="def sample_noise(batch_size, dim):\n    return 2 * torch.rand(batch_size, dim) - 1",
    ),
    *unseen(
        "many calls",
        *_of(
            "sample_noise",
            "def sample_noise",
            (
                "kept-and-shuffled",
                "the same numbers at each call",
                f"return {NOISE}",
                "kept = sample_noise.__dict__.setdefault(\n"
                f"        (batch_size, noise_dim, dtype, device), {NOISE}\n"
                "    )\n"
                "    return kept[torch.randperm(batch_size)]",
            ),
        ),
    ),
    Mistake(
        "made-once",
        f"{PART}.discriminator",
        "",
        code="discriminator = (lambda net: lambda: net)(discriminator())",
        says="share weights",
        unseen="two networks at once",
    ),
    *unseen(
        "other weights and images",
        *_of(
            "discriminator",
            "def discriminator()",
            (
                "logits-cut-off",
                "cuts large numbers off somewhere",
                "nn.Linear(256, 1),",
                "nn.Linear(256, 1),\n        nn.Hardtanh(-20, 20),",
            ),
        ),
        *_of(
            "build_dc_classifier",
            "def build_dc_classifier()",
            (
                "logits-cut-off",
                "cuts large numbers off somewhere",
                "nn.Linear(4 * 4 * 64, 1),",
                "nn.Linear(4 * 4 * 64, 1),\n        nn.Hardtanh(-20, 20),",
            ),
        ),
    ),
    *_of(
        "discriminator",
        "def discriminator()",
        (
            "sigmoid",
            "ends in a sigmoid",
            "nn.Linear(256, 1),",
            "nn.Linear(256, 1),\n        nn.Sigmoid(),",
        ),
        ("relu", "ReLU stands where", "nn.LeakyReLU(0.01)", "nn.ReLU()"),
        (
            "other-in-evaluation",
            "after eval() it gives something else",
            "    return nn.Sequential(\n",
            "    class Mode(nn.Sequential):\n"
            "        def forward(self, x):\n"
            "            return super().forward(x if self.training else x.clamp(-1, 1))\n"
            "    return Mode(\n",
        ),
        ("slope", "LeakyReLU(0.2) stands wherever", "LeakyReLU(0.01)", "LeakyReLU(0.2)"),
        ("narrow", "the layers asked for have 267009", "256", "128"),
        ("two-outputs", "has shape (9, 2)", "nn.Linear(256, 1)", "nn.Linear(256, 2)"),
        (
            "flat-logits",
            "has shape (9,)",
            "nn.Linear(256, 1),",
            "nn.Linear(256, 1),\n        nn.Flatten(0),",
        ),
        (
            "activation-missing",
            "the LeakyReLU after the second linear layer is missing",
            "nn.Linear(256, 256),\n        nn.LeakyReLU(0.01),",
            "nn.Linear(256, 256),",
        ),
    ),
    _more(
        "discriminator",
        "def discriminator()",
        "no-biases",
        "no biases",
        ("256),", "256, bias=False),"),
        ("256, 1),", "256, 1, bias=False),"),
    ),
    *_of(
        "generator",
        "def generator(",
        (
            "first-layer-frozen",
            "gradients of the parameters",
            "nn.Linear(noise_dim, 1024)",
            "nn.Linear(noise_dim, 1024).requires_grad_(False)",
        ),
        ("no-tanh", "tanh at the end is missing", "        nn.Tanh(),\n", ""),
        ("sigmoid", "it is a tanh", "nn.Tanh()", "nn.Sigmoid()"),
        ("leaky-relu", "LeakyReLU(0.01) stands wherever", "nn.ReLU()", "nn.LeakyReLU()"),
        ("relu6", "ReLU6 stands wherever", "nn.ReLU()", "nn.ReLU6()"),
        (
            "activation-missing",
            "the ReLU after the first linear layer is missing",
            "nn.Linear(noise_dim, 1024),\n        nn.ReLU(),",
            "nn.Linear(noise_dim, 1024),",
        ),
        (
            "length-ignored",
            "does not work on noise of length",
            "nn.Linear(noise_dim,",
            "nn.Linear(96,",
        ),
        (
            "shaped-images",
            "has shape (9, 1, 28, 28)",
            "nn.Tanh(),",
            "nn.Tanh(),\n        nn.Unflatten(1, (1, 28, 28)),",
        ),
    ),
    _more(
        "generator",
        "def generator(",
        "other-width",
        "parameters; the layers asked for have",
        ("nn.Linear(noise_dim, 1024)", "nn.Linear(noise_dim, 512)"),
        ("nn.Linear(1024, 1024)", "nn.Linear(512, 1024)"),
    ),
    _more(
        "generator",
        "",
        "mean-of-the-batch",
        ELSE,
        code="""
class Mean(nn.Sequential):
    def forward(self, z):
        return super().forward(z).mean(0, keepdim=True).expand(len(z), 784)
given = generator
def generator(noise_dim=NOISE_DIM):
    return Mean(*given(noise_dim))
""",
    ),
    _more(
        "generator",
        "",
        "first-answer-kept",
        ELSE,
        code="""
class Stale(nn.Sequential):
    def forward(self, z):
        self.y = getattr(self, "y", None)
        self.y = super().forward(z) if self.y is None else self.y
        return self.y
given = generator
def generator(noise_dim=NOISE_DIM):
    return Stale(*given(noise_dim))
""",
    ),
    *_of(
        "discriminator_loss",
        "def discriminator_loss",
        ("average", "as in part conv-gan", D_SUM, "return (real + fake) / 2"),
        (
            "one-mean",
            "as in part conv-gan",
            D_SUM,
            "logits = torch.cat((logits_real, logits_fake))\n"
            "    targets = torch.cat((torch.ones_like(logits_real), 0 * logits_fake.detach()))\n"
            "    return bce(logits, targets)",
        ),
        ("detached", "No gradient flows back", D_SUM, "return (real + fake).detach()"),
        ("one-per-image", "has shape", BCE, "bce = nn.BCEWithLogitsLoss(reduction='none')"),
        (
            "sum-over-columns",
            "different values for the same logits",
            BCE,
            "bce = lambda s, y: F.binary_cross_entropy_with_logits(  # noqa: E731\n"
            "        s, y, reduction='sum') / s.shape[-1]",
        ),
        (
            "unstable",
            "not finite",
            BCE,
            "bce = lambda s, y: -(  # noqa: E731\n        y * torch.log(p := torch.sigmoid(s))"
            " + (1 - y) * torch.log(1 - p)\n    ).mean()",
        ),
    ),
    *_told(
        "discriminator_loss",
        "def discriminator_loss",
        ("real-alone", REAL_ALONE, D_SUM, "return real"),
        ("fakes-alone", FAKES_ALONE, D_SUM, "return fake"),
        ("subtracted", "the loss of the fakes is subtracted; add it.", D_SUM, "return real - fake"),
        (
            "fakes-labelled-real",
            ALL_REAL,
            "zeros_like",
            "ones_like",
        ),
        (
            "real-labelled-fake",
            ALL_FAKE,
            "ones_like",
            "zeros_like",
        ),
        ("sign", SIGN, D_SUM, "return -real - fake"),
        ("wasserstein", PLAIN, D_SUM, "return logits_fake.mean() - logits_real.mean()"),
        ("sum-over-batch", SUM, BCE, "bce = nn.BCEWithLogitsLoss(reduction='sum')"),
        ("limited", LIMITED, BCE, f"{BCE}\n    logits_real = logits_real.clamp(-5, 5)"),
        (
            "smooth-labels",
            SMOOTH_REAL,
            "torch.ones_like(logits_real)",
            "0.9 * torch.ones_like(logits_real)",
        ),
        ("squares", SQUARES, BCE, "bce = F.mse_loss"),
    ),
    _told_one(
        "discriminator_loss",
        "def discriminator_loss",
        "labels-swapped",
        LABELS_SWAPPED,
        (D_REAL, D_REAL.replace("ones", "zeros")),
        (D_FAKE, D_FAKE.replace("zeros", "ones")),
    ),
    _told_one(
        "discriminator_loss",
        "def discriminator_loss",
        "sigmoid-twice",
        SIGMOIDS,
        ("bce(logits_real", "bce(logits_real.sigmoid()"),
        ("bce(logits_fake", "bce(logits_fake.sigmoid()"),
    ),
    _more(
        "discriminator_loss",
        "def discriminator_loss",
        "flat-labels",
        "fails on logits of shape (7, 1)",
        ("torch.ones_like(logits_real)", "torch.ones(len(logits_real))"),
        ("torch.zeros_like(logits_fake)", "torch.zeros(len(logits_fake))"),
    ),
    *_of(
        "generator_loss",
        "def generator_loss",
        (
            "unstable",
            "not finite",
            "return F",
            "return -torch.log(1 - 1 / (1 + torch.exp(logits_fake))).mean() + 0 * F",
        ),
        ("detached", "gradient", "return F", "logits_fake = logits_fake.detach()\n    return F"),
        ("a-number", "gradient", "ones_like(logits_fake))", "ones_like(logits_fake)).item()"),
        (
            "sum-over-columns",
            "different values for the same logits",
            "torch.ones_like(logits_fake))",
            "torch.ones_like(logits_fake), reduction='sum') / logits_fake.shape[-1]",
        ),
    ),
    *_told(
        "generator_loss",
        "def generator_loss",
        *of_a_generator_loss(G_LOSS, "logits_fake", "torch.ones_like(logits_fake)"),
    ),
    *_of(
        "get_optimizer",
        "def get_optimizer",
        ("rate", "learning rate is not", "lr=1e-3", "lr=2e-4"),
        (
            "first-parameter-alone",
            "not move all",
            "model.parameters()",
            "[next(model.parameters())]",
        ),
        ("uphill", "the wrong way", "0.999))", "0.999), maximize=True)"),
    ),
    *unseen(
        "gradients",
        *_of(
            "get_optimizer",
            "def get_optimizer",
            (
                "clips-by-hooks",
                "the gradients of the model are others than before",
                "    return optim.Adam(",
                "    for one in model.parameters():\n"
                "        one.register_hook(lambda grad: grad.clamp(-1, 1))\n"
                "    return optim.Adam(",
            ),
        ),
    ),
    caught_one(
        PART,
        "get_optimizer",
        "",
        "slower-each-time",
        "The next optimizer steps otherwise than the first one.",
        code="""
RATES = [1e-3]
def get_optimizer(model):
    RATES.append(RATES[-1] / 2)
    return optim.Adam(model.parameters(), lr=RATES[-2], betas=(0.5, 0.999))
""",
    ),
    *_told(
        "get_optimizer",
        "def get_optimizer",
        (
            "default-betas",
            "beta1 is 0.9, torch's default; it should be 0.5.",
            ", betas=(0.5, 0.999)",
            "",
        ),
        ("no-momentum", "beta1 is 0; it should be 0.5.", "(0.5, 0.999)", "(0.0, 0.999)"),
        *BETAS,
        ("beta2-of-09", "beta2 is 0.9; it should be 0.999.", "(0.5, 0.999)", "(0.5, 0.9)"),
        ("both-betas", "the betas are 0.9 and 0.99.", "(0.5, 0.999)", "(0.9, 0.99)"),
        ("small-decay", DECAY, "0.999))", "0.999), weight_decay=1e-4)"),
        ("decay", DECAY, "0.999))", "0.999), weight_decay=1e-2)"),
        (
            "plain-sgd",
            "it is SGD; use Adam.",
            ADAM,
            "optim.SGD(model.parameters(), lr=1e-3)",
        ),
        (
            "sgd",
            "it is SGD with momentum; use Adam.",
            ADAM,
            "optim.SGD(model.parameters(), lr=1e-3, momentum=0.5)",
        ),
        (
            "rmsprop",
            "it is RMSprop; use Adam.",
            ADAM,
            "optim.RMSprop(model.parameters(), lr=1e-3)",
        ),
        (
            "adamw",
            "it is AdamW, which lets the weights decay; use Adam.",
            "optim.Adam(",
            "optim.AdamW(",
        ),
        (
            "amsgrad",
            "it is Adam with amsgrad=True; leave that out.",
            "0.999))",
            "0.999), amsgrad=True)",
        ),
        (
            "epsilon",
            "Adam's eps is larger than torch's 1e-8; leave it as it is.",
            "0.999))",
            "0.999), eps=1e-6)",
        ),
    ),
    *_told(
        "discriminator",
        "def discriminator()",
        ("cut-off", CUT_OFF, "nn.LeakyReLU(0.01)", ENDING),
    ),
    *_told(
        "generator",
        "def generator(",
        ("cut-off", CUT_OFF, "nn.ReLU()", "nn.Hardtanh(0.0, 10.0)"),
    ),
    *_told(
        "build_dc_classifier",
        "def build_dc_classifier",
        ("cut-off", CUT_OFF, "nn.LeakyReLU(0.01)", ENDING),
    ),
    *_told(
        "build_dc_generator",
        "def build_dc_generator",
        ("cut-off", CUT_OFF, "nn.ReLU()", "nn.Hardtanh(0.0, 10.0)"),
        (
            "relu6-behind-the-last-layer-but-one",
            CUT_OFF,
            "nn.ReLU(),\n        nn.BatchNorm2d(64)",
            "nn.ReLU6(),\n        nn.BatchNorm2d(64)",
        ),
    ),
    *_of(
        "build_dc_classifier",
        "def build_dc_classifier",
        ("sigmoid", "ends in a sigmoid", "64, 1),", "64, 1),\n        nn.Sigmoid(),"),
        (
            "relu6",
            "ReLU6 stands wherever",
            "nn.LeakyReLU(0.01)",
            "nn.ReLU6()",
        ),
        ("average-pooling", "averages", "nn.MaxPool2d", "nn.AvgPool2d"),
        ("slope", "LeakyReLU(0.2) stands wherever", "LeakyReLU(0.01)", "LeakyReLU(0.2)"),
        (
            "one-average-pool",
            "pools by averages after the second convolution",
            "nn.MaxPool2d(2, stride=2),\n        nn.Flatten(),",
            "nn.AvgPool2d(2, stride=2),\n        nn.Flatten(),",
        ),
        (
            "dropout",
            "as a dropout does",
            "nn.Flatten(),",
            "nn.Flatten(),\n        nn.Dropout(0.3),",
        ),
        (
            "activation-missing",
            "after the second convolution is missing",
            "  # (N, 64, 8, 8)\n        nn.LeakyReLU(0.01),",
            "",
        ),
        ("wants-images", "raised RuntimeError", "        nn.Unflatten(1, (1, 28, 28)),\n", ""),
        (
            "no-hidden-layer",
            DEEP,
            "        nn.Linear(4 * 4 * 64, 4 * 4 * 64),\n        nn.LeakyReLU(0.01),\n",
            "",
        ),
    ),
    _more(
        "build_dc_classifier",
        "def build_dc_classifier",
        "padded",
        DEEP,
        ("kernel_size=5)", "kernel_size=5, padding=2)"),
        ("nn.Linear(4 * 4 * 64, 4 * 4 * 64)", "nn.Linear(7 * 7 * 64, 4 * 4 * 64)"),
    ),
    *_of(
        "build_dc_generator",
        "def build_dc_generator",
        ("no-tanh", "tanh at the end is missing", "        nn.Tanh(),\n", ""),
        ("sigmoid", "it is a tanh", "nn.Tanh()", "nn.Sigmoid()"),
        (
            "norm-missing",
            "batch norm after the first transposed convolution is missing",
            "        nn.BatchNorm2d(64),\n",
            "",
        ),
        (
            "shaped-images",
            "has shape (9, 1, 28, 28)",
            "nn.Tanh(),\n        nn.Flatten(),",
            "nn.Tanh(),",
        ),
        (
            "length-ignored",
            "does not work on noise of length",
            "nn.Linear(noise_dim,",
            "nn.Linear(96,",
        ),
        ("leaky-relu", "LeakyReLU(0.01) stands wherever", "nn.ReLU()", "nn.LeakyReLU()"),
        ("relu6", "or it stands in all such places", "nn.ReLU()", "nn.ReLU6()"),
        ("momentum", "In evaluation", "nn.BatchNorm2d(64)", "nn.BatchNorm2d(64, momentum=0.9)"),
        ("eps", "has eps = 0.8", "nn.BatchNorm2d(64)", "nn.BatchNorm2d(64, 0.8)"),
        (
            "norm-of-the-image",
            "a batch norm that is not asked for",
            "nn.Tanh()",
            "nn.BatchNorm2d(1),\n        nn.Tanh()",
        ),
        ("no-padding", "has shape", "stride=2, padding=1", "stride=2"),
    ),
    _more(
        "build_dc_generator",
        "def build_dc_generator",
        "norm-before-relu",
        "batch norm stands before ReLU",
        *((f"nn.ReLU(),\n        {norm},", f"{norm},\n        nn.ReLU(),") for norm in NORMS),
    ),
    _more(
        "build_dc_generator",
        "def build_dc_generator",
        "norms-without-memory",
        "In evaluation, the batch norms",
        ("nn.BatchNorm2d(64)", "nn.BatchNorm2d(64, track_running_stats=False)"),
    ),
    _more(
        "build_dc_generator",
        "def build_dc_generator",
        "no-norms",
        "batch norms are missing",
        *((f"        {norm},\n", "") for norm in NORMS),
    ),
    *_of(
        "least_squares",
        "def ls_discriminator_loss",
        ("no-halves", "factors 1/2 are missing", LS_D, LS_D.replace("0.5 * ", "")),
        (
            "sum-over-columns",
            "different values for the same logits",
            LS_D,
            LS_D.replace(".mean()", ".sum() / scores_real.shape[-1]"),
        ),
    ),
    *_told(
        "least_squares",
        "def ls_discriminator_loss",
        (
            "one-half-alone",
            "the factor 1/2 of the fakes is missing.",
            "+ 0.5 * ",
            "+ ",
        ),
        (
            "other-half-alone",
            "the factor 1/2 of the real images is missing.",
            "return 0.5 * ",
            "return ",
        ),
        (
            "average",
            "it is the average of the two halves; ask for their sum.",
            LS_D,
            LS_D.replace("0.5", "0.25"),
        ),
        (
            "targets-swapped",
            "the targets are swapped; real images have 1, fakes 0.",
            LS_D,
            "0.5 * (scores_real**2).mean() + 0.5 * ((scores_fake - 1) ** 2).mean()",
        ),
        (
            "no-target",
            "the targets of real images are missing.",
            LS_D,
            LS_D.replace(" - 1", ""),
        ),
        (
            "real-alone",
            REAL_ALONE,
            LS_D,
            "0.5 * ((scores_real - 1) ** 2).mean()",
        ),
        ("fakes-alone", FAKES_ALONE, LS_D, "0.5 * (scores_fake**2).mean()"),
        ("sum", SUM, LS_D, LS_D.replace("mean", "sum")),
        ("discriminator-sign", SIGN, LS_D, f"-({LS_D})"),
        (
            "cross-entropies",
            CROSS,
            LS_D,
            "discriminator_loss(scores_real, scores_fake)",
        ),
        (
            "both-of-sigmoids",
            SCORES,
            LS_D,
            LS_D.replace("scores_real", "scores_real.sigmoid()").replace(
                "scores_fake", "scores_fake.sigmoid()"
            ),
        ),
    ),
    *_of(
        "least_squares",
        "def ls_generator_loss",
        ("no-half", "factor 1/2 is missing", LS_G, LS_G.replace("0.5 * ", "")),
        (
            "generator-sum-over-columns",
            "different values for the same logits",
            LS_G,
            LS_G.replace(".mean()", ".sum() / scores_fake.shape[-1]"),
        ),
    ),
    *_told(
        "least_squares",
        "def ls_discriminator_loss",
        ("limited", SCORES_CUT, "((scores_real - 1)", "((scores_real.clamp(-20, 20) - 1)"),
    ),
    *_told(
        "least_squares",
        "def ls_generator_loss",
        ("generator-limited", SCORES_CUT, "(scores_fake -", "(scores_fake.clamp(-20, 20) -"),
        ("sum-over-batch", SUM, LS_G, LS_G.replace("mean", "sum")),
        (
            "target-zero",
            "the target is 0; the generator wants 1.",
            LS_G,
            LS_G.replace(" - 1", ""),
        ),
        ("generator-sign", SIGN, LS_G, f"-{LS_G}"),
        ("generator-cross-entropy", CROSS, LS_G, "generator_loss(scores_fake)"),
        ("of-sigmoids", SCORES, LS_G, LS_G.replace("scores_fake", "scores_fake.sigmoid()")),
    ),
    _more(
        "least_squares",
        "",
        "no-half-anywhere",
        "factors 1/2 are missing",
        (LS_D, LS_D.replace("0.5 * ", "")),
        (LS_G, LS_G.replace("0.5 * ", "")),
    ),
    _more(
        "least_squares",
        "",
        "missing",
        "Keep the names",
        code="del ls_discriminator_loss, ls_generator_loss",
    ),
)
