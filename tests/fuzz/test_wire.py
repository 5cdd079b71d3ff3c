"""Frames of every kind: the judge reads a value or says what is wrong, at once, and stays small."""

from __future__ import annotations

import contextlib
import math
import socket
import threading
import time
import tracemalloc
from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as some

from autograder.checking.proxy import Line, Lost, StudentError
from autograder.inside import wire
from autograder.inside.wire import Handle, WireError
from autograder.sandbox.child import Child
from tests.fuzz.examples import PLAIN, damaged, frames

NOBODY = 2**22 + 1
"""A process id that no process has: who signals it or looks at it finds nothing."""

VALUES = some.recursive(
    some.one_of(
        some.none(),
        some.booleans(),
        some.integers(),
        some.floats(),
        some.text(some.characters(exclude_categories=("Cs",)), max_size=20),
        some.sampled_from([torch.float16, torch.int64, Handle(3, "VAE")]),
        some.builds(
            lambda kind, shape: torch.ones(shape).to(kind),
            some.sampled_from([*wire.DTYPES.values()]),
            some.lists(some.integers(0, 3), max_size=4),
        ),
    ),
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.lists(inner, max_size=4).map(tuple),
        some.dictionaries(some.text("abc$"), inner, max_size=3),
    ),
    max_leaves=10,
)


@given(frames())
def test_a_frame_is_a_value_or_a_sentence(frame: tuple[bytes, bytearray]) -> None:
    head, body = frame
    tracemalloc.start()
    with contextlib.suppress(WireError):
        wire.unpack(head, body)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@given(some.binary(min_size=wire.PREFIX.size, max_size=wire.PREFIX.size))
def test_a_prefix_announces_what_there_is_room_for_or_is_refused(prefix: bytes) -> None:
    with contextlib.suppress(WireError):
        head, body = wire.lengths(prefix)
        assert head <= wire.MAX_HEAD and body <= wire.MAX_BODY


@given(VALUES)
def test_what_can_be_sent_arrives(value: Any) -> None:
    frame = bytes(wire.pack(value))
    head, _ = wire.lengths(frame[: wire.PREFIX.size])
    start = wire.PREFIX.size + head
    assert _same(wire.unpack(frame[wire.PREFIX.size : start], bytearray(frame[start:])), value), (
        value
    )


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[key], b[key]) for key in a)
    return type(a) is type(b) and a == b


ANSWER = bytes(wire.pack({"id": "0" * 16, "answer": {"value": [torch.ones(3), "text"]}}))
PIECES = some.lists(
    some.tuples(
        some.one_of(
            damaged(ANSWER),
            some.binary(max_size=40),
            frames().map(
                lambda f: wire.PREFIX.pack(wire.MAGIC, len(f[0]), len(f[1])) + f[0] + bytes(f[1])
            ),
            some.just(wire.PREFIX.pack(wire.MAGIC, wire.MAX_HEAD, wire.MAX_BODY)),
            some.just(b"OURS"),  # stands for an answer to what was asked
        ),
        some.sampled_from([0, 0, 0.002]),
    ),
    max_size=4,
)


@given(PIECES, some.booleans())
def test_whatever_comes_through_the_channel_ends_in_a_value_or_a_loss(
    pieces: list[tuple[bytes, float]], closes: bool
) -> None:
    """In time, too: 0.05 seconds of computing are 0.1 on the clock."""
    ours, theirs = socket.socketpair()
    child = Child(ours, NOBODY, 1 << 30, lambda grace: 0)
    speaker = threading.Thread(target=_speak, args=(theirs, pieces, closes), daemon=True)
    speaker.start()
    began = time.monotonic()
    try:
        Line(child.send(0.05), 0).ask("call", target="hw5_vae", path="f", args=[], kwargs={})
    except Lost as lost:
        assert lost.state in ("crashed", "timeout")
    except StudentError:
        pass
    finally:
        child.close()
        assert time.monotonic() - began < 3
        speaker.join(5)
        theirs.close()


def _speak(channel: socket.socket, pieces: list[tuple[bytes, float]], closes: bool) -> None:
    with contextlib.suppress(OSError):
        asked = bytearray()
        while len(asked) < wire.PREFIX.size:
            asked += channel.recv(1 << 16)
        head, _ = wire.lengths(asked[: wire.PREFIX.size])
        while len(asked) < wire.PREFIX.size + head:
            asked += channel.recv(1 << 16)
        question = wire.unpack(asked[wire.PREFIX.size : wire.PREFIX.size + head], bytearray())
        for data, pause in pieces:
            if data == b"OURS":
                data = bytes(wire.pack({"id": question["id"], "answer": {"value": 1.0}}))
            channel.sendall(data)
            time.sleep(pause)
        if closes:
            channel.close()


@given(PLAIN)
def test_an_answer_of_any_form_ends_in_a_value_an_error_or_a_loss(answer: Any) -> None:
    line = Line(lambda request: answer, 0)
    with contextlib.suppress(Lost, StudentError):
        line.ask("call", target="hw5_vae", path="f", args=[], kwargs={})
