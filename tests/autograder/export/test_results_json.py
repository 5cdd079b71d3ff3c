"""Is there one faithful JSON file a student?"""

from __future__ import annotations

from autograder.export import results_json
from autograder.export.made import LISTS
from autograder.results import from_json


def test_every_result_is_read_back_as_it_was(tmp_path, class_of):
    """Does the file hold everything?"""
    results_json.write(class_of, tmp_path)
    files = sorted((tmp_path / "results").iterdir())
    assert [file.name for file in files] == [f"{r.id}.json" for r in class_of]
    assert [from_json(file.read_text("utf-8")) for file in files] == class_of


def test_the_same_results_are_the_same_bytes_in_any_order(tmp_path, class_of):
    """Can two runs be compared byte by byte?"""
    results_json.write(class_of, tmp_path / "one")
    results_json.write(reversed(class_of), tmp_path / "two")
    for file in (tmp_path / "one" / "results").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / "results" / file.name).read_bytes()


def test_hostile_texts_are_written_and_stay_in_the_folder(tmp_path, hostile):
    """Does no id escape, no surrogate stop the export?"""
    results_json.write(hostile, tmp_path)
    files = list((tmp_path / "results").iterdir())
    read = [from_json(file.read_text("utf-8")) for file in files]
    assert sorted(result.id for result in read) == sorted(result.id for result in hostile)
    assert {entry.name for entry in tmp_path.iterdir()} == {"results", LISTS}
