"""The command line: bad input is a sentence, help teaches, nothing of a submission is imported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import __main__ as command_line
from autograder.assignment import read_assignment
from autograder.grading.journal import JOURNAL
from autograder.roster import Person, Roster
from autograder.sandbox.zygote import PROTECTIONS, Doctor
from tests.autograder.small_class import submission

KIT = Path(__file__).resolve().parents[2]
SAMPLES = KIT / "tests" / "submissions"
COMMANDS = ("tidy", "grade", "check", "doctor", "gradescope")


class NoBench:
    """No worker is to start for input that cannot be graded."""

    def __init__(self, plan: object) -> None:
        raise AssertionError("a worker was started")


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "Bench", NoBench)


@pytest.fixture
def class_of_one(tmp_path: Path) -> Path:
    student = tmp_path / "class" / "ada"
    student.mkdir(parents=True)
    (student / "hw5_gan.py").write_text("import torch\n")
    (student.parent / "bob").mkdir()
    (student.parent / "bob" / "hw5_gan.py").write_text("import torch\n")
    return student.parent


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run main, which must end with exit code 2; brings its one sentence on stderr."""
    try:
        code = command_line.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line]
    usage = [line for line in lines if line.startswith(("usage:", " "))]
    assert len(lines) - len(usage) == 1, err
    assert "autograder" in lines[-1]
    return lines[-1]


# --- what a person can hand in wrong


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("command", ["grade", "check"])
def test_a_missing_folder_is_named_with_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
):
    said = refused(capsys, command, tmp_path / "nowhere", *_out(command, tmp_path))
    assert f"{tmp_path / 'nowhere'} does not exist" in said and "give a folder" in said
    assert not (tmp_path / "marks").exists()


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("command", ["grade", "check"])
@pytest.mark.parametrize("name", ["notes.txt", "class.zip", "class.tar.gz"])
def test_a_file_that_is_no_zip_is_named_with_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
):
    (tmp_path / name).write_bytes(b"these are my notes\n" * 100)
    said = refused(capsys, command, tmp_path / name, *_out(command, tmp_path))
    assert str(tmp_path / name) in said and "give" in said.lower()
    assert not (tmp_path / "marks").exists()


@pytest.mark.usefixtures("no_worker")
def test_an_empty_folder_is_named_with_what_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "class").mkdir()
    said = refused(capsys, "grade", tmp_path / "class", "--out", tmp_path / "marks")
    assert "holds no submission" in said and "give a folder" in said


@pytest.mark.usefixtures("no_worker")
def test_checking_a_folder_without_work_says_which_files_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "ada").mkdir()
    said = refused(capsys, "check", tmp_path / "ada")
    assert str(tmp_path / "ada") in said and "hw5_vae.py" in said


@pytest.mark.usefixtures("no_worker")
def test_checking_a_class_is_refused_with_what_to_give(capsys: pytest.CaptureFixture[str]):
    said = refused(capsys, "check", SAMPLES)
    assert "holds the work of several students" in said and "`grade` grades all" in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", ["grade", "check"])
def test_an_unreadable_folder_is_a_sentence(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
):
    class_of_one.chmod(0)
    try:
        said = refused(capsys, command, class_of_one, *_out(command, tmp_path))
    finally:
        class_of_one.chmod(0o755)
    assert str(class_of_one) in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("command", ["grade", "check"])
def test_an_unknown_part_is_answered_with_the_one_that_is_near(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
):
    said = refused(capsys, command, class_of_one, "--part", "cvae", *_out(command, tmp_path))
    assert "'cvae'" in said and "did you mean 'fc-vae'?" in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1e3", "", "9999999999"])
def test_jobs_must_be_a_number_that_makes_sense(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
):
    out = tmp_path / "marks"
    said = refused(capsys, "grade", class_of_one, "--out", out, f"--jobs={jobs}")
    assert "--jobs" in said and repr(jobs) in said and "from 1 to" in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("seed", ["words", "-1", "1.5", "", str(1 << 48), "٣"])
def test_a_seed_must_be_a_whole_number(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: str
):
    out = tmp_path / "marks"
    said = refused(capsys, "grade", class_of_one, "--out", out, f"--seed={seed}")
    assert "--seed" in said and "whole number" in said


@pytest.mark.usefixtures("no_worker")
def test_out_may_not_be_a_file(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "marks.csv"
    out.write_text("keep me")
    said = refused(capsys, "grade", class_of_one, "--out", out)
    assert str(out) in said and "folder" in said
    assert out.read_text() == "keep me"


@pytest.mark.usefixtures("no_worker")
def test_out_may_not_lie_below_a_file(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("keep me")
    said = refused(capsys, "grade", class_of_one, "--out", tmp_path / "file" / "marks")
    assert str(tmp_path / "file" / "marks") in said and "folder" in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/sys is Linux's")
def test_out_must_be_writable(class_of_one: Path, capsys: pytest.CaptureFixture[str]):
    said = refused(capsys, "grade", class_of_one, "--out", "/sys/marks")
    assert "/sys/marks" in said and "cannot be written" in said and "--out" in said


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("below", ["", "marks"])
def test_out_may_not_lie_among_the_submissions(
    class_of_one: Path, capsys: pytest.CaptureFixture[str], below: str
):
    said = refused(capsys, "grade", class_of_one, "--out", class_of_one / below)
    assert "--out" in said and str(class_of_one) in said
    assert sorted(path.name for path in class_of_one.iterdir()) == ["ada", "bob"]


@pytest.mark.usefixtures("no_worker")
@pytest.mark.parametrize("damage", [b"", b"\n", b"{", b"\xff\xfe\n", b'{"seed": "?"}\n', b"[]\n"])
def test_a_damaged_journal_is_named_with_what_to_do(
    class_of_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: bytes
):
    out = tmp_path / "marks"
    out.mkdir()
    (out / JOURNAL).write_bytes(damage)
    said = refused(capsys, "grade", class_of_one, "--out", out)
    assert str(out / JOURNAL) in said and "damaged" in said and "new --out" in said
    assert (out / JOURNAL).read_bytes() == damage


@pytest.mark.parametrize("arguments", [[], ["mark"], ["grade"], ["grade", "x"], ["check"]])
def test_a_command_that_is_not_whole_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    said = refused(capsys, *arguments)
    assert "error" in said


def _out(command: str, tmp_path: Path) -> list[str]:
    return ["--out", str(tmp_path / "marks")] if command == "grade" else []


# --- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_and_says_what_happens(
    capsys: pytest.CaptureFixture[str], command: str
):
    with pytest.raises(SystemExit) as ended:
        command_line.main([command, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"python -m autograder {command}" in said.split("usage:")[1].split("\n", 3)[-1]
    assert len(said) > 300


def test_help_names_every_command_with_an_example(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        command_line.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"python -m autograder {command}" in said for command in COMMANDS)


# --- protections


def test_work_that_came_again_is_not_judged_by_an_old_time_in_silence(
    capsys: pytest.CaptureFixture[str],
):
    early, late = "2027-04-13T12:00:00-05:00", "2027-04-14T12:00:00-05:00"
    before = Roster(tuple(Person(id, submitted=early) for id in ("ada", "ben", "cy")))
    roster = Roster((before.people[0], Person("ben", submitted=late), before.people[2]))
    again = [submission("ada"), submission("ben"), submission("cy", submitted=late)]
    command_line._say_old_times(again, roster, before)
    said = capsys.readouterr().out
    assert said.startswith("1 handed in again, and the roster has the times of before (ada): make")
    command_line._say_old_times(again[1:], roster, before)
    assert capsys.readouterr().out == ""


def test_doctor_prints_every_protection(capsys: pytest.CaptureFixture[str]):
    assert command_line.main(["doctor"]) == 0
    said = capsys.readouterr().out
    for name in PROTECTIONS:
        line = next(line for line in said.splitlines() if line.endswith(name))
        assert line.split()[0] in ("holds", "MISSING")
    assert "Made of:" in said


class WeakBench:
    """A bench on a machine that lacks a protection; it grades nothing."""

    forgets = ""

    class zygote:
        doctor = Doctor(
            tuple(PROTECTIONS)[1:], tuple(PROTECTIONS)[:1], ("resource limits",), ("Install it.",)
        )

    def __init__(self, plan: object, bases: object = None) -> None:
        pass

    def grade(self, handin: object) -> object:
        raise AssertionError("something was graded")

    def close(self) -> None:
        pass


@pytest.mark.parametrize("command", ["grade", "check"])
def test_strict_refuses_to_grade_and_says_what_is_missing(
    class_of_one: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
):
    monkeypatch.setattr(command_line, "Bench", WeakBench)
    student = class_of_one / "ada" if command == "check" else class_of_one
    said = refused(capsys, command, student, "--strict", *_out(command, tmp_path))
    assert "--strict" in said and next(iter(PROTECTIONS)) in said and "doctor" in said


@pytest.mark.daily("command line")
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="there is no bubblewrap to take away")
def test_what_is_missing_without_bubblewrap_is_one_line_and_strict_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PATH", str(tmp_path))  # where bubblewrap is not installed
    asked = ["check", str(SAMPLES / "broken-missing-file"), "--part", "conv-gan"]
    assert command_line.main(asked) == 0
    # Landlock, seccomp and limits keep most promises alone: what is lost depends on the machine.
    said = capsys.readouterr().err
    assert not said or (said.count("\n") == 1 and "fewer protections, without: " in said)
    assert command_line.main([*asked, "--strict"]) == (2 if said else 0)
    if said:
        strict = capsys.readouterr().err
        assert strict.count("\n") == 1 and "--strict" in strict
        assert said.split("without: ")[1].split(" (")[0] in strict
    capsys.readouterr()
    assert command_line.main(["doctor"]) == 0
    doctor = capsys.readouterr().out
    assert "bubblewrap is not installed" in doctor
    missing = [line.split(maxsplit=1)[1] for line in doctor.splitlines() if "MISSING" in line]
    assert missing == [name for name in PROTECTIONS if name in said]


# --- cd SUBMISSION && python -m autograder check .

# Not among them: names of standard modules, `pytest` and `autograder` itself, which Python
# finds in the current folder before a line of ours runs.
SHADOWS = (
    *("torch", "numpy", "rich", "tqdm", "pyseccomp", "matplotlib", "sitecustomize"),
    *("hw5_vae", "hw5_gan", "hw5_utils", "hw5_checks", "checks", "judge", "conftest", "test_all"),
    "usercustomize",
)


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, Path]:
    """A submission whose files leave a mark when they are run outside the sandbox."""
    submission, marks = tmp_path / "mallory", tmp_path / "seen"
    submission.mkdir()
    marks.mkdir()
    for name in SHADOWS:
        (submission / f"{name}.py").write_text(
            f"try:\n    open({str(marks / name)!r}, 'w').close()\nexcept OSError:\n    pass\n"
            "def pytest_configure(config):\n    pass\n"
        )
    (submission / "pytest.ini").write_text("[pytest]\naddopts = -p judge\n")
    return submission, marks


def _run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, arguments)]
    return _shell(command, **options)


def _shell(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(  # type: ignore[call-overload]
        command,
        **{"env": environment, **options},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.daily("command line")
def test_check_in_a_hostile_folder_loads_none_of_it(hostile: tuple[Path, Path]):
    submission, marks = hostile
    ran = _run("check", ".", "--part", "conv-gan", cwd=submission)
    assert ran.returncode == 0, ran.stderr
    questions = read_assignment().part("conv-gan").questions
    most = sum(one.points for one in questions if one.kind == "code")
    assert f"mallory: 0 of {most:g}" in ran.stdout
    assert [path.name for path in marks.iterdir()] == []


@pytest.mark.daily("command line")
@pytest.mark.parametrize("way", ["pytest", "python -m pytest"])
def test_pytest_in_a_hostile_folder_loads_none_of_it(hostile: tuple[Path, Path], way: str):
    submission, marks = hostile
    program = Path(sys.executable).with_name("pytest")
    if way == "pytest" and not program.exists():
        pytest.skip("there is no pytest program beside this Python")
    start = [str(program)] if way == "pytest" else [sys.executable, "-m", "pytest"]
    command = [*start, str(KIT / "autograder"), "--submission", ".", "-q", "-k", "conv-gan"]
    ran = _shell(command, cwd=submission)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert " failed" in ran.stdout and " passed" not in ran.stdout
    assert [path.name for path in marks.iterdir()] == []
    assert {path.name for path in submission.rglob("__pycache__")} == set()


@pytest.mark.daily("command line")
def test_pytest_grades_a_right_submission_by_the_same_checks():
    checks = [str(KIT / "autograder"), "--submission", str(SAMPLES / "right-by-hand")]
    ran = _shell([sys.executable, "-m", "pytest", *checks, "-q", "-k", "conv-gan"], cwd=KIT)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert " passed" in ran.stdout


@pytest.mark.daily("command line")
def test_pytest_without_a_submission_says_whose_code_is_missing():
    ran = _shell([sys.executable, "-m", "pytest", str(KIT / "autograder"), "-q"], cwd=KIT)
    assert ran.returncode == 4
    assert "--submission FOLDER" in ran.stderr + ran.stdout


def test_windows_is_told_where_to_run_it():
    code = "import sys; sys.platform, sys.argv = 'win32', ['-m']; import autograder"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=KIT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1 and "Run this in WSL" in ran.stderr
    assert "Traceback" not in ran.stderr
