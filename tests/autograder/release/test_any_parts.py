"""Any single part, and any two of them, can be released."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT
from autograder.release import package, proof
from autograder.release.package import Release

ASSIGNMENT = read_assignment()
PARTS = [part.id for part in ASSIGNMENT.parts]
SUBSETS = [(part,) for part in PARTS] + list(combinations(PARTS, 2))
IMPORTS = """
import importlib, sys
from pathlib import Path
sys.dont_write_bytecode = True
seen = set()
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    for path in Path(folder).glob("hw5_*.py"):
        if path.read_bytes() not in seen:  # what all releases have is imported once
            seen.add(path.read_bytes())
            importlib.import_module(path.stem)
    for name in [name for name in sys.modules if name.startswith("hw5_")]:
        assert sys.modules.pop(name).__file__.startswith(folder), name
    sys.path.remove(folder)
"""


@pytest.fixture(scope="module")
def releases() -> dict[str, Release]:
    """Every one of them, of one source; nothing is written."""
    source = package.read_source(ROOT, ASSIGNMENT)
    return {"+".join(s): package.make(source, ASSIGNMENT, s, "") for s in SUBSETS}


@pytest.mark.daily
@pytest.mark.parametrize("subset", ["+".join(s) for s in SUBSETS])
def test_its_notebooks_use_what_is_there_and_its_texts_refer_to_it(subset, releases):
    release = releases[subset]
    proof.names_are_there(release)
    proof.found(release, Path())
    proof.untold(release, Path())
    assert release.notes == ()
    written_in = {f"{part.module}.py" for part in release.parts if part.module}
    assert written_in == {"hw5_vae.py", "hw5_gan.py"}.intersection(release.students)


def lay_out(files: Mapping[str, str | bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def test_with_the_solution_every_name_is_there_and_none_is_left_over(releases, tmp_path):
    for subset, release in releases.items():
        files = {f"{name}.py": text for name, text in release.modules.items()}
        lay_out(files, tmp_path / subset)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache"]
    options = ["--select", "E9,F,I", "--line-length", "100", "--output-format", "concise"]
    ours = ["--config", 'lint.isort.known-first-party = ["hw5_*"]']
    ran = subprocess.run(
        [*command, *options, *ours, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_a_single_part_can_be_imported_as_students_get_it(releases, tmp_path):
    folders = []
    for part in PARTS:
        files = {n: d for n, d in releases[part].students.items() if n.endswith(".py")}
        folders.append(str(lay_out(files, tmp_path / part)))
    ran = subprocess.run(
        [sys.executable, "-I", "-c", IMPORTS, *folders],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
