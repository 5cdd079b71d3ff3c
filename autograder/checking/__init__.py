"""What a check is made of: the student's code by proxy, the reference, and their comparison."""
