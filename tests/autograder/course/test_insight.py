"""Does the class's page say what a teacher has to know, and name nobody?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.__main__ import main
from autograder.assignment import read_assignment
from autograder.checking.proxy import StudentError
from autograder.course import insight_page
from autograder.course.insight import NOT_KNOWN, NOT_SHOWN, SHOWN, UNWRITTEN, look
from autograder.export import feedback
from autograder.grading import judge
from autograder.parts import all_mistakes
from autograder.results import FAIL, PASS, TIMEOUT, UNGRADABLE, to_json
from tests.autograder.export.test_feedback import ATTRIBUTES, KNOWN, Page
from tests.autograder.small_class import check, question, submission

DRAWN = {"svg", "rect", "text", "line", "circle", "table", "thead", "tbody", "tr", "th", "td", "ol"}
SHAPES = {
    "viewbox", "role", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height",
    "fill", "fill-opacity", "stroke", "text-anchor", "title", "aria-label",
}  # fmt: skip


def student(number, right, loss=PASS, message="", networks=8.0, **more):
    """One of a class: `right` of `networks`, and how the one check of `loss` ended."""
    return submission(
        f"s{number:02}",
        question("fc-vae.networks", networks * right, 8, check("encoder", "fc-vae.networks")),
        question(
            "fc-vae.loss",
            2.0 * (loss == PASS) if loss != UNGRADABLE else None,
            2,
            check("fc-vae.loss.bound", "fc-vae.loss", loss, message=message),
            state=loss,
        ),
        question("fc-gan.noise", 3 * right, 3, check("range", "fc-gan.noise")),
        **more,
    )


def sentence():
    """A known mistake of the loss, as a check quotes it."""
    return next(m.sentence for m in all_mistakes() if m.question == "fc-vae.loss" and m.sentence)


def test_a_known_mistake_is_counted_among_those_who_wrote_the_question(assignment):
    said = f"The loss is off by 0.{{}} times. It looks like this: {sentence()}"
    results = [
        *(student(n, 1, FAIL, said.format(n)) for n in range(3)),
        *(student(n, 1) for n in range(3, 9)),
        student(9, 0, FAIL, "This is not implemented yet."),
    ]
    mistake = look(results, assignment).mistakes[0]
    assert (mistake.text, mistake.count, mistake.tried) == (sentence(), 3, 9)
    assert mistake.known


def test_messages_that_differ_in_numbers_are_one_mistake(assignment):
    results = [student(n, 1, FAIL, f"mu has {n} entries, not 7.") for n in range(4)]
    mistakes = look([*results, *(student(n, 1) for n in range(4, 12))], assignment).mistakes
    assert [one.count for one in mistakes] == [4]
    assert mistakes[0].text in {f"mu has {n} entries, not 7." for n in range(4)}


def test_of_each_known_mistake_it_is_said_whether_a_visible_check_shows_it(assignment):
    own = [m for m in all_mistakes() if m.question == "vae-theory.1j"]
    seen = next(m.sentence for m in own if not m.unseen)
    hidden = next(m.sentence for m in own if m.unseen)
    results = [
        submission(
            f"s{n}",
            question("vae-theory.1j", 0, 2, check("term", "vae-theory.1j", FAIL, message=message)),
        )
        for n, message in enumerate(
            [f"No. It looks like this: {seen}", f"No. It looks like this: {hidden}", "Three."]
        )
    ]
    found = look(results, assignment)
    assert {m.text: m.visible for m in found.mistakes} == {
        seen: SHOWN,
        hidden: NOT_SHOWN,
        "Three.": NOT_KNOWN,
    }
    assert (found.known, found.shown) == (2, 1)
    text = " ".join(Page(insight_page.page(found, assignment)).text.split())
    assert 'Shown by check("vae-theory.1j")' in text
    assert "marked unseen: which of the four it is." in text
    assert "made 2 times in all. 1 of these" in text


def test_what_follows_from_a_known_mistake_is_not_counted_beside_it(assignment):
    told = check("a", "fc-vae.loss", FAIL, message=f"No. It looks like this: {sentence()}")
    other = check("b", "fc-vae.loss", FAIL, message="The mean is off.")
    both = submission("x", question("fc-vae.loss", 0, 2, told, other))
    assert [m.text for m in look([both], assignment).mistakes] == [sentence()]


def test_a_check_that_everybody_fails_stands_first(assignment):
    results = [student(n, 1, FAIL, "The bound is off.") for n in range(12)]
    found = look(results, assignment)
    assert [one.check for one in found.suspects] == ["fc-vae.loss.bound"]
    assert "all 12" in found.suspects[0].why
    text = Page(insight_page.page(found, assignment)).text
    assert text.index("Look at these checks first") < text.index("Monday")
    assert not found.monday, "what a broken check says is not taught again"


def test_a_check_that_fails_the_good_is_named_with_whom_to_look_at(assignment):
    results = [student(n, n / 40, FAIL if n > 25 else PASS, "Off.") for n in range(40)]
    (suspect,) = look(results, assignment).suspects
    assert "Good students fail: 6 of the better half (20) pass it, and 20 of the other" in (
        suspect.why
    )
    assert suspect.ids[0] == "s39"


def test_a_hard_check_that_the_good_pass_is_no_suspect(assignment):
    results = [student(n, n / 40, PASS if n > 30 else FAIL, "Off.") for n in range(40)]
    assert not look(results, assignment).suspects


def test_a_check_that_failed_on_our_side_is_a_suspect_however_few_it_met(assignment):
    found = look([student(1, 1), student(2, 1, UNGRADABLE, "KeyError")], assignment)
    assert "failed on our side for 1" in found.suspects[0].why


def test_a_question_that_sets_good_and_weak_apart_tells_so(assignment):
    results = [student(n, n / 20, PASS if n > 10 else FAIL) for n in range(20)]
    figures = {q.question: q for part in look(results, assignment).parts for q in part.questions}
    assert figures["fc-vae.loss"].tells > 0.8
    assert figures["fc-vae.loss"].full == 9 and figures["fc-vae.loss"].nothing == 11


def test_what_is_not_written_is_neither_wrong_nor_taught_again(assignment):
    results = [student(n, 1, FAIL, "This is not implemented yet.") for n in range(8)]
    found = look(results, assignment)
    assert found.parts[0].questions[1].unwritten == 8
    assert not found.monday and not found.mistakes and not found.suspects


def test_the_judge_says_unwritten_in_the_words_that_are_looked_for():
    todo = StudentError("todo", "NotImplementedError", "", "")
    assert UNWRITTEN.search(judge._student_error(todo)[2])
    part = read_assignment().part("fc-vae")
    missing = judge.import_module(part, judge.Run({}, lambda files: pytest.fail("nothing to run")))
    assert UNWRITTEN.search(missing.message)


def test_who_handed_in_nothing_is_counted_and_spoils_no_figure(assignment):
    empty = student(1, 0, FAIL, flags=("empty",))
    found = look([student(2, 1), empty, student(3, 1, flags=("late",), attempts=3)], assignment)
    assert found.graded == 2 and found.parts[0].questions[0].ease == 1
    text = Page(insight_page.page(found, assignment)).text
    assert "1 of 3: handed in after the due date" in text
    assert "1 handed in 3 times" in text


def test_every_flag_is_said_in_words():
    assert insight_page.FLAGS.keys() == feedback.FLAGS.keys() | {"unloadable", "vanished"}


def test_a_class_without_any_work_has_a_page(assignment):
    found = look([student(1, 0, FAIL, flags=("empty",))], assignment)
    assert "1 submission, 1 in no figure below" in Page(insight_page.page(found, assignment)).text


def test_what_ran_out_of_time_is_counted(assignment):
    found = look([student(n, 1, TIMEOUT) for n in range(2)], assignment)
    assert found.stopped == (("fc-vae.loss.bound", "fc-vae.loss.bound is right.", TIMEOUT, 2),)


def test_the_example_is_code_of_the_last_attempt_without_comments_and_names(assignment, tmp_path):
    one = student(1, 1, FAIL, "Ada Lovelace (s01) is off.", members=("s01", "lovelace"), attempts=2)
    home = tmp_path / "attempts" / "s01" / "2"
    home.mkdir(parents=True)
    (home / "hw5_vae.py").write_text(
        "### BEGIN YOUR CODE fc-vae.loss\n"
        "    # by Lovelace\n"
        "    lovelace = x * 2  # mine, s01\n"
        "### END YOUR CODE fc-vae.loss\n"
    )
    mistake = look([one], assignment, tmp_path).mistakes[0]
    assert mistake.code == "[name] = x * 2"
    assert mistake.said == "Ada [name] ([name]) is off."


def test_no_text_of_a_student_acts_and_nothing_is_loaded(assignment, hostile, class_of):
    page = Page(insight_page.page(look([*hostile, *class_of], assignment), assignment))
    assert not page.open
    for tag, attributes in page.tags:
        assert tag in KNOWN | DRAWN
        assert set(attributes) <= ATTRIBUTES | SHAPES | {"aria-hidden"}
        assert "href" not in attributes
        assert not attributes.get("fill", "var(").startswith("url")


def test_the_page_names_no_student(assignment, class_of):
    html = insight_page.page(look(class_of, assignment), assignment)
    assert not [one.id for one in class_of if f">{one.id}<" in html or f" {one.id} " in html]


def test_the_command_writes_the_page_of_a_folder_of_marks(tmp_path, capsys):
    results = tmp_path / "marks" / "results"
    results.mkdir(parents=True)
    for n in range(6):
        one = replace(student(n, 1, FAIL, "Off."), seed=1)
        (results / f"{one.id}.json").write_text(to_json(one))
    assert main(["insight", str(tmp_path / "marks"), "--out", str(tmp_path / "class.html")]) == 0
    assert "Nobody passes: all 6" in (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "Look at s00, s01, s02." in capsys.readouterr().out


def test_a_folder_without_results_is_named(tmp_path, capsys):
    assert main(["insight", str(tmp_path), "--out", str(tmp_path / "class.html")]) == 2
    assert "holds no results" in capsys.readouterr().err
