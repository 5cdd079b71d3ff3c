"""A class's PDFs, printed in the sandbox, and what the PDFs show that were handed in."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import shutil
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader

from autograder import __main__ as command_line
from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT
from autograder.intake.submissions import Handin
from autograder.notebooks import printing as report
from autograder.sandbox.zygote import SandboxError
from hw5_notebook import About, parse_notebook
from hw5_pages import print_pdf
from hw5_written import Module
from tests.autograder.attacks import lacking
from tests.notebooks_awkward.cells import markdown, notebook
from tests.notebooks_awkward.coursework import coursework

ASSIGNMENT = read_assignment()
FC_VAE = [ASSIGNMENT.part("fc-vae")]


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if not sys.platform.startswith("linux") or shutil.which("bwrap") is None:
        lacking("a student's text is set in namespaces alone, which bubblewrap makes")


CODE = b"""
def loss_function():
    ### BEGIN YOUR CODE fc-vae.loss
    # The reparametrization trick is another question.
    return 42
    ### END YOUR CODE fc-vae.loss
"""


def handed_in(netid: str, **files: bytes) -> Handin:
    names = {name.replace("__", "."): data for name, data in files.items()}
    return Handin(netid, (netid,), {"netid": f"{netid}\n".encode(), **names})


def as_file(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode()


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def text_of(data: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)


@pytest.fixture(scope="module")
def own_pdf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a student prints of the notebook of fc-vae."""
    import hw5_report

    folder = tmp_path_factory.mktemp("own")
    content = json.loads((ROOT / "notebooks" / "3_fc_vae.ipynb").read_text())
    for cell in content["cells"]:
        if cell["id"] == "about":
            cell["source"] = 'NETID = "ada1"'
    (folder / "3_fc_vae.ipynb").write_text(json.dumps(content))
    hw5_report.write_report(
        [folder / "3_fc_vae.ipynb"], folder / "hw5.pdf", None, False, lambda _: None
    )
    return (folder / "hw5.pdf").read_bytes()


class TestPrinting:
    @pytest.fixture(scope="class")
    @classmethod
    def printed(cls, tmp_path_factory: pytest.TempPathFactory) -> dict[str, report.Printed]:
        reading = (
            '![](/etc/passwd)\n\n\\input{/etc/passwd}\n\n```{=typst}\n#read("/etc/passwd")\n```'
        )
        group = [
            handed_in("ada1", a__ipynb=as_file(coursework(netid="ada1")), hw5_vae__py=CODE),
            handed_in("bob2", a__ipynb=b"{ this is no notebook"),
            handed_in("cyd3"),
            handed_in("eve4", a__ipynb=as_file(notebook(markdown(reading, "title")))),
            handed_in(
                "fay5",
                a__ipynb=as_file(coursework(netid="fay5")),
                b__ipynb=b"[]",
            ),
        ]
        cls.out = tmp_path_factory.mktemp("pdfs")
        made = report.print_class(group, cls.out, 2, ASSIGNMENT.parts)
        return {one.id: one for one in made}

    def test_a_notebook_becomes_a_pdf_with_its_page_map(self, printed):
        one = printed["ada1"]
        assert one.problem == "" and set(one.files) == {"ada1.pdf", "ada1.json"}
        assert "ada1" in text_of(one.files["ada1.pdf"])
        described = json.loads(one.files["ada1.json"])
        assert [question["key"] for question in described["questions"]]
        assert (self.out / "ada1.pdf").read_bytes() == one.files["ada1.pdf"]

    def test_the_code_that_was_handed_in_stands_behind_it(self, printed):
        described = json.loads(printed["ada1"].files["ada1.json"])
        assert [one["key"] for one in described["code"]] == ["fc-vae.loss"]
        assert "return 42" in text_of(printed["ada1"].files["ada1.pdf"])
        assert json.loads(printed["fay5"].files["fay5.json"])["code"] == []

    def test_one_broken_notebook_stops_no_other(self, printed):
        assert printed["bob2"].files == {} and "no notebook" in printed["bob2"].problem
        assert printed["cyd3"].problem == "No notebook was handed in."
        assert "fay5.pdf" in printed["fay5"].files
        assert any(one["kind"] == "unreadable" for one in printed["fay5"].findings)

    def test_nothing_of_this_machine_is_in_a_pdf(self, printed):
        assert "eve4.pdf" in printed["eve4"].files
        assert "root:" not in text_of(printed["eve4"].files["eve4.pdf"])

    def test_a_table_lists_what_somebody_should_look_at(self, printed):
        rows = rows_of(self.out / "findings.csv")
        assert {row["id"] for row in rows if row["kind"] == "failed"} == {"bob2", "cyd3"}


def test_no_finding_acts_in_a_table_or_a_terminal():
    said = {"kind": "=1+1", "sentence": "\x1b[31mred\u202e and \ud800"}
    (line,) = report._table([report.Printed("ada1", {}, (said,), 1, "")]).splitlines()[1:]
    assert line == r"ada1,'=1+1,,,,\x1b[31mred\u202e and \ud800"


def test_what_comes_back_in_another_form_is_no_pdf_and_stops_no_other(monkeypatch):
    deep: object = "deep"
    for _ in range(100_000):  # newer Pythons read so much of JSON, and write no more than before
        deep = [deep]
    pdf = base64.b64encode(b"%PDF-1.7").decode()
    for line in (
        {"pdf": pdf, "map": {"pages": deep}},
        {"pdf": deep, "map": {}},
        {"pdf": pdf, "map": deep},
        {"unreadable": deep},
        {"stopped": deep},
    ):
        monkeypatch.setattr(report, "_said", lambda *_, line=line, **__: [line])
        assert report.print_one(handed_in("ada1", a__ipynb=b"{}"), FC_VAE).files == {}


def test_parts_and_names_are_left_out_where_asked(own_pdf):
    two = coursework(netid="ada1")
    made = report.print_one(handed_in("ada1", a__ipynb=as_file(two)), FC_VAE, anonymous=True)
    text = text_of(made.files["ada1.pdf"])
    assert "ada1" not in text and "Anonymous" in text
    none = report.print_one(
        handed_in("ada1", a__ipynb=as_file(two)), [ASSIGNMENT.part("ae-gan")], anonymous=True
    )
    assert none.files == {} and "ae-gan" in none.problem


class TestWhatWasHandedIn:
    def test_a_whole_pdf_shows_netid_and_questions(self, own_pdf):
        (one,) = report.shown(handed_in("ada1", hw5__pdf=own_pdf), FC_VAE)
        assert one.whole and one.lacks == () and one.pages > 5
        assert "shows the NetID on its first page and 6 of 6 questions." in one.sentence()

    def test_another_netid_and_other_parts_are_missing(self, own_pdf):
        parts = [*FC_VAE, ASSIGNMENT.part("ae-gan")]
        (one,) = report.shown(handed_in("zoe9", hw5__pdf=own_pdf), parts)
        assert not one.netid and not one.whole
        assert one.lacks and all(key.startswith("ae-gan.") for key in one.lacks)
        assert "does not show the NetID" in one.sentence()

    def test_what_only_the_code_speaks_of_is_lacking_and_pictures_are_no_report(self):
        book = parse_notebook(coursework(netid="ada1"), "3_fc_vae")
        modules = {"hw5_vae.py": Module("hw5_vae.py", CODE)}
        made = print_pdf([book], About(netids=("ada1",)), modules=modules)
        assert "The reparametrization trick" in " ".join(text_of(made.pdf).split())
        files = {"hw5__pdf": made.pdf, "vis_data_space__pdf": b"%PDF-1.7"}
        (one,) = report.shown(handed_in("ada1", **files), FC_VAE)
        assert one.name == "hw5.pdf" and one.netid
        assert "fc-vae.reparametrize" in one.lacks

    def test_a_damaged_pdf_is_a_sentence(self):
        (one,) = report.shown(handed_in("ada1", hw5__pdf=b"%PDF-1.7 and then nothing"), FC_VAE)
        assert one.sentence() == "hw5.pdf cannot be read."

    def test_without_a_pdf_nothing_is_said(self):
        assert report.shown(handed_in("ada1"), FC_VAE) == []


@pytest.mark.daily("executed notebooks")
def test_from_the_command_line(own_pdf, tmp_path, capsys):
    """`report` prints a class; `grade` and `check` say what the PDFs show."""
    for netid in ("ada1", "bob2"):
        folder = tmp_path / "class" / netid
        folder.mkdir(parents=True)
        (folder / "netid").write_text(netid)
        (folder / "hw5.pdf").write_bytes(own_pdf)
        (folder / "3_fc_vae.ipynb").write_bytes(as_file(coursework(netid=netid)))
        sample = ROOT / "tests" / "submissions" / "right-sequential" / "hw5_vae.py"
        shutil.copy(sample, folder)
    submissions, pdfs, marks = (str(tmp_path / name) for name in ("class", "pdfs", "marks"))
    assert command_line.main(["report", submissions, "--out", pdfs, "--part", "fc-vae"]) == 0
    assert "2 of 2 submissions are printed" in capsys.readouterr().out
    assert PdfReader(Path(pdfs, "bob2.pdf")).pages

    assert command_line.main(["grade", submissions, "--out", marks, "--part", "fc-vae"]) == 0
    assert "1 of 2 PDFs show a NetID and every question" in capsys.readouterr().out
    rows = rows_of(Path(marks, "pdfs.csv"))
    assert [(row["id"], row["netid"], row["lacks"]) for row in rows] == [
        ("ada1", "yes", ""),
        ("bob2", "no", ""),
    ]
    command = ["check", str(tmp_path / "class" / "bob2"), "--part", "fc-vae"]
    assert command_line.main(command) == 0
    assert "does not show the NetID on its first page" in capsys.readouterr().out


@pytest.mark.parametrize("lines", [0, 1])
def test_a_pdf_whose_process_was_killed_is_made_once_more(tmp_path, monkeypatch, lines):
    """Before it has said anything, and after it has told of its protections."""
    begun = []
    parsed = report.kernel._parsed

    def killed(process, seconds):
        said = parsed(process, seconds)
        yield from itertools.islice(said, lines)
        begun.append(process)
        if len(begun) <= kills:
            process.kill()
        else:
            yield from said

    monkeypatch.setattr(report.kernel, "_parsed", killed)
    group = [handed_in("ada1", a__ipynb=as_file(coursework(netid="ada1")))]
    kills = 1
    (one,) = report.print_class(group, tmp_path, 1, FC_VAE)
    assert one.problem == "" and (tmp_path / "ada1.pdf").exists()
    assert len(begun) == 2

    begun.clear()
    kills = 2
    if lines == 0:
        with pytest.raises(SandboxError, match="was killed"):
            report.print_one(group[0], FC_VAE)
    else:
        one = report.print_one(group[0], FC_VAE)
        assert "was killed" in one.problem and one.files == {}
    assert len(begun) == 2
