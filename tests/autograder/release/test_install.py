"""What students install: packages, exact versions, and the page for each system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autograder.checking.modules import ROOT
from autograder.release import ReleaseError, install

FILES = install.files(ROOT, "hw5.zip", "")
PAGES = {system: FILES[f"start-{system}.md"] for system in install.SYSTEMS}
LOCAL = ("windows", "macos", "linux")


def names(text: str) -> set[str]:
    """The packages that a file of requirements names."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {Requirement(line).name.lower().replace("_", "-") for line in lines if line}


class TestFiles:
    def test_students_install_the_coursework_and_nothing_of_the_staff(self):
        wanted = names(FILES["requirements.txt"])
        assert {"torch", "torchvision", "matplotlib", "nbconvert", "typst"} <= wanted
        assert not {"nbgrader", "pytest", "ruff"} & wanted

    def test_every_version_that_is_needed_is_held_and_no_other(self):
        held = names(FILES["constraints.txt"])
        assert names(FILES["requirements.txt"]) | {"jupyterlab", "ipykernel", "sympy"} <= held
        assert {"webcolors", "fqdn"} <= held  # asked for as extras, two steps away
        assert not {"nbgrader", "pytest", "ruff", "mypy", "playwright"} & held

    def test_versions_are_the_ones_of_the_project_with_their_markers(self):
        project = (ROOT / "constraints.txt").read_text().splitlines()
        given = FILES["constraints.txt"].splitlines()
        assert given[0].startswith("#") and set(given) <= set(project)
        assert any(line.startswith("torch==") for line in given)

    def test_a_section_that_lacks_is_a_sentence(self, tmp_path):
        (tmp_path / "requirements.txt").write_text("# The report\ntypst\n")
        with pytest.raises(ReleaseError, match="must have the sections The coursework itself and"):
            install.requirements(tmp_path / "requirements.txt")


class TestPages:
    @pytest.mark.parametrize("system", LOCAL)
    def test_a_page_leads_from_nothing_to_an_open_notebook(self, system):
        page = PAGES[system]
        steps = ["hw5.zip", "-m venv .venv", "ctivate", "-r requirements.txt", "jupyter lab"]
        places = [page.index(step) for step in steps]
        assert places == sorted(places)
        assert "HW5_QUICK" in page and "-c constraints.txt" in page and "3.10 to 3.14" in page

    def test_linux_takes_the_torch_without_cuda_before_anything_that_needs_one(self):
        page = PAGES["linux"]
        torch = "pip install torch torchvision --index-url https://download.pytorch.org/whl/cpu"
        assert page.index(torch) < page.index("pip install jupyterlab -r requirements.txt")
        exact = page[page.index("-c constraints.txt") :]
        assert "--extra-index-url https://download.pytorch.org/whl/cpu" in exact
        assert all("download.pytorch.org" not in PAGES[other] for other in ("windows", "macos"))

    @pytest.mark.parametrize("shell", ['$env:HW5_QUICK = "1"', "set HW5_QUICK=1", "activate.bat"])
    def test_windows_knows_both_shells(self, shell):
        assert shell in PAGES["windows"]

    def test_colab_says_first_what_is_lost_and_speaks_of_what_its_cell_has(self):
        assert "everything is\n   lost when Colab takes it back" in PAGES["colab"]
        assert "upload `hw5.zip` with the folder icon on the left" in PAGES["colab"]
        notebook = (ROOT / "notebooks" / "1_bernoulli_vae.ipynb").read_text(encoding="utf-8")
        for name in ("KEEP_FILES", "QUICK_TRY"):
            assert name in PAGES["colab"] and f"{name} = " in notebook

    def test_colab_fetches_from_the_address_where_there_is_one(self):
        page = install.files(ROOT, "hw5.zip", "https://example.edu/hw5.zip")["start-colab.md"]
        assert "fetches the other files from https://example.edu/hw5.zip." in page
        assert "upload `hw5.zip`" not in page

    def test_every_page_is_plain_and_listed(self):
        for page in PAGES.values():
            assert not re.search(r"[{}]|\t", page)
            assert max(map(len, page.splitlines())) <= 100
        assert {f"start-{system}.md" for system in PAGES} == {
            path.name for path in Path(install.__file__).parent.glob("start-*.md")
        }
