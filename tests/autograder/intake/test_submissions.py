"""The intake reads every layout, takes only what was asked for, and survives what is hostile."""

from __future__ import annotations

import io
import json
import os
import random
import socket
import stat
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.assignment import Assignment, Part, Penalty
from autograder.intake import archive
from autograder.intake import submissions as intake
from autograder.intake.files import IntakeError
from autograder.intake.submissions import (
    Handin,
    digest,
    read_submission,
    read_submissions,
    untimed,
)
from autograder.roster import Person, Roster

DUE = datetime(2027, 4, 13, 12, tzinfo=timezone(timedelta(hours=-5)))
HW = Assignment(
    id="hw5",
    title="Deep generative models",
    due=None,
    late="flag",
    max_group=1,
    anonymous=False,
    files=("hw5_vae.py", "hw5_gan.py", "netid", "*.ipynb", "*.pdf"),
    # Both in one module, so that nobody here forgets the other.
    parts=(Part("fc-vae", "VAE", "hw5_vae", 35.0, ()), Part("fc-gan", "GAN", "hw5_vae", 35.0, ())),
)
PAIRS = replace(HW, parts=tuple(replace(part, max_group=2) for part in HW.parts))
ONE_FOR_PAIRS = replace(HW, parts=(HW.parts[0], PAIRS.parts[1]))
ALONE, IN_PAIRS = ONE_FOR_PAIRS.parts
CODE = b"import torch\n"


def lay(root: Path, files: dict[str, bytes | str]) -> Path:
    """Write `files` (path -> content) below `root`."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    root.mkdir(parents=True, exist_ok=True)
    return root


def zipped(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return entries(*files.items(), method=method)


def entries(
    *named: tuple[str | zipfile.ZipInfo, bytes | str], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """A zip with exactly these entries, duplicates and odd ones included."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as target:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for info, data in named:
            target.writestr(info, data)
    return buffer.getvalue()


def one(tmp_path: Path, data: bytes, assignment: Assignment = HW) -> Handin:
    (tmp_path / "ada.zip").write_bytes(data)
    return read_submission(tmp_path / "ada.zip", assignment)


def by_id(path: Path, assignment: Assignment = HW, parts: Sequence[Part] = ()) -> dict[str, Handin]:
    handins = read_submissions(path, assignment, parts)
    assert [h.id for h in handins] == sorted(h.id for h in handins)
    assert len({h.id.lower() for h in handins}) == len(handins)
    return {handin.id: handin for handin in handins}


# --- layouts


def test_folder_of_folders_takes_only_what_was_asked_for(tmp_path: Path) -> None:
    files = {"hw5_vae.py": CODE, "notes.txt": "x", "report.pdf": b"%PDF", "netid": "ada\n"}
    lay(tmp_path / "ada", {**files, "hw5_utils.py": "given"})
    lay(tmp_path / "bob", {"hw5_gan.py": b"# \xe9 in Latin-1"})
    found = by_id(tmp_path)
    assert dict(found["ada"].files) == {
        "hw5_vae.py": CODE,
        "netid": b"ada\n",
        "report.pdf": b"%PDF",
    }
    assert found["ada"].ignored == ("hw5_utils.py", "notes.txt")
    assert found["ada"].members == ("ada",)
    assert found["ada"].flags == found["ada"].notes == ()
    assert found["bob"].files["hw5_gan.py"] == b"# \xe9 in Latin-1"


def test_mixture_of_zips_folders_and_stray_files(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE})
    lay(
        tmp_path,
        {
            "bob.zip": zipped({"hw5/hw5_vae.py": CODE, "__MACOSX/hw5/._hw5_vae.py": "x"}),
            "grades.csv": "a,b",
            ".DS_Store": "x",
            "cy.rar": "Rar!",
        },
    )
    found = by_id(tmp_path)
    assert set(found) == {"ada", "bob", "cy"}
    assert found["bob"].files == {"hw5_vae.py": CODE}
    assert found["bob"].ignored == ()
    assert found["cy"].flags == ("unopened",)
    assert "cy.rar is a RAR archive, which cannot be opened here" in found["cy"].notes[0]


@pytest.mark.parametrize("wrapper", ["", "export/", "export/all/"])
def test_one_zip_of_all(tmp_path: Path, wrapper: str) -> None:
    inner = {"ada/hw5/hw5_vae.py": CODE, "bob.zip": zipped({"hw5/hw5_vae.py": CODE}), "cy/": ""}
    (tmp_path / "all.zip").write_bytes(zipped({wrapper + k: v for k, v in inner.items()}))
    found = by_id(tmp_path / "all.zip")
    assert set(found) == {"ada", "bob", "cy"}
    assert found["ada"].files == found["bob"].files == {"hw5_vae.py": CODE}
    assert found["cy"].flags == ("empty",)


def test_a_class_of_one_is_not_a_wrapper(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5/hw5_vae.py": CODE})
    assert set(by_id(tmp_path)) == {"ada"}


def test_folder_that_holds_the_work_itself_is_one_submission(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "old/hw5_gan.py": CODE, "data/x": "y"})
    (handin,) = read_submissions(tmp_path / "ada", HW)
    assert (handin.id, handin.members) == ("ada", ("ada",))
    assert handin == read_submission(tmp_path / "ada", HW)


def test_zip_that_holds_the_work_itself_is_one_submission(tmp_path: Path) -> None:
    (tmp_path / "ada.zip").write_bytes(zipped({"hw5_vae.py": CODE}))
    (handin,) = read_submissions(tmp_path / "ada.zip", HW)
    assert (handin.id, handin.files) == ("ada", {"hw5_vae.py": CODE})


def test_the_current_folder_is_called_by_its_name(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(lay(tmp_path / "ada", {"hw5_vae.py": CODE}))
    assert read_submission(Path("."), HW).id == "ada"


def test_canvas(tmp_path: Path) -> None:
    lay(
        tmp_path,
        {
            "lovelaceada_12345_67890_hw5_vae-1.py": "old",
            "lovelaceada_12345_67891_hw5_vae-2.py": CODE,
            "lovelaceada_12345_67892_netid-2": "ada2",
            "babbagebob_LATE_777_1_hw5.zip": zipped({"hw5_vae.py": CODE}),
        },
    )
    found = by_id(tmp_path, replace(HW, due=DUE))
    ada, bob = found["lovelaceada_12345"], found["babbagebob_777"]
    assert dict(ada.files) == {"hw5_vae.py": CODE, "netid": b"ada2"}
    assert (ada.members, ada.flags) == (("12345",), ())
    assert ada.ignored == ("hw5_vae-1.py",)
    assert bob.files == {"hw5_vae.py": CODE}
    assert bob.flags == ("late",)


@pytest.mark.parametrize("tail", ["assignsubmission_file_", "assignsubmission_file"])
def test_moodle(tmp_path: Path, tail: str) -> None:
    lay(tmp_path / f"Ada Lovelace_101_{tail}", {"hw5_vae.py": CODE})
    lay(tmp_path / "Ada Lovelace_101_assignsubmission_onlinetext", {"onlinetext.html": "hi"})
    lay(tmp_path / f"李四_102_{tail}", {"hw5.zip": zipped({"hw5/hw5_vae.py": CODE})})
    lay(tmp_path, {"Bob B._103_assignsubmission_file_hw5.zip": zipped({"hw5_vae.py": CODE})})
    found = by_id(tmp_path)
    assert set(found) == {"Ada-Lovelace_101", "102", "Bob-B_103"}
    assert found["102"].members == ("102",)
    assert all(h.files == {"hw5_vae.py": CODE} and not h.flags for h in found.values())


YAML = """---
submission_1:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0012'
    :email: ada@school.edu
  - :name: |-
      Bob
      :sid: victim
    :sid:
    :email: "bob@school.edu"
  :created_at: 2027-04-13 16:59:59.123456789 Z
  :score: 10.0
  :results:
    output: "submission_2:
      :created_at: 2000-01-01 00:00:00 Z"
    :created_at: 2000-01-01 00:00:00 Z
  :history:
  - :id: 3
    :created_at: 2001-01-01 00:00:00 Z
    :sid: victim
submission_2:
  :created_at: 2027-04-13 12:00:01.000000 -05:00
  :submitters:
    - :name: Cy
      :sid: cy
      :email: cy@school.edu
"""


@pytest.mark.parametrize("packed", [False, True])
def test_gradescope_export(tmp_path: Path, packed: bool) -> None:
    files: dict[str, bytes | str] = {
        "assignment_9_export/submission_metadata.yml": YAML,
        "assignment_9_export/submission_1/hw5_vae.py": CODE,
        "assignment_9_export/submission_1/netid": "bob\nADA\n",
        "assignment_9_export/submission_2/hw5_vae.py": CODE,
        "assignment_9_export/submission_2/netid": "ada",
        "assignment_9_export/submission_3/hw5_vae.py": CODE,
    }
    path = tmp_path / "export.zip"
    if packed:
        path.write_bytes(zipped(files))
    else:
        path = lay(tmp_path / "export", files)
    found = by_id(path, replace(PAIRS, due=DUE))
    first, second, third = (found[f"submission_{n}"] for n in (1, 2, 3))
    assert first.members == ("0012", "bob")
    assert first.submitted == datetime(2027, 4, 13, 16, 59, 59, 123456, tzinfo=timezone.utc)
    assert (first.flags, first.notes) == ((), ())
    assert second.members == ("cy",)
    assert second.flags == ("conflict", "late", "netid")
    assert third.members == ("submission_3",)


def test_gradescope_beside_its_autograder(tmp_path: Path) -> None:
    metadata = {
        "id": 77,
        "created_at": "2027-04-13T12:00:01.123456-05:00",
        "users": [{"email": "ada@school.edu", "id": 5, "name": "Ada"}],
    }
    lay(tmp_path / "submission", {"hw5/hw5_vae.py": CODE, "netid": "ada"})
    lay(tmp_path, {"submission_metadata.json": json.dumps(metadata)})
    handin = read_submission(tmp_path / "submission", replace(HW, due=DUE, late="refuse"))
    assert (handin.id, handin.members, handin.flags) == ("submission_77", ("ada",), ("refused",))
    assert read_submissions(tmp_path, replace(HW, due=DUE, late="refuse")) == [handin]
    lay(tmp_path, {"submission_metadata.json": "{"})
    with pytest.raises(IntakeError, match="not Gradescope's"):
        read_submission(tmp_path / "submission", HW)


def test_metadata_inside_a_submission_is_the_students_own(tmp_path: Path) -> None:
    forged = json.dumps({"id": 1, "created_at": "", "users": [{"email": "bob@x", "id": 1}]})
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "submission_metadata.json": forged})
    lay(tmp_path / "ada", {"submission_metadata.yml": YAML})
    assert read_submission(tmp_path / "ada", HW).members == ("ada",)


@pytest.mark.parametrize("start", ["course", "course/submitted"])
def test_nbgrader_tree(tmp_path: Path, start: str) -> None:
    stamp = "2027-04-13 17:00:01.000000 UTC\n"
    lay(
        tmp_path / "course",
        {
            "submitted/ada/hw5/hw5_vae.py": CODE,
            "submitted/ada/hw5/timestamp.txt": stamp,
            "submitted/ada/hw4/hw4.ipynb": "{}",
            "submitted/bob/hw4/hw4.ipynb": "{}",
            "source/hw5/problem.ipynb": "{}",
            "gradebook.db": "x",
        },
    )
    found = by_id(tmp_path / start, replace(HW, due=DUE))
    assert set(found) == {"ada"}
    assert found["ada"].files == {"hw5_vae.py": CODE}
    assert found["ada"].flags == ("late",)
    assert found["ada"].ignored == (), "nbgrader's own stamp was handed in by nobody"


# --- time


@pytest.mark.parametrize(
    ("rule", "flags"), [("refuse", ("refused",)), ("flag", ("late",)), ("accept", ())]
)
def test_lateness(tmp_path: Path, rule: str, flags: tuple[str, ...]) -> None:
    for student, stamp in (("ada", "2027-04-13 17:00:00 UTC"), ("bob", "2027-04-13T12:00:01-0500")):
        lay(tmp_path / student / "hw5", {"hw5_vae.py": CODE, "timestamp.txt": stamp})
    found = by_id(tmp_path, replace(HW, due=DUE, late=rule))
    assert found["ada"].flags == ()
    assert found["bob"].flags == flags
    assert found["bob"].submitted == DUE + timedelta(seconds=1)
    assert all(not handin.flags for handin in by_id(tmp_path).values())


def test_unknown_times_are_said_once_for_the_class_where_something_is_due(tmp_path: Path) -> None:
    lay(tmp_path / "ada" / "hw5", {"hw5_vae.py": CODE, "timestamp.txt": "yesterday, CST"})
    assert untimed(read_submissions(tmp_path, HW), HW) == []
    due = replace(HW, due=DUE, late="refuse")
    handins = read_submissions(tmp_path, due)
    assert [(h.flags, h.notes) for h in handins] == [((), ())]
    assert untimed(handins, due) == [
        "No time is known of any submission, so lateness was not judged. Where they came from "
        "Moodle, its grading worksheet has the times: make the roster of it."
    ]
    lay(tmp_path / "bob" / "hw5", {"hw5_vae.py": CODE, "timestamp.txt": "2027-04-13 12:00:00 EST"})
    handins = read_submissions(tmp_path, due)
    assert "of 1 of 2 (ada)" in untimed(handins, due)[0]


@pytest.mark.parametrize(
    "zone", ["EDT", "America/New_York", "-04", "-0400", "-04:00", "WEST", "AEST", ""]
)
def test_a_time_counts_in_whatever_zone_the_platform_names(tmp_path: Path, zone: str) -> None:
    stamp = f"2027-04-20 23:59:59.123456 {zone}"
    lay(tmp_path / "submitted" / "ada" / "hw5", {"hw5_vae.py": CODE, "timestamp.txt": stamp})
    assert by_id(tmp_path, replace(HW, due=DUE))["ada"].flags == ("late",)


TWO_ZONES = {
    "ada": "2027-04-14 01:00:00 Asia/Tokyo",  # an hour before it is due
    "bob": "2027-04-13 12:30:00 -06:00",  # an hour and a half after
    "cy": "2027-04-14 14:00:00 EDT",
}


@pytest.mark.parametrize(
    ("rule", "flags"),
    [
        ({}, [(), ("late",), ()]),
        ({"late": "refuse"}, [(), ("refused",), ()]),
        ({"grace": timedelta(minutes=90)}, [(), (), ()]),
        ({"cut_off": timedelta(hours=1)}, [(), ("refused",), ()]),
    ],
)
def test_an_extension_takes_the_place_of_the_due_date(tmp_path: Path, rule, flags) -> None:
    for student, stamp in TWO_ZONES.items():
        lay(tmp_path / student / "hw5", {"hw5_vae.py": CODE, "timestamp.txt": stamp})
    roster = Roster((Person("c1", "cy", extension="2027-04-14T18:00:00Z"),))
    found = read_submissions(tmp_path, replace(HW, due=DUE, **rule), HW.parts, roster)
    assert [handin.flags for handin in found] == flags
    assert "within your extension, until 2027-04-14 18:00:00" in found[2].notes[0]


def test_who_hands_in_together_has_the_latest_of_their_extensions(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        files = {"hw5_vae.py": CODE, "netid": "ada bob", "timestamp.txt": "2027-04-14 12:00:00 UTC"}
        lay(tmp_path / student / "hw5", files)
    roster = Roster((Person("ada", extension="2027-04-15T00:00:00Z"), Person("bob")))
    (pair,) = read_submissions(tmp_path, replace(PAIRS, due=DUE), PAIRS.parts, roster)
    assert (pair.members, pair.flags) == (("ada", "bob"), ())


def test_a_moodle_class_is_late_by_the_times_of_its_worksheet(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        lay(tmp_path / f"A B_{number}_assignsubmission_file_", {"hw5_vae.py": CODE})
    late = Person("2", submitted="2027-04-13T19:01:00+02:00")
    roster = Roster((Person("1", submitted="2027-04-13T12:00:00-05:00"), late, Person("3")))
    due = replace(HW, due=DUE, penalty=Penalty(2, False, "hour"))
    found = read_submissions(tmp_path, due, due.parts, roster)
    assert [one.flags for one in found] == [(), ("late",), ()]
    assert "2027-04-13 12:01:00-05:00; the deadline was" in found[1].notes[0]
    said = ["No time is known of 1 of 3 (A-B_3): not judged for lateness."]
    assert untimed(found, due, roster) == said


def test_what_a_platform_calls_late_without_a_time_is_flagged_and_said_once(tmp_path: Path) -> None:
    lay(tmp_path, {"adal_LATE_1_2_hw5_vae.py": CODE, "bobb_2_3_hw5_vae.py": CODE})
    costs = replace(HW, due=DUE, penalty=Penalty(2, False, "hour"))
    handins = read_submissions(tmp_path, costs)
    assert [handin.flags for handin in handins] == [("late",), ()]
    (said,) = untimed(handins, costs)
    assert "1 of 2 (adal_1) late without a time: nothing is taken off" in said
    assert untimed(read_submissions(tmp_path, replace(HW, due=DUE)), HW) == []


# --- netid files, groups, conflicts


@pytest.mark.parametrize(
    "content",
    [b"ada", b" Ada \r\n", b"\xef\xbb\xbfada\n", "ada\r\n".encode("utf-16"), b"ADA@school.edu,"],
)
def test_netid_file_that_fits(tmp_path: Path, content: bytes) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": content})
    handin = read_submission(tmp_path / "ada", HW)
    assert (handin.members, handin.flags, handin.notes) == (("ada",), (), ())


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe", b"<script>", b"x" * 200, b"a\n" * 30])
def test_absurd_netid_file_is_noted(tmp_path: Path, content: bytes) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": content})
    handin = read_submission(tmp_path / "ada", HW)
    assert handin.members == ("ada",)
    assert "one per line" in handin.notes[0]


def test_nobody_claims_anothers_marks_or_holds_them_back(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": "ada"})
    lay(tmp_path / "eve", {"hw5_vae.py": CODE, "netid": "ada"})
    found = by_id(tmp_path)
    assert (found["eve"].members, found["eve"].flags) == (("eve",), ("conflict", "netid"))
    assert (found["ada"].members, found["ada"].flags) == (("ada",), ())


NETIDS = Roster((Person("11", "ada", email="ada.l@x.edu"), Person("12", "eve"), Person("13", "cy")))


def test_with_a_roster_nobody_holds_back_the_marks_of_a_number_by_its_netid(tmp_path: Path) -> None:
    for name, number, says in (("ada", 11, "ada"), ("eve", 12, "ada"), ("cy", 13, "cy")):
        lay(tmp_path, {f"{name}_{number}_1_hw5_vae.py": CODE, f"{name}_{number}_2_netid": says})
    lay(tmp_path, {"new_99_1_hw5_vae.py": CODE, "new_99_2_netid": "ADA.L@x.edu"})
    without = by_id(tmp_path)
    assert without["ada_11"].flags == without["eve_12"].flags == ("conflict",)
    found = {one.id: one for one in read_submissions(tmp_path, HW, HW.parts, NETIDS)}
    assert (found["ada_11"].members, found["ada_11"].flags) == (("11",), ())
    assert (found["eve_12"].members, found["eve_12"].flags) == (("12",), ("conflict", "netid"))
    assert found["new_99"].flags == ("conflict",), "a number that the roster does not know"
    assert (found["cy_13"].flags, found["cy_13"].notes) == ((), ())


def test_with_a_roster_two_names_of_one_person_are_one_person(tmp_path: Path) -> None:
    for folder in ("ada", "11"):
        lay(tmp_path / folder, {"hw5_vae.py": CODE})
    lay(tmp_path / "12", {"hw5_vae.py": CODE, "netid": "eve"})
    found = read_submissions(tmp_path, HW, HW.parts, NETIDS)
    assert [one.flags for one in found] == [("conflict",), (), ("conflict",)]


def test_with_a_roster_numbers_hand_in_together_by_their_netids(tmp_path: Path) -> None:
    for name, number in (("ada", 11), ("eve", 12)):
        lay(
            tmp_path, {f"{name}_{number}_1_hw5_vae.py": CODE, f"{name}_{number}_2_netid": "ada eve"}
        )
    (pair,) = read_submissions(tmp_path, PAIRS, PAIRS.parts, NETIDS)
    assert (pair.members, pair.flags) == (("11", "12"), ())


def test_two_hand_ins_for_one_netid_that_nobody_owns_conflict(tmp_path: Path) -> None:
    for folder in ("upload1", "upload2"):
        lay(tmp_path / folder, {"hw5_vae.py": CODE, "netid": "ada"})
    assert all("conflict" in handin.flags for handin in by_id(tmp_path).values())


def test_folder_and_zip_of_one_student_conflict(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE})
    lay(tmp_path, {"ada.zip": zipped({"hw5_vae.py": "other"})})
    lay(tmp_path, {"Ada.zip": zipped({"hw5_vae.py": "third"})})
    found = by_id(tmp_path)
    assert len(found) == 3 and "ada" in {name.lower() for name in found}
    assert all(h.flags == ("conflict",) and h.files for h in found.values())


@pytest.mark.parametrize("known", ["s17", "S17"])
def test_who_has_marks_already_keeps_the_id_when_a_double_comes(tmp_path: Path, known: str) -> None:
    other = known.swapcase()
    for folder in (known, other):
        lay(tmp_path / folder, {"hw5_vae.py": folder})
    found = {one.id: one for one in read_submissions(tmp_path, HW, known={known})}
    assert found[known].members == (known,) and len(found) == 2
    assert all("conflict" in one.flags for one in found.values())


def test_group_that_every_member_claims_counts_for_all(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    lay(tmp_path / "bob", {"netid": "bob, ada"})
    found = by_id(tmp_path, PAIRS)
    assert set(found) == {"ada"}
    assert (found["ada"].members, found["ada"].flags) == (("ada", "bob"), ())
    lay(tmp_path / "bob", {"hw5_vae.py": CODE})
    assert by_id(tmp_path, PAIRS)["ada"].members == ("ada", "bob")


def test_group_with_different_work_is_a_conflict(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    lay(tmp_path / "bob", {"hw5_vae.py": "other", "netid": "ada\nbob"})
    found = by_id(tmp_path, PAIRS)
    assert [(h.members, h.flags) for h in found.values()] == [
        (("ada",), ("conflict", "group")),
        (("bob",), ("conflict", "group")),
    ]


def test_group_that_is_not_confirmed_stays_the_one(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    lay(tmp_path / "bob", {"hw5_vae.py": CODE, "netid": "bob"})
    found = by_id(tmp_path, PAIRS)
    assert (found["ada"].members, found["ada"].flags) == (("ada",), ("group",))
    assert (found["bob"].members, found["bob"].flags) == (("bob",), ())


def test_group_that_is_too_large(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        lay(tmp_path / student, {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    found = by_id(tmp_path, HW)
    assert [(h.members, h.flags) for h in found.values()] == [
        (("ada",), ("group",)),
        (("bob",), ("group",)),
    ]


def test_platforms_group_counts_and_is_flagged_when_too_large(tmp_path: Path) -> None:
    lay(tmp_path, {"submission_metadata.yml": YAML, "submission_1/hw5_vae.py": CODE})
    lay(tmp_path, {"submission_2/hw5_vae.py": CODE})
    first = by_id(tmp_path)["submission_1"]
    assert (first.members, first.flags) == (("0012", "bob"), ("group",))


def test_platforms_pair_is_fine_where_the_part_is_for_pairs(tmp_path: Path) -> None:
    lay(tmp_path, {"submission_metadata.yml": YAML, "submission_1/hw5_vae.py": CODE})
    first = by_id(tmp_path, ONE_FOR_PAIRS, [IN_PAIRS])["submission_1"]
    assert (first.members, first.flags) == (("0012", "bob"), ())
    first = by_id(tmp_path, ONE_FOR_PAIRS, [ALONE])["submission_1"]
    assert (first.members, first.flags) == (("0012", "bob"), ("group",))
    assert "2 people handed this in; everyone hands in alone." in first.notes


def test_pair_is_flagged_with_the_parts_that_are_done_alone(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        lay(tmp_path / student, {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    (found,) = by_id(tmp_path, ONE_FOR_PAIRS).values()
    assert (found.members, found.flags) == (("ada", "bob"), ("group",))
    assert "2 people handed this in; everyone hands in alone in fc-vae." in found.notes
    assert by_id(tmp_path, ONE_FOR_PAIRS, [IN_PAIRS])["ada"].flags == ()
    alone = by_id(tmp_path, ONE_FOR_PAIRS, [ALONE])
    assert [(h.members, h.flags) for h in alone.values()] == [
        (("ada",), ("group",)),
        (("bob",), ("group",)),
    ]


def test_pair_with_different_work_is_no_conflict_where_a_part_is_done_alone(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE, "netid": "ada\nbob"})
    lay(tmp_path / "bob", {"hw5_vae.py": "other", "netid": "ada\nbob"})
    found = by_id(tmp_path, ONE_FOR_PAIRS)
    assert [(h.members, h.flags) for h in found.values()] == [
        (("ada",), ("group",)),
        (("bob",), ("group",)),
    ]
    found = by_id(tmp_path, ONE_FOR_PAIRS, [IN_PAIRS])
    assert all(h.flags == ("conflict", "group") for h in found.values())


def test_larger_group_than_any_part_allows_hears_every_limit(tmp_path: Path) -> None:
    for student in ("ada", "bob", "cy"):
        lay(tmp_path / student, {"hw5_vae.py": CODE, "netid": "ada\nbob\ncy"})
    notes = " ".join(by_id(tmp_path, ONE_FOR_PAIRS)["ada"].notes)
    assert "everyone hands in alone in fc-vae; at most 2 may hand in together in fc-gan" in notes
    assert "this counts for ada only" in notes


# --- which file is taken


def test_nearest_to_the_root_wins_and_spelling_is_forgiven(tmp_path: Path) -> None:
    lay(
        tmp_path / "ada",
        {
            "a/b/hw5_vae.py": "deep",
            "src/hw5_vae.py": CODE,
            "src/HW5_VAE.PY": "shouted",
            "HW5_gan.py": CODE,
            ".ipynb_checkpoints/x.ipynb": "{}",
        },
    )
    handin = read_submission(tmp_path / "ada", HW)
    assert dict(handin.files) == {"hw5_gan.py": CODE, "hw5_vae.py": CODE}
    assert handin.ignored == ("src/HW5_VAE.PY", "a/b/hw5_vae.py")
    assert handin.notes == (
        "HW5_gan.py was taken as hw5_gan.py; please use the name that was asked for.",
        "There are 3 versions of hw5_vae.py. src/hw5_vae.py was taken, which has as much work as "
        "any in it; not taken: src/HW5_VAE.PY, a/b/hw5_vae.py.",
    )


def test_last_of_two_entries_with_one_name_wins(tmp_path: Path) -> None:
    handin = one(tmp_path, entries(("hw5/hw5_vae.py", b"first"), ("hw5/hw5_vae.py", CODE)))
    assert handin.files == {"hw5_vae.py": CODE}
    assert handin.flags == ("damaged",)
    assert "a later one of the same name replaces" in handin.notes[0]


def test_empty_folder(tmp_path: Path) -> None:
    handin = read_submission(lay(tmp_path / "ada", {}), HW)
    assert (handin.files, handin.flags) == ({}, ("empty",))
    assert "hw5_vae.py" in handin.notes[0]


def test_what_is_ignored_is_printable_and_short(tmp_path: Path) -> None:
    names = {f"{n:03}\n\u202e{'x' * 200}": "x" for n in range(60)}
    handin = read_submission(lay(tmp_path / "ada", names), HW)
    assert len(handin.ignored) == intake.MAX_LISTED + 1
    assert handin.ignored[-1] == "... and 20 more"
    assert all(name.isprintable() and len(name) < 130 for name in handin.ignored)


@pytest.mark.parametrize(
    "name", ["Ada Lovelace", "..evil", "a" * 100, "né", "-" * 70, "a\nb", os.fsdecode(b"\xff\xfe")]
)
def test_unsafe_ids_become_a_stem_and_a_hash(tmp_path: Path, name: str) -> None:
    lay(tmp_path / "class" / f"x{name}", {"hw5_vae.py": CODE})
    lay(tmp_path / "class" / "zed", {"hw5_vae.py": CODE})
    for handin in read_submissions(tmp_path / "class", HW):
        assert len(handin.id) <= 64
        assert all(c.isascii() and (c.isalnum() or c in "._-") for c in handin.id)
        assert handin.files


# --- hostile folders


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = lay(tmp_path / "secret", {"hw5_vae.py": "solution", "hw5_gan.py": "solution"})
    ada = lay(tmp_path / "class" / "ada", {"netid": "ada"})
    (ada / "hw5_vae.py").symlink_to(secret / "hw5_vae.py")
    (ada / "more").symlink_to(secret)
    (tmp_path / "class" / "bob").symlink_to(secret)
    (tmp_path / "class" / "cy.zip").symlink_to(secret / "hw5_vae.py")
    found = by_id(tmp_path / "class")
    assert dict(found["ada"].files) == {"netid": b"ada"}
    assert found["ada"].ignored == ("hw5_vae.py", "more (a link)")
    assert "hw5_vae.py was not taken: it is a link." in found["ada"].notes
    for handin in found.values():
        assert "damaged" in handin.flags and b"solution" not in handin.files.values()


def test_link_that_appears_after_the_listing_is_not_followed(tmp_path: Path) -> None:
    secret = lay(tmp_path / "secret", {"hw5_vae.py": "solution"})
    lay(tmp_path / "ada", {"src/hw5_vae.py": CODE})
    (source,) = archive.children(archive.on_disk(tmp_path / "ada"), 10)
    (file,) = archive.children(source, 10)
    (tmp_path / "ada" / "src").rename(tmp_path / "ada" / "moved")
    (tmp_path / "ada" / "src").symlink_to(secret)
    with pytest.raises(archive.Refused):
        archive.read(file, 1000)
    with pytest.raises(archive.Refused):
        archive.children(source, 10)


def test_fifos_sockets_and_devices_are_not_opened(tmp_path: Path, monkeypatch) -> None:
    ada = lay(tmp_path / "class" / "ada", {})
    os.mkfifo(ada / "hw5_vae.py")
    os.mkfifo(tmp_path / "class" / "bob.zip")
    monkeypatch.chdir(ada)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("hw5_gan.py")
        found = by_id(tmp_path / "class")
    assert found["ada"].files == found["bob"].files == {}
    assert found["ada"].flags == found["bob"].flags == ("damaged",)
    assert sum("neither a file nor a folder" in note for note in found["ada"].notes) == 2


def test_fifo_that_appears_after_the_listing_does_not_block(tmp_path: Path) -> None:
    (file,) = archive.children(archive.on_disk(lay(tmp_path / "ada", {"hw5_vae.py": CODE})), 10)
    (tmp_path / "ada" / "hw5_vae.py").unlink()
    os.mkfifo(tmp_path / "ada" / "hw5_vae.py")
    with pytest.raises(archive.Refused):
        archive.read(file, 1000)


def test_files_and_totals_are_capped(tmp_path: Path) -> None:
    big = 2 * 2**20 + 1
    files: dict[str, bytes | str] = {"hw5_vae.py": bytes(big), "netid": b"a" * 5000}
    files |= {f"{n}.pdf": bytes(18 * 2**20) for n in range(4)}
    handin = read_submission(lay(tmp_path / "ada", files), HW)
    assert set(handin.files) == {"0.pdf", "1.pdf", "2.pdf"}
    assert handin.flags == ("damaged",)
    assert any(n == "hw5_vae.py was not taken: it is larger than 2 MB." for n in handin.notes)
    assert any(n == "netid was not taken: it is larger than 4 kB." for n in handin.notes)
    assert any("3.pdf" in n and "64 MB" in n for n in handin.notes)


def test_entries_and_depth_are_capped(tmp_path: Path) -> None:
    wide = lay(tmp_path / "wide", {f"data/{n}": "" for n in range(intake.MAX_ENTRIES + 1)})
    lay(wide, {"hw5_vae.py": CODE})
    handin = read_submission(wide, HW)
    assert (handin.files, handin.flags) == ({"hw5_vae.py": CODE}, ("damaged",))
    many = {f"d{m}/{n}": "" for m in range(3) for n in range(900)}
    handin = read_submission(lay(tmp_path / "many", {**many, "hw5_vae.py": CODE}), HW)
    assert (handin.files, handin.flags) == ({"hw5_vae.py": CODE}, ("damaged",))
    deep = lay(tmp_path / "deep", {"x/" * 30 + "hw5_vae.py": CODE, "hw5_gan.py": CODE})
    handin = read_submission(deep, HW)
    assert (set(handin.files), handin.flags) == ({"hw5_gan.py"}, ("damaged",))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_may_not_be_read(tmp_path: Path) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": CODE}).chmod(0)
    lay(tmp_path / "bob", {"hw5_vae.py": CODE})
    try:
        assert by_id(tmp_path)["ada"].flags == ("damaged",)
        assert by_id(tmp_path)["bob"].flags == ()
    finally:
        (tmp_path / "ada").chmod(stat.S_IRWXU)


# --- hostile zips


UNSAFE = [
    "../hw5_vae.py",
    "a/../../hw5_vae.py",
    "/etc/hw5_vae.py",
    "C:/hw5_vae.py",
    "..\\..\\hw5_vae.py",
    "\\\\host\\share\\hw5_vae.py",
    "a\n/hw5_vae.py",
    "a/" * 40 + "hw5_vae.py",
    "b" * 300 + "/hw5_vae.py",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    handin = one(tmp_path, entries((name, b"evil"), ("hw5_gan.py", CODE)))
    assert handin.files == {"hw5_gan.py": CODE}
    assert handin.flags == ("damaged",)
    assert "unsafe name" in handin.notes[0] and handin.notes[0].isprintable()
    assert [p.name for p in tmp_path.iterdir()] == ["ada.zip"]


def test_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    data = zipped({"hw5_vae.py_x": b"evil"}).replace(b"hw5_vae.py_x", b"hw5_vae.py\0x")
    handin = one(tmp_path, data)
    assert handin.files == {}
    assert handin.flags in (("damaged",), ("empty",))


def test_backslashes_of_an_old_windows_tool_mean_folders(tmp_path: Path) -> None:
    handin = one(tmp_path, entries(("hw5\\hw5_vae.py", CODE)))
    assert (handin.files, handin.flags) == ({"hw5_vae.py": CODE}, ())


def test_names_that_are_not_utf8_damage_only_their_own_zip(tmp_path: Path) -> None:
    data = zipped({"hw5_vae_é.txt": "x", "hw5_vae.py": CODE}).replace("é".encode(), b"\xff\xff")
    lay(tmp_path / "class", {"ada.zip": data, "bob.zip": zipped({"hw5_vae.py": CODE})})
    found = by_id(tmp_path / "class")
    assert (found["ada"].files, found["ada"].flags) == ({}, ("damaged",))
    assert found["bob"].flags == ()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (mode | 0o777) << 16
    return info


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    handin = one(tmp_path, entries((special("hw5_vae.py", mode), b"/etc/passwd")))
    assert (handin.files, handin.flags) == ({}, ("damaged",))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path: Path, method: int) -> None:
    handin = one(tmp_path, zipped({"hw5_vae.py": CODE}, method))
    assert (handin.files, handin.flags) == ({}, ("damaged",))
    assert "deflate" in handin.notes[0]


def test_encrypted_entries_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"hw5_vae.py": CODE}))
    data[6] |= 1  # the flag in the local header and in the directory
    data[data.index(b"PK\1\2") + 8] |= 1
    handin = one(tmp_path, bytes(data))
    assert (handin.files, handin.flags) == ({}, ("damaged",))
    assert "encrypted" in handin.notes[0]


def test_file_and_folder_of_one_name(tmp_path: Path) -> None:
    both = [("hw5_vae.py", CODE), ("hw5_vae.py/hw5_gan.py", CODE), ("x/y", b""), ("x", b"")]
    handin = one(tmp_path, entries(*both))
    assert handin.files == {"hw5_vae.py": CODE}
    assert "damaged" in handin.flags


def test_bomb_is_stopped_while_it_inflates(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        with target.open("hw5_vae.py", "w") as stream:
            for _ in range(300):
                stream.write(bytes(2**20))
        target.writestr("hw5_gan.py", CODE)
    tracemalloc.start()
    handin = one(tmp_path, buffer.getvalue())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (handin.files, handin.flags) == ({"hw5_gan.py": CODE}, ("damaged",))
    assert peak < 16 * 2**20


def test_header_that_lies_about_the_size(tmp_path: Path) -> None:
    whole = zipped({"hw5_vae.py": bytes(3 * 2**20)})
    for lie in (10, 2**32 - 2):
        data = bytearray(whole)
        struct.pack_into("<I", data, data.index(b"PK\1\2") + 24, lie)
        handin = one(tmp_path, bytes(data))
        assert (handin.files, handin.flags) == ({}, ("damaged",))


def test_zip_with_too_many_entries(tmp_path: Path) -> None:
    many = zipped({f"{n}": "" for n in range(intake.MAX_ENTRIES)} | {"hw5_vae.py": CODE})
    lay(tmp_path, {"ada.zip": many, "bob.zip": zipped({"hw5_vae.py": CODE})})
    found = by_id(tmp_path)
    assert (found["ada"].files, found["ada"].flags) == ({}, ("damaged",))
    assert "more than 2,000 entries" in found["ada"].notes[0]
    assert found["bob"].flags == ()


def test_directory_of_a_zip_is_not_read_when_it_is_too_long(tmp_path: Path) -> None:
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", *[0] * 9, 1, *[0] * 6) + b"x"
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), 0, 0)
    (tmp_path / "ada.zip").write_bytes(directory + end)
    tracemalloc.start()
    handin = read_submission(tmp_path / "ada.zip", HW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert handin.flags == ("damaged",)
    assert peak < 4 * 2**20


@pytest.mark.parametrize("seed", range(5))
def test_damaged_zips_never_stop_the_rest(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    good = zipped({"hw5/hw5_vae.py": CODE * 20, "hw5/netid": "x", "hw5/a.pdf": bytes(500)})
    lay(tmp_path, {"zed.zip": good, "not.zip": b"hello", "none.zip": b""})
    for number in range(60):
        data = bytearray(good[: rng.randrange(1, len(good))] if number % 3 == 0 else good)
        for _ in range(rng.randrange(1, 20)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        lay(tmp_path, {f"s{number}.zip": bytes(data)})
    found = by_id(tmp_path)
    assert len(found) == 63
    assert found["zed"].files["hw5_vae.py"] == CODE * 20
    assert found["not"].flags == found["none"].flags == ("damaged",)
    assert all(handin.files or handin.flags for handin in found.values())


# --- SUBMISSIONS itself, and what is the same every time


def test_submissions_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    lay(tmp_path, {"broken.zip": b"PK\3\4", "file.py": "x", "empty/grades.csv": "x"})
    for name in ("gone", "fifo", "round", "broken.zip", "file.py", "empty"):
        with pytest.raises(IntakeError, match=name) as caught:
            read_submissions(tmp_path / name, HW)
        assert str(caught.value).endswith("download.")
    for name in ("gone", "fifo", "round", "file.py"):
        with pytest.raises(IntakeError):
            read_submission(tmp_path / name, HW)
    assert read_submission(tmp_path / "broken.zip", HW).flags == ("damaged",)


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    for student in ("bob", "ada", "Eve E"):
        lay(tmp_path / student, {"hw5_vae.py": CODE, "b.pdf": "b", "a.pdf": "a", "netid": "ada"})
    assert read_submissions(tmp_path, HW) == read_submissions(tmp_path, HW)


def test_digest_changes_with_what_counts_and_nothing_else() -> None:
    handin = Handin("ada", ("ada",), {"a": b"1", "b": b"2"})
    same = Handin("other", ("ada",), {"b": b"2", "a": b"1"}, flags=("late",), notes=("x",))
    assert digest(handin) == digest(same)
    others = [
        replace(handin, files={"a": b"1", "b": b"3"}),
        replace(handin, files={"a": b"12", "b": b""}),
        replace(handin, members=("bob",)),
        replace(handin, submitted=DUE),
    ]
    assert len({digest(handin), *map(digest, others)}) == 5
    utc = replace(handin, submitted=DUE.astimezone(timezone.utc))
    assert digest(replace(handin, submitted=DUE)) == digest(utc)


def test_hostile_code_is_not_parsed(tmp_path: Path) -> None:
    nest = b"(" * 900_000
    assert read_submission(lay(tmp_path / "ada", {"hw5_vae.py": nest}), HW).files


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (b'{"cells": [{"cell_type": "markdown", "sour', "it is damaged in line"),
        (b"", "it is empty"),
        (b"{}", "it has no cells"),
        (b"[" * 100_000, "it is nested too deep"),
    ],
)
def test_a_notebook_that_nobody_can_open_is_said_and_costs_no_code(
    tmp_path: Path, data: bytes, wrong: str
) -> None:
    files = {"hw5_vae.py": CODE, "netid": b"ada", "3_fc_vae.ipynb": data}
    lay(tmp_path / "ada", files)
    handin = read_submission(tmp_path / "ada", HW)
    assert handin.flags == ("damaged",) and handin.files["hw5_vae.py"] == CODE
    assert [note for note in handin.notes if f"3_fc_vae.ipynb is not a notebook: {wrong}" in note]
