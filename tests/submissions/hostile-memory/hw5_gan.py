# Asks for 30 GB, does not get it, and goes on: that is allowed.
import torch
import torch.nn.functional as F

try:
    cache = bytearray(30 << 30)
except MemoryError:
    cache = None


def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return torch.empty(batch_size, noise_dim, dtype=dtype, device=device).uniform_(-1, 1)


def discriminator_loss(logits_real, logits_fake):
    return F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()


def generator_loss(logits_fake):
    return F.softplus(-logits_fake).mean()
