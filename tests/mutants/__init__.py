"""Mutant hosts: real Envoys that a preloaded library makes misbehave in one way each, and whether the cases notice."""
