"""Hidden checks of the part autoencoder, second half: the beta-VAEs.

Beta-VAE, conditional beta-VAE, their loop, the tuned beta and digits as asked.

Models are given affine networks, so that the code is read off the images and every formula is
compared in closed form; training loops get a given model with a loss of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from ...checking.expect import (
    GRADIENT,
    Fail,
    Partial,
    Untried,
    close,
    either,
    expect,
    first_possible,
    matches,
    number,
    tensor,
)
from ...checking.networks import stands_alone
from ...checking.proxy import (
    Remote,
    StudentError,
    assign,
    fill,
    gradients,
    leaves_alone,
    patient,
    reseeded,
    shapes,
    stub,
    trainee,
    value,
    weights,
)
from ...checking.registry import Rng, check
from ...checking.routes import CUT
from ...inside.session import recipe
from ..fc_vae.models import IMAGE, LATENT, PIXELS, evaluating, expect_unlikely_pixels
from .models import (
    CLASSES,
    CODES,
    DECODER,
    DRAWS,
    ENCODER,
    HIDDEN,
    ROWS,
    SAMPLING,
    WIDE,
    Networks,
    any_shape,
    batches_of,
    expect_anew,
    expect_far,
    expect_float32,
    expect_moved,
    expect_no_ends,
    expect_owned,
    expect_resumes,
    expect_shape,
    expect_size,
    expect_standard,
    expect_trains_again,
    expect_unclipped,
    expect_usual_adam,
    far_apart,
    flat_images,
    for_other_sizes,
    give_classes,
    layered,
    learns,
    model_of,
    movement,
    new_model,
    own_code,
    q_and_rec,
    series,
    telling,
    toy,
)

Batch = tuple[torch.Tensor, torch.Tensor]
Make = Callable[..., Remote]

CONDITIONAL = ("ConditionalAEEncoder", "ConditionalAEDecoder")
MEANS = "Both terms are means over all their entries; the total is rec_loss + beta * kl_loss."
MEAN_FIRST = "mu, log_sigma = q.chunk(2, dim=-1): mu comes first. Its decoding has no noise in it."
LABELS = "One-hot labels stand behind the image, [x, c], and behind the code, [z, c]."


def _beta_vae(hw5_vae: Remote) -> Make:
    def make(beta: float, nz: int = LATENT) -> Remote:
        built = partial(new_model, hw5_vae, partial(hw5_vae.BetaVAE, nz, beta))
        return model_of(hw5_vae.BetaVAE, built, nz=nz, beta=beta)

    return make


def _conditional(hw5_vae: Remote) -> Make:
    def make(beta: float, nz: int = LATENT) -> Remote:
        options = {"nz": nz, "beta": beta, "conditional": True, "num_labels": CLASSES}
        new = partial(hw5_vae.ConditionalBetaVAE, **options)
        built = partial(new_model, hw5_vae, new, CONDITIONAL)
        return model_of(hw5_vae.ConditionalBetaVAE, built, **options)

    return make


@check("autoencoder.beta_vae", share=1)
def builds_both_networks(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The encoder of BetaVAE gives 2 * nz numbers, and its decoder takes nz."""
    x, z = rng.uniform(0, 1, 4, PIXELS), rng.normal(4, LATENT)
    own = partial(hw5_vae.BetaVAE, LATENT, 0.5)
    _runs(own, (x,))
    parts: list[tuple[str, torch.Tensor, int, Any, Any]] = [
        ("encoder", x, 2 * LATENT, ENCODER, HIDDEN),
        ("decoder", z, PIXELS, DECODER, HIDDEN[::-1]),
    ]
    give_classes(hw5_vae, rng.seed)
    for name, inputs, outputs, acts, hidden in parts:
        part = getattr(hw5_vae.BetaVAE(LATENT, 0.5), name)
        what = f"With nz={LATENT}, what the {name} gives"
        if len(shapes(part)) == 2:  # a given one
            weight = recipe(rng.seed, 0, (inputs.shape[1], outputs))
            made = inputs @ weight + recipe(rng.seed, 1, (outputs,))
            close(part(inputs), made, what, right=f"what the given {name} makes of its input")
            expect(learns(part, (inputs,), (part,)), f"The {name} does not learn.", CUT)
        else:
            expect_size(part(inputs), (4, outputs), what)
            layered(part, (inputs,), inputs, acts, hidden, rng.seed, what)
    _owns(own, (x,))
    stands_alone("BetaVAE", lambda: hw5_vae.BetaVAE(LATENT, 0.5).encoder, x)
    stands_alone("BetaVAE", lambda: hw5_vae.BetaVAE(LATENT, 0.5).decoder, z)


def _runs(make: Callable[[], Remote], inputs: Sequence[torch.Tensor]) -> None:
    """Of the student's own networks, forward gives what the encoder gives, and images. Networks
    that raise have cost their marks.
    """
    x, *c = inputs
    try:
        model = make().eval()
        q = own_code(model.encoder, *inputs, size=2 * LATENT)
        model.decoder(q[:, :LATENT], *c)
    except (StudentError, Fail):
        return
    found, rec = q_and_rec(model(*inputs))
    close(found, q, "q", right="what the encoder gives, both halves")
    flat_images(rec, len(x), "rec")


def _owns(make: Callable[[], Remote], inputs: Sequence[torch.Tensor]) -> None:
    """An optimizer gets hold of both networks; those that raise have cost their marks."""
    x, *c = inputs
    networks = ("encoder", inputs), ("decoder", (torch.ones(len(x), LATENT), *c))
    with suppress(StudentError):
        expect_owned(make(), networks, 0, "the model")


@check("autoencoder.beta_vae", share=2)
def encodes_samples_and_decodes(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """forward returns q, the encoder's mu and log_sigma side by side, and rec, decoded from a draw
    z = mu + exp(log_sigma) * eps that gradients pass.

    The noise is read off rec, 600 draws of 40 numbers (see `expect_standard`), and many more of
    which some lie beyond 4 (see `expect_no_ends`); a right answer fails with a probability below
    1e-6.
    """
    _samples(_beta_vae(hw5_vae), Networks.draw(rng, 2 * WIDE, latent=WIDE), rng)


def _samples(make: Make, given: Networks, rng: Rng, classes: int = 0) -> None:
    """forward of both models: q is what the encoder gives, rec is decoded from a draw of it, in
    evaluation as in training.
    """
    model = given.install(make(0.5, given.latent))
    x = rng.uniform(0, 1, DRAWS, *IMAGE)
    c = (rng.labels(DRAWS, classes),) if classes else ()
    few = (x[:5], *(one[:5] for one in c))
    with evaluating(model):
        result = model(x, *c)
    small = model(*few), model(*few)
    q, rec = q_and_rec(result)
    expected = given.q(x, *c)
    shape = (DRAWS, 1, 2 * given.latent)
    close(q, expected, "q", right="what the encoder gives, both halves", shapes=[shape])
    images, _ = flat_images(rec, DRAWS, "rec")
    z = given.codes(images, *c)
    if z is None:
        raise Fail("rec is not what the decoder makes of a code.", SAMPLING)
    mu, log_sigma = expected.chunk(2, dim=1)
    noise = (z - mu) / log_sigma.exp()
    expect_standard(noise, "rec is not decoded from a draw of N(mu, exp(log_sigma)^2).", SAMPLING)
    draws = [flat_images(q_and_rec(one)[1], 5, "rec")[0] for one in small]
    expect(not matches(draws[0], draws[1]), "Two calls draw the same noise.", SAMPLING)
    _passes_gradient(model, given, rng, classes)
    for name, of in (("q", [model.encoder]), ("rec", [model.encoder, model.decoder])):
        through = learns(model, few, of, name)
        expect(through, f"No gradient goes from {name} to the networks that made it.", CUT)
    expect_float32(q, "q")
    expect_float32(rec, "rec")
    expect_no_ends(make(0.5, PIXELS), classes)


def _passes_gradient(model: Remote, given: Networks, rng: Rng, classes: int) -> None:
    """The gradient of rec goes back through mu and through log_sigma to the images."""
    x, weight = rng.uniform(0, 1, 5, *IMAGE), rng.normal(5, PIXELS)
    c = (rng.labels(5, classes),) if classes else ()
    probe = q_and_rec(model(x, *c))[1]
    cotangent = weight.reshape(probe.shape)
    found = gradients(model, x, *c, wrt=(0,), pick="rec", cotangent=cotangent)
    images, _ = flat_images(found.value, 5, "rec")
    z = given.codes(images, *c)
    if z is None:
        raise Fail("rec is not what the decoder makes of a code.", SAMPLING)
    mu = given.q(x, *c)[:, : given.latent]
    by_code = weight @ given.decoder.weight.T
    by_q = torch.cat((by_code, by_code * (z - mu)), dim=1)
    expected = (by_q @ given.encoder.weight.T).reshape(x.shape)
    hint = "torch.normal, sample() and detach() let no gradient through."
    reached = found.inputs[0]
    expect(isinstance(reached, torch.Tensor), "No gradient passes from rec to the images.", hint)
    right = "that of z = mu + exp(log_sigma) * eps, decoded"
    name = "The gradient that passes from rec to the images"
    close(reached, expected, name, right=right, tolerance=GRADIENT, hint=hint)


@check("autoencoder.beta_vae", share=1)
def measures_reconstruction(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """rec_loss is the binary cross-entropy between x and rec, a mean over all pixels of all
    images.
    """
    for asked in [_Asked(_beta_vae(hw5_vae), 0.7, rng, n) for n in (3, 5)]:
        mean = "the binary cross-entropy between x and rec, a mean over all pixels of all images"
        close(asked.rec_loss, asked.right[0], "rec_loss", right=mean, shapes=[(1,)], hint=MEANS)
    _expect_unlimited(_beta_vae(hw5_vae))


def _expect_unlimited(make: Make) -> None:
    """Of a loss that wants more than q, rec and c nothing can be said."""
    with suppress(StudentError):
        expect_unlikely_pixels(partial(_nats, make(0.7)), 3, PIXELS)


def _nats(model: Remote, rec: torch.Tensor, x: torch.Tensor) -> float:
    """The reconstruction loss of all pixels together."""
    labels = torch.zeros(len(x), dtype=torch.long)
    outputs = {"q": torch.ones(len(x), 2 * LATENT), "rec": rec[:, None], "c": labels}
    rec_loss = _total_and_terms(model.loss(x.reshape(-1, *IMAGE), outputs))[1]
    return number(rec_loss, "rec_loss") * x.numel()


@check("autoencoder.beta_vae", share=1)
def measures_divergence(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """kl_loss is the divergence of N(mu, sigma^2) from N(0, I), a mean over all latent dimensions
    of all images, without beta.

    Of usual codes, of codes far out and of codes near the prior: a logarithm that is cut off shows,
    and a divergence that is raised to some number.
    """
    for n, size in ((3, 1.0), (5, 4.0), (5, 0.1), (5, -16.0)):
        asked = _Asked(_beta_vae(hw5_vae), 0.7, rng, n, size=size)
        mean = "KL( N(mu, sigma^2) || N(0, I) ), a mean over all latent dimensions of all images"
        close(asked.kl_loss, asked.right[1], "kl_loss", right=mean, shapes=[(1,)], hint=MEANS)


@check("autoencoder.beta_vae", share=1)
def adds_beta_times_divergence(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The total is rec_loss + beta * kl_loss, and its gradient reaches rec and q.

    Terms that are wrong themselves have cost their marks already: here they count as they are.
    """
    make = _beta_vae(hw5_vae)
    _adds_up(make, rng)
    _expect_left_alone(make, rng)


def _expect_left_alone(make: Make, rng: Rng, classes: int = 0) -> None:
    """A loss that spoils what others may need after it keeps half."""
    if not _Asked(make, 0.5, rng, 2, classes).is_left_alone():
        raise Partial(
            0.5,
            "loss changes what it is given: the images, or which entries the dict has.",
            'outputs["q"] reads an entry, outputs.pop("q") takes it away.',
        )


def _adds_up(make: Make, rng: Rng) -> None:
    seen = []
    sizes = (3, 0.3), (5, 1.7), (5, 0.0)
    calls = [_Asked(make, beta, rng, n) for n, beta in sizes]
    for asked, (_, beta) in zip(calls, sizes, strict=True):
        total = tensor(asked.total, [(), (1,)], "The total")
        rec, kl = asked.right
        if not matches(total, rec + beta * kl):
            terms = asked.answers()[1:]
            sum_of_both = terms[0] + beta * terms[1]
            close(total, sum_of_both, "The total", right="rec_loss + beta * kl_loss", hint=MEANS)
            seen.append(terms)
        asked.expect_gradients(beta)
    for a, b in zip(*seen[:2], strict=True) if len(seen) > 1 else ():
        expect(bool(a != b) and bool(a != 0), "The terms do not depend on the images.")


EDGE = 0.005


class _Asked:
    """A call of model.loss: total, rec_loss and kl_loss as returned, and the right two terms."""

    NAMES = ("The total", "rec_loss", "kl_loss")

    def __init__(
        self, make: Make, beta: float, rng: Rng, n: int, classes: int = 0, size: float = 1.0
    ) -> None:
        """`size`: how far from 0 the numbers of q are. Some pixels of rec are near 0 and 1, so that
        a loss that keeps them off both shows.
        """
        self.model = make(beta)
        self.x = rng.uniform(0.05, 0.95, n, *IMAGE)
        self.q = torch.cat((rng.normal(n, LATENT, std=1.5), rng.uniform(-1, 0.7, n, LATENT)), 1)
        self.q *= size
        rec = rng.uniform(0.05, 0.95, n, 1, PIXELS)
        rec[..., ::64], rec[..., 32::64] = EDGE, 1 - EDGE
        labels: tuple[torch.Tensor, ...] = (rng.labels(n, classes),) if classes else ()
        self.outputs: Any = {"q": self.q, "rec": rec, **({"c": labels[0]} if classes else {})}
        try:
            result = self.model.loss(self.x, self.outputs)
        except StudentError:
            result = self._of_forward(Networks.draw(rng, classes=classes, squash=True), labels)
        self.total, self.rec_loss, self.kl_loss = _total_and_terms(result)
        self.right = _terms(self.outputs["rec"], self.x, self.outputs["q"])

    def _of_forward(self, given: Networks, labels: Sequence[torch.Tensor]) -> Any:
        """A loss that wants more than q and rec gets what its own forward gives."""
        outputs = given.install(self.model)(self.x, *labels)
        if not isinstance(outputs, dict) or set(outputs) <= {"q", "rec", "c"}:
            return self.model.loss(self.x, self.outputs)
        q, rec = q_and_rec(outputs)
        n = len(self.x)
        q = tensor(q, [(n, 2 * LATENT), (n, 1, 2 * LATENT)], "q")
        rec, _ = flat_images(rec, n, "rec")
        varied = float(q.std(0).mean()) > 0.01 and float(rec.std(0).mean()) > 0.01
        expect(varied, "forward gives the same for all images.")
        self.outputs = {**outputs, "rec": rec.clamp(1e-6, 1 - 1e-6).reshape(n, 1, PIXELS), "q": q}
        return self.model.loss(self.x, self.outputs)

    def answers(self) -> list[torch.Tensor]:
        """The total, rec_loss and kl_loss as scalars. Fails when they are something else."""
        found = (self.total, self.rec_loss, self.kl_loss)
        return [tensor(one, [(), (1,)], what) for one, what in zip(found, self.NAMES, strict=True)]

    def is_left_alone(self) -> bool:
        """Are the images and the dict's keys there when the loss is taken?"""
        return leaves_alone(self.model.loss, self.x.round(), self.outputs)

    def expect_gradients(self, beta: float) -> None:
        """The gradients of the total with respect to rec and q are those of the definition, or,
        where the value of a term is wrong, exist.
        """
        if set(self.outputs) - {"q", "rec", "c"}:
            return
        places: list[int | list[int | str]] = [[1, "rec"], [1, "q"]]
        found = gradients(self.model.loss, self.x, self.outputs, wrt=places, pick=0)
        rec, q = (self.outputs[name].clone().requires_grad_(True) for name in ("rec", "q"))
        terms = _terms(rec, self.x, q)
        total = terms[0] + beta * terms[1]
        right = matches(tensor(found.value, [(), (1,)], "The total"), total.detach())
        for name, grad, one in zip(
            ("rec", "q"), found.inputs, torch.autograd.grad(total, (rec, q)), strict=True
        ):
            reached = isinstance(grad, torch.Tensor) and bool(grad.count_nonzero() > 0)
            expect(
                reached or (name == "q" and beta == 0),
                f"No gradient of the total reaches {name}.",
                "A loss stays a tensor: .item() and detach() cut it off.",
            )
            if right and beta:
                what = f"The gradient of the total to {name}"
                right_one = "that of rec_loss + beta * kl_loss"
                close(grad, one, what, right=right_one, tolerance=GRADIENT)


def _total_and_terms(result: Any) -> tuple[Any, Any, Any]:
    hint = 'loss returns total, {"rec_loss": ..., "kl_loss": ...}.'
    right = isinstance(result, (tuple, list)) and len(result) == 2
    expect(right, "loss should return the total and a dict.", hint)
    total, terms = result
    named = isinstance(terms, dict) and {"rec_loss", "kl_loss"} <= terms.keys()
    expect(named, "loss should return a dict with rec_loss and kl_loss.", hint)
    return total, terms["rec_loss"], terms["kl_loss"]


def _terms(
    rec: torch.Tensor, x: torch.Tensor, q: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    mu, log_sigma = q.chunk(2, dim=-1)
    kl = (mu**2 + torch.exp(2 * log_sigma) - 1) / 2 - log_sigma
    return F.binary_cross_entropy(rec, x.reshape(rec.shape)), kl.mean()


@check("autoencoder.beta_vae", share=1)
def reconstructs_from_the_mean(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """reconstruct decodes the mean of q(z|x), without noise: images (N, 28, 28)."""
    _reconstructs(_beta_vae(hw5_vae), Networks.draw(rng, squash=True), rng)


def _reconstructs(make: Make, given: Networks, rng: Rng, classes: int = 0) -> None:
    model = given.install(make(0.5))
    what = "What reconstruct gives"
    asked = [
        (rng.uniform(0, 1, 4, *IMAGE), *((rng.labels(4, classes),) if classes else ()))
        for _ in range(2)
    ]
    for result, (x, *c) in [(model.reconstruct(*one), one) for one in asked]:
        images, right = flat_images(result, 4, what, IMAGE[1:])
        decoded = given.decode(given.q(x, *c)[:, :LATENT], *c)
        close(images, decoded, what, right="what the decoder makes of mu", hint=MEAN_FIRST)
        expect_shape(right, what, "(N, 28, 28)")


@check("autoencoder.beta_vae_loop", share=2)
def takes_steps_on_the_total(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """For every batch, train_beta_vae takes one step of Adam with the learning rate lr, down the
    gradient of the total that model.loss returns.
    """
    _compare_training(hw5_vae, ref, _Trainee.draw(rng), batches_of(rng, 3), 1, 0.02)
    loader, start = telling(rng)
    usual = partial(expect_usual_adam, start=start)
    _compare_training(hw5_vae, ref, _Trainee(*start), loader, 1, 0.02, usual)
    model, loader = _Trainee.draw(rng), batches_of(rng, 4)
    model.parameters[0][:100] = 1e3  # whose gradients are large where images are not dark
    loader = [(x * (step % 2), labels) for step, (x, labels) in enumerate(loader)]
    _compare_training(hw5_vae, ref, model, loader, 1, 0.02, expect_unclipped)


@check("autoencoder.beta_vae_loop", share=1)
def trains_every_epoch(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Training goes through the loader as often as epochs says, and anew each time; over resumable,
    one that was stopped goes on where it was.
    """
    model, loader, other = _Trainee.draw(rng), batches_of(rng, 2), batches_of(rng, 2)
    _compare_training(hw5_vae, ref, model, loader, 3, 0.005)
    expect_anew(hw5_vae, ref, partial(model.train, epochs=2, lr=0.005), loader, other)
    expect_trains_again(partial(model.train, hw5_vae, loader, 1, 0.005))
    expect_resumes(hw5_vae, partial(model.train, hw5_vae, loader, 3, 0.005))


def _compare_training(
    hw5_vae: Remote,
    ref: Remote,
    model: _Trainee,
    loader: list[Batch],
    epochs: int,
    lr: float,
    goes_right: Callable[[torch.Tensor, torch.Tensor], None] = expect_moved,
) -> None:
    """`goes_right`: of where the parameters are and should be."""
    expected, _ = model.train(ref, loader, epochs, lr)
    moved, _ = model.train(hw5_vae, loader, epochs, lr)
    goes_right(moved, expected)


def _is_of_images(call: Any) -> bool:
    """Is it what a given model hears in a call with images?"""
    pair = isinstance(call, (list, tuple)) and len(call) == 2
    return pair and isinstance(call[0], torch.Tensor) and call[0].shape[1:] == (PIXELS,)


class _Trainee:
    """A given model for training loops; with a table, each class adds its own row."""

    def __init__(self, *parameters: torch.Tensor) -> None:
        self.parameters = parameters

    @classmethod
    def draw(cls, rng: Rng, classes: int = 0) -> _Trainee:
        pair = rng.normal(PIXELS, std=0.5), rng.normal(PIXELS, std=0.5)
        return cls(*pair, *([rng.normal(classes, PIXELS, std=0.5)] if classes else []))

    def train(
        self,
        near: Remote,
        loader: Any,
        epochs: int,
        lr: float,
        conditional: bool = False,
        times: int = 1,
    ) -> tuple[torch.Tensor, Any]:
        """Where so many trainings, one after another, take its parameters, and what the last one
        returns.
        """
        model = self._model(near, conditional)
        for _ in range(times):
            losses = near.train_beta_vae(model, loader, epochs, lr)
        return movement(self.parameters, weights(model)), losses

    def hears(
        self, near: Remote, loader: list[Batch], lr: float, conditional: bool
    ) -> list[tuple[torch.Tensor, Any]]:
        """Of each call that the loop makes, the images and what it gives beside them; what raises
        in the loop is passed over. The model says whether it is conditional.
        """
        for patiently in (False, True):
            model, loop = self._model(near, conditional), near.train_beta_vae
            assign(model.conditional, conditional)
            with suppress(StudentError):
                loop = patient(loop, loader, within=True) if patiently else loop
                loop(model, loader, 1, lr)
                break
        heard = value(model.heard)
        calls = heard if isinstance(heard, list) else []
        return [tuple(call) for call in calls if _is_of_images(call)]

    def _model(self, near: Remote, conditional: bool) -> Remote:
        w, b, *table = self.parameters
        return trainee(near, w, b, 0.4, table[0] if table else None, conditional)


@check("autoencoder.beta_vae_loop", share=1)
def returns_both_terms(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """train_beta_vae returns two lists, the reconstruction loss and the KL loss of every step."""
    loader, epochs, lr = batches_of(rng, 2), 2, 0.01
    model = _Trainee.draw(rng)
    goal, right = model.train(ref, loader, epochs, lr)
    moved, result = model.train(hw5_vae, loader, epochs, lr)
    hint = "return rec, kl: one number for each step in either list."
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    pair = pair or (isinstance(result, torch.Tensor) and result.dim() == 2 and len(result) == 2)
    expect(pair, "train_beta_vae should return two lists, (rec, kl).", hint)
    for losses, expected, name in zip(result, right, ("rec", "kl"), strict=True):
        found = series(losses, epochs * len(loader), name)
        if matches(moved, goal, 2e-3):
            each = f"the {name}_loss of each step, in order"
            close(found, torch.tensor(expected), name, right=each, hint=hint)
        else:
            # Steps that went elsewhere cost above; the first loss was before all steps.
            one, each = f"The first of {name}", f"the {name}_loss of the first step"
            close(found[:1], torch.tensor(expected[:1]), one, right=each, hint=hint)
            varied = bool(moved.any()) and len(set(found.tolist())) == len(found)
            expect(varied, f"The numbers of {name} are the same for all steps.")


@check("autoencoder.tuned_beta")
def neither_collapses_nor_copies(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """With TUNED_BETA, the code says what is in the image, and stays close enough to the prior for
    samples.

    A short training of our model on 1,500 digits decides: between 0.1 and 20 nats of divergence,
    which it reaches with a beta from about 0.004 to about 0.4.
    """
    beta = number(value(hw5_vae.TUNED_BETA), "TUNED_BETA")
    hint = "Search in steps of ten times: reconstructions that are clear, samples that are digits."
    # Beyond these, training tells nothing new.
    nats = _divergence(ref, min(beta, 1.0)) if beta > 0 else math.inf
    expect(
        math.isfinite(beta) and nats > COLLAPSED,
        f"TUNED_BETA = {beta:g} collapses: the code says nothing about the image.",
        hint,
    )
    expect(
        nats < COPYING,
        f"With TUNED_BETA = {beta:g} the model is an autoencoder: its codes lie "
        "far from the prior, and samples of the prior are no digits.",
        hint,
    )


COLLAPSED, COPYING = 0.1, 20.0
_divergences: dict[str, float] = {}


def _divergence(ref: Remote, beta: float) -> float:
    """Nats of divergence per image after 500 steps of the reference, with beta rounded to two
    digits. Remembered: a class has few different values, and a training takes a second.

    The code is shorter than the 32 numbers that beta is meant for, and learns faster; beta is
    scaled so that one nat costs the same.
    """
    key = f"{max(beta, 1e-6):.1e}"
    if key not in _divergences:
        ours, nz, epochs = reseeded(ref, 5), 8, 11
        images, labels = ours.load_mnist(data="digits")
        model = ours.BetaVAE(nz, float(key) * nz / 32)
        fill(model, 5)
        _, kl = ours.train_beta_vae(model, ours.make_loader(images, labels, 32), epochs, 5e-3)
        last = kl[-len(kl) // 5 :]
        _divergences[key] = nz * sum(last) / len(last)
    return _divergences[key]


@check("autoencoder.conditional", share=2)
def tells_the_encoder_the_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """ConditionalAEEncoder reads the flat image and the one-hot label side by side, [x, c], in the
    layers of AEEncoder.
    """
    what = "What ConditionalAEEncoder gives"
    x, c = far_apart(rng.uniform(0, 1, 4, PIXELS)), _labels(4)
    new = partial(hw5_vae.ConditionalAEEncoder, 2 * LATENT, PIXELS, True, CLASSES)
    _reads_the_class(new, x, c, ENCODER, HIDDEN, rng.seed, what)
    any_shape(new(), x, c, what=what)
    other = partial(hw5_vae.ConditionalAEEncoder, 3, 50, True, 6)
    for_other_sizes(other, (rng.uniform(0, 1, 3, 50), c[:3] % 6), (3, 3), "ConditionalAEEncoder")


@check("autoencoder.conditional", share=2)
def tells_the_decoder_the_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """ConditionalAEDecoder reads the code and the one-hot label side by side, [z, c], in the layers
    of AEDecoder.
    """
    z, c = far_apart(rng.normal(4, LATENT)), _labels(4)
    new = partial(hw5_vae.ConditionalAEDecoder, LATENT, PIXELS, True, CLASSES)
    what = "What ConditionalAEDecoder gives"
    _reads_the_class(new, z, c, DECODER, HIDDEN[::-1], rng.seed, what)
    other = partial(hw5_vae.ConditionalAEDecoder, 5, 50, True, 6)
    for_other_sizes(other, (rng.normal(3, 5), c[:3] % 6), (3, 50), "ConditionalAEDecoder")


def _labels(n: int) -> torch.Tensor:
    """Different classes, the last one among them, none of them its own place."""
    return (torch.arange(n) * 3 + 3) % CLASSES


def _reads_the_class(
    new: Callable[[], Remote],
    x: torch.Tensor,
    c: torch.Tensor,
    acts: list[Any],
    hidden: Sequence[int],
    seed: int,
    what: str,
) -> None:
    one_hot = F.one_hot(c, CLASSES).float()

    def compare(rows: torch.Tensor) -> None:
        layered(new(), (x, c), rows, acts, hidden, seed, what)

    def turned() -> None:
        compare(torch.cat((one_hot, x), dim=1))
        raise Partial(0.5, f"{what} is wrong: the label stands first.", LABELS)

    either(lambda: compare(torch.cat((x, one_hot), dim=1)), turned)


@check("autoencoder.conditional", share=3)
def samples_with_the_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """forward of ConditionalBetaVAE gives the labels to encoder and decoder, and returns q and rec
    as BetaVAE does.

    The noise is read off rec as for BetaVAE, with the same probability of a false alarm.
    """
    make, given = _conditional(hw5_vae), Networks.draw(rng, 2 * WIDE, CLASSES, latent=WIDE)
    x, c = rng.uniform(0, 1, 5, PIXELS), _labels(5)
    _samples(make, given, rng, CLASSES)
    _runs(lambda: hw5_vae.ConditionalBetaVAE(LATENT, 0.5, True, CLASSES), (x, c))
    _runs(lambda: hw5_vae.ConditionalBetaVAE(LATENT, 0.5, False, 0), (x,))
    result = given.install(make(0.5, WIDE))(x, c)
    kept = isinstance(result, dict) and result.get("c")
    if not isinstance(kept, torch.Tensor) or not torch.equal(kept, c):
        raise Partial(0.75, "The dict that forward returns has no `c`, the labels it was given.")


@check("autoencoder.conditional", share=1)
def measures_both_terms(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """The loss of ConditionalBetaVAE is that of BetaVAE.

    A mistake that the loss of BetaVAE has as well has cost its marks there.
    """
    sizes = (3, 0.3, 4.0), (5, 1.7, 1.0), (5, 1.0, 0.1)
    make = _conditional(hw5_vae)
    calls = [_Asked(make, beta, rng, n, CLASSES, size) for n, beta, size in sizes]
    answers = [asked.answers() for asked in calls]
    varied = bool(answers[0][0] != answers[1][0])
    for asked, found, (_, beta, _) in zip(calls, answers, sizes, strict=True):
        rec, kl = asked.right
        right = rec + beta * kl, rec, kl
        if all(map(matches, found, right)):
            asked.expect_gradients(beta)
        elif not varied or not _is_copied(hw5_vae, asked, found, beta):
            for one, expected, what in zip(found, right, _Asked.NAMES, strict=True):
                close(one, expected, what, right="as in BetaVAE", hint=MEANS)
    if _passes(lambda: _expect_unlimited(_beta_vae(hw5_vae))):
        _expect_unlimited(make)
    if _passes(lambda: _expect_left_alone(_beta_vae(hw5_vae), rng)):
        _expect_left_alone(make, rng, CLASSES)


def _passes(look: Callable[[], None]) -> bool:
    """Does the student's BetaVAE, from which ConditionalBetaVAE may be copied, pass this? Where it
    raises, nothing of it says so.
    """
    try:
        with suppress(StudentError):
            look()
    except (Fail, Partial):
        return False
    return True


def _is_copied(hw5_vae: Remote, asked: _Asked, found: Sequence[torch.Tensor], beta: float) -> bool:
    """Does the student's BetaVAE say the same, of numbers that mean something?"""
    try:
        result = _beta_vae(hw5_vae)(beta).loss(asked.x, asked.outputs)
        other = [tensor(one, [(), (1,)], "") for one in _total_and_terms(result)]
    except (Fail, StudentError):
        return False
    return all(map(matches, found, other)) and bool((torch.stack(other) != 0).any())


@check("autoencoder.conditional", share=1)
def reconstructs_with_the_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """reconstruct of ConditionalBetaVAE gives the labels to both networks, and decodes the mean."""
    given = Networks.draw(rng, classes=CLASSES, squash=True)
    _reconstructs(_conditional(hw5_vae), given, rng, CLASSES)


@check("autoencoder.conditional", share=1)
def does_without_a_class(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """With conditional=False, both networks have the sizes of AEEncoder and AEDecoder and ignore
    the class.
    """
    x, z = rng.uniform(0, 1, 4, PIXELS), rng.normal(4, LATENT)
    parts = (
        (hw5_vae.ConditionalAEEncoder, 2 * LATENT, x, ENCODER, HIDDEN),
        (hw5_vae.ConditionalAEDecoder, LATENT, z, DECODER, HIDDEN[::-1]),
    )
    what = "With conditional=False, what it gives"
    for kind, nz, inputs, acts, hidden in parts:
        new = partial(kind, nz, PIXELS, False, CLASSES)
        part = new()
        with suppress(Partial):  # a slip in the layers has cost its marks
            layered(part, (inputs,), inputs, acts, hidden, rng.seed, what)
        alone, told = part(inputs), part(inputs, _labels(4))
        alike = isinstance(told, torch.Tensor) and matches(told, alone)
        expect(alike, f"{what} depends on the class; ignore it.")
    for kind, nz, inputs, *_ in parts:
        stands_alone(kind._path, partial(kind, nz, PIXELS, False, CLASSES), inputs)


@check("autoencoder.conditional_loop")
def gives_each_image_its_label(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """train_beta_vae gives a conditional model the labels of its images, and another one nothing.

    Where training goes right without labels, it must with labels, and what a model hears is right.
    Elsewhere what goes wrong has cost its marks: the calls of the model alone are looked at.
    """
    loader, lr = batches_of(rng, 3), 0.02
    model = _Trainee.draw(rng, CLASSES)
    plain = _Trainee(*model.parameters[:2])

    def goes_right(given: _Trainee, conditional: bool) -> bool:
        moved, expected = (
            given.train(one, loader, 2, lr, conditional)[0] for one in (hw5_vae, ref)
        )
        return matches(moved, expected, 2e-3)

    def by_what_it_learns() -> None:
        says = "The model does not learn from the labels of its images."
        try:
            right = goes_right(model, conditional=True)
        except StudentError as error:
            says, right = (
                f"With labels alone, train_beta_vae raises {error} ({error.where}).",
                False,
            )
        if not right and not goes_right(plain, conditional=False):
            raise Untried("Without labels, training goes elsewhere.")
        expect(right, says[:300], GIVEN)
        says = "A model that is not conditional is given something beside its images."
        heard = plain.hears(hw5_vae, loader, lr, conditional=False)
        expect(all(labels is None for _, labels in heard), says, GIVEN)

    def by_what_it_is_told() -> None:
        heard = model.hears(hw5_vae, loader, lr, conditional=True)
        if not heard:
            raise Untried("The model is not called.", GIVEN)
        for x, labels in heard:
            says = "The model is not told the labels of its images."
            expect(isinstance(labels, torch.Tensor) and _are_of(labels, x, loader), says, GIVEN)

    first_possible(by_what_it_learns, by_what_it_is_told)


def _are_of(labels: torch.Tensor, x: torch.Tensor, loader: list[Batch]) -> bool:
    """Are these the labels of these images? Of images that are not the loader's, since the loop has
    changed them: are they the labels of a batch?
    """
    told = labels.argmax(1) if labels.dim() == 2 else labels
    images, own = (torch.cat(one) for one in zip(*loader, strict=True))
    known = (x[:, None] == images.flatten(1)).all(-1)  # (N, all)
    right = [own[known.float().argmax(1)]] if known.any(1).all() else [y for _, y in loader]
    return any(matches(told.float(), one.float()) for one in right)


GIVEN = "model(x, labels) where model.conditional is true, and else model(x)."


@check("autoencoder.sample_digits", share=2)
def draws_the_digits_asked_for(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """sample_digits gives one image for each label, of its class, in the order of the labels:
    images (N, 1, 28, 28).
    """
    given = Networks.draw(rng, classes=CLASSES)
    asked = [rng.labels(n) for n in (12, 7)]
    for labels, result in [(one, _digits(hw5_vae, given, one)) for one in asked]:
        images, right = flat_images(result, len(labels), "What sample_digits gives", IMAGE)
        expect(
            given.codes(images, labels) is not None,
            "The images are not of the classes that were asked for, one for each label.",
            "model.decoder takes the codes and the labels.",
        )
        expect_shape(right, "What sample_digits gives", "(N, 1, 28, 28)")


@check("autoencoder.sample_digits", share=2)
def draws_a_code_for_each_digit(hw5_vae: Remote, ref: Remote, rng: Rng) -> None:
    """Every digit gets a code of its own from N(0, I), and every call draws anew.

    The codes are read off the images of 600 labels as for sample_prior, with the same probability
    of a false alarm.
    """
    given = Networks.draw(rng, WIDE, CLASSES, latent=WIDE)
    labels = rng.labels(DRAWS)
    result, *small = (_digits(hw5_vae, given, one) for one in (labels, labels[:5], labels[:5]))
    images, _ = flat_images(result, DRAWS, "What sample_digits gives")
    z = given.codes(images, labels)
    if z is None:
        # Wrong classes have cost their marks: what is left once classes are fitted is the code.
        z = _codes_of_any_class(given, images)
    expect_standard(z, "The codes are not drawn from N(0, I), one for each digit.", CODES)
    few = [flat_images(one, 5, "What sample_digits gives")[0] for one in small]
    expect(not matches(few[0], few[1]), "Two calls draw the same codes.")
    expect_far(hw5_vae, lambda model: hw5_vae.sample_digits(model, rng.labels(ROWS)), table=True)


def _codes_of_any_class(given: Networks, images: torch.Tensor) -> torch.Tensor:
    """The codes of images of other classes than were asked for: each of the class that fits."""
    codes = torch.full((len(images), given.latent), math.nan)
    for k in range(CLASSES):
        labels = torch.full((len(images),), k)
        rest = images - given.decode(torch.zeros(len(images), given.latent), labels)
        z = rest @ torch.linalg.pinv(given.decoder.weight)
        fits = (z @ given.decoder.weight - rest).abs().amax(1) < 1e-3 * rest.abs().max()
        codes[fits] = z[fits]
    expect(not codes.isnan().any(), "The images are not what model.decoder makes of codes.", CODES)
    return codes


def _digits(hw5_vae: Remote, given: Networks, labels: torch.Tensor) -> Any:
    """What sample_digits gives for labels, with a model of given networks."""
    assert given.tables is not None
    d, table = given.decoder, given.tables[1]

    def of_a_toy() -> Any:
        decoder = stub(hw5_vae, d.weight, d.bias, (1, PIXELS), table=table)
        return toy(hw5_vae, decoder=decoder, nz=given.latent, conditional=True, num_labels=CLASSES)

    def of_its_own() -> Any:
        return given.install(_conditional(hw5_vae)(0.5, given.latent))

    try:
        return hw5_vae.sample_digits(of_a_toy(), labels)
    except StudentError as error:
        try:
            return hw5_vae.sample_digits(of_its_own(), labels)
        except StudentError:
            raise error from None
