"""Frames that lie: each is refused, before memory is taken for it, and none is unpickled."""

from __future__ import annotations

import json
import math
import resource
import sys
from typing import Any

import pytest
import torch

from autograder.inside import wire
from autograder.inside.wire import Handle, Unsendable, WireError, pack


def read(frame: bytes | bytearray) -> Any:
    head, body = wire.lengths(frame[: wire.PREFIX.size])
    start = wire.PREFIX.size + head
    return wire.unpack(frame[wire.PREFIX.size : start], bytearray(frame[start : start + body]))


def lie(plain: Any, shapes: Any = (), body: bytes = b"") -> Any:
    return wire.unpack(json.dumps([plain, list(shapes)]).encode(), bytearray(body))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**70),
        1.5,
        math.inf,
        "text with \x00 and é",
        [1, [2, (3, {"a": None})]],
        Handle(3, "VAE"),
        torch.float16,
    ],
)
def test_values_travel_as_themselves(value: Any) -> None:
    assert read(pack(value)) == value


@pytest.mark.parametrize("dtype", wire.DTYPES.values(), ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3)])
def test_tensors_travel_bit_for_bit(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    sent = (torch.rand(shape) * 100).to(dtype)
    got = read(pack(sent))
    assert type(got) is torch.Tensor and got.dtype == dtype and got.shape == sent.shape
    assert torch.equal(got, sent)


def test_nan_and_infinities_travel_as_themselves() -> None:
    got = read(pack([torch.tensor([math.nan, math.inf, -math.inf]), math.nan]))
    assert got[0][0].isnan() and got[0][1] == math.inf and math.isnan(got[1])


def test_no_two_tensors_share_memory() -> None:
    one = torch.zeros(4)
    first, second = read(pack([one, one]))
    first += 1
    assert second.sum() == 0 and one.sum() == 0


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(2, dtype=torch.complex64),
        torch.zeros(2, 2).to_sparse(),
        torch.zeros(1).expand(2**40),
        torch.zeros(1).as_strided((2**20, 2**20), (0, 0)),
        torch.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1),
        [torch.zeros(1)] * 600,
        object(),
        b"bytes",
        ["x" * 4000] * 1000,
        torch.zeros(1, device="meta"),
    ],
    ids=lambda value: str(type(value)),
)
def test_what_cannot_travel_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises((Unsendable, WireError)):
        pack(value)


def test_deep_nesting_is_refused() -> None:
    nest: Any = []
    for _ in range(10_000):
        nest = [nest]
    with pytest.raises(WireError):
        pack(nest)


@pytest.mark.parametrize(
    "prefix",
    [
        b"",
        b"HW5W" + b"\xff" * 4 + bytes(8),
        b"HW5W" + bytes(4) + b"\xff" * 8,
        wire.PREFIX.pack(b"HW5W", 10, wire.MAX_BODY + 1),
        wire.PREFIX.pack(b"HTTP", 10, 10),
    ],
)
def test_announced_lengths_are_capped(prefix: bytes) -> None:
    with pytest.raises(WireError):
        wire.lengths(prefix.ljust(wire.PREFIX.size, b"\0"))


BIG = 2**25

LIES: dict[str, tuple[Any, Any, bytes]] = {
    "more elements than bytes": ({"$tensor": 0}, [["float32", [4]]], bytes(12)),
    "trailing bytes": ({"$tensor": 0}, [["float32", [1]]], bytes(12)),
    "bytes without a tensor": (1, [], bytes(12)),
    "negative sizes": ({"$tensor": 0}, [["float32", [-1, -4]]], bytes(16)),
    "a size that is true": ({"$tensor": 0}, [["uint8", [True]]], bytes(1)),
    "a size that is a float": ({"$tensor": 0}, [["uint8", [1.0]]], bytes(1)),
    "a shape that is text": ({"$tensor": 0}, [["uint8", "1"]], bytes(1)),
    "a shape that is empty text": ({"$tensor": 0}, [["uint8", ""]], bytes(1)),
    "a shape that is a dict": ({"$tensor": 0}, [["uint8", {"1": 1}]], bytes(1)),
    "too high a rank": ({"$tensor": 0}, [["uint8", [1] * 9]], bytes(1)),
    "too many elements": ({"$tensor": 0}, [["uint8", [2**40]]], b""),
    "sizes that are too large once the zero is summed over": (
        {"$tensor": 0},
        [["uint8", [2**13, 2**13, 0]]],
        b"",
    ),
    "sizes that overflow beside a zero": ({"$tensor": 0}, [["uint8", [0, *[BIG] * 7]]], b""),
    "a kind that is unknown": ({"$tensor": 0}, [["complex64", [1]]], bytes(8)),
    "a kind that is a list": ({"$tensor": 0}, [[["float32"], [1]]], bytes(4)),
    "too many tensors": (0, [["uint8", [0]]] * 600, b""),
    "shapes that are a number": (0, 5, b""),
    "a tensor that is not there": ({"$tensor": 5}, [], b""),
    "a tensor of negative number": ({"$tensor": -1}, [["uint8", [1]]], bytes(1)),
    "an unknown tag": ({"$eval": "1"}, [], b""),
    "two tags": ({"$float": "nan", "$tensor": 0}, [], b""),
    "no tag": ({}, [], b""),
    "a float that is none": ({"$float": "1e9"}, [], b""),
    "a float that is a list": ({"$float": []}, [], b""),
    "a type that is none": ({"$dtype": "object"}, [], b""),
    "an object with text for its number": ({"$object": ["1", "VAE"]}, [], b""),
    "an object with a list for its kind": ({"$object": [1, []]}, [], b""),
    "an object of three": ({"$object": [1, "VAE", 2]}, [], b""),
    "a dict whose keys are lists": ({"$dict": [[[1], 2]]}, [], b""),
    "a dict of triples": ({"$dict": [[1, 2, 3]]}, [], b""),
    "a nest": (json.loads("[" * 60 + "]" * 60), [], b""),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lying_frame_is_refused(name: str) -> None:
    plain, shapes, body = LIES[name]
    with pytest.raises(WireError):
        wire.unpack(json.dumps([plain, shapes]).encode(), bytearray(body))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"[" * wire.MAX_HEAD,
        b'{"a":' * 200_000,
        b"[[1" + b"0" * 900_000 + b"],[]]",
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x95",
    ],
    ids=lambda head: repr(head[:12]),
)
def test_what_is_not_a_head_is_refused(head: bytes) -> None:
    with pytest.raises(WireError):
        wire.unpack(head, bytearray())


def test_a_bool_tensor_holds_only_true_and_false() -> None:
    got = lie({"$tensor": 0}, [["bool", [3]]], b"\x00\x02\xff")
    assert got.tolist() == [False, True, True] and got.sum() == 2


def test_text_is_cut_and_can_be_written_to_a_file() -> None:
    assert len(lie("x" * 100_000)) == wire.MAX_TEXT
    half = wire.unpack(b'["\\ud800 and text",[]]', bytearray())
    assert half.encode("utf-8") == b"? and text"
    keys = wire.unpack(b'[{"$dict":[["\\ud800",1]]},[]]', bytearray())
    assert "".join(keys).encode("utf-8") == b"?"
    kind = wire.unpack(b'[{"$object":[1,"\\ud800"]},[]]', bytearray()).kind
    assert kind.encode("utf-8") == b"?"


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is POSIX's")
def test_the_largest_frame_costs_the_judge_little_more_than_itself() -> None:
    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    head = json.dumps([{"$tensor": 0}, [["float32", [wire.MAX_BODY // 4]]]]).encode()
    body = bytearray(wire.MAX_BODY)
    before = peak()
    got = wire.unpack(head, body)
    assert got.numel() == wire.MAX_BODY // 4
    assert peak() - before < 1.5 * wire.MAX_BODY
