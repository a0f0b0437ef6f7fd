"""A report or a check, judged by a policy."""
