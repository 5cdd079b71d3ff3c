"""What a submission has answered in a check, kept for the day on which the check judges otherwise.

A tolerance, a sentence or a fraction is changed more often than what is asked. Where a check asks
the same again, word for word, it has its answers from here and nothing runs; where it asks anything
else, nothing of this counts.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from ..checking.proxy import Send
from ..inside import wire

MOST = 1 << 14
"""Bytes of answers that are kept of one check: all that most say of numbers, nobody's weights."""

ASKED = 1 << 22
"""Bytes of one request, beyond which it is dear to compare."""

DIGEST = 16


class Unheard(BaseException):
    """The check asks what is not kept. No Exception: it must not pass for anybody's answer."""


class Said:
    """What is said in one check while it is tried.

    `seconds`: what the check may take; who answered in time may not do so in less.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._said = bytearray()
        self._left = MOST

    def noting(self, send: Send) -> Send:
        """The same way to ask; what is said is noted, from the beginning."""
        self._said.clear()
        self._left = MOST

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            answer = send(request)
            if self._left > 0:
                self._note(request, answer)
            return answer

        return ask

    def _note(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        # At once: the check may work in place on what it got.
        try:
            frame = wire.pack(answer, self._left)
            self._said += _digest(request, self._seconds) + frame
            self._left -= len(frame)
        except (wire.WireError, wire.Unsendable):
            self._left = 0

    def kept(self) -> bytes:
        """All of it; nothing where it is too long."""
        return bytes(self._said) if self._left > 0 else b""


def answering(kept: bytes, seconds: float) -> Send:
    """A way to ask that knows these answers, in this order. It raises Unheard."""
    place = 0

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal place
        begin = place + DIGEST
        try:
            if kept[place:begin] != _digest(request, seconds):
                raise Unheard
            head, body = wire.lengths(kept[begin : begin + wire.PREFIX.size])
            begin += wire.PREFIX.size
            place = begin + head + body
            answer: dict[str, Any] = wire.unpack(
                kept[begin : begin + head], bytearray(kept[begin + head : place])
            )
        except (wire.WireError, struct.error):
            raise Unheard from None
        return answer

    return ask


def _digest(request: dict[str, Any], seconds: float) -> bytes:
    asked = hashlib.sha256(wire.pack([seconds, request], ASKED))
    return asked.digest()[:DIGEST]
