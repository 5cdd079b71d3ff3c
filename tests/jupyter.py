"""Starts a Jupyter server for a test, and a browser that may use it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests.autograder.attacks import lacking

TOKEN = "a-token-of-this-test"
AUTHORIZED = {"Authorization": f"token {TOKEN}"}
PATIENCE = 120  # seconds that a busy machine may take for one step


@contextmanager
def serving(
    module: str, arguments: Sequence[str], folder: Path, home: Path, **environment: str
) -> Iterator[str]:
    """The address of a server in `folder` that keeps its settings and its log in `home`."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    homes = {name: str(home) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    command = [sys.executable, "-m", module, "--no-browser", "--allow-root", *arguments]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={TOKEN}"]
    with (home / "server.log").open("w") as log:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **homes, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/api/status", running, home / "server.log")
            yield address
        finally:
            running.terminate()
            running.wait(timeout=PATIENCE)


def _wait(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(2 * PATIENCE):
        assert running.poll() is None, log.read_text()
        try:
            asked(address)
            return
        except URLError:
            time.sleep(0.5)
    pytest.fail("the server does not answer")


def asked(address: str, method: str = "GET") -> bytes:
    """What the server answers to whoever has the token."""
    with urlopen(Request(address, method=method, headers=AUTHORIZED), timeout=PATIENCE) as answer:
        return bytes(answer.read())


@contextmanager
def browsing(**page: Any) -> Iterator[Any]:
    """A page of headless Chromium that has the token and patience."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        lacking("there is no Chromium here")
    from playwright.sync_api import sync_playwright

    flags = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
    flags += ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*flags])
        opened = browser.new_page(extra_http_headers=AUTHORIZED, **page)
        opened.set_default_timeout(1000 * PATIENCE)
        yield opened
        browser.close()
