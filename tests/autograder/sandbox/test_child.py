"""What comes through the channel of a submission's process is read whole, and no byte more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from autograder.checking.proxy import Lost
from autograder.inside import wire
from autograder.results import CRASHED
from autograder.sandbox.child import Child

NOBODY = 2**22 + 1
"""A process id beyond the last."""

Answer = Callable[[Any], bytes]
"""What is written for a message."""


def echo(message: Any) -> bytes:
    return bytes(wire.pack({"id": message["id"], "answer": message["request"]}))


@contextmanager
def child(answer: Answer) -> Iterator[Child]:
    """A process that is nowhere, for which we answer."""
    ours, theirs = socket.socketpair()
    end = threading.Thread(target=_serve, args=(theirs, answer))
    end.start()
    one = Child(ours, NOBODY, 1 << 30, lambda _: 0)
    try:
        yield one
    finally:
        one.close()
        end.join()


def _serve(channel: socket.socket, answer: Answer) -> None:
    with channel, channel.makefile("rb") as file:
        while prefix := file.read(wire.PREFIX.size):
            head, body = wire.lengths(prefix)
            channel.sendall(answer(wire.unpack(file.read(head), bytearray(file.read(body)))))


def test_short_and_long_answers_come_whole_one_after_another():
    with child(echo) as one:
        ask = one.send(10)
        for size in (0, 3, 1 << 20, 7):
            assert torch.equal(ask({"x": torch.arange(size)})["x"], torch.arange(size))


def test_what_is_written_behind_an_answer_is_no_answer_to_what_is_asked_next():
    def forged(message: Any) -> bytes:
        return echo(message) + echo({"id": message["id"], "request": {"x": 2}})

    with child(forged) as one:
        ask = one.send(10)
        assert ask({"x": 1}) == {"x": 1}
        with pytest.raises(Lost, match="it wrote without being asked") as lost:
            ask({"x": 3})
        assert lost.value.state == CRASHED
