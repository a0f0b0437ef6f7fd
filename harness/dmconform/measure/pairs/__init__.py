"""Pairs of calls: in each hook, one callback after another, each pair in an Envoy; what nests, what comes after destruction."""
