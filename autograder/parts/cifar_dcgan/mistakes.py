"""Known mistakes of part cifar-dcgan."""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, caught, caught_one, told, unseen
from ..slips import (
    ABSOLUTE,
    BETAS,
    ROOT,
    SUM,
    UNIFORM_CODES,
    never_steps,
    not_cleared,
    of_a_mean,
    of_cross_entropies,
)

PART = "cifar-dcgan"


def _mistake(
    question: str, name: str, sentence: str, within: str, *edits: tuple[str, str]
) -> Mistake:
    return Mistake(name, f"{PART}.{question}", sentence, within, edits)


_of = partial(told, PART)

INIT = 'def __init__(self, spectral: bool = False):\n        """Make the networks'
MADE = "self.optimizerD = optim.Adam(self._discriminator.parameters(), **settings)"
REAL = "real_dis_loss = self._classification_loss(real_logits, real_label)"
FAKE = "fake_dis_loss = self._classification_loss(fake_logits, fake_label)"
BOTH = "dis_loss = real_dis_loss + fake_dis_loss"
GEN = "gen_loss = self._classification_loss(logits, real_label)"
MOVE = "gen_loss.backward(inputs=list(self._generator.parameters()))  # D is left alone"

CODES = "codes = torch.randn(self.batch_size, self.code_size, device=device)"
EVEN = "the codes are evened out, over the batch or in their lengths; leave them as drawn."


LARGE = "Where losses and gradients are large"


def _clips(one: str) -> Mistake:
    network = {"D": "_discriminator", "G": "_generator"}[one]
    step = f"                self.optimizer{one}.step()\n"
    clip = f"                nn.utils.clip_grad_norm_(self.{network}.parameters(), 10)\n"
    says = LARGE
    return caught_one(
        PART, "fit", "def fit", f"clips-gradients-of-{one}", says, (step, clip + step)
    )


def _cuts_off(one: str) -> Mistake:
    """Of a loss before its backward."""
    loss = {"D": "dis_loss", "G": "gen_loss"}[one]
    line = f"                {loss}.backward("
    edit = line, f"                {loss} = {loss}.clamp(max=5)\n{line}"
    return caught_one(PART, "fit", "def fit", f"cuts-off-the-loss-of-{one}", LARGE, edit)


def _slows(one: str) -> Mistake:
    step = f"                self.optimizer{one}.step()\n"
    slow = f"                self.optimizer{one}.param_groups[0]['lr'] *= 0.99\n"
    says = "changes the rates"
    return caught_one(PART, "fit", "def fit", f"slower-{one}-with-time", says, (step, step + slow))


MISTAKES: tuple[Mistake, ...] = (
    *unseen(
        "each weight beside the others",
        *_of(
            "weight_init",
            "def _weight_INITIALIZATION",
            (
                "one-half-twice",
                "half of the channels have the weights of the other half; draw each of them.",
                "nn.init.normal_(weight, 0.0, 0.02)",
                "nn.init.normal_(weight, 0.0, 0.02)\n"
                "                weight.data[1::2] = weight.data[: len(weight) - len(weight[::2])]",
            ),
            (
                "norms-uniform",
                "the weights of batch norms are drawn from a uniform distribution; it is a normal "
                "one.",
                "nn.init.normal_(layer.weight, 1.0, 0.02)",
                "nn.init.uniform_(layer.weight, 1 - 0.02 * 3**0.5, 1 + 0.02 * 3**0.5)",
            ),
            (
                "linear-biases-cleared",
                "The biases of the linear layers have been changed too.",
                "            elif isinstance(layer, nn.BatchNorm2d):\n",
                "            elif isinstance(layer, nn.Linear):\n"
                "                nn.init.zeros_(layer.bias)\n"
                "            elif isinstance(layer, nn.BatchNorm2d):\n",
            ),
            (
                "seeded",
                "draws the same weights each time.",
                "for layer in self.modules():",
                "torch.manual_seed(0)\n        for layer in self.modules():",
            ),
        ),
    ),
    *_of(
        "init",
        INIT,
        (
            "default-rate",
            "the optimizers have torch's default rate, 1e-3, not self.learning_rate.",
            '{"lr": self.learning_rate, "betas": (0.5, 0.999)}',
            '{"betas": (0.5, 0.999)}',
        ),
        (
            "default-betas",
            "the optimizers have torch's default betas; beta1 should be 0.5.",
            ', "betas": (0.5, 0.999)}',
            "}",
        ),
        *BETAS,
        (
            "same-network-twice",
            "both optimizers hold the parameters of the generator.",
            MADE,
            MADE.replace("_discriminator", "_generator"),
        ),
        (
            "all-parameters",
            "the optimizer of the discriminator holds the parameters of the generator too.",
            MADE,
            MADE.replace("self._discriminator.parameters()", "self.parameters()"),
        ),
        (
            "swapped-networks",
            "",
            "self._generator = CIFARGenerator(self.code_size)\n"
            "        self._discriminator = CIFARDiscriminator(spectral)\n",
            "self._discriminator = CIFARGenerator(self.code_size)\n"
            "        self._generator = CIFARDiscriminator(spectral)\n",
        ),
        (
            "spectral-dropped",
            "the discriminator is not told about spectral.",
            "CIFARDiscriminator(spectral)",
            "CIFARDiscriminator()",
        ),
        (
            "rate-by-heart",
            "The rate is 0.0002, whatever learning_rate is.",
            "self.learning_rate",
            "2e-4",
        ),
        (
            "code-size-by-heart",
            "The generator takes codes of length 64, whatever code_size is.",
            "CIFARGenerator(self.code_size)",
            "CIFARGenerator()",
        ),
        (
            "of-another-network",
            "",
            MADE,
            MADE.replace("self._discriminator.p", "CIFARDiscriminator(spectral).p"),
        ),
        ("large-epsilon", "", "settings = {", 'settings = {"eps": 1e-5, '),
        ("amsgrad", "", "settings = {", 'settings = {"amsgrad": True, '),
        ("weight-decay", "", MADE, MADE.replace("**", "weight_decay=1e-5, **")),
        ("adamw", "", MADE, MADE.replace("Adam(", "AdamW(")),
    ),
    *_of(
        "weight_init",
        "def _weight_INITIALIZATION",
        (
            "variance",
            "0.02 is the standard deviation of the weights, not their variance.",
            "nn.init.normal_(weight, 0.0, 0.02)",
            "nn.init.normal_(weight, 0.0, 0.02**0.5)",
        ),
        (
            "norms-around-zero",
            "the weights of batch norms are drawn around 0; they belong around 1.",
            "nn.init.normal_(layer.weight, 1.0, 0.02)",
            "nn.init.normal_(layer.weight, 0.0, 0.02)",
        ),
        (
            "transposed-forgotten",
            "the transposed convolutions of the generator are left out.",
            "(nn.Conv2d, nn.ConvTranspose2d)",
            "nn.Conv2d",
        ),
        (
            "linear-too",
            "the linear layers are drawn anew too; they stay as they are.",
            "if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):\n"
            "                weight = next(p for p in layer.parameters() if p.dim() == 4)\n",
            "if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):\n"
            "                weight = next(p for p in layer.parameters() if p.dim() > 1)\n",
        ),
        (
            "lost-under-spectral",
            "with spectral norm the weights are written into a copy, and lost.",
            "weight = next(p for p in layer.parameters() if p.dim() == 4)",
            "weight = layer.weight",
        ),
        (
            "uniform",
            "the weights are drawn from a uniform distribution, not a normal one.",
            "nn.init.normal_(weight, 0.0, 0.02)",
            "nn.init.uniform_(weight, -0.02, 0.02)",
        ),
        (
            "biases-cleared",
            "The biases of the convolutions have been changed too.",
            "nn.init.normal_(weight, 0.0, 0.02)",
            "nn.init.normal_(weight, 0.0, 0.02)\n                nn.init.zeros_(layer.bias)",
        ),
        (
            "frozen",
            "can be trained.",
            "nn.init.normal_(weight, 0.0, 0.02)",
            "nn.init.normal_(weight, 0.0, 0.02)\n                weight.requires_grad_(False)",
        ),
        (
            "discriminator-alone",
            "the generator is left out.",
            "for layer in self.modules():",
            "for layer in self._discriminator.modules():",
        ),
    ),
    *_of(
        "classification_loss",
        "def _classification_loss",
        (
            "sum",
            SUM,
            "_with_logits(logits, labels)",
            '_with_logits(logits, labels, reduction="sum")',
        ),
        (
            "labels-turned",
            "the labels are turned around; 1 stands for real.",
            "(logits, labels)",
            "(logits, 1 - labels)",
        ),
        (
            "sides-exchanged",
            "logits and labels have changed places.",
            "(logits, labels)",
            "(labels, logits)",
        ),
        (
            "squares-of-sigmoids",
            "it uses squares of sigmoids instead of cross-entropies.",
            "F.binary_cross_entropy_with_logits(logits,",
            "F.mse_loss(torch.sigmoid(logits),",
        ),
        *of_a_mean(),
        *of_cross_entropies(),
        (
            "labels-ignored",
            "the labels are ignored.",
            "(logits, labels)",
            "(logits, torch.ones_like(labels))",
        ),
        (
            "unstable",
            "the logarithm of a sigmoid that has rounded to 0 is infinite; work on the logits.",
            "F.binary_cross_entropy_with_logits(logits, labels)",
            "-(labels * torch.log(p := torch.sigmoid(logits))"
            " + (1 - labels) * torch.log(1 - p)).mean()",
        ),
        ("number", "", "(logits, labels)", "(logits, labels).item()"),
        ("limited", "", "(logits, labels)", "(logits.clamp(-5, 5), labels)"),
        ("cut-off", "", "(logits, labels)", "(logits, labels).clamp(max=5)"),
    ),
    *_of(
        "fit",
        "def fit(self",
        *(
            (
                f"{whose}-detached",
                f"the discriminator learns nothing from {of}, whose loss is detached.",
                "dis_loss = real_dis_loss + fake_dis_loss",
                total,
            )
            for whose, of, total in (
                ("real", "real images", "dis_loss = real_dis_loss.detach() + fake_dis_loss"),
                ("fakes", "fakes", "dis_loss = real_dis_loss + fake_dis_loss.detach()"),
            )
        ),
        (
            "d-not-cleared",
            not_cleared("discriminator"),
            "self.optimizerD.zero_grad()\n",
            "\n",
        ),
        (
            "g-not-cleared",
            not_cleared("generator"),
            "self.optimizerG.zero_grad()\n",
            "\n",
        ),
        (
            "fakes-labelled-real",
            "the discriminator is told that fakes are real: their label is 0 there.",
            FAKE,
            FAKE.replace("fake_label", "real_label"),
        ),
        (
            "real-labelled-fake",
            "the discriminator is told that real images are fakes: their label is 1.",
            REAL,
            REAL.replace("real_label", "fake_label"),
        ),
        (
            "real-alone",
            "the discriminator learns from real images alone; the loss of the fakes is missing.",
            BOTH,
            "dis_loss = real_dis_loss",
        ),
        (
            "halved",
            "dis_loss is the mean of the two losses; this part asks for their sum.",
            BOTH,
            "dis_loss = (real_dis_loss + fake_dis_loss) / 2",
        ),
        (
            "generator-labels-zero",
            "the generator asks for its fakes to be recognised; their label is 1 there.",
            GEN,
            GEN.replace("real_label", "fake_label"),
        ),
        (
            "saturating",
            "the loss of the generator is the saturating one, -log(1 - D(G(z))) with its sign "
            "flipped; take fakes with label 1.",
            GEN,
            "gen_loss = -self._classification_loss(logits, fake_label)",
        ),
        (
            "generator-detached",
            "the fakes of the generator's step are detached, so no gradient reaches it.",
            "logits = self._discriminator(self._generator(codes))\n",
            "logits = self._discriminator(self._generator(codes).detach() + 0 * "
            "next(self._generator.parameters()).sum())\n",
        ),
        (
            "one-batch",
            "real images and fakes go through the discriminator in one batch, so batch norm mixes "
            "their statistics.",
            "real_logits = self._discriminator(batch_samples)  # (N, 1)\n"
            f"                {REAL}\n"
            "                codes = torch.randn(self.batch_size, self.code_size, device=device)"
            "  # (N, Z)\n"
            "                fake_logits = self._discriminator(self._generator(codes).detach())\n",
            "codes = torch.randn(self.batch_size, self.code_size, device=device)\n"
            "                both = torch.cat((batch_samples, self._generator(codes).detach()))\n"
            "                real_logits, fake_logits = self._discriminator(both).chunk(2)\n"
            f"                {REAL}\n",
        ),
        (
            "uniform-codes",
            UNIFORM_CODES,
            "torch.randn(self.batch_size, self.code_size, device=device)",
            "torch.rand(self.batch_size, self.code_size, device=device)",
        ),
        (
            "codes-rolled",
            "",
            "codes = torch.randn(self.batch_size, self.code_size, device=device)\n"
            "                logits",
            "codes = codes.roll(1, 1)\n                logits",
        ),
        (
            "same-codes",
            "the codes are the same in every step; draw them inside the loop.",
            "codes = torch.randn(self.batch_size, self.code_size, device=device)",
            "codes = torch.randn(self.batch_size, self.code_size, "
            "generator=torch.Generator().manual_seed(0))",
        ),
        (
            "codes-of-d",
            "",
            "codes = torch.randn(self.batch_size, self.code_size, device=device)\n",
            "pass\n",
        ),
        (
            "tracked-codes",
            "",
            CODES,
            f"{CODES}; codes = torch.cat((self.tracked_noise, codes))[: self.batch_size]",
        ),
        (
            "standardised-codes",
            EVEN,
            CODES,
            CODES + "; codes = (codes - codes.mean(0)) / codes.std(0)",
        ),
        ("codes-of-one-length", EVEN, CODES, CODES + "; codes = 8 * F.normalize(codes)"),
        (
            "wider-codes",
            "",
            "codes = torch.randn(self.batch_size, self.code_size, device=device)\n",
            "codes = 1.1 * torch.randn(self.batch_size, self.code_size, device=device)\n",
        ),
        (
            "d-never-steps",
            never_steps("discriminator"),
            "self.optimizerD.step()",
            "pass",
        ),
        (
            "d-steps-twice",
            "the discriminator steps in the generator's turn too.",
            "                self.optimizerG.step()",
            "                self.optimizerG.step()\n                self.optimizerD.step()",
        ),
        (
            "d-in-evaluation",
            "the discriminator is in evaluation in the step of the generator; its batch norms take "
            "their statistics from the batch.",
            "self.optimizerG.zero_grad()\n",
            "self.optimizerG.zero_grad()\n                self._discriminator.eval()\n",
        ),
        (
            "batch-by-heart",
            "",
            "torch.randn(self.batch_size,",
            "torch.randn(128,",
        ),
    ),
    *_of(
        "fit",
        "def fit(self",
        (
            "mixed-codes",
            "the generator's codes are half those of the discriminator; draw them anew.",
            f"{CODES}\n                logits",
            "codes = (codes + torch.randn_like(codes)) / 2**0.5\n                logits",
        ),
        (
            "heavy-tails",
            "the codes are drawn from another distribution than the normal one.",
            f"{CODES}\n                logits",
            "codes = torch.distributions.Laplace(0.0, 0.5**0.5).sample(codes.shape)\n"
            "                logits",
        ),
        (
            "codes-of-the-first-batch",
            "",
            f"{CODES}\n                logits",
            f"kept = kept if losses else {CODES[8:]}\n                codes = kept\n"
            "                logits",
        ),
        (
            "seeded",
            "",
            "self.optimizerD.zero_grad()\n",
            "torch.manual_seed(step)\n                self.optimizerD.zero_grad()\n",
        ),
        (
            "g-steps-in-the-first-batch",
            "the generator steps in one batch of an epoch alone; it steps in each.",
            "                self.optimizerG.step()\n",
            "                if not losses:\n                    self.optimizerG.step()\n",
        ),
        (
            "g-cleared-in-the-first-batch",
            "the gradients of the generator are cleared in one batch of an epoch alone.",
            "                self.optimizerG.zero_grad()\n",
            "                if not losses:\n                    self.optimizerG.zero_grad()\n",
        ),
        (
            "summed-over-an-epoch",
            "",
            BOTH,
            f"{BOTH} + sum(one[0] for one in losses)",
        ),
    ),
    caught_one(
        PART,
        "fit",
        "def fit(self",
        "d-left-frozen",
        "frozen for good",
        (
            "                self.optimizerD.step()\n",
            "                self.optimizerD.step()\n"
            "                if step == max_steps - 1:\n"
            "                    self._discriminator.requires_grad_(False)\n",
        ),
    ),
    *unseen(
        "small and large losses, large steps",
        *_of(
            "fit",
            "def fit(self",
            (
                "d-steps-where-it-loses",
                "",
                "                self.optimizerD.step()\n",
                "                if dis_loss > 0.5:\n                    self.optimizerD.step()\n",
            ),
            (
                "g-steps-where-it-loses",
                "",
                "                self.optimizerG.step()\n",
                "                if gen_loss > 0.1:\n                    self.optimizerG.step()\n",
            ),
            (
                "d-loss-after-the-step",
                "",
                "                self.optimizerD.step()\n",
                "                self.optimizerD.step()\n                dis_loss = sum(\n"
                "                    self._classification_loss(self._discriminator(x), y)\n"
                "                    for x, y in ((batch_samples, real_label),\n"
                "                        (self._generator(codes).detach(), fake_label)))\n",
            ),
            (
                "g-loss-after-the-step",
                "",
                "                self.optimizerG.step()\n",
                "                self.optimizerG.step()\n"
                "                logits = self._discriminator(self._generator(codes))\n"
                f"                {GEN}\n",
            ),
        ),
    ),
    *unseen(
        "codes far out",
        *_of(
            "fit",
            "def fit(self",
            (
                "clamped-codes",
                "large numbers of the codes are cut off; leave them as drawn.",
                CODES,
                f"{CODES}.clamp(-4, 4)",
            ),
        ),
    ),
    *_of(
        "fit",
        "def fit(self",
        (
            "first-batch-again",
            "the discriminator sees the same real images in every step; batch_samples holds those "
            "of the step.",
            "self._discriminator(batch_samples)",
            "self._discriminator(images[: self.batch_size])",
        ),
    ),
    caught_one(
        PART,
        "fit",
        "def fit(self",
        "all-images",
        "In an epoch of two batches",
        ("self._discriminator(batch_samples)", "self._discriminator(images)"),
    ),
    *unseen(
        "how networks of many layers move",
        _mistake(
            "fit",
            "generator-first",
            "the generator steps before the discriminator; it comes second.",
            "def fit(self",
            ("                self.optimizerD.step()\n\n", ""),
            (
                "self.optimizerG.step()",
                "self.optimizerG.step()\n                self.optimizerD.step()",
            ),
        ),
    ),
    *_of(
        "spectral_norm",
        "class CIFARDiscriminator",
        (
            "orthogonal",
            "",
            "parametrizations.spectral_norm(layer)",
            "parametrizations.orthogonal(layer)",
        ),
        (
            "not-wrapped",
            "no convolution is wrapped.",
            "nn.utils.parametrizations.spectral_norm(layer)",
            "pass",
        ),
        (
            "first-alone",
            "only the first convolution is wrapped; all three should be.",
            "for layer in self.downsample:",
            "for layer in self.downsample[:1]:",
        ),
        (
            "linear-alone",
            "the linear layer is wrapped instead of the convolutions.",
            "for layer in self.downsample:\n                if isinstance(layer, nn.Conv2d):\n"
            "                    nn.utils.parametrizations.spectral_norm(layer)\n",
            "nn.utils.parametrizations.spectral_norm(self.fc)\n",
        ),
        (
            "weight-norm",
            "weight norm is not spectral norm: it normalises each channel on its own.",
            "parametrizations.spectral_norm",
            "parametrizations.weight_norm",
        ),
        (
            "large-epsilon",
            "small weights are not brought to norm 1: eps is too large, leave it as it is.",
            "spectral_norm(layer)",
            "spectral_norm(layer, eps=1)",
        ),
        (
            "always",
            "",
            "        if spectral:\n",
            "        if spectral or True:\n",
        ),
        (
            "once",
            "weights are divided once, when the network is made; it is done anew in every pass.",
            "nn.utils.parametrizations.spectral_norm(layer)",
            "layer.weight.data /= torch.linalg.matrix_norm(layer.weight.data.flatten(1), 2)",
        ),
    ),
    *_of(
        "reconstruction_loss",
        "def _reconstruction_loss",
        (
            "sum",
            "it is the sum over all numbers; ask for their mean.",
            "F.mse_loss(reconstruction, x)",
            'F.mse_loss(reconstruction, x, reduction="sum")',
        ),
        (
            "absolute",
            ABSOLUTE,
            "F.mse_loss",
            "F.l1_loss",
        ),
        (
            "clamped",
            "the reconstruction is cut off before it is compared.",
            "(reconstruction, x)",
            "(reconstruction.clamp(0, 1), x)",
        ),
        ("cut-off", "", "(reconstruction, x)", "(reconstruction, x).clamp(max=1)"),
        (
            "root",
            ROOT,
            "F.mse_loss(reconstruction, x)",
            "F.mse_loss(reconstruction, x).sqrt()",
        ),
        (
            "norm",
            "it is a norm of the whole difference; ask for the mean square.",
            "F.mse_loss(reconstruction, x)",
            "(reconstruction - x).norm()",
        ),
        (
            "mean-squared",
            "it squares the mean of the differences; square first.",
            "F.mse_loss(reconstruction, x)",
            "(reconstruction - x).mean() ** 2",
        ),
        *of_a_mean("mean square"),
        (
            "sum-of-pixels",
            "it sums the pixels of an image; ask for the mean over everything.",
            "F.mse_loss(reconstruction, x)",
            "((reconstruction - x) ** 2).sum((1, 2, 3)).mean()",
        ),
        ("number", "", "(reconstruction, x)", "(reconstruction, x).item()"),
    ),
    *_of(
        "reconstruct",
        "def reconstruct",
        (
            "not-cleared",
            "the gradient of the codes is never cleared, so it adds up.",
            "optimizer.zero_grad()\n",
            "\n",
        ),
        (
            "training-mode",
            "batch norm works in training mode: the images depend on their neighbours.",
            "optimizer = optim.Adam(",
            "self.train()\n        optimizer = optim.Adam(",
        ),
        (
            "one-step-too-few",
            "it takes one step too few.",
            "range(self.vis_steps)",
            "range(self.vis_steps - 1)",
        ),
        (
            "steps-by-heart",
            "",
            "range(self.vis_steps)",
            "range(500)",
        ),
        (
            "least-loss",
            "the loss is the least of all steps; return that of the last step.",
            "            optimizer.step()\n",
            "            optimizer.step()\n"
            "            least = min(recon_loss, least) if _ else recon_loss\n"
            "        recon_loss = least\n",
        ),
        (
            "clamped-codes",
            "the codes are kept near 0 after each step; leave them where the step takes them.",
            "            optimizer.step()\n",
            "            optimizer.step()\n            recon_code.data.clamp_(-1, 1)\n",
        ),
        (
            "rate-by-heart",
            "The rate of reconstruct is 0.01, whatever vis_learning_rate is.",
            "lr=self.vis_learning_rate",
            "lr=1e-2",
        ),
        (
            "rate-of-training",
            "the codes move with the rate of training, learning_rate, not vis_learning_rate.",
            "self.vis_learning_rate",
            "self.learning_rate",
        ),
        (
            "gradient-descent",
            "",
            "optim.Adam(",
            "optim.SGD(",
        ),
        (
            "never-steps",
            "",
            "            optimizer.step()\n",
            "",
        ),
    ),
    _mistake(
        "reconstruct",
        "moves-weights",
        "the optimizer moves the weights of the generator; it should move the codes alone.",
        "def reconstruct",
        ("optim.Adam([recon_code]", "optim.Adam(self.parameters()"),
        ("backward(inputs=[recon_code])", "backward()"),
    ),
    _mistake(
        "reconstruct",
        "moves-weights-too",
        "",
        "def reconstruct",
        ("optim.Adam([recon_code]", "optim.Adam([recon_code, *self._generator.parameters()]"),
        ("backward(inputs=[recon_code])", "backward()"),
    ),
    *caught(
        PART,
        "reconstruct",
        "def reconstruct",
        (
            "generator-left-frozen",
            "no gradient reaches the weights of the generator any more",
            "        for _ in range(self.vis_steps):\n",
            "        self._generator.requires_grad_(False)\n"
            "        for _ in range(self.vis_steps):\n",
        ),
    ),
    *caught(
        PART,
        "reconstruct",
        "def reconstruct",
        (
            "slower-with-time",
            "do not lead the codes where they should",
            "            optimizer.step()\n",
            "            optimizer.step()\n            optimizer.param_groups[0]['lr'] *= 0.99\n",
        ),
    ),
    *map(_clips, "DG"),
    *unseen("small and large losses", *map(_cuts_off, "DG")),
    *map(_slows, "DG"),
)
