"""Edit, check, edit, check, use: a notebook follows the file, and says what stopped a cell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tests.notebooks.running import ROOT, code, errors, modules, read, said

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

    def show(self, source: str) -> tuple[str, str]:
        """What a cell prints, and the traceback that it shows."""
        cell = new_code_cell(source)
        self.client.nb.cells.append(cell)
        self.client.execute_cell(cell, len(self.client.nb.cells) - 1)
        return said(cell), re.sub(r"\x1b\[[\d;]*m", "", "".join(errors(cell)))

    def run(self, source: str) -> str:
        printed, traceback = self.show(source)
        assert not traceback, traceback
        return printed

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
    for name, text in modules().items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    @contextmanager
    def begun() -> Iterator[Session]:
        client = NotebookClient(new_notebook(), kernel_name="python3", timeout=300)
        client.allow_errors = True
        with client.setup_kernel(cwd=str(tmp_path)):
            yield Session(client, tmp_path)

    return begun


@pytest.mark.daily("check in a notebook")
def test_a_notebook_goes_on_with_what_the_file_says_now(sitting):
    """From unwritten over wrong to right and back, with a check after an edit, or none."""
    with sitting() as session:
        session.edit(STUB)
        session.run(SETUP)
        session.run(IMPORT)
        session.use(STUB)
        session.check(STUB)
        for line in (WRONG, RIGHT):
            session.edit(line)
            session.check(line)
            session.use(line)
        session.edit(WRONG)
        session.use(WRONG)
        session.check(WRONG)
    with sitting() as session:
        session.run(SETUP)
        session.check(WRONG)
        session.run(IMPORT)
        session.edit(RIGHT)
        session.check(RIGHT)
        session.use(RIGHT)


DRAW = "reparametrize(torch.zeros(2), torch.zeros(2))"


@pytest.mark.daily("check in a notebook")
def test_a_cell_that_stops_says_why_and_where(sitting):
    """After several edits, a line that does not load, exits, and names that nobody has made."""
    with sitting() as session:
        shutil.copytree(ROOT / "notebooks", session.folder / "notebooks")
        cells = {cell.id: cell.source for cell in code(read(ROOT / "notebooks/3_fc_vae.ipynb"))}
        session.run('import os\nos.environ["JPY_SESSION_NAME"] = "notebooks/3_fc_vae.ipynb"')
        session.run(SETUP)
        session.run(IMPORT)
        first = TEXT[: TEXT.index(RIGHT)].count("\n") + 1
        for more in (2, 4, 3):
            session.edit("# more\n    " * more + "sigma = 1 / 0")
            shown = session.show(DRAW)[1]
            assert f"hw5_vae.py:{first + more}, in reparametrize" in shown, shown
            assert f"--> {first + more} sigma = 1 / 0" in shown, shown

        session.edit("sigma = = 1")
        for _ in range(2):
            printed, shown = session.show(DRAW)
            assert f"WARNING: hw5_vae.py, line {first} (`sigma = = 1`): SyntaxError" in printed
            assert "goes on with the last version" in printed and "Traceback" not in printed
            assert f"--> {first + 3} sigma = 1 / 0" in shown and "autoreload" not in shown

        for line in ("raise SystemExit", "quit()"):
            session.edit(line)
            printed, shown = session.show(DRAW)
            assert f"hw5_vae.py, line {first} (`{line}`): " in printed
            assert "Python itself. A notebook goes on" in printed and "File" not in shown

        session.edit(RIGHT)
        assert session.run(cells["fc-vae--cvae_training--look"]).startswith("`look` is not there")
        for own in ("devise + 1", "def own():\n    return devise\nown()"):
            assert "NameError: name 'devise' is not defined" in session.show(own)[1]
        session.edit("vae")
        printed, shown = session.show(DRAW)
        assert not printed and f"--> {first} vae" in shown, "a name in the student's own code"

        empty = "from hw5_gan import samples_by_epoch\nfrom hw5_utils import Gallery"
        session.run(empty)
        shown = session.show("samples_by_epoch(Gallery())")[1]
        assert shown.startswith("There are no samples yet: run the cell that trains"), shown
