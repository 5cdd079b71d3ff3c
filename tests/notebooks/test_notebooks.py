"""The notebooks keep the grammar that release, report and gradebook rely on, and they run."""

from __future__ import annotations

import builtins
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

from autograder.assignment import grade_id, question_of, read_assignment
from autograder.release import notebooks
from autograder.release.notebooks import CRITERION, FOLDED
from autograder.release.strip import strip_module
from autograder.release.tidy import Tidied, as_text, tidy
from tests.notebooks.running import (
    NOTEBOOKS,
    ROOT,
    code,
    errors,
    made_and_needed,
    modules,
    pictures,
    quicker,
    read,
    run,
    said,
)

ASSIGNMENT = read_assignment()
EVERY = replace(ASSIGNMENT, parts=(*ASSIGNMENT.parts, *ASSIGNMENT.off), off=())
PARTS = {part.id: part for part in (*ASSIGNMENT.parts, *ASSIGNMENT.off)}
QUESTIONS = {
    f"{part.id}.{question.id}": question
    for part in PARTS.values()
    for question in part.questions
    if question.kind != "info"
}
IN_PERSON = ("demonstration.viva",)
WRITTEN_IN_CODE = [key for key, question in QUESTIONS.items() if question.kind != "manual"]
COMMON = ("title", "setup", "about--text", "about", "hand-in--text", "hand-in")
TRAININGS = (
    "bernoulli-vae--training--run",
    "autoencoder--loop--try",
    "autoencoder--tuned--figure",
    "autoencoder--conditional_loop--try",
    "conv-gan--images--train",
    "cifar-dcgan--fit--train",
    "cifar-dcgan--spectral--train",
)
"""Cells of a question whose trained model, and what they print, other questions look at."""


every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def pointed(path):
    """A notebook with the points of assignment.toml, as a release writes them into it."""
    return notebooks.write_points(notebooks.read(path, [*PARTS]), EVERY).node


def parts_of(notebook) -> list[str]:
    return notebook.metadata.hw5.parts


BY_PART = [
    (path, part.id)
    for path in NOTEBOOKS
    for part in ASSIGNMENT.parts
    if part.id in parts_of(read(path))
]


def carrying_points(notebook) -> list:
    return [c for c in notebook.cells if "points" in c.metadata.get("nbgrader", {})]


def statement_of(notebook, cell):
    """The cell that states the question of a cell with points: for a task, that cell itself."""
    if cell.metadata.nbgrader.task:
        return cell
    return next(c for c in notebook.cells if c.id == f"{cell.id}--statement")


def test_every_part_has_its_notebook():
    held = [part for path in NOTEBOOKS for part in parts_of(read(path))]
    assert sorted(held) == sorted(PARTS)


def test_every_question_has_one_cell_with_its_points():
    held = [
        (question_of(cell.id), cell.metadata.nbgrader.points)
        for path in NOTEBOOKS
        for cell in carrying_points(pointed(path))
    ]
    assert sorted(held) == sorted((key, question.points) for key, question in QUESTIONS.items())


@every
class TestGrammar:
    def test_tidy_finds_nothing_to_put_right(self, path):
        """Names of cells, what nbgrader knows of them, points, checks, and that nothing is run."""
        committed = notebooks.read(path, [*PARTS])
        assert as_text(committed.node) == path.read_text(encoding="utf-8")
        text = as_text(pointed(path))
        assert tidy(path.stem, text, ASSIGNMENT) == Tidied(text)

    def test_common_cells_stand_first_and_last_and_are_the_same_everywhere(self, path):
        notebook, first = read(path), read(NOTEBOOKS[0])
        for places in (slice(1, 4), slice(-2, None)):
            assert notebook.cells[places] == first.cells[places]
        ids = [cell.id for cell in notebook.cells]
        assert (*ids[:4], *ids[-2:]) == COMMON
        assert {name.split("--")[0] for name in ids[4:-2]} == set(parts_of(notebook))

    def test_its_metadata_hold_what_we_read_and_no_more(self, path):
        notebook = read(path)
        assert set(notebook.metadata.hw5) == {"title", "parts"}
        for cell in notebook.cells:
            known = {"nbgrader", "hw5", *(FOLDED if cell.id == "setup" else ())}
            assert set(cell.metadata) <= known, cell.id

    def test_the_first_cell_is_folded_and_short(self, path):
        setup = next(cell for cell in read(path).cells if cell.id == "setup")
        assert setup.metadata == FOLDED
        assert setup.source.startswith("# @title Run this cell first")
        assert len(setup.source.split("\n")) <= 36

    def test_headings_say_title_points_and_time(self, path):
        notebook = pointed(path)
        for cell in carrying_points(notebook):
            question = QUESTIONS[question_of(cell.id)]
            unit = ("bonus " if question.kind == "bonus" else "") + "point"
            unit += "" if question.points == 1 else "s"
            start = f"### {question.title} · {question.points:g} {unit} · "
            heading = statement_of(notebook, cell).source.split("\n")[0]
            assert heading.startswith(start), heading
            assert re.search(r"\d+ (minutes?|hours?)$", heading), heading

    def test_what_the_judge_marks_stands_on_task_cells_with_a_check(self, path):
        notebook = read(path)
        checks = {cell.id: cell for cell in notebook.cells if cell.id.endswith("--check")}
        for cell in carrying_points(notebook):
            key = question_of(cell.id)
            if QUESTIONS[key].kind != "manual":
                assert cell.metadata.nbgrader.task, key
                check = checks[f"{grade_id(key)}--check"]
                assert check.source == f'check("{key}");'
                assert check.metadata.nbgrader.locked and not check.metadata.nbgrader.grade

    def test_what_is_marked_by_hand_is_an_answer_or_has_figures_below(self, path):
        notebook = read(path)
        for cell in carrying_points(notebook):
            key = question_of(cell.id)
            if key in IN_PERSON:
                continue
            if QUESTIONS[key].kind == "manual" and cell.metadata.nbgrader.task:
                figures = [c for c in notebook.cells if c.metadata.get("hw5", {}).get("figure")]
                assert any(question_of(c.id) == key for c in figures), key
            elif QUESTIONS[key].kind == "manual":
                assert cell.source.startswith("### BEGIN SOLUTION\n"), key
                assert cell.source.endswith("\n### END SOLUTION"), key
                assert statement_of(notebook, cell).metadata.nbgrader.locked, key

    def test_word_limits_are_stated(self, path):
        notebook = read(path)
        for cell in carrying_points(notebook):
            if not cell.metadata.nbgrader.task:
                words = cell.metadata.hw5.words
                assert f"At most {words} words" in statement_of(notebook, cell).source, cell.id

    def test_mark_schemes_add_up_and_give_three_examples(self, path):
        for cell in carrying_points(pointed(path)):
            question = QUESTIONS[question_of(cell.id)]
            start = cell.source.find("**Mark scheme**")
            if question.kind != "manual":
                assert start == -1, cell.id
                continue
            scheme = cell.source[start:]
            criteria = [float(points) for _, points, _ in CRITERION.findall(scheme)]
            assert start > 0 and sum(criteria) == pytest.approx(question.points), cell.id
            for example in ("**Right.** ", "**Half right.** ", "**Wrong.** "):
                assert example in scheme, (cell.id, example)
            # Nobody but a reader knows that such a number is points: it would stay as it is.
            assert not re.search(r" \(\d+(\.\d+)?\)$", scheme, re.MULTILINE), cell.id

    def test_whatever_a_question_is_worth_its_right_example_earns(self, path):
        others = [
            replace(part, questions=tuple(replace(q, points=3 * q.points) for q in part.questions))
            for part in EVERY.parts
        ]
        other = replace(EVERY, parts=tuple(others))
        notebook = notebooks.write_points(notebooks.read(path, [*PARTS]), other).node
        for cell in carrying_points(notebook):
            _, found, example = cell.source.partition("**Right.** ")
            earned = re.findall(r"\b(\d+(?:\.\d+)?) points?\b", example.partition("\n\n")[0])
            if found and earned:
                worth = 3 * QUESTIONS[question_of(cell.id)].points
                assert float(earned[-1]) == pytest.approx(worth), cell.id

    def test_mark_schemes_of_figures_stand_between_their_markers(self, path):
        for cell in carrying_points(read(path)):
            if cell.metadata.nbgrader.task and "**Mark scheme**" in cell.source:
                head, begin, rest = cell.source.partition("\n=== BEGIN MARK SCHEME ===\n")
                scheme, end, after = rest.partition("\n=== END MARK SCHEME ===")
                assert begin and end and not after.strip(), cell.id
                assert "**Mark scheme**" in scheme and "**Mark scheme**" not in head, cell.id


@every
def test_a_question_needs_no_cell_of_another_but_those_that_train(path):
    """After the first cell and those of its part that belong to no question: imports, data."""
    makers: dict[str, list[str]] = {}
    for cell in code(read(path)):
        part, own = cell.id.split("--")[0], question_of(cell.id)
        made, needed = made_and_needed(cell.source)
        for name in needed - set(dir(builtins)) - {"get_ipython"}:
            for maker in makers.get(name, []):
                question = question_of(maker)
                if maker == "setup" or maker in TRAININGS or question == own:
                    break
                if maker.split("--")[0] == part and question not in QUESTIONS:
                    break
            else:
                raise AssertionError(f"{cell.id} needs {name} of {makers.get(name)}")
        for name in made:
            makers.setdefault(name, []).append(cell.id)


def test_the_epochs_are_the_students_to_name(capsys):
    cells = {cell.id: cell.source for path in NOTEBOOKS for cell in code(read(path))}
    shown = []
    known = {
        "QUICK": False,
        "gan": SimpleNamespace(samples={0: "noise", 10: "strokes", 20: "digits", 30: "digits"}),
        "samples_by_epoch": lambda samples, epochs: [samples[epoch] for epoch in epochs],
        "image_grid": lambda images, *_, **__: images,
        "display": shown.append,
    }
    for name in ("epochs", "last"):
        exec(cells[f"conv-gan--images--{name}"], known)
    said = "CHOSEN is empty: name three of the epochs [0, 10, 20, 30]"
    assert capsys.readouterr().out.startswith(said) and shown == []
    for name in ("epochs", "last"):
        source = cells[f"conv-gan--images--{name}"]
        exec(source.replace("CHOSEN = []", "CHOSEN = [0, 10, 30]", 1), known)
    assert shown == [["noise", "strokes", "digits"], "digits"]


@pytest.mark.daily
@pytest.mark.parametrize(("path", "part"), BY_PART, ids=[part for _, part in BY_PART])
def test_with_the_solution_a_part_runs_to_the_end_without_the_others(path, part, course):
    notebook = read(path)
    notebook.cells = [c for c in notebook.cells if c.id in COMMON or c.id.split("--")[0] == part]
    for cell in code(notebook):
        cell.source = quicker(cell.source)
    nbformat.write(notebook, course / "notebooks" / path.name)
    run(notebook, course / "notebooks", allow_errors=True)
    (course / "notebooks" / path.name).unlink()
    for cell in code(notebook):
        assert not errors(cell), f"{cell.id}: {errors(cell)[0]}"
        assert "Traceback" not in said(cell) and "NOT YET" not in said(cell), cell.id
        if cell.source.startswith("check("):
            assert re.search(r"\b(\d+) of \1 pass", said(cell)), said(cell)
        if cell.metadata.get("hw5", {}).get("figure"):
            assert pictures(cell), f"{cell.id} draws nothing"
        if cell.id.endswith("--picture"):
            assert pictures(cell) and not said(cell), f"{cell.id}: {said(cell)}"
        if cell.id.endswith("--overfit"):
            assert "learns" in said(cell) and "look at" not in said(cell), said(cell)
    setup = next(cell for cell in notebook.cells if cell.id == "setup")
    assert "WARNING: quick settings" in said(setup) and "WARNING: stand-ins" in said(setup)


@pytest.fixture(scope="module")
def unwritten(quick, once):
    """All notebooks' cells by id, run one after another in one kernel with nothing written."""

    def make(folder):
        folder.mkdir()
        for name, text in modules().items():
            if name in ("hw5_vae.py", "hw5_gan.py"):
                text = strip_module(text, name, ASSIGNMENT)
            (folder / name).write_text(text, encoding="utf-8")
        shutil.copytree(ROOT / "hw5_pages", folder / "hw5_pages")
        cells = {cell.id: cell for path in NOTEBOOKS for cell in code(read(path))}
        last = cells.pop("hand-in")
        # Tracebacks with the lines around each frame in colours take longer than all the rest.
        begin = new_code_cell("%xmode Plain", id="plain")
        notebook = new_notebook(cells=[begin, *cells.values(), last])
        nbformat.write(run(notebook, folder, allow_errors=True), folder / "run.ipynb")

    return {cell.id: cell for cell in read(once("unwritten", make) / "run.ipynb").cells}


@pytest.mark.long
class TestNothingWritten:
    def test_the_setup_runs_and_the_hand_in_says_what_is_missing(self, unwritten):
        assert not errors(unwritten["setup"]) and not errors(unwritten["hand-in"])
        assert "netid" in said(unwritten["hand-in"]).lower() or "No " in said(unwritten["hand-in"])

    def test_a_check_says_in_a_sentence_what_to_write(self, unwritten):
        for key in WRITTEN_IN_CODE:
            cell = unwritten[f"{grade_id(key)}--check"]
            assert not errors(cell), errors(cell)
            assert "NOT YET" in said(cell) and "Traceback" not in said(cell), said(cell)
            assert f"{key}: " in " ".join(said(cell).split()), said(cell)

    def test_a_cell_that_calls_a_stub_says_its_sentence(self, unwritten):
        assert said(unwritten["conv-gan--DNet--try"]).startswith("Not yet. conv-gan.DNet: ")
        assert not errors(unwritten["conv-gan--DNet--try"])

    def test_a_try_before_a_training_says_what_to_write(self, unwritten):
        tries = {name: cell for name, cell in unwritten.items() if name.endswith("--overfit")}
        for name, cell in tries.items():
            assert said(cell).startswith("Not yet. ") and not errors(cell), f"{name}: {said(cell)}"
        assert len(tries) >= 9

    def test_no_cell_shows_a_traceback_of_files_that_are_given(self, unwritten):
        for name, cell in unwritten.items():
            for traceback in errors(cell):
                files = set(re.findall(r"hw5_\w+\.py", traceback)) - {"hw5_vae.py", "hw5_gan.py"}
                assert not files, f"{name}: {traceback}"


SETUP = next(cell for cell in code(read(NOTEBOOKS[0])) if cell.id == "setup").source
USE = "import hw5_vae\nprint(hw5_vae.__file__)"


@pytest.mark.long
class TestFirstCell:
    """In a folder that holds nothing but the notebook, as in Colab."""

    @pytest.fixture
    def colab(self, tmp_path, quick, monkeypatch):
        """Colab's folder /content, empty, with a google.colab of ours that can mount a Drive."""
        package = tmp_path / "site" / "google" / "colab"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "drive.py").write_text(
            "from pathlib import Path\n"
            "def mount(folder):\n"
            "    Path(folder).mkdir()\n"
            f"    (Path(folder) / 'MyDrive').symlink_to({str(tmp_path / 'cloud')!r})\n"
            "    print('Mounted at', folder)\n"
        )
        (tmp_path / "cloud").mkdir()
        (tmp_path / "content").mkdir()
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
        return tmp_path / "content"

    @pytest.fixture
    def released(self, tmp_path):
        """Makes the zip of a release, its files under `top`; tells where it is.

        Where the files end up is the question; only a release that is `whole` has to be imported.
        """

        def make(top: str = "hw5/", whole: bool = False) -> Path:
            files = modules()
            if not whole:
                files |= {"hw5_utils.py": "def begin(quick):\n    pass\n", "hw5_vae.py": ""}
            files["requirements.txt"] = "torch>=2.2  # stays\nnumpy\n"
            files[NOTEBOOKS[0].name] = NOTEBOOKS[0].read_text(encoding="utf-8")
            with zipfile.ZipFile(tmp_path / "release.zip", "w") as archive:
                for name, text in files.items():
                    archive.writestr(f"{top}{name}", here(text, tmp_path / "content"))
            return tmp_path / "release.zip"

        return make

    def test_it_fetches_the_release_and_the_modules_load(self, colab, released):
        (colab / "hw5_vae.py").write_text("mine = 4\n")
        cells = [setup(colab, released("", whole=True).as_uri()), USE]
        first, second = run_in(colab, *cells)
        assert not errors(first) and not errors(second)
        assert "Nobody is here to answer, so the files stay on this machine" in said(first)
        assert "on this machine alone.\nThey are lost when Colab takes it back" in said(first)
        assert "WARNING: quick settings" in said(first) and "Not installed" not in said(first)
        assert (colab / NOTEBOOKS[0].name).exists()
        assert said(second).strip() == str(colab / "hw5_vae.py")
        assert (colab / "hw5_vae.py").read_text() == "mine = 4\n"

    def test_without_an_address_it_asks_for_the_zip_and_unpacks_it(self, colab, released):
        zipped = released()
        (colab / "hw5_abc12.zip").write_bytes(zipped.read_bytes())  # a bundle is no release
        upload = f"import shutil; shutil.copy({str(zipped)!r}, 'hw5 (1).zip')"
        before, _, after, used = run_in(colab, setup(colab), upload, setup(colab), USE)
        (sentence,) = errors(before)
        assert "Upload hw5.zip with the folder icon on the left and run this cell" in sentence
        assert "Traceback" not in sentence and "line" not in sentence
        assert not errors(after) and said(used).strip() == str(colab / "hw5_vae.py")

    def test_what_an_address_brings_may_be_anything(self, colab, released, tmp_path):
        (tmp_path / "login.html").write_text("<html>Please log in.</html>")
        released()
        page, gone = (tmp_path / "login.html").as_uri(), (tmp_path / "gone.zip").as_uri()
        there = (tmp_path / "release.zip").as_uri()
        first, second, third = run_in(colab, *(setup(colab, one) for one in (page, gone, there)))
        for cell, address in ((first, page), (second, gone)):
            (sentence,) = errors(cell)
            assert "Upload hw5.zip" in sentence and address in sentence
        assert not errors(third) and (colab / "hw5_vae.py").exists()

    def test_it_asks_where_to_keep_the_files_and_the_drive_remembers(
        self, colab, released, tmp_path
    ):
        asked: list[str] = []
        first = answered(colab, setup(colab, released().as_uri()), ["what?", "d"], asked)
        assert asked == ["drive or machine? "] * 2
        assert first.index("Everything on it is lost") < first.index("Mounted at")
        kept = tmp_path / "cloud" / "hw5"
        assert (kept / "hw5_vae.py").exists() and not (colab / "hw5_vae.py").exists()
        (kept / "hw5_vae.py").write_text("mine = 5\n")

        # Tomorrow: another machine, nothing mounted, no address, and another notebook.
        (colab / "drive" / "MyDrive").unlink()
        shutil.rmtree(colab)
        colab.mkdir()
        again = next(c for c in code(read(kept / NOTEBOOKS[0].name)) if c.id == "setup").source
        second = answered(colab, f"{here(again, colab)}\n{USE}", [], asked)
        assert len(asked) == 2 and f"Your files are kept in {colab}/drive/MyDrive/hw5" in second
        assert second.strip().endswith(f"{colab}/drive/MyDrive/hw5/hw5_vae.py")
        assert (kept / "hw5_vae.py").read_text() == "mine = 5\n"

    def test_elsewhere_it_asks_for_the_zip_in_the_folder_of_the_notebook(
        self, tmp_path, quick, released
    ):
        folder = tmp_path / "here"
        folder.mkdir()
        upload = f"import shutil; shutil.copy({str(released())!r}, 'hw5.zip')"
        chosen = SETUP.replace('KEEP_FILES = "ask me"', 'KEEP_FILES = "in my Google Drive"')
        before, _, after, used = run_in(folder, SETUP, upload, chosen, USE)
        (sentence,) = errors(before)
        assert f"Put hw5.zip into {folder} and run this cell again" in sentence
        assert not errors(after) and said(used).strip() == str(folder / "hw5_vae.py")
        assert "Drive" not in said(after)


def setup(colab: Path, address: str = "") -> str:
    """The first cell as it stands in Colab, where the release is at that address."""
    source, count = re.subn(r'^RELEASE = ""', f'RELEASE = "{address}"', SETUP, flags=re.M)
    assert count == 1
    return here(source, colab)


def here(source: str, colab: Path) -> str:
    """The source with a folder of this test for Colab's /content."""
    return source.replace('"/content', f'"{colab}')


def run_in(folder: Path, *sources: str) -> list:
    """The cells with what they show, run where nobody can answer."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    return run(notebook, folder, allow_errors=True).cells


def answered(folder: Path, source: str, answers: list[str], asked: list[str]) -> str:
    """What a cell prints in a new kernel where somebody answers, until the answers run out."""
    said: list[str] = []
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))

    def answer(message):
        asked.append(message["content"]["prompt"])
        client.input(answers.pop(0))

    def show(message):
        assert message["msg_type"] != "error", message["content"]["traceback"]
        said.append(message["content"].get("text", ""))

    try:
        client.execute_interactive(
            source, allow_stdin=True, stdin_hook=answer, output_hook=show, timeout=300
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return "".join(said)
