"""A bench that does not answer costs its worker a while, and nobody's marks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autograder.grading import remote_bench
from autograder.grading.remote_bench import BenchGone


@pytest.fixture
def begins(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr(remote_bench, "_benches", {})
    yield monkeypatch
    for bench in remote_bench._benches.values():
        bench.close()


def test_a_bench_that_hangs_is_ended_and_said_to_be_gone(begins: pytest.MonkeyPatch) -> None:
    begins.setattr(remote_bench, "BEGIN", "import time; time.sleep(600)")
    begins.setattr(remote_bench, "MOST_SECONDS", 0.1)
    with pytest.raises(BenchGone, match="no answer"):
        remote_bench.prepare("plan", b"")
    assert remote_bench._benches["plan"].ended()
    with pytest.raises(BenchGone):
        remote_bench.judged("plan", b"")


def test_a_bench_that_dies_is_said_to_be_gone(begins: pytest.MonkeyPatch) -> None:
    begins.setattr(remote_bench, "BEGIN", "pass")
    with pytest.raises(BenchGone, match="died"):
        remote_bench.prepare("plan", b"")
