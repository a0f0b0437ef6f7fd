"""The verdict on a foreign module."""
