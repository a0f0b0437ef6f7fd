"""The report as one HTML page: what is told without a script, the data for the script, and the page around both."""
