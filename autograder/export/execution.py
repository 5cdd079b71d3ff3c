"""execution/<id>.json and .html: what came of the notebooks that were run again, for the staff."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.export.shared import file_name, shown, write_text
from autograder.export.template import template
from autograder.notebooks.execution import ExecutionReport


def write(report: ExecutionReport, out: Path) -> None:
    """Write both files below `out`. Raises OSError."""
    path = out / "execution" / file_name(report.id)
    write_text(path.with_name(f"{path.name}.json"), report.to_json())
    write_text(path.with_name(f"{path.name}.html"), page(report))


def page(report: ExecutionReport) -> str:
    """The page as HTML: no script, nothing loaded, every text escaped."""
    return template("execution.html").render(report=report)


def lines(report: ExecutionReport) -> Sequence[str]:
    """The report for a terminal: a line a notebook, and one for each cell that is not as it was."""
    said = [f"{report.id}: {report.settings}"]
    if not report.notebooks:
        said.append("  no notebook was handed in")
    for notebook in report.notebooks:
        count = f"{len(notebook.cells) - len(notebook.failed)} of {len(notebook.cells)} cells ran"
        if report.full:
            count += f", {len(notebook.different)} with another output"
        said.append(f"  {shown(notebook.name)}: {count}. {shown(notebook.stopped)}".rstrip())
        for cell in notebook.cells:
            what = [cell.state, cell.message] if cell.state != "ok" else [*cell.differs]
            if what:
                name = cell.id or cell.begins
                said.append(f"    cell {cell.place} ({shown(name)}): {shown(' '.join(what))}")
    return said
