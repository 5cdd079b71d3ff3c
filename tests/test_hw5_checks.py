"""The visible checks, the solution regions, and what a student sees."""

import importlib
import re
import sys
from pathlib import Path

import pytest
import torch

import hw5_checks
import hw5_gan
import hw5_process
import hw5_vae
from autograder.assignment import read_assignment
from autograder.release.strip import strip_module

ROOT = Path(__file__).resolve().parents[1]
REGION = re.compile(r"^( *)### BEGIN SOLUTION (\S+)\n.*?^ *### END SOLUTION\n", re.M | re.S)
LOOKED_THROUGH = ("utils", "basics", "data", "train", "figures", "checks", "process", "helper")
CONSTANT = re.compile(r"^### BEGIN SOLUTION (\S+)\n(\w+) = .*\n### END SOLUTION\n", re.M)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    """What checks say is the same in any process; test_hw5_process.py looks at the real one."""
    monkeypatch.setattr(hw5_process, "findings", hw5_checks.findings)


@pytest.fixture
def student(tmp_path, monkeypatch):
    """Write a student's file beside no other, so that the next import finds it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = {name: sys.modules.get(name) for name in ("hw5_vae", "hw5_gan")}

    def write(name: str, text: str):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        sys.modules.pop(name, None)
        importlib.invalidate_caches()

    yield write
    for name, module in before.items():
        sys.modules[name] = module


ASSIGNMENT = read_assignment()
BONUS = [f"{p.id}.{q.id}" for p in ASSIGNMENT.parts for q in p.questions if q.kind == "bonus"]


def solution(name: str) -> str:
    return (ROOT / f"{name}.py").read_text(encoding="utf-8")


def stripped(name: str) -> str:
    """The student's release of a module, as the markers promise it can be made.

    A region at the top level is one constant, which becomes None: the file must stay importable.
    """
    text = CONSTANT.sub(r"\2 = None  # \1: write this\n", solution(name))
    text, count = REGION.subn(r'\1raise NotImplementedError("\2: write this")\n', text)
    assert count and "SOLUTION" not in text
    return text


def edited(name: str, old: str, new: str) -> str:
    text = solution(name)
    assert text.count(old), f"{old!r} is not in {name}.py"
    return text.replace(old, new)


class TestRegions:
    @pytest.mark.parametrize("name", ["hw5_vae", "hw5_gan"])
    def test_every_region_of_a_release_says_what_to_write(self, name):
        released = strip_module(solution(name), f"{name}.py", ASSIGNMENT)
        tags = [found[2] for found in REGION.finditer(solution(name))]
        told = re.findall(r"([\w-]+\.\w+): write\s[\w.]+", re.sub(r'"\n\s*"', "", released))
        assert sorted(told) == sorted(tags)

    @pytest.mark.parametrize("name", [f"hw5_{module}" for module in LOOKED_THROUGH])
    def test_given_files_hold_no_solution(self, name):
        text = solution(name)
        assert "SOLUTION" not in text
        for answer in ("cross_entropy_with_logits", "binary_cross_entropy(", "torch.rand(batch"):
            assert answer not in text

    @pytest.mark.parametrize("name", ["hw5_vae", "hw5_gan"])
    def test_no_answer_stands_outside_the_regions(self, name):
        """Is every longer line of a solution gone from the release and from the given files?"""
        given = stripped(name) + "".join(solution(f"hw5_{module}") for module in LOOKED_THROUGH)
        given_lines = {line.strip() for line in given.splitlines()}
        for region in REGION.finditer(solution(name)):
            for line in region.group().splitlines()[1:-1]:
                assert len(line.strip()) < 25 or line.strip() not in given_lines

    @pytest.mark.parametrize(("name", "argv"), [("hw5_vae", ["fc-vae"]), ("hw5_gan", ["conv-gan"])])
    def test_running_an_unwritten_part_says_so(self, name, argv, student, tmp_path, capsys):
        student(name, stripped(name))
        module = importlib.import_module(name)
        assert module.main([*argv, "--data", "digits", "--out", str(tmp_path)]) == 2
        assert "write this" in capsys.readouterr().err


class TestParts:
    @pytest.mark.parametrize("part", list(hw5_checks.MODULES))
    def test_the_solution_passes(self, part, capsys):
        assert hw5_checks.check(part) is True
        out = capsys.readouterr().out
        assert "NOT YET" not in out and "marked by hand" in out and "not shown" in out

    @pytest.mark.parametrize("part", list(hw5_checks.MODULES))
    def test_an_unwritten_file_fails_everywhere_in_one_sentence_each(self, part, student, capsys):
        name = hw5_checks.MODULES[part]
        student(name, stripped(name))
        assert hw5_checks.check(part) is False
        out = capsys.readouterr().out
        questions = [q for q in hw5_checks.QUESTIONS if q.startswith(part)]
        assert out.count("NOT YET") == len(questions) and "Traceback" not in out
        assert f"0 of {len([q for q in questions if q not in BONUS])} pass" in out
        assert "Most mistakes show here, but not all: this promises no full marks." in out

    def test_the_bonus_may_be_left_out(self, student, capsys):
        text = edited("hw5_gan", "return 0.5 * ((scores_fake - 1)", "return ((scores_fake - 1)")
        student("hw5_gan", text)
        assert hw5_checks.check("fc-gan") is True
        assert "bonus: NOT YET" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("def broken(:\n", "hw5_vae.py, line 1: SyntaxError"),
            ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
            ("raise SystemExit(3)\n", "SystemExit: 3"),
            ("raise KeyboardInterrupt\n", "(`raise KeyboardInterrupt`): KeyboardInterrupt"),
        ],
    )
    def test_a_file_that_cannot_be_imported_is_told(self, text, words, student, capsys):
        student("hw5_vae", text)
        assert hw5_checks.check("fc-vae") is False
        out = capsys.readouterr().out
        assert "hw5_vae.py cannot be imported" in out and words in out

    def test_a_missing_function_costs_its_own_question(self, student, capsys):
        student("hw5_vae", edited("hw5_vae", "class CVAE(", "class Conditional("))
        assert hw5_checks.check("fc-vae") is False
        out = capsys.readouterr().out
        assert "hw5_vae.py has no CVAE" in out and out.count("NOT YET") == 1

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("fc-vea", "There is no part 'fc-vea'. There are vae-theory, "),
            ("fc-vae.los", "There is no question 'fc-vae.los'. There are fc-vae.networks, "),
            ("fc-vae.figures", "fc-vae.figures is marked by hand"),
            (hw5_vae, "There is no part <module 'hw5_vae' from "),
        ],
    )
    def test_a_name_that_names_no_check_is_told(self, name, words, capsys):
        assert hw5_checks.check(name) is False
        assert capsys.readouterr().out.startswith(words)


NOT_IMPLEMENTED = [  # returned in place of the decoder's image, and what is shown of it
    (
        "nn.Identity.__base__()(z)",
        'NotImplementedError: Module [Module] is missing the required "f',
    ),
    ("torch.bernoulli(x.long())", "not implemented for 'Long'"),
    (
        "torch.distributions.Bernoulli(z.sigmoid()).rsample()",
        "): NotImplementedError marked unseen",
    ),
    ("raise_(NotImplementedError)", "): NotImplementedError marked unseen"),
]


@pytest.mark.parametrize(("image", "words"), NOT_IMPLEMENTED)
def test_what_torch_has_not_implemented_is_an_error_in_the_students_line(
    image, words, student, capsys
):
    text = edited("hw5_vae", "return self.decoder(z), mu, logvar", f"return {image}, mu, logvar")
    student("hw5_vae", f"{text}\n\ndef raise_(error):\n    raise error\n")
    assert hw5_checks.check("fc-vae.forward") is False
    out = " ".join(capsys.readouterr().out.split())
    assert re.search(r"NOT YET hw5_vae.py, line \d+ \(`(return|raise) ", out) and words in out


def test_a_module_without_forward_is_told_as_torch_tells_it(student, capsys):
    student("hw5_vae", solution("hw5_vae").replace("def forward(", "def foward("))
    assert hw5_checks.check("fc-vae.forward") is False
    assert 'is missing the required "forward" function' in " ".join(capsys.readouterr().out.split())


def test_a_stub_under_spectral_norm_is_waited_for_and_an_error_is_not(student, capsys):
    old = "nn.utils.parametrizations.spectral_norm(layer)"
    stub = 'raise NotImplementedError("cifar-dcgan.spectral_norm: write this")'
    student("hw5_gan", edited("hw5_gan", old, stub))
    assert hw5_checks.check("cifar-dcgan.weight_init") is True
    student("hw5_gan", edited("hw5_gan", old, "torch.bernoulli(torch.ones(1).long())"))
    assert hw5_checks.check("cifar-dcgan.weight_init") is False
    assert "'Long'" in capsys.readouterr().out


MISTAKES = [
    ("vae-theory.1h", "return (mu_phi - mu_p) ** 2", "return (mu_phi - mu_p)", "cannot be less"),
    ("vae-theory.1j", "return 3  #", "return '3'  #", "1, 2, 3 or 4"),
    ("bernoulli-vae.decoder", "torch.tanh(self.fc1(z))", "self.fc1(z)", "tanh after fc1"),
    ("bernoulli-vae.decoder", "torch.sigmoid(self.fc2(torch.tanh(self.fc1(z))))",
     "self.fc2(torch.tanh(self.fc1(z)))", "sigmoid is missing"),
    ("bernoulli-vae.decoder", "self.fc2 = nn.Linear(hidden_units, data_dimension)",
     "self.fc2 = nn.Linear(hidden_units, data_dimension, bias=False)", "393,500"),
    ("bernoulli-vae.sample_diagonal_gaussian", "torch.sqrt(sigma_square) *", "sigma_square *",
     "The root is missing"),
    ("bernoulli-vae.sample_diagonal_gaussian", "return mu + torch.sqrt(sigma_square) *",
     "return mu.detach() + torch.sqrt(sigma_square).detach() *", "no gradient"),
    ("bernoulli-vae.sample_Bernoulli", "torch.rand_like(p) < p", "torch.rand_like(p) > p",
     "wrong way round"),
    ("bernoulli-vae.sample_Bernoulli", "torch.rand_like(p) < p", "torch.rand(len(p), 1) < p",
     "share one random number"),
    ("bernoulli-vae.sample_Bernoulli", "< p).float()", "< p)", "float32"),
    ("bernoulli-vae.logpdf_diagonal_gaussian", "(z - mu) ** 2 / sigma_square",
     "(z - mu) ** 2 / sigma_square + 1.8378770664", "Compare term by term"),
    ("bernoulli-vae.logpdf_diagonal_gaussian", "torch.log(2 * math.pi * sigma_square)",
     "torch.log(2 * math.pi * sigma_square**2)", "taken for a standard deviation"),
    ("bernoulli-vae.logpdf_diagonal_gaussian", "torch.log(2 * math.pi * sigma_square)",
     "torch.log(sigma_square)", "constant log(2 pi) is missing"),
    ("bernoulli-vae.logpdf_diagonal_gaussian", "+ squares).sum(-1)", "+ squares).mean(-1)",
     "mean over the dimensions"),
    ("bernoulli-vae.logpdf_bernoulli", "return -pixels.sum(-1)",
     "return (x * p.log() + (1 - x) * torch.log1p(-p)).sum(-1)", "NaN"),
    ("bernoulli-vae.logpdf_bernoulli", "-pixels.sum(-1)", "-pixels.mean(-1)",
     "mean over the pixels"),
    ("bernoulli-vae.elbo_loss", "log_p + log_p_z - log_q", "log_p - log_p_z + log_q", "exchanged"),
    ("bernoulli-vae.elbo_loss", "log_p + log_p_z - log_q", "log_q - log_p - log_p_z",
     "larger must be better"),
    ("bernoulli-vae.elbo_loss", "(log_p + log_p_z - log_q).mean()",
     "(log_p + log_p_z - log_q).sum()", "summed over the batch"),
    ("autoencoder.architecture", "nn.Linear(256, output_size),\n            nn.Sigmoid(),",
     "nn.Linear(256, output_size),", "leaves [0, 1]"),
    ("autoencoder.architecture", "            nn.Linear(64, nz),\n",
     "            nn.Linear(64, nz),\n            nn.ReLU(),\n", "end in a Linear"),
    ("autoencoder.loader", "shuffle=True, drop_last=True", "shuffle=True", "batches of [8, 8"),
    ("autoencoder.loader", "shuffle=True, drop_last=True", "shuffle=False, drop_last=True",
     "must shuffle"),
    ("autoencoder.loader", "return batches(images, labels,", 
     "return batches(images, labels.flip(0),", "not theirs"),
    ("autoencoder.loop", "F.binary_cross_entropy(x_hat, x.reshape(x_hat.shape))",
     "F.binary_cross_entropy(x_hat, x.reshape(x_hat.shape), reduction='sum') / len(x)",
     "summed over the pixels"),
    ("autoencoder.loop", "F.binary_cross_entropy(x_hat,", "F.mse_loss(x_hat,", "squared error"),
    ("autoencoder.loop", "            loss.backward()\n            optimizer.step()",
     "            loss.backward()", "did not move"),
    ("autoencoder.sample_prior", "z = torch.randn(n, model.nz,", "z = torch.rand(n, model.nz,",
     "torch.rand is uniform"),
    ("autoencoder.beta_vae", "AEEncoder(nz=2 * nz,", "AEEncoder(nz=nz,", "2 * nz"),
    ("autoencoder.beta_vae", "self.beta * kl_loss, {", "self.beta**2 * kl_loss, {", "not squared"),
    ("autoencoder.beta_vae", "log_sigma, zero, zero).mean()",
     "log_sigma, zero, zero).sum(-1).mean()", "summed over the latent"),
    ("autoencoder.beta_vae", "(mu, log_sigma, zero, zero)", "(zero, zero, mu, log_sigma)",
     "wrong way round"),
    ("autoencoder.beta_vae", "torch.exp(log_sigma) * torch.randn_like(mu)", "torch.exp(log_sigma)",
     "no fresh noise"),
    ("autoencoder.beta_vae", "return self.decoder(mu).reshape(-1, 28, 28)",
     "return self.forward(x)['rec'].reshape(-1, 28, 28)", "use the mean"),
    ("autoencoder.beta_vae_loop", "list(map(float, rec)), list(map(float, kl))",
     "list(map(float, kl)), list(map(float, rec))", "exchanged"),
    ("autoencoder.beta_vae_loop", "total.backward()", "(-total).backward()", "loss grows"),
    ("autoencoder.tuned_beta", "TUNED_BETA = 0.105", "TUNED_BETA = 10", "ten times as large"),
    ("autoencoder.interpolate", "torch.linspace(0, 1, steps, device=first.device)",
     "(torch.arange(steps) / steps)", "never reaches the end"),
    ("autoencoder.interpolate", "(1 - w) * first + w * last", "w * first + (1 - w) * last",
     "from end to start"),
    ("autoencoder.conditional", "idx2onehot(_need_labels(c), self.num_labels)), dim=1)  # (N, Z",
     "0 * idx2onehot(_need_labels(c), self.num_labels)), dim=1)  # (N, Z",
     "does not read the class"),
    ("autoencoder.conditional", "return self.decoder(mu, c)", "return self.decoder(mu, 0 * c)",
     "other labels"),
    ("autoencoder.conditional_loop", 'getattr(model, "conditional", False)', "False",
     "call model(x, labels)"),
    ("autoencoder.sample_digits", "z = torch.randn(len(labels), model.nz,",
     "z = torch.zeros(len(labels), model.nz,", "all rows are the same"),
    ("fc-vae.networks", "            nn.Sigmoid(),\n", "", "leaves [0, 1]"),
    ("fc-vae.networks", "nn.Linear(self.hidden_dim, latent_size)", "nn.Linear(400, 15)",
     "latent_size = 5"),
    ("fc-vae.networks", "self.logvar_layer =", "self.sigma_layer =", "no attribute `logvar_layer`"),
    ("fc-vae.reparametrize", "torch.exp(logvar / 2)", "torch.exp(logvar)", "exp(logvar)"),
    ("fc-vae.reparametrize", "sigma = torch.exp(logvar / 2)", "sigma = logvar", "logvar itself"),
    ("fc-vae.reparametrize", "mu + sigma *", "mu +", "spread is ignored"),
    ("fc-vae.reparametrize", "torch.randn_like(sigma)", "torch.randn(sigma.shape[1])", "every row"),
    (
        "fc-vae.reparametrize",
        "return mu + sigma * torch.randn_like(sigma)",
        "return torch.normal(mu, sigma).detach()",
        "no gradient",
    ),
    ("fc-vae.forward", "return self.decoder(z), mu, logvar", "return self.decoder(mu), mu, logvar",
     "no fresh noise"),
    ("fc-vae.forward", "return self.decoder(z), mu, logvar", "return self.decoder(z), logvar, mu",
     "mu and logvar change places"),
    ("fc-vae.forward", "return self.decoder(z), mu, logvar", "return self.decoder(z)",
     "must return three things"),
    ("fc-vae.loss", 'cross_entropy(x_hat, x, reduction="sum")', "cross_entropy(x_hat, x)",
     "mean over pixels"),
    ("fc-vae.loss", "cross_entropy(x_hat, x,", "cross_entropy(x, x_hat,", "two images are swapped"),
    ("fc-vae.loss", "-0.5 * torch.sum", "0.5 * torch.sum", "sign flipped"),
    ("fc-vae.loss", "-0.5 * torch.sum", "-torch.sum", "factor 1/2"),
    ("fc-vae.loss", "-0.5 * torch.sum", "-0.5 * torch.mean", "mean over the latent"),
    ("fc-vae.loss", "(reconstruction + kl) / len(x)", "reconstruction + kl",
     "summed over the batch"),
    ("fc-vae.loss", "(reconstruction + kl) / len(x)", "kl / len(x)", "KL term alone"),
    ("fc-vae.loss", "- torch.exp(logvar))", "- logvar.exp() ** 0.5)",
     "sigma instead of its square"),
    ("fc-vae.cvae", "torch.cat((z, c), dim=1)), mu", "torch.cat((c, z), dim=1)), mu", "[z, c]"),
    ("fc-vae.cvae", "(x.flatten(1), c)", "(c, x.flatten(1))", "[x, c]"),
    # Outside the catalogue of known mistakes:
    ("bernoulli-vae.decoder", "torch.tanh(self.fc1(z))", "F.dropout(torch.tanh(self.fc1(z)))",
     "something else at every call"),
    ("bernoulli-vae.sample_diagonal_gaussian", "* torch.randn_like(mu)",
     "* torch.randn(len(mu), 1)", "share their noise"),
    ("bernoulli-vae.logpdf_diagonal_gaussian", "(z - mu) ** 2 / sigma_square",
     "(z - mu) ** 2 / sigma_square.detach()", "gradient with respect to sigma_square"),
    ("bernoulli-vae.elbo_loss", "log_p_z - log_q).mean()", "log_p_z - log_q).median()",
     "gives 108"),
    ("autoencoder.architecture", "return self.decoder(self.encoder(x))",
     "return self.decoder(self.encoder(x).detach())", "no gradient reaches its input"),
    ("autoencoder.loop", "            loss.backward()", "            (loss / 2).backward()",
     "0.5 times the gradient"),
    ("autoencoder.loop", "x_hat = model(x)", "x_hat = model(x + 0.1)", "whole and unchanged"),
    ("autoencoder.loop", "adam(model.parameters(), lr)", "adam(model.decoder.parameters(), lr)",
     "a weight of the encoder by +0.00000"),
    ("autoencoder.loop", "adam(model.parameters(), lr)",
     "torch.optim.AdamW(model.parameters(), lr)", "AdamW, has weight_decay 0.01"),
    ("autoencoder.beta_vae", "self.beta * kl_loss, {", "self.nz / 784 * kl_loss, {",
     "the total with beta"),
    ("autoencoder.beta_vae_loop", "total.backward()",
     "(terms['rec_loss'] + 0.5 * terms['kl_loss']).backward()", "with the gradient of the loss"),
    ("autoencoder.interpolate", "(1 - w) * first + w * last", "first + w * last",
     "from code 3 to 8"),
    ("autoencoder.conditional", "idx2onehot(_need_labels(c), self.num_labels)), dim=1)  # (N, D",
     "idx2onehot(_need_labels(c), self.num_labels) / 10), dim=1)  # (N, D", "read the class"),
    ("autoencoder.tuned_beta", "TUNED_BETA = 0.105", "TUNED_BETA = 0.001", "ten times as small"),
    ("fc-vae.networks", "nn.ReLU()", "nn.GELU()", "units all alike"),
    ("fc-vae.forward", "hidden = self.encoder(x)  # (N, H)", "hidden = self.encoder(x.flip(0))",
     "from its own image alone"),
    ("fc-vae.forward", "z = reparametrize(mu, logvar)", "z = torch.normal(mu, (logvar / 2).exp())",
     "no gradient of x_hat"),
    ("fc-vae.loss", "1 + logvar - mu**2", "1 + logvar.abs() - mu**2",
     "with mu = 9 and logvar = 6 and -6"),
    ("fc-vae.cvae", "torch.cat((z, c), dim=1)), mu", "torch.cat((z, c.flip(0)), dim=1)), mu",
     "take [z, c]"),
    ("conv-gan.DNet", "4, 8, kernel_size=3", "4, 8, kernel_size=5", "1,105 parameters"),
    ("conv-gan.DNet", "return self.fc(h.flatten(1))", "return self.fc(h.flatten(1)).sigmoid()",
     "ends in a sigmoid; it must end in no activation"),
    ("conv-gan.DNet", "return self.fc(h.flatten(1))", "return self.fc(h.flatten(1)).squeeze(1)",
     "shape (5,) instead of (5, 1)"),
    ("conv-gan.DNet", "return self.fc(h.flatten(1))", "return F.relu(self.fc(h.flatten(1)))",
     "an activation behind the last layer"),
    ("conv-gan.DNet", "h = F.relu(self.conv3(h))", "h = self.conv3(h)",
     "behind the third layer with weights stands no activation; it must be a ReLU"),
    ("conv-gan.DNet", "F.relu(self.conv2(h))", "F.leaky_relu(self.conv2(h), 0.2)",
     "behind the second layer with weights stands a LeakyReLU of slope 0.2"),
    ("conv-gan.DNet", "F.relu(self.conv2(h))", "torch.sigmoid(self.conv2(h))",
     "changes numbers above 0"),
    ("conv-gan.DNet", "self.pool1 = nn.MaxPool2d(2", "self.pool1 = nn.AvgPool2d(2",
     "the largest of four, not their mean"),
    ("conv-gan.DNet", "self.pool2 = nn.MaxPool2d(2, stride=2)",
     "self.pool2 = nn.MaxPool2d(3, stride=2, padding=1)", "Compare strides, padding, pooling"),
    ("conv-gan.DNet", "h.flatten(1))", "F.dropout(h.flatten(1), 0.1))", "other numbers each time"),
    ("conv-gan.DNet", "self.conv3(h)", "self.conv3(h.detach())", "lets no gradient through"),
    ("conv-gan.DNet", "self.conv1 = nn.Conv2d(1, 2, kernel_size=3, stride=1, padding=1)",
     "self.fc, self.conv1 = nn.Linear(200, 1), nn.Conv2d(1, 2, kernel_size=3, padding=1)",
     "layers in its order"),
    ("conv-gan.GNet", "torch.sigmoid(self.conv3(h))", "torch.tanh(self.conv3(h))",
     "ends in a tanh"),
    ("conv-gan.GNet", "self.conv2(self.up2(h)), 0.2)", "self.conv2(self.up2(h)))",
     "third layer with weights stands a LeakyReLU of slope 0.01; it must be a LeakyReLU of"),
    ("conv-gan.GNet", "self.up1 = nn.Upsample(scale_factor=2)",
     'self.up1 = nn.Upsample(scale_factor=2, mode="bilinear")', "an Upsample blurs"),
    ("conv-gan.GNet", ".view(-1, 32, 7, 7)", ".view(-1, 7, 7, 32).permute(0, 3, 1, 2)",
     "another order than (32, 7, 7)"),
    ("conv-gan.GNet", "self.conv1(self.up1(h))", "self.up1(self.conv1(h))", "what stands before"),
    ("conv-gan.GNet", "nn.Linear(zdim,", "nn.Linear(64,", "Is 64 written where zdim should"),
    ("conv-gan.weight_init", "kaiming_uniform_(layer.weight)", "kaiming_normal_(layer.weight)",
     "_normal_"),
    ("conv-gan.weight_init", "nn.init.kaiming_uniform_(layer.weight)", "pass", "torch's default"),
    ("conv-gan.weight_init", "nn.init.zeros_(layer.bias)", "pass", "the bias must be 0"),
    ("conv-gan.weight_init", "kaiming_uniform_(layer.weight)", "xavier_uniform_(layer.weight)",
     "of what kaiming_uniform_ gives"),
    ("conv-gan.weight_init", "kaiming_uniform_(layer.weight)",
     "kaiming_uniform_(layer.weight, nonlinearity='linear')", "takes fan_in and the gain of ReLU"),
    ("conv-gan.weight_init", "        self._weight_init()\n",
     "        torch.manual_seed(1)\n        self._weight_init()\n", "the same weights"),
    ("conv-gan.loss_d", "self.gen(z).detach()", "self.gen(z)", "detach the fakes"),
    ("conv-gan.loss_d", "logits(logits, targets.to", "logits(logits, 1 - targets.to", "exchanged"),
    ("conv-gan.loss_d", "logits(logits, targets.to(self._dev))",
     "logits(logits, targets.to(self._dev)) * 2", "sum of the two halves"),
    ("conv-gan.loss_d", "self.gen(z).detach()", "self.gen(torch.rand_like(z)).detach()",
     "from the codes z that it is given"),
    ("conv-gan.loss_d", "self.disc(torch.cat((batch_data, fakes)))",
     "torch.cat((self.disc(batch_data).detach(), self.disc(fakes)))", "Is a part of it detached"),
    ("conv-gan.loss_d", "torch.zeros(batch_size, 1)", "torch.zeros(10, 1)", "ValueError"),
    ("conv-gan.loss_g", "targets = torch.ones(batch", "targets = torch.zeros(batch",
     "targets of the fakes must be 1"),
    ("conv-gan.loss_g", "self.disc(self.gen(z))", "self.disc(self.gen(z).detach())",
     "no gradient into the generator"),
    ("conv-gan.loss_g", "with_logits(logits, targets)", "with_logits(logits, targets) / 2",
     "half of the mean"),
    ("fc-gan.sample_noise", "2 * torch.rand(", "1 + 0 * torch.rand(", "repeats itself"),
    ("fc-gan.sample_noise",
     "return 2 * torch.rand(batch_size, noise_dim, dtype=dtype, device=device) - 1",
     "return torch.rand(batch_size, noise_dim, dtype=dtype, device=device)", "never negative"),
    ("fc-gan.sample_noise", "2 * torch.rand(", "torch.randn(", "normal noise"),
    ("fc-gan.sample_noise", "noise_dim, dtype=dtype, device", "noise_dim, device", "dtype"),
    ("fc-gan.sample_noise", "dtype=dtype, device=device)", "dtype=dtype)", "argument device"),
    ("fc-gan.sample_noise", "torch.rand(batch_size, noise_dim,", "torch.rand(batch_size, 1,",
     "has shape (3, 1)"),
    ("fc-gan.sample_noise", "device=device) - 1", "device=device).sqrt() - 1", "is not uniform"),
    ("fc-gan.discriminator", "nn.Linear(256, 1),", "nn.Linear(256, 1, bias=False),", "267,008"),
    ("fc-gan.discriminator", "nn.Linear(784, 256),\n        nn.LeakyReLU(0.01)",
     "nn.Linear(784, 256),\n        nn.LeakyReLU(0.2)", "must be a LeakyReLU of slope 0.01"),
    ("fc-gan.discriminator", "nn.Linear(784, 256),\n        nn.LeakyReLU(0.01)",
     "nn.Linear(784, 256),\n        nn.ReLU()", "the first layer with weights stands a ReLU"),
    ("fc-gan.discriminator", "nn.Linear(256, 1),", "nn.Linear(256, 1), nn.Sigmoid(),", "sigmoid"),
    ("fc-gan.generator", "nn.Tanh()", "nn.Sigmoid()", "ends in a sigmoid; it must end in a tanh"),
    ("fc-gan.generator", "nn.Linear(1024, 1024),\n        nn.ReLU(),", "nn.Linear(1024, 1024),",
     "behind the second layer with weights stands no activation"),
    ("fc-gan.discriminator_loss", "return real + fake", "return (real + fake) / 2",
     "mean of the two"),
    ("fc-gan.discriminator_loss", "return real + fake", "return real", "term of the fakes"),
    ("fc-gan.discriminator_loss", "return real + fake", "return real + fake.detach()",
     "gradient leads the logits elsewhere"),
    ("fc-gan.discriminator_loss", "torch.zeros_like(logits_fake)",
     "torch.zeros(len(logits_fake), 1)", "ValueError"),
    ("fc-gan.generator_loss", "torch.ones_like(logits_fake)", "torch.zeros_like(logits_fake)",
     "targets of the fakes must be 1"),
    ("fc-gan.generator_loss", "F.binary_cross_entropy_with_logits(logits_fake, torch.ones_like",
     "-F.logsigmoid(logits_fake.mean()) + 0 * F.mse_loss(logits_fake, torch.ones_like",
     "Compare term by term"),
    ("fc-gan.generator_loss", "return F.binary_cross_entropy_with_logits(logits_fake, ",
     "return torch.log1p((-logits_fake).exp()).mean()\n    return (", "not finite at logits"),
    ("fc-gan.get_optimizer", "betas=(0.5, 0.999)", "betas=(0.9, 0.999)", "betas"),
    ("fc-gan.get_optimizer", "optim.Adam(model", "optim.AdamW(model", "not AdamW"),
    ("fc-gan.get_optimizer", "betas=(0.5, 0.999))", "betas=(0.5, 0.999), weight_decay=1e-5)",
     "Adam without weight decay"),
    ("fc-gan.get_optimizer", "betas=(0.5, 0.999))", "betas=(0.5, 0.999), eps=1e-3)",
     "eps 0.001, not 1e-08"),
    ("fc-gan.get_optimizer", "betas=(0.5, 0.999))", "betas=(0.5, 0.999), amsgrad=True)",
     "amsgrad True, not False"),
    ("fc-gan.get_optimizer", "optim.Adam(model", "optim.NAdam(model", "NAdam, does not step as"),
    ("fc-gan.get_optimizer", "Adam(model.parameters()", "Adam(list(model.parameters())[1:]",
     "all of them and no others"),
    ("fc-gan.build_dc_generator", "nn.Tanh(),\n        nn.Flatten(),", "nn.Flatten(),",
     "ends in no activation; it must end in a tanh"),
    ("fc-gan.build_dc_generator", "nn.ReLU(),\n        nn.BatchNorm2d(64),",
     "nn.BatchNorm2d(64),\n        nn.ReLU(),", "batch norm must stand behind its ReLU"),
    ("fc-gan.build_dc_generator", "nn.ReLU(),\n        nn.BatchNorm1d(1024),",
     "nn.BatchNorm1d(1024),\n        nn.ReLU(),", "what stands before what"),
    ("fc-gan.build_dc_generator", "nn.ReLU(),\n        nn.BatchNorm2d(64),",
     "nn.LeakyReLU(0.2),\n        nn.BatchNorm2d(64),", "must be a ReLU"),
    ("fc-gan.build_dc_classifier", "32, 64, kernel_size=5", "32, 64, kernel_size=3", "parameters"),
    ("fc-gan.build_dc_classifier", "nn.MaxPool2d(2, stride=2),\n        nn.Conv2d(32",
     "nn.AvgPool2d(2),\n        nn.Conv2d(32", "the largest of four"),
    ("fc-gan.build_dc_classifier", "4 * 4 * 64),\n        nn.LeakyReLU(0.01),", "4 * 4 * 64),",
     "behind the third layer with weights stands no activation"),
    ("fc-gan.least_squares", "return 0.5 * ((scores_fake", "return ((scores_fake", "factor 1/2"),
    ("fc-gan.least_squares", "0.5 * (scores_fake**2)", "(scores_fake**2)", "lacks its 1/2"),
    ("gan-theory.3e", "return kl_12, kl_13, w1_12, w1_13", "return kl_12, w1_12",
     "must return four numbers"),
    ("gan-theory.3e", "w1_12, w1_13 = 0.5, 1.0", "w1_12, w1_13 = 1.0, 0.5", "travel further"),
    ("gan-theory.3e", "kl_12 = kl_13 = math.inf", "kl_12 = kl_13 = math.nan", "NaN"),
    ("gan-theory.3e", "kl_12 = kl_13 = math.inf", "kl_12, kl_13 = 0, math.inf",
     "0 for equal distributions alone"),
    ("gan-theory.3e", "w1_12, w1_13 = 0.5, 1.0", "w1_12, w1_13 = 0.25, 1.0", "something squared"),
    ("cifar-dcgan.init", '{"lr": self.learning_rate, ', "{", "lr 0.001, not 0.0002"),
    ("cifar-dcgan.init", "Adam(self._generator.p", "Adam(self._discriminator.p",
     "optimizerG must be given the parameters of _generator"),
    ("cifar-dcgan.init", '"betas": (0.5, 0.999)', '"betas": (0.9, 0.999)', "betas"),
    ("cifar-dcgan.init", '"betas": (0.5, 0.999)', '"betas": (0.5, 0.999), "eps": 1.0',
     "eps 1.0, not 1e-08"),
    ("cifar-dcgan.init", "CIFARDiscriminator(spectral)", "CIFARDiscriminator()",
     "with the spectral that it is told"),
    ("cifar-dcgan.init", "CIFARGenerator(self.code_size)",
     "nn.Sequential(CIFARGenerator(self.code_size), nn.Tanh())", "nothing around it"),
    ("cifar-dcgan.weight_init", "nn.init.normal_(weight, 0.0, 0.02)", "pass", "drawn anew"),
    ("cifar-dcgan.weight_init", "normal_(weight, 0.0, 0.02)", "uniform_(weight, -0.0346, 0.0346)",
     "are not normal"),
    ("cifar-dcgan.weight_init", "normal_(weight, 0.0", "normal_(layer.weight, 0.0",
     "under spectral norm"),
    ("cifar-dcgan.weight_init", "normal_(layer.weight, 1.0", "normal_(layer.weight, 0.0",
     "not 1, 0.02"),
    ("cifar-dcgan.weight_init", "normal_(layer.weight, 1.0, 0.02)", "ones_(layer.weight)",
     "batch norms have spread 0.000"),
    ("cifar-dcgan.weight_init", "(nn.Conv2d, nn.ConvTranspose2d)):\n                weight =",
     "(nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):\n                weight = layer.weight if "
     "isinstance(layer, nn.Linear) else", "linear; leave its weights"),
    ("cifar-dcgan.classification_loss", "with_logits(logits, labels)",
     "with_logits(logits, 1 - labels)", "exchanged"),
    ("cifar-dcgan.classification_loss", "with_logits(logits, labels)",
     "with_logits(logits.sigmoid(), labels)", "sigmoid is applied twice"),
    ("cifar-dcgan.fit", "dis_loss = real_dis_loss + fake_dis_loss",
     "dis_loss = (real_dis_loss + fake_dis_loss) / 2", "mean of the two halves"),
    ("cifar-dcgan.fit", "self.optimizerG.step()", "pass", "_generator does not move"),
    ("cifar-dcgan.fit", "self.optimizerD.zero_grad()", "pass", "gradients cleared before each"),
    ("cifar-dcgan.fit", "self.optimizerG.zero_grad()", "pass", "gradients cleared before each"),
    ("cifar-dcgan.fit", "self.optimizerG.step()", "self.optimizerG.step(); self.optimizerD.step()",
     "Does another step move it too"),
    ("cifar-dcgan.fit", "dis_loss.backward()", "(dis_loss / 2).backward()", "left out or halved"),
    ("cifar-dcgan.fit", "real_dis_loss + fake_dis_loss", "real_dis_loss + fake_dis_loss.detach()",
     "Are the logits of fakes detached"),
    ("cifar-dcgan.fit", "self._discriminator(batch_samples)  # (N, 1)",
     "self._discriminator(torch.cat((batch_samples, batch_samples)))[: self.batch_size]",
     "in two batches, not one"),
    ("cifar-dcgan.fit", "self.optimizerG.zero_grad()", "self._generator.eval(); 0",
     "G must stay in training mode"),
    ("cifar-dcgan.fit", "self.optimizerG.zero_grad()", "self._discriminator.eval(); 0",
     "D must stay in training mode"),
    ("cifar-dcgan.fit",
     "codes = torch.randn(self.batch_size, self.code_size, device=device)",
     "codes = torch.randn(10, 64, generator=torch.Generator().manual_seed(0))",
     "same codes are used twice"),
    ("cifar-dcgan.fit", "torch.randn(self.batch_size, self.code_size, device=device)",
     "torch.rand(self.batch_size, self.code_size, device=device)", "not N(0, I)'s 0 and 1"),
    ("cifar-dcgan.fit", "torch.randn(self.batch_size, self.code_size, device=device)",
     "torch.randn(self.batch_size, 1, device=device).expand(-1, 64)", "drawn on its own"),
    ("cifar-dcgan.fit", "torch.randn(self.batch_size,", "torch.randn(128,", "shape (128, 64)"),
    ("cifar-dcgan.spectral_norm", "nn.utils.parametrizations.spectral_norm(layer)", "pass",
     "instead of 1: wrap it"),
    ("cifar-dcgan.reconstruction_loss", "F.mse_loss(reconstruction, x)",
     "((reconstruction - x) ** 2).sum()", "sum over everything"),
    ("cifar-dcgan.reconstruction_loss", "F.mse_loss(reconstruction, x)",
     "(reconstruction - x).mean() ** 2", "square them first"),
    ("cifar-dcgan.reconstruction_loss", "F.mse_loss(reconstruction, x)",
     "F.mse_loss(reconstruction.detach(), x)", "has no gradient"),
    ("cifar-dcgan.reconstruct", "recon_loss.backward(inputs=[recon_code])",
     "recon_loss.backward(); optim.SGD(self._generator.parameters(), 0.1).step()",
     "moves weights"),
    ("cifar-dcgan.reconstruct", "recon_loss.backward(inputs=[recon_code])", "pass", "do not move"),
    ("cifar-dcgan.reconstruct", "range(self.vis_steps)", "range(500)", "vis_steps is not used"),
    ("cifar-dcgan.reconstruct", "range(self.vis_steps)", "range(self.vis_steps - 1)",
     "One step is missing"),
    ("cifar-dcgan.reconstruct", "([recon_code], lr=self.vis_learning_rate)",
     "([recon_code], lr=self.learning_rate)", "rate of training"),
    ("cifar-dcgan.reconstruct", "            optimizer.zero_grad()\n            recon_samples",
     "            recon_samples", "Are gradients cleared"),
    ("cifar-dcgan.reconstruct", "            optimizer.zero_grad()\n            recon_samples",
     "            recon_code.grad, optimizer = None, optim.Adam([recon_code],\n"
     "                                                     lr=self.vis_learning_rate)\n"
     "            recon_samples", "one Adam for all steps"),
    ("cifar-dcgan.reconstruct", "        optimizer = optim.Adam([recon_code]",
     "        self.train()\n        optimizer = optim.Adam([recon_code]", "stay in eval mode"),
    ("ae-gan.optimizers", "(model.encoder, model.generator, model.discriminator)",
     "(model.encoder, model.discriminator)", "parameters of model.generator"),
    ("ae-gan.optimizers", "parameters(), lr=lr)", "parameters())", "ignores lr"),
    ("ae-gan.optimizers", "lr=lr)", "lr=lr, maximize=True)", "goes up its loss"),
    ("ae-gan.loss_discriminator", "loss_discriminator = loss_discriminator + bce",
     "bce", "term of the fakes is missing"),
    ("ae-gan.loss_discriminator", "opt_discriminator.step()", "pass", "discriminator does not"),
    ("ae-gan.loss_discriminator", "opt_discriminator.zero_grad()", "pass", "gradients cleared"),
    ("ae-gan.loss_discriminator", "opt_generator.step()", "opt_generator.step()\n"
     "            opt_discriminator.step()", "Does another step move it too"),
    ("ae-gan.loss_discriminator", "model.latent_size, device", "64, device", "shape (10, 64)"),
    ("ae-gan.loss_discriminator", "z = torch.randn(", "z = torch.rand(", "not N(0, I)'s 0 and 1"),
    ("ae-gan.loss_generator", "0.9 * fooled + mse", "-0.9 * fooled + mse", "wrong way"),
    ("ae-gan.loss_generator", "0.9 * fooled + mse", "mse", "one of its two terms"),
    ("ae-gan.loss_generator", "mse(model.generator(code.detach()), x)", "0 * code.mean()",
     "is MSE(G(E(x)), x) missing"),
    ("ae-gan.loss_generator", "0.9 * fooled + mse", "0.9 * fooled - mse", "subtracted"),
    ("ae-gan.loss_generator", "fooled = bce(model.discriminator(model.generator(z)), real)",
     "fooled = -bce(model.discriminator(model.generator(z)), fake)", "saturating form"),
    ("ae-gan.loss_generator", "bce(model.discriminator(model.generator(z)), real)",
     "bce(model.discriminator(model.generator(z).detach()), real)", "something detached"),
    ("ae-gan.loss_generator", "opt_generator.zero_grad()", "pass", "gradients cleared"),
    ("ae-gan.loss_autoencoder", "loss_autoencoder = mse(model.generator(model.encoder(x)), x)",
     "loss_autoencoder = mse(model.generator(model.encoder(x)), x) * 16", "sum over each image"),
    ("ae-gan.loss_autoencoder", "opt_encoder.step()", "pass", "encoder does not move"),
    ("ae-gan.loss_autoencoder", "opt_encoder.step()", "opt_encoder.step(); opt_encoder.step()",
     "is moved 8 times"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "old", "new", "words"), MISTAKES, ids=[f"{q}:{w}" for q, _, _, w in MISTAKES]
)
def test_a_mistake_is_met_with_its_sentence(question, old, new, words, student, capsys):
    name = hw5_checks.MODULES[question.partition(".")[0]]
    student(name, edited(name, old, new))
    assert hw5_checks.check(question) is False
    out = " ".join(capsys.readouterr().out.split())
    assert words in out and "Traceback" not in out


TABLES = {
    "DNET": hw5_gan.DNet,
    "GNET": lambda: hw5_gan.GNet(64),
    "DISCRIMINATOR": hw5_gan.discriminator,
    "GENERATOR": lambda: hw5_gan.generator(4),
    "CLASSIFIER": hw5_gan.build_dc_classifier,
    "DC_GENERATOR": lambda: hw5_gan.build_dc_generator(4),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_public_numbers_of_a_table_are_those_of_the_solution(name):
    """Change a network, and this prints what its table must hold."""
    table, net = getattr(hw5_checks, name), TABLES[name]()
    hw5_checks._fill(net)
    found = [round(number, 6) for number in hw5_checks._as_numbers(net(table.x)).tolist()]
    assert found == pytest.approx(table.right[0], abs=1e-5)


class TestInACell:
    def test_a_pass_is_one_line(self, capsys):
        hw5_checks.check_loss(hw5_vae.loss_function)
        out = capsys.readouterr().out.splitlines()
        assert out[0].startswith("Loss error 2.1") and out[1] == "fc-vae.loss: passed"

    def test_a_failure_stops_the_cell_with_a_sentence_alone(self):
        with pytest.raises(hw5_checks.NotYet) as stop:
            hw5_checks.check_generator_loss(lambda logits: logits.mean())
        shown = stop.value._render_traceback_()
        assert len(shown) == 1 and shown[0].startswith("Not yet. generator_loss gives")
        assert stop.value.__context__ is None

    def test_an_error_points_to_the_students_line(self, student):
        student("hw5_gan", edited("hw5_gan", "return real + fake", "return reel + fake"))
        module = importlib.import_module("hw5_gan")
        with pytest.raises(hw5_checks.NotYet, match=r"hw5_gan.py, line \d+ \(`return reel"):
            hw5_checks.check_discriminator_loss(module.discriminator_loss)

    def test_the_random_stream_is_left_where_it_was(self):
        torch.manual_seed(1)
        want = torch.rand(1)
        torch.manual_seed(1)
        hw5_checks.check_sample_noise(hw5_gan.sample_noise)
        assert torch.equal(torch.rand(1), want)

    def test_another_right_way_to_draw_noise_passes(self, capsys):
        """Does the seeded number only confirm, and never refuse?"""

        def reparametrize(mu, logvar):
            noise = torch.distributions.Normal(torch.zeros_like(mu), 1).sample().flip(0)
            return noise * (0.5 * logvar).exp() + mu

        hw5_checks.check_reparametrize(
            lambda mu, logvar: mu + (logvar / 2).exp() * -torch.randn_like(mu)
        )
        assert "your noise is right as well" in capsys.readouterr().out
        hw5_checks.check_reparametrize(reparametrize)

    def test_another_hidden_width_passes(self, student):
        student("hw5_vae", edited("hw5_vae", "self.hidden_dim = 400", "self.hidden_dim = 64"))
        assert hw5_checks.check("fc-vae") is True
