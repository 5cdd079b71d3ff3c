"""The evidence lower bound: how this part is graded."""
