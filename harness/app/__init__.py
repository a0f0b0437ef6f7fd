"""The tool as a whole: from a command line to a plan, from results to a report and an exit code."""
