"""The sample submissions, graded once as a class is: what each one gets, and what it leaves.

tests/expected_marks.toml says what every one of them is about and what it must get. Who sits in the
class is who is asked for: all of them, today's share, or those of `-k hostile`.
"""

from __future__ import annotations

import csv
import getpass
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.assignment import read_assignment
from autograder.results import SubmissionResult, from_json
from tests.processes import adopt_orphans, left_running

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
SUBMISSIONS = HERE / "submissions"
EXPECTED = tomllib.loads((HERE / "expected_marks.toml").read_text(encoding="utf-8"))
PARTS = EXPECTED.pop("questions")
ASSIGNMENT = read_assignment()
SECONDS = 900
TOGETHER = {"claims-first", "claims-second", "claims-another", "right-sequential"}
"""Who claims whose NetID: what one of them gets hangs on the others."""

TORCHS_OWN = f"torchinductor_{getpass.getuser()}"
"""An empty folder that torch makes among temporary files."""


@dataclass(frozen=True)
class Graded:
    """What the grader said, wrote and left behind."""

    out: Path
    exit_code: int
    stderr: str
    results: dict[str, SubmissionResult]
    still_running: list[str]
    strays: list[str]


@pytest.fixture(scope="session")
def present(request: pytest.FixtureRequest) -> list[str]:
    """Of whom something is asked in this run, and who belongs to them; all, if of nobody."""
    items = [item for item in request.session.items if item.path == Path(__file__)]
    calls = [item.callspec for item in items if hasattr(item, "callspec")]
    names = {call.params["name"] for call in calls} or set(EXPECTED)
    return sorted(names | TOGETHER if names & TOGETHER else names)


@pytest.fixture(scope="session")
def graded(present: list[str], once: Callable[[str, Callable[[Path], None]], Path]) -> Graded:
    """The class through `python -m autograder grade`, as an instructor runs it."""
    folder = once("samples", lambda folder: _grade(folder, present))
    said = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    found = sorted((folder / "marks" / "results").glob("*.json"))
    results = {path.stem: from_json(path.read_text(encoding="utf-8")) for path in found}
    return Graded(folder / "marks", results=results, **said)


def _grade(folder: Path, present: list[str]) -> None:
    """Lay marks and said.json, what else a Graded tells, into a new folder."""
    out, cwd, temporary = folder / "marks", folder / "cwd", folder / "tmp"
    cwd.mkdir(parents=True)
    temporary.mkdir()
    submissions = folder / "submissions"
    submissions.mkdir()
    for path in SUBMISSIONS.iterdir():
        if path.name.removesuffix(".zip") in present:
            if path.is_dir():
                shutil.copytree(path, submissions / path.name, symlinks=True)
            else:
                shutil.copy(path, submissions)
    before = _places(submissions)
    before_us = set(left_running(0))
    adopt_orphans()
    command = ["grade", str(submissions), "--out", str(out), "--jobs", "2"]
    ran = subprocess.run(
        [sys.executable, "-m", "autograder", *command],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    still_running = [line for line in left_running() if line not in before_us]
    strays = [str(path) for place in (cwd, temporary) for path in place.rglob("*")]
    strays = [path for path in strays if not path.endswith(TORCHS_OWN)]
    strays += sorted(_places(submissions) - before)
    said = {
        "exit_code": ran.returncode,
        "stderr": ran.stderr,
        "still_running": still_running,
        "strays": strays,
    }
    (folder / "said.json").write_text(json.dumps(said), encoding="utf-8")


def _places(submissions: Path) -> set[str]:
    """Everything in the places where a hostile sample tries to leave files."""
    places = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path.home(), Path("/autograder"))
    names = ("results.json", "hostile-results.json", "marks.csv", "journal.jsonl")
    found = {str(place / name) for place in places for name in names if (place / name).exists()}
    return found | {str(path) for path in submissions.rglob("*")} | {str(p) for p in HERE.glob("*")}


def marks(expected: dict, part: str) -> list[float]:
    """Points for each question of a part; a sample that does not name a part does without it."""
    shares = expected.get(part, [0] * len(PARTS[part]))
    most = [ASSIGNMENT.question(f"{part}.{question}").points for question in PARTS[part]]
    return [round(share * points, 4) for share, points in zip(shares, most, strict=True)]


def expected_states(expected: dict, part: str, question: str, full: bool) -> tuple[str, ...]:
    states = expected.get("states", {})
    named = states.get(f"{part}.{question}") or states.get(f"{part}.*")
    return (named,) if named else ("pass",) if full else ("fail", "error")


def test_the_table_of_expected_marks_names_every_submission_and_question():
    there = {path.name.removesuffix(".zip") for path in SUBMISSIONS.iterdir()}
    assert there == set(EXPECTED)
    assert len(there) >= 16
    for name, expected in EXPECTED.items():
        for part, questions in PARTS.items():
            assert len(marks(expected, part)) == len(questions), (name, part)


@pytest.mark.daily
@pytest.mark.parametrize("name", EXPECTED)
def test_each_question_gets_its_marks(graded: Graded, name: str):
    result, expected = graded.results[name], EXPECTED[name]
    points = {
        part: [result.question(f"{part}.{question}").points for question in questions]
        for part, questions in PARTS.items()
    }
    # The table's shares have six digits, and marks are rounded to four.
    most = {part: pytest.approx(marks(expected, part), abs=2e-4) for part in PARTS}
    assert points == most, f"{expected['about']} ({result.seed})"


@pytest.mark.daily
@pytest.mark.parametrize("name", EXPECTED)
def test_each_question_ends_in_its_state(graded: Graded, name: str):
    result, expected = graded.results[name], EXPECTED[name]
    surprises = {}
    for part, questions in PARTS.items():
        if part not in expected:
            continue
        imported = expected.get("states", {}).get(f"{part}.import", "pass")
        wanted = {"import": (imported,)}
        for question, points in zip(questions, marks(expected, part), strict=True):
            full = points == result.question(f"{part}.{question}").max_points
            wanted[question] = expected_states(expected, part, question, full)
        for question, states in wanted.items():
            found = result.question(f"{part}.{question}").state
            if found not in states:
                surprises[f"{part}.{question}"] = f"{found}, not {' or '.join(states)}"
    assert surprises == {}


@pytest.mark.daily
@pytest.mark.parametrize("name", EXPECTED)
def test_each_submission_carries_its_flags(graded: Graded, name: str):
    assert list(graded.results[name].flags) == EXPECTED[name].get("flags", [])


def test_the_batch_survives_and_every_submission_has_a_result(graded: Graded, present: list[str]):
    assert graded.exit_code == 0, graded.stderr
    assert "Traceback" not in graded.stderr
    assert sorted(graded.results) == present


def test_marks_csv_agrees_with_the_table(graded: Graded, present: list[str]):
    with (graded.out / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert list(rows) == present
    for name, expected in ((name, EXPECTED[name]) for name in present):
        total = sum(sum(marks(expected, part)) for part in PARTS)
        status = expected.get("status", "ok")
        assert rows[name]["status"] == status, name
        assert rows[name]["points"] == (f"{round(total, 2):g}" if status == "ok" else ""), name


def test_every_submission_has_a_feedback_page(graded: Graded, present: list[str]):
    pages = {path.stem for path in (graded.out / "feedback").glob("*.html")}
    assert pages >= set(present)


def test_nobody_hostile_earns_what_they_do_not_implement(graded: Graded):
    for name, result in graded.results.items():
        if name.startswith("hostile-"):
            worth = sum(sum(marks(EXPECTED[name], part)) for part in PARTS)
            assert (result.points or 0) <= worth, name


def test_every_mark_that_is_missing_is_explained(graded: Graded):
    for name, result in graded.results.items():
        for question in result.questions:
            for check in question.checks:
                explained = check.message or check.waits_for or check.fraction == 1
                assert explained, (name, check.check)


def test_nothing_is_left_running(graded: Graded):
    assert graded.still_running == []


def test_no_file_appears_outside_out(graded: Graded):
    assert graded.strays == []


def test_out_holds_results_and_feedback_and_nothing_a_submission_wrote(graded: Graded):
    names = {path.name for path in graded.out.iterdir()}
    ours = {"journal.jsonl", "marks.csv", "history.csv", "results", "feedback", "pdfs.csv"}
    assert names <= ours | {"attempts", ".made"}


def test_every_result_names_its_seed_layers_and_versions(graded: Graded):
    assert len({result.seed for result in graded.results.values()}) == 1
    for result in graded.results.values():
        assert result.layers
        assert {"python", "torch"} <= set(result.versions)
