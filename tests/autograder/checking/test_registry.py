"""How functions become checks, and what their inputs are drawn from."""

from __future__ import annotations

import pytest
import torch

from autograder.assignment import read_assignment
from autograder.checking import registry
from autograder.checking.registry import Rng, check
from autograder.parts import all_checks


@pytest.fixture
def empty(monkeypatch):
    monkeypatch.setattr(registry, "_checks", {})


def test_a_check_takes_its_id_module_and_title_from_the_function(empty):
    @check("fc-vae.loss", share=2, after="first")
    def second(hw5_vae, ref, rng):
        """The loss is
        a mean.

        For maintainers only.
        """

    one = registry._checks["fc-vae.loss.second"]
    assert (one.module, one.share, one.after) == ("hw5_vae", 2, ("fc-vae.loss.first",))
    assert one.title == "The loss is a mean."


def test_a_check_without_a_sentence_for_the_student_is_refused(empty):
    with pytest.raises(ValueError, match="docstring"):

        @check("fc-vae.loss")
        def silent(hw5_vae, ref, rng):
            pass


def test_two_checks_of_one_name_are_refused(empty):
    def twice(hw5_vae, ref, rng):
        """Twice."""

    check("fc-vae.loss")(twice)
    with pytest.raises(ValueError, match="two checks"):
        check("fc-vae.loss")(twice)


def test_a_check_that_waits_for_nobody_is_refused(monkeypatch):
    all_checks(read_assignment())
    monkeypatch.setattr(registry, "_checks", dict(registry._checks))

    @check("fc-vae.loss", after="no_such_check")
    def waits(hw5_vae, ref, rng):
        """Waits."""

    with pytest.raises(ValueError, match="no such check"):
        all_checks(read_assignment())


def test_every_check_tells_the_student_one_plain_sentence():
    for one in all_checks(read_assignment()):
        assert one.title.endswith("."), one.id
        assert len(one.title) < 200, one.id


def test_inputs_differ_by_check_and_by_batch_and_repeat_by_seed():
    a, b = Rng(1, "x").normal(4), Rng(1, "x").normal(4)
    assert torch.equal(a, b)
    assert not torch.equal(a, Rng(1, "y").normal(4))
    assert not torch.equal(a, Rng(2, "x").normal(4))


def test_draws_lie_where_they_should():
    rng = Rng(3, "x")
    assert rng.uniform(-1, 2, 1000).min() >= -1 and rng.uniform(-1, 2, 1000).max() <= 2
    assert {rng.integer(1, 3) for _ in range(100)} == {1, 2, 3}
    assert set(rng.labels(500).tolist()) == set(range(10))
