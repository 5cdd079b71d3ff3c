"""Is what two submissions share found, and what everybody was given not?"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace

import pytest

from autograder.__main__ import main
from autograder.assignment import read_assignment
from autograder.course import commands, similar, similar_page
from autograder.course.marks import CourseError
from autograder.course.similar import (
    CODE,
    FALSE_ALARMS,
    LEAST,
    LEAST_SHARE,
    MOST_AROUND,
    MOST_BY_CHANCE,
    MOST_IN_ALL,
    MOST_LINE,
    MOST_PASSAGES,
    MOST_TEXT,
    WORDS,
    Pair,
    documents,
    pairs,
    taken_out,
    work,
)
from autograder.intake.submissions import Handin, read_submission
from autograder.roster import Person, Roster
from tests.autograder.export.test_feedback import ATTRIBUTES, KNOWN, Page
from tests.autograder.small_class import HOSTILE
from tests.test_sample_submissions import SUBMISSIONS

OWN = """
def loss_function(x_hat, x, mu, logvar):
    # the sum over pixels, and only then the mean over the batch
    per_pixel = torch.nn.functional.binary_cross_entropy(x_hat, x, reduction="none")
    reconstruction = per_pixel.flatten(start_dim=1).sum(dim=1)
    spread = torch.exp(logvar)
    divergence = 0.5 * (spread + mu.square() - 1.0 - logvar).sum(dim=-1)
    return (reconstruction + divergence).mean()
"""
OTHER = """
def loss_function(x_hat, x, mu, logvar):
    n = x.shape[0]
    rec = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
    return (rec + kl) / n
"""
SAID = (
    "The bound is loose where the prior covers codes that no image has, since nothing in it asks "
    "the decoder to say what such a code should be drawn as, and so it draws a blur."
)


def handin(id, module=OTHER, said="", members=None):
    files = {"hw5_vae.py": module.encode()}
    if said:
        cells = [
            {"cell_type": "markdown", "source": said},
            {"cell_type": "code", "source": "a = 1"},
        ]
        files["1.ipynb"] = json.dumps({"cells": cells}).encode()
    return Handin(id, members or (id,), files)


def compared(*handins, earlier=(), given=None):
    known = taken_out(given or {})
    works = [work(one, "", known) for one in handins]
    works += [work(one, "2025", known) for one in earlier]
    return pairs(works)


def names(found: list[Pair]) -> list[tuple[str, str]]:
    return [(one.left.id, one.right.id) for one in found]


def test_code_that_two_share_is_found_under_other_names():
    renamed = OWN
    for old, new in (("per_pixel", "bce"), ("divergence", "kl"), ("spread", "v"), ("x_hat", "y")):
        renamed = renamed.replace(old, new)
    found, held = compared(handin("ada", OWN), handin("ben", renamed), handin("cleo"))
    assert held == 3 and names(found) == [("ada", "ben")]
    passage = next(one for one in found[0].passages if one.kind == CODE)
    assert "divergence = 0.5" in passage.left.marked and "kl = 0.5" in passage.right.marked
    assert passage.left.document == "hw5_vae.py" and passage.left.line == 2
    assert [one.kind for one in found[0].passages] == [CODE], "its comment is shown with it"


def test_what_students_are_given_is_not_shared():
    found, _ = compared(handin("ada", OWN), handin("ben", OWN), given={"hw5_vae.py": OWN.encode()})
    assert found == []


def test_what_everybody_has_counts_next_to_nothing():
    everybody = [handin(f"s{n}", OWN) for n in range(12)]
    assert compared(*everybody)[0] == []
    assert len(compared(*everybody[:2], *(handin(f"t{n}") for n in range(10)))[0]) == 1


def test_words_that_two_share_are_found_in_notebooks_and_comments():
    comment = f'"""{SAID}"""\n'
    for two in (
        (handin("a", said=SAID), handin("b", said=SAID.upper())),
        (handin("a", said=SAID), handin("b", comment)),
    ):
        (pair,) = compared(*two, handin("c"), handin("d"))[0]
        assert pair.sizes[WORDS] >= LEAST[WORDS]
        assert pair.passages[0].left.marked == SAID.rstrip(".")


def test_formulas_are_no_words():
    formula = " ".join(f"$a_{n} + b_{n} = \\log p(x)$" for n in range(20))
    assert compared(handin("a", said=formula), handin("b", said=formula), handin("c"))[0] == []


def test_what_is_given_is_not_shared_where_answers_between_it_are_left_out():
    def notebook(answer):
        cells = [{"cell_type": "markdown", "source": text} for text in (SAID, answer, SAID[::-1])]
        return {"1.ipynb": json.dumps({"cells": cells}).encode()}

    handins = [Handin(id, (id,), notebook("$a = b$")) for id in ("a", "b", "c")]
    assert compared(*handins, given=notebook("YOUR ANSWER HERE"))[0] == []
    assert len(compared(*handins[:2])[0]) == 1


def test_a_class_is_held_against_earlier_ones_and_these_not_against_each_other():
    old = [handin("old1", OWN), handin("old2", OWN)]
    found, held = compared(handin("ada", OWN), *(handin(f"s{n}") for n in range(5)), earlier=old)
    assert names(found) == [("ada", "old1"), ("ada", "old2")]
    assert held == 15 + 6 * 2
    assert found[0].right.origin == "2025"


def test_two_hand_ins_of_one_person_are_no_pair_but_in_two_years():
    twice = [handin("a1", OWN, members=("ada",)), handin("a2", OWN, members=("ada",))]
    others = [handin(f"s{n}") for n in range(5)]
    assert compared(*twice, *others)[0] == []
    assert len(compared(twice[0], *others, earlier=[twice[1]])[0]) == 1


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"[1]", b"{" * 100_000])
def test_what_cannot_be_read_is_no_text(data):
    assert documents({"1.ipynb": data, "picture.png": data, "netid": b"ada"}) == ()


def test_of_endless_files_the_beginning_is_read():
    texts = documents({f"{n}.py": b"a = 1\n" * 100_000 for n in range(9)})
    assert len(texts[0].text) == MOST_TEXT
    assert sum(len(one.text) for one in texts) == MOST_IN_ALL


@pytest.mark.parametrize("signs", ["'\\N{", "_ ", "f'{"])
def test_a_line_without_end_is_soon_read(signs: str) -> None:
    line = signs * (MOST_TEXT // len(signs))
    lines = f"{signs * (MOST_LINE // len(signs))}\n" * (MOST_TEXT // MOST_LINE)
    files = {"hw5_vae.py": line.encode(), "hw5_gan.py": lines.encode()}
    before = time.process_time()
    work(Handin("ada", ("ada",), files), "", {})
    assert time.process_time() - before < 15  # once 22 for each


def test_a_thousand_passages_in_one_line_are_shown_without_the_whole_line():
    draw = random.Random(0)
    said = [" ".join(f"{draw.random():.0e}" for _ in range(9)) for _ in range(1000)]
    began = time.process_time()
    (pair,), _ = compared(
        handin("ada", said=" here ".join(said)), handin("bob", said=" there ".join(said[::-1]))
    )
    assert time.process_time() - began < 5
    assert len(pair.passages) == MOST_PASSAGES
    excerpts = [side for one in pair.passages for side in (one.left, one.right)]
    assert max(len(text) for one in excerpts for text in (one.before, one.after)) == MOST_AROUND


@pytest.fixture(scope="module")
def shown():
    """A page of hostile passages that two share."""
    nasty = "\n".join(f"x = {one!r}; {OWN}" for one in HOSTILE)
    works = [
        work(handin(f"<b>{id}", nasty, f"{SAID} {''.join(HOSTILE)}"), "", {}) for id in ("a", "b")
    ] + [work(handin("c"), "<i>2025", {})]
    found, held = pairs(works)
    return found, works, held


def test_no_text_of_a_student_acts_and_nothing_is_loaded(assignment, shown):
    page = Page(similar_page.page(*shown, assignment))
    assert not page.open
    for tag, attributes in page.tags:
        assert tag in KNOWN | {"mark", "ol"}
        assert set(attributes) <= ATTRIBUTES | {"id"}
        assert str(attributes.get("href", "#")).startswith("#")


def test_the_page_says_where_to_look_and_how_often_it_is_chance(assignment, shown):
    text = " ".join(Page(similar_page.page(*shown, assignment)).text.split())
    assert "accuses nobody" in text
    assert f"Of {FALSE_ALARMS[1]} pairs" in text and f"{FALSE_ALARMS[0]} would be shown" in text
    assert "2 submissions and 1 earlier" in text


def test_the_page_says_ids_and_the_names_of_the_roster(assignment):
    works = [work(handin(id, OWN), "", {}) for id in ("ada", "ben")]
    works += [work(handin(f"s{n}"), "", {}) for n in range(4)]
    found, held = pairs(works)
    roster = Roster((Person("ada", name="Lovelace, Ada"),))
    text = Page(similar_page.page(found, works, held, assignment, roster)).text
    assert "ada (Ada Lovelace) and ben" in text


def test_the_command_writes_the_page(tmp_path, capsys, monkeypatch):
    # What a release holds takes seconds to make; that it is taken out is tried above.
    monkeypatch.setattr(
        commands, "_released", lambda assignment, parts: {"hw5_vae.py": b"import torch"}
    )
    for id, module in (("ada", OWN), ("ben", OWN), *((f"s{n}", OTHER) for n in range(4))):
        (tmp_path / "class" / id).mkdir(parents=True)
        (tmp_path / "class" / id / "hw5_vae.py").write_text(module)
    out = tmp_path / "similar.html"
    assert main(["similar", str(tmp_path / "class"), "--out", str(out)]) == 0
    assert "ada and ben" in out.read_text(encoding="utf-8")
    assert "shows 1 of 15 pairs" in capsys.readouterr().out
    assert main(["similar", str(tmp_path / "class"), "--out", str(tmp_path)]) == 2


def test_what_was_given_and_cannot_be_made_is_said_with_what_to_do(monkeypatch):
    less = read_assignment()
    parts = tuple(
        replace(part, questions=part.questions[:-1]) if part.id == "gan-theory" else part
        for part in less.parts
    )
    with pytest.raises(CourseError, match=r"left out of the comparison.*putting back a question"):
        commands._released(replace(less, parts=parts), [])


INDEPENDENT = [
    *("right-functional", "right-sequential", "right-by-hand", "right-script"),
    *("right-whole-distributions", "right-whole-notebook", "right-whole-release"),
]
COPIES = {"wrong-layers": "right-functional", "wrong-details": "right-sequential"}
"""Samples that were made of another; `wrong-halves` has one of its two modules from one."""


@pytest.fixture(scope="module")
def samples(released):
    """The sample submissions as they are compared."""
    known = taken_out(
        {f"hw5_{n}.py": (released / f"hw5_{n}.py").read_bytes() for n in ("vae", "gan")}
    )
    names = [*INDEPENDENT, *COPIES, "wrong-halves"]
    read = {id: read_submission(SUBMISSIONS / id, read_assignment()) for id in names}
    return {id: work(one, "", known) for id, one in read.items()}


def test_the_false_alarms_that_the_page_states_are_those_of_independent_samples(
    samples, monkeypatch
):
    own = [samples[id] for id in INDEPENDENT]
    shown, held = pairs(own)
    assert (len(shown), held) == FALSE_ALARMS
    monkeypatch.setattr(similar, "LEAST_SHARE", 1e-9)
    monkeypatch.setattr(similar, "LEAST", {CODE: 0.0, WORDS: 1.0})
    monkeypatch.setattr(similar, "_passages", lambda left, right, weights: [])
    every, _ = pairs(own)
    assert len(every) == held
    assert round(max(one.share for one in every), 2) == MOST_BY_CHANCE < LEAST_SHARE
    assert max(one.sizes[WORDS] for one in every) == 0


def test_samples_that_were_made_of_another_are_shown_with_it(samples):
    found = {frozenset((one.left.id, one.right.id)) for one in pairs([*samples.values()])[0]}
    assert {frozenset(pair) for pair in COPIES.items()} < found
    assert frozenset(("wrong-halves", "right-by-hand")) in found
    assert not [pair for pair in found if pair <= set(INDEPENDENT)]
