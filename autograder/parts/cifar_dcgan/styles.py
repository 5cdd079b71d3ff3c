"""Right answers to the part cifar-dcgan, written otherwise."""

from __future__ import annotations

from textwrap import indent

from ...checking.catalogue import Style

SPECTRAL = """
class CIFARDiscriminator(nn.Module):
    def __init__(self, spectral=False):
        super().__init__()
        wrap = {wrap} if spectral else (lambda layer: layer)
        self.downsample = nn.Sequential(
            wrap(nn.Conv2d(3, 32, kernel_size=4, stride=2, padding=1)), nn.LeakyReLU(),
            wrap(nn.Conv2d(32, 64, kernel_size=4, stride=2, padding=1)), nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            wrap(nn.Conv2d(64, 128, kernel_size=4, stride=2, padding=1)), nn.BatchNorm2d(128),
            nn.LeakyReLU())
        self.fc = {fc}
    def forward(self, x):
        return self.fc(self.downsample(x).reshape(-1, 4 * 4 * 128))
"""
LINEAR = "nn.Linear(4 * 4 * 128, 1)"
CLASSNAMES = """
def _weight_INITIALIZATION(self):
    def weights_init(m):
        classname = m.__class__.__name__
        if classname.find('Conv') != -1:
            if hasattr(m, 'weight_orig'):
                nn.init.normal_(m.weight_orig.data, 0.0, 0.02)
            elif hasattr(m, 'parametrizations'):
                nn.init.normal_(m.parametrizations.weight.original.data, 0.0, 0.02)
            else:
                nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find('BatchNorm') != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)
    self._generator.apply(weights_init)
    self._discriminator.apply(weights_init)
"""


INIT = 'def __init__(self, spectral: bool = False):\n        """Make the networks'
MADE = """\
        self._generator = CIFARGenerator(self.code_size)
        self._discriminator = CIFARDiscriminator(spectral)
        settings = {"lr": self.learning_rate, "betas": (0.5, 0.999)}
        self.optimizerG = optim.Adam(self._generator.parameters(), **settings)
        self.optimizerD = optim.Adam(self._discriminator.parameters(), **settings)
"""


def init(code: str) -> tuple[tuple[str, str], ...]:
    """The edit that gives DCGAN's __init__ another body."""
    return ((MADE, indent(code.strip(), " " * 8) + "\n"),)


def methods(code: str) -> str:
    """A DCGAN with other methods."""
    return f"class DCGAN(DCGAN):\n{indent(code.strip(), ' ' * 4)}\n"


def _init(id: str, code: str) -> Style:
    return Style(id, edits=init(code), within=INIT)


def _edited(id: str, *edits: tuple[str, str]) -> Style:
    return Style(id, edits=edits)


def _methods(id: str, code: str) -> Style:
    return Style(id, methods(code))


def _fitted(id: str, steps: str, before: str = "") -> Style:
    """A fit of its own: `steps` make dis_loss and gen_loss of a batch x."""
    return _methods(
        id,
        f"""
def fit(self, train_samples, out=None):
    G, D = self._generator, self._discriminator
    n, device = self.batch_size, torch.device('cpu')
    images = torch.as_tensor(train_samples, dtype=torch.float32)
    one, nil = torch.ones(n, 1), torch.zeros(n, 1)
{indent(before.strip(), " " * 4)}
    dis_losses, gen_losses = [], []
    for epoch in range(self.num_epoch):
        self.train()
        order = torch.randperm(len(images))
        for i in range(len(images) // n):
            x = images[order[i * n:(i + 1) * n]]
{indent(steps.strip(), " " * 12)}
            dis_losses.append(dis_loss.item())
            gen_losses.append(gen_loss.item())
    return dis_losses, gen_losses
""",
    )


STYLES = (
    Style(
        "older-spectral-norm-and-class-names",
        SPECTRAL.format(wrap="nn.utils.spectral_norm", fc=LINEAR) + methods(CLASSNAMES),
    ),
    Style(
        "newer-spectral-norm-on-the-last-layer-too",
        SPECTRAL.format(
            wrap="nn.utils.parametrizations.spectral_norm",
            fc=f"wrap({LINEAR})",
        ),
    ),
    Style(
        "older-spectral-norm-with-more-iterations",
        SPECTRAL.format(
            wrap="(lambda layer: nn.utils.spectral_norm(layer, n_power_iterations=3))",
            fc=f"wrap({LINEAR})",
        ),
    ),
    _edited(
        "wrapped-by-index",
        (
            "            for layer in self.downsample:\n"
            "                if isinstance(layer, nn.Conv2d):\n"
            "                    nn.utils.parametrizations.spectral_norm(layer)\n",
            "            for i in (0, 2, 5):\n"
            "                self.downsample[i] = nn.utils.spectral_norm(self.downsample[i])\n",
        ),
    ),
    _methods(
        "initialised-by-rank",
        """
def _weight_INITIALIZATION(self):
    for net in (self._generator, self._discriminator):
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.data.normal_(1, 0.02)
                module.bias.data.zero_()
            elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                for name, p in module.named_parameters():
                    if p.dim() == 4:
                        p.data.normal_(0, 0.02)
""",
    ),
    _init(
        "betas-written-out",
        """
self._generator = CIFARGenerator(starting_shape=self.code_size)
self._discriminator = CIFARDiscriminator(spectral=spectral)
rate = self.learning_rate
self.optimizerD = torch.optim.Adam(self._discriminator.parameters(), rate, (0.5, 0.999))
self.optimizerG = torch.optim.Adam(
    [{"params": list(self._generator.parameters())}], lr=rate, betas=[0.5, 0.999], fused=True)
self.criterion = nn.BCEWithLogitsLoss()
""",
    ),
    _methods(
        "softplus-and-squares-by-hand",
        """
def _classification_loss(self, logits, labels):
    return (F.softplus(logits) - labels * logits).mean()
def _reconstruction_loss(self, reconstruction, x):
    return torch.mean(torch.square(x - reconstruction))
""",
    ),
    _methods(
        "logsigmoid-and-norms",
        """
def _classification_loss(self, logits, labels):
    each = labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)
    return -each.sum() / len(logits)
def _reconstruction_loss(self, reconstruction, x):
    return (reconstruction - x).flatten(1).norm(dim=1).pow(2).sum() / x.numel()
""",
    ),
    _fitted(
        "as-the-source-has-it",
        """
self.optimizerD.zero_grad()
real_dis_loss = self._classification_loss(D(x), one)
fake = G(torch.randn((n, self.code_size), device=device))
fake_dis_loss = self._classification_loss(D(fake.detach()), nil)
dis_loss = real_dis_loss + fake_dis_loss
dis_loss.backward()
self.optimizerD.step()
self.optimizerG.zero_grad()
logits = D(G(torch.randn((n, self.code_size), device=device)))
gen_loss = self._classification_loss(logits, one)
gen_loss.backward()
self.optimizerG.step()
""",
    ),
    _fitted(
        "skips-a-batch-of-one",
        """
if len(x) < 2:
    continue
dis_loss = self._classification_loss(D(x), one)
dis_loss = dis_loss + self._classification_loss(D(G(torch.randn(n, 64)).detach()), nil)
self.optimizerD.zero_grad()
dis_loss.backward()
self.optimizerD.step()
gen_loss = self._classification_loss(D(G(torch.randn(n, 64))), one)
self.optimizerG.zero_grad()
gen_loss.backward()
self.optimizerG.step()
""",
    ),
    _fitted(
        "two-backward-passes",
        """
D.zero_grad()
errD_real = criterion(D(x).view(-1), torch.full((n,), 1.0))
errD_real.backward()
fake = G(torch.empty(n, self.code_size).normal_())
errD_fake = criterion(D(fake.detach()).view(-1), torch.full((n,), 0.0))
errD_fake.backward()
dis_loss = errD_real + errD_fake
self.optimizerD.step()
G.zero_grad()
fake = G(torch.empty(n, self.code_size).normal_())
gen_loss = criterion(D(fake).view(-1), torch.full((n,), 1.0))
gen_loss.backward()
self.optimizerG.step()
""",
        "criterion = nn.BCEWithLogitsLoss()",
    ),
    _fitted(
        "fakes-first-and-d-frozen",
        """
with torch.no_grad():
    fake = G(torch.randn(n, 64))
fake_dis_loss = self._classification_loss(D(fake), nil)
dis_loss = fake_dis_loss + self._classification_loss(D(x), one)
self.optimizerD.zero_grad(set_to_none=False)
dis_loss.backward()
self.optimizerD.step()
for p in D.parameters():
    p.requires_grad_(False)
gen_loss = self._classification_loss(D(G(torch.randn(n, 64))), one)
self.optimizerG.zero_grad(set_to_none=False)
gen_loss.backward()
self.optimizerG.step()
for p in D.parameters():
    p.requires_grad_(True)
""",
    ),
    _fitted(
        "not-detached-but-by-autograd-grad",
        """
dis_loss = F.softplus(-D(x)).mean() + F.softplus(D(G(torch.randn(n, 64)))).mean()
self.optimizerD.zero_grad()
for p, g in zip(D.parameters(), torch.autograd.grad(dis_loss, list(D.parameters()))):
    p.grad = g
self.optimizerD.step()
gen_loss = F.softplus(-D(G(torch.randn(n, 64)))).mean()
self.optimizerG.zero_grad()
gen_loss.backward()
self.optimizerG.step()
""",
    ),
    _fitted(
        "cleared-after-the-step",
        """
dis_loss = self._classification_loss(D(x), one)
dis_loss = dis_loss + self._classification_loss(D(G(torch.randn(n, 64)).detach()), nil)
dis_loss.backward()
self.optimizerD.step()
gen_loss = self._classification_loss(D(G(torch.randn(n, 64))), one)
gen_loss.backward()
self.optimizerG.step()
self.optimizerD.zero_grad()
self.optimizerG.zero_grad()
""",
    ),
    _fitted(
        "steps-by-closures",
        """
def of_d():
    self.optimizerD.zero_grad()
    fakes = G(torch.randn(n, 64)).detach()
    loss = self._classification_loss(D(x), one) + self._classification_loss(D(fakes), nil)
    loss.backward()
    return loss
def of_g():
    self.optimizerG.zero_grad()
    loss = self._classification_loss(D(G(torch.randn(n, 64))), one)
    loss.backward()
    return loss
dis_loss, gen_loss = self.optimizerD.step(of_d), self.optimizerG.step(of_g)
""",
    ),
    _methods(
        "a-search-by-autograd-grad",
        """
def reconstruct(self, samples):
    x = torch.as_tensor(samples, dtype=torch.float32)
    self._generator.eval()
    z = nn.Parameter(torch.zeros(x.size(0), 64))
    solver = torch.optim.Adam([z], lr=self.vis_learning_rate, betas=(0.5, 0.999))
    for i in range(self.vis_steps):
        x_hat = self._generator(z)
        loss = F.mse_loss(x_hat, x)
        z.grad, = torch.autograd.grad(loss, [z])
        solver.step()
    return loss.item(), x_hat.detach()
""",
    ),
    _edited(
        "a-search-that-clears-at-the-end",
        (
            "            optimizer.zero_grad()\n            recon_samples",
            "            recon_samples",
        ),
        (
            "            recon_loss.backward(inputs=[recon_code])\n            optimizer.step()\n",
            "            recon_loss.backward()\n            optimizer.step()\n"
            "            recon_code.grad = None\n",
        ),
    ),
    _init(
        "adams-by-a-helper",
        """
def adam(model):
    return optim.Adam(params=model.parameters(), lr=self.learning_rate, betas=(0.5, 0.999),
                      eps=1e-8, weight_decay=0)
self._generator = CIFARGenerator(self.code_size)
self._discriminator = CIFARDiscriminator(spectral)
self.optimizerG, self.optimizerD = map(adam, (self._generator, self._discriminator))
""",
    ),
    _init(
        "parameters-in-lists",
        """
self.add_module("_discriminator", CIFARDiscriminator(spectral))
self.add_module("_generator", CIFARGenerator(starting_shape=self.code_size))
self.optimizerD = optim.Adam(
    [p for p in self._discriminator.parameters() if p.requires_grad],
    self.learning_rate, (0.5, 0.999), foreach=True)
self.optimizerG = optim.Adam(
    list(self._generator.parameters()), self.learning_rate, (0.5, 0.999), foreach=True)
""",
    ),
    _init(
        "adamw-without-decay",
        """
self._generator = CIFARGenerator(self.code_size)
self._discriminator = CIFARDiscriminator(spectral)
for letter, net in (("G", self._generator), ("D", self._discriminator)):
    solver = optim.AdamW(net.parameters(), weight_decay=0.0)
    for group in solver.param_groups:
        group.update(lr=self.learning_rate, betas=(0.5, 0.999))
    setattr(self, "optimizer" + letter, solver)
""",
    ),
    _methods(
        "initialised-by-dimensions",
        """
def _weight_INITIALIZATION(self):
    for p in self.parameters():
        if p.dim() == 4:
            nn.init.normal_(p, std=0.02)
    for m in self.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.data = 1 + 0.02 * torch.randn_like(m.weight)
            m.bias.data.zero_()
""",
    ),
    _methods(
        "initialised-by-apply",
        """
def _weight_INITIALIZATION(self):
    @torch.no_grad()
    def draw(m):
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            for name, p in m.named_parameters():
                if "bias" not in name:
                    p.copy_(torch.normal(0.0, 0.02, size=p.shape))
        elif isinstance(m, nn.BatchNorm2d):
            m.weight.normal_(1.0, 0.02)
            m.bias.zero_()
    self.apply(draw)
""",
    ),
    _methods(
        "criteria-as-objects",
        """
def _classification_loss(self, logits, labels):
    criterion = nn.BCEWithLogitsLoss()
    return criterion(logits.view(-1), labels.view(-1).float())
def _reconstruction_loss(self, reconstruction, x):
    return nn.MSELoss(reduction="mean")(x, reconstruction)
""",
    ),
    _methods(
        "stable-formula-and-means-of-means",
        """
def _classification_loss(self, logits, labels):
    each = logits.clamp(min=0) - logits * labels + torch.log1p(torch.exp(-logits.abs()))
    return each.mean()
def _reconstruction_loss(self, reconstruction, x):
    return ((reconstruction - x) ** 2).mean(dim=(1, 2, 3)).mean()
""",
    ),
    _methods(
        "bce-of-sigmoids-and-a-sum-divided",
        """
def _classification_loss(self, logits, labels):
    return F.binary_cross_entropy(torch.sigmoid(logits), labels)
def _reconstruction_loss(self, reconstruction, x):
    difference = reconstruction - x
    return (difference * difference).sum() / difference.numel()
""",
    ),
    _methods(
        "a-search-with-frozen-weights",
        """
def reconstruct(self, samples):
    x = torch.as_tensor(samples, dtype=torch.float32)
    self.eval()
    for p in self._generator.parameters():
        p.requires_grad_(False)
    code = torch.zeros(x.shape[0], self.code_size, requires_grad=True)
    optimizer = optim.Adam([{"params": [code], "lr": self.vis_learning_rate}])
    steps = 0
    while steps < self.vis_steps:
        images = self._generator(code)
        loss = self._reconstruction_loss(images, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    for p in self._generator.parameters():
        p.requires_grad_(True)
    return loss.detach(), images.detach().cpu()
""",
    ),
    _methods(
        "a-search-by-a-closure",
        """
def reconstruct(self, samples):
    x = torch.as_tensor(samples, dtype=torch.float32)
    self._generator.eval()
    code, last = nn.Parameter(torch.zeros(len(x), self.code_size)), {}
    solver = optim.Adam([code], self.vis_learning_rate)
    def closure():
        solver.zero_grad(set_to_none=False)
        last["images"] = self._generator(code)
        last["loss"] = ((last["images"] - x) ** 2).mean()
        last["loss"].backward()
        return last["loss"]
    for _ in range(self.vis_steps):
        solver.step(closure)
    return last["loss"].detach(), last["images"].detach()
""",
    ),
)
