"""A small, correct solution of the homework: the subject that try.py plants faults in."""
