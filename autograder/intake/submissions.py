"""Turns what was handed in into submissions, whatever folder, zip or download it comes as.

First `platforms` says what is whose; then the files that the assignment names are taken, of
several versions the one that `versions` prefers; last, the netid files are held against each
other. No file of a student is parsed here, except netid.

Whom a submission counts for is decided by the platform or the folder's name. A netid file never
overrules that: it is compared, and what does not fit is flagged for a person.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from autograder import lateness
from autograder.assignment import Assignment, Part
from autograder.intake.archive import (
    FILE,
    FOLDER,
    MAX_DEPTH,
    MAX_HELD,
    Closed,
    Node,
    Refused,
    children,
    is_archive,
    kept_name,
    on_disk,
    opens,
    printable,
    read,
    size,
    unpacked,
)
from autograder.intake.files import Files, IntakeError
from autograder.intake.platforms import (
    MAX_ENTRIES,
    METADATA_OF_ONE,
    Place,
    alone,
    holds_work,
    places,
    safe_id,
    unwrap,
)
from autograder.intake.versions import (
    OTHERWISE,
    Left,
    Rank,
    Version,
    asked_names,
    by_name,
    is_module,
    notebook_name,
)
from autograder.roster import NOBODY, Roster
from hw5_notebook import ReportError, load_notebook

MAX_CLASS_ENTRIES = 100_000  # of one zip with all submissions
MAX_ARCHIVES = 8  # opened inside one submission
MAX_NESTING = 3  # archives in one another
MAX_TOTAL = 64 * 2**20  # bytes taken from one submission
MAX_READ = 4 * MAX_TOTAL  # bytes looked at, to choose among versions
MAX_BYTES = {".py": 2 * 2**20, "": 4 * 2**10}  # of one file, by its ending; netid has none
MAX_OTHER_BYTES = 20 * 2**20  # of one notebook or report
MAX_NETIDS = 16
MAX_LISTED = 40  # names in `ignored`, sentences in `notes`

PLACEHOLDER = (
    b'{"cells": [], "metadata": {"hw5": {"placeholder": true}}, "nbformat": 4, '
    b'"nbformat_minor": 5}\n'
)
"""The notebook that our gradebook lays where a student handed in none; it is nobody's work."""

_NETID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_UNPACK = (
    "unpack it and give the folder, where nothing in one submission stops another; where it is "
    "damaged, take a new download"
)
_ADVICE = "give a folder of submissions, one zip of them, or a platform's download"
_UNREAD = {"damaged", "unopened"}
_VERSION = re.compile(
    r"(.*[\W_])?(attempt|try|version|v|draft|final|old|new|backup|copy)[\W_]*\d*|\d{1,2}",
    re.IGNORECASE,
)

_Path = tuple[str, ...]

Limits = Mapping[str, int]
"""How many may hand in together in each of the parts that are graded, by its id."""


@dataclass(frozen=True)
class Handin:
    """One submission as it was handed in.

    `id` is the platform's or the folder's, safe as a file name. `members` are the NetIDs or
    platform ids it counts for. `files` holds, by base name, only files that the assignment names;
    `ignored` lists others. `submitted` is time-zone aware; `timed` is False where neither a time
    nor the platform's word on lateness is known. `flags` are one-word facts a person must look at;
    `notes` say them in sentences:

    late, refused               after the deadline, or an extension of it
    netid, group, conflict      whose it is
    empty, missing              nothing, or no module of a part, was handed in
    damaged, unopened, unmerged something could not be read, opened or loaded
    renamed, versions           a file was found under another name, or chosen among several
    """

    id: str
    members: tuple[str, ...]
    files: Mapping[str, bytes]
    ignored: tuple[str, ...] = ()
    submitted: datetime | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timed: bool = True


def read_submissions(
    path: Path,
    assignment: Assignment,
    parts: Sequence[Part] = (),
    roster: Roster = NOBODY,
    known: Collection[str] = (),
) -> list[Handin]:
    """Every submission of SUBMISSIONS, sorted by id. Raises IntakeError.

    `parts`: those that are graded, all of them unless told; each says how many may work together.
    `roster`: who they are by other names, who has a due date of their own, and when work came
    where the platform's download does not say it. `known`: ids that have marks already, and are
    nobody else's.
    What is wrong with one submission is said in its flags and notes and stops no other.
    """
    parts = parts or assignment.parts
    with _found(path, assignment, known) as found:
        if not found:
            raise IntakeError(f"{path} holds no submission; {_ADVICE}.")
        drafts = [_draft(place, assignment, parts, roster) for place in found]
        return _settle(drafts, assignment, parts, roster)


@contextmanager
def _found(
    path: Path, assignment: Assignment, known: Collection[str] = ()
) -> Iterator[list[Place]]:
    """What lies in SUBMISSIONS, for as long as the context lasts. Raises IntakeError."""
    root = _root(path)
    packed = root.kind == FILE
    with ExitStack() as stack:
        try:
            if packed:
                inside = stack.enter_context(unpacked(root, MAX_CLASS_ENTRIES))
                root = replace(inside, name=alone(root).people[0][0])
            inner, top = unwrap(root, assignment)
            if holds_work(top, assignment):
                found = [_alone(path, inner)]
            else:
                found = places(inner, top, assignment, known)
        except Refused as error:
            advice = _UNPACK if packed else _ADVICE
            raise IntakeError(f"{path} {error}; {advice}.") from None
        yield found


def read_submission(
    folder_or_zip: Path, assignment: Assignment, parts: Sequence[Part] = ()
) -> Handin:
    """The one submission that this folder or zip is. Raises IntakeError when it is neither.

    `parts`: as in read_submissions.
    """
    try:
        place = _alone(folder_or_zip, _root(folder_or_zip))
    except Refused as error:
        raise IntakeError(f"{folder_or_zip} {error}; remove it, or fetch it again.") from None
    parts = parts or assignment.parts
    return _settle([_draft(place, assignment, parts)], assignment, parts, NOBODY)[0]


def refuse_class(path: Path, assignment: Assignment) -> None:
    """Raises IntakeError where this holds the work of several students, not of one."""
    with _found(path, assignment) as there:
        found = [*{place.people: place for place in reversed(there)}.values()][::-1]
        several = len(found) > 1 and any(place.numbered or place.submitted for place in found)
        names = [place.id for place in found]
        if not several and not all(_VERSION.fullmatch(place.node.name) for place in found):
            several = _differ(_draft(place, assignment, assignment.parts) for place in found)
    if several:
        raise IntakeError(
            f"{path} holds the work of several students ({', '.join(_shortened(names, 3))}), and "
            "`check` is for one. Give the folder or the zip of one of them; `grade` grades all."
        )


def _differ(drafts: Iterable[_Draft]) -> bool:
    """Do these hold one file twice, or two netids? Then they are not folders of one student."""
    seen: set[str] = set()
    claimed: set[frozenset[str]] = set()
    for draft in drafts:
        code = {name for name in draft.files if name.endswith(".py")}
        claimed |= {draft.claimed} if draft.claimed else set()
        if code & seen or len(claimed) > 1:
            return True
        seen |= code
    return False


def untimed(
    handins: Sequence[Handin], assignment: Assignment, roster: Roster = NOBODY
) -> list[str]:
    """For whom lateness, or what it costs, could not be judged: sentences for the class."""
    said = []
    who = [handin.id for handin in handins if not handin.timed]
    if assignment.due and len(who) == len(handins):
        said.append(
            "No time is known of any submission, so lateness was not judged. Where they came from "
            "Moodle, its grading worksheet has the times: make the roster of it."
        )
    elif assignment.due and who:
        said.append(f"No time is known of {_some(who, handins)}: not judged for lateness.")
    by_word = [
        one.id
        for one in handins
        if lateness.LATE in one.flags and not (one.submitted or roster.submitted(one.members))
    ]
    if by_word and (assignment.penalty or assignment.cut_off):
        said.append(
            f"The platform calls {_some(by_word, handins)} late without a time: nothing is taken "
            "off for it. To take some: python -m autograder override MARKS ID late -POINTS "
            "--reason WHY"
        )
    return said


def _some(ids: list[str], handins: Sequence[Handin]) -> str:
    return f"{len(ids)} of {len(handins)} ({', '.join(_shortened(ids, 10))})"


def digest(handin: Handin) -> str:
    """SHA-256, in hex, of what was taken, for whom it counts and when it was handed in."""
    files = [[name, hashlib.sha256(data).hexdigest()] for name, data in handin.files.items()]
    submitted = handin.submitted and handin.submitted.astimezone(timezone.utc).isoformat()
    said = json.dumps([sorted(files), sorted(handin.members), submitted])
    return hashlib.sha256(said.encode()).hexdigest()


def _root(path: Path) -> Node:
    try:
        node = on_disk(path)
    except FileNotFoundError:
        raise IntakeError(f"{path} does not exist; {_ADVICE}.") from None
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a circle of links
        raise IntakeError(f"{path} cannot be read ({error}); {_ADVICE}.") from None
    if node.kind != FOLDER and not opens(node):
        raise IntakeError(f"{path} is neither a folder nor a zip or tar; {_ADVICE}.")
    return node


def _alone(path: Path, node: Node) -> Place:
    metadata = path.resolve().with_name(METADATA_OF_ONE)
    gradescope = node.name == "submission" and metadata.exists()
    return alone(node, on_disk(metadata) if gradescope else None)


# --- one submission


@dataclass
class _Draft:
    """A hand-in while it is put together.

    `known` are all names of its members, by the platform and by the roster, and `claimed` the
    NetIDs in its netid file, lower case; `numbered`: neither knows a name that a NetID could be
    held against.
    """

    place: Place
    members: tuple[str, ...]
    known: frozenset[str]
    numbered: bool
    claimed: frozenset[str] = frozenset()
    files: Files = field(default_factory=Files)
    ignored: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    timed: bool = True

    def say(self, note: str, flag: str | None = None) -> None:
        self.notes.append(note)
        if flag:
            self.flags.add(flag)

    def work(self) -> dict[str, bytes]:
        return {name: data for name, data in self.files.items() if name != "netid"}

    def handin(self) -> Handin:
        return Handin(
            id=self.place.id,
            members=self.members,
            files=self.files.ordered(),
            ignored=_shortened(self.ignored),
            submitted=self.place.submitted,
            flags=tuple(sorted(self.flags)),
            notes=_shortened(self.notes),
            timed=self.timed,
        )


def _shortened(lines: list[str], most: int = MAX_LISTED) -> tuple[str, ...]:
    if len(lines) <= most:
        return tuple(lines)
    return (*lines[:most], f"... and {len(lines) - most} more")


def _draft(
    place: Place, assignment: Assignment, parts: Sequence[Part], roster: Roster = NOBODY
) -> _Draft:
    """Read one submission and say all that can be said of it without the others."""
    members = tuple(dict.fromkeys(safe_id(names[0]) for names in place.people))
    people = roster.of(members)
    names = (*place.people, members, *(person.keys for person in people))
    known = frozenset(name.lower() for one in names for name in one)
    draft = _Draft(place, members, known, numbered=place.numbered and not people)
    if place.remark:
        draft.say(place.remark)
    closed = _take(draft, assignment)
    _judge_files(draft, assignment, parts, closed)
    _judge_notebooks(draft)
    _judge_netid(draft)
    _judge_group(draft, _limits(parts))
    return draft


def _take(draft: _Draft, assignment: Assignment) -> list[str]:
    """Take the files that the assignment names, and say which of several versions; brings the
    archives that were not opened.

    A folder or an archive in it counts as a part of its path.
    """
    found = _Found(draft, assignment)
    closed: list[str] = []
    with ExitStack() as stack:
        for path, node in sorted(_walk(draft, stack), key=lambda one: (len(one[0]), one[0])):
            found.look(path, node)
            if is_archive(node):
                closed.append(printable("/".join(path)))
        found.look_for_modules()
    for name, version in found.best.items():
        draft.files.put(name, version.data, version.node)
        _say_choice(draft, version, found.others[name])
    return closed


class _Found:
    """The best version so far of each file that the assignment names."""

    def __init__(self, draft: _Draft, assignment: Assignment) -> None:
        self.best: dict[str, Version] = {}
        self.others: dict[str, list[tuple[str, Left]]] = defaultdict(list)  # path, what was left
        self._draft = draft
        self._assignment = assignment
        self._left = MAX_READ
        self._unnamed: list[tuple[_Path, Node]] = []

    def look(self, path: _Path, node: Node) -> None:
        """Take a file for what its name or its metadata says."""
        shown, name = printable("/".join(path)), by_name(path[-1], self._assignment)
        if name is None:
            self._draft.ignored.append(shown if node.kind == FILE else f"{shown} ({node.kind})")
            if node.kind == FILE and path[-1].endswith((".py", ".txt")):
                self._unnamed.append((path, node))
            return
        try:
            data = self._read(node, name)
            if data == PLACEHOLDER:
                return
            if name.endswith(".ipynb"):
                name = notebook_name(name, data)
            self._add(Version(path, kept_name(name), data, node))
        except Refused as error:
            self._draft.ignored.append(shown)
            self._draft.say(f"{shown} was not taken: it {error}.", "damaged")

    def look_for_modules(self) -> None:
        """Where a module is not there, or not finished, it may be in a file of any name."""
        for name in asked_names(self._assignment):
            there = self.best.get(name)
            if not name.endswith(".py") or (there and there.finished):
                continue
            for path, node in self._unnamed:
                with suppress(Refused):
                    data = self._read(node, name)
                    if is_module(data, name, self._assignment):
                        shown = printable("/".join(path))
                        if shown in self._draft.ignored:  # one file may hold both modules
                            self._draft.ignored.remove(shown)
                        self._add(Version(path, name, data, node))

    def _read(self, node: Node, name: str) -> bytes:
        most = MAX_BYTES.get(Path(name).suffix, MAX_OTHER_BYTES)
        if most > self._left:
            raise Refused(f"lies among more than {size(MAX_READ)}")
        self._left -= most
        data = read(node, most)
        self._left += most - len(data)
        return data

    def _add(self, version: Version) -> None:
        """Keep the better of two versions. Raises Refused for one that is too much."""
        before = self.best.get(version.name)
        beside = sum(len(one.data) for name, one in self.best.items() if name != version.name)
        if beside + len(version.data) > MAX_TOTAL:
            raise Refused(f"would bring the submission above {size(MAX_TOTAL)}")
        if before is None:
            self.best[version.name] = version
            return
        best, other = sorted((before, version), key=self._rank)
        shown = printable("/".join(other.path))
        self._draft.ignored.append(shown)
        self.best[version.name] = best
        if best.data != other.data and not self._is_other(other):
            self.others[version.name].append((shown, other.left))

    def _rank(self, version: Version) -> tuple[bool, Rank]:
        return self._is_other(version), version.rank

    def _is_other(self, version: Version) -> bool:
        """Is it something else that has a name like that of a module?"""
        named = version.likeness != OTHERWISE or not version.name.endswith(".py")
        return not named and not is_module(version.data, version.name, self._assignment)


def _say_choice(draft: _Draft, version: Version, others: list[tuple[str, Left]]) -> None:
    """Say under which other name a file was found, and which of several versions was taken."""
    name, shown = version.name, printable("/".join(version.path))
    judged = name.endswith((".py", ".ipynb"))
    if name != version.path[-1]:
        other = judged and version.likeness == OTHERWISE
        draft.say(
            f"{shown} was taken as {name}; please use the name that was asked for.",
            "renamed" if other else None,
        )
    if judged and others:
        most = all(version.left < left for _, left in others)
        draft.say(
            f"There are {len(others) + 1} versions of {name}. {shown} was taken, which has "
            f"{'the most work' if most else 'as much work as any'} in it; not taken: "
            f"{', '.join(_shortened([path for path, _ in others], 5))}.",
            "versions",
        )
    if judged and version.unmerged_line:
        draft.say(
            f"{shown}, line {version.unmerged_line}, holds one of the lines <<<<<<< and >>>>>>> "
            "that git leaves where two versions differ. The file is no use to anybody until one "
            "version is chosen and those lines are gone.",
            "unmerged",
        )


def _judge_files(
    draft: _Draft, assignment: Assignment, parts: Sequence[Part], closed: list[str]
) -> None:
    """Say what is not there, and which archives may hold it."""
    if draft.flags & _UNREAD:
        return
    missing: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        if part.module and not draft.files.get(f"{part.module}.py", b"").strip():
            missing[f"{part.module}.py"].append(part.id)
    if not draft.work():
        asked = ", ".join(assignment.files)
        draft.say(f"Nothing that was asked for ({asked}) was found here.", "empty")
    else:
        for name, ids in missing.items():
            how = "is empty" if name in draft.files else "was not handed in"
            draft.say(f"{name} {how}, so no code of {', '.join(ids)} counts.", "missing")
    if closed and (missing or not draft.work()):
        draft.say(
            f"Not opened here: {', '.join(_shortened(closed, 5))}. Please hand in the files "
            "themselves, or a zip of them.",
            "unopened",
        )


def _judge_notebooks(draft: _Draft) -> None:
    """Say which notebooks nobody can open: their answers are read by people, long after."""
    for name, data in draft.files.items():
        if name.endswith(".ipynb"):
            try:
                load_notebook(data, name)
            except ReportError as error:
                draft.say(str(error), "damaged")


def _walk(draft: _Draft, stack: ExitStack) -> list[tuple[_Path, Node]]:
    """Every file of a submission with its path, found level by level.

    The submission may be an archive, hold some, and those others, within limits; the rest stay
    closed. `stack` keeps them open.
    """
    found: list[tuple[_Path, Node]] = []
    queue: deque[tuple[_Path, Node, int]] = deque([((), draft.place.node, 0)])
    seen, archives, room = 0, 0, MAX_HELD
    while queue:
        path, node, nesting = queue.popleft()
        shown = printable("/".join(path) or node.name)
        try:
            if len(path) > MAX_DEPTH:
                raise Refused("lies too many folders deep")
            if node.kind == FILE:
                nesting += 1
                node = stack.enter_context(unpacked(node, MAX_ENTRIES, room))
                room -= node.held
            elif node.kind != FOLDER:
                raise Refused(f"is {node.kind}, not a folder or a zip")
            below = children(node, MAX_ENTRIES)
        except Closed as error:
            draft.say(f"{shown} {error}. Please hand in a zip.", "unopened")
            continue
        except Refused as error:
            draft.say(f"{shown} {error}.", "damaged")
            continue
        seen += len(below)
        if seen > MAX_ENTRIES:
            draft.say(
                f"It holds more than {MAX_ENTRIES:,} entries, so not all were looked at; "
                "hand in only what was asked for.",
                "damaged",
            )
            break
        for child in below:
            opened = opens(child) and nesting < MAX_NESTING and archives < MAX_ARCHIVES
            archives += opened
            if opened or child.kind == FOLDER:
                queue.append(((*path, child.name), child, nesting))
            else:
                found.append(((*path, child.name), child))
    return found


def _judge_netid(draft: _Draft) -> None:
    """Read the netid file, one NetID per line, and hold it against what the platform knows."""
    data = draft.files.get("netid")
    if data is None:
        return
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # PowerShell writes this
    text = data.decode("utf-16" if wide else "utf-8-sig", "replace").lower()
    names = [name.partition("@")[0] for name in re.split(r"[\s,;]+", text) if name]
    if not 0 < len(names) <= MAX_NETIDS or not all(map(_NETID.fullmatch, names)):
        draft.say("The netid file does not hold NetIDs, one per line, and was not used.")
        return
    draft.claimed = frozenset(names)
    if draft.numbered:
        draft.say(
            f"The netid file says {_listed(names)}; the platform gave only the number "
            f"{_listed(draft.members)}, which decides.",
            "group" if len(draft.claimed) > 1 else None,
        )
    elif not draft.claimed & draft.known:
        draft.say(
            f"The netid file says {_listed(names)}, but this was handed in by "
            f"{_listed(draft.members)}, for whom it counts.",
            "netid",
        )


def _listed(names: Mapping[str, object] | list[str] | tuple[str, ...] | frozenset[str]) -> str:
    return ", ".join(sorted(set(names)))


def _limits(parts: Sequence[Part]) -> Limits:
    return {part.id: part.max_group for part in parts}


def _judge_group(draft: _Draft, limits: Limits) -> None:
    """Flag a group that is too large for a part, and say for which."""
    people = len(draft.members)
    if rule := _broken_rule(people, limits):
        draft.say(f"{people} people handed this in; {rule}.", "group")


def _broken_rule(people: int, limits: Limits) -> str:
    """What is allowed in the parts for which so many people are too many, or nothing.

    The parts are named where others are fine, or have another limit.
    """
    rules = []
    for most in sorted({most for most in limits.values() if most < people}):
        rule = f"at most {most} may hand in together" if most > 1 else "everyone hands in alone"
        parts = [part for part, limit in limits.items() if limit == most]
        rules.append(rule if len(parts) == len(limits) else f"{rule} in {', '.join(parts)}")
    return "; ".join(rules)


# --- all submissions


def _settle(
    drafts: list[_Draft], assignment: Assignment, parts: Sequence[Part], roster: Roster
) -> list[Handin]:
    """Hold the submissions against each other: two for one NetID, and groups; then the clock."""
    _flag_conflicts(drafts, roster)
    joined = _join_groups(drafts, _limits(parts))
    for draft in joined:
        _judge_time(draft, assignment, roster)
    return [draft.handin() for draft in joined]


def _judge_time(draft: _Draft, assignment: Assignment, roster: Roster) -> None:
    """Flag a hand-in that is late by its time or, where that is unknown, by the platform's word."""
    submitted = draft.place.submitted or roster.submitted(draft.members)
    marked_late = draft.place.marked_late
    draft.timed = submitted is not None or marked_late is not None
    extension = roster.extension(draft.members)
    verdict = lateness.judge(assignment, submitted, extension, marked_late)
    if verdict.sentence:
        draft.say(verdict.sentence, verdict.flag or None)


def _flag_conflicts(drafts: list[_Draft], roster: Roster) -> None:
    """Flag every hand-in that shares a NetID with another.

    Where the platform, the roster or the folder's name says whose a NetID is, only the others that
    claim it are flagged: nobody can hold back another's marks by writing their NetID into a file.
    """

    def called(name: str) -> str:
        """One name for all that somebody has."""
        person = roster.find(name)
        return (person.netid or person.id if person else name).lower()

    owners: dict[str, list[_Draft]] = defaultdict(list)
    claimers: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        for name in {called(member) for member in draft.members}:
            owners[name].append(draft)
        if not draft.claimed & draft.known:
            for name in {called(claimed) for claimed in draft.claimed}:
                claimers[name].append(draft)
    owned = {called(name) for draft in drafts if not draft.numbered for name in draft.known}
    for name in sorted({*owners, *claimers}):
        rivals = owners[name] if len(owners[name]) > 1 else []
        if name in owned or len(claimers[name]) > 1:
            rivals = rivals + claimers[name]
        for draft in rivals:
            draft.say(f"More than one hand-in claims to be by {name}.", "conflict")


def _join_groups(drafts: list[_Draft], limits: Limits) -> list[_Draft]:
    """Make one hand-in of those whose netid files name one group, each with its owner in it.

    A group that not everyone confirms, that is too large for every part, or whose members handed
    in different work stays apart and is flagged. So is one that is too large for some of the parts.
    """
    largest = max(limits.values())
    groups: dict[frozenset[str], list[_Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.claimed & draft.known and draft.claimed - draft.known:
            groups[draft.claimed].append(draft)
    joined: list[_Draft] = []
    for claimed, sharing in groups.items():
        silent = claimed.difference(*(draft.known for draft in sharing))
        carriers = [d for d in sharing if d.work() or d.flags & _UNREAD] or sharing
        problem = ""
        if len(claimed) > largest:
            problem = _broken_rule(len(claimed), limits)
        elif silent:
            problem = f"no netid file of {_listed(silent)} names the same group"
        elif any(draft.work() != carriers[0].work() for draft in carriers):
            problem = "its members handed in different files"
        for draft in sharing if problem else ():
            draft.say(
                f"The netid file names the group {_listed(claimed)}, but {problem}; "
                f"this counts for {_listed(draft.members)} only.",
                "group",
            )
            # Where some parts are done alone, different files are no surprise.
            if "different" in problem and not _broken_rule(len(claimed), limits):
                draft.flags.add("conflict")
        if not problem and not any("conflict" in draft.flags for draft in sharing):
            first = min(carriers, key=_earliest)
            first.members = tuple(sorted({name for draft in sharing for name in draft.members}))
            first.say(f"It counts for {_listed(claimed)}: the netid file of each names the group.")
            _judge_group(first, limits)
            joined += [draft for draft in sharing if draft is not first]
    return [draft for draft in drafts if not any(draft is other for other in joined)]


def _earliest(draft: _Draft) -> tuple[bool, float, str]:
    submitted = draft.place.submitted
    return submitted is None, submitted.timestamp() if submitted else 0.0, draft.place.id
