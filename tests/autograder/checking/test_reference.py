"""The live reference: loaded by path, answering once."""

from __future__ import annotations

import sys

import pytest
import torch

from autograder.checking.proxy import Line, fill
from autograder.checking.reference import Reference


@pytest.fixture(scope="module")
def reference():
    return Reference()


def asked(reference, seed=1):
    return Line(reference.send(), seed, reference=True).module("hw5_vae")


def test_loading_it_leaves_no_module_behind_that_a_submission_could_shadow(reference):
    assert not {"hw5_vae", "hw5_gan"} & {
        name for name, module in sys.modules.items() if module in reference._modules.values()
    }


def test_a_module_of_the_same_name_on_the_path_is_not_loaded(tmp_path, monkeypatch):
    for name in ("hw5_vae", "hw5_gan", "hw5_utils", "hw5_live"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module was loaded')")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert asked(Reference()).reparametrize(torch.zeros(2, 3), torch.zeros(2, 3)).shape == (2, 3)


def test_a_missing_solution_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"hw5_checkpoint\.py"):
        Reference(tmp_path)


def test_the_same_requests_get_the_same_answers_without_computing_them_again(reference):
    calls = []
    session = reference._modules["hw5_vae"].loss_function
    reference._modules["hw5_vae"].loss_function = lambda *a: calls.append(1) or session(*a)
    try:
        x, mu = torch.full((2, 1, 28, 28), 0.25), torch.full((2, 3), 0.125)
        first = asked(reference).loss_function(x, x, mu, mu)
        second = asked(reference).loss_function(x, x, mu, mu)
    finally:
        reference._modules["hw5_vae"].loss_function = session
    assert torch.equal(first, second) and len(calls) == 1


def test_an_answer_after_remembered_ones_sees_the_objects_they_made(reference):
    def talk(n):
        module = asked(reference, seed=77)
        vae = module.VAE(784, latent_size=3)
        fill(vae, 9)
        return vae.decoder(torch.ones(n, 3))

    two, again, three = talk(2), talk(2), talk(3)
    assert torch.equal(two, again)
    assert torch.allclose(three[:2], two, atol=1e-6)


def test_a_remembered_answer_cannot_be_changed_by_whoever_got_it(reference):
    mu = torch.full((1, 4), 0.5)
    first = asked(reference, seed=5).reparametrize(mu, mu)
    first.zero_()
    assert asked(reference, seed=5).reparametrize(mu, mu).any()


def test_what_is_remembered_has_a_bound(monkeypatch):
    monkeypatch.setattr("autograder.checking.reference.MEMORY", 100_000)
    reference = Reference()
    for n in range(1, 40):
        asked(reference, seed=n).reparametrize(torch.zeros(100, 50), torch.zeros(100, 50))
    assert reference._held <= 100_000
