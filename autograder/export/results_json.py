"""results/<id>.json: everything grading says about one submission, for machines."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from autograder.export.made import made
from autograder.export.shared import file_name, in_order
from autograder.results import SubmissionResult, to_data, to_json


def write(results: Iterable[SubmissionResult], out: Path) -> None:
    """Write `out/results/<id>.json` for every result; `results.from_json` reads it back.

    Raises ValueError when two results carry one id, OSError when the folder cannot be written.
    """
    with made(out / "results") as write_page:
        for result in in_order(results):
            name = f"{file_name(result.id)}.json"
            write_page(name, to_data(result), partial(to_json, result))
