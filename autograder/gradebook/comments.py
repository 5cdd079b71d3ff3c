"""What the gradebook says beside a mark of the judge: the sentences of the student's feedback.

nbgrader shows a comment as Markdown in feedback and as plain text in formgrader; it must read
well as both, and a student's exception may be quoted in it.
"""

from __future__ import annotations

from autograder.export.feedback import EXPLANATIONS, FLAGS, OUR_FAULT, WORDS
from autograder.export.shared import harmless
from autograder.gradebook.harmless import markdown
from autograder.results import (
    FAIL,
    PASS,
    SKIPPED,
    UNGRADABLE,
    WITHHOLDING_FLAGS,
    CheckResult,
    QuestionResult,
    SubmissionResult,
)


def comment_on(question: QuestionResult) -> str | None:
    """What was not right in a question; None when there is nothing to say."""
    if question.state == UNGRADABLE:
        return OUR_FAULT
    said = [_said(check) for check in question.checks if check.state != PASS or check.message]
    return markdown("\n\n".join(said), {}) if said else None


def why_withheld(result: SubmissionResult) -> str:
    """Why a submission's marks are held back until a person has decided."""
    return " ".join(FLAGS[flag] for flag in result.flags if flag in WITHHOLDING_FLAGS)


def _said(check: CheckResult) -> str:
    state = "partial" if check.state in (PASS, FAIL) and 0 < check.fraction < 1 else check.state
    sign, word = WORDS[state]
    parts = [f"{sign} {word}: {check.title}"]
    if check.state == SKIPPED:
        parts.append(f"It builds on a check that did not pass: {check.waits_for}")
    parts += [EXPLANATIONS.get(check.state, ""), _quoted(check.message), check.hint.strip()]
    return "\n\n".join(harmless(part, keep="\n") for part in parts if part)


def _quoted(message: str) -> str:
    """A message of several lines quotes the student's own, which stay as they were typed."""
    lines = message.strip("\n").rstrip().splitlines()
    return "\n".join(f"    {line}" for line in lines) if len(lines) > 1 else "".join(lines)
