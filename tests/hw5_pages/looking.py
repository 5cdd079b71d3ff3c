"""How a test looks at a PDF: its text, where that stands, and what is drawn."""

from __future__ import annotations

import io
import re

import numpy as np
import pypdfium2
from pypdf import PdfReader

from hw5_notebook import About, parse_notebook
from hw5_pages import print_pdf
from hw5_written import Asked, Module
from tests.notebooks_awkward.coursework import coursework

ADA = About(netids=("ada1",), discussed=("bob2",), sources=("A book",))


def printed(*contents, who=ADA, is_article=False):
    books = [parse_notebook(content, f"{i}_book") for i, content in enumerate(contents, 1)]
    return print_pdf(books, who, is_article)


def flat(text: str) -> str:
    return re.sub(r"[\s\u200b]+", " ", text)


def pages(pdf: bytes) -> list[str]:
    return [flat(page.extract_text()) for page in PdfReader(io.BytesIO(pdf)).pages]


def inside(pdf: bytes, page: int, box: list[float]) -> str:
    """The text that stands in a box of the page map, given in points from the top left."""
    sheet = pypdfium2.PdfDocument(pdf)[page - 1]
    height = sheet.get_height()
    left, top, right, bottom = box
    text = sheet.get_textpage()
    return flat(text.get_text_bounded(left - 3, height - bottom - 3, right + 3, height - top + 3))


def drawn(pdf: bytes, page: int, scale: float = 1.0) -> np.ndarray:
    """A page as dots, (height, width, 3)."""
    return pypdfium2.PdfDocument(pdf)[page - 1].render(scale=scale).to_numpy()[..., :3]


def of_colour(dots: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int]:
    """Width and height in dots of what has this colour (red, green, blue)."""
    rows, columns = np.nonzero((abs(dots[..., ::-1].astype(int) - colour) < 12).all(-1))
    return (0, 0) if not len(rows) else (int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)


HEAD = "def loss_function(\n    x_hat,  # (N, 1, 28, 28)\n    mu,\n):\n"


DOCSTRING = '    """What is asked for, ada1."""\n'


CODE = f"""{HEAD}{DOCSTRING}    ### BEGIN YOUR CODE fc-vae.loss
    kept = 'ada1 wrote "this" \\\\ #panic(1)'  # bob2 and $x$
    return kept
    ### END YOUR CODE fc-vae.loss


def draw():
    ### BEGIN YOUR CODE fc-vae.figures
    raise NotImplementedError("fc-vae.figures: write draw (Samples).")
    ### END YOUR CODE fc-vae.figures
"""


ASKED = {"fc-vae.loss": Asked("hw5_vae.py", ("loss_function",))}


def with_code(text: str, who=ADA, **changes):
    """A notebook with this module behind it."""
    modules = {"hw5_vae.py": Module("hw5_vae.py", text.encode())}
    book = parse_notebook(coursework(**changes), "3_fc_vae")
    return print_pdf([book], who, modules=modules, judged=ASKED)
