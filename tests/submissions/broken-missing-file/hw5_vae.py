#!/usr/bin/env python
# coding: utf-8

# In[1]:

get_ipython().run_line_magic('matplotlib', 'inline')
import os, sys, time
import numpy as np
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision.utils as vutils
from torch.utils.data import DataLoader, TensorDataset
from tqdm.notebook import tqdm
import seaborn as sns
from google.colab import drive

drive.mount('/content/drive')
plt.rcParams["axes.grid"] = False
print("torch", torch.__version__)

# In[2]:

from hw5_utils import load_mnist, one_hot, reset_seed, show_images

torch.manual_seed(1234)
np.random.seed(1234)
device = torch.device('cuda')
BATCH = 128
EPOCHS = 10

images, labels = load_mnist(validation=5000)
print("data:", images.shape, labels.shape)
train_loader = DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True, num_workers=4, pin_memory=True)

# In[3]:


class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super(VAE, self).__init__()
        print("building a VAE", input_size, latent_size)
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
        x = x.cuda()
        h = self.encoder(x)
        # print(h.shape)
        mu = self.mu_layer(h)
        logvar = self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        x_hat = self.decoder(z)
        print("forward", tuple(x.shape), "->", tuple(x_hat.shape))
        return x_hat, mu, logvar


class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super(CVAE, self).__init__()
        self.input_size = input_size
        self.num_classes = num_classes
        self.latent_size = latent_size
        self.hidden_dim = h = 512
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
        x, c = x.to(device), c.to(device)
        h = self.encoder(torch.cat([x.view(x.size(0), -1), c], dim=1))
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        return self.decoder(torch.cat([z, c], dim=1)), mu, logvar


def reparametrize(mu, logvar):
    eps = torch.randn(mu.size(), device="cuda")
    return mu + torch.exp(logvar / 2) * eps


def loss_function(x_hat, x, mu, logvar):
    bce = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    print("bce", bce.item(), "kld", kld.item())
    return (bce + kld) / x.size(0)


# In[4]:


def train(model, loader, epochs=EPOCHS):
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = []
    for epoch in range(epochs):
        for x, y in tqdm(loader):
            x = x.cuda()
            x_hat, mu, logvar = model(x)
            loss = loss_function(x_hat, x, mu, logvar)
            opt.zero_grad()
            loss.backward()
            opt.step()
            history.append(loss.item())
        print("epoch %d loss %.3f" % (epoch, history[-1]))
    return history


vae = VAE(784).cuda()
losses = train(vae, train_loader)

fig, ax = plt.subplots(1, 1, figsize=(6, 4))
ax.plot(losses)
ax.set_xlabel("iteration")
plt.savefig("/content/drive/MyDrive/hw5/vae_loss.png")
plt.show()

# In[5]:

z = torch.randn(10, 15).to(device=device)
vae.eval()
samples = vae.decoder(z).data.cpu().numpy()
for i in range(10):
    plt.subplot(1, 10, i + 1)
    plt.imshow(samples[i][0], cmap="gray")
plt.show()
torch.save(vae.state_dict(), "vae.pt")
