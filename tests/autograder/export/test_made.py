"""Pages are made again when something that they are made from has changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.export.made import LISTS, made


def write(folder: Path, **pages: str) -> list[str]:
    """Writes pages, each from its text; brings the names of those that were made."""
    names: list[str] = []

    def make(name: str) -> str:
        names.append(name)
        return pages[name]

    with made(folder / "pages") as write_page:
        for name, source in pages.items():
            write_page(name, source, lambda name=name: make(name))
    return names


def test_a_page_that_would_come_out_the_same_is_not_made_again(tmp_path: Path):
    assert write(tmp_path, ada="1", ben="1") == ["ada", "ben"]
    assert write(tmp_path, ada="1", ben="2") == ["ben"]
    assert write(tmp_path, ada="1", ben="2") == []
    assert (tmp_path / "pages/ben").read_text() == "2"


def test_a_page_that_somebody_changed_or_took_away_is_made_again(tmp_path: Path):
    write(tmp_path, ada="1", ben="1", cleo="1")
    (tmp_path / "pages/ada").write_text("?")
    (tmp_path / "pages/ben").unlink()
    assert write(tmp_path, ada="1", ben="1", cleo="1") == ["ada", "ben"]
    assert (tmp_path / "pages/ada").read_text() == "1"


def test_other_code_makes_every_page_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, ada="1")
    monkeypatch.setattr("autograder.export.made._code", lambda: "other")
    assert write(tmp_path, ada="1") == ["ada"]


def test_nothing_that_a_killed_run_left_is_believed(tmp_path: Path):
    write(tmp_path, ada="1", ben="1")
    with pytest.raises(KeyboardInterrupt), made(tmp_path / "pages") as write_page:
        write_page("ada", "2", lambda: "2")
        raise KeyboardInterrupt
    assert write(tmp_path, ada="1", ben="1") == ["ada", "ben"]
    assert (tmp_path / "pages/ada").read_text() == "1"


def test_a_list_that_cannot_be_read_is_none(tmp_path: Path):
    write(tmp_path, ada="1")
    (tmp_path / LISTS / "pages.json").write_text("[1, 2")
    assert write(tmp_path, ada="1") == ["ada"]
