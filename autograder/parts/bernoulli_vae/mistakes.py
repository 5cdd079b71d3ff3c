"""Mistakes in the part bernoulli-vae."""

from __future__ import annotations

from ...checking.catalogue import Mistake, unseen

OUTPUT = "return torch.sigmoid(self.fc2(torch.tanh(self.fc1(z))))"
SAMPLE = "return mu + torch.sqrt(sigma_square) * torch.randn_like(mu)"
PIXELS = "return (torch.rand_like(p) < p).float()"
SQUARES = "squares = (z - mu) ** 2 / sigma_square"
GAUSSIAN = "return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum(-1)"
BERNOULLI = "return -pixels.sum(-1)"
CLAMP = "eps = torch.finfo(p.dtype).eps; p = p.clamp(eps, 1 - eps); "
BOUND = "return (log_p + log_p_z - log_q).mean()"


def _decoder(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return Mistake(id, "bernoulli-vae.decoder", sentence, "class Decoder(nn.Module)", edits)


def _output(id: str, expression: str, sentence: str) -> Mistake:
    return _decoder(id, sentence, (OUTPUT, f"return {expression}"))


def _method(name: str, line: str, id: str, new: str, sentence: str) -> Mistake:
    return Mistake(id, f"bernoulli-vae.{name}", sentence, f"def {name}", ((line, new),))


def _sample(id: str, body: str, sentence: str) -> Mistake:
    return _method("sample_diagonal_gaussian", SAMPLE, id, body, sentence)


def _pixels(id: str, body: str, sentence: str) -> Mistake:
    return _method("sample_Bernoulli", PIXELS, id, body, sentence)


def _gaussian(id: str, body: str, sentence: str) -> Mistake:
    return _method("logpdf_diagonal_gaussian", GAUSSIAN, id, body, sentence)


def _bernoulli(id: str, body: str, sentence: str) -> Mistake:
    return _method("logpdf_bernoulli", BERNOULLI, id, CLAMP + body, sentence)


def _bound(id: str, body: str, sentence: str) -> Mistake:
    return _method("elbo_loss", BOUND, id, body, sentence)


DECODER: tuple[Mistake, ...] = (
    _output(
        "no-sigmoid", "self.fc2(torch.tanh(self.fc1(z)))", "the sigmoid at its end is missing."
    ),
    _output(
        "two-sigmoids",
        "torch.sigmoid(torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)))))",
        "its end is a sigmoid twice over; once is right.",
    ),
    _output(
        "relu",
        "torch.sigmoid(self.fc2(torch.relu(self.fc1(z))))",
        "ReLU follows its first layer; the question asks for tanh.",
    ),
    _output(
        "no-tanh",
        "torch.sigmoid(self.fc2(self.fc1(z)))",
        "no activation follows its first layer; the question asks for tanh.",
    ),
    _output(
        "tanh-at-the-end",
        "torch.tanh(self.fc2(torch.tanh(self.fc1(z))))",
        "its end is tanh; probabilities lie between 0 and 1, which takes a sigmoid.",
    ),
    _output(
        "activations-swapped",
        "torch.tanh(self.fc2(torch.sigmoid(self.fc1(z))))",
        "tanh and sigmoid have changed places.",
    ),
    _output(
        "softmax",
        "torch.softmax(self.fc2(torch.tanh(self.fc1(z))), dim=1)",
        "its end is a softmax; the pixels are independent of one another.",
    ),
    _output(
        "detached",
        "torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)))).detach()",
        "No gradient passes from the probabilities back to the weights and the codes.",
    ),
    _output(
        "first-layer-detached",
        "torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)).detach()))",
        "No gradient passes from the probabilities back to the weights and the codes.",
    ),
    _output(
        "clamped",
        "torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)))).clamp(0.1, 0.9)",
        "",
    ),
    _output(
        "weight-detached",
        "torch.sigmoid(F.linear(torch.tanh(self.fc1(z)), self.fc2.weight.detach(), self.fc2.bias))",
        "Not all of the decoder's layers are trained.",
    ),
    _output(
        "in-double-precision",
        "torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)))).double()",
        "What the decoder gives is of torch.float64; pixels are float32.",
    ),
    _output("drawn", "torch.bernoulli(torch.sigmoid(self.fc2(torch.tanh(self.fc1(z)))))", ""),
    _decoder(
        "two-hidden-layers",
        "there are two Linear layers in all, fc1 and fc2: one hidden layer, then the output.",
        (
            "self.fc2 = nn.Linear(hidden_units, data_dimension)",
            "self.fc2 = nn.Linear(hidden_units, hidden_units)\n"
            "        self.fc3 = nn.Linear(hidden_units, data_dimension)",
        ),
        (
            OUTPUT,
            "return torch.sigmoid(self.fc3(torch.sigmoid(self.fc2(torch.tanh(self.fc1(z))))))",
        ),
    ),
    _decoder(
        "width-of-its-own",
        "the hidden layer has 400 units.",
        (
            "self.fc1 = nn.Linear(latent_dimension, hidden_units)",
            "self.fc1 = nn.Linear(latent_dimension, 400)",
        ),
        (
            "self.fc2 = nn.Linear(hidden_units, data_dimension)",
            "self.fc2 = nn.Linear(400, data_dimension)",
        ),
    ),
    _decoder(
        "written-out-sizes",
        "",
        (
            "self.fc1 = nn.Linear(latent_dimension, hidden_units)",
            "self.fc1 = nn.Linear(2, 500)",
        ),
        ("self.fc2 = nn.Linear(hidden_units, data_dimension)", "self.fc2 = nn.Linear(500, 784)"),
    ),
    _decoder(
        "no-bias",
        "its layers have no bias.",
        ("latent_dimension, hidden_units)\n", "latent_dimension, hidden_units, bias=False)\n"),
        ("hidden_units, data_dimension)\n", "hidden_units, data_dimension, bias=False)\n"),
    ),
)

EVEN = "the noise is evened out over the batch; draw it, and leave it as it is."
EVEN_NOISE = "torch.randn_like(mu); eps = (eps - eps.mean(0)) / eps.std(0)"
WITH_EPS = "return mu + torch.sqrt(sigma_square) * eps"

SAMPLE_DIAGONAL_GAUSSIAN: tuple[Mistake, ...] = (
    _sample(
        "no-root",
        "return mu + sigma_square * torch.randn_like(mu)",
        "its spread is sigma_square; the standard deviation is its root.",
    ),
    _sample(
        "logarithm",
        "return mu + torch.exp(sigma_square / 2) * torch.randn_like(mu)",
        "its spread is exp(sigma_square / 2); sigma_square is no logarithm.",
    ),
    _sample(
        "unit-spread",
        "return mu + torch.randn_like(mu) + 0 * sigma_square",
        "its spread is 1, whatever sigma_square is.",
    ),
    _sample(
        "no-mean",
        "return torch.sqrt(sigma_square) * torch.randn_like(mu)",
        "mu is not added to the noise.",
    ),
    _sample("no-noise", "return mu + torch.sqrt(sigma_square)", "There is no noise in z"),
    _sample(
        "uniform",
        "return mu + torch.sqrt(sigma_square) * torch.rand_like(mu)",
        "its noise is uniform between 0 and 1 (rand); it should be normal (randn).",
    ),
    _sample(
        "normal",
        "return torch.normal(mu, torch.sqrt(sigma_square))",
        "No gradient reaches mu.",
    ),
    _sample(
        "spread-detached",
        "return mu + torch.sqrt(sigma_square).detach() * torch.randn_like(mu)",
        "No gradient reaches sigma_square.",
    ),
    _sample(
        "one-number",
        "return mu + torch.sqrt(sigma_square) * torch.randn(())",
        "one random number serves all entries.",
    ),
    _sample(
        "spread-squared",
        "return mu + sigma_square**2 * torch.randn_like(mu)",
        "its spread is sigma_square squared.",
    ),
    _sample(
        "root-twice",
        "return mu + sigma_square**0.25 * torch.randn_like(mu)",
        "the root is taken twice.",
    ),
    _sample(
        "changed-places",
        "return torch.sqrt(sigma_square) + mu * torch.randn_like(mu)",
        "mu and sigma have changed places.",
    ),
    _sample(
        "mean-multiplied",
        "return torch.sqrt(sigma_square) * (mu + torch.randn_like(mu))",
        "mu is multiplied by sigma as well.",
    ),
    _sample(
        "mean-subtracted",
        "return torch.sqrt(sigma_square) * torch.randn_like(mu) - mu",
        "mu is subtracted.",
    ),
    _sample(
        "in-double-precision",
        "return mu + torch.sqrt(sigma_square) * torch.randn(mu.shape, dtype=torch.float64)",
        "z is of torch.float64 for mu of torch.float32",
    ),
    _sample(
        "clamped-noise",
        "return mu + torch.sqrt(sigma_square) * torch.randn_like(mu).clamp(-3, 3)",
        "z never lies far from mu, or too often",
    ),
    _sample(
        "clamped-variance",
        "return mu + torch.sqrt(sigma_square.clamp(0.1, 10)) * torch.randn_like(mu)",
        "sigma_square is cut off; a variance may be as small or as large as it likes.",
    ),
    _sample(
        "clamped-codes",
        "return (mu + torch.sqrt(sigma_square) * torch.randn_like(mu)).clamp(-5, 5)",
        "z is cut off; a code may be any number.",
    ),
    _sample(
        "in-place",
        "return mu.add_(torch.sqrt(sigma_square) * torch.randn_like(mu))",
        "sample_diagonal_gaussian changes its inputs in place",
    ),
    _sample("standardised-noise", f"eps = {EVEN_NOISE}; {WITH_EPS}", EVEN),
    _sample(
        "opposite-pairs",
        f"eps = torch.randn_like(mu)[::2]; eps = torch.cat((eps, -eps))[: len(mu)]; {WITH_EPS}",
        EVEN,
    ),
    _sample("wider-noise", "return mu + 1.1 * torch.sqrt(sigma_square) * torch.randn_like(mu)", ""),
    _sample(
        "spread-of-another-image",
        "return mu + torch.sqrt(sigma_square).flip(0) * torch.randn_like(mu)",
        "",
    ),
    _sample(
        "noise-shared-by-rows",
        "return mu + torch.sqrt(sigma_square) * torch.randn(mu.shape[-1])",
        "Every image of the batch gets the same noise.",
    ),
    _sample(
        "fixed-seed",
        "torch.manual_seed(0); return mu + torch.sqrt(sigma_square) * torch.randn_like(mu)",
        "Two calls draw the same noise.",
    ),
)

SAMPLE_BERNOULLI: tuple[Mistake, ...] = (
    _pixels("rounded", "return (p > 0.5).float()", "it is p rounded, which is no draw."),
    _pixels(
        "turned-round",
        "return (torch.rand_like(p) > p).float()",
        "it is 1 with probability 1 - p; the comparison points the other way.",
    ),
    _pixels("in-place", "return p.bernoulli_(p)", "sample_Bernoulli changes its inputs in place"),
    _pixels("probabilities", "return p", "x should hold zeros and ones only."),
    _pixels(
        "one-number-an-image",
        "return (torch.rand(*p.shape[:-1], 1) < p).float()",
        "All entries of an image get the same noise.",
    ),
    _pixels(
        "one-number-a-pixel",
        "return (torch.rand(p.shape[-1]) < p).float()",
        "Every image of the batch gets the same noise.",
    ),
    _pixels(
        "quarters",
        "return (torch.rand_like(p) < (4 * p).round() / 4).float()",
        "p is rounded before it is compared; a pixel is 1 with probability p itself.",
    ),
    *unseen(
        "random probabilities",
        _pixels(
            "fiftieths",
            "return ((50 * torch.rand_like(p)).floor() / 50 < p).float()",
            "The share of ones over many draws is not p.",
        ),
    ),
    _pixels("normal", "return (torch.randn_like(p) < p).float()", ""),
    _pixels("booleans", "return torch.rand_like(p) < p", "x is of torch.bool"),
    _pixels("integers", "return (torch.rand_like(p) < p).long()", "x is of torch.int64"),
    _pixels(
        "fixed-seed",
        "torch.manual_seed(0); return (torch.rand_like(p) < p).float()",
        "Two calls draw the same noise.",
    ),
)

TWO_PI = "math.log(2 * math.pi)"

LOGPDF_DIAGONAL_GAUSSIAN: tuple[Mistake, ...] = (
    _gaussian(
        "no-constant",
        "return -0.5 * (torch.log(sigma_square) + squares).sum(-1)",
        "the constant -1/2 log(2 pi) of each dimension is missing.",
    ),
    _gaussian(
        "constant-once",
        "return -0.5 * (math.log(2 * math.pi) + (torch.log(sigma_square) + squares).sum(-1))",
        "the constant stands in it once, not once for each dimension.",
    ),
    _gaussian(
        "deviation",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square**2) + squares / sigma_square).sum(-1)",
        "sigma_square is taken for the standard deviation.",
    ),
    _gaussian(
        "no-determinant",
        "return -0.5 * (math.log(2 * math.pi) + squares).sum(-1)",
        "the term log(sigma_square) is missing.",
    ),
    _gaussian(
        "sign",
        "return 0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum(-1)",
        "its sign is flipped.",
    ),
    _gaussian(
        "whole-constant",
        f"return -0.5 * (2 * {TWO_PI} + torch.log(sigma_square) + squares).sum(-1)",
        "its constant is log(2 pi) for each dimension; half of it is right.",
    ),
    _gaussian(
        "taken-for-a-logarithm",
        f"return -0.5 * ({TWO_PI} + sigma_square + (z - mu) ** 2 / sigma_square.exp()).sum(-1)",
        "sigma_square is taken for its logarithm.",
    ),
    _gaussian(
        "whole-determinant",
        f"return -0.5 * ({TWO_PI} + 2 * torch.log(sigma_square) + squares).sum(-1)",
        "log(sigma_square) counts whole; half of it is right.",
    ),
    _gaussian(
        "sign-of-the-determinant",
        f"return -0.5 * ({TWO_PI} - torch.log(sigma_square) + squares).sum(-1)",
        "the sign of log(sigma_square) is flipped.",
    ),
    _gaussian(
        "whole-squares",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square) + 2 * squares).sum(-1)",
        "(z - mu)^2 / sigma_square counts whole; half of it is right.",
    ),
    _gaussian(
        "sign-of-the-squares",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square) - squares).sum(-1)",
        "the sign of (z - mu)^2 is flipped.",
    ),
    _gaussian(
        "no-half",
        "return -(torch.log(2 * math.pi * sigma_square) + squares).sum(-1)",
        "the factor 1/2 is missing.",
    ),
    _gaussian(
        "mean",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares).mean(-1)",
        "it is averaged over the dimensions; sum them.",
    ),
    _gaussian(
        "summed-over-the-batch",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum()",
        "the rows of the batch are reduced to one number.",
    ),
    _gaussian("not-summed", "return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares)", ""),
    _gaussian(
        "keepdim",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum(-1, keepdim=True)",
        "logpdf_diagonal_gaussian has shape (6, 1); it should be (6,).",
    ),
    _gaussian(
        "the-density-itself",
        "return torch.exp(-0.5 * (torch.log(2 * math.pi * sigma_square) + squares).sum(-1))",
        "it is the density itself; its logarithm is asked for.",
    ),
    _gaussian(
        "logarithm-of-a-product",
        "return torch.log(torch.exp(-0.5 * (torch.log(2 * math.pi * sigma_square) + squares))"
        ".prod(-1) + 1e-12)",
        "there the density underflows",
    ),
    _gaussian(
        "prior-of-one-row",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square).sum(-1) * len(mu) / len(z) "
        "+ squares.sum(-1))",
        "A prior of shape (Z,) gives other numbers than the same prior repeated for each row.",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "not-squared",
        "squares = (z - mu) / sigma_square",
        "z - mu is not squared.",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "divided-by-sigma",
        "squares = (z - mu) ** 2 / sigma_square.sqrt()",
        "(z - mu)^2 is divided by sigma; sigma_square is right.",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "not-divided",
        "squares = (z - mu) ** 2",
        "(z - mu)^2 is not divided by sigma_square.",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "detached",
        "mu = mu.detach(); squares = (z - mu) ** 2 / sigma_square",
        "No gradient passes through logpdf_diagonal_gaussian.",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "in-place",
        "squares = z.sub_(mu) ** 2 / sigma_square",
        "logpdf_diagonal_gaussian changes its inputs in place",
    ),
    _gaussian(
        "something-added",
        "return -0.5 * (torch.log(2 * math.pi * sigma_square + 1e-4) + squares).sum(-1)",
        "",
    ),
    _method(
        "logpdf_diagonal_gaussian",
        SQUARES,
        "clamped-variances",
        f"sigma_square = sigma_square.clamp(1e-4, 1e4)\n        {SQUARES}",
        "variances are cut off; one may be any positive number.",
    ),
)

LOGPDF_BERNOULLI: tuple[Mistake, ...] = (
    Mistake(
        "clamped-too-far",
        "bernoulli-vae.logpdf_bernoulli",
        "p is moved so far away from 0 and 1 that unlikely pixels count too little.",
        "def logpdf_bernoulli",
        (("pixels = F", "p = p.clamp(1e-3, 1 - 1e-3)\n        pixels = F"),),
    ),
    _bernoulli(
        "sign",
        "return -(x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1)",
        "its sign is flipped.",
    ),
    _bernoulli(
        "mean",
        "return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).mean(-1)",
        "it is averaged over the pixels; sum them.",
    ),
    _bernoulli(
        "second-half-missing",
        "return (x * torch.log(p)).sum(-1)",
        "its second half, (1 - x) log(1 - p), is missing.",
    ),
    _bernoulli(
        "first-half-missing",
        "return ((1 - x) * torch.log1p(-p)).sum(-1)",
        "its first half, x log(p), is missing.",
    ),
    _bernoulli(
        "squared-error",
        "return -((x - p) ** 2).sum(-1)",
        "it is a squared error; the pixels are Bernoulli variables.",
    ),
    _bernoulli(
        "base-ten",
        "return (x * torch.log10(p) + (1 - x) * torch.log10(1 - p)).sum(-1)",
        "its logarithm is that of base 10; the natural one is asked for.",
    ),
    _bernoulli(
        "subtracted",
        "return (x * torch.log(p) - (1 - x) * torch.log1p(-p)).sum(-1)",
        "the two halves are subtracted; add them.",
    ),
    _bernoulli(
        "turned-round",
        "return ((1 - x) * torch.log(p) + x * torch.log1p(-p)).sum(-1)",
        "p and 1 - p have changed places.",
    ),
    _bernoulli(
        "summed-over-the-batch",
        "return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum()",
        "the rows of the batch are reduced to one number.",
    ),
    _bernoulli("not-summed", "return x * torch.log(p) + (1 - x) * torch.log1p(-p)", ""),
    _bernoulli(
        "images-swapped",
        "x, p = p, x.clamp(eps, 1 - eps); "
        "return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1)",
        "x and p have changed places.",
    ),
    _bernoulli(
        "base-two",
        "return (x * torch.log2(p) + (1 - x) * torch.log2(1 - p)).sum(-1)",
        "its logarithm is that of base 2; the natural one is asked for.",
    ),
    _bernoulli(
        "logits",
        "return -F.binary_cross_entropy_with_logits(p, x, reduction='none').sum(-1)",
        "it takes p for logits; p is a probability already.",
    ),
    _bernoulli(
        "detached",
        "return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1).detach()",
        "No gradient passes through logpdf_bernoulli.",
    ),
    _method(
        "logpdf_bernoulli",
        BERNOULLI,
        "not-a-number",
        "return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1)",
        "it is NaN where p is 0 or 1, because 0 * log(0) is; a trained decoder gives such p.",
    ),
    _bernoulli(
        "clamped-far",
        "p = p.clamp(0.1, 0.9); return (x * torch.log(p) + (1 - x) * torch.log1p(-p)).sum(-1)",
        "",
    ),
)

ELBO_LOSS: tuple[Mistake, ...] = (
    _bound(
        "pixels-alone-in-evaluation",
        f"{BOUND} if self.training else log_p.mean()",
        "After model.eval() elbo_loss gives something else.",
    ),
    _bound(
        "prior-detached",
        "return (log_p + log_p_z.detach() - log_q).mean()",
        "A term of elbo_loss does not train the codes.",
    ),
    _bound(
        "posterior-detached",
        "return (log_p + log_p_z - log_q.detach()).mean()",
        "Gradients of elbo_loss reach only some of mu, sigma_square and p.",
    ),
    _bound(
        "sign",
        "return (log_q - log_p_z - log_p).mean()",
        "its sign is flipped: the evidence lower bound is larger where the model is better.",
    ),
    _bound(
        "summed-over-the-batch",
        "return (log_p + log_p_z - log_q).sum()",
        "it is summed over the batch; average over the images.",
    ),
    _bound(
        "encoder-added",
        "return (log_p + log_p_z + log_q).mean()",
        "log q(z|x) is added; Eq. 2 subtracts it.",
    ),
    _bound(
        "prior-subtracted",
        "return (log_p - log_p_z - log_q).mean()",
        "log p(z) is subtracted; Eq. 2 adds it.",
    ),
    _bound(
        "divergence-added",
        "return (log_p - log_p_z + log_q).mean()",
        "the signs of log p(z) and log q(z|x) are both flipped.",
    ),
    _bound(
        "no-pixels",
        "return (log_p_z - log_q).mean() + 0 * log_p.mean()",
        "the term log p(x|z) is missing.",
    ),
    _bound(
        "pixels-subtracted",
        "return (log_p_z - log_q - log_p).mean()",
        "the sign of log p(x|z) is flipped.",
    ),
    _bound(
        "divided-twice",
        "return (log_p + log_p_z - log_q).mean() / len(x)",
        "its terms are divided by the number of images twice.",
    ),
    _bound("no-prior", "return (log_p - log_q).mean()", "the term log p(z) is missing."),
    _bound("no-encoder", "return (log_p + log_p_z).mean()", "the term log q(z|x) is missing."),
    _bound(
        "reconstruction-alone",
        "return log_p.mean()",
        "it is log p(x|z) alone; the divergence from the prior is missing.",
    ),
    _bound(
        "closed-form",
        "return log_p.mean() - 0.5 * (sigma_square + mu**2 - 1 - sigma_square.log()).sum(1).mean()",
        "it is Eq. 1, with the divergence in closed form; the question asks for Eq. 2, "
        "term by term.",
    ),
    _bound(
        "divided-by-the-pixels",
        "return (log_p + log_p_z - log_q).mean() / self.data_dimension",
        "it is divided by the number of pixels; average over the images alone.",
    ),
    _bound(
        "divided-by-the-pixels-of-x",
        "return (log_p / x.shape[1] + log_p_z - log_q).mean()",
        "log p(x|z) is averaged over the pixels; sum over them.",
    ),
    _bound("one-an-image", "return log_p + log_p_z - log_q", "elbo_loss has shape"),
    _bound("item", "return (log_p + log_p_z - log_q).mean().item()", "No gradient passes through"),
)

MISTAKES: tuple[Mistake, ...] = (
    *DECODER,
    *SAMPLE_DIAGONAL_GAUSSIAN,
    *SAMPLE_BERNOULLI,
    *LOGPDF_DIAGONAL_GAUSSIAN,
    *LOGPDF_BERNOULLI,
    *ELBO_LOSS,
)
