"""assignment.toml: what is read, what is refused."""

import pytest

from autograder.assignment import DEFAULT_PATH, AssignmentError, read_assignment

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


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "assignment.toml"
        path.write_text(text, encoding="utf-8")
        return read_assignment(path)

    return read


def test_every_part_adds_up_to_its_points():
    parts = {part.id: part for part in read_assignment().parts}
    points = {"conv-gan": 35, "fc-gan": 35, "gan-theory": 15, "cifar-dcgan": 40, "ae-gan": 20}
    assert {name: parts[name].points for name in points} == points


def test_pairs_and_anonymity_belong_to_one_part():
    assignment = read_assignment(DEFAULT_PATH)
    groups = {part.id: (part.max_group, part.anonymous) for part in assignment.parts}
    assert groups.pop("ae-gan") == (2, True)
    assert set(groups.values()) == {(assignment.max_group, assignment.anonymous)} == {(1, False)}


def test_a_part_takes_the_rules_of_the_assignment_unless_it_has_its_own(read):
    rules = "max_group = 3\nanonymous = true\n"
    (part,) = read(HEAD + rules + PART).parts
    assert (part.max_group, part.anonymous) == (3, True)
    (part,) = read(HEAD + rules + PART + "max_group = 1\nanonymous = false\n").parts
    assert (part.max_group, part.anonymous) == (1, False)


@pytest.mark.parametrize("size", ["0", "1.5", "true", '"two"'])
@pytest.mark.parametrize("place", ["assignment", "part"])
def test_a_group_of_no_size_is_refused(read, size, place):
    rule = f"max_group = {size}\n"
    with pytest.raises(AssignmentError, match=r"max_group = .* whole number of at least 1"):
        read(HEAD + rule + PART if place == "assignment" else HEAD + PART + rule)
