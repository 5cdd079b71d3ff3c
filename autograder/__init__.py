"""Grades submissions of the coursework: judge outside, student code in a confined worker."""

import os as _os
import sys as _sys

__version__ = "1.0.0"

if _sys.platform == "win32" and _sys.argv[:1] == ["-m"]:
    _sys.exit(
        "autograder: student code is confined by means that Windows lacks. Run this in WSL "
        "(wsl --install), or on Linux or macOS. What students use runs on Windows."
    )

# `python -m` and pytest put the current folder on the path. It may be a submission with a
# torch.py in it, so it goes before anything else of ours is imported, unless it is the kit's own.
_here = _os.path.realpath(_os.path.dirname(_os.path.dirname(__file__)))
_sys.path[:] = [
    entry
    for entry in _sys.path
    if _os.path.realpath(entry or _os.curdir) != _os.path.realpath(_os.curdir)
    or _os.path.realpath(_os.curdir) == _here
]
