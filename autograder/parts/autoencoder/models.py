"""How the checks of the part autoencoder look into a student's models.

    layered        a filled network of Linear layers, compared layer by layer
    Networks       known networks in the places of encoder and decoder
    new_model      a model whose constructor is given networks, or makes its own
    toy            a model that has a decoder and nz, as the sampling functions want it
    batches_of     a list of batches for training loops

Sampling is seen through affine decoders: the code is read off the images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ...checking.expect import Fail, Partial, expect, matches, tensor
from ...checking.noise import SIGMAS, is_standard
from ...checking.proxy import Remote, StudentError, assign, fill, sized, stub, value
from ...checking.registry import Rng
from ..fc_vae.models import LATENT, PIXELS, Act, Affine, compare_network, linears, same

ENCODER: list[Act] = [torch.relu, torch.relu, same]
DECODER: list[Act] = [torch.relu, torch.relu, torch.sigmoid]
HIDDEN = (256, 64)
CLASSES = 10
DRAWS = 600

SAMPLING = (
    "Draw eps from N(0, 1), one number for each entry, and compute z = mu + exp(log_sigma) * eps."
)
CODES = "torch.randn draws from N(0, I); one code has nz numbers, and model.decoder takes codes."


def layered(
    part: Remote,
    inputs: Sequence[torch.Tensor],
    rows: torch.Tensor,
    acts: list[Act],
    hidden: Sequence[int],
    seed: int,
    what: str,
) -> None:
    """Fail unless `part`, filled, makes of `inputs` what its Linear layers and `acts` make of
    `rows`. Other hidden widths than asked for keep half.
    """
    layers = linears(seed, fill(part, seed, "execution", inputs))
    outputs = layers[-1].outputs if layers else 0
    n = len(rows)
    shapes = [(n, 1, outputs), (n, 28, 28), (n, 1, 28, 28)]
    compare_network(part(*inputs), rows, layers, acts, what, shapes=shapes)
    widths = tuple(layer.outputs for layer in layers[:-1])
    if widths != tuple(hidden):
        raise Partial(
            0.5,
            f"{what}: the hidden layers have {_words(widths)} units; the question asks for "
            f"{_words(hidden)}.",
        )


def _words(widths: Sequence[int]) -> str:
    return " and ".join(map(str, widths))


def flat_images(
    value: Any, n: int, what: str, wanted: tuple[int, ...] = ()
) -> tuple[torch.Tensor, bool]:
    """Images as (n, 784), and whether they came in the shape that is `wanted` ((n, *wanted))."""
    shapes = [(n, PIXELS), (n, 1, PIXELS), (n, 28, 28), (n, 1, 28, 28)]
    images = tensor(value, shapes, what)
    return images, not wanted or tuple(value.shape) == (n, *wanted)


def expect_shape(right: bool, what: str, wanted: str) -> None:
    """Right numbers in another shape than the docstring says keep most of the marks."""
    if not right:
        raise Partial(0.75, f"{what} should have the shape {wanted}.")


@dataclass(frozen=True)
class Networks:
    """Affine networks in the places of encoder (784 -> Z or 2Z) and decoder (Z -> 784), and, in a
    conditional model, what each class adds to their outputs.
    """

    encoder: Affine
    decoder: Affine
    tables: tuple[torch.Tensor, torch.Tensor] | None = None
    squash: bool = False

    @classmethod
    def draw(
        cls, rng: Rng, outputs: int = 2 * LATENT, classes: int = 0, squash: bool = False
    ) -> Networks:
        tables = (rng.normal(classes, outputs), rng.normal(classes, PIXELS)) if classes else None
        return cls(
            Affine.draw(rng, PIXELS, outputs), Affine.draw(rng, LATENT, PIXELS), tables, squash
        )

    def install(self, model: Remote) -> Remote:
        """Put them into a model; brings the model back."""
        encoder_table, decoder_table = self.tables or (None, None)
        e, d = self.encoder, self.decoder
        assign(model.encoder, stub(model, e.weight, e.bias, table=encoder_table))
        made = stub(model, d.weight, d.bias, (1, PIXELS), self.squash, decoder_table)
        assign(model.decoder, made)
        return model

    def q(self, x: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        q = self.encoder(x.flatten(1))
        return q if self.tables is None or c is None else q + self.tables[0][c]

    def decode(self, z: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """Images (N, 784)."""
        y = self.decoder(z)
        y = y if self.tables is None or c is None else y + self.tables[1][c]
        return y.sigmoid() if self.squash else y

    def codes(self, images: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor | None:
        """The codes that the affine decoder has made these images of; None when of no codes."""
        rest = images - self.decode(torch.zeros(len(images), LATENT), c)
        z: torch.Tensor = rest @ torch.linalg.pinv(self.decoder.weight)
        return z if matches(z @ self.decoder.weight, rest, 1e-3) else None


def new_model(
    hw5_vae: Remote,
    make: Callable[[], Remote],
    classes: tuple[str, str] = ("AEEncoder", "AEDecoder"),
    seed: int = 0,
) -> Remote:
    """A model built by `make`: of given networks where its constructor calls `classes`.

    An encoder that was never written then costs nothing here. A constructor that wants more of its
    networks gets its own.
    """
    own: dict[str, Any] = {}
    for name in classes:
        with suppress(StudentError):
            own[name] = value(getattr(hw5_vae, name))
    give_classes(hw5_vae, seed, classes)
    try:
        return make()
    except StudentError:
        for name, one in own.items():
            assign(getattr(hw5_vae, name), one)
        return make()


def give_classes(
    hw5_vae: Remote, seed: int, classes: tuple[str, str] = ("AEEncoder", "AEDecoder")
) -> None:
    """Until the check ends, both classes make given networks of the sizes that they are told."""
    encoder, decoder = (getattr(hw5_vae, name) for name in classes)
    assign(encoder, sized(hw5_vae, seed, ["nz", "input_size"]))
    assign(decoder, sized(hw5_vae, seed, ["nz", "output_size"], turned=True))


def toy(near: Remote, **attributes: Any) -> Remote:
    """A model with these attributes and nothing else."""
    model = stub(near, torch.zeros(1, 1), torch.zeros(1))
    for name, one in attributes.items():
        assign(getattr(model, name), one)
    return model


def q_and_rec(result: Any) -> tuple[Any, Any]:
    """What forward put into its dict under q and rec. Fails when it returns something else."""
    hint = 'forward returns {"q": ..., "rec": ...}.'
    if isinstance(result, Remote):
        # A dict of a class of its own stays over there.
        with suppress(StudentError):
            result = {name: result.get(name) for name in ("q", "rec")}
    if not isinstance(result, dict):
        raise Fail("forward should return a dict with q and rec.", hint)
    for name in ("q", "rec"):
        expect(name in result, f"The dict that forward returns has no `{name}`.", hint)
    return result["q"], result["rec"]


def is_independent(z: torch.Tensor) -> bool:
    """Do rows and columns of (n, columns) draws from N(0, 1) have nothing to do with each other?"""
    n, columns = z.shape
    covariance = z.T @ z / n - torch.eye(columns)
    off = covariance - covariance.diag().diag()
    return float(off.abs().max()) < SIGMAS / n**0.5 and float(z.std(1).min()) > 0


def expect_standard(z: torch.Tensor, what: str, hint: str) -> None:
    """Fail unless (n, columns) looks like draws from N(0, I)."""
    expect(is_standard(z) and is_independent(z), what, hint)


def batches_of(
    rng: Rng, count: int, size: int = 6, marked: bool = False
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of images (N, 1, 28, 28) and labels; `marked`: the first pixel is label / 10."""
    loader = []
    for _ in range(count):
        x, labels = rng.uniform(0, 1, size, 1, 28, 28), rng.labels(size, CLASSES)
        if marked:
            x[:, 0, 0, 0] = labels / 10
        loader.append((x, labels))
    return loader


def movement(before: Sequence[torch.Tensor], after: Sequence[torch.Tensor]) -> torch.Tensor:
    """Where training has taken the parameters, in one row. Fails when these are not the same."""
    shapes = [tuple(one.shape) for one in before]
    right = isinstance(after, list) and [tuple(getattr(a, "shape", ())) for a in after] == shapes
    expect(right, "After training, the model has other parameters than before.")
    return torch.cat([(a - b).flatten() for a, b in zip(after, before, strict=True)])


def expect_moved(actual: torch.Tensor, expected: torch.Tensor) -> None:
    """Fail unless training has taken the parameters where it should. Rounding in Adam's first steps
    costs less than a thousandth of the way.
    """
    expect(bool(actual.abs().max() > 0), "Training leaves the weights where they were.")
    expect(
        matches(actual, expected, 2e-3),
        "Training does not take the weights where it should.",
        "For every batch: forward, loss, zero_grad, backward, step. The optimizer is Adam with the "
        "learning rate `lr`.",
    )


def series(losses: Any, n: int, what: str) -> torch.Tensor:
    """n losses as a tensor (n,): a list of numbers or of scalars, or a tensor."""
    if isinstance(losses, torch.Tensor):
        return tensor(losses, [(n,), (n, 1)], what)
    expect(isinstance(losses, (list, tuple)), f"{what} should be a list of numbers.")
    count = f"{what} holds {len(losses)} numbers after {n} steps; one for each step is asked for."
    expect(len(losses) == n, count)
    scalar = partial(tensor, shapes=[(), (1,)], what=f"A number of {what}")
    return torch.stack([scalar(loss) for loss in losses])
