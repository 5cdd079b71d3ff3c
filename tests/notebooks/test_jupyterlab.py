"""JupyterLab in a browser: a student runs notebook 3 and saves it; edits, checks and uses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.jupyter import PATIENCE, browsing, serving
from tests.notebooks.running import code, errors, pictures, read, said

NAME = "3_fc_vae.ipynb"
RUNNING = 300  # seconds that a busy machine may take for the whole notebook
ALL_RUN = """
() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  const said = prompts.map((one) => one.textContent);
  return said.length > 0 && said.every((text) => /\\[\\d+\\]:/.test(text));
}
"""

READY = """
() => {
  const session = jupyterapp.shell.currentWidget?.sessionContext;
  return session?.isReady && session.session?.kernel?.status === "idle";
}
"""
DO = """
([command, cell]) => {
  window.done = false;
  if (cell !== null) jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
  jupyterapp.commands.execute(command).then(() => { window.done = true; });
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
        page.wait_for_function(READY)
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


STEPS = (
    "%load_ext autoreload\n%autoreload 2\nfrom hw5_utils import begin, check\nbegin();",
    "import hw5_process, hw5_vae, torch\nfrom hw5_vae import reparametrize\n"
    "hw5_process.SECONDS, mine = 5, 7",
    'check("fc-vae.reparametrize");',
    "for draw in (reparametrize, hw5_vae.reparametrize):\n"
    "    z = draw(torch.zeros(99999), torch.full((99999,), 1.3863))\n"
    "    print(mine, round(z.std().item(), 1))",
)
RIGHT = "sigma = torch.exp(logvar / 2)"
EDITS = {  # what stands there instead, what check says of it, and what the notebook then computes
    "sigma = torch.exp(logvar)": ("NOT YET", "7 4.0 7 4.0"),
    "while True: pass": ("(`while True: pass`): still running after 5 seconds", None),
    "sigma = torch.ones(5 * 10**9)": ("there is not enough memory for this", None),
    RIGHT: ("1 of 1 pass", "7 2.0 7 2.0"),
}


def test_a_student_edits_checks_and_uses_before_and_after_a_restart(lab: str, course: Path):
    cells = [new_code_cell(step) for step in STEPS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(new_notebook(cells=cells, metadata=kernel), course / "check.ipynb")
    text = (course / "hw5_vae.py").read_text(encoding="utf-8")

    def edit(line: str) -> tuple[str, str | None]:
        (course / "hw5_vae.py").write_text(text.replace(RIGHT, line), encoding="utf-8")
        return EDITS[line]

    with browsing(viewport={"width": 1200, "height": 1000}) as page:

        def run(number: int) -> str:
            """Run one cell to its end; what stands below it then."""
            page.evaluate(DO, ["notebook:run-cell", number])
            page.wait_for_function("window.done")
            below = page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output")
            return " ".join(" ".join(below.all_inner_texts()).split())

        def edit_check_use(*lines: str) -> None:
            run(0)
            run(1)
            for line in lines:
                said_of_it, used = edit(line)
                assert said_of_it in run(2)
                assert used is None or run(3) == used

        try:
            page.goto(f"{lab}/lab/tree/check.ipynb")
            page.wait_for_function(READY)
            edit_check_use(*EDITS)
            page.evaluate(DO, ["kernelmenu:restart", None])
            page.locator(".jp-Dialog .jp-mod-accept").click()
            page.wait_for_function("window.done")
            page.wait_for_function(READY)
            edit_check_use("sigma = torch.exp(logvar)", RIGHT)
        finally:
            edit(RIGHT)
