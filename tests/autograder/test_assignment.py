"""assignment.toml: what it must say, and how it is refused."""

from __future__ import annotations

import pytest

from autograder.assignment import AssignmentError, read_assignment

GOOD = """
[assignment]
id = "hw5"
title = "Test"
late = "flag"
files = ["hw5_vae.py", "*.ipynb"]
[[part]]
id = "a"
title = "Part a"
module = "hw5_vae"
points = 3
question = [
    { id = "one", points = 2, title = "One" },
    { id = "two", points = 1, title = "Two", kind = "manual" },
    { id = "more", points = 1, title = "More", kind = "bonus" },
    { id = "look", title = "Look", kind = "info" },
]
"""


def read(tmp_path, text):
    path = tmp_path / "assignment.toml"
    path.write_text(text)
    return read_assignment(path)


def test_the_kits_own_assignment_is_accepted():
    assignment = read_assignment()
    parts = {part.id: part.points for part in assignment.parts}
    assert parts["fc-vae"] == parts["conv-gan"] == parts["fc-gan"] == 35


def test_bonus_and_info_questions_do_not_count_towards_the_points_of_a_part(tmp_path):
    assignment = read(tmp_path, GOOD)
    assert assignment.part("a").points == 3
    assert assignment.question("a.more").kind == "bonus"


def test_files_are_wanted_by_name_or_pattern(tmp_path):
    assignment = read(tmp_path, GOOD)
    assert assignment.wants("hw5_vae.py") and assignment.wants("1_vae.ipynb")
    assert not assignment.wants("hw5_utils.py")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("points = 3", "points = 4", "add up to 3 points, not 4"),
        ('id = "two"', 'id = "one"', "'one' is there twice"),
        ('late = "flag"', 'late = "maybe"', "late = 'maybe' must be one of"),
        ('late = "flag"', 'late = "flag"\ndue = 2027-01-01T12:00:00', "with a time zone"),
        ('kind = "manual"', 'kind = "hand"', "kind = 'hand' must be one of"),
        ("points = 2", "points = -2", "must be larger than zero"),
        ("points = 2", "points = nan", "must be larger than zero"),
        ('kind = "info"', 'kind = "info", points = 2', "carries no points"),
        ('module = "hw5_vae"', "", "the key 'module' is missing"),
        ("[assignment]", "[assignment", "not valid TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(tmp_path, old, new, says):
    with pytest.raises(AssignmentError, match=r"assignment\.toml") as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssignmentError, match=r"nowhere\.toml: there is no such file"):
        read_assignment(tmp_path / "nowhere.toml")


def test_an_unknown_part_is_answered_with_the_known_ones(tmp_path):
    with pytest.raises(AssignmentError, match="no part 'b'; the parts are: a"):
        read(tmp_path, GOOD).part("b")
    with pytest.raises(AssignmentError, match="has no question 'three'"):
        read(tmp_path, GOOD).question("a.three")
