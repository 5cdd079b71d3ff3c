"""What the given training loops and the command line promise to students."""

import argparse
import gc
import itertools
import sys

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import hw5_train
from hw5_checkpoint import Gallery
from hw5_data import batches


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    """Every test runs on the digits that scikit-learn ships."""
    monkeypatch.setenv("HW5_DATA", "digits")


class Tiny(nn.Module):
    """A stand-in for a student's VAE; remembers what it was given."""

    num_classes = 10

    def __init__(self):
        super().__init__()
        self.line, self.seen = nn.Linear(784, 784), []

    def forward(self, x, c=None):
        self.seen.append((x.shape, None if c is None else c.shape))
        code = torch.zeros(len(x), 2)
        return torch.sigmoid(self.line(x.flatten(1))).view_as(x), code, code - 1


def square(x_hat, x, mu, logvar):
    return ((x_hat - x) ** 2).mean()


class TestTrainVae:
    def loader(self, **more):
        return batches(torch.rand(20, 1, 28, 28), torch.arange(20) % 10, 8, **more)

    def test_prints_the_mean_over_the_images_of_the_epoch(self, capsys):
        values = iter([1.0, 1.0, 6.0])

        def loss(x_hat, *rest):
            return 0 * x_hat.mean() + next(values)

        mean = hw5_train.train_vae(0, Tiny(), self.loader(), loss_function=loss)
        assert mean == pytest.approx((8 + 8 + 4 * 6) / 20)
        assert capsys.readouterr().out == "Train Epoch: 0 \tLoss: 2.000000\n"

    def test_one_adam_lives_through_all_epochs(self):
        model = Tiny()
        for epoch in range(3):
            hw5_train.train_vae(epoch, model, self.loader(), loss_function=square)
        assert hw5_train._ADAMS[model].state[model.line.weight]["step"] == 9
        count = len(hw5_train._ADAMS)
        del model
        gc.collect()
        assert len(hw5_train._ADAMS) == count - 1

    def test_takes_a_data_loader_and_loose_images(self):
        data = TensorDataset(torch.rand(6, 784), torch.arange(6))
        model = Tiny()
        hw5_train.train_vae(0, model, DataLoader(data, batch_size=3), loss_function=square)
        hw5_train.train_vae(1, model, batches(torch.rand(3, 784)), loss_function=square)
        assert model.seen == [((3, 1, 28, 28), None)] * 3

    def test_condition_is_one_hot(self):
        model = Tiny()
        hw5_train.train_vae(0, model, self.loader(), cond=True, loss_function=square)
        assert [c for _, c in model.seen] == [(8, 10), (8, 10), (4, 10)]

    def test_mistakes_at_the_door_are_named(self):
        def train(images, **more):
            hw5_train.train_vae(0, Tiny(), batches(images), loss_function=square, **more)

        with pytest.raises(ValueError, match="divided by 255"):
            train(255 * torch.rand(4, 784))
        with pytest.raises(ValueError, match="needs labels"):
            train(torch.rand(4, 784), cond=True)

    def test_positive_logvar_is_questioned(self, capsys):
        class Spread(Tiny):
            def forward(self, x):
                return super().forward(x)[0], torch.zeros(len(x), 2), torch.ones(len(x), 2)

        loader = batches(torch.rand(300, 784), batch_size=300)
        hw5_train.train_vae(0, Spread(), loader, loss_function=square)
        assert "standard deviation or a variance?" in capsys.readouterr().out

    def test_without_a_loss_takes_the_students(self, monkeypatch):
        import hw5_vae

        monkeypatch.setattr(hw5_vae, "loss_function", lambda *a: square(*a) * 0 + 7)
        assert hw5_train.train_vae(0, Tiny(), self.loader()) == pytest.approx(7)

    def test_without_a_loss_and_without_the_students_says_what_to_do(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "hw5_vae", raising=False)
        with pytest.raises(ValueError, match="import hw5_vae first, or give it as loss_function="):
            hw5_train.train_vae(0, Tiny(), self.loader())


class TestRunAGan:
    def run(self, tmp_path, images, **more):
        """Train one-layer networks; returns what D was shown and what noise was drawn."""
        shown, noises = [], []

        class D(nn.Linear):
            def forward(self, x):
                shown.append(x.detach())
                return super().forward(x)

        def noise(batch, dim, dtype, device):
            noises.append(torch.randn(batch, dim, dtype=dtype, device=device))
            return noises[-1]

        d, g = D(784, 1), nn.Sequential(nn.Linear(5, 784), nn.Tanh())
        hw5_train.run_a_gan(
            d,
            g,
            torch.optim.SGD(d.parameters(), 0.1),
            torch.optim.SGD(g.parameters(), 0.1),
            lambda real, fake: (fake - real).mean(),
            lambda fake: -fake.mean(),
            tmp_path / "samples.jpg",
            batch_size=4,
            noise_size=5,
            num_epochs=2,
            loader=batches(images, batch_size=4, shuffle=False),
            sample_noise=noise,
            **more,
        )
        return shown, noises

    def test_short_last_batch_is_skipped_and_noise_is_fresh(self, tmp_path, capsys):
        shown, noises = self.run(tmp_path, torch.rand(10, 1, 28, 28), show_every=3)
        assert len(noises) == 2 * 4 and {len(x) for x in shown} == {4}
        assert not any(torch.equal(a, b) for a, b in itertools.pairwise(noises))
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(",")[0] for line in lines] == ["Iter: 0", "Iter: 3"]
        assert ", D: " in lines[0] and ", G:" in lines[0]
        assert (tmp_path / "samples.jpg").exists()

    def test_losses_and_samples_can_be_kept(self, tmp_path, capsys):
        losses, samples = {"D": [], "G": []}, Gallery()
        images = torch.rand(10, 1, 28, 28)
        self.run(tmp_path, images, losses=losses, samples=samples, show_every=1)
        printed = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert losses["D"] == pytest.approx([float(x[3][:-1]) for x in printed], rel=1e-3)
        assert losses["G"] == pytest.approx([float(x[4][2:]) for x in printed], rel=1e-3)
        assert {epoch: len(x) for epoch, x in samples.items()} == {0: 4, 1: 4}

    def test_real_images_are_shown_between_minus_one_and_one(self, tmp_path):
        shown, _ = self.run(tmp_path, torch.linspace(0, 1, 4).view(4, 1).expand(4, 784))
        assert shown[0][:, 0].tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1], abs=1e-6)

    def test_images_already_scaled_are_refused(self, tmp_path):
        with pytest.raises(ValueError, match="normalised to"):
            self.run(tmp_path, 2 * torch.rand(4, 784) - 1)

    def test_too_few_images_are_told(self, tmp_path):
        with pytest.raises(ValueError, match="no batch held batch_size=4"):
            self.run(tmp_path, torch.rand(3, 784))


class TestTheShell:
    STUB = NotImplementedError("fc-vae.loss: write loss_function (The loss).")
    TORCH = NotImplementedError("\"binary_cross_entropy\" not implemented for 'Long'")

    @pytest.mark.parametrize("error", [STUB, TORCH], ids=["stub", "torch"])
    def test_the_shell_says_a_stubs_sentence_and_shows_where_another_comes_from(
        self, error, capsys
    ):
        def run(args):
            raise error

        args = argparse.Namespace(seed=0, run=run)
        if error is self.TORCH:
            with pytest.raises(NotImplementedError, match="Long"):
                hw5_train.run_part(args, "hw5_vae.py")
        else:
            assert hw5_train.run_part(args, "hw5_vae.py") == 2
            assert capsys.readouterr().err == f"hw5_vae.py: {error}\n"
