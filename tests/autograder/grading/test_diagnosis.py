"""Diagnosis names the known mistakes that explain a wrong answer, however it is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import torch

from autograder.assignment import read_assignment
from autograder.checking.catalogue import Mistake
from autograder.checking.expect import Fail
from autograder.checking.here import LocalCode
from autograder.checking.modules import ROOT
from autograder.checking.proxy import Line, Remote, Send, StudentError, fill
from autograder.checking.reference import Reference
from autograder.grading import diagnosis
from autograder.grading.diagnosis import Talk, _talks, diagnose, recorded
from autograder.grading.judge import call, fresh
from autograder.inside.wire import Handle
from autograder.parts import all_checks, all_mistakes

RIGHT = (ROOT / "hw5_vae.py").read_text(encoding="utf-8")
LOSS, NETWORKS = "fc-vae.loss", "fc-vae.networks"
SEED = 3


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference()


def known(question: str, id: str) -> Mistake:
    (found,) = (one for one in all_mistakes() if (one.question, one.id) == (question, id))
    return found


def asked(source: str, ask: Callable[[Remote], object]) -> Talk:
    """What is said between something that asks and a module of this source."""
    talk: Talk = []
    code = LocalCode({"hw5_vae.py": source.encode()})
    ask(Line(recorded(code.send(1.0), talk), SEED).module("hw5_vae"))
    return talk


def encode(hw5_vae: Remote) -> None:
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(SEED))
    vae = hw5_vae.VAE(784, latent_size=7)
    fill(vae.encoder, SEED, "execution", [x])
    vae.encoder(x)


def whole(hw5_vae: Remote) -> None:
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(SEED))
    vae = hw5_vae.VAE(784, latent_size=7)
    for order in ("definition", "execution"):
        with suppress(StudentError):  # it has another name
            fill(vae.encoder, SEED)
        fill(vae, SEED, order, [x])
        vae(x)


def lose(hw5_vae: Remote) -> None:
    draw = torch.Generator().manual_seed(SEED)
    x_hat, x = (torch.rand(5, 1, 28, 28, generator=draw) for _ in range(2))
    for zeros in (0.0, 1.0):
        mu, logvar = (torch.randn(5, 7, generator=draw) for _ in range(2))
        hw5_vae.loss_function(x_hat, x, zeros * mu, logvar)


def rewritten(source: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in source
        source = source.replace(old, new)
    return source


WIDTH = ("self.hidden_dim = 400", "self.hidden_dim = 256")
NAMES = ("self.encoder", "self.first"), ("self.mu_layer", "self.centre")
ORDER = (
    "        self.mu_layer = nn.Linear(self.hidden_dim, latent_size)\n"
    "        self.logvar_layer = nn.Linear(self.hidden_dim, latent_size)\n"
)
LATER = ORDER.split("\n")[1] + "\n" + ORDER.split("\n")[0] + "\n"


@pytest.mark.parametrize("mistake", ["encoder-ends-without-relu", "encoder-of-two-layers"])
@pytest.mark.parametrize("pairs", [(), (WIDTH,)])
def test_a_mistake_is_named_whatever_the_width(
    reference: Reference, mistake: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    one = known(NETWORKS, mistake)
    talk = asked(rewritten(one.source(RIGHT), *pairs), encode)
    said = diagnose(talk, NETWORKS, "hw5_vae", reference)
    assert said == f"It looks like this: {one.sentence}"


@pytest.mark.parametrize("pairs", [NAMES, ((ORDER, LATER),), (WIDTH, *NAMES)])
def test_a_mistake_is_named_whatever_names_and_orders_the_layers_have(
    reference: Reference, pairs: tuple[tuple[str, str], ...]
) -> None:
    one = known(NETWORKS, "tanh")
    talk = asked(rewritten(one.source(RIGHT), *pairs), whole)
    assert one.sentence in diagnose(talk, NETWORKS, "hw5_vae", reference)


def test_what_the_check_has_said_is_not_said_again(reference: Reference) -> None:
    one = known(LOSS, "sign-of-divergence")
    talk = asked(one.source(RIGHT), lose)
    assert diagnose(talk, LOSS, "hw5_vae", reference, said=f"The loss: {one.sentence}") == ""


def test_of_two_mistakes_at_once_both_are_named(reference: Reference) -> None:
    two = known(LOSS, "sign-of-divergence"), known(LOSS, "pixels-averaged")
    talk = asked(two[1].source(two[0].source(RIGHT)), lose)
    said = diagnose(talk, LOSS, "hw5_vae", reference)
    assert said.startswith("It looks like this: ")
    assert all(one.sentence in said for one in two)


def test_of_two_mistakes_in_one_loop_each_is_named_on_its_own_question(
    reference: Reference,
) -> None:
    one = known("ae-gan.loss_autoencoder", "sum")
    other = known("ae-gan.loss_generator", "labels-zero")
    right = (ROOT / "hw5_gan.py").read_text(encoding="utf-8")
    code = LocalCode({"hw5_gan.py": other.source(one.source(right)).encode()})
    id, talk = f"{one.question}.takes_the_mean_square", Talk()
    (check,) = (check for check in all_checks(read_assignment()) if check.id == id)
    with pytest.raises(Fail):
        call(check, recorded(fresh(code.send(1.0)), talk), reference, SEED)
    said = diagnose(talk, one.question, "hw5_gan", reference)
    assert said == f"It looks like this: {one.sentence}"


def test_what_is_said_of_the_whole_loop_is_told_apart_from_what_is_said_without_a_step() -> None:
    whole, bare = {"op": "call", "target": "hw5_gan"}, {"op": "bare", "target": "hw5_gan"}
    models, loop = [Handle(i) for i in range(3)], Handle(3)
    without = {"op": "patient", "target": "hw5_gan", "instead": {"ae-gan.optimizers": "pass"}}
    talk: Talk = [
        (bare, {"value": models[0]}),
        ({**whole, "args": [models[0]]}, {"value": [1.0]}),
        (without, {"value": loop}),
        (bare, {"value": models[1]}),
        ({"op": "call", "target": loop, "args": [models[1]]}, {"value": [2.0]}),
        (bare, {"value": models[2]}),
        ({**whole, "args": [models[2]]}, {"value": [3.0]}),
    ]
    assert list(_talks(talk)) == [[*talk[:2], *talk[5:]], talk[2:5]]


def test_mistakes_that_answer_alike_are_named_as_what_it_may_be(reference: Reference) -> None:
    one = known(LOSS, "sign-of-divergence")
    twin = replace(one, id="twin", sentence="the divergence is subtracted.")
    talk = asked(one.source(RIGHT), lose)
    said = diagnose(talk, LOSS, "hw5_vae", reference, (one, twin))
    assert said == f"It looks like one of these: {one.sentence} Or: {twin.sentence}"
    unnamed = replace(twin, sentence="", says="something is wrong")
    assert diagnose(talk, LOSS, "hw5_vae", reference, (one, unnamed)) == ""
    many = [replace(one, id=str(i), sentence=f"sentence {i}") for i in range(4)]
    assert diagnose(talk, LOSS, "hw5_vae", reference, many) == ""


def test_another_mistake_than_the_known_ones_gets_no_name(reference: Reference) -> None:
    one = known(LOSS, "sign-of-divergence")
    talk = asked(rewritten(RIGHT, ("logvar - mu**2", "logvar - mu**4")), lose)
    assert diagnose(talk, LOSS, "hw5_vae", reference) == ""
    assert diagnose(asked(RIGHT, lose), LOSS, "hw5_vae", reference, (one,)) == ""


def test_mistakes_of_another_question_are_not_named(reference: Reference) -> None:
    one = known(LOSS, "sign-of-divergence")
    talk = asked(one.source(RIGHT), lose)
    assert diagnose(talk, NETWORKS, "hw5_vae", reference) == ""


WIDE: list[list[int]] = [[9000, 784], [9000], [9000, 9000], [9000], [9000, 9000], [9000]]
CLAIMS = (
    WIDE,
    [[2048, 2048], [2048]] * 3,
    [["wide", 784], *WIDE[1:]],
    [[400, 784], [{}], *WIDE[2:]],
    [0.5] * 6,
    "shapes",
    None,
)


@pytest.mark.parametrize("claim", CLAIMS)
def test_sizes_that_no_model_has_are_not_made_here(
    reference: Reference, monkeypatch: pytest.MonkeyPatch, claim: object
) -> None:
    made, variant = [], reference.variant

    def seen(name: str, edit: Callable[[str], str]) -> Send:
        made.append(edit(RIGHT))
        return variant(name, edit)

    monkeypatch.setattr(reference, "variant", seen)
    talk = asked(known(NETWORKS, "tanh").source(RIGHT), encode)
    fills = [i for i, (request, _) in enumerate(talk) if request["op"] == "fill"]
    talk[fills[0]] = talk[fills[0]][0], {"value": claim}
    diagnose(talk, NETWORKS, "hw5_vae", reference)
    assert made and all(WIDTH[0] in source for source in made)


def test_a_search_for_pairs_that_asks_too_much_says_nothing(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = known(LOSS, "sign-of-divergence"), known(LOSS, "pixels-averaged")
    talk = asked(other.source(one.source(RIGHT)), lose)
    assert diagnose(talk, LOSS, "hw5_vae", reference, (one, other)) != ""
    monkeypatch.setattr(diagnosis, "ANSWERS", 1)
    assert diagnose(talk, LOSS, "hw5_vae", reference, (one, other)) == ""
    alone = diagnose(asked(one.source(RIGHT), lose), LOSS, "hw5_vae", reference, (one, other))
    assert one.sentence in alone, "a single one is always looked for"
