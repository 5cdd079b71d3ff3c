"""`new` lays a part out so that `audit` holds at once; a weak check is then found."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import new, visible
from autograder.assignment import AssignmentError, read_assignment
from autograder.checking.modules import ROOT
from autograder.placeholders import placeholders
from autograder.release.tidy import tidy_file

WAITING = tuple(placeholders(ROOT))


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the kit with a new part and three questions."""
    root = tmp_path_factory.mktemp("kit")
    for name in ("autograder", "notebooks", "hw5_pages"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*ROOT.glob("hw5_*.py"), ROOT / "README.md", ROOT / "pyproject.toml"):
        shutil.copy(path, root)
    for path in (root / "notebooks").glob("*.ipynb"):  # whatever points were changed since
        tidy_file(path, read_assignment(), write=True)
    new.new_part(
        root, "denoising", "A denoising autoencoder", "hw5_vae", "corrupt", "Adding noise", 4
    )
    new.new_question(root, "denoising.objective", "The loss", 4, "objective", False)
    new.new_question(root, "denoising.why", "Why noise helps", 2.5, "why", True)
    new.new_question(root, "gan-theory.patches", "Patches", 1, "patches", False)
    return root


def ran(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.daily("new")
def test_the_audit_of_a_new_part_holds_and_says_what_is_still_to_be_written(kit: Path) -> None:
    end = ran(kit, "autograder", "audit", "denoising", "--seeds", "2", "--jobs", "1")
    assert "All of it holds." in end.stdout, end.stdout + end.stderr
    assert "Still to be written:" in end.stdout
    assert "notebooks/9_denoising.ipynb" in end.stdout
    assert end.returncode == 1  # something is still to be written


def test_the_author_of_a_question_writes_in_five_files(kit: Path) -> None:
    waiting = {line.partition(",")[0] for line in placeholders(kit) if line not in WAITING}
    notebook = "notebooks/9_denoising.ipynb"  # for the question that is marked by hand
    assert {path for path in waiting if "gan_theory" not in path and path != notebook} == {
        "hw5_vae.py",
        "hw5_gan.py",  # gan-theory.patches
        "hw5_checks.py",
        "autograder/parts/denoising/checks.py",
        "autograder/parts/denoising/mistakes.py",
        "autograder/parts/denoising/styles.py",
    }
    notebook_text = (kit / notebook).read_text(encoding="utf-8")
    assert "TO BE WRITTEN: the question" in notebook_text
    assert "TO BE WRITTEN: what" not in notebook_text


def test_the_modules_own_table_names_what_is_new(kit: Path) -> None:
    tables = [
        ast.get_docstring(ast.parse((kit / f"hw5_{n}.py").read_text())) for n in ("vae", "gan")
    ]
    assert re.search(r"^ +denoising +corrupt  objective$", str(tables[0]), re.M)
    assert re.search(r"^ +gan-theory +answer_3e  patches$", str(tables[1]), re.M)


def test_the_functions_of_a_part_stand_together_below_all_that_belongs_to_others(kit: Path) -> None:
    def names(root: Path) -> list[str]:
        return [
            getattr(one, "name", "") for one in ast.parse((root / "hw5_vae.py").read_text()).body
        ]

    before, after = names(ROOT), names(kit)
    at = after.index("corrupt")
    assert after[at : at + 2] == ["corrupt", "objective"]
    assert after[:at] + after[at + 2 :] == before
    runs = [i for i, name in enumerate(after) if name.startswith("run_")]
    assert runs[0] == at + 2


@pytest.mark.daily("new")
def test_a_question_of_a_part_that_was_there_holds_too(kit: Path) -> None:
    end = ran(kit, "autograder", "audit", "gan-theory", "--seeds", "1", "--jobs", "1")
    assert "All of it holds." in end.stdout, end.stdout + end.stderr
    assert "gan-theory.patches" in end.stdout


def test_what_is_laid_out_is_tidy(kit: Path) -> None:
    files = ["autograder/parts/denoising", "hw5_vae.py", "hw5_checks.py", "notebooks"]
    assert ran(kit, "ruff", "check", *files).stdout.startswith("All checks passed")
    assert ran(kit, "ruff", "format", "--check", *files).returncode == 0


def test_the_notebooks_need_no_command_to_put_them_right(kit: Path) -> None:
    assignment = read_assignment(kit / "autograder" / "assignment.toml")
    for name in ("9_denoising.ipynb", "4_conv_gan.ipynb"):
        tidied = tidy_file(kit / "notebooks" / name, assignment, write=False)
        assert (tidied.done, tidied.left) == ((), ()), tidied


@pytest.mark.daily("new")
def test_a_check_that_lets_a_mistake_pass_is_named_with_the_seeds(kit: Path) -> None:
    checks = kit / "autograder" / "parts" / "denoising" / "checks.py"
    right = checks.read_text(encoding="utf-8")
    weak = right.replace('"What corrupt returns",', '"What corrupt returns", tolerance=1e9,')
    assert weak != right
    checks.write_text(weak, encoding="utf-8")
    try:
        end = ran(kit, "autograder", "audit", "denoising", "--seeds", "2", "--jobs", "1")
    finally:
        checks.write_text(right, encoding="utf-8")
    assert end.returncode == 1
    assert "denoising: the mistake corrupt/sum at 2 of 2 seeds (1, 2)" in end.stdout
    assert "nothing is lost on denoising.corrupt" in end.stdout


def test_what_is_there_is_not_laid_out_again(kit: Path) -> None:
    with pytest.raises(AssignmentError, match="already"):
        new.new_part(kit, "fc-vae", "VAE", "hw5_vae")
    with pytest.raises(AssignmentError, match="already"):
        new.new_question(kit, "denoising.why", "Why", 1, "why", True)
    with pytest.raises(AssignmentError, match="cannot be the id"):
        new.new_question(kit, "denoising.why not", "Why", 1, "why", True)
    with pytest.raises(AssignmentError, match=r"it is PART\.ID"):
        new.new_question(kit, "denoising", "Why", 1, "why", True)
    with pytest.raises(AssignmentError, match="students can read"):
        new.new_question(kit, "denoising.other", " ", 1, "other", True)
    for name in ("class", "torch", "F", "list"):
        with pytest.raises(AssignmentError):
            new.new_question(kit, f"denoising.{name}x", "Odd", 1, name, False)
    before = (kit / "autograder" / "assignment.toml").read_text(encoding="utf-8")
    with pytest.raises(AssignmentError, match=r"has a corrupt already; give another --name"):
        new.new_question(kit, "denoising.again", "Again", 1, "corrupt", False)
    assert (kit / "autograder" / "assignment.toml").read_text(encoding="utf-8") == before


def test_the_kit_itself_waits_for_nobody() -> None:
    assert WAITING == ()


def test_a_visible_check_that_is_missing_or_left_behind_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assignment, found = read_assignment(), dict(visible.questions())
    visible.need_all(assignment)
    gone = {name: one for name, one in found.items() if name != "fc-vae.loss"}
    monkeypatch.setattr(visible, "questions", lambda: gone)
    with pytest.raises(AssignmentError, match=r"no visible check of fc-vae\.loss"):
        visible.need_all(assignment)
    monkeypatch.setattr(visible, "questions", lambda: {**found, "old.one": None})
    with pytest.raises(AssignmentError, match=r"visible check of 'old\.one', which"):
        visible.need_all(assignment)
