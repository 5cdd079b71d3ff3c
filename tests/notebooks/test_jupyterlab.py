"""Notebook 3 in JupyterLab, in a browser: a student runs all of it, saves, and reads the file."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.autograder.attacks import lacking
from tests.notebooks.running import code, errors, pictures, read, said

NAME = "3_fc_vae.ipynb"
TOKEN = "a-token-of-this-test"
PATIENCE = 120  # seconds that a busy machine may take for one step
RUNNING = 300  # and for the whole notebook
ALL_RUN = """
() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  const said = prompts.map((one) => one.textContent);
  return said.length > 0 && said.every((text) => /\\[\\d+\\]:/.test(text));
}
"""


@pytest.fixture
def lab(course: Path, tmp_path: Path) -> Iterator[str]:
    """JupyterLab in a student's folder, with settings of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    home = {name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    settings = {"IdentityProvider.token": TOKEN, "LabApp.expose_app_in_browser": True}
    settings |= {"ServerApp.port": port, "ServerApp.port_retries": 0}
    # All cells are in the page at once, as on a large screen; else those out of sight are not.
    overrides = tmp_path / "lab" / "settings"
    overrides.mkdir(parents=True)
    (overrides / "overrides.json").write_text(
        '{"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},'
        ' "@jupyterlab/apputils-extension:notification":'
        ' {"fetchNews": "false", "checkForUpdates": false}}'
    )
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--LabApp.app_settings_dir={overrides}"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    with (tmp_path / "lab.log").open("w") as log:
        running = subprocess.Popen(
            command, cwd=course, env={**os.environ, **home}, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/api/status?token={TOKEN}", running, tmp_path / "lab.log")
            yield address
        finally:
            running.terminate()
            running.wait(timeout=PATIENCE)


def _wait(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(2 * PATIENCE):
        assert running.poll() is None, log.read_text()
        try:
            urlopen(address, timeout=PATIENCE).close()
            return
        except URLError:
            time.sleep(0.5)
    pytest.fail("the server does not answer")


def test_a_student_runs_the_notebook_to_its_end(lab: str, course: Path, tmp_path: Path):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page(
            extra_http_headers={"Authorization": f"token {TOKEN}"},
            viewport={"width": 1200, "height": 1000},
        )
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(f"{lab}/lab/tree/notebooks/{NAME}?token={TOKEN}")
        page.locator(".jp-CodeCell").first.wait_for()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
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
        browser.close()

    notebook = read(course / "notebooks" / NAME)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert [(cell.id, errors(cell)) for cell in cells if errors(cell)] == []
    assert sum(bool(pictures(cell)) for cell in cells) >= 2
    assert any("fc-vae" in said(cell) for cell in cells)
    assert (tmp_path / "lab.png").stat().st_size > 10_000
