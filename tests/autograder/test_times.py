"""Is a time read as the platform meant it?"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from autograder.times import parse_words

ZONE = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    "text",
    [
        "Sunday, 29 November 2026, 10:01 PM",
        "Sunday, November 29, 2026, 10:01 PM",  # in America
        "Sunday, 29 November 2026, 22:01",
        "29 November 2026, 10:01 pm",
        "Sunday, 29 November 2026, 10:01\u202fPM",
        " sunday 29 november 2026 10:01 p.m. ",
    ],
)
def test_a_time_in_words_is_read_in_the_zone_of_the_course(text):
    assert parse_words(text, ZONE) == datetime(2026, 11, 29, 22, 1, tzinfo=ZONE)


@pytest.mark.parametrize(
    "text",
    ["", "-", "29/11/26, 22:01", "Sonntag, 29. November 2026, 22:01", "31 June 2026, 1:00 AM"],
)
def test_what_is_ambiguous_or_no_time_is_not_guessed(text):
    assert parse_words(text, ZONE) is None
