"""Edit, check, edit, check, use: what a notebook has imported follows the file all the while."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.running import ROOT, errors, said

SETUP = "%load_ext autoreload\n%autoreload 2\nfrom hw5_utils import begin, check\nbegin();"
IMPORT = "import torch\nimport hw5_vae\nfrom hw5_vae import reparametrize\nmine = 7"
CHECK = 'check("fc-vae.reparametrize");'
USE = """
for draw in (reparametrize, hw5_vae.reparametrize):
    print(mine, round(draw(torch.zeros(99999), torch.full((99999,), 1.3863)).std().item(), 1))
"""
TEXT = (ROOT / "hw5_vae.py").read_text(encoding="utf-8")
RIGHT = "sigma = torch.exp(logvar / 2)"
WRONG = "sigma = torch.exp(logvar)"
STUB = 'raise NotImplementedError("fc-vae.reparametrize: write reparametrize (A title).")'
SAID = {RIGHT: ("passed", "7 2.0\n7 2.0\n"), WRONG: ("NOT YET", "7 4.0\n7 4.0\n")}
SAID[STUB] = ("fc-vae.reparametrize: write", "Not yet. fc-vae.reparametrize: write")


class Session:
    """A notebook whose cells are run one at a time while a student edits the file beside it."""

    def __init__(self, client: NotebookClient, folder: Path) -> None:
        self.client, self.folder = client, folder

    def run(self, source: str) -> str:
        cell = new_code_cell(source)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        assert not errors(cell), errors(cell)[0]
        return said(cell)

    def edit(self, line: str) -> None:
        assert TEXT.count(RIGHT) == 1
        (self.folder / "hw5_vae.py").write_text(TEXT.replace(RIGHT, line), encoding="utf-8")

    def check(self, line: str) -> None:
        assert SAID[line][0] in " ".join(self.run(CHECK).split())

    def use(self, line: str) -> None:
        assert self.run(USE).startswith(SAID[line][1])


@pytest.fixture
def sitting(tmp_path: Path, quick) -> Callable[[], AbstractContextManager[Session]]:
    """Begins to work on the notebook in a fresh kernel, as after a restart."""
    for module in ROOT.glob("hw5_*.py"):
        shutil.copy(module, tmp_path)

    @contextmanager
    def begun() -> Iterator[Session]:
        client = NotebookClient(new_notebook(), kernel_name="python3", timeout=300)
        client.allow_errors = True
        with client.setup_kernel(cwd=str(tmp_path)):
            yield Session(client, tmp_path)

    return begun


def test_a_notebook_goes_on_with_what_the_file_says_now(sitting):
    """From unwritten over wrong to right and back, with a check after an edit, or none."""
    with sitting() as session:
        session.edit(STUB)
        session.run(SETUP)
        session.run(IMPORT)
        session.use(STUB)
        session.check(STUB)
        for line in (WRONG, RIGHT, WRONG):
            session.edit(line)
            session.check(line)
            session.use(line)
        session.edit(RIGHT)
        session.use(RIGHT)
        session.check(RIGHT)
    with sitting() as session:
        session.run(SETUP)
        session.check(RIGHT)
        session.run(IMPORT)
        for line in (WRONG, RIGHT):
            session.edit(line)
            session.check(line)
            session.use(line)
