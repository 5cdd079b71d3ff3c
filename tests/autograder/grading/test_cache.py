"""The cache gives back what was put there, and is never in the way."""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.grading import basis
from autograder.grading import cache as keeping
from autograder.grading.cache import Cache, Codes, Ended, Memory
from autograder.results import ABNORMAL, FAIL, PASS, SKIPPED, UNGRADABLE, CheckResult

RESULT = CheckResult("fc-vae.loss.x", "fc-vae.loss", FAIL, 0.25, 2.0, "It works.", "No.", "Look.")
FILES = {"hw5_vae.py": b"x = 1\n"}


def kept(cache: Cache, key: str) -> Ended | None:
    return cache.begins(key).get(key)


def test_it_gives_back_how_a_check_ended(tmp_path: Path):
    Cache(tmp_path / "c.sqlite").put("key", RESULT)
    cache = Cache(tmp_path / "c.sqlite")
    assert kept(cache, "key") == (FAIL, 0.25, "No.", "Look.")
    assert kept(cache, "other") is None


@pytest.mark.parametrize("state", [*ABNORMAL, SKIPPED, UNGRADABLE])
def test_abnormal_ends_and_our_own_faults_are_never_kept(tmp_path: Path, state: str):
    cache = Cache(tmp_path / "c.sqlite")
    cache.put("key", replace(RESULT, state=state))
    assert kept(cache, "key") is None


def test_a_damaged_database_is_put_aside_and_made_anew(tmp_path: Path):
    path = tmp_path / "c.sqlite"
    Cache(path).close()
    path.write_bytes(path.read_bytes()[:100] + b"this is no database" * 1000)
    cache = Cache(path)
    cache.put("key", RESULT)
    assert kept(cache, "key") is not None and "damaged and is put aside" in cache.missing
    assert not Cache(path).missing
    assert b"this is no database" in (tmp_path / "c.sqlite.damaged").read_bytes()


@pytest.mark.parametrize("table", ["", "students (name)", "results (student, points)"])
def test_the_file_of_somebody_else_stays_as_it_is(tmp_path: Path, table: str):
    path = tmp_path / "notes"
    if table:
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute(f"create table {table}")
    else:
        path.write_text("notes")
    before = path.read_bytes()
    cache = Cache(path)
    cache.put("key", RESULT)
    assert kept(cache, "key") is None and str(path) in cache.missing
    assert path.read_bytes() == before


def test_a_database_that_another_holds_is_not_taken_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "c.sqlite"
    monkeypatch.setattr("autograder.grading.cache.PATIENCE", 0.1)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin exclusive")
        assert "locked" in Cache(path).missing
    cache = Cache(path)
    cache.put("key", RESULT)
    assert kept(cache, "key") is not None


def test_where_none_can_be_written_everything_is_tried(tmp_path: Path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "c.sqlite")
    cache.put("key", RESULT)
    assert kept(cache, "key") is None


def test_it_may_be_deleted_while_it_is_used(tmp_path: Path):
    path = tmp_path / "c.sqlite"
    cache = Cache(path)
    path.unlink()
    cache.put("key", RESULT)
    kept(cache, "key")
    assert kept(Cache(path), "key") is None or path.exists()


def _put_many(path: Path, name: int) -> None:
    cache = Cache(path)
    for number in range(50):
        cache.put(f"{name}-{number}", RESULT)


def test_several_processes_write_it_at_once(tmp_path: Path):
    path = tmp_path / "c.sqlite"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(path, name)) for name in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    cache = Cache(path)
    assert [len(cache.begins(f"{name}-")) for name in range(3)] == [50, 50, 50]


def memory(cache: Cache, seed: int = 1, layers: tuple[str, ...] = ("seccomp",)) -> Memory:
    return Memory(cache, FILES, {}, seed, layers)


def test_a_result_belongs_to_files_seed_and_protections(tmp_path: Path):
    cache = Cache(tmp_path / "c.sqlite")
    memory(cache).keep("hw5_vae", replace(RESULT, state=PASS))
    assert memory(cache).find("hw5_vae", RESULT.check) is not None
    assert memory(cache).find("hw5_gan", RESULT.check) is None
    assert memory(cache, seed=2).find("hw5_vae", RESULT.check) is None
    assert memory(cache, layers=()).find("hw5_vae", RESULT.check) is None
    other = Memory(cache, {"hw5_vae.py": b"x = 2\n"}, {}, 1, ("seccomp",))
    assert other.find("hw5_vae", RESULT.check) is None


def test_what_was_said_is_kept_as_long_as_it_is_among_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("autograder.grading.cache.TALKS", 300)
    cache = Cache(tmp_path / "c.sqlite")
    for number in range(600):
        cache.put(f"key {number}", RESULT, f"talk {number}", b"said")
    there = [number for number in range(600) if cache.said(f"talk {number}")]
    assert there[-1] == 599 and 300 <= len(there) < 600
    assert not Cache(tmp_path / "other.sqlite").said("talk 599")


def test_a_cache_of_an_earlier_version_learns_what_is_said(tmp_path: Path):
    path = tmp_path / "c.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(
            "create table results (key text primary key, state text, fraction real,"
            " message text, hint text) without rowid"
        )
    Cache(path).put("key", RESULT, "talk", b"said")
    assert Cache(path).said("talk") == b"said"


@pytest.mark.parametrize("state", [*ABNORMAL, SKIPPED, UNGRADABLE])
def test_what_was_said_before_an_abnormal_end_is_not_kept(tmp_path: Path, state: str):
    cache = Cache(tmp_path / "c.sqlite")
    cache.put("key", replace(RESULT, state=state), "talk", b"said")
    assert not cache.said("talk")


def test_what_files_were_compiled_to_is_known_in_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    Codes(Cache(tmp_path / "c.sqlite")).keep("a.py", b"x = 1\n", b"code")
    codes = Codes(Cache(tmp_path / "c.sqlite"))
    assert codes.find("a.py", b"x = 1\n") == b"code"
    assert codes.find("b.py", b"x = 1\n") == codes.find("a.py", b"x = 2\n") == b""
    monkeypatch.setattr(basis, "machine", lambda: {"python": "another"})
    assert Codes(Cache(tmp_path / "c.sqlite")).find("a.py", b"x = 1\n") == b""


def test_code_without_asserts_is_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Codes(Cache(tmp_path / "c.sqlite")).keep("a.py", b"x = 1\n", b"code")
    monkeypatch.setattr(keeping, "sys", SimpleNamespace(flags=SimpleNamespace(optimize=1)))
    assert Codes(Cache(tmp_path / "c.sqlite")).find("a.py", b"x = 1\n") == b""


def test_code_that_is_damaged_is_not_known(tmp_path: Path):
    cache = Cache(tmp_path / "c.sqlite")
    cache.keep_code("key", b"code")
    with contextlib.closing(sqlite3.connect(tmp_path / "c.sqlite", isolation_level=None)) as other:
        other.execute("update codes set code = x'6461'")
    assert cache.code("key") == b""
