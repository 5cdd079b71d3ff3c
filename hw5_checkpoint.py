"""Given to students: keeps a training on disk, so that it can be stopped and go on.

    checkpoint  resumable  Gallery  CheckpointError  NotThereYet  save_weights  load_weights

A loop over `resumable(epochs, ...)` instead of `range(epochs)` is kept after every epoch, inside
a block `with checkpoint(...)` or, from hw5_live.py, `with training(...)`. Files are safetensors:
they hold numbers and nothing that runs. Nothing here needs an edit.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

NO_EPOCH = "run the cell that trains, until its first epoch is done"


class CheckpointError(RuntimeError):
    """A checkpoint cannot be used; the message says why and what to do."""


class NotThereYet(ValueError):
    """What a training makes is missing; a notebook shows the sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def resumable(epochs: int, **state) -> Iterator[int]:
    """0, 1, ... epochs - 1, like range(epochs); inside a `checkpoint` block it can be resumed.

        solver, errors = adam(net.parameters(), lr), []
        for epoch in resumable(epochs, net=net, solver=solver, errors=errors):
            for x in loader:
                ...
                errors.append(error.item())

    state: everything the loop changes, by name: modules, optimizers, tensors, and lists of numbers
    (the losses, once a step or once an epoch). The random streams are kept without being named.
    """
    run = checkpoint.active
    return iter(range(epochs)) if run is None else run._epochs(epochs, state)


class Gallery(dict):
    """Images by epoch, {epoch: (n, ...)}; a state of `resumable` like any other."""

    def last(self) -> torch.Tensor:
        """The images of the last epoch."""
        return self[max(self, default=0)]

    def __missing__(self, epoch: int) -> torch.Tensor:
        if not self:
            raise NotThereYet(f"There are no images yet: {NO_EPOCH}.")
        raise NotThereYet(f"There are images of the epochs {sorted(self)}, not of {epoch}.")

    def state_dict(self) -> dict:
        return dict(self)

    def load_state_dict(self, state: dict) -> None:
        self.clear()
        self.update(state)


class checkpoint:
    """Keeps a training after every epoch, so that stopping it costs one epoch at most.

        with checkpoint("my-model", **vars(args)) as run:      # out, resume and the settings
            train(...)                                       # loops over `resumable(...)`
            run.note(test_loss=112.9)

    {out}/{name}.safetensors holds the state named in `resumable`, the random streams and the
    number of epochs done; it is written at the end of the block, and before as often as that takes
    5 % of the time. With resume=True and the same settings the training goes on from there and ends
    as if it had never stopped. {out}/metrics.json gets, for each name, the settings, the mean of
    every list of losses over every epoch, and what was noted. One training in a block.

    `training` of hw5_live.py is a checkpoint, too, and shows what it keeps.
    """

    active: checkpoint | None = None
    FREE = (
        "epochs",
        "device",
        "data",
        "run",
        "e_path",
        "d_path",
    )  # may differ when a training is resumed

    def __init__(self, name: str, out: str | os.PathLike = ".", resume: bool = False, **settings):
        self.name, self.out, self.resume = name, Path(out), resume
        self.file = self.out / f"{name}.safetensors"
        self.metrics = self.out / "metrics.json"
        self.settings = {k: v for k, v in settings.items() if k not in self.FREE}
        self.done: list[dict] = []  # one entry an epoch: its number, seconds and mean losses
        self.kept = 0  # so many of them would not be lost
        self.notes: dict = {}
        self.used = False
        self.unwritten: tuple[dict, dict[str, torch.Tensor]] | None = None
        self.next_write = 0.0

    def __enter__(self) -> checkpoint:
        if checkpoint.active is not None:
            raise CheckpointError(f"the checkpoint of {checkpoint.active.name} is still open")
        checkpoint.active = self
        return self

    def __exit__(self, *error) -> None:
        checkpoint.active = None
        self._write()

    def means(self, name: str) -> list[float]:
        """The mean in each epoch of a list of losses that `resumable` was told of."""
        return [epoch[name] for epoch in self.done]

    def watched(self, loader):
        """A bar over one pass through the loader, if there is one for the whole training."""
        return None

    def heard(self, losses: dict) -> None:
        """Take notice of the losses of a step."""

    def note(self, **numbers) -> None:
        """Add results to metrics.json, such as the loss on the test set."""
        self.notes |= {k: float(v) for k, v in numbers.items()}
        self._write_metrics()

    def _epochs(self, epochs: int, state: dict) -> Iterator[int]:
        if self.used:
            raise CheckpointError(
                f"the checkpoint of {self.name} has kept another training already"
            )
        self.used = True
        self._begin(epochs, state)
        for epoch in range(len(self.done), epochs):
            start = time.perf_counter()
            before = {k: len(v) for k, v in state.items() if isinstance(v, list)}
            yield epoch
            entry = {"epoch": epoch + 1, "seconds": round(time.perf_counter() - start, 2)}
            added = {k: [float(x) for x in state[k][n:]] for k, n in before.items()}
            entry |= {k: sum(v) / len(v) for k, v in added.items() if v}
            self.done.append(entry)
            self._keep(epochs, state)
            if time.perf_counter() >= self.next_write:
                self._write()

    def _begin(self, epochs: int, state: dict) -> None:
        """Before the first epoch: bring `state` to where an earlier training stopped, if asked."""
        if self.resume and self.file.exists():
            head, tensors = self._read()
            self._compare(head["settings"])
            self._restore(state, head, tensors)
            print(f"{self.name}: {len(self.done)} of {epochs} epochs are done.")
        elif self.resume:
            print(f"{self.file} is not there: {self.name} starts with its first epoch.")

    def _head(self, epochs: int, state: dict, tensors: dict[str, torch.Tensor]) -> dict:
        """What there is to keep, as JSON can hold it; tensors go into `tensors`."""
        return {
            "settings": {k: str(v) for k, v in self.settings.items()},
            "epochs": epochs,
            "done": [*self.done],
            "state": pack(_states(state), tensors, "state"),
            "random": pack(random_streams(), tensors, "random"),
        }

    def _keep(self, epochs: int, state: dict) -> None:
        tensors: dict[str, torch.Tensor] = {}
        self.unwritten = self._head(epochs, state, tensors), tensors
        self.kept = len(self.done)

    def _write(self) -> None:
        """Write what is not written yet, and see when to do so again."""
        from safetensors.torch import save

        start = time.perf_counter()
        if self.unwritten:
            head, tensors = self.unwritten
            write_whole(self.file, save(tensors, {"head": json.dumps(head)}))
            self.unwritten = None
        if self.done:
            self._write_metrics()
        self.next_write = time.perf_counter() + 20 * (time.perf_counter() - start)

    def _read(self) -> tuple[dict, dict[str, torch.Tensor]]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.file, "pt") as f:
                head = json.loads(f.metadata()["head"])
                tensors = {k: f.get_tensor(k).clone() for k in f.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self.file} is no checkpoint of ours: {error!r}") from None
        return head, tensors

    def _compare(self, then: dict[str, str]) -> None:
        for key, now in self.settings.items():
            if then.get(key) != str(now):
                flag = f"--{key.replace('_', '-')}"
                raise CheckpointError(
                    f"{self.file} was trained with {flag} {then.get(key)}, not {now}. Resume with "
                    "the same settings, or start afresh without --resume."
                )

    def _restore(self, state: dict, head: dict, tensors: dict[str, torch.Tensor]) -> None:
        """Bring `state` to what was kept; where that does not fit, everything stays as it was."""
        saved, before = unpack(head["state"], tensors), copy.deepcopy(_states(state))
        if saved.keys() != state.keys():
            raise CheckpointError(f"{self.file} holds {[*saved]}, but the loop keeps {[*state]}.")
        for key, target in state.items():
            try:
                _restore(target, saved[key])
            except (RuntimeError, ValueError, KeyError) as error:
                for name, value in before.items():
                    _restore(state[name], value)
                why = " ".join(str(error).split())
                raise CheckpointError(f"{self.file} does not fit your {key}: {why}") from None
        self.done, self.kept = head["done"], len(head["done"])
        random_streams(unpack(head["random"], tensors))

    def _write_metrics(self) -> None:
        try:
            every = json.loads(self.metrics.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            every = {}
        settings = {k: str(v) for k, v in self.settings.items()}
        every[self.name] = {"settings": settings, "epochs": self.done, "results": self.notes}
        write_whole(self.metrics, json.dumps(every, indent=1).encode())


def save_weights(file: str | os.PathLike, model: nn.Module) -> None:
    """Write the weights of a model as safetensors."""
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    pack(model.state_dict(), tensors, "state.model")
    write_whole(Path(file), save(tensors))


def load_weights(file: str | os.PathLike, model: nn.Module, name: str = "model") -> nn.Module:
    """The model with the weights that `save_weights` wrote, or those of a checkpoint.

    name: what the model was called in `resumable`.
    """
    from safetensors.torch import load_file

    start = f"state.{name}."
    tensors = load_file(file)
    model.load_state_dict({k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)})
    return model


def write_whole(file: Path, content: bytes) -> None:
    """Write a file that is never seen half written."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    os.replace(part, file)


def _states(state: dict) -> dict:
    """The state dicts of modules and optimizers; tensors and lists as they are."""
    return {k: v.state_dict() if hasattr(v, "state_dict") else v for k, v in state.items()}


def digest(state: dict) -> str:
    """A short name for a state of `resumable` and of the random streams: others have others."""
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    tree = pack({"state": _states(state), "random": random_streams()}, tensors, "")
    return hashlib.sha256(save(tensors, {"tree": json.dumps(tree)})).hexdigest()


def pack(tree, tensors: dict[str, torch.Tensor], name: str):
    """`tree` as JSON can hold it; its tensors go into `tensors`, and their names stay behind."""
    if isinstance(tree, torch.Tensor):
        tensors[name] = tree.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(tree, dict):
        return {"dict": [[k, pack(v, tensors, f"{name}.{k}")] for k, v in tree.items()]}
    if isinstance(tree, (list, tuple)) and any(isinstance(x, (dict, list, tuple)) for x in tree):
        return [pack(x, tensors, f"{name}.{i}") for i, x in enumerate(tree)]
    if isinstance(tree, (list, tuple)):
        return [float(x) if isinstance(x, torch.Tensor) else x for x in tree]
    return tree


def unpack(tree, tensors: dict[str, torch.Tensor]):
    """What `pack` was given, with lists for tuples."""
    if isinstance(tree, list):
        return [unpack(x, tensors) for x in tree]
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        return tensors[tree["tensor"]]
    return {k: unpack(v, tensors) for k, v in tree["dict"]}


def _restore(target, saved) -> None:
    """Bring a module, an optimizer, a tensor or a list to a saved state, in place."""
    if isinstance(target, list):
        target[:] = saved
    elif isinstance(target, torch.Tensor):
        with torch.no_grad():
            target.copy_(saved)
    else:
        target.load_state_dict(saved)
    if isinstance(target, torch.optim.Optimizer):
        # Fused kernels run through memory: the averages must lie there as their weights do.
        for weight, averages in target.state.items():
            for key, value in averages.items():
                if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                    averages[key] = torch.empty_like(weight, dtype=value.dtype).copy_(value)


def random_streams(state: dict | None = None) -> dict:
    """Where the streams of Python, NumPy and torch stand; with `state` given, put them there."""
    if state is not None:
        version, numbers, gauss = state["python"]
        random.setstate((version, tuple(numbers), gauss))
        kind, numbers, *rest = state["numpy"]
        np.random.set_state((kind, np.array(numbers, np.uint32), *rest))
        torch.set_rng_state(state["torch"])
        if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all([state["cuda"][k] for k in sorted(state["cuda"])])
        if torch.backends.mps.is_available() and state.get("mps"):
            torch.mps.set_rng_state(state["mps"][0])
    kind, numbers, *rest = np.random.get_state()
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    mps = [torch.mps.get_rng_state()] if torch.backends.mps.is_available() else []
    return {
        "python": random.getstate(),
        "numpy": (kind, numbers.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": dict(enumerate(cuda)),
        "mps": dict(enumerate(mps)),
    }
