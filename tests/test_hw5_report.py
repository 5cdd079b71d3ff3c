"""What students call: the report and the bundle, from a notebook, in Colab and from the shell."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import random
import re
import runpy
import subprocess
import sys
import types
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

import hw5_folder
import hw5_report
from hw5_notebook import Finding, ReportError, preflight
from hw5_pages import Printed
from tests.notebooks_awkward.cells import code, markdown, notebook, stream
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


@pytest.fixture
def unprinted(monkeypatch):
    """Where pages do not matter: a PDF of one blank page that says what it is made from."""

    def print_pdf(notebooks, who, article=False, modules=None, judged=None):
        named = [(one.name, one.sha256) for one in notebooks]
        named += [(n, one.sha256) for n, one in (modules or {}).items() if not article]
        writer = PdfWriter()
        writer.add_blank_page(100, 100)
        writer.add_metadata({"/Keywords": ", ".join(f"{name}:{sha}" for name, sha in named)})
        out = io.BytesIO()
        writer.write(out)
        found = [finding for one in notebooks for finding in preflight(one)]
        return Printed(out.getvalue(), {"pages": 1, "questions": []}, tuple(found))

    monkeypatch.setattr(hw5_report, "print_pdf", print_pdf)


def text_of(pdf: Path) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(pdf).pages))


def test_the_report_takes_every_notebook_that_was_worked_on(folder, capsys):
    path = hw5_report.report()
    assert path == Path("hw5.pdf")
    said = capsys.readouterr().out
    assert "hw5.pdf: 10 pages, 6 questions." in said
    assert "4_conv_gan.ipynb has not been run and saved; it is left out." in said
    text = text_of(path)
    assert text.index("A small VAE") < text.index("A small GAN")
    assert "Untouched" not in text
    described = json.loads(Path("hw5.json").read_text())
    assert described["pages"] == len(PdfReader(path).pages)
    assert [one["name"] for one in described["notebooks"]] == ["3_fc_vae", "5_fc_gan"]
    kinds = [finding["kind"] for finding in described["findings"]]
    assert set(kinds) == {"left-out", "deleted"}  # these notebooks have few of the questions
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
    monkeypatch.setattr(hw5_folder, "home", lambda: tmp_path)
    monkeypatch.setattr(hw5_report, "home", lambda: tmp_path)
    assert hw5_report.report() is None
    assert "There is no notebook of this coursework in this folder." in capsys.readouterr().out
    assert hw5_report.report(["missing.ipynb"]) is None
    assert "missing.ipynb cannot be read" in capsys.readouterr().out
    assert hw5_report.bundle(anyway=True) is None
    assert "There is no NetID" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_netids_that_differ_are_told_and_what_the_notebook_says_is_taken(folder, capsys, unprinted):
    (folder / "netid").write_text("grace7\n")
    said = refused(capsys)
    assert "The file netid says grace7, and 3_fc_vae.ipynb and 5_fc_gan.ipynb ada1." in said
    with zipfile.ZipFile(hw5_report.bundle(anyway=True)) as archive:
        assert archive.read("netid") == b"ada1\n"
    (folder / "netid").write_text("ADA1\n")
    assert hw5_report.bundle()


def test_a_netid_without_quotation_marks_is_explained(folder, capsys, unprinted):
    for name in ("3_fc_vae", "5_fc_gan"):
        content = coursework()
        content["cells"][2]["source"] = 'NETID = abc123  # mine\nSOURCES = ["A book"]'
        save(content, folder / "notebooks" / f"{name}.ipynb")
    assert hw5_report.bundle(anyway=True) is None
    said = capsys.readouterr().out
    assert "NETID = abc123 in 3_fc_vae.ipynb cannot be read" in said
    assert 'Write straight quotation marks around it: NETID = "abc123".' in said
    assert "There is no NetID" in said and "save the notebook (Ctrl+S)" in said


@pytest.mark.parametrize(
    ("netid", "name"),
    [
        ("ada1@Example.edu", "hw5_ada1.zip"),
        ("Ada/../1", "hw5_ada-..-1.zip"),
        ("Zoë1", "hw5_zoe1.zip"),
        ("名", "hw5_hand-in.zip"),
    ],
)
def test_the_name_of_the_zip_is_plain_whatever_was_taken_for_a_netid(
    folder, netid, name, unprinted
):
    for path in ("3_fc_vae", "5_fc_gan"):
        save(coursework(netid=netid), folder / "notebooks" / f"{path}.ipynb")
    assert hw5_report.bundle(anyway=True).name == name


def test_figures_of_code_that_is_gone_are_told(folder, capsys, unprinted):
    content = coursework()
    said = stream("fc-vae.loss: hw5_vae.py\n\n  loss  passed\n")
    content["cells"].insert(6, code("check('fc-vae.loss')", said, id="fc-vae--loss--check"))
    save(content, folder / "notebooks" / "3_fc_vae.ipynb")
    assert hw5_report.bundle() and "other code" not in capsys.readouterr().out
    Path("hw5_ada1.zip").unlink()
    text = (folder / "hw5_vae.py").read_text()
    head, begin, rest = text.partition("SOLUTION fc-vae.loss\n")
    rest = "    pass\n" + rest[rest.index("    ### END") :]
    (folder / "hw5_vae.py").write_text(head + begin + rest)
    assert "3_fc_vae.ipynb shows what other code has done than is in hw5_vae.py now" in refused(
        capsys
    )


def test_an_unsaved_notebook_is_told_and_can_be_handed_in_knowingly(
    folder, monkeypatch, capsys, unprinted
):
    finding = Finding("unsaved", "3_fc_vae.ipynb was not saved.", "3_fc_vae")
    monkeypatch.setattr(hw5_report, "unsaved", lambda notebooks: [finding])
    hw5_report.report()
    assert "3_fc_vae.ipynb was not saved." in capsys.readouterr().out
    assert refused(capsys).count("3_fc_vae.ipynb was not saved.") == 1
    assert hw5_report.bundle(anyway=True)
    monkeypatch.setattr(hw5_report, "unsaved", lambda notebooks: [])
    assert hw5_report.bundle()
    assert "was not saved" not in capsys.readouterr().out.split("knowingly")[-1].split("ready")[-1]


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


def test_the_bundle_holds_all_that_is_handed_in(folder, capsys, unprinted):
    for name in ("vae_generation.jpg", "vis_latent_space.pdf", "vis_data_space.pdf", "other.jpg"):
        (folder / name).write_bytes(name.encode())
    for epoch in (0, 10, 20, 90, 100):
        (folder / f"test_{epoch}.png").write_bytes(b"x")
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


def test_what_is_no_longer_needed_to_hand_it_in_is_said(folder, capsys, unprinted):
    """The last cell is saved as it was run, and would pass what comes to be wrong later."""
    assert hw5_report.bundle(anyway=True)
    said = capsys.readouterr().out
    assert "anyway=True is no longer needed: take it out of the cell.\n" in said
    assert "all the same" not in said
    assert hw5_report.bundle()
    assert "anyway" not in capsys.readouterr().out


def test_a_bundle_is_read_as_one_submission(folder):
    from autograder.assignment import read_assignment
    from autograder.intake.submissions import read_submission

    hw5_report.report()
    handin = read_submission(hw5_report.bundle(), read_assignment())
    assert {"hw5_vae.py", "hw5_gan.py", "netid", "hw5.pdf", "3_fc_vae.ipynb"} <= set(handin.files)
    assert handin.flags == () and handin.members == ("ada1",)


def refused(capsys) -> str:
    """What the bundle says where it asks to be told again; then it can be passed knowingly."""
    capsys.readouterr()
    assert hw5_report.bundle() is None
    assert not list(Path.cwd().glob("*.zip"))
    said = capsys.readouterr().out
    assert "Nothing is handed in yet." in said
    assert said.endswith("knowingly: bundle(anyway=True)\n")
    return said


def test_the_bundle_makes_the_report_where_it_is_missing_or_of_another_state(folder, capsys):
    assert hw5_report.bundle()
    first = Path("hw5.pdf").read_bytes()
    hw5_report.bundle()
    assert Path("hw5.pdf").read_bytes() == first
    changed = coursework(answer="Another answer, after the report.")
    save(changed, folder / "notebooks" / "3_fc_vae.ipynb")
    hw5_report.bundle()
    assert "Another answer, after the report." in text_of(Path("hw5.pdf"))
    module = folder / "hw5_vae.py"
    module.write_text(
        module.read_text().replace("def loss_function(", "def loss_function(  # mine\n")
    )
    path = hw5_report.bundle()
    assert "# mine" in text_of(Path("hw5.pdf"))
    with zipfile.ZipFile(path) as archive:
        assert archive.read("hw5.pdf") == Path("hw5.pdf").read_bytes()
    Path("hw5.json").write_text("{ cut off")
    hw5_report.bundle()
    assert json.loads(Path("hw5.json").read_text())["pages"]


def test_a_report_is_made_anew_as_it_was_asked_for(folder, capsys):
    hw5_report.report(anonymous=True, code=False)
    assert hw5_report.bundle()
    before = Path("hw5.pdf").read_bytes()
    save(coursework(answer="ada1 says more."), folder / "notebooks" / "3_fc_vae.ipynb")
    hw5_report.bundle()
    text = text_of(Path("hw5.pdf"))
    assert Path("hw5.pdf").read_bytes() != before
    assert "••• says more." in text and "ada1" not in text and "Appendix" not in text


def test_the_report_of_four_pages_goes_in_beside_the_other_and_comes_first_as_well(
    folder, unprinted
):
    save(article(), folder / "notebooks" / "8_report.ipynb")
    hw5_report.bundle(["notebooks/8_report.ipynb"])
    assert list(hw5_report.made_from(Path("hw5.pdf").read_bytes()).sources) == ["8_report"]
    for _ in range(2):
        with zipfile.ZipFile(hw5_report.bundle()) as archive:
            sources = hw5_report.made_from(archive.read("hw5.pdf")).sources
            assert list(sources) == ["3_fc_vae", "5_fc_gan", "hw5_vae.py", "hw5_gan.py"]
            assert "8_report" in hw5_report.made_from(archive.read("hw5_report.pdf")).sources


def test_a_pdf_of_ones_own_is_never_written_over(folder, capsys, unprinted):
    (folder / "hw5.pdf").write_bytes(b"%PDF-1.7 not of this kit")
    assert "hw5.pdf was not made by report()" in refused(capsys)
    path = hw5_report.bundle(anyway=True)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("hw5.pdf") == b"%PDF-1.7 not of this kit"


def test_without_typst_everything_else_can_be_handed_in(folder, capsys, monkeypatch):
    def missing(*_):
        raise ReportError("Typst is missing: pip install typst")

    monkeypatch.setattr(hw5_report, "print_pdf", missing)
    assert "There is no PDF. Typst is missing: pip install typst" in refused(capsys)
    with zipfile.ZipFile(hw5_report.bundle(anyway=True)) as archive:
        assert "hw5.pdf" not in archive.namelist() and "3_fc_vae.ipynb" in archive.namelist()


def renamed(folder: Path) -> None:
    module = folder / "hw5_vae.py"
    module.write_text(module.read_text().replace("def reparametrize(", "def reparametrise("))


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            lambda f: (f / "hw5_vae.py").write_text("x = 1\n\ndef f(:\n"),
            "hw5_vae.py, line 3, is not valid Python: invalid syntax. As it is, all of its code "
            "earns nothing: vae-theory, bernoulli-vae, autoencoder, fc-vae.",
        ),
        (renamed, "hw5_vae.py has no reparametrize, which fc-vae.reparametrize take"),
        (lambda f: (f / "hw5_gan.py").unlink(), "the code of fc-gan earns nothing."),
        (
            lambda f: save(coursework(netid="your netid"), f / "notebooks" / "3_fc_vae.ipynb"),
            "“netid” was taken for a NetID and does not look like one.",
        ),
        (
            lambda f: save(coursework(netid="Ada Lovelace"), f / "notebooks" / "3_fc_vae.ipynb"),
            "“Ada Lovelace” was taken for a NetID and looks like a name.",
        ),
        (
            lambda f: save(coursework(netid="ada1, bob2"), f / "notebooks" / "3_fc_vae.ipynb"),
            "2 NetIDs are named (ada1, bob2), too many for fc-vae, fc-gan.",
        ),
        (
            lambda f: (f / "notebooks" / "6_x.ipynb").write_text("{ cut off"),
            "6_x.ipynb is not a notebook: ",
        ),
        (
            lambda f: save(coursework(), f / "notebooks" / "3_fc_vae-Copy1.ipynb"),
            "fc-vae is in 3_fc_vae-Copy1.ipynb and 3_fc_vae.ipynb: delete one",
        ),
    ],
)
def test_what_looks_wrong_is_said_and_can_be_passed_knowingly(
    folder, capsys, edit, sentence, unprinted
):
    edit(folder)
    assert sentence in refused(capsys)
    path = hw5_report.bundle(anyway=True)
    assert path and path.exists()
    said = capsys.readouterr().out
    assert sentence in said.partition("anyway=True stood in the cell, so this is handed in")[2]


def test_two_netids_may_hand_in_a_part_that_allows_for_pairs(folder, capsys, unprinted):
    pair = coursework(part="fc-gan", netid="ada1, bob2", groups={"fc-gan": 2})
    save(pair, folder / "notebooks" / "5_fc_gan.ipynb")
    assert "too many for fc-vae. May be handed in together: fc-gan by up to 2." in refused(capsys)
    path = hw5_report.bundle(["notebooks/5_fc_gan.ipynb"])
    assert path.name == "hw5_ada1--bob2.zip"
    with zipfile.ZipFile(path) as archive:  # of what one of them does alone there is nothing in it
        made_from = hw5_report.made_from(archive.read("hw5.pdf")).sources
        assert "5_fc_gan" in made_from and "3_fc_vae" not in made_from


def test_without_a_netid_nothing_is_handed_in_whatever_is_said(folder, capsys, unprinted):
    for name in ("3_fc_vae", "5_fc_gan"):
        save(coursework(netid=""), folder / "notebooks" / f"{name}.ipynb")
    assert hw5_report.bundle(anyway=True) is None
    said = capsys.readouterr().out
    assert "There is no NetID: write it into the cell NETID" in said
    assert "anyway" not in said and not list(folder.glob("*.zip"))


def test_modules_alone_can_be_handed_in(folder, capsys, unprinted):
    for path in (folder / "notebooks").glob("*.ipynb"):
        path.unlink()
    (folder / "netid").write_text("ada1")
    assert "There is no notebook of this coursework in this folder." in refused(capsys)
    with zipfile.ZipFile(hw5_report.bundle(anyway=True)) as archive:
        assert archive.namelist() == ["netid", "hw5_vae.py", "hw5_gan.py"]


def test_what_is_only_unfinished_is_handed_in_and_named_question_by_question(
    folder, capsys, unprinted
):
    stub = '    raise NotImplementedError("fc-vae.loss: write loss_function (Loss).")\n'
    head, begin, rest = (folder / "hw5_vae.py").read_text().partition("SOLUTION fc-vae.loss\n")
    end = rest[rest.index("    ### END") :]
    (folder / "hw5_vae.py").write_text(head + begin + stub + end)
    save(coursework(part="fc-gan", answer=""), folder / "notebooks" / "5_fc_gan.ipynb")
    assert hw5_report.bundle()
    said = capsys.readouterr().out
    assert "  fc-vae: not written in hw5_vae.py: loss\n" in said
    assert "  fc-gan: not answered: why\n" in said
    assert "Not run and saved, so left out: 4_conv_gan.ipynb." in said
    assert said.index("Earns nothing") < said.index("hw5_ada1.zip is ready, for ada1")
    assert " is not answered" not in said  # once is enough


def test_the_bundle_says_all_that_the_report_says(folder, capsys):
    begin = "WARNING: quick settings\nWARNING: stand-ins are used\n"
    content = coursework(answer="word " * 50, begin=begin, discussed=("b2", "c3", "d4", "e5"))
    content["cells"][5]["execution_count"] = 99
    content["cells"][9]["source"] += " $\\nonsense{$"
    save(content, folder / "notebooks" / "3_fc_vae.ipynb")
    hw5_report.report()
    lines = re.findall(r"^  - (.*)$", capsys.readouterr().out, re.M)
    assert len(lines) >= 6
    hw5_report.bundle()
    said = capsys.readouterr().out
    elsewhere = re.compile("Output of cell|left out")  # in the table, and below it
    assert [one for one in lines if one not in said and not elsewhere.search(one)] == []
    assert "quick, stand-in" in said and "for a try only" in said
    assert "so left out: 4_conv_gan.ipynb" in said


@pytest.mark.parametrize("place", ["", "figures", "runs", "notebooks", "notebooks/figures"])
def test_figures_are_found_where_notebooks_save_them(folder, place, unprinted):
    (folder / place).mkdir(exist_ok=True)
    for name in (
        "vis_data_space.pdf",
        "fc_gan_results.jpg",
        "test_10.png",
        "fc-gan--given_epochs.png",
    ):
        (folder / place / name).write_bytes(b"x")
    with zipfile.ZipFile(hw5_report.bundle()) as archive:
        names = set(archive.namelist())
    assert {"vis_data_space.pdf", "fc_gan_results.jpg", "test_10.png"} <= names
    assert "fc-gan--given_epochs.png" not in names


def test_every_picture_that_a_notebook_or_a_command_saves_is_looked_for():
    saved = set()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                saved |= set(re.findall(r'"(\w+\.(?:jpg|png|pdf))"', source))
                for folder in re.findall(r'(?:Path\(|\bout=)"(\w+)"', source):
                    assert folder in hw5_report.FOLDERS, f"{path.name}: {folder}"
    for name in ("hw5_vae.py", "hw5_gan.py"):
        text = (ROOT / name).read_text()
        saved |= {f"x{end}" for end in re.findall(r'"\{\w+\}(_\w+\.(?:jpg|png))"', text)}
        saved |= set(re.findall(r'"(\w+\.(?:jpg|png))"', text))
        saved |= set(re.findall(r'"(vis_\w+\.pdf)"', text))
    assert len(saved) > 12
    # losses are no figure that is asked for, nor are single epochs of the last part but one
    missed = [n for n in saved if not any(fnmatch(n, one) for one in hw5_report.PICTURES)]
    assert [name for name in missed if "_losses" not in name] == []


def test_the_bundle_warns_about_names_where_marks_are_given_without_them(folder, capsys):
    content = coursework(part="fc-gan", answer="ada1 wrote this.", anonymous=["fc-gan"])
    save(content, folder / "notebooks" / "5_fc_gan.ipynb")
    hw5_report.report()
    hw5_report.bundle()
    assert "5_fc_gan: Cell 10 (fc-gan--why) shows a name (ada1)" in capsys.readouterr().out


def test_the_shell_has_both_commands(folder, monkeypatch):
    command = [sys.executable, ROOT / "hw5_report.py", "report", "notebooks/3_fc_vae.ipynb"]
    done = subprocess.run(
        [*command, "--out", "a.pdf"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "a.pdf: 6 pages" in done.stdout
    bundle = ["hw5_utils.py", "bundle", "--pdf", "a.pdf", "notebooks/3_fc_vae.ipynb"]
    monkeypatch.setattr(sys, "argv", bundle)
    with pytest.raises(SystemExit) as ended:  # as the shell runs it, where torch is there already
        runpy.run_path(str(ROOT / "hw5_utils.py"), run_name="__main__")
    assert ended.value.code == 0
    assert (folder / "hw5_ada1.zip").exists()


def test_the_commands_have_the_same_ways_out(folder, unprinted, capsys):
    (folder / "hw5_gan.py").unlink()
    assert hw5_report.main(["bundle"]) == 1
    said = capsys.readouterr().out
    assert said.endswith("knowingly: python hw5_report.py bundle --anyway\n")
    assert hw5_report.main(["bundle", "--anyway"]) == 0
    assert "--anyway stood in the command, so this is handed in all the same:\n  - " in (
        capsys.readouterr().out
    )
    assert hw5_report.main(["report", "--no-code", "--out", "c.pdf"]) == 0
    assert list(hw5_report.made_from(Path("c.pdf").read_bytes()).sources) == [
        "3_fc_vae",
        "5_fc_gan",
    ]


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
    described = json.loads(resources["outputs"]["./3_fc_vae.json"])
    assert described["questions"][0]["key"] == "fc-vae.loss"


def test_nbconvert_writes_the_map_beside_the_pdf_in_the_folder_it_is_called_in(folder, monkeypatch):
    from nbconvert.nbconvertapp import NbConvertApp

    monkeypatch.chdir(folder / "notebooks")
    app = NbConvertApp()
    app.initialize(["--to", "hw5-pdf", "3_fc_vae.ipynb"])
    app.convert_notebooks()
    assert Path("3_fc_vae.pdf").exists() and Path("3_fc_vae.json").exists()


def test_the_exporter_takes_any_notebook_without_installing_anything(folder, capsys):
    foreign = notebook(markdown("# Homework 2\n\nBy somebody else."), code("1 + 1"))
    save(foreign, folder / "homework.ipynb")
    exporter = hw5_report.HW5PDFExporter()
    pdf, _ = exporter.from_filename("homework.ipynb")
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    assert "Homework 2" in page.extract_text()
    with pytest.raises(AttributeError):
        _ = hw5_report.NoSuchName


WORDS = notebook(markdown("Café “quoted” – kept"), code("x = 1", stream("one\n")))
SAVED = json.dumps(WORDS, ensure_ascii=False)
OLD_CELL = {"cell_type": "code", "input": "print 1", "outputs": [], "language": "python"}
READ = {
    "utf-8 with a mark": b"\xef\xbb\xbf" + SAVED.encode(),
    "utf-16": SAVED.encode("utf-16"),
    "utf-16 without a mark": SAVED.encode("utf-16-le"),
    "cp1252": SAVED.encode("cp1252"),
    "line breaks in strings": SAVED.replace("kept", "kept\n").encode(),
    "no metadata": {"cells": WORDS["cells"], "nbformat": 4},
    "metadata of another kind": {**WORDS, "metadata": {"language": 5, "kernelspec": None}},
    "another kernel": {**WORDS, "metadata": {"language_info": {"name": '"), panic("'}}},
    "half a letter": {**WORDS, "metadata": {"language_info": {"name": "\ud800"}}},
    "the first format": {
        "nbformat": 1,
        "cells": [
            {"cell_type": "text", "text": "Café “quoted” – kept"},
            {"cell_type": "code", "code": "x = 1  # one"},
        ],
    },
    "an old format without metadata": {
        "nbformat": 3,
        "worksheets": [
            {},
            {"cells": [{**OLD_CELL, "input": "x = 1  # one"}, markdown("Café “quoted” – kept")]},
        ],
    },
    "a format to come": {**WORDS, "nbformat": 5},
    "null outputs": {
        **WORDS,
        "cells": [*WORDS["cells"], {"cell_type": "code", "source": None, "outputs": None}, None],
    },
    "an unknown kind of cell": {**WORDS, "cells": [*WORDS["cells"], {"cell_type": "wat"}]},
    "points that are no number": {
        **WORDS,
        "metadata": {"hw5": {"parts": [None], "title": ["A"], "anonymous": [[1]], "groups": 5}},
        "cells": [
            *WORDS["cells"],
            {**markdown("x"), "metadata": {"nbgrader": {"grade": True, "points": []}}},
        ],
    },
    "nested deeply": {**WORDS, "metadata": json.loads('{"a":' * 400 + "1" + "}" * 400)},
}
REFUSED = {
    "empty": b"",
    "blank": b" \n",
    "cut off": SAVED.encode()[:90],
    "a web page": b"<html>Not found</html>",
    "nested without end": b'{"cells":' + b"[" * 100_000,
    "a picture": b"\x89PNG\r\n\x1a\n\x00",
    "a list": b"[]",
    "no cells": {"nbformat": 4, "metadata": {}},
    "cells of another kind": {"nbformat": 4, "cells": {"0": markdown("x")}},
    "an old format with holes": {"nbformat": 3, "worksheets": [{"cells": [OLD_CELL, None]}]},
}


def converted(content, tmp_path) -> str:
    """The text of the pages that nbconvert makes of a file."""
    path = tmp_path / "odd.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    pdf, _ = hw5_report.HW5PDFExporter().from_filename(str(path))
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize("content", READ.values(), ids=READ)
def test_nbconvert_makes_pages_of_odd_files(content, tmp_path):
    text = converted(content, tmp_path)
    for words in ("Café “quoted” – kept", "x = 1", "one"):
        assert words in text


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_nbconvert_refuses_what_is_no_notebook_in_a_sentence(content, tmp_path):
    with pytest.raises(SystemExit, match=r"^odd\.ipynb is (not a notebook|of an old format)"):
        converted(content, tmp_path)


def test_nbconvert_says_which_cell_is_not_as_the_format_asks(tmp_path, caplog):
    odd = {**code("x"), "outputs": [{"output_type": "word"}]}
    converted({**notebook(markdown("# A"), odd), "nbformat": 4}, tmp_path)
    assert "odd.ipynb is not as the notebook format asks (cell 2): its pages" in caplog.text


def test_nbconvert_shows_a_sentence_and_no_traceback(folder):
    command = [sys.executable, "-m", "nbconvert", "--to", "hw5-pdf", "folder.ipynb"]
    (folder / "folder.ipynb").mkdir()
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().split("\n")[-1].startswith("folder.ipynb")


@pytest.mark.parametrize("given", [b"no", b"\xe9"])
def test_what_is_piped_into_nbconvert_and_is_no_notebook_ends_with_a_sentence(given, monkeypatch):
    """A SystemExit with words is the sentence that the test above sees in the shell."""
    from nbconvert.nbconvertapp import NbConvertApp

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))
    app = NbConvertApp()
    app.initialize(["--to", "hw5-pdf", "--stdin"])
    with pytest.raises(SystemExit, match=r"^notebook\.ipynb is not "):
        app.convert_notebooks()


ODD = (None, [], {}, "", -1, 1e400, True, "x\ud800", ["a", None, 3], {"a": None}, 10**30, "<svg")


@pytest.mark.daily
@pytest.mark.parametrize("seed", range(24))
def test_nbconvert_makes_pages_or_says_a_sentence_whatever_stands_in_a_notebook(seed, tmp_path):
    chance = random.Random(seed)
    content = coursework()
    for _ in range(3):
        there = content
        while isinstance(there, (dict, list)) and there:
            keys = list(there) if isinstance(there, dict) else range(len(there))
            inside, key = there, chance.choice(keys)
            there = there[key]
            if chance.random() < 0.15:
                break
        inside[key] = copy.deepcopy(chance.choice(ODD))
    with contextlib.suppress(SystemExit):
        converted(content, tmp_path)
