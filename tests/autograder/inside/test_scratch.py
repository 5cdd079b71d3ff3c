"""The scratch folder: what is counted in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.inside.scratch import crowded, empty

ROOM = 1 << 20


def test_files_folders_and_links_count_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").touch()
    (tmp_path / "a/out").symlink_to("/usr")
    assert crowded(str(tmp_path), 3, ROOM) and not crowded(str(tmp_path), 4, ROOM)
    assert not crowded(str(tmp_path / "gone"), 0, ROOM)


def test_what_lies_on_the_disk_counts_and_not_what_a_file_says_of_its_length(
    tmp_path: Path,
) -> None:
    with open(tmp_path / "file", "wb") as file:
        file.truncate(1 << 40)
        assert not crowded(str(tmp_path), 100, ROOM)
        os.posix_fallocate(file.fileno(), 0, ROOM + 1)
    assert crowded(str(tmp_path), 100, ROOM)


def test_a_path_too_long_to_be_followed_is_too_much(tmp_path: Path) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(20):
            os.mkdir("x" * 255)
            os.chdir("x" * 255)
    finally:
        os.chdir(here)
    assert crowded(str(tmp_path), 100, ROOM)
    assert empty(str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root looks into every folder")
def test_a_folder_that_can_be_filled_but_not_looked_into_is_too_much(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(0)
    assert not crowded(str(tmp_path), 100, ROOM)
    (tmp_path / "dark").mkdir(0o300)
    assert crowded(str(tmp_path), 100, ROOM)
