"""All that grades one part, a folder each: its checks, its known mistakes, its own models.

    checks.py      what the judge asks, and what a student reads of it
    mistakes.py    MISTAKES: known ways to be wrong, which a check must find
    styles.py      STYLES: right answers written otherwise, which no check may refuse

What mistakes of several parts have in common stands in slips.py, once.
A folder is found by being here; its name is the part's id with `_` for `-`.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import traceback
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

from ..assignment import Assignment, AssignmentError, Part
from ..checking.catalogue import Mistake, Style
from ..checking.modules import ROOT, SOLUTIONS
from ..checking.registry import Check, registered


def all_checks(assignment: Assignment) -> list[Check]:
    """Every check of the assignment's parts, questions in the order of assignment.toml.

    Raises AssignmentError where assignment.toml and the checks do not fit together.
    """
    for _ in _each("checks"):
        pass
    _refuse_strangers(assignment)
    checks = registered(assignment)
    for part in assignment.parts:
        _need_module(part)
        _need_checks(part, [check for check in checks if check.question in part.full_ids()])
    need_notebooks(assignment.parts)
    return checks


def _need_module(part: Part) -> None:
    if part.module is not None and part.module not in SOLUTIONS:
        raise AssignmentError(
            f"the part {part.id!r} has module = {part.module!r}, and no such file holds solutions. "
            f"Correct it in assignment.toml: {' or '.join(SOLUTIONS)}."
        )


def _need_checks(part: Part, checks: Sequence[Check]) -> None:
    place = f"autograder/parts/{part.id.replace('-', '_')}/checks.py"
    for question in part.questions:
        full_id = f"{part.id}.{question.id}"
        own = [check for check in checks if check.question == full_id]
        if question.kind in ("code", "bonus") and not own:
            raise AssignmentError(
                f"{full_id} is marked by checks, and none is there. Write one in {place} "
                f'(@check("{full_id}")), or say kind = "manual" in assignment.toml.'
            )
        if question.kind == "manual" and own:
            raise AssignmentError(
                f"{full_id} is marked by hand, and {own[0].id} in {place} checks it. Take the "
                "check away, or change the question's kind in assignment.toml."
            )
    for check in checks:
        if check.module != part.module:
            raise AssignmentError(
                f"{check.id} in {place} looks at {check.module}, and the part is written in "
                f"{part.module}: its first parameter and `module` in assignment.toml must agree."
            )


def need_notebooks(parts: Iterable[Part]) -> None:
    """Every part is asked in a notebook. On Gradescope there are none, and nothing is looked at."""
    files = sorted((ROOT / "notebooks").glob("*.ipynb"))
    asked = {part for path in files for part in _parts_of(path)}
    for part in parts:
        if files and part.id not in asked:
            raise AssignmentError(
                f"no notebook asks the part {part.id!r}: bring back the one that was there, add it "
                "to hw5.parts in the metadata of another, or say off = true in assignment.toml."
            )


@cache
def _parts_of(notebook: Path) -> tuple[str, ...]:
    try:
        metadata = json.loads(notebook.read_text(encoding="utf-8")).get("metadata", {})
        return tuple(metadata.get("hw5", {}).get("parts", ()))
    except (ValueError, AttributeError, TypeError) as error:
        raise AssignmentError(
            f"notebooks/{notebook.name} is no notebook ({error}): take it from an earlier commit, "
            "or make it anew."
        ) from None


def _refuse_strangers(assignment: Assignment) -> None:
    """A check of a question that nobody asks would never run."""
    parts = {part.id: part for part in (*assignment.parts, *assignment.off)}
    for check in registered():
        package, _, rest = check.function.__module__.rpartition(f"{__name__}.")[2].partition(".")
        if not check.function.__module__.startswith(f"{__name__}."):
            continue  # a test's own
        place, own = f"autograder/parts/{package}/{rest}.py", package.replace("_", "-")
        if own in parts and check.question not in parts[own].full_ids():
            raise AssignmentError(
                f"{check.id} in {place} checks {check.question!r}, which is no question of the "
                f'part {own!r}. Write @check("{own}.QUESTION") with one that is asked, add it to '
                "assignment.toml, or take the check away."
            )


@cache
def all_mistakes() -> tuple[Mistake, ...]:
    """Every mistake of every part, in the order of the folders."""
    return tuple(mistake for _, module in _each("mistakes") for mistake in module.MISTAKES)


@cache
def all_styles() -> dict[str, tuple[Style, ...]]:
    """Right answers written otherwise: id of the part -> its styles."""
    return {folder.replace("_", "-"): module.STYLES for folder, module in _each("styles")}


def _each(name: str) -> Iterator[tuple[str, ModuleType]]:
    """The folder and the module of this name of every part that has one.

    Raises AssignmentError for one that cannot be loaded.
    """
    for folder in pkgutil.iter_modules(__path__):
        files = [module.name for module in pkgutil.iter_modules([f"{__path__[0]}/{folder.name}"])]
        if name in files:
            yield folder.name, _loaded(f"{__name__}.{folder.name}.{name}")


def _loaded(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        steps = traceback.extract_tb(error.__traceback__)
        ours = [step for step in steps if "/autograder/parts/" in Path(step.filename).as_posix()]
        line = error.lineno if isinstance(error, SyntaxError) else ours[-1].lineno if ours else "?"
        place = f"{name.replace('.', '/')}.py, line {line}"
        says = error.msg if isinstance(error, SyntaxError) else error  # it names the place again
        raise AssignmentError(f"{place}: {type(error).__name__}: {says}") from error
