"""Are answers equal where nothing but spelling differs, and only there?"""

from __future__ import annotations

import time

import pytest

from autograder.gradebook.equal import equal_answers, plain
from tests.autograder.gradebook.small_course import ANSWERS, WRITTEN, grades


@pytest.mark.parametrize(
    "other",
    [
        "the  KL-divergence is never\nnegative",
        "The KL-divergence is **never** negative.",
        "The KL-Divergence is never negative:",
        "The KL - divergence is never `negative`. ",
    ],
)
def test_trivial_differences_make_no_other_answer(other):
    assert plain(other) == plain("The KL-divergence is never negative.")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It is 0.5.", "It is 05."),
        ("It is -1", "It is 1"),
        ("$n$ samples", "$N$ samples"),
        ("$p(x \\mid z)$", "$p(z \\mid x)$"),
        ("$\\Sigma$", "$\\sigma$"),
        ("$XY$", "$xy$"),
        ("x²", "x2"),
        ("$n!$", "$n$"),
        ("2 * 3", "2 3"),
        ("never negative", "ever negative"),
    ],
)
def test_what_changes_the_meaning_makes_another_answer(one, other):
    assert plain(one) != plain(other)


def test_dollars_and_spaces_in_formulas_make_no_difference():
    assert plain("So $a<b$.") == plain("so a < b")


def test_equal_answers_of_others_are_found_with_what_waits_for_a_mark(classroom):
    found = equal_answers(classroom, "hw5", WRITTEN, "ada")[ANSWERS[0]]
    assert found.count == len(found.waiting) > 3
    assert len({grade for grade, _ in found.waiting}) == found.count
    assert grades(classroom, "ada")[ANSWERS[0]] == (None, None, True), "nothing was changed"


def test_answers_that_nobody_wrote_are_not_equal(classroom):
    assert ANSWERS[1] not in equal_answers(classroom, "hw5", WRITTEN, "ada")


def test_a_course_without_a_gradebook_has_no_equal_answers(tmp_path):
    assert equal_answers(tmp_path, "hw5", WRITTEN, "ada") == {}


@pytest.mark.parametrize("signs", [".", " ", "x .", "*", "x "])
def test_an_answer_without_end_is_soon_compared(signs):
    before = time.process_time()
    plain(signs * (100_000 // len(signs)) + "x")
    assert time.process_time() - before < 2
