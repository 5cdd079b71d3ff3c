"""The answer of a question that is asked stands in no text but its own."""

from __future__ import annotations

import json

import pytest
from nbgrader.utils import is_solution

from autograder.assignment import question_of
from autograder.checking.modules import ROOT
from autograder.release import ReleaseError, notebooks, package, strip
from autograder.release.tells import read_tells, told
from tests.autograder.release.conftest import ASSIGNMENT, cell

TELLS = read_tells()
KIT = package.read_source(ROOT, ASSIGNMENT)
CLOSED_FORMS = [
    f"{part.id}.{question.id}"
    for part in ASSIGNMENT.parts
    if part.id.endswith("-theory")
    for question in part.questions
    if question.kind == "code"
]


def answers() -> dict[str, str]:
    """Question -> model answer, of those answered in words and of the closed forms."""
    found = {
        question_of(cell.id): text
        for notebook in KIT.notebooks
        for cell, text in notebooks.secrets(notebook)
        if is_solution(cell)
    }
    for name in ("hw5_vae", "hw5_gan"):
        for region in strip.regions(KIT.modules[name], name, strip.SOLUTION):
            if region.tag in CLOSED_FORMS:
                found[region.tag] = "\n".join(region.body)
    return found


ANSWERS = answers()


def test_every_question_with_words_or_a_closed_form_is_listed():
    assert list(ANSWERS) and sorted(TELLS) == sorted(ANSWERS)


@pytest.mark.parametrize("entry", ["", 'words = ["owl"]\nopen = "no one form"'])
def test_a_question_has_patterns_or_a_reason_why_not(entry, tmp_path):
    (tmp_path / "tells.toml").write_text(f'["fc-vae.owl"]\n{entry}\n')
    with pytest.raises(ReleaseError, match=r"tells.toml: fc-vae.owl must have patterns, or say"):
        read_tells(tmp_path / "tells.toml")


@pytest.mark.parametrize("question", [q for q, tells in TELLS.items() if tells])
def test_a_model_answer_is_recognised_by_its_patterns(question):
    assert list(told({"x.md": ANSWERS[question].encode()}, TELLS[question]))


NOTEBOOK_3 = (
    "In this notebook\n\n$$\np_\\theta(x\\mid z) = \\prod_{d=1}^{D} \\hat x_d(z)^{x_d}\\,"
    "\\big(1-\\hat x_d(z)\\big)^{1-x_d}.\n$$"
)


def notebook(text: str, id: str = "fc-vae--intro") -> dict[str, bytes]:
    made = {"cells": [cell("markdown", id, text)], "metadata": {}}
    return {"3_fc_vae.ipynb": json.dumps(made).encode()}


def test_a_passage_that_tells_is_named_with_the_question_and_the_way_out():
    (said,) = told(notebook(NOTEBOOK_3), TELLS["vae-theory.1a"])
    assert said.startswith("3_fc_vae.ipynb, cell fc-vae--intro tells the answer of vae-theory.1a")
    assert "=== UNLESS vae-theory.1a ===" in said


def test_a_question_may_say_what_it_likes_of_itself():
    for id in ("vae-theory--1a", "vae-theory--1a--statement"):
        assert not list(told(notebook(NOTEBOOK_3, id), TELLS["vae-theory.1a"]))


STOOD = [
    ("vae-theory.1a", "    log p(x) = sum_d [ x_d log p_d + (1 - x_d) log(1 - p_d) ]"),
    ("vae-theory.1a", r"$-x_d\log\hat x_d - (1-x_d)\log(1-\hat x_d)$"),
    ("vae-theory.1d", "and the whole is never negative."),
    ("vae-theory.1d", "The divergence has the encoder's Gaussian first; it is *not symmetric*."),
    ("vae-theory.1h", r"$\frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2}$"),
    ("vae-theory.1h", "    distance = (mu1 - mu2) ** 2 * torch.exp(-2 * log_sigma2)"),
    ("vae-theory.1j", r"with equality exactly when $q(z \mid x)$ is the posterior"),
    ("gan-theory.3a", "    min over G, max over D:    E_x[ log sigma(D(x)) ]"),
    ("gan-theory.3a", "    loss = -mean_n log sigma(real_n) - mean_n log(1 - sigma(fake_n))"),
    ("gan-theory.3a", r"$\min_G\ \max_D\quad \mathbb E\big[\log D(x)\big]$"),
    ("gan-theory.3a", r"\mathbb E_{z\sim p(z)}\big[\log\big(1 - D(G(z))\big)\big]"),
    ("gan-theory.3a", r"$\operatorname{BCE}(p, y) = -y\log p - (1-y)\log(1-p)$"),
    ("gan-theory.3d", r"$2\,\mathrm{JSD}(p_{\mathrm{data}}\,\|\,p_G) - \log 4$"),
    ("ae-gan.mode_collapse", "One image sixteen times is\nmode collapse."),
]


@pytest.mark.parametrize(("question", "text"), STOOD)
def test_what_once_stood_in_another_text_is_recognised(question, text):
    assert list(told({"x.md": text.encode()}, TELLS[question]))


def test_a_part_without_the_other_still_says_it():
    alone = package.make(KIT, ASSIGNMENT, ["fc-gan"], "")
    assert list(told(alone.students, TELLS["gan-theory.3a"]))
    assert not list(told(alone.students, TELLS["vae-theory.1a"]))
