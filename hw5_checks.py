"""The visible checks: they say at once what is wrong, where, and what to do about it.

Each function check_... takes what you wrote, and stops with a sentence when something is off.
check(part) reads your file afresh from disk, runs all checks of the part in a
process of their own and prints a table. Everything compared with here is public. Marks come from
other checks, which are not shown: the table says what they look at.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import math
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.optim.optimizer import register_optimizer_step_pre_hook

import hw5_process
from hw5_asked import PARTS
from hw5_basics import count_params, one_hot, rel_error, unwritten

MODULES = {id: part["module"] for id, part in PARTS.items() if part["module"]}
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)

LOGITS_REAL = torch.tensor(
    [
        [0.93487311, -1.01698916, -0.57304769, -0.88162704, -1.40129389],
        [-1.45395693, -1.54239755, -0.57273325, 0.98584429, 0.13312152],
    ]
).flatten()
LOGITS_FAKE = torch.tensor(
    [
        [-1.80865868, 0.09030055, -0.4428902, -0.07879368, -0.37655044],
        [0.32084742, -0.28590837, 1.01376281, 0.99241439, 0.39394346],
    ]
).flatten()


class NotYet(AssertionError):
    """A check is not satisfied; a notebook shows the sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet. {self}"]


@dataclass(frozen=True)
class Question:
    """A check, the names it takes from the student's file, and what is marked unseen."""

    id: str
    names: tuple[str, ...]
    run: Callable[..., None]
    unseen: str


QUESTIONS: dict[str, Question] = {}


def question(id: str, *names: str, unseen: str):
    """Register a check. It runs on a random stream of its own and speaks in sentences only."""

    def register(body: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(body)
        def run(*written) -> None:
            try:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    body(*written)
            except Exception as error:
                sentence = explain(error)
            else:
                print(f"{id}: passed")
                return
            raise NotYet(sentence)

        QUESTIONS[id] = Question(id, names, run, unseen)
        return run

    return register


def explain(error: BaseException) -> str:
    """One sentence for any error: a check's own words, or what stopped and in which line."""
    if isinstance(error, NotYet) or unwritten(error):
        return str(error)
    what = _what(error)
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or 'the file').name}, line {error.lineno}: {what}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).name in hw5_process.WRITTEN]
    if not own:
        return f"Your code was called as the docstring says and stopped with {what}"
    return f"{hw5_process.at_line(own[-1].filename, own[-1].lineno, own[-1].line)}: {what}"


def _what(error: BaseException) -> str:
    """The kind of an error and its words, if it has any and can say them."""
    kind = type(error).__name__
    try:
        what = textwrap.shorten(f"{kind}: {error}".removesuffix(": ")[:1000], 300)
    except Exception:
        return kind
    if isinstance(error, MemoryError) or "DefaultCPUAllocator" in what:
        most = f"{hw5_process.MEMORY / 2**30:g} GB"
        return f"there is not enough memory for this (a check may take {most}). {what}"
    return what


def need(condition: bool, sentence: str) -> None:
    """Stop with `sentence` unless the condition holds."""
    if not condition:
        raise NotYet(sentence)


def need_shape(got, shape: tuple[int, ...], what: str) -> None:
    """Stop unless `got` is a tensor of this shape."""
    need(isinstance(got, torch.Tensor), f"{what} must be a tensor, not {type(got).__name__}.")
    need(tuple(got.shape) == shape, f"{what} has shape {tuple(got.shape)} instead of {shape}.")


def need_float32(got: torch.Tensor, what: str) -> None:
    """Stop unless numbers have the type that the next layer takes."""
    hint = "numpy draws float64; torch.randn_like has the type of what it is given."
    need(got.dtype == torch.float32, f"{what} is {got.dtype}; layers take torch.float32. {hint}")


def need_value(
    got,
    right: float,
    what: str,
    wrong: dict[float, str],
    tolerance: float = 1e-5,
    otherwise: str = "Compare term by term with the docstring.",
):
    """Stop unless `got` is `right`; say which known mistake gives the value that came out."""
    need(isinstance(got, torch.Tensor), f"{what} must return a tensor, not {type(got).__name__}.")
    need(got.numel() == 1, f"{what} must return one number; its shape is {tuple(got.shape)}.")
    value = got.item()
    if abs(value - right) <= tolerance * max(1.0, abs(right)):
        return
    hints = [why for known, why in wrong.items() if abs(value - known) <= 2e-4 * max(1, abs(known))]
    hint = hints[0] if hints else otherwise
    digits = next((n for n in (4, 6) if f"{value:.{n}g}" != f"{right:.{n}g}"), 9)
    raise NotYet(f"{what} gives {value:.{digits}g} where {right:.{digits}g} is right. {hint}")


def need_count(model: nn.Module, right: int, what: str, hint: str = "") -> None:
    """Stop unless the model has exactly so many parameters, and all of them learn."""
    count = count_params(model)
    sizes = ", ".join("x".join(map(str, p.shape)) for p in model.parameters() if p.dim() > 1)
    need(
        count == right,
        f"{what} has {count:,} parameters instead of {right:,}. Yours has weights of sizes "
        f"{sizes or 'none'}. {hint or 'Compare layer by layer with the docstring; keep biases.'}",
    )
    frozen = [name for name, one in model.named_parameters() if not one.requires_grad]
    need(not frozen, f"{what}: {', '.join(frozen)} cannot learn; requires_grad is False there.")


def _need_number(got, what: str, low: float = -math.inf) -> float:
    """Stop unless `got` is a real number of at least `low`; infinity is one."""
    real = isinstance(got, (int, float)) or hasattr(got, "item")
    need(real and not isinstance(got, bool), f"{what} must be a number, not {type(got).__name__}.")
    one = not hasattr(got, "item") or math.prod(getattr(got, "shape", ())) == 1
    need(one, f"{what} must be one number, not many.")
    value = float(got.item() if hasattr(got, "item") else got)
    rounding = 1e-6
    need(value >= low - rounding, f"{what} is {value:g}: it cannot be less than {low:g}.")
    return value


def _divergence(answer, name: str, *point: float) -> float:
    """What a formula gives at a point. It may want tensors."""
    try:
        got = answer(*point)
    except TypeError:
        got = answer(*map(torch.tensor, point))
    return _need_number(got, f"{name}({', '.join(f'{x:g}' for x in point)})", 0)


@question("vae-theory.1b", "answer_1b", unseen="the value, for several dimensions")
def check_1b(answer_1b) -> None:
    """A whole number of outputs, and not the same for all dimensions."""
    two, five = (_need_number(answer_1b(d), f"answer_1b({d})", 1) for d in (2, 5))
    need(two.is_integer() and five.is_integer(), "answer_1b counts numbers: it must be whole.")
    need(two != five, f"answer_1b is {two:g} for 2 dimensions and for 5; does z's size not matter?")


@question("vae-theory.1g", "answer_1g", unseen="the value, at random points")
def check_1g(answer_1g) -> None:
    """Numbers that a KL-divergence can be."""
    for mu, sigma in ((1.0, 2.0), (0.5, 0.1), (-2.0, 0.7)):
        _divergence(answer_1g, "answer_1g", mu, sigma)


@question("vae-theory.1h", "answer_1h", unseen="the value, at random points")
def check_1h(answer_1h) -> None:
    """Numbers that a KL-divergence can be; they do not depend on where and in what one measures."""
    for mu_phi, mu_p, sigma in ((0.0, 1.0, 1.0), (3.0, -2.0, 0.5), (-1.0, 1.5, 2.0)):
        _divergence(answer_1h, "answer_1h", mu_phi, mu_p, sigma)
    here = _divergence(answer_1h, "answer_1h", 1.0, 3.0, 2.0)
    moved = _divergence(answer_1h, "answer_1h", 2.0, 4.0, 2.0)
    sentence = f"answer_1h(1, 3, 2) is {here:.4g}, and {{:.4g}} {{}}: a divergence is the same."
    need(math.isclose(here, moved, rel_tol=1e-5), sentence.format(moved, "with both means 1 up"))
    scaled = _divergence(answer_1h, "answer_1h", 100.0, 300.0, 200.0)
    what = "with all three in cm instead of m"
    need(math.isclose(here, scaled, rel_tol=1e-5), sentence.format(scaled, what))


@question("vae-theory.1j", "answer_1j", unseen="which of the four it is")
def check_1j(answer_1j) -> None:
    """One of the four."""
    got = _need_number(answer_1j(), "answer_1j(), 1, 2, 3 or 4,")
    need(got in (1, 2, 3, 4), "answer_1j must return 1, 2, 3 or 4.")


def _either(*ways: Callable[[], None]) -> None:
    """Pass when one of the ways passes; else stop with what the first one says."""
    refused: list[Exception] = []
    for way in ways:
        try:
            return way()
        except Exception as error:
            refused.append(error)
    raise refused[0]


def _need_steady(net, x: torch.Tensor, what: str, *c: torch.Tensor) -> None:
    """Stop unless rows do not mix, nothing is drawn, and gradients reach x and every weight."""
    x = x.clone().requires_grad_()
    out = net(x, *c)
    again = torch.allclose(out, net(x, *c), atol=1e-6)
    need(again, f"{what} gives something else at every call; nothing in it may be random.")
    pairs = zip(*(one.split(2) for one in (x, *c)), strict=True)
    alone = torch.cat([net(*pair) for pair in pairs])
    need(torch.allclose(out, alone, atol=1e-5), f"{what}: rows of a batch change one another.")
    need(out.requires_grad, f"{what}: no gradient comes out. Is something detached?")
    out.sum().backward()
    for name, one in (("its input", x), *net.named_parameters()):
        reached = one.grad is not None and bool(one.grad.any())
        need(reached, f"{what}: no gradient reaches {name}. Is it used, or something detached?")


def _alike(net: nn.Module, sums: dict[tuple[int, ...], float], classes: int = 0) -> None:
    """Make the units of a layer all alike, so that the network becomes a chain of numbers.

    `sums` has the shapes of all parameters: what a row of weights adds up to, or the bias. The last
    `classes` columns of a weight that reads them are 0, and not counted in its shape.
    """
    for one in net.parameters():
        shape = tuple(one.shape)
        if shape not in sums and one.dim() == 2:
            shape = (shape[0], shape[1] - classes)
        need(shape in sums, f"The network has a weight of size {tuple(one.shape)}.")
        nn.init.zeros_(one)
        one.data[..., : shape[-1]] = sums[shape] / (shape[1] if len(shape) == 2 else 1)


def _need_all(
    got: torch.Tensor,
    right: float,
    what: str,
    known: dict[float, str],
    tolerance: float = 1e-5,
    otherwise: str = "Compare term by term with the docstring.",
) -> None:
    """Stop unless every number of `got` is `right`; the worst one speaks."""
    worst = (got.detach().flatten() - right).abs().nan_to_num(math.inf).argmax()
    need_value(got.detach().flatten()[worst], right, what, known, tolerance, otherwise)


@question("bernoulli-vae.decoder", "Decoder", unseen="random weights, codes and sizes")
def check_decoder(Decoder) -> None:
    """fc1, tanh, fc2, sigmoid: 394,284 parameters."""
    hint = "One hidden layer of 500 units, two Linear with biases."
    need_count(Decoder(2, 500, 784), 394_284, "Decoder(2, 500, 784)", hint)
    net = Decoder(3, 7, 11)
    hint = "All sizes are arguments of __init__, whatever their values."
    need_count(net, 116, "Decoder(3, 7, 11)", hint)
    need_shape(net(torch.randn(6, 3)), (6, 11), "Decoder's output")
    need_float32(net(torch.randn(6, 3)), "Decoder's output")
    _need_steady(net, torch.randn(6, 3), "Decoder")
    nothing = {(7, 3): 0.0, (7,): 0.0, (11, 7): 0.0, (11,): 0.0}
    _alike(net, nothing)
    known = {0.0: "The sigmoid is missing.", 0.6225: "There are two sigmoids."}
    known |= {0.0909: "This is a softmax; each pixel has a sigmoid of its own."}
    _need_all(net(torch.ones(2, 3)), 0.5, "Decoder with all weights 0", known)
    _alike(net, {(7, 3): 1.0, (7,): 0.5, (11, 7): 2.0, (11,): -0.5})
    what = "Decoder with weights that add up to 1 and 2, biases 0.5 and -0.5, for z = {}"
    known = {
        0.9241: "The tanh after fc1 is missing (or it is a ReLU).",
        0.7568: "fc1 is followed by a sigmoid instead of tanh.",
        0.7036: "There is a second tanh after fc2.",
        0.8644: "It ends in tanh instead of a sigmoid.",
        0.8128: "tanh and sigmoid have changed places.",
        0.8210: "The biases are not used.",
    }
    _need_all(net(torch.ones(2, 3)), 0.7875628, what.format(1), known)
    known = {0.3775: "fc1 is followed by a ReLU instead of tanh.", 0.1824: "tanh is missing."}
    _need_all(net(-torch.ones(2, 3)), 0.1939986, what.format(-1), known)
    for bias, right in ((4.0, 0.9820138), (-4.0, 0.0179862)):
        _alike(net, nothing | {(11,): bias})
        what = f"Decoder with all weights 0, but biases {bias:g} at its end,"
        _need_all(net(torch.ones(2, 3)), right, what, {})


def _not_normal(eps: torch.Tensor) -> str:
    """What tells these numbers, (n, k), from draws from N(0, 1), each on its own; "" for nothing.

    Bounds lie seven standard errors off: true draws are refused less than once in ten million.
    """
    n, error = len(eps), 7 / len(eps) ** 0.5
    if not torch.isfinite(eps).all():
        return "some are infinite or NaN"
    mean, std = eps.mean(0), eps.std(0)
    if std.min() > 0.01 and _evened_out(eps.double()):
        return "means or spreads are too even (standardised, scaled to one length, opposite pairs?)"
    if std.min() < 0.01:
        return "all rows are the same"
    if mean.abs().max() > error or (std - 1).abs().max() > error:
        worst = (mean.abs() + (std - 1).abs()).argmax()
        positive = eps.min() >= 0 and eps.max() <= 1
        uniform = " (torch.rand is uniform; torch.randn is normal)" if positive else ""
        return f"mean {mean[worst]:.2f} and spread {std[worst]:.2f}, not 0 and 1{uniform}"
    inside, rare = (eps.abs() < 1).float().mean(), torch.tensor(12 / eps.numel())
    if abs(inside - 0.6827) > error / 2 or eps.abs().max() < -torch.special.ndtri(rare):
        return f"mean 0 and spread 1, but {inside:.0%} within 1 and {eps.abs().max():.1f} at most"
    if (torch.corrcoef(eps.T).fill_diagonal_(0).abs() > error).any():
        return "the entries of a row share their noise"
    for a, b in ((eps[1:], eps[:-1]), (eps[n // 2 :], eps[: n - n // 2])):
        if (a * b).mean().abs() > 2 * error / eps.shape[1] ** 0.5:
            return "rows share their noise"
    return ""


def _evened_out(eps: torch.Tensor) -> bool:
    """Do columns of (n, k) numbers have means near 0 or spreads near 1, all of them, or rows one
    length, as draws never do? True draws come as near once in 10^8.
    """
    n, k = eps.shape
    spread = min((eps.std(correction=one) - 1).abs() for one in (0, 1))
    scores = [eps.mean(0) * n**0.5, (eps.std(0) - 1) * (2 * n) ** 0.5]
    scores.append(torch.stack((eps.mean(), spread * 2**0.5)) * (n * k) ** 0.5)
    halves = [torch.tensor([len(one) / 2, one.square().sum() / 2]) for one in scores]
    rare = min(torch.special.gammainc(*half.double()) for half in halves) < 2e-9
    return bool(rare or eps.square().sum(1).sqrt().std() < 0.01)


def _need_gaussian(sample, names: str, second, slope, spreads: dict[float, str]) -> None:
    """Stop unless sample(mu, second(variance)) draws from N(mu, variance) and lets gradients by.

    `names`: those of the function and its second argument; `slope`: by how much z moves with the
    latter, from z - mu and the variance; `spreads`: which mistake gives which spread where the
    variance is 4.
    """
    name, spread = names.split()
    mu = torch.tensor([3.0, 3.0, -2.0, -2.0]).repeat(20_000, 1)
    variance = torch.tensor([4.0, 0.25, 4.0, 0.25]).repeat(20_000, 1)
    arguments = mu.clone().requires_grad_(), second(variance).requires_grad_()
    z = sample(*arguments)
    need_shape(z, (20_000, 4), f"{name}'s z")
    need_float32(z, f"{name}'s z for a mu of torch.float32")
    need(
        bool(torch.isfinite(z).all()),
        f"{name}: z has NaN in it. Is a root or logarithm taken of {spread}?",
    )
    need(z.std(0).min() > 0.01, f"{name}: every row gets the same noise.")
    mean, std = z[:, 0].mean().item(), z[:, 0].std().item()
    means = {0.0: "mu is not added.", 4.0: "Is it torch.rand?", -3.0: "mu is subtracted."}
    means |= {2.0: "Mean and spread have changed places.", 6.0: "mu is multiplied by sigma."}
    hint = "".join(why for value, why in means.items() if abs(mean - value) < 0.1)
    need(abs(mean - 3) < 0.1, f"{name}: z has mean {mean:.3f} where mu is 3. {hint}")
    nearest = min(spreads, key=lambda value: abs(std - value))
    hint = spreads[nearest] if abs(std / nearest - 1) < 0.05 else ""
    sentence = f"{name}: z has standard deviation {std:.3f} where the variance is 4, so 2. {hint}"
    need(abs(std - 2) < 0.07, sentence)
    why = _not_normal((z - mu).detach() / variance.sqrt())
    need(
        not why,
        f"{name}: z does not look like draws from N(mu, variance): for (z - mu) / sigma, {why}.",
    )
    own = 9 * torch.randn(4000, 4), torch.exp(torch.rand(4000, 4) * 12 - 6)
    why = _not_normal((sample(own[0], second(own[1])) - own[0]) / own[1].sqrt())
    hint = f"Is a large mu or {spread} cut off?"
    need(not why, f"{name}: a row must be drawn from its own mu and {spread}: {why}. {hint}")
    again = sample(mu, second(variance))  # without gradients, as when a trained model is used
    need(again.std(0).min() > 0.01, f"{name}: there is no noise without gradients.")
    fresh = not torch.equal(z, again)
    need(fresh, f"{name}: two calls draw the same noise. Set seeds once, outside.")
    draw = "Draw eps first, then use mu + sigma * eps; nothing may be detached."
    need(z.requires_grad, f"{name}: z has no gradient. {draw}")
    z.sum().backward()
    rights = torch.ones_like(mu), slope((z - mu).detach(), variance)
    for one, right, which in zip(arguments, rights, ("mu", spread), strict=True):
        reached = one.grad is not None and bool(one.grad.any())
        need(reached, f"{name}: no gradient reaches {which}. {draw}")
        ok = torch.allclose(one.grad, right.to(one.grad), rtol=1e-3, atol=1e-4)
        need(ok, f"{name}: the gradient with respect to {which} is wrong. {draw}")


def _method(BernoulliVAE, name: str):
    """One of its static methods, or a method that was written with self."""
    return getattr(BernoulliVAE.__new__(BernoulliVAE), name)


@question(
    "bernoulli-vae.sample_diagonal_gaussian", "BernoulliVAE", unseen="random means and variances"
)
def check_sample_diagonal_gaussian(BernoulliVAE) -> None:
    """z has mean mu and variance sigma_square, and passes gradients on."""
    spreads = {
        4.0: "The root is missing: sigma_square is a variance.",
        1.0: "sigma_square is ignored.",
        7.389: "sigma_square is no logarithm.",
        16.0: "sigma_square is squared; its root is wanted.",
        1.414: "The root is taken twice.",
        0.5: "The noise is divided by sigma.",
    }
    _need_gaussian(
        _method(BernoulliVAE, "sample_diagonal_gaussian"),
        "sample_diagonal_gaussian sigma_square",
        second=torch.clone,
        slope=lambda moved, variance: moved / (2 * variance),
        spreads=spreads,
    )


@question("bernoulli-vae.sample_Bernoulli", "BernoulliVAE", unseen="random probabilities")
def check_sample_Bernoulli(BernoulliVAE) -> None:
    """Zeros and ones in float32, one with probability p, each pixel on its own."""
    sample = _method(BernoulliVAE, "sample_Bernoulli")
    p = torch.tensor([0.1, 0.3, 0.7, 0.9]).repeat(5000, 1)
    x = sample(p)
    need_shape(x, (5000, 4), "sample_Bernoulli's x")
    need(x.dtype == torch.float32, f"sample_Bernoulli must give float32, not {x.dtype}.")
    need(bool(((x == 0) | (x == 1)).all()), "sample_Bernoulli must give zeros and ones only.")
    rounded = torch.equal(x, (p > 0.5).float()) and torch.equal(sample(p), x)
    need(not rounded, "sample_Bernoulli rounds p; a pixel with p = 0.3 must be 1 now and then.")
    share = "sample_Bernoulli: pixels share one random number; each needs its own."
    need(x.std(0).max() > 0.01, share)
    mean = x.mean(0)
    turned = bool(((1 - mean) - p[0]).abs().max() < 0.05)
    hint = "The comparison is the wrong way round." if turned else "Draw uniformly, torch.rand."
    ones = ", ".join(f"{one:.2f}" for one in mean)
    sentence = f"sample_Bernoulli: for p = 0.1, 0.3, 0.7, 0.9 the share of ones is {ones}. {hint}"
    need(bool((mean - p[0]).abs().max() < 0.05), sentence)  # seven standard errors
    together = torch.corrcoef(x.T).fill_diagonal_(0).abs().max() < 0.1
    rows = ((x - p)[1:] * (x - p)[:-1]).mean().abs() < 0.02
    need(bool(together and rows), share)
    need(not torch.equal(sample(p), x), "sample_Bernoulli: two calls draw the same; set no seed.")
    ends = torch.tensor([0.0, 1.0]).repeat(500, 1)
    ok = torch.equal(sample(ends), ends)
    need(ok, "sample_Bernoulli: where p is 0 or 1, x must be p.")
    for shape in ((50,), (3, 1, 6, 7)):
        need_shape(sample(torch.full(shape, 0.3)), shape, f"sample_Bernoulli's x for p {shape}")


def _need_gradients(total: torch.Tensor, name: str, slopes: dict) -> None:
    """Stop unless the gradient of `total` is as told; `slopes`: name -> (tensor, its gradient)."""
    need(total.requires_grad, f"{name}: no gradient comes out. Is something detached?")
    total.sum().backward()
    for which, (one, right) in slopes.items():
        need(one.grad is not None, f"{name}: no gradient reaches {which}. Is it detached?")
        _need_all(one.grad, right, f"{name}: the gradient with respect to {which}", {})


def _need_rows(got: torch.Tensor, alone: list[torch.Tensor], name: str) -> None:
    """Stop unless there is one number for each row, and each row's is its own."""
    need_shape(got, (len(alone),), f"{name} of {len(alone)} rows")
    ok = torch.allclose(got, torch.cat([one.reshape(1) for one in alone]), rtol=1e-4)
    need(ok, f"{name}: the rows of a batch change one another. Sum over the last dimension alone.")


@question(
    "bernoulli-vae.logpdf_diagonal_gaussian",
    "BernoulliVAE",
    unseen="random z, mu and variances",
)
def check_logpdf_diagonal_gaussian(BernoulliVAE) -> None:
    """-1.8379 for N(0; 0, I) in two dimensions; one number for each z."""
    what = "logpdf_diagonal_gaussian"
    logpdf = _method(BernoulliVAE, what)
    zero, one = torch.zeros(1, 2), torch.ones(1, 2)
    known = {
        0.0: "The constant log(2 pi) is missing.",
        -0.918939: "It is a mean over the dimensions, or has the constant once; sum them.",
        1.837877: "The sign is flipped.",
        0.159155: "This is the density; its logarithm is wanted.",
    }
    where = f"{what} at the mean, variance 1"
    need_value(logpdf(zero, zero, one), -1.837877, where, known, 2e-4)
    known = {
        -4.610466: "sigma_square is taken for a standard deviation.",
        -1.837877: "The variance is missing under the first logarithm.",
    }
    where = f"{what} at the mean, variance 4"
    need_value(logpdf(zero, zero, 4 * one), -3.224171, where, known, 2e-4)
    z, mu, variance = (torch.tensor([[a, b]]) for a, b in ((3.0, 1.0), (1.0, -1.0), (4.0, 0.25)))
    known = {
        -6.087877: "z - mu is not squared.",
        -5.837877: "(z - mu)^2 is not divided by sigma_square.",
        -6.837877: "(z - mu)^2 is divided by sigma; sigma_square is right.",
        -18.837877: "The factor 1/2 of (z - mu)^2 / sigma_square is missing.",
        6.662123: "The sign of (z - mu)^2 is flipped.",
    }
    where = f"{what} at z = (3, 1) with mean (1, -1), variances (4, 0.25),"
    need_value(logpdf(z, mu, variance), -10.337877, where, known, 2e-4)
    far = logpdf(20 * one, zero, one)
    hint = "Sum the logarithms of the densities; their product rounds to 0 here."
    need_value(far, -401.837877, f"{what} at z = (20, 20), 20 from the mean,", {}, 2e-4, hint)
    where = f"{what} at the mean, variance 1e-6"
    hint = "Is something added to the variance, or is it cut off? It may be any positive number."
    need_value(logpdf(zero, zero, 1e-6 * one), 11.977634, where, {}, 2e-4, hint)
    five = torch.zeros(1, 5)
    need_value(logpdf(five, five, five + 1), -4.594693, f"{what} in five dimensions", {}, 2e-4)
    z = torch.randn(5, 2)
    rows = logpdf(z, mu.expand(5, 2), variance.expand(5, 2))
    _need_rows(rows, [logpdf(row, mu, variance) for row in z.split(1)], what)
    shared = logpdf(z, mu[0], variance[0])
    need_shape(shared, (5,), f"{what} of five codes with one prior, mu (2,),")
    same = torch.allclose(rows, shared, rtol=1e-4)
    need(same, f"{what}: a prior of shape (2,) must give the same as one for each row.")
    z, mu, variance = (torch.tensor([[a]], requires_grad=True) for a in (4.0, 1.0, 4.0))
    slopes = {"z": (z, -0.75), "mu": (mu, 0.75), "sigma_square": (variance, 0.15625)}
    _need_gradients(logpdf(z, mu, variance), what, slopes)


@question(
    "bernoulli-vae.logpdf_bernoulli", "BernoulliVAE", unseen="random pixels and probabilities"
)
def check_logpdf_bernoulli(BernoulliVAE) -> None:
    """-543.4273 for coin flips; finite where p is 0 or 1."""
    what = "logpdf_bernoulli"
    logpdf = _method(BernoulliVAE, what)
    four, p = torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor([[0.25, 0.25, 0.9, 0.6]])
    known = {
        2.695628: "The sign is flipped.",
        -0.673907: "It is a mean over the pixels; it must be their sum.",
        -1.491655: "The half of the pixels that are 0 is missing.",
        -1.203973: "The half x log p is missing.",
        -0.287682: "The two halves are subtracted.",
        -4.487387: "p and 1 - p have changed places.",
        -2.780521: "p is taken for logits; it is a probability already.",
        -3.888969: "The logarithm is that of base 2.",
        -1.170696: "The logarithm is that of base 10.",
        -0.995: "This is the squared error.",
        -27.1021: "x and p have changed places.",
        -170.0: "x and p have changed places.",
    }
    where = f"{what} of (1, 0, 1, 0) with p = (0.25, 0.25, 0.9, 0.6)"
    need_value(logpdf(four, p), -2.695628, where, known, 1e-4)
    x, half = (torch.rand(1, 784) < 0.5).float(), torch.full((1, 784), 0.5)
    need_value(logpdf(x, half), -543.427368, f"{what} with p = 0.5", {})
    five = (torch.rand(5, 784) < 0.4).float(), torch.rand(5, 784).clamp(0.1, 0.9)
    alone = [logpdf(*row) for row in zip(*(t.split(1) for t in five), strict=True)]
    _need_rows(logpdf(*five), alone, what)
    clamped = "p is kept too far off both ends: move it by very little."
    for p, right in ((0.02, -3.912023), (0.0002, -8.517193)):
        known = {math.log(bound): clamped for bound in (0.0005, 0.001, 0.01, 0.05, 0.1, 0.25)}
        rare = logpdf(torch.ones(1, 1), torch.full((1, 1), p))
        need_value(rare, right, f"{what} of 1 where p = {p}", known, 1e-3)
    sure = logpdf(x[:, :50], x[:, :50])
    need(not sure.isnan().any(), f"{what} is NaN where p is 0 or 1: 0 * log 0 must be 0.")
    need(bool(sure.abs() < 0.1), f"{what} is {sure.item():g} where p = x; 0 is right.")
    off = logpdf(torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]]))
    finite = bool(torch.isfinite(off).all())
    need(finite, f"{what} is infinite where p is 0 and x is 1: keep p off both ends.")
    need(bool((off < -3).all()), f"{what} is {off.max():.3g} where p is 0 and x is 1. {clamped}")
    for pixel, slope in ((1.0, 4.0), (0.0, -1.333333)):
        p = torch.full((1, 1), 0.25, requires_grad=True)
        _need_gradients(logpdf(torch.full((1, 1), pixel), p), what, {"p": (p, slope)})


class Logarithms:
    """A model whose log p(x|z) is 100, log p(z) 10 and log q(z|x) 1, as means over five images."""

    latent_dimension, hidden_units, data_dimension = 2, 500, 784

    def __init__(self, mu: torch.Tensor, variance: torch.Tensor):
        self.mu, self.variance, self.asked = mu, variance, set()
        apart = torch.tensor([4.0, -1, -1, -1, -1])
        self.p_x, self.p_z, self.q = (
            (value + apart).requires_grad_() for value in (100.0, 10.0, 1.0)
        )

    def logpdf_diagonal_gaussian(self, z, mean, variance) -> torch.Tensor:
        for value, right in (
            (self.q, (self.mu, self.variance)),
            (self.p_z, (torch.zeros(5, 2), torch.ones(5, 2))),
        ):
            if all(
                torch.equal(a.expand(5, 2), b) for a, b in zip((mean, variance), right, strict=True)
            ):
                self.asked.add(value)
                return value
        raise NotYet("elbo_loss asks for a Gaussian that is neither q(z|x) nor p(z) = N(0, I).")

    def logpdf_bernoulli(self, x, p) -> torch.Tensor:
        self.asked.add(self.p_x)
        return self.p_x


def _need_bound_of_given_logarithms(elbo_loss, model: Logarithms) -> None:
    known = {
        -109.0: "The sign is flipped: larger must be better.",
        111.0: "log q(z|x) must be subtracted.",
        91.0: "The two Gaussians are exchanged: log q is subtracted, log p(z) added.",
        89.0: "log p(z) must be added.",
        110.0: "log q(z|x) is missing.",
        99.0: "log p(z) is missing.",
        9.0: "log p(x|z) is missing.",
        100.0: "This is log p(x|z) alone.",
        545.0: "It is summed over the batch; it must be the mean.",
    }
    x = torch.zeros(5, 784)
    got = elbo_loss(model, torch.randn(5, 2), model.mu, model.variance, x, x)
    what = "elbo_loss with log p(x|z) = 100, log p(z) = 10, log q(z|x) = 1"
    need_value(got, 109.0, what, known)
    slopes = {"log p(x|z)": (model.p_x, 0.2), "log p(z)": (model.p_z, 0.2)}
    _need_gradients(got, "elbo_loss", slopes | {"log q(z|x)": (model.q, -0.2)})


def _need_bound_of_two_images(BernoulliVAE) -> None:
    z = torch.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    mu = torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    variance = torch.tensor([[4.0, 1.0], [1.0, 0.25]])
    x = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    p = torch.tensor([[0.5, 0.25, 0.75], [0.5, 0.5, 0.25]])
    got = BernoulliVAE(2, 3, 3).elbo_loss(z, mu, variance, x, p)
    need_value(got, -1.708050, "elbo_loss of two images", {})
    need(got.requires_grad, "elbo_loss: no gradient comes out. Is something detached?")
    got.sum().backward()
    right = torch.tensor([[-0.375, -0.5], [-0.5, 1.0]])
    ok = z.grad is not None and torch.allclose(z.grad, right, atol=1e-4)
    need(ok, "elbo_loss: its gradient leads the codes elsewhere. Is a term detached?")


@question("bernoulli-vae.elbo_loss", "BernoulliVAE", unseen="random codes and images")
def check_elbo_loss(BernoulliVAE) -> None:
    """The mean of log p(x|z) + log p(z) - log q(z|x)."""
    model = Logarithms(torch.randn(5, 2), torch.rand(5, 2))
    try:
        _need_bound_of_given_logarithms(BernoulliVAE.elbo_loss, model)
    except Exception as error:
        if len(model.asked) == 3:
            raise
        refused = error  # it may take logarithms of its own
        with contextlib.suppress(Exception):
            return _need_bound_of_two_images(BernoulliVAE)
        raise refused from None


def _flat(images, n: int, what: str) -> torch.Tensor:
    """Images as (n, 784), whichever way they hold their 784 pixels."""
    shapes = ((n, 1, 784), (n, 784), (n, 28, 28), (n, 1, 28, 28))
    shape = tuple(getattr(images, "shape", ()))
    need_shape(images, shape if shape in shapes else shapes[0], what)
    return images.reshape(n, 784)


CUT_OFF = "Is something cut off, as by ReLU6? No layer but the last has an upper end."
ROUGHLY = 2e-3
RELU_MISSING = "The ReLU after its {} layer is missing."
LEAKY = "Is it LeakyReLU? ReLU is wanted."


def _need_encoder(net: nn.Module, run, nz: int, inputs: int, classes: int, what: str) -> None:
    """Stop unless ReLU follows two layers of 256 and 64 units, and nothing the third, of nz."""
    where = what + " with units all alike"
    known = {-3.0: RELU_MISSING.format("first"), -2.01: LEAKY, -2.2: LEAKY}
    known[0.0] = "It must end in a Linear layer: a code may be any number."
    sums = {(256, inputs): -1.0, (256,): 0.0, (64, 256): 1.0, (64,): 1.0, (nz, 64): 1.0}
    _alike(net, sums | {(nz,): -3.0}, classes)
    _need_all(run(torch.ones(2, inputs)), -2.0, where, known)
    known = {-4.0: RELU_MISSING.format("second"), -3.01: LEAKY, -3.2: LEAKY}
    sums |= {(256, inputs): 1.0, (64,): -2.0}
    _alike(net, sums | {(nz,): -3.0}, classes)
    _need_all(run(torch.ones(2, inputs)), -3.0, where, known)
    sums |= {(256, inputs): 100.0, (64,): 0.0}
    _alike(net, sums | {(nz,): 0.0}, classes)
    _need_all(run(torch.ones(2, inputs)), 100.0, where, {}, ROUGHLY, CUT_OFF)


def _need_decoder(net: nn.Module, run, nz: int, outputs: int, classes: int, what: str) -> None:
    """Stop unless ReLU follows two layers of 64 and 256 units, and a sigmoid the third."""
    where = what + " with units all alike"
    ends = {
        -1.0: "The sigmoid at its end is missing.",
        0.5668: "There are two sigmoids at its end.",
        -0.7616: "It ends in tanh instead of a sigmoid.",
        0.5: "A ReLU stands before the sigmoid: no pixel gets below 1/2.",
        1 / outputs: "It ends in a softmax; each pixel has a sigmoid of its own.",
        0.267: LEAKY,
        0.2315: LEAKY,
    }
    sums = {(64, nz): -1.0, (64,): 0.0, (256, 64): 1.0, (256,): 1.0, (outputs, 256): 1.0}
    _alike(net, sums | {(outputs,): -2.0}, classes)
    known = ends | {0.1192: RELU_MISSING.format("first")}
    _need_all(run(torch.ones(2, nz)), 0.2689414, where, known)
    sums |= {(64, nz): 1.0, (256,): -2.0}
    _alike(net, sums | {(outputs,): -1.0}, classes)
    known = ends | {0.1192: RELU_MISSING.format("second")}
    _need_all(run(torch.ones(2, nz)), 0.2689414, where, known)
    sums |= {(64, nz): 100.0, (256,): 0.0}
    _alike(net, sums | {(outputs,): -101.0}, classes)
    _need_all(run(torch.ones(2, nz)), 0.2689414, where, {}, ROUGHLY, CUT_OFF)


@question(
    "autoencoder.architecture",
    "AEEncoder",
    "AEDecoder",
    "AutoEncoder",
    unseen="random weights, images and sizes; two networks at once",
)
def check_architecture(AEEncoder, AEDecoder, AutoEncoder) -> None:
    """439,728 parameters; codes (N, nz) and images (N, 1, 784) in [0, 1]."""
    encoder, decoder = AEEncoder(nz=32, input_size=784), AEDecoder(nz=32, output_size=784)
    need_count(encoder, 219_488, "AEEncoder(nz=32, input_size=784)")
    need_count(decoder, 220_240, "AEDecoder(nz=32, output_size=784)")
    need_shape(encoder(torch.rand(5, 784)), (5, 32), "AEEncoder's output for (5, 784)")
    need(bool((encoder(torch.randn(50, 784)) < 0).any()), "AEEncoder must end in a Linear layer.")
    x_hat = _flat(decoder(50 * torch.randn(5, 32)), 5, "AEDecoder's output for (5, 32)")
    need_float32(x_hat, "AEDecoder's output")
    inside = bool((x_hat >= 0).all() and (x_hat <= 1).all())
    need(inside, "AEDecoder's output leaves [0, 1]: it must end in a sigmoid.")
    model = AutoEncoder(32)
    need_count(model, 439_728, "AutoEncoder(32)")
    x = torch.rand(6, 1, 28, 28)
    _need_steady(model, x, "AutoEncoder")
    for scale in (1.0, 500.0):  # pixels of all brightness, from 0 to 1
        out = _flat(model(scale * x), 6, "AutoEncoder's output")
        same = torch.allclose(out, _both(model, scale * x), atol=1e-6)
        need(same, "AutoEncoder must give decoder(encoder(x)), unchanged.")
    need_shape(AutoEncoder(5).encoder(x), (6, 5), "the code of AutoEncoder(5)")
    hint = "All sizes follow from the arguments of __init__, whatever their values."
    encoder, decoder = AEEncoder(nz=3, input_size=20), AEDecoder(nz=3, output_size=20)
    need_count(encoder, 22_019, "AEEncoder(nz=3, input_size=20)", hint)
    need_count(decoder, 22_036, "AEDecoder(nz=3, output_size=20)", hint)
    _need_encoder(encoder, encoder, 3, 20, 0, "AEEncoder")
    _need_decoder(decoder, decoder, 3, 20, 0, "AEDecoder")


def _both(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return _flat(model.decoder(model.encoder(x)), len(x), "AutoEncoder's decoder(encoder(x))")


@question(
    "autoencoder.loader",
    "make_loader",
    unseen="other numbers of images and batch sizes; many passes",
)
def check_loader(make_loader) -> None:
    """Full batches only, in a fresh order on each pass, every image with its label."""
    labels = torch.arange(50)
    images = labels.view(50, 1, 1, 1).expand(50, 1, 28, 28) / 50
    loader = make_loader(images, labels, 8)
    passes = [[(x, y) for x, y in loader] for _ in range(3)]
    need(len(passes[1]) > 0, "make_loader serves one pass only; each epoch makes another.")
    for batches in passes:
        sizes = [len(x) for x, _ in batches]
        sentence = f"make_loader of 50 images gives batches of {sizes}; full ones: 6 of 8."
        need(sizes == [8] * 6, sentence)
    need_shape(passes[0][0][0], (8, 1, 28, 28), "make_loader: the images of a batch")
    need_shape(passes[0][0][1], (8,), "make_loader: the labels of a batch")
    first, second, third = (torch.cat([y for _, y in batch]) for batch in passes)
    for one in (first, second, third):
        need(len(one.unique()) == 48, "make_loader gives an image twice in one pass.")
    shuffled = not torch.equal(first, first.sort().values)
    need(shuffled and not torch.equal(first, second), "make_loader must shuffle on every pass.")
    groups = [{frozenset(y.tolist()) for _, y in batch} for batch in passes]
    need(groups[0] != groups[1], "make_loader shuffles whole batches: each holds the same images.")
    whole = torch.stack([image for x, _ in passes[0] for image in x]) * 50
    kept = passes[0][0][0].dtype == images.dtype and first.dtype == labels.dtype
    types = f"images as {passes[0][0][0].dtype} and labels as {first.dtype}"
    need(kept, f"make_loader gives {types}; it must leave them {images.dtype} and {labels.dtype}.")
    follow = int(((first[1:] - first[:-1]) % 50 == 1).sum())
    need(follow < 25, "make_loader moves the images on, but leaves them in their order.")
    after = [dict(zip(one[:-1].tolist(), one[1:].tolist(), strict=True)) for one in (first, second)]
    again = sum(after[1].get(a) == b for a, b in after[0].items())
    need(again < 25, "make_loader has one order, which each pass begins elsewhere; draw it anew.")
    seen = torch.cat([y for _ in range(10) for _, y in loader]).unique()
    need(len(seen) == 50, "make_loader never gives some images, however often it is asked.")
    paired = torch.allclose(whole, first.view(-1, 1, 1, 1).float().expand_as(whole), atol=1e-3)
    need(paired, "make_loader gives images labels that are not theirs.")


class Part(nn.Module):
    """Stands in the place of an encoder or decoder: gives `make` of what it reads, and notes it."""

    def __init__(self, make: Callable[[torch.Tensor], torch.Tensor], *weights: nn.Parameter):
        super().__init__()
        self.make, self.read, self.weights = make, [], nn.ParameterList(weights)

    def forward(self, x, c=None):
        self.read.append((x, c))
        return self.make(x)


class Pixels(nn.Module):
    """A model of two weights, one in each network: every pixel is the sigmoid of their sum.

    It notes its weights at every step, and the gradient that comes back.
    """

    def __init__(self, beta: float | None = 0.3):
        super().__init__()
        self.inner, self.outer = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))
        self.path, self.slopes = [], []
        self.inner.register_hook(lambda slope: self.slopes.append(slope.item()))
        self.encoder = Part(lambda x: self.inner.expand(len(x), 784), self.inner)
        self.decoder = Part(self._grey, self.outer)
        self.beta, self.num_labels = beta, 10

    def __getattr__(self, name):
        if name == "conditional":
            ask = "getattr(model, 'conditional', False) is false there"
            raise AttributeError(f"a BetaVAE has no attribute `conditional`; {ask}")
        return super().__getattr__(name)

    def _grey(self, z):
        need(self.training, "The model must train in training mode: model.train(), not eval().")
        self.path.append((self.inner.item(), self.outer.item()))
        return torch.sigmoid(z + self.outer).view(len(z), 1, 784)

    def forward(self, x, c=None):
        sentence = "A model that is not conditional must be called without labels, as model(x)."
        need(getattr(self, "conditional", False) or c is None, sentence)
        rec = self.decoder(self.encoder(x, c))
        return rec if self.beta is None else {"rec": rec, "q": rec, "c": c}

    def loss(self, x, outputs):
        """Made up, so that both terms and their sum pull at the weights in different ways."""
        both = (self.inner + self.outer).sum()
        terms = {"rec_loss": 0.1 * (both - 3 * x.mean()) ** 2, "kl_loss": 0.1 * (both**2 + 1)}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


class Passes(list):
    """Batches in the place of a loader; `begun` counts how often somebody goes through them."""

    begun = 0

    def __iter__(self):
        self.begun += 1
        return super().__iter__()


RATE = 0.05
SETTINGS = {
    "betas": (0.9, 0.999),
    "eps": 1e-8,
    "weight_decay": 0,
    "amsgrad": False,
    "maximize": False,
}
"""What Adam has where only its rate is given."""


def _need_settings(solver, what: str, **given) -> None:
    """Stop unless an optimizer that says how it is set is set like Adam, but for what is given."""
    for group in solver.param_groups:
        for name, right in (SETTINGS | given).items():
            got = group.get(name, right)
            got = tuple(got) if name == "betas" else got
            kind = type(solver).__name__
            need(got == right, f"{what}, {kind}, has {name} {got}, not {right}.")


STEPS = {
    1.0: "It did not move: are backward and step called, gradients cleared before backward alone?",
    1.001: "lr is ignored.",
    1.0495: "Is it AdamW?",
    1.5: "Is it RMSprop?",
}
CLEARED = "Gradients add up: clear them before each backward."
REMADE = "A new optimizer in every epoch forgets what Adam has gathered: make it once."
PLAIN = "This is plain gradient descent; Adam is asked for."


def _train_a_little(train, model: Pixels, what: str):
    """What a training of two epochs with two batches gives, in silence."""
    loader = Passes((torch.full((8, 1, 28, 28), x), torch.arange(8)) for x in (0.9, 0.2))
    used = []
    noting = register_optimizer_step_pre_hook(lambda solver, *_: used.append(solver))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            result = train(model, loader, 2, RATE)
    finally:
        noting.remove()
    for solver in used:
        _need_settings(solver, f"{what}: its optimizer")
    steps = len(model.path)
    need(steps == 4, f"{what}: 2 epochs of 2 batches must be 4 steps, not {steps}.")
    anew = f"{what} must go through the loader in every epoch: it shuffles the images each time."
    need(loader.begun >= 2, anew)
    for (x, _), (read, _) in zip([*loader, *loader], model.encoder.read, strict=True):
        whole = torch.equal(x.flatten(), read.flatten())
        need(whole, f"{what} must give the model each batch in turn, whole and unchanged.")
    frozen = not all(one.requires_grad for one in model.parameters())
    need(not frozen, f"{what} leaves the model frozen: it can be trained no further.")
    return result


def _need_path(model: Pixels, path: list[float], known: dict[float, str], what: str) -> None:
    """Stop unless training has taken both weights this way; they begin at 1 and at 0.

    Adam's first step is as long as the learning rate, and each later one depends on all gradients
    before it: what goes wrong in a loop shows in where the weights are.
    """
    known = {2 - path[0]: "It goes the other way, so that the loss grows."} | STEPS | known
    weights = [*model.path[1:], (model.inner.item(), model.outer.item())]
    for step, (pair, right) in enumerate(zip(weights, path, strict=True), 1):
        for got, part in zip((pair[0], pair[1] + 1), ("encoder", "decoder"), strict=True):
            hint = "".join(why for value, why in known.items() if abs(got - value) < 5e-5)
            hint = hint or "For every batch: one step of Adam, with the gradient of the loss."
            sentence = (
                f"{what}: step {step} moves a weight of the {part} by {got - 1:+.5f} in all; with "
                f"Adam and lr = {RATE} it must be {right - 1:+.5f}. {hint}"
            )
            need(abs(got - right) < 5e-5, sentence)


def _need_slope(model: Pixels, right: float, what: str) -> None:
    """Stop unless the gradient of the first step is this: Adam hardly tells how long it was."""
    share = model.slopes[0] / right
    sentence = f"{what} follows {share:.4g} times the gradient of the loss; take the loss itself."
    need(abs(share - 1) < 1e-3, sentence)


def _need_losses(losses, rights: list[float], what: str, known: dict[float, str]) -> None:
    """Stop unless there is a loss for each of the four steps, and the first ones are these."""
    right = isinstance(losses, (list, tuple, torch.Tensor)) and len(losses) == 4
    need(right, f"{what} must hold one loss for each of the 4 steps.")
    for step, value in enumerate(rights):
        got = torch.as_tensor(losses[step]).detach().float()
        need_value(got, value, f"{what}, step {step + 1},", {} if step else known, 1e-4)


@question(
    "autoencoder.loop",
    "train_autoencoder",
    unseen="other models, images, epochs and rates; interrupted training",
)
def check_loop(train_autoencoder) -> None:
    """Binary cross-entropy, a mean over pixels; one step of Adam for every batch."""
    model, what = Pixels(beta=None), "train_autoencoder"
    losses = _train_a_little(train_autoencoder, model, what)
    known = {
        323.9971: "The loss is summed over the pixels; it must be their mean.",
        2591.977: "The loss is summed; it must be a mean over pixels and images.",
        0.028541: "This is the squared error; binary cross-entropy is wanted.",
        0.696285: "Image and reconstruction are exchanged: the prediction comes first.",
        0.466093: "x_hat is taken for logits; the decoder's sigmoid made it probabilities.",
    }
    rights = [0.413262, 1.167335, 0.405295, 1.127799]
    _need_losses(losses, rights[:1], f"{what}'s losses", known)
    known = {1.029545: CLEARED, 1.074259: REMADE, 1.008447: PLAIN}
    _need_path(model, [1.05, 1.024259, 1.013618, 0.987712], known, what)
    _need_slope(model, -0.168941, what)
    _need_losses(losses, rights, f"{what}'s losses", {})
    sure = Pixels(beta=None)
    sure.inner.data.fill_(4.0)  # pixels of 0.982
    losses = _train_a_little(train_autoencoder, sure, what)
    known = {0.345737: "x_hat is kept off 0 and 1; pixels that are far off count too little then."}
    _need_losses(losses, [0.41815], f"{what}'s losses of pixels of 0.982", known)


class Fixed(nn.Module):
    """A model with codes of nz numbers: its decoder gives grey images, each the mean of its code.

    Its encoder gives `outputs` numbers: pixels 0 to nz - 1 of the image, then as many times 9.
    """

    def __init__(self, nz: int = 8, outputs: int = 16):
        nn.Module.__init__(self)
        self.nz, self.conditional, self.num_labels = nz, True, 10
        self.encoder = Part(lambda x: self._code(x.reshape(-1, 784), outputs))
        self.decoder = Part(lambda z: z.mean(1).view(-1, 1, 1).expand(-1, 1, 784))
        self.weight = nn.Parameter(torch.zeros(1))

    def _code(self, x, outputs):
        return torch.cat((x[:, : self.nz], 9 + 0 * x[:, : outputs - self.nz]), dim=1)

    def codes(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """All codes that the decoder has read, and the labels with them, as numbers."""
        z, c = zip(*self.decoder.read, strict=True)
        told = all(isinstance(labels, torch.Tensor) for labels in c)
        labels = [one.argmax(1) if one.dim() > 1 else one for one in c] if told else None
        return torch.cat(z), None if labels is None else torch.cat(labels)


def _need_decoded(model: Fixed, images: torch.Tensor, what: str) -> torch.Tensor:
    """Stop unless the images are what the decoder gave; the codes that it read."""
    z = model.codes()[0] if model.decoder.read else None
    need(z is not None, f"{what} never calls model.decoder.")
    need_shape(z, (len(images), model.nz), f"{what}: the batch of codes")
    same = torch.allclose(images.flatten(1).mean(1), z.mean(1), atol=1e-5)
    need(same, f"{what}: the images are not what model.decoder made of the codes, in their order.")
    return z


@question("autoencoder.sample_prior", "sample_prior", unseen="other models and numbers of codes")
def check_sample_prior(sample_prior) -> None:
    """Codes from N(0, I), decoded: images (n, 1, 28, 28)."""
    drawn = []
    for n, nz in ((20_000, 8), (20_000, 8), (3, 5)):
        model = Fixed(nz)
        images = sample_prior(model, n)
        need_shape(images, (n, 1, 28, 28), f"sample_prior(model, {n})")
        drawn.append(_need_decoded(model, images, "sample_prior"))
    why = _not_normal(drawn[0])
    need(not why, f"sample_prior: the codes are not draws from N(0, I): {why}.")
    again = torch.equal(drawn[0], drawn[1])
    need(not again, "sample_prior: two calls draw the same codes. Set seeds once, outside.")


def _put_parts(model: nn.Module, q: torch.Tensor) -> tuple[Part, Part]:
    """Give a model an encoder that gives q for every image, and a decoder of grey images."""
    numbers = nn.Parameter(q)
    model.encoder = Part(lambda x: numbers.expand(len(x), -1), numbers)
    model.decoder = Part(lambda z: torch.full((len(z), 1, 784), 0.5) + 0 * z.sum())
    return model.encoder, model.decoder


def _need_sampling(model: nn.Module, name: str, *c: torch.Tensor) -> None:
    """Stop unless forward decodes z = mu + exp(log_sigma) * eps, eps fresh, gradients passing."""
    mu, log_sigma = torch.tensor([9.0, 9.0, -9.0, -2.0]), torch.tensor([3.0, -3.0, 0.7, -0.7])
    encoder, decoder = _put_parts(model, torch.cat((mu, log_sigma))[None])
    n = len(c[0]) if c else 4000
    x = torch.rand(n, 1, 28, 28)
    outputs = model(x, *c)
    ok = hasattr(outputs, "keys") and {"q", "rec"} <= set(outputs.keys())
    need(ok, f"{name}.forward must return a dict with q and rec.")
    labels = outputs.get("c") if c else None
    ok = not c or (isinstance(labels, torch.Tensor) and torch.equal(labels, c[0]))
    need(ok, f"{name}.forward must return the labels that it was given, as c, beside q and rec.")
    ok = outputs["q"].shape == (n, 8) and torch.equal(outputs["q"], encoder.make(x))
    need(ok, f"{name}.forward: q must be all that the encoder gives, (N, 2Z).")
    plain = bool((_flat(outputs["rec"], n, f"{name}.forward's rec") == 0.5).all())
    need(plain, f"{name}.forward: rec must be what self.decoder gives, unchanged.")
    z = decoder.read[-1][0]
    need_shape(z, (n, 4), f"{name}.forward: the code")
    model(x, *c)
    fresh = not torch.equal(z, decoder.read[-1][0])
    need(fresh, f"{name}.forward draws no fresh noise for z.")
    model.eval()
    model(x, *c)
    drawn = bool(decoder.read[-1][0].std(0).min() > 0.01)
    model.train()
    need(drawn, f"{name}.forward draws no code after model.eval(); it must do so there, too.")
    moved = (z - mu).detach()
    why = _not_normal(moved / log_sigma.exp())
    hints = {
        "log_sigma is the logarithm of sigma, not of the variance; leave the half out.": 0.5,
        "log_sigma is the logarithm of sigma; do not double it.": 2.0,
        "log_sigma is ignored.": 0.0,
    }
    hint = [h for h, k in hints.items() if not _not_normal(moved / (k * log_sigma).exp())]
    hint += ["log_sigma is no sigma: take exp."] * (not _not_normal(moved / log_sigma))
    turned = (z - log_sigma).detach() / mu.exp()
    hint += ["mu comes first, then log_sigma."] * (not _not_normal(turned))
    sentence = f"{name}.forward: z does not look like draws from N(mu, exp(log_sigma)^2): {why}. "
    need(not why, sentence + "".join(hint))
    need(z.requires_grad, f"{name}.forward: no gradient passes z. Is it detached?")
    z.sum().backward()
    slopes = encoder.weights[0].grad
    slopes = torch.zeros(1, 8) if slopes is None else slopes
    draw = "Draw eps, then use mu + exp(log_sigma) * eps; detach nothing."
    ok = torch.allclose(slopes[0, :4], torch.full((4,), float(n)))
    need(ok, f"{name}.forward: no gradient of z reaches mu as it should. {draw}")
    ok = torch.allclose(slopes[0, 4:], moved.sum(0), rtol=1e-3, atol=0.1) and slopes[0, 4:].any()
    need(bool(ok), f"{name}.forward: no gradient of z reaches log_sigma as it should. {draw}")


def _terms(
    model: nn.Module, name: str, q: tuple[float, float], *c: torch.Tensor, pixel: float = 0.25
):
    """The total, rec_loss and kl_loss for three images of 0.9, as tensors.

    All weights are 0; the biases make every mu and log_sigma as q says, and every pixel as told.
    """
    nz = model.nz
    for one in model.parameters():
        nn.init.zeros_(one)
        if one.shape == (2 * nz,):
            one.data = torch.tensor(q).repeat_interleave(nz)
        elif one.shape == (784,):
            nn.init.constant_(one, math.log(pixel / (1 - pixel)))
    x = torch.full((3, 1, 28, 28), 0.9)
    outputs = model(x, *c)
    keys = set(outputs)
    result = model.loss(x, outputs)
    kept = keys == set(outputs) and bool((x == 0.9).all())
    need(kept, f'{name}.loss must leave what it is given as it is: read outputs["q"], pop nothing.')
    pair = isinstance(result, (tuple, list)) and len(result) == 2
    named = pair and {"rec_loss", "kl_loss"} <= set(getattr(result[1], "keys", tuple)())
    need(named, f"{name}.loss must return the total, and a dict of rec_loss and kl_loss.")
    return result[0], *(torch.as_tensor(result[1][key]) for key in ("rec_loss", "kl_loss"))


def _need_terms(model: nn.Module, name: str, *c: torch.Tensor) -> None:
    """Stop unless loss gives the right total and terms, with beta = 0.3."""
    need(model.beta == 0.3, f"{name}(nz, beta=0.3) must keep beta as self.beta.")
    nz = model.nz
    total, rec, kl = _terms(model, name, (1.0, 0.0), *c)
    known = {
        1000.723: "It is summed over pixels; it must be their mean.",
        3002.171: "It is a sum; it must be a mean over all pixels of all images.",
        0.4225: "This is the squared error; binary cross-entropy is wanted.",
        1.753279: "Image and reconstruction are exchanged: the prediction comes first.",
        -1.276433: "Its sign is flipped.",
    }
    need_value(rec, 1.276433, f"{name}.loss: rec_loss of pixels 0.25 where 0.9 is right", known)
    known = {
        0.5 * nz: "It is summed over the latent dimensions; it must be their mean.",
        1.5 * nz: "It is a sum; it must be a mean over all entries.",
        1.5: "It is summed over the batch; it must be a mean over all entries.",
        -0.5: "Its sign is flipped.",
        0.15: "beta must multiply it in the total only.",
        2.194528: "mu and log_sigma are exchanged: mu comes first.",
        1.0: "The factor 1/2 is missing.",
        0.0: "Is mu left out?",
    }
    need_value(kl, 0.5, f"{name}.loss: kl_loss of mu = 1, sigma = 1", known)
    known = {
        1.776433: "beta is missing.",
        1.126433: "The KL term must be added.",
        1.321433: "beta must enter once, not squared.",
        0.532930: "beta multiplies the KL term alone.",
        0.882930: "beta multiplies the KL term, not the reconstruction.",
        -1.426433: "The sign is flipped: smaller must be better.",
    }
    need_value(total, 1.426433, f"{name}.loss: the total with beta = 0.3", known)
    _, _, kl = _terms(model, name, (0.0, 1.0), *c)
    known = {
        0.359141: "log_sigma is taken for the logarithm of the variance.",
        0.567668: "The two Gaussians stand the wrong way round: q comes first.",
        0.5: "mu and log_sigma are exchanged: mu comes first.",
    }
    need_value(kl, 2.194528, f"{name}.loss: kl_loss of mu = 0, log_sigma = 1", known)
    for q, right, hint in (
        ((0.1, 0.0), 0.005, "Is a small divergence raised to some number (free bits)?"),
        ((9.0, 3.0), 238.714396, "Is mu or log_sigma cut off?"),
        ((0.0, -4.0), 3.500168, "Is log_sigma cut off?"),
    ):
        _, _, kl = _terms(model, name, q, *c)
        what = f"{name}.loss: kl_loss of mu = {q[0]:g}, log_sigma = {q[1]:g}"
        need_value(kl, right, what, {}, otherwise=hint)
    _, rec, _ = _terms(model, name, (0.0, 0.0), *c, pixel=0.01)
    what, hint = f"{name}.loss: rec_loss of pixels 0.01 where 0.9 is right", "Is rec cut off?"
    need_value(rec, 4.145658, what, {}, 2e-5, hint)
    total, _, _ = _terms(model, name, (1.0, -0.5), *c)
    need(total.requires_grad, f"{name}.loss: no gradient comes out of the total.")
    model.zero_grad()
    total.backward()
    rights = {
        ("rec", 784): torch.full((784,), -0.000829),
        ("q", 2 * nz): torch.tensor([0.3 / nz, -0.189636 / nz]).repeat_interleave(nz),
    }
    for (which, size), right in rights.items():
        for one in (one for one in model.parameters() if one.shape == (size,)):
            got = torch.zeros(size) if one.grad is None else one.grad
            sentence = (
                f"{name}.loss: the gradient of the total does not reach {which} as it should."
            )
            ok = torch.allclose(got, right, atol=2e-6)
            need(ok, f"{sentence} Is a term detached, or made a number?")


def _need_mean_decoded(model: nn.Module, name: str, *c: torch.Tensor) -> None:
    """Stop unless reconstruct decodes the mean of q, the same at every call."""
    x = torch.rand(3, 1, 28, 28)
    _, decoder = _put_parts(model, 4 * torch.arange(8.0)[None])
    again = model.reconstruct(x, *c)
    need_shape(again, (3, 28, 28), f"{name}.reconstruct's output")
    need(bool((again == 0.5).all()), f"{name}.reconstruct must give what self.decoder gives.")
    z = decoder.read[-1][0]
    need_shape(z, (3, 4), f"{name}.reconstruct: the code")
    model.reconstruct(x, *c)
    steady = torch.equal(z, decoder.read[-1][0])
    need(steady, f"{name}.reconstruct must use the mean, no noise.")
    spread = torch.equal(z[0], 4 * torch.arange(4.0, 8.0))
    hint = "This is log_sigma; mu comes first." if spread else ""
    ok = torch.allclose(z, 4 * torch.arange(4.0).expand(3, 4))
    need(ok, f"{name}.reconstruct must decode the mean of q. {hint}")


@question("autoencoder.beta_vae", "BetaVAE", unseen="random images, codes and betas")
def check_beta_vae(BetaVAE) -> None:
    """441,808 parameters; forward samples, reconstruct does not; beta enters linearly."""
    model, x = BetaVAE(32, beta=0.3), torch.rand(3, 1, 784)
    need_count(model, 441_808, "BetaVAE(32)", "The encoder gives 2 * nz numbers.")
    hint = "nz is an argument, whatever its value; the encoder gives 2 * nz numbers."
    need_count(BetaVAE(4), 436_376, "BetaVAE(4)", hint)
    need_shape(model.encoder(x).reshape(3, -1), (3, 64), "BetaVAE(32).encoder's output")
    _flat(model.decoder(torch.randn(3, 32)), 3, "BetaVAE(32).decoder's output")
    _need_sampling(BetaVAE(4, beta=0.3), "BetaVAE")
    _need_terms(BetaVAE(5, beta=0.3), "BetaVAE")
    _need_mean_decoded(BetaVAE(4, beta=0.3), "BetaVAE")


@question(
    "autoencoder.beta_vae_loop",
    "train_beta_vae",
    unseen="other models, images, epochs and rates; interrupted training",
)
def check_beta_vae_loop(train_beta_vae) -> None:
    """One step of Adam for each batch on the total loss; both terms come back, step by step."""
    model, what = Pixels(), "train_beta_vae"
    result = _train_a_little(train_beta_vae, model, what)
    pair = isinstance(result, (tuple, list, torch.Tensor)) and len(result) == 2
    need(pair, f"{what} must return two lists, (rec, kl).")
    known = {0.2: "rec and kl are exchanged.", 0.349: "This is the total."}
    rec, kl = [0.289, 0.025, 0.249745, 0.032554], [0.2, 0.221, 0.225366, 0.237022]
    _need_losses(result[0], rec[:1], f"{what}'s rec", known)
    known = {0.06: "It must not be multiplied by beta yet.", 0.289: "rec and kl are exchanged."}
    _need_losses(result[1], kl[:1], f"{what}'s kl", known)
    known = {
        1.095064: CLEARED,
        1.109834: REMADE,
        1.014: PLAIN,
        1.071637: "It follows rec_loss alone; the total is asked for.",
        1.029333: "It follows the terms without beta; the total has it.",
    }
    _need_path(model, [1.05, 1.059834, 1.085282, 1.092357], known, what)
    _need_slope(model, -0.28, what)
    _need_losses(result[0], rec, f"{what}'s rec", {})
    _need_losses(result[1], kl, f"{what}'s kl", {})


@question("autoencoder.tuned_beta", "TUNED_BETA", unseen="a short training with it")
def check_tuned_beta(TUNED_BETA) -> None:
    """Not far from 0.04, where the evidence lower bound has it."""
    need(TUNED_BETA is not None, "autoencoder.tuned_beta: write this")
    beta = _need_number(TUNED_BETA, "TUNED_BETA", 0)
    need(beta > 0, "TUNED_BETA = 0 switches the KL term off: this is an autoencoder.")
    sentence = (
        f"TUNED_BETA = {beta:g} is more than ten times as {{}} as the beta of the evidence lower "
        "bound: see BetaVAE."
    )
    need(beta > 0.003, sentence.format("small"))
    need(beta < 0.5, sentence.format("large"))


def _need_line(interpolate_embeddings, model: Fixed, steps: int, *shape: int) -> None:
    """Stop unless the codes go in equal steps from that of one image to that of the other."""
    start, end = torch.rand(shape), torch.rand(shape)
    start.view(-1)[: model.nz], end.view(-1)[: model.nz] = 3.0, 8.0
    images = interpolate_embeddings(model, start, end, steps)
    what = "interpolate_embeddings"
    need_shape(images, (steps, 1, 28, 28), f"{what} of {steps} steps")
    z = _need_decoded(model, images, what)
    got = [round(value, 4) for value in z[:, 0].tolist()]
    right = [round(3 + 5 * k / (steps - 1), 4) for k in range(steps)]
    hint = ""
    if got == [round(3 + 5 * k / steps, 4) for k in range(steps)]:
        hint = "The last step never reaches the end: divide by steps - 1."
    if got == right[::-1]:
        hint = "It runs from end to start."
    sentence = f"{what} from code 3 to 8 gives {got} instead of {right}. {hint}"
    ok = torch.allclose(z, torch.tensor(right).view(-1, 1).expand_as(z), atol=1e-4)
    need(ok, sentence)


@question(
    "autoencoder.interpolate",
    "interpolate_embeddings",
    "BetaVAE",
    unseen="random images, other models and numbers of steps",
)
def check_interpolate(interpolate_embeddings, BetaVAE=nn.Module) -> None:
    """Equal steps from the mean of one image to that of the other, both ends included."""
    is_a_vae = type("FixedBetaVAE", (Fixed, BetaVAE), {})
    for steps, shape in ((5, (1, 28, 28)), (4, (784,)), (2, (1, 28, 28))):
        line = functools.partial(_need_line, interpolate_embeddings)
        line(Fixed(outputs=8), steps, *shape)  # as an AutoEncoder has it
        _either(
            lambda: line(Fixed(), steps, *shape),  # noqa: B023
            lambda: line(is_a_vae(), steps, *shape),  # noqa: B023
        )


def _need_class_read(net: nn.Module, run, inputs: int, order: str, what: str) -> None:
    """Stop unless the network reads `inputs` numbers and behind them one of five classes, one-hot.

    A class counts as much as the first input here, and no other input does: one row has the class
    alone, the others that input, and nobody may see a difference.
    """
    first = [one for one in net.parameters() if one.dim() == 2 and one.shape[1] == inputs + 5]
    need(len(first) == 1, f"{what} must have one layer that reads {inputs} + 5 numbers, {order}.")
    weights = torch.randn(len(first[0]))
    for k in range(5):
        nn.init.zeros_(first[0])
        first[0].data[:, 0] = first[0].data[:, inputs + k] = weights
        x = torch.rand(5, inputs)
        x[:, 0] = (torch.arange(5) != k).float()
        out = run(x, torch.arange(5)).reshape(5, -1)
        ok = torch.allclose(out, out[:1].expand_as(out), atol=1e-5)
        need(ok, f"{what} does not read the class: {order} is wanted, in this order, c one-hot.")


def _need_conditional_networks(ConditionalAEEncoder, ConditionalAEDecoder) -> None:
    """Stop unless both networks have the layers of AEEncoder and AEDecoder, and read the class."""
    c = torch.tensor([3, 0, 4, 1])
    encoder, decoder = ConditionalAEEncoder(3, 20, True, 5), ConditionalAEDecoder(3, 20, True, 5)
    hint = "All sizes follow from the arguments of __init__, whatever their values."
    need_count(encoder, 23_299, "ConditionalAEEncoder(3, 20, True, 5)", hint)
    need_count(decoder, 22_356, "ConditionalAEDecoder(3, 20, True, 5)", hint)
    _need_steady(encoder, torch.rand(4, 20), "ConditionalAEEncoder", c)
    _need_steady(decoder, torch.randn(4, 3), "ConditionalAEDecoder", c)
    _need_class_read(encoder, encoder, 20, "[x, c]", "ConditionalAEEncoder")
    _need_class_read(decoder, decoder, 3, "[z, c]", "ConditionalAEDecoder")
    _need_encoder(encoder, lambda x: encoder(x, c[:2]), 3, 20, 5, "ConditionalAEEncoder")
    _need_decoder(decoder, lambda z: decoder(z, c[:2]), 3, 20, 5, "ConditionalAEDecoder")
    encoder, decoder = ConditionalAEEncoder(3, 20, False, 5), ConditionalAEDecoder(3, 20, False, 5)
    what = "ConditionalAE{}(3, 20, False, 5), which is not conditional,"
    need_count(encoder, 22_019, what.format("Encoder"), "The class is ignored.")
    need_count(decoder, 22_036, what.format("Decoder"), "The class is ignored.")
    _need_encoder(encoder, lambda x: encoder(x, c[:2]), 3, 20, 0, what.format("Encoder"))
    _need_decoder(decoder, lambda z: decoder(z, c[:2]), 3, 20, 0, what.format("Decoder"))


@question(
    "autoencoder.conditional",
    "ConditionalAEEncoder",
    "ConditionalAEDecoder",
    "ConditionalBetaVAE",
    unseen="random images, codes, labels and betas, other sizes",
)
def check_conditional(ConditionalAEEncoder, ConditionalAEDecoder, ConditionalBetaVAE) -> None:
    """Encoder and decoder are told the class; forward samples, reconstruct does not."""
    _need_conditional_networks(ConditionalAEEncoder, ConditionalAEDecoder)
    name, x, c = "ConditionalBetaVAE", torch.rand(3, 1, 28, 28), torch.tensor([3, 0, 7])

    def make(nz: int):
        return ConditionalBetaVAE(nz, beta=0.3, conditional=True, num_labels=10)

    need_count(make(32), 445_008, "ConditionalBetaVAE(32, conditional=True, num_labels=10)")
    many = torch.arange(4000) * 7 % 10
    _need_sampling(make(4), name, many)
    _need_terms(make(5), name, c)
    _need_mean_decoded(make(4), name, c)
    for method, want in (("forward", many[:5]), ("reconstruct", c)):
        model = make(4)
        parts = _put_parts(model, torch.arange(8.0)[None])
        getattr(model, method)(torch.rand(len(want), 1, 28, 28), want)
        for part, which in zip(parts, ("encoder", "decoder"), strict=True):
            told = part.read[-1][1]
            need(told is not None, f"{name}.{method} does not give the labels to its {which}.")
            told = told.argmax(1) if told.dim() > 1 else told
            ok = torch.equal(told, want)
            need(ok, f"{name}.{method} gives its {which} other labels than those of the images.")
    plain = ConditionalBetaVAE(32)
    need_count(plain, 441_808, "ConditionalBetaVAE(32), which is not conditional,")
    _flat(plain(x)["rec"], 3, "ConditionalBetaVAE(32), without labels: rec")
    need_shape(plain.reconstruct(x), (3, 28, 28), "ConditionalBetaVAE(32), without: reconstruct")


@question("autoencoder.conditional_loop", "train_beta_vae", unseen="other images and labels")
def check_conditional_loop(train_beta_vae) -> None:
    """A conditional model is given the labels of its images, another one is not."""
    loader = [
        (torch.rand(8, 1, 28, 28), torch.tensor([3, 0, 7, 7, 1, 9, 2, 5]) - k) for k in (0, 1)
    ]
    loader = [(x, y % 10) for x, y in loader]
    for conditional in (True, False):
        model = Pixels()
        model.conditional = conditional  # as in ConditionalBetaVAE
        with contextlib.redirect_stdout(io.StringIO()):
            train_beta_vae(model, loader, 2, RATE)
        for (x, y), (seen, c) in zip([*loader, *loader], model.encoder.read, strict=False):
            what = "train_beta_vae: a model that is not conditional must be called without labels."
            need(conditional or c is None, what)
            need(
                torch.equal(seen.flatten(), x.flatten()), "train_beta_vae must give x to the model."
            )
            if conditional:
                told = isinstance(c, torch.Tensor)
                sentence = "call model(x, labels) where model.conditional is true."
                need(told, f"train_beta_vae must {sentence}")
                c = c.argmax(1) if c.dim() > 1 else c
                ok = torch.equal(c, y)
                need(ok, "train_beta_vae must give each image its own label, model(x, labels).")


@question("autoencoder.sample_digits", "sample_digits", unseen="other models and labels")
def check_sample_digits(sample_digits) -> None:
    """A code from N(0, I) of its own for each label, and the labels in their order."""
    drawn = []
    for n, nz in ((20_000, 8), (20_000, 8), (3, 5)):
        model, labels = Fixed(nz), torch.arange(n) * 7 % 10
        images = sample_digits(model, labels)
        need_shape(images, (n, 1, 28, 28), f"sample_digits of {n} labels")
        drawn.append(_need_decoded(model, images, "sample_digits"))
        c = model.codes()[1]
        need(c is not None, "sample_digits: the decoder gets no labels.")
        ok = torch.equal(c.flatten(), labels)
        need(ok, "sample_digits must give the decoder the labels asked for, in their order.")
    why = _not_normal(drawn[0])
    need(not why, f"sample_digits: the codes are not draws from N(0, I): {why}.")
    again = torch.equal(drawn[0], drawn[1])
    need(not again, "sample_digits: two calls draw the same codes. Set seeds once, outside.")


PIECES = ("encoder", "mu_layer", "logvar_layer", "decoder")
CODE = 5  # the latent size of the models that are looked into


def _width(model: nn.Module, inputs: int, what: str) -> int:
    """The number of units of the layer that reads so many numbers."""
    first = [one for one in model.parameters() if one.dim() == 2 and one.shape[1] == inputs]
    need(bool(first), f"{what} has no Linear layer for its {inputs} inputs.")
    return len(first[0])


def _is_like_no_other(h: int, classes: int) -> bool:
    """Does H tell layers apart, or is it another size as well, by chance?"""
    return h not in (CODE, CODE + classes, 784, 784 + classes)


def _part_after_part(model: nn.Module, name: str, classes: int):
    """x_hat, mu and logvar of a white image, if the four networks are called in turn."""
    for part in PIECES:
        need(hasattr(model, part), f"{name} has no attribute `{part}`; define it in __init__.")
    hidden = model.encoder(torch.ones(2, 784 + classes))
    mu = model.mu_layer(hidden)
    z = torch.cat((mu, torch.zeros(2, classes)), dim=1)
    return model.decoder(z), mu, model.logvar_layer(hidden)


def _through_forward(model: nn.Module, name: str, classes: int):
    """x_hat, mu and logvar of a white image as forward gives them."""
    return model(torch.ones(2, 1, 28, 28), *([torch.eye(classes)[:2]] if classes else ()))


def _need_vae_layers(model: nn.Module, name: str, classes: int, run) -> None:
    """Stop unless ReLU follows each layer but mu's, logvar's and the last, and that a sigmoid.

    All units of a layer are alike, hidden biases are 1, and mu and logvar about -50, so that noise
    is too small to see: the networks become a chain of numbers. Each of three choices of weights
    makes another layer negative, where ReLU shows, and a fourth one all of them large.
    """
    d, z, h = 784, CODE, _width(model, 784 + classes, name)
    for one, again in zip(
        run(model, name, classes)[1:], run(model, name, classes)[1:], strict=True
    ):
        steady = torch.allclose(one, again, atol=1e-6)
        need(steady, f"{name}: mu and logvar differ at every call. Is there dropout?")
    for layer, image, inner, code, right, missing in (
        ("first", -2.0, 1.0, 2 / 48, 2.0, 1.0),
        ("second", 0.0, -2.0, 0.0, 1.0, 3.0),
        ("third", -1.0, -2.0, 0.02, 0.0, -1.0),
        ("", 100.0, 1.0, -2.0, 103.0, 0.0),
    ):
        sums = {(h, d): image, (h, h): inner, (h, z): code, (z, h): 1.0, (d, h): 1.0}
        lower = 103 if image == 100 else 0  # then the code is -50 again
        sums |= {(h,): 1.0, (z,): -50.0 - lower, (d,): -1.0 - right}
        _alike(model, sums, classes)
        (x_hat, mu, logvar), again = run(model, name, classes), run(model, name, classes)
        steady = all(torch.allclose(*pair) for pair in zip((x_hat, mu, logvar), again, strict=True))
        need(steady, f"{name} gives something else at every call. Is there dropout?")
        where = f"of {name} with units all alike"
        known = {missing - 50: f"The ReLU after the encoder's {layer} layer is missing."}
        known |= {right - 50.01: LEAKY, right - 50.2: LEAKY, -49.156: "Tanh? ReLU is wanted."}
        known |= {-49.144: "Sigmoids? ReLU is wanted.", 0.0: "Nothing may follow its Linear layer."}
        more = (ROUGHLY, CUT_OFF) if lower else ()  # sums of large numbers round
        _need_all(mu, right - 50 - lower, f"mu {where}", known, *more)
        _need_all(logvar, right - 50 - lower, f"logvar {where}", known, *more)
        pixel = 1 / (1 + math.exp(1 + right - missing)) if layer else 0.0
        known = {pixel: f"The ReLU after the decoder's {layer} layer is missing."} if layer else {}
        known |= {0.267: LEAKY, 0.2315: LEAKY}
        known |= {-1.0: "The sigmoid is missing.", 0.5668: "There are two sigmoids at its end."}
        known |= {-0.7616: "It ends in tanh instead of a sigmoid.", 0.0013: "Is it a softmax?"}
        known[0.5] = "A ReLU stands before the sigmoid: no pixel gets below 1/2."
        _need_all(x_hat, 0.2689414, f"x_hat {where}", known, *more)


def _need_vae_networks(make, classes: int, name: str) -> None:
    """What VAE and CVAE share: four networks, their sizes, their activations."""
    d = 784
    for z in (15, CODE):
        model = make(z)
        if any(map(is_lazy, model.parameters())):
            _through_forward(model, name, classes)  # lazy layers learn their sizes
        both = (" of [x, c]", " of [z, c]") if classes else ("", "")
        h = _width(model, d + classes, f"{name}'s encoder{both[0]}")
        _width(model, z + classes, f"{name}'s decoder{both[1]}, with latent_size = {z},")
        layers = [(d + classes, h), (h, h), (h, h), (h, z), (h, z)]
        layers += [(z + classes, h), (h, h), (h, h), (h, d)]
        hint = "Every size follows from the arguments of __init__ and one H; keep biases."
        what = f"{name} with latent_size = {z} (and H = {h})"
        need_count(model, sum(a * b + b for a, b in layers), what, hint)
    need(hasattr(model, "decoder"), f"{name} has no attribute `decoder`; others call it.")
    codes = 8 * torch.randn(2, CODE + classes)
    images = model.decoder(codes)
    inside = bool((_flat(images, 2, f"{name}.decoder's output") - 0.5).abs().max() <= 0.5)
    need(inside, f"{name}.decoder's output leaves [0, 1]; it must pass a sigmoid.")
    again = torch.equal(images, model.decoder(codes))
    need(again, f"{name}.decoder gives something else at every call. Is there dropout?")
    _either(  # forward may give them their shape
        lambda: need_shape(images, (2, 1, 28, 28), f"{name}.decoder's output"),
        lambda: need_shape(_through_forward(model, name, classes)[0], (2, 1, 28, 28), "x_hat"),
    )
    if _is_like_no_other(h, classes):
        _either(
            lambda: _need_vae_layers(model, name, classes, _part_after_part),
            lambda: _need_vae_layers(model, name, classes, _through_forward),
        )


def _let_codes_through(model: nn.Module, name: str, classes: int) -> None:
    """Weights with which x_hat shows the code: 16 * logit(x_hat) begins with z.

    The decoder carries the positive and the negative parts of z on; mu and logvar are far apart
    and of either sign. Of the class, nothing is read.
    """
    d, z, h = 784, CODE, _width(model, 784 + classes, name)
    both = torch.cat((torch.eye(z), -torch.eye(z)))
    signs = iter(torch.tensor([[1.0, -1, 1, -1, 1], [-3.0, -3, 3, 3, -3]]))
    for one in model.parameters():
        shape, values = tuple(one.shape), torch.zeros_like(one)
        if shape == (h, d + classes):
            values[:, :d] = torch.rand(h, d) / 100
        elif shape == (h, z + classes):
            values[: 2 * z, :z] = both
        elif shape == (h, h):
            values[: 2 * z, : 2 * z] = torch.eye(2 * z)
        elif shape == (z, h):
            values = torch.rand(z, h) * next(signs)[:, None] * 0.12
        elif shape == (d, h):
            values[:z, : 2 * z] = both.T / 16
        one.data = values


def _need_vae_forward(model: nn.Module, name: str, *c: torch.Tensor) -> None:
    """What the forward passes of VAE and CVAE share, with one-hot classes c: (4000, 10) or not."""
    n, classes = 4000, 10 if c else 0
    bright = torch.linspace(0.1, 1, n)[torch.randperm(n)]
    x = bright.view(n, 1, 1, 1) * (0.5 + torch.rand(n, 1, 28, 28) / 2)
    few = [one[:100].clone() for one in (x, *c)]  # all but the distribution is seen on these
    images = few[0].requires_grad_()
    outputs = model(*few)
    triple = isinstance(outputs, (tuple, list)) and len(outputs) == 3
    need(triple, f"{name}.forward must return three things: x_hat, mu, logvar.")
    need_shape(outputs[0], (100, 1, 28, 28), f"{name}.forward's x_hat")
    need_float32(outputs[0], f"{name}.forward's x_hat")
    need_shape(outputs[1], (100, CODE), f"{name}.forward's mu")
    need_shape(outputs[2], (100, CODE), f"{name}.forward's logvar")
    if not _is_like_no_other(_width(model, 784 + classes, name), classes):
        return
    _let_codes_through(model, name, classes)
    (x_hat, mu, logvar), again = model(*few), model(*few)
    steady = torch.equal(mu, again[1]) and torch.equal(logvar, again[2])
    need(steady, f"{name}.forward: mu and logvar are drawn. Return them themselves, not z.")
    need(not torch.equal(x_hat, again[0]), f"{name}.forward draws no fresh noise for z.")
    model.eval()
    quiet = torch.equal(model(*few)[0], model(*few)[0])
    model.train()
    need(not quiet, f"{name}.forward draws no code after model.eval(); it must do so there, too.")
    need(not torch.equal(mu, logvar), f"{name}.forward: mu and logvar are one and the same.")
    for got, which in ((mu, "mu"), (logvar, "logvar")):
        varied = bool(got.std(0).max() > 1e-3)
        need(varied, f"{name}.forward: {which} is the same for all images.")
        need(bool((got < 0).any()), f"{name}.forward: {which} is never negative; what follows it?")
    half = model(images[-49:] / 2, *(one[-49:] for one in few[1:]))  # here biases are 0
    for got, one, which in ((mu, half[1], "mu"), (logvar, half[2], "logvar")):
        ok = torch.allclose(2 * one, got[-49:], rtol=1e-3, atol=1e-4)
        own = f"{name}.forward: {which} must follow from its own image alone, "
        need(ok, f"{own}given to self.encoder as is; nothing may clamp or change it.")
    drawn = model(x, *c)
    _need_sampled(name, drawn[0].flatten(1)[:, :CODE], drawn[1], drawn[2])
    for got, which in ((mu, "mu"), (logvar, "logvar")):
        stop = f"{name}.forward: no gradient of the {which} that is returned reaches"
        need(got.requires_grad, f"{stop} anything. Is it detached?")
        (slope,) = torch.autograd.grad(got.sum(), images, retain_graph=True, allow_unused=True)
        reached = slope is not None and bool(slope.any())
        need(reached, f"{stop} the images. Is something detached on its way?")
    need(x_hat.requires_grad, f"{name}.forward: x_hat has no gradient. Is something detached?")
    model.zero_grad()
    x_hat.sum().backward()
    for which, one in (("x", images), *model.named_parameters()):
        reached = one.grad is not None and bool(one.grad.any())
        need(reached, f"{name}.forward: no gradient of x_hat reaches {which}. Is z detached?")


def _linked(noise: torch.Tensor, b: torch.Tensor) -> bool:
    """Does noise of mean 0 and spread 1, (N, Z), go with b? Seven standard errors are allowed."""
    together = (noise * b / b.square().mean(0).sqrt()).mean(0).sum()
    return bool(together.abs() > 7 * (b.shape[1] / len(b)) ** 0.5)


def _need_sampled(name: str, pixels: torch.Tensor, mu: torch.Tensor, logvar: torch.Tensor) -> None:
    """Stop unless these pixels, which show the code, are of draws from N(mu, exp(logvar))."""
    pixels, mu, logvar = pixels.detach(), mu.detach(), logvar.detach()
    again = bool((pixels >= 0.5).all())
    need(not again, f"{name}.forward: no pixel is below 1/2. Is there a second sigmoid?")
    z = 16 * torch.logit(pixels)
    guesses = {
        "mu and logvar change places, in what is returned or before": (z - logvar) / (mu / 2).exp(),
        "the spread is exp(logvar), the variance": (z - mu) / logvar.exp(),
        "the spread is 1": z - mu,
        "reparametrize wants logvar, not exp(logvar)": (z - mu) / (logvar.exp() / 2).exp(),
        "reparametrize wants logvar, not sigma": (z - mu) / ((logvar / 2).exp() / 2).exp(),
        "reparametrize wants logvar, not half of it": (z - mu) / (logvar / 4).exp(),
        "mu is returned, but another mean is drawn from": z / (logvar / 2).exp(),
    }
    eps = (z - mu) / torch.exp(logvar / 2)
    why = _not_normal(eps)
    if _linked(eps, mu) or _linked((eps.square() - 1) / 2**0.5, logvar - logvar.mean(0)):
        why = "it hangs on mu or logvar, as if those of another image were used"
    hints = [guess for guess, noise in guesses.items() if not _not_normal(noise)]
    hint = hints[0] if hints else f"for (z - mu) / sigma, {why}. Check {name}'s networks first"
    need(
        not why, f"{name}.forward: x_hat is not decoded from a draw of N(mu, exp(logvar)): {hint}."
    )


def _takes_images(run: Callable[[torch.Tensor], object]) -> bool:
    """Does it take images as the data has them? What is not written yet is not held against it."""
    try:
        run(torch.rand(2, 1, 28, 28))
    except Exception as error:
        return unwritten(error)
    return True


@question("fc-vae.networks", "VAE", unseen="random weights, images, codes; other latent sizes")
def check_networks(VAE) -> None:
    """The four networks have the right sizes, activations and numbers of parameters."""
    _need_vae_networks(lambda z: VAE(784, latent_size=z), 0, "VAE")
    model = VAE(784, latent_size=CODE)
    ok = _takes_images(model) or _takes_images(getattr(model, "encoder", model))
    need(ok, "VAE: neither encoder nor forward takes images (N, 1, 28, 28): begin with nn.Flatten.")


@question("fc-vae.reparametrize", "reparametrize", unseen="random means and spreads")
def check_reparametrize(reparametrize) -> None:
    """z has mean mu and standard deviation exp(logvar / 2), and passes gradients on."""
    z = reparametrize(torch.zeros(1, 15), torch.ones(1, 15))
    need_shape(z, (1, 15), "reparametrize's z")
    mean_error = rel_error(z.mean(-1), torch.tensor([-0.4363]))
    std_error = rel_error(z.std(-1), torch.tensor([1.6860]))
    spreads = {
        4.0: "This is exp(logvar), the variance.",
        1.386: "This is logvar itself.",
        1.0: "The spread is ignored.",
        1.177: "This is the root of logvar.",
        16.0: "This is exp(2 * logvar).",
        0.5: "This is exp(-logvar / 2).",
        1.414: "The root is taken twice.",
    }
    _need_gaussian(
        reparametrize,
        "reparametrize logvar",
        second=torch.log,
        slope=lambda moved, variance: moved / 2,
        spreads=spreads,
    )
    print(f"Mean Error {mean_error}\nStd Error {std_error}")
    if max(mean_error, std_error) > 1e-4:
        print("(A single torch.randn draw gives errors below 1e-4; your noise is right as well.)")


@question("fc-vae.forward", "VAE", unseen="random weights and images, other batches and sizes")
def check_forward(VAE) -> None:
    """forward encodes, draws a code and decodes."""
    _need_vae_forward(VAE(784, latent_size=CODE), "VAE")


def _as_outputs(given: Iterable[torch.Tensor]) -> list[torch.Tensor]:
    """Copies, as a network gives them: a loss may work in place on them."""
    return [1 * one for one in given]


@question("fc-vae.loss", "loss_function", unseen="random images, codes and batches")
def check_loss(loss_function) -> None:
    """The loss is 8.5079 on two given images and a mean over the batch."""
    quarter, two = torch.full((1, 1, 2, 2), 0.25), torch.full((1, 2), 2.0)
    wide = torch.full((1, 2), 1.3862944)
    known = {
        -10.719438: "The sign is flipped: this is the bound itself; the loss is its negative.",
        5.105733: "This is the reconstruction term alone; the KL term is missing.",
        5.613706: "This is the KL term alone; the reconstruction term is missing.",
        12.626821: "The two images are swapped: binary_cross_entropy takes the prediction first.",
        6.890139: "The reconstruction term is a mean over pixels; it must be their sum.",
        7.303706: "The reconstruction term is the squared error; pixels are Bernoulli variables.",
        6.036206: "The reconstruction term is the squared error; pixels are Bernoulli variables.",
        8.017463: "x_hat is taken for logits; the decoder's sigmoid made it probabilities.",
        10.604365: "The half of the pixels that are 0 is missing.",
        -0.507973: "The KL term has its sign flipped.",
        16.333144: "The factor 1/2 of the KL term is missing.",
        7.912585: "The KL term is a mean over the latent dimensions; it must be their sum.",
        4.083286: "Both terms are means over an image; both must be sums.",
        9.165393: "logvar is taken for sigma squared itself; it is a logarithm.",
        9.374276: "logvar is taken for sigma itself; it is log(sigma^2).",
        8.105733: "The exponential is missing: the last term is exp(logvar).",
        8.719438: "mu is not squared, or the last term is sigma instead of its square.",
        22.719438: "The last term is exp(logvar) squared; it is sigma squared already.",
        6.719438: "The term mu^2 is missing.",
        11.719438: "The 1 in the KL term is missing.",
        12.105733: "The term logvar is missing.",
        11.416601: "mu and logvar are swapped.",
        2.719438: "A sign in the KL term is flipped.",
    }
    what = "loss_function with mu = 2, variance 4 and x_hat = 0.25 where x is 0.9"
    given = quarter, quarter + 0.65, two, wide
    need_value(loss_function(*_as_outputs(given)), 10.719438, what, known)
    given = quarter, quarter + 0.65, 0 * two, 0 * wide
    what = "loss_function with mu = 0, variance 1, where KL is 0, and x_hat = 0.25 where x is 0.9"
    need_value(loss_function(*_as_outputs(given)), 5.105733, what, {})
    given = quarter, quarter + 0.65, 4.5 * two, torch.tensor([[6.0, -6.0]])
    what = "loss_function with mu = 9 and logvar = 6 and -6"
    hint = "Is mu or logvar cut off? They may be any number."
    need_value(loss_function(*_as_outputs(given)), 286.821406, what, {}, otherwise=hint)
    x_hat = torch.sigmoid(torch.tensor([[[[2.0, 5.0], [6.0, 7.0]]]]))
    x = torch.sigmoid(torch.tensor([[[[1.0, 10.0], [9.0, 3.0]]]]))
    given = x_hat, x, torch.ones(1, 15), torch.zeros(1, 15)
    out = loss_function(*_as_outputs(given))
    known = {1.5079: "The KL term is a mean over the latent dimensions; it must be their sum."}
    need_value(out, 8.50792, "loss_function", known)
    three = loss_function(*(t.expand(3, *t.shape[1:]).clone() for t in given))
    known = {
        25.52377: "It is summed over the batch; it must be the mean.",
        23.50793: "The KL term is summed over the batch; it must be the mean.",
        10.52377: "The reconstruction is summed over the batch; it must be the mean.",
        2.83597: "It is divided by the batch size twice.",
    }
    need_value(three, 8.50792, "loss_function of three equal images", known)
    pair = torch.rand(2, 1, 5, 3), torch.rand(2, 1, 5, 3), torch.randn(2, 4), torch.randn(2, 4)
    alone = [loss_function(*_as_outputs(t[k : k + 1] for t in pair)).reshape(()) for k in (0, 1)]
    mean = torch.allclose(loss_function(*_as_outputs(pair)).reshape(()), sum(alone) / 2, rtol=1e-4)
    need(mean, "loss_function of two images must be the mean of what it is for each of them.")
    leaves = [t.clone().requires_grad_() for t in (2 * quarter, two, -wide)]
    x_hat, mu, logvar = _as_outputs(leaves)
    total = loss_function(x_hat, 3 * quarter, mu, logvar)
    slopes = zip(leaves, (-1.0, 2.0, -0.375), strict=True)
    _need_gradients(
        total, "loss_function", dict(zip(("x_hat", "mu", "logvar"), slopes, strict=True))
    )
    print(f"Loss error {rel_error(torch.tensor(8.5079), out)}")


def _need_class_in_forward(model: nn.Module, x: torch.Tensor, c: torch.Tensor) -> None:
    """Stop unless encoder and decoder read the class behind the image and behind the code."""
    d, z, classes = 784, CODE, c.shape[1]
    h = _width(model, d + classes, "CVAE")
    if not _is_like_no_other(h, classes):
        return
    _let_codes_through(model, "CVAE", classes)
    for one in model.parameters():
        if one.shape == (h, d + classes):
            one.data[:, 1:] = 0
            one.data[:, 0] *= 100
            one.data[:, d + int(c[0].argmax())] = one.data[:, 0]  # the class is worth a pixel
    x[0, 0, 0, 0], x[1:, 0, 0, 0] = 0.0, 1.0
    mu = model(x, c)[1]
    order = "CVAE.forward: the encoder must read [x, c], the image first, then the class as it is."
    need(torch.allclose(mu, mu[:1].expand_as(mu), atol=1e-5), order)
    need(bool(mu.any()), order)
    for one in model.parameters():
        if one.shape == (h, z + classes):
            one.data = torch.cat((torch.zeros(h, z), torch.rand(h, classes)), dim=1)
    images, again = model(x, c)[0], model(x, c)[0]
    order = "CVAE.forward: the decoder must read [z, c], the code first, then the class."
    need(torch.allclose(images, again, atol=1e-6), order)
    need(not torch.allclose(images[0], images[1], atol=1e-6), order)
    alone = model.decoder(torch.cat((torch.randn(len(c), z), c), dim=1))
    ok = torch.allclose(alone.flatten(1), images.flatten(1), atol=1e-6)
    need(ok, "CVAE.decoder must take [z, c], as forward gives it.")


@question("fc-vae.cvae", "CVAE", unseen="random weights, images, codes and classes, other sizes")
def check_cvae(CVAE) -> None:
    """The conditional model reads [x, c] and [z, c]."""
    for classes in (10, 4):
        make = functools.partial(CVAE, 784, num_classes=classes)
        _need_vae_networks(lambda z: make(latent_size=z), classes, "CVAE")  # noqa: B023
    model = CVAE(784, num_classes=10, latent_size=CODE)
    _need_class_in_forward(model, torch.rand(3, 1, 28, 28), one_hot(torch.tensor([3, 0, 7])))
    _need_vae_forward(model, "CVAE", one_hot(torch.arange(4000) * 7 % 10))


def _numbers(*shape: int) -> torch.Tensor:
    """Numbers in (-1, 1) as if drawn by chance, the same everywhere: cubes modulo a prime."""
    count, place = math.prod(shape), (torch.arange(10007) + 3000) % 10007
    numbers = place**3 % 10007 / 5003 - 1  # which begin again there
    return numbers.repeat(-(-count // 10007))[:count].reshape(shape)


def _patterns(count: int) -> torch.Tensor:
    """Images, coarse and fine at once and of either sign: no unit is always silent."""
    coarse = _numbers(count, 1, 4, 4).repeat_interleave(7, 2).repeat_interleave(7, 3)
    return 2 * coarse + _numbers(count, 1, 28, 28)


@dataclass(frozen=True)
class Table:
    """What a table of layers promises, in public numbers.

    `sizes` of the weights, layer by layer; `slope`, by which activations multiply numbers below 0;
    `end`, what the last layer ends in; `shape` of what comes out for the input `x`. `right`: what
    that is, an output as one number, when all weights are `_numbers`; there is a row for each
    reading of the text. `look` finds other mistakes by name.
    """

    what: str
    count: int
    sizes: tuple[int, ...]
    slope: float
    end: str
    x: torch.Tensor
    shape: tuple[int, ...]
    right: tuple[tuple[float, ...], ...]
    look: Callable[[Table, nn.Module], None] = lambda table, net: None


def _fill(net: nn.Module) -> None:
    """Make all weights numbers that their size alone decides: names and order are free."""
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(_numbers(*p.shape) * ((3 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1))


def _as_numbers(out: torch.Tensor) -> torch.Tensor:
    """Each output as one number, to which all that it holds contributes."""
    flat = out.detach().flatten(1)
    return (flat @ _numbers(flat.shape[1], 1)).flatten() / flat.shape[1] ** 0.5


def _need_table(net, table: Table, in_order: bool = False) -> None:
    """Stop unless the network computes what its table says, in whatever way it is written.

    Its weights become public numbers, and so does what comes out. Where that is wrong, simpler
    weights show which mistake it is.
    """
    what, x = table.what, table.x.clone().requires_grad_()
    need(isinstance(net, nn.Module), f"{what} must be a network, not {type(net).__name__}.")
    if any(map(is_lazy, net.parameters())):
        net(x)  # lazy layers learn their sizes
    need_count(net, table.count, what)
    sizes = [p.numel() for p in net.parameters() if p.dim() > 1]
    order = list if in_order else sorted
    ok = order(sizes) == order(table.sizes)
    need(ok, f"{what} must define the table's layers in its order; yours have {sizes} weights.")
    need_shape(net(x), table.shape, f"{what}'s output")
    for layer in net.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            ok = (layer.momentum, layer.eps, layer.track_running_stats) == (0.1, 1e-5, True)
            as_they_come = "momentum 0.1, eps 1e-5, track_running_stats True"
            need(ok, f"{what}: leave batch norms as they come: {as_they_come}.")
    _fill(net)
    before = net(x)
    net(x.detach().flip(0))  # what came before must not matter
    out = net(x)
    same = torch.allclose(out, before, rtol=1e-4, atol=1e-5)
    need(same, f"{what} gives other numbers each time: is there a dropout, or a memory?")
    seen = _as_numbers(out)
    far = [(seen - torch.tensor(one)).abs().max() for one in table.right]
    if not min(far) < 3e-4 * seen.abs().max():
        _name_mistake(table, net)
    stop = f"{what} lets no gradient through: use no .detach(), .data or .item() in it."
    need(out.requires_grad, stop)
    out.square().sum().backward()
    need(x.grad is not None and bool(x.grad.any()), stop)
    need(all(p.grad is not None for p in net.parameters()), stop)
    net.eval()
    _hand_on(table, net)
    with torch.no_grad():
        [p.div_(40) for p in net.parameters() if p.dim() > 1 and p.numel() == table.sizes[-1]]
        got = UNDOES[table.end](net(40 * torch.ones_like(x)).flatten()[0]).item()
    ok = abs(got - 1) < 1e-3
    need(
        ok, f"{what}: where each layer hands on what it gets, 40 becomes {40 * got:.3g}. {CUT_OFF}"
    )


def _hand_on(table: Table, net: nn.Module, *turned: int) -> None:
    """Every layer now hands on the mean of its inputs; the layers in `turned` its negative."""
    with torch.no_grad():
        for p in net.parameters():
            p.zero_()
            if p.numel() in table.sizes and p.dim() > 1:
                sign = -1 if table.sizes.index(p.numel()) in turned else 1
                side = p.shape[-1] if p.dim() == 4 else 1
                inputs = p.shape[0 if side == 4 else 1]  # a transposed convolution has them first
                middle = slice((side - 1) // 2, side // 2 + 1)
                (p[..., middle, middle] if p.dim() == 4 else p).fill_(sign / inputs)
    for layer in net.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.reset_parameters()


ENDS = {"": "no activation", "sigmoid": "a sigmoid", "tanh": "a tanh"}
DOES = {"": torch.clone, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
UNDOES = {"": torch.clone, "sigmoid": torch.logit, "tanh": torch.atanh}
SLOPES = {
    0.0: "a ReLU",
    0.01: "a LeakyReLU of slope 0.01",
    0.2: "a LeakyReLU of slope 0.2",
    1.0: "no activation",
}


def _name_mistake(table: Table, net: nn.Module) -> None:
    """Stop with the name of the mistake, where simple weights can show it.

    When all layers hand on means, 1 stays 1 up to the end. With two layers in a row turned, what
    lies between them is below 0, and nothing else: what comes out shows what became of it there.
    """
    what, last, undo = table.what, len(table.sizes) - 1, UNDOES[table.end]
    net.eval()  # batch norm hands on what it gets

    def result(*turned: int) -> torch.Tensor:
        _hand_on(table, net, *turned)
        return net(torch.ones_like(table.x)).detach().flatten()[0]

    got = torch.stack((result(), result(last)))
    ones = torch.tensor([1.0, -1.0])
    hint = "Which activation or pooling changes numbers above 0?"
    for end, does in DOES.items():
        if torch.allclose(got, does(ones), atol=1e-3):
            hint = f"It ends in {ENDS[end]}; it must end in {ENDS[table.end]}."
    right = DOES[table.end](ones)[0]
    sentence = f"{what}: where each layer hands on the mean of its inputs, 1 becomes {got[0]:.4f}"
    need(abs(got[0] - right) < 1e-3, f"{sentence}, not {right:.4f}. {hint}")
    for layer, name in zip(range(last), ("first", "second", "third"), strict=False):
        slope = undo(result(layer, layer + 1)).item()
        kinds = [kind for known, kind in SLOPES.items() if abs(slope - known) < 1e-3]
        kind = kinds[0] if kinds else f"what multiplies numbers below 0 by {slope:.3g}"
        ok = kind == SLOPES[table.slope]
        where = f"{what}: behind the {name} layer with weights stands {kind}"
        need(ok, f"{where}; it must be {SLOPES[table.slope]}.")
    slope = undo(got[1]).item()
    ok = abs(slope + 1) < 1e-3
    need(ok, f"{what}: an activation behind the last layer makes {slope:.3g} of -1; leave it out.")
    table.look(table, net)
    raise NotYet(
        f"{what} has the right layers and activations, but computes something else. Compare "
        "strides, padding, pooling, upsampling, and what stands before what, with the table."
    )


def _look_at_pooling(table: Table, net: nn.Module) -> None:
    """Of one white pixel in each square of sixteen, the largest is 1 and the mean is less."""
    _hand_on(table, net)
    dots = torch.zeros(1, 1, 28, 28)
    dots[..., ::4, ::4] = 1
    left = net(dots.view(1, *table.x.shape[1:])).item()
    sentence = f"{table.what}: pooling leaves {left:.3g} of 1 where one pixel in sixteen is white; "
    need(abs(left - 1) < 1e-3, sentence + "it must keep the largest of four, not their mean.")


def _look_at_upsampling(table: Table, net: nn.Module) -> None:
    """The first layer paints a ramp of 7 x 7 greys; an image then has 49 squares of 4 x 4."""
    _hand_on(table, net)
    ramp = torch.arange(49.0).view(7, 7) / 49
    with torch.no_grad():
        next(p for p in net.parameters() if p.shape == (1568,)).copy_(ramp.flatten().repeat(32))
        squares = net(torch.zeros(1, 64)).logit().view(7, 4, 7, 4)
    ok = (squares - squares[:, :1, :, :1]).abs().max() < 1e-3
    need(ok, "GNet: an Upsample blurs; it must repeat the nearest pixel, as it comes.")
    ok = (squares[:, 0, :, 0] - ramp).abs().max() < 1e-3
    need(ok, "GNet: the 1568 numbers are viewed in another order than (32, 7, 7).")


def _look_at_norms(table: Table, net: nn.Module) -> None:
    """Batch norm centres what it gets: behind the last ReLU, half of it must be below 0 again."""
    _hand_on(table, net)
    net.train()
    signs = torch.tensor([[1.0], [-1.0]]).expand(2, 4)
    ok = net(signs).min() < -0.5
    need(ok, f"{table.what}: each batch norm must stand behind its ReLU, so that it centres again.")


DNET = Table(
    "DNet",
    593,
    (18, 72, 288, 200),
    0.0,
    "",
    8 * _patterns(5),
    (5, 1),
    ((-0.056559, -0.355998, 1.176825, 0.629364, 1.414044),),
    _look_at_pooling,
)
GNET = Table(
    "GNet",
    107_777,
    (100_352, 4608, 1152, 72),
    0.2,
    "sigmoid",
    2 * _numbers(5, 64),
    (5, 1, 28, 28),
    ((-0.216014, -0.332181, -0.208713, -0.325535, -0.278497),),
    _look_at_upsampling,
)


@question("conv-gan.DNet", "DNet", unseen="other weights and images")
def check_DNet(DNet) -> None:
    """The network of table 1, its layers defined in order; logits out."""
    _need_table(DNet(), DNET, in_order=True)


@question("conv-gan.GNet", "GNet", unseen="other weights and codes")
def check_GNet(GNet) -> None:
    """The network of table 2, its layers defined in order, for codes of any length."""
    _need_table(GNet(64), GNET, in_order=True)
    need_count(GNet(7), 18_401, "GNet(7)", "Is 64 written where zdim should stand?")
    need_shape(GNet(7)(_numbers(5, 7)), (5, 1, 28, 28), "GNet(7)'s output")


@question(
    "conv-gan.weight_init", "DNet", "GNet", unseen="other draws; each weight beside the others"
)
def check_weight_init(DNet, GNet) -> None:
    """Weights are Kaiming-uniform: up to sqrt(6 / fan_in) in size, evenly; biases are zero."""
    for make, times in ((DNet, 40), (lambda: GNet(64), 20)):
        nets = [dict(make().named_parameters()) for _ in range(times)]
        for name in nets[0]:
            what = f"{type(make()).__name__}.{name}"
            ok = all(net[name].requires_grad for net in nets)
            need(ok, f"{what} cannot learn after _weight_init: leave requires_grad as it is.")
            drawn = torch.stack([net[name].detach() for net in nets])
            if drawn.dim() == 2:
                need(not drawn.any(), f"{what}: the bias must be 0.")
                continue
            need(drawn.std(0).min() > 0, f"{what}: every new network starts with the same weights.")
            scaled = drawn.flatten() * (drawn[0, 0].numel() / 6) ** 0.5
            _need_uniform(scaled, what)
            # One of 2880 weights comes within a hundredth, but for one answer in 10^12.
            near = make is not DNet or len(scaled) < 2880 or bool(scaled.abs().max() > 0.99)
            need(
                near, f"{what}: no weight comes near its bound. DNet has ReLU: its gain is sqrt(2)."
            )


def _need_uniform(scaled: torch.Tensor, what: str) -> None:
    """Stop unless weights, in units of their bound, are uniform in (-1, 1) or nearly.

    720 weights or more: less than one in 10^9 right answers is refused. The gain of LeakyReLU
    (0.2), two percent less, is right for GNet, which has it.
    """
    high, mean = scaled.abs().max().item(), scaled.mean().item()
    spread = scaled.std().item() * 3**0.5
    hint = "Call kaiming_uniform_ as it comes: it takes fan_in and the gain of ReLU."
    if abs(spread - 6**-0.5) < 0.05:
        hint = "That is torch's default: is _weight_init reached for this layer?"
    ok = high < 1.001
    need(ok, f"{what}: a weight is {high:.2f} times sqrt(6 / fan_in), the bound. Is it _normal_?")
    ok = high > 0.95 and abs(spread - 1) < 0.13
    need(ok, f"{what}: the spread is {spread:.2f} of what kaiming_uniform_ gives. {hint}")
    need(abs(mean) < 0.14, f"{what}: the weights have mean {mean:.2f} of their bound, not 0.")


# What the cross-entropies of LOGITS_REAL and LOGITS_FAKE come to when a loss is written otherwise.
WRONG_D = {
    1.321731: "Real and fake are exchanged: real images have target 1, fakes 0.",
    1.089266: "The term of the fakes is missing.",
    0.753133: "The term of the real images is missing.",
    1.860552: "The fakes have target 1 here too; D wants 0 for them.",
    1.303578: "The real images have target 0 here; D wants 1 for them.",
    0.336133: "The term of the fakes is subtracted; add it.",
    1.788516: "The real images have target 0.9; the docstring says 1.",
    1.502878: "A sigmoid is applied twice: the loss takes logits.",
    18.423984: "These are sums over the batch; means are wanted.",
    3.754059: "These are squares; cross-entropies are wanted.",
    0.520667: "These are the logits themselves; their cross-entropies are wanted.",
    -1.842398: "The sign is flipped.",
}
WRONG_G = {
    0.753133: "The targets of the fakes must be 1 here: G wants them taken for real.",
    -0.753133: "This is the saturating form, flat where D is sure; use -log sigma(D).",
    7.712862: "This is a sum over the batch; the mean is wanted.",
    0.385643: "This is half of the mean.",
    0.769471: "The fakes have target 0.9; the docstring says 1.",
    0.476956: "A sigmoid is applied twice: the loss takes logits.",
    1.633910: "These are squares; cross-entropies are wanted.",
    0.018153: "These are the logits themselves; their cross-entropies are wanted.",
    -0.771286: "The sign is flipped.",
}


SURE = torch.tensor([100.0, -100.0])
"""Logits at which a sigmoid rounds to 1 or 0."""
FAR = torch.tensor([7.0, -7.0])
"""Logits of a discriminator that is sure of itself: what limits logits shows here."""


def _need_far(got, right: float, what: str) -> None:
    """Stop unless a loss is right where logits are FAR, given that it is right near 0."""
    value = got.detach().mean().item()
    said = f"{what} gives {value:.4g} at logits of 7 and -7, where {right:.4g} is right."
    ok = abs(value - right) < 0.002
    need(ok, f"{said} Are logits cut off or limited? They may be any number.")


class Given(nn.Module):
    """A network put in the place of the student's. Its one parameter, `shift`, starts at 0.

    What it gives grows by a thousand times `shift`: gradients are large, so that a clipped one
    shows. `codes` are those that it was given, `moves` counts the steps of a `Descent`.
    """

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))
        self.shift.moves, self.codes = 0, []

    def shifted(self, level: torch.Tensor) -> torch.Tensor:
        return level + 1000 * self.shift


class MeanLogit(Given):
    """A discriminator: the logit of an image is its mean."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shifted(x.flatten(1).mean(1, keepdim=True))


class OneGrey(Given):
    """A generator for conv-gan: all pixels of an image are the first number of its code."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        self.codes.append(z.detach().clone())
        return self.shifted(z[:, 0]).view(-1, 1, 1, 1).expand(-1, 1, 28, 28)


def _need_gradient(loss, given: Given, right: float, what: str, of: str) -> None:
    """Stop unless the loss changes by `right` for each 1 that the logits grow by."""
    need(loss.requires_grad, f"{what} has no gradient: return a tensor, with no .item() or detach.")
    loss.backward()
    got = 0.0 if given.shift.grad is None else given.shift.grad.item() / 1000
    need(got != 0, f"{what} sends no gradient into {of}: is something detached?")
    ok = abs(got - right) < 1e-4
    need(ok, f"{what}: its gradient leads {of} elsewhere. Is a part of it detached?")


def _given_game(GAN, real: torch.Tensor, fake: torch.Tensor):
    """A GAN whose networks are simple, with images and codes that give these logits."""
    gan = GAN()
    gan.disc, gan.gen = MeanLogit().to(gan._dev), OneGrey().to(gan._dev)
    data = real.view(-1, 1, 1, 1).repeat(1, 1, 28, 28)
    z = torch.zeros(len(fake), gan._zdim)
    z[:, 0] = fake
    return gan, data.to(gan._dev), z.to(gan._dev)


def _need_codes(gan, z: torch.Tensor, what: str) -> None:
    used = bool(gan.gen.codes) and all(torch.equal(one, z) for one in gan.gen.codes)
    need(used, f"{what} must make its fakes from the codes z that it is given.")


@question("conv-gan.loss_d", "GAN", unseen="other logits and networks; what stays frozen")
def check_loss_d(GAN) -> None:
    """One mean over the 2N logits: 0.9212 at ten given ones each; the generator is left alone."""
    gan, data, z = _given_game(GAN, LOGITS_REAL, LOGITS_FAKE)
    loss = gan._get_loss_d(10, data, z)
    _need_codes(gan, z, "_get_loss_d")
    known = {value / 2: sentence for value, sentence in WRONG_D.items()} | {
        1.842398: "This is the sum of the two halves; this part asks for their mean.",
        1.089266: "The term of the fakes is missing.",
        0.753133: "The term of the real images is missing.",
        18.423984: "This is a sum over the 2N logits; their mean is wanted.",
        9.211992: "This is a sum over the batch; the mean over the 2N logits is wanted.",
    }
    need_value(loss, 0.921199, "_get_loss_d at ten given logits each", known, 5e-5)
    _need_gradient(loss, gan.disc, -0.058344, "_get_loss_d", "the discriminator")
    reached = gan.gen.shift.grad is not None and gan.gen.shift.grad.any()
    need(not reached, "_get_loss_d sends gradients into the generator: detach the fakes.")
    gan, data, z = _given_game(GAN, LOGITS_REAL[:4], LOGITS_FAKE[:4])
    need_value(gan._get_loss_d(4, data, z), 0.743353, "_get_loss_d of four images", {}, 5e-5)
    gan, data, z = _given_game(GAN, FAR, FAR)
    _need_far(gan._get_loss_d(2, data, z), 3.500911, "_get_loss_d")


@question("conv-gan.loss_g", "GAN", unseen="other logits and networks; what stays frozen")
def check_loss_g(GAN) -> None:
    """The non-saturating loss: 0.7713 at ten given logits, with a gradient into the generator."""
    gan, _, z = _given_game(GAN, LOGITS_REAL, LOGITS_FAKE)
    loss = gan._get_loss_g(10, z)
    _need_codes(gan, z, "_get_loss_g")
    need_value(loss, 0.771286, "_get_loss_g at ten given logits", WRONG_G, 5e-5)
    _need_gradient(loss, gan.gen, -0.498923, "_get_loss_g", "the generator")
    gan, _, z = _given_game(GAN, LOGITS_REAL[:4], LOGITS_FAKE[:4])
    need_value(gan._get_loss_g(4, z), 1.070415, "_get_loss_g of four codes", {}, 5e-5)
    gan, _, z = _given_game(GAN, FAR, FAR)
    _need_far(gan._get_loss_g(2, z), 3.500911, "_get_loss_g")


def _distance(sample: torch.Tensor, law: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """How far a sample's distribution function is from `law`, times the root of its size.

    Kolmogorov: above 3 comes once in 30 million right samples.
    """
    place = law(sample.double().flatten().sort().values)
    steps = torch.arange(len(place) + 1, dtype=torch.float64) / len(place)
    return torch.maximum(place - steps[:-1], steps[1:] - place).max().item() * len(place) ** 0.5


@question("fc-gan.sample_noise", "sample_noise", unseen="other sizes and draws; many calls")
def check_sample_noise(sample_noise) -> None:
    """Uniform in (-1, 1), of the shape and dtype and on the device asked for."""
    z = sample_noise(3, 4)
    need_shape(z, (3, 4), "sample_noise(3, 4)")
    need(z.dtype == torch.float32, f"sample_noise gives {z.dtype} where nothing is said.")
    need(not torch.equal(z, sample_noise(3, 4)), "sample_noise repeats itself.")
    z = sample_noise(1000, 100, dtype=torch.float64)
    need_shape(z, (1000, 100), "sample_noise(1000, 100)")
    need(z.dtype == torch.float64, "sample_noise ignores its argument dtype.")
    with contextlib.suppress(RuntimeError):  # "meta" is a device that keeps no numbers
        where = sample_noise(3, 4, device="meta").device.type
        need(where == "meta", "sample_noise ignores its argument device.")
    need(bool(z.abs().max() <= 1), "sample_noise leaves (-1, 1). Is it normal noise?")
    need(bool((z < 0).any()), "sample_noise is never negative: stretch (0, 1) to (-1, 1).")
    mean, std = z.mean().item(), z.std().item()
    ok = _distance(z, lambda numbers: (numbers + 1) / 2) < 3
    need(ok, f"sample_noise is not uniform: mean {mean:.3f}, std {std:.3f}, not 0 and 0.577.")
    together = torch.corrcoef(z.T).fill_diagonal_(0).abs().max() > 0.3  # nine standard errors
    rows = (z[1:] * z[:-1]).mean().abs() > 0.02
    even = _evened_out(torch.special.ndtri((z + 1).clamp(1e-9, 2 - 1e-9) / 2))
    hint = "Are they sorted, or evened out?"
    need(not (together or rows or even), f"sample_noise: its numbers hang together. {hint}")
    alone = z.unique().numel() > 99_000
    need(alone, "sample_noise: each number must be drawn on its own; many come twice.")


DISCRIMINATOR = Table(
    "discriminator()",
    267_009,
    (200_704, 65_536, 256),
    0.01,
    "",
    2 * _numbers(5, 784),
    (5, 1),
    (
        (-0.224765, 0.675621, -0.143509, 0.043479, 0.156669),
        (
            -0.225186,
            0.672331,
            -0.135146,
            0.039905,
            0.159711,
        ),  # slope 0.001, as its source says elsewhere
    ),
)
GENERATOR = Table(
    "generator(4)",
    1_858_320,
    (4096, 1_048_576, 802_816),
    0.0,
    "tanh",
    2 * _numbers(5, 4),
    (5, 784),
    ((0.902679, 0.748999, 0.834129, 1.11181, 0.953791),),
)


@question(
    "fc-gan.discriminator", "discriminator", unseen="other weights and images; two networks at once"
)
def check_discriminator(discriminator) -> None:
    """267,009 parameters, layer by layer as listed, logits out."""
    _need_table(discriminator(), DISCRIMINATOR)


@question("fc-gan.generator", "generator", unseen="other weights, other noise_dim")
def check_generator(generator) -> None:
    """1,858,320 parameters for four noise dimensions, layer by layer as listed."""
    _need_table(generator(4), GENERATOR)


def _need_loss(
    loss,
    given,
    right: dict[int, float],
    far: tuple[float, float],
    slopes,
    what: str,
    known,
    shapes=((-1, 1), (-1,)),
) -> None:
    """Stop unless a loss of given logits, the first 10 or 4, has its value and its gradient.

    `far`: a large logit, and its value where logits are this and minus this.
    """
    for shape in shapes:
        for count, value in right.items():
            logits = [one[:count].clone().view(shape).requires_grad_() for one in given]
            got = loss(*_as_outputs(logits))
            first = (count, shape) == (10, (-1, 1))
            which = what if first else f"{what} of logits {tuple(logits[0].shape)}"
            need_value(got, value, which, known if count == 10 else {}, 5e-5)
            need(got.requires_grad, f"{what} has no gradient: use no .item() and no detach().")
            got.backward()
            for one, slope in zip(logits, slopes, strict=True):
                ok = one.grad is not None
                ok = ok and (count != 10 or abs(one.grad.sum() - slope) < 1e-4)
                need(ok, f"{what}: its gradient leads the logits elsewhere.")
    sure = [SURE[:, None].clone().requires_grad_() for _ in given]
    got = loss(*_as_outputs(sure))
    got.backward()
    ok = all(bool(one.isfinite().all()) for one in (got, *(one.grad for one in sure)))
    need(ok, f"{what} or its gradient is not finite at logits of 100: there a sigmoid rounds to 1.")
    logit, right_there = far
    got = loss(*(logit / 100 * SURE[:, None] for _ in given))
    where = f"{what} of logits of {logit:g} and {-logit:g}"
    hint = "Are logits cut off or limited? They may be any number."
    need_value(got, right_there, where, {}, 5e-3, hint)


@question("fc-gan.discriminator_loss", "discriminator_loss", unseen="other logits")
def check_discriminator_loss(discriminator_loss) -> None:
    """The sum of two means: 1.8424 on ten given logits each; finite at logits of 100."""
    known = WRONG_D | {0.921199: "This is the mean of the two halves; their sum is wanted."}
    given, slopes = (LOGITS_REAL, LOGITS_FAKE), (-0.617765, 0.501077)
    right = {10: 1.842398, 4: 1.486706}
    _need_loss(
        discriminator_loss, given, right, (12.0, 12.00001), slopes, "discriminator_loss", known
    )


@question("fc-gan.generator_loss", "generator_loss", unseen="other logits")
def check_generator_loss(generator_loss) -> None:
    """The non-saturating loss: 0.7713 on ten given logits; finite at logits of 100."""
    right = {10: 0.771286, 4: 1.070415}
    given, slopes, what = (LOGITS_FAKE,), (-0.498923,), "generator_loss"
    _need_loss(generator_loss, given, right, (12.0, 6.000006), slopes, what, WRONG_G)


def _need_adam(solver, network: nn.Module, rate: float, what: str, whose: str) -> None:
    """Stop unless this is Adam with the rate and betas (0.5, 0.999), for all of the network.

    Three steps by gradients of 1, -1 and 0.1 thousandths move every weight by known shares of
    the rate.
    """
    kind = type(solver).__name__
    need(hasattr(solver, "param_groups"), f"{what} must be Adam, not {kind}.")
    held = [id(p) for group in solver.param_groups for p in group["params"]]
    ok = sorted(held) == sorted(id(p) for p in network.parameters())
    need(ok, f"{what} must be given the parameters of {whose}, all of them and no others.")
    for group in solver.param_groups:
        decay, lr = group.get("weight_decay", 0), float(group["lr"])
        need(not decay, f"{what} must be Adam without weight decay, not {kind} with {decay:g}.")
        need(math.isclose(lr, rate, rel_tol=1e-6), f"{what} has lr {lr:g}, not {rate:g}.")
    _need_settings(solver, what, betas=(0.5, 0.999))
    steps = []
    for gradient in (0.001, -0.001, 0.0001):
        before = [p.detach().clone() for p in network.parameters()]
        for p in network.parameters():
            p.grad = torch.full_like(p, gradient)
        solver.step()
        moved = [p.detach() - old for p, old in zip(network.parameters(), before, strict=True)]
        steps.append(torch.cat([one.flatten() for one in moved]) / rate)
    right = torch.tensor([[-1.0], [0.333333], [0.104722]])
    ok = (torch.stack(steps) - right).abs().max() < 0.01
    need(ok, f"{what}, {kind}, does not step as Adam does. Leave eps and the rest as they come.")


@question("fc-gan.get_optimizer", "get_optimizer", unseen="other models and gradients")
def check_get_optimizer(get_optimizer) -> None:
    """Adam with rate 1e-3 and betas (0.5, 0.999) over all parameters."""
    for which in ("first", "second"):
        model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
        what = f"get_optimizer's {which} optimizer"
        _need_adam(get_optimizer(model), model, 1e-3, what, "model")


CLASSIFIER = Table(
    "build_dc_classifier()",
    1_102_721,
    (800, 51_200, 1_048_576, 1024),
    0.01,
    "",
    _patterns(5).flatten(1),
    (5, 1),
    ((-0.124, -0.12683, -0.156777, -0.241603, -0.204517),),
    _look_at_pooling,
)
DC_GENERATOR = Table(
    "build_dc_generator(4)",
    6_580_801,
    (4096, 6_422_528, 131_072, 1024),
    0.0,
    "tanh",
    2 * _numbers(5, 4),
    (5, 784),
    (
        (-0.071998, -0.094729, -0.086253, -0.080205, -0.011499),
        (0.161679, 0.063961, 0.227627, -0.015566, 0.235178),  # 7 x 7 x 128 with the channels last
    ),
    _look_at_norms,
)


@question("fc-gan.build_dc_classifier", "build_dc_classifier", unseen="other weights and images")
def check_build_dc_classifier(build_dc_classifier) -> None:
    """1,102,721 parameters, layer by layer as listed, flat images in, logits out."""
    _need_table(build_dc_classifier(), CLASSIFIER)


@question("fc-gan.build_dc_generator", "build_dc_generator", unseen="other weights, noise_dim")
def check_build_dc_generator(build_dc_generator) -> None:
    """6,580,801 parameters for four noise dimensions, layer by layer as listed."""
    _need_table(build_dc_generator(4), DC_GENERATOR)


@question(
    "fc-gan.least_squares", "ls_discriminator_loss", "ls_generator_loss", unseen="other scores"
)
def check_least_squares(ls_discriminator_loss, ls_generator_loss) -> None:
    """1.8770 and 0.8170 on ten given scores each."""
    known = {
        3.754059: "The factors 1/2 are missing.",
        0.938515: "There is one factor 1/2 too many.",
        1.356362: "Real and fake are exchanged: real scores have target 1.",
        1.578228: "The term of the fakes is missing.",
        0.298802: "The term of the real images is missing.",
        0.838209: "The real images have target 0 here; D wants 1 for them.",
        2.175831: "The term of the fakes lacks its 1/2.",
        3.455257: "The term of the real images lacks its 1/2.",
        18.770294: "These are sums over the batch; means are wanted.",
        1.842398: "These are cross-entropies; squares are wanted.",
        -1.877029: "The sign is flipped.",
    }
    given, slopes = (LOGITS_REAL, LOGITS_FAKE), (-1.538821, -0.018153)
    right = {10: 1.877029, 4: 1.696156}
    _need_loss(
        ls_discriminator_loss,
        given,
        right,
        (100.0, 10000.5),
        slopes,
        "ls_discriminator_loss",
        known,
    )
    known = {
        1.633910: "The factor 1/2 is missing.",
        0.298802: "The target of the fakes is 1.",
        8.169548: "This is a sum over the batch; the mean is wanted.",
        0.771286: "This is a cross-entropy; a square is wanted.",
        -0.816955: "The sign is flipped.",
    }
    right = {10: 0.816955, 4: 1.495231}
    given, slopes, what = (LOGITS_FAKE,), (-1.018153,), "ls_generator_loss"
    _need_loss(ls_generator_loss, given, right, (100.0, 5000.5), slopes, what, known)


@question("gan-theory.3e", "answer_3e", unseen="the four numbers")
def check_3e(answer_3e) -> None:
    """Four numbers that can be divergences and distances at all."""
    numbers = answer_3e()
    numbers = list(numbers.values()) if isinstance(numbers, dict) else numbers
    need(
        hasattr(numbers, "__len__")
        and len(numbers) == 4
        and all(hasattr(number, "__float__") for number in numbers),
        "answer_3e must return four numbers: KL(P1, P2), KL(P1, P3), W1(P1, P2), W1(P1, P3).",
    )
    numbers = [float(number) for number in numbers]
    for name, number in zip(("KL_12", "KL_13", "W_12", "W_13"), numbers, strict=True):
        need(number >= 0, f"answer_3e: {name} is {number}, but no distance is negative or NaN.")
        need(number > 0, f"answer_3e: {name} is 0, but it is 0 for equal distributions alone.")
    near, far = numbers[2:]
    need(
        near < far < float("inf"),
        "answer_3e: all mass must travel further from P1 to P3 than from P1 to P2, but not "
        "infinitely far.",
    )
    need(
        far < 2 * near + 1e-6,
        "answer_3e: W1 is a distance, so the way from P1 to P3 is no longer than that by P2; and "
        "from P2 to P3 it is as far as from P1 to P2. Is something squared?",
    )


def _ignores_scale(net: nn.Module) -> bool:
    """Do logits stay as they are when all kernels grow by three? Under spectral norm they do."""
    x = torch.rand(4, 3, 32, 32)
    with torch.no_grad():
        for _ in range(5):
            net.train()(x)  # the norm is still that of the weights before they were drawn anew
        before = net.eval()(x)
        for p in net.parameters():
            p.mul_(3 if p.dim() == 4 else 1)
        return torch.allclose(net(x), before, rtol=1e-3, atol=1e-5)


@contextlib.contextmanager
def _set(kind: type, **values) -> Iterator[None]:
    """The class has other numbers meanwhile."""
    before = {name: getattr(kind, name) for name in values}
    for name, one in values.items():
        setattr(kind, name, one)
    try:
        yield
    finally:
        for name, one in before.items():
            setattr(kind, name, one)


@question("cifar-dcgan.init", "DCGAN", unseen="other gradients")
def check_dcgan_init(DCGAN) -> None:
    """Both networks, and an Adam with rate 2e-4 and betas (0.5, 0.999) for each."""
    dcgan = DCGAN()
    for name, made, count, solver, size, shape in (
        ("_generator", "CIFARGenerator", 299_043, "optimizerG", (2, 64), (2, 3, 32, 32)),
        ("_discriminator", "CIFARDiscriminator", 168_033, "optimizerD", (2, 3, 32, 32), (2, 1)),
    ):
        for wanted in (name, solver):
            need(hasattr(dcgan, wanted), f"DCGAN has no attribute `{wanted}`; set it in __init__.")
        network = getattr(dcgan, name)
        need_count(network, count, f"DCGAN.{name}")
        need_shape(network(torch.rand(size)), shape, f"what DCGAN.{name} gives")
        ok = made in [kind.__name__ for kind in type(network).__mro__]
        need(ok, f"DCGAN.{name} must be a {made} and nothing around it.")
        _need_adam(getattr(dcgan, solver), network, 2e-4, solver, name)
    with _set(DCGAN, code_size=40, learning_rate=1e-3):
        other = DCGAN()
        need_shape(other._generator(torch.rand(2, 40)), (2, 3, 32, 32), "with code_size = 40, it")
        for solver in (other.optimizerG, other.optimizerD):
            rates = {float(group["lr"]) for group in solver.param_groups}
            ok = all(math.isclose(lr, 1e-3, rel_tol=1e-6) for lr in rates)
            need(ok, f"DCGAN: an optimizer has lr {min(rates):g} where learning_rate is 0.001.")
    for spectral in (False, True):
        try:
            asked = type(dcgan._discriminator)(spectral=spectral)
        except NotImplementedError:
            print("(That spectral is passed on is checked as soon as spectral norm is written.)")
            return
        same = _ignores_scale(DCGAN(spectral=spectral)._discriminator) == _ignores_scale(asked)
        need(same, "DCGAN must make its CIFARDiscriminator with the spectral that it is told.")


def _weight_of(layer: nn.Module) -> torch.Tensor:
    """The parameter that a layer's weight is, or is computed from under spectral norm."""
    return max(layer.parameters(), key=torch.Tensor.dim).detach()


def _need_dcgan_weights(dcgan: nn.Module, what: str) -> None:
    norms = []
    for name, one in dcgan.named_parameters():
        need(one.requires_grad, f"{what}: {name} cannot learn; leave requires_grad as it is.")
    for name, part in dcgan.named_modules():
        if isinstance(part, CONVOLUTIONS):
            weight = _weight_of(part)
            mean, std = weight.mean().item(), weight.std().item()
            ok = abs(mean) < 0.003 and abs(std / 0.02 - 1) < 0.1
            got = f"{what}: {name} has weights of mean {mean:.3f}, spread {std:.3f}"
            need(ok, f"{got}, not 0, 0.02.")
            ok = weight.abs().max() > 2.2 * std
            need(ok, f"{what}: the weights of {name} are not normal. Are they drawn anew?")
            need(bool(part.bias.any()), f"{what}: the biases of {name} are 0; leave them alone.")
        elif isinstance(part, nn.BatchNorm2d):
            norms.append(part.weight.detach())
            mean = norms[-1].mean().item()
            ok = abs(mean - 1) < 0.03
            need(ok, f"{what}: {name} has weights of mean {mean:.3f}, not 1, 0.02 around it.")
            need(not part.bias.any(), f"{what}: {name} must have biases 0.")
        elif isinstance(part, nn.Linear):
            std = _weight_of(part).std().item() * (3 * part.in_features) ** 0.5
            need(0.9 < std < 1.1, f"{what}: {name} is linear; leave its weights as they are.")
    std = torch.cat(norms).std().item()
    ok = abs(std / 0.02 - 1) < 0.22
    need(ok, f"{what}: the weights of batch norms have spread {std:.3f}, not 0.02.")


@question("cifar-dcgan.weight_init", "DCGAN", unseen="other draws; each weight beside the others")
def check_dcgan_weight_init(DCGAN) -> None:
    """Convolutions N(0, 0.02^2), batch norms N(1, 0.02^2), with spectral norm and without."""
    _need_dcgan_weights(DCGAN(), "weight_init")
    try:
        wrapped = DCGAN(spectral=True)
    except NotImplementedError as error:
        if not unwritten(error):
            raise
        print("(With spectral norm it is checked as soon as that is written.)")
    else:
        _need_dcgan_weights(wrapped, "weight_init under spectral norm")


@question("cifar-dcgan.classification_loss", "DCGAN", unseen="other logits and labels")
def check_classification_loss(DCGAN) -> None:
    """0.7713 and 0.7531 on ten given logits, labelled 1 and 0; finite at logits of 100."""
    loss, what = DCGAN()._classification_loss, "_classification_loss"
    ignored = "The labels are exchanged or not used: 1 is real, 0 is fake."
    for label, right, slope, known in (
        (1.0, {10: 0.771286, 4: 1.070415}, -0.498923, WRONG_G | {0.753133: ignored}),
        (0.0, {10: 0.753133, 4: 0.510405}, 0.501077, {0.771286: ignored}),
    ):

        def labelled(logits: torch.Tensor, label: float = label) -> torch.Tensor:
            return loss(logits, torch.full_like(logits, label))

        name = f"{what} with all labels {label:g}"
        given, shapes = (LOGITS_FAKE,), ((-1, 1),)
        _need_loss(labelled, given, right, (12.0, 6.000006), (slope,), name, known, shapes)
    both = torch.cat((LOGITS_REAL, LOGITS_FAKE))[:, None]
    labels = torch.cat((torch.ones(10, 1), torch.zeros(10, 1)))
    need_value(loss(both, labels), 0.921199, f"{what} with labels of both kinds", {}, 5e-5)


BRIGHT = 100.0
EACH_BATCH = "fit: an epoch has several batches, and D sees each; batch_samples holds one of them."


class _Watched(MeanLogit):
    """D in fit: it sees ten images at a time, and batch norm would learn.

    `seen`: the levels of images as bright as no fake.
    """

    def __init__(self):
        super().__init__()
        self.seen: set[float] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        need(len(x) <= 10 or x.min() < BRIGHT, EACH_BATCH)
        need(len(x) <= 10, "fit: real images and fakes must go through D in two batches, not one.")
        self.seen |= {level for level in x.flatten(1)[:, 0].tolist() if level >= BRIGHT}
        need(self.training, "fit: D must stay in training mode.")
        return super().forward(x)


class _Fakes(Given):
    """G in fit: images whose means are LOGITS_FAKE, whatever the codes."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        if self.training or len(z) == 10:  # else it is for a picture in between
            need(self.training, "fit: G must stay in training mode.")
            need_shape(z, (10, 64), "fit: a batch of codes")
            self.codes.append(z.detach().clone())
        level = LOGITS_FAKE.repeat(1 + len(z) // 10)[: len(z)]
        return self.shifted(level).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)


class Descent(torch.optim.SGD):
    """Plain descent: where a network comes to shows the gradients that it got, and how often."""

    def __init__(self, parameters):
        super().__init__(parameters, 1e-12)

    def step(self, closure=None):
        for p in self.param_groups[0]["params"]:
            p.moves += p.grad is not None and bool(p.grad)
        return super().step(closure)


def _need_normal_codes(codes: list[torch.Tensor], batches: int, what: str) -> None:
    """Stop unless codes are drawn from N(0, I), and afresh for so many batches at least."""
    fresh = [a for i, a in enumerate(codes) if not (i and torch.equal(a, codes[i - 1]))]
    sizes = [one.abs().flatten().sort().values for one in fresh]  # whatever order they are in
    again = any(torch.equal(a, b) for i, a in enumerate(sizes) for b in sizes[:i])
    need(
        len(fresh) >= batches and not again,
        f"{what}: the same codes are used twice; draw them afresh for D's step and for G's.",
    )
    drawn = torch.cat(fresh)
    alone = drawn.unique().numel() > 0.9 * drawn.numel()
    need(alone, f"{what}: each number of each code must be drawn on its own.")
    pair = torch.stack((torch.cat(fresh[:-1]).flatten(), torch.cat(fresh[1:]).flatten()))
    together = abs(torch.corrcoef(pair)[0, 1].item()) * math.sqrt(pair.shape[1])
    need(together < 7, f"{what}: codes hang together with those before; draw all of them afresh.")
    mean, std = drawn.mean().item(), drawn.std().item()
    ok = _distance(drawn, lambda z: (1 + torch.erf(z / 2**0.5)) / 2) < 3
    need(ok, f"{what}: codes have mean {mean:.2f} and spread {std:.2f}, not N(0, I)'s 0 and 1.")
    even = any(_evened_out(one.double()) for one in fresh)
    need(not even, f"{what}: codes are evened out over a batch or a row; leave them as drawn.")
    for one in (fresh[::2], fresh[1::2]):
        spread, error = torch.cat(one).std().item(), 7 / math.sqrt(2 * torch.cat(one).numel())
        ok = abs(spread - 1) < error
        need(ok, f"{what}: the codes of every second batch have spread {spread:.3f}, not 1.")


def _need_moved(given: Given, steps: int, what: str, of: str, *gradients: float, most=1) -> None:
    """Stop unless plain descent moved a network as far as one of these gradients says."""
    moved = given.shift.item() / (-1e-9 * steps)  # on average, in units of the rate
    right = min(gradients, key=lambda gradient: abs(moved - gradient))
    share = moved / right
    need(share != 0, f"{what}: {of} does not move. Are backward and step called for it?")
    hint = "Is a loss left out or halved, or something detached?"
    if abs(moved + 0.617765) < 1e-3:
        hint = "That is by real images alone. Are the logits of fakes detached?"
    elif abs(moved - 0.501077) < 1e-3:
        hint = "That is by fakes alone. Are the logits of real images detached?"
    elif share > 1.1:
        hint = "Are its gradients cleared before each backward pass? Does another step move it too?"
    ok = abs(share - 1) < 0.02
    need(ok, f"{what}: {of} moves {share:.2f} times as far as its loss asks. {hint}")
    ok = given.shift.moves <= most * steps
    need(ok, f"{what}: {of} is moved {given.shift.moves} times in {steps} steps of the loop.")


@question(
    "cifar-dcgan.fit",
    "DCGAN",
    unseen="how networks of many layers move; codes far out; small and large losses, large steps",
)
def check_fit(DCGAN) -> None:
    """Twelve steps of given networks: both losses, how far each is moved, fresh normal codes; and
    an epoch of two batches, in which D sees every image and G moves in each.
    """
    dcgan, steps = DCGAN(), 12
    disc, gen = _Watched(), _Fakes()
    dcgan._discriminator, dcgan._generator = disc, gen
    dcgan.optimizerD, dcgan.optimizerG = Descent(disc.parameters()), Descent(gen.parameters())
    dcgan.num_epoch, dcgan.batch_size = steps, 10
    losses = dcgan.fit(LOGITS_REAL.view(10, 1, 1, 1).repeat(1, 3, 32, 32))
    need(all(len(one) == steps for one in losses), "fit must leave one loss of each kind a step.")
    known = WRONG_D | {0.921199: "This is the mean of the two halves; their sum is wanted."}
    d_loss, g_loss = (torch.tensor(one[0]) for one in losses)
    need_value(d_loss, 1.842398, "fit's dis_loss at ten given logits each", known, 5e-5)
    need_value(g_loss, 0.771286, "fit's gen_loss at ten given logits", WRONG_G, 5e-5)
    _need_moved(disc, steps, "fit", "_discriminator", -0.116688)
    _need_moved(gen, steps, "fit", "_generator", -0.498923)
    levels, dcgan.num_epoch = BRIGHT + torch.arange(20), 1
    losses = dcgan.fit(levels.view(20, 1, 1, 1).repeat(1, 3, 32, 32))
    what = "fit's dis_loss in each of two batches of bright images, whose own loss is 0"
    for d_loss in losses[0]:
        need_value(torch.tensor(d_loss), 0.753133, what, {}, 5e-5)
    need(disc.seen == {*levels.tolist()}, EACH_BATCH)
    _need_moved(gen, steps + 2, "fit, with two batches in the last epoch", "_generator", -0.498923)
    _need_normal_codes(gen.codes, 2 * steps + 4, "fit")


@question("cifar-dcgan.spectral_norm", "CIFARDiscriminator", unseen="other weights")
def check_spectral_norm(CIFARDiscriminator) -> None:
    """The largest singular value of every convolution is 1, and only with spectral=True."""
    for spectral in (True, False):
        net = CIFARDiscriminator(spectral=spectral)
        need_count(net, 168_033, f"CIFARDiscriminator(spectral={spectral})")
        convolutions = [layer for layer in net.downsample if isinstance(layer, nn.Conv2d)]
        need(len(convolutions) == 3, "CIFARDiscriminator.downsample must keep its convolutions.")
        weights = zip(map(_weight_of, convolutions), (1, 0.05, 0.1), strict=True)
        for weight, size in weights:  # one singular value far above the others
            weight.copy_(size * (0.1 + 0.05 * _numbers(*weight.shape)))
        for _ in range(10 if spectral else 1):  # the norm is found little by little
            logits = net(torch.rand(2, 3, 32, 32))
        need_shape(logits, (2, 1), "CIFARDiscriminator's output")
        for i, layer in enumerate(convolutions, 1):
            norm = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2).item()
            one = abs(norm - 1) < 0.05
            if spectral:
                need(one, f"convolution {i} has spectral norm {norm:.2f} instead of 1: wrap it.")
            need(spectral or not one, f"convolution {i} is wrapped with spectral=False too.")
        same = _ignores_scale(net)
        need(same == spectral, "CIFARDiscriminator must compute with the weights that it shows.")


@question("cifar-dcgan.reconstruction_loss", "DCGAN", unseen="other images")
def check_reconstruction_loss(DCGAN) -> None:
    """0.25 when every value is off by one half, and the gradient of a mean of squares."""
    loss = DCGAN()._reconstruction_loss
    x = torch.full((2, 3, 32, 32), 0.5)
    off = torch.tensor([0.5, -0.5]).repeat(1536).view(1, 3, 32, 32)
    off = torch.cat((off, -off))
    found = (x + off).requires_grad_()
    known = {
        1536.0: "This is a sum over everything; the mean is wanted.",
        768.0: "This is a sum over each image; the mean over all values is wanted.",
        0.5: "This is the distance, or its root; its square is wanted.",
        0.125: "This is half of the mean.",
        0.0: "The differences are averaged before they are squared; square them first.",
        39.191836: "This is the norm of all differences; the mean of their squares is wanted.",
        -0.25: "The sign is flipped.",
    }
    got = loss(found, x)
    need_value(got, 0.25, "_reconstruction_loss", known)
    need(got.requires_grad, "_reconstruction_loss has no gradient: use no .item() and no detach().")
    got.backward()
    ok = found.grad is not None and torch.allclose(found.grad * 3072, off)
    need(ok, "_reconstruction_loss: its gradient does not lead the reconstruction to the image.")
    need_value(loss(x[:1] + off[:1] / 2, x[:1]), 0.0625, "_reconstruction_loss of one image", {})
    what, hint = "_reconstruction_loss of numbers that are off by 2", "Is something cut off?"
    need_value(loss(x + 4 * off, x), 4.0, what, {}, otherwise=hint)


class _Slide(Given):
    """G in reconstruct: all pixels of an image are the first number of its code."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        need(not self.training, "reconstruct: G must stay in eval mode.")
        need_shape(z, (len(z), 64), "reconstruct: its codes")
        return self.shifted(z[:, 0]).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)


def _search(dcgan: nn.Module, targets: list[float], steps: int) -> torch.Tensor:
    """How far, in so many steps, reconstruct moves codes towards images of these greys."""
    gen = dcgan._generator = _Slide()
    dcgan.vis_steps = steps
    images = torch.tensor(targets).view(-1, 1, 1, 1).repeat(1, 3, 32, 32)
    loss, found = dcgan.reconstruct(images)
    need_shape(found, tuple(images.shape), "reconstruct's images")
    need(gen.shift.requires_grad, "reconstruct leaves G frozen: its requires_grad must stay True.")
    need(gen.shift == 0, "reconstruct moves weights; give its optimizer [recon_code] alone.")
    own = float(dcgan._reconstruction_loss(found, images))
    ok = abs(float(loss) - own) <= 1e-4 * abs(own)
    need(ok, "reconstruct: recon_loss is not the loss of recon_samples.")
    return found.detach().flatten(1)[:, 0]


@question("cifar-dcgan.reconstruct", "DCGAN", unseen="the search with a generator of many layers")
def check_reconstruct(DCGAN) -> None:
    """Codes move from zero, towards far images by the rate in each step; weights stay."""
    dcgan = DCGAN()
    for steps in (4, 1, 12, 12):
        moved = _search(dcgan, [1000.0, -1000.0, 2000.0], steps) * torch.tensor([1.0, -1.0, 1.0])
        got, right = moved.mean().item(), 0.01 * (steps - 1)  # images come before the last step
        hints = {
            0.0: "Codes do not move. Does the gradient reach recon_code, and step?",
            0.01 * (steps - 2): "One step is missing.",
            0.01 * steps: "These are codes after one step more than wanted.",
            4.99: "vis_steps is not used.",
            2e-4 * (steps - 1): "That is the rate of training; vis_learning_rate is wanted.",
        }
        hint = [hint for value, hint in hints.items() if abs(got - value) < 1e-4 + 0.002 * value]
        hint += ["Are gradients cleared, is it Adam of rate vis_learning_rate, from codes of zero?"]
        ok = (moved - right).abs().max() < 1e-5 + 0.002 * right
        need(ok, f"reconstruct: {steps} steps lead to {got:.4f} and not {right:.4f}. {hint[0]}")
    dcgan.vis_learning_rate = 1.0
    moved = _search(dcgan, [1000.0, -1000.0, 2000.0], 5) * torch.tensor([1.0, -1.0, 1.0])
    got = moved.mean().item()
    hint = "Is the rate vis_learning_rate, whatever that is, and are codes left where they go?"
    ok = (moved - 4).abs().max() < 0.01
    need(ok, f"reconstruct: with vis_learning_rate = 1, 5 steps lead to {got:.4f}, not 4. {hint}")
    dcgan.vis_learning_rate = 1e-2
    near = _search(dcgan, [0.03, -0.02, 0.05], 10)
    right = torch.tensor([[0.04163, -0.019765, 0.068795], [0.029641, -0.019479, 0.05206]])
    ok = (near - right).abs().amax(1).min() < 2e-4
    need(ok, "reconstruct: near their images, codes do not move as by one Adam for all steps.")


def _listed(optimizers) -> list:
    kept = isinstance(optimizers, (tuple, list, dict)) or hasattr(optimizers, "step")
    need(kept, "ae_gan_optimizers should return optimizers in a tuple, a list or a dict.")
    optimizers = optimizers.values() if isinstance(optimizers, dict) else optimizers
    return list(optimizers) if not hasattr(optimizers, "step") else [optimizers]


@question("ae-gan.optimizers", "AutoEncoderGAN", "ae_gan_optimizers", unseen="other gradients")
def check_optimizers(AutoEncoderGAN, ae_gan_optimizers) -> None:
    """One to three optimizers that move every parameter, against its gradient, in steps like lr."""
    size: dict[str, float] = {}
    for lr in (0.001, 0.01):
        model = AutoEncoderGAN(1, 3, 5, 16)
        optimizers = _listed(ae_gan_optimizers(model, lr))
        need(1 <= len(optimizers) <= 3, f"{len(optimizers)} optimizers; one to three are wanted.")
        for name, network in model.named_children():
            before = [p.detach().clone() for p in network.parameters()]
            for p in model.parameters():
                p.grad = None
            for p in network.parameters():
                p.grad = torch.ones_like(p)
            for optimizer in optimizers:
                optimizer.step()
            pairs = zip(network.parameters(), before, strict=True)
            moved = torch.cat([(p.detach() - old).flatten() for p, old in pairs])
            ok = bool(moved.all())
            need(ok, f"ae_gan_optimizers: no optimizer holds all parameters of model.{name}.")
            ok = bool((moved < 0).all())
            need(ok, f"ae_gan_optimizers: model.{name} goes up its loss; an optimizer goes down.")
            growth = moved.mean().item() / size.setdefault(name, moved.mean().item())
            ok = lr == 0.001 or abs(growth - 10) < 0.5
            need(ok, f"ae_gan_optimizers ignores lr: 0.01 moves model.{name} as 0.001 does.")


class _Probability(MeanLogit):
    """D in ae-gan: the probability of an image's mean as a logit."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).sigmoid()


class _Encodes(Given):
    """E in ae-gan: 20 + 1.5 times an image's mean, in all places of its code."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shifted(20 + 1.5 * x.mean(1, keepdim=True)).expand(-1, 12)


class _Decodes(Given):
    """G in ae-gan: a code of E less 20 is an image's one grey; noise, smaller, brings `fakes`."""

    def __init__(self, fakes: torch.Tensor):
        super().__init__()
        self.fakes = fakes

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        noise = z[:, 0] < 15
        if noise.any() and self.training:  # and not for a picture in between
            need_shape(z[noise], (10, 12), "train_ae_gan: a batch of noise")
            self.codes.append(z[noise].detach().clone())
        level = torch.where(noise, self.fakes.repeat(1 + len(z) // 10)[: len(z)], z[:, 0] - 20)
        return self.shifted(level)[:, None].expand(-1, 16)


AE_GAN = ("AutoEncoderGAN", "ae_gan_optimizers", "train_ae_gan")


def _train_given_ae_gan(AutoEncoderGAN, ae_gan_optimizers, train_ae_gan, more: float = 0.0):
    """The model and its three losses after two epochs of two batches of ten images, at plain
    descent.

    Its networks are given; `more` is added to the logits of fakes. Plain descent takes the places
    of the optimizers: how far a network goes then shows the gradients it got.
    """
    model = AutoEncoderGAN(1, 12, 5, 16)
    model.encoder, model.generator = _Encodes(), _Decodes(LOGITS_FAKE + more)
    model.discriminator = _Probability()
    own = ae_gan_optimizers(model, 1e-4)
    plain = [
        Descent([p for group in one.param_groups for p in group["params"]]) for one in _listed(own)
    ]
    if isinstance(own, dict):
        solvers = dict(zip(own, plain, strict=True))
    else:
        solvers = plain[0] if hasattr(own, "step") else type(own)(plain)
    loader = [LOGITS_REAL.view(10, 1, 1, 1).repeat(1, 1, 4, 4) for _ in range(2)]
    losses = train_ae_gan(model, loader, solvers, 2)
    ok = all(one.param_groups[0]["lr"] == 1e-12 for one in plain)
    need(ok, "train_ae_gan: a step changes the rate of an optimizer.")
    ok = len(losses) == 3 and all(len(values) == 2 for values in losses)
    need(ok, "train_ae_gan must return three lists with one loss an epoch.")
    return model, [torch.tensor([float(one) for one in values]).mean() for values in losses]


@question(
    "ae-gan.loss_discriminator",
    *AE_GAN,
    unseen="other networks, your own optimizers; codes of an earlier batch; the steps beside it",
)
def check_loss_discriminator(*names) -> None:
    """1.8424 at ten given logits each; D moves by its gradient alone; noise is N(0, I)."""
    model, (loss, _, _) = _train_given_ae_gan(*names)
    known = WRONG_D | {
        0.921199: "This is the mean of the two halves; their sum is wanted.",
        1.502878: "A sigmoid is applied twice: D gives probabilities, which BCELoss takes.",
    }
    need_value(loss, 1.842398, "train_ae_gan: loss_d at ten given logits each", known, 5e-5)
    _need_moved(model.discriminator, 4, "train_ae_gan", "the discriminator", -0.116688)
    _need_normal_codes(model.generator.codes, 4, "train_ae_gan")


@question(
    "ae-gan.loss_generator",
    *AE_GAN,
    unseen="other networks, your own optimizers; the steps beside it",
)
def check_loss_generator(*names) -> None:
    """A weight times 0.7713 at ten given logits, and 0.2697 for the images; G moves by both."""
    model, (_, loss, _) = _train_given_ae_gan(*names)
    other = _train_given_ae_gan(*names, 1.0)[1][1]  # where the first term is 0.3794
    weight = ((loss - other) / (0.771286 - 0.379392)).item()
    rest = loss.item() - weight * 0.771286
    known = {0.0: "is MSE(G(E(x)), x) missing?", -0.269704: "is MSE(G(E(x)), x) subtracted?"}
    hints = [hint for value, hint in known.items() if abs(rest - value) < 2e-3]
    hints += ["is it the saturating form? Label the fakes as real.", "is it MSE(G(E(x)), x)?"]
    wrong = "label the fakes as real, and compare images with G(E(x)), not with fakes."
    need(weight > -1e-3, f"train_ae_gan: loss_g counts the wrong way: {wrong}")
    need(weight > 1e-3, "train_ae_gan: loss_g misses one of its two terms, BCE(D(G(z)), 1).")
    hint = hints[0] if rest < 0.2 else hints[-1]
    sentence = f"train_ae_gan: beside {weight:.3g} BCE(D(G(z)), 1), loss_g has {rest:.4f}"
    need(abs(rest - 0.269704) < 2e-3, f"{sentence} and not 0.2697: {hint}")
    once = -weight * 0.498923 - 0.538821
    twice = once - 0.538821  # where the step of the autoencoder moves G as well
    _need_moved(model.generator, 4, "train_ae_gan", "the generator", once, twice, most=2)
    _need_normal_codes(model.generator.codes, 8, "train_ae_gan")


@question(
    "ae-gan.loss_autoencoder",
    *AE_GAN,
    unseen="other networks, your own optimizers; the steps beside it",
)
def check_loss_autoencoder(*names) -> None:
    """0.2697 for given images and reconstructions; E moves by the gradient of that."""
    known = {
        43.152576: "This is a sum; MSELoss takes the mean.",
        4.315258: "This is a sum over each image; MSELoss takes the mean.",
        0.519330: "This is the root of the mean square; leave the root out.",
        1.777838: "Images are compared with what noise gives; decode their own codes.",
        0.134852: "This is half of the mean.",
        0.474794: "These are absolute values; squares are wanted.",
    }
    model, (_, _, loss) = _train_given_ae_gan(*names)
    need_value(loss, 0.269704, "train_ae_gan: loss_ae of given images", known, 1e-3)
    once, twice = -0.538821, -2 * 0.538821  # where the step of G reaches E as well
    _need_moved(model.encoder, 4, "train_ae_gan", "the encoder", once, twice)


def findings(module: str, questions: Sequence[str]) -> Iterator[str | None]:
    """What is wrong with importing `module`, then with each question: a sentence, or None.

    All of it runs in this very process. A session asks `hw5_process.findings` for the same.
    """
    try:
        written = _import_afresh(module)
    except BaseException as error:
        yield explain(error)
        return
    yield None
    for id in questions:
        yield _try(QUESTIONS[id], written)


def _import_afresh(name: str):
    """The student's module as its file is now: cached bytecode may be a second old."""
    importlib.invalidate_caches()
    sys.modules.pop(name, None)
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.origin:
        raise ModuleNotFoundError(f"there is no file {name}.py here")
    code = compile(Path(spec.origin).read_bytes(), spec.origin, "exec", dont_inherit=True)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _try(entry: Question, module) -> str | None:
    """None when the check passes, else its sentence."""
    missing = [name for name in entry.names if not hasattr(module, name)]
    if missing:
        return f"{Path(module.__file__).name} has no {' and no '.join(missing)}."
    try:
        entry.run(*(getattr(module, name) for name in entry.names))
    except BaseException as error:
        return explain(error)
    return None


def check(part: str = "") -> bool:
    """Check a part, or one question, "part.question"; print a table; True if all pass.

    It works on the file as it is on disk, in a process of its own: this session, and what it has
    imported, stay as they are.
    """
    chosen = [q for q in QUESTIONS.values() if part in (q.id, q.id.partition(".")[0])]
    if not chosen:
        print(_no_such(part))
        return False
    try:
        return _table(part, chosen)
    except hw5_process.Ended as end:
        print(end)
    except KeyboardInterrupt:
        print("\nStopped by you. Nothing has changed; check again whenever you like.")
    return False


def _no_such(part) -> str:
    """What to say of a name that names nothing to check."""
    known, _, question = str(part).partition(".")
    if question in _questions_of(known, "manual"):
        return f"{part} is marked by hand: there is nothing to check."
    if known in MODULES:
        ids = ", ".join(q for q in QUESTIONS if q.startswith(f"{known}."))
        return f"There is no question {part!r}. There are {ids}."
    what = f"There is no part {part!r}." if part else "Name a part or a question to check."
    return f"{what} There are {', '.join(MODULES)}."


def _questions_of(part: str, kind: str) -> list[str]:
    """The questions of a part that are of this kind; none where there is no such part."""
    questions = PARTS[part]["questions"] if part in PARTS else {}
    return [id for id, question in questions.items() if question["kind"] == kind]


def _table(part: str, chosen: Sequence[Question]) -> bool:
    """Print what is found, question by question; True if all pass."""
    name = MODULES[part.partition(".")[0]]
    found = hw5_process.findings(name, [q.id for q in chosen])
    if wrong := next(found):
        print(f"{name}.py cannot be imported. {wrong}")
        return False
    print(f"{part}: {name}.py\n")
    width = max(len(q.id.partition(".")[2]) for q in chosen)
    passed, wanted = 0, 0
    extra = _questions_of(part.partition(".")[0], "bonus")
    for sentence, entry in zip(found, chosen, strict=True):
        bonus = entry.id.partition(".")[2] in extra and part != entry.id
        passed, wanted = passed + (not sentence and not bonus), wanted + (not bonus)
        verdict = ("bonus: " if bonus else "") + (f"NOT YET  {sentence}" if sentence else "passed")
        _row(entry.id.partition(".")[2], verdict, width)
        _row("", f"marked unseen: {entry.unseen}", width)
    for label in _questions_of(part, "manual"):
        _row(label, "marked by hand", width)
    print(
        f"\n{passed} of {wanted} pass. Most mistakes show here, but not all: this promises no full "
        "marks.\nThey come from checks that are not shown, on other inputs and what is marked "
        "unseen."
    )
    return passed == wanted


def _row(label: str, text: str, width: int) -> None:
    """One line of the table, folded under itself."""
    indent = " " * (width + 4)
    print(textwrap.fill(f"  {label:<{width}}  {text}", 100, subsequent_indent=indent))
