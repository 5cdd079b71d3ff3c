"""Fuzzes what reads hostile bytes, for as many minutes as are given.

    python -m tests.fuzz 10

Each property has its share of the time, with other examples every time. The first that does not
hold ends the run, with the smallest example that shows it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from hypothesis import settings

from tests.fuzz import examples


def properties() -> list[Callable[[], None]]:
    """Made under the settings that are loaded now."""
    from tests.fuzz import test_handed_in, test_judge, test_wire

    return [
        value
        for module in (test_wire, test_judge, test_handed_in)
        for name, value in vars(module).items()
        if name.startswith("test_")
    ]


def main(minutes: float) -> None:
    assert examples  # it has registered the settings
    settings.load_profile("long")
    all_ = properties()
    for number, one in enumerate(all_, 1):
        ends, rounds = time.monotonic() + 60 * minutes / len(all_), 0
        while time.monotonic() < ends:
            one()
            rounds += 1
        name = one.__name__.removeprefix("test_").replace("_", " ")
        print(f"{number} of {len(all_)}: {name}: tried anew {rounds} times", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10)
