"""The commands for a whole class, after it is graded: `insight`."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder.arguments import Commands, command
from autograder.assignment import read_assignment
from autograder.course import insight_page
from autograder.course.insight import look
from autograder.course.marks import CourseError, read_marks
from autograder.export.shared import harmless, write_text

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


def add_commands(commands: Commands) -> None:
    """Add the commands of this folder to the command line."""
    one = command(commands, "insight", "one page that shows the class at a glance", INSIGHT)
    one.add_argument("marks", type=Path, metavar="MARKS", help="the folder that `grade` wrote")
    one.add_argument("--out", type=Path, required=True, metavar="HTML", help="such as class.html")
    one.set_defaults(run=insight)


def insight(arguments: argparse.Namespace) -> int:
    """`insight`: write the page, and say whom to look at."""
    assignment = read_assignment()
    if arguments.out.suffix != ".html" or arguments.out.is_dir():
        raise CourseError(f"--out {arguments.out} is no name of a page. Give --out class.html.")
    found = look(read_marks(arguments.marks), assignment, arguments.marks)
    write_text(arguments.out, insight_page.page(found, assignment))
    for one in found.suspects:
        print(f"Looks broken: {one.check}. {one.why}")
        print(harmless(f"  Look at {', '.join(one.ids)}."))
    print(f"{arguments.out} shows {found.submissions} submissions and names nobody.")
    return 0
