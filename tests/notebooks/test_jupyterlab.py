"""Notebook 3 in JupyterLab, in a browser: a student runs all of it, saves, and reads the file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jupyter import PATIENCE, browsing, serving
from tests.notebooks.running import code, errors, pictures, read, said

NAME = "3_fc_vae.ipynb"
RUNNING = 300  # seconds that a busy machine may take for the whole notebook
# A folded cell shows no prompt.
ALL_RUN = """
() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  const said = prompts.map((one) => one.textContent).filter((text) => text);
  return said.length > 0 && said.every((text) => /\\[\\d+\\]:/.test(text));
}
"""


@pytest.fixture
def lab(course: Path, tmp_path: Path) -> Iterator[str]:
    """JupyterLab in a student's folder, with settings of its own."""
    # All cells are in the page at once, as on a large screen; else those out of sight are not.
    overrides = tmp_path / "lab" / "settings"
    overrides.mkdir(parents=True)
    (overrides / "overrides.json").write_text(
        '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},'
        ' "@jupyterlab/apputils-extension:notification":'
        ' {"fetchNews": "false", "checkForUpdates": false}}'
    )
    arguments = [f"--LabApp.app_settings_dir={overrides}", "--LabApp.expose_app_in_browser=True"]
    with serving("jupyterlab", arguments, course, tmp_path) as address:
        yield address


def test_a_student_runs_the_notebook_to_its_end(lab: str, course: Path, tmp_path: Path):
    with browsing(viewport={"width": 1200, "height": 1000}) as page:
        page.goto(f"{lab}/lab/tree/notebooks/{NAME}")
        page.locator(".jp-CodeCell").first.wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
        folded = page.locator(".jp-CodeCell").first.locator(".jp-InputPlaceholder")
        assert folded.inner_text().startswith("# @title Run this cell first")
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_function(ALL_RUN, timeout=1000 * RUNNING)
        assert page.locator(".jp-RenderedImage img").count() >= 2
        page.locator(".jp-RenderedImage img").first.scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "lab.png")
        saved = (course / "notebooks" / NAME).stat().st_mtime_ns
        page.keyboard.press("Control+s")
        for _ in range(2 * PATIENCE):
            if (course / "notebooks" / NAME).stat().st_mtime_ns != saved:
                break
            time.sleep(0.5)

    notebook = read(course / "notebooks" / NAME)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [(cell.id, errors(cell)) for cell in cells if errors(cell)] == []
    assert sum(bool(pictures(cell)) for cell in cells) >= 2
    assert any("fc-vae" in said(cell) for cell in cells)
    assert (tmp_path / "lab.png").stat().st_size > 10_000
