"""Trying a training on a few images: what it says of right functions and of wrong ones."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

import hw5_tryout as tryout
from autograder.parts import all_mistakes
from hw5_utils import load_cifar10, load_mnist

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def images() -> torch.Tensor:
    return load_mnist(limit=64, data="digits")[0]


@pytest.fixture
def make(monkeypatch):
    """Put the reference with one known mistake in the place of the student's module."""

    def made(mistake: str) -> None:
        question, _, name = mistake.partition("/")
        (found,) = (m for m in all_mistakes() if (m.question, m.id) == (question, name))
        file = "hw5_gan" if "gan." in question else "hw5_vae"
        source = found.source((ROOT / f"{file}.py").read_text(encoding="utf-8"))
        module = types.ModuleType(file)
        module.__file__ = str(ROOT / f"{file}.py")
        exec(compile(source, file, "exec"), module.__dict__)
        monkeypatch.setitem(sys.modules, file, module)

    return made


def test_a_right_loop_learns_and_leaves_the_random_streams_alone(images, capsys):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(3).tolist(), np.random.rand(3).tolist()
    torch.manual_seed(5)
    np.random.seed(5)
    tryout.overfit_autoencoder(images)
    said = capsys.readouterr().out
    assert said.startswith("The loss of 16 images fell from 0.69") and said.count("\n") == 1
    assert said.endswith("it learns.\n")
    assert (torch.rand(3).tolist(), np.random.rand(3).tolist()) == expected


def test_right_players_learn(images, capsys):
    tryout.overfit_fc_gan(images)
    d, g = capsys.readouterr().out.splitlines()
    assert d.startswith("D learns: ") and g.startswith("G learns: ")


@pytest.mark.parametrize("mistake", ["no-backward", "gradients-cleared-too-late"])
def test_a_loop_whose_steps_move_nothing_learns_nothing(mistake, make, images, capsys, monkeypatch):
    make(f"autoencoder.loop/{mistake}")
    monkeypatch.setattr(tryout, "STEPS", 30)
    tryout.overfit_autoencoder(images)
    assert "nothing is learnt. Before you train for minutes, look at the step" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "mistake, says",
    [
        ("sample_diagonal_gaussian/normal", "the images are not told apart"),
        ("elbo_loss/sign", "it is on the wrong side of 0"),
        ("logpdf_bernoulli/mean", "it is on another scale"),
        ("decoder/detached", "nothing is learnt"),
    ],
)
def test_what_is_wrong_with_a_loss_is_said(mistake, says, make, images, capsys, monkeypatch):
    make(f"bernoulli-vae.{mistake}")
    monkeypatch.setattr(tryout, "STEPS", 60)
    tryout.overfit_bernoulli_vae(images.round().flatten(1))
    said = capsys.readouterr().out
    assert f"{says}. Before you train for minutes, look at" in said or f"{says}: " in said


@pytest.mark.parametrize(
    "mistake, player",
    [
        ("fc-gan.discriminator_loss/fakes-labelled-real", "D"),
        ("fc-gan.get_optimizer/sgd", "D"),
        ("fc-gan.generator_loss/labels-zero", "G"),
    ],
)
def test_the_player_that_does_not_learn_is_named(mistake, player, make, images, capsys):
    make(mistake)
    tryout.overfit_fc_gan(images)
    said = capsys.readouterr().out
    assert f"{player} does not learn: " in said
    assert ("D learns: " in said) == (player == "G")


def test_through_the_students_own_loop(make, capsys):
    make("cifar-dcgan.fit/d-never-steps")
    photographs = load_cifar10(limit=32, data="digits")
    capsys.readouterr()
    tryout.overfit_dcgan(photographs)
    assert capsys.readouterr().out.startswith("D does not learn: ")


def test_what_is_not_written_yet_says_so_and_prints_nothing_else(images, capsys, monkeypatch):
    def stub(*_, **__):
        raise NotImplementedError("autoencoder.loop: write train_autoencoder")

    monkeypatch.setattr("hw5_vae.train_autoencoder", stub)
    with pytest.raises(NotImplementedError, match=r"autoencoder\.loop: "):
        tryout.overfit_autoencoder(images)
    assert capsys.readouterr().out == ""
