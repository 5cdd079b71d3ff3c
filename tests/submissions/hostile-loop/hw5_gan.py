# What stands in one file costs the other nothing.
import torch.nn.functional as F


def discriminator_loss(logits_real, logits_fake):
    return F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()
