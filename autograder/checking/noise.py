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


def has_tails(noise: torch.Tensor) -> bool:
    """Is as much of it beyond two and beyond three as of N(0, 1)? False alarms: below 2e-8.

    Of 10,000 numbers and more: 27 beyond three are expected of so many, and clamped noise has none.
    """
    for beyond, share in ((2.0, 0.0455003), (3.0, 0.0026998)):
        error = SIGMAS * math.sqrt(share * (1 - share) / noise.numel())
        if abs(float((noise.abs() > beyond).float().mean()) - share) > error:
            return False
    return True
