"""Whether something may be released: a report or a check, judged by a policy."""
