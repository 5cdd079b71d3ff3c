"""Right answers to the part fc-gan, written otherwise."""

from __future__ import annotations

from ...checking.catalogue import Style

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

STYLES = (
    Style("sequential", SEQUENTIAL),
    Style("modules", MODULES),
    Style("helpers-of-its-own", CS231N),
    Style(
        "slope-0001-where-the-source-has-both",
        SEQUENTIAL.replace("LeakyReLU()", "LeakyReLU(0.001)"),
    ),
    Style(
        "lazy-layers",
        SEQUENTIAL.replace("nn.Linear(noise_dim, ", "nn.LazyLinear(").replace(
            "nn.Linear(4 * 4 * 64, ", "nn.LazyLinear("
        ),
    ),
    Style(
        "height-width-channels",
        HELPERS
        + "class Image(nn.Module):\n    def forward(self, x):\n"
        + "        return x.view(-1, 7, 7, 128).permute(0, 3, 1, 2)\n"
        + SEQUENTIAL.replace("nn.Unflatten(1, (128, 7, 7))", "Image()"),
    ),
    Style(
        "noise-by-uniform",
        function(
            NOISE, "torch.empty(batch_size, noise_dim, dtype=dtype, device=device).uniform_(-1, 1)"
        ),
    ),
    Style(
        "noise-by-a-distribution",
        function(
            NOISE,
            "torch.distributions.Uniform(-1, 1).sample((batch_size, noise_dim)).to(device, dtype)",
        ),
    ),
    Style(
        "noise-by-numpy",
        "import numpy as np\n"
        + function(
            NOISE,
            "torch.tensor(np.random.uniform(-1, 1, (batch_size, noise_dim)), dtype=dtype,"
            " device=device)",
        ),
    ),
    Style("noise-as-a-difference", function(NOISE, f"(0.5 - {RAND}) * 2.0")),
    Style(
        "softplus",
        function(D_LOSS, "F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()")
        + function(G_LOSS, "F.softplus(-logits_fake).mean()"),
    ),
    Style(
        "logsigmoid",
        function(D_LOSS, "-F.logsigmoid(logits_real).mean() - F.logsigmoid(-logits_fake).mean()")
        + function(G_LOSS, "-torch.mean(F.logsigmoid(logits_fake))"),
    ),
    Style(
        "bce-of-sigmoids",
        """
def discriminator_loss(logits_real, logits_fake):
    bce = nn.BCELoss()
    real = bce(torch.sigmoid(logits_real), torch.ones_like(logits_real))
    return torch.add(real, bce(torch.sigmoid(logits_fake), torch.zeros_like(logits_fake)))
def generator_loss(logits_fake):
    return nn.BCELoss()(logits_fake.sigmoid(), torch.ones_like(logits_fake))
""",
    ),
    Style(
        "logarithms-with-a-guard",
        function(
            D_LOSS,
            "-torch.log(torch.sigmoid(logits_real) + 1e-8).mean()"
            " - torch.log(1 - torch.sigmoid(logits_fake) + 1e-8).mean()",
        )
        + function(G_LOSS, "-(torch.sigmoid(logits_fake) + 1e-8).log().mean()"),
    ),
    Style(
        "a-criterion-on-squeezed-logits",
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
""",
    ),
    Style(
        "one-mean-twice",
        """
def discriminator_loss(logits_real, logits_fake):
    logits = torch.cat([logits_real, logits_fake])
    labels = torch.cat([torch.ones_like(logits_real), torch.zeros_like(logits_fake)])
    return 2 * F.binary_cross_entropy_with_logits(logits, labels)
""",
    ),
    Style(
        "fused-adam",
        function(OPTIMIZER, "optim.Adam(model.parameters(), 1e-3, (0.5, 0.999), fused=True)"),
    ),
    Style(
        "adam-by-groups",
        function(
            OPTIMIZER,
            "optim.Adam([{'params': [p]} for p in model.parameters()], lr=1e-3,"
            " betas=(.5, .999), foreach=True)",
        ),
    ),
    Style(
        "adamw-without-decay",
        function(
            OPTIMIZER,
            "optim.AdamW(model.parameters(), lr=1e-3, betas=(0.5, 0.999), weight_decay=0)",
        ),
    ),
    Style(
        "squares-as-products",
        function(
            LS_D,
            "((scores_real - 1).square().mean() + (scores_fake * scores_fake).mean()) / 2",
        )
        + function(LS_G, "torch.sum((scores_fake - 1) ** 2) / (2 * scores_fake.numel())"),
    ),
    Style(
        "squares-by-mse-loss",
        function(
            LS_D,
            "(nn.MSELoss()(scores_real, torch.ones_like(scores_real))"
            " + nn.MSELoss()(scores_fake, torch.zeros_like(scores_fake))) * 0.5",
        ),
    ),
    Style(
        "squares-by-a-helper",
        """
def half_mean(scores, target):
    return (scores - target).pow(2).mean() / 2
def ls_discriminator_loss(scores_real, scores_fake):
    return half_mean(scores_real, 1.0) + half_mean(scores_fake, 0.0)
def ls_generator_loss(scores_fake):
    return half_mean(scores_fake, 1.0)
""",
    ),
    Style(
        "squares-multiplied-out",
        function(LS_D, "(scores_real**2 / 2 - scores_real + 0.5 + scores_fake**2 / 2).mean()")
        + function(LS_G, "(scores_fake**2 / 2 - scores_fake).mean() + 0.5"),
    ),
)
