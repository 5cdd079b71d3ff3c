"""Part cifar-dcgan: both networks and their optimizers, losses, the loop, spectral norm, search.

The loop is graded by what it does to weights. One network holds still, the generator ignores its
codes, and an epoch is one batch, or one step matters little to the next: then neither noise nor the
order of the steps nor the way they are written changes where the other network arrives. What is
done once an epoch, or only where a loss is large, shows in epochs of two batches, and where losses
are small.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import (
    FAR_LOGIT,
    Fail,
    Partial,
    close,
    either,
    expect,
    first_possible,
    matches,
    parallel,
    tensor,
    unlimited,
)
from ...checking.networks import built, floats
from ...checking.noise import is_drawn_singly
from ...checking.proxy import (
    Remote,
    StudentError,
    always,
    assign,
    bowl,
    descent,
    fill,
    gradients,
    keeps_rate,
    load_weights,
    mix,
    set_grads,
    shapes,
    stub,
    value,
    weights,
    zero,
)
from ...checking.registry import Rng, check

CODE, SHORT = 64, 40
IMAGE = (3, 32, 32)
PIXELS = math.prod(IMAGE)
FEW = 4
"""Images in a batch of the trainings: convolutions are what a check spends its time on."""
MOVED = 0.02
"""Tolerance of how far training moves an output: rounding costs a thousandth of it at most."""

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _holds(way: Callable[[], None]) -> bool:
    """Does the comparison hold, and their code survive it?"""
    try:
        way()
    except (Fail, Partial, StudentError):
        return False
    return True


class _Gan:
    """A DCGAN over there. What its __init__ or its initialisation gets wrong costs nothing here."""

    def __init__(self, module: Remote, initialises: bool = False) -> None:
        """Unless it `initialises` its networks, given ones that cost nothing stand for them."""
        classes = {name: value(getattr(module, name)) for name in CLASSES}
        if not initialises:
            _given_networks(module)
        self._first: tuple[Remote, ...] = ()
        try:
            self.it = self._methods = built(module.DCGAN(), "DCGAN()")
        except StudentError as error:
            if error.kind == "missing":
                raise
            # Where DCGAN() cannot be made, its methods get a stand-in for self.
            self.it = stub(module, torch.zeros(1, 1), torch.zeros(1))
            self._methods, self._first = module.DCGAN, (self.it,)
            self.set(code_size=CODE, tracked_noise=torch.zeros(8, CODE), samples={})
            self.set(generate=mix(module))
        for name, one in classes.items():
            assign(getattr(module, name), one)

    def set(self, **attributes: Any) -> None:
        for name, new in attributes.items():
            assign(getattr(self.it, name), new)

    @property
    def stands_in(self) -> bool:
        """Is `it` what stands for a DCGAN that cannot be made, and has no methods?"""
        return bool(self._first)

    def call(self, name: str, *args: Any) -> Any:
        return getattr(self._methods, name)(*self._first, *args)

    def gradients(self, name: str, *args: Any) -> list[torch.Tensor | None]:
        """Of the method's value, by its first argument."""
        method = getattr(self._methods, name)
        first = len(self._first)
        return gradients(method, *self._first, *args, wrt=(first,)).inputs


CLASSES = ("CIFARGenerator", "CIFARDiscriminator")
SMALL = 3
"""What a network is that only optimizers see: so many numbers to as many."""


def _given_networks(module: Remote) -> None:
    """Let DCGAN() build given networks, and leave them as they are."""
    assign(module.DCGAN._weight_INITIALIZATION, mix(module))
    for number, name in enumerate(CLASSES, 1):
        weight = number * torch.linspace(-0.1, 0.1, SMALL * SMALL + 1)
        network = stub(module, weight[1:].reshape(SMALL, SMALL), weight[:SMALL])
        assign(getattr(module, name), always(module, network))


def _images(rng: Rng, count: int) -> torch.Tensor:
    """Coarse and fine at once, each image with a brightness of its own."""
    coarse = F.interpolate(rng.uniform(0, 1, count, 3, 4, 4), scale_factor=8)
    fine = rng.uniform(0, 1, count, *IMAGE)
    return (0.5 * coarse + 0.3 * fine + rng.uniform(0, 0.2, count, 1, 1, 1)).clamp(0, 1)


def _is_given(module: Remote, ref: Remote, rng: Rng) -> bool:
    """Is their CIFARDiscriminator() the given one, without spectral norm?"""
    x = _images(rng, FEW)
    try:
        model = built(module.CIFARDiscriminator(), "CIFARDiscriminator()")
        twin = ref.CIFARDiscriminator()
        if shapes(model) != shapes(twin):
            return False
        for one in (model, twin):
            fill(one, rng.seed)
        return matches(floats(model(x), "CIFARDiscriminator()"), twin(x))
    except (Fail, StudentError):
        return False


@check("cifar-dcgan.init", share=1)
def makes_both_networks(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """DCGAN makes self._generator and self._discriminator, a CIFARGenerator for codes of length 64
    and a CIFARDiscriminator.

    Both are filled with known parameters and compared with the live reference.
    """
    given, x, codes = _is_given(hw5_gan, ref, rng), _images(rng, FEW), rng.normal(FEW, CODE)
    assign(hw5_gan.DCGAN._weight_INITIALIZATION, mix(hw5_gan))
    gan = built(hw5_gan.DCGAN(), "DCGAN()")
    for name, twin, inputs in (
        ("_generator", ref.CIFARGenerator(CODE), codes),
        ("_discriminator", ref.CIFARDiscriminator(), x),
    ):
        model = built(value(getattr(gan, name)), f"self.{name}")
        for one in (model, twin):
            fill(one, rng.seed)
        try:
            output = floats(model(inputs), f"The output of self.{name}")
        except StudentError as error:
            raise Fail(
                f"self.{name} does not take {'codes' if inputs is codes else 'images'} "
                f"({error.type}: {error.message})"[:300],
                "self._generator is the CIFARGenerator, self._discriminator the other one.",
            ) from None
        right = twin(inputs)
        # With the given layers of the discriminator changed, its shape is all there is to see.
        known = inputs is codes or given
        expect(
            matches(output, right) if known else output.shape == right.shape,
            f"self.{name} does not compute what the given class computes.",
            "self._generator = CIFARGenerator(self.code_size), and likewise the discriminator.",
        )


@check("cifar-dcgan.init", share=0.25, after="makes_both_networks")
def asks_for_codes_of_code_size(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The generator of DCGAN takes codes of length code_size, whatever that is."""
    assign(hw5_gan.DCGAN._weight_INITIALIZATION, mix(hw5_gan))
    assign(hw5_gan.DCGAN.code_size, SHORT)
    gan = built(hw5_gan.DCGAN(), "DCGAN()")
    try:
        gan._generator(rng.normal(FEW, SHORT))
    except StudentError:
        raise Fail(
            f"The generator takes codes of length {CODE}, whatever code_size is.",
            "CIFARGenerator(self.code_size)",
        ) from None


@check("cifar-dcgan.init", share=0.5, after="makes_both_networks")
def tells_the_discriminator_about_spectral(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """DCGAN(spectral=True) makes a CIFARDiscriminator with spectral=True."""
    x = _images(rng, FEW)
    assign(hw5_gan.DCGAN._weight_INITIALIZATION, mix(hw5_gan))
    try:
        asked = _ignores_scale(hw5_gan.CIFARDiscriminator(True), x)
    except StudentError as error:
        if error.kind == "missing":
            raise
        asked = None
    try:
        theirs = _ignores_scale(hw5_gan.DCGAN(True)._discriminator, x)
    except StudentError as error:
        if asked is not None or error.kind == "missing":
            raise
        theirs = None
    expect(
        theirs == asked,
        "DCGAN(spectral=True) does not tell its discriminator about spectral.",
        "CIFARDiscriminator(spectral)",
    )


def _ignores_scale(model: Any, x: torch.Tensor) -> bool:
    """Does the output stay where it is when the convolutions' weights grow by three?

    In evaluation mode nothing but spectral norm takes their scale away. Its norm is found little
    by little, in training: a first guess may be so near 0 that the output is all rounding.
    """
    model = built(model, "CIFARDiscriminator(True)")
    for _ in range(3):
        model(x)
    model.eval()
    before = floats(model(x), "The output of the discriminator")
    grown = [3 * one if one.dim() == 4 else one for one in weights(model)]
    load_weights(model, grown)
    return matches(floats(model(x), "The output of the discriminator"), before, 1e-3)


@check("cifar-dcgan.init", share=1.5)
def gives_each_network_its_Adam(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """self.optimizerG and self.optimizerD are Adams of rate 2e-4 and betas (0.5, 0.999), each for
    all parameters of its own network.

    DCGAN() gets given networks, another learning_rate, and these known gradients: three steps, a
    long rest, and one more step. What moves their outputs is compared with the live reference.
    Gradients are so small that a larger eps shows, the rest shows weight decay, and the step after
    it beta2 and amsgrad. Where this is wrong, the usual rate decides.
    """
    classes = [(getattr(hw5_gan, name), value(getattr(hw5_gan, name))) for name in CLASSES]
    one = rng.normal(SMALL, SMALL), rng.normal(SMALL)
    grads = [grad.sign() * (1e-7 + grad.abs() * 1e-7) for grad in one]
    usual = value(ref.DCGAN.learning_rate)
    if not _wrong_adams(hw5_gan, ref, grads, 2.5 * usual):
        for place, own in classes:
            assign(place, own)
        return _expect_own_networks(hw5_gan)
    if wrong := _wrong_adams(hw5_gan, ref, grads, usual):
        hint = "optim.Adam(network.parameters(), lr=self.learning_rate, betas=(..., ...))"
        raise Partial(1 - len(wrong) / 2, " ".join(wrong)[:300], hint)
    raise Partial(
        0.75, f"The rate is {usual:g}, whatever learning_rate is.", "lr=self.learning_rate"
    )


def _expect_own_networks(module: Remote) -> None:
    """Fail where an optimizer holds the parameters of a network that was made for it alone."""
    assign(module.DCGAN._weight_INITIALIZATION, mix(module))
    with suppress(StudentError):  # what cannot be made has cost its marks
        gan = built(module.DCGAN(), "DCGAN()")
        for network, optimizer in OPTIMIZERS:
            model = getattr(gan, network)
            set_grads(model, [torch.ones(shape) for shape in shapes(model)])
            before = weights(model)
            getattr(gan, optimizer).step()
            if all(map(torch.equal, before, weights(model))):
                raise Partial(0.5, f"self.{optimizer}.step() does not move self.{network}.")


OPTIMIZERS = ("_generator", "optimizerG"), ("_discriminator", "optimizerD")


def _wrong_adams(hw5_gan: Remote, ref: Remote, grads: list[torch.Tensor], rate: float) -> list[str]:
    """What is wrong with each of the two optimizers, if anything is, at this learning_rate."""
    for module in (hw5_gan, ref):
        _given_networks(module)
        assign(module.DCGAN.learning_rate, rate)
    theirs, ours = built(hw5_gan.DCGAN(), "DCGAN()"), ref.DCGAN()
    wrong = []
    for network, optimizer in OPTIMIZERS:
        right, _ = _stepped(ours, network, optimizer, grads)
        try:
            moved, others = _stepped(theirs, network, optimizer, grads)
        except StudentError as error:
            wrong.append(f"self.{optimizer} does not work ({error.type}: {error.message}).")
            continue
        if not moved[0].any():
            wrong.append(f"self.{optimizer}.step() does not move self.{network}.")
        elif not all(map(partial(matches, tolerance=STEPPED), moved, right)):
            wrong.append(f"self.{optimizer} does not step as it should.")
        elif others:
            wrong.append(f"self.{optimizer} moves {others} too; it is for self.{network} alone.")
    return wrong


STEPPED = 2e-3
"""Tolerance of how far optimizers move small weights: eps and what is remembered show."""
REST = 40
"""Steps without a gradient: momentum is gone after them, and beta2 has begun to forget."""


def _stepped(
    gan: Remote, network: str, optimizer: str, grads: list[torch.Tensor]
) -> tuple[list[torch.Tensor], str]:
    """How far three steps, a rest and another step move the network's output, and the name of the
    other network if it moved, though it has gradients.
    """
    model, (name,) = getattr(gan, network), {"_generator", "_discriminator"} - {network}
    other, x = getattr(gan, name), torch.cat((torch.eye(SMALL), torch.zeros(1, SMALL)))
    set_grads(other, [torch.ones(shape) for shape in shapes(other)])
    before, found = weights(other), []
    for scales, times in (((1.0, 0.3, -2.0), 1), ((0.0,), REST), ((0.1,), 1)):
        start = floats(model(x), f"The output of self.{network}")
        for scale in scales:
            set_grads(model, [scale * grad for grad in grads])
            for _ in range(times):
                getattr(gan, optimizer).step()
        found.append(floats(model(x), f"The output of self.{network}") - start)
    still = all(map(torch.equal, before, weights(other)))
    return found, "" if still else f"self.{name}"


@dataclass(frozen=True)
class _Weights:
    """What initialisation has made of the two networks, layer by layer, weight and bias; `frozen`:
    the network that learns less since.
    """

    upward: list[tuple[torch.Tensor, torch.Tensor]]
    """Transposed convolutions of the generator."""
    downward: list[tuple[torch.Tensor, torch.Tensor]]
    norms: list[tuple[torch.Tensor, torch.Tensor]]
    linear: list[tuple[torch.Tensor, torch.Tensor]]
    frozen: str = ""


GENERATOR = ("fc", *(f"upsample_and_generate.{n}" for n in (0, 2, 3, 5, 6, 8)))
DISCRIMINATOR = (*(f"downsample.{n}" for n in (0, 2, 3, 5, 6)), "fc")


def _initialised(hw5_gan: Remote, ref: Remote, rng: Rng, spectral: bool = False) -> _Weights:
    """Weights after _weight_INITIALIZATION, as the networks' outputs show them.

    Read from the networks, loaded into the reference's, and believed when it answers alike.
    """
    gan = _Gan(hw5_gan, initialises=True)
    disc = hw5_gan.CIFARDiscriminator(True) if spectral else hw5_gan.CIFARDiscriminator()
    gan.set(_generator=hw5_gan.CIFARGenerator(CODE), _discriminator=disc)
    networks = ("_generator", rng.normal(8, CODE)), ("_discriminator", _images(rng, 8))
    before = [_learning(getattr(gan.it, name), x[:2]) for name, x in networks]
    gan.call("_weight_INITIALIZATION")
    after = [_learning(getattr(gan.it, name), x[:2]) for name, x in networks]
    less = [name for (name, _), a, b in zip(networks, after, before, strict=True) if a < b]
    g = _proven(gan.it._generator, ref.CIFARGenerator(CODE), GENERATOR, networks[0][1])
    d = _proven(gan.it._discriminator, ref.CIFARDiscriminator(), DISCRIMINATOR, networks[1][1])
    return _Weights(
        [g[2], g[4], g[6]],
        [d[0], d[1], d[3]],
        [g[1], g[3], g[5], d[2], d[4]],
        [g[0], d[5]],
        less[0] if less else "",
    )


def _learning(model: Remote, x: torch.Tensor) -> int:
    """How many parameters of the model get a gradient."""
    model.eval()  # batch norms remember nothing of it
    found = gradients(model, x, of=[model]).objects[0]
    return sum(isinstance(one, torch.Tensor) for one in found)


def _proven(
    model: Remote, twin: Remote, layers: Sequence[str], x: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Weight and bias of these layers, shown by the output to be those the network uses."""
    for one in (model, twin):
        one.eval()  # spectral norm and batch norm then hold still
    output = floats(model(x), "The output of the network")
    pairs = [_pair(model, layer) for layer in layers]
    load_weights(twin, [one for pair in pairs for one in pair])
    expect(
        matches(output, twin(x), 1e-3),
        "The network does not compute what the given class computes with its weights.",
        "Leave the layers of the given classes as they are.",
    )
    return pairs


def _pair(model: Remote, layer: str) -> tuple[torch.Tensor, torch.Tensor]:
    here = model
    for name in layer.split("."):
        here = getattr(here, name)
    found = value(here.weight), value(here.bias)
    for one in found:
        expect(isinstance(one, torch.Tensor), f"The layer {layer} has no weight and bias.")
    return found


@check("cifar-dcgan.weight_init", share=1)
def draws_convolutions_from_a_narrow_normal(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_weight_INITIALIZATION draws the weights of all convolutions from N(0, 0.02^2).

    1,536 weights or more a layer; mean and standard deviation stay within six standard errors,
    and the fourth moment that of a normal distribution: with a chance below 1e-7 they do not.
    """
    found = _initialised(hw5_gan, ref, rng)
    if found.frozen:
        raise Partial(
            0.5,
            f"After _weight_INITIALIZATION, not all of self.{found.frozen} can be trained.",
            "Fill the weights in place, and leave requires_grad as it is.",
        )
    # A discriminator that has been changed may have taken the scale away.
    given = _is_given(hw5_gan, ref, rng)
    wrong = ["ConvTranspose2d" for one, _ in found.upward if not _is_normal(one, 0.0, 0.02)]
    for weight, _ in found.downward:
        if not _is_normal(weight, 0.0, 0.02 if given else float(weight.std())):
            wrong.append("Conv2d")
    if wrong:
        raise Partial(
            1 - len(wrong) / 6,
            f"The weights of {len(wrong)} of 6 convolutions are not N(0, 0.02^2): "
            f"look at {' and '.join(sorted(set(wrong)))}.",
            "nn.init.normal_(weight, 0.0, 0.02), for Conv2d and ConvTranspose2d.",
        )


@check("cifar-dcgan.weight_init", share=0.5)
def draws_batch_norms_around_one(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_weight_INITIALIZATION draws the weights of batch norms from N(1, 0.02^2); biases are 0.

    416 weights together; mean and standard deviation within six standard errors, and one beyond two
    standard deviations, as none of a uniform distribution is: 1e-8.
    """
    norms, again = (_initialised(hw5_gan, ref, rng).norms for _ in range(2))
    same = all(torch.equal(one, other) for (one, _), (other, _) in zip(norms, again, strict=True))
    expect(
        not same or not bool(norms[0][0].std() > 0),
        "_weight_INITIALIZATION draws the same weights each time.",
        "Do not set a seed inside it.",
    )
    expect(
        _is_normal(torch.cat([weight for weight, _ in norms]), 1.0, 0.02),
        "The weights of the batch norms are not N(1, 0.02^2).",
        "nn.init.normal_(layer.weight, 1.0, 0.02)",
    )
    expect(
        not any(bias.any() for _, bias in norms),
        "The biases of the batch norms are not 0.",
        "nn.init.zeros_(layer.bias)",
    )


@check("cifar-dcgan.weight_init", share=0.2, after="draws_convolutions_from_a_narrow_normal")
def leaves_linear_layers_and_biases(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_weight_INITIALIZATION leaves the linear layers and the biases of convolutions as they are.

    Standard deviations of 2,048 weights or more, uniform; one in ten away is ten standard errors.
    The mean square of 323 biases, uniform too, stays within six of them. The single bias of the
    discriminator's linear layer is 0 once in 10 million.
    """
    found = _initialised(hw5_gan, ref, rng)
    for weight, _ in found.linear:
        usual = 1 / math.sqrt(3 * weight[0].numel())
        expect(
            abs(float(weight.std()) / usual - 1) < 0.1,
            "The weights of the linear layers have been drawn anew too.",
            "Convolutions and batch norms alone are drawn anew.",
        )
    if not all(bias.any() for _, bias in found.linear):
        raise Partial(
            0.5,
            "The biases of the linear layers have been changed too.",
            "Convolutions and batch norms alone are drawn anew.",
        )
    # torch draws both uniformly up to 1 / sqrt(fan_in).
    pairs = found.upward + found.downward
    biases = torch.cat([bias * math.sqrt(weight[0].numel()) for weight, bias in pairs])
    if abs(float(biases.square().mean()) - 1 / 3) > 6 * math.sqrt(4 / 45 / len(biases)):
        raise Partial(
            0.5,
            "The biases of the convolutions have been changed too.",
            "Their weights alone are drawn anew.",
        )


@check("cifar-dcgan.weight_init", share=0.3)
def initialises_under_spectral_norm(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The normal weights of _weight_INITIALIZATION survive in a discriminator with spectral norm.

    Their scale is gone there, so the fourth moment decides: 3 for a normal distribution, 1.8 for
    torch's uniform default; 5.5 standard errors below 3 are 2.3 at worst, 1e-7.
    """
    try:
        # What is no spectral norm is another question's: nothing to survive.
        found = _initialised(hw5_gan, ref, rng, spectral=_scales(hw5_gan.CIFARDiscriminator(True)))
    except StudentError as error:
        if error.kind == "missing":
            raise
        found = _initialised(hw5_gan, ref, rng)
    expect(
        all(_fourth_moment(weight) > _least(weight) for weight, _ in found.downward),
        "With spectral=True the weights of the discriminator are not the normal ones.",
        "Spectral norm computes layer.weight from another parameter: fill that one in place.",
    )


def _scales(disc: Remote) -> bool:
    """Is the weight of each convolution one of the parameters, or such a one times a number?"""
    used = [_pair(disc, f"downsample.{n}")[0].flatten() for n in (0, 2, 5)]
    own = [one.flatten() for one in weights(disc) if one.dim() == 4]
    return all(
        any(float(torch.cosine_similarity(a, b, 0).abs()) > 0.999 for b in own if len(a) == len(b))
        for a in used
    )


def _is_normal(sample: torch.Tensor, mean: float, std: float) -> bool:
    flat = sample.double().flatten()
    n = len(flat)
    return (
        abs(float(flat.mean()) - mean) <= 6 * std / math.sqrt(n)
        and abs(float(flat.std()) / std - 1) <= 6 / math.sqrt(2 * n)
        and is_drawn_singly(flat)
        and _fourth_moment(flat) > _least(flat)
        and float((flat - mean).abs().max()) > 2 * std
    )


def _fourth_moment(sample: torch.Tensor) -> float:
    flat = sample.double().flatten()
    scaled = (flat - flat.mean()) / flat.std().clamp(min=1e-12)
    return float((scaled**4).mean())


def _least(sample: torch.Tensor) -> float:
    """What the fourth moment of so many normal numbers exceeds, but for once in 1e7."""
    return 3 - 5.5 * math.sqrt(24 / sample.numel())


def _bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(logits, labels)


def _scalars(values: Sequence[Any], what: str) -> torch.Tensor:
    return torch.stack([tensor(one, [(), (1,), (1, 1)], what) for one in values])


Pair = tuple[torch.Tensor, torch.Tensor]


MEANS = {
    "_classification_loss": "the mean binary cross-entropy of logits and labels",
    "_reconstruction_loss": "the mean over all numbers of (reconstruction - x)^2",
}


WRONGLY_SURE = torch.tensor([[FAR_LOGIT], [-FAR_LOGIT]]), torch.tensor([[0.0], [1.0]])
"""Logits and labels of a large loss."""


def _has_value(hw5_gan: Remote, ref: Remote, name: str, draws: Sequence[Pair]) -> None:
    """Fail unless the loss of that name has the reference's value on every draw."""
    theirs, ours = _Gan(hw5_gan), _Gan(ref)
    expected = _scalars([ours.call(name, *draw) for draw in draws], name)
    found = _scalars([theirs.call(name, *draw) for draw in draws], name)
    close(found, expected, name, right=MEANS[name])


def _has_gradient(hw5_gan: Remote, ref: Remote, name: str, draw: Pair, of: str) -> None:
    theirs, ours = _Gan(hw5_gan).gradients(name, *draw), _Gan(ref).gradients(name, *draw)
    expect(
        any(isinstance(one, torch.Tensor) for one in theirs),
        f"No gradient flows back from {name} to {of}.",
        "Return a tensor, with no .item() and no detach().",
    )
    expect(parallel(theirs, ours), f"The gradient of {name} does not lead {of} where it should.")


def _labelled(rng: Rng, count: int) -> Pair:
    """Logits (N, 1) and labels (N, 1).

    The first two are labelled 0 and 1, with logits of 7 and -7: a loss that limits them shows.
    """
    labels = rng.labels(count, 2).float()
    logits = rng.normal(count, 1, std=2.0)
    labels[:2] = torch.tensor([0.0, 1.0])
    logits[:2] = torch.tensor([[7.0], [-7.0]])
    return logits, labels[:, None]


@check("cifar-dcgan.classification_loss", share=1.5)
def takes_cross_entropy_of_logits(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_classification_loss is the mean binary cross-entropy of logits and labels."""
    draws, name = [_labelled(rng, count) for count in (7, 7, 12)], "_classification_loss"
    _has_value(hw5_gan, ref, name, draws)
    unlimited(_Gan(hw5_gan).call(name, *WRONGLY_SURE), _Gan(ref).call(name, *WRONGLY_SURE), name)


@check("cifar-dcgan.classification_loss", share=0.5)
def keeps_the_gradient_of_sure_logits(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_classification_loss has the gradient of its definition, also for logits of 100 and -100."""
    name, draw = "_classification_loss", _labelled(rng, 8)
    _has_gradient(hw5_gan, ref, name, draw, "the logits")
    _expect_finite(hw5_gan, name)


def _expect_finite(hw5_gan: Remote, name: str) -> None:
    sure = torch.tensor([[100.0], [-100.0], [100.0], [-100.0]])
    labels = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    gan = _Gan(hw5_gan)
    found = tensor(gan.call(name, sure, labels), [(), (1,), (1, 1)], name)
    (grad,) = gan.gradients(name, sure, labels)
    expect(
        bool(found.isfinite()) and grad is not None and bool(grad.isfinite().all()),
        f"{name} or its gradient is not finite for logits of 100 and -100.",
        "F.binary_cross_entropy_with_logits works on the logits.",
    )


@check("cifar-dcgan.reconstruction_loss", share=2)
def takes_the_mean_square(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """_reconstruction_loss is the mean of the squared differences over all numbers."""
    draws = [_pictures(rng, count) for count in (3, 3, 5)]
    _has_value(hw5_gan, ref, "_reconstruction_loss", draws)
    _has_value(hw5_gan, ref, "_reconstruction_loss", [_far(draws[0])])


@check("cifar-dcgan.reconstruction_loss", share=1)
def leads_the_reconstruction_to_the_image(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The gradient of _reconstruction_loss leads the reconstruction towards the image."""
    _has_gradient(hw5_gan, ref, "_reconstruction_loss", _pictures(rng, 3), "the reconstruction")


def _pictures(rng: Rng, count: int) -> Pair:
    """Numbers from -1 to 2: a loss that cuts off what is no pixel shows."""
    return 3 * _images(rng, count) - 1, 3 * _images(rng, count) - 1


def _far(pictures: Pair) -> Pair:
    """Pictures of a large loss."""
    return 10 * pictures[0], 10 * pictures[1]


@dataclass(frozen=True)
class _Training:
    """What one training begins with: networks, images, and how fast each network may move.

    Every code gives the same image, `bias`. The optimizers are plain gradient descent. `affine`: a
    given discriminator, or None for the class of the assignment. Where an epoch has several
    `batches`, it does not matter in which order the images come.
    """

    seed: int
    bias: torch.Tensor
    images: torch.Tensor
    probe: torch.Tensor
    affine: Pair | None
    rates: tuple[float, float]
    """Of the discriminator and of the generator; at most one of them moves."""
    steps: int = 2
    batches: int = 1
    """Of an epoch."""

    @staticmethod
    def of_discriminator(rng: Rng) -> _Training:
        """Of the assignment's networks, the generator's linear layer with a bias alone."""
        bias, images = rng.normal(2048), _images(rng, FEW)
        return _Training(rng.seed, bias, images, _images(rng, FEW), None, (0.004, 0.0))

    @staticmethod
    def of_generator(rng: Rng, rate: float = 0.0, steep: float = 1.0) -> _Training:
        """Of given networks, two epochs of two batches. The generator moves so little that its
        codes go on counting nothing, and begins near 0, where little shows; its images are taken
        for fakes, so that no loss is at its end. `steep`: how much larger its gradients are than
        usual; its images and their changes are as much smaller, so that the logits are the same,
        but for its fakes that are found out, so that the loss is large as well.
        """
        found_out = LARGE * (steep > 1)
        affine = steep * rng.normal(PIXELS, 1, std=0.05), -rng.normal(1).abs() - found_out
        bias, images = rng.uniform(0, 0.01, PIXELS) / steep, _images(rng, 1).repeat(8, 1, 1, 1)
        probe, rates = torch.zeros(1, CODE), (0.0, rate / steep**2)
        return _Training(rng.seed, bias, images, probe, affine, rates, steps=4, batches=2)

    @staticmethod
    def of_fooled(rng: Rng) -> _Training:
        """Of given networks: the discriminator takes all fakes for real, and these are so bright
        that whatever else asks something of them shows.
        """
        affine = rng.normal(PIXELS, 1, std=1e-4), torch.tensor([SURE])
        bias, images = rng.uniform(0, 10, PIXELS), _images(rng, FEW)
        return _Training(rng.seed, bias, images, torch.zeros(1, CODE), affine, (0.0, 1e4))

    @staticmethod
    def of_sure(rng: Rng) -> _Training:
        """Of given networks: the discriminator tells real images, logits of about SURE, from fakes,
        minus SURE.
        """
        affine = SURE / PIXELS * rng.uniform(2, 6, PIXELS, 1), torch.tensor([-SURE])
        bias, images = rng.uniform(0, 0.01, PIXELS), _images(rng, FEW)
        return _Training(rng.seed, bias, images, images, affine, (0.01, 0.0))

    @staticmethod
    def of_bright_images(rng: Rng) -> _Training:
        """Of given networks; the discriminator has large gradients, some thousands in all, and
        large losses: it takes each image for what it is not.
        """
        images = STEEP * _images(rng, FEW)
        found_out = -2 * LARGE / float(images.mean()) / PIXELS
        affine = found_out + rng.normal(PIXELS, 1, std=1e-4), rng.normal(1) + LARGE
        return _Training(rng.seed, rng.uniform(0, 0.01, PIXELS), images, images, affine, (1e-7, 0))

    @staticmethod
    def of_batches(rng: Rng) -> _Training:
        """Of given networks, two epochs of two batches. The discriminator moves so little that it
        does not matter in which order its images come.
        """
        affine = rng.normal(PIXELS, 1, std=1e-4), rng.normal(1)
        bias, images = rng.uniform(0, 0.01, PIXELS), _images(rng, 2 * FEW)
        return _Training(rng.seed, bias, images, images, affine, (1e-6, 0.0), steps=4, batches=2)

    def one_large_step(self, rates: tuple[float, float]) -> _Training:
        """At these rates the losses are others after the first step than before it."""
        images = self.images[:FEW]
        probe = images if rates[0] else self.probe
        return replace(self, images=images, probe=probe, rates=rates, steps=1, batches=1)

    def run(self, module: Remote, own_loss: bool) -> _Trained:
        disc, gen = self._networks(module)
        gan = _Gan(module)
        gan.set(_generator=gen, _discriminator=disc)
        descents = descent(self.rates[0], disc), descent(self.rates[1], gen)
        gan.set(optimizerD=descents[0], optimizerG=descents[1])
        gan.set(batch_size=len(self.images) // self.batches, num_epoch=self.steps // self.batches)
        gan.set(log_step=1000, visualize_step=1000, tracked_noise=torch.zeros(1, CODE))
        if not own_loss:
            gan.set(_classification_loss=bowl(module, logits=1.0, labels=-1.5))
        moving = disc if self.rates[0] else gen
        before = _output(moving, self.probe)
        losses = _losses(gan.call("fit", self.images), self.steps)
        moved = _output(moving, self.probe) - before
        steady = all(map(keeps_rate, descents, self.rates))
        return _Trained(moved, *losses, steady, self._is_frozen(gan, moving))

    def _is_frozen(self, gan: _Gan, network: Remote) -> bool:
        """Can the network learn no more, not even in a fit that may thaw it?"""
        learning = gradients(network, self.probe, of=[network]).objects[0]
        if all(isinstance(one, torch.Tensor) for one in learning):
            return False
        before = _output(network, self.probe)
        with suppress(StudentError):
            gan.call("fit", self.images)
        return bool((_output(network, self.probe) == before).all())

    def _networks(self, module: Remote) -> tuple[Remote, Remote]:
        if self.affine is not None and len(self.bias) == PIXELS:
            codes = torch.zeros(CODE, PIXELS)
            gen = stub(module, codes, self.bias, shape=IMAGE, modal=True)
            return stub(module, *self.affine, modal=True), gen
        gen = module.CIFARGenerator(CODE)
        fill(gen, self.seed)
        zero(gen.fc)
        gen.fc.bias.data.copy_(self.bias)
        if self.affine is not None:
            return stub(module, *self.affine, modal=True), gen
        disc = module.CIFARDiscriminator()
        fill(disc, self.seed)
        return disc, gen


@dataclass(frozen=True)
class _Trained:
    """How far a training moved the output of the network that could move, its losses, whether the
    rates of the optimizers are what they were, and whether that network cannot learn any more.
    """

    moved: torch.Tensor
    dis: torch.Tensor
    gen: torch.Tensor
    steady: bool
    frozen: bool


def _output(model: Remote, x: torch.Tensor) -> torch.Tensor:
    model.train()
    return floats(model(x), "The output of a network")


def _losses(result: Any, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    what = "What fit returns"
    if not (isinstance(result, (tuple, list)) and len(result) == 2):
        raise Fail(f"{what} should be two lists, the losses of every step.")
    for values in result:
        expect(
            isinstance(values, (tuple, list)) and len(values) == steps,
            f"{what} should have one loss of each kind for every step.",
        )
    dis, gen = (_scalars(values, "A loss that fit leaves behind") for values in result)
    return dis, gen


def _compare_trainings(
    hw5_gan: Remote, ref: Remote, rng: Rng, training: _Training, compare: Callable[..., None]
) -> None:
    """Pass when `compare` does, with their own loss or with a given one."""

    def way(own_loss: bool) -> None:
        compare(training.run(hw5_gan, own_loss), training.run(ref, own_loss))

    _by_a_loss(hw5_gan, ref, "_classification_loss", _labelled(rng, 8), way)


def _by_a_loss(
    hw5_gan: Remote, ref: Remote, name: str, draw: Pair, way: Callable[[bool], None]
) -> None:
    """Pass when `way` does with the student's own loss. Where that is wrong, which is another
    question's, it may as well do so with a given one in its place.
    """
    if _is_right(hw5_gan, ref, name, draw):
        return way(True)
    either(partial(way, True), partial(way, False))


def _is_right(hw5_gan: Remote, ref: Remote, name: str, draw: Pair) -> bool:
    """Has the loss of that name its value and its gradient, also where it is large, and an object
    whose methods find it?
    """
    sure = name == "_classification_loss"
    far = WRONGLY_SURE if sure else _far(draw)

    def way() -> None:
        expect(not _Gan(hw5_gan).stands_in, "DCGAN() cannot be made.")
        _has_value(hw5_gan, ref, name, [draw, far])
        for one in (draw, far):
            _has_gradient(hw5_gan, ref, name, one, "its argument")
        if sure:
            _expect_finite(hw5_gan, name)

    return _holds(way)


def _fit(
    hw5_gan: Remote, ref: Remote, rng: Rng, training: _Training, compare: Callable[..., None]
) -> None:
    """Pass when `compare` does. A loop that runs for batches of the usual size alone keeps most."""
    if training.affine is None and not _is_given(hw5_gan, ref, rng):
        training = replace(training, affine=(rng.normal(PIXELS, 1, std=0.05), rng.normal(1)))

    try:
        _compare_trainings(hw5_gan, ref, rng, training, compare)
    except StudentError:
        images = training.images.repeat(BATCH // len(training.images), 1, 1, 1)
        usual = replace(training, images=images, steps=1, batches=1)
        if not _holds(lambda: compare(usual.run(hw5_gan, True), usual.run(ref, True))):
            raise
        raise Partial(
            0.75,
            f"fit works for batches of {BATCH} images, and for no others.",
            "self.batch_size says how many images a batch holds.",
        ) from None


@check("cifar-dcgan.fit", share=5)
def trains_the_discriminator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """fit moves the discriminator as its loss asks, with gradients cleared, real images and fakes
    in batches of their own.

    Two steps against a generator that holds still; how far the discriminator's output moves is
    compared with the live reference. Here codes count for nothing at all, and right loops differ by
    rounding alone. Of 20 batches, each known mistake was off by 0.019 or more. In the scenes after
    it (large gradients, small losses, epochs of two batches) a right loop stays within MOVED too:
    the order of the images is all chance in them, and of 34 draws none came to a tenth of it.
    """

    def compare(theirs: _Trained, right: _Trained) -> None:
        expect(bool(theirs.moved.any()), "fit does not move the discriminator.")
        expect(
            matches(theirs.moved, right.moved, MOVED / 4),
            "The steps of fit do not lead the discriminator where they should.",
            "Clear its gradients; real images with label 1, then fakes with label 0, in two "
            "batches; add the losses; backward; step.",
        )
        late = not matches(theirs.gen[:1], right.gen[:1], 1e-3)
        if late and matches(theirs.gen[1:], right.gen[:-1], 1e-3):
            raise Partial(
                0.75,
                "The generator's loss is that of the discriminator before its step.",
                "In every batch the discriminator steps first; then come the generator's fakes.",
            )

    _fit(hw5_gan, ref, rng, _Training.of_discriminator(rng), compare)
    _fit(hw5_gan, ref, rng, _Training.of_bright_images(rng), _expect_no_scaling)
    _fit_small(hw5_gan, ref, rng, _Training.of_sure(rng), WHOSE[0])
    _expect_each_batch(hw5_gan, ref, rng, _Training.of_batches(rng))


@check("cifar-dcgan.fit", share=4)
def trains_the_generator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """fit moves the generator as its loss asks, with gradients cleared, in every batch.

    Two epochs of two batches with given networks, the discriminator holds still; how far the
    generator's images move is compared with the live reference. Codes count for less than 0.005 of
    it, a quarter of MOVED, in every scene.
    """

    def compare(theirs: _Trained, right: _Trained) -> None:
        expect(bool(theirs.moved.any()), "fit does not move the generator.")
        expect(
            matches(theirs.moved, right.moved, MOVED),
            "The steps of fit do not lead the generator where they should.",
            "Clear its gradients; fakes with label 1, not detached; backward; step.",
        )

    _fit(hw5_gan, ref, rng, _Training.of_generator(rng, 2e-5), compare)
    _fit(hw5_gan, ref, rng, _Training.of_generator(rng, 2e-5, STEEP), _expect_no_scaling)
    _fit_small(hw5_gan, ref, rng, _Training.of_fooled(rng), WHOSE[1])


def _fit_small(hw5_gan: Remote, ref: Remote, rng: Rng, training: _Training, whose: str) -> None:
    """Fail where a network whose loss is nearly 0 does not move as it asks, or never again. A loss
    that is wrong, which is another question's, need not be small there.
    """
    if _is_right(hw5_gan, ref, "_classification_loss", _labelled(rng, 8)):
        _fit(hw5_gan, ref, rng, training, partial(_expect_steps, whose=whose))


def _expect_steps(theirs: _Trained, right: _Trained, whose: str) -> None:
    if not matches(theirs.moved, right.moved, MOVED):
        raise Partial(
            0.5,
            f"Where the loss of the {whose} is small, the steps of fit do not lead it where they "
            "should.",
            "It takes a step in every batch, whatever the losses are, and they have no more terms.",
        )
    if theirs.frozen:
        raise Partial(
            0.5,
            f"After fit, the {whose} cannot be trained any more: it is frozen for good.",
            "Who sets requires_grad to False sets it to True again; here nobody needs to.",
        )


def _expect_each_batch(hw5_gan: Remote, ref: Remote, rng: Rng, training: _Training) -> None:
    """Fail where the real images of a step are not its batch."""
    each = "batch_samples holds the real images of a step."

    def compare(theirs: _Trained, right: _Trained) -> None:
        if not matches(theirs.moved, right.moved, MOVED):
            says = "In an epoch of two batches, the discriminator is not trained on each of them."
            raise Partial(0.5, says, each)

    try:
        _compare_trainings(hw5_gan, ref, rng, training, compare)
    except StudentError as error:
        says = f"In an epoch of two batches, fit raises {error} ({error.where})."
        raise Partial(0.5, says[:300], each) from None


STEEP = 100.0
"""How much larger than usual gradients are at which it shows that they are clipped."""
LARGE = 10.0
"""A logit of an image that is taken for what it is not: its loss is as large."""
SURE = 6.0
"""A logit at which a loss is nearly 0, and a sigmoid is told well from 1."""


def _expect_no_scaling(theirs: _Trained, right: _Trained) -> None:
    if not matches(theirs.moved, right.moved, MOVED):
        raise Partial(
            0.5,
            "Where losses and gradients are large, the steps of fit do not lead where they should.",
            "Nothing cuts off a loss, or clips or scales a gradient between backward and step.",
        )
    if not theirs.steady:
        raise Partial(
            0.5,
            "fit changes the rates of its optimizers.",
            "optimizerD and optimizerG take steps, at the rates that they were made with.",
        )


@check("cifar-dcgan.fit", share=1.5)
def leaves_dis_loss_behind(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """dis_loss is the sum of the losses of real images and of fakes, in every step, as it is before
    the discriminator moves.
    """

    def compare(theirs: _Trained, right: _Trained) -> None:
        mean = "the loss of real images, label 1, plus that of fakes, label 0"
        close(theirs.dis, right.dis, "dis_loss", right=mean, tolerance=1e-3)

    training = _Training.of_generator(rng)
    _fit(hw5_gan, ref, rng, training, compare)
    _fit(hw5_gan, ref, rng, training.one_large_step((1e-3, 0.0)), compare)


@check("cifar-dcgan.fit", share=1)
def leaves_gen_loss_behind(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """gen_loss is the loss of fakes that should be taken for real, in every step, as it is before
    the generator moves.
    """

    def compare(theirs: _Trained, right: _Trained) -> None:
        mean = "the loss of fakes with label 1"
        close(theirs.gen, right.gen, "gen_loss", right=mean, tolerance=1e-3)

    training = _Training.of_generator(rng)
    _fit(hw5_gan, ref, rng, training, compare)
    _fit(hw5_gan, ref, rng, training.one_large_step((0.0, 0.05)), compare)


BATCH, SCALE = 128, 4.0
TRACKED = torch.tensor([[1e3], [-1e3]])
"""The numbers of tracked_noise: were it among the codes, the losses would show it."""
PLAN = (4096, 6, (3, 1, 1))
"""Codes in a step, steps, and the shape of an image, for what depends on chance."""
USUAL_PLAN = (BATCH, 16, IMAGE)
"""For loops that know the sizes by heart."""


@check("cifar-dcgan.fit", share=1.5)
def draws_normal_codes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """The codes of fit are normal, N(0, I), and fresh in every step, in that of the discriminator
    and in that of the generator.

    Given networks turn one number of each code into a logit; nothing moves. The mean losses of
    24,576 codes stay within 6 standard errors of their expectation: false alarms 2e-9, and codes a
    tenth too wide are told with 0.99999. A batch of one code for all has a variance 4,096 times its
    own; 50 times is as unlikely. Where the logit is nearly linear, the losses of both networks on
    the same codes have a correlation of 0.99; over 160 steps of fresh ones one of four correlations
    exceeds 0.45 once in 1e8, and codes of which half of the variance is in those of the step before
    are told with 0.99999. Losses that follow the lengths of codes vary as much as those that follow
    one number; less than a fiftieth of it has a chance of 1e-9, and codes scaled to one length are
    always told, as are those that are standardised over the batch or drawn in opposite pairs. Of
    262,144 numbers none lies beyond 4 once in 8 million, and as many as should lie beyond 1, within
    6 standard errors.
    """
    place = rng.integer(0, CODE - 1)

    def way(own_loss: bool) -> None:
        plans = [partial(_expect_normal, hw5_gan, place, own_loss, p) for p in (PLAN, USUAL_PLAN)]
        first_possible(*plans)
        by_number = _by_number(place, PLAN[2], 0.1, START)
        one = _noisy(hw5_gan, own_loss, by_number, BATCH, 160)
        _expect_apart(*one)
        again = _noisy(hw5_gan, own_loss, by_number, BATCH, 2)[1]
        seeded = "The codes of fit are the same in each training."
        expect(not torch.equal(one[1][:2], again), seeded, "Do not set a seed inside it.")
        for lengths, usual, whose in zip(
            _noisy(hw5_gan, own_loss, _by_length(), BATCH, 16), one, WHOSE, strict=True
        ):
            even = float(lengths.var()) < float(usual.var()) / 50
            expect(not even, f"The codes of the {whose}'s step are evened out in length.", AS_DRAWN)
        _expect_as_drawn(hw5_gan, own_loss)
        with suppress(StudentError):  # loops that know the size of a batch by heart
            _expect_far(hw5_gan, own_loss)
            _expect_narrow(hw5_gan, own_loss)

    _by_a_loss(hw5_gan, ref, "_classification_loss", _labelled(rng, 8), way)


def _expect_apart(of_d: torch.Tensor, of_g: torch.Tensor) -> None:
    """Fail where these losses, step by step, tell of codes that meet again: in the same batch, or
    in the next step of the other network or of the same.
    """
    for one, other, says in (
        (of_d, of_g, SEEN),
        (of_g[:-1], of_d[1:], "The discriminator is trained on the generator's codes before."),
        (of_d[:-1], of_d[1:], "The discriminator's codes of one step return in the next."),
        (of_g[:-1], of_g[1:], "The generator's codes of one step return in the next."),
    ):
        together = float(torch.corrcoef(torch.stack((one, other)))[0, 1])
        expect(not abs(together) > 0.45, says, ANEW)


def _expect_normal(
    module: Remote, place: int, own_loss: bool, plan: tuple[int, int, tuple[int, ...]]
) -> None:
    count, steps, shape = plan
    dis, gen = _noisy(module, own_loss, _by_number(place, shape, SCALE), count, steps)
    loss = _bce if own_loss else _square
    for found, name, label, other in ((gen, "gen_loss", 1.0, None), (dis, "dis_loss", 0.0, 1.0)):
        mean, std = _expected(loss, label, other)
        expect(
            bool((found.diff() != 0).any()),
            f"{name} is the same in every step: no fresh codes enter it.",
            "Draw codes inside the loop: torch.randn(batch size, code size).",
        )
        expect(
            len(set(found.tolist())) > steps // 2,  # rounded, a few may be alike
            f"{name} returns in later steps: the codes do.",
            "Draw codes inside the loop, in every step, and set no seed there.",
        )
        spread = float(found.var()) / (std**2 / count)
        expect(
            spread < 50,
            "The codes of a batch are not drawn one by one.",
            "torch.randn(batch size, code size)",
        )
        # Half the sum of both losses costs elsewhere.
        halves = (1, 2) if other is not None else (1,)
        off = min(abs(times * float(found.mean()) - mean) for times in halves)
        expect(
            off < 6 * std / math.sqrt(count * steps),
            f"{name} is not what codes from N(0, I) give.",
            "torch.randn draws from N(0, 1), torch.rand from U(0, 1).",
        )


def _expect_far(module: Remote, own_loss: bool) -> None:
    """Fail where no number of the codes of a step lies beyond 4: then each loss is that of logits
    that are all 0.
    """
    pair = [
        _noisy(module, own_loss, _by_far_numbers(4.01, scale), PLAN[0], 1) for scale in (10.0, 0.0)
    ]
    for found, without, whose in zip(*pair, WHOSE, strict=True):
        says = f"No number of the codes of the {whose}'s step ever lies beyond 4."
        expect(not matches(found, without, 1e-6), says, AS_DRAWN)


def _expect_narrow(module: Remote, own_loss: bool) -> None:
    """Fail unless the codes of a step have as many numbers beyond 1 as N(0, 1): each step's loss is
    then that of one logit, but for 0.001 times what the count strays.
    """
    count, share, scale = PLAN[0] * CODE, math.erfc(math.sqrt(0.5)), 1e-3
    slack = 6 * math.sqrt(share * (1 - share) / count) * CODE * scale
    probe = _by_far_numbers(1.0, scale, START - share * CODE * scale)
    logits, real = START + torch.tensor([-slack, slack]), probe.disc[1]
    loss = _bce if own_loss else _square
    for found, whose, label in zip(
        _noisy(module, own_loss, probe, PLAN[0], 1), WHOSE, (0.0, 1.0), strict=True
    ):
        ends = torch.stack([loss(one, torch.tensor(label)) for one in logits])
        ends += (1 - label) * loss(real[0], torch.tensor(1.0))
        says = f"The codes of the {whose}'s step are not N(0, I): too few or too many lie near 0."
        # Half the sum of both losses costs elsewhere.
        halves = (1, 2) if label == 0 else (1,)
        holds = any(bool(ends.min() < times * found < ends.max()) for times in halves)
        expect(holds, says, AS_DRAWN)


def _expect_as_drawn(module: Remote, own_loss: bool) -> None:
    """Fail where the codes of a batch add up to nothing, or those of both networks to the same
    numbers in another order, or with other signs.

    The mean of six codes is a fifth of what it should be less than once in 1e30. Two means whose
    64 numbers, sorted by size, are as close as a hundredth of the largest have a chance of 1e-12.
    """
    with suppress(StudentError):  # loops that know the size of a batch by heart
        usual, codes = math.sqrt(CODE / FEW_CODES), _mean_codes(_Gan(module), own_loss)
        for code, whose in zip(codes, WHOSE, strict=True):
            # Where a network does not step, that has cost its marks.
            apart = code is None or float(code.norm()) > usual / 5
            expect(apart, f"The codes of the {whose}'s step even out over the batch.", AS_DRAWN)
        of_d, of_g = (None if code is None else code.abs().sort().values for code in codes)
        same = of_d is not None and of_g is not None and matches(of_d, of_g, 0.01)
        expect(not same, SEEN, ANEW)


START = 4.0
"""A logit near which each loss is nearly linear."""
SEEN = "The generator is trained on the codes that the discriminator has just seen."
ANEW = "Draw codes anew for the generator's step."
AS_DRAWN = "torch.randn draws them; leave them as they are."
WHOSE = ("discriminator", "generator")
FEW_CODES = 6
FAINT = 2e-3
"""Weights so small that every logit is nearly 0, and gradients show the codes."""


def _mean_codes(gan: _Gan, own_loss: bool) -> list[torch.Tensor | None]:
    """The mean code of a batch of a few in D's step and in G's; None where a network stays, or D
    learns of real images or of fakes alone, so that its bias does not stay.

    A fake is its faint code and a black pixel, which is white in real images. D's weights move by
    both means; G's weights move by the mean code times what its biases move by. The loss draws all
    logits of fakes one way, and those of real images as far the other way.
    """
    up, images = FAINT * torch.eye(CODE, CODE + 1), torch.zeros(FEW_CODES, CODE + 1, 1, 1)
    images[:, -1] = 1
    start = torch.full((CODE + 1, 1), FAINT), torch.full((1,), 0.0 if own_loss else 1.0)
    disc = stub(gan.it, *start, modal=True)
    gen = stub(gan.it, up, torch.zeros(CODE + 1), (CODE + 1, 1, 1), modal=True)
    gan.set(_generator=gen, _discriminator=disc)
    gan.set(optimizerD=descent(FAINT, disc), optimizerG=descent(FAINT, gen))
    gan.set(batch_size=FEW_CODES, num_epoch=1, log_step=1000, visualize_step=1000)
    gan.set(tracked_noise=torch.zeros(1, CODE))
    if not own_loss:
        gan.set(_classification_loss=bowl(gan.it, logits=1.0, labels=-2.0))
    gan.call("fit", images)
    (of_d, bias), (of_g, shift) = weights(disc), weights(gen)
    *fakes, white = of_d[:, 0] - FAINT
    both = abs(float(bias - start[1])) < abs(float(white)) / 2
    pairs = (-torch.stack(fakes) / FAINT, white * both), ((of_g - up).mean(1), shift.mean())
    return [code / unit if bool(unit != 0) else None for code, unit in pairs]


@dataclass(frozen=True)
class _Probe:
    """Given networks whose logits follow the codes, and a real image, whose logit is 0."""

    gen: Pair
    disc: Pair
    image: torch.Tensor
    squash: bool = False


def _by_number(place: int, shape: tuple[int, ...], scale: float, start: float = 0.0) -> _Probe:
    """Logits are `start` plus `scale` times one number of each code."""
    pixels = math.prod(shape)
    up, down, bias = torch.zeros(CODE, pixels), torch.zeros(pixels, 1), torch.zeros(pixels)
    up[place, 0], down[0, 0], bias[0] = scale, 1.0, start
    return _Probe((up, bias), (down, torch.zeros(1)), torch.zeros(shape))


def _by_far_numbers(edge: float, scale: float, start: float = 0.0) -> _Probe:
    """Logits are `start` plus `scale` times the count of a code's numbers beyond `edge`. Two pixels
    for each number, steep sigmoids of it and of its opposite.
    """
    steep = 2000.0
    up = steep * torch.cat((torch.eye(CODE), -torch.eye(CODE)), 1)
    gen = up, torch.full((2 * CODE,), -edge * steep)
    disc = torch.full((2 * CODE, 1), scale), torch.full((1,), start)
    return _Probe(gen, disc, torch.zeros(2 * CODE, 1, 1), squash=True)


def _by_length() -> _Probe:
    """Logits follow the squared length of each code: mean START, standard deviation 0.1.

    Two pixels for each number, sigmoids of it and of its opposite: together nearly a parabola.
    """
    bend, place = 0.2, -1.317  # where a sigmoid is most curved
    up = bend * torch.cat((torch.eye(CODE), -torch.eye(CODE)), 1)
    level = torch.sigmoid(torch.tensor(place))
    curve = float(level * (1 - level) * (1 - 2 * level)) * bend**2
    weight = 0.1 / (curve * math.sqrt(2 * CODE))
    mean = weight * CODE * (2 * float(level) + curve)
    down, shift = torch.full((2 * CODE, 1), weight), torch.tensor([START - mean])
    image = torch.full((2 * CODE, 1, 1), (mean - START) / weight / (2 * CODE))
    return _Probe((up, torch.full((2 * CODE,), place)), (down, shift), image, squash=True)


def _noisy(
    module: Remote, own_loss: bool, probe: _Probe, count: int, steps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The losses of a fit with batches of `count`, in which nothing moves."""
    gan, shape = _Gan(module), tuple(probe.image.shape)
    gen = stub(module, *probe.gen, shape=shape, squash=probe.squash)
    disc = stub(module, *probe.disc)
    gan.set(_generator=gen, _discriminator=disc)
    gan.set(optimizerD=descent(0.0, disc), optimizerG=descent(0.0, gen))
    batches = 2 - steps % 2  # of an epoch
    gan.set(batch_size=count, num_epoch=steps // batches, log_step=1000)
    gan.set(visualize_step=1000, tracked_noise=TRACKED.expand(2, CODE))
    if not own_loss:
        gan.set(_classification_loss=bowl(module, logits=1.0, labels=-1.5))
    return _losses(gan.call("fit", probe.image.expand(batches * count, *shape)), steps)


def _square(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The given loss that stands in for the student's own."""
    return ((logits - 1.5 * labels) ** 2).mean()


@cache
def _expected(loss: Loss, label: float, other: float | None) -> tuple[float, float]:
    """Mean and standard deviation of the loss of one logit SCALE u, u from N(0, 1); a logit of 0
    with the label `other` is added.
    """
    u = torch.linspace(-8, 8, 1001, dtype=torch.float64)
    density = torch.exp(-(u**2) / 2)
    density /= density.sum()
    y = torch.tensor(label, dtype=torch.float64)
    values = torch.stack([loss(SCALE * one, y) for one in u])
    mean = float((density * values).sum())
    std = math.sqrt(float((density * (values - mean) ** 2).sum()))
    if other is not None:
        zero_logit = torch.tensor(0.0, dtype=torch.float64)
        mean += float(loss(zero_logit, torch.tensor(other, dtype=torch.float64)))
    return mean, std


@check("cifar-dcgan.spectral_norm", share=3.2)
def divides_by_the_spectral_norm(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """With spectral=True the three convolutions have spectral norm 1, whatever their parameters.

    Large weights are put into one of them and small ones into the others, a few forward passes let
    torch's power iteration settle, and the weights in use are read; the output must be that of the
    given layers under them.
    """
    model = built(hw5_gan.CIFARDiscriminator(spectral=True), "CIFARDiscriminator(spectral=True)")
    load_weights(model, [_steep(rng, shape) for shape in shapes(model)])
    for norm in (3, 6):
        assign(model.downsample[norm].momentum, 0.0)
    x = _images(rng, 2)
    for _ in range(6):
        model(x)
    found = _proven(model, ref.CIFARDiscriminator(), DISCRIMINATOR, _images(rng, 8))
    norms = [float(torch.linalg.matrix_norm(found[n][0].flatten(1), 2)) for n in (0, 1, 3)]
    wrong = [n for n, norm in enumerate(norms, 1) if not abs(norm - 1) < 0.05]
    if wrong:
        which = " and ".join(f"number {n}" for n in wrong)
        raise Partial(
            1 - len(wrong) / 3,
            f"With spectral=True the spectral norm of convolution {which} is not 1.",
            "Wrap each of the three Conv2d layers in `downsample`.",
        )


def _steep(rng: Rng, shape: tuple[int, ...]) -> torch.Tensor:
    """Kernels with one singular value far above the others: power iteration finds it soon. It is 8
    where 32 channels come in, and 0.1 elsewhere.
    """
    if len(shape) < 4:
        return rng.normal(*shape, std=0.3) + float(len(shape) == 1)
    inputs, norm = math.prod(shape[1:]), 8.0 if shape[1] == 32 else 0.1
    left, right = rng.normal(shape[0], 1), rng.normal(1, inputs)
    steep: torch.Tensor = (left / left.norm()) @ (right / right.norm())
    noise = rng.normal(shape[0], inputs, std=0.025 / math.sqrt(inputs))
    return norm * (steep + noise).reshape(shape)


@check("cifar-dcgan.spectral_norm", share=0.8, after="divides_by_the_spectral_norm")
def leaves_the_plain_discriminator(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """Without spectral=True the discriminator stays as it was."""
    expect(
        _is_given(hw5_gan, ref, rng),
        "CIFARDiscriminator() does not compute what it computed before.",
        "Wrap the layers under `if spectral` alone.",
    )


@dataclass(frozen=True)
class _Search:
    """One reconstruction: a generator, the images to find, how many steps it may take at what rate.

    `affine`: a given generator, which costs little, or None for one of the assignment's class.
    """

    seed: int
    images: torch.Tensor
    steps: int
    rate: float
    affine: Pair | None = None

    def run(self, module: Remote, own_loss: bool) -> _Found:
        gen, gan = self.generator(module), _Gan(module)
        gan.set(_generator=gen, vis_steps=self.steps, vis_learning_rate=self.rate)
        if not own_loss:
            gan.set(_reconstruction_loss=bowl(module, reconstruction=1.0, x=-0.7))
        gen.eval()
        before = gen(torch.ones(2, CODE))
        result = gan.call("reconstruct", self.images)
        if not (isinstance(result, (tuple, list)) and len(result) == 2):
            raise Fail("reconstruct should return two things, the loss and the images.")
        gen.eval()
        learns = gradients(gen, torch.ones(2, CODE), of=[gen]).objects[0]
        frozen = not all(isinstance(one, torch.Tensor) for one in learns)
        return _Found(result[0], result[1], gen(torch.ones(2, CODE)) - before, frozen)

    def generator(self, module: Remote) -> Remote:
        """One whose images change visibly within a few steps of its codes."""
        if self.affine is not None:
            return stub(module, *self.affine, shape=IMAGE)
        gen: Remote = module.CIFARGenerator(CODE)
        fill(gen, self.seed)
        gen.fc.weight.data.mul_(0.3 / self.rate)
        return gen

    def decoded(self, ref: Remote, codes: torch.Tensor) -> torch.Tensor:
        """Images of codes."""
        gen = self.generator(ref)
        gen.eval()
        images: torch.Tensor = gen(codes)
        return images

    def with_other_betas(self, ref: Remote) -> torch.Tensor:
        """The images when Adam has beta1 = 0.5, as in training: the text leaves it free."""
        gen, images = self.generator(ref), torch.empty(0)
        gen.eval()
        codes = torch.zeros(len(self.images), CODE, requires_grad=True)
        adam = torch.optim.Adam([codes], lr=self.rate, betas=(0.5, 0.999))
        for _ in range(self.steps):
            if self.affine is not None:
                images = (codes.detach() @ self.affine[0] + self.affine[1]).view(-1, *IMAGE)
            else:
                images = torch.as_tensor(gen(codes.detach()))
            error = 2 * (images - self.images) / images.numel()
            if self.affine is not None:
                codes.grad = error.flatten(1) @ self.affine[0].T
            else:
                (codes.grad,) = gradients(gen, codes.detach(), wrt=(0,), cotangent=error).inputs
            adam.step()
        return images


@dataclass(frozen=True)
class _Found:
    """What a search returned, how far the generator's own output has moved meanwhile, and whether
    it cannot learn any more.
    """

    loss: Any
    images: Any
    moved: torch.Tensor
    frozen: bool


RATE, STEPS = 1e-2, 500
"""What vis_learning_rate and vis_steps say before a check sets them."""
LONG = 20
"""Steps after which a rate that changes from step to step shows."""
FAST = 2.0
"""A rate at which codes go far within a few steps: where they are kept near 0, it shows."""


def _search(
    hw5_gan: Remote,
    ref: Remote,
    rng: Rng,
    compare: Callable[[_Search, _Found, bool], None],
    rises: bool = False,
) -> None:
    """Pass when `compare` does: with the student's own loss, or with a given one in its place. A
    search that takes STEPS steps, or that has the rate RATE, whatever it is told, keeps most.
    One more search is LONG, or, if it `rises`, goes so far that the loss does.
    """
    affine = rng.normal(CODE, PIXELS), rng.uniform(0, 1, PIXELS)
    found = {one: _searched(hw5_gan, affine, rng, *one) for one in ((1, FAST), (2, FAST), (2, 1.0))}
    steps_by_heart = _are_alike(found[1, FAST], found[2, FAST], affine)
    rate_by_heart = _are_alike(found[2, FAST], found[2, 1.0], affine)
    rate = RATE if rate_by_heart or steps_by_heart else FAST
    plans: list[tuple[int, int, Pair | None]]
    # Batches of equal shape and different values, searched for different times.
    plans = [(1, STEPS, affine)] if steps_by_heart else [(3, 3, None), (3, 2, None)]
    plans += [] if steps_by_heart else [(2, 2 if rises else LONG, affine)]
    searches = [_Search(rng.seed, _images(rng, n), steps, rate, a) for n, steps, a in plans]

    def way(own_loss: bool) -> None:
        for one in searches:
            compare(one, one.run(hw5_gan, own_loss), own_loss)

    _by_a_loss(hw5_gan, ref, "_reconstruction_loss", _pictures(rng, 3), way)
    if steps_by_heart:
        raise Partial(
            0.75,
            f"reconstruct takes {STEPS} steps, whatever vis_steps is.",
            "self.vis_steps says how many steps to take.",
        )
    if rate_by_heart:
        raise Partial(
            0.75,
            f"The rate of reconstruct is {RATE:g}, whatever vis_learning_rate is.",
            "lr=self.vis_learning_rate",
        )


def _searched(
    hw5_gan: Remote, affine: Pair, rng: Rng, steps: int, rate: float
) -> torch.Tensor | None:
    """The images that reconstruct finds with a given generator; None when it brings none."""
    gan, x = _Gan(hw5_gan), torch.zeros(2, *IMAGE)
    gan.set(_generator=stub(hw5_gan, *affine, shape=IMAGE))
    gan.set(vis_steps=steps, vis_learning_rate=rate)
    try:
        images = gan.call("reconstruct", x)[1]
    except (StudentError, TypeError, LookupError):
        return None
    right = isinstance(images, torch.Tensor) and images.numel() == x.numel()
    return images.reshape(x.shape) if right else None


def _are_alike(a: torch.Tensor | None, b: torch.Tensor | None, affine: Pair) -> bool:
    """Are both searches there, have they got as far, and have they moved at all?"""
    if a is None or b is None:
        return False
    return matches(a, b) and not matches(a, affine[1].expand(2, -1).reshape(a.shape))


@check("cifar-dcgan.reconstruct", share=7, seconds=10.0)
def searches_by_moving_codes(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """reconstruct moves codes that start at 0 by vis_steps steps of Adam, and no weights.

    The images that it returns are compared with those of the live reference after as many steps,
    on a small number of steps, at a rate that takes codes far.
    """

    def compare(search: _Search, found: _Found, own_loss: bool) -> None:
        start = search.decoded(ref, torch.zeros(len(search.images), CODE))
        right = search.run(ref, own_loss).images
        images = tensor(found.images, [tuple(right.shape)], "The reconstruction")
        expect(
            not matches(images, start, 1e-3),
            "reconstruct returns the images of the codes it starts from.",
            "Do the codes require gradients, and does the optimizer hold them?",
        )
        if not matches(images - start, right - start, MOVED):
            other = search.with_other_betas(ref) if own_loss else right
            expect(
                matches(images - start, other - start, MOVED),
                "The steps of reconstruct do not lead the codes where they should.",
                "Clear the gradient, decode, take the loss, backward, step; with "
                "self.vis_learning_rate, self.vis_steps times.",
            )
        expect(
            bool((found.moved.abs() < 1e-6).all()),
            "reconstruct changes the weights of the generator.",
            "The optimizer holds the codes alone.",
        )
        if found.frozen:
            raise Partial(
                0.75,
                "After reconstruct no gradient reaches the weights of the generator any more.",
                "Who sets requires_grad to False sets it to True again; here nobody needs to.",
            )

    _search(hw5_gan, ref, rng, compare)


@check("cifar-dcgan.reconstruct", share=2, seconds=10.0)
def returns_the_loss_of_the_last_step(hw5_gan: Remote, ref: Remote, rng: Rng) -> None:
    """reconstruct returns the loss of its last step."""

    def compare(search: _Search, found: _Found, own_loss: bool) -> None:
        loss = _scalars([found.loss], "The loss")
        right = _scalars([search.run(ref, own_loss).loss], "The loss")
        if own_loss and not matches(loss, right):
            right = ((search.with_other_betas(ref) - search.images) ** 2).mean()[None]
        last = "the reconstruction loss of the last step"
        close(loss, right, "What reconstruct returns as its loss", right=last)

    _search(hw5_gan, ref, rng, compare, rises=True)
