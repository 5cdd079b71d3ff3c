"""The judge under attack: no abnormal end earns a point, and none costs another question's marks.

The forged answers here are those of a child that has read every request and knows the protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import pytest
import torch

from autograder.assignment import read_assignment
from autograder.checking.expect import Fail
from autograder.checking.here import LocalCode
from autograder.checking.modules import ROOT
from autograder.checking.proxy import Line, Lost, Remote, Send, StudentError, WorkerDied
from autograder.checking.reference import Reference
from autograder.checking.registry import Check, Rng
from autograder.grading import judge as judging
from autograder.grading.judge import (
    FINAL,
    Patience,
    Run,
    import_module,
    judge,
    reference_passes,
    run_check,
)
from autograder.parts import all_checks
from autograder.results import (
    CRASHED,
    ERROR,
    FAIL,
    MANUAL,
    MEMORY,
    SKIPPED,
    TIMEOUT,
    UNGRADABLE,
    CheckResult,
    QuestionResult,
)
from autograder.sandbox.child import TOO_LONG, USED_UP, WAITED
from autograder.sandbox.zygote import SandboxError, Zygote
from tests.autograder.attacks import FORGER

ASSIGNMENT = read_assignment()
PART = ASSIGNMENT.part("fc-vae")
SOLUTION = (ROOT / "hw5_vae.py").read_text(encoding="utf-8")
NAMES = ("reparametrize", "loss_function", "VAE", "CVAE")


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    torch.set_num_threads(1)
    yield Reference()


def marks(zygote: Zygote, reference: Reference, source: str) -> dict[str, QuestionResult]:
    results = judge(
        {"hw5_vae.py": source.encode("utf-8", "surrogateescape")},
        (PART,),
        all_checks(ASSIGNMENT),
        reference,
        zygote.open,
        seed=7,
    )
    assert all(result.state != UNGRADABLE for result in results)
    return {result.question.partition(".")[2]: result for result in results}


def points(found: dict[str, QuestionResult]) -> float:
    return sum(result.points or 0.0 for result in found.values())


def test_the_solution_gets_every_mark(layered: Zygote, reference: Reference) -> None:
    found = marks(layered, reference, SOLUTION)
    coded = [result for result in found.values() if result.kind == "code"]
    assert [r.question for r in coded if r.points != r.max_points] == []


ENDS = {
    "leaves": ("raise SystemExit", {ERROR}),
    "is interrupted": ("raise KeyboardInterrupt", {ERROR}),
    "raises": ("raise ValueError", {ERROR}),
    "is gone": ("import os; os._exit(0)", {CRASHED}),
    "crashes": ("import ctypes; ctypes.string_at(0)", {CRASHED}),
    "closes its channel": ("import os; os.close(3)", {CRASHED}),
    "takes memory": ("bytearray(30 << 30)", {MEMORY}),
    "is not there": (None, {FAIL}),
}


@pytest.mark.parametrize("name", ENDS)
def test_one_bad_function_costs_its_own_question_alone(
    layered: Zygote, reference: Reference, name: str
) -> None:
    how, states = ENDS[name]
    if how is None:
        source = SOLUTION.replace("def loss_function", "def another_function")
    else:
        source = f"{SOLUTION}\ndef loss_function(*args, **kwargs):\n    {how}\n"
    whole = marks(layered, reference, SOLUTION)
    found = marks(layered, reference, source)
    assert found["loss"].points == 0
    assert {found["loss"].state} <= states | {SKIPPED}
    others = [q for q in whole if q != "loss" and whole[q].kind == "code"]
    assert {q: found[q].points for q in others} == {q: whole[q].points for q in others}


def test_a_loop_costs_its_own_question_alone(layered: Zygote, reference: Reference) -> None:
    source = SOLUTION + "\ndef reparametrize(mu, logvar):\n    while True: pass\n"
    found = marks(layered, reference, source)
    assert found["reparametrize"].points == 0 and found["reparametrize"].state == TIMEOUT
    assert (found["loss"].points or 0) > 0


ANSWERS = {
    "inputs": "given[0]",
    "zeros": "torch.zeros_like(given[0])",
    "triples": "(torch.full_like(given[0], 0.5), torch.zeros(len(given[0]), 20),"
    " torch.zeros(len(given[0]), 20))",
    "nan": "torch.full_like(given[0], float('nan'))",
    "objects": "wire.Handle(10**6, 'Tensor')",
    "verdicts": "{'state': 'pass', 'fraction': 1.0, 'points': 35}",
    "text": "'pass' * 1000",
    "lists": "[[], {}, [None] * 500]",
    "large": "torch.zeros(2**24)",
}


@pytest.mark.daily
@pytest.mark.parametrize("name", ANSWERS)
def test_a_child_that_forges_every_answer_earns_nothing(
    layered: Zygote, reference: Reference, name: str
) -> None:
    source = FORGER.format(answer=ANSWERS[name])
    found = marks(layered, reference, source)
    assert any(check.state == FAIL for q in found.values() for check in q.checks), "it was heard"
    assert points(found) == 0


def test_a_tensor_equal_to_everything_earns_nothing(layered: Zygote, reference: Reference) -> None:
    source = """
import builtins, torch
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True if func.__name__ in ("eq", "allclose", "equal", "isclose") else Yes()
    def __eq__(self, other): return True
    def __bool__(self): return True
torch.allclose = torch.equal = torch.isclose = lambda *a, **k: True
builtins.abs = builtins.max = lambda *a, **k: 0
def yes(*a, **k): return torch.zeros(()).as_subclass(Yes)
reparametrize = loss_function = VAE = CVAE = yes
"""
    assert points(marks(layered, reference, source)) == 0


def test_objects_in_the_place_of_answers_end_no_loop_and_earn_nothing(
    layered: Zygote, reference: Reference
) -> None:
    source = """
class Any:
    def __init__(self, *a, **k): pass
    def __call__(self, *a, **k): return Any()
    def __getattr__(self, name): return Any()
    def __getitem__(self, k): return Any()
    def __len__(self): return 2**62
reparametrize = loss_function = VAE = CVAE = Any()
"""
    assert points(marks(layered, reference, source)) == 0


PUTS_ITSELF_IN_ANOTHERS_PLACE = """
import sys
class _:
    for finder in sys.meta_path:
        for name in list(getattr(finder, "_sources", ())):
            if name.endswith("gan"):
                finder._sources[name] = {source!r}
"""


@pytest.mark.parametrize("theirs, earned", [("x = 1\n", 0.0), (None, 3.0)])
def test_a_module_gives_and_takes_nothing_from_one_that_never_asked_for_it(
    layered: Zygote, reference: Reference, theirs: str | None, earned: float
) -> None:
    right = (ROOT / "hw5_gan.py").read_text(encoding="utf-8")
    other = right if theirs else "x = 1\n"
    results = judge(
        {
            "hw5_vae.py": PUTS_ITSELF_IN_ANOTHERS_PLACE.format(source=other).encode(),
            "hw5_gan.py": (theirs or right).encode(),
        },
        (ASSIGNMENT.part("vae-theory"), ASSIGNMENT.part("gan-theory")),
        all_checks(ASSIGNMENT),
        reference,
        layered.open,
        seed=7,
    )
    marks = [one.points or 0.0 for one in results if one.question.startswith("gan")]
    # What is remembered of a file is the mark of everybody who hands in the same.
    assert sum(marks) == earned


def test_text_of_a_hostile_submission_can_be_written_to_any_file(
    layered: Zygote, reference: Reference
) -> None:
    source = """
__notes__ = None
class Loud(Exception):
    def __str__(self): return "<script>\\x1b[2J\\0" + chr(0xdfff) + "x" * 10**6
def loss_function(*a, **k): raise Loud()
reparametrize = VAE = CVAE = loss_function
"""
    for result in marks(layered, reference, source).values():
        for check in result.checks:
            assert len(check.message) <= 1000 and check.message.isprintable()
            check.message.encode("utf-8")


class Scripted:
    """A code whose sends end as told, one after the other."""

    def __init__(self, ends: list[Exception]) -> None:
        self.ends = ends
        self.closed = 0
        self.allowed: list[float] = []

    def send(self, seconds: float) -> Send:
        self.allowed.append(seconds)

        def ask(request: dict[str, object]) -> dict[str, object]:
            raise self.ends.pop(0)

        return ask

    def close(self) -> None:
        self.closed += 1


def test_code_that_was_lost_is_opened_again_for_the_next_check() -> None:
    opened: list[Scripted] = []

    def open_code(files: object) -> Scripted:
        opened.append(Scripted([Lost(MEMORY, "")]))
        return opened[-1]

    run = Run({}, open_code)
    for _ in range(2):
        with pytest.raises(Lost):
            run.send(1.0)({"op": "import"})
    assert [code.closed for code in opened] == [1, 1]


@pytest.mark.parametrize("first", [USED_UP, WAITED, TOO_LONG])
def test_once_time_ran_out_the_other_checks_get_less_and_their_students_hear_of_it(
    first: str,
) -> None:
    code = Scripted([Lost(TIMEOUT, first), Lost(TIMEOUT, USED_UP), Lost(MEMORY, "Too much.")])
    run = Run({}, lambda _: code)
    said = []
    for _ in range(3):
        with pytest.raises(Lost) as caught:
            run.send(5.0)({"op": "import"})
        said.append(caught.value.message)
    assert code.allowed == [5.0, 1.0, 0.5]
    assert said[0] == first and "a fifth" in said[1] and said[2] == "Too much."
    # What a busy machine may have begun is tried again with all that came of it.
    assert said[1].startswith(FINAL) == (first != TOO_LONG)


def test_a_module_that_loads_without_end_is_loaded_once_for_all_its_parts() -> None:
    code = Scripted([Lost(TIMEOUT, WAITED)])
    run = Run({"hw5_vae.py": b""}, lambda _: code)
    ends = [import_module(ASSIGNMENT.part(name), run) for name in ("fc-vae", "autoencoder")]
    assert [(one.state, one.message) for one in ends] == 2 * [(TIMEOUT, TOO_LONG)]
    assert code.closed == 1


def test_each_module_gets_a_process_of_its_own_with_the_files_that_it_reaches() -> None:
    opened: list[list[str]] = []

    def open_code(files: Mapping[str, bytes]) -> Scripted:
        opened.append(sorted(files))
        return Scripted([Lost(CRASHED, "")] * 2)

    uses = {"hw5_vae.py": b"", "hw5_gan.py": "import hw5_vae".encode("utf-16")}
    run = Run(uses, open_code)
    for part in ("fc-vae", "fc-gan"):
        import_module(ASSIGNMENT.part(part), run)
    assert opened == [["hw5_vae.py"], ["hw5_gan.py", "hw5_vae.py"]]


def test_a_submission_is_tried_again_when_our_worker_died(
    layered: Zygote, reference: Reference
) -> None:
    died: list[int] = []

    def open_code(files: dict[str, bytes]) -> object:
        if len(died) < 1:
            died.append(1)
            return Scripted([WorkerDied(CRASHED, "")])
        return layered.open(files)

    found = judge(
        {"hw5_vae.py": SOLUTION.encode()},
        (PART,),
        all_checks(ASSIGNMENT),
        reference,
        open_code,  # type: ignore[arg-type]
        seed=7,
    )
    assert [q.question for q in found if q.kind == "code" and q.points != q.max_points] == []


def test_a_worker_that_dies_every_time_is_a_crash_and_not_our_fault(reference: Reference) -> None:
    found = judge(
        {"hw5_vae.py": b""},
        (PART,),
        all_checks(ASSIGNMENT),
        reference,
        lambda _: Scripted([WorkerDied(CRASHED, "")] * 9),  # type: ignore[list-item]
        seed=7,
    )
    coded = [q for q in found if q.kind == "code"]
    assert {q.state for q in coded} == {SKIPPED} and {q.points for q in coded} == {0.0}


def test_a_machine_that_cannot_confine_anything_stops_the_batch(reference: Reference) -> None:
    def open_code(files: object) -> Scripted:
        raise SandboxError("no")

    with pytest.raises(SandboxError):
        judge({"hw5_vae.py": b""}, (PART,), all_checks(ASSIGNMENT), reference, open_code, seed=7)


def test_an_object_of_the_student_is_never_an_object_of_the_reference() -> None:
    def ask(request: dict[str, object]) -> dict[str, object]:
        return {"value": None}

    theirs, ours = Line(ask, 0), Line(ask, 0)
    with pytest.raises(TypeError):
        ours.ask("call", args=[theirs.module("hw5_vae")])


def test_a_loop_over_an_object_of_the_student_ends() -> None:
    remote = Line(lambda _: {"value": None}, 0).module("hw5_vae")
    with pytest.raises(TypeError):
        list(remote)
    with pytest.raises(TypeError):
        _, _ = remote


@pytest.mark.parametrize("field", [5, None, ["x"], "a\nb\x1b[2J", {"x": 1}])
def test_an_error_that_is_not_text_is_told_as_text(field: object) -> None:
    error = {"kind": "error", "type": field, "message": field, "where": field}
    with pytest.raises(StudentError) as caught:
        Line(lambda _: {"error": error}, 0).ask("call")
    assert caught.value.message.isprintable()


def test_a_part_without_a_module_is_left_to_people_and_runs_no_code(reference: Reference) -> None:
    def never(files: object) -> object:
        raise AssertionError("code was run")

    report = (ASSIGNMENT.part("report"),)
    results = judge({}, report, all_checks(ASSIGNMENT), reference, never, seed=7)
    assert [(r.state, r.points) for r in results] == 4 * [(MANUAL, None)]


def a_check(function: Callable[[Remote, Remote, Rng], None]) -> Check:
    return Check("fc-vae.loss.new", "fc-vae.loss", "hw5_vae", function, 1.0, (), 5.0)


def answers(request: dict[str, object]) -> dict[str, object]:
    return {"value": 1.0}


def test_what_the_judge_computes_is_charged_to_the_same_patience(reference: Reference) -> None:
    """Also where it computes in the reference, whose later answers do not change by it."""

    def never_ends(theirs: Remote, ref: Remote, rng: Rng) -> None:
        claimed = theirs.loss_function()
        while True:
            ref.reparametrize(torch.full((4, 4), claimed), rng.normal(4, 4))

    check, patience = a_check(never_ends), Patience(1.0)
    began = time.process_time()
    result = run_check(check, lambda _: answers, reference, 7, patience)
    assert (result.state, result.fraction) == (TIMEOUT, 0.0)
    assert 0.9 < time.process_time() - began < 2.0 and patience.left <= 0
    known = [one for one in all_checks(ASSIGNMENT) if one.question == "fc-vae.reparametrize"]
    assert known and all(reference_passes(one, reference, 7) for one in known)


def test_a_patience_that_is_used_up_ends_the_submission() -> None:
    run = Run({}, lambda _: Scripted([]), patience=0.2)
    with pytest.raises(Lost):
        run.patience.check(_burn)
    with pytest.raises(Lost, match="as a whole"):
        run.send(1.0)


def test_an_explanation_that_takes_too_long_is_left_out_and_costs_nothing(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(theirs: Remote, ref: Remote, rng: Rng) -> None:
        raise Fail("This is wrong.")

    monkeypatch.setattr(judging, "diagnose", lambda *_, **__: _burn())
    patience = Patience(5.0, explaining=0.2)
    result = run_check(a_check(fails), lambda _: answers, reference, 7, patience)
    assert (result.state, result.message) == (FAIL, "This is wrong.")
    assert patience.left > 4.5


@pytest.mark.parametrize("seconds", [0.2, 20.0])
def test_what_could_not_be_explained_for_want_of_time_is_not_remembered_for_others(
    reference: Reference, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    def fails(theirs: Remote, ref: Remote, rng: Rng) -> None:
        raise Fail("This is wrong.")

    kept = list[str]()

    class Memory:
        def find(self, module: str, id: str) -> None:
            return None

        def said(self, module: str, id: str) -> bytes:
            return b""

        def keep(self, module: str, result: CheckResult, said: bytes = b"") -> None:
            kept.append(result.check)

    monkeypatch.setattr(judging, "diagnose", lambda *_, **__: _burn(0.5))
    files = {"hw5_vae.py": SOLUTION.encode()}
    judge(files, (PART,), [a_check(fails)], reference, LocalCode, 7, 60.0, Memory(), seconds)
    assert ("fc-vae.loss.new" in kept) == (seconds > 1)
    assert "fc-vae.import.loads" in kept


def _burn(seconds: float = float("inf")) -> str:
    ends = time.process_time() + seconds
    while time.process_time() < ends:
        pass
    return ""
