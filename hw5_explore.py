"""Given to students: a look into the codes of a trained model. Nothing here needs an edit.

    code_grid    what a decoder draws over the whole plane of a code of two dimensions
    explore      move through the codes of any decoder, in two directions, and see the image at once
    side_by_side a decoder that reads code and class side by side, as `explore` wants it

A decoder (or generator) is a module or a function from codes (N, Z) to images (N, 784),
(N, 1, 28, 28) or (N, 3, H, W). Nothing is trained here, and no random stream moves.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from hw5_basics import one_hot
from hw5_figures import code_map, image_grid, one_picture

REACH = {"normal": 3.0, "uniform": 1.0}  # how far from 0 a coordinate is moved


@torch.no_grad()
def code_grid(decoder, n: int = 20, file: str | os.PathLike | None = None):
    """n x n decodings of a code of two dimensions, each for an equal share of the prior N(0, I).

        z = ( Phi^-1((i + 1/2) / n),  Phi^-1((j + 1/2) / n) )      in column i, row j from below

    Phi is the distribution function of N(0, 1): where the prior is dense the pictures lie close
    together. Source: Kingma and Welling, Auto-Encoding Variational Bayes, 2014, figure 4.
    """
    quantiles = torch.special.ndtri((torch.arange(n) + 0.5) / n)  # (n,), from left to right
    down, across = torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij")  # (n, n) each
    codes = torch.stack((across, down), dim=-1).view(n * n, 2)
    return code_map(_decode(decoder, codes), quantiles.tolist(), file=file)


def explore(
    decoder: nn.Module | Callable[..., torch.Tensor],
    size: int,
    *,
    prior: str = "normal",
    classes: int = 0,
    low: float = 0.0,
) -> None:
    """Show what lies around a code: a map, and below it sliders that move through it.

    The code starts at a draw from the prior (at 0 if it has two dimensions) and is moved along two
    directions: along one of its numbers, or towards another draw, A or B. The map shows both
    directions at once. Without ipywidgets there is the map alone.

    size: Z; prior: "normal", N(0, I), or "uniform" in [-1, 1]; classes: C if the decoder is told
    the class, as in decoder(z, c) with labels c (N,), else 0; low: what is black, -1 after a tanh.
    """
    if prior not in REACH:
        raise ValueError(f'explore: prior is "normal" or "uniform", not {prior!r}.')
    space = Space(decoder, size, prior, classes, low)
    across, down = space.directions[:2] if size == 2 else ("towards A", "towards B")
    _show_map(space, across, down)
    try:
        import ipywidgets
    except ImportError:
        print("(The sliders need ipywidgets: python -m pip install ipywidgets, then restart.)")
    else:
        _show_sliders(ipywidgets, space, across, down)


def side_by_side(decoder: nn.Module, classes: int = 10) -> Callable[..., torch.Tensor]:
    """decoder(z, c) with labels c (N,), of one that reads [z, one-hot c]: (N, Z + C)."""
    device = next(decoder.parameters()).device

    def decode(z: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return decoder(torch.cat((z, one_hot(c, classes)), dim=1).to(device))

    return decode


@dataclass(frozen=True)
class Space:
    """The codes of a decoder, seen from one of them: draw number `seed` from the prior."""

    decoder: nn.Module | Callable[..., torch.Tensor]
    size: int
    prior: str = "normal"
    classes: int = 0
    low: float = 0.0
    seed: int = 0

    @property
    def directions(self) -> list[str]:
        """The names of all directions."""
        return [*(f"z[{k}]" for k in range(self.size)), "towards A", "towards B"]

    def draws(self) -> torch.Tensor:
        """Three codes (3, Z): the start, A and B."""
        stream = torch.Generator().manual_seed(self.seed)
        if self.prior == "uniform":
            return 2 * torch.rand(3, self.size, generator=stream) - 1
        return torch.randn(3, self.size, generator=stream)

    def start(self) -> torch.Tensor:
        """Where all directions begin: (Z,)."""
        return torch.zeros(2) if self.size == 2 and self.seed == 0 else self.draws()[0]

    def direction(self, name: str) -> torch.Tensor:
        """The whole way in this direction: (Z,)."""
        if name in ("towards A", "towards B"):
            return self.draws()[1 if name.endswith("A") else 2] - self.start()
        return REACH[self.prior] * torch.eye(self.size)[self.directions.index(name)]

    def images(self, across: str, down: str, moves: torch.Tensor, c: int = 0) -> torch.Tensor:
        """The images of the codes start + s * across + t * down; moves: (N, 2), s and t."""
        ways = torch.stack((self.direction(across), self.direction(down)))  # (2, Z)
        codes = self.start() + moves @ ways  # (N, Z)
        if self.prior == "uniform":
            codes = codes.clamp(-1, 1)  # beyond there is nothing that the model was trained for
        labels = (torch.full((len(codes),), c),) if self.classes else ()
        return (_decode(self.decoder, codes, *labels) - self.low) / (1 - self.low)


@torch.no_grad()
def _decode(decoder, *inputs: torch.Tensor) -> torch.Tensor:
    """Decoded images on the CPU."""
    with _at_rest(decoder):
        weights = list(decoder.parameters()) if isinstance(decoder, nn.Module) else []
        device = weights[0].device if weights else None
        return decoder(*(x.to(device) for x in inputs)).float().cpu()


@contextmanager
def _at_rest(decoder):
    """The decoder as for testing, and as it was behind."""
    training = isinstance(decoder, nn.Module) and decoder.training
    if training:
        decoder.eval()
    try:
        yield
    finally:
        if training:
            decoder.train()


def _show_map(space: Space, across: str, down: str, steps: int = 7) -> None:
    """One picture: steps x steps images, both directions from -1 to 1."""
    from IPython.display import display

    way = torch.linspace(-1, 1, steps)
    t, s = torch.meshgrid(way.flip(0), way, indexing="ij")
    moves = torch.stack((s, t), dim=-1).view(-1, 2)
    title = f"{across} from left to right, {down} from bottom to top"
    display(image_grid(space.images(across, down, moves), steps, title=title))


def _show_sliders(widgets, space: Space, across: str, down: str) -> None:
    """Two directions to choose, how far to go in each, the class if there is one, another code."""
    from IPython.display import display

    names = [widgets.Dropdown(options=space.directions, value=one) for one in (across, down)]
    moves = [widgets.FloatSlider(min=-1, max=1, step=0.02, readout_format=".2f") for _ in names]
    label = widgets.IntSlider(max=max(space.classes - 1, 0), description="class")
    another = widgets.Button(description="another code")
    seen = widgets.Image(width=224, height=224)
    seed = 0

    def draw(_=None) -> None:
        here = replace(space, seed=seed)
        to = torch.tensor([[move.value for move in moves]])
        seen.value = one_picture(here.images(*(name.value for name in names), to, label.value))

    def jump(_) -> None:
        nonlocal seed
        seed += 1
        draw()

    for one in (*names, *moves, label):
        one.observe(draw, "value")
    another.on_click(jump)
    draw()
    rows = [widgets.HBox(pair) for pair in zip(names, moves, strict=True)]
    controls = widgets.VBox([*rows, *([label] if space.classes else []), another])
    display(widgets.HBox([seen, controls]))
