"""What the first cell of a notebook does: files, packages, figures and edits."""

from __future__ import annotations

import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest

import hw5_start

CONTENT = {"hw5_start.py": "", "hw5_vae.py": "stub", "pictures/a.png": "picture"}


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def zipped(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def held(folder: Path) -> dict[str, str]:
    """Every file in a folder, and what it says."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in paths}


@pytest.fixture
def content(tmp_path, monkeypatch) -> Path:
    """The folder that a notebook starts in."""
    (tmp_path / "content").mkdir()
    monkeypatch.chdir(tmp_path / "content")
    monkeypatch.setattr(hw5_start, "DRIVE", tmp_path / "content" / "drive")
    monkeypatch.setattr(hw5_start, "KEPT", tmp_path / "content" / "drive" / "MyDrive" / "hw5")
    return tmp_path / "content"


@pytest.fixture
def colab(content, monkeypatch):
    """Colab, with a Drive that can be mounted; the mounts are noted."""
    mounted: list[str] = []

    def mount(folder: str) -> None:
        mounted.append(folder)
        Path(folder, "MyDrive").mkdir(parents=True)

    package = types.ModuleType("google.colab")
    package.drive = types.SimpleNamespace(mount=mount)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.drive", package.drive)
    return mounted


def no_answer(prompt: str) -> str:
    raise AssertionError("it asks")


class TestFiles:
    def test_files_of_your_own_are_never_overwritten(self, tmp_path):
        home = lay(tmp_path / "home", {"hw5_vae.py": "mine", "pictures/b.png": "mine"})
        new = hw5_start.fill(home, lay(tmp_path / "new", CONTENT))
        assert held(home) == CONTENT | {"hw5_vae.py": "mine", "pictures/b.png": "mine"}
        assert sorted(path.name for path in new) == ["a.png", "hw5_start.py"]

    @pytest.mark.parametrize("top", ["", "hw5/", "course/week 5/"])
    def test_the_files_of_a_zip_are_found_wherever_they_are_in_it(self, content, top):
        files = {f"{top}{name}": text for name, text in CONTENT.items()}
        mac = {f"__MACOSX/{top}._hw5_start.py": "", f"__MACOSX/{top}hw5_start.py": ""}
        place = zipped(content / "hw5.zip", mac | files)
        assert hw5_start.settle(place, "ask me") == content
        place.unlink()
        assert held(content) == CONTENT

    def test_outside_of_colab_the_files_stay_where_they_are(self, content, capsys, monkeypatch):
        monkeypatch.setattr("builtins.input", no_answer)
        place = lay(content.parent / "course", CONTENT)
        assert hw5_start.settle(place, "in my Google Drive") == place
        assert Path.cwd() == content and held(content) == {} and not capsys.readouterr().out

    @pytest.mark.parametrize("files", [{}, {"other.py": ""}])
    def test_after_a_change_of_folder_a_sentence_says_where_they_are(self, content, files):
        """Python knows this module then, though none of its files is near."""
        places = [zipped(content / "hw5-other.zip", files)] if files else []
        with pytest.raises(hw5_start.Stop, match="coursework are not here, in ") as stopped:
            hw5_start.begin(places)
        (shown,) = stopped.value._render_traceback_()
        assert f"Go there with %cd {Path(hw5_start.__file__).parent}, and" in shown


class TestColab:
    def test_who_takes_the_machine_can_move_to_the_drive_later(self, content, colab, capsys):
        lay(content, CONTENT | {"sample_data/x.csv": "1", "data/big": "2", ".config/y": "3"})
        (content / "hw5_vae.py").write_text("mine")
        assert hw5_start.settle(content, "ask me") == content and not colab
        assert "on this machine alone.\nThey are lost when" in capsys.readouterr().out
        kept = hw5_start.settle(content, "in my Google Drive")
        assert kept == hw5_start.KEPT == Path.cwd() and colab == [str(content / "drive")]
        assert held(kept) == CONTENT | {"hw5_vae.py": "mine"}
        assert "3 files" in capsys.readouterr().out

    def test_a_drive_that_is_there_is_not_asked_for_again(self, content, colab, monkeypatch):
        monkeypatch.setattr("builtins.input", no_answer)
        lay(hw5_start.KEPT, CONTENT)
        for keep in ("ask me", "in my Google Drive"):
            assert hw5_start.settle(hw5_start.KEPT, keep) == hw5_start.KEPT == Path.cwd()
        assert not colab

    @pytest.mark.parametrize(
        ("answer", "drive"), [("d", True), (" Drive ", True), ("m", False), ("machine", False)]
    )
    def test_an_answer_is_a_word_or_its_beginning(self, monkeypatch, capsys, answer, drive):
        answers = iter(["", "yes", answer])
        monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
        assert hw5_start._asks_for_drive() is drive
        said = capsys.readouterr().out
        assert "Everything on it is lost then: what you have written" in said

    def test_notebooks_that_are_new_in_the_drive_ask_no_more(self, content, colab):
        asks = {"1.ipynb": r'"KEEP_FILES = \"ask me\"  # @param [\"ask me\"]"'}
        lay(hw5_start.KEPT, {"2.ipynb": asks["1.ipynb"]})  # open already, perhaps
        place = zipped(content / "hw5.zip", CONTENT | asks | {"2.ipynb": "new"})
        kept = hw5_start.settle(place, "in my Google Drive")
        knows = r'"KEEP_FILES = \"in my Google Drive\"  # @param [\"ask me\"]"'
        assert held(kept) == CONTENT | {"1.ipynb": knows, "2.ipynb": asks["1.ipynb"]}

    def test_a_drive_that_is_refused_is_a_sentence_with_a_way_out(
        self, content, colab, monkeypatch
    ):
        def mount(folder):
            raise ValueError("mount failed")

        monkeypatch.setattr(sys.modules["google.colab.drive"], "mount", mount)
        place = zipped(content / "hw5.zip", CONTENT)
        with pytest.raises(hw5_start.Stop, match=r"not be opened \(mount failed\)") as stopped:
            hw5_start.settle(place, "in my Google Drive")
        (shown,) = stopped.value._render_traceback_()
        assert "choose “on this machine alone” at KEEP_FILES" in shown and "Traceback" not in shown


class TestPackages:
    @pytest.fixture
    def requirements(self, tmp_path) -> Path:
        return tmp_path / "requirements.txt"

    @pytest.fixture(autouse=True)
    def pip(self, monkeypatch):
        """Nothing is installed; what would be is noted."""
        asked: list[list[str]] = []
        monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command))
        return asked

    def test_where_nothing_lacks_nothing_is_said(self, requirements, capsys, pip):
        requirements.write_text("# heads\ntorch>=2.2  # stays\nx; python_version < '3'\n\n")
        hw5_start.provide(requirements)
        hw5_start.provide(requirements.with_name("none.txt"))
        assert not capsys.readouterr().out and not pip

    def test_what_lacks_is_said_with_the_way_to_it(self, requirements, capsys, pip):
        requirements.write_text("torch>=2.2\nno-such-package>=1\n")
        hw5_start.provide(requirements)
        said = capsys.readouterr().out
        assert "Not installed: no-such-package>=1." in said
        assert f'%pip install -r "{requirements}"' in said and not pip

    def test_without_torch_the_notebook_stops_there(self, requirements, monkeypatch):
        monkeypatch.setattr(hw5_start, "NEEDED", {"no-such-torch"})
        requirements.write_text("no-such-torch>=2.2\n")
        with pytest.raises(hw5_start.Stop, match="Not installed: no-such-torch"):
            hw5_start.provide(requirements)

    def test_colab_installs_what_lacks_and_keeps_its_torch(self, requirements, colab, pip):
        import torch

        requirements.write_text("torch>=2.2\nno-such-package>=1\n")
        hw5_start.provide(requirements)
        (command,) = pip
        assert command[-2:] == ["no-such-package>=1", f"torch=={torch.__version__}"]
