"""Notebooks as they come from real people, made here: broken, huge, foreign and hostile ones."""
