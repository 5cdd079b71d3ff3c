"""Looks for anything of a solution in what is about to be released.

Secret is what stripping takes out of modules and notebooks, all parts included, and what the
hidden checks say. It is cut into fragments that no honest text shares by chance, in a form that
other spaces, quotation marks, line breaks or names do not change:

    code       every line, every statement, three statements in a row whatever their names
    constants  the value of a constant that students choose
    prose      nine words in a row, every sentence of seven words or more
    formulas   what stands between two relation signs

Every string in every file is searched, whatever notebook field it is in, and once more decoded
where it is base64, percent-encoded or HTML.
"""

from __future__ import annotations

import ast
import base64
import binascii
import contextlib
import html
import json
import re
import textwrap
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..assignment import question_of
from . import ReleaseError
from .notebooks import Notebook, secrets
from .strip import SOLUTION, regions

STATEMENT = 22  # characters, spaces not counted: shorter statements are anybody's
LINE = 30  # of a line that may be a piece of a statement
CHECK_STATEMENT = 60
FORMULA = 25
RUN = 9
"""Words in a row that are no chance."""

QUOTED = 16
"""Words in a row that a mark scheme may not share with the statement of its own question."""

SENTENCE = 7
CHECK_SENTENCE = 8
COMMENT = 5
DIGITS = 3
CHECK_DIGITS = 5

MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.DOTALL)
RELATION = re.compile(r"\\\\|\\[gl]eq?\b|\\approx\b|\\to\b|[=&<>]")
BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
CODEISH = re.compile(r"[()\[\]{}=_\\]")
REFERENCES = re.compile(r"^#+ References\n(\s*\d+\. .*\n(?: +.*\n)*)+", re.MULTILINE)
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAGIC = re.compile(r"(?m)^\s*[%!].*$")
MARK = "§"
MARKED = re.compile(f"{MARK}\\w+{MARK}")
"""A variable, in the text of a tree whose names are marked."""

PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Place:
    """A text that is released: how a message calls its place, and the question it stands at."""

    where: str
    question: str
    text: str


@dataclass
class Secrets:
    """Fragments, each with what it is a fragment of."""

    code: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    values: dict[tuple[str, str], str] = field(default_factory=dict)
    """Word of a constant's name and value: other numbers may be equal by chance."""

    sentences: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    runs: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Nine words -> the question they answer, and what they are from."""

    def count(self) -> int:
        """How many fragments there are."""
        kinds = (self.code, self.shapes, self.numbers, self.values, self.sentences, self.formulas)
        return sum(len(kind) for kind in kinds) + len(self.runs)

    def add_code(self, text: str, what: str) -> None:
        """The code of a solution: `text` is whole lines, indented or not."""
        for line in text.split("\n"):
            plain, comment = _split_comment(line)
            if len(_squeezed(plain)) >= LINE:
                self.code.setdefault(_squeezed(plain), f"a line of {what}")
            if len(_words(comment)) >= COMMENT:
                self.sentences.setdefault(" ".join(_words(comment)), f"a comment in {what}")
        tree = _parsed(textwrap.dedent(text))
        if tree is None:
            return
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt) and not hasattr(node, "body"):
                statement = _squeezed(ast.unparse(node))
                if len(statement) >= STATEMENT:
                    self.code.setdefault(statement, f"a statement of {what}")
        marked = _marked(tree)
        for shape in _shapes(marked, 3):
            self.shapes.setdefault(shape, f"three statements of {what}, under other names")
        if len(marked.body) == 2 and not any(map(_is_text, marked.body)):
            self.shapes.setdefault(next(_shapes(marked, 2)), f"{what}, under other names")

    def add_constant(self, text: str, what: str) -> None:
        """A constant that students choose: its value must not stand in a line that speaks of it."""
        tree = _parsed(textwrap.dedent(text))
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)] if tree else []
        for number in _numbers(tree, DIGITS):
            for word in "_".join(names).lower().split("_"):
                self.values.setdefault((word, number), f"the value of {what}")

    def add_prose(self, text: str, question: str, what: str) -> None:
        """A model answer or a mark scheme. Titles of papers that it lists are no secret."""
        text = REFERENCES.sub("", text)
        words = _words(_without_math(text))
        for i in range(len(words) - RUN + 1):
            run = " ".join(words[i : i + RUN])
            self.runs.setdefault(run, set()).add((question, what))
        for sentence in _sentences(text):
            if len(sentence) >= SENTENCE:
                self.sentences.setdefault(" ".join(sentence), f"a sentence of {what}")
        for formula in _formulas(text):
            self.formulas.setdefault(formula, f"a formula of {what}")

    def add_check(self, text: str, what: str) -> None:
        """A file of hidden checks or known mistakes."""
        tree = _parsed(text)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for sentence in re.split(r"(?<=[.!?])\s+", node.value):
                    words = _words(sentence)
                    if len(words) >= CHECK_SENTENCE and not CODEISH.search(sentence):
                        self.sentences.setdefault(" ".join(words), f"a sentence of {what}")
            elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
                statement = _squeezed(ast.unparse(node))
                if len(statement) >= CHECK_STATEMENT and not _is_text(node):
                    self.code.setdefault(statement, f"a statement of {what}")
        for number in _numbers(tree, CHECK_DIGITS):
            self.numbers.setdefault(number, f"a constant of {what}")


def collect(
    modules: Mapping[str, str], notebooks: Iterable[Notebook], checks: Iterable[Path]
) -> Secrets:
    """What must not be found: modules (name -> text) and notebooks with their solutions, and the
    files of the hidden checks."""
    found = Secrets()
    for name, text in modules.items():
        for region in regions(text, f"{name}.py", SOLUTION):
            what = f"the solution of {region.tag}"
            body = "\n".join(region.body)
            found.add_code(body, what)
            if not region.indent:
                found.add_constant(body, what)
    for notebook in notebooks:
        for cell, text in secrets(notebook):
            what = f"what {notebook.where(cell)}, keeps from students"
            if cell.cell_type == "code":
                found.add_code(text, what)
            else:
                found.add_prose(text, question_of(cell.id), what)
    for path in checks:
        where = f"{path.parent.name}/{path.name}"
        found.add_check(path.read_text(encoding="utf-8"), f"the hidden checks ({where})")
    return found


def search(files: Mapping[str, bytes], found: Secrets) -> Iterator[str]:
    """A sentence for everything secret in the files that are to be released."""
    places = [place for name, data in files.items() for place in texts_of(name, data)]

    def says(place: Place, what: str, fragment: str) -> str:
        return f"{place.where} holds {what}: {textwrap.shorten(fragment, 80)!r}."

    for form, fragments in (
        (_code, found.code),
        (_all_words, {f" {sentence} ": what for sentence, what in found.sentences.items()}),
        (squeezed_formula, found.formulas),
    ):
        for place, fragment in _containing(places, form, fragments):
            yield says(place, fragments[fragment], fragment.strip())
    for place in places:
        for tree in _blocks(place.text):
            for shape in _shapes(_marked(tree), 2, 3):
                if shape in found.shapes:
                    yield says(place, found.shapes[shape], shape)
        for line in place.text.lower().split("\n"):
            for number in re.findall(r"(?<![\d.])\d+\.\d+(?!\d)", line):
                if number in found.numbers:
                    yield says(place, found.numbers[number], line.strip())
                for (word, value), what in found.values.items():
                    if number == value and word in line:
                        yield says(place, what, line.strip())
        for what, run in _runs(_words(_without_math(place.text)), place.question, found):
            yield says(place, what, run)


def _containing(
    places: Sequence[Place], form: Callable[[str], str], fragments: Iterable[str]
) -> Iterator[tuple[Place, str]]:
    """Place and fragment wherever the normal form of a text contains one."""
    texts = [form(place.text) for place in places]
    everything = "\n".join(texts)
    for fragment in fragments:
        if fragment in everything:  # rarely: only then is it worth asking each
            yield from (
                (p, fragment) for p, text in zip(places, texts, strict=True) if fragment in text
            )


def _blocks(text: str) -> list[ast.Module]:
    """The code in a text: all of it, or what stands between fences."""
    tree = _parsed(MAGIC.sub("", text))
    blocks = [tree] if tree else [_parsed(block) for block in FENCE.findall(text)]
    return [block for block in blocks if block]


def _code(text: str) -> str:
    """A text as code is compared: as it stands, without comments, and as Python would write it."""
    plain = "\n".join(_split_comment(line)[0] for line in text.split("\n"))
    return "\n".join(
        [_squeezed(text), _squeezed(plain), *(_squeezed(ast.unparse(b)) for b in _blocks(text))]
    )


def _all_words(text: str) -> str:
    """The words of a text, with its formulas and without."""
    return f" {' '.join(_words(text))} \n {' '.join(_words(_without_math(text)))} "


def _without_math(text: str) -> str:
    return MATH.sub(" ¤ ", text)


def _runs(words: Sequence[str], question: str, found: Secrets) -> Iterator[tuple[str, str]]:
    """Runs of words that an answer or a mark scheme shares with a text, longest first found.

    A mark scheme may quote the statement of its own question, but not at length.
    """
    begun: dict[tuple[str, str], int] = {}
    for i in range(len(words) - RUN + 2):
        sources = found.runs.get(" ".join(words[i : i + RUN]), set())
        for source in list(begun):
            if source not in sources:
                first = begun.pop(source)
                length = i - first + RUN - 1
                if length >= (QUOTED if source[0] == question else RUN):
                    yield f"words of {source[1]}", " ".join(words[first : first + length])
        for source in sources:
            begun.setdefault(source, i)


# --- the texts of a file


def texts_of(name: str, data: bytes) -> Iterator[Place]:
    """Every text in a file, plain and decoded; of a picture, all that it holds but its pixels."""
    if name.endswith(".ipynb"):
        notebook = json.loads(data)
        texts = list(_strings(notebook.get("metadata", {}), f"{name}, metadata", ""))
        for cell in notebook.get("cells", ()):
            where = f"{name}, cell {cell.get('id', '?')}"
            texts += _strings(cell, where, question_of(str(cell.get("id", ""))))
    elif name.endswith(".png"):
        texts = [Place(f"{name}, chunk {kind}", "", text) for kind, text in _chunks(name, data)]
    else:
        texts = [Place(name, "", data.decode("utf-8", errors="replace"))]
    for place in texts:
        yield place
        for other in _decoded(place.text):
            yield Place(f"{place.where} (encoded)", place.question, other)


def _chunks(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Kind and text of every chunk of a PNG file that is no pixels, inflated where it is packed.

    What stands behind the last chunk is one more. Raises ReleaseError for a file that is no PNG.
    """
    if not data.startswith(PNG):
        raise ReleaseError(f"{name} is no PNG picture.")
    at, kind = len(PNG), ""
    while kind != "IEND" and at + 8 <= len(data):
        size, kind = (
            int.from_bytes(data[at : at + 4], "big"),
            data[at + 4 : at + 8].decode("latin-1"),
        )
        if kind != "IDAT":
            body = data[at + 8 : at + 8 + size]
            yield kind, body.decode("utf-8", errors="replace")
            for begin in (m.end() for m in re.finditer(rb"\0", body)) if kind[1:] == "TXt" else ():
                with contextlib.suppress(zlib.error):
                    yield kind, zlib.decompress(body[begin:]).decode("utf-8", errors="replace")
        at += 12 + size
    yield "behind the last one", data[at:].decode("utf-8", errors="replace")


def _strings(value: Any, where: str, question: str) -> Iterator[Place]:
    """Every string in a piece of JSON; a list of lines is one text."""
    if isinstance(value, str):
        yield Place(where, question, value)
    elif isinstance(value, list) and all(isinstance(line, str) for line in value):
        yield Place(where, question, "".join(value))
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, where, question)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield Place(where, question, str(key))
            yield from _strings(one, where, question)


def _decoded(text: str) -> Iterator[str]:
    """The text without HTML entities and percent signs, and what base64 in it stands for."""
    plain = unquote(html.unescape(text))
    if plain != text:
        yield plain
    for match in BASE64.finditer(text):
        run = match.group().rstrip("=")
        try:
            data = base64.b64decode(run + "=" * (-len(run) % 4))
        except binascii.Error:
            continue
        yield data.decode("utf-8", errors="replace")


# --- normal forms


def _squeezed(text: str) -> str:
    """Without white space, with one kind of quotation mark, without a comma at the end."""
    return re.sub(r"\s+", "", text).replace("'", '"').rstrip(",")


def _split_comment(line: str) -> tuple[str, str]:
    """Code and comment of a line; a # within a string is taken for one only after a space."""
    if line.strip().startswith("#"):
        return "", line.strip().lstrip("#")
    code, _, comment = line.partition("  # ")
    return code, comment


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def _sentences(text: str) -> Iterator[list[str]]:
    plain = _without_math(text)
    for sentence in re.split(r"[.!?:;]\s|\n\s*\n|\n\s*[-*\d]|\*\*", plain):
        words = _words(sentence)
        if words:
            yield words


def squeezed_formula(text: str) -> str:
    """Mathematics without spaces, braces and the signs that only set it."""
    return re.sub(
        r"\\[,;!: ]|\\(left|right|[bB]igg?[lr]?|math\w+|operatorname|text\w*)\b|[\s{}$.&]|\\\\",
        "",
        text,
    )


def _formulas(text: str) -> Iterator[str]:
    """The terms of every formula, between one relation sign and the next."""
    for match in MATH.finditer(text):
        for term in RELATION.split(match.group()):
            squeezed = squeezed_formula(term)
            if len(squeezed) >= FORMULA:
                yield squeezed


def _parsed(text: str) -> ast.Module | None:
    """The code in a text, if it is code; the body of a function is."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _marked(tree: ast.Module) -> ast.Module:
    """The same tree, in which every variable's name is marked from now on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = f"{MARK}{node.id}{MARK}"
    return tree


def _shapes(tree: ast.Module, *lengths: int) -> Iterator[str]:
    """So many statements in a row, from every block of a marked tree, the outermost first, with
    their names taken away.
    """
    for node in ast.walk(tree):
        for block in ("body", "orelse", "finalbody"):
            body = getattr(node, block, None)
            if isinstance(body, list):
                statements = [one for one in body if isinstance(one, ast.stmt)]
                texts = [ast.unparse(one) for one in statements if not _is_text(one)]
                for length in lengths:
                    for i in range(len(texts) - length + 1):
                        yield _nameless("\n".join(texts[i : i + length]))


def _nameless(text: str) -> str:
    """With every variable called after the order in which it first appears."""
    names: dict[str, str] = {}
    return MARKED.sub(lambda name: names.setdefault(name[0], f"v{len(names)}"), text)


def _numbers(tree: ast.Module | None, digits: int) -> Iterator[str]:
    """Numbers with a fraction and at least so many digits that count."""
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            text = repr(node.value)
            if len(text.replace(".", "").strip("0")) >= digits and "e" not in text:
                yield text
