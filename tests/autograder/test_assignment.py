"""assignment.toml: what it must say, and how it is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from autograder.assignment import (
    DEFAULT_PATH,
    AssignmentError,
    Penalty,
    grade_id,
    question_of,
    read_assignment,
)

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

DUE = "due = 2027-01-01T12:00:00-05:00"

HEAD = """
[assignment]
id = "hw5"
title = "Coursework"
late = "flag"
files = ["hw5_gan.py"]
"""
PART = """
[[part]]
id = "gan"
title = "GAN"
module = "hw5_gan"
points = 3
question = [{ id = "loss", points = 3, title = "Loss" }]
"""


def read(tmp_path, text):
    path = tmp_path / "assignment.toml"
    path.write_text(text)
    return read_assignment(path)


def test_the_kits_own_assignment_is_accepted():
    assignment = read_assignment()
    assert {"fc-vae", "conv-gan", "fc-gan"} <= {part.id for part in assignment.parts}
    assert all(part.points > 0 for part in assignment.parts)


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
        ("points = 3", 'points = "3"', "the part 'a': points = '3' must be a number"),
        ("points = 3", "points = nan", "add up to 3 points, not nan"),
        ("points = 2", "points = true", "a.one: points = True must be a number"),
        ("points = 2, ", "", "a.one has no 'points'"),
        ("points = 2", "points = 2,5", "a number is written with a point (2.5)"),
        ('title = "Two"', 'title = " "', "a.two: title = ' ' must be a text"),
        ('title = "Part a"', 'title = ""', "the part 'a': title = '' must be a text"),
        ('id = "two"', 'id = "one"', "'one' is there twice"),
        ('late = "flag"', 'late = "maybe"', "late = 'maybe' must be one of"),
        ('late = "flag"', 'late = "flag"\ndue = 2027-01-01T12:00:00', "with a time zone"),
        ('kind = "manual"', 'kind = "hand"', "kind = 'hand' must be one of"),
        ("points = 2", "points = -2", "must be larger than zero"),
        ("points = 2", "points = nan", "must be larger than zero"),
        ('kind = "info"', 'kind = "info", points = 2', "carries no points"),
        ('module = "hw5_vae"', "", "a needs a module: the judge marks some of it"),
        ('title = "Part a"', "", "the part 'a' has no 'title'"),
        ('title = "Test"', "", "[assignment] has no 'title'"),
        ('title = "Two", ', "", "a.two has no 'title'"),
        ('id = "two", ', "", "a question of a ({'points': 1"),
        ("points = 3", 'points = 3\noff = "yes"', "off = 'yes' must be true or false"),
        ("[assignment]", "[assignment", "not valid TOML"),
        ('late = "flag"', 'late = "flag"\nmax_groups = 3', "did you mean 'max_group'?"),
        *[
            ('late = "flag"', f'late = "flag"\n{DUE}\npenalty = {said}', "must read like '10 perc")
            for said in (
                '"10 per day"',
                '"ten percent per day"',
                '"0 % per day"',
                "10",
                '"1 % a week"',
            )
        ],
        ('late = "flag"', f'late = "flag"\n{DUE}\ngrace = "a while"', "must read like '15 minut"),
        ('late = "flag"', f'late = "flag"\n{DUE}\ncut_off = 3', "must read like '15 minutes'"),
        ('late = "flag"', 'late = "flag"\ngrace = "1 hour"', "grace says nothing without due"),
        (
            'late = "flag"',
            f'late = "refuse"\n{DUE}\ncut_off = "1 day"',
            "takes nothing that is late",
        ),
        ('late = "flag"', f'late = "accept"\n{DUE}\ngrace = "1 day"', 'beside late = "accept"'),
        ('late = "flag"', 'late = "flag"\npenality = "1 % per day"', "did you mean 'penalty'?"),
        ("points = 3", "points = 3\nanonymus = true", "in the part 'a' stands 'anonymus'"),
        ("points = 2", "points = 2, colour = 1", "in a.one stands 'colour', which nothing reads"),
        ("[assignment]", "[asignment]\n[assignment]", "did you mean 'assignment'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(tmp_path, old, new, says):
    with pytest.raises(AssignmentError, match=r"assignment\.toml") as error:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("said", "penalty"),
    [
        ("10 percent per day", Penalty(10, True, "day")),
        ("2.5% per hour", Penalty(2.5, True, "hour")),
        ("1 point per day", Penalty(1, False, "day")),
        ("2 points per hour", Penalty(2, False, "hour")),
    ],
)
def test_a_late_rule_is_read(tmp_path, said, penalty):
    rule = f'{DUE}\npenalty = "{said}"\ngrace = "90 minutes"\ncut_off = "1 day"'
    found = read(tmp_path, GOOD.replace('late = "flag"', f'late = "flag"\n{rule}'))
    assert found.penalty == penalty
    assert (found.grace, found.cut_off) == (timedelta(minutes=90), timedelta(days=1))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssignmentError, match=r"nowhere\.toml: there is no such file"):
        read_assignment(tmp_path / "nowhere.toml")


def test_an_unknown_name_is_answered_with_the_one_that_is_near_or_with_all(tmp_path):
    with pytest.raises(AssignmentError, match="no part 'b'; known are a"):
        read(tmp_path, GOOD).part("b")
    with pytest.raises(AssignmentError, match="has no question 'three'; known are one, two, "):
        read(tmp_path, GOOD).question("a.three")
    with pytest.raises(AssignmentError, match=r"has no question 'twoo'; did you mean 'two'\?"):
        read(tmp_path, GOOD).question("a.twoo")


@pytest.fixture
def reading(tmp_path):
    def read(text: str):
        path = tmp_path / "assignment.toml"
        path.write_text(text, encoding="utf-8")
        return read_assignment(path)

    return read


def test_pairs_and_anonymity_belong_to_one_part():
    assignment = read_assignment(DEFAULT_PATH)
    groups = {part.id: (part.max_group, part.anonymous) for part in assignment.parts}
    assert groups.pop("ae-gan") == (2, True)
    assert set(groups.values()) == {(assignment.max_group, assignment.anonymous)} == {(1, False)}


def test_a_part_takes_the_rules_of_the_assignment_unless_it_has_its_own(reading):
    rules = "max_group = 3\nanonymous = true\n"
    (part,) = reading(HEAD + rules + PART).parts
    assert (part.max_group, part.anonymous) == (3, True)
    (part,) = reading(HEAD + rules + PART + "max_group = 1\nanonymous = false\n").parts
    assert (part.max_group, part.anonymous) == (1, False)


@pytest.mark.parametrize("size", ["0", "1.5", "true", '"two"'])
@pytest.mark.parametrize("place", ["assignment", "part"])
def test_a_group_of_no_size_is_refused(reading, size, place):
    rule = f"max_group = {size}\n"
    with pytest.raises(AssignmentError, match=r"max_group = .* whole number of at least 1"):
        reading(HEAD + rule + PART if place == "assignment" else HEAD + PART + rule)


REPORT = """
[[part]]
id = "report"
title = "Report"
points = 3
question = [{ id = "results", points = 3, title = "Results", kind = "manual" }]
"""


def test_a_part_marked_by_hand_alone_needs_no_module(reading):
    (part,) = reading(HEAD + REPORT).parts
    assert part.module is None


def test_a_part_that_is_off_is_checked_and_left_out(reading):
    assignment = reading(HEAD + PART + REPORT + "off = true\n")
    assert [part.id for part in assignment.parts] == ["gan"]
    assert [part.id for part in assignment.off] == ["report"]
    with pytest.raises(AssignmentError, match="the part 'report' is off"):
        assignment.part("report")
    with pytest.raises(AssignmentError, match="add up to 3 points, not 4"):
        reading(HEAD + PART + REPORT.replace("points = 3\n", "points = 4\n") + "off = true\n")


def test_no_demonstration_is_held():
    assert "demonstration" not in {part.id for part in read_assignment().parts}


def test_a_question_and_the_cell_of_a_notebook_name_each_other():
    for part in read_assignment().parts:
        for question in part.full_ids():
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", grade_id(question))
            assert question_of(grade_id(question)) == question
            assert question_of(f"{grade_id(question)}--check") == question
    assert question_of("setup") == question_of("fc-vae--") == ""


@pytest.mark.parametrize("parts", [(), ("fc-vae", "fc-gan"), ("vae-theory", "report")])
def test_the_parts_of_a_release_are_scaled_to_the_total(parts):
    whole = replace(read_assignment(), total=100.0)
    scaled = whole.scaled(parts)
    chosen = [part for part in scaled.parts if not parts or part.id in parts]
    questions = [q for part in chosen for q in part.questions]
    counted = [q.points for q in questions if q.kind in ("code", "manual")]
    assert sum(round(100 * points) for points in counted) == 10_000
    assert all(100 * points == pytest.approx(round(100 * points)) for points in counted)
    assert sum(part.points for part in chosen) == pytest.approx(100)
    factor = 100 / sum(part.points for part in map(whole.part, (p.id for p in chosen)))
    for part in chosen:
        for now, before in zip(part.questions, whole.part(part.id).questions, strict=True):
            assert now.points == pytest.approx(factor * before.points, abs=0.011)


def test_without_a_total_every_question_keeps_its_points():
    assert read_assignment().scaled(["fc-vae"]) == read_assignment()


def test_a_total_that_cannot_be_is_refused(reading):
    for total in ("0", "-5", "inf", '"all"', "true"):
        with pytest.raises(AssignmentError, match=r"total = .* must be a number of points"):
            reading(HEAD + f"total = {total}\n" + PART)
    with pytest.raises(AssignmentError, match="without any points"):
        reading(HEAD + "total = 0.001\n" + PART).scaled()
