"""Proves that the hidden checks are fair and sharp: right answers pass, known mistakes cost.

A trial is one module that we wrote (the reference, a style, a mistake, the stubs of a release, or
a mutant of the reference) and what the judge must say to it; it runs in this process.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import multiprocessing
import random
import re
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import combinations, groupby
from pathlib import Path

import torch

from . import visible
from .assignment import Assignment, AssignmentError, Part, read_assignment
from .checking.catalogue import EditError
from .checking.here import LocalCode
from .checking.modules import ROOT
from .checking.reference import Reference
from .checking.registry import Check
from .grading.crashes import IN_WORDS
from .grading.diagnosis import Talk, recorded
from .grading.judge import (
    EXPLAINING_SECONDS,
    SHAPELESS,
    Run,
    call,
    fresh,
    import_module,
    judge,
)
from .parts import all_checks, all_mistakes, all_styles
from .release.strip import SOLUTION, regions, strip_module
from .results import PASS, SKIPPED, QuestionResult
from .untouched import (
    Contents,
    Spans,
    Spared,
    Trace,
    changed,
    contents,
    dumped,
    names,
    noting,
    spans,
    untouched,
    words,
    words_in,
)

SECONDS = 20.0  # of the processor, after which what a mutant runs is ended
PIECE = 8  # trials that a process takes at a time, where parts and seeds are few
PARTS = ROOT / "autograder" / "parts"
LEAST = 4  # mistakes and styles that each question has
WRITE = re.compile(r'([\w-]+\.\w+): write[\s"]+([\w.]+)[\s"]+\(')  # over two lines where long

REFERENCE, STYLE, MISTAKE, RELEASE, MUTANT = "reference", "style", "mistake", "release", "mutant"
GAP = "gap"  # one question unwritten, raising, or returning nothing
PAIR = "pair"  # two mistakes at once

LOOKS = "It looks like"
VAGUE = (
    "is not what the definition gives (",
    "computes something else",
    "as its loss asks.",
    "as loss_autoencoder asks.",
    SHAPELESS,
)
RAISES = re.compile(r"\b\w+(Error|Exception|Warning): ")
NAMED, POINTED, RAISED, UNTOLD = "named", "pointed at", "an error with its line", "vague"


@dataclass(frozen=True)
class Trial:
    """One module, and what its marks must be.

    `costs`: the questions, as part.question, on which it must lose, and on no other; `all` of
    its points with RELEASE. `says`: what the student must read; `names`: the sentences that are
    true of it, where it is known what is wrong. `unseen`: what visible checks call the reason why
    they pass it; `refused`: the questions whose visible check stops it though it is right.
    """

    part: str
    kind: str
    name: str
    source: str
    costs: frozenset[str] = frozenset()
    says: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    unseen: str = ""
    refused: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.part}-{self.kind}-{self.name}"


@dataclass(frozen=True)
class Outcome:
    """What the judge said to one trial at one seed.

    `lost`: part.question -> points; `wrong`: why that is not what it must be, or "".
    """

    trial: Trial
    seed: int
    lost: dict[str, float]
    said: str
    wrong: str


def trials(assignment: Assignment, parts: Iterable[str]) -> list[Trial]:
    """Everything that is known of these parts. Raises AssignmentError for an edit of the
    reference that finds nothing to replace."""
    found: list[Trial] = []
    styles = all_styles()
    all_checks(assignment)  # they and assignment.toml must fit before anything is tried
    visible.need_all(assignment)
    _refuse_strangers(assignment)
    for part in map(assignment.part, parts):
        if part.module is None:
            continue
        right = reference_source(part)
        found.append(Trial(part.id, REFERENCE, "solution", right))
        asked = frozenset(coded(part))
        found.append(Trial(part.id, RELEASE, "stubs", _release(part), asked, ("not implemented",)))
        found += _gaps(part)
        try:
            found += [
                Trial(
                    part.id,
                    STYLE,
                    style.id,
                    style.source(right),
                    refused=frozenset(style.refused),
                )
                for style in styles.get(part.id, ())
            ]
            found += [
                Trial(
                    part.id,
                    MISTAKE,
                    f"{one.question.partition('.')[2]}/{one.id}",
                    one.source(right),
                    frozenset({one.question}),
                    tuple(filter(None, (one.sentence, one.says))),
                    (one.sentence,),
                    one.unseen,
                )
                for one in all_mistakes()
                if one.question.startswith(f"{part.id}.")
            ]
        except EditError as error:
            raise AssignmentError(
                f"{error}. Edit it in autograder/parts/{part.id.replace('-', '_')}/mistakes.py as "
                "the reference now is."
            ) from None
    for trial in found:
        _need_python(trial)
    _refuse_repeats(found)
    return found


def _gaps(part: Part) -> Iterator[Trial]:
    """The solution with one question unwritten, raising, and returning nothing: that costs this
    question alone, and those that ask for more of the same code."""
    assert part.module is not None
    right, file = reference_source(part), f"{part.module}.py"
    gaps = {one: strip_module(right, file, _assignment(), one) for one in coded(part)}
    for question, unwritten in gaps.items():
        if unwritten == right:
            continue  # it asks for more of what another question asks for
        same = [one for one, names in places(part).items() if names == places(part)[question]]
        shared = [one for one in same if one == question or gaps[one] == right]
        costs, name = frozenset(shared), question.partition(".")[2]
        yield Trial(part.id, GAP, f"{name}/unwritten", unwritten, costs)
        raising = _raising(unwritten, right)
        if raising != unwritten:  # what is unwritten at the top level raises nothing
            yield Trial(part.id, GAP, f"{name}/raising", raising, costs, ("RuntimeError",))
        silent = _silent(right, file, question)
        if silent != right:
            own = frozenset({question})
            yield Trial(part.id, GAP, f"{name}/returning-nothing", silent, own)


def pairs(part: Part, count: int) -> Iterator[Trial]:
    """So many times two known mistakes of a part at once, drawn by chance: each must cost once."""
    right, draw = reference_source(part), random.Random(0)
    known = [one for one in all_mistakes() if one.question.startswith(f"{part.id}.")]
    known = [one for one in known if one.edits and not one.code]
    together = list(combinations(known, 2))
    for a, b in draw.sample(together, min(len(together), 4 * count)):
        with contextlib.suppress(EditError, SyntaxError):  # where both change one line
            source = b.source(a.source(right))
            ast.parse(source)
            name = " and ".join(f"{one.question.partition('.')[2]}/{one.id}" for one in (a, b))
            names, costs = (a.sentence, b.sentence), frozenset({a.question, b.question})
            yield Trial(part.id, PAIR, name, source, costs, names=names)
            count -= 1
            if not count:
                return


def _raising(unwritten: str, right: str) -> str:
    """RuntimeError in place of what the stubs raise; what the solution raises itself stays."""
    ours = set(right.split("\n"))
    return "\n".join(
        line if line in ours else line.replace("raise NotImplementedError", "raise RuntimeError")
        for line in unwritten.split("\n")
    )


def _silent(right: str, file: str, question: str) -> str:
    """The solution without the returns of this question; what they would have returned is made."""
    lines = right.split("\n")
    for region in regions(right, file, SOLUTION):
        if region.tag == question:
            inside = slice(region.first, region.last)
            lines[inside] = [re.sub(r"^( +)return (?=.)", r"\1_ = ", one) for one in lines[inside]]
    return "\n".join(lines)


def _need_python(trial: Trial) -> None:
    """Code that cannot be read is no mistake and no style: it would lose everything unseen."""
    try:
        _body(trial.source)
    except SyntaxError as error:
        line = (trial.source.split("\n")[(error.lineno or 1) - 1]).strip()
        raise AssignmentError(
            f"the {trial.kind} {trial.name} of {trial.part} is no Python: {error.msg}: {line!r}"
        ) from None


def _body(source: str) -> list[ast.stmt]:
    """The statements of a module. Trials have most of their definitions in common, which are read
    once."""
    try:
        return [node for text in source.split("\n\n\n") for node in _read_piece(text)]
    except SyntaxError:  # it is cut within a text, or wrong as a whole
        return ast.parse(source).body


@lru_cache(maxsize=4096)
def _read_piece(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def _refuse_repeats(found: Sequence[Trial]) -> None:
    times = Counter(map(str, found))
    alike: dict[tuple[str, ...], Trial] = {}
    for trial in found:
        if times[str(trial)] > 1:
            raise AssignmentError(
                f"two of the {trial.kind}s of {trial.part} are called {trial.name!r}: only one "
                "would be counted. Give each a name of its own."
            )
        if trial.kind == MISTAKE:
            other = alike.setdefault((trial.part, *map(dumped, _body(trial.source))), trial)
            if other is not trial:
                raise AssignmentError(
                    f"the mistakes {other.name} and {trial.name} of {trial.part} are one and the "
                    "same: keep one of them."
                )


def _refuse_strangers(assignment: Assignment) -> None:
    asked = {name for part in (*assignment.parts, *assignment.off) for name in part.full_ids()}
    for one in all_mistakes():
        if one.question not in asked:
            raise AssignmentError(
                f"the mistake {one.id!r} is one of {one.question!r}, which assignment.toml does "
                "not ask."
            )


def reference_source(part: Part) -> str:
    """Our solution of this part's module."""
    return (ROOT / f"{part.module}.py").read_text(encoding="utf-8")


@cache
def _stubs(module: str) -> str:
    source = (ROOT / f"{module}.py").read_text(encoding="utf-8")
    return strip_module(source, f"{module}.py", _assignment())


def _release(part: Part) -> str:
    assert part.module is not None
    return _stubs(part.module)


@cache
def places(part: Part) -> dict[str, frozenset[str]]:
    """part.question -> the names that it asks a student to write, as `VAE.forward`; where it
    shares those of another question, what its known mistakes change."""
    found = WRITE.findall(_release(part))
    right = reference_source(part)
    return {
        question: frozenset(name for asked, name in found if asked == question)
        or frozenset().union(
            *(
                _changed(part, one.source(right))
                for one in all_mistakes()
                if one.question == question
            )
        )
        for question in coded(part)
    }


@cache
def written_otherwise(part: Part, source: str) -> frozenset[str]:
    """The questions whose code is another in this source than in the reference."""
    other = _changed(part, source)  # `name` may stand there for X.name = name, after def name
    return frozenset(
        question
        for question, names in places(part).items()
        if any({name, name.rpartition(".")[2]} & other for name in names)
    )


def _changed(part: Part, source: str) -> set[str]:
    """What this source defines otherwise than the reference."""
    return changed(_of_the_reference(part), contents(_body(source)))


@cache
def _of_the_reference(part: Part) -> Contents:
    return contents(_body(reference_source(part)))


def coded(part: Part) -> dict[str, float]:
    """part.question -> points, of the questions that the judge marks."""
    return {
        f"{part.id}.{question.id}": question.points
        for question in part.questions
        if question.kind in ("code", "bonus")
    }


def run(trial: Trial, seed: int, told: bool = True) -> Outcome:
    """Judge one trial, and hold the marks against what they must be; where it is to be `told`
    which mistake it is, the sentences as well. To find those takes half of the time.
    """
    with _ending() if trial.kind == MUTANT else contextlib.nullcontext():
        enough = trial.kind == MISTAKE and not told
        found = marks(trial.part, trial.source, seed, told, lost_is_enough=enough)
    lost, said = lost_in(found), messages(found)
    must = trial if told else replace(trial, says=(), names=())
    wrong = _wrong(must, seed, found, lost, said)
    if told or trial.kind == REFERENCE:
        wrong = wrong or _wrong_in_sight(trial, seed)
    return Outcome(trial, seed, lost, said, wrong)


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Let code end that may run for ever: a mutant's loop costs it the check that it is in."""

    def end(*_: object) -> None:
        raise TimeoutError("This takes too long.")

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _wrong(
    trial: Trial, seed: int, found: dict[str, QuestionResult], lost: dict[str, float], said: str
) -> str:
    open_ = [name for name, one in found.items() if one.points is None]
    if open_:
        reason = _raised(trial, open_[0], seed) or "a check failed on our side"
        return f"no mark at all on {', '.join(open_)}: {reason}"
    missed = sorted(trial.costs - lost.keys())
    beside = sorted(lost.keys() - trial.costs)
    if trial.kind == RELEASE and any(found[name].points for name in trial.costs & found.keys()):
        return "the stubs earn points"
    if trial.kind == STYLE and not written_otherwise(_assignment().part(trial.part), trial.source):
        return "it changes the code of no question"
    if missed:
        return f"nothing is lost on {', '.join(missed)}"
    if beside:
        return f"points are lost on {', '.join(beside)}"
    if trial.kind == MISTAKE and SHAPELESS in said:
        return f"all that is said is {SHAPELESS!r}"
    if trial.names and (wrong := _wrong_names(trial, said)):
        return f"this is said of it, and is not so: {wrong[0]!r}"
    unsaid = [text for text in trial.says if text not in said]
    return f"this is not said: {unsaid[0]!r}" if unsaid else ""


def _raised(trial: Trial, question: str, seed: int) -> str:
    """Where a check of this question stops even at our solution, and why."""
    for check in _checks(trial.part) if trial.kind == REFERENCE else ():
        try:
            if check.question == question:
                call(check, _reference().send(), _reference(), seed)
        except Exception as error:
            steps = traceback.extract_tb(error.__traceback__)
            step = [one for one in steps if Path(one.filename).is_relative_to(PARTS)][-1]
            file = Path(step.filename).relative_to(ROOT).as_posix()
            return f"{file}, line {step.lineno}: {type(error).__name__}: {error}".rstrip(".")
    return ""


def concerned(trial: Trial) -> frozenset[str]:
    """The questions, as part.question, on which a trial says something."""
    part = _assignment().part(trial.part)
    if trial.kind == REFERENCE:
        return frozenset(coded(part))
    return written_otherwise(part, trial.source) if trial.kind == STYLE else trial.costs


def _wrong_in_sight(trial: Trial, seed: int) -> str:
    """What the visible checks must not say of a trial, or must."""
    if trial.kind not in (REFERENCE, STYLE, MISTAKE):
        return ""
    part, questions = _assignment().part(trial.part), concerned(trial)
    asked = [question for question in visible.questions() if question in questions]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded = visible.loaded(str(part.module), trial.source)
            found = {one: visible.sentence(one, loaded, seed) for one in asked}
        except Exception as error:
            found = dict.fromkeys(asked, f"{type(error).__name__}: {error}")
    return next(filter(None, (_out_of_sight(trial, one, said) for one, said in found.items())), "")


def _out_of_sight(trial: Trial, question: str, said: str) -> str:
    stopped = bool(said) != (question in trial.refused)
    if trial.kind != MISTAKE:
        return f"the visible check of {question} refuses it: {said!r}" if stopped else ""
    told = visible.questions()[question].unseen
    if not trial.unseen:
        remedy = 'where public inputs cannot show it, write unseen="..." with words of its line'
        return "" if stopped else f"the visible check of {question} passes it; {remedy} {told!r}"
    if stopped:
        return f"it is called unseen, and the visible check of {question} says: {said!r}"
    if trial.unseen not in told:
        return f"the line of {question}, {told!r}, does not say {trial.unseen!r}"
    return ""


def _wrong_names(trial: Trial, said: str) -> list[str]:
    """Sentences of other known mistakes that its answers are said to look like."""
    others = [one.sentence for one in all_mistakes() if one.question in trial.costs]
    wrong = []
    for text in said.split("\n"):
        told = text.partition(LOOKS)[2]
        true = [name for name in trial.names if name and name in told]
        if "one of these" in told and true:
            continue  # the others are what it may be
        for name in true:
            told = told.replace(name, "")
        wrong += [name for name in others if name and name in told]
    return wrong


def how_told(outcome: Outcome) -> str:
    """How a mutant that costs points is told: NAMED as a known mistake, POINTED at (a shape, a
    count, what a check says of it, what an error means), RAISED: an error and its line alone, or
    UNTOLD: only that it is wrong."""
    known = [one for one in all_mistakes() if one.question in outcome.lost]
    lines = [line for line in outcome.said.split("\n") if f"[{SKIPPED} " not in line]
    errors = [line for line in lines if RAISES.search(line)]
    telling = [
        line for line in lines if line not in errors and not any(text in line for text in VAGUE)
    ]
    if LOOKS in outcome.said or any(
        text and text in line
        for one in known
        for text in (one.sentence, one.says)
        for line in telling
    ):
        return NAMED
    if telling or any(IN_WORDS in line for line in errors):
        return POINTED
    return RAISED if errors else UNTOLD


def marks(
    part: str, source: str, seed: int = 1, told: bool = True, lost_is_enough: bool = False
) -> dict[str, QuestionResult]:
    """part.question -> its result, of the questions that the judge marks; where `lost_is_enough`,
    a question that has lost points is not asked for how many."""
    one = _assignment().part(part)
    files = {f"{one.module}.py": source.encode()}
    spared = Spared(_untouched(one, source, seed), set() if lost_is_enough else None)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch says of a mistake, nobody needs to read
        results = judge(
            files,
            [one],
            _checks(part),
            _reference(),
            LocalCode,
            seed,
            memory=spared,
            explaining=EXPLAINING_SECONDS if told else 0,
        )
    return {result.question: result for result in results if result.question in coded(one)}


def _untouched(part: Part, source: str, seed: int) -> frozenset[str]:
    """The checks that run nothing of what is another here than in the solution, which passes them.
    It has been seen to, so that the solution itself needs no second try.
    """
    after = contents(_body(source))
    return untouched(_of_the_reference(part), after, _places(part), _traces(part, seed))


@cache
def _places(part: Part) -> Spans:
    return spans(ast.parse(reference_source(part)).body)


@cache
def _traces(part: Part, seed: int) -> dict[str, Trace]:
    """check -> what of our solution runs while it is loaded and checked; of those checks that it
    passes."""
    right, file = reference_source(part), f"{part.module}.py"
    places = _places(part)
    run, found = Run({file: right.encode()}, LocalCode), {}
    with contextlib.redirect_stdout(io.StringIO()):
        with noting(f"/submission/{file}") as loading:
            import_module(part, run)
        for check in _checks(part.id):
            talk: Talk = []
            with noting(f"/submission/{file}") as lines, contextlib.suppress(Exception):
                call(check, recorded(fresh(run.send(check.seconds)), talk), _reference(), seed)
                functions = names(loading | lines, places)
                asked = words_in([request for request, _ in talk])
                found[check.id] = Trace(functions, words(functions, right, places).union(asked))
    return found


def lost_in(found: dict[str, QuestionResult]) -> dict[str, float]:
    """part.question -> points lost, where any are; a question without a mark is in none."""
    return {
        name: round(one.max_points - one.points, 4)
        for name, one in found.items()
        if one.points is not None and one.points != one.max_points
    }


def messages(found: dict[str, QuestionResult]) -> str:
    """Everything that the student reads about what went wrong."""
    return "\n".join(
        f"{check.check} [{check.state} {check.fraction:.2f}] {check.message}"
        for one in found.values()
        for check in one.checks
        if check.state != PASS
    )


@cache
def _assignment() -> Assignment:
    return read_assignment()


@cache
def _checks(part: str) -> list[Check]:
    ids = _assignment().part(part).full_ids()
    return [one for one in all_checks(_assignment()) if one.question in ids]


@cache
def _reference() -> Reference:
    torch.set_num_threads(1)
    return Reference()


# --- many of them


def audit(todo: Sequence[tuple[Trial, int]], jobs: int) -> Iterator[Outcome]:
    """Run trials at their seeds, in so many processes; the outcomes as they come. What is said is
    looked at with the first seed.
    """
    first = min((seed for _, seed in todo), default=0)
    if jobs == 1:
        for trial, seed in todo:
            yield run(trial, seed, seed == first)
        return
    # A process keeps what the reference answers: trials of one part and seed stay together.
    together = [list(group) for _, group in groupby(todo, lambda one: (one[0].part, one[1]))]
    size = PIECE if len(together) < 4 * jobs else max(map(len, together))
    pieces = [group[i : i + size] for group in together for i in range(0, len(group), size)]
    pieces.sort(key=len, reverse=True)  # at the end, none waits long for another
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin) as pool:
        for done in as_completed([pool.submit(_piece, piece, first) for piece in pieces]):
            yield from done.result()


def _begin() -> None:
    """What is loaded stays, and little of what a trial leaves behind goes in circles."""
    gc.freeze()
    gc.set_threshold(20_000)


def _piece(todo: Sequence[tuple[Trial, int]], first: int) -> list[Outcome]:
    return [run(trial, seed, seed == first) for trial, seed in todo]


@dataclass(frozen=True)
class Row:
    """One question: how many styles got everything, how many mistakes were caught at each seed.

    `lacks`: what is still to be written of it.
    """

    question: str
    styles: tuple[int, int]
    caught: tuple[int, ...]
    mistakes: int
    lacks: str


def rows(assignment: Assignment, outcomes: Iterable[Outcome]) -> list[Row]:
    """The questions of every part that was tried."""
    outcomes = list(outcomes)
    seeds = sorted({one.seed for one in outcomes})
    found = []
    for part in assignment.parts:
        of_part = [one for one in outcomes if one.trial.part == part.id]
        written = {
            one.trial.name: written_otherwise(part, one.trial.source)
            for one in of_part
            if one.trial.kind == STYLE and one.seed == seeds[0]
        }
        for question in coded(part) if of_part else ():
            mistakes = [o for o in of_part if o.trial.kind == MISTAKE and question in o.trial.costs]
            styles = [name for name, questions in written.items() if question in questions]
            refused = {
                o.trial.name for o in of_part if o.trial.kind == STYLE and question in o.lost
            }
            known = len(mistakes) // len(seeds)
            found.append(
                Row(
                    question,
                    (len([name for name in styles if name not in refused]), len(styles)),
                    tuple(
                        sum(o.seed == seed and question in o.lost for o in mistakes)
                        for seed in seeds
                    ),
                    known,
                    _lacks(known, len(styles)),
                )
            )
    return found


def _lacks(mistakes: int, styles: int) -> str:
    wanted = [
        f"{LEAST - there} more {name}"
        for name, there in (("mistakes", mistakes), ("styles", styles))
        if there < LEAST
    ]
    return " and ".join(wanted)
