"""Right answers to the part autoencoder as different people write them: name -> source."""

from __future__ import annotations

from .vae_marks import edited, with_code
from .vae_styles import IMPORTS

# Layers as attributes in another order, activations as functions, labels made one-hot by hand.
ATTRIBUTES = """
class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super(AEEncoder, self).__init__()
        self.input_size = input_size
        self.fc3 = nn.Linear(64, nz)
        self.fc1 = nn.Linear(input_size, 256)
        self.fc2 = nn.Linear(256, 64)

    def forward(self, x):
        x = x.view(-1, self.input_size)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.layers = nn.ModuleList([nn.Linear(nz, 64), nn.Linear(64, 256)])
        self.out = nn.Linear(256, output_size)

    def forward(self, z):
        for layer in self.layers:
            z = torch.relu(layer(z))
        return torch.sigmoid(self.out(z)).view(-1, 1, self.output_size)


class ConditionalAEEncoder(nn.Module):
    def __init__(self, nz, input_size, conditional, num_labels):
        super().__init__()
        self.n, self.k, self.conditional = input_size, num_labels, conditional
        self.fc1 = nn.Linear(input_size + (num_labels if conditional else 0), 256)
        self.fc2 = nn.Linear(256, 64)
        self.fc3 = nn.Linear(64, nz)

    def forward(self, x, c=None):
        x = x.reshape(-1, self.n)
        if self.conditional:
            x = torch.hstack([x, torch.eye(self.k)[c]])
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
"""

# The VAE with a method of its own for sampling, torch.distributions, and the formula by hand.
DISTRIBUTIONS = """
class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz, self.beta = nz, beta
        self.encoder = AEEncoder(2 * nz, 784)
        self.decoder = AEDecoder(nz, 784)
        self.criterion = nn.BCELoss()

    def posterior(self, x):
        q = self.encoder(x)
        return q, Normal(q[:, : self.nz], q[:, self.nz :].exp())

    def forward(self, x):
        q, normal = self.posterior(x)
        z = normal.rsample()
        return {"q": q, "rec": self.decoder(z), "z": z}

    def loss(self, x, outputs):
        mu, log_sigma = outputs["q"].split(self.nz, dim=1)
        rec_loss = self.criterion(outputs["rec"].flatten(1), x.flatten(1))
        kl_loss = -0.5 * torch.mean(1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp())
        total = rec_loss + self.beta * kl_loss
        return total, dict(rec_loss=rec_loss.detach(), kl_loss=kl_loss.item())

    def reconstruct(self, x):
        return self.decoder(self.posterior(x)[1].mean).view(-1, 28, 28)
"""

# forward hands mu and log_sigma on to loss.
MORE_OUTPUTS = """
class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz = nz
        self.beta = beta
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(),
                                     nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2 * nz))
        self.decoder = nn.Sequential(nn.Linear(nz, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(),
                                     nn.Linear(256, 784), nn.Sigmoid())

    def forward(self, x):
        q = self.encoder(x)
        mu, log_sigma = torch.chunk(q, 2, dim=-1)
        eps = torch.empty_like(mu).normal_()
        rec = self.decoder(mu + eps * log_sigma.exp())
        return {"q": q, "mu": mu, "log_sigma": log_sigma, "rec": rec}

    def loss(self, x, outputs):
        mu, log_sigma = outputs["mu"], outputs["log_sigma"]
        rec_loss = F.binary_cross_entropy(outputs["rec"].reshape(len(x), -1), x.reshape(len(x), -1))
        zeros = torch.zeros_like(mu)
        kl_loss = kl_divergence(mu, log_sigma, zeros, zeros).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}

    def reconstruct(self, x):
        return self.decoder(self.encoder(x)[..., : self.nz]).reshape(-1, 28, 28)
"""

# Plain loops without the helpers; batch counters, clearing after the step, tensors returned.
LOOPS = """
def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    device = next(model.parameters()).device
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.BCELoss()
    history = []
    for epoch in range(epochs):
        for i, batch in enumerate(loader):
            x = batch[0].to(device).view(len(batch[0]), 1, -1)
            loss = criterion(model(x).view(x.shape), x)
            loss.backward()
            opt.step()
            opt.zero_grad()
            history.append(loss.detach())
            if i % 100 == 0:
                print(f"Epoch {epoch} {i}/{len(loader)}: {loss.item():.4f}")
    return torch.stack(history)


def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    opt = torch.optim.Adam(model.parameters(), lr)
    rec, kl = [], []
    for _ in range(epochs):
        for x, y in loader:
            opt.zero_grad(set_to_none=False)
            x = x.reshape(x.shape[0], 784)
            if hasattr(model, "conditional") and model.conditional:
                out = model(x, F.one_hot(y, model.num_labels).float())
            else:
                out = model(x)
            total, parts = model.loss(x, out)
            total.backward()
            opt.step()
            rec.append(parts["rec_loss"].item())
            kl.append(parts["kl_loss"].item())
    return [rec, kl]
"""

# The loop takes the autoencoder apart; a loader of torch; sampling through its layers.
APART = """
def make_loader(images, labels, batch_size):
    data = torch.utils.data.TensorDataset(images, labels)
    return torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True, drop_last=True)

def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer, losses = torch.optim.Adam(list(model.encoder.parameters())
                                         + list(model.decoder.parameters()), lr=lr), []
    for _ in range(epochs):
        for x, _ in loader:
            x_hat = model.decoder(model.encoder(x.flatten(1)))
            loss = -(x.flatten(1) * x_hat.flatten(1).log()
                     + (1 - x.flatten(1)) * (1 - x_hat.flatten(1)).log()).mean()
            model.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()]
    return losses

def sample_prior(model, n):
    with torch.no_grad():
        z = torch.distributions.Normal(0.0, 1.0).sample((n, model.nz))
        return model.decoder(z).view(n, 1, 28, 28)

def interpolate_embeddings(model, start, end, steps=5):
    def code(x):
        q = model.encoder(x.reshape(1, 784))
        return q.chunk(2, dim=-1)[0] if isinstance(model, BetaVAE) else q
    with torch.no_grad():
        a, b = code(start), code(end)
        return torch.cat([model.decoder(a + k / (steps - 1) * (b - a)).reshape(1, 1, 28, 28)
                          for k in range(steps)])

def sample_digits(model, labels):
    images = []
    for c in labels:
        z = torch.randn(1, model.nz)
        images.append(model.decoder(z, c.view(1)).view(1, 28, 28))
    return torch.stack(images).detach()
"""

# A loader of one's own; numpy draws the noise.
NUMPY = """
class Loader:
    def __init__(self, images, labels, batch_size):
        self.x, self.y, self.b = images, labels, batch_size
    def __len__(self):
        return len(self.x) // self.b
    def __iter__(self):
        order = np.random.permutation(len(self.x))
        for k in range(len(self)):
            index = torch.from_numpy(order[k * self.b : (k + 1) * self.b])
            yield [self.x[index], self.y[index]]

def make_loader(images, labels, batch_size):
    return Loader(images, labels, batch_size)

def sample_prior(model, n):
    z = torch.from_numpy(np.random.standard_normal((n, model.nz)).astype(np.float32))
    return model.decoder(z).detach().reshape(n, 1, 28, 28)

def sample_digits(model, labels):
    z = torch.zeros(len(labels), model.nz).normal_()
    return model.decoder(z, c=F.one_hot(labels, model.num_labels).float()).reshape(-1, 1, 28, 28)
"""

# The conditional model stands on the shoulders of the other.
INHERITED = """
class ConditionalBetaVAE(BetaVAE):
    def __init__(self, nz, beta=1.0, conditional=False, num_labels=0):
        super().__init__(nz, beta)
        self.conditional, self.num_labels = conditional, num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)

    def forward(self, x, c=None):
        q = self.encoder(x, c)
        mu, log_sigma = q[:, : self.nz], q[:, self.nz :]
        z = mu + log_sigma.exp() * torch.randn(mu.shape)
        return {"q": q, "rec": self.decoder(z, c)}

    def reconstruct(self, x, c=None):
        return self.decoder(self.encoder(x, c)[:, : self.nz], c).reshape(-1, 28, 28)
"""

COLLECTIONS = """
from collections import OrderedDict

class BetaVAE(BetaVAE):
    def forward(self, x):
        return OrderedDict(super().forward(x))
"""

RIGHT = {
    "layers as attributes": with_code(IMPORTS + ATTRIBUTES),
    "distributions": with_code(IMPORTS + DISTRIBUTIONS),
    "more outputs, networks of its own": with_code(IMPORTS + MORE_OUTPUTS),
    "plain loops": with_code(IMPORTS + LOOPS),
    "a loop that takes the model apart": with_code(IMPORTS + APART),
    "numpy and a loader of one's own": with_code(IMPORTS + NUMPY),
    "an inherited conditional model": with_code(IMPORTS + INHERITED),
    "flat outputs": edited(
        ("return self.net(z).reshape(-1, 1, self.output_size)", "return self.net(z)"),
    ),
    "images as outputs": edited(
        (
            "return self.net(z).reshape(-1, 1, self.output_size)",
            "return self.net(z).reshape(len(z), 1, -1) if self.output_size != 784 "
            "else self.net(z).reshape(-1, 1, 28, 28)",
        ),
    ),
    "another beta": edited(("TUNED_BETA = 0.105", "TUNED_BETA = torch.tensor(32 / 784)")),
    "a small beta": edited(("TUNED_BETA = 0.105", "TUNED_BETA = 0.01")),
    "a large beta": edited(("TUNED_BETA = 0.105", "TUNED_BETA = 0.3")),
    "an ordered dict": with_code(IMPORTS + COLLECTIONS),
}
