"""A training that is made of other things is another one; what does not matter does not count."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import hw5_ingredients
from hw5_live import Stopped
from hw5_utils import batches
from tests.notebooks.running import ROOT

SESSION = """
from functools import partial
import torch
import torch.nn.functional as F
from torch import nn
from hw5_checkpoint import resumable
from hw5_live import training
from hw5_utils import adam, batches, reset_seed
reset_seed(3)
images = torch.rand(40, 9)
stop = 2
"""
LOSS = """
weight = 1
def square(x, y):
    return weight * ((x - y) ** 2).mean()
"""
LOADER = "loader = batches(images, batch_size=10)\n"
CALLED = """
def fit(model, loader, epochs, loss_function, optimizer):
    losses = []
    for epoch in resumable(epochs, model=model, optimizer=optimizer, losses=losses):
        if epoch == stop:
            raise KeyboardInterrupt
        for x in loader:
            loss = loss_function(model(x), x)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
"""
CELL = """
reset_seed(0)
model = nn.Linear(9, 9)
with training("autoencoder-x", model, None, epochs=3, batches=4):
    fit(model, loader, 3, square, adam(model.parameters(), 1e-2))
"""
LOOP = """
reset_seed(0)
model = nn.Linear(9, 9)
optimizer, losses = adam(model.parameters(), 1e-2), []
with training("autoencoder-x", model, None, epochs=3, batches=4):
    for epoch in resumable(3, model=model, optimizer=optimizer, losses=losses):
        if epoch == stop:
            raise KeyboardInterrupt
        for x in loader:
            loss = square(model(x), x)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
print(len(losses))
"""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A notebook of these cells, whose training is interrupted in its last epoch; how to run one
    more cell, with what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HW5_QUICK", raising=False)
    names = {"__name__": "__main__"}

    def run(cell: str) -> None:
        exec(compile(cell, "<cell>", "exec"), names)

    for cell in (SESSION, LOSS, LOADER, CALLED):
        run(cell)
    return run


CHANGES = {
    "another seed": (CELL.replace("seed(0)", "seed(5)"), "the seed has changed from 0 to 5."),
    "another loss": (CELL.replace("square", "F.l1_loss"), "come to use `l1_loss`."),
    "an edited loss": (LOSS.replace("** 2", "** 4") + CELL, "`square` was edited."),
    "other values": (f"images = 1 - images\n{LOADER}{CELL}", "data it learns from have changed."),
    "another order": (f"images = images.roll(1, 0)\n{LOADER}{CELL}", "data it learns from"),
    "a partial": (CELL.replace("square", "partial(F.mse_loss)"), "come to use `mse_loss`."),
    "an edited loop": (CALLED.replace("x), x)", "x), 0 * x)") + CELL, "`fit` was edited."),
    "a loop in the cell": (LOOP, "use"),
}
SAME = {
    "the same": CELL,
    "all cells again": SESSION + LOSS + LOADER + CALLED + CELL,
    "numbers drawn before": f"torch.rand(7)\n{CELL}",
    "a comment": f"{LOSS}    # nothing\n{CELL}",
    "a line above": "\n\n\n" + CELL,
    "what comes after": CELL + "\nprint(images.mean())",
    "a longer one": CELL.replace("3", "4"),
}


class TestAnInterruptedTraining:
    @pytest.mark.parametrize("cell", SAME.values(), ids=SAME)
    def test_goes_on_where_nothing_of_it_was_changed(self, session, cell, capsys):
        with pytest.raises(Stopped):
            session(CELL)
        with pytest.raises(Stopped):  # stop is 2 still: it goes on after epoch 2, and stops there
            session(cell)
        assert "autoencoder-x: 2 of" in capsys.readouterr().out

    @pytest.mark.parametrize(("cell", "why"), CHANGES.values(), ids=CHANGES)
    def test_begins_anew_and_says_why_where_something_was(self, session, cell, why, capsys):
        with pytest.raises(Stopped):
            session(CELL)
        with pytest.raises(Stopped):
            session(cell)
        said = capsys.readouterr().out
        assert "autoencoder-x begins anew. Since it was stopped, " in said and why in said

    def test_may_have_its_loop_in_the_cell(self, session, capsys):
        with pytest.raises(Stopped):
            session(LOOP)
        with pytest.raises(Stopped):  # what the interrupted loop has left, as x, does not count
            session("\n" + LOOP)
        assert "2 of 3 epochs are done" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("other", "why"),
        [
            ("F.l1_loss(model(x), x)", "it has come to use `l1_loss`."),
            ("2 * square(model(x), x)", "its loop was edited."),
        ],
    )
    def test_or_begins_anew_where_that_loop_was_edited(self, session, other, why, capsys):
        for cell in (LOOP, LOOP.replace("square(model(x), x)", other)):
            with pytest.raises(Stopped):
                session(cell)
        assert f"Since it was stopped, {why}" in capsys.readouterr().out

    def test_a_finished_one_with_another_loss_is_not_loaded(self, session, capsys):
        session(f"stop = None\n{CELL}")
        session(CELL)
        assert "They are loaded" in capsys.readouterr().out
        session(CELL.replace("square", "F.l1_loss"))
        assert "loaded" not in capsys.readouterr().out


class TestData:
    IMAGES = torch.rand(500, 3, 8, 8, generator=torch.Generator().manual_seed(0))

    def names(self, value) -> list[str]:
        return [hw5_ingredients._sampled(one) for one in hw5_ingredients._tensors(value)]

    @pytest.mark.parametrize(
        "held",
        [
            lambda x: x,
            lambda x: x.numpy()[::-1],
            lambda x: [x, x],
            lambda x: batches(x, batch_size=10),
            lambda x: DataLoader(TensorDataset(x), batch_size=10, shuffle=True),
            lambda x: x.to(memory_format=torch.channels_last),
            lambda x: x.bool(),
            lambda x: x.to(torch.complex64),
        ],
    )
    def test_it_is_known_by_its_values_wherever_it_is_held(self, held):
        stream = torch.get_rng_state()
        first, other = self.names(held(self.IMAGES)), self.names(held(1.5 * self.IMAGES.round()))
        assert first and first == self.names(held(self.IMAGES.clone())) and first != other
        assert torch.equal(torch.get_rng_state(), stream)

    def test_looking_takes_no_time(self):
        large = torch.zeros(60_000, 784)
        start = time.perf_counter()
        self.names(batches(large))
        assert time.perf_counter() - start < 0.5


class TestCode:
    def of(self, text: str) -> str:
        names = {"__name__": "__main__"}
        exec(text, names)
        return hw5_ingredients._code_of(names["f"])

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("def f(x): return x", "def f(x): return -x"),
            ("def f(x, k=1): return k", "def f(x, k=2): return k"),
            ("f = (lambda k: lambda x: k * x)(1)", "f = (lambda k: lambda x: k * x)(2)"),
            (
                "def g(x): return 1\ndef f(x): return g(x)",
                "def g(x): return 2\ndef f(x): return g(x)",
            ),
            ("import torch\nf = torch.nn.Softplus(1)", "import torch\nf = torch.nn.Softplus(2)"),
            (
                "class L:\n def __call__(self, x): return 1\nf = L()",
                "class L:\n def __call__(self, x): return 2\nf = L()",
            ),
        ],
    )
    def test_functions_that_do_another_thing_have_another_name(self, one, other):
        assert self.of(one) == self.of("\n\n" + one) != self.of(other)

    def test_a_function_may_call_itself(self):
        assert self.of("def f(x): return g(x)\ndef g(x): return f(x)")

    def test_it_is_the_same_in_another_session(self):
        """Sets of words are in another order in each."""
        text = "def f(x): return x in {'a', 'b', 'c', 'd'} or [y for y in x]"
        command = (
            "import hw5_ingredients as h; names = {'__name__': '__main__'}; "
            f"exec({text!r}, names); print(h._code_of(names['f']))"
        )
        made = subprocess.run(
            [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert made.stdout.strip() == self.of(text)
