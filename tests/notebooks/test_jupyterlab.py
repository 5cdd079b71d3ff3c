"""JupyterLab in a browser: a student runs notebook 3 and hands it in; edits, checks and uses; an
author edits the source."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.assignment import read_assignment
from autograder.release import notebooks
from autograder.release.tidy import tidy
from tests.jupyter import PATIENCE, browsing, serving
from tests.notebooks.running import ROOT, code, errors, pictures, quicker, read, said

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

READY = """
() => {
  const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
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


def run_all(page: Any) -> None:
    from playwright.sync_api import TimeoutError

    for _ in range(3):  # on a busy machine a menu may close before it is clicked
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        with contextlib.suppress(TimeoutError):
            page.locator(".jp-InputPrompt", has_text=re.compile(r"[*\d]")).first.wait_for(
                timeout=1000 * PATIENCE / 4
            )
            break
    # Else it looks at all cells again whenever a frame is drawn: half of what the browser computed.
    page.wait_for_function(ALL_RUN, polling=500, timeout=1000 * RUNNING)


def save(page: Any, file: Path) -> None:
    saved = file.stat().st_mtime_ns
    page.keyboard.press("Control+s")
    for _ in range(2 * PATIENCE):
        if file.stat().st_mtime_ns != saved:
            return
        time.sleep(0.5)
    pytest.fail("the notebook is not saved")


def run_a_cell_and_delete_it(page: Any) -> None:
    """Below the first cell of code, as somebody does who wants to know something."""
    cells = page.locator(".jp-CodeCell")
    before = cells.count()
    cells.first.locator(".jp-InputPrompt").click()
    for key in ("Escape", "b", "Enter"):
        page.keyboard.press(key)
    page.keyboard.type("6 * 7")
    page.keyboard.press("Control+Enter")
    page.locator(".jp-OutputArea-output", has_text="42").first.wait_for()
    for key in ("Escape", "d", "d"):
        page.keyboard.press(key)
    page.wait_for_function(f"document.querySelectorAll('.jp-CodeCell').length == {before}")


def hand_in(page: Any) -> str:
    """Run the last cell; what it says."""
    cell = page.locator(".jp-CodeCell").last
    prompt = cell.locator(".jp-InputPrompt")
    before = prompt.text_content()
    prompt.click()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        """([cell, before]) => {
            const said = cell.querySelector(".jp-InputPrompt").textContent;
            return /\\[\\d+\\]:/.test(said) && said !== before;
        }""",
        arg=[cell.element_handle(), before],
        polling=500,
    )
    return str(cell.locator(".jp-OutputArea").first.text_content())


@pytest.mark.long
@pytest.mark.daily("notebooks in a browser")
def test_a_student_runs_the_notebook_to_its_end_and_hands_it_in(
    lab: str, course: Path, tmp_path: Path
):
    file = course / "notebooks" / NAME
    asked = read_assignment()
    kept = tidy(file.stem, (ROOT / "notebooks" / NAME).read_text(encoding="utf-8"), asked).text
    source = quicker(kept)
    file.write_text(source, encoding="utf-8")
    (course / "netid").write_text("ada1\n")
    with browsing(viewport={"width": 1200, "height": 1000}) as page:
        page.goto(f"{lab}/lab/tree/notebooks/{NAME}")
        page.locator(".jp-CodeCell").first.wait_for()
        page.wait_for_function(READY)
        folded = page.locator(".jp-CodeCell").first.locator(".jp-InputPlaceholder")
        assert folded.inner_text().startswith("# @title Run this cell first")
        run_all(page)  # the first of the notebook's own three steps; its last cell has run with it
        assert page.locator(".jp-RenderedImage img").count() >= 2
        page.locator(".jp-RenderedImage img").first.scroll_into_view_if_needed()
        page.screenshot(path=tmp_path / "lab.png")
        save(page, file)  # the second
        notebook = read(file)
        handed_in = hand_in(page)  # the third
        page.screenshot(path=tmp_path / "handed-in.png")
        run_a_cell_and_delete_it(page)
        before_saving = hand_in(page)
        save(page, file)
        once_more = hand_in(page)

    assert tidy(file.stem, file.read_text(encoding="utf-8"), asked).text == source
    part = asked.part("fc-vae")
    code_earns = sum(one.points for one in part.questions if one.kind == "code")
    earned = f"{code_earns:g} of {part.points:g}"  # quick figures of stand-ins earn nothing
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [(cell.id, errors(cell)) for cell in cells if errors(cell)] == []
    assert sum(bool(pictures(cell)) for cell in cells) >= 2
    assert any("fc-vae" in said(cell) for cell in cells)
    assert (tmp_path / "lab.png").stat().st_size > 10_000
    assert f"{NAME} was not saved after its last cells were run" in said(cells[-1])
    for words in (handed_in, once_more):
        assert "hw5_ada1.zip is ready, for ada1" in words, words
        assert "5 of 5" in words and "quick, stand-in" in words and earned in words, words
    assert f"{NAME} was not saved after its last cells were run" in before_saving
    assert "bundle(anyway=True)" in before_saving
    with zipfile.ZipFile(course / "notebooks" / "hw5_ada1.zip") as archive:
        assert {"netid", "hw5_vae.py", NAME, "hw5.pdf"} <= set(archive.namelist())


STEPS = (
    "%load_ext autoreload\n%autoreload 2\nfrom hw5_utils import begin, check\nbegin();",
    "import hw5_process, hw5_vae, torch\nfrom hw5_vae import reparametrize\n"
    "hw5_process.SECONDS, mine = 8, 7",
    'check("fc-vae.reparametrize");',
    "for draw in (reparametrize, hw5_vae.reparametrize):\n"
    "    z = draw(torch.zeros(99999), torch.full((99999,), 1.3863))\n"
    "    print(mine, round(z.std().item(), 1))",
)
RIGHT = "sigma = torch.exp(logvar / 2)"
EDITS = {  # what stands there instead, what check says of it, and what the notebook then computes
    "sigma = torch.exp(logvar)": ("NOT YET", "7 4.0 7 4.0"),
    "while True: pass": ("(`while True: pass`): still running after 8 seconds", None),
    "sigma = torch.ones(5 * 10**9)": ("there is not enough memory for this", None),
    RIGHT: ("1 of 1 pass", "7 2.0 7 2.0"),
}


@pytest.mark.long
@pytest.mark.daily("notebooks in a browser")
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


SPLIT = """
(number) => {
  const editor = jupyterapp.shell.currentWidget.content.widgets[number].editor;
  editor.setCursorPosition({line: 1, column: 0});
}
"""


@pytest.mark.long
@pytest.mark.daily("notebooks in a browser")
def test_what_an_author_edits_in_lab_is_put_right_by_one_command(lab: str, course: Path):
    file = course / "notebooks" / "5_fc_gan.ipynb"
    shutil.copy(ROOT / "notebooks" / file.name, file)
    before = [cell.id for cell in read(file).cells]
    task, drawing = (before.index(f"fc-gan--{id}") for id in ("discriminator", "pictures--dc"))
    with browsing(viewport={"width": 1200, "height": 1000}) as page:

        def do(command: str, cell: int | None = None) -> None:
            page.evaluate(DO, [f"notebook:{command}", cell])
            page.wait_for_function("window.done")

        page.goto(f"{lab}/lab/tree/notebooks/{file.name}")
        page.wait_for_function(READY)
        do("copy-cell", drawing)
        do("paste-cell-below")
        do("enter-edit-mode", task)
        page.evaluate(SPLIT, task)
        do("split-cell-at-cursor")
        do("insert-cell-below", task + 1)
        do("enter-edit-mode")
        page.keyboard.type("6 * 7")
        do("run-cell")
        save(page, file)

    notebook = read(file)
    assert len(notebook.cells) == len(before) + 3
    assert any(cell.execution_count for cell in code(notebook))
    found = tidy(file.stem, file.read_text(encoding="utf-8"), read_assignment())
    assert found.left == ()
    after = notebooks.parsed(file.stem, found.text, ["fc-gan"])
    names = [cell.id for cell in after.cells]
    assert [name for name in names if name in before] == before
    assert names[task + 1 : task + 3] == ["fc-gan--discriminator--1", "fc-gan--discriminator--2"]
    assert names[drawing + 3] == "fc-gan--pictures--1"
    assert [c.source for c in after.cells] == [c.source for c in notebook.cells]
    assert len(notebooks.write_points(after, read_assignment()).cells) == len(after.cells)
