"""Right answers to the part conv-gan, written otherwise."""

from __future__ import annotations

from textwrap import indent

from ...checking.catalogue import Style

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


def losses(d: str, g: str) -> str:
    """A GAN with other bodies of its two losses."""
    code = "class GAN(GAN):\n"
    for signature, body in (
        ("_get_loss_d(self, batch_size, batch_data, z)", d),
        ("_get_loss_g(self, batch_size, z)", g),
    ):
        code += f"    def {signature}:\n{indent(body.strip(), ' ' * 8)}\n"
    return code


STYLES = (
    Style("one-activation-object", DNET + GNET),
    Style(
        "frozen-in-turn",
        edits=(
            (
                "fakes = self.gen(z).detach()",
                "self.disc.requires_grad_(True)\n        fakes = self.gen.requires_grad_(False)(z)",
            ),
            (
                "logits = self.disc(self.gen(z))",
                "self.gen.requires_grad_(True)\n"
                "        logits = self.disc.requires_grad_(False)(self.gen(z))",
            ),
        ),
    ),
    Style(
        "nested-sequentials",
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
        + INIT.format(which="modules", how=", nonlinearity='relu'"),
    ),
    Style(
        "module-lists-and-apply",
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
        self.linear = nn.Linear(zdim, 1568)
        self.convs = nn.ModuleList()
        for a, b in ((32, 16), (16, 8), (8, 1)):
            self.convs.append(nn.Conv2d(a, b, 3, padding=1))
        self.apply(init_weights)
    def forward(self, z):
        h = F.leaky_relu(self.linear(z), negative_slope=0.2).view(z.shape[0], 32, 7, 7)
        for conv in self.convs[:2]:
            h = F.leaky_relu(conv(F.interpolate(h, scale_factor=2)), 0.2)
        return self.convs[2](h).sigmoid()
""",
    ),
    Style(
        "initialised-by-name-and-with-the-gain-of-leaky-relu",
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
        + GNET.replace("m.weight.data", "m.weight, a=0.2, nonlinearity='leaky_relu'"),
    ),
    Style(
        "initialised-by-hand",
        DNET.replace(
            "nn.init.kaiming_uniform_(m.weight.data)",
            "b = (6 / m.weight[0].numel()) ** 0.5; m.weight.data.uniform_(-b, b)",
        ),
    ),
    Style(
        "initialised-layer-by-layer",
        DNET.replace("m in self.children()", "m in (self.conv1, self.conv2, self.conv3, self.fc)")
        + GNET.replace(
            "nn.init.kaiming_uniform_(m.weight.data)",
            "m.weight = nn.Parameter(nn.init.kaiming_uniform_(torch.empty_like(m.weight)))",
        ),
    ),
    Style(
        "layers-called-by-forward-and-relus-in-place",
        DNET.replace("F.relu(self.conv1(x))", "self.conv1.forward(x).relu_()").replace(
            "self.fc(", "self.fc.forward("
        ),
    ),
    Style(
        "pooled-before-relu",
        DNET.replace(
            "F.max_pool2d(F.relu(self.conv1(x)), 2)", "F.relu(F.max_pool2d(self.conv1(x), 2))"
        ),
    ),
    Style(
        "upsampled-by-repetition",
        GNET.replace(
            "self.act(self.conv1(self.up(z)))",
            "self.act(self.conv1(z.repeat_interleave(2, 2).repeat_interleave(2, 3)))",
        ),
    ),
    Style(
        "slope-as-a-formula",
        GNET.replace("self.act(self.fc(z))", "torch.maximum(self.fc(z), 0.2 * self.fc(z))"),
    ),
    Style(
        "two-calls-averaged",
        losses(
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
    ),
    Style(
        "softplus",
        losses(
            """
with torch.no_grad():
    x_hat = self.gen(z)
return 0.5 * (F.softplus(-self.disc(batch_data)).mean() + F.softplus(self.disc(x_hat)).mean())
""",
            "return F.softplus(-self.disc(self.gen(z))).mean()",
        ),
    ),
    Style(
        "logsigmoid",
        losses(
            """
r, f = self.disc(batch_data), self.disc(self.gen(z).data)
return -(F.logsigmoid(r).sum() + F.logsigmoid(-f).sum()) / (2 * batch_size)
""",
            "return -torch.mean(F.logsigmoid(self.disc.forward(self.gen.forward(z))))",
        ),
    ),
    Style(
        "bce-of-sigmoids",
        losses(
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
    ),
    Style(
        "logarithms-of-sigmoids",
        losses(
            """
real = torch.sigmoid(self.disc(batch_data))
fake = torch.sigmoid(self.disc(self.gen(z).detach()))
return -(torch.log(real + 1e-8) + torch.log(1 - fake + 1e-8)).mean() / 2
""",
            "return -torch.log(torch.sigmoid(self.disc(self.gen(z))) + 1e-8).mean()",
        ),
    ),
    Style(
        "signs-turned-in-place",
        losses(
            """
real, fake = self.disc(batch_data), self.disc(self.gen(z).detach())
real.neg_()
return F.softplus(torch.cat((real, fake))).mean()
""",
            """
logits = self.disc(self.gen(z))
logits *= -1
return F.softplus(logits).mean()
""",
        ),
    ),
    Style(
        "fakes-first",
        losses(
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
    ),
    Style(
        "a-gan-that-is-a-module",
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
""",
    ),
)
