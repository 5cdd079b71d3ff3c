"""Is this what a standard normal draw looks like? For the checks of what samples."""

from __future__ import annotations

import math

import torch

SIGMAS = 6.0


def normal_from_uniform(u: torch.Tensor) -> torch.Tensor:
    """What would be N(0, 1) if u were uniform between 0 and 1."""
    normal: torch.Tensor = torch.special.ndtri(u.double().clamp(1e-9, 1 - 1e-9))
    return normal.float()


def is_centred(noise: torch.Tensor) -> bool:
    """Could every column of (n, columns) have mean 0 and variance 1? False alarms: 2e-9 each."""
    return float(noise.mean(0).abs().max()) < SIGMAS / math.sqrt(len(noise))


def is_standard(noise: torch.Tensor) -> bool:
    """Is every column of (n, columns) a plausible draw from N(0, 1)? False alarms: 6e-9 each."""
    n = len(noise)
    within = (noise.abs() < 1).float().mean(0)
    return (
        bool(torch.isfinite(noise).all())
        and is_centred(noise)
        and float((noise.std(0) - 1).abs().max()) < SIGMAS / math.sqrt(2 * n)
        and float((within - 0.68269).abs().max()) < SIGMAS * math.sqrt(0.2166 / n)
    )


def has_normal_tails(noise: torch.Tensor) -> bool:
    """Do as many of all these numbers lie beyond 1.1, 2.1 and 3.05 as of N(0, 1)? False alarms:
    1e-7. Among 20,000 numbers, those that are never larger than 3 are always refused.
    """
    size, edges = noise.abs().double().flatten(), (1.1, 2.1, 3.05)
    beyond = torch.tensor([float((size > edge).double().mean()) for edge in edges])
    right = torch.tensor([math.erfc(edge / math.sqrt(2)) for edge in edges])
    return bool(((beyond - right).abs() < SIGMAS * (right / len(size)).sqrt()).all())
