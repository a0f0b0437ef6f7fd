"""The one answer of a report: what was tested, how bad what fails is, and whether each SDK and host may be released."""
