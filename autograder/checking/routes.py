"""Which way training goes, and whether the rows of a batch leave one another alone.

What each output of the student's code learns from, and what it must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from .expect import Fail, expect, matches
from .proxy import Remote, gradients

CUT = "detach(), .data, torch.no_grad() and torch.tensor(...) cut the way that training takes."


def expect_routes(
    function: Remote,
    args: Sequence[Any],
    learns: Mapping[int | str, Sequence[str]],
    *,
    inputs: Mapping[str, int] | None = None,
    networks: Mapping[str, Remote] | None = None,
    names: Mapping[int | str, str] | None = None,
    seed: int = 0,
) -> None:
    """Fail unless a gradient goes from each output to what must learn from it, and to nothing else.

    `learns`: which item of the returned tuple or dict -> names of those that it must reach;
    `inputs`: name -> position in `args`; `networks`: name -> a network, all of whose parameters
    are meant; `names`: what the student reads for an output (default: the key itself). Weights of
    the outputs are drawn, so that gradients of a sum that happens to be constant count as well.
    """
    inputs, networks, names = inputs or {}, networks or {}, names or {}
    for output, wanted in learns.items():
        what = names.get(output, str(output))
        plain = function(*args)[output]
        if not isinstance(plain, torch.Tensor):
            raise Fail(f"{what} should be a tensor.")
        weight = torch.rand(plain.shape, generator=torch.Generator().manual_seed(seed)) + 0.5
        found = gradients(
            function,
            *args,
            wrt=list(inputs.values()),
            of=list(networks.values()),
            cotangent=weight,
            pick=output,
        )
        reached = dict(zip(inputs, map(_any, found.inputs), strict=True))
        for name, grads in zip(networks, found.objects, strict=True):
            reached[name] = bool(grads) and all(map(_any, grads))
        for name in reached:
            if name in wanted:
                expect(reached[name], f"No gradient goes from {what} to {name}.", CUT)
            else:
                # One parameter that is reached is too many.
                others = found.objects[list(networks).index(name)] if name in networks else []
                touched = reached[name] or any(map(_any, others))
                expect(not touched, f"A gradient goes from {what} to {name}; none should.")


def _any(gradient: torch.Tensor | None) -> bool:
    return isinstance(gradient, torch.Tensor) and bool(gradient.count_nonzero() > 0)


def expect_rows_apart(
    function: Callable[..., Any],
    args: Sequence[torch.Tensor],
    what: str,
    pick: int | str | None = None,
) -> None:
    """Fail unless the last row alone gives what it gives among the others.

    For code without noise, or whose noise has been replaced.
    """

    def rows(inputs: Sequence[torch.Tensor]) -> Any:
        made = function(*inputs)
        return made if pick is None else made[pick]

    among, alone = rows(args), rows([one[-1:] for one in args])
    both = isinstance(among, torch.Tensor) and isinstance(alone, torch.Tensor)
    expect(
        both and matches(alone, among[-1:]),
        f"{what} mixes the rows of a batch: what comes of one image depends on the others.",
        "Each row is computed for itself; see over which dimension you sum, flip or average.",
    )
