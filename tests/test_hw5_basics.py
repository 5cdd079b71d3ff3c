"""What the small helpers promise to students and to the notebooks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import hw5_basics
import hw5_checkpoint


class TestHelpers:
    def test_one_hot_has_one_one_in_each_row(self):
        rows = hw5_basics.one_hot(torch.tensor([2, 0]), 3)
        assert rows.tolist() == [[0, 0, 1], [1, 0, 0]] and rows.dtype == torch.float32
        assert hw5_basics.idx2onehot is hw5_basics.one_hot

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
            hw5_basics.one_hot(labels)

    def test_rel_error_is_a_share_of_the_largest_size(self):
        assert hw5_basics.rel_error(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 0.0])) == 0.5
        assert hw5_basics.rel_error(torch.zeros(2), torch.zeros(2)) == 0

    def test_reset_seed_repeats_all_three_streams(self):
        draws = []
        for _ in range(2):
            hw5_basics.reset_seed(5)
            draws.append((hw5_basics.random.random(), np.random.rand(), torch.rand(1).item()))
        assert draws[0] == draws[1]

    def test_initialize_weights_leaves_convolutions_alone(self):
        layers = nn.ModuleList([nn.Linear(3, 3), nn.ConvTranspose2d(1, 1, 2), nn.Conv2d(1, 1, 2)])
        before = [m.weight.clone() for m in layers]
        layers.apply(hw5_basics.initialize_weights)
        same = [torch.equal(m.weight, old) for m, old in zip(layers, before, strict=True)]
        assert same == [False, False, True]

    def test_adam_is_fused_where_it_can_be(self, monkeypatch):
        assert hw5_basics.adam([nn.Parameter(torch.zeros(1))], 1e-3).defaults["lr"] == 1e-3
        real = torch.optim.Adam

        def old(parameters, lr, fused=False):
            if fused:
                raise RuntimeError("`fused=True` requires all the params to be on CUDA")
            return real(parameters, lr=lr)

        monkeypatch.setattr(torch.optim, "Adam", old)
        assert not hw5_basics.adam([nn.Parameter(torch.zeros(1))], 1e-3).defaults["fused"]

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

        (plain, before), (fast, after) = step(lambda solver: solver), step(hw5_basics.fused)
        assert torch.allclose(before, after, atol=1e-6)
        assert not plain.param_groups[0]["fused"] and fast.param_groups[0]["fused"]
        assert hw5_basics.fused(plain).param_groups[0]["fused"] is None  # it has worked already
        sgd = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)
        assert hw5_basics.fused(sgd) is sgd

    def test_bfloat16_stays_inside_the_network(self):
        torch.manual_seed(0)
        net, x = nn.Sequential(nn.Linear(50, 50), nn.Linear(50, 1)), torch.randn(4, 50)
        exact = net(x)
        hw5_basics.in_bf16(net)
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
            hw5_basics.show_losses(bar, D=loss)
        assert bar.shown == {"D": "0.500"} and loss.reads == 1
        bar = Bar()
        bar.disable = True
        hw5_basics.show_losses(bar, D=loss)
        assert bar.shown is None and loss.reads == 1

    def test_hello_names_the_file_and_its_last_edit(self, capsys):
        hw5_basics.hello(__file__)
        first, second = capsys.readouterr().out.splitlines()
        assert first == "Hello from test_hw5_basics.py!" and "last edited on" in second


class TestFigures:
    def test_canvas_is_filled_column_by_column(self):
        cells = [np.full((28, 28), k + 1) for k in range(6)]
        canvas = hw5_basics.concat_images(cells, row=2, col=3)
        assert canvas.shape == (2 * 28 + 3, 3 * 28 + 2 * 3)
        assert canvas[0, 0] == 1 and canvas[31, 0] == 2 and canvas[0, 31] == 3
        assert canvas[29, 0] == 0

    @pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.pdf"])
    def test_images_are_saved_without_a_display(self, tmp_path, name):
        hw5_basics.save_images(torch.rand(5, 784), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500

    def test_saved_images_stand_row_by_row(self, tmp_path):
        from matplotlib.image import imread

        images = torch.zeros(4, 1, 28, 28)
        images[1] = 1
        hw5_basics.save_images(images, tmp_path / "a.png", columns=2)
        picture = imread(tmp_path / "a.png")[..., 0]
        half = len(picture) // 2
        assert picture[half // 2, half + half // 2] == 1 and picture[half + half // 2, 10] == 0

    def test_array_to_image(self):
        assert hw5_basics.array_to_image(torch.zeros(784)).shape == (28, 28)


class TestDefaultDevice:
    @pytest.fixture
    def machine(self, monkeypatch):
        """A machine that says it has these devices, and on which training works as `works` says."""
        monkeypatch.delenv("HW5_DEVICE", raising=False)

        def pretend(cuda: bool, mps: bool, works: bool = True):
            monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
            monkeypatch.setattr(hw5_basics, "_trains_on", lambda device: works)

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
        assert hw5_basics.default_device() == device

    def test_the_environment_decides_where_it_can(self, machine, monkeypatch, capsys):
        machine(cuda=False, mps=True)
        monkeypatch.setenv("HW5_DEVICE", "cpu")
        assert hw5_basics.default_device() == "cpu" and not capsys.readouterr().out
        monkeypatch.setenv("HW5_DEVICE", "gpu")
        assert hw5_basics.default_device() == "mps"
        assert "HW5_DEVICE=gpu: torch has no such device here" in capsys.readouterr().out

    def test_a_device_works_when_a_step_on_it_comes_out_as_on_the_cpu(self):
        before = torch.get_rng_state()
        assert hw5_basics._trains_on("cpu")
        assert not hw5_basics._trains_on("meta") and not hw5_basics._trains_on("nowhere")
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_macs_gpu_keeps_its_own_layout_and_its_stream_is_resumed(self, monkeypatch):
        net = nn.Conv2d(3, 3, 3)
        plain = net.weight.stride()
        with monkeypatch.context() as patch:
            there = SimpleNamespace(device=torch.device("mps"))
            patch.setattr(nn.Module, "parameters", lambda self: [there])
            hw5_basics.in_channels_last(net)
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
        assert hw5_basics.unwritten(self.STUB)
        for other in (self.TORCH, NotImplementedError(), ValueError(str(self.STUB))):
            assert not hw5_basics.unwritten(other)
