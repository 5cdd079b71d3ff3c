"""The table of marks that come out otherwise than before."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.export.shared import harmless
from autograder.grading.changes import Change


def show(changed: Sequence[Change], console: Console) -> None:
    """Print a row for each change; nothing when there is none."""
    if not changed:
        return
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title="What changes")
    for name in ("id", "question", "before", "now", "because"):
        table.add_column(name, overflow="fold")
    for one in changed:
        row = (one.id, one.question, one.before, one.after, one.reason)
        table.add_row(*(Text(harmless(cell)) for cell in row))
    console.print(table)
