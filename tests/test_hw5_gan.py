"""The GANs, their losses and their command line."""

import json
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import hw5_gan
import hw5_train
from hw5_basics import count_params
from hw5_checks import LOGITS_FAKE, LOGITS_REAL
from hw5_data import batches
from hw5_gan import DCGAN, GAN, AutoEncoderGAN, CIFARDiscriminator, DNet, GNet

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


def test_distances_of_the_uniform_distributions():
    """Do the four numbers agree with sums over a fine grid?"""
    kl_12, kl_13, w_12, w_13 = hw5_gan.answer_3e()
    assert kl_12 == kl_13 == math.inf
    x = torch.linspace(0, 2, 2001)
    cdf = [((x - low).clamp(0, 1)) for low in (0.0, 0.5, 1.0)]
    distances = [torch.trapezoid((cdf[0] - other).abs(), x).item() for other in cdf[1:]]
    assert [w_12, w_13] == pytest.approx(distances, abs=1e-3)


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
        assert {epoch: x.shape for epoch, x in gan.samples.items()} == dict.fromkeys(
            (0, 10), (4, 1, 28, 28)
        )
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

    def test_returns_the_losses_of_every_step(self, tmp_path, capsys):
        loader = batches(torch.rand(8, 1, 28, 28), batch_size=4)
        d, g = GAN(device="cpu").train(n_epochs=2, loader=loader, out=tmp_path)
        assert len(d) == len(g) == 4
        last = capsys.readouterr().out.splitlines()[-1]
        assert float(last.split()[3].rstrip(";")) == pytest.approx(sum(d[2:]) / 2)

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


def small_dcgan(spectral=False, epochs=1):
    torch.manual_seed(0)
    dcgan = DCGAN(spectral)
    dcgan.num_epoch, dcgan.batch_size, dcgan.log_step, dcgan.vis_steps = epochs, 4, 1, 30
    return dcgan


def weights(module):
    return {name: p.detach().clone() for name, p in module.named_parameters()}


class TestDcgan:
    def test_parameter_counts(self):
        for spectral in (False, True):
            dcgan = DCGAN(spectral)
            counts = count_params(dcgan._generator), count_params(dcgan._discriminator)
            assert counts == (299_043, 168_033)

    def test_shapes_and_ranges(self):
        dcgan = DCGAN()
        images = dcgan._generator(torch.randn(5, 64))
        assert images.shape == (5, 3, 32, 32) and 0 <= images.min() <= images.max() <= 1
        assert dcgan._discriminator(images).shape == (5, 1)

    @pytest.mark.parametrize("spectral", [False, True])
    def test_weights_are_normal_and_survive_the_wrapping(self, spectral):
        dcgan = DCGAN(spectral)
        found = 0
        for layer in dcgan.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                (weight,) = (p for p in layer.parameters() if p.dim() == 4)
                assert weight.std().item() == pytest.approx(0.02, rel=0.1)
                found += 1
            if isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
                assert not layer.bias.any() and layer.weight.std() > 0.01
                found += 1
        assert found == 3 + 3 + 3 + 2

    def test_spectral_norm_is_one_for_every_convolution(self):
        torch.manual_seed(0)
        net = CIFARDiscriminator(spectral=True)
        for _ in range(30):
            net(torch.rand(2, 3, 32, 32))
        norms = [
            torch.linalg.matrix_norm(net.downsample[i].weight.flatten(1), 2) for i in (0, 2, 5)
        ]
        assert torch.stack(norms).tolist() == pytest.approx([1, 1, 1], rel=0.02)

    def test_older_spectral_norm_can_be_initialised_too(self):
        dcgan = DCGAN()
        for i in (0, 2, 5):
            nn.utils.spectral_norm(dcgan._discriminator.downsample[i])
            nn.init.ones_(dcgan._discriminator.downsample[i].weight_orig)
        dcgan._weight_INITIALIZATION()
        dcgan._discriminator(torch.rand(2, 3, 32, 32))
        stds = [dcgan._discriminator.downsample[i].weight_orig.std().item() for i in (0, 2, 5)]
        assert stds == pytest.approx([0.02] * 3, rel=0.1)

    def test_optimizers_hold_their_own_network(self):
        dcgan = DCGAN()
        for solver, network in (
            (dcgan.optimizerD, dcgan._discriminator),
            (dcgan.optimizerG, dcgan._generator),
        ):
            (group,) = solver.param_groups
            assert [id(p) for p in group["params"]] == [id(p) for p in network.parameters()]
            assert group["lr"] == 2e-4 and group["betas"] == (0.5, 0.999)

    def test_fit_prints_as_the_seed_does_and_returns_every_step(self, tmp_path, capsys):
        dcgan = small_dcgan(epochs=3)
        dis, gen = dcgan.fit(torch.rand(11, 3, 32, 32).numpy(), out=tmp_path)
        assert len(dis) == len(gen) == 6
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "Start training ..." and lines[-1] == "... Done!"
        assert lines[2] == f"Iteration 2/6: dis loss = {dis[1]:.4f}, gen loss = {gen[1]:.4f}"
        assert {p.name for p in tmp_path.iterdir()} == {"cifar_dcgan_0.png", "cifar_dcgan_2.png"}
        assert {epoch: x.shape for epoch, x in dcgan.samples.items()} == dict.fromkeys(
            (0, 2), (64, 3, 32, 32)
        )

    def test_losses_are_a_sum_of_two_means_and_non_saturating(self):
        dcgan = small_dcgan()
        dcgan._discriminator.fc = Fixed(0.0)
        dcgan._discriminator.fc.weight = nn.Parameter(torch.zeros(1))
        logit = nn.Parameter(torch.tensor(2.0))
        dcgan._discriminator.fc.forward = lambda h: 0 * h.sum(1, keepdim=True) + logit
        dis, gen = dcgan.fit(torch.rand(4, 3, 32, 32))
        real, fake = math.log1p(math.exp(-2)), math.log1p(math.exp(2))
        assert dis[0] == pytest.approx(real + fake, rel=1e-4)
        assert gen[0] == pytest.approx(real, rel=1e-4)

    @pytest.mark.parametrize(("still", "moving"), [("D", "_generator"), ("G", "_discriminator")])
    def test_each_step_moves_its_own_network_alone(self, still, moving):
        dcgan = small_dcgan()
        getattr(dcgan, f"optimizer{still}").param_groups[0]["lr"] = 0.0
        before = weights(dcgan)
        dcgan.fit(torch.rand(8, 3, 32, 32))
        moved = {n.split(".")[0] for n, p in dcgan.named_parameters() if not p.equal(before[n])}
        assert moved == {moving}

    def test_real_images_and_fakes_pass_in_batches_of_their_own(self):
        dcgan, seen = small_dcgan(), []
        dcgan._discriminator.register_forward_hook(
            lambda net, x, logits: seen.append((x[0].detach().clone(), x[0].requires_grad))
        )
        images = torch.rand(4, 3, 32, 32)
        dcgan.fit(images)
        assert [len(x) for x, _ in seen] == [4, 4, 4]
        assert torch.equal(
            seen[0][0].flatten(1).sum(1).sort()[0], images.flatten(1).sum(1).sort()[0]
        )
        assert [flows for _, flows in seen] == [False, False, True]
        assert not torch.equal(seen[1][0], seen[2][0])

    def test_too_few_images_are_told(self):
        with pytest.raises(ValueError, match="3 images fill no batch of 4"):
            small_dcgan().fit(torch.rand(3, 3, 32, 32))

    @pytest.mark.parametrize("search", ["reconstruct", "actmax"])
    def test_a_search_moves_codes_and_leaves_the_model(self, search):
        """Do weights, their gradients and the batch statistics stay as they were?"""
        dcgan = small_dcgan()
        before = {k: v.clone() for k, v in dcgan.state_dict().items()}
        start = torch.randn(3, 64)
        if search == "actmax":
            images, kept = dcgan.actmax(start.numpy()), start.clone()
            assert torch.equal(start, kept)
        else:
            _, images = dcgan.reconstruct(torch.rand(3, 3, 32, 32).numpy())
        assert images.shape == (3, 3, 32, 32) and not images.requires_grad
        assert all(torch.equal(v, before[k]) for k, v in dcgan.state_dict().items())
        assert all(p.grad is None for p in dcgan.parameters())

    def test_activation_maximisation_pleases_the_discriminator(self):
        dcgan, z = small_dcgan(), torch.randn(3, 64)
        dcgan.vis_learning_rate = 0.1
        start, end = (dcgan._discriminator.eval()(x) for x in (dcgan.generate(z), dcgan.actmax(z)))
        assert torch.all(end > start)

    def test_reconstruction_is_independent_of_its_neighbours(self):
        dcgan, x = small_dcgan(), torch.rand(4, 3, 32, 32)
        together, alone = dcgan.reconstruct(x)[1][:1], dcgan.reconstruct(x[:1])[1]
        assert torch.allclose(together, alone, atol=1e-3)

    def test_reconstruction_finds_an_image_of_its_own(self):
        """Does the search find a code whose image the generator made?"""
        dcgan = small_dcgan()
        for layer in dcgan.modules():
            if isinstance(layer, nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.1)
        x = dcgan.generate(0.5 * torch.randn(2, 64))
        dcgan.vis_steps = 150
        loss, images = dcgan.reconstruct(x)
        assert loss.item() == pytest.approx(F.mse_loss(images, x).item())
        assert loss < 0.1 * F.mse_loss(dcgan.generate(torch.zeros(2, 64)), x)


class TestAeGan:
    def setup_method(self):
        torch.manual_seed(0)
        self.model = AutoEncoderGAN(1, 3, 6, 16)
        self.images = torch.rand(10, 1, 4, 4)

    def test_parameter_counts(self):
        model = AutoEncoderGAN()
        networks = (model.encoder, model.generator, model.discriminator)
        assert [count_params(net) for net in networks] == [283_200, 283_920, 267_009]

    def test_no_layer_shares_its_activation(self):
        """Would a PReLU learn for each layer alone, and is the one handed in left out?"""
        prelu = nn.PReLU()
        model = AutoEncoderGAN(2, 3, 6, 16, activation_generator=prelu)
        found = [m for m in model.modules() if isinstance(m, nn.PReLU)]
        assert len({id(m) for m in found}) == 4 and prelu not in found

    def test_shapes_and_ranges(self):
        model, x = self.model, self.images.flatten(1)
        code = model.encoder(x)
        assert code.shape == (10, 3) and code.min() < 0
        for net, inputs, width in ((model.generator, code, 16), (model.discriminator, x, 1)):
            out = net(inputs)
            assert out.shape == (10, width) and 0 <= out.min() <= out.max() <= 1

    def test_no_hidden_layer_is_one_linear_layer(self):
        assert count_params(AutoEncoderGAN(0, 3, 6, 16).encoder) == 16 * 3 + 3
        with pytest.raises(ValueError, match="at least 0"):
            AutoEncoderGAN(-1)

    def blind(self):
        for net in (self.model.generator, self.model.discriminator):
            nn.init.zeros_(net.net[-2].weight)
            nn.init.zeros_(net.net[-2].bias)

    def test_losses_are_means_over_the_images_of_an_epoch(self, capsys):
        self.blind()
        images = torch.cat((torch.zeros(4, 16), torch.full((4, 16), 0.5), torch.ones(1, 16)))
        optimizers = hw5_gan.ae_gan_optimizers(self.model, 0.0)
        d, g, ae = hw5_gan.train_ae_gan(self.model, images.split(4), optimizers, 2)
        assert d == pytest.approx([2 * LOG2] * 2)
        mean = 0.25 * 5 / 9  # five of the nine images are off by one half
        assert ae == pytest.approx([mean] * 2)
        assert g == pytest.approx([0.9 * LOG2 + mean] * 2)
        lines = capsys.readouterr().out.splitlines()
        total = 2.9 * LOG2 + 2 * mean
        assert lines[1] == (
            f"Epoch:    2 AE Loss: {mean:.4f} Gen Loss: {0.9 * LOG2 + mean:.4f} "
            f"Dis Loss: {2 * LOG2:.4f} Total: {total:.4f}"
        )

    def test_ten_epochs_are_printed(self, capsys):
        optimizers = hw5_gan.ae_gan_optimizers(self.model)
        hw5_gan.train_ae_gan(self.model, batches(self.images), optimizers, 20)
        lines = capsys.readouterr().out.splitlines()
        assert [int(x.split()[1]) for x in lines] == [1, *range(2, 21, 2)]

    @pytest.mark.parametrize("moving", ["encoder", "generator", "discriminator"])
    def test_each_step_moves_its_own_network_alone(self, moving):
        names = ("encoder", "generator", "discriminator")
        optimizers = hw5_gan.ae_gan_optimizers(self.model, 0.01)
        for name, optimizer in zip(names, optimizers, strict=True):
            optimizer.param_groups[0]["lr"] *= name == moving
        before = weights(self.model)
        loader = batches(self.images, torch.arange(10), batch_size=5)
        hw5_gan.train_ae_gan(self.model, loader, optimizers, 1)
        after = self.model.named_parameters()
        assert {n.split(".")[0] for n, p in after if not p.equal(before[n])} == {moving}

    def test_a_loader_without_batches_is_told(self):
        with pytest.raises(ValueError, match="no batch"):
            hw5_gan.train_ae_gan(self.model, [], hw5_gan.ae_gan_optimizers(self.model), 1)


def test_samples_by_epoch_are_chosen_by_name():
    samples = {20: torch.zeros(9, 1, 8, 8), 0: torch.ones(9, 1, 8, 8)}
    figure = hw5_gan.samples_by_epoch(samples)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["epoch 0", "epoch 20"]
    with pytest.raises(ValueError, match=r"of the epochs \[0, 20\], not of \[7\]"):
        hw5_gan.samples_by_epoch(samples, [0, 7])


class TestCommandLine:
    def test_defaults_serve_a_notebook(self):
        args = hw5_gan.parse_args([])
        assert args.part == "conv-gan" and args.epochs == 30
        assert hw5_gan.parse_args(["fc-gan"]).epochs == 10

    @pytest.fixture(autouse=True)
    def small(self, monkeypatch):
        """A few images and a few steps of every search."""
        mnist, cifar10 = hw5_gan.load_mnist, hw5_gan.load_cifar10
        monkeypatch.setattr(
            hw5_gan, "load_mnist", lambda split="train", **more: mnist(split, limit=260, **more)
        )
        monkeypatch.setattr(
            hw5_gan, "load_cifar10", lambda s="train", limit=130, **more: cifar10(s, limit, **more)
        )
        monkeypatch.setattr(DCGAN, "vis_steps", 2)

    @pytest.mark.daily
    @pytest.mark.parametrize(
        ("flags", "name", "figures", "line"),
        [
            (["conv-gan"], "conv-gan", "goal.pdf test_0.png conv_gan_{}", "E: 0; DLoss: 0."),
            (["conv-gan", "--bf16"], "conv-gan", "goal.pdf test_0.png conv_gan_{}", "E: 0; DLoss"),
            (["fc-gan"], "fc-gan", "fc_gan_results.jpg fc_gan_{}", "Iter: 0, D: "),
            (["fc-gan", "--dc"], "fc-gan-dc", "dc_gan_results.jpg dc_gan_{}", "Iter: 0, D: "),
            (["fc-gan", "--least-squares"], "fc-gan", "fc_gan_results.jpg fc_gan_{}", "Iter: 0,"),
            (
                ["cifar-dcgan", "--spectral"],
                "cifar-dcgan-spectral",
                "cifar_dcgan_spectral_{} cifar_dcgan_spectral_samples.png "
                "cifar_dcgan_spectral_actmax.png cifar_dcgan_spectral_pairs.png",
                "average reconstruction loss = 0.",
            ),
            (
                ["ae-gan"],
                "ae-gan",
                "ae_gan_losses.png ae_gan_samples.png ae_gan_reconstructions.png",
                "Epoch:    1 AE Loss: 0.",
            ),
        ],
    )
    def test_trains_and_saves_figures(self, tmp_path, capsys, flags, name, figures, line):
        argv = ["--epochs", "1", "--data", "digits", "--device", "cpu", "--out", str(tmp_path)]
        assert hw5_gan.main([*flags, *argv]) == 0
        expected = {"metrics.json", f"{name}.safetensors", f"{name}-progress.png"}
        for figure in figures.split():
            expected |= {figure.format("epochs.png"), figure.format("losses.png")}
        assert {p.name for p in tmp_path.iterdir()} == expected
        assert line in capsys.readouterr().out
        metrics = json.loads((tmp_path / "metrics.json").read_text())[name]
        assert len(metrics["epochs"]) == 1 and metrics["results"]

    @pytest.mark.daily
    @pytest.mark.parametrize(
        ("flags", "name"),
        [
            (["conv-gan"], "conv-gan"),
            (["fc-gan"], "fc-gan"),
            (["cifar-dcgan"], "cifar-dcgan"),
            (["ae-gan"], "ae-gan"),
        ],
    )
    def test_a_resumed_training_ends_as_if_it_had_never_stopped(
        self, tmp_path, capsys, monkeypatch, flags, name
    ):
        def train(folder, epochs, *more):
            argv = [*flags, "--epochs", str(epochs), "--data", "digits", "--device", "cpu"]
            return hw5_gan.main([*argv, "--out", str(tmp_path / folder), *more])

        def state(folder):
            from safetensors.torch import load_file

            return load_file(tmp_path / folder / f"{name}.safetensors")

        show = hw5_train.show_losses

        def stop(bar, **losses):
            if (tmp_path / "stopped" / f"{name}.safetensors").exists():
                raise KeyboardInterrupt
            show(bar, **losses)

        assert train("whole", 2) == 0
        with monkeypatch.context() as patch:
            patch.setattr(hw5_train, "show_losses", stop)  # in the second epoch
            patch.setattr(hw5_gan, "show_losses", stop)
            assert train("stopped", 2) == 130
        assert train("stopped", 2, "--resume") == 0
        assert "1 of 2 epochs are done" in capsys.readouterr().out
        whole, stopped = state("whole"), state("stopped")
        assert whole.keys() == stopped.keys()
        assert all(torch.equal(whole[k], stopped[k]) for k in whole)

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
