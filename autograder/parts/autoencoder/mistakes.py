"""Mistakes in the part autoencoder."""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, caught_one, told_one, unseen

CLEARED = "            optimizer.zero_grad()\n"
STEP = "            optimizer.step()\n"

_within = partial(told_one, "autoencoder")


def _encoder(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("architecture", "class AEEncoder(nn.Module)", id, sentence, *edits)


def _decoder(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("architecture", "class AEDecoder(nn.Module)", id, sentence, *edits)


def _joined(id: str, sentence: str, expression: str) -> Mistake:
    edit = ("return self.decoder(self.encoder(x))", f"return {expression}")
    return _within("architecture", "class AutoEncoder(nn.Module)", id, sentence, edit)


RELU6 = "ReLU6 stands where the question asks for ReLU."
CUT_OFF = "hidden values are cut off at some number, as by ReLU6; ReLU has no upper end."
CLAMPED_CODE = "a code is cut off on its way to the decoder; it may be any number."

ARCHITECTURE = (
    _encoder(
        "relu-on-the-code",
        "ReLU stands at its end; a code may be any number.",
        ("nn.Linear(64, nz),", "nn.Linear(64, nz), nn.ReLU(),"),
    ),
    _encoder("no-relu", "there is no ReLU between its layers", ("            nn.ReLU(),\n", "")),
    _encoder("relu6", RELU6, ("nn.ReLU()", "nn.ReLU6()")),
    _encoder("cut-off", CUT_OFF, ("nn.ReLU()", "nn.Hardtanh(0.0, 20.0)")),
    _encoder(
        "code-cut-off",
        "a code is cut off; nothing follows the last layer, and it may be any number.",
        ("nn.Linear(64, nz),", "nn.Linear(64, nz), nn.Hardtanh(-5.0, 5.0),"),
    ),
    _encoder(
        "another-slope",
        "a ReLU of another slope stands where ReLU is asked for.",
        ("nn.ReLU()", "nn.LeakyReLU(0.1)"),
    ),
    _encoder(
        "narrow-encoder",
        "the hidden layers have 128 and 64 units",
        ("256", "128"),
    ),
    caught_one(
        "autoencoder",
        "architecture",
        "class AEEncoder(nn.Module)",
        "size-of-code-by-heart",
        "has shape (4, 32); it should be (4, 7)",
        ("nn.Linear(64, nz)", "nn.Linear(64, 32)"),
    ),
    _encoder(
        "no-small-layer",
        "2 Linear layers are at work; the question asks for 3.",
        ("            nn.Linear(256, 64),\n            nn.ReLU(),\n", ""),
        ("nn.Linear(64, nz)", "nn.Linear(256, nz)"),
    ),
    _encoder(
        "images-not-flattened",
        "is not what it is for the same images as (N, 784).",
        ("self.net(x.reshape(-1, self.input_size))", "self.net(x)"),
    ),
    _encoder(
        "first-layer-not-trained",
        "does not let training through to every layer and input.",
        ("self.net(x.reshape(", "self.net[1:](self.net[0](x.reshape("),
        ("-1, self.input_size))", "-1, self.input_size)).detach())"),
    ),
    _decoder(
        "double-precision",
        "what comes next is of float32, and raises.",
        ("self.output_size)", "self.output_size).double()"),
    ),
    _decoder(
        "no-sigmoid", "the Sigmoid at its end is missing.", ("            nn.Sigmoid(),\n", "")
    ),
    _decoder(
        "no-activations",
        "the Sigmoid at its end is missing.",
        (
            "            nn.Linear(64, 256),\n            nn.ReLU(),\n",
            "            nn.Linear(64, 256),\n",
        ),
        ("            nn.Sigmoid(),\n", ""),
    ),
    _decoder("decoder-relu6", RELU6, ("nn.ReLU()", "nn.ReLU6()")),
    _decoder("tanh-on-pixels", "its end is Tanh", ("nn.Sigmoid()", "nn.Tanh()")),
    _decoder(
        "not-mirrored",
        "the hidden layers have 256 and 64 units",
        ("nn.Linear(nz, 64)", "nn.Linear(nz, 256)"),
        ("nn.Linear(64, 256)", "nn.Linear(256, 64)"),
        ("nn.Linear(256, output_size)", "nn.Linear(64, output_size)"),
    ),
    _joined("code-returned", "AutoEncoder returns the code, not the image.", "self.encoder(x)"),
    _joined(
        "second-sigmoid",
        "A Sigmoid follows the decoder, which ends in one.",
        "torch.sigmoid(self.decoder(self.encoder(x)))",
    ),
    _joined(
        "detached",
        "the code is cut off from the encoder, which would never learn.",
        "self.decoder(self.encoder(x).detach())",
    ),
    _joined(
        "decoder-not-trained",
        "No gradient passes through AutoEncoder",
        "torch.func.functional_call(self.decoder, {name: one.detach() for name, one in "
        "self.decoder.named_parameters()}, self.encoder(x))",
    ),
    *unseen(
        "two networks at once",
        _within(
            "architecture",
            "class AutoEncoder(nn.Module)",
            "shared",
            "Two networks that AutoEncoder makes share weights",
            (
                "self.decoder = AEDecoder(nz=nz, output_size=784)",
                "if not hasattr(AutoEncoder, 'one'):\n"
                "            AutoEncoder.one = AEDecoder(nz=nz, output_size=784)\n"
                "        self.decoder = AutoEncoder.one",
            ),
        ),
    ),
    _within(
        "architecture",
        "class AutoEncoder(nn.Module)",
        "decoder-frozen",
        "No gradient passes through AutoEncoder",
        ("nz=nz, output_size=784)", "nz=nz, output_size=784).requires_grad_(False)"),
    ),
    _within(
        "architecture",
        "class AutoEncoder(nn.Module)",
        "encoder-hidden",
        "The parameters of AutoEncoder are not those of its encoder",
        ("self.encoder = AEEncoder", 'self.__dict__["encoder"] = AEEncoder'),
    ),
    _joined("clamped-codes", CLAMPED_CODE, "self.decoder(self.encoder(x).clamp(-5, 5))"),
    _joined("image-returned", "AutoEncoder returns the images that it was given.", "x.flatten(1)"),
)

BATCHES = "batches(images, labels, batch_size=batch_size, shuffle=True, drop_last=True)"


def _loader(id: str, sentence: str, body: str) -> Mistake:
    return _within("loader", "def make_loader(", id, sentence, (f"return {BATCHES}", body))


ORDER = "order = torch.randperm(len(images))\n    return "
LOADER = (
    _loader(
        "not-shuffled",
        "The images come in the order of the data.",
        f"return {BATCHES.replace('shuffle=True', 'shuffle=False')}",
    ),
    _loader(
        "last-batch-kept",
        "The last batch is not full; leave it out.",
        f"return {BATCHES.replace('drop_last=True', 'drop_last=False')}",
    ),
    _loader(
        "shuffled-once",
        "Every pass has the same order.",
        ORDER + "batches(images[order], labels[order], batch_size, shuffle=False, drop_last=True)",
    ),
    _loader("a-list", "Every pass has the same order.", f"return list({BATCHES})"),
    _loader("one-pass", "The loader serves one pass only", f"return iter({BATCHES})"),
    _loader(
        "images-shuffled-alone",
        "come with the label of another.",
        ORDER + "batches(images[order], labels, batch_size, shuffle=True, drop_last=True)",
    ),
    _loader(
        "size-by-heart",
        "batch_size is ignored.",
        f"return {BATCHES.replace('batch_size=batch_size', 'batch_size=4')}",
    ),
    _loader(
        "last-ones-never",
        "Every pass leaves out the same images.",
        "whole = len(images) // batch_size * batch_size\n"
        f"    return {BATCHES.replace('(images, labels', '(images[:whole], labels[:whole]')}",
    ),
    _loader(
        "labels-as-floats",
        "leave the types as they are.",
        f"return {BATCHES.replace('labels,', 'labels.float(),')}",
    ),
    _loader(
        "turned-round",
        "Images that are neighbours in the data come one after another.",
        "class Turned:\n"
        "        def __iter__(self):\n"
        "            n = len(images)\n"
        "            order = torch.arange(n).roll(int(torch.randint(n, ())))\n"
        "            for k in range(0, n - batch_size + 1, batch_size):\n"
        "                index = order[k : k + batch_size]\n"
        "                yield images[index], labels[index]\n"
        "    return Turned()",
    ),
    _loader(
        "begun-elsewhere",
        "Every pass has the same order, begun elsewhere.",
        "class Turned:\n"
        "        order = torch.randperm(len(images))\n"
        "        def __iter__(self):\n"
        "            n = len(images)\n"
        "            order = self.order.roll(int(torch.randint(n, ())))\n"
        "            for k in range(0, n - batch_size + 1, batch_size):\n"
        "                index = order[k : k + batch_size]\n"
        "                yield images[index], labels[index]\n"
        "    return Turned()",
    ),
    *unseen(
        "many passes",
        _loader(
            "halves-shuffled-apart",
            "Images that lie early in the data come early in every pass.",
            "class Halves:\n"
            "        def __iter__(self):\n"
            "            n = len(images)\n"
            "            order = (torch.rand(n) + torch.arange(n) * 2 // n).argsort()\n"
            "            for k in range(0, len(images) - batch_size + 1, batch_size):\n"
            "                index = order[k : k + batch_size]\n"
            "                yield images[index], labels[index]\n"
            "    return Halves()",
        ),
        _loader(
            "two-orders-in-turn",
            "An order of the images comes back.",
            "class InTurn:\n"
            "        orders = [torch.randperm(len(images)) for _ in range(2)]\n"
            "        def __iter__(self):\n"
            "            self.orders = self.orders[::-1]\n"
            "            for k in range(0, len(images) - batch_size + 1, batch_size):\n"
            "                index = self.orders[0][k : k + batch_size]\n"
            "                yield images[index], labels[index]\n"
            "    return InTurn()",
        ),
    ),
    _loader(
        "a-batch-less-from-the-second-pass",
        "The batches of 53 images have the sizes",
        "class Fewer:\n"
        "        passes = 0\n"
        "        def __iter__(self):\n"
        f"            whole = list({BATCHES})\n"
        "            self.passes += 1\n"
        "            return iter(whole if self.passes == 1 else whole[1:])\n"
        "    return Fewer()",
    ),
    _loader(
        "a-batch-twice-from-the-second-pass",
        "An image comes twice in one pass.",
        "class Twice:\n"
        "        passes = 0\n"
        "        def __iter__(self):\n"
        f"            whole = list({BATCHES})\n"
        "            self.passes += 1\n"
        "            return iter(whole if self.passes == 1 else whole[1:] + whole[-1:])\n"
        "    return Twice()",
    ),
    _loader(
        "batches-shuffled",
        "each holds the same images on every pass.",
        "from torch.utils.data import DataLoader\n"
        "    whole = len(images) // batch_size * batch_size\n"
        "    pairs = [(images[k : k + batch_size], labels[k : k + batch_size])\n"
        "             for k in range(0, whole, batch_size)]\n"
        "    return DataLoader(pairs, batch_size=None, shuffle=True)",
    ),
)

NEVER_CLEARED = "Gradients are never cleared: each step takes those of all steps before it as well."
NOTHING_LEARNT = (
    "A step finds no gradients, or there is none: backward fills them, step follows, and zero_grad "
    "does not stand between the two."
)
RATE = "The optimizer ignores lr."
PLAIN = "The optimizer is plain gradient descent; the question asks for Adam."
ONCE = "Training goes through the loader once, whatever epochs says."
FIRST_BATCH = "Only the first batch of each epoch is used."
EVALUATION = "The model is in evaluation mode while it trains: model.train(), not model.eval()."
REMADE = "Every epoch makes a new optimizer, which forgets what Adam has gathered."


CLIPPED = "Gradients are clipped; Adam takes them as they are."
CLIP = "nn.utils.clip_grad_norm_"


def _steps(question: str, within: str, backward: str) -> tuple[Mistake, ...]:
    """What goes wrong in any training loop."""

    def one(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
        return _within(question, within, id, sentence, *edits)

    late = (CLEARED, ""), (STEP, CLEARED + STEP)
    remade = "        optimizer = adam(model.parameters(), lr)\n"
    epoch = '        print(f"Run Epoch {epoch}")\n'
    return (
        one("gradients-add-up", NEVER_CLEARED, (CLEARED, "")),
        one("gradients-cleared-too-late", NOTHING_LEARNT, *late),
        one(
            "rate-by-heart",
            RATE,
            ("adam(model.parameters(), lr)", "adam(model.parameters(), 1e-3)"),
        ),
        one(
            "gradient-descent",
            PLAIN,
            ("adam(model.parameters(), lr)", "torch.optim.SGD(model.parameters(), lr=lr)"),
        ),
        one("one-epoch", ONCE, ("resumable(epochs,", "resumable(1,")),
        one("evaluation", EVALUATION, ("model.train()\n", "model.eval()\n")),
        one("bar-of-nothing", "", ("progress(loader, ", "progress(")),
        one(
            "a-batch-less",
            "A batch of each epoch is left out.",
            ("progress(loader,", "progress(list(loader)[1:],"),
        ),
        one(
            "a-batch-twice",
            "A batch of each epoch is used twice.",
            ("progress(loader,", "progress(list(loader) + list(loader)[:1],"),
        ),
        one(
            "the-last-batch-for-the-first",
            "The first batch of each epoch is left out, and another one is used twice.",
            ("progress(loader,", "progress(list(loader)[1:] + list(loader)[-1:],"),
        ),
        one("first-batch", FIRST_BATCH, ("progress(loader,", "progress(list(loader)[:1],")),
        one("new-optimizer", REMADE, (epoch, epoch + remade)),
        one(
            "amsgrad",
            "Adam with torch's usual settings",
            (
                "adam(model.parameters(), lr)",
                "torch.optim.Adam(model.parameters(), lr, amsgrad=True)",
            ),
        ),
        one(
            "short-memory",
            "Adam with torch's usual settings",
            (
                "adam(model.parameters(), lr)",
                "torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.998))",
            ),
        ),
        *unseen(
            "interrupted training",
            one(
                "optimizer-not-kept",
                "resumable is not told of the optimizer, so Adam begins anew after a stop.",
                (" optimizer=optimizer,", ""),
            ),
        ),
        *unseen(
            "other models, images, epochs",
            one(
                "gradients-clipped",
                CLIPPED,
                (STEP, f"            {CLIP}(model.parameters(), 5.0)\n{STEP}"),
            ),
        ),
        one(
            "batches-kept",
            "Every epoch is trained on the batches of the first one.",
            ("model.train()\n", "model.train()\n    loader = list(loader)\n"),
        ),
        one("no-backward", NOTHING_LEARNT, (f"            {backward}.backward()\n", "")),
        one(
            "left-frozen",
            "The model is left frozen, so that it cannot be trained any further.",
            ('    print("Done!")\n', "    model.requires_grad_(False)\n"),
        ),
    )


OFF_BOTH_ENDS = "{} is kept off 0 and 1, so that pixels that are far off count too little."


def _loop(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("loop", "def train_autoencoder(", id, sentence, *edits)


ENTROPY = "F.binary_cross_entropy(x_hat, x.reshape(x_hat.shape))"
LOOP = (
    *_steps("loop", "def train_autoencoder(", "loss"),
    _loop(
        "summed",
        "The loss is summed over the pixels; it is their mean.",
        (ENTROPY, 'F.binary_cross_entropy(x_hat, x.reshape(x_hat.shape), reduction="sum")'),
    ),
    _loop(
        "squared-error",
        "The loss is the squared error; the question asks for the binary cross-entropy.",
        (ENTROPY, "F.mse_loss(x_hat, x.reshape(x_hat.shape))"),
    ),
    _loop(
        "sides-exchanged",
        "Image and reconstruction have changed places in the loss.",
        (ENTROPY, "F.binary_cross_entropy(x.reshape(x_hat.shape), x_hat)"),
    ),
    _loop(
        "clamped-images",
        OFF_BOTH_ENDS.format("x_hat"),
        (ENTROPY, ENTROPY.replace("(x_hat, x.", "(x_hat.clamp(0.05, 0.95), x.")),
    ),
    *unseen(
        "other models, images",
        _loop(
            "unlikely-pixels-clamped",
            OFF_BOTH_ENDS.format("x_hat"),
            (ENTROPY, ENTROPY.replace("(x_hat, x.", "(x_hat.clamp(1e-4, 1 - 1e-4), x.")),
        ),
    ),
    *unseen(
        "interrupted training",
        _loop(
            "losses-not-kept",
            "resumable is not told of the losses: those before a stop are lost.",
            (", losses=losses)", ")"),
        ),
    ),
    _loop(
        "one-loss-an-epoch",
        "one for each step is asked for.",
        ("            losses.append(loss.detach())", "        losses.append(loss.detach())"),
    ),
    _loop(
        "sum-so-far",
        "The list holds sums of all losses so far.",
        ("losses.append(loss.detach())", "losses.append(loss.detach() + sum(losses[-1:]))"),
    ),
)


def _prior(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("sample_prior", "def sample_prior(", id, sentence, *edits)


DRAW = "torch.randn(n, model.nz, device=next(model.parameters()).device)"
UNIFORM = "torch.rand is uniform between 0 and 1; the prior is normal, torch.randn."
ONE_CODE = "All images come from one and the same code."
NO_NOISE = "All codes are zero."
EVEN = "The codes are evened out over the batch; draw each on its own, and leave it as it is."
ONE_LENGTH = "The codes are scaled to one length; those of N(0, I) have lengths of their own."
CLAMPED = "Large numbers are clamped; a normal draw has no ends."
SAMPLE_PRIOR = (
    _prior("uniform", UNIFORM, ("torch.randn(", "torch.rand(")),
    _prior("one-code", ONE_CODE, (DRAW, "torch.randn(1, model.nz).repeat(n, 1)")),
    _prior("zeros", NO_NOISE, (DRAW, "torch.zeros(n, model.nz)")),
    _prior(
        "divided-by-root-nz",
        "The codes are divided by the root of nz; their spread is 1.",
        (DRAW, f"{DRAW} / model.nz**0.5"),
    ),
    _prior("clamped", CLAMPED, (DRAW, f"{DRAW}.clamp(-3, 3)")),
    _prior("standardised", EVEN, (DRAW, f"{DRAW}\n    z = (z - z.mean(0)) / z.std(0)")),
    _prior(
        "standardised-together",
        EVEN,
        (DRAW, f"{DRAW}\n    z = (z - z.mean()) / z.std(correction=0)"),
    ),
    _prior("of-one-length", ONE_LENGTH, (DRAW, f"model.nz**0.5 * F.normalize({DRAW})")),
    _prior("opposite-pairs", EVEN, (DRAW, f"{DRAW}[: n // 2 + 1]\n    z = torch.cat((z, -z))[:n]")),
    _prior("narrower", "", (DRAW, f"0.9 * {DRAW}")),
    _prior("size-by-heart", "", (DRAW, "torch.randn(n, 32)")),
    _prior("one-number", "", (DRAW, "torch.randn(n, 1).repeat(1, model.nz)")),
    _prior("not-decoded", "", ("model.decoder(z)", "torch.randn(n, 784)")),
    _prior(
        "fixed-seed", "Two calls draw the same codes.", (DRAW, f"torch.manual_seed(0) and {DRAW}")
    ),
    _prior(
        "flat", "should have the shape (n, 1, 28, 28).", (".reshape(-1, 1, 28, 28)", ".flatten(1)")
    ),
)


def _vae(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("beta_vae", "class BetaVAE(nn.Module)", id, sentence, *edits)


Z = "z = mu + torch.exp(log_sigma) * torch.randn_like(mu)  # (N, Z)"
AFTER = Z.partition("  #")[0]
STANDARD = "z = (z - z.mean(0)) / z.std(0)"
EVEN_NOISE = "F.batch_norm(torch.randn_like(mu), None, None, training=True, eps=1e-12)"
EVEN_CODES = "The codes are standardised over the batch before they are decoded."
IN_EVALUATION = "After model.eval() rec is decoded from the mean; forward draws a code there, too."
CLAMPED_SPREAD = "log_sigma is cut off; a spread may be as small or as large as it likes."
FREE = "A small divergence is raised to some number (free bits); kl_loss is what it is."
SPLIT = "mu, log_sigma = q.chunk(2, dim=-1)  # (N, Z) each"
REC = "F.binary_cross_entropy(rec, x.reshape(rec.shape))"
Q_CUT = "No gradient goes from q to the networks that made it."
KL = "kl_divergence(mu, log_sigma, zero, zero).mean()"
TOTAL = 'return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}'
BETA_VAE = (
    _vae(
        "code-of-nz",
        "The encoder gives nz numbers; mu and log_sigma are 2 * nz together.",
        ("nz=2 * nz", "nz=nz"),
    ),
    _vae("decoder-of-both-halves", "", ("AEDecoder(nz=nz", "AEDecoder(nz=2 * nz")),
    _vae(
        "halves-exchanged",
        "forward takes log_sigma for mu, and mu for log_sigma.",
        (SPLIT, SPLIT.replace("mu, log_sigma", "log_sigma, mu")),
    ),
    _vae(
        "variance",
        "log_sigma is the logarithm of sigma itself: sigma = exp(log_sigma), without a half.",
        (Z, Z.replace("log_sigma", "log_sigma / 2")),
    ),
    _vae(
        "log-sigma-as-sigma",
        "log_sigma is taken for sigma; sigma is its exponential.",
        (Z, Z.replace("torch.exp(log_sigma)", "log_sigma")),
    ),
    _vae("mean-decoded", "rec is decoded from the mean, without noise.", (Z, "z = mu")),
    _vae(
        "uniform",
        "The noise is uniform (rand); it is normal (randn).",
        (Z, Z.replace("randn", "rand")),
    ),
    _vae(
        "one-noise",
        "All images of a batch get the same noise.",
        (Z, Z.replace("torch.randn_like(mu)", "torch.randn_like(mu[:1])")),
    ),
    _vae(
        "not-reparametrized",
        "No gradient passes from rec to the images.",
        (Z, "z = torch.normal(mu, torch.exp(log_sigma)).detach()"),
    ),
    _vae(
        "noise-without-gradient",
        "No gradient reaches log_sigma.",
        (Z, Z.replace("torch.exp(log_sigma)", "torch.exp(log_sigma).detach()")),
    ),
    _vae("clamped-noise", CLAMPED, (Z, Z.replace("_like(mu)", "_like(mu).clamp(-3, 3)"))),
    _vae("clamped-spread", CLAMPED_SPREAD, (Z, Z.replace("sigma)", "sigma.clamp(-2, 2))"))),
    *unseen(
        "random images, codes",
        _vae(
            "noise-clamped-far",
            CLAMPED,
            (Z, Z.replace("_like(mu)", "_like(mu).clamp(-4, 4)")),
        ),
        _vae(
            "spread-clamped-far",
            CLAMPED_SPREAD,
            (Z, Z.replace("sigma)", "sigma.clamp(-5, 5))")),
        ),
    ),
    _vae("clamped-codes", CLAMPED_CODE, (Z, Z.replace("= mu", "= mu.clamp(-5, 5)"))),
    _vae("mean-in-evaluation", IN_EVALUATION, (Z, f"{AFTER} if self.training else mu")),
    _vae("standardised-codes", EVEN_CODES, (Z, f"{AFTER}\n        {STANDARD}")),
    _vae("standardised-noise", EVEN, (Z, Z.replace("torch.randn_like(mu)", EVEN_NOISE))),
    _vae("q-detached", Q_CUT, ('{"q": q,', '{"q": q.detach(),')),
    _vae(
        "double-precision",
        "rec is of torch.float64",
        ("self.decoder(z)", "self.decoder(z).double()"),
    ),
    _vae(
        "summed-pixels",
        "rec_loss is summed over the pixels; it is their mean.",
        (REC, REC.replace("shape))", 'shape), reduction="sum")')),
    ),
    _vae(
        "squared-error",
        "rec_loss is the squared error; the question asks for the binary cross-entropy.",
        (REC, "F.mse_loss(rec, x.reshape(rec.shape))"),
    ),
    _vae(
        "summed-divergence",
        "kl_loss is summed; it is a mean over all its entries.",
        (KL, KL.replace("mean", "sum")),
    ),
    _vae(
        "divergence-of-images",
        "kl_loss is summed over the latent dimensions; it is their mean.",
        (KL, KL.replace("mean()", "sum(-1).mean()")),
    ),
    _vae(
        "divergence-turned-round",
        "kl_loss is the divergence of the prior from q; the order matters.",
        (KL, "kl_divergence(zero, zero, mu, log_sigma).mean()"),
    ),
    _vae("free-bits", FREE, (KL, KL.replace(".mean", ".clamp(min=0.1).mean"))),
    _vae("free-bits-of-all", FREE, (KL, f"{KL}.clamp(min=0.5)")),
    _vae(
        "clamped-log-sigma",
        "log_sigma is cut off in kl_loss; it may be any number.",
        (KL, KL.replace("mu, log_sigma,", "mu, log_sigma.clamp(-2, 2),")),
    ),
    _vae(
        "clamped-images",
        OFF_BOTH_ENDS.format("rec"),
        (REC, REC.replace("(rec, x.", "(rec.clamp(0.05, 0.95), x.")),
    ),
    _vae("divergence-negative", "The sign of kl_loss is flipped.", (KL, f"-{KL}")),
    _vae(
        "beta-in-the-term",
        "kl_loss has been multiplied by beta already.",
        (TOTAL, TOTAL.replace('"kl_loss": kl_loss', '"kl_loss": self.beta * kl_loss')),
    ),
    _vae(
        "no-beta", "beta does not count.", (TOTAL, TOTAL.replace("self.beta * kl_loss", "kl_loss"))
    ),
    _vae(
        "beta-squared",
        "beta counts twice.",
        (TOTAL, TOTAL.replace("self.beta * kl_loss", "self.beta**2 * kl_loss")),
    ),
    _vae(
        "subtracted",
        "The divergence is subtracted.",
        (TOTAL, TOTAL.replace("rec_loss +", "rec_loss -")),
    ),
    _vae(
        "divergence-as-a-number",
        "No gradient of the total reaches q.",
        (TOTAL, TOTAL.replace("* kl_loss,", "* kl_loss.item(),")),
    ),
    caught_one(
        "autoencoder",
        "beta_vae",
        "class BetaVAE(nn.Module)",
        "takes-q-away",
        "loss changes what it is given",
        ('q, rec = outputs["q"]', 'q, rec = outputs.pop("q")'),
    ),
    _vae(
        "reconstruct-samples",
        "reconstruct decodes a sample; decode the mean.",
        (
            "return self.decoder(mu).reshape(-1, 28, 28)",
            'return self.forward(x)["rec"].reshape(-1, 28, 28)',
        ),
    ),
    _vae(
        "reconstruct-clamped",
        CLAMPED_CODE,
        ("return self.decoder(mu).", "return self.decoder(mu.clamp(-5, 5))."),
    ),
    _vae(
        "reconstruct-the-spread",
        "reconstruct decodes log_sigma; decode mu.",
        ("mu, _ = self", "_, mu = self"),
    ),
)


def _vae_loop(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("beta_vae_loop", "def train_beta_vae(", id, sentence, *edits)


RETURNED = "return list(map(float, rec)), list(map(float, kl))"
BETA_VAE_LOOP = (
    *_steps("beta_vae_loop", "def train_beta_vae(", "total"),
    _vae_loop(
        "reconstruction-alone",
        "Training follows rec_loss alone; it follows the total.",
        ("total.backward()", 'terms["rec_loss"].backward()'),
    ),
    _vae_loop(
        "beta-left-out",
        "Training adds the terms without beta; the total has it.",
        ("total.backward()", '(terms["rec_loss"] + terms["kl_loss"]).backward()'),
    ),
    *unseen(
        "interrupted training",
        _vae_loop(
            "model-not-kept",
            "resumable is not told of the model: what was learnt before a stop is lost.",
            (" model=model,", ""),
        ),
    ),
    _vae_loop(
        "lists-exchanged",
        "kl and rec have changed places in what is returned.",
        (RETURNED, "return list(map(float, kl)), list(map(float, rec))"),
    ),
    _vae_loop(
        "total-returned",
        "The first list holds totals; it holds the reconstruction loss.",
        ("rec.append(rec_loss)", "rec.append(total.detach())"),
    ),
    _vae_loop(
        "beta-in-the-list",
        "The second list holds beta times the divergence.",
        ("kl.append(kl_loss)", "kl.append(model.beta * kl_loss)"),
    ),
    _vae_loop(
        "noise-on-the-images",
        "Training does not take the weights where it should.",
        (
            "            outputs =",
            "            x = x + 0.01 * torch.randn_like(x)\n            outputs =",
        ),
    ),
    _vae_loop(
        "called-once",
        "each step computes anew what the networks give",
        ("            outputs =", "            outputs = outputs if rec else"),
    ),
    _vae_loop("one-list", "two lists, (rec, kl)", (RETURNED, "return list(map(float, rec))")),
    _vae_loop(
        "head-raises", "is not iterable", ("adam(model.parameters(), lr)", "adam(model, lr)")
    ),
    _vae_loop("step-raises", "AttributeError", ("optimizer.step()", "optimizer.stop()")),
)


def _beta(id: str, value: str, sentence: str) -> Mistake:
    return _within("tuned_beta", "", id, sentence, ("TUNED_BETA = 0.105", f"TUNED_BETA = {value}"))


COLLAPSES = "collapses: the code says nothing about the image."
COPIES = "the model is an autoencoder: its codes lie far from the prior"
TUNED_BETA = (
    _beta("one", "1.0", COLLAPSES),
    _beta("ten", "10", COLLAPSES),
    _beta("zero", "0.0", COPIES),
    _beta("tiny", "1e-4", COPIES),
    _beta("negative", "-0.1", COPIES),
    _beta("infinite", "math.inf", COLLAPSES),
    _beta("text", '"0.105"', "should be a number"),
)


def _between(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("interpolate", "def interpolate_embeddings(", id, sentence, *edits)


STEPS = "w = torch.linspace(0, 1, steps, device=first.device).view(-1, 1)"
LINE = "return model.decoder((1 - w) * first + w * last).reshape(-1, 1, 28, 28)"
INTERPOLATE = (
    _between(
        "end-never-reached",
        "The last step does not reach the end: divide by steps - 1.",
        (STEPS, "w = (torch.arange(steps) / steps).view(-1, 1)"),
    ),
    _between(
        "backwards",
        "It goes from end to start.",
        ("(1 - w) * first + w * last", "w * first + (1 - w) * last"),
    ),
    _between(
        "pixels",
        "It mixes the decoded images; mix the codes, and decode what comes out.",
        (
            LINE,
            "return ((1 - w) * model.decoder(first[None]).view(1, -1)\n"
            "        + w * model.decoder(last[None]).view(1, -1)).view(-1, 1, 28, 28)",
        ),
    ),
    _between(
        "originals",
        "It mixes the images themselves; mix their codes.",
        (LINE, "return ((1 - w) * ends[0] + w * ends[1]).reshape(-1, 1, 28, 28)"),
    ),
    *unseen(
        "random images, other models",
        _between(
            "images-mixed",
            "Images are mixed and then encoded; the codes of both ends are mixed.",
            (
                "model.decoder((1 - w) * first + w * last)",
                "model.decoder(model.encoder((1 - w) * ends[0] + w * ends[1])[:, : model.nz])",
            ),
        ),
    ),
    _between(
        "clamped-codes",
        CLAMPED_CODE,
        ("(1 - w) * first + w * last", "((1 - w) * first + w * last).clamp(-5, 5)"),
    ),
    _between("five-steps", "", ("linspace(0, 1, steps", "linspace(0, 1, 5")),
    _between("rows-of-images", "", ("start.reshape(-1)", "start[0].reshape(-1)")),
    _between("both-halves", "", ("[:, : model.nz]", "")),
    _between("ends-left-out", "", (STEPS, "w = torch.linspace(0, 1, steps + 2)[1:-1].view(-1, 1)")),
    _between(
        "flat",
        "should have the shape (steps, 1, 28, 28).",
        (".reshape(-1, 1, 28, 28)", ".flatten(1)"),
    ),
)


def _told(id: str, sentence: str, within: str, *edits: tuple[str, str]) -> Mistake:
    return _within("conditional", f"class Conditional{within}(nn.Module)", id, sentence, *edits)


ONE_HOT = "idx2onehot(_need_labels(c), self.num_labels)"
FIRST = "the label stands first."
CONDITIONAL = (
    _told("label-before-image", FIRST, "AEEncoder", (f"(x, {ONE_HOT})", f"({ONE_HOT}, x)")),
    _told("label-before-code", FIRST, "AEDecoder", (f"(z, {ONE_HOT})", f"({ONE_HOT}, z)")),
    _told(
        "encoder-not-told",
        "Zeros stand in the place of the labels.",
        "AEEncoder",
        (ONE_HOT, "torch.zeros(len(x), self.num_labels)"),
    ),
    _told(
        "decoder-not-told",
        "Zeros stand in the place of the labels.",
        "AEDecoder",
        (ONE_HOT, "torch.zeros(len(z), self.num_labels)"),
    ),
    _told(
        "label-as-a-number",
        "The label is a number, repeated; it should be one-hot.",
        "AEEncoder",
        (ONE_HOT, "c.view(-1, 1).float().repeat(1, self.num_labels)"),
    ),
    _told(
        "no-sigmoid",
        "the Sigmoid at its end is missing.",
        "AEDecoder",
        ("            nn.Sigmoid(),\n", ""),
    ),
    _told("q-detached", Q_CUT, "BetaVAE", ('{"q": q,', '{"q": q.detach(),')),
    _told("no-c-returned", "has no `c`", "BetaVAE", (', "c": c}', "}")),
    _told(
        "ten-classes-by-heart",
        "is right for one size and not for another.",
        "AEDecoder",
        (ONE_HOT, "idx2onehot(_need_labels(c), 10)"),
    ),
    _told("told-without-asking", "", "AEEncoder", ("if self.conditional:", "if c is not None:")),
    _told("relu6", RELU6, "AEEncoder", ("nn.ReLU()", "nn.ReLU6()")),
    _told("decoder-relu6", RELU6, "AEDecoder", ("nn.ReLU()", "nn.ReLU6()")),
    _told("mean-in-evaluation", IN_EVALUATION, "BetaVAE", (Z, f"{AFTER} if self.training else mu")),
    _told(
        "clamped-spread", CLAMPED_SPREAD, "BetaVAE", (Z, Z.replace("sigma)", "sigma.clamp(-2, 2))"))
    ),
    *unseen(
        "random images, codes",
        _told(
            "noise-clamped-far",
            CLAMPED,
            "BetaVAE",
            (Z, Z.replace("_like(mu)", "_like(mu).clamp(-4, 4)")),
        ),
        _told(
            "spread-clamped-far",
            CLAMPED_SPREAD,
            "BetaVAE",
            (Z, Z.replace("sigma)", "sigma.clamp(-5, 5))")),
        ),
        _told(
            "clamped-images",
            OFF_BOTH_ENDS.format("rec"),
            "BetaVAE",
            (REC, REC.replace("(rec, x.", "(rec.clamp(1e-4, 1 - 1e-4), x.")),
        ),
    ),
    _told("free-bits", FREE, "BetaVAE", (KL, f"{KL}.clamp(min=0.5)")),
    _told("standardised-codes", EVEN_CODES, "BetaVAE", (Z, f"{AFTER}\n        {STANDARD}")),
    _told("mean-decoded", "rec is decoded from the mean, without noise.", "BetaVAE", (Z, "z = mu")),
    _told(
        "wrong-labels-for-the-decoder",
        "The decoder is given the labels of other images.",
        "BetaVAE",
        ("self.decoder(z, c)", "self.decoder(z, c.flip(0))"),
    ),
    _told("divergence-negative", "The sign of kl_loss is flipped.", "BetaVAE", (KL, f"-{KL}")),
    _told(
        "no-beta",
        "beta does not count.",
        "BetaVAE",
        (TOTAL, TOTAL.replace("self.beta * kl_loss", "kl_loss")),
    ),
    _told(
        "reconstruct-samples",
        "reconstruct decodes a sample; decode the mean.",
        "BetaVAE",
        (
            "return self.decoder(mu, c).reshape(-1, 28, 28)",
            'return self.forward(x, c)["rec"].reshape(-1, 28, 28)',
        ),
    ),
    _told(
        "reconstruct-without-label",
        "reconstruct does not give the labels to the decoder.",
        "BetaVAE",
        ("self.decoder(mu, c)", "self.decoder(mu, 0 * c)"),
    ),
    _told(
        "always-conditional",
        "",
        "AEDecoder",
        ("if self.conditional:", "if True:"),
        ("nz + num_labels if conditional else nz", "nz + num_labels"),
    ),
)


def _fed(id: str, sentence: str, call: str) -> Mistake:
    edit = ("model(x, labels) if", f"{call} if")
    return _within("conditional_loop", "def train_beta_vae(", id, sentence, edit)


OTHERS = "The model does not learn from the labels of its images."
CONDITIONAL_LOOP = (
    _fed("no-labels", "", "model(x)"),
    _fed(
        "zeros", "The model is told class 0 for every image.", "model(x, torch.zeros_like(labels))"
    ),
    _fed("labels-of-others", OTHERS, "model(x, labels.flip(0))"),
    _fed("one-label", OTHERS, "model(x, labels[:1].expand(len(x)))"),
    _fed("shuffled", OTHERS, "model(x, labels[torch.randperm(len(labels))])"),
    _fed("images-as-labels", "", "model(x, x)"),
    _within(
        "conditional_loop",
        "def train_beta_vae(",
        "the-other-way-round",
        "a conditional model takes images and labels, another one images alone",
        ("if getattr(", "if not getattr("),
    ),
    _within(
        "conditional_loop",
        "def train_beta_vae(",
        "always-labels",
        "A model that is not conditional is given something beside its images.",
        (' if getattr(model, "conditional", False) else model(x)', ""),
    ),
    _fed(
        "sorted", "The labels are sorted, their images are not.", "model(x, labels.sort().values)"
    ),
)


def _digits(id: str, sentence: str, *edits: tuple[str, str]) -> Mistake:
    return _within("sample_digits", "def sample_digits(", id, sentence, *edits)


CODE = "torch.randn(len(labels), model.nz, device=labels.device)"
ASKED = "The images are not of the classes that were asked for"
SAMPLE_DIGITS = (
    _digits(
        "one-code",
        "All digits come from one and the same code.",
        (CODE, "torch.randn(1, model.nz).repeat(len(labels), 1)"),
    ),
    _digits("uniform", UNIFORM, (CODE, CODE.replace("randn", "rand"))),
    _digits("standardised", EVEN, (CODE, f"{CODE}\n    z = (z - z.mean(0)) / z.std(0)")),
    _digits("of-one-length", ONE_LENGTH, (CODE, f"model.nz**0.5 * F.normalize({CODE})")),
    _digits("clamped", CLAMPED, (CODE, f"{CODE}.clamp(-3, 3)")),
    _digits("zeros", NO_NOISE, (CODE, "torch.zeros(len(labels), model.nz)")),
    _digits(
        "sorted",
        "The labels have been sorted.",
        ("model.decoder(z, labels)", "model.decoder(z, labels.sort().values)"),
    ),
    _digits(
        "one-class",
        ASKED,
        ("model.decoder(z, labels)", "model.decoder(z, labels[:1].expand(len(labels)))"),
    ),
    _digits(
        "random-classes",
        ASKED,
        ("model.decoder(z, labels)", "model.decoder(z, torch.randint(10, labels.shape))"),
    ),
    _digits(
        "ten-digits", "", ("model.decoder(z, labels)", "model.decoder(z[:10], torch.arange(10))")
    ),
    _digits("no-labels", "", ("model.decoder(z, labels)", "model.decoder(z)")),
    _digits("size-by-heart", "", (CODE, "torch.randn(len(labels), 32)")),
    _digits(
        "flat", "should have the shape (N, 1, 28, 28).", (".reshape(-1, 1, 28, 28)", ".flatten(1)")
    ),
)

MISTAKES: tuple[Mistake, ...] = (
    *ARCHITECTURE,
    *LOADER,
    *LOOP,
    *SAMPLE_PRIOR,
    *BETA_VAE,
    *BETA_VAE_LOOP,
    *TUNED_BETA,
    *INTERPOLATE,
    *CONDITIONAL,
    *CONDITIONAL_LOOP,
    *SAMPLE_DIGITS,
)
