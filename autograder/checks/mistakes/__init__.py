"""Known mistakes: one file a part, each mistake a small edit of the reference with a sentence."""
