"""Is this what a standard normal draw looks like? For the checks of what samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

SIGMAS = 6.0
RARE = 3e-8
"""How seldom true draws are as even as what `is_as_drawn` refuses, in each of five ways."""


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


MANY = 250_000


def reaches_far(noise: torch.Tensor, rounded: float = 1e-4) -> bool:
    """Does one of MANY draws from N(0, 1) lie beyond 4, by more than they are `rounded`? False
    alarms: 1.4e-7; where they are rounded by 0.01, 2.6e-7.
    """
    return float(noise.abs().max()) > 4 + rounded


def is_as_drawn(noise: torch.Tensor) -> bool:
    """Has nobody evened these (n, columns) draws from N(0, 1) out? False alarms: 1.5e-7.

    Draws that were standardised, over the batch, over each row or all together, that come in
    opposite pairs or are scaled to one length, have means and spreads that lie closer to 0 and 1
    than chance brings them: rounding apart they are equal, and always refused.
    """
    x = noise.double()
    n, columns = x.shape
    spread = min(abs(float(x.std(correction=one)) - 1) for one in (0, 1)) * math.sqrt(2 * x.numel())
    whole = torch.tensor([float(x.mean()) * math.sqrt(x.numel()), spread])
    ways = [whole, x.mean(0) * math.sqrt(n), (x.std(0) - 1) * math.sqrt(2 * n)]
    if columns > 1:
        half = torch.full((n,), columns / 2, dtype=torch.float64)
        lengths = torch.special.gammainc(half, x.square().sum(1) / 2)  # uniform between 0 and 1
        ways += [x.sum(1) / math.sqrt(columns), normal_from_uniform(lengths)]
    return all(map(_strays, ways))


def has_varied_lengths(vectors: Sequence[torch.Tensor]) -> bool:
    """Are some vectors of many draws from N(0, 1) as unequal in length as chance makes them?
    False alarms: RARE. Of eight that were scaled to one length it is seen, where their lengths are
    known within a tenth of a standard error.
    """
    squares = torch.stack([one.double().square().mean() for one in vectors])
    return _strays((squares - 1) * math.sqrt(len(vectors[0]) / 2))


def is_drawn_singly(numbers: torch.Tensor) -> bool:
    """Is each of these numbers drawn on its own, and none a copy of others? Of 100,000 floats that
    are, 300 meet another by chance; more than a tenth never do.
    """
    flat = numbers.flatten()
    return int((flat.sort().values.diff() > 0).sum()) >= 0.9 * len(flat) - 1


def _strays(scores: torch.Tensor) -> bool:
    """Are these numbers as far from 0 as N(0, 1) takes them? False alarms: RARE."""
    half = torch.tensor([scores.numel() / 2, float(scores.double().square().sum()) / 2])
    return float(torch.special.gammainc(*half.double())) > RARE


def is_independent(noise: torch.Tensor) -> bool:
    """Have the rows and the columns of (n, columns) draws from N(0, 1) nothing to do with one
    another? Two columns share less than 7 standard errors, and so do rows that are neighbours, or
    half of the batch apart: false alarms 1e-8 for 40 columns of 600 rows, 6e-8 for 100 of 400.
    """
    n, columns = noise.shape
    shared = noise.T @ noise / n
    apart = [float((noise[k:] * noise[: n - k]).mean()) for k in (1, n // 2)]
    most, least = float((shared - shared.diag().diag()).abs().max()), (SIGMAS + 1) / math.sqrt(n)
    return most < least and max(map(abs, apart)) < least * math.sqrt(2 / columns)


def has_a_twin(noise: torch.Tensor) -> bool:
    """Does a row of (n, columns) draws point where another does, or the other way? Of 600 rows of
    40 numbers two have a cosine beyond 0.95 with a probability of 4e-15.
    """
    rows = torch.nn.functional.normalize(noise)
    return float((rows @ rows.T).fill_diagonal_(0).abs().max()) > 0.95
