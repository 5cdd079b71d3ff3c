"""What changes of marks is shown, whatever it is of them that changes, with its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autograder.grading.changes import changes
from autograder.grading.journal import Entry
from autograder.results import PASS, CheckResult, QuestionResult, SubmissionResult

CHECK = "fc-vae.loss.works"
PLAN = {
    "seed": 7,
    "questions": {"fc-vae.loss": ["code", 5.0]},
    "checks": {CHECK: {"share": 1.0, "after": [], "source": "a", "reference": "b"}},
    "tools": "t",
    "machine": {},
}


def result(kind: str = "code", points: float = 4.0) -> SubmissionResult:
    check = CheckResult(CHECK, "fc-vae.loss", PASS, 1.0, 1.0, "It works.")
    question = QuestionResult("fc-vae.loss", "The loss", kind, PASS, points, 5.0, (check,))
    return SubmissionResult("ada", ("ada",), points, 5.0, (question,), seed=7)


def plan(question: list[Any] | None = None, **check: Any) -> dict[str, Any]:
    now = {**PLAN["checks"][CHECK], **check}  # type: ignore[index]
    return {
        **PLAN,
        "questions": {"fc-vae.loss": question or ["code", 5.0]},
        "checks": {CHECK: now},
    }


@pytest.mark.parametrize(
    ("now", "new", "reason"),
    [
        (result("bonus"), plan(["bonus", 5.0]), "of kind bonus instead of code"),
        (result(points=3.0), plan(["code", 4.0]), "worth 4 instead of 5"),
        (result(points=3.0), plan(after=["fc-vae.forward.x"]), f"the check {CHECK} waits for oth"),
        (result(points=3.0), plan(share=2.0), f"the check {CHECK} counts otherwise"),
        (result(points=3.0), plan(source="z"), f"the check {CHECK} changed"),
        (result("manual"), {**PLAN, "questions": {}}, "no longer graded: part fc-vae is not"),
        (
            result("manual"),
            {**PLAN, "questions": {"fc-vae.cvae": ["code", 5.0]}},
            "no longer graded",
        ),
    ],
)
def test_each_change_has_its_reason(
    now: SubmissionResult, new: dict[str, Any], reason: str
) -> None:
    (change,) = changes(Entry(result(), "files", "plan", ""), PLAN, now, "files", new)
    assert change.reason.startswith(reason) and change.before != change.after


def test_plans_of_before_checks_could_wait_are_no_others() -> None:
    old = plan()
    del old["checks"][CHECK]["after"]
    now = result(points=3.0)
    (change,) = changes(Entry(result(), "files", "plan", ""), old, now, "files", plan())
    assert change.reason == "it came out otherwise this time"


@pytest.mark.parametrize(
    ("was", "now", "reason"),
    [
        (result(), replace(result(), flags=("late", "refused")), "the due date, the cut-off or"),
        (result(), replace(result(), flags=("conflict",)), "what is known of who handed in"),
        (
            replace(result(), submitted="2026-01-01T10:00:00+00:00"),
            replace(result(), submitted="2026-01-02T10:00:00+00:00", flags=("refused",)),
            "handed in at another time",
        ),
    ],
)
def test_a_total_that_is_withheld_is_shown_with_its_reason(
    was: SubmissionResult, now: SubmissionResult, reason: str
) -> None:
    total, flags = changes(Entry(was, "files", "plan", ""), PLAN, now, "files", PLAN)
    assert flags.reason.startswith(reason) and total.reason == flags.reason
    assert (total.before, total.after) == ("4 of 5", "4 of 5, withheld")
    back = changes(Entry(now, "files", "plan", ""), PLAN, was, "files", PLAN)[0]
    assert (back.before, back.after) == ("4 of 5, withheld", "4 of 5")
