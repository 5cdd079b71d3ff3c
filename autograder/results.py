"""What grading yields: the states, the frozen records, and their one JSON shape."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

PASS = "pass"
FAIL = "fail"
SKIPPED = "skipped"
ERROR = "error"
TIMEOUT = "timeout"
MEMORY = "memory"
CRASHED = "crashed"
UNGRADABLE = "ungradable"
MANUAL = "manual"

STATES = (PASS, FAIL, SKIPPED, ERROR, TIMEOUT, MEMORY, CRASHED, UNGRADABLE)
"""How a check can end. `ungradable` is our fault alone; only it leaves a blank mark."""

ABNORMAL = (TIMEOUT, MEMORY, CRASHED)
"""Ends that cost the worker its life: never cached, and the question's other checks wait."""

VANISHED = "vanished"
"""The flag of what was handed in before and is not there any more."""

FORMAT = 1


@dataclass(frozen=True)
class CheckResult:
    """How one check ended.

    `fraction` in [0, 1] is the part of the check's share that was earned, `share` the check's
    weight within its question. `title` says what was checked, `message` what went wrong, `hint`
    how to think about it, `waits_for` the check a skipped one waited for.
    """

    check: str
    question: str
    state: str
    fraction: float
    share: float
    title: str
    message: str = ""
    hint: str = ""
    waits_for: str = ""


@dataclass(frozen=True)
class QuestionResult:
    """Marks of one question (`part.question`).

    `points` is None while the mark is open: `state` then says whether a person has to give it
    (`manual`) or we failed (`ungradable`).
    """

    question: str
    title: str
    kind: str
    state: str
    points: float | None
    max_points: float
    checks: tuple[CheckResult, ...] = ()


WITHHOLDING_FLAGS = ("conflict", "refused")
"""Flags under which marks are not given out until a person has decided."""


@dataclass(frozen=True)
class SubmissionResult:
    """Everything grading says about one submission.

    `points` and `max_points` cover the questions that the judge marks; `points` is None while one
    of them is ungradable. `flags` are one-word facts a person must look at (`late`, `conflict`),
    `notes` sentences for the student, `layers` the protections that were active, `attempts` how
    often it was handed in with other files.
    """

    id: str
    members: tuple[str, ...]
    points: float | None
    max_points: float
    questions: tuple[QuestionResult, ...]
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    submitted: str = ""
    seed: int = 0
    layers: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    attempts: int = 1

    def question(self, full_id: str) -> QuestionResult:
        """The result of `part.question`. Raises KeyError when it was not graded."""
        for question in self.questions:
            if question.question == full_id:
                return question
        raise KeyError(full_id)


def is_withheld(result: SubmissionResult) -> bool:
    """True when a person has to decide before the student may see marks."""
    return any(flag in WITHHOLDING_FLAGS for flag in result.flags)


def to_json(result: SubmissionResult) -> str:
    """The one JSON shape: keys sorted, two spaces, so equal results are equal bytes."""
    return json.dumps(to_data(result), indent=2, sort_keys=True) + "\n"


def from_json(text: str) -> SubmissionResult:
    """Read back what `to_json` wrote. Raises ValueError with a sentence for anything else."""
    try:
        return from_data(json.loads(text))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is not a result of the kit: {error!r}") from None


def to_data(result: SubmissionResult) -> dict[str, Any]:
    """What `to_json` writes, before it is text."""
    questions = [{**vars(q), "checks": [*map(vars, q.checks)]} for q in result.questions]
    return {"format": FORMAT, **vars(result), "questions": questions}


def from_data(data: dict[str, Any]) -> SubmissionResult:
    """The result. Raises ValueError, KeyError, TypeError or AttributeError for anything else."""
    if data["format"] != FORMAT:
        raise ValueError("it was written by another version of the kit")
    return _submission({name: value for name, value in data.items() if name != "format"})


def _submission(data: dict[str, Any]) -> SubmissionResult:
    questions = tuple(
        QuestionResult(**{**_shared(q), "checks": tuple(_check(**c) for c in q["checks"])})
        for q in data["questions"]
    )
    lists = ("members", "flags", "notes", "ignored", "layers")
    return SubmissionResult(
        **{**data, "questions": questions, **{name: tuple(data[name]) for name in lists}}
    )


_check = lru_cache(maxsize=1 << 16, typed=True)(CheckResult)
"""A check's result, which is another submission's, too, or the same one's of last week."""


def _shared(texts: dict[str, Any]) -> dict[str, Any]:
    """The same, where equal texts are one: most are those of the next submission, too."""
    return {name: sys.intern(one) if isinstance(one, str) else one for name, one in texts.items()}
