"""A class need not fit into memory, and its files are what was handed in whenever they are read."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.intake import submissions
from autograder.intake.files import HELD, IntakeError
from autograder.intake.submissions import read_submissions
from tests.autograder.intake.test_submissions import HW, lay, zipped

LARGE = {name: f"{name} {number}\n" * HELD for number, name in enumerate(("work.ipynb", "a.pdf"))}
WORK: dict[str, bytes | str] = {"hw5_vae.py": "x = 1\n", "netid": "ada", **LARGE}


def tarred(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            info, data = tarfile.TarInfo(name), text.encode() if isinstance(text, str) else text
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _class(files: dict[str, bytes | str]) -> dict[str, bytes | str]:
    return {f"{who}/{name}": data for who in ("ada", "bob") for name, data in files.items()}


LAID: dict[str, Callable[[Path], Path]] = {
    "folders": lambda root: lay(root, _class(WORK)),
    "a folder of zips": lambda root: lay(root, {"ada.zip": zipped(WORK), "bob.zip": zipped(WORK)}),
    "a folder of tars": lambda root: lay(root, {"ada.tgz": tarred(WORK), "bob.tgz": tarred(WORK)}),
    "one zip": lambda root: lay(root, {"all.zip": zipped(_class(WORK))}) / "all.zip",
    "one tar": lambda root: lay(root, {"all.tgz": tarred(_class(WORK))}) / "all.tgz",
    "a zip of zips": lambda root: (
        lay(root, {"all.zip": zipped({"ada.zip": zipped(WORK), "bob.zip": zipped(WORK)})})
        / "all.zip"
    ),
    "zips in tars": lambda root: lay(
        root, {"ada.tgz": tarred({"in.zip": zipped(WORK)}), "bob.tgz": tarred(WORK)}
    ),
}


@pytest.mark.parametrize("how", LAID)
def test_files_are_read_again_whatever_they_lay_in(tmp_path: Path, how: str) -> None:
    handins = read_submissions(LAID[how](tmp_path), HW)
    assert [handin.id for handin in handins] == ["ada", "bob"]
    for handin in handins:
        for _ in range(2):
            for name, text in WORK.items():
                if HW.wants(name) and name != "netid":
                    assert handin.files[name] == str(text).encode()


@pytest.mark.parametrize("packed", [False, True])
def test_memory_does_not_grow_with_what_a_class_hands_in(tmp_path: Path, packed: bool) -> None:
    size, students = 1 << 20, 24
    files: dict[str, bytes | str] = {"hw5_vae.py": "x\n", "work.ipynb": bytes(size)}
    for number in range(students):
        if packed:
            lay(tmp_path, {f"s{number}.tgz": tarred(files)})
        else:
            lay(tmp_path / f"s{number}", files)
    tracemalloc.start()
    try:
        handins = read_submissions(tmp_path, HW)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(handins) == students and len(handins[0].files["work.ipynb"]) == size
    assert held < 2 * size and peak < 6 * size


@pytest.mark.parametrize("now", [None, bytes([1]) * 2 * HELD, bytes(3 * HELD)])
def test_what_changes_meanwhile_is_told_in_a_sentence(tmp_path: Path, now: bytes | None) -> None:
    lay(tmp_path / "ada", {"hw5_vae.py": "x = 1\n", "work.ipynb": bytes(2 * HELD)})
    lay(tmp_path / "bob", {"hw5_vae.py": "x = 1\n"})
    ada = read_submissions(tmp_path, HW)[0]
    (tmp_path / "ada" / "work.ipynb").unlink()
    if now:
        (tmp_path / "ada" / "work.ipynb").write_bytes(now)
    with pytest.raises(IntakeError, match=r"work\.ipynb, which was handed in, has changed"):
        _ = ada.files["work.ipynb"]


def test_files_without_end_in_one_submission_stop_a_zip_of_all_and_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "MAX_CLASS_ENTRIES", 3000)
    eve: dict[str, bytes | str] = {f"eve/{number}": "" for number in range(3001)}
    lay(tmp_path / "all", {"ada/hw5_vae.py": "x = 1\n", **eve})
    (tmp_path / "all.zip").write_bytes(zipped({"ada/hw5_vae.py": "x = 1\n", **eve}))
    with pytest.raises(IntakeError, match=r"3,000 entries; unpack it and give the folder"):
        read_submissions(tmp_path / "all.zip", HW)
    ada, eves = read_submissions(tmp_path / "all", HW)
    assert ada.flags == () and ada.files and "damaged" in eves.flags
