"""Known mistakes of part fc-vae."""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, told, unseen

PART = "fc-vae"


def _mistake(
    question: str, name: str, sentence: str, within: str, *edits: tuple[str, str]
) -> Mistake:
    return Mistake(name, f"{PART}.{question}", sentence, within, edits)


_of = partial(told, PART)

VAE, CVAE = "class VAE(nn.Module)", "class CVAE(nn.Module)"

STANDS = "stands where the question asks for ReLU."
CUT_OFF = "its hidden values are cut off at some number, as by ReLU6; ReLU has no upper end."
NO_RELU = "there is no ReLU between its layers; without them, they are one Linear layer together."

RELU = "            nn.ReLU(),\n"
HIDDEN = f"            nn.Linear(self.hidden_dim, self.hidden_dim),\n{RELU}"
ENCODER_END = f"{HIDDEN}        )\n        self.mu_layer"
LAST_LAYER = "            nn.Linear(self.hidden_dim, input_size),\n"
SIGMOID = "            nn.Sigmoid(),\n"
UNFLATTEN = "            nn.Unflatten(1, (1, 28, 28)),\n"
TO_CODE = "nn.Linear(self.hidden_dim, latent_size)"
TO_MU, TO_LOGVAR = f"self.mu_layer = {TO_CODE}", f"self.logvar_layer = {TO_CODE}"

NETWORKS: tuple[Mistake, ...] = (
    *_of(
        "networks",
        VAE,
        (
            "encoder-ends-without-relu",
            "the ReLU after Linear layer 3 is missing.",
            ENCODER_END,
            ENCODER_END.replace(RELU, ""),
        ),
        (
            "encoder-of-two-layers",
            "2 Linear layers are at work; the question asks for 3.",
            ENCODER_END,
            ENCODER_END.replace(HIDDEN, ""),
        ),
        (
            "encoder-of-four-layers",
            "4 Linear layers are at work; the question asks for 3.",
            ENCODER_END,
            HIDDEN + ENCODER_END,
        ),
        ("no-relu", NO_RELU, RELU, ""),
        ("leaky-relu", f"LeakyReLU {STANDS}", "nn.ReLU()", "nn.LeakyReLU()"),
        (
            "leaky-relu-of-a-fifth",
            f"LeakyReLU with slope 0.2 {STANDS}",
            "nn.ReLU()",
            "nn.LeakyReLU(0.2)",
        ),
        ("tanh", f"Tanh {STANDS}", "nn.ReLU()", "nn.Tanh()"),
        ("sigmoid-inside", f"Sigmoid {STANDS}", "nn.ReLU()", "nn.Sigmoid()"),
        ("relu6", f"ReLU6 {STANDS}", "nn.ReLU()", "nn.ReLU6()"),
        ("cut-off", CUT_OFF, "nn.ReLU()", "nn.Hardtanh(0.0, 20.0)"),
        (
            "one-relu6-in-the-encoder",
            CUT_OFF,
            ENCODER_END,
            ENCODER_END.replace("nn.ReLU()", "nn.ReLU6()"),
        ),
        (
            "one-relu6-in-the-decoder",
            CUT_OFF,
            RELU + LAST_LAYER,
            RELU.replace("ReLU", "ReLU6") + LAST_LAYER,
        ),
        (
            "one-layer-for-both",
            "mu_layer and logvar_layer are one and the same layer.",
            TO_LOGVAR,
            "self.logvar_layer = self.mu_layer",
        ),
        (
            "relu-after-mu",
            "a ReLU follows its layer; it may be negative.",
            TO_MU,
            f"self.mu_layer = nn.Sequential({TO_CODE}, nn.ReLU())",
        ),
        (
            "logvar-cut-off",
            "it is cut off; nothing follows its layer, and it may be any number.",
            TO_LOGVAR,
            f"self.logvar_layer = nn.Sequential({TO_CODE}, nn.Hardtanh(-4.0, 4.0))",
        ),
        (
            "softplus-after-logvar",
            "a Softplus follows its layer; it may be negative.",
            TO_LOGVAR,
            f"self.logvar_layer = nn.Sequential({TO_CODE}, nn.Softplus())",
        ),
        (
            "two-layers-for-mu",
            "mu_layer holds 2 Linear layers; one is asked for.",
            TO_MU,
            "self.mu_layer = nn.Sequential(\n"
            "            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),\n"
            f"            {TO_CODE})",
        ),
        ("no-sigmoid", "the Sigmoid at its end is missing.", SIGMOID, ""),
        (
            "two-sigmoids",
            "its end is a Sigmoid twice over; once is right.",
            SIGMOID,
            SIGMOID + SIGMOID,
        ),
        (
            "tanh-at-the-end",
            "its end is Tanh; pixels lie between 0 and 1, which takes a Sigmoid.",
            "nn.Sigmoid()",
            "nn.Tanh()",
        ),
        (
            "relu-before-sigmoid",
            "a ReLU stands before its Sigmoid, so no pixel gets below 1/2.",
            SIGMOID,
            RELU + SIGMOID,
        ),
        (
            "softmax-at-the-end",
            "its end is a softmax, as if the pixels were classes.",
            "nn.Sigmoid()",
            "nn.Softmax(dim=1)",
        ),
        (
            "decoder-ends-without-relu",
            "the ReLU after Linear layer 3 is missing.",
            RELU + LAST_LAYER,
            LAST_LAYER,
        ),
        (
            "decoder-of-three-layers",
            "3 Linear layers are at work; the question asks for 4.",
            HIDDEN + LAST_LAYER,
            LAST_LAYER,
        ),
        (
            "decoder-of-five-layers",
            "5 Linear layers are at work; the question asks for 4.",
            LAST_LAYER,
            HIDDEN + LAST_LAYER,
        ),
        ("flat-images", "the question asks for images (N, 1, 28, 28).", UNFLATTEN, ""),
        (
            "batch-norm",
            "the question asks for Linear layers only.",
            RELU,
            f"{RELU}            nn.BatchNorm1d(self.hidden_dim),\n",
        ),
        (
            "encoder-without-flatten",
            "The encoder takes flat rows and is given images (N, 1, 28, 28).",
            "            nn.Flatten(),\n",
            "",
        ),
        ("dropout-of-pixels", "", "nn.Flatten(),", "nn.Flatten(), nn.Dropout(0.2),"),
        ("dropout", "", RELU, f"{RELU}            nn.Dropout(0.5),\n"),
    ),
    _mistake(
        "networks",
        "latent-size-ignored",
        "mu_layer and logvar_layer give 15 and 15 numbers.",
        VAE,
        (TO_MU, TO_MU.replace("latent_size", "15")),
        (TO_LOGVAR, TO_LOGVAR.replace("latent_size", "15")),
        ("nn.Linear(latent_size,", "nn.Linear(15,"),
    ),
    _mistake(
        "networks",
        "funnel",
        "The layers have different widths; the question asks for one H in all of them.",
        VAE,
        ("nn.Linear(input_size, self.hidden_dim)", "nn.Linear(input_size, 512)"),
        (
            HIDDEN + ENCODER_END,
            "            nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 400), nn.ReLU(),\n"
            "        )\n        self.mu_layer",
        ),
    ),
)

NO_NOISE = "There is no noise in z, or one random number serves all entries."
EVEN = "the noise is evened out over the batch or over a row; draw it, and leave it as it is."
SIGMA = "torch.exp(logvar / 2)"
DRAW = "return mu + sigma * torch.randn_like(sigma)"

REPARAMETRIZE = _of(
    "reparametrize",
    "def reparametrize",
    (
        "variance",
        "its spread is exp(logvar), the variance; the standard deviation is its root.",
        SIGMA,
        "torch.exp(logvar)",
    ),
    ("logvar-as-spread", "its spread is logvar itself.", SIGMA, "logvar"),
    (
        "root-of-absolute-logvar",
        "its spread is the root of |logvar|.",
        SIGMA,
        "logvar.abs().sqrt()",
    ),
    (
        "root-of-logvar",
        "logvar may be negative, and neither a root nor a logarithm of it makes sense.",
        SIGMA,
        "torch.sqrt(logvar)",
    ),
    ("doubled", "its spread is exp(2 logvar).", SIGMA, "torch.exp(2 * logvar)"),
    (
        "sign",
        "its spread is exp(-logvar / 2): the sign is turned.",
        SIGMA,
        "torch.exp(-logvar / 2)",
    ),
    (
        "spread-of-another-image",
        "its spread is that of another image of the batch.",
        SIGMA,
        f"{SIGMA}.flip(0)",
    ),
    ("root-twice", "the root is taken twice.", SIGMA, f"{SIGMA}.sqrt()"),
    ("no-spread", "its spread is 1, whatever logvar is.", SIGMA, "torch.exp(0 * logvar)"),
    ("no-mean", "mu is not added to the noise.", DRAW, DRAW.replace("mu + ", "")),
    (
        "changed-places",
        "it is sigma + mu * eps: mean and spread change places.",
        DRAW,
        "return sigma + mu * torch.randn_like(sigma)",
    ),
    (
        "mean-multiplied",
        "mu is multiplied by sigma as well.",
        DRAW,
        "return sigma * (mu + torch.randn_like(sigma))",
    ),
    ("subtracted", "mu is subtracted.", DRAW, "return sigma * torch.randn_like(sigma) - mu"),
    (
        "uniform",
        "its noise is uniform between 0 and 1 (rand); it should be normal (randn).",
        "torch.randn_like",
        "torch.rand_like",
    ),
    (
        "centred-uniform",
        "",
        "torch.randn_like(sigma)",
        "(torch.rand_like(sigma) - 0.5) * 12**0.5",
    ),
    ("no-noise", NO_NOISE, "torch.randn_like", "torch.ones_like"),
    ("mean-alone", NO_NOISE, DRAW, "return mu + 0 * logvar"),
    ("one-number", NO_NOISE, "torch.randn_like(sigma)", "torch.randn(1)"),
    (
        "one-noise-for-the-batch",
        "Every image of the batch gets the same noise.",
        "torch.randn_like(sigma)",
        "torch.randn(mu.shape[1])",
    ),
    (
        "one-noise-for-the-dimensions",
        "All latent dimensions of an image get the same noise.",
        "torch.randn_like(sigma)",
        "torch.randn(len(mu), 1)",
    ),
    (
        "seeded",
        "Two calls draw the same noise.",
        "    return mu",
        "    torch.manual_seed(0)\n    return mu",
    ),
    ("torch-normal", "No gradient reaches mu.", DRAW, "return torch.normal(mu, sigma)"),
    (
        "sampled",
        "No gradient reaches mu.",
        DRAW,
        "return torch.distributions.Normal(mu, sigma).sample()",
    ),
    ("spread-detached", "No gradient reaches logvar.", SIGMA, f"{SIGMA}.detach()"),
    ("mean-detached", "No gradient reaches mu.", "return mu", "return mu.detach()"),
    (
        "in-double-precision",
        "z is of torch.float64 for mu of torch.float32",
        "torch.randn_like(sigma)",
        "torch.from_numpy(np.random.normal(size=tuple(mu.shape)))",
    ),
    (
        "clamped-noise",
        "z never lies far from mu, or too often",
        "torch.randn_like(sigma)",
        "torch.randn_like(sigma).clamp(-3, 3)",
    ),
    (
        "clamped-logvar",
        "logvar is cut off: a spread may be as small or as large as it likes.",
        SIGMA,
        "torch.exp(logvar.clamp(-2, 2) / 2)",
    ),
    (
        "clamped-codes",
        "z is cut off; a code may be any number.",
        DRAW,
        f"{DRAW.replace('mu + ', '(mu + ')}).clamp(-5, 5)",
    ),
    (
        "standardised-noise",
        EVEN,
        "torch.randn_like(sigma)",
        "F.batch_norm(torch.randn_like(sigma), None, None, training=True, eps=1e-12)",
    ),
    (
        "standardised-rows",
        EVEN,
        "torch.randn_like(sigma)",
        "F.layer_norm(torch.randn_like(sigma), sigma.shape[1:], eps=0)",
    ),
    (
        "opposite-pairs",
        EVEN,
        DRAW,
        "eps = torch.randn_like(sigma)[::2]\n    "
        "return mu + sigma * torch.cat((eps, -eps))[: len(mu)]",
    ),
    ("wider-noise", "", "torch.randn_like", "1.1 * torch.randn_like"),
    ("a-little-wider", "", SIGMA, f"{SIGMA} + 1e-3"),
    (
        "in-place",
        "reparametrize changes mu or logvar in place",
        DRAW,
        "return mu.add_(sigma * torch.randn_like(sigma))",
    ),
    ("mean-of-another-image", "", "return mu", "return mu.flip(0)"),
    (
        "summed",
        "it should be (5000, 4).",
        DRAW,
        "return (mu + sigma * torch.randn_like(sigma)).sum(1)",
    ),
)

MIXED = "mixes the rows of a batch: what comes of one image depends on the others."
NO_WAY_BACK = "No gradient passes from x_hat back to the images."
CODE = "z = reparametrize(mu, logvar)  # (N, Z)"
ONLY_IN_TRAINING = "z = reparametrize(mu, logvar) if self.training else mu"
IN_EVALUATION = "after model.eval() it is decoded from mu; forward draws a code there, too."
MEAN_OF_TWO = "z = (reparametrize(mu, logvar) + reparametrize(mu, logvar)) / 2"
AVERAGED = "it is decoded from the mean of two draws, which strays less; decode one."
RETURNED = "return self.decoder(z), mu, logvar"
MU = "mu = self.mu_layer(hidden)"

FORWARD = _of(
    "forward",
    VAE,
    (
        "logvar-first",
        "the other of mu and logvar stands in its place.",
        RETURNED,
        "return self.decoder(z), logvar, mu",
    ),
    (
        "mean-decoded",
        "it is decoded from mu itself; forward draws a code around mu.",
        CODE,
        "z = mu",
    ),
    (
        "arguments-swapped",
        "reparametrize takes mu first, then logvar.",
        CODE,
        "z = reparametrize(logvar, mu)",
    ),
    (
        "exponential-before",
        "reparametrize takes logvar itself, not its exponential.",
        CODE,
        "z = reparametrize(mu, logvar.exp())",
    ),
    (
        "deviation-before",
        "reparametrize takes logvar itself, not a standard deviation.",
        CODE,
        "z = reparametrize(mu, torch.exp(logvar / 2))",
    ),
    (
        "images-alone",
        "forward should return three things, and it returns one thing.",
        RETURNED,
        "return self.decoder(z)",
    ),
    (
        "no-mean",
        "forward should return three things, and it returns 2 things.",
        RETURNED,
        "return self.decoder(z), logvar",
    ),
    (
        "code-as-well",
        "forward should return three things, and it returns 4 things.",
        RETURNED,
        f"{RETURNED}, z",
    ),
    (
        "code-for-mean",
        "the drawn code z stands in its place.",
        RETURNED,
        "return self.decoder(z), z, logvar",
    ),
    (
        "variance-returned",
        "an exponential follows its layer; logvar itself is a logarithm.",
        RETURNED,
        f"{RETURNED}.exp()",
    ),
    (
        "relu-on-mean",
        "a ReLU follows its layer; it may be negative.",
        MU,
        "mu = F.relu(self.mu_layer(hidden))",
    ),
    (
        "one-layer-for-both",
        "the other of mu and logvar stands in its place.",
        "self.logvar_layer(hidden)",
        "self.mu_layer(hidden)",
    ),
    (
        "sigmoid-on-top",
        "a Sigmoid follows the decoder, which ends in one.",
        RETURNED,
        "return torch.sigmoid(self.decoder(z)), mu, logvar",
    ),
    (
        "spread-of-its-own",
        "",
        CODE,
        "z = mu + logvar.exp() * torch.randn_like(mu)",
    ),
    ("torch-normal", NO_WAY_BACK, CODE, "z = torch.normal(mu, torch.exp(logvar / 2))"),
    ("detached", NO_WAY_BACK, CODE, "z = reparametrize(mu, logvar).detach()"),
    (
        "mean-returned-detached",
        "No gradient goes from mu to the encoder.",
        RETURNED,
        "return self.decoder(z), mu.detach(), logvar",
    ),
    (
        "logvar-returned-detached",
        "No gradient goes from logvar to the encoder.",
        RETURNED,
        f"{RETURNED}.detach()",
    ),
    (
        "hidden-detached",
        "No gradient goes from mu to the encoder.",
        MU,
        "mu = self.mu_layer(hidden.detach())",
    ),
    (
        "decoder-cut",
        "No gradient goes from x_hat to the encoder.",
        RETURNED,
        "return torch.no_grad()(self.decoder)(z), mu, logvar",
    ),
    (
        "mean-cut-from-the-code",
        "No gradient goes from x_hat to mu_layer.",
        CODE,
        "z = reparametrize(mu.detach(), logvar)",
    ),
    ("mean-in-evaluation", IN_EVALUATION, CODE, ONLY_IN_TRAINING),
    ("two-draws-averaged", AVERAGED, CODE, MEAN_OF_TWO),
    (
        "clamped-codes",
        "z is cut off on its way to the decoder; a code may be any number.",
        CODE,
        "z = reparametrize(mu, logvar).clamp(-5, 5)",
    ),
    (
        "clamped-logvar",
        "logvar is cut off on its way; a spread may be as small or as large as it likes.",
        CODE,
        "z = reparametrize(mu, logvar.clamp(-2, 2))",
    ),
    (
        "standardised-codes",
        "",
        CODE,
        "z = reparametrize(mu, logvar)\n        z = (z - z.mean(0)) / z.std(0)",
    ),
    ("code-of-the-first-image", MIXED, CODE, "z = reparametrize(mu[:1], logvar)"),
    ("spread-of-another-image", MIXED, CODE, "z = reparametrize(mu, logvar.flip(0))"),
    ("mean-over-the-batch", MIXED, CODE, "z = reparametrize(mu.mean(0), logvar)"),
    ("a-smaller-mean", "", CODE, "z = reparametrize(0.9 * mu, logvar)"),
    ("codes-shuffled", "", CODE, "z = reparametrize(mu, logvar)[torch.randperm(len(mu))]"),
    (
        "own-noise-and-another-mean",
        MIXED,
        CODE,
        "z = mu.flip(0) + torch.exp(logvar / 2) * torch.randn_like(mu)",
    ),
    (
        "own-noise-and-another-spread",
        "x_hat is not decoded from a draw of N(mu, exp(logvar)).",
        CODE,
        "z = mu + torch.exp(logvar.flip(0) / 2) * torch.randn_like(mu)",
    ),
    (
        "own-noise-the-same-for-all",
        "x_hat is not decoded from a draw of N(mu, exp(logvar)).",
        CODE,
        "z = mu + torch.exp(logvar / 2) * torch.randn(len(mu), 1)",
    ),
    (
        "double-precision",
        "x_hat is of torch.float64",
        RETURNED,
        "return self.decoder(z).double(), mu, logvar",
    ),
    (
        "flat-images",
        "it should be (4, 1, 28, 28)",
        RETURNED,
        "return self.decoder(z).flatten(1), mu, logvar",
    ),
    ("image-given-back", "", RETURNED, "self.decoder(z)\n        return x, mu, logvar"),
    ("encoder-skipped", "", MU, "mu = torch.zeros(len(x), self.latent_size)"),
)

BCE = 'F.binary_cross_entropy(x_hat, x, reduction="sum")'
PIXEL_MEAN = "F.binary_cross_entropy(x_hat, x)"
INSIDE = "1 + logvar - mu**2 - torch.exp(logvar)"
KL = f"-0.5 * torch.sum({INSIDE})"
TOTAL = "return (reconstruction + kl) / len(x)"


FREE = "a small divergence is raised to some number (free bits); the bound has it as it is."


def _inside(new: str) -> tuple[str, str]:
    return INSIDE, new


LOSS: tuple[Mistake, ...] = (
    *_of(
        "loss",
        "def loss_function",
        ("sign-of-divergence", "its sign is flipped.", KL, KL[1:]),
        (
            "divergence-averaged",
            "it is averaged over the latent dimensions; sum them.",
            KL,
            f"{KL.replace('sum', 'mean')} * len(x)",
        ),
        (
            "no-divergence",
            "the divergence adds nothing, or next to nothing.",
            TOTAL,
            "return (reconstruction + 0 * kl) / len(x)",
        ),
        (
            "divided-by-the-sum",
            "the divergence adds nothing, or next to nothing.",
            KL,
            KL.replace("*", "/", 1),
        ),
        (
            "no-reconstruction",
            "the reconstruction adds nothing, or next to nothing.",
            TOTAL,
            "return (0 * reconstruction + kl) / len(x)",
        ),
        ("no-half", "the factor 1/2 is missing.", KL, KL.replace("0.5 * ", "")),
        (
            "logvar-as-variance",
            "logvar is taken for the variance; it is its logarithm.",
            *_inside("1 + logvar.log() - mu**2 - logvar"),
        ),
        (
            "logvar-as-deviation",
            "logvar is taken for the standard deviation.",
            *_inside("1 + torch.log(logvar**2) - mu**2 - logvar**2"),
        ),
        (
            "no-exponential",
            "the exponential is missing: the last term is sigma squared, exp(logvar).",
            *_inside("1 + logvar - mu**2 - logvar"),
        ),
        (
            "sigma-for-its-square",
            "its last term is sigma; it should be sigma squared.",
            *_inside("1 + logvar - mu**2 - torch.exp(logvar / 2)"),
        ),
        (
            "squared-twice",
            "its last term is exp(logvar) squared; exp(logvar) is sigma squared already.",
            *_inside("1 + logvar - mu**2 - torch.exp(logvar) ** 2"),
        ),
        ("mean-not-squared", "mu is not squared.", *_inside(INSIDE.replace("mu**2", "mu"))),
        (
            "mean-added",
            "the sign of mu squared is flipped.",
            *_inside(INSIDE.replace("- mu", "+ mu")),
        ),
        (
            "variance-added",
            "the sign of exp(logvar) is flipped.",
            *_inside(INSIDE.replace("- torch", "+ torch")),
        ),
        ("no-logvar", "the term logvar is missing.", *_inside(INSIDE.replace(" + logvar", ""))),
        (
            "mean-for-logvar",
            "mu and logvar have changed places.",
            *_inside("1 + mu - logvar**2 - torch.exp(mu)"),
        ),
        ("half-of-the-reconstruction", "it is halved.", BCE, f"{BCE} / 2"),
        (
            "absolute-error",
            "it is the absolute error.",
            BCE,
            'F.l1_loss(x_hat, x, reduction="sum")',
        ),
        (
            "over-all-pixels",
            "it is divided by the number of pixels.",
            TOTAL,
            "return (reconstruction + kl) / x.numel()",
        ),
        (
            "free-bits",
            FREE,
            KL,
            f"(-0.5 * ({INSIDE})).clamp(min=0.1).sum()",
        ),
        ("free-bits-of-all", FREE, TOTAL, "return (reconstruction + kl.clamp(min=1)) / len(x)"),
        (
            "clamped-logvar",
            "logvar is cut off in the divergence; it may be any number.",
            *_inside("1 + logvar - mu**2 - torch.exp(logvar.clamp(-4, 4))"),
        ),
        (
            "clamped-images",
            "x_hat is kept off 0 and 1, so that pixels that are far off count too little.",
            BCE,
            BCE.replace("x_hat,", "x_hat.clamp(0.001, 0.999),"),
        ),
        (
            "exponential-detached",
            "",
            *_inside(INSIDE.replace("exp(logvar)", "exp(logvar.detach())")),
        ),
        ("no-mean", "the term mu squared is missing.", *_inside(INSIDE.replace(" - mu**2", ""))),
        ("no-one", "the 1 is missing in the divergence.", *_inside(INSIDE.replace("1 + ", ""))),
        (
            "images-swapped",
            "x_hat and x have changed places.",
            BCE,
            BCE.replace("x_hat, x", "x, x_hat"),
        ),
        (
            "squared-error",
            "it is the squared error; the pixels are Bernoulli variables.",
            BCE,
            BCE.replace("binary_cross_entropy", "mse_loss"),
        ),
        (
            "mean-squared-error",
            "it is the mean squared error; the pixels are Bernoulli variables.",
            BCE,
            "F.mse_loss(x_hat, x)",
        ),
        (
            "logits",
            "it takes x_hat for logits; the decoder's Sigmoid made it probabilities.",
            BCE,
            BCE.replace("entropy", "entropy_with_logits"),
        ),
        (
            "half-of-the-cross-entropy",
            "its second half, (1 - x) log(1 - x_hat), is missing.",
            BCE,
            "-torch.sum(x * torch.log(x_hat))",
        ),
        (
            "pixels-averaged",
            "it is averaged over the pixels; sum them.",
            BCE,
            PIXEL_MEAN,
        ),
        (
            "summed-over-the-batch",
            "it is summed over the batch; average over the images.",
            TOTAL,
            "return reconstruction + kl",
        ),
        (
            "divergence-summed-over-the-batch",
            "the divergence is not averaged over the batch.",
            TOTAL,
            "return reconstruction / len(x) + kl",
        ),
        (
            "reconstruction-summed-over-the-batch",
            "the reconstruction is not averaged over the batch.",
            TOTAL,
            "return reconstruction + kl / len(x)",
        ),
        (
            "the-bound-itself",
            "its sign is flipped.",
            TOTAL,
            "return -(reconstruction + kl) / len(x)",
        ),
        ("number", "No gradient reaches x_hat.", TOTAL, f"{TOTAL.replace(' (', ' ((')}).item()"),
        (
            "detached",
            "No gradient reaches x_hat.",
            TOTAL,
            f"{TOTAL.replace(' (', ' ((')}).detach()",
        ),
        ("divergence-detached", "No gradient reaches mu.", KL, f"({KL}).detach()"),
        (
            "so-many-pixels-by-heart",
            "The loss is right for images of 28 x 28 pixels and for no other size.",
            BCE,
            f"{PIXEL_MEAN} * 784 * len(x)",
        ),
    ),
    _mistake(
        "loss",
        "means-and-a-sum",
        "",
        "def loss_function",
        (BCE, PIXEL_MEAN),
        (TOTAL, "return reconstruction + kl"),
    ),
    _mistake(
        "loss",
        "pixels-averaged-divergence-over-the-batch",
        "",
        "def loss_function",
        (BCE, PIXEL_MEAN),
        (TOTAL, "return reconstruction + kl / len(x)"),
    ),
    _mistake(
        "loss",
        "means-everywhere",
        "",
        "def loss_function",
        (BCE, PIXEL_MEAN),
        (KL, KL.replace("sum", "mean")),
        (TOTAL, "return reconstruction + kl"),
    ),
    _mistake(
        "loss",
        "row-for-each-image",
        "it should be () or (1,).",
        "def loss_function",
        (BCE, 'F.binary_cross_entropy(x_hat, x, reduction="none").flatten(1).sum(1)'),
        (KL, KL.replace(INSIDE, f"{INSIDE}, 1")),
        (TOTAL, "return reconstruction + kl"),
    ),
)

JOIN_X, JOIN_Z = "torch.cat((x.flatten(1), c), dim=1)", "torch.cat((z, c), dim=1)"
ENCODER_TOLD = ("nn.Linear(input_size + num_classes,", "nn.Linear(input_size,")
DECODER_TOLD = ("nn.Linear(latent_size + num_classes,", "nn.Linear(latent_size,")

CLASSES: tuple[Mistake, ...] = (
    *_of(
        "cvae",
        CVAE,
        (
            "class-before-image",
            "the class stands before the image; the order is [x, c].",
            JOIN_X,
            "torch.cat((c, x.flatten(1)), dim=1)",
        ),
        (
            "class-before-code",
            "the class stands before the code; the order is [z, c].",
            JOIN_Z,
            "torch.cat((c, z), dim=1)",
        ),
        ("class-zeroed", "", JOIN_X, JOIN_X.replace(", c)", ", 0 * c)")),
        ("layers-of-the-old-sizes", "", *ENCODER_TOLD),
        (
            "mean-decoded",
            "it is decoded from mu itself; forward draws a code around mu.",
            CODE,
            "z = mu",
        ),
        (
            "logvar-first",
            "the other of mu and logvar stands in its place.",
            f"{JOIN_Z}), mu, logvar",
            f"{JOIN_Z}), logvar, mu",
        ),
        (
            "arguments-swapped",
            "reparametrize takes mu first, then logvar.",
            CODE,
            "z = reparametrize(logvar, mu)",
        ),
        (
            "outputs-detached",
            "No gradient goes from mu to the encoder.",
            f"{JOIN_Z}), mu, logvar",
            f"{JOIN_Z}), mu.detach(), logvar.detach()",
        ),
        (
            "mean-cut-from-the-code",
            "No gradient goes from x_hat to mu_layer.",
            CODE,
            "z = reparametrize(mu.detach(), logvar)",
        ),
        ("mean-in-evaluation", IN_EVALUATION, CODE, ONLY_IN_TRAINING),
        ("two-draws-averaged", AVERAGED, CODE, MEAN_OF_TWO),
        ("relu6", f"ReLU6 {STANDS}", "nn.ReLU()", "nn.ReLU6()"),
        ("class-of-another-image", MIXED, JOIN_Z, JOIN_Z.replace(", c)", ", c.flip(0))")),
        ("code-of-the-first-image", MIXED, CODE, "z = reparametrize(mu[:1], logvar)"),
        ("image-not-flattened", "", "x.flatten(1)", "x"),
        ("no-sigmoid", "the Sigmoid at its end is missing.", SIGMOID, ""),
        ("no-relu", NO_RELU, RELU, ""),
        ("detached", NO_WAY_BACK, CODE, "z = reparametrize(mu, logvar).detach()"),
        ("flat-images", "it should be (6, 1, 28, 28)", UNFLATTEN, ""),
    ),
    _mistake(
        "cvae",
        "class-nowhere",
        "the encoder is not told the class: it reads the image alone.",
        CVAE,
        (JOIN_X, "x.flatten(1)"),
        (JOIN_Z, "z"),
        ENCODER_TOLD,
        DECODER_TOLD,
    ),
    _mistake(
        "cvae",
        "encoder-not-told",
        "the encoder is not told the class: it reads the image alone.",
        CVAE,
        (JOIN_X, "x.flatten(1)"),
        ENCODER_TOLD,
    ),
    _mistake(
        "cvae",
        "decoder-not-told",
        "The decoder is not told the class: it reads the code alone.",
        CVAE,
        (JOIN_Z, "z"),
        DECODER_TOLD,
    ),
    _mistake(
        "cvae",
        "class-added-to-the-image",
        "",
        CVAE,
        (JOIN_X, "x.flatten(1) + c.sum(1, keepdim=True)"),
        ENCODER_TOLD,
    ),
    _mistake(
        "cvae",
        "ten-classes-by-heart",
        "",
        CVAE,
        ("input_size + num_classes", "input_size + 10"),
        ("latent_size + num_classes", "latent_size + 10"),
    ),
)


def _written(question: str, name: str, code: str, says: str = "") -> Mistake:
    """What is no edit of the reference; the checks themselves say what is wrong."""
    return Mistake(name, f"{PART}.{question}", "", code=code, says=says)


def _weighed(name: str, reconstruction: float, divergence: float) -> Mistake:
    """A loss whose terms are off by a thousandth."""
    return _written(
        "loss",
        name,
        "def loss_function(x_hat, x, mu, logvar):\n"
        "    b = F.binary_cross_entropy(x_hat, x, reduction='sum') / len(x)\n"
        "    kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp()) / len(x)\n"
        f"    return {reconstruction} * b + {divergence} * kl",
    )


def _frozen(question: str, model: str, part: str, says: str) -> Mistake:
    """A part whose parameters the optimizer gets no gradient for."""
    code = (
        f"_init = {model}.__init__\ndef _frozen(self, *args, **kwargs):\n"
        f"    _init(self, *args, **kwargs)\n    self.{part}.requires_grad_(False)\n"
        f"{model}.__init__ = _frozen"
    )
    return _written(question, f"{part}-frozen", code, says)


NOT_ALL = "does not train all of its layers."

WRITTEN: tuple[Mistake, ...] = (
    _frozen("networks", "VAE", "encoder", f"What the encoder gives {NOT_ALL}"),
    _frozen("networks", "VAE", "mu_layer", f"mu {NOT_ALL}"),
    _frozen("cvae", "CVAE", "decoder", f"What the decoder gives {NOT_ALL}"),
    _written(
        "networks",
        "weights-that-two-layers-share",
        "_init = VAE.__init__\ndef _shared(self, *args, **kwargs):\n"
        "    _init(self, *args, **kwargs)\n    self.encoder[5] = self.encoder[3]\n"
        "VAE.__init__ = _shared",
        "2 Linear layers",
    ),
    _written(
        "reparametrize",
        "two-things",
        "def reparametrize(mu, logvar): return mu, logvar",
        "should be a tensor, not a tuple",
    ),
    _written("reparametrize", "nothing-returned", "def reparametrize(mu, logvar): pass", "None"),
    _written(
        "forward",
        "nothing-returned",
        "def _nothing(self, x): pass\nVAE.forward = _nothing",
        "returns one thing",
    ),
    _written(
        "loss",
        "zero",
        "_loss = loss_function\ndef loss_function(*args): return 0 * _loss(*args)",
    ),
    _written("cvae", "no-layers", "class CVAE(nn.Module): pass"),
    _weighed("reconstruction-a-little-less", 0.999, 1),
    _weighed("reconstruction-a-little-more", 1.001, 1),
    _weighed("divergence-a-little-less", 1, 0.999),
    _weighed("divergence-a-little-more", 1, 1.001),
)

ALONE = unseen(
    "other batches",
    *_of(
        "forward",
        VAE,
        (
            "mean-of-one",
            "",
            CODE,
            "z = reparametrize(mu, logvar) if len(x) > 1 else mu",
        ),
    ),
)

MISTAKES: tuple[Mistake, ...] = (
    *NETWORKS,
    *REPARAMETRIZE,
    *FORWARD,
    *LOSS,
    *CLASSES,
    *WRITTEN,
    *ALONE,
)
