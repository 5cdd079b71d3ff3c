"""Makes the PDF of one submission's notebooks inside the sandbox, or reads the one handed in.

One line of JSON comes in on descriptor 0 (files, settings); lines of JSON go out on descriptor 1:
first what attacks on the sandbox succeeded, then one for each PDF. pandoc and Typst run below us.
What is said here is data for a report, never a mark.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import alone
from .alone import LONGEST_MESSAGE

LONGEST_TEXT = 2_000_000


def main() -> None:
    """Confine ourselves, say how well, then do what is asked until something ends it."""
    settings, say = alone.begin()
    # Typst would start a thread for every core.
    os.environ["RAYON_NUM_THREADS"] = "2"
    work = alone.lay_out(settings)
    os.chdir(work)
    try:
        for made in _print(settings) if settings["print"] else _text(work):
            say(made)
        say({"done": True})
    # Typst's own faults are no Exception; what is no sentence may go well another time.
    except BaseException as error:
        say({**alone.stopped(error), "again": not isinstance(error, ValueError)})


def _print(settings: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Print every notebook that can be read, and name those that cannot."""
    given = Path(settings["scratch"], "given")
    given.mkdir()
    for name, text in settings["given"].items():
        (given / name).parent.mkdir(exist_ok=True)
        (given / name).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(given))
    import hw5_folder
    import hw5_notebook
    import hw5_report

    readable, known = [], set()
    for path in sorted(Path().glob("*.ipynb"), key=hw5_folder.in_order):
        try:
            known |= set(hw5_notebook.read_notebook(path).parts)
            readable.append(path)
        except hw5_notebook.ReportError as error:
            yield {"unreadable": str(error)[:LONGEST_MESSAGE]}
    if not readable:
        yield {"stopped": "There is no notebook that can be read."}
        return
    parts = [part for part in settings["parts"] if part in known]
    if known and not parts:
        yield {"stopped": f"There is no notebook of {', '.join(settings['parts'])}."}
        return
    made = hw5_report.write_report(
        readable, Path("made.pdf"), parts if known else None, settings["anonymous"], lambda _: None
    )
    for path in made:
        described = json.loads(path.with_suffix(".json").read_text())
        pdf = base64.b64encode(path.read_bytes()).decode()
        yield {"name": path.stem, "pdf": pdf, "map": described}


def _text(work: Path) -> Iterator[dict[str, Any]]:
    """The text of every PDF that was handed in, and the notebooks it says it was made from."""
    from pypdf import PdfReader

    for path in sorted(work.glob("*.pdf")):
        try:
            reader = PdfReader(io.BytesIO(path.read_bytes()))
            text = ""
            for page in reader.pages:
                text += re.sub(r"[\s\u200b]+", " ", page.extract_text()) + "\f"
                if len(text) > LONGEST_TEXT:
                    break
            yield {"name": path.name, "text": text[:LONGEST_TEXT], "pages": len(reader.pages)}
        except Exception as error:
            said = f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
            yield {"name": path.name, "text": "", "pages": 0, "unreadable": said}
