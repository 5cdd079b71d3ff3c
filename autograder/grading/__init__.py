"""Grades submissions: the judge of one, and the batch of many."""
