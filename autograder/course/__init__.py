"""The class and its teacher: whose a mark is, what the class knows, what goes back to whom.

All of it stands on the folder that `grade` wrote, and none of it grades.
"""
