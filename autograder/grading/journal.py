"""OUT/journal.jsonl: every mark that was ever given there, with the day and the reason.

Its lines are only ever added to: what a batch grades with (a plan), and what it found of a
submission. The last line of a submission counts. A run that is killed at any point loses at most
the line that it was writing.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TextIO

from ..files import named
from ..results import SubmissionResult, from_data, to_data

JOURNAL = "journal.jsonl"
DAMAGED = "journal.damaged.jsonl"
BESIDE = ("attempts", "history.csv")  # what stands beside it once there are marks
FORMAT = 2
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)


class JournalError(RuntimeError):
    """The folder of marks cannot be gone on with; the sentence says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One line: what was found of a submission, with which files (their digest), under which plan
    (its key), and when (an ISO time).
    """

    result: SubmissionResult
    files: str
    plan: str
    when: str


@dataclass(frozen=True)
class Seen:
    """Another kind of line: from then on a submission was not there any more, or there again."""

    id: str
    there: bool
    when: str


class Journal:
    """The journal of one folder of marks, held by one run at a time."""

    def __init__(self, out: Path, seed: int, write: bool = True) -> None:
        """Open or begin it. Without `write` nothing is changed on the disk. Lines that cannot be
        read are left out, and stay in a copy of the file: see `damage`.

        Raises JournalError when another run holds it, or it is of another version of the kit, or
        nothing of it can be read.
        """
        self._path = out / JOURNAL
        self.entries: dict[str, list[Entry]] = {}
        self.order: list[Entry | Seen] = []  # as they were added
        self.gone: set[str] = set()
        self.plans: dict[str, dict[str, Any]] = {}
        self.damage = ""  # what cannot be read, as a sentence
        self._file: TextIO | None = None
        if write:
            out.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(out) if out.exists() else None
        try:
            lines, broken = self._readable()
            if broken and not lines:
                raise _strange(self._path)
            if broken:
                numbers = ", ".join(map(str, broken[:10])) + (", ..." if len(broken) > 10 else "")
                self.damage = (
                    f"{self._path} cannot be read in line {numbers}. All its other lines hold; "
                    f"what is missing is found anew, and {DAMAGED} keeps the file as it was."
                )
            if write:
                if broken:
                    shutil.copyfile(self._path, out / DAMAGED)
                head = json.dumps({"format": FORMAT, "seed": seed}, sort_keys=True).encode()
                self._file = self._begin(lines if lines and 1 not in broken else [head, *lines])
        except BaseException:
            self._let_go()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._file is not None:
                with named(self._path):
                    self._file.close()  # on a disk that is full, it tries to write once more
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def last(self, id: str) -> Entry | None:
        """What counts of a submission."""
        return self.entries[id][-1] if id in self.entries else None

    def attempts(self, id: str) -> int:
        """How often it was handed in with other files than before."""
        files = [entry.files for entry in self.entries.get(id, ())]
        return sum(now != before for before, now in zip([None, *files], files, strict=False))

    def add(self, result: SubmissionResult, files: str, plan: str, record: dict[str, Any]) -> None:
        """Write what was found, and see that it is on the disk; `plan` stands for `record`."""
        if plan not in self.plans:
            self._write({"key": plan, "plan": record})
        self._write({"files": files, "plan": plan, "result": to_data(result), "when": _now()})

    def see(self, handed_in: Collection[str]) -> None:
        """Write down who is not there any more, and who is there again."""
        for id in sorted(self.entries.keys() - handed_in - self.gone):
            self._write({"id": id, "there": False, "when": _now()})
        for id in sorted(self.gone.intersection(handed_in)):
            self._write({"id": id, "there": True, "when": _now()})

    def _write(self, line: dict[str, Any]) -> None:
        assert self._file is not None
        with named(self._path):
            self._file.write(json.dumps(line, sort_keys=True) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        if "key" in line:
            self.plans[str(line["key"])] = dict(line["plan"])
            return
        if "there" in line:
            seen = Seen(str(line["id"]), bool(line["there"]), str(line["when"]))
            self.gone = self.gone - {seen.id} if seen.there else self.gone | {seen.id}
            self.order.append(seen)
            return
        entry = Entry(
            from_data(line["result"]),
            str(line["files"]),
            str(line["plan"]),
            str(line["when"]),
        )
        if entry.plan not in self.plans:
            raise LookupError(entry.plan)
        self.entries.setdefault(entry.result.id, []).append(entry)
        self.order.append(entry)

    def _readable(self) -> tuple[list[bytes], list[int]]:
        """The lines that can be read, which are taken, and the numbers of the others."""
        lines, broken = [], []
        for number, line in enumerate(self._lines(), 1):
            try:
                said = dict(json.loads(line))
                if number > 1:
                    self._take(said)
                else:
                    _begun(self._path, said)
                lines.append(line)
            except UNREADABLE:
                broken.append(number)
        return lines, broken

    def _lines(self) -> list[bytes]:
        """The whole lines; one that was being written when the run was killed is dropped."""
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        return data[: data.rfind(b"\n") + 1].splitlines()

    def _begin(self, lines: Sequence[bytes]) -> TextIO:
        """Leave just the whole lines, and go on behind them."""
        fresh = self._path.with_suffix(".part")
        with named(fresh), fresh.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._path)
        return self._path.open("a", encoding="utf-8")


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def require(out: Path) -> None:
    """Raises JournalError where another run holds OUT, or its journal cannot be gone on with, or is
    gone: asked before anything is started.
    """
    if out.is_dir():
        os.close(_locked(out))
    if journaled_seed(out) is None and any((out / name).exists() for name in BESIDE):
        raise JournalError(
            f"{out} holds marks, but {JOURNAL}, which says who had them and why, is gone. Put it "
            "back from a copy of yours, or give a new --out: everybody is graded anew there."
        )


def journaled_seed(out: Path) -> int | None:
    """The seed with which OUT's journal was begun; None when there is none."""
    path = out / JOURNAL
    if not path.exists():
        return None
    with path.open("rb") as file:
        for number, line in enumerate(file):
            try:
                said = dict(json.loads(line))
                # Each result has it, too, where the first line is damaged.
                return int(said["result"]["seed"]) if number else _begun(path, said)
            except UNREADABLE:
                continue
    raise _strange(path)


def _strange(path: Path) -> JournalError:
    return JournalError(
        f"{path} is damaged: nothing of it can be read. Give a new --out, or put the file back "
        "from a copy of yours."
    )


def _begun(path: Path, line: dict[str, Any]) -> int:
    """The seed in the first line. Raises JournalError for another version's."""
    if int(line["format"]) != FORMAT:
        raise JournalError(
            f"{path} is of another version of the kit (format {line['format']}, not {FORMAT}). "
            "Give a new --out: what was graded there stays there."
        )
    return int(line["seed"])


def _locked(out: Path) -> int:
    """A descriptor that holds OUT until it is closed or we die. Raises JournalError when another
    run holds it.
    """
    lock = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise JournalError(
            f"another run is grading into {out}. Wait for it, or give a new --out."
        ) from None
    return lock
