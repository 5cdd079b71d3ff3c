"""When is something late, what does it cost, and what is the student told?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from autograder.assignment import Penalty, read_assignment
from autograder.lateness import in_words, judge, judge_again, price, taken_off, without_verdict
from tests.autograder.small_class import submission

DUE = datetime.fromisoformat("2027-04-13T12:00:00-05:00")
LATE = datetime.fromisoformat("2027-04-14T18:30:00+00:00")  # a day and an hour and a half
EXTENDED = datetime.fromisoformat("2027-04-14T12:00:00-05:00")
PLAIN = replace(read_assignment(), due=DUE, late="flag")
PERCENT = replace(PLAIN, penalty=Penalty(10, True, "day"))
HOURLY = replace(PLAIN, penalty=Penalty(2, False, "hour"))


def test_a_time_is_late_or_not_in_whatever_zone_it_was_written():
    tokyo = datetime.fromisoformat("2027-04-14T02:00:00+09:00")
    assert judge(PLAIN, tokyo).flag == ""
    late = judge(PLAIN, tokyo + timedelta(seconds=1))
    assert (late.flag, late.by) == ("late", timedelta(seconds=1))
    assert late.sentence == (
        "It was handed in at 2027-04-13 12:00:01-05:00; the deadline was 2027-04-13 12:00:00-05:00."
    )


@pytest.mark.parametrize(
    ("rule", "flag", "costs"),
    [
        (PLAIN, "late", 0),
        (PERCENT, "late", 16),
        (HOURLY, "late", 52),
        (replace(PERCENT, grace=timedelta(days=2)), "", 0),
        (replace(PERCENT, grace=timedelta(hours=1)), "late", 16),
        (replace(PERCENT, cut_off=timedelta(days=1)), "refused", 16),
        (replace(PERCENT, cut_off=timedelta(days=2)), "late", 16),
        (replace(PLAIN, late="refuse"), "refused", 0),
        (replace(PLAIN, late="refuse", grace=timedelta(days=2)), "", 0),
        (replace(PLAIN, late="accept"), "", 0),
        (replace(PLAIN, due=None), "", 0),
    ],
)
def test_each_rule_flags_and_costs(rule, flag, costs):
    verdict = judge(rule, LATE)
    assert verdict.flag == flag
    assert price(rule, verdict.by, 80)[0] == costs


@pytest.mark.parametrize(
    ("rule", "flag", "costs"),
    [
        (PERCENT, "late", 8),
        (HOURLY, "late", 4),
        (replace(HOURLY, cut_off=timedelta(hours=1)), "refused", 4),
        (replace(HOURLY, cut_off=timedelta(hours=2)), "late", 4),
        (replace(PLAIN, late="refuse"), "refused", 0),
        (replace(PLAIN, due=None), "late", 0),
    ],
)
def test_from_an_extension_on_the_same_rules_hold(rule, flag, costs):
    verdict = judge(rule, LATE, EXTENDED)
    assert verdict.flag == flag
    assert "your extension ended at 2027-04-14 12:00:00-05:00" in verdict.sentence
    assert price(rule, verdict.by, 80)[0] == costs


def test_within_an_extension_nothing_is_late_and_that_is_said():
    until = EXTENDED + timedelta(days=1)
    verdict = judge(replace(PERCENT, late="flag"), LATE, until)
    assert (verdict.flag, verdict.by) == ("", timedelta(0))
    assert verdict.sentence == "It came within your extension, until 2027-04-15 12:00:00-05:00."
    assert judge(PLAIN, DUE, until).sentence == "", "it was needed by nobody"


def test_a_platforms_word_without_a_time_is_flagged_and_costs_nothing():
    verdict = judge(PERCENT, None, None, True)
    assert (verdict.flag, verdict.by) == ("late", None)
    assert price(PERCENT, verdict.by, 80) == (0, "")
    assert judge(PERCENT, None, None, False).flag == judge(PERCENT, None).flag == ""
    refuse = replace(PLAIN, late="refuse")
    assert judge(refuse, None, None, True).flag == "refused"
    assert judge(refuse, None, EXTENDED, True).flag == "late", "nobody knows, so a person looks"


def test_no_more_is_taken_than_was_earned():
    assert price(HOURLY, timedelta(days=9), 80)[0] == 80
    assert price(PERCENT, timedelta(days=99), 80)[0] == 80
    assert price(PERCENT, timedelta(days=99), 0)[0] == 0


def test_a_day_that_has_begun_counts_and_its_end_begins_no_other():
    assert price(PERCENT, timedelta(seconds=1), 80)[0] == 8
    assert price(PERCENT, timedelta(days=1), 80)[0] == 8
    assert price(PERCENT, timedelta(days=1, seconds=1), 80)[0] == 16


def test_the_student_reads_what_was_taken_and_why():
    taken, why = price(PERCENT, timedelta(hours=30), 80)
    assert taken_off(taken, why) == (
        "16 points are taken off for being late: 10 percent of your 80 points for each day that "
        "had begun, 2 of them."
    )
    taken, why = price(replace(PLAIN, penalty=Penalty(1, False, "hour")), timedelta(hours=1), 80)
    assert taken_off(taken, why) == (
        "1 point is taken off for being late: 1 point for each hour that had begun, 1 of them."
    )


def test_what_was_graded_is_judged_by_the_rule_of_today():
    old = submission("ada", submitted=LATE.isoformat(), flags=("refused",))
    assert judge_again(old, replace(PLAIN, due=LATE)).flag == ""
    assert judge_again(old, PLAIN).flag == "late"
    assert judge_again(submission("ada", flags=("late",)), PLAIN).by is None
    said = judge(PLAIN, LATE).sentence
    assert without_verdict(["Something else.", said]) == ("Something else.",)


def test_the_rule_is_told_beforehand():
    rule = replace(HOURLY, grace=timedelta(minutes=15), cut_off=timedelta(hours=36))
    assert [*in_words(rule)] == [
        "For each hour late that has begun, 2 points are taken off.",
        "Up to 15 minutes late is not late.",
        "Nothing counts that comes more than 36 hours late.",
    ]
    assert [*in_words(PERCENT)] == [
        "For each day late that has begun, 10 percent of your points are taken off."
    ]
    assert [*in_words(PLAIN)] == []


def test_what_is_taken_off_is_as_exact_as_it_is_shown():
    taken, why = price(PERCENT, timedelta(hours=1), 4.75)
    assert f"{taken:g} points" in taken_off(taken, why) and round(taken, 2) == taken
