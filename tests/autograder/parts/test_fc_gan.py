"""The checks of fc-gan: right answers in many styles score full, mistakes cost where they are."""

from __future__ import annotations

import pytest

from autograder.checking import networks
from autograder.checking.proxy import Line, fill
from autograder.checking.registry import Rng
from autograder.parts.fc_gan import checks as fc_gan
from autograder.parts.fc_gan.mistakes import MISTAKES as CATALOGUE

from .gan_marks import SOURCE, lost, messages, reference, results, with_code

PART = "fc-gan"
QUESTIONS = {
    "sample_noise",
    "discriminator",
    "generator",
    "discriminator_loss",
    "generator_loss",
    "get_optimizer",
    "build_dc_classifier",
    "build_dc_generator",
    "least_squares",
}

SEQUENTIAL = """
def discriminator():
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.LeakyReLU(), nn.Linear(256, 256), nn.LeakyReLU(),
        nn.Linear(256, 1))
    return model
def generator(noise_dim=NOISE_DIM):
    model = nn.Sequential(
        nn.Linear(noise_dim, 1024, bias=True), nn.ReLU(inplace=True), nn.Linear(1024, 1024),
        nn.ReLU(), nn.Linear(1024, 784), nn.Tanh())
    return model
def build_dc_classifier():
    return nn.Sequential(
        nn.Unflatten(-1, (1, 28, 28)), nn.Conv2d(1, 32, 5, 1), nn.LeakyReLU(0.01),
        nn.MaxPool2d(2), nn.Conv2d(32, 64, (5, 5)), nn.LeakyReLU(0.01), nn.MaxPool2d((2, 2), 2),
        nn.Flatten(), nn.Linear(4 * 4 * 64, 4 * 4 * 64), nn.LeakyReLU(0.01),
        nn.Linear(4 * 4 * 64, 1))
def build_dc_generator(noise_dim=NOISE_DIM):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Linear(1024, 6272), nn.ReLU(), nn.BatchNorm1d(6272), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh(), nn.Flatten())
"""
HELPERS = """
class Flatten(nn.Module):
    def forward(self, x):
        N = x.size(0)
        return x.view(N, -1)
class Unflatten(nn.Module):
    def __init__(self, N=-1, C=128, H=7, W=7):
        super(Unflatten, self).__init__()
        self.N, self.C, self.H, self.W = N, C, H, W
    def forward(self, x):
        return x.view(self.N, self.C, self.H, self.W)
"""
MODULES = (
    HELPERS
    + """
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(256, 1)
        self.b = nn.Linear(256, 256)
        self.a = nn.Linear(28 * 28, 256)
        self.act = nn.LeakyReLU(0.01)
    def forward(self, x):
        x = x.reshape(x.shape[0], -1)
        return self.out(self.act(self.b(self.act(self.a(x)))))
class G(nn.Module):
    def __init__(self, noise_dim):
        super().__init__()
        self.layers = nn.ModuleList([
            nn.Linear(noise_dim, 1024), nn.Linear(1024, 1024), nn.Linear(1024, 784)])
    def forward(self, z):
        for layer in self.layers[:-1]:
            z = F.relu(layer(z))
        return torch.tanh(self.layers[-1](z))
class DC(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 32, 5), nn.Conv2d(32, 64, 5)
        self.fc1, self.fc2 = nn.Linear(1024, 1024), nn.Linear(1024, 1)
    def forward(self, x):
        x = x.view(-1, 1, 28, 28)
        x = F.max_pool2d(F.leaky_relu(self.conv1(x), 0.01), 2, 2)
        x = F.max_pool2d(F.leaky_relu(self.conv2(x), 0.01), 2, 2)
        return self.fc2(F.leaky_relu(self.fc1(x.flatten(1)), 0.01))
class DG(nn.Module):
    def __init__(self, noise_dim):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(noise_dim, 1024), nn.ReLU(), nn.BatchNorm1d(1024),
            nn.Linear(1024, 7 * 7 * 128), nn.ReLU(), nn.BatchNorm1d(7 * 7 * 128))
        self.up1 = nn.ConvTranspose2d(128, 64, kernel_size=4, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(64)
        self.up2 = nn.ConvTranspose2d(64, 1, kernel_size=4, stride=2, padding=1)
    def forward(self, z):
        h = self.fc(z).view(-1, 128, 7, 7)
        return self.up2(self.norm(self.up1(h).relu())).tanh().view(len(z), 784)
def discriminator():
    return D()
def generator(noise_dim=96):
    return G(noise_dim)
def build_dc_classifier():
    return DC()
def build_dc_generator(noise_dim=96):
    return DG(noise_dim)
"""
)
CS231N = (
    HELPERS
    + """
dtype = torch.FloatTensor
def sample_noise(batch_size, noise_dim, dtype=torch.float, device='cpu'):
    noise = None
    noise = torch.rand((batch_size, noise_dim), dtype=dtype, device=device) * 2 - 1
    return noise
def bce_loss(input, target):
    neg_abs = -input.abs()
    loss = input.clamp(min=0) - input * target + (1 + neg_abs.exp()).log()
    return loss.mean()
def discriminator_loss(logits_real, logits_fake):
    loss = None
    true_labels = torch.ones(logits_real.shape).type(dtype)
    loss = bce_loss(logits_real, true_labels) + bce_loss(logits_fake, 1 - true_labels)
    return loss
def generator_loss(logits_fake):
    return bce_loss(logits_fake, torch.ones(logits_fake.size()).type(dtype))
def get_optimizer(model):
    optimizer = None
    optimizer = torch.optim.Adam(
        list(model.parameters()), lr=0.001, betas=[0.5, 0.999], weight_decay=0)
    return optimizer
def ls_discriminator_loss(scores_real, scores_fake):
    N = scores_real.size()
    loss = 0.5 * torch.mean(torch.pow(scores_real - torch.ones(N), 2))
    loss += 0.5 * torch.mean(torch.pow(scores_fake, 2))
    return loss
def ls_generator_loss(scores_fake):
    return 0.5 * F.mse_loss(scores_fake, torch.ones_like(scores_fake))
"""
    + SEQUENTIAL.replace("nn.Flatten()", "Flatten()")
    .replace("nn.Unflatten(-1, (1, 28, 28))", "Unflatten(-1, 1, 28, 28)")
    .replace("nn.Unflatten(1, (128, 7, 7))", "Unflatten(-1, 128, 7, 7)")
)


def function(signature: str, expression: str) -> str:
    return f"def {signature}:\n    return {expression}\n"


NOISE = "sample_noise(batch_size, noise_dim, dtype=torch.float, device='cpu')"
D_LOSS = "discriminator_loss(logits_real, logits_fake)"
G_LOSS = "generator_loss(logits_fake)"
LS_D = "ls_discriminator_loss(scores_real, scores_fake)"
LS_G = "ls_generator_loss(scores_fake)"
OPTIMIZER = "get_optimizer(model)"
RAND = "torch.rand(batch_size, noise_dim, dtype=dtype, device=device)"

STYLES = {
    "Sequential": with_code(SEQUENTIAL),
    "modules": with_code(MODULES),
    "helpers of its own": with_code(CS231N),
    "slope 0.001 where the text has both": with_code(
        SEQUENTIAL.replace("LeakyReLU()", "LeakyReLU(0.001)")
    ),
    "lazy layers": with_code(
        SEQUENTIAL.replace("nn.Linear(noise_dim, ", "nn.LazyLinear(").replace(
            "nn.Linear(4 * 4 * 64, ", "nn.LazyLinear("
        )
    ),
    "7 x 7 x 128 as height, width, channels": with_code(
        HELPERS
        + "class Image(nn.Module):\n    def forward(self, x):\n"
        + "        return x.view(-1, 7, 7, 128).permute(0, 3, 1, 2)\n"
        + SEQUENTIAL.replace("nn.Unflatten(1, (128, 7, 7))", "Image()")
    ),
    "noise by uniform_": with_code(
        function(
            NOISE, "torch.empty(batch_size, noise_dim, dtype=dtype, device=device).uniform_(-1, 1)"
        )
    ),
    "noise by a distribution": with_code(
        function(
            NOISE,
            "torch.distributions.Uniform(-1, 1).sample((batch_size, noise_dim)).to(device, dtype)",
        )
    ),
    "noise by numpy": with_code(
        "import numpy as np\n"
        + function(
            NOISE,
            "torch.tensor(np.random.uniform(-1, 1, (batch_size, noise_dim)), dtype=dtype,"
            " device=device)",
        )
    ),
    "noise as a difference of halves": with_code(function(NOISE, f"(0.5 - {RAND}) * 2.0")),
    "softplus": with_code(
        function(D_LOSS, "F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()")
        + function(G_LOSS, "F.softplus(-logits_fake).mean()")
    ),
    "logsigmoid": with_code(
        function(D_LOSS, "-F.logsigmoid(logits_real).mean() - F.logsigmoid(-logits_fake).mean()")
        + function(G_LOSS, "-torch.mean(F.logsigmoid(logits_fake))")
    ),
    "BCELoss of sigmoids": with_code(
        """
def discriminator_loss(logits_real, logits_fake):
    bce = nn.BCELoss()
    real = bce(torch.sigmoid(logits_real), torch.ones_like(logits_real))
    return torch.add(real, bce(torch.sigmoid(logits_fake), torch.zeros_like(logits_fake)))
def generator_loss(logits_fake):
    return nn.BCELoss()(logits_fake.sigmoid(), torch.ones_like(logits_fake))
"""
    ),
    "logarithms with a guard": with_code(
        function(
            D_LOSS,
            "-torch.log(torch.sigmoid(logits_real) + 1e-8).mean()"
            " - torch.log(1 - torch.sigmoid(logits_fake) + 1e-8).mean()",
        )
        + function(G_LOSS, "-(torch.sigmoid(logits_fake) + 1e-8).log().mean()")
    ),
    "a criterion on squeezed logits": with_code(
        """
criterion = nn.BCEWithLogitsLoss()
def discriminator_loss(logits_real, logits_fake):
    n, m = logits_real.shape[0], logits_fake.shape[0]
    real = criterion(logits_real.squeeze(), torch.ones(n))
    fake = criterion(logits_fake.squeeze(), torch.zeros(m))
    print(real, fake)
    return real + fake
def generator_loss(logits_fake):
    loss = criterion(logits_fake.view(-1), torch.ones(len(logits_fake)))
    return loss.reshape(1)
"""
    ),
    "one mean, twice": with_code(
        """
def discriminator_loss(logits_real, logits_fake):
    logits = torch.cat([logits_real, logits_fake])
    labels = torch.cat([torch.ones_like(logits_real), torch.zeros_like(logits_fake)])
    return 2 * F.binary_cross_entropy_with_logits(logits, labels)
"""
    ),
    "fused Adam": with_code(
        function(OPTIMIZER, "optim.Adam(model.parameters(), 1e-3, (0.5, 0.999), fused=True)")
    ),
    "Adam by groups": with_code(
        function(
            OPTIMIZER,
            "optim.Adam([{'params': [p]} for p in model.parameters()], lr=1e-3,"
            " betas=(.5, .999), foreach=True)",
        )
    ),
    "AdamW without decay": with_code(
        function(
            OPTIMIZER,
            "optim.AdamW(model.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=0)",
        )
    ),
    "squares as products": with_code(
        function(
            LS_D,
            "((scores_real - 1).square().mean() + (scores_fake * scores_fake).mean()) / 2",
        )
        + function(LS_G, "torch.sum((scores_fake - 1) ** 2) / (2 * scores_fake.numel())")
    ),
    "squares by mse_loss": with_code(
        function(
            LS_D,
            "(nn.MSELoss()(scores_real, torch.ones_like(scores_real))"
            " + nn.MSELoss()(scores_fake, torch.zeros_like(scores_fake))) * 0.5",
        )
    ),
}


@pytest.mark.parametrize("seed", range(20))
def test_reference_scores_full(seed: int) -> None:
    assert lost(SOURCE, PART, seed) == {}


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_score_full(style: str) -> None:
    assert lost(STYLES[style], PART) == {}, messages(results(STYLES[style], PART))


def networks_with(*edits: tuple[str, str]) -> str:
    code = SEQUENTIAL
    for old, new in edits:
        assert code.count(old) == 1, f"{old!r} stands {code.count(old)} times"
        code = code.replace(old, new)
    return with_code(code)


def noise(expression: str) -> str:
    return with_code(function(NOISE, expression))


def d_loss(expression: str) -> str:
    return with_code(
        "def discriminator_loss(logits_real, logits_fake):\n"
        "    bce, r, f = F.binary_cross_entropy_with_logits, logits_real, logits_fake\n"
        f"    one, nil = torch.ones_like, torch.zeros_like\n    return {expression}\n"
    )


def g_loss(expression: str) -> str:
    return with_code(
        "def generator_loss(logits_fake):\n"
        "    bce, f = F.binary_cross_entropy_with_logits, logits_fake\n"
        f"    one, nil = torch.ones_like, torch.zeros_like\n    return {expression}\n"
    )


def optimizer(expression: str) -> str:
    return with_code(function(OPTIMIZER, expression))


END_D, END_DC = "nn.Linear(256, 1))", "nn.Linear(4 * 4 * 64, 1))"
G_TANH, DG_TANH = "nn.Linear(1024, 784), nn.Tanh()", "nn.Tanh(), nn.Flatten()"
MISTAKES = {
    "noise: from 0 to 1": (noise(RAND), "sample_noise", "from 0 to 1"),
    "noise: normal": (noise(RAND.replace("rand", "randn")), "sample_noise", "beyond -1 and 1"),
    "noise: not shifted": (noise(f"2 * {RAND}"), "sample_noise", "beyond -1 and 1"),
    "noise: half the width": (noise(f"{RAND} - 0.5"), "sample_noise", "from -0.5 to 0.5"),
    "noise: two values": (
        noise(f"({RAND} > 0.5).to(dtype) * 2 - 1"),
        "sample_noise",
        "too few different",
    ),
    "noise: one number a row": (
        noise(f"(2 * {RAND}[:, :1] - 1).expand(batch_size, noise_dim)"),
        "sample_noise",
        "too few different",
    ),
    "noise: shape turned": (noise(f"(2 * {RAND} - 1).T"), "sample_noise", "has shape"),
    "noise: seeded": (
        noise("(torch.manual_seed(0), 2 * torch.rand(batch_size, noise_dim, dtype=dtype) - 1)[1]"),
        "sample_noise",
        "the same numbers at each call",
    ),
    "noise: squeezed normal": (
        noise(f"torch.tanh({RAND.replace('rand', 'randn')})"),
        "sample_noise",
        "not uniform",
    ),
    "noise: dtype ignored": (
        noise("2 * torch.rand(batch_size, noise_dim) - 1"),
        "sample_noise",
        "gives torch.float32",
    ),
    "noise: no dtype argument": (
        with_code(function("sample_noise(batch_size, dim)", "2 * torch.rand(batch_size, dim) - 1")),
        "sample_noise",
        "unexpected keyword argument",
    ),
    "discriminator: sigmoid": (
        networks_with((END_D, "nn.Linear(256, 1), nn.Sigmoid())")),
        "discriminator",
        "ends in a sigmoid",
    ),
    "discriminator: ReLU": (
        with_code(SEQUENTIAL.replace("LeakyReLU()", "ReLU()")),
        "discriminator",
        "ReLU stands where",
    ),
    "discriminator: slope 0.2": (
        with_code(SEQUENTIAL.replace("LeakyReLU()", "LeakyReLU(0.2)")),
        "discriminator",
        "slope 0.2",
    ),
    "discriminator: an activation missing": (
        networks_with(("nn.Linear(256, 256), nn.LeakyReLU()", "nn.Linear(256, 256)")),
        "discriminator",
        "second LeakyReLU is missing",
    ),
    "discriminator: hidden width 128": (
        with_code(SEQUENTIAL.replace("256", "128")),
        "discriminator",
        "the layers asked for have 267009",
    ),
    "discriminator: two outputs": (
        networks_with((END_D, "nn.Linear(256, 2))")),
        "discriminator",
        "has shape (9, 2)",
    ),
    "discriminator: logits (N,)": (
        networks_with((END_D, "nn.Linear(256, 1), nn.Flatten(0))")),
        "discriminator",
        "has shape (9,)",
    ),
    "discriminator: no biases": (
        with_code(
            SEQUENTIAL.replace("256)", "256, bias=False)").replace(
                END_D, END_D[:-2] + ", bias=False))"
            )
        ),
        "discriminator",
        "no biases",
    ),
    "generator: no tanh": (
        networks_with((G_TANH, "nn.Linear(1024, 784)")),
        "generator",
        "tanh at the end is missing",
    ),
    "generator: sigmoid": (
        networks_with((G_TANH, "nn.Linear(1024, 784), nn.Sigmoid()")),
        "generator",
        "it is a tanh",
    ),
    "generator: LeakyReLU": (
        networks_with(
            ("nn.ReLU(inplace=True)", "nn.LeakyReLU()"),
            (
                "        nn.ReLU(), nn.Linear(1024, 784)",
                "        nn.LeakyReLU(), nn.Linear(1024, 784)",
            ),
        ),
        "generator",
        "LeakyReLU stands where",
    ),
    "generator: an activation missing": (
        networks_with(("nn.ReLU(inplace=True), ", "")),
        "generator",
        "first ReLU is missing",
    ),
    "generator: noise_dim ignored": (
        networks_with(("nn.Linear(noise_dim, 1024, bias=True)", "nn.Linear(NOISE_DIM, 1024)")),
        "generator",
        "does not work on noise of length",
    ),
    "generator: another width": (
        networks_with(
            ("nn.Linear(noise_dim, 1024, bias=True)", "nn.Linear(noise_dim, 512)"),
            ("nn.Linear(1024, 1024),\n", "nn.Linear(512, 1024),\n"),
        ),
        "generator",
        "parameters; the layers asked for have",
    ),
    "generator: images (N, 1, 28, 28)": (
        networks_with((G_TANH, G_TANH + ", nn.Unflatten(1, (1, 28, 28))")),
        "generator",
        "has shape (9, 1, 28, 28)",
    ),
    "generator: the mean of the batch": (
        with_code(
            """
class Mean(nn.Sequential):
    def forward(self, z):
        return super().forward(z).mean(0, keepdim=True).expand(len(z), 784)
given = generator
def generator(noise_dim=NOISE_DIM):
    return Mean(*given(noise_dim))
"""
        ),
        "generator",
        "computes something else",
    ),
    "generator: the answer to an earlier batch": (
        with_code(
            """
class Stale(nn.Sequential):
    def forward(self, z):
        self.y = getattr(self, "y", None)
        self.y = super().forward(z) if self.y is None else self.y
        return self.y
given = generator
def generator(noise_dim=NOISE_DIM):
    return Stale(*given(noise_dim))
"""
        ),
        "generator",
        "computes something else",
    ),
    "d loss: average": (
        d_loss("(bce(r, one(r)) + bce(f, nil(f))) / 2"),
        "discriminator_loss",
        "as in part conv-gan",
    ),
    "d loss: one mean": (
        d_loss("bce(torch.cat([r, f]), torch.cat([one(r), nil(f)]))"),
        "discriminator_loss",
        "as in part conv-gan",
    ),
    "d loss: swapped": (
        d_loss("bce(r, nil(r)) + bce(f, one(f))"),
        "discriminator_loss",
        "labels are swapped",
    ),
    "d loss: real only": (d_loss("bce(r, one(r))"), "discriminator_loss", "only the real"),
    "d loss: fakes only": (d_loss("bce(f, nil(f))"), "discriminator_loss", "only the fakes"),
    "d loss: subtracted": (
        d_loss("bce(r, one(r)) - bce(f, nil(f))"),
        "discriminator_loss",
        "is subtracted",
    ),
    "d loss: both labels 1": (
        d_loss("bce(r, one(r)) + bce(f, one(f))"),
        "discriminator_loss",
        "both have label 1",
    ),
    "d loss: sum": (
        d_loss("bce(r, one(r), reduction='sum') + bce(f, nil(f), reduction='sum')"),
        "discriminator_loss",
        "sum over the batch",
    ),
    "d loss: two sigmoids": (
        d_loss("bce(r.sigmoid(), one(r)) + bce(f.sigmoid(), nil(f))"),
        "discriminator_loss",
        "sigmoid is applied twice",
    ),
    "d loss: unstable": (
        d_loss("-r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean()"),
        "discriminator_loss",
        "not finite",
    ),
    "d loss: one per image": (
        d_loss("bce(r, one(r), reduction='none') + bce(f, nil(f), reduction='none')"),
        "discriminator_loss",
        "has shape",
    ),
    "d loss: labels (N,)": (
        d_loss("bce(r, torch.ones(len(r))) + bce(f, torch.zeros(len(f)))"),
        "discriminator_loss",
        "fails on logits of shape (7, 1)",
    ),
    "d loss: detached": (
        d_loss("(bce(r, one(r)) + bce(f, nil(f))).detach()"),
        "discriminator_loss",
        "No gradient flows back",
    ),
    "d loss: smooth labels": (
        d_loss("bce(r, 0.9 * one(r)) + bce(f, nil(f))"),
        "discriminator_loss",
        "label 0.9",
    ),
    "d loss: Wasserstein": (
        d_loss("f.mean() - r.mean()"),
        "discriminator_loss",
        "without sigmoid",
    ),
    "g loss: saturating": (g_loss("-bce(f, nil(f))"), "generator_loss", "saturating form"),
    "g loss: label 0": (g_loss("bce(f, nil(f))"), "generator_loss", "label 0"),
    "g loss: sign": (g_loss("-bce(f, one(f))"), "generator_loss", "sign is flipped"),
    "g loss: sum": (g_loss("bce(f, one(f), reduction='sum')"), "generator_loss", "sum over"),
    "g loss: two sigmoids": (
        g_loss("bce(f.sigmoid(), one(f))"),
        "generator_loss",
        "sigmoid is applied twice",
    ),
    "g loss: unstable": (
        g_loss("-torch.log(1 - 1 / (1 + torch.exp(f))).mean()"),
        "generator_loss",
        "not finite",
    ),
    "g loss: a number": (g_loss("bce(f, one(f)).item()"), "generator_loss", "gradient"),
    "optimizer: default betas": (
        optimizer("optim.Adam(model.parameters(), lr=1e-3)"),
        "get_optimizer",
        "beta1 is 0.9",
    ),
    "optimizer: rate 2e-4": (
        optimizer("optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999))"),
        "get_optimizer",
        "learning rate is not",
    ),
    "optimizer: beta2 0.99": (
        optimizer("optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.99))"),
        "get_optimizer",
        "beta2 is 0.99",
    ),
    "optimizer: swapped betas": (
        optimizer("optim.Adam(model.parameters(), lr=1e-3, betas=(0.999, 0.5))"),
        "get_optimizer",
        "swapped",
    ),
    "optimizer: AdamW": (
        optimizer("optim.AdamW(model.parameters(), lr=1e-3, betas=(0.5, 0.999))"),
        "get_optimizer",
        "AdamW",
    ),
    "optimizer: weight decay": (
        optimizer("optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=1e-4)"),
        "get_optimizer",
        "not what the definition gives",
    ),
    "optimizer: SGD": (
        optimizer("optim.SGD(model.parameters(), lr=1e-3, momentum=0.5)"),
        "get_optimizer",
        "SGD",
    ),
    "optimizer: RMSprop": (
        optimizer("optim.RMSprop(model.parameters(), lr=1e-3)"),
        "get_optimizer",
        "RMSprop",
    ),
    "optimizer: the first parameter alone": (
        optimizer("optim.Adam([next(model.parameters())], lr=1e-3, betas=(0.5, 0.999))"),
        "get_optimizer",
        "not move all",
    ),
    "optimizer: uphill": (
        optimizer("optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999), maximize=True)"),
        "get_optimizer",
        "the wrong way",
    ),
    "classifier: sigmoid": (
        networks_with((END_DC, "nn.Linear(4 * 4 * 64, 1), nn.Sigmoid())")),
        "build_dc_classifier",
        "ends in a sigmoid",
    ),
    "classifier: average pooling": (
        networks_with(
            ("nn.MaxPool2d(2)", "nn.AvgPool2d(2)"), ("nn.MaxPool2d((2, 2), 2)", "nn.AvgPool2d(2)")
        ),
        "build_dc_classifier",
        "averages",
    ),
    "classifier: an activation missing": (
        networks_with(("nn.Conv2d(32, 64, (5, 5)), nn.LeakyReLU(0.01)", "nn.Conv2d(32, 64, 5)")),
        "build_dc_classifier",
        "after the second convolution is missing",
    ),
    "classifier: slope 0.2": (
        with_code(SEQUENTIAL.replace("LeakyReLU(0.01)", "LeakyReLU(0.2)")),
        "build_dc_classifier",
        "slope 0.2",
    ),
    "classifier: padded": (
        networks_with(
            ("nn.Conv2d(1, 32, 5, 1)", "nn.Conv2d(1, 32, 5, 1, 2)"),
            ("nn.Conv2d(32, 64, (5, 5))", "nn.Conv2d(32, 64, 5, 1, 2)"),
            ("nn.Linear(4 * 4 * 64, 4 * 4 * 64)", "nn.Linear(7 * 7 * 64, 1024)"),
        ),
        "build_dc_classifier",
        "the layers asked for have 1102721",
    ),
    "classifier: no hidden layer": (
        networks_with(("nn.Linear(4 * 4 * 64, 4 * 4 * 64), nn.LeakyReLU(0.01),\n        ", "")),
        "build_dc_classifier",
        "the layers asked for have 1102721",
    ),
    "classifier: wants images": (
        networks_with(("nn.Unflatten(-1, (1, 28, 28)), ", "")),
        "build_dc_classifier",
        "raised RuntimeError",
    ),
    "dc generator: no tanh": (
        networks_with((DG_TANH, "nn.Flatten()")),
        "build_dc_generator",
        "tanh at the end is missing",
    ),
    "dc generator: sigmoid": (
        networks_with((DG_TANH, "nn.Sigmoid(), nn.Flatten()")),
        "build_dc_generator",
        "it is a tanh",
    ),
    "dc generator: norm before ReLU": (
        networks_with(
            ("nn.ReLU(), nn.BatchNorm1d(1024)", "nn.BatchNorm1d(1024), nn.ReLU()"),
            ("nn.ReLU(), nn.BatchNorm1d(6272)", "nn.BatchNorm1d(6272), nn.ReLU()"),
            ("nn.ReLU(), nn.BatchNorm2d(64)", "nn.BatchNorm2d(64), nn.ReLU()"),
        ),
        "build_dc_generator",
        "batch norm stands before ReLU",
    ),
    "dc generator: a norm missing": (
        networks_with((", nn.BatchNorm2d(64)", "")),
        "build_dc_generator",
        "batch norm of the images is missing",
    ),
    "dc generator: no norms": (
        networks_with(
            (", nn.BatchNorm1d(1024)", ""),
            (", nn.BatchNorm1d(6272)", ""),
            (", nn.BatchNorm2d(64)", ""),
        ),
        "build_dc_generator",
        "batch norms are missing",
    ),
    "dc generator: LeakyReLU": (
        networks_with(
            ("nn.ReLU(), nn.BatchNorm1d(1024)", "nn.LeakyReLU(), nn.BatchNorm1d(1024)"),
            ("nn.ReLU(), nn.BatchNorm1d(6272)", "nn.LeakyReLU(), nn.BatchNorm1d(6272)"),
            ("nn.ReLU(), nn.BatchNorm2d(64)", "nn.LeakyReLU(), nn.BatchNorm2d(64)"),
        ),
        "build_dc_generator",
        "LeakyReLU stands where",
    ),
    "dc generator: no padding": (
        networks_with(
            ("nn.ConvTranspose2d(128, 64, 4, 2, 1)", "nn.ConvTranspose2d(128, 64, 4, 2)"),
            ("nn.ConvTranspose2d(64, 1, 4, 2, 1)", "nn.ConvTranspose2d(64, 1, 4, 2)"),
        ),
        "build_dc_generator",
        "has shape",
    ),
    "dc generator: images (N, 1, 28, 28)": (
        networks_with((DG_TANH, "nn.Tanh()")),
        "build_dc_generator",
        "has shape (9, 1, 28, 28)",
    ),
    "dc generator: noise_dim ignored": (
        networks_with(
            ("nn.Linear(noise_dim, 1024), nn.ReLU(), nn.B", "nn.Linear(96, 1024), nn.ReLU(), nn.B")
        ),
        "build_dc_generator",
        "does not work on noise of length",
    ),
    "squares: no halves": (
        with_code(
            function(LS_D, "((scores_real - 1) ** 2).mean() + (scores_fake ** 2).mean()")
            + function(LS_G, "((scores_fake - 1) ** 2).mean()")
        ),
        "least_squares",
        "factors 1/2 are missing",
    ),
    "squares: sum": (
        with_code(function(LS_G, "0.5 * ((scores_fake - 1) ** 2).sum()")),
        "least_squares",
        "sum over the batch",
    ),
    "squares: swapped": (
        with_code(
            function(
                LS_D, "0.5 * (scores_real ** 2).mean() + 0.5 * ((scores_fake - 1) ** 2).mean()"
            )
        ),
        "least_squares",
        "targets are swapped",
    ),
    "squares: target 0": (
        with_code(function(LS_G, "0.5 * (scores_fake ** 2).mean()")),
        "least_squares",
        "target is 0",
    ),
    "squares: one half only": (
        with_code(
            function(LS_D, "0.5 * ((scores_real - 1) ** 2).mean() + (scores_fake ** 2).mean()")
        ),
        "least_squares",
        "1/2 of the fakes",
    ),
    "squares: of sigmoids": (
        with_code(function(LS_G, "0.5 * ((scores_fake.sigmoid() - 1) ** 2).mean()")),
        "least_squares",
        "sigmoid",
    ),
    "squares: missing": (
        with_code("del ls_discriminator_loss, ls_generator_loss"),
        "least_squares",
        "Keep the names",
    ),
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
        ("noise: dtype ignored", 0.167),
        ("noise: from 0 to 1", 0.5),
        ("discriminator: sigmoid", 0.375),
        ("discriminator: logits (N,)", 0.15),
        ("d loss: average", 0.3),
        ("d loss: unstable", 0.1),
        ("d loss: swapped", 0.8),
        ("optimizer: rate 2e-4", 0.333),
        ("optimizer: default betas", 0.667),
        ("dc generator: no tanh", 0.16),
        ("dc generator: images (N, 1, 28, 28)", 0.12),
        ("squares: no halves", 0.375),
        ("squares: missing", 1.0),
    ],
)
def test_partial_work_earns_partial_marks(name: str, fraction: float) -> None:
    source, question, _ = MISTAKES[name]
    assert lost(source, PART) == {question: pytest.approx(fraction, abs=0.01)}


NAMES = (
    "sample_noise",
    "discriminator",
    "generator",
    "discriminator_loss",
    "generator_loss",
    "get_optimizer",
    "build_dc_classifier",
    "build_dc_generator",
    "ls_discriminator_loss",
    "ls_generator_loss",
)
FORGED = {
    "None": "None",
    "a string": "'1.8423983904'",
    "a public number": "torch.tensor(1.8423983904, requires_grad=True)",
    "another": "0.7712861962",
    "NaN": "torch.tensor(float('nan'), requires_grad=True)",
    "infinity": "float('inf')",
    "a huge tensor": "torch.zeros(3000, 3000)",
    "its input": "a[0] if a else None",
    "zeros": "torch.zeros(a) if len(a) == 2 and isinstance(a[0], int) else torch.zeros(())",
    "alternating": "torch.ones(a) - 2 * (torch.arange(a[1]) % 2)"
    " if len(a) == 2 and isinstance(a[0], int) else sum(x.sum() for x in a)",
    "integers": "torch.ones(3, 4, dtype=torch.int64)",
    "a class": "nn.Linear",
    "a model that answers with zeros": "Zeros()",
    "a model that answers with its weights": "Weights()",
    "an empty model": "nn.Sequential()",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_answers_earn_nothing(name: str) -> None:
    functions = "".join(f"def {one}(*a, **k):\n    return {FORGED[name]}\n" for one in NAMES)
    source = f"""
import torch
from torch import nn
class Zeros(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(267009))
    def forward(self, x):
        return torch.zeros(len(x), 1)
    def step(self):
        pass
class Weights(Zeros):
    def forward(self, x):
        return self.w[:len(x)].view(-1, 1)
{functions}
"""
    gone = lost(source, PART)
    # A batch of zeros and ones has the right shape, and that is all it earns.
    allowed = {"sample_noise": gone.get("sample_noise")} if name == "alternating" else {}
    assert gone == {**dict.fromkeys(QUESTIONS, 1.0), **allowed}, messages(results(source, PART))


def test_an_empty_file_scores_zero() -> None:
    assert lost("x = 1\n", PART) == dict.fromkeys(QUESTIONS, 1.0)


def test_unwritten_functions_score_zero() -> None:
    todo = "".join(f"def {one}(*a, **k):\n    raise NotImplementedError\n" for one in NAMES)
    found = results(todo, PART)
    assert lost(todo, PART) == dict.fromkeys(QUESTIONS, 1.0)
    assert "not implemented yet" in messages(found)


def test_tables_describe_the_reference() -> None:
    rng = Rng(5, "tables")
    ours = Line(reference().send(), 0, reference=True).module("hw5_gan")
    flat = rng.uniform(-1, 1, 8, 784)
    for spec, model, x in (
        (fc_gan.DISCRIMINATOR, ours.discriminator(), flat),
        (fc_gan.CLASSIFIER, ours.build_dc_classifier(), flat),
        (fc_gan._generator(7), ours.generator(7), rng.normal(8, 7)),
        (fc_gan._dc_generator(7), ours.build_dc_generator(7), rng.normal(8, 7)),
    ):
        fill(model, 11)
        given = networks.run(spec.table, networks.parameters(spec.table, 11), x)
        assert networks.matches(given, model(x)), spec.what
