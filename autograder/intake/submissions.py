"""Turns what was handed in into submissions, whatever folder, zip or download it comes as.

First `platforms` says what is whose; then the files that the assignment names are taken, the
one nearest to the root first; last, the netid files are held against each other. No file of a
student is parsed here, except netid.

Whom a submission counts for is decided by the platform or the folder's name. A netid file never
overrules that: it is compared, and what does not fit is flagged for a person.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from autograder.assignment import Assignment, Part
from autograder.intake.archive import (
    FILE,
    FOLDER,
    MAX_DEPTH,
    Node,
    Refused,
    children,
    on_disk,
    printable,
    read,
    size,
    unzipped,
)
from autograder.intake.platforms import (
    MAX_ENTRIES,
    METADATA_OF_ONE,
    Place,
    alone,
    holds_work,
    is_zip,
    places,
    safe_id,
    unwrap,
    wanted_name,
)

MAX_CLASS_ENTRIES = 100_000  # of one zip with all submissions
MAX_ZIPS = 8  # opened inside one submission
MAX_TOTAL = 64 * 2**20  # bytes taken from one submission
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
_ADVICE = "give a folder of submissions, one zip of them, or a platform's download"


Limits = Mapping[str, int]
"""How many may hand in together in each of the parts that are graded, by its id."""


class IntakeError(ValueError):
    """SUBMISSIONS cannot be read at all; the message is a sentence."""


@dataclass(frozen=True)
class Handin:
    """One submission as it was handed in.

    `id` is the platform's or the folder's, safe as a file name. `members` are the NetIDs or
    platform ids it counts for. `files` holds, by base name, only files that the assignment names;
    `ignored` lists others. `submitted` is time-zone aware. `flags` are one-word facts a person
    must look at (late, refused, damaged, empty, netid, group, conflict); `notes` say them in
    sentences.
    """

    id: str
    members: tuple[str, ...]
    files: Mapping[str, bytes]
    ignored: tuple[str, ...] = ()
    submitted: datetime | None = None
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_submissions(
    path: Path, assignment: Assignment, parts: Sequence[Part] = ()
) -> list[Handin]:
    """Every submission of SUBMISSIONS, sorted by id. Raises IntakeError.

    `parts`: those that are graded, all of them unless told; each says how many may work together.
    What is wrong with one submission is said in its flags and notes and stops no other.
    """
    root = _root(path)
    with ExitStack() as stack:
        try:
            if root.kind == FILE:
                inside = stack.enter_context(unzipped(root, MAX_CLASS_ENTRIES))
                root = replace(inside, name=alone(root).people[0][0])
            inner, top = unwrap(root, assignment)
            if holds_work(top, assignment):
                found = [_alone(path, inner)]
            else:
                found = places(inner, top, assignment)
        except Refused as error:
            raise IntakeError(f"{path} {error}; {_ADVICE}.") from None
        if not found:
            raise IntakeError(f"{path} holds no submission; {_ADVICE}.")
        limits = _limits(assignment, parts)
        return _settle([_draft(place, assignment, limits) for place in found], limits)


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
    limits = _limits(assignment, parts)
    return _settle([_draft(place, assignment, limits)], limits)[0]


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
    if node.kind != FOLDER and not is_zip(node):
        raise IntakeError(f"{path} is neither a folder nor a zip; {_ADVICE}.")
    return node


def _alone(path: Path, node: Node) -> Place:
    metadata = path.resolve().with_name(METADATA_OF_ONE)
    gradescope = node.name == "submission" and metadata.exists()
    return alone(node, on_disk(metadata) if gradescope else None)


# --- one submission


@dataclass
class _Draft:
    """A hand-in while it is put together.

    `known` are all names of its members and `claimed` the NetIDs in its netid file, lower case.
    """

    place: Place
    members: tuple[str, ...]
    known: frozenset[str]
    claimed: frozenset[str] = frozenset()
    files: dict[str, bytes] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

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
            files=dict(sorted(self.files.items())),
            ignored=_shortened(self.ignored),
            submitted=self.place.submitted,
            flags=tuple(sorted(self.flags)),
            notes=_shortened(self.notes),
        )


def _shortened(lines: list[str]) -> tuple[str, ...]:
    if len(lines) <= MAX_LISTED:
        return tuple(lines)
    return (*lines[:MAX_LISTED], f"... and {len(lines) - MAX_LISTED} more")


def _draft(place: Place, assignment: Assignment, limits: Limits) -> _Draft:
    """Read one submission and say all that can be said of it without the others."""
    members = tuple(dict.fromkeys(safe_id(names[0]) for names in place.people))
    known = {name.lower() for names in (*place.people, members) for name in names}
    draft = _Draft(place, members, frozenset(known))
    _take(draft, assignment)
    if not draft.work() and "damaged" not in draft.flags:
        asked = ", ".join(assignment.files)
        draft.say(f"Nothing that was asked for ({asked}) was found here.", "empty")
    _judge_time(draft, assignment)
    _judge_netid(draft)
    _judge_group(draft, limits)
    return draft


def _take(draft: _Draft, assignment: Assignment) -> None:
    """Take the files that the assignment names.

    Of several with one name, the nearest to the root is taken; at one depth the one spelled as
    asked, then the first by path. A zip counts as a folder.
    """

    def nearest(item: tuple[tuple[str, ...], Node]) -> tuple[int, bool, tuple[str, ...], str]:
        path, node = item
        return len(path), wanted_name(path[-1], assignment) != path[-1], path, node.kind

    left = MAX_TOTAL
    with ExitStack() as stack:
        for path, node in sorted(_walk(draft, stack), key=nearest):
            shown = printable("/".join(path))
            name = wanted_name(path[-1], assignment)
            if name is None or (name in draft.files and node.kind == FILE):
                draft.ignored.append(shown if node.kind == FILE else f"{shown} ({node.kind})")
                continue
            try:
                data = read(node, MAX_BYTES.get(Path(name).suffix, MAX_OTHER_BYTES))
                if len(data) > left:
                    raise Refused(f"would bring the submission above {size(MAX_TOTAL)}")
            except Refused as error:
                draft.ignored.append(shown)
                draft.say(f"{shown} was not taken: it {error}.", "damaged")
                continue
            if data == PLACEHOLDER:
                continue
            if name != path[-1]:
                draft.say(f"{shown} was taken as {name}; please use the name that was asked for.")
            draft.files[name] = data
            left -= len(data)


def _walk(draft: _Draft, stack: ExitStack) -> list[tuple[tuple[str, ...], Node]]:
    """Every file of a submission with its path, found level by level.

    A zip is opened when it is the submission or lies in its folder; a zip inside a student's zip
    stays closed. `stack` keeps the zips open.
    """
    found: list[tuple[tuple[str, ...], Node]] = []
    queue: deque[tuple[tuple[str, ...], Node, bool]] = deque([((), draft.place.node, False)])
    seen = zips = 0
    while queue:
        path, node, in_zip = queue.popleft()
        try:
            if len(path) > MAX_DEPTH:
                raise Refused("lies too many folders deep")
            if node.kind == FILE:
                in_zip = True
                node = stack.enter_context(unzipped(node, MAX_ENTRIES))
            elif node.kind != FOLDER:
                raise Refused(f"is {node.kind}, not a folder or a zip")
            below = children(node, MAX_ENTRIES)
        except Refused as error:
            draft.say(f"{printable('/'.join(path) or node.name)} {error}.", "damaged")
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
            opens = is_zip(child) and not in_zip and zips < MAX_ZIPS
            zips += opens
            if opens or child.kind == FOLDER:
                queue.append(((*path, child.name), child, in_zip))
            else:
                found.append(((*path, child.name), child))
    return found


def _judge_time(draft: _Draft, assignment: Assignment) -> None:
    """Flag a hand-in that is late by its time or, where that is unknown, by the platform's word."""
    submitted, due = draft.place.submitted, assignment.due
    if due is None:
        return
    if submitted is None and not draft.place.marked_late:
        draft.say("No submission time is known, so lateness was not judged.")
        return
    if assignment.late == "accept" or (submitted is not None and submitted <= due):
        return
    how = f"at {submitted.isoformat(' ')}" if submitted else "late, as the platform says"
    flag, end = ("refused", " and is not accepted") if assignment.late == "refuse" else ("late", "")
    draft.say(f"It was handed in {how}{end}; the deadline was {due.isoformat(' ')}.", flag)


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
    if draft.place.numbered:
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


def _limits(assignment: Assignment, parts: Sequence[Part]) -> Limits:
    return {part.id: part.max_group for part in parts or assignment.parts}


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


def _settle(drafts: list[_Draft], limits: Limits) -> list[Handin]:
    """Hold the submissions against each other: two for one NetID, and groups."""
    _flag_conflicts(drafts)
    return [draft.handin() for draft in _join_groups(drafts, limits)]


def _flag_conflicts(drafts: list[_Draft]) -> None:
    """Flag every hand-in that shares a NetID with another.

    Where the platform or the folder's name says whose a NetID is, only the others that claim it
    are flagged: nobody can hold back another's marks by writing their NetID into a file.
    """
    owners: dict[str, list[_Draft]] = defaultdict(list)
    claimers: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        for name in {member.lower() for member in draft.members}:
            owners[name].append(draft)
        if not draft.claimed & draft.known:
            for name in draft.claimed:
                claimers[name].append(draft)
    owned = {name for draft in drafts if not draft.place.numbered for name in draft.known}
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
        carriers = [d for d in sharing if d.work() or "damaged" in d.flags] or sharing
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
