"""A bench that does not answer costs its worker a while, and nobody's marks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.grading import remote_bench
from autograder.grading.remote_bench import BenchGone

HANGS = "import time; time.sleep(600)"
ANSWERS_BY_HALF = f"import os, sys; os.write(int(sys.argv[1]), bytes([0, 0, 1, 0, 7])); {HANGS}"


@pytest.fixture
def begins(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr(remote_bench, "_benches", {})
    yield monkeypatch
    for bench in remote_bench._benches.values():
        bench.close()


@pytest.mark.parametrize("how", [HANGS, ANSWERS_BY_HALF])
@pytest.mark.parametrize("size", [0, 1 << 22])
def test_a_bench_that_hangs_is_ended_and_said_to_be_gone(
    begins: pytest.MonkeyPatch, how: str, size: int
) -> None:
    begins.setattr(remote_bench, "BEGIN", how)
    begins.setattr(remote_bench, "MOST_SECONDS", 0.3)
    with pytest.raises(BenchGone, match="hung"):
        remote_bench.prepare("plan", bytes(size))
    remote_bench._benches["plan"]._process.wait(10)
    with pytest.raises(BenchGone):
        remote_bench.judged("plan", b"")


def test_a_bench_that_dies_is_said_to_be_gone(begins: pytest.MonkeyPatch) -> None:
    begins.setattr(remote_bench, "BEGIN", "pass")
    with pytest.raises(BenchGone, match="died"):
        remote_bench.prepare("plan", b"")
