"""What a file was compiled to is asked for once, and is never anybody else's word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.checking.proxy import StudentError
from autograder.inside.source import compiled, packed
from autograder.sandbox import codes
from autograder.sandbox.codes import Recent
from autograder.sandbox.zygote import Zygote
from tests.autograder.attacks import Talk

SOURCE = """import math
import nowhere
%matplotlib inline
def f(x):
    return math.floor(x)
def fails():
    raise ValueError("here")
def unwritten():
    raise NotImplementedError
y = 1 / 0
"""


class Noting(Recent):
    """Says what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, bytes]] = []

    def keep(self, name: str, source: bytes, code: bytes) -> None:
        self.kept.append((name, code))
        super().keep(name, source, code)


@pytest.fixture
def noting(zygote: Zygote) -> Iterator[Noting]:
    before, zygote.codes = zygote.codes, Noting()
    yield zygote.codes
    zygote.codes = before


def said(zygote: Zygote, source: str, **others: bytes) -> list[object]:
    """All that a check can see of it."""
    with Talk(zygote, source.encode(), **others) as talk:
        found: list[object] = [talk.notes(), talk.call("f", 1.5)]
        for name in ("fails", "unwritten"):
            with pytest.raises(StudentError) as caught:
                talk.call(name)
            found.append(vars(caught.value))
        return found


def test_a_file_is_compiled_once_and_runs_alike_ever_after(zygote: Zygote, noting: Noting) -> None:
    first = said(zygote, SOURCE, other=b"z = 1\n")
    assert sorted(name for name, _ in noting.kept) == ["hw5_vae.py", "other.py"]
    assert said(zygote, SOURCE, other=b"z = 1\n") == first
    assert len(noting.kept) == 2
    assert any("line 7: raise" in str(one) for one in first)
    said(zygote, f"{SOURCE}\n", other=b"z = 1\n")
    assert len(noting.kept) == 3


def test_what_runs_has_no_say_in_it(zygote: Zygote, noting: Noting) -> None:
    source = """import marshal, sys
marshal.dumps = lambda *args: b"forged"
for_all = [one for name, one in sys.modules.items() if name.endswith("inside.source")]
for_all[0].packed = lambda *args: b"forged"
def f(): return len(for_all)
"""
    with Talk(zygote, source.encode()) as talk:
        assert talk.call("f") == 1
    right = packed(compiled(source, "/submission/hw5_vae.py"))
    assert noting.kept == [("hw5_vae.py", right)]


def test_what_cannot_be_compiled_says_so_each_time(zygote: Zygote, noting: Noting) -> None:
    for _ in range(2):
        with Talk(zygote, b"def f(:\n") as talk, pytest.raises(StudentError, match="SyntaxError"):
            talk.notes()
    assert noting.kept == []


def test_what_is_damaged_is_compiled_anew(zygote: Zygote, noting: Noting) -> None:
    noting.keep("hw5_vae.py", SOURCE.encode(), b"damaged")
    assert said(zygote, SOURCE)[1] == 1
    assert noting.find("hw5_vae.py", SOURCE.encode()) != b"damaged"


def test_the_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "MOST", 2)
    recent = Recent()
    for text in (b"a", b"b"):
        recent.keep("x.py", text, b"code")
    assert recent.find("x.py", b"a") == b"code"
    recent.keep("x.py", b"c", b"code")
    assert [recent.find("x.py", text) for text in (b"a", b"b", b"c")] == [b"code", b"", b"code"]
