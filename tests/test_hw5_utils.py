"""What the given helpers promise to students and to the notebooks."""

import argparse
import gc
import gzip
import itertools
import subprocess
import sys
import urllib.error
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import hw5_checkpoint
import hw5_utils as utils

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def digits(monkeypatch):
    """Every test runs on the digits that scikit-learn ships."""
    monkeypatch.setenv("HW5_DATA", "digits")


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_import_stays_light():
    """Does importing the helpers leave plotting, data and the student's files alone?"""
    heavy = ["torchvision", "matplotlib", "sklearn", "safetensors", "hw5_vae", "hw5_checks"]
    code = f"import sys, hw5_utils; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]\n"


def test_torchvision_imports_beside_a_cpu_only_torch():
    """Does torchvision load, whichever torch stands beside it?"""
    code = "import hw5_utils, torch; tv = hw5_utils._torchvision(); print(tv.datasets.MNIST)"
    assert "MNIST" in run_python(code)


class TestData:
    def test_images_and_labels_have_the_promised_form(self):
        images, labels = utils.load_mnist()
        assert images.shape[1:] == (1, 28, 28) and images.dtype == torch.float32
        assert images.min() == 0 and images.max() == 1
        assert labels.shape == (len(images),) and labels.dtype == torch.int64
        assert sorted(labels.unique().tolist()) == list(range(10))

    def test_digits_lie_in_a_frame_like_mnists(self):
        """Is the border black, as it is in MNIST?"""
        images, _ = utils.load_mnist()
        assert images[..., :4, :].max() == 0 and images[..., -4:].max() == 0

    def test_splits_do_not_overlap(self):
        train, _ = utils.load_mnist("train", validation=5000)
        held, _ = utils.load_mnist("validation", validation=5000)
        test, _ = utils.load_mnist("test")
        assert len(held) == 125 and len(train) + len(held) + len(test) == 1797
        assert torch.equal(torch.cat((train, held)), utils.load_mnist()[0])

    def test_rounding_and_limit(self):
        images, labels = utils.load_mnist(binarize=True, limit=7)
        assert len(images) == len(labels) == 7
        assert set(images.unique().tolist()) == {0.0, 1.0}

    def test_unknown_split_is_named(self):
        with pytest.raises(ValueError, match="not 'valid'"):
            utils.load_mnist("valid")

    def test_binary_set_is_flat_with_one_hot_labels(self):
        train, train_labels, test, test_labels = utils.load_binary_mnist()
        assert train.shape == (1500, 784) and test.shape == (297, 784)
        assert train_labels.shape == (1500, 10) and test_labels.sum() == 297
        assert set(train.unique().tolist()) == {0.0, 1.0}

    def test_mnist_gives_numpy_bytes(self):
        arrays = utils.mnist()
        assert [a.dtype for a in arrays] == [np.uint8] * 4
        assert arrays[0].shape == (1500, 28, 28) and arrays[3].shape == (297,)

    def test_unreachable_network_falls_back_with_one_line(self, tmp_path, monkeypatch, capsys):
        def refuse(*args, **kwargs):
            raise urllib.error.URLError("no route to host")

        monkeypatch.setattr("urllib.request.urlopen", refuse)
        utils._read.cache_clear()
        for _ in range(2):
            images, _ = utils.load_mnist(data=tmp_path / "data")
        assert len(images) == 1500
        out = capsys.readouterr().out
        assert out.count("\n") == out.count("WARNING") == 1
        assert "1,797 digits" in out and "could not be fetched" in out

    def test_photographs_stand_in_for_cifar10(self, tmp_path, monkeypatch, capsys):
        def refuse(*args, **kwargs):
            raise urllib.error.URLError("no route to host")

        monkeypatch.setattr("urllib.request.urlopen", refuse)
        utils._read_cifar10.cache_clear()
        train, test = (utils.load_cifar10(s, data=tmp_path / "data") for s in ("train", "test"))
        assert train.shape == (2116, 3, 32, 32) and test.shape == (436, 3, 32, 32)
        assert train.dtype == torch.float32 and 0 <= train.min() < 0.05 < 0.95 < train.max() <= 1
        assert 0.02 < train.var() < 0.1 and len(train.unique(dim=0)) > 2000
        out = capsys.readouterr().out
        assert out.count("\n") == out.count("WARNING") == 1
        assert "crops of two photographs" in out and "could not be fetched" in out

    def test_cifar10_is_read_plane_by_plane(self, tmp_path, monkeypatch):
        """Does the picture that torchvision gives as (32, 32, 3) come out as (3, 32, 32)?"""
        from types import SimpleNamespace

        data = np.arange(2 * 32 * 32 * 3, dtype=np.uint32).astype(np.uint8).reshape(2, 32, 32, 3)
        sets = {"train": SimpleNamespace(data=data), "test": SimpleNamespace(data=data[:1])}
        monkeypatch.setattr(utils, "_fetch", lambda name, folder: sets)
        images = utils.load_cifar10(limit=1, data=tmp_path)
        assert images.shape == (1, 3, 32, 32) and images.is_contiguous()
        assert torch.equal((images[0, 2] * 255).round(), torch.tensor(data[0, :, :, 2]).float())

    def test_cifar10_names_an_unknown_split(self):
        with pytest.raises(ValueError, match="not 'valid'"):
            utils.load_cifar10("valid")

    def test_idx_file_becomes_one_tensor(self, tmp_path):
        pixels = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8)
        head = np.array([2051, 2, 28, 28], ">i4").tobytes()
        (tmp_path / "images.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
        data = utils.GANDataset(tmp_path / "images.gz", "cpu", transform=lambda d: d / 255)
        assert data.d.shape == (2, 1, 28, 28) and len(data) == 2
        assert data[1].shape == (1, 28, 28) and data.d.max() == 1


class TestDownload:
    def test_fetches_once(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HW5_DATA", str(tmp_path / "data"))
        (tmp_path / "source").write_text("first")
        url = (tmp_path / "source").as_uri()
        assert utils.download(url, "file").read_text() == "first"
        (tmp_path / "source").write_text("second")
        assert utils.download(url, "file").read_text() == "first"
        assert [p.name for p in (tmp_path / "data").iterdir()] == ["file"]

    def test_interruption_leaves_nothing_behind(self, tmp_path, monkeypatch):
        def interrupt(source, target):
            target.write(b"half")
            raise KeyboardInterrupt

        monkeypatch.setenv("HW5_DATA", str(tmp_path / "data"))
        monkeypatch.setattr(utils.shutil, "copyfileobj", interrupt)
        (tmp_path / "source").write_text("whole")
        with pytest.raises(KeyboardInterrupt):
            utils.download((tmp_path / "source").as_uri(), "file")
        assert list((tmp_path / "data").iterdir()) == []


class TestBatches:
    images, labels = torch.arange(10.0).view(10, 1), torch.arange(10)

    def test_every_image_comes_once_beside_its_label(self):
        loader = utils.batches(self.images, self.labels, batch_size=4)
        seen = list(loader)
        assert [len(x) for x, _ in seen] == [4, 4, 2] and len(loader) == 3
        assert all(torch.equal(x.flatten().long(), y) for x, y in seen)
        assert sorted(torch.cat([y for _, y in seen]).tolist()) == list(range(10))

    def test_each_pass_has_its_own_order(self):
        torch.manual_seed(0)
        loader = utils.batches(self.images, batch_size=10)
        assert not torch.equal(next(iter(loader)), next(iter(loader)))

    def test_order_follows_the_seed(self):
        passes = []
        for _ in range(2):
            torch.manual_seed(3)
            passes.append(next(iter(utils.batches(self.images, batch_size=10))))
        assert torch.equal(*passes)

    def test_short_batch_can_be_dropped(self):
        loader = utils.batches(self.images, batch_size=4, shuffle=False, drop_last=True)
        assert [x.flatten().tolist() for x in loader] == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert len(loader) == 2

    def test_sizes_that_do_not_match_are_told(self):
        with pytest.raises(ValueError, match="10 images but 9 labels"):
            utils.batches(self.images, self.labels[:9])
        with pytest.raises(ValueError, match="at least 1"):
            utils.batches(self.images, batch_size=0)


class TestHelpers:
    def test_one_hot_has_one_one_in_each_row(self):
        rows = utils.one_hot(torch.tensor([2, 0]), 3)
        assert rows.tolist() == [[0, 0, 1], [1, 0, 0]] and rows.dtype == torch.float32
        assert utils.idx2onehot is utils.one_hot

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            (torch.tensor([0.0, 1.0]), "whole numbers"),
            (torch.eye(10), "one-hot already"),
            (torch.eye(10).long(), "one-hot already"),
            (torch.tensor([True, False]), "whole numbers"),
            (torch.tensor([3, 10]), "from 3 to 10"),
            (torch.tensor([-1]), "0..9"),
        ],
    )
    def test_one_hot_refuses_labels_of_the_wrong_kind(self, labels, words):
        with pytest.raises(ValueError, match=words):
            utils.one_hot(labels)

    def test_rel_error_is_a_share_of_the_largest_size(self):
        assert utils.rel_error(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])) == 0.5
        assert utils.rel_error(torch.zeros(2), torch.zeros(2)) == 0

    def test_reset_seed_repeats_all_three_streams(self):
        draws = []
        for _ in range(2):
            utils.reset_seed(5)
            draws.append((utils.random.random(), np.random.rand(), torch.rand(1).item()))
        assert draws[0] == draws[1]

    def test_initialize_weights_leaves_convolutions_alone(self):
        layers = nn.ModuleList([nn.Linear(3, 3), nn.ConvTranspose2d(1, 1, 2), nn.Conv2d(1, 1, 2)])
        before = [m.weight.clone() for m in layers]
        layers.apply(utils.initialize_weights)
        same = [torch.equal(m.weight, old) for m, old in zip(layers, before, strict=True)]
        assert same == [False, False, True]

    def test_adam_is_fused_where_it_can_be(self, monkeypatch):
        assert utils.adam([nn.Parameter(torch.zeros(1))], 1e-3).defaults["lr"] == 1e-3
        real = torch.optim.Adam

        def old(parameters, lr, fused=False):
            if fused:
                raise RuntimeError("`fused=True` requires all the params to be on CUDA")
            return real(parameters, lr=lr)

        monkeypatch.setattr(torch.optim, "Adam", old)
        assert not utils.adam([nn.Parameter(torch.zeros(1))], 1e-3).defaults["fused"]

    def test_a_fresh_adam_can_be_fused_and_steps_as_before(self):
        def step(wrap):
            torch.manual_seed(0)
            net = nn.Linear(3, 2)
            solver = wrap(torch.optim.Adam(net.parameters(), lr=0.1, betas=(0.5, 0.9)))
            for _ in range(3):
                solver.zero_grad()
                net(torch.ones(4, 3)).square().sum().backward()
                solver.step()
            return solver, net.weight.detach()

        (plain, before), (fast, after) = step(lambda solver: solver), step(utils.fused)
        assert torch.allclose(before, after, atol=1e-6)
        assert not plain.param_groups[0]["fused"] and fast.param_groups[0]["fused"]
        assert utils.fused(plain).param_groups[0]["fused"] is None  # it has worked already
        sgd = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)
        assert utils.fused(sgd) is sgd

    def test_bfloat16_stays_inside_the_network(self):
        torch.manual_seed(0)
        net, x = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 1)), torch.randn(4, 50)
        exact = net(x)
        utils.in_bf16(net)
        rough = net(x)
        assert rough.dtype == torch.float32 and {p.dtype for p in net.parameters()} == {x.dtype}
        assert not torch.equal(rough, exact) and torch.allclose(rough, exact, atol=0.02)

    def test_losses_behind_the_bar_are_read_now_and_then(self):
        class Loss:
            reads = 0

            def __float__(self):
                self.reads += 1
                return 0.5

        class Bar:
            disable, shown = False, None

            def set_postfix(self, shown):
                self.shown = shown

        bar, loss = Bar(), Loss()
        for _ in range(100):
            utils.show_losses(bar, D=loss)
        assert bar.shown == {"D": "0.500"} and loss.reads == 1
        bar = Bar()
        bar.disable = True
        utils.show_losses(bar, D=loss)
        assert bar.shown is None and loss.reads == 1

    def test_hello_names_the_file_and_its_last_edit(self, capsys):
        utils.hello(__file__)
        first, second = capsys.readouterr().out.splitlines()
        assert first == "Hello from test_hw5_utils.py!" and "last edited on" in second

    def test_batch_indices_start_over_after_the_last(self):
        assert utils.batch_indices(7, num_batches=5, batch_size=100) == slice(200, 300)


class TestFigures:
    def test_canvas_is_filled_column_by_column(self):
        cells = [np.full((28, 28), k + 1) for k in range(6)]
        canvas = utils.concat_images(cells, row=2, col=3)
        assert canvas.shape == (2 * 28 + 3, 3 * 28 + 2 * 3)
        assert canvas[0, 0] == 1 and canvas[31, 0] == 2 and canvas[0, 31] == 3
        assert canvas[29, 0] == 0

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.pdf"])
    def test_images_are_saved_without_a_display(self, tmp_path, name):
        utils.save_images(torch.rand(5, 784), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500

    def test_saved_images_stand_row_by_row(self, tmp_path):
        from matplotlib.image import imread

        images = torch.zeros(4, 1, 28, 28)
        images[1] = 1
        utils.save_images(images, tmp_path / "a.png", columns=2)
        picture = imread(tmp_path / "a.png")[..., 0]
        half = len(picture) // 2
        assert picture[half // 2, half + half // 2] == 1 and picture[half + half // 2, 10] == 0

    def test_array_to_image(self):
        assert utils.array_to_image(torch.zeros(784)).shape == (28, 28)


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
        return utils.batches(torch.rand(20, 1, 28, 28), torch.arange(20) % 10, 8, **more)

    def test_prints_the_mean_over_the_images_of_the_epoch(self, capsys):
        values = iter([1.0, 1.0, 6.0])

        def loss(x_hat, *rest):
            return 0 * x_hat.mean() + next(values)

        mean = utils.train_vae(0, Tiny(), self.loader(), loss_function=loss)
        assert mean == pytest.approx((8 + 8 + 4 * 6) / 20)
        assert capsys.readouterr().out == "Train Epoch: 0 \tLoss: 2.000000\n"

    def test_one_adam_lives_through_all_epochs(self):
        model = Tiny()
        for epoch in range(3):
            utils.train_vae(epoch, model, self.loader(), loss_function=square)
        assert utils._ADAMS[model].state[model.line.weight]["step"] == 9
        count = len(utils._ADAMS)
        del model
        gc.collect()
        assert len(utils._ADAMS) == count - 1

    def test_takes_a_data_loader_and_loose_images(self):
        data = TensorDataset(torch.rand(6, 784), torch.arange(6))
        model = Tiny()
        utils.train_vae(0, model, DataLoader(data, batch_size=3), loss_function=square)
        utils.train_vae(1, model, utils.batches(torch.rand(3, 784)), loss_function=square)
        assert model.seen == [((3, 1, 28, 28), None)] * 3

    def test_condition_is_one_hot(self):
        model = Tiny()
        utils.train_vae(0, model, self.loader(), cond=True, loss_function=square)
        assert [c for _, c in model.seen] == [(8, 10), (8, 10), (4, 10)]

    def test_mistakes_at_the_door_are_named(self):
        def train(images, **more):
            utils.train_vae(0, Tiny(), utils.batches(images), loss_function=square, **more)

        with pytest.raises(ValueError, match="divided by 255"):
            train(255 * torch.rand(4, 784))
        with pytest.raises(ValueError, match="needs labels"):
            train(torch.rand(4, 784), cond=True)

    def test_positive_logvar_is_questioned(self, capsys):
        class Spread(Tiny):
            def forward(self, x):
                return super().forward(x)[0], torch.zeros(len(x), 2), torch.ones(len(x), 2)

        loader = utils.batches(torch.rand(300, 784), batch_size=300)
        utils.train_vae(0, Spread(), loader, loss_function=square)
        assert "standard deviation or a variance?" in capsys.readouterr().out

    def test_without_a_loss_takes_the_students(self, monkeypatch):
        import hw5_vae

        monkeypatch.setattr(hw5_vae, "loss_function", lambda *a: square(*a) * 0 + 7)
        assert utils.train_vae(0, Tiny(), self.loader()) == pytest.approx(7)


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
        utils.run_a_gan(
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
            loader=utils.batches(images, batch_size=4, shuffle=False),
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
        losses, samples = {"D": [], "G": []}, utils.Gallery()
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


def test_check_is_offered_here_too(capsys):
    assert utils.check("fc-vae.reparametrize") is True


class TestDefaultDevice:
    @pytest.fixture
    def machine(self, monkeypatch):
        """A machine that says it has these devices, and on which training works as `works` says."""
        monkeypatch.delenv("HW5_DEVICE", raising=False)

        def pretend(cuda: bool, mps: bool, works: bool = True):
            monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
            monkeypatch.setattr(utils, "_trains_on", lambda device: works)

        return pretend

    @pytest.mark.parametrize(
        ("cuda", "mps", "works", "device"),
        [
            (True, False, True, "cuda"),
            (False, True, True, "mps"),
            (False, True, False, "cpu"),
            (True, False, False, "cpu"),
            (False, False, True, "cpu"),
        ],
    )
    def test_it_is_the_gpu_that_is_there_and_works(self, machine, cuda, mps, works, device):
        machine(cuda, mps, works)
        assert utils.default_device() == device

    def test_the_environment_decides_where_it_can(self, machine, monkeypatch, capsys):
        machine(cuda=False, mps=True)
        monkeypatch.setenv("HW5_DEVICE", "cpu")
        assert utils.default_device() == "cpu" and not capsys.readouterr().out
        monkeypatch.setenv("HW5_DEVICE", "gpu")
        assert utils.default_device() == "mps"
        assert "HW5_DEVICE=gpu: torch has no such device here" in capsys.readouterr().out

    def test_a_device_works_when_a_step_on_it_comes_out_as_on_the_cpu(self):
        before = torch.get_rng_state()
        assert utils._trains_on("cpu")
        assert not utils._trains_on("meta") and not utils._trains_on("nowhere")
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_macs_gpu_keeps_its_own_layout_and_its_stream_is_resumed(self, monkeypatch):
        net = nn.Conv2d(3, 3, 3)
        plain = net.weight.stride()
        with monkeypatch.context() as patch:
            there = SimpleNamespace(device=torch.device("mps"))
            patch.setattr(nn.Module, "parameters", lambda self: [there])
            utils.in_channels_last(net)
        assert net.weight.stride() == plain
        stream = [torch.arange(4)]
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        monkeypatch.setattr(torch.mps, "get_rng_state", lambda: stream[0])
        monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: stream.__setitem__(0, state))
        kept = hw5_checkpoint.random_streams()
        stream[0] = torch.zeros(4)
        hw5_checkpoint.random_streams(kept)
        assert stream[0].tolist() == [0, 1, 2, 3]


class TestUnwritten:
    """A stub's sentence is told from torch's own NotImplementedError."""

    STUB = NotImplementedError("fc-vae.loss: write loss_function (The loss).")
    TORCH = NotImplementedError("\"binary_cross_entropy\" not implemented for 'Long'")

    def test_only_a_stub_is_unwritten(self):
        assert utils.unwritten(self.STUB)
        for other in (self.TORCH, NotImplementedError(), ValueError(str(self.STUB))):
            assert not utils.unwritten(other)

    @pytest.mark.parametrize("error", [STUB, TORCH], ids=["stub", "torch"])
    def test_the_shell_says_a_stubs_sentence_and_shows_where_another_comes_from(
        self, error, capsys
    ):
        def run(args):
            raise error

        args = argparse.Namespace(seed=0, run=run)
        if error is self.TORCH:
            with pytest.raises(NotImplementedError, match="Long"):
                utils.run_part(args, "hw5_vae.py")
        else:
            assert utils.run_part(args, "hw5_vae.py") == 2
            assert capsys.readouterr().err == f"hw5_vae.py: {error}\n"


class TestBegin:
    def test_it_says_what_is_here(self, capsys, monkeypatch, tmp_path):
        (tmp_path / "MNIST").mkdir()
        monkeypatch.setenv("HW5_DATA", str(tmp_path))
        monkeypatch.delenv("HW5_QUICK", raising=False)
        assert utils.begin() is False
        said = capsys.readouterr().out
        assert f"torch {torch.__version__}" in said and "hw5_gan.py last edited on" in said
        assert f"Data in {tmp_path}: MNIST\n" in said and "WARNING" not in said

    def test_it_names_the_gpu_of_a_mac(self, capsys, monkeypatch):
        monkeypatch.setattr(utils, "default_device", lambda: "mps")
        utils.begin()
        assert "on the GPU of this Mac (mps)" in capsys.readouterr().out

    def test_quick_settings_can_be_asked_for_in_the_notebook(self, capsys, monkeypatch):
        monkeypatch.delenv("HW5_QUICK", raising=False)
        assert utils.begin(quick=True) is True
        assert "WARNING: quick settings" in capsys.readouterr().out

    def test_quick_settings_and_stand_ins_are_warned_of(self, capsys, monkeypatch):
        monkeypatch.setenv("HW5_QUICK", "1")
        assert utils.begin() is True
        warned = [line for line in capsys.readouterr().out.splitlines() if "WARNING: " in line]
        assert ["stand-ins" in warned[0], "quick settings" in warned[1]] == [True, True]

    def test_zero_asks_for_no_quick_settings(self, monkeypatch):
        monkeypatch.setenv("HW5_QUICK", "0")
        assert utils.begin() is False
