"""What submissions share beyond what everybody was given: where somebody should look.

Code and words are compared apart: the code of modules and notebook cells, with the names of
variables left out; the words of Markdown cells, comments and docstrings, without formulas. What a
release gives to students is taken out, and what many submissions have counts the less, the more
have it. Nothing of a student is run, imported or parsed: it is read as text, up to a bound.

The tokens are Pygments', the comparison is ours, of all runs of so many tokens; to take some of
them for fingerprints, as winnowing does, would save nothing in a class. Two libraries were tried in
November 2026. compare50 1.2.15 wants attrs < 21, with which Jupyter does not run, and files on the
disk; it is under the GPL. copydetect 0.5.0, of March 2024, leaves out the names of torch's own
functions with all others, and every comment, and does not know that many have a passage:
independent sample submissions were up to 44 % alike to it, and here up to 17 %. Words it does not
compare at all.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Name, String, Token

from autograder.gradebook.reading import Unreadable, read_notebook
from autograder.intake.submissions import Handin
from hw5_written import Module

CODE, WORDS = "code", "words"

LENGTH = {CODE: 20, WORDS: 8}
"""Tokens in a row that two submissions must both have before it counts at all."""

LEAST = {CODE: 40.0, WORDS: 10.0}
LEAST_SHARE = 0.2
"""What two submissions must share to be shown: so many runs of words, or of code, where these are
such a share of what the smaller one has of its own; see `Pair`."""

FALSE_ALARMS = (0, 21)
MOST_BY_CHANCE = 0.17
"""Measured on the sample submissions (tests/autograder/course/test_similar.py): how many pairs of
two that were written independently are shown, of how many; and the largest share among them."""

MOST_LINE, MOST_TEXT, MOST_IN_ALL = 2_000, 200_000, 1_000_000
"""Characters that are read of a line of code, a text and a submission: some seconds, whatever
they are. Pygments goes from some signs to the end of their line: where all are such, it is long.
"""

MOST_PAIRS, MOST_PASSAGES, MOST_PLACES, CONTEXT, MOST_AROUND = 50, 12, 20, 2, 400

_LEXER = PythonLexer(stripnl=False)
_WORD = re.compile(r"[^\W_]+")
_FORMULA = re.compile(r"\$\$[^$]*\$\$|\$[^$\n]*\$")


class Piece(NamedTuple):
    """One token: what it says, and its place in the text."""

    kind: str
    said: str
    start: int
    end: int


class Run(NamedTuple):
    """LENGTH tokens in a row: what they say, hashed, and their place in the text."""

    said: int
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """A text of a submission: a module, or a cell of a notebook. A run stays in one."""

    name: str
    text: str
    is_code: bool


@dataclass(frozen=True)
class Work:
    """What one submission says: its documents, and by kind the runs that are its own.

    `origin` names the class that it was handed in with, "" for this one.
    """

    id: str
    members: tuple[str, ...]
    origin: str
    documents: tuple[Document, ...]
    own: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Excerpt:
    """A passage where it stands, with the lines around it; `line` is its first, from 1."""

    document: str
    line: int
    before: str
    marked: str
    after: str


@dataclass(frozen=True)
class Passage:
    """A passage that both have, and how much it adds to the size of their pair."""

    kind: str
    size: float
    left: Excerpt
    right: Excerpt


@dataclass(frozen=True)
class Pair:
    """Two submissions and what they share.

    `sizes`: by kind the number of runs that both have and nobody was given. A run that these two
    alone have counts 1, one that everybody has next to nothing. `share` is that of the code which
    the smaller one has of its own.
    """

    left: Work
    right: Work
    sizes: Mapping[str, float]
    share: float
    passages: tuple[Passage, ...]


Given = Mapping[str, frozenset[int]]
"""The runs in what students are given, by kind."""


# --- texts


def taken_out(files: Mapping[str, bytes]) -> Given:
    """What is taken out of every submission: the files of a release, or of any other source."""
    return _own(documents(files), {})


def work(handin: Handin, origin: str, given: Given) -> Work:
    """One submission without what was given."""
    texts = documents(handin.files)
    return Work(handin.id, handin.members, origin, texts, _own(texts, given))


def _own(texts: Sequence[Document], given: Given) -> Given:
    found: dict[str, set[int]] = {CODE: set(), WORDS: set()}
    for text in texts:
        for kind, runs in _runs(text).items():
            found[kind].update(run.said for run in runs)
    return {kind: frozenset(said - given.get(kind, frozenset())) for kind, said in found.items()}


def documents(files: Mapping[str, bytes]) -> tuple[Document, ...]:
    """The texts in these files; a notebook that cannot be read has none."""
    found: list[Document] = []
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            found.append(Document(name, "\n".join(Module(name, data).lines), True))
        elif name.endswith(".ipynb"):
            found += _of_notebook(name, data)
    left, kept = MOST_IN_ALL, []
    for one in found:
        text = one.text[: min(MOST_TEXT, left)]
        if one.is_code:
            text = "\n".join(line[:MOST_LINE] for line in text.split("\n"))
        left -= len(text)
        kept.append(replace(one, text=text))
    return tuple(kept)


def _of_notebook(name: str, data: bytes) -> Iterator[Document]:
    try:
        cells = read_notebook(data).cells
    except Unreadable:
        return
    for number, cell in enumerate(cells, 1):
        yield Document(f"{name}, cell {number}", cell.source, cell.cell_type == "code")


# --- tokens


@lru_cache(maxsize=4096)  # of the pairs that are shown, one after the other
def _runs(document: Document) -> dict[str, list[Run]]:
    """Every run of tokens in a text, by kind and in order."""
    by_kind: dict[str, list[Piece]] = defaultdict(list)
    for piece in _pieces(document):
        by_kind[piece.kind].append(piece)
    return {
        kind: [
            Run(hash(tuple(one.said for one in own[i : i + n])), own[i].start, last.end)
            for i, last in enumerate(own[n - 1 :])
        ]
        for kind, own in by_kind.items()
        for n in [LENGTH[kind]]
    }


def _pieces(document: Document) -> Iterator[Piece]:
    """The tokens of a text in order; comments and docstrings of code are words."""
    if not document.is_code:
        # Formulas of one derivation are alike; what is said between them need not be.
        blanked = _FORMULA.sub(lambda formula: " " * len(formula[0]), document.text)
        yield from _words(blanked, 0)
        return
    before = ("", "")
    for start, kind, value in _LEXER.get_tokens_unprocessed(document.text):
        if kind in Comment or kind in String.Doc:
            yield from _words(value, start)
        elif kind not in Token.Text:
            said = _said(kind, value, before)
            if said != "''" or before[1] != "''":  # a string comes in several pieces
                yield Piece(CODE, said, start, start + len(value))
            before = (before[1], said)


def _said(kind: object, value: str, before: tuple[str, str]) -> str:
    """A token without what somebody who copies changes first: names and texts of one's own.

    Names of others stay: of Python, of a library, and what stands behind a dot.
    """
    if kind in String:
        return "''"
    own = kind in (Name, Name.Function, Name.Class, Name.Variable, Name.Decorator)
    if own and (before[1] != "." or before[0] == "self"):
        return "name"
    return value


def _words(text: str, offset: int) -> Iterator[Piece]:
    for word in _WORD.finditer(text):
        yield Piece(WORDS, word[0].casefold(), offset + word.start(), offset + word.end())


# --- pairs


def pairs(works: Sequence[Work]) -> tuple[list[Pair], int]:
    """The pairs of this class, and of it with others, that share most; and how many were held
    against each other."""
    weights = {kind: _weights([one.own[kind] for one in works]) for kind in LENGTH}
    found, held = [], 0
    for left, right in combinations(works, 2):
        if left.origin and right.origin:
            continue
        if left.origin == right.origin and {*left.members} & {*right.members}:
            continue  # one person's two
        held += 1
        sizes = {
            kind: sum(weights[kind][run] for run in left.own[kind] & right.own[kind])
            for kind in LENGTH
        }
        share = sizes[CODE] / max(1, min(len(left.own[CODE]), len(right.own[CODE])))
        much = sizes[CODE] >= LEAST[CODE] and share >= LEAST_SHARE
        if much or sizes[WORDS] >= LEAST[WORDS]:
            found.append(Pair(left, right, sizes, share, ()))
    found.sort(key=lambda one: -(one.share / LEAST_SHARE + one.sizes[WORDS] / LEAST[WORDS]))
    return [
        replace(one, passages=tuple(_passages(one.left, one.right, weights)))
        for one in found[:MOST_PAIRS]
    ], held


def _weights(own: Sequence[frozenset[int]]) -> dict[int, float]:
    """What a run counts that several have: 1 when two have it, almost 0 when all do."""
    most = math.log((len(own) + 1) / 2) if len(own) > 1 else 1.0
    counts = Counter(run for runs in own for run in runs)
    return {run: 1 - math.log(n / 2) / most for run, n in counts.items() if n > 1}


Place = tuple[Document, list[Run], int]
"""A run of a document: all of its kind, and which of them it is."""


def _passages(left: Work, right: Work, weights: Mapping[str, Mapping[int, float]]) -> list[Passage]:
    """Where they say the same, the longest first: runs that follow one another are one passage."""
    places: dict[tuple[str, int], list[Place]] = defaultdict(list)
    both = {kind: left.own[kind] & right.own[kind] for kind in LENGTH}
    for text in right.documents:
        for kind, runs in _runs(text).items():
            for number, run in enumerate(runs):
                if run.said in both[kind]:
                    places[kind, run.said].append((text, runs, number))
    found: list[_Common] = []
    for text in left.documents:
        code = list[_Common]()
        for kind, runs in sorted(_runs(text).items()):  # code before words
            number = 0
            while number < len(runs):
                there = places.get((kind, runs[number].said), [])[:MOST_PLACES]
                lengths = [_length((text, runs, number), one) for one in there]
                length = max(lengths, default=0)
                shared = runs[number : number + length]
                if shared:
                    other, theirs, at = there[lengths.index(length)]
                    size = sum(
                        weights[kind].get(said, 0.0) for said in {one.said for one in shared}
                    )
                    here = text, shared[0].start, shared[-1].end
                    beside = other, theirs[at].start, theirs[at + length - 1].end
                    one = _Common(kind, size, here, beside)
                    if kind == CODE:
                        code.append(one)
                    # The words of a comment are shown with the code that they stand in.
                    if kind == CODE or not _within(one, code):
                        found.append(one)
                number += max(length, 1)
    found.sort(key=lambda one: -one.size / LEAST[one.kind])
    return [
        Passage(one.kind, one.size, _excerpt(*one.left), _excerpt(*one.right))
        for one in found[:MOST_PASSAGES]
    ]


class _Common(NamedTuple):
    """A passage as it is found: where it begins and ends in the texts of both."""

    kind: str
    size: float
    left: tuple[Document, int, int]
    right: tuple[Document, int, int]


def _within(one: _Common, others: Sequence[_Common]) -> bool:
    """Does it stand in one of these, of which each begins and ends behind the one before it?"""
    _, start, end = one.left
    before = bisect_right(others, start, key=lambda other: other.left[1])
    return before > 0 and end <= others[before - 1].left[2]


def _length(one: Place, other: Place) -> int:
    """How many runs say the same from here on."""
    _, ours, i = one
    _, theirs, j = other
    most = min(len(ours) - i, len(theirs) - j)
    return next((n for n in range(most) if ours[i + n].said != theirs[j + n].said), most)


def _excerpt(document: Document, start: int, end: int) -> Excerpt:
    """The passage in its lines; of endless lines, what stands around it."""
    text = document.text
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    for _ in range(CONTEXT):
        first = text.rfind("\n", 0, max(first - 1, 0)) + 1
        last = text.find("\n", last + 1) if last >= 0 else last
    last = len(text) if last < 0 else last
    first, last = max(first, start - MOST_AROUND), min(last, end + MOST_AROUND)
    line = text.count("\n", 0, start) + 1
    return Excerpt(document.name, line, text[first:start], text[start:end], text[end:last])
