"""A training that is stopped goes on, and ends as if it had never stopped."""

import json
import random

import numpy as np
import pytest
import torch
from torch import nn

import hw5_checkpoint
from hw5_checkpoint import CheckpointError, Gallery, NotThereYet, checkpoint, resumable
from hw5_utils import adam, reset_seed


class TestCheckpoint:
    def train(self, folder, epochs=5, stop=None, resume=False, channels_last=False, **settings):
        """Weights, losses and the next random number; `stop` interrupts within that epoch."""
        reset_seed(0)
        model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten())
        if channels_last:
            model.to(memory_format=torch.channels_last)
        optimizer, losses = adam(model.parameters(), 0.1), []
        with checkpoint("tiny", folder, resume, **settings) as run:
            state = {"model": model, "optimizer": optimizer, "losses": losses}
            for epoch in resumable(epochs, **state):
                for step in range(3):
                    if (epoch, step) == (stop, 1):
                        raise KeyboardInterrupt
                    loss = (model(torch.randn(4, 2, 4, 4)) ** 2).mean() + np.random.rand()
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    losses.append(loss.item() + random.random())
            run.note(last=losses[-1])
        return [p.detach().clone() for p in model.parameters()], losses, torch.rand(1)

    @pytest.mark.parametrize("channels_last", [False, True])
    def test_ends_as_if_it_had_never_been_stopped(self, tmp_path, channels_last):
        whole = self.train(tmp_path / ".", channels_last=channels_last)
        (tmp_path / "again").mkdir()
        for stop in (2, 2, 4):
            with pytest.raises(KeyboardInterrupt):
                self.train(tmp_path / "again", stop=stop, resume=True, channels_last=channels_last)
        parts = self.train(tmp_path / "again", resume=True, channels_last=channels_last)
        assert all(torch.equal(a, b) for a, b in zip(whole[0], parts[0], strict=True))
        assert whole[1] == parts[1] and torch.equal(whole[2], parts[2])

    def test_a_longer_training_goes_on_where_a_shorter_one_ended(self, tmp_path, capsys):
        whole = self.train(tmp_path, 4)
        self.train(tmp_path, 2)
        longer = self.train(tmp_path, 4, resume=True)
        assert whole[1] == longer[1]
        assert self.train(tmp_path, 4, resume=True)[1] == whole[1]
        assert capsys.readouterr().out.splitlines() == [
            "tiny: 2 of 4 epochs are done.",
            "tiny: 4 of 4 epochs are done.",
        ]

    def test_metrics_hold_the_mean_of_every_epoch(self, tmp_path):
        losses = self.train(tmp_path, 2)[1]
        kept = json.loads((tmp_path / "metrics.json").read_text())["tiny"]
        assert [e["losses"] for e in kept["epochs"]] == [sum(losses[:3]) / 3, sum(losses[3:]) / 3]
        assert [e["epoch"] for e in kept["epochs"]] == [1, 2]
        assert kept["results"] == {"last": losses[-1]}

    def test_what_does_not_fit_is_told(self, tmp_path, capsys):
        self.train(tmp_path, 1, latent_size=15)
        with pytest.raises(CheckpointError, match="--latent-size 15, not 20"):
            self.train(tmp_path, 1, resume=True, latent_size=20)
        with checkpoint("tiny", tmp_path, resume=True):
            state = {"model": nn.Linear(2, 3), "optimizer": nn.Linear(1, 1), "losses": []}
            with pytest.raises(CheckpointError, match="does not fit your model"):
                list(resumable(1, **state))
        with (
            checkpoint("tiny", tmp_path, resume=True),
            pytest.raises(CheckpointError, match="but the loop keeps"),
        ):
            list(resumable(1, net=nn.Linear(2, 3)))
        (tmp_path / "tiny.safetensors").write_bytes(b"half a file")
        with pytest.raises(CheckpointError, match="no checkpoint of ours"):
            self.train(tmp_path, 1, resume=True)
        (tmp_path / "tiny.safetensors").unlink()
        self.train(tmp_path, 1, resume=True)
        assert "is not there" in capsys.readouterr().out

    def test_outside_a_block_it_counts_and_keeps_nothing(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert list(resumable(3, model=nn.Linear(1, 1))) == [0, 1, 2]
        assert list(tmp_path.iterdir()) == []

    def test_one_training_in_a_block(self, tmp_path):
        with checkpoint("tiny", tmp_path):
            list(resumable(1))
            with pytest.raises(CheckpointError, match="another training already"):
                list(resumable(1))

    def test_what_does_not_fit_leaves_everything_as_it_was(self, tmp_path):
        self.train(tmp_path, 1)
        model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten())
        before = {name: value.clone() for name, value in model.state_dict().items()}
        state = {"model": model, "optimizer": nn.Linear(1, 1), "losses": [7.0]}
        with (
            checkpoint("tiny", tmp_path, resume=True),
            pytest.raises(CheckpointError, match="does not fit your optimizer"),
        ):
            list(resumable(1, **state))
        assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
        assert state["losses"] == [7.0]

    def test_writing_takes_a_small_share_of_the_time(self, tmp_path, monkeypatch):
        """Is every epoch kept, and written only now and then, and at the end?"""
        written = []
        monkeypatch.setattr(
            hw5_checkpoint, "write_whole", lambda file, content: written.append(file.name)
        )
        with checkpoint("tiny", tmp_path) as run:
            for epoch in resumable(5, model=nn.Linear(1, 1)):
                assert written.count("tiny.safetensors") == min(epoch, 1) and run.kept == epoch
                run.next_write = float("inf") if epoch else 0.0
        assert written.count("tiny.safetensors") == 2


def test_a_gallery_knows_its_last_images():
    gallery = Gallery({0: torch.zeros(1), 10: torch.ones(1), 2: torch.zeros(1)})
    assert gallery.last() == torch.ones(1)
    with pytest.raises(ValueError, match="no images yet"):
        Gallery().last()
    with pytest.raises(NotThereYet, match=r"images of the epochs \[0, 2, 10\], not of 20"):
        gallery[20]
