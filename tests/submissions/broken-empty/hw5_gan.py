import torch as t
import torch.nn as nn
import torch.nn.functional as F

NOISE_DIM = 96

## ---------- problem 4: convolutional GAN ----------


class DNet(nn.Module):

    def __init__(self):
        super().__init__()
        act, pool = nn.ReLU(), nn.MaxPool2d(2)
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3, padding="same"), act, pool,
                                      nn.Conv2d(2, 4, 3, padding="same"), act, pool,
                                      nn.Conv2d(4, 8, 3), act)
        self.head = nn.Linear(200, 1)
        self._weight_init()

    def _weight_init(self):
        # He et al.: U(-b, b) with b = sqrt(6 / fan_in)
        for p in self.parameters():
            if p.dim() > 1:
                fan_in = p[0].numel()
                b = (6.0 / fan_in) ** 0.5
                nn.init.uniform_(p, -b, b)
            else:
                nn.init.zeros_(p)

    def forward(self, x):
        return self.head(self.features(x).reshape(x.shape[0], 200))


class GNet(nn.Module):

    def __init__(self, zdim):
        super().__init__()
        self.project = nn.Linear(zdim, 1568)
        self.body = nn.Sequential(nn.Upsample(scale_factor=2, mode='nearest'),
                                  nn.Conv2d(32, 16, 3, padding=1), nn.LeakyReLU(.2),
                                  nn.Upsample(scale_factor=2, mode='nearest'),
                                  nn.Conv2d(16, 8, 3, padding=1), nn.LeakyReLU(.2),
                                  nn.Conv2d(8, 1, 3, padding=1))
        self._weight_init()

    def _weight_init(self):
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_uniform_(m.weight, nonlinearity='relu')
                nn.init.zeros_(m.bias)

    def forward(self, z):
        h = self.project(z)
        h = t.where(h > 0, h, 0.2 * h)                 # leaky relu
        return 1 / (1 + t.exp(-self.body(h.reshape(-1, 32, 7, 7))))


class GAN:

    def __init__(self, zdim=64, device='cpu'):
        t.manual_seed(2)
        self._dev, self._zdim = t.device(device or 'cpu'), zdim
        self.disc, self.gen = DNet().to(self._dev), GNet(zdim).to(self._dev)

    def _get_loss_d(self, batch_size, batch_data, z):
        """-log sigma(a) = softplus(-a) and -log(1 - sigma(a)) = softplus(a), averaged over all 2N"""
        real = self.disc(batch_data)
        fake = self.disc(self.gen(z).detach())
        return (F.softplus(-real).sum() + F.softplus(fake).sum()) / (2 * batch_size)

    def _get_loss_g(self, batch_size, z):
        return F.softplus(-self.disc(self.gen(z))).sum() / batch_size


## ---------- fully connected and DC GAN ----------


def sample_noise(batch_size, noise_dim, dtype=t.float, device='cpu'):
    u = t.distributions.Uniform(t.tensor(-1., dtype=dtype, device=device),
                                t.tensor(1., dtype=dtype, device=device))
    return u.sample((batch_size, noise_dim))


def discriminator():
    leak = lambda: nn.LeakyReLU(negative_slope=1e-2)
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 256), leak(), nn.Linear(256, 256), leak(), nn.Linear(256, 1))


def generator(noise_dim=NOISE_DIM):
    return nn.Sequential(nn.Linear(noise_dim, 1024), nn.ReLU(True),
                         nn.Linear(1024, 1024), nn.ReLU(True),
                         nn.Linear(1024, 28 * 28), nn.Tanh())


def discriminator_loss(logits_real, logits_fake):
    real = F.logsigmoid(logits_real).mean()
    fake = F.logsigmoid(-logits_fake).mean()
    return -(real + fake)


def generator_loss(logits_fake):
    # max(a, 0) - a + log(1 + exp(-|a|)), the stable form from the paper's appendix
    a = logits_fake
    return (a.clamp(min=0) - a + t.log1p(t.exp(-a.abs()))).mean()


def get_optimizer(model):
    opt = t.optim.Adam(params=list(model.parameters()), lr=.001, betas=[.5, .999], eps=1e-8)
    return opt


def ls_discriminator_loss(scores_real, scores_fake):
    n, m = scores_real.numel(), scores_fake.numel()
    return ((scores_real - 1).square().sum() / n + scores_fake.square().sum() / m) / 2


def ls_generator_loss(scores_fake):
    return .5 * (1 - scores_fake).pow(2).mean()


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(x.shape[0], *self.shape)


def build_dc_classifier():
    return nn.Sequential(Reshape(1, 28, 28),
                         nn.Conv2d(1, 32, (5, 5)), nn.LeakyReLU(), nn.MaxPool2d((2, 2)),
                         nn.Conv2d(32, 64, (5, 5)), nn.LeakyReLU(), nn.MaxPool2d((2, 2)),
                         Reshape(1024),
                         nn.Linear(1024, 1024), nn.LeakyReLU(), nn.Linear(1024, 1))


def build_dc_generator(noise_dim=NOISE_DIM):
    return nn.Sequential(nn.Linear(noise_dim, 1024), nn.ReLU(), nn.BatchNorm1d(1024),
                         nn.Linear(1024, 6272), nn.ReLU(), nn.BatchNorm1d(6272),
                         Reshape(128, 7, 7),
                         nn.ConvTranspose2d(128, 64, (4, 4), (2, 2), (1, 1)), nn.ReLU(), nn.BatchNorm2d(64),
                         nn.ConvTranspose2d(64, 1, (4, 4), (2, 2), (1, 1)), nn.Tanh(),
                         Reshape(784))
