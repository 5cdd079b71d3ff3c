"""nbgrader as the gradebook: the judge's marks beside the marks of people, for every question.

nbgrader keeps the marks and shows what a person has to mark; it runs nothing that a student
wrote. `nbgrader_config.py` tells it so, `course` brings submissions and marks to it.
"""
