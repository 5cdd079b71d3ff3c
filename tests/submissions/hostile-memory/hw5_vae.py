# Asks for 30 GB, in several ways. Nothing of it is ever touched, so a machine that grants it
# does not suffer; the last one touches 3 GB at most.
import numpy as np
import torch
from torch import nn

GB = 1 << 30
HEAP = bytearray(30 * GB)
BIG = torch.empty(30 * GB // 4)


class VAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.all_images = nn.Linear(30 * GB // 4 // input_size, input_size)

    def forward(self, x):
        return self.all_images(x)


def reparametrize(mu, logvar):
    noise = np.empty(30 * GB, dtype=np.uint8)[: mu.numel()]
    return mu + torch.exp(logvar / 2) * torch.from_numpy(noise).reshape(mu.shape)


def loss_function(x_hat, x, mu, logvar):
    kept = []
    for _ in range(48):
        kept.append(torch.ones(1 << 24))    # 64 MB each
    return kept[-1].mean()
