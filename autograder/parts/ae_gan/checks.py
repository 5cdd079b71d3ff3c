"""Part ae-gan: the optimizers of three networks, and the steps that their losses take.

All three networks are given affine ones. The generator starts with a bias alone, so that it makes
one image of every code and noise changes nothing; with a small rate nothing moves far, so that the
order of the steps does not matter either. How the student's own optimizers answer to gradients is
tried out: what training does to a network is then compared with what the right gradients do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import Fail, close, either, expect, matches, tensor
from ...checking.networks import built
from ...checking.proxy import Remote, StudentError, assign, descent, set_grads, stub, weights
from ...checking.registry import Rng, check

CODE, PIXELS, ROWS = 5, 12, 8
RATE, STEEP = 1e-4, 1e-3
"""Rates of a training: with the student's optimizers, and by plain descent."""
MOVED = 0.03
"""Tolerance of how far a network moves: others move meanwhile, by the rate."""
FAINT = 0.1
"""Adam takes whole steps by gradients however small, and these drift: entries whose gradient is
below this share of the largest are not compared."""
NETWORKS = ("encoder", "generator", "discriminator")

Grads = list[torch.Tensor]
Values = tuple[torch.Tensor, torch.Tensor]
"""Weight and bias of an affine network."""


@dataclass(frozen=True)
class _Scene:
    """Three affine networks and two batches of images."""

    encoder: Values
    generator: Values
    discriminator: Values
    batches: list[torch.Tensor]

    @staticmethod
    def draw(rng: Rng, decodes: bool = False, sharp: float = 1.0) -> _Scene:
        """`decodes`: the generator heeds its codes; `sharp`: the size of the discriminator's
        weights. The second batch is darker, so that the gradients of both disagree.
        """
        return _Scene(
            (rng.normal(PIXELS, CODE, std=0.3), rng.normal(CODE, std=0.3)),
            (decodes * rng.normal(CODE, PIXELS, std=0.3), rng.uniform(0.3, 0.7, PIXELS)),
            (rng.normal(PIXELS, 1, std=sharp), rng.normal(1, std=0.3)),
            [rng.uniform(0.3, 1, ROWS, PIXELS), rng.uniform(0, 0.5, ROWS, PIXELS)],
        )

    def model(self, module: Remote) -> Remote:
        made = built(module.AutoEncoderGAN(1, CODE, 4, PIXELS), "AutoEncoderGAN()")
        for name in NETWORKS:
            weight, bias = getattr(self, name)
            network = stub(made, weight, bias, squash=name == "discriminator")
            assign(getattr(made, name), network)
        return made

    def losses(self, x: torch.Tensor, weight: float) -> tuple[torch.Tensor, ...]:
        """Those of the discriminator, the generator and the autoencoder on one batch; the
        generator is taken to make one image, its bias.
        """
        fakes = self.generator[1].expand(len(x), PIXELS)
        rebuilt = (x @ self.encoder[0] + self.encoder[1]) @ self.generator[0] + self.generator[1]
        real, fake = self._logits(x), self._logits(fakes)
        square = F.mse_loss(rebuilt, x)
        return _bce(real, 1) + _bce(fake, 0), weight * _bce(fake, 1) + square, square

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.discriminator[0] + self.discriminator[1]

    def gradients(self, network: str, which: int, weight: float) -> list[Grads]:
        """What each batch's loss number `which` gives the network."""
        values = tuple(one.clone().requires_grad_(True) for one in getattr(self, network))
        changed: dict[str, Any] = {network: values}
        scene = replace(self, **changed)
        return [
            list(torch.autograd.grad(scene.losses(x, weight)[which], values)) for x in self.batches
        ]

    def means(self, weight: float) -> torch.Tensor:
        """The three losses, means over the batches."""
        each = [torch.stack(self.losses(x, weight)) for x in self.batches]
        return torch.stack(each).mean(0)


def _bce(logits: torch.Tensor, label: float) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


class _Solvers:
    """What ae_gan_optimizers returned, or given optimizers in the same kind of container."""

    def __init__(self, returned: Any) -> None:
        self.returned = returned
        what = "ae_gan_optimizers should return optimizers in a tuple, a list or a dict."
        several = isinstance(returned, (tuple, list, dict))
        found: Any = returned.values() if isinstance(returned, dict) else returned
        self.each: list[Remote] = list(found) if several else [found]
        expect(bool(self.each) and all(isinstance(one, Remote) for one in self.each), what)

    @staticmethod
    def of(module: Remote, model: Remote, rate: float) -> _Solvers:
        return _Solvers(module.ae_gan_optimizers(model, rate))

    def like(self, solvers: Sequence[Remote]) -> _Solvers:
        """Others in the places of these."""
        if isinstance(self.returned, dict):
            return _Solvers(dict(zip(self.returned, solvers, strict=True)))
        return _Solvers(
            type(self.returned)(solvers) if isinstance(self.returned, (tuple, list)) else solvers[0]
        )


def _flat(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([one.flatten() for one in values])


def _read(model: Remote, network: str) -> torch.Tensor:
    return _flat(weights(getattr(model, network)))


def _moved(model: Remote, network: str, before: Values) -> torch.Tensor:
    """How far a network of a model has moved; its parameters are gone then."""
    here = getattr(model, network)
    ways = here.weight.data.sub_(before[0]), here.bias.data.sub_(before[1])
    return _flat(
        [
            tensor(way, [tuple(one.shape)], f"A parameter of model.{network}")
            for way, one in zip(ways, before, strict=True)
        ]
    )


def _sound(module: Remote, scene: _Scene) -> bool:
    """Do the student's optimizers move all parameters of all networks?"""
    try:
        model = scene.model(module)
        solvers = _Solvers.of(module, model, RATE)
        for name in NETWORKS:
            before = getattr(scene, name)
            set_grads(getattr(model, name), [torch.ones_like(one) for one in before])
            for solver in solvers.each:
                solver.step()
            if not bool((_read(model, name) != _flat(before)).all()):
                return False
    except (Fail, StudentError):
        return False
    return True


def _owners(module: Remote, scene: _Scene, network: str) -> list[int]:
    """Which of the student's optimizers move a network."""
    model = scene.model(module)
    solvers = _Solvers.of(module, model, RATE)
    set_grads(getattr(model, network), [torch.ones_like(one) for one in getattr(scene, network)])
    owners, before = [], _flat(getattr(scene, network))
    for number, solver in enumerate(solvers.each):
        solver.step()
        after = _read(model, network)
        if not torch.equal(after, before):
            owners.append(number)
        before = after
    return owners


@check("ae-gan.optimizers", share=0.6)
def moves_all_three_networks(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The optimizers of ae_gan_optimizers move the encoder, the generator and the discriminator,
    against their gradients.
    """
    scene = _Scene.draw(rng, decodes=True)
    model = scene.model(hw5_gan)
    solvers = _Solvers.of(hw5_gan, model, RATE)
    for name in NETWORKS:
        grads = [rng.normal(*one.shape).sign() for one in getattr(scene, name)]
        before = _read(model, name)
        set_grads(getattr(model, name), grads)
        for solver in solvers.each:
            solver.step()
        step = _read(model, name) - before
        expect(
            bool((step != 0).all()),
            f"No optimizer holds all parameters of model.{name}.",
            "One optimizer for each network, or one that gets the parameters of several.",
        )
        expect(
            bool((step.sign() == -_flat(grads).sign()).all()),
            f"The optimizers move model.{name} the wrong way: they should minimise.",
        )


@check("ae-gan.optimizers", share=0.4, after="moves_all_three_networks")
def obeys_the_rate(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The steps of the optimizers grow with the argument lr."""
    scene = _Scene.draw(rng, decodes=True)
    for name in NETWORKS:
        grads = [rng.normal(*one.shape).sign() for one in getattr(scene, name)]
        small, large = (
            _first_step(hw5_gan, scene, name, grads, rate) for rate in (RATE, 10 * RATE)
        )
        expect(
            matches(large, 10 * small, 0.05),
            f"The optimizer of model.{name} does not take its rate from lr.",
            "optim.Adam(..., lr=lr)",
        )


def _first_step(
    module: Remote, scene: _Scene, network: str, grads: Grads, rate: float
) -> torch.Tensor:
    model = scene.model(module)
    solvers = _Solvers.of(module, model, rate)
    before = _read(model, network)
    set_grads(getattr(model, network), grads)
    for solver in solvers.each:
        solver.step()
    return _read(model, network) - before


@dataclass(frozen=True)
class _Trained:
    """What an epoch brought: the three mean losses, and the model."""

    losses: torch.Tensor
    model: Remote


def _train(module: Remote, scene: _Scene, model: Remote, solvers: _Solvers) -> _Trained:
    # As images of 1 x PIXELS: the loop flattens them.
    loader = [x[:, None] for x in scene.batches]
    result = module.train_ae_gan(model, loader, solvers.returned, 1)
    if not (isinstance(result, (tuple, list)) and len(result) == 3):
        raise Fail("train_ae_gan should return three lists, one for each loss.")
    for means in result:
        expect(
            isinstance(means, (tuple, list)) and len(means) == 1,
            "train_ae_gan should return one mean of each loss for every epoch.",
        )
    losses = [tensor(means[0], [(), (1,)], "A loss of train_ae_gan") for means in result]
    return _Trained(torch.stack(losses), model)


def _with_own(module: Remote, scene: _Scene) -> _Trained:
    model = scene.model(module)
    return _train(module, scene, model, _Solvers.of(module, model, RATE))


def _descending(module: Remote, scene: _Scene) -> Callable[[], _Trained]:
    """Training with plain gradient descent in the place of each of the student's own optimizers."""
    own = _Solvers.of(module, scene.model(module), RATE)
    owners = {name: _owners(module, scene, name) for name in NETWORKS}
    model = scene.model(module)
    given = [
        descent(STEEP, *(getattr(model, name) for name in NETWORKS if number in owners[name]))
        for number in range(len(own.each))
    ]
    return partial(_train, module, scene, model, own.like(given))


def _with_given(module: Remote, scene: _Scene, rate: float) -> Iterator[Callable[[], _Trained]]:
    """Trainings with plain gradient descent, where the student's own optimizers are wrong.

    Which optimizer is which, the student's loop knows: every order is tried.
    """
    own = _Solvers.of(module, scene.model(module), RATE)
    kinds: dict[int, list[tuple[int, ...]]]
    kinds = {3: [(0,), (1,), (2,)], 2: [(0, 1), (2,)], 1: [(0, 1, 2)]}
    groups = kinds.get(len(own.each), [])

    def train(order: tuple[tuple[int, ...], ...]) -> _Trained:
        model = scene.model(module)
        given = [descent(rate, *(getattr(model, NETWORKS[n]) for n in group)) for group in order]
        return _train(module, scene, model, own.like(given))

    for order in permutations(groups):
        yield partial(train, order)


def _judged(
    module: Remote,
    scene: _Scene,
    compare: Callable[[_Trained, bool], None],
    steps: int | None = None,
) -> None:
    """Pass when `compare` does, with the student's optimizers or, where these do not move all
    networks, with given ones; it is told which. `steps`: it compares how far networks move by the
    loss of this number.
    """

    def with_own() -> None:
        trained = _with_own(module, scene)
        compare(trained, True)
        # Adam forgets how large gradients are, and with it some that were never cleared. A loss of
        # another size would cost twice; that of the generator has a weight of the student's own.
        sized = steps is not None and matches(trained.losses[steps], scene.means(1)[steps], 0.01)
        if sized or steps == 1:
            _then(_descending(module, scene), compare, own=False)

    ways = [with_own]
    if not _sound(module, scene):
        # The optimizers are another question's.
        given = _with_given(module, scene, RATE if steps is None else STEEP)
        with suppress(Fail, StudentError):
            ways += [partial(_then, way, compare, False) for way in given]
    either(*ways)


def _then(
    way: Callable[[], _Trained], compare: Callable[[_Trained, bool], None], own: bool = True
) -> None:
    compare(way(), own)


def _answers(
    module: Remote, scene: _Scene, network: str, sequence: Sequence[tuple[int, Grads]]
) -> torch.Tensor:
    """How far the student's optimizers move a network that gets these gradients one by one: each
    comes with the number of the optimizer that steps.
    """
    model = scene.model(module)
    solvers = _Solvers.of(module, model, RATE)
    for number, grads in sequence:
        set_grads(getattr(model, network), grads)
        solvers.each[number].step()
    return _moved(model, network, getattr(scene, network))


Kind = Sequence[list[Grads]]
"""For each step that a batch brings, the gradients of every batch."""


def _moves_as(
    module: Remote,
    scene: _Scene,
    network: str,
    kinds: Sequence[Kind],
    moved: torch.Tensor,
    own: bool,
) -> bool:
    """Has training moved the last parameters of a network, as many as `moved` has, as one of
    `kinds` says: by the student's own optimizers, or by plain descent?
    """
    owners = _owners(module, scene, network) if own else []
    for kind in kinds:
        grads = torch.stack([_flat(one) for step in kind for one in step])[:, -len(moved) :]
        clear = (grads.abs() > FAINT * grads.abs().amax(1, keepdim=True)).all(0)
        answers = [
            _answers(
                module,
                scene,
                network,
                [
                    (number, step[batch])
                    for batch in range(len(scene.batches))
                    for number, step in zip(order, kind, strict=True)
                ],
            )[-len(moved) :]
            for order in _orders(owners, len(kind))
        ]
        answers += [] if own else [-STEEP * grads.sum(0)]
        if any(matches(moved[clear], answer[clear], MOVED) for answer in answers):
            return True
    return False


def _orders(owners: Sequence[int], steps: int) -> list[tuple[int, ...]]:
    """Which optimizer takes which step: one takes all of them, or each takes one."""
    alone = [(one,) * steps for one in owners]
    return alone + (list(permutations(owners, steps)) if steps > 1 else [])


@check("ae-gan.loss_discriminator", share=1)
def sums_both_cross_entropies(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_discriminator is BCE(D(x), 1) + BCE(D(G(z)), 0), a mean over the images of an epoch."""
    scene = _Scene.draw(rng)

    def compare(trained: _Trained, _: bool) -> None:
        close(trained.losses[0], scene.means(1)[0], "loss_discriminator", tolerance=0.01)

    _judged(hw5_gan, scene, compare)


@check("ae-gan.loss_discriminator", share=1)
def moves_the_discriminator_alone(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The discriminator moves as loss_discriminator asks, with its gradients cleared, and by no
    other loss.
    """
    scene = _Scene.draw(rng)
    kind = [scene.gradients("discriminator", 0, 1)]

    def compare(trained: _Trained, own: bool) -> None:
        moved = _moved(trained.model, "discriminator", scene.discriminator)
        expect(bool(moved.any()), "The discriminator does not move.")
        expect(
            _moves_as(hw5_gan, scene, "discriminator", [kind], moved, own),
            "The discriminator does not move as its loss asks.",
            "Real images 1, fakes 0; clear its gradients, backward, step, and step no more.",
        )

    _judged(hw5_gan, scene, compare, steps=0)


@check("ae-gan.loss_generator", share=1)
def adds_the_reconstruction(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_generator is w BCE(D(G(z)), 1) + MSE(G(E(x)), x), with a positive weight w of your own.

    Two scenes tell w and the rest apart.
    """
    scenes = [_Scene.draw(rng) for _ in range(2)]
    # One discriminator is fooled, the other is not.
    scenes = [
        replace(one, discriminator=(one.discriminator[0], _sure(one, logit)))
        for one, logit in zip(scenes, (1.5, -1.5), strict=True)
    ]
    found: list[float] = []
    for scene in scenes:

        def compare(trained: _Trained, _: bool, scene: _Scene = scene) -> None:
            found.append(_weight(scene, trained))
            expect(
                1e-3 < found[-1] < 1e3,
                "loss_generator is not w BCE(D(G(z)), 1) + MSE(G(E(x)), x) with a positive w.",
                "Fakes with label 1, weighted, and the mean square of the reconstruction.",
            )

        _judged(hw5_gan, scene, compare)
    expect(
        abs(found[0] - found[-1]) < 0.02 * found[0],
        "loss_generator is not w BCE(D(G(z)), 1) + MSE(G(E(x)), x) with one weight w.",
        "Fakes with label 1, weighted, and the mean square of the reconstruction.",
    )


def _sure(scene: _Scene, logit: float) -> torch.Tensor:
    """The discriminator's bias that gives the generator's image this logit."""
    return logit - scene.generator[1] @ scene.discriminator[0]


def _weight(scene: _Scene, trained: _Trained) -> float:
    """The weight w that explains the generator's loss."""
    with_none, with_one = scene.means(0)[1], scene.means(1)[1]
    return float((trained.losses[1] - with_none) / (with_one - with_none))


@check("ae-gan.loss_generator", share=1)
def moves_the_generator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The generator moves as loss_generator asks, with its gradients cleared; the autoencoder's
    step may move it too.
    """
    scene = _Scene.draw(rng, sharp=0.15)

    def compare(trained: _Trained, own: bool) -> None:
        moved = _moved(trained.model, "generator", scene.generator)[-PIXELS:]
        expect(bool(moved.any()), "The generator does not move.")
        weight = _weight(scene, trained)
        if not 1e-3 < weight < 1e3:
            weight = 0.9
        alone = scene.gradients("generator", 1, weight)
        decodes = scene.gradients("generator", 2, weight)
        both = [_sum(a, b) for a, b in zip(alone, decodes, strict=True)]
        kinds = [[alone], [alone, decodes], [decodes, alone], [both]]
        expect(
            _moves_as(hw5_gan, scene, "generator", kinds, moved, own),
            "The generator does not move as its loss asks.",
            "Fakes with label 1, not detached, and the mean square; clear its gradients, "
            "backward, step.",
        )

    _judged(hw5_gan, scene, compare, steps=1)


def _sum(a: Grads, b: Grads) -> Grads:
    return [one + other for one, other in zip(a, b, strict=True)]


@check("ae-gan.loss_autoencoder", share=1)
def takes_the_mean_square(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_autoencoder is MSE(G(E(x)), x), a mean over the images of an epoch."""
    scene = _Scene.draw(rng, decodes=True)

    def compare(trained: _Trained, _: bool) -> None:
        close(trained.losses[2], scene.means(1)[2], "loss_autoencoder", tolerance=0.03)

    _judged(hw5_gan, scene, compare)


@check("ae-gan.loss_autoencoder", share=1)
def moves_the_encoder(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder moves as loss_autoencoder asks, with its gradients cleared, once a batch."""
    scene = _Scene.draw(rng, decodes=True)
    alone = scene.gradients("encoder", 2, 1)
    twice = [_sum(one, one) for one in alone]

    def compare(trained: _Trained, own: bool) -> None:
        moved = _moved(trained.model, "encoder", scene.encoder)
        expect(bool(moved.any()), "The encoder does not move.")
        expect(
            _moves_as(hw5_gan, scene, "encoder", [[alone], [twice]], moved, own),
            "The encoder does not move as loss_autoencoder asks.",
            "The mean square of G(E(x)) and x; clear its gradients, backward, step.",
        )

    _judged(hw5_gan, scene, compare, steps=2)
