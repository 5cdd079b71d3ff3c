"""Whose work it is, and which files: what was handed in becomes submissions."""
