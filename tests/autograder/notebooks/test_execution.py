"""Notebooks that run again: what is reported, what is compared, and what a hostile one can do.

Hostile notebooks run in the sandbox alone, and each of their attacks is bounded by itself.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from autograder import __main__ as command_line
from autograder.export import execution as exported
from autograder.intake.submissions import Handin
from autograder.notebooks import execution
from autograder.notebooks.execution import ExecutionReport, NotebookReport, execute
from autograder.sandbox import kernel
from autograder.sandbox.kernel import Allowance
from autograder.sandbox.zygote import SandboxError
from tests.autograder.attacks import lacking
from tests.processes import left_running

SHORT = Allowance(cell=60, notebook=300)


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        lacking("notebooks run in namespaces alone, which bubblewrap makes")


def printing(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]


def notebook(*cells: str | tuple[str, list[dict[str, Any]]]) -> bytes:
    """A notebook of code cells, each a source or a source with its outputs."""
    made = [(cell, []) if isinstance(cell, str) else cell for cell in cells]
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{place}",
            "metadata": {},
            "execution_count": None,
            "source": source,
            "outputs": outputs,
        }
        for place, (source, outputs) in enumerate(made, 1)
    ]
    text = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Work"}
    return json.dumps(
        {"cells": [text, *code], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def ran(*cells: Any, full: bool = False, allowance: Allowance = SHORT, **files: bytes) -> Any:
    """The report on one submission that consists of one notebook and these modules."""
    modules = {f"{name}.py": data for name, data in files.items()}
    handin = Handin("ada", ("ada",), {"work.ipynb": notebook(*cells), **modules})
    report = execute(handin, full, allowance)
    assert len(report.notebooks) == 1
    return report


def states(report: ExecutionReport) -> list[str]:
    return [cell.state for cell in report.notebooks[0].cells]


# --- with quick settings


@pytest.mark.daily("executed notebooks")
def test_a_tidy_notebook_runs_with_quick_settings_beside_the_students_modules():
    report = ran(
        "import os\nassert os.environ['HW5_QUICK'] == '1' and os.environ['HW5_DATA'] == 'digits'",
        "%matplotlib inline\nimport hw5_vae\nassert hw5_vae.answer() == 42",
        "from pathlib import Path\nassert Path('hw5_utils.py').exists()\n"
        "assert Path('hw5_pages/template.typ').exists() and not Path('hw5_gan.py').exists()",
        "from hw5_asked import PARTS\nassert PARTS['fc-vae']['module'] == 'hw5_vae'",
        hw5_vae=b"def answer(): return 42\n",
    )
    assert states(report) == ["ok"] * 4 and report.notebooks[0].stopped == ""
    assert report.notebooks[0].failed == () and "quick settings" in report.settings
    assert {"answers hidden", "no network", "processes bounded"} <= set(report.layers)


def test_a_failing_cell_is_named_with_its_exception_and_the_next_ones_run():
    report = ran("x = 1", "1 / 0", "assert x == 1", "raise NotImplementedError('fc-vae.loss: ...')")
    assert states(report) == ["ok", "error", "ok", "error"]
    said = "\n".join(exported.lines(report))
    assert "2 of 4 cells ran" in said and "ZeroDivisionError: division by zero" in said
    assert "cell 2 (cell-2)" in said and "cell 1" not in said


@pytest.mark.daily("executed notebooks")
def test_endless_cells_are_stopped_and_what_follows_is_not_run():
    endless = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    began = time.monotonic()
    report = ran("x = 1", endless, "x", "x", allowance=Allowance(cell=4, notebook=120))
    assert states(report) == ["ok", "timeout", "timeout", "not run"]
    assert "ran out of time" in report.notebooks[0].stopped
    assert time.monotonic() - began < 240 + kernel.START_SECONDS


HOSTILE = (
    f"""
import ctypes, glob, os, socket
libc = ctypes.CDLL(None, use_errno=True)
for path in ({str(kernel.ROOT / "hw5_vae.py")!r}, {str(Path(kernel.__file__))!r}, "/etc/shadow"):
    try:
        print("READ", open(path).read()[:20])
    except OSError as error:
        print(type(error).__name__)
for folder in ("/", "/kit/inside", "/usr", "/tmp"):
    try:
        open(folder + "/planted", "w").close()
        print("WROTE", folder)
    except OSError as error:
        print(type(error).__name__)
try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
    print("CONNECTED")
except OSError as error:
    print(type(error).__name__)
for family in [*range(64), *(n + (1 << 32) for n in range(64))]:
    made = libc.syscall(41, ctypes.c_long(family), 2, 0)  # as numbers: Python's are 32 bits
    if made != -1 and family & 0xFFFFFFFF not in (1, 2, 10, 16):
        print("REACHED", family)
    elif made == -1 and ctypes.get_errno() != 1 and family not in (1, 2, 10, 16):
        print("ASKED THE KERNEL FOR", family)
    elif made != -1:
        os.close(made)
""",
    """
import os, time
children = []
try:
    while len(children) < 1000:
        pid = os.fork()
        if pid == 0:
            time.sleep(300)
            os._exit(0)
        children.append(pid)
    print("FORKED")
except OSError:
    print("bounded", len(children) < 100)
finally:
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
""",
    "held = bytearray(6 << 30)",
    "print('x' * 1000 + '\\n', end='')\nfor _ in range(20000): print('y' * 1000)",
    "open('large', 'wb').write(bytes(600 << 20))",
)


@pytest.mark.daily("executed notebooks")
def test_a_hostile_notebook_reads_nothing_reaches_nothing_and_stays_within_its_bounds():
    before_us = set(left_running(0))
    cells = [(source, printing("")) for source in HOSTILE]
    handin = Handin("eve", ("eve",), {"work.ipynb": notebook(*cells)})
    found = kernel.run(
        [*HOSTILE], {"work.ipynb": handin.files["work.ipynb"]}, SHORT, {"HW5_QUICK": "1"}
    )
    reads, forks, memory, prints, disk = found.cells
    assert "READ" not in reads.text and "WROTE" not in reads.text
    assert "CONNECTED" not in reads.text and reads.text.count("Error") == 8, reads.text
    assert "REACHED" not in reads.text and "ASKED" not in reads.text, reads.text
    assert forks.text == "bounded True\n"
    assert memory.state == "error" and "MemoryError" in memory.error
    assert prints.cut and len(prints.text) <= kernel.MAX_TEXT
    assert disk.state == "error" and "OSError" in disk.error
    assert [line for line in left_running(3) if line not in before_us] == []


@pytest.mark.daily("executed notebooks")
def test_a_notebook_that_kills_its_kernel_ends_the_run_and_nothing_else():
    report = ran("x = 1", "import os\nos._exit(3)", "x")
    assert states(report)[0] == "ok" and "ok" not in states(report)[1:]
    assert "died" in report.notebooks[0].stopped.lower()


# --- in full


def test_a_full_run_names_cells_whose_numbers_come_out_otherwise():
    report = ran(
        ("import os\nprint('HW5_QUICK' in os.environ, 7)", printing("False 7\n")),
        ("import random\nrandom.seed(1)\nprint(random.random())", printing("0.1343642\n")),
        ("import random\nprint(1 + random.SystemRandom().random())", printing("-3.5\n")),
        ("print('loss 0.250 after 3.2 s')", printing("loss 0.251 after 99.7 s\n")),
        ("print(1, 2)", printing("1 2 3\n")),
        full=True,
    )
    assert states(report) == ["ok"] * 5
    assert [cell.place for cell in report.notebooks[0].different] == [3, 5]
    said = "\n".join(exported.lines(report))
    assert "-3.5" in said and "3 numbers were handed in, the rerun prints 2" in said


def test_a_full_run_names_figures_that_are_others():
    figure = (
        "import base64, zlib, struct\nfrom IPython.display import Image, display\n"
        "def png(shade, side=32):\n"
        "    def chunk(kind, data):\n"
        "        body = kind + data\n"
        "        return struct.pack('>I', len(data)) + body + struct.pack('>I', zlib.crc32(body))\n"
        "    rows = b''.join(b'\\0' + bytes([shade]) * side for _ in range(side))\n"
        "    head = struct.pack('>IIBBBBB', side, side, 8, 0, 0, 0, 0)\n"
        "    return (b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', head)\n"
        "            + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))\n"
    )
    space: dict[str, Any] = {}
    exec(figure.replace("from IPython.display import Image, display\n", ""), space)
    encoded = [space["base64"].b64encode(space["png"](shade)).decode() for shade in (100, 104, 250)]
    shown = [
        [{"output_type": "display_data", "data": {"image/png": one}, "metadata": {}}]
        for one in [*encoded, "bm8gcGljdHVyZQ=="]
    ]
    report = ran(
        figure,
        ("display(Image(png(100)))", shown[0]),
        ("display(Image(png(100)))", shown[1]),
        ("display(Image(png(100)))", shown[2]),
        ("display(Image(png(100)))", shown[3]),
        ("display(Image(png(100)))", []),
        full=True,
    )
    differs = {cell.place: cell.differs[0] for cell in report.notebooks[0].different}
    assert list(differs) == [4, 5, 6]
    assert "another one" in differs[4] and "cannot be read" in differs[5]
    assert "0 figures were handed in" in differs[6]


# --- what is compared


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("loss 1.000", "loss 1.015", True),
        ("loss 1.000", "loss 1.050", False),
        ("0.0001", "0.0007", True),
        ("epoch 3 took 12.5 s", "epoch 3 took 99.1 s", True),
        ("100%|####| 10/10 [00:12<00:00]", "100%|####| 10/10 [01:48<00:00]", True),
        ("1e-3 2", "0.001 2.0", True),
        ("accuracy 0.9", "accuracy nan", False),
        ("1 2", "2 1", False),
        ("hw5_vae v2x", "hw5_gan v3x", True),
    ],
)
def test_numbers_are_compared_and_times_are_not(before: str, after: str, same: bool):
    assert (execution.number_difference(before, after) == "") is same


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b'{"cells": 3}', b'{"cells": [3]}', b"[" * 99999]
)
def test_what_is_no_notebook_is_reported_without_running_anything(
    data: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(kernel, "run", lambda *_: pytest.fail("something was run"))
    report = execute(Handin("ada", ("ada",), {"work.ipynb": data}))
    assert report.notebooks == (
        NotebookReport("work.ipynb", stopped="It is no notebook, or a damaged one."),
    )


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"cell": 0},
        {"cell": 1, "state": "ok", "error": "", "text": "", "pictures": [], "seconds": 1, "cut": 0},
        {"cell": 0, "state": "A", "error": "", "text": "", "pictures": [], "seconds": 1, "cut": 0},
        {"cell": 0, "state": "ok", "error": "", "text": "", "pictures": 3, "seconds": 1, "cut": 0},
        {"cell": 0, "state": "ok", "error": "", "text": "", "pictures": [], "seconds": "NaN"},
    ],
)
def test_what_the_sandbox_says_is_believed_in_its_form_only(line: dict[str, Any]):
    heard = kernel._heard(iter([line]), 1, ())
    assert heard.cells == () and "made no sense" in heard.stopped


def test_what_is_nested_too_deep_to_be_written_makes_no_sense():
    deep: object = "deep"
    for _ in range(100_000):
        deep = [deep]
    cell = {"cell": 0, "state": "ok", "text": "", "pictures": [], "seconds": 1, "cut": 0}
    for line in ({**cell, "error": deep}, {"stopped": deep}):
        heard = kernel._heard(iter([line]), 1, ())
        assert heard.cells == () and "made no sense" in heard.stopped


@pytest.mark.parametrize("said", [["x"], [2], [10**400], [float("nan")], [], None])
def test_a_distance_between_pictures_is_believed_from_0_to_1(said, monkeypatch):
    monkeypatch.setattr(kernel, "lines", lambda *_: (one for one in [{"list": said}]))
    assert kernel.distances([(b"", b"")]) == [None]


@pytest.mark.parametrize("end", ["", "a", "s", ".", ":", " "])
@pytest.mark.parametrize("signs", ["1", "1.", ".", "1:00", "1e", "1 ", "-"])
def test_numbers_without_end_are_soon_read(signs: str, end: str):
    text = signs * (kernel.MAX_TEXT // len(signs)) + end
    before = time.process_time()
    execution.numbers(text)
    assert time.process_time() - before < 1


# --- what is written


def test_the_report_is_written_as_json_and_as_a_page_that_runs_nothing(tmp_path: Path):
    text = "<script>alert(1)</script>\u202e\x1b[31m"
    cell = execution.CellReport(1, text, text, "error", 1.0, text, (text,))
    report = ExecutionReport("ada", True, "Settings.", (NotebookReport(text, (cell,), text),))
    exported.write(report, tmp_path)
    page = (tmp_path / "execution" / "ada.html").read_text(encoding="utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page and "\u202e" not in page
    assert json.loads((tmp_path / "execution" / "ada.json").read_text())["id"] == "ada"
    assert not set("\n".join(exported.lines(report))) & {"\u202e", "\x1b"}


# --- the command line


def test_without_bubblewrap_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="bubblewrap is missing"):
        execute(Handin("ada", ("ada",), {"work.ipynb": notebook("1")}))
    (tmp_path / "hw5_vae.py").write_text("x = 1\n")
    monkeypatch.setattr(command_line, "Bench", lambda plan: pytest.fail("grading began"))
    assert command_line.main(["check", str(tmp_path), "--execute"]) == 2
    assert "apt-get install bubblewrap" in capsys.readouterr().err


def test_full_without_execute_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "hw5_vae.py").write_text("x = 1\n")
    assert command_line.main(["check", str(tmp_path), "--full"]) == 2
    assert "--execute" in capsys.readouterr().err
