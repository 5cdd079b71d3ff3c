"""Whose is what: how learning platforms, or somebody by hand, lay submissions out.

Gradescope, Canvas, Moodle, Blackboard, Brightspace and nbgrader are known. Everything here goes by
names and by the platform's own metadata. What lies inside a student's folder is the student's, and
says nothing about whose it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from autograder.assignment import Assignment
from autograder.intake.archive import (
    FILE,
    FOLDER,
    MAX_DEPTH,
    Node,
    Refused,
    children,
    folder,
    is_archive,
    read,
    without_ending,
)
from autograder.intake.versions import asked_names
from autograder.times import parse_time

MAX_STUDENTS = 20_000
MAX_ENTRIES = 2_000  # of one submission
MAX_NOTE = 64 * 2**10  # of a platform's small text files
MAX_METADATA = 256 * 2**20  # Gradescope's holds what the autograder printed for every student

METADATA_OF_ALL = "submission_metadata.yml"
METADATA_OF_ONE = "submission_metadata.json"

_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_BUNDLE = re.compile(r"hw\d+_(.+)", re.IGNORECASE | re.DOTALL)
_DOWNLOAD = re.compile(r" ?\(\d+\)$")
_CANVAS = re.compile(r"([^_]+)(_LATE)?_(\d+)_(\d+)_(.+)", re.DOTALL)
# The first that fits is the platform's: what stands behind it is a student's name for a file.
_MOODLE = re.compile(r"(.*?)_(\d+)_assignsubmission_[a-z]+(?:_(.*))?", re.DOTALL)
_BLACKBOARD = re.compile(r"(.+?)_attempt_(\d{4}(?:-\d\d){5})(?:_(.+)|\.txt)", re.DOTALL)
_BLACKBOARD_NAME = re.compile(rb"Name: [^\n]*\(([^()\n]+)\)\s*\n")
_BRIGHTSPACE = re.compile(r"(\d+)-\d+ - (.+) - (\S+ \d{1,2}, \d{4} \d{3,4} [AP]M)", re.DOTALL)
_AGAIN = re.compile(r"-(\d{1,6})(?=(\.[^.]*)?$)")


@dataclass(frozen=True)
class Place:
    """Where one submission lies and what the platform says of it, before any file is read.

    `people` gives, for each member, every name the platform knows; the first one counts.
    `marked_late`: the platform's own word on that, None where it says nothing. `numbered`: the
    platform gave a number only, which no NetID can be compared with. `remark`: for the student.
    """

    id: str
    node: Node
    people: tuple[tuple[str, ...], ...]
    submitted: datetime | None = None
    marked_late: bool | None = None
    numbered: bool = False
    remark: str = ""


def alone(node: Node, beside: Node | None = None) -> Place:
    """A single submission, named after its folder or zip.

    The students' `bundle()` calls its zip hw5_NETID.zip, of a group hw5_NETID--NETID.zip; a browser
    may add ` (1)`.
    `beside` is the submission_metadata.json that Gradescope lays beside, never inside, the folder.
    Raises Refused when it is not Gradescope's.
    """
    if beside:
        return _gradescope_one(node, beside)
    name = without_ending(node.name)
    name = name if name == node.name else _DOWNLOAD.sub("", name)
    bundle = _BUNDLE.fullmatch(name) if name != node.name else None
    people = tuple((one,) for one in bundle[1].split("--") if one) if bundle else ()
    return Place(safe_id(bundle[1] if bundle else name), node, people or ((name,),))


def unwrap(root: Node, assignment: Assignment) -> tuple[Node, list[Node]]:
    """The folder whose entries are the submissions, and those entries. Raises Refused.

    Lone folders are wrappers when the last of them holds several submissions; otherwise they are
    the one student of a small class.
    """
    top = children(root, MAX_STUDENTS)
    inner, inside = root, top
    for _ in range(MAX_DEPTH):
        lone = [n for n in inside if n.kind == FOLDER and n.name == "submitted"] or inside
        if holds_work(inside, assignment) or len(lone) != 1 or lone[0].kind != FOLDER:
            break
        try:
            inner, inside = lone[0], children(lone[0], MAX_STUDENTS)
        except Refused:
            break
        if _is_class(inner, inside) and not holds_work(inside, assignment):
            root, top = inner, inside
    return root, top


def _is_class(node: Node, inside: list[Node]) -> bool:
    several = sum(child.kind == FOLDER or _is_loose(child) for child in inside) > 1
    metadata = any(child.name == METADATA_OF_ALL for child in inside)
    return several or metadata or node.name == "submitted"


def places(
    root: Node, top: list[Node], assignment: Assignment, known: Collection[str] = ()
) -> list[Place]:
    """Which entry is whose, sorted by id, ids made distinct; what is `known` keeps its id. Raises
    Refused.

    Files whose names say nothing, such as a list of grades, are nobody's.
    """
    by_name = {node.name: node for node in top}
    if "submission" in by_name and METADATA_OF_ONE in by_name:
        return [_gradescope_one(by_name["submission"], by_name[METADATA_OF_ONE])]
    metadata = by_name.get(METADATA_OF_ALL)
    gradescope = _gradescope_all(read(metadata, MAX_METADATA)) if metadata else {}
    collected = {node.name: _collected(node, assignment) for node in top if node.kind == FOLDER}
    found = [place for place in collected.values() if place]
    nbgrader = any(place.submitted for place in found) or (root.name == "submitted" and found)
    loose: dict[tuple[str, str], list[tuple[Node, str]]] = defaultdict(list)
    late: dict[str, bool] = {}
    taken = [*_blackboard(top, assignment), *_brightspace(top, assignment)]
    for node in top:
        if _is_attempt(node):
            continue
        if match := _MOODLE.fullmatch(node.name):
            loose[match[2], match[1]].append((node, match[3] or node.name))
        elif node.kind == FILE and (match := _CANVAS.fullmatch(node.name)):
            loose[match[3], match[1]].append((node, match[5]))
            late[match[3]] = late.get(match[3], False) or bool(match[2])
        elif node.kind == FOLDER and nbgrader:
            # A student without a folder for this assignment has handed in others only.
            taken += [place] if (place := collected[node.name]) else []
        elif node.name in gradescope:
            people, created = gradescope[node.name]
            taken.append(Place(safe_id(node.name), node, people or ((node.name,),), created))
        elif node.kind != FILE or is_archive(node):
            taken.append(alone(node))
    for (number, name), nodes in loose.items():
        bundle = folder(f"{name}_{number}", _renamed(nodes, assignment))
        taken.append(
            Place(
                _numbered_id(name, number),
                bundle,
                ((number,),),
                marked_late=late.get(number),
                numbered=True,
            )
        )
    return _distinct(taken, known)


def moodle_feedback(node: Node) -> tuple[str, str] | None:
    """The participant's number in a name of Moodle's download, and how the path of a feedback file
    has to begin: `Ada Lovelace_4711_assignsubmission_file_/`. None where it is another name.

    An underscore in a student's name becomes a space: Moodle takes what stands between the first
    two for the number.
    """
    match = _MOODLE.fullmatch(node.name)
    if match is None:
        return None
    end = match.start(3) if match[3] and node.kind == FILE else len(node.name)
    begin = match[1].replace("_", " ") + node.name[match.end(1) : end]
    return match[2], begin if node.kind == FILE else f"{begin}/"


def safe_id(name: str) -> str:
    """`name` itself where it is safe as a file name, else a readable stem and a short hash."""
    if _SAFE_ID.fullmatch(name):
        return name
    return f"{_stem(name) or 'student'}-{_short_hash(name)}"


def _numbered_id(name: str, number: str) -> str:
    return safe_id(f"{_stem(name)}_{number}".lstrip("_"))


def holds_work(nodes: list[Node], assignment: Assignment) -> bool:
    """True when one is a file the assignment names in full; any folder may hold some `*.pdf`."""
    names = asked_names(assignment)
    return any(n.kind == FILE and (n.name in names or n.name.lower() in names) for n in nodes)


def _is_loose(node: Node) -> bool:
    patterns = (_CANVAS, _MOODLE, _BLACKBOARD)
    named = any(pattern.fullmatch(node.name) for pattern in patterns)
    return node.kind == FILE and (named or is_archive(node))


def _is_attempt(node: Node) -> bool:
    pattern = _BLACKBOARD if node.kind == FILE else _BRIGHTSPACE
    return pattern.fullmatch(node.name) is not None


def _blackboard(top: list[Node], assignment: Assignment) -> list[Place]:
    """`HW 5_ada_attempt_2027-04-13-11-58-02_hw5_vae.py`, with a .txt for each attempt.

    A user's name may hold the character before it, so it is taken from Blackboard's own .txt.
    """
    attempts: dict[str, dict[str, list[Node]]] = defaultdict(lambda: defaultdict(list))
    users: dict[str, str] = {}
    for node in top:
        if node.kind == FILE and (match := _BLACKBOARD.fullmatch(node.name)):
            if match[3]:
                attempts[match[1]][match[2]].append(replace(node, name=match[3]))
            else:
                attempts[match[1]][match[2]] += []
                users[match[1]] = _blackboard_user(node, match[1])
    places = []
    for who, tries in attempts.items():
        user, newest = users.get(who) or who.rpartition("_")[2], max(tries)
        submitted = _local(newest, "%Y-%m-%d-%H-%M-%S", assignment)
        node, remark = folder(user, tries[newest]), _newest_counts(len(tries), newest)
        places.append(Place(safe_id(user), node, ((user,),), submitted, remark=remark))
    return places


def _blackboard_user(note: Node, who: str) -> str:
    try:
        found = _BLACKBOARD_NAME.match(read(note, MAX_NOTE))
    except Refused:
        return ""
    user = found[1].decode("utf-8", "replace").strip() if found else ""
    return user if user and who.endswith(f"_{user}") else ""


def _brightspace(top: list[Node], assignment: Assignment) -> list[Place]:
    """A folder for each attempt: `12345-67890 - Ada Lovelace - Apr 13, 2027 1158 AM`."""
    attempts: dict[tuple[str, str], list[tuple[datetime | None, str, Node]]] = defaultdict(list)
    for node in top:
        if node.kind == FOLDER and (match := _BRIGHTSPACE.fullmatch(node.name)):
            when = re.sub(r"(\d\d [AP]M)$", r":\1", match[3])
            moment = _local(when, "%b %d, %Y %I:%M %p", assignment)
            attempts[match[1], match[2]].append((moment, match[3], node))
    places = []
    for (number, name), tries in attempts.items():
        submitted, when, node = max(tries, key=lambda one: (one[0] is not None, one[0], one[1]))
        remark = _newest_counts(len(tries), when)
        identity = _numbered_id(name, number)
        places.append(Place(identity, node, ((number,),), submitted, numbered=True, remark=remark))
    return places


def _local(text: str, form: str, assignment: Assignment) -> datetime | None:
    """A time for which a platform names no zone: the school's, which the deadline is written in."""
    try:
        zone = assignment.due.tzinfo if assignment.due else timezone.utc
        return datetime.strptime(text, form).replace(tzinfo=zone)
    except ValueError:
        return None


def _newest_counts(attempts: int, when: str) -> str:
    return f"Of {attempts} attempts the newest counts, of {when}." if attempts > 1 else ""


def _renamed(nodes: list[tuple[Node, str]], assignment: Assignment) -> list[Node]:
    """A student's loose files under their own names, of which Canvas's `-2` is taken off.

    Canvas adds a number to a file that is handed in again, so the highest one is the latest.
    """

    def latest_first(item: tuple[Node, str]) -> tuple[int, str]:
        number = _AGAIN.search(item[1])
        return -int(number[1]) if number else 0, item[1]

    renamed: dict[str, Node] = {}
    for node, name in sorted(nodes, key=latest_first):
        plain = _AGAIN.sub("", name)
        known = assignment.wants(plain.lower()) and not assignment.wants(name.lower())
        name = plain if known and plain not in renamed else name
        renamed[name if name not in renamed else node.name] = node
    return [replace(node, name=name) for name, node in renamed.items()]


def _collected(node: Node, assignment: Assignment) -> Place | None:
    """nbgrader's `<student>/<assignment>/` with its timestamp.txt; None when it is not there."""
    try:
        homes = {home.name: home for home in children(node, MAX_ENTRIES) if home.kind == FOLDER}
        home = homes[assignment.id]
        inside = children(home, MAX_ENTRIES)
        stamps = [n for n in inside if n.name == "timestamp.txt"]
        submitted = _stamp(stamps[0], assignment) if stamps else None
    except (KeyError, Refused):
        return None
    # The stamp is nbgrader's: no student shall read that they handed it in unasked.
    handed_in = folder(home.name, [n for n in inside if n not in stamps])
    return Place(safe_id(node.name), handed_in, ((node.name,),), submitted)


def _stamp(node: Node, assignment: Assignment) -> datetime | None:
    try:
        return parse_time(read(node, MAX_NOTE).decode("utf-8", "replace"), assignment.due)
    except Refused:
        return None


def _gradescope_one(node: Node, metadata: Node) -> Place:
    """One submission as Gradescope lays it before its autograder."""
    try:
        data = json.loads(read(metadata, MAX_METADATA))
        people = tuple((*_names("", user["email"]), str(user["id"])) for user in data["users"])
        identity, created = f"submission_{int(data['id'])}", parse_time(data["created_at"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused(f"lies beside a {METADATA_OF_ONE} that is not Gradescope's") from None
    return Place(identity, node, people or ((identity,),), created)


def _gradescope_all(data: bytes) -> dict[str, tuple[tuple[tuple[str, ...], ...], datetime | None]]:
    """Gradescope's submission_metadata.yml: folder -> (the names of each person, time).

    Only the few lines that matter are read, by their exact column: what a student wrote, such as
    a name or an output, stands further to the right and cannot pass for a line of Gradescope's.
    """
    found: dict[str, dict[str, Any]] = {}
    entry: dict[str, Any] = {}
    section, column = "", -1
    for line in data.decode("utf-8", "replace").split("\n"):
        if match := re.match(r"(submission_\d+):\s*$", line):
            entry = found[match[1]] = {"people": [], "created": None}
            section = ""
        elif match := re.match(r"  :?(\w+):\s*(.*)", line):
            section, column = match[1], -1
            if section == "created_at":
                entry["created"] = parse_time(_unquoted(match[2]))
        elif section == "submitters" and (match := re.match(r"( *(?:- )?):?(\w+):\s+(.*)", line)):
            starts = match[1].endswith("- ")
            column = len(match[1]) if column < 0 and starts else column
            if len(match[1]) == column:
                entry["people"] += [{}] if starts else []
                entry["people"][-1][match[2]] = _unquoted(match[3])
    return {
        name: (
            tuple(
                names
                for person in entry["people"]
                if (names := _names(person.get("sid", ""), person.get("email", "")))
            ),
            entry["created"],
        )
        for name, entry in found.items()
    }


def _names(sid: str, email: str) -> tuple[str, ...]:
    """Every name of one person, the one that counts first: the roster's id, then the NetID."""
    return tuple(name for name in (sid, email.partition("@")[0], email) if name)


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return "" if text in ("null", "~") else text


def _distinct(taken: list[Place], known: Collection[str]) -> list[Place]:
    """Sorted by id; a hash is added to ids that a disk which ignores case would not tell apart."""
    seen: set[str] = set()
    distinct = []
    for place in sorted(taken, key=lambda one: (one.id not in known, one.id, one.node.name)):
        if place.id.lower() in seen:
            place = replace(place, id=f"{place.id[:50]}-{_short_hash(place.node.name)}")
        seen.add(place.id.lower())
        distinct.append(place)
    return sorted(distinct, key=lambda place: place.id)


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:40].strip("-.")


def _short_hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
