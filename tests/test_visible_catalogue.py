"""The visible checks against the catalogue of known mistakes, and against right answers.

What public inputs can show is shown: every mistake of the catalogue stops the visible check of its
question with a sentence, or is `unseen` there. And no right answer is refused, however written.

    python -m tests.test_visible_catalogue            the share by part, and what is not shown
    python -m tests.test_visible_catalogue fc-vae     with the sentence that meets each mistake
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import torch

import hw5_checks
from autograder.checking.catalogue import Mistake
from autograder.inside import loader
from autograder.parts import all_mistakes, all_styles
from tests.test_sample_submissions import EXPECTED, SUBMISSIONS

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = hw5_checks.QUESTIONS
SEEDS = range(5)

UNSEEN = {
    "vae-theory.1b": "the value",
    "vae-theory.1g": "the value",
    "vae-theory.1h": "the value",
    "vae-theory.1j": "which of the four",
    "gan-theory.3e": "the four numbers",
    "autoencoder.architecture": "two networks at once",
    "autoencoder.loader": "many passes",
    "autoencoder.loop": "interrupted training",
    "autoencoder.beta_vae_loop": "interrupted training",
    "cifar-dcgan.weight_init": "each weight beside the others",
    "conv-gan.weight_init": "each weight beside the others",
    "conv-gan.loss_d": "what stays frozen",
    "conv-gan.loss_g": "what stays frozen",
    "fc-gan.sample_noise": "many calls",
    "fc-gan.discriminator": "two networks at once",
    "bernoulli-vae.logpdf_diagonal_gaussian": "very small variances",
    "ae-gan.loss_discriminator": "codes of an earlier batch",
}
"""Question -> words of its line "marked unseen", which stand for the mistakes that go unseen."""


CANNOT_RUN = {
    "double-noise": {"fc-vae.forward", "fc-vae.cvae"},
    "a-loss-in-place": {"autoencoder.beta_vae", "autoencoder.conditional"},
}
"""Styles that get full marks for each function, and questions whose model torch refuses to run."""


def part_of(question: str) -> str:
    return question.partition(".")[0]


def mistakes(question: str) -> list[Mistake]:
    return [one for one in all_mistakes() if one.question == question]


@cache
def reference(name: str) -> str:
    return (ROOT / f"{name}.py").read_text(encoding="utf-8")


def written_otherwise(part: str) -> dict[str, str]:
    right = reference(hw5_checks.MODULES[part])
    return {style.id: style.source(right) for style in all_styles()[part]}


STYLES = {part: written_otherwise(part) for part in all_styles()}
"""Part -> right answers as different people write them: name -> source of the whole file."""


def loaded(name: str, source: str) -> ModuleType:
    """A module of this source. It stands in no table of modules, so that no other sees it."""
    module = ModuleType(name)
    module.__file__ = f"{name}.py"
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module


def sample(name: str, module: str) -> ModuleType:
    """A module of a sample submission, loaded by the import rule; what it has on a GPU is here."""
    source = (SUBMISSIONS / name / f"{module}.py").read_text(encoding="utf-8")
    for gpu, cpu in (("cuda:0", "cpu"), (".cuda()", ".cpu()"), ('"cuda"', '"cpu"')):
        source = source.replace(gpu, cpu).replace(gpu.replace('"', "'"), cpu)
    made = ModuleType(module)
    with contextlib.redirect_stdout(io.StringIO()):
        loader.Submission({f"{module}.py": source.encode()}, str(SUBMISSIONS / name)).exec_module(
            made
        )
    return made


def sentence(question: str, module: ModuleType, seed: int = 0) -> str | None:
    """What the visible check says of a module's answer: None when it passes."""
    entry = QUESTIONS[question]
    missing = [name for name in entry.names if not hasattr(module, name)]
    if missing:
        return f"there is no {' and no '.join(missing)}."
    body = inspect.unwrap(entry.run)
    with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(io.StringIO()):
        torch.manual_seed(seed)
        try:
            body(*(getattr(module, name) for name in entry.names))
        except Exception as error:
            return hw5_checks.explain(error)
    return None


def says(mistake: Mistake) -> str | None:
    """What the visible check says of the reference with this mistake."""
    name = hw5_checks.MODULES[part_of(mistake.question)]
    return sentence(mistake.question, loaded(name, mistake.source(reference(name))))


@pytest.mark.daily
@pytest.mark.parametrize("question", QUESTIONS)
def test_each_mistake_is_shown_or_called_unseen(question: str) -> None:
    silent = {one.id for one in mistakes(question) if says(one) is None}
    assert silent == {one.id for one in mistakes(question) if one.unseen}


def test_what_is_not_shown_is_what_the_question_calls_unseen() -> None:
    assert {one.question for one in all_mistakes() if one.unseen} == {*UNSEEN}
    assert all(words in QUESTIONS[question].unseen for question, words in UNSEEN.items())


def test_public_inputs_show_most_of_all_mistakes() -> None:
    """The test of each question holds that nothing else goes unseen."""
    for part in hw5_checks.MODULES:
        known = [one for one in all_mistakes() if part_of(one.question) == part]
        print(f"{part:14} {sum(not one.unseen for one in known):3} of {len(known):3} shown")
    share = sum(not one.unseen for one in all_mistakes()) / len(all_mistakes())
    print(f"{'all':14} {share:.1%}")
    assert share >= 0.95


@pytest.mark.daily
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_reference_passes_whatever_the_noise(question: str) -> None:
    name = hw5_checks.MODULES[part_of(question)]
    module = loaded(name, reference(name))
    assert [sentence(question, module, seed) for seed in SEEDS] == [None] * len(SEEDS)


@pytest.mark.daily
@pytest.mark.parametrize(
    ("part", "style"), [(part, style) for part, styles in STYLES.items() for style in styles]
)
def test_a_right_answer_in_another_style_passes(part: str, style: str) -> None:
    module = loaded(hw5_checks.MODULES[part], STYLES[part][style])
    asked = [question for question in QUESTIONS if part_of(question) == part]
    said = {question: sentence(question, module) for question in asked}
    stopped = {question: text for question, text in said.items() if text}
    assert set(stopped) == CANNOT_RUN.get(style, set()), stopped


@pytest.mark.daily
@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("right-")])
def test_a_sample_submission_that_gets_full_marks_passes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some train and save pictures while they are imported
    monkeypatch.setattr(loader, "PATIENCE", 1.0)
    try:
        modules = {module: sample(name, module) for module in ("hw5_vae", "hw5_gan")}
        asked = {q: modules[hw5_checks.MODULES[part_of(q)]] for q in QUESTIONS}
        asked = {q: module for q, module in asked.items() if part_of(q) in EXPECTED[name]}
        assert {q: sentence(q, module) for q, module in asked.items()} == dict.fromkeys(asked)
    finally:
        loader._modes.close()  # what names a GPU is on the CPU here, and nowhere else


def main(parts: list[str]) -> None:
    """Print the share that is shown; with a part's name, what is said to each mistake as well."""
    torch.set_num_threads(1)
    counts = []
    for part in hw5_checks.MODULES:
        known = [one for one in all_mistakes() if part_of(one.question) == part]
        if parts and part not in parts:
            continue
        said = {one: says(one) for one in known}
        counts.append((sum(bool(text) for text in said.values()), len(known)))
        print(f"{part:14} {counts[-1][0]:3} of {counts[-1][1]:3} shown")
        for one, text in said.items():
            if parts or not text:
                print(f"    {one.question}: {one.id}: {text or 'NOT SHOWN'}")
    shown, known = map(sum, zip(*counts, strict=True))
    print(f"{'all':14} {shown:3} of {known:3} shown, {shown / known:.1%}")


if __name__ == "__main__":
    main(sys.argv[1:])
