"""One submission's process, seen from the judge: asks it, watches it, says how it ended."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from ..checking.proxy import Lost, Send, WorkerDied
from ..inside import wire
from ..results import CRASHED, MEMORY, TIMEOUT

WALL = 2.0
"""Seconds of waiting allowed for each CPU second: a student may sleep. Where the system says how
long the code waited for a core that others kept busy, that is not counted.
"""

TICK = 0.05
GRACE = 0.25
"""Seconds that a child whose channel has closed may take to end by itself."""

IDLE, LONGEST_IDLE = 0.3, 3.0
"""Seconds in which all of it may wait at once, and nothing of it computes, allowed for each CPU
second, and at most: time.sleep is not waited for (see inside/loader.py), and what waits for a core
or for the disk is not in this state.
"""

ANSWERED = 2 * wire.MAX_BODY
"""Bytes that may come back within one allowance: the judge may keep all of them."""

TOO_LONG = "Your code took too long. Is there a loop that does not end?"
USED_UP = "Your code used up all its computing time. Is there a loop that does not end?"
WAITED = "Your code waited too long, and computed nothing. What does it wait for?"
"""These two are no fault of a busy machine: they come out the same another time."""

ENDED = "The system ended your code, most likely for its memory."
"""Its own memory, or that of all who ran beside it."""

CROWDED = "Your code made more or larger files than a submission may."

STOPS_WITHIN = 0.2
"""Seconds that a system call which is under way may take."""


class Child:
    """One submission's process, and the channel to it. A `Code` for the judge."""

    def __init__(
        self,
        channel: socket.socket,
        pid: int,
        memory: int,
        reap: Callable[[float], int | None],
        wall: float = WALL,
        crowded: Callable[[contextlib.AbstractContextManager[None]], bool] = lambda _: False,
    ) -> None:
        """`memory`: resident bytes it may have; `reap(grace)` ends it (see Zygote.reap);
        `crowded(stopped)`: has it made too many files, or too large ones? It looks at them while
        `stopped` is entered.
        """
        self.pid = pid
        self._wall = wall
        self._memory = memory
        self._reap = reap
        self._crowded = crowded
        self._channel = channel
        self._channel.setblocking(False)
        self._told = {
            name: _opened(f"/proc/{pid}/{name}") for name in ("stat", "status", "schedstat")
        }
        self._heard = bytearray()  # and not yet taken
        self._poll = select.poll()
        self._looked = 0.0
        self._queued = 0.0
        self._cpu = 0.0
        self._open = True

    def send(self, seconds: float) -> Send:
        """A way to ask that ends as `timeout` once the code has used so many CPU seconds."""
        self._cpu_ends = self._used()[0] + seconds
        self._idle = min(IDLE * seconds, LONGEST_IDLE)
        self._room = ANSWERED
        left = self._wall * seconds

        def ask(request: dict[str, Any]) -> dict[str, Any]:
            nonlocal left
            if not self._open:
                raise Lost(CRASHED, "The process that ran your code has ended.")
            # The time in which the judge thinks is not the student's: nothing of theirs runs then.
            self._wall_ends = self._clock() + left
            answer: dict[str, Any] = self._exchange(request)
            self._signal(signal.SIGSTOP)
            left = self._wall_ends - self._clock()
            return answer

        return ask

    def close(self) -> None:
        """Kill the process and all it left."""
        if self._open:
            self._let_go()
            # A worker that is dead took its child along; the next submission gets a new one.
            with contextlib.suppress(WorkerDied):
                self._reap(0.0)

    def _let_go(self) -> None:
        self._open = False
        self._channel.close()
        for descriptor in self._told.values():
            if descriptor >= 0:
                os.close(descriptor)
        self._told = dict.fromkeys(self._told, -1)

    def _exchange(self, request: dict[str, Any]) -> Any:
        token = secrets.token_hex(8)
        frame = memoryview(wire.pack({"id": token, "request": request}))
        if self._heard or (self._wait(select.POLLIN, 0) and self._read(1)):
            self._broken("it wrote without being asked")
        # What fits is there before it runs, and it wakes up once.
        frame = frame[self._write(frame) :]
        self._signal(signal.SIGCONT)
        while frame:
            self._wait_until(select.POLLOUT)
            frame = frame[self._write(frame) :]
        try:
            head, body = wire.lengths(self._receive(wire.PREFIX.size))
            self._room -= head + body
            if self._room < 0:
                self._broken("its answers are too large")
            answer = wire.unpack(self._receive(head), self._receive(body))
        except wire.WireError as error:
            self._broken(str(error))
        if not isinstance(answer, dict) or answer.get("id") != token or "answer" not in answer:
            self._broken("it answered something else")
        return answer["answer"]

    def _write(self, frame: memoryview) -> int:
        """How many bytes of it the channel takes."""
        try:
            return self._channel.send(frame)
        except BlockingIOError:
            return 0
        except OSError:
            self._ended()

    def _receive(self, size: int) -> bytearray:
        while len(self._heard) < size:
            self._wait_until(select.POLLIN)
            # Head and body come with the prefix, where they are short.
            self._heard += self._read(min(max(size - len(self._heard), 1 << 14), 1 << 20))
        data = self._heard[:size]
        del self._heard[:size]
        return data

    def _read(self, size: int) -> bytes:
        """What is there, at most `size` bytes; the end of the channel is the end of the child."""
        try:
            part = self._channel.recv(size)
        except BlockingIOError:
            return b""
        except OSError:
            part = b""
        if not part:
            self._ended()
        return part

    def _wait(self, event: int, seconds: float) -> bool:
        self._poll.register(self._channel, event)
        return bool(self._poll.poll(seconds * 1000))

    def _wait_until(self, event: int) -> None:
        """Wait for the channel; meanwhile watch the clock, the CPU time and the memory."""
        while True:
            ready = self._wait(event, TICK)
            now = time.monotonic()
            # Drop by drop is no way around the limits: the clock is read whatever happens.
            if now - self._queued > self._wall_ends and self._clock() > self._wall_ends:
                self._lose(TIMEOUT, TOO_LONG)
            if not ready or now > self._looked + TICK:
                cpu, resident = self._used()
                if not ready and cpu == self._cpu and self._states() == {b"S"}:
                    self._idle -= min(now - self._looked, 2 * TICK)
                self._looked, self._cpu = now, cpu
                if cpu > self._cpu_ends:
                    self._lose(TIMEOUT, USED_UP)
                if self._idle < 0:
                    self._lose(TIMEOUT, WAITED)
                if resident > self._memory:
                    self._lose(MEMORY, "Your code used more memory than a submission may.")
                if self._crowded(self._stopped()):
                    self._lose(MEMORY, CROWDED)
            if ready:
                return

    def _signal(self, number: signal.Signals) -> None:
        # Elsewhere it would outlive us, stopped, if we were killed now.
        if sys.platform.startswith("linux"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    @contextlib.contextmanager
    def _stopped(self) -> Iterator[None]:
        """Nothing of it runs meanwhile."""
        self._signal(signal.SIGSTOP)
        ends = time.monotonic() + STOPS_WITHIN
        while self._runs() and time.monotonic() < ends:
            time.sleep(0.0005)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _runs(self) -> bool:
        """Is one of its threads not stopped?"""
        return bool(self._states() - {b"T"})

    def _states(self) -> set[bytes]:
        """What its threads do, in the letters of /proc: R runs, S waits, T is stopped. None where
        the system does not say.
        """
        tasks, states = f"/proc/{self.pid}/task", set()
        with contextlib.suppress(OSError):
            for name in os.listdir(tasks):
                # One that has just ended is gone, or a zombie.
                with contextlib.suppress(OSError), open(f"{tasks}/{name}/stat", "rb") as file:
                    states.add(file.read().rpartition(b")")[2].split()[0])
        return states - {b"Z", b"X"}

    def _clock(self) -> float:
        """Seconds on the clock, without those in which the code had work and no core to do it on:
        these are its neighbours'.
        """
        with contextlib.suppress(OSError, ValueError, IndexError):
            # Of the thread that answers. Its CPU time bounds what its own other threads take.
            self._queued = int(self._tells("schedstat").split()[1]) / 1e9
        return time.monotonic() - self._queued

    def _used(self) -> tuple[float, int]:
        """CPU seconds used and bytes resident, with the tables that say where they are; (0, 0)
        where the system does not say.
        """
        try:
            # Bytes: a process names itself as it likes.
            fields = self._tells("stat").rpartition(b")")[2].split()
            tables = self._tells("status").partition(b"\nVmPTE:")[2].split()
        except OSError:
            return 0.0, 0
        ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        resident = int(fields[21]) * page + (int(tables[0]) << 10 if tables else 0)
        return (int(fields[11]) + int(fields[12])) / ticks, resident

    def _tells(self, name: str) -> bytes:
        """A file of /proc about it. Raises OSError where there is none, or the process is gone."""
        return os.pread(self._told[name], 1 << 13, 0)

    def _lose(self, state: str, message: str) -> NoReturn:
        self.close()
        raise Lost(state, message)

    def _broken(self, how: str) -> NoReturn:
        self._lose(CRASHED, f"The process that ran your code broke the protocol: {how}.")

    def _ended(self) -> NoReturn:
        """The channel is closed: say how the process went."""
        self._let_go()
        status = self._reap(GRACE)
        if status is None:
            raise Lost(CRASHED, "Your code closed its connection to the grader.")
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU:
                raise Lost(TIMEOUT, USED_UP)
            if number == signal.SIGKILL:
                raise Lost(MEMORY, ENDED)
            raise Lost(CRASHED, f"Your code crashed Python itself ({_signal_name(number)}).")
        raise Lost(CRASHED, "Your code ended the Python process.")


def _opened(path: str) -> int:
    """A descriptor of it, -1 where there is none."""
    with contextlib.suppress(OSError):
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return -1


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
