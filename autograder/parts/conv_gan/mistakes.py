"""Known mistakes of part conv-gan.

A sentence is empty where the check itself says what is wrong.
"""

from __future__ import annotations

from functools import partial

from ...checking.catalogue import Mistake, caught, caught_one, told, unseen
from ..slips import (
    ALL_FAKE,
    ALL_REAL,
    FAKES_ALONE,
    LABELS_SWAPPED,
    LIMITED,
    NEGATED,
    PLAIN,
    REAL_ALONE,
    SMOOTH_REAL,
    of_a_generator_loss,
    of_cross_entropies,
)
from .styles import INIT

PART = "conv-gan"

_of, _told = partial(caught, PART), partial(told, PART)
_more = partial(caught_one, PART)

D_IN, G_IN = "class DNet", "class GNet"
LOGITS = "return self.fc(h.flatten(1))"
IMAGES = "return torch.sigmoid(self.conv3(h))"
SIZED = "parameters; the layers asked for have 593"
ELSE = "differs from the list"
FLOWS = "No gradient flows back"
D_TARGETS = "torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))"
D_LOSS = "F.binary_cross_entropy_with_logits(logits, targets.to(self._dev))"
G_LOSS = "F.binary_cross_entropy_with_logits(logits, targets)"
REAL, FAKE = "logits[:batch_size]", "logits[batch_size:]"
OF_REAL, OF_FAKES = f"F.softplus(-{REAL}).mean()", f"F.softplus({FAKE}).mean()"
CUT_OFF = "hidden values are cut off at some number, as by ReLU6; the table has no upper end."
KAIMING = "nn.init.kaiming_uniform_(layer.weight)"
ASKED = "if isinstance(layer, (nn.Linear, nn.Conv2d)):"
CLEARED = "                nn.init.zeros_(layer.bias)\n"
CALLED = "        self._weight_init()\n"
LINEAR = "        self.fc = nn.Linear(8 * 5 * 5, 1)\n"

MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "generator-frozen-for-good",
        f"{PART}.loss_d",
        "",
        "def _get_loss_d",
        (
            (
                "fakes = self.gen(z).detach()",
                "fakes = self.gen.requires_grad_(False)(z)",
            ),
        ),
        says="gen cannot be trained any more",
        unseen="what stays frozen",
    ),
    *unseen(
        "each weight beside the others",
        *_of(
            "weight_init",
            "",
            (
                "one-half-twice",
                "Many weights of a new",
                KAIMING,
                f"{KAIMING}\n                layer.weight.data[1::2] = layer.weight.data[: "
                "len(layer.weight) - len(layer.weight[::2])]",
            ),
        ),
    ),
    Mistake(
        "discriminator-frozen-for-good",
        f"{PART}.loss_g",
        "",
        "def _get_loss_g",
        (("self.disc(self.gen(z))", "self.disc.requires_grad_(False)(self.gen(z))"),),
        says="disc cannot be trained any more",
        unseen="what stays frozen",
    ),
    *unseen(
        "other weights",
        *_of(
            "DNet",
            D_IN,
            (
                "cut-off-logits",
                "its output is cut off at 20",
                LOGITS,
                f"{LOGITS}.clamp(-20, 20)",
            ),
        ),
    ),
    *_of(
        "DNet",
        D_IN,
        ("sigmoid", "ends in a sigmoid", LOGITS, f"{LOGITS}.sigmoid()"),
        ("relu-at-the-end", "ReLU after the last layer", LOGITS, f"{LOGITS}.relu()"),
        (
            "last-relu-missing",
            "ReLU after the third convolution is missing",
            "h = F.relu(self.conv3(h))",
            "h = self.conv3(h)",
        ),
        ("leaky-relu", "LeakyReLU(0.01) stands", "F.relu(", "F.leaky_relu("),
        ("relu6", "ReLU6 stands wherever", "F.relu(", "F.relu6("),
        ("flat-logits", "has shape (5,)", LOGITS, f"{LOGITS}.flatten()"),
        ("double-logits", "is of torch.float64", LOGITS, f"{LOGITS}.double()"),
        ("not-flattened", "raised RuntimeError", "h.flatten(1)", "h"),
        (
            "one-average-pool",
            "pools by averages after the second convolution",
            "self.pool2 = nn.MaxPool2d",
            "self.pool2 = nn.AvgPool2d",
        ),
        (
            "spare-layer",
            "layers that the table does not have",
            LINEAR,
            f"        self.spare = nn.Linear(200, 200)\n{LINEAR}",
        ),
        (
            "scaled-on-the-way",
            "differs from the list from the second convolution on",
            "self.conv3(h)",
            "self.conv3(1.1 * h)",
        ),
        ("detached", FLOWS, "self.conv3(h)", "self.conv3(h.detach())"),
        (
            "mean-of-the-batch",
            ELSE,
            LOGITS,
            "y = self.fc(h.flatten(1))\n        return y.mean(0, keepdim=True).expand(len(x), 1)",
        ),
        (
            "first-answer-kept",
            ELSE,
            LOGITS,
            "y = self.fc(h.flatten(1))\n"
            "        if len(y) != len(getattr(self, 'y', ())):\n"
            "            self.y = y\n"
            "        return self.y + 0 * y",
        ),
    ),
    *_told(
        "DNet",
        D_IN,
        ("cut-off", CUT_OFF, "h = F.relu(self.conv3(h))", "h = self.conv3(h).clamp(0, 20)"),
        (
            "average-pooling",
            "it pools by averages; the table has maxima.",
            "nn.MaxPool2d(2, stride=2)",
            "nn.AvgPool2d(2, stride=2)",
        ),
        (
            "relu-before-convolution",
            "the first ReLU stands before its convolution.",
            "F.relu(self.conv1(x))",
            "self.conv1(F.relu(x))",
        ),
    ),
    _more(
        "DNet",
        D_IN,
        "batch-norm",
        "a batch norm that is not asked for stands after the second convolution.",
        (LINEAR, f"        self.norm = nn.BatchNorm2d(4)\n{LINEAR}"),
        ("self.conv2(h)", "self.norm(self.conv2(h))"),
    ),
    _more(
        "DNet",
        D_IN,
        "two-slips",
        "And: ",
        ("F.relu(", "F.leaky_relu("),
        (LOGITS, f"{LOGITS}.sigmoid()"),
    ),
    _more(
        "DNet",
        D_IN,
        "no-biases",
        "no biases",
        ("padding=1)", "padding=1, bias=False)"),
        ("padding=0)", "padding=0, bias=False)"),
        ("8 * 5 * 5, 1)", "8 * 5 * 5, 1, bias=False)"),
        (CLEARED, ""),
    ),
    _more(
        "DNet",
        D_IN,
        "other-channels",
        SIZED,
        ("nn.Conv2d(2, 4,", "nn.Conv2d(2, 16,"),
        ("nn.Conv2d(4, 8,", "nn.Conv2d(16, 8,"),
    ),
    _more(
        "DNet",
        D_IN,
        "padded-third",
        SIZED,
        ("stride=1, padding=0", "stride=1, padding=1"),
        ("8 * 5 * 5", "8 * 7 * 7"),
    ),
    _more(
        "DNet",
        D_IN,
        "out-of-order",
        "in another order",
        (LINEAR, ""),
        ("        self.conv1 =", f"{LINEAR}        self.conv1 ="),
    ),
    _more(
        "DNet",
        D_IN,
        "sigmoid-and-losses-that-rely-on-it",
        "ends in a sigmoid",
        (LOGITS, f"{LOGITS}.sigmoid()"),
        code="""
class GAN(GAN):
    def _get_loss_d(self, batch_size, batch_data, z):
        labels = torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))
        return nn.BCELoss()(self.disc(torch.cat((batch_data, self.gen(z).detach()))), labels)
    def _get_loss_g(self, batch_size, z):
        return -torch.log(self.disc(self.gen(z))).mean()
""",
    ),
    _more(
        "DNet",
        D_IN,
        "flat-logits-and-losses-that-rely-on-it",
        "has shape (5,)",
        (LOGITS, f"{LOGITS}[:, 0]"),
        code="""
class GAN(GAN):
    def _get_loss_d(self, batch_size, batch_data, z):
        labels = torch.cat((torch.ones(batch_size), torch.zeros(batch_size)))
        logits = self.disc(torch.cat((batch_data, self.gen(z).detach())))
        return nn.BCEWithLogitsLoss()(logits, labels)
    def _get_loss_g(self, batch_size, z):
        return nn.BCEWithLogitsLoss()(self.disc(self.gen(z)), torch.ones(batch_size))
""",
    ),
    *_of(
        "GNet",
        G_IN,
        ("no-sigmoid", "sigmoid at the end is missing", IMAGES, "return self.conv3(h)"),
        ("tanh", "ends in a tanh", "torch.sigmoid", "torch.tanh"),
        ("default-slope", "default slope", ", 0.2)", ")"),
        ("steeper-slope", "LeakyReLU(0.3) stands wherever", ", 0.2)", ", 0.3)"),
        ("odd-slope", "LeakyReLU(0.15) stands in every place", ", 0.2)", ", 0.15)"),
        ("relu", "ReLU stands where", ", 0.2)", ", 0.0)"),
        ("bilinear", "bilinearly", "scale_factor=2)", 'scale_factor=2, mode="bilinear")'),
        ("length-ignored", "does not work on codes", "nn.Linear(zdim,", "nn.Linear(64,"),
        ("flat-images", "has shape (5, 784)", IMAGES, f"{IMAGES}.flatten(1)"),
        (
            "activation-missing",
            "LeakyReLU after the second convolution is missing",
            "F.leaky_relu(self.conv2(self.up2(h)), 0.2)",
            "self.conv2(self.up2(h))",
        ),
        ("no-grad", FLOWS, "    def forward", "    @torch.no_grad()\n    def forward"),
    ),
    *_told(
        "GNet",
        G_IN,
        ("cut-off", CUT_OFF, ", 0.2)", ", 0.2).clamp(max=6)"),
        (
            "channels-last",
            "the 1568 numbers are taken as height, width, channels; the view is (32, 7, 7).",
            ".view(-1, 32, 7, 7)",
            ".view(-1, 7, 7, 32).permute(0, 3, 1, 2)",
        ),
    ),
    _more(
        "GNet",
        G_IN,
        "upsampled-after-the-convolutions",
        "upsamples first",
        (
            "F.leaky_relu(self.conv1(self.up1(h)), 0.2)",
            "F.leaky_relu(self.up1(self.conv1(h)), 0.2)",
        ),
        (
            "F.leaky_relu(self.conv2(self.up2(h)), 0.2)",
            "F.leaky_relu(self.up2(self.conv2(h)), 0.2)",
        ),
    ),
    *_of(
        "weight_init",
        "",
        ("normal", "normal distribution", KAIMING, KAIMING.replace("uniform_", "normal_")),
        ("xavier", "Xavier", KAIMING, KAIMING.replace("kaiming", "xavier")),
        (
            "gain-of-leaky-relu",
            "gain is sqrt(2)",
            KAIMING,
            KAIMING.replace("weight)", "weight, a=0.2)"),
        ),
        ("of-every-layer", "has no attribute 'weight'", ASKED, "if True:"),
        ("fan-out", "fan_out", KAIMING, KAIMING.replace("weight)", "weight, mode='fan_out')")),
        (
            "no-gain",
            "the gain of ReLU",
            KAIMING,
            KAIMING.replace("weight)", "weight, nonlinearity='linear')"),
        ),
        ("biases-forgotten", "biases other than zero", CLEARED, ""),
        (
            "frozen",
            "can be trained.",
            KAIMING,
            f"{KAIMING}.requires_grad_(False)",
        ),
        (
            "small-biases",
            "biases other than zero",
            "nn.init.zeros_(layer.bias)",
            "layer.bias.data.fill_(0.01)",
        ),
        (
            "convolutions-alone",
            "In the linear layers, they are torch's own default",
            "(nn.Linear, nn.Conv2d)",
            "nn.Conv2d",
        ),
        ("linear-alone", "In the convolutions", "(nn.Linear, nn.Conv2d)", "nn.Linear"),
        (
            "not-in-place",
            "torch's own default",
            KAIMING,
            "nn.init.kaiming_uniform_(layer.weight.clone())",
        ),
        ("never-called", "the right ones after _weight_init", CALLED, ""),
        ("positive", "not Kaiming-uniform", KAIMING, f"{KAIMING}.data.abs_()"),
        ("seeded", "the very same weights", CALLED, f"        torch.manual_seed(0)\n{CALLED}"),
    ),
    _more(
        "weight_init",
        "",
        "nothing",
        "torch's own default",
        (CALLED, ""),
        ("for layer in self.children():", "for layer in ():"),
    ),
    _more(
        "weight_init",
        "",
        "children-of-a-sequential",
        "torch's own default",
        code="""
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
        + INIT.format(which="children", how=""),
    ),
    *_of(
        "loss_d",
        "def _get_loss_d",
        ("sum-of-halves", "sum of the two halves", D_LOSS, f"2 * {D_LOSS}"),
        ("not-detached", "reaches the generator too", "self.gen(z).detach()", "self.gen(z)"),
        (
            "a-number",
            "No gradient of _get_loss_d reaches the discriminator",
            D_LOSS,
            f"{D_LOSS}.item()",
        ),
        ("batch-size-by-heart", "raised ValueError", "batch_size, 1)", "256, 1)"),
        ("flat-labels", "raised ValueError", "batch_size, 1)", "batch_size)"),
    ),
    *_told(
        "loss_d",
        "def _get_loss_d",
        (
            "labels-swapped",
            LABELS_SWAPPED,
            D_TARGETS,
            f"1 - {D_TARGETS}",
        ),
        ("real-alone", REAL_ALONE, "return F", f"return {OF_REAL} + 0 * F"),
        ("fakes-alone", FAKES_ALONE, "return F", f"return {OF_FAKES} + 0 * F"),
        (
            "half-of-the-real",
            "the real images count for half, and the fakes are left out.",
            "return F",
            f"return {OF_REAL} / 2 + 0 * F",
        ),
        (
            "all-real",
            ALL_REAL,
            "torch.zeros(batch_size, 1)",
            "torch.ones(batch_size, 1)",
        ),
        (
            "all-fake",
            ALL_FAKE,
            "torch.ones(batch_size, 1)",
            "torch.zeros(batch_size, 1)",
        ),
        (
            "sum-over-all",
            "it is the sum over all 2N logits; ask for their mean.",
            "self._dev))",
            'self._dev), reduction="sum")',
        ),
        (
            "sum-over-batch",
            "it is a sum over the batch; ask for the mean over all 2N logits.",
            "return F",
            "return batch_size * F",
        ),
        NEGATED,
        *of_cross_entropies(),
        (
            "limited",
            LIMITED,
            D_LOSS,
            D_LOSS.replace("logits,", "logits.clamp(-5, 5),"),
        ),
        (
            "smooth-labels",
            SMOOTH_REAL,
            "torch.ones(batch_size, 1)",
            "torch.full((batch_size, 1), 0.9)",
        ),
        (
            "wasserstein",
            PLAIN,
            "return F",
            f"return {FAKE}.mean() - {REAL}.mean() + 0 * F",
        ),
        (
            "codes-of-its-own",
            "it draws codes of its own instead of using z.",
            "self.gen(z)",
            "self.gen(torch.rand_like(z))",
        ),
    ),
    _more(
        "loss_d",
        "def _get_loss_d",
        "summed-and-not-detached",
        "sum of the two halves",
        (D_LOSS, f"2 * {D_LOSS}"),
        ("self.gen(z).detach()", "self.gen(z)"),
    ),
    *_of(
        "loss_g",
        "def _get_loss_g",
        (
            "detached",
            "No gradient of _get_loss_g",
            "self.disc(self.gen(z))",
            "self.disc(self.gen(z).detach())",
        ),
    ),
    *_told(
        "loss_g",
        "def _get_loss_g",
        *of_a_generator_loss(G_LOSS, "logits", "torch.ones(batch_size, 1)"),
    ),
)
