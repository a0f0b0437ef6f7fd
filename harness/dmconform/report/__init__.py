"""`report.json`: its schema, older versions, and every form that is made from it."""
