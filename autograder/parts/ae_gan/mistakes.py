"""Known mistakes of part ae-gan."""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, Row, caught_one, told, unseen
from ..slips import ABSOLUTE, ROOT, UNIFORM_CODES, of_an_optimizer

PART = "ae-gan"

_of = partial(told, PART)

TRAIN = "def train_ae_gan"
NETWORKS = "(model.encoder, model.generator, model.discriminator)"
ADAMS = "tuple(optim.Adam(network.parameters(), lr=lr) for network in networks)"
REAL = "loss_discriminator = bce(model.discriminator(x), real)\n"
FAKE = "loss_discriminator = loss_discriminator + bce(model.discriminator(fakes), fake)"
GENERATOR = "loss_generator = 0.9 * fooled + mse(model.generator(code.detach()), x)"
NOISE = "torch.randn(len(x), model.latent_size, device=device)"
FAKES_OF_IMAGES = "fakes = model.generator(model.encoder(x))"
FOOLED = "bce(model.discriminator(model.generator(z)), real)"
FIRST = "BCELoss takes the prediction first, then the label; they have changed places."
AVERAGED = ".mean(0, keepdim=True).expand(len(x), -1)"
EVEN = "the codes are evened out, over the batch or in their lengths; leave them as drawn."
TURNED = "torch.randn(model.latent_size, len(x), device=device)"
STEPS = ("discriminator", "discriminator"), ("generator", "generator"), ("autoencoder", "encoder")
ENCODER = "loss_autoencoder = mse(model.generator(model.encoder(x)), x)"


def _clamped(next_line: str) -> Row:
    """Of the codes of the step whose fakes are made in this line."""
    says = "large numbers of the codes are cut off; leave them as drawn."
    drawn = f"z = {NOISE}\n            {next_line}"
    return "clamped-codes", says, drawn, drawn.replace(NOISE, f"{NOISE}.clamp(-4, 4)")


def _clipped(network: str) -> Row:
    """Of a step whose gradients are clipped."""
    says = f"the gradients of the {network} are clipped; leave them as they are."
    step = f"opt_{network}.step()"
    clip = f"nn.utils.clip_grad_norm_(model.{network}.parameters(), 1.0)"
    return "clipped", says, step, f"{clip}; {step}"


MISTAKES: tuple[Mistake, ...] = (
    *_of(
        "optimizers",
        "def ae_gan_optimizers",
        (
            "no-encoder",
            "",
            NETWORKS,
            NETWORKS.replace("encoder", "generator"),
        ),
        (
            "no-discriminator",
            "",
            NETWORKS,
            NETWORKS.replace("discriminator", "generator"),
        ),
        (
            "no-generator",
            "",
            NETWORKS,
            NETWORKS.replace("generator", "encoder"),
        ),
        (
            "rate-ignored",
            "the optimizers have torch's default rate, whatever lr is.",
            ", lr=lr",
            "",
        ),
        (
            "first-layers-alone",
            "",
            "network.parameters()",
            "list(network.parameters())[:1]",
        ),
        ("uphill", "", "lr=lr)", "lr=lr, maximize=True)"),
        ("read-once", "", ADAMS, ADAMS.removeprefix("tuple")),
    ),
    caught_one(
        PART,
        "optimizers",
        "",
        "kept",
        "",
        code="""
FIRST = []
def ae_gan_optimizers(model, lr=2e-4):
    networks = (model.encoder, model.generator, model.discriminator)
    FIRST.append([optim.Adam(network.parameters(), lr=lr) for network in networks])
    return FIRST[0]
""",
    ),
    *_of(
        "loss_discriminator",
        TRAIN,
        (
            "labels-swapped",
            "the labels are swapped: real images have 1, fakes 0.",
            f"{REAL}            {FAKE}",
            f"{REAL}            {FAKE}".replace(", real)", ", FAKE)")
            .replace(", fake)", ", real)")
            .replace("FAKE", "fake"),
        ),
        (
            "real-alone",
            "the loss of the fakes is missing.",
            FAKE,
            "pass",
        ),
        (
            "fakes-alone",
            "the loss of the real images is missing.",
            REAL,
            "loss_discriminator = 0.0\n",
        ),
        (
            "halved",
            "it is the mean of the two cross-entropies; this part asks for their sum.",
            FAKE,
            f"{FAKE}\n            loss_discriminator = loss_discriminator / 2",
        ),
        *of_an_optimizer("discriminator", "opt_discriminator"),
        *(
            (f"{whose}-detached", f"{says}: what D makes of them is detached.", was, detached)
            for whose, says, was, detached in (
                (
                    "real",
                    "it learns nothing from the real images",
                    REAL,
                    REAL.replace("(x)", "(x).detach()"),
                ),
                (
                    "fakes",
                    "it learns nothing from the fakes",
                    FAKE,
                    FAKE.replace("(fakes)", "(fakes).detach()"),
                ),
            )
        ),
        (
            "averaged-fakes",
            "",
            "fakes = model.generator(z)",
            f"fakes = model.generator(z){AVERAGED}",
        ),
        (
            "fakes-labelled-real",
            "the fakes have label 1 here; it is 0 in this step.",
            FAKE,
            FAKE.replace("fake)", "real)"),
        ),
        (
            "uniform-codes",
            UNIFORM_CODES,
            f"z = {NOISE}\n            fakes",
            f"z = {NOISE.replace('randn', 'rand')}\n            fakes",
        ),
        (
            "one-code",
            "all images of a batch get the same code.",
            f"z = {NOISE}\n            fakes",
            f"z = {NOISE}[:1].expand(len(x), -1)\n            fakes",
        ),
        (
            "standardised-codes",
            EVEN,
            f"z = {NOISE}\n            fakes",
            f"z = F.layer_norm({NOISE}, (model.latent_size,), eps=0)\n            fakes",
        ),
        (
            "codes-of-one-length",
            EVEN,
            f"z = {NOISE}\n            fakes",
            f"z = F.normalize({NOISE}) * model.latent_size**0.5\n            fakes",
        ),
        ("codes-of-images", "", "fakes = model.generator(z)", FAKES_OF_IMAGES),
        (
            "turned-codes",
            "",
            f"z = {NOISE}\n            fakes",
            f"z = {TURNED}\n            fakes",
        ),
        (
            "subtracted",
            "the loss of the fakes is subtracted; add it.",
            FAKE,
            FAKE.replace("+", "-"),
        ),
        (
            "arguments-swapped",
            FIRST,
            REAL,
            "loss_discriminator = bce(real, model.discriminator(x))\n",
        ),
        (
            "logits",
            "it takes the probabilities for logits: BCE with logits applies a second sigmoid.",
            f"{REAL}            {FAKE}",
            f"{REAL}            {FAKE}".replace("bce(", "nn.BCEWithLogitsLoss()("),
        ),
    ),
    *_of("loss_discriminator", TRAIN, _clipped("discriminator")),
    *_of("loss_generator", TRAIN, _clipped("generator")),
    *_of(
        "loss_autoencoder",
        TRAIN,
        _clipped("encoder"),
        (
            "clamped-codes",
            "the codes are cut off on their way to the generator; they may be any numbers.",
            "loss_autoencoder = mse(model.generator(model.encoder(x)), x)",
            "loss_autoencoder = mse(model.generator(model.encoder(x).clamp(-5, 5)), x)",
        ),
    ),
    *(
        mistake
        for step, solver in STEPS
        for mistake in _of(
            f"loss_{step}",
            TRAIN,
            (
                "steps-in-the-first-epoch",
                "",
                f"            opt_{solver}.step()\n",
                f"            if not epoch:\n                opt_{solver}.step()\n",
            ),
            (
                "cleared-in-the-first-epoch",
                "",
                f"            opt_{solver}.zero_grad()\n",
                f"            if not epoch:\n                opt_{solver}.zero_grad()\n",
            ),
        )
    ),
    *_of(
        "loss_generator",
        TRAIN,
        (
            "mixed-codes",
            "",
            f"z = {NOISE}\n            fooled",
            f"z = (z + {NOISE}) / 2**0.5\n            fooled",
        ),
        (
            "codes-of-the-first-epoch",
            "",
            f"z = {NOISE}\n            fooled",
            f"first = first if epoch else {NOISE}\n            z = first\n            fooled",
        ),
    ),
    *unseen(
        "other networks",
        *_of(
            "loss_discriminator",
            TRAIN,
            (
                "steps-where-it-loses",
                "",
                "            opt_discriminator.step()\n",
                "            if loss_discriminator > 0.7:\n"
                "                opt_discriminator.step()\n",
            ),
        ),
        *_of("loss_discriminator", TRAIN, _clamped("fakes")),
        *_of("loss_generator", TRAIN, _clamped("fooled")),
    ),
    *unseen(
        "codes of an earlier batch",
        *_of(
            "loss_discriminator",
            TRAIN,
            (
                "codes-of-the-generator",
                "the codes are those of the generator's step before; draw them anew.",
                f"z = {NOISE}\n            fakes",
                f"z = z if count else {NOISE}\n            fakes",
            ),
        ),
    ),
    *_of(
        "loss_generator",
        TRAIN,
        (
            "no-reconstruction",
            "the mean square of the reconstruction is missing.",
            GENERATOR,
            "loss_generator = 0.9 * fooled",
        ),
        (
            "reconstruction-alone",
            "the part that fools the discriminator is missing.",
            GENERATOR,
            GENERATOR.replace("0.9 * fooled + ", ""),
        ),
        (
            "labels-zero",
            "the fakes have label 0 here; the generator wants them taken for real, label 1.",
            "fooled = bce(model.discriminator(model.generator(z)), real)",
            "fooled = bce(model.discriminator(model.generator(z)), fake)",
        ),
        (
            "saturating",
            "it is the saturating form, log(1 - D(G(z))); take fakes with label 1.",
            "fooled = bce(model.discriminator(model.generator(z)), real)",
            "fooled = -bce(model.discriminator(model.generator(z)), fake)",
        ),
        (
            "subtracted",
            "the reconstruction is subtracted; add it.",
            GENERATOR,
            GENERATOR.replace("+", "-"),
        ),
        *of_an_optimizer("generator", "opt_generator"),
        (
            "fakes-detached",
            "the fakes are detached, so that the discriminator teaches the generator nothing.",
            "model.discriminator(model.generator(z))",
            "model.discriminator(model.generator(z).detach())",
        ),
        (
            "averaged-fakes",
            "",
            "model.discriminator(model.generator(z))",
            f"model.discriminator(model.generator(z){AVERAGED})",
        ),
        ("arguments-swapped", FIRST, FOOLED, "bce(real, model.discriminator(model.generator(z)))"),
        ("steps-twice", "", "opt_generator.step()", "opt_generator.step(), opt_generator.step()"),
        (
            "codes-of-images",
            "the discriminator is shown reconstructions, codes of images; z should be noise.",
            "model.discriminator(model.generator(z))",
            "model.discriminator(model.generator(code.detach()))",
        ),
        (
            "codes-not-fresh",
            "",
            f"code = model.encoder(x)  # (N, Z)\n            z = {NOISE}\n",
            "code = model.encoder(x)\n",
        ),
        (
            "codes-rolled",
            "",
            f"code = model.encoder(x)  # (N, Z)\n            z = {NOISE}\n",
            "code = model.encoder(x)\n            z = z.roll(1, 1)\n",
        ),
        (
            "reconstructs-noise",
            "it compares images made of noise with x; reconstruct x, G(E(x)).",
            GENERATOR,
            GENERATOR.replace("code.detach()", "z"),
        ),
        (
            "codes-of-one-length",
            EVEN,
            f"z = {NOISE}\n            fooled",
            f"z = F.normalize({NOISE}) * model.latent_size**0.5\n            fooled",
        ),
        (
            "rounded-codes",
            "",
            f"z = {NOISE}\n            fooled",
            f"z = {NOISE}.round()\n            fooled",
        ),
        (
            "turned-codes",
            "",
            f"z = {NOISE}\n            fooled",
            f"z = {TURNED}\n            fooled",
        ),
    ),
    *_of(
        "loss_autoencoder",
        TRAIN,
        (
            "sum",
            "it is the sum of the squares; ask for their mean.",
            ENCODER,
            "loss_autoencoder = nn.MSELoss(reduction='sum')(model.generator(model.encoder(x)), x)",
        ),
        (
            "absolute",
            ABSOLUTE,
            ENCODER,
            "loss_autoencoder = F.l1_loss(model.generator(model.encoder(x)), x)",
        ),
        *of_an_optimizer("encoder", "opt_encoder"),
        (
            "code-detached",
            "the code is detached, so that nothing reaches the encoder.",
            "model.generator(model.encoder(x))",
            "model.generator(model.encoder(x).detach())",
        ),
        (
            "noisy-codes",
            "",
            "model.generator(model.encoder(x))",
            "model.generator(model.encoder(x) + 0.05 * torch.randn_like(code))",
        ),
        (
            "small-codes",
            "",
            ENCODER,
            f"{ENCODER}\n            loss_autoencoder = loss_autoencoder + 1e-3 * (code**2).mean()",
        ),
        (
            "fools-too",
            "",
            ENCODER,
            f"{ENCODER}\n            loss_autoencoder = loss_autoencoder + bce(model.discriminator("
            "model.generator(model.encoder(x))), real)",
        ),
        (
            "of-codes",
            "it compares reconstructions of noise with the images.",
            ENCODER,
            "loss_autoencoder = mse(model.generator(torch.randn_like(code) + 0 * code), x)",
        ),
        (
            "root",
            ROOT,
            ENCODER,
            f"{ENCODER}.sqrt()",
        ),
    ),
    caught_one(
        PART,
        "loss_discriminator",
        TRAIN,
        "spoils-the-images",
        "spoils",
        ("opt_discriminator.step()", "opt_discriminator.step(), x.mul_(0.5)"),
    ),
    *unseen(
        "the steps beside it",
        *(
            caught_one(
                PART,
                question,
                TRAIN,
                name,
                "spoils",
                (f"opt_{step}.step()", f"opt_{step}.step(), {spoiled}"),
            )
            for question, name, step, spoiled in (
                ("loss_generator", "moves-the-discriminator", "generator", "optimizers[2].step()"),
                ("loss_autoencoder", "sets-the-seed", "encoder", "torch.manual_seed(0)"),
            )
        ),
    ),
    *(
        caught_one(
            PART,
            f"loss_{step}",
            TRAIN,
            "slower-with-time",
            "changes the rate",
            (
                f"            opt_{solver}.step()\n",
                f"            opt_{solver}.step()\n"
                f"            opt_{solver}.param_groups[0]['lr'] *= 0.99\n",
            ),
        )
        for step, solver in STEPS
    ),
)
