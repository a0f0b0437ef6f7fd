"""Fault injection: what hosts make of modules with one fault."""
