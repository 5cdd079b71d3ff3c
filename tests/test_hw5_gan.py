"""The GANs, their losses and their command line."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hw5_gan
from hw5_checks import LOGITS_FAKE, LOGITS_REAL
from hw5_gan import GAN, DNet, GNet
from hw5_utils import batches, count_params

LOG2 = math.log(2)


class Fixed(nn.Module):
    """A discriminator whose logit is always the same."""

    def __init__(self, logit):
        super().__init__()
        self.logit = logit

    def forward(self, x):
        return 0 * x.flatten(1).sum(1, keepdim=True) + self.logit


def test_hello_names_the_file(capsys):
    hw5_gan.hello_gan()
    assert capsys.readouterr().out.startswith("Hello from hw5_gan.py!\n")


class TestConvGanNetworks:
    def test_parameter_counts(self):
        assert (count_params(DNet()), count_params(GNet(64))) == (593, 107_777)

    def test_shapes(self):
        assert DNet()(torch.rand(5, 1, 28, 28)).shape == (5, 1)
        assert GNet(7)(torch.rand(5, 7)).shape == (5, 1, 28, 28)

    def test_zero_in_gives_zero_logit_and_grey_image(self):
        assert DNet()(torch.zeros(1, 1, 28, 28)).item() == 0
        assert torch.all(GNet(64)(torch.zeros(1, 64)) == 0.5)

    def test_weights_are_kaiming_uniform(self):
        for net in (DNet(), GNet(64)):
            for layer in net.children():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    bound = math.sqrt(6 / layer.weight[0].numel())
                    assert 0.5 * bound < layer.weight.abs().max() <= bound
                    assert not layer.bias.any()

    def test_layers_are_defined_in_the_order_of_the_tables(self):
        """Does seed 2 give the first weights it always gave?"""
        gan = GAN()
        first = [m.weight.flatten()[0].item() for m in (gan.disc.conv1, gan.disc.fc, gan.gen.fc)]
        assert first == pytest.approx([0.636606, -0.069907, -0.246914], abs=1e-6)


class TestConvGanLosses:
    def setup_method(self):
        self.gan = GAN(device="cpu")
        self.data, self.z = torch.rand(6, 1, 28, 28), torch.rand(6, 64)

    def test_discriminator_loss_is_one_mean_over_both_halves(self):
        self.gan.disc = Fixed(0.0)
        loss = self.gan._get_loss_d(6, self.data, self.z)
        assert loss.item() == pytest.approx(LOG2)

    def test_real_images_have_target_one(self):
        self.gan.disc = Fixed(3.0)
        loss = self.gan._get_loss_d(6, self.data, self.z).item()
        assert loss == pytest.approx((math.log1p(math.exp(-3)) + math.log1p(math.exp(3))) / 2)

    def test_fakes_are_detached(self):
        self.gan._get_loss_d(6, self.data, self.z).backward()
        assert all(p.grad is None for p in self.gan.gen.parameters())
        assert all(p.grad is not None for p in self.gan.disc.parameters())

    @pytest.mark.parametrize("logit", [0.0, 10.0, -10.0])
    def test_generator_loss_does_not_saturate(self, logit):
        self.gan.disc = Fixed(logit)
        loss = self.gan._get_loss_g(6, self.z).item()
        assert loss == pytest.approx(math.log1p(math.exp(-logit)), rel=1e-4)

    def test_generator_loss_reaches_the_generator(self):
        self.gan._get_loss_g(6, self.z).backward()
        assert all(p.grad is not None for p in self.gan.gen.parameters())


class TestTrain:
    def test_prints_and_saves_every_tenth_epoch(self, tmp_path, capsys):
        gan = GAN(device="cpu")
        loader = batches(torch.rand(8, 1, 28, 28), batch_size=4)
        gan.train(n_epochs=11, loader=loader, out=tmp_path)
        assert {p.name for p in tmp_path.iterdir()} == {"goal.pdf", "test_0.png", "test_10.png"}
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 11 and lines[3].startswith("E: 3; DLoss: 0.")
        assert "; GLoss: 0." in lines[3]

    def test_both_steps_share_their_codes_in_minus_one_to_one(self, tmp_path):
        gan, codes = GAN(device="cpu"), []
        gan._get_loss_d = lambda n, x, z: codes.append(z) or gan.disc(x).mean()
        gan._get_loss_g = lambda n, z: codes.append(z) or gan.gen(z).mean()
        loader = batches(torch.rand(6, 1, 28, 28), batch_size=4)
        gan.train(iter_d=2, iter_g=1, n_epochs=1, loader=loader, out=tmp_path)
        assert [len(z) for z in codes] == [4, 4, 4, 2, 2, 2]
        assert codes[0] is codes[1] is codes[2] and codes[2] is not codes[3]
        assert codes[0].min() < -0.9 and codes[0].max() > 0.9 and codes[0].abs().max() <= 1

    def test_losses_get_the_default_signature(self):
        import inspect

        names = list(inspect.signature(GAN.train).parameters)
        assert names[:6] == ["self", "iter_d", "iter_g", "n_epochs", "batch_size", "lr"]

    def test_too_few_images_are_told(self, tmp_path):
        loader = batches(torch.rand(3, 1, 28, 28), batch_size=4, drop_last=True)
        with pytest.raises(ValueError, match="no batch"):
            GAN(device="cpu").train(loader=loader, out=tmp_path)


class TestFcGan:
    def test_noise_is_uniform(self):
        z = hw5_gan.sample_noise(1000, 100, dtype=torch.float64)
        assert z.shape == (1000, 100) and z.dtype == torch.float64
        assert -1 <= z.min() < -0.99 and 0.99 < z.max() <= 1
        assert abs(z.mean()) < 0.02 and abs(z.var() - 1 / 3) < 0.01

    def test_parameter_counts(self):
        counts = [
            count_params(net)
            for net in (
                hw5_gan.discriminator(),
                hw5_gan.generator(4),
                hw5_gan.generator(),
                hw5_gan.build_dc_classifier(),
                hw5_gan.build_dc_generator(4),
                hw5_gan.build_dc_generator(),
            )
        ]
        assert counts == [267_009, 1_858_320, 1_952_528, 1_102_721, 6_580_801, 6_675_009]

    def test_shapes_and_ranges(self):
        for net in (hw5_gan.discriminator(), hw5_gan.build_dc_classifier()):
            assert net(torch.rand(3, 784)).shape == (3, 1)
        for net in (hw5_gan.generator(), hw5_gan.build_dc_generator()):
            images = net(10 * torch.randn(3, hw5_gan.NOISE_DIM))
            assert images.shape == (3, 784) and -1 <= images.min() < 0 < images.max() <= 1

    def test_losses_give_the_published_numbers(self):
        def near(value):
            return pytest.approx(value, rel=1e-6)

        real, fake = LOGITS_REAL, LOGITS_FAKE
        assert hw5_gan.discriminator_loss(real, fake).item() == near(1.8423983904)
        assert hw5_gan.generator_loss(fake).item() == near(0.7712861962)
        assert hw5_gan.ls_discriminator_loss(real, fake).item() == near(1.8770293614)
        assert hw5_gan.ls_generator_loss(fake).item() == near(0.8169547870)

    def test_discriminator_loss_is_a_sum_of_two_means(self):
        zeros = torch.zeros(5, 1)
        assert hw5_gan.discriminator_loss(zeros, zeros).item() == pytest.approx(2 * LOG2)

    def test_losses_stay_finite_for_sure_discriminators(self):
        sure = torch.tensor([1000.0])
        assert hw5_gan.discriminator_loss(sure, -sure) == 0
        assert hw5_gan.generator_loss(-sure) == 1000

    def test_optimizer_is_adam_with_a_short_memory(self):
        solver = hw5_gan.get_optimizer(hw5_gan.discriminator())
        assert type(solver) is torch.optim.Adam
        assert solver.defaults["lr"] == 1e-3 and solver.defaults["betas"] == (0.5, 0.999)
        assert len(solver.param_groups[0]["params"]) == 6

    def test_leaky_slope_is_one_hundredth(self):
        net = hw5_gan.discriminator()
        h = net[0](torch.rand(2, 784))
        assert torch.equal(net[1](h), F.leaky_relu(h, 0.01))


class TestCommandLine:
    def test_defaults_serve_a_notebook(self):
        args = hw5_gan.parse_args([])
        assert args.part == "conv-gan" and args.epochs == 30
        assert hw5_gan.parse_args(["fc-gan"]).epochs == 10

    @pytest.mark.parametrize(
        ("flags", "figures", "line"),
        [
            (["conv-gan"], {"goal.pdf", "test_0.png"}, "E: 0; DLoss: 0."),
            (["fc-gan"], {"fc_gan_results.jpg"}, "Iter: 0, D: "),
            (["fc-gan", "--dc"], {"dc_gan_results.jpg"}, "Iter: 0, D: "),
            (["fc-gan", "--least-squares"], {"fc_gan_results.jpg"}, "Iter: 0, D: "),
        ],
    )
    def test_trains_and_saves_figures(self, tmp_path, capsys, monkeypatch, flags, figures, line):
        load = hw5_gan.load_mnist
        monkeypatch.setattr(hw5_gan, "load_mnist", lambda **more: load(limit=260, **more))
        argv = ["--epochs", "1", "--data", "digits", "--device", "cpu", "--out", str(tmp_path)]
        assert hw5_gan.main([*flags, *argv]) == 0
        assert {p.name for p in tmp_path.iterdir()} == figures
        assert line in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (["gan"], "invalid choice"),
            (["conv-gan", "--epochs", "-1"], "at least 1"),
            (["conv-gan", "--dc"], "unrecognized arguments"),
            (["fc-gan", "--device", "cuda:99"], "no device 'cuda:99'"),
            (["fc-gan", "--out", __file__], "cannot write into the folder"),
            (["fc-gan", "--seed", "x"], "invalid int value"),
        ],
    )
    def test_bad_flags_give_a_sentence_and_two(self, argv, words, capsys):
        with pytest.raises(SystemExit) as stop:
            hw5_gan.main(argv)
        assert stop.value.code == 2
        assert words in capsys.readouterr().err
