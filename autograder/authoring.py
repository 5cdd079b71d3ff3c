"""The commands of whoever writes the coursework: `new` lays out, `audit` proves."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from . import audit as engine
from .arguments import Commands, command, positive
from .assignment import Assignment, read_assignment
from .audit import MISTAKE, MUTANT, NAMED, PAIR, POINTED, RAISED, REFERENCE, UNTOLD, Outcome, Trial
from .checking.modules import ROOT, SOLUTIONS
from .grading.batch import default_jobs
from .mutants import mutants
from .placeholders import MARK, placeholders
from .progress import progress_bar

AUDIT = """\
Try the hidden checks on everything that we know: our solution, right answers written otherwise,
known mistakes, the stubs of a release, and our solution with one question unwritten, or raising.
The solution and every style must get full marks, a mistake or a gap must lose points on its own
question and on no other, the stubs get nothing; and all of that at every seed, because the checks
draw fresh inputs. A visible check must pass what is right and stop each mistake that is not called
unseen. Prints a row for each question (styles that got
everything, mistakes caught at each seed) and then what did not hold, weakest first.

  python -m autograder audit                             all parts, at 5 seeds
  python -m autograder audit fc-vae conv-gan --seeds 1   two parts, quickly
  python -m autograder audit fc-vae.loss                 what is known of one question
  python -m autograder audit fc-vae --mutants            also every small change of our solution

What is known of a part stands in autograder/parts/<part>: mistakes.py and styles.py. A mutant
changes one operator, constant or argument of our solution, or leaves a statement out; those that
lose nothing are shown as diffs. Some are right; the others are holes in the checks. Of those that
lose points it is counted how the student is told: named as a known mistake, pointed at (a shape,
what the check itself says, what an error means), by an error and its line alone, or vague, that is,
only that it is wrong.
--pairs 20 tries 20 pairs of known mistakes of each part at once, and shows where not each of the
two cost its own question, or a third one was named; some undo each other.

Exit code: 0 when all of it holds and nothing is lacking, 1 otherwise. Mutants and pairs do not
count.
"""


NEW = """\
Lay out a new part, or one more question of a part, in every place that it needs, with an example
that works: `audit` and `release` run at once, and name what is still to be written.

  python -m autograder new part denoising --title "A denoising autoencoder" --module hw5_vae \\
      --question corrupt --question-title "Adding noise" --points 4
  python -m autograder new question denoising.objective --title "The loss" --points 4
  python -m autograder new question denoising.why --title "Why noise helps" --by-hand

A question that is marked by checks gets: a line in assignment.toml, a function with its solution in
the module, hidden checks, mistakes and styles in autograder/parts/<part>, a visible check in
hw5_checks.py, and the cells of the notebook. One that is marked by hand gets a line and two cells.
docs/authoring.md walks through an example.
"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this module to the command line."""
    one = command(
        commands, "audit", "prove that checks find mistakes and accept what is right", AUDIT
    )
    one.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        help="ids of parts, or of questions as PART.QUESTION (default: all)",
    )
    one.add_argument("--seeds", type=positive, default=5, metavar="N", help="seeds 1 to N (5)")
    one.add_argument(
        "--jobs", type=positive, default=default_jobs(), metavar="N", help="processes (one a core)"
    )
    one.add_argument("--mutants", action="store_true", help="try mutants of our solution, too")
    one.add_argument(
        "--pairs", type=positive, default=0, metavar="N", help="try N pairs of mistakes of a part"
    )
    one.set_defaults(run=audit)
    one = command(commands, "new", "lay out a new part or question", NEW)
    kinds = one.add_subparsers(required=True, metavar="part|question")
    part = kinds.add_parser("part", help="a part with one example question, and its notebook")
    part.add_argument("id", metavar="ID", help="as in `fc-vae`")
    part.add_argument("--title", required=True, help="what students read")
    part.add_argument("--module", choices=SOLUTIONS, required=True, help="where they write")
    part.add_argument("--question", default="example", metavar="ID", help="its first question")
    part.add_argument("--question-title", metavar="TITLE", help="what students read of that")
    part.add_argument("--points", type=_points, default=2.0, metavar="P", help="of that (2)")
    _name(part)
    part.set_defaults(run=new_part)
    question = kinds.add_parser("question", help="one more question of a part")
    question.add_argument("id", metavar="PART.ID", help="as in `fc-vae.loss`")
    question.add_argument("--title", required=True, help="what students read")
    question.add_argument("--points", type=_points, default=1.0, metavar="P", help="(1)")
    _name(question)
    question.add_argument("--by-hand", action="store_true", help="a written question")
    question.set_defaults(run=new_question)


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name", metavar="NAME", help="the function that they write (default: as the question)"
    )


def new_part(arguments: argparse.Namespace) -> int:
    """`new part`."""
    from . import new  # nbformat is slow to import, and no other command needs it

    written = new.new_part(
        ROOT,
        arguments.id,
        arguments.title,
        arguments.module,
        arguments.question,
        arguments.question_title or arguments.title,
        arguments.points,
        arguments.name or "",
    )
    return _say_written(written, arguments.id)


def new_question(arguments: argparse.Namespace) -> int:
    """`new question`."""
    from . import new

    name = arguments.name or arguments.id.partition(".")[2]
    written = new.new_question(
        ROOT, arguments.id, arguments.title, arguments.points, name, arguments.by_hand
    )
    whole = arguments.id.partition(".")[0]
    return _say_written(written, whole if arguments.by_hand else arguments.id)


def _say_written(written: Sequence[Path], name: str) -> int:
    print("Laid out, with an example that works:\n")
    for path in written:
        waiting = path.read_text(encoding="utf-8").count(MARK)
        print(f"  {path.relative_to(ROOT)}" + (f"  ({waiting} to be written)" if waiting else ""))
    print(f"\nEdit them, then:  python -m autograder audit {name}")
    return 0


def _points(text: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of points above 0")
    return points


def audit(arguments: argparse.Namespace) -> int:
    """`audit`: try what is known, print the table, say what did not hold."""
    assignment = read_assignment()
    wanted = arguments.parts or [part.id for part in assignment.parts if part.module]
    for name in wanted:
        assignment.question(name) if "." in name else assignment.part(name)
    parts = [*dict.fromkeys(name.partition(".")[0] for name in wanted)]
    known = [
        trial
        for trial in engine.trials(assignment, parts)
        if trial.part in wanted or trial.kind == REFERENCE or engine.concerned(trial) & {*wanted}
    ]
    seeds = range(1, arguments.seeds + 1)
    todo = [
        (trial, seed)
        for part in parts
        for seed in seeds
        for trial in known
        if trial.part == part and (trial.kind != engine.RELEASE or seed == 1)
    ]
    if arguments.mutants:
        todo += [(trial, 1) for part in parts for trial in _mutants(assignment, part)]
    if arguments.pairs:
        todo += [
            (trial, 1)
            for part in parts
            for trial in engine.pairs(assignment.part(part), arguments.pairs)
        ]
    outcomes = []
    with progress_bar("trying", len(todo)) as progress:
        for outcome in engine.audit(todo, arguments.jobs):
            outcomes.append(outcome)
            progress(str(outcome.trial))
    console = Console()
    wide = console if console.is_terminal else Console(width=160)
    return show(assignment, outcomes, wide, wanted)


def _mutants(assignment: Assignment, part_id: str) -> Iterable[Trial]:
    part = assignment.part(part_id)
    if part.module is None:
        return
    source = engine.reference_source(part)
    for one in mutants(source, f"{part.module}.py"):
        if one.question in engine.coded(part):
            name = f"{one.question.partition('.')[2]}, line {one.line}\n{one.diff(source)}"
            yield Trial(part_id, MUTANT, name, one.source, frozenset({one.question}))


def show(
    assignment: Assignment,
    outcomes: Sequence[Outcome],
    console: Console,
    wanted: Sequence[str] = (),
) -> int:
    """Print what came out, of these parts and questions where some are `wanted`; 0 when all of it
    is as it must be.
    """
    known = [one for one in outcomes if one.trial.kind not in (MUTANT, PAIR)]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("question", "styles", "mistakes", "caught, seed by seed", "still to be written"):
        table.add_column(name, justify="right" if name in ("styles", "mistakes") else "left")
    rows = engine.rows(assignment, known)
    if wanted:
        rows = [one for one in rows if {one.question, one.question.partition(".")[0]} & {*wanted}]
    for row in rows:
        full, styles = row.styles
        caught = " ".join(map(str, row.caught))
        cells = (row.question, f"{full}/{styles}", str(row.mistakes), caught, row.lacks)
        table.add_row(*map(Text, cells))
    console.print(table)
    broken = [one for one in known if one.wrong]
    refused = {one.trial.part for one in broken if one.trial.kind == REFERENCE}
    # What checks say of others is worth nothing where they do not pass our solution.
    broken = [o for o in broken if o.trial.kind == REFERENCE or o.trial.part not in refused]
    for line in _findings(broken, known):
        console.print(Text(line))
    for part in sorted(refused):
        said = f"\n{part}: what all else gets says nothing until our solution passes its checks."
        console.print(Text(said))
    for one in outcomes:
        if one.trial.kind == MUTANT and one.wrong.startswith("nothing is lost"):
            said = f"\nNo check notices this mutant of {one.trial.part}.{one.trial.name}"
            console.print(Text(said))
    for line in [*_of_mutants(outcomes), *_of_pairs(outcomes)]:
        console.print(Text(line))
    waiting = list(placeholders(ROOT))
    if waiting:
        console.print(Text("\nStill to be written:"))
    for line in waiting:
        console.print(Text(f"  {line}"))
    lacking = [row.question for row in rows if row.lacks]
    tried = len({str(one.trial) for one in known})
    held = "All of it holds" if not broken else f"{len(broken)} do not hold"
    lack = f"; {len(lacking)} questions lack something" if lacking else ""
    console.print(Text(f"\n{tried} trials in {len(known)} runs. {held}{lack}."))
    return int(bool(broken or lacking or waiting))


def _of_mutants(outcomes: Iterable[Outcome]) -> Iterable[str]:
    """How those that cost points are told, and which are told vaguely."""
    killed = [one for one in outcomes if one.trial.kind == MUTANT and one.lost]
    told = Counter(map(engine.how_told, killed))
    for one in killed:
        if engine.how_told(one) == UNTOLD:
            said = one.said.replace("\n", "\n    ")
            yield f"\nVague of this mutant of {one.trial.part}.{one.trial.name}\n  {said}"
    if killed:
        shares = [f"{told[how]} {how}" for how in (NAMED, POINTED, RAISED, UNTOLD)]
        yield f"\n{len(killed)} mutants cost points: {', '.join(shares)}."


def _of_pairs(outcomes: Iterable[Outcome]) -> Iterable[str]:
    """What did not hold of two mistakes at once, and how many of the two are named."""
    pairs = [one for one in outcomes if one.trial.kind == PAIR]
    wrong = [one for one in pairs if one.wrong]
    for one in wrong:
        yield f"\n{one.trial.part}: the pair {one.trial.name}: {one.wrong}."
    if pairs:
        names = [[name in one.said for name in one.trial.names if name] for one in pairs]
        both = sum(all(said) for said in names)
        some = sum(any(said) and not all(said) for said in names)
        yield (
            f"\n{len(pairs)} pairs of mistakes, {len(wrong)} not as they must be. All is named of "
            f"{both}, one of the two of {some}."
        )


def _findings(broken: Sequence[Outcome], known: Sequence[Outcome]) -> Iterable[str]:
    """A line for each trial that failed, the weakest first: those that failed most often."""
    trials = {str(one.trial): one.trial for one in broken}
    runs = {name: [o for o in known if str(o.trial) == name] for name in trials}
    order = (REFERENCE, engine.STYLE, engine.RELEASE, engine.GAP, MISTAKE)

    def weakness(name: str) -> tuple[int, float]:
        failed = sum(bool(one.wrong) for one in runs[name])
        return order.index(trials[name].kind), -failed / len(runs[name])

    for name in sorted(trials, key=weakness):
        failed = [one for one in runs[name] if one.wrong]
        seeds = ", ".join(str(one.seed) for one in failed)
        trial = trials[name]
        yield (
            f"\n{trial.part}: the {trial.kind} {trial.name} at {len(failed)} of {len(runs[name])} "
            f"seeds ({seeds}): {failed[0].wrong}."
        )
        if failed[0].said:
            yield "  What is said: " + failed[0].said.replace("\n", "\n    ")
