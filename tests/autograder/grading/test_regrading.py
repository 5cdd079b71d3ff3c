"""Grading again runs what changed, and comes out as if everything had been run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from autograder.assignment import Assignment, read_assignment
from autograder.checking.expect import Fail, Partial
from autograder.checking.here import LocalCode
from autograder.checking.modules import ROOT
from autograder.checking.proxy import Remote
from autograder.checking.registry import Rng
from autograder.grading import basis, batch
from autograder.grading.batch import Bench, Plan
from autograder.grading.cache import Cache
from autograder.grading.judge import graded_parts
from autograder.intake.submissions import Handin
from autograder.results import TIMEOUT, UNGRADABLE, SubmissionResult
from autograder.sandbox.child import TOO_LONG, USED_UP
from autograder.sandbox.zygote import PROTECTIONS, Doctor

PART = "fc-vae"
ASSIGNMENT = read_assignment()
VAE = (ROOT / "hw5_vae.py").read_bytes()
WRONG = VAE.replace(b"torch.exp(logvar / 2)", b"torch.exp(logvar)")
FLIPPED = VAE.replace(b"kl = -0.5 * torch.sum(1 + logvar", b"kl = 0.5 * torch.sum(1 + logvar")


class Counting(LocalCode):
    """Code that runs here and counts the talks that are begun with it."""

    talks = 0

    def send(self, seconds: float) -> Any:
        Counting.talks += 1
        return super().send(seconds)


class Here:
    """Stands where the warm worker would be."""

    doctor = Doctor(tuple(PROTECTIONS), (), (), ())

    def open(self, files: Mapping[str, bytes]) -> Counting:
        return Counting(files)

    def close(self) -> None:
        pass


def handin(source: bytes = WRONG) -> Handin:
    return Handin("ada", ("ada",), {"hw5_vae.py": source})


@pytest.fixture(autouse=True)
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache of its own, and code that runs in this process."""
    monkeypatch.setattr(batch, "Cache", lambda: Cache(tmp_path / "cache.sqlite"))
    Counting.talks = 0
    yield


def plan(assignment: Assignment = ASSIGNMENT, seed: int = 3) -> Plan:
    return Plan(assignment, graded_parts(assignment, [PART]), seed)


def graded(
    of: Plan, source: bytes = WRONG, bases: Mapping[str, basis.Basis] | None = None
) -> tuple[SubmissionResult, int]:
    """The result, and how many talks with the code it took."""
    here: Any = Here()
    Counting.talks = 0
    bench = Bench(of, here, bases=of.bases() if bases is None else bases)
    return bench.grade(handin(source)), Counting.talks


def test_nothing_runs_twice_and_the_result_is_the_same():
    first, talks = graded(plan())
    again, none = graded(plan())
    assert again == first and talks > 10 and none == 0
    here: Any = Here()
    bench = Bench(plan(), here, bases=plan().bases())
    assert bench.recall(handin()) == first
    assert bench.recall(handin(VAE)) is None


def test_what_came_too_late_is_judged_as_any_other_so_that_dates_are_arithmetic():
    on_time, _ = graded(plan())
    here: Any = Here()
    late = replace(handin(), flags=("refused",), notes=("It was handed in late.",))
    found = Bench(plan(), here, bases=plan().bases()).recall(late)
    assert found == replace(on_time, flags=late.flags, notes=late.notes)
    moved = replace(ASSIGNMENT, late="refuse", due=datetime.now(timezone.utc))
    bases = plan().bases()
    assert plan(moved).recorded(bases) == plan().recorded(bases)


Function = Callable[..., None]
LOSS = f"{PART}.loss.measures_divergence"


def changed(
    monkeypatch: pytest.MonkeyPatch, how: Callable[[Function], Function]
) -> dict[str, basis.Basis]:
    """Change the function of one check; brings what the checks depend on then."""
    checks = [
        replace(one, function=how(one.function)) if one.id == LOSS else one
        for one in plan().checks()
    ]
    bases = plan().bases()
    monkeypatch.setattr(Plan, "checks", lambda _: checks)
    return {**bases, LOSS: replace(bases[LOSS], source="another")}


def asks_something_else(function: Function) -> Function:
    @wraps(function)
    def other(theirs: Remote, ours: Remote, rng: Rng) -> None:
        rng.uniform(0, 1, 1)
        function(theirs, ours, rng)

    return other


def is_gentler(function: Function) -> Function:
    @wraps(function)
    def other(theirs: Remote, ours: Remote, rng: Rng) -> None:
        try:
            function(theirs, ours, rng)
        except Fail:
            raise Partial(0.5, "Nearly.") from None

    return other


def fails_everybody(function: Function) -> Function:
    @wraps(function)
    def other(theirs: Remote, ours: Remote, rng: Rng) -> None:
        function(theirs, ours, rng)
        raise Fail("No.")

    return other


def anew(source: bytes) -> SubmissionResult:
    """The result where nothing is known."""
    here: Any = Here()
    return Bench(plan(), here).grade(handin(source))


def test_a_check_that_asks_something_else_is_run_alone_beside_the_loading(
    monkeypatch: pytest.MonkeyPatch,
):
    first, _ = graded(plan(), VAE)
    bases = changed(monkeypatch, asks_something_else)
    again, talks = graded(plan(), VAE, bases)
    assert again == first == anew(VAE) and talks == 2


def test_a_check_that_only_judges_otherwise_runs_nothing(monkeypatch: pytest.MonkeyPatch):
    first, _ = graded(plan(), FLIPPED)
    bases = changed(monkeypatch, is_gentler)
    again, talks = graded(plan(), FLIPPED, bases)
    assert again == anew(FLIPPED) and talks == 0
    assert (again.points or 0) > (first.points or 0)


def test_a_check_that_our_own_solution_does_not_pass_any_more_costs_nobody_a_mark(
    monkeypatch: pytest.MonkeyPatch,
):
    graded(plan(), VAE)
    bases = changed(monkeypatch, fails_everybody)
    here: Any = Here()
    recalled = Bench(plan(), here, bases=bases).recall(handin(VAE))
    assert recalled == anew(VAE) and recalled is not None
    assert recalled.question(f"{PART}.loss").state == UNGRADABLE


@pytest.mark.parametrize("how, talks", [(TOO_LONG, 2), (USED_UP, 0)])
def test_a_second_try_runs_what_ran_out_of_time_on_the_clock_alone(how: str, talks: int):
    right, _ = graded(plan(), VAE)
    loss = right.question(f"{PART}.loss")
    *others, last = loss.checks
    late = replace(loss, checks=(*others, replace(last, state=TIMEOUT, message=how)))
    first = replace(right, questions=tuple(late if q == loss else q for q in right.questions))
    here: Any = Here()
    Counting.talks = 0
    again = Bench(plan(), here).grade(handin(VAE), first)
    assert Counting.talks == talks
    assert (again == right) == (how == TOO_LONG)


def test_another_seed_or_file_runs_everything():
    _, talks = graded(plan())
    assert graded(plan(seed=4))[1] == talks
    assert graded(plan(), WRONG + b"\n# more\n")[1] == talks


def test_points_and_titles_are_arithmetic():
    part = ASSIGNMENT.part(PART)
    asked = tuple(
        replace(one, points=2 * one.points, title=f"{one.title}!") for one in part.questions
    )
    parts = [replace(part, questions=asked) if one.id == PART else one for one in ASSIGNMENT.parts]
    doubled = replace(ASSIGNMENT, parts=tuple(parts))
    first, _ = graded(plan())
    again, talks = graded(plan(doubled))
    assert talks == 0
    assert again.points == pytest.approx(2 * (first.points or 0))
    assert again.questions[1].title.endswith("!")


def test_what_waits_for_a_check_waits_for_it_again():
    source = VAE.replace(b"    def forward(", b"    def backward(")
    first, _ = graded(plan(), source)
    again, talks = graded(plan(), source)
    assert again == first and talks == 0
