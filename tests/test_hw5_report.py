"""What students call: the report and the bundle, from a notebook, in Colab and from the shell."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader

import hw5_report
from tests.notebooks_awkward.cells import code, markdown, notebook
from tests.notebooks_awkward.coursework import article, coursework, save

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A student's folder: modules, two notebooks that were run, one that was not."""
    for name in ("hw5_vae.py", "hw5_gan.py", "hw5_checks.py"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    save(coursework(), tmp_path / "notebooks" / "3_fc_vae.ipynb")
    gan = coursework(part="fc-gan", title="A small GAN", figure="teal")
    save(gan, tmp_path / "notebooks" / "5_fc_gan.ipynb")
    fresh = coursework(part="conv-gan", title="Untouched", answer="YOUR ANSWER HERE")
    for cell in fresh["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    save(fresh, tmp_path / "notebooks" / "4_conv_gan.ipynb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def text_of(pdf: Path) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(pdf).pages))


def test_the_report_takes_every_notebook_that_was_worked_on(folder, capsys):
    path = hw5_report.report()
    assert path == Path("hw5.pdf")
    said = capsys.readouterr().out
    assert "hw5.pdf: 9 pages, 6 questions." in said
    assert "4_conv_gan.ipynb has not been run and saved; it is left out." in said
    text = text_of(path)
    assert text.index("A small VAE") < text.index("A small GAN")
    assert "Untouched" not in text
    described = json.loads(Path("hw5.json").read_text())
    assert described["pages"] == len(PdfReader(path).pages)
    assert [one["name"] for one in described["notebooks"]] == ["3_fc_vae", "5_fc_gan"]
    assert [finding["kind"] for finding in described["findings"]] == ["left-out"]
    assert described["questions"][0]["boxes"][0]["page"] > 1


def test_the_report_works_from_the_folder_of_the_notebooks_too(folder, monkeypatch):
    monkeypatch.chdir(folder / "notebooks")
    assert hw5_report.report() == Path("hw5.pdf")
    assert (folder / "notebooks" / "hw5.pdf").exists()


def test_parts_filter_questions(folder, capsys):
    hw5_report.report(parts=["fc-gan"], out="gan.pdf")
    described = json.loads(Path("gan.json").read_text())
    assert {question["key"].split(".")[0] for question in described["questions"]} == {"fc-gan"}
    assert hw5_report.report(parts=["no-such-part"]) is None
    assert "There is no part 'no-such-part' here; the parts are:" in capsys.readouterr().out


def test_notebooks_are_printed_in_the_order_in_which_they_are_given(folder):
    hw5_report.report(["notebooks/5_fc_gan.ipynb", "notebooks/3_fc_vae.ipynb"], "two.pdf")
    text = text_of(Path("two.pdf"))
    assert text.index("A small GAN") < text.index("A small VAE")


def test_the_report_of_four_pages_is_a_pdf_of_its_own(folder, capsys):
    save(article(), folder / "notebooks" / "8_report.ipynb")
    assert hw5_report.report() == Path("hw5.pdf")
    assert "What I say" not in text_of(Path("hw5.pdf"))
    assert "What I say in my results." in text_of(Path("hw5_report.pdf"))
    assert hw5_report.report(["notebooks/8_report.ipynb"], "alone.pdf") == Path("alone.pdf")
    assert "What I say in my results." in text_of(Path("alone.pdf"))


def test_findings_are_said_in_sentences(folder, capsys):
    save(coursework(answer="", netid=""), folder / "notebooks" / "3_fc_vae.ipynb")
    hw5_report.report(["notebooks/3_fc_vae.ipynb"])
    said = capsys.readouterr().out
    assert "“Why an encoder” is not answered (cell 10 (fc-vae--why))." in said
    assert "There is no NetID" in said


def test_the_netid_file_is_read_where_the_cell_is_empty(folder):
    save(coursework(netid=""), folder / "notebooks" / "3_fc_vae.ipynb")
    (folder / "netid").write_text("grace7\n")
    hw5_report.report(["notebooks/3_fc_vae.ipynb"])
    assert "grace7" in text_of(Path("hw5.pdf"))


def test_without_a_notebook_there_is_a_sentence_and_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hw5_report, "_home", lambda: tmp_path)
    assert hw5_report.report() is None
    assert "There is no notebook of this coursework in this folder." in capsys.readouterr().out
    assert hw5_report.report(["missing.ipynb"]) is None
    assert "missing.ipynb cannot be read" in capsys.readouterr().out
    assert hw5_report.bundle() is None
    assert list(tmp_path.iterdir()) == []


def test_an_unsaved_notebook_is_told(folder, monkeypatch, capsys):
    sources = [
        "",
        "import sys\nQUICK = begin()",
        "print(loss_function(x, y))",
        "draw(samples)",
        "new",
    ]
    shell = types.SimpleNamespace(
        kernel=1, execution_count=6, user_ns={"In": [*sources, "report()"]}
    )
    fake = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    hw5_report.report(["notebooks/3_fc_vae.ipynb"])
    assert "was not saved after its last cells were run" in capsys.readouterr().out
    hw5_report.bundle(["notebooks/3_fc_vae.ipynb"])
    assert "Save it (Ctrl+S)" in capsys.readouterr().out
    assert not list(folder.glob("*.zip"))
    shell.execution_count = 5
    hw5_report.report(["notebooks/3_fc_vae.ipynb"])
    assert "not saved" not in capsys.readouterr().out


@pytest.fixture
def colab(folder, monkeypatch):
    """A stand-in for Colab: it hands over the notebook that is open."""
    live = coursework(title="Open in Colab", colab=None)
    live["metadata"]["colab"] = {"name": "3_fc_vae.ipynb", "provenance": [], "authorship_tag": "A"}
    live["cells"][1]["metadata"] = {
        "executionInfo": {"user": {"displayName": "Ada Lovelace", "userId": "0815"}},
        "outputId": "5",
        "id": "setup",
    }
    asked = []

    def blocking_request(name, request="", timeout_sec=5):
        asked.append(name)
        return {"ipynb": live}

    message = types.SimpleNamespace(blocking_request=blocking_request)
    package = types.ModuleType("google.colab")
    package._message = message
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", package)
    return asked


def test_in_colab_the_open_notebook_is_taken_and_not_its_copy_on_disk(colab, folder, capsys):
    hw5_report.report(out="colab.pdf")
    assert colab == ["get_ipynb"]
    text = text_of(Path("colab.pdf"))
    assert "Open in Colab" in text and "A small GAN" in text and "A small VAE" not in text


def test_the_bundle_of_colab_names_nobody(colab, folder, capsys):
    hw5_report.report()
    path = hw5_report.bundle()
    with zipfile.ZipFile(path) as archive:
        raw = archive.read("3_fc_vae.ipynb").decode()
    for word in ("Lovelace", "0815", "authorship_tag", "executionInfo"):
        assert word not in raw
    assert "Open in Colab" in raw
    assert "Download it" in capsys.readouterr().out


def test_the_bundle_holds_all_that_is_handed_in(folder, capsys):
    for name in ("vae_generation.jpg", "vis_latent_space.pdf", "vis_data_space.pdf", "other.jpg"):
        (folder / name).write_bytes(name.encode())
    for epoch in (0, 10, 20, 90, 100):
        (folder / f"test_{epoch}.png").write_bytes(b"x")
    hw5_report.report()
    path = hw5_report.bundle()
    assert path == Path("hw5_ada1.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.read("netid") == b"ada1\n"
        assert archive.read("hw5_vae.py") == (ROOT / "hw5_vae.py").read_bytes()
        kept = json.loads(archive.read("3_fc_vae.ipynb"))
    assert kept["cells"][3]["source"] == coursework()["cells"][3]["source"]
    assert sorted(names) == sorted(
        [
            "netid",
            "hw5_vae.py",
            "hw5_gan.py",
            "3_fc_vae.ipynb",
            "5_fc_gan.ipynb",
            "hw5.pdf",
            "vae_generation.jpg",
            "vis_data_space.pdf",
            "vis_latent_space.pdf",
            "test_0.png",
            "test_20.png",
            "test_100.png",
        ]
    )
    assert "these three go in: test_0.png, test_20.png, test_100.png" in capsys.readouterr().out
    first = path.read_bytes()
    assert hw5_report.bundle().read_bytes() == first


def test_a_bundle_is_read_as_one_submission(folder):
    from autograder.assignment import read_assignment
    from autograder.intake import read_submission

    hw5_report.report()
    handin = read_submission(hw5_report.bundle(), read_assignment())
    assert {"hw5_vae.py", "hw5_gan.py", "netid", "hw5.pdf", "3_fc_vae.ipynb"} <= set(handin.files)
    assert handin.flags == () and handin.members == ("ada1",)


def refused(capsys) -> str:
    capsys.readouterr()
    assert hw5_report.bundle() is None
    assert not list(Path.cwd().glob("*.zip"))
    return capsys.readouterr().out


def test_no_bundle_without_a_report_of_just_these_notebooks(folder, capsys):
    assert "hw5.pdf is missing: run report() first." in refused(capsys)
    hw5_report.report()
    changed = coursework(answer="Another answer, after the report.")
    save(changed, folder / "notebooks" / "3_fc_vae.ipynb")
    assert "made from another state of 3_fc_vae.ipynb: run report() again" in refused(capsys)
    (folder / "hw5.pdf").write_bytes(b"%PDF-1.7 not really")
    assert "another state of 3_fc_vae.ipynb and 5_fc_gan.ipynb" in refused(capsys)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            lambda f: (f / "hw5_vae.py").write_text("def f(:\n"),
            "hw5_vae.py, line 1 is not valid Python",
        ),
        (
            lambda f: (f / "hw5_vae.py").write_text("x = 1\n"),
            "lack reparametrize (question fc-vae.",
        ),
        (lambda f: (f / "hw5_gan.py").unlink(), "lack sample_noise (question fc-gan.sample_noise)"),
        (
            lambda f: save(coursework(netid="your netid"), f / "notebooks" / "3_fc_vae.ipynb"),
            "'netid' does not look like",
        ),
    ],
)
def test_no_bundle_while_something_is_missing(folder, capsys, edit, sentence):
    edit(folder)
    hw5_report.report()
    said = refused(capsys)
    assert "Nothing to hand in yet." in said
    assert sentence in said


def test_what_is_only_unfinished_can_be_handed_in_and_is_told(folder, capsys):
    source = (folder / "hw5_vae.py").read_text()
    stub = '    raise NotImplementedError("fc-vae.reparametrize: write this")\n'
    head = re.search(r"^def reparametrize\(.*?:\n", source, re.M | re.S)
    (folder / "hw5_vae.py").write_text(source[: head.end()] + stub + source[head.end() :])
    hw5_report.report()
    assert hw5_report.bundle()
    assert "fc-vae.reparametrize: reparametrize is not written yet" in capsys.readouterr().out


def test_the_bundle_warns_about_names_where_marks_are_given_without_them(folder, capsys):
    content = coursework(part="fc-gan", answer="ada1 wrote this.", anonymous=True)
    save(content, folder / "notebooks" / "5_fc_gan.ipynb")
    hw5_report.report()
    hw5_report.bundle()
    assert "5_fc_gan: Cell 10 (fc-gan--why) shows a name (ada1)" in capsys.readouterr().out


def test_the_shell_has_both_commands(folder):
    def run(*command):
        return subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )

    done = run(ROOT / "hw5_report.py", "report", "notebooks/3_fc_vae.ipynb", "--out", "a.pdf")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a.pdf: 5 pages" in done.stdout
    done = run(ROOT / "hw5_utils.py", "bundle", "--pdf", "a.pdf", "notebooks/3_fc_vae.ipynb")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "hw5_ada1.zip").exists()
    done = run(ROOT / "hw5_report.py", "bundle", "--pdf", "none.pdf")
    assert done.returncode == 1
    assert "none.pdf is missing" in done.stdout


def test_the_report_needs_neither_torch_nor_nbconvert(folder):
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "class Stop:\n"
        "    def find_spec(self, name, *rest):\n"
        "        assert name.split('.')[0] not in ('torch', 'nbconvert', 'nbformat'), name\n"
        "sys.meta_path.insert(0, Stop())\n"
        "import hw5_report; assert hw5_report.report()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_hw5_utils_hands_report_and_bundle_on(folder, capsys):
    import hw5_utils

    assert hw5_utils.report(out="b.pdf") == Path("b.pdf")
    assert hw5_utils.bundle(pdf="b.pdf") == Path("hw5_ada1.zip")


def test_nbconvert_has_the_exporter_by_its_name(folder):
    from nbconvert.exporters import get_exporter

    exporter = get_exporter("hw5-pdf")()
    assert type(exporter) is hw5_report.HW5PDFExporter
    pdf, resources = exporter.from_filename("notebooks/3_fc_vae.ipynb")
    assert resources["output_extension"] == ".pdf"
    assert "ada1" in "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    described = json.loads(resources["outputs"]["3_fc_vae.json"])
    assert described["questions"][0]["key"] == "fc-vae.loss"


def test_the_exporter_takes_any_notebook_without_installing_anything(folder, capsys):
    foreign = notebook(markdown("# Homework 2\n\nBy somebody else."), code("1 + 1"))
    save(foreign, folder / "homework.ipynb")
    exporter = hw5_report.HW5PDFExporter()
    pdf, _ = exporter.from_filename("homework.ipynb")
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    assert "Homework 2" in page.extract_text()
    with pytest.raises(AttributeError):
        _ = hw5_report.NoSuchName
