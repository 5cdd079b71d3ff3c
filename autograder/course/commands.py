"""The commands for a whole class: `roster` before it is graded, `insight` after."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.arguments import Commands, command
from autograder.assignment import read_assignment
from autograder.course import insight_page
from autograder.course.insight import look
from autograder.course.marks import CourseError, read_marks
from autograder.export.shared import harmless, write_text
from autograder.roster import (
    JOINERS,
    kept_roster,
    read_export,
    read_roster,
    with_extensions,
    write_roster,
)

INSIGHT = """\
Write one page that shows the class at a glance: OUT.html, which loads nothing and names nobody, so
that it can be shown in a lecture. MARKS is the folder that `grade` wrote.

It begins with checks that look broken: everybody fails, or good students do. Then it says what to
teach again on Monday, and shows the distribution, points by part and question, how hard each
question is and whether it tells the strong from the weak, and the most frequent mistakes, in the
words that students read, with counts and one example each. It ends with who was late or missing,
how often they handed in, and what ran out of time or memory.

  python -m autograder insight marks --out class.html

Here, and not on the page, it says whom to look at where a check looks broken; then:

  python -m autograder check submissions/ID --part PART
"""

ROSTER = """\
Make roster.csv out of what a platform exports, so that names, sections and extensions survive to
every page and table. EXPORT is one of these, in English:

  Canvas       Grades > Export > Export Entire Gradebook
  Moodle       the assignment's grading worksheet (or Participants, downloaded as a CSV)
  Gradescope   Roster > Download Roster, or Download Grades
  nbgrader     gradebook.db, or the grades.csv of `nbgrader export`

It has a row a student: id (the platform's, which marks are kept under), netid, name, email,
section, extension. Correct it where you like; `extension` is yours: a due date of one's own, with
a time zone, such as 2027-04-15T12:00:00-05:00. Give the command again when people join or leave:
what you wrote under extension, and sections that the export lacks, stay.

  python -m autograder roster gradebook_export.csv --out roster.csv
  python -m autograder grade submissions --out marks --roster roster.csv
"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this folder to the command line."""
    one = command(commands, "roster", "who is in the class, from a platform's export", ROSTER)
    one.add_argument(
        "export", type=Path, metavar="EXPORT", help="a CSV, or nbgrader's gradebook.db"
    )
    one.add_argument("--out", type=Path, required=True, metavar="CSV", help="such as roster.csv")
    one.set_defaults(run=roster)
    one = command(commands, "insight", "one page that shows the class at a glance", INSIGHT)
    one.add_argument("marks", type=Path, metavar="MARKS", help="the folder that `grade` wrote")
    one.add_argument("--out", type=Path, required=True, metavar="HTML", help="such as class.html")
    one.set_defaults(run=insight)


def insight(arguments: argparse.Namespace) -> int:
    """`insight`: write the page, and say whom to look at."""
    assignment = read_assignment()
    if arguments.out.suffix != ".html" or arguments.out.is_dir():
        raise CourseError(f"--out {arguments.out} is no name of a page. Give --out class.html.")
    results = read_marks(arguments.marks)
    found = look(results, assignment, arguments.marks)
    roster = kept_roster(arguments.marks)
    missing = len(roster.missing(name for result in results for name in result.members))
    listed = len(roster.people)
    write_text(arguments.out, insight_page.page(found, assignment, missing, listed))
    for one in found.suspects:
        print(f"Looks broken: {one.check}. {one.why}")
        print(harmless(f"  Look at {', '.join(one.ids)}."))
    print(f"{arguments.out} shows {found.submissions} submissions and names nobody.")
    return 0


def roster(arguments: argparse.Namespace) -> int:
    """`roster`: write roster.csv, and say what was left out of it."""
    if arguments.out.suffix != ".csv" or arguments.out.is_dir():
        raise CourseError(f"--out {arguments.out} is no name of a table. Give --out roster.csv.")
    found, notes = read_export(arguments.export)
    if arguments.out.exists():
        before = read_roster(arguments.out)
        found = with_extensions(found, before)
        notes += [
            f"{one.shown} ({one.id}) is not in it any more"
            for one in before.people
            if one.id not in {person.id for person in found.people}
        ]
    write_roster(found, arguments.out)
    for note in notes:
        print(harmless(f"Note: {note}.", keep=JOINERS))
    print(f"{arguments.out} has {len(found.people)} people.")
    return 0
