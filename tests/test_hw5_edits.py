"""A session goes on with what the files say now, and says so while one does not load."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path

import pytest

import hw5_edits

FIRST = """\
def answer():
    return 1

def stops():
    return 1 / 0

class Model:
    size = 1

    def forward(self):
        return "old"
"""


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A folder with a hw5_vae.py that is imported and followed; the module, and how to edit it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(hw5_edits, "_running", {})
    monkeypatch.setattr(hw5_edits, "_broken", {})
    monkeypatch.setattr(hw5_edits, "_gone", {})
    kept = {name: sys.modules.pop(name, None) for name in ("hw5_vae", "hw5_gan")}
    file = tmp_path / "hw5_vae.py"

    def edit(text: str) -> None:
        """Within the second of the last edit, as a notebook that runs by itself may be fast."""
        file.write_text(text)
        os.utime(file, (1e9, 1e9))
        hw5_edits.look()

    file.write_text(FIRST)
    os.utime(file, (1e9, 1e9))
    importlib.invalidate_caches()
    module = importlib.import_module("hw5_vae")
    assert Path(module.__file__) == file
    hw5_edits.look()
    yield module, edit
    sys.modules.pop("hw5_vae", None)
    sys.modules.update({name: module for name, module in kept.items() if module})


def line_of(function) -> tuple[int, str]:
    """Where a function that stops does so, as it is shown."""
    try:
        function()
    except ZeroDivisionError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return frame.lineno, frame.line


class TestWhatLoads:
    def test_functions_classes_and_what_was_made_of_them_are_new(self, session):
        module, edit = session
        held, model = {"answer": module.answer}, module.Model()
        for k in (2, 3):
            edit(FIRST.replace("return 1\n", f"return {k}\n").replace('"old"', f'"{k}"'))
            assert module.answer() == held["answer"]() == k
            assert model.forward() == str(k) and isinstance(model, module.Model)
            model.size = k
        assert model.size == 3

    def test_a_method_may_come_to_call_super(self, session):
        """Such code cannot be put into the old function: it has a cell more."""
        module, edit = session
        model = module.Model()
        edit(FIRST.replace('return "old"', "return super().__repr__()"))
        assert "Model object" in model.forward()

    def test_what_was_taken_out_is_gone(self, session):
        module, edit = session
        edit(FIRST.replace("def answer", "def other"))
        assert not hasattr(module, "answer") and module.other() == 1

    def test_modules_of_the_students_own_that_import_it_follow(self, session, monkeypatch):
        module, edit = session
        monkeypatch.setattr(hw5_edits, "HERE", os.path.dirname(module.__file__))
        Path(module.__file__).with_name("mine_of_hw5.py").write_text("from hw5_vae import Model\n")
        mine = importlib.import_module("mine_of_hw5")
        edit(FIRST.replace('"old"', '"new"'))
        assert mine.Model().forward() == "new"
        sys.modules.pop("mine_of_hw5")

    def test_an_error_is_shown_at_the_line_that_runs(self, session):
        module, edit = session
        assert line_of(module.stops) == (5, "return 1 / 0")
        edit(f"# more\n# more\n{FIRST}")
        assert line_of(module.stops) == (7, "return 1 / 0")
        edit("# one line, and then\ndef")
        assert line_of(module.stops) == (7, "return 1 / 0")


@pytest.fixture
def held(monkeypatch):
    """The names of a notebook."""
    names: dict = {}
    monkeypatch.setattr(hw5_edits, "_namespaces", lambda module: [names])
    return names


class TestWhatWasImportedByName:
    FIRST = f"{FIRST}\nimport os\nfrom pathlib import Path\nTUNED = 0.105\n"

    def test_a_constant_is_new_and_a_variable_of_another_value_stays(self, session, held):
        module, edit = session
        edit(self.FIRST + "other = 1234.5\n")
        held.update(TUNED=module.TUNED, other=7, mine=module.TUNED, __doc__=None)
        edit(self.FIRST.replace("0.105", "0.2") + "other = 2\n")
        assert held == {"TUNED": 0.2, "other": 7, "mine": 0.105, "__doc__": None}

    def test_a_function_may_become_something_else(self, session, held):
        module, edit = session
        held["answer"] = module.answer
        edit(
            FIRST.replace("def answer", "def real")
            + "\nimport functools\nanswer = functools.partial(real)\n"
        )
        assert held["answer"] is module.answer

    def test_what_the_file_defines_no_more_is_named_once_an_edit(self, session, held, capsys):
        module, edit = session
        edit(self.FIRST)
        held.update(TUNED=module.TUNED, act=module.answer, os=module.os, Path=module.Path)
        gone = "def stops():\n    return 1\n"
        edit(gone)
        hw5_edits.look()
        said = capsys.readouterr().out
        assert said == (
            "WARNING: hw5_vae.py no longer defines answer, TUNED; the notebook still uses the old "
            "ones: write them again, or restart the kernel.\n"
        )
        edit(gone + "TUNED = 3\n")
        assert "no longer defines answer; the notebook still uses the old one: write it again" in (
            capsys.readouterr().out
        )
        assert held["TUNED"] == 3
        edit(self.FIRST.replace("return 1\n", "return 2\n"))
        assert held["act"]() == 2 and not capsys.readouterr().out

    def test_what_nobody_has_imported_may_go(self, session, held, capsys):
        session[1]("")
        assert not capsys.readouterr().out


BROKEN = {
    "def answer(:\n    pass\n": "hw5_vae.py, line 1 (`def answer(:`): SyntaxError: invalid syntax.",
    f"{FIRST}\nlate = nowhere\n": "line 13 (`late = nowhere`): NameError: name 'nowhere' is not",
    f"{FIRST}\nimport sys; sys.exit(3)\n": "line 13 (`import sys; sys.exit(3)`): SystemExit: 3.",
    f"{FIRST}\nraise KeyboardInterrupt\n": "stopped by you while it was loaded.",
}


class TestWhatDoesNotLoad:
    @pytest.mark.parametrize("text", BROKEN, ids=["syntax", "name", "exit", "interrupt"])
    def test_a_sentence_says_why_at_every_look_until_it_is_mended(self, session, text, capfd):
        module, edit = session
        edit(text)
        for _ in range(2):
            said = "".join(capfd.readouterr())
            assert said.startswith("WARNING: ") and BROKEN[text] in said and said.count("\n") == 1
            assert "goes on with the last version of hw5_vae.py that worked" in said
            assert module.answer() == 1 and module.Model().forward() == "old"
            hw5_edits.look()
        edit(FIRST.replace("return 1\n", "return 2\n"))
        assert not "".join(capfd.readouterr()).count("hw5_vae.py, line 13") > 1
        hw5_edits.look()
        assert not "".join(capfd.readouterr()) and module.answer() == 2

    def test_taking_the_edit_back_mends_it(self, session, capsys):
        module, edit = session
        edit("def")
        edit(FIRST)
        capsys.readouterr()
        hw5_edits.look()
        assert not capsys.readouterr().out and module.answer() == 1
