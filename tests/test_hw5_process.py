"""A helper process tries the student's code: the session stays as it is, and every check ends."""

from __future__ import annotations

import _thread
import importlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
import torch

import hw5_checks
import hw5_process

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = (ROOT / "hw5_vae.py").read_text(encoding="utf-8")
RIGHT, WRONG = "sigma = torch.exp(logvar / 2)", "sigma = torch.exp(logvar * 1)"  # of one length


@pytest.fixture(scope="module", autouse=True)
def ended():
    """Other tests look for processes that something has left behind."""
    yield
    hw5_process._end_all()


@pytest.fixture
def student(tmp_path, monkeypatch):
    """Write the student's hw5_vae.py into a folder that comes first on the path."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    kept = sys.modules.get("hw5_vae")

    def write(text: str) -> Path:
        (tmp_path / "hw5_vae.py").write_text(text, encoding="utf-8")
        return tmp_path / "hw5_vae.py"

    yield write
    sys.modules.pop("hw5_vae", None)
    if kept:
        sys.modules["hw5_vae"] = kept


def edited(*edits: tuple[str, str]) -> str:
    text = SOLUTION
    for old, new in edits:
        assert text.count(old), f"{old!r} is not in hw5_vae.py"
        text = text.replace(old, new)
    return text


@pytest.fixture
def said(capsys):
    """What a check prints, without its folds."""
    return lambda: " ".join(capsys.readouterr().out.split())


def row(label: str, said: str) -> str:
    """What the table says of a question."""
    return said.partition(f" {label} ")[2].partition(" marked unseen")[0]


def helpers() -> list[int]:
    return [one.process.pid for one in hw5_process._waiting]


class TestTheSession:
    def test_it_stays_as_it_is(self, student, capfd):
        """Its modules, random stream, torch, folder and output, whatever the file does there."""
        sys.modules.pop("hw5_vae", None)
        hack = "import os, sys\nos.chdir('/')\ntorch.tanh = None\ntorch.manual_seed(3)\n"
        hack += "print('mine')\nos.write(1, b'raw')\nos.write(2, b'raw')\n"
        hack += "import hw5_utils\nhw5_utils.check('fc-vae.reparametrize')  # checks itself\n"
        student(SOLUTION + hack)
        folder, tanh, stream = os.getcwd(), torch.tanh, torch.get_rng_state()
        assert hw5_checks.check("fc-vae.reparametrize") is True
        assert "hw5_vae" not in sys.modules
        assert (os.getcwd(), torch.tanh) == (folder, tanh)
        assert torch.equal(torch.get_rng_state(), stream)
        printed = "".join(capfd.readouterr())
        assert "1 of 1 pass" in printed and "mine" not in printed and "raw" not in printed

    def test_the_file_is_read_as_it_is_and_names_imported_before_stay(self, student, monkeypatch):
        """An edit of one length within one second, which cached bytecode does not see."""
        sys.modules.pop("hw5_vae", None)
        file = student(edited((RIGHT, WRONG)))
        times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
        importlib.invalidate_caches()
        module = importlib.import_module("hw5_vae")
        assert Path(module.__file__) == file and Path(module.__cached__).exists()
        monkeypatch.delenv("PYTEST_CURRENT_TEST")
        student(SOLUTION)
        os.utime(file, ns=times)
        assert hw5_checks.check("fc-vae.reparametrize") is True
        first = helpers()
        assert len(first) == 2, "one that has answered, and a spare"
        assert hw5_checks.check("fc-vae.loss") is True
        assert helpers() == first, "the same goes on while nothing changes"
        student(edited((RIGHT, WRONG)))
        os.utime(file, ns=times)
        assert hw5_checks.check("fc-vae.reparametrize") is False
        assert helpers()[0] == first[1], "the spare takes its place after an edit"
        assert sys.modules["hw5_vae"] is module

    def test_the_helper_stands_where_the_session_stands_now(self, tmp_path, monkeypatch, said):
        """Its folder, environment and path, though a spare was started before they changed."""
        folder = tmp_path / "ein Ordner für λ"
        folder.mkdir()
        where = "(os.getcwd(), os.environ['HW5_ODD'], os.environ['MPLBACKEND'], sys.path[0])"
        (folder / "hw5_vae.py").write_text(f"import os, sys\nraise RuntimeError{where}\n")
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HW5_ODD", "half a letter: \udce4")
        monkeypatch.setattr(sys, "path", ["", *sys.path])
        assert hw5_checks.check("fc-vae") is False
        assert repr((str(folder), "half a letter: \udce4", "agg", "")).strip("()") in said()

    def test_without_another_process_a_sentence_names_the_way_out(self, student, monkeypatch, said):
        student(SOLUTION)
        hw5_process._end_all()
        monkeypatch.setattr(sys, "executable", str(ROOT / "no such python"))
        assert hw5_checks.check("fc-vae.reparametrize") is False
        assert "no process can be started. Call one in this session" in said()


class TestEveryCheckEnds:
    @pytest.mark.daily("students' processes")
    def test_what_kills_a_helper_costs_its_own_question(self, student, monkeypatch, said):
        """A loop that prints, 20 GB, a segfault and an exit, and one question that is right."""
        monkeypatch.setattr(hw5_process, "SECONDS", 5)
        student(
            edited(
                (RIGHT, "while True: print('x' * 10**6)"),
                ("z = reparametrize(mu, logvar)", "z = mu"),
                ("return self.decoder(z), mu, logvar", "return torch.ones(5 * 10**9), mu, logvar"),
                ("kl = -0.5 * torch.sum", "import ctypes; ctypes.string_at(0)\n    kl = torch.sum"),
                ("class CVAE(nn.Module):", "def CVAE(*_, **__): os._exit(3)\n\n\nclass Rest:"),
                ("import torch\n", "import os\n\nimport torch\n"),
            )
        )
        assert hw5_checks.check("fc-vae") is False
        out = said()
        assert row("networks", out) == "passed"
        assert "`while True: print('x' * 10**6)`): still running after 5 s" in row(
            "reparametrize", out
        )
        assert "(`return torch.ones(5 * 10**9)" in row("forward", out)
        assert "not enough memory for this (a check may take 3 GB)" in row("forward", out)
        assert "(`import ctypes; ctypes.string_at(0)`): Python itself crashed" in row("loss", out)
        assert "ended Python itself (exit code 3)" in row("cvae", out)
        assert "1 of 5 pass" in out and "Traceback" not in out

    def test_an_import_ends_too(self, student, monkeypatch, said):
        monkeypatch.setattr(hw5_process, "SECONDS", 2)
        student("import torch\n\nwhile True: pass\n")
        assert hw5_checks.check("fc-vae") is False
        out = said()
        assert out.startswith("hw5_vae.py cannot be imported. hw5_vae.py, line 3 (`while True: pa")
        assert "still running after 2 seconds, so it was stopped. Does a loop never end?" in out
        assert 'belongs under `if __name__ == "__main__":`' in out

    def test_where_no_allocation_fails_the_session_looks_on(self, student, monkeypatch, said):
        """Shared memory is bounded by no limit that a process can set for itself."""
        monkeypatch.setattr(hw5_process, "MEMORY", 2**28)
        student(
            "import mmap\n\nheld = mmap.mmap(-1, 2**29)\n"
            "for _ in range(2**9):\n    held.write(bytes(2**20))\nwhile True: _ += 1\n"
        )
        assert hw5_checks.check("fc-vae") is False
        out = said()
        assert re.search(r"hw5_vae.py, line [456] \(`.*`\): takes more than 0.25 GB", out), out

    def test_an_interrupt_ends_it_at_once_with_a_sentence(self, student, said):
        student("while True:\n    try: input()\n    except EOFError: pass\n")
        threading.Timer(3, _thread.interrupt_main).start()
        began = time.monotonic()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # xdist ignores it
        try:
            assert hw5_checks.check("fc-vae") is False
        finally:
            signal.signal(signal.SIGINT, before)
        assert time.monotonic() - began < 20
        assert "Stopped by you." in said()
        assert all(one.seen is None for one in hw5_process._waiting), "only a spare is left"


@pytest.mark.daily("students' processes")
def test_helpers_end_with_the_session_and_hold_no_output_of_it(tmp_path):
    """However it ends: this one is killed while a helper works and a spare waits."""
    (tmp_path / "hw5_vae.py").write_text(f"{SOLUTION}\ndef loss_function(*_):\n    while True: 1\n")
    script = f"""
import os, sys, threading
sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]
from hw5_utils import check
check("fc-vae.reparametrize")
import hw5_process
print("helpers", *[one.process.pid for one in hw5_process._waiting], flush=True)
threading.Timer(1, os.kill, (os.getpid(), 9)).start()
check("fc-vae.loss")
"""
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    pids = [int(pid) for pid in re.search(r"^helpers (\d+) (\d+)$", ran.stdout, re.M).groups()]
    assert ran.returncode == -9
    ends = time.monotonic() + 30
    while any(map(running, pids)) and time.monotonic() < ends:
        time.sleep(0.1)
    assert not any(map(running, pids))


def running(pid: int) -> bool:
    """Whether a process is at work; one that has ended may stay listed where nobody reaps it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
