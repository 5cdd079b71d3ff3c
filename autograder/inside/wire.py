"""Frames between judge and worker: a JSON head, then raw little-endian tensor bytes.

Nothing is ever unpickled. A frame is

    b"HW5W" | head length: u32 | body length: u64 | head: JSON | body: tensor bytes

The head holds the value, with tensors replaced by numbers, and for each tensor its dtype and
shape. Every cap is checked before memory is taken, and NaN and infinities travel as themselves.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch

MAGIC = b"HW5W"
PREFIX = struct.Struct("<4sIQ")
MAX_HEAD = 1 << 20
MAX_BODY = 1 << 27
MAX_TENSORS = 512
MAX_RANK = 8
MAX_ELEMENTS = 1 << 25
MAX_TEXT = 4000
MAX_DEPTH = 20

DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float32,
        torch.float64,
        torch.float16,
        torch.bfloat16,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.bool,
    )
}

if sys.byteorder != "little":
    raise ImportError("the wire carries little-endian tensors; this machine is big-endian")


class WireError(Exception):
    """A frame breaks the protocol or a cap; the sentence says which."""


class Unsendable(TypeError):
    """A value has no form on the wire; the sentence names its type."""


@dataclass(frozen=True)
class Handle:
    """Names an object that stays in the worker: a model, an optimizer. `kind` is its type."""

    id: int
    kind: str = ""


def pack(value: Any, most: int = MAX_BODY) -> bytearray:
    """One frame holding `value`: None, bool, int, float, str, list, tuple, dict, Handle,
    torch.dtype, or tensor, whose tensors have `most` bytes together. Raises Unsendable for other
    types and WireError beyond a cap.
    """
    tensors: list[torch.Tensor] = []
    plain = _plain(value, tensors, MAX_DEPTH)
    shapes = [[_dtype_name(tensor.dtype), list(tensor.shape)] for tensor in tensors]
    head = json.dumps([plain, shapes], separators=(",", ":"), allow_nan=False).encode()
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    if len(head) > MAX_HEAD or size > most or len(tensors) > MAX_TENSORS:
        raise WireError("the answer is too large to send")
    frame = bytearray(PREFIX.pack(MAGIC, len(head), size))
    frame += head
    for tensor in tensors:
        if tensor.numel():
            frame += tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data
    return frame


def lengths(prefix: bytes | bytearray) -> tuple[int, int]:
    """Head and body length that a frame's first PREFIX.size bytes announce, caps checked."""
    magic, head, body = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("something other than a frame was sent")
    if head > MAX_HEAD or body > MAX_BODY:
        raise WireError("a frame announces more bytes than allowed")
    return head, body


def unpack(head: bytes | bytearray, body: bytearray) -> Any:
    """The value in a frame. Its tensors are plain `torch.Tensor`s on memory of their own."""
    try:
        plain, shapes = json.loads(head.decode("utf-8"))
        tensors = _tensors(shapes, body)
        return _value(plain, tensors, MAX_DEPTH)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError) as error:
        raise WireError(f"a frame cannot be read: {type(error).__name__}") from None


def as_tensors(files: Mapping[str, bytes]) -> dict[str, torch.Tensor]:
    """Bytes of any length, by name, in a form that travels: (n,), uint8."""
    empty = torch.empty(0, dtype=torch.uint8)
    return {
        name: torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else empty
        for name, data in files.items()
    }


def as_bytes(tensors: Mapping[str, torch.Tensor]) -> dict[str, bytes]:
    """What `as_tensors` was given."""
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def room(shape: Iterable[int]) -> int:
    """Elements of a tensor and of whatever it becomes when it is summed: of an empty one, too."""
    return math.prod(max(n, 1) for n in shape)


def _dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _plain(value: Any, tensors: list[torch.Tensor], depth: int) -> Any:
    if depth == 0:
        raise WireError("the answer is nested too deeply")
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, torch.Tensor):
        known = _dtype_name(value.dtype) in DTYPES and value.layout == torch.strided
        if not known or value.is_meta:
            kind = f"{value.dtype}, {value.layout}, {value.device}"
            raise Unsendable(f"a tensor of {kind} cannot be sent")
        tensor = value.detach().as_subclass(torch.Tensor)
        if tensor.dim() > MAX_RANK or room(tensor.shape) > MAX_ELEMENTS:
            raise WireError(f"a tensor of shape {tuple(tensor.shape)} is too large to send")
        tensors.append(tensor.cpu().resolve_conj().resolve_neg())
        return {"$tensor": len(tensors) - 1}
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        number = float(value)
        return number if math.isfinite(number) else {"$float": repr(number)}
    if isinstance(value, str):
        return str(value)[:MAX_TEXT]
    if isinstance(value, torch.dtype):
        return {"$dtype": _dtype_name(value)}
    if isinstance(value, Handle):
        return {"$object": [value.id, value.kind[:80]]}
    if isinstance(value, list):
        return [_plain(item, tensors, depth - 1) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [_plain(item, tensors, depth - 1) for item in value]}
    if isinstance(value, dict):
        return {
            "$dict": [[str(key), _plain(item, tensors, depth - 1)] for key, item in value.items()]
        }
    raise Unsendable(f"a {type(value).__name__} cannot be sent")


def _tensors(shapes: Any, body: bytearray) -> list[torch.Tensor]:
    if len(shapes) > MAX_TENSORS:
        raise WireError("a frame holds too many tensors")
    sizes = []
    for name, shape in shapes:
        if len(shape) > MAX_RANK or not all(type(n) is int and n >= 0 for n in shape):
            raise WireError("a tensor has an impossible shape")
        if room(shape) > MAX_ELEMENTS:
            raise WireError("a tensor has too many elements")
        sizes.append(math.prod(shape) * DTYPES[name].itemsize)
    if sum(sizes) != len(body):
        raise WireError("the tensors do not fill the frame")
    tensors, start = [], 0
    for (name, shape), size in zip(shapes, sizes, strict=True):
        tensors.append(_tensor(DTYPES[name], shape, body[start : start + size]))
        start += size
    return tensors


def _tensor(dtype: torch.dtype, shape: list[int], data: bytearray) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=dtype)
    if dtype == torch.bool:
        # A byte other than 0 and 1 inside a bool tensor is undefined behaviour.
        return (torch.frombuffer(data, dtype=torch.uint8) != 0).reshape(shape)
    return torch.frombuffer(data, dtype=dtype).reshape(shape)


def _value(plain: Any, tensors: list[torch.Tensor], depth: int) -> Any:
    if depth == 0:
        raise WireError("a frame is nested too deeply")
    if isinstance(plain, str):
        # Lone halves of surrogate pairs are legal in JSON and nowhere else.
        return plain[:MAX_TEXT].encode("utf-8", "replace").decode()
    if isinstance(plain, list):
        return [_value(item, tensors, depth - 1) for item in plain]
    if not isinstance(plain, dict):
        return plain
    ((tag, inner),) = plain.items()
    if tag == "$tensor":
        if type(inner) is not int or inner < 0:
            raise WireError("a frame names a tensor it does not hold")
        return tensors[inner]
    if tag == "$float":
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[inner]
    if tag == "$dtype":
        return DTYPES[inner]
    if tag == "$object":
        number, kind = inner
        if type(number) is not int or type(kind) is not str:
            raise WireError("a frame names an object in a wrong way")
        return Handle(number, _value(kind, [], 1)[:80])
    if tag == "$tuple":
        return tuple(_value(item, tensors, depth - 1) for item in inner)
    if tag == "$dict":
        return {_value(key, [], 1): _value(item, tensors, depth - 1) for key, item in inner}
    raise WireError("a frame holds an unknown tag")
