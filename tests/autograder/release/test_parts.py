"""What belongs to a part that is not released leaves; everything else still works."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograder.release import ReleaseError
from autograder.release.parts import keep_parts, mentions

MODELS = '''"""Models.

    part    what is in it
    one     One  alpha
    two-a   Two  beta
            gamma

Both parts are here.

    part    how it is measured
    two-a   in nats

    python models.py one
    python models.py two-a --fast   # quickly
"""

import math
import sys

from tools import only_one, only_two, shared

# The table of all commands.
LIMIT = 3


class One:
    """Part one."""

    def run(self):
        """Give three."""
        ### BEGIN SOLUTION one.run
        return math.floor(3.5)
        ### END SOLUTION


def alpha():
    return only_one(shared(LIMIT))


class Two:
    def run(self):
        ### BEGIN SOLUTION two-a.run
        return 2
        ### END SOLUTION


# Comments above
# belong to it.
### BEGIN SOLUTION two-a.beta
beta = 0.5
### END SOLUTION


def gamma():
    return only_two(shared(1))


def command_one():
    return alpha


def command_two():
    return gamma


COMMANDS = {
    "one": command_one,
    "two-a": command_two,
}
KINDS = ("one.run", "two-a.run")


def main():
    """Run the first command."""
    return COMMANDS[sys.argv[1]]()()


if __name__ == "__main__":
    print(main())
'''
TOOLS = '''"""Tools.

    numbers   general  shared
    parts     only_one (part one)  only_two (part two-a)
"""

FACTOR = 2
"""How much."""


def general():
    """Nobody needs it."""
    return 0


def shared(x):
    return FACTOR * x


def only_one(x):
    return x


def _inner(x):
    return x


def only_two(x):
    return _inner(x)
'''
SOURCES = {"models": MODELS, "tools": TOOLS}
EVERY = ["one", "two-a"]
IN = {"one": "models", "two-a": "models"}


def kept(*parts, sources=SOURCES, cells=None, answered=IN):
    return keep_parts(sources, cells or {}, EVERY, parts, answered)


def test_a_part_leaves_with_its_definitions_its_helpers_and_its_command():
    texts = kept("one")
    for gone in ("Two", "beta", "gamma", "command_two", "two-a", "only_two", "_inner", "belong to"):
        assert gone not in texts["models"] + texts["tools"], gone
    for stays in ("class One", "alpha", "shared", "only_one", "general", "FACTOR", "LIMIT"):
        assert stays in texts["models"] + texts["tools"], stays
    assert 'KINDS = ("one.run",)' in texts["models"]


def test_the_module_still_runs_and_imports_only_what_it_uses(tmp_path):
    for part, imported, printed in (
        ("one", "only_one, shared", "6"),
        ("two-a", "only_two, shared", "2"),
    ):
        texts = kept(part)
        assert f"from tools import {imported}\n" in texts["models"]
        assert ("import math" in texts["models"]) == (part == "one")
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
        ran = subprocess.run(
            [sys.executable, "models.py", part],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == printed


def test_tables_in_docstrings_lose_rows_and_names():
    texts = kept("two-a")
    assert '''    part    what is in it
    two-a   Two  beta
            gamma

Both parts are here.

    part    how it is measured
    two-a   in nats

    python models.py two-a --fast   # quickly
"""''' in texts["models"]
    assert "    parts     only_two (part two-a)\n" in texts["tools"]
    assert "how it is measured" not in kept("one")["models"]


def test_nothing_changes_when_every_part_is_released():
    assert kept(*EVERY) == SOURCES


def test_what_a_notebook_uses_stays_with_its_part():
    cells = {"one": ["from tools import only_two\n%matplotlib inline\n"]}
    assert "def only_two" in kept("one", cells=cells)["tools"]
    cells = {"two-a": ["import tools\ntools.general()"]}
    assert "general" not in kept("one", cells=cells)["tools"]
    assert "general" in kept("two-a", cells=cells)["tools"]


def test_what_a_notebook_takes_through_a_door_stays_and_an_empty_module_is_not_opened():
    opened = "from loops import *\nfrom tools import *\n"
    door = f'"""A door."""\n\n{opened}\n\ndef check():\n    return 1\n'
    loops = '"""Loops.\n\n    two-a   loop\n"""\n\n\ndef loop():\n    return 1\n'
    sources = {**SOURCES, "door": door, "loops": loops}
    cells = {"one": ["from door import check, only_two"], "two-a": ["from door import check, loop"]}
    texts = kept("one", sources=sources, cells=cells)
    assert "def only_two" in texts["tools"] and "loops" not in texts
    assert "import *" in texts["door"] and "loops" not in texts["door"]
    texts = kept("two-a", sources=sources, cells=cells)
    assert texts["loops"] == loops and "from loops import *" in texts["door"]


def test_a_module_that_no_released_part_writes_in_is_left_out():
    sources = {**SOURCES, "other": '"""Other.\n\n    two-b   x\n"""\n\n\ndef x():\n    return 1\n'}
    answered = {"one": "models", "two-a": "other"}
    assert set(kept("one", sources=sources, answered=answered)) == {"models", "tools"}


def test_the_command_line_goes_with_the_last_command():
    sources = {**SOURCES, "models": MODELS.replace('    "one": command_one,\n', "")}
    text = kept("one", sources=sources)["models"]
    assert "COMMANDS" not in text and "def main" not in text and "__main__" not in text
    assert "import sys" not in text and "def alpha" in text


def test_a_released_part_may_not_need_another():
    sources = {
        **SOURCES,
        "models": MODELS.replace("return only_one(", "return gamma() + only_one("),
    }
    with pytest.raises(
        ReleaseError, match=r"models.py: gamma belongs to .* two-a, .* alpha needs it"
    ):
        kept("one", sources=sources)
    kept(*EVERY, sources=sources)


def test_a_definition_of_two_parts_is_refused():
    table = "    one     One  alpha\n"
    sources = {**SOURCES, "models": MODELS.replace(table, table.replace("alpha", "alpha  Two"))}
    decorated = MODELS.replace("def gamma", '@question("one.x")\ndef gamma')
    decorated = decorated.replace(
        "LIMIT = 3", "def question(id):\n    return lambda f: f\n\n\nLIMIT = 3"
    )
    with pytest.raises(ReleaseError, match="gamma belongs to one and to two-a"):
        kept("one", sources={**SOURCES, "models": decorated})
    assert "class Two" in kept("two-a", sources=sources)["models"]  # the last row that names it


def test_mentions_tell_a_part_from_an_english_word():
    text = "An autoencoder, and fc-vae.\nPart autoencoder is `fc-vae-like`.\nparts report and so on"
    assert list(mentions(text, ["fc-vae"])) == [(1, "fc-vae")]
    assert list(mentions(text, ["autoencoder", "report"])) == [(2, "autoencoder"), (3, "report")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("    old-part  one", "names 'old-part', which is no part"),
        ("    fc-vae  one  gone", "names 'gone', which is not there"),
    ],
)
def test_what_is_left_behind_in_the_table_of_a_module_is_named(row: str, said: str) -> None:
    table = "    part  what is in it\n    vae-theory  one (in words)\n" + row
    text = f'"""Models.\n\n{table}\n"""\n\n\ndef one():\n    pass\n'
    with pytest.raises(ReleaseError, match=said):
        keep_parts(
            {"hw5_vae": text},
            {},
            ("vae-theory", "fc-vae"),
            ("vae-theory",),
            {"vae-theory": "hw5_vae"},
        )
