"""Measurements that make data: required hooks, fault injection, differential tests, costs."""
