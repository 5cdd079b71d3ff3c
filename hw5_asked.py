"""Given to students: what is asked, part by part, and what it is worth.

`PARTS`: id of a part -> its `module` (None where nothing is written in one) and its `questions`:
id -> `points` and `kind`. A kind is "code" (marked by checks), "bonus" (the same, on top of the
part's points), "manual" (marked by hand) or "info" (worth nothing).
"""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# A release holds plain data in the place of what follows: there is no assignment.toml beside it.
_ASSIGNMENT = Path(__file__).parent / "autograder" / "assignment.toml"
try:
    _DATA = tomllib.loads(_ASSIGNMENT.read_text(encoding="utf-8"))
except tomllib.TOMLDecodeError as error:
    sys.exit(f"autograder/assignment.toml is not valid TOML: {error}")

# What is amiss in it is told by whoever reads all of it.
PARTS = {
    part.get("id"): {
        "module": part.get("module"),
        "questions": {
            one.get("id"): {"points": one.get("points", 0), "kind": one.get("kind", "code")}
            for one in part.get("question", ())
        },
    }
    for part in _DATA.get("part", ())
    if not part.get("off")
}
