"""history.csv: who had what, since when, and why it changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from autograder.export.marks_csv import cell
from autograder.export.shared import write_text
from autograder.grading.changes import Change


def write(history: Iterable[tuple[str, Change]], path: Path) -> None:
    """Write a row for every change of a mark since the first day. Raises OSError."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["when", "id", "question", "before", "after", "reason"])
    for when, one in history:
        row = (when, one.id, one.question, one.before, one.after, one.reason)
        writer.writerow([cell(text) for text in row])
    write_text(path, buffer.getvalue())
