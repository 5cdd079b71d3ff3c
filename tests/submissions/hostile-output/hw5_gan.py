# Answers that are far too large, or have no end, or no form.
import torch


def sample_noise(batch_size, noise_dim, dtype=torch.float, device="cpu"):
    return torch.zeros(1, dtype=dtype).expand(1 << 40)


def discriminator_loss(logits_real, logits_fake):
    raise ValueError("<b>x</b>\r\n\x1b[31m" * 5_000_000)


def generator_loss(logits_fake):
    endless = []
    endless.append(endless)
    return endless


def ls_discriminator_loss(scores_real, scores_fake):
    return "9" * 100_000_000


def ls_generator_loss(scores_fake):
    return [torch.zeros(1)] * 5_000


def get_optimizer(model):
    return {str(n): float("nan") for n in range(200_000)}


class Deep:
    def __getattr__(self, name):
        return Deep()

    def __call__(self, *args, **kwargs):
        return Deep()


discriminator = generator = build_dc_classifier = build_dc_generator = Deep()
DNet = GNet = GAN = Deep
