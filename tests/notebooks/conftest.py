"""A course folder with quick settings, as a notebook's kernel finds it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.notebooks.running import ROOT, modules


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Quick settings, the embedded digits, one thread, and an IPython without a past."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HW5_QUICK", "1")
        patch.setenv("HW5_DATA", "digits")
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        patch.delenv("MPLBACKEND", raising=False)
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory, quick) -> Path:
    """A folder with what students are given, solutions included, and no notebook yet.

    A test copies those that it runs into `notebooks`: what lies there is handed in, page by page.
    """
    folder = tmp_path_factory.mktemp("course")
    for name, text in modules().items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "hw5_pages", folder / "hw5_pages")
    shutil.copytree(
        ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns("*.ipynb")
    )
    return folder
