"""Tests of harness/containers against real Docker servers."""
