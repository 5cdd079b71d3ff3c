"""The audit says what does not hold: of a style, of a mistake, of stubs, of what is lacking."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.console import Console

from autograder import __main__ as command_line
from autograder import audit, authoring
from autograder.assignment import AssignmentError, read_assignment
from autograder.checking.catalogue import Mistake
from autograder.parts.gan_theory.mistakes import MISTAKES

ASSIGNMENT = read_assignment()
PART = ASSIGNMENT.part("gan-theory")
RIGHT = audit.reference_source(PART)
WRONG = f"{RIGHT}\n\ndef answer_3e(): return (1.0, 2.0, 3.0, 4.0)\n"
OTHERWISE = f"{RIGHT}\n\ndef answer_3e(): return [math.inf, math.inf, 0.5, 1]\n"
QUESTION = frozenset({"gan-theory.3e"})


def trial(kind: str, source: str, **more: object) -> audit.Trial:
    return audit.Trial("gan-theory", kind, "mine", source, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (trial(audit.STYLE, OTHERWISE), ""),
        (trial(audit.STYLE, RIGHT), "it changes the code of no question"),
        (trial(audit.MISTAKE, WRONG, costs=QUESTION, unseen="the four numbers"), ""),
        (trial(audit.STYLE, WRONG), "points are lost on gan-theory.3e"),
        (trial(audit.MISTAKE, RIGHT, costs=QUESTION), "nothing is lost on gan-theory.3e"),
        (trial(audit.RELEASE, RIGHT, costs=QUESTION), "the stubs earn points"),
        (
            trial(audit.MISTAKE, WRONG, costs=QUESTION, says=("an owl",)),
            "this is not said: 'an owl'",
        ),
    ],
)
def test_what_does_not_hold_is_said(one: audit.Trial, wrong: str) -> None:
    assert audit.run(one, seed=1).wrong == wrong


SEEN = "the visible check of gan-theory.3e"
SHOWN = WRONG.replace("(1.0, 2.0, 3.0, 4.0)", "None")


@pytest.mark.parametrize(
    ("one", "wrong"),
    [
        (trial(audit.MISTAKE, SHOWN, costs=QUESTION), ""),
        (trial(audit.MISTAKE, WRONG, costs=QUESTION), f"{SEEN} passes it; "),
        (
            trial(audit.MISTAKE, SHOWN, costs=QUESTION, unseen="the four numbers"),
            f"it is called unseen, and {SEEN} says: ",
        ),
        (
            trial(audit.MISTAKE, WRONG, costs=QUESTION, unseen="an owl"),
            "the line of gan-theory.3e, 'the four numbers', does not say 'an owl'",
        ),
        (trial(audit.STYLE, OTHERWISE, refused=QUESTION), f"{SEEN} refuses it: ''"),
    ],
)
def test_the_visible_check_is_held_against_what_is_known(one: audit.Trial, wrong: str) -> None:
    said = audit.run(one, seed=1).wrong
    assert said.startswith(wrong) and bool(said) == bool(wrong)


def test_a_check_that_refuses_our_solution_is_shown_with_its_line_and_nothing_else_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = audit.trials(ASSIGNMENT, ["gan-theory"])

    def stops(*_: object) -> None:
        raise TypeError("a set cannot be sent")

    monkeypatch.setattr("autograder.parts.gan_theory.checks.expect", stops)
    # At a seed that nothing else is tried at: what runs is noted once a process.
    code, said = shown([audit.run(one, 97) for one in known])
    assert code == 1
    assert "the reference solution at 1 of 1 seeds (97): no mark at all on gan-theory.3e: " in said
    assert re.search(
        r"parts/gan_theory/checks\.py,\s+line\s+\d+:\s+TypeError:\s+a\s+set\s+cannot", said
    )
    assert "says nothing until our solution passes its checks." in said
    assert "the mistake" not in said and "the style" not in said


def test_one_question_is_audited_with_what_is_known_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command_line.main(["audit", "vae-theory.1b", "--seeds", "1", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert "vae-theory.1b" in said and "vae-theory.1g" not in said
    assert command_line.main(["audit", "vae-theory.1x"]) == 2
    assert "has no question '1x'" in capsys.readouterr().err


BOTH = "It looks like this: a hat. And: a coat."
EITHER = "It looks like one of these: a hat. Or: a coat."


@pytest.mark.parametrize(
    ("names", "said", "wrong"),
    [
        (("a hat.",), "Wrong. It looks like this: a hat.", []),
        (("a hat.",), f"Wrong. {EITHER}", []),
        (("a hat.", "a coat."), f"Wrong. {BOTH}", []),
        (("a hat.",), f"Wrong. {BOTH}", ["a coat."]),
        (("",), "Wrong. It looks like this: a hat.", ["a hat."]),
        (("a shoe.",), f"Wrong. {EITHER}", ["a hat.", "a coat."]),
        (("a shoe.",), "Wrong: a hat.", []),
    ],
)
def test_the_name_of_another_mistake_is_a_wrong_one(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], said: str, wrong: list[str]
) -> None:
    known = tuple(replace(MISTAKES[0], sentence=text) for text in ("a hat.", "a coat."))
    monkeypatch.setattr(audit, "all_mistakes", lambda: known)
    one = trial(audit.MISTAKE, WRONG, costs=QUESTION, names=names)
    assert audit._wrong_names(one, said) == wrong


def test_two_mistakes_of_a_part_are_tried_at_once_and_each_costs() -> None:
    part = ASSIGNMENT.part("vae-theory")
    found = list(audit.pairs(part, 3))
    assert len(found) == 3 and found == list(audit.pairs(part, 3))
    outcomes = [audit.run(one, 1) for one in found]
    assert all(one.lost.keys() == one.trial.costs and not one.wrong for one in outcomes)
    assert "3 pairs of mistakes, 0 not as they must be. All is named of 3" in shown(outcomes)[1]


def test_marks_are_the_same_where_nobody_asks_which_mistake_it_is() -> None:
    known = audit.trials(ASSIGNMENT, ["vae-theory"])
    one = next(one for one in known if audit.LOOKS in audit.run(one, 1).said)
    silent = audit.run(one, 1, told=False)
    assert silent.lost == audit.run(one, 1).lost and not silent.wrong
    assert audit.LOOKS not in silent.said


RAISED = "x [error 0.00] Your code raised TypeError: 3"


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("x [fail 0.00] mu is not what the definition gives (off by up to 2 times).", "vague"),
        ("x [fail 0.00] The network computes something else.\ny [fail 0.00] 3 of 4.", "pointed at"),
        (f"{RAISED} (hw5_vae.py, line 3: a = b)", "an error with its line"),
        (
            f"{RAISED} (hw5_vae.py, line 3: a = b)\nx [skipped 0.00] Not tried: b.",
            "an error with its line",
        ),
        (f"{RAISED} (hw5_vae.py, line 3: a = b) In words: two shapes differ.", "pointed at"),
        (f"x [fail 0.00] Wrong. It looks like this: {MISTAKES[0].sentence}", "named"),
        (f"x [fail 0.00] The answer is wrong: {MISTAKES[0].sentence}", "named"),
    ],
)
def test_how_a_mutant_is_told_is_counted(said: str, how: str) -> None:
    one = audit.Outcome(trial(audit.MUTANT, WRONG), 1, {"gan-theory.3e": 1.0}, said, "")
    assert audit.how_told(one) == how
    printed = shown([one])[1]
    assert f"1 {how}" in printed and ("Vague of this mutant" in printed) == (how == "vague")


def shown(outcomes: list[audit.Outcome]) -> tuple[int, str]:
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    return authoring.show(ASSIGNMENT, outcomes, console), console.export_text()


def test_the_table_has_a_row_a_question_and_the_weakest_come_first() -> None:
    outcomes = [
        audit.run(one, seed) for seed in (1, 2) for one in audit.trials(ASSIGNMENT, ["gan-theory"])
    ]
    code, said = shown(outcomes)
    assert code == 0 and "All of it holds." in said
    blind = trial(audit.MISTAKE, RIGHT, costs=QUESTION)
    code, said = shown([*outcomes, audit.run(blind, 1), audit.run(blind, 2)])
    assert code == 1
    assert "the mistake mine at 2 of 2 seeds (1, 2): nothing is lost on gan-theory.3e." in said


def test_a_question_of_which_little_is_known_says_how_much_is_lacking() -> None:
    known = audit.trials(ASSIGNMENT, ["gan-theory"])
    few = [one for one in known if one.kind != audit.STYLE]
    (row,) = audit.rows(ASSIGNMENT, [audit.run(one, 1) for one in few])
    assert row.lacks == "4 more styles" and row.mistakes >= audit.LEAST


def test_a_style_counts_for_the_questions_whose_code_it_changes() -> None:
    part = ASSIGNMENT.part("fc-gan")
    source = audit.reference_source(part)
    again = "\n\nclass GAN(GAN):\n    def other(self): return 1\n"
    assert audit.written_otherwise(part, source + again) == frozenset()
    code = "\n\ndef generator_loss(logits_fake): return F.softplus(-logits_fake).mean()\n"
    assert audit.written_otherwise(part, source + code) == {"fc-gan.generator_loss"}


def test_every_question_that_is_marked_by_checks_asks_for_names() -> None:
    for part in (one for one in ASSIGNMENT.parts if one.module):
        assert all(audit.places(part).values()), part.id


def test_processes_come_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    known = audit.trials(ASSIGNMENT, ["gan-theory"])[:3]
    todo = [(one, 1) for one in known]
    alone = list(audit.audit(todo, jobs=1))
    monkeypatch.setattr(audit, "PIECE", 2)
    together = sorted(audit.audit(todo, jobs=2), key=lambda one: str(one.trial))
    assert together == sorted(alone, key=lambda one: str(one.trial))


def test_a_mutant_that_never_ends_costs_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SECONDS", 0.5)
    endless = replace(
        trial(audit.MUTANT, f"{RIGHT}\n\ndef answer_3e():\n    while True: pass\n"), costs=QUESTION
    )
    assert audit.run(endless, 1).lost.keys() == QUESTION


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (Mistake("lost", "gan-theory.3x", "", code="x = 1"), "which assignment.toml does not ask"),
        (Mistake("odd", "gan-theory.3e", "", code="def answer_3e( return 1"), "is no Python"),
        (MISTAKES[0], "only one would be counted"),
        (replace(MISTAKES[0], id="again"), "one and the same"),
        (replace(MISTAKES[0], id="none", edits=()), "changes nothing"),
    ],
)
def test_a_catalogue_that_proves_nothing_is_refused(
    more: Mistake, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "all_mistakes", lambda: (*MISTAKES, more))
    with pytest.raises(AssignmentError, match=says):
        audit.trials(ASSIGNMENT, ["gan-theory"])
