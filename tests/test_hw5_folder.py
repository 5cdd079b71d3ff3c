"""What lies in a student's folder, what ran after it was saved, and whose it is."""

from __future__ import annotations

import os
import sys
import types

import pytest
from IPython.core.events import EventManager, available_events

import hw5_folder
from hw5_folder import about, at_odds, gather, unsaved, watch
from hw5_notebook import ReportError, read_notebook
from tests.notebooks_awkward.cells import markdown, notebook
from tests.notebooks_awkward.coursework import coursework, save


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A student's folder with one notebook that was run and one that was not."""
    (tmp_path / "hw5_vae.py").write_text("x = 1\n")
    save(coursework(), tmp_path / "3_fc_vae.ipynb")
    save(fresh(), tmp_path / "4_conv_gan.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return tmp_path


def fresh():
    content = coursework(part="conv-gan", title="Untouched", answer="YOUR ANSWER HERE")
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
            cell["source"] = cell["source"].replace("(x, y)", "(logits)").replace("draw", "show")
    return content


class TestGathering:
    def test_what_was_not_run_and_saved_is_left_out_and_kept_in_mind(self, folder):
        found = gather(None)
        assert [one.name for one in found.notebooks] == ["3_fc_vae"]
        assert [one.name for one in found.untouched] == ["4_conv_gan"]
        assert [one.name for one in found.around] == ["3_fc_vae", "4_conv_gan"]
        assert [finding.kind for finding in found.findings] == ["left-out"]
        assert found.nothing == ""

    def test_a_notebook_that_is_named_is_taken_as_it_is(self, folder):
        assert [one.name for one in gather(["4_conv_gan.ipynb"]).notebooks] == ["4_conv_gan"]
        with pytest.raises(ReportError, match=r"5_fc_gan\.ipynb cannot be read"):
            gather(["5_fc_gan.ipynb"])

    def test_why_there_is_nothing_is_a_sentence(self, folder):
        (folder / "3_fc_vae.ipynb").unlink()
        assert gather(None).nothing == "No notebook here has been run and saved."
        (folder / "4_conv_gan.ipynb").unlink()
        save(notebook(markdown("# Of another course")), folder / "other.ipynb")
        assert "no notebook of this coursework" in gather(None).nothing

    def test_a_file_that_cannot_be_read_is_told(self, folder):
        (folder / "5_fc_gan.ipynb").write_text("{ cut off")
        broken = gather(None).findings[0]
        assert broken.kind == "unreadable" and broken.notebook == "5_fc_gan"
        assert broken.sentence.startswith("5_fc_gan.ipynb is not a notebook: ")

    def test_modules_are_looked_for_here_and_one_folder_above(self, folder, monkeypatch):
        (folder / "notebooks").mkdir()
        monkeypatch.chdir(folder / "notebooks")
        assert hw5_folder.home() == folder


@pytest.fixture
def kernel(monkeypatch):
    """The shell of a notebook. `run(source)` runs a cell, and `at` is what the clock says then."""
    shell = types.SimpleNamespace(kernel=1, user_ns={"In": [""]})
    shell.events = EventManager(shell, available_events)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    clock = types.SimpleNamespace(now=1000.0)
    monkeypatch.setattr(hw5_folder, "time", types.SimpleNamespace(time=lambda: clock.now))

    def run(source: str, at: float) -> None:
        clock.now = at
        shell.user_ns["In"].append(source)
        info = types.SimpleNamespace(raw_cell=source)
        shell.events.trigger("post_run_cell", types.SimpleNamespace(info=info))

    shell.run = run
    return shell


def told(folder, at: float) -> list[str]:
    """What is told of notebook 3 when its file was written at this time."""
    os.utime(folder / "3_fc_vae.ipynb", (at, at))
    names = ("4_conv_gan.ipynb", "3_fc_vae.ipynb")
    return [one.sentence for one in unsaved([read_notebook(folder / name) for name in names])]


CELLS = ["import sys\nQUICK = begin()", "print(loss_function(x, y))", "draw(samples)"]
HAND_IN = "from hw5_utils import bundle\n\nbundle();"


class TestUnsaved:
    @pytest.fixture(autouse=True)
    def ran(self, kernel):
        watch(kernel)
        for number, source in enumerate(CELLS):
            kernel.run(source, at=100.0 + 10 * number)

    def test_a_notebook_that_was_saved_after_its_last_cell_is_up_to_date(self, folder, kernel):
        kernel.run(HAND_IN, at=130.0)
        assert told(folder, at=110.0)[0].startswith("3_fc_vae.ipynb was not saved after its last")
        assert told(folder, at=125.0) == []

    def test_run_all_save_and_the_last_cell_once_more(self, folder, kernel):
        kernel.run(HAND_IN, at=121.0)  # with all the others
        assert told(folder, at=140.0) == []
        kernel.run(HAND_IN, at=150.0)
        kernel.run(HAND_IN, at=160.0)
        assert told(folder, at=140.0) == []

    def test_a_cell_that_was_run_and_deleted_is_forgotten_when_the_notebook_is_saved(
        self, folder, kernel
    ):
        kernel.run("6 * 7", at=200.0)
        assert len(told(folder, at=140.0)) == 1
        assert told(folder, at=210.0) == []

    def test_a_cell_that_was_run_again_with_the_same_number_of_a_new_kernel(self, folder, kernel):
        kernel.user_ns["In"] = [""]
        for source in CELLS:
            kernel.run(source, at=300.0)
        assert len(told(folder, at=150.0)) == 1
        assert told(folder, at=301.0) == []

    def test_a_coarse_clock_of_files_is_no_reason_to_complain(self, folder, kernel):
        assert told(folder, at=118.5) == []

    def test_the_notebook_is_known_by_its_name_or_its_cells(self, folder, kernel, monkeypatch):
        monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/4_conv_gan.ipynb")
        assert told(folder, at=50.0) == []  # of that one nothing ran later than it was saved
        monkeypatch.delenv("JPY_SESSION_NAME")
        kernel.user_ns["__vsc_ipynb_file__"] = "/somewhere/3_fc_vae.ipynb"
        assert len(told(folder, at=50.0)) == 1
        del kernel.user_ns["__vsc_ipynb_file__"]
        assert len(told(folder, at=50.0)) == 1
        for others in (["of another", "of a third"], [CELLS[0]]):  # one is in every notebook
            kernel.user_ns["In"] = ["", *others, HAND_IN]
            assert told(folder, at=50.0) == []

    def test_in_colab_the_screen_is_asked_and_no_file(self, folder, kernel, monkeypatch):
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
        assert told(folder, at=50.0) == []

    def test_watching_twice_is_watching_once(self, folder, kernel):
        watch(kernel)
        heard = kernel.events.callbacks["post_run_cell"]
        assert [one.__name__ for one in heard].count("note_the_time") == 1


def test_a_netid_that_was_typed_and_not_saved_is_told(folder, kernel):
    save(coursework(netid=""), folder / "3_fc_vae.ipynb")
    books = [read_notebook(folder / "3_fc_vae.ipynb")]
    assert at_odds(books) == []
    kernel.user_ns["NETID"] = "ada1"
    assert at_odds(books)[0].sentence.startswith(
        "NETID is “ada1” here, and in no notebook that was"
    )
    save(coursework(), folder / "3_fc_vae.ipynb")
    assert at_odds([read_notebook(folder / "3_fc_vae.ipynb")]) == []


def test_netids_that_differ_are_told_and_capitals_do_not_count(folder):
    books = [read_notebook(save(coursework(netid=n), folder / f"{n}.ipynb")) for n in ("a1", "b2")]
    assert "(a1.ipynb: a1; b2.ipynb: b2)" in at_odds(books)[0].sentence
    same = [read_notebook(save(coursework(netid=n), folder / f"{n}.ipynb")) for n in ("a1", "A1")]
    assert at_odds(same) == [] and about(same).netids == ("a1",)


def test_where_nobody_watched_nothing_is_told(folder, kernel):
    kernel.run(CELLS[1], at=200.0)
    assert told(folder, at=50.0) == []


def test_outside_of_a_notebook_nothing_is_told(folder):
    assert told(folder, at=50.0) == []


def test_the_netid_is_taken_from_the_cell_or_else_from_the_file(folder):
    assert about([read_notebook(folder / "3_fc_vae.ipynb")]).netids == ("ada1",)
    save(coursework(netid=""), folder / "3_fc_vae.ipynb")
    empty = [read_notebook(folder / "3_fc_vae.ipynb")]
    assert about(empty).netids == ()
    for data in (
        b"grace7\nbob2\n",
        "grace7\r\nbob2\r\n".encode("utf-16"),
        b"\xef\xbb\xbfgrace7,bob2",
    ):
        (folder / "netid").write_bytes(data)
        assert about(empty).netids == ("grace7", "bob2")
