"""Reading notebooks, and finding what to look at before they are handed in."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path

import pytest

from hw5_folder import about
from hw5_notebook import (
    MATH,
    About,
    ReportError,
    check_groups,
    check_people,
    count_words,
    decode_notebook,
    find_names,
    parse_notebook,
    preflight,
    unread,
)
from hw5_notebook import read_notebook as read
from hw5_written import questions_asked
from tests.notebooks_awkward.cells import code, failed, markdown, notebook, picture, shown, stream
from tests.notebooks_awkward.coursework import BEGIN, article, coursework, graded, save

ROOT = Path(__file__).resolve().parent.parent


def parsed(content):
    return parse_notebook(content, "3_fc_vae")


def kinds(content) -> list[str]:
    return [finding.kind for finding in preflight(parsed(content))]


def cell_of(content, id: str):
    return next(cell for cell in content["cells"] if cell.get("id") == id)


def test_cells_belong_to_the_question_that_their_id_names():
    questions = [cell.question for cell in parsed(coursework()).cells]
    assert questions[:4] == ["", "", "", "fc-vae.intro"]
    assert questions[4:6] == ["fc-vae.loss"] * 2
    assert questions[-3:] == ["fc-vae.why", "fc-vae.why", ""]


def test_a_cell_of_the_students_own_stays_with_the_question_before_it():
    content = coursework()
    content["cells"].insert(6, code("my_own = 1", id="3f9a12c4"))
    assert parsed(content).cells[6].question == "fc-vae.loss"


def test_ids_that_colab_moved_or_lost_are_found_or_made_up_for():
    content = coursework()
    for number, cell in enumerate(content["cells"]):
        cell["metadata"] = {**cell["metadata"], "id": cell.pop("id") if number % 2 else "x7Yz"}
        cell.pop("id", None)
    read_again = parsed(content)
    places = [cell.place for cell in read_again.cells]
    assert places.count("about") == places.count("setup") == places.count("hand-in") == 1
    assert {"fc-vae.loss", "fc-vae.figures", "fc-vae.why"} <= {c.question for c in read_again.cells}


def test_the_hash_is_of_what_cells_say_and_show_and_of_nothing_else():
    content = coursework()
    same = copy.deepcopy(content)
    same["metadata"]["colab"] = {"name": "x"}
    same["cells"][-1]["outputs"] = [shown({"text/plain": "hw5.pdf: 6 pages"})]
    for cell in same["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        cell["metadata"] = {**cell["metadata"], "executionInfo": {"user": {}}}
        cell["execution_count"] = 99
    assert parsed(same).sha256 == parsed(content).sha256
    for changed in ("source", "output"):
        other = copy.deepcopy(content)
        if changed == "source":
            cell_of(other, "fc-vae--why")["source"] += "!"
        else:
            cell_of(other, "fc-vae--loss--try")["outputs"][0]["text"] = "tensor(7.0)"
        assert parsed(other).sha256 != parsed(content).sha256


def test_a_complete_notebook_gives_no_finding():
    assert kinds(coursework()) == []
    assert kinds(article()) == []


@pytest.mark.parametrize("blank", ["", "  \n", "YOUR ANSWER HERE"])
def test_an_unanswered_question_is_named(blank):
    finding = preflight(parsed(coursework(answer=blank)))[0]
    assert finding.kind == "unanswered"
    assert finding.question == "fc-vae.why"
    assert finding.cell == "fc-vae--why"
    assert "Why an encoder" in finding.sentence


def test_an_answer_as_it_was_released_counts_as_none():
    content = coursework(answer="Fill in: the encoder is ...")
    flags = cell_of(content, "fc-vae--why")["metadata"]["nbgrader"]
    from nbformat.v4 import new_markdown_cell
    from nbgrader.utils import compute_checksum

    twin = new_markdown_cell("Fill in: the encoder is ...", metadata={"nbgrader": dict(flags)})
    flags["checksum"] = compute_checksum(twin)
    assert kinds(content) == ["unanswered"]
    cell_of(content, "fc-vae--why")["source"] += " needed."
    assert kinds(content) == []


def test_words_are_counted_without_pictures_and_code_and_a_formula_is_one():
    ok = "one two $a + b + c$ `x = 1` five\n\n```\nnot counted at all\n```\n![alt text](a.png)"
    assert kinds(coursework(answer=ok + " word" * 14)) == []
    found = preflight(parsed(coursework(answer=ok + " word" * 30)))
    assert [finding.kind for finding in found] == ["too-long"]
    assert "the limit is 20" in found[0].sentence


def test_an_answer_that_is_only_a_picture_is_not_typed():
    assert kinds(coursework(answer="![photo](attachment:a.jpg)\n")) == ["only-image"]


def test_a_figure_that_was_not_drawn_is_missed():
    content = coursework()
    cell_of(content, "fc-vae--figures--draw")["outputs"] = []
    assert kinds(content) == ["no-figure"]


def test_cells_not_run_or_run_in_another_order_are_named():
    content = coursework()
    cell_of(content, "fc-vae--loss--try")["execution_count"] = None
    finding = preflight(parsed(content))[0]
    assert finding.kind == "not-run"
    assert "Cell 6 (`print(loss_function(x, y))`) was not run" in finding.sentence
    cell_of(content, "fc-vae--loss--try")["execution_count"] = 9
    finding = preflight(parsed(content))[0]
    assert finding.kind == "order"
    assert re.match(
        r"Cell 8 \(`\w.*`\) was run before cell 6 \(`print\(loss_function\(x, y\)\)`\), ",
        finding.sentence,
    )


def test_cells_on_which_no_result_depends_may_be_run_again():
    """Those that say who you are, or check your code."""
    content = coursework()
    again = code('check("fc-vae.loss");', id="fc-vae--loss--check", count=98)
    content["cells"].insert(6, again)
    cell_of(content, "about")["execution_count"] = 99
    assert kinds(content) == []
    again["source"] = "seed = 1"
    assert kinds(content) == ["order"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            "WARNING: quick settings (HW5_QUICK=1): few images and few steps, for a try only.",
            "quick",
        ),
        ("WARNING: stand-ins are used for the data sets (HW5_DATA=digits).", "stand-in"),
    ],
)
def test_quick_settings_and_stand_in_data_are_told(line, kind):
    assert kinds(coursework(begin=f"{BEGIN}{line}\n")) == [kind]


def test_the_warnings_of_the_first_cell_are_those_that_are_looked_for(monkeypatch, capsys):
    import hw5_data
    import hw5_utils

    monkeypatch.setenv("HW5_QUICK", "1")
    monkeypatch.setenv("HW5_DATA", "digits")
    hw5_data._read.cache_clear()  # a set is read, and spoken of, once in a process
    hw5_utils.begin()
    assert sorted(kinds(coursework(begin=capsys.readouterr().out))) == ["quick", "stand-in"]
    hw5_utils.load_mnist(limit=2)
    assert kinds(coursework(begin=capsys.readouterr().out)) == ["stand-in"]


def test_a_training_that_was_stopped_is_told_unless_it_went_on():
    content = coursework()
    said = "Stopped in epoch 3 of 10. Run this cell again, and it goes on after epoch 2.\n"
    cell = cell_of(content, "fc-vae--loss--try")
    cell["outputs"].append(stream(f"Epoch 1\n{said}"))
    finding = preflight(parsed(content))[0]
    assert finding.kind == "stopped" and "Stopped in epoch 3 of 10" in finding.sentence
    cell["outputs"].append(stream("Epoch 3\n"))
    assert kinds(content) == []


def test_given_cells_that_were_deleted_are_told_once():
    content = coursework()
    asked = ("fc-vae.loss", "fc-vae.cvae", "conv-gan.loss_d")  # of the last no cell is in here
    found = preflight(parsed(content), asked)
    assert [one.kind for one in found] == ["deleted", "deleted"]
    assert "fc-vae.cvae" in found[0].sentence and "fc-vae--loss--check" in found[1].sentence
    assert "conv-gan" not in found[0].sentence + found[1].sentence
    content["cells"] = [cell for cell in content["cells"] if cell["id"] != "fc-vae--why--statement"]
    (found,) = preflight(parsed(content))
    assert found.kind == "deleted" and "fc-vae.why" in found.sentence


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_of_a_released_notebook_no_given_cell_is_missed(path):
    found = preflight(read(path), questions_asked(ROOT))
    assert [one.sentence for one in found if one.kind == "deleted"] == []


@pytest.mark.parametrize(
    ("typed", "rather"),
    [
        ("NETID = ada1", 'NETID = "ada1"'),
        ("NETID = “ada1”", 'NETID = "ada1"'),
        ('NETID = "ada1, bob2', 'NETID = "ada1, bob2"'),
        ("NETID = ada1, bob2  # us", 'NETID = "ada1, bob2"'),
        ("SOURCES = [A good book]", 'SOURCES = ["A good book"]'),
    ],
)
def test_what_is_said_of_people_and_cannot_be_read_is_explained(typed, rather):
    content = coursework()
    cell_of(content, "about")["source"] = f'{typed}\nDISCUSSED_WITH = ["cyd3"]'
    (found,) = unread(parsed(content))
    assert f": {rather}." in found.sentence
    assert about([parsed(content)]).discussed == ("cyd3",)
    assert list(unread(parsed(coursework()))) == []


def test_a_cell_that_stopped_with_an_error_is_named():
    content = coursework()
    cell_of(content, "fc-vae--loss--try")["outputs"] = [failed("ValueError", "no", ["ValueError"])]
    assert kinds(content) == ["error"]


def test_the_report_needs_its_headings_in_order_and_three_references():
    wrong = ("Introduction", "Results", "Methodology", "Discussion and conclusion")
    found = preflight(parsed(article(headings=wrong, references=2)))
    assert [finding.kind for finding in found] == ["headings", "references"]
    assert "“Results” comes too early" in found[0].sentence
    lacking = ("Introduction", "Method", "Findings", "Discussion and conclusion")
    assert "is missing" in preflight(parsed(article(headings=lacking)))[0].sentence
    numbered = ("1. Introduction", "2 Methodology", "3. Results", "4. Discussion & Conclusions")
    assert kinds(article(headings=numbered)) == []


def test_names_are_found_where_a_part_is_marked_without_them():
    content = coursework(answer="As Ada1 told bob2, the encoder is needed.")
    content["cells"][5]["metadata"]["executionInfo"] = {"user": {"displayName": "Grace Hopper"}}
    content["cells"][6]["source"] += "\n\nBy Grace Hopper."
    found = find_names([parsed(content)], About(netids=("ada1",), discussed=("bob2",)))
    assert {finding.cell for finding in found} == {"fc-vae--why", "fc-vae--figures"}


@pytest.mark.parametrize("netid", ["ada1", "jsmith42", "a.b-c_d", "AB12"])
def test_netids_that_could_be(netid):
    assert check_people(About(netids=(netid,))) == []


@pytest.mark.parametrize(
    ("netids", "words"),
    [
        (("your", "netid"), "“netid” was taken for a NetID and does not look like one."),
        (("NetID",), "does not look like one"),
        (("a",), "does not look like one"),
        (("x" * 40,), "does not look like one"),
        (("é1",), "does not look like one"),
        (("Ada", "Lovelace"), "“Ada Lovelace” was taken for a NetID and looks like a name."),
        (("Jean-Luc", "O’Neill"), "“Jean-Luc O’Neill” was taken for a NetID and looks like a name"),
        (
            ("ada1@example.edu",),
            "an email address; the NetID is often what stands before the @: “ada1”",
        ),
        (("12345678",), "“12345678” was taken for a NetID and looks like a student number."),
        (("N12345678",), "looks like a student number"),
    ],
)
def test_what_was_taken_for_a_netid_and_does_not_look_like_one(netids, words):
    (found,) = check_people(About(netids=netids))
    assert found.kind == "netid-form" and words in found.sentence
    assert found.sentence.endswith("A NetID is what you log in with, such as ada1.")


def test_without_a_netid_it_says_where_to_write_it():
    assert [finding.kind for finding in check_people(About())] == ["netid"]


def test_more_people_than_a_part_allows_are_told_for_that_part():
    pair = About(netids=("ada1", "bob2"))
    alone = parsed(coursework())
    (found,) = check_groups([alone], pair)
    assert found.kind == "group" and "too many for fc-vae." in found.sentence
    assert check_groups([alone], About(netids=("ada1",))) == []
    together = parsed(coursework(groups={"fc-vae": 2}))
    assert check_groups([together], pair) == []
    assert check_groups([together], About(netids=("ada1", "bob2", "cyd3"))) != []
    assert check_groups([parsed(coursework(groups={"fc-vae": "two"}))], pair) != []


def test_what_is_given_to_look_at_is_no_work_of_a_student():
    content = coursework()
    aside = code(
        "explore(model)", failed("ValueError", "no", ["no"]), id="fc-vae--explore", count=None
    )
    aside["metadata"]["hw5"] = {"aside": True, "figure": True}
    content["cells"].insert(3, aside)
    assert kinds(content) == []
    late = copy.deepcopy(content)
    late["cells"][3]["execution_count"] = 99
    assert kinds(late) == []
    assert parsed(late).sha256 == parsed(content).sha256 == parsed(coursework()).sha256


def test_other_warnings_are_told_as_they_are():
    found = preflight(parsed(coursework(begin=f"{BEGIN}WARNING: a.jpg is not here yet.\n")))
    assert [one.kind for one in found] == ["warning"] and "a.jpg is not here yet" in found[
        0
    ].sentence


@pytest.mark.parametrize(
    "source", ["from hw5_utils import bundle\n\nbundle();", "bundle(anyway=True)"]
)
def test_the_last_cell_is_known_without_its_id_whatever_was_written_into_it(source):
    content = coursework()
    content["cells"][-1].update(id="x1", source=source)
    assert parsed(content).cells[-1].place == "hand-in"


def test_more_than_three_people_to_talk_to_are_too_many():
    found = check_people(About(netids=("ada1",), discussed=("a1", "b2", "c3", "d4")))
    assert [finding.kind for finding in found] == ["discussed"]


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"[1]", b'{"a": 1}', b'"text"', b"[" * 9999]
)
def test_what_is_no_notebook_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ReportError, match=r"x\.ipynb is not a notebook"):
        read(path)
    with pytest.raises(ReportError, match="cannot be read"):
        read(tmp_path / "missing.ipynb")


def test_hostile_cells_are_read_and_never_run(tmp_path):
    path = tmp_path / "ran"
    hostile = code(f'NETID = open({str(path)!r}, "w").write("x")\nNETID = "ada1"', id="about")
    found = parse_notebook(notebook(hostile, markdown("x", metadata=graded("a--b", 1))), "x")
    assert found.kit
    assert not path.exists()


def test_pictures_count_whatever_their_kind(tmp_path):
    content = coursework()
    cell_of(content, "fc-vae--figures--draw")["outputs"] = [
        shown({"image/svg+xml": "<svg></svg>"}),
        shown({"image/jpeg": picture(9, 9, "red", "JPEG")}),
    ]
    assert preflight(read(save(content, tmp_path / "a.ipynb"))) == []


@pytest.mark.parametrize(
    ("cells", "title"),
    [
        ([code("# Mount the drive first"), markdown("# Homework **5**")], "Homework 5"),
        ([markdown("```python\n# a remark\n```\n\n# My answers #")], "My answers"),
        ([markdown("Answers\n=======\n")], "Answers"),
        ([markdown("<h1 align='center'>My\n<b>answers</b></h1>")], "My answers"),
        ([markdown("# ![badge](x.svg)"), markdown("# [Answers](https://example.org)")], "Answers"),
        ([markdown(r"# The $\beta$-VAE, `my_model_name` and \#1 of 2 * 3")],
         "The β-VAE, my_model_name and #1 of 2 * 3"),
        ([markdown("## Only a section"), markdown("    # indented code")], "n"),
        ([code("# Mount the drive first"), markdown("#")], "n"),
    ],
)  # fmt: skip
def test_a_notebook_is_called_by_its_first_heading_in_plain_words(cells, title):
    assert parse_notebook(notebook(*cells), "n").title == title


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b"[" * 100_000, "it is nested too deep."),
        (b'{"cells": [\n1,,', "it is damaged in line 2, at character 3."),
        (b'{"cells": [' + b"9" * 5000 + b"]}", "it is damaged."),
        (b" ", "it is empty."),
    ],
)
def test_what_is_no_notebook_is_told_without_words_of_python(data, wrong):
    with pytest.raises(ReportError) as told:
        decode_notebook(data, "x.ipynb")
    assert str(told.value).startswith(f"x.ipynb is not a notebook: {wrong} Take an earlier copy")


@pytest.mark.parametrize(
    "again", ["`", "<!--", "\\(", "\\[", "\n", "<", "![", "<h1>", "$", "~~", "\\begin{align}"]
)
def test_what_begins_a_hundred_thousand_times_and_never_ends_is_soon_read(again):
    book = parse_notebook(notebook(markdown("# A " + (again * 100_000)[:100_000])), "book")
    began = time.process_time()
    assert preflight(book) == [] and book.heading
    count_words(book.cells[0].source)
    MATH.sub("", book.cells[0].source)
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    "text",
    ["#" + " " * 9_000, "# a" + " #" * 4_500, "# a" + " " * 9_000 + "· 2", "#" + " a " * 3_000],
)
def test_a_heading_that_never_ends_is_soon_read(text):
    before = time.process_time()
    book = parsed(notebook(markdown(text + "\n")))
    assert preflight(book) is not None and book.heading is not None
    assert time.process_time() - before < 2
