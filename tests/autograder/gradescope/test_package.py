"""autograder.zip: what is in it, how it is laid out, and what its scripts install."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from autograder import __main__ as command_line
from autograder.assignment import read_assignment
from autograder.gradescope import package as gradescope_zip
from autograder.sandbox.launch import ENVIRONMENT

KIT = Path(__file__).resolve().parents[3]
STAFF_ONLY = ("nbgrader", "nbconvert", "typst", "pypandoc", "pytest", "ruff", "mypy", "playwright")


def made(path: Path, parts: Sequence[str] = ()) -> zipfile.ZipFile:
    gradescope_zip.write(path, parts)
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    return made(tmp_path_factory.mktemp("zip") / "autograder.zip")


def text(archive: zipfile.ZipFile, name: str) -> str:
    return archive.read(name).decode()


def test_both_scripts_lie_at_the_root_and_are_executable(archive: zipfile.ZipFile):
    for name in ("setup.sh", "run_autograder"):
        assert archive.getinfo(name).external_attr >> 16 == 0o100755
        assert text(archive, name).startswith("#!/usr/bin/env bash\n")


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_bash_can_parse_the_scripts(archive: zipfile.ZipFile, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(archive.read(name))
    subprocess.run(["bash", "-n", str(tmp_path / name)], check=True)


def test_the_kit_and_its_solutions_are_there_and_nothing_else(archive: zipfile.ZipFile):
    names = set(archive.namelist())
    wanted = {path.name for path in KIT.glob("hw5_*.py")} | {"constraints.txt"}
    wanted |= {p.relative_to(KIT).as_posix() for p in (KIT / "autograder").rglob("*.py")}
    wanted |= {"autograder/assignment.toml", "autograder/export/feedback.html"}
    assert wanted <= names and len(names) == len(archive.namelist())
    assert not any(name.startswith(("tests/", "data/", ".", "/")) for name in names)
    assert {Path(name).suffix for name in names} <= {"", ".py", ".sh", ".toml", ".html", ".txt"}


def test_equal_kits_give_equal_bytes(tmp_path: Path):
    made(tmp_path / "one.zip")
    made(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_parts_that_were_asked_for_are_graded_there(tmp_path: Path):
    run = text(made(tmp_path / "some.zip", ["fc-vae", "ae-gan"]), "run_autograder")
    assert run.rstrip().endswith("-m autograder.gradescope.run --part fc-vae --part ae-gan")


def test_the_run_begins_with_an_environment_of_its_own(archive: zipfile.ZipFile):
    command = text(archive, "run_autograder").partition("exec env -i ")[2]
    for name, value in ENVIRONMENT.items():
        assert re.search(rf"(^| ){name}=('{value}'|{re.escape(value)})( |$)", command, re.MULTILINE)


def test_torch_is_pinned_without_cuda_to_the_version_of_the_constraints(archive: zipfile.ZipFile):
    setup = text(archive, "setup.sh")
    pins = dict(re.findall(r"^(\S+?)==(\S+)", text(archive, "constraints.txt"), re.MULTILINE))
    line = next(line for line in setup.splitlines() if "download.pytorch.org/whl/cpu" in line)
    assert f"torch=={pins['torch']}+cpu torchvision=={pins['torchvision']}+cpu" in line
    assert "--constraint /autograder/source/constraints.txt" in setup


def test_nothing_that_only_staff_need_is_installed(archive: zipfile.ZipFile):
    setup = text(archive, "setup.sh")
    assert [name for name in STAFF_ONLY if name in setup] == []


def test_everything_that_the_run_imports_is_installed(archive: zipfile.ZipFile):
    program = (
        "import sys, autograder.gradescope.run, autograder.grading.batch,"
        "autograder.gradescope.results,"
        "autograder.intake.submissions; from autograder.assignment import read_assignment;"
        "from autograder.parts import all_checks; all_checks(read_assignment());"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=KIT, capture_output=True, text=True, check=True
    )
    ours = {path.stem for path in KIT.glob("*.py")} | {"autograder"}
    imported = set(ran.stdout.split()) - ours - set(sys.stdlib_module_names)
    brought = {d for name in imported for d in packages_distributions().get(name, ())}
    setup = text(archive, "setup.sh")
    asked = {d for d in set().union(*packages_distributions().values()) if _names(setup, d)}
    assert {"torch", "torchvision", "pyseccomp", "scikit-learn"} <= asked
    missing = {_plain(name) for name in brought} - {_plain(name) for name in _closure(asked)}
    # This environment's own start-up files import what the container does not have.
    assert missing <= {"setuptools", "matplotlib", "hw5-kit"}, missing
    assert "torch" in brought and "jinja2" in {name.lower() for name in brought}


def _names(setup: str, distribution: str) -> bool:
    return re.search(rf"[ ']{re.escape(distribution)}(==| |;|$)", setup, re.MULTILINE) is not None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(names: set[str]) -> set[str]:
    """The distributions and all that they need."""
    todo, found = list(names), set[str]()
    while todo:
        name = _plain(todo.pop())
        if name not in found:
            found.add(name)
            try:
                needed = requires(name) or []
            except ModuleNotFoundError:
                continue
            todo += [re.split(r"[ ;<>=!~\[(]", one)[0] for one in needed if "extra ==" not in one]
    return found


def test_the_command_says_how_many_points_the_assignment_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "autograder.zip"
    assert command_line.main(["gradescope", "--out", str(out), "--part", "fc-vae"]) == 0
    said = capsys.readouterr().out
    questions = read_assignment().part("fc-vae").questions
    code, by_hand = (
        sum(one.points for one in questions if one.kind == kind) for kind in ("code", "manual")
    )
    assert str(out) in said and f"assignment {code:g} autograder points" in said
    assert f"and {by_hand:g} are given by hand" in said
    assert zipfile.is_zipfile(out)


@pytest.mark.parametrize("name", ["marks", "autograder.tar"])
def test_a_name_that_is_no_zip_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
):
    assert command_line.main(["gradescope", "--out", str(tmp_path / name)]) == 2
    assert "autograder.zip" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
