"""Results: one JSON shape, read back as written."""

from __future__ import annotations

import pytest

from autograder.results import CheckResult, QuestionResult, SubmissionResult, from_json, to_json


def a_result():
    check = CheckResult("a.one.works", "a.one", "fail", 0.5, 2.0, "It works.", "No.", "Think.")
    question = QuestionResult("a.one", "One", "code", "fail", 1.0, 2.0, (check,))
    return SubmissionResult("ada", ("ada",), 1.0, 2.0, (question,), flags=("late",), seed=7)


def test_a_result_is_read_back_as_it_was_written():
    assert from_json(to_json(a_result())) == a_result()


def test_ten_thousand_students_share_the_words_that_are_the_same_for_all():
    one, two = (from_json(to_json(a_result())).question("a.one") for _ in range(2))
    assert one.title is two.title and one.checks[0].message is two.checks[0].message


def test_equal_results_are_equal_bytes():
    assert to_json(a_result()) == to_json(a_result())


def test_a_question_is_found_by_its_full_id():
    assert a_result().question("a.one").points == 1.0
    with pytest.raises(KeyError):
        a_result().question("a.two")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1, "id": "x"}'])
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError):
        from_json(text)
