"""Mistakes in fc-vae: question -> name -> (source, what the message must say).

Each costs marks on its own question and on no other. An empty sentence means that any will do.
"""

from __future__ import annotations

from .vae_marks import edited, with_code
from .vae_styles import IMPORTS

Mistakes = dict[str, tuple[str, str]]

ENCODER = """            nn.Linear(self.hidden_dim, self.hidden_dim),
            nn.ReLU(),
        )
        self.mu_layer"""
CODE = (
    "        mu = self.mu_layer(hidden)  # (N, Z)\n"
    "        logvar = self.logvar_layer(hidden)  # (N, Z)\n"
)
FORWARD = CODE + (
    "        z = reparametrize(mu, logvar)  # (N, Z)\n        return self.decoder(z), mu, logvar"
)
SAMPLE = "z = reparametrize(mu, logvar)  # (N, Z)"


def vae(*edits: tuple[str, str]) -> str:
    return edited(*edits, within="class VAE")


def cvae(*edits: tuple[str, str]) -> str:
    return edited(*edits, within="class CVAE")


def forward(old: str, new: str) -> str:
    return vae((FORWARD, FORWARD.replace(old, new)))


def sampler(body: str) -> str:
    return with_code(f"{IMPORTS}\ndef reparametrize(mu, logvar):\n    {body}\n")


def loss(b: str = "", kl: str = "", total: str = "(b + kl) / len(x)") -> str:
    b = b or "F.binary_cross_entropy(x_hat, x, reduction='sum')"
    kl = kl or "-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())"
    return with_code(
        f"{IMPORTS}\ndef loss_function(x_hat, x, mu, logvar):\n"
        f"    b = {b}\n    kl = {kl}\n    return {total}\n"
    )


DECODER_END = "            nn.Linear(self.hidden_dim, input_size),\n            nn.Sigmoid(),\n"
LAST_RELU = "            nn.ReLU(),\n            nn.Linear(self.hidden_dim, input_size),\n"
HIDDEN = "            nn.Linear(self.hidden_dim, self.hidden_dim),\n            nn.ReLU(),\n"

NETWORKS: Mistakes = {
    "encoder without its last ReLU": (
        vae((ENCODER, ENCODER.replace("            nn.ReLU(),\n", ""))),
        "the ReLU after Linear layer 3 is missing",
    ),
    "encoder of two layers": (
        vae((ENCODER, ENCODER.replace(HIDDEN, ""))),
        "2 Linear layers are at work; the question asks for 3",
    ),
    "encoder of four layers": (
        vae((ENCODER, HIDDEN + ENCODER)),
        "4 Linear layers are at work; the question asks for 3",
    ),
    "no ReLU at all": (vae(("            nn.ReLU(),\n", "")), "there is no ReLU"),
    "LeakyReLU": (vae(("nn.ReLU()", "nn.LeakyReLU()")), "LeakyReLU stands"),
    "LeakyReLU of 0.2": (vae(("nn.ReLU()", "nn.LeakyReLU(0.2)")), "slope 0.2 stands"),
    "Tanh": (vae(("nn.ReLU()", "nn.Tanh()")), "Tanh stands"),
    "Sigmoid inside": (vae(("nn.ReLU()", "nn.Sigmoid()")), "Sigmoid stands"),
    "one layer for mu and logvar": (
        vae(
            (
                "self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)",
                "self.logvar_layer = self.mu_layer",
            )
        ),
        "one and the same layer",
    ),
    "ReLU after mu": (
        vae(
            (
                "self.mu_layer = nn.Linear(self.hidden_dim, latent_size)",
                "self.mu_layer = nn.Sequential(nn.Linear(self.hidden_dim, latent_size), nn.ReLU())",
            )
        ),
        "a ReLU follows",
    ),
    "Softplus after logvar": (
        vae(
            (
                "self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)",
                "self.logvar_layer = nn.Sequential(nn.Linear(self.hidden_dim, latent_size), "
                "nn.Softplus())",
            )
        ),
        "a Softplus follows",
    ),
    "two layers for mu": (
        vae(
            (
                "self.mu_layer = nn.Linear(self.hidden_dim, latent_size)",
                "self.mu_layer = nn.Sequential(nn.Linear(self.hidden_dim, self.hidden_dim), "
                "nn.ReLU(), nn.Linear(self.hidden_dim, latent_size))",
            )
        ),
        "mu_layer holds 2 Linear layers",
    ),
    "latent size ignored": (
        vae(
            ("latent_size)\n        self.logvar", "15)\n        self.logvar"),
            (
                "self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)",
                "self.logvar_layer = nn.Linear(self.hidden_dim, 15)",
            ),
            ("nn.Linear(latent_size,", "nn.Linear(15,"),
        ),
        "give 15 and 15 numbers",
    ),
    "no Sigmoid": (vae(("            nn.Sigmoid(),\n", "")), "the Sigmoid at its end is missing"),
    "two Sigmoids": (vae(("nn.Sigmoid(),", "nn.Sigmoid(), nn.Sigmoid(),")), "twice over"),
    "Tanh at the end": (vae(("nn.Sigmoid()", "nn.Tanh()")), "its end is Tanh"),
    "ReLU before the Sigmoid": (
        vae(("nn.Sigmoid(),", "nn.ReLU(), nn.Sigmoid(),")),
        "a ReLU stands before its Sigmoid",
    ),
    "softmax at the end": (vae(("nn.Sigmoid()", "nn.Softmax(dim=1)")), "softmax"),
    "decoder without its last ReLU": (
        vae((LAST_RELU, LAST_RELU.replace("            nn.ReLU(),\n", ""))),
        "the ReLU after Linear layer 3 is missing",
    ),
    "decoder of three layers": (
        vae((HIDDEN + DECODER_END, DECODER_END)),
        "3 Linear layers are at work; the question asks for 4",
    ),
    "decoder of five layers": (
        vae((DECODER_END, HIDDEN + DECODER_END)),
        "5 Linear layers are at work; the question asks for 4",
    ),
    "no Unflatten": (
        vae(("            nn.Unflatten(1, (1, 28, 28)),\n", "")),
        "flat rows of 784 pixels",
    ),
    "a funnel": (
        vae(
            ("nn.Linear(input_size, self.hidden_dim)", "nn.Linear(input_size, 512)"),
            (
                "nn.Linear(self.hidden_dim, self.hidden_dim),\n            nn.ReLU(),\n            "
                "nn.Linear(self.hidden_dim, self.hidden_dim),\n            nn.ReLU(),\n        )\n"
                "        self.mu",
                "nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 400), nn.ReLU())\n        self.mu",
            ),
        ),
        "different widths",
    ),
    "batch norm": (
        vae(("nn.ReLU(),", "nn.ReLU(), nn.BatchNorm1d(self.hidden_dim),")),
        "Linear layers only",
    ),
    "dropout": (vae(("nn.ReLU(),", "nn.ReLU(), nn.Dropout(0.5),")), ""),
    "the last two layers share their weights": (
        with_code(
            "_init = VAE.__init__\ndef _shared(self, *args, **kwargs):\n"
            "    _init(self, *args, **kwargs)\n    self.encoder[5] = self.encoder[3]\n"
            "VAE.__init__ = _shared"
        ),
        "2 Linear layers",
    ),
}

REPARAMETRIZE: Mistakes = {
    "variance as spread": (sampler("return mu + logvar.exp() * torch.randn_like(mu)"), "variance"),
    "logvar as spread": (sampler("return mu + logvar * torch.randn_like(mu)"), "logvar itself"),
    "root of |logvar|": (
        sampler("return mu + logvar.abs().sqrt() * torch.randn_like(mu)"),
        "root of |logvar|",
    ),
    "root of logvar": (sampler("return mu + torch.sqrt(logvar) * torch.randn_like(mu)"), "NaN"),
    "exp(2 logvar)": (
        sampler("return mu + torch.exp(2 * logvar) * torch.randn_like(mu)"),
        "exp(2 logvar)",
    ),
    "sign turned": (
        sampler("return mu + torch.exp(-logvar / 2) * torch.randn_like(mu)"),
        "sign is turned",
    ),
    "root twice": (
        sampler("return mu + torch.exp(logvar / 2).sqrt() * torch.randn_like(mu)"),
        "twice",
    ),
    "spread one": (sampler("return mu + torch.randn_like(mu) + 0 * logvar"), "spread is 1"),
    "mu forgotten": (
        sampler("return torch.exp(logvar / 2) * torch.randn_like(mu)"),
        "mu is not added",
    ),
    "mu scales": (
        sampler("return torch.exp(logvar / 2) + mu * torch.randn_like(mu)"),
        "change places",
    ),
    "mu inside": (
        sampler("return torch.exp(logvar / 2) * (mu + torch.randn_like(mu))"),
        "multiplied by sigma",
    ),
    "mu subtracted": (
        sampler("return torch.exp(logvar / 2) * torch.randn_like(mu) - mu"),
        "subtracted",
    ),
    "uniform": (sampler("return mu + torch.exp(logvar / 2) * torch.rand_like(mu)"), "uniform"),
    "centred uniform": (
        sampler("return mu + torch.exp(logvar / 2) * (torch.rand_like(mu) - 0.5) * 12 ** 0.5"),
        "",
    ),
    "no noise": (sampler("return mu + torch.exp(logvar / 2)"), "no noise"),
    "mu alone": (sampler("return mu"), "no noise"),
    "one number": (
        sampler("return mu + torch.exp(logvar / 2) * torch.randn(1)"),
        "one random number",
    ),
    "noise shared by rows": (
        sampler("return mu + torch.exp(logvar / 2) * torch.randn(mu.shape[1])"),
        "Every image of the batch gets the same noise",
    ),
    "noise shared by columns": (
        sampler("return mu + torch.exp(logvar / 2) * torch.randn(mu.shape[0], 1)"),
        "All latent dimensions",
    ),
    "a fixed seed": (
        sampler("torch.manual_seed(0); return mu + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        "Two calls draw the same noise",
    ),
    "torch.normal": (
        sampler("return torch.normal(mu, torch.exp(logvar / 2))"),
        "No gradient reaches mu",
    ),
    "sample": (
        sampler("return Normal(mu, torch.exp(logvar / 2)).sample()"),
        "No gradient reaches mu",
    ),
    "spread detached": (
        sampler("return mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)"),
        "No gradient reaches logvar",
    ),
    "mean detached": (
        sampler("return mu.detach() + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        "No gradient reaches mu",
    ),
    "returns two": (sampler("return mu, logvar"), "should be a tensor, not a tuple"),
    "sums": (sampler("return (mu + torch.exp(logvar / 2) * torch.randn_like(mu)).sum(1)"), "shape"),
    "not written": (sampler("raise NotImplementedError"), "not implemented"),
    "gives nothing": (sampler("pass"), "None"),
}

FORWARD_PASS: Mistakes = {
    "wrong order": (forward("(z), mu, logvar", "(z), logvar, mu"), "stands in its place"),
    "mu decoded": (forward(SAMPLE, "z = mu"), "decoded from mu itself"),
    "arguments swapped": (
        forward(SAMPLE, "z = reparametrize(logvar, mu)"),
        "reparametrize takes mu first",
    ),
    "exponential before": (
        forward(SAMPLE, "z = reparametrize(mu, logvar.exp())"),
        "not its exponential",
    ),
    "deviation before": (
        forward(SAMPLE, "z = reparametrize(mu, torch.exp(logvar / 2))"),
        "not a standard deviation",
    ),
    "images alone": (
        forward("return self.decoder(z), mu, logvar", "return self.decoder(z)"),
        "returns one thing",
    ),
    "no mu": (forward("(z), mu, logvar", "(z), logvar"), "returns 2 things"),
    "z for mu": (forward("(z), mu, logvar", "(z), z, logvar"), "the drawn code z"),
    "z as well": (forward("(z), mu, logvar", "(z), mu, logvar, z"), "returns 4 things"),
    "variance returned": (
        forward("(z), mu, logvar", "(z), mu, logvar.exp()"),
        "an exponential follows",
    ),
    "ReLU on mu": (forward("self.mu_layer(hidden)", "F.relu(self.mu_layer(hidden))"), "a ReLU"),
    "both from one layer": (forward("self.logvar_layer(", "self.mu_layer("), "stands in its place"),
    "Sigmoid on top": (
        forward("self.decoder(z)", "torch.sigmoid(self.decoder(z))"),
        "a Sigmoid follows",
    ),
    "spread of its own": (forward(SAMPLE, "z = mu + logvar.exp() * torch.randn_like(mu)"), ""),
    "torch.normal": (forward(SAMPLE, "z = torch.normal(mu, torch.exp(logvar / 2))"), "No gradient"),
    "code detached": (forward(SAMPLE, SAMPLE.replace("  #", ".detach()  #")), "No gradient"),
    "flat images": (
        forward("self.decoder(z)", "self.decoder(z).flatten(1)"),
        "shape (4, 1, 28, 28)",
    ),
    "image returned": (forward("return self.decoder(z)", "self.decoder(z); return x"), ""),
    "encoder skipped": (forward("mu = self.mu_layer(hidden)", "mu = torch.zeros(len(x), 7)"), ""),
    "not written": (vae((FORWARD, "        raise NotImplementedError")), "not implemented"),
    "gives nothing": (vae((FORWARD, "        pass")), "returns one thing"),
}

LOSS: Mistakes = {
    "sign of the divergence": (
        loss(kl="0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())"),
        "its sign is flipped",
    ),
    "divergence averaged over dimensions": (
        loss(kl="-0.5 * torch.mean(1 + logvar - mu ** 2 - logvar.exp()) * len(x)"),
        "averaged over the latent dimensions",
    ),
    "no divergence": (loss(kl="0"), "there is none"),
    "no reconstruction": (loss(b="0"), "there is none"),
    "half forgotten": (
        loss(kl="-torch.sum(1 + logvar - mu ** 2 - logvar.exp())"),
        "the factor 1/2 is missing",
    ),
    "logvar as variance": (
        loss(kl="-0.5 * torch.sum(1 + logvar.log() - mu ** 2 - logvar)"),
        "taken for the variance",
    ),
    "logvar as deviation": (
        loss(kl="-0.5 * torch.sum(1 + torch.log(logvar ** 2) - mu ** 2 - logvar ** 2)"),
        "taken for the standard deviation",
    ),
    "exponential forgotten": (
        loss(kl="-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar)"),
        "the exponential is missing",
    ),
    "sigma for its square": (
        loss(kl="-0.5 * torch.sum(1 + logvar - mu ** 2 - torch.exp(logvar / 2))"),
        "sigma",
    ),
    "exp squared": (
        loss(kl="-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp() ** 2)"),
        "squared already",
    ),
    "mu not squared": (loss(kl="-0.5 * torch.sum(1 + logvar - mu - logvar.exp())"), "not squared"),
    "mu forgotten": (loss(kl="-0.5 * torch.sum(1 + logvar - logvar.exp())"), ""),
    "the one forgotten": (loss(kl="-0.5 * torch.sum(logvar - mu ** 2 - logvar.exp())"), "the 1 is"),
    "mean over pixels": (loss(b="F.binary_cross_entropy(x_hat, x)"), "averaged over the pixels"),
    "mean over pixels, not over the batch": (
        loss(b="F.binary_cross_entropy(x_hat, x)", total="b + kl / len(x)"),
        "",
    ),
    "means everywhere": (
        loss(
            b="F.binary_cross_entropy(x_hat, x)",
            kl="-0.5 * torch.mean(1 + logvar - mu ** 2 - logvar.exp())",
            total="b + kl",
        ),
        "averaged over the pixels",
    ),
    "mean and sum": (
        loss(b="F.binary_cross_entropy(x_hat, x)", total="b + kl"),
        "averaged over the pixels",
    ),
    "sum over the batch": (loss(total="b + kl"), "summed over the batch"),
    "divergence summed over the batch": (loss(total="b / len(x) + kl"), "divergence is not"),
    "reconstruction summed over the batch": (
        loss(total="b + kl / len(x)"),
        "the reconstruction is not averaged",
    ),
    "images swapped": (
        loss(b="F.binary_cross_entropy(x, x_hat, reduction='sum')"),
        "x_hat and x have changed",
    ),
    "squared error": (loss(b="F.mse_loss(x_hat, x, reduction='sum')"), "squared error"),
    "mean squared error": (loss(b="F.mse_loss(x_hat, x)"), "mean squared error"),
    "logits": (
        loss(b="F.binary_cross_entropy_with_logits(x_hat, x, reduction='sum')"),
        "for logits",
    ),
    "one half of the cross entropy": (loss(b="-torch.sum(x * torch.log(x_hat))"), "second half"),
    "the bound itself": (loss(total="-(b + kl) / len(x)"), "its sign is flipped"),
    "a row per image": (
        loss(
            b="F.binary_cross_entropy(x_hat, x, reduction='none').flatten(1).sum(1)",
            kl="-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), 1)",
            total="b + kl",
        ),
        "shape (5,)",
    ),
    "item": (loss(total="((b + kl) / len(x)).item()"), "No gradient reaches"),
    "detached": (loss(total="((b + kl) / len(x)).detach()"), "No gradient reaches"),
    "divergence detached": (
        loss(kl="(-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())).detach()"),
        "No gradient reaches mu",
    ),
    "784 by heart": (
        loss(b="F.binary_cross_entropy(x_hat, x) * 784 * len(x)"),
        "for no other size",
    ),
    "zero": (loss(total="(b + kl) * 0"), ""),
    "not written": (loss(total="None"), "None"),
}

JOIN_X, JOIN_Z = "torch.cat((x.flatten(1), c), dim=1)", "torch.cat((z, c), dim=1)"

CVAE: Mistakes = {
    "class before image": (
        cvae((JOIN_X, "torch.cat((c, x.flatten(1)), dim=1)")),
        "the class stands before the image",
    ),
    "class before code": (
        cvae((JOIN_Z, "torch.cat((c, z), dim=1)")),
        "the class stands before the code",
    ),
    "class nowhere": (
        cvae(
            (JOIN_X, "x.flatten(1)"),
            (JOIN_Z, "z"),
            ("input_size + num_classes", "input_size"),
            ("latent_size + num_classes", "latent_size"),
        ),
        "not told the class",
    ),
    "class not for the encoder": (
        cvae((JOIN_X, "x.flatten(1)"), ("input_size + num_classes", "input_size")),
        "the encoder is not told the class",
    ),
    "class not for the decoder": (
        cvae((JOIN_Z, "z"), ("latent_size + num_classes", "latent_size")),
        "The decoder is not told the class",
    ),
    "class zeroed": (cvae((JOIN_X, "torch.cat((x.flatten(1), 0 * c), dim=1)")), ""),
    "layers of the old sizes": (cvae(("input_size + num_classes", "input_size")), "RuntimeError"),
    "ten classes by heart": (
        cvae(
            ("input_size + num_classes", "input_size + 10"),
            ("latent_size + num_classes", "latent_size + 10"),
        ),
        "",
    ),
    "mu decoded": (cvae((SAMPLE, "z = mu")), "decoded from mu itself"),
    "wrong order of returned values": (
        cvae((f"{JOIN_Z}), mu, logvar", f"{JOIN_Z}), logvar, mu")),
        "stands in its place",
    ),
    "no Sigmoid": (cvae(("            nn.Sigmoid(),\n", "")), "Sigmoid at its end is missing"),
    "no ReLU": (cvae(("            nn.ReLU(),\n", "")), "there is no ReLU"),
    "code detached": (cvae((SAMPLE, "z = reparametrize(mu, logvar).detach()")), "No gradient"),
    "flat images": (
        cvae(("            nn.Unflatten(1, (1, 28, 28)),\n", "")),
        "shape (6, 1, 28, 28)",
    ),
    "class added to the image": (
        cvae(
            (JOIN_X, "x.flatten(1) + c.sum(1, keepdim=True)"),
            ("input_size + num_classes", "input_size"),
        ),
        "",
    ),
    "not written": (with_code("class CVAE(nn.Module):\n    pass"), ""),
}
