"""Runs a notebook in a Jupyter kernel, inside the sandbox, and tells of each cell how it ended.

One line of JSON comes in on descriptor 0 (files, settings); lines of JSON go out on descriptor 1:
first what attacks on the sandbox succeeded, then one a cell, as it ends. The kernel is a process of
the student's, and so is whatever it starts; what is said here is data for a report, never a mark.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from . import alone
from .alone import LONGEST_MESSAGE
from .outputs import pictures, printed

STARTUP_SECONDS = 60


def main() -> None:
    """Confine ourselves, say how well, then run the cells one by one until something ends it."""
    settings, say = alone.begin()
    try:
        for ended in _run(settings):
            say(ended)
    except DeadKernelError:
        say({"stopped": "The kernel died."})
    except Exception as error:
        say(alone.stopped(error))


def _run(settings: dict[str, Any]) -> Any:
    """Lay out the files, run every cell in its turn; yields how each one ended."""
    work = alone.lay_out(settings)
    environment = {**os.environ, **settings["environment"]}
    # Set, it would keep figures from the notebook.
    environment.pop("MPLBACKEND", None)
    sources = settings["cells"]
    new_cell: Any = nbformat.v4.new_code_cell
    new_notebook: Any = nbformat.v4.new_notebook
    notebook = new_notebook(cells=[new_cell(s) for s in sources])
    manager = AsyncKernelManager()
    command = [sys.executable, "-B", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=command, language="python", display_name="Python")
    client = Client(notebook, km=manager, startup_timeout=STARTUP_SECONDS)
    late = 0
    with client.setup_kernel(cwd=str(work), env=environment, cleanup_kc=True):
        for index, cell in enumerate(notebook.cells):
            ended = client.ran(cell, index, settings["seconds"], settings["room"])
            yield ended
            late = late + 1 if ended["state"] == "timeout" else 0
            if late == 2:
                # Interrupting did not help.
                yield {"stopped": "Two cells in a row ran out of time."}
                return


class Client(NotebookClient):
    """A client that keeps of a cell's output what there is room for, and raises for no error."""

    def ran(self, cell: Any, index: int, seconds: float, room: int) -> dict[str, Any]:
        """Run one cell for at most so many seconds, and keep at most `room` bytes of output."""
        self._room = room
        self._reply: dict[str, Any] = {}
        self.timeout = max(1, round(seconds))
        self.interrupt_on_timeout = True
        self.error_on_timeout = {"ename": "Timeout", "evalue": "", "traceback": []}
        began = time.monotonic()
        self.execute_cell(cell, index)
        content = self._reply.get("content", {})
        state = "error" if content.get("status") == "error" else "ok"
        if content.get("ename") == "Timeout" and not content.get("traceback"):
            state = "timeout"
        return {
            "cell": index,
            "state": state,
            "seconds": round(time.monotonic() - began, 2),
            "error": f"{content.get('ename', '')}: {content.get('evalue', '')}"[:LONGEST_MESSAGE]
            if state == "error"
            else "",
            "text": printed(cell.outputs),
            "pictures": pictures(cell.outputs),
            "cut": self._room < 0,
        }

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Leave out output that there is no room for."""
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data"):
            content = msg["content"]
            self._room -= len(content.get("text", "")) + sum(
                len(data) for data in content.get("data", {}).values() if isinstance(data, str)
            )
            if self._room < 0:
                return None
        return super().process_message(msg, cell, cell_index)

    async def _check_raise_for_error(self, cell: Any, cell_index: int, exec_reply: Any) -> None:
        self._reply = exec_reply or {}
