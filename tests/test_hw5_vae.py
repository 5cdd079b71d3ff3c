"""The VAE and the conditional VAE, their loss and their command line."""

import math

import pytest
import torch
from torch import nn

import hw5_vae
from hw5_utils import count_params, one_hot
from hw5_vae import CVAE, VAE, loss_function, reparametrize


def test_hello_names_the_file(capsys):
    hw5_vae.hello_vae()
    assert capsys.readouterr().out.startswith("Hello from hw5_vae.py!\n")


class TestReparametrize:
    def test_gives_the_published_mean_and_spread(self):
        torch.manual_seed(0)
        z = reparametrize(torch.zeros(1, 15), torch.ones(1, 15))
        assert z.shape == (1, 15)
        assert z.mean().item() == pytest.approx(-0.4363, abs=1e-4)
        assert z.std().item() == pytest.approx(1.6860, abs=1e-4)

    def test_no_spread_gives_the_mean(self):
        mu = torch.randn(4, 3)
        assert torch.equal(reparametrize(mu, torch.full((4, 3), -400.0)), mu)

    def test_gradients_reach_mean_and_spread(self):
        mu, logvar = torch.zeros(5, 3, requires_grad=True), torch.zeros(5, 3, requires_grad=True)
        z = reparametrize(mu, logvar)
        z.sum().backward()
        assert torch.equal(mu.grad, torch.ones(5, 3))
        assert torch.allclose(logvar.grad, z.detach() / 2)  # dz/dlogvar = sigma eps / 2


class TestLoss:
    def test_gives_the_published_number(self):
        x_hat = torch.sigmoid(torch.tensor([[[[2.0, 5.0], [6.0, 7.0]]]]))
        x = torch.sigmoid(torch.tensor([[[[1.0, 10.0], [9.0, 3.0]]]]))
        loss = loss_function(x_hat, x, torch.ones(1, 15), torch.zeros(1, 15))
        assert loss.item() == pytest.approx(8.5079, rel=1e-5)

    @pytest.mark.parametrize("n", [1, 7])
    def test_coin_flip_pixels_cost_log_two_each(self, n):
        """Is it 784 log 2 nats for every batch size when the code says nothing?"""
        half, x, zero = torch.full((n, 784), 0.5), torch.rand(n, 784), torch.zeros(n, 3)
        assert loss_function(half, x, zero, zero).item() == pytest.approx(784 * math.log(2))

    def test_kl_agrees_with_torchs(self):
        x, mu, logvar = torch.rand(6, 784), torch.randn(6, 4), torch.randn(6, 4)
        q = torch.distributions.Normal(mu, (logvar / 2).exp())
        kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0, 1)).sum(1).mean()
        same = loss_function(x, x, torch.zeros(6, 4), torch.zeros(6, 4))
        assert torch.allclose(loss_function(x, x, mu, logvar) - same, kl, atol=1e-3)

    def test_saturated_pixels_stay_finite(self):
        x, zero = torch.tensor([[0.0, 1.0]]), torch.zeros(1, 1)
        assert loss_function(x, x, zero, zero) == 0
        assert torch.isfinite(loss_function(1 - x, x, zero, zero))


class TestModels:
    def test_parameter_counts(self):
        assert count_params(VAE(784)) == 1_288_414
        assert count_params(CVAE(784)) == 1_296_414

    def test_forward_shapes_and_ranges(self):
        for model, c in ((VAE(784, latent_size=9), ()), (CVAE(784, 10, 9), (torch.eye(10)[:5],))):
            x_hat, mu, logvar = model(torch.rand(5, 1, 28, 28), *c)
            assert x_hat.shape == (5, 1, 28, 28) and mu.shape == logvar.shape == (5, 9)
            assert 0 <= x_hat.min() <= x_hat.max() <= 1

    def test_zeroed_decoder_is_grey(self):
        model = VAE(784)
        for p in model.decoder.parameters():
            nn.init.zeros_(p)
        assert torch.all(model.decoder(torch.randn(2, 15)) == 0.5)

    def test_class_changes_code_and_image(self):
        model, x = CVAE(784), torch.rand(2, 1, 28, 28)
        nn.init.constant_(model.logvar_layer.bias, -400)
        first, second = (model(x, one_hot(torch.tensor([k, k]))) for k in (1, 2))
        assert not torch.allclose(first[1], second[1]) and not torch.allclose(first[0], second[0])

    def test_encoder_reads_image_then_class(self):
        """With the last ten columns cut, is the class forgotten?"""
        model, x = CVAE(784), torch.rand(2, 1, 28, 28)
        with torch.no_grad():
            model.encoder[0].weight[:, 784:] = 0
        first, second = (model(x, one_hot(torch.tensor([k, k])))[1] for k in (1, 2))
        assert torch.equal(first, second)


class TestFigures:
    def test_samples_and_digits(self):
        assert hw5_vae.draw_samples(VAE(784), 6).shape == (6, 1, 28, 28)
        assert hw5_vae.draw_digits(CVAE(784)).shape == (10, 1, 28, 28)

    def test_interpolation_steps_are_equal_and_reach_both_ends(self):
        model = VAE(784, latent_size=2)
        model.decoder = nn.Identity()
        z = hw5_vae.draw_interpolation(model, rows=3, steps=5).view(3, 5, 2)
        assert torch.allclose(z.diff(dim=1), z.diff(dim=1)[:, :1].expand(3, 4, 2), atol=1e-6)
        assert not torch.allclose(z[0, 0], z[0, -1])


class TestCommandLine:
    def test_defaults_serve_a_notebook(self):
        args = hw5_vae.parse_args([])
        assert args.part == "fc-vae" and args.epochs == 10 and not args.conditional

    @pytest.mark.parametrize(
        ("flags", "figures"),
        [
            ([], {"vae_generation.jpg", "vae_interpolation.jpg"}),
            (["--conditional"], {"conditional_vae_generation.jpg"}),
        ],
    )
    def test_trains_and_saves_figures(self, tmp_path, capsys, flags, figures):
        argv = ["fc-vae", "--epochs", "2", "--data", "digits", "--device", "cpu"]
        assert hw5_vae.main([*argv, "--out", str(tmp_path / "new"), *flags]) == 0
        assert {p.name for p in (tmp_path / "new").iterdir()} == figures
        lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("Train Epoch")]
        first, second = (float(line.split()[-1]) for line in lines)
        assert second < first < 543.5

    def test_same_seed_same_losses(self, tmp_path, capsys):
        argv = ["fc-vae", "--epochs", "1", "--data", "digits", "--seed", "3", "--device", "cpu"]
        for _ in range(2):
            hw5_vae.main([*argv, "--out", str(tmp_path)])
        lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("Train Epoch")]
        assert lines[0] == lines[1]

    @pytest.mark.parametrize(
        ("argv", "words"),
        [
            (["vae"], "invalid choice"),
            (["fc-vae", "--epochs", "0"], "at least 1"),
            (["fc-vae", "--epochs", "many"], "at least 1"),
            (["fc-vae", "--device", "toaster"], "no device 'toaster'"),
            (["fc-vae", "--out", __file__], "cannot write into the folder"),
            (["fc-vae", "--data", __file__], "cannot write into the folder"),
            (["fc-vae", "--epoch-count", "3"], "unrecognized arguments"),
        ],
    )
    def test_bad_flags_give_a_sentence_and_two(self, argv, words, capsys):
        with pytest.raises(SystemExit) as stop:
            hw5_vae.main(argv)
        assert stop.value.code == 2
        assert words in capsys.readouterr().err

    def test_help_teaches(self, capsys):
        with pytest.raises(SystemExit) as stop:
            hw5_vae.parse_args(["fc-vae", "--help"])
        assert stop.value.code == 0
        assert "smaller is better" in " ".join(capsys.readouterr().out.split())
