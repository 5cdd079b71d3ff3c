"""Between markers, a text reads by what is released with it."""

from __future__ import annotations

import pytest

from autograder.release import ReleaseError
from autograder.release.wording import worded
from tests.autograder.release.conftest import ASSIGNMENT

TEXT = """The game is
=== UNLESS gan-theory.3a ===
min max V,
=== OTHERWISE ===
that of 3(a),
=== END ===
and goes on."""


def read(text: str, *parts: str) -> str:
    return worded(text, "1_owls.ipynb, cell x", ASSIGNMENT, parts)


def test_a_passage_stands_while_the_question_is_not_asked():
    assert read(TEXT, "fc-gan") == "The game is\nmin max V,\nand goes on."


def test_another_stands_in_its_place_when_it_is():
    assert read(TEXT, "fc-gan", "gan-theory") == "The game is\nthat of 3(a),\nand goes on."


def test_nothing_need_stand_in_its_place():
    text = "a\n=== UNLESS fc-vae ===\nb\n=== END ===\nc"
    assert (read(text), read(text, "fc-vae")) == ("a\nb\nc", "a\nc")


def test_if_is_the_other_way_round_and_a_plus_asks_for_all():
    text = "=== IF fc-vae+fc-gan ===\nboth\n=== OTHERWISE ===\nnot both\n=== END ==="
    assert read(text, "fc-vae", "fc-gan") == "both"
    assert read(text, "fc-vae") == read(text) == "not both"


def test_markers_may_be_indented_as_in_a_docstring():
    text = '    """Doc.\n\n    === IF fc-vae ===\n        x = 1\n    === END ===\n    """'
    assert read(text, "fc-vae") == '    """Doc.\n\n        x = 1\n    """'


def test_a_text_without_markers_is_left_alone():
    text = "Heading\n===\n\n=== BEGIN MARK SCHEME ===\n- **1** x\n=== END MARK SCHEME ==="
    assert read(text) == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("=== UNLESS fc-vae.lost ===\nx\n=== END ===", "did you mean 'fc-vae.loss'?"),
        ("=== UNLESS owl ===\nx\n=== END ===", "owl is no part and no question"),
        ("x\n=== UNLESS fc-vae ===\nx", "line 2: the passage that begins here never ends"),
        ("x\n=== END ===", "line 2: no passage has begun"),
        ("=== IF fc-vae ===\n=== IF fc-gan ===\n=== END ===", "line 2: a passage begins inside"),
        ("=== IF fc-vae ===\n=== OTHERWISE ===\n=== OTHERWISE ===", "line 3: no passage"),
        ("=== UNLESS fc-vae", "line 1: '=== UNLESS fc-vae' looks like a marker"),
        ("==== OTHERWISE ====", "looks like a marker"),
    ],
)
def test_markers_that_are_not_in_order_are_refused(text, sentence):
    with pytest.raises(ReleaseError, match=r"1_owls\.ipynb, cell x") as error:
        read(text)
    assert sentence in str(error.value)
