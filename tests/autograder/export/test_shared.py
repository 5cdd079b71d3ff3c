"""Do the exporters agree on order, status, numbers and names?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.export import shared
from autograder.results import UNGRADABLE


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (-0.0, "0"),
        (-0.001, "0"),
        (8.0, "8"),
        (100.0, "100"),
        (0.1 + 0.2, "0.3"),
        (7 / 3, "2.33"),
        (2.665, "2.66"),
        (2.675, "2.68"),
        (2.6749999999999, "2.68"),
        (1e6, "1000000"),
    ],
)
def test_points_have_two_decimals_half_to_even_and_no_float_noise(points, text):
    """Is a mark written the same way wherever it is written?"""
    assert shared.points_text(points) == text


@pytest.mark.parametrize("points", [float("nan"), float("inf")])
def test_a_number_that_is_no_mark_is_refused(points):
    """Does NaN stop the export instead of becoming a cell?"""
    with pytest.raises(ValueError, match="is not a mark"):
        shared.points_text(points)


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "..", ".hidden", "-rf", "", "x" * 65, "é", "\ud800"]
)
def test_an_id_that_is_no_plain_name_becomes_a_hash(name):
    """Does no id lead out of the folder or to an absurd file?"""
    assert shared.PLAIN_NAME.fullmatch(shared.file_name(name))
    assert shared.file_name(name) != name


def test_a_plain_id_names_its_own_file():
    """Can a person find the page of a student by name?"""
    assert shared.file_name("jdoe2") == "jdoe2"


def test_two_results_with_one_id_are_refused(full):
    """Is nothing overwritten in silence?"""
    with pytest.raises(ValueError, match="'ada'"):
        shared.in_order([full, full])


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        ((), "ok"),
        (("late", "group"), "ok"),
        (("conflict",), "withheld"),
        (("refused",), "withheld"),
    ],
)
def test_conflict_and_refusal_withhold_the_total(full, flags, status):
    """Which flags keep the marks back?"""
    result = replace(full, flags=flags)
    assert shared.status(result) == status
    assert (shared.total(result) is None) == (status == "withheld")


@pytest.mark.parametrize("state", ["error", "timeout", "memory", "crashed"])
def test_a_module_that_cannot_be_loaded_is_a_flag(full, state):
    """Is a zero that one wrong line has caused seen by whoever reads the marks?"""
    load = replace(full.questions[0], question="fc-vae.import", kind="info", state=state)
    assert shared.flags(replace(full, questions=(load,), flags=("late",))) == ("late", "unloadable")


@pytest.mark.parametrize("state", ["pass", "fail", "skipped"])
def test_a_module_that_loads_or_was_never_handed_in_is_not_flagged_as_unloadable(full, state):
    """Is a part that somebody left out no broken file?"""
    load = replace(full.questions[0], question="fc-vae.import", kind="info", state=state)
    assert shared.flags(replace(full, questions=(load,))) == ()


def test_ungradable_holds_the_total_even_when_one_was_computed(ended_as):
    """Does a total that should not be there stay out?"""
    result = replace(ended_as(UNGRADABLE), points=17.0, flags=("conflict",))
    assert shared.status(result) == "ungradable"
    assert shared.total(result) is None
    assert shared.mark(replace(result.question("fc-vae.loss"), points=2.0)) is None


def test_a_missing_total_is_never_ok(full):
    """Does an open total fail closed?"""
    assert shared.status(replace(full, points=None)) == "ungradable"


def test_control_and_bidi_characters_are_spelt_out():
    """Is what would act on a reader's screen shown instead?"""
    assert shared.harmless("a\x00b\u202ec\ud800\n\té✓") == "a\\x00b\\u202ec\\ud800\\n\\té✓"
    assert shared.harmless("a\nb\r", keep="\n") == "a\nb\\r"


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path):
    """Is there never half a file, also after a killed run?"""
    path = tmp_path / "new" / "marks.csv"
    shared.write_text(path, "old\n")
    (path.parent / ".marks.csv.tmp").write_text("half of a killed r")
    shared.write_text(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["marks.csv"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch):
    """Does the old file survive a full disk?"""
    path = tmp_path / "marks.csv"
    shared.write_text(path, "old\n")

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="no space"):
        shared.write_text(path, "new\n")
    assert path.read_text() == "old\n"
