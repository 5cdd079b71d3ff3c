"""Runs and prints the notebooks that were handed in."""
