"""A training is shown while it runs, unchanged by that; it can be stopped, and goes on."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import sys
import threading
import time
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from torch import nn

import hw5_gan
import hw5_live
import hw5_vae
from hw5_checkpoint import resumable
from hw5_live import Stopped, training
from hw5_utils import batches, descend, progress, reset_seed, show_losses
from tests.notebooks.running import ROOT, errors, pictures, said

PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Trainings keep what they keep in a folder of their own, `runs`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HW5_QUICK", raising=False)
    return tmp_path


@pytest.fixture
def often(monkeypatch):
    """A picture after every batch: what is drawn, and nothing of matplotlib's."""
    drawn = []
    monkeypatch.setattr(hw5_live, "SHARE", 1e9)
    monkeypatch.setattr(hw5_live, "training_figure", lambda images, *more: drawn.append(images))
    return drawn


IMAGES = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """A network that shows whether somebody has looked: its mode and its averages matter."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(784, 8), nn.BatchNorm1d(8), nn.Dropout(0.3))
        self.out = nn.Linear(8, 784)

    def forward(self, x):
        return torch.sigmoid(self.out(self.layers(x.flatten(1))))


def plain(model, loader, epochs):
    """A loop as a student may write it, who knows nothing of us; prints and returns its losses."""
    optimizer, losses = torch.optim.Adam(model.parameters(), 1e-2), []
    for epoch in range(epochs):
        print(f"Run Epoch {epoch}")
        for x in loader:
            loss = F.binary_cross_entropy(model(x), x.flatten(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() + random.random() + np.random.rand())
    return losses


def keeping(model, loader, epochs, stop=None):
    """The same over `resumable`; `stop`: the epoch in whose second batch it is interrupted."""
    optimizer, losses = torch.optim.Adam(model.parameters(), 1e-2), []
    for epoch in resumable(epochs, model=model, optimizer=optimizer, losses=losses):
        print(f"Run Epoch {epoch}")
        for step, x in enumerate(loader):
            if (epoch, step) == (stop, 1):
                raise KeyboardInterrupt
            loss = F.binary_cross_entropy(model(x), x.flatten(1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item() + random.random() + np.random.rand())
    return losses


def train(
    loop=keeping, epochs=3, seed=0, net=Net, name="autoencoder-x", shown=True, stop=None, **k
):
    """What the loop returns, the block, and the weights at the end."""
    reset_seed(seed)
    model, loader = net(), batches(IMAGES, batch_size=10)
    more = {} if stop is None else {"stop": stop}
    if not shown:
        return loop(model, loader, epochs, **more), None, model
    with training(name, model, lambda: model(IMAGES), epochs=epochs, batches=4, **k) as run:
        losses = loop(model, loader, epochs, **more)
    return losses, run, model


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


class TestNothingChanges:
    @pytest.mark.parametrize("loop", [plain, keeping])
    def test_losses_and_weights_are_the_same_to_the_bit(self, loop, often):
        alone, _, model = train(loop, shown=False)
        watched, run, other = train(loop)
        assert len(often) == 13 and run.losses["loss"] and watched == alone
        assert same(model, other) and model.training == other.training

    def test_so_they_are_for_a_given_loop_of_two_networks(self, often):
        def fit(shown: bool):
            reset_seed(0)
            gan = hw5_gan.DCGAN()
            gan.num_epoch, gan.batch_size = 2, 4
            block = contextlib.nullcontext()
            if shown:
                block = training("cifar-dcgan", gan, lambda: gan.generate(gan.tracked_noise), 2)
            with block:
                return gan.fit(torch.rand(9, 3, 32, 32)), gan

        (alone, gan), (watched, other) = fit(False), fit(True)
        assert alone == watched and same(gan, other) and len(often) == 5

    def test_every_picture_is_of_the_same_codes_in_eval_mode(self, often):
        model, modes = nn.Linear(3, 784), []

        def draw():
            modes.append(model.training)
            return model(torch.randn(5, 3)) + random.random() + np.random.rand()

        with training("autoencoder-x", model, draw, epochs=1, batches=3) as run:
            for _ in range(3):
                random.random(), np.random.rand(), torch.rand(1)
                run.advance()
        assert all(torch.equal(often[0], images) for images in often) and len(often) == 4
        assert modes == [False] * 4 and model.training

    def test_outside_a_block_nothing_is_listened_to_or_written(self, folder):
        backward, printed = torch.autograd.backward, sys.stdout
        with pytest.raises(ZeroDivisionError), training("autoencoder-x", None, None, epochs=1):
            assert torch.autograd.backward is not backward and sys.stdout is not printed
            raise ZeroDivisionError
        assert torch.autograd.backward is backward and sys.stdout is printed
        assert not [*(folder / "runs").iterdir()]
        train(plain, shown=False)
        assert not hw5_live.checkpoint.active


class TestWhatIsShown:
    def test_pictures_take_less_than_five_percent_of_the_time(self, monkeypatch):
        """Steps of 0.1 s and pictures of 0.3 s, by a clock of ours."""
        now = [0.0]
        monkeypatch.setattr(hw5_live, "time", SimpleNamespace(perf_counter=lambda: now[0]))
        drawn = []

        def figure(*more):
            now[0] += 0.3
            drawn.append(now[0])
            assert 0.3 * len(drawn) < 0.05 * now[0]

        monkeypatch.setattr(hw5_live, "training_figure", figure)
        with training("autoencoder-x", None, lambda: None, epochs=1, batches=3000) as run:
            for _ in range(3000):
                now[0] += 0.1
                run.advance()
        assert len(drawn) > 30 and drawn[0] < 10

    def test_in_a_shell_the_file_of_the_picture_is_written_anew(self, folder, monkeypatch):
        monkeypatch.setattr(hw5_live, "SHARE", 1e9)
        file, model = folder / "runs" / "autoencoder-x-progress.png", Net()
        with training("autoencoder-x", model, lambda: model(IMAGES), epochs=1, batches=2) as run:
            run.heard({"loss": 0.5})
            run.advance()
            before = file.read_bytes()
            run.heard({"loss": 0.4})
        assert before.startswith(PNG) and file.read_bytes().startswith(PNG)
        assert file.read_bytes() != before and [*file.parent.iterdir()] == [file]

    def test_losses_of_a_loop_that_says_nothing_are_those_it_sends_backward(self):
        ones = [nn.Parameter(torch.ones(1)) for _ in range(2)]
        first, second = (torch.optim.SGD([one], lr=0.0) for one in ones)
        with training("autoencoder-x", None, None, epochs=1, batches=3) as run:
            for k in range(3):
                (2 * ones[0]).sum().backward()
                (k * ones[0]).sum().backward()
                first.step()
                descend((5 * ones[1]).sum(), second)
        assert run.losses == {"loss": [2.0, 3.0, 4.0], "loss 2": [5.0] * 3} and run.steps == 3

    def test_a_loop_that_says_its_losses_gives_them_names(self):
        one = nn.Parameter(torch.ones(1))
        solver = torch.optim.SGD([one], lr=0.0)
        with training("autoencoder-x", None, None, epochs=2) as run:
            for _ in range(2):
                bar = progress([1.0, 2.0], "Epoch")
                for k in bar:
                    descend((k * one).sum(), solver)
                    show_losses(bar, D=k * one, G=7)
        assert run.losses == {"D": [1.0, 2.0, 1.0, 2.0], "G": [7.0] * 4}
        assert run.batches == 2 and run.steps == 4

    def test_samples_that_cannot_be_drawn_stop_no_training(self, capsys, often):
        def draw():
            raise NotImplementedError("autoencoder.sample_prior: write sample_prior")

        with training("autoencoder-x", None, draw, epochs=1, batches=4) as run:
            plain(Net(), batches(IMAGES, batch_size=10), 1)
        assert capsys.readouterr().out.count("shows no samples: autoencoder.sample_prior") == 1
        assert often == [None] * 5 and len(run.losses["loss"]) == 4

    def test_what_is_printed_stands_as_it_was_printed(self, capsys):
        with training("autoencoder-x", None, None, epochs=1):
            print("one", end="")
            print(" line\nand", 2, flush=True)
            print("three", end="")
        assert capsys.readouterr().out == "one line\nand 2\nthree"


def stopped(*arguments, **more) -> str:
    with pytest.raises(Stopped) as stop:
        train(*arguments, **more)
    return str(stop.value)


class TestGoingOn:
    """As in a notebook: what was interrupted goes on by itself."""

    def test_it_ends_as_if_it_had_never_been_stopped(self, capsys):
        whole, run, model = train(name="autoencoder-whole")
        assert stopped(stop=1).startswith("Stopped in epoch 2 of 3. ")
        assert "goes on after epoch 2" in stopped(stop=2)
        capsys.readouterr()
        parts, other, again = train()
        assert capsys.readouterr().out.startswith("autoencoder-x: 2 of 3 epochs are done.\n")
        assert parts == whole and other.losses == run.losses and same(model, again)

    def test_when_all_is_done_and_would_come_out_the_same_it_is_loaded(self, capsys):
        whole, run, model = train()
        again, other, loaded = train()
        said = capsys.readouterr().out
        assert "They are loaded; resume=False" in said and said.count("Run Epoch") == 3
        assert again == whole and other.losses == run.losses and same(model, loaded)

    @pytest.mark.parametrize("other", [{"seed": 1}, {"lr": 2}, {"resume": False}])
    def test_another_training_than_the_one_that_was_done_begins_anew(self, other, capsys):
        train()
        losses, _, _ = train(**other)
        said = capsys.readouterr().out
        assert len(losses) == 12 and said.count("Run Epoch") == 6 and "done" not in said

    def test_a_longer_one_goes_on_where_a_shorter_one_ended(self, capsys):
        train(epochs=2)
        longer, _, _ = train(epochs=4)
        assert capsys.readouterr().out.count("Run Epoch") == 4
        assert longer == train(epochs=4, shown=False)[0]

    def test_after_an_edit_it_begins_anew_and_says_so(self, capsys, monkeypatch):
        stopped(stop=1)
        monkeypatch.setattr(hw5_live, "_code", lambda name: {"hw5_vae.py": "another"})
        losses, _, _ = train()
        assert len(losses) == 12 and losses == train(shown=False)[0]
        said = capsys.readouterr().out
        assert "autoencoder-x begins anew. Since it was stopped, hw5_vae.py was edited." in said

    def test_settings_that_were_changed_begin_anew(self, capsys):
        stopped(stop=1, beta=0.1)
        losses, _, _ = train(beta=1)
        assert len(losses) == 12
        assert "`beta` has changed from 0.1 to 1." in capsys.readouterr().out

    def test_resume_takes_what_was_kept_whatever_was_changed(self, monkeypatch):
        stopped(stop=1)
        monkeypatch.setattr(hw5_live, "_code", lambda name: {"hw5_vae.py": "another"})
        assert train(resume=True)[0] == train(shown=False)[0]

    def test_a_model_of_another_shape_begins_anew_unharmed(self, capsys):
        class Wide(Net):
            def __init__(self):
                super().__init__()
                self.out = nn.Linear(8, 784, bias=False)

        stopped(stop=1)
        losses, _, _ = train(net=Wide)
        assert losses == train(net=Wide, shown=False)[0]
        assert "begins anew. " in capsys.readouterr().out

    def test_half_a_file_begins_anew(self, folder, capsys):
        stopped(stop=1)
        (folder / "runs" / "autoencoder-x.safetensors").write_bytes(b"half a file")
        assert len(train()[0]) == 12
        assert "no checkpoint of ours" in capsys.readouterr().out

    def test_quick_settings_and_real_ones_do_not_meet(self, folder, monkeypatch):
        stopped(stop=1)
        monkeypatch.setenv("HW5_QUICK", "1")
        assert train()[0] == train(shown=False)[0]
        kept = {path.name for path in (folder / "runs").glob("*.safetensors")}
        assert kept == {"autoencoder-x.safetensors", "autoencoder-x-quick.safetensors"}

    def test_an_interrupted_loop_over_range_says_what_is_lost(self, folder):
        def interrupted(model, loader, epochs):
            plain(model, loader, 2)
            raise KeyboardInterrupt

        said = stopped(interrupted)
        assert said.startswith("Stopped in epoch 3 of 3. Nothing of this run is kept: no loop over")
        assert "`resumable(epochs, ...)`" in said
        assert not [*(folder / "runs").glob("*.safetensors")]

    def test_interrupted_before_its_first_step_nothing_is_lost(self):
        """Whether its loop would have been kept, nobody can know yet."""

        def interrupted(model, loader, epochs):
            raise KeyboardInterrupt

        assert stopped(interrupted).startswith("Stopped before its first step: nothing is lost.")
        stopped(stop=2)
        assert stopped(interrupted).startswith("Stopped before its first step: nothing is lost.")

    def test_interrupted_in_its_first_epoch_it_begins_anew(self):
        assert stopped(stop=0).startswith("Stopped in epoch 1 of 3, before one was done. ")
        assert stopped(stop=0).endswith(" begins anew.")

    def test_with_resume_false_the_way_on_is_named(self):
        """In a notebook the same cell would begin anew for ever."""

        class Shell:
            CustomTB, custom_exceptions, user_ns = None, (Stopped,), {}

        run = training("autoencoder-x", None, None, epochs=3, resume=False)
        with pytest.raises(Stopped) as stop, run:
            run.shell = Shell
            for epoch in resumable(3):
                if epoch == 1:
                    raise KeyboardInterrupt
        assert str(stop.value).endswith("Without resume=False this cell goes on after epoch 1.")

    @pytest.mark.parametrize("forgotten", ["model", "optimizer"])
    def test_a_loop_that_forgets_to_tell_is_not_kept_and_never_resumed(self, folder, forgotten):
        def loop(model, loader, epochs, stop=None):
            optimizer = torch.optim.Adam(model.parameters(), 1e-2)
            state = {"model": model, "optimizer": optimizer}
            del state[forgotten]
            for epoch in resumable(epochs, **state):
                for x in loader:
                    descend(F.mse_loss(model(x), x.flatten(1)), optimizer)
                if epoch == stop:
                    raise KeyboardInterrupt
            return epochs

        said = stopped(loop, stop=2)
        assert f"Nothing of this run is kept: `resumable` was not told of the {forgotten}" in said
        assert not [*(folder / "runs").glob("*.safetensors")]
        assert train(loop)[1].steps == 12

    def test_only_the_code_of_its_own_part_counts(self, folder, monkeypatch):
        def region(part: str, body: str) -> str:
            return f"### BEGIN YOUR CODE {part}\n{body}\n### END YOUR CODE {part}\n"

        def digest(name: str, helper="", vae="v", loop="l"):
            text = helper + region("fc-vae.loss", vae) + region("autoencoder.loop", loop)
            (folder / "hw5_vae.py").write_text(text)
            return hw5_live._code(name)

        (folder / "hw5_gan.py").write_text(region("conv-gan.DNet", "d"))
        monkeypatch.setattr(hw5_live, "__file__", str(folder / "hw5_live.py"))
        first = digest("fc-vae-conditional")
        assert list(first) == ["hw5_vae.py"] and list(digest("conv-gan")) == ["hw5_gan.py"]
        assert digest("fc-vae-conditional", loop="another") == first
        assert digest("fc-vae-conditional", vae="another") != first
        assert digest("fc-vae-conditional", helper="def used():\n") != first
        assert list(digest("of my own")) == ["hw5_vae.py", "hw5_gan.py"]


class TestInAShell:
    def test_the_words_name_the_flag(self, capsys, monkeypatch):
        monkeypatch.setattr(torch.optim.Adam, "step", _interrupt_at(30, torch.optim.Adam.step))
        argv = ["fc-vae", "--epochs", "3", "--data", "digits", "--device", "cpu"]
        assert hw5_vae.main(argv) == 130
        said = capsys.readouterr().out
        assert re.search(
            r"in epoch 3 of 3\. The same command with --resume goes on after epoch 2", said
        )


def _interrupt_at(count: int, step):
    steps = []

    def interrupted(*arguments, **more):
        steps.append(1)
        if len(steps) == count:
            raise KeyboardInterrupt
        return step(*arguments, **more)

    return interrupted


SETUP = """
%matplotlib inline
import torch
from hw5_utils import *
from hw5_live import training
from hw5_vae import AutoEncoder, BernoulliVAE
images = load_binary_mnist()[0]
loader = batches(images, batch_size=100)
"""
GIVEN = """
reset_seed(0)
vae = BernoulliVAE()
def draw(): return vae.decoder(torch.randn(16, 2))
with training("bernoulli-vae", vae, draw, epochs=EPOCHS, images=len(images)):
    elbos = vae.fit(images, EPOCHS)
print(len(elbos), "ELBOs, the last", elbos[-1])
"""
OWN = """
def train(model, loader, epochs):
    optimizer, losses = torch.optim.Adam(model.parameters()), []
    for epoch in range(epochs):
        print("Run Epoch", epoch)
        for x in loader:
            loss = ((model(x).flatten(1) - x) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses
ae = AutoEncoder(8)
with training("autoencoder-ae", ae, lambda: ae(images[:16]), epochs=EPOCHS, batches=15):
    losses = train(ae, loader, EPOCHS)
"""


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    many, some, after = "EPOCHS = 200", "EPOCHS = 30", "ae.training, 'losses' in globals()"
    quick = "QUICK = True\ntraining('fc-vae', None, None, epochs=1).name"
    sources = [SETUP, many, GIVEN, some, GIVEN, GIVEN, many, OWN, after, quick]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HW5_DATA", "digits")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.delenv("HW5_QUICK", raising=False)
        patch.delenv("MPLBACKEND", raising=False)
        client = NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=300)
        interrupts = {2: "Epoch: 6,", 7: "Run Epoch 3"}
        thread = threading.Thread(target=_interrupt, args=(client, interrupts), daemon=True)
        thread.start()
        client.execute(cwd=str(folder))
        thread.join(timeout=10)
    return nbformat.from_dict(notebook).cells


class TestInANotebook:
    """One kernel runs a given loop and a student's; both are interrupted as students do it."""

    @pytest.mark.daily("students' processes")
    def test_an_interrupted_training_ends_with_a_sentence(self, cells):
        assert not errors(cells[2]) and not errors(cells[7])
        stop = said(cells[2]).splitlines()[-1]
        found = re.fullmatch(
            r"Stopped in epoch (\d+) of 200\. "
            r"Run this cell again, and it goes on after epoch (\d+)\.",
            stop,
        )
        assert found and int(found[2]) in (int(found[1]) - 1, int(found[1]) - 2)
        assert "Nothing of this run is kept: no loop over" in said(cells[7]).splitlines()[-1]
        assert "ELBOs" not in said(cells[2])

    def test_it_goes_on_with_its_losses_and_all_its_lines(self, cells):
        lines = said(cells[4]).splitlines()
        begun = [line for line in lines if line.startswith("Epoch: ")]
        assert begun[0].startswith("Epoch: 0, Iter: 0, ELBO:") and len(begun) == len({*begun})
        assert any(re.fullmatch(r"bernoulli-vae: \d+ of 30 epochs are done\.", x) for x in lines)
        assert lines[-1].startswith("450 ELBOs, the last ")

    def test_what_is_done_is_loaded_and_looks_as_it_did(self, cells):
        assert said(cells[5]).splitlines()[-1] == said(cells[4]).splitlines()[-1]
        assert "They are loaded" in said(cells[5])
        (before,), (after,) = pictures(cells[4]), pictures(cells[5])
        assert before.data["image/png"] == after.data["image/png"]

    def test_one_picture_stays_and_nothing_of_the_bar(self, cells):
        for cell in (cells[2], cells[4], cells[5], cells[7]):
            assert len(pictures(cell)) == 1
            rest = [o.data for o in cell.outputs if o.output_type == "display_data"]
            assert [data["text/plain"] for data in rest if "image/png" not in data] == [""]
            assert not re.search(r"\d %|left|[█#]", said(cell))

    def test_the_model_that_was_stopped_can_be_used(self, cells):
        assert cells[8].outputs[0].data["text/plain"] == "(True, False)"

    def test_quick_settings_that_the_notebook_asks_for_have_files_of_their_own(self, cells):
        assert cells[9].outputs[0].data["text/plain"] == "'fc-vae-quick'"


def _interrupt(client: NotebookClient, when: dict[int, str]) -> None:
    """Interrupt the kernel once each of these cells has printed these words."""
    for place, words in when.items():
        cell, ends = client.nb.cells[place], time.monotonic() + 250
        while words not in said(cell) and time.monotonic() < ends:
            time.sleep(0.02)
        os.kill(client.km.provisioner.pid, signal.SIGINT)
