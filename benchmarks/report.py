"""What a PDF of a notebook costs, and what is lost on the way: this kit beside nbconvert.

    python benchmarks/report.py NOTEBOOK ... [--repeat 3]

Every route runs as its own process, imports included, offline. `webpdf` drives the Chromium that
is installed (playwright looks for one of its own, so a link stands in its place); `pdf` needs
xelatex. CPU seconds are user and system of all processes; wall seconds say little on a busy
machine. Lost: formulas that stand as TeX in the PDF's text, letters outside of Latin that are not
in it, and lines of code whose end is cut off at the margin.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("setup", "about", "hand-in")
"""Cells whose code this kit leaves out on purpose."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def routes() -> dict[str, list[str]]:
    """The command of each route that can run here, without the notebook."""
    convert = [sys.executable, "-m", "nbconvert", "--to"]
    found = {
        "this kit": [sys.executable, str(ROOT / "hw5_report.py"), "report", "--out", "out.pdf"],
        "this kit, by nbconvert": [*convert, "hw5-pdf", "--output", "out"],
    }
    if CHROMIUM:
        found["webpdf"] = [*convert, "webpdf", "--disable-chromium-sandbox", "--output", "out"]
    if shutil.which("xelatex"):
        found["pdf (xelatex)"] = [*convert, "pdf", "--output", "out"]
    return found


def browsers(folder: Path) -> Path:
    """A folder in which playwright finds the installed Chromium under the name it asks for."""
    import playwright

    described = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    listed = json.loads(described.read_text())["browsers"]
    number = next(b["revision"] for b in listed if b["name"] == "chromium-headless-shell")
    place = folder / f"chromium_headless_shell-{number}" / "chrome-headless-shell-linux64"
    place.mkdir(parents=True)
    (place / "chrome-headless-shell").symlink_to(CHROMIUM or "")
    return folder


def run(command: Sequence[str], notebook: Path, chromium: Path) -> tuple[float, float, bytes]:
    """Wall and CPU seconds of one conversion, and its PDF (empty where it failed)."""
    with tempfile.TemporaryDirectory() as folder:
        own = shutil.copy(notebook, folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(
            [*command, own],
            cwd=folder,
            capture_output=True,
            check=False,
            env={**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(chromium)},
        )
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        made = [Path(name).read_bytes() for name in glob.glob(f"{folder}/*.pdf")]
    cpu = sum(after[:2]) - sum(before[:2])
    return wall, cpu, made[0] if made else b""


def lost(pdf: bytes, notebook: Path) -> tuple[int, int, int, int]:
    """Pages; formulas left as TeX; letters that are gone; lines of code that are cut."""
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        sheets = PdfReader(file.name).pages
        text = "\n".join(sheet.extract_text() for sheet in sheets)
    cells = json.loads(notebook.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in cells]
    words = "\n".join(s for c, s in zip(cells, sources, strict=True) if c["cell_type"] != "code")
    rare = {letter for letter in words if ord(letter) > 0x36F and letter.isalpha()}
    squeezed = re.sub(r"[\s\u200b]", "", text)
    code = [
        source
        for cell, source in zip(cells, sources, strict=True)
        if cell["cell_type"] == "code" and cell.get("id") not in SETTINGS
    ]
    ends = [re.sub(r"\s", "", line)[-12:] for s in code for line in s.split("\n") if len(line) > 80]
    tex = len(re.findall(r"\\(?:frac|mathcal|mathbb|theta|phi|sum|log|mid|mu|sigma)\b", text))
    return len(sheets), tex, len(rare - set(text)), sum(end not in squeezed for end in ends)


def main() -> int:
    """Convert every notebook by every route and print a table in Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (median)")
    said = parser.parse_args()
    print("| notebook | route | wall s | CPU s | kB | pages | TeX left | letters lost | code cut |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        chromium = browsers(Path(folder)) if CHROMIUM else Path(folder)
        for notebook in said.notebooks:
            for name, command in routes().items():
                runs = [run(command, notebook, chromium) for _ in range(said.repeat)]
                pdf = runs[-1][2]
                wall = statistics.median(one[0] for one in runs)
                cpu = statistics.median(one[1] for one in runs)
                rest = lost(pdf, notebook) if pdf else ("failed", "", "", "")
                numbers = [f"{wall:.1f}", f"{cpu:.1f}", len(pdf) // 1000, *rest]
                print(f"| {notebook.stem} | {name} | {' | '.join(map(str, numbers))} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
