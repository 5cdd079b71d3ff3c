"""The rules of Gradescope's results.json, written down once for the tests."""

from __future__ import annotations

import math
from typing import Any

FORMATS = ("text", "html", "simple_format", "md", "ansi")
VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


TOP = {
    "score": _number,
    "execution_time": _number,
    "output": _text,
    "output_format": FORMATS.__contains__,
    "test_output_format": FORMATS.__contains__,
    "test_name_format": FORMATS.__contains__,
    "visibility": VISIBILITIES.__contains__,
    "stdout_visibility": VISIBILITIES.__contains__,
    "extra_data": lambda value: isinstance(value, dict),
    "tests": lambda value: isinstance(value, list),
}
TEST = {
    "score": _number,
    "max_score": _number,
    "status": ("passed", "failed").__contains__,
    "name": _text,
    "name_format": FORMATS.__contains__,
    "number": _text,
    "output": _text,
    "output_format": FORMATS.__contains__,
    "tags": lambda value: isinstance(value, list) and all(isinstance(tag, str) for tag in value),
    "visibility": VISIBILITIES.__contains__,
    "extra_data": lambda value: isinstance(value, dict),
}


def faults(content: Any) -> list[str]:
    """What is wrong with the content of a results.json; nothing when it is valid."""
    if not isinstance(content, dict):
        return ["it is no object"]
    found = _of(content, TOP, "")
    tests = content.get("tests")
    tests = tests if isinstance(tests, list) else []
    for place, test in enumerate(tests):
        found += _of(test, TEST, f"tests[{place}].") if isinstance(test, dict) else ["no object"]
    scored = bool(tests) and all("score" in test for test in tests)
    if "score" not in content and not scored:
        found.append("there is no score, neither of the whole nor of every test")
    numbers = [test.get("number") for test in tests]
    if len(set(numbers)) != len(numbers):
        found.append("two tests have one number")
    for test in tests:
        if not 0 <= test.get("score", 0) <= test.get("max_score", math.inf):
            found.append(f"{test.get('name')}: the score is outside of 0 and max_score")
    return found


def _of(part: dict[str, Any], rules: dict[str, Any], where: str) -> list[str]:
    unknown = [f"{where}{name} is unknown" for name in part if name not in rules]
    return unknown + [
        f"{where}{name} = {value!r} is not allowed"
        for name, value in part.items()
        if name in rules and not rules[name](value)
    ]
