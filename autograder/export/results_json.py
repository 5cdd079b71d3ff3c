"""results/<id>.json: everything grading says about one submission, for machines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder.export.shared import file_name, in_order, write_text
from autograder.results import SubmissionResult, to_json


def write(results: Iterable[SubmissionResult], out: Path) -> None:
    """Write `out/results/<id>.json` for every result; `results.from_json` reads it back.

    Raises ValueError when two results carry one id, OSError when the folder cannot be written.
    """
    for result in in_order(results):
        write_text(out / "results" / f"{file_name(result.id)}.json", to_json(result))
