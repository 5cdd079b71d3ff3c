"""Part ae-gan: the optimizers of three networks, and the steps that their losses take.

The loop is run with given affine networks, and with plain gradient descent in the places of the
student's optimizers: how far a network has moved is then the sum of its gradients, whatever the
order of the steps. Noise changes nothing where the generator makes one image of every code, or
where the discriminator heeds no image; where it does, movements tell the codes one by one.
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

from ...checking import noise
from ...checking.expect import (
    Fail,
    Untried,
    close,
    either,
    expect,
    first_possible,
    matches,
    tensor,
)
from ...checking.noise import (
    has_varied_lengths,
    is_as_drawn,
    is_independent,
    is_standard,
    reaches_far,
)
from ...checking.proxy import (
    Remote,
    StudentError,
    assign,
    bare,
    descent,
    keeps_rate,
    passes,
    patient,
    set_grads,
    stub,
    weights,
)
from ...checking.registry import Rng, check

CODE, PIXELS, ROWS = 5, 12, 8
RATE = 1e-4
MOVED = 0.03
"""Tolerance of how far a network moves: the others move meanwhile, by the rate, and what is added
to a weight is rounded. Of 3,000 draws none was off by more than half of it.
"""
SURELY = 8.0
"""A logit that float32 tells well from 0 and 1, behind a sigmoid, and no loss has to limit."""
BRIGHT = 30.0
"""A brightness of images whose gradients no usual bound lets through."""
NETWORKS = ("encoder", "generator", "discriminator")
FAR = 12.0
"""A number of a code that no network has to limit."""
GLARE = 24.0
"""How much too bright rebuilt images are where the encoder's gradients are to be large."""
WEIGHTS = 1e-3, 1e3
"""Between these lies a weight that is positive and that floats still show."""

Values = tuple[torch.Tensor, torch.Tensor]
"""Weight and bias of an affine network."""


@dataclass(frozen=True)
class _Scene:
    """Three affine networks and the batches of each epoch."""

    encoder: Values
    generator: Values
    discriminator: Values
    batches: list[torch.Tensor]
    epochs: int = 2

    @staticmethod
    def draw(
        rng: Rng,
        decodes: bool = False,
        sharp: float = 0.0,
        logit: float = 0.5,
        light: float = 1.0,
        far: float = 0.0,
        glare: float = 0.0,
    ) -> _Scene:
        """`decodes`: the generator heeds its codes; `sharp`: the size of the discriminator's
        weights; `logit`: what it makes of the generator's image; `light`: how bright images are;
        `far`: how large a number of their codes is; `glare`: how much brighter the generator makes
        them; their codes are as much smaller, so that its own steps hardly change the encoder's.
        Where one of the first two is off, noise changes no loss.
        The second batch is darker, so that the gradients of both disagree.
        """
        bias, look = light * rng.uniform(0.3, 0.7, PIXELS), rng.normal(PIXELS, 1, std=1.0) * sharp
        bias += glare
        near = 0.3 / (1 + glare)
        codes = rng.normal(PIXELS, CODE, std=near), rng.normal(CODE, std=near)
        codes[1][0] += far
        return _Scene(
            codes,
            (decodes * rng.normal(CODE, PIXELS, std=0.3), bias),
            (look, logit - bias @ look),
            [light * rng.uniform(*ends, ROWS, PIXELS) for ends in ((0.3, 1), (0, 0.5))],
        )

    def sure(self) -> _Scene:
        """With fakes as dark as no image, and a discriminator that knows it: logits near -5 and 5,
        and losses near 0.
        """
        dark, look = torch.full((PIXELS,), -1.0), torch.full((PIXELS, 1), 6 / PIXELS)
        return replace(
            self, generator=(0 * self.generator[0], dark), discriminator=(look, torch.ones(1))
        )

    def model(self, module: Remote) -> Remote:
        made = bare(module.AutoEncoderGAN)  # which is given
        assign(made.latent_size, len(self.encoder[1]))
        for name in NETWORKS:
            weight, bias = getattr(self, name)
            network = stub(made, weight, bias, squash=name == "discriminator")
            assign(getattr(made, name), network)
        return made

    def losses(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the losses are made of: that of the discriminator, of its being fooled, and the
        mean square.
        """
        fakes = torch.zeros(len(x), CODE) @ self.generator[0] + self.generator[1]
        rebuilt = (x @ self.encoder[0] + self.encoder[1]) @ self.generator[0] + self.generator[1]
        real, fake = self._logits(x), self._logits(fakes)
        return _bce(real, 1) + _bce(fake, 0), _bce(fake, 1), F.mse_loss(rebuilt, x)

    def _logits(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.discriminator[0] + self.discriminator[1]

    def way(self, network: str, which: int, rate: float = RATE) -> torch.Tensor:
        """How far descent moves the network by the loss number `which`, a batch after the other."""
        scene = self
        for x in self.epochs * self.batches:
            values = tuple(one.clone().requires_grad_(True) for one in getattr(scene, network))
            changed: dict[str, Any] = {network: values}
            grads = torch.autograd.grad(replace(scene, **changed).losses(x)[which], values)
            moved = [one.detach() - rate * grad for one, grad in zip(values, grads, strict=True)]
            changed = {network: tuple(moved)}
            scene = replace(scene, **changed)
        return _flat(getattr(scene, network)) - _flat(getattr(self, network))

    def means(self, which: int) -> torch.Tensor:
        """That one of `losses`, a mean over the batches, for each epoch where nothing moves."""
        return torch.stack([self.losses(x)[which] for x in self.batches]).mean().expand(self.epochs)


def _bce(logits: torch.Tensor, label: float) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _flat(values: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([one.flatten() for one in values])


def _read(model: Remote) -> dict[str, torch.Tensor]:
    return {name: _flat(weights(getattr(model, name))) for name in NETWORKS}


def _ways(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> dict[str, Any]:
    for name in NETWORKS:
        expect(after[name].shape == before[name].shape, f"Training reshapes model.{name}.")
    return {name: after[name] - before[name] for name in NETWORKS}


# --- the optimizers


def _solvers(returned: Any) -> list[Remote]:
    """The optimizers that ae_gan_optimizers returned, one by one."""
    several = isinstance(returned, (tuple, list, dict))
    found = returned.values() if isinstance(returned, dict) else returned
    each: list[Any] = list(found) if several else [found]
    what = "ae_gan_optimizers should return optimizers in a tuple, a list or a dict."
    expect(bool(each) and all(isinstance(one, Remote) for one in each), what)
    return each


def _first_steps(
    module: Remote, scene: _Scene, grads: dict[str, list[torch.Tensor]], rate: float
) -> dict[str, torch.Tensor]:
    """How far the networks move when all optimizers step once by these gradients."""
    model = scene.model(module)
    solvers = _solvers(module.ae_gan_optimizers(model, rate))
    before = _read(model)
    for name in NETWORKS:
        set_grads(getattr(model, name), grads[name])
    for solver in solvers:
        solver.step()
    return _ways(before, _read(model))


def _signs(rng: Rng, scene: _Scene) -> dict[str, list[torch.Tensor]]:
    return {
        name: [rng.normal(*one.shape).sign() for one in getattr(scene, name)] for name in NETWORKS
    }


@check("ae-gan.optimizers", share=0.6)
def moves_all_three_networks(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The optimizers of ae_gan_optimizers move the encoder, the generator and the discriminator,
    against their gradients.
    """
    scene = _Scene.draw(rng, decodes=True)
    grads = _signs(rng, scene)
    for name, step in _first_steps(hw5_gan, scene, grads, RATE).items():
        expect(
            bool((step != 0).all()),
            f"No optimizer holds all parameters of model.{name}.",
            "One optimizer for each network, or one that gets the parameters of several.",
        )
        expect(
            bool((step.sign() == -_flat(grads[name])).all()),
            f"The optimizers move model.{name} the wrong way: they should minimise.",
        )


@check("ae-gan.optimizers", share=0.4, after="moves_all_three_networks")
def obeys_the_rate(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The steps of the optimizers grow with the argument lr."""
    scene = _Scene.draw(rng, decodes=True)
    grads = _signs(rng, scene)
    small, large = (_first_steps(hw5_gan, scene, grads, rate) for rate in (1e-4, 1e-3))
    for name in NETWORKS:
        moves = f"The optimizers of a second model do not move its {name}."
        expect(bool(small[name].any()), moves, "Make them anew in every call.")
        expect(
            matches(large[name], 10 * small[name], 0.05),
            f"The optimizer of model.{name} does not take its rate from lr.",
            "optim.Adam(..., lr=lr)",
        )


# --- the loop, with given optimizers

Groups = tuple[tuple[str, ...], ...]
"""Which networks each optimizer holds."""
USUAL: tuple[Groups, ...] = (
    (("encoder",), ("generator",), ("discriminator",)),
    (("encoder", "generator"), ("discriminator",)),
    (NETWORKS,),
)


@dataclass(frozen=True)
class _Plan:
    """A loop, and given optimizers for it in the container that the student's came in. `without`:
    the step that the loop leaves out, so that the others are seen without what it does to them.
    """

    module: Remote
    groups: Groups
    returned: Any
    without: str = ""

    def optimizers(self, model: Remote, rate: float) -> Any:
        each = [
            descent(rate, *(getattr(model, name) for name in group)) if group else descent(0, model)
            for group in self.groups
        ]
        if isinstance(self.returned, dict):
            return dict(zip(self.returned, each, strict=True))
        alone = len(each) == 1 and not isinstance(self.returned, (tuple, list))
        return each[0] if alone else each if isinstance(self.returned, list) else tuple(each)


def _plans(module: Remote, rng: Rng) -> Iterator[_Plan]:
    """Descents that hold what the student's optimizers hold. Where these leave a network out, which
    is another question's, as many as there are, in every order: the loop knows which is which.
    """
    scene, returned, groups = _Scene.draw(rng, decodes=True), None, list[tuple[str, ...]]()
    with suppress(Fail, StudentError):
        model = scene.model(module)
        returned = module.ae_gan_optimizers(model, RATE)
        solvers, before = _solvers(returned), _read(model)
        for name in NETWORKS:
            set_grads(getattr(model, name), [torch.ones_like(o) for o in getattr(scene, name)])
        for solver in solvers:
            try:
                solver.step()
            except StudentError:
                if isinstance(returned, Remote):  # it is no optimizer: nothing is known of them
                    returned, groups = None, []
                    break
            after = _read(model)
            ways = _ways(before, after)
            groups.append(tuple(name for name in NETWORKS if bool((ways[name] != 0).all())))
            before = after
    if {name for group in groups for name in group} == set(NETWORKS):
        yield _Plan(module, tuple(groups), returned)
        return
    for usual in USUAL:
        if len(usual) == len(groups) or not groups:
            yield from (_Plan(module, order, returned) for order in permutations(usual))


@dataclass(frozen=True)
class _Trained:
    """What a training of so many `epochs` brought: how far each network moved, what the loop
    returned or raised.

    `times`: how often a batch may move the encoder or the generator by the mean square: once, and
    twice where an optimizer holds both. `hurried`: the networks whose optimizer goes at another
    rate than before.
    """

    epochs: int
    ways: dict[str, torch.Tensor]
    result: Any
    error: StudentError | None
    times: tuple[int, ...]
    hurried: frozenset[str]

    def loss(self, number: int) -> torch.Tensor:
        three = isinstance(self.result, (tuple, list)) and len(self.result) == 3
        expect(three, "train_ae_gan should return three lists, one for each loss.")
        means = self.result[number]
        expect(
            isinstance(means, (tuple, list)) and len(means) == self.epochs,
            "train_ae_gan should return one mean of each loss for every epoch.",
        )
        return torch.stack([tensor(one, [(), (1,)], "A loss of train_ae_gan") for one in means])

    def follows(self, network: str, ways: Sequence[torch.Tensor], message: str, hint: str) -> None:
        """Fail unless the network has gone one of these ways."""
        way = self.ways[network]
        if any(matches(way, one, MOVED) for one in ways):
            hurried = network in self.hurried
            return expect(
                not hurried, f"The loop changes the rate of the optimizer of the {network}.", hint
            )
        if self.error is not None:
            raise self.error
        expect(bool(way.any()), f"The {network} does not move.", "backward(), then step()")
        raise Fail(message, hint)


def _train(plan: _Plan, scene: _Scene, rate: float) -> _Trained:
    """Of all epochs of a scene. Where a statement of the loop raises, the others are run all the
    same, so that one unfinished step costs its own question.
    """
    # Images of 1 x PIXELS: the loop flattens them. Ours stay as they are, whatever it does to them.
    batches = [[x[:, None].clone() for x in scene.batches] for _ in range(2 * scene.epochs)]
    loader = passes(plan.module, *batches)
    loop, result, error = plan.module.train_ae_gan, None, None
    if plan.without:
        nothing = {f"ae-gan.{plan.without}": f"{plan.without} = torch.zeros(())"}
        loop = patient(loop, instead=nothing)
    model = scene.model(plan.module)
    optimizers, before = plan.optimizers(model, rate), _read(model)
    if plan.without:
        for name in NETWORKS:  # that others have left, and a step clears
            set_grads(getattr(model, name), [torch.ones_like(o) for o in getattr(scene, name)])
    try:
        result = loop(model, loader, optimizers, scene.epochs)
    except StudentError as raised:
        if raised.kind == "missing" or plan.without:
            raise
        error, model = raised, scene.model(plan.module)
        optimizers = plan.optimizers(model, rate)
        with suppress(StudentError):
            patient(loop)(model, loader, optimizers, scene.epochs)
    both = any({"encoder", "generator"} <= set(group) for group in plan.groups)
    hurried = [
        name
        for group, solver in zip(plan.groups, _solvers(optimizers), strict=True)
        for name in group
        if not keeps_rate(solver, rate)
    ]
    ways = _ways(before, _read(model))
    return _Trained(scene.epochs, ways, result, error, (1, 2) if both else (1,), frozenset(hurried))


def _judged(
    plans: Sequence[_Plan],
    scene: _Scene,
    compare: Callable[[_Trained], None],
    rate: float = RATE,
) -> None:
    """Pass when `compare` does, with the given optimizers that fit the student's loop."""
    either(*(partial(lambda plan: compare(_train(plan, scene, rate)), plan) for plan in plans))


def _at_rest(
    plans: Sequence[_Plan],
    scene: _Scene,
    compare: Callable[[_Trained], None],
    moves: Callable[[], None],
) -> None:
    """Pass when `compare` does where nothing moves; where the loop returns nothing, when `moves`
    does: its gradients stand for the loss.
    """

    def returned(trained: _Trained) -> None:
        if trained.error is not None:
            raise Untried("train_ae_gan returns nothing.")
        compare(trained)

    first_possible(lambda: _judged(plans, scene, returned, 0.0), moves)


SURE = 8
Look = Callable[[Sequence[_Plan], Rng], None]
"""Passes, or says what is wrong with a step."""


def _look(step: str, module: Remote, rng: Rng, look: Look) -> list[_Plan]:
    """Pass when `look` does, and bring the plans. Where it passes as soon as another step, that
    spoils this one, is left out, it is that one which loses.
    """
    plans = list(_plans(module, rng))
    try:
        look(plans, rng)
    except (Fail, StudentError):
        apart = (other for other in STEPS if other != step and _passes(look, plans, rng, other))
        if not any(_spoils(other, step, plans, rng) for other in apart):
            raise
    return plans


def _passes(look: Look, plans: Sequence[_Plan], rng: Rng, without: str = "") -> bool:
    with suppress(Fail, StudentError):
        look([replace(plan, without=without) for plan in plans], rng)
        return True
    return False


def _spoils(one: str, other: str, plans: Sequence[_Plan], rng: Rng) -> bool:
    """Is the other step wrong with this one, and right without it, however often it is tried? A
    step that draws what it must not is right now and then: below 2e-5 that this looks so.
    """
    return any(
        all(
            not _passes(look, plans, rng) and _passes(look, plans, rng, without=one)
            for _ in range(SURE)
        )
        for look in STEPS[other]
    )


def _moves_its_own(step: str, module: Remote, rng: Rng, look: Look) -> None:
    """Pass when the step moves its network as `look` asks, raises nothing, and leaves the other
    steps right.
    """
    plans = _look(step, module, rng, look)
    either(*(partial(_expect_to_end, step, plan, rng) for plan in plans))
    for other in STEPS:
        expect(
            other == step or not _spoils(step, other, plans, rng),
            f"The step of {step} spoils that of {other}, which is right without it.",
            "It changes its own network alone: no other, no image, no seed; and it ends no loop.",
        )


def _expect_to_end(step: str, plan: _Plan, rng: Rng) -> None:
    """Raise what the loop raises because of this step: what the others raise is passed over. For
    what comes of no step, or of code whose steps cannot be told apart, the first one answers.
    """
    scene = _Scene.draw(rng, decodes=True)

    def raised(forgiven: Sequence[str] | None, without: str = "") -> StudentError | None:
        loop, model = plan.module.train_ae_gan, scene.model(plan.module)
        try:
            if forgiven is not None:
                nothing = {f"ae-gan.{without}": f"{without} = torch.zeros(())"} if without else None
                loop = patient(loop, instead=nothing, only=[f"ae-gan.{one}" for one in forgiven])
            loop(
                model,
                [x[:, None] for x in scene.batches],
                plan.optimizers(model, RATE),
                scene.epochs,
            )
        except StudentError as error:
            return error
        return None

    error = raised(None)
    if error is None:
        return
    others = [other for other in STEPS if other != step]
    mine, of_none = raised(others), raised(list(STEPS))
    # Where it ends well without another step, that one spoils it.
    if mine and of_none is None and all(raised([], one) for one in others):
        raise mine
    apart = of_none and of_none.kind != "missing" and of_none.where != error.where
    if step == next(iter(STEPS)) and of_none and not apart:
        raise error


@check("ae-gan.loss_discriminator", share=1)
def sums_both_cross_entropies(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_discriminator is BCE(D(x), 1) + BCE(D(G(z)), 0), a mean over the images of an epoch."""
    _look("loss_discriminator", hw5_gan, rng, _sums_cross_entropies)


def _sums_cross_entropies(plans: Sequence[_Plan], rng: Rng) -> None:
    """Of two discriminators, one wrong on fakes and one on real images, both for sure: a loss that
    limits its logarithms shows.
    """
    right = "BCE(D(x), 1) + BCE(D(G(z)), 0), a mean over the images"

    def compare(scene: _Scene, trained: _Trained) -> None:
        close(trained.loss(0), scene.means(0), "loss_discriminator", right=right)

    for logit in (SURELY, -SURELY):
        scene = _Scene.draw(rng, sharp=1.0, logit=logit)
        _at_rest(plans, scene, partial(compare, scene), partial(_moves_discriminator, plans, rng))


@check("ae-gan.loss_discriminator", share=0.6)
def moves_the_discriminator_alone(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The discriminator moves as loss_discriminator asks, with its gradients cleared, and by no
    other loss.
    """
    _moves_its_own(
        "loss_discriminator", hw5_gan, rng, partial(_moves_discriminator, lights=(1.0, BRIGHT))
    )


def _moves_discriminator(
    plans: Sequence[_Plan], rng: Rng, lights: Sequence[float] = (1.0,)
) -> None:
    """Of usual images, and where they are BRIGHT, of ones that show gradients that are clipped; and
    where it is sure and right.
    """
    says = "The discriminator does not move as its loss asks."
    hint = "Real images 1, fakes 0; clear its gradients, backward, step, and step no more."
    scenes = [(_Scene.draw(rng, sharp=1 / light, light=light), RATE) for light in lights]
    for scene, rate in [*scenes, (_Scene.draw(rng).sure(), SLOW)]:
        follows = partial(_Trained.follows, network="discriminator", message=says, hint=hint)
        way = scene.way("discriminator", 0, rate)
        _judged(plans, scene, partial(follows, ways=[way]), rate)


@check("ae-gan.loss_generator", share=0.8)
def adds_the_reconstruction(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_generator is w BCE(D(G(z)), 1) + MSE(G(E(x)), x), with a positive weight w of your own.

    Two discriminators, one fooled and one not, both for sure, tell w and the rest apart.
    """
    _look("loss_generator", hw5_gan, rng, _adds_the_reconstruction)


def _adds_the_reconstruction(plans: Sequence[_Plan], rng: Rng) -> None:
    # Where it is fooled little is left of its loss, and the rest is rounded: 6 will do.
    ends = (6.0, 0.0), (-SURELY, FAR)
    scenes = [_Scene.draw(rng, decodes=True, logit=logit, far=far) for logit, far in ends]
    found: list[float] = []

    def compare(scene: _Scene, trained: _Trained) -> None:
        if trained.error is None:
            weights = (trained.loss(1) - scene.means(2)) / scene.means(1)
            found.extend(weights.tolist())

    for scene in scenes:
        _judged(plans, scene, partial(compare, scene), 0.0)
    if not found:  # nothing is returned: its gradients stand for the loss
        return _moves_generator(plans, rng)
    _expect_one_weight(found, "loss_generator is not w BCE(D(G(z)), 1) + MSE(G(E(x)), x)")


def _expect_one_weight(found: Sequence[float], message: str) -> None:
    hint = "Fakes with label 1, weighted, and the mean square of the reconstruction."
    low, high = WEIGHTS
    expect(all(low < one < high for one in found), f"{message} with a positive w.", hint)
    expect(max(found) < 1.02 * min(found), f"{message} with one weight w.", hint)


@check("ae-gan.loss_generator", share=0.8)
def moves_the_generator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The generator moves as loss_generator asks, with its gradients cleared; the autoencoder's
    step may move it too.
    """
    _moves_its_own("loss_generator", hw5_gan, rng, _moves_generator)


def _moves_generator(plans: Sequence[_Plan], rng: Rng) -> None:
    """Where the discriminator heeds no image, the mean square alone moves the generator; then,
    where codes do not matter, so does being fooled, more or less.
    """
    decodes = _Scene.draw(rng, decodes=True)
    hint = "clear its gradients, backward, step."
    square = decodes.way("generator", 2)

    def compare(trained: _Trained) -> None:
        says = "The generator does not move as the mean square of G(E(x)) and x asks."
        ways = [times * square for times in trained.times]
        trained.follows("generator", ways, says, f"x is reconstructed; {hint}")

    _judged(plans, decodes, compare)
    found: list[float] = []
    for logit in (1.5, -1.5):
        scene = _Scene.draw(rng, sharp=1.0, logit=logit, light=0.02)

        def fools(trained: _Trained, scene: _Scene = scene) -> None:
            fooled, square = (scene.way("generator", n)[-PIXELS:] for n in (1, 2))
            way, ways = trained.ways["generator"][-PIXELS:], []
            for times in trained.times:
                weight = float((way - times * square) @ fooled / (fooled @ fooled))
                ways.append(weight * fooled + times * square)
                if matches(way, ways[-1], MOVED):
                    found.append(weight)
                    return
            seen = replace(trained, ways={"generator": way})
            says = "The generator does not move as fooling the discriminator asks."
            seen.follows("generator", ways, says, f"Fakes with label 1, not detached; {hint}")

        _judged(plans, scene, fools)
    _expect_one_weight(found, "The generator does not move as w BCE(D(G(z)), 1) asks")


@check("ae-gan.loss_autoencoder", share=1)
def takes_the_mean_square(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """loss_autoencoder is MSE(G(E(x)), x), a mean over the images of an epoch."""
    _look("loss_autoencoder", hw5_gan, rng, _takes_the_mean_square)


def _takes_the_mean_square(plans: Sequence[_Plan], rng: Rng) -> None:
    right = "MSE(G(E(x)), x), a mean over the pixels of the images"

    def compare(scene: _Scene, trained: _Trained) -> None:
        close(trained.loss(2), scene.means(2), "loss_autoencoder", right=right)

    for far in (FAR, 0.0):  # where codes are large, and where little is wrong
        scene = _Scene.draw(rng, decodes=True, sharp=1.0, far=far)
        _at_rest(plans, scene, partial(compare, scene), partial(_moves_encoder, plans, rng))


@check("ae-gan.loss_autoencoder", share=1)
def moves_the_encoder(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder moves as loss_autoencoder asks, with its gradients cleared, once a batch."""
    _moves_its_own("loss_autoencoder", hw5_gan, rng, partial(_moves_encoder, glares=(0.0, GLARE)))


def _moves_encoder(plans: Sequence[_Plan], rng: Rng, glares: Sequence[float] = (0.0,)) -> None:
    """By images rebuilt well, and where there is GLARE, by ones so far off that gradients which are
    clipped show.
    """
    says = "The encoder does not move as loss_autoencoder asks."
    hint = "The mean square of G(E(x)) and x; clear its gradients, backward, step."
    for glare in glares:
        scene = _Scene.draw(rng, decodes=True, sharp=1.0, glare=glare)
        once = scene.way("encoder", 2)

        def compare(trained: _Trained, once: torch.Tensor = once) -> None:
            trained.follows("encoder", [times * once for times in trained.times], says, hint)

        _judged(plans, scene, compare)


# --- the codes

MANY, FEWER = 40_000, 4_000
SEVERAL = 8
FAINT = 1e-3
"""Weights so small that every logit is 0."""
FAST, SLOW = 1e-2, 1e-3
STRICT = 3.0
"""How far D tells fakes from one another: no sigmoid comes near where float32 rounds it to 1."""


Seen = Callable[[torch.Tensor, torch.Tensor], None]
"""Passes, or says what is wrong with a code of D's steps and one of G's."""


def _sums(plans: Sequence[_Plan], look: Seen) -> None:
    """Pass when `look` does at sums over four batches of four images, two in an epoch, which are as
    normal as one code.
    """
    _codes(plans, 4, look, FEWER)


def _codes(plans: Sequence[_Plan], count: int, look: Seen, many: int = MANY) -> None:
    """Pass when `look` does at the codes of D's steps and at those of G's, sums over as many
    batches of as many images divided by `count`, which are as normal as one code of `many` numbers.

    A pixel is FAINT times a number of its code, plus or minus FAINT, and images are black. D's
    weights move by the mean fake; G's move by the mean code times what its biases move by.
    """
    zeros, faint = torch.zeros(many), torch.full((many,), FAINT)
    signs = torch.tensor([1.0, -1.0]).repeat(many // 2)
    epochs, rate = min(count, 2), FAST / count  # in several steps, G hardly moves what D sees
    images = [torch.zeros(count, many)] * (count // epochs)
    look_at = faint[:, None], torch.zeros(1)
    scene = _Scene((zeros, zeros), (faint, FAINT * signs), look_at, images, epochs)

    def compare(trained: _Trained) -> None:
        of_d = trained.ways["discriminator"][:-1] / (-rate * FAINT / 2) - count * signs
        factors, biases = trained.ways["generator"].chunk(2)
        look(of_d, count * (factors / biases).nan_to_num(0, 0, 0))

    _judged(plans, scene, compare, rate)


def _expect_normal(code: torch.Tensor) -> None:
    """Fail unless a code of MANY numbers is N(0, I): false alarms below 3e-7. A spread that is off
    by a twentieth, or numbers that stop at 3.5, are told as surely, and numbers that have been
    standardised.
    """
    square = code.reshape(400, -1)
    alone = is_independent(square) and is_as_drawn(square)
    expect(
        is_standard(code[:, None]) and float(code.abs().max()) > 3.5 and alone,
        "The codes z of this step are not N(0, I).",
        "torch.randn(len(x), model.latent_size)",
    )


def _expect_ends(plans: Sequence[_Plan], seen: torch.Tensor, whose: int) -> None:
    """Fail unless a number of the codes of D's step (0) or of G's (1) lies beyond 4. One of those
    that have been seen does nine times in ten; where none does, `noise.MANY` more are looked at:
    false alarms 3e-8. The mean logit of so many pixels is not quite 0, and codes are read off a
    thousandth too large.
    """

    def compare(*codes: torch.Tensor) -> None:
        expect(
            reaches_far(codes[whose], 0.01),
            "No number of the codes z of this step ever lies beyond 4: they are not N(0, I).",
            "Leave them as torch.randn draws them.",
        )

    if not reaches_far(seen, 0.01):
        _codes(plans, 1, compare, noise.MANY)


def _expect_varied(codes: Sequence[torch.Tensor]) -> None:
    """Fail where several codes are of one length, which none of them shows: false alarms 3e-8."""
    expect(
        has_varied_lengths(codes),
        "The codes z of this step are scaled to one length.",
        "Leave them as torch.randn draws them.",
    )


def _expect_independent(code: torch.Tensor) -> None:
    """Fail unless a sum of codes is as normal as one: false alarms below 6e-9. Where two of four
    are equal its variance is 1.5.
    """
    expect(
        is_standard(code[:, None]),
        "The codes z of a batch, or of one step and the next, depend on each other.",
        "Draw a code for each image, anew in every step: torch.randn(len(x), model.latent_size)",
    )


def _expect_each(plans: Sequence[_Plan], whose: int) -> None:
    """Fail unless each fake of D's step (0) or of G's (1) comes of a code of its own, N(0, I).

    D's logits are STRICT times one direction of the code, g: D's weights then move along it by the
    mean of p(g) g, p a sigmoid, and G's by the mean of (p(g) - 1) g, which a fake for the mean of
    all codes makes 0. Of 1,000 images chance takes or gives a twentieth, and half is asked for: a
    right loop is refused, and such a fake passes, less than once in 1e18.
    """
    n = 1_000
    way = torch.full((CODE,), CODE**-0.5)
    still, images = torch.zeros(CODE), torch.zeros(n, CODE)
    look_at = STRICT * way[:, None], torch.zeros(1)
    scene = _Scene((still, still), (torch.ones(CODE), still), look_at, [images], 1)
    g = torch.special.ndtri((torch.arange(n) + 0.5) / n)
    right = float((torch.sigmoid(STRICT * g) * g).mean())

    def compare(trained: _Trained) -> None:
        factors, biases = trained.ways["generator"].chunk(2)
        of_d = -2 * trained.ways["discriminator"][:-1] @ way / RATE
        of_g = -(factors / biases).nan_to_num(0, 0, 0) @ way
        expect(
            float((of_d, of_g)[whose]) > right,
            "The fakes of a batch do not each come of a code of their own.",
            "Draw a code for each image, and show the discriminator what becomes of each.",
        )

    _judged(plans, scene, compare)


def _go_together(one: torch.Tensor, other: torch.Tensor, least: float) -> bool:
    """Is the correlation of two codes beyond this? By chance it is 0.016 of FEWER numbers."""
    return abs(float(torch.corrcoef(torch.stack((one, other)))[0, 1])) > least


def _are_the_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Are the numbers of two codes the same but for order and signs? Those of two draws are 0.005
    apart when sorted by size, and a tenth of that less than once in 1e30.
    """
    sizes = [code.abs().sort().values for code in (one, other)]
    return float((sizes[0] - sizes[1]).abs().mean()) < 5e-4


@check("ae-gan.loss_discriminator", share=0.4, after="moves_the_discriminator_alone")
def takes_normal_codes_for_fakes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The codes of the discriminator's step are normal, one for each image and fresh in every step.

    40,000 numbers of one image are held against N(0, 1), and where none lies beyond 4 many more,
    4,000 of a sum over sixteen, and the lengths of eight of 4,000: false alarms below 5e-7. Codes
    that the generator's step takes over are its mistake.
    """
    _look("loss_discriminator", hw5_gan, rng, _takes_codes_for_fakes)


def _takes_codes_for_fakes(plans: Sequence[_Plan], rng: Rng) -> None:
    codes, shared, seen = list[torch.Tensor](), list[bool](), list[torch.Tensor]()

    def first(of_d: torch.Tensor, of_g: torch.Tensor) -> None:
        _expect_normal(of_d)
        seen.append(of_d)
        shared.append(_go_together(of_d, of_g, 0.1))

    def later(of_d: torch.Tensor, of_g: torch.Tensor) -> None:
        _expect_independent(of_d)
        expect(
            any(shared) or not _go_together(of_d, of_g, 0.1),
            "The discriminator is trained on codes of the generator's step before.",
            "Draw z anew for the discriminator, in every batch.",
        )

    _codes(plans, 1, first)
    _expect_ends(plans, seen[-1], 0)
    for _ in range(SEVERAL):
        _codes(plans, 1, lambda of_d, _: codes.append(of_d), FEWER)
    _expect_varied(codes)
    _expect_each(plans, 0)
    _sums(plans, later)


@check("ae-gan.loss_generator", share=0.4, after="moves_the_generator")
def takes_fresh_normal_codes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The codes of the generator's step are normal, one for each image and fresh in every step.

    As for the discriminator; and they are no codes of its step, in whatever order.
    """
    _look("loss_generator", hw5_gan, rng, _takes_fresh_codes)


def _takes_fresh_codes(plans: Sequence[_Plan], rng: Rng) -> None:
    codes, seen = list[torch.Tensor](), list[torch.Tensor]()

    def fresh(of_d: torch.Tensor, of_g: torch.Tensor) -> None:
        _expect_normal(of_g)
        seen.append(of_g)
        expect(
            not _go_together(of_d, of_g, 0.1) and not _are_the_same(of_d, of_g),
            "The generator is trained on the codes of the discriminator's step.",
            "Draw z anew for the generator.",
        )

    _codes(plans, 1, fresh)
    _expect_ends(plans, seen[-1], 1)
    for _ in range(SEVERAL):
        _codes(plans, 1, lambda _, of_g: codes.append(of_g), FEWER)
    _expect_varied(codes)
    _expect_each(plans, 1)
    _draws_anew(plans, rng)


def _draws_anew_for_fakes(plans: Sequence[_Plan], rng: Rng) -> None:
    _sums(plans, lambda of_d, _: _expect_independent(of_d))


def _draws_anew(plans: Sequence[_Plan], rng: Rng) -> None:
    _sums(plans, lambda _, of_g: _expect_independent(of_g))


STEPS: dict[str, tuple[Look, ...]] = {
    "loss_discriminator": (_moves_discriminator, _draws_anew_for_fakes),
    "loss_generator": (_moves_generator, _draws_anew),
    "loss_autoencoder": (_moves_encoder,),
}
"""What another step must not spoil."""
