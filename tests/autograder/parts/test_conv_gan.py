"""The checks of conv-gan: right answers in many styles score full, mistakes cost where they are."""

from __future__ import annotations

import pytest

from autograder.checking import networks
from autograder.checking.registry import Rng
from autograder.parts.conv_gan import checks as conv_gan
from autograder.parts.conv_gan.mistakes import MISTAKES as CATALOGUE

from .gan_marks import SOURCE, edited, lost, messages, reference, results, with_code

PART = "conv-gan"
QUESTIONS = {"DNet", "GNet", "weight_init", "loss_d", "loss_g"}

INIT = """
    def _weight_init(self):
        for m in self.{which}():
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_uniform_(m.weight{how})
                m.bias.data.fill_(0)
"""
DNET = """
class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, 1, 1)
        self.conv2 = nn.Conv2d(2, 4, 3, 1, 1)
        self.conv3 = nn.Conv2d(4, 8, 3, 1, 0)
        self.fc = nn.Linear(200, 1)
        self._weight_init()
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x))
        return self.fc(x.view(x.size(0), -1))
""" + INIT.format(which="children", how=".data")
GNET = """
class GNet(nn.Module):
    def __init__(self, zdim):
        super().__init__()
        self.fc = nn.Linear(zdim, 1568)
        self.up = nn.Upsample(scale_factor=2)
        self.act = nn.LeakyReLU(0.2)
        self.conv1 = nn.Conv2d(32, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 8, 3, padding=1)
        self.conv3 = nn.Conv2d(8, 1, 3, padding=1)
        self._weight_init()
    def forward(self, z):
        z = self.act(self.fc(z)).reshape(-1, 32, 7, 7)
        z = self.act(self.conv1(self.up(z)))
        z = self.act(self.conv2(self.up(z)))
        return torch.sigmoid(self.conv3(z))
""" + INIT.format(which="children", how=".data")


def losses(d: str = "", g: str = "", before: str = "") -> str:
    """The reference with other bodies of the two losses."""
    code = before + "\nclass GAN(GAN):\n"
    if d:
        code += "    def _get_loss_d(self, batch_size, batch_data, z):\n" + _body(d)
    if g:
        code += "    def _get_loss_g(self, batch_size, z):\n" + _body(g)
    return with_code(code)


def _body(text: str) -> str:
    return "".join(f"        {line}\n" for line in text.strip().splitlines())


STYLES = {
    "one object for all activations, flattened by view": with_code(DNET + GNET),
    "nested Sequentials": with_code(
        """
class DNet(nn.Module):
    def __init__(self):
        super(DNet, self).__init__()
        self.net = nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 2, 3, 1, 1, bias=True), nn.ReLU(True), nn.MaxPool2d(2, 2)),
            nn.Sequential(nn.Conv2d(2, 4, 3, 1, 1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
            nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(5 * 5 * 8, 1))
        self._weight_init()
    def forward(self, x):
        print("DNet", x.shape)
        return self.net(x)
"""
        + INIT.format(which="modules", how="")
        + """
class GNet(nn.Module):
    def __init__(self, zdim):
        super(GNet, self).__init__()
        self.first = nn.Sequential(nn.Linear(zdim, 1568), nn.LeakyReLU(0.2))
        self.rest = nn.Sequential(
            nn.Unflatten(1, (32, 7, 7)), nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Conv2d(32, 16, 3, 1, 1), nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2), nn.Conv2d(16, 8, 3, 1, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(8, 1, 3, 1, 1), nn.Sigmoid())
        self._weight_init()
    def forward(self, z):
        return self.rest(self.first(z))
"""
        + INIT.format(which="modules", how=", nonlinearity='relu'")
    ),
    "ModuleList, apply, interpolate": with_code(
        """
def init_weights(m):
    if hasattr(m, "weight"):
        nn.init.kaiming_uniform_(m.weight, mode="fan_in")
        if m.bias is not None:
            nn.init.constant_(m.bias, 0.0)

class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Conv2d(1, 2, (3, 3), padding=(1, 1)), nn.Conv2d(2, 4, (3, 3), padding="same"),
            nn.Conv2d(4, 8, (3, 3)), nn.Linear(200, 1)])
        self._weight_init()
    def _weight_init(self):
        self.apply(init_weights)
    def forward(self, x):
        for i, layer in enumerate(self.layers):
            if i == 3:
                return layer(torch.flatten(x, start_dim=1))
            x = layer(x).clamp(min=0)
            if i < 2:
                x = torch.max_pool2d(x, 2, 2)

class GNet(nn.Module):
    def __init__(self, zdim=64):
        super().__init__()
        self.convs = nn.ModuleList()
        self.linear = nn.Linear(zdim, 1568)
        for a, b in ((32, 16), (16, 8), (8, 1)):
            self.convs.append(nn.Conv2d(a, b, 3, padding=1))
        self.apply(init_weights)
    def forward(self, z):
        h = F.leaky_relu(self.linear(z), negative_slope=0.2).view(z.shape[0], 32, 7, 7)
        for conv in self.convs[:2]:
            h = F.leaky_relu(conv(F.interpolate(h, scale_factor=2)), 0.2)
        return self.convs[2](h).sigmoid()
""".replace(
            """        self.convs = nn.ModuleList()
        self.linear = nn.Linear(zdim, 1568)
""",
            """        self.linear = nn.Linear(zdim, 1568)
        self.convs = nn.ModuleList()
""",
        )
    ),
    "initialisation by name, gain of the LeakyReLU": with_code(
        DNET.replace(
            INIT.format(which="children", how=".data"),
            """
    def _weight_init(self):
        for name, p in self.named_parameters():
            if "weight" in name:
                torch.nn.init.kaiming_uniform_(p, nonlinearity="relu")
            else:
                torch.nn.init.zeros_(p)
""",
        )
        + GNET.replace("m.weight.data", "m.weight, a=0.2, nonlinearity='leaky_relu'")
    ),
    "initialisation by hand": with_code(
        DNET.replace(
            "nn.init.kaiming_uniform_(m.weight.data)",
            "b = (6 / m.weight[0].numel()) ** 0.5; m.weight.data.uniform_(-b, b)",
        )
    ),
    "pooling before ReLU, parameters of its own": with_code(
        DNET.replace(
            "F.max_pool2d(F.relu(self.conv1(x)), 2)", "F.relu(F.max_pool2d(self.conv1(x), 2))"
        )
    ),
    "an upsampling by repetition": with_code(
        GNET.replace(
            "self.act(self.conv1(self.up(z)))",
            "self.act(self.conv1(z.repeat_interleave(2, 2).repeat_interleave(2, 3)))",
        )
    ),
    "torch.max and the slope as formulas": with_code(
        GNET.replace("self.act(self.fc(z))", "torch.maximum(self.fc(z), 0.2 * self.fc(z))")
    ),
    "two calls, averaged": losses(
        """
bce = nn.BCEWithLogitsLoss()
real = self.disc(batch_data)
fake = self.disc(self.gen(z).detach())
return (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))) / 2
""",
        """
out = self.disc(self.gen(z))
return nn.BCEWithLogitsLoss()(out, torch.ones_like(out))
""",
    ),
    "softplus": losses(
        """
with torch.no_grad():
    x_hat = self.gen(z)
return 0.5 * (F.softplus(-self.disc(batch_data)).mean() + F.softplus(self.disc(x_hat)).mean())
""",
        "return F.softplus(-self.disc(self.gen(z))).mean()",
    ),
    "logsigmoid": losses(
        """
r, f = self.disc(batch_data), self.disc(self.gen(z).data)
return -(F.logsigmoid(r).sum() + F.logsigmoid(-f).sum()) / (2 * batch_size)
""",
        "return -torch.mean(F.logsigmoid(self.disc.forward(self.gen.forward(z))))",
    ),
    "BCELoss on sigmoids": losses(
        """
fakes = self.gen(z).clone().detach()
logits = self.disc(torch.cat([batch_data, fakes], dim=0)).view(-1)
labels = torch.cat([torch.ones(batch_size), torch.zeros(batch_size)]).to(self._dev)
return nn.BCELoss()(torch.sigmoid(logits), labels)
""",
        """
d = torch.sigmoid(self.disc(self.gen(z))).squeeze()
return F.binary_cross_entropy(d, torch.ones(batch_size, device=self._dev))
""",
    ),
    "logarithms of sigmoids": losses(
        """
real = torch.sigmoid(self.disc(batch_data))
fake = torch.sigmoid(self.disc(self.gen(z).detach()))
return -(torch.log(real + 1e-8) + torch.log(1 - fake + 1e-8)).mean() / 2
""",
        "return -torch.log(torch.sigmoid(self.disc(self.gen(z))) + 1e-8).mean()",
    ),
    "fakes first, labels in one tensor": losses(
        """
logits = self.disc(torch.cat((self.gen(z).detach(), batch_data)))
labels = torch.zeros(2 * batch_size, 1)
labels[batch_size:] = 1.
return F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / (2 * batch_size)
""",
        """
fake = self.disc(self.gen(z))
return F.binary_cross_entropy_with_logits(fake, fake.new_ones(fake.shape))
""",
    ),
    "a criterion made in __init__, float64 inside, networks as modules": with_code(
        """
class GAN(nn.Module):
    def __init__(self, zdim=64):
        super().__init__()
        torch.manual_seed(2)
        self._dev = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._zdim = zdim
        self.disc = DNet().to(self._dev)
        self.gen = GNet(self._zdim).to(self._dev)
        self.criterion = nn.BCEWithLogitsLoss()
    def _labels(self, n, value):
        return torch.full((n, 1), float(value), device=self._dev)
    def _get_loss_d(self, batch_size, batch_data, z):
        n = batch_data.shape[0]
        a = self.criterion(self.disc(batch_data), self._labels(n, 1)).double()
        b = self.criterion(self.disc(self.gen(z).detach()), self._labels(n, 0)).double()
        return torch.stack([a, b]).mean()
    def _get_loss_g(self, batch_size, z):
        return self.criterion(self.disc(self.gen(z)), self._labels(len(z), 1))
"""
    ),
}


@pytest.mark.parametrize("seed", range(20))
def test_reference_scores_full(seed: int) -> None:
    assert lost(SOURCE, PART, seed) == {}


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_score_full(style: str) -> None:
    assert lost(STYLES[style], PART) == {}, messages(results(STYLES[style], PART))


D_BODY = """
fakes = self.gen(z).detach()
real, fake = self.disc(batch_data), self.disc(fakes)
bce = F.binary_cross_entropy_with_logits
return {}
"""
G_BODY = """
fake = self.disc(self.gen(z))
bce = F.binary_cross_entropy_with_logits
return {}
"""


def loss_d(expression: str) -> str:
    return losses(d=D_BODY.format(expression))


def loss_g(expression: str) -> str:
    return losses(g=G_BODY.format(expression))


def dnet(*edits: tuple[str, str]) -> str:
    return _changed(DNET, edits)


def gnet(*edits: tuple[str, str]) -> str:
    return _changed(GNET, edits)


def _changed(code: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        assert old in code, old
        code = code.replace(old, new)
    return with_code(code)


ONES, ZEROS = "torch.ones_like", "torch.zeros_like"
MISTAKES = {
    "DNet: sigmoid at the end": (
        dnet(("return self.fc(x.view(x.size(0), -1))", "return self.fc(x.flatten(1)).sigmoid()")),
        "DNet",
        "ends in a sigmoid",
    ),
    "DNet: sigmoid at the end, with losses that rely on it": (
        with_code(
            DNET.replace(
                "return self.fc(x.view(x.size(0), -1))", "return self.fc(x.flatten(1)).sigmoid()"
            )
            + """
class GAN(GAN):
    def _get_loss_d(self, batch_size, batch_data, z):
        labels = torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))
        return nn.BCELoss()(self.disc(torch.cat((batch_data, self.gen(z).detach()))), labels)
    def _get_loss_g(self, batch_size, z):
        return -torch.log(self.disc(self.gen(z))).mean()
"""
        ),
        "DNet",
        "ends in a sigmoid",
    ),
    "DNet: last ReLU forgotten": (
        dnet(("F.relu(self.conv3(x))", "self.conv3(x)")),
        "DNet",
        "ReLU after the third convolution is missing",
    ),
    "DNet: LeakyReLU": (dnet(("F.relu(", "F.leaky_relu(")), "DNet", "LeakyReLU(0.01) stands"),
    "DNet: a ReLU at the end": (
        dnet(("return self.fc(x.view(x.size(0), -1))", "return F.relu(self.fc(x.flatten(1)))")),
        "DNet",
        "ReLU after the last layer",
    ),
    "DNet: average pooling": (
        dnet(("F.max_pool2d", "F.avg_pool2d")),
        "DNet",
        "computes something else",
    ),
    "DNet: two slips": (
        dnet(
            ("F.relu(", "F.leaky_relu("),
            ("return self.fc(x.view(x.size(0), -1))", "return self.fc(x.flatten(1)).sigmoid()"),
        ),
        "DNet",
        "And: ",
    ),
    "DNet: no biases": (
        dnet(
            ("3, 1, 1)", "3, 1, 1, bias=False)"),
            ("3, 1, 0)", "3, 1, 0, bias=False)"),
            ("200, 1)", "200, 1, bias=False)"),
            ("                m.bias.data.fill_(0)\n", ""),
        ),
        "DNet",
        "no biases",
    ),
    "DNet: other channels": (
        dnet(("nn.Conv2d(2, 4,", "nn.Conv2d(2, 16,"), ("nn.Conv2d(4, 8,", "nn.Conv2d(16, 8,")),
        "DNet",
        "parameters; the layers asked for have 593",
    ),
    "DNet: padding 1 in the third convolution": (
        dnet(("3, 1, 0)", "3, 1, 1)"), ("nn.Linear(200", "nn.Linear(392")),
        "DNet",
        "parameters; the layers asked for have 593",
    ),
    "DNet: defined out of order": (
        dnet(
            ("        self.fc = nn.Linear(200, 1)\n", ""),
            ("        self.conv1 =", "        self.fc = nn.Linear(200, 1)\n        self.conv1 ="),
        ),
        "DNet",
        "in another order",
    ),
    "DNet: a layer too many": (
        dnet(("self.fc = ", "self.spare = nn.Linear(200, 200)\n        self.fc = ")),
        "DNet",
        "layers that the table does not have",
    ),
    "DNet: logits (N,), with losses that rely on it": (
        with_code(
            DNET.replace(
                "return self.fc(x.view(x.size(0), -1))", "return self.fc(x.flatten(1))[:, 0]"
            )
            + """
class GAN(GAN):
    def _get_loss_d(self, batch_size, batch_data, z):
        labels = torch.cat((torch.ones(batch_size), torch.zeros(batch_size)))
        logits = self.disc(torch.cat((batch_data, self.gen(z).detach())))
        return nn.BCEWithLogitsLoss()(logits, labels)
    def _get_loss_g(self, batch_size, z):
        return nn.BCEWithLogitsLoss()(self.disc(self.gen(z)), torch.ones(batch_size))
"""
        ),
        "DNet",
        "has shape (5,)",
    ),
    "DNet: detached inside": (
        dnet(("x = F.relu(self.conv3(x))", "x = F.relu(self.conv3(x.detach()))")),
        "DNet",
        "No gradient flows back",
    ),
    "DNet: the mean of the batch": (
        with_code(
            "class DNet(DNet):\n    def forward(self, x):\n"
            "        return super().forward(x).mean(0, keepdim=True).expand(len(x), 1)"
        ),
        "DNet",
        "computes something else",
    ),
    "DNet: the answer to an earlier batch": (
        with_code(
            "class DNet(DNet):\n    def forward(self, x):\n"
            "        self.y = getattr(self, 'y', None)\n"
            "        if self.y is None or len(self.y) != len(x):\n"
            "            self.y = super().forward(x)\n"
            "        return self.y + 0 * super().forward(x)"
        ),
        "DNet",
        "computes something else",
    ),
    "GNet: no sigmoid": (
        gnet(("torch.sigmoid(self.conv3(z))", "self.conv3(z)")),
        "GNet",
        "sigmoid at the end is missing",
    ),
    "GNet: tanh": (gnet(("torch.sigmoid", "torch.tanh")), "GNet", "ends in a tanh"),
    "GNet: default slope": (gnet(("LeakyReLU(0.2)", "LeakyReLU()")), "GNet", "default slope"),
    "GNet: ReLU": (gnet(("nn.LeakyReLU(0.2)", "nn.ReLU()")), "GNet", "ReLU stands where"),
    "GNet: bilinear": (
        gnet(("scale_factor=2)", "scale_factor=2, mode='bilinear')")),
        "GNet",
        "bilinearly",
    ),
    "GNet: one activation missing": (
        gnet(("self.act(self.conv2(self.up(z)))", "self.conv2(self.up(z))")),
        "GNet",
        "LeakyReLU after the second convolution is missing",
    ),
    "GNet: upsampling after the convolution": (
        gnet(
            ("self.act(self.conv1(self.up(z)))", "self.act(self.up(self.conv1(z)))"),
            ("self.act(self.conv2(self.up(z)))", "self.act(self.up(self.conv2(z)))"),
        ),
        "GNet",
        "upsamples first",
    ),
    "GNet: channels last in the view": (
        gnet((".reshape(-1, 32, 7, 7)", ".reshape(-1, 7, 7, 32).permute(0, 3, 1, 2)")),
        "GNet",
        "computes something else",
    ),
    "GNet: zdim ignored": (
        gnet(("nn.Linear(zdim,", "nn.Linear(64,")),
        "GNet",
        "does not work on codes",
    ),
    "GNet: flat images": (
        gnet(("torch.sigmoid(self.conv3(z))", "torch.sigmoid(self.conv3(z)).flatten(1)")),
        "GNet",
        "has shape (5, 784)",
    ),
    "GNet: no_grad": (
        gnet(("    def forward(self, z)", "    @torch.no_grad()\n    def forward(self, z)")),
        "GNet",
        "No gradient flows back",
    ),
    "weight_init: nothing": (
        with_code(
            (DNET + GNET)
            .replace("        self._weight_init()\n", "")
            .replace(INIT.format(which="children", how=".data"), "")
        ),
        "weight_init",
        "torch's own default",
    ),
    "weight_init: children of a Sequential": (
        with_code(
            """
class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 2, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 4, 3, 1, 1),
            nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Flatten(),
            nn.Linear(200, 1))
        self._weight_init()
    def forward(self, x):
        return self.net(x)
"""
            + INIT.format(which="children", how="")
        ),
        "weight_init",
        "torch's own default",
    ),
    "weight_init: never called": (
        with_code((DNET + GNET).replace("        self._weight_init()\n", "")),
        "weight_init",
        "the right ones after _weight_init",
    ),
    "weight_init: normal": (
        edited(("kaiming_uniform_(layer", "kaiming_normal_(layer")),
        "weight_init",
        "normal distribution",
    ),
    "weight_init: Xavier": (
        edited(("kaiming_uniform_(layer", "xavier_uniform_(layer")),
        "weight_init",
        "Xavier",
    ),
    "weight_init: fan_out": (
        edited(
            ("kaiming_uniform_(layer.weight)", "kaiming_uniform_(layer.weight, mode='fan_out')")
        ),
        "weight_init",
        "fan_out",
    ),
    "weight_init: no gain": (
        edited(
            (
                "kaiming_uniform_(layer.weight)",
                "kaiming_uniform_(layer.weight, nonlinearity='linear')",
            )
        ),
        "weight_init",
        "the gain of ReLU",
    ),
    "weight_init: convolutions only": (
        edited(("isinstance(layer, (nn.Linear, nn.Conv2d))", "isinstance(layer, nn.Conv2d)")),
        "weight_init",
        "In the linear layers, they are torch's own default",
    ),
    "weight_init: linear only": (
        edited(("isinstance(layer, (nn.Linear, nn.Conv2d))", "isinstance(layer, nn.Linear)")),
        "weight_init",
        "In the convolutions",
    ),
    "weight_init: biases forgotten": (
        edited(("                nn.init.zeros_(layer.bias)\n", "")),
        "weight_init",
        "biases other than zero",
    ),
    "weight_init: biases of 0.01": (
        edited(("nn.init.zeros_(layer.bias)", "layer.bias.data.fill_(0.01)")),
        "weight_init",
        "biases other than zero",
    ),
    "weight_init: positive weights": (
        edited(
            ("nn.init.zeros_(layer.bias)", "nn.init.zeros_(layer.bias); layer.weight.data.abs_()")
        ),
        "weight_init",
        "not Kaiming-uniform",
    ),
    "weight_init: always the same": (
        edited(
            (
                "        self._weight_init()\n",
                "        torch.manual_seed(0)\n        self._weight_init()\n",
            )
        ),
        "weight_init",
        "the very same weights",
    ),
    "loss_d: sum of the halves": (
        loss_d(f"bce(real, {ONES}(real)) + bce(fake, {ZEROS}(fake))"),
        "loss_d",
        "sum of the two halves",
    ),
    "loss_d: labels swapped": (
        loss_d(f"(bce(real, {ZEROS}(real)) + bce(fake, {ONES}(fake))) / 2"),
        "loss_d",
        "labels are swapped",
    ),
    "loss_d: real only": (loss_d(f"bce(real, {ONES}(real))"), "loss_d", "only the real"),
    "loss_d: fakes only": (loss_d(f"bce(fake, {ZEROS}(fake))"), "loss_d", "only the fakes"),
    "loss_d: a sum over the batch": (
        loss_d(
            f"bce(real, {ONES}(real), reduction='sum') + bce(fake, {ZEROS}(fake), reduction='sum')"
        ),
        "loss_d",
        "sum over all 2N logits",
    ),
    "loss_d: two sigmoids": (
        loss_d(f"(bce(real.sigmoid(), {ONES}(real)) + bce(fake.sigmoid(), {ZEROS}(fake))) / 2"),
        "loss_d",
        "sigmoid is applied twice",
    ),
    "loss_d: smooth labels": (
        loss_d(f"(bce(real, 0.9 * {ONES}(real)) + bce(fake, {ZEROS}(fake))) / 2"),
        "loss_d",
        "label 0.9",
    ),
    "loss_d: sign": (
        loss_d("(F.logsigmoid(real).mean() + F.logsigmoid(-fake).mean()) / 2"),
        "loss_d",
        "sign is flipped",
    ),
    "loss_d: Wasserstein": (loss_d("fake.mean() - real.mean()"), "loss_d", "without sigmoid"),
    "loss_d: fakes not detached": (
        edited(("fakes = self.gen(z).detach()", "fakes = self.gen(z)")),
        "loss_d",
        "reaches the generator too",
    ),
    "loss_d: summed and not detached": (
        losses(
            d=D_BODY.replace(".detach()", "").format(
                f"bce(real, {ONES}(real)) + bce(fake, {ZEROS}(fake))"
            )
        ),
        "loss_d",
        "sum of the two halves",
    ),
    "loss_d: a number": (
        loss_d(f"((bce(real, {ONES}(real)) + bce(fake, {ZEROS}(fake))) / 2).item()"),
        "loss_d",
        "No gradient of _get_loss_d reaches the discriminator",
    ),
    "loss_d: its own codes": (
        edited(("fakes = self.gen(z).detach()", "fakes = self.gen(torch.rand_like(z)).detach()")),
        "loss_d",
        "not what the definition gives",
    ),
    "loss_d: batch size of 256": (
        edited(
            (
                "targets = torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))",
                "targets = torch.cat((torch.ones(256, 1), torch.zeros(256, 1)))",
            )
        ),
        "loss_d",
        "raised ValueError",
    ),
    "loss_d: shape of the labels": (
        edited(
            (
                "targets = torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))",
                "targets = torch.cat((torch.ones(batch_size), torch.zeros(batch_size)))",
            )
        ),
        "loss_d",
        "raised ValueError",
    ),
    "loss_g: saturating": (
        loss_g("-F.softplus(fake).mean()"),
        "loss_g",
        "saturating form",
    ),
    "loss_g: label 0": (loss_g(f"bce(fake, {ZEROS}(fake))"), "loss_g", "label 0"),
    "loss_g: sign": (loss_g(f"-bce(fake, {ONES}(fake))"), "loss_g", "sign is flipped"),
    "loss_g: sum": (
        loss_g(f"bce(fake, {ONES}(fake), reduction='sum')"),
        "loss_g",
        "sum over the batch",
    ),
    "loss_g: two sigmoids": (
        loss_g(f"bce(fake.sigmoid(), {ONES}(fake))"),
        "loss_g",
        "sigmoid is applied twice",
    ),
    "loss_g: detached": (
        edited(("logits = self.disc(self.gen(z))", "logits = self.disc(self.gen(z).detach())")),
        "loss_g",
        "No gradient of _get_loss_g",
    ),
    "loss_g: Wasserstein": (loss_g("-fake.mean()"), "loss_g", "without sigmoid"),
    "loss_g: squares": (loss_g("((fake - 1) ** 2).mean()"), "loss_g", "squares"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_cost_on_their_own_question(name: str) -> None:
    source, question, sentence = MISTAKES[name]
    found = results(source, PART)
    assert set(lost(source, PART)) == {question}, messages(found)
    assert sentence in messages(found)


@pytest.mark.parametrize("mistake", CATALOGUE, ids=lambda one: f"{one.question}.{one.id}")
def test_the_catalogue_costs_on_its_own_questions(mistake) -> None:  # type: ignore[no-untyped-def]
    source = mistake.source(SOURCE)
    said = messages(results(source, PART))
    assert {f"{PART}.{name}" for name in lost(source, PART)} == {mistake.question}, said
    assert mistake.sentence in said
    assert "form that this question does not allow" not in said


@pytest.mark.parametrize(
    ("name", "fraction"),
    [
        ("loss_d: sum of the halves", 0.3),
        ("loss_d: fakes not detached", 0.2),
        ("loss_d: labels swapped", 0.8),
        ("loss_g: saturating", 1.0),
        ("loss_g: detached", 0.4),
        ("DNet: defined out of order", 0.125),
        ("DNet: last ReLU forgotten", 0.312),
        ("DNet: other channels", 1.0),
        ("weight_init: biases forgotten", 0.25),
    ],
)
def test_partial_work_earns_partial_marks(name: str, fraction: float) -> None:
    source, question, _ = MISTAKES[name]
    assert lost(source, PART) == {question: pytest.approx(fraction, abs=0.01)}


def test_a_missing_class_costs_its_own_questions() -> None:
    gone = lost(with_code("del GAN"), PART)
    assert gone == {"loss_d": 1.0, "loss_g": 1.0}
    assert set(lost(with_code("del GNet"), PART)) == {"GNet", "weight_init"}
    todo = "class DNet(nn.Module):\n    def __init__(self):\n        raise NotImplementedError"
    assert set(lost(with_code(todo), PART)) == {"DNet", "weight_init"}


FORGED = {
    "None": "None",
    "a string": "'0.6931'",
    "the public number": "torch.tensor(0.6931472, requires_grad=True)",
    "NaN": "torch.tensor(float('nan'), requires_grad=True)",
    "infinity": "torch.tensor(float('inf'))",
    "a huge tensor": "torch.zeros(3000, 3000)",
    "integers": "torch.ones(5, 1, dtype=torch.int64)",
    "a list": "[0.1] * 7",
    "half precision": "torch.zeros(5, 1, dtype=torch.float16)",
    "one half everywhere": "torch.full((5, 1, 28, 28), 0.5)",
    "complex": "torch.zeros(3, dtype=torch.complex64)",
    "itself": "self",
    "a class": "torch.nn.Linear",
    "the parameters alone": "self.forged()",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_answers_earn_nothing(name: str) -> None:
    answer = FORGED[name]
    source = with_code(
        f"""
class Forged(nn.Module):
    def __init__(self, zdim=64):
        super().__init__()
        self.w = nn.Parameter(torch.empty(1568, 64).uniform_(-0.3, 0.3))
        self.b = nn.Parameter(torch.zeros(1568))
    def forged(self):
        return self.w.sum() * 0 + torch.zeros(5, 1)
    def forward(self, x):
        return {answer}
class DNet(Forged):
    pass
class GNet(Forged):
    pass
class GAN:
    def __init__(self):
        self.disc, self.gen = DNet(), GNet(64)
    def forged(self):
        return sum(p.sum() for p in self.disc.parameters())
    def _get_loss_d(self, batch_size, batch_data, z):
        return {answer}
    def _get_loss_g(self, batch_size, z):
        return {answer}
"""
    )
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))


def test_weights_that_are_shown_but_not_used_earn_nothing() -> None:
    source = with_code(
        DNET.replace("class DNet(nn.Module)", "class Hidden(nn.Module)").replace(
            "        self._weight_init()\n", ""
        )
        + """
class DNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.__dict__["used"] = Hidden()
        self.shown = Hidden()
        self.shown._weight_init()
    def forward(self, x):
        return self.used(x)
"""
    )
    found = results(source, PART)
    assert set(lost(source, PART)) == {"DNet", "weight_init"}, messages(found)
    assert "does not depend on its weights" in messages(found)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "DNet = GNet = GAN = None",
        "DNet = GNet = GAN = lambda *a: None",
        "DNet = GNet = GAN = lambda *a: torch.zeros(3)",
        "DNet = GNet = GAN = lambda *a: (lambda *x: torch.zeros(len(x[0]), 1))",
        "class DNet(nn.Module):\n    def forward(self, x):\n        return torch.zeros(len(x), 1)\n"
        "GNet = GAN = DNet",
    ],
)
def test_stubs_score_zero(code: str) -> None:
    source = f"import torch\nfrom torch import nn\n{code}\n"
    assert lost(source, PART) == dict.fromkeys(QUESTIONS, 1.0), messages(results(source, PART))


def test_tables_describe_the_reference() -> None:
    rng = Rng(5, "tables")
    session = reference().send()
    from autograder.checking.proxy import Line, fill

    ours = Line(session, 0, reference=True).module("hw5_gan")
    for spec, model, x in (
        (conv_gan.DNET, ours.DNet(), rng.uniform(0, 1, 8, 1, 28, 28)),
        (conv_gan.gnet(7), ours.GNet(7), rng.normal(8, 7)),
    ):
        fill(model, 11)
        given = networks.run(spec.table, networks.parameters(spec.table, 11), x)
        assert networks.matches(given, model(x))
