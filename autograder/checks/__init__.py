"""Hidden checks: one file a part, each check a function whose docstring the student reads."""
