"""A run: plan, shards, cells, results, judgement, assembly of the report; the pytest plugin."""
