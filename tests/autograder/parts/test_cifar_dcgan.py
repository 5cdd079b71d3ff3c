"""The checks of cifar-dcgan: right answers in many styles score full, mistakes cost where they
are.
"""

from __future__ import annotations

import pytest

from autograder.parts.cifar_dcgan.mistakes import MISTAKES

from .gan_marks import SOURCE, edited, lost, messages, results, with_code

PART = "cifar-dcgan"
QUESTIONS = {
    "init",
    "weight_init",
    "classification_loss",
    "fit",
    "spectral_norm",
    "reconstruction_loss",
    "reconstruct",
}


def methods(code: str) -> str:
    """The reference with other methods of DCGAN."""
    body = "".join(f"    {line}\n" for line in code.strip().splitlines())
    return with_code(f"class DCGAN(DCGAN):\n{body}")


def fitted(steps: str, before: str = "") -> str:
    """A fit of its own: `steps` make dis_loss and gen_loss of a batch x."""
    body = "".join(f"            {line}\n" for line in steps.strip().splitlines())
    start = "".join(f"    {line}\n" for line in before.strip().splitlines())
    return methods(
        "def fit(self, train_samples, out=None):\n"
        "    G, D = self._generator, self._discriminator\n"
        "    n, device = self.batch_size, torch.device('cpu')\n"
        "    images = torch.as_tensor(train_samples, dtype=torch.float32)\n"
        "    one, nil = torch.ones(n, 1), torch.zeros(n, 1)\n"
        f"{start}"
        "    dis_losses, gen_losses = [], []\n"
        "    for epoch in range(self.num_epoch):\n"
        "        self.train()\n"
        "        order = torch.randperm(len(images))\n"
        "        for i in range(len(images) // n):\n"
        "            x = images[order[i * n:(i + 1) * n]]\n"
        f"{body}"
        "            dis_losses.append(dis_loss.item())\n"
        "            gen_losses.append(gen_loss.item())\n"
        "    return dis_losses, gen_losses\n"
    )


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


def init(code: str) -> str:
    start = SOURCE.index("        self._generator = CIFARGenerator(self.code_size)")
    end = SOURCE.index("        ### END SOLUTION", start)
    body = "".join(f"        {line}\n" for line in code.strip().splitlines())
    return SOURCE[:start] + body + SOURCE[end:]


STYLES = {
    "older spectral norm, initialisation by class name": with_code(
        SPECTRAL.format(wrap="nn.utils.spectral_norm", fc=LINEAR)
        + "class DCGAN(DCGAN):\n"
        + "".join(f"    {line}\n" for line in CLASSNAMES.strip().splitlines())
    ),
    "newer spectral norm, the last layer wrapped too": with_code(
        SPECTRAL.format(
            wrap="nn.utils.parametrizations.spectral_norm",
            fc=f"wrap({LINEAR})",
        )
    ),
    "older spectral norm, more iterations, the last layer wrapped too": with_code(
        SPECTRAL.format(
            wrap="(lambda layer: nn.utils.spectral_norm(layer, n_power_iterations=3))",
            fc=f"wrap({LINEAR})",
        )
    ),
    "wrapped by index": edited(
        (
            "            for layer in self.downsample:\n"
            "                if isinstance(layer, nn.Conv2d):\n"
            "                    nn.utils.parametrizations.spectral_norm(layer)\n",
            "            for i in (0, 2, 5):\n"
            "                self.downsample[i] = nn.utils.spectral_norm(self.downsample[i])\n",
        )
    ),
    "initialisation with zero biases, by named parameters": methods(
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
                    else:
                        p.data.fill_(0)
"""
    ),
    "constants written out, fused Adams": init(
        """
self._generator = CIFARGenerator(64)
self._discriminator = CIFARDiscriminator(spectral=spectral)
self.optimizerD = torch.optim.Adam(self._discriminator.parameters(), 2e-4, (0.5, 0.999))
self.optimizerG = torch.optim.Adam(
    [{"params": list(self._generator.parameters())}], lr=0.0002, betas=[0.5, 0.999], fused=True)
self.criterion = nn.BCEWithLogitsLoss()
"""
    ),
    "softplus and squares by hand": methods(
        """
def _classification_loss(self, logits, labels):
    return (F.softplus(logits) - labels * logits).mean()
def _reconstruction_loss(self, reconstruction, x):
    return torch.mean(torch.square(x - reconstruction))
"""
    ),
    "logsigmoid, norms": methods(
        """
def _classification_loss(self, logits, labels):
    return -(labels * F.logsigmoid(logits) + (1 - labels) * F.logsigmoid(-logits)).sum() / len(logits)
def _reconstruction_loss(self, reconstruction, x):
    return (reconstruction - x).flatten(1).norm(dim=1).pow(2).sum() / x.numel()
"""  # noqa: E501
    ),
    "as the seed has it": fitted(
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
"""
    ),
    "two backward passes, one code for both steps, a criterion of its own": fitted(
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
gen_loss = criterion(D(fake).view(-1), torch.full((n,), 1.0))
gen_loss.backward()
self.optimizerG.step()
""",
        "criterion = nn.BCEWithLogitsLoss()",
    ),
    "no_grad fakes first, D frozen in G's step": fitted(
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
"""
    ),
    "not detached but cleared, gradients by autograd.grad": fitted(
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
"""
    ),
    "cleared after the step": fitted(
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
"""
    ),
    "a search by autograd.grad with other betas": methods(
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
"""
    ),
    "a search that clears at the end": edited(
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
}


@pytest.mark.parametrize("seed", range(20))
def test_reference_scores_full(seed: int) -> None:
    assert lost(SOURCE, PART, seed) == {}, messages(results(SOURCE, PART, seed))


@pytest.mark.parametrize("name", STYLES)
def test_right_answers_score_full(name: str) -> None:
    assert lost(STYLES[name], PART) == {}, messages(results(STYLES[name], PART))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: f"{one.question}.{one.id}")
def test_mistakes_cost_on_their_own_question_and_get_their_sentence(mistake) -> None:  # type: ignore[no-untyped-def]
    source = mistake.source(SOURCE)
    said = messages(results(source, PART))
    assert {f"{PART}.{name}" for name in lost(source, PART)} == {mistake.question}, said
    assert mistake.sentence in said
    assert "form that this question does not allow" not in said


def test_losses_with_a_mistake_leave_the_loop_and_the_search_alone() -> None:
    source = methods(
        """
def _classification_loss(self, logits, labels):
    return F.mse_loss(torch.sigmoid(logits), labels)
def _reconstruction_loss(self, reconstruction, x):
    return F.l1_loss(reconstruction, x)
"""
    )
    found = messages(results(source, PART))
    assert lost(source, PART) == {"classification_loss": 1.0, "reconstruction_loss": 1.0}, found


@pytest.mark.parametrize(
    ("name", "question"),
    [("_weight_INITIALIZATION", "weight_init"), ("_classification_loss", "classification_loss")],
)
def test_an_unwritten_method_costs_its_own_question(name: str, question: str) -> None:
    source = methods(f"def {name}(self, *args):\n    raise NotImplementedError")
    assert lost(source, PART) == {question: 1.0}, messages(results(source, PART))


def test_an_unwritten_init_costs_its_own_question() -> None:
    source = init("raise NotImplementedError")
    assert lost(source, PART) == {"init": 1.0}, messages(results(source, PART))


def test_unwritten_spectral_norm_costs_its_own_question() -> None:
    source = edited(
        ("            for layer in self.downsample:\n", "            raise NotImplementedError\n"),
        (
            "                if isinstance(layer, nn.Conv2d):\n                    nn",
            "            nn",
        ),
    )
    assert lost(source, PART) == {"spectral_norm": 1.0}, messages(results(source, PART))


FORGED = {
    "nothing": "None",
    "the public number": "torch.tensor(0.6931472, requires_grad=True)",
    "NaN": "torch.tensor(float('nan'), requires_grad=True)",
    "its input": "args[0] if args else None",
    "two of its inputs": "(torch.tensor(0.02), args[0]) if args else None",
    "losses": "([1.3863] * 3, [0.6931] * 3)",
    "losses of many steps": "([1.3, 1.4] * 8, [0.6, 0.7] * 8)",
    "a huge tensor": "torch.zeros(3000, 3000)",
    "strings": "['a', 'b']",
    "itself": "self",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_answers_earn_nothing(name: str) -> None:
    answer = FORGED[name]
    code = "".join(
        f"    def {one}(self, *args, **kwargs):\n        return {answer}\n"
        for one in (
            "_weight_INITIALIZATION",
            "_classification_loss",
            "fit",
            "_reconstruction_loss",
            "reconstruct",
        )
    )
    source = with_code(
        "class DCGAN(nn.Module):\n    def __init__(self, spectral=False):\n"
        "        super().__init__()\n        self._generator = nn.Linear(64, 3072)\n"
        f"        self._discriminator = nn.Linear(3072, 1)\n{code}"
        "class CIFARDiscriminator(CIFARDiscriminator):\n"
        "    def __init__(self, spectral=False):\n        super().__init__(False)\n"
    )
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))


@pytest.mark.parametrize(
    "code",
    ["", "DCGAN = CIFARGenerator = CIFARDiscriminator = None", "DCGAN = CIFARDiscriminator = int"],
)
def test_stubs_score_zero(code: str) -> None:
    source = f"import torch\nfrom torch import nn\n{code}\n"
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))
