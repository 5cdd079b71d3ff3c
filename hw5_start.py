"""Given to students: what the first cell of a notebook does before anything else can be imported.

It settles where the files are kept, unpacks those that are not there yet, looks for packages that
are not installed, and lets figures and edits show. Only Python and Jupyter are needed for that.
Files of your own are never overwritten.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

DRIVE = Path("/content/drive")  # where Colab shows a Google Drive
KEPT = DRIVE / "MyDrive" / "hw5"  # the folder in it that is ours
STAYS = ("drive", "sample_data", "data")  # folders that are Colab's own, or fetched again
MODULE = "hw5_start.py"
NEEDED = {"torch", "numpy", "matplotlib"}  # without these nothing runs at all
ASK, IN_DRIVE = "ask me", "in my Google Drive"  # answers in the form of the cell

QUESTION = """\
Where shall your files be kept?

  drive     in your Google Drive, in the folder hw5. What you write and train is there
            again when you come back. Google asks whether this notebook may open it.
  machine   on the machine that Colab lends you, and nowhere else. Colab takes it back
            when you have been away for an hour or two, and after twelve hours at the
            latest. Everything on it is lost then: what you have written in hw5_vae.py
            and hw5_gan.py, trained models, figures.
"""


class Stop(Exception):
    """The notebook cannot go on. It shows this sentence and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def begin(places: Sequence[Path], keep: str = "ask me", quick: bool = False) -> bool:
    """Make ready what the notebook needs; whether it shall use quick settings.

    places: folders where the files lie, or zips that hold them. keep: where Colab shall keep
    them; it counts nowhere else. quick: whether quick settings are asked for.
    """
    place = next((place for place in places if place.is_dir() or _holds_us(place)), None)
    if place is None:  # this module was found in an earlier run of the cell, before a %cd
        there = Path(__file__).resolve().parent
        raise Stop(
            f"The files of the coursework are not here, in {Path.cwd()}; they are in {there}. Go "
            f"there with %cd {there}, and run this cell again."
        )
    home = settle(place, keep)
    passing = {str(place / top) for place in places for top in ("", "hw5")} | {str(home)}
    sys.path[:] = [str(home), *(path for path in sys.path if path not in passing)]
    provide(home / "requirements.txt")
    show_figures_and_edits()
    # What a Mac's GPU cannot do, the CPU does then. It must be set before torch is imported.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    import hw5_utils

    return hw5_utils.begin(quick)


# --- where the files are


def settle(place: Path, keep: str) -> Path:
    """The folder where the student's files are kept, with all that is in `place`, a folder or a
    zip. In Colab it becomes the current folder."""
    colab = in_colab()
    home = place if place.is_dir() else Path.cwd()
    if colab and (keep == IN_DRIVE or (home != place and keep == ASK and _asks_for_drive())):
        home = _folder_in_drive()
    if home != place:
        new = fill(home, place if place.is_dir() else _top(zipfile.ZipFile(place)))
        print(f"{len(new)} files of the coursework were put into {home}.")
        if home == KEPT:
            _remember(new)
    if colab:
        os.chdir(home)
        _say_where(home, keep)
    return home


def in_colab() -> bool:
    """Does the notebook run in Google Colab?"""
    try:
        import google.colab  # noqa: F401
    except ImportError:
        return False
    return True


def fill(home: Path, source: Path | zipfile.Path) -> list[Path]:
    """Copy into `home` what it lacks of a folder, or of a folder in a zip; the new files."""
    new: list[Path] = []
    for entry in source.iterdir():
        target = home / entry.name
        if entry.is_dir() and not entry.name.startswith((".", "__")) and entry.name not in STAYS:
            target.mkdir(exist_ok=True)
            new += fill(target, entry)
        elif entry.is_file() and not target.exists():
            target.write_bytes(entry.read_bytes())
            new.append(target)
    return new


def _remember(files: Sequence[Path]) -> None:
    """Notebooks that are new in the Drive need not ask: they know that the files are there."""
    for file in files:
        if file.suffix == ".ipynb":
            text = file.read_text(encoding="utf-8")
            text = text.replace(f'KEEP_FILES = \\"{ASK}\\"', f'KEEP_FILES = \\"{IN_DRIVE}\\"')
            file.write_text(text, encoding="utf-8")


def _holds_us(place: Path) -> bool:
    return any(Path(name).name == MODULE for name in zipfile.ZipFile(place).namelist())


def _top(archive: zipfile.ZipFile) -> zipfile.Path:
    """The folder in a zip where the files are."""
    names = [name for name in archive.namelist() if Path(name).name == MODULE]
    return zipfile.Path(archive, min(names, key=len).removesuffix(MODULE))


def _asks_for_drive() -> bool:
    """Ask where the files shall be kept; where nobody can answer, they stay on the machine."""
    from IPython.display import clear_output

    print(QUESTION)
    while True:
        try:
            answer = input("drive or machine? ").strip().lower()
        except (EOFError, NotImplementedError):  # so says a notebook that runs by itself
            print("Nobody is here to answer, so the files stay on this machine.")
            return False
        if answer and ("drive".startswith(answer) or "machine".startswith(answer)):
            clear_output()
            return "drive".startswith(answer)


def _folder_in_drive() -> Path:
    from google.colab import drive

    try:
        if not KEPT.parent.exists():
            drive.mount(str(DRIVE))
        KEPT.mkdir(exist_ok=True)
    except Exception as error:  # Google says no in many ways
        raise Stop(
            f"Your Google Drive could not be opened ({error}). Run this cell again and say yes to "
            "Google, or choose “on this machine alone” at KEEP_FILES, in the form of this cell."
        ) from None
    return KEPT


def _say_where(home: Path, keep: str) -> None:
    if DRIVE not in home.parents:
        print(f"Your files are in {home} (the folder icon on the left), on this machine alone.")
        print(f"They are lost when Colab takes it back. To move them, choose “{IN_DRIVE}”")
        print("at KEEP_FILES above, and run this cell again.")
    else:
        print(f"Your files are kept in {home} (the folder icon on the left).")
    if DRIVE in home.parents and keep != IN_DRIVE:
        print("Open the next notebooks from there, in Google Drive: they do not ask again.")
        print(f"For this one, choose “{IN_DRIVE}” at KEEP_FILES above.")


# --- packages, figures and edits


def provide(requirements: Path) -> None:
    """Look for the packages that are needed. In Colab those that lack are installed, and the torch
    that is there stays; elsewhere a sentence says how to install them."""
    lacking = list(_lacking(requirements))
    if lacking and in_colab():
        print(f"Colab lacks {', '.join(lacking)}: installing, half a minute.")
        there = next(importlib.metadata.distributions(name="torch"), None)
        torch = [f"torch=={there.version}"] if there else []
        command = [sys.executable, "-m", "pip", "install", "--quiet", *lacking, *torch]
        subprocess.run(command, check=False)
        lacking = list(_lacking(requirements))
    if not lacking:
        return
    sentence = f"Not installed: {', '.join(lacking)}. README.md says how, for your system; or run "
    sentence += f'%pip install -r "{requirements}" in a cell, and restart the kernel.'
    if NEEDED & {re.split(r"[^\w.-]", line)[0] for line in lacking}:
        raise Stop(sentence)
    print(sentence)


def _lacking(requirements: Path) -> Iterator[str]:
    """The lines of requirements.txt whose packages are not installed."""
    from packaging.requirements import Requirement

    text = requirements.read_text(encoding="utf-8") if requirements.exists() else ""
    for line in (line.partition("#")[0].strip() for line in text.splitlines()):
        if line:
            wanted = Requirement(line)
            try:
                importlib.metadata.version(wanted.name)
            except importlib.metadata.PackageNotFoundError:
                if wanted.marker is None or wanted.marker.evaluate():
                    yield line


def show_figures_and_edits() -> None:
    """In a notebook, figures appear below their cell, and modules that are edited load anew."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.extension_manager.load_extension("autoreload")
        shell.run_line_magic("autoreload", "2")
        shell.run_line_magic("matplotlib", "inline")
