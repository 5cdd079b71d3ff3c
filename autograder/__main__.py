"""The command line: tidy, release, grade a class, check one submission, print, ask what holds."""

from __future__ import annotations

import sys

if (
    __name__ == "__main__"
    and sys.argv[1:2] in (["grade"], ["check"], ["doctor"])
    and not {"-h", "--help"} & {*sys.argv}
):
    # Now, so that a worker imports torch while we do.
    from .leaving import prepare
    from .sandbox.launch import start_ahead

    prepare()
    start_ahead()

import argparse
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from . import authoring, visible
from .arguments import command, positive
from .assignment import Assignment, AssignmentError, Part, read_assignment
from .checking.modules import ROOT
from .course import commands as course_commands
from .course.marks import CourseError
from .export import (
    changes_table,
    execution,
    feedback,
    history_csv,
    marks_csv,
    results_json,
    table,
)
from .export.shared import harmless
from .gradebook.course import (
    Course,
    GradebookError,
    enter,
    name_students,
    open_course,
    refuse_another_release,
    repairs,
)
from .gradescope import package as gradescope_zip
from .grading import batch, cluster, journal
from .grading.batch import BatchError, Bench, Plan
from .grading.changes import Change
from .grading.cluster import PACKAGES as CLUSTERS
from .grading.cluster import Place
from .grading.journal import JournalError, journaled_seed
from .grading.judge import graded_parts
from .intake.files import IntakeError
from .intake.submissions import (
    Handin,
    read_submission,
    read_submissions,
    refuse_class,
    untimed,
)
from .leaving import ended
from .notebooks import printing as report
from .notebooks.execution import execute
from .parts import all_checks, need_notebooks
from .placeholders import placeholders
from .progress import progress_bar
from .release import ReleaseError
from .results import UNGRADABLE, SubmissionResult
from .roster import ROSTER, Roster, kept_roster, read_roster, write_roster
from .sandbox import kernel
from .sandbox.zygote import PROTECTIONS, SandboxError, Zygote
from .tables import JOINERS, TableError

DESCRIPTION = """\
Releases the coursework and grades submissions of it. Student code runs in a confined worker; the
checks, the reference and the verdicts stay outside of it.

  python -m autograder tidy                             notebooks edited in JupyterLab, put right
  python -m autograder release --out RELEASE            what students get, proven
  python -m autograder grade SUBMISSIONS --out MARKS    a whole class; run it again to go on
  python -m autograder check FOLDER                     one submission, every check in words
  python -m autograder report SUBMISSIONS --out PDFS    a PDF of every submission's notebooks
  python -m autograder roster EXPORT --out roster.csv   who is in the class, by name
  python -m autograder insight MARKS --out class.html   the class at a glance, for its teacher
  python -m autograder similar CLASS --out similar.html where submissions are alike
  python -m autograder override MARKS WHO WHAT POINTS   decide about a mark, with a reason
  python -m autograder publish MARKS --out PUBLISHED    one result a student, and what changed
  python -m autograder fill PUBLISHED EXPORT            results for the platform to take back
  python -m autograder doctor                           what this machine protects, and how
  python -m autograder gradescope --out autograder.zip  the same grading, on Gradescope
  python -m autograder new part ID                      lay out a new part, or a question
  python -m autograder audit                            whether the checks are fair and sharp
"""

RELEASE = """\
Make what students get out of the source with its solutions, and prove it. Nothing appears at OUT
until all of this holds: solutions, mark schemes and hidden checks are found nowhere in it; no part
tells what another one asks, and what a text refers to is there; it can be imported, and every
visible check fails in words that say what to write; the judge gives it nothing and the solution
everything; nbgrader makes the same of it, cell by cell.

  OUT/hw5.zip             for students: modules, notebooks, a README and requirements of their own
  OUT/course              where nbgrader works: its config, source, release and gradebook.db
  OUT/marking_guide.md    for staff: every model answer, mark scheme and solution

With --part only these parts are in it: the others leave the modules, the command line, the
notebooks and the figures too. Points come from assignment.toml; set `total` there to scale the
parts of a release to it. --address is where you will put the zip: the first cell of each notebook
fetches it from there, in Colab for example.

  python -m autograder release --out spring
  python -m autograder release --part fc-vae --part fc-gan --out week7
  python -m autograder release --address https://example.edu/hw5.zip --out spring
"""

TIDY = """\
Put right what JupyterLab writes into the source's notebooks, so that nobody edits their JSON. Edit,
run and save there as you like, then give this command, and in JupyterLab File, Reload Notebook from
Disk. Outputs, counts, and what Lab remembers of looks and kernels go out; no word and no cell of
yours does.

  a new cell       is named after the question that it stands in: fc-vae--loss--1
  a new question   write it into assignment.toml, then a heading with its title:
                   '### TITLE · 3 points · 10 minutes'. Below it a cell check("part.question");
                   or, where people mark it, an answer from '### BEGIN SOLUTION' to its END
  a figure         give its cell the tag `figure` in JupyterLab; what students only look at, and
                   their PDF leaves out, gets the tag `aside`
  a copy, a piece  of a cell that was split, is a new cell, unless its words are those of the other

Points, locks and what nbgrader has to know come from assignment.toml, word limits from 'At most 60
words' in a statement. What cannot be decided is said with the cell's number and its first words,
and then nothing is written into that notebook. --check writes nothing, for CI.

  python -m autograder tidy
  python -m autograder tidy notebooks/3_fc_vae.ipynb
  python -m autograder tidy --check
"""

MOST_NAMED = 10  # submissions in a sentence

GRADE = """\
Grade every submission in a folder: a folder of folders, a folder of zips, one zip of all, or a
download from Gradescope, Canvas, Moodle, Blackboard, Brightspace or nbgrader (its `submitted`).

A module or notebook under another name is found, of several versions the one with the most work in
it is taken, and what is missing or cannot be opened is no silent zero: the flags in marks.csv and
the remarks in the table say so (renamed, versions, missing, unopened, unmerged, unloadable), and so
does the student's page.

MARKS will hold marks.csv, results/ID.json, feedback/ID.html and history.csv: who had what, since
when, and why. The same command always goes on: after a stop it does the rest, later it grades what
is new or was handed in again (the code of each attempt stays in MARKS/attempts), and nothing else.

  python -m autograder grade submissions --out marks
  python -m autograder grade gradescope_export.zip --out marks --jobs 4 --part fc-vae

When a check, points or dates have changed since, only what depends on them is tried again. Marks
that would come out otherwise for the same files are shown with the reason, and you are asked
before they count. --dry-run stops there; --yes agrees beforehand, for scripts.

  python -m autograder grade submissions --out marks --dry-run
  python -m autograder grade submissions --out marks --yes

With --scheduler or --cluster, submissions are graded on other machines, and their marks come back
here, the same to the byte. docs/scale.md says what to start where.

  python -m autograder grade submissions --out marks --scheduler tcp://head:8786
  python -m autograder grade submissions --out marks --cluster slurm --jobs 64

With --roster, names and sections stand in marks.csv, on feedback and in formgrader, extensions take
the place of the due date, and it is said who handed nothing in. It is kept in MARKS, so that the
next run needs it only when it has changed.

  python -m autograder grade submissions --out marks --roster roster.csv

With --execute, every submitted notebook then runs from scratch with quick settings, in a sandbox of
its own, and MARKS/execution says which cells fail. With --full it runs with the submitted settings
and seeds, which may take hours, and cells whose numbers or figures come out otherwise are named.
These are reports: no mark follows from them.

  python -m autograder grade submissions --out marks --execute

With --gradebook, the same marks are entered into nbgrader's gradebook: COURSE is the course folder
that `release` made, or the gradebook.db in it. The submissions are laid out in its `submitted`,
the marks in its `marks`, and nbgrader's own autograde enters them by the course's settings, which
run no notebook. Marks that people gave in formgrader stay as they are.

  python -m autograder grade submissions --out marks --gradebook course/gradebook.db
  python -m autograder grade course/submitted --out marks --gradebook course
"""

CHECK = """\
Grade one submission and print every check in words: what was asked, how it ended, and what is
wrong. Nothing is written. To repeat what a student's feedback says, give the seed it names.

  python -m autograder check submissions/ada
  python -m autograder check submissions/ada --part conv-gan --seed 123456

With --execute, its notebooks then run from scratch (see `grade --help`).

  python -m autograder check submissions/ada --execute --full
"""

REPORT = """\
Print every submission's notebooks as students print their own: PDFS/ID.pdf with a page a question,
PDFS/ID.json with the page of each question, and PDFS/findings.csv with what somebody should look
at: unanswered questions, answers that are too long, missing figures, notebooks that cannot be read.
A student's text is set in a sandbox of its own, and one broken notebook stops no other.

  python -m autograder report submissions --out pdfs
  python -m autograder report submissions --out pdfs --part ae-gan --anonymous

What the PDFs show that students handed in themselves, `grade` writes to MARKS/pdfs.csv.
"""

GRADESCOPE = """\
Write the autograder that Gradescope builds its container from: Configure Autograder, base image
Ubuntu 22.04 or newer, upload. Its default limits (half a core, 768 MB, ten minutes) are enough.

The zip holds the solutions. A student's code cannot read them there, and where it could, nothing
is graded. Gradescope's due dates and groups count, under the rules of assignment.toml.

  python -m autograder gradescope --out autograder.zip
  python -m autograder gradescope --out autograder.zip --part fc-vae --part fc-gan
"""

DOCTOR = """\
Attack the sandbox from inside and print which protections hold on this machine, what they are
made of, and what to install where one is missing. With --strict, `grade` and `check` refuse to
run unless all of them hold.

  python -m autograder doctor
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0: done; 1: a mark is held back by our fault, or a release does not hold;
    2: a sentence on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (
        AssignmentError,
        BatchError,
        CourseError,
        GradebookError,
        IntakeError,
        JournalError,
        SandboxError,
        TableError,
    ) as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except ReleaseError as error:
        nothing = "nothing is released. " if arguments.run is release else ""
        print(f"autograder: {nothing}{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("autograder: stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"autograder: {where}{error.strerror or error}", file=sys.stderr)
        return 2


def tidy(arguments: argparse.Namespace) -> int:
    """`tidy`: put notebooks right, or say what is not right; 1 where something is left to do."""
    from .release.tidy import tidy_file

    assignment, left = read_assignment(), 0
    for path in arguments.files or sorted((ROOT / "notebooks").glob("*.ipynb")):
        tidied = tidy_file(path, assignment, write=not arguments.check)
        print(*tidied.done, sep="\n", end="\n" if tidied.done else "")
        print(*tidied.left, sep="\n", end="\n" if tidied.left else "", file=sys.stderr)
        left += bool(tidied.left)
    if left:
        print(f"autograder: {left} notebooks are not right, and not changed.", file=sys.stderr)
    elif not arguments.files:
        need_notebooks(assignment.parts)
    return 1 if left else 0


def release(arguments: argparse.Namespace) -> int:
    """`release`: make a release, prove it, and only then let it appear."""
    from .release import package, proof  # nbgrader is slow to import, and no other command needs it

    assignment = read_assignment()
    all_checks(assignment)  # they, the modules and assignment.toml must fit together
    visible.need_all(assignment)
    assignment = assignment.scaled(arguments.part)
    with package.appearing(arguments.out) as folder:
        source = package.read_source(ROOT, assignment)
        made = package.make(source, assignment, arguments.part, arguments.address or "")
        package.write(made, folder)
        for sentence in proof.prove(made, folder):
            print(sentence, flush=True)
    for note in made.notes:
        print(f"Note: {note}")
    for line in placeholders(ROOT):
        print(f"Still to be written: {line}")
    points = sum(part.points for part in made.parts)
    print(f"{arguments.out / made.zip_name} is ready for students, for {points:g} points.")
    return 0


def grade(arguments: argparse.Namespace) -> int:
    """`grade`: read what was handed in, grade it, write and show the marks."""
    journal.require(arguments.out)
    assignment = read_assignment().scaled(arguments.part)
    _ready_to_execute(arguments)
    place = _place(arguments)
    course = open_course(arguments.gradebook, assignment) if arguments.gradebook else None
    roster, before = _roster(arguments), kept_roster(arguments.out)
    parts = graded_parts(assignment, arguments.part)
    if course:
        refuse_another_release(course, assignment, parts)
    known = batch.known_ids(arguments.out)
    handins = read_submissions(arguments.submissions, assignment, parts, roster, known)
    _prepare(arguments.out, arguments.submissions, write=not arguments.dry_run)
    begun = journaled_seed(arguments.out)
    if begun is None and arguments.dry_run:
        print(f"{len(handins)} would be graded for the first time: {arguments.out} has no marks.")
        return 0
    plan = _plan(assignment, arguments, begun)
    bases = plan.bases()
    bench = Bench(plan, bases=bases)
    elsewhere = (
        cluster.grader(place, plan, bases, bench, arguments.strict, _say_aside) if place else None
    )
    try:
        _say_missing(bench, arguments.strict)
        with progress_bar("grading", len(handins)) as progress:
            graded = batch.grade(
                handins,
                arguments.out,
                plan,
                arguments.jobs,
                bench,
                progress,
                lambda changed: _agree(changed, arguments),
                bases,
                write=not arguments.dry_run,
                elsewhere=elsewhere,
            )
    finally:
        bench.close()
    if graded.damage:
        _say_aside(graded.damage)
    print(_done(graded))
    changes_table.show(graded.changed, _console())
    for id in graded.vanished:
        print(f"{id} was handed in before and is not there any more; its marks stay, and say so.")
    if arguments.dry_run:
        print(f"--dry-run: nothing is written into {arguments.out}.")
        return 0
    results = graded.results
    results_json.write(results, arguments.out)
    feedback.write(results, assignment, arguments.out, roster)
    marks_csv.write(results, assignment, arguments.out / "marks.csv", roster)
    history_csv.write(graded.history, arguments.out / "history.csv")
    table.show(results, assignment, _console())
    for sentence in untimed(handins, assignment, roster):
        print(sentence)
    _say_old_times([one for one in results if one.id in graded.again], roster, before)
    print(f"Marks in {arguments.out / 'marks.csv'}, feedback in {arguments.out / 'feedback'}.")
    _say_who(results, roster)
    if roster.people:
        write_roster(roster, arguments.out / ROSTER)
    if not graded.agreed:
        raise BatchError(_refused(graded))
    if course:
        nameless = all(part.anonymous for part in parts)
        _enter(handins, results, course, arguments.submissions, roster, nameless)
    _look_at_pdfs(handins, parts, arguments)
    for handin in handins if arguments.execute else ():
        ran = execute(handin, arguments.full)
        execution.write(ran, arguments.out)
        print(*execution.lines(ran), sep="\n")
    return _exit_code(results)


def _done(graded: batch.Graded) -> str:
    """Of whom something was looked at, as a sentence."""
    counts = ((graded.new, "new"), (graded.again, "handed in again"))
    said = [f"{len(ids)} {what}{_named(ids)}" for ids, what in counts if ids]
    if graded.looked_at:
        said.append(f"{graded.looked_at} looked at again, since something changed")
    said += [f"{graded.stood} as before"] if graded.stood else []
    return f"Submissions: {', '.join(said) or 'none'}."


def _named(ids: Sequence[str]) -> str:
    return f" ({', '.join(ids)})" if len(ids) <= MOST_NAMED else ""


def _refused(graded: batch.Graded) -> str:
    """What stands in the folder once a change of marks was not agreed to, as a sentence."""
    ahead = len(graded.new) + len(graded.again)
    return (
        "marks of the same files would change as shown above, and stay as they were. "
        + (
            f"The {ahead} that are new or came again got marks by what holds today. "
            if ahead
            else ""
        )
        + "Give --yes to let the new ones count, or take the change back."
    )


def _place(arguments: argparse.Namespace) -> Place | None:
    """The other machines to grade on, if any. Raises BatchError when what they need is missing."""
    if not (arguments.scheduler or arguments.cluster):
        return None
    place = Place(arguments.scheduler or "", arguments.cluster or "", arguments.jobs)
    place.require()
    return place


def _say_aside(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def _roster(arguments: argparse.Namespace) -> Roster:
    """The roster that is given, or was given before for these marks, or nobody."""
    return read_roster(arguments.roster) if arguments.roster else kept_roster(arguments.out)


def _say_old_times(again: Sequence[SubmissionResult], roster: Roster, before: Roster) -> None:
    """Whose work came again, while the roster has the time of what came before."""
    old = [
        one.id
        for one in again
        if not one.submitted
        and (time := roster.submitted(one.members))
        and time == before.submitted(one.members)
    ]
    if old:
        print(
            f"{len(old)} handed in again, and the roster has the times of before "
            f"({', '.join(old)}): make it anew of the platform's table of today, and grade again."
        )


def _say_who(results: Sequence[SubmissionResult], roster: Roster) -> None:
    """Who of the roster handed nothing in, and who handed in and is not in it."""
    members = [name for result in results for name in result.members]
    if not roster.people:
        return
    missing = [f"{one.shown} ({one.id})" for one in roster.missing(members)]
    for who, what in ((missing, "handed nothing in"), (roster.strangers(members), "not in roster")):
        if who:
            print(harmless(f"{len(who)} {what}: {', '.join(who)}.", keep=JOINERS))


def check(arguments: argparse.Namespace) -> int:
    """`check`: grade one submission and print every check."""
    assignment = read_assignment().scaled(arguments.part)
    parts = graded_parts(assignment, arguments.part)
    refuse_class(arguments.folder, assignment)
    handin = read_submission(arguments.folder, assignment, parts)
    if not handin.files.keys() - {"netid"}:
        raise BatchError(
            f"{arguments.folder} holds no work. {' '.join(handin.notes)} Give the folder or the "
            "zip of one student."
        )
    _ready_to_execute(arguments)
    bench = Bench(_plan(assignment, arguments, None))
    try:
        _say_missing(bench, arguments.strict)
        result = bench.grade(handin)
    finally:
        bench.close()
    table.show_one(result, assignment, _console())
    try:
        for one in report.shown(handin, parts):
            print(one.sentence())
    except SandboxError as error:
        print(f"Its PDF was not looked at. {error}", file=sys.stderr)
    if arguments.execute:
        print(*execution.lines(execute(handin, arguments.full)), sep="\n")
    return _exit_code([result])


def print_pdfs(arguments: argparse.Namespace) -> int:
    """`report`: make a PDF of every submission, and say for how many that failed."""
    assignment = read_assignment().scaled(arguments.part)
    parts = [p for p in assignment.parts if not arguments.part or p.id in arguments.part]
    handins = read_submissions(arguments.submissions, assignment, parts)
    _prepare(arguments.out, arguments.submissions)
    with progress_bar("printing", len(handins)) as progress:
        made = report.print_class(
            handins, arguments.out, arguments.jobs, parts, arguments.anonymous, progress
        )
    failed = [f"{one.id} ({one.problem})" for one in made if one.problem]
    print(
        f"{sum(bool(one.files) for one in made)} of {len(made)} submissions are printed in "
        f"{arguments.out}; findings.csv there lists {sum(len(one.findings) for one in made)} "
        "findings."
    )
    if failed:
        print(f"autograder: not printed, or not in full: {'; '.join(failed)}", file=sys.stderr)
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """`doctor`: attack ourselves from inside the sandbox and say what held."""
    with Zygote() as zygote:
        found = zygote.doctor
    console = _console()
    for name in PROTECTIONS:
        mark = "[green]holds  [/]" if name in found.active else "[red]MISSING[/]"
        console.print(f"  {mark} {name}")
    console.print(f"Made of: {', '.join(found.mechanisms)}.", highlight=False)
    for sentence in found.advice:
        console.print(f"Advice: {sentence}", highlight=False)
    return 0


def _enter(
    handins: Sequence[Handin],
    results: Sequence[SubmissionResult],
    course: Course,
    submissions: Path,
    roster: Roster,
    nameless: bool,
) -> None:
    """Enter the marks into nbgrader's gradebook, and say what nbgrader's side has left to do.

    `nameless`: whoever marks there is to see no names.
    """
    print(f"Entering {len(handins)} submissions into {course.database} ...", flush=True)
    if roster.people:  # nbgrader, too, has to know of extensions
        course.marks.mkdir(exist_ok=True)
        write_roster(roster, course.marks / ROSTER)
    students = enter(handins, results, course, submissions)
    if not nameless:
        name_students(course, roster)
    notes = repairs(course)
    repaired = f"; {len(notes)} repairs of notebooks are listed in {course.log}" if notes else ""
    print(f"{len(students)} students are in the gradebook{repaired}.")


def _look_at_pdfs(
    handins: Sequence[Handin], parts: Sequence[Part], arguments: argparse.Namespace
) -> None:
    """Say what the PDFs show that were handed in; it earns and costs nothing."""
    if not any(name.endswith(".pdf") for handin in handins for name in handin.files):
        return
    try:
        pdfs = report.write_shown(handins, parts, arguments.out, arguments.jobs)
    except SandboxError as error:
        print(f"The PDFs were not looked at. {error}", file=sys.stderr)
        return
    whole = sum(one.whole for one in pdfs)
    print(
        f"{whole} of {len(pdfs)} PDFs show a NetID and every question; "
        f"{arguments.out / 'pdfs.csv'} says what the others lack."
    )


def gradescope(arguments: argparse.Namespace) -> int:
    """`gradescope`: write autograder.zip, and say how many points the assignment has there."""
    assignment = read_assignment().scaled(arguments.part)
    questions = [q for p in graded_parts(assignment, arguments.part) for q in p.questions]
    points = {
        kind: f"{sum(q.points for q in questions if q.kind == kind):g}"
        for kind in ("code", "bonus", "manual")
    }
    if arguments.out.suffix != ".zip" or arguments.out.is_dir():
        raise BatchError(f"--out {arguments.out} is no name of a zip. Give --out autograder.zip.")
    gradescope_zip.write(arguments.out, arguments.part)
    print(
        f"{arguments.out} is ready to be uploaded. Give the assignment {points['code']} autograder "
        f"points; {points['bonus']} more are a bonus, and {points['manual']} are given by hand."
    )
    return 0


def _console() -> Console:
    """Standard output; in a file, lines are as long as they need to be."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _ready_to_execute(arguments: argparse.Namespace) -> None:
    """Raises BatchError or SandboxError before any work is done, not after."""
    if arguments.full and not arguments.execute:
        raise BatchError("--full says how notebooks run again. Give --execute, too.")
    if arguments.execute:
        kernel.require()


def _prepare(out: Path, submissions: Path, write: bool = True) -> None:
    """Make the folder for the marks, if they are to be written, or say why it cannot be. Raises
    BatchError.
    """
    if submissions.resolve() in (out.resolve(), *out.resolve().parents):
        raise BatchError(
            f"--out {out} lies among the submissions in {submissions}, where the next run would "
            "take it for one. Give a folder elsewhere."
        )
    if not write:
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except (FileExistsError, NotADirectoryError):
        raise BatchError(f"--out {out} is a file, or lies below one. Give a folder.") from None
    except OSError as error:
        raise BatchError(
            f"--out {out} cannot be written ({error.strerror}). Give another folder with --out."
        ) from None


def _plan(assignment: Assignment, arguments: argparse.Namespace, before: int | None) -> Plan:
    """`before`: the seed of the marks that are there. Raises BatchError where another is asked."""
    seed = arguments.seed if before is None else before
    if arguments.seed not in (None, seed):
        raise BatchError(
            f"{arguments.out} was begun with the seed {before}, and a class keeps its seed. Leave "
            f"--seed {arguments.seed} out, or give a new --out."
        )
    return Plan(
        assignment,
        graded_parts(assignment, arguments.part),
        batch.new_seed() if seed is None else seed,
    )


def _agree(changed: Sequence[Change], arguments: argparse.Namespace) -> bool:
    """Shall these marks, of files that were graded before, come out otherwise from now on?"""
    if arguments.yes or not sys.stdin.isatty():
        return bool(arguments.yes)
    changes_table.show(changed, _console())
    return input("Let these marks count instead? [y/N] ").strip().lower() in ("y", "yes")


def _say_missing(bench: Bench, strict: bool) -> None:
    """One line about protections this machine lacks; with --strict, no grading without them. One
    more where nothing can be remembered.
    """
    if bench.forgets:
        print(bench.forgets, file=sys.stderr)
    missing = batch.missing(bench)
    if missing and strict:
        raise BatchError(
            f"--strict: this machine does not keep these promises: {', '.join(missing)}. "
            "`python -m autograder doctor` says what to install."
        )
    if missing:
        print(
            f"Grading with fewer protections, without: {', '.join(missing)} "
            "(python -m autograder doctor says more).",
            file=sys.stderr,
        )


def _exit_code(results: Sequence[SubmissionResult]) -> int:
    held = [r.id for r in results if any(q.state == UNGRADABLE for q in r.questions)]
    if held:
        ended = [check for r in results for q in r.questions for check in q.checks]
        broken = sorted({check.check for check in ended if check.state == UNGRADABLE})
        print(
            f"autograder: {len(held)} submissions hold a mark back by our fault: "
            f"{', '.join(held[:10])}. Mend what failed here and grade again: "
            f"{', '.join(broken[:10])}. `python -m autograder audit` says where.",
            file=sys.stderr,
        )
    return 1 if held else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m autograder",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = command(commands, "tidy", "put right what JupyterLab writes into notebooks", TIDY)
    one.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="a notebook (default: all)"
    )
    one.add_argument("--check", action="store_true", help="write nothing; 1 if one is not right")
    one.set_defaults(run=tidy)
    one = command(commands, "release", "make and prove what students get", RELEASE)
    one.add_argument("--out", type=Path, required=True, metavar="OUT", help="a new folder")
    one.add_argument(
        "--address",
        type=_address,
        metavar="URL",
        help="where students' notebooks fetch the zip from",
    )
    _parts(one)
    one.set_defaults(run=release)
    one = command(commands, "grade", "grade a folder of submissions", GRADE)
    one.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="folder or zip")
    one.add_argument("--out", type=Path, required=True, metavar="MARKS", help="folder for marks")
    _jobs(one)
    one.add_argument(
        "--gradebook",
        type=Path,
        metavar="COURSE",
        help="also enter the marks into nbgrader's gradebook: its course folder or gradebook.db",
    )
    one.add_argument(
        "--roster", type=Path, metavar="CSV", help="who is in the class (see `roster --help`)"
    )
    place = one.add_mutually_exclusive_group()
    place.add_argument(
        "--scheduler",
        type=_scheduler,
        metavar="ADDRESS",
        help="grade on the workers of this Dask scheduler, such as tcp://head:8786",
    )
    place.add_argument(
        "--cluster", choices=list(CLUSTERS), help="grade on --jobs workers that are started there"
    )
    one.add_argument("--dry-run", action="store_true", help="show what would change, write nothing")
    one.add_argument("--yes", action="store_true", help="let marks change without asking")
    _common(one)
    one.set_defaults(run=grade)
    one = command(commands, "check", "grade one submission and show every check", CHECK)
    one.add_argument("folder", type=Path, metavar="FOLDER", help="folder or zip of one student")
    _common(one)
    one.set_defaults(run=check)
    one = command(commands, "report", "print a class's notebooks as PDFs", REPORT)
    one.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="folder or zip")
    one.add_argument("--out", type=Path, required=True, metavar="PDFS", help="folder for PDFs")
    one.add_argument(
        "--anonymous", action="store_true", help="without names, and with NetIDs struck out"
    )
    _jobs(one)
    _parts(one)
    one.set_defaults(run=print_pdfs)
    one = command(commands, "doctor", "what this machine can confine", DOCTOR)
    one.set_defaults(run=doctor)
    one = command(commands, "gradescope", "write autograder.zip for Gradescope", GRADESCOPE)
    one.add_argument("--out", type=Path, required=True, metavar="ZIP", help="autograder.zip")
    _parts(one)
    one.set_defaults(run=gradescope)
    course_commands.add_commands(commands)
    authoring.add_commands(commands)
    return parser


def _parts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--part", action="append", default=[], metavar="ID", help="only this part (repeatable)"
    )


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=positive,
        default=batch.default_jobs(),
        metavar="N",
        help="submissions at once (default: one a core, at most 8)",
    )


def _common(parser: argparse.ArgumentParser) -> None:
    _parts(parser)
    parser.add_argument(
        "--seed",
        type=_seed,
        metavar="S",
        help="seed of the random inputs, as feedback and results name it (default: that of the "
        "marks that are there, or a fresh one)",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse to grade unless every protection holds"
    )
    parser.add_argument(
        "--execute", action="store_true", help="also run the notebooks again, for a report"
    )
    parser.add_argument(
        "--full", action="store_true", help="with --execute: as submitted, and compare the outputs"
    )


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s\"\\]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no web address, such as https://...")
    return text


def _scheduler(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d{1,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address, such as tcp://head:8786")
    return text


def _seed(text: str) -> int:
    if not (text.isdecimal() and text.isascii()) or int(text) >= 1 << 48:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number below 2**48")
    return int(text)


if __name__ == "__main__":
    sys.exit(ended(main()))
