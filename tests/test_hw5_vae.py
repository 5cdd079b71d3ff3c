"""The VAEs and the autoencoder, their losses, their loops and their command line."""

import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hw5_vae
from hw5_checkpoint import load_weights
from hw5_utils import batches, count_params, one_hot
from hw5_vae import (
    CVAE,
    VAE,
    AutoEncoder,
    BernoulliVAE,
    BetaVAE,
    ConditionalBetaVAE,
    Decoder,
    Encoder,
    loss_function,
    reparametrize,
)


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


class TestTheory:
    def test_closed_forms_agree_with_torchs(self):
        normal, kl = torch.distributions.Normal, torch.distributions.kl_divergence
        for mu_phi, mu_p, sigma in ((0.0, 1.0, 1.0), (3.0, -2.0, 0.5), (-1.0, -1.0, 2.0)):
            right = kl(normal(mu_phi, sigma), normal(mu_p, sigma)).item()
            assert hw5_vae.answer_1h(mu_phi, mu_p, sigma) == pytest.approx(right)
            assert hw5_vae.answer_1g(mu_phi, sigma) == 0
        assert (hw5_vae.answer_1b(2), hw5_vae.answer_1j()) == (2, 3)


class TestBernoulliVAE:
    def test_parameter_counts(self):
        assert count_params(Encoder(2, 500, 784)) == 394_504
        assert count_params(Decoder(2, 500, 784)) == 394_284

    def test_log_densities_agree_with_torchs(self):
        z, mu, variance = torch.randn(5, 3), torch.randn(5, 3), torch.rand(5, 3) + 0.1
        right = torch.distributions.Normal(mu, variance.sqrt()).log_prob(z).sum(1)
        assert torch.allclose(BernoulliVAE.logpdf_diagonal_gaussian(z, mu, variance), right)
        x, p = torch.rand(5, 784).round(), torch.rand(5, 784)
        right = torch.distributions.Bernoulli(p).log_prob(x).sum(1)
        assert torch.allclose(BernoulliVAE.logpdf_bernoulli(x, p), right, rtol=1e-4)

    def test_published_values(self):
        gaussian, zero = BernoulliVAE.logpdf_diagonal_gaussian, torch.zeros(4, 2)
        assert gaussian(zero, torch.zeros(2), torch.ones(2)).tolist() == pytest.approx(
            [-1.8379] * 4, abs=1e-4
        )
        assert gaussian(zero, zero, zero + 4)[0].item() == pytest.approx(-3.2242, abs=1e-4)
        x, half = torch.rand(1, 784).round(), torch.full((1, 784), 0.5)
        assert BernoulliVAE.logpdf_bernoulli(x, half).item() == pytest.approx(-543.4273)

    def test_sure_pixels_stay_finite_and_so_do_their_gradients(self):
        x = torch.tensor([[0.0, 1.0, 0.0, 1.0]])
        p = torch.tensor([[0.0, 1.0, 1.0, 0.0]], requires_grad=True)
        value = BernoulliVAE.logpdf_bernoulli(x, p)
        value.sum().backward()
        assert torch.isfinite(value).all() and torch.isfinite(p.grad).all()
        assert BernoulliVAE.logpdf_bernoulli(x, x).item() == pytest.approx(0, abs=1e-5)

    def test_samples_follow_their_parameters(self):
        mu = torch.full((20_000, 2), 3.0)
        z = BernoulliVAE.sample_diagonal_gaussian(mu, torch.tensor([4.0, 0.0]).expand(20_000, 2))
        assert z[:, 0].std().item() == pytest.approx(2, abs=0.05)
        assert torch.equal(z[:, 1], mu[:, 1])
        x = BernoulliVAE.sample_Bernoulli(torch.full((20_000, 2), 0.3))
        assert x.dtype == torch.float32 and x.mean().item() == pytest.approx(0.3, abs=0.02)

    @pytest.mark.parametrize("n", [1, 6])
    def test_a_code_that_says_nothing_costs_784_coin_flips(self, n):
        z, zero, half = torch.randn(n, 2), torch.zeros(n, 2), torch.full((n, 784), 0.5)
        elbo = BernoulliVAE().elbo_loss(z, zero, zero + 1, torch.rand(n, 784).round(), half)
        assert elbo.item() == pytest.approx(-784 * math.log(2))

    def test_train_keeps_its_meaning(self):
        assert not BernoulliVAE().eval().training

    def test_fit_raises_the_bound_and_prints_as_the_seed_does(self, capsys):
        torch.manual_seed(0)
        vae, images = BernoulliVAE(2, 20, 784), torch.rand(30, 784).round()
        elbos = vae.fit(images, num_epoches=60, batch_size=20)
        assert len(elbos) == 120 and elbos[-1] > elbos[0] + 20
        first, second = capsys.readouterr().out.splitlines()
        assert first == f"Epoch: 0, Iter: 0, ELBO:{elbos[0]}"
        assert second == f"Epoch: 50, Iter: 100, ELBO:{elbos[100]}"

    def test_figures(self, tmp_path):
        vae, images = BernoulliVAE(), torch.rand(50, 784).round()
        vae.out = tmp_path
        labels = torch.arange(50) % 10
        canvas = vae.visualize_data_space()
        assert canvas.shape == (10 * 31 - 3, 2 * 31 - 3)
        left, right = canvas[:28, :28], canvas[:28, 31:]
        assert set(np.unique(right)) == {0, 1} and left.min() > 0 and left.max() < 1
        means = vae.visualize_latent_space(images, one_hot(labels))
        assert torch.equal(means, vae.encoder(images)[0])
        canvas = vae.visualize_inter_class_interpolation(images, labels)
        assert canvas.shape == (3 * 31 - 3, 11 * 31 - 3)
        names = {
            f"vis_{f}.pdf" for f in ("data_space", "latent_space", "inter_class_interpolation")
        }
        assert {p.name for p in tmp_path.iterdir()} == names

    def test_interpolation_goes_from_the_second_mean_to_the_first(self, tmp_path):
        """With a decoder that draws its code, does each row run in equal steps?"""
        vae, images = BernoulliVAE(), torch.rand(50, 784).round()
        vae.out = tmp_path
        for p in vae.decoder.parameters():
            nn.init.zeros_(p)
        with torch.no_grad():
            vae.decoder.fc1.weight[0, 0] = 1e-3
            vae.decoder.fc2.weight[:, 0] = 1e3
        canvas = vae.visualize_inter_class_interpolation(images, torch.arange(50) % 10)
        codes = torch.logit(torch.tensor(canvas[14::31, 14::31], dtype=torch.float32))  # (3, 11)
        means = vae.encoder(images)[0][:, 0]
        steps = codes.diff(dim=1)
        assert torch.allclose(steps, steps[:, :1].expand(3, 10), atol=1e-3)
        for end in (codes[:, 0], codes[:, -1]):
            assert (end[:, None] - means).abs().min(1).values.max() < 1e-3

    def test_alpha_one_is_the_first(self):
        a, b = torch.tensor([2.0]), torch.tensor([4.0])
        got = [BernoulliVAE.interpolate_mu(a, b, alpha).item() for alpha in (1, 0, 0.25)]
        assert got == [2, 4, 3.5] and BernoulliVAE.interpolate_mu(a, b).item() == 3


class Recorder(nn.Module):
    """A stand-in for the models of part autoencoder; notes what it was given."""

    def __init__(self, conditional=False):
        super().__init__()
        self.logits, self.seen = nn.Parameter(torch.zeros(784)), []
        self.beta, self.conditional = 0.5, conditional

    def forward(self, x, *c):
        self.seen.append((x, *c))
        return torch.sigmoid(self.logits).expand(len(x), 1, 784)

    def loss(self, x, rec):
        terms = {"rec_loss": (rec - x.flatten(2)).pow(2).mean(), "kl_loss": self.logits.mean() + 3}
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms


class TestAutoencoder:
    x = torch.rand(5, 1, 28, 28)

    def test_parameter_counts(self):
        assert count_params(AutoEncoder(32)) == 439_728
        assert count_params(BetaVAE(32)) == count_params(ConditionalBetaVAE(32)) == 441_808
        conditional = ConditionalBetaVAE(32, conditional=True, num_labels=10)
        assert count_params(conditional) == 441_808 + 10 * 256 + 10 * 64

    def test_any_shape_of_784_pixels_will_do(self):
        model = AutoEncoder(7)
        for shape in ((5, 784), (5, 1, 784), (5, 1, 28, 28)):
            assert model.encoder(self.x.reshape(shape)).shape == (5, 7)
            assert torch.equal(model(self.x.reshape(shape)), model(self.x))
        assert model(self.x).shape == (5, 1, 784)
        assert model.reconstruct(self.x[0].flatten()).shape == (1, 28, 28)

    def test_loader_gives_full_batches_of_pairs(self):
        loader = hw5_vae.make_loader(torch.arange(10.0).view(10, 1), torch.arange(10), 4)
        seen = [list(loader) for _ in range(2)]
        assert [len(x) for x, _ in seen[0]] == [4, 4] and len(loader) == 2
        assert all(torch.equal(x.flatten().long(), y) for x, y in seen[0] + seen[1])

    def test_autoencoder_learns_and_prints_as_the_seed_does(self, capsys):
        torch.manual_seed(0)
        loader = batches(self.x.repeat(8, 1, 1, 1), torch.zeros(40).long(), 8)
        losses = hw5_vae.train_autoencoder(AutoEncoder(4), loader, 21, 1e-2)
        assert len(losses) == 105 and isinstance(losses[0], float)
        assert losses[0] == pytest.approx(math.log(2), abs=0.01) and losses[-1] < losses[0] - 0.01
        lines = capsys.readouterr().out.splitlines()
        assert lines[:3] == [
            "Run Epoch 0",
            f"It 0: Reconstruction Loss: {losses[0]}",
            "Run Epoch 1",
        ]
        assert f"It 100: Reconstruction Loss: {losses[100]}" in lines and lines[-1] == "Done!"

    def test_beta_vae_prints_as_the_seed_does(self, capsys):
        loader = batches(self.x, torch.arange(5), 5)
        rec, kl = hw5_vae.train_beta_vae(Recorder(), loader, 2, 1e-2)
        assert len(rec) == len(kl) == 2 and kl[0] == 3 > kl[1]
        lines = capsys.readouterr().out.splitlines()
        assert lines[:2] == ["Running 2 epochs with beta=0.5", "Run Epoch 0"]
        assert lines[2].startswith(f"It 0: Total Loss: {rec[0] + 1.5:.4f}"[:20])
        assert f"\t Rec Loss: {rec[0]}, \t KL Loss: {kl[0]}" in lines[2] and lines[-1] == "Done!"

    @pytest.mark.parametrize("conditional", [False, True])
    def test_only_a_conditional_model_is_told_the_labels(self, conditional):
        model = Recorder(conditional)
        images = torch.arange(20.0).view(20, 1, 1, 1).expand(20, 1, 28, 28) / 20
        hw5_vae.train_beta_vae(model, batches(images, torch.arange(20), 5), 1, 1e-2)
        assert {len(seen) for seen in model.seen} == {1 + conditional}
        for x, *c in model.seen:
            assert not c or torch.allclose(20 * x[:, 0, 0, 0], c[0].float())

    def test_kl_is_that_of_two_gaussians_entry_by_entry(self):
        mu1, s1, mu2, s2 = torch.randn(4, 5, 3)
        right = s2 - s1 + ((2 * s1).exp() + (mu1 - mu2) ** 2) / (2 * (2 * s2).exp()) - 0.5
        assert torch.allclose(hw5_vae.kl_divergence(mu1, s1, mu2, s2), right, rtol=1e-4, atol=1e-5)

    def test_kl_is_finite_for_a_code_without_noise(self):
        narrow, zero = torch.tensor(-20.0), torch.tensor(0.0)
        assert hw5_vae.kl_divergence(zero, narrow, zero, zero).item() == pytest.approx(19.5)

    @pytest.mark.parametrize("make", [BetaVAE, ConditionalBetaVAE])
    def test_loss_is_two_means_and_linear_in_beta(self, make):
        q, rec = torch.randn(5, 64), torch.rand(5, 1, 784)
        outputs = {"q": q, "rec": rec}
        totals = []
        for beta in (0.0, 1.0, 3.0):
            total, terms = make(32, beta=beta).loss(self.x, outputs)
            totals.append(total.item())
        mu, log_sigma = q.chunk(2, dim=1)
        kl = -0.5 * (1 + 2 * log_sigma - mu**2 - (2 * log_sigma).exp()).mean()
        assert terms["kl_loss"].item() == pytest.approx(kl.item(), rel=1e-5)
        assert terms["rec_loss"].item() == totals[0]
        assert totals[0] == pytest.approx(F.binary_cross_entropy(rec, self.x.flatten(2)).item())
        assert totals[2] - totals[0] == pytest.approx(3 * (totals[1] - totals[0]), rel=1e-5)

    def test_reconstruction_uses_mean_and_label(self):
        model, c = ConditionalBetaVAE(32, conditional=True, num_labels=10), torch.arange(5)
        want = model.decoder(model.encoder(self.x, c)[:, :32], c).view(5, 28, 28)
        assert torch.equal(model.reconstruct(self.x, c), want)
        assert not torch.allclose(model.reconstruct(self.x, c + 1), want)
        plain = BetaVAE(32)
        want = plain.decoder(plain.encoder(self.x)[:, :32]).view(5, 28, 28)
        assert torch.equal(plain.reconstruct(self.x), want)
        assert not torch.equal(plain(self.x)["rec"], plain(self.x)["rec"])

    def test_without_a_label(self):
        """Does a plain model work, and a conditional one say what it misses?"""
        assert ConditionalBetaVAE(32)(self.x)["rec"].shape == (5, 1, 784)
        conditional = ConditionalBetaVAE(32, conditional=True, num_labels=10)
        with pytest.raises(ValueError, match="give it the labels too"):
            conditional(self.x)
        with pytest.raises(ValueError, match="needs num_labels"):
            ConditionalBetaVAE(32, conditional=True)

    def test_interpolation_includes_both_ends(self):
        model = BetaVAE(32)
        images = hw5_vae.interpolate_embeddings(model, self.x[0], self.x[1], 7)
        assert images.shape == (7, 1, 28, 28)
        ends = model.reconstruct(self.x[:2])
        assert torch.allclose(images[[0, -1], 0], ends, atol=1e-6)

    def test_samples(self):
        assert hw5_vae.sample_prior(AutoEncoder(32), 16).shape == (16, 1, 28, 28)
        conditional = ConditionalBetaVAE(32, conditional=True, num_labels=10)
        assert hw5_vae.sample_digits(conditional, torch.arange(10)).shape == (10, 1, 28, 28)


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


def _numbers(file) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(file)


class TestCommandLine:
    def test_defaults_serve_a_notebook(self):
        args = hw5_vae.parse_args([])
        assert args.part == "fc-vae" and args.epochs == 10 and not args.conditional

    @pytest.mark.daily
    @pytest.mark.parametrize(
        ("argv", "name", "figures"),
        [
            (
                ["bernoulli-vae", "--num_epoches", "1", "--hidden_units", "50"],
                "bernoulli-vae",
                "e_params.safetensors d_params.safetensors vis_data_space.pdf vis_latent_space.pdf "
                "vis_inter_class_interpolation.pdf bernoulli-vae-elbo.pdf",
            ),
            (
                ["autoencoder", "ae", "--epochs", "1"],
                "autoencoder-ae",
                "-losses.pdf -reconstructions.pdf -samples.pdf",
            ),
            (
                ["autoencoder", "beta-vae", "--epochs", "1", "--beta", "10"],
                "autoencoder-beta-vae-10",
                "-losses.pdf -reconstructions.pdf -samples.pdf -interpolation.pdf",
            ),
            (
                ["autoencoder", "conditional", "--epochs", "1"],
                "autoencoder-conditional-0.105",
                "-losses.pdf -reconstructions.pdf -digits.pdf -confusion.pdf",
            ),
            (
                ["fc-vae", "--epochs", "1"],
                "fc-vae",
                "-losses.pdf -reconstructions.pdf vae_generation.jpg vae_interpolation.jpg",
            ),
            (
                ["fc-vae", "--conditional", "--epochs", "1"],
                "fc-cvae",
                "-losses.pdf -reconstructions.pdf -confusion.pdf conditional_vae_generation.jpg",
            ),
        ],
    )
    def test_trains_and_saves(self, tmp_path, capsys, argv, name, figures):
        out = tmp_path / "new"
        assert hw5_vae.main([*argv, "--data", "digits", "--device", "cpu", "--out", str(out)]) == 0
        want = {name + f if f.startswith("-") else f for f in figures.split()}
        want |= {"metrics.json", f"{name}.safetensors", f"{name}-progress.png"}
        assert {p.name for p in out.iterdir()} == want
        kept = json.loads((out / "metrics.json").read_text())
        assert list(kept) == [name] and len(kept[name]["epochs"]) == 1 and kept[name]["results"]

    def test_rows_of_both_models_when_the_autoencoder_is_there(self, tmp_path, capsys, monkeypatch):
        rows = {}
        monkeypatch.setattr(hw5_vae, "labelled_rows", lambda images, **more: rows.update(images))
        argv = ["--epochs", "1", "--data", "digits", "--device", "cpu", "--out", str(tmp_path)]
        assert hw5_vae.main(["autoencoder", "ae", *argv]) == 0
        assert hw5_vae.main(["autoencoder", "beta-vae", *argv]) == 0
        assert list(rows) == ["AE, 2 to 8", "VAE, 2 to 8", "AE, 3 to 7", "VAE, 3 to 7"]
        assert {images.shape for images in rows.values()} == {(7, 1, 28, 28)}
        load_weights(tmp_path / "autoencoder-beta-vae-0.105.safetensors", BetaVAE(32))

    @pytest.mark.daily
    @pytest.mark.parametrize(
        "argv",
        [
            ["bernoulli-vae", "--hidden_units", "20"],
            ["autoencoder", "ae"],
            ["autoencoder", "conditional"],
            ["fc-vae"],
        ],
    )
    def test_an_interrupted_training_ends_like_a_whole_one(
        self, tmp_path, capsys, argv, monkeypatch
    ):
        """After Ctrl-C in the third epoch, does --resume give the same weights and results?"""
        for figure in ("image_grid", "reconstruction_pairs", "loss_curves", "_confusion"):
            monkeypatch.setattr(hw5_vae, figure, lambda *images, **more: 0)
        for figure in ("latent_scatter", "canvas_figure"):
            monkeypatch.setattr(hw5_vae, figure, lambda *images, **more: None)
        argv = [*argv, "--epochs", "3", "--data", "digits", "--device", "cpu", "--out"]
        assert hw5_vae.main([*argv, str(tmp_path / "whole")]) == 0
        steps, step = [], torch.optim.Adam.step

        def interrupt(*args, **more):
            steps.append(1)
            if len(steps) == 30:
                raise KeyboardInterrupt
            return step(*args, **more)

        with monkeypatch.context() as patch:
            patch.setattr(torch.optim.Adam, "step", interrupt)
            assert hw5_vae.main([*argv, str(tmp_path / "parts")]) == 130
        assert "--resume goes on" in capsys.readouterr().out
        assert hw5_vae.main([*argv, str(tmp_path / "parts"), "--resume"]) == 0
        assert "of 3 epochs are done." in capsys.readouterr().out
        (whole,) = (tmp_path / "whole").glob("[!de]*.safetensors")
        first, second = (
            _numbers(folder / whole.name) for folder in (whole.parent, tmp_path / "parts")
        )
        assert first.keys() == second.keys()
        assert all(torch.equal(first[k], second[k]) for k in first)
        results = [
            json.loads((tmp_path / f / "metrics.json").read_text()) for f in ("whole", "parts")
        ]
        assert results[0][whole.stem]["results"] == results[1][whole.stem]["results"]

    def test_resuming_with_other_settings_is_refused(self, tmp_path, capsys):
        argv = ["fc-vae", "--epochs", "1", "--data", "digits", "--out", str(tmp_path)]
        assert hw5_vae.main(argv) == 0
        assert hw5_vae.main([*argv, "--resume", "--latent-size", "4"]) == 2
        assert "--latent-size 15, not 4" in capsys.readouterr().err

    def test_seed_000s_flags(self):
        args = hw5_vae.parse_args(["bernoulli-vae"])
        assert (args.hidden_units, args.latent_dimension, args.data_dimension) == (500, 2, 784)
        assert (args.seed, args.epochs, args.batch_size, args.resume) == (1234, 200, 100, False)
        flags = "--num_epoches 7 --resume_training --seed 5 --batch_size 9 --e_path e --d_path d"
        args = hw5_vae.parse_args(["bernoulli-vae", *flags.split()])
        assert (args.epochs, args.resume, args.seed, args.batch_size) == (7, True, 5, 9)
        assert (args.e_path, args.d_path) == ("e", "d")

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
