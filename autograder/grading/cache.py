"""Results of checks, kept by what they depend on: what has been tried is not tried again.

Beside them stands what submissions answered: a check that only judges otherwise runs nothing (see
said.py); and what their files were compiled to (see sandbox/codes.py).

One file for the course, `.cache/checks.sqlite` in the kit's folder, or the one that HW5_CACHE
names. It may be deleted at any time, is written by several runs at once, and survives a kill at any
moment.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ..results import ERROR, FAIL, PASS, CheckResult
from . import basis

KEPT = (PASS, FAIL, ERROR)
"""Ends that come again. One that ran out of time or memory may have had bad luck, one of our own
fault waits for us."""

PATIENCE = 30.0  # seconds for which another run may hold the file
HEADER = b"SQLite format 3\0"
TABLES = """
create table if not exists results (
    key text primary key, state text, fraction real, message text, hint text
) without rowid;
create table if not exists said (number integer primary key, key text unique, answers blob);
create table if not exists codes (number integer primary key, key text unique, code blob);
"""
TALKS = 1 << 16
"""What was said in so many checks is kept, the newest: some 100 MB."""
FILES = 1 << 12
"""What so many files were compiled to is kept, the newest: some 160 MB."""


Ended = tuple[str, float, str, str]
"""State, fraction, message and hint."""


class Cache:
    """The file of results. A cache that cannot be read or written is an empty one.

    `missing`: why nothing is remembered, or not what was before, as a sentence; empty where it is.
    A database that is damaged is put aside; what is none, or is somebody else's, is left alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or basis.cache_file()
        self._database: sqlite3.Connection | None = None
        self.missing = aside = ""
        for _ in range(2):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._database, self.missing = _opened(path), aside
                return
            except (sqlite3.Error, OSError) as error:
                self.missing = (
                    f"{path} cannot keep what has been tried ({error}): it is tried anew each "
                    "time. Is the disk full, or is that another file? HW5_CACHE names another one."
                )
                if not isinstance(error, (OSError, sqlite3.OperationalError, Foreign)):
                    aside = _put_aside(path)

    def begins(self, key: str) -> dict[str, Ended]:
        """All that is known under keys that begin so, in one question."""
        with contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                asked = "select key, state, fraction, message, hint from results where key "
                rows = self._database.execute(f"{asked} between ? and ?", (key, f"{key}~"))
                return {name: (*ended,) for name, *ended in rows}
        return {}

    def put(self, key: str, result: CheckResult, talk: str = "", said: bytes = b"") -> None:
        """Keep how a check ended, if it would end so again; under `talk` what was said in it."""
        with contextlib.suppress(sqlite3.Error):
            if self._database is not None and result.state in KEPT:
                row = (key, result.state, result.fraction, result.message, result.hint)
                self._database.execute("insert or replace into results values (?, ?, ?, ?, ?)", row)
                if said:
                    self._insert("said (key, answers)", talk, said, TALKS)

    def said(self, key: str) -> bytes:
        """What was said, or nothing."""
        return self._selected("answers from said", key)

    def keep_code(self, key: str, code: bytes) -> None:
        """Keep what a file was compiled to."""
        with contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                self._insert("codes (key, code)", key, zlib.compress(code, 1), FILES)

    def code(self, key: str) -> bytes:
        """What a file was compiled to, or nothing."""
        with contextlib.suppress(zlib.error):
            return zlib.decompress(self._selected("code from codes", key))
        return b""

    def _insert(self, into: str, key: str, what: bytes, most: int) -> None:
        """Add to a table of which so many rows are kept."""
        assert self._database is not None
        insert = f"insert or replace into {into} values (?, ?)"
        number = self._database.execute(insert, (key, what)).lastrowid or 0
        if number % 256 == 0:
            table = into.partition(" ")[0]
            self._database.execute(f"delete from {table} where number <= ?", (number - most,))

    def _selected(self, what: str, key: str) -> bytes:
        with contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                for (found,) in self._database.execute(f"select {what} where key = ?", (key,)):
                    return bytes(found)
        return b""

    def close(self) -> None:
        if self._database is not None:
            self._database.close()


class Foreign(sqlite3.DatabaseError):
    """A database of somebody else."""


def _put_aside(path: Path) -> str:
    """What has become of a database that is damaged, as a sentence; empty where it stays."""
    with contextlib.suppress(OSError):
        with path.open("rb") as file:
            is_database = file.read(len(HEADER)) == HEADER
        if is_database:
            path.replace(path.with_name(f"{path.name}.damaged"))
            return f"{path} was damaged and is put aside: what had been tried is tried anew, once."
    return ""


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        others = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        if others:
            if ("results",) not in others:
                raise Foreign("it holds other tables")
            database.execute("select key, state, fraction, message, hint from results limit 0")
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.executescript(TABLES)
    except BaseException:
        database.close()
        raise
    return database


class Memory:
    """What the cache knows of one submission, and learns of it."""

    def __init__(
        self,
        cache: Cache,
        files: Mapping[str, bytes],
        bases: Mapping[str, basis.Basis],
        seed: int,
        layers: Sequence[str],
    ) -> None:
        """`bases`: check id -> what it depends on; `layers`: the protections that are active."""
        self._cache, self._files, self._bases = cache, files, bases
        machine = sorted(basis.machine().items())
        self._same = basis.sha(seed, sorted(layers), basis.tools(), machine)
        self._modules: dict[str, str] = {}
        self._known: dict[str, Ended] = {}

    def find(self, module: str, id: str) -> Ended | None:
        """How the check of this id ended, or the import of the module."""
        return self._known.get(self._key(module, id))

    def said(self, module: str, id: str) -> bytes:
        """What it said in the check of this id, whatever that was then."""
        return self._cache.said(self._talk(module, id))

    def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
        """Remember how it ended, and what it said."""
        talk = self._talk(module, result.check)
        self._cache.put(self._key(module, result.check), result, talk, said)

    def _talk(self, module: str, id: str) -> str:
        self._key(module, id)
        return basis.sha(self._modules[module], id)

    def _key(self, module: str, id: str) -> str:
        if module not in self._modules:
            files = basis.of_files(module, self._files)
            self._modules[module] = basis.sha(self._same, files, module)
            self._known |= self._cache.begins(self._modules[module])
        return self._modules[module] + _of_check(id, self._bases.get(id))


class Codes:
    """What students' files were compiled to, in the cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        # A worker that is forked from us compiles as we were told to: -O leaves asserts out.
        self._same = basis.sha(basis.tools(), sorted(basis.machine().items()), sys.flags.optimize)

    def find(self, name: str, source: bytes) -> bytes:
        return self._cache.code(self._key(name, source))

    def keep(self, name: str, source: bytes, code: bytes) -> None:
        self._cache.keep_code(self._key(name, source), code)

    def _key(self, name: str, source: bytes) -> str:
        return basis.sha(self._same, name, source)


@cache
def _of_check(id: str, depends: basis.Basis | None) -> str:
    return basis.sha(id, vars(depends) if depends else "")
