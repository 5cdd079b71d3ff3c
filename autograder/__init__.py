"""Grades submissions of the coursework: judge outside, student code in a confined worker."""

__version__ = "1.0.0"
