"""The command `release`: what appears when everything holds, and nothing when anything does not."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import __main__ as command_line
from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT
from autograder.release import ReleaseError, package, proof
from tests.autograder.release.conftest import picture

ASSIGNMENT = read_assignment()
PART = "ae-gan"  # the quickest to judge
WORTH = ASSIGNMENT.part(PART)
NOTEBOOK = "7_ae_gan.ipynb"
ADDRESS = "https://example.edu/hw5.zip"


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with two pictures."""
    return copied(tmp_path_factory.mktemp("kit") / "kit")


def copied(copy: Path) -> Path:
    (copy / "notebooks" / "pictures").mkdir(parents=True)
    others = [ROOT / name for name in ("requirements.txt", "constraints.txt", "LICENSE")]
    for path in (*ROOT.glob("hw5_*.py"), *others):
        shutil.copy(path, copy)
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, copy / "notebooks")
    shutil.copytree(ROOT / "hw5_pages", copy / "hw5_pages")
    for name in (f"{PART}--owl.png", "fc-vae--owl.png"):
        (copy / "notebooks" / "pictures" / name).write_bytes(picture("An owl."))
    return copy


@pytest.fixture(scope="module")
def released(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A release of one part, made by the command, and what the command said."""
    out = tmp_path_factory.mktemp("release") / "week"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command_line, "ROOT", kit)
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
        command = ["release", "--part", PART, "--address", ADDRESS, "--out", str(out)]
        assert command_line.main(command) == 0, said
    return out, "\n".join(said)


@pytest.mark.daily("proofs")
def test_every_proof_says_what_it_has_seen(released):
    out, said = released
    assert "hw5.zip holds" in said
    assert "Every question, equation, section and notebook that a text refers to is there." in said
    assert "No text tells what another one asks" in said
    assert "fragments of solutions and checks is in any of them" in said
    assert "4 visible checks fail in the stubs' words and pass on the solution" in said
    assert "nbgrader generate_assignment makes the same" in said
    code = sum(one.points for one in WORTH.questions if one.kind == "code")
    assert f"The judge gives the release 0 and the solution {code:g} points of code." in said
    assert f"{out / 'hw5.zip'} is ready for students, for {WORTH.points:g} points." in said


def test_students_get_one_folder_with_what_they_need_and_no_more(released):
    with zipfile.ZipFile(released[0] / "hw5.zip") as archive:
        names = {name.removeprefix("hw5/") for name in archive.namelist()}
        module = archive.read("hw5/hw5_gan.py").decode()
        notebook = json.loads(archive.read("hw5/7_ae_gan.ipynb"))
        readme = archive.read("hw5/README.md").decode()
        needs = archive.read("hw5/requirements.txt").decode()
        colab = archive.read("hw5/start-colab.md").decode()
    given = {"hw5_gan.py", "hw5_utils.py", "hw5_checks.py", "hw5_start.py", "constraints.txt"}
    given |= {"hw5_report.py", "hw5_pages/__init__.py", "hw5_pages/template.typ"}
    assert {"7_ae_gan.ipynb", "README.md", *given} <= names
    assert set(re.findall(r"`(start-\w+\.md)`", readme)) == {n for n in names if "start-" in n}
    assert "hw5_vae.py" not in names and not any("autograder" in name for name in names)
    assert "NotImplementedError" in module and "class DCGAN" not in module
    setup = next(cell for cell in notebook["cells"] if cell["id"] == "setup")
    assert f'RELEASE = "{ADDRESS}"' in "".join(setup["source"])
    assert f"{WORTH.points:g}" in readme and ADDRESS in colab
    assert "torch" in needs and "nbgrader" not in needs


def test_staff_get_a_course_for_nbgrader_and_a_marking_guide(released):
    course = released[0] / "course"
    assert (course / "nbgrader_config.py").exists() and (course / "gradebook.db").exists()
    source = (course / "source" / "hw5" / "7_ae_gan.ipynb").read_text()
    release = (course / "release" / "hw5" / "7_ae_gan.ipynb").read_text()
    assert "Mark scheme" in source and "Mark scheme" not in release
    assert "ae-gan" in (released[0] / "marking_guide.md").read_text()


def test_a_picture_is_released_with_its_part_and_no_other(released):
    with zipfile.ZipFile(released[0] / "hw5.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
    assert names == [f"hw5/pictures/{PART}--owl.png"]
    for home in ("source", "release"):
        folder = released[0] / "course" / home / "hw5"
        assert [path.name for path in folder.rglob("*.png")] == [f"{PART}--owl.png"]


def test_a_notebook_says_how_many_may_work_together(released):
    with zipfile.ZipFile(released[0] / "hw5.zip") as archive:
        notebook = json.loads(archive.read("hw5/7_ae_gan.ipynb"))
    assert notebook["metadata"]["hw5"]["groups"] == {PART: 2}


def test_a_folder_in_use_is_left_alone(released, capsys):
    before = (released[0] / "hw5.zip").read_bytes()
    assert command_line.main(["release", "--part", PART, "--out", str(released[0])]) == 1
    assert "is there already. Give a new folder" in capsys.readouterr().err
    assert (released[0] / "hw5.zip").read_bytes() == before


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A copy of the source that a test may spoil."""
    return copied(tmp_path / "kit")


def make(kit: Path, *parts: str) -> package.Release:
    return package.make(package.read_source(kit, ASSIGNMENT), ASSIGNMENT, parts or [PART], "")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.daily("proofs")
def test_a_solution_in_a_hint_is_found(spoilt, tmp_path):
    line = "fooled = bce(model.discriminator(model.generator(z)), real)"
    assert line in (spoilt / "hw5_gan.py").read_text()
    (spoilt / "hw5_utils.py").write_text(
        f"{(spoilt / 'hw5_utils.py').read_text()}\n# Hint: {line}\n"
    )
    with pytest.raises(ReleaseError, match=r"hw5_utils\.py holds a (line|statement) of"):
        proof.silent(make(spoilt), tmp_path)


@pytest.mark.daily("proofs")
def test_a_stub_that_says_nothing_is_found(kit, tmp_path):
    made = make(kit)
    silent = made.students["hw5_gan.py"].replace(b"raise NotImplementedError(", b"raise OSError(")
    with pytest.raises(ReleaseError, match=r"does not run by itself|in the words of a stub"):
        proof.visible(replace(made, students={**made.students, "hw5_gan.py": silent}), tmp_path)


@pytest.mark.daily("proofs")
def test_a_solution_that_loses_points_is_found(kit, tmp_path):
    made = make(kit)
    wrong = made.modules["hw5_gan"].replace("nn.MSELoss()", "nn.L1Loss()")
    assert wrong != made.modules["hw5_gan"]
    with pytest.raises(ReleaseError, match=r"ae-gan\.\w+: the solution scores"):
        proof.worth(replace(made, modules={**made.modules, "hw5_gan": wrong}), tmp_path)


@pytest.mark.daily("proofs")
def test_a_release_that_scores_is_found(kit, tmp_path):
    made = make(kit)
    students = {**made.students, "hw5_gan.py": made.modules["hw5_gan"].encode()}
    with pytest.raises(ReleaseError, match=r"ae-gan\.\w+: the release scores"):
        proof.worth(replace(made, students=students), tmp_path)


def test_a_question_that_no_notebook_asks_is_found(spoilt):
    edit(spoilt / "notebooks" / NOTEBOOK, '"ae-gan--loss_generator"', '"ae-gan--loss_other"')
    with pytest.raises(ReleaseError):
        make(spoilt)


def test_a_name_that_the_release_does_not_have_is_found(spoilt, tmp_path):
    edit(spoilt / "notebooks" / NOTEBOOK, "ae_gan_optimizers", "no_such_name")
    made = make(spoilt)
    package.write(made, tmp_path)
    with pytest.raises(ReleaseError, match="no_such_name"):
        proof.complete(made, tmp_path)


@pytest.mark.parametrize("name", ["owl.png", "ae-gan-owl.png", "ae-gan--owl.jpg"])
def test_a_picture_must_say_whose_it_is(spoilt, name):
    (spoilt / "notebooks" / "pictures" / name).write_bytes(picture())
    with pytest.raises(ReleaseError, match=r"a picture is called part--what\.png"):
        make(spoilt)


def test_a_text_that_tells_another_parts_answer_is_found(spoilt, tmp_path):
    edit(spoilt / "notebooks" / NOTEBOOK, "=== UNLESS gan-theory.3a ===", "=== IF ae-gan ===")
    proof.untold(make(spoilt), tmp_path)
    with pytest.raises(ReleaseError, match=r"cell ae-gan--intro tells the answer of gan-theory"):
        proof.untold(make(spoilt, PART, "gan-theory"), tmp_path)


def test_a_reference_that_leads_nowhere_is_found(spoilt, tmp_path):
    edit(spoilt / "notebooks" / NOTEBOOK, "## The model", "## The model of 3(a)")
    with pytest.raises(ReleaseError, match=r"cell ae-gan--intro, refers to '3\(a\)'"):
        proof.found(make(spoilt), tmp_path)


def test_a_notebook_that_loses_a_part_is_called_after_the_other(kit):
    (alone,) = make(kit, "conv-gan").kept
    assert alone.title == "A small convolutional GAN"
    assert alone.cells[0].source.startswith("# A small convolutional GAN\n")
    (both,) = make(kit, "conv-gan", "gan-theory").kept
    assert both.title == "What a GAN minimises, and a small convolutional one"
