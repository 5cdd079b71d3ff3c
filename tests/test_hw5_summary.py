"""What a student is told before handing in: a line a part, and what earns nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from hw5_notebook import parse_notebook, read_notebook
from hw5_summary import full_run, losses, outdated, states, table
from hw5_written import Asked, Module, questions_asked, read_modules
from tests.notebooks_awkward.cells import code, stream
from tests.notebooks_awkward.coursework import BEGIN, coursework

ROOT = Path(__file__).resolve().parent.parent
ASSIGNMENT = read_assignment()
ASKED = {"fc-vae.loss": Asked("hw5_vae.py", ("loss_function",))}
LOSS = "def loss_function(a, b):\n    {}\n"


def modules(body: str = "return 1") -> dict[str, Module]:
    return {"hw5_vae.py": Module("hw5_vae.py", LOSS.format(body).encode())}


def book(**changes):
    return parse_notebook(coursework(**changes), "3_fc_vae")


def state_of(key: str, notebook, files=None):
    found = states([notebook], modules() if files is None else files, ASKED)
    return next(state for state in found if state.question.key == key)


def cell_of(notebook: dict, id: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell["id"] == id)


def test_a_complete_notebook_can_earn_everything():
    found = states([book()], modules(), ASKED)
    assert table(found, [book()]) == [
        "  part    written  figures  code    full run  can earn",
        "  fc-vae  1 of 1   1 of 1   1 of 1  yes       13 of 13",
    ]
    assert losses(found) == []


def test_what_is_not_there_earns_nothing_and_is_named():
    content = coursework(answer="YOUR ANSWER HERE")
    cell_of(content, "fc-vae--figures--draw")["outputs"] = []
    one = parse_notebook(content, "3_fc_vae")
    found = states([one], modules("raise NotImplementedError"), ASKED)
    assert table(found, [one])[1].endswith("0 of 1   0 of 1   0 of 1  yes       0 of 13")
    assert losses(found) == [
        "Earns nothing as it is (13 points):",
        "  fc-vae: not written in hw5_vae.py: loss",
        "  fc-vae: figure missing: figures",
        "  fc-vae: not answered: why",
    ]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "hw5_vae.py is missing"),
        (modules("return ("), "hw5_vae.py is not valid Python"),
        ({"hw5_vae.py": Module("hw5_vae.py", b"x = 1")}, "hw5_vae.py has no loss_function"),
    ],
)
def test_without_its_file_code_earns_nothing(files, words):
    state = state_of("fc-vae.loss", book(), files)
    assert state.lost and state.words == words


def test_an_answer_cell_that_is_gone_is_an_answer_that_is_missing():
    content = coursework()
    content["cells"] = [cell for cell in content["cells"] if cell["id"] != "fc-vae--why"]
    assert state_of("fc-vae.why", parse_notebook(content, "3_fc_vae")).words == "not answered"


def test_a_figure_cell_that_is_gone_is_a_figure_that_is_missing():
    content = coursework()
    kept = [cell for cell in content["cells"] if cell["id"] != "fc-vae--figures--draw"]
    content["cells"] = kept
    assert state_of("fc-vae.figures", parse_notebook(content, "3_fc_vae")).words == "figure missing"


def test_of_a_question_in_words_and_figures_words_alone_earn_something():
    content = coursework()
    cell_of(content, "fc-vae--figures--draw").update(id="fc-vae--why--draw")
    cell_of(content, "fc-vae--why--draw")["outputs"] = []
    state = state_of("fc-vae.why", parse_notebook(content, "3_fc_vae"))
    assert not state.lost and state.words == "figure missing"
    assert losses([state]) == ["Earns less:", "  fc-vae: why: figure missing"]
    cell_of(content, "fc-vae--why--draw")["outputs"] = coursework()["cells"][7]["outputs"]
    cell_of(content, "fc-vae--why")["source"] = ""
    state = state_of("fc-vae.why", parse_notebook(content, "3_fc_vae"))
    assert state.lost and state.words == "not answered"


def test_code_that_is_half_written_earns_less():
    text = "class V:\n"
    for name in ("a", "b"):
        text += f"    def {name}(self):\n        ### BEGIN YOUR CODE fc-vae.loss\n        "
        body = "return 1" if name == "a" else 'raise NotImplementedError("fc-vae.loss: write V.b")'
        text += f"{body}\n        ### END YOUR CODE fc-vae.loss\n"
    files = {"hw5_vae.py": Module("hw5_vae.py", text.encode())}
    asked = {"fc-vae.loss": Asked("hw5_vae.py", ("V",))}
    found = states([book()], files, asked)
    assert losses(found) == ["Earns less:", "  fc-vae: loss: V.b is not written"]


def test_bonus_points_come_on_top():
    content = coursework()
    loss = cell_of(content, "fc-vae--loss")
    loss["source"] = loss["source"].replace("7 points", "7 bonus points")
    one = parse_notebook(content, "3_fc_vae")
    assert table(states([one], modules(), ASKED), [one])[1].endswith("6 of 6 + 7 bonus")
    found = states([one], {}, ASKED)
    assert table(found, [one])[1].endswith("6 of 6")
    assert losses(found)[:1] == ["Earns nothing as it is (0 points):"]
    assert losses(found)[1].endswith("loss (bonus)")


@pytest.mark.parametrize(
    ("begin", "words"),
    [
        (BEGIN, "yes"),
        (f"{BEGIN}WARNING: quick settings\n", "quick"),
        (f"{BEGIN}WARNING: stand-ins\nWARNING: quick settings\n", "quick, stand-in"),
    ],
)
def test_a_run_is_full_with_real_settings_and_data(begin, words):
    assert full_run("fc-vae", [book(begin=begin)]) == words


def test_figures_of_a_quick_run_earn_little_and_are_not_counted():
    one = book(begin=f"{BEGIN}WARNING: quick settings\n")
    found = states([one], modules(), ASKED)
    assert table(found, [one])[1].endswith("1 of 1   1 of 1   1 of 1  quick     9 of 13")
    assert losses(found) == [
        "Earns little or nothing as it is (4 points):",
        "  fc-vae: figure of a quick run: figures",
    ]


def test_figures_of_code_that_is_no_longer_there_earn_little():
    content = coursework()
    empty = modules("raise NotImplementedError")
    one = parse_notebook(content, "3_fc_vae")
    assert outdated(one, empty, ASKED) == ["fc-vae.loss"]  # it has figures, and none of the code
    assert outdated(one, modules(), ASKED) == []
    found = states([one], empty, ASKED)
    assert "  fc-vae: figure of other code than is handed in: figures" in losses(found)
    for said, away in (("NOT YET  write it", []), ("passed", ["fc-vae.loss"])):
        check = code("check()", stream(f"\n  loss  {said}\n"), id="fc-vae--loss--check")
        told = {**content, "cells": [*content["cells"][:6], check, *content["cells"][6:]]}
        assert outdated(parse_notebook(told, "3_fc_vae"), empty, ASKED) == away


def test_a_training_that_was_stopped_is_no_full_run():
    content = coursework()
    cell_of(content, "fc-vae--loss--try")["outputs"] = [stream("Stopped in epoch 3 of 10. Run it")]
    assert full_run("fc-vae", [parse_notebook(content, "3_fc_vae")]) == "stopped"


def test_a_part_of_which_cells_were_left_out_is_run_in_part():
    content = coursework()
    cell_of(content, "fc-vae--loss--try")["execution_count"] = None
    assert full_run("fc-vae", [parse_notebook(content, "3_fc_vae")]) == "in part"
    cell_of(content, "fc-vae--figures--draw")["execution_count"] = None
    assert full_run("fc-vae", [parse_notebook(content, "3_fc_vae")]) == "not run"
    cell_of(content, "fc-vae--figures--draw")["metadata"] = {"hw5": {"aside": True}}
    cell_of(content, "fc-vae--loss--try")["execution_count"] = 3
    assert full_run("fc-vae", [parse_notebook(content, "3_fc_vae")]) == "yes"


def test_of_two_copies_of_a_notebook_the_better_one_counts():
    fresh, answered = book(answer="YOUR ANSWER HERE"), book()
    for both in ([fresh, answered], [answered, fresh]):
        assert not any(state.lost for state in states(both, modules(), ASKED))


def test_several_parts_add_up():
    both = [book(), book(part="fc-gan", answer="YOUR ANSWER HERE")]
    lines = table(states(both, modules(), ASKED), both)
    assert [line.split()[0] for line in lines] == ["part", "fc-vae", "fc-gan", "all"]
    assert lines[-1].split()[-3:] == ["17", "of", "19"]  # no check asks for code of fc-gan here


def test_of_a_release_every_question_is_named_with_its_points(released):
    books = [read_notebook(path) for path in sorted(released.glob("*.ipynb"))]
    found = states(books, read_modules(released), questions_asked(released))
    wanted = {
        f"{part.id}.{question.id}": (question.points, question.kind == "bonus")
        for part in ASSIGNMENT.parts
        for question in part.questions
        if question.kind != "info"
    }
    held = {s.question.key: (s.question.points, s.question.bonus) for s in found}
    assert held == wanted
    assert all(state.lost for state in found)
    lines = losses(found)
    listed = re.sub(r"\n {4}", " ", "\n".join(lines)).splitlines()[1:]
    said = [line.strip().replace(" (bonus)", "").split(": ") for line in listed]
    named = [f"{part}.{question}" for part, _, ids in said for question in ids.split(", ")]
    assert sorted(named) == sorted(wanted)
    points = sum(points for points, bonus in wanted.values() if not bonus)
    assert lines[0] == f"Earns nothing as it is ({points:g} points):"
    assert table(found, books)[-1].endswith(f"0 of {points:g}")


def test_of_the_solution_nothing_judged_is_named(released):
    books = [read_notebook(path) for path in sorted(released.glob("*.ipynb"))]
    found = states(books, read_modules(ROOT), questions_asked(ROOT))
    assert not any(state.missing.get("code") or state.unwritten for state in found)
