"""Runs the hidden checks under pytest: `pytest autograder --submission FOLDER`.

The checks are the same and run through the same confined worker; pytest adds -k, -x and --pdb.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import Part, read_assignment
from autograder.checking.expect import Fail, Partial
from autograder.checking.proxy import Lost, StudentError
from autograder.checking.reference import Reference
from autograder.checking.registry import Check
from autograder.grading import batch
from autograder.grading.judge import Run, call, fresh, import_module
from autograder.intake.submissions import read_submission, refuse_class
from autograder.parts import all_checks
from autograder.results import PASS
from autograder.sandbox.zygote import Zygote

ENDS = (Fail, Partial, StudentError, Lost)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    parts = Path(__file__).with_name("parts")
    if parts not in file_path.parents or not parent.config.getoption("--submission"):
        return None
    return CheckFile.from_parent(parent, path=file_path)


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.getoption("--submission"):
        raise pytest.UsageError("say whose code to check: pytest autograder --submission FOLDER")


class CheckFile(pytest.File):
    """One file of checks; each check in it is an item."""

    def collect(self) -> Iterator[pytest.Item]:
        assignment = read_assignment()
        for check in all_checks(assignment):
            if (
                check.function.__module__
                == f"autograder.parts.{self.path.parent.name}.{self.path.stem}"
            ):
                part = assignment.part(check.question.partition(".")[0])
                yield CheckItem.from_parent(self, name=check.id, check=check, part=part)


class CheckItem(pytest.Item):
    """One check on the submission."""

    def __init__(self, *, check: Check, part: Part, **rest: Any) -> None:
        super().__init__(**rest)
        self._check, self._part = check, part

    def runtest(self) -> None:
        desk = _desk(self.config)
        imported = import_module(self._part, desk.run)
        if imported.state != PASS:
            raise Fail(imported.message)
        ask = fresh(desk.run.send(self._check.seconds))
        try:
            call(self._check, ask, desk.reference, desk.seed)
        except Lost:
            desk.run.close()
            raise

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if not isinstance(excinfo.value, ENDS):
            return super().repr_failure(excinfo)
        hint = getattr(excinfo.value, "hint", "")
        lines = (self._check.title, f"{type(excinfo.value).__name__}: {excinfo.value}", hint)
        return "\n".join(line for line in lines if line)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self._check.function.__code__.co_firstlineno - 1, self.name


class Desk:
    """What all items share: the submission's code and the reference."""

    def __init__(self, config: pytest.Config) -> None:
        folder = Path(config.getoption("--submission"))
        if not folder.is_absolute():
            folder = config.invocation_params.dir / folder
        seed = config.getoption("--check-seed")
        self.seed = batch.new_seed() if seed is None else seed
        refuse_class(folder, read_assignment())
        self.files = read_submission(folder, read_assignment()).files
        self.reference = Reference()
        self.zygote = Zygote()
        self.run = Run(self.files, self.zygote.open)
        config.add_cleanup(self.close)

    def close(self) -> None:
        self.run.close()
        self.zygote.close()


_desks: dict[int, Desk] = {}


def _desk(config: pytest.Config) -> Desk:
    if id(config) not in _desks:
        _desks[id(config)] = Desk(config)
    return _desks[id(config)]
