"""Given to students: shows a training while it runs, and lets it be stopped and go on.

    with training(name, model, draw, epochs=10):       draw() gives images, (N, ...) in [0, 1]
        ...                                            any loop: yours, or one that is given

There is one bar for the whole training and one picture: what `draw` gives, beside the losses. In a
notebook the picture is replaced in place; elsewhere the file {out}/{name}-progress.png is. Pictures
take 5 % of the time at most and change nothing: the model goes through eval() and back, and the
random streams go on as if nobody had looked. Each begins from the same seed, so the codes that
`draw` draws are the same in all of them.

In a notebook a training can be interrupted. When its cell is run again, a loop over
`resumable(epochs, ...)` goes on; `training` says when. Nothing here needs an edit.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from hw5_basics import _Line, _notebook, _quick, reset_seed
from hw5_checkpoint import (
    CheckpointError,
    checkpoint,
    digest,
    pack,
    random_streams,
    unpack,
    write_whole,
)
from hw5_figures import training_figure
from hw5_ingredients import difference, ingredients

SHARE = 0.04  # of the time may go into pictures; the last one makes it 5 % at most
FIRST = 0.25  # seconds that the first one may take
BAR = "{desc} |{bar}| {percentage:3.0f} %, {remaining} left{postfix}"


class Stopped(KeyboardInterrupt):
    """A training was interrupted; the message says where, and how it goes on."""


class training(checkpoint):
    """A block around one training: a bar, a picture, a checkpoint, and a kind end when interrupted.

        with training(name, model, draw, epochs=10, batches=len(loader)):
            losses = train(model, loader, epochs=10)

    name: begins with the part; model: the network that `draw` uses; draw: a function without
    arguments that gives images, or None for no picture; batches: how many make an epoch, needed
    where the loop does not use `progress`; out: the folder of the checkpoint, `runs` beside the
    notebook; settings: what else must be the same for a training to go on.

    A cell that is run again goes on after the last whole epoch, if its loop runs over `resumable`,
    which is told the model and the optimizers, and if neither the settings nor what it is made of
    were changed: the code of the part, the seed, the data, the functions that it is given. A
    training with all its epochs done is loaded, if it would come out the same: with the same
    weights and the same seed at its start. Else it begins anew, and so it does with resume=False;
    resume=True takes what was kept, whatever was changed.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module | None,
        draw: Callable[[], torch.Tensor] | None,
        /,
        epochs: int,
        *,
        batches: int | None = None,
        out: str | os.PathLike | None = None,
        resume: bool | None = None,
        **settings,
    ):
        quick = out is None and _quick()
        folder = Path("runs" if out is None else out)
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(name + "-quick" * quick, folder, bool(resume), **settings)
        self.automatic = resume is None
        self.title, self.model, self.epochs, self.batches = name, model, epochs, batches
        self.facts = {**self.settings, "batches": batches, **_code(name)}
        self.made_of: dict = {}  # seed, data and code, as hw5_ingredients.py tells them
        self.block = None  # the frame that holds this block, and where in its code
        self.start = ""  # a digest of weights and random streams before the first step
        self.begun = False  # a loop over `resumable`
        self.unkept = ""  # why it is not kept, though it has begun
        self.steps = 0  # batches that are done
        self.counted = False  # by `progress`; else by the steps of the first optimizer
        self.next_look = 0.0
        self.optimizers: dict[int, torch.optim.Optimizer] = {}  # in the order of their first steps
        self.record = _Losses()
        self.shell = _notebook()
        self.picture = _Picture(self, draw)

    # --- the block

    def __enter__(self) -> training:
        from tqdm import tqdm

        super().__enter__()
        frame = sys._getframe(1)
        self.block = (frame, frame.f_lasti)
        with contextlib.ExitStack() as stack:
            stack.callback(super().__exit__)
            self.picture.begin()
            self.screen = sys.stdout
            kind = {"file": self.screen}
            if self.shell:
                kind = {"file": _Line(), "ncols": 90, "ascii": False}
            silent = not (self.shell or self.screen.isatty())
            self.bar = tqdm(
                bar_format=BAR, leave=False, mininterval=0.5, smoothing=0, disable=silent, **kind
            )
            stack.callback(self.bar.close)
            self.printed = stack.enter_context(_Printed(self.screen, self.bar))
            stack.enter_context(_listening(self))
            self._place()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, kind=None, error=None, frames=None) -> None:
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.block = None
        with self.stack:
            if kind is None or stopped:
                self.picture.draw()
        if stopped:
            if self.shell:
                _end_without_traceback(self.shell)
            raise Stopped(self._last_words()) from None

    @property
    def losses(self) -> dict[str, list[float]]:
        """The losses of every step so far, by the names that the loop gives them."""
        return self.record.settled()

    def where(self) -> str:
        """Where the training is, in words."""
        if self.epochs == 1 and self.batches:
            return f"step {self.steps} of {self.batches}"
        whole = max(len(self.done), self.steps // (self.batches or sys.maxsize))
        return f"epoch {min(whole + 1, self.epochs)} of {self.epochs}"

    def _last_words(self) -> str:
        """What a student reads who has interrupted the training."""
        if not (self.begun or self.steps):
            return "Stopped before its first step: nothing is lost. Start it again when you like."
        if self.kept:
            how = "Run this cell again, and it" if self.shell else "The same command with --resume"
            if self.shell and not (self.automatic or self.resume):
                how = "Without resume=False this cell"
            return f"Stopped in {self.where()}. {how} goes on after epoch {self.kept}."
        if self.begun and not self.unkept:
            how = "Run this cell again, and it" if self.shell else "The same command"
            return f"Stopped in {self.where()}, before one was done. {how} begins anew."
        why = self.unkept or "no loop over `resumable(epochs, ...)` has begun"
        return (
            f"Stopped in {self.where()}. Nothing of this run is kept: {why}. Only such a loop, "
            "told of model, optimizer and losses, can go on."
        )

    # --- what a loop says, by `progress` and `show_losses`, and what is heard of one that does not

    def watched(self, loader):
        """A pass over the loader; its batches count if they are what an epoch consists of."""
        try:
            size = len(loader)
        except TypeError:
            size = None
        if self.batches is None:
            self.batches = size
            self._place()
        counts = size is not None and size == self.batches
        self.counted |= counts
        return _Pass(self, loader, counts)

    def heard(self, losses: dict) -> None:
        """The losses of a step, as `show_losses` is told them."""
        self.record.told(losses)

    def stepped(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer has taken a step down what was sent backward since the last one."""
        self.optimizers[id(optimizer)] = optimizer
        number = [*self.optimizers].index(id(optimizer)) + 1
        self.record.stepped("loss" if number == 1 else f"loss {number}")
        if number == 1 and not self.counted:
            self.advance()

    def advance(self) -> None:
        """A batch is done."""
        self.steps += 1
        now = time.perf_counter()
        if not self.bar.disable and now >= self.next_look:
            self.next_look = now + 0.5  # reading a loss waits for it
            self.bar.set_description_str(self.where(), refresh=False)
            self.bar.set_postfix(self.record.latest(), refresh=False)
        self.bar.update()
        if now >= self.picture.due:
            self.picture.draw()

    def _place(self) -> None:
        """Put the bar where the training is."""
        if self.batches:
            self.steps = len(self.done) * self.batches
            self.bar.total = self.epochs * self.batches
            self.bar.initial = self.bar.n = self.steps
        self.bar.set_description_str(self.where())

    # --- what is kept, and how it goes on

    def _begin(self, epochs: int, state: dict) -> None:
        self.epochs, self.begun = epochs, True
        self.unkept = self._untold(state)
        for name, one in state.items():
            if isinstance(one, torch.optim.Optimizer):
                self.facts |= {f"{key} of {name}": value for key, value in one.defaults.items()}
        if not self.automatic:
            super()._begin(epochs, state)
        elif not self.unkept:
            self.start = digest(state)
            self.made_of = self._ingredients(state)
            self._go_on(state)
        self._place()

    def _untold(self, state: dict) -> str:
        """What `resumable` should have been told and was not."""
        modules = [one for one in state.values() if isinstance(one, nn.Module)]
        weights = [weight for one in modules for weight in one.parameters()]
        mine = [] if self.model is None else self.model.parameters()
        if not all(_among(weight, weights) for weight in mine):
            return "`resumable` was not told of the model"
        if not all(_among(one, state.values()) for one in self.optimizers.values()):
            return "`resumable` was not told of the optimizer"
        return ""

    def _ingredients(self, state: dict) -> dict:
        """What the training is made of whose loop has just asked for its first epoch."""
        loop = sys._getframe(1)
        while loop.f_globals.get("__name__") in (__name__, checkpoint.__module__):
            loop = loop.f_back
        aside = [*state.values(), self.model, self.picture.draw_images]
        return ingredients(loop, self.block, aside)

    def _go_on(self, state: dict) -> None:
        """Go on where this training was stopped, or load what it has come to; else say why not."""
        if not self.file.exists():
            return
        try:
            head, tensors = self._read()
            done, same = len(head["done"]), head.get("start") == self.start
            changed = self._changed(head)
            whole = done >= head.get("epochs", 0)
            if done > self.epochs or (whole and (changed or not same)):
                return  # that training was done, and this is another one
            if changed:
                raise CheckpointError(f"Since it was stopped, {changed}.")
            self._restore(state, head, tensors)
        except CheckpointError as error:
            self.printed.aside(f"{self.title} begins anew. {error}")
            return
        said = f"{self.title}: {done} of {self.epochs} epochs are done."
        if done == self.epochs:
            said += " They are loaded; resume=False in training(...) trains them anew."
        self.printed.aside(said)

    def _changed(self, head: dict) -> str:
        """What is not as it was, in words."""
        then = head.get("facts", {})
        for key, now in self.facts.items():
            if then.get(key) != str(now):
                if key.endswith(".py"):
                    return f"{key} was edited"
                return f"`{key}` has changed from {then.get(key)} to {now}"
        return difference(head["made of"], self.made_of) if "made of" in head else ""

    def _head(self, epochs: int, state: dict, tensors: dict[str, torch.Tensor]) -> dict:
        losses = {name: torch.tensor(x) for name, x in self.record.settled().items()}
        return super()._head(epochs, state, tensors) | {
            "facts": {key: str(value) for key, value in self.facts.items()},
            "made of": self.made_of,
            "start": self.start,
            "batches": self.batches,
            "losses": pack(losses, tensors, "losses"),
            "told": self.record.by_name,
            "printed": self.printed.log,
        }

    def _keep(self, epochs: int, state: dict) -> None:
        self.unkept = self._untold(state)
        if not self.unkept:
            super()._keep(epochs, state)

    def _restore(self, state: dict, head: dict, tensors: dict[str, torch.Tensor]) -> None:
        super()._restore(state, head, tensors)
        self.batches = self.batches or head.get("batches")
        self.record.by_name = head.get("told", False)
        kept = unpack(head.get("losses", {"dict": []}), tensors)
        self.record.values = {name: values.tolist() for name, values in kept.items()}
        if self.shell:  # its first lines were lost when the cell was run again
            self.printed.again(head.get("printed", ""))


def _among(one: object, many: Iterable) -> bool:
    """Whether it is one of them, itself: tensors have an equality of their own."""
    return any(one is other for other in many)


REGION = re.compile(r"### BEGIN [A-Z ]+ ([\w-]+)\.\w+\n.*?### END", re.DOTALL)


def _code(name: str) -> dict[str, str]:
    """A digest of each file of the student's that this training may depend on.

    What is written for other parts does not count.
    """
    found: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for path in (Path(__file__).with_name(file) for file in ("hw5_vae.py", "hw5_gan.py")):
        if path.exists():
            text = path.read_text(encoding="utf-8", errors="replace")
            parts = {region[1] for region in REGION.finditer(text) if name.startswith(region[1])}
            if parts:
                text = REGION.sub(lambda m, parts=parts: m[0] if m[1] in parts else "", text)
            found[bool(parts)][path.name] = hashlib.sha256(text.encode()).hexdigest()
    return found[True] or found[False]


class _Losses:
    """The loss of every step, by name: a list for each."""

    def __init__(self):
        self.values: dict[str, list[float]] = {}
        self.fresh: dict[str, list[torch.Tensor]] = {}  # nobody has waited for these yet
        self.by_name = False  # the loop says its losses; else they are what it sends backward
        self.sent: torch.Tensor | None = None

    def told(self, losses: dict) -> None:
        if not self.by_name:
            self.by_name, self.values, self.fresh = True, {}, {}
        for name, loss in losses.items():
            self._add(name, loss)

    def sent_backward(self, loss: torch.Tensor) -> None:
        if not self.by_name:
            self.sent = loss.detach() if self.sent is None else self.sent + loss.detach()

    def stepped(self, name: str) -> None:
        """A step of an optimizer goes down all that was sent backward since the last one."""
        if self.sent is not None and not self.by_name:
            self._add(name, self.sent)
        self.sent = None

    def _add(self, name: str, loss) -> None:
        self.fresh.setdefault(name, []).append(torch.as_tensor(loss).detach())

    def settled(self) -> dict[str, list[float]]:
        """All of them, as numbers."""
        for name, losses in self.fresh.items():
            self.values.setdefault(name, []).extend(torch.stack(losses).flatten().tolist())
        self.fresh = {}
        return self.values

    def latest(self) -> dict[str, str]:
        return {name: f"{values[-1]:.4g}" for name, values in self.settled().items()}


class _Picture:
    """What `draw` gives, beside the losses so far; drawn anew whenever that costs little enough."""

    def __init__(self, run: training, draw: Callable[[], torch.Tensor] | None):
        self.run, self.draw_images = run, draw
        self.due = math.inf
        self.spent, self.failed = 0.0, False

    def begin(self) -> None:
        """The place of the picture in the notebook, above all that will be printed."""
        if self.draw_images is None:
            return
        import matplotlib.figure  # noqa: F401 (takes longer than any picture)

        if self.run.shell:
            from IPython.display import display

            self.place = display({"text/plain": ""}, raw=True, display_id=True)
        self.started = time.perf_counter()
        self.due = self.started + FIRST / SHARE

    def draw(self) -> None:
        """Draw it, and see when the next one may come."""
        if self.draw_images is None:
            return
        start = time.perf_counter()
        png = self._png()
        if self.run.shell:
            from IPython.display import Image

            self.place.update(Image(png))
        else:
            write_whole(self.run.out / f"{self.run.name}-progress.png", png)
        took = time.perf_counter() - start
        self.spent += took
        self.due = self.started + (self.spent + took) / SHARE

    def _png(self) -> bytes:
        run = self.run
        quick = "; quick settings: expect blurs or noise" * run.name.endswith("-quick")
        shown = run.losses, run.batches, f"{run.title}, {run.where()}{quick}"
        try:
            with _unnoticed(run.model):
                return _saved(training_figure, self.draw_images(), *shown)
        except Exception as error:  # what a student draws with may not be written yet
            if not self.failed:
                print(f"The picture shows no samples: {error}")
            self.failed = True
            return _saved(training_figure, None, *shown)


def _saved(figure: Callable, *shown) -> bytes:
    """What a figure looks like, as a PNG."""
    file = io.BytesIO()
    figure(*shown, file)
    return file.getvalue()


@contextlib.contextmanager
def _unnoticed(model: nn.Module | None) -> Iterator[None]:
    """Nothing of what is done here changes a training: modes and random streams are put back."""
    modes = {} if model is None else {module: module.training for module in model.modules()}
    streams = random_streams()
    try:
        for module in modes:
            module.training = False
        reset_seed(0)
        with torch.no_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        random_streams(streams)


class _Pass:
    """A pass over a loader, as `progress` gives it; the bar is that of the whole training."""

    disable = True  # no bar of its own

    def __init__(self, run: training, loader, counts: bool):
        self.run, self.loader, self.counts = run, loader, counts

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self):
        for batch in self.loader:
            yield batch
            if self.counts:
                self.run.advance()

    def write(self, text: str) -> None:
        print(text)


class _Printed(io.TextIOBase):
    """What is printed while a training runs: it goes above the bar of a terminal, and is kept."""

    def __init__(self, screen, bar):
        self.screen, self.bar = screen, bar
        self.log = self.line = ""

    def __enter__(self) -> _Printed:
        sys.stdout = self
        return self

    def __exit__(self, *error) -> None:
        sys.stdout = self.screen
        self.screen.write(self.line)

    def write(self, text: str) -> int:
        self.log += text
        self._show(text)
        return len(text)

    def aside(self, line: str) -> None:
        """Print a line that is no part of what the training prints."""
        self._show(f"{line}\n")

    def again(self, log: str) -> None:
        """Print what an earlier run of this training has printed, beyond what this one has."""
        self._show(log.removeprefix(self.log))
        self.log = log

    def _show(self, text: str) -> None:
        lines, end, self.line = (self.line + text).rpartition("\n")
        if self.bar.disable or not self.screen.isatty():
            self.screen.write(text)
            self.line = ""
        elif end:  # the bar stands below whole lines only
            with self.bar.external_write_mode(self.screen):
                self.screen.write(lines + end)

    def flush(self) -> None:
        self.screen.flush()

    def isatty(self) -> bool:
        return self.screen.isatty()


@contextlib.contextmanager
def _listening(run: training) -> Iterator[None]:
    """Tell `run` of every loss that is sent backward and of every step of an optimizer."""
    backward = torch.autograd.backward  # also what Tensor.backward calls

    def heard(tensors, *more, **options):
        backward(tensors, *more, **options)
        if isinstance(tensors, torch.Tensor) and tensors.numel() == 1:
            run.record.sent_backward(tensors)

    hook = register_optimizer_step_post_hook(lambda optimizer, *more: run.stepped(optimizer))
    torch.autograd.backward = heard
    try:
        yield
    finally:
        torch.autograd.backward = backward
        hook.remove()


def _end_without_traceback(shell) -> None:
    """Let `Stopped` end a cell quietly; what else ends in a way of its own still does."""
    before, kinds = shell.CustomTB, shell.custom_exceptions

    def end(shell, kind, error, frames, tb_offset=None) -> None:
        if issubclass(kind, Stopped):
            print(error)
        else:
            before(kind, error, frames, tb_offset)

    if Stopped not in kinds:
        shell.set_custom_exc((*kinds, Stopped), end)
