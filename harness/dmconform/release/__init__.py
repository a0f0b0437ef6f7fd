"""What builds on finished reports: gate, nightly run, published reports."""
