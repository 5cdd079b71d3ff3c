#!/usr/bin/env python
# coding: utf-8

# # Homework 5: VAEs
# In[1]:

%matplotlib inline
import numpy as np
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torch.nn.functional as F
from tqdm.notebook import tqdm

from hw5_utils import *

device = "cuda" if torch.cuda.is_available() else "cpu"
print("running on", device)
torch.manual_seed(42)


# In[2]:

def answer_1b(latent_dimension=2):
    return float(latent_dimension)

def answer_1g(mu_phi, sigma_phi):
    # log(1) + (s^2 + 0) / (2 s^2) - 1/2
    return np.log(sigma_phi / sigma_phi) + sigma_phi**2 / (2 * sigma_phi**2) - 0.5

def answer_1h(mu_phi, mu_p, sigma):
    return np.square(mu_phi - mu_p) / (2 * np.square(sigma))

def answer_1j():
    return np.int64(3)


# ## Problem 2
# In[3]:

class Encoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super(Encoder, self).__init__()
        self.fc1 = nn.Linear(data_dimension, hidden_units)
        self.fc2_mu = nn.Linear(hidden_units, latent_dimension)
        self.fc2_sigma = nn.Linear(hidden_units, latent_dimension)

    def forward(self, x):
        hidden = torch.tanh(self.fc1(x))
        return self.fc2_mu(hidden), torch.exp(self.fc2_sigma(hidden))

class Decoder(nn.Module):
    def __init__(self, latent_dimension, hidden_units, data_dimension):
        super(Decoder, self).__init__()
        print("Decoder", latent_dimension, hidden_units, data_dimension)
        self.out = nn.Linear(hidden_units, data_dimension)
        self.hidden = nn.Linear(latent_dimension, hidden_units)

    def forward(self, z):
        h = torch.tanh(self.hidden(z))
        logits = self.out(h)
        return 1 / (1 + torch.exp(-logits))

class BernoulliVAE(nn.Module):
    def __init__(self, latent_dimension=2, hidden_units=500, data_dimension=784):
        super(BernoulliVAE, self).__init__()
        self.latent_dimension = latent_dimension
        self.encoder = Encoder(latent_dimension, hidden_units, data_dimension)
        self.decoder = Decoder(latent_dimension, hidden_units, data_dimension)

    @staticmethod
    def sample_diagonal_gaussian(mu, sigma_square):
        return torch.normal(mu, torch.sqrt(sigma_square))

    @staticmethod
    def sample_Bernoulli(p):
        return (p > 0.5).float()

    @staticmethod
    def logpdf_diagonal_gaussian(z, mu, sigma_square):
        first = -0.5 * np.log(2 * np.pi) - 0.5 * torch.log(sigma_square)
        second = -((z - mu) ** 2) / (2 * sigma_square)
        return torch.sum(first + second, dim=1)

    @staticmethod
    def logpdf_bernoulli(x, p):
        eps = 1e-6
        return torch.sum(x * torch.log(p + eps * (p == 0)) + (1 - x) * torch.log(1 - p + eps * (p == 1)), dim=-1)

    def sample_z(self, mu, sigma_square):
        return self.sample_diagonal_gaussian(mu, sigma_square)

    def elbo_loss(self, sampled_z, mu, sigma_square, x, p):
        log_q = self.logpdf_diagonal_gaussian(sampled_z, mu, sigma_square)
        log_p_z = self.logpdf_diagonal_gaussian(sampled_z, 0 * mu, 0 * mu + 1)
        log_p = self.logpdf_bernoulli(x, p)
        total = 0
        for n in range(len(x)):
            total = total + log_p[n] + log_p_z[n] - log_q[n]
        return total / len(x)


# ## Autoencoders
# In[4]:

class AEEncoder(nn.Module):
    def __init__(self, nz, input_size):
        super(AEEncoder, self).__init__()
        self.input_size = input_size
        self.fc1 = nn.Linear(input_size, 256)
        self.fc2 = nn.Linear(256, 64)
        self.fc3 = nn.Linear(64, nz)

    def forward(self, x):
        h = x.reshape(-1, self.input_size)
        h = F.relu(self.fc1(h))
        h = F.relu(self.fc2(h))
        return self.fc3(h)

class AEDecoder(nn.Module):
    def __init__(self, nz, output_size):
        super(AEDecoder, self).__init__()
        self.output_size = output_size
        self.fc1 = nn.Linear(nz, 64)
        self.fc2 = nn.Linear(64, 256)
        self.fc3 = nn.Linear(256, output_size)

    def forward(self, z):
        h = F.relu(self.fc1(z))
        h = F.relu(self.fc2(h))
        return torch.sigmoid(self.fc3(h)).reshape(-1, 1, self.output_size)

class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super(AutoEncoder, self).__init__()
        self.nz = nz
        self.encoder = AEEncoder(nz=nz, input_size=784)
        self.decoder = AEDecoder(nz=nz, output_size=784)

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def reconstruct(self, x):
        return self.forward(x).reshape(-1, 28, 28)

class Loader:
    def __init__(self, images, labels, batch_size):
        self.images, self.labels, self.batch_size = images, labels, batch_size

    def __len__(self):
        return len(self.images) // self.batch_size

    def __iter__(self):
        perm = np.random.permutation(len(self.images))
        for b in range(len(self)):
            idx = torch.as_tensor(perm[b * self.batch_size : (b + 1) * self.batch_size])
            yield self.images[idx], self.labels[idx]

def make_loader(images, labels, batch_size):
    return Loader(images, labels, batch_size)

def train_autoencoder(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    it = 0
    for epoch in range(epochs):
        print("Run Epoch %d" % epoch)
        for batch in loader:
            x = batch[0].cuda().flatten(1)
            x_hat = model(x).flatten(1)
            loss = -(x * torch.log(x_hat) + (1 - x) * torch.log(1 - x_hat)).mean()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if it % 100 == 0:
                print("It %d: Reconstruction Loss: %f" % (it, loss.item()))
            losses.append(loss.item())
            it += 1
    print("Done!")
    return losses

def sample_prior(model, n):
    z = torch.from_numpy(np.random.rand(n, model.nz)).float()
    with torch.no_grad():
        x = model.decoder(z)
    return x.view(n, 1, 28, 28)

def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    ratio = torch.exp(2 * (log_sigma1 - log_sigma2))
    distance = (mu1 - mu2) ** 2 * torch.exp(-2 * log_sigma2)
    return (log_sigma2 - log_sigma1) + (ratio + distance) / 2 - 0.5

class BetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super(BetaVAE, self).__init__()
        self.nz = nz
        self.beta = beta
        self.encoder = AEEncoder(nz=2 * nz, input_size=784)
        self.decoder = AEDecoder(nz=nz, output_size=784)

    def forward(self, x):
        q = self.encoder(x)
        mu, log_sigma = q[:, 0 : self.nz], q[:, self.nz : 2 * self.nz]
        z = mu + torch.exp(log_sigma) * torch.randn(1, self.nz).cuda()
        return {"q": q, "rec": self.decoder(z), "mu": mu, "log_sigma": log_sigma}

    def loss(self, x, outputs):
        mu, log_sigma = torch.chunk(outputs["q"], 2, dim=1)
        N = x.shape[0]
        rec = outputs["rec"].reshape(N, 784)
        rec_loss = F.binary_cross_entropy(rec, x.reshape(N, 784), reduction="sum") / (N * 784)
        kl_loss = (-0.5 - log_sigma + 0.5 * torch.exp(2 * log_sigma) + 0.5 * mu**2).sum() / (N * self.nz)
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}

    def reconstruct(self, x):
        q = self.encoder(x)
        return self.forward(x)["rec"].reshape(-1, 28, 28)

def train_beta_vae(model, loader, epochs=10, lr=1e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    rec, kl = [], []
    print("Running %d epochs with beta=%s" % (epochs, model.beta))
    for epoch in range(epochs):
        print("Run Epoch %d" % epoch)
        for x, labels in loader:
            if hasattr(model, "conditional") and model.conditional:
                outputs = model(x, labels)
            else:
                outputs = model(x)
            total, terms = model.loss(x, outputs)
            total.backward()
            optimizer.step()
            optimizer.zero_grad()
            rec.append(float(terms["rec_loss"]))
            kl.append(float(terms["kl_loss"]))
    print("Done!")
    return rec, kl

TUNED_BETA = np.float64(0.1)

def interpolate_embeddings(model, start, end, steps=5):
    x = torch.stack([start.reshape(784), end.reshape(784)])
    with torch.no_grad():
        z = model.encoder(x)[:, : model.nz].numpy()
        path = np.linspace(z[0], z[1], steps + 1)[:-1].astype(np.float32)
        return model.decoder(torch.from_numpy(path)).view(steps, 1, 28, 28)

class ConditionalAEEncoder(nn.Module):
    def __init__(self, nz, input_size, conditional, num_labels):
        super(ConditionalAEEncoder, self).__init__()
        self.n, self.conditional, self.num_labels = input_size, conditional, num_labels
        self.fc1 = nn.Linear(input_size + num_labels if conditional else input_size, 256)
        self.fc2 = nn.Linear(256, 64)
        self.fc3 = nn.Linear(64, nz)

    def forward(self, x, c=None):
        h = x.reshape(-1, self.n)
        if self.conditional:
            onehot = torch.zeros(len(h), self.num_labels)
            onehot[torch.arange(len(h)), c] = 1
            h = torch.hstack([h, onehot])
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(h)))))

class ConditionalAEDecoder(nn.Module):
    def __init__(self, nz, output_size, conditional, num_labels):
        super(ConditionalAEDecoder, self).__init__()
        self.output_size, self.conditional, self.num_labels = output_size, conditional, num_labels
        self.fc1 = nn.Linear(nz + num_labels if conditional else nz, 64)
        self.fc2 = nn.Linear(64, 256)
        self.fc3 = nn.Linear(256, output_size)

    def forward(self, z, c=None):
        if self.conditional:
            onehot = torch.zeros(len(z), self.num_labels)
            onehot[torch.arange(len(z)), c] = 1
            z = torch.hstack([z, onehot])
        h = F.relu(self.fc2(F.relu(self.fc1(z))))
        return torch.sigmoid(self.fc3(h)).reshape(-1, 1, self.output_size)

class ConditionalBetaVAE(nn.Module):
    def __init__(self, nz, beta=1.0, conditional=False, num_labels=0):
        super(ConditionalBetaVAE, self).__init__()
        self.nz, self.beta = nz, beta
        self.conditional, self.num_labels = conditional, num_labels
        self.encoder = ConditionalAEEncoder(2 * nz, 784, conditional, num_labels)
        self.decoder = ConditionalAEDecoder(nz, 784, conditional, num_labels)

    def forward(self, x, c=None):
        q = self.encoder(x, c)
        mu, log_sigma = torch.chunk(q, 2, dim=1)
        z = mu + torch.exp(log_sigma) * torch.randn_like(mu)
        return {"q": q, "rec": self.decoder(z, c), "c": c}

    def loss(self, x, outputs):
        mu, log_sigma = torch.chunk(outputs["q"], 2, dim=1)
        N = x.shape[0]
        rec_loss = F.binary_cross_entropy(outputs["rec"].reshape(N, 784), x.reshape(N, 784))
        kl_loss = (-0.5 - log_sigma + 0.5 * torch.exp(2 * log_sigma) + 0.5 * mu**2).mean()
        return rec_loss + self.beta * kl_loss, {"rec_loss": rec_loss, "kl_loss": kl_loss}

    def reconstruct(self, x, c=None):
        q = self.encoder(x, c)
        return self.decoder(q[:, : self.nz], c).reshape(-1, 28, 28)

def sample_digits(model, labels):
    digits = []
    with torch.no_grad():
        z = torch.randn(1, model.nz)
        for label in labels:
            digits.append(model.decoder(z, label.reshape(1)).view(1, 28, 28))
    return torch.stack(digits)


# ## fc-vae
# In[5]:

class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super(VAE, self).__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.hidden_dim = 512
        h = self.hidden_dim
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(input_size, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU())
        self.mu_layer = nn.Linear(h, latent_size)
        self.logvar_layer = nn.Linear(h, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, input_size), nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        x_hat = self.decoder(reparametrize(mu, logvar))
        return x_hat, mu, logvar

class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super(CVAE, self).__init__()
        self.input_size = input_size
        self.num_classes = num_classes
        self.latent_size = latent_size
        self.hidden_dim = 512
        h = self.hidden_dim
        self.encoder = nn.Sequential(
            nn.Linear(input_size + num_classes, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU())
        self.mu_layer = nn.Linear(h, latent_size)
        self.logvar_layer = nn.Linear(h, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size + num_classes, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, h), nn.ReLU(),
            nn.Linear(h, input_size), nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)))

    def forward(self, x, c):
        h = self.encoder(torch.cat([x.view(x.shape[0], -1), c], dim=1))
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        return self.decoder(torch.cat([z, c], dim=1)), mu, logvar

def reparametrize(mu, logvar):
    std = torch.exp(logvar).sqrt()
    eps = torch.rand(std.shape).to(device)
    return mu + std * eps

def loss_function(x_hat, x, mu, logvar):
    bce = nn.BCELoss(reduction="sum")(x_hat, x)
    kl = 0.5 * torch.sum(mu.pow(2) + logvar.exp() - logvar - 1)
    return (bce + kl) / x.shape[0]


# In[6]:

images, labels = load_mnist()
bvae = BernoulliVAE()
ae = AutoEncoder(32)
losses = train_autoencoder(ae, make_loader(images, labels, 64))
plt.plot(losses)
plt.show()

vae = BetaVAE(32, beta=TUNED_BETA)
rec, kl = train_beta_vae(vae, make_loader(images, labels, 64))
for i in tqdm(range(10)):
    plt.imshow(sample_prior(vae, 1)[0, 0])
!ls pictures
