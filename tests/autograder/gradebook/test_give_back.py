"""Does nbgrader say of everybody what was published, however often it is given back?"""

from __future__ import annotations

from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.__main__ import main
from autograder.export import results_json
from autograder.gradebook.course import GradebookError, open_course
from autograder.gradebook.give_back import Published, give_back
from autograder.gradebook.judge_scores import JudgeScores
from autograder.gradebook.reading import new_notebook
from tests.autograder.gradebook.small_course import (
    ANSWERS,
    ASSIGNMENT,
    CODE,
    CODED,
    FIGURES,
    FULL,
    HALF,
    graded,
    grades,
    mark_by_hand,
    points,
)


@pytest.fixture
def entered(course: Path) -> Path:
    """A course in which the judge's marks of ada stand, and three answers wait."""
    url = f"sqlite:///{course / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.add_student("ada", first_name="Ada", last_name="Lovelace")
        gradebook.add_submission("hw5", "ada")
    results_json.write([graded("ada")], course / "marks")
    where = {"student": "ada", "assignment": "hw5", "notebook": CODE, "db_url": url}
    JudgeScores(marks=str(course / "marks")).preprocess(new_notebook([]), {"nbgrader": where})
    return course


def total(course: Path) -> tuple[float, bool]:
    """What nbgrader exports: the score without the penalty, and whether something still waits."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        ada = gradebook.find_submission("hw5", "ada")
        score = max(0.0, ada.score - (ada.late_submission_penalty or 0.0))
        return score, bool(ada.needs_manual_grade)


def publish(course: Path, marks: Path, out: Path) -> None:
    command = ["publish", str(marks), "--gradebook", str(course), "--out", str(out)]
    assert main(command) == 0


def test_what_was_decided_and_taken_off_is_in_nbgraders_total(entered, tmp_path, capsys):
    marks, out = tmp_path / "marks", tmp_path / "published"
    results_json.write([graded("ada")], marks)
    for name in (FIGURES, ANSWERS[0]):
        mark_by_hand(entered, "ada", name, points(name))
    loss, half_an_answer = points(CODED[1]), points(ANSWERS[1]) / 2
    most = sum(points(name) for name in (*CODED, FIGURES, *ANSWERS))
    left = most - half_an_answer - 2
    decide = ["override", str(marks), "ada"]
    assert main([*decide, "vae-theory.1f", f"{half_an_answer}", "--reason", "Told orally."]) == 0
    assert main([*decide, "fc-vae.loss", f"{loss}", "--reason", "The check was too strict."]) == 0
    assert main([*decide, "late", "-2", "--reason", "As agreed."]) == 0
    publish(entered, marks, out)
    table = (out / "results.csv").read_text(encoding="utf-8-sig")
    assert f",{left:g},{most:g}," in table
    assert total(entered)[1], "1(f) waits in nbgrader for a person"
    capsys.readouterr()
    assert main(["fill", str(out), str(entered / "gradebook.db")]) == 0
    assert "has 1 of 1 totals" in capsys.readouterr().out
    assert total(entered) == (pytest.approx(left), False)
    there = grades(entered, "ada")
    assert there[CODED[1]] == (HALF, loss, False) and there[CODED[0]] == (FULL, None, False)
    assert main(["fill", str(out), str(entered)]) == 0
    assert grades(entered, "ada") == there and total(entered)[0] == pytest.approx(left)
    capsys.readouterr()
    publish(entered, marks, out)
    assert "Nothing has changed" in capsys.readouterr().out
    assert (out / "results.csv").read_text(encoding="utf-8-sig") == table
    (out / "results.csv").write_text(
        table.replace(f",{most:g},", f",{2 * most:g},"), encoding="utf-8"
    )
    assert main(["fill", str(out), str(entered)]) == 2
    said = f"out of {2 * most:g} points, and assignment.toml now says {most:g}"
    assert said in capsys.readouterr().err


def test_a_release_with_other_points_is_said_and_nothing_is_rescaled(entered, tmp_path, capsys):
    with Gradebook(f"sqlite:///{entered / 'gradebook.db'}") as gradebook:
        gradebook.find_task_cell(CODED[1], CODE, "hw5").max_score = 4 * HALF
        gradebook.db.commit()
    worth, before = 2 * HALF, 4 * HALF
    own = Published({"fc-vae.networks": (FULL, FULL), "fc-vae.loss": (worth, worth)}, FULL + worth)
    with pytest.raises(
        GradebookError,
        match=rf"fc-vae\.loss is worth {before:g} points in .*, and {worth:g} in what",
    ):
        give_back(open_course(entered, ASSIGNMENT), {"ada": own})
    assert grades(entered, "ada")[CODED[1]] == (HALF, None, False)
    results_json.write([graded("ada")], tmp_path / "marks")
    publish(entered, tmp_path / "marks", tmp_path / "published")
    said = capsys.readouterr().out
    assert f"in proportion for fc-vae.loss (out of {before:g} there, and {worth:g} now)." in said


def test_what_nbgrader_has_no_place_for_is_said(entered):
    own = Published({"fc-vae.networks": (FULL, FULL), "conv-gan.DNet": (8.0, 8.0)}, FULL + 10)
    found, notes = give_back(open_course(entered, ASSIGNMENT), {"ada": own, "stranger": own})
    assert (found, notes) == (
        1,
        [
            "ada: there is no cell for conv-gan.DNet, which has 8 points.",
            "ada: the total is 2 points above the marks: give them to a question.",
        ],
    )
