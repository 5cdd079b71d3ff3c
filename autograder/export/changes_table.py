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
    """Print a row for each change, with all whom it concerns; nothing when there is none."""
    if not changed:
        return
    whom: dict[tuple[str, str, str, str], list[str]] = {}
    for one in changed:
        whom.setdefault((one.question, one.before, one.after, one.reason), []).append(one.id)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title="What changes")
    for name in ("who", "question", "before", "now", "because"):
        table.add_column(name, overflow="fold")
    for what, ids in whom.items():
        row = (", ".join(ids), *what)
        table.add_row(*(Text(harmless(cell)) for cell in row))
    console.print(table)
