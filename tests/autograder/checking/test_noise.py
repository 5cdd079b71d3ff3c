"""What is drawn is told from what was evened out, in pairs, or made of one another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from autograder.checking.noise import (
    MANY,
    has_a_twin,
    has_normal_tails,
    has_varied_lengths,
    is_as_drawn,
    is_independent,
    is_standard,
    normal_from_uniform,
    reaches_far,
)

SIZES = [(600, 40), (5000, 4), (200, 200), (1000, 7)]


def drawn(seed: int, *size: int) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", SIZES)
def test_true_draws_pass_whatever_the_seed(size: tuple[int, int]) -> None:
    for seed in range(20):
        noise = drawn(seed, *size)
        assert is_standard(noise) and is_independent(noise) and is_as_drawn(noise)


EVENED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "over the batch": lambda z: (z - z.mean(0)) / z.std(0),
    "over the batch, as batch norm does": lambda z: F.batch_norm(z, None, None, training=True),
    "over each row": lambda z: (z - z.mean(1, keepdim=True)) / z.std(1, keepdim=True),
    "all together": lambda z: (z - z.mean()) / z.std(),
    "all together, without correction": lambda z: (z - z.mean()) / z.std(correction=0),
    "scaled to one length": lambda z: z.shape[1] ** 0.5 * F.normalize(z),
    "in opposite pairs": lambda z: torch.cat((z[::2], -z[::2])),
    "in opposite neighbours": lambda z: torch.stack((z[::2], -z[::2]), 1).flatten(0, 1),
}


@pytest.mark.parametrize("way", EVENED)
@pytest.mark.parametrize("size", [(600, 40), (5000, 4)])
def test_what_is_evened_out_is_always_refused(way: str, size: tuple[int, int]) -> None:
    for seed in range(20):
        assert not is_as_drawn(EVENED[way](drawn(seed, *size)))


def test_rows_that_hang_together_are_refused() -> None:
    noise = drawn(1, 600, 40)
    assert not is_independent(noise[:300].repeat(2, 1))
    assert not is_independent(noise[:300].repeat_interleave(2, 0))
    assert not is_independent(0.8 * noise + 0.6 * noise.roll(1, 1))
    assert not has_a_twin(noise)
    for row in (noise[7], -noise[7], 3 * noise[7]):
        assert has_a_twin(torch.cat((noise, row[None])))


def test_clamped_numbers_have_no_normal_tails() -> None:
    noise = drawn(2, 600, 40)
    assert has_normal_tails(noise)
    assert not has_normal_tails(noise.clamp(-3, 3))
    many = drawn(3, MANY, 1)
    assert reaches_far(many) and not reaches_far(many.clamp(-4, 4))


def test_uniform_numbers_become_normal_ones() -> None:
    u = torch.rand(600, 40, generator=torch.Generator().manual_seed(3))
    assert is_standard(normal_from_uniform(u)) and is_as_drawn(normal_from_uniform(u))


def test_several_vectors_of_one_length_are_told_from_draws() -> None:
    draws = [drawn(seed, 40_000) for seed in range(8)]
    assert has_varied_lengths(draws)
    assert not has_varied_lengths([200 * F.normalize(one, dim=0) for one in draws])
