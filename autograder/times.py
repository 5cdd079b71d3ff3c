"""Reads the times that platforms write, in whatever zone they name."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)? ?([A-Za-z+-][\w/:+-]{0,40})?"
)
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)?")
_MAIL = {"GMT": 0, "UT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6}
_MAIL |= {"PST": -8, "PDT": -7}  # hours ahead of UTC, as RFC 5322 has them
_NEAR = timedelta(hours=2)
_IN_WORDS = [f"{day} %Y {hour}" for day in ("%d %B", "%B %d") for hour in ("%I:%M %p", "%H:%M")]


def parse_time(text: str, course: datetime | None = None) -> datetime | None:
    """A platform's time; UTC where it names no zone. None when it is no time, or its zone unknown.

    `course`: a time of the course's own. Its zone decides what `CST` means, which is used in
    Chicago, Havana and Beijing.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    try:
        plain = f"{match[1]} {match[2]}.{match[3] or 0}"
        moment = datetime.strptime(plain, "%Y-%m-%d %H:%M:%S.%f")
        zone = _zone(match[4] or "UTC", moment.year, course.utcoffset() if course else None)
        return moment.replace(tzinfo=zone) if zone else None
    except (ValueError, OverflowError):
        return None


def parse_words(text: str, zone: tzinfo) -> datetime | None:
    """A time in words and without a zone, to the minute, as Moodle writes it: `Sunday, 29 November
    2026, 10:01 PM` or, in America, `Sunday, November 29, 2026, 10:01 PM`. None when it is none.
    """
    plain = " ".join(re.sub(r"^\w+day\b|,", " ", text.strip()).split())
    plain = re.sub(r"(\d)\s*([ap])\.?m\.?$", r"\1 \2m", plain, flags=re.IGNORECASE)
    for form in _IN_WORDS:
        with suppress(ValueError):
            return datetime.strptime(plain, form).replace(tzinfo=zone)
    return None


def _zone(name: str, year: int, home: timedelta | None) -> tzinfo | None:
    """`Z`, `-03`, `+05:30`, `EDT` or `America/New_York`; None for what is no zone."""
    if name in ("Z", "UTC"):
        return timezone.utc
    if match := _OFFSET.fullmatch(name):
        offset = timedelta(hours=int(match[1]), minutes=int(match[1][0] + (match[2] or "0")))
        return timezone(offset)
    if name.isalpha() and (known := _meaning(name, year, home)) is not None:
        return timezone(known)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _meaning(abbreviation: str, year: int, home: timedelta | None) -> timedelta | None:
    """What an abbreviation is ahead of UTC: as mail has it, else as the one place that
    uses it; where that is far from the course, as the course's own zone, if that is called so."""
    anywhere = _offsets(abbreviation, year)
    said = _MAIL.get(abbreviation)
    usual = timedelta(hours=said) if said is not None else None
    if home in anywhere and (usual is None or abs(usual - home) > _NEAR):
        return home
    if usual is None and len(anywhere) == 1:
        return next(iter(anywhere))
    return usual


@lru_cache(maxsize=256)
def _offsets(abbreviation: str, year: int) -> frozenset[timedelta]:
    """Everything that an abbreviation means somewhere, in winter or in summer."""
    moments = [
        datetime(year, month, 1, tzinfo=ZoneInfo(name))
        for name in available_timezones()
        for month in (1, 7)
    ]
    return frozenset(
        offset
        for moment in moments
        if moment.tzname() == abbreviation and (offset := moment.utcoffset()) is not None
    )
