"""Known mistakes of part conv-gan.

A sentence is empty where the check itself says what is wrong.
"""

from __future__ import annotations

from ...checking.catalogue import Mistake

PART = "conv-gan"


def _of(question: str, within: str, *rows: tuple[str, str, str, str]) -> tuple[Mistake, ...]:
    """Mistakes of one edit each: name, sentence, old, new."""
    return tuple(
        Mistake(name, f"{PART}.{question}", sentence, within, ((old, new),))
        for name, sentence, old, new in rows
    )


D_TARGETS = "torch.cat((torch.ones(batch_size, 1), torch.zeros(batch_size, 1)))"
D_LOSS = "F.binary_cross_entropy_with_logits(logits, targets.to(self._dev))"
G_LOSS = "F.binary_cross_entropy_with_logits(logits, targets)"
KAIMING = "nn.init.kaiming_uniform_(layer.weight)"
CLEARED = "                nn.init.zeros_(layer.bias)\n"

MISTAKES: tuple[Mistake, ...] = (
    *_of(
        "DNet",
        "class DNet",
        ("sigmoid", "", "return self.fc(h.flatten(1))", "return self.fc(h.flatten(1)).sigmoid()"),
        (
            "relu-at-the-end",
            "",
            "return self.fc(h.flatten(1))",
            "return self.fc(h.flatten(1)).relu()",
        ),
        ("last-relu-missing", "", "h = F.relu(self.conv3(h))", "h = self.conv3(h)"),
        ("leaky-relu", "", "F.relu(", "F.leaky_relu("),
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
        (
            "flat-logits",
            "",
            "return self.fc(h.flatten(1))",
            "return self.fc(h.flatten(1)).flatten()",
        ),
    ),
    Mistake(
        "other-channels",
        f"{PART}.DNet",
        "",
        "class DNet",
        (
            ("nn.Conv2d(2, 4,", "nn.Conv2d(2, 16,"),
            ("nn.Conv2d(4, 8,", "nn.Conv2d(16, 8,"),
        ),
    ),
    Mistake(
        "padded-third",
        f"{PART}.DNet",
        "",
        "class DNet",
        (("stride=1, padding=0", "stride=1, padding=1"), ("8 * 5 * 5", "8 * 7 * 7")),
    ),
    *_of(
        "GNet",
        "class GNet",
        ("no-sigmoid", "", "return torch.sigmoid(self.conv3(h))", "return self.conv3(h)"),
        ("tanh", "", "torch.sigmoid", "torch.tanh"),
        ("default-slope", "", ", 0.2)", ")"),
        ("bilinear", "", "scale_factor=2)", 'scale_factor=2, mode="bilinear")'),
        (
            "channels-last",
            "the 1568 numbers are taken as height, width, channels; the view is (32, 7, 7).",
            ".view(-1, 32, 7, 7)",
            ".view(-1, 7, 7, 32).permute(0, 3, 1, 2)",
        ),
        ("length-ignored", "", "nn.Linear(zdim,", "nn.Linear(64,"),
        (
            "flat-images",
            "",
            "torch.sigmoid(self.conv3(h))",
            "torch.sigmoid(self.conv3(h)).flatten(1)",
        ),
        (
            "activation-missing",
            "",
            "F.leaky_relu(self.conv2(self.up2(h)), 0.2)",
            "self.conv2(self.up2(h))",
        ),
    ),
    *_of(
        "weight_init",
        "",
        ("normal", "", KAIMING, KAIMING.replace("uniform_", "normal_")),
        ("xavier", "", KAIMING, KAIMING.replace("kaiming", "xavier")),
        ("fan-out", "", KAIMING, KAIMING.replace("weight)", "weight, mode='fan_out')")),
        ("no-gain", "", KAIMING, KAIMING.replace("weight)", "weight, nonlinearity='linear')")),
        ("biases-forgotten", "", CLEARED, ""),
        ("convolutions-alone", "", "(nn.Linear, nn.Conv2d)", "nn.Conv2d"),
        ("linear-alone", "", "(nn.Linear, nn.Conv2d)", "nn.Linear"),
        ("not-in-place", "", KAIMING, "nn.init.kaiming_uniform_(layer.weight.clone())"),
    ),
    *_of(
        "loss_d",
        "def _get_loss_d",
        ("sum-of-halves", "", D_LOSS, f"2 * {D_LOSS}"),
        ("labels-swapped", "", D_TARGETS, f"1 - {D_TARGETS}"),
        ("all-real", "", "torch.zeros(batch_size, 1)", "torch.ones(batch_size, 1)"),
        ("sum-over-batch", "", "self._dev))", 'self._dev), reduction="sum")'),
        ("sigmoid-twice", "", "_with_logits(logits", "_with_logits(torch.sigmoid(logits)"),
        ("not-detached", "", "self.gen(z).detach()", "self.gen(z)"),
        ("sign", "", "return F", "return -F"),
        (
            "codes-of-its-own",
            "it draws codes of its own instead of using z.",
            "self.gen(z)",
            "self.gen(torch.rand_like(z))",
        ),
        (
            "smooth-labels",
            "",
            "torch.ones(batch_size, 1)",
            "torch.full((batch_size, 1), 0.9)",
        ),
    ),
    *_of(
        "loss_g",
        "def _get_loss_g",
        ("labels-zero", "", "torch.ones(", "torch.zeros("),
        ("saturating", "", f"return {G_LOSS}", "return -F.softplus(logits).mean()"),
        ("sign", "", "return F", "return -F"),
        ("sum-over-batch", "", G_LOSS, G_LOSS.replace("targets)", 'targets, reduction="sum")')),
        ("sigmoid-twice", "", "_with_logits(logits", "_with_logits(torch.sigmoid(logits)"),
        ("detached", "", "self.disc(self.gen(z))", "self.disc(self.gen(z).detach())"),
        ("squares", "", "F.binary_cross_entropy_with_logits", "F.mse_loss"),
    ),
)
