"""The corpus: every try is a function, its decorator says what must stop it."""
