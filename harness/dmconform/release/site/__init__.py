"""A static site made of reports: the newest answer, a page for each run, trends, since when what fails, badges, a feed."""
