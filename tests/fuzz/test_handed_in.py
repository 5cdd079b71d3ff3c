"""Zips, notebooks, drawings and PDFs of any kind: read, or refused in a sentence."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import tempfile
import zipfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as some

from autograder.assignment import read_assignment
from autograder.inside import pages
from autograder.intake.submissions import read_submissions
from hw5_notebook import About, ReportError, parse_notebook, read_notebook
from hw5_pages import print_pdf
from tests.fuzz.examples import damaged
from tests.notebooks_awkward.cells import code, markdown, notebook, shown

ASSIGNMENT = read_assignment()
FILES = {"hw5/hw5_vae.py": b"import torch\n" * 9, "hw5/netid": b"ada\n", "hw5/a.pdf": bytes(99)}


def _zip(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, data in FILES.items():
            target.writestr(zipfile.ZipInfo(name, (2027, 1, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


def _tar(mode: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as target:
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


ARCHIVES = some.sampled_from([_zip(0), _zip(8), _tar("w"), _tar("w:bz2")])


@given(ARCHIVES.flatmap(damaged), some.sampled_from(["zip", "tar", "tgz", "rar"]))
def test_an_archive_is_read_or_flagged(data: bytes, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"ada.{kind}").write_bytes(data)
        (handin,) = read_submissions(Path(folder), ASSIGNMENT)
    assert handin.files or handin.flags
    assert sum(map(len, handin.files.values())) < 1 << 20


NOTEBOOK = json.dumps(notebook(markdown("# A\n$x$"), code("x = 1", shown({"text/plain": "1"}))))


@given(damaged(NOTEBOOK.encode()))
def test_a_notebook_is_read_or_refused_in_a_sentence(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "1_book.ipynb")
        path.write_bytes(data)
        try:
            read_notebook(path)
        except ReportError as error:
            assert "\n" not in str(error).strip()


DRAWING = (
    b"<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' "
    b"width='90' height='60pt' viewBox='0 0 90 60'><style>rect{fill:red}</style><defs>"
    b"<g id='a'><path d='M0 0L9 9z'/></g><linearGradient id='l'><stop offset='1'/></linearGradient>"
    b"<clipPath id='c'><rect width='9' height='9'/></clipPath></defs><use xlink:href='#a' x='1e3'/>"
    b"<rect width='9' height='9' fill='url(#l)' clip-path='url(#c)' transform='rotate(9)'/>"
    b"<text x='1' font-size='9'>words</text></svg>"
)
DRAWINGS = some.lists(
    some.one_of(damaged(DRAWING), some.sampled_from([b"<svg", b"<svg/>", b"", b"PHN2Zy8+"])).map(
        lambda data: data.decode("utf-8", "replace")
    ),
    min_size=20,
    max_size=20,
)


@settings(max_examples=3)
@given(DRAWINGS)
def test_no_drawing_ends_a_report(drawings: list[str]) -> None:
    cells = [code("x", shown({"image/svg+xml": one})) for one in drawings]
    book = parse_notebook(notebook(*cells, markdown("After.")), "1_book")
    assert print_pdf([book], About(), False).pdf.startswith(b"%PDF-")


logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every damage


def _pdf() -> bytes:
    from pypdf import PdfWriter

    buffer, writer = io.BytesIO(), PdfWriter()
    writer.add_blank_page(90, 90)
    writer.add_metadata({"/Title": "words"})
    writer.write(buffer)
    return buffer.getvalue()


@given(damaged(_pdf()))
def test_a_pdf_is_read_or_said_to_be_unreadable(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.pdf").write_bytes(data)
        (said,) = pages._text(Path(folder))
    assert said["name"] == "a.pdf" and isinstance(said["text"], str)
    json.dumps(said)
