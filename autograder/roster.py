"""Reads and writes roster.csv: who is in the class, by every name that a platform gives them.

    id, netid, name, email, section, extension, submitted

`id` is the platform's and what marks are kept under; `name` is as the platform gives it, "Lovelace,
Ada" or "Ada Lovelace", in any script. `extension` is a due date of one's own, `submitted` when
their work came where the download does not say it, as Moodle's does not; both with a time zone.
"""

from __future__ import annotations

import csv
import io
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import astuple, dataclass, fields, replace
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import Path

from autograder.tables import TableError, inert, plain, read_table
from autograder.times import parse_words

ROSTER = "roster.csv"


class RosterError(TableError):
    """A roster, or an export, cannot be read; the sentence says why and what to do."""


@dataclass(frozen=True)
class Person:
    """One row of roster.csv."""

    id: str
    netid: str = ""
    name: str = ""
    email: str = ""
    section: str = ""
    extension: str = ""
    submitted: str = ""

    @property
    def shown(self) -> str:
        """The name as it is said: "Ada Lovelace"; the id where no name is known."""
        last, comma, first = self.name.partition(", ")
        return (f"{first} {last}" if comma and ", " not in first else self.name) or self.id

    @property
    def first_and_last(self) -> tuple[str, str]:
        """The name in two, without commas, as nbgrader keeps it: ("Ada", "Lovelace")."""
        last, comma, first = self.name.partition(", ")
        if not comma:
            first, _, last = self.name.rpartition(" ")
        return first.replace(",", ""), last.replace(",", "")

    @property
    def keys(self) -> tuple[str, ...]:
        """Every name that a submission may give them, the surest first."""
        names = (self.id, self.netid, self.email, self.email.partition("@")[0])
        return tuple(dict.fromkeys(name.lower() for name in names if name))

    @property
    def until(self) -> datetime | None:
        """The extension as a time; None where there is none."""
        return _time(self.extension)

    @property
    def came(self) -> datetime | None:
        """When their work came; None where the roster does not say it."""
        return _time(self.submitted)


COLUMNS = tuple(field.name for field in fields(Person))


@dataclass(frozen=True)
class Roster:
    """The class, sorted as in the file. An empty one knows nobody, and changes nothing."""

    people: tuple[Person, ...] = ()

    @cached_property
    def _by_key(self) -> Mapping[str, Person | None]:
        """A name that two people have in one column, or one as id and one as NetID, is nobody's,
        unless it is the id of one of them."""
        found: dict[str, Person | None] = {}
        for person in self.people:
            for key in person.keys[1:]:
                found[key] = None if found.get(key, person) is not person else person
        return found | {person.id.lower(): person for person in self.people}

    def find(self, name: str) -> Person | None:
        """Who is called so: by id, NetID or address, in large or small letters."""
        return self._by_key.get(name.lower())

    def of(self, members: Iterable[str]) -> tuple[Person, ...]:
        """Those of these members that the roster knows."""
        return tuple(person for name in members if (person := self.find(name)))

    def extension(self, members: Iterable[str]) -> datetime | None:
        """The due date of their own; the latest, where several of them have one and hand in
        together."""
        return max((end for person in self.of(members) if (end := person.until)), default=None)

    def submitted(self, members: Iterable[str]) -> datetime | None:
        """When their work came; the earliest, where several of them handed in together."""
        return min((time for person in self.of(members) if (time := person.came)), default=None)

    def missing(self, members: Iterable[str]) -> list[Person]:
        """Those of the roster who are none of these members."""
        there = set(self.of(members))
        return [person for person in self.people if person not in there]

    def strangers(self, members: Iterable[str]) -> list[str]:
        """Those of these members whom the roster does not know."""
        return sorted({name for name in members if self.find(name) is None})


NOBODY = Roster()


def read_roster(path: Path) -> Roster:
    """Read roster.csv. Raises RosterError."""
    rows = read_table(path)
    if rows and any(signs <= rows[0].keys() for signs, _ in _EXPORTS):
        raise RosterError(
            f"{path} is a platform's export. Make a roster of it: python -m autograder roster "
            f"{path} --out {ROSTER}"
        )
    if rows and "id" not in rows[0]:
        raise RosterError(
            f"{path} has no column `id`. Make it with `python -m autograder roster EXPORT --out "
            f"{ROSTER}`, or give it the columns {', '.join(COLUMNS)}."
        )
    people = tuple(Person(**{name: row.get(name, "") for name in COLUMNS}) for row in rows)
    return _checked(path, people)


def kept_roster(marks: Path) -> Roster:
    """The roster that `grade` keeps in its folder of marks, or nobody. Raises RosterError."""
    path = marks / ROSTER
    return read_roster(path) if path.exists() else NOBODY


def write_roster(roster: Roster, path: Path) -> None:
    """Write roster.csv; what a spreadsheet would run gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for person in roster.people:
        writer.writerow(map(inert, astuple(person)))
    # With a byte order mark, without which Excel takes names for Latin-1.
    path.write_bytes(buffer.getvalue().encode("utf-8-sig"))


def read_export(path: Path, zone: tzinfo | None) -> tuple[Roster, list[str]]:
    """The class in an export of Canvas, Moodle, Gradescope or nbgrader (its gradebook.db, too).

    `zone` is that of the course, in which times are read that name none; None where it is not
    known. Also brings what was left out, a sentence each. Raises RosterError.
    """
    rows = _database(path) if path.suffix == ".db" else read_table(path)
    known = {name for row in rows for name in row}
    if not rows:
        raise RosterError(f"{path} names nobody.")
    read = next((read for signs, read in _EXPORTS if signs <= known), None)
    if read is None:
        raise RosterError(
            f"{path} is no export that is known. Give Canvas's gradebook, Moodle's grading "
            "worksheet or list of participants, Gradescope's roster or grades, or nbgrader's "
            "gradebook.db or grades.csv, in English."
        )
    people: dict[str, Person] = {}
    notes = []
    for number, row in enumerate(rows, 2):
        person = read(row)
        if person is None:
            continue
        if not person.id:
            notes.append(f"row {number} ({person.name or 'without a name'}) has no id")
        elif people.setdefault(person.id, person).name != person.name:
            notes.append(f"row {number} gives {person.id} a second name, {person.name}")
    timed, unread = _with_times(people.values(), zone)
    return _checked(path, timed), [*notes, *unread]


def with_extensions(roster: Roster, before: Roster) -> Roster:
    """The roster with what a person has written into the one before: sections, and extensions, of
    which the later counts where the platform has granted one, too."""
    old = {person.id: person for person in before.people}
    return Roster(
        tuple(
            replace(
                one,
                extension=max(one.extension, old[one.id].extension, key=_moment),
                section=one.section or old[one.id].section,
            )
            if one.id in old
            else one
            for one in roster.people
        )
    )


def _checked(path: Path, people: tuple[Person, ...]) -> Roster:
    if not people:
        raise RosterError(f"{path} names nobody.")
    for person in people:
        if not person.id:
            raise RosterError(f"{path}: {person.name or 'somebody'} has no id. Give one, or none.")
        for what in ("extension", "submitted"):
            if (said := getattr(person, what)) and _time(said) is None:
                raise RosterError(
                    f"{path}: {person.id} has {what} = {said!r}. Give a date and time with a time "
                    "zone, such as 2027-04-15T12:00:00-05:00."
                )
    twice = [id for id, n in Counter(one.id.lower() for one in people).items() if n > 1]
    if twice:
        raise RosterError(f"{path} has the id {twice[0]} twice. Leave one of the rows.")
    return Roster(people)


def _moment(text: str) -> float:
    """For comparing times; before all of them where there is none."""
    time = _time(text)
    return time.timestamp() if time else -math.inf


def _time(text: str) -> datetime | None:
    """A time with a zone; None for what is none."""
    try:
        found = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError:
        return None
    return found if found.tzinfo else None


# --- platforms


def _with_times(
    people: Iterable[Person], zone: tzinfo | None
) -> tuple[tuple[Person, ...], list[str]]:
    """The people with their times in the roster's form, which a reader left as the platform writes
    them; and what could not be read, once for the class."""
    found, unread = [], []
    for person in people:
        times = {}
        for what in ("extension", "submitted"):
            said = getattr(person, what)
            time = parse_words(said, zone) if said and zone else None
            times[what] = time.isoformat() if time else ""
            unread += [said] if said and not time else []
        found.append(replace(person, **times))
    if not unread:
        return tuple(found), []
    if zone is None:
        why = (
            "since assignment.toml has no due date, which would say in which time zone they are. "
            "Write `due`, and give this command again"
        )
    else:
        why = (
            f"such as {unread[0]!r}: export in English, where it reads like 'Sunday, 29 November "
            "2026, 10:01 PM'"
        )
    return tuple(found), [f"{len(unread)} times of hand-ins and extensions were left out, {why}"]


def _database(path: Path) -> list[dict[str, str]]:
    """The students in nbgrader's gradebook.db."""
    query = "SELECT id, first_name, last_name, email FROM student ORDER BY id"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as file:
            found = file.execute(query).fetchall()
    except sqlite3.Error as error:
        raise RosterError(f"{path} is no gradebook of nbgrader's: {error}.") from None
    names = ("student_id", "first_name", "last_name", "email")
    return [dict(zip(names, (plain(x or "") for x in row), strict=True)) for row in found]


def _local(email: str) -> str:
    return email.partition("@")[0] if "@" in email else ""


def _in_two(row: Mapping[str, str], last: str, first: str) -> str:
    return ", ".join(filter(None, (row.get(last, ""), row.get(first, ""))))


def _canvas(row: Mapping[str, str]) -> Person | None:
    """Rows of points, of Canvas's test student, and blank ones are nobody."""
    name = row.get("student") or _in_two(row, "lastname", "firstname")
    if not row.get("id") or "Points Possible" in name or name == "Student, Test":
        return None
    login = row.get("sis login id", "")
    email = row.get("email") or (login if "@" in login else "")
    netid = _local(login) or login or row.get("sis user id", "")
    return Person(row["id"], netid, name, email, row.get("section", ""))


def _moodle(row: Mapping[str, str]) -> Person:
    """Participants are numbered in the worksheet, whose numbers the download's folders bear. It has
    the times that the download lacks, and an extension behind the status."""
    number = re.search(r"\d+$", row.get("identifier", ""))
    email = row.get("email address", "")
    netid = row.get("username") or _local(email)
    last = "last name" if "last name" in row else "surname"
    name = row.get("full name") or _in_two(row, last, "first name")
    section = row.get("group") or row.get("groups", "")
    granted = re.search(r"Extension granted until: (.+?)(?: - |$)", row.get("status", ""))
    submitted = row.get("last modified (submission)", "").strip("-")
    extension = granted[1] if granted else ""
    id = number[0] if number else netid
    return Person(id, netid, name, email, section, extension, submitted)


def _gradescope(row: Mapping[str, str]) -> Person | None:
    if row.get("role", "Student").lower() not in ("student", "0", ""):
        return None
    email, sid = row.get("email", ""), row.get("sid", "")
    name = _in_two(row, "last name", "first name") or row.get("name", "")
    section = row.get("section") or row.get("sections", "")
    return Person(sid or _local(email), _local(email), name, email, section)


def _nbgrader(row: Mapping[str, str]) -> Person:
    id = row.get("student_id") or row.get("id", "")
    return Person(id, id, _in_two(row, "last_name", "first_name"), row.get("email", ""))


_EXPORTS = (
    ({"id", "student", "section"}, _canvas),
    ({"id", "lastname", "firstname", "section"}, _canvas),
    ({"identifier", "grade"}, _moodle),
    ({"email address", "first name"}, _moodle),
    ({"email", "sid"}, _gradescope),
    ({"student_id", "first_name", "last_name"}, _nbgrader),
    ({"id", "first_name", "last_name"}, _nbgrader),
)
"""Columns, in small letters, by which an export is known, and how a row of it is read."""
