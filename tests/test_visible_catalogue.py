"""The visible checks and the catalogue of known mistakes: how much of it students see at once.

That each mistake stops the visible check of its question or is called unseen, and that no right
answer is refused, however written, is part of an audit, and so of test_every_part.

    python -m tests.test_visible_catalogue            the share by part, and what is not shown
    python -m tests.test_visible_catalogue fc-vae     with the sentence that meets each mistake
"""

from __future__ import annotations

import contextlib
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
from autograder.parts import all_mistakes
from autograder.visible import loaded, sentence
from tests.test_sample_submissions import EXPECTED, SUBMISSIONS

ROOT = Path(__file__).resolve().parents[1]
QUESTIONS = hw5_checks.QUESTIONS


def part_of(question: str) -> str:
    return question.partition(".")[0]


@cache
def reference(name: str) -> str:
    return (ROOT / f"{name}.py").read_text(encoding="utf-8")


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


def says(mistake: Mistake) -> str:
    """What the visible check says of the reference with this mistake."""
    name = hw5_checks.MODULES[part_of(mistake.question)]
    return sentence(mistake.question, loaded(name, mistake.source(reference(name))))


def test_public_inputs_show_most_of_all_mistakes_in_code() -> None:
    """An audit holds that nothing else goes unseen. What is answered with a number or a choice is
    left out: a visible check that told wrong ones would give the right one away.
    """
    known = [one for one in all_mistakes() if not part_of(one.question).endswith("-theory")]
    for part in hw5_checks.MODULES:
        own = [one for one in known if part_of(one.question) == part]
        print(f"{part:14} {sum(not one.unseen for one in own):3} of {len(own):3} shown")
    share = sum(not one.unseen for one in known) / len(known)
    print(f"{'all':14} {share:.1%}")
    assert share >= 0.95


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
        assert {q: sentence(q, module) for q, module in asked.items()} == dict.fromkeys(asked, "")
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
