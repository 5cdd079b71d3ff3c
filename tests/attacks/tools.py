"""What a try is written with. This file goes along into the sandbox, and is imported outside, too.

A try is a function that returns when it has got through, and raises when it was refused. What it
does where nothing stops it must harm nobody: it ends by itself, within bounds of its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BUBBLEWRAP = "bubblewrap"
USER = "user of its own"
LIMITS = "limits"
LANDLOCK = "Landlock"
SECCOMP = "seccomp"
WATCH = "judge's watch"
CLOSED = "closed folders"
JUDGE = "the judge"

LAYERS = (BUBBLEWRAP, USER, LIMITS, LANDLOCK, SECCOMP, WATCH)
"""What can be switched off one after the other. CLOSED is Gradescope's own. The JUDGE is always
there: it has a deadline, believes nothing and empties the folder. What it alone is up against may
end as it likes, and must leave nothing behind."""

REFUSALS = {
    *(errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOSYS, errno.EXDEV),
    *(errno.EAGAIN, errno.EMFILE, errno.ENOSPC, errno.EFBIG, errno.ENOMEM, errno.EDQUOT),
}
"""Errors that mean no. Any other says that the system went as far as looking at what was asked."""


@dataclass(frozen=True)
class Try:
    """`stopped_by`: each of these stops it alone; `alone`: it ends its process, or fills its disk;
    `ends`: how it may end, in the words of the judge; `seconds`: of computing that it is given.
    """

    name: str
    stopped_by: tuple[str, ...]
    alone: bool
    ends: tuple[str, ...]
    seconds: float
    run: Callable[[], Any]


TRIES: dict[str, Try] = {}

aims: dict[str, Any] = {}
"""What there is to attack: see `engine.targets`."""


def attempt(
    *stopped_by: str, alone: bool = False, ends: str = "", seconds: float = 2.0
) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Enter a function into the corpus; where it `ends` in a way, it is alone."""

    def enter(function: Callable[[], Any]) -> Callable[[], Any]:
        name = function.__name__.replace("_", " ")
        TRIES[name] = Try(
            name, stopped_by, alone or bool(ends), tuple(ends.split()), seconds, function
        )
        return function

    return enter


def tried(names: Sequence[str], targets: Mapping[str, Any]) -> dict[str, str]:
    """How each of these ends here, one after the other."""
    aims.update(targets)
    return {name: _how(TRIES[name].run) for name in names}


def _how(run: Callable[[], Any]) -> str:
    try:
        run()
    except OSError as error:
        word = errno.errorcode.get(error.errno or 0, str(error.errno))
        return word if error.errno in REFUSALS else f"through ({word})"
    except MemoryError:
        return "ENOMEM"
    except Exception as error:
        return f"broken: {type(error).__name__}: {error}"[:200]
    return "through"


libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def syscall(number: int, *args: Any) -> int:
    """A system call by its number on x86-64. Raises OSError."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return checked(libc.syscall(ctypes.c_long(number), *words))


def checked(found: int) -> int:
    """What a function of libc returns. Raises OSError where that is -1."""
    if found == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def leave(pid: int) -> None:
    """The child of a try that succeeded ends by itself."""
    if pid == 0:
        time.sleep(1)
        os._exit(0)


def refuse_unless(happened: bool) -> None:
    """For what is answered with yes, and not done."""
    if not happened:
        raise PermissionError(errno.EPERM, "nothing happened")
