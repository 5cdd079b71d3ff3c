"""Given to students: sets notebooks as the pages of a PDF, through pandoc and Typst.

    notebook -> cells -> pandoc (texts, formulas, tables) -> Typst -> PDF

    printing       the whole way: notebooks become a PDF, its page map and findings
    arrangement    what stands where: the cover, the questions, the report, the code
    outputs        what cells have printed and shown
    texts          Markdown and HTML, made ready for pandoc
    pandoc         the program that reads them
    writing        what it has read, in Typst's source
    mathematics    formulas, from TeX to Typst
    decorations    their colours, strokes and ruled rows
    packages       what packages of LaTeX add to them
    chemistry      and what they say of reactions and units
    colours        what HTML and TeX call a colour, and what can be read
    tex            the grammar of TeX, as far as formulas need it
    pictures       made harmless, and no larger than a page
    sheet          what is being set, and the string literals that hold every word of it
    typesetting    Typst's source becomes a PDF
    template.typ   how a page looks, with a sample

Everything comes from pip, without TeX, a browser or the network. What a notebook says is data. In
Typst's source it only ever stands inside string literals, formulas are looked through for code,
pandoc reads without access to files, and pictures come from inside the notebook or from its folder
alone.
"""

from .arrangement import ANONYMOUS
from .printing import Printed, print_pdf

__all__ = ["ANONYMOUS", "Printed", "print_pdf"]
