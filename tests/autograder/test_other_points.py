"""Points are changed in assignment.toml and nowhere else: with others there, all of it holds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.assignment import Assignment, question_of, read_assignment
from autograder.checking.modules import ROOT
from autograder.release import notebooks, package
from autograder.release.tidy import Tidied, tidy
from tests.conftest import FORTNIGHT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
POINTS = re.compile(r"\b(points\s*=\s*)([\d.]+)")
SPEAKS_OF_POINTS = re.compile(r"points|worth")
OF_THE_KIT = re.compile(r"\b(read_assignment|ASSIGNMENT|small_course|answers)\b")
SLOW = {
    *("test_sample_submissions", "test_basis", "test_judge", "test_regrading", "test_solution"),
    *("test_release", "test_hw5_checks", "test_hw5_report"),
}
"""These take long, and of what questions are worth know shares, everything and nothing."""

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "tests").rglob("test_*.py")
    if path != Path(__file__)
    and path.stem not in SLOW
    and SPEAKS_OF_POINTS.search(text := path.read_text(encoding="utf-8"))
    and OF_THE_KIT.search(text)
)
"""Tests that may hold points of the kit's own questions."""


def with_other_points(text: str) -> str:
    """assignment.toml with each question worth what it was times its place in the part, and 0.5:
    no total is as it was, and no question's share of one."""

    def part(text: str) -> str:
        total, place, lines = 0.0, 0, text.split("\n")
        for number, line in enumerate(lines):
            found = POINTS.search(line)
            if found and line.lstrip().startswith("{"):
                place += 1
                points = place * float(found[2]) + 0.5
                total += 0 if 'kind = "bonus"' in line else points
                lines[number] = POINTS.sub(rf"\g<1>{points:g}", line, count=1)
        return re.sub(r"^points\s*=.*$", f"points = {total:g}", "\n".join(lines), flags=re.M)

    head, *parts = text.split("[[part]]")
    return "[[part]]".join([head, *map(part, parts)])


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the kit in which assignment.toml has other points, and nothing else is changed."""
    root = tmp_path_factory.mktemp("kit")
    leave = shutil.ignore_patterns("__pycache__")
    for name in ("autograder", "benchmarks", "data", "hw5_pages", "notebooks", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=leave, symlinks=True)
    for path in (*ROOT.glob("*.*"), ROOT / "LICENSE"):
        if path.is_file():
            shutil.copy(path, root)
    path = root / "autograder" / "assignment.toml"
    path.write_text(with_other_points(path.read_text(encoding="utf-8")), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def other(kit: Path) -> Assignment:
    ours, other = read_assignment(), read_assignment(kit / "autograder" / "assignment.toml")
    for part, changed in zip(ours.parts, other.parts, strict=True):
        assert part.points != changed.points and part.full_ids() == changed.full_ids()
    return other


def test_a_release_says_the_points_of_today_wherever_it_says_any(kit: Path, other: Assignment):
    made = package.make(package.read_source(kit, other), other, ("fc-gan", "ae-gan"), "")
    readme, asked = (made.students[name].decode() for name in ("README.md", "hw5_asked.py"))
    known: dict[str, dict] = {}
    exec(asked, known)
    for name, data in made.students.items():
        if name.endswith(".ipynb"):
            notebook = notebooks.loads(name, data)
            worth = sum(other.part(part).points for part in notebook.parts)
            assert f"| {notebook.title} | {worth:g} |" in readme
            for cell in notebooks.graded(notebook):
                part, _, question = question_of(cell.id).partition(".")
                points = other.question(f"{part}.{question}").points
                assert cell.metadata.nbgrader.points == points, cell.id
                assert known["PARTS"][part]["questions"][question]["points"] == points
    for notebook in made.kept:
        for cell in notebooks.graded(notebook):
            scheme = cell.source.partition("**Mark scheme**")[2]
            criteria = [float(found[2]) for found in notebooks.CRITERION.finditer(scheme)]
            worth = other.question(question_of(cell.id)).points
            assert not criteria or sum(criteria) == pytest.approx(worth), cell.id


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tidy_writes_the_points_of_today(path: Path, other: Assignment):
    ours = path.read_text(encoding="utf-8")
    changed = tidy(path.stem, ours, other)
    assert changed.text != ours and changed.left == ()
    assert tidy(path.stem, changed.text, other) == Tidied(changed.text)


@pytest.mark.daily("other points")
@pytest.mark.parametrize("day", range(FORTNIGHT))
def test_no_test_holds_points_of_its_own(kit: Path, tmp_path: Path, day: int):
    """Each day some of the files are run in the copy, without what is dear there."""
    command = [sys.executable, "-m", "pytest", "-q", f"--basetemp={tmp_path / 'base'}"]
    of_their_own = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    end = subprocess.run(
        [*command, "-m", "not daily and not long", *FILES[day::FORTNIGHT]],
        cwd=kit,
        env={**of_their_own, "PYTHONPATH": str(kit)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert end.returncode == 0, end.stdout[-5000:] + end.stderr[-5000:]
