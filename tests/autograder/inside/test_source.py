"""What a student's file is compiled to is what Python makes of it, and may be kept."""

from __future__ import annotations

import ast
import contextlib
import encodings.aliases
import time

import pytest

from autograder.checking.modules import ROOT
from autograder.inside import source
from autograder.inside.cpu import asks_for_gpu
from autograder.inside.source import compiled, decode, packed, unpacked

CUT = {
    "the solution": (ROOT / "hw5_vae.py").read_text(encoding="utf-8"),
    "decorators": "import torch\n@torch.no_grad()\n@staticmethod\ndef f(x):\n    return x\ny = 1\n",
    "a signature over lines": "def f(\n    a,\n) -> int:\n    return a\nclass A:\n    b = 1\n",
    "comments": "# one\ndef f():\n# two\n    return 1\n# three\nx = f()\n",
    "no end of line": "def f():\n    return 1\ndef g(): return 2",
    "a GPU": "def f(x):\n    return x.cuda()\ndef g(x):\n    return x\n",
    "a future": "from __future__ import annotations\ndef f(x: nowhere): pass\n",
}


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_into_definitions_gives_the_same_code_as_a_whole_one(name: str) -> None:
    body, outline = ast.parse(CUT[name]).body, source._outline(CUT[name], "f.py")
    assert outline is not None
    tree, codes, inner = outline
    assert [one.lineno for one in tree.body] == [one.lineno for one in body]
    flags = source._future(body)
    whole = {one.lineno: source._compile(one, "f.py", flags) for one in body}
    assert codes and all(whole[line] == code for line, code in codes.items())
    assert any(map(asks_for_gpu, inner)) == asks_for_gpu(ast.parse(CUT[name]))


UNCUT = {
    "in a text": 'x = """\ndef f():\n    return 1\n"""\ndef g():\n    return 2\n',
    "a text that is not indented": 'def f():\n    """One\ntwo\n    """\n    return 1\n',
    "code in a text": 'def f():\n    """One\nx = 1\ndef g():\n    """\n    return 1\n',
    "far decorators": "@property\n# why\ndef f(x):\n    return x\n",
    "decorators over lines": "@dict(\n    a=1,\n)\ndef f(x):\n    return x\n",
    "decorators of nothing": "@property\nx = 1\ndef f(): pass\n",
    "a mistake": "def f(:\n    pass\n",
    "very long": "def f(): pass\n" * 20_000,
}


@pytest.mark.parametrize("name", UNCUT)
def test_a_file_that_cannot_be_cut_is_read_as_a_whole(name: str) -> None:
    assert source._outline(UNCUT[name], "f.py") is None


@pytest.mark.parametrize(
    "line", ["@a\n", f"@a{' ' * 50}\n", "async  \n", "class A(\n", "def f(): pass\n"]
)
def test_lines_that_begin_a_definition_without_end_are_soon_read(line: str) -> None:
    began = time.process_time()
    with contextlib.suppress(SyntaxError):
        compiled(line * (source.MOST_LINES - 100), "f.py")
    assert time.process_time() - began < 4


NOTEBOOK = "import torch\n%matplotlib inline\nx = 1\n!pip install y\n"


@pytest.mark.parametrize("text", [*CUT.values(), NOTEBOOK, "", "from . import a, b as c\n"])
def test_what_was_packed_is_the_same_file(text: str) -> None:
    file = compiled(text, "f.py")
    assert unpacked(packed(file), text) == file


def test_what_is_damaged_is_not_known() -> None:
    whole = packed(compiled("x = 1\n", "f.py"))
    for data in (b"", whole[:-3], b"x" * 40, packed(compiled("", "f.py"))[:2]):
        assert unpacked(data, "x = 1\n") is None


def test_what_is_very_large_is_not_packed() -> None:
    assert packed(compiled(f"x = {'a' * source.MOST!r}\n", "f.py")) == b""


def test_each_name_of_an_import_can_be_had_alone() -> None:
    text = "import os.path, torch.nn as nn\nfrom ..a.b import c as d, e\nfrom x import *\n"
    found = [one for statement in compiled(text, "f.py").statements for one in statement.imports]
    assert [(one.bound, one.alone) for one in found] == [
        ("os", "import os.path"),
        ("nn", "import torch.nn as nn"),
        ("d", "from ..a.b import c as d"),
        ("e", "from ..a.b import e"),
        ("*", "from x import *"),
    ]


ENCODINGS = sorted({*encodings.aliases.aliases.values(), "idna", "punycode", "undefined"})


def test_whatever_encoding_a_file_names_it_is_read_and_soon() -> None:
    for name in [*ENCODINGS, "raw_unicode_escape", "unicode_escape", "nobody's", "a" * 500]:
        for tail in (b"-" + b"a" * 100_000, b"-\xff\xfe\\N{", b"\x1b$B\x80" * 1000):
            began = time.process_time()
            assert decode(b"# coding: " + name.encode() + b"\n#\xff\n" + tail)
            assert time.process_time() - began < 1, name


@pytest.mark.parametrize("name", ["gbk", "gb18030", "big5", "shift_jis", "euc-jp", "cp1251"])
def test_what_an_editor_writes_is_read_as_what_it_is(name: str) -> None:
    text = "Привет" if name == "cp1251" else "日本"
    assert text in decode(f"# coding: {name}\n# {text}\n".encode(name))
