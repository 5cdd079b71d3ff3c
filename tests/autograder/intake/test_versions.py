"""What was handed in under another name, twice, or in an archive of its own is found, and said."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from autograder.checking.modules import ROOT, packaged
from autograder.intake import archive
from autograder.intake.files import IntakeError
from autograder.intake.submissions import (
    Handin,
    read_submission,
    read_submissions,
    refuse_class,
)
from autograder.release.strip import strip_module

ASSIGNMENT = read_assignment()
VAE_PARTS = [part for part in ASSIGNMENT.parts if part.module == "hw5_vae"]
GOOD = (ROOT / "hw5_vae.py").read_bytes()
STUB = strip_module(GOOD.decode(), "hw5_vae.py", ASSIGNMENT).encode()
GAN = (ROOT / "hw5_gan.py").read_bytes()
HALF = strip_module(GOOD.decode(), "hw5_vae.py", ASSIGNMENT, "fc-vae.loss").encode()
OLDER = GOOD.replace(b"0.105", b"0.1")
DUE = datetime(2027, 4, 13, 12, tzinfo=timezone(timedelta(hours=-5)))
NAME = "1_bernoulli_vae.ipynb"

Files = Mapping[str, bytes]


def lay(root: Path, files: Files) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    root.mkdir(parents=True, exist_ok=True)
    return root


def handed_in(tmp_path: Path, files: Files) -> Handin:
    return read_submission(lay(tmp_path / "ada", files), ASSIGNMENT, VAE_PARTS)


def notebook(answered: bool, parts: tuple[str, ...] = ("vae-theory", "bernoulli-vae")) -> bytes:
    """A notebook of the kit, as Jupyter saves it."""
    answer = {
        "cell_type": "markdown",
        "id": "vae-theory--1c",
        "metadata": {"nbgrader": {"grade": True, "grade_id": "vae-theory--1c", "solution": True}},
        "source": ["Jensen's inequality." if answered else "YOUR ANSWER HERE"],
    }
    metadata = {"hw5": {"groups": {"vae-theory": 2}, "parts": [*parts], "title": "Digits"}}
    whole = {"cells": [answer], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, sort_keys=True).encode()


# --- modules


@pytest.mark.parametrize(
    "name",
    [
        "hw5_vae (1).py",
        "hw5_vae-1.py",
        "hw5_vae - Copy.py",
        "Copy of hw5_vae.py",
        "HW5-VAE_final.py",
        "hw5_vae.py.txt",
        "hw5_vae.txt",
        "solution.py",
        "my code.txt",
    ],
)
def test_a_module_is_found_under_another_name_and_that_is_said(tmp_path: Path, name: str) -> None:
    handin = handed_in(tmp_path, {name: GOOD})
    assert (handin.files, handin.flags) == ({"hw5_vae.py": GOOD}, ("renamed",))
    assert handin.ignored == ()
    said = f"{name} was taken as hw5_vae.py; please use the name that was asked for."
    assert said in handin.notes


def test_one_file_may_hold_both_modules(tmp_path: Path) -> None:
    both = GOOD + GAN
    handin = handed_in(tmp_path, {"solution.py": both})
    assert handin.files == {"hw5_vae.py": both, "hw5_gan.py": both}
    assert handin.ignored == ()


def test_a_module_without_its_markers_is_known_by_what_it_defines(tmp_path: Path) -> None:
    lines = [line for line in GOOD.splitlines(True) if b"SOLUTION" not in line]
    handin = handed_in(tmp_path, {"main.py": b"".join(lines), "helpers.py": b"def main(): ...\n"})
    assert (set(handin.files), handin.flags) == ({"hw5_vae.py"}, ("renamed",))


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("hw5_vae.py", "hw5_vae (1).py"),
        ("hw5_vae (1).py", "hw5_vae.py"),
        ("hw5_vae.py", "hw5/hw5_vae.py"),
        ("attempt1/hw5_vae.py", "attempt2/hw5_vae.py"),
        ("attempt2/hw5_vae.py", "attempt1/hw5_vae.py"),
        ("hw5_vae.py", "work.zip"),
        ("hw5_vae.py", "solution.py"),
        ("test_hw5_vae.py", "solution.py"),
    ],
)
@pytest.mark.parametrize("before", [STUB, HALF, GOOD[: len(GOOD) // 2], b"<<<<<<< a\n" + GOOD])
def test_of_several_versions_the_one_with_the_most_work_counts(
    tmp_path: Path, less: str, more: str, before: bytes
) -> None:
    finished = zipped({"hw5_vae.py": GOOD}) if more.endswith(".zip") else GOOD
    handin = handed_in(tmp_path, {less: before, more: finished})
    assert handin.files == {"hw5_vae.py": GOOD}
    assert "versions" in handin.flags and set(handin.flags) <= {"versions", "renamed"}
    note = next(note for note in handin.notes if note.startswith("There are 2 versions"))
    assert f"{more}{'/hw5_vae.py' * more.endswith('.zip')} was taken" in note
    assert "the most work" in note and note.endswith(f"not taken: {less}.")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hw5_vae.py", "hw5_vae (1).py"),
        ("hw5_vae.py", "old/hw5_vae.py"),
        ("attempt2/hw5_vae.py", "attempt1/hw5_vae.py"),
        ("attempt10/hw5_vae.py", "attempt9/hw5_vae.py"),
        ("hw5_vae (2).py", "hw5_vae (1).py"),
    ],
)
def test_of_versions_with_equal_work_the_nearest_or_the_latest_counts(
    tmp_path: Path, first: str, second: str
) -> None:
    handin = handed_in(tmp_path, {second: OLDER, first: GOOD})
    assert handin.files == {"hw5_vae.py": GOOD} and "versions" in handin.flags
    assert any("as much work as any" in note for note in handin.notes)


def test_what_the_release_gives_is_no_version_of_what_it_asks_for(tmp_path: Path) -> None:
    given = {path.name: path.read_bytes() for path in ROOT.glob("hw5_*.py")} | packaged()
    handin = handed_in(tmp_path, {**given, "hw5_vae.py": STUB, "hw5_gan.py": GAN})
    assert handin.files == {"hw5_vae.py": STUB, "hw5_gan.py": GAN} and handin.flags == ()


def test_an_empty_file_gives_way_to_work_in_a_folder(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": b"", "src/hw5_vae.py": HALF})
    assert (handin.files, handin.flags) == ({"hw5_vae.py": HALF}, ("versions",))


def test_equal_copies_are_no_versions(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, "backup/hw5_vae.py": GOOD})
    assert (handin.flags, handin.notes) == ((), ())
    assert handin.ignored == ("backup/hw5_vae.py",)


def test_a_students_own_file_with_such_a_name_is_no_version(tmp_path: Path) -> None:
    own = {"test_hw5_vae.py": b"import hw5_vae\n", "hw5_vae_log.txt": b"epoch 1\n"}
    handin = handed_in(tmp_path, {"hw5_vae.py": STUB, **own})
    assert (handin.files, handin.flags) == ({"hw5_vae.py": STUB}, ())


def test_a_forgotten_module_is_said_with_the_parts_that_it_costs(tmp_path: Path) -> None:
    handin = read_submission(
        lay(tmp_path / "ada", {"hw5_vae.py": GOOD, NAME: notebook(True)}), ASSIGNMENT
    )
    assert handin.flags == ("missing",)
    assert any(n.startswith("hw5_gan.py was not handed in") and "fc-gan" in n for n in handin.notes)
    handin = handed_in(tmp_path / "pdf", {"hw5.pdf": b"%PDF-1.4\n"})
    assert handin.flags == ("missing",)


def test_an_empty_module_is_missing(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": b" \n"})
    assert handin.flags == ("missing",)
    assert handin.notes[0].startswith("hw5_vae.py is empty, so no code of vae-theory, ")


@pytest.mark.parametrize("end", [b"\n<<<<<<< HEAD\n", b"\r\n>>>>>>> theirs\r\n"])
def test_a_line_of_a_merge_is_said_with_its_number(tmp_path: Path, end: bytes) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": b"import torch" + end})
    assert handin.flags == ("unmerged",)
    assert "hw5_vae.py, line 2, holds one of the lines <<<<<<<" in handin.notes[0]


def test_a_rule_of_equal_signs_is_no_merge(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD + b"\n'''\n=======\n<<<<<<<<\n'''\n"})
    assert handin.flags == ()


@pytest.mark.parametrize(
    "text", [b"a-", b".a", b"<", b"# BEGIN ", b"\n", b" ", b'"hw5": {', b"class a"]
)
def test_choosing_takes_no_time_however_odd_the_text(tmp_path: Path, text: bytes) -> None:
    odd = text * (2 * 2**20 // len(text))
    files = {"hw5_vae.py": odd, "a/hw5_vae.py": odd[1:], "main.py": odd, "b.ipynb": odd}
    began = time.process_time()
    handed_in(tmp_path, {**files, "c/b.ipynb": odd[1:]})
    assert time.process_time() - began < 5


def test_the_best_of_many_versions_is_looked_at_once(tmp_path: Path) -> None:
    best = b'{"cells": [' + b'{"solution": true},' * 300_000 + b"{}]}"
    others = {f"{number}/b.ipynb": b"{}" for number in range(200)}
    began = time.process_time()
    assert handed_in(tmp_path, {**others, "b.ipynb": best}).files["b.ipynb"] == best
    assert time.process_time() - began < 2


def test_netid_txt_is_the_netid_file(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, "netid.txt": b"ada"})
    assert handin.files["netid"] == b"ada" and handin.flags == ()


# --- notebooks


@pytest.mark.parametrize(
    "name",
    ["homework.ipynb", "1_bernoulli_vae (1).ipynb", "3_fc_vae.ipynb", "1_bernoulli_vae.ipynb.txt"],
)
def test_a_notebook_is_known_by_the_parts_in_its_metadata(tmp_path: Path, name: str) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, name: notebook(True)})
    assert handin.files == {"hw5_vae.py": GOOD, NAME: notebook(True)}
    assert handin.flags == ("renamed",)


def test_a_notebook_that_lost_its_metadata_is_known_by_its_name(tmp_path: Path) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, "Copy of 1_bernoulli_vae.ipynb": b"{}"})
    assert handin.files[NAME] == b"{}"
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, "own.ipynb": b"{}"})
    assert handin.files["own.ipynb"] == b"{}"


@pytest.mark.parametrize(
    ("name", "blank"),
    [
        (NAME, notebook(False)),
        (NAME, b""),
        (NAME, notebook(True)[:-20]),
        ("a.ipynb", notebook(False)),
        ("old/1_bernoulli_vae.ipynb", notebook(False)),
    ],
)
@pytest.mark.parametrize("worked", ["1_bernoulli_vae (1).ipynb", "b/homework.ipynb"])
def test_of_two_notebooks_the_one_with_answers_counts(
    tmp_path: Path, name: str, blank: bytes, worked: str
) -> None:
    handin = handed_in(tmp_path, {"hw5_vae.py": GOOD, name: blank, worked: notebook(True)})
    assert handin.files == {"hw5_vae.py": GOOD, NAME: notebook(True)}
    assert handin.flags == ("renamed", "versions")


def test_of_two_notebooks_with_answers_the_one_that_was_run_counts(tmp_path: Path) -> None:
    ran = notebook(True).replace(b'"nbformat":', b'"execution_count": 3, "nbformat":')
    handin = handed_in(tmp_path, {NAME: notebook(True), f"new/{NAME}": ran})
    assert handin.files[NAME] == ran and "versions" in handin.flags


def test_words_of_a_student_are_no_metadata(tmp_path: Path) -> None:
    said = json.dumps({"cells": [{"source": '"hw5": {"parts": ["fc-vae"]}'}]}).encode()
    assert set(handed_in(tmp_path, {"x.ipynb": said}).files) == {"x.ipynb"}


# --- archives


def zipped(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return buffer.getvalue()


def tarred(files: Files, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=form) as target:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "mode"),
    [("w.tar", "w"), ("w.tar.gz", "w:gz"), ("w.tgz", "w:gz"), ("w.tar.bz2", "w:bz2")],
)
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_are_opened(tmp_path: Path, name: str, mode: str, form: int) -> None:
    long = "/".join(["work" * 10] * 3)  # more than the 100 characters that a header has for it
    files = {"hw5/hw5_vae.py": GOOD, f"{long}/hw5_gan.py": GAN}
    handin = handed_in(tmp_path, {name: tarred(files, mode, form)})
    assert handin.files == {"hw5_vae.py": GOOD, "hw5_gan.py": GAN}
    assert (handin.flags, handin.notes) == ((), ())


@pytest.mark.parametrize("kind", [zipped, tarred])
def test_archives_in_archives_are_opened_within_limits(tmp_path: Path, kind) -> None:
    data: bytes = kind({"hw5_vae.py": GOOD})
    ending = "zip" if kind is zipped else "tar"
    for depth in (1, 2, 3):
        handin = handed_in(tmp_path / str(depth), {f"w.{ending}": data})
        assert (handin.files, handin.flags) == ({"hw5_vae.py": GOOD}, ())
        data = kind({f"w.{ending}": data})
    handin = handed_in(tmp_path / "4", {f"w.{ending}": data})
    assert handin.files == {} and handin.flags == ("empty", "unopened")


def stored(files: Files) -> bytes:
    return zipped(files, zipfile.ZIP_STORED)


@pytest.mark.parametrize("kind", [stored, tarred])
def test_archives_in_archives_are_held_in_memory_up_to_a_bound(tmp_path: Path, kind) -> None:
    swollen = bytes(30 * 2**20)
    inner = {f"{n}.{'zip' if kind is stored else 'tar'}": n for n in range(8)}
    modules = [("hw5_vae.py", GOOD), ("hw5_gan.py", GAN)]
    archives = {name: kind({"a": swollen, **dict([modules[n % 2]])}) for name, n in inner.items()}
    outer = zipped(archives)
    del archives
    tracemalloc.start()
    handin = handed_in(tmp_path, {"w.zip": outer})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < archive.MAX_HELD + 2.5 * len(swollen)  # and what is being read
    assert handin.files == dict(modules) and "damaged" in handin.flags
    assert "lies among archives of more than 128 MB, and was not opened" in handin.notes[0]


@pytest.mark.parametrize("name", ["work.rar", "work.7z", "work.gz", "work.tar.xz", "work.tar.zst"])
def test_what_cannot_be_opened_is_said(tmp_path: Path, name: str) -> None:
    handin = handed_in(tmp_path, {name: b"Rar!", "hw5.pdf": b"%PDF-1.4\n"})
    assert handin.flags == ("missing", "unopened")
    assert any(f"Not opened here: {name}." in note for note in handin.notes)
    handin = handed_in(tmp_path, {name: b"Rar!", "hw5_vae.py": GOOD})
    assert handin.flags == () and name in handin.ignored


def test_an_archive_is_what_its_bytes_say(tmp_path: Path) -> None:
    kinds = {"rar.zip": b"Rar!\x1a\x07", "tar.zip": tarred({"hw5_vae.py": GOOD}, "w:gz")}
    kinds["zip.tar.gz"] = zipped({"hw5_vae.py": GOOD})
    found = {h.id: h for h in read_submissions(lay(tmp_path / "in", kinds), ASSIGNMENT, VAE_PARTS)}
    assert found["rar"].flags == ("unopened",) and "RAR archive" in found["rar"].notes[0]
    assert found["tar"].files == found["zip"].files == {"hw5_vae.py": GOOD}


def test_a_browsers_number_is_no_part_of_a_netid(tmp_path: Path) -> None:
    data = zipped({"hw5_vae.py": GOOD})
    (ada,) = read_submissions(lay(tmp_path, {"hw5_ada (1).zip": data}), ASSIGNMENT, VAE_PARTS)
    assert (ada.id, ada.members, ada.flags) == ("ada", ("ada",), ())
    both = read_submissions(lay(tmp_path, {"hw5_ada.zip": data}), ASSIGNMENT, VAE_PARTS)
    assert [(h.members, h.flags) for h in both] == [(("ada",), ("conflict",))] * 2


def test_a_class_may_come_as_a_tar(tmp_path: Path) -> None:
    files = {"ada/hw5_vae.py": GOOD, "ben/hw5_vae.py": GOOD}
    lay(tmp_path, {"all.tgz": tarred(files, "w:gz")})
    assert [h.id for h in read_submissions(tmp_path / "all.tgz", ASSIGNMENT)] == ["ada", "ben"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (os.fsdecode(b"\xffl.pdf"), "\\udcffl.pdf"),
        ("\u202efdp.ipynb", "\\u202efdp.ipynb"),
        ("漢" * 84 + ".ipynb", "漢" * 78 + ".ipynb"),
        ("größe 1.ipynb", "größe 1.ipynb"),
    ],
)
def test_a_file_is_kept_under_a_name_that_tables_terminals_and_disks_take(
    tmp_path: Path, name: str, kept: str
) -> None:
    (tmp_path / "ada.tar").write_bytes(tarred({name: b"{}"}))
    (handin,) = read_submissions(tmp_path, ASSIGNMENT)
    assert list(handin.files) == [kept]


def test_links_in_a_tar_are_not_followed_and_unsafe_names_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as target:
        for name, kind in (("hw5_vae.py", tarfile.SYMTYPE), ("hw5_gan.py", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            target.addfile(info)
        target.addfile(tarfile.TarInfo("../netid"))
        fifo = tarfile.TarInfo("x.pdf")
        fifo.type = tarfile.FIFOTYPE
        target.addfile(fifo)
    handin = handed_in(tmp_path, {"w.tar": buffer.getvalue()})
    assert (handin.files, handin.flags) == ({}, ("damaged",))
    assert sum("a link" in note for note in handin.notes) == 2


def test_tars_that_lie_do_not_hold_us_up(tmp_path: Path) -> None:
    good = bytearray(tarred({"hw5_vae.py": GOOD}, form=tarfile.USTAR_FORMAT))
    negative = bytearray(good)
    negative[124:136] = b"\xff" * 11 + b"\x00"  # a size below zero, which sends tarfile in a circle
    checksum = sum(negative[:148]) + 8 * 32 + sum(negative[156:512])
    negative[148:156] = f"{checksum:06o}\0 ".encode()
    bomb = gzip.compress(bytes(good) + bytes(archive.MAX_NESTED))
    many = tarred({str(n): b"" for n in range(3000)})
    lies = {
        "negative.tar": bytes(negative),
        "cut.tar": bytes(good[:2000]),
        "bomb.tgz": bomb,
        "many.tar": many,
        "none.tar.gz": gzip.compress(b"no tar"),
        "half.tar.bz2": bz2.compress(bytes(good))[:500],
    }
    found = read_submissions(lay(tmp_path / "in", lies), ASSIGNMENT)
    assert [(h.id, h.flags, h.files) for h in found] == [
        (name, ("damaged",), {}) for name in sorted(one.partition(".")[0] for one in lies)
    ]


def test_empty_files_do_not_use_up_what_may_be_read(tmp_path: Path) -> None:
    empty = {f"a{n}.pdf": b"" for n in range(100)}
    handin = handed_in(tmp_path, {**empty, "z/hw5_vae.py": GOOD})
    assert handin.files["hw5_vae.py"] == GOOD and handin.flags == ()


# --- Blackboard, Brightspace, Canvas


def test_blackboard(tmp_path: Path) -> None:
    said = b"Name: Ada L (Countess) (ada_l)\nAssignment: HW_5\nDate Submitted: ...\n"
    lay(
        tmp_path,
        {
            "HW_5_ada_l_attempt_2027-04-12-09-00-00.txt": said,
            "HW_5_ada_l_attempt_2027-04-12-09-00-00_hw5_vae.py": STUB,
            "HW_5_ada_l_attempt_2027-04-13-11-59-59.txt": said,
            "HW_5_ada_l_attempt_2027-04-13-11-59-59_hw5_vae.py": GOOD,
            "HW_5_ben_attempt_2027-04-13-12-00-01.txt": b"",
            "HW_5_ben_attempt_2027-04-13-12-00-01_work.zip": zipped({"hw5_vae.py": GOOD}),
            "HW_5_cy_attempt_2027-04-13-10-00-00.txt": b"Name: Cy (cy)\n",
        },
    )
    due = replace(ASSIGNMENT, due=DUE)
    found = {h.id: h for h in read_submissions(tmp_path, due, VAE_PARTS)}
    assert set(found) == {"ada_l", "ben", "cy"}
    assert found["ada_l"].files == found["ben"].files == {"hw5_vae.py": GOOD}
    assert found["ada_l"].submitted == DUE - timedelta(seconds=1)
    assert [found[who].flags for who in ("ada_l", "ben", "cy")] == [(), ("late",), ("empty",)]
    assert found["ada_l"].notes == ("Of 2 attempts the newest counts, of 2027-04-13-11-59-59.",)
    assert found["ada_l"].members == ("ada_l",)


def test_the_name_of_a_file_makes_it_nobody_elses(tmp_path: Path) -> None:
    black, moodle = "_attempt_2027-04-13-11-00-00_", "_assignsubmission_file_"
    for real, forged in (("HW_eve", "HW_ada"), ("Eve_7", "Ada_8")):
        mark = black if real.startswith("HW") else moodle
        files = {f"{real}{mark}{forged}{mark}hw5_vae.py": STUB, f"{forged}{mark}hw5_vae.py": GOOD}
        found = read_submissions(lay(tmp_path / real, files), ASSIGNMENT, VAE_PARTS)
        assert len(found) == 2 and len({handin.members for handin in found}) == 2
        assert not any("conflict" in handin.flags for handin in found)
        assert found[0].files["hw5_vae.py"] == GOOD


@pytest.mark.parametrize("packed", [False, True])
def test_brightspace(tmp_path: Path, packed: bool) -> None:
    files = {
        "index.html": b"<html>",
        "101-9 - Ada Lovelace - Apr 12, 2027 900 AM/hw5_vae.py": STUB,
        "101-9 - Ada Lovelace - Apr 13, 2027 1159 AM/hw5_vae.py": GOOD,
        "102-9 - Ben - Bo - Apr 13, 2027 1201 PM/hw5_vae.py": GOOD,
    }
    path = tmp_path / "download.zip"
    if packed:
        path.write_bytes(zipped(files))
    else:
        path = lay(tmp_path / "download", files)
    found = {h.id: h for h in read_submissions(path, replace(ASSIGNMENT, due=DUE), VAE_PARTS)}
    ada, ben = found["Ada-Lovelace_101"], found["Ben---Bo_102"]
    assert (ada.members, ada.files, ada.flags) == (("101",), {"hw5_vae.py": GOOD}, ())
    assert ada.submitted == DUE - timedelta(minutes=1)
    assert ada.notes == ("Of 2 attempts the newest counts, of Apr 13, 2027 1159 AM.",)
    assert (ben.members, ben.flags) == (("102",), ("late",))


def test_canvas_late_counts_without_a_date_of_ours_and_silence_is_no_doubt(tmp_path: Path) -> None:
    lay(tmp_path, {"adalovelace_LATE_1_5_hw5_vae.py": GOOD, "bob_2_6_hw5_vae.py": GOOD})
    for rule, flags in (("flag", ("late",)), ("refuse", ("refused",)), ("accept", ())):
        for due in (None, DUE):
            assignment = replace(ASSIGNMENT, late=rule, due=due)
            ada, bob = read_submissions(tmp_path, assignment, VAE_PARTS)
            assert (ada.flags, bob.flags) == (flags, ())
            assert ada.timed and bob.timed and bob.notes == ()


def test_canvas_keeps_every_version_of_one_hand_in_in_sight(tmp_path: Path) -> None:
    lay(tmp_path, {"ada_1_5_hw5_vae-1.py": GOOD, "ada_1_6_hw5_vae-2.py": STUB})
    (ada,) = read_submissions(tmp_path, ASSIGNMENT, VAE_PARTS)
    assert ada.files == {"hw5_vae.py": GOOD} and ada.flags == ("renamed", "versions")


# --- one student or a class


@pytest.mark.parametrize(
    "files",
    [
        {"ada/hw5_vae.py": GOOD, "ben/hw5_vae.py": GOOD},
        {"class/ada/hw5/hw5_vae.py": GOOD, "class/ben/hw5_vae.py": STUB},
        {"ada.zip": zipped({"hw5_vae.py": GOOD}), "ben.zip": zipped({"hw5/hw5_vae.py": GOOD})},
        {"ada/hw5_vae.py": GOOD, "ada/netid": b"ada", "b/hw5_gan.py": GAN, "b/netid": b"ben"},
        {"ada_1_5_hw5_vae.py": GOOD, "ben_2_6_hw5_gan.py": GAN},
        {"1-9 - A - Apr 13, 2027 1159 AM/x": b"", "2-9 - B - Apr 13, 2027 1159 AM/y": b""},
    ],
)
def test_a_class_is_not_one_student(tmp_path: Path, files: Files) -> None:
    for path in (lay(tmp_path / "in", files), tmp_path / "all.zip"):
        (tmp_path / "all.zip").write_bytes(zipped(files))
        with pytest.raises(IntakeError, match="holds the work of several students"):
            refuse_class(path, ASSIGNMENT)


@pytest.mark.parametrize(
    "files",
    [
        {"hw5_vae.py": GOOD, "old/hw5_vae.py": STUB, "new/hw5_vae.py": STUB},
        {"attempt1/hw5_vae.py": STUB, "attempt2/hw5_vae.py": GOOD},
        {"1/hw5_vae.py": STUB, "2/hw5_vae.py": GOOD},
        {
            "hw5_ada.zip": zipped({"hw5_vae.py": GOOD}),
            "hw5_ada (1).zip": zipped({"hw5_vae.py": GAN}),
        },
        {"hw5_v1/hw5_vae.py": STUB, "hw5_final/hw5_vae.py": GOOD},
        {"vae/hw5_vae.py": GOOD, "gan/hw5_gan.py": GAN, "pictures/a.png": b""},
        {"hw5/hw5_vae.py": GOOD},
        {"hw5_vae (1).py": GOOD},
        {"ada_1_5_hw5_vae.py": GOOD, "ada_1_6_hw5_gan.py": GAN},
        {},
    ],
)
def test_one_student_is_no_class(tmp_path: Path, files: Files) -> None:
    refuse_class(lay(tmp_path / "ada", files), ASSIGNMENT)
