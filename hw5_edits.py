"""Given to students: lets a notebook go on with what your files say now.

    a file was edited     what the next cell sees
    and it loads          its functions, classes and constants as they are now, however imported
    and it does not       the last version that worked, and a sentence on that until it is mended
    and a name is gone    what it meant, where a cell has imported it, and a sentence on that

Before each cell, your files are compared with what was loaded of them: hw5_vae.py, hw5_gan.py and
your own modules beside them. IPython's autoreload looks after all others. It is kept away from
yours: it may load a changed function alone, whose errors are then shown at lines of another place,
and a file that does not load costs two tracebacks of its own.
"""

from __future__ import annotations

import contextlib
import gc
import linecache
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

from hw5_process import WRITTEN, at_line

HERE = os.path.dirname(os.path.abspath(__file__))

_running: dict[str, bytes] = {}  # what each file said when it was loaded, by module
_broken: dict[str, tuple[bytes, str]] = {}  # what it says now, and why that does not load
_gone: dict[str, dict[str, object]] = {}  # what it defines no more and is in use, by module
_looks = [time.time()]  # when the last look was


def follow(shell) -> None:
    """Look after the files of this notebook from now on."""
    look()
    shell.events.register("pre_run_cell", look)
    shell.events.register("post_run_cell", keep_autoreload_away)


def look(_=None) -> None:
    """Load what was edited since the last look; say what does not load."""
    last = _looks.pop()
    _looks.append(time.time())
    for module in _written():
        file = Path(module.__file__)
        try:
            text, saved = file.read_bytes(), file.stat().st_mtime
        except OSError:
            continue  # it is gone; what was loaded of it stays
        name = module.__name__
        if name not in _running:
            keep_autoreload_away()
            if saved < last:  # so the import, which came later, has read this very text
                _note(module, text)
        if text == _running.get(name):
            _broken.pop(name, None)
        elif name in _broken and text == _broken[name][0]:
            print(f"WARNING: {_broken[name][1]}")
        else:
            _try(module, text)


def _written() -> Iterator[ModuleType]:
    """The modules that students write, as far as they are imported."""
    for name, module in list(sys.modules.items()):
        file = module.__dict__.get("__file__") if isinstance(module, ModuleType) else None
        if file and is_written(file) and name == module.__name__ != "__main__":
            yield module


def is_written(file: str) -> bool:
    """Whether this file is one that students write."""
    folder, name = os.path.split(file)
    own = folder == HERE and name.endswith(".py") and not name.startswith("hw5_")
    return own or name in WRITTEN


def keep_autoreload_away(_=None) -> None:
    """Before it has met an edit of a module that a cell has just imported."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell and "aimport" in shell.magics_manager.magics["line"]:
        for module in _written():
            shell.run_line_magic("aimport", f"-{module.__name__}")


def _note(module: ModuleType, text: bytes) -> None:
    """This text is what runs. Errors show its lines, whatever the file comes to say."""
    _running[module.__name__] = text
    _broken.pop(module.__name__, None)
    lines = text.decode("utf-8", "replace").splitlines(keepends=True)
    # An entry without a time is never compared with the file.
    linecache.cache[module.__file__] = (len(text), None, lines, module.__file__)


def _try(module: ModuleType, text: bytes) -> None:
    """Load this text, or say why not and stay with the one before."""
    try:
        gone = _load(module, text)
    except BaseException as error:  # also an exit, or an interrupt of a loop without an end
        file, now = Path(module.__file__).name, text.decode("utf-8", "replace")
        why = (
            f"{_place(error, module.__file__, now)}: {_what(error)}. Until this is mended, the "
            f"session goes on with the last version of {file} that worked."
        )
        _broken[module.__name__] = text, why
        print(f"WARNING: {why}")
    else:
        _note(module, text)
        if gone:
            names, one = ", ".join(gone), len(gone) == 1
            print(
                f"WARNING: {Path(module.__file__).name} no longer defines {names}; the notebook "
                f"still uses the old {'one' if one else 'ones'}: write {'it' if one else 'them'} "
                "again, or restart the kernel."
            )


def _load(module: ModuleType, text: bytes) -> list[str]:
    """Run this text as the module; all that has its functions and classes gets the new ones, and
    where its constants were imported by name, they are the new ones, too.

    Where it stops with an error, everything is as it was before. Returns the names that are gone
    from it and that a notebook still holds.
    """
    code = compile(text, module.__file__, "exec", dont_inherit=True)
    names = vars(module)
    before = dict(names)
    for name in before:
        if not name.startswith("__"):
            del names[name]
    try:
        exec(code, names)
    except BaseException:
        names.clear()
        names.update(before)
        raise
    classes = {}
    for name, old in before.items():
        now = names.get(name)
        if getattr(old, "__module__", None) != module.__name__:
            continue
        if isinstance(old, type) and isinstance(now, type):
            classes[old] = now
        plain = isinstance(old, FunctionType) and isinstance(now, FunctionType)
        if plain and not old.__closure__ and not now.__closure__:
            names[name] = _become(old, now)  # so it is new wherever it is held
    _move_objects(classes)
    known = {name: old for name, old in before.items() if not name.startswith("__")}
    known = _gone.get(module.__name__, {}) | known
    for held in _namespaces(module):
        for name, old in list(held.items()):
            if _is_of(module, old) and isinstance(names.get(old.__name__), (type, FunctionType)):
                held[name] = names[old.__name__]
            elif name in names and name in known and old is known[name]:  # as a constant
                held[name] = names[name]
    _gone[module.__name__] = {k: old for k, old in known.items() if _is_gone(k, old, module)}
    return [*_gone[module.__name__]]


def _is_of(module: ModuleType, value: object) -> bool:
    """Whether it is a function or a class of this module."""
    return isinstance(value, (type, FunctionType)) and value.__module__ == module.__name__


def _is_gone(name: str, old: object, module: ModuleType) -> bool:
    """Whether the file defines it no more, and somebody has imported it by name."""
    if name in vars(module) or isinstance(old, ModuleType):
        return False
    if isinstance(old, (type, FunctionType)) and not _is_of(module, old):
        return False  # it was imported there
    everywhere = [*_namespaces(module)]
    if _is_of(module, old):  # it may be held by another name
        pairs = (pair for held in everywhere for pair in held.items())
        return any(one is old and not key.startswith("_") for key, one in pairs)  # _3 is Out[3]
    return any(name in held and held[name] is old for held in everywhere)


def _become(old: FunctionType, new: FunctionType) -> FunctionType:
    """The old function, which now does what the new one does."""
    for key in ("__code__", "__defaults__", "__kwdefaults__", "__doc__"):
        setattr(old, key, getattr(new, key))
    vars(old).clear()
    vars(old).update(vars(new))
    return old


def _move_objects(classes: dict[type, type]) -> None:
    """Let what was made of the old classes be of the new ones, as a model that was trained."""
    for one in gc.get_referrers(*classes):
        if type(one) in classes:
            with contextlib.suppress(TypeError):  # of another layout
                object.__setattr__(one, "__class__", classes[type(one)])


def _namespaces(module: ModuleType) -> Iterator[dict]:
    """Where functions and classes are held by name: the notebook, and the student's modules."""
    from IPython import get_ipython

    yield from (vars(other) for other in _written() if other is not module)
    if shell := get_ipython():
        yield shell.user_ns


def _place(error: BaseException, file: str, text: str) -> str:
    """The line of this file that Python stopped at."""
    number = None
    if isinstance(error, SyntaxError) and error.filename == file:
        number = error.lineno
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == file:
            number = frame.lineno
    lines = text.splitlines()
    if number and number <= len(lines):
        return at_line(file, number, lines[number - 1])
    return Path(file).name


def _what(error: BaseException) -> str:
    """What Python says of an error, in a line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped by you while it was loaded"
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    return " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())
