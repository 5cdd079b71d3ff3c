"""What would change of marks that were given already, and why: by student, question and reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..lateness import LATE, REFUSED
from ..results import SubmissionResult, is_withheld
from .journal import Entry, Journal, Seen

Plan = Mapping[str, Any]
"""What a batch grades with, as the journal records it (`batch.Plan.recorded`)."""

FLAGS, TOTAL = "flags", "total"
ATTEMPT = "handed in again"
HANDED_IN = {False: "not among the submissions any more", True: "among the submissions again"}


@dataclass(frozen=True)
class Change:
    """A mark of a question, or what is remarked of a submission (`question` is then "flags"), or
    its "total", where that is withheld or is not any more; in a history also whenever it is given,
    and whether the "submission" is there."""

    id: str
    question: str
    before: str
    after: str
    reason: str


def changes(
    before: Entry, old: Plan, result: SubmissionResult, files: str, new: Plan
) -> list[Change]:
    """Everything of a submission that comes out otherwise than it stands in the journal."""
    was, now = _marks(before.result), _marks(result)
    if is_withheld(before.result) != is_withheld(result):
        was, now = {TOTAL: _total(before.result)} | was, {TOTAL: _total(result)} | now
    names = [*was, *(name for name in now if name not in was)]
    again = files != before.files
    return [
        Change(
            result.id,
            name,
            was.get(name, "-"),
            now.get(name, "-"),
            _why(name, before.result, result, old, new, again),
        )
        for name in names
        if was.get(name) != now.get(name)
    ]


def history(journal: Journal) -> Iterator[tuple[str, Change]]:
    """Who had what, since when and why: a total when a submission is first graded, then what
    changed, each attempt, and when it was gone. In the order of the journal: a clock may have been
    wrong."""
    last: dict[str, Entry] = {}
    for now in journal.order:
        if isinstance(now, Seen):
            words = ("there", "gone") if not now.there else ("gone", "there")
            yield now.when, Change(now.id, "submission", *words, HANDED_IN[now.there])
            continue
        id = now.result.id
        before = last.get(id)
        last[id] = now
        if before is None:
            yield now.when, Change(id, TOTAL, "", _total(now.result), "graded for the first time")
            continue
        plans = journal.plans[before.plan], journal.plans[now.plan]
        changed = changes(before, plans[0], now.result, now.files, plans[1])
        if not changed and now.files != before.files:
            totals = _total(before.result), _total(now.result)
            changed = [Change(id, TOTAL, *totals, ATTEMPT)]
        for change in changed:
            yield now.when, change


def _total(result: SubmissionResult) -> str:
    points = "?" if result.points is None else f"{result.points:g}"
    return f"{points} of {result.max_points:g}{', withheld' if is_withheld(result) else ''}"


def _marks(result: SubmissionResult) -> dict[str, str]:
    """question -> "points of most", for those that the judge marks; "flags" -> the flags."""
    found = {
        one.question: ("?" if one.points is None else f"{one.points:g}")
        + f" of {one.max_points:g}"
        + (" bonus" if one.kind == "bonus" else "")
        for one in result.questions
        if one.kind in ("code", "bonus")
    }
    return found | ({FLAGS: " ".join(result.flags)} if result.flags else {})


def _why(
    name: str, before: SubmissionResult, now: SubmissionResult, old: Plan, new: Plan, again: bool
) -> str:
    """An attempt is graded as all is by now, which may be otherwise than it was before."""
    remarked = name in (FLAGS, TOTAL)
    if again:
        return "; ".join([ATTEMPT, *(() if remarked else _reasons(name, old, new))])
    reasons = _remarks(before, now) if remarked else _reasons(name, old, new)
    return "; ".join(reasons) or "it came out otherwise this time"


def _remarks(before: SubmissionResult, now: SubmissionResult) -> Iterator[str]:
    """Why the same files have other flags."""
    if before.submitted != now.submitted:
        yield "handed in at another time, as is known now"
    elif {LATE, REFUSED} & ({*before.flags} ^ {*now.flags}):
        yield "the due date, the cut-off or an extension changed"
    else:
        yield "what is known of who handed in what changed"


def _reasons(question: str, old: Plan, new: Plan) -> Iterator[str]:
    was, now = (plan["questions"].get(question) for plan in (old, new))
    if was is None:
        yield "not asked the last time"
        return
    if now is None:
        part = question.partition(".")[0]
        named = any(one.startswith(f"{part}.") for one in new["questions"])
        yield "no longer graded" if named else f"no longer graded: part {part} is not, this time"
        return
    if was[0] != now[0]:
        yield f"of kind {now[0]} instead of {was[0]}"
    if was[1] != now[1]:
        yield f"worth {now[1]:g} instead of {was[1]:g}"
    if old["seed"] != new["seed"]:
        yield f"the seed is {new['seed']} instead of {old['seed']}"
    for check in sorted(old["checks"].keys() | new["checks"].keys()):
        if check.startswith(f"{question}."):
            yield from _of_check(check, old["checks"].get(check), new["checks"].get(check))
    if old["tools"] != new["tools"]:
        yield "the judge or the sandbox changed"
    for name, value in new["machine"].items():
        if old["machine"].get(name) != value:
            yield f"{name} is {value} instead of {old['machine'].get(name)}"


def _of_check(check: str, was: Any, now: Any) -> Iterator[str]:
    if was is None or now is None:
        yield f"the check {check} is new" if was is None else f"the check {check} is gone"
        return
    for name in now:
        if now[name] != was.get(name, [] if name == "after" else None):
            yield {
                "share": f"the check {check} counts otherwise",
                "after": f"the check {check} waits for others",
                "source": f"the check {check} changed",
                "reference": f"our solution changed, which {check} asks",
            }.get(name, f"what {check} says of known mistakes changed")
