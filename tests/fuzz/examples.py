"""How many examples are tried, and what hostile values are made of."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some

from autograder.inside import wire

settings.register_profile(
    "build",
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("build")
"""The same examples every time, so that a build never fails by chance."""

settings.register_profile("long", settings.get_profile("build"), derandomize=False)

NUMBERS = some.one_of(
    some.integers(-3, 40),
    some.sampled_from([2**25, 2**31, 2**63, 10**40, -(2**70)]),
    some.floats(),
    some.booleans(),
    some.none(),
)
TEXTS = some.text(some.characters(), max_size=12)
TAGS = some.sampled_from(["$tensor", "$float", "$dtype", "$object", "$tuple", "$dict", "$eval", ""])
KINDS = some.sampled_from([*wire.DTYPES, "complex64", "object", ""])

PLAIN = some.recursive(
    NUMBERS | TEXTS | some.sampled_from(["nan", "inf", "-inf", "float32", "0", "answer", "id"]),
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.dictionaries(TAGS | TEXTS, inner, max_size=2),
        some.builds(lambda tag, value: {tag: value}, TAGS, inner),
    ),
    max_leaves=12,
)
"""What may stand in a frame's head, and much that may not."""

SHAPES = some.lists(
    some.one_of(
        some.tuples(KINDS, some.lists(some.integers(-1, 5), max_size=9)).map(list),
        some.tuples(KINDS, some.lists(some.sampled_from([0, 1, 2**13, 2**40]), max_size=8)).map(
            list
        ),
        PLAIN,
    ),
    max_size=3,
)


def _told(plain: Any, shapes: Any) -> bytes:
    return json.dumps([plain, shapes]).encode()


HEADS = some.one_of(
    some.binary(max_size=200),
    some.builds(_told, PLAIN, SHAPES),
    some.builds(_told, PLAIN, PLAIN),
)


def _fitting(shapes: Any) -> int:
    """Bytes that these tensors take, where that is a number of bytes that one has at hand."""
    try:
        if not all(type(n) is int for _, shape in shapes for n in shape):
            return 0  # a text so many times is no number, and may be more than there is room for
        sizes = [math.prod(shape) * wire.DTYPES[kind].itemsize for kind, shape in shapes]
        return min(max(sum(sizes), 0), 4096)
    except (TypeError, ValueError, KeyError):
        return 0


@some.composite
def frames(draw: Any) -> tuple[bytes, bytearray]:
    """Head and body: often with as many bytes as the head asks for."""
    shapes = draw(SHAPES)
    head = draw(some.one_of(HEADS, PLAIN.map(lambda plain: _told(plain, shapes))))
    size = draw(some.one_of(some.just(_fitting(shapes)), some.integers(0, 64)))
    return head, bytearray(draw(some.binary(min_size=1, max_size=8)) * size)[:size]


@some.composite
def damaged(draw: Any, good: bytes) -> bytes:
    """These bytes with some changed, cut out, doubled or cut off."""
    data = bytearray(good)
    for _ in range(draw(some.integers(0, 6))):
        at, size = draw(some.integers(0, len(data))), draw(some.integers(0, 12))
        how = draw(some.integers(0, 4))
        if how == 0:
            data[at : at + size] = draw(some.binary(max_size=12))
        elif how == 1:
            del data[at : at + size]
        elif how == 2:
            data[at:at] = data[at : at + size] * draw(some.integers(1, 9))
        elif how == 3:
            data[at : at + size] = draw(some.sampled_from([b"\xff", b"\0"])) * size
        else:
            del data[at:]
    return bytes(data)
