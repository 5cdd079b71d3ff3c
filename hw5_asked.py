"""Given to students: what is asked, part by part, and what it is worth.

`PARTS`: id of a part -> its `module` (None where nothing is written in one) and its `questions`:
id -> `points` and `kind`. A kind is "code" (marked by checks), "bonus" (the same, on top of the
part's points), "manual" (marked by hand) or "info" (worth nothing).
"""

from autograder.assignment import asked, read_assignment

# A release holds plain data here instead: nobody needs the autograder to know what is asked.
PARTS = asked(read_assignment().parts)
