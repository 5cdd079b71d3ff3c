"""The same grading on Gradescope: the zip, its run, its results."""
