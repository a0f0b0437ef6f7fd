"""What stands on finished reports: gate, nightly run, published reports."""
